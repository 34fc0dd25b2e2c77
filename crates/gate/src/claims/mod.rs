//! Claims: statements about the results that an author wants to stay true, each a test of its own.
//!
//! | kind | holds when |
//! |---|---|
//! | `better` | the difference to `than` is below -`margin`, shown at level alpha |
//! | `not-worse` | it is below +`margin`, shown at level alpha (non-inferiority) |
//! | `equivalent` | it is above -`rope` and below +`rope`, both shown at level alpha (two one-sided tests) |
//! | `identical` | balanced error and recalls agree to [`SAME`] in every cell that has both |
//! | `not-below-floor` | no method has a balanced error under the Bayes error beyond sampling error |
//! | `improvement-at-most` | no method improved on the baseline by more than `at_most`; on other seeds, none surely so |
//!
//! So a claim that the data cannot show *fails*: it is the author who says what is to be shown. What
//! cannot be tested at all (no cell in its scope has a value, one repeat of few datasets) is *undecided*.
//!
//! With six or more independent clusters of datasets a comparison is a one-sided signed-rank test over
//! clusters: the claim is about datasets like these. With fewer no signed-rank test can decide, and the
//! claim is about these very datasets: the units are then the repeats and folds, by the corrected t test
//! of Nadeau and Bengio (populations draw new rows each time, so nothing is to be corrected there).
//! Differences without any variance are decided by their size.
//!
//! The floor of a population is the balanced error of the Bayes rule on the very test rows. On these
//! rows a rule may be luckier. With recalls r of the method, r* of the Bayes rule (taken as 1 - its
//! error) and n rows a class, the variance of the difference is at most
//!
//! ```text
//! sum over classes of (sqrt(r (1 - r)) + sqrt(r* (1 - r*)))^2 / (K^2 n)
//! ```
//!
//! whatever the two rules share. z is the mean difference over repeats in units of the root of that
//! bound; for z < 0 its p value is at most exp(-z^2 / 2) / 2, Holm-adjusted over all methods,
//! populations and ratios.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use counterweight_core::Record;
use counterweight_stats::{
    Alternative, BootstrapOptions, Level, PairedDifferences, PairwiseOptions, StatsError,
    TestShare, WilcoxonOptions, bootstrap_mean, corrected_t, wilcoxon,
};
use serde::Serialize;

use super::SAME;
use super::cells::value_of;
use super::config::{Claim, ClaimKind, Scope};
use super::result::{Gate, GateInput, Place};
use super::units::{cluster_ids, cluster_means, over_points, too_few};
use crate::error::Result;
use counterweight_plots::format::{list, p_value, plural, points};

mod bounds;

/// Fewest clusters on which the signed-rank test can decide at .05, one-sided, with a margin: 2^-6 = .016.
const CLUSTERS: usize = 6;

/// Most culprits that are named.
const NAMED: usize = 3;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimStatus {
    /// It is shown.
    Holds,
    /// It is not.
    Fails,
    /// It cannot be tested on these data.
    Undecided,
}

/// A tested claim, for one method where it compares two.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimResult {
    /// Line of the claim in gate.toml.
    pub line: usize,
    /// Its kind.
    pub kind: &'static str,
    /// What is claimed, in one line.
    pub title: String,
    /// What became of it.
    pub status: ClaimStatus,
    /// Mean difference, or the worst one.
    pub effect: Option<f64>,
    /// Its interval at 1 - alpha.
    pub interval: Option<(f64, f64)>,
    /// The p value of the test (the larger of the two of `equivalent`).
    pub p_value: Option<f64>,
    /// What the test says, and who is to blame.
    pub detail: String,
    /// The reason that the author gave.
    pub reason: String,
}

pub(super) fn check(
    input: &GateInput<'_>,
    current: &[&Record],
    gate: &Gate,
) -> Result<Vec<ClaimResult>> {
    let mut results = Vec::new();
    for claim in &input.config.claims {
        match &claim.kind {
            ClaimKind::NotBelowFloor => results.push(bounds::floor(input, claim, current)?),
            ClaimKind::ImprovementAtMost { at_most } => {
                results.push(bounds::improvement(input, claim, gate, *at_most));
            }
            ClaimKind::Better { than, .. }
            | ClaimKind::NotWorse { than, .. }
            | ClaimKind::Equivalent { than, .. }
            | ClaimKind::Identical { than } => {
                results.extend(comparisons(input, claim, than, current)?);
            }
        }
    }
    Ok(results)
}

