//! Linear regression from a CSV file: its threshold follows from the data.

mod common;

use std::fmt::Write as _;

use common::cli::Folder;

const EXAMPLES: usize = 256;
const FEATURES: usize = 4;

/// Uniform numbers from Knuth's MMIX generator.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

fn gaussian(state: &mut u64) -> f64 {
    let (u, v) = (uniform(state), uniform(state));
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Features of different widths about different means.
fn examples() -> Vec<[f64; FEATURES]> {
    let mut state = 7;
    (0..EXAMPLES).map(|_| std::array::from_fn(|j| gaussian(&mut state) * (1.0 + j as f64) + 0.5 * j as f64)).collect()
}

/// The largest eigenvalue of 2/n [X 1]ᵀ[X 1], the Hessian of the mean squared error, by power iteration.
fn largest_curvature(examples: &[[f64; FEATURES]]) -> f64 {
    let mut v = [1.0; FEATURES + 1];
    let mut largest = 0.0;
    for _ in 0..1000 {
        let mut product = [0.0; FEATURES + 1];
        for row in examples {
            let row: [f64; FEATURES + 1] = std::array::from_fn(|j| row.get(j).copied().unwrap_or(1.0));
            let dot: f64 = row.iter().zip(&v).map(|(a, b)| a * b).sum();
            for (sum, a) in product.iter_mut().zip(row) {
                *sum += 2.0 / examples.len() as f64 * a * dot;
            }
        }
        largest = product.iter().map(|p| p * p).sum::<f64>().sqrt();
        v = product.map(|p| p / largest);
    }
    largest
}

#[test]
fn the_threshold_is_two_over_the_largest_eigenvalue() {
    let (folder, examples) = (Folder::new(), examples());
    let mut csv = String::from("a,b,c,d,y\n");
    for [a, b, c, d] in &examples {
        let y = 1.5 * a - 0.5 * b + 0.25 * c + 2.0 * d - 1.0;
        writeln!(csv, "{a},{b},{c},{d},{y}").unwrap();
    }
    folder.write("line.csv", csv);
    folder.write(
        "line.toml",
        "[data]\nkind = \"csv\"\npath = \"line.csv\"\ntarget = \"y\"\ntask = \"regression\"\nstandardize = false\n\
         held-out = 0.0\n[model]\nkind = \"linear\"\n[training]\noptimizer = \"sgd\"\nbatch-size = 0\n",
    );
    folder.lrfind("find line.toml --quiet --out out").ends_with(0);
    let report = folder.report("out");
    let (truth, measured) = (2.0 / largest_curvature(&examples), report["instability"]["threshold"].as_f64().unwrap());
    assert!((measured / truth - 1.0).abs() < 0.03, "{measured} instead of {truth}");
    assert!(report["recommendation"]["learning_rate"].as_f64().unwrap() < truth);
}
