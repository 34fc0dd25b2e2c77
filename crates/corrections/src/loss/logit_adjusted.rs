//! The logit-adjusted loss: cross-entropy of the scores plus tau times the log prior, so that the
//! scores themselves have to make up for the imbalance.
//!
//! # When it helps, when it hurts
//!
//! Consistent for balanced error at tau = 1 without any row counting more than another, which
//! spares the variance of weights. On a convex model with an unpenalised intercept it only moves
//! the intercept: predictions equal post-hoc `logit-adjust` with the same tau, at the price of a
//! fit. It is a method of its own where the model cannot simply shift: penalised intercepts, early
//! stopping, boosting at tau other than 1, networks.
//!
//! # Formula
//!
//! `l(y, f) = w_y log(1 + sum_{j != y} exp(f_j - f_y + tau (log pi_j - log pi_y)))`, `w_y = 1`;
//! with `consistent`, `w_y` is proportional to `pi_y^(tau - 1)`, scaled to `sum_y n_y w_y = n`:
//! then every tau is consistent for balanced error. With `epsilon`, `log pi_j` is
//! `log(pi_j + epsilon)` throughout.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The paper's plain form is consistent at tau = 1 only; `consistent` takes the weights of its
//!   Theorem 1 with delta = pi^tau, scaled to a mean of 1 over the rows.
//! * Classes without rows are masked instead of being given a small probability.
//! * scikit-learn has no such loss.
//!
//! # Errors
//!
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, for another number of prior numbers than classes, for a
//! prior of 0 on a class that has rows, and where tau times a log prior overflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "logit-adjusted").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![95, 5]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.margins.at(1, 0) - 19.0_f64.ln()).abs() < 1e-12);
//! // The scores of such a fit have a uniform prior of their own.
//! let own = terms.scores_prior(&counts).expect("a cross-entropy");
//! assert!((own.as_slice()[1] - 0.5).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning via
//! logit adjustment", ICLR 2021. J. Ren et al., "Balanced meta-softmax for long-tailed visual
//! recognition", Advances in Neural Information Processing Systems 33, 2020 (tau = 1).

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, Range, RuleCaps, StageResult, parameters,
};

use super::{log_prior, offset_terms, scaled};
use crate::prior::PriorSource;

parameters! {
    /// The logit-adjusted loss with checked parameters.
    pub struct LogitAdjusted {
        /// factor on the log prior
        tau: f64 = 1.0, probe [-0.5, 0.5, 2.5];
        /// weights prior^(tau - 1), so that every tau is consistent for balanced error
        consistent: bool = false, probe [true];
        /// the prior whose logarithm is added
        prior: PriorSource = "effective", probe ["train", "uniform"];
        /// added to the prior inside the logarithm, only to replay code that does so
        epsilon: f64 = 0.0, in Range::NON_NEGATIVE, probe [1e-8];
    }
}

impl LogitAdjusted {
    /// With this factor on the log prior.
    pub fn new(tau: f64) -> Self {
        Self::default().tau(tau)
    }
}

impl Loss for LogitAdjusted {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            margins: true,
            weights: self.consistent,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let prior = self.prior.for_loss(context)?;
        let logs = log_prior(&prior, seen, self.epsilon)?;
        let offsets: Vec<f64> = logs.iter().map(|log| self.tau * log).collect();
        let weights = if self.consistent {
            let log_weights: Vec<f64> = logs.iter().map(|log| (self.tau - 1.0) * log).collect();
            scaled(seen, &log_weights)
        } else {
            vec![1.0; seen.n_classes()]
        };
        offset_terms(seen, &weights, &offsets)
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<LogitAdjusted>(
    "logit-adjusted",
    "cross-entropy of the scores plus tau times the log prior",
    "Menon et al. 2021; Ren et al. 2020",
    RuleCaps::LOGIT_ADJUSTMENT,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, flag, list, real, text};
    use counterweight_core::{ClassCounts, ParamValue, StageError};

