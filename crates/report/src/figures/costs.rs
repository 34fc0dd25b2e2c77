//! Balanced error against time.

use counterweight_plots as plots;
use std::collections::BTreeSet;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, Comparison, mean};

pub(super) fn costs(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let datasets: BTreeSet<usize> = comparison.datasets.iter().copied().collect();
    let points: Vec<plots::CostPoint> = comparison
        .ranked
        .iter()
        .filter_map(|ranked| {
            let own = analysis.own_datasets(comparison.model, ranked.correction);
            let seconds = mean(own.iter().filter(|(d, _)| datasets.contains(d)).filter_map(
                |(_, points)| {
                    mean(points.iter().filter_map(|&point| {
                        analysis
                            .cube
                            .get(comparison.model, point, ranked.correction)?
                            .seconds
                    }))
                },
            ))?;
            (seconds > 0.0).then(|| plots::CostPoint {
                correction: analysis.correction(ranked.correction).to_owned(),
                seconds,
                seconds_band: None,
                error: ranked.mean_value,
                error_band: None,
            })
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let data = plots::CostBenefit {
        scope: analysis.model(comparison.model).to_owned(),
        points,
    };
    let frame = Frame::of_model(
        analysis,
        "cost",
        comparison.model,
        &format!("{} against time", analysis.target.title()),
        "Mean seconds of resampling, fitting, cross-fitting and deciding a cell. Work that cells \
         share is counted in each, so corrections that share a fit cost less together.",
    );
    Some((
        frame,
        Box::new(move |theme| plots::cost_benefit(&data, theme)),
    ))
}
