//! Tables of values: by ratio, by tau, by dataset and by model.

use super::{Rows, Sheet, correction_cell, model_cell};
use crate::analysis::{Analysis, Standing};
use crate::error::Result;
use crate::format::{fixed, percent, points, ratio, seconds};
use crate::view::{Cell, Mark, View, file_name};

/// Mean of the target at each requested ratio.
pub(super) fn ratios(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.ratios.rows;
    let headline = analysis.target.is_balanced_error();
    let mut view = View::new(
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
    .words("model")
    .words("correction")
    .words("profile")
    .numbers("ratio")
    .numbers("datasets")
    .numbers(analysis.target.head())
    .numbers("difference");
    if headline {
        view = view.numbers("regret");
    }
    for row in rows {
        let label = row
            .requested_ratio
            .map_or_else(|| "natural".to_owned(), ratio);
        let mut cells = vec![
            model_cell(analysis, row.model),
            correction_cell(analysis, row.correction),
            Cell::text(row.profile.clone()),
            Cell {
                text: label,
                sort: row.requested_ratio,
                ..Cell::default()
            },
            Cell::count(row.n_datasets),
            Cell::number(Some(row.mean_value), percent),
            Cell::number(row.difference, points),
        ];
        if headline {
            cells.push(Cell::number(row.mean_regret, points));
        }
        view.rows.push(cells);
    }
    Rows::new("ratios")
        .text("model", rows, |row| analysis.model(row.model).to_owned())
        .text("correction", rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .text("profile", rows, |row| row.profile.clone())
        .real("requested_ratio", rows, |row| row.requested_ratio)
        .whole("n_datasets", rows, |row| row.n_datasets)
        .real(&format!("mean_{}", analysis.target.id), rows, |row| {
            Some(row.mean_value)
        })
        .real("difference", rows, |row| row.difference)
        .real("mean_regret", rows, |row| row.mean_regret)
        .sheet(vec![view])
}

/// The numbers of the ratio figures.
pub(super) fn ratio_curves(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .ratios
        .curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(move |point| (curve, point)))
        .collect();
    Rows::new("ratio_curves")
        .text("subject", &rows, |(curve, _)| curve.subject.clone())
        .whole("n_datasets", &rows, |(curve, _)| curve.n_datasets)
        .text("profile", &rows, |(curve, _)| curve.profile.clone())
        .text("model", &rows, |(curve, _)| {
            analysis.model(curve.model).to_owned()
        })
        .text("correction", &rows, |(curve, _)| {
            analysis.correction(curve.correction).to_owned()
        })
        .real("ratio", &rows, |(_, point)| Some(point.ratio))
        .real(
            &format!("mean_{}", analysis.target.id),
            &rows,
            |(_, point)| Some(point.mean),
        )
        .real("lower", &rows, |(_, point)| Some(point.band?.0))
        .real("upper", &rows, |(_, point)| Some(point.band?.1))
        .whole("n_values", &rows, |(_, point)| point.n_values)
        .real("bayes_balanced_error", &rows, |(curve, point)| {
            let same = |(ratio, _): &&(f64, f64)| (ratio - point.ratio).abs() < 1e-9;
            curve.bayes.iter().find(same).map(|(_, floor)| *floor)
        })
        .sheet(Vec::new())
}

/// Corrections that differ in tau alone.
pub(super) fn taus(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .taus
        .curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(move |point| (curve, point)))
        .collect();
    let mut view = View::new(
        "taus",
        format!("{} by tau", analysis.target.title()),
        "Corrections that differ in tau alone, over the datasets that all of them have a value for. \
         Tau 0 is no correction. The interval of the best tau is a bootstrap over datasets and moves \
         on the grid of the sweep.",
    )
    .words("model")
    .words("stage")
    .numbers("tau")
    .words("correction")
    .numbers("datasets")
    .numbers(analysis.target.head())
    .words("best tau, 95 % interval");
    for (curve, point) in &rows {
        let is_best = (point.tau - curve.best).abs() < 1e-12;
        let interval = match (is_best, curve.best_interval) {
            (true, Some((low, high))) => format!("[{}, {}]", fixed(low, 2), fixed(high, 2)),
            _ => String::new(),
        };
        let mark = if is_best { Mark::Best } else { Mark::Plain };
        view.rows.push(vec![
            model_cell(analysis, curve.model),
            Cell::code(curve.family.clone()),
            Cell::number(Some(point.tau), |tau| tau.to_string()),
            correction_cell(analysis, point.correction),
            Cell::count(curve.n_datasets),
            Cell::number(Some(point.mean), percent).marked(mark),
            Cell::text(interval),
        ]);
    }
    Rows::new("taus")
        .text("model", &rows, |(curve, _)| {
            analysis.model(curve.model).to_owned()
        })
        .text("stage", &rows, |(curve, _)| curve.family.clone())
        .real("tau", &rows, |(_, point)| Some(point.tau))
        .text("correction", &rows, |(_, point)| {
            analysis.correction(point.correction).to_owned()
        })
        .whole("n_datasets", &rows, |(curve, _)| curve.n_datasets)
        .real(
            &format!("mean_{}", analysis.target.id),
            &rows,
            |(_, point)| Some(point.mean),
        )
        .real("lower", &rows, |(_, point)| Some(point.interval?.0))
        .real("upper", &rows, |(_, point)| Some(point.interval?.1))
        .real("best_tau", &rows, |(curve, _)| Some(curve.best))
        .real("best_tau_lower", &rows, |(curve, _)| {
            Some(curve.best_interval?.0)
        })
        .real("best_tau_upper", &rows, |(curve, _)| {
            Some(curve.best_interval?.1)
        })
        .sheet(vec![view])
}

