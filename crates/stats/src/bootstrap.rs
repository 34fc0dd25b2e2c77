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
//! It is second-order accurate: at 30 datasets it covers 93-97 % where a percentile bootstrap covers
//! about 92 %.
//!
//! **`BCa`** ([`bootstrap_statistic`], any statistic): percentiles shifted for bias
//! z0 = Phi^-1(share of resamples below the estimate) and acceleration a from the jackknife over
//! clusters,
//!
//! ```text
//! p(alpha) = Phi( z0 + (z0 + z) / (1 - a (z0 + z)) ),  z = Phi^-1(alpha)
//! ```
//!
//! When most differences are exactly zero, a resample can lack all others; its se* is zero, t* is
//! infinite, and if that happens in a quantile's share of the draws the studentised interval has no
//! end. Then the `BCa` interval is given and the result says so in its `method`.
//!
//! Cost: O(draws * clusters).
//!
//! # References
//!
//! B. Efron (1987), Better bootstrap confidence intervals, JASA 82, 171-185. T. J. `DiCiccio` and
//! B. Efron (1996), Bootstrap confidence intervals, Statistical Science 11, 189-228. A. C. Cameron,
//! J. B. Gelbach, D. L. Miller (2008), Bootstrap-based improvements for inference with clustered
//! errors, Review of Economics and Statistics 90, 414-427.

use rand::RngExt;

use crate::error::{Result, StatsError, Unit, at_least, finite};
use crate::paired::{ClusterSum, PairedDifferences, mean_and_variance};
use crate::params::{Level, Seed, Stream};
use crate::special::{normal_cdf, normal_upper_quantile};

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
/// [`StatsError::TooFew`] with fewer than five clusters or 199 draws.
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

/// The `BCa` interval of any statistic of a list of clusters.
///
/// `statistic` gets indices below `n_clusters`, with repeats in a resample and one short in the
/// jackknife, and must be finite for all of them. `options.method` is not read.
///
/// # Errors
///
/// [`StatsError::TooFew`] with fewer than five clusters or 199 draws, [`StatsError::NotFinite`] where
/// the statistic is.
pub fn bootstrap_statistic(
    n_clusters: usize,
    options: BootstrapOptions,
    mut statistic: impl FnMut(&[usize]) -> f64,
) -> Result<Interval> {
    check(n_clusters, options)?;
    let all: Vec<usize> = (0..n_clusters).collect();
    let estimate = finite(statistic(&all), || {
        "the statistic of all clusters".to_owned()
    })?;
    let mut jackknife = Vec::with_capacity(n_clusters);
    for left_out in 0..n_clusters {
        let kept: Vec<usize> = all
            .iter()
            .copied()
            .filter(|&index| index != left_out)
            .collect();
        jackknife.push(finite(statistic(&kept), || {
            format!("the jackknife without {left_out}")
        })?);
    }
    let mut values = Vec::with_capacity(options.draws);
    resample(n_clusters, options, |indices| {
        values.push(finite(statistic(indices), || {
            "a bootstrap resample".to_owned()
        })?);
        Ok(())
    })?;
    values.sort_by(f64::total_cmp);
    if is_constant(&values) {
        let method = IntervalMethod::Constant;
        return Ok(interval(
            (estimate, estimate, estimate),
            options,
            method,
            n_clusters,
        ));
    }
    let bias = bias(&values, estimate);
    let acceleration = acceleration(&jackknife);
    let end = |p: f64| {
        let shifted = bias - normal_upper_quantile(p);
        // The denominator reaches zero only for |a| of 0.2 and more with extreme bias; the clamp keeps
        // the percentile on its own side.
        let adjusted = bias + shifted / (1.0 - acceleration * shifted).max(1e-3);
        quantile(&values, normal_cdf(adjusted))
    };
    let half = options.level.alpha() / 2.0;
    let (lower, upper) = (end(half), end(1.0 - half));
    Ok(interval(
        (estimate, lower, upper),
        options,
        IntervalMethod::Bca,
        n_clusters,
    ))
}

fn check(n_clusters: usize, options: BootstrapOptions) -> Result<()> {
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

fn interval(
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
fn resample(
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

fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair.first() == pair.last())
}

/// The quantile of sorted values at position p (B + 1), interpolated, clamped to the extremes.
fn quantile(sorted: &[f64], p: f64) -> f64 {
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

/// z0: the normal quantile of the share of resamples below the estimate, ties as halves.
fn bias(sorted: &[f64], estimate: f64) -> f64 {
    let below = sorted.partition_point(|value| *value < estimate) as f64;
    let not_above = sorted.partition_point(|value| *value <= estimate) as f64;
    let count = sorted.len() as f64;
    let share = (0.5 * (below + not_above) / count).clamp(0.5 / count, 1.0 - 0.5 / count);
    -normal_upper_quantile(share)
}

/// a = sum (mean - x)^3 / (6 (sum (mean - x)^2)^(3/2)) over jackknife values.
fn acceleration(jackknife: &[f64]) -> f64 {
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let cubes: f64 = jackknife.iter().map(|value| (mean - value).powi(3)).sum();
    let squares: f64 = jackknife.iter().map(|value| (mean - value).powi(2)).sum();
    if squares > 0.0 {
        cubes / (6.0 * squares.powf(1.5))
    } else {
        0.0
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
        let nan = bootstrap_statistic(8, options(IntervalMethod::Bca), |_| f64::NAN);
        assert!(matches!(nan, Err(StatsError::NotFinite { .. })));
    }
}
