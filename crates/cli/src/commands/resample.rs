//! `counterweight data resample`: a resampler as a tool.

use std::path::Path;

use counterweight::{CATALOGUE, Error, Exit, Result};
use counterweight_core::catalogue::describe_counts;
use counterweight_core::{
    Cells, Column, ColumnKind, ColumnValues, Dataset, Deadline, MISSING, Matrix, Origin, Partition,
    Resampler, ResamplerCaps, Samples, Seed, Shared, SmallClass, StageContext, StageError, Table,
    Train,
};
use counterweight_frame::{ReadOptions, dataset_table, read_in_order, write_plain_table};
use counterweight_harness::config;
use counterweight_harness::config::method::Built;
use counterweight_harness::plan::resampler_for;

use crate::args::{ResampleArgs, SmallClassArg};

/// The name of the last column.
const ORIGIN: &str = "origin";

pub(crate) fn resample(args: &ResampleArgs) -> Result<Exit> {
    let asked = method(&args.with)?;
    writable(&args.output)?;
    if same_file(&args.file, &args.output) {
        return Err(Error::usage(format!(
            "{}: the output would overwrite the input",
            args.output.display()
        ))
        .hint("give --output another name"));
    }
    let options = ReadOptions {
        missing: args.missing.clone(),
        ..ReadOptions::target(&args.target)
    };
    let (data, order) = read_in_order(&args.file, &options)?;
    if order.iter().any(|name| name == ORIGIN) {
        return Err(Error::usage(format!(
            "{}: there is a column `{ORIGIN}` already, the name of the column that is added",
            args.file.display()
        ))
        .hint("rename it first"));
    }
    let nominal = |column: &Column| matches!(column.values, ColumnValues::Nominal { .. });
    let any = data.columns().iter().any(nominal);
    let all = any && data.columns().iter().all(nominal);
    let built = resampler_for(&asked, (any, all), &CATALOGUE).map_err(Error::usage)?;
    if built.entry.card.id != asked.entry.card.id {
        eprintln!(
            "note: {} in place of {}, for the nominal columns",
            built.entry.card.id, asked.entry.card.id
        );
    }
    let train = train(&data)?;
    let shared = Shared::default();
    let stream = Seed(args.seed)
        .stage("resample")
        .text(&built.canonical())
        .open();
    let policy = match args.small_class {
        SmallClassArg::Clamp => SmallClass::Clamp,
        SmallClassArg::Error => SmallClass::Error,
        SmallClassArg::Skip => SmallClass::Skip,
    };
    let mut context = StageContext::new(stream, policy, Deadline::NEVER, &shared);
    let after = built
        .method
        .resample(&train, &mut context)
        .map_err(|error| failure(&error, &built, &data))?;
    for note in &context.notes {
        eprintln!("note: {}", note.text());
    }
    let table = table(&data, &order, &args.target, &after)
        .map_err(|error| Error::internal(error.to_string()))?;
    write_plain_table(&table, &args.output)?;
    let names = data.labels().names();
    println!(
        "{}: {} rows ({}) to {} ({}), in {}",
        built.canonical(),
        data.n_rows(),
        describe_counts(names, &train.counts()),
        after.samples().n_rows(),
        describe_counts(names, &after.counts()),
        args.output.display()
    );
    Ok(Exit::Ok)
}

fn method(text: &str) -> Result<Built<ResamplerCaps, dyn Resampler>> {
    let built = config::resampler(text, "--with", &CATALOGUE).map_err(|list| {
        for diagnostic in &list {
            eprintln!("error: {diagnostic}");
        }
        let count = list.len();
        let plural = if count == 1 { "" } else { "s" };
        Error::usage(format!(
            "--with has {count} error{plural}; nothing was done"
        ))
    })?;
    if built.entry.caps.minibatches {
        let id = built.entry.card.id;
        return Err(Error::usage(format!(
            "`{id}` changes how a learner draws its minibatches, not the rows of a file"
        )));
    }
    Ok(built)
}

/// Says what is wrong with the output's name before any work is done.
fn writable(output: &Path) -> Result<()> {
    let extension = output
        .extension()
        .map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv" | "parquet") => Ok(()),
        _ => Err(Error::usage(format!(
            "{}: the output's kind is told by its extension",
            output.display()
        ))
        .hint("end it in .csv, .tsv or .parquet")),
    }
}

