//! Confidence intervals by a bootstrap over clusters of datasets.
//!
//! Datasets are drawn, never folds, and related datasets are drawn together. Two forms:
//!
//! **Studentised** (default of [`bootstrap_mean`]): each resample gives
//! t* = (m* - m) / se* with the cluster-robust standard error of
//! [`PairedDifferences::standard_error`], and
//!
//! ```text
//! [ m - t*(1 - alpha/2) se,  m - t*(alpha/2) se ]
//! ```
//!
//! It is second-order accurate; percentiles of m* are too short at 30 datasets.
//!
//! **`BCa`**: see [`bootstrap_statistic`].
//!
//! Coverage of the nominal 95 % at 30 datasets, 20,000 trials of `examples/null_simulation.rs`:
//!
//! | differences | studentised | `BCa` |
//! |---|---|---|
//! | normal | 95.1 % | 93.5 % |
//! | skewed (gamma, shape 2) | 94.7 % | |
//! | 30 datasets in 20 clusters | 94.7 % | |
//! | half of them zero | 96.1 % | |
//! | Student with 3 degrees of freedom | 92.7 % | |
//!
//! A symmetric interval (quantiles of |t*|) covers 96 % in the last row but 91 % for log-normal
//! differences, where this one keeps 92.5 %; gains are skewed more often than heavy on both sides.
//!
//! When most differences are exactly zero, a resample can lack all others; its se* is zero, t* is
//! infinite, and if that happens in a quantile's share of the draws the studentised interval has no
//! end. Then the `BCa` interval is given and the result says so in its `method`.
//!
//! Cost: O(draws * clusters).
//!
//! # References
//!
//! B. Efron and T. J. `DiCiccio` (1996), Bootstrap confidence intervals, Statistical Science 11,
//! 189-228. P. Hall (1988), Theoretical comparison of bootstrap confidence intervals, Annals of
//! Statistics 16, 927-953. A. C. Cameron,
//! J. B. Gelbach, D. L. Miller (2008), Bootstrap-based improvements for inference with clustered
//! errors, Review of Economics and Statistics 90, 414-427.

use rand::RngExt;

use crate::bca::bootstrap_statistic;
use crate::error::{Result, StatsError, Unit, at_least, no_overflow};
use crate::paired::{ClusterSum, PairedDifferences, mean_and_variance};
use crate::params::{Level, Seed, Stream};

/// Fewest clusters of which an interval is given; below, resamples repeat each other too often.
const FEWEST_CLUSTERS: usize = 5;
/// Fewest draws: tails of 5 % need some order statistics to interpolate between.
const FEWEST_DRAWS: usize = 199;

/// Which interval to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntervalMethod {
    /// Bootstrap-t with the cluster-robust standard error.
    #[default]
    Studentised,
    /// Bias-corrected and accelerated percentiles.
    Bca,
    /// All clusters agree exactly: the interval is the estimate. Only ever a result; as a request it
    /// means [`Bca`](Self::Bca).
    Constant,
    /// Student's t on the values. Only ever a result of [`interval_of_mean`](crate::interval_of_mean).
    StudentT,
}

/// Parameters of the bootstrap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapOptions {
    /// One minus the confidence; default 5 %.
    pub level: Level,
    /// Resamples, at least 199; default 9,999.
    pub draws: usize,
    /// Seed of the resamples.
    pub seed: Seed,
    /// Form of the interval of a mean; default studentised.
    pub method: IntervalMethod,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self {
            level: Level::default(),
            draws: 9_999,
            seed: Seed(0),
            method: IntervalMethod::default(),
        }
    }
}

/// An estimate with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// One minus the confidence.
    pub level: Level,
    /// How it was found, which may differ from what was asked (see the module).
    pub method: IntervalMethod,
    /// Independent clusters that were resampled.
    pub n_clusters: usize,
}

