//! Corrections of one model compared over datasets: ranks, pairs, differences to no correction, and
//! what the gain costs in other metrics.
//!
//! Two sets of datasets are at work, and every number says which:
//!
//! - Ranks and pairs use the **intersection**: the points for which every ranked correction has a
//!   value. One correction that exists for few datasets (a threshold rule on two-class data) would
//!   take most datasets away from all others, so the least covered correction is left out of the
//!   common ranking, one after another, until the intersection holds at least 80 % of the
//!   datasets that the best covered one has. Who was left out is listed.
//! - Differences to no correction are **paired**: each correction on all points that it shares with
//!   the baseline. These do not move when another correction joins the sweep.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_stats::{
    BlockDesign, CompleteTable, Dataset, MethodGroup, PairwiseOptions, RankTable, StatsError,
    TieCorrection, comparison_matrix, friedman, group_duplicates, iman_davenport,
};
use rayon::prelude::*;

use super::cover::{Cover, Unranked};
use super::paired::{self, Against, Price, too_few};
use super::robust::Robustness;
use super::{Data, Scope, mean};
use crate::error::{ReportError, Result};

/// Means over the same folds, added in another order, differ in the last bits: what lies within this
/// is a tie.
pub(super) const RESOLUTION: f64 = 1e-12;

/// Datasets on which two corrections have to agree before they count as one: on fewer they may agree
/// by chance.
pub(super) const ALIKE_ON: usize = 5;

/// A correction in the common ranking of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Index of the correction.
    pub correction: usize,
    /// The correction with which it agrees on every dataset, where that one stands for both: they
    /// have one rank and count once.
    pub same_as: Option<usize>,
    /// Mean rank over the datasets of the intersection, 1 being best.
    pub mean_rank: f64,
    /// Mean of the target over the same datasets.
    pub mean_value: f64,
    /// Balanced error from predictions pooled over the folds of a repeat, where it is the target.
    pub mean_pooled: Option<f64>,
    /// Share of the datasets on which it is best, ties divided.
    pub share_of_first: f64,
    /// Whether no test tells it from the best-ranked one (true for the best itself). `None` without
    /// a test.
    pub among_best: Option<bool>,
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
    /// What the order of the common ranking hangs on; over all points only.
    pub robustness: Option<Robustness>,
    /// Each correction against the baseline, in order of the mean difference, largest gain first.
    pub against: Vec<Against>,
    /// What each correction pays, in the order of the corrections.
    pub prices: Vec<Price>,
}

/// One comparison a model, over what the question is about ([`Data::question`]).
pub(super) fn overall(data: &Data) -> Result<Vec<Comparison>> {
    let models: Vec<usize> = (0..data.models.len()).collect();
    let compared = models.par_iter();
    compared
        .map(|&model| Comparison::new(data, model, data.question(), &[]))
        .collect()
}

/// Comparisons within populations and within bands of the ratio.
pub(super) fn scoped(data: &Data, overall: &[Comparison]) -> Result<Vec<Comparison>> {
    let scopes = std::iter::once(Scope::Synthetic).chain(Scope::BANDS);
    // A scope that holds every point would only repeat the overall comparison.
    let all = data.points_of(data.question());
    let part = |scope: &Scope| {
        let points = data.points_of(*scope);
        !points.is_empty() && points != all
    };
    let wanted: Vec<(Scope, &Comparison)> = scopes
        .filter(part)
        .flat_map(|scope| overall.iter().map(move |comparison| (scope, comparison)))
        .collect();
    let mut found: Vec<Comparison> = wanted
        .par_iter()
        .map(|(scope, all)| Comparison::new(data, all.model, *scope, &all.twins()))
        .collect::<Result<_>>()?;
    found.retain(|comparison| !comparison.ranked.is_empty());
    Ok(found)
}

impl Comparison {
    /// The best-ranked correction.
    pub fn best(&self) -> Option<&Ranked> {
        self.ranked.first()
    }

