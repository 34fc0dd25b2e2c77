//! The sentences about one model: its leader, how far it is ahead, and what it pays.

use counterweight_stats::Side;

use super::{code, interval, with_article};
use crate::analysis::{Against, Analysis, Comparison, Verdict};
use counterweight_plots::format::{self, list, list_up_to, plural, points, rank, size};

pub(super) fn model_sentences(analysis: &Analysis, comparison: &Comparison) -> String {
    let model = code(analysis.model(comparison.model));
    let Some(best) = comparison.best() else {
        return format!(
            "For {model}, no cell has {} on every fold, so there is nothing to compare.",
            with_article(&analysis.target.name)
        );
    };
    let n_datasets = comparison.datasets.len();
    let mut text: Vec<String> = Vec::new();
    let name = |correction: usize| code(analysis.correction(correction));
    if Some(best.correction) == analysis.baseline && !comparison.against.is_empty() {
        text.push(format!(
            "For {model}, no correction ranks better than none at all (mean rank {} of {}, {}, \
             {} {}).",
            rank(best.mean_rank),
            comparison.n_counted(),
            plural(n_datasets, "dataset"),
            analysis.target.name,
            analysis.target.level(best.mean_value),
        ));
    } else if let Some(against) = comparison.against(best.correction) {
        text.push(against_sentence(analysis, comparison, against));
        if comparison.ranked.len() > 1 {
            let level: Vec<String> = comparison
                .ranked
                .iter()
                .skip(1)
                .filter(|r| r.same_as.is_none() && r.mean_rank - best.mean_rank < 1e-9)
                .map(|ranked| name(ranked.correction))
                .collect();
            let first = if level.is_empty() {
                format!("ranks first of {}", comparison.n_counted())
            } else {
                format!(
                    "shares the first of {} ranks with {}",
                    comparison.n_counted(),
                    list(&level)
                )
            };
            text.push(format!(
                "It {first} (mean rank {} over {}).",
                rank(best.mean_rank),
                plural(n_datasets, "dataset"),
            ));
        }
    } else {
        text.push(format!(
            "For {model}, {} {} ({} {} over {}).",
            name(best.correction),
            if comparison.ranked.len() == 1 {
                "is the only correction with values".to_owned()
            } else {
                format!(
                    "is the best-ranked of {} corrections",
                    comparison.n_counted()
                )
            },
            analysis.target.name,
            analysis.target.level(best.mean_value),
            plural(n_datasets, "dataset"),
        ));
    }
    let alike: Vec<String> = comparison
        .ranked
        .iter()
        .skip(1)
        .filter(|ranked| ranked.among_best == Some(true) && ranked.same_as.is_none())
        .map(|ranked| name(ranked.correction))
        .collect();
    if comparison.underpowered && comparison.n_counted() > 1 {
        text.push(format!(
            "The ranking is underpowered: with {} no pair of its {} corrections could have differed \
             significantly, whatever the values.",
            plural(comparison.n_clusters, "independent dataset"),
            comparison.n_counted()
        ));
    } else if !alike.is_empty() {
        text.push(format!("No test tells it from {}.", list_up_to(&alike, 4)));
    } else if comparison.n_counted() > 1 {
        text.push("Every other correction is significantly worse.".to_owned());
    }
    let twins: Vec<String> = comparison
        .ranked
        .iter()
        .filter(|ranked| ranked.same_as == Some(best.correction))
        .map(|ranked| name(ranked.correction))
        .collect();
    if !twins.is_empty() {
        let verb = if twins.len() == 1 { "agrees" } else { "agree" };
        text.push(format!(
            "{} {verb} with it on every dataset and {} not counted again.",
            list_up_to(&twins, 4),
            if twins.len() == 1 { "is" } else { "are" },
        ));
    }
    let best_against = comparison.against(best.correction);
    text.extend(best_against.and_then(crossing_sentence));
    text.extend(best_against.and_then(|against| pays_sentence(analysis, comparison, against)));
    text.extend(threshold_sentence(analysis, comparison));
    let raises: Vec<String> = of_verdict(comparison, Verdict::Worse).map(name).collect();
    if !raises.is_empty() {
        let target = &analysis.target;
        let verb = if raises.len() == 1 {
            target.harms()
        } else {
            target.harm()
        };
        text.push(format!(
            "{} {verb} {}.",
            list_up_to(&raises, 4),
            target.name
        ));
    }
    let identical: Vec<String> = of_verdict(comparison, Verdict::Identical)
        .map(name)
        .collect();
    if !identical.is_empty() {
        let verb = if identical.len() == 1 {
            "changes"
        } else {
            "change"
        };
        text.push(format!(
            "{} {verb} nothing on any dataset.",
            list_up_to(&identical, 4)
        ));
    }
    text.join(" ")
}

/// From which ratio on the correction is the better choice, where that is known.
fn crossing_sentence(against: &Against) -> Option<String> {
    let found = against.along_ratio.as_ref()?;
    let crossing = found.crossings.first()?;
    // Without both ends the line only says that a crossing somewhere is not excluded.
    let (low, high) = (crossing.lower?, crossing.upper?);
    // At a ratio of nearly 1 there is nothing to overtake.
    (crossing.better_above == Side::A && crossing.ratio >= 1.1).then(|| {
        format!(
            "It overtakes no correction at an imbalance ratio of about {} [{}, {}].",
            format::ratio(crossing.ratio),
            format::ratio(low),
            format::ratio(high)
        )
    })
}