impl Interval {
    /// Whether the value lies in the interval, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// The interval of the mean difference over datasets.
///
/// # Errors
///
/// [`StatsError::TooFew`] with fewer than five clusters or 199 draws, [`StatsError::Undefined`] if
/// squares overflow.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{BootstrapOptions, PairedDifferences, bootstrap_mean};
///
/// let gains = [-0.07, -0.02, -0.05, -0.11, -0.01, -0.08, -0.04, -0.09];
/// let differences = PairedDifferences::independent(gains.to_vec())?;
/// let interval = bootstrap_mean(&differences, BootstrapOptions::default())?;
/// assert!(interval.lower < interval.estimate && interval.upper < 0.0);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn bootstrap_mean(
    differences: &PairedDifferences,
    options: BootstrapOptions,
) -> Result<Interval> {
    let sums = differences.cluster_sums();
    check(sums.len(), options)?;
    let (estimate, variance) = mean_and_variance(&sums);
    no_overflow(variance, "a bootstrap interval")?;
    if is_constant(differences.values()) {
        let method = IntervalMethod::Constant;
        return Ok(interval(
            (estimate, estimate, estimate),
            options,
            method,
            sums.len(),
        ));
    }
    if options.method == IntervalMethod::Studentised {
        let error = variance.sqrt();
        let mut ratios = Vec::with_capacity(options.draws);
        let mut drawn = Vec::with_capacity(sums.len());
        resample(sums.len(), options, |indices| {
            drawn.clear();
            drawn.extend(indices.iter().filter_map(|&index| sums.get(index).copied()));
            ratios.push(studentised(&drawn, estimate));
            Ok(())
        })?;
        ratios.sort_by(f64::total_cmp);
        let half = options.level.alpha() / 2.0;
        let (low, high) = (quantile(&ratios, half), quantile(&ratios, 1.0 - half));
        if low.is_finite() && high.is_finite() && error > 0.0 {
            let method = IntervalMethod::Studentised;
            let (lower, upper) = (estimate - high * error, estimate - low * error);
            return Ok(interval(
                (estimate, lower, upper),
                options,
                method,
                sums.len(),
            ));
        }
    }
    bootstrap_statistic(sums.len(), options, |indices| {
        let (mut sum, mut size) = (0.0, 0.0);
        for drawn in indices.iter().filter_map(|&index| sums.get(index)) {
            sum += drawn.sum;
            size += drawn.size;
        }
        sum / size
    })
}

pub(crate) fn check(n_clusters: usize, options: BootstrapOptions) -> Result<()> {
    at_least(
        "a bootstrap interval",
        Unit::Clusters,
        n_clusters,
        FEWEST_CLUSTERS,
    )?;
    at_least(
        "a bootstrap interval",
        Unit::Draws,
        options.draws,
        FEWEST_DRAWS,
    )?;
    Ok(())
}

pub(crate) fn interval(
    (estimate, lower, upper): (f64, f64, f64),
    options: BootstrapOptions,
    method: IntervalMethod,
    n_clusters: usize,
) -> Interval {
    Interval {
        estimate,
        lower,
        upper,
        level: options.level,
        method,
        n_clusters,
    }
}

/// Calls `visit` with `draws` lists of cluster indices drawn with replacement.
pub(crate) fn resample(
    n_clusters: usize,
    options: BootstrapOptions,
    mut visit: impl FnMut(&[usize]) -> std::result::Result<(), StatsError>,
) -> Result<()> {
    let mut rng = options.seed.rng(Stream::Bootstrap);
    let mut indices = vec![0; n_clusters];
    for _ in 0..options.draws {
        for index in &mut indices {
            *index = rng.random_range(0..n_clusters);
        }
        visit(&indices)?;
    }
    Ok(())
}

/// (m* - m) / se*, infinite with the sign of the numerator where se* is zero.
fn studentised(drawn: &[ClusterSum], estimate: f64) -> f64 {
    let (mean, variance) = mean_and_variance(drawn);
    let shift = mean - estimate;
    // A resample of one value repeated leaves rounding in the place of its zero variance.
    if variance.sqrt() > 1e-13 * (mean.abs() + estimate.abs()) {
        shift / variance.sqrt()
    } else if shift.abs() <= 1e-13 * estimate.abs() {
        0.0
    } else {
        shift.signum() * f64::INFINITY
    }
}

