//! CSV and TSV as columns.

use std::path::Path;

use counterweight_core::ReadOptions;

use crate::delimited;
use crate::error::{FrameError, Place};
use crate::load::{decode, read_unpacked};
use crate::raw::{Kind, RawColumn, RawTable, RawValues};
use crate::read::{declared, kept_columns};
use crate::reals::{Growing, NoNumber};

/// Rows after which room is made for all.
const SAMPLE: usize = 4096;

/// Columns that may turn out to be no numbers late in the file before all are read as texts.
const MOST_AGAIN: usize = 3;

/// Reads a file; with `numbers`, texts of measurements are not kept.
pub(crate) fn read(
    path: &Path,
    options: &ReadOptions,
    separator: u8,
    numbers: bool,
) -> Result<RawTable, FrameError> {
    let bytes = read_unpacked(path)?;
    let text = decode(path, &bytes, options.encoding)?;
    // Columns that looked like numbers, and are none.
    let mut none = Vec::new();
    loop {
        let hopeful = |at: &usize| numbers && none.len() < MOST_AGAIN && !none.contains(at);
        match read_text(path, &text, options, separator, hopeful)? {
            Ok(table) => return Ok(table),
            Err(at) => none.push(at),
        }
    }
}

/// The table, or the column that was taken for numbers and is none.
fn read_text(
    path: &Path,
    text: &str,
    options: &ReadOptions,
    separator: u8,
    hopeful: impl Fn(&usize) -> bool,
) -> Result<Result<RawTable, usize>, FrameError> {
    let separator = options.separator.unwrap_or(separator);
    let open = || delimited::Reader::new(path, text, separator, options.quote);
    let mut reader = open()?;
    let mut cells = Vec::new();
    if reader.only_blank_lines_left() || reader.record(&mut cells)?.is_none() {
        return Err(FrameError::Empty {
            path: path.to_owned(),
        });
    }
    let names: Vec<String> = if options.header {
        cells.iter().map(|cell| cell.text.to_string()).collect()
    } else {
        reader = open()?;
        (1..=cells.len()).map(|at| format!("c{at}")).collect()
    };
    let kept = kept_columns(path, &names, options)?;
    let as_texts = [
        Some(&options.target),
        options.group.as_ref(),
        options.folds.as_ref(),
        options.weight.as_ref(),
    ];
    let mut columns: Vec<Growing> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let nominal = declared(options, name) == Some(Kind::Nominal);
            Growing::new(hopeful(&at) && !nominal && !as_texts.contains(&Some(name)))
        })
        .collect();
    let mut n_rows = 0;
    // Blank lines at the end are an editor's habit; anywhere else they are a row that lost its cells.
    while !reader.only_blank_lines_left() {
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
        n_rows += 1;
        if n_rows == SAMPLE {
            // So many rows, if the others are as long as these.
            let rows = (text.len() / reader.position().max(1) + 1).saturating_mul(SAMPLE);
            for column in &mut columns {
                column.expect(rows);
            }
        }
        for (at, ((cell, column), kept)) in cells.iter().zip(&mut columns).zip(&kept).enumerate() {
            if *kept {
                let missing = cell.text.is_empty() || options.lists(&cell.text);
                let text = (!missing).then_some(&*cell.text);
                if let Err(NoNumber) = column.push(text, line, options.comma) {
                    return Ok(Err(at));
                }
            }
        }
    }
    let columns = names.into_iter().zip(columns).zip(kept);
    let column = |((name, column), kept): ((String, Growing), bool)| {
        let (values, spelt) = match column.reals {
            Some(reals) => (RawValues::Numbers(reals.values), reals.spelt),
            None => (RawValues::Untyped(column.texts), Vec::new()),
        };
        kept.then(|| RawColumn {
            declared: declared(options, &name),
            name,
            values,
            spelt,
        })
    };
    Ok(Ok(RawTable {
        columns: columns.filter_map(column).collect(),
        n_rows,
        ..RawTable::of(path, options, Place::Line)
    }))
}
