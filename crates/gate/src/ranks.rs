//! The rankings of each model before and after: mean ranks, decided pairs that flipped, and groups
//! that no test tells apart.
//!
//! Both rankings are over the same datasets, those on which every ranked correction has a value on
//! both sides. A correction that would take more than a fifth of the datasets away from the others is
//! left out and named.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_stats::{
    BlockDesign, CompleteTable, Dataset, Direction, Level, Pairwise, PairwiseOptions, mean_ranks,
    pairwise,
};
use serde::Serialize;

use super::cells::Pair;
use super::result::{Arm, ArmStatus, GateInput};
use super::units::{cluster_of, over_points, too_few};
use crate::error::Result;

/// Share of the best covered correction's datasets that the common ranking keeps.
const KEEP: f64 = 0.8;

/// Means over the same cells, added in another order, differ in the last bits.
const RESOLUTION: f64 = 1e-12;

/// Most groups that are worth listing.
const GROUPS: usize = 100;

/// The rankings of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelRanks {
    /// Id of the model.
    pub model: String,
    /// Datasets behind both rankings.
    pub datasets: usize,
    /// The corrections, best first in the ranking after.
    pub rows: Vec<RankRow>,
    /// Corrections that have too few datasets for the common ranking.
    pub left_out: Vec<String>,
    /// Pairs that both rankings decide, each the other way round.
    pub flips: Vec<Flip>,
    /// Groups that no test tells apart.
    pub groups: Groups,
}

/// A correction in both rankings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankRow {
    /// Id.
    pub correction: String,
    /// Mean rank in the baseline, 1 is best.
    pub rank_before: f64,
    /// Mean rank now.
    pub rank_after: f64,
    /// Mean balanced error in the baseline.
    pub before: f64,
    /// Mean balanced error now.
    pub after: f64,
}

/// A decided pair that is now decided the other way round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flip {
    /// The better one of the baseline.
    pub was_better: String,
    /// The better one now.
    pub now_better: String,
    /// Mean of `was_better` - `now_better` in the baseline, negative.
    pub before: f64,
    /// The same now, positive.
    pub after: f64,
    /// Whether it is a finding: not where the improvement of `now_better` alone explains it.
    pub fails: bool,
}

/// Maximal groups of corrections that no test tells apart, before and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Groups {
    /// In the baseline.
    pub before: Vec<Vec<String>>,
    /// Now.
    pub after: Vec<Vec<String>>,
}

impl Groups {
    /// Whether their members changed.
    pub fn changed(&self) -> bool {
        self.before != self.after
    }
}

/// Before and after of a correction, by dataset.
type Values<'a> = BTreeMap<&'a str, (f64, f64)>;

type ByMethod<'a> =
    BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, BTreeMap<&'a str, Vec<Pair<'a>>>>>;

