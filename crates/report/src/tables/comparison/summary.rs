//! Every correction against no correction: the main table, and what a correction pays elsewhere.

use counterweight_stats::{Crossing, Side};

use crate::analysis::{Against, Analysis, Comparison, Price, Ranked, Target, Verdict};
use crate::error::Result;
use crate::tables::{Columns, Sheet, place_mark};
use crate::view::Mark;
use counterweight_plots::format::{fixed, p_value, percent, points, rank, signed};

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

/// A correction of a model, in the common ranking or out of it.
struct Row<'a> {
    comparison: &'a Comparison,
    correction: usize,
    /// With its place, where it is ranked.
    ranked: Option<(usize, &'a Ranked)>,
    against: Option<&'a Against>,
}

impl<'a> Row<'a> {
    fn all(comparison: &'a Comparison) -> impl Iterator<Item = Self> {
        let row = move |correction, ranked| Row {
            comparison,
            correction,
            ranked,
            against: comparison.against(correction),
        };
        let ranked = comparison.ranked.iter().enumerate();
        let ranked = ranked.map(move |(place, r)| row(r.correction, Some((place, r))));
        let unranked = comparison.unranked.iter();
        ranked.chain(unranked.map(move |u| row(u.correction, None)))
    }

    fn ranked(&self) -> Option<&'a Ranked> {
        Some(self.ranked?.1)
    }

    fn crossing(&self) -> Option<Crossing> {
        let along = self.against?.along_ratio.as_ref()?;
        along.crossings.first().copied()
    }

    fn mark(&self) -> Mark {
        self.ranked
            .map(|(place, ranked)| place_mark(place, ranked.among_best))
            .unwrap_or_default()
    }
}

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
pub(in crate::tables) fn summary(analysis: &Analysis) -> Result<Sheet> {
    let target = &analysis.target;
    let rows: Vec<Row<'_>> = analysis.overall.iter().flat_map(Row::all).collect();
    let error_rate = analysis.metric("error_rate");
    let paid = |row: &Row<'_>| {
        let price = row.comparison.price(row.correction)?;
        price.differences.get(error_rate?).copied().flatten()
    };
    let counted = |row: &Row<'_>, count: fn(&Against) -> usize| row.against.map_or(0, count);
    Columns::of(&rows)
        .code("model", "model", |row| analysis.model(row.comparison.model))
        .code("correction", "correction", |row| analysis.correction(row.correction))
        .marked(Row::mark)
        .file_text("same_as", |row| {
            let twin = row.ranked().and_then(|ranked| ranked.same_as);
            twin.map_or("", |twin| analysis.correction(twin))
        })
        .real("mean_rank", "mean rank", |row| Some(row.ranked()?.mean_rank), rank)
        .marked(Row::mark)
        .file_count("n_datasets_ranked", |row| {
            row.ranked.map_or(0, |_| row.comparison.datasets.len())
        })
        .number_of("datasets", |row| match row.ranked {
            Some(_) => row.comparison.datasets.len(),
            None => counted(row, |a| a.n_datasets),
        })
        .real(
            &format!("mean_{}", target.id),
            target.head(),
            |row| Some(row.ranked()?.mean_value),
            percent,
        )
        .real("pooled_balanced_error", "pooled", |row| row.ranked()?.mean_pooled, percent)
        // Only balanced error has a pooled form.
        .shown_if(target.is_balanced_error())
        .file_real("share_of_first", |row| Some(row.ranked()?.share_of_first))
        .file_text("among_best", |row| {
            let among = row.ranked().and_then(|ranked| ranked.among_best);
            among.map_or_else(String::new, |among| among.to_string())
        })
        .file_count("n_datasets_paired", |row| counted(row, |a| a.n_datasets))
        .file_count("n_clusters_paired", |row| counted(row, |a| a.n_clusters))
        .real("difference", "difference", |row| Some(row.against?.mean_difference), points)
        .interval(|row| row.against?.interval)
        .file_real("p_raw", |row| Some(row.against?.p_raw))
        .real("p_holm", "Holm p", |row| Some(row.against?.p_holm), p_value)
        .file_count("wins", |row| counted(row, |a| a.wins))
        .file_count("ties", |row| counted(row, |a| a.ties))
        .file_count("losses", |row| counted(row, |a| a.losses))
        .file_real("detectable", |row| row.against?.detectable)
        .real(
            "p_practically_better",
            "practical",
            |row| Some(row.against?.practical?.better),
            |p| fixed(p, 2),
        )
        .file_real("p_equivalent", |row| Some(row.against?.practical?.equivalent))
        .file_real("p_practically_worse", |row| Some(row.against?.practical?.worse))
        .file_real("crossing_ratio", |row| Some(row.crossing()?.ratio))
        .file_real("crossing_lower", |row| row.crossing()?.lower)
        .file_real("crossing_upper", |row| row.crossing()?.upper)
        .file_text("better_above_crossing", |row| {
            row.crossing().map_or("", |c| match c.better_above {
                Side::A => "correction",
                Side::B => "none",
            })
        })
        .text("verdict", "verdict", |row| {
            row.against.map_or("", |a| verdict(target, a.verdict))
        })
        .real("error_rate_difference", "error rate", paid, points)
        .shown_if(target.id != "error_rate")
        .sheet(
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
}

