//! Ratio against balanced error: one figure a subject, one panel a model.

use counterweight_plots as plots;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, RatioCurve};
use crate::view::file_name;

/// Most subjects (populations, datasets) that get a ratio figure of their own.
const MOST_SUBJECTS: usize = 12;

pub(super) fn ratios(analysis: &Analysis) -> Vec<Drawn> {
    let mut drawn: Vec<Drawn> = Vec::new();
    let key = |c: &RatioCurve| (c.subject.clone(), c.profile.clone(), c.n_datasets);
    let mut subjects: Vec<Vec<&RatioCurve>> = Vec::new();
    for curve in &analysis.ratios.curves {
        let same = |s: &&mut Vec<&RatioCurve>| s.first().is_some_and(|f| key(f) == key(curve));
        match subjects.iter_mut().find(same) {
            Some(subject) => subject.push(curve),
            None => subjects.push(vec![curve]),
        }
    }
    let single = |curves: &Vec<&RatioCurve>| {
        curves
            .first()
            .is_some_and(|c| !c.synthetic && c.n_datasets == 1)
    };
    // Populations and groups of datasets; single real datasets only where nothing else shows
    // the ratio, since all their numbers are in the table.
    if subjects.iter().any(|curves| !single(curves)) {
        subjects.retain(|curves| !single(curves));
    }
    subjects.truncate(MOST_SUBJECTS);
    for curves in subjects {
        let Some(first) = curves.first() else {
            continue;
        };
        let several = if first.n_datasets > 1 {
            ", means over the datasets"
        } else {
            ""
        };
        let frame = Frame::of_all(
            format!("ratio_{}_{}", file_name(&first.subject), first.profile),
            format!(
                "Imbalance ratio against {}: {}",
                analysis.target.name, first.subject
            ),
            format!(
                "Profile {}. Bands are 95 % t intervals over repeats and folds{several}.",
                first.profile
            ),
        );
        let data = ratio_data(analysis, &curves);
        drawn.push((
            frame,
            Box::new(move |theme| plots::ratio_curves(&data, theme)),
        ));
    }
    drawn
}

fn ratio_data(analysis: &Analysis, curves: &[&RatioCurve]) -> plots::RatioCurves {
    let mut panels = Vec::new();
    for model in 0..analysis.models.len() {
        let own: Vec<&&RatioCurve> = curves.iter().filter(|curve| curve.model == model).collect();
        let Some(first) = own.first() else { continue };
        let bayes = own.iter().max_by_key(|curve| curve.bayes.len());
        panels.push(plots::RatioPanel {
            model: analysis.model(model).to_owned(),
            // The heading of the page says the subject once for all panels; the file is read alone.
            note: if panels.is_empty() {
                first.subject.clone()
            } else {
                String::new()
            },
            lines: own
                .iter()
                .map(|curve| plots::RatioLine {
                    correction: analysis.correction(curve.correction).to_owned(),
                    points: curve
                        .points
                        .iter()
                        .map(|point| plots::RatioPoint {
                            ratio: point.ratio,
                            value: point.mean,
                            band: point.band,
                        })
                        .collect(),
                })
                .collect(),
            bayes: bayes.map(|curve| curve.bayes.clone()).unwrap_or_default(),
        });
    }
    plots::RatioCurves {
        measure: plots::Measure::Metric,
        panels,
    }
}
