//! The minimum detectable effect: what difference this many datasets could have shown.
//!
//! "No significant difference" between two methods says nothing before one knows how large a
//! difference the test could have found. With C clusters, the cluster-robust standard error se of the
//! mean difference, and T' noncentral Student with C - 1 degrees of freedom,
//!
//! ```text
//! power(delta) = P(|T'(delta / se)| > t(1 - alpha/2, C - 1))
//! ```
//!
//! and the minimum detectable effect is the delta at which the power reaches its target. For the
//! signed-rank test se is divided by the square root of 3/pi, Pitman's efficiency against the t test
//! for normal differences (for heavier tails the test is better than that, never worse than 0.864).
//!
//! The noncentral probability is P(Z > t S - nc) averaged over S = chi/sqrt(df), 40 panels of 16
//! Gauss-Legendre nodes. Cost: about a hundred such averages.
//!
//! # References
//!
//! J. Cohen (1988), Statistical power analysis for the behavioral sciences, 2nd ed., ch. 2.
//! E. L. Lehmann (1975), Nonparametrics, ch. 4.

use statrs::function::gamma::ln_gamma;

use crate::error::{Result, StatsError, Unit, at_least};
use crate::paired::PairedDifferences;
use crate::params::Level;
use crate::quadrature::GaussLegendre;
use crate::special::{invert_decreasing, normal_sf, student_upper_quantile};

/// The test whose sensitivity is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlannedTest {
    /// Wilcoxon's signed-rank test, through its asymptotic relative efficiency.
    #[default]
    SignedRank,
    /// The paired t test, exactly.
    PairedT,
}

/// Parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerOptions {
    /// Level of each test; for a family, [`Level::bonferroni`] of the family's. Default 5 %.
    pub level: Level,
    /// Target power, between the level and 1; default 0.8.
    pub power: f64,
    /// The test; default signed-rank.
    pub test: PlannedTest,
}

impl Default for PowerOptions {
    fn default() -> Self {
        Self {
            level: Level::default(),
            power: 0.8,
            test: PlannedTest::default(),
        }
    }
}

/// What could have been detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectableEffect {
    /// The smallest absolute mean difference found with the target power.
    pub effect: f64,
    /// The cluster-robust standard error that it rests on.
    pub standard_error: f64,
    /// Number of clusters.
    pub n_clusters: usize,
}

impl DetectableEffect {
    /// Whether effects as large as `relevant` (say, the ROPE) could still be missed.
    pub fn underpowered_for(&self, relevant: f64) -> bool {
        self.effect > relevant
    }
}

/// The minimum detectable effect of a comparison with these differences.
///
/// # Errors
///
/// [`StatsError::TooFew`] with fewer than two clusters, [`StatsError::OutOfRange`] unless
/// level < power < 1, [`StatsError::Undefined`] if the differences do not vary.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{PairedDifferences, PowerOptions, minimum_detectable_effect};
///
/// let differences = PairedDifferences::independent(vec![0.01, -0.02, 0.03, 0.00, 0.02, -0.01])?;
/// let detectable = minimum_detectable_effect(&differences, PowerOptions::default())?;
/// assert!(detectable.underpowered_for(0.005));
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn minimum_detectable_effect(
    differences: &PairedDifferences,
    options: PowerOptions,
) -> Result<DetectableEffect> {
    let standard_error = differences.standard_error()?;
    let alpha = options.level.alpha();
    if !(options.power > alpha && options.power < 1.0) {
        return Err(StatsError::OutOfRange {
            name: "power",
            value: options.power,
            range: "level < power < 1",
        });
    }
    if standard_error <= 0.0 {
        return Err(StatsError::Undefined {
            what: "the minimum detectable effect",
            reason: "the differences do not vary",
        });
    }
    let df = (differences.n_clusters() - 1) as f64;
    let curve = PowerCurve::new(options.level, df);
    let shift = invert_decreasing(1.0 - options.power, |shift| 1.0 - curve.at(shift));
    let effect = shift * standard_error / options.test.efficiency().sqrt();
    Ok(DetectableEffect {
        effect,
        standard_error,
        n_clusters: differences.n_clusters(),
    })
}

