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
//! An oracle is optimistic where a class has few test rows. Its optimism is estimated by choosing the
//! offsets on either half of the test rows and judging them on the other half.

use counterweight_stats::{BootstrapOptions, Interval, PairedDifferences, bootstrap_mean};
use rayon::prelude::*;

use super::cube::Summary;
use super::paired::{cluster_numbers, too_few};
use super::{Comparison, Data, mean};
use crate::error::{ReportError, Result};

/// A mean over datasets with its 95 % interval over clusters of related sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// The mean, in units of balanced error; positive is a gain.
    pub mean: f64,
    /// Its interval; `None` with fewer than five clusters.
    pub interval: Option<Interval>,
}

/// The gain of a correction and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Index of the model.
    pub model: usize,
    /// Index of the correction.
    pub correction: usize,
    /// Datasets that the means are over.
    pub n_datasets: usize,
    /// Against no correction.
    pub gain: Part,
    /// What the best offsets alone could win on the scores of no correction.
    pub threshold: Part,
    /// What better scores win beyond any offsets.
    pub ranking: Part,
    /// What the correction's own decision leaves to the best offsets on its scores.
    pub left: Part,
    /// How much too low the oracle of the correction's scores is, estimated.
    pub optimism: Option<f64>,
}

/// Keys of the details that the bounds stand under.
const ORACLE: &str = "oracle_balanced_error";
const TRANSFER: &str = "oracle_transfer_balanced_error";

/// The effects of all corrections of all models, in the order of the comparisons. None when the
/// target is another metric or the records hold no bounds.
pub(super) fn effects(data: &Data, overall: &[Comparison]) -> Result<Vec<Effect>> {
    let Some(baseline) = data.baseline.filter(|_| data.target.is_balanced_error()) else {
        return Ok(Vec::new());
    };
    let arms: Vec<(usize, usize)> = overall
        .iter()
        .flat_map(|comparison| {
            let arms = comparison.against.iter();
            arms.map(|against| (comparison.model, against.correction))
        })
        .collect();
    let found: Result<Vec<Option<Effect>>> = arms
        .par_iter()
        .map(|&(model, correction)| {
            effect(data, model, baseline, correction).map_err(|source| ReportError::Stats {
                what: "the parts of the gains".to_owned(),
                source,
            })
        })
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

/// The four parts at one point.
fn parts(base: &Summary, own: &Summary) -> Option<[f64; 4]> {
    let oracle = |summary: &Summary| summary.details.get(ORACLE).copied();
    let (a, o) = (base.value()?, oracle(base)?);
    let (c, q) = (own.value()?, oracle(own)?);
    Some([a - c, a - o, o - q, c - q])
}

fn effect(
    data: &Data,
    model: usize,
    baseline: usize,
    correction: usize,
) -> counterweight_stats::Result<Option<Effect>> {
    let mut datasets: Vec<usize> = Vec::new();
    let mut values: Vec<[f64; 4]> = Vec::new();
    let mut optimism: Vec<f64> = Vec::new();
    let asked = data.points_of(data.question());
    for dataset in 0..data.datasets.len() {
        let at_points: Vec<([f64; 4], Option<f64>)> = asked
            .iter()
            .copied()
            .filter(|&p| data.points.get(p).is_some_and(|x| x.dataset == dataset))
            .filter_map(|point| {
                let base = data.cube.get(model, point, baseline)?;
                let own = data.cube.get(model, point, correction)?;
                let excess = own
                    .details
                    .get(TRANSFER)
                    .zip(own.details.get(ORACLE))
                    .map(|(transfer, oracle)| transfer - oracle);
                Some((parts(base, own)?, excess))
            })
            .collect();
        let part = |k: usize| {
            mean(
                at_points
                    .iter()
                    .filter_map(|(parts, _)| parts.get(k).copied()),
            )
        };
        if let (Some(a), Some(b), Some(c), Some(d)) = (part(0), part(1), part(2), part(3)) {
            datasets.push(dataset);
            values.push([a, b, c, d]);
        }
        optimism.extend(mean(at_points.iter().filter_map(|(_, excess)| *excess)));
    }
    if values.is_empty() {
        return Ok(None);
    }
    let clusters = cluster_numbers(data, datasets.iter().copied());
    let part = |k: usize| -> counterweight_stats::Result<Part> {
        let column: Vec<f64> = values.iter().filter_map(|v| v.get(k).copied()).collect();
        let paired = PairedDifferences::new(column, &clusters)?;
        let options = BootstrapOptions {
            draws: 1_999,
            ..BootstrapOptions::default()
        };
        Ok(Part {
            mean: paired.mean(),
            interval: too_few(bootstrap_mean(&paired, options))?,
        })
    };
    Ok(Some(Effect {
        model,
        correction,
        n_datasets: values.len(),
        gain: part(0)?,
        threshold: part(1)?,
        ranking: part(2)?,
        left: part(3)?,
        optimism: mean(optimism.into_iter()),
    }))
}
