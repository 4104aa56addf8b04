//! The normal distribution, drawn one number at a time, and many at a time to the same bit.

use rand::Rng;

use super::unit;
use crate::task::wide::wide;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::random::{Purpose, stream};

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
}
