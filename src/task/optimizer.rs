//! Update rules, applied in place to the stacked parameters of several trials.
//!
//! Conventions are PyTorch's (`torch.optim`), in single precision as there; Lion's are its authors' (Chen et al. 2023).

use crate::config::{OptimizerPlan, UpdateRule};

use super::stacked::retain_lanes;
use super::wide::wide;

/// An update rule and what it remembers of each trial.
///
/// Buffers are laid out like the parameters: one per parameter tensor, holding `[lanes × size]` numbers, lane by lane.
#[derive(Debug)]
pub(crate) struct Optimizer<'a> {
    plan: &'a OptimizerPlan,
    clip_norm: Option<f64>,
    lanes: usize,
    memory: Vec<[Vec<f32>; 2]>,
    steps: u64,
}

impl<'a> Optimizer<'a> {
    /// An optimiser at its first step, for tensors of these `sizes` in `lanes` trials.
    pub(crate) fn new(
        plan: &'a OptimizerPlan,
        clip_norm: Option<f64>,
        sizes: impl Iterator<Item = usize>,
        lanes: usize,
    ) -> Self {
        let used = slots(&plan.rule);
        let buffer = |slot: usize, size: usize| if slot < used { vec![0.0; lanes * size] } else { Vec::new() };
        let memory = sizes.map(|size| [buffer(0, size), buffer(1, size)]).collect();
        Self { plan, clip_norm, lanes, memory, steps: 0 }
    }

    /// Takes one step in every lane, at the lane's own rate. `parameters` and `gradients` hold one buffer per parameter tensor.
    pub(crate) fn update(&mut self, parameters: &mut [Vec<f32>], gradients: &[Vec<f32>], learning_rates: &[f64]) {
        for (lane, &learning_rate) in learning_rates.iter().enumerate().take(self.lanes) {
            let scale = self.clip_norm.map_or(1.0, |limit| clip_scale(gradients, lane, self.lanes, limit));
            let step = Step::new(self.plan, learning_rate, scale, self.steps);
            for ((parameter, gradient), [first, second]) in parameters.iter_mut().zip(gradients).zip(&mut self.memory) {
                let theta = lane_mut(parameter, lane, self.lanes);
                let gradient = lane_of(gradient, lane, self.lanes);
                let (first, second) = (lane_mut(first, lane, self.lanes), lane_mut(second, lane, self.lanes));
                wide!(step.apply(theta, gradient, first, second));
            }
        }
        self.steps += 1;
    }

    /// What the rule remembers of one lane, tensor by tensor.
    pub(crate) fn memory(&self, lane: usize) -> Vec<[Vec<f32>; 2]> {
        let of = |buffer: &Vec<f32>| lane_of(buffer, lane, self.lanes).to_vec();
        self.memory.iter().map(|slots| slots.each_ref().map(of)).collect()
    }

    /// Goes on after `steps` steps, with the memory of each lane.
    pub(crate) fn restore<'m>(&mut self, lanes: impl Iterator<Item = &'m Vec<[Vec<f32>; 2]>>, steps: u64) {
        self.memory.iter_mut().flatten().for_each(Vec::clear);
        for lane in lanes {
            for (own, kept) in self.memory.iter_mut().flatten().zip(lane.iter().flatten()) {
                own.extend_from_slice(kept);
            }
        }
        self.steps = steps;
    }

    /// Forgets the lanes whose flag is false.
    pub(crate) fn retain(&mut self, lanes: &[bool]) {
        for buffer in self.memory.iter_mut().flatten() {
            retain_lanes(buffer, lanes);
        }
        self.lanes = lanes.iter().filter(|&&kept| kept).count();
    }
}

/// Numbers that a rule remembers for each parameter.
pub(crate) fn slots(rule: &UpdateRule) -> usize {
    match *rule {
        UpdateRule::Sgd { momentum, .. } => usize::from(momentum != 0.0),
        UpdateRule::Adam { .. } => 2,
        UpdateRule::RmsProp { momentum, .. } => 1 + usize::from(momentum != 0.0),
        UpdateRule::Adagrad { .. } | UpdateRule::Lion { .. } => 1,
    }
}

