//! A table as people read it: text with a sort key and a mark, from which markdown, LaTeX and the
//! page are made. The numbers behind it stand in a [`Table`](counterweight_core::Table) of their own.

use std::fmt::Write as _;

use crate::findings::plain;

/// How a cell stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Not at all.
    #[default]
    Plain,
    /// The best: bold.
    Best,
    /// Not significantly worse than the best: underlined.
    AmongBest,
    /// Significantly worse than the best: an asterisk.
    Worse,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// What is read; `-` stands for a minus sign. Empty for no value.
    pub text: String,
    /// What a numeric column is sorted by; `None` sorts last.
    pub sort: Option<f64>,
    /// How it stands out.
    pub mark: Mark,
    /// Whether the text is an id, set in a fixed-width font.
    pub code: bool,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// An id.
    pub fn code(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: true,
            ..Self::default()
        }
    }

    /// A number as `show` writes it; nothing for `None`.
    pub fn number(value: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        Self {
            text: value.map(show).unwrap_or_default(),
            sort: value,
            ..Self::default()
        }
    }

    /// A count.
    pub fn count(n: usize) -> Self {
        Self {
            text: counterweight_plots::format::count(n),
            sort: Some(n as f64),
            ..Self::default()
        }
    }

    /// The same cell with a mark.
    #[must_use]
    pub fn marked(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }
}

/// A column's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub text: String,
    /// Whether its cells are numbers, set flush right and sorted as such.
    pub numeric: bool,
}

/// An id as a part of a file name or an anchor: letters, digits and `_`, with single dashes between what
/// else there is. Two ids may have one; who names files counts on.
pub(crate) fn file_name(id: &str) -> String {
    // File systems take 255 bytes, and names have endings and kinds before them.
    const LONGEST: usize = 120;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let parts: Vec<&str> = id
        .split(|c| !plain(c))
        .filter(|part| !part.is_empty())
        .collect();
    let mut name = parts.join("-");
    name.truncate(LONGEST);
    name
}

