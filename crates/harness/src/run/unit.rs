//! The work on one split: each resampled set, each fit and each set of out-of-fold scores once.

use std::sync::{Arc, OnceLock};

use counterweight_core::{
    Calib, CellId, ClassCounts, Deadline, Details, LinearHead, LossContext, LossTerms, Note,
    Origin, OutOfFold, Prior, Samples, ScoreSize, ScoredRows, Scores, StageContext, StageError,
    StageResult, StreamKey, Timing, Train, TrainSize,
};
use rayon::prelude::*;

use super::beside::Chosen;
use super::guard::{Budget, guarded};
use super::judge::{self, Known, Verdict};
use super::prepare::{InnerFolds, Prepared, UnitData};
use super::{Tally, failure};
use crate::config::method::Built;
use crate::config::sweep::{Correction, Model};
use crate::plan::{FitGroup, Plan, ResampleGroup, Unit, estimated_seconds, resample};

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
    let bytes = plan.least_bytes(unit) as f64;
    let (data, _) = guarded(deadline, || {
        tally.ceiling.afford("its split", bytes, 0.0)?;
        UnitData::new(plan, unit)
    });
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
    pub(super) raw: Option<Train>,
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
    pub(super) head: Option<LinearHead>,
    pub(super) notes: Vec<Note>,
    pub(super) details: Details,
    pub(super) fit_seconds: f64,
    pub(super) score_seconds: f64,
    /// Seconds of all that was done for it.
    pub(super) spent: f64,
}

/// What was done for the learners that a fit chooses from, each at most once.
pub(super) struct Choices {
    pub(super) scored: Vec<Option<StageResult<Scored>>>,
    pub(super) crossfitted: Vec<Option<CrossFitted>>,
}

/// The inner folds' resampled sets, made by the first that asks; within the budget that every cell has for
/// them, whoever is the first.
pub(super) struct Inner {
    sets: OnceLock<StageResult<Arc<InnerSets>>>,
    budget: Budget,
}

