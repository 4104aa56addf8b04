//! Elementary functions in single precision, written so that a loop over them is compiled to vector instructions. The system's
//! own take one number at a time.
//!
//! All give not-a-number for not-a-number, and the same bits on every processor.

/// eˣ, to a relative error of 2·10⁻⁷; 0 below −86.9 and infinity above 88.7, where single precision ends.
///
/// x = n·ln 2 + r with a whole n; e^r by the polynomial of the Cephes library (Moshier 1992, `expf`), 2ⁿ by writing the exponent.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// 1.5 · 2²³: what is added to it loses its fraction, and the last bits are the whole number.
    const WHOLE: f32 = 12_582_912.0;
    /// ln 2 in two parts, so that n times the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Not `clamp`, `min` or `max`: comparisons let not-a-number through.
    let low = if x < -86.9 { -86.9 } else { x };
    let within = if low > 88.7 { 88.7 } else { low };
    let shifted = within * std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = within - n * LN_2[0] - n * LN_2[1];
    let mut p = 1.987_569_1e-4;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + coefficient;
    }
    // Half of the power first: 2¹²⁸ by itself is out of reach.
    let half = f32::from_bits((shifted.to_bits() << 23).wrapping_add(126 << 23));
    let power = (p * r * r + r + 1.0) * half * 2.0;
    let power = if x < -86.9 { 0.0 } else { power };
    if x > 88.7 { f32::INFINITY } else { power }
}

/// tanh x, to an absolute error of 5·10⁻⁷.
///
/// A quotient of polynomials, as in Eigen (`generic_fast_tanh_float`); beyond ±7.9 single precision has nothing but ±1.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let low = if x < -7.905_311 { -7.905_311 } else { x };
    let x = if low > 7.905_311 { 7.905_311 } else { low };
    let square = x * x;
    let mut above = -2.760_768_5e-16;
    for coefficient in [2.000_188e-13, -8.604_672e-11, 5.122_297_1e-8, 1.485_722_4e-5, 6.372_619_3e-4, 4.893_524_6e-3] {
        above = above * square + coefficient;
    }
    let mut below = 1.198_258_4e-6;
    for coefficient in [1.185_347e-4, 2.268_434_7e-3, 4.893_525e-3] {
        below = below * square + coefficient;
    }
    x * above / below
}

/// 1 / (1 + e⁻ˣ), to an absolute error of 3·10⁻⁷.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    0.5 * tanh(0.5 * x) + 0.5
}

/// The error function, to an absolute error of 4·10⁻⁷.
///
/// A quotient of polynomials, as in XLA (`ErfImpl32`); beyond ±4 single precision has nothing but ±1.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let low = if x < -4.0 { -4.0 } else { x };
    let x = if low > 4.0 { 4.0 } else { low };
    let square = x * x;
    let mut above = -2.726_142_3e-10;
    for coefficient in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_3e-2] {
        above = above * square + coefficient;
    }
    let mut below = -1.456_607_2e-5;
    for coefficient in [-2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        below = below * square + coefficient;
    }
    x * above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Many numbers between −`far` and `far`.
    fn line(far: f32) -> impl Iterator<Item = f32> {
        (-20_000i16..=20_000).map(move |i| far * f32::from(i) / 20_000.0)
    }

    #[test]
    fn values_are_those_of_double_precision() {
        for x in line(86.8) {
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp {x}: {} not {exact}", exp(x));
        }
        for x in line(12.0) {
            let wide = f64::from(x);
            assert!((f64::from(tanh(x)) - wide.tanh()).abs() < 5e-7, "tanh {x}: {}", tanh(x));
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 3e-7, "sigmoid {x}: {}", sigmoid(x));
            assert!((f64::from(erf(x)) - error_function(wide)).abs() < 4e-7, "erf {x}: {}", erf(x));
        }
    }

    /// 2/√π · Σ (−1)ᵏ x²ᵏ⁺¹ / (k!·(2k+1)), in the form without cancellation: e^(−x²) · Σ 2ᵏ x²ᵏ⁺¹ / (1·3·…·(2k+1)).
    fn error_function(x: f64) -> f64 {
        let (mut term, mut sum) = (x, 0.0);
        for k in 0..600 {
            sum += term;
            term *= 2.0 * x * x / f64::from(2 * k + 3);
        }
        2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
    }

    #[test]
    fn the_ends_are_exact_and_nothing_hides_what_is_no_number() {
        assert_eq!([exp(0.0), exp(-1e9), exp(f32::NEG_INFINITY), exp(1e9)], [1.0, 0.0, 0.0, f32::INFINITY]);
        assert!(exp(88.6).is_finite());
        for function in [exp, tanh, sigmoid, erf] {
            assert!(function(f32::NAN).is_nan());
        }
        for (function, x) in [(tanh as fn(f32) -> f32, 50.0), (erf, 50.0), (sigmoid, 100.0)] {
            assert!((function(x) - 1.0).abs() < 2e-7 && (function(f32::INFINITY) - 1.0).abs() < 2e-7);
        }
    }
}
