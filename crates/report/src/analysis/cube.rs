//! Records summed up to one value a point and arm: the only place that averages over folds.
//!
//! A **point** is a dataset at one profile and requested ratio; an **arm** is a model with a
//! correction. A fold that no arm of a point has a value for (fewer than two classes among its test
//! rows) is a property of the split and is left out for all; a fold that some arm has and another
//! lacks makes the other arm's value missing, because a mean over the easier folds would flatter
//! a method that failed on the hard ones.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::{Name, Numbers, Outcome, Record};
use counterweight_store::METRIC_COLUMNS;

use super::{CorrectionInfo, DatasetInfo, ModelInfo, Point, Target};
use crate::error::{ReportError, Result};

/// What is known of one arm at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Cells of the arm at this point.
    pub n_cells: usize,
    /// Cells with a value of the target.
    pub n_values: usize,
    /// Folds (over all repeats) that some arm of the point has a value for.
    pub n_planned: usize,
    /// The gravest outcome among the cells.
    pub gravest: Outcome,
    /// Cells whose fit is known to be wrong or constant.
    pub n_degenerate: usize,
    /// Id of the first cell, for `explain`.
    pub cell: Name,
    /// Means of the metrics over folds, in the order of [`Data::metrics`](super::Data); all
    /// `None` unless every planned fold has a value of the target.
    pub means: Vec<Option<f64>>,
    /// Balanced error of the predictions of all folds of a repeat taken together, averaged over
    /// repeats; `None` when the target is another metric.
    pub pooled: Option<f64>,
    /// Mean Bayes-optimal balanced error of the same test rows; `None` when the target is another
    /// metric.
    pub bayes: Option<f64>,
    /// The target on the planned folds, by repeat and fold.
    pub folds: Vec<FoldValue>,
    /// Mean seconds of resampling, fitting, cross-fitting and deciding.
    pub seconds: Option<f64>,
    /// Mean seconds of resampling alone.
    pub resample_seconds: Option<f64>,
    /// Means of the details that the report speaks of (bounds of balanced error, counts of
    /// resampling) over the planned folds; those that a fold lacks are left out.
    pub details: Numbers,
}

/// Seconds of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seconds {
    /// Resampling, fitting, cross-fitting and deciding.
    pub(super) total: f64,
    /// Resampling alone.
    pub(super) resample: f64,
}

/// The target on one fold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoldValue {
    /// From 0.
    pub repeat: u64,
    /// From 0.
    pub fold: u64,
    /// Its value.
    pub value: f64,
}

impl Summary {
    /// Mean of the target over repeats and folds.
    pub fn value(&self) -> Option<f64> {
        self.means.first().copied().flatten()
    }
}

/// Summaries by model, point and correction.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cube {
    summaries: BTreeMap<(usize, usize, usize), Summary>,
}

impl Cube {
    /// The summary of an arm at a point.
    pub fn get(&self, model: usize, point: usize, correction: usize) -> Option<&Summary> {
        self.summaries.get(&(model, point, correction))
    }

    /// The mean of the target for an arm at a point.
    pub fn value(&self, model: usize, point: usize, correction: usize) -> Option<f64> {
        self.get(model, point, correction)?.value()
    }

    /// The summaries that `number` gives a new place to.
    pub(super) fn renumbered(
        &self,
        number: impl Fn((usize, usize, usize)) -> Option<(usize, usize, usize)>,
    ) -> Self {
        let summaries = self.summaries.iter();
        let kept = summaries.filter_map(|(key, own)| Some((number(*key)?, own.clone())));
        Self {
            summaries: kept.collect(),
        }
    }

    /// The summaries that `keep` wants, and the others.
    pub(super) fn split(
        self,
        keep: impl Fn((usize, usize, usize), &Summary) -> bool,
    ) -> (Self, Self) {
        let (kept, others) = self
            .summaries
            .into_iter()
            .partition(|(key, own)| keep(*key, own));
        (Self { summaries: kept }, Self { summaries: others })
    }

    /// All summaries, by model, point and correction.
    pub fn iter(&self) -> impl Iterator<Item = ((usize, usize, usize), &Summary)> {
        self.summaries.iter().map(|(key, summary)| (*key, summary))
    }
}

/// Everything that the records say about themselves, in order of first appearance, and the cube.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) models: Vec<ModelInfo>,
    pub(super) corrections: Vec<CorrectionInfo>,
    pub(super) datasets: Vec<DatasetInfo>,
    pub(super) points: Vec<Point>,
    pub(super) metrics: Vec<String>,
    pub(super) cube: Cube,
    /// Resampling stages that are not those of the correction's first record, by point and
    /// correction.
    pub(super) stages: BTreeMap<(usize, usize), String>,
}

