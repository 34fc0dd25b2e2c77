//! Corrections of one model compared over datasets: ranks, pairs, differences to no correction, and
//! what the gain in balanced error costs in other metrics.
//!
//! Two sets of datasets are at work, and every number says which:
//!
//! - Ranks and pairs use the **intersection**: the points for which every ranked correction has a
//!   value. One correction that exists for few datasets (a threshold rule on two-class data) would
//!   take most datasets away from all others, so the least covered correction is left out of the
//!   common ranking, one after another, until the intersection holds at least [`KEEP`] of the
//!   datasets that the best covered one has. Who was left out is listed.
//! - Differences to no correction are **paired**: each correction on all points that it shares with
//!   the baseline. These do not move when another correction joins the sweep.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_stats::{
    BlockDesign, BootstrapOptions, CompleteTable, Dataset, Direction, Interval, Level,
    PairedDifferences, PairwiseOptions, PowerOptions, RankTable, StatsError, TieCorrection,
    bootstrap_mean, comparison_matrix, friedman, holm, iman_davenport, minimum_detectable_effect,
    wilcoxon,
};

use super::{Analysis, Scope, mean};
use crate::error::{ReportError, Result};

/// Half a point of balanced error: less is no difference that anyone would act on.
pub const HALF_A_POINT: f64 = 0.005;

/// Share of the best covered correction's datasets that the common ranking keeps.
const KEEP: f64 = 0.8;

/// Means over the same folds, added in another order, differ in the last bits: what lies within this
/// is a tie.
const RESOLUTION: f64 = 1e-12;

/// A correction in the common ranking of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Index of the correction.
    pub correction: usize,
    /// Mean rank over the datasets of the intersection, 1 being best.
    pub mean_rank: f64,
    /// Mean balanced error over the same datasets.
    pub mean_balanced_error: f64,
    /// The same from predictions pooled over the folds of a repeat.
    pub mean_pooled: Option<f64>,
    /// Share of the datasets on which it is best, ties divided.
    pub share_of_first: f64,
    /// Whether no test tells it from the best-ranked one (true for the best itself). `None` without
    /// a test.
    pub among_best: Option<bool>,
}

/// A correction outside the common ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unranked {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets for which it has a value in this scope.
    pub n_datasets: usize,
}

/// Two corrections of the common ranking, the better ranked first.
#[derive(Debug, Clone, PartialEq)]
pub struct PairRow {
    /// Index of the better ranked correction.
    pub a: usize,
    /// Index of the other.
    pub b: usize,
    /// Mean of a - b over datasets.
    pub mean_difference: f64,
    /// Datasets on which `a` is better.
    pub wins: usize,
    /// Datasets on which they are equal.
    pub ties: usize,
    /// Datasets on which `b` is better.
    pub losses: usize,
    /// Wilcoxon's p value over clusters.
    pub p_raw: f64,
    /// The same after Holm's correction over all pairs of the model.
    pub p_holm: f64,
    /// Whether the corrected p value is at most .05.
    pub differs: bool,
}

/// The tests of "all corrections are the same", over clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct Omnibus {
    /// Friedman's chi-squared, corrected for ties.
    pub chi_squared: f64,
    /// Its degrees of freedom.
    pub df: usize,
    /// Its p value.
    pub p_friedman: f64,
    /// F of Iman and Davenport; `None` when all clusters agree.
    pub f: Option<f64>,
    /// Its p value.
    pub p_iman_davenport: f64,
    /// Clusters.
    pub n_clusters: usize,
}

/// What a comparison with no correction comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Lower balanced error: the test and the interval agree.
    Lowers,
    /// Higher balanced error: the test and the interval agree.
    Raises,
    /// The interval lies within half a point of zero.
    Equivalent,
    /// The same value on every dataset.
    Identical,
    /// Neither a difference nor equivalence is shown.
    Unclear,
    /// Fewer than five independent clusters: no interval.
    TooFew,
}

