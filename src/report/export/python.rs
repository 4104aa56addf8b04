//! PyTorch, Keras and Optax.

use super::{Numbers, describe, literal};
use crate::report::ScheduleReport;
use crate::schedule::{Decay, Schedule};

/// A `LambdaLR`, whose function is ours word for word.
pub(super) fn pytorch(schedule: &ScheduleReport) -> String {
    let shape = &schedule.shape;
    let import = if matches!(shape.decay, Decay::Constant | Decay::Linear { .. } | Decay::Exponential { .. }) {
        ""
    } else {
        "import math\n"
    };
    let Numbers { warmup, .. } = Numbers::of(shape);
    let rise = if warmup == 0 { String::new() } else { format!("    if k < {warmup}:\n        return (k + 1) / {warmup}\n") };
    let decay = python_decay(shape);
    format!(
        "# {}\n# Call scheduler.step() after every optimizer.step(): it counts iterations, not epochs.\n\
         {import}from torch.optim.lr_scheduler import LambdaLR\n\n\
         INITIAL = {}  # the rate to give the optimizer: lr=INITIAL\n\n\n\
         def factor(k):\n    \"\"\"The multiplier of INITIAL at iteration k, counted from 0.\"\"\"\n{rise}{decay}\n\n\
         scheduler = LambdaLR(optimizer, lr_lambda=factor)\n",
        describe(schedule),
        literal(schedule.initial),
    )
}

/// Keras's own schedule where it is exact for every iteration, a subclass where it is not: its warm-up starts elsewhere and
/// its exponential decay does not stop at τ.
pub(super) fn keras(schedule: &ScheduleReport) -> String {
    let head = format!(
        "# {}\n# Pass it to the optimizer: keras.optimizers.SGD(learning_rate=schedule). It counts iterations, not epochs.\n\
         import keras\n\n",
        describe(schedule)
    );
    let initial = literal(schedule.initial);
    let Numbers { warmup, span, every } = Numbers::of(&schedule.shape);
    let own = match schedule.shape.decay {
        _ if warmup > 0 => None,
        Decay::Constant => Some(format!("schedule = {initial}\n")),
        Decay::Linear { final_fraction } => Some(format!(
            "schedule = keras.optimizers.schedules.PolynomialDecay(\n    initial_learning_rate={initial},\n    \
             decay_steps={span},\n    end_learning_rate={},\n    power=1.0,\n)\n",
            literal(schedule.initial * final_fraction)
        )),
        Decay::Cosine { final_fraction } => Some(format!(
            "schedule = keras.optimizers.schedules.CosineDecay(\n    initial_learning_rate={initial},\n    \
             decay_steps={span},\n    alpha={},\n)\n",
            literal(final_fraction)
        )),
        Decay::Step { factor, .. } => Some(format!(
            "schedule = keras.optimizers.schedules.ExponentialDecay(\n    initial_learning_rate={initial},\n    \
             decay_steps={every},\n    decay_rate={},\n    staircase=True,\n)\n",
            literal(factor)
        )),
        Decay::Exponential { .. } => None,
    };
    head + &own.unwrap_or_else(|| keras_subclass(&schedule.shape, &initial))
}

fn keras_subclass(shape: &Schedule, initial: &str) -> String {
    let Numbers { warmup, span, every } = Numbers::of(shape);
    let passed = after_warmup(warmup);
    let clipped = format!("        a = keras.ops.clip({passed} / {span}, 0.0, 1.0)\n");
    let (prepare, factor) = match shape.decay {
        Decay::Constant => (String::new(), "1.0".to_owned()),
        Decay::Linear { final_fraction } => (clipped, linear(final_fraction)),
        Decay::Cosine { final_fraction } => (clipped, cosine(final_fraction, "keras.ops.cos", "3.141592653589793")),
        Decay::Exponential { final_fraction } => (clipped, format!("{} ** a", literal(final_fraction))),
        Decay::Step { factor, .. } => (
            format!("        steps = keras.ops.maximum(keras.ops.floor({passed} / {every}), 0.0)\n"),
            format!("{} ** steps", literal(factor)),
        ),
    };
    let result = if warmup == 0 {
        format!("        return {initial} * ({factor})\n")
    } else {
        format!("        return {initial} * keras.ops.where(k < {warmup}, (k + 1.0) / {warmup}, {factor})\n")
    };
    format!(
        "class Schedule(keras.optimizers.schedules.LearningRateSchedule):\n    def __call__(self, step):\n        \
         k = keras.ops.cast(step, \"float32\")\n{prepare}{result}\n    def get_config(self):\n        return {{}}\n\n\n\
         schedule = Schedule()\n"
    )
}

