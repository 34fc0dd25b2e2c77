//! The tables: each as numbers (for parquet and csv) and, where people read it, as a view.
//!
//! Numbers keep the units of the records (fractions); views show percentages and points.

use counterweight_core::{Cells, Table};
use counterweight_stats::Side;

use crate::analysis::{Analysis, Comparison, Scope, Standing, Verdict};
use crate::error::{ReportError, Result};
use crate::format::{fixed, p_value, percent, points, rank, ratio, seconds, signed};
use crate::view::{Cell, Mark, View, file_name};

/// A table under its file name, with the views that show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// File name without its ending.
    pub name: String,
    /// The numbers.
    pub table: Table,
    /// What is read; several where one would be too wide.
    pub views: Vec<View>,
}

/// Collects rows of a table column by column.
struct Rows {
    name: String,
    columns: Vec<(String, Cells)>,
}

impl Rows {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            columns: Vec::new(),
        }
    }

    fn text<T>(mut self, column: &str, rows: &[T], get: impl Fn(&T) -> String) -> Self {
        let cells = rows
            .iter()
            .map(|row| Some(get(row)).filter(|text| !text.is_empty()));
        self.columns
            .push((column.to_owned(), Cells::Text(cells.collect())));
        self
    }

    fn real<T>(mut self, column: &str, rows: &[T], get: impl Fn(&T) -> Option<f64>) -> Self {
        self.columns.push((
            column.to_owned(),
            Cells::Real(rows.iter().map(get).collect()),
        ));
        self
    }

    fn whole<T>(mut self, column: &str, rows: &[T], get: impl Fn(&T) -> usize) -> Self {
        let whole = |row: &T| Some(i64::try_from(get(row)).unwrap_or(i64::MAX));
        self.columns.push((
            column.to_owned(),
            Cells::Whole(rows.iter().map(whole).collect()),
        ));
        self
    }

    fn sheet(self, views: Vec<View>) -> Result<Sheet> {
        let mut table = Table::new();
        for (column, cells) in self.columns {
            table = table
                .with(column, cells)
                .map_err(|source| ReportError::Table {
                    table: self.name.clone(),
                    source,
                })?;
        }
        Ok(Sheet {
            name: self.name,
            table,
            views,
        })
    }
}

/// The metrics of the price table: what a correction targets, then what it pays.
pub(crate) const PRICED: [(&str, &str); 7] = [
    ("balanced_error", "balanced error"),
    ("error_rate", "error rate"),
    ("macro_f1", "macro-F1"),
    ("mcc", "MCC"),
    ("brier", "Brier"),
    ("log_loss", "log loss"),
    ("ece", "ECE"),
];

/// Every table, in the order of the page.
///
/// # Errors
/// [`ReportError::Table`] for a number that is not finite.
pub fn sheets(analysis: &Analysis) -> Result<Vec<Sheet>> {
    Ok(vec![
        summary(analysis)?,
        price(analysis)?,
        ranks(analysis)?,
        bands(analysis)?,
        ratios(analysis)?,
        ratio_curves(analysis)?,
        taus(analysis)?,
        pairwise(analysis)?,
        omnibus(analysis)?,
        robustness(analysis)?,
        policies(analysis)?,
        per_dataset(analysis)?,
        per_model(analysis)?,
        models(analysis)?,
        datasets(analysis)?,
        corrections(analysis)?,
        outcomes(analysis)?,
        reasons(analysis)?,
    ])
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Lowers => "lowers",
        Verdict::Raises => "raises",
        Verdict::Equivalent => "within half a point",
        Verdict::Identical => "identical",
        Verdict::Unclear => "not shown to differ",
        Verdict::TooFew => "too few datasets",
    }
}

/// Bold for the first place, underlined for those that no test tells from it.
fn place_mark(place: usize, among_best: Option<bool>) -> Mark {
    match (place, among_best) {
        (0, _) => Mark::Best,
        (_, Some(true)) => Mark::AmongBest,
        _ => Mark::Plain,
    }
}

fn model_cell(analysis: &Analysis, model: usize) -> Cell {
    Cell::code(analysis.model(model))
}

