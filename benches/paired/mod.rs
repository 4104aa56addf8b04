//! Two things compared in pairs: they alternate, so that their ratio does not depend on what else the machine does.

use std::time::Instant;

use super::cpu;

/// What pairs of a first and a second thing took.
pub(crate) struct Pairs {
    /// Seconds of each run of either.
    seconds: [Vec<f64>; 2],
    /// Processor time of this program over all runs of either, in seconds; not a number where the system does not say.
    pub(crate) computed: [f64; 2],
    /// The second over the first of each pair, ascending.
    ratios: Vec<f64>,
}

impl Pairs {
    /// Does the second where `work` is given true, else the first, `pairs` times each.
    pub(crate) fn of(pairs: usize, mut work: impl FnMut(bool)) -> Self {
        let (mut seconds, mut computed) = ([Vec::new(), Vec::new()], [0.0, 0.0]);
        for pair in 0..pairs {
            // Whichever goes first, so that neither always finds the processor as the other left it.
            for second in if pair % 2 == 0 { [false, true] } else { [true, false] } {
                let (before, started) = (cpu::seconds(), Instant::now());
                work(second);
                seconds[usize::from(second)].push(started.elapsed().as_secs_f64());
                computed[usize::from(second)] += before.zip(cpu::seconds()).map_or(f64::NAN, |(before, after)| after - before);
            }
        }
        let mut ratios: Vec<f64> = seconds[1].iter().zip(&seconds[0]).map(|(second, first)| second / first).collect();
        ratios.sort_by(f64::total_cmp);
        Self { seconds, computed, ratios }
    }

    /// The median seconds of either.
    pub(crate) fn medians(&self) -> [f64; 2] {
        self.seconds.each_ref().map(|seconds| lrfind::analysis::median(seconds).unwrap_or(f64::NAN))
    }

    /// The ratios in words.
    pub(crate) fn ratio(&self) -> String {
        let [low, high] = [self.ratios.len() / 4, self.ratios.len() - 1 - self.ratios.len() / 4].map(|at| self.ratios[at]);
        let median = lrfind::analysis::median(&self.ratios).unwrap_or(f64::NAN);
        format!("ratio of pairs: median {median:.4}, middle half {low:.4} to {high:.4}")
    }
}