/// Optax's own schedules, joined to a warm-up where there is one; all are exact.
pub(super) fn optax(schedule: &ScheduleReport) -> String {
    let initial = literal(schedule.initial);
    let Numbers { warmup, span, every } = Numbers::of(&schedule.shape);
    let decay = match schedule.shape.decay {
        Decay::Constant => format!("optax.constant_schedule({initial})"),
        Decay::Linear { final_fraction } => format!(
            "optax.linear_schedule(init_value={initial}, end_value={}, transition_steps={span})",
            literal(schedule.initial * final_fraction)
        ),
        Decay::Cosine { final_fraction } => {
            format!("optax.cosine_decay_schedule(init_value={initial}, decay_steps={span}, alpha={})", literal(final_fraction))
        }
        Decay::Step { factor, .. } => format!(
            "optax.exponential_decay(init_value={initial}, transition_steps={every}, decay_rate={}, staircase=True)",
            literal(factor)
        ),
        Decay::Exponential { final_fraction } => format!(
            "optax.exponential_decay(init_value={initial}, transition_steps={span}, decay_rate={}, end_value={})",
            literal(final_fraction),
            literal(schedule.initial * final_fraction)
        ),
    };
    let body = if warmup == 0 {
        format!("schedule = {decay}\n")
    } else {
        format!(
            "warmup = optax.linear_schedule(init_value={}, end_value={initial}, transition_steps={})\n\
             decay = {decay}\n\
             schedule = optax.join_schedules([warmup, decay], boundaries=[{warmup}])\n",
            literal(schedule.initial / warmup as f64),
            warmup - 1
        )
    };
    format!(
        "# {}\n# Pass it to the optimizer: optax.sgd(learning_rate=schedule). It counts updates, not epochs.\n\
         import optax\n\n{body}",
        describe(schedule)
    )
}

/// The indented lines that return the decay's factor at iteration `k`.
fn python_decay(shape: &Schedule) -> String {
    let Numbers { warmup, span, every } = Numbers::of(shape);
    let passed = after_warmup(warmup);
    let share = format!("    a = min({passed} / {span}, 1.0)\n");
    match shape.decay {
        Decay::Constant => "    return 1.0\n".to_owned(),
        Decay::Linear { final_fraction } => format!("{share}    return {}\n", linear(final_fraction)),
        Decay::Cosine { final_fraction } => {
            format!("{share}    return {}\n", cosine(final_fraction, "math.cos", "math.pi"))
        }
        Decay::Exponential { final_fraction } => format!("{share}    return {} ** a\n", literal(final_fraction)),
        Decay::Step { factor, .. } => format!("    return {} ** math.floor({passed} / {every})\n", literal(factor)),
    }
}

fn after_warmup(warmup: u64) -> String {
    if warmup == 0 { "k".to_owned() } else { format!("(k - {warmup})") }
}

fn linear(final_fraction: f64) -> String {
    format!("1.0 - a * (1.0 - {})", literal(final_fraction))
}

fn cosine(final_fraction: f64, cos: &str, pi: &str) -> String {
    let last = literal(final_fraction);
    format!("{last} + (1.0 - {last}) * 0.5 * (1.0 + {cos}({pi} * a))")
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use super::*;

    #[test]
    fn pytorch_spells_the_formula_out() {
        let text = pytorch(&with(Decay::Linear { final_fraction: 0.01 }, 20));
        assert!(text.contains("INITIAL = 0.12 "), "{text}");
        assert!(
            text.contains(
                "    if k < 20:\n        return (k + 1) / 20\n    a = min((k - 20) / 8980, 1.0)\n    return 1.0 - a * (1.0 - 0.01)\n"
            ),
            "{text}"
        );
        assert!(!text.contains("import math"), "{text}");
        let text = pytorch(&with(Decay::Cosine { final_fraction: 0.0 }, 0));
        assert!(text.contains("import math\n") && text.contains("    a = min(k / 9000, 1.0)\n"), "{text}");
    }

    #[test]
    fn keras_uses_its_own_schedule_only_where_that_is_exact() {
        let own = |decay, warmup| !keras(&with(decay, warmup)).contains("class Schedule");
        assert!(own(Decay::Linear { final_fraction: 0.01 }, 0));
        assert!(!own(Decay::Linear { final_fraction: 0.01 }, 5));
        assert!(own(Decay::Cosine { final_fraction: 0.01 }, 0));
        assert!(!own(Decay::Exponential { final_fraction: 0.01 }, 0));
        assert!(keras(&with(Decay::Linear { final_fraction: 0.01 }, 0)).contains("end_learning_rate=0.0012,\n"));
    }

    #[test]
    fn optax_joins_a_warm_up_that_starts_at_one_step() {
        let text = optax(&with(Decay::Linear { final_fraction: 0.01 }, 20));
        assert!(
            text.contains("warmup = optax.linear_schedule(init_value=0.006, end_value=0.12, transition_steps=19)"),
            "{text}"
        );
        assert!(text.contains("transition_steps=8980)") && text.contains("boundaries=[20])"), "{text}");
        assert!(!optax(&with(Decay::Constant, 0)).contains("join"));
    }
}
