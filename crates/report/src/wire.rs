//! Records, timings and details as tables and back: the only place that knows the columns of
//! records.parquet.
//!
//! The columns of the contract come first, in the contract's order; further columns follow (metrics
//! that the contract does not name, the `_raw` metrics, class counts). A reader takes every column
//! of numbers that it does not know for a metric, so that a record survives the trip through a table of
//! a later version. What is missing is an empty cell, never a NaN and never a zero.
//!
//! Details are long (cell, key, value), because every method has keys of its own.

use std::collections::BTreeSet;

use counterweight_core::{Catalogue, CellId, Cells, Name, Numbers, Outcome, Record, Table, Timing};

use crate::error::{ReportError, Result};

/// The metrics among the contract's columns, in the contract's order.
pub const METRIC_COLUMNS: [&str; 17] = [
    "balanced_error",
    "error_rate",
    "worst_recall",
    "g_mean",
    "macro_f1",
    "mcc",
    "kappa",
    "auroc",
    "average_precision",
    "brier",
    "log_loss",
    "ece",
    "calibration_intercept",
    "calibration_slope",
    "many_recall",
    "medium_recall",
    "few_recall",
];

/// Columns that are not metrics.
const OTHER_COLUMNS: [&str; 27] = [
    "cell",
    "dataset",
    "source",
    "n_train",
    "n_test",
    "n_features",
    "n_classes",
    "profile",
    "requested_ratio",
    "imbalance_ratio",
    "minority_count",
    "repeat",
    "fold",
    "model",
    "model_params",
    "correction",
    "family",
    "resample",
    "loss",
    "decide",
    "outcome",
    "reason",
    "bayes_balanced_error",
    "regret",
    "recalls",
    "test_counts",
    "train_counts",
];

/// The column of a metric: metric ids may be written with hyphens, columns never are.
pub(crate) fn metric_column(id: &str) -> String {
    id.replace('-', "_")
}

/// Columns of metrics beyond the contract's: those of the catalogue in its order, their `_raw`
/// forms, then whatever else the records hold, by name.
fn further_metrics(records: &[Record], catalogue: &Catalogue) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let mut add = |column: String| {
        if !METRIC_COLUMNS.contains(&column.as_str()) && !columns.contains(&column) {
            columns.push(column);
        }
    };
    for entry in catalogue.metrics {
        add(metric_column(entry.card.id));
    }
    for entry in catalogue.metrics.iter().filter(|entry| entry.caps.also_raw) {
        add(format!("{}_raw", metric_column(entry.card.id)));
    }
    let found: BTreeSet<&str> = records
        .iter()
        .flat_map(|record| record.metrics.keys())
        .map(Name::as_str)
        .collect();
    for key in found {
        add(key.to_owned());
    }
    columns
}

/// Builds a table column by column, keeping the table's name for errors.
struct Builder {
    name: &'static str,
    table: Table,
}

