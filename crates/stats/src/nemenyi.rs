//! Nemenyi's test: all pairs of methods by their mean ranks.
//!
//! ```text
//! CD  = q(alpha, k, infinity) / sqrt(2) * sqrt(k (k+1) / (6 n))
//! p   = P(Q_k > sqrt(2) |R_i - R_j| / sqrt(k (k+1) / (6 n)))
//! ```
//!
//! Two methods differ if their mean ranks lie further apart than the critical difference. The
//! verdict on a pair depends on which other methods are in the table (Benavoli et al. 2016), which is
//! why the crate's pairwise decisions rest on Wilcoxon with Holm; this one is for the diagram that
//! readers expect.
//!
//! # References
//!
//! P. Nemenyi (1963), Distribution-free multiple comparisons, thesis, Princeton.
//! J. Demsar (2006), JMLR 7, 1-30.
//! A. Benavoli, G. Corani, F. Mangili (2016), Should we really use post-hoc tests based on
//! mean-ranks?, JMLR 17(5), 1-10.

use crate::error::{Result, StatsError, Unit, at_least};
use crate::params::Level;
use crate::studentized_range::{studentized_range_quantile, studentized_range_sf};

/// Nemenyi's critical difference of mean ranks. Costs one quantile of the studentised range.
///
/// # Errors
///
/// [`StatsError::TooFew`] for fewer than two methods or no dataset.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Level, nemenyi_cd};
///
/// assert!((nemenyi_cd(4, 14, Level::FIVE_PERCENT)? - 1.25).abs() < 0.005);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn nemenyi_cd(n_methods: usize, n_datasets: usize, level: Level) -> Result<f64> {
    let scale = rank_scale(n_methods, n_datasets)?;
    Ok(studentized_range_quantile(level, n_methods)? / 2.0_f64.sqrt() * scale)
}

/// The p value of a difference of two mean ranks among `n_methods`.
///
/// # Errors
///
/// [`StatsError::TooFew`] as for [`nemenyi_cd`], [`StatsError::OutOfRange`] for a difference that is
/// not finite.
pub fn nemenyi_p(rank_difference: f64, n_methods: usize, n_datasets: usize) -> Result<f64> {
    if !rank_difference.is_finite() {
        return Err(StatsError::OutOfRange {
            name: "rank difference",
            value: rank_difference,
            range: "a finite number",
        });
    }
    let scale = rank_scale(n_methods, n_datasets)?;
    studentized_range_sf(rank_difference.abs() / scale * 2.0_f64.sqrt(), n_methods)
}

/// sqrt(k (k+1) / (6 n)): the standard error of a difference of two mean ranks without ties.
pub(crate) fn rank_scale(n_methods: usize, n_datasets: usize) -> Result<f64> {
    at_least("a comparison of mean ranks", Unit::Methods, n_methods, 2)?;
    at_least("a comparison of mean ranks", Unit::Datasets, n_datasets, 1)?;
    let k = n_methods as f64;
    Ok((k * (k + 1.0) / (6.0 * n_datasets as f64)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_critical_difference_has_p_equal_to_its_level() {
        for (k, n) in [(2, 1), (4, 14), (30, 54)] {
            let cd = nemenyi_cd(k, n, Level::TEN_PERCENT).unwrap();
            assert!((nemenyi_p(-cd, k, n).unwrap() - 0.1).abs() < 1e-10);
        }
    }

    #[test]
    fn too_little_is_an_error_value() {
        assert!(nemenyi_cd(1, 10, Level::FIVE_PERCENT).is_err());
        assert!(nemenyi_cd(3, 0, Level::FIVE_PERCENT).is_err());
        assert!(nemenyi_p(f64::NAN, 3, 4).is_err());
    }
}