pub(super) fn compare<'a>(
    input: &GateInput<'_>,
    methods: &[(&'a str, &'a str)],
    by_method: &ByMethod<'a>,
    arms: &[Arm],
) -> Result<Vec<ModelRanks>> {
    let mut models: Vec<(&str, Vec<(&str, Values<'_>)>)> = Vec::new();
    for key in methods {
        let Some(points) = by_method.get(key) else {
            continue;
        };
        let values: Values<'_> = points
            .iter()
            .map(|(dataset, points)| {
                let before = over_points(points.values(), |pair| pair.before);
                let after = over_points(points.values(), |pair| pair.after);
                (*dataset, (before, after))
            })
            .collect();
        match models.iter_mut().find(|(model, _)| *model == key.0) {
            Some((_, list)) => list.push((key.1, values)),
            None => models.push((key.0, vec![(key.1, values)])),
        }
    }
    models
        .into_iter()
        .map(|(model, corrections)| {
            let arms: Vec<&Arm> = arms.iter().filter(|arm| arm.model == model).collect();
            rank(input, model, corrections, &arms)
        })
        .collect()
}

fn shared<'a>(corrections: &[(&'a str, Values<'a>)]) -> BTreeSet<&'a str> {
    let mut sets = corrections
        .iter()
        .map(|(_, values)| values.keys().copied().collect::<BTreeSet<&str>>());
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |common, set| {
        common.intersection(&set).copied().collect()
    })
}

fn rank(
    input: &GateInput<'_>,
    model: &str,
    mut corrections: Vec<(&str, Values<'_>)>,
    arms: &[&Arm],
) -> Result<ModelRanks> {
    let most = corrections
        .iter()
        .map(|(_, values)| values.len())
        .max()
        .unwrap_or(0);
    let mut left_out = Vec::new();
    while corrections.len() > 1 && (shared(&corrections).len() as f64) < KEEP * most as f64 {
        let least = (0..corrections.len())
            .rev()
            .min_by_key(|&at| corrections[at].1.len())
            .unwrap_or(0);
        left_out.push(corrections.remove(least).0.to_owned());
    }
    left_out.sort_unstable();
    let datasets: Vec<&str> = shared(&corrections).into_iter().collect();
    let names: Vec<String> = corrections
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut result = ModelRanks {
        model: model.to_owned(),
        datasets: datasets.len(),
        rows: Vec::new(),
        left_out,
        flips: Vec::new(),
        groups: Groups::default(),
    };
    if datasets.is_empty() {
        return Ok(result);
    }
    let table = |after: bool| -> Result<CompleteTable> {
        let rows = datasets
            .iter()
            .map(|dataset| Dataset {
                name: (*dataset).to_owned(),
                cluster: cluster_of(input.clusters, dataset),
            })
            .collect();
        let values = datasets
            .iter()
            .flat_map(|dataset| {
                corrections.iter().filter_map(move |(_, values)| {
                    let (before, now) = values.get(dataset)?;
                    Some(if after { *now } else { *before })
                })
            })
            .collect();
        Ok(
            CompleteTable::new(Direction::LowerIsBetter, rows, names.clone(), values)?
                .rounded(RESOLUTION)?,
        )
    };
    let (before, after) = (table(false)?, table(true)?);
    let (ranks_before, ranks_after) = (mean_ranks(&before)?, mean_ranks(&after)?);
    let (means_before, means_after) = (before.means(), after.means());
    for &at in ranks_after.order() {
        result.rows.push(RankRow {
            correction: names[at].clone(),
            rank_before: ranks_before.mean_ranks()[at],
            rank_after: ranks_after.mean_ranks()[at],
            before: means_before[at],
            after: means_after[at],
        });
    }
    let level = Level::new(input.config.alpha)?;
    let (Some(tests_before), Some(tests_after)) = (tests(before, level)?, tests(after, level)?)
    else {
        return Ok(result);
    };
    for pair in tests_before.pairs() {
        let (Some(was), Some(now)) = (
            tests_before.winner(pair.a, pair.b),
            tests_after.winner(pair.a, pair.b),
        ) else {
            continue;
        };
        if was == now {
            continue;
        }
        let arm = |at: usize| arms.iter().find(|arm| arm.correction == names[at]);
        let improved = arm(now).is_some_and(|arm| arm.status == ArmStatus::Improved);
        let fell = arm(was).is_none_or(|arm| arm.shift > input.config.tolerance);
        result.flips.push(Flip {
            was_better: names[was].clone(),
            now_better: names[now].clone(),
            before: means_before[was] - means_before[now],
            after: means_after[was] - means_after[now],
            fails: fell || !improved,
        });
    }
    result.groups = Groups {
        before: groups(&tests_before, &names)?,
        after: groups(&tests_after, &names)?,
    };
    Ok(result)
}

fn tests(table: CompleteTable, level: Level) -> Result<Option<Pairwise>> {
    let options = PairwiseOptions {
        level,
        ..PairwiseOptions::default()
    };
    too_few(BlockDesign::try_from(table).and_then(|design| pairwise(&design, options)))
}

fn groups(tests: &Pairwise, names: &[String]) -> Result<Vec<Vec<String>>> {
    let cliques = tests.cliques()?;
    Ok(cliques
        .into_iter()
        .take(GROUPS)
        .map(|clique| clique.into_iter().map(|at| names[at].clone()).collect())
        .collect())
}
