//! What limits the answer: power, failures, degenerate fits, missing values, twins.

use counterweight_core::Outcome;

use super::code;
use crate::analysis::Analysis;
use counterweight_plots::format::{count, fixed, list, list_up_to, plural, size};

pub(super) fn caveats(analysis: &Analysis) -> Vec<String> {
    let mut caveats = Vec::new();
    caveats.extend(power(analysis));
    if analysis.points.iter().any(|point| point.aside) {
        caveats.push(
            "Headlines are about the ladder that holds the minority's rows; the one that holds all rows has its own curves \
             and onsets."
                .to_owned(),
        );
    }
    let outcomes = &analysis.outcomes;
    let failures = outcomes.failures();
    if failures > 0 {
        caveats.push(format!(
            "{} failed, timed out or ran out of memory; their arms are missing from the comparison on those \
             datasets.",
            plural(failures, "cell")
        ));
    }
    for model in analysis
        .models
        .iter()
        .filter(|model| model.n_degenerate > 0)
    {
        let names: Vec<String> = model
            .degenerate_on
            .iter()
            .map(|&d| code(analysis.dataset(d)))
            .collect();
        let effect = if model.left_out {
            "left out of the headline, the numbers with them are in the table"
        } else {
            "left in"
        };
        caveats.push(format!(
            "{} % of the cells of {} are degenerate (a fit known to be wrong or constant; {effect}), on {}.",
            fixed(100.0 * model.n_degenerate as f64 / model.n_values.max(1) as f64, 1),
            code(&model.id),
            list_up_to(&names, 6)
        ));
    }
    let quiet = [
        Outcome::NotApplicable,
        Outcome::Skipped,
        Outcome::Undefined,
        Outcome::Clamped,
    ];
    let quiet: Vec<String> = quiet
        .into_iter()
        .filter(|outcome| outcomes.of(*outcome) > 0)
        .map(|outcome| format!("{} {}", count(outcomes.of(outcome)), outcome.id()))
        .collect();
    if !quiet.is_empty() {
        caveats.push(format!(
            "Of {}, {}.",
            plural(outcomes.n_cells, "cell"),
            list(&quiet)
        ));
    }
    caveats.extend(Some(super::standing_sentence(analysis)).filter(|text| !text.is_empty()));
    let fixed = analysis.models.iter().filter(|m| m.chosen_by.is_some());
    let fixed: Vec<String> = fixed.map(|model| code(&model.id)).collect();
    if !fixed.is_empty() {
        caveats.push(format!(
            "Fixed parameters stand beside those of each correction's own choice and take no part in the answer: {}.",
            list_up_to(&fixed, 6)
        ));
    }
    let twins: Vec<String> = (0..analysis.models.len())
        .filter_map(|model| Some((model, analysis.models.get(model)?.same_as?)))
        .map(|(model, first)| {
            let (model, first) = (analysis.model(model), analysis.model(first));
            format!("{} has the values of {}", code(model), code(first))
        })
        .collect();
    if !twins.is_empty() {
        caveats.push(format!(
            "Two names of one model count once: {}.",
            list(&twins)
        ));
    }
    let votes: Vec<String> = analysis
        .models
        .iter()
        .filter(|m| m.votes_only)
        .map(|m| code(&m.id))
        .collect();
    if !votes.is_empty() {
        let verb = if votes.len() == 1 { "gives" } else { "give" };
        caveats.push(format!(
            "{} {verb} votes and no probabilities: no decision stage applies.",
            list(&votes)
        ));
    }
    let partial = analysis
        .cube
        .iter()
        .filter(|(_, summary)| summary.n_values > 0 && summary.n_values < summary.n_planned)
        .count();
    if partial > 0 {
        caveats.push(format!(
            "{} of a model, correction and dataset {} some folds and {} as missing.",
            plural(partial, "combination"),
            if partial == 1 { "lacks" } else { "lack" },
            if partial == 1 { "counts" } else { "count" },
        ));
    }
    let calibration = &analysis.calibration;
    let lacking = calibration.n_cells.saturating_sub(calibration.n_binned);
    if calibration.n_binned == 0 && lacking > 0 {
        caveats.push(
            "No cell has reliability bins, so there are no reliability curves; `counterweight run --fresh` makes them."
                .to_owned(),
        );
    } else if lacking > 0 {
        caveats.push(format!(
            "{} of {} with probabilities have no reliability bins and are missing from the curves; `counterweight run \
             --fresh` makes them.",
            count(lacking),
            plural(calibration.n_cells, "cell")
        ));
    }
    let tiny = |&&p: &&usize| {
        analysis
            .points
            .get(p)
            .is_some_and(|point| (1..10).contains(&point.minority_count))
    };
    let points = analysis.points_of(analysis.question());
    let tiny = points.iter().filter(tiny).count();
    if tiny > 0 {
        caveats.push(format!(
            "{} of {} (a dataset at a ratio) have a class with fewer than 10 training rows.",
            count(tiny),
            plural(points.len(), "point")
        ));
    }
    caveats
}

/// What could have been seen.
fn power(analysis: &Analysis) -> Option<String> {
    let clusters = analysis
        .overall
        .iter()
        .map(|c| c.n_clusters)
        .max()
        .filter(|n| *n > 0)?;
    if clusters < counterweight_stats::FEWEST_UNITS {
        return Some(format!(
            "Only {} behind the comparison: that describes these datasets and supports no claim about others.",
            if clusters == 1 {
                "1 independent dataset is".to_owned()
            } else {
                format!("{clusters} independent datasets are")
            }
        ));
    }
    let rows = || analysis.overall.iter().flat_map(|c| &c.against);
    let mut visible: Vec<f64> = rows()
        .filter_map(crate::analysis::Against::visible)
        .collect();
    visible.sort_by(f64::total_cmp);
    let middle = visible.get(visible.len() / 2)?;
    // The least p of Wilcoxon's test against the first step of Holm's.
    let least = 2.0_f64.powi(1 - i32::try_from(clusters).unwrap_or(i32::MAX));
    let rejectable = least * analysis.family as f64 <= 0.05;
    Some(format!(
        "Half of the comparisons would have shown a mean gain from {} points on{}.",
        size(*middle),
        if rejectable {
            String::new()
        } else {
            format!(
                "; with {} and {} in the family no single one can be rejected, so nothing here is more than likely",
                plural(clusters, "cluster"),
                plural(analysis.family, "comparison")
            )
        }
    ))
}
