//! The answer in sentences, made from the analysis and nothing else.
//!
//! Ids stand between backticks; LaTeX and plain text drop them. A sentence claims a difference only where the
//! test and the interval agree, says how many datasets are behind it, and says when the data could
//! not have shown one.

use counterweight_core::Outcome;
use counterweight_stats::Side;

use crate::analysis::{Against, Analysis, Comparison, Scope, Verdict};
use crate::format::{self, count, fixed, list, list_up_to, plural, points, rank, size};

/// What a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// What the sweep found, over all models.
    Answer,
    /// One model.
    Model(usize),
    /// What limits the answer.
    Caveat,
}

/// A sentence or a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// Words, ids between backticks.
    pub text: String,
}

/// The text without its backticks.
pub(crate) fn plain(text: &str) -> String {
    text.replace('`', "")
}

/// The sentences, in reading order.
pub fn findings(analysis: &Analysis) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say = |topic, text: String| {
        if !text.is_empty() {
            found.push(Finding { topic, text });
        }
    };
    if analysis.outcomes.n_cells == 0 {
        say(
            Topic::Answer,
            "There are no records yet, so there is nothing to compare.".into(),
        );
        return found;
    }
    say(Topic::Answer, scope_sentence(analysis));
    say(Topic::Answer, overall_sentence(analysis));
    say(Topic::Answer, cost_sentence(analysis));
    say(Topic::Answer, ratio_sentence(analysis));
    for comparison in &analysis.overall {
        say(
            Topic::Model(comparison.model),
            model_sentences(analysis, comparison),
        );
    }
    for text in caveats(analysis) {
        say(Topic::Caveat, text);
    }
    found
}

fn code(id: &str) -> String {
    format!("`{id}`")
}

/// `a balanced error`, `an MCC`.
fn with_article(name: &str) -> String {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E']) || name.starts_with("MCC");
    format!("{} {name}", if vowel { "an" } else { "a" })
}

fn scope_sentence(analysis: &Analysis) -> String {
    let synthetic = analysis
        .datasets
        .iter()
        .filter(|dataset| dataset.synthetic)
        .count();
    let real = analysis.datasets.len() - synthetic;
    let mut data = Vec::new();
    if real > 0 {
        data.push(plural(real, "real dataset"));
    }
    if synthetic > 0 {
        data.push(plural(synthetic, "population"));
    }
    let realised = || {
        analysis
            .points
            .iter()
            .filter_map(|point| point.imbalance_ratio)
    };
    let (low, high) = realised().fold((f64::INFINITY, 0.0_f64), |(low, high), r| {
        (low.min(r), high.max(r))
    });
    let ratios = if low > high {
        String::new()
    } else if high - low < 0.05 {
        format!(" at imbalance ratio {}", format::ratio(low))
    } else {
        format!(
            " at imbalance ratios from {} to {}",
            format::ratio(low),
            format::ratio(high)
        )
    };
    format!(
        "{} with {} on {}{ratios}: {} of {} have {}.",
        plural(analysis.corrections.len(), "correction"),
        plural(analysis.models.len(), "model"),
        list(&data),
        count(analysis.n_values()),
        plural(analysis.outcomes.n_cells, "cell"),
        with_article(&analysis.target.name),
    )
}

/// Models with at least one correction beside the baseline to speak about.
fn compared(analysis: &Analysis) -> impl Iterator<Item = &Comparison> {
    analysis
        .overall
        .iter()
        .filter(|comparison| !comparison.against.is_empty())
}

