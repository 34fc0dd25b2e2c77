//! Scores of a model from elsewhere, judged like a fit of our own under every decision that needs the
//! scores alone.

use std::sync::Arc;

use counterweight_core::{
    CellId, Details, Finished, Hasher, Outcome, Prior, ScoredRows, Scores, StageError,
};

use super::guard::{Budget, guarded};
use super::judge::{self, Heading, Verdict};
use super::prepare::UnitData;
use super::unit::no_timing;
use crate::plan::{Plan, Unit};

/// A model from elsewhere on one split.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a> {
    /// Id in tables.
    pub model: &'a str,
    /// Probabilities of the unit's test rows, in its order.
    pub scores: &'a Scores,
    /// The prior that they were learnt under; `None` when nobody knows.
    pub prior: Option<&'a Prior>,
}

/// The true classes of a unit's test rows, in its order.
///
/// # Errors
/// When the rows cannot be had.
pub fn test_labels(plan: &Plan, unit: &Unit) -> Result<counterweight_core::Labels, StageError> {
    Ok(UnitData::new(plan, unit)?.outer.test.labels().clone())
}

/// A record for every correction of the sweep: judged where it is a decision on scores alone, else not
/// applicable, with the reason.
///
/// # Errors
/// When the unit's rows cannot be had, or the scores are of other rows.
pub fn judge(plan: &Plan, unit: &Unit, foreign: Foreign<'_>) -> Result<Vec<Finished>, StageError> {
    let data = UnitData::new(plan, unit)?;
    let test = &data.outer.test;
    let train = data.outer.train.counts();
    if foreign.scores.n_rows() != test.n_rows() || foreign.scores.n_classes() != train.n_classes() {
        return Err(StageError::Failed(format!(
            "{} x {} scores for {} test rows of {} classes",
            foreign.scores.n_rows(),
            foreign.scores.n_classes(),
            test.n_rows(),
            train.n_classes()
        )));
    }
    let bits = foreign.scores.log().as_slice().iter();
    let content = bits.fold(Hasher::new("foreign scores"), |hash, s| {
        hash.number(s.to_bits())
    });
    let content = match foreign.prior {
        Some(prior) => prior
            .as_slice()
            .iter()
            .fold(content, |hash, p| hash.number(p.to_bits())),
        None => content,
    };
    let content = content.finish();
    let mut entries = Vec::new();
    for (at, correction) in plan.sweep.corrections.iter().enumerate() {
        let id = Hasher::new("counterweight foreign cell")
            .hash(&plan.unit_hash(unit))
            .text(foreign.model)
            .hash(&content)
            .hash(&plan.correction_hash(at))
            .finish();
        let resample = correction.resample.as_ref().map_or_else(
            || "none".to_owned(),
            crate::config::method::Built::canonical,
        );
        let cell = CellId(id.short());
        let blank = Heading {
            cell: cell.clone(),
            model: (foreign.model, "imported"),
            correction,
            resample: &resample,
            stages: Arc::default(),
        }
        .record(plan, unit);
        let decide = &correction.decide.method;
        let needs = decide.needs();
        let rule = correction.decide.entry.card.id;
        let refused =
            if correction.resample.is_some() || correction.loss.entry.card.id != "cross-entropy" {
                Some(
                    "the model was fitted elsewhere: only decisions can be applied to its scores"
                        .into(),
                )
            } else if needs.calibration {
                Some(format!(
                    "`{rule}` needs out-of-fold scores, which were not imported"
                ))
            } else if plan.inputs[unit.input].weights.is_some() && !decide.weighs() {
                Some(format!("`{rule}` does not honour weights of rows"))
            } else if needs.linear_head {
                Some(format!(
                    "`{rule}` needs the model, of which only scores were imported"
                ))
            } else if needs.binary && train.n_classes() != 2 {
                Some(format!("`{rule}` is for two classes"))
            } else {
                None
            };
        let mut rescored = None;
        let mut details = Details::new();
        let mut notes = unit.notes.clone();
        let decided = if let Some(reason) = refused {
            Err((Outcome::NotApplicable, reason))
        } else {
            let own = data.outer.test.labels().weights();
            let rows = ScoredRows {
                scores: foreign.scores,
                prior: foreign.prior,
                source: "the import",
                head: None,
                weights: own.as_deref(),
                calib: None,
                train: &train,
            };
            let deadline = Budget::new(plan.sweep.protocol.timeout).deadline();
            match guarded(deadline, || rows.decide(rule, &**decide)).0 {
                Ok(made) => {
                    details.extend(made.fitted.details);
                    notes.extend(made.fitted.notes);
                    rescored = made.rescored;
                    Ok(made.decisions)
                }
                Err(error) => Err(super::failure("decide", &error)),
            }
        };
        let verdict = Verdict {
            test,
            bayes: data.bayes,
            scores: foreign.scores,
            prior: foreign.prior,
            rescored,
            known: None,
            decided,
            notes,
            details,
        };
        entries.push(Finished {
            record: judge::judged(plan, unit, blank, &verdict).0,
            timing: no_timing(&cell),
        });
    }
    Ok(entries)
}
