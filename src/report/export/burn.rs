//! burn.

use super::{Numbers, describe, formula, literal};
use crate::report::ScheduleReport;
use crate::schedule::Decay;

/// The highest rate that burn's linear, cosine and exponential schedulers accept.
const BURN_MAX: f64 = 1.0;

/// burn's own schedulers, one after the other where there is a warm-up or a constant end.
pub(super) fn render(schedule: &ScheduleReport) -> String {
    let phases = phases(schedule);
    let head = comments(schedule, &phases);
    let kinds: Vec<_> = phases.iter().map(|phase| phase.kind).collect();
    if let [only] = phases.as_slice() {
        // A number is a scheduler by itself.
        let init = if only.kind == "Constant" { "" } else { ".init()?" };
        return format!("{head}{}let scheduler = {}{init};\n", imports(&kinds), only.config);
    }
    let configs: Vec<_> =
        phases.iter().map(|phase| format!("        LrSchedulerConfig::{}({}),\n", phase.kind, phase.config)).collect();
    let ends: Vec<_> = phases.iter().filter_map(|phase| phase.end).map(|end| end.to_string()).collect();
    format!(
        "{head}{}let scheduler = SequentialLrSchedulerConfig::new(\n    vec![\n{}    ],\n    vec![{}],\n)\n.init()?;\n",
        imports(&kinds),
        configs.concat(),
        ends.join(", ")
    )
}

/// What to know before pasting.
fn comments(schedule: &ScheduleReport, phases: &[Phase]) -> String {
    let mut lines = vec![
        describe(schedule),
        "Call scheduler.step() before every optimizer step: it counts iterations, not epochs.".to_owned(),
    ];
    if matches!(schedule.shape.decay, Decay::Step { .. }) && Numbers::of(&schedule.shape).every.contains('.') {
        lines.push("burn steps after whole iterations only, so the steps below are rounded.".to_owned());
    }
    if schedule.initial > BURN_MAX && phases.iter().any(|phase| phase.bounded) {
        lines.push(
            "WARNING: burn's linear, cosine and exponential schedulers refuse rates above 1, so init() fails here.".to_owned(),
        );
        lines.push(
            "Compute the rate in your training loop instead, k counted from 0, and pass it to optimizer.step():".to_owned(),
        );
        lines.push(formula(schedule));
    }
    lines.iter().map(|line| format!("// {line}\n")).collect::<Vec<_>>().concat()
}

/// One of burn's schedulers and the iteration at which the next one takes over.
struct Phase {
    /// The variant of burn's `LrSchedulerConfig`.
    kind: &'static str,
    config: String,
    /// Whether burn refuses rates above [`BURN_MAX`] here.
    bounded: bool,
    end: Option<u64>,
}

fn phases(schedule: &ScheduleReport) -> Vec<Phase> {
    let initial = literal(schedule.initial);
    let Numbers { warmup, span, every } = Numbers::of(&schedule.shape);
    let decay_end = warmup.saturating_add(span);
    let constant = |rate: f64, end| Phase { kind: "Constant", config: literal(rate), bounded: false, end };
    let mut phases = match warmup {
        0 => vec![],
        1 => vec![constant(schedule.initial, Some(1))],
        _ => vec![Phase {
            kind: "Linear",
            config: format!(
                "LinearLrSchedulerConfig::new({}, {initial}, {})",
                literal(schedule.initial / warmup as f64),
                warmup - 1
            ),
            bounded: true,
            end: Some(warmup),
        }],
    };
    match schedule.shape.decay {
        Decay::Constant => phases.push(constant(schedule.initial, None)),
        Decay::Linear { final_fraction } => phases.push(Phase {
            kind: "Linear",
            config: format!("LinearLrSchedulerConfig::new({initial}, {}, {span})", literal(schedule.initial * final_fraction)),
            bounded: true,
            end: None,
        }),
        // burn's cosine and exponential run on after τ, hence the constant end.
        Decay::Cosine { final_fraction } => {
            let last = schedule.initial * final_fraction;
            phases.push(Phase {
                kind: "Cosine",
                config: format!("CosineAnnealingLrSchedulerConfig::new({initial}, {span}).with_min_lr({})", literal(last)),
                bounded: true,
                end: Some(decay_end),
            });
            phases.push(constant(last, None));
        }
        Decay::Exponential { final_fraction } => {
            // The n-th root to full precision: it is raised to the n-th power again.
            let gamma = final_fraction.powf(1.0 / span as f64);
            phases.push(Phase {
                kind: "Exponential",
                config: format!("ExponentialLrSchedulerConfig::new({initial}, {gamma:?})"),
                bounded: true,
                end: Some(decay_end),
            });
            phases.push(constant(schedule.initial * final_fraction, None));
        }
        Decay::Step { factor, .. } => {
            let whole = every.parse::<f64>().map_or(1.0, |every| every.round().max(1.0));
            phases.push(Phase {
                kind: "Step",
                config: format!("StepLrSchedulerConfig::new({initial}, {whole}).with_gamma({})", literal(factor)),
                bounded: false,
                end: None,
            });
        }
    }
    phases
}

/// The `use` lines for these variants.
fn imports(kinds: &[&str]) -> String {
    let paths = [
        ("Cosine", "cosine::CosineAnnealingLrSchedulerConfig"),
        ("Exponential", "exponential::ExponentialLrSchedulerConfig"),
        ("Linear", "linear::LinearLrSchedulerConfig"),
        ("Step", "step::StepLrSchedulerConfig"),
    ];
    let mut names: Vec<&str> = paths.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, path)| *path).collect();
    if kinds.len() > 1 {
        names.extend(["sequential::SequentialLrSchedulerConfig", "LrSchedulerConfig"]);
    }
    match names.as_slice() {
        [] => String::new(),
        [only] => format!("use burn::lr_scheduler::{only};\n\n"),
        several => format!("use burn::lr_scheduler::{{\n    {},\n}};\n\n", several.join(",\n    ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use super::*;

    #[test]
    fn a_plain_linear_decay_is_one_scheduler() {
        let text = render(&with(Decay::Linear { final_fraction: 0.01 }, 0));
        assert!(text.contains("use burn::lr_scheduler::linear::LinearLrSchedulerConfig;\n"), "{text}");
        assert!(text.ends_with("let scheduler = LinearLrSchedulerConfig::new(0.12, 0.0012, 9000).init()?;\n"), "{text}");
        assert!(!text.contains("WARNING"), "{text}");
    }

    #[test]
    fn a_warm_up_and_a_constant_end_are_phases_of_their_own() {
        let text = render(&with(Decay::Cosine { final_fraction: 0.01 }, 20));
        assert!(text.contains("LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(0.006, 0.12, 19)),\n"), "{text}");
        assert!(text.contains("CosineAnnealingLrSchedulerConfig::new(0.12, 8980).with_min_lr(0.0012)),\n"), "{text}");
        assert!(text.contains("LrSchedulerConfig::Constant(0.0012),\n    ],\n    vec![20, 9000],\n"), "{text}");
    }

    #[test]
    fn warns_of_rates_that_burn_refuses() {
        let mut schedule = with(Decay::Linear { final_fraction: 0.01 }, 0);
        schedule.initial = 2.5;
        let text = render(&schedule);
        assert!(text.contains("refuse rates above 1"), "{text}");
        assert!(text.contains("2.5 * (1 - a * (1 - 0.01)), a = min(k / 9000, 1)"), "{text}");
        schedule.shape.decay = Decay::Constant;
        assert!(!render(&schedule).contains("WARNING"));
    }
}
