//! Corrections at fixed parameters and at those that each chooses inside the fold.

use super::{Columns, Sheet};
use crate::analysis::{Analysis, Places, SelectionOrder, SelectionRow};
use crate::error::Result;
use counterweight_plots::format::{fixed, percent, points, rank};

/// A row with the order that it belongs to.
type Ordered<'a> = (&'a SelectionRow, &'a SelectionOrder);

fn ordered<'a>(analysis: &'a Analysis) -> Vec<Ordered<'a>> {
    let study = &analysis.selection;
    let with_order = |row: &'a SelectionRow| Some((row, study.orders.get(row.order)?));
    study.rows.iter().filter_map(with_order).collect()
}

/// What the fixed entries fix, in words: `k-nearest-neighbours` at k=5.
fn fixed_words(analysis: &Analysis) -> String {
    let orders = analysis.selection.orders.iter();
    let words = orders.map(|order| {
        let whose = if order.at_defaults {
            ", the default"
        } else {
            ""
        };
        let model = analysis.model(order.fixed);
        format!("`{model}` at {}{whose}", order.fixed_at)
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Per model and correction: both values, the gain, both places, and what was chosen.
pub(super) fn selection(analysis: &Analysis) -> Result<Sheet> {
    let target = &analysis.target;
    let place = |(row, _): &Ordered<'_>, get: fn(&Places) -> f64| row.places.as_ref().map(get);
    let whole = |n: f64| fixed(n, 0);
    Columns::of(&ordered(analysis))
        .code("model_selected", "model", |(_, order)| {
            analysis.model(order.selected)
        })
        .file_text("model_fixed", |(_, order)| analysis.model(order.fixed))
        .file_text("fixed_at", |(_, order)| order.fixed_at.as_str())
        .file_text("selected_by", |(_, order)| order.metric.as_str())
        .code("correction", "correction", |(row, _)| {
            analysis.correction(row.correction)
        })
        .count("n_clusters", "clusters", |(row, _)| row.n_clusters)
        .real("fixed", "fixed", |(row, _)| Some(row.fixed), percent)
        .real("selected", "selected", |(row, _)| Some(row.selected), percent)
        .real("gain", "gain", |(row, _)| Some(row.gain), points)
        .worded(|(row, _)| match row.standard_error {
            Some(error) => format!("{} ± {}", points(row.gain), fixed(error * 100.0, 1)),
            None => points(row.gain),
        })
        .file_real("gain_standard_error", |(row, _)| row.standard_error)
        .real(
            "fixed_place",
            "place fixed",
            |row| place(row, |p| p.fixed as f64),
            whole,
        )
        .real(
            "selected_place",
            "place selected",
            |row| place(row, |p| p.selected as f64),
            whole,
        )
        .real(
            "fixed_mean_rank",
            "mean rank fixed",
            |row| place(row, |p| p.fixed_rank),
            rank,
        )
        .real(
            "selected_mean_rank",
            "mean rank selected",
            |row| place(row, |p| p.selected_rank),
            rank,
        )
        .text("chosen", "chosen", |(row, _)| chosen_words(row))
        .sheet(
            "selection",
            "Each correction at parameters of its own choice",
            format!(
                "{}, means over clusters. Fixed: {}. Selected: chosen inside each training fold for each \
                 correction on its own. Gain in points with its standard error over clusters; positive is better. Places: \
                 positions and mean ranks among the corrections that both entries rank, on the same datasets. Chosen: \
                 how many of the fits took each point of the grid.",
                target.units(),
                fixed_words(analysis)
            ),
        )
}

fn chosen_words(row: &SelectionRow) -> String {
    let words = row.chosen.iter().map(|(point, n)| format!("{point}: {n}"));
    words.collect::<Vec<_>>().join("; ")
}

/// One row a model, correction and point of the grid that was chosen.
pub(super) fn choices(analysis: &Analysis) -> Result<Sheet> {
    let ordered = ordered(analysis);
    let rows: Vec<(&Ordered<'_>, &str, usize, usize)> = ordered
        .iter()
        .flat_map(|ordered| {
            let chosen = &ordered.0.chosen;
            let all = chosen.iter().map(|(_, n)| n).sum::<usize>();
            chosen
                .iter()
                .map(move |(point, n)| (ordered, point.as_str(), *n, all))
        })
        .collect();
    Columns::of(&rows)
        .file_text("model", |((_, order), ..)| analysis.model(order.selected))
        .file_text("correction", |((row, _), ..)| {
            analysis.correction(row.correction)
        })
        .file_text("point", |(_, point, ..)| *point)
        .file_count("fits", |(_, _, n, _)| *n)
        .file_real("share", |(_, _, n, all)| Some(*n as f64 / *all as f64))
        .files("selection_choices", Vec::new())
}
