//! Random streams. Every random number of a run comes from a ChaCha8 stream whose key is (seed, purpose, index), so no draw
//! depends on how much another purpose has drawn, nor on the order in which trials run.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::wide::wide;

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

/// Standard normal, one value for two draws; always finite, at most 8.6 in size.
pub(crate) fn standard_normal(rng: &mut impl Rng) -> f64 {
    let (first, second) = (unit(rng), unit(rng));
    normal(first, second)
}

/// That of two numbers uniform on [0, 1) (Box & Muller 1958).
fn normal(first: f64, second: f64) -> f64 {
    // 1 − u is in (0, 1], so its logarithm is finite.
    (-2.0 * (1.0 - first).ln()).sqrt() * (std::f64::consts::TAU * second).cos()
}

/// `count` times a [standard normal](standard_normal) times `deviation`, in single precision: the same draws to the bit, at a tenth of
/// the time. Large networks have more initial weights than a short trial has steps to pay for them.
///
/// The system's logarithm and cosine take one number at a time. Here they are worked out many at a time, to an error that is known;
/// where it leaves a doubt about the last bit, the system's decide.
pub(crate) fn normals(rng: &mut impl Rng, deviation: f64, count: usize) -> Vec<f32> {
    const TOGETHER: usize = 64;
    let mut normals = Vec::with_capacity(count);
    let (mut first, mut second) = ([0.0; TOGETHER], [0.0; TOGETHER]);
    while normals.len() < count {
        let wanted = TOGETHER.min(count - normals.len());
        for (first, second) in first.iter_mut().zip(&mut second).take(wanted) {
            (*first, *second) = (unit(rng), unit(rng));
        }
        let (mut low, mut high) = ([0.0; TOGETHER], [0.0; TOGETHER]);
        let ends = low.iter_mut().zip(&mut high).zip(first.iter().zip(&second));
        wide!(for ((low, high), (&first, &second)) in ends {
            (*low, *high) = normal_within(first, second, deviation);
        });
        for place in 0..wanted {
            let is_sure = low[place].to_bits() == high[place].to_bits();
            normals.push(if is_sure { low[place] } else { (deviation * normal(first[place], second[place])) as f32 });
        }
    }
    normals
}

/// Between which two numbers `deviation` times the [normal] of two uniform draws lies, in single precision.
#[inline(always)]
fn normal_within(first: f64, second: f64, deviation: f64) -> (f32, f32) {
    // 2π times a number below 1 is rounded twice by 7·10⁻¹⁶ at most; the rest is below 2·10⁻¹⁵.
    const ERROR: f64 = 1e-14;
    let radius = (-2.0 * logarithm(1.0 - first)).sqrt();
    let (about, error) = (radius * cosine_of_turns(second), radius * ERROR);
    ((deviation * (about - error)) as f32, (deviation * (about + error)) as f32)
}

/// ln x for 0 < x ≤ 1, to a relative error of 10⁻¹⁵.
///
/// x = m·2ᵏ with m between √½ and √2, and ln m = 2·artanh s with s = (m − 1)/(m + 1), by its series.
#[inline(always)]
fn logarithm(x: f64) -> f64 {
    /// Where the exponent lies.
    const EXPONENT: u32 = 52;
    let exponent = (x.to_bits().wrapping_sub(std::f64::consts::FRAC_1_SQRT_2.to_bits()).cast_signed() >> EXPONENT) as i32;
    let mantissa = f64::from_bits(x.to_bits().wrapping_sub((i64::from(exponent) << EXPONENT).cast_unsigned()));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let mut series = 1.0 / 21.0;
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        series = series * square + 1.0 / odd;
    }
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * s * series
}

