//! Claims that bound every result: nothing below the floor, no improvement too good to be true.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::Record;
use counterweight_plots::format::{p_value, plural, points};
use counterweight_stats::holm;

use super::{ClaimResult, ClaimStatus, NAMED, blank};
use crate::SAME;
use crate::cells::value_of;
use crate::config::Claim;
use crate::error::Result;
use crate::result::{Gate, GateInput, Place};

/// A method on a population at a ratio, against the floor.
#[derive(Default)]
struct Floor {
    difference: f64,
    variance: f64,
    cells: f64,
}

pub(super) fn floor(
    input: &GateInput<'_>,
    claim: &Claim,
    current: &[&Record],
) -> Result<ClaimResult> {
    let mut result = blank(
        claim,
        format!("no balanced error below the floor{}", claim.scope.data()),
    );
    let mut floors: BTreeMap<(String, String, String, String), Floor> = BTreeMap::new();
    for record in current.iter().filter(|record| claim.scope.wants(record)) {
        let (Some(value), Some(bayes)) = (value_of(record), record.bayes_balanced_error) else {
            continue;
        };
        let place = Place::of(record);
        let key = (place.model, place.correction, place.dataset, place.ratio);
        let floor = floors.entry(key).or_default();
        floor.difference += value - bayes;
        floor.variance += sampling_variance(record, bayes);
        floor.cells += 1.0;
    }
    let tested: Vec<_> = floors
        .iter()
        .map(|(key, floor)| {
            let mean = floor.difference / floor.cells;
            let error = floor.variance.sqrt() / floor.cells;
            // Without any variance (an error of 0 against a floor of 0) the size decides.
            let p = if mean >= -SAME {
                1.0
            } else if error > 0.0 {
                0.5 * (-0.5 * (mean / error).powi(2)).exp()
            } else {
                0.0
            };
            (key, mean, p)
        })
        .collect();
    if tested.is_empty() {
        result.detail = "no cell in its scope has a floor".into();
        return Ok(result);
    }
    let raw: Vec<f64> = tested.iter().map(|(_, _, p)| *p).collect();
    let adjusted = holm(&raw)?;
    let mut below: Vec<(f64, String, f64)> = tested
        .iter()
        .zip(&adjusted)
        .filter(|(_, p)| **p < input.config.alpha)
        .map(|((key, mean, _), p)| {
            (
                *mean,
                format!("{} on {}, {} at ratio {}", key.1, key.0, key.2, key.3),
                *p,
            )
        })
        .collect();
    below.sort_by(|a, b| a.0.total_cmp(&b.0));
    result.effect = tested
        .iter()
        .map(|(_, mean, _)| *mean)
        .min_by(f64::total_cmp);
    result.p_value = adjusted.iter().copied().min_by(f64::total_cmp);
    if below.is_empty() {
        result.status = ClaimStatus::Holds;
        result.detail = format!("{} at or above it", plural(tested.len(), "result"));
    } else {
        result.status = ClaimStatus::Fails;
        let named: Vec<String> = below
            .iter()
            .take(NAMED)
            .map(|(mean, who, p)| format!("{who} ({} points, p {})", points(*mean), p_value(*p)))
            .collect();
        result.detail = format!(
            "{} of {} below it: {}{}",
            below.len(),
            plural(tested.len(), "result"),
            named.join("; "),
            more(below.len())
        );
    }
    Ok(result)
}

fn more(found: usize) -> String {
    if found > NAMED {
        format!("; and {} more", found - NAMED)
    } else {
        String::new()
    }
}

/// The largest variance that balanced error minus Bayes error can have on these test rows.
fn sampling_variance(record: &Record, bayes: f64) -> f64 {
    let spread = |recall: f64| (recall * (1.0 - recall)).max(0.0).sqrt();
    let present: Vec<(f64, f64)> = record
        .recalls
        .iter()
        .zip(&record.test_counts)
        .filter_map(|(recall, n)| Some(((*recall)?, *n as f64)))
        .filter(|(_, n)| *n > 0.0)
        .collect();
    let classes = present.len() as f64;
    present
        .iter()
        .map(|(recall, n)| {
            (spread(*recall) + spread(1.0 - bayes)).powi(2) / (classes * classes * n)
        })
        .sum()
}

pub(super) fn improvement(
    input: &GateInput<'_>,
    claim: &Claim,
    gate: &Gate,
    at_most: f64,
) -> ClaimResult {
    let mut result = blank(
        claim,
        format!(
            "no improvement on the baseline beyond {} points{}",
            points(at_most).trim_start_matches('+'),
            claim.scope.data()
        ),
    );
    let scope = &claim.scope;
    // Source and family are properties of records, not of methods: find who is wanted there.
    let wanted: BTreeSet<(&str, &str)> = input
        .records
        .iter()
        .filter(|record| scope.wants(record))
        .map(|record| (record.model.as_str(), record.correction.as_str()))
        .collect();
    let datasets: BTreeSet<&str> = input
        .records
        .iter()
        .filter(|record| scope.wants_data(record))
        .map(|record| record.dataset.as_str())
        .collect();
    let mut best: Option<f64> = None;
    let mut jumps: Vec<(f64, String)> = Vec::new();
    let mut methods = 0;
    for arm in &gate.arms {
        if !wanted.contains(&(arm.model.as_str(), arm.correction.as_str())) {
            continue;
        }
        let shifts: Vec<f64> = arm
            .by_dataset
            .iter()
            .filter(|shift| datasets.contains(shift.dataset.as_str()))
            .map(|shift| shift.shift)
            .collect();
        if shifts.is_empty() {
            continue;
        }
        methods += 1;
        let mean = shifts.iter().sum::<f64>() / shifts.len() as f64;
        best = Some(best.map_or(mean, |best| best.min(mean)));
        // On other seeds a jump may be luck; on the same splits it is what it is.
        let sure = input.same_splits || arm.p_holm < input.config.alpha;
        if mean < -at_most && sure {
            jumps.push((
                mean,
                format!(
                    "{} on {} ({} points)",
                    arm.correction,
                    arm.model,
                    points(mean)
                ),
            ));
        }
    }
    jumps.sort_by(|a, b| a.0.total_cmp(&b.0));
    result.effect = best;
    let Some(best) = best else {
        result.detail = "no method in its scope was compared".into();
        return result;
    };
    if jumps.is_empty() {
        result.status = ClaimStatus::Holds;
        result.detail = format!(
            "{}, the lowest shift is {}",
            plural(methods, "method"),
            points(best)
        );
    } else {
        result.status = ClaimStatus::Fails;
        let named: Vec<String> = jumps
            .iter()
            .take(NAMED)
            .map(|(_, who)| who.clone())
            .collect();
        result.detail = format!(
            "{} of {}: {}{}",
            jumps.len(),
            plural(methods, "method"),
            named.join("; "),
            more(jumps.len())
        );
    }
    result
}
