//! Tables of where gains come from: threshold or ranking, and what each resampler did.

use super::{Rows, Sheet, correction_cell, model_cell};
use crate::analysis::{Analysis, Effect, Part, ResamplerRow};
use crate::error::Result;
use crate::format::{fixed, percent, points, ratio, seconds};
use crate::view::{Cell, View};

/// A column's name and how to read it from a row.
type Column<R, T> = (&'static str, fn(&R) -> T);

fn with_interval(part: &Part) -> String {
    let mean = points(part.mean);
    part.interval.map_or(mean.clone(), |i| {
        format!("{mean} [{}, {}]", points(i.lower), points(i.upper))
    })
}

/// Per model and correction: the gain over no correction and its parts.
pub(super) fn effects(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.effects;
    let mut view = View::new(
        "effects",
        "Is it the correction, or just the threshold?",
        "Reduction of balanced error against no correction, in points, with 95 % intervals over \
         datasets. Gain = threshold + ranking - left. Threshold: what the best offsets alone would win \
         on the scores of no correction. Ranking: what the correction's scores win beyond any offsets. \
         Left: what the correction's own decision still loses to the best offsets on its scores. The best \
         offsets are an oracle: chosen on the test rows, they mark a bound, are never ranked and are \
         too good by about the optimism, which is estimated by choosing them on one half of the test \
         rows and judging them on the other.",
    )
    .words("model")
    .words("correction")
    .numbers("datasets")
    .numbers("gain")
    .numbers("threshold")
    .numbers("ranking")
    .numbers("left")
    .numbers("optimism");
    for row in rows {
        view.rows.push(vec![
            model_cell(analysis, row.model),
            correction_cell(analysis, row.correction),
            Cell::count(row.n_datasets),
            Cell::text(with_interval(&row.gain)),
            Cell::text(with_interval(&row.threshold)),
            Cell::text(with_interval(&row.ranking)),
            Cell::text(with_interval(&row.left)),
            Cell::number(row.optimism, points),
        ]);
    }
    let parts: [Column<Effect, Part>; 4] = [
        ("gain", |row| row.gain),
        ("threshold", |row| row.threshold),
        ("ranking", |row| row.ranking),
        ("left", |row| row.left),
    ];
    let mut table = Rows::new("effects")
        .text("model", rows, |row| analysis.model(row.model).to_owned())
        .text("correction", rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .whole("n_datasets", rows, |row| row.n_datasets);
    for (name, part) in parts {
        table = table
            .real(name, rows, |row| Some(part(row).mean))
            .real(&format!("{name}_low"), rows, |row| {
                part(row).interval.map(|i| i.lower)
            })
            .real(&format!("{name}_high"), rows, |row| {
                part(row).interval.map(|i| i.upper)
            });
    }
    table
        .real("optimism", rows, |row| row.optimism)
        .sheet(vec![view])
}

/// What each resampler did to the training rows.
pub(super) fn resamplers(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.resamplers;
    let mut view = View::new(
        "resamplers",
        "What each resampler did",
        "Means over the datasets where it ran. Rows: training rows after, divided by those before. \
         Ratio: largest over smallest class count.",
    )
    .words("resampler")
    .numbers("datasets")
    .numbers("rows")
    .numbers("synthetic (%)")
    .numbers("smallest class before")
    .numbers("after")
    .numbers("ratio before")
    .numbers("ratio after")
    .numbers("time");
    let shown = |value: f64| fixed(value, 2);
    for row in rows {
        view.rows.push(vec![
            Cell::code(row.resample.clone()),
            Cell::count(row.n_datasets),
            Cell::number(row.growth, shown),
            Cell::number(row.synthetic_share, percent),
            Cell::number(row.minority_before, |n| fixed(n, 0)),
            Cell::number(row.minority_after, |n| fixed(n, 0)),
            Cell::number(row.ratio_before, ratio),
            Cell::number(row.ratio_after, ratio),
            Cell::number(row.seconds, seconds),
        ]);
    }
    let columns: [Column<ResamplerRow, Option<f64>>; 7] = [
        ("rows_after_over_before", |row| row.growth),
        ("synthetic_share", |row| row.synthetic_share),
        ("minority_before", |row| row.minority_before),
        ("minority_after", |row| row.minority_after),
        ("ratio_before", |row| row.ratio_before),
        ("ratio_after", |row| row.ratio_after),
        ("seconds", |row| row.seconds),
    ];
    let mut table = Rows::new("resamplers")
        .text("resample", rows, |row| row.resample.clone())
        .whole("n_datasets", rows, |row| row.n_datasets);
    for (name, value) in columns {
        table = table.real(name, rows, value);
    }
    table.sheet(vec![view])
}
