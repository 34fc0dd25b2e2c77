//! Records as a table of [`COLUMNS`] and back.
//!
//! The columns of the contract come first, in the contract's order; further columns follow (metrics
//! that the contract does not name, the `_raw` metrics, class counts, kinds and entries of the stages, and
//! one typed column a parameter that the sweep varies, called `ROLE.NAME`). A reader takes every other
//! column of numbers that it does not know for a metric, so that a record survives the trip through a
//! table of a later version. What is missing is an empty cell, never a NaN and never a zero.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use counterweight_core::stages::Stages;
use counterweight_core::{
    Catalogue, CellId, Cells, Name, Numbers, Outcome, Record, Role, Scalar, Table,
};

use crate::columns::{Access, COLUMNS, METRIC_COLUMNS};
use crate::table::{Builder, Reader, Result, non_empty};

/// The role and name of a parameter's column.
fn parameter(column: &str) -> Option<(Role, &str)> {
    let (role, name) = column.split_once('.')?;
    let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
    Some((role, name))
}

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

/// The cells of a parameter: of the type that all its values have in common.
fn parameter_cells(records: &[Record], role: Role, name: &str) -> Cells {
    let values = || records.iter().map(|r| r.stages.value(role, name));
    let all = |good: fn(&Scalar) -> bool| values().flatten().all(good);
    if all(|v| matches!(v, Scalar::Flag(_))) {
        let flag = |value: &Scalar| matches!(value, Scalar::Flag(true));
        Cells::Flag(values().map(|v| v.map(flag)).collect())
    } else if all(|v| matches!(v, Scalar::Whole(_))) {
        let whole = |value: &Scalar| match value {
            Scalar::Whole(whole) => Some(*whole),
            _ => None,
        };
        Cells::Whole(values().map(|v| v.and_then(whole)).collect())
    } else if all(|v| v.as_real().is_some()) {
        Cells::Real(values().map(|v| v.and_then(Scalar::as_real)).collect())
    } else {
        Cells::Text(values().map(|v| v.map(ToString::to_string)).collect())
    }
}

/// The records as a table of [`COLUMNS`], in the order of the records.
///
/// # Errors
/// [`TableError::Build`](crate::TableError::Build) for a number that is not finite,
/// [`TableError::Cell`](crate::TableError::Cell) for a count of 2^63 or more.
pub fn records_table(records: &[Record], catalogue: &Catalogue) -> Result<Table> {
    let mut table = Builder::new("records");
    let rows = || records.iter();
    for column in COLUMNS {
        match column.access {
            Access::Name { get, empty, .. } => {
                let cell = |r| Some(get(r)).filter(|text| !empty || !text.is_empty());
                table.text(column.name, rows().map(cell))?;
            }
            Access::Text { get, .. } => table.owned(column.name, rows().map(get))?,
            Access::Real { get, .. } => table.real(column.name, rows().map(get))?,
            Access::Whole { get, .. } => table.whole(column.name, rows().map(get))?,
            Access::Stage { get, .. } => {
                let cells = rows().map(|r| non_empty(get(&r.stages)));
                table.text(column.name, cells)?;
            }
            Access::ContractMetrics => {
                for column in METRIC_COLUMNS {
                    table.real(column, rows().map(|r| r.metrics.get(column).copied()))?;
                }
            }
            Access::FurtherMetrics => {
                for column in further_metrics(records, catalogue) {
                    table.real(&column, rows().map(|r| r.metrics.get(&column).copied()))?;
                }
            }
            Access::Parameters => {
                let mut found: BTreeSet<(Role, &str)> = BTreeSet::new();
                let mut last: Option<&Arc<Stages>> = None;
                for record in records {
                    // Neighbours mostly share their stages.
                    if last.is_some_and(|last| Arc::ptr_eq(last, &record.stages)) {
                        continue;
                    }
                    last = Some(&record.stages);
                    for role in Role::ALL {
                        let names = record.stages.get(role).params.keys();
                        found.extend(names.map(|name| (role, name.as_str())));
                    }
                }
                for (role, name) in found {
                    let cells = parameter_cells(records, role, name);
                    table.add(&role.column(name), cells)?;
                }
            }
        }
    }
    Ok(table.finish())
}

fn blank() -> Record {
    Record {
        cell: CellId(String::new()),
        dataset: Name::default(),
        source: Name::default(),
        n_train: 0,
        n_test: 0,
        n_features: 0,
        n_classes: 0,
        profile: Name::default(),
        requested_ratio: None,
        imbalance_ratio: None,
        minority_count: 0,
        repeat: 0,
        fold: 0,
        model: Name::default(),
        model_params: Name::default(),
        correction: Name::default(),
        family: Name::default(),
        resample: Name::default(),
        loss: Name::default(),
        decide: Name::default(),
        outcome: Outcome::Ok,
        reason: Name::default(),
        metrics: Numbers::new(),
        bayes_balanced_error: None,
        recalls: Vec::new(),
        test_counts: Vec::new(),
        train_counts: Vec::new(),
        details: Numbers::new(),
        stages: Arc::default(),
    }
}

