//! The rules themselves.

use super::read::{Reading, Settings};
use super::{Curve, Reason, Rule};
use crate::lr::LearningRate;

/// The rate that `rule` suggests for this curve, read as its tool does by default.
///
/// # Errors
/// The reason, where the rule gives no rate.
pub fn suggest(rule: Rule, curve: &Curve) -> Result<LearningRate, Reason> {
    suggest_with(rule, curve, &rule.defaults().settings)
}

/// As [`suggest`], with other smoothing or another stop than the tool's own.
///
/// # Errors
/// The reason, where the rule gives no rate.
pub fn suggest_with(rule: Rule, curve: &Curve, settings: &Settings) -> Result<LearningRate, Reason> {
    let reading = settings.read(curve.losses());
    let at = |step: usize| curve.rates()[step];
    match rule {
        Rule::FastaiMinimum => {
            let (first, losses) = fastai_part(curve, &reading, 1)?;
            let tenth = at(first + least(&losses)).get() / 10.0;
            LearningRate::new(tenth).map_err(|_| Reason::OutOfBounds(tenth))
        }
        Rule::FastaiValley => fastai_part(curve, &reading, 1).map(|(first, losses)| at(first + valley(&losses))),
        Rule::FastaiSlide => fastai_part(curve, &reading, SLIDE_STEPS + 1).map(|(first, losses)| at(first + slide(&losses))),
        Rule::FastaiSteep => {
            let (first, losses) = fastai_part(curve, &reading, 2)?;
            Ok(at(first + steep(&single(&curve.rates()[first..]), &losses)))
        }
        Rule::PytorchLrFinder => {
            let losses = trimmed(&reading.smoothed, 10, 5, 2)?;
            Ok(at(10 + least(&gradient(losses))))
        }
        Rule::LightningByStep | Rule::LightningByRate => lightning(rule, curve, &reading).map(at),
        Rule::Ignite => ignite(&reading).map(at),
        Rule::KerasLrFinder => keras(&reading).map(at),
    }
}

/// Why to distrust a rate that a rule did suggest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caveat {
    /// The loss at that rate, or at the next step, is not finite: the rule took the blow-up for a fall.
    NextToNonFinite,
    /// It lies in the first tenth of the curve, where losses mostly differ by chance.
    LowEnd,
    /// The loss never rose enough to stop the ramp, so a good rate may lie above its end.
    NoRise,
}

impl Caveat {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NextToNonFinite => "next_to_non_finite",
            Self::LowEnd => "low_end",
            Self::NoRise => "no_rise",
        }
    }

    /// The caveat in a few words.
    pub fn message(self) -> &'static str {
        match self {
            Self::NextToNonFinite => "the loss is not finite there: the rule takes the blow-up for a fall",
            Self::LowEnd => "in the first tenth of the ramp, where the loss differs by chance",
            Self::NoRise => "the loss never rose to the stop: try a higher --end",
        }
    }
}

/// What speaks against the `rate` that `rule` suggests for this curve, the gravest first.
pub fn caveat(rule: Rule, curve: &Curve, settings: &Settings, rate: LearningRate) -> Option<Caveat> {
    let Reading { smoothed, stopped } = settings.read(curve.losses());
    // A tenth of the lowest loss's rate lies a decade below it.
    let pointed = if rule == Rule::FastaiMinimum { rate.get() * 10.0 } else { rate.get() };
    let step = curve.rates().iter().position(|r| r.get() >= pointed * (1.0 - 1e-9))?;
    let lost = smoothed.iter().skip(step).take(2).any(|loss| !loss.is_finite());
    let low = step <= curve.rates().len() / 10;
    let ran_out = !stopped && smoothed.iter().all(|loss| loss.is_finite());
    [(lost, Caveat::NextToNonFinite), (low, Caveat::LowEnd), (ran_out, Caveat::NoRise)]
        .into_iter()
        .find_map(|(holds, caveat)| holds.then_some(caveat))
}

/// Steps over which `slide` compares slopes, and by how much they must differ.
const SLIDE_STEPS: usize = 15;
const SLIDE_THRESHOLD: f32 = 0.005;

