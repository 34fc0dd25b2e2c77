//! One screen for a terminal.

use std::fmt::Write as _;

use crate::claims::ClaimStatus;
use crate::result::{Arm, ArmStatus, Gate, Verdict};
use crate::verdict::{evidence, powerless_words};
use counterweight_plots::format::{percent, plural, points, rank};

/// Most lines of a kind; the rest is counted.
const SHOWN: usize = 6;

/// The result in words.
pub fn text(gate: &Gate) -> String {
    let mut out = String::new();
    let verdict = match gate.verdict {
        Verdict::Pass if gate.is_identical() => "pass: every value is that of the baseline",
        Verdict::Pass => "pass",
        Verdict::Finding => "FAIL",
        Verdict::Incomplete => "could not be checked",
        Verdict::NothingSelected => "nothing to compare",
    };
    // What fails for another reason is no pass to be warned of.
    let but = powerless_words(gate).filter(|_| gate.verdict != Verdict::Finding);
    let but = but.map_or_else(String::new, |words| format!("; {words}"));
    line(&mut out, format_args!("{}: {verdict}{but}", gate.sweep));
    let splits = if gate.same_splits {
        "the same splits"
    } else {
        "other seeds"
    };
    line(
        &mut out,
        format_args!(
            "{} on {splits}: {} identical, {} moved{}",
            plural(gate.compared, "cell"),
            gate.identical,
            gate.compared - gate.identical,
            exempt(gate)
        ),
    );
    let finding_lines = gate
        .findings
        .iter()
        .map(|finding| format!("{}\n    {}", finding.title, finding.detail));
    block(&mut out, "findings", &finding_lines.collect::<Vec<_>>());
    let arms: Vec<&Arm> = gate
        .arms
        .iter()
        .filter(|arm| arm.status != ArmStatus::Identical)
        .collect();
    let improved: Vec<String> = gate
        .with_status(ArmStatus::Improved)
        .map(|arm| {
            format!(
                "{} on {} by {} points\n    {}",
                arm.correction,
                arm.model,
                points(arm.shift),
                evidence(arm)
            )
        })
        .collect();
    block(&mut out, "improved", &improved);
    let count = |status| gate.with_status(status).count();
    if !arms.is_empty() {
        line(
            &mut out,
            format_args!(
                "methods: {} identical, {} moved within tolerance, {} improved, {} regressed, {} unclear",
                count(ArmStatus::Identical),
                count(ArmStatus::Moved),
                count(ArmStatus::Improved),
                count(ArmStatus::Regressed),
                count(ArmStatus::Unclear)
            ),
        );
    }
    if arms.iter().any(|arm| arm.shift.abs() > 0.0) {
        let common: Vec<String> = gate
            .common
            .iter()
            .map(|common| format!("{} {}", common.model, points(common.shift)))
            .collect();
        line(
            &mut out,
            format_args!("common shift in points: {}", common.join(", ")),
        );
    }
    ranks(gate, &mut out);
    let movers = gate.movers.iter().map(|mover| {
        format!(
            "{} on {}, {} at ratio {}: {} -> {} % ({})",
            mover.correction,
            mover.model,
            mover.dataset,
            mover.ratio,
            percent(mover.before),
            percent(mover.after),
            points(mover.after - mover.before)
        )
    });
    block(&mut out, "largest movers", &movers.collect::<Vec<_>>());
    let held = gate
        .claims
        .iter()
        .filter(|claim| claim.status == ClaimStatus::Holds)
        .count();
    if !gate.claims.is_empty() {
        line(
            &mut out,
            format_args!("claims: {held} of {} hold", gate.claims.len()),
        );
    }
    block(&mut out, "warnings", &gate.warnings);
    if let Some(command) = &gate.reproduce {
        line(&mut out, format_args!("reproduce: {command}"));
    }
    out
}

fn line(out: &mut String, words: std::fmt::Arguments<'_>) {
    let _infallible = writeln!(out, "{words}");
}

fn exempt(gate: &Gate) -> String {
    let mut text = String::new();
    for (n, what) in [
        (gate.ignored_cells, "exempt"),
        (gate.gained, "with a first value"),
    ] {
        if n > 0 {
            let _infallible = write!(text, ", {n} {what}");
        }
    }
    text
}

fn block(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    line(out, format_args!("{title}:"));
    for words in lines.iter().take(SHOWN) {
        line(out, format_args!("  {words}"));
    }
    if lines.len() > SHOWN {
        line(out, format_args!("  and {} more", lines.len() - SHOWN));
    }
}

/// The rankings of the models whose order, flips or groups changed: those whose rank moved most.
fn ranks(gate: &Gate, out: &mut String) {
    for model in &gate.models {
        let mut rows: Vec<_> = model
            .rows
            .iter()
            .filter(|row| (row.rank_after - row.rank_before).abs() >= 0.005)
            .collect();
        rows.sort_by(|a, b| {
            let size = |row: &&crate::RankRow| (row.rank_after - row.rank_before).abs();
            size(b).total_cmp(&size(a))
        });
        if rows.is_empty() {
            let regressed = gate
                .with_status(ArmStatus::Regressed)
                .any(|arm| arm.model == model.model);
            if regressed {
                line(out, format_args!("ranks on {}: unchanged", model.model));
            }
            continue;
        }
        let shown: Vec<String> = rows
            .iter()
            .take(SHOWN)
            .map(|row| {
                format!(
                    "{} {} -> {}",
                    row.correction,
                    rank(row.rank_before),
                    rank(row.rank_after)
                )
            })
            .collect();
        let groups = if model.groups.changed() {
            "; the groups that no test tells apart changed"
        } else {
            ""
        };
        line(
            out,
            format_args!(
                "ranks on {} over {}: {}{groups}",
                model.model,
                plural(model.datasets, "dataset"),
                shown.join(", ")
            ),
        );
        for flip in model.flips.iter().filter(|flip| !flip.fails) {
            line(
                out,
                format_args!(
                    "  order flipped: {} now beats {}",
                    flip.now_better, flip.was_better
                ),
            );
        }
    }
}