/// Puts a name into its place.
type SetName = fn(&mut Stages, Name);

/// The columns of a table that declare what cells are made of.
struct StageColumns<'a> {
    names: Vec<(SetName, Vec<Name>)>,
    parameters: Vec<(Role, &'a str, &'a Cells)>,
}

impl StageColumns<'_> {
    fn stages(&self, row: usize) -> Stages {
        let mut stages = Stages::default();
        for (set, names) in &self.names {
            set(&mut stages, names[row].clone());
        }
        for (role, name, cells) in &self.parameters {
            let value = match cells {
                Cells::Flag(cells) => cells[row].map(Scalar::Flag),
                Cells::Whole(cells) => cells[row].map(Scalar::Whole),
                Cells::Real(cells) => cells[row].map(Scalar::Real),
                Cells::Text(cells) => cells[row].as_ref().map(|text| Scalar::Text(text.into())),
            };
            if let Some(value) = value {
                let params = &mut stages.get_mut(*role).params;
                params.insert((*name).to_owned(), value);
            }
        }
        stages
    }
}

/// The records of a table written by [`records_table`]: the same in every field but `details`, which
/// live in a table of their own ([`attach_details`](crate::attach_details)).
///
/// # Errors
/// [`TableError::Column`](crate::TableError::Column) for a column that is missing or of another type,
/// [`TableError::Cell`](crate::TableError::Cell) for a cell that does not say what its column holds.
pub fn records_from_table(table: &Table) -> Result<Vec<Record>> {
    let reader = Reader {
        name: "records",
        table,
    };
    let mut records = vec![blank(); table.n_rows()];
    let mut columns = StageColumns {
        names: Vec::new(),
        parameters: Vec::new(),
    };
    for column in COLUMNS {
        let name = column.name;
        match column.access {
            Access::Name { set, empty, .. } => {
                for (record, value) in records.iter_mut().zip(reader.names(name, empty)?) {
                    set(record, value);
                }
            }
            Access::Text {
                set,
                expected,
                empty,
                ..
            } => {
                let cells = reader.text(name)?.into_iter().enumerate();
                for (record, (row, cell)) in records.iter_mut().zip(cells) {
                    let text = cell.as_deref().unwrap_or_default();
                    let given = empty || cell.is_some();
                    if !given || !set(record, text) {
                        let expected = if given { expected } else { "text" };
                        return Err(reader.bad(row, name, text, expected));
                    }
                }
            }
            Access::Real { set, .. } => {
                for (record, value) in records.iter_mut().zip(reader.real(name)?) {
                    set(record, value);
                }
            }
            Access::Whole { set, .. } => {
                for (record, value) in records.iter_mut().zip(reader.whole(name)?) {
                    set(record, value);
                }
            }
            // Tables of earlier versions have no stages, and are read for all else.
            Access::Stage { set, .. } if table.column(name).is_some() => {
                columns.names.push((set, reader.names(name, true)?));
            }
            Access::Stage { .. }
            | Access::ContractMetrics
            | Access::FurtherMetrics
            | Access::Parameters => {}
        }
    }
    let mut metrics: Vec<(Name, Vec<Option<f64>>)> = Vec::new();
    for (name, cells) in table.columns() {
        // A csv reader may take a column of whole-valued reals for whole numbers.
        let number = matches!(cells, Cells::Real(_) | Cells::Whole(_));
        let declared = COLUMNS.iter().any(|c| c.is_single() && c.name == name);
        if let Some((role, name)) = parameter(name) {
            columns.parameters.push((role, name, cells));
        } else if METRIC_COLUMNS.contains(&name.as_str()) || (number && !declared) {
            metrics.push((name.into(), reader.real(name)?));
        }
    }
    metrics.sort_by(|a, b| a.0.cmp(&b.0));
    // One copy of the stages for all records of one model, correction and dataset.
    let mut shared: BTreeMap<[Name; 4], Arc<Stages>> = BTreeMap::new();
    for (row, record) in records.iter_mut().enumerate() {
        let found = metrics.iter().filter_map(|(name, cells)| {
            let value = cells.get(row).copied().flatten()?;
            Some((name, value))
        });
        record.metrics = found.collect();
        let key = [
            &record.dataset,
            &record.model,
            &record.correction,
            &record.resample,
        ];
        let stages = shared.entry(key.map(Clone::clone));
        let stages = stages.or_insert_with(|| Arc::new(columns.stages(row)));
        record.stages = Arc::clone(stages);
    }
    Ok(records)
}
