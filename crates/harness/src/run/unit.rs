//! The work on one split: each resampled set once, each fit once, each set of out-of-fold scores
//! once.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use counterweight_core::side_table::CellBins;
use counterweight_core::{
    Base, CellId, Details, Ensemble, EnsembleCaps, EnsembleFit, LossContext, LossTerms, Note,
    Origin, OutOfFold, Prior, Samples, Scores, StageContext, StageError, StageResult, StreamKey,
    Timing, Train,
};
use counterweight_core::{Calib, ClassCounts, DecideContext, Extras, LinearHead, TestScores};
use counterweight_data::preprocess::Polynomial;
use rayon::prelude::*;

use super::beside::Chosen;
use super::guard::{Budget, guarded};
use super::judge::{self, Verdict};
use super::prepare::{InnerFolds, Prepared, UnitData};
use super::{Tally, failure};
use crate::config::method::Built;
use crate::config::sweep::{Correction, Features, Model};
use crate::plan::{FitGroup, Plan, ResampleGroup, Unit, estimated_seconds};

/// Estimated seconds of the fits of `unit` that have a cell to do.
pub(super) fn seconds_to_do(plan: &Plan, unit: &Unit, todo: &[bool]) -> f64 {
    unit.groups
        .iter()
        .flat_map(|group| &group.fits)
        .filter(|fit| fit.cells.iter().any(|&cell| todo[cell]))
        .map(|fit| estimated_seconds(plan, unit, fit))
        .sum()
}

/// A timing of nothing.
pub(super) fn no_timing(cell: &CellId) -> Timing {
    Timing {
        cell: cell.clone(),
        resample_seconds: 0.0,
        fit_seconds: 0.0,
        score_seconds: 0.0,
        crossfit_seconds: 0.0,
        decide_seconds: 0.0,
    }
}

/// Runs everything on `unit` that is to do.
pub(super) fn run(plan: &Plan, unit: &Unit, todo: &[bool], tally: &Tally<'_>) {
    let deadline = Budget::new(plan.sweep.protocol.timeout).deadline();
    let (data, _) = guarded(deadline, || UnitData::new(plan, unit));
    let wanted = |fit: &&FitGroup| fit.cells.iter().any(|&cell| todo[cell]);
    match data {
        Ok(data) => unit.groups.par_iter().with_max_len(1).for_each(|group| {
            let fits: Vec<&FitGroup> = group.fits.iter().filter(wanted).collect();
            if !fits.is_empty() && !tally.stopped() {
                let work = Work {
                    plan,
                    unit,
                    data: &data,
                    group,
                    arm: None,
                    todo,
                    tally,
                };
                work.run(&fits);
            }
        }),
        Err(error) => {
            let (outcome, reason) = failure("prepare", &error);
            for fit in unit.groups.iter().flat_map(|group| &group.fits) {
                for &cell in fit.cells.iter().filter(|&&cell| todo[cell]) {
                    let record = judge::settled(plan, cell, outcome, &reason);
                    tally.keep(&record, &no_timing(&plan.cells[cell].id));
                }
                tally.work_done(estimated_seconds(plan, unit, fit));
            }
        }
    }
}

/// A resampled and encoded training set.
pub(super) struct Resampled {
    pub(super) train: Train,
    /// The same rows for learners that take them as they are, where the plan has any.
    raw: Option<Train>,
    /// Rows of each class that the learner sees.
    pub(super) seen: ClassCounts,
    pub(super) notes: Vec<Note>,
    details: Details,
    pub(super) seconds: f64,
}

/// What a resampler did: rows, rows of the smallest class and ratio before and after, and the share of
/// synthetic rows.
fn resampling(before: &ClassCounts, after: &Train, seen: &ClassCounts) -> Details {
    let origins = after.samples().origins();
    let made = |origin: &&Origin| matches!(origin, Origin::Synthetic { .. });
    let synthetic = origins.iter().filter(made).count();
    let mut details = Details::new();
    let mut add = |name: &str, value: Option<f64>| {
        details.extend(value.map(|value| (format!("resample_{name}"), value)));
    };
    for (when, counts) in [("before", before), ("after", seen)] {
        add(&format!("rows_{when}"), Some(counts.total() as f64));
        let smallest = counts.smallest_present();
        add(&format!("minority_{when}"), Some(smallest as f64));
        add(&format!("ratio_{when}"), counts.imbalance_ratio());
    }
    let share = synthetic as f64 / origins.len() as f64;
    add("synthetic_share", (!origins.is_empty()).then_some(share));
    details
}

