//! Exponentials and logarithms: of whole slices, in a form that the compiler turns into vector code.
//!
//! One row at a time, the library's functions take most of the time of a logistic fit. These have no
//! branches and use plain additions and multiplications only, so that every machine gives the same bits.
//! Their error is below 1 ulp for the exponential and 2 ulp for the logarithm (tested).

/// Arguments below this give 0: the exponential leaves the normal numbers at -708.4.
const LOWEST: f64 = -708.0;
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Adding it rounds to whole numbers, which then stand in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// 1 / k!, k = 2 to 13: the remainder is below 5e-18 for |r| <= ln 2 / 2.
const EXP: [f64; 12] = [
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5040.0,
    1.0 / 40_320.0,
    1.0 / 362_880.0,
    1.0 / 3_628_800.0,
    1.0 / 39_916_800.0,
    1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
];

/// 1 / (2 k + 1), k = 1 to 16: the remainder is below 2e-17 for squares up to 1 / 9.
const ATANH: [f64; 16] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
    1.0 / 25.0,
    1.0 / 27.0,
    1.0 / 29.0,
    1.0 / 31.0,
    1.0 / 33.0,
];

/// The exponential of `x <= 0`; NaN stays NaN, and arguments below -708 give 0.
#[inline]
fn exp(x: f64) -> f64 {
    // Not `max`, which would turn NaN into a number.
    let bounded = if x < LOWEST { LOWEST } else { x };
    let shifted = bounded * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
    // In pairs, so that the terms do not wait for each other.
    let r2 = r * r;
    let pair = |k: usize| EXP[k] + EXP[k + 1] * r;
    let four = |k: usize| pair(k) + pair(k + 2) * r2;
    let r4 = r2 * r2;
    let p = four(0) + r4 * (four(4) + r4 * four(8));
    let fraction = 1.0 + (r + r2 * p);
    // The low bits of `shifted` are n in two's complement, and -1022 < n <= 0.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if x < LOWEST { 0.0 } else { fraction * power }
}

/// Replaces each value, at most 0, by its exponential. Values below -708 give 0, NaN stays NaN.
pub fn exp_all(values: &mut [f64]) {
    for x in values {
        *x = exp(*x);
    }
}

/// `log(1 + x)` for finite `x >= 0`, with all digits for small x; NaN stays NaN.
#[inline]
fn ln_1p(x: f64) -> f64 {
    let u = (1.0 + x).to_bits();
    // 1 + x = 2^e m with m in 1..2, and log m = 2 atanh((m - 1) / (m + 1)).
    let power = f64::from_bits(u & 0x7ff0_0000_0000_0000);
    let e = f64::from_bits((u >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    let s = (x - (power - 1.0)) / (x + (power + 1.0));
    let z = s * s;
    let z2 = z * z;
    let z4 = z2 * z2;
    let pair = |k: usize| ATANH[k] + ATANH[k + 1] * z;
    let four = |k: usize| pair(k) + pair(k + 2) * z2;
    let p = (four(0) + z4 * four(4)) + (z4 * z4) * (four(8) + z4 * four(12));
    let s2 = s + s;
    e * LN_2_HIGH + (s2 + (s2 * (z * p) + e * LN_2_LOW))
}

/// `to = log(1 + x)` for each finite `x >= 0`.
pub fn ln_1p_all(from: &[f64], to: &mut [f64]) {
    for (x, to) in from.iter().zip(to) {
        *to = ln_1p(*x);
    }
}

/// `1 / (1 + exp(-x))`, without overflow on either side.
pub fn sigmoid(x: f64) -> f64 {
    sigmoids(x).0
}

/// [`sigmoid`] of x and of -x, to the last bit, for one exponential.
#[inline]
pub fn sigmoids(x: f64) -> (f64, f64) {
    sigmoids_by(x, (-x.abs()).exp())
}

/// [`sigmoids`] where `exp(-|x|)` is known.
#[inline]
pub fn sigmoids_by(x: f64, e: f64) -> (f64, f64) {
    let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
    if x >= 0.0 {
        (large, small)
    } else {
        (small, large)
    }
}

/// `log(1 + exp(x))`, without overflow and with all digits for very negative x.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many units in the last place apart.
    fn ulps(found: f64, expected: f64) -> u64 {
        found.to_bits().abs_diff(expected.to_bits())
    }

    /// Numbers between 0 and 1, dense and without a pattern.
    fn spread(n: u32) -> impl Iterator<Item = f64> {
        (0..n).map(|i| (f64::from(i) * 0.618_033_988_749_895).fract())
    }

    #[test]
    fn exponentials_agree_with_the_library_to_the_last_place() {
        for scale in [1e-9, 1e-3, 0.1, 1.0, 10.0, 100.0, 707.0] {
            let mut values: Vec<f64> = spread(100_000).map(|u| -scale * u).collect();
            let expected: Vec<f64> = values.iter().map(|x| x.exp()).collect();
            exp_all(&mut values);
            for (found, expected) in values.iter().zip(&expected) {
                assert!(ulps(*found, *expected) <= 1, "{found:e} {expected:e}");
            }
        }
    }

    #[test]
    fn one_exponential_gives_both_sigmoids_to_the_last_bit() {
        let alone = |x: f64| {
            let e = (-x.abs()).exp();
            (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
        };
        let ends = [0.0, -0.0, 800.0, f64::INFINITY];
        for x in spread(10_000).map(|u| 40.0 * u - 20.0).chain(ends) {
            let bits = |(a, b): (f64, f64)| (a.to_bits(), b.to_bits());
            assert_eq!(bits(sigmoids(x)), bits((alone(x), alone(-x))));
            assert_eq!(sigmoid(x).to_bits(), alone(x).to_bits());
        }
        assert!(sigmoid(f64::NAN).is_nan());
    }

    #[test]
    fn ends_of_the_exponential() {
        let mut values = [0.0, -0.0, -708.0, -708.1, -1e6, f64::NEG_INFINITY, f64::NAN];
        exp_all(&mut values);
        assert!(values[..2].iter().all(|v| ulps(*v, 1.0) == 0));
        assert!(ulps(values[2], (-708.0_f64).exp()) <= 1);
        assert!(values[3..6].iter().all(|v| v.to_bits() == 0));
        assert!(values[6].is_nan());
    }

    #[test]
    fn logarithms_agree_with_the_library_to_two_places() {
        for scale in [1e-300, 1e-20, 1e-9, 1e-3, 0.1, 1.0, 3.0, 100.0, 1e9, 1e300] {
            let values: Vec<f64> = spread(100_000).map(|u| scale * u).collect();
            let mut found = vec![0.0; values.len()];
            ln_1p_all(&values, &mut found);
            for (found, e) in found.iter().zip(&values) {
                assert!(ulps(*found, e.ln_1p()) <= 2, "{e:e}");
            }
        }
        let mut ends = [0.0; 3];
        ln_1p_all(&[0.0, 1.0, f64::NAN], &mut ends);
        assert!(ends[0].to_bits() == 0 && ulps(ends[1], std::f64::consts::LN_2) <= 1);
        assert!(ends[2].is_nan());
    }
}
