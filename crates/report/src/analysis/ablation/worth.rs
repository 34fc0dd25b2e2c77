//! What the choice of a value is worth: the best, its gain over the default, the range, and the verdict.

use counterweight_stats::{Level, PairwiseOptions, holm, wilcoxon};

use super::AblationVerdict;
use crate::analysis::compare::RESOLUTION;
use crate::analysis::{HALF_A_POINT, Part, Target, mean};

/// The mean of each member over some clusters.
pub(super) fn means_of(columns: &[Vec<f64>], drawn: &[usize]) -> Vec<f64> {
    let of = |column: &Vec<f64>| mean(drawn.iter().filter_map(|&c| column.get(c).copied()));
    columns.iter().filter_map(of).collect()
}

pub(super) fn best_place(means: &[f64], cost: impl Fn(f64) -> f64) -> usize {
    let mut best = (f64::INFINITY, 0);
    for (place, &value) in means.iter().enumerate() {
        // Sums in another order differ in the last bits, and are no better.
        if cost(value) < best.0 - RESOLUTION {
            best = (cost(value), place);
        }
    }
    best.1
}

pub(super) fn range(means: &[f64]) -> f64 {
    let ends = means
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| {
            (low.min(v), high.max(v))
        });
    ends.1 - ends.0
}

/// What the best gains over the default, and the p value of that after Holm's correction over all values
/// but the default.
pub(super) fn over_default(
    columns: &[Vec<f64>],
    (best, default): (usize, usize),
    target: &Target,
) -> counterweight_stats::Result<(Part, Option<f64>)> {
    let differences = |own: usize| -> Vec<f64> {
        let pairs = columns.get(default).into_iter().zip(columns.get(own));
        pairs
            .flat_map(|(base, own)| base.iter().zip(own))
            .map(|(base, own)| target.cost(base - own))
            .collect()
    };
    let gain = Part::of(&differences(best))?;
    if best == default {
        return Ok((gain, None));
    }
    let others: Vec<usize> = (0..columns.len()).filter(|own| *own != default).collect();
    let raw: counterweight_stats::Result<Vec<f64>> = others
        .iter()
        .map(|&own| Ok(wilcoxon(&differences(own), PairwiseOptions::default().test)?.p_value))
        .collect();
    let adjusted = holm(&raw?)?;
    let place = others.iter().position(|own| *own == best);
    Ok((gain, place.and_then(|place| adjusted.get(place).copied())))
}

pub(super) fn verdict(
    range: Part,
    gain: Option<(&Part, f64)>,
    differs: Option<bool>,
) -> AblationVerdict {
    let Some(interval) = range.interval else {
        return AblationVerdict::TooFew;
    };
    if range.mean <= RESOLUTION {
        return AblationVerdict::Identical;
    }
    let better = gain.is_some_and(|(gain, p)| {
        p <= Level::FIVE_PERCENT.alpha() && gain.interval.is_some_and(|i| i.lower > 0.0)
    });
    if interval.upper <= 2.0 * HALF_A_POINT {
        AblationVerdict::Flat
    } else if better {
        AblationVerdict::BetterThanDefault
    } else if differs == Some(true) && interval.lower > 0.0 {
        AblationVerdict::Matters
    } else {
        AblationVerdict::Unclear
    }
}
