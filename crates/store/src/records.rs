//! Records as a table and back: the only place that knows the columns of records.parquet.
//!
//! The columns of the contract come first, in the contract's order; further columns follow (metrics
//! that the contract does not name, the `_raw` metrics, class counts). A reader takes every column
//! of numbers that it does not know for a metric, so that a record survives the trip through a table of
//! a later version. What is missing is an empty cell, never a NaN and never a zero.

use std::collections::BTreeSet;

use counterweight_core::{Catalogue, CellId, Cells, Name, Numbers, Outcome, Record, Table};

use crate::table::{Builder, Reader, Result, join, non_empty};

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
pub fn metric_column(id: &str) -> String {
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

/// The records as a table with the contract's columns, in the contract's order and in the order of
/// the records, and further columns after them.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite, [`TableError::Cell`](crate::TableError::Cell) for a count of
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
    Ok(table.finish())
}

/// The records of a table written by [`records_table`]: the same in every field but `details`, which
/// live in a table of their own ([`attach_details`](crate::attach_details)).
///
/// # Errors
/// [`TableError::Column`](crate::TableError::Column) for a column that is missing or of another type, [`TableError::Cell`](crate::TableError::Cell)
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
