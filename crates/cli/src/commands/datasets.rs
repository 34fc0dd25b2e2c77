//! `counterweight list datasets`: the tables of the library and the published tasks made of them.

use std::ops::RangeInclusive;
use std::path::Path;

use clap::{Args, ValueEnum};
use counterweight::{Error, Exit, Result};
use counterweight_frame::{Entry, Library};
use counterweight_harness::config::tasks::{Task, task, tasks};
use serde_json::{Value, json};

use crate::args::Format;

/// The collection of the tables themselves.
const TABLES: &str = "tables";

/// Which datasets are listed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Datasets only")]
pub(crate) struct DatasetFilter {
    /// With at least so many rows
    #[arg(long, value_name = "N")]
    min_rows: Option<u64>,
    /// With at most so many rows
    #[arg(long, value_name = "N")]
    max_rows: Option<u64>,
    /// With so many classes: a number, or two as 3..10, both inside
    #[arg(long, value_name = "K", value_parser = classes)]
    classes: Option<RangeInclusive<u64>>,
    /// With a largest over smallest class count of at least this
    #[arg(long, value_name = "R")]
    min_ratio: Option<f64>,
    /// With a largest over smallest class count of at most this
    #[arg(long, value_name = "R")]
    max_ratio: Option<f64>,
    /// With feature columns of this kind
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// Of this collection of tasks, such as keel, or `tables` for whole tables
    #[arg(long, value_name = "NAME", value_parser = collection)]
    collection: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// All numbers
    Numeric,
    /// All names
    Nominal,
    /// Both
    Mixed,
}

fn classes(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    match (least.parse(), most.parse()) {
        (Ok(least), Ok(most)) if least <= most => Ok(least..=most),
        _ => Err("give a number, or two as 3..10".to_owned()),
    }
}

fn collection(text: &str) -> Result<String, String> {
    let mut known: Vec<&str> = tasks().iter().map(|task| task.collection).collect();
    known.push(TABLES);
    known.dedup();
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("known: {}", known.join(", ")))
}

impl DatasetFilter {
    /// Whether any flag was given.
    pub(crate) fn is_given(&self) -> bool {
        let Self {
            min_rows,
            max_rows,
            classes,
            min_ratio,
            max_ratio,
            kind,
            collection,
        } = self;
        min_rows.or(*max_rows).is_some()
            || min_ratio.or(*max_ratio).is_some()
            || (classes.is_some() || kind.is_some() || collection.is_some())
    }

    fn wants(&self, row: &Row<'_>) -> bool {
        let kind = match (row.table.numeric, row.table.nominal) {
            (_, 0) => Kind::Numeric,
            (0, _) => Kind::Nominal,
            _ => Kind::Mixed,
        };
        self.min_rows.is_none_or(|least| row.rows >= least)
            && self.max_rows.is_none_or(|most| row.rows <= most)
            && (self.classes.as_ref()).is_none_or(|range| range.contains(&row.classes))
            && self.min_ratio.is_none_or(|least| row.ratio >= least)
            && self.max_ratio.is_none_or(|most| row.ratio <= most)
            && self.kind.is_none_or(|wanted| wanted == kind)
            && (self.collection.as_ref()).is_none_or(|wanted| wanted == row.collection())
    }
}

/// A table, or a task that is made of it.
struct Row<'a> {
    id: String,
    table: &'a Entry,
    task: Option<&'static Task>,
    rows: u64,
    classes: u64,
    ratio: f64,
}

impl<'a> Row<'a> {
    fn of_table(table: &'a Entry) -> Self {
        Self {
            id: table.name.clone(),
            table,
            task: None,
            rows: table.rows,
            classes: table.classes.len() as u64,
            ratio: table.imbalance_ratio,
        }
    }

    fn of_task(known: &'static Task, library: &'a Library) -> Option<Self> {
        let table = library.entry(known.table)?;
        // The name by which a sweep finds it: its own, unless a table or a collection before it has one so called.
        let short = library.entry(known.name).is_none() && task(known.name) == Some(known);
        let (few, many) = (known.positives, known.rows - known.positives);
        Some(Self {
            id: if short {
                known.name.to_owned()
            } else {
                known.full_name()
            },
            table,
            task: Some(known),
            rows: known.rows as u64,
            classes: 2,
            ratio: many.max(few) as f64 / many.min(few) as f64,
        })
    }

    fn collection(&self) -> &'static str {
        self.task.map_or(TABLES, |task| task.collection)
    }

    fn json(&self) -> Value {
        let table = self.table;
        let mut value = json!({
            "id": self.id,
            "rows": self.rows,
            "numeric": table.numeric,
            "nominal": table.nominal,
            "classes": self.classes,
            "imbalance_ratio": self.ratio,
            "cluster": table.cluster,
            "collection": self.collection(),
            "table": table.name,
            "source": table.source,
            "licence": table.licence,
        });
        let more = match self.task {
            Some(task) => json!({ "positive": task.positive, "negative": task.negative }),
            None => json!({ "missing_cells": table.missing_cells, "note": table.note }),
        };
        if let (Some(map), Value::Object(more)) = (value.as_object_mut(), more) {
            map.extend(more);
        }
        value
    }
}

pub(crate) fn list(filter: &DatasetFilter, format: Format) -> Result<Exit> {
    let library = counterweight::library(Path::new("."))?;
    let entries = library.names().into_iter();
    let entries = entries.filter_map(|name| library.entry(name));
    let mut rows: Vec<Row<'_>> = entries.map(Row::of_table).collect();
    rows.extend(
        tasks()
            .iter()
            .filter_map(|task| Row::of_task(task, &library)),
    );
    let all = rows.len();
    rows.retain(|row| filter.wants(row));
    if format == Format::Json {
        let items: Vec<Value> = rows.iter().map(Row::json).collect();
        let text = serde_json::to_string_pretty(&items)
            .map_err(|error| Error::internal(error.to_string()))?;
        println!("{text}");
    } else if !rows.is_empty() {
        print(&rows);
    }
    if rows.is_empty() {
        let message = format!("none of {all} datasets is like that");
        return Err(Error::new(Exit::NothingSelected, message));
    }
    Ok(Exit::Ok)
}

fn print(rows: &[Row<'_>]) {
    let width = |of: fn(&Row<'_>) -> usize, head: &str| {
        rows.iter().map(of).max().unwrap_or(0).max(head.len())
    };
    let id = width(|row| row.id.len(), "dataset");
    let cluster = width(|row| row.table.cluster.len(), "cluster");
    let collection = width(|row| row.collection().len(), "collection");
    println!(
        "{:<id$} {:>7} {:>4} {:>4} {:>3} {:>9}  {:<cluster$}  {:<collection$}  source (licence)",
        "dataset", "rows", "num", "nom", "K", "ratio", "cluster", "collection"
    );
    for row in rows {
        println!(
            "{:<id$} {:>7} {:>4} {:>4} {:>3} {:>9.2}  {:<cluster$}  {:<collection$}  {} ({})",
            row.id,
            row.rows,
            row.table.numeric,
            row.table.nominal,
            row.classes,
            row.ratio,
            row.table.cluster,
            row.collection(),
            row.table.source,
            row.table.licence
        );
    }
}