/// How much of the gains is a mere threshold shift.
fn threshold_sentence(analysis: &Analysis, comparison: &Comparison) -> Option<String> {
    let of_model = || {
        let effects = analysis.effects.iter();
        effects.filter(|effect| effect.model == comparison.model)
    };
    let best = comparison.best()?;
    let own = of_model().find(|effect| effect.correction == best.correction)?;
    let ranked = of_model().max_by(|a, b| {
        let by_mean = a.ranking.mean.total_cmp(&b.ranking.mean);
        by_mean.then(b.correction.cmp(&a.correction))
    })?;
    // What halves of the test rows say that the oracle flatters itself by.
    let honest = own.threshold.mean - own.optimism.unwrap_or(0.0);
    let alone = if honest > 0.0 {
        format!(
            "Offsets alone could win {} points on the uncorrected scores (an oracle, its estimated optimism taken off)",
            size(honest)
        )
    } else {
        "Offsets alone are not shown to win anything on the uncorrected scores (an oracle, its estimated optimism taken off)".to_owned()
    };
    let bounds = ranked.ranking.interval.map_or_else(String::new, |i| {
        format!(" [{}, {}]", points(i.lower), points(i.upper))
    });
    let name = code(analysis.correction(ranked.correction));
    let gain = points(ranked.ranking.mean);
    let shown = ranked.ranking.interval.is_some_and(|i| i.lower > 0.0);
    let beyond = if shown {
        format!("beyond that, the scores of {name} win most, {gain} points{bounds}")
    } else {
        format!(
            "no correction is shown to rank the rows better than that, {name} comes closest with {gain} \
             points{bounds}"
        )
    };
    Some(format!("{alone}; {beyond}."))
}

/// What the best-ranked correction does to the metrics that it does not target.
fn pays_sentence(
    analysis: &Analysis,
    comparison: &Comparison,
    against: &Against,
) -> Option<String> {
    let price = comparison.price(against.correction)?;
    let change = |id: &str| {
        price
            .differences
            .get(analysis.metric(id)?)
            .copied()
            .flatten()
    };
    let target = analysis.target.id.as_str();
    let mut parts = Vec::new();
    for (id, name) in [
        ("balanced_error", "balanced error"),
        ("error_rate", "error rate"),
        ("macro_f1", "macro-F1"),
        ("mcc", "MCC"),
    ] {
        if id == target {
            continue;
        }
        // The headline is no price but where it is not the target.
        match change(id) {
            Some(value) if id == "mcc" => {
                parts.push(format!("{name} by {}", format::signed(value)));
            }
            Some(value) => parts.push(format!("{name} by {} points", points(value))),
            None => {}
        }
    }
    if parts.is_empty() {
        return None;
    }
    Some(format!("At the same time it changes {}.", list(&parts)))
}

fn of_verdict(comparison: &Comparison, verdict: Verdict) -> impl Iterator<Item = usize> {
    comparison
        .against
        .iter()
        .filter(move |against| against.verdict == verdict)
        .map(|against| against.correction)
}

fn against_sentence(analysis: &Analysis, comparison: &Comparison, against: &Against) -> String {
    let model = code(analysis.model(comparison.model));
    let correction = code(analysis.correction(against.correction));
    let on = plural(against.n_datasets, "dataset");
    let target = &analysis.target;
    let (name, helps, harms) = (&target.name, target.helps(), target.harms());
    let [before, after] = against.levels.map(|level| target.level(level));
    let levels = format!(", from {before} to {after}");
    let amount = size(against.mean_difference);
    match against.verdict {
        Verdict::Better => format!(
            "For {model}, {correction} {helps} {name} by {amount} points{} against no \
             correction on {on}{levels}.",
            interval(against, true)
        ),
        Verdict::Worse => format!(
            "For {model}, {correction} {harms} {name} by {amount} points{} against no \
             correction on {on}{levels}.",
            interval(against, true)
        ),
        Verdict::Equivalent => format!(
            "For {model}, {correction} does not differ from no correction by more than half a point \
             ({} points{} on {on}).",
            points(against.mean_difference),
            interval(against, false)
        ),
        Verdict::Identical => {
            format!("For {model}, {correction} changes nothing on any of {on}.")
        }
        Verdict::Unclear => {
            format!(
                "For {model}, {correction} is not shown to differ from no correction: {} points{} \
                 on {on} (Holm p {}).",
                points(against.mean_difference),
                interval(against, false),
                format::p_value(against.p_holm),
            )
        }
        Verdict::TooFew => format!(
            "For {model}, {correction} changes {name} by {} points against no correction on {on}{levels}; {} too few for an interval.",
            points(against.mean_difference),
            if against.n_clusters == 1 {
                "1 independent dataset is".to_owned()
            } else {
                format!("{} independent datasets are", against.n_clusters)
            },
        ),
    }
}
