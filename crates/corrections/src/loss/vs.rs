//! The vector-scaling loss: the additive offsets of the logit-adjusted loss and the multiplicative
//! factors of class-dependent temperatures in one, with class weights if asked.
//!
//! # When it helps, when it hurts
//!
//! Its parts act at different times. Additive offsets set the boundary as long as rows overlap, and fade
//! out on separable rows; factors decide where separable rows put the boundary. Together they cover both
//! ends, which is where an overparameterised model needs them. Where rows overlap, the factors take back a
//! part of what the offsets give: with two classes and tau = 1 the boundary lies at a likelihood ratio of
//! `D_common / D_rare` for the rare class instead of 1, so that gamma has a price on a converged convex
//! model. tau = 1 is consistent for balanced error at gamma = 0 only.
//!
//! # Formula
//!
//! `l(y, f) = w_y log(1 + sum_{j != y} exp(D_j f_j - D_y f_y + tau (log pi_j - log pi_y)))`,
//! `D_j = (n_j / n_max)^gamma`, the sum over classes with rows. With two classes, one score s and signs
//! +1 for the second class, -1 for the first: `l(y, s) = w_y log(1 + exp(iota_y - D_y (+-1) s))`,
//! `iota_y = tau log(pi_other / pi_y)`.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * gamma = 0 is `logit-adjusted`, tau = 0 is `cdt`, both to the last bit.
//! * Two classes take the paper's binary form on one score.
//! * The offsets follow `prior`, the factors always the counts of the rows that the learner sees.
//! * Classes without rows are masked. scikit-learn has no such loss.
//!
//! # Errors
//!
//! When it is built: as of [`weighted`](super::weighted). For given rows:
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, for another number of
//! prior numbers or weights than classes, for a prior of 0 on a class that has rows, and where a margin
//! overflows or a factor underflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "vs").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![95, 5]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.margins.at(1, 0) - 19.0_f64.ln()).abs() < 1e-12);
//! assert!((terms.factors[1] - (1.0_f64 / 19.0).powf(0.3)).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. R. Kini, O. Paraskevas, S. Oymak and C. Thrampoulidis, "Label-imbalanced and group-sensitive
//! classification under overparameterization", Advances in Neural Information Processing Systems 34,
//! 2021.

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, Range, RuleCaps, StageResult, parameters,
};

use super::class_weights::Beside;
use super::{count_factors, log_prior, offset_terms};
use crate::prior::PriorSource;

parameters! {
    /// The vector-scaling loss with checked parameters.
    pub struct Vs {
        /// factor on the log prior
        tau: f64 = 1.0, probe [1.5];
        /// power of the share of the largest count that multiplies a class's score
        gamma: f64 = 0.3, in Range::NON_NEGATIVE, probe [0.1];
        /// the prior whose logarithm is added
        prior: PriorSource = "effective", probe ["train", "uniform"];
        weights: ..Beside;
    }
}

impl Loss for Vs {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            margins: self.tau.abs() > 0.0,
            factors: self.gamma > 0.0,
            weights: self.weights.0.uneven(),
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let logs = log_prior(&self.prior.for_loss(context)?, seen, 0.0)?;
        let offsets: Vec<f64> = logs.iter().map(|log| self.tau * log).collect();
        let terms = offset_terms(seen, &self.weights.0.of(seen)?, &offsets)?;
        Ok(LossTerms {
            factors: count_factors(seen, self.gamma)?,
            ..terms
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Vs>(
    "vs",
    "offsets of the log prior and factors of the counts' shares on the scores",
    "Kini et al. 2021",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, real, terms, text};
    use counterweight_core::{ClassCounts, ParamValue};

    #[test]
    fn its_ends_are_the_losses_that_it_joins() {
        let counts = ClassCounts::new(vec![700, 0, 250, 50]);
        let context = LossContext {
            seen: &counts,
            train: &counts,
        };
        let tau = ("tau", real(0.7));
        let found = terms(
            &ENTRY,
            &[tau.clone(), ("gamma", real(0.0))],
            counts.as_slice(),
        )
        .unwrap();
        let adjusted = built(&super::super::logit_adjusted::ENTRY, &[tau]);
        assert_eq!(found, adjusted.terms(&context).unwrap());
        let gamma = ("gamma", real(0.2));
        let found = terms(
            &ENTRY,
            &[("tau", real(0.0)), gamma.clone()],
            counts.as_slice(),
        )
        .unwrap();
        let tempered = built(&super::super::cdt::ENTRY, &[gamma]);
        assert_eq!(found.factors, tempered.terms(&context).unwrap().factors);
        let even = |a: f64| a.abs() < 1e-300 || a.is_infinite();
        assert!(found.margins.as_slice().iter().all(|a| even(*a)));
    }

    #[test]
    fn two_classes_are_even_at_the_ratio_of_the_factors() {
        // At tau = 1 the slope of the expected loss at s = 0 vanishes where the likelihood ratio of the
        // rare class is D_common / D_rare.
        let found = terms(&ENTRY, &[], &[95, 5]).unwrap();
        let ratio = found.factors[0] / found.factors[1];
        let (common, rare) = (0.95, 0.05 * ratio);
        let pull = |y: usize| {
            let wrong = 1.0 / (1.0 + (-found.margins.at(y, 1 - y)).exp());
            found.factors[y] * wrong
        };
        assert!((rare * pull(1) - common * pull(0)).abs() < 1e-12 && ratio > 2.0);
    }

    #[test]
    fn each_part_is_asked_for_alone() {
        let needs = |given: &[(&str, ParamValue)]| {
            let needs = built(&ENTRY, given).needs();
            (needs.margins, needs.factors, needs.weights)
        };
        assert_eq!(needs(&[]), (true, true, false));
        assert_eq!(needs(&[("tau", real(0.0))]), (false, true, false));
        assert_eq!(needs(&[("gamma", real(0.0))]), (true, false, false));
        let weighted = [("scheme", text("inverse-sqrt"))];
        assert_eq!(needs(&weighted), (true, true, true));
    }
}
