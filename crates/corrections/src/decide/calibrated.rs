//! Calibration on out-of-fold scores, then another rule on the calibrated probabilities.
//!
//! # When it helps, when it hurts
//!
//! Prior rules, costs and transductive rules take probabilities at their word; after boosting, naive
//! Bayes, forests, margins or a loss of another link their word is worth little, and calibration mends
//! that first. It also gives every model's scores a known prior: that of the out-of-fold rows, which are
//! not resampled, so that `effective` afterwards means the training prior. It costs the inner fits, and
//! with few rows of the rare class the calibrator itself is noisy (see each one's page under
//! [`calibrate`]).
//!
//! # Formula
//!
//! `p' = c(s)` with c fitted on the out-of-fold scores of the training rows, then the rule `then` on p'.
//! Metrics of probabilities judge p'.
//!
//! # Cost
//!
//! O(n log n) a class for isotonic, a few passes over the rows for the others, and the inner fits, which
//! all tuned rules on the same fit share.
//!
//! # Differences
//!
//! scikit-learn's `CalibratedClassifierCV(ensemble=False)` also fits one calibrator to pooled
//! out-of-fold scores and applies it to a model of all training rows. A rule that is itself tuned
//! (`then = "tuned-threshold"`) sees the calibrated scores of the rows that the calibrator was fitted
//! to. The Brier score of isotonic calibration on those rows would flatter; nothing here reports it.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`](counterweight_core::StageError::NotApplicable) for votes;
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without out-of-fold scores; those of
//! the rule that follows. Out-of-fold rows of one class leave the scores as they are, with a note.
//!
//! Details: those of the calibrator and of the rule, and `log_loss_before` and `log_loss_after` of the
//! out-of-fold rows (the first is left out where it is infinite).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     DecideContext, Labels, Matrix, OutOfFold, ParamValue, Partition, Samples, Scores, find, params,
//! };
//! let y = Labels::from_texts(&["a", "a", "a", "b"]);
//! let samples = Samples::numeric(Matrix::zeros(4, 1), y)?;
//! let (train, _) = Partition::new(4, (0..4).collect(), vec![])?.cut_samples(&samples)?;
//! // Sure of b where one row in two is b.
//! let p = vec![0.9, 0.1, 0.9, 0.1, 0.01, 0.99, 0.01, 0.99];
//! let mut inner = OutOfFold::new(&train);
//! inner.add(&[0, 1, 2, 3], Scores::probabilities(Matrix::from_vec(4, 2, p)?)?)?;
//! let (counts, calib) = (train.counts(), inner.finish()?);
//! let context = DecideContext { scores_prior: None, train: &counts };
//! let given = [("then".to_owned(), ParamValue::Text("prior-threshold".into()))].into();
//! let entry = find(counterweight_corrections::decide::ALL, "calibrated").expect("it is listed");
//! let params = params::check(entry.card.params, &given).expect("both are words");
//! let fitted = (entry.build)(&params)?.fit(&context, Some(&calib))?;
//! let new = Scores::probabilities(Matrix::from_vec(1, 2, vec![0.01, 0.99])?)?;
//! let after = fitted.rule.rescore(&new)?.expect("calibration replaces scores");
//! assert!((after.scores.log().at(0, 1).exp() - 0.5).abs() < 1e-12);
//! assert_eq!(fitted.rule.decide(&new)?.as_slice(), [1]); // 1/2 is above the prior 1/4
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! A. Niculescu-Mizil and R. Caruana, "Predicting good probabilities with supervised learning", ICML
//! 2005; those of the calibrators.

use std::sync::Arc;

use counterweight_core::params::nested;
use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Decisions, Details, Extras,
    FittedRule, Note, ParamError, ParamKind, ParamValue, Parameter, Params, Prior, Rescored, Rule,
    RuleCaps, ScoreSize, Scores, StageResult, TestScores, parameters,
};

use super::calibration_rows;
use crate::calibrate::{self, Calibrator, CalibratorEntry, FittedCalibrator};

/// Rules that cannot follow: one would calibrate twice, the other decides on no probabilities.
const NEVER_AFTER: [&str; 3] = ["calibrated", "drop-bias", "weight-norm"];

/// A calibrator by its name.
#[derive(Clone, Copy, Debug)]
pub struct By(&'static CalibratorEntry);

impl Parameter for By {
    const KIND: ParamKind = ParamKind::Choice(calibrate::WORDS);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        let entry = calibrate::ALL.iter().find(|e| e.id == params.text(key));
        let unknown = || ParamError::new(key, "unknown calibrator");
        entry.map(Self).ok_or_else(unknown)
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(ParamValue::Text(self.0.id.into()))
    }
}

