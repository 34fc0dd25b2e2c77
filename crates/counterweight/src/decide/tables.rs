//! The tables of rules, calibrators and class shares.

use counterweight_plots::format::fixed;
use counterweight_report::view::{Cell, Head, Mark, View};

use super::shown::{DecideReport, bracket};
use super::{Desk, Estimated, JudgedCalibrator, JudgedRule};

fn head(text: &str, numeric: bool) -> Head {
    Head {
        text: text.to_owned(),
        numeric,
    }
}

/// A table to be read; every column but the first is of numbers.
pub(crate) fn view(
    name: &str,
    title: &str,
    note: String,
    heads: &[&str],
    rows: Vec<Vec<Cell>>,
) -> View {
    View {
        name: name.to_owned(),
        title: title.to_owned(),
        note,
        heads: heads
            .iter()
            .enumerate()
            .map(|(at, text)| head(text, at > 0))
            .collect(),
        cells: vec![String::new(); rows.len()],
        rows,
    }
}

pub(super) fn rules_view(desk: &Desk<'_>, report: &DecideReport) -> View {
    let show = |estimated: Option<Estimated>, sign: bool| {
        let plain = |v: f64| {
            let text = match &desk.held.costs {
                Some(_) => fixed(v, 4),
                None => fixed(100.0 * v, 1),
            };
            if sign && v > 0.0 {
                format!("+{text}")
            } else {
                text
            }
        };
        Cell::number(estimated.map(|e| e.value), |v| {
            format!(
                "{}{}",
                plain(v),
                bracket(estimated.and_then(|e| e.interval), plain)
            )
        })
    };
    let percent = |v: Option<f64>| Cell::number(v, |v| fixed(100.0 * v, 1));
    let best = report
        .rules
        .iter()
        .filter_map(|judged| judged.value.map(|v| v.value));
    let best = if desk.lower_is_better() {
        best.fold(f64::INFINITY, f64::min)
    } else {
        best.fold(f64::NEG_INFINITY, f64::max)
    };
    let row = |judged: &JudgedRule| {
        let is_best = judged
            .value
            .is_some_and(|v| (v.value - best).abs() <= 1e-12);
        let mut cells = vec![
            Cell::code(&judged.rule),
            show(judged.value, false).marked(if is_best { Mark::Best } else { Mark::Plain }),
            show(judged.difference, true),
        ];
        cells.extend(judged.errors.iter().map(|v| percent(*v)));
        if desk.truth.is_some() {
            cells.push(show(
                judged.on_scores.map(|value| Estimated {
                    value,
                    interval: None,
                }),
                false,
            ));
        }
        cells.push(Cell::text(judged.reason.clone().unwrap_or_default()));
        cells
    };
    let unit = if desk.held.costs.is_some() {
        ""
    } else {
        " (%)"
    };
    let own = format!("{}{unit}", report.compared_by);
    let mut heads = vec![
        "rule",
        own.as_str(),
        "less the first",
        "balanced error",
        "error rate",
        "worst recall",
    ];
    if desk.truth.is_some() {
        heads.push("on the rows to decide");
    }
    heads.push("why not");
    let note = format!(
        "Each held-out row is decided by a fit on the other folds. Intervals: 95 % over resamples of held-out rows, class by \
         class.{}",
        if desk.target.is_some() {
            " Rows are weighted to the target shares."
        } else {
            ""
        }
    );
    let mut view = view(
        "rules",
        "Rules on held-out rows",
        note,
        &heads,
        report.rules.iter().map(row).collect(),
    );
    if let Some(last) = view.heads.last_mut() {
        last.numeric = false;
    }
    view
}

pub(super) fn calibrators_view(report: &DecideReport) -> View {
    let row = |judged: &JudgedCalibrator| {
        let mut cells = vec![Cell::code(&judged.calibrator)];
        cells.extend(
            judged
                .values
                .iter()
                .map(|v| Cell::number(*v, |v| fixed(v, 4))),
        );
        cells
    };
    let note = "Fitted on the other folds; less is better. `decide --with` takes a calibrator as { kind = \"calibrated\", by = .. }.";
    view(
        "calibration",
        "Probabilities on held-out rows",
        note.to_owned(),
        &["calibrator", "log loss", "Brier score", "calibration error"],
        report.calibrators.iter().map(row).collect(),
    )
}

pub(super) fn shares_view(report: &DecideReport) -> View {
    let total: usize = report.held_out.iter().sum();
    let show = |v: f64| fixed(100.0 * v, 1);
    let rows = report.classes.iter().enumerate().map(|(class, name)| {
        let own = report.held_out[class] as f64 / total as f64;
        let mut cells = vec![Cell::code(name), Cell::number(Some(own), show)];
        cells.extend(report.shares.iter().map(|shares| {
            let share = shares.shares[class];
            Cell::number(Some(share.value), |v| {
                format!("{}{}", show(v), bracket(share.interval, show))
            })
        }));
        cells
    });
    let mut heads = vec!["class", "held-out rows (%)"];
    let by: Vec<String> = report
        .shares
        .iter()
        .map(|shares| format!("rows to decide by {} (%)", shares.by))
        .collect();
    heads.extend(by.iter().map(String::as_str));
    view(
        "shares",
        "Class shares",
        "Estimated without labels, where the classes themselves look alike in both files. Intervals: 95 % over resamples of \
         the rows to decide."
            .to_owned(),
        &heads,
        rows.collect(),
    )
}
