//! The mistake itself: rows are resampled and only then split, so that copies, neighbours and blends of
//! training rows stand among the test rows.
//!
//! This is the one place where resampled rows become test rows. It is private to the measurement of leaks,
//! hands out numbers alone, and neither takes nor gives the prepared rows of an arm: no arm can be run this
//! way, by type.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::{
    Catalogue, ClassCounts, Dataset, Deadline, Labels, Note, Origin, Partition, Prior, Samples,
    ScoredRows, Scores, SmallClass, StageContext, StageError, StageResult, StreamKey, Train,
};
use counterweight_data::preprocess::{Encoder, Polynomial, Preprocess};
use counterweight_data::split::{hold_out, stratified_folds};

use crate::config::sweep::{Correction, Features, Model, SplitSpec};
use crate::plan::{Plan, Unit, resample};
use crate::run::fit::{check_shape, no_features, within_limit};
use crate::run::guard::{Budget, guarded};
use crate::run::judge::{self, Shown};
use crate::run::prepare::Prepared;

/// How the resampled rows are split.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turns {
    /// One fold of the protocol's split.
    Only(SplitSpec, usize),
    /// Every fold of the protocol's split; metrics are means over them.
    All(SplitSpec),
}

/// What is measured on rows that were resampled before the split.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) reported: BTreeMap<String, f64>,
    pub(super) original_rows: BTreeMap<String, f64>,
    pub(super) reported_test_rows: usize,
    pub(super) original_test_rows: usize,
    pub(super) linked_share: Option<f64>,
    pub(super) notes: Vec<Note>,
}

/// All rows of a dataset, prepared and resampled as one, and how they are then split.
pub(super) struct ResampledBeforeSplit {
    /// Before resampling, nominal columns as codes.
    original: Samples,
    /// After.
    resampled: Samples,
    encoder: Encoder,
    /// Each part: rows of `resampled` that train and that test, and rows of `original` that are new to the
    /// fit: the test rows that are no copies, and this part's share of the rows that were dropped.
    parts: Vec<(Partition, Vec<usize>)>,
    notes: Vec<Note>,
    key: StreamKey,
}

/// A learner and what decides with it.
#[derive(Clone, Copy)]
pub(super) struct Fit<'a> {
    pub(super) plan: &'a Plan,
    pub(super) model: &'a Model,
    pub(super) arm: &'a Correction,
    pub(super) budget: Budget,
    /// The split: metrics on original rows refer to the prior of its honest protocol, so that they compare
    /// with the honest ones.
    pub(super) unit: &'a Unit,
}

impl ResampledBeforeSplit {
    /// Prepares and resamples the whole of `pool`, and splits what comes out. `keys` are of the resampling,
    /// of the split and of the learners.
    pub(super) fn new(
        (pool, preprocess): (&Dataset, Preprocess),
        (arm, catalogue): (&Correction, &Catalogue),
        turns: Turns,
        (small_class, budget): (SmallClass, Budget),
        keys: [StreamKey; 3],
    ) -> StageResult<Self> {
        let [resampling, splitting, learning] = keys;
        let n = pool.n_rows();
        let everything = Partition::new(n, (0..n).collect(), Vec::new())?;
        let all = Prepared::new(preprocess, pool, &everything, false)?;
        let Some(resampler) = &arm.resample else {
            return Err(StageError::Failed("a leak without a resampler".into()));
        };
        let mut context = StageContext::new(
            resampling.open(),
            small_class,
            budget.deadline(),
            &all.shared,
        );
        let deadline = context.deadline;
        let encode = |samples: &Samples| all.encoder.apply(samples);
        let run = || resample(catalogue, resampler, &all.train, &encode, &mut context);
        let resampled = guarded(deadline, run).0?.samples().clone();
        let mut notes = context.notes;
        let labels = resampled.y();
        let (splits, at, more) = match turns {
            Turns::Only(split, fold) => {
                let (splits, more) = split_rows(labels, split, small_class, &splitting)?;
                (splits, Some(fold), more)
            }
            Turns::All(split) => {
                let (splits, more) = split_rows(labels, split, small_class, &splitting)?;
                (splits, None, more)
            }
        };
        notes.extend(more);
        let n_parts = splits.len();
        let dropped = dropped_rows(&resampled, n);
        let shares = deal(
            all.train.samples().y(),
            &dropped,
            (turns, n_parts),
            &splitting,
        );
        let firsts = first_copies(&resampled, n);
        let parts = splits
            .into_iter()
            .zip(shares)
            .enumerate()
            .filter(|(part, _)| at.is_none_or(|at| at == *part))
            .map(|(_, (partition, share))| {
                let mut originals: Vec<usize> = partition
                    .test()
                    .iter()
                    .filter_map(|&row| match resampled.origins().get(row) {
                        Some(&Origin::Row(origin)) if firsts.get(origin) == Some(&Some(row)) => {
                            Some(origin)
                        }
                        _ => None,
                    })
                    .collect();
                originals.extend(share);
                originals.sort_unstable();
                (partition, originals)
            })
            .collect();
        Ok(Self {
            original: all.train.samples().clone(),
            resampled,
            encoder: all.encoder,
            parts,
            notes,
            key: learning,
        })
    }