impl Builder {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            table: Table::new(),
        }
    }

    fn add(&mut self, column: &str, cells: Cells) -> Result<()> {
        let table = std::mem::take(&mut self.table);
        self.table = table
            .with(column, cells)
            .map_err(|source| ReportError::Table {
                table: self.name.to_owned(),
                source,
            })?;
        Ok(())
    }

    fn text<'a>(
        &mut self,
        column: &str,
        cells: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<()> {
        self.add(
            column,
            Cells::Text(cells.map(|cell| cell.map(str::to_owned)).collect()),
        )
    }

    fn owned(&mut self, column: &str, cells: impl Iterator<Item = Option<String>>) -> Result<()> {
        self.add(column, Cells::Text(cells.collect()))
    }

    fn real(&mut self, column: &str, cells: impl Iterator<Item = Option<f64>>) -> Result<()> {
        self.add(column, Cells::Real(cells.collect()))
    }

    fn whole(&mut self, column: &str, cells: impl Iterator<Item = u64>) -> Result<()> {
        let cells = cells
            .enumerate()
            .map(|(row, n)| {
                i64::try_from(n)
                    .map(Some)
                    .map_err(|_too_large| ReportError::Cell {
                        table: self.name,
                        row,
                        column: column.to_owned(),
                        value: n.to_string(),
                        expected: "below 2^63",
                    })
            })
            .collect::<Result<Vec<_>>>()?;
        self.add(column, Cells::Whole(cells))
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn join<T>(items: &[T], text: impl Fn(&T) -> String) -> Option<String> {
    if items.is_empty() {
        return None;
    }
    Some(items.iter().map(text).collect::<Vec<_>>().join(";"))
}

/// The records as a table with the contract's columns, in the contract's order and in the order of
/// the records, and further columns after them.
///
/// # Errors
/// [`ReportError::Table`] for a number that is not finite, [`ReportError::Cell`] for a count of
/// 2^63 or more.
pub fn records_table(records: &[Record], catalogue: &Catalogue) -> Result<Table> {
    let mut table = Builder::new("records");
    let rows = || records.iter();
    table.text("cell", rows().map(|r| Some(r.cell.0.as_str())))?;
    table.text("dataset", rows().map(|r| Some(r.dataset.as_str())))?;
    table.text("source", rows().map(|r| Some(r.source.as_str())))?;
    table.whole("n_train", rows().map(|r| r.n_train))?;
    table.whole("n_test", rows().map(|r| r.n_test))?;
    table.whole("n_features", rows().map(|r| r.n_features))?;
    table.whole("n_classes", rows().map(|r| r.n_classes))?;
    table.text("profile", rows().map(|r| Some(r.profile.as_str())))?;
    table.real("requested_ratio", rows().map(|r| r.requested_ratio))?;
    table.real("imbalance_ratio", rows().map(|r| r.imbalance_ratio))?;
    table.whole("minority_count", rows().map(|r| r.minority_count))?;
    table.whole("repeat", rows().map(|r| r.repeat))?;
    table.whole("fold", rows().map(|r| r.fold))?;
    table.text("model", rows().map(|r| Some(r.model.as_str())))?;
    table.text("model_params", rows().map(|r| non_empty(&r.model_params)))?;
    table.text("correction", rows().map(|r| Some(r.correction.as_str())))?;
    table.text("family", rows().map(|r| Some(r.family.as_str())))?;
    table.text("resample", rows().map(|r| Some(r.resample.as_str())))?;
    table.text("loss", rows().map(|r| Some(r.loss.as_str())))?;
    table.text("decide", rows().map(|r| Some(r.decide.as_str())))?;
    table.text("outcome", rows().map(|r| Some(r.outcome.id())))?;
    table.text("reason", rows().map(|r| non_empty(&r.reason)))?;
    for column in METRIC_COLUMNS {
        table.real(column, rows().map(|r| r.metrics.get(column).copied()))?;
    }
    table.real(
        "bayes_balanced_error",
        rows().map(|r| r.bayes_balanced_error),
    )?;
    table.real("regret", rows().map(Record::regret))?;
    let recall = |recall: &Option<f64>| recall.map_or_else(String::new, |r| r.to_string());
    table.owned("recalls", rows().map(|r| join(&r.recalls, recall)))?;
    for column in further_metrics(records, catalogue) {
        table.real(&column, rows().map(|r| r.metrics.get(&column).copied()))?;
    }
    table.owned(
        "test_counts",
        rows().map(|r| join(&r.test_counts, u64::to_string)),
    )?;
    table.owned(
        "train_counts",
        rows().map(|r| join(&r.train_counts, u64::to_string)),
    )?;
    Ok(table.table)
}

/// A table being read: typed access to columns and cells with errors that name both.
pub(crate) struct Reader<'a> {
    pub(crate) name: &'static str,
    pub(crate) table: &'a Table,
}