/// Per dataset: long as numbers, one wide view a model.
pub(super) fn per_dataset(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis.cube.iter().collect();
    let point = |key: &(usize, usize, usize)| analysis.points.get(key.1);
    let mut views = Vec::new();
    for (model, info) in analysis.models.iter().enumerate() {
        let used: Vec<usize> = (0..analysis.corrections.len())
            .filter(|&c| {
                (0..analysis.points.len()).any(|p| analysis.cube.value(model, p, c).is_some())
            })
            .collect();
        if used.is_empty() {
            continue;
        }
        // Two ids may become one file name; the number of the model tells them apart.
        let mut name = format!("per_dataset_{}", file_name(&info.id));
        if views.iter().any(|view: &View| view.name == name) {
            name = format!("{name}-{model}");
        }
        let mut view = View::new(
            name,
            format!("{} by dataset: {}", analysis.target.title(), info.id),
            format!("{}, mean over repeats and folds. Bold: the best of the row; underlined (italic in \
             markdown): not significantly worse on this dataset (Nadeau and Bengio's corrected t over \
             its folds, Holm over the row). Empty: no value, see outcomes.",
            if analysis.target.percent { "In %" } else { "Times 100" }),
        )
        .words("dataset")
        .numbers("ratio");
        for &correction in &used {
            view = view.numbers(analysis.correction(correction));
        }
        for (index, point) in analysis.points.iter().enumerate() {
            let marks = analysis.standings(model, index, &used)?;
            if marks.iter().all(Option::is_none) {
                continue;
            }
            let label = match point.requested_ratio {
                Some(requested) => ratio(requested),
                None => point.imbalance_ratio.map_or_else(String::new, ratio),
            };
            let mut cells = vec![
                Cell::code(analysis.dataset(point.dataset)),
                Cell {
                    text: label,
                    sort: point.requested_ratio.or(point.imbalance_ratio),
                    ..Cell::default()
                },
            ];
            for (&correction, mark) in used.iter().zip(&marks) {
                let value = analysis.cube.value(model, index, correction);
                cells.push(Cell::number(value, percent).marked(match mark {
                    Some(Standing::Best) => Mark::Best,
                    Some(Standing::AmongBest) => Mark::AmongBest,
                    _ => Mark::Plain,
                }));
            }
            view.rows.push(cells);
        }
        views.push(view);
    }
    let mut table = Rows::new("per_dataset")
        .text("dataset", &rows, |(key, _)| {
            point(key)
                .map_or("", |point| analysis.dataset(point.dataset))
                .to_owned()
        })
        .text("profile", &rows, |(key, _)| {
            point(key).map_or_else(String::new, |point| point.profile.clone())
        })
        .real("requested_ratio", &rows, |(key, _)| {
            point(key)?.requested_ratio
        })
        .real("imbalance_ratio", &rows, |(key, _)| {
            point(key)?.imbalance_ratio
        })
        .text("model", &rows, |(key, _)| analysis.model(key.0).to_owned())
        .text("correction", &rows, |(key, _)| {
            analysis.correction(key.2).to_owned()
        })
        .text("gravest_outcome", &rows, |(_, summary)| {
            summary.gravest.id().to_owned()
        })
        .whole("n_cells", &rows, |(_, summary)| summary.n_cells)
        .whole("n_values", &rows, |(_, summary)| summary.n_values)
        .whole("n_planned", &rows, |(_, summary)| summary.n_planned);
    for (place, metric) in analysis.metrics.iter().enumerate() {
        table = table.real(&metric.id, &rows, |(_, summary)| {
            summary.means.get(place).copied().flatten()
        });
        if metric.id == "balanced_error" {
            table = table.real("pooled_balanced_error", &rows, |(_, summary)| {
                summary.pooled
            });
        }
    }
    table
        .real("bayes_balanced_error", &rows, |(_, summary)| summary.bayes)
        .real("regret", &rows, |(_, summary)| {
            Some(summary.value()? - summary.bayes?)
        })
        .real("seconds", &rows, |(_, summary)| summary.seconds)
        .sheet(views)
}

