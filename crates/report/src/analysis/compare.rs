//! Corrections of one model, or of all together, compared over clusters of related datasets: ranks,
//! differences to no correction, the best of many, and what the gain costs in other metrics.
//!
//! Two sets of datasets are at work, and every number says which:
//!
//! - Ranks and the contest use the **intersection**: the points for which every ranked correction has a
//!   value. One correction that exists for few datasets (a threshold rule on two-class data) would
//!   take most datasets away from all others, so the least covered correction is left out of the
//!   common ranking, one after another, until the intersection holds at least 80 % of the
//!   datasets that the best covered one has. Who was left out is listed.
//! - Differences to no correction are **paired**: each correction on all points that it shares with
//!   the baseline. These do not move when another correction joins the sweep.

use counterweight_stats::{
    BlockDesign, CompleteTable, Dataset, MethodGroup, RankTable, TieCorrection, friedman,
    group_duplicates, iman_davenport,
};
use rayon::prelude::*;

use super::contest::Contest;
use super::cover::{Cell, Cells, Cover, Unranked};
use super::paired::{self, Against, Price, too_few};
use super::{Data, Scope, mean};
use crate::error::{ReportError, Result};

/// Means over the same folds, added in another order, differ in the last bits: what lies within this
/// is a tie.
pub(super) const RESOLUTION: f64 = 1e-12;

/// Datasets on which two corrections have to agree before they count as one: on fewer they may agree
/// by chance.
pub(super) const ALIKE_ON: usize = 5;

/// A correction in the common ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Index of the correction.
    pub correction: usize,
    /// The correction with which it agrees on every dataset, where that one stands for both: they
    /// have one rank and count once.
    pub same_as: Option<usize>,
    /// Mean rank over the clusters of the intersection, 1 being best.
    pub mean_rank: f64,
    /// Mean of the target over the same clusters.
    pub mean_value: f64,
    /// Balanced error from predictions pooled over the folds of a repeat, where it is the target.
    pub mean_pooled: Option<f64>,
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

/// The corrections of one model, or of several together, within one scope.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Indices of the models; with several, a dataset's value is the mean over them.
    pub models: Vec<usize>,
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
    /// Datasets for which some correction of the model has a value.
    pub n_datasets_any: usize,
    /// Whether all corrections are the same.
    pub omnibus: Option<Omnibus>,
    /// The distinct corrections of the ranking as rivals.
    pub contest: Option<Contest>,
    /// Each correction against the baseline, largest gain first.
    pub against: Vec<Against>,
    /// What each correction pays, in the order of the corrections.
    pub prices: Vec<Price>,
}

/// One comparison a model, over what the question is about ([`Data::question`]), and the size of the one
/// family of tests.
pub(super) fn overall(data: &Data) -> Result<(Vec<Comparison>, usize)> {
    let models: Vec<usize> = (0..data.models.len()).collect();
    let compared = models.par_iter();
    let mut found: Vec<Comparison> = compared
        .map(|&model| Comparison::new(data, &[model], data.question(), &[]))
        .collect::<Result<_>>()?;
    // Fixed parameters beside chosen ones are no part of the question.
    let fixed = |c: &Comparison| {
        data.models
            .get(c.model())
            .is_some_and(|m| m.chosen_by.is_some())
    };
    let counted = found.iter_mut().filter(|c| !fixed(c));
    let family = paired::family(counted.collect()).map_err(|source| ReportError::Stats {
        what: "the comparisons with no correction".to_owned(),
        source,
    })?;
    Ok((found, family))
}

/// The distinct models together; those that give votes only take no part beside others, since no decision
/// applies to them.
pub(super) fn pooled(data: &Data) -> Result<Comparison> {
    let distinct = || (0..data.models.len()).filter(|&m| data.same_model(m).is_none());
    let votes = |m: &usize| data.models.get(*m).is_some_and(|model| model.votes_only);
    let mut models: Vec<usize> = distinct().filter(|m| !votes(m)).collect();
    if models.is_empty() {
        models = distinct().collect();
    }
    Comparison::new(data, &models, data.question(), &[])
}

