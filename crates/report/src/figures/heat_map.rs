//! Difference of each correction to none on each dataset.

use counterweight_plots as plots;

use super::{Drawn, Frame, MOST_COLUMNS};
use crate::analysis::{Analysis, Comparison, mean};

pub(super) fn heat_map(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let baseline = analysis.baseline?;
    let model = comparison.model;
    let mut columns: Vec<usize> = comparison.against.iter().map(|a| a.correction).collect();
    let all = columns.len();
    columns.truncate(MOST_COLUMNS);
    let asked = analysis.points_of(analysis.question());
    let difference = |dataset: usize, correction: usize| {
        mean(asked.iter().filter_map(|&index| {
            let value = |c| analysis.cube.value(model, index, c);
            (analysis.points.get(index)?.dataset == dataset).then_some(())?;
            Some(value(correction)? - value(baseline)?)
        }))
    };
    let mut rows: Vec<(String, Vec<Option<f64>>)> = Vec::new();
    for (dataset, info) in analysis.datasets.iter().enumerate() {
        let cells: Vec<Option<f64>> = columns
            .iter()
            .map(|&correction| difference(dataset, correction))
            .collect();
        if cells.iter().any(Option::is_some) {
            rows.push((info.id.clone(), cells));
        }
    }
    if rows.is_empty() || columns.is_empty() {
        return None;
    }
    let note = if columns.len() < all {
        format!("The {MOST_COLUMNS} corrections with the largest gains of {all}, largest first.")
    } else {
        "Corrections by their mean difference, largest gain first; means over the ratios of a \
         dataset."
            .to_owned()
    };
    let frame = Frame::of_model(
        analysis,
        "heat",
        model,
        "Difference to no correction, dataset by dataset",
        &note,
    );
    let (rows, cells) = rows.into_iter().unzip();
    let data = plots::HeatMap {
        measure: analysis.target.name.clone(),
        rows,
        columns: columns
            .iter()
            .map(|&c| analysis.correction(c).to_owned())
            .collect(),
        cells,
        missing: "not applicable, or no value on some fold".to_owned(),
        by: ["dataset", "correction"].map(str::to_owned),
        baseline: analysis.correction(baseline).to_owned(),
    };
    Some((frame, Box::new(move |theme| plots::heat_map(&data, theme))))
}
