//! The adaptive margin: a row has to beat every other class by a margin that grows as its own class
//! gets rarer.
//!
//! # When it helps, when it hurts
//!
//! It moves the boundary away from rare classes, by far less than the log prior does: at a prior of
//! .01 the margin is 3.2, at .05 it is 2.1, and the common class has one of 1. What counts for the
//! boundary is the difference, so that it corrects a part of the imbalance only and is consistent for
//! balanced error nowhere but at even priors. On separable rows, where weights do nothing in the
//! limit, a margin still acts. Since the same margin stands against every other class, it also asks
//! for confidence between two classes of equal rarity, where nothing needs correcting.
//!
//! # Formula
//!
//! `l(y, f) = log(1 + sum_{j != y} exp(f_j - f_y + pi_y^(-1/4)))`, the sum over classes with rows.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * This is the form in which Menon et al. write the loss of Cao et al.; the form of Cao et al.
//!   themselves, with its scale and largest margin, is [`ldam`](super::ldam).
//! * Classes without rows are masked. scikit-learn has no such loss.
//! * With two classes the models' single score takes the margins as they are.
//!
//! # Errors
//!
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, for another number of
//! prior numbers than classes, and for a prior of 0 on a class that has rows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "adaptive").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![9999, 1]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.margins.at(1, 0) - 10.0).abs() < 1e-12);
//! assert!((terms.margins.at(0, 1) - 1.0).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning imbalanced datasets with
//! label-distribution-aware margin loss", Advances in Neural Information Processing Systems 32, 2019.
//! A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, section 3.

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageResult, parameters,
};

use super::{log_prior, margin_terms};
use crate::prior::PriorSource;

parameters! {
    /// The adaptive margin with checked parameters.
    pub struct Adaptive {
        /// the prior whose fourth root divides the margin
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Loss for Adaptive {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            margins: true,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let logs = log_prior(&self.prior.for_loss(context)?, seen, 0.0)?;
        margin_terms(seen, &vec![1.0; seen.n_classes()], |y, _| {
            (-0.25 * logs[y]).exp()
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Adaptive>(
    "adaptive",
    "a margin against every other class, prior^(-1/4) of the row's own class",
    "Cao et al. 2019 as written by Menon et al. 2021",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{list, terms};

    #[test]
    fn the_margin_is_of_the_rows_own_class() {
        let found = terms(&ENTRY, &[], &[810, 0, 180, 10]).unwrap();
        for (y, prior) in [(0, 0.81_f64), (2, 0.18), (3, 0.01)] {
            for j in [0, 2, 3] {
                let expected = if j == y { 0.0 } else { prior.powf(-0.25) };
                assert!((found.margins.at(y, j) - expected).abs() < 1e-12);
            }
        }
        assert_eq!(found.logit_offsets(), None, "no cross-entropy of f + o");
    }

    #[test]
    fn an_extreme_prior_keeps_its_digits() {
        let found = terms(
            &ENTRY,
            &[("prior", list(&[1.0, 1e-9]))],
            &[1_000_000_000, 1],
        )
        .unwrap();
        let expected = (1e-9_f64 / (1.0 + 1e-9)).powf(-0.25);
        assert!((found.margins.at(1, 0) / expected - 1.0).abs() < 1e-14);
    }
}