fn blank(claim: &Claim, title: String) -> ClaimResult {
    ClaimResult {
        line: claim.line,
        kind: claim.kind.id(),
        title,
        status: ClaimStatus::Undecided,
        effect: None,
        interval: None,
        p_value: None,
        detail: String::new(),
        reason: claim.reason.clone(),
    }
}

impl Scope {
    fn wants(&self, record: &Record) -> bool {
        let among = |list: &[String], name: &str| list.is_empty() || list.iter().any(|l| l == name);
        let among_some = |list: &[String], name: &str| list.iter().any(|l| l == name);
        let of_method = self.corrections.is_empty() && self.families.is_empty()
            || among_some(&self.corrections, &record.correction)
            || among_some(&self.families, &record.family);
        of_method && among(&self.models, &record.model) && self.wants_data(record)
    }

    fn wants_data(&self, record: &Record) -> bool {
        (self.datasets.is_empty() || self.datasets.iter().any(|id| *id == record.dataset))
            && self
                .source
                .as_ref()
                .is_none_or(|source| *source == record.source)
            && self.ratio.is_none_or(|(low, high)| {
                record
                    .imbalance_ratio
                    .is_some_and(|ratio| low <= ratio && ratio <= high)
            })
    }

    /// The scope's data in words, after a space; empty for all.
    fn data(&self) -> String {
        let mut text = String::new();
        if !self.datasets.is_empty() {
            text.push_str(" on ");
            text.push_str(&list(&self.datasets));
        } else if let Some(source) = &self.source {
            text.push_str(if source == "real" {
                " on real data"
            } else {
                " on populations"
            });
        }
        if let Some((low, high)) = self.ratio {
            let _infallible = write!(text, " at ratios {low} to {high}");
        }
        text
    }
}

/// A cell of both corrections.
struct Both<'a> {
    a: &'a Record,
    b: &'a Record,
    difference: f64,
}

/// Pairs by method, then dataset, then ratio.
type Compared<'a> = BTreeMap<&'a str, BTreeMap<String, Vec<Both<'a>>>>;

fn comparisons(
    input: &GateInput<'_>,
    claim: &Claim,
    than: &str,
    current: &[&Record],
) -> Result<Vec<ClaimResult>> {
    let key = |record: &Record| Place {
        correction: String::new(),
        ..Place::of(record)
    };
    let reference: BTreeMap<Place, (&Record, f64)> = current
        .iter()
        .filter(|record| record.correction == than)
        .filter_map(|record| Some((key(record), (*record, value_of(record)?))))
        .collect();
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut by_method: BTreeMap<(&str, &str), Compared<'_>> = BTreeMap::new();
    for &record in current
        .iter()
        .filter(|record| record.correction != than && claim.scope.wants(record))
    {
        let (Some(value), Some((b, other))) = (value_of(record), reference.get(&key(record)))
        else {
            continue;
        };
        let method = (record.model.as_str(), record.correction.as_str());
        let compared = by_method.entry(method).or_insert_with(|| {
            order.push(method);
            BTreeMap::new()
        });
        compared
            .entry(record.dataset.as_str())
            .or_default()
            .entry(Place::of(record).ratio)
            .or_default()
            .push(Both {
                a: record,
                b,
                difference: value - other,
            });
    }
    let words = |correction: &str, model: &str| {
        let relation = match claim.kind {
            ClaimKind::Better { .. } => "better than",
            ClaimKind::NotWorse { .. } => "not worse than",
            ClaimKind::Equivalent { .. } => "equivalent to",
            _ => "identical to",
        };
        format!(
            "{correction} {relation} {than} on {model}{}",
            claim.scope.data()
        )
    };
    if order.is_empty() {
        let scope = &claim.scope;
        let all = |list: &[String], every: &str| {
            if list.is_empty() {
                every.to_owned()
            } else {
                list.join(", ")
            }
        };
        let who = all(
            &[&scope.corrections[..], &scope.families[..]].concat(),
            "every correction",
        );
        let mut result = blank(claim, words(&who, &all(&scope.models, "every model")));
        result.detail = "no cell in its scope has a value on both sides".into();
        return Ok(vec![result]);
    }
    let mut results = Vec::new();
    for (model, correction) in order {
        let Some(compared) = by_method.get(&(model, correction)) else {
            continue;
        };
        let mut result = blank(claim, words(correction, model));
        match claim.kind {
            ClaimKind::Identical { .. } => identical(compared, &mut result),
            _ => shown(input, claim, compared, &mut result)?,
        }
        results.push(result);
    }
    Ok(results)
}

