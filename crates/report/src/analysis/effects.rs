//! How much of a correction's gain is a mere threshold shift.
//!
//! Every fit is judged three times: by the decision of its correction, and by the offsets that are
//! best for its scores on these very test rows. The second is an oracle: it marks what decisions
//! could reach at most, and is never ranked. With `none` for no correction, `own` for a correction's
//! own decision and `oracle` for the best,
//!
//! ```text
//! gain      = BER(none, own) - BER(correction, own)
//!           = threshold + ranking - left
//! threshold = BER(none, own) - BER(none, oracle)              what offsets alone could win
//! ranking   = BER(none, oracle) - BER(correction, oracle)     what only other scores can
//! left      = BER(correction, own) - BER(correction, oracle)  what its own decision still loses
//! ```
//!
//! An oracle is optimistic where a class has few test rows, so where the records allow it `oracle` is the
//! error of offsets chosen on either half of the test rows and judged on the other. A ranked correction is
//! taken apart on the datasets that all ranked corrections of its model share, so that rows compare.

use rayon::prelude::*;

use super::cover::{Cell, Cells};
use super::cube::Summary;
use super::paired::Part;
use super::{Comparison, Data};
use crate::error::{ReportError, Result};

/// The gain of a correction and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Index of the model.
    pub model: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Clusters that the means are over.
    pub n_clusters: usize,
    /// Against no correction.
    pub gain: Part,
    /// What the best offsets alone could win on the scores of no correction.
    pub threshold: Part,
    /// What better scores win beyond any offsets.
    pub ranking: Part,
    /// What the correction's own decision leaves to the best offsets on its scores.
    pub left: Part,
}

/// Keys of the details that the bounds stand under: halves first.
const ORACLES: [&str; 2] = ["oracle_transfer_balanced_error", "oracle_balanced_error"];

/// The effects of all corrections of all models, in the order of the comparisons. None when the
/// target is another metric or the records hold no bounds.
pub(super) fn effects(data: &Data, overall: &[Comparison]) -> Result<Vec<Effect>> {
    let Some(baseline) = data.baseline.filter(|_| data.target.is_balanced_error()) else {
        return Ok(Vec::new());
    };
    let arms: Vec<(&Comparison, usize)> = overall
        .iter()
        .flat_map(|comparison| {
            let arms = comparison.against.iter();
            arms.map(move |against| (comparison, against.correction))
        })
        .collect();
    let found: Result<Vec<Option<Effect>>> = arms
        .par_iter()
        .map(|&(comparison, correction)| {
            effect(data, comparison, (baseline, correction)).map_err(|source| ReportError::Stats {
                what: "the parts of the gains".to_owned(),
                source,
            })
        })
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

/// The four parts at one point.
fn parts(base: &Summary, own: &Summary) -> Option<[f64; 4]> {
    let key = ORACLES.into_iter().find(|key| {
        let known = |summary: &Summary| summary.details.get(key).is_some();
        known(base) && known(own)
    })?;
    let oracle = |summary: &Summary| summary.details.get(key).copied();
    let (a, o) = (base.value()?, oracle(base)?);
    let (c, q) = (own.value()?, oracle(own)?);
    Some([a - c, a - o, o - q, c - q])
}

fn effect(
    data: &Data,
    comparison: &Comparison,
    (baseline, correction): (usize, usize),
) -> counterweight_stats::Result<Option<Effect>> {
    let model = comparison.model();
    let ranked = comparison.rank_of(correction).is_some();
    let at = |(model, point): Cell| {
        let base = data.cube.get(model, point, baseline)?;
        parts(base, data.cube.get(model, point, correction)?)
    };
    let mut cells = Cells::new();
    for point in data.points_of(data.question()) {
        let Some(dataset) = data.points.get(point).map(|point| point.dataset) else {
            continue;
        };
        if at((model, point)).is_some() && (!ranked || comparison.datasets.contains(&dataset)) {
            cells.entry(dataset).or_default().push((model, point));
        }
    }
    if cells.is_empty() {
        return Ok(None);
    }
    let part = |k: usize| {
        let by_cluster = data.by_cluster(&cells, &|cell| at(cell)?.get(k).copied());
        Part::of(&by_cluster.into_values().collect::<Vec<f64>>())
    };
    let n_clusters = data
        .by_cluster(&cells, &|cell| at(cell)?.first().copied())
        .len();
    Ok(Some(Effect {
        model,
        correction,
        n_clusters,
        gain: part(0)?,
        threshold: part(1)?,
        ranking: part(2)?,
        left: part(3)?,
    }))
}
