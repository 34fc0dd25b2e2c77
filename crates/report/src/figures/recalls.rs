//! Recall of frequent, medium and rare classes over the datasets of the common ranking.

use counterweight_plots as plots;

use super::{Drawn, Frame};
use crate::analysis::{Analysis, Comparison, mean};

pub(super) fn recalls(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let groups = ["many_recall", "medium_recall", "few_recall"].map(|id| analysis.metric(id));
    // The same datasets for all corrections of a group, or the group compares datasets.
    let of = |correction: usize, metric: Option<usize>| -> Option<plots::Estimate> {
        let metric = metric?;
        let value = |point: usize, correction: usize| {
            let summary = analysis.cube.get(comparison.model, point, correction)?;
            summary.means.get(metric).copied().flatten()
        };
        let shared: Vec<Vec<usize>> = comparison
            .datasets
            .iter()
            .map(|&dataset| {
                (0..analysis.points.len())
                    .filter(|&p| analysis.points.get(p).is_some_and(|x| x.dataset == dataset))
                    .filter(|&p| {
                        comparison
                            .ranked
                            .iter()
                            .all(|r| value(p, r.correction).is_some())
                    })
                    .collect()
            })
            .collect();
        let means = shared
            .iter()
            .filter_map(|points| mean(points.iter().filter_map(|&p| value(p, correction))));
        mean(means).map(|mean| (mean, None))
    };
    let rows: Vec<plots::RecallRow> = comparison
        .ranked
        .iter()
        .map(|ranked| {
            let [many, medium, few] = groups.map(|group| of(ranked.correction, group));
            let correction = analysis.correction(ranked.correction).to_owned();
            plots::RecallRow {
                correction,
                many,
                medium,
                few,
            }
        })
        .collect();
    // One group alone has nothing to be compared with.
    let groups_present = |row: &plots::RecallRow| {
        [row.many, row.medium, row.few]
            .iter()
            .filter(|group| group.is_some())
            .count()
    };
    if rows.len() < 2 || rows.iter().all(|row| groups_present(row) < 2) {
        return None;
    }
    let data = plots::RecallDots {
        scope: analysis.model(comparison.model).to_owned(),
        groups: ["100 and more", "20 to 99", "below 20"].map(str::to_owned),
        rows,
    };
    let frame = Frame::of_model(
        analysis,
        "recall",
        comparison.model,
        "Recall by the training count of the class",
        "Means over the datasets that all ranked corrections share; a group's mean is over those \
         that have classes in it.",
    );
    Some((
        frame,
        Box::new(move |theme| plots::recall_dots(&data, theme)),
    ))
}
