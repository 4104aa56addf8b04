//! Reference numbers are those of PyTorch 2.15.0 on the CPU (`torch.optim`, `torch.nn.utils.clip_grad_norm_`); where PyTorch has
//! no such rule, they are worked out by hand.

use super::*;

const THETA: [f32; 3] = [0.5, -1.25, 2.0];
const GRADIENTS: [[f32; 3]; 3] = [[0.3, -0.8, 1.5], [-0.2, 0.4, 0.9], [0.05, 1.1, -0.7]];
const RATE: f64 = 0.1;

fn plan(rule: UpdateRule) -> OptimizerPlan {
    OptimizerPlan { rule, weight_decay: 0.0, decoupled: false }
}

fn coupled(rule: UpdateRule) -> OptimizerPlan {
    OptimizerPlan { rule, weight_decay: 0.05, decoupled: false }
}

fn decoupled(rule: UpdateRule) -> OptimizerPlan {
    OptimizerPlan { rule, weight_decay: 0.05, decoupled: true }
}

fn sgd(momentum: f64, dampening: f64, nesterov: bool) -> UpdateRule {
    UpdateRule::Sgd { momentum, dampening, nesterov }
}

const ADAM: UpdateRule = UpdateRule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-3 };
const LION: UpdateRule = UpdateRule::Lion { beta1: 0.9, beta2: 0.99 };
const ADAGRAD: UpdateRule = UpdateRule::Adagrad { epsilon: 1e-3 };

fn rms_prop(momentum: f64) -> UpdateRule {
    UpdateRule::RmsProp { alpha: 0.9, epsilon: 1e-3, momentum }
}

/// θ after three steps, in two tensors to see that nothing depends on how parameters are divided.
fn three_steps(plan: &OptimizerPlan, clip_norm: Option<f64>) -> Vec<f32> {
    let divide = |values: [f32; 3]| vec![values[..1].to_vec(), values[1..].to_vec()];
    let mut parameters = divide(THETA);
    let mut optimizer = Optimizer::new(plan, clip_norm, [1, 2].into_iter(), 1);
    for gradient in GRADIENTS {
        optimizer.update(&mut parameters, &divide(gradient), &[RATE]);
    }
    parameters.concat()
}

fn assert_steps(plan: &OptimizerPlan, clip_norm: Option<f64>, expected: [f64; 3]) {
    let actual = three_steps(plan, clip_norm);
    for (a, e) in actual.iter().zip(expected) {
        assert!((f64::from(*a) - e).abs() < 1e-6, "{plan:?} {clip_norm:?}: {actual:?}, not {expected:?}");
    }
}

#[test]
fn sgd_is_pytorchs() {
    assert_steps(&plan(sgd(0.0, 0.0, false)), None, [0.485_000_014, -1.319_999_933, 1.830_000_043]);
    assert_steps(&coupled(sgd(0.0, 0.0, false)), None, [0.477_736_682, -1.301_941_633, 1.802_096_009]);
    assert_steps(&plan(sgd(0.9, 0.0, false)), None, [0.451_700_002, -1.219_200_015, 1.492_500_067]);
    assert_steps(&coupled(sgd(0.9, 0.3, false)), None, [0.430_338_949, -1.134_838_343, 1.477_771_163]);
    assert_steps(&coupled(sgd(0.9, 0.0, true)), None, [0.422_759_473, -1.245_790_839, 1.302_775_979]);
}

#[test]
fn clipping_is_pytorchs_and_comes_before_weight_decay() {
    assert_steps(&coupled(sgd(0.9, 0.0, false)), Some(1.0), [0.473_148_733, -1.250_105_739, 1.594_254_255]);
    assert_steps(&coupled(ADAGRAD), Some(0.5), [0.429_255_188, -1.267_640_948, 1.851_604_700]);
    let far = three_steps(&plan(ADAM), Some(1e6));
    assert_eq!(far, three_steps(&plan(ADAM), None), "a limit out of reach changes nothing");
}

#[test]
fn adam_and_adamw_are_pytorchs() {
    assert_steps(&plan(ADAM), None, [0.366_111_636, -1.160_005_927, 1.759_276_032]);
    assert_steps(&coupled(ADAM), None, [0.349_067_181, -1.145_165_324, 1.752_689_242]);
    assert_steps(&decoupled(ADAM), None, [0.359_715_313, -1.142_478_824, 1.730_901_480]);
}

