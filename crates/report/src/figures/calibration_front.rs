//! Balanced error against the log loss of the probabilities as fitted.

use counterweight_plots as plots;
use counterweight_plots::format::plural;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, Comparison};

pub(super) fn fronts(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let model = comparison.model();
    let front = analysis.calibration.fronts.iter();
    let front = front.into_iter().find(|front| front.model == model)?;
    let family = |correction: usize| {
        let info = analysis.corrections.get(correction);
        info.map_or_else(String::new, |info| info.family.clone())
    };
    let data = plots::CalibrationFront {
        scope: analysis.model(model).to_owned(),
        points: front
            .points
            .iter()
            .map(|point| plots::CalibrationPoint {
                correction: analysis.correction(point.correction).to_owned(),
                family: family(point.correction),
                log_loss: point.log_loss,
                error: point.balanced_error,
                front: point.front,
            })
            .collect(),
    };
    let note = format!(
        "Means over the {} of the common ranking. Decisions and probabilities can be had from different corrections: \
         a decision rule on the scores of no correction leaves its probabilities as they are. Corrections that \
         agree in both values are shown once, those without probabilities not at all.",
        plural(front.n_datasets, "dataset")
    );
    let heading = "Balanced error against calibration";
    let frame = Frame::of_model(analysis, "calibration", model, heading, &note);
    Some((
        frame,
        Box::new(move |theme| plots::calibration_front(&data, theme)),
    ))
}