/// A fit and its scores of the rows that it did not see.
pub(super) struct Scored {
    pub(super) scores: Scores,
    pub(super) prior: Option<Prior>,
    /// The linear head on the same rows, where a decision asks for it and there is one.
    head: Option<LinearHead>,
    notes: Vec<Note>,
    details: Details,
    fit_seconds: f64,
    score_seconds: f64,
}

/// What was done for the learners that a fit chooses from, each at most once.
pub(super) struct Choices {
    pub(super) scored: Vec<Option<StageResult<Scored>>>,
    pub(super) crossfitted: Vec<Option<CrossFitted>>,
    /// Seconds of cross-fitting so far.
    pub(super) spent: f64,
}

/// The inner folds' resampled sets, made by the first that asks.
pub(super) type Inner = OnceLock<StageResult<Arc<InnerSets>>>;

/// Out-of-fold scores, and how long they took.
pub(super) type CrossFitted = (StageResult<(Calib, Vec<Note>)>, f64);

/// Which rows a fit is on: the outer split, or an inner fold of it.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) rows: &'a Prepared,
    pub(super) budget: Budget,
    pub(super) inner: Option<usize>,
}

/// The work on one resampled set of a unit.
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan,
    pub(super) unit: &'a Unit,
    pub(super) data: &'a UnitData,
    pub(super) group: &'a ResampleGroup,
    /// An arm that is none of the sweep's corrections, in place of theirs.
    pub(super) arm: Option<&'a Correction>,
    pub(super) todo: &'a [bool],
    pub(super) tally: &'a Tally<'a>,
}