/// Steps over which keras_lr_finder takes a difference where its README asks it for a rate.
const KERAS_STEPS: usize = 4;

/// The position of the lowest value, or of the first NaN if there is one, as in NumPy and PyTorch. Among equals the first.
fn least<T: PartialOrd>(values: &[T]) -> usize {
    let mut least = 0;
    for (k, value) in values.iter().enumerate() {
        // Only a NaN does not equal itself.
        if value.partial_cmp(value).is_none() {
            return k;
        }
        if *value < values[least] {
            least = k;
        }
    }
    least
}

/// `values` without the first `skip_begin` and the last `skip_end`, if at least `needed` are left.
fn trimmed<T>(values: &[T], skip_begin: usize, skip_end: usize, needed: usize) -> Result<&[T], Reason> {
    let end = values.len().saturating_sub(skip_end);
    let left = &values[skip_begin.min(end)..end];
    if left.len() < needed { Err(Reason::TooFewPoints { points: left.len(), needed }) } else { Ok(left) }
}

/// Differences by step: half that of the two neighbours, at the ends that to the only one.
fn gradient<T>(values: &[T]) -> Vec<T>
where
    T: Copy + std::ops::Sub<Output = T> + std::ops::Div<Output = T> + From<u8>,
{
    let last = values.len() - 1;
    let slope = |k: usize| match k {
        0 => values[1] - values[0],
        k if k == last => values[k] - values[k - 1],
        k => (values[k + 1] - values[k - 1]) / T::from(2),
    };
    (0..=last).map(slope).collect()
}

fn single(rates: &[LearningRate]) -> Vec<f32> {
    rates.iter().map(|rate| rate.get() as f32).collect()
}

/// What fastai's rules look at, and the step where that begins: without the first tenth of the planned steps, the last five, and
/// all from the first NaN on.
fn fastai_part(curve: &Curve, reading: &Reading, needed: usize) -> Result<(usize, Vec<f32>), Reason> {
    let first = curve.rates().len() / 10;
    let left = trimmed(&reading.smoothed, first, 5, needed)?;
    let finite: Vec<f32> = left.iter().take_while(|loss| !loss.is_nan()).map(|loss| *loss as f32).collect();
    if finite.len() < needed { Err(Reason::NotFinite) } else { Ok((first, finite)) }
}

fn valley(losses: &[f32]) -> usize {
    let mut lengths = vec![1usize; losses.len()];
    for i in 1..losses.len() {
        let longest = (0..i).filter(|&j| losses[i] < losses[j]).map(|j| lengths[j]).max();
        lengths[i] = 1 + longest.unwrap_or(0);
    }
    let end = (0..losses.len()).rev().max_by_key(|&i| lengths[i]).unwrap_or(0);
    if end == 0 {
        return 0;
    }
    // As if the subsequence had no gaps: on a noisy curve it begins earlier.
    let start = end as f64 - lengths[end] as f64;
    let third = (end as f64 - start) / 3.0;
    let index = start + third.floor() + (third / 2.0).floor();
    // An index of −1, which a curve of two points gives, means the last.
    if index < 0.0 { losses.len() - 1 } else { index as usize }
}

fn slide(losses: &[f32]) -> usize {
    let slopes = gradient(losses);
    let mut left = losses.len() - 1 - SLIDE_STEPS;
    let mut found = left;
    // An absolute difference: the answer depends on the scale of the loss.
    while (slopes[left + SLIDE_STEPS] - slopes[left]).abs() > SLIDE_THRESHOLD {
        found = left;
        let Some(next) = left.checked_sub(1) else { break };
        left = next;
    }
    found
}

fn steep(rates: &[f32], losses: &[f32]) -> usize {
    let slopes = losses.windows(2).zip(rates.windows(2)).map(|(l, r)| (l[1] - l[0]) / (r[1].ln() - r[0].ln()));
    least(&slopes.collect::<Vec<f32>>())
}

