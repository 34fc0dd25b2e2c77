//! `counterweight data inspect` and `data verify`.

use std::path::Path;

use counterweight::{Error, Exit, Result};
use counterweight_core::groups::count_groups;
use counterweight_core::{Cells, Table};
use counterweight_frame::{ReadOptions, describe_counted, read_counted};
use serde_json::{Map, Value, json};

use crate::args::Format;
use crate::reading::ContrastArgs;

pub(crate) fn inspect(
    file: &Path,
    options: &ReadOptions,
    contrast: &ContrastArgs,
    format: Format,
) -> Result<Exit> {
    let (data, wholes) = read_counted(file, options)?;
    let data = match &options.group {
        Some(column) => data
            .grouped_by(column)
            .map_err(|error| Error::usage(error.to_string()))?,
        None => data,
    };
    let data = match &options.weight {
        Some(column) => {
            let weighted = data.weighted_by(column);
            weighted.map_err(|error| Error::usage(error.to_string()))?.0
        }
        None => data,
    };
    let (data, _) = contrast.apply(data)?;
    let weights = data.weighs();
    let groups = data.groups().map(|groups| count_groups(groups));
    let about = describe_counted(&data, &wholes);
    if format == Format::Json {
        let value = json!({
            "rows": about.rows,
            "numeric": about.numeric,
            "nominal": about.nominal,
            "missing_cells": about.missing_cells,
            "rows_with_missing": about.rows_with_missing,
            "imbalance_ratio": about.imbalance_ratio,
            "groups": groups,
            "weights": weights.map(|(sum, effective)| json!({ "sum": sum, "effective_rows": effective })),
            "duplicate_rows": about.duplicate_rows,
            "conflicting_rows": about.conflicting_rows,
            "constant_columns": about.constant_columns,
            "classes": rows(&about.classes),
            "columns": rows(&about.columns),
            "warnings": about.warnings,
            "sha256": data.content_hash().hex(),
        });
        let text = serde_json::to_string_pretty(&value)
            .map_err(|error| Error::internal(error.to_string()))?;
        println!("{text}");
        return Ok(Exit::Ok);
    }
    println!(
        "{} rows, {} numeric and {} nominal columns, {} missing cells in {} rows",
        about.rows, about.numeric, about.nominal, about.missing_cells, about.rows_with_missing
    );
    let ratio = about
        .imbalance_ratio
        .map_or_else(|| "none".into(), |r| format!("{r:.2}"));
    println!(
        "imbalance ratio {ratio}, {} duplicate rows, {} rows with the features of another class",
        about.duplicate_rows, about.conflicting_rows
    );
    if let (Some(groups), Some(column)) = (groups, &options.group) {
        println!(
            "{groups} groups of `{}`, which is no feature",
            plain(column)
        );
    }
    if let (Some((sum, effective)), Some(column)) = (weights, &options.weight) {
        println!(
            "the rows weigh {sum:.6} by `{}`, which is no feature: as much as {effective:.1} equal ones",
            plain(column)
        );
    }
    println!();
    print_table(&about.classes);
    println!();
    print_table(&about.columns);
    for warning in &about.warnings {
        println!("warning: {}", plain(warning));
    }
    Ok(Exit::Ok)
}

pub(crate) fn verify(format: Format) -> Result<Exit> {
    let library = counterweight::library(Path::new("."))?;
    let sets = library.verify().into_iter();
    let sets: Vec<(String, Vec<String>)> = sets.map(|v| (v.name, v.problems)).collect();
    let tasks = counterweight::verify_tasks(&library);
    if format == Format::Json {
        let items: Vec<Value> = (sets.iter().chain(&tasks))
            .map(|(id, problems)| json!({ "id": id, "ok": problems.is_empty(), "problems": problems }))
            .collect();
        let text = serde_json::to_string_pretty(&items)
            .map_err(|error| Error::internal(error.to_string()))?;
        println!("{text}");
    }
    let mut bad = Vec::new();
    for (checked, noun) in [
        (&sets, "datasets agree with the index"),
        (&tasks, "tasks have the rows that they were published with"),
    ] {
        let wrong = checked.iter().filter(|(_, problems)| !problems.is_empty());
        let wrong: Vec<&(String, Vec<String>)> = wrong.collect();
        let all = checked.len();
        if format == Format::Text {
            for (id, problems) in &wrong {
                println!("{id}: {}", problems.join("; "));
            }
            println!("{} of {all} {noun}", all - wrong.len());
        }
        if !wrong.is_empty() {
            bad.push(wrong.len());
        }
    }
    let bad: usize = bad.into_iter().sum();
    if bad > 0 {
        return Err(
            Error::usage(format!("{bad} datasets do not agree with the index"))
                .hint("restore the files of datasets/ from the repository"),
        );
    }
    Ok(Exit::Ok)
}

fn shown(cells: &Cells, row: usize) -> String {
    match cells {
        Cells::Text(values) => values[row].clone().unwrap_or_default(),
        Cells::Whole(values) => values[row].map_or_else(String::new, |v| v.to_string()),
        Cells::Flag(values) => values[row].map_or_else(String::new, |v| v.to_string()),
        Cells::Real(values) => values[row].map_or_else(String::new, |v| {
            if v.fract() == 0.0 && v.abs() < 1e15 {
                format!("{v}")
            } else {
                format!("{v:.4}")
            }
        }),
    }
}

/// Most letters of a cell: names and levels may have millions.
const WIDEST: usize = 60;

/// A text that breaks no line: what controls a terminal is written out.
fn plain(text: &str) -> String {
    let one = |c: char| -> String {
        if c.is_control() {
            c.escape_default().collect()
        } else {
            c.into()
        }
    };
    text.chars().map(one).collect()
}

fn short(text: &str) -> String {
    let text = plain(text);
    match text.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

fn print_table(table: &Table) {
    let columns: Vec<(&String, Vec<String>)> = table
        .columns()
        .iter()
        .map(|(name, cells)| {
            let cells = (0..table.n_rows()).map(|row| short(&shown(cells, row)));
            (name, cells.collect())
        })
        .collect();
    let widths: Vec<usize> = columns
        .iter()
        .map(|(name, cells)| {
            cells
                .iter()
                .map(|cell| cell.chars().count())
                .chain([name.chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"))
            .collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(columns.iter().map(|(name, _)| name.as_str()).collect());
    for row in 0..table.n_rows() {
        line(
            columns
                .iter()
                .map(|(_, cells)| cells[row].as_str())
                .collect(),
        );
    }
}

fn rows(table: &Table) -> Vec<Value> {
    (0..table.n_rows())
        .map(|row| {
            let mut map = Map::new();
            for (name, cells) in table.columns() {
                let value = match cells {
                    Cells::Text(values) => json!(values[row]),
                    Cells::Whole(values) => json!(values[row]),
                    Cells::Flag(values) => json!(values[row]),
                    Cells::Real(values) => json!(values[row]),
                };
                map.insert(name.clone(), value);
            }
            Value::Object(map)
        })
        .collect()
}
