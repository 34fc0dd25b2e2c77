//! The equalised loss: a class stands in the denominator of other classes' rows in proportion to its
//! prior, so that common classes' rows hardly push rare classes down.
//!
//! # When it helps, when it hurts
//!
//! It takes away the part of the gradient that drowns rare classes. The margin of a row does not
//! depend on its own class: with two classes, a common row gets the full `log pi` of the rare class and
//! a rare row next to nothing, so that only one side of the logit-adjusted correction is there. It lies
//! between no correction and the full one, and is consistent for balanced error only at even priors.
//! Its scores are also more confident than any posterior.
//!
//! # Formula
//!
//! `l(y, f) = log(1 + sum_{j != y} pi_j exp(f_j - f_y))`, the sum over classes with rows.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The paper drops rare classes from the denominators of other classes' rows at random, and below a
//!   threshold frequency; this is the deterministic form in which Menon et al. write it.
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
//! let entry = find(counterweight_corrections::loss::ALL, "equalised").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![95, 5]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.margins.at(0, 1) - 0.05_f64.ln()).abs() < 1e-12);
//! assert!((terms.margins.at(1, 0) - 0.95_f64.ln()).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! J. Tan, C. Wang, B. Li, Q. Li, W. Ouyang, C. Yin and J. Yan, "Equalization loss for long-tailed
//! object recognition", CVPR 2020. A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR
//! 2021, section 3.

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageResult, parameters,
};

use super::{log_prior, margin_terms};
use crate::prior::PriorSource;

parameters! {
    /// The equalised loss with checked parameters.
    pub struct Equalised {
        /// the prior of the classes in the denominator
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Loss for Equalised {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            margins: true,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let logs = log_prior(&self.prior.for_loss(context)?, seen, 0.0)?;
        margin_terms(seen, &vec![1.0; seen.n_classes()], |_, j| logs[j])
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Equalised>(
    "equalised",
    "other classes count in a row's denominator in proportion to their prior",
    "Tan et al. 2020 as written by Menon et al. 2021",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{list, terms};

    #[test]
    fn the_margin_is_of_the_other_class() {
        let found = terms(&ENTRY, &[], &[810, 0, 180, 10]).unwrap();
        for y in [0, 2, 3] {
            for (j, prior) in [(0, 0.81_f64), (2, 0.18), (3, 0.01)] {
                let expected = if j == y { 0.0 } else { prior.ln() };
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
        let expected = (1e-9_f64 / (1.0 + 1e-9)).ln();
        assert!((found.margins.at(0, 1) - expected).abs() < 1e-12);
        assert!((found.margins.at(1, 0) + 1e-9).abs() < 1e-15);
    }
}