    /// How many corrections the common ranking counts: those that agree everywhere count once.
    pub fn n_counted(&self) -> usize {
        self.ranked
            .iter()
            .filter(|ranked| ranked.same_as.is_none())
            .count()
    }

    /// Groups of corrections that agree on every dataset.
    pub fn twins(&self) -> Vec<Vec<usize>> {
        let heads = self.ranked.iter().filter(|ranked| ranked.same_as.is_none());
        heads
            .map(|head| {
                let same = |r: &&Ranked| r.same_as == Some(head.correction);
                let others = self
                    .ranked
                    .iter()
                    .filter(same)
                    .map(|ranked| ranked.correction);
                std::iter::once(head.correction).chain(others).collect()
            })
            .filter(|group: &Vec<usize>| group.len() > 1)
            .collect()
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

    /// `twins` are groups of corrections that count once; over all points they are found instead.
    fn new(data: &Data, model: usize, scope: Scope, twins: &[Vec<usize>]) -> Result<Self> {
        let cover = Cover::new(data, model, scope);
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
            robustness: None,
            against: Vec::new(),
            prices: Vec::new(),
        };
        comparison.rank(data, &cover, twins)?;
        if let Some(baseline) = data.baseline {
            let what = comparison.what(data);
            (comparison.against, comparison.prices) =
                paired::compare(data, &cover, baseline, scope == data.question())
                    .map_err(|source| ReportError::Stats { what, source })?;
        }
        Ok(comparison)
    }

    fn what(&self, data: &Data) -> String {
        format!("model `{}`, {}", data.model(self.model), self.scope.label())
    }

    fn rank(&mut self, data: &Data, cover: &Cover<'_>, twins: &[Vec<usize>]) -> Result<()> {
        let (kept, dropped) = cover.intersection(data.baseline);
        self.unranked = dropped;
        if kept.is_empty() {
            return Ok(());
        }
        let points = cover.shared_points(&kept);
        self.n_points = points.values().map(Vec::len).sum();
        self.datasets = points.keys().copied().collect();
        let what = self.what(data);
        let error = |source| ReportError::Stats {
            what: what.clone(),
            source,
        };
        let columns = Columns {
            data,
            kept: &kept,
            points: &points,
        };
        let Some(errors) = columns
            .table(|point, c| cover.value(point, c))
            .map_err(error)?
        else {
            return Ok(());
        };
        let pooled = columns
            .table(|point, c| data.cube.get(self.model, point, c)?.pooled)
            .map_err(error)?
            .map(|table| table.means());
        let means = errors.means();
        let rounded = errors.rounded(RESOLUTION).map_err(error)?;
        // Two names of one rule count once, so that no rank is pushed apart and no test is paid for
        // a pair that cannot differ.
        let declared: Vec<Vec<String>> = twins
            .iter()
            .map(|group| {
                let here = group.iter().filter(|c| kept.contains(c));
                here.map(|&c| data.correction(c).to_owned()).collect()
            })
            .collect();
        // Within a scope nothing new is found: who agrees there by chance still counts.
        let alike_on = if self.scope == data.question() {
            ALIKE_ON
        } else {
            usize::MAX
        };
        let groups = group_duplicates(&rounded.to_scores(), &declared, alike_on).map_err(error)?;
        let counted = rounded
            .select_methods(&groups.representatives())
            .map_err(error)?;
        let ranks = RankTable::new(&counted).map_err(error)?;
        self.n_clusters = counted
            .cluster_ids()
            .into_iter()
            .collect::<BTreeSet<_>>()
            .len();
        if self.scope == data.question() {
            let corrections: Vec<usize> = groups
                .representatives()
                .iter()
                .map(|&place| index_at(&kept, place))
                .collect();
            self.robustness =
                Some(Robustness::new(cover, &counted, &corrections, data.baseline).map_err(error)?);
        }
        let tests = match BlockDesign::try_from(counted) {
            Ok(design) if self.n_clusters >= 2 => Some(Tests::new(&design).map_err(error)?),
            _ => None,
        };
        let (mean_ranks, shares) = (ranks.means(), ranks.shares_of_first());
        // Ties in the mean rank are broken by the mean, then by plan order.
        let cost = |place: usize| data.target.cost(at(&means, place));
        let mut order: Vec<(usize, &MethodGroup)> = groups.groups().iter().enumerate().collect();
        order.sort_by(|a, b| {
            at(&mean_ranks, a.0)
                .total_cmp(&at(&mean_ranks, b.0))
                .then(cost(a.1.representative).total_cmp(&cost(b.1.representative)))
                .then(a.0.cmp(&b.0))
        });
        let best = order.first().map_or(0, |(place, _)| *place);
        self.underpowered = tests.as_ref().is_none_or(|tests| tests.underpowered);
        for &(place, group) in &order {
            for &member in &group.members {
                let twin =
                    (member != group.representative).then(|| index_at(&kept, group.representative));
                self.ranked.push(Ranked {
                    correction: index_at(&kept, member),
                    same_as: twin,
                    mean_rank: at(&mean_ranks, place),
                    mean_value: at(&means, member),
                    mean_pooled: pooled.as_ref().map(|pooled| at(pooled, member)),
                    share_of_first: at(&shares, place),
                    among_best: tests.as_ref().map(|tests| {
                        place == best
                            || tests
                                .rows
                                .iter()
                                .any(|r| r.joins(best, place) && !r.differs)
                    }),
                });
            }
        }
        if let Some(tests) = tests {
            let correction = |place: usize| {
                let group = groups.groups().get(place);
                index_at(&kept, group.map_or(0, |group| group.representative))
            };
            let position = |place: usize| order.iter().position(|(p, _)| *p == place).unwrap_or(0);
            let mut rows: Vec<PairRow> = tests
                .rows
                .into_iter()
                .filter(|row| position(row.a) < position(row.b))
                .collect();
            rows.sort_by_key(|row| (position(row.a), position(row.b)));
            self.pairs = rows
                .into_iter()
                .map(|row| PairRow {
                    a: correction(row.a),
                    b: correction(row.b),
                    ..row
                })
                .collect();
            self.omnibus = tests.omnibus;
            self.cliques = tests
                .cliques
                .iter()
                .map(|clique| clique.iter().map(|&place| correction(place)).collect())
                .collect();
        }
        Ok(())
    }
}

