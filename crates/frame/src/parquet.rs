//! Parquet through polars, in and out.
//!
//! # Reading what others wrote
//! A Parquet file says twice what its columns are: in its own schema and in an Arrow schema that
//! most writers add. The second may name types that this build of polars does not carry (8- and
//! 16-bit integers) or reads through global state (categories). Only the physical values matter
//! here, so the reader is handed an Arrow schema of our own: strings for every kind of category,
//! 32-bit integers for smaller ones. Types that are neither numbers nor names are refused before
//! polars touches them, because some end in a panic there; what still panics (damaged pages) is
//! caught and told as an error. Sizes that cannot be are refused before (`declared`), since a
//! reservation that fails ends the process.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use counterweight_core::{Cells, Dates, ReadOptions, Table};
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    ArrowDataType, ArrowTimeUnit as TimeUnit, Column, DataFrame, DataType, FileMetadataRef,
    KeyValueMetadata, NamedFrom as _, ParquetCompression, ParquetReader, ParquetWriter, PlSmallStr,
    PolarsError, PolarsResult, SerReader as _, Series,
};

use crate::declared;
use crate::error::{FrameError, Place};
use crate::load::read_bytes;
use crate::raw::{RawColumn, RawTable, RawValues, Texts, finite, wholes};
use crate::read::{dates_dropped, declared as declared_as, kept_columns};

/// Level of zstd: at 15, where files stop shrinking, tables of results have 2 % fewer bytes and take three times as long.
const ZSTD_LEVEL: i32 = 9;

/// Rows of a row group; stated, because polars' own default can be changed from outside.
const ROW_GROUP: usize = 1 << 18;

/// Key of what a file says that it belongs to.
const OWNER: &str = "counterweight";

/// A column as read: `None` for the type of a column that holds nothing at all.
struct Found {
    name: String,
    series: Option<Series>,
    /// Of a column of dates, how many of its steps are a day.
    per_day: Option<f64>,
}

impl Found {
    /// The column with its dates as days, or the remark that it is left out.
    fn of_dates(
        mut self,
        path: &Path,
        options: &ReadOptions,
    ) -> Result<Result<Self, Option<String>>, FrameError> {
        let Some(per_day) = self.per_day.take() else {
            return Ok(Ok(self));
        };
        match options.date {
            Dates::Names => Err(FrameError::Dates {
                path: path.to_owned(),
                column: self.name,
            }),
            Dates::Drop => Ok(Err(Some(dates_dropped(&self.name)))),
            Dates::Number => {
                let failed = polars_error(path, "read");
                self.series = match &self.series {
                    Some(series) => {
                        let steps = series.cast(&DataType::Float64).map_err(&failed)?;
                        let steps = steps.f64().map_err(&failed)?;
                        let days: Vec<Option<f64>> =
                            steps.iter().map(|v| v.map(|v| v / per_day)).collect();
                        Some(Series::new(PlSmallStr::from_str(&self.name), days))
                    }
                    None => None,
                };
                Ok(Ok(self))
            }
        }
    }
}

/// Steps of a day in the integers that a type of dates is made of.
fn per_day(dtype: &ArrowDataType) -> Option<f64> {
    Some(match dtype {
        ArrowDataType::Date32 => 1.0,
        ArrowDataType::Date64 => 86.4e6,
        ArrowDataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => 86_400.0,
            TimeUnit::Millisecond => 86.4e6,
            TimeUnit::Microsecond => 86.4e9,
            TimeUnit::Nanosecond => 86.4e12,
        },
        _ => return None,
    })
}

/// The type as which a column is read; `None` for one that can be read as nothing useful.
fn read_as(dtype: &ArrowDataType) -> Option<DataType> {
    use ArrowDataType as D;
    Some(match dtype {
        D::Utf8 | D::LargeUtf8 | D::Utf8View => DataType::String,
        D::Dictionary(_, values, _) => return read_as(values),
        D::Boolean => DataType::Boolean,
        D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::Date32 => DataType::Int32,
        D::UInt32 => DataType::UInt32,
        D::Int64 | D::Date64 | D::Timestamp(..) => DataType::Int64,
        D::UInt64 => DataType::UInt64,
        D::Float32 => DataType::Float32,
        D::Float64 => DataType::Float64,
        D::Null => DataType::Null,
        _ => return None,
    })
}