/// Whether both names are one file, by links too.
fn same_file(input: &Path, output: &Path) -> bool {
    input == output
        || matches!((input.canonicalize(), output.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// All rows as they are: numbers as numbers, levels as codes, missing values as NaN.
fn train(data: &Dataset) -> Result<Train> {
    let columns = data.columns();
    let x = Matrix::from_fn(data.n_rows(), columns.len(), |row, at| {
        match &columns[at].values {
            ColumnValues::Numeric(values) => values[row],
            ColumnValues::Nominal { codes, .. } if codes[row] == MISSING => f64::NAN,
            ColumnValues::Nominal { codes, .. } => f64::from(codes[row]),
        }
    });
    let kinds = columns.iter().map(|column| match &column.values {
        ColumnValues::Numeric(_) => ColumnKind::Numeric,
        ColumnValues::Nominal { levels, .. } => ColumnKind::Nominal {
            levels: levels.len(),
        },
    });
    let n = data.n_rows();
    let origins = (0..n).map(Origin::Row).collect();
    let internal = |error: counterweight_core::CoreError| Error::internal(error.to_string());
    let samples = Samples::new(x, kinds.collect(), data.labels().clone(), origins);
    let all = Partition::new(n, (0..n).collect(), Vec::new()).map_err(internal)?;
    let (train, _) = all
        .cut_samples(&samples.map_err(internal)?)
        .map_err(internal)?;
    Ok(train)
}

fn failure(
    error: &StageError,
    built: &Built<ResamplerCaps, dyn Resampler>,
    data: &Dataset,
) -> Error {
    let id = built.entry.card.id;
    let mut failure = Error::usage(format!("{id}: {error}; nothing was written"));
    if let StageError::Skipped(_) = error {
        failure.exit = Exit::NothingSelected;
        return failure.hint("--small-class clamp reduces the parameter instead");
    }
    let missing = data.columns().iter().find_map(|column| {
        let at = match &column.values {
            ColumnValues::Numeric(values) => values.iter().position(|value| value.is_nan()),
            ColumnValues::Nominal { codes, .. } => codes.iter().position(|&code| code == MISSING),
        };
        at.map(|row| (&column.name, column.values.missing(), row))
    });
    if let Some((name, cells, row)) = missing {
        failure.message = format!(
            "{id} measures distances and column `{name}` misses {cells} of its values, the first in \
             row {row} (from 0); nothing was written"
        );
        return failure.hint(
            "fill or drop them first; random-over and random-under copy rows with missing values",
        );
    }
    failure
}

/// The rows with their columns in the file's order, and where each comes from.
fn table(
    data: &Dataset,
    order: &[String],
    target: &str,
    after: &Train,
) -> counterweight_core::error::Result<Table> {
    let samples = after.samples();
    let columns = data
        .columns()
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = samples.x().column(at);
            let values = match &column.values {
                ColumnValues::Numeric(_) => ColumnValues::Numeric(cells),
                ColumnValues::Nominal { levels, .. } => ColumnValues::Nominal {
                    codes: cells
                        .into_iter()
                        .map(|cell| code(cell, levels.len()))
                        .collect(),
                    levels: levels.clone(),
                },
            };
            Column {
                name: column.name.clone(),
                values,
            }
        })
        .collect();
    let resampled = dataset_table(&Dataset::new(columns, samples.y().clone())?, target)?;
    let mut table = Table::new();
    for name in order {
        if let Some(cells) = resampled.column(name) {
            let cells = if name == target {
                numbers(cells)
            } else {
                cells.clone()
            };
            table = table.with(name, cells)?;
        }
    }
    let made = |origin: &Origin| matches!(origin, Origin::Synthetic { .. });
    let origins = samples.origins();
    let cells = if origins.iter().any(made) {
        let text = origins.iter().map(|origin| match origin {
            Origin::Row(row) => row.to_string(),
            Origin::Synthetic { base, neighbour } => format!("{base}:{neighbour}"),
        });
        Cells::Text(text.map(Some).collect())
    } else {
        let rows = origins.iter().map(|origin| match origin {
            Origin::Row(row) | Origin::Synthetic { base: row, .. } => i64::try_from(*row).ok(),
        });
        Cells::Whole(rows.collect())
    };
    table.with(ORIGIN, cells)
}

/// The code that a cell holds; what is no code was missing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "codes were made from 32-bit numbers, and NaN is told apart first"
)]
fn code(cell: f64, levels: usize) -> u32 {
    if cell.is_nan() || cell < 0.0 || cell >= levels as f64 {
        MISSING
    } else {
        cell as u32
    }
}

/// Class names that are whole numbers as those, so that a Parquet file keeps its kind of column.
fn numbers(cells: &Cells) -> Cells {
    let Cells::Text(names) = cells else {
        return cells.clone();
    };
    let whole: Option<Vec<Option<i64>>> = names
        .iter()
        .map(|name| {
            let name = name.as_deref()?;
            let value: i64 = name.parse().ok()?;
            (value.to_string() == name).then_some(Some(value))
        })
        .collect();
    whole.map_or_else(|| cells.clone(), Cells::Whole)
}