/// Numbers names in order of first appearance.
#[derive(Default)]
struct Names<'a>(BTreeMap<&'a str, usize>);

impl<'a> Names<'a> {
    /// The number, and whether it is new.
    fn number(&mut self, name: &'a str) -> (usize, bool) {
        let next = self.0.len();
        let number = *self.0.entry(name).or_insert(next);
        (number, number == next)
    }
}

type PointKey<'a> = (usize, &'a str, Option<u64>);

pub(super) fn index(
    records: &[Record],
    seconds: &BTreeMap<&str, Seconds>,
    target: &Target,
) -> Result<Indexed> {
    let (mut model_names, mut correction_names, mut dataset_names) =
        (Names::default(), Names::default(), Names::default());
    let mut models = Vec::new();
    let mut corrections: Vec<CorrectionInfo> = Vec::new();
    let mut datasets: Vec<DatasetInfo> = Vec::new();
    let mut points: Vec<Point> = Vec::new();
    let mut point_numbers: BTreeMap<PointKey<'_>, usize> = BTreeMap::new();
    let mut groups: BTreeMap<(usize, usize, usize), Vec<&Record>> = BTreeMap::new();
    let mut planned: Vec<BTreeSet<(u64, u64)>> = Vec::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    let mut stages: BTreeMap<(usize, usize), String> = BTreeMap::new();
    for record in records {
        let (model, new) = model_names.number(&record.model);
        if new {
            models.push(ModelInfo::of(record));
        }
        let (correction, new) = correction_names.number(&record.correction);
        if new {
            corrections.push(CorrectionInfo::of(record));
        }
        let (dataset, new) = dataset_names.number(&record.dataset);
        if new {
            datasets.push(DatasetInfo::of(record));
        }
        let key = (
            dataset,
            record.profile.as_str(),
            record.requested_ratio.map(f64::to_bits),
        );
        let next = points.len();
        let point = *point_numbers.entry(key).or_insert(next);
        if point == next {
            points.push(Point::of(dataset, record));
            planned.push(BTreeSet::new());
        }
        if let Some(point) = points.get_mut(point) {
            point.see(record);
        }
        let usual = corrections.get(correction).map(|c| c.resample.as_str());
        if usual.is_some_and(|usual| record.resample != *usual) {
            stages.insert((point, correction), record.resample.to_string());
        }
        if let (Some(_), Some(folds)) = (record.metrics.get(&target.id), planned.get_mut(point)) {
            folds.insert((record.repeat, record.fold));
        }
        for key in record.metrics.keys() {
            if !others.contains(key.as_str()) && !METRIC_COLUMNS.contains(&key.as_str()) {
                others.insert(key);
            }
        }
        groups
            .entry((model, point, correction))
            .or_default()
            .push(record);
    }
    let all = METRIC_COLUMNS.into_iter().chain(others);
    let rest = all.filter(|metric| *metric != target.id);
    let metrics: Vec<String> = std::iter::once(target.id.as_str())
        .chain(rest)
        .map(str::to_owned)
        .collect();
    let mut sorted: Vec<(Name, usize)> = metrics.iter().map(Name::from).zip(0..).collect();
    sorted.sort();
    let mut cube = Cube::default();
    for (key, mut group) in groups {
        group.sort_by_key(|record| (record.repeat, record.fold));
        let folds = planned.get(key.1).map_or(0, BTreeSet::len);
        cube.summaries.insert(
            key,
            summarise(&group, folds, (target, &metrics, &sorted), seconds)?,
        );
    }
    for point in &mut points {
        point.finish();
    }
    Ok(Indexed {
        models,
        corrections,
        datasets,
        points,
        metrics,
        cube,
        stages,
    })
}

