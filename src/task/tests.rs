//! Whole tasks: what a stacked run computes, and what `build` refuses.

use super::*;
use crate::config::{
    Activation, AugmentPlan, Column, DeviceKind, Init, PreparePlan, SearchPlan, TaskKind, TrainingPlan, UpdateRule,
};
use crate::lr::{LearningRate, LrRange};
use crate::schedule::Decay;

mod architectures;

const DEVICES: [DeviceKind; 2] = [DeviceKind::Flex, DeviceKind::Ndarray];
const SGD: UpdateRule = UpdateRule::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };

fn rules() -> [UpdateRule; 6] {
    [
        SGD,
        UpdateRule::Sgd { momentum: 0.9, dampening: 0.1, nesterov: false },
        UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        UpdateRule::RmsProp { alpha: 0.99, epsilon: 1e-8, momentum: 0.5 },
        UpdateRule::Adagrad { epsilon: 1e-10 },
        UpdateRule::Lion { beta1: 0.9, beta2: 0.99 },
    ]
}

fn spirals() -> DataPlan {
    let problem = SyntheticPlan::Spirals { samples: 90, classes: 3, noise: 0.1, label_noise: 0.0 };
    DataPlan::Synthetic { problem, data_seed: 1, held_out: 0.2 }
}

fn regression(samples: usize, features: usize) -> DataPlan {
    let problem = SyntheticPlan::TeacherStudent { samples, features, hidden: 3, noise: 0.1 };
    DataPlan::Synthetic { problem, data_seed: 1, held_out: 0.0 }
}

fn bowl(curvatures: &[f64], noise: f64) -> DataPlan {
    let problem = SyntheticPlan::Quadratic { curvatures: curvatures.to_vec(), noise };
    DataPlan::Synthetic { problem, data_seed: 1, held_out: 0.0 }
}

fn mlp(hidden: &[usize], activation: Activation) -> ModelPlan {
    ModelPlan::Mlp { hidden: hidden.to_vec(), activation, init: Init::He, init_scale: 1.0 }
}

fn plan(data: DataPlan, model: ModelPlan) -> Plan {
    let range = LrRange::new(1e-5, 10.0).unwrap();
    Plan {
        name: "test".to_owned(),
        data,
        model,
        init_from: None,
        training: TrainingPlan {
            optimizer: OptimizerPlan { rule: SGD, weight_decay: 0.0, decoupled: false },
            batch_size: 7,
            accumulate: 1,
            epochs: 10.0,
            learning_rate: None,
            learning_rate_line: None,
            decay: Decay::Constant,
            decay_epochs: None,
            warmup_iterations: 0,
            label_smoothing: 0.0,
            clip_norm: None,
        },
        search: SearchPlan {
            range,
            extend: true,
            iterations: 100,
            long_iterations: Some(100),
            seeds: 3,
            first_seed: 0,
            resolution: 0.1,
            safety: 2.0,
            check_margin: 2.0,
            budget: None,
        },
        device: DeviceKind::Flex,
    }
}

fn spec(rate: f64, seed: u64) -> TrialSpec {
    TrialSpec::steady(LearningRate::new(rate).unwrap(), seed, 100)
}

/// Sixteen trials, a few of which blow up beside the others.
fn specs() -> Vec<TrialSpec> {
    let rate = |k: u64| if k % 5 == 4 { 1e9 } else { 1e-3 * 2f64.powi(k as i32) };
    (0..16).map(|k| spec(rate(k), k % 3)).collect()
}

/// Steps before and after the lanes are thinned out.
const STEPS: [usize; 2] = [7, 5];

/// All bits of each trial's losses and probes, run `width` at a time; after seven steps every second lane is dropped.
fn bits(task: &Task, specs: &[TrialSpec], width: usize) -> Vec<Vec<u64>> {
    let mut all = Vec::new();
    for group in specs.chunks(width) {
        let mut run = task.start(group).unwrap();
        let mut live: Vec<(usize, &TrialSpec)> = group.iter().enumerate().collect();
        let mut seen = vec![Vec::new(); group.len()];
        for steps in STEPS {
            let rates: Vec<f64> = live.iter().map(|(_, spec)| spec.learning_rate.get()).collect();
            for _ in 0..steps {
                for ((lane, _), loss) in live.iter().zip(run.step(&rates).unwrap()) {
                    seen[*lane].push(loss.to_bits());
                }
            }
            for ((lane, _), loss) in live.iter().zip(run.probe().unwrap()) {
                seen[*lane].push(loss.to_bits());
            }
            // By seed, so that a trial is kept or dropped whatever the width.
            let keep: Vec<bool> = live.iter().map(|(_, spec)| spec.seed != 1).collect();
            run.retain(&keep);
            live.retain(|(_, spec)| spec.seed != 1);
        }
        all.extend(seen);
    }
    all
}