/// A correction against the baseline, paired.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets that both have a value for.
    pub n_datasets: usize,
    /// Independent clusters among them.
    pub n_clusters: usize,
    /// Mean over datasets of correction - baseline.
    pub mean_difference: f64,
    /// Its 95 % interval by a bootstrap over clusters; `None` with fewer than five.
    pub interval: Option<Interval>,
    /// Wilcoxon's p value over clusters.
    pub p_raw: f64,
    /// The same after Holm's correction over the corrections of the model.
    pub p_holm: f64,
    /// Datasets on which the correction is better.
    pub wins: usize,
    /// Datasets on which both are equal.
    pub ties: usize,
    /// Datasets on which the baseline is better.
    pub losses: usize,
    /// The difference that these clusters would have shown with a power of 80 %.
    pub detectable: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a correction does to every metric, paired with the baseline over the same datasets.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// Index of the correction.
    pub correction: usize,
    /// Datasets shared with the baseline.
    pub n_datasets: usize,
    /// Mean of each metric over those datasets, in the order of the analysis' metrics.
    pub means: Vec<Option<f64>>,
    /// Mean difference to the baseline; zero for the baseline itself.
    pub differences: Vec<Option<f64>>,
}

/// The corrections of one model within one scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Index of the model.
    pub model: usize,
    /// Which points.
    pub scope: Scope,
    /// The common ranking, best first.
    pub ranked: Vec<Ranked>,
    /// Corrections with values that are outside it, best covered first.
    pub unranked: Vec<Unranked>,
    /// Corrections without any value in this scope.
    pub valueless: Vec<usize>,
    /// Datasets of the common ranking.
    pub datasets: Vec<usize>,
    /// Independent clusters among them.
    pub n_clusters: usize,
    /// Points (dataset, profile, ratio) behind them.
    pub n_points: usize,
    /// Datasets for which some correction of the model has a value.
    pub n_datasets_any: usize,
    /// Whether all corrections are the same.
    pub omnibus: Option<Omnibus>,
    /// All pairs of the common ranking.
    pub pairs: Vec<PairRow>,
    /// Maximal groups of corrections that no test tells apart.
    pub cliques: Vec<Vec<usize>>,
    /// Whether no pair could have differed, whatever the values.
    pub underpowered: bool,
    /// Each correction against the baseline, in order of the mean difference.
    pub against: Vec<Against>,
    /// What each correction pays, in the order of the corrections.
    pub prices: Vec<Price>,
}

impl Comparison {
    /// The best-ranked correction.
    pub fn best(&self) -> Option<&Ranked> {
        self.ranked.first()
    }

    /// A correction's place in the common ranking.
    pub fn rank_of(&self, correction: usize) -> Option<&Ranked> {
        self.ranked
            .iter()
            .find(|ranked| ranked.correction == correction)
    }

    /// A correction against the baseline.
    pub fn against(&self, correction: usize) -> Option<&Against> {
        self.against
            .iter()
            .find(|against| against.correction == correction)
    }

    /// What a correction pays.
    pub fn price(&self, correction: usize) -> Option<&Price> {
        self.prices
            .iter()
            .find(|price| price.correction == correction)
    }

    pub(super) fn new(analysis: &Analysis, model: usize, scope: Scope) -> Result<Self> {
        let cover = Cover::new(analysis, model, scope);
        let mut comparison = Self {
            model,
            scope,
            ranked: Vec::new(),
            unranked: Vec::new(),
            valueless: cover.valueless.clone(),
            datasets: Vec::new(),
            n_clusters: 0,
            n_points: 0,
            n_datasets_any: cover.n_datasets_any(),
            omnibus: None,
            pairs: Vec::new(),
            cliques: Vec::new(),
            underpowered: false,
            against: Vec::new(),
            prices: Vec::new(),
        };
        comparison.rank(analysis, &cover)?;
        comparison.compare_with_baseline(analysis, &cover)?;
        Ok(comparison)
    }

