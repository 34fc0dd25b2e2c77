//! Expected cost by operating point: read in files and in a figure alone.

use super::{Columns, Sheet};
use crate::analysis::Analysis;
use crate::error::Result;

fn model(analysis: &Analysis, models: &[usize]) -> String {
    match models {
        [model] => analysis.model(*model).to_owned(),
        models => format!("mean of {} models", models.len()),
    }
}

/// Which arm is cheapest where.
pub(super) fn ranges(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.costs.ranges)
        .file_text("model", |row| model(analysis, &row.models))
        .file_text("decisions", |row| {
            if row.best_threshold {
                "best threshold"
            } else {
                "as given"
            }
        })
        .file_text("cheapest", |row| analysis.correction(row.correction))
        .file_real("from_probability_cost", |row| Some(row.pc.0))
        .file_real("to_probability_cost", |row| Some(row.pc.1))
        .file_count("n_clusters", |row| row.n_clusters)
        .file_part("most_saved", |row| Some(row.most))
        .files("cost_ranges", Vec::new())
}

pub(super) fn costs(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.costs.rows)
        .file_text("model", |row| model(analysis, &row.models))
        .file_text("correction", |row| analysis.correction(row.correction))
        .file_real("probability_cost", |row| Some(row.pc))
        .file_count("n_clusters", |row| row.n_clusters)
        .file_real("cost_given", |row| Some(row.given))
        .file_real("cost_own_probabilities", |row| Some(row.own))
        .file_real("cost_best_threshold", |row| row.best)
        .file_real("cost_without_scores", |row| Some(row.pc.min(1.0 - row.pc)))
        .file_part("gain_given", |row| Some(row.gain_given))
        .file_part("gain_best_threshold", |row| row.gain_best)
        .files("costs", Vec::new())
}