fn assert_lanes_do_not_matter(plan: &Plan) {
    let task = build(plan).unwrap();
    let alone = bits(&task, &specs(), 1);
    assert_eq!(alone[0].len(), STEPS[0] + STEPS[1] + 2);
    for width in [3, 4, 16] {
        assert_eq!(bits(&task, &specs(), width), alone, "width {width}: {plan:?}");
    }
    let backwards: Vec<TrialSpec> = specs().into_iter().rev().collect();
    let mut reversed = bits(&task, &backwards, 16);
    reversed.reverse();
    assert_eq!(reversed, alone, "reversed: {plan:?}");
}

#[test]
fn a_lane_does_not_depend_on_its_neighbours_whatever_the_model() {
    use Activation::{Gelu, Relu, Silu, Tanh};
    let linear = ModelPlan::Linear { init: Init::Pytorch };
    for device in DEVICES {
        for (data, model) in [
            (spirals(), mlp(&[16, 16], Relu)),
            (spirals(), mlp(&[33, 5], Tanh)),
            (spirals(), mlp(&[1], Gelu)),
            (spirals(), linear.clone()),
            (regression(60, 13), mlp(&[20, 20, 20], Silu)),
            (regression(60, 1), mlp(&[64], Relu)),
            (regression(60, 70), linear.clone()),
            (bowl(&[1.0, 10.0, 0.1], 0.2), ModelPlan::Quadratic),
        ] {
            for batch_size in [1, 7, 32, 0] {
                let mut plan = Plan { device, ..plan(data.clone(), model.clone()) };
                plan.training.batch_size = batch_size;
                assert_lanes_do_not_matter(&plan);
            }
        }
    }
}

#[test]
fn a_lane_does_not_depend_on_its_neighbours_whatever_the_optimizer() {
    for device in DEVICES {
        for rule in rules() {
            let mut plan = Plan { device, ..plan(spirals(), mlp(&[16, 16], Activation::Relu)) };
            plan.training.optimizer = OptimizerPlan { rule, weight_decay: 0.01, decoupled: true };
            plan.training.clip_norm = Some(1.0);
            plan.training.label_smoothing = 0.1;
            assert_lanes_do_not_matter(&plan);
        }
    }
}

#[test]
fn training_works_and_a_wild_rate_blows_up() {
    for device in DEVICES {
        let task = build(&Plan { device, ..plan(regression(60, 4), mlp(&[32, 32], Activation::Tanh)) }).unwrap();
        let rates = [0.05, 1e3];
        let mut run = task.start(&rates.map(|rate| spec(rate, 0))).unwrap();
        let before = run.probe().unwrap();
        assert_eq!(before[0].to_bits(), before[1].to_bits(), "both lanes begin alike");
        for _ in 0..200 {
            run.step(&rates).unwrap();
        }
        let after = run.probe().unwrap();
        assert!(after[0] < 0.5 * before[0], "{before:?} to {after:?}");
        assert!(!after[1].is_finite(), "{before:?} to {after:?}");
    }
}

#[test]
fn both_devices_agree() {
    let run = |device, activation| {
        let task = build(&Plan { device, ..plan(spirals(), mlp(&[16, 16], activation)) }).unwrap();
        let mut run = task.start(&[spec(0.05, 0), spec(0.05, 1)]).unwrap();
        (0..30).flat_map(|_| run.step(&[0.05, 0.05]).unwrap()).collect::<Vec<_>>()
    };
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Silu] {
        for (flex, ndarray) in run(DeviceKind::Flex, activation).iter().zip(run(DeviceKind::Ndarray, activation)) {
            assert!((flex - ndarray).abs() < 1e-5 * flex.abs(), "{activation:?}: {flex} and {ndarray}");
        }
    }
}

/// With step ε the loss of a one-dimensional quadratic shrinks by (1 − ε·λ)² at every step: below 2/λ it falls, above it grows.
#[test]
fn the_quadratic_has_its_textbook_threshold() {
    let task = build(&plan(bowl(&[4.0], 0.0), ModelPlan::Quadratic)).unwrap();
    let rates = [0.1, 0.49, 0.51];
    let mut run = task.start(&rates.map(|rate| spec(rate, 2))).unwrap();
    let first = run.step(&rates).unwrap();
    let second = run.step(&rates).unwrap();
    for ((a, b), rate) in first.iter().zip(second).zip(rates) {
        let factor = (1.0 - rate * 4.0f64).powi(2);
        assert!((b / a - factor).abs() < 1e-4 * factor, "{rate}: {a} to {b}");
    }
}