/// The rule that follows, what a sweep file says of it, and its family.
#[derive(Clone, Debug)]
pub struct Then(Arc<dyn Decision>, ParamValue, &'static str);

impl Parameter for Then {
    const KIND: ParamKind = ParamKind::Stage;

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        let unknown = |kind: &str| format!("`{kind}` is no decision that can follow a calibration");
        let example = "write then = { kind = \"logit-adjust\", tau = 1.0 }";
        let (entry, rule) = nested(super::ALL, (params, key), &NEVER_AFTER, unknown, example)?;
        let value = params.get(key).cloned();
        let value = value.expect("it was just read");
        Ok(Self(rule.into(), value, entry.caps.family))
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(self.1.clone())
    }
}

parameters! {
    /// Calibration and what follows, checked.
    pub struct Calibrated {
        /// the calibrator
        by: By = "isotonic";
        /// the rule on the calibrated probabilities: a kind, or { kind = ..., ... }
        then: Then = "argmax", probe ["logit-adjust", "saerens-em", "tuned-threshold"];
    }
}

impl Decision for Calibrated {
    fn takes(&self, size: &ScoreSize) -> f64 {
        let mapped = (8 * size.calib * size.classes) as f64;
        let fitting = (self.by.0.takes)(size).max(mapped + self.then.0.takes(size));
        fitting.max(2.0 * size.scores() + size.decided())
    }

    fn needs(&self) -> DecisionNeeds {
        let then = self.then.0.needs();
        DecisionNeeds {
            probabilities: true,
            calibration: true,
            binary: then.binary,
            // The calibrated scores have the prior of the out-of-fold rows, whatever the loss was.
            scores_prior: false,
            test_batch: then.test_batch,
            linear_head: false,
        }
    }

    fn fit(&self, context: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule> {
        self.fit_with(context, calib, &Extras::default())
    }

    fn fit_with(
        &self,
        context: &DecideContext<'_>,
        calib: Option<&Calib>,
        extras: &Extras<'_>,
    ) -> StageResult<FittedRule> {
        let calib = calibration_rows("calibrated", calib, context.train.n_classes())?;
        let counts = calib.labels().counts();
        let FittedCalibrator {
            map,
            mut details,
            mut notes,
        } = if counts.n_present() < 2 {
            FittedCalibrator {
                map: Box::new(AsTheyAre),
                details: Details::new(),
                notes: vec![Note::Degenerate(
                    "fewer than two classes to calibrate on: the scores are left as they are"
                        .into(),
                )],
            }
        } else {
            (self.by.0.fit)(calib)
        };
        let mapped = calib.rescored(map.calibrate(calib.scores())?)?;
        for (name, of) in [("log_loss_before", calib), ("log_loss_after", &mapped)] {
            let loss = log_loss(of);
            if loss.is_finite() {
                details.insert(name.into(), loss);
            }
        }
        let prior = counts.prior();
        let batch = match extras.batch {
            Some(batch) => Some(map.calibrate(batch.scores())?),
            None => None,
        };
        let needs = self.then.0.needs();
        let fitted = self.then.0.fit_with(
            &DecideContext {
                scores_prior: prior.as_ref(),
                train: context.train,
            },
            needs.calibration.then_some(&mapped),
            &Extras {
                batch: batch.as_ref().map(TestScores::new),
                head: None,
            },
        )?;
        details.extend(fitted.details);
        notes.extend(fitted.notes);
        Ok(FittedRule {
            rule: Box::new(Mapped {
                map,
                prior,
                then: fitted.rule,
            }),
            details,
            notes,
        })
    }

    fn weighs(&self) -> bool {
        self.then.0.weighs()
    }

    fn family(&self) -> Option<&'static str> {
        Some(self.then.2).filter(|family| *family != RuleCaps::NONE.family)
    }
}

/// Mean negative log-probability of the true classes; 0 without rows.
fn log_loss(calib: &Calib) -> f64 {
    let n = calib.labels().len();
    let own = calib.labels().weights();
    let of = |i: usize| -calib.scores().log().at(i, calib.labels().class(i));
    let sum: f64 = match &own {
        None => (0..n).map(of).sum(),
        Some(own) => (0..n).map(|i| own[i] * of(i)).sum(),
    };
    if n == 0 { 0.0 } else { sum / n as f64 }
}

#[derive(Debug)]
struct AsTheyAre;

