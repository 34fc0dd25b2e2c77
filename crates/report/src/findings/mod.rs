//! The answer in sentences, made from the analysis and nothing else.
//!
//! Ids stand between backticks; LaTeX and plain text drop them. `lowers` and `raises` are said only of what the
//! one family of tests and the mean itself both show; of the best of many corrections only P(first) and the
//! honest gain are said; positive is better everywhere.

mod ablations;
mod caveats;
mod costs;
mod ladders;
mod leaks;
mod selection;

pub(crate) use ablations::{ablation_sentences, standing_sentence};
use caveats::caveats;
pub(crate) use ladders::onset_words;
pub(crate) use leaks::leak_sentences;
pub(crate) use selection::selection_sentence;

use crate::analysis::{Analysis, Comparison, Contest, Part, Scope, Verdict};
use crate::tables;
use counterweight_plots::format::{self, count, fixed, list, list_up_to, plural, points, size};

/// What a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// What was run.
    Data,
    /// What the sweep found, over all models.
    Answer,
    /// From which imbalance ratio on, along the ladder of this number.
    Ratio(usize),
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
    say(Topic::Data, data_sentence(analysis));
    for text in answer(analysis) {
        say(Topic::Answer, text);
    }
    for (ladder, text) in ladders::onsets(analysis) {
        say(Topic::Ratio(ladder), text);
    }
    for comparison in &analysis.overall {
        say(
            Topic::Model(comparison.model()),
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

/// Models that count once each, with something to compare.
fn compared(analysis: &Analysis) -> impl Iterator<Item = &Comparison> {
    analysis
        .overall
        .iter()
        .filter(|comparison| !comparison.against.is_empty())
        .filter(|comparison| analysis.same_model(comparison.model()).is_none())
}

fn data_sentence(analysis: &Analysis) -> String {
    let of = |synthetic: bool| {
        analysis
            .datasets
            .iter()
            .filter(move |d| d.synthetic == synthetic)
    };
    let (real, synthetic) = (of(false).count(), of(true).count());
    let asked = real == 0;
    let clusters: std::collections::BTreeSet<&str> =
        of(asked).map(|d| d.cluster.as_str()).collect();
    let classes =
        |pick: fn(u64, u64) -> u64| of(asked).map(|d| d.n_classes).reduce(pick).unwrap_or(0);
    let points = analysis.points_of(analysis.question());
    let ratios = points
        .iter()
        .filter_map(|&p| analysis.points.get(p)?.imbalance_ratio);
    let (low, high) = ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), r| {
        (low.min(r), high.max(r))
    });
    let mut parts = Vec::new();
    if real > 0 {
        parts.push(format!(
            "{} in {}",
            plural(real, "real dataset"),
            plural(clusters.len(), "independent cluster")
        ));
    } else {
        parts.push(plural(synthetic, "population"));
    }
    let (few, many) = (classes(u64::min), classes(u64::max));
    parts.push(if few == many {
        format!("{few} classes")
    } else {
        format!("{few} to {many} classes")
    });
    if low <= high {
        parts.push(format!(
            "imbalance ratios {} to {}",
            format::ratio(low),
            format::ratio(high)
        ));
    }
    let distinct = (0..analysis.models.len()).filter(|&m| analysis.same_model(m).is_none());
    parts.push(plural(distinct.count(), "distinct model"));
    parts.push(plural(analysis.corrections.len(), "correction"));
    if real > 0 && synthetic > 0 {
        parts.push(format!(
            "{} apart as a check of theory",
            plural(synthetic, "population")
        ));
    }
    format!("{}.", parts.join(", "))
}

/// ` [3.1, 7.4]` in points.
fn ends(part: Part) -> String {
    part.interval.map_or_else(String::new, |i| {
        format!(" [{}, {}]", points(i.lower), points(i.upper))
    })
}

/// `5.2 points [3.1, 7.4] over 52 clusters, from 31.4 % to 26.2 %`: gain, and levels that agree with it to
/// the last digit.
fn gained(analysis: &Analysis, part: Part, base: f64, clusters: usize) -> String {
    let tenths = |value: f64| (value * 1000.0).round() / 1000.0;
    let to = tenths(base) - analysis.target.cost(tenths(part.mean));
    let level = |value: f64| {
        let unit = if analysis.target.percent { " %" } else { "" };
        format!("{}{unit}", fixed(value * 100.0, 1))
    };
    format!(
        "{} points{} over {}, from {} to {}",
        points(part.mean),
        ends(part),
        plural(clusters, "cluster"),
        level(base),
        level(to)
    )
}

