//! Gain of each model's best-ranked correction on real datasets against their ratio.

use counterweight_plots as plots;

use super::{Drawn, Frame};
use crate::analysis::Analysis;

pub(super) fn gains(analysis: &Analysis) -> Option<Drawn> {
    let baseline = analysis.baseline?;
    let mut panels = Vec::new();
    for comparison in &analysis.overall {
        let Some(best) = comparison.ranked.iter().find(|r| r.correction != baseline) else {
            continue;
        };
        let value = |point, c| analysis.cube.value(comparison.model, point, c);
        let mut points = Vec::new();
        for (index, point) in analysis.points.iter().enumerate() {
            let real = analysis
                .datasets
                .get(point.dataset)
                .is_some_and(|d| !d.synthetic);
            // Induced ratios of one dataset are not further datasets: its natural one speaks.
            if !real || point.requested_ratio.is_some() {
                continue;
            }
            if let (Some(own), Some(base), Some(ratio)) = (
                value(index, best.correction),
                value(index, baseline),
                point.imbalance_ratio,
            ) {
                points.push(plots::GainPoint {
                    dataset: analysis.dataset(point.dataset).to_owned(),
                    ratio,
                    gain: -analysis.target.cost(own - base),
                });
            }
        }
        if points.len() >= 3 {
            panels.push(plots::GainPanel {
                name: format!(
                    "{}: {}",
                    analysis.model(comparison.model),
                    analysis.correction(best.correction)
                ),
                points,
                trend: Vec::new(),
            });
        }
    }
    if panels.is_empty() {
        return None;
    }
    let frame = Frame::of_all(
        "gain".to_owned(),
        "Gain against imbalance ratio on real datasets".to_owned(),
        "The best-ranked correction of each model against no correction, one dot a dataset \
               at its natural ratio."
            .to_owned(),
    );
    let data = plots::GainScatter {
        panels,
        trend_name: String::new(),
    };
    Some((
        frame,
        Box::new(move |theme| plots::gain_scatter(&data, theme)),
    ))
}
