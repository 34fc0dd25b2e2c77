//! Tables that compare corrections: differences to no correction, what they pay, ranks and parts of gains.

use super::{Columns, Sheet};
use crate::analysis::{
    Against, Analysis, Comparison, Contest, Price, Ranked, Scope, Target, Verdict,
};
use crate::error::Result;
use counterweight_plots::format::{fixed, percent, plural, points, rank, signed};

/// The metrics of the price table: what a correction targets, then what it pays; whether less is better.
const PRICED: [(&str, &str, bool); 7] = [
    ("balanced_error", "balanced error", true),
    ("error_rate", "error rate", true),
    ("macro_f1", "macro-F1", false),
    ("mcc", "MCC", false),
    ("brier", "Brier", true),
    ("log_loss", "log loss", true),
    ("ece", "ECE", true),
];

/// The word for a verdict, the same everywhere.
pub(crate) fn verdict(target: &Target, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => target.helps(),
        Verdict::Worse => target.harms(),
        Verdict::LikelyBetter => "likely better",
        Verdict::LikelyWorse => "likely worse",
        Verdict::Equivalent => "practically equal",
        Verdict::Identical => "identical",
        Verdict::NotShown => "not shown",
        Verdict::TooFew => "too few sets",
    }
}

/// A correction of a comparison, ranked or not.
struct Row<'a> {
    comparison: &'a Comparison,
    correction: usize,
    ranked: Option<&'a Ranked>,
    against: Option<&'a Against>,
}

impl<'a> Row<'a> {
    /// By gain, largest first; what has no difference to no correction comes last.
    fn all(comparison: &'a Comparison) -> Vec<Self> {
        let row = |correction: usize| Row {
            comparison,
            correction,
            ranked: comparison.rank_of(correction),
            against: comparison.against(correction),
        };
        let paired = comparison.against.iter().map(|a| a.correction);
        let ranked = comparison.ranked.iter().map(|r| r.correction);
        let unranked = comparison.unranked.iter().map(|u| u.correction);
        let mut order: Vec<usize> = Vec::new();
        for correction in paired.chain(ranked).chain(unranked) {
            if !order.contains(&correction) {
                order.push(correction);
            }
        }
        order.into_iter().map(row).collect()
    }

    /// How the typical set differs from the mean, where the two tests do.
    fn remark(&self) -> String {
        let Some((against, practical)) = self.against.and_then(|a| Some((a, a.practical?))) else {
            return String::new();
        };
        let better = matches!(against.verdict, Verdict::Better | Verdict::LikelyBetter);
        if better && practical.better < 0.95 {
            let (median, mean) = (points(against.median), points(against.gain.mean));
            return format!("helps on few sets: median {median}, mean {mean}");
        }
        String::new()
    }

    fn first(&self) -> Option<f64> {
        let contest = self.comparison.contest.as_ref()?;
        let twin = self.ranked.and_then(|ranked| ranked.same_as);
        let arm = twin.unwrap_or(self.correction);
        let place = contest.arms.iter().position(|own| *own == arm)?;
        contest.first.get(place).copied()
    }
}