    fn what(&self, analysis: &Analysis) -> String {
        format!(
            "model `{}`, {}",
            analysis.model(self.model),
            self.scope.label()
        )
    }

    fn rank(&mut self, analysis: &Analysis, cover: &Cover<'_>) -> Result<()> {
        let (kept, dropped) = cover.intersection(analysis.baseline);
        self.unranked = dropped;
        if kept.is_empty() {
            return Ok(());
        }
        let points = cover.shared_points(&kept);
        self.n_points = points.values().map(Vec::len).sum();
        self.datasets = points.keys().copied().collect();
        let error = |source| ReportError::Stats {
            what: self.what(analysis),
            source,
        };
        let values = |read: &dyn Fn(usize, usize) -> Option<f64>| -> Option<Vec<f64>> {
            let mut values = Vec::with_capacity(points.len() * kept.len());
            for points in points.values() {
                for &correction in &kept {
                    let of = |&point: &usize| read(point, correction);
                    let present: Vec<f64> = points.iter().filter_map(of).collect();
                    if present.len() < points.len() {
                        return None;
                    }
                    values.push(mean(present.into_iter())?);
                }
            }
            Some(values)
        };
        let table = |values: Vec<f64>| {
            let datasets = self
                .datasets
                .iter()
                .filter_map(|&d| analysis.datasets.get(d));
            let datasets = datasets
                .map(|d| Dataset {
                    name: d.id.clone(),
                    cluster: d.cluster.clone(),
                })
                .collect();
            let methods = kept
                .iter()
                .map(|&c| analysis.correction(c).to_owned())
                .collect();
            CompleteTable::new(Direction::LowerIsBetter, datasets, methods, values)
        };
        let read = |point, correction| cover.value(point, correction);
        let Some(errors) = values(&read) else {
            return Ok(());
        };
        let table_of_errors = table(errors).map_err(error)?;
        let means = table_of_errors.means();
        let rounded = table_of_errors.rounded(RESOLUTION).map_err(error)?;
        let ranks = RankTable::new(&rounded).map_err(error)?;
        let read = |point, correction| analysis.cube.get(self.model, point, correction)?.pooled;
        let pooled = match values(&read) {
            Some(values) => Some(table(values).map_err(error)?.means()),
            None => None,
        };
        let ids: BTreeSet<usize> = rounded.cluster_ids().into_iter().collect();
        let tests = match BlockDesign::try_from(rounded) {
            Ok(design) if ids.len() >= 2 => Some(Tests::new(&design).map_err(error)?),
            _ => None,
        };
        let (mean_ranks, shares) = (ranks.means(), ranks.shares_of_first());
        // Ties in the mean rank are broken by the mean error, then by plan order.
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by(|&a, &b| {
            let key = |place: usize| (at(&mean_ranks, place), at(&means, place));
            let (left, right) = (key(a), key(b));
            left.0
                .total_cmp(&right.0)
                .then(left.1.total_cmp(&right.1))
                .then(a.cmp(&b))
        });
        let best = order.first().copied().unwrap_or(0);
        self.n_clusters = ids.len();
        self.underpowered = tests.as_ref().is_none_or(|tests| tests.underpowered);
        self.ranked = order
            .iter()
            .map(|&place| Ranked {
                correction: index_at(&kept, place),
                mean_rank: at(&mean_ranks, place),
                mean_balanced_error: at(&means, place),
                mean_pooled: pooled.as_ref().map(|pooled| at(pooled, place)),
                share_of_first: at(&shares, place),
                among_best: tests.as_ref().map(|tests| {
                    place == best
                        || tests
                            .rows
                            .iter()
                            .any(|r| r.joins(best, place) && !r.differs)
                }),
            })
            .collect();
        if let Some(tests) = tests {
            let position = |place: usize| order.iter().position(|&p| p == place).unwrap_or(0);
            self.pairs = tests
                .rows
                .iter()
                .filter(|row| position(row.a) < position(row.b))
                .map(|row| PairRow {
                    a: index_at(&kept, row.a),
                    b: index_at(&kept, row.b),
                    ..row.clone()
                })
                .collect();
            self.pairs.sort_by_key(|pair| {
                let place = |c: usize| self.ranked.iter().position(|r| r.correction == c);
                (place(pair.a), place(pair.b))
            });
            self.omnibus = tests.omnibus;
            self.cliques = tests
                .cliques
                .iter()
                .map(|clique| clique.iter().map(|&place| index_at(&kept, place)).collect())
                .collect();
        }
        Ok(())
    }

