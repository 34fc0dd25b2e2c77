//! Tables by arm, over whatever datasets it has values for: all metrics, and times.

use super::{Columns, Sheet};
use crate::analysis::{Analysis, Data, mean};
use crate::error::Result;
use counterweight_plots::format::{fixed, percent, seconds};

/// Metrics of the table by model, with their names.
const SHOWN: [(&str, &str); 12] = [
    ("balanced_error", "balanced error"),
    ("error_rate", "error rate"),
    ("worst_recall", "worst recall"),
    ("g_mean", "G-mean"),
    ("macro_f1", "macro-F1"),
    ("mcc", "MCC"),
    ("auroc", "AUROC"),
    ("log_loss", "log loss"),
    ("ece", "ECE"),
    ("many_recall", "recall, many"),
    ("medium_recall", "medium"),
    ("few_recall", "few"),
];

/// An arm with means over whatever datasets it has values for.
struct Arm {
    model: usize,
    correction: usize,
    n_datasets: usize,
    means: Vec<Option<f64>>,
    seconds: Option<f64>,
}

impl Arm {
    fn of(analysis: &Data, model: usize, correction: usize) -> Option<Self> {
        let own = analysis.own_datasets(model, correction);
        let cell = |point: usize| analysis.cube.get(model, point, correction);
        let over = |read: &dyn Fn(usize) -> Option<f64>| {
            mean(
                own.values()
                    .filter_map(|points| mean(points.iter().filter_map(|&point| read(point)))),
            )
        };
        (!own.is_empty()).then(|| Self {
            model,
            correction,
            n_datasets: own.len(),
            means: (0..analysis.metrics.len())
                .map(|m| over(&|point| cell(point)?.means.get(m).copied().flatten()))
                .collect(),
            seconds: over(&|point| cell(point)?.seconds),
        })
    }

    fn mean(&self, metric: usize) -> Option<f64> {
        self.means.get(metric).copied().flatten()
    }
}

fn all(analysis: &Data) -> Vec<Arm> {
    let models = 0..analysis.models.len();
    models
        .flat_map(|model| (0..analysis.corrections.len()).map(move |c| (model, c)))
        .filter_map(|(model, correction)| Arm::of(analysis, model, correction))
        .collect()
}

/// Per model and correction: means of every metric over whatever datasets there are.
pub(super) fn per_model(analysis: &Analysis) -> Result<Sheet> {
    let analysis = &*analysis.all;
    let rows = all(analysis);
    let mut columns = Columns::of(&rows)
        .code("model", "model", |row| analysis.model(row.model))
        .code("correction", "correction", |row| {
            analysis.correction(row.correction)
        })
        .count("n_datasets", "datasets", |row| row.n_datasets);
    for (id, name) in SHOWN {
        let Some(metric) = analysis.metric(id) else {
            continue;
        };
        let show = match id {
            "mcc" | "auroc" | "log_loss" => |value| fixed(value, 3),
            _ => percent,
        };
        columns = columns
            .number(name, |row| row.mean(metric), show)
            .shown_if(rows.iter().any(|row| row.mean(metric).is_some()));
    }
    for (place, metric) in analysis.metrics.iter().enumerate() {
        columns = columns.file_real(&metric.id, |row| row.mean(place));
    }
    columns.file_real("seconds", |row| row.seconds).sheet(
        "per_model",
        "All metrics by model and correction",
        "Means over all datasets that the arm itself has values for: rows with different numbers of \
         datasets are not comparable. Errors, recalls, F1 and ECE in %. Recall by training count of the \
         class: many 100 and more, medium 20 to 99, few below 20.",
    )
}

/// What the arms take. The page does not show it: times differ from run to run, and the page is the same
/// wherever the records are.
pub(super) fn times(analysis: &Analysis) -> Result<Sheet> {
    let analysis = &*analysis.all;
    let mut rows = all(analysis);
    rows.retain(|row| row.seconds.is_some());
    Columns::of(&rows)
        .code("model", "model", |row| analysis.model(row.model))
        .code("correction", "correction", |row| {
            analysis.correction(row.correction)
        })
        .real("seconds", "time", |row| row.seconds, seconds)
        .sheet(
            super::TIMES,
            "Time by model and correction",
            "The mean of resampling, fitting, cross-fitting and deciding a cell, over all datasets that the \
             arm has values for; work shared between cells is counted in each.",
        )
}
