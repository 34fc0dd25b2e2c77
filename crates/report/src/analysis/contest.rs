//! The best of many corrections, honestly: P(first) beside that of equal arms, and the gain of choosing on
//! other data.

use counterweight_stats::{Seed, StatsError, first_place, honest_gain};

use super::cover::Cover;
use super::mean;
use super::paired::{self, Part, Verdict};

/// The corrections of a common ranking as rivals, no correction among them with gain 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Contest {
    /// Distinct corrections, the baseline among them.
    pub arms: Vec<usize>,
    /// Mean gain of each over clusters.
    pub means: Vec<f64>,
    /// Share of bootstrap draws in which each is first.
    pub first: Vec<f64>,
    /// The share that the first of equal arms would have.
    pub of_equals: f64,
    /// Gain of the correction that is best on the other clusters.
    pub honest: Part,
    /// The word for it; nothing here is adjusted for the number of comparisons.
    pub verdict: Verdict,
    /// The least gain that would have shown.
    pub visible: Option<f64>,
    /// Share of the clusters for which each correction is chosen.
    pub chosen: Vec<f64>,
    /// Mean of the baseline.
    pub base: f64,
    /// Clusters.
    pub n_clusters: usize,
}

impl Contest {
    /// Of the distinct corrections `arms`; `None` without the baseline, a rival, or two clusters.
    pub(super) fn new(
        cover: &Cover<'_>,
        arms: &[usize],
        baseline: usize,
    ) -> counterweight_stats::Result<Option<Self>> {
        if !arms.contains(&baseline) || arms.len() < 2 {
            return Ok(None);
        }
        let (data, target) = (cover.data, &cover.data.target);
        let cells = cover.shared(arms);
        let column = |arm: usize| {
            let gain =
                |cell| Some(target.cost(cover.value(cell, baseline)? - cover.value(cell, arm)?));
            data.by_cluster(&cells, &gain)
        };
        let columns: Vec<_> = arms.iter().map(|&arm| column(arm)).collect();
        // In the order of what no correction reaches, so that neither rows nor names decide the draws.
        let base = data.by_cluster(&cells, &|cell| cover.value(cell, baseline));
        let mut order: Vec<(&str, f64)> = base.iter().map(|(name, own)| (*name, *own)).collect();
        order.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(b.0)));
        let line = |name: &str| -> Vec<f64> {
            let own = columns.iter().map(|column| column.get(name).copied());
            own.map(Option::unwrap_or_default).collect()
        };
        let lines: Vec<Vec<f64>> = order.iter().map(|(name, _)| line(name)).collect();
        let first = match first_place(&lines, Seed(0)) {
            Err(StatsError::TooFew { .. }) => return Ok(None),
            found => found?,
        };
        let honest = honest_gain(&lines, Seed(0))?;
        let (tier, verdict) = paired::judge(&honest.by_cluster)?;
        Ok(Some(Self {
            arms: arms.to_vec(),
            means: columns
                .iter()
                .map(|column| mean(column.values().copied()).unwrap_or_default())
                .collect(),
            first: first.shares,
            of_equals: first.of_equals,
            honest: Part {
                mean: honest.mean,
                interval: honest.interval,
            },
            verdict,
            visible: tier.as_ref().map(paired::visible),
            chosen: honest.chosen,
            base: mean(base.into_values()).unwrap_or_default(),
            n_clusters: lines.len(),
        }))
    }

    /// The correction with the best mean, and its place.
    pub fn leader(&self) -> (usize, usize) {
        let mut best = (0, f64::NEG_INFINITY);
        for (place, &mean) in self.means.iter().enumerate() {
            if mean > best.1 + super::compare::RESOLUTION {
                best = (place, mean);
            }
        }
        (self.arms.get(best.0).copied().unwrap_or(0), best.0)
    }

    /// P(first) of the leader.
    pub fn first_of_leader(&self) -> f64 {
        self.first.get(self.leader().1).copied().unwrap_or(0.0)
    }
}
