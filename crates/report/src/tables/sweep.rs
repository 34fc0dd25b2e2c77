//! Tables about the sweep itself: its models, data and corrections, and what became of its cells.

use super::{Columns, Sheet};
use crate::analysis::{Analysis, DatasetInfo};
use crate::error::Result;
use counterweight_plots::format::percent;

pub(super) fn models(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.all.models)
        .code("model", "model", |row| row.id.as_str())
        .code("kind", "kind", |row| row.kind.as_deref().unwrap_or_default())
        .text("params", "parameters", |row| row.params.as_str())
        .worded(|row| row.params.replace(';', ", "))
        .text("library", "library", |row| {
            row.library.as_deref().unwrap_or_default()
        })
        .text("scores", "scores", |row| {
            if row.votes_only {
                "votes only"
            } else {
                "probabilities"
            }
        })
        .text("remark", "remark", |row| row.remark.as_str())
        .sheet(
            "models",
            "Models",
            "Models that give votes only take no decision stage and have no metric of probabilities.",
        )
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
        .code("dataset", "dataset", |row| row.id.as_str())
        .text("source", "source", |row| {
            if row.synthetic { "synthetic" } else { "real" }
        })
        .text("cluster", "cluster", |row| row.cluster.as_str())
        .count("n_rows", "rows", largest)
        .count("n_features", "features", |row| whole(row.n_features))
        .count("n_classes", "classes", |row| whole(row.n_classes))
        .text("licence", "licence", |row| row.licence.as_str())
        .words("from", |row| {
            let texts = [&row.citation, &row.origin];
            let said = texts.into_iter().find(|text| !text.is_empty());
            said.map_or("", String::as_str)
        })
        .file_text("origin", |row| row.origin.as_str())
        .file_text("citation", |row| row.citation.as_str())
        .sheet(
            "datasets",
            "Datasets and populations",
            "Rows of training and test together for real data, of training for populations, at the \
             largest point. Sets of one cluster are related and count as one independent dataset.",
        )
}

pub(super) fn corrections(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.all.corrections)
        .code("correction", "correction", |row| row.id.as_str())
        .text("family", "family", |row| row.family.as_str())
        .code("resample", "resample", |row| row.resample.as_str())
        .code("loss", "loss", |row| row.loss.as_str())
        .code("decide", "decide", |row| row.decide.as_str())
        .sheet("corrections", "Corrections", "Each is a triple of stages.")
}

pub(super) fn outcomes(analysis: &Analysis) -> Result<Sheet> {
    let all = analysis.outcomes.n_cells;
    let share = |n: usize| (all > 0).then(|| n as f64 / all as f64);
    Columns::of(&analysis.outcomes.counts)
        .text("outcome", "outcome", |row| row.outcome.id())
        .count("n_cells", "cells", |row| row.n_cells)
        .number("share, %", |row| share(row.n_cells), percent)
        .sheet(
            "outcomes",
            "Cells by outcome",
            "From the gravest to the best. Ok, clamped and degenerate cells have a balanced error.",
        )
}

pub(super) fn reasons(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.outcomes.reasons)
        .text("outcome", "outcome", |row| row.outcome.id())
        .code("model", "model", |row| row.model.as_str())
        .code("correction", "correction", |row| row.correction.as_str())
        .text("reason", "reason", |row| row.reason.as_str())
        .count("n_cells", "cells", |row| row.n_cells)
        .count("n_datasets", "datasets", |row| row.n_datasets)
        .code("example", "example", |row| row.example.as_str())
        .sheet(
            "reasons",
            "Reasons",
            "Cells with an outcome other than ok, or with something to say although ok. `counterweight \
             explain` on the example shows every stage of it.",
        )
}
