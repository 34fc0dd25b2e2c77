//! The advice in words, as a table and as a page.

use std::path::Path;

use counterweight_frame::write_atomically;
use counterweight_plots::format::{count, fixed, plural};
use counterweight_report::page::{PlainPage, PlainSection};
use counterweight_report::view::{Cell, Mark, View};

use super::{
    AdviseOptions, AdviseReport, Gain, JudgedArm, POWER_QUANTILE, Plot, Verdict, bracket, gain,
    view,
};
use crate::exit::{Error, Result};
use crate::folder::make_folder;

pub(super) fn report(
    v: &Verdict,
    (options, plot): (&AdviseOptions, Plot),
    (classes, notes): (Vec<(String, usize)>, Vec<String>),
) -> AdviseReport {
    let name = |arm: usize| v.arms[arm].name.clone();
    let shown = v.shown();
    let threshold = v.threshold.filter(|arm| *arm != v.best);
    let log_loss = |arm: usize| v.arms[arm].log_loss;
    let mut order: Vec<usize> = (0..v.arms.len()).collect();
    let loss = |arm: usize| v.tested.all(&v.arms[arm].losses.rows);
    order.sort_by(|a, b| loss(*a).total_cmp(&loss(*b)));
    let arms = order.iter().map(|&arm| JudgedArm {
        model: name(arm).0,
        correction: name(arm).1,
        loss: loss(arm),
        gain: (arm != v.nothing).then(|| v.gain_over(v.nothing, arm)),
        error_rate: error_rate(v, arm),
        log_loss: log_loss(arm),
    });
    let mut report = AdviseReport {
        format: 1,
        classes,
        compared_by: if v.with_costs {
            "expected cost of a row"
        } else {
            "balanced error"
        }
        .to_owned(),
        shown,
        advised: name(if shown { v.best } else { v.nothing }),
        best: name(v.best),
        nothing: name(v.nothing),
        expected_gain: v.honest,
        gain: gain(&v.gain, v.reach),
        over_threshold: threshold.map(|arm| v.gain_over(arm, v.best)),
        detectable: detectable(v),
        more_errors: v.more_errors,
        more_log_loss: log_loss(v.best)
            .zip(log_loss(v.nothing))
            .map(|(a, b)| a - b),
        plan: (plot.folds, plot.repeats, v.arms.len()),
        arms: arms.collect(),
        sentences: Vec::new(),
        view: View::default(),
        sweep: plot.text.clone(),
    };
    report.sentences = sentences(v, &report, (options, &plot));
    report
        .sentences
        .extend(notes.iter().map(|note| format!("Note: {note}.")));
    report.view = arms_view(&report);
    report
}

fn error_rate(v: &Verdict, arm: usize) -> f64 {
    let weights = &v.tested.weights;
    let wrong = v.arms[arm]
        .losses
        .rows
        .iter()
        .zip(weights)
        .map(|(l, w)| l * w)
        .sum::<f64>();
    wrong / weights.iter().sum::<f64>()
}

/// The least gain over doing nothing that is shown four times in five: that of the best looking correction's error.
fn detectable(v: &Verdict) -> f64 {
    let error = if v.best == v.nothing {
        let others = (0..v.arms.len()).filter(|arm| v.arms[*arm].name.1 != "none");
        let errors = others.map(|arm| {
            let [first, second] = [v.nothing, arm].map(|arm| &v.arms[arm].losses);
            v.tested.difference(first, second).error
        });
        errors.fold(f64::INFINITY, f64::min)
    } else {
        v.gain.error
    };
    (v.reach + POWER_QUANTILE) * error
}

fn arm((model, correction): &(String, String)) -> String {
    if correction == "none" {
        format!("`{model}` with plain training")
    } else {
        format!("`{model}` with `{correction}`")
    }
}

/// A difference of losses: in points, or as a cost.
fn points(v: &Verdict, value: f64) -> String {
    if v.with_costs {
        fixed(value, 4)
    } else {
        format!("{} points", fixed(100.0 * value, 1))
    }
}

fn with_interval(v: &Verdict, gain: Gain) -> String {
    let show = |end: f64| {
        if v.with_costs {
            fixed(end, 4)
        } else {
            fixed(100.0 * end, 1)
        }
    };
    format!(
        "{}{}",
        points(v, gain.value),
        bracket(Some(gain.interval), show)
    )
}

