//! How many trials are worth stacking, and whether one fits at all.

use super::{TaskError, optimizer};
use crate::config::Plan;

/// Lanes are stacked while what they touch in a step fits this many bytes. Measured with burn-flex on cores with 1 MiB of
/// second-level cache, at batch size 32: a 64-64-64-10 MLP gains up to 16 lanes (2.7 times as fast as one), a 64-128-128-10 one
/// up to about 8 (1.7 times), and a 784-256-128-1 one, at batch size 64, loses from the second lane on.
const WORKING_SET: f64 = 4.0 * 1024.0 * 1024.0;

/// More lanes than this gain nothing even for the smallest model.
const MOST_LANES: f64 = 16.0;

/// A single trial that needs more memory than this is refused.
const MOST_BYTES: f64 = 8.0 * 1024.0 * 1024.0 * 1024.0;

/// How much one trial touches in a step, in floating point because a model may be asked for in any size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Numbers that are trained.
    pub(crate) parameters: f64,
    /// Inputs, intermediate results and outputs for the whole batch.
    pub(crate) values: f64,
}

/// How many trials to stack.
///
/// # Errors
/// When not even one fits.
pub(crate) fn lanes(plan: &Plan, size: Size) -> Result<usize, TaskError> {
    // Parameters, the copy that burn works on, their gradients, and what the optimiser remembers.
    let copies = 3 + optimizer::slots(&plan.training.optimizer.rule);
    let bytes = size_of::<f32>() as f64 * (size.parameters * copies as f64 + size.values);
    if bytes > MOST_BYTES {
        return Err(TaskError::unsuitable(format!(
            "one trial would need about {:.0} GiB of memory, and no more than {:.0} GiB is allowed: \
             make the layers or the batch size smaller",
            bytes / 1024f64.powi(3),
            MOST_BYTES / 1024f64.powi(3)
        )));
    }
    Ok((WORKING_SET / bytes).clamp(1.0, MOST_LANES) as usize)
}
