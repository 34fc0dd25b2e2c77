//! Method notes: how the numbers were made, and what every method of the sweep is, from its card.

use std::collections::BTreeSet;

use counterweight_core::{Card, Catalogue, Role, find};
use maud::{Markup, html};

use super::text::rich;
use crate::analysis::Analysis;

/// How to read the numbers; the same for every sweep.
const READING: [&str; 8] = [
    "Balanced error is the mean over classes of the error within the class, lower is better. The pooled form takes all test predictions of a repeat together before it averages \
     over classes, because a tiny class is missing from some folds.",
    "The unit of comparison is the dataset: the mean over its imbalance ratios of the mean over \
     repeats and folds. Folds are never counted as datasets. Related sets form one cluster, and \
     intervals and tests see clusters.",
    "A correction that lacks a value on some fold is missing on that dataset. Ranks are formed on the \
     datasets that all ranked corrections of the model share; a correction that would take more than \
     a fifth of the datasets away from the others is left out of the common ranking and named.",
    "Differences to no correction are paired, on all points that a correction shares with no \
     correction. Their intervals are 95 % studentised bootstrap intervals over clusters; below five \
     clusters there is none.",
    "Tests are Wilcoxon's signed-rank over clusters with Holm's correction: over all corrections of a \
     model against no correction, and over all pairs for the ranking. A sentence claims a difference \
     only where the test and the interval agree, and equivalence only where the interval lies within \
     half a point.",
    "Bands in the ratio figures are 95 % t intervals over repeats and folds; on real data the variance \
     is widened for folds that share training rows (Nadeau and Bengio 2003). They describe one \
     dataset, not datasets in general.",
    "Metrics that depend on the class shares are weighted to the training prior, since populations \
     draw balanced test rows. Fixing balanced error usually costs error rate, F1 and MCC: the price \
     table shows both.",
    "On populations the Bayes-optimal balanced error of the same test rows is known; regret is what \
     lies above it, and may be negative on one fold.",
];

pub(super) fn notes(analysis: &Analysis, catalogue: &Catalogue) -> Markup {
    let stage = |role: Role| -> BTreeSet<&str> {
        let corrections = analysis.corrections.iter();
        corrections
            .map(|c| c.stages.get(role).kind.as_str())
            .collect()
    };
    let cards = |ids: &BTreeSet<&str>, found: &dyn Fn(&str) -> Option<&'static Card>| {
        ids.iter().filter_map(|id| found(id)).collect::<Vec<_>>()
    };
    let populations: BTreeSet<&str> = analysis
        .datasets
        .iter()
        .filter(|dataset| dataset.synthetic)
        .map(|dataset| dataset.stages.get(Role::Population).kind.as_str())
        .collect();
    let models: BTreeSet<&str> = analysis
        .models
        .iter()
        .filter_map(|model| model.kind.as_deref())
        .collect();
    let sections = [
        (
            "Resampling",
            cards(&stage(Role::Resample), &|id| {
                find(catalogue.resamplers, id).map(|entry| &entry.card)
            }),
        ),
        (
            "Ensembles",
            cards(&stage(Role::Ensemble), &|id| {
                find(catalogue.ensembles, id).map(|entry| &entry.card)
            }),
        ),
        (
            "Losses",
            cards(&stage(Role::Loss), &|id| {
                find(catalogue.losses, id).map(|entry| &entry.card)
            }),
        ),
        (
            "Decisions",
            cards(&stage(Role::Decide), &|id| {
                find(catalogue.decisions, id).map(|entry| &entry.card)
            }),
        ),
        (
            "Models",
            cards(&models, &|id| {
                find(catalogue.learners, id).map(|entry| &entry.card)
            }),
        ),
        (
            "Populations",
            cards(&populations, &|id| {
                find(catalogue.populations, id).map(|entry| &entry.card)
            }),
        ),
    ];
    html! {
        h3 { "How to read the numbers" }
        ul { @for line in READING { li { (rich(line)) } } }
        @for (title, cards) in sections {
            @if !cards.is_empty() {
                details {
                    summary { h3 { (title) " in this sweep" } }
                    dl.methods {
                        @for card in cards {
                            dt { code { (card.id) } }
                            dd { (card.summary) }
                            @for spec in card.params {
                                dd { code { (spec.name) } ": " (spec.about) }
                            }
                            @if !card.reference.is_empty() { dd.ref { (card.reference) } }
                        }
                    }
                }
            }
        }
    }
}
