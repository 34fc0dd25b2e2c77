//! The answer in sentences, made from the analysis and nothing else.
//!
//! Ids stand between backticks; LaTeX and plain text drop them. A sentence claims a difference only where the
//! test and the interval agree, says how many datasets are behind it, and says when the data could
//! not have shown one.

mod ablations;
mod caveats;
mod leaks;
mod model;
mod selection;

pub(crate) use ablations::{ablation_sentences, standing_sentence};
use caveats::caveats;
pub(crate) use leaks::leak_sentences;
use model::model_sentences;
use selection::selection_sentence;

use crate::analysis::{Against, Analysis, Comparison, Scope, Verdict};
use counterweight_plots::format::{self, count, fixed, list, list_up_to, plural, points, size};

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
    say(Topic::Answer, selection_sentence(analysis));
    say(Topic::Answer, front_sentence(analysis));
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
        count(analysis.all.n_values()),
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
        .filter(|comparison| analysis.same_model(comparison.model).is_none())
}

/// ` on real datasets`, where the sweep has populations too.
fn on_what(analysis: &Analysis) -> &'static str {
    let apart = analysis.datasets.iter().any(|dataset| dataset.synthetic);
    if apart && analysis.question() == Scope::Real {
        " on real datasets"
    } else {
        ""
    }
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
    let on = on_what(analysis);
    let helped = models.iter().filter(lowers).count();
    let first = if models.len() == 1 {
        let who = if helped == 1 { "At least one" } else { "No" };
        format!(
            "{who} correction is shown to {help} {name} against no correction for {}{on}.",
            code(analysis.model(models.first().map_or(0, |c| c.model)))
        )
    } else if helped == models.len() {
        format!(
            "For each of the {} models at least one correction {helps} {name} against no correction{on}.",
            models.len()
        )
    } else if helped == 0 {
        format!("For no model is any correction shown to {help} {name} against no correction{on}.")
    } else {
        format!(
            "For {helped} of {} models at least one correction {helps} {name} against no correction{on}.",
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
        for overall in compared(analysis) {
            let mut scoped = analysis.scoped.iter();
            let comparison = scoped.find(|c| c.scope == scope && c.model == overall.model);
            let best = overall.best().map(|best| best.correction);
            // On fewer clusters a mean describes those datasets and no ratio.
            gains.extend(
                best.and_then(|best| comparison?.against(best))
                    .filter(|gain| gain.n_clusters >= 5)
                    .map(|gain| (gain.mean_difference, gain.n_clusters)),
            );
        }
        let least = gains.iter().map(|(_, clusters)| *clusters).min();
        let mean = crate::analysis::mean(gains.into_iter().map(|(gain, _)| gain));
        if let (Some(mean), Some(least)) = (mean, least) {
            parts.push(format!(
                "{} points at {} ({least} or more independent datasets)",
                points(mean),
                scope.label()
            ));
        }
    }
    if parts.len() < 2 {
        return String::new();
    }
    format!(
        "Averaged over models, the best-ranked correction of each changes {} by {}{}.",
        analysis.target.name,
        list(&parts),
        on_what(analysis)
    )
}

/// Which corrections no other beats in both decisions and probabilities.
fn front_sentence(analysis: &Analysis) -> String {
    let fronts = &analysis.calibration.fronts;
    let members = analysis.calibration.front_members();
    if members.is_empty() {
        return String::new();
    }
    let names: Vec<String> = members
        .iter()
        .map(|&(correction, models)| {
            let name = if Some(correction) == analysis.baseline {
                "no correction".to_owned()
            } else {
                code(analysis.correction(correction))
            };
            if fronts.len() == 1 {
                name
            } else {
                format!("{name} for {models}")
            }
        })
        .collect();
    let placed: std::collections::BTreeSet<usize> = fronts
        .iter()
        .flat_map(|front| front.points.iter().map(|point| point.correction))
        .collect();
    let of = if fronts.len() == 1 {
        "on the Pareto front".to_owned()
    } else {
        format!(
            "on the Pareto front of at least one of {} models",
            fronts.len()
        )
    };
    format!(
        "On balanced error and the log loss of the probabilities as fitted together, {} of {} {} {of}: {}.",
        members.len(),
        plural(placed.len(), "correction"),
        if members.len() == 1 { "is" } else { "are" },
        list_up_to(&names, 6)
    )
}
