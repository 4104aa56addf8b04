//! What follows from what was measured, and how it is told.

use std::fmt::Write;

use lrfind::analysis::median;
use lrfind::report::text::{grouped, number};
use serde::{Deserialize, Serialize};

/// All that is kept of a benchmark; everything else follows from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) schema_version: u32,
    /// As it was typed.
    pub(crate) command: String,
    pub(crate) workers: Vec<Workers>,
    /// Growth by growth, from the smallest to the largest, `find` and `check` in turn.
    pub(crate) cases: Vec<Case>,
}

/// A command on a config, on one worker and on two.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Workers {
    pub(crate) name: String,
    /// Seconds on one worker, and directly afterwards on two.
    pub(crate) one: Vec<f64>,
    pub(crate) two: Vec<f64>,
    /// On two workers.
    pub(crate) iterations_a_second: Vec<f64>,
    pub(crate) peak_mib: Vec<f64>,
}

/// A command on one of the made-up tasks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    /// What grows.
    pub(crate) growth: String,
    pub(crate) command: String,
    /// How large it is.
    pub(crate) size: f64,
    /// Trial-iterations, the same in every round.
    pub(crate) iterations: u64,
    /// Seconds of the search alone, round by round.
    pub(crate) search: Vec<f64>,
    /// Seconds of the whole process, data and plots included.
    pub(crate) whole: Vec<f64>,
}

impl Case {
    pub(crate) fn new(growth: String, command: String, size: f64, iterations: u64) -> Self {
        Self { growth, command, size, iterations, search: Vec::new(), whole: Vec::new() }
    }
}

/// A command along one growth.
pub(crate) struct Curve<'a> {
    pub(crate) growth: &'a str,
    pub(crate) command: &'a str,
    pub(crate) points: Vec<Point>,
}

/// A case as multiples of the smallest one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) size: f64,
    pub(crate) total: u64,
    pub(crate) iterations: f64,
    pub(crate) search: f64,
    pub(crate) whole: f64,
}

/// The curves in the order in which they were measured.
pub(crate) fn curves(measured: &Measured) -> Vec<Curve<'_>> {
    let mut curves: Vec<(Curve<'_>, &Case)> = Vec::new();
    for case in &measured.cases {
        let known = curves.iter().position(|(curve, _)| curve.growth == case.growth && curve.command == case.command);
        let index = known.unwrap_or_else(|| {
            curves.push((Curve { growth: &case.growth, command: &case.command, points: Vec::new() }, case));
            curves.len() - 1
        });
        let (curve, smallest) = &mut curves[index];
        let times = |of: &[f64], least: &[f64]| {
            median(&of.iter().zip(least).map(|(of, least)| of / least).collect::<Vec<_>>()).unwrap_or(f64::NAN)
        };
        curve.points.push(Point {
            size: case.size,
            total: case.iterations,
            iterations: case.iterations as f64 / smallest.iterations as f64,
            search: times(&case.search, &smallest.search),
            whole: times(&case.whole, &smallest.whole),
        });
    }
    curves.into_iter().map(|(curve, _)| curve).collect()
}

/// Both tables, in Markdown.
pub(crate) fn markdown(measured: &Measured) -> String {
    let mut text = format!(
        "`{}`, medians of {} runs, alternating between one worker and two:\n\n\
         | command | 1 worker | 2 workers | ratio | trial-iterations a second | peak memory |\n|---|---|---|---|---|---|\n",
        measured.command,
        measured.workers.first().map_or(0, |workers| workers.one.len()),
    );
    for workers in &measured.workers {
        let of = |figures: &[f64]| median(figures).unwrap_or(f64::NAN);
        let ratios: Vec<f64> = workers.one.iter().zip(&workers.two).map(|(one, two)| one / two).collect();
        let (one, two, rate) = (of(&workers.one), of(&workers.two), of(&workers.iterations_a_second));
        let peak = workers.peak_mib.iter().copied().fold(f64::NAN, f64::max);
        let (ratio, rate) = (of(&ratios), grouped(rate.round() as u64));
        let _ = writeln!(text, "| {} | {one:.2} s | {two:.2} s | {ratio:.2}× | {rate} | {peak:.0} MiB |", workers.name);
    }
    if measured.cases.is_empty() {
        return text;
    }
    let _ = write!(
        text,
        "\nHow the cost grows, against the smallest case of the same round, medians of {} rounds:\n\n\
         | what grows | command | size | trial-iterations | times | search time | whole command |\n|---|---|---|---|---|---|---|\n",
        measured.cases.first().map_or(0, |case| case.search.len()),
    );
    for curve in curves(measured) {
        for point in &curve.points {
            let _ = writeln!(
                text,
                "| {} | `{}` | {} | {} | {} | {} | {} |",
                curve.growth,
                curve.command,
                size(point.size),
                grouped(point.total),
                times(point.iterations),
                times(point.search),
                times(point.whole)
            );
        }
    }
    text
}

/// The largest case of each growth, for the README.
pub(crate) fn short(measured: &Measured) -> String {
    let mut text = format!(
        "`{}`, on made-up tasks: the largest case over the smallest, medians of {} rounds:\n\n\
         | what grows | from | to | `find`: iterations | time | `check`: iterations | time |\n|---|---|---|---|---|---|---|\n",
        measured.command,
        measured.cases.first().map_or(0, |case| case.search.len()),
    );
    let curves = curves(measured);
    for find in curves.iter().filter(|curve| curve.command == "find") {
        let check = curves.iter().find(|curve| curve.growth == find.growth && curve.command == "check");
        let (Some(first), Some(last)) = (find.points.first(), find.points.last()) else { continue };
        let checked = check.and_then(|curve| curve.points.last());
        let cells = [
            find.growth.to_owned(),
            size(first.size),
            size(last.size),
            times(last.iterations),
            times(last.search),
            checked.map_or_else(String::new, |point| times(point.iterations)),
            checked.map_or_else(String::new, |point| times(point.search)),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn size(size: f64) -> String {
    if size.fract() == 0.0 { grouped(size as u64) } else { number(size) }
}

/// A multiple: `1.00×`, `12.3×`.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}×") } else { format!("{ratio:.1}×") }
}
