//! The target by imbalance ratio: one row a model, correction and requested ratio over all
//! datasets that have it, and curves for every subject that was run at two ratios or more.
//!
//! A curve's subject is a population or dataset under one profile, or all real datasets that have
//! the same ratios. Its 95 % band is a t interval over the values of repeats and folds (means over the
//! datasets, where there are several: these are held fixed). Folds of one split share training rows;
//! the variance is then widened by the ratio of test to training rows (Nadeau and Bengio 2003), while a population draws
//! new rows each repeat and needs no widening. One value gives no band.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_stats::{Level, StatsError, corrected_t};

use super::ranked::test_share;
use super::{Data, Summary, mean};
use crate::error::{ReportError, Result};

/// An arm at one requested ratio, over all datasets that have it.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioRow {
    /// Index of the model.
    pub model: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Profile of the points.
    pub profile: String,
    /// The ratio that was asked for; `None` for natural data.
    pub requested_ratio: Option<f64>,
    /// Datasets with a value.
    pub n_datasets: usize,
    /// Mean over them.
    pub mean_value: f64,
    /// Mean difference to the baseline over the datasets that both have.
    pub difference: Option<f64>,
    /// Mean regret over the populations among them.
    pub mean_regret: Option<f64>,
}

/// One place of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioPoint {
    /// Imbalance ratio (requested; realised for natural data).
    pub ratio: f64,
    /// Mean of the target.
    pub mean: f64,
    /// Ends of the 95 % band.
    pub band: Option<(f64, f64)>,
    /// Values (repeats times folds) behind it.
    pub n_values: usize,
}

/// One arm on one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioCurve {
    /// What was run: the id of a dataset, or how many real datasets.
    pub subject: String,
    /// Datasets behind it.
    pub n_datasets: usize,
    /// Whether the subject is a population.
    pub synthetic: bool,
    /// `step` or `exponential`.
    pub profile: String,
    /// Index of the model.
    pub model: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Places by rising ratio.
    pub points: Vec<RatioPoint>,
    /// Mean Bayes-optimal balanced error at each of the places; empty for real data.
    pub bayes: Vec<(f64, f64)>,
}

/// The target by imbalance ratio.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RatioStudy {
    /// Per model, correction, profile and requested ratio.
    pub rows: Vec<RatioRow>,
    /// Curves of two ratios or more.
    pub curves: Vec<RatioCurve>,
}

/// Requested ratios are at least 1, so that their bits order as they do.
type RatioKey = Option<u64>;

/// The point of a dataset at each ratio.
type Ladder = BTreeMap<u64, usize>;

/// Datasets with the same ratios under one profile.
struct Subject {
    name: String,
    synthetic: bool,
    profile: String,
    /// By ratio: the point of each dataset.
    places: BTreeMap<u64, Vec<usize>>,
    n_datasets: usize,
}

impl RatioStudy {
    pub(super) fn of(data: &Data) -> Result<Self> {
        Ok(Self {
            rows: rows(data),
            curves: curves(data)?,
        })
    }
}

fn rows(data: &Data) -> Vec<RatioRow> {
    type Key<'a> = (usize, usize, &'a str, RatioKey);
    let mut groups: BTreeMap<Key<'_>, Vec<(usize, &Summary)>> = BTreeMap::new();
    for ((model, point, correction), summary) in data.cube.iter() {
        let Some(place) = data.points.get(point) else {
            continue;
        };
        if summary.value().is_some() {
            let ratio = place.requested_ratio.map(f64::to_bits);
            let key = (model, correction, place.profile.as_str(), ratio);
            groups.entry(key).or_default().push((point, summary));
        }
    }
    groups
        .into_iter()
        .filter_map(|((model, correction, profile, ratio), members)| {
            let errors = || members.iter().filter_map(|(_, s)| s.value());
            let difference = data.baseline.and_then(|baseline| {
                mean(members.iter().filter_map(|&(point, summary)| {
                    let base = data.cube.value(model, point, baseline)?;
                    Some(summary.value()? - base)
                }))
            });
            let regret = mean(
                members
                    .iter()
                    .filter_map(|(_, s)| Some(s.value()? - s.bayes?)),
            );
            Some(RatioRow {
                model,
                correction,
                profile: profile.to_owned(),
                requested_ratio: ratio.map(f64::from_bits),
                n_datasets: members.len(),
                mean_value: mean(errors())?,
                difference,
                mean_regret: regret,
            })
        })
        .collect()
}

