//! The mean over independent units: how probable it is beyond a margin, and its interval.
//!
//! The Bayesian bootstrap (Rubin 1981) puts Dirichlet(1, .., 1) weights on the units; a draw's mean is the
//! weighted mean. The shares of draws below -rope, within and above rope judge the mean itself, while the
//! [signed-rank test](crate::bayesian_signed_rank()) judges the typical unit. The draws of a number of units
//! are made once and serve every contrast, and values are sorted first: the order of the units moves
//! nothing.
//!
//! Intervals follow the number of units: none below six, Student's t to nineteen, from twenty the
//! studentised bootstrap of [`bootstrap_mean`].
//!
//! # References
//!
//! D. B. Rubin (1981), The Bayesian bootstrap, Annals of Statistics 9(1), 130-134.

use rand_distr::{Distribution, Exp1};

use crate::bootstrap::{BootstrapOptions, Interval, IntervalMethod, bootstrap_mean};
use crate::error::{Result, Unit, at_least, finite, no_overflow};
use crate::paired::PairedDifferences;
use crate::params::{Level, Seed, Stream};
use crate::special::student_upper_quantile;

/// Fewest units of which a mean has a tier or an interval.
pub const FEWEST_UNITS: usize = 6;
/// Fewest units whose interval is a bootstrap.
const FEWEST_BOOTSTRAPPED: usize = 20;

/// What a posterior says of one mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanTier {
    /// The mean of the values.
    pub mean: f64,
    /// That the mean lies below -rope.
    pub p_below: f64,
    /// That it lies within the rope, ends included.
    pub p_rope: f64,
    /// That it lies above rope.
    pub p_above: f64,
    /// The 5 % quantile of the draws.
    pub low: f64,
    /// Their 95 % quantile.
    pub high: f64,
}

/// The Dirichlet weights of a number of units.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanPosterior {
    units: usize,
    /// Draws times units, each line adding up to 1.
    weights: Vec<f64>,
}

impl MeanPosterior {
    /// Draws of the usual number, 20,000.
    pub const DRAWS: usize = 20_000;

    /// Draws the weights.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFew`](crate::StatsError::TooFew) without a unit or a draw.
    pub fn new(units: usize, draws: usize, seed: Seed) -> Result<Self> {
        at_least("the Bayesian bootstrap", Unit::Values, units, 1)?;
        at_least("the Bayesian bootstrap", Unit::Draws, draws, 1)?;
        let mut rng = seed.rng(Stream::MeanPosterior);
        let mut weights: Vec<f64> = Vec::with_capacity(units * draws);
        for _ in 0..draws {
            let start = weights.len();
            weights.extend((0..units).map(|_| -> f64 { Exp1.sample(&mut rng) }));
            let total: f64 = weights.iter().skip(start).sum();
            for weight in weights.iter_mut().skip(start) {
                *weight /= total;
            }
        }
        Ok(Self { units, weights })
    }

    /// Judges the mean of as many values as there are units.
    ///
    /// # Errors
    ///
    /// [`StatsError::LengthMismatch`](crate::StatsError::LengthMismatch) for another number of values,
    /// [`StatsError::NotFinite`](crate::StatsError::NotFinite).
    ///
    /// # Examples
    ///
    /// ```
    /// use counterweight_stats::{MeanPosterior, Seed};
    ///
    /// let posterior = MeanPosterior::new(6, 1000, Seed(0))?;
    /// let tier = posterior.judge(&[0.04, 0.05, 0.03, 0.06, 0.04, 0.05], 0.005)?;
    /// assert!(tier.p_above > 0.999 && tier.p_below == 0.0);
    /// # Ok::<(), counterweight_stats::StatsError>(())
    /// ```
    pub fn judge(&self, values: &[f64], rope: f64) -> Result<MeanTier> {
        let values = sorted(values)?;
        if values.len() != self.units {
            return Err(crate::StatsError::LengthMismatch {
                what: "values of a posterior of the mean",
                found: values.len(),
                expected: self.units,
            });
        }
        let mut draws: Vec<f64> = self
            .weights
            .chunks_exact(self.units)
            .map(|line| line.iter().zip(&values).map(|(w, v)| w * v).sum())
            .collect();
        let share = |count: usize| count as f64 / draws.len() as f64;
        let below = share(draws.iter().filter(|mean| **mean < -rope).count());
        let above = share(draws.iter().filter(|mean| **mean > rope).count());
        let mut quantile = |of: usize| {
            let place = (draws.len() * of / 100).min(draws.len() - 1);
            *draws.select_nth_unstable_by(place, f64::total_cmp).1
        };
        Ok(MeanTier {
            mean: mean_of(&values),
            p_below: below,
            p_rope: 1.0 - below - above,
            p_above: above,
            low: quantile(5),
            high: quantile(95),
        })
    }
}