    /// Fits and judges every part.
    pub(super) fn measure(&self, fit: Fit<'_>) -> StageResult<Numbers> {
        let mut numbers = Numbers {
            notes: self.notes.clone(),
            ..Numbers::default()
        };
        let mut reported = Vec::new();
        let mut original = Vec::new();
        let mut linked = 0;
        let mut spent = 0.0;
        for (part, (partition, originals)) in self.parts.iter().enumerate() {
            let start = std::time::Instant::now();
            let budget = fit.budget.after(spent);
            let (seen, truth) =
                self.measure_part(Fit { budget, ..fit }, part, &mut numbers.notes)?;
            reported.push(seen);
            original.push(truth);
            linked += self.linked(partition);
            numbers.reported_test_rows += partition.test().len();
            numbers.original_test_rows += originals.len();
            spent += start.elapsed().as_secs_f64();
        }
        numbers.reported = means(&reported);
        numbers.original_rows = means(&original);
        let rows = numbers.reported_test_rows;
        numbers.linked_share = (rows > 0).then(|| linked as f64 / rows as f64);
        Ok(numbers)
    }

    /// Metrics on the resampled test part, and on original rows.
    fn measure_part(
        &self,
        fit: Fit<'_>,
        part: usize,
        notes: &mut Vec<Note>,
    ) -> StageResult<(BTreeMap<String, f64>, BTreeMap<String, f64>)> {
        let (partition, originals) = &self.parts[part];
        let (train, test) = partition.cut_samples(&self.resampled)?;
        let new = self.original.select(originals);
        let learner = &fit.model.learner;
        within_limit(learner, train.samples().n_rows())?;
        let raw = learner.method.takes_raw_rows();
        if raw && fit.model.features.is_some() {
            return Err(no_features());
        }
        let encode = |samples: &Samples| -> StageResult<Samples> {
            if raw {
                Ok(samples.clone())
            } else {
                self.encoder.apply(samples)
            }
        };
        guarded(Deadline::NEVER, || learner.method.ready()).0?;
        let shared = counterweight_core::Shared::default();
        let key = self.key.clone().text(&learner.canonical()).number(part);
        let mut context = StageContext::new(
            key.open(),
            fit.plan.sweep.protocol.small_class,
            fit.budget.deadline(),
            &shared,
        );
        let deadline = context.deadline;
        let counts = train.counts();
        let loss = counterweight_core::LossContext {
            seen: &counts,
            train: &counts,
        };
        let run = || {
            let terms = fit.arm.loss.method.terms(&loss)?;
            let made = self.features(fit.model)?;
            let expand = |samples: Samples| match &made {
                None => Ok(samples),
                Some(made) => made.apply_samples(&samples),
            };
            let ready: Train = train.derive(|samples| encode(samples).and_then(expand))?;
            let fitted = learner.method.fit(&ready, &terms, &mut context)?;
            let on = |samples: &Samples| -> StageResult<Scores> {
                fitted.scores(encode(samples).and_then(expand)?.x())
            };
            let prior = terms.scores_prior_of(&ready.class_mass());
            Ok((on(test.samples())?, on(&new)?, prior))
        };
        let (seen, truth, prior) = guarded(deadline, run).0?;
        for note in context.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        // A notebook takes the scores as they are and weights no row.
        let shares = test.labels().counts().prior();
        let seen = (test.labels(), &seen, None);
        let seen = guarded(deadline, || judged(fit, seen, (&counts, shares))).0?;
        let target = judge::metric_prior(fit.plan, fit.unit, &new.y().counts());
        let truth = (new.y(), &truth, prior.as_ref());
        let target = target.ok();
        let truth = guarded(deadline, || judged(fit, truth, (&fit.unit.train, target))).0?;
        Ok((seen, truth))
    }

    /// Features that the model asks for, scaled on all rows like everything else here.
    fn features(&self, model: &Model) -> StageResult<Option<Polynomial>> {
        let Some(Features { polynomial }) = model.features else {
            return Ok(None);
        };
        let encoded = self.encoder.apply(&self.original)?;
        let (rows, columns) = (self.resampled.n_rows(), encoded.x().cols());
        if let Some(reason) = Polynomial::over_the_limit(rows, columns, polynomial) {
            return Err(StageError::NotApplicable(reason));
        }
        Polynomial::fit(polynomial, encoded.x(), None).map(Some)
    }

