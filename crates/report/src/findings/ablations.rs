//! Swept parameters in sentences: which matter, which do not, and where the default is not the best.

use counterweight_core::{Role, Scalar};

use super::code;
use crate::analysis::{Ablation, AblationVerdict, Analysis, Kind, Part};
use counterweight_plots::format::{fixed, list};

/// A sentence an axis and model; for an axis of models that of no correction. Populations and axes with
/// too few datasets have none.
pub(crate) fn ablation_sentences(analysis: &Analysis) -> Vec<String> {
    let found = analysis.ablations.ablations.iter();
    found
        .filter(|own| own.axis.stage != Role::Model || own.plain)
        .filter_map(|own| sentence(analysis, own))
        .collect()
}

/// What the grid covers: `between 3 and 10`, `among a, b and c`.
fn over(own: &Ablation) -> String {
    let settings = || own.points.iter().map(|point| &point.setting);
    let words: Vec<String> = settings().map(Scalar::to_string).collect();
    match (words.as_slice(), settings().all(|s| s.as_real().is_some())) {
        ([first, .., last], true) => format!("between {first} and {last}"),
        _ => format!("among {}", list(&words)),
    }
}

fn with_interval(part: Part) -> String {
    let size = |value: f64| fixed(value * 100.0, 1);
    let interval = part.interval;
    let interval = interval.map_or_else(String::new, |i| {
        format!(" [{}, {}]", size(i.lower), size(i.upper))
    });
    format!("{} points{interval}", size(part.mean))
}

fn sentence(analysis: &Analysis, own: &Ablation) -> Option<String> {
    let what = format!("{} of {}", code(&own.axis.parameter), code(&own.axis.entry));
    // The entry of a model's axis is the model.
    let whose = if own.axis.stage == Role::Model {
        String::new()
    } else {
        format!(" for {}", code(&own.model))
    };
    let over = over(own);
    let range = with_interval(own.range);
    let best = own.points.get(own.best)?.setting.to_string();
    let default = own.axis.default.as_ref().map(Scalar::to_string);
    let help = analysis.target.helps();
    let name = &analysis.target.name;
    Some(match own.verdict {
        AblationVerdict::TooFew => return None,
        AblationVerdict::Identical => {
            format!("{what} makes no difference {over}{whose}.")
        }
        AblationVerdict::Flat => {
            format!("{what} does not matter {over}{whose}: the range is {range}.")
        }
        AblationVerdict::BetterThanDefault => format!(
            "{what} at {best} {help} {name} by {} against the default {}{whose}; the range {over} is {range}.",
            with_interval(own.gain?),
            default?,
        ),
        AblationVerdict::Matters => {
            let best = match (own.default, default) {
                (Some(at), Some(_)) if at == own.best => format!("best at {best}, the default"),
                (Some(_), Some(default)) => {
                    format!("best at {best}, which is not shown to beat the default {default}")
                }
                _ => format!("best at {best}"),
            };
            format!("{what} matters {over}{whose}: the range is {range}, {best}.")
        }
        AblationVerdict::Unclear => {
            format!("{what} is not shown to matter {over}{whose}: the range is {range}.")
        }
    })
}

/// Which member stands for each grid; empty where no entry sweeps anything, or all its members stand.
pub(crate) fn standing_sentence(analysis: &Analysis) -> String {
    let grids = analysis.ablations.entries.iter();
    let stands: Vec<String> = grids
        .filter(|grid| grid.kind != Kind::Dataset && !grid.expanded())
        .filter_map(|grid| {
            let (own, entry) = (code(&grid.stands()?.id), code(&grid.entry));
            Some(format!(
                "{own} for the {} members of {entry}",
                grid.members.len()
            ))
        })
        .collect();
    if stands.is_empty() {
        return String::new();
    }
    format!(
        "Rankings and figures show one member of each grid, {}: the one at the default where the grid \
         holds it, else the one in the middle. The others are compared under Ablations; `expand = true` \
         in the sweep file ranks them all.",
        list(&stands)
    )
}