impl<'a> Reader<'a> {
    fn column(&self, column: &str) -> Result<&'a Cells> {
        self.table
            .column(column)
            .ok_or_else(|| self.wrong(column, "nothing found"))
    }

    fn wrong(&self, column: &str, reason: &'static str) -> ReportError {
        ReportError::Column {
            table: self.name,
            column: column.to_owned(),
            reason,
        }
    }

    fn bad(&self, row: usize, column: &str, value: &str, expected: &'static str) -> ReportError {
        ReportError::Cell {
            table: self.name,
            row,
            column: column.to_owned(),
            value: value.to_owned(),
            expected,
        }
    }

    /// Text cells; a column without any value may have come back from csv as another type.
    fn text(&self, column: &str) -> Result<Vec<Option<String>>> {
        match self.column(column)? {
            Cells::Text(cells) => Ok(cells.clone()),
            // `recalls` of a single class or an id of digits only: csv readers guess types.
            Cells::Whole(cells) => Ok(cells
                .iter()
                .map(|cell| cell.map(|n| n.to_string()))
                .collect()),
            Cells::Real(cells) if cells.iter().all(Option::is_none) => Ok(vec![None; cells.len()]),
            Cells::Real(_) => Err(self.wrong(column, "numbers instead of text")),
        }
    }

    /// Text cells whose texts recur; an empty cell is the empty text where `optional`.
    pub(crate) fn names(&self, column: &str, optional: bool) -> Result<Vec<Name>> {
        let mut last = Name::default();
        let cells = self.text(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| {
                let text = match &cell {
                    Some(text) => text.as_str(),
                    None if optional => "",
                    None => return Err(self.bad(row, column, "", "text")),
                };
                // Neighbouring rows mostly say the same, which saves the search for the name.
                if last != *text {
                    last = Name::from(text);
                }
                Ok(last.clone())
            })
            .collect()
    }

    pub(crate) fn required_text(&self, column: &str) -> Result<Vec<String>> {
        let cells = self.text(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| cell.ok_or_else(|| self.bad(row, column, "", "text")))
            .collect()
    }

    pub(crate) fn real(&self, column: &str) -> Result<Vec<Option<f64>>> {
        match self.column(column)? {
            Cells::Real(cells) => Ok(cells.clone()),
            // A column of whole-valued reals may have been guessed to be whole by a csv reader.
            Cells::Whole(cells) => Ok(cells.iter().map(|cell| cell.map(|n| n as f64)).collect()),
            Cells::Text(cells) if cells.iter().all(Option::is_none) => Ok(vec![None; cells.len()]),
            Cells::Text(_) => Err(self.wrong(column, "text instead of numbers")),
        }
    }

    pub(crate) fn required_real(&self, column: &str) -> Result<Vec<f64>> {
        let cells = self.real(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| cell.ok_or_else(|| self.bad(row, column, "", "a number")))
            .collect()
    }

    pub(crate) fn whole(&self, column: &str) -> Result<Vec<u64>> {
        let Cells::Whole(cells) = self.column(column)? else {
            return Err(self.wrong(column, "something other than whole numbers"));
        };
        let cells = cells.iter().enumerate();
        cells
            .map(|(row, cell)| {
                let value = cell.map_or_else(String::new, |n| n.to_string());
                cell.and_then(|n| u64::try_from(n).ok())
                    .ok_or_else(|| self.bad(row, column, &value, "a count"))
            })
            .collect()
    }

    /// Lists joined by `;`; an empty cell is an empty list.
    fn lists<T>(
        &self,
        column: &str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Vec<T>>> {
        let cells = self.text(column)?.into_iter().enumerate();
        cells
            .map(|(row, cell)| {
                let Some(text) = cell else {
                    return Ok(Vec::new());
                };
                text.split(';')
                    .map(|item| parse(item).ok_or_else(|| self.bad(row, column, &text, expected)))
                    .collect()
            })
            .collect()
    }
}