    /// Test rows that share an original row with a training row.
    fn linked(&self, partition: &Partition) -> usize {
        let roots = |row: &usize| match self.resampled.origins().get(*row) {
            Some(&Origin::Row(row)) => [Some(row), None],
            Some(&Origin::Synthetic { base, neighbour }) => [Some(base), Some(neighbour)],
            None => [None, None],
        };
        let trained: BTreeSet<usize> = partition.train().iter().flat_map(roots).flatten().collect();
        let tested = partition.test().iter();
        tested
            .filter(|row| {
                roots(row)
                    .iter()
                    .flatten()
                    .any(|root| trained.contains(root))
            })
            .count()
    }
}

/// Metrics of argmax decisions on `scores`; none without rows.
fn judged(
    fit: Fit<'_>,
    (labels, scores, prior): (&Labels, &Scores, Option<&Prior>),
    (train, target): (&ClassCounts, Option<Prior>),
) -> StageResult<BTreeMap<String, f64>> {
    let Some(target) = target.filter(|_| !labels.is_empty()) else {
        return Ok(BTreeMap::new());
    };
    check_shape(scores, labels)?;
    let test = labels.counts();
    let decide = &fit.arm.decide;
    let rows = ScoredRows {
        scores,
        prior,
        source: "a split of resampled rows",
        head: None,
        weights: None,
        calib: None,
        train,
    };
    let decisions = rows
        .decide(decide.entry.card.id, &*decide.method)?
        .decisions;
    let shown = Shown {
        labels,
        decisions: &decisions,
        scores,
        prior,
        train,
        test: &test,
        target: &target,
    };
    let measured = judge::metrics(fit.plan, &shown).map_err(StageError::Failed)?;
    Ok(super::kept(measured))
}

/// The protocol's split of these rows.
fn split_rows(
    labels: &Labels,
    split: SplitSpec,
    small_class: SmallClass,
    key: &StreamKey,
) -> StageResult<(Vec<Partition>, Vec<Note>)> {
    match split {
        SplitSpec::Folds(folds) => stratified_folds(labels, folds, None, small_class, key),
        SplitSpec::HoldOut(share) => hold_out(labels, share, None, small_class, key)
            .map(|(partition, notes)| (vec![partition], notes)),
    }
}

/// The first resampled row that is row `i` of the original data, for each of its `n` rows.
fn first_copies(resampled: &Samples, n: usize) -> Vec<Option<usize>> {
    let mut firsts = vec![None; n];
    for (at, origin) in resampled.origins().iter().enumerate() {
        if let &Origin::Row(row) = origin
            && let Some(first @ None) = firsts.get_mut(row)
        {
            *first = Some(at);
        }
    }
    firsts
}

/// Rows of the original data that are not among the resampled ones.
fn dropped_rows(resampled: &Samples, n: usize) -> Vec<usize> {
    let firsts = first_copies(resampled, n);
    (0..n).filter(|&row| firsts[row].is_none()).collect()
}

/// Deals rows that the resampler dropped to the parts as a split of them would, so that rows which were
/// hard enough to be dropped are judged as well. Too few rows for a split of their own go round.
fn deal(
    labels: &Labels,
    dropped: &[usize],
    (turns, n_parts): (Turns, usize),
    key: &StreamKey,
) -> Vec<Vec<usize>> {
    let (Turns::Only(split, _) | Turns::All(split)) = turns;
    let key = key.clone().text("dropped rows");
    let own = labels.select(dropped);
    if let Ok((splits, _)) = split_rows(&own, split, SmallClass::Clamp, &key) {
        let rows = |part: &Partition| part.test().iter().map(|&at| dropped[at]).collect();
        return splits.iter().map(rows).collect();
    }
    let mut parts = vec![Vec::new(); n_parts];
    if matches!(split, SplitSpec::Folds(_)) {
        for (at, &row) in dropped.iter().enumerate() {
            parts[at % n_parts].push(row);
        }
    }
    parts
}

/// Means over parts of what every part has.
fn means(parts: &[BTreeMap<String, f64>]) -> BTreeMap<String, f64> {
    let Some(first) = parts.first() else {
        return BTreeMap::new();
    };
    first
        .keys()
        .filter_map(|name| {
            let values: Option<Vec<f64>> = parts.iter().map(|p| p.get(name).copied()).collect();
            let values = values?;
            // One part gives its own bits.
            let mean = match values[..] {
                [one] => one,
                _ => values.iter().sum::<f64>() / values.len() as f64,
            };
            Some((name.clone(), mean))
        })
        .collect()
}
