//! The comparison of records with a baseline.

use std::collections::BTreeMap;

use super::SAME;
use super::arms::arms;
use super::cells::{ByPoint, Pair, sort};
use super::claims::{self, ClaimStatus};
use super::ranks;
use super::result::{Arm, ArmStatus, Finding, Gate, GateInput, Mover, Verdict};
use crate::error::Result;
use counterweight_plots::format::{p_value, plural, points};

/// Most movers that are listed.
const MOVERS: usize = 5;

/// Compares.
///
/// # Errors
/// [`GateError::Stats`](crate::GateError::Stats) when a statistic cannot be computed on input that should have allowed it.
pub fn judge(input: &GateInput<'_>) -> Result<Gate> {
    let sorted = sort(input);
    let mut gate = Gate {
        format: 1,
        sweep: input.sweep.to_owned(),
        verdict: Verdict::Pass,
        same_splits: input.same_splits,
        tolerance: input.config.tolerance,
        alpha: input.config.alpha,
        planned: input.planned.len(),
        compared: sorted.pairs.len(),
        identical: 0,
        ignored_cells: sorted.ignored_cells,
        still_failing: sorted.still_failing,
        gained: sorted.gained,
        missing: sorted.missing,
        lost: sorted.lost,
        findings: Vec::new(),
        warnings: Vec::new(),
        arms: Vec::new(),
        common: Vec::new(),
        models: Vec::new(),
        claims: Vec::new(),
        ignores: sorted.ignores,
        movers: Vec::new(),
        reproduce: None,
    };
    gate.identical = sorted
        .pairs
        .iter()
        .filter(|pair| pair.shift().abs() <= SAME)
        .count();
    let mut methods: Vec<(&str, &str)> = Vec::new();
    let mut by_method: BTreeMap<(&str, &str), ByPoint<'_>> = BTreeMap::new();
    for pair in &sorted.pairs {
        let place = &pair.planned.place;
        let key = (place.model.as_str(), place.correction.as_str());
        let points = by_method.entry(key).or_insert_with(|| {
            methods.push(key);
            BTreeMap::new()
        });
        points
            .entry(&place.dataset)
            .or_default()
            .entry(&place.ratio)
            .or_default()
            .push(*pair);
    }
    arms(input, &methods, &by_method, &mut gate)?;
    gate.models = ranks::compare(input, &methods, &by_method, &gate.arms)?;
    gate.claims = claims::check(input, &sorted.current, &gate)?;
    movers(input, &by_method, &mut gate);
    findings(input, &mut gate);
    gate.verdict = if !gate.missing.is_empty() {
        Verdict::Incomplete
    } else if gate.compared == 0 && gate.lost.is_empty() {
        Verdict::NothingSelected
    } else if gate.findings.iter().any(|finding| !finding.incomplete()) {
        Verdict::Finding
    } else if gate.findings.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Incomplete
    };
    Ok(gate)
}

/// The point on which each method moved most, findings first.
fn movers<'a>(
    input: &GateInput<'_>,
    by_method: &BTreeMap<(&'a str, &'a str), ByPoint<'a>>,
    gate: &mut Gate,
) {
    let mut found: Vec<(bool, f64, Mover)> = Vec::new();
    for arm in gate
        .arms
        .iter()
        .filter(|arm| arm.status != ArmStatus::Identical)
    {
        let Some(points) = by_method.get(&(arm.model.as_str(), arm.correction.as_str())) else {
            continue;
        };
        let cells = points.iter().flat_map(|(dataset, points)| {
            points
                .iter()
                .map(move |(ratio, cells)| (dataset, ratio, cells))
        });
        let mean = |cells: &[Pair<'_>], value: &dyn Fn(&Pair<'_>) -> f64| {
            cells.iter().map(value).sum::<f64>() / cells.len() as f64
        };
        // Of a regressed method the largest rise, of the others the largest move either way.
        let regressed = arm.status == ArmStatus::Regressed;
        let size = |cells: &[Pair<'_>]| {
            let shift = mean(cells, &|pair| pair.shift());
            if regressed { shift } else { shift.abs() }
        };
        let Some((dataset, ratio, cells)) = cells.max_by(|a, b| size(a.2).total_cmp(&size(b.2)))
        else {
            continue;
        };
        let one = |pair: &Pair<'_>| {
            if regressed {
                pair.shift()
            } else {
                pair.shift().abs()
            }
        };
        let Some(most) = cells.iter().max_by(|a, b| one(a).total_cmp(&one(b))) else {
            continue;
        };
        found.push((
            regressed,
            size(cells),
            Mover {
                model: arm.model.clone(),
                correction: arm.correction.clone(),
                dataset: (*dataset).to_owned(),
                ratio: (*ratio).to_owned(),
                before: mean(cells, &|pair| pair.before),
                after: mean(cells, &|pair| pair.after),
                cell: most.planned.cell.clone(),
            },
        ));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    gate.movers = found
        .into_iter()
        .take(MOVERS)
        .map(|(_, _, mover)| mover)
        .collect();
    let cell = gate
        .movers
        .first()
        .map(|mover| &mover.cell)
        .or_else(|| gate.lost.first().map(|lost| &lost.cell));
    gate.reproduce = cell.map(|cell| match input.reseed {
        None => format!(
            "counterweight run {} --only cell={cell} --no-report --output target/gate-{cell}",
            input.folder
        ),
        Some(seed) => format!(
            "counterweight gate {} --reseed {seed} --only cell={cell}",
            input.folder
        ),
    });
}