/// What a correction targets beside what it pays.
pub(in crate::tables) fn price(analysis: &Analysis) -> Result<Sheet> {
    let target = &analysis.target;
    let head = target.head();
    let own = std::iter::once((target.id.as_str(), head.as_str()));
    let others = PRICED.iter().copied().filter(|(id, _)| *id != target.id);
    let rows: Vec<(usize, &Price)> = analysis
        .overall
        .iter()
        .flat_map(|c| c.prices.iter().map(move |price| (c.model, price)))
        .collect();
    let mean = |price: &Price, metric: usize| price.means.get(metric).copied().flatten();
    let difference =
        |price: &Price, metric: usize| price.differences.get(metric).copied().flatten();
    let is_baseline = |price: &Price| Some(price.correction) == analysis.baseline;
    let mut columns = Columns::of(&rows)
        .code("model", "model", |(model, _)| analysis.model(*model))
        .code("correction", "correction", |(_, row)| {
            analysis.correction(row.correction)
        })
        .count("n_datasets", "datasets", |(_, row)| row.n_datasets);
    for (id, name) in own.chain(others) {
        let Some(metric) = analysis.metric(id) else {
            continue;
        };
        let in_points =
            id == target.id || matches!(id, "balanced_error" | "error_rate" | "macro_f1" | "ece");
        let shown = |row: &Price| {
            if is_baseline(row) {
                mean(row, metric)
            } else {
                difference(row, metric)
            }
        };
        columns = columns
            .number(name, |(_, row)| shown(row), signed)
            .worded(|(_, row)| {
                let show = match (is_baseline(row), in_points) {
                    (true, true) => percent,
                    (true, false) => |v| fixed(v, 3),
                    (false, true) => points,
                    (false, false) => signed,
                };
                shown(row).map(show).unwrap_or_default()
            });
    }
    for (metric, info) in analysis.metrics.iter().enumerate() {
        columns = columns
            .file_real(&info.id, |(_, row)| mean(row, metric))
            .file_real(&format!("{}_difference", info.id), |(_, row)| {
                difference(row, metric)
            });
    }
    columns.sheet(
        "price",
        "What a correction targets, and what it pays",
        "Mean differences to no correction over the datasets that both have a value for. Error \
         rates, balanced error, macro-F1 and ECE in points, the others as they are. Metrics that \
         depend on the prior are at the training prior. For macro-F1 and MCC more is better, for the \
         others less. The row of no correction shows its own means. Empty: the model gives votes \
         only, or there is no value.",
    )
}
