//! Tables of results, out and in.
//!
//! # CSV
//! Numbers are written in the shortest form that reads back to the same bits (`0.1`, `1.0`, `1e-7`),
//! whole numbers without a point, `None` as an empty cell, lines end in LF. Text stands in quotes when
//! it needs them to come back as it was: when it holds a separator, a quote or a line break, when
//! it is empty (an empty cell without quotes is `None`), when it would read as a number or as `true` or
//! `false`, and when it begins with `#` in the header. So a table survives the way through CSV with types and all, except
//! that a column of `None` alone comes back as text. polars' own CSV writer marks no such text, hence
//! this one. Text that a spreadsheet would take for a formula begins with an apostrophe, which reading takes
//! away.
//!
//! # Parquet
//! zstd; text, 64-bit integers and reals.
//!
//! Equal tables give equal bytes in both.

use std::fmt::Write as _;
use std::path::Path;

use counterweight_core::{
    Cells, Column, ColumnValues, Dataset, Dates, Encoding, Format, MISSING, ReadOptions, Table,
    shielded, unshielded,
};

use crate::atomic::write_atomically;
use crate::delimited;
use crate::error::FrameError;
use crate::load::{decode, extension, read_bytes};
use crate::parquet;
use crate::raw::{Number, RawValues, number};
use crate::read::{read_with, taking_format};

/// The extensions of files that [`write_table`] writes.
const WRITABLE: &str = "csv, parquet";

fn unknown(path: &Path, extension: String) -> FrameError {
    FrameError::Extension {
        path: path.to_owned(),
        extension,
        supported: WRITABLE.to_owned(),
    }
}

/// Writes a table as .csv or .parquet, by extension; the file is there whole or not at all.
///
/// # Errors
/// [`FrameError::Extension`], [`FrameError::Io`], [`FrameError::Polars`].
///
/// # Examples
/// ```
/// use counterweight_core::{Cells, Table};
/// use counterweight_frame::{read_table, write_table};
///
/// let table = Table::new()
///     .with("name", Cells::Text(vec![Some("a,b".into()), None]))?
///     .with("error", Cells::Real(vec![Some(0.1), Some(1.0)]))?;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("t.csv");
/// write_table(&table, &path)?;
/// assert_eq!(std::fs::read_to_string(&path)?, "name,error\n\"a,b\",0.1\n,1.0\n");
/// assert_eq!(read_table(&path)?, table);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_table(table: &Table, path: &Path) -> Result<(), FrameError> {
    write_table_of(table, path, None)
}

/// The same; a Parquet file says in its metadata what it belongs to.
///
/// # Errors
/// As [`write_table`].
pub fn write_table_of(table: &Table, path: &Path, owner: Option<&str>) -> Result<(), FrameError> {
    let bytes = match extension(path).as_str() {
        "csv" => to_csv(table).into_bytes(),
        "parquet" => parquet::encode_table(path, table, owner)?,
        other => return Err(unknown(path, other.to_owned())),
    };
    write_atomically(path, &bytes)
}

/// Writes a table for other programs, as .csv, .tsv or .parquet, by extension. Text is as it is: in
/// quotes only where a separator, a quote or a line break calls for them, so that what came as `01`
/// goes as `01`, and a real number that is whole goes without a point. Reading it back may therefore
/// find other kinds of columns than [`read_table`] finds in what [`write_table`] wrote.
///
/// # Errors
/// As [`write_table`].
pub fn write_plain_table(table: &Table, path: &Path) -> Result<(), FrameError> {
    let bytes = match extension(path).as_str() {
        "csv" => to_plain(table, ',').into_bytes(),
        "tsv" => to_plain(table, '\t').into_bytes(),
        "parquet" => parquet::encode_table(path, table, None)?,
        other => {
            return Err(FrameError::Extension {
                path: path.to_owned(),
                extension: other.to_owned(),
                supported: "csv, tsv, parquet".to_owned(),
            });
        }
    };
    write_atomically(path, &bytes)
}

