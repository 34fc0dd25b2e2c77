//! Tables of where gains come from: threshold or ranking, and what each resampler did.

use super::{Columns, Sheet};
use crate::analysis::Analysis;
use crate::error::Result;
use counterweight_plots::format::{fixed, percent, points, ratio};

/// Per model and correction: the gain over no correction and its parts.
pub(super) fn effects(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.effects)
        .code("model", "model", |row| analysis.model(row.model))
        .code("correction", "correction", |row| {
            analysis.correction(row.correction)
        })
        .count("n_datasets", "datasets", |row| row.n_datasets)
        .part("gain", "gain", |row| Some(row.gain), points)
        .part("threshold", "threshold", |row| Some(row.threshold), points)
        .part("ranking", "ranking", |row| Some(row.ranking), points)
        .part("left", "left", |row| Some(row.left), points)
        .real("optimism", "optimism", |row| row.optimism, points)
        .sheet(
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
}

/// What each resampler did to the training rows.
pub(super) fn resamplers(analysis: &Analysis) -> Result<Sheet> {
    let whole = |n: f64| fixed(n, 0);
    Columns::of(&analysis.resamplers)
        .code("resample", "resampler", |row| row.resample.as_str())
        .count("n_datasets", "datasets", |row| row.n_datasets)
        .real(
            "rows_after_over_before",
            "rows",
            |row| row.growth,
            |value| fixed(value, 2),
        )
        .real(
            "synthetic_share",
            "synthetic (%)",
            |row| row.synthetic_share,
            percent,
        )
        .real(
            "minority_before",
            "smallest class before",
            |row| row.minority_before,
            whole,
        )
        .real("minority_after", "after", |row| row.minority_after, whole)
        .real("ratio_before", "ratio before", |row| row.ratio_before, ratio)
        .real("ratio_after", "ratio after", |row| row.ratio_after, ratio)
        .file_real("seconds", |row| row.seconds)
        .sheet(
            "resamplers",
            "What each resampler did",
            "Means over the datasets where it ran. Rows: training rows after, divided by those before. \
             Ratio: largest over smallest class count.",
        )
}
