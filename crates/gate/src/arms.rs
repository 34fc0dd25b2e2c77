//! The comparison method by method: shifts over datasets, their tests, and what they come to.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_stats::{
    BootstrapOptions, Level, PairedDifferences, PairwiseOptions, PowerOptions, bootstrap_mean,
    holm, minimum_detectable_effect, wilcoxon,
};

use super::SAME;
use super::cells::{ByPoint, Pair};
use super::result::{Arm, ArmStatus, CommonShift, DatasetShift, Gate, GateInput};
use super::units::{cluster_ids, cluster_means, over_points, too_few};
use crate::error::Result;

/// Fewest corrections whose median is a centre that one of them cannot move far.
const CENTRE_OF: usize = 3;

/// Draws of the bootstrap behind the intervals.
const DRAWS: usize = 1_999;

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) {
        f64::midpoint(upper, *values.get(middle.wrapping_sub(1))?)
    } else {
        upper
    })
}

/// The shift that the corrections of a model share, by model and dataset.
fn centres<'a>(
    methods: &[(&'a str, &'a str)],
    by_method: &BTreeMap<(&'a str, &'a str), ByPoint<'a>>,
) -> BTreeMap<(&'a str, &'a str), f64> {
    let mut own: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for key in methods {
        for (dataset, points) in by_method.get(key).into_iter().flatten() {
            let shift = over_points(points.values(), Pair::shift);
            own.entry((key.0, dataset)).or_default().push(shift);
            all.entry(dataset).or_default().push(shift);
        }
    }
    own.into_iter()
        .filter_map(|(key, shifts)| {
            // Two corrections have no robust centre of their own: that of all models serves.
            let shifts = if shifts.len() >= CENTRE_OF {
                shifts
            } else {
                all.get(key.1).filter(|all| all.len() >= CENTRE_OF)?.clone()
            };
            Some((key, median(shifts)?))
        })
        .collect()
}

pub(super) fn arms<'a>(
    input: &GateInput<'_>,
    methods: &[(&'a str, &'a str)],
    by_method: &BTreeMap<(&'a str, &'a str), ByPoint<'a>>,
    gate: &mut Gate,
) -> Result<()> {
    let centres = centres(methods, by_method);
    let test = PairwiseOptions::default().test;
    let mut differences: Vec<(Vec<f64>, Vec<usize>)> = Vec::new();
    for key in methods {
        let Some(points) = by_method.get(key) else {
            continue;
        };
        let clusters = cluster_ids(input.clusters, points.keys().copied());
        let cells = || points.values().flat_map(BTreeMap::values).flatten();
        let identical = cells().all(|pair| pair.shift().abs() <= SAME);
        let mut by_dataset: Vec<DatasetShift> = points
            .iter()
            .map(|(dataset, points)| {
                let raw = over_points(points.values(), Pair::shift);
                let centre = if input.same_splits {
                    0.0
                } else {
                    centres.get(&(key.0, *dataset)).copied().unwrap_or(0.0)
                };
                DatasetShift {
                    dataset: (*dataset).to_owned(),
                    shift: raw - centre,
                    before: over_points(points.values(), |pair| pair.before),
                    after: over_points(points.values(), |pair| pair.after),
                }
            })
            .collect();
        let n = by_dataset.len() as f64;
        let mean =
            |value: &dyn Fn(&DatasetShift) -> f64| by_dataset.iter().map(value).sum::<f64>() / n;
        let values: Vec<f64> = by_dataset.iter().map(|dataset| dataset.shift).collect();
        let constant = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
            high - low <= SAME
        };
        let alike = constant(&mut cells().map(Pair::shift))
            || (values.len() > 1 && constant(&mut values.iter().copied()));
        let paired = wilcoxon(&cluster_means(&values, &clusters), test)?;
        let (before, after) = (
            mean(&|dataset| dataset.before),
            mean(&|dataset| dataset.after),
        );
        let shift = mean(&|dataset| dataset.shift);
        by_dataset.sort_by(|a, b| b.shift.total_cmp(&a.shift));
        gate.arms.push(Arm {
            model: key.0.to_owned(),
            correction: key.1.to_owned(),
            status: if identical && input.same_splits {
                ArmStatus::Identical
            } else {
                ArmStatus::Moved
            },
            shift,
            raw_shift: after - before,
            interval: None,
            p_raw: paired.p_value,
            p_holm: 1.0,
            constant: alike && input.same_splits,
            datasets: values.len(),
            clusters: clusters.iter().max().map_or(0, |last| last + 1),
            worse: values.iter().filter(|shift| **shift > SAME).count(),
            better: values.iter().filter(|shift| **shift < -SAME).count(),
            before,
            after,
            detectable: None,
            underpowered: false,
            by_dataset,
        });
        differences.push((values, clusters));
    }
    common(input, methods, &centres, gate)?;
    adjust(input, gate)?;
    decide(input, &differences, gate)
}