/// Per model: every correction with its gain over no correction. The main table.
pub(super) fn summary(analysis: &Analysis) -> Result<Sheet> {
    let target = &analysis.target;
    let rows: Vec<Row<'_>> = analysis.overall.iter().flat_map(Row::all).collect();
    let counted = |row: &Row<'_>, count: fn(&Against) -> usize| row.against.map_or(0, count);
    let twin = |row: &Row<'_>| {
        let twin = row.ranked.and_then(|ranked| ranked.same_as);
        twin.map_or("", |twin| analysis.correction(twin))
    };
    let difference = |row: &Row<'_>| row.against.map(|a| a.levels[1] - a.levels[0]);
    let ends = |row: &Row<'_>| {
        let interval = row.against?.gain.interval?;
        let (a, b) = (-target.cost(interval.lower), -target.cost(interval.upper));
        Some(if target.lower_is_better {
            (-interval.upper, -interval.lower)
        } else {
            (a, b)
        })
    };
    let family = plural(analysis.family, "comparison");
    let mut columns = Columns::of(&rows)
        .code("model", "model", |row| {
            analysis.model(row.comparison.model())
        })
        .code("correction", "correction", |row| {
            analysis.correction(row.correction)
        })
        .file_text("same_as", twin)
        .part("gain", "gain", |row| Some(row.against?.gain), points)
        .count("n_clusters_paired", "clusters", |row| {
            counted(row, Against::n_clusters)
        })
        .worded(|row| {
            row.against
                .map_or_else(String::new, |a| a.n_clusters().to_string())
        })
        .text("verdict", "verdict", |row| {
            row.against.map_or("", |a| verdict(target, a.verdict))
        })
        .real(
            "visible",
            "visible from",
            |row| row.against?.visible(),
            points,
        )
        .worded(
            |row| match row.against.filter(|a| a.verdict == Verdict::NotShown) {
                Some(against) => against.visible().map(points).unwrap_or_default(),
                None => String::new(),
            },
        )
        .real("p_first", "P(first)", Row::first, |p| fixed(p, 2))
        .real(
            "mean_rank",
            "mean rank",
            |row| Some(row.ranked?.mean_rank),
            rank,
        )
        .text("remark", "remark", Row::remark);
    if analysis.models.iter().any(|model| model.left_out) {
        columns = columns.real(
            "gain_with_degenerate",
            "with degenerate cells",
            |row| row.against?.with_degenerate,
            points,
        );
    }
    columns
        .file_count("n_datasets_ranked", |row| row.ranked.map_or(0, |_| row.comparison.datasets.len()))
        .file_count("n_datasets_paired", |row| counted(row, |a| a.n_datasets))
        .file_real(&format!("mean_{}", target.id), |row| Some(row.ranked?.mean_value))
        .file_real("pooled_balanced_error", |row| row.ranked?.mean_pooled)
        .file_real("difference", difference)
        .file_real("lower", |row| Some(ends(row)?.0))
        .file_real("upper", |row| Some(ends(row)?.1))
        .file_real("median_gain", |row| Some(row.against?.median))
        .file_real("p_raw", |row| Some(row.against?.p_raw))
        .file_real("p_holm", |row| row.against?.p_holm)
        .file_count("wins", |row| counted(row, |a| a.wins))
        .file_count("ties", |row| counted(row, |a| a.ties))
        .file_count("losses", |row| counted(row, |a| a.losses))
        .file_real("p_better", |row| Some(row.against?.tier?.p_above))
        .file_real("p_equal", |row| Some(row.against?.tier?.p_rope))
        .file_real("p_worse", |row| Some(row.against?.tier?.p_below))
        .file_real("typical_better", |row| Some(row.against?.practical?.better))
        .file_real("typical_equal", |row| Some(row.against?.practical?.equivalent))
        .file_real("typical_worse", |row| Some(row.against?.practical?.worse))
        .sheet(
            "summary",
            "Corrections by model",
            format!(
                "Gain over no correction in {} (points; positive is better) with its 95 % interval over clusters. \
                 {} and {}: rejected among {family} (Wilcoxon, Holm) and a mean gain beyond half a point with \
                 probability .95; likely: the second alone, not adjusted. Visible from: the least gain that would \
                 have shown.",
                target.name,
                capital(target.helps()),
                target.harms(),
            ),
        )
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// What a correction targets beside what it pays.
pub(super) fn price(analysis: &Analysis) -> Result<Sheet> {
    let target = &analysis.target;
    let head = target.head();
    let own = std::iter::once((target.id.as_str(), head.as_str(), target.lower_is_better));
    let others = PRICED.iter().copied().filter(|(id, ..)| *id != target.id);
    let rows: Vec<(usize, &Price)> = analysis
        .overall
        .iter()
        .flat_map(|c| c.prices.iter().map(move |price| (c.model(), price)))
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
        .count("n_clusters", "clusters", |(_, row)| row.n_clusters);
    for (id, name, less) in own.chain(others) {
        let Some(metric) = analysis.metric(id) else {
            continue;
        };
        let in_points =
            id == target.id || matches!(id, "balanced_error" | "error_rate" | "macro_f1" | "ece");
        let shown = |row: &Price| {
            if is_baseline(row) {
                mean(row, metric)
            } else {
                difference(row, metric).map(|d| if less { -d } else { d })
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
        "The price: gains in every metric",
        "No correction with its means, every other row with its gain over no correction on the same clusters: \
         positive is better in every column. Errors, F1 and ECE in % and points; metrics of probabilities after \
         the shift to the metric prior.",
    )
}

/// Mean ranks over clusters.
pub(super) fn ranks(analysis: &Analysis) -> Result<Sheet> {
    let ranked = |c| -> Vec<(&Comparison, usize, &Ranked)> {
        let c: &Comparison = c;
        c.ranked
            .iter()
            .enumerate()
            .map(|(place, r)| (c, place, r))
            .collect()
    };
    let rows: Vec<_> = analysis.overall.iter().flat_map(ranked).collect();
    Columns::of(&rows)
        .file_text("model", |(c, ..)| analysis.model(c.model()))
        .file_count("place", |(_, place, _)| place + 1)
        .file_text("correction", |(.., r)| analysis.correction(r.correction))
        .file_real("mean_rank", |(.., r)| Some(r.mean_rank))
        .file_count("n_datasets", |(c, ..)| c.datasets.len())
        .file_count("n_clusters", |(c, ..)| c.n_clusters)
        .files("ranks", Vec::new())
}

/// Who a comparison is about.
fn who<'a>(analysis: &'a Analysis, comparison: &Comparison) -> &'a str {
    match comparison.models[..] {
        [one] => analysis.model(one),
        _ => "all models",
    }
}

/// All comparisons: all models together first, then by model, then within scopes.
fn every(analysis: &Analysis) -> impl Iterator<Item = &Comparison> {
    let whole = std::iter::once(&analysis.pooled).chain(&analysis.overall);
    whole.chain(&analysis.scoped)
}