    fn compare_with_baseline(&mut self, analysis: &Analysis, cover: &Cover<'_>) -> Result<()> {
        let Some(baseline) = analysis.baseline else {
            return Ok(());
        };
        let what = self.what(analysis);
        let error = |source| ReportError::Stats {
            what: what.clone(),
            source,
        };
        let draws = if self.scope == Scope::All {
            9_999
        } else {
            1_999
        };
        let mut rows: Vec<Against> = Vec::new();
        for &correction in &cover.valued {
            let points = cover.shared_points(&[baseline, correction]);
            if points.is_empty() {
                continue;
            }
            self.prices
                .push(price(analysis, self.model, baseline, correction, &points));
            if correction == baseline {
                continue;
            }
            let differences: Vec<f64> = points
                .values()
                .filter_map(|points| {
                    mean(points.iter().filter_map(|&p| {
                        Some(cover.value(p, correction)? - cover.value(p, baseline)?)
                    }))
                })
                .collect();
            let clusters = cluster_numbers(analysis, points.keys().copied());
            let row = against(correction, differences, &clusters, draws).map_err(error)?;
            rows.push(row);
        }
        let raw: Vec<f64> = rows.iter().map(|row| row.p_raw).collect();
        if !raw.is_empty() {
            for (row, p_holm) in rows.iter_mut().zip(holm(&raw).map_err(error)?) {
                row.p_holm = p_holm;
                row.verdict = verdict(row);
            }
        }
        rows.sort_by(|a, b| {
            a.mean_difference
                .total_cmp(&b.mean_difference)
                .then(a.correction.cmp(&b.correction))
        });
        self.against = rows;
        Ok(())
    }
}

fn at(values: &[f64], place: usize) -> f64 {
    values.get(place).copied().unwrap_or(0.0)
}

fn index_at(values: &[usize], place: usize) -> usize {
    values.get(place).copied().unwrap_or(0)
}

/// Dense numbers of the clusters of some datasets, by first appearance.
pub(super) fn cluster_numbers(
    analysis: &Analysis,
    datasets: impl Iterator<Item = usize>,
) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    datasets
        .filter_map(|dataset| analysis.datasets.get(dataset))
        .map(|dataset| {
            let next = seen.len();
            *seen.entry(dataset.cluster.as_str()).or_insert(next)
        })
        .collect()
}

/// The mean of each cluster, by cluster number.
fn cluster_means(paired: &[f64], clusters: &[usize]) -> Vec<f64> {
    let mut groups: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (value, cluster) in paired.iter().zip(clusters) {
        groups.entry(*cluster).or_default().push(*value);
    }
    groups
        .into_values()
        .filter_map(|values| mean(values.into_iter()))
        .collect()
}

