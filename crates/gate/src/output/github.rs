//! GitHub Actions: annotations and the step summary.

use std::fmt::Write as _;

use crate::claims::ClaimStatus;
use crate::result::{ArmStatus, Gate, Verdict};
use crate::verdict::evidence;
use counterweight_plots::format::{p_value, percent, plural, points, rank};

/// GitHub shows ten annotations of a kind a step; more are dropped without a word.
pub const ANNOTATIONS: usize = 10;

/// GitHub refuses a step summary above 1 MiB; this leaves room for the last line.
pub const SUMMARY_BYTES: usize = 1_048_576 - 1024;

/// Longest message of an annotation.
const MESSAGE: usize = 1_000;

/// Workflow commands for the findings: an error each, at most [`ANNOTATIONS`] of them, the last one
/// saying how many more there are. `config` is the path of gate.toml in the repository.
pub fn annotations(gate: &Gate, config: &str) -> String {
    let mut out = String::new();
    let more = gate.findings.len() > ANNOTATIONS;
    let shown = if more { ANNOTATIONS - 1 } else { ANNOTATIONS };
    for finding in gate.findings.iter().take(shown) {
        let mut place = String::new();
        if let Some(line) = finding.line {
            place = format!("file={},line={line},", property(config));
        }
        let message: String = finding.detail.chars().take(MESSAGE).collect();
        let _infallible = writeln!(
            out,
            "::error {place}title={}::{}",
            property(&format!("{}: {}", gate.sweep, finding.title)),
            data(&message)
        );
    }
    if more {
        let _infallible = writeln!(
            out,
            "::error title={}::see the step summary or the job's log",
            property(&format!(
                "{}: and {} more findings",
                gate.sweep,
                gate.findings.len() - shown
            ))
        );
    }
    if gate.findings.is_empty() {
        for warning in gate.warnings.iter().take(ANNOTATIONS) {
            let _infallible = writeln!(
                out,
                "::warning title={}::{}",
                property(&gate.sweep),
                data(warning)
            );
        }
    }
    out
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The result as markdown of at most `bytes` bytes, cut at the end of a line.
pub fn summary(gate: &Gate, bytes: usize) -> String {
    let mut out = String::new();
    let verdict = match gate.verdict {
        Verdict::Pass => "passes",
        Verdict::Finding => "fails",
        Verdict::Incomplete => "could not be checked",
        Verdict::NothingSelected => "has nothing to compare",
    };
    let mut add = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    add(format!("## Gate `{}` {verdict}\n", gate.sweep));
    add(format!(
        "{}, {} identical. Tolerance {} points, level {}.\n",
        plural(gate.compared, "cell"),
        gate.identical,
        points(gate.tolerance).trim_start_matches('+'),
        gate.alpha
    ));
    for finding in &gate.findings {
        add(format!(
            "- **{}**: {}",
            cell(&finding.title),
            cell(&finding.detail)
        ));
    }
    for warning in &gate.warnings {
        add(format!("- {}", cell(warning)));
    }
    let moved: Vec<_> = gate
        .arms
        .iter()
        .filter(|arm| arm.status != ArmStatus::Identical)
        .collect();
    if !moved.is_empty() {
        add(
            "\n| method | model | verdict | shift, points | evidence |\n|---|---|---|--:|---|"
                .into(),
        );
        for arm in moved {
            add(format!(
                "| {} | {} | {} | {} | {} |",
                cell(&arm.correction),
                cell(&arm.model),
                arm.status.words(),
                points(arm.shift),
                evidence(arm)
            ));
        }
    }
    for model in gate.models.iter().filter(|model| {
        model
            .rows
            .iter()
            .any(|row| (row.rank_after - row.rank_before).abs() >= 0.005)
    }) {
        add(format!(
            "\n**{}** over {}\n\n| correction | rank before | rank now | balanced error before, % | now, % |\n\
             |---|--:|--:|--:|--:|",
            cell(&model.model),
            plural(model.datasets, "dataset")
        ));
        for row in &model.rows {
            add(format!(
                "| {} | {} | {} | {} | {} |",
                cell(&row.correction),
                rank(row.rank_before),
                rank(row.rank_after),
                percent(row.before),
                percent(row.after)
            ));
        }
    }
    if !gate.claims.is_empty() {
        add("\n| claim | verdict | test |\n|---|---|---|".into());
        for claim in &gate.claims {
            let verdict = match claim.status {
                ClaimStatus::Holds => "holds",
                ClaimStatus::Fails => "**fails**",
                ClaimStatus::Undecided => "**undecided**",
            };
            let p = claim
                .p_value
                .map_or_else(String::new, |p| format!(" (p {})", p_value(p)));
            add(format!(
                "| {} | {verdict} | {}{p} |",
                cell(&claim.title),
                cell(&claim.detail)
            ));
        }
    }
    if let Some(command) = &gate.reproduce {
        add(format!("\n```sh\n{command}\n```"));
    }
    cut(out, bytes)
}

/// Text that begins no tag where markdown becomes a page.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let tag = |next: &char| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?');
        if c == '<' && rest.peek().is_some_and(tag) {
            out.push_str("&lt;");
        } else {
            out.push(c);
        }
    }
    out
}

/// Text inside a markdown table.
fn cell(text: &str) -> String {
    plain(text)
        .replace('|', "\\|")
        .replace(char::is_control, " ")
}

fn cut(mut text: String, bytes: usize) -> String {
    const REST: &str = "\nThe rest is left out: a summary may not be longer.\n";
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes.saturating_sub(REST.len()).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(0, |at| at + 1);
    text.truncate(end);
    if bytes >= REST.len() {
        text.push_str(REST);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_escaped() {
        assert_eq!(data("50 %\nmore"), "50 %25%0Amore");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }

    #[test]
    fn cells_of_a_table_stay_cells() {
        assert_eq!(cell("a|b\n<script> p <.001"), "a\\|b &lt;script> p <.001");
    }

    #[test]
    fn a_summary_is_cut_at_the_end_of_a_line() {
        let text = "é line one\n".repeat(50);
        for bytes in [0, 1, 60, 100, 333] {
            let short = cut(text.clone(), bytes);
            assert!(short.len() <= bytes, "{bytes}");
            assert!(short.is_empty() || short.ends_with('\n'));
        }
        assert_eq!(cut("a\n".into(), 10), "a\n");
    }
}
