//! What limits the answer: failures, missing values, few datasets, and what the rankings hang on.

use counterweight_core::Outcome;

use super::code;
use crate::analysis::Analysis;
use counterweight_plots::format::{count, list, list_up_to, plural};

pub(super) fn caveats(analysis: &Analysis) -> Vec<String> {
    let mut caveats = Vec::new();
    let outcomes = &analysis.outcomes;
    let failures = outcomes.failures();
    if failures > 0 {
        caveats.push(format!(
            "{} failed, timed out or ran out of memory; their arms are missing from the comparison \
             on those datasets.",
            plural(failures, "cell")
        ));
    }
    let mut quiet = Vec::new();
    for outcome in [
        Outcome::NotApplicable,
        Outcome::Skipped,
        Outcome::Undefined,
        Outcome::Degenerate,
        Outcome::Clamped,
    ] {
        let n = outcomes.of(outcome);
        if n > 0 {
            quiet.push(format!("{} {}", count(n), outcome.id()));
        }
    }
    if !quiet.is_empty() {
        caveats.push(format!(
            "Of {}, {}; the reasons are listed under outcomes.",
            plural(outcomes.n_cells, "cell"),
            list(&quiet)
        ));
    }
    caveats.extend(Some(super::standing_sentence(analysis)).filter(|text| !text.is_empty()));
    let twins: Vec<String> = (0..analysis.models.len())
        .filter_map(|model| Some((model, analysis.same_model(model)?)))
        .map(|(model, first)| {
            let (model, first) = (analysis.model(model), analysis.model(first));
            format!("{} has the values of {}", code(model), code(first))
        })
        .collect();
    if !twins.is_empty() {
        caveats.push(format!(
            "Two names of one model count once in the answer: {}.",
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
        let (verb, they) = if votes.len() == 1 {
            ("gives", "it")
        } else {
            ("give", "they")
        };
        caveats.push(format!(
            "{} {verb} votes and no probabilities: {they} can take no decision stage and have no \
             metric of probabilities.",
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
            "{} of a model, correction and dataset {} some folds and {} as missing: a mean over the \
             easier folds would flatter them.",
            plural(partial, "combination"),
            if partial == 1 { "lacks" } else { "lack" },
            if partial == 1 { "counts" } else { "count" },
        ));
    }
    for comparison in &analysis.overall {
        if comparison.unranked.is_empty() {
            continue;
        }
        let names: Vec<String> = comparison
            .unranked
            .iter()
            .map(|unranked| {
                format!(
                    "{} ({})",
                    code(analysis.correction(unranked.correction)),
                    unranked.n_datasets
                )
            })
            .collect();
        caveats.push(format!(
            "For {}, {} {} values on too few of the {} to enter the common ranking; the differences \
             to no correction on their own datasets are given.",
            code(analysis.model(comparison.model)),
            list_up_to(&names, 6),
            if names.len() == 1 { "has" } else { "have" },
            plural(comparison.n_datasets_any, "dataset"),
        ));
    }
    caveats.extend(robustness(analysis));
    let clusters = analysis
        .overall
        .iter()
        .map(|comparison| comparison.n_clusters)
        .max();
    if let Some(clusters) = clusters
        && clusters > 0
        && clusters < 5
    {
        caveats.push(format!(
            "{} behind the comparison: that describes these datasets and supports no claim about \
             others.",
            if clusters == 1 {
                "Only 1 independent dataset is".to_owned()
            } else {
                format!("Only {clusters} independent datasets are")
            }
        ));
    }
    caveats
}

/// What the rankings hang on, one sentence a kind of weakness whatever the number of models.
fn robustness(analysis: &Analysis) -> Vec<String> {
    let ranked = || {
        analysis
            .overall
            .iter()
            .filter(|comparison| comparison.n_counted() >= 2)
            .filter_map(|comparison| Some((comparison, comparison.robustness.as_ref()?)))
    };
    let mut caveats = Vec::new();
    let decisive: Vec<String> = ranked()
        .filter(|(_, robust)| !robust.decisive_clusters.is_empty())
        .map(|(comparison, robust)| {
            let names: Vec<String> = robust.decisive_clusters.iter().map(|c| code(c)).collect();
            let which = match names.as_slice() {
                [one] => one.clone(),
                _ => format!("any one of {}", list_up_to(&names, 4)),
            };
            format!("for {} {which}", code(analysis.model(comparison.model)))
        })
        .collect();
    if !decisive.is_empty() {
        caveats.push(format!(
            "Another correction would lead without a single one of the datasets: {}.",
            decisive.join("; ")
        ));
    }
    let decided = |leader: bool| -> Vec<String> {
        ranked()
            .filter(|(_, robust)| {
                robust.policy_decides_leader == leader && (leader || robust.policy_decides)
            })
            .map(|(comparison, _)| code(analysis.model(comparison.model)))
            .collect()
    };
    let (leader, order) = (decided(true), decided(false));
    let mut parts = Vec::new();
    if !leader.is_empty() {
        parts.push(format!("who leads for {}", list(&leader)));
    }
    if !order.is_empty() {
        parts.push(format!("the order behind the leader for {}", list(&order)));
    }
    if let Some(last) = parts.pop() {
        let (what, verb) = match parts.pop() {
            Some(first) => (format!("{first}, and {last}"), "depend"),
            None => (last, "depends"),
        };
        let mut letters = what.chars();
        let what: String = letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        });
        caveats.push(format!(
            "{what} {verb} on how missing values are treated; the ranks under each policy are given."
        ));
    }
    caveats
}