fn findings(input: &GateInput<'_>, gate: &mut Gate) {
    let mut list: Vec<Finding> = Vec::new();
    let mut add = |kind, title: String, detail: String, line| {
        list.push(Finding {
            kind,
            title,
            detail,
            line,
        });
    };
    if let Some(first) = gate.missing.first() {
        let n = gate.missing.len();
        let title = format!("{} of {} missing", plural(n, "cell"), gate.planned);
        add("missing", title, format!("the first is {first}"), None);
    }
    for lost in &gate.lost {
        let (place, after) = (&lost.place, lost.after);
        let title = format!(
            "{} on {}, {}: {} before, {after} now",
            place.correction, place.model, place.dataset, lost.before
        );
        add(
            "lost",
            title,
            format!("cell {}: {}", lost.cell, lost.reason),
            None,
        );
    }
    for arm in gate
        .arms
        .iter()
        .filter(|arm| arm.status == ArmStatus::Regressed)
    {
        let title = format!(
            "{} on {} regressed by {} points",
            arm.correction,
            arm.model,
            points(arm.shift)
        );
        add("regressed", title, evidence(arm), None);
    }
    for common in gate.common.iter().filter(|common| common.fails) {
        let title = format!(
            "all corrections of {} shifted by {} points",
            common.model,
            points(common.shift)
        );
        let detail = format!("p {} after Holm's correction", p_value(common.p_holm));
        add("common-shift", title, detail, None);
    }
    for model in &gate.models {
        for flip in model.flips.iter().filter(|flip| flip.fails) {
            let title = format!(
                "order flipped on {}: {} was better than {}, now it is worse",
                model.model, flip.was_better, flip.now_better
            );
            let detail = format!(
                "difference {} points before, {} now",
                points(flip.before),
                points(flip.after)
            );
            add("order-flipped", title, detail, None);
        }
    }
    for claim in &gate.claims {
        let kind = match claim.status {
            ClaimStatus::Holds => continue,
            ClaimStatus::Fails => "claim",
            ClaimStatus::Undecided => "undecided",
        };
        let verb = if kind == "claim" {
            "fails"
        } else {
            "cannot be checked"
        };
        let title = format!("claim {verb}: {}", claim.title);
        add(kind, title, claim.detail.clone(), Some(claim.line));
    }
    let weak: Vec<&Arm> = gate.arms.iter().filter(|arm| arm.underpowered).collect();
    if !weak.is_empty() {
        let largest = weak
            .iter()
            .map(|arm| arm.detectable.unwrap_or(f64::INFINITY))
            .fold(0.0, f64::max);
        let size = if largest.is_finite() {
            format!(
                "a loss of {} points would have been seen in each",
                points(largest)
            )
        } else {
            "with so few datasets no loss would be sure".to_owned()
        };
        let text = format!(
            "underpowered: in {} of {} a loss of {} points could hide ({size})",
            weak.len(),
            plural(gate.arms.len(), "method"),
            points(input.config.tolerance)
        );
        let powerless = gate.powerless().is_some();
        if input.config.require_power.unwrap_or(powerless) {
            let why = if powerless {
                "more datasets are needed, or `require_power = false` in gate.toml"
            } else {
                "`require_power` is set"
            };
            add("underpowered", text, why.into(), None);
        } else {
            gate.warnings.push(text);
        }
    }
    for arm in gate
        .arms
        .iter()
        .filter(|arm| arm.status == ArmStatus::Unclear)
    {
        gate.warnings.push(format!(
            "{} on {} moved by {} points, not shown: {}",
            arm.correction,
            arm.model,
            points(arm.shift),
            evidence(arm)
        ));
    }
    for ignore in &gate.ignores {
        if ignore.expired {
            gate.warnings.push(format!(
                "the exemption of {} expired on {} and does not count: {}",
                ignore.what, ignore.expires, ignore.reason
            ));
        } else if ignore.cells == 0 {
            gate.warnings
                .push(format!("the exemption of {} covers no cell", ignore.what));
        }
    }
    if gate.still_failing > 0 {
        gate.warnings.push(format!(
            "{} failed in the baseline and still do",
            plural(gate.still_failing, "cell")
        ));
    }
    if let Some(words) = powerless_words(gate) {
        gate.warnings.insert(0, words);
    }
    gate.findings = list;
    // Names and reasons come from anywhere; a line of the output is a line.
    let findings = gate
        .findings
        .iter_mut()
        .flat_map(|f| [&mut f.title, &mut f.detail]);
    let claims = gate
        .claims
        .iter_mut()
        .flat_map(|c| [&mut c.title, &mut c.detail]);
    for text in findings.chain(claims).chain(&mut gate.warnings) {
        if text.contains(char::is_control) {
            *text = text.replace(char::is_control, " ");
        }
    }
}

/// That no test can fail a method, where that is so.
pub(super) fn powerless_words(gate: &Gate) -> Option<String> {
    let (have, needed) = gate.powerless()?;
    Some(format!(
        "a test on {} of datasets can fail no method: at level {} it needs {needed}",
        plural(have, "independent cluster"),
        gate.alpha
    ))
}

/// What is known of a method's shift, in half a line.
pub(super) fn evidence(arm: &Arm) -> String {
    let interval = arm.interval.map_or_else(String::new, |(low, high)| {
        format!("[{}, {}], ", points(low), points(high))
    });
    let p = if arm.constant {
        "the same everywhere".to_owned()
    } else {
        format!("p {} after Holm's correction", p_value(arm.p_holm))
    };
    format!(
        "{interval}{p}, worse on {} of {}",
        arm.worse,
        plural(arm.datasets, "dataset")
    )
}
