//! Savings over no correction against the operating point.

use counterweight_plots as plots;

use super::{Drawn, Frame, Section};
use crate::analysis::{Analysis, Comparison, CostRow, Part};

const NOTE: &str = "Normalised expected cost PC x missed + (1 - PC) x false alarms, against the probability cost PC: how much of the \
     cost, with both classes made equally frequent, a missed row of the rare class has; balanced error is PC = 1/2. Above zero is \
     cheaper than no correction. Left: decisions as given. Right: every arm, none too, with the threshold that cost least on \
     other folds. Datasets of two classes.";

/// All distinct models together, on the page.
pub(super) fn pooled(analysis: &Analysis) -> Option<Drawn> {
    let data = curves(analysis, &analysis.pooled)?;
    let heading = "At which costs?".to_owned();
    let frame = Frame::new(
        Section::Cost,
        "cost_by_operating_point".to_owned(),
        heading,
        NOTE.to_owned(),
    );
    Some((
        frame,
        Box::new(move |theme| plots::gain_curves(&data, theme)),
    ))
}

/// One model, on its own page.
pub(super) fn of_model(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let data = curves(analysis, comparison)?;
    let heading = "Expected cost by operating point";
    let frame = Frame::of_model(analysis, "cost", comparison.model(), heading, NOTE);
    Some((
        frame,
        Box::new(move |theme| plots::gain_curves(&data, theme)),
    ))
}

fn curves(analysis: &Analysis, comparison: &Comparison) -> Option<plots::GainCurves> {
    let panel = |title: &str, gain: fn(&CostRow) -> Option<Part>| {
        let line = |&correction: &usize| {
            let own = analysis.costs.of_arm(&comparison.models, correction);
            let line: Vec<plots::GainDot> = own
                .filter_map(|row| {
                    let part = gain(row)?;
                    Some(plots::GainDot {
                        place: row.pc,
                        gain: part.mean,
                        band: part.interval.map(|i| (i.lower, i.upper)),
                        units: row.n_clusters,
                        levels: None,
                    })
                })
                .collect();
            (!line.is_empty()).then(|| plots::GainLine {
                correction: analysis.correction(correction).to_owned(),
                dots: Vec::new(),
                line,
            })
        };
        let shown = analysis.curves.representatives.iter();
        let lines: Vec<plots::GainLine> = shown.filter_map(line).collect();
        (!lines.is_empty()).then(|| plots::GainPanel {
            title: title.to_owned(),
            lines,
            ceiling: Vec::new(),
        })
    };
    let panels = [
        panel("decisions as given", |row| Some(row.gain_given)),
        panel("each with its best threshold", |row| row.gain_best),
    ];
    let panels: Vec<plots::GainPanel> = panels.into_iter().flatten().collect();
    (!panels.is_empty()).then(|| plots::GainCurves {
        axis: plots::GainAxis::ProbabilityCost,
        groups: vec![plots::GainGroup {
            heading: String::new(),
            panels,
        }],
    })
}
