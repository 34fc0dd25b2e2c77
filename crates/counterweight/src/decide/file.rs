//! Scores from a file: one column of probabilities a class, beside whatever else stands there.

use std::path::Path;

use counterweight_core::{Cells, Labels, Matrix, Scores, Table, nearest};
use counterweight_frame::{FrameError, ReadOptions, read_cells};

use crate::exit::{Error, Result};

/// Probabilities of a row have to sum to 1 within this.
const SUM: f64 = 1e-6;

/// What the columns of probabilities begin with.
const PREFIX: &str = "p_";

/// A file of scores.
pub(super) struct ScoresFile {
    name: String,
    binary: bool,
    label: String,
    /// Every column, as it stands there.
    pub(super) table: Table,
    /// The names behind `p_`, in the order of the columns.
    given: Vec<String>,
}

impl ScoresFile {
    pub(super) fn read(path: &Path, label: &str) -> Result<Self> {
        let with = |column: &str| read_cells(path, &ReadOptions::target(column.to_owned()));
        let table = match with(label) {
            // Rows to decide need no label; the reader wants some column.
            Err(FrameError::NoColumn { columns, .. }) if !columns.is_empty() => with(&columns[0]),
            read => read,
        };
        let table = table.map_err(|error| {
            let mut error = Error::from(error);
            // How a file is read cannot be said here.
            error.hint = error.hint.filter(|hint| !hint.contains("--"));
            error
        })?;
        let name = path.display().to_string();
        let given: Vec<String> = table
            .columns()
            .iter()
            .filter_map(|(column, _)| column.strip_prefix(PREFIX).map(str::to_owned))
            .collect();
        if given.is_empty() {
            return Err(Error::usage(format!("{name}: no column of probabilities"))
                .hint("name them p_CLASS, one a class, such as p_no and p_yes; of two classes one is enough"));
        }
        if table.n_rows() == 0 {
            return Err(Error::usage(format!("{name}: no rows")));
        }
        Ok(Self {
            binary: name.to_lowercase().ends_with(".parquet"),
            name,
            label: label.to_owned(),
            table,
            given,
        })
    }

    /// Where a row stands in the file; the header of a text file is line 1.
    fn place(&self, row: usize) -> String {
        if self.binary {
            format!("{}: row {row}", self.name)
        } else {
            format!("{}:{}", self.name, row + 2)
        }
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.table.column(column).is_some()
    }

    /// The cells of a column as texts.
    fn texts(&self, column: &str) -> Result<Vec<Option<String>>> {
        fn plain<T: ToString>(cells: &[Option<T>]) -> Vec<Option<String>> {
            cells
                .iter()
                .map(|cell| cell.as_ref().map(ToString::to_string))
                .collect()
        }
        Ok(match self.column(column)? {
            Cells::Text(cells) => cells.clone(),
            Cells::Whole(cells) => plain(cells),
            Cells::Real(cells) => plain(cells),
            Cells::Flag(cells) => plain(cells),
        })
    }

    fn column(&self, column: &str) -> Result<&Cells> {
        self.table.column(column).ok_or_else(|| {
            let names = || self.table.columns().iter().map(|(name, _)| name.as_str());
            let error = Error::usage(format!("{}: no column `{column}`", self.name));
            error.hint(match nearest(column, names()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => format!("the columns are {}", names().collect::<Vec<_>>().join(", ")),
            })
        })
    }

    /// A number in each row of a column.
    pub(super) fn numbers(&self, column: &str) -> Result<Vec<f64>> {
        let texts = self.texts(column)?;
        let number = |(row, text): (usize, Option<String>)| {
            let text = text.unwrap_or_default();
            let value = text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
            value.ok_or_else(|| {
                let place = self.place(row);
                let words = if text.trim().is_empty() {
                    format!("{place}: nothing in column `{column}`")
                } else {
                    format!("{place}: `{text}` in column `{column}` is no finite number")
                };
                Error::usage(words).hint("every row needs one")
            })
        };
        texts.into_iter().enumerate().map(number).collect()
    }

