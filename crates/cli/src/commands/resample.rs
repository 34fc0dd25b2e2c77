//! `counterweight data resample`: a resampler as a tool.

use std::collections::HashMap;
use std::path::Path;

use counterweight::{CATALOGUE, Error, Exit, Result};
use counterweight_core::catalogue::describe_counts;
use counterweight_core::{
    Cells, Column, ColumnKind, ColumnValues, Dataset, Deadline, MISSING, Matrix, Origin, Partition,
    Resampler, ResamplerCaps, Samples, Seed, Shared, SmallClass, StageContext, StageError, Table,
    Train,
};
use counterweight_data::preprocess::{Encoder, Fill, fill};
use counterweight_frame::{plain_real, read_cells, read_dataset, write_plain_table};
use counterweight_harness::config;
use counterweight_harness::config::method::Built;
use counterweight_harness::plan::resampler_for;

use crate::args::{ImputeArg, ResampleArgs, SmallClassArg};

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
    let mut options = args.reading.options(&args.target);
    options.group.clone_from(&args.group);
    let (read, rows) = args.contrast.apply(read_dataset(&args.file, &options)?)?;
    let internal = |error: counterweight_core::CoreError| Error::internal(error.to_string());
    let read = match &args.group {
        Some(column) => read
            .grouped_by(column)
            .map_err(|error| Error::usage(error.to_string()))?,
        None => read,
    };
    let filled = match args.impute {
        Some(ImputeArg::Median) => Some(fill(&read, Fill::Median).map_err(internal)?),
        Some(ImputeArg::Mean) => Some(fill(&read, Fill::Mean).map_err(internal)?),
        None => None,
    };
    let data = filled.as_ref().unwrap_or(&read);
    let cells = read_cells(&args.file, &options)?;
    if cells.column(ORIGIN).is_some() {
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
    let train = train(data)?;
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
    let encoder = Encoder::fit(train.samples());
    let encode = |samples: &Samples| encoder.apply(samples);
    let after = CATALOGUE
        .resample(&*built.method, &train, &encode, &mut context)
        .map_err(|error| failure(&error, &built, data))?;
    for note in &context.notes {
        eprintln!("note: {}", note.text());
    }
    let as_text = !extension_is(&args.output, "parquet");
    let table = Resampled {
        data,
        read: filled.is_some().then_some(&read),
        rows: rows.as_deref(),
        relabelled: args.contrast.asked().is_some(),
        target: &args.target,
        comma: options.comma,
        after: &after,
    }
    .table(cells, as_text)
    .map_err(internal)?;
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
    let known = ["csv", "tsv", "parquet"];
    if known.iter().any(|kind| extension_is(output, kind)) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "{}: the output's kind is told by its extension",
        output.display()
    ))
    .hint("end it in .csv, .tsv or .parquet"))
}

fn extension_is(path: &Path, kind: &str) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(kind))
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
    Ok(train.with_groups(data.groups().cloned()))
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
            "--impute fills them; random-over and random-under copy rows with missing values",
        );
    }
    failure
}

/// Rows that were resampled, with the file's own cells in those that it had.
struct Resampled<'a> {
    data: &'a Dataset,
    /// What `data` was before missing values were filled, where they were.
    read: Option<&'a Dataset>,
    /// The rows of the file that `data` holds; `None` for all.
    rows: Option<&'a [usize]>,
    /// Whether the labels are those of a task that is made of the file's classes.
    relabelled: bool,
    target: &'a str,
    /// Whether a comma stands before the decimals of the file.
    comma: bool,
    after: &'a Train,
}

