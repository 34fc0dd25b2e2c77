//! Difference of each correction to none on each dataset.

use counterweight_plots as plots;

use super::{Drawn, Frame, MOST_COLUMNS};
use crate::analysis::{Analysis, Comparison, mean};
use counterweight_plots::format::plural;

pub(super) fn heat_map(analysis: &Analysis, comparison: &Comparison) -> Option<Drawn> {
    let baseline = analysis.baseline?;
    let model = comparison.model();
    // Twins would only repeat a column.
    let twin = |c: usize| comparison.rank_of(c).is_some_and(|r| r.same_as.is_some());
    let own = comparison.against.iter().map(|a| a.correction);
    let mut columns: Vec<usize> = own.filter(|&c| !twin(c)).collect();
    let all = columns.len();
    columns.truncate(MOST_COLUMNS);
    let asked = analysis.points_of(analysis.question());
    // A dataset's cells are means over the points that all columns with a value there share.
    let difference = |dataset: usize| -> Vec<Option<f64>> {
        let value = |index: usize, c| analysis.cube.value(model, index, c);
        let own = |index: &&usize| {
            analysis
                .points
                .get(**index)
                .is_some_and(|p| p.dataset == dataset)
        };
        let points: Vec<usize> = asked.iter().filter(own).copied().collect();
        let known = |c: usize| points.iter().any(|&p| value(p, c).is_some());
        let valued: Vec<usize> = columns.iter().copied().filter(|&c| known(c)).collect();
        let all = |p: &&usize| valued.iter().all(|&c| value(**p, c).is_some());
        let shared: Vec<usize> = points.iter().filter(all).copied().collect();
        let gap = |p: usize, c: usize| Some(value(p, c)? - value(p, baseline)?);
        let cell = |&c: &usize| mean(shared.iter().filter_map(|&p| gap(p, c)));
        columns.iter().map(cell).collect()
    };
    let mut rows: Vec<(String, Vec<Option<f64>>)> = Vec::new();
    for (dataset, info) in analysis.datasets.iter().enumerate() {
        let cells = difference(dataset);
        if cells.iter().any(Option::is_some) {
            rows.push((info.id.clone(), cells));
        }
    }
    if rows.is_empty() || columns.is_empty() {
        return None;
    }
    // Sorted by what all share.
    let complete: Vec<Vec<f64>> = rows
        .iter()
        .filter_map(|(_, cells)| cells.iter().copied().collect())
        .collect();
    let shared = |column: usize| {
        let cells = complete
            .iter()
            .filter_map(|cells| cells.get(column).copied());
        mean(cells).map_or(f64::INFINITY, |mean| analysis.target.cost(mean))
    };
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by(|a, b| shared(*a).total_cmp(&shared(*b)));
    let columns: Vec<usize> = order
        .iter()
        .filter_map(|&at| columns.get(at).copied())
        .collect();
    for (_, cells) in &mut rows {
        *cells = order
            .iter()
            .map(|&at| cells.get(at).copied().flatten())
            .collect();
    }
    let note = format!(
        "{} of {all} by their mean on the {} that all of them share, best first.",
        plural(columns.len(), "correction"),
        plural(complete.len(), "dataset")
    );
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
