//! Corrections at fixed parameters and at those that each chooses inside the fold.

use super::{Rows, Sheet, correction_cell, model_cell};
use crate::analysis::{Analysis, SelectionOrder, SelectionRow};
use crate::error::Result;
use crate::format::{fixed, percent, points, rank};
use crate::view::{Cell, View};

fn order<'a>(analysis: &'a Analysis, row: &SelectionRow) -> Option<&'a SelectionOrder> {
    analysis.selection.orders.get(row.order)
}

/// What the fixed entries fix, in words: `k-nearest-neighbours` at k=5.
fn fixed_words(analysis: &Analysis) -> String {
    let words: Vec<String> = analysis
        .selection
        .orders
        .iter()
        .map(|order| {
            let whose = if order.at_defaults {
                ", the default"
            } else {
                ""
            };
            format!(
                "`{}` at {}{whose}",
                analysis.model(order.fixed),
                order.fixed_at
            )
        })
        .collect();
    words.join("; ")
}

/// Per model and correction: both values, the gain, both places, and what was chosen.
pub(super) fn selection(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.selection.rows;
    let target = &analysis.target;
    let mut view = View::new(
        "selection",
        "Each correction at parameters of its own choice",
        format!(
            "{}, means over datasets. Fixed: {}. Selected: chosen inside each training fold for each \
             correction on its own. Gain in points with its standard error over datasets; positive is better. Places: \
             positions and mean ranks among the corrections that both entries rank, on the same datasets. Chosen: \
             how many of the fits took each point of the grid.",
            target.units(),
            fixed_words(analysis)
        ),
    )
    .words("model")
    .words("correction")
    .numbers("datasets")
    .numbers("fixed")
    .numbers("selected")
    .numbers("gain")
    .numbers("place fixed")
    .numbers("place selected")
    .numbers("mean rank fixed")
    .numbers("mean rank selected")
    .words("chosen");
    for row in rows {
        let Some(order) = order(analysis, row) else {
            continue;
        };
        let gain = match row.standard_error {
            Some(error) => format!("{} ± {}", points(row.gain), fixed(error * 100.0, 1)),
            None => points(row.gain),
        };
        let place = |get: fn(&crate::analysis::Places) -> usize| {
            Cell::number(row.places.as_ref().map(get).map(|n| n as f64), |n| {
                fixed(n, 0)
            })
        };
        view.rows.push(vec![
            model_cell(analysis, order.selected),
            correction_cell(analysis, row.correction),
            Cell::count(row.n_datasets),
            Cell::number(Some(row.fixed), percent),
            Cell::number(Some(row.selected), percent),
            Cell {
                text: gain,
                sort: Some(row.gain),
                ..Cell::default()
            },
            place(|p| p.fixed),
            place(|p| p.selected),
            Cell::number(row.places.map(|p| p.fixed_rank), rank),
            Cell::number(row.places.map(|p| p.selected_rank), rank),
            Cell::text(chosen_words(row)),
        ]);
    }
    let of = |row: &SelectionRow, get: &dyn Fn(&SelectionOrder) -> String| {
        order(analysis, row).map_or_else(String::new, get)
    };
    let place =
        |row: &SelectionRow, get: fn(&crate::analysis::Places) -> f64| row.places.as_ref().map(get);
    Rows::new("selection")
        .text("model_selected", rows, |row| {
            of(row, &|order| analysis.model(order.selected).to_owned())
        })
        .text("model_fixed", rows, |row| {
            of(row, &|order| analysis.model(order.fixed).to_owned())
        })
        .text("fixed_at", rows, |row| {
            of(row, &|order| order.fixed_at.clone())
        })
        .text("selected_by", rows, |row| {
            of(row, &|order| order.metric.clone())
        })
        .text("correction", rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .whole("n_datasets", rows, |row| row.n_datasets)
        .real("fixed", rows, |row| Some(row.fixed))
        .real("selected", rows, |row| Some(row.selected))
        .real("gain", rows, |row| Some(row.gain))
        .real("gain_standard_error", rows, |row| row.standard_error)
        .real("fixed_mean_rank", rows, |row| place(row, |p| p.fixed_rank))
        .real("selected_mean_rank", rows, |row| {
            place(row, |p| p.selected_rank)
        })
        .real("fixed_place", rows, |row| place(row, |p| p.fixed as f64))
        .real("selected_place", rows, |row| {
            place(row, |p| p.selected as f64)
        })
        .text("chosen", rows, chosen_words)
        .sheet(vec![view])
}

fn chosen_words(row: &SelectionRow) -> String {
    let words = row.chosen.iter().map(|(point, n)| format!("{point}: {n}"));
    words.collect::<Vec<_>>().join("; ")
}

/// One row a model, correction and point of the grid that was chosen.
pub(super) fn choices(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<(&SelectionRow, &str, usize, usize)> = analysis
        .selection
        .rows
        .iter()
        .flat_map(|row| {
            let all = row.chosen.iter().map(|(_, n)| n).sum::<usize>();
            row.chosen
                .iter()
                .map(move |(point, n)| (row, point.as_str(), *n, all))
        })
        .collect();
    Rows::new("selection_choices")
        .text("model", &rows, |(row, ..)| {
            let order = order(analysis, row);
            order.map_or_else(String::new, |o| analysis.model(o.selected).to_owned())
        })
        .text("correction", &rows, |(row, ..)| {
            analysis.correction(row.correction).to_owned()
        })
        .text("point", &rows, |(_, point, ..)| (*point).to_owned())
        .whole("fits", &rows, |(_, _, n, _)| *n)
        .real("share", &rows, |(_, _, n, all)| {
            Some(*n as f64 / *all as f64)
        })
        .sheet(Vec::new())
}
