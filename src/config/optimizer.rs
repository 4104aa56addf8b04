//! The `optimizer` of `[training]`: a name, or a table.

use super::plan::{OptimizerPlan, UpdateRule};
use super::section::{LARGE, Section, above_zero_to};

/// The default of momentum where the optimizer's name asks for it.
const USUAL_MOMENTUM: f64 = 0.9;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sgd,
    Momentum,
    Nesterov,
    Adam,
    AdamW,
    RmsProp,
    Adagrad,
    Lion,
}

/// The names of the rules, as configs write them.
const KINDS: &[(&str, Kind)] = &[
    ("sgd", Kind::Sgd),
    ("momentum", Kind::Momentum),
    ("nesterov", Kind::Nesterov),
    ("adam", Kind::Adam),
    ("adamw", Kind::AdamW),
    ("rmsprop", Kind::RmsProp),
    ("adagrad", Kind::Adagrad),
    ("lion", Kind::Lion),
];

/// Reads the section; plain SGD where it is absent, `None` where its kind is not known.
pub(crate) fn read(mut section: Section<'_>) -> Option<OptimizerPlan> {
    let kind = if section.has("kind") {
        section.variant("kind", KINDS)
    } else {
        section.note_variant("kind", "sgd");
        Some(Kind::Sgd)
    };
    let plan = kind.map(|kind| plan(&mut section, kind));
    section.finish();
    plan
}

fn plan(section: &mut Section<'_>, kind: Kind) -> OptimizerPlan {
    let rule = match kind {
        Kind::Sgd | Kind::Momentum | Kind::Nesterov => sgd(section, kind),
        // The constants of the paper's algorithm 1.
        Kind::Adam | Kind::AdamW => UpdateRule::Adam {
            beta1: share(section, "beta1", 0.9),
            beta2: share(section, "beta2", 0.999),
            epsilon: epsilon(section, 1e-8),
        },
        Kind::RmsProp => UpdateRule::RmsProp {
            alpha: share(section, "alpha", 0.99),
            epsilon: epsilon(section, 1e-8),
            momentum: share(section, "momentum", 0.0),
        },
        Kind::Adagrad => UpdateRule::Adagrad { epsilon: epsilon(section, 1e-10) },
        Kind::Lion => UpdateRule::Lion { beta1: share(section, "beta1", 0.9), beta2: share(section, "beta2", 0.99) },
    };
    let usual_decay = if kind == Kind::AdamW { 0.01 } else { 0.0 };
    let weight_decay = section.number("weight-decay", 0.0..=LARGE).unwrap_or(usual_decay);
    let decoupled = section.boolean("decoupled").unwrap_or(matches!(kind, Kind::AdamW | Kind::Lion));
    if kind == Kind::AdamW && !decoupled {
        section.complain(
            "decoupled",
            "adamw is Adam with decoupled weight decay, and cannot be without",
            "write `kind = \"adam\"` for weight decay through the gradient, or remove `decoupled`",
        );
    }
    OptimizerPlan { rule, weight_decay, decoupled }
}

fn sgd(section: &mut Section<'_>, kind: Kind) -> UpdateRule {
    let usual = if kind == Kind::Sgd { 0.0 } else { USUAL_MOMENTUM };
    let momentum = share(section, "momentum", usual);
    // Where the name has settled it, the key `nesterov` is left for the section to refuse.
    let flag = if kind == Kind::Sgd { section.boolean("nesterov") } else { None };
    let nesterov = flag.unwrap_or(kind == Kind::Nesterov);
    let dampening = if kind == Kind::Nesterov { 0.0 } else { share(section, "dampening", 0.0) };
    if momentum == 0.0 && (nesterov || kind == Kind::Momentum) {
        let key = if section.has("momentum") { "momentum" } else { "nesterov" };
        section.complain(
            key,
            "this optimizer needs a momentum above 0",
            format!("write `momentum = {USUAL_MOMENTUM}`, or `kind = \"sgd\"` alone"),
        );
    } else if dampening > 0.0 && nesterov {
        section.complain(
            "dampening",
            "nesterov momentum is defined without dampening only",
            "write `dampening = 0`, or `nesterov = false`",
        );
    } else if dampening > 0.0 && momentum == 0.0 {
        section.complain(
            "dampening",
            "dampening does nothing without momentum",
            format!("write `momentum = {USUAL_MOMENTUM}` too, or remove `dampening`"),
        );
    }
    UpdateRule::Sgd { momentum, dampening, nesterov }
}

/// The weight of the past in a running average: from 0 to below 1.
fn share(section: &mut Section<'_>, key: &'static str, default: f64) -> f64 {
    section.number(key, 0.0..1.0).unwrap_or(default)
}

/// What is added to a denominator.
fn epsilon(section: &mut Section<'_>, default: f64) -> f64 {
    section.number("epsilon", above_zero_to(1.0)).unwrap_or(default)
}