/// The power to find a true mean difference of `effect`, given the standard error of its estimate.
///
/// # Errors
///
/// [`StatsError::TooFew`] with fewer than two clusters, [`StatsError::OutOfRange`] for an effect that
/// is not finite or a standard error that is not positive.
pub fn power(
    effect: f64,
    standard_error: f64,
    n_clusters: usize,
    options: PowerOptions,
) -> Result<f64> {
    at_least("a power", Unit::Clusters, n_clusters, 2)?;
    if !effect.is_finite() {
        let range = "a finite number";
        return Err(StatsError::OutOfRange {
            name: "effect",
            value: effect,
            range,
        });
    }
    if !(standard_error.is_finite() && standard_error > 0.0) {
        return Err(StatsError::OutOfRange {
            name: "standard error",
            value: standard_error,
            range: "a finite number above 0",
        });
    }
    let shift = effect.abs() / standard_error * options.test.efficiency().sqrt();
    Ok(PowerCurve::new(options.level, (n_clusters - 1) as f64).at(shift))
}

impl PlannedTest {
    fn efficiency(self) -> f64 {
        match self {
            Self::SignedRank => 3.0 / std::f64::consts::PI,
            Self::PairedT => 1.0,
        }
    }
}

struct PowerCurve {
    rule: GaussLegendre,
    critical: f64,
    df: f64,
    ln_constant: f64,
}

impl PowerCurve {
    fn new(level: Level, df: f64) -> Self {
        let half = 0.5 * df;
        Self {
            rule: GaussLegendre::new(),
            critical: student_upper_quantile(level.alpha() / 2.0, df),
            df,
            ln_constant: std::f64::consts::LN_2 + half * half.ln() - ln_gamma(half),
        }
    }

    /// P(|T'| > critical) at a noncentrality of `shift`.
    fn at(&self, shift: f64) -> f64 {
        // S has mean near 1 and deviation near 1/sqrt(2 df); twelve deviations leave out 1e-30.
        let reach = 12.0 / (2.0 * self.df).sqrt();
        let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
        let both = self.rule.integrate(low, high, 40, |s| {
            let exponent = (self.df - 1.0) * s.ln() - 0.5 * self.df * s * s;
            let density = (self.ln_constant + exponent).exp();
            let limit = self.critical * s;
            density * (normal_sf(limit - shift) + normal_sf(limit + shift))
        });
        both.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_effect_the_power_is_the_level() {
        for clusters in [2, 3, 10, 100, 5000] {
            let options = PowerOptions {
                test: PlannedTest::PairedT,
                ..PowerOptions::default()
            };
            let found = power(0.0, 1.0, clusters, options).unwrap();
            assert!((found - 0.05).abs() < 1e-9, "{clusters}: {found}");
        }
    }

    #[test]
    fn effect_and_power_are_inverse() {
        let values: Vec<f64> = (0..20).map(|i| f64::from(i % 7) * 0.01).collect();
        let differences = PairedDifferences::independent(values).unwrap();
        let options = PowerOptions::default();
        let found = minimum_detectable_effect(&differences, options).unwrap();
        let back = power(
            -found.effect,
            found.standard_error,
            found.n_clusters,
            options,
        )
        .unwrap();
        assert!((back - 0.8).abs() < 1e-9, "{back}");
        assert!(found.underpowered_for(found.effect / 2.0));
    }

    #[test]
    fn bad_input_is_an_error_value() {
        let differences = PairedDifferences::independent(vec![0.1, 0.2]).unwrap();
        for power in [0.05, 1.0, f64::NAN] {
            let options = PowerOptions {
                power,
                ..PowerOptions::default()
            };
            assert!(minimum_detectable_effect(&differences, options).is_err());
        }
        let still = PairedDifferences::independent(vec![0.1, 0.1]).unwrap();
        assert!(matches!(
            minimum_detectable_effect(&still, PowerOptions::default()),
            Err(StatsError::Undefined { .. })
        ));
        let options = PowerOptions::default();
        assert!(power(1.0, 0.0, 5, options).is_err());
        assert!(power(f64::NAN, 1.0, 5, options).is_err());
        assert!(power(1.0, 1.0, 1, options).is_err());
    }
}
