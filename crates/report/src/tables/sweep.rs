//! Tables about the sweep itself: its models, data and corrections, and what became of its cells.

use super::{Rows, Sheet};
use crate::analysis::Analysis;
use crate::error::Result;
use crate::format::percent;
use crate::view::{Cell, View};

pub(super) fn models(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.models;
    let mut view = View::new(
        "models",
        "Models",
        "Models that give votes only take no decision stage and have no metric of probabilities.",
    )
    .words("model")
    .words("kind")
    .words("parameters")
    .words("library")
    .words("scores")
    .words("remark");
    let scores = |votes: bool| if votes { "votes only" } else { "probabilities" };
    for row in rows {
        view.rows.push(vec![
            Cell::code(row.id.clone()),
            Cell::code(row.kind.clone().unwrap_or_default()),
            Cell::text(row.params.replace(';', ", ")),
            Cell::text(row.library.clone().unwrap_or_default()),
            Cell::text(scores(row.votes_only)),
            Cell::text(row.remark.clone()),
        ]);
    }
    Rows::new("models")
        .text("model", rows, |row| row.id.clone())
        .text("kind", rows, |row| row.kind.clone().unwrap_or_default())
        .text("params", rows, |row| row.params.clone())
        .text("library", rows, |row| {
            row.library.clone().unwrap_or_default()
        })
        .text("scores", rows, |row| scores(row.votes_only).to_owned())
        .text("remark", rows, |row| row.remark.clone())
        .sheet(vec![view])
}

pub(super) fn datasets(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.datasets;
    let largest = |row: &crate::analysis::DatasetInfo| {
        analysis
            .points
            .iter()
            .filter(|point| analysis.dataset(point.dataset) == row.id)
            .map(|point| point.n_train + if row.synthetic { 0 } else { point.n_test })
            .max()
            .unwrap_or(0)
    };
    let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let mut view = View::new(
        "datasets",
        "Datasets and populations",
        "Rows of training and test together for real data, of training for populations, at the \
         largest point. Sets of one cluster are related and count as one independent dataset.",
    )
    .words("dataset")
    .words("source")
    .words("cluster")
    .numbers("rows")
    .numbers("features")
    .numbers("classes")
    .words("licence")
    .words("from");
    for row in rows {
        view.rows.push(vec![
            Cell::code(row.id.clone()),
            Cell::text(if row.synthetic { "synthetic" } else { "real" }),
            Cell::text(row.cluster.clone()),
            Cell::count(whole(largest(row))),
            Cell::count(whole(row.n_features)),
            Cell::count(whole(row.n_classes)),
            Cell::text(row.licence.clone()),
            Cell::text(if row.citation.is_empty() {
                row.origin.clone()
            } else {
                row.citation.clone()
            }),
        ]);
    }
    Rows::new("datasets")
        .text("dataset", rows, |row| row.id.clone())
        .text("source", rows, |row| {
            if row.synthetic { "synthetic" } else { "real" }.to_owned()
        })
        .text("cluster", rows, |row| row.cluster.clone())
        .whole("n_rows", rows, |row| whole(largest(row)))
        .whole("n_features", rows, |row| whole(row.n_features))
        .whole("n_classes", rows, |row| whole(row.n_classes))
        .text("licence", rows, |row| row.licence.clone())
        .text("origin", rows, |row| row.origin.clone())
        .text("citation", rows, |row| row.citation.clone())
        .sheet(vec![view])
}

pub(super) fn corrections(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.corrections;
    let mut view = View::new("corrections", "Corrections", "Each is a triple of stages.")
        .words("correction")
        .words("family")
        .words("resample")
        .words("loss")
        .words("decide");
    for row in rows {
        view.rows.push(vec![
            Cell::code(row.id.clone()),
            Cell::text(row.family.clone()),
            Cell::code(row.resample.clone()),
            Cell::code(row.loss.clone()),
            Cell::code(row.decide.clone()),
        ]);
    }
    Rows::new("corrections")
        .text("correction", rows, |row| row.id.clone())
        .text("family", rows, |row| row.family.clone())
        .text("resample", rows, |row| row.resample.clone())
        .text("loss", rows, |row| row.loss.clone())
        .text("decide", rows, |row| row.decide.clone())
        .sheet(vec![view])
}

pub(super) fn outcomes(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.outcomes.counts;
    let mut view = View::new(
        "outcomes",
        "Cells by outcome",
        "From the gravest to the best. Ok, clamped and degenerate cells have a balanced error.",
    )
    .words("outcome")
    .numbers("cells")
    .numbers("share, %");
    let share = |n: usize| {
        (analysis.outcomes.n_cells > 0).then(|| n as f64 / analysis.outcomes.n_cells as f64)
    };
    for row in rows {
        view.rows.push(vec![
            Cell::text(row.outcome.id()),
            Cell::count(row.n_cells),
            Cell::number(share(row.n_cells), percent),
        ]);
    }
    Rows::new("outcomes")
        .text("outcome", rows, |row| row.outcome.id().to_owned())
        .whole("n_cells", rows, |row| row.n_cells)
        .sheet(vec![view])
}

pub(super) fn reasons(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.outcomes.reasons;
    let mut view = View::new(
        "reasons",
        "Reasons",
        "Cells with an outcome other than ok, or with something to say although ok. `counterweight \
         explain` on the example shows every stage of it.",
    )
    .words("outcome")
    .words("model")
    .words("correction")
    .words("reason")
    .numbers("cells")
    .numbers("datasets")
    .words("example");
    for row in rows {
        view.rows.push(vec![
            Cell::text(row.outcome.id()),
            Cell::code(row.model.clone()),
            Cell::code(row.correction.clone()),
            Cell::text(row.reason.clone()),
            Cell::count(row.n_cells),
            Cell::count(row.n_datasets),
            Cell::code(row.example.clone()),
        ]);
    }
    Rows::new("reasons")
        .text("outcome", rows, |row| row.outcome.id().to_owned())
        .text("model", rows, |row| row.model.clone())
        .text("correction", rows, |row| row.correction.clone())
        .text("reason", rows, |row| row.reason.clone())
        .whole("n_cells", rows, |row| row.n_cells)
        .whole("n_datasets", rows, |row| row.n_datasets)
        .text("example", rows, |row| row.example.clone())
        .sheet(vec![view])
}
