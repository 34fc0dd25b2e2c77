//! The table of calibration: what a correction does to probabilities, as fitted and prior-corrected.

use super::{Rows, Sheet, correction_cell, model_cell};
use crate::analysis::{Analysis, CalibrationRow, Scope};
use crate::error::Result;
use crate::format::{fixed, percent};
use crate::view::{Cell, View};

/// A column's name and how to read it from a row.
type Column = (&'static str, fn(&CalibrationRow) -> Option<f64>);

/// Per model and correction: balanced error beside the quality of the probabilities.
pub(super) fn calibration(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.calibration.rows;
    let mut view = View::new(
        "calibration",
        "What each correction does to probabilities",
        "Means over datasets; intercept and slope are medians over those with two classes, since a few \
         saturated fits would rule a mean. As fitted: the probabilities as they come, rows weighted to the metric \
         prior. Corrected: after the analytic shift from the prior that the fit has learnt to the \
         metric prior; empty where that changes nothing, because the fit's prior is the metric prior \
         already or has no name (focal and margin losses). Log loss in nats; Brier reliability is the \
         part of the Brier score that calibration could take away; the best intercept is 0, the best \
         slope 1. Real datasets and populations apart stand in the csv.",
    )
    .words("model")
    .words("correction")
    .numbers("datasets")
    .numbers("balanced error (%)")
    .numbers("log loss")
    .numbers("ECE (%)")
    .numbers("Brier reliability (%)")
    .numbers("binary datasets")
    .numbers("intercept")
    .numbers("slope")
    .numbers("log loss, corrected")
    .numbers("ECE, corrected (%)")
    .numbers("intercept, corrected");
    let shown = |value: f64| fixed(value, 3);
    let two = |value: f64| fixed(value, 2);
    for row in rows.iter().filter(|row| row.scope == Scope::All) {
        view.rows.push(vec![
            model_cell(analysis, row.model),
            correction_cell(analysis, row.correction),
            Cell::count(row.n_datasets),
            Cell::number(row.balanced_error, percent),
            Cell::number(row.log_loss, shown),
            Cell::number(row.ece, percent),
            Cell::number(row.brier_reliability, |value| fixed(value * 100.0, 2)),
            Cell::count(row.n_binary),
            Cell::number(row.intercept, two),
            Cell::number(row.slope, two),
            Cell::number(row.corrected_log_loss, shown),
            Cell::number(row.corrected_ece, percent),
            Cell::number(row.corrected_intercept, two),
        ]);
    }
    let columns: [Column; 9] = [
        ("balanced_error", |row| row.balanced_error),
        ("log_loss", |row| row.log_loss),
        ("ece", |row| row.ece),
        ("brier_reliability", |row| row.brier_reliability),
        ("median_calibration_intercept", |row| row.intercept),
        ("median_calibration_slope", |row| row.slope),
        ("prior_corrected_log_loss", |row| row.corrected_log_loss),
        ("prior_corrected_ece", |row| row.corrected_ece),
        ("prior_corrected_median_calibration_intercept", |row| {
            row.corrected_intercept
        }),
    ];
    let mut table = Rows::new("calibration")
        .text("scope", rows, |row| row.scope.label())
        .text("model", rows, |row| analysis.model(row.model).to_owned())
        .text("correction", rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .whole("n_datasets", rows, |row| row.n_datasets)
        .whole("n_binary", rows, |row| row.n_binary);
    for (name, value) in columns {
        table = table.real(name, rows, value);
    }
    table.sheet(vec![view])
}
