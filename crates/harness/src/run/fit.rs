//! One fit and its scores, of a learner or of an ensemble.

use std::borrow::Cow;
use std::sync::Arc;

use counterweight_core::{
    Base, Deadline, Ensemble, EnsembleCaps, EnsembleFit, Labels, Learner, LearnerCaps, Samples,
    Scores, StageError, StageResult, Workload, limit,
};
use counterweight_data::preprocess::Polynomial;

use super::guard::guarded;
use super::memory;
use super::prepare::Prepared;
use super::unit::{Resampled, Scored, Turn, Work};
use crate::config::method::Built;
use crate::config::sweep::Features;
use crate::plan::FitGroup;

impl Work<'_> {
    /// The features that the model asks for, fitted on the training rows before resampling: once for all
    /// fits on these rows.
    fn make_features(
        &self,
        fit: &FitGroup,
        rows: &Prepared,
        resampled: &Resampled,
    ) -> StageResult<Option<Arc<Polynomial>>> {
        let Some(Features { polynomial }) = self.model(fit).features else {
            return Ok(None);
        };
        let seen = resampled.train.samples().x();
        if let Some(reason) = Polynomial::over_the_limit(seen.rows(), seen.cols(), polynomial) {
            return Err(StageError::NotApplicable(reason));
        }
        let name = format!("{}={polynomial}", Features::POLYNOMIAL);
        let made = rows.shared.get_or_compute(&name, || {
            let encoded = rows.encoder.apply(rows.train.samples())?;
            let weights = encoded.y().weights();
            Polynomial::fit(polynomial, encoded.x(), weights.as_deref())
        })?;
        Ok(Some(made))
    }

    /// Fits on `resampled` and scores the rows that `rows` holds out.
    pub(super) fn fit_and_score(
        &self,
        (fit, candidate): (&FitGroup, usize),
        resampled: &Resampled,
        Turn {
            rows,
            budget,
            inner,
        }: Turn<'_>,
    ) -> StageResult<Scored> {
        let turn = Turn {
            rows,
            budget,
            inner,
        };
        if let Some(ensemble) = &self.arm_of(fit).ensemble {
            return self.ensemble((fit, candidate), ensemble, resampled, turn);
        }
        let learner = &self.model(fit).candidates()[candidate];
        let n = resampled.train.samples().n_rows();
        within_limit(learner, n)?;
        // Rows as they are, for learners that take them; a resampler's are imputed.
        let own = match (&resampled.raw, &rows.raw) {
            (Some(train), Some(raw)) if learner.method.takes_raw_rows() => {
                let resamples = self.group.resampler.is_some();
                Some((train, if resamples { &raw.imputed } else { &raw.test }))
            }
            _ => None,
        };
        let raw = own.is_some();
        let (on, test) = own.map_or((&resampled.train, rows.test.features()), |(train, test)| {
            (train, test.features())
        });
        let work = Workload {
            n_train: n,
            n_score: test.rows(),
            n_features: self.model(fit).n_columns(on.samples().x().cols()),
            n_classes: on.samples().y().n_classes(),
        };
        let made = if self.model(fit).features.is_some() {
            (n + test.rows()) as f64 * work.n_features as f64 * size_of::<f64>() as f64
        } else {
            0.0
        };
        let takes = made + (learner.entry.caps.footprint)(&learner.params, &work).peak();
        let held = self.held(inner) + memory::of_samples(on.samples());
        let id = learner.entry.card.id;
        let left = self.tally.ceiling.afford(&format!("`{id}`"), takes, held)?;
        // Outside of the cell's time.
        limit::may_take(left, || guarded(Deadline::NEVER, || learner.method.ready())).0?;
        let key = self.key("learner", &learner.canonical(), inner);
        let mut context = self.context(&key, budget, &rows.shared);
        let deadline = context.deadline;
        let train = rows.train.counts();
        let (fitted, fit_seconds) = limit::may_take(left, || {
            guarded(deadline, || {
                let terms = self.terms(fit, &resampled.seen, &train)?;
                let made = self.make_features(fit, rows, resampled)?;
                let fitted = match &made {
                    None if raw => learner.method.fit(on, &terms, &mut context)?,
                    Some(_) if raw => return Err(no_features()),
                    None => learner.method.fit(&resampled.train, &terms, &mut context)?,
                    Some(made) => {
                        let expanded = resampled
                            .train
                            .derive(|samples| made.apply_samples(samples))?;
                        learner.method.fit(&expanded, &terms, &mut context)?
                    }
                };
                Ok((fitted, terms, made))
            })
        });
        let (fitted, terms, made) = fitted?;
        let (scored, score_seconds) = guarded(deadline, || {
            let x = match &made {
                None => Cow::Borrowed(test),
                Some(made) => Cow::Owned(made.apply(rows.test.features())?),
            };
            Ok((fitted.scores(&x)?, x))
        });
        let (scores, x) = scored?;
        check_shape(&scores, rows.test.labels())?;
        let asked = inner.is_none()
            && fit.cells.iter().any(|&cell| {
                let decide = &self.correction(cell).decide;
                self.todo[cell] && decide.method.needs().linear_head
            });
        let head = if asked {
            guarded(deadline, || fitted.linear_head(&x)).0?
        } else {
            None
        };
        Ok(Scored {
            scores,
            head,
            prior: terms.scores_prior_of(&resampled.train.class_mass()),
            notes: context.notes,
            details: context.details,
            spent: fit_seconds + score_seconds,
            fit_seconds,
            score_seconds,
        })
    }

    /// Lets an ensemble own the fit, and scores the rows that `rows` holds out. Its stream depends on
    /// the ensemble alone, so that it draws the same rows for every model.
    fn ensemble(
        &self,
        (fit, candidate): (&FitGroup, usize),
        ensemble: &Built<EnsembleCaps, dyn Ensemble>,
        as_they_are: &Resampled,
        Turn {
            rows,
            budget,
            inner,
        }: Turn<'_>,
    ) -> StageResult<Scored> {
        let learner = &self.model(fit).candidates()[candidate];
        let train = &rows.train;
        let (fits, drawn) = (ensemble.entry.caps.fits)(&ensemble.params, &train.counts());
        let work = Workload {
            n_train: drawn,
            n_score: train.samples().n_rows().max(rows.test.n_rows()),
            n_features: self.model(fit).n_columns(rows.test.features().cols()),
            n_classes: train.samples().y().n_classes(),
        };
        let one = (learner.entry.caps.footprint)(&learner.params, &work);
        let members = one.model * fits.saturating_sub(1) as f64 + one.peak();
        // The rows of a member, and the same encoded.
        let drawn = (2 * drawn * work.n_features * size_of::<f64>()) as f64;
        let id = ensemble.entry.card.id;
        let held = self.held(inner);
        let left = (self.tally.ceiling).afford(&format!("`{id}`"), members + drawn, held)?;
        limit::may_take(left, || guarded(Deadline::NEVER, || learner.method.ready())).0?;
        let key = self.key("ensemble", &ensemble.canonical(), inner);
        let mut context = self.context(&key, budget, &rows.shared);
        let deadline = context.deadline;
        // For learners that take nominal columns as codes. Missing values are imputed, since samplers inside
        // the ensemble need complete rows.
        let raw = rows
            .raw
            .as_ref()
            .filter(|_| learner.method.takes_raw_rows());
        let (fitted, fit_seconds) = limit::may_take(left, || {
            guarded(deadline, || {
                let made = self.make_features(fit, rows, as_they_are)?;
                if raw.is_some() && made.is_some() {
                    return Err(no_features());
                }
                let encode = |samples: &Samples| {
                    if raw.is_some() {
                        return Ok(samples.clone());
                    }
                    let encoded = rows.encoder.apply(samples)?;
                    match &made {
                        None => Ok(encoded),
                        Some(made) => made.apply_samples(&encoded),
                    }
                };
                let base = Base {
                    id: learner.entry.card.id,
                    learner: &*learner.method,
                    max_rows: learner.entry.caps.max_rows,
                    encode: &encode,
                };
                let fitted = ensemble.method.fit(&rows.train, &base, &mut context)?;
                Ok((fitted, made.clone()))
            })
        });
        let (EnsembleFit { fitted, prior }, made) = fitted?;
        let (scores, score_seconds) = guarded(deadline, || match &made {
            None => {
                let test = raw.map_or(&rows.test, |raw| &raw.imputed);
                fitted.scores(test.features())
            }
            Some(made) => fitted.scores(&made.apply(rows.test.features())?),
        });
        let scores = scores?;
        check_shape(&scores, rows.test.labels())?;
        Ok(Scored {
            scores,
            head: None,
            prior,
            notes: context.notes,
            details: context.details,
            spent: fit_seconds + score_seconds,
            fit_seconds,
            score_seconds,
        })
    }
}

/// Refuses more rows than a learner is given.
pub(super) fn within_limit(learner: &Built<LearnerCaps, dyn Learner>, n: usize) -> StageResult<()> {
    match learner.entry.caps.max_rows.filter(|most| n > *most) {
        None => Ok(()),
        Some(most) => Err(StageError::NotApplicable(format!(
            "over the size limit: {n} rows after resampling, `{}` is given {most}",
            learner.entry.card.id
        ))),
    }
}

/// Refuses features of rows that a learner takes as they are.
pub(super) fn no_features() -> StageError {
    let reason = "rows as they are (`native = true`) have no polynomial features";
    StageError::NotApplicable(reason.into())
}

/// Refuses scores of other rows or classes.
pub(super) fn check_shape(scores: &Scores, labels: &Labels) -> StageResult<()> {
    if scores.n_rows() == labels.len() && scores.n_classes() == labels.n_classes() {
        return Ok(());
    }
    Err(StageError::Failed(format!(
        "the model gave {} x {} scores for {} rows of {} classes",
        scores.n_rows(),
        scores.n_classes(),
        labels.len(),
        labels.n_classes(),
    )))
}
