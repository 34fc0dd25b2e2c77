//! Class-dependent temperatures: during training the score of a class is shrunk the more the rarer the
//! class is, so that its scores have to grow; decisions then use the scores as they are.
//!
//! # When it helps, when it hurts
//!
//! Made for overparameterised networks, which fit every training row: there weights and additive
//! margins fade out in the limit, while factors keep acting on the boundary. Where rows overlap it is no
//! correction. With two classes its boundary lies where `D_1 eta_1 = D_0 eta_0`: the row of a rare class
//! pushes with its factor only, so that the boundary moves AGAINST the rare class. With three or more the
//! optimum is `f_j = (log eta_j + c(x)) / D_j` with a constant that the loss leaves open; from a start at
//! zero, where `sum_j f_j / D_j` stays 0, even odds stay even. Expect it to lose against no correction on
//! a converged convex model, and say so with this arm.
//!
//! # Formula
//!
//! `l(y, f) = log(1 + sum_{j != y} exp(D_j f_j - D_y f_y))`, `D_j = (n_j / n_max)^gamma`, the sum over
//! classes with rows. With two classes, one score s and signs +1 for the second class, -1 for the first:
//! `l(y, s) = log(1 + exp(-D_y (+-1) s))`.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The paper divides by `a_j = (n_max / n_j)^gamma`, which is the same, and tunes gamma in 0 to 0.4.
//! * Two classes take the binary form of Kini et al. on one score, because the multiclass form on two
//!   scores that start at zero leaves even odds, and so a linear boundary, where they were.
//! * Classes without rows are masked. scikit-learn has no such loss.
//!
//! # Errors
//!
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, and for a gamma so large
//! that a factor underflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "cdt").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![1000, 1]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.factors[1] - 0.001_f64.powf(0.3)).abs() < 1e-15);
//! assert_eq!(terms.factors[0], 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! H.-J. Ye, H.-Y. Chen, D.-C. Zhan and W.-L. Chao, "Identifying and compensating for feature deviation
//! in imbalanced deep learning", arXiv:2001.01385, 2020. G. R. Kini, O. Paraskevas, S. Oymak and C.
//! Thrampoulidis, "Label-imbalanced and group-sensitive classification under overparameterization",
//! Advances in Neural Information Processing Systems 34, 2021 (the binary form).

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, Range, RuleCaps, StageResult, parameters,
};

use super::{count_factors, offset_terms};

parameters! {
    /// Class-dependent temperatures with checked parameters.
    pub struct Cdt {
        /// power of the share of the largest count that multiplies a class's score
        gamma: f64 = 0.3, in Range::NON_NEGATIVE, probe [0.0, 0.1];
    }
}

impl Loss for Cdt {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            factors: self.gamma > 0.0,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let n_classes = seen.n_classes();
        let terms = offset_terms(seen, &vec![1.0; n_classes], &vec![0.0; n_classes])?;
        Ok(LossTerms {
            factors: count_factors(seen, self.gamma)?,
            ..terms
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Cdt>(
    "cdt",
    "multiplies a class's score in training by a power of its count's share",
    "Ye et al. 2020",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, real, terms};
    use counterweight_core::StageError;

    #[test]
    fn factors_are_powers_of_the_counts() {
        let found = terms(&ENTRY, &[("gamma", real(0.5))], &[400, 0, 100, 4]).unwrap();
        let expected = [1.0, 1.0, 0.5, 0.1];
        for (a, b) in found.factors.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15);
        }
        assert!(found.margins.at(0, 1).is_infinite() && found.weights[1].abs() < 1e-300);
        assert_eq!(found.logit_offsets(), None);
    }

    #[test]
    fn even_counts_or_gamma_zero_change_nothing() {
        assert_eq!(
            terms(&ENTRY, &[], &[50, 50]).unwrap(),
            LossTerms::cross_entropy(2)
        );
        let none = [("gamma", real(0.0))];
        assert_eq!(
            terms(&ENTRY, &none, &[90, 1]).unwrap(),
            LossTerms::cross_entropy(2)
        );
        assert_eq!(built(&ENTRY, &none).needs(), LossNeeds::NONE);
    }

    #[test]
    fn two_classes_are_even_where_factor_times_posterior_is() {
        // The slope of the expected loss at s = 0 vanishes at eta_1 = D_0 / (D_0 + D_1) > 1/2.
        let found = terms(&ENTRY, &[], &[90, 10]).unwrap();
        let (common, rare) = (found.factors[0], found.factors[1]);
        let eta = common / (common + rare);
        let slope = 0.5 * (-eta * rare + (1.0 - eta) * common);
        assert!(slope.abs() < 1e-15 && eta > 0.6);
    }

    #[test]
    fn a_factor_that_underflows_is_an_error() {
        let found = terms(&ENTRY, &[("gamma", real(500.0))], &[1000, 1]);
        assert!(matches!(found, Err(StageError::Failed(text)) if text.contains("gamma")));
    }
}