/// The handwritten digits as images, shifted at random, with spoilt labels.
fn images() -> DataPlan {
    DataPlan::Npz {
        path: concat!(env!("CARGO_MANIFEST_DIR"), "/configs/data/digits.npz").into(),
        source: "data/digits.npz".to_owned(),
        inputs: "images".to_owned(),
        targets: "labels".to_owned(),
        task: TaskKind::Classification,
        channels_last: false,
        prepare: PreparePlan {
            standardize: false,
            held_out: 0.9,
            split_seed: 0,
            label_noise: 0.1,
            share: 1.0,
            augment: Some(AugmentPlan { flip: true, crop: 1 }),
        },
    }
}

#[test]
fn a_lane_does_not_depend_on_its_neighbours_where_images_are_augmented() {
    for batch_size in [7, 0] {
        let mut plan = plan(images(), mlp(&[8], Activation::Relu));
        plan.training.batch_size = batch_size;
        assert_lanes_do_not_matter(&plan);
    }
}

#[test]
fn a_batch_in_parts_trains_as_the_whole_one() {
    for (data, batch_size) in [(spirals(), 32), (regression(60, 4), 32), (spirals(), 0)] {
        let losses = |accumulate| {
            let mut plan = plan(data.clone(), mlp(&[16], Activation::Tanh));
            (plan.training.batch_size, plan.training.accumulate) = (batch_size, accumulate);
            let task = build(&plan).unwrap();
            let mut run = task.start(&[spec(0.1, 0), spec(0.1, 1)]).unwrap();
            (0..30).flat_map(|_| run.step(&[0.1, 0.1]).unwrap()).collect::<Vec<_>>()
        };
        let whole = losses(1);
        for accumulate in [2, 5, 32] {
            for (parts, whole) in losses(accumulate).iter().zip(&whole) {
                assert!((parts - whole).abs() < 1e-4 * whole, "{accumulate}: {parts}, not {whole}");
            }
        }
    }
}

#[test]
fn lanes_do_not_matter_to_a_batch_in_parts() {
    let mut plan = plan(spirals(), mlp(&[16], Activation::Relu));
    plan.training.accumulate = 3;
    assert_lanes_do_not_matter(&plan);
}

#[test]
fn trials_of_one_seed_are_paired() {
    let task = build(&plan(regression(60, 4), mlp(&[8], Activation::Relu))).unwrap();
    let mut run = task.start(&[spec(1e-3, 5), spec(1e-1, 5), spec(1e-3, 6)]).unwrap();
    let losses = run.step(&[1e-3, 1e-1, 1e-3]).unwrap();
    assert_eq!(losses[0].to_bits(), losses[1].to_bits());
    assert_ne!(losses[0].to_bits(), losses[2].to_bits());
}

#[test]
fn a_run_without_lanes_is_empty_and_a_missing_rate_is_an_error() {
    let task = build(&plan(spirals(), mlp(&[4], Activation::Relu))).unwrap();
    let mut run = task.start(&[spec(0.1, 0), spec(0.1, 1)]).unwrap();
    assert!(run.step(&[0.1]).is_err());
    run.retain(&[false, false]);
    assert_eq!((run.step(&[]).unwrap(), run.probe().unwrap()), (vec![], vec![]));
}

#[test]
fn facts_describe_the_task() {
    let mut plan = plan(
        DataPlan::Csv {
            path: concat!(env!("CARGO_MANIFEST_DIR"), "/configs/data/digits.csv.gz").into(),
            source: "data/digits.csv.gz".to_owned(),
            target: Column::Index(-1),
            task: TaskKind::Classification,
            header: None,
            shape: None,
            prepare: PreparePlan {
                standardize: true,
                held_out: 0.2,
                split_seed: 0,
                label_noise: 0.0,
                share: 1.0,
                augment: None,
            },
        },
        mlp(&[64, 64], Activation::Relu),
    );
    plan.training.batch_size = 32;
    plan.training.optimizer.rule = UpdateRule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false };
    let task = build(&plan).unwrap();
    let facts = task.facts();
    assert_eq!(facts.model, "MLP 64-64-64-10, ReLU");
    assert_eq!(facts.optimizer, "SGD with momentum 0.9");
    assert_eq!(facts.parameters, 64 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10);
    // 1797 examples, of which 359 are held out.
    assert_eq!((facts.examples, facts.batch_size, facts.iterations_per_epoch), (1438, 32, 45));
    // Two of them fit four times any second-level cache.
    assert!(task.max_lanes() > 1, "{:?}", task.footprint());
    let limits = Limits { lanes: Some(0), ..Limits::default() };
    assert_eq!(build_within(&plan, limits).unwrap().max_lanes(), 1);
}