impl Resampled<'_> {
    /// The columns of the file, in its order, and where each row comes from.
    fn table(&self, cells: Table, as_text: bool) -> counterweight_core::error::Result<Table> {
        let features = self.data.columns().iter().enumerate();
        let features: HashMap<&str, usize> = features.map(|(at, c)| (&*c.name, at)).collect();
        let mut table = Table::new();
        for (name, cells) in cells.into_columns() {
            let feature = features.get(name.as_str()).copied();
            let feature = feature.filter(|_| name != self.target);
            let mut texts = self.texts(&cells, (feature, name != self.target));
            let cells = if as_text {
                Cells::Text(texts)
            } else {
                let number = |at: usize| self.after.samples().kinds()[at] == ColumnKind::Numeric;
                if let Some(at) = feature {
                    self.blank(&mut texts, at);
                    if self.comma && number(at) {
                        for text in texts.iter_mut().flatten() {
                            *text = text.replacen(',', ".", 1);
                        }
                    }
                }
                typed(texts, &cells, feature.map(number))
            };
            table = table.with(name, cells)?;
        }
        table.with(ORIGIN, self.origins())
    }

    /// Whether the cell of a row was missing and has been filled.
    fn is_filled(&self, row: usize, feature: Option<usize>) -> bool {
        let before = self.read.zip(feature);
        before.is_some_and(|(read, at)| is_missing(&read.columns()[at].values, row))
    }

    /// A column as text: the file's own cells, and what was made between two rows. One that is neither a feature nor
    /// the target (`aside`) says something of the row itself, which a new row takes over from the one it starts from.
    fn texts(&self, cells: &Cells, (feature, aside): (Option<usize>, bool)) -> Vec<Option<String>> {
        let samples = self.after.samples();
        let labels = samples.y();
        let made = |row: usize| match feature {
            None => Some(labels.names()[labels.ids()[row] as usize].clone()),
            Some(at) => {
                let value = samples.x().row(row)[at];
                match &self.data.columns()[at].values {
                    ColumnValues::Numeric(_) => (!value.is_nan()).then(|| {
                        let text = plain_real(value);
                        if self.comma {
                            text.replacen('.', ",", 1)
                        } else {
                            text
                        }
                    }),
                    ColumnValues::Nominal { levels, .. } => {
                        levels.get(code(value, levels.len()) as usize).cloned()
                    }
                }
            }
        };
        let origins = samples.origins().iter().enumerate();
        origins
            .map(|(row, origin)| match origin {
                Origin::Row(from) | Origin::Synthetic { base: from, .. }
                    if feature.is_none() && aside =>
                {
                    text(cells, self.in_file(*from))
                }
                Origin::Row(from)
                    if !self.is_filled(*from, feature)
                        && (feature.is_some() || !self.relabelled) =>
                {
                    text(cells, self.in_file(*from))
                }
                Origin::Row(_) | Origin::Synthetic { .. } => made(row),
            })
            .collect()
    }

    /// The row of the file that a row of the data is.
    fn in_file(&self, row: usize) -> usize {
        self.rows.map_or(row, |rows| rows[row])
    }

    /// Takes away what the options list as missing: a typed column has no other spelling of it.
    fn blank(&self, texts: &mut [Option<String>], feature: usize) {
        let column = &self.data.columns()[feature].values;
        for (text, origin) in texts.iter_mut().zip(self.after.samples().origins()) {
            let Origin::Row(from) = *origin else { continue };
            if is_missing(column, from) {
                *text = None;
            }
        }
    }

    fn origins(&self) -> Cells {
        let made = |origin: &Origin| matches!(origin, Origin::Synthetic { .. });
        let origins = self.after.samples().origins();
        if origins.iter().any(made) {
            let text = origins.iter().map(|origin| match origin {
                Origin::Row(row) => self.in_file(*row).to_string(),
                Origin::Synthetic { base, neighbour } => {
                    format!("{}:{}", self.in_file(*base), self.in_file(*neighbour))
                }
            });
            Cells::Text(text.map(Some).collect())
        } else {
            let rows = origins.iter().map(|origin| match origin {
                Origin::Row(row) | Origin::Synthetic { base: row, .. } => {
                    i64::try_from(self.in_file(*row)).ok()
                }
            });
            Cells::Whole(rows.collect())
        }
    }
}

fn is_missing(column: &ColumnValues, row: usize) -> bool {
    match column {
        ColumnValues::Numeric(values) => values[row].is_nan(),
        ColumnValues::Nominal { codes, .. } => codes[row] == MISSING,
    }
}

/// A cell as text.
fn text(cells: &Cells, row: usize) -> Option<String> {
    match cells {
        Cells::Text(cells) => cells[row].clone(),
        Cells::Whole(cells) => cells[row].map(|v| v.to_string()),
        Cells::Flag(cells) => cells[row].map(|v| v.to_string()),
        Cells::Real(cells) => cells[row].map(plain_real),
    }
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

/// Texts as the narrowest kind of cells that loses nothing, so that a Parquet file keeps its kinds of
/// columns: flags as flags, numbers (`01234` is none) as numbers, labels (no feature) that are whole numbers
/// too. `numeric` says which of both a feature is.
fn typed(texts: Vec<Option<String>>, were: &Cells, numeric: Option<bool>) -> Cells {
    fn all<T>(texts: &[Option<String>], of: impl Fn(&str) -> Option<T>) -> Option<Vec<Option<T>>> {
        let one = |text: &Option<String>| {
            text.as_deref()
                .map_or(Some(None), |text| of(text).map(Some))
        };
        texts.iter().map(one).collect()
    }
    if matches!(were, Cells::Text(_)) && numeric == Some(false) {
        return Cells::Text(texts);
    }
    if matches!(were, Cells::Flag(_))
        && let Some(flags) = all(&texts, |text| text.parse().ok())
    {
        return Cells::Flag(flags);
    }
    let whole = |text: &str| {
        text.parse()
            .ok()
            .filter(|value: &i64| value.to_string() == text)
    };
    if !matches!(were, Cells::Real(_))
        && let Some(whole) = all(&texts, whole)
    {
        return Cells::Whole(whole);
    }
    let real = |text: &str| {
        let digits = text.trim().trim_start_matches(['+', '-']).as_bytes();
        let padded = matches!(digits, [b'0', b'0'..=b'9', ..]);
        let value: f64 = text.trim().parse().ok()?;
        // Whole numbers that a real cannot hold stay the digits that they are.
        let exact = text
            .trim()
            .parse::<i128>()
            .map_or(true, |whole| format!("{value}") == whole.to_string());
        (value.is_finite() && !padded && exact).then_some(value)
    };
    match all(&texts, real) {
        Some(reals) if numeric == Some(true) || matches!(were, Cells::Real(_)) => {
            Cells::Real(reals)
        }
        _ => Cells::Text(texts),
    }
}