/// A real number as [`write_plain_table`] writes it: a whole one without a point.
pub fn plain_real(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn to_plain(table: &Table, separator: char) -> String {
    let mut text = String::new();
    let mut push = |cell: &str, at: usize| {
        if at > 0 {
            text.push(separator);
        }
        if cell.contains([separator, '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
        if at + 1 == table.columns().len() {
            text.push('\n');
        }
    };
    for (at, (name, _)) in table.columns().iter().enumerate() {
        push(name, at);
    }
    for row in 0..table.n_rows() {
        for (at, (_, cells)) in table.columns().iter().enumerate() {
            match cells {
                Cells::Text(cells) => push(cells[row].as_deref().unwrap_or_default(), at),
                Cells::Whole(cells) => {
                    push(&cells[row].map_or_else(String::new, |v| v.to_string()), at);
                }
                Cells::Flag(cells) => {
                    push(&cells[row].map_or_else(String::new, |v| v.to_string()), at);
                }
                Cells::Real(cells) => {
                    push(&cells[row].map_or_else(String::new, plain_real), at);
                }
            }
        }
    }
    text
}

/// Reads a table from .csv or .parquet. A CSV column is whole numbers when every cell is one, flags when
/// every cell is `true` or `false`, real numbers when every cell is a finite number, otherwise text; a cell in quotes is text.
///
/// # Errors
/// [`FrameError`], with the line for broken CSV; [`FrameError::NotFinite`] for NaN or an infinity
/// in a column of numbers.
pub fn read_table(path: &Path) -> Result<Table, FrameError> {
    match extension(path).as_str() {
        "csv" => read_csv(path, b',', |name, column| typed(path, name, column)),
        "parquet" => parquet::read_table(path),
        other => Err(unknown(path, other.to_owned())),
    }
}

/// As [`read_table`], handing over at most `rows` rows at a time, in order, so that a table of
/// millions of rows never stands in memory as a whole. CSV comes in one part: the types of its
/// columns are known at its end only.
///
/// # Errors
/// As [`read_table`]; the parts before the error have been handed over.
pub fn read_table_in_parts(
    path: &Path,
    rows: usize,
    take: impl FnMut(Table),
) -> Result<(), FrameError> {
    match extension(path).as_str() {
        "parquet" => parquet::read_table_in_parts(path, rows, take),
        _ => read_table(path).map(take),
    }
}

/// Reads a CSV file with every cell as the text that stands there: for tables in which `1.50` and
/// `1.5`, or a hash of digits alone, are not to be taken for numbers.
///
/// # Errors
/// [`FrameError`], with the line for broken CSV.
pub fn read_text_table(path: &Path) -> Result<Table, FrameError> {
    match extension(path).as_str() {
        "csv" => read_csv(path, b',', |_name, column| Ok(texts(column))),
        other => Err(FrameError::Extension {
            path: path.to_owned(),
            extension: other.to_owned(),
            supported: "csv".to_owned(),
        }),
    }
}

/// The cells of a data file as they stand there, in the file's order and without the ignored columns:
/// the texts of a text file, a binary file's own types; dates as the options say. Its rows are those of
/// [`crate::read_dataset`].
///
/// # Errors
/// As [`crate::read_dataset`].
pub fn read_cells(path: &Path, options: &ReadOptions) -> Result<Table, FrameError> {
    if taking_format(path, options)? == Format::Parquet {
        return parquet::read_cells(path, options);
    }
    // What is listed as missing stands in the file too.
    let plain = ReadOptions {
        missing: Vec::new(),
        ..options.clone()
    };
    let mut raw = read_with(path, &plain, false)?;
    let mut table = Table::new();
    for at in 0..raw.columns.len() {
        let days = raw.days(at);
        let name = raw.columns[at].name.clone();
        if days.is_some() && options.date == Dates::Drop && name != options.target {
            continue;
        }
        let cells = match (days, &raw.columns[at].values) {
            (Some(days), RawValues::Untyped(_) | RawValues::Names(_)) => {
                let days = raw.numbers(at, &days).into_iter();
                Cells::Real(days.map(|day| (!day.is_nan()).then_some(day)).collect())
            }
            (_, RawValues::Untyped(texts) | RawValues::Names(texts)) => {
                Cells::Text(texts.rows().map(|text| text.map(str::to_owned)).collect())
            }
            (_, RawValues::Numbers(values)) => {
                feature_cells(&ColumnValues::Numeric(values.clone()))
            }
            (_, RawValues::Wholes(values)) => {
                let texts = values
                    .iter()
                    .map(|value| value.map(|value| value.to_string()));
                Cells::Text(texts.collect())
            }
        };
        table = table.with(name, cells).map_err(|source| FrameError::Core {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(table)
}

fn texts(column: Vec<CsvCell>) -> Cells {
    Cells::Text(column.into_iter().map(|(_, text, _)| text).collect())
}

/// The text of a table as CSV, as [`write_table`] writes it.
pub fn to_csv(table: &Table) -> String {
    let mut text = String::new();
    for (at, (name, _)) in table.columns().iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        push_text(&mut text, name, at == 0 && name.starts_with('#'));
    }
    text.push('\n');
    for row in 0..table.n_rows() {
        for (at, (_, cells)) in table.columns().iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            match cells {
                Cells::Text(cells) => {
                    if let Some(cell) = &cells[row] {
                        let other = number(cell) != Number::None || flag(cell).is_some();
                        push_text(&mut text, &shielded(cell), other);
                    }
                }
                // Writing into a String cannot fail.
                Cells::Real(cells) => {
                    if let Some(cell) = cells[row] {
                        let _ = write!(text, "{cell:?}");
                    }
                }
                Cells::Whole(cells) => {
                    if let Some(cell) = cells[row] {
                        let _ = write!(text, "{cell}");
                    }
                }
                Cells::Flag(cells) => {
                    if let Some(cell) = cells[row] {
                        let _ = write!(text, "{cell}");
                    }
                }
            }
        }
        text.push('\n');
    }
    text
}

fn push_text(out: &mut String, cell: &str, quote: bool) {
    if quote || cell.is_empty() || cell.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

/// A cell of a CSV table: its line, text, and whether it stood in quotes.
type CsvCell = (u64, Option<String>, bool);

fn read_csv(
    path: &Path,
    separator: u8,
    cells_of: impl Fn(&str, Vec<CsvCell>) -> Result<Cells, FrameError>,
) -> Result<Table, FrameError> {
    let bytes = read_bytes(path)?;
    let text = decode(path, &bytes, Encoding::Marked).map_err(|error| match error {
        FrameError::NotUtf8 { path, line, .. } => FrameError::NotUtf8 {
            path,
            line,
            results: true,
        },
        other => other,
    })?;
    let mut reader = delimited::Reader::new(path, &text, separator, Some(b'"'))?;
    let mut cells = Vec::new();
    if reader.record(&mut cells)?.is_none() {
        return Err(FrameError::Empty {
            path: path.to_owned(),
        });
    }
    // A table without columns is one empty line.
    if let [only] = cells.as_slice()
        && only.text.is_empty()
        && !only.quoted
        && reader.only_blank_lines_left()
    {
        return Ok(Table::new());
    }
    let names: Vec<String> = cells.iter().map(|cell| cell.text.to_string()).collect();
    let mut columns: Vec<Vec<CsvCell>> = vec![Vec::new(); names.len()];
    loop {
        // In a table of one column a blank line is a row; in a wider one it can only be the end.
        if names.len() > 1 && reader.only_blank_lines_left() {
            break;
        }
        let Some(line) = reader.record(&mut cells)? else {
            break;
        };
        if cells.len() != names.len() {
            return Err(FrameError::Ragged {
                path: path.to_owned(),
                line,
                expected: names.len(),
                found: cells.len(),
            });
        }
        for (cell, column) in cells.drain(..).zip(&mut columns) {
            let empty = cell.text.is_empty() && !cell.quoted;
            column.push((line, (!empty).then(|| cell.text.into_owned()), cell.quoted));
        }
    }
    let mut table = Table::new();
    for (name, column) in names.into_iter().zip(columns) {
        let cells = cells_of(&name, column)?;
        table = table.with(name, cells).map_err(|source| FrameError::Core {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(table)
}

fn flag(text: &str) -> Option<bool> {
    text.parse().ok()
}

fn typed(path: &Path, name: &str, column: Vec<CsvCell>) -> Result<Cells, FrameError> {
    let present = || column.iter().filter(|(_, text, _)| text.is_some());
    let is_flag =
        |(_, text, quoted): &CsvCell| !*quoted && text.as_deref().and_then(flag).is_some();
    if present().next().is_some() && present().all(is_flag) {
        let flags = column.iter().map(|(_, text, _)| flag(text.as_deref()?));
        return Ok(Cells::Flag(flags.collect()));
    }
    let is_number = |(_, text, quoted): &&CsvCell| {
        !*quoted
            && text
                .as_deref()
                .is_some_and(|text| number(text) != Number::None)
    };
    if present().next().is_none() || !present().all(|cell| is_number(&cell)) {
        let plain = |text: String| unshielded(&text).to_owned();
        let plain = column.into_iter().map(|(_, text, _)| text.map(plain));
        return Ok(Cells::Text(plain.collect()));
    }
    let whole: Option<Vec<Option<i64>>> = column
        .iter()
        .map(|(_, text, _)| match text {
            None => Some(None),
            Some(text) => text.parse().ok().map(Some),
        })
        .collect();
    if let Some(whole) = whole {
        return Ok(Cells::Whole(whole));
    }
    let mut real = Vec::with_capacity(column.len());
    for (line, text, _) in column {
        real.push(match text {
            None => None,
            Some(text) => match number(&text) {
                Number::Finite(value) => Some(value),
                Number::NotFinite | Number::None => {
                    return Err(FrameError::NotFinite {
                        path: path.to_owned(),
                        place: crate::error::Place::Line(line),
                        column: name.to_owned(),
                        found: text,
                    });
                }
            },
        });
    }
    Ok(Cells::Real(real))
}

/// A dataset as a table: its columns in order and the label last, as `target`. Columns of whole
/// numbers become whole cells, missing values empty ones.
///
/// # Errors
/// [`counterweight_core::CoreError::Domain`] when two columns, or a column and the target, share a
/// name.
pub fn dataset_table(dataset: &Dataset, target: &str) -> counterweight_core::error::Result<Table> {
    let mut table = Table::new();
    for Column { name, values } in dataset.columns() {
        table = table.with(name.clone(), feature_cells(values))?;
    }
    let labels = dataset.labels();
    let names = labels.names();
    let cells = labels
        .ids()
        .iter()
        .map(|&id| Some(names[id as usize].clone()))
        .collect();
    table.with(target, Cells::Text(cells))
}

fn feature_cells(values: &ColumnValues) -> Cells {
    match values {
        ColumnValues::Nominal { codes, levels } => Cells::Text(
            codes
                .iter()
                .map(|&code| (code != MISSING).then(|| levels[code as usize].clone()))
                .collect(),
        ),
        ColumnValues::Numeric(values) => match whole_numbers(values) {
            Some(whole) => Cells::Whole(whole),
            None => Cells::Real(
                values
                    .iter()
                    .map(|&value| (!value.is_nan()).then_some(value))
                    .collect(),
            ),
        },
    }
}

/// The values as whole numbers, when nothing is lost that way.
fn whole_numbers(values: &[f64]) -> Option<Vec<Option<i64>>> {
    // Beyond 2^53 a real no longer tells neighbouring whole numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    values
        .iter()
        .map(|&value| {
            if value.is_nan() {
                return Some(None);
            }
            let negative_zero = value == 0.0 && value.is_sign_negative();
            let whole = value.trunc().total_cmp(&value).is_eq();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "checked to be whole and small"
            )]
            (whole && value.abs() <= EXACT && !negative_zero).then_some(Some(value as i64))
        })
        .collect()
}

/// Writes a dataset as .csv or .parquet with the label last, as `target`. What is read back has the
/// same content hash from Parquet; CSV cannot tell a name that looks like a number from a number.
///
/// # Errors
/// As [`write_table`]; [`FrameError::Core`] when `target` is also the name of a column.
pub fn write_dataset(dataset: &Dataset, target: &str, path: &Path) -> Result<(), FrameError> {
    let table = dataset_table(dataset, target).map_err(|source| FrameError::Core {
        path: path.to_owned(),
        source,
    })?;
    write_table(&table, path)
}
