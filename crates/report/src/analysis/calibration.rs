//! Calibration as an axis: what a correction does to probabilities, as fitted and after the analytic
//! prior shift.
//!
//! A fit on weighted or resampled rows learns another prior, and its probabilities belong to that
//! prior. As fitted, they are read as they come (the `_raw` columns of the records, rows weighted to the
//! metric prior); corrected, each probability is multiplied by metric prior over own prior and
//! renormalised first (the columns without suffix). Where the scores' own prior is the metric prior
//! already, or cannot be named, the two agree: an arm whose values agree at every point has nothing to
//! correct and no corrected value here.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::reliability::BINS;
use counterweight_store::ReliabilityGroup;

use super::cover::Cells;
use super::cube::Summary;
use super::{Comparison, Data, Scope, mean};

/// Values of a metric before and after the shift closer than this are the same.
const SAME: f64 = 1e-9;

/// One model with one correction, over the datasets of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationRow {
    /// Which datasets: all, real ones, or populations.
    pub scope: Scope,
    /// Index of the model.
    pub model: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Datasets with probabilities, which the means are over.
    pub n_datasets: usize,
    /// Those with two classes, which intercept and slope are over.
    pub n_binary: usize,
    /// Mean balanced error on these datasets.
    pub balanced_error: Option<f64>,
    /// Mean log loss as fitted, in nats.
    pub log_loss: Option<f64>,
    /// Mean expected calibration error as fitted.
    pub ece: Option<f64>,
    /// Mean reliability part of the Brier score as fitted.
    pub brier_reliability: Option<f64>,
    /// Median calibration intercept as fitted, in log-odds; 0 is best.
    pub intercept: Option<f64>,
    /// Median calibration slope as fitted; 1 is best.
    pub slope: Option<f64>,
    /// Mean log loss after the prior shift; `None` where it changes nothing.
    pub corrected_log_loss: Option<f64>,
    /// Mean expected calibration error after the prior shift; `None` where it changes nothing.
    pub corrected_ece: Option<f64>,
    /// Median calibration intercept after the prior shift; `None` where it changes nothing.
    pub corrected_intercept: Option<f64>,
}

/// A correction's place between balanced error and log loss.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontPoint {
    /// Index of the correction.
    pub correction: usize,
    /// Mean log loss as fitted, in nats.
    pub log_loss: f64,
    /// Mean balanced error.
    pub balanced_error: f64,
    /// Whether no other is as good in both and better in one.
    pub front: bool,
}

/// All corrections of a model that have probabilities on the same datasets.
#[derive(Debug, Clone, PartialEq)]
pub struct Front {
    /// Index of the model.
    pub model: usize,
    /// Datasets that the means are over.
    pub n_datasets: usize,
    /// In the order of the sweep. Of corrections that agree in both values the first.
    pub points: Vec<FrontPoint>,
}

/// One bin of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveBin {
    /// Its share of the weight.
    pub share: f64,
    /// Mean probability of the rarer class.
    pub predicted: f64,
    /// Share of the rarer class.
    pub observed: f64,
}

/// Reliability of a model with a correction over the binary datasets, each with the same weight.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityCurve {
    /// Index of the model.
    pub model: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Datasets behind it.
    pub n_datasets: usize,
    /// Bins with rows, as fitted.
    pub fitted: Vec<CurveBin>,
    /// The same after the prior shift; empty where it changes nothing.
    pub corrected: Vec<CurveBin>,
}

/// Everything on calibration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// By scope, model and correction; real sets and populations where there are both.
    pub rows: Vec<CalibrationRow>,
    /// One a model, where balanced error is the target.
    pub fronts: Vec<Front>,
    /// By model and correction.
    pub curves: Vec<ReliabilityCurve>,
    /// Cells with probabilities.
    pub n_cells: usize,
    /// Those that the reliability bins cover.
    pub n_binned: usize,
}

