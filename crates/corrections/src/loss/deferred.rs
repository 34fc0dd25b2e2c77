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
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `then` | `weighted` | a loss: its kind, or `{ kind = ..., ... }` with its parameters | |
//! | `at` | 0.8 | [0, 1] | share of the epochs or rounds before `then` takes over; 0 is `then` alone, 1 is `first` alone |
//! | `first` | `cross-entropy` | as `then` | |
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

use std::collections::BTreeMap;

use counterweight_core::params::{Default, check};
use counterweight_core::{
    Card, Later, Loss, LossContext, LossEntry, LossNeeds, LossTerms, ParamError, ParamKind,
    ParamSpec, ParamValue, Params, Range, RuleCaps, StageResult, find, nearest,
};

/// Two losses, one after the other, with checked parameters.
#[derive(Debug)]
pub struct Deferred {
    first: Box<dyn Loss>,
    then: Box<dyn Loss>,
    at: f64,
}

impl TryFrom<&Params> for Deferred {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            first: inner(params, "first", &["deferred"])?,
            then: inner(params, "then", &["deferred", "bias-init"])?,
            at: params.real("at"),
        })
    }
}

/// The loss that the parameter `key` describes, unless it is one of `refused`.
fn inner(
    params: &Params,
    key: &'static str,
    refused: &[&str],
) -> Result<Box<dyn Loss>, ParamError> {
    let none = BTreeMap::new();
    let (kind, fields) = match params.get(key) {
        Some(ParamValue::Text(kind)) => (kind.as_str(), &none),
        Some(ParamValue::Table(fields)) => match fields.get("kind") {
            Some(ParamValue::Text(kind)) => (kind.as_str(), fields),
            _ => {
                return Err(ParamError {
                    hint: Some("write { kind = \"...\" }".into()),
                    ..ParamError::new(key, "`kind` is missing")
                });
            }
        },
        _ => return Err(ParamError::new(key, "expected a loss { kind = ... }")),
    };
    let allowed = || {
        super::ALL
            .iter()
            .map(|entry| entry.card.id)
            .filter(|id| !refused.contains(id))
    };
    let Some(entry) = find(super::ALL, kind).filter(|_| !refused.contains(&kind)) else {
        let hint = nearest(kind, allowed()).map_or_else(
            || format!("known: {}", allowed().collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let problem = if refused.contains(&kind) {
            format!("`{kind}` cannot stand here")
        } else {
            format!("there is no loss called `{kind}`")
        };
        return Err(ParamError {
            hint: Some(hint),
            ..ParamError::new(key, problem)
        });
    };
    let given: BTreeMap<String, ParamValue> = fields
        .iter()
        .filter(|(name, _)| name.as_str() != "kind")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let under = |error: &ParamError| ParamError {
        hint: error.hint.clone(),
        ..ParamError::new(key, error.to_string())
    };
    let checked = check(entry.card.params, &given).map_err(|errors| {
        // One error can leave here; it names all of them.
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        ParamError {
            hint: errors.iter().find_map(|error| error.hint.clone()),
            ..ParamError::new(key, texts.join("; "))
        }
    })?;
    (entry.build)(&checked).map_err(|error| under(&error))
}

impl Loss for Deferred {
    fn needs(&self) -> LossNeeds {
        let (a, b) = (self.first.needs(), self.then.needs());
        LossNeeds {
            weights: a.weights || b.weights,
            margins: a.margins || b.margins,
            factors: a.factors || b.factors,
            focal: a.focal || b.focal,
            schedule: true,
            minibatches: a.minibatches || b.minibatches,
            initial_bias: a.initial_bias || b.initial_bias,
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let first = self.first.terms(context)?;
        let terms = self.then.terms(context)?;
        Ok(LossTerms {
            later: Some(Box::new(Later { at: self.at, terms })),
            ..first
        })
    }
}

fn build(params: &Params) -> Result<Box<dyn Loss>, ParamError> {
    Ok(Box::new(Deferred::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry {
    card: Card {
        id: "deferred",
        summary: "one loss first, another for the last part of training: deferred re-weighting",
        reference: "Cao et al. 2019, 3.3",
        params: &[
            ParamSpec::new(
                "then",
                ParamKind::Stage,
                Default::Text("weighted"),
                "the loss that training ends with",
            ),
            ParamSpec::new(
                "at",
                ParamKind::Real(Range::new(0.0, true, 1.0, true)),
                Default::Real(0.8),
                "share of the epochs or rounds before `then` takes over",
            ),
            ParamSpec::new(
                "first",
                ParamKind::Stage,
                Default::Text("cross-entropy"),
                "the loss that training begins with",
            ),
        ],
    },
    // Not the family of `then`: what this arm adds is the schedule.
    caps: RuleCaps { family: "margin" },
    build,
};

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