fn identical(compared: &Compared<'_>, result: &mut ClaimResult) {
    let cells: Vec<&Both<'_>> = compared
        .values()
        .flat_map(BTreeMap::values)
        .flatten()
        .collect();
    let recalls_differ = |both: &Both<'_>| {
        both.a.recalls.len() != both.b.recalls.len()
            || both
                .a
                .recalls
                .iter()
                .zip(&both.b.recalls)
                .any(|pair| match pair {
                    (Some(a), Some(b)) => (a - b).abs() > SAME,
                    (a, b) => a.is_some() != b.is_some(),
                })
    };
    let differ: Vec<&&Both<'_>> = cells
        .iter()
        .filter(|both| both.difference.abs() > SAME || recalls_differ(both))
        .collect();
    let most = differ
        .iter()
        .max_by(|a, b| a.difference.abs().total_cmp(&b.difference.abs()));
    result.effect = Some(most.map_or(0.0, |both| both.difference));
    if let Some(most) = most {
        result.status = ClaimStatus::Fails;
        result.detail = format!(
            "{} of {} differ, most on {} (cell {}: {} points)",
            differ.len(),
            plural(cells.len(), "cell"),
            most.a.dataset,
            most.a.cell,
            points(most.difference)
        );
    } else {
        result.status = ClaimStatus::Holds;
        result.detail = format!("the same in all {}", plural(cells.len(), "cell"));
    }
}

/// What a one-sided test is made on.
enum Units {
    /// A value a cluster of datasets.
    Clusters(Vec<f64>),
    /// A value a repeat and fold, the mean over datasets, with the share of test rows.
    Splits(Vec<f64>, TestShare),
}

impl Units {
    fn values(&self) -> &[f64] {
        match self {
            Self::Clusters(values) | Self::Splits(values, _) => values,
        }
    }

    /// The p value of "the mean is at or above `bound`"; `None` where it cannot be tested.
    fn below(&self, bound: f64, sign: f64) -> Result<Option<f64>> {
        let shifted: Vec<f64> = self
            .values()
            .iter()
            .map(|value| sign * value - bound)
            .collect();
        let mean = shifted.iter().sum::<f64>() / shifted.len() as f64;
        let by_size = if mean < -SAME { 0.0 } else { 1.0 };
        let spread = shifted
            .iter()
            .map(|value| (value - mean).abs())
            .fold(0.0, f64::max);
        if shifted.len() > 1 && spread <= SAME {
            return Ok(Some(by_size));
        }
        match self {
            Self::Clusters(_) => {
                let options = WilcoxonOptions {
                    alternative: Alternative::Less,
                    ..PairwiseOptions::default().test
                };
                Ok(Some(wilcoxon(&shifted, options)?.p_value))
            }
            Self::Splits(_, share) => match corrected_t(&shifted, *share, Level::FIVE_PERCENT) {
                Ok(test) => {
                    let half = test.p_value / 2.0;
                    Ok(Some(if test.mean < 0.0 { half } else { 1.0 - half }))
                }
                Err(StatsError::Undefined { .. }) => Ok(Some(by_size)),
                Err(StatsError::TooFew { .. }) => Ok(None),
                Err(other) => Err(other.into()),
            },
        }
    }
}