    /// The labels, one a row.
    pub(super) fn labels(&self) -> Result<Vec<String>> {
        let texts = self.texts(&self.label)?;
        let named = |(row, text): (usize, Option<String>)| {
            text.filter(|text| !text.trim().is_empty()).ok_or_else(|| {
                Error::usage(format!(
                    "{}: nothing in column `{}`",
                    self.place(row),
                    self.label
                ))
                .hint("rows without a known class belong to the other file")
            })
        };
        texts.into_iter().enumerate().map(named).collect()
    }

    /// The classes in order, from the labels of this file: those that its columns name, or those that the labels name
    /// where the columns count from 0.
    pub(super) fn classes(&self, labels: &[String]) -> Result<Vec<String>> {
        let seen = Labels::from_texts(labels);
        let seen = seen.names();
        let given = &self.given;
        let known = |class: &String| given.contains(class);
        if given.len() == 1
            && seen.len() == 2
            && (known(&seen[0]) || known(&seen[1]) || given[0] == "1")
        {
            return Ok(seen.to_vec());
        }
        if given.len() > 1 && seen.iter().all(known) {
            return Ok(Labels::from_texts(given).names().to_vec());
        }
        if self.counted() && given.len() > 1 && given.len() == seen.len() {
            return Ok(seen.to_vec());
        }
        let columns = given.iter().map(|name| format!("{PREFIX}{name}"));
        Err(Error::usage(format!(
            "{}: the columns {} are not of the classes {}",
            self.name,
            columns.collect::<Vec<_>>().join(", "),
            seen.join(", ")
        ))
        .hint("name them p_CLASS for each class of the labels, or p_0, p_1, .. in class order; of two classes one is enough"))
    }

    /// Whether the columns are `p_0`, `p_1`, .., for classes in order.
    fn counted(&self) -> bool {
        let mut names = self.given.iter().enumerate();
        names.all(|(k, name)| *name == k.to_string())
    }

    /// The scores, a column a class in that order.
    pub(super) fn scores(&self, classes: &[String]) -> Result<Scores> {
        let k = classes.len();
        let columns: Vec<Vec<f64>> = self
            .given
            .iter()
            .map(|name| self.numbers(&format!("{PREFIX}{name}")))
            .collect::<Result<_>>()?;
        let places: Vec<Option<usize>> = classes
            .iter()
            .map(|class| self.given.iter().position(|name| name == class))
            .collect();
        let one = self.given.len() == 1 && k == 2;
        let by_name = if one {
            places != [None; 2]
        } else {
            !places.contains(&None)
        };
        if !one && (self.given.len() != k || !by_name && !self.counted()) {
            return Err(Error::usage(format!(
                "{}: the columns of probabilities are not one for each of {}",
                self.name,
                classes.join(", ")
            ))
            .hint("both files need the same columns"));
        }
        let of = |row: usize, class: usize| match places[class] {
            Some(at) if by_name => columns[at][row],
            _ if one && (by_name || class == 0) => 1.0 - columns[0][row],
            _ if one => columns[0][row],
            _ => columns[class][row],
        };
        let mut p = Matrix::from_fn(self.table.n_rows(), k, of);
        for row in 0..p.rows() {
            let values = p.row_mut(row);
            let sum: f64 = values.iter().sum();
            let sound = values.iter().all(|v| (-SUM..=1.0 + SUM).contains(v));
            if !sound || (sum - 1.0).abs() > SUM {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                return Err(Error::usage(format!(
                    "{}: {} are no probabilities that sum to 1 within 1e-6",
                    self.place(row),
                    values.join(", ")
                ))
                .hint(
                    "for margins or counts, fit a calibration first; for logits, take their softmax",
                ));
            }
            for value in values {
                *value = value.clamp(0.0, 1.0);
            }
        }
        Scores::probabilities(p).map_err(|error| Error::usage(format!("{}: {error}", self.name)))
    }

    /// The columns that are neither probabilities nor what is about to be written.
    pub(super) fn others(self, written: &[String]) -> Vec<(String, Cells)> {
        let kept = self.table.into_columns().into_iter();
        kept.filter(|(name, _)| !name.starts_with(PREFIX) && !written.contains(name))
            .collect()
    }
}
