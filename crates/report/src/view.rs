//! A table as people read it: text with a sort key and a mark, from which markdown, LaTeX and the
//! page are made. The numbers behind it stand in a [`Table`](counterweight_core::Table) of their own.

use std::fmt::Write as _;

use crate::findings::plain;
use crate::page::minus;

/// How a cell stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Not at all.
    #[default]
    Plain,
    /// The best: bold.
    Best,
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
#[derive(Debug, Clone, PartialEq, Default)]
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
    /// For each row the id of a cell behind it, or nothing.
    pub cells: Vec<String>,
}

impl View {
    /// A copy with its first `most` rows.
    #[must_use]
    pub fn cut(&self, most: usize) -> Self {
        Self {
            rows: self.rows.iter().take(most).cloned().collect(),
            cells: self.cells.iter().take(most).cloned().collect(),
            ..self.clone()
        }
    }

    /// GitHub-flavoured markdown. Rows beyond `most_bytes` are left out with a line that says so.
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

    /// LaTeX for `booktabs` and `longtable`, at most as wide as a page of `article`: one table, or one a model
    /// where the first column names it, each with the model's id. Columns at the right for which there is no
    /// room are left out, and a comment says so.
    pub fn latex(&self) -> Vec<(Option<String>, String)> {
        let by_model = self.heads.first().is_some_and(|head| head.text == "model");
        if !by_model {
            return vec![(
                None,
                self.longtable(&self.rows.iter().collect::<Vec<_>>(), 0, None),
            )];
        }
        let mut models: Vec<(&str, Vec<&Vec<Cell>>)> = Vec::new();
        for row in &self.rows {
            let model = row.first().map_or("", |cell| cell.text.as_str());
            match models.iter_mut().find(|(own, _)| *own == model) {
                Some((_, rows)) => rows.push(row),
                None => models.push((model, vec![row])),
            }
        }
        let table = |(model, rows): (&str, Vec<&Vec<Cell>>)| {
            (
                Some(model.to_owned()),
                self.longtable(&rows, 1, Some(model)),
            )
        };
        models.into_iter().map(table).collect()
    }

    fn longtable(&self, rows: &[&Vec<Cell>], from: usize, model: Option<&str>) -> String {
        /// Characters of 7 points across the text of `article`, at letter size and 10 points.
        const ROOM: usize = 84;
        let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
        // A value and its interval are two columns, so that decimals stand below each other.
        let split = |column: usize| cells(column).any(|cell| cell.text.contains(" ["));
        let width = |column: usize, head: &Head| {
            let longest = cells(column).map(|cell| cell.text.chars().count()).max();
            // A head may break between its words.
            let word = head.text.split(' ').map(str::len).max().unwrap_or(0);
            longest.unwrap_or(0).max(word) + 2
        };
        let mut left = ROOM;
        let mut kept = Vec::new();
        for (column, head) in self.heads.iter().enumerate().skip(from) {
            let needed = width(column, head);
            let empty = cells(column).all(|cell| cell.text.is_empty());
            if needed <= left && !empty {
                left -= needed;
                kept.push((column, head));
            }
        }
        let columns: String = kept
            .iter()
            .map(|(column, head)| match (split(*column), head.numeric) {
                (true, _) => "r@{~}l",
                (false, true) => "r",
                (false, false) => "l",
            })
            .collect();
        let heads: Vec<String> = kept
            .iter()
            .map(|(column, head)| {
                let words = escape_latex(&head.text).replace(' ', "\\\\");
                let place = if head.numeric { 'r' } else { 'l' };
                let text = format!("\\shortstack[{place}]{{{words}}}");
                if split(*column) {
                    format!("\\multicolumn{{2}}{{c}}{{{text}}}")
                } else {
                    text
                }
            })
            .collect();
        let heads = heads.join(" & ");
        let whose = model.map_or_else(String::new, |model| {
            format!(": \\texttt{{{}}}", escape_latex(model))
        });
        let label = file_name(&format!("{} {}", self.name, model.unwrap_or_default()));
        let mut text = String::from("% needs \\usepackage{booktabs,longtable}\n");
        let gone = self.heads.len() - from - kept.len();
        if gone > 0 {
            let _ = writeln!(
                text,
                "% {gone} of the columns, without values or without room, are in tables/{}.csv",
                self.name
            );
        }
        let _ = writeln!(
            text,
            "{{\\scriptsize\\setlength{{\\tabcolsep}}{{3pt}}\\setlength{{\\LTcapwidth}}{{\\linewidth}}\n\\begin{{longtable}}{{@{{}}{columns}@{{}}}}\n  \
             \\caption{{{}{whose}. {}}}\\label{{tab:{label}}}\\\\\n  \\toprule {heads} \\\\ \\midrule \\endfirsthead\n  \
             \\toprule {heads} \\\\ \\midrule \\endhead\n  \\bottomrule \\endfoot",
            escape_latex(&self.title),
            escape_latex(&plain(&self.note)),
        );
        for row in rows {
            let cells: Vec<String> = kept
                .iter()
                .map(|(column, _)| {
                    let cell = row.get(*column).cloned().unwrap_or_default();
                    match (split(*column), cell.text.split_once(" [")) {
                        (false, _) => latex_cell(&cell),
                        (true, Some((value, interval))) => {
                            format!("{} & {}", signs(value), signs(&format!("[{interval}")))
                        }
                        (true, None) => format!("{} &", latex_cell(&cell)),
                    }
                })
                .collect();
            let _ = writeln!(text, "  {} \\\\", cells.join(" & "));
        }
        text.push_str("\\end{longtable}}\n");
        text
    }
}

