//! Reliability before and after the prior shift, a panel a correction with probabilities of its own.

use counterweight_plots as plots;
use counterweight_plots::format::plural;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, Comparison, CurveBin, ReliabilityCurve};

/// Most panels of a reliability figure.
const MOST_PANELS: usize = 16;

pub(super) fn reliability(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let model = comparison.model();
    let mut curves: Vec<&ReliabilityCurve> = analysis
        .calibration
        .curves
        .iter()
        .filter(|curve| curve.model == model && !curve.fitted.is_empty())
        .collect();
    curves.sort_by_key(|curve| curve.correction);
    let baseline = analysis
        .baseline
        .and_then(|baseline| curves.iter().find(|curve| curve.correction == baseline));
    let baseline = baseline.map_or_else(Vec::new, |curve| curve.fitted.clone());
    // Decisions on one fit share its probabilities: one panel for all of them.
    let mut shown: Vec<&ReliabilityCurve> = Vec::new();
    let alike = |a: &ReliabilityCurve, b: &ReliabilityCurve| {
        a.fitted == b.fitted && a.corrected == b.corrected
    };
    for curve in curves {
        let plain = curve.fitted == baseline && curve.corrected.is_empty();
        if !plain && !shown.iter().any(|other| alike(other, curve)) {
            shown.push(curve);
        }
    }
    let all = shown.len();
    // Where the shift changes something comes first when there are too many.
    if all > MOST_PANELS {
        shown.sort_by_key(|curve| (curve.corrected.is_empty(), curve.correction));
        shown.truncate(MOST_PANELS);
        shown.sort_by_key(|curve| curve.correction);
    }
    if shown.is_empty() {
        return None;
    }
    let datasets = shown.iter().map(|curve| curve.n_datasets).max();
    let mut note = format!(
        "Means over the {} with two classes, each with the same weight, rows weighted to the metric prior; the area \
         of a dot grows with the share of the weight in its bin. On the dashed diagonal probabilities mean what \
         they say. Corrections that share another's probabilities are left out; no blue curve where the \
         prior shift changes nothing.",
        plural(datasets.unwrap_or(0), "dataset")
    );
    if all > MOST_PANELS {
        note = format!("{MOST_PANELS} of {all} corrections. {note}");
    }
    let dots = |bins: &[CurveBin]| -> Vec<plots::ReliabilityDot> {
        bins.iter()
            .map(|bin| plots::ReliabilityDot {
                share: bin.share,
                predicted: bin.predicted,
                observed: bin.observed,
            })
            .collect()
    };
    let data = plots::ReliabilityGrid {
        scope: analysis.model(model).to_owned(),
        baseline: dots(&baseline),
        panels: shown
            .into_iter()
            .map(|curve| plots::ReliabilityPanel {
                correction: analysis.correction(curve.correction).to_owned(),
                fitted: dots(&curve.fitted),
                corrected: dots(&curve.corrected),
            })
            .collect(),
    };
    let frame = Frame::of_model(
        analysis,
        "reliability",
        model,
        "Reliability before and after the prior correction",
        &note,
    );
    Some((
        frame,
        Box::new(move |theme| plots::reliability_grid(&data, theme)),
    ))
}
