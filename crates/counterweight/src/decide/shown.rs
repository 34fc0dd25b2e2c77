//! What is said of decided rows: sentences, tables, pictures, the page and the file of decisions.

use std::path::Path;

use counterweight_core::catalogue::describe_counts;
use counterweight_core::{Cells, Decisions, Scores, Table, costs, reliability};
use counterweight_frame::{write_atomically, write_plain_table};
use counterweight_plots::format::{count, fixed, plural};
use counterweight_plots::{
    Figure, GainAxis, GainCurves, GainDot, GainGroup, GainLine, GainPanel, ReliabilityDot,
    ReliabilityGrid, ReliabilityPanel, Theme, gain_curves, reliability_grid,
};
use counterweight_report::page::{PlainPage, PlainSection};
use counterweight_report::view::View;
use serde::Serialize;

use super::judge::Answer;
use super::tables::{calibrators_view, rules_view, shares_view};
use super::{Desk, Estimated, EstimatedShares, JudgedCalibrator, JudgedRule, column};
use crate::exit::{Error, Result};
use crate::folder::make_folder;

/// Decided rows with everything that is known of the rules.
#[derive(Debug, Serialize)]
pub struct DecideReport {
    /// Version of this form.
    pub format: u32,
    /// Names of the classes, in order.
    pub classes: Vec<String>,
    /// Held-out rows of each class.
    pub held_out: Vec<usize>,
    /// The rule that decides.
    pub rule: String,
    /// Rows that it decides for each class.
    pub decided: Vec<usize>,
    /// What rules are compared by.
    pub compared_by: String,
    /// All rules, that which decides first.
    pub rules: Vec<JudgedRule>,
    /// Thresholds, offsets or tau of the rule that decides, with their interval over resamples of held-out rows.
    pub fitted: Vec<(String, Estimated)>,
    /// Probabilities as given and calibrated.
    pub calibrators: Vec<JudgedCalibrator>,
    /// Class shares of the rows to decide.
    pub shares: Vec<EstimatedShares>,
    /// What it comes to, in words.
    pub sentences: Vec<String>,
    /// The columns of the file of scores that are no probabilities, `decision`, and the probabilities as they were
    /// decided on.
    #[serde(skip)]
    pub table: Table,
    /// Tables to be read.
    #[serde(skip)]
    pub views: Vec<View>,
    /// Each picture for a wide and a narrow screen.
    #[serde(skip)]
    pub figures: Vec<(String, [Figure; 2])>,
}

type Crossed = Vec<(String, Decisions)>;

pub(super) fn report(
    desk: Desk<'_>,
    answer: &Answer,
    (rules, crossed): (Vec<JudgedRule>, Crossed),
    calibrators: Vec<(JudgedCalibrator, Scores)>,
    fitted: Vec<(String, Estimated)>,
) -> Result<DecideReport> {
    let mut decided = vec![0; desk.classes.len()];
    for &class in answer.decisions.as_slice() {
        decided[class as usize] += 1;
    }
    let figures = figures(&desk, &crossed, &calibrators)?;
    let compared_by = if desk.held.costs.is_some() {
        "mean cost of a row".to_owned()
    } else {
        desk.options.metric.replace(['-', '_'], " ")
    };
    let mut report = DecideReport {
        format: 1,
        classes: desk.classes.clone(),
        held_out: desk.held.labels.counts().as_slice().to_vec(),
        rule: desk.arms[0].name.clone(),
        decided,
        compared_by,
        rules,
        fitted,
        calibrators: calibrators.into_iter().map(|(judged, _)| judged).collect(),
        shares: desk.estimated.clone(),
        sentences: Vec::new(),
        table: Table::new(),
        views: Vec::new(),
        figures,
    };
    report.sentences = sentences(&desk, &report, answer);
    report.views = vec![rules_view(&desk, &report), calibrators_view(&report)];
    if !report.shares.is_empty() {
        report.views.push(shares_view(&report));
    }
    report.table = table(desk, answer)?;
    Ok(report)
}

