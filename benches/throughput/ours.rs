//! Our side: trials through the engine of `find`, and what the machine could do.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use lrfind::record::{Outcome, Spacing};
use lrfind::search::{Ramp, ramps};
use lrfind::task::Task;
use lrfind::{LearningRate, RunOptions};

/// Trial-iterations a second of `trials` trials on so many workers.
pub(crate) fn rate(task: &Task, trials: u32, iterations: u32, workers: usize) -> f64 {
    let rate = |value| LearningRate::new(value).expect("the rate is positive");
    let ramp = Ramp {
        start: rate(1e-4),
        end: rate(1e-3),
        spacing: Spacing::Exponential,
        iterations: iterations.into(),
        first_seed: 0,
        seeds: trials as usize,
    };
    let started = Instant::now();
    let sweep = ramps(task, &ramp, &RunOptions { jobs: workers, ..RunOptions::default() });
    let seconds = started.elapsed().as_secs_f64();
    assert!(sweep.trials.iter().all(|trial| trial.outcome == Outcome::Completed), "every trial comes to its end");
    sweep.trial_iterations() as f64 / seconds
}

/// Floating-point operations a second of matrix products `[64, 784] · [784, 256]`, the largest of the MNIST MLP, on so many
/// threads at once.
pub(crate) fn peak(workers: usize) -> f64 {
    const SHAPE: [usize; 3] = [64, 784, 256];
    const PRODUCTS: u32 = 400;
    let work = || {
        let device = Device::flex();
        let random = |shape| Tensor::<2>::random(shape, Distribution::Default, &device);
        let (a, b) = (random([SHAPE[0], SHAPE[1]]), random([SHAPE[1], SHAPE[2]]));
        for _ in 0..PRODUCTS {
            std::hint::black_box(a.clone().matmul(b.clone()));
        }
    };
    let started = Instant::now();
    // A pool of one thread each: burn would spread a product over all threads it sees.
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("threads can be had");
            scope.spawn(move || pool.install(work));
        }
    });
    let operations = 2.0 * SHAPE.iter().product::<usize>() as f64 * f64::from(PRODUCTS);
    operations * workers as f64 / started.elapsed().as_secs_f64()
}
