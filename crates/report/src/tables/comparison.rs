//! Tables that compare corrections: ranks, differences, prices, pairs and what they hang on.

use counterweight_stats::Side;

use super::{Rows, Sheet, correction_cell, model_cell, place_mark};
use crate::analysis::{Analysis, Comparison, Scope, Target, Verdict};
use crate::error::Result;
use crate::format::{fixed, p_value, percent, points, rank, signed};
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

fn verdict(target: &Target, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => target.helps(),
        Verdict::Worse => target.harms(),
        Verdict::Equivalent => "within half a point",
        Verdict::Identical => "identical",
        Verdict::Unclear => "not shown to differ",
        Verdict::TooFew => "too few datasets",
    }
}

/// Per model: every correction with its rank and its difference to no correction. The main table.
pub(super) fn summary(analysis: &Analysis) -> Result<Sheet> {
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
pub(super) fn price(analysis: &Analysis) -> Result<Sheet> {
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

/// Mean ranks: corrections in rows, models in columns, best in bold.
pub(super) fn ranks(analysis: &Analysis) -> Result<Sheet> {
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
pub(super) fn bands(analysis: &Analysis) -> Result<Sheet> {
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
    .numbers(analysis.target.head())
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
            Cell::number(Some(ranked.mean_value), percent),
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
        .real(&format!("mean_{}", analysis.target.id), &rows, |row| {
            Some(ranked(row)?.mean_value)
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

/// All pairs of the common rankings.
pub(super) fn pairwise(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .flat_map(|comparison| comparison.pairs.iter().map(move |pair| (comparison, pair)))
        .collect();
    let mut view = View::new(
        "pairwise",
        "Pairs of corrections",
        format!(
            "The better ranked first; difference in {} in points over the datasets of the common ranking; wins, ties and losses of the first; Wilcoxon's signed-rank test over \
         independent datasets, with Holm's correction over all pairs of the model.",
            analysis.target.name
        ),
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
pub(super) fn omnibus(analysis: &Analysis) -> Result<Sheet> {
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
pub(super) fn robustness(analysis: &Analysis) -> Result<Sheet> {
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
pub(super) fn policies(analysis: &Analysis) -> Result<Sheet> {
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