/// The values of some corrections over some datasets, each the mean over the dataset's points.
struct Columns<'a> {
    data: &'a Data,
    kept: &'a [usize],
    points: &'a BTreeMap<usize, Vec<usize>>,
}

impl Columns<'_> {
    /// The table of what `read` gives; `None` when it lacks a value somewhere.
    fn table(
        &self,
        read: impl Fn(usize, usize) -> Option<f64>,
    ) -> counterweight_stats::Result<Option<CompleteTable>> {
        let mut values = Vec::with_capacity(self.points.len() * self.kept.len());
        for points in self.points.values() {
            for &correction in self.kept {
                let present: Vec<f64> = points
                    .iter()
                    .filter_map(|&point| read(point, correction))
                    .collect();
                let Some(value) = mean(present.iter().copied()) else {
                    return Ok(None);
                };
                if present.len() < points.len() {
                    return Ok(None);
                }
                values.push(value);
            }
        }
        let datasets = self
            .points
            .keys()
            .filter_map(|&d| self.data.datasets.get(d));
        let datasets = datasets
            .map(|d| Dataset {
                name: d.id.clone(),
                cluster: d.cluster.clone(),
            })
            .collect();
        let methods = self
            .kept
            .iter()
            .map(|&c| self.data.correction(c).to_owned())
            .collect();
        CompleteTable::new(self.data.target.direction(), datasets, methods, values).map(Some)
    }
}

fn at(values: &[f64], place: usize) -> f64 {
    values.get(place).copied().unwrap_or(0.0)
}

fn index_at(values: &[usize], place: usize) -> usize {
    values.get(place).copied().unwrap_or(0)
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
