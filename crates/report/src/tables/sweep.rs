//! Tables about the sweep itself: its models, data and corrections, and what became of its cells.

use std::collections::BTreeMap;

use counterweight_core::Outcome;

use super::{Columns, Sheet};
use crate::analysis::{Analysis, DatasetInfo, Reason};
use crate::error::Result;
use counterweight_plots::format::percent;

pub(super) fn models(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.all.models)
        .file_text("model", |row| row.id.as_str())
        .file_text("kind", |row| row.kind.as_deref().unwrap_or_default())
        .file_text("params", |row| row.params.as_str())
        .file_text("library", |row| row.library.as_deref().unwrap_or_default())
        .file_text("scores", |row| {
            if row.votes_only {
                "votes only"
            } else {
                "probabilities"
            }
        })
        .file_text("remark", |row| row.remark.as_str())
        .files("models", Vec::new())
}

pub(super) fn datasets(analysis: &Analysis) -> Result<Sheet> {
    let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let largest = |row: &DatasetInfo| {
        let own = |dataset: usize| analysis.dataset(dataset) == row.id;
        let points = analysis.points.iter().filter(|point| own(point.dataset));
        let rows = points.map(|point| point.n_train + if row.synthetic { 0 } else { point.n_test });
        whole(rows.max().unwrap_or(0))
    };
    Columns::of(&analysis.datasets)
        .file_text("dataset", |row| row.id.as_str())
        .file_text(
            "source",
            |row| {
                if row.synthetic { "synthetic" } else { "real" }
            },
        )
        .file_text("cluster", |row| row.cluster.as_str())
        .file_count("n_rows", largest)
        .file_count("n_features", |row| whole(row.n_features))
        .file_count("n_classes", |row| whole(row.n_classes))
        .file_text("licence", |row| row.licence.as_str())
        .file_text("origin", |row| row.origin.as_str())
        .file_text("citation", |row| row.citation.as_str())
        .files("datasets", Vec::new())
}

pub(super) fn corrections(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.all.corrections)
        .file_text("correction", |row| row.id.as_str())
        .file_text("family", |row| row.family.as_str())
        .file_text("resample", |row| row.resample.as_str())
        .file_text("loss", |row| row.loss.as_str())
        .file_text("decide", |row| row.decide.as_str())
        .files("corrections", Vec::new())
}

pub(super) fn resamplers(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.resamplers)
        .file_text("resample", |row| row.resample.as_str())
        .file_count("n_datasets", |row| row.n_datasets)
        .file_real("rows_after_over_before", |row| row.growth)
        .file_real("synthetic_share", |row| row.synthetic_share)
        .file_real("minority_before", |row| row.minority_before)
        .file_real("minority_after", |row| row.minority_after)
        .file_real("ratio_before", |row| row.ratio_before)
        .file_real("ratio_after", |row| row.ratio_after)
        .file_real("seconds", |row| row.seconds)
        .files("resamplers", Vec::new())
}

/// What became of the cells of a model.
struct OfModel<'a> {
    model: &'a str,
    outcome: Outcome,
    n_cells: usize,
    share: f64,
    /// The commonest reason.
    reason: Option<&'a Reason>,
}

/// Cells by model and outcome, with the commonest reason.
pub(super) fn outcomes(analysis: &Analysis) -> Result<Sheet> {
    let mut by_model: BTreeMap<&str, usize> = BTreeMap::new();
    for ((model, _), cells) in &analysis.outcomes.by_model {
        *by_model.entry(model).or_default() += cells;
    }
    let rows: Vec<OfModel<'_>> = analysis
        .outcomes
        .by_model
        .iter()
        .map(|((model, outcome), &n_cells)| {
            let own = |r: &&Reason| r.model == *model && r.outcome == *outcome;
            let all = by_model.get(model.as_str()).copied().unwrap_or(0);
            OfModel {
                model,
                outcome: *outcome,
                n_cells,
                share: n_cells as f64 / all.max(1) as f64,
                reason: analysis.outcomes.reasons.iter().find(own),
            }
        })
        .collect();
    Columns::of(&rows)
        .code("model", "model", |row| row.model)
        .text("outcome", "outcome", |row| row.outcome.id())
        .count("n_cells", "cells", |row| row.n_cells)
        .number("share, %", |row| Some(row.share), percent)
        .words("commonest reason", |row| row.reason.map_or("", |r| r.reason.as_str()))
        .ids("example", |row| row.reason.map_or("", |r| r.example.as_str()))
        .sheet(
            "outcomes",
            "Cells by model and outcome",
            "Ok, clamped and degenerate cells have a balanced error. All reasons are in `tables/reasons.csv`; \
             `counterweight explain` on the example shows every stage of it.",
        )
}

pub(super) fn reasons(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.outcomes.reasons)
        .file_text("outcome", |row| row.outcome.id())
        .file_text("model", |row| row.model.as_str())
        .file_text("correction", |row| row.correction.as_str())
        .file_text("reason", |row| row.reason.as_str())
        .file_count("n_cells", |row| row.n_cells)
        .file_count("n_datasets", |row| row.n_datasets)
        .file_text("example", |row| row.example.as_str())
        .files("reasons", Vec::new())
}
