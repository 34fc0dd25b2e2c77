//! The focal loss: cross-entropy times `(1 - p_y)^gamma`, so that rows which are already right with
//! confidence hardly count.
//!
//! # When it helps, when it hurts
//!
//! Made for detectors whose background swamps training by sheer number: easy rows, which mostly belong
//! to the common class, fade out. It does not know the prior, so that it is no correction of the
//! boundary by itself: with two classes its population optimum lies on the side of even odds where the
//! posterior lies, for every gamma, and the decision of an unrestricted model does not change at all.
//! What it changes is how a restricted model spends its freedom, and confidence: probabilities are
//! drawn towards even. Add weights (`scheme`) for a correction; the published detectors did.
//!
//! # Formula
//!
//! `l(y, f) = w_y (1 - p_y)^gamma (-log p_y)`, `p = softmax(f)` over the classes that have rows, and
//! `w_y = 1` for scheme `none`, else as of [`weighted`](super::weighted), scaled to `sum_y n_y w_y = n`.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The paper has two classes and one sigmoid a class; this is the softmax form, which for two
//!   classes is the paper's.
//! * The paper's alpha is one number for the positive class; here it is any scheme of class weights.
//! * gamma = 0 is (weighted) cross-entropy to the last bit. scikit-learn has no such loss.
//! * For gamma > 0 the loss is not convex in the scores; learners say what they do about it.
//!
//! # Errors
//!
//! When it is built: as of [`weighted`](super::weighted). For given rows:
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, or when explicit
//! weights do not fit the classes.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "focal").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![95, 5]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert_eq!(terms.focal, 2.0);
//! assert_eq!(terms.weights, [1.0, 1.0]);
//! // Another link: its scores have no prior of their own.
//! assert_eq!(terms.scores_prior(&counts), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollar, "Focal loss for dense object detection",
//! ICCV 2017. N. Charoenphakdee, J. Vongkulbhisal, N. Chairatanakul and M. Sugiyama, "On focal loss for
//! class-posterior probability estimation: a theoretical perspective", CVPR 2021 (the optimum).

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, Range, RuleCaps, StageResult, parameters,
};

use super::class_weights::Beside;
use super::offset_terms;

parameters! {
    /// The focal loss with checked parameters.
    pub struct Focal {
        /// power of the probability of being wrong
        gamma: f64 = 2.0, in Range::NON_NEGATIVE, probe [0.0];
        weights: ..Beside;
    }
}

impl Loss for Focal {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            focal: self.gamma > 0.0,
            weights: self.weights.0.uneven(),
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let weights = self.weights.0.of(seen)?;
        let terms = offset_terms(seen, &weights, &vec![0.0; seen.n_classes()])?;
        Ok(LossTerms {
            focal: self.gamma,
            ..terms
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Focal>(
    "focal",
    "cross-entropy times (1 - p)^gamma of the row's class, so that easy rows fade out",
    "Lin et al. 2017",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, failure, list, real, terms, text};
    use counterweight_core::ClassCounts;

    #[test]
    fn gamma_zero_is_cross_entropy_and_asks_for_nothing() {
        let plain = [("gamma", real(0.0))];
        assert_eq!(built(&ENTRY, &plain).needs(), LossNeeds::NONE);
        let found = terms(&ENTRY, &plain, &[90, 0, 10]).unwrap();
        assert!(
            found
                .scores_prior(&ClassCounts::new(vec![90, 0, 10]))
                .is_some()
        );
        assert!(built(&ENTRY, &[]).needs().focal);
        assert!(!built(&ENTRY, &[]).needs().weights);
    }

    #[test]
    fn weights_are_those_of_the_weighted_loss() {
        let counts = ClassCounts::new(vec![900, 90, 10]);
        let context = LossContext {
            seen: &counts,
            train: &counts,
        };
        for given in [
            vec![("scheme", text("inverse-frequency"))],
            vec![("scheme", text("effective-number")), ("beta", real(0.99))],
            vec![
                ("scheme", text("explicit")),
                ("weights", list(&[1.0, 0.0, 3.0])),
            ],
        ] {
            let expected = built(&super::super::weighted::ENTRY, &given);
            let found = terms(&ENTRY, &given, &[900, 90, 10]).unwrap().weights;
            assert_eq!(found, expected.terms(&context).unwrap().weights);
            assert!(built(&ENTRY, &given).needs().weights);
        }
        assert!(failure(&ENTRY, &[("beta", real(0.9))]).contains("effective-number"));
        assert!(failure(&ENTRY, &[("weights", list(&[1.0, 2.0]))]).contains("explicit"));
    }
}
