//! What several tests use; and objectives with a known truth, written without the crate's own models and optimisers.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

pub mod cli;
pub mod process;
pub mod readme;

use std::path::Path;

use lrfind::error::TrialError;
use lrfind::record::TrialSpec;
use lrfind::trial::{Objective, Run};
use lrfind::{Study, config, task};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `work` on the study of a config of the project.
pub fn with_study<T>(config: &str, work: impl FnOnce(&mut Study<'_>) -> T) -> T {
    let plan = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(config)).unwrap();
    let task = task::build(&plan).unwrap();
    work(&mut Study::of_plan(&plan, &task))
}

/// ½ Σ λ (θ − c)², with c drawn anew at every step.
#[derive(Debug, Clone)]
pub struct Quadratic {
    pub curvatures: Vec<f64>,
    pub noise: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub fixed_rate: bool,
}

impl Quadratic {
    pub fn sgd(curvatures: &[f64]) -> Self {
        Self { curvatures: curvatures.to_vec(), noise: 0.0, momentum: 0.0, nesterov: false, fixed_rate: false }
    }

    pub fn largest(&self) -> f64 {
        self.curvatures.iter().copied().fold(0.0, f64::max)
    }

    /// 2/λ, 2(1+β)/λ, (2+2β)/((1+2β)λ).
    pub fn threshold(&self) -> f64 {
        let b = self.momentum;
        if self.nesterov { (2.0 + 2.0 * b) / ((1.0 + 2.0 * b) * self.largest()) } else { 2.0 * (1.0 + b) / self.largest() }
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// At a distance of 0.5 to 1.5 from the minimum, on either side: a start at the minimum has nothing to learn.
fn start(rng: &mut ChaCha8Rng) -> f64 {
    let (distance, side): (f64, bool) = (rng.random(), rng.random());
    (0.5 + distance) * if side { 1.0 } else { -1.0 }
}

struct QuadraticRun<'a> {
    problem: &'a Quadratic,
    theta: Vec<f64>,
    velocity: Vec<f64>,
    rng: ChaCha8Rng,
}

impl Objective for Quadratic {
    fn can_change_rate(&self) -> bool {
        !self.fixed_rate
    }

    fn start(&self, specs: &[TrialSpec]) -> Result<Box<dyn Run + '_>, TrialError> {
        let mut rng = ChaCha8Rng::seed_from_u64(specs[0].seed);
        let theta: Vec<f64> = self.curvatures.iter().map(|_| start(&mut rng)).collect();
        Ok(Box::new(QuadraticRun { problem: self, velocity: vec![0.0; theta.len()], theta, rng }))
    }
}

impl Run for QuadraticRun<'_> {
    fn step(&mut self, rates: &[f64]) -> Result<Vec<f64>, TrialError> {
        let mut loss = 0.0;
        for (i, &curvature) in self.problem.curvatures.iter().enumerate() {
            let distance = self.theta[i] - self.problem.noise * normal(&mut self.rng);
            loss += 0.5 * curvature * distance * distance;
            let gradient = curvature * distance;
            self.velocity[i] = self.problem.momentum * self.velocity[i] + gradient;
            let update =
                if self.problem.nesterov { gradient + self.problem.momentum * self.velocity[i] } else { self.velocity[i] };
            self.theta[i] -= rates[0] * update;
        }
        Ok(vec![loss])
    }

    fn probe(&mut self) -> Result<Vec<f64>, TrialError> {
        Ok(vec![self.theta.iter().zip(&self.problem.curvatures).map(|(t, c)| 0.5 * c * t * t).sum()])
    }

    fn retain(&mut self, _: &[bool]) {}
}
