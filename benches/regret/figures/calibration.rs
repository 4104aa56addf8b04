//! Stated risks against what happened.

use serde::Serialize;

use super::statistics::{mean, wilson};
use super::{Risk, Task};

/// Rates at which the stated risk is put to the test, over the recommended one.
pub(crate) const FACTORS: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// Bins of stated probabilities, equally wide.
const BINS: usize = 5;

/// How stated probabilities of instability compare with the shares of full runs that were unstable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Risks {
    /// Around the recommendations of `find`.
    pub(crate) find: Calibration,
    pub(crate) factors: Vec<Multiple>,
    /// At the rates that `check` was asked about.
    pub(crate) check: Calibration,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Calibration {
    /// Full runs at rates with a stated risk.
    pub(crate) runs: u64,
    /// Full runs at rates without one.
    pub(crate) unstated: u64,
    /// Mean of (p − outcome)² over full runs, an unstable one being 1 (Brier 1950); and what the overall share of unstable runs,
    /// stated everywhere, would have scored.
    pub(crate) brier: Option<f64>,
    pub(crate) brier_of_base_rate: Option<f64>,
    /// Only those that hold something.
    pub(crate) bins: Vec<Bin>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Bin {
    /// The stated probabilities it holds.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Their mean, weighted by runs.
    pub(crate) stated: f64,
    pub(crate) unstable: u64,
    pub(crate) runs: u64,
    /// Wilson's 95 % interval of the share of unstable runs.
    pub(crate) interval: [f64; 2],
}

/// All tasks at one multiple of the recommendation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Multiple {
    pub(crate) factor: f64,
    /// Mean of the stated probabilities over tasks; `None` where none is stated.
    pub(crate) stated: Option<f64>,
    pub(crate) unstable: u64,
    pub(crate) runs: u64,
}

pub(super) fn risks(tasks: &[Task]) -> Risks {
    let find: Vec<Risk> = tasks.iter().flat_map(|t| &t.risks).copied().collect();
    let check = |c: &super::Check| Risk { factor: 1.0, p: c.p, unstable: c.unstable, runs: c.runs };
    let checks: Vec<Risk> = tasks.iter().flat_map(|t| &t.checks).map(check).collect();
    let at = |factor: f64| {
        let here: Vec<&Risk> = find.iter().filter(|r| r.factor == factor).collect();
        let stated: Vec<f64> = here.iter().filter_map(|r| r.p).collect();
        let (unstable, runs) = (here.iter().map(|r| r.unstable).sum(), here.iter().map(|r| r.runs).sum());
        Multiple { factor, stated: (!stated.is_empty()).then(|| mean(&stated)), unstable, runs }
    };
    Risks { find: calibration(&find), factors: FACTORS.map(at).to_vec(), check: calibration(&checks) }
}

fn calibration(risks: &[Risk]) -> Calibration {
    let stated: Vec<(f64, u64, u64)> = risks.iter().filter_map(|r| Some((r.p?, r.unstable, r.runs))).collect();
    let runs: u64 = stated.iter().map(|s| s.2).sum();
    let unstable: u64 = stated.iter().map(|s| s.1).sum();
    let loss = |p: f64, unstable: u64, runs: u64| (1.0 - p).powi(2) * unstable as f64 + p * p * (runs - unstable) as f64;
    let brier = stated.iter().map(|&(p, k, n)| loss(p, k, n)).sum::<f64>() / runs as f64;
    let base = unstable as f64 / runs as f64;
    let bin = |i: usize| {
        let inside: Vec<_> = stated.iter().filter(|s| ((s.0 * BINS as f64) as usize).min(BINS - 1) == i).collect();
        let (unstable, runs) = (inside.iter().map(|s| s.1).sum(), inside.iter().map(|s| s.2).sum());
        let weighted: f64 = inside.iter().map(|s| s.0 * s.2 as f64).sum();
        let [low, high] = [i, i + 1].map(|edge| edge as f64 / BINS as f64);
        (runs > 0).then(|| Bin { low, high, stated: weighted / runs as f64, unstable, runs, interval: wilson(unstable, runs) })
    };
    Calibration {
        runs,
        unstated: risks.iter().filter(|r| r.p.is_none()).map(|r| r.runs).sum(),
        brier: (runs > 0).then_some(brier),
        brier_of_base_rate: (runs > 0).then_some(base * (1.0 - base)),
        bins: (0..BINS).filter_map(bin).collect(),
    }
}
