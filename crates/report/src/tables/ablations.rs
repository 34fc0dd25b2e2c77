//! Swept parameters: what each does over its grid.

use counterweight_core::Scalar;

use super::{Columns, Sheet};
use crate::analysis::{Ablation, AblationVerdict, Analysis};
use crate::error::Result;
use crate::view::Mark;
use counterweight_plots::format::{fixed, p_value, percent, points};

fn verdict(verdict: AblationVerdict) -> &'static str {
    match verdict {
        AblationVerdict::Identical => "identical",
        AblationVerdict::Flat => "within half a point",
        AblationVerdict::BetterThanDefault => "best beats default",
        AblationVerdict::Matters => "matters",
        AblationVerdict::Unclear => "not shown to matter",
        AblationVerdict::TooFew => "too few datasets",
    }
}

/// The ends of the grid, or its words.
fn over(row: &Ablation) -> String {
    let settings = || row.points.iter().map(|point| &point.setting);
    let words: Vec<String> = settings().map(Scalar::to_string).collect();
    match (words.as_slice(), settings().all(|s| s.as_real().is_some())) {
        ([first, .., last], true) => format!("{first} to {last}"),
        _ => words.join(", "),
    }
}

/// One row an axis, model and correction: its best value, and what choosing it is worth.
pub(super) fn ablations(analysis: &Analysis) -> Result<Sheet> {
    let size = |value: f64| fixed(value * 100.0, 1);
    let best = |row: &Ablation| {
        let best = row.points.get(row.best);
        best.map_or_else(String::new, |best| best.setting.to_string())
    };
    let default = |row: &Ablation| {
        let default = row.axis.default.as_ref();
        default.map_or_else(String::new, Scalar::to_string)
    };
    Columns::of(&analysis.ablations.ablations)
        .file_text("stage", |row| row.axis.stage.name())
        .code("parameter", "parameter", |row| row.axis.parameter.as_str())
        .code("entry", "of", |row| row.axis.entry.as_str())
        .code("model", "model", |row| row.model.as_str())
        .code("correction", "correction", |row| row.correction.as_str())
        .text("values", "over", over)
        .count("n_datasets", "datasets", |row| row.n_datasets)
        .file_count("n_clusters", |row| row.n_clusters)
        .text("default", "default", default)
        .text("best", "best", best)
        .marked(|row| match row.verdict {
            AblationVerdict::BetterThanDefault => Mark::Best,
            _ => Mark::Plain,
        })
        .worded(|row| match row.best_interval {
            Some((low, high)) => format!("{} [{}, {}]", best(row), fixed(low, 2), fixed(high, 2)),
            None => best(row),
        })
        .file_real("best_lower", |row| Some(row.best_interval?.0))
        .file_real("best_upper", |row| Some(row.best_interval?.1))
        .real(
            &format!("best_{}", analysis.target.id),
            analysis.target.head(),
            |row| Some(row.points.get(row.best)?.mean),
            percent,
        )
        .part("gain", "gain over default", |row| row.gain, points)
        .real("gain_p_holm", "Holm p", |row| row.gain_p, p_value)
        .part("range", "range", |row| Some(row.range), size)
        .text("verdict", "verdict", |row| verdict(row.verdict))
        .sheet(
            "ablations",
            "Swept parameters",
            format!(
                "One row for each parameter that an entry sweeps, with each model or correction beside it. {}; gain and \
                 range in points with 95 % intervals over datasets. Best: the value with the best mean, with a \
                 bootstrap interval that moves on the grid of the sweep. Gain: the best against the default on the same \
                 datasets (Wilcoxon, Holm over the grid); empty where the grid lacks the default. Range: worst less \
                 best mean; within half a point: all values lie that close to their middle, by the upper end of the \
                 interval. Populations that differ in a parameter are no pairs: no interval and no verdict.",
                analysis.target.units()
            ),
        )
}

/// The values behind the figures.
pub(super) fn ablation_points(analysis: &Analysis) -> Result<Sheet> {
    let rows: Vec<_> = analysis
        .ablations
        .ablations
        .iter()
        .flat_map(|own| own.points.iter().map(move |point| (own, point)))
        .collect();
    Columns::of(&rows)
        .file_text("stage", |(own, _)| own.axis.stage.name())
        .file_text("parameter", |(own, _)| own.axis.parameter.as_str())
        .file_text("entry", |(own, _)| own.axis.entry.as_str())
        .file_text("model", |(own, _)| own.model.as_str())
        .file_text("correction", |(own, _)| own.correction.as_str())
        .file_text("value", |(_, point)| point.setting.to_string())
        .file_real("number", |(_, point)| point.setting.as_real())
        .file_text("member", |(_, point)| point.member.as_str())
        .file_count("n_datasets", |(own, _)| own.n_datasets)
        .file_real(&format!("mean_{}", analysis.target.id), |(_, point)| {
            Some(point.mean)
        })
        .file_real("lower", |(_, point)| Some(point.interval?.0))
        .file_real("upper", |(_, point)| Some(point.interval?.1))
        .files("ablation_points", Vec::new())
}
