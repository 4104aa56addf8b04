//! `lrfind analyze`.

use std::path::Path;

use lrfind::curves;
use lrfind::report::summary::{self, Context};
use lrfind::report::{json, plots};
use lrfind::study::Analysis;

use super::args::{AnalyzeArgs, FindFormat};
use super::exit::Exit;
use super::output;

pub(crate) fn run(args: &AnalyzeArgs) -> anyhow::Result<Exit> {
    // Sorted, so that the report does not depend on the order in which the shell lists files.
    let mut sources: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
    sources.sort();
    let name = name(&sources);
    let dir = args.out.clone().unwrap_or_else(|| Path::new("reports").join(&name));
    let mut analysis = Analysis { sources, columns: args.columns(), iterations: args.iterations, ..Analysis::new(name) };
    analysis.safety = args.safety.unwrap_or(analysis.safety);
    let recording = curves::read(&args.paths, &analysis.columns, analysis.most_losses())?;
    let report = analysis.of(&recording);
    output::prepare(&dir)?;
    let (files, saved) = output::save_report(&report, plots::all(&report), &dir);
    output::print(&match args.format {
        FindFormat::Json => json::render(&report)?,
        FindFormat::Text => {
            let colour = output::colour(&std::io::stdout());
            summary::render(&report, &Context { colour, config: None, files: &files })
        }
    })?;
    saved.map(|()| Exit::of_find(&report))
}

/// The name of the first path, without its endings.
fn name(sources: &[String]) -> String {
    let first = sources.first().map_or(Path::new(""), Path::new);
    let file = first.file_name().unwrap_or_default().to_string_lossy();
    let file = file.strip_suffix(".gz").unwrap_or(&file);
    let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if stem.is_empty() || stem == curves::STDIN { "curves".to_owned() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_named_after_the_first_path() {
        let named = |path: &str| name(&[path.to_owned()]);
        assert_eq!([named("a/b.csv.gz"), named("runs/"), named("b.tar.jsonl"), named("x")], ["b", "runs", "b.tar", "x"]);
        assert_eq!([named("-"), named(".."), name(&[])], ["curves", "curves", "curves"]);
    }
}
