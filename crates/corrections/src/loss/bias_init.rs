//! Plain cross-entropy that starts from output biases of tau times the log prior.
//!
//! # When it helps, when it hurts
//!
//! The usual advice for networks on imbalanced data: without it the first epochs only learn the class
//! shares, and their large gradients can upset the rest. It saves that time. It is often taken for a
//! correction, and is none: the loss is the same, so that a model trained to the end is the plain model,
//! biased towards common classes like any other. This arm exists to show that.
//!
//! # Formula
//!
//! `l(y, f) = log(1 + sum_{j != y} exp(f_j - f_y))` from biases `b_y = tau log pi_y`.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The paper's bias is that of one sigmoid for a rare foreground, `log(pi / (1 - pi))`: with two classes
//!   the difference of the biases here at tau = 1.
//! * Classes without rows are masked and have no bias. scikit-learn's networks start from small random
//!   biases.
//!
//! # Errors
//!
//! [`StageError::Failed`] without rows, for another number of prior numbers than classes, for a prior of 0
//! on a class that has rows, and where tau times a log prior overflows. Learners without a start of their
//! own to set (a convex solver that converges from anywhere) are not applicable.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "bias-init").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![99, 1]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! let bias = terms.initial_bias.as_ref().expect("it is the point");
//! assert!((bias[1] - 0.01_f64.ln()).abs() < 1e-12);
//! // It is no correction: the scores' own prior is that of the rows.
//! let own = terms.scores_prior(&counts).expect("a cross-entropy");
//! assert!((own.as_slice()[1] - 0.01).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollar, "Focal loss for dense object detection", ICCV
//! 2017, section 4.1 (the prior of the last layer's bias).

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageError, StageResult,
    parameters,
};

use super::{log_prior, offset_terms};
use crate::prior::PriorSource;

parameters! {
    /// The start from the prior with checked parameters.
    pub struct BiasInit {
        /// factor on the log prior
        tau: f64 = 1.0, probe [-1.0];
        /// the prior whose logarithm training starts from
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Loss for BiasInit {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            initial_bias: true,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let logs = log_prior(&self.prior.for_loss(context)?, seen, 0.0)?;
        let bias: Vec<f64> = logs.iter().map(|log| self.tau * log).collect();
        if let Some(odd) = bias.iter().find(|b| !b.is_finite()) {
            return Err(StageError::Failed(format!(
                "an initial bias is {odd}; use a smaller `tau`"
            )));
        }
        let n_classes = seen.n_classes();
        let terms = offset_terms(seen, &vec![1.0; n_classes], &vec![0.0; n_classes])?;
        Ok(LossTerms {
            initial_bias: Some(bias),
            ..terms
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<BiasInit>(
    "bias-init",
    "plain cross-entropy from output biases of tau times the log prior: no correction",
    "Lin et al. 2017, 4.1",
    RuleCaps::LOGIT_ADJUSTMENT,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{real, terms, text};

    #[test]
    fn biases_are_tau_log_prior_and_absent_classes_have_none() {
        let found = terms(&ENTRY, &[("tau", real(2.0))], &[90, 0, 10]).unwrap();
        let bias = found.initial_bias.unwrap();
        for (b, expected) in bias
            .iter()
            .zip([2.0 * 0.9_f64.ln(), 0.0, 2.0 * 0.1_f64.ln()])
        {
            assert!((b - expected).abs() < 1e-12);
        }
        let even = terms(&ENTRY, &[("prior", text("uniform"))], &[90, 10]).unwrap();
        let bias = even.initial_bias.unwrap();
        assert!((bias[0] - bias[1]).abs() < 1e-15);
    }

    #[test]
    fn a_bias_that_overflows_is_an_error() {
        let found = terms(&ENTRY, &[("tau", real(1e308))], &[1_000_000, 1]);
        assert!(matches!(found, Err(StageError::Failed(text)) if text.contains("tau")));
    }
}