impl Calibration {
    pub(super) fn of(data: &Data, overall: &[Comparison], groups: &[ReliabilityGroup]) -> Self {
        let mut found = Self::default();
        let probable = |summary: &&Summary| has_probabilities(data, summary);
        let asked = data.points_of(data.question());
        let arms = data
            .cube
            .iter()
            .filter(|((_, point, _), _)| asked.contains(point));
        let arms = arms.map(|(_, summary)| summary);
        found.n_cells = arms.filter(probable).map(|s| s.n_values).sum();
        let n_synthetic = data.datasets.iter().filter(|d| d.synthetic).count();
        let both = n_synthetic > 0 && n_synthetic < data.datasets.len();
        // Real sets and populations are never in one mean.
        let scopes: &[Scope] = if both {
            &[Scope::Real, Scope::Synthetic]
        } else {
            &[Scope::All]
        };
        for &scope in scopes {
            let points = data.points_of(match scope {
                Scope::All => data.question(),
                other => other,
            });
            for model in 0..data.models.len() {
                for correction in 0..data.corrections.len() {
                    found
                        .rows
                        .extend(row(data, &points, (scope, model, correction)));
                }
            }
        }
        if data.target.is_balanced_error() {
            found.fronts = overall.iter().filter_map(|c| front(data, c)).collect();
        }
        found.bins(data, groups);
        found
    }

    /// Pools the bins of the points of the data, so that a part of the records is shown
    /// with its part of the bins.
    fn bins(&mut self, data: &Data, groups: &[ReliabilityGroup]) {
        // As fitted and corrected, by point.
        type Stages<'a> = BTreeMap<usize, [Option<&'a ReliabilityGroup>; 2]>;
        let places = data.places();
        let mut arms: BTreeMap<(usize, usize), Stages<'_>> = BTreeMap::new();
        for group in groups {
            let key = (&*group.dataset, &*group.profile, group.requested_ratio);
            let Some((model, point, correction)) =
                places.find(key, &group.model, &group.correction)
            else {
                continue;
            };
            let known = data.cube.get(model, point, correction);
            let Some(known) = known.filter(|summary| has_probabilities(data, summary)) else {
                continue;
            };
            if !group.corrected {
                self.n_binned += known
                    .n_values
                    .min(usize::try_from(group.cells).unwrap_or(0));
            }
            if group.n_classes == 2 {
                let of_point = arms.entry((model, correction)).or_default();
                let stages = of_point.entry(point).or_default();
                stages[usize::from(group.corrected)] = Some(group);
            }
        }
        for ((model, correction), of_points) in arms {
            // A point without a corrected stage has nothing to correct: its probabilities stay.
            let pairs: Vec<(usize, &ReliabilityGroup, &ReliabilityGroup)> = of_points
                .into_iter()
                .filter_map(|(point, [fitted, corrected])| {
                    let fitted = fitted?;
                    let dataset = data.points.get(point)?.dataset;
                    Some((dataset, fitted, corrected.unwrap_or(fitted)))
                })
                .collect();
            let shifted = pairs.iter().any(|(_, _, corrected)| corrected.corrected);
            let datasets: BTreeSet<usize> = pairs.iter().map(|(dataset, _, _)| *dataset).collect();
            let key = |dataset: &usize| (data.cluster(*dataset), *dataset);
            let fitted = pooled(pairs.iter().map(|(d, fitted, _)| (key(d), *fitted)));
            let corrected = pairs.iter().map(|(d, _, after)| (key(d), *after));
            self.curves.push(ReliabilityCurve {
                model,
                correction,
                n_datasets: datasets.len(),
                fitted,
                corrected: if shifted {
                    pooled(corrected)
                } else {
                    Vec::new()
                },
            });
        }
    }
}

/// Whether an arm has probabilities on every fold of a point.
fn has_probabilities(data: &Data, summary: &Summary) -> bool {
    let log_loss = data.metric("log_loss_raw");
    log_loss.is_some_and(|m| summary.means.get(m).copied().flatten().is_some())
}

