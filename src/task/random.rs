//! Random streams. Every random number of a run comes from a ChaCha8 stream whose key is (seed, purpose, index), so no draw
//! depends on how much another purpose has drawn, nor on the order in which trials run.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

mod normal;

pub(crate) use normal::{normals, standard_normal};

/// What a stream is for. The numbers are part of every key: changing one changes results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Purpose {
    /// Which examples are held out.
    Split = 1,
    /// The teacher of a synthetic problem.
    Teacher = 2,
    /// The inputs of a synthetic problem.
    Inputs = 3,
    /// The noise of a synthetic problem.
    Noise = 4,
    /// Initial weights.
    Weights = 5,
    /// The order of the examples in an epoch.
    Order = 6,
    /// The jitter of the quadratic problem.
    Jitter = 7,
    /// Which examples are probed.
    Probe = 8,
    /// Which examples of a file are used.
    Sample = 9,
    /// Which labels are replaced, and by what.
    LabelNoise = 20,
    /// How images are flipped and shifted.
    Augment = 21,
    /// Which values a dropout layer drops.
    Dropout = 22,
}

/// The stream of (`seed`, `purpose`, `index`).
///
/// The three numbers are the key, little-endian, and a fixed tag fills it up: ChaCha makes streams of different keys
/// independent, so nothing needs hashing.
pub(crate) fn stream(seed: u64, purpose: Purpose, index: u64) -> ChaCha8Rng {
    let mut key = *b"........................lrfind 1";
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Uniform on [0, 1), in steps of 2⁻⁵³.
fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Uniform on [`low`, `high`), up to rounding.
pub(crate) fn uniform(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(rng)
}

/// Uniform on 0..`n`, but for a bias below 2⁻³²; `n` must fit a `u32`. It is the high half of a 64 × 64 bit product.
pub(crate) fn below(n: usize, rng: &mut impl Rng) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The numbers 0..`n` in random order (Fisher & Yates, as in Durstenfeld 1964). `n` must fit a `u32`; data sets do, by their
/// limit on memory.
pub(crate) fn shuffled(n: usize, rng: &mut impl Rng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, below(last + 1, rng));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_decides_the_stream_and_each_part_of_it_counts() {
        let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
        let base = first(1, Purpose::Weights, 2);
        assert_eq!(base, first(1, Purpose::Weights, 2));
        for other in [first(2, Purpose::Weights, 1), first(1, Purpose::Order, 2), first(1, Purpose::Weights, 3)] {
            assert_ne!(base, other);
        }
        let purposes = [
            Purpose::Split,
            Purpose::Teacher,
            Purpose::Inputs,
            Purpose::Noise,
            Purpose::Weights,
            Purpose::Order,
            Purpose::Jitter,
            Purpose::Probe,
            Purpose::LabelNoise,
            Purpose::Augment,
            Purpose::Dropout,
        ];
        assert_eq!(purposes.map(|p| p as u64), [1, 2, 3, 4, 5, 6, 7, 8, 20, 21, 22]);
    }

    /// Yields the same bits for ever.
    struct Fixed(u64);
    impl rand::TryRng for Fixed {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0 as u32)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(self.0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(self.0 as u8);
            Ok(())
        }
    }

    #[test]
    fn the_extreme_draws_are_finite_and_in_range() {
        for bits in [0, u64::MAX] {
            assert!(standard_normal(&mut Fixed(bits)).abs() < 8.6);
            assert!((-3.0..5.0).contains(&uniform(&mut Fixed(bits), -3.0, 5.0)));
            let mut order = shuffled(5, &mut Fixed(bits));
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn uniform_fills_its_interval() {
        let mut rng = stream(3, Purpose::Inputs, 0);
        let draws: Vec<f64> = (0..10_000).map(|_| uniform(&mut rng, 2.0, 4.0)).collect();
        let mean = draws.iter().sum::<f64>() / 1e4;
        assert!((mean - 3.0).abs() < 0.03 && draws.iter().any(|&x| x < 2.01) && draws.iter().any(|&x| x > 3.99));
    }

    #[test]
    fn every_order_of_three_is_equally_likely() {
        let mut counts = std::collections::HashMap::new();
        let mut rng = stream(0, Purpose::Order, 0);
        for _ in 0..6000 {
            *counts.entry(shuffled(3, &mut rng)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&n| (850..1150).contains(&n)), "{counts:?}");
        assert!(shuffled(0, &mut rng).is_empty());
    }
}