#[test]
fn a_large_model_is_not_stacked() {
    let mut plan = plan(regression(100, 784), mlp(&[256, 128], Activation::Relu));
    plan.training.batch_size = 64;
    let footprint = *build(&plan).unwrap().footprint();
    // Two do not fit four times the 1 MiB of second-level cache of the cores that were measured.
    assert!(footprint.step > 2 << 20, "{footprint:?}");
    // What is computed at once is what counts.
    let mut wide = self::plan(regression(4000, 100), mlp(&[32], Activation::Relu));
    wide.training.batch_size = 3000;
    let whole = build(&wide).unwrap().footprint().step;
    wide.training.accumulate = 100;
    assert!(whole > 4 * build(&wide).unwrap().footprint().step);
}

fn refusal(plan: &Plan) -> String {
    build(plan).expect_err("should be refused").to_string()
}

#[test]
fn refuses_what_does_not_go_together_and_says_what_to_write() {
    let sound = plan(regression(60, 4), mlp(&[8], Activation::Relu));
    let mut large = sound.clone();
    large.training.batch_size = 61;
    assert!(refusal(&large).contains("61 is larger than the training part of 60 examples"), "{}", refusal(&large));
    let mut flat = images();
    if let DataPlan::Npz { prepare, .. } = &mut flat {
        prepare.augment = Some(AugmentPlan { flip: false, crop: 8 });
    }
    assert!(refusal(&Plan { data: flat, ..sound.clone() }).contains("a crop below 8"));
    let mut smooth = sound.clone();
    smooth.training.label_smoothing = 0.1;
    assert!(refusal(&smooth).contains("leave label-smoothing out"));
    for hidden in [vec![1_000_000, 1_000_000], vec![usize::MAX, usize::MAX]] {
        let huge = Plan { model: mlp(&hidden, Activation::Relu), ..sound.clone() };
        assert!(refusal(&huge).contains("GiB"), "{}", refusal(&huge));
    }
    let hollow = Plan { model: mlp(&[8, 0], Activation::Relu), ..sound.clone() };
    assert!(refusal(&hollow).contains("width 0"), "{}", refusal(&hollow));
    assert!(refusal(&plan(bowl(&[], 0.0), ModelPlan::Quadratic)).contains("write curvatures"));
    assert!(refusal(&Plan { model: ModelPlan::Quadratic, ..sound.clone() }).contains("kind = \"linear\""));
    assert!(refusal(&Plan { data: bowl(&[1.0], 0.0), ..sound }).contains("kind = \"quadratic\""));
}

/// A trial that goes on from where a shorter one ended is, to the bit, the trial that was never interrupted.
#[test]
fn a_resumed_trial_is_the_uninterrupted_one() {
    let mut plan = plan(spirals(), mlp(&[8], Activation::Tanh));
    plan.training.optimizer.rule = UpdateRule::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false };
    let task = build(&plan).unwrap();
    let cancel = crate::trial::Cancel::default();
    let longer = |shorter: &TrialSpec| TrialSpec { iterations: 40, ..*shorter };
    let specs: Vec<TrialSpec> = (0..3).map(|k| TrialSpec { iterations: 25, ..spec(1e-3 * 3f64.powi(k), k as u64) }).collect();
    let whole: Vec<TrialSpec> = specs.iter().map(longer).collect();
    let whole = crate::trial::drive(&task, &whole, 3, &cancel, &crate::record::Silent);
    let fresh: Vec<_> = specs.iter().map(|&spec| crate::trial::Start { spec, from: None }).collect();
    let parts = crate::trial::drive_from(&task, &fresh, 2, &cancel, &crate::record::Silent);
    let resumed: Vec<_> = parts
        .into_iter()
        .map(|(record, state)| crate::trial::Start { spec: longer(&record.spec), from: Some((record, state.unwrap())) })
        .collect();
    let resumed = crate::trial::drive_from(&task, &resumed, 3, &cancel, &crate::record::Silent);
    assert_eq!(whole, resumed.into_iter().map(|(record, _)| record).collect::<Vec<_>>());
}
