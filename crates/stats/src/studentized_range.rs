//! The studentised range with infinite degrees of freedom: the range of k independent standard
//! normal variables, on which Nemenyi's critical difference rests.
//!
//! ```text
//! P(Q <= q) = k * integral phi(z) [Phi(z) - Phi(z - q)]^(k-1) dz
//! ```
//!
//! (z is the largest of the k, the others lie within q below it.) Printed tables end at k = 10 or 20
//! and three digits; here 20 panels of 16 Gauss-Legendre nodes over [-10, 10] give some 14 digits for
//! any k. A cdf costs 320 evaluations of the error function, a quantile some fifty times that.
//!
//! # References
//!
//! H. L. Harter (1960), Tables of range and studentized range, Annals of Mathematical Statistics 31,
//! 1122-1147.

use crate::error::{Result, StatsError, Unit, at_least};
use crate::params::Level;
use crate::quadrature::GaussLegendre;
use crate::special::{invert_decreasing, normal_cdf, normal_density, normal_sf};

/// Beyond this many standard deviations the density is below 1e-22.
const TAIL: f64 = 10.0;
const PANELS: usize = 20;

/// P(Q > q) for the range Q of `groups` standard normal variables.
///
/// # Errors
///
/// [`StatsError::TooFew`] for fewer than two groups, [`StatsError::OutOfRange`] for a negative or
/// non-finite q.
pub fn studentized_range_sf(q: f64, groups: usize) -> Result<f64> {
    at_least("the studentised range", Unit::Methods, groups, 2)?;
    if !(q.is_finite() && q >= 0.0) {
        return Err(StatsError::OutOfRange {
            name: "q",
            value: q,
            range: "0 <= q < infinity",
        });
    }
    Ok(tail(&GaussLegendre::new(), q, groups))
}

/// The q with P(Q > q) = alpha.
///
/// # Errors
///
/// [`StatsError::TooFew`] for fewer than two groups.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Level, studentized_range_quantile};
///
/// // Demsar's table 5 lists q / sqrt(2) = 2.569 for four classifiers.
/// let q = studentized_range_quantile(Level::FIVE_PERCENT, 4)?;
/// assert!((q / 2.0_f64.sqrt() - 2.569).abs() < 1e-3);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn studentized_range_quantile(level: Level, groups: usize) -> Result<f64> {
    at_least("the studentised range", Unit::Methods, groups, 2)?;
    let rule = GaussLegendre::new();
    Ok(invert_decreasing(level.alpha(), |q| tail(&rule, q, groups)))
}

/// The complement is integrated, 1 - [..]^(k-1) against the density of the maximum, so that small
/// tails keep their digits:
///
/// ```text
/// 1 - P(Q <= q) = k * integral phi(z) (Phi(z)^(k-1) - [Phi(z) - Phi(z - q)]^(k-1)) dz
/// ```
fn tail(rule: &GaussLegendre, q: f64, groups: usize) -> f64 {
    let k = groups as f64;
    let integral = rule.integrate(-TAIL, TAIL, PANELS, |z| {
        let (below, out) = (normal_cdf(z), normal_sf(q - z));
        // a^m - (a - b)^m = a^m (1 - (1 - b/a)^m), with ln_1p and exp_m1 against cancellation. The
        // ratio is at most 1 and both tails are above 1e-24 on the panels.
        let ratio = (out / below).min(1.0);
        let within = -((k - 1.0) * (-ratio).ln_1p()).exp_m1();
        normal_density(z) * below.powf(k - 1.0) * within
    });
    (k * integral).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_groups_are_a_normal_difference() {
        for q in [0.0, 0.3, 1.0, 2.77, 6.0, 9.0] {
            let expected = 2.0 * normal_sf(q / 2.0_f64.sqrt());
            let found = studentized_range_sf(q, 2).unwrap();
            assert!(
                (found / expected - 1.0).abs() < 1e-12,
                "q {q}: {found} {expected}"
            );
        }
    }

    #[test]
    fn quantile_and_tail_are_inverse() {
        for groups in [2, 3, 10, 60, 1000] {
            for alpha in [0.5, 0.1, 0.05, 1e-6] {
                let level = Level::new(alpha).unwrap();
                let q = studentized_range_quantile(level, groups).unwrap();
                let back = studentized_range_sf(q, groups).unwrap();
                assert!(
                    (back / alpha - 1.0).abs() < 1e-9,
                    "k {groups}, alpha {alpha}: {back}"
                );
            }
        }
    }

    #[test]
    fn bad_arguments_are_errors() {
        assert!(studentized_range_sf(1.0, 1).is_err());
        assert!(studentized_range_sf(-1.0, 3).is_err());
        assert!(studentized_range_sf(f64::NAN, 3).is_err());
        assert!(studentized_range_quantile(Level::FIVE_PERCENT, 0).is_err());
    }
}