pub(crate) fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair.first() == pair.last())
}

/// The quantile of sorted values at position p (B + 1), interpolated, clamped to the extremes.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let position = (p * (sorted.len() + 1) as f64 - 1.0).clamp(0.0, (sorted.len() - 1) as f64);
    let at = |index: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the indices of the slice"
        )]
        sorted.get(index as usize).copied().unwrap_or(0.0)
    };
    let (low, high) = (at(position.floor()), at(position.ceil()));
    let share = position.fract();
    // Infinity times a zero share is NaN, so a whole position takes its value as it is.
    if share > 0.0 {
        low + share * (high - low)
    } else {
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(method: IntervalMethod) -> BootstrapOptions {
        BootstrapOptions {
            draws: 1_999,
            method,
            ..BootstrapOptions::default()
        }
    }

    fn differences(values: &[f64]) -> PairedDifferences {
        PairedDifferences::independent(values.to_vec()).unwrap()
    }

    const GAINS: [f64; 8] = [-0.07, -0.02, -0.05, -0.11, -0.01, -0.08, -0.04, -0.09];

    #[test]
    fn both_forms_surround_the_mean_and_repeat_themselves() {
        for method in [IntervalMethod::Studentised, IntervalMethod::Bca] {
            let interval = bootstrap_mean(&differences(&GAINS), options(method)).unwrap();
            assert_eq!(interval.method, method);
            assert!(interval.contains(interval.estimate) && !interval.contains(0.0));
            let again = bootstrap_mean(&differences(&GAINS), options(method)).unwrap();
            assert_eq!(interval, again);
        }
    }

    #[test]
    fn shift_and_scale_carry_over() {
        let plain = bootstrap_mean(&differences(&GAINS), options(IntervalMethod::Studentised));
        let moved: Vec<f64> = GAINS.iter().map(|value| 3.0 * value + 1.0).collect();
        let moved = bootstrap_mean(&differences(&moved), options(IntervalMethod::Studentised));
        let (plain, moved) = (plain.unwrap(), moved.unwrap());
        assert!((3.0 * plain.lower + 1.0 - moved.lower).abs() < 1e-9);
        assert!((3.0 * plain.upper + 1.0 - moved.upper).abs() < 1e-9);
    }

    #[test]
    fn equal_differences_make_a_point() {
        let interval = bootstrap_mean(&differences(&[0.1; 6]), options(IntervalMethod::Bca));
        let interval = interval.unwrap();
        assert_eq!(interval.method, IntervalMethod::Constant);
        assert!((interval.upper - interval.lower).abs() < 1e-15);
    }

    #[test]
    fn almost_all_zero_falls_back_by_name() {
        let mut values = vec![0.0; 30];
        values[3] = 0.2;
        let interval =
            bootstrap_mean(&differences(&values), options(IntervalMethod::Studentised)).unwrap();
        assert_eq!(interval.method, IntervalMethod::Bca);
        assert!(interval.lower.is_finite() && interval.upper.is_finite());
        assert!(interval.contains(interval.estimate));
    }

    #[test]
    fn too_little_is_an_error_value() {
        for count in 1..FEWEST_CLUSTERS {
            let values: Vec<f64> = (0..count).map(|i| i as f64).collect();
            let result = bootstrap_mean(&differences(&values), BootstrapOptions::default());
            assert!(matches!(
                result,
                Err(StatsError::TooFew {
                    unit: Unit::Clusters,
                    ..
                })
            ));
        }
        let few = BootstrapOptions {
            draws: 10,
            ..BootstrapOptions::default()
        };
        assert!(bootstrap_mean(&differences(&GAINS), few).is_err());
    }
}
