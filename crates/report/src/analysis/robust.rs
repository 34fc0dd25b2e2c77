//! What the order of a common ranking hangs on: single datasets, single corrections, and the policy
//! for missing values.

use std::collections::BTreeMap;

use counterweight_stats::{
    CompleteTable, Dataset, Drop, MissingPolicy, ScoreTable, Stability, WithoutOne,
    compare_policies, drop_one,
};

use super::cover::Cover;
use super::mean;
use super::paired::too_few;

/// How firm a ranking is.
#[derive(Debug, Clone, PartialEq)]
pub struct Robustness {
    /// Clusters of datasets without which another correction leads.
    pub decisive_clusters: Vec<String>,
    /// Corrections without which another of the rest leads.
    pub decisive_corrections: Vec<String>,
    /// Kendall's tau-b between the ranking and the one that differs most from it when one cluster
    /// is left out.
    pub worst_tau: Option<f64>,
    /// The rankings under all policies for missing values; empty when nothing is missing.
    pub policies: Vec<PolicyRanks>,
    /// Whether the policy decides the order of any two corrections.
    pub policy_decides: bool,
    /// Whether the policy decides who leads.
    pub policy_decides_leader: bool,
}

/// The ranking under one policy for missing values.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyRanks {
    /// `intersection`, `worst` or `baseline`.
    pub policy: &'static str,
    /// Datasets ranked.
    pub n_datasets: usize,
    /// Values that the policy put in.
    pub n_filled: usize,
    /// Index of the correction and its mean rank, best first.
    pub ranks: Vec<(usize, f64)>,
}

impl Robustness {
    pub(super) fn new(
        cover: &Cover<'_>,
        counted: &CompleteTable,
        corrections: &[usize],
        baseline: Option<usize>,
    ) -> counterweight_stats::Result<Self> {
        let dropped = |drop| too_few(drop_one(counted, drop));
        let clusters = dropped(Drop::Cluster)?;
        let methods = dropped(Drop::Method)?;
        // Leaders that tie in full and part on the rest are no change of the lead: decisive is what
        // takes the lead from all of them. Without a leader itself somebody else has to lead.
        let decisive = |stability: Option<&Stability>| {
            stability.map_or_else(Vec::new, |stability| {
                let full = stability.full.leaders();
                let taken = |one: &&WithoutOne| {
                    let now = one.ranking.leaders();
                    !full.contains(&one.dropped.as_str()) && !full.iter().any(|l| now.contains(l))
                };
                let decisive = stability.without.iter().filter(taken);
                decisive.map(|one| one.dropped.clone()).collect()
            })
        };
        let mut robustness = Self {
            decisive_clusters: decisive(clusters.as_ref()),
            decisive_corrections: decisive(methods.as_ref()),
            worst_tau: clusters.as_ref().and_then(Stability::worst_tau),
            policies: Vec::new(),
            policy_decides: false,
            policy_decides_leader: false,
        };
        robustness.under_policies(cover, corrections, baseline)?;
        Ok(robustness)
    }

    /// Ranks under all policies. A dataset's value is missing when any point is that some correction
    /// has: the policies speak about datasets.
    fn under_policies(
        &mut self,
        cover: &Cover<'_>,
        corrections: &[usize],
        baseline: Option<usize>,
    ) -> counterweight_stats::Result<()> {
        let mut planned: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &point in &cover.points {
            let any = corrections.iter().any(|&c| cover.value(point, c).is_some());
            if let (true, Some(place)) = (any, cover.data.points.get(point)) {
                planned.entry(place.dataset).or_default().push(point);
            }
        }
        let mut cells = Vec::new();
        for points in planned.values() {
            for &correction in corrections {
                let values: Vec<f64> = points
                    .iter()
                    .filter_map(|&point| cover.value(point, correction))
                    .collect();
                let complete = values.len() == points.len();
                cells.push(if complete {
                    mean(values.into_iter())
                } else {
                    None
                });
            }
        }
        let datasets = planned.keys().filter_map(|&d| cover.data.datasets.get(d));
        let datasets = datasets
            .map(|d| Dataset {
                name: d.id.clone(),
                cluster: d.cluster.clone(),
            })
            .collect();
        let names = corrections
            .iter()
            .map(|&c| cover.data.correction(c).to_owned())
            .collect();
        let table = ScoreTable::new(cover.data.target.direction(), datasets, names, cells)?;
        if table.missing() == 0 {
            return Ok(());
        }
        let place = corrections.iter().position(|&c| Some(c) == baseline);
        let compared = compare_policies(&table, MissingPolicy::Intersection, place.unwrap_or(0))?;
        self.policy_decides = !compared.conflicts.is_empty();
        let leaders: Vec<Vec<&str>> = compared
            .rankings
            .iter()
            .map(|ranking| ranking.ranking.leaders())
            .collect();
        let first = leaders.first().cloned().unwrap_or_default();
        self.policy_decides_leader = leaders
            .iter()
            .any(|others| !first.iter().any(|leader| others.contains(leader)));
        for ranking in &compared.rankings {
            let policy = match ranking.policy {
                MissingPolicy::Intersection => "intersection",
                MissingPolicy::Worst => "worst",
                // Without a baseline there is nothing to fall back on.
                MissingPolicy::Baseline(_) if place.is_none() => continue,
                MissingPolicy::Baseline(_) => "baseline",
            };
            let mean_ranks = ranking.ranking.mean_ranks();
            let ranks = ranking
                .ranking
                .order()
                .iter()
                .filter_map(|&at| Some((*corrections.get(at)?, *mean_ranks.get(at)?)))
                .collect();
            self.policies.push(PolicyRanks {
                policy,
                n_datasets: ranking.n_datasets,
                n_filled: ranking.n_filled,
                ranks,
            });
        }
        Ok(())
    }
}
