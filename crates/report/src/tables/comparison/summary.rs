//! Every correction against no correction: the main table, and what a correction pays elsewhere.

use counterweight_stats::Side;

use super::verdict;
use crate::analysis::{Analysis, Comparison};
use crate::error::Result;
use crate::format::{fixed, p_value, percent, points, rank, signed};
use crate::tables::{Rows, Sheet, correction_cell, model_cell, place_mark};
use crate::view::{Cell, Mark, View};

/// The metrics of the price table: what a correction targets, then what it pays.
const PRICED: [(&str, &str); 7] = [
    ("balanced_error", "balanced error"),
    ("error_rate", "error rate"),
    ("macro_f1", "macro-F1"),
    ("mcc", "MCC"),
    ("brier", "Brier"),
    ("log_loss", "log loss"),
    ("ece", "ECE"),
];

/// Per model: every correction with its rank and its difference to no correction. The main table.
pub(in crate::tables) fn summary(analysis: &Analysis) -> Result<Sheet> {
    struct Row<'a> {
        comparison: &'a Comparison,
        correction: usize,
        place: Option<usize>,
    }
    let target = &analysis.target;
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
        format!(
            "{}, differences to no correction in points with 95 % intervals over \
         datasets (related sets count as one). Ranks and means stand on the datasets that all ranked \
         corrections of the model share, differences on all that a correction shares with no \
         correction. Corrections that agree on every dataset count once and share a rank. Practical: \
         the probability that the correction is better by more than half a point, by the Bayesian \
         signed-rank test. Bold: best mean rank; underlined (italic in markdown): not significantly \
         worse.",
            target.units()
        ),
    )
    .words("model")
    .words("correction")
    .numbers("mean rank")
    .numbers("datasets")
    .numbers(target.head());
    // Only balanced error has a pooled form.
    let headline = target.is_balanced_error();
    if headline {
        view = view.numbers("pooled");
    }
    view = view
        .numbers("difference")
        .words("95 % interval")
        .numbers("Holm p")
        .numbers("practical")
        .words("verdict");
    let costs = target.id != "error_rate";
    if costs {
        view = view.numbers("error rate");
    }
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
        let mut cells = vec![
            model_cell(analysis, row.comparison.model),
            correction_cell(analysis, row.correction).marked(mark),
            Cell::number(ranked.as_ref().map(|r| r.mean_rank), rank).marked(mark),
            Cell::count(n),
            Cell::number(ranked.as_ref().map(|r| r.mean_value), percent),
        ];
        if headline {
            cells.push(Cell::number(
                ranked.as_ref().and_then(|r| r.mean_pooled),
                percent,
            ));
        }
        cells.extend([
            Cell::number(against.as_ref().map(|a| a.mean_difference), points),
            Cell::text(interval),
            Cell::number(against.as_ref().map(|a| a.p_holm), p_value),
            Cell::number(
                against.as_ref().and_then(|a| a.practical).map(|p| p.better),
                |p| fixed(p, 2),
            ),
            Cell::text(against.as_ref().map_or("", |a| verdict(target, a.verdict))),
        ]);
        if costs {
            cells.push(Cell::number(paid(row, "error_rate"), points));
        }
        view.rows.push(cells);
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
        .real(&format!("mean_{}", analysis.target.id), &rows, |row| {
            Some(ranked(row)?.mean_value)
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
            against(row).map_or_else(String::new, |a| verdict(target, a.verdict).to_owned())
        })
        .real("error_rate_difference", &rows, |row| {
            paid(row, "error_rate")
        })
        .sheet(vec![view])
}

/// What a correction targets beside what it pays.
pub(in crate::tables) fn price(analysis: &Analysis) -> Result<Sheet> {
    let target = &analysis.target;
    let head = target.head();
    let own = std::iter::once((target.id.as_str(), head.as_str()));
    let others = PRICED.iter().copied().filter(|(id, _)| *id != target.id);
    let priced: Vec<(usize, &str, &str)> = own
        .chain(others)
        .filter_map(|(id, name)| Some((analysis.metric(id)?, id, name)))
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
            let in_points = *id == target.id
                || matches!(*id, "balanced_error" | "error_rate" | "macro_f1" | "ece");
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