/// The mean curve: each cluster weighs the same, each of its datasets and of their points the same.
fn pooled<'a>(
    groups: impl Iterator<Item = ((&'a str, usize), &'a ReliabilityGroup)> + Clone,
) -> Vec<CurveBin> {
    let mut clusters: BTreeMap<&str, BTreeMap<usize, usize>> = BTreeMap::new();
    for ((cluster, dataset), _) in groups.clone() {
        *clusters
            .entry(cluster)
            .or_default()
            .entry(dataset)
            .or_default() += 1;
    }
    let mut sums = [(0.0, 0.0, 0.0); BINS];
    for ((cluster, dataset), group) in groups {
        let total: f64 = group.bins.iter().map(|bin| bin.weight).sum();
        let related = clusters.get(cluster);
        let points = related
            .and_then(|own| own.get(&dataset))
            .copied()
            .unwrap_or(1);
        let times = points * related.map_or(1, BTreeMap::len) * clusters.len();
        if total <= 0.0 {
            continue;
        }
        for bin in &group.bins {
            let at = usize::try_from(bin.bin).unwrap_or(0);
            if let Some(sum) = at.checked_sub(1).and_then(|at| sums.get_mut(at)) {
                let share = bin.weight / total / times as f64;
                sum.0 += share;
                sum.1 += share * bin.predicted;
                sum.2 += share * bin.observed;
            }
        }
    }
    let full = sums.into_iter().filter(|(share, _, _)| *share > 0.0);
    full.map(|(share, predicted, observed)| CurveBin {
        share,
        predicted: predicted / share,
        observed: observed / share,
    })
    .collect()
}

/// The median; of two middle values their mean.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

fn row(
    data: &Data,
    points: &[usize],
    (scope, model, correction): (Scope, usize, usize),
) -> Option<CalibrationRow> {
    let metric = |id: &str| data.metric(id);
    let log_loss = metric("log_loss_raw")?;
    let at = |point: usize, metric: Option<usize>| {
        let summary = data.cube.get(model, point, correction)?;
        summary.means.get(metric?).copied().flatten()
    };
    // Points with probabilities, by dataset.
    let mut cells = Cells::new();
    for &point in points {
        if at(point, Some(log_loss)).is_some() {
            let dataset = data.points.get(point)?.dataset;
            cells.entry(dataset).or_default().push((model, point));
        }
    }
    if cells.is_empty() {
        return None;
    }
    let values = |id: &str| -> Vec<f64> {
        let metric = metric(id);
        let by_cluster = data.by_cluster(&cells, &|(_, point)| at(point, metric));
        by_cluster.into_values().collect()
    };
    let average = |id: &str| mean(values(id).into_iter());
    let intercepts = values("calibration_intercept_raw");
    let moved = cells.values().flatten().any(|&(_, point)| {
        let before = at(point, Some(log_loss));
        let after = at(point, metric("log_loss"));
        matches!((before, after), (Some(before), Some(after))
            if (before - after).abs() > SAME * before.abs().max(1.0))
    });
    let corrected = |value: Option<f64>| value.filter(|_| moved);
    Some(CalibrationRow {
        scope,
        model,
        correction,
        n_datasets: cells.len(),
        n_binary: intercepts.len(),
        balanced_error: average("balanced_error"),
        log_loss: average("log_loss_raw"),
        ece: average("ece_raw"),
        brier_reliability: average("brier_reliability_raw"),
        intercept: median(intercepts),
        slope: median(values("calibration_slope_raw")),
        corrected_log_loss: corrected(average("log_loss")),
        corrected_ece: corrected(average("ece")),
        corrected_intercept: corrected(median(values("calibration_intercept"))),
    })
}