fn shown(
    input: &GateInput<'_>,
    claim: &Claim,
    compared: &Compared<'_>,
    result: &mut ClaimResult,
) -> Result<()> {
    let values: Vec<f64> = compared
        .values()
        .map(|by_ratio| over_points(by_ratio.values(), |both| both.difference))
        .collect();
    let clusters = cluster_ids(input.clusters, compared.keys().copied());
    let means = cluster_means(&values, &clusters);
    let paired = PairedDifferences::new(values, &clusters)?;
    let level = Level::new(input.config.alpha)?;
    result.effect = Some(paired.mean());
    let units = if means.len() >= CLUSTERS {
        let options = BootstrapOptions {
            level,
            draws: 1_999,
            ..BootstrapOptions::default()
        };
        result.interval =
            too_few(bootstrap_mean(&paired, options))?.map(|found| (found.lower, found.upper));
        Units::Clusters(means)
    } else {
        let (values, share) = by_split(compared)?;
        result.interval =
            too_few(corrected_t(&values, share, level))?.map(|found| (found.lower, found.upper));
        Units::Splits(values, share)
    };
    let tests = match claim.kind {
        ClaimKind::Better { margin, .. } => vec![units.below(-margin, 1.0)?],
        ClaimKind::NotWorse { margin, .. } => vec![units.below(margin, 1.0)?],
        ClaimKind::Equivalent { rope, .. } => {
            vec![units.below(rope, 1.0)?, units.below(rope, -1.0)?]
        }
        _ => Vec::new(),
    };
    let unit = match units {
        Units::Clusters(_) => plural(units.values().len(), "cluster"),
        Units::Splits(..) => plural(units.values().len(), "split"),
    };
    let interval = result.interval.map_or_else(String::new, |(low, high)| {
        format!(" [{}, {}]", points(low), points(high))
    });
    let effect = points(paired.mean());
    if let Some(p_values) = tests.into_iter().collect::<Option<Vec<f64>>>() {
        let largest = p_values.into_iter().fold(0.0, f64::max);
        result.p_value = Some(largest);
        result.status = if largest < input.config.alpha {
            ClaimStatus::Holds
        } else {
            ClaimStatus::Fails
        };
        let goal = match claim.kind {
            ClaimKind::Better { margin, .. } if margin > 0.0 => {
                format!(", claimed below {}", points(-margin))
            }
            ClaimKind::NotWorse { margin, .. } => format!(", claimed below {}", points(margin)),
            ClaimKind::Equivalent { rope, .. } => format!(", claimed within {}", points(rope)),
            _ => String::new(),
        };
        result.detail = format!(
            "difference {effect} points{interval}, p {} over {unit}{goal}",
            p_value(largest)
        );
    } else {
        result.detail = format!(
            "difference {effect} points on {unit}: too few to test; raise `repeats` or widen the claim"
        );
    }
    Ok(())
}

/// The mean over datasets and ratios of each repeat and fold that all of them have.
fn by_split(compared: &Compared<'_>) -> Result<(Vec<f64>, TestShare)> {
    let mut splits: BTreeMap<(u64, u64), Vec<f64>> = BTreeMap::new();
    let mut share: Option<(u64, u64)> = None;
    let mut series = 0;
    for by_ratio in compared.values() {
        for cells in by_ratio.values() {
            series += 1;
            for both in cells {
                splits
                    .entry((both.a.repeat, both.a.fold))
                    .or_default()
                    .push(both.difference);
                // Populations draw new rows every time, so their splits share nothing.
                let rows = (both.a.n_test, both.a.n_train.max(1));
                let larger = share.is_none_or(|(test, train)| {
                    u128::from(rows.0) * u128::from(train) > u128::from(test) * u128::from(rows.1)
                });
                if both.a.source != "synthetic" && larger {
                    share = Some(rows);
                }
            }
        }
    }
    let values = splits
        .into_values()
        .filter(|values| values.len() == series)
        .map(|values| values.iter().sum::<f64>() / values.len() as f64)
        .collect();
    let rows = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
    let share = match share {
        Some((test, train)) => TestShare::from_counts(rows(test), rows(train)),
        // The share type has no zero; this one is too small to matter.
        None => TestShare::from_counts(1, usize::MAX),
    }?;
    Ok((values, share))
}