/// Per model and correction: means of every metric over whatever datasets there are.
pub(super) fn per_model(analysis: &Analysis) -> Result<Sheet> {
    struct Row {
        model: usize,
        correction: usize,
        n_datasets: usize,
        means: Vec<Option<f64>>,
        seconds: Option<f64>,
    }
    let mut rows = Vec::new();
    for model in 0..analysis.models.len() {
        for correction in 0..analysis.corrections.len() {
            let own = analysis.own_datasets(model, correction);
            if own.is_empty() {
                continue;
            }
            let over = |read: &dyn Fn(usize) -> Option<f64>| {
                crate::analysis::mean(own.values().filter_map(|points| {
                    crate::analysis::mean(points.iter().filter_map(|&point| read(point)))
                }))
            };
            let cell = |point: usize| analysis.cube.get(model, point, correction);
            rows.push(Row {
                model,
                correction,
                n_datasets: own.len(),
                means: (0..analysis.metrics.len())
                    .map(|m| over(&|point| cell(point)?.means.get(m).copied().flatten()))
                    .collect(),
                seconds: over(&|point| cell(point)?.seconds),
            });
        }
    }
    let shown = [
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
    let shown: Vec<(usize, &str, &str)> = shown
        .into_iter()
        .filter_map(|(id, name)| Some((analysis.metric(id)?, id, name)))
        .filter(|(metric, _, _)| {
            rows.iter()
                .any(|row| row.means.get(*metric).copied().flatten().is_some())
        })
        .collect();
    let mut view = View::new(
        "per_model",
        "All metrics by model and correction",
        "Means over all datasets that the arm itself has values for: rows with different numbers of \
         datasets are not comparable. Errors, recalls, F1 and ECE in %. Time is the mean of \
         resampling, fitting, cross-fitting and deciding a cell; work shared between cells is counted \
         in each. Recall by training count of the class: many 100 and more, medium 20 to 99, few \
         below 20.",
    )
    .words("model")
    .words("correction")
    .numbers("datasets");
    for (_, _, name) in &shown {
        view = view.numbers(*name);
    }
    let timed = rows.iter().any(|row| row.seconds.is_some());
    if timed {
        view = view.numbers("time");
    }
    for row in &rows {
        let mut cells = vec![
            model_cell(analysis, row.model),
            correction_cell(analysis, row.correction),
            Cell::count(row.n_datasets),
        ];
        for (metric, id, _) in &shown {
            let value = row.means.get(*metric).copied().flatten();
            cells.push(match *id {
                "mcc" | "auroc" | "log_loss" => Cell::number(value, |v| fixed(v, 3)),
                _ => Cell::number(value, percent),
            });
        }
        if timed {
            cells.push(Cell::number(row.seconds, seconds));
        }
        view.rows.push(cells);
    }
    let mut table = Rows::new("per_model")
        .text("model", &rows, |row| analysis.model(row.model).to_owned())
        .text("correction", &rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .whole("n_datasets", &rows, |row| row.n_datasets);
    for (place, metric) in analysis.metrics.iter().enumerate() {
        table = table.real(&metric.id, &rows, |row| {
            row.means.get(place).copied().flatten()
        });
    }
    table
        .real("seconds", &rows, |row| row.seconds)
        .sheet(vec![view])
}
