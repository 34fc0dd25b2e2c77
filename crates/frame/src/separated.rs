//! CSV and TSV as columns.

use std::path::Path;

use counterweight_core::ReadOptions;

use crate::delimited;
use crate::error::{FrameError, Place};
use crate::load::{decode, read_unpacked};
use crate::raw::{RawColumn, RawTable, RawValues, Texts};
use crate::read::{declared, kept_columns};

/// Rows after which room is made for all.
const SAMPLE: usize = 4096;

pub(crate) fn read(
    path: &Path,
    options: &ReadOptions,
    separator: u8,
) -> Result<RawTable, FrameError> {
    let bytes = read_unpacked(path)?;
    let text = decode(path, &bytes, options.encoding)?;
    let separator = options.separator.unwrap_or(separator);
    let open = || delimited::Reader::new(path, &text, separator, options.quote);
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
    let mut columns = vec![Texts::default(); names.len()];
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
            for texts in &mut columns {
                texts.expect(rows);
            }
        }
        for ((cell, texts), kept) in cells.iter().zip(&mut columns).zip(&kept) {
            if *kept {
                let missing = cell.text.is_empty() || options.lists(&cell.text);
                texts.push((!missing).then_some(&*cell.text), line);
            }
        }
    }
    let columns = names.into_iter().zip(columns).zip(kept);
    Ok(RawTable {
        columns: columns
            .filter_map(|((name, texts), kept)| {
                kept.then(|| RawColumn {
                    declared: declared(options, &name),
                    name,
                    values: RawValues::Untyped(texts),
                })
            })
            .collect(),
        n_rows,
        ..RawTable::of(path, options, Place::Line)
    })
}
