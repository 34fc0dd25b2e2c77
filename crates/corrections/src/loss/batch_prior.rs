//! The logit-adjusted loss with the class shares of each minibatch in place of those of the training
//! rows.
//!
//! # When it helps, when it hurts
//!
//! It needs no pass over the data to count, and follows minibatches that are drawn unevenly or from a
//! stream whose shares drift. The price is noise: a small minibatch without a rare class says nothing
//! about it, while one that has a single row of it adjusts by the full `log(1/B)`. Averaged over
//! minibatches the offset is not `tau log pi` (the logarithm of a mean is no mean of logarithms), most of
//! all for classes with fewer than about one row a minibatch. With minibatches of all rows it is
//! `logit-adjusted` exactly.
//!
//! # Formula
//!
//! `l(y, f) = log(1 + sum_{j != y, j in B} exp(f_j - f_y + tau (log q_j - log q_y)))` with q the class
//! shares of the minibatch B; classes without a row in B are masked for it.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes, and O(K^2 + B) a minibatch of B rows in the learner.
//!
//! # Differences
//!
//! * An idea from a discussion, without a paper of its own. The usual code adds an epsilon inside the
//!   logarithm, which lets an absent class into the denominator at `tau log epsilon`; here it is masked.
//! * Its scores have no prior of their own that is known exactly, so that a decision from the scores' own
//!   prior is not applicable. scikit-learn has no such loss.
//! * With two classes a minibatch of one class alone pushes nothing.
//!
//! # Errors
//!
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows. Learners that do not train
//! by minibatches are not applicable.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "batch-prior").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![95, 5]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert_eq!(terms.batch_tau, Some(1.0));
//! assert_eq!(terms.margins.at(1, 0), 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! J. Ren, C. Yu, S. Sheng, X. Ma, H. Zhao, S. Yi and H. Li, "Balanced meta-softmax for long-tailed visual
//! recognition", Advances in Neural Information Processing Systems 33, 2020 (the loss at tau = 1 with the
//! shares of all rows).

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageResult, parameters,
};

use super::offset_terms;

parameters! {
    /// The minibatch's own logit adjustment with checked parameters.
    pub struct BatchPrior {
        /// factor on the log shares of the minibatch
        tau: f64 = 1.0, probe [0.5];
    }
}

impl Loss for BatchPrior {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            minibatches: true,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let n_classes = context.seen.n_classes();
        let terms = offset_terms(context.seen, &vec![1.0; n_classes], &vec![0.0; n_classes])?;
        Ok(LossTerms {
            batch_tau: Some(self.tau),
            ..terms
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<BatchPrior>(
    "batch-prior",
    "logit adjustment by the class shares of each minibatch",
    "Ren et al. 2020, with shares of the minibatch",
    RuleCaps::LOGIT_ADJUSTMENT,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, real, terms};
    use counterweight_core::ClassCounts;

    #[test]
    fn only_the_learner_knows_the_margins() {
        let found = terms(&ENTRY, &[("tau", real(0.5))], &[90, 0, 10]).unwrap();
        assert_eq!(found.batch_tau, Some(0.5));
        assert_eq!(found.logit_offsets(), None);
        let plain = LossTerms {
            batch_tau: None,
            ..found
        };
        let cross = built(&super::super::cross_entropy::ENTRY, &[]);
        let counts = ClassCounts::new(vec![90, 0, 10]);
        let context = LossContext {
            seen: &counts,
            train: &counts,
        };
        assert_eq!(plain, cross.terms(&context).unwrap());
    }
}