/// Text with true minus signs before numbers; a bracket that opens a line of a table is no option of the
/// line break before it.
fn signs(text: &str) -> String {
    let signed = minus(text).replace('\u{2212}', "\u{1}");
    let escaped = escape_latex(&signed).replace('\u{1}', "$-$");
    if escaped.starts_with('[') {
        format!("{{}}{escaped}")
    } else {
        escaped
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
    let text = if cell.code && !cell.text.is_empty() {
        format!("\\texttt{{{}}}", escape_latex(&cell.text))
    } else {
        signs(&cell.text)
    };
    match cell.mark {
        Mark::Plain => text,
        Mark::Best => format!("\\textbf{{{text}}}"),
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
            cells: Vec::new(),
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
    fn latex_escapes_marks_and_fits() {
        let mut own = view();
        own.rows.push(vec![
            Cell::text("["),
            Cell::number(Some(5.2), |_| "+5.2 [-0.1, 9.0]".into()),
        ]);
        let tables = own.latex();
        let (model, text) = &tables[0];
        assert_eq!(*model, None);
        assert!(text.contains("\\caption{A \\& B. 100 \\% of it}"), "{text}");
        assert!(
            text.contains("\\texttt{a\\_b} & \\textbf{$-$0.5} & \\\\")
                || text.contains("\\texttt{a\\_b} & \\textbf{$-$0.5} &"),
            "{text}"
        );
        assert!(text.contains("{}[ & +5.2 & {}[$-$0.1, 9.0]"), "{text}");
        assert!(text.contains("\\begin{longtable}{@{}lr@{~}l@{}}"), "{text}");
        let mut wide = view();
        wide.heads[0].text = "model".into();
        wide.rows[0].push(Cell::text("x".repeat(100)));
        wide.heads.push(Head {
            text: "long".into(),
            numeric: false,
        });
        let tables = wide.latex();
        assert_eq!(tables.len(), 2);
        assert_eq!(tables[0].0.as_deref(), Some("a_b"));
        assert!(
            tables[0].1.contains("% 1 of the columns"),
            "{}",
            tables[0].1
        );
        assert!(!tables[0].1.contains("xxx"));
    }
}