fn too_few<T>(result: counterweight_stats::Result<T>) -> counterweight_stats::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StatsError::TooFew { .. } | StatsError::Undefined { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

fn against(
    correction: usize,
    differences: Vec<f64>,
    clusters: &[usize],
    draws: usize,
) -> counterweight_stats::Result<Against> {
    let test = wilcoxon(
        &cluster_means(&differences, clusters),
        PairwiseOptions::default().test,
    )?;
    let paired = PairedDifferences::new(differences, clusters)?;
    let options = BootstrapOptions {
        draws,
        ..BootstrapOptions::default()
    };
    let interval = too_few(bootstrap_mean(&paired, options))?;
    let detectable = too_few(minimum_detectable_effect(&paired, PowerOptions::default()))?;
    let count = |keep: &dyn Fn(f64) -> bool| paired.values().iter().filter(|v| keep(**v)).count();
    Ok(Against {
        correction,
        n_datasets: paired.len(),
        n_clusters: paired.n_clusters(),
        mean_difference: paired.mean(),
        interval,
        p_raw: test.p_value,
        p_holm: 1.0,
        wins: count(&|v| v < -RESOLUTION / 2.0),
        ties: count(&|v| v.abs() <= RESOLUTION / 2.0),
        losses: count(&|v| v > RESOLUTION / 2.0),
        detectable: detectable.map(|detectable| detectable.effect),
        verdict: Verdict::Unclear,
    })
}

fn verdict(row: &Against) -> Verdict {
    if row.ties == row.n_datasets {
        return Verdict::Identical;
    }
    let Some(interval) = row.interval else {
        return Verdict::TooFew;
    };
    let differs = row.p_holm <= Level::FIVE_PERCENT.alpha();
    if differs && interval.upper < 0.0 {
        Verdict::Lowers
    } else if differs && interval.lower > 0.0 {
        Verdict::Raises
    } else if -HALF_A_POINT <= interval.lower && interval.upper <= HALF_A_POINT {
        Verdict::Equivalent
    } else {
        Verdict::Unclear
    }
}

fn price(
    analysis: &Analysis,
    model: usize,
    baseline: usize,
    correction: usize,
    points: &BTreeMap<usize, Vec<usize>>,
) -> Price {
    let n_metrics = analysis.metrics.len();
    let read = |correction: usize, point: usize, metric: usize| {
        analysis
            .cube
            .get(model, point, correction)?
            .means
            .get(metric)
            .copied()
            .flatten()
    };
    // A metric is compared over the points where both sides have it.
    let over = |metric: usize, value: &dyn Fn(f64, f64) -> f64| {
        mean(points.values().filter_map(|points| {
            mean(points.iter().filter_map(|&point| {
                let own = read(correction, point, metric)?;
                Some(value(own, read(baseline, point, metric)?))
            }))
        }))
    };
    Price {
        correction,
        n_datasets: points.len(),
        means: (0..n_metrics)
            .map(|metric| over(metric, &|own, _| own))
            .collect(),
        differences: (0..n_metrics)
            .map(|metric| over(metric, &|own, base| own - base))
            .collect(),
    }
}

/// Which correction of a model has values for which points.
struct Cover<'a> {
    analysis: &'a Analysis,
    model: usize,
    points: Vec<usize>,
    /// Corrections with at least one value, in order.
    valued: Vec<usize>,
    /// Corrections with cells and no value.
    valueless: Vec<usize>,
}

impl<'a> Cover<'a> {
    fn new(analysis: &'a Analysis, model: usize, scope: Scope) -> Self {
        let points = analysis.points_of(scope);
        let (mut valued, mut valueless) = (Vec::new(), Vec::new());
        for correction in 0..analysis.corrections.len() {
            let mut cells = points
                .iter()
                .filter_map(|&point| analysis.cube.get(model, point, correction))
                .peekable();
            if cells.peek().is_none() {
                continue;
            }
            if cells.any(|summary| summary.balanced_error().is_some()) {
                valued.push(correction);
            } else {
                valueless.push(correction);
            }
        }
        Self {
            analysis,
            model,
            points,
            valued,
            valueless,
        }
    }

    fn value(&self, point: usize, correction: usize) -> Option<f64> {
        self.analysis
            .cube
            .balanced_error(self.model, point, correction)
    }