/// Who is first among many, and how firmly.
fn firmly(analysis: &Analysis, contest: &Contest) -> String {
    let (leader, first) = (contest.leader().0, contest.first_of_leader());
    let who = if Some(leader) == analysis.baseline {
        "no correction".to_owned()
    } else {
        code(analysis.correction(leader))
    };
    if first >= 0.95 {
        format!(
            "{who} is the best of {}: P(first) is {}",
            contest.arms.len(),
            fixed(first, 2)
        )
    } else {
        format!(
            "{who} has the best mean of {}, no firm lead: P(first) is {}, where the first of equal arms would have {}",
            contest.arms.len(),
            fixed(first, 2),
            fixed(contest.of_equals, 2)
        )
    }
}

/// How many models have each verdict on a correction.
fn tally(analysis: &Analysis, correction: usize, verdict: Verdict) -> usize {
    let own = compared(analysis).filter_map(|c| c.against(correction));
    own.filter(|against| against.verdict == verdict).count()
}

fn answer(analysis: &Analysis) -> Vec<String> {
    let name = &analysis.target.name;
    if analysis.baseline.is_none() {
        return vec![
            "No entry of the sweep is the plain model without a correction, so there is nothing that gains could \
             be measured against; mean ranks are in `tables/ranks.csv`."
                .to_owned(),
        ];
    }
    if analysis.overall.iter().all(|c| c.ranked.is_empty()) {
        return vec![format!(
            "No model has {} on every fold of any dataset, so there is nothing to compare.",
            with_article(name)
        )];
    }
    let Some(contest) = &analysis.pooled.contest else {
        return vec!["There are too few corrections or datasets to compare.".to_owned()];
    };
    let models = compared(analysis).count();
    let leader = contest.leader().0;
    if Some(leader) == analysis.baseline {
        return vec![format!(
            "Correct nothing by default: over {} no correction has a better mean {name} than none; {}.",
            plural(models, "model"),
            firmly(analysis, contest)
        )];
    }
    let who = code(analysis.correction(leader));
    let tally = |verdict| tally(analysis, leader, verdict);
    let (better, likely) = (tally(Verdict::Better), tally(Verdict::LikelyBetter));
    let shown = match (better, likely) {
        (0, 0) => format!(
            "it is shown to {} {name} for none of {}",
            analysis.target.help(),
            plural(models, "model")
        ),
        (0, n) => format!(
            "it is likely better for {n} of {} (not adjusted for {})",
            plural(models, "model"),
            plural(analysis.family, "comparison")
        ),
        (n, 0) => format!(
            "it {} {name} for {n} of {} (one family of {})",
            analysis.target.helps(),
            plural(models, "model"),
            plural(analysis.family, "comparison")
        ),
        (n, m) => format!(
            "it {} {name} for {n} of {} (one family of {}) and is likely better for {m} more",
            analysis.target.helps(),
            plural(models, "model"),
            plural(analysis.family, "comparison")
        ),
    };
    let verb = if better + likely > 0 {
        "Use"
    } else {
        "If anything, use"
    };
    let mut text = vec![
        format!(
            "{verb} {who} by default: {shown}; {}.",
            firmly(analysis, contest)
        ),
        format!(
            "A default chosen on the other datasets gains {}, as the mean over {} ({}).",
            gained(analysis, contest.honest, contest.base, contest.n_clusters),
            plural(analysis.pooled.models.len(), "model"),
            tables::verdict(&analysis.target, contest.verdict)
        ),
    ];
    text.extend(when_not(analysis, leader));
    text.extend(ladders::onset_of(analysis, leader));
    text.extend(costs::costs(analysis, leader));
    text
}