/// Readers at work. While there are any, panics print nothing: each of them is told as an error.
static READING: AtomicUsize = AtomicUsize::new(0);

static HOOK: Once = Once::new();

fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, FrameError>) -> Result<T, FrameError> {
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if READING.load(Ordering::SeqCst) == 0 {
                usual(panic);
            }
        }));
    });
    READING.fetch_add(1, Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(work));
    READING.fetch_sub(1, Ordering::SeqCst);
    result.unwrap_or_else(|_panic| Err(damaged(path, "its pages are damaged".into())))
}

fn damaged(path: &Path, reason: String) -> FrameError {
    FrameError::Damaged {
        path: path.to_owned(),
        reason,
    }
}

fn polars_error(path: &Path, action: &'static str) -> impl Fn(PolarsError) -> FrameError {
    move |source| FrameError::Polars {
        path: path.to_owned(),
        action,
        source: Box::new(source),
    }
}

/// Reads the columns for which `keep`, given all names, says so. Returns them with the number of
/// rows.
fn read_kept(
    path: &Path,
    keep: impl FnOnce(&[String]) -> Result<Vec<bool>, FrameError>,
) -> Result<(Vec<Found>, usize), FrameError> {
    read_slice(path, &load(path)?, keep, None)
}

/// The bytes of a file that can be what it declares.
fn load(path: &Path) -> Result<Vec<u8>, FrameError> {
    let bytes = read_bytes(path)?;
    if bytes.is_empty() {
        return Err(FrameError::Empty {
            path: path.to_owned(),
        });
    }
    match declared::fault(&bytes) {
        Some(reason) => Err(damaged(path, reason)),
        None => Ok(bytes),
    }
}

/// As [`read_kept`], from the file's bytes; of `slice` (first row, number of rows) only, where
/// given. Returns the number of rows of the whole file.
fn read_slice(
    path: &Path,
    bytes: &[u8],
    keep: impl FnOnce(&[String]) -> Result<Vec<bool>, FrameError>,
    slice: Option<(usize, usize)>,
) -> Result<(Vec<Found>, usize), FrameError> {
    guarded(path, || {
        let failed = polars_error(path, "read");
        let mut reader = ParquetReader::new(Cursor::new(bytes));
        let metadata = Arc::clone(reader.get_metadata().map_err(&failed)?);
        // From the file's own schema: the Arrow schema is a map and cannot hold a name twice.
        let names: Vec<String> = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().to_owned())
            .collect();
        let kept = keep(&names)?;
        let schema = reader.schema().map_err(&failed)?;

        let mut types = Vec::with_capacity(names.len());
        for (name, kept) in names.iter().zip(&kept) {
            let dtype = schema.get(name).map(|field| &field.dtype);
            match dtype.and_then(read_as) {
                Some(found) => types.push(found),
                None if *kept => {
                    return Err(FrameError::ColumnType {
                        path: path.to_owned(),
                        column: name.clone(),
                        dtype: dtype.map_or("unknown".into(), |dtype| format!("{dtype:?}")),
                    });
                }
                // A placeholder that is never read.
                None => types.push(DataType::String),
            }
        }
        let projection: Vec<usize> = (0..names.len())
            .filter(|&at| kept[at] && types[at] != DataType::Null)
            .collect();

        let mut own = metadata.as_ref().clone();
        let donor = donor(&names, &types).map_err(&failed)?;
        own.key_value_metadata.clone_from(&donor.key_value_metadata);
        let mut reader = ParquetReader::new(Cursor::new(bytes))
            .with_projection(Some(projection))
            .with_slice(slice);
        reader.set_metadata(Arc::new(own));
        let mut frame = if metadata.num_rows == 0 {
            DataFrame::empty()
        } else {
            reader.finish().map_err(&failed)?
        };
        frame.rechunk_mut();

        let mut found = Vec::new();
        for ((name, kept), dtype) in names.into_iter().zip(kept).zip(types) {
            if !kept {
                continue;
            }
            let series = if dtype == DataType::Null || metadata.num_rows == 0 {
                None
            } else {
                let column = frame.column(&name).map_err(&failed)?;
                Some(column.as_materialized_series().clone())
            };
            let per_day = schema.get(&name).and_then(|field| per_day(&field.dtype));
            found.push(Found {
                name,
                series,
                per_day,
            });
        }
        Ok((found, metadata.num_rows))
    })
}