/// The common shift of each model: what its centre did.
fn common(
    input: &GateInput<'_>,
    methods: &[(&str, &str)],
    centres: &BTreeMap<(&str, &str), f64>,
    gate: &mut Gate,
) -> Result<()> {
    let mut models: Vec<&str> = methods.iter().map(|(model, _)| *model).collect();
    models.dedup();
    let mut seen = BTreeSet::new();
    models.retain(|model| seen.insert(*model));
    for model in models {
        let (datasets, values): (Vec<&str>, Vec<f64>) = centres
            .iter()
            .filter(|((of, _), _)| *of == model)
            .map(|((_, dataset), centre)| (*dataset, *centre))
            .unzip();
        if values.is_empty() {
            continue;
        }
        let clusters = cluster_ids(input.clusters, datasets.into_iter());
        let test = wilcoxon(
            &cluster_means(&values, &clusters),
            PairwiseOptions::default().test,
        )?;
        gate.common.push(CommonShift {
            model: model.to_owned(),
            shift: values.iter().sum::<f64>() / values.len() as f64,
            p_raw: test.p_value,
            p_holm: 1.0,
            fails: false,
        });
    }
    Ok(())
}

/// Holm's correction over everything that moved; what is identical was not tested, and on the splits
/// of the baseline the common shift is no test of its own.
fn adjust(input: &GateInput<'_>, gate: &mut Gate) -> Result<()> {
    let moved = |arm: &&mut Arm| arm.status != ArmStatus::Identical;
    let mut raw: Vec<f64> = gate
        .arms
        .iter_mut()
        .filter(moved)
        .map(|arm| arm.p_raw)
        .collect();
    if !input.same_splits {
        raw.extend(gate.common.iter().map(|common| common.p_raw));
    }
    let mut adjusted = holm(&raw)?.into_iter();
    for (arm, p) in gate.arms.iter_mut().filter(moved).zip(adjusted.by_ref()) {
        arm.p_holm = p;
    }
    for (common, p) in gate.common.iter_mut().zip(adjusted) {
        common.p_holm = p;
    }
    let (tolerance, alpha) = (input.config.tolerance, input.config.alpha);
    for common in &mut gate.common {
        common.fails =
            !input.same_splits && common.shift.abs() > tolerance && common.p_holm < alpha;
    }
    Ok(())
}

fn decide(
    input: &GateInput<'_>,
    differences: &[(Vec<f64>, Vec<usize>)],
    gate: &mut Gate,
) -> Result<()> {
    let (tolerance, alpha) = (input.config.tolerance, input.config.alpha);
    let level = Level::new(alpha)?;
    let tested = gate
        .arms
        .iter()
        .filter(|arm| arm.status != ArmStatus::Identical)
        .count()
        + if input.same_splits {
            0
        } else {
            gate.common.len()
        };
    for (arm, (values, clusters)) in gate.arms.iter_mut().zip(differences) {
        if arm.status == ArmStatus::Identical {
            continue;
        }
        let paired = PairedDifferences::new(values.clone(), clusters)?;
        let options = BootstrapOptions {
            level,
            draws: DRAWS,
            ..BootstrapOptions::default()
        };
        arm.interval = too_few(bootstrap_mean(&paired, options))?
            .map(|interval| (interval.lower, interval.upper));
        let options = PowerOptions {
            level: level.bonferroni(tested),
            ..PowerOptions::default()
        };
        arm.detectable =
            too_few(minimum_detectable_effect(&paired, options))?.map(|found| found.effect);
        let sure = arm.p_holm < alpha || arm.constant;
        arm.status = if arm.shift.abs() <= tolerance {
            ArmStatus::Moved
        } else if !sure {
            ArmStatus::Unclear
        } else if arm.shift > 0.0 {
            ArmStatus::Regressed
        } else {
            ArmStatus::Improved
        };
        // The least p value that so many signs can give, whatever the data.
        let signs = i32::try_from(arm.clusters).unwrap_or(i32::MAX);
        let least = 2.0 * 0.5_f64.powi(signs) * tested as f64;
        let decided = matches!(arm.status, ArmStatus::Regressed | ArmStatus::Improved);
        arm.underpowered = !decided
            && !arm.constant
            && (least >= alpha || arm.detectable.is_none_or(|effect| effect > tolerance));
    }
    Ok(())
}