fn correction_cell(analysis: &Analysis, correction: usize) -> Cell {
    Cell::code(analysis.correction(correction))
}

/// Per model: every correction with its rank and its difference to no correction. The main table.
fn summary(analysis: &Analysis) -> Result<Sheet> {
    struct Row<'a> {
        comparison: &'a Comparison,
        correction: usize,
        place: Option<usize>,
    }
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        for (place, ranked) in comparison.ranked.iter().enumerate() {
            rows.push(Row {
                comparison,
                correction: ranked.correction,
                place: Some(place),
            });
        }
        for unranked in &comparison.unranked {
            rows.push(Row {
                comparison,
                correction: unranked.correction,
                place: None,
            });
        }
    }
    let ranked = |row: &Row<'_>| row.comparison.rank_of(row.correction).cloned();
    let against = |row: &Row<'_>| row.comparison.against(row.correction).cloned();
    let crossing = |row: &Row<'_>| {
        row.comparison
            .against(row.correction)?
            .along_ratio
            .as_ref()?
            .crossings
            .first()
            .copied()
    };
    let paid = |row: &Row<'_>, metric: &str| {
        let metric = analysis.metric(metric)?;
        row.comparison
            .price(row.correction)?
            .differences
            .get(metric)
            .copied()
            .flatten()
    };
    let mut view = View::new(
        "summary",
        "Corrections by model",
        "Balanced error in %, differences to no correction in points with 95 % intervals over \
         datasets (related sets count as one). Ranks and means stand on the datasets that all ranked \
         corrections of the model share, differences on all that a correction shares with no \
         correction. Corrections that agree on every dataset count once and share a rank. Practical: \
         the probability that the correction is better by more than half a point, by the Bayesian \
         signed-rank test. Bold: best mean rank; underlined (italic in markdown): not significantly \
         worse.",
    )
    .words("model")
    .words("correction")
    .numbers("mean rank")
    .numbers("datasets")
    .numbers("balanced error")
    .numbers("pooled")
    .numbers("difference")
    .words("95 % interval")
    .numbers("Holm p")
    .numbers("practical")
    .words("verdict")
    .numbers("error rate");
    for row in &rows {
        let (ranked, against) = (ranked(row), against(row));
        let mark = row.place.map_or(Mark::Plain, |place| {
            place_mark(place, ranked.as_ref().and_then(|ranked| ranked.among_best))
        });
        let interval = against
            .as_ref()
            .and_then(|a| a.interval)
            .map_or_else(String::new, |i| {
                format!(
                    "[{}, {}]",
                    fixed(i.lower * 100.0, 1),
                    fixed(i.upper * 100.0, 1)
                )
            });
        let n = match row.place {
            Some(_) => row.comparison.datasets.len(),
            None => against.as_ref().map_or(0, |against| against.n_datasets),
        };
        view.rows.push(vec![
            model_cell(analysis, row.comparison.model),
            correction_cell(analysis, row.correction).marked(mark),
            Cell::number(ranked.as_ref().map(|r| r.mean_rank), rank).marked(mark),
            Cell::count(n),
            Cell::number(ranked.as_ref().map(|r| r.mean_balanced_error), percent),
            Cell::number(ranked.as_ref().and_then(|r| r.mean_pooled), percent),
            Cell::number(against.as_ref().map(|a| a.mean_difference), points),
            Cell::text(interval),
            Cell::number(against.as_ref().map(|a| a.p_holm), p_value),
            Cell::number(
                against.as_ref().and_then(|a| a.practical).map(|p| p.better),
                |p| fixed(p, 2),
            ),
            Cell::text(against.as_ref().map_or("", |a| verdict(a.verdict))),
            Cell::number(paid(row, "error_rate"), points),
        ]);
    }
    Rows::new("summary")
        .text("model", &rows, |row| {
            analysis.model(row.comparison.model).to_owned()
        })
        .text("correction", &rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .text("same_as", &rows, |row| {
            let twin = ranked(row).and_then(|ranked| ranked.same_as);
            twin.map_or("", |twin| analysis.correction(twin)).to_owned()
        })
        .real("mean_rank", &rows, |row| Some(ranked(row)?.mean_rank))
        .whole("n_datasets_ranked", &rows, |row| {
            row.place.map_or(0, |_| row.comparison.datasets.len())
        })
        .real("mean_balanced_error", &rows, |row| {
            Some(ranked(row)?.mean_balanced_error)
        })
        .real("pooled_balanced_error", &rows, |row| {
            ranked(row)?.mean_pooled
        })
        .real("share_of_first", &rows, |row| {
            Some(ranked(row)?.share_of_first)
        })
        .text("among_best", &rows, |row| {
            ranked(row)
                .and_then(|r| r.among_best)
                .map_or_else(String::new, |b| b.to_string())
        })
        .whole("n_datasets_paired", &rows, |row| {
            against(row).map_or(0, |a| a.n_datasets)
        })
        .whole("n_clusters_paired", &rows, |row| {
            against(row).map_or(0, |a| a.n_clusters)
        })
        .real("difference", &rows, |row| {
            Some(against(row)?.mean_difference)
        })
        .real("lower", &rows, |row| Some(against(row)?.interval?.lower))
        .real("upper", &rows, |row| Some(against(row)?.interval?.upper))
        .real("p_raw", &rows, |row| Some(against(row)?.p_raw))
        .real("p_holm", &rows, |row| Some(against(row)?.p_holm))
        .whole("wins", &rows, |row| against(row).map_or(0, |a| a.wins))
        .whole("ties", &rows, |row| against(row).map_or(0, |a| a.ties))
        .whole("losses", &rows, |row| against(row).map_or(0, |a| a.losses))
        .real("detectable", &rows, |row| against(row)?.detectable)
        .real("p_practically_better", &rows, |row| {
            Some(against(row)?.practical?.better)
        })
        .real("p_equivalent", &rows, |row| {
            Some(against(row)?.practical?.equivalent)
        })
        .real("p_practically_worse", &rows, |row| {
            Some(against(row)?.practical?.worse)
        })
        .real("crossing_ratio", &rows, |row| Some(crossing(row)?.ratio))
        .real("crossing_lower", &rows, |row| crossing(row)?.lower)
        .real("crossing_upper", &rows, |row| crossing(row)?.upper)
        .text("better_above_crossing", &rows, |row| {
            crossing(row)
                .map_or("", |c| match c.better_above {
                    Side::A => "correction",
                    Side::B => "none",
                })
                .to_owned()
        })
        .text("verdict", &rows, |row| {
            against(row).map_or_else(String::new, |a| verdict(a.verdict).to_owned())
        })
        .real("error_rate_difference", &rows, |row| {
            paid(row, "error_rate")
        })
        .sheet(vec![view])
}