/// `name`, or the first of `name-2`, `name-3` and so on that `taken` does not know.
pub(crate) fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_usize..).map(|n| format!("{name}-{n}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// A table to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// File name without its ending.
    pub name: String,
    /// One line.
    pub title: String,
    /// What a reader has to know to read it right.
    pub note: String,
    /// Heads, left to right. The first column names the row.
    pub heads: Vec<Head>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<Cell>>,
}

impl View {
    /// A copy with its first `most` rows.
    #[must_use]
    pub fn cut(&self, most: usize) -> Self {
        Self {
            rows: self.rows.iter().take(most).cloned().collect(),
            ..self.clone()
        }
    }

    /// GitHub-flavoured markdown: best in bold, not significantly worse in italics (markdown has no
    /// underline). Rows beyond `most_bytes` are left out with a line that says so.
    pub fn markdown(&self, most_bytes: usize) -> String {
        let mut text = format!("### {}\n\n", self.title);
        if !self.note.is_empty() {
            let _ = writeln!(text, "{}\n", self.note);
        }
        if self.rows.is_empty() {
            text.push_str("Nothing to show.\n");
            return text;
        }
        let heads: Vec<String> = self
            .heads
            .iter()
            .map(|h| escape_markdown(&h.text))
            .collect();
        let rule: Vec<&str> = self
            .heads
            .iter()
            .map(|h| if h.numeric { "---:" } else { "---" })
            .collect();
        let _ = writeln!(text, "| {} |\n| {} |", heads.join(" | "), rule.join(" | "));
        for (place, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = row.iter().map(markdown_cell).collect();
            let line = format!("| {} |\n", cells.join(" | "));
            if text.len() + line.len() + 120 > most_bytes {
                let left = counterweight_plots::format::plural(self.rows.len() - place, "more row");
                let _ = writeln!(text, "\n{left} in `tables/{}.csv`.", self.name);
                return text;
            }
            text.push_str(&line);
        }
        text
    }

    /// A LaTeX table for `booktabs`: best in bold, not significantly worse underlined.
    pub fn latex(&self) -> String {
        let columns: String = self
            .heads
            .iter()
            .map(|h| if h.numeric { 'r' } else { 'l' })
            .collect();
        let heads: Vec<String> = self.heads.iter().map(|h| escape_latex(&h.text)).collect();
        let mut text =
            String::from("% needs \\usepackage{booktabs}\n\\begin{table}\n  \\centering\n");
        let note = plain(&self.note);
        let caption = if note.is_empty() {
            escape_latex(&self.title)
        } else {
            format!("{}. {}", escape_latex(&self.title), escape_latex(&note))
        };
        let _ = writeln!(text, "  \\caption{{{caption}}}");
        let _ = writeln!(text, "  \\label{{tab:{}}}", file_name(&self.name));
        let _ = writeln!(text, "  \\begin{{tabular}}{{@{{}}{columns}@{{}}}}");
        let _ = writeln!(
            text,
            "    \\toprule\n    {} \\\\\n    \\midrule",
            heads.join(" & ")
        );
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(latex_cell).collect();
            let _ = writeln!(text, "    {} \\\\", cells.join(" & "));
        }
        text.push_str("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
        text
    }
}

fn markdown_cell(cell: &Cell) -> String {
    if cell.text.is_empty() {
        return String::new();
    }
    let text = if cell.code {
        // A pipe ends a cell even inside backticks.
        let text = cell.text.replace(['\n', '\r'], " ");
        format!("`{}`", text.replace('|', "\\|").replace('`', "'"))
    } else {
        escape_markdown(&cell.text)
    };
    match cell.mark {
        Mark::Plain => text,
        Mark::Best => format!("**{text}**"),
        Mark::AmongBest => format!("_{text}_"),
        Mark::Worse => format!("{text}\\*"),
    }
}

fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '<' => escaped.extend(['\\', c]),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

fn latex_cell(cell: &Cell) -> String {
    let text = escape_latex(&cell.text);
    let text = if cell.sort.is_some() {
        text.replacen('-', "$-$", usize::from(text.starts_with('-')))
    } else if cell.code && !text.is_empty() {
        format!("\\texttt{{{text}}}")
    } else {
        text
    };
    match cell.mark {
        Mark::Plain => text,
        Mark::Best => format!("\\textbf{{{text}}}"),
        Mark::AmongBest => format!("\\underline{{{text}}}"),
        Mark::Worse => format!("{text}*"),
    }
}

fn escape_latex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            // A blank line would end the paragraph, and the table with it.
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let head = |text: &str, numeric| Head {
            text: text.to_owned(),
            numeric,
        };
        let mut view = View {
            name: "x_y".to_owned(),
            title: "A & B".to_owned(),
            note: "100 % of `it`".to_owned(),
            heads: vec![head("name", false), head("value", true)],
            rows: Vec::new(),
        };
        view.rows = vec![
            vec![
                Cell::code("a_b"),
                Cell::number(Some(-0.5), |v| format!("{v}")).marked(Mark::Best),
            ],
            vec![Cell::text("c|d"), Cell::number(None, |v| format!("{v}"))],
        ];
        view
    }

    #[test]
    fn names_of_files_fit_any_file_system() {
        assert_eq!(file_name("m[l1=0.5,l2=1]"), "m-l1-0-5-l2-1");
        assert_eq!(file_name(&"x=".repeat(300)).len(), 120);
    }

    #[test]
    fn markdown_keeps_its_columns_whatever_the_text() {
        let text = view().markdown(10_000);
        assert!(
            text.contains("| name | value |\n| --- | ---: |\n| `a_b` | **-0.5** |"),
            "{text}"
        );
        assert!(text.contains("| c\\|d |  |"), "{text}");
    }

    #[test]
    fn markdown_ends_before_its_limit_and_says_so() {
        let mut long = view();
        long.rows = vec![long.rows[0].clone(); 1000];
        let text = long.markdown(2_000);
        assert!(text.len() <= 2_000);
        assert!(text.ends_with("more rows in `tables/x_y.csv`.\n"), "{text}");
    }

    #[test]
    fn latex_escapes_and_marks() {
        let text = view().latex();
        assert!(text.contains("\\caption{A \\& B. 100 \\% of it}"), "{text}");
        assert!(
            text.contains("\\texttt{a\\_b} & \\textbf{$-$0.5} \\\\"),
            "{text}"
        );
        assert!(text.contains("\\begin{tabular}{@{}lr@{}}"));
    }
}