/// Where the default is not shown to help, and what it costs.
fn when_not(analysis: &Analysis, leader: usize) -> Option<String> {
    let (mut parts, mut few) = (Vec::new(), Vec::new());
    let bands = analysis
        .scoped
        .iter()
        .filter(|c| c.models == analysis.pooled.models);
    for comparison in bands.filter(|c| matches!(c.scope, Scope::Band(..))) {
        let Some(against) = comparison.against(leader) else {
            continue;
        };
        if against.verdict == Verdict::TooFew {
            few.push(comparison.scope.label());
        } else if !matches!(against.verdict, Verdict::LikelyBetter | Verdict::Better) {
            parts.push(format!(
                "at {} ({}, {})",
                comparison.scope.label(),
                tables::verdict(&analysis.target, against.verdict),
                plural(against.n_clusters(), "cluster")
            ));
        }
    }
    let models: Vec<String> = compared(analysis)
        .filter_map(|c| Some((c, c.against(leader)?)))
        .filter(|(_, a)| !matches!(a.verdict, Verdict::LikelyBetter | Verdict::Better))
        .map(|(c, _)| code(analysis.short_model(c.model())))
        .collect();
    if !models.is_empty() {
        parts.push(format!("with {}", list_up_to(&models, 4)));
    }
    let price = analysis.pooled.price(leader);
    let paid = analysis
        .metric("error_rate")
        .filter(|_| analysis.target.id != "error_rate");
    let paid = price
        .zip(paid)
        .and_then(|(price, m)| price.differences.get(m).copied().flatten());
    let costs = paid.filter(|paid| *paid > 0.0).map(|paid| {
        format!(
            "where plain error matters: the error rate rises by {} points",
            size(paid)
        )
    });
    parts.extend(costs);
    let mut text = Vec::new();
    if !parts.is_empty() {
        text.push(format!("Not {}.", parts.join("; not ")));
    }
    if !few.is_empty() {
        text.push(format!("Too few sets to say at {}.", list(&few)));
    }
    (!text.is_empty()).then(|| text.join(" "))
}

/// What one model shows.
fn model_sentences(analysis: &Analysis, comparison: &Comparison) -> String {
    let model = code(analysis.model(comparison.model()));
    if comparison.ranked.is_empty() {
        return format!(
            "For {model}, no cell has {} on every fold, so there is nothing to compare.",
            with_article(&analysis.target.name)
        );
    }
    let mut text = Vec::new();
    if let Some(contest) = &comparison.contest {
        text.push(format!(
            "For {model}, a correction chosen on the other datasets gains {}: {}.",
            gained(analysis, contest.honest, contest.base, contest.n_clusters),
            tables::verdict(&analysis.target, contest.verdict)
        ));
        let mut letters = firmly(analysis, contest);
        if letters.starts_with("no ") {
            letters.replace_range(..1, "N");
        }
        text.push(format!("{letters}."));
    } else {
        text.push(format!("For {model} there is nothing to choose between."));
    }
    let named = |verdict: Verdict| -> Vec<String> {
        let own = comparison.against.iter().filter(|a| a.verdict == verdict);
        let named = own.filter(|a| {
            comparison
                .rank_of(a.correction)
                .is_none_or(|r| r.same_as.is_none())
        });
        named
            .map(|a| code(analysis.correction(a.correction)))
            .collect()
    };
    for verdict in [
        Verdict::Better,
        Verdict::LikelyBetter,
        Verdict::Equivalent,
        Verdict::LikelyWorse,
        Verdict::Worse,
        Verdict::Identical,
    ] {
        let names = named(verdict);
        if !names.is_empty() {
            let word = tables::verdict(&analysis.target, verdict);
            let word = match verdict {
                Verdict::Better | Verdict::Worse => format!("{word} {}", analysis.target.name),
                Verdict::LikelyBetter | Verdict::LikelyWorse => {
                    format!(
                        "{word} (not adjusted for {})",
                        plural(analysis.family, "comparison")
                    )
                }
                _ => word.to_owned(),
            };
            text.push(format!(
                "{}{}: {}.",
                word[..1].to_uppercase(),
                &word[1..],
                list_up_to(&names, 6)
            ));
        }
    }
    let unclear: Vec<f64> = comparison
        .against
        .iter()
        .filter(|a| a.verdict == Verdict::NotShown)
        .filter_map(crate::analysis::Against::visible)
        .collect();
    if let (Some(low), Some(high)) = (
        unclear.iter().copied().reduce(f64::min),
        unclear.iter().copied().reduce(f64::max),
    ) {
        let from = if size(low) == size(high) {
            size(low)
        } else {
            format!("{} to {}", size(low), size(high))
        };
        text.push(format!(
            "Not shown for {}; a gain would have shown from {from} points on.",
            count(unclear.len())
        ));
    }
    let twins: Vec<String> = comparison
        .twins()
        .iter()
        .map(|group| {
            list(
                &group
                    .iter()
                    .map(|&c| code(analysis.correction(c)))
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    if !twins.is_empty() {
        text.push(format!(
            "Equal on every dataset and counted once: {}.",
            twins.join("; ")
        ));
    }
    text.join(" ")
}