fn lane_of(buffer: &[f32], lane: usize, lanes: usize) -> &[f32] {
    let size = buffer.len() / lanes;
    &buffer[lane * size..(lane + 1) * size]
}

fn lane_mut(buffer: &mut [f32], lane: usize, lanes: usize) -> &mut [f32] {
    let size = buffer.len() / lanes;
    &mut buffer[lane * size..(lane + 1) * size]
}

/// The factor that brings a lane's gradient down to Euclidean norm `limit`, as `torch.nn.utils.clip_grad_norm_` has it.
fn clip_scale(gradients: &[Vec<f32>], lane: usize, lanes: usize, limit: f64) -> f32 {
    let squares: f64 = gradients.iter().map(|gradient| sum_of_squares(lane_of(gradient, lane, lanes))).sum();
    let scale = limit / (squares.sqrt() + 1e-6);
    // Not `min`, which would turn a norm that is not a number into "no clipping".
    if scale > 1.0 { 1.0 } else { scale as f32 }
}

/// Sums in eight fixed interleaved parts, so that the processor need not wait for each addition.
fn sum_of_squares(values: &[f32]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut parts = [0.0f64; 8];
    for chunk in chunks {
        for (part, &value) in parts.iter_mut().zip(chunk) {
            *part += f64::from(value) * f64::from(value);
        }
    }
    parts.iter().sum::<f64>() + rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>()
}

/// One lane's step: the rule with everything that is the same for all of the lane's parameters.
struct Step {
    rule: UpdateRule,
    learning_rate: f64,
    /// Multiplies the gradient (clipping).
    scale: f32,
    /// Coupled weight decay: this times θ is added to the gradient.
    coupled: f32,
    /// Decoupled weight decay: θ is multiplied by this.
    shrink: f32,
    /// Steps taken before.
    steps: u64,
}

impl Step {
    fn new(plan: &OptimizerPlan, learning_rate: f64, scale: f32, steps: u64) -> Self {
        let decay = plan.weight_decay;
        let (coupled, shrink) = if plan.decoupled { (0.0, 1.0 - learning_rate * decay) } else { (decay, 1.0) };
        Self { rule: plan.rule, learning_rate, scale, coupled: coupled as f32, shrink: shrink as f32, steps }
    }

    /// Updates one parameter tensor `theta`; `first` and `second` are the rule's memory of it, empty where the rule has none.
    #[inline(always)]
    fn apply(&self, theta: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        match self.rule {
            UpdateRule::Sgd { momentum: 0.0, .. } => self.sgd(theta, gradient),
            UpdateRule::Sgd { momentum, dampening, nesterov } => {
                self.momentum(theta, gradient, first, momentum, dampening, nesterov);
            }
            UpdateRule::Adam { beta1, beta2, epsilon } => self.adam(theta, gradient, first, second, (beta1, beta2), epsilon),
            UpdateRule::RmsProp { alpha, epsilon, momentum } => {
                self.rms_prop(theta, gradient, first, second, alpha, epsilon, momentum);
            }
            UpdateRule::Adagrad { epsilon } => self.adagrad(theta, gradient, first, epsilon),
            UpdateRule::Lion { beta1, beta2 } => self.lion(theta, gradient, first, beta1, beta2),
        }
    }

    /// The gradient that the rule sees.
    #[inline(always)]
    fn gradient(&self, raw: f32, theta: f32) -> f32 {
        raw * self.scale + self.coupled * theta
    }

    #[inline(always)]
    fn sgd(&self, theta: &mut [f32], gradient: &[f32]) {
        let rate = self.learning_rate as f32;
        for (theta, &raw) in theta.iter_mut().zip(gradient) {
            let g = self.gradient(raw, *theta);
            *theta = *theta * self.shrink - rate * g;
        }
    }