fn overall_sentence(analysis: &Analysis) -> String {
    let Some(baseline) = analysis.baseline else {
        return "No entry of the sweep is the plain model without a correction, so there is nothing \
                that gains could be measured against; the ranks below compare the corrections with \
                each other."
            .to_owned();
    };
    if analysis
        .overall
        .iter()
        .all(|comparison| comparison.ranked.is_empty())
    {
        return format!(
            "No model has {} on every fold of any dataset, so there is nothing to compare.",
            with_article(&analysis.target.name)
        );
    }
    let models: Vec<&Comparison> = compared(analysis).collect();
    if models.is_empty() {
        return "Only one correction has values, so there is nothing to compare.".to_owned();
    }
    let target = &analysis.target;
    let (name, helps, help) = (&target.name, target.helps(), target.help());
    let lowers = |comparison: &&&Comparison| {
        comparison
            .against
            .iter()
            .any(|against| against.verdict == Verdict::Better)
    };
    let helped = models.iter().filter(lowers).count();
    let first = if models.len() == 1 {
        let who = if helped == 1 { "At least one" } else { "No" };
        format!(
            "{who} correction is shown to {help} {name} against no correction for {}.",
            code(analysis.model(models.first().map_or(0, |c| c.model)))
        )
    } else if helped == models.len() {
        format!(
            "For each of the {} models at least one correction {helps} {name} against no correction.",
            models.len()
        )
    } else if helped == 0 {
        format!("For no model is any correction shown to {help} {name} against no correction.")
    } else {
        format!(
            "For {helped} of {} models at least one correction {helps} {name} against no correction.",
            models.len()
        )
    };
    let mut text = vec![first];
    // Who leads how often, by mean rank.
    let mut leads: Vec<(usize, usize)> = Vec::new();
    for best in models.iter().filter_map(|comparison| comparison.best()) {
        match leads
            .iter_mut()
            .find(|(correction, _)| *correction == best.correction)
        {
            Some((_, times)) => *times += 1,
            None => leads.push((best.correction, 1)),
        }
    }
    leads.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    if models.len() > 1 {
        let lead = |&(correction, times): &(usize, usize)| {
            let name = if correction == baseline {
                "no correction at all".to_owned()
            } else {
                code(analysis.correction(correction))
            };
            format!("{name} for {times}")
        };
        let leads: Vec<String> = leads.iter().map(lead).collect();
        text.push(format!(
            "The best mean rank belongs to {}.",
            list_up_to(&leads, 4)
        ));
    }
    let alone = models
        .iter()
        .filter(|comparison| {
            let others = comparison
                .ranked
                .iter()
                .skip(1)
                .filter(|r| r.same_as.is_none());
            let mut others = others.peekable();
            others.peek().is_some() && others.all(|ranked| ranked.among_best == Some(false))
        })
        .count();
    if models.len() > 1 {
        text.push(match alone {
            0 => "For no model is the leader significantly ahead of every other correction.".into(),
            n if n == models.len() => {
                "Each leader is significantly ahead of every other correction.".to_owned()
            }
            n => format!(
                "For {n} of {} the leader is significantly ahead of every other correction.",
                models.len()
            ),
        });
    }
    let largest = models
        .iter()
        .flat_map(|c| c.against.iter().map(move |against| (c.model, against)))
        .filter(|(_, against)| against.verdict == Verdict::Better)
        .min_by(|a, b| {
            let cost = |against: &Against| target.cost(against.mean_difference);
            cost(a.1).total_cmp(&cost(b.1))
        });
    if let (true, Some((model, against))) = (models.len() > 1, largest) {
        text.push(format!(
            "The largest gain is {} points{} by {} on {}.",
            size(against.mean_difference),
            interval(against, true),
            code(analysis.correction(against.correction)),
            code(analysis.model(model)),
        ));
    }
    text.join(" ")
}

/// ` [5.9, 8.3]`: the interval of a difference in points; of its size when `of_size`, for a
/// difference below zero.
fn interval(against: &Against, of_size: bool) -> String {
    against.interval.map_or_else(String::new, |interval| {
        let (low, high) = if of_size && against.mean_difference < 0.0 {
            (-interval.upper, -interval.lower)
        } else {
            (interval.lower, interval.upper)
        };
        format!(" [{}, {}]", fixed(low * 100.0, 1), fixed(high * 100.0, 1))
    })
}