/// The 95 % interval of the mean of independent units, by their number; `None` below six.
///
/// # Errors
///
/// [`StatsError::NotFinite`](crate::StatsError::NotFinite),
/// [`StatsError::Undefined`](crate::StatsError::Undefined) if squares overflow.
pub fn interval_of_mean(values: &[f64]) -> Result<Option<Interval>> {
    let values = sorted(values)?;
    let count = values.len();
    if count < FEWEST_UNITS {
        return Ok(None);
    }
    let level = Level::FIVE_PERCENT;
    if count >= FEWEST_BOOTSTRAPPED {
        let paired = PairedDifferences::independent(values)?;
        return bootstrap_mean(
            &paired,
            BootstrapOptions {
                draws: 1_999,
                ..BootstrapOptions::default()
            },
        )
        .map(Some);
    }
    Ok(student_interval(&values, level)?.map(|(interval, _)| interval))
}

/// How many standard errors Student's t with `df` degrees of freedom is from 0 at most, but for `level`.
pub fn student_quantile(level: Level, df: f64) -> f64 {
    student_upper_quantile(level.alpha() / 2.0, df)
}

/// Student's interval of the mean of independent draws at any level, and the standard error of the mean; `None`
/// below two draws.
///
/// # Errors
///
/// [`StatsError::NotFinite`](crate::StatsError::NotFinite),
/// [`StatsError::Undefined`](crate::StatsError::Undefined) if squares overflow.
pub fn student_interval(values: &[f64], level: Level) -> Result<Option<(Interval, f64)>> {
    let values = sorted(values)?;
    let count = values.len();
    if count < 2 {
        return Ok(None);
    }
    let mean = mean_of(&values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let variance = no_overflow(squares / (count - 1) as f64, "the variance of a mean")?;
    let error = (variance / count as f64).sqrt();
    let half = student_upper_quantile(level.alpha() / 2.0, (count - 1) as f64) * error;
    let interval = Interval {
        estimate: mean,
        lower: mean - half,
        upper: mean + half,
        level,
        method: IntervalMethod::StudentT,
        n_clusters: count,
    };
    Ok(Some((interval, error)))
}

fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sorted(values: &[f64]) -> Result<Vec<f64>> {
    let checked = values.iter().enumerate();
    let checked = checked.map(|(index, &value)| finite(value, || format!("value {index}")));
    let mut values: Vec<f64> = checked.collect::<Result<_>>()?;
    values.sort_by(f64::total_cmp);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posterior_has_the_moments_of_the_dirichlet() {
        // Mean m, variance sum (v - m)^2 / (n (n + 1)).
        let values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let posterior = MeanPosterior::new(6, 20_000, Seed(1)).unwrap();
        let tier = posterior.judge(&values, 0.0).unwrap();
        let sd = (17.5_f64 / 42.0).sqrt();
        assert!((tier.mean - 2.5).abs() < 1e-12);
        assert!(
            (tier.high - tier.low - 2.0 * 1.645 * sd).abs() < 0.1 * sd,
            "{tier:?}"
        );
        let mixed = [4.0, 2.0, 0.0, 5.0, 1.0, 3.0];
        assert_eq!(posterior.judge(&mixed, 0.0).unwrap(), tier);
        assert!(posterior.judge(&values[..5], 0.0).is_err());
    }

    #[test]
    fn intervals_follow_the_number_of_units() {
        let values: Vec<f64> = (0..25).map(|i| f64::from(i % 7)).collect();
        assert_eq!(interval_of_mean(&values[..5]).unwrap(), None);
        // scipy.stats.t.interval(0.95, 5, 2.5, std / sqrt(6)).
        let six = interval_of_mean(&values[..6]).unwrap().unwrap();
        assert!((six.lower - 0.536_685_7).abs() < 1e-6, "{}", six.lower);
        assert_eq!(six.method, IntervalMethod::StudentT);
        let (same, error) = student_interval(&values[..6], Level::FIVE_PERCENT)
            .unwrap()
            .unwrap();
        assert_eq!(same, six);
        // scipy.stats.sem.
        assert!((error - 0.763_762_6).abs() < 1e-6, "{error}");
        assert_eq!(
            student_interval(&values[..1], Level::FIVE_PERCENT).unwrap(),
            None
        );
        let many = interval_of_mean(&values).unwrap().unwrap();
        assert_eq!(many.method, IntervalMethod::Studentised);
    }
}