/// What a correction targets beside what it pays.
fn price(analysis: &Analysis) -> Result<Sheet> {
    let priced: Vec<(usize, &str, &str)> = PRICED
        .iter()
        .filter_map(|(id, name)| Some((analysis.metric(id)?, *id, *name)))
        .collect();
    let rows: Vec<(usize, &crate::analysis::Price)> = analysis
        .overall
        .iter()
        .flat_map(|c| c.prices.iter().map(move |price| (c.model, price)))
        .collect();
    let mut view = View::new(
        "price",
        "What a correction targets, and what it pays",
        "Mean differences to no correction over the datasets that both have a value for. Error \
         rates, balanced error, macro-F1 and ECE in points, the others as they are. Metrics that \
         depend on the prior are at the training prior. For macro-F1 and MCC more is better, for the \
         others less. The row of no correction shows its own means. Empty: the model gives votes \
         only, or there is no value.",
    )
    .words("model")
    .words("correction")
    .numbers("datasets");
    for (_, _, name) in &priced {
        view = view.numbers(*name);
    }
    for (model, row) in &rows {
        let own = Some(row.correction) == analysis.baseline;
        let mut cells = vec![
            model_cell(analysis, *model),
            correction_cell(analysis, row.correction),
            Cell::count(row.n_datasets),
        ];
        for (metric, id, _) in &priced {
            let in_points = matches!(*id, "balanced_error" | "error_rate" | "macro_f1" | "ece");
            let values = if own { &row.means } else { &row.differences };
            let value = values.get(*metric).copied().flatten();
            cells.push(match (own, in_points) {
                (true, true) => Cell::number(value, percent),
                (true, false) => Cell::number(value, |v| fixed(v, 3)),
                (false, true) => Cell::number(value, points),
                (false, false) => Cell::number(value, signed),
            });
        }
        view.rows.push(cells);
    }
    let mut table = Rows::new("price")
        .text("model", &rows, |(model, _)| {
            analysis.model(*model).to_owned()
        })
        .text("correction", &rows, |(_, row)| {
            analysis.correction(row.correction).to_owned()
        })
        .whole("n_datasets", &rows, |(_, row)| row.n_datasets);
    for (place, metric) in analysis.metrics.iter().enumerate() {
        table = table
            .real(&metric.id, &rows, |(_, row)| {
                row.means.get(place).copied().flatten()
            })
            .real(&format!("{}_difference", metric.id), &rows, |(_, row)| {
                row.differences.get(place).copied().flatten()
            });
    }
    table.sheet(vec![view])
}

