//! `JUnit` XML: a suite a model, a case a method, one suite for the claims and one for the cells.

use std::fmt::Write as _;

use crate::claims::ClaimStatus;
use crate::result::{ArmStatus, Gate};
use crate::verdict::evidence;
use counterweight_plots::format::points;

struct Case {
    class: String,
    name: String,
    /// Element (`failure`, `error`), message and text.
    fault: Option<(&'static str, String, String)>,
    out: String,
}

/// The result as `JUnit` XML. What regressed, was lost or fails is a `failure`; what could not be checked
/// is an `error`.
pub fn junit(gate: &Gate) -> String {
    let mut suites: Vec<(String, Vec<Case>)> = Vec::new();
    let mut cells = Case {
        class: format!("{}.cells", gate.sweep),
        name: "every cell has a record and keeps its value".into(),
        fault: None,
        out: format!("{} compared, {} identical", gate.compared, gate.identical),
    };
    let of_cells = gate
        .findings
        .iter()
        .filter(|finding| ["missing", "lost", "underpowered"].contains(&finding.kind));
    for finding in of_cells {
        let element = if finding.kind == "lost" {
            "failure"
        } else {
            "error"
        };
        let (_, _, text) = cells
            .fault
            .get_or_insert_with(|| (element, finding.title.clone(), String::new()));
        let _infallible = writeln!(text, "{}: {}", finding.title, finding.detail);
    }
    suites.push(("cells".into(), vec![cells]));
    for model in &gate.models {
        let class = format!("{}.{}", gate.sweep, model.model);
        let mut cases: Vec<Case> = gate
            .arms
            .iter()
            .filter(|arm| arm.model == model.model)
            .map(|arm| {
                let fault = (arm.status == ArmStatus::Regressed).then(|| {
                    let message = format!("regressed by {} points", points(arm.shift));
                    ("failure", message, evidence(arm))
                });
                Case {
                    class: class.clone(),
                    name: arm.correction.clone(),
                    fault,
                    out: format!("{}: {} points", arm.status.words(), points(arm.shift)),
                }
            })
            .collect();
        let common = gate
            .common
            .iter()
            .find(|common| common.model == model.model && common.fails)
            .map(|common| {
                let message = format!("all shifted by {} points", points(common.shift));
                ("failure", message, String::new())
            });
        cases.push(Case {
            class: class.clone(),
            name: "common shift".into(),
            fault: common,
            out: String::new(),
        });
        let mut flips = String::new();
        for flip in model.flips.iter().filter(|flip| flip.fails) {
            let _infallible = writeln!(
                flips,
                "{} was better than {}",
                flip.was_better, flip.now_better
            );
        }
        cases.push(Case {
            class: class.clone(),
            name: "order of decided pairs".into(),
            fault: (!flips.is_empty()).then(|| ("failure", "order flipped".into(), flips)),
            out: String::new(),
        });
        suites.push((model.model.clone(), cases));
    }
    let claims = gate.claims.iter().map(|claim| Case {
        class: format!("{}.claims", gate.sweep),
        name: format!("{} (gate.toml:{})", claim.title, claim.line),
        fault: match claim.status {
            ClaimStatus::Holds => None,
            ClaimStatus::Fails => Some(("failure", "the claim fails".into(), claim.detail.clone())),
            ClaimStatus::Undecided => Some((
                "error",
                "the claim cannot be checked".into(),
                claim.detail.clone(),
            )),
        },
        out: claim.detail.clone(),
    });
    let claims: Vec<Case> = claims.collect();
    if !claims.is_empty() {
        suites.push(("claims".into(), claims));
    }
    render(&gate.sweep, &suites)
}

fn render(sweep: &str, suites: &[(String, Vec<Case>)]) -> String {
    let count = |cases: &[Case], element: &str| {
        cases
            .iter()
            .filter(|case| case.fault.as_ref().is_some_and(|fault| fault.0 == element))
            .count()
    };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = |element: &str| {
        suites
            .iter()
            .map(|(_, cases)| count(cases, element))
            .sum::<usize>()
    };
    let tests: usize = suites.iter().map(|(_, cases)| cases.len()).sum();
    let _infallible = writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{tests}\" failures=\"{}\" errors=\"{}\">",
        escaped(sweep),
        all("failure"),
        all("error")
    );
    for (name, cases) in suites {
        let _infallible = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
            escaped(name),
            cases.len(),
            count(cases, "failure"),
            count(cases, "error")
        );
        for case in cases {
            let _infallible = write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\"",
                escaped(&case.class),
                escaped(&case.name)
            );
            if case.fault.is_none() && case.out.is_empty() {
                out.push_str("/>\n");
                continue;
            }
            out.push_str(">\n");
            if let Some((element, message, text)) = &case.fault {
                let _infallible = writeln!(
                    out,
                    "      <{element} message=\"{}\">{}</{element}>",
                    escaped(message),
                    escaped(text.trim_end())
                );
            }
            if !case.out.is_empty() {
                let _infallible =
                    writeln!(out, "      <system-out>{}</system-out>", escaped(&case.out));
            }
            out.push_str("    </testcase>\n");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text for XML 1.0, which has no room for most control characters, not even escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_breaks_the_xml() {
        assert_eq!(
            escaped("a<b & \"c\"\u{1b}"),
            "a&lt;b &amp; &quot;c&quot;\u{fffd}"
        );
    }
}