impl Calibrator for AsTheyAre {
    fn calibrate(&self, scores: &Scores) -> StageResult<Scores> {
        Ok(scores.clone())
    }
}

#[derive(Debug)]
struct Mapped {
    map: Box<dyn Calibrator>,
    prior: Option<Prior>,
    then: Box<dyn Rule>,
}

impl Rule for Mapped {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        self.then.decide(&self.map.calibrate(scores)?)
    }

    fn rescore(&self, scores: &Scores) -> StageResult<Option<Rescored>> {
        let scores = self.map.calibrate(scores)?;
        // What follows may put other probabilities in their place.
        let after = self.then.rescore(&scores)?;
        Ok(Some(after.unwrap_or(Rescored {
            scores,
            prior: self.prior.clone(),
        })))
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<Calibrated>(
    "calibrated",
    "probabilities calibrated on out-of-fold scores, then another rule",
    "Niculescu-Mizil & Caruana 2005; Platt 1999; Kull et al. 2017; Guo et al. 2017",
    RuleCaps::CALIBRATION,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, calib, failure, real, text};
    use counterweight_core::{ClassCounts, Matrix};

    fn then(kind: &str, more: &[(&str, ParamValue)]) -> ParamValue {
        let more = more.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
        ParamValue::Table(
            [("kind".to_owned(), text(kind))]
                .into_iter()
                .chain(more)
                .collect(),
        )
    }

    #[test]
    fn the_rule_that_follows_is_checked() {
        let of = |value| failure(&ENTRY, &[("then", value)]);
        assert!(of(text("logit-adjusted")).contains("no decision that can follow"));
        assert!(of(text("calibrated")).contains("no decision that can follow"));
        assert!(of(text("weight-norm")).contains("no decision that can follow"));
        assert!(of(then("logit-adjust", &[("tua", real(1.0))])).contains("unknown key"));
        assert!(
            of(ParamValue::Table(std::collections::BTreeMap::new())).contains("`kind` is missing")
        );
        assert!(of(text("cost-matrix")).contains("missing"));
    }

    #[test]
    fn the_family_is_that_of_the_rule() {
        let family = |value| built(&ENTRY, &[("then", value)]).family();
        assert_eq!(family(text("argmax")), None);
        assert_eq!(family(text("threshold")), Some("thresholding"));
        assert_eq!(family(then("logit-adjust", &[])), Some("logit-adjustment"));
    }

    #[test]
    fn scores_without_a_prior_get_the_training_prior() {
        let counts = ClassCounts::new(vec![40, 10]);
        let classes: Vec<usize> = (0..50).map(|i| usize::from(i >= 40)).collect();
        let log = Matrix::from_fn(50, 2, |i, k| {
            let p: f64 = 0.05 + 0.9 * ((i * 7) % 50) as f64 / 50.0;
            (if k == 1 { p } else { 1.0 - p }).ln()
        });
        let rows = calib(&log, &classes, 2, 5);
        let context = DecideContext {
            scores_prior: None,
            train: &counts,
        };
        for by in calibrate::WORDS {
            let given = [
                ("by", text(by)),
                ("then", then("logit-adjust", &[("tau", real(1.0))])),
            ];
            let fitted = built(&ENTRY, &given).fit(&context, Some(&rows)).unwrap();
            let found = fitted.rule.rescore(rows.scores()).unwrap().unwrap();
            assert_eq!(found.prior.as_ref().unwrap().as_slice(), [0.8, 0.2]);
            // The rule is the prior rule on what the metrics see.
            let offsets = found.prior.unwrap().logs();
            let direct = found
                .scores
                .argmax(&offsets, &counterweight_core::Ties::default())
                .unwrap();
            assert_eq!(fitted.rule.decide(rows.scores()).unwrap(), direct, "{by}");
        }
    }

    #[test]
    fn one_class_is_left_as_it_is_with_a_note() {
        let counts = ClassCounts::new(vec![6, 0]);
        let log = Matrix::from_fn(6, 2, |_, k| if k == 0 { 0.0 } else { f64::NEG_INFINITY });
        let rows = calib(&log, &[0; 6], 2, 2);
        let own = counts.prior();
        let context = DecideContext {
            scores_prior: own.as_ref(),
            train: &counts,
        };
        let fitted = built(&ENTRY, &[]).fit(&context, Some(&rows)).unwrap();
        assert!(matches!(fitted.notes[..], [Note::Degenerate(_)]));
        assert_eq!(
            fitted.rule.decide(rows.scores()).unwrap().as_slice(),
            [0; 6]
        );
    }
}