#[test]
fn rms_prop_and_adagrad_are_pytorchs() {
    assert_steps(&plan(rms_prop(0.0)), None, [0.320_322_990, -1.335_542_083, 1.642_420_769]);
    assert_steps(&coupled(rms_prop(0.8)), None, [-0.016_918_058, -0.952_644_885, 1.030_633_569]);
    assert_steps(&plan(ADAGRAD), None, [0.441_950_381, -1.272_329_569, 1.885_778_785]);
}

/// Worked out by hand: signs (+ − +), (− + +), (+ + −), and each step shrinks θ by 0.995.
#[test]
fn lion_moves_by_the_sign_of_its_blend() {
    assert_steps(&decoupled(LION), None, [0.393_034_937_5, -1.331_841_093_75, 1.871_647_25]);
}

/// Worked out by hand: v as without weight decay, and each step shrinks θ by 0.995.
#[test]
fn decoupled_decay_stays_out_of_the_momentum() {
    assert_steps(&decoupled(sgd(0.9, 0.0, false)), None, [0.444_571_687_5, -1.201_501_593_75, 1.465_271]);
}

#[test]
fn lion_stands_still_without_a_gradient() {
    let plan = plan(LION);
    let mut parameters = [THETA.to_vec()];
    Optimizer::new(&plan, None, std::iter::once(3), 1).update(&mut parameters, &[vec![0.0, -0.0, 0.0]], &[RATE]);
    assert_eq!(parameters[0], THETA);
}

#[test]
fn a_gradient_that_is_not_finite_is_never_clipped_away() {
    for (bad, rule) in [(f32::NAN, LION), (f32::INFINITY, LION), (f32::NAN, sgd(0.0, 0.0, false)), (f32::NEG_INFINITY, ADAM)] {
        let plan = plan(rule);
        let mut parameters = [THETA.to_vec()];
        Optimizer::new(&plan, Some(1.0), std::iter::once(3), 1).update(&mut parameters, &[vec![0.1, bad, 0.1]], &[RATE]);
        assert!(parameters[0][1].is_nan(), "{bad} {rule:?}: {parameters:?}");
    }
}

/// Sums of many squares, whose norm the clipping tests with three numbers would not reach in all eight parts.
#[test]
fn the_norm_counts_every_element_once() {
    let values: Vec<f32> = (1..=21u8).map(f32::from).collect();
    assert_eq!(sum_of_squares(&values).to_bits(), 3311.0f64.to_bits());
}

#[test]
fn lanes_keep_their_own_rate_norm_and_memory() {
    for rule in [sgd(0.9, 0.1, true), ADAM, rms_prop(0.5), ADAGRAD, LION] {
        let plan = coupled(rule);
        let rates = [0.1, 3.0, 1e-4];
        let gradient = |step: usize, lane: usize| GRADIENTS[step].map(|g| g * (lane as f32 - 0.5));
        let alone = |lane: usize| {
            let mut parameters = [THETA.to_vec()];
            let mut optimizer = Optimizer::new(&plan, Some(0.7), std::iter::once(3), 1);
            for step in 0..3 {
                optimizer.update(&mut parameters, &[gradient(step, lane).to_vec()], &[rates[lane]]);
            }
            parameters.concat()
        };
        let mut parameters = [THETA.repeat(3)];
        let mut optimizer = Optimizer::new(&plan, Some(0.7), std::iter::once(3), 3);
        for step in 0..2 {
            let gradients: [Vec<f32>; 1] = [(0..3).flat_map(|lane| gradient(step, lane)).collect()];
            optimizer.update(&mut parameters, &gradients, &rates);
        }
        let keep = [true, false, true];
        optimizer.retain(&keep);
        retain_lanes(&mut parameters[0], &keep);
        optimizer.update(&mut parameters, &[[gradient(2, 0), gradient(2, 2)].concat()], &[rates[0], rates[2]]);
        assert_eq!(parameters[0], [alone(0), alone(2)].concat(), "{rule:?}");
    }
}
