//! What a tool sees of a curve: smoothed in its own way, and cut off where it would have stopped.

/// How a tool smooths the raw losses L. β is the share of the past that is kept at each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Not at all.
    None,
    /// a ← βa + (1 − β)L from a = 0, divided by 1 − βᵏ at step k counted from 1; in single precision.
    Corrected {
        /// β.
        beta: f64,
    },
    /// As above in double precision, but divided by 1 − βᵏ⁺¹, so that the first values are too low: a constant loss of 1 begins as
    /// 0.505.
    CorrectedLate {
        /// β.
        beta: f64,
    },
    /// S ← βS + (1 − β)L from S = L: without a correction, so it lags behind from the start.
    Uncorrected {
        /// β.
        beta: f64,
    },
}

impl Smoothing {
    /// β; 0 where nothing is smoothed.
    pub fn beta(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Corrected { beta } | Self::CorrectedLate { beta } | Self::Uncorrected { beta } => beta,
        }
    }

    /// The same way of smoothing with another β. A tool that smooths nothing then smooths without correction.
    #[must_use]
    pub fn with_beta(self, beta: f64) -> Self {
        match self {
            Self::None if beta == 0.0 => Self::None,
            Self::Corrected { .. } => Self::Corrected { beta },
            Self::CorrectedLate { .. } => Self::CorrectedLate { beta },
            Self::None | Self::Uncorrected { .. } => Self::Uncorrected { beta },
        }
    }

    /// The smoothed losses, as many as `losses`.
    pub fn apply(self, losses: &[f64]) -> Vec<f64> {
        match self {
            Self::None => losses.to_vec(),
            Self::Corrected { beta } => {
                let (mut average, share) = (0f32, 1.0 - beta as f32);
                let mut step = |(k, &loss): (usize, &f64)| {
                    // Fused as in PyTorch's lerp: on a constant curve that decides where the minimum is.
                    average = (loss as f32 - average).mul_add(share, average);
                    f64::from(average / (1.0 - beta.powf(k as f64 + 1.0)) as f32)
                };
                losses.iter().enumerate().map(&mut step).collect()
            }
            Self::CorrectedLate { beta } => {
                let mut average = 0.0;
                let mut step = |(k, &loss): (usize, &f64)| {
                    average = beta * average + (1.0 - beta) * loss;
                    average / (1.0 - beta.powf(k as f64 + 2.0))
                };
                losses.iter().enumerate().map(&mut step).collect()
            }
            Self::Uncorrected { beta } => {
                let mut last = None;
                let mut step = |&loss: &f64| {
                    let smoothed = last.map_or(loss, |last| (1.0 - beta) * loss + beta * last);
                    last = Some(smoothed);
                    smoothed
                };
                losses.iter().map(&mut step).collect()
            }
        }
    }
}

/// When a tool ends its ramp: as soon as the smoothed loss is above `factor` × the lowest so far. All of these tests go wrong where
/// losses are negative, and none sees a NaN unless it says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stopping {
    /// The multiple of the lowest smoothed loss; infinite to go on to the end.
    pub factor: f64,
    /// The first step at which the tool looks, counted from 0.
    pub from_step: usize,
    /// The lowest loss before the first step; `None` where the first loss is taken whatever it is.
    pub initial_best: Option<f64>,
    /// Whether the loss is compared with the lowest of the steps before, or of those up to now.
    pub before_update: bool,
    /// Whether a NaN ends the ramp too.
    pub on_nan: bool,
}

/// How a tool reads a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How it smooths.
    pub smoothing: Smoothing,
    /// When it stops.
    pub stopping: Stopping,
}

/// What to put in place of every tool's own choice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overrides {
    /// The share of the past that smoothing keeps at each step, in [0, 1).
    pub smoothing: Option<f64>,
    /// The multiple of the lowest loss at which the ramp ends; infinite for never.
    pub stop_factor: Option<f64>,
}

impl Overrides {
    /// `settings` with what is given here instead.
    pub fn over(&self, settings: Settings) -> Settings {
        let smoothing = self.smoothing.map_or(settings.smoothing, |beta| settings.smoothing.with_beta(beta));
        let factor = self.stop_factor.unwrap_or(settings.stopping.factor);
        Settings { smoothing, stopping: Stopping { factor, ..settings.stopping } }
    }
}

/// A curve as a tool sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The smoothed losses up to where the tool stopped, that step included.
    pub smoothed: Vec<f64>,
    /// Whether the tool stopped because the loss had risen.
    pub stopped: bool,
}

impl Settings {
    /// Smooths the raw losses and cuts them off where the tool would have stopped.
    pub fn read(&self, losses: &[f64]) -> Reading {
        let mut smoothed = self.smoothing.apply(losses);
        let stop = self.stopping.step(&smoothed);
        smoothed.truncate(stop.map_or(smoothed.len(), |step| step + 1));
        Reading { smoothed, stopped: stop.is_some() }
    }
}

impl Stopping {
    /// The step after which the tool stops, if it does.
    fn step(&self, smoothed: &[f64]) -> Option<usize> {
        let mut best = self.initial_best;
        smoothed.iter().enumerate().find_map(|(step, &loss)| {
            let before = best;
            let lower = best.is_none_or(|best| loss < best);
            let now = if lower { loss } else { best.unwrap_or(loss) };
            best = Some(now);
            let reference = if self.before_update { before.unwrap_or(now) } else { now };
            let risen = (self.factor.is_finite() && loss > self.factor * reference) || (self.on_nan && loss.is_nan());
            (step >= self.from_step && risen).then_some(step)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Stopping =
        Stopping { factor: 4.0, from_step: 0, initial_best: Some(f64::INFINITY), before_update: false, on_nan: false };

    #[test]
    fn a_constant_stays_what_it_is_unless_the_correction_is_late() {
        let ones = [1.0; 51];
        for smoothing in [Smoothing::None, Smoothing::Corrected { beta: 0.98 }, Smoothing::Uncorrected { beta: 0.95 }] {
            assert!(smoothing.apply(&ones).iter().all(|s| (s - 1.0).abs() < 1e-6), "{smoothing:?}");
        }
        let late = Smoothing::CorrectedLate { beta: 0.98 }.apply(&ones);
        let shown: Vec<f64> = [0, 1, 2, 3, 9, 49].map(|k: usize| (late[k] * 1000.0).round() / 1000.0).into();
        assert_eq!(shown, [0.505, 0.673, 0.758, 0.808, 0.918, 0.989]);
    }

    #[test]
    fn the_ratio_test_stops_a_negative_loss_at_once_and_never_sees_a_nan() {
        assert_eq!(PLAIN.step(&[-1.0, -2.0, -3.0]), Some(0));
        assert_eq!(PLAIN.step(&[1.0, 0.5, f64::NAN, f64::NAN]), None);
        assert_eq!(PLAIN.step(&[1.0, 0.5, 2.0, 2.1]), Some(3));
        assert_eq!(Stopping { on_nan: true, ..PLAIN }.step(&[1.0, f64::NAN]), Some(1));
        assert_eq!(Stopping { from_step: 6, ..PLAIN }.step(&[1.0, 9.0, 9.0]), None);
    }

    #[test]
    fn the_step_that_ends_the_ramp_is_kept() {
        let settings = Settings { smoothing: Smoothing::None, stopping: PLAIN };
        assert_eq!(settings.read(&[1.0, 5.0, 6.0]), Reading { smoothed: vec![1.0, 5.0], stopped: true });
        assert_eq!(settings.read(&[1.0, 3.0]), Reading { smoothed: vec![1.0, 3.0], stopped: false });
    }
}
