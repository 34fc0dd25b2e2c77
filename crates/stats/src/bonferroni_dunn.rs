//! The Bonferroni-Dunn test: every method against one control by mean ranks.
//!
//! ```text
//! CD = z(1 - alpha / (2 (k-1))) * sqrt(k (k+1) / (6 n))
//! ```
//!
//! Fewer comparisons than Nemenyi's test, hence a smaller critical difference; only differences from
//! the control may be read off it. Demsar prints 1.16 for his example; computed
//! it is 1.168.
//!
//! # References
//!
//! O. J. Dunn (1961), Multiple comparisons among means, JASA 56, 52-64.
//! J. Demsar (2006), JMLR 7, 1-30.

use crate::error::Result;
use crate::nemenyi::rank_scale;
use crate::params::Level;
use crate::special::normal_upper_quantile;

/// The Bonferroni-Dunn critical difference of mean ranks from a control. O(1).
///
/// # Errors
///
/// [`StatsError::TooFew`](crate::StatsError::TooFew) for fewer than two methods or no dataset.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{Level, bonferroni_dunn_cd};
///
/// assert!((bonferroni_dunn_cd(4, 14, Level::FIVE_PERCENT)? - 1.17).abs() < 0.005);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn bonferroni_dunn_cd(n_methods: usize, n_datasets: usize, level: Level) -> Result<f64> {
    let scale = rank_scale(n_methods, n_datasets)?;
    let each = level.bonferroni(n_methods - 1).alpha() / 2.0;
    Ok(normal_upper_quantile(each) * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nemenyi::nemenyi_cd;

    #[test]
    fn one_comparison_is_the_same_for_both_tests() {
        let (a, b) = (
            bonferroni_dunn_cd(2, 20, Level::FIVE_PERCENT).unwrap(),
            nemenyi_cd(2, 20, Level::FIVE_PERCENT).unwrap(),
        );
        assert!((a - b).abs() < 1e-12, "{a} {b}");
        assert!(bonferroni_dunn_cd(1, 20, Level::FIVE_PERCENT).is_err());
    }
}