/// Comparisons within populations and within bands of the ratio, of each of `whole`.
pub(super) fn scoped(data: &Data, whole: &[&Comparison]) -> Result<Vec<Comparison>> {
    let scopes = std::iter::once(Scope::Synthetic).chain(Scope::BANDS);
    // A scope that holds every point would only repeat the overall comparison.
    let all = data.points_of(data.question());
    let part = |scope: &Scope| {
        let points = data.points_of(*scope);
        !points.is_empty() && (points != all || matches!(scope, Scope::Band(..)))
    };
    let wanted: Vec<(Scope, &Comparison)> = scopes
        .filter(part)
        .flat_map(|scope| whole.iter().map(move |comparison| (scope, *comparison)))
        .collect();
    let mut found: Vec<Comparison> = wanted
        .par_iter()
        .map(|(scope, all)| Comparison::new(data, &all.models, *scope, &all.twins()))
        .collect::<Result<_>>()?;
    found.retain(|comparison| !comparison.ranked.is_empty());
    Ok(found)
}

impl Comparison {
    /// The model, the first of several.
    pub fn model(&self) -> usize {
        self.models.first().copied().unwrap_or(0)
    }

    /// The best-ranked correction.
    pub fn best(&self) -> Option<&Ranked> {
        self.ranked.first()
    }

    /// How many corrections the common ranking counts: those that agree everywhere count once.
    pub fn n_counted(&self) -> usize {
        let counted = self.ranked.iter().filter(|r| r.same_as.is_none());
        counted.count()
    }

    /// Groups of corrections that agree on every dataset.
    pub fn twins(&self) -> Vec<Vec<usize>> {
        let heads = self.ranked.iter().filter(|ranked| ranked.same_as.is_none());
        heads
            .map(|head| {
                let same = |r: &&Ranked| r.same_as == Some(head.correction);
                let others = self.ranked.iter().filter(same).map(|r| r.correction);
                std::iter::once(head.correction).chain(others).collect()
            })
            .filter(|group: &Vec<usize>| group.len() > 1)
            .collect()
    }

    /// A correction's place in the common ranking.
    pub fn rank_of(&self, correction: usize) -> Option<&Ranked> {
        self.ranked.iter().find(|r| r.correction == correction)
    }

    /// A correction against the baseline.
    pub fn against(&self, correction: usize) -> Option<&Against> {
        self.against.iter().find(|a| a.correction == correction)
    }

    /// What a correction pays.
    pub fn price(&self, correction: usize) -> Option<&Price> {
        self.prices.iter().find(|p| p.correction == correction)
    }

    /// `twins` are groups of corrections that count once; over the question they are found instead.
    fn new(data: &Data, models: &[usize], scope: Scope, twins: &[Vec<usize>]) -> Result<Self> {
        let cover = Cover::new(data, models, scope);
        let mut comparison = Self {
            models: models.to_vec(),
            scope,
            ranked: Vec::new(),
            unranked: Vec::new(),
            valueless: cover.valueless.clone(),
            datasets: Vec::new(),
            n_clusters: 0,
            n_datasets_any: cover.n_datasets_any(),
            omnibus: None,
            contest: None,
            against: Vec::new(),
            prices: Vec::new(),
        };
        let what = format!(
            "model `{}`, {}",
            data.model(comparison.model()),
            scope.label()
        );
        let error = |source| ReportError::Stats { what, source };
        comparison.fill(&cover, twins).map_err(error)?;
        Ok(comparison)
    }

    fn fill(&mut self, cover: &Cover<'_>, twins: &[Vec<usize>]) -> counterweight_stats::Result<()> {
        let data = cover.data;
        self.rank(cover, twins)?;
        if let Some(baseline) = data.baseline {
            let thorough = self.scope == data.question();
            (self.against, self.prices) = paired::compare(cover, baseline, thorough)?;
            let counted = self.ranked.iter().filter(|r| r.same_as.is_none());
            let mut arms: Vec<usize> = counted.map(|r| r.correction).collect();
            arms.sort_unstable();
            self.contest = Contest::new(cover, &arms, baseline)?;
        }
        Ok(())
    }