fn lightning(rule: Rule, curve: &Curve, reading: &Reading) -> Result<usize, Reason> {
    let losses = trimmed(&reading.smoothed, 10, 1, 2)?;
    let finite: Vec<usize> = (0..losses.len()).filter(|&k| (losses[k] as f32).is_finite()).collect();
    if finite.len() < 2 {
        return Err(Reason::NotFinite);
    }
    let rates: Vec<f32> = finite.iter().map(|&k| curve.rates()[10 + k].get() as f32).collect();
    let losses: Vec<f32> = finite.iter().map(|&k| losses[k] as f32).collect();
    let slopes = if rule == Rule::LightningByRate { gradient_by(&rates, &losses) } else { gradient(&losses) };
    Ok(10 + finite[least(&slopes)])
}

/// Second-order differences by unevenly spaced `x`, in PyTorch's order of operations: neighbouring rates are so close together at
/// the low end that rounding decides there.
fn gradient_by(x: &[f32], y: &[f32]) -> Vec<f32> {
    let last = x.len() - 1;
    let slope = |k: usize| match k {
        0 => (y[1] - y[0]) / (x[1] - x[0]),
        k if k == last => (y[k] - y[k - 1]) / (x[k] - x[k - 1]),
        k => {
            let (before, after) = (x[k] - x[k - 1], x[k + 1] - x[k]);
            let a = -after / (before * (before + after));
            let b = (after - before) / (before * after);
            let c = before / (after * (before + after));
            a * y[k - 1] + b * y[k] + c * y[k + 1]
        }
    };
    (0..=last).map(slope).collect()
}

fn ignite(reading: &Reading) -> Result<usize, Reason> {
    let losses: Vec<f32> = reading.smoothed.iter().map(|loss| *loss as f32).collect();
    // A NaN passes for the minimum, and the fall towards it for the steepest.
    let lowest = least(&losses);
    if losses.len() < 3 {
        return Err(Reason::TooFewPoints { points: losses.len(), needed: 3 });
    }
    if lowest < 2 {
        return Err(if losses[lowest].is_nan() { Reason::NotFinite } else { Reason::NotUShaped });
    }
    let slopes: Vec<f32> = (1..lowest).map(|k| 0.5 * (losses[k + 1] - losses[k - 1])).collect();
    Ok(1 + least(&slopes))
}

fn keras(reading: &Reading) -> Result<usize, Reason> {
    let losses = &reading.smoothed;
    let change = |k: usize| if k < KERAS_STEPS { 0.0 } else { (losses[k] - losses[k - KERAS_STEPS]) / KERAS_STEPS as f64 };
    let changes: Vec<f64> = (0..losses.len()).map(change).collect();
    trimmed(&changes, 10, 5, 1).map(|left| 10 + least(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_passes_for_the_least() {
        assert_eq!(least(&[3.0, 1.0, 1.0, 2.0]), 1);
        assert_eq!(least(&[3.0, 1.0, f64::NAN, 0.0, f64::NAN]), 2);
    }

    #[test]
    fn the_valley_of_a_falling_line_is_its_middle() {
        let line: Vec<f32> = (0..30).map(|k| 30.0 - k as f32).collect();
        assert_eq!(valley(&line), 14);
        assert_eq!(valley(&[1.0, 2.0, 3.0]), 0);
        assert_eq!(valley(&[2.0, 1.0]), 1);
    }

    #[test]
    fn the_slope_by_rate_is_exact_on_a_parabola() {
        let x = [1.0f32, 2.0, 4.0, 8.0];
        let y: Vec<f32> = x.iter().map(|x| x * x).collect();
        assert_eq!(gradient_by(&x, &y), [3.0, 4.0, 8.0, 12.0]);
        assert_eq!(gradient(&y), [3.0, 7.5, 30.0, 48.0]);
    }

    #[test]
    fn what_is_left_of_a_short_curve_is_counted() {
        let curve = Curve::new(vec![LearningRate::new(0.1).unwrap(); 12], vec![1.0; 12]);
        for (rule, points, needed) in [(Rule::PytorchLrFinder, 0, 2), (Rule::LightningByStep, 1, 2), (Rule::FastaiSlide, 6, 16)]
        {
            assert_eq!(suggest(rule, &curve), Err(Reason::TooFewPoints { points, needed }), "{rule:?}");
        }
    }
}