/// Out-of-fold scores, and how long they took with all that they were made of.
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
        let budget = budget.after(seconds);
        let inner = Inner {
            sets: OnceLock::new(),
            budget,
        };
        fits.par_iter().with_max_len(1).for_each(|fit| {
            if self.tally.stopped() {
                return;
            }
            match &resampled {
                Ok(resampled) => self.fit(fit, resampled, budget, &inner),
                Err(error) => self.give_up(fit, "resample", error),
            }
            self.tally
                .work_done(estimated_seconds(self.plan, self.unit, fit));
        });
    }

    /// The key of a stage's stream on this unit.
    pub(super) fn key(&self, stage: &str, method: &str, inner: Option<usize>) -> StreamKey {
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

    /// Bytes of the rows that every stage on this unit has beside it, those of the inner folds too when it is in
    /// one of them.
    pub(super) fn held(&self, inner: Option<usize>) -> f64 {
        // There are no more folds than rows, whatever the sweep asks for.
        let most = self.unit.train.total();
        let folds = inner.map_or(0, |_| self.plan.sweep.protocol.inner_folds.min(most));
        self.plan.least_bytes(self.unit) as f64 * (1 + folds) as f64
    }

    pub(super) fn context<'s>(
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
                Some(built) => {
                    let samples = rows.train.samples();
                    let size = TrainSize {
                        names: samples.y().names(),
                        counts: &rows.train.counts(),
                        columns: samples.x().cols(),
                    };
                    let takes = (built.entry.caps.footprint)(&built.params, &size);
                    let (id, held) = (built.entry.card.id, self.held(inner));
                    self.tally.ceiling.afford(&format!("`{id}`"), takes, held)?;
                    let encode = |samples: &Samples| rows.encoder.apply(samples);
                    let catalogue = &self.plan.catalogue;
                    resample(catalogue, built, &rows.train, &encode, &mut context)?
                }
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
    pub(super) fn arm_of(&self, fit: &FitGroup) -> &Correction {
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
        };
        let mut hosts = Vec::new();
        let mut known: Vec<Option<Arc<Known>>> = vec![None; n];
        for &cell in fit.cells.iter().filter(|&&cell| self.todo[cell]) {
            let correction = self.correction(cell);
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
            let at = chosen.at;
            if choices.scored[at].is_none() {
                let turn = Turn {
                    budget: budget.after(chosen.seconds),
                    ..turn
                };
                let scored = self
                    .fit_and_score((fit, at), resampled, turn)
                    .and_then(|scored| self.with_bounds(scored, turn.budget));
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
            let left = budget.after(chosen.seconds + scored.spent);
            if correction.decide.method.needs().calibration && choices.crossfitted[at].is_none() {
                choices.crossfitted[at] = Some(self.cross_fit((fit, at), left, inner));
            }
            let needs = correction.decide.method.needs();
            let calibrated = choices.crossfitted[at]
                .as_ref()
                .filter(|_| needs.calibration);
            // A choice has cross-fitted all that there is to choose from.
            let crossfit_seconds = match calibrated {
                Some((_, seconds)) if n == 1 => *seconds,
                _ => 0.0,
            };
            let deadline = left.after(crossfit_seconds).deadline();
            let start = std::time::Instant::now();
            let mut verdict = self.decide(correction, resampled, scored, calibrated, deadline);
            verdict.details.extend(chosen.details);
            verdict.notes.extend(chosen.notes);
            verdict.known.clone_from(&known[at]);
            let judged = || {
                let (record, found) = judge::record(self.plan, cell, &verdict);
                Ok((record, found, self.beside(fit, cell, scored, &verdict)?))
            };
            let (record, found, beside) = match guarded(deadline, judged).0 {
                Ok(judged) => judged,
                Err(error) => {
                    self.settle(cell, "judge", &error);
                    continue;
                }
            };
            let timing = Timing {
                cell: self.plan.cells[cell].id.clone(),
                resample_seconds: resampled.seconds,
                fit_seconds: scored.fit_seconds,
                score_seconds: scored.score_seconds,
                crossfit_seconds: chosen.seconds + crossfit_seconds,
                decide_seconds: start.elapsed().as_secs_f64(),
            };
            if beside.iter().all(|side| self.tally.keep_beside(side))
                && self.keep_bins(
                    cell,
                    found.as_ref().and_then(|found| found.bins.as_ref()),
                    &mut hosts,
                )
            {
                self.tally.keep(&record, &timing);
            }
            if verdict.rescored.is_none() && found.is_some() {
                known[at] = found;
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
        deadline: Deadline,
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
            let calib = match calibrated {
                Some((Ok((calib, inner_notes)), _)) => {
                    notes.extend(inner_notes.iter().cloned());
                    Some(calib)
                }
                Some((Err(error), _)) => return Err(error.clone()),
                None => None,
            };
            let own = self.data.outer.test.labels().weights();
            let ensemble = correction.ensemble.as_ref();
            let from = ensemble.map_or(correction.loss.entry.card.id, |built| built.entry.card.id);
            let rows = ScoredRows {
                scores: &scored.scores,
                prior: scored.prior.as_ref(),
                source: &format!("`{from}`"),
                head: scored.head.as_ref(),
                weights: own.as_deref(),
                calib,
                train: &train,
            };
            let size = ScoreSize {
                calib: calib.map_or(0, |calib| calib.labels().len()),
                test: scored.scores.n_rows(),
                classes: scored.scores.n_classes(),
            };
            let (decided, _) = guarded(deadline, || {
                let seen = (size.calib + size.test) * size.classes * size_of::<f64>();
                let method = &*correction.decide.method;
                let id = correction.decide.entry.card.id;
                let held = self.held(None) + seen as f64;
                let takes = method.takes(&size);
                self.tally.ceiling.afford(&format!("`{id}`"), takes, held)?;
                let decided = rows.decide(id, method)?;
                let exact = self.exact(scored, &decided, needs.linear_head);
                Ok((decided, exact))
            });
            let (decided, exact) = decided?;
            notes.extend(decided.fitted.notes);
            details.extend(decided.fitted.details);
            details.extend(exact);
            rescored = decided.rescored;
            Ok(decided.decisions)
        })();
        Verdict {
            test: &self.data.outer.test,
            bayes: self.data.bayes,
            scores: &scored.scores,
            prior: scored.prior.as_ref(),
            rescored,
            known: None,
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
    ) -> CrossFitted {
        let sets = inner
            .sets
            .get_or_init(|| self.inner_sets(inner.budget).map(Arc::new));
        match sets {
            Ok(sets) => {
                let mut spent = sets.seconds;
                let scores = self.out_of_fold((fit, candidate), sets, budget, &mut spent);
                (scores, spent)
            }
            Err(error) => (Err(error.clone()), 0.0),
        }
    }

    fn out_of_fold(
        &self,
        (fit, candidate): (&FitGroup, usize),
        sets: &InnerSets,
        budget: Budget,
        spent: &mut f64,
    ) -> StageResult<(Calib, Vec<Note>)> {
        let (folds, resampled) = (&sets.folds, &sets.resampled);
        let mut collected = OutOfFold::new(&self.data.outer.train);
        let mut notes = folds.1.clone();
        for (at, (fold, resampled)) in folds.0.iter().zip(resampled).enumerate() {
            let in_fold = |error: &StageError| inner_error(at, error);
            let resampled = resampled.as_ref().map_err(in_fold)?;
            let turn = Turn {
                rows: &fold.prepared,
                budget: budget.after(*spent),
                inner: Some(at),
            };
            let scored = self
                .fit_and_score((fit, candidate), resampled, turn)
                .map_err(|error| in_fold(&error))?;
            *spent += scored.spent;
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
        let cut = || self.data.inner(self.plan, self.unit);
        let (folds, mut spent) = guarded(budget.deadline(), cut);
        let folds = folds?;
        let mut resampled = Vec::with_capacity(folds.0.len());
        for (at, fold) in folds.0.iter().enumerate() {
            let (result, seconds) = self.resample(&fold.prepared, budget.after(spent), Some(at));
            spent += seconds;
            resampled.push(result);
        }
        Ok(InnerSets {
            folds,
            resampled,
            seconds: spent,
        })
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
    seconds: f64,
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