    /// The points for which all of `corrections` have a value, by dataset.
    fn shared_points(&self, corrections: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let mut shared: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &point in &self.points {
            if corrections.iter().all(|&c| self.value(point, c).is_some())
                && let Some(dataset) = self.analysis.points.get(point).map(|point| point.dataset)
            {
                shared.entry(dataset).or_default().push(point);
            }
        }
        shared
    }

    fn n_datasets_any(&self) -> usize {
        let any = |&&point: &&usize| self.valued.iter().any(|&c| self.value(point, c).is_some());
        let datasets: BTreeSet<usize> = self
            .points
            .iter()
            .filter(any)
            .filter_map(|&point| self.analysis.points.get(point))
            .map(|point| point.dataset)
            .collect();
        datasets.len()
    }

    /// The corrections of the common ranking and those left out of it (see the module).
    fn intersection(&self, baseline: Option<usize>) -> (Vec<usize>, Vec<Unranked>) {
        let cover: BTreeMap<usize, usize> = self
            .valued
            .iter()
            .map(|&c| (c, self.shared_points(&[c]).len()))
            .collect();
        let most = cover.values().copied().max().unwrap_or(0);
        let covered = |c: usize| cover.get(&c).copied().unwrap_or(0);
        let mut kept = self.valued.clone();
        let mut dropped = Vec::new();
        while kept.len() > 1 && (self.shared_points(&kept).len() as f64) < KEEP * most as f64 {
            // The baseline stays as long as anything else can go: without it no rank has a meaning.
            let candidates = kept.iter().copied().filter(|&c| Some(c) != baseline);
            let Some(least) = candidates.rev().min_by_key(|&c| covered(c)) else {
                break;
            };
            kept.retain(|&c| c != least);
            dropped.push(Unranked {
                correction: least,
                n_datasets: covered(least),
            });
        }
        dropped.sort_by(|a, b| {
            b.n_datasets
                .cmp(&a.n_datasets)
                .then(a.correction.cmp(&b.correction))
        });
        (kept, dropped)
    }
}

/// The tests of one design, with places in its table for indices.
struct Tests {
    omnibus: Option<Omnibus>,
    rows: Vec<PairRow>,
    cliques: Vec<Vec<usize>>,
    underpowered: bool,
}

impl PairRow {
    fn joins(&self, a: usize, b: usize) -> bool {
        (self.a, self.b) == (a, b) || (self.a, self.b) == (b, a)
    }
}

impl Tests {
    fn new(design: &BlockDesign) -> counterweight_stats::Result<Self> {
        let clustered = BlockDesign::try_from(design.table().by_cluster()?)?;
        let omnibus = too_few(friedman(&clustered, TieCorrection::Corrected))?.map(|test| {
            let f = iman_davenport(&test);
            Omnibus {
                chi_squared: test.statistic,
                df: test.df,
                p_friedman: test.p_value,
                f: f.statistic,
                p_iman_davenport: f.p_value,
                n_clusters: test.n_datasets,
            }
        });
        let matrix = comparison_matrix(design, PairwiseOptions::default())?;
        let rows = matrix
            .cells()
            .iter()
            .map(|cell| PairRow {
                a: cell.row,
                b: cell.column,
                mean_difference: cell.mean_difference,
                wins: cell.wins,
                ties: cell.ties,
                losses: cell.losses,
                p_raw: cell.p_raw,
                p_holm: cell.p_adjusted,
                differs: cell.differs,
            })
            .collect();
        // Too many cliques to draw are also too many to read: the pairs still say everything.
        let cliques = match matrix.pairwise().cliques() {
            Ok(cliques) => cliques,
            Err(StatsError::TooManyCliques { .. }) => Vec::new(),
            Err(other) => return Err(other),
        };
        Ok(Self {
            omnibus,
            rows,
            cliques,
            underpowered: matrix.pairwise().underpowered(),
        })
    }
}
