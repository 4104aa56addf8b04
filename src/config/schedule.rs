//! The `schedule` of `[training]`: a name, or a table.

use super::section::{Section, above_zero_to};
use crate::schedule::Decay;

/// Most epochs of a run.
pub(crate) const MOST_EPOCHS: f64 = 1e6;
/// Most iterations of warm-up.
const MOST_WARMUP: u64 = 1_000_000_000;
/// ε_τ ≈ 1 % of ε₀: Goodfellow, Bengio, Courville, *Deep Learning*, section 8.3.1.
pub(crate) const USUAL_FINAL_FRACTION: f64 = 0.01;

/// What the section says.
pub(crate) struct SchedulePlan {
    pub(crate) decay: Decay,
    pub(crate) decay_epochs: Option<f64>,
    pub(crate) warmup_iterations: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Constant,
    Linear,
    Cosine,
    Step,
    Exponential,
}

const KINDS: &[(&str, Kind)] = &[
    ("constant", Kind::Constant),
    ("linear", Kind::Linear),
    ("cosine", Kind::Cosine),
    ("step", Kind::Step),
    ("exponential", Kind::Exponential),
];

/// Reads the section for a run of `epochs`; linear decay where it is absent, `None` where its kind is not known.
pub(crate) fn read(mut section: Section<'_>, epochs: f64) -> Option<SchedulePlan> {
    let kind = if section.has("kind") {
        section.variant("kind", KINDS)
    } else {
        section.note_variant("kind", "linear");
        Some(Kind::Linear)
    };
    let plan = kind.map(|kind| plan(&mut section, kind, epochs));
    section.finish();
    plan
}

fn plan(section: &mut Section<'_>, kind: Kind, epochs: f64) -> SchedulePlan {
    let decay = match kind {
        Kind::Constant => Decay::Constant,
        Kind::Linear => {
            let final_fraction = section.number("final-fraction", 0.0..=1.0).unwrap_or(USUAL_FINAL_FRACTION);
            Decay::Linear { final_fraction }
        }
        Kind::Cosine => Decay::Cosine { final_fraction: section.number("final-fraction", 0.0..=1.0).unwrap_or(0.0) },
        Kind::Step => Decay::Step {
            factor: section.number("factor", above_zero_to(1.0)).unwrap_or(0.1),
            every_epochs: section.number("every-epochs", above_zero_to(MOST_EPOCHS)).unwrap_or(epochs / 3.0),
        },
        // A geometric fall never reaches 0.
        Kind::Exponential => {
            let final_fraction = section.number("final-fraction", above_zero_to(1.0)).unwrap_or(USUAL_FINAL_FRACTION);
            Decay::Exponential { final_fraction }
        }
    };
    let decay_epochs = match kind {
        Kind::Constant | Kind::Step => None,
        Kind::Linear | Kind::Cosine | Kind::Exponential => section.number("decay-epochs", above_zero_to(MOST_EPOCHS)),
    };
    let warmup_iterations = section.integer("warmup-iterations", 0..=MOST_WARMUP).unwrap_or(0);
    SchedulePlan { decay, decay_epochs, warmup_iterations }
}