/// What the corrections that lead and help do to the plain error rate.
fn cost_sentence(analysis: &Analysis) -> String {
    if analysis.target.id == "error_rate" {
        return String::new();
    }
    let (name, helps) = (&analysis.target.name, analysis.target.helps());
    let Some(metric) = analysis.metric("error_rate") else {
        return String::new();
    };
    let mut costs = Vec::new();
    for comparison in compared(analysis) {
        let Some(best) = comparison.best() else {
            continue;
        };
        let lowers = comparison
            .against(best.correction)
            .is_some_and(|against| against.verdict == Verdict::Better);
        let price = comparison.price(best.correction);
        let paid = price.and_then(|price| price.differences.get(metric).copied().flatten());
        if let (true, Some(paid)) = (lowers, paid) {
            costs.push(paid);
        }
    }
    let (Some(low), Some(high)) = (
        costs.iter().copied().reduce(f64::min),
        costs.iter().copied().reduce(f64::max),
    ) else {
        return String::new();
    };
    let (low_text, high_text) = (points(low), points(high));
    let range = if low_text == high_text {
        format!("by {low_text} points")
    } else {
        format!("by {low_text} to {high_text} points")
    };
    let who = if costs.len() == 1 {
        format!("the model whose best-ranked correction {helps} {name}")
    } else {
        format!(
            "the {} models whose best-ranked correction {helps} {name}",
            costs.len()
        )
    };
    let dearer = costs.iter().filter(|cost| **cost > 0.0).count();
    let opening = if dearer > 0 {
        "It has a price"
    } else {
        "It costs no accuracy"
    };
    format!(
        "{opening}: for {who}, the plain error rate at the training prior changes {range} at the \
         same time{}.",
        if dearer == 0 || dearer == costs.len() {
            String::new()
        } else {
            format!(", and rises for {dearer} of them")
        }
    )
}

/// How the gain of the best-ranked corrections moves with the imbalance ratio.
fn ratio_sentence(analysis: &Analysis) -> String {
    let mut parts = Vec::new();
    for scope in Scope::BANDS {
        let mut gains = Vec::new();
        for comparison in analysis.scoped.iter().filter(|c| c.scope == scope) {
            let best = analysis
                .overall
                .iter()
                .find(|overall| overall.model == comparison.model)
                .and_then(Comparison::best);
            if let Some(gain) = best.and_then(|best| comparison.against(best.correction)) {
                gains.push(gain.mean_difference);
            }
        }
        if let Some(mean) = crate::analysis::mean(gains.into_iter()) {
            parts.push(format!("{} points at {}", points(mean), scope.label()));
        }
    }
    if parts.len() < 2 {
        return String::new();
    }
    format!(
        "Averaged over models, the best-ranked correction of each changes {} by {}.",
        analysis.target.name,
        list(&parts)
    )
}

fn model_sentences(analysis: &Analysis, comparison: &Comparison) -> String {
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
    let baseline = analysis.baseline.and_then(|b| comparison.rank_of(b));
    let best = comparison.rank_of(against.correction);
    let levels = match (baseline, best) {
        (Some(baseline), Some(best)) if against.n_datasets == comparison.datasets.len() => format!(
            ", from {} to {}",
            target.level(baseline.mean_value),
            target.level(best.mean_value)
        ),
        _ => String::new(),
    };
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
            let missed = against.detectable.map_or_else(String::new, |effect| {
                format!(
                    "; a true difference below {} points could have been missed",
                    size(effect)
                )
            });
            format!(
                "For {model}, {correction} is not shown to differ from no correction: {} points{} \
                 on {on} (Holm p {}){missed}.",
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

fn caveats(analysis: &Analysis) -> Vec<String> {
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

/// What the rankings hang on.
fn robustness(analysis: &Analysis) -> Vec<String> {
    let mut caveats = Vec::new();
    for comparison in &analysis.overall {
        let Some(robust) = &comparison.robustness else {
            continue;
        };
        let model = code(analysis.model(comparison.model));
        if comparison.n_counted() < 2 {
            continue;
        }
        if !robust.decisive_clusters.is_empty() {
            let names: Vec<String> = robust.decisive_clusters.iter().map(|c| code(c)).collect();
            caveats.push(format!(
                "For {model}, another correction would lead without {}.",
                match names.as_slice() {
                    [one] => one.clone(),
                    _ => format!("any one of {}", list_up_to(&names, 4)),
                }
            ));
        }
        if robust.policy_decides_leader {
            caveats.push(format!(
                "For {model}, who leads depends on how missing values are treated; the ranks under \
                 each policy are given."
            ));
        } else if robust.policy_decides {
            caveats.push(format!(
                "For {model}, the order behind the leader depends on how missing values are treated; \
                 the ranks under each policy are given."
            ));
        }
    }
    caveats
}
