//! Class-weighted cross-entropy: the loss of each row is multiplied by a weight of its class.
//!
//! # When it helps, when it hurts
//!
//! The oldest correction, and consistent for balanced error with inverse frequencies where the
//! model is flexible enough. A misspecified model also changes its slopes, since the minority's
//! misfit now counts more: that can help or hurt. Large weights on few rows mean variance, and a
//! separable problem ignores them in the limit.
//!
//! # Formula
//!
//! `l(y, f) = w_y log(1 + sum_{j != y} exp(f_j - f_y))` with `n_y` rows of class y among the n rows
//! that the learner sees, and
//!
//! | scheme | `w_y` before scaling |
//! |---|---|
//! | `inverse-frequency` | `1 / n_y` |
//! | `inverse-sqrt` | `n_y^(-1/2)` |
//! | `effective-number` | `(1 - beta) / (1 - beta^n_y)` |
//! | `explicit` | as given, not scaled |
//!
//! scaled so that `sum_y n_y w_y = n`; `inverse-frequency` is then `n / (K n_y)` with K classes
//! that have rows. beta = 0 gives weights of 1, and beta towards 1 the inverse frequencies.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * `inverse-frequency` is scikit-learn's `class_weight = "balanced"`.
//! * The effective-number paper scales the weights to sum to K; here, as everywhere, they are
//!   scaled to a mean of 1 over the rows, so that the penalty keeps its meaning.
//! * Absent classes have weight 0 and do not count in K.
//!
//! # Errors
//!
//! When it is built: `weights` without `explicit` or the other way round, all of them 0, or a
//! `beta` for another scheme. For given rows:
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, for another
//! number of weights than classes, or when every class that has rows has weight 0.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "weighted").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![75, 25]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.weights[0] - 2.0 / 3.0).abs() < 1e-15);
//! assert!((terms.weights[1] - 2.0).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. King and L. Zeng, "Logistic regression in rare events data", Political Analysis 9, 2001. Y.
//! Cui, M. Jia, T.-Y. Lin, Y. Song and S. Belongie, "Class-balanced loss based on effective number
//! of samples", CVPR 2019. C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageResult, parameters,
};

use super::class_weights::ClassWeights;
use super::offset_terms;

parameters! {
    /// Class-weighted cross-entropy with checked parameters.
    pub struct Weighted {
        weights: ..ClassWeights;
    }
}

impl Loss for Weighted {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            weights: true,
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        offset_terms(seen, &self.weights.of(seen)?, &vec![0.0; seen.n_classes()])
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Weighted>(
    "weighted",
    "multiplies the loss of a row by a weight of its class",
    "King and Zeng 2001; Cui et al. 2019; Elkan 2001",
    RuleCaps::REWEIGHTING,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, failure, list, real, text};
    use counterweight_core::{ClassCounts, StageError};

    fn weights(given: &[(&str, counterweight_core::ParamValue)], counts: &[usize]) -> Vec<f64> {
        let counts = ClassCounts::new(counts.to_vec());
        let context = LossContext {
            seen: &counts,
            train: &counts,
        };
        built(&ENTRY, given).terms(&context).unwrap().weights
    }

    #[test]
    fn schemes_follow_their_formulas() {
        let counts = [900, 90, 10];
        let check = |found: &[f64], raw: &dyn Fn(f64) -> f64| {
            let sum: f64 = counts.iter().map(|&n| n as f64 * raw(n as f64)).sum();
            for (w, &n) in found.iter().zip(&counts) {
                let expected = raw(n as f64) * 1000.0 / sum;
                assert!((w - expected).abs() < 1e-12 * expected, "{w} {expected}");
            }
        };
        check(&weights(&[], &counts), &|n| 1.0 / n);
        check(
            &weights(&[("scheme", text("inverse-sqrt"))], &counts),
            &|n| n.powf(-0.5),
        );
        for beta in [0.0_f64, 0.9, 0.999, 0.9999] {
            let given = [("scheme", text("effective-number")), ("beta", real(beta))];
            check(&weights(&given, &counts), &|n| {
                (1.0 - beta) / (1.0 - beta.powf(n))
            });
        }
        let given = [
            ("scheme", text("explicit")),
            ("weights", list(&[1.0, 0.0, 7.0])),
        ];
        assert_eq!(weights(&given, &counts), [1.0, 0.0, 7.0]);
    }

    #[test]
    fn beta_towards_one_is_inverse_frequency() {
        let given = [
            ("scheme", text("effective-number")),
            ("beta", real(1.0 - 1e-12)),
        ];
        let found = weights(&given, &[900, 100]);
        for (a, b) in found.iter().zip(weights(&[], &[900, 100])) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn knobs_that_would_turn_nothing_are_errors() {
        assert!(failure(&ENTRY, &[("beta", real(0.9))]).contains("effective-number"));
        assert!(failure(&ENTRY, &[("weights", list(&[1.0, 2.0]))]).contains("explicit"));
        assert!(failure(&ENTRY, &[("scheme", text("explicit"))]).contains("missing"));
        let zeros = [("scheme", text("explicit")), ("weights", list(&[0.0, 0.0]))];
        assert!(failure(&ENTRY, &zeros).contains("all weights are 0"));
    }

    #[test]
    fn explicit_weights_have_to_fit_the_classes() {
        let loss = built(
            &ENTRY,
            &[("scheme", text("explicit")), ("weights", list(&[0.0, 2.0]))],
        );
        for counts in [vec![5, 5, 5], vec![5, 0]] {
            let counts = ClassCounts::new(counts);
            let context = LossContext {
                seen: &counts,
                train: &counts,
            };
            assert!(matches!(loss.terms(&context), Err(StageError::Failed(_))));
        }
    }
}