/// Mean ranks: corrections in rows, models in columns, best in bold.
fn ranks(analysis: &Analysis) -> Result<Sheet> {
    struct Row {
        model: usize,
        place: usize,
        correction: usize,
        mean_rank: f64,
        n_datasets: usize,
        n_clusters: usize,
        n_points: usize,
    }
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        for (place, ranked) in comparison.ranked.iter().enumerate() {
            rows.push(Row {
                model: comparison.model,
                place: place + 1,
                correction: ranked.correction,
                mean_rank: ranked.mean_rank,
                n_datasets: comparison.datasets.len(),
                n_clusters: comparison.n_clusters,
                n_points: comparison.n_points,
            });
        }
    }
    let ranked: Vec<&Comparison> = analysis
        .overall
        .iter()
        .filter(|comparison| !comparison.ranked.is_empty())
        .collect();
    let mut view = View::new(
        "ranks",
        "Mean ranks",
        "1 is best; under each model the number of datasets behind its ranks, the same for all \
         corrections of a column. Bold: best; underlined (italic in markdown): not significantly \
         worse. Empty: not in the common ranking of that model. Ranks of different models are not \
         comparable where they rank different numbers of corrections.",
    )
    .words("correction");
    for comparison in &ranked {
        view = view.numbers(format!(
            "{} ({})",
            analysis.model(comparison.model),
            comparison.datasets.len()
        ));
    }
    for correction in 0..analysis.corrections.len() {
        let mut cells = vec![correction_cell(analysis, correction)];
        for comparison in &ranked {
            let place = comparison
                .ranked
                .iter()
                .position(|r| r.correction == correction);
            let found = place.and_then(|place| Some((place, comparison.ranked.get(place)?)));
            cells.push(found.map_or_else(Cell::default, |(place, ranked)| {
                Cell::number(Some(ranked.mean_rank), rank)
                    .marked(place_mark(place, ranked.among_best))
            }));
        }
        if cells.iter().skip(1).any(|cell| cell.sort.is_some()) {
            view.rows.push(cells);
        }
    }
    Rows::new("ranks")
        .text("model", &rows, |row| analysis.model(row.model).to_owned())
        .whole("place", &rows, |row| row.place)
        .text("correction", &rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .real("mean_rank", &rows, |row| Some(row.mean_rank))
        .whole("n_datasets", &rows, |row| row.n_datasets)
        .whole("n_clusters", &rows, |row| row.n_clusters)
        .whole("n_points", &rows, |row| row.n_points)
        .sheet(vec![view])
}