/// Gains within ratio bands and populations, and of all models together.
pub(super) fn bands(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<(&Comparison, &Against)> = every(analysis)
        .flat_map(|c| c.against.iter().map(move |a| (c, a)))
        .collect();
    let ends = |c: &Comparison| match c.scope {
        Scope::Band(low, high) => (Some(low), Some(high).filter(|high| high.is_finite())),
        _ => (None, None),
    };
    Columns::of(&rows)
        .file_text("scope", |(c, _)| c.scope.label())
        .file_real("ratio_from", |(c, _)| ends(c).0)
        .file_real("ratio_below", |(c, _)| ends(c).1)
        .file_text("model", |(c, _)| who(analysis, c))
        .file_text("correction", |(_, a)| analysis.correction(a.correction))
        .file_real("gain", |(_, a)| Some(a.gain.mean))
        .file_real("gain_low", |(_, a)| Some(a.gain.interval?.lower))
        .file_real("gain_high", |(_, a)| Some(a.gain.interval?.upper))
        .file_real("p_better", |(_, a)| Some(a.tier?.p_above))
        .file_text("verdict", |(_, a)| verdict(&analysis.target, a.verdict))
        .file_count("n_datasets", |(_, a)| a.n_datasets)
        .file_count("n_clusters", |(_, a)| a.n_clusters())
        .files("bands", Vec::new())
}

/// The matrix of the page: honest gains by model and band.
pub(super) fn contests(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<(&Comparison, &Contest)> = every(analysis)
        .filter_map(|c| Some((c, c.contest.as_ref()?)))
        .collect();
    Columns::of(&rows)
        .file_text("scope", |(c, _)| c.scope.label())
        .file_text("model", |(c, _)| who(analysis, c))
        .file_real("honest_gain", |(_, own)| Some(own.honest.mean))
        .file_real("honest_gain_low", |(_, own)| {
            Some(own.honest.interval?.lower)
        })
        .file_real("honest_gain_high", |(_, own)| {
            Some(own.honest.interval?.upper)
        })
        .file_text("verdict", |(_, own)| verdict(&analysis.target, own.verdict))
        .file_real("visible", |(_, own)| own.visible)
        .file_text("leader", |(_, own)| analysis.correction(own.leader().0))
        .file_real("p_first", |(_, own)| Some(own.first_of_leader()))
        .file_real("p_first_of_equals", |(_, own)| Some(own.of_equals))
        .file_count("n_corrections", |(_, own)| own.arms.len())
        .file_count("n_clusters", |(_, own)| own.n_clusters)
        .files("contests", Vec::new())
}

/// Gains taken apart into threshold, ranking and what is left.
pub(super) fn effects(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.effects)
        .file_text("model", |row| analysis.model(row.model))
        .file_text("correction", |row| analysis.correction(row.correction))
        .file_count("n_clusters", |row| row.n_clusters)
        .file_part("gain", |row| Some(row.gain))
        .file_part("threshold", |row| Some(row.threshold))
        .file_part("ranking", |row| Some(row.ranking))
        .file_part("left", |row| Some(row.left))
        .files("effects", Vec::new())
}

/// Whether all corrections of a model are the same.
pub(super) fn omnibus(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .overall
        .iter()
        .filter_map(|c| Some((c, c.omnibus.as_ref()?)))
        .collect();
    Columns::of(&rows)
        .file_text("model", |(c, _)| analysis.model(c.model()))
        .file_count("n_corrections", |(c, _)| c.n_counted())
        .file_count("n_clusters", |(_, test)| test.n_clusters)
        .file_real("chi_squared", |(_, test)| Some(test.chi_squared))
        .file_count("df", |(_, test)| test.df)
        .file_real("p_friedman", |(_, test)| Some(test.p_friedman))
        .file_real("f_iman_davenport", |(_, test)| test.f)
        .file_real("p_iman_davenport", |(_, test)| Some(test.p_iman_davenport))
        .files("omnibus", Vec::new())
}

/// Balanced error beside the quality of the probabilities, as fitted and prior-corrected.
pub(super) fn calibration(analysis: &Analysis) -> Result<Sheet> {
    Columns::of(&analysis.calibration.rows)
        .file_text("scope", |row| row.scope.label())
        .file_text("model", |row| analysis.model(row.model))
        .file_text("correction", |row| analysis.correction(row.correction))
        .file_count("n_datasets", |row| row.n_datasets)
        .file_real("balanced_error", |row| row.balanced_error)
        .file_real("log_loss", |row| row.log_loss)
        .file_real("ece", |row| row.ece)
        .file_real("brier_reliability", |row| row.brier_reliability)
        .file_count("n_binary", |row| row.n_binary)
        .file_real("median_calibration_intercept", |row| row.intercept)
        .file_real("median_calibration_slope", |row| row.slope)
        .file_real("prior_corrected_log_loss", |row| row.corrected_log_loss)
        .file_real("prior_corrected_ece", |row| row.corrected_ece)
        .file_real("prior_corrected_median_calibration_intercept", |row| {
            row.corrected_intercept
        })
        .files("calibration", Vec::new())
}