/// cos 2πx for 0 ≤ x ≤ 1, to an absolute error of 10⁻¹⁵.
///
/// The nearest quarter of a turn is taken off, exactly; what is left is at most π/4, for which there are the series.
#[inline(always)]
fn cosine_of_turns(x: f64) -> f64 {
    /// 1.5 · 2⁵²: what is added to it loses its fraction, and the last bits are the whole number.
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let quarters = 4.0 * x;
    let shifted = quarters + WHOLE;
    let angle = (quarters - (shifted - WHOLE)) * std::f64::consts::FRAC_PI_2;
    let square = angle * angle;
    let (mut cosine, mut sine) = (1.0, 1.0);
    for (of_cosine, of_sine) in
        [(240.0, 272.0), (182.0, 210.0), (132.0, 156.0), (90.0, 110.0), (56.0, 72.0), (30.0, 42.0), (12.0, 20.0), (2.0, 6.0)]
    {
        cosine = 1.0 - cosine * square * (1.0 / of_cosine);
        sine = 1.0 - sine * square * (1.0 / of_sine);
    }
    let sine = sine * angle;
    let turned = shifted.to_bits();
    let size = if turned & 1 == 0 { cosine } else { sine };
    // Negative in the second and the third quarter: after one turn by a right angle or two.
    if (turned + 1) & 2 == 0 { size } else { -size }
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

    #[test]
    fn normals_have_the_moments_of_the_normal() {
        let mut rng = stream(7, Purpose::Noise, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| standard_normal(&mut rng)).collect();
        let moment = |k| draws.iter().map(|x| x.powi(k)).sum::<f64>() / draws.len() as f64;
        assert!(draws.iter().all(|x| x.is_finite()));
        assert!(moment(1).abs() < 0.015, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.02, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.15, "{}", moment(4));
    }

    #[test]
    fn many_normals_at_once_are_those_drawn_one_by_one() {
        for (deviation, count) in [(1.0, 300_000), (0.05, 100_000), (1e-30, 1000), (0.0, 100), (3.7, 1)] {
            let (mut rng, mut same) = (stream(5, Purpose::Weights, 0), stream(5, Purpose::Weights, 0));
            let expected: Vec<u32> = (0..count).map(|_| ((deviation * standard_normal(&mut same)) as f32).to_bits()).collect();
            let drawn: Vec<u32> = normals(&mut rng, deviation, count).into_iter().map(f32::to_bits).collect();
            assert!(drawn == expected, "deviation {deviation}");
            assert_eq!(rng.next_u64(), same.next_u64(), "as many draws");
        }
    }

    #[test]
    fn normals_worked_out_together_are_near_the_systems() {
        // What turns a bound on errors into the right bits is that it is far from reached.
        let mut rng = stream(11, Purpose::Weights, 0);
        for place in 0..100_000 {
            let first = [0.0, 1.0 - f64::EPSILON / 2.0, f64::EPSILON][..].get(place).copied().unwrap_or_else(|| unit(&mut rng));
            let x = 1.0 - first;
            assert!((logarithm(x) - x.ln()).abs() <= 1e-15 * x.ln().abs(), "ln {x}: {} not {}", logarithm(x), x.ln());
            let turn = [0.0, 0.125, 0.25, 0.5, 0.75, 0.875][..].get(place).copied().unwrap_or_else(|| unit(&mut rng));
            let cosine = (std::f64::consts::TAU * turn).cos();
            assert!((cosine_of_turns(turn) - cosine).abs() < 2e-15, "cos {turn}: {} not {cosine}", cosine_of_turns(turn));
        }
    }

    #[test]
    fn a_number_between_two_of_single_precision_is_left_to_the_system() {
        // The draws that come to a cosine of 1 and a radius r, for an r halfway between two numbers.
        let halfway = 1.0 + f64::from(f32::EPSILON) / 2.0;
        let first = 1.0 - (-halfway * halfway / 2.0).exp();
        let (low, high) = normal_within(first, 0.0, 1.0);
        assert_eq!((low, high), (1.0, 1.0 + f32::EPSILON));
        let (low, high) = normal_within(0.3, 0.1, 1.0);
        assert_eq!(low.to_bits(), high.to_bits());
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
