//! Made-up tasks that differ in one thing at a time.

use serde_json::Value;

/// Iterations of the planned run of every task, so that its length does not differ too.
const PLANNED: f64 = 5000.0;

const BATCH: f64 = 32.0;

/// One thing that grows.
pub(crate) struct Growth {
    /// What it is called in table and plot.
    pub(crate) name: &'static str,
    /// From the smallest case to the largest.
    pub(crate) sizes: &'static [f64],
    what: What,
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    Seeds,
    Resolution,
    Width,
    Samples,
}

pub(crate) const GROWTHS: &[Growth] = &[
    Growth { name: "seeds", sizes: &[1.0, 2.0, 4.0, 8.0], what: What::Seeds },
    Growth { name: "steps of the threshold in a decade", sizes: &[2.5, 5.0, 10.0, 20.0, 40.0], what: What::Resolution },
    Growth { name: "parameters", sizes: &[16.0, 32.0, 64.0, 128.0, 256.0], what: What::Width },
    Growth { name: "training examples", sizes: &[640.0, 2560.0, 10_240.0, 40_960.0], what: What::Samples },
];

impl Growth {
    /// A teacher's outputs learnt by a network of two hidden layers; all but one thing is the same in all cases.
    pub(crate) fn config(&self, size: f64) -> String {
        let or = |what: What, usual: f64| if self.what == what { size } else { usual };
        let (width, samples) = (or(What::Width, 32.0), or(What::Samples, 2560.0));
        let epochs = PLANNED / (0.8 * samples / BATCH).floor();
        let (seeds, resolution) = (or(What::Seeds, 2.0), 1.0 / or(What::Resolution, 10.0));
        format!(
            "[data]\nkind = \"synthetic\"\nproblem = \"teacher-student\"\nsamples = {samples}\n\
             [model]\nkind = \"mlp\"\nhidden = [{width}, {width}]\n\
             [training]\noptimizer = \"momentum\"\nbatch-size = {BATCH}\nepochs = {epochs}\nlearning-rate = 0.01\n\
             [search]\nseeds = {seeds}\nresolution = {resolution}\n"
        )
    }

    /// The size that is told: of a width and of samples, what the report makes of them.
    pub(crate) fn shown(&self, size: f64, facts: &Value) -> f64 {
        let fact = |key: &str| facts[key].as_f64().unwrap_or(f64::NAN);
        match self.what {
            What::Width => fact("parameters"),
            What::Samples => fact("examples"),
            What::Seeds | What::Resolution => size,
        }
    }
}
