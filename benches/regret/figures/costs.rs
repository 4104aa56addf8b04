//! From final costs to regret and cost ratio.

use serde::{Deserialize, Serialize};

/// Costs below this share of the initial one are nothing: single precision tells no more.
const PRECISION: f64 = 1e-6;

/// Costs below this share of the initial one are taken as equal where the ratio is to say what a user would notice.
const VISIBLE: f64 = 1e-3;

/// How much more than the least cost still counts as reaching it.
const REACHED: f64 = 1.05;

/// What regret is measured by: costs of the runs at the best rate of hindsight, means over their seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Costs {
    /// Before the first step.
    pub(crate) initial: f64,
    /// After a tenth of the iterations, as it was. May lie above the initial cost, where the best rate first throws the
    /// weights far out.
    pub(crate) tenth: f64,
    /// At the end: J*.
    pub(crate) least: f64,
}

impl Costs {
    /// J_ref − J*, where J_ref is what the best run had reached after a tenth of its iterations. Where that is nearly nothing,
    /// 1 % of all that the run gains.
    pub(crate) fn span(&self) -> f64 {
        (self.tenth - self.least).max(0.01 * (self.initial - self.least))
    }

    /// The final cost beyond which a run at a rate above the best has lost what it was given: J_ref, and where the best run first
    /// threw its weights far out, the initial cost.
    pub(crate) fn lost(&self) -> f64 {
        (self.least + self.span()).min(self.initial.max(self.least))
    }

    /// (J − J*) / (J_ref − J*).
    pub(crate) fn regret(&self, cost: f64) -> f64 {
        (cost - self.least) / self.span()
    }

    /// J / J*, both raised by the precision of a cost.
    pub(crate) fn ratio(&self, cost: f64) -> f64 {
        (cost + self.precision()) / (self.least + self.precision())
    }

    /// J / J*, both at least 0.1 % of the initial cost.
    pub(crate) fn visible_ratio(&self, cost: f64) -> f64 {
        let floor = VISIBLE * self.initial;
        cost.max(floor) / self.least.max(floor)
    }

    /// Whether a cost is J*, as far as a user would notice.
    pub(crate) fn is_as_good(&self, cost: f64) -> bool {
        cost - self.least <= VISIBLE * self.initial
    }

    /// Whether a user would notice a difference between two costs.
    pub(crate) fn is_same(&self, one: f64, other: f64) -> bool {
        (one - other).abs() <= VISIBLE * self.initial
    }

    /// The least cost that can be told from none.
    pub(crate) fn precision(&self) -> f64 {
        PRECISION * self.initial
    }

    /// A run that gets here has reached J*, or what looks like it.
    pub(crate) fn target(&self) -> f64 {
        REACHED * self.least.max(VISIBLE * self.initial)
    }
}