/// Metadata of a file of no rows with these columns: it holds their Arrow schema.
fn donor(names: &[String], types: &[DataType]) -> PolarsResult<FileMetadataRef> {
    let columns = names
        .iter()
        .zip(types)
        .map(|(name, dtype)| Series::new_empty(PlSmallStr::from_str(name), dtype).into())
        .collect();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(0, columns)?)?;
    let mut reader = ParquetReader::new(Cursor::new(bytes.as_slice()));
    reader.get_metadata().map(Arc::clone)
}

/// Reads a data file.
pub(crate) fn read_columns(path: &Path, options: &ReadOptions) -> Result<RawTable, FrameError> {
    read_columns_of(path, &load(path)?, options)
}

/// As [`read_columns`], from the file's bytes.
pub(crate) fn read_columns_of(
    path: &Path,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<RawTable, FrameError> {
    let keep = |names: &[String]| kept_columns(path, names, options);
    let (found, n_rows) = read_slice(path, bytes, keep, None)?;
    let failed = polars_error(path, "read");
    let mut table = RawTable {
        n_rows,
        ..RawTable::of(path, options, Place::Row)
    };
    for found in found {
        let found = match found.of_dates(path, options)? {
            Ok(found) => found,
            Err(remark) => {
                table.remarks.extend(remark);
                continue;
            }
        };
        let Found { name, series, .. } = found;
        let values = match series {
            None => RawValues::Numbers(vec![f64::NAN; n_rows]),
            Some(series) => match series.dtype() {
                DataType::String => {
                    let mut texts = Texts::default();
                    for (row, text) in (0..).zip(series.str().map_err(&failed)?.iter()) {
                        texts.push(text.filter(|text| !options.lists(text)), row);
                    }
                    RawValues::Names(texts)
                }
                DataType::Boolean => {
                    let mut texts = Texts::default();
                    for (row, truth) in (0..).zip(series.bool().map_err(&failed)?.iter()) {
                        let text = truth.map(|truth| if truth { "true" } else { "false" });
                        texts.push(text.filter(|text| !options.lists(text)), row);
                    }
                    RawValues::Names(texts)
                }
                _ => match large_wholes(&series) {
                    Some(values) => wholes(path, &name, values, options)?,
                    None => RawValues::Numbers(numbers(path, &name, &series, options)?),
                },
            },
        };
        table.columns.push(RawColumn {
            declared: declared_as(options, &name),
            name,
            values,
            spelt: Vec::new(),
        });
    }
    Ok(table)
}

/// Whole numbers of 64 bits; `None` for any other column.
fn large_wholes(series: &Series) -> Option<Vec<Option<i128>>> {
    Some(match series.dtype() {
        DataType::Int64 => series
            .i64()
            .ok()?
            .iter()
            .map(|v| v.map(i128::from))
            .collect(),
        DataType::UInt64 => series
            .u64()
            .ok()?
            .iter()
            .map(|v| v.map(i128::from))
            .collect(),
        _ => return None,
    })
}

/// Numbers with NaN for nulls and listed spellings.
fn numbers(
    path: &Path,
    name: &str,
    series: &Series,
    options: &ReadOptions,
) -> Result<Vec<f64>, FrameError> {
    let failed = polars_error(path, "read");
    let reals = series.cast(&DataType::Float64).map_err(&failed)?;
    finite(path, name, reals.f64().map_err(&failed)?.iter(), options)
}

/// Reads a table of results.
pub(crate) fn read_table(path: &Path) -> Result<Table, FrameError> {
    let (found, n_rows) = read_kept(path, |names| Ok(vec![true; names.len()]))?;
    to_table(path, found, n_rows, &ReadOptions::default())
}

/// The kept columns of a data file as it holds them.
pub(crate) fn read_cells(path: &Path, options: &ReadOptions) -> Result<Table, FrameError> {
    let (found, n_rows) = read_kept(path, |names| kept_columns(path, names, options))?;
    to_table(path, found, n_rows, options)
}

/// Reads a table of results in parts of at most `rows` rows, in order, so that the whole never
/// stands in memory.
pub(crate) fn read_table_in_parts(
    path: &Path,
    rows: usize,
    mut take: impl FnMut(Table),
) -> Result<(), FrameError> {
    let bytes = load(path)?;
    let rows = rows.max(1);
    let mut first = 0;
    loop {
        let all = |names: &[String]| Ok(vec![true; names.len()]);
        let (found, n_rows) = read_slice(path, &bytes, all, Some((first, rows)))?;
        let options = ReadOptions::default();
        take(to_table(path, found, rows.min(n_rows - first), &options)?);
        first += rows;
        if first >= n_rows {
            return Ok(());
        }
    }
}

fn to_table(
    path: &Path,
    found: Vec<Found>,
    n_rows: usize,
    options: &ReadOptions,
) -> Result<Table, FrameError> {
    let failed = polars_error(path, "read");
    let mut table = Table::new();
    for found in found {
        let Ok(Found { name, series, .. }) = found.of_dates(path, options)? else {
            continue;
        };
        let cells = match series {
            None => Cells::Text(vec![None; n_rows]),
            Some(series) => match series.dtype() {
                DataType::String => Cells::Text(
                    series
                        .str()
                        .map_err(&failed)?
                        .iter()
                        .map(|text| text.map(str::to_owned))
                        .collect(),
                ),
                DataType::Boolean => Cells::Flag(series.bool().map_err(&failed)?.iter().collect()),
                DataType::Float32 | DataType::Float64 => {
                    let values = numbers(path, &name, &series, options)?;
                    Cells::Real(
                        values
                            .into_iter()
                            .map(|v| (!v.is_nan()).then_some(v))
                            .collect(),
                    )
                }
                _ => {
                    if let Ok(whole) = series.strict_cast(&DataType::Int64) {
                        Cells::Whole(whole.i64().map_err(&failed)?.iter().collect())
                    } else {
                        // Beyond 2^63: the digits.
                        let whole = series.cast(&DataType::UInt64).map_err(&failed)?;
                        let digits = whole.u64().map_err(&failed)?.iter();
                        Cells::Text(digits.map(|v| v.map(|v| v.to_string())).collect())
                    }
                }
            },
        };
        table = table.with(name, cells).map_err(|source| FrameError::Core {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(table)
}

/// The bytes of a Parquet file of these columns. Columns are encoded one after the other, so that
/// the bytes depend on the values alone.
fn encode(
    path: &Path,
    n_rows: usize,
    columns: Vec<Column>,
    owner: Option<&str>,
) -> Result<Vec<u8>, FrameError> {
    let failed = polars_error(path, "write");
    let mut frame = DataFrame::new(n_rows, columns).map_err(&failed)?;
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(&failed)?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(Some(level)))
        .with_row_group_size(Some(ROW_GROUP))
        .set_parallel(false)
        .with_key_value_metadata(
            owner.map(|owner| {
                KeyValueMetadata::from_static(vec![(OWNER.to_owned(), owner.to_owned())])
            }),
        )
        .finish(&mut frame)
        .map_err(&failed)?;
    Ok(bytes)
}

/// What a file of ours says that it belongs to; `None` where it says nothing, or is no such file.
pub fn owner_of(path: &Path) -> Option<String> {
    let bytes = load(path).ok()?;
    let metadata = guarded(path, || {
        let mut reader = ParquetReader::new(Cursor::new(&bytes));
        let metadata = reader.get_metadata().map(Arc::clone);
        metadata.map_err(polars_error(path, "read"))
    });
    let pairs = metadata.ok()?.key_value_metadata.clone()?;
    pairs.into_iter().find(|pair| pair.key == OWNER)?.value
}

/// The bytes of a table of results.
pub(crate) fn encode_table(
    path: &Path,
    table: &Table,
    owner: Option<&str>,
) -> Result<Vec<u8>, FrameError> {
    let columns = table
        .columns()
        .iter()
        .map(|(name, cells)| {
            let name = PlSmallStr::from_str(name);
            match cells {
                Cells::Text(cells) => Column::new(name, cells),
                Cells::Real(cells) => Column::new(name, cells),
                Cells::Whole(cells) => Column::new(name, cells),
                Cells::Flag(cells) => Column::new(name, cells),
            }
        })
        .collect();
    encode(path, table.n_rows(), columns, owner)
}