fn summarise(
    group: &[&Record],
    n_planned: usize,
    (target, metrics, sorted): (&Target, &[String], &[(Name, usize)]),
    seconds: &BTreeMap<&str, Seconds>,
) -> Result<Summary> {
    for pair in group.windows(2) {
        let [a, b] = pair else { continue };
        if (a.repeat, a.fold) == (b.repeat, b.fold) {
            return Err(ReportError::Twice {
                cells: format!("{} and {}", a.cell, b.cell),
                place: format!(
                    "dataset `{}`, model `{}`, correction `{}`, repeat {}, fold {}",
                    a.dataset, a.model, a.correction, a.repeat, a.fold
                ),
            });
        }
    }
    let folds: Vec<FoldValue> = group
        .iter()
        .filter_map(|record| {
            let value = record.metrics.get(&target.id).copied()?;
            Some(FoldValue {
                repeat: record.repeat,
                fold: record.fold,
                value,
            })
        })
        .collect();
    let complete = n_planned > 0 && folds.len() == n_planned;
    let valued: Vec<&Record> = group
        .iter()
        .copied()
        .filter(|record| record.metrics.contains_key(&target.id))
        .collect();
    let means = if complete {
        metric_means(&valued, sorted, metrics.len())
    } else {
        vec![None; metrics.len()]
    };
    let headline = target.is_balanced_error();
    let floors = valued
        .iter()
        .filter_map(|record| record.bayes_balanced_error.filter(|_| headline));
    let bayes = mean(floors);
    let times = |part: fn(&Seconds) -> f64| {
        mean(
            group
                .iter()
                .filter_map(|record| seconds.get(record.cell.0.as_str()).map(part)),
        )
    };
    Ok(Summary {
        n_cells: group.len(),
        n_values: folds.len(),
        n_planned,
        gravest: group
            .iter()
            .map(|record| record.outcome)
            .min()
            .unwrap_or(Outcome::Ok),
        n_degenerate: group
            .iter()
            .filter(|record| record.outcome == Outcome::Degenerate)
            .count(),
        cell: group.first().map_or_else(
            || Name::from(""),
            |record| Name::from(record.cell.0.as_str()),
        ),
        means,
        pooled: if complete && headline {
            pooled(&valued)
        } else {
            None
        },
        bayes,
        folds,
        seconds: times(|seconds| seconds.total),
        resample_seconds: times(|seconds| seconds.resample),
        details: if complete {
            detail_means(&valued)
        } else {
            Numbers::new()
        },
    })
}

/// The mean of each metric over the records that have it. `sorted` are the metrics by name, each with
/// its place among the results: both lists being sorted, they are walked side by side.
fn metric_means(records: &[&Record], sorted: &[(Name, usize)], n: usize) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0_usize); n];
    for record in records {
        let mut at = 0;
        for (name, value) in &record.metrics {
            while let Some((metric, place)) = sorted.get(at) {
                if metric == name {
                    if let Some((sum, count)) = sums.get_mut(*place) {
                        *sum += value;
                        *count += 1;
                    }
                    break;
                }
                at += 1;
            }
        }
    }
    sums.into_iter()
        .map(|(sum, count)| (count > 0).then(|| sum / count as f64))
        .collect()
}

/// Whether the report speaks of a detail.
fn reported(key: &str) -> bool {
    key.ends_with("_balanced_error") || key.starts_with("resample_")
}

/// Means of the details that every record has.
fn detail_means(records: &[&Record]) -> Numbers {
    let Some(first) = records.first() else {
        return Numbers::new();
    };
    let keys = first.details.keys().filter(|key| reported(key));
    keys.filter_map(|key| {
        let values: Option<Vec<f64>> = records
            .iter()
            .map(|record| record.details.get(key).copied())
            .collect();
        Some((key, mean(values?.into_iter())?))
    })
    .collect()
}

/// The mean in the order given; `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// Balanced error of all test predictions of a repeat taken together, averaged over repeats.
///
/// A class's correct decisions are its recall times its test rows, summed over folds; so a class
/// that is missing from some folds weighs as much as any other.
fn pooled(records: &[&Record]) -> Option<f64> {
    let mut repeats = Vec::new();
    for repeat in records.chunk_by(|a, b| a.repeat == b.repeat) {
        let classes = repeat.iter().map(|record| record.test_counts.len()).max()?;
        let mut correct = vec![0.0; classes];
        let mut rows = vec![0_u64; classes];
        for record in repeat {
            if record.test_counts.len() != classes || record.recalls.len() != classes {
                return None;
            }
            for (class, (&count, recall)) in
                record.test_counts.iter().zip(&record.recalls).enumerate()
            {
                if let (Some(recall), Some(correct), Some(rows)) =
                    (recall, correct.get_mut(class), rows.get_mut(class))
                {
                    *correct += recall * count as f64;
                    *rows += count;
                }
            }
        }
        let errors = correct
            .iter()
            .zip(&rows)
            .filter(|&(_, &rows)| rows > 0)
            .map(|(correct, &rows)| 1.0 - correct / rows as f64);
        repeats.push(mean(errors)?);
    }
    mean(repeats.into_iter())
}
