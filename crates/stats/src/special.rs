//! Distribution functions, as thin layers over statrs' incomplete gamma and beta functions.
//!
//! Upper tails are computed as such (never as one minus the lower tail), so that small p values keep
//! their digits. Quantiles invert the distribution function by bisection: slower than Newton, but
//! without a start value that can fail, and a few dozen evaluations cost microseconds.

use std::f64::consts::{PI, SQRT_2};

use libm::erfc;
use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::erfc_inv;
use statrs::function::gamma::checked_gamma_ur;

/// The standard normal density.
pub(crate) fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// P(Z <= x).
pub(crate) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// P(Z > x).
pub(crate) fn normal_sf(x: f64) -> f64 {
    0.5 * erfc(x / SQRT_2)
}

/// The x with P(Z > x) = `upper`, for 0 < upper < 1.
pub(crate) fn normal_upper_quantile(upper: f64) -> f64 {
    let start = SQRT_2 * erfc_inv(2.0 * upper);
    // One Newton step against libm's erfc: the inverse is only as good as the statrs function that it
    // was fitted to.
    start + (normal_sf(start) - upper) / normal_density(start)
}

/// P(X > x) for chi-squared with `df` > 0 degrees of freedom.
pub(crate) fn chi_squared_sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    // The function refuses non-positive arguments only, and both are positive here.
    checked_gamma_ur(0.5 * df, 0.5 * x)
        .unwrap_or(0.0)
        .clamp(0.0, 1.0)
}

/// P(X > x) for F with `df1`, `df2` > 0.
pub(crate) fn f_sf(x: f64, df1: f64, df2: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    regularised_beta(0.5 * df2, 0.5 * df1, df2 / (df2 + df1 * x))
}

/// P(T > t) for Student with `df` > 0.
pub(crate) fn student_sf(t: f64, df: f64) -> f64 {
    let tail = 0.5 * regularised_beta(0.5 * df, 0.5, df / (df + t * t));
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// The t with P(T > t) = `upper`, for 0 < upper < 1.
pub(crate) fn student_upper_quantile(upper: f64, df: f64) -> f64 {
    if upper > 0.5 {
        return -student_upper_quantile(1.0 - upper, df);
    }
    invert_decreasing(upper, |t| student_sf(t, df))
}

/// The x >= 0 at which the decreasing function `f` passes `target`; 0 if it starts below it.
pub(crate) fn invert_decreasing(target: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while f(high) > target && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    loop {
        let middle = 0.5 * (low + high);
        // Neighbouring doubles: the bracket cannot shrink further.
        if middle <= low || middle >= high {
            return middle;
        }
        if f(middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn regularised_beta(a: f64, b: f64, x: f64) -> f64 {
    // Refused arguments are a, b <= 0 and x outside [0, 1]; the callers rule them out.
    checked_beta_reg(a, b, x.clamp(0.0, 1.0))
        .unwrap_or(0.0)
        .clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        let gap = (found - expected).abs() / expected.abs().max(1e-300);
        assert!(gap < 1e-11, "{found} is not {expected}");
    }

    // Expected values: scipy 1.17.1.
    #[test]
    fn tails_agree_with_scipy() {
        close(normal_sf(1.0), 0.158_655_253_931_457_07);
        close(normal_sf(9.0), 1.128_588_405_953_832_4e-19);
        close(normal_upper_quantile(0.025), 1.959_963_984_540_054);
        close(chi_squared_sf(9.28, 3.0), 0.025_790_724_198_756_772);
        close(f_sf(3.69, 3.0, 39.0), 0.019_744_099_689_488_88);
        close(student_sf(2.5, 7.0), 0.020_496_109_292_876_444);
        close(student_upper_quantile(0.025, 13.0), 2.160_368_656_462_791_4);
        close(
            student_upper_quantile(0.975, 13.0),
            -2.160_368_656_462_791_4,
        );
    }

    #[test]
    fn the_edges_are_defined() {
        close(chi_squared_sf(0.0, 2.0), 1.0);
        assert!(chi_squared_sf(f64::INFINITY, 2.0) < 1e-300);
        close(f_sf(-1.0, 2.0, 3.0), 1.0);
        close(student_sf(0.0, 3.0), 0.5);
        assert!(student_upper_quantile(0.5, 3.0).abs() < 1e-12);
    }
}