/// Ranks and differences within ratio bands, real datasets and populations.
fn bands(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<(&Comparison, usize)> = analysis
        .scoped
        .iter()
        .flat_map(|comparison| (0..comparison.ranked.len()).map(move |place| (comparison, place)))
        .collect();
    let ranked =
        |(comparison, place): &(&Comparison, usize)| comparison.ranked.get(*place).cloned();
    let against = |row: &(&Comparison, usize)| row.0.against(ranked(row)?.correction).cloned();
    let mut view = View::new(
        "bands",
        "By band of the imbalance ratio, and by source",
        "The comparison made anew within each band of the realised imbalance ratio of the training \
         rows, for real datasets and for populations. Columns as in the main table.",
    )
    .words("scope")
    .words("model")
    .words("correction")
    .numbers("mean rank")
    .numbers("datasets")
    .numbers("balanced error")
    .numbers("difference")
    .words("95 % interval")
    .numbers("Holm p");
    for row in &rows {
        let (Some(ranked), against) = (ranked(row), against(row)) else {
            continue;
        };
        let mark = place_mark(row.1, ranked.among_best);
        let interval = against
            .as_ref()
            .and_then(|a| a.interval)
            .map_or_else(String::new, |i| {
                format!(
                    "[{}, {}]",
                    fixed(i.lower * 100.0, 1),
                    fixed(i.upper * 100.0, 1)
                )
            });
        view.rows.push(vec![
            Cell::text(row.0.scope.label()),
            model_cell(analysis, row.0.model),
            correction_cell(analysis, ranked.correction).marked(mark),
            Cell::number(Some(ranked.mean_rank), rank).marked(mark),
            Cell::count(row.0.datasets.len()),
            Cell::number(Some(ranked.mean_balanced_error), percent),
            Cell::number(against.as_ref().map(|a| a.mean_difference), points),
            Cell::text(interval),
            Cell::number(against.as_ref().map(|a| a.p_holm), p_value),
        ]);
    }
    let ends = |row: &(&Comparison, usize)| match row.0.scope {
        Scope::Band(low, high) => (Some(low), Some(high).filter(|high| high.is_finite())),
        _ => (None, None),
    };
    Rows::new("bands")
        .text("scope", &rows, |row| row.0.scope.label())
        .real("ratio_from", &rows, |row| ends(row).0)
        .real("ratio_below", &rows, |row| ends(row).1)
        .text("model", &rows, |row| analysis.model(row.0.model).to_owned())
        .text("correction", &rows, |row| {
            ranked(row)
                .map_or("", |r| analysis.correction(r.correction))
                .to_owned()
        })
        .real("mean_rank", &rows, |row| Some(ranked(row)?.mean_rank))
        .whole("n_datasets", &rows, |row| row.0.datasets.len())
        .whole("n_clusters", &rows, |row| row.0.n_clusters)
        .real("mean_balanced_error", &rows, |row| {
            Some(ranked(row)?.mean_balanced_error)
        })
        .real("difference", &rows, |row| {
            Some(against(row)?.mean_difference)
        })
        .real("lower", &rows, |row| Some(against(row)?.interval?.lower))
        .real("upper", &rows, |row| Some(against(row)?.interval?.upper))
        .real("p_holm", &rows, |row| Some(against(row)?.p_holm))
        .whole("n_datasets_paired", &rows, |row| {
            against(row).map_or(0, |a| a.n_datasets)
        })
        .sheet(vec![view])
}

/// Mean balanced error at each requested ratio.
fn ratios(analysis: &Analysis) -> Result<Sheet> {
    let rows = &analysis.ratios.rows;
    let mut view = View::new(
        "ratios",
        "By requested ratio",
        "Means over all datasets that have a value at the ratio; their number is given and differs \
         between corrections where one has no value. Balanced error in %, differences to no correction \
         and regret (above the Bayes-optimal error, populations only) in points.",
    )
    .words("model")
    .words("correction")
    .words("profile")
    .numbers("ratio")
    .numbers("datasets")
    .numbers("balanced error")
    .numbers("difference")
    .numbers("regret");
    for row in rows {
        let label = row
            .requested_ratio
            .map_or_else(|| "natural".to_owned(), ratio);
        view.rows.push(vec![
            model_cell(analysis, row.model),
            correction_cell(analysis, row.correction),
            Cell::text(row.profile.clone()),
            Cell {
                text: label,
                sort: row.requested_ratio,
                ..Cell::default()
            },
            Cell::count(row.n_datasets),
            Cell::number(Some(row.mean_balanced_error), percent),
            Cell::number(row.difference, points),
            Cell::number(row.mean_regret, points),
        ]);
    }
    Rows::new("ratios")
        .text("model", rows, |row| analysis.model(row.model).to_owned())
        .text("correction", rows, |row| {
            analysis.correction(row.correction).to_owned()
        })
        .text("profile", rows, |row| row.profile.clone())
        .real("requested_ratio", rows, |row| row.requested_ratio)
        .whole("n_datasets", rows, |row| row.n_datasets)
        .real("mean_balanced_error", rows, |row| {
            Some(row.mean_balanced_error)
        })
        .real("difference", rows, |row| row.difference)
        .real("mean_regret", rows, |row| row.mean_regret)
        .sheet(vec![view])
}

