//! The table of calibration: what a correction does to probabilities, as fitted and prior-corrected.

use super::{Columns, Sheet};
use crate::analysis::Analysis;
use crate::error::Result;
use counterweight_plots::format::{fixed, percent};

/// Per model and correction: balanced error beside the quality of the probabilities.
pub(super) fn calibration(analysis: &Analysis) -> Result<Sheet> {
    let three = |value: f64| fixed(value, 3);
    let two = |value: f64| fixed(value, 2);
    let mut columns = Columns::of(&analysis.calibration.rows)
        .file_text("scope", |row| row.scope.label())
        .code("model", "model", |row| analysis.model(row.model))
        .code("correction", "correction", |row| {
            analysis.correction(row.correction)
        })
        .count("n_datasets", "datasets", |row| row.n_datasets)
        .real(
            "balanced_error",
            "balanced error (%)",
            |row| row.balanced_error,
            percent,
        )
        .real("log_loss", "log loss", |row| row.log_loss, three)
        .real("ece", "ECE (%)", |row| row.ece, percent)
        .real(
            "brier_reliability",
            "Brier reliability (%)",
            |row| row.brier_reliability,
            |value| fixed(value * 100.0, 2),
        )
        .count("n_binary", "binary datasets", |row| row.n_binary)
        .real(
            "median_calibration_intercept",
            "intercept",
            |row| row.intercept,
            two,
        )
        .real("median_calibration_slope", "slope", |row| row.slope, two)
        .real(
            "prior_corrected_log_loss",
            "log loss, corrected",
            |row| row.corrected_log_loss,
            three,
        )
        .real(
            "prior_corrected_ece",
            "ECE, corrected (%)",
            |row| row.corrected_ece,
            percent,
        )
        .real(
            "prior_corrected_median_calibration_intercept",
            "intercept, corrected",
            |row| row.corrected_intercept,
            two,
        );
    let view = columns.view_of(
        "calibration",
        "What each correction does to probabilities",
        "Means over datasets; intercept and slope are medians over those with two classes, since a few \
         saturated fits would rule a mean. As fitted: the probabilities as they come, rows weighted to the metric \
         prior. Corrected: after the analytic shift from the prior that the fit has learnt to the \
         metric prior; empty where that changes nothing, because the fit's prior is the metric prior \
         already or has no name (focal and margin losses). Log loss in nats; Brier reliability is the \
         part of the Brier score that calibration could take away; the best intercept is 0, the best \
         slope 1. Real datasets and populations apart stand in the csv.",
        |row| row.scope == analysis.question(),
    );
    columns.files("calibration", vec![view])
}
