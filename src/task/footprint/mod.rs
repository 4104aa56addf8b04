//! What trials take of the machine: how many are under way at once, and whether one fits at all.

mod machine;
mod room;

use super::{TaskError, optimizer};
use crate::config::Plan;
use machine::Machine;
pub(crate) use room::{Reserved, Room};

/// Lanes are stacked while what they touch in a step fits so many times a core's second-level cache. Measured with burn-flex on
/// cores that have 1 MiB of it, at batch size 32: a 64-64-64-10 MLP gains up to 16 lanes (2.7 times as fast as one), a
/// 64-128-128-10 one up to about 8 (1.7 times), and a 784-256-128-1 one, at batch size 64, loses from the second lane on.
const CACHES: u64 = 4;

/// The second-level cache of a core, in bytes, where the system does not tell: that of the cores which were measured.
const USUAL_CACHE: u64 = 1 << 20;

/// More lanes than this gain nothing even for the smallest model.
const MOST_LANES: usize = 16;

/// The memory that data and trials may take, in bytes, where nobody says otherwise and the machine has more.
const MOST_BYTES: u64 = 8 << 30;

/// What the trials of a task may take of the machine. The default is what suits it. Nothing here changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Bytes of memory for data and trials; `None` for 8 GiB, or what the machine or this process's control group has if that is
    /// less.
    pub memory: Option<u64>,
    /// Most trials stacked into one computation; `None` for as many as gain by it.
    pub lanes: Option<usize>,
    /// Worker threads; `None` for one on each core.
    pub workers: Option<usize>,
}

/// Why no more trials are stacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// More would gain nothing, however small the model.
    Gain,
    /// More would not fit the cache.
    Cache,
    /// More would not fit the memory.
    Memory,
    /// The caller wants no more.
    Asked,
}

/// What the trials of a task take of the machine, and why so much. Bytes are estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Most trials stacked into one computation.
    pub lanes: usize,
    /// Why no more.
    pub bound: Bound,
    /// Worker threads that there is memory for, at most as many as were wanted.
    pub workers: usize,
    /// Worker threads that were wanted.
    pub workers_wanted: usize,
    /// Bytes that one trial touches in a step.
    pub step: u64,
    /// Bytes that one trial needs, the examples left aside.
    pub trial: u64,
    /// Bytes that a finished trial keeps while there is room, so that a longer one can go on where it ended.
    pub kept: u64,
    /// Bytes of all examples, which the trials share.
    pub data: u64,
    /// Bytes that data and trials may take.
    pub allowed: u64,
    /// A core's share of the second-level cache, in bytes, where the system tells.
    pub cache: Option<u64>,
}

/// How large a task is, in floating point because a model may be asked for in any size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Numbers that are trained.
    pub(crate) parameters: f64,
    /// Inputs, intermediate results and outputs of a training step, for all examples that are computed at once.
    pub(crate) values: f64,
    /// What is in memory at once where only the loss of some examples is wanted.
    pub(crate) evaluated: f64,
    /// Bytes of all examples.
    pub(crate) data: u64,
}

impl Footprint {
    /// Bytes of the examples and of all trials that are under way at once, at most; what finished ones keep comes on top.
    pub fn total(&self) -> u64 {
        self.trial.saturating_mul(self.lanes as u64).saturating_mul(self.workers as u64).saturating_add(self.data)
    }

    /// Bytes that the lanes of a worker may touch in a step, so that stacking gains.
    pub fn working_set(&self) -> u64 {
        CACHES * self.cache.unwrap_or(USUAL_CACHE)
    }

    /// Where the trials of `plan`, of this size, share this machine within `limits`.
    ///
    /// # Errors
    /// When not even one fits.
    pub(super) fn new(plan: &Plan, size: Size, limits: Limits) -> Result<Self, TaskError> {
        Self::on(Machine::here(), plan, size, limits)
    }

    fn on(machine: Machine, plan: &Plan, size: Size, limits: Limits) -> Result<Self, TaskError> {
        // Parameters, the copy that burn works on, their gradients, and what the optimiser remembers.
        let bytes = |numbers: f64| (size_of::<f32>() as f64 * numbers) as u64;
        let slots = optimizer::slots(&plan.training.optimizer.rule);
        let trained = size.parameters * (3 + slots) as f64;
        let step = bytes(trained + size.values);
        let trial = bytes(trained + size.values.max(size.evaluated));
        let allowed = limits.memory.unwrap_or_else(|| machine.memory.map_or(MOST_BYTES, |all| all.min(MOST_BYTES)));
        let left = allowed.saturating_sub(size.data);
        if trial > left {
            return Err(TaskError::Unsuitable {
                message: refusal(plan, size, bytes(trained), trial, allowed),
                key_path: Vec::new(),
            });
        }
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let workers_wanted = limits.workers.unwrap_or_else(cores).max(1);
        let cache = machine.cache;
        let base = Self {
            lanes: 1,
            bound: Bound::Gain,
            workers: workers_wanted,
            workers_wanted,
            step,
            trial,
            kept: bytes(size.parameters * (1 + slots) as f64),
            data: size.data,
            allowed,
            cache,
        };
        let cached = usize::try_from(base.working_set() / step.max(1)).unwrap_or(usize::MAX).max(1);
        let (wanted, bound) = match limits.lanes {
            Some(lanes) => (lanes.max(1), Bound::Asked),
            None if cached < MOST_LANES => (cached, Bound::Cache),
            None => (MOST_LANES, Bound::Gain),
        };
        // Lanes give way first: workers gain more.
        let at_once = usize::try_from(left / trial.max(1)).unwrap_or(usize::MAX);
        let workers = workers_wanted.min(at_once);
        let lanes = wanted.min(at_once / workers);
        let bound = if lanes < wanted { Bound::Memory } else { bound };
        Ok(Self { lanes, bound, workers, ..base })
    }

    /// Bytes that finished trials may keep, so that longer ones go on where they ended.
    pub(super) fn room(&self) -> Room {
        Room::new(self.allowed.saturating_sub(self.total()))
    }
}

/// Why one trial does not fit, and what to make smaller.
fn refusal(plan: &Plan, size: Size, trained: u64, trial: u64, allowed: u64) -> String {
    let words = [trial, allowed, size.data, trained, trial - trained.min(trial)].map(in_words);
    let [whole, allowed_words, data, trained_words, batch] = words;
    if size.data >= allowed {
        return format!(
            "the examples take {data} of memory, and data and trials may take {allowed_words}: use some of them at random, with \
             `share` in [data], which finds the same learning rate, or allow more with --max-memory"
        );
    }
    let smaller = if trained > trial / 2 {
        "the layers"
    } else if size.evaluated > size.values {
        "the layers or the examples"
    } else if plan.training.accumulate > 1 {
        "the batch size, or raise `accumulate`"
    } else {
        "the batch size or the layers, or compute a batch in parts with `accumulate`"
    };
    let beside = if size.data > allowed / 4 { format!(" beside {data} of data") } else { String::new() };
    format!(
        "one trial would need about {whole} of memory{beside} ({trained_words} for what is trained, with gradients and what the \
         optimiser remembers, and {batch} for the examples of a step), and no more than {allowed_words} is allowed: make smaller \
         {smaller}, or allow more with --max-memory"
    )
}

/// So many bytes for a person: `640 KiB`, `1.5 MiB`, `8 GiB`.
pub fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut size = bytes as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1023.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let tenths = format!("{size:.1}");
    let shown = match tenths.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None if size < 9.95 => tenths,
        None => format!("{size:.0}"),
    };
    format!("{shown} {}", UNITS[unit])
}

#[cfg(test)]
mod tests;