/// The numbers of the ratio figures.
fn ratio_curves(analysis: &Analysis) -> Result<Sheet> {
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
        .real("mean_balanced_error", &rows, |(_, point)| Some(point.mean))
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
fn taus(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .taus
        .curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(move |point| (curve, point)))
        .collect();
    let mut view = View::new(
        "taus",
        "Balanced error by tau",
        "Corrections that differ in tau alone, over the datasets that all of them have a value for. \
         Tau 0 is no correction. The interval of the best tau is a bootstrap over datasets and moves \
         on the grid of the sweep.",
    )
    .words("model")
    .words("stage")
    .numbers("tau")
    .words("correction")
    .numbers("datasets")
    .numbers("balanced error")
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
        .real("mean_balanced_error", &rows, |(_, point)| Some(point.mean))
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

/// All pairs of the common rankings.
fn pairwise(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .flat_map(|comparison| comparison.pairs.iter().map(move |pair| (comparison, pair)))
        .collect();
    let mut view = View::new(
        "pairwise",
        "Pairs of corrections",
        "The better ranked first; difference of their balanced errors in points over the datasets of \
         the common ranking; wins, ties and losses of the first; Wilcoxon's signed-rank test over \
         independent datasets, with Holm's correction over all pairs of the model.",
    )
    .words("model")
    .words("first")
    .words("second")
    .numbers("difference")
    .numbers("wins")
    .numbers("ties")
    .numbers("losses")
    .numbers("p")
    .numbers("Holm p")
    .numbers("datasets");
    for (comparison, pair) in &rows {
        let mark = if pair.differs {
            Mark::Best
        } else {
            Mark::Plain
        };
        view.rows.push(vec![
            model_cell(analysis, comparison.model),
            correction_cell(analysis, pair.a),
            correction_cell(analysis, pair.b),
            Cell::number(Some(pair.mean_difference), points),
            Cell::count(pair.wins),
            Cell::count(pair.ties),
            Cell::count(pair.losses),
            Cell::number(Some(pair.p_raw), p_value),
            Cell::number(Some(pair.p_holm), p_value).marked(mark),
            Cell::count(comparison.datasets.len()),
        ]);
    }
    Rows::new("pairwise")
        .text("model", &rows, |(c, _)| analysis.model(c.model).to_owned())
        .text("first", &rows, |(_, pair)| {
            analysis.correction(pair.a).to_owned()
        })
        .text("second", &rows, |(_, pair)| {
            analysis.correction(pair.b).to_owned()
        })
        .real("difference", &rows, |(_, pair)| Some(pair.mean_difference))
        .whole("wins", &rows, |(_, pair)| pair.wins)
        .whole("ties", &rows, |(_, pair)| pair.ties)
        .whole("losses", &rows, |(_, pair)| pair.losses)
        .real("p_raw", &rows, |(_, pair)| Some(pair.p_raw))
        .real("p_holm", &rows, |(_, pair)| Some(pair.p_holm))
        .text("differs", &rows, |(_, pair)| pair.differs.to_string())
        .whole("n_datasets", &rows, |(c, _)| c.datasets.len())
        .whole("n_clusters", &rows, |(c, _)| c.n_clusters)
        .sheet(vec![view])
}

/// The tests of "all corrections are the same".
fn omnibus(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.omnibus.as_ref()?)))
        .collect();
    let mut view = View::new(
        "omnibus",
        "Is there any difference at all",
        "Friedman's test (corrected for ties) and its form by Iman and Davenport over independent \
         datasets. No F: all datasets agree.",
    )
    .words("model")
    .numbers("corrections")
    .numbers("independent datasets")
    .numbers("chi-squared")
    .numbers("p")
    .numbers("F")
    .numbers("p of F");
    for (comparison, test) in &rows {
        view.rows.push(vec![
            model_cell(analysis, comparison.model),
            Cell::count(comparison.ranked.len()),
            Cell::count(test.n_clusters),
            Cell::number(Some(test.chi_squared), |v| fixed(v, 2)),
            Cell::number(Some(test.p_friedman), p_value),
            Cell::number(test.f, |v| fixed(v, 2)),
            Cell::number(Some(test.p_iman_davenport), p_value),
        ]);
    }
    Rows::new("omnibus")
        .text("model", &rows, |(c, _)| analysis.model(c.model).to_owned())
        .whole("n_corrections", &rows, |(c, _)| c.ranked.len())
        .whole("n_clusters", &rows, |(_, test)| test.n_clusters)
        .real("chi_squared", &rows, |(_, test)| Some(test.chi_squared))
        .whole("df", &rows, |(_, test)| test.df)
        .real("p_friedman", &rows, |(_, test)| Some(test.p_friedman))
        .real("f", &rows, |(_, test)| test.f)
        .real("p_iman_davenport", &rows, |(_, test)| {
            Some(test.p_iman_davenport)
        })
        .sheet(vec![view])
}

