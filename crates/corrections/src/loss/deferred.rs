//! A deferred loss: training begins under one loss and ends under another, by default plain first and
//! weighted last (deferred re-weighting).
//!
//! # When it helps, when it hurts
//!
//! Weights from the start make a network learn its features from few rows that count much. Deferring them
//! lets it learn from all rows alike and only then moves the boundary. That is about the way of training:
//! a convex model that is trained to the end forgets its start, so that the arm is the `then` loss there
//! and not offered; boosting and networks take it.
//!
//! # Formula
//!
//! `l = l_first` during the share `at` of the epochs or rounds, `l_then` for the rest.
//!
//! # Parameters
//!
//! Neither loss can be `deferred` itself, and `then` cannot be `bias-init`, whose point is the start. The
//! paper's LDAM-DRW is `first = { kind = "ldam" }, then = { kind = "ldam", scheme = "effective-number",
//! beta = 0.9999 }`.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes, twice.
//!
//! # Differences
//!
//! * The paper defers effective-number weights to the last fifth of the epochs, with a lower learning
//!   rate; here the default weights are inverse frequencies, and the rate is the learner's own business.
//! * A learner with its own state (momentum, early stopping) documents what the change does to it.
//! * Decisions start from the scores' own prior under the loss that training ends with: `then`, or
//!   `first` when `at` is 1.
//! * scikit-learn has nothing of the kind.
//!
//! # Errors
//!
//! When it is built: a loss that does not exist or is not allowed here, and whatever the two losses refuse.
//! For given rows: as the two losses.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "deferred").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![75, 25]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert_eq!(terms.weights, [1.0, 1.0]);
//! let later = terms.later.as_ref().expect("it is the point");
//! assert_eq!(later.at, 0.8);
//! assert!((later.terms.weights[1] - 2.0).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning imbalanced datasets with
//! label-distribution-aware margin loss", Advances in Neural Information Processing Systems 32, 2019,
//! section 3.3.

use std::sync::Arc;

use counterweight_core::params::nested;
use counterweight_core::{
    Later, Loss, LossContext, LossEntry, LossNeeds, LossTerms, ParamError, ParamKind, ParamValue,
    Parameter, Params, Range, RuleCaps, StageResult, parameters,
};

/// One of the two losses, and what a sweep file says of it.
#[derive(Clone, Debug)]
pub struct Inner<const LAST: bool>(Arc<dyn Loss>, ParamValue);

/// The loss that training begins with.
pub type First = Inner<false>;
/// The loss that training ends with.
pub type Then = Inner<true>;

impl<const LAST: bool> Parameter for Inner<LAST> {
    const KIND: ParamKind = ParamKind::Stage;

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        // A start is no end.
        let refused: &[&str] = if LAST {
            &["deferred", "bias-init"]
        } else {
            &["deferred"]
        };
        let unknown = |kind: &str| {
            if refused.contains(&kind) {
                format!("`{kind}` cannot stand here")
            } else {
                format!("there is no loss called `{kind}`")
            }
        };
        let example = "write { kind = \"...\" }";
        let (_, loss) = nested(super::ALL, (params, key), refused, unknown, example)?;
        let value = params.get(key).cloned();
        Ok(Self(loss.into(), value.expect("it was just read")))
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(self.1.clone())
    }
}

parameters! {
    /// Two losses, one after the other, with checked parameters.
    pub struct Deferred {
        /// the loss that training ends with
        then: Then = "weighted", probe ["logit-adjusted", "batch-prior", "focal"];
        /// share of the epochs or rounds before `then` takes over
        at: f64 = 0.8, in Range::new(0.0, true, 1.0, true), probe [0.5];
        /// the loss that training begins with
        first: First = "cross-entropy", probe ["ldam"], beside [then: Then = "focal"];
    }
}

