//! Reports of made-up records, and their parts.

use counterweight_core::{Cells, Record, Table};
use counterweight_report::{ReportOutput, build};

use super::{Design, input, timings};

pub(crate) fn report(records: &[Record]) -> ReportOutput {
    build(&input(records, &timings(records))).unwrap()
}

pub(crate) fn table<'a>(report: &'a ReportOutput, name: &str) -> &'a Table {
    &report
        .tables
        .iter()
        .find(|(other, _)| other == name)
        .unwrap()
        .1
}

pub(crate) fn markdown<'a>(report: &'a ReportOutput, name: &str) -> &'a str {
    &report
        .markdown
        .iter()
        .find(|(other, _)| other == name)
        .unwrap()
        .1
}

pub(crate) fn texts(table: &Table, column: &str) -> Vec<String> {
    match table.column(column).unwrap() {
        Cells::Text(cells) => cells
            .iter()
            .map(|c| c.clone().unwrap_or_default())
            .collect(),
        other => panic!("{column} is {other:?}"),
    }
}

pub(crate) fn reals(table: &Table, column: &str) -> Vec<Option<f64>> {
    match table.column(column).unwrap() {
        Cells::Real(cells) => cells.clone(),
        other => panic!("{column} is {other:?}"),
    }
}

pub(crate) fn design(data: &[usize], models: &[usize], arms: &[usize]) -> Design {
    Design {
        data: data.to_vec(),
        models: models.to_vec(),
        arms: arms.to_vec(),
        ..Design::full()
    }
}
