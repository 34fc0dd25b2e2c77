//! RANKING.md: the committed ranking for people, with the history of its updates.

use std::fmt::Write as _;

use super::github::plain;
use crate::Gate;
use counterweight_config::Date;
use counterweight_plots::format::{percent, plural, rank};

/// The heading under which updates are listed, newest last.
pub const HISTORY: &str = "## History";

/// An update of the baseline.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// When.
    pub date: Date,
    /// Version that wrote it.
    pub version: &'a str,
    /// Why, in the author's words.
    pub reason: &'a str,
    /// What changed, in a few words.
    pub change: &'a str,
}

/// The ranking of the `after` side as markdown. `old` is the file as it was, whose history is kept;
/// `update` is added to it.
pub fn ranking_markdown(gate: &Gate, folder: &str, old: &str, update: &Update<'_>) -> String {
    let mut out = format!(
        "# Ranking of `{}`\n\n\
         Written by `counterweight gate {folder} --update --reason ...` beside `baseline.csv`; not to be\n\
         edited. Mean ranks by balanced error, 1 is best; each dataset counts once. Corrections that share a\n\
         letter are not told apart by Wilcoxon's signed-rank test over clusters of related datasets, Holm-\n\
         adjusted over all pairs of the model at level {}.\n",
        gate.sweep, gate.alpha
    );
    for model in &gate.models {
        let _infallible = write!(
            out,
            "\n## {}\n\nOver {}.\n\n| correction | mean rank | balanced error, % | groups |\n|---|--:|--:|---|\n",
            model.model,
            plural(model.datasets, "dataset")
        );
        for row in &model.rows {
            let _infallible = writeln!(
                out,
                "| {} | {} | {} | {} |",
                row.correction,
                rank(row.rank_after),
                percent(row.after),
                letters(&model.groups.after, &row.correction)
            );
        }
        if !model.left_out.is_empty() {
            let _infallible = writeln!(
                out,
                "\nWithout a rank, for lack of datasets: {}.",
                model.left_out.join(", ")
            );
        }
    }
    let words = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        plain(&words.join(" ")).replace('|', "\\|")
    };
    let row = format!(
        "| {} | {} | {} | {} |\n",
        update.date,
        update.version,
        words(update.change),
        words(update.reason)
    );
    let kept: Vec<&str> = old
        .lines()
        .skip_while(|line| *line != HISTORY)
        .filter(|line| line.starts_with("| ") && !line.starts_with("| date "))
        .collect();
    let _infallible = write!(
        out,
        "\n{HISTORY}\n\n| date | version | change | reason |\n|---|---|---|---|\n"
    );
    // An update that was cut off after this file and before the baseline has its row already.
    for line in kept.iter().filter(|line| **line != row.trim_end()) {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str(&row);
    out
}

/// The letters of the groups that a correction is in.
fn letters(groups: &[Vec<String>], correction: &str) -> String {
    let mut found = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        if group.iter().any(|member| member == correction) {
            found.push(letter(at));
        }
    }
    found.join(" ")
}

/// a to z, then aa, ab and so on.
fn letter(at: usize) -> String {
    let last = char::from(b'a' + u8::try_from(at % 26).unwrap_or(0));
    if at < 26 {
        last.to_string()
    } else {
        format!("{}{last}", letter(at / 26 - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn letters_go_on_after_z() {
        assert_eq!(
            [letter(0), letter(25), letter(26), letter(52)],
            ["a", "z", "aa", "ba"]
        );
    }
}