fn subjects(data: &Data) -> Vec<Subject> {
    // By dataset and profile: the point at each ratio.
    let mut ladders: BTreeMap<(usize, &str), Ladder> = BTreeMap::new();
    for (index, point) in data.points.iter().enumerate() {
        if let Some(ratio) = point.requested_ratio.or(point.imbalance_ratio) {
            let ladder = ladders.entry((point.dataset, &point.profile)).or_default();
            ladder.insert(ratio.to_bits(), index);
        }
    }
    ladders.retain(|_, ladder| ladder.len() >= 2);
    let mut subjects = Vec::new();
    let mut alike: BTreeMap<(&str, Vec<u64>), Vec<&Ladder>> = BTreeMap::new();
    for ((dataset, profile), ladder) in &ladders {
        let Some(info) = data.datasets.get(*dataset) else {
            continue;
        };
        subjects.push(Subject {
            name: info.id.clone(),
            synthetic: info.synthetic,
            profile: (*profile).to_owned(),
            places: ladder
                .iter()
                .map(|(&ratio, &point)| (ratio, vec![point]))
                .collect(),
            n_datasets: 1,
        });
        if !info.synthetic {
            let ratios = ladder.keys().copied().collect();
            alike.entry((*profile, ratios)).or_default().push(ladder);
        }
    }
    for ((profile, ratios), members) in alike {
        if members.len() < 2 {
            continue;
        }
        let places = ratios
            .into_iter()
            .map(|ratio| {
                (
                    ratio,
                    members
                        .iter()
                        .filter_map(|ladder| ladder.get(&ratio).copied())
                        .collect(),
                )
            })
            .collect();
        subjects.push(Subject {
            name: format!("{} real datasets", members.len()),
            synthetic: false,
            profile: profile.to_owned(),
            places,
            n_datasets: members.len(),
        });
    }
    subjects
}

fn curves(data: &Data) -> Result<Vec<RatioCurve>> {
    let mut curves = Vec::new();
    for subject in subjects(data) {
        for model in 0..data.models.len() {
            for correction in 0..data.corrections.len() {
                let mut points = Vec::new();
                let mut bayes = Vec::new();
                for (&ratio, places) in &subject.places {
                    let ratio = f64::from_bits(ratio);
                    let summaries: Vec<(usize, &Summary)> = places
                        .iter()
                        .filter_map(|&p| Some((p, data.cube.get(model, p, correction)?)))
                        .filter(|(_, summary)| summary.value().is_some())
                        .collect();
                    // A mean over fewer datasets than the next place has would bend the curve.
                    if summaries.len() < places.len() {
                        continue;
                    }
                    if let Some(point) = place(data, ratio, &summaries)? {
                        points.push(point);
                    }
                    if let Some(floor) = mean(summaries.iter().filter_map(|(_, s)| s.bayes)) {
                        bayes.push((ratio, floor));
                    }
                }
                if points.len() >= 2 {
                    curves.push(RatioCurve {
                        subject: subject.name.clone(),
                        n_datasets: subject.n_datasets,
                        synthetic: subject.synthetic,
                        profile: subject.profile.clone(),
                        model,
                        correction,
                        points,
                        bayes: if subject.synthetic { bayes } else { Vec::new() },
                    });
                }
            }
        }
    }
    Ok(curves)
}

pub(super) fn place(
    data: &Data,
    ratio: f64,
    summaries: &[(usize, &Summary)],
) -> Result<Option<RatioPoint>> {
    let Some(estimate) = mean(summaries.iter().filter_map(|(_, s)| s.value())) else {
        return Ok(None);
    };
    // Folds that every dataset has; a dataset whose classes are too small has fewer.
    let folds = |summary: &Summary| -> BTreeMap<(u64, u64), f64> {
        summary
            .folds
            .iter()
            .map(|v| ((v.repeat, v.fold), v.value))
            .collect()
    };
    let by_dataset: Vec<_> = summaries
        .iter()
        .map(|(_, summary)| folds(summary))
        .collect();
    let mut shared: BTreeSet<(u64, u64)> = by_dataset
        .first()
        .map(|folds| folds.keys().copied().collect())
        .unwrap_or_default();
    for folds in &by_dataset {
        shared.retain(|key| folds.contains_key(key));
    }
    let values: Vec<f64> = shared
        .iter()
        .filter_map(|key| {
            mean(
                by_dataset
                    .iter()
                    .filter_map(|folds| folds.get(key).copied()),
            )
        })
        .collect();
    let first = summaries
        .first()
        .and_then(|(point, _)| data.points.get(*point));
    let synthetic = first
        .and_then(|point| data.datasets.get(point.dataset))
        .is_some_and(|dataset| dataset.synthetic);
    let what = || format!("the band at ratio {ratio}");
    let error = |source| ReportError::Stats {
        what: what(),
        source,
    };
    let Some(first) = first else { return Ok(None) };
    let share = test_share(first, synthetic).map_err(error)?;
    let band = match corrected_t(&values, share, Level::FIVE_PERCENT) {
        // The band is centred on the estimate, which may rest on more folds than the shared ones.
        Ok(test) => Some((
            estimate - (test.mean - test.lower),
            estimate + (test.upper - test.mean),
        )),
        Err(StatsError::TooFew { .. }) => None,
        // Values without variance: the band has no width.
        Err(StatsError::Undefined { .. }) => Some((estimate, estimate)),
        Err(source) => return Err(error(source)),
    };
    Ok(Some(RatioPoint {
        ratio,
        mean: estimate,
        band,
        n_values: values.len(),
    }))
}
