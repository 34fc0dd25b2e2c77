//! Tables by arm, over whatever datasets it has values for: all metrics, and times.

use super::{Columns, Sheet};
use crate::analysis::{Analysis, Data, mean};
use crate::error::Result;

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
        .file_text("model", |row| analysis.model(row.model))
        .file_text("correction", |row| analysis.correction(row.correction))
        .file_count("n_datasets", |row| row.n_datasets);
    for (place, metric) in analysis.metrics.iter().enumerate() {
        columns = columns.file_real(&metric.id, |row| row.means.get(place).copied().flatten());
    }
    columns
        .file_real("seconds", |row| row.seconds)
        .files("per_model", Vec::new())
}

/// What the arms take: the mean of resampling, fitting, cross-fitting and deciding a cell, work shared
/// between cells counted in each.
pub(super) fn times(analysis: &Analysis) -> Result<Sheet> {
    let analysis = &*analysis.all;
    let mut rows = all(analysis);
    rows.retain(|row| row.seconds.is_some());
    Columns::of(&rows)
        .file_text("model", |row| analysis.model(row.model))
        .file_text("correction", |row| analysis.correction(row.correction))
        .file_real("seconds", |row| row.seconds)
        .files("times", Vec::new())
}
