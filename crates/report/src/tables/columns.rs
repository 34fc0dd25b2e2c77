//! A table, each of its columns declared once: its name in the files, the words over it, the value of a
//! row, and how people read that value.

use counterweight_core::{Cells, Table};

use super::Sheet;
use crate::analysis::Part;
use crate::error::{ReportError, Result};
use crate::view::{Cell, Head, Mark, View};

/// The columns of a table over its rows. What has a heading is read, what has a name stands in the
/// files; most columns have both.
pub(super) struct Columns<'a, R> {
    rows: &'a [R],
    files: Vec<(String, Cells)>,
    read: Vec<(Head, Vec<Cell>)>,
}

impl<'a, R> Columns<'a, R> {
    pub(super) fn of(rows: &'a [R]) -> Self {
        Self {
            rows,
            files: Vec::new(),
            read: Vec::new(),
        }
    }

    fn read(mut self, head: impl Into<String>, numeric: bool, cells: Vec<Cell>) -> Self {
        let text = head.into();
        self.read.push((Head { text, numeric }, cells));
        self
    }

    fn filed(mut self, key: &str, cells: Cells) -> Self {
        self.files.push((key.to_owned(), cells));
        self
    }

    /// Ids.
    pub(super) fn code<S: Into<String>>(
        self,
        key: &str,
        head: &str,
        get: impl Fn(&'a R) -> S,
    ) -> Self {
        self.file_text(key, &get).ids(head, get)
    }

    /// Words.
    pub(super) fn text<S: Into<String>>(
        self,
        key: &str,
        head: &str,
        get: impl Fn(&'a R) -> S,
    ) -> Self {
        self.file_text(key, &get).words(head, get)
    }

    /// Numbers, as `show` writes them.
    pub(super) fn real(
        self,
        key: &str,
        head: impl Into<String>,
        get: impl Fn(&'a R) -> Option<f64>,
        show: impl Fn(f64) -> String,
    ) -> Self {
        self.file_real(key, &get).number(head, get, show)
    }

    /// Counts.
    pub(super) fn count(self, key: &str, head: &str, get: impl Fn(&'a R) -> usize) -> Self {
        self.file_count(key, &get).number_of(head, get)
    }

    /// A mean with the ends of its interval in columns `KEY`, `KEY_low` and `KEY_high`; read as one.
    pub(super) fn part(
        self,
        key: &str,
        head: &str,
        get: impl Fn(&'a R) -> Option<Part>,
        show: impl Fn(f64) -> String,
    ) -> Self {
        let words = |part: Part| match part.interval {
            Some(i) => format!("{} [{}, {}]", show(part.mean), show(i.lower), show(i.upper)),
            None => show(part.mean),
        };
        self.number(head, |row| Some(get(row)?.mean), &show)
            .worded(|row| get(row).map(words).unwrap_or_default())
            .file_part(key, get)
    }

    /// The same for the files alone.
    pub(super) fn file_part(self, key: &str, get: impl Fn(&'a R) -> Option<Part>) -> Self {
        self.file_real(key, |row| Some(get(row)?.mean))
            .file_real(&format!("{key}_low"), |row| Some(get(row)?.interval?.lower))
            .file_real(&format!("{key}_high"), |row| {
                Some(get(row)?.interval?.upper)
            })
    }

    /// Ids that people read and the files leave out.
    pub(super) fn ids<S: Into<String>>(self, head: &str, get: impl Fn(&'a R) -> S) -> Self {
        let cells = self.rows.iter().map(|row| Cell::code(get(row))).collect();
        self.read(head, false, cells)
    }

    /// Counts that people read and the files leave out.
    pub(super) fn number_of(self, head: &str, get: impl Fn(&'a R) -> usize) -> Self {
        let cells = self.rows.iter().map(|row| Cell::count(get(row))).collect();
        self.read(head, true, cells)
    }

    /// Words that people read and the files leave out.
    pub(super) fn words<S: Into<String>>(self, head: &str, get: impl Fn(&'a R) -> S) -> Self {
        let cells = self.rows.iter().map(|row| Cell::text(get(row))).collect();
        self.read(head, false, cells)
    }

    /// Numbers that people read and the files leave out.
    pub(super) fn number(
        self,
        head: impl Into<String>,
        get: impl Fn(&'a R) -> Option<f64>,
        show: impl Fn(f64) -> String,
    ) -> Self {
        let cells = self.rows.iter().map(|row| Cell::number(get(row), &show));
        let cells = cells.collect();
        self.read(head, true, cells)
    }

    /// Words for the files alone.
    pub(super) fn file_text<S: Into<String>>(self, key: &str, get: impl Fn(&'a R) -> S) -> Self {
        let text = |row| Some(get(row).into()).filter(|text: &String| !text.is_empty());
        let cells = self.rows.iter().map(text).collect();
        self.filed(key, Cells::Text(cells))
    }

    /// Numbers for the files alone.
    pub(super) fn file_real(self, key: &str, get: impl Fn(&'a R) -> Option<f64>) -> Self {
        let cells = self.rows.iter().map(get).collect();
        self.filed(key, Cells::Real(cells))
    }

    /// Counts for the files alone.
    pub(super) fn file_count(self, key: &str, get: impl Fn(&'a R) -> usize) -> Self {
        let whole = |row| Some(i64::try_from(get(row)).unwrap_or(i64::MAX));
        let cells = self.rows.iter().map(whole).collect();
        self.filed(key, Cells::Whole(cells))
    }

    /// Marks the cells of the last column.
    pub(super) fn marked(self, mark: impl Fn(&'a R) -> Mark) -> Self {
        self.change(|row, cell| cell.mark = mark(row))
    }

    /// Other words for the cells of the last column, which sort as before.
    pub(super) fn worded(self, words: impl Fn(&'a R) -> String) -> Self {
        self.change(|row, cell| cell.text = words(row))
    }

    fn change(mut self, change: impl Fn(&'a R, &mut Cell)) -> Self {
        if let Some((_, cells)) = self.read.last_mut() {
            for (row, cell) in self.rows.iter().zip(cells) {
                change(row, cell);
            }
        }
        self
    }

    /// The table to be read, of the rows that `keep` wants.
    pub(super) fn view_of(
        &mut self,
        name: impl Into<String>,
        title: impl Into<String>,
        note: impl Into<String>,
        keep: impl Fn(&'a R) -> bool,
    ) -> View {
        let (heads, columns): (Vec<Head>, Vec<Vec<Cell>>) =
            std::mem::take(&mut self.read).into_iter().unzip();
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            let cells = columns.iter_mut().filter_map(Iterator::next).collect();
            if keep(row) {
                rows.push(cells);
            }
        }
        View {
            name: name.into(),
            title: title.into(),
            note: note.into(),
            heads,
            rows,
            cells: Vec::new(),
        }
    }

    /// The table to be read.
    pub(super) fn view(
        mut self,
        name: impl Into<String>,
        title: impl Into<String>,
        note: impl Into<String>,
    ) -> View {
        self.view_of(name, title, note, |_| true)
    }

    /// The table in both forms.
    pub(super) fn sheet(
        mut self,
        name: &str,
        title: impl Into<String>,
        note: impl Into<String>,
    ) -> Result<Sheet> {
        let view = self.view_of(name, title, note, |_| true);
        self.files(name, vec![view])
    }

    /// The numbers, beside views that were made otherwise.
    pub(super) fn files(self, name: &str, views: Vec<View>) -> Result<Sheet> {
        let mut table = Table::new();
        for (column, cells) in self.files {
            table = table
                .with(column, cells)
                .map_err(|source| ReportError::Table {
                    table: name.to_owned(),
                    source,
                })?;
        }
        Ok(Sheet {
            name: name.to_owned(),
            table,
            views,
        })
    }
}