/// The file of scores with decisions in the place of its probabilities.
fn table(desk: Desk<'_>, answer: &Answer) -> Result<Table> {
    let shown = answer.rescored.as_ref().unwrap_or(&desk.scores);
    let names: Vec<String> = desk
        .classes
        .iter()
        .map(|class| format!("p_{class}"))
        .collect();
    let decisions = answer.decisions.as_slice().iter();
    let decisions = decisions.map(|&class| Some(desk.classes[class as usize].clone()));
    let mut written = vec!["decision".to_owned()];
    written.extend(names.iter().cloned());
    let mut table = Table::new();
    for (name, cells) in desk.file.others(&written) {
        table = column(table, name, cells)?;
    }
    table = column(
        table,
        "decision".to_owned(),
        Cells::Text(decisions.collect()),
    )?;
    for (class, name) in names.into_iter().enumerate() {
        let values = shown.log().column(class).into_iter().map(|s| Some(s.exp()));
        table = column(table, name, Cells::Real(values.collect()))?;
    }
    Ok(table)
}

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{} %", fixed(100.0 * share, 1))
}

/// A value as the metric is read: in percent, or as a cost.
fn value(desk: &Desk<'_>, value: f64) -> String {
    if desk.held.costs.is_some() {
        fixed(value, 4)
    } else {
        format!("{} %", fixed(100.0 * value, 1))
    }
}

pub(crate) fn bracket(interval: Option<(f64, f64)>, show: impl Fn(f64) -> String) -> String {
    interval.map_or_else(String::new, |(low, high)| {
        format!(" [{}, {}]", show(low), show(high))
    })
}

fn sentences(desk: &Desk<'_>, report: &DecideReport, answer: &Answer) -> Vec<String> {
    let counts = desk.held.labels.counts();
    let n = desk.scores.n_rows();
    let rule = &report.rule;
    let mut text = vec![format!(
        "{} held out ({}), {} to decide.",
        plural(desk.held.n(), "row"),
        describe_counts(&desk.classes, &counts),
        plural(n, "row")
    )];
    let shares: Vec<String> = desk
        .classes
        .iter()
        .zip(&report.decided)
        .map(|(class, decided)| format!("{} as `{class}`", count(*decided)))
        .collect();
    text.push(format!("`{rule}` decides {}.", shares.join(", ")));
    let first = &report.rules[0];
    match (first.value, &first.reason) {
        (Some(own), _) => text.push(format!(
            "On held-out rows, each decided by a fit on the other {}, its {} is {}{}.",
            plural(desk.held.n_folds() - 1, "fold"),
            report.compared_by,
            value(desk, own.value),
            bracket(own.interval, |v| value(desk, v)),
        )),
        (None, Some(reason)) => text.push(format!(
            "It could not be judged on held-out rows: {reason}."
        )),
        (None, None) => text.push(format!(
            "Its {} has no value on the held-out rows.",
            report.compared_by
        )),
    }
    let better = |judged: &JudgedRule| {
        let (low, high) = judged.difference?.interval?;
        let surely = if desk.lower_is_better() {
            high < 0.0
        } else {
            low > 0.0
        };
        Some((
            surely,
            if desk.lower_is_better() {
                low > 0.0
            } else {
                high < 0.0
            },
        ))
    };
    let named = |wanted: &dyn Fn((bool, bool)) -> bool| -> Vec<String> {
        let rules = report.rules[1..]
            .iter()
            .filter(|judged| better(judged).is_some_and(wanted));
        rules.map(|judged| format!("`{}`", judged.rule)).collect()
    };
    if report.rules.len() > 1 && first.value.is_some() {
        let (ahead, behind) = (named(&|(ahead, _)| ahead), named(&|(_, behind)| behind));
        let say = |rules: &[String], word: &str| {
            let verb = if rules.len() == 1 { "is" } else { "are" };
            format!(
                "{} {verb} {word} on these rows (95 % interval of the difference, pair by pair).",
                rules.join(", ")
            )
        };
        if !ahead.is_empty() {
            text.push(say(&ahead, "better"));
        }
        if !behind.is_empty() {
            text.push(say(&behind, "worse"));
        }
        if ahead.is_empty() && behind.is_empty() {
            text.push("No other rule is shown to be better or worse on these rows.".to_owned());
        }
    }
    for (name, fitted) in &report.fitted {
        let show = |v: f64| fixed(v, 3);
        let of = if name == "threshold" {
            let positive = counts
                .rarest()
                .map_or("", |class| desk.classes[class].as_str());
            format!(
                "`{positive}` is decided from a probability of {}",
                show(fitted.value)
            )
        } else {
            format!("`{name}` is {}", show(fitted.value))
        };
        let scatter = fitted.interval.map_or_else(String::new, |(low, high)| {
            format!(
                "; when the held-out rows are drawn anew, 95 % lie between {} and {}",
                show(low),
                show(high)
            )
        });
        text.push(format!("{of}{scatter}."));
    }
    if let Some(worth) = first.on_scores {
        text.push(format!(
            "The rows to decide have labels: there its {} is {}.",
            report.compared_by,
            value(desk, worth)
        ));
    }
    text.extend(shift_sentence(desk, report));
    for note in &answer.notes {
        text.push(format!("Note: {}.", note.text()));
    }
    text
}

