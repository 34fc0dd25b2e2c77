//! Tables of values: by ratio and by dataset.

use super::{Columns, Sheet};
use crate::analysis::{Analysis, Point, Standing};
use crate::error::Result;
use crate::view::{Mark, View, file_name, free_name};
use counterweight_plots::format::{percent, points, ratio};

/// Mean of the target at each requested ratio.
pub(super) fn ratios(analysis: &Analysis) -> Result<Sheet> {
    let headline = analysis.target.is_balanced_error();
    Columns::of(&analysis.ratios.rows)
        .code("model", "model", |row| analysis.model(row.model))
        .code("correction", "correction", |row| {
            analysis.correction(row.correction)
        })
        .text("profile", "profile", |row| row.profile.as_str())
        .real("requested_ratio", "ratio", |row| row.requested_ratio, ratio)
        .worded(|row| row.requested_ratio.map_or_else(|| "natural".to_owned(), ratio))
        .count("n_datasets", "datasets", |row| row.n_datasets)
        .real(
            &format!("mean_{}", analysis.target.id),
            analysis.target.head(),
            |row| Some(row.mean_value),
            percent,
        )
        .real("difference", "difference", |row| row.difference, points)
        .real("mean_regret", "regret", |row| row.mean_regret, points)
        .shown_if(headline)
        .sheet(
            "ratios",
            "By requested ratio",
            format!(
                "Means over all datasets that have a value at the ratio; their number is given and differs \
                 between corrections where one has no value. {}, differences to no correction{} in points.",
                analysis.target.units(),
                if headline {
                    " and regret (above the Bayes-optimal error, populations only)"
                } else {
                    ""
                }
            ),
        )
}

/// The numbers of the ratio figures.
pub(super) fn ratio_curves(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .ratios
        .curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(move |point| (curve, point)))
        .collect();
    Columns::of(&rows)
        .file_text("subject", |(curve, _)| curve.subject.as_str())
        .file_count("n_datasets", |(curve, _)| curve.n_datasets)
        .file_text("profile", |(curve, _)| curve.profile.as_str())
        .file_text("model", |(curve, _)| analysis.model(curve.model))
        .file_text("correction", |(curve, _)| {
            analysis.correction(curve.correction)
        })
        .file_real("ratio", |(_, point)| Some(point.ratio))
        .file_real(&format!("mean_{}", analysis.target.id), |(_, point)| {
            Some(point.mean)
        })
        .file_real("lower", |(_, point)| Some(point.band?.0))
        .file_real("upper", |(_, point)| Some(point.band?.1))
        .file_count("n_values", |(_, point)| point.n_values)
        .file_real("bayes_balanced_error", |(curve, point)| {
            let same = |(ratio, _): &&(f64, f64)| (ratio - point.ratio).abs() < 1e-9;
            curve.bayes.iter().find(same).map(|(_, floor)| *floor)
        })
        .files("ratio_curves", Vec::new())
}

/// Per dataset: long as numbers, one wide view a model.
pub(super) fn per_dataset(analysis: &Analysis) -> Result<Sheet> {
    let mut views: Vec<View> = Vec::new();
    for model in 0..analysis.models.len() {
        if let Some(mut view) = by_dataset(analysis, model)? {
            view.name = free_name(&view.name, |name| views.iter().any(|v| v.name == name));
            views.push(view);
        }
    }
    let analysis = &*analysis.all;
    let known = |&(model, point, correction): &(usize, usize, usize)| {
        let point = analysis.points.get(point)?;
        Some((model, point, correction))
    };
    let rows: Vec<_> = analysis
        .cube
        .iter()
        .filter_map(|(key, summary)| Some((known(&key)?, summary)))
        .collect();
    let mut columns = Columns::of(&rows)
        .file_text("dataset", |((_, point, _), _)| {
            analysis.dataset(point.dataset)
        })
        .file_text("profile", |((_, point, _), _)| point.profile.as_str())
        .file_real("requested_ratio", |((_, point, _), _)| {
            point.requested_ratio
        })
        .file_real("imbalance_ratio", |((_, point, _), _)| {
            point.imbalance_ratio
        })
        .file_text("model", |((model, _, _), _)| analysis.model(*model))
        .file_text("correction", |((_, _, c), _)| analysis.correction(*c))
        .file_text("gravest_outcome", |(_, summary)| summary.gravest.id())
        .file_count("n_cells", |(_, summary)| summary.n_cells)
        .file_count("n_values", |(_, summary)| summary.n_values)
        .file_count("n_planned", |(_, summary)| summary.n_planned);
    for (place, metric) in analysis.metrics.iter().enumerate() {
        columns = columns.file_real(&metric.id, |(_, summary)| {
            summary.means.get(place).copied().flatten()
        });
        if metric.id == "balanced_error" {
            columns = columns.file_real("pooled_balanced_error", |(_, summary)| summary.pooled);
        }
    }
    columns
        .file_real("bayes_balanced_error", |(_, summary)| summary.bayes)
        .file_real("regret", |(_, summary)| {
            Some(summary.value()? - summary.bayes?)
        })
        .file_real("seconds", |(_, summary)| summary.seconds)
        .files("per_dataset", views)
}

/// Points in rows, the corrections of a model in columns; `None` without any value.
fn by_dataset(analysis: &Analysis, model: usize) -> Result<Option<View>> {
    let value = |point: usize, correction: usize| analysis.cube.value(model, point, correction);
    let valued = |c: &usize| (0..analysis.points.len()).any(|point| value(point, *c).is_some());
    let used: Vec<usize> = (0..analysis.corrections.len()).filter(valued).collect();
    if used.is_empty() {
        return Ok(None);
    }
    let mut rows = Vec::new();
    for (index, point) in analysis.points.iter().enumerate() {
        let standings = analysis.standings(model, index, &used)?;
        if standings.iter().any(Option::is_some) {
            rows.push((index, point, standings));
        }
    }
    let mut columns = Columns::of(&rows)
        .ids("dataset", |(_, point, _)| analysis.dataset(point.dataset))
        .number(
            "ratio",
            |(_, point, _)| point.requested_ratio.or(point.imbalance_ratio),
            ratio,
        );
    let untested =
        |row: &&(usize, &Point, Vec<Option<Standing>>)| row.2.contains(&Some(Standing::Untested));
    if rows.iter().any(|row| untested(&row)) {
        columns = columns.words("test", |row| if untested(&row) { "no test" } else { "" });
    }
    for (place, &correction) in used.iter().enumerate() {
        columns = columns
            .number(
                analysis.correction(correction),
                |(index, ..)| value(*index, correction),
                percent,
            )
            .marked(|(.., standings)| match standings.get(place) {
                Some(Some(Standing::Best)) => Mark::Best,
                Some(Some(Standing::Worse)) => Mark::Worse,
                _ => Mark::Plain,
            });
    }
    let id = analysis.model(model);
    Ok(Some(columns.view(
        format!("per_dataset_{}", file_name(id)),
        format!("{} by dataset: {id}", analysis.target.title()),
        format!(
            "{}, mean over repeats and folds. Bold: the best of the row; with an asterisk: significantly \
             worse on this dataset (Nadeau and Bengio's corrected t over its folds, Holm over the distinct \
             corrections of the row). No test: one draw. Empty: no value, see outcomes.",
            if analysis.target.percent { "In %" } else { "Times 100" }
        ),
    )))
}