fn sentences(
    v: &Verdict,
    report: &AdviseReport,
    (options, plot): (&AdviseOptions, &Plot),
) -> Vec<String> {
    let by = &report.compared_by;
    let best = arm(&report.best);
    let mut text = Vec::new();
    let promising = report.best != report.nothing && report.best.1 != "none";
    if report.shown {
        text.push(format!(
            "Use {best}. Expect {} less {by} than with the best model without a correction ({}), judged on rows that had no \
             part in the choice; measured {}, an interval that holds for all arms together.",
            points(v, report.expected_gain),
            arm(&report.nothing),
            with_interval(v, report.gain),
        ));
    } else {
        text.push(format!(
            "No correction is shown to help. Use {}, the best model without one.",
            arm(&report.nothing)
        ));
        if promising {
            text.push(format!(
                "The best looking arm, {best}, has {} less {by}, and {} judged on rows that had no part in the choice.",
                with_interval(v, report.gain),
                points(v, report.expected_gain),
            ));
        }
    }
    if let Some(reference) = v.reference.filter(|_| promising) {
        text.push(format!(
            "On tables like this one the reference sweep has it {} {} than doing nothing.",
            points(v, reference.abs()),
            if reference >= 0.0 { "better" } else { "worse" },
        ));
    }
    if report.shown {
        text.push(match (report.over_threshold, v.threshold) {
            (Some(over), Some(threshold)) => {
                let other = arm(&v.arms[threshold].name);
                let verdict = if over.interval.0 > 0.0 {
                    "A threshold alone does not do it"
                } else {
                    "A threshold alone is not shown to be worse"
                };
                format!(
                    "{verdict}: over {other} the gain is {}.",
                    with_interval(v, over)
                )
            }
            _ => "It is a threshold alone: the model is trained as ever.".to_owned(),
        });
    }
    if promising {
        let more = report.more_errors;
        let show = |end: f64| fixed(100.0 * end, 1);
        let log_loss = report.more_log_loss.map_or_else(String::new, |more| {
            format!("; log loss changes by {}", signed(more, 3))
        });
        text.push(format!(
            "What it costs: the error rate on rows as they come changes by {} points{}{log_loss}.",
            signed(100.0 * more.value, 1),
            bracket(Some(more.interval), show),
        ));
    }
    let rarest = report
        .classes
        .iter()
        .filter(|(_, n)| *n > 0)
        .min_by_key(|(_, n)| *n);
    let rarest = rarest.map_or_else(String::new, |(class, n)| {
        format!("{} of the rarest class, `{class}`", plural(*n, "row"))
    });
    text.push(format!(
        "How sure: {rarest}; a gain below {} would have been missed more often than one time in five.",
        points(v, report.detectable),
    ));
    let cut = plot.max_rows.map_or_else(String::new, |rows| {
        format!(" The table was cut to {} rows.", count(rows))
    });
    let (folds, repeats, arms) = report.plan;
    let (ruled_out, known) = plot.ruled_out;
    text.push(format!(
        "Settled beforehand: {} in {folds} folds and {}, {} core seconds by estimate; the reference rules out {ruled_out} \
         of {known} arms for tables like this one.{cut}",
        plural(arms, "arm"),
        plural(repeats, "repeat"),
        fixed(plot.seconds, 0),
    ));
    text.push(match &options.output {
        Some(folder) => format!(
            "`counterweight run {0}` gives the same cells and their report; {0}/sweep.toml says what the arms are.",
            folder.display()
        ),
        None => "With `--output DIR` the sweep file, its records and a page are kept.".to_owned(),
    });
    text
}

fn signed(value: f64, decimals: usize) -> String {
    format!(
        "{}{}",
        if value > 0.0 { "+" } else { "" },
        fixed(value, decimals)
    )
}

fn arms_view(report: &AdviseReport) -> View {
    let costs = report.compared_by != "balanced error";
    let show = |v: f64| {
        if costs {
            fixed(v, 4)
        } else {
            fixed(100.0 * v, 1)
        }
    };
    let row = |judged: &JudgedArm| {
        let name = (judged.model.clone(), judged.correction.clone());
        let mark = if name == report.advised {
            Mark::Best
        } else {
            Mark::Plain
        };
        let gain = judged.gain;
        vec![
            Cell::code(format!("{} / {}", judged.model, judged.correction)).marked(mark),
            Cell::number(Some(judged.loss), show),
            Cell::number(gain.map(|g| g.value), |v| {
                format!("{}{}", show(v), bracket(gain.map(|g| g.interval), show))
            }),
            Cell::number(Some(judged.error_rate), |v| fixed(100.0 * v, 1)),
            Cell::number(judged.log_loss, |v| fixed(v, 3)),
        ]
    };
    let unit = if costs { "" } else { " (%)" };
    let loss = format!("{}{unit}", report.compared_by);
    view(
        "advice",
        "Arms, best first",
        "Each row is decided by models that did not see it. Gains are over doing nothing; their intervals hold together at 95 %."
            .to_owned(),
        &["model / correction", loss.as_str(), "gain", "error rate (%)", "log loss"],
        report.arms.iter().map(row).collect(),
    )
}

/// Writes advice.json and the page advice.html beside the sweep and its records.
///
/// # Errors
/// When a file cannot be written.
pub fn write_advice(report: &AdviseReport, folder: &Path, command: &str) -> Result<()> {
    make_folder(folder)?;
    let json = serde_json::to_string_pretty(report).map_err(|e| Error::internal(e.to_string()))?;
    write_atomically(&folder.join("advice.json"), format!("{json}\n").as_bytes())?;
    let page = PlainPage {
        title: "What to use on this table",
        sentences: &report.sentences,
        sections: vec![PlainSection::Table(&report.view)],
        command,
    };
    Ok(write_atomically(
        &folder.join("advice.html"),
        page.html().as_bytes(),
    )?)
}