/// The records of a table written by [`records_table`]: the same in every field but `details`, which
/// live in a table of their own ([`attach_details`]).
///
/// # Errors
/// [`ReportError::Column`] for a column that is missing or of another type, [`ReportError::Cell`]
/// for a cell that does not say what its column holds.
pub fn records_from_table(table: &Table) -> Result<Vec<Record>> {
    let reader = Reader {
        name: "records",
        table,
    };
    let mut columns: Vec<(Name, Vec<Option<f64>>)> = Vec::new();
    for (column, cells) in table.columns() {
        // A csv reader may take a column of whole-valued reals for whole numbers.
        let number = matches!(cells, Cells::Real(_) | Cells::Whole(_));
        let known = METRIC_COLUMNS.contains(&column.as_str());
        if known || (number && !OTHER_COLUMNS.contains(&column.as_str())) {
            columns.push((column.into(), reader.real(column)?));
        }
    }
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    let mut metrics = (0..table.n_rows()).map(|row| {
        let found = columns.iter().filter_map(|(name, cells)| {
            let value = cells.get(row).copied().flatten()?;
            Some((name, value))
        });
        found.collect::<Numbers>()
    });
    let mut cell = reader.required_text("cell")?.into_iter();
    let names = |column: &str| reader.names(column, false).map(Vec::into_iter);
    let (mut dataset, mut source) = (names("dataset")?, names("source")?);
    let (mut profile, mut model, mut correction) =
        (names("profile")?, names("model")?, names("correction")?);
    let (mut family, mut resample, mut loss, mut decide) = (
        names("family")?,
        names("resample")?,
        names("loss")?,
        names("decide")?,
    );
    let outcome = names("outcome")?;
    let optional = |column: &str| reader.names(column, true).map(Vec::into_iter);
    let (mut model_params, mut reason) = (optional("model_params")?, optional("reason")?);
    let wholes = |column: &str| reader.whole(column).map(Vec::into_iter);
    let (mut n_train, mut n_test) = (wholes("n_train")?, wholes("n_test")?);
    let (mut n_features, mut n_classes) = (wholes("n_features")?, wholes("n_classes")?);
    let (mut minority, mut repeat, mut fold) = (
        wholes("minority_count")?,
        wholes("repeat")?,
        wholes("fold")?,
    );
    let reals = |column: &str| reader.real(column).map(Vec::into_iter);
    let (mut requested, mut realised) = (reals("requested_ratio")?, reals("imbalance_ratio")?);
    let mut bayes = reals("bayes_balanced_error")?;
    let mut recalls = reader
        .lists("recalls", "numbers joined by `;`", |item| {
            if item.is_empty() {
                Some(None)
            } else {
                item.parse().ok().map(Some)
            }
        })?
        .into_iter();
    let counts = |column: &str| {
        let lists = reader.lists(column, "counts joined by `;`", |item| item.parse().ok());
        lists.map(Vec::into_iter)
    };
    let (mut test_counts, mut train_counts) = (counts("test_counts")?, counts("train_counts")?);
    let mut records = Vec::with_capacity(table.n_rows());
    for (row, outcome) in outcome.enumerate() {
        // Every column of a table has the same length, so no iterator ends before another.
        let record = (|| {
            Some(Record {
                cell: CellId(cell.next()?),
                dataset: dataset.next()?,
                source: source.next()?,
                n_train: n_train.next()?,
                n_test: n_test.next()?,
                n_features: n_features.next()?,
                n_classes: n_classes.next()?,
                profile: profile.next()?,
                requested_ratio: requested.next()?,
                imbalance_ratio: realised.next()?,
                minority_count: minority.next()?,
                repeat: repeat.next()?,
                fold: fold.next()?,
                model: model.next()?,
                model_params: model_params.next()?,
                correction: correction.next()?,
                family: family.next()?,
                resample: resample.next()?,
                loss: loss.next()?,
                decide: decide.next()?,
                outcome: Outcome::Ok,
                reason: reason.next()?,
                metrics: metrics.next()?,
                bayes_balanced_error: bayes.next()?,
                recalls: recalls.next()?,
                test_counts: test_counts.next()?,
                train_counts: train_counts.next()?,
                details: Numbers::new(),
            })
        })();
        let known = Outcome::from_id(&outcome);
        let (Some(mut record), Some(known)) = (record, known) else {
            return Err(reader.bad(row, "outcome", &outcome, "an outcome"));
        };
        record.outcome = known;
        records.push(record);
    }
    Ok(records)
}

/// The timings as a table: cell and seconds of each stage.
///
/// # Errors
/// [`ReportError::Table`] for a number that is not finite.
pub fn timings_table(timings: &[Timing]) -> Result<Table> {
    let mut table = Builder::new("timings");
    let rows = || timings.iter();
    table.text("cell", rows().map(|t| Some(t.cell.0.as_str())))?;
    table.real("resample_seconds", rows().map(|t| Some(t.resample_seconds)))?;
    table.real("fit_seconds", rows().map(|t| Some(t.fit_seconds)))?;
    table.real("score_seconds", rows().map(|t| Some(t.score_seconds)))?;
    table.real("crossfit_seconds", rows().map(|t| Some(t.crossfit_seconds)))?;
    table.real("decide_seconds", rows().map(|t| Some(t.decide_seconds)))?;
    Ok(table.table)
}