/// Whether the rows to decide seem to have other class shares than the held-out rows.
fn shift_sentence(desk: &Desk<'_>, report: &DecideReport) -> Option<String> {
    if desk.target.is_some() {
        let em = report
            .shares
            .iter()
            .find(|shares| shares.by == "saerens-em")?;
        let target = desk.target.as_ref()?.as_slice();
        let shares: Vec<String> = desk
            .classes
            .iter()
            .zip(target)
            .zip(&em.shares)
            .map(|((class, target), em)| {
                format!("`{class}` {} (EM: {})", percent(*target), percent(em.value))
            })
            .collect();
        return Some(format!(
            "Probabilities are brought to the shares {}.",
            shares.join(", ")
        ));
    }
    let prior = desk.held.labels.counts().prior()?;
    let em = report.shares.first()?;
    let outside = |(class, share): (usize, &Estimated)| {
        let own = prior.as_slice()[class];
        let (low, high) = share.interval?;
        (own < low || own > high).then_some((class, own, share.value, (low, high)))
    };
    let found = em.shares.iter().enumerate().filter_map(outside);
    let (class, own, share, ends) =
        found.max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()))?;
    Some(format!(
        "The rows to decide seem to have other class shares: `{}` {}{} by EM, {} of the held-out rows. With \
         `--target-prior estimate` the rules follow.",
        desk.classes[class],
        percent(share),
        bracket(Some(ends), percent),
        percent(own)
    ))
}