/// Means over the datasets of the model's common ranking, so that no correction is judged on easier
/// ones; a correction without probabilities on one of them has no place.
fn front(data: &Data, comparison: &Comparison) -> Option<Front> {
    let log_loss = data.metric("log_loss_raw")?;
    let model = comparison.model();
    let mut cells = Cells::new();
    for point in data.points_of(data.question()) {
        let own = data.points.get(point).map(|point| point.dataset);
        if let Some(dataset) = own.filter(|d| comparison.datasets.contains(d)) {
            cells.entry(dataset).or_default().push((model, point));
        }
    }
    let mut points: Vec<FrontPoint> = Vec::new();
    let mut ranked: Vec<usize> = comparison.ranked.iter().map(|r| r.correction).collect();
    ranked.sort_unstable();
    for correction in ranked {
        let both = |(_, point): (usize, usize)| {
            let summary = data.cube.get(model, point, correction)?;
            Some((
                summary.means.get(log_loss).copied().flatten()?,
                summary.value()?,
            ))
        };
        let all = cells.values().flatten();
        let gap = |cell: &&(usize, usize)| {
            let value = data.cube.value(model, cell.1, correction);
            value.is_some() && both(**cell).is_none()
        };
        let over = |get: fn((f64, f64)) -> f64| {
            mean(
                data.by_cluster(&cells, &|cell| both(cell).map(get))
                    .into_values(),
            )
        };
        let (Some(log_loss), Some(balanced_error), None) =
            (over(|v| v.0), over(|v| v.1), { all }.find(gap))
        else {
            continue;
        };
        let near = |a: f64, b: f64| (a - b).abs() <= SAME;
        let twin =
            |p: &FrontPoint| near(p.log_loss, log_loss) && near(p.balanced_error, balanced_error);
        if !points.iter().any(twin) {
            points.push(FrontPoint {
                correction,
                log_loss,
                balanced_error,
                front: false,
            });
        }
    }
    let values: Vec<(f64, f64)> = points
        .iter()
        .map(|p| (p.log_loss, p.balanced_error))
        .collect();
    for point in &mut points {
        point.front = !values.iter().any(|&(log_loss, error)| {
            // Sums over the same rows in another order are the same value.
            let no_worse =
                log_loss <= point.log_loss + SAME && error <= point.balanced_error + SAME;
            no_worse && (log_loss < point.log_loss - SAME || error < point.balanced_error - SAME)
        });
    }
    (points.len() > 1).then_some(Front {
        model,
        n_datasets: comparison.datasets.len(),
        points,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_store::ReliabilityBin;

    fn group(bins: &[(u64, f64, f64, f64)]) -> ReliabilityGroup {
        ReliabilityGroup {
            dataset: "d".into(),
            profile: "natural".into(),
            requested_ratio: None,
            model: "m".into(),
            correction: "c".into(),
            corrected: false,
            n_classes: 2,
            cells: 1,
            bins: bins
                .iter()
                .map(|&(bin, weight, predicted, observed)| ReliabilityBin {
                    bin,
                    weight,
                    predicted,
                    observed,
                })
                .collect(),
        }
    }

    #[test]
    fn datasets_weigh_the_same_in_a_curve_whatever_their_rows_and_points() {
        // A large dataset at two ratios and a small one: half and half in the bin that they share.
        let large = group(&[(1, 900.0, 0.02, 0.01), (15, 100.0, 0.99, 0.8)]);
        let small = group(&[(1, 10.0, 0.06, 0.05)]);
        let curve =
            pooled([(("a", 0), &large), (("a", 0), &large), (("b", 1), &small)].into_iter());
        assert_eq!(curve.len(), 2);
        let share: f64 = curve.iter().map(|bin| bin.share).sum();
        assert!((share - 1.0).abs() < 1e-12);
        assert!((curve[0].share - (0.45 + 0.5)).abs() < 1e-12);
        let predicted = (0.45 * 0.02 + 0.5 * 0.06) / 0.95;
        assert!((curve[0].predicted - predicted).abs() < 1e-12);
        assert!((curve[1].observed - 0.8).abs() < 1e-12);
    }

    #[test]
    fn medians() {
        assert_eq!(median(Vec::new()), None);
        assert_eq!(median(vec![3.0, -700.0, 1.0]), Some(1.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 1000.0]), Some(3.0));
    }
}