/// What the lead of each ranking hangs on.
fn robustness(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.robustness.as_ref()?)))
        .collect();
    let mut view = View::new(
        "robustness",
        "What the rankings hang on",
        "Independent datasets, and corrections, without which another correction leads; Kendall's \
         tau-b to the most different ranking that leaving out one independent dataset gives (1: the \
         same order); whether the policy for missing values decides the order.",
    )
    .words("model")
    .words("leader")
    .words("decisive datasets")
    .words("decisive corrections")
    .numbers("least tau-b")
    .words("policy for missing values");
    let leader = |comparison: &Comparison| {
        comparison
            .best()
            .map_or("", |best| analysis.correction(best.correction))
            .to_owned()
    };
    let policy = |decides_leader: bool, decides: bool| match (decides_leader, decides) {
        (true, _) => "decides the leader",
        (_, true) => "decides the order",
        _ => "decides nothing",
    };
    for (comparison, robust) in &rows {
        view.rows.push(vec![
            model_cell(analysis, comparison.model),
            Cell::code(leader(comparison)),
            Cell::text(robust.decisive_clusters.join(", ")),
            Cell::text(robust.decisive_corrections.join(", ")),
            Cell::number(robust.worst_tau, |tau| fixed(tau, 2)),
            Cell::text(policy(robust.policy_decides_leader, robust.policy_decides)),
        ]);
    }
    Rows::new("robustness")
        .text("model", &rows, |(c, _)| analysis.model(c.model).to_owned())
        .text("leader", &rows, |(c, _)| leader(c))
        .text("decisive_clusters", &rows, |(_, robust)| {
            robust.decisive_clusters.join(";")
        })
        .text("decisive_corrections", &rows, |(_, robust)| {
            robust.decisive_corrections.join(";")
        })
        .real("least_tau_b", &rows, |(_, robust)| robust.worst_tau)
        .text("policy", &rows, |(_, robust)| {
            policy(robust.policy_decides_leader, robust.policy_decides).to_owned()
        })
        .sheet(vec![view])
}

