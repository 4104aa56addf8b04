//! The measured threshold against the theory, where there is one.

mod common;

use common::Quadratic;
use lrfind::{Report, RunOptions, Study};

fn find(problem: &Quadratic) -> Report {
    let mut study = Study::new("quadratic", problem);
    study.search.resolution = 0.02;
    study.momentum = problem.momentum;
    study.find(&RunOptions::default())
}

/// Within 3 % of the theory, and never recommended at or above it.
fn assert_threshold(problem: &Quadratic) {
    let report = find(problem);
    let truth = problem.threshold();
    let measured = report.instability.threshold.unwrap_or_else(|| panic!("no threshold for {problem:?}"));
    let error = measured / truth - 1.0;
    assert!(error.abs() < 0.03, "{:+.1} % for {problem:?}: {measured} instead of {truth}", 100.0 * error);
    let recommended = report.recommendation.learning_rate.unwrap_or_else(|| panic!("{:?}", report.recommendation));
    assert!(recommended < truth, "{recommended} for {problem:?}");
}

fn spectra() -> Vec<Vec<f64>> {
    let ill =
        |top: f64, condition: f64, n: i32| (0..n).map(|i| top * condition.powf(-f64::from(i) / f64::from(n - 1))).collect();
    let mut spectra: Vec<Vec<f64>> = (-3..=3).map(|k| vec![10f64.powi(k)]).collect();
    spectra.extend([ill(1.0, 1e2, 10), ill(100.0, 1e4, 10), ill(1e-2, 1e6, 20), ill(7.3, 30.0, 2), vec![1.0; 50]]);
    spectra
}

#[test]
fn gradient_descent_on_quadratics() {
    for curvatures in spectra() {
        assert_threshold(&Quadratic::sgd(&curvatures));
    }
}

#[test]
fn momentum_and_nesterov_on_quadratics() {
    for curvatures in spectra() {
        for nesterov in [false, true] {
            assert_threshold(&Quadratic { momentum: 0.9, nesterov, ..Quadratic::sgd(&curvatures) });
        }
    }
}

#[test]
fn noisy_quadratics() {
    for curvatures in spectra() {
        for noise in [0.01, 0.1, 0.3] {
            assert_threshold(&Quadratic { noise, ..Quadratic::sgd(&curvatures) });
            assert_threshold(&Quadratic { noise, momentum: 0.9, ..Quadratic::sgd(&curvatures) });
        }
        // Nesterov amplifies noise most, and its stationary level is reached only after a trial's length.
        for noise in [0.01, 0.1] {
            assert_threshold(&Quadratic { noise, momentum: 0.9, nesterov: true, ..Quadratic::sgd(&curvatures) });
        }
    }
}

#[test]
fn quadratics_whose_rate_cannot_be_changed_within_a_trial() {
    for curvatures in spectra() {
        assert_threshold(&Quadratic { fixed_rate: true, ..Quadratic::sgd(&curvatures) });
    }
}
