//! Which examples of a file are used, where a share of them is asked for.

use rand_chacha::ChaCha8Rng;

use crate::config::PreparePlan;
use crate::task::random::{Purpose, stream, uniform};

/// Says of one example after the other, in the order of the file, whether it is used. Copies say the same, so inputs and targets
/// that lie apart can be read one after the other.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    share: f64,
    seen: u64,
    rng: ChaCha8Rng,
}

impl Sample {
    /// The share that the plan asks for, drawn from the seed of its split.
    pub(super) fn new(plan: &PreparePlan) -> Self {
        Self { share: plan.share, seen: 0, rng: stream(plan.split_seed, Purpose::Sample, 0) }
    }

    /// Whether the next example is used. The first two always are: fewer could not be trained on.
    pub(super) fn takes_next(&mut self) -> bool {
        self.seen += 1;
        // Drawn from 0 to 1, but never 1: a share of 1 is all.
        let drawn = uniform(&mut self.rng, 0.0, 1.0);
        self.seen <= 2 || drawn < self.share
    }

    /// About how many of so many examples are used.
    pub(super) fn about(&self, examples: u64) -> u64 {
        (examples as f64 * self.share).ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::data::only_split;

    fn sample(share: f64, split_seed: u64) -> Sample {
        Sample::new(&PreparePlan { share, ..only_split(0.0, split_seed) })
    }

    fn taken(mut sample: Sample) -> Vec<usize> {
        (0..10_000).filter(|_| sample.takes_next()).collect()
    }

    #[test]
    fn a_share_is_drawn_anew_for_each_seed_and_a_copy_draws_the_same() {
        let few = sample(0.1, 3);
        let drawn = taken(few.clone());
        assert!((850..1150).contains(&drawn.len()) && few.about(10_000) == 1000, "{}", drawn.len());
        assert_eq!(taken(few), drawn);
        assert_ne!(taken(sample(0.1, 4)), drawn);
        // More of them are the same ones and others.
        let more = taken(sample(0.2, 3));
        assert!(drawn.iter().all(|i| more.contains(i)));
    }

    #[test]
    fn a_share_of_one_is_all_and_the_least_is_two() {
        assert_eq!(taken(sample(1.0, 0)).len(), 10_000);
        assert_eq!(taken(sample(1e-12, 0)), [0, 1]);
    }
}