/// Ranks under every policy for missing values.
fn policies(analysis: &Analysis) -> Result<Sheet> {
    let mut rows = Vec::new();
    for comparison in &analysis.overall {
        for ranks in comparison
            .robustness
            .iter()
            .flat_map(|robust| &robust.policies)
        {
            for &(correction, mean_rank) in &ranks.ranks {
                rows.push((comparison.model, ranks, correction, mean_rank));
            }
        }
    }
    let mut view = View::new(
        "policies",
        "Ranks under each policy for missing values",
        "Intersection: only datasets on which every ranked correction has a value at every ratio. \
         Worst: a missing value is the worst of its dataset. Baseline: it is that of no correction. \
         Models without missing values are left out.",
    )
    .words("model")
    .words("policy")
    .words("correction")
    .numbers("mean rank")
    .numbers("datasets")
    .numbers("filled in");
    for (model, ranks, correction, mean_rank) in &rows {
        view.rows.push(vec![
            model_cell(analysis, *model),
            Cell::text(ranks.policy),
            correction_cell(analysis, *correction),
            Cell::number(Some(*mean_rank), rank),
            Cell::count(ranks.n_datasets),
            Cell::count(ranks.n_filled),
        ]);
    }
    Rows::new("policies")
        .text("model", &rows, |(model, ..)| {
            analysis.model(*model).to_owned()
        })
        .text("policy", &rows, |(_, ranks, ..)| ranks.policy.to_owned())
        .text("correction", &rows, |(_, _, c, _)| {
            analysis.correction(*c).to_owned()
        })
        .real("mean_rank", &rows, |(.., mean_rank)| Some(*mean_rank))
        .whole("n_datasets", &rows, |(_, ranks, ..)| ranks.n_datasets)
        .whole("n_filled", &rows, |(_, ranks, ..)| ranks.n_filled)
        .sheet(vec![view])
}

/// Per dataset: long as numbers, one wide view a model.
fn per_dataset(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis.cube.iter().collect();
    let point = |key: &(usize, usize, usize)| analysis.points.get(key.1);
    let mut views = Vec::new();
    for (model, info) in analysis.models.iter().enumerate() {
        let used: Vec<usize> = (0..analysis.corrections.len())
            .filter(|&c| {
                (0..analysis.points.len())
                    .any(|p| analysis.cube.balanced_error(model, p, c).is_some())
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
            format!("Balanced error by dataset: {}", info.id),
            "In %, mean over repeats and folds. Bold: the smallest of the row; underlined (italic in \
             markdown): not significantly worse on this dataset (Nadeau and Bengio's corrected t over \
             its folds, Holm over the row). Empty: no value, see outcomes.",
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
                let value = analysis.cube.balanced_error(model, index, correction);
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
        if place == 0 {
            table = table.real("pooled_balanced_error", &rows, |(_, summary)| {
                summary.pooled
            });
        }
    }
    table
        .real("bayes_balanced_error", &rows, |(_, summary)| summary.bayes)
        .real("regret", &rows, |(_, summary)| {
            Some(summary.balanced_error()? - summary.bayes?)
        })
        .real("seconds", &rows, |(_, summary)| summary.seconds)
        .sheet(views)
}

/// Per model and correction: means of every metric over whatever datasets there are.
fn per_model(analysis: &Analysis) -> Result<Sheet> {
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

fn models(analysis: &Analysis) -> Result<Sheet> {
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

fn datasets(analysis: &Analysis) -> Result<Sheet> {
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

fn corrections(analysis: &Analysis) -> Result<Sheet> {
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

fn outcomes(analysis: &Analysis) -> Result<Sheet> {
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

fn reasons(analysis: &Analysis) -> Result<Sheet> {
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

/// The markdown of the main summary: sentences, the main table, the price, the outcomes; below 64 KB,
/// the limit of a comment on a pull request.
pub(crate) fn summary_markdown(
    sweep: &str,
    findings: &[crate::findings::Finding],
    sheets: &[Sheet],
    command: &str,
) -> String {
    use std::fmt::Write as _;
    const LIMIT: usize = 64_000;
    let mut text = format!("## {sweep}\n\n");
    for finding in findings {
        let line = format!("- {}\n", finding.text);
        if text.len() + line.len() > LIMIT / 4 {
            text.push_str("- More in `index.html`.\n");
            break;
        }
        text.push_str(&line);
    }
    text.push('\n');
    let view = |name: &str| {
        sheets
            .iter()
            .find(|sheet| sheet.name == name)
            .and_then(|sheet| sheet.views.first())
    };
    for (name, share) in [("summary", 2), ("price", 3), ("outcomes", 8), ("ranks", 4)] {
        if let Some(view) = view(name) {
            let room = (LIMIT.saturating_sub(text.len() + 400)).min(LIMIT / share);
            text.push_str(&view.markdown(room));
            text.push('\n');
        }
    }
    let _ = writeln!(text, "Reproduce: `{}`", command.replace('`', "'"));
    text
}