/// Reliability by calibrator; with two classes also what each rule saves at other costs.
fn figures(
    desk: &Desk<'_>,
    crossed: &Crossed,
    calibrators: &[(JudgedCalibrator, Scores)],
) -> Result<Vec<(String, [Figure; 2])>> {
    let drawn = |error: counterweight_plots::PlotError| Error::internal(error.to_string());
    let counts = desk.held.labels.counts();
    let positive = counts.rarest().unwrap_or(0);
    let dots = |scores: &Scores| -> Vec<ReliabilityDot> {
        let bins = reliability::of(scores, &desk.held.labels, &desk.held.weights, positive);
        let all: f64 = bins.iter().map(|bin| bin.weight).sum();
        let dot = |bin: &reliability::Bin| {
            let (predicted, observed) = bin.means()?;
            let share = bin.weight / all;
            Some(ReliabilityDot {
                share,
                predicted,
                observed,
            })
        };
        bins.iter().filter_map(dot).collect()
    };
    let grid = ReliabilityGrid {
        scope: "held-out rows".to_owned(),
        baseline: calibrators
            .first()
            .map(|(_, scores)| dots(scores))
            .unwrap_or_default(),
        panels: calibrators
            .iter()
            .skip(1)
            .map(|(judged, scores)| ReliabilityPanel {
                correction: judged.calibrator.clone(),
                fitted: dots(scores),
                corrected: Vec::new(),
            })
            .collect(),
    };
    let themes = || {
        [Theme::page(), Theme::column()].map(|theme| Theme {
            baseline: "as given".to_owned(),
            ..theme
        })
    };
    let mut found = Vec::new();
    if !grid.panels.is_empty() {
        let [wide, narrow] = themes().map(|theme| reliability_grid(&grid, &theme));
        found.push((
            "reliability".to_owned(),
            [wide.map_err(drawn)?, narrow.map_err(drawn)?],
        ));
    }
    let base = crossed.iter().find(|(name, _)| name == "argmax");
    if let (2, Some((_, argmax)), true) = (desk.classes.len(), base, crossed.len() > 1) {
        let rates = |decisions: &Decisions| {
            let wrong = |class: usize| {
                let rows = desk.held.rows(|row| desk.held.labels.class(row) == class);
                let missed = rows
                    .iter()
                    .filter(|&&row| decisions.as_slice()[row] as usize != class)
                    .count();
                missed as f64 / rows.len().max(1) as f64
            };
            (wrong(positive), wrong(1 - positive))
        };
        let cost = |pc: f64, (miss, alarm): (f64, f64)| costs::expected_cost(pc, miss, alarm);
        let lines = crossed
            .iter()
            .filter(|(name, _)| name != "argmax")
            .map(|(name, decisions)| {
                let dot = |at: usize| {
                    let pc = costs::probability_cost(at, costs::POINTS);
                    let levels = [cost(pc, rates(argmax)), cost(pc, rates(decisions))];
                    GainDot {
                        place: pc,
                        gain: levels[0] - levels[1],
                        band: None,
                        units: desk.held.n(),
                        levels: Some(levels),
                    }
                };
                GainLine {
                    correction: name.clone(),
                    dots: Vec::new(),
                    line: (0..costs::POINTS).map(dot).collect(),
                }
            });
        let curves = GainCurves {
            axis: GainAxis::ProbabilityCost,
            groups: vec![GainGroup {
                heading: String::new(),
                panels: vec![GainPanel {
                    title: "less than argmax".to_owned(),
                    lines: lines.collect(),
                    ceiling: Vec::new(),
                }],
            }],
        };
        let [wide, narrow] = themes().map(|theme| gain_curves(&curves, &theme));
        found.push((
            "costs".to_owned(),
            [wide.map_err(drawn)?, narrow.map_err(drawn)?],
        ));
    }
    Ok(found)
}

/// Writes decisions.csv, decide.json, the page, its tables as markdown and LaTeX and its pictures into a folder.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write_decisions(report: &DecideReport, folder: &Path, command: &str) -> Result<()> {
    make_folder(folder)?;
    let put =
        |name: &str, bytes: &[u8]| Ok::<(), Error>(write_atomically(&folder.join(name), bytes)?);
    write_plain_table(&report.table, &folder.join("decisions.csv"))?;
    let json = serde_json::to_string_pretty(report).map_err(|e| Error::internal(e.to_string()))?;
    put("decide.json", format!("{json}\n").as_bytes())?;
    for view in &report.views {
        put(
            &format!("{}.md", view.name),
            view.markdown(usize::MAX).as_bytes(),
        )?;
        for (_, text) in view.latex() {
            put(&format!("{}.tex", view.name), text.as_bytes())?;
        }
    }
    let mut sections = Vec::new();
    let heading = |name: &str| match name {
        "reliability" => "Do the probabilities mean what they say?",
        _ => "What the rules save at other costs",
    };
    for (name, [wide, narrow]) in &report.figures {
        put(&format!("{name}.svg"), wide.svg.as_bytes())?;
        put(&format!("{name}.png"), &wide.png)?;
        sections.push(PlainSection::Figure {
            heading: heading(name),
            wide,
            narrow,
        });
    }
    let tables = report.views.iter().map(PlainSection::Table);
    let page = PlainPage {
        title: "Decisions on given scores",
        sentences: &report.sentences,
        sections: tables.chain(sections).collect(),
        command,
    };
    put("index.html", page.html().as_bytes())
}
