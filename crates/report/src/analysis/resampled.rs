//! What each resampler did to the training rows: counts before and after, synthetic rows, time.

use std::collections::BTreeMap;

use super::{Data, mean};

/// One resampler with its parameters, over all datasets where it ran; means over datasets.
#[derive(Debug, Clone, PartialEq)]
pub struct ResamplerRow {
    /// The stage with its parameters, as the records give it.
    pub resample: String,
    /// Datasets where it ran.
    pub n_datasets: usize,
    /// Training rows after, divided by those before.
    pub growth: Option<f64>,
    /// Share of the rows after that are synthetic.
    pub synthetic_share: Option<f64>,
    /// Rows of the smallest class before.
    pub minority_before: Option<f64>,
    /// Rows of the smallest class after.
    pub minority_after: Option<f64>,
    /// Largest over smallest class count before.
    pub ratio_before: Option<f64>,
    /// Largest over smallest class count after.
    pub ratio_after: Option<f64>,
    /// Seconds a training set.
    pub seconds: Option<f64>,
}

/// The resamplers of the sweep, by name; none when the records hold no counts.
pub(super) fn resampled(data: &Data) -> Vec<ResamplerRow> {
    // A resampled set serves all models, so the first model with a value at a point speaks for it.
    let mut by_stage: BTreeMap<&str, BTreeMap<usize, Vec<usize>>> = BTreeMap::new();
    let mut sources: BTreeMap<(&str, usize), (usize, usize)> = BTreeMap::new();
    for ((model, point, correction), summary) in data.cube.iter() {
        let Some(stage) = data.resample_at(point, correction) else {
            continue;
        };
        let Some(dataset) = data.points.get(point).map(|point| point.dataset) else {
            continue;
        };
        if summary.details.get("resample_rows_after").is_none()
            || sources.contains_key(&(stage, point))
        {
            continue;
        }
        sources.insert((stage, point), (model, correction));
        by_stage
            .entry(stage)
            .or_default()
            .entry(dataset)
            .or_default()
            .push(point);
    }
    by_stage
        .into_iter()
        .map(|(stage, datasets)| {
            let summary = |point: usize| {
                let (model, correction) = *sources.get(&(stage, point))?;
                data.cube.get(model, point, correction)
            };
            let detail = |point: usize, key: &str| summary(point)?.details.get(key).copied();
            let over = |value: &dyn Fn(usize) -> Option<f64>| {
                mean(
                    datasets
                        .values()
                        .filter_map(|points| mean(points.iter().filter_map(|&p| value(p)))),
                )
            };
            ResamplerRow {
                resample: stage.to_owned(),
                n_datasets: datasets.len(),
                growth: over(&|p| {
                    let before = detail(p, "resample_rows_before").filter(|n| *n > 0.0)?;
                    Some(detail(p, "resample_rows_after")? / before)
                }),
                synthetic_share: over(&|p| detail(p, "resample_synthetic_share")),
                minority_before: over(&|p| detail(p, "resample_minority_before")),
                minority_after: over(&|p| detail(p, "resample_minority_after")),
                ratio_before: over(&|p| detail(p, "resample_ratio_before")),
                ratio_after: over(&|p| detail(p, "resample_ratio_after")),
                seconds: over(&|p| summary(p)?.resample_seconds),
            }
        })
        .collect()
}