impl Loss for Deferred {
    fn needs(&self) -> LossNeeds {
        let (a, b) = (self.first.0.needs(), self.then.0.needs());
        LossNeeds {
            weights: a.weights || b.weights,
            margins: a.margins || b.margins,
            factors: a.factors || b.factors,
            focal: a.focal || b.focal,
            schedule: true,
            minibatches: a.minibatches || b.minibatches,
            initial_bias: a.initial_bias || b.initial_bias,
            row_weights: false,
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let first = self.first.0.terms(context)?;
        let terms = self.then.0.terms(context)?;
        Ok(LossTerms {
            later: Some(Box::new(Later { at: self.at, terms })),
            ..first
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Deferred>(
    "deferred",
    "one loss first, another for the last part of training: deferred re-weighting",
    "Cao et al. 2019, 3.3",
    // Not the family of `then`: what this arm adds is the schedule.
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, failure, real, terms, text};
    use counterweight_core::{ClassCounts, ParamValue};

    fn stage(pairs: &[(&str, ParamValue)]) -> ParamValue {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        ParamValue::Table(pairs.collect())
    }

    #[test]
    fn both_losses_keep_their_own_terms() {
        let ldam = [("kind", text("ldam"))];
        let weighted = [
            ("kind", text("ldam")),
            ("scheme", text("effective-number")),
            ("beta", real(0.9999)),
        ];
        let given = [
            ("first", stage(&ldam)),
            ("then", stage(&weighted)),
            ("at", real(0.5)),
        ];
        let counts = [900, 0, 100];
        let found = terms(&ENTRY, &given, &counts).unwrap();
        let seen = ClassCounts::new(counts.to_vec());
        let context = LossContext {
            seen: &seen,
            train: &seen,
        };
        let plain = built(&super::super::ldam::ENTRY, &[]);
        let late = built(&super::super::ldam::ENTRY, &weighted[1..]);
        let later = found.later.clone().unwrap();
        assert!((later.at - 0.5).abs() < 1e-15);
        assert_eq!(later.terms, late.terms(&context).unwrap());
        let first = LossTerms {
            later: None,
            ..found
        };
        assert_eq!(first, plain.terms(&context).unwrap());
        let needs = built(&ENTRY, &given).needs();
        assert!(needs.schedule && needs.weights && needs.margins && !needs.focal);
    }

    #[test]
    fn the_prior_is_of_the_loss_that_training_ends_with() {
        let counts = [90, 10];
        let seen = ClassCounts::new(counts.to_vec());
        let prior = |at: f64| {
            let found = terms(&ENTRY, &[("at", real(at))], &counts).unwrap();
            let prior = found.scores_prior(&seen).unwrap();
            prior.as_slice().to_vec()
        };
        assert_eq!(prior(1.0), [0.9, 0.1], "`weighted` never starts");
        for at in [0.0, 0.8] {
            assert!((prior(at)[1] - 0.5).abs() < 1e-12, "{at}");
        }
    }

    #[test]
    fn a_kind_alone_is_a_stage_with_its_defaults() {
        let counts = [75, 25];
        let word = terms(&ENTRY, &[("then", text("weighted"))], &counts).unwrap();
        let table = terms(
            &ENTRY,
            &[("then", stage(&[("kind", text("weighted"))]))],
            &counts,
        )
        .unwrap();
        assert_eq!(word, table);
        assert_eq!(word, terms(&ENTRY, &[], &counts).unwrap());
    }

    #[test]
    fn what_cannot_stand_inside_is_refused_with_its_key() {
        let text_of = |key: &str, value: ParamValue| failure(&ENTRY, &[(key, value)]);
        assert!(text_of("then", text("deferred")).contains("`deferred` cannot stand here"));
        assert!(text_of("then", text("bias-init")).contains("cannot stand here"));
        assert!(text_of("first", text("wieghted")).contains("no loss called `wieghted`"));
        assert!(text_of("then", stage(&[("scheme", text("x"))])).contains("`kind` is missing"));
        let bad = stage(&[
            ("kind", text("vs")),
            ("tau", text("x")),
            ("gama", real(1.0)),
        ]);
        let found = text_of("then", bad);
        assert!(
            found.contains("`tau`") && found.contains("`gama`"),
            "{found}"
        );
        let odd = stage(&[("kind", text("weighted")), ("beta", real(0.5))]);
        assert!(text_of("then", odd).contains("effective-number"));
        // A start for the first loss is fine.
        let found = terms(&ENTRY, &[("first", text("bias-init"))], &[90, 10]).unwrap();
        assert!(found.initial_bias.is_some());
    }
}
