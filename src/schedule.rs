//! Learning-rate schedules: how the rate moves from ε₀ over a training run.

use serde::{Deserialize, Serialize};

/// The shape that multiplies the initial rate ε₀ as training goes on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Decay {
    /// The rate stays at ε₀.
    Constant,
    /// ε_k = (1 − k/τ)·ε₀ + (k/τ)·ε_τ until k = τ, then ε_τ = `final_fraction`·ε₀.
    /// Goodfellow, Bengio, Courville, *Deep Learning*, equation 8.14.
    Linear {
        /// ε_τ / ε₀.
        final_fraction: f64,
    },
    /// ε_k = ε_τ + (ε₀ − ε_τ)·(1 + cos(πk/τ))/2 (Loshchilov & Hutter 2017, without restarts).
    Cosine {
        /// ε_τ / ε₀.
        final_fraction: f64,
    },
    /// The rate is multiplied by `factor` every `every_epochs` epochs.
    Step {
        /// Multiplier at each step, in (0, 1].
        factor: f64,
        /// Epochs between steps.
        every_epochs: f64,
    },
    /// The rate falls geometrically and reaches `final_fraction`·ε₀ at τ, where it stays.
    Exponential {
        /// ε_τ / ε₀.
        final_fraction: f64,
    },
}

impl Decay {
    /// The name used in configs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear { .. } => "linear",
            Self::Cosine { .. } => "cosine",
            Self::Step { .. } => "step",
            Self::Exponential { .. } => "exponential",
        }
    }
}

/// A schedule resolved to iterations (optimiser steps).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// How the rate falls after the warm-up.
    pub decay: Decay,
    /// Iterations of linear warm-up from near 0 to ε₀; 0 for none.
    pub warmup_iterations: u64,
    /// τ: iterations from the start of the run until the decay ends.
    pub decay_iterations: u64,
    /// Iterations in one pass through the training data.
    pub iterations_per_epoch: u64,
}

impl Schedule {
    /// The multiplier of ε₀ at iteration `k`, counted from 0.
    pub fn factor(&self, k: u64) -> f64 {
        if k < self.warmup_iterations {
            return warmup_factor(k, self.warmup_iterations);
        }
        let span = self.decay_iterations.saturating_sub(self.warmup_iterations).max(1);
        let passed = k - self.warmup_iterations;
        let a = (passed as f64 / span as f64).min(1.0);
        match self.decay {
            Decay::Constant => 1.0,
            Decay::Linear { final_fraction } => (1.0 - a) + a * final_fraction,
            Decay::Cosine { final_fraction } => {
                final_fraction + (1.0 - final_fraction) * 0.5 * (1.0 + (std::f64::consts::PI * a).cos())
            }
            Decay::Step { factor, every_epochs } => {
                let every = (every_epochs * self.iterations_per_epoch as f64).max(1.0);
                factor.powf((passed as f64 / every).floor())
            }
            Decay::Exponential { final_fraction } => final_fraction.powf(a),
        }
    }

    /// The same course in `share` of its iterations, the warm-up and the steps included: after any part of the run the factor is
    /// what it is after that part of the whole schedule. At least one iteration is left.
    #[must_use]
    pub fn squeezed(self, share: f64) -> Self {
        let scaled = |iterations: u64| (iterations as f64 * share).round() as u64;
        let decay = match self.decay {
            Decay::Step { factor, every_epochs } => Decay::Step { factor, every_epochs: every_epochs * share },
            other => other,
        };
        Self {
            decay,
            warmup_iterations: scaled(self.warmup_iterations),
            decay_iterations: scaled(self.decay_iterations).max(1),
            iterations_per_epoch: self.iterations_per_epoch,
        }
    }

    /// The multiplier of ε₀ when the run ends, at iteration τ: what a curve tends to, and of steps the last that is taken.
    pub fn final_factor(&self) -> f64 {
        let end = self.decay_iterations.max(self.warmup_iterations);
        match self.decay {
            Decay::Step { .. } => self.factor(end.saturating_sub(1)),
            _ => self.factor(end),
        }
    }
}

/// The multiplier of ε₀ during a linear warm-up of `warmup` iterations: (k + 1) / `warmup`, 1 from then on.
pub fn warmup_factor(k: u64, warmup: u64) -> f64 {
    if k < warmup { (k + 1) as f64 / warmup as f64 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(decay: Decay, warmup_iterations: u64) -> Schedule {
        Schedule { decay, warmup_iterations, decay_iterations: 100 + warmup_iterations, iterations_per_epoch: 10 }
    }

    #[test]
    fn linear_is_the_books() {
        let s = schedule(Decay::Linear { final_fraction: 0.01 }, 0);
        assert_eq!(s.factor(0), 1.0);
        assert!((s.factor(50) - 0.505).abs() < 1e-12);
        assert_eq!(s.factor(100), 0.01);
        assert_eq!(s.factor(10_000), 0.01);
    }

    #[test]
    fn cosine_exponential_step_and_constant() {
        let c = schedule(Decay::Cosine { final_fraction: 0.0 }, 0);
        assert!((c.factor(50) - 0.5).abs() < 1e-12 && c.factor(100).abs() < 1e-12);
        let e = schedule(Decay::Exponential { final_fraction: 0.01 }, 0);
        assert!((e.factor(50) - 0.1).abs() < 1e-12);
        let s = schedule(Decay::Step { factor: 0.5, every_epochs: 3.0 }, 0);
        assert_eq!([s.factor(29), s.factor(30), s.factor(60)], [1.0, 0.5, 0.25]);
        assert_eq!(schedule(Decay::Constant, 0).factor(77), 1.0);
        // A step at the very end is never taken.
        let thirds = |every_epochs| schedule(Decay::Step { factor: 0.5, every_epochs }, 0).final_factor();
        assert_eq!([thirds(5.0), thirds(10.0 / 3.0), thirds(3.0)], [0.5, 0.25, 0.125]);
    }

    #[test]
    fn a_squeezed_schedule_takes_the_same_course() {
        let decays = [
            Decay::Constant,
            Decay::Linear { final_fraction: 0.01 },
            Decay::Cosine { final_fraction: 0.0 },
            Decay::Step { factor: 0.5, every_epochs: 20.0 },
            Decay::Exponential { final_fraction: 0.01 },
        ];
        for decay in decays {
            let whole = Schedule { decay, warmup_iterations: 200, decay_iterations: 1_000, iterations_per_epoch: 10 };
            let fifth = whole.squeezed(0.2);
            assert_eq!((fifth.warmup_iterations, fifth.decay_iterations), (40, 200), "{decay:?}");
            for k in 40..=200 {
                assert!((fifth.factor(k) - whole.factor(5 * k)).abs() < 1e-12, "{decay:?} at {k}");
            }
            assert_eq!(whole.squeezed(1.0), whole);
            assert_eq!(whole.squeezed(1e-9).decay_iterations, 1);
        }
    }

    #[test]
    fn warm_up_rises_to_the_full_rate_and_then_decays() {
        let s = schedule(Decay::Linear { final_fraction: 0.01 }, 20);
        assert_eq!(s.factor(0), 0.05);
        assert_eq!(s.factor(19), 1.0);
        assert_eq!(s.factor(20), 1.0);
        assert_eq!(s.factor(120), 0.01);
    }
}
