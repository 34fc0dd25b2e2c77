//! Ranks of the corrections over datasets, and in bands of what the datasets are like.

use crate::analysis::{Analysis, Comparison, Scope};
use crate::error::Result;
use crate::format::{fixed, p_value, percent, points, rank};
use crate::tables::{Rows, Sheet, correction_cell, model_cell, place_mark};
use crate::view::{Cell, View};

/// Mean ranks: corrections in rows, models in columns, best in bold.
pub(in crate::tables) fn ranks(analysis: &Analysis) -> Result<Sheet> {
    struct Row {
        model: usize,
        place: usize,
        correction: usize,
        mean_rank: f64,
        n_datasets: usize,
        n_clusters: usize,
        n_points: usize,
    }
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        for (place, ranked) in comparison.ranked.iter().enumerate() {
            rows.push(Row {
                model: comparison.model,
                place: place + 1,
                correction: ranked.correction,
                mean_rank: ranked.mean_rank,
                n_datasets: comparison.datasets.len(),
                n_clusters: comparison.n_clusters,
                n_points: comparison.n_points,
            });
        }
    }
    let ranked: Vec<&Comparison> = analysis
        .overall
        .iter()
        .filter(|comparison| !comparison.ranked.is_empty())
        .collect();
    let mut view = View::new(
        "ranks",
        "Mean ranks",
        "1 is best; under each model the number of datasets behind its ranks, the same for all \
         corrections of a column. Bold: best; underlined (italic in markdown): not significantly \
         worse. Empty: not in the common ranking of that model. Ranks of different models are not \
         comparable where they rank different numbers of corrections.",
    )
    .words("correction");
    for comparison in &ranked {
        view = view.numbers(format!(
            "{} ({})",
            analysis.model(comparison.model),
            comparison.datasets.len()
        ));
    }
    for correction in 0..analysis.corrections.len() {
        let mut cells = vec![correction_cell(analysis, correction)];
        for comparison in &ranked {
            let place = comparison
                .ranked
                .iter()
                .position(|r| r.correction == correction);
            let found = place.and_then(|place| Some((place, comparison.ranked.get(place)?)));
            cells.push(found.map_or_else(Cell::default, |(place, ranked)| {
                Cell::number(Some(ranked.mean_rank), rank)
                    .marked(place_mark(place, ranked.among_best))
            }));
        }
        if cells.iter().skip(1).any(|cell| cell.sort.is_some()) {
            view.rows.push(cells);
        }
    }
    Rows::new("ranks")
        .text("model", &rows, |row| analysis.model(row.model).to_owned())
        .whole("place", &rows, |row| row.place)
        .text("correction", &rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .real("mean_rank", &rows, |row| Some(row.mean_rank))
        .whole("n_datasets", &rows, |row| row.n_datasets)
        .whole("n_clusters", &rows, |row| row.n_clusters)
        .whole("n_points", &rows, |row| row.n_points)
        .sheet(vec![view])
}

/// Ranks and differences within ratio bands, real datasets and populations.
pub(in crate::tables) fn bands(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<(&Comparison, usize)> = analysis
        .scoped
        .iter()
        .flat_map(|comparison| (0..comparison.ranked.len()).map(move |place| (comparison, place)))
        .collect();
    let ranked =
        |(comparison, place): &(&Comparison, usize)| comparison.ranked.get(*place).cloned();
    let against = |row: &(&Comparison, usize)| row.0.against(ranked(row)?.correction).cloned();
    let mut view = View::new(
        "bands",
        "By band of the imbalance ratio, and by source",
        "The comparison made anew within each band of the realised imbalance ratio of the training \
         rows, for real datasets and for populations. Columns as in the main table.",
    )
    .words("scope")
    .words("model")
    .words("correction")
    .numbers("mean rank")
    .numbers("datasets")
    .numbers(analysis.target.head())
    .numbers("difference")
    .words("95 % interval")
    .numbers("Holm p");
    for row in &rows {
        let (Some(ranked), against) = (ranked(row), against(row)) else {
            continue;
        };
        let mark = place_mark(row.1, ranked.among_best);
        let interval = against
            .as_ref()
            .and_then(|a| a.interval)
            .map_or_else(String::new, |i| {
                format!(
                    "[{}, {}]",
                    fixed(i.lower * 100.0, 1),
                    fixed(i.upper * 100.0, 1)
                )
            });
        view.rows.push(vec![
            Cell::text(row.0.scope.label()),
            model_cell(analysis, row.0.model),
            correction_cell(analysis, ranked.correction).marked(mark),
            Cell::number(Some(ranked.mean_rank), rank).marked(mark),
            Cell::count(row.0.datasets.len()),
            Cell::number(Some(ranked.mean_value), percent),
            Cell::number(against.as_ref().map(|a| a.mean_difference), points),
            Cell::text(interval),
            Cell::number(against.as_ref().map(|a| a.p_holm), p_value),
        ]);
    }
    let ends = |row: &(&Comparison, usize)| match row.0.scope {
        Scope::Band(low, high) => (Some(low), Some(high).filter(|high| high.is_finite())),
        _ => (None, None),
    };
    Rows::new("bands")
        .text("scope", &rows, |row| row.0.scope.label())
        .real("ratio_from", &rows, |row| ends(row).0)
        .real("ratio_below", &rows, |row| ends(row).1)
        .text("model", &rows, |row| analysis.model(row.0.model).to_owned())
        .text("correction", &rows, |row| {
            ranked(row)
                .map_or("", |r| analysis.correction(r.correction))
                .to_owned()
        })
        .real("mean_rank", &rows, |row| Some(ranked(row)?.mean_rank))
        .whole("n_datasets", &rows, |row| row.0.datasets.len())
        .whole("n_clusters", &rows, |row| row.0.n_clusters)
        .real(&format!("mean_{}", analysis.target.id), &rows, |row| {
            Some(ranked(row)?.mean_value)
        })
        .real("difference", &rows, |row| {
            Some(against(row)?.mean_difference)
        })
        .real("lower", &rows, |row| Some(against(row)?.interval?.lower))
        .real("upper", &rows, |row| Some(against(row)?.interval?.upper))
        .real("p_holm", &rows, |row| Some(against(row)?.p_holm))
        .whole("n_datasets_paired", &rows, |row| {
            against(row).map_or(0, |a| a.n_datasets)
        })
        .sheet(vec![view])
}
