//! Tests between corrections: every pair, and all at once.

use crate::analysis::Analysis;
use crate::error::Result;
use crate::format::{fixed, p_value, points};
use crate::tables::{Rows, Sheet, correction_cell, model_cell};
use crate::view::{Cell, Mark, View};

/// All pairs of the common rankings.
pub(in crate::tables) fn pairwise(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .flat_map(|comparison| comparison.pairs.iter().map(move |pair| (comparison, pair)))
        .collect();
    let mut view = View::new(
        "pairwise",
        "Pairs of corrections",
        format!(
            "The better ranked first; difference in {} in points over the datasets of the common ranking; wins, ties and losses of the first; Wilcoxon's signed-rank test over \
         independent datasets, with Holm's correction over all pairs of the model.",
            analysis.target.name
        ),
    )
    .words("model")
    .words("first")
    .words("second")
    .numbers("difference")
    .numbers("wins")
    .numbers("ties")
    .numbers("losses")
    .numbers("p")
    .numbers("Holm p")
    .numbers("datasets");
    for (comparison, pair) in &rows {
        let mark = if pair.differs {
            Mark::Best
        } else {
            Mark::Plain
        };
        view.rows.push(vec![
            model_cell(analysis, comparison.model),
            correction_cell(analysis, pair.a),
            correction_cell(analysis, pair.b),
            Cell::number(Some(pair.mean_difference), points),
            Cell::count(pair.wins),
            Cell::count(pair.ties),
            Cell::count(pair.losses),
            Cell::number(Some(pair.p_raw), p_value),
            Cell::number(Some(pair.p_holm), p_value).marked(mark),
            Cell::count(comparison.datasets.len()),
        ]);
    }
    Rows::new("pairwise")
        .text("model", &rows, |(c, _)| analysis.model(c.model).to_owned())
        .text("first", &rows, |(_, pair)| {
            analysis.correction(pair.a).to_owned()
        })
        .text("second", &rows, |(_, pair)| {
            analysis.correction(pair.b).to_owned()
        })
        .real("difference", &rows, |(_, pair)| Some(pair.mean_difference))
        .whole("wins", &rows, |(_, pair)| pair.wins)
        .whole("ties", &rows, |(_, pair)| pair.ties)
        .whole("losses", &rows, |(_, pair)| pair.losses)
        .real("p_raw", &rows, |(_, pair)| Some(pair.p_raw))
        .real("p_holm", &rows, |(_, pair)| Some(pair.p_holm))
        .text("differs", &rows, |(_, pair)| pair.differs.to_string())
        .whole("n_datasets", &rows, |(c, _)| c.datasets.len())
        .whole("n_clusters", &rows, |(c, _)| c.n_clusters)
        .sheet(vec![view])
}

/// The tests of "all corrections are the same".
pub(in crate::tables) fn omnibus(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.omnibus.as_ref()?)))
        .collect();
    let mut view = View::new(
        "omnibus",
        "Is there any difference at all",
        "Friedman's test (corrected for ties) and its form by Iman and Davenport over independent \
         datasets. No F: all datasets agree.",
    )
    .words("model")
    .numbers("corrections")
    .numbers("independent datasets")
    .numbers("chi-squared")
    .numbers("p")
    .numbers("F")
    .numbers("p of F");
    for (comparison, test) in &rows {
        view.rows.push(vec![
            model_cell(analysis, comparison.model),
            Cell::count(comparison.ranked.len()),
            Cell::count(test.n_clusters),
            Cell::number(Some(test.chi_squared), |v| fixed(v, 2)),
            Cell::number(Some(test.p_friedman), p_value),
            Cell::number(test.f, |v| fixed(v, 2)),
            Cell::number(Some(test.p_iman_davenport), p_value),
        ]);
    }
    Rows::new("omnibus")
        .text("model", &rows, |(c, _)| analysis.model(c.model).to_owned())
        .whole("n_corrections", &rows, |(c, _)| c.ranked.len())
        .whole("n_clusters", &rows, |(_, test)| test.n_clusters)
        .real("chi_squared", &rows, |(_, test)| Some(test.chi_squared))
        .whole("df", &rows, |(_, test)| test.df)
        .real("p_friedman", &rows, |(_, test)| Some(test.p_friedman))
        .real("f", &rows, |(_, test)| test.f)
        .real("p_iman_davenport", &rows, |(_, test)| {
            Some(test.p_iman_davenport)
        })
        .sheet(vec![view])
}
