//! Friedman's test: do k methods share one distribution of ranks?
//!
//! With mean ranks `R_j` over n datasets,
//!
//! ```text
//! chi2 = 12 n / (k (k+1)) * sum_j (R_j - (k+1)/2)^2                       classical
//! chi2 / C,  C = 1 - sum_ties (t^3 - t) / (n k (k^2 - 1))                 tie-corrected (default)
//! ```
//!
//! referred to chi-squared with k - 1 degrees of freedom. The tie-corrected form is scipy's; the
//! classical one reproduces Demsar's example. The chi-squared approximation is conservative for few
//! datasets; [`iman_davenport`](crate::iman_davenport) is the better-calibrated companion. Two
//! methods are allowed (then it is the sign test with ties as halves).
//!
//! # References
//!
//! M. Friedman (1937), The use of ranks to avoid the assumption of normality, JASA 32, 675-701.
//! J. Demsar (2006), JMLR 7, 1-30.

use crate::complete_table::BlockDesign;
use crate::error::{Result, StatsError};
use crate::ranks::RankTable;
use crate::special::chi_squared_sf;

/// What Friedman's statistic does about ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TieCorrection {
    /// Divide by the share of rank variance that ties leave, as scipy does.
    #[default]
    Corrected,
    /// The textbook formula without a term for ties.
    Classical,
}

/// The result of Friedman's test.
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    /// The chi-squared statistic.
    pub statistic: f64,
    /// k - 1.
    pub df: usize,
    /// Upper tail probability.
    pub p_value: f64,
    /// Which form it is.
    pub correction: TieCorrection,
    /// Mean ranks in table order.
    pub mean_ranks: Vec<f64>,
    /// Number of datasets n.
    pub n_datasets: usize,
    /// ln P(all datasets order the methods as the first one does | null), the exact tail where
    /// the statistic is at its maximum; `None` elsewhere.
    pub(crate) ln_unanimous: Option<f64>,
}

/// Friedman's test over the datasets of a design. O(n k log k).
///
/// # Errors
///
/// [`StatsError::Undefined`] when all methods tie on every dataset, for the tie-corrected statistic
/// is then 0/0.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{BlockDesign, CompleteTable, Dataset, Direction, TieCorrection, friedman};
///
/// let table = CompleteTable::new(
///     Direction::LowerIsBetter,
///     ["x", "y", "z"].map(Dataset::independent).to_vec(),
///     ["a", "b", "c"].map(str::to_owned).to_vec(),
///     vec![0.1, 0.2, 0.3, 0.2, 0.3, 0.4, 0.1, 0.3, 0.2],
/// )?;
/// let test = friedman(&BlockDesign::try_from(table)?, TieCorrection::Corrected)?;
/// assert!((test.statistic - 14.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn friedman(design: &BlockDesign, correction: TieCorrection) -> Result<Friedman> {
    let ranks = RankTable::new(design.table())?;
    let (n, k) = (design.n_datasets() as f64, design.n_methods() as f64);
    let mean_ranks = ranks.means();
    let centre = f64::midpoint(k, 1.0);
    // Centred squares: the textbook sum of squares minus 3n(k+1) cancels for many datasets.
    let spread: f64 = mean_ranks.iter().map(|rank| (rank - centre).powi(2)).sum();
    let classical = 12.0 * n / (k * (k + 1.0)) * spread;
    let ties: f64 = ranks
        .lines()
        .iter()
        .map(crate::ranks::Midranks::tie_term)
        .sum();
    let kept = 1.0 - ties / (n * k * (k * k - 1.0));
    let all_tied = ranks.lines().iter().all(|line| line.groups.len() == 1);
    if all_tied {
        return Err(StatsError::Undefined {
            what: "the Friedman statistic",
            reason: "all methods tie on every dataset",
        });
    }
    let statistic = match correction {
        TieCorrection::Corrected => classical / kept,
        TieCorrection::Classical => classical,
    };
    let df = design.n_methods() - 1;
    Ok(Friedman {
        statistic,
        df,
        p_value: chi_squared_sf(statistic, df as f64),
        correction,
        mean_ranks,
        n_datasets: design.n_datasets(),
        ln_unanimous: ln_unanimous(&ranks),
    })
}

/// If every line has the same ranks: (n-1) ln(prod t! / k!), the chance that n - 1 random
/// arrangements of that line repeat the first.
fn ln_unanimous(ranks: &RankTable) -> Option<f64> {
    let first = ranks.lines().first()?;
    if ranks.lines().iter().any(|line| line != first) {
        return None;
    }
    let ln_factorial = |count: usize| (2..=count).map(|i| (i as f64).ln()).sum::<f64>();
    let tied: f64 = first.groups.iter().map(|&size| ln_factorial(size)).sum();
    Some((ranks.lines().len() - 1) as f64 * (tied - ln_factorial(first.ranks.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complete_table::CompleteTable;
    use crate::params::Direction;
    use crate::score_table::Dataset;

    fn design(width: usize, values: &[f64]) -> BlockDesign {
        let datasets = (0..values.len() / width).map(|i| Dataset::independent(format!("d{i}")));
        let methods = (0..width).map(|i| format!("m{i}")).collect();
        let table = CompleteTable::new(
            Direction::LowerIsBetter,
            datasets.collect(),
            methods,
            values.to_vec(),
        );
        BlockDesign::try_from(table.unwrap()).unwrap()
    }

    #[test]
    fn the_maximum_is_reached_by_unanimity_only() {
        let unanimous = friedman(
            &design(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            TieCorrection::Corrected,
        );
        let unanimous = unanimous.unwrap();
        assert!((unanimous.statistic - 4.0).abs() < 1e-12, "n (k - 1)");
        assert!((unanimous.ln_unanimous.unwrap() - (1.0_f64 / 6.0).ln()).abs() < 1e-12);
        let mixed = friedman(
            &design(3, &[1.0, 2.0, 3.0, 5.0, 4.0, 6.0]),
            TieCorrection::Corrected,
        );
        assert_eq!(mixed.unwrap().ln_unanimous, None);
    }

    #[test]
    fn nothing_but_ties_has_no_statistic() {
        for correction in [TieCorrection::Corrected, TieCorrection::Classical] {
            let test = friedman(&design(2, &[1.0, 1.0, 2.0, 2.0]), correction);
            assert!(matches!(test, Err(StatsError::Undefined { .. })));
        }
    }

    #[test]
    fn ties_raise_the_corrected_statistic() {
        let design = design(3, &[1.0, 1.0, 3.0, 1.0, 2.0, 3.0]);
        let corrected = friedman(&design, TieCorrection::Corrected).unwrap();
        let classical = friedman(&design, TieCorrection::Classical).unwrap();
        assert!(corrected.statistic > classical.statistic);
        assert!(corrected.p_value < classical.p_value);
    }
}