    #[inline(always)]
    fn momentum(&self, theta: &mut [f32], gradient: &[f32], v: &mut [f32], momentum: f64, dampening: f64, nesterov: bool) {
        let (rate, momentum) = (self.learning_rate as f32, momentum as f32);
        // The first gradient enters whole, whatever the dampening.
        let fresh = if self.steps == 0 { 1.0 } else { (1.0 - dampening) as f32 };
        for ((theta, &raw), v) in theta.iter_mut().zip(gradient).zip(v) {
            let g = self.gradient(raw, *theta);
            *v = momentum * *v + fresh * g;
            let update = if nesterov { g + momentum * *v } else { *v };
            *theta = *theta * self.shrink - rate * update;
        }
    }

    #[inline(always)]
    fn adam(&self, theta: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], betas: (f64, f64), epsilon: f64) {
        let correction = |beta: f64| 1.0 - beta.powf((self.steps + 1) as f64);
        let rate = (self.learning_rate / correction(betas.0)) as f32;
        let root = correction(betas.1).sqrt() as f32;
        let (beta1, beta2) = (betas.0 as f32, betas.1 as f32);
        let (fresh1, fresh2) = ((1.0 - betas.0) as f32, (1.0 - betas.1) as f32);
        let epsilon = epsilon as f32;
        for (((theta, &raw), m), v) in theta.iter_mut().zip(gradient).zip(m).zip(v) {
            let g = self.gradient(raw, *theta);
            *m = beta1 * *m + fresh1 * g;
            *v = beta2 * *v + fresh2 * g * g;
            *theta = *theta * self.shrink - rate * (*m / (v.sqrt() / root + epsilon));
        }
    }

    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "two buffers and the rule's own three constants")]
    fn rms_prop(
        &self,
        theta: &mut [f32],
        gradient: &[f32],
        v: &mut [f32],
        b: &mut [f32],
        alpha: f64,
        epsilon: f64,
        momentum: f64,
    ) {
        let (rate, epsilon, momentum) = (self.learning_rate as f32, epsilon as f32, momentum as f32);
        let (keep, fresh) = (alpha as f32, (1.0 - alpha) as f32);
        let quotient = |raw: f32, theta: f32, v: &mut f32| {
            let g = self.gradient(raw, theta);
            *v = keep * *v + fresh * g * g;
            g / (v.sqrt() + epsilon)
        };
        if b.is_empty() {
            for ((theta, &raw), v) in theta.iter_mut().zip(gradient).zip(v) {
                *theta = *theta * self.shrink - rate * quotient(raw, *theta, v);
            }
        } else {
            for (((theta, &raw), v), b) in theta.iter_mut().zip(gradient).zip(v).zip(b) {
                *b = momentum * *b + quotient(raw, *theta, v);
                *theta = *theta * self.shrink - rate * *b;
            }
        }
    }

    #[inline(always)]
    fn adagrad(&self, theta: &mut [f32], gradient: &[f32], s: &mut [f32], epsilon: f64) {
        let (rate, epsilon) = (self.learning_rate as f32, epsilon as f32);
        for ((theta, &raw), s) in theta.iter_mut().zip(gradient).zip(s) {
            let g = self.gradient(raw, *theta);
            *s += g * g;
            *theta = *theta * self.shrink - rate * (g / (s.sqrt() + epsilon));
        }
    }

    #[inline(always)]
    fn lion(&self, theta: &mut [f32], gradient: &[f32], m: &mut [f32], beta1: f64, beta2: f64) {
        let rate = self.learning_rate as f32;
        let (fresh1, fresh2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
        let (beta1, beta2) = (beta1 as f32, beta2 as f32);
        for ((theta, &raw), m) in theta.iter_mut().zip(gradient).zip(m) {
            let g = self.gradient(raw, *theta);
            let update = sign(beta1 * *m + fresh1 * g);
            *m = beta2 * *m + fresh2 * g;
            *theta = *theta * self.shrink - rate * update;
        }
    }
}

/// −1, 0 or 1; unlike `f32::signum` 0 for 0. Not-a-number stays so.
#[inline(always)]
fn sign(value: f32) -> f32 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

#[cfg(test)]
mod tests;
