//! The corrected resampled t test of Nadeau and Bengio, on one dataset.
//!
//! Repeated cross-validation reuses its rows, so J fold differences `d_j` are correlated and the
//! ordinary t test rejects a true null far too often. The correction widens the variance:
//!
//! ```text
//! t = mean(d) / sqrt( (1/J + n_test/n_train) * var(d) ),   df = J - 1
//! ```
//!
//! It speaks about one dataset only; a statement about methods in general needs several datasets
//! ([`pairwise`](crate::pairwise())). O(J).
//!
//! # References
//!
//! C. Nadeau and Y. Bengio (2003), Inference for the generalization error, Machine Learning 52,
//! 239-281. R. R. Bouckaert and E. Frank (2004), Evaluating the replicability of significance tests
//! for comparing learning algorithms, PAKDD.

use crate::error::{Result, StatsError, Unit, at_least, finite, no_overflow};
use crate::params::Level;
use crate::special::{student_sf, student_upper_quantile};

/// `n_test` / `n_train` of the resampling protocol, finite and positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestShare(f64);

impl TestShare {
    /// From the counts of rows.
    ///
    /// # Errors
    ///
    /// [`StatsError::OutOfRange`] if either count is zero.
    pub fn from_counts(n_test: usize, n_train: usize) -> Result<Self> {
        for (name, count) in [("n_test", n_test), ("n_train", n_train)] {
            if count == 0 {
                return Err(StatsError::OutOfRange {
                    name,
                    value: 0.0,
                    range: "at least 1",
                });
            }
        }
        Ok(Self(n_test as f64 / n_train as f64))
    }

    /// 1 / (k - 1) of k-fold cross-validation.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFew`] for fewer than two folds.
    pub fn from_folds(folds: usize) -> Result<Self> {
        at_least("cross-validation", Unit::Folds, folds, 2)?;
        Ok(Self(1.0 / (folds - 1) as f64))
    }
}

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorrectedT {
    /// Mean difference.
    pub mean: f64,
    /// The t statistic.
    pub statistic: f64,
    /// J - 1.
    pub df: usize,
    /// Two-sided p value.
    pub p_value: f64,
    /// Lower end of the confidence interval of the mean difference.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The test of J differences `a - b` over repeats and folds.
///
/// # Errors
///
/// [`StatsError::TooFew`] for fewer than two differences, [`StatsError::NotFinite`],
/// [`StatsError::Undefined`] if all differences are equal: without variance there is no t.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Level, TestShare, corrected_t};
///
/// let differences = [0.02, 0.03, -0.01, 0.04, 0.01];
/// let test = corrected_t(&differences, TestShare::from_folds(5)?, Level::FIVE_PERCENT)?;
/// assert_eq!(test.df, 4);
/// assert!(test.lower < 0.0 && test.upper > 0.0);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn corrected_t(differences: &[f64], share: TestShare, level: Level) -> Result<CorrectedT> {
    let count = at_least("the corrected t test", Unit::Folds, differences.len(), 2)?;
    for (index, &value) in differences.iter().enumerate() {
        finite(value, || format!("difference {index}"))?;
    }
    let folds = count as f64;
    let mean = differences.iter().sum::<f64>() / folds;
    let squares: f64 = differences.iter().map(|value| (value - mean).powi(2)).sum();
    let variance = squares / (folds - 1.0);
    no_overflow(variance, "the corrected t statistic")?;
    let scale = differences
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    // Equal differences whose mean is off by a rounding leave a variance of this size.
    if variance.sqrt() <= scale * 1e-14 {
        return Err(StatsError::Undefined {
            what: "the corrected t statistic",
            reason: "all differences are equal",
        });
    }
    let error = ((1.0 / folds + share.0) * variance).sqrt();
    let statistic = mean / error;
    let df = count - 1;
    let margin = student_upper_quantile(level.alpha() / 2.0, df as f64) * error;
    Ok(CorrectedT {
        mean,
        statistic,
        df,
        p_value: (2.0 * student_sf(statistic.abs(), df as f64)).min(1.0),
        lower: mean - margin,
        upper: mean + margin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_wider_than_the_ordinary_t_test() {
        let differences = [0.02, 0.03, -0.01, 0.04, 0.01];
        let test = corrected_t(
            &differences,
            TestShare::from_folds(5).unwrap(),
            Level::FIVE_PERCENT,
        )
        .unwrap();
        // Ordinary t = mean / (s / sqrt J); corrected t is smaller by sqrt(1 + J n_test/n_train).
        let s = (differences
            .iter()
            .map(|d| (d - 0.018_f64).powi(2))
            .sum::<f64>()
            / 4.0)
            .sqrt();
        let ordinary = 0.018 / (s / 5.0_f64.sqrt());
        assert!((test.statistic - ordinary / (1.0_f64 + 1.25).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn undefined_and_bad_input() {
        let share = TestShare::from_counts(20, 80).unwrap();
        let level = Level::FIVE_PERCENT;
        assert!(matches!(
            corrected_t(&[0.1; 10], share, level),
            Err(StatsError::Undefined { .. })
        ));
        assert!(corrected_t(&[0.0; 10], share, level).is_err());
        assert!(corrected_t(&[0.1], share, level).is_err());
        assert!(corrected_t(&[0.1, f64::NAN], share, level).is_err());
        assert!(TestShare::from_counts(0, 3).is_err());
        assert!(TestShare::from_folds(1).is_err());
    }
}