    fn terms(
        given: &[(&str, ParamValue)],
        seen: &[usize],
        train: &[usize],
    ) -> StageResult<LossTerms> {
        let (seen, train) = (
            ClassCounts::new(seen.to_vec()),
            ClassCounts::new(train.to_vec()),
        );
        built(&ENTRY, given).terms(&LossContext {
            seen: &seen,
            train: &train,
        })
    }

    fn close(a: &LossTerms, b: &LossTerms) {
        for (a, b) in a.margins.as_slice().iter().zip(b.margins.as_slice()) {
            assert!(
                a.to_bits() == b.to_bits() || (a - b).abs() < 1e-12,
                "{a} {b}"
            );
        }
        for (a, b) in a.weights.iter().zip(&b.weights) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn a_uniform_prior_or_tau_zero_is_plain_cross_entropy() {
        let counts = [90, 0, 10];
        let plain = terms(&[("tau", real(0.0))], &counts, &counts).unwrap();
        assert_eq!(plain.logit_offsets().unwrap()[0].to_bits(), 0);
        close(
            &terms(&[("prior", text("uniform"))], &counts, &counts).unwrap(),
            &plain,
        );
        close(&terms(&[], &[50, 0, 50], &counts).unwrap(), &plain);
    }

    #[test]
    fn counts_and_frequencies_are_the_same_loss() {
        let counts = [900, 70, 30];
        let a = terms(&[("prior", list(&[900.0, 70.0, 30.0]))], &counts, &counts).unwrap();
        let b = terms(&[("prior", list(&[0.9, 0.07, 0.03]))], &counts, &counts).unwrap();
        close(&a, &b);
        close(&a, &terms(&[], &counts, &counts).unwrap());
    }

    #[test]
    fn the_prior_is_of_the_rows_seen_or_of_the_rows_before() {
        let gap = |given: &[(&str, ParamValue)]| {
            terms(given, &[60, 30], &[90, 10]).unwrap().margins.at(1, 0)
        };
        assert!((gap(&[]) - 2.0_f64.ln()).abs() < 1e-12);
        assert!((gap(&[("prior", text("train"))]) - 9.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn the_consistent_form_weighs_by_the_prior_to_tau_minus_one() {
        let counts = [90, 10];
        let found = terms(
            &[("tau", real(0.5)), ("consistent", flag(true))],
            &counts,
            &counts,
        )
        .unwrap();
        assert!((found.weights[1] / found.weights[0] - 3.0).abs() < 1e-12);
        let sum = 90.0 * found.weights[0] + 10.0 * found.weights[1];
        assert!((sum - 100.0).abs() < 1e-10);
        // Consistent at every tau: the scores' own prior is uniform.
        for tau in [-1.0, 0.0, 0.5, 1.0, 3.0] {
            let given = [("tau", real(tau)), ("consistent", flag(true))];
            let counts = ClassCounts::new(counts.to_vec());
            let found = terms(&given, counts.as_slice(), counts.as_slice()).unwrap();
            let own = found.scores_prior(&counts).unwrap();
            assert!((own.as_slice()[0] - 0.5).abs() < 1e-12, "tau {tau}");
        }
    }

    #[test]
    fn extreme_priors_stay_exact_and_overflow_is_an_error() {
        let counts = [1_000_000_000, 1];
        let found = terms(&[("prior", list(&[1.0, 1e-9]))], &counts, &counts).unwrap();
        assert!((found.margins.at(1, 0) - 9.0 * 10.0_f64.ln()).abs() < 1e-12);
        assert!((found.margins.at(0, 1) + 9.0 * 10.0_f64.ln()).abs() < 1e-12);
        let found = terms(&[("tau", real(1e308))], &counts, &counts);
        assert!(matches!(found, Err(StageError::Failed(_))));
    }

    #[test]
    fn epsilon_replays_a_logarithm_that_has_one() {
        let counts = [99, 1];
        let found = terms(&[("epsilon", real(1e-8))], &counts, &counts).unwrap();
        let expected = (0.99_f64 + 1e-8).ln() - (0.01_f64 + 1e-8).ln();
        assert!((found.margins.at(1, 0) - expected).abs() < 1e-14);
    }
}