/// The timings of a table written by [`timings_table`].
///
/// # Errors
/// As [`records_from_table`].
pub fn timings_from_table(table: &Table) -> Result<Vec<Timing>> {
    let reader = Reader {
        name: "timings",
        table,
    };
    let cells = reader.required_text("cell")?;
    let resample = reader.required_real("resample_seconds")?;
    let fit = reader.required_real("fit_seconds")?;
    let score = reader.required_real("score_seconds")?;
    let crossfit = reader.required_real("crossfit_seconds")?;
    let decide = reader.required_real("decide_seconds")?;
    let seconds = resample
        .into_iter()
        .zip(fit)
        .zip(score)
        .zip(crossfit)
        .zip(decide);
    Ok(cells
        .into_iter()
        .zip(seconds)
        .map(
            |(cell, ((((resample, fit), score), crossfit), decide))| Timing {
                cell: CellId(cell),
                resample_seconds: resample,
                fit_seconds: fit,
                score_seconds: score,
                crossfit_seconds: crossfit,
                decide_seconds: decide,
            },
        )
        .collect())
}

/// The details of the records, one row a cell and key, in the order of the records and then by key.
///
/// # Errors
/// [`ReportError::Table`] for a number that is not finite.
pub fn details_table(records: &[Record]) -> Result<Table> {
    let mut table = Builder::new("details");
    let rows = || {
        records
            .iter()
            .flat_map(|r| r.details.iter().map(move |(key, value)| (r, key, *value)))
    };
    table.text("cell", rows().map(|(r, _, _)| Some(r.cell.0.as_str())))?;
    table.text("key", rows().map(|(_, key, _)| Some(key.as_str())))?;
    table.real("value", rows().map(|(_, _, value)| Some(value)))?;
    Ok(table.table)
}

/// Where each cell's record stands, for tables that come in parts.
#[derive(Clone, Debug)]
pub struct Places {
    /// Indices of the records, sorted by cell.
    by_cell: Vec<usize>,
}

impl Places {
    /// Of these records.
    #[must_use]
    pub fn of(records: &[Record]) -> Self {
        let mut by_cell: Vec<usize> = (0..records.len()).collect();
        by_cell.sort_by(|&a, &b| records[a].cell.cmp(&records[b].cell));
        Self { by_cell }
    }

    fn find(&self, records: &[Record], cell: &str) -> Option<usize> {
        let at = self
            .by_cell
            .binary_search_by(|&at| records[at].cell.0.as_str().cmp(cell));
        self.by_cell.get(at.ok()?).copied()
    }

    /// Puts the details of a table written by [`details_table`], or a part of it, back into the
    /// records that these are the places of; rows of cells that are not among the records are left
    /// out, and their number is returned.
    ///
    /// # Errors
    /// As [`records_from_table`].
    pub fn attach(&self, records: &mut [Record], table: &Table) -> Result<usize> {
        let reader = Reader {
            name: "details",
            table,
        };
        let cells = reader.required_text("cell")?;
        let keys = reader.names("key", false)?;
        let values = reader.required_real("value")?;
        let mut orphans = 0;
        let mut at = 0;
        while let Some(cell) = cells.get(at) {
            // The details of a cell stand together, though a part may end among them.
            let end = at
                + cells[at..]
                    .iter()
                    .take_while(|other| *other == cell)
                    .count();
            match self.find(records, cell).and_then(|at| records.get_mut(at)) {
                Some(record) => {
                    let known = record.details.iter().map(|(key, value)| (key, *value));
                    let new = keys[at..end].iter().zip(values[at..end].iter().copied());
                    record.details = known.chain(new).collect();
                }
                None => orphans += end - at,
            }
            at = end;
        }
        Ok(orphans)
    }
}

/// As [`Places::attach`], for a table in one piece.
///
/// # Errors
/// As [`records_from_table`].
pub fn attach_details(records: &mut [Record], table: &Table) -> Result<usize> {
    Places::of(records).attach(records, table)
}