impl Work<'_> {
    fn run(&self, fits: &[&FitGroup]) {
        let budget = Budget::new(self.plan.sweep.protocol.timeout);
        let (resampled, seconds) = self.resample(&self.data.outer, budget, None);
        let inner = OnceLock::new();
        fits.par_iter().with_max_len(1).for_each(|fit| {
            if self.tally.stopped() {
                return;
            }
            match &resampled {
                Ok(resampled) => self.fit(fit, resampled, budget.after(seconds), &inner),
                Err(error) => self.give_up(fit, "resample", error),
            }
            self.tally
                .work_done(estimated_seconds(self.plan, self.unit, fit));
        });
    }

    /// The key of a stage's stream on this unit.
    fn key(&self, stage: &str, method: &str, inner: Option<usize>) -> StreamKey {
        let key = self
            .plan
            .sweep
            .seed
            .stage(stage)
            .text(method)
            .text(&self.unit.key);
        match inner {
            Some(fold) => key.text("inner").number(fold),
            None => key,
        }
    }

    fn context<'s>(
        &self,
        key: &StreamKey,
        budget: Budget,
        shared: &'s counterweight_core::Shared,
    ) -> StageContext<'s> {
        StageContext::new(
            key.open(),
            self.plan.sweep.protocol.small_class,
            budget.deadline(),
            shared,
        )
    }

    pub(super) fn resample(
        &self,
        rows: &Prepared,
        budget: Budget,
        inner: Option<usize>,
    ) -> (StageResult<Resampled>, f64) {
        let method = self
            .group
            .resampler
            .as_ref()
            .map_or_else(String::new, Built::canonical);
        let key = self.key("resample", &method, inner);
        let mut context = self.context(&key, budget, &rows.shared);
        let deadline = context.deadline;
        let (train, seconds) = guarded(deadline, || {
            let train = match &self.group.resampler {
                Some(built) => built.method.resample(&rows.train, &mut context)?,
                None => rows.train.clone(),
            };
            let raw = rows.raw.as_ref().map(|raw| match &self.group.resampler {
                Some(_) => train.clone(),
                None => raw.train.clone(),
            });
            Ok((train.derive(|samples| rows.encoder.apply(samples))?, raw))
        });
        let resampled = train.map(|(train, raw)| {
            let seen = train.counts();
            let mut details = context.details;
            if self.group.resampler.is_some() {
                details.extend(resampling(&rows.train.counts(), &train, &seen));
            }
            Resampled {
                seen,
                train,
                raw,
                notes: context.notes,
                details,
                seconds,
            }
        });
        (resampled, seconds)
    }

    pub(super) fn model(&self, fit: &FitGroup) -> &Model {
        &self.plan.sweep.models[fit.model]
    }

    /// The correction that has the loss and the ensemble of a fit.
    fn arm_of(&self, fit: &FitGroup) -> &Correction {
        let own = || &self.plan.sweep.corrections[fit.loss_of];
        self.arm.unwrap_or_else(own)
    }

    pub(super) fn terms(
        &self,
        fit: &FitGroup,
        seen: &ClassCounts,
        train: &ClassCounts,
    ) -> StageResult<LossTerms> {
        let loss = &self.arm_of(fit).loss;
        loss.method.terms(&LossContext { seen, train })
    }

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
            Polynomial::fit(polynomial, encoded.x())
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
        let most = learner.entry.caps.max_rows;
        let n = resampled.train.samples().n_rows();
        if let Some(most) = most.filter(|most| n > *most) {
            return Err(StageError::NotApplicable(format!(
                "over the size limit: {n} rows after resampling, `{}` is given {most}",
                learner.entry.card.id
            )));
        }
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
        let key = self.key("learner", &learner.canonical(), inner);
        let mut context = self.context(&key, budget, &rows.shared);
        let deadline = context.deadline;
        let train = rows.train.counts();
        let (fitted, fit_seconds) = guarded(deadline, || {
            let terms = self.terms(fit, &resampled.seen, &train)?;
            let made = self.make_features(fit, rows, resampled)?;
            let fitted = match &made {
                None if raw => learner.method.fit(on, &terms, &mut context)?,
                Some(_) if raw => {
                    return Err(StageError::NotApplicable(
                        "rows as they are (`native = true`) have no polynomial features".into(),
                    ));
                }
                None => learner.method.fit(&resampled.train, &terms, &mut context)?,
                Some(made) => {
                    let expanded = resampled
                        .train
                        .derive(|samples| made.apply_samples(samples))?;
                    learner.method.fit(&expanded, &terms, &mut context)?
                }
            };
            Ok((fitted, terms, made))
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
        check_shape(&scores, rows)?;
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
        let key = self.key("ensemble", &ensemble.canonical(), inner);
        let mut context = self.context(&key, budget, &rows.shared);
        let deadline = context.deadline;
        // For learners that take nominal columns as codes. Missing values are imputed, since samplers inside
        // the ensemble need complete rows.
        let raw = rows
            .raw
            .as_ref()
            .filter(|_| learner.method.takes_raw_rows());
        let (fitted, fit_seconds) = guarded(deadline, || {
            let made = self.make_features(fit, rows, as_they_are)?;
            if raw.is_some() && made.is_some() {
                return Err(StageError::NotApplicable(
                    "rows as they are (`native = true`) have no polynomial features".into(),
                ));
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
        check_shape(&scores, rows)?;
        Ok(Scored {
            scores,
            head: None,
            prior,
            notes: context.notes,
            details: context.details,
            fit_seconds,
            score_seconds,
        })
    }

    fn fit(&self, fit: &FitGroup, resampled: &Resampled, budget: Budget, inner: &Inner) {
        let turn = Turn {
            rows: &self.data.outer,
            budget,
            inner: None,
        };
        let n = self.model(fit).candidates().len();
        let mut choices = Choices {
            scored: (0..n).map(|_| None).collect(),
            crossfitted: (0..n).map(|_| None).collect(),
            spent: 0.0,
        };
        let mut hosts = Vec::new();
        let mut known: Vec<Option<CellBins>> = vec![None; n];
        for &cell in fit.cells.iter().filter(|&&cell| self.todo[cell]) {
            let correction = self.correction(cell);
            let start = std::time::Instant::now();
            let chosen = if n == 1 {
                Ok(Chosen::only())
            } else {
                self.choose((fit, correction), resampled, &mut choices, (budget, inner))
            };
            let chosen = match chosen {
                Ok(chosen) => chosen,
                Err(error) => {
                    self.settle(cell, "select", &error);
                    continue;
                }
            };
            let choosing = start.elapsed().as_secs_f64();
            let at = chosen.at;
            if choices.scored[at].is_none() {
                let scored = self
                    .fit_and_score((fit, at), resampled, turn)
                    .map(|mut scored| {
                        let own = std::mem::take(&mut scored.details);
                        scored.details = self.bounds(&scored);
                        scored.details.extend(own);
                        scored
                    });
                choices.scored[at] = Some(scored);
            }
            let scored = match &choices.scored[at] {
                Some(Ok(scored)) => scored,
                Some(Err(error)) => {
                    self.settle(cell, "fit", error);
                    continue;
                }
                None => continue,
            };
            let budget = budget.after(scored.fit_seconds + scored.score_seconds);
            if correction.decide.method.needs().calibration && choices.crossfitted[at].is_none() {
                let start = std::time::Instant::now();
                let calib = self.cross_fit((fit, at), budget, inner);
                choices.crossfitted[at] = Some((calib, start.elapsed().as_secs_f64()));
            }
            let needs = correction.decide.method.needs();
            let calibrated = choices.crossfitted[at]
                .as_ref()
                .filter(|_| needs.calibration);
            let start = std::time::Instant::now();
            let mut verdict = self.decide(correction, resampled, scored, calibrated);
            verdict.details.extend(chosen.details);
            verdict.notes.extend(chosen.notes);
            verdict.bins = known[at].as_ref();
            let ((record, bins), timing) = (
                judge::record(self.plan, cell, &verdict),
                Timing {
                    cell: self.plan.cells[cell].id.clone(),
                    resample_seconds: resampled.seconds,
                    fit_seconds: scored.fit_seconds,
                    score_seconds: scored.score_seconds,
                    crossfit_seconds: match calibrated {
                        Some((_, seconds)) => *seconds,
                        None if n > 1 => choosing,
                        None => 0.0,
                    },
                    decide_seconds: start.elapsed().as_secs_f64(),
                },
            );
            if self.keep_beside(fit, cell, scored, &verdict)
                && self.keep_bins(cell, bins.as_ref(), &mut hosts)
            {
                self.tally.keep(&record, &timing);
            }
            if verdict.rescored.is_none() && bins.is_some() {
                known[at] = bins;
            }
        }
    }

    pub(super) fn correction(&self, cell: usize) -> &Correction {
        &self.plan.sweep.corrections[self.plan.cells[cell].correction]
    }

    pub(super) fn decide<'v>(
        &'v self,
        correction: &'v Correction,
        resampled: &'v Resampled,
        scored: &'v Scored,
        calibrated: Option<&'v CrossFitted>,
    ) -> Verdict<'v> {
        let train = self.data.outer.train.counts();
        let mut notes: Vec<Note> = self.unit.notes.clone();
        notes.extend(resampled.notes.iter().cloned());
        notes.extend(scored.notes.iter().cloned());
        let mut details = resampled.details.clone();
        details.extend(scored.details.clone());
        let needs = correction.decide.method.needs();
        let mut rescored = None;
        let decided = (|| {
            if needs.scores_prior && scored.prior.is_none() {
                let ensemble = correction
                    .ensemble
                    .as_ref()
                    .map(|built| built.entry.card.id);
                return Err(StageError::NotApplicable(format!(
                    "`{}` needs scores with a prior of their own; `{}` gives none",
                    correction.decide.entry.card.id,
                    ensemble.unwrap_or(correction.loss.entry.card.id)
                )));
            }
            let calib = match calibrated {
                Some((Ok((calib, inner_notes)), _)) => {
                    notes.extend(inner_notes.iter().cloned());
                    Some(calib)
                }
                Some((Err(error), _)) => return Err(error.clone()),
                None => None,
            };
            let context = DecideContext {
                scores_prior: scored.prior.as_ref(),
                train: &train,
            };
            let extras = Extras {
                batch: needs.test_batch.then(|| TestScores::new(&scored.scores)),
                head: scored.head.as_ref(),
            };
            let (fitted, _) = guarded(counterweight_core::Deadline::NEVER, || {
                let fitted = correction
                    .decide
                    .method
                    .fit_with(&context, calib, &extras)?;
                let seen = match &scored.head {
                    Some(head) if needs.linear_head => &head.scores,
                    _ => &scored.scores,
                };
                let decisions = fitted.rule.decide(seen)?;
                let rescored = fitted.rule.rescore(seen)?;
                Ok((fitted, decisions, rescored))
            });
            let (fitted, decisions, replaced) = fitted?;
            notes.extend(fitted.notes);
            details.extend(fitted.details);
            rescored = replaced;
            Ok(decisions)
        })();
        Verdict {
            test: &self.data.outer.test,
            bayes: self.data.bayes,
            scores: &scored.scores,
            prior: scored.prior.as_ref(),
            rescored,
            bins: None,
            decided: decided.map_err(|error| failure("decide", &error)),
            notes,
            details,
        }
    }

    /// Out-of-fold scores of the training rows, with the same resample and loss stages inside.
    pub(super) fn cross_fit(
        &self,
        (fit, candidate): (&FitGroup, usize),
        budget: Budget,
        inner: &Inner,
    ) -> StageResult<(Calib, Vec<Note>)> {
        let sets = inner
            .get_or_init(|| self.inner_sets(budget).map(Arc::new))
            .clone()?;
        let (folds, resampled) = (&sets.folds, &sets.resampled);
        let mut collected = OutOfFold::new(&self.data.outer.train);
        let mut notes = folds.1.clone();
        let mut spent = 0.0;
        for (at, (fold, resampled)) in folds.0.iter().zip(resampled).enumerate() {
            let in_fold = |error: &StageError| inner_error(at, error);
            let resampled = resampled.as_ref().map_err(in_fold)?;
            let turn = Turn {
                rows: &fold.prepared,
                budget: budget.after(spent),
                inner: Some(at),
            };
            let scored = self
                .fit_and_score((fit, candidate), resampled, turn)
                .map_err(|error| in_fold(&error))?;
            spent += scored.fit_seconds + scored.score_seconds;
            for note in resampled.notes.iter().chain(&scored.notes) {
                let note = match note {
                    Note::Clamped(text) => Note::Clamped(format!("inner folds: {text}")),
                    Note::Degenerate(text) | Note::Remark(text) => {
                        Note::Remark(format!("inner folds: {text}"))
                    }
                };
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
            collected.add(&fold.held, scored.scores)?;
        }
        Ok((collected.finish()?, notes))
    }

    fn inner_sets(&self, budget: Budget) -> StageResult<InnerSets> {
        let folds = self.data.inner(self.plan, self.unit)?;
        let mut spent = 0.0;
        let mut resampled = Vec::with_capacity(folds.0.len());
        for (at, fold) in folds.0.iter().enumerate() {
            let (result, seconds) = self.resample(&fold.prepared, budget.after(spent), Some(at));
            spent += seconds;
            resampled.push(result);
        }
        Ok(InnerSets { folds, resampled })
    }

    /// Every cell of the fit ends as the stage did.
    fn give_up(&self, fit: &FitGroup, stage: &str, error: &StageError) {
        for &cell in fit.cells.iter().filter(|&&cell| self.todo[cell]) {
            self.settle(cell, stage, error);
        }
    }

    /// A cell ends as the stage did.
    fn settle(&self, cell: usize, stage: &str, error: &StageError) {
        let (outcome, reason) = failure(stage, error);
        let record = judge::settled(self.plan, cell, outcome, &reason);
        self.tally
            .keep(&record, &no_timing(&self.plan.cells[cell].id));
    }
}

/// The inner folds with their resampled sets, shared by all cross-fits of a group.
pub(super) struct InnerSets {
    folds: InnerFolds,
    resampled: Vec<StageResult<Resampled>>,
}

fn check_shape(scores: &Scores, rows: &Prepared) -> StageResult<()> {
    let n_classes = rows.train.samples().y().n_classes();
    if scores.n_rows() == rows.test.n_rows() && scores.n_classes() == n_classes {
        return Ok(());
    }
    Err(StageError::Failed(format!(
        "the model gave {} x {} scores for {} rows of {n_classes} classes",
        scores.n_rows(),
        scores.n_classes(),
        rows.test.n_rows(),
    )))
}

fn inner_error(fold: usize, error: &StageError) -> StageError {
    let words = format!("inner fold {fold}: {error}");
    match error {
        StageError::NotApplicable(_) => StageError::NotApplicable(words),
        StageError::Skipped(_) => StageError::Skipped(words),
        StageError::Timeout(_) => StageError::Timeout(words),
        StageError::OutOfMemory(_) => StageError::OutOfMemory(words),
        _ => StageError::Failed(words),
    }
}