    fn rank(&mut self, cover: &Cover<'_>, twins: &[Vec<usize>]) -> counterweight_stats::Result<()> {
        let data = cover.data;
        let (kept, dropped) = cover.intersection(data.baseline);
        self.unranked = dropped;
        let cells = cover.shared(&kept);
        if kept.is_empty() || cells.is_empty() {
            return Ok(());
        }
        self.datasets = cells.keys().copied().collect();
        let Some(errors) = table(data, &kept, &cells, |cell, c| cover.value(cell, c))? else {
            return Ok(());
        };
        let pool = |(model, point): Cell, c| data.cube.get(model, point, c)?.pooled;
        let pooled = table(data, &kept, &cells, pool)?.map(|table| table.by_cluster());
        let pooled = pooled.transpose()?.map(|table| table.means());
        let by_cluster = errors.by_cluster()?;
        let means = by_cluster.means();
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
        let rounded = errors.rounded(RESOLUTION)?.to_scores();
        let groups = group_duplicates(&rounded, &declared, alike_on)?;
        let counted = by_cluster
            .rounded(RESOLUTION)?
            .select_methods(&groups.representatives())?;
        let ranks = RankTable::new(&counted)?;
        self.n_clusters = counted.datasets().len();
        if let Ok(design) = BlockDesign::try_from(counted) {
            self.omnibus = too_few(friedman(&design, TieCorrection::Corrected))?.map(|test| {
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
        }
        let mean_ranks = ranks.means();
        // Ties in the mean rank are broken by the mean, then by plan order.
        let cost = |place: usize| data.target.cost(at(&means, place));
        let mut order: Vec<(usize, &MethodGroup)> = groups.groups().iter().enumerate().collect();
        order.sort_by(|a, b| {
            at(&mean_ranks, a.0)
                .total_cmp(&at(&mean_ranks, b.0))
                .then(cost(a.1.representative).total_cmp(&cost(b.1.representative)))
                .then(a.0.cmp(&b.0))
        });
        let named = |place: usize| kept.get(place).copied().unwrap_or(0);
        for &(place, group) in &order {
            for &member in &group.members {
                self.ranked.push(Ranked {
                    correction: named(member),
                    same_as: (member != group.representative).then(|| named(group.representative)),
                    mean_rank: at(&mean_ranks, place),
                    mean_value: at(&means, member),
                    mean_pooled: pooled.as_ref().map(|pooled| at(pooled, member)),
                });
            }
        }
        Ok(())
    }
}

/// The values of some corrections over datasets, each the mean over the dataset's cells; `None` when it
/// lacks a value somewhere.
fn table(
    data: &Data,
    kept: &[usize],
    cells: &Cells,
    read: impl Fn(Cell, usize) -> Option<f64>,
) -> counterweight_stats::Result<Option<CompleteTable>> {
    let mut values = Vec::with_capacity(cells.len() * kept.len());
    for own in cells.values() {
        for &correction in kept {
            let all: Option<Vec<f64>> = own.iter().map(|&cell| read(cell, correction)).collect();
            let Some(value) = all.and_then(|all| mean(all.into_iter())) else {
                return Ok(None);
            };
            values.push(value);
        }
    }
    let datasets = cells.keys().map(|&d| Dataset {
        name: data.dataset(d).to_owned(),
        cluster: data.cluster(d).to_owned(),
    });
    let methods = kept.iter().map(|&c| data.correction(c).to_owned());
    let (datasets, methods) = (datasets.collect(), methods.collect());
    CompleteTable::new(data.target.direction(), datasets, methods, values).map(Some)
}

fn at(values: &[f64], place: usize) -> f64 {
    values.get(place).copied().unwrap_or(0.0)
}
