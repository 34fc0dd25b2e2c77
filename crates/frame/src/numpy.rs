//! NPY and NPZ: arrays of NumPy, versions 1 to 3 of the format.
//!
//! Reals of 4 and 8 bytes, whole numbers of 1 to 8, booleans (names, as in Parquet) and texts (`U`, `S`) in either
//! byte order; C and Fortran order. The columns of a lone array are `c1`, `c2`, ...; in an archive an array of one
//! dimension is a column of its own name, and those of a matrix `X` are `X1`, `X2`, ... Entries of an archive may be
//! stored or deflated. Objects, which Python pickles, are refused. What `ignore` names is not looked into, whatever it holds.

use std::io::Read;
use std::path::Path;

use counterweight_core::ReadOptions;

use crate::error::{FrameError, Place};
use crate::load::{read_bytes, unpack};
use crate::raw::{RawColumn, RawTable, RawValues, Texts, finite, wholes};
use crate::read::{declared, kept_columns};

/// The first bytes of an array.
const MAGIC: &[u8] = b"\x93NUMPY";

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    Real,
    Signed,
    Unsigned,
    Flag,
    /// Letters of 4 bytes.
    Unicode,
    /// Letters of a byte.
    Bytes,
}

/// An array, not yet taken apart.
struct Array<'a> {
    element: Element,
    size: usize,
    big: bool,
    fortran: bool,
    rows: usize,
    columns: usize,
    matrix: bool,
    data: &'a [u8],
}

/// Where an array stands, for what is wrong with it.
struct Source<'a> {
    path: &'a Path,
    name: &'a str,
}

impl Source<'_> {
    fn error(&self, at: usize, reason: impl std::fmt::Display) -> FrameError {
        let inside = if self.name.is_empty() {
            String::new()
        } else {
            format!("array `{}`: ", self.name)
        };
        FrameError::Bytes {
            path: self.path.to_owned(),
            offset: at,
            reason: format!("{inside}{reason}"),
            array: (!self.name.is_empty()).then(|| self.name.to_owned()),
        }
    }

    fn array<'b>(&self, bytes: &'b [u8]) -> Result<Array<'b>, FrameError> {
        if !bytes.starts_with(MAGIC) {
            return Err(self.error(0, "it does not begin as an array of NumPy does"));
        }
        let (at, length) = match bytes.get(6..12) {
            Some([1, _, a, b, ..]) => (10, usize::from(u16::from_le_bytes([*a, *b]))),
            Some([2 | 3, _, a, b, c, d]) => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
            Some([version, ..]) => {
                return Err(self.error(6, format!("version {version} of the format is not known")));
            }
            _ => return Err(self.error(6, "the file is cut off")),
        };
        let header = bytes.get(at..).and_then(|rest| rest.get(..length));
        let header =
            header.ok_or_else(|| self.error(8, "the header is declared longer than the file"))?;
        let header = String::from_utf8_lossy(header);
        let broken =
            |what: &str| self.error(at, format!("the header says no {what} that can be read"));
        let shape = shape(&header).ok_or_else(|| broken("`shape` of one or two dimensions"))?;
        let fortran = value(&header, "fortran_order").ok_or_else(|| broken("`fortran_order`"))?;
        let fortran = fortran.starts_with("True");
        let descr = value(&header, "descr").unwrap_or_default();
        let descr = descr.trim_start_matches(['\'', '"']);
        let descr = descr.split(['\'', '"']).next().unwrap_or_default();
        let (element, size, big) = element(descr).ok_or_else(|| {
            let known = "f4, f8, i1 to i8, u1 to u8, booleans and texts are read";
            self.error(at, format!("elements of type `{descr}`: {known}"))
        })?;
        let (rows, columns, matrix) = match shape[..] {
            [rows] => (rows, 1, false),
            [rows, columns] => (rows, columns, true),
            _ => return Err(broken("`shape` of one or two dimensions")),
        };
        let start = at + length;
        let data = &bytes[start..];
        let expected = rows.checked_mul(columns).and_then(|n| n.checked_mul(size));
        if expected != Some(data.len()) {
            let reason = format!(
                "{rows} rows of {columns} elements of {size} bytes are declared, {} bytes follow",
                data.len()
            );
            return Err(self.error(start, reason));
        }
        Ok(Array {
            element,
            size,
            big,
            fortran,
            rows,
            columns,
            matrix,
            data,
        })
    }
}

/// The text behind a key of the header, a literal of Python.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let at = ['\'', '"'].into_iter().find_map(|quote| {
        let key = format!("{quote}{key}{quote}");
        header.find(&key).map(|at| at + key.len())
    })?;
    let rest = header[at..].trim_start().strip_prefix(':')?;
    Some(rest.trim_start())
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let (inside, _) = value(header, "shape")?.strip_prefix('(')?.split_once(')')?;
    let parts = inside
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| part.trim_end_matches('L').parse().ok())
        .collect()
}

/// Kind, bytes and order of an element.
fn element(descr: &str) -> Option<(Element, usize, bool)> {
    let (order, rest) = descr.split_at_checked(1)?;
    let (kind, size) = rest.split_at_checked(1)?;
    let size: usize = size.parse().ok()?;
    let (element, sizes): (_, &[usize]) = match kind {
        "f" => (Element::Real, &[4, 8]),
        "i" => (Element::Signed, &[1, 2, 4, 8]),
        "u" => (Element::Unsigned, &[1, 2, 4, 8]),
        "b" => (Element::Flag, &[1]),
        "U" if (1..=1 << 20).contains(&size) => (Element::Unicode, &[]),
        "S" if (1..=1 << 20).contains(&size) => (Element::Bytes, &[]),
        _ => return None,
    };
    if !sizes.is_empty() && !sizes.contains(&size) {
        return None;
    }
    let size = if element == Element::Unicode {
        4 * size
    } else {
        size
    };
    matches!(order, "<" | ">" | "|" | "=").then_some((element, size, order == ">"))
}

impl Array<'_> {
    /// The bytes of an element, the lowest first where it is a number.
    fn low_first<const N: usize>(&self, row: usize, column: usize) -> [u8; N] {
        let at = if self.fortran {
            column * self.rows + row
        } else {
            row * self.columns + column
        };
        let mut bytes = [0; N];
        let element = self
            .data
            .get(at * self.size..(at + 1) * self.size)
            .unwrap_or_default();
        for (to, from) in bytes.iter_mut().zip(element) {
            *to = *from;
        }
        if self.big
            && let Some(used) = bytes.get_mut(..self.size)
        {
            used.reverse();
        }
        bytes
    }

    fn text(&self, row: usize, column: usize) -> Option<String> {
        let at = if self.fortran {
            column * self.rows + row
        } else {
            row * self.columns + column
        };
        let bytes = self.data.get(at * self.size..(at + 1) * self.size)?;
        let text: Option<String> = if self.element == Element::Unicode {
            let (letters, _) = bytes.as_chunks::<4>();
            let number = if self.big {
                u32::from_be_bytes
            } else {
                u32::from_le_bytes
            };
            letters
                .iter()
                .map(|letter| char::from_u32(number(*letter)))
                .collect()
        } else {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        };
        text.map(|text| text.trim_end_matches('\0').to_owned())
    }

    fn values(
        &self,
        column: usize,
        source: &Source<'_>,
        name: &str,
        options: &ReadOptions,
    ) -> Result<RawValues, FrameError> {
        let rows = 0..self.rows;
        match self.element {
            Element::Real => {
                let real = |row| match self.size {
                    4 => f64::from(f32::from_le_bytes(self.low_first(row, column))),
                    _ => f64::from_le_bytes(self.low_first(row, column)),
                };
                let reals = rows.map(|row| Some(real(row)));
                finite(source.path, name, reals, options).map(RawValues::Numbers)
            }
            Element::Signed | Element::Unsigned => {
                let signed = self.element == Element::Signed;
                let whole = |row| {
                    let bits = u64::from_le_bytes(self.low_first(row, column));
                    let unused = 64 - 8 * self.size;
                    if signed {
                        i128::from((bits << unused).cast_signed() >> unused)
                    } else {
                        i128::from(bits)
                    }
                };
                wholes(
                    source.path,
                    name,
                    rows.map(|row| Some(whole(row))).collect(),
                    options,
                )
            }
            Element::Flag => {
                let mut texts = Texts::default();
                for row in rows {
                    let [byte] = self.low_first(row, column);
                    let text = if byte == 0 { "false" } else { "true" };
                    texts.push((!options.lists(text)).then_some(text), row as u64);
                }
                Ok(RawValues::Names(texts))
            }
            Element::Unicode | Element::Bytes => {
                let mut texts = Texts::default();
                for row in rows {
                    let Some(text) = self.text(row, column) else {
                        return Err(source.error(0, format!("row {row} of `{name}` is no text")));
                    };
                    let missing = text.is_empty() || options.lists(&text);
                    texts.push((!missing).then_some(&*text), row as u64);
                }
                Ok(RawValues::Names(texts))
            }
        }
    }
}

/// Reads one array.
pub(crate) fn read_npy(path: &Path, options: &ReadOptions) -> Result<RawTable, FrameError> {
    let bytes = read_bytes(path)?;
    let source = Source { path, name: "" };
    table(path, options, &[("c".to_owned(), bytes)], &[source])
}

/// Reads an archive of arrays.
pub(crate) fn read_npz(path: &Path, options: &ReadOptions) -> Result<RawTable, FrameError> {
    let bytes = read_bytes(path)?;
    let damaged = |offset: u64, reason: String| FrameError::Bytes {
        path: path.to_owned(),
        offset: usize::try_from(offset).unwrap_or(usize::MAX),
        reason,
        array: None,
    };
    let failed = |error: rawzip::Error| damaged(0, error.to_string());
    let archive = rawzip::ZipArchive::from_slice(&bytes).map_err(failed)?;
    let (mut arrays, mut ignored) = (Vec::new(), Vec::new());
    for entry in archive.entries() {
        let entry = entry.map_err(failed)?;
        let start = entry.local_header_offset();
        let failed = |error: rawzip::Error| damaged(start, error.to_string());
        let file = entry.file_path();
        let file = String::from_utf8_lossy(file.as_bytes()).into_owned();
        if options
            .ignore
            .contains(&file.trim_end_matches(".npy").to_owned())
        {
            ignored.push(file.trim_end_matches(".npy").to_owned());
            continue;
        }
        let Some(name) = file.strip_suffix(".npy") else {
            return Err(FrameError::Bytes {
                path: path.to_owned(),
                offset: usize::try_from(start).unwrap_or(usize::MAX),
                reason: format!("`{file}` is no array: its name does not end in .npy"),
                array: Some(file),
            });
        };
        let method = entry.compression_method();
        let found = archive.get_entry(entry.wayfinder()).map_err(failed)?;
        let data: Box<dyn Read + '_> = match method {
            rawzip::CompressionMethod::STORE => Box::new(found.data()),
            rawzip::CompressionMethod::DEFLATE => {
                Box::new(flate2::bufread::DeflateDecoder::new(found.data()))
            }
            other => {
                return Err(damaged(
                    start,
                    format!("array `{name}` is packed as {other}"),
                ));
            }
        };
        arrays.push((name.to_owned(), unpack(path, found.verifying_reader(data))?));
    }
    if arrays.is_empty() {
        return Err(FrameError::Empty {
            path: path.to_owned(),
        });
    }
    let sources: Vec<Source<'_>> = arrays
        .iter()
        .map(|(name, _)| Source { path, name })
        .collect();
    // An array that is left out as a whole need be none that could be read.
    let mut options = options.clone();
    options.ignore.retain(|name| !ignored.contains(name));
    table(path, &options, &arrays, &sources)
}

/// The arrays of a file as columns.
fn table(
    path: &Path,
    options: &ReadOptions,
    arrays: &[(String, Vec<u8>)],
    sources: &[Source<'_>],
) -> Result<RawTable, FrameError> {
    let mut found = Vec::new();
    for ((_, bytes), source) in arrays.iter().zip(sources) {
        found.push(source.array(bytes)?);
    }
    let n_rows = found.first().map_or(0, |array| array.rows);
    if n_rows == 0 {
        return Err(FrameError::NoRows {
            path: path.to_owned(),
        });
    }
    let mut names = Vec::new();
    for (((name, _), array), source) in arrays.iter().zip(&found).zip(sources) {
        if array.rows != n_rows {
            let reason = format!("{} rows, where `{}` has {n_rows}", array.rows, arrays[0].0);
            return Err(source.error(0, reason));
        }
        let of_matrix = (1..=array.columns).map(|at| format!("{name}{at}"));
        if array.matrix || sources[0].name.is_empty() {
            names.extend(of_matrix);
        } else {
            names.push(name.clone());
        }
    }
    let kept = kept_columns(path, &names, options)?;
    let mut table = RawTable {
        n_rows,
        ..RawTable::of(path, options, Place::Row)
    };
    let places = found
        .iter()
        .zip(sources)
        .flat_map(|(array, source)| (0..array.columns).map(move |column| (array, source, column)));
    for ((name, kept), (array, source, column)) in names.into_iter().zip(kept).zip(places) {
        if kept {
            table.columns.push(RawColumn {
                declared: declared(options, &name),
                values: array.values(column, source, &name, options)?,
                name,
                spelt: Vec::new(),
            });
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_python() {
        let header = "{'descr': '>i4', 'fortran_order': False, 'shape': (3, 2), }  \n";
        assert_eq!(shape(header), Some(vec![3, 2]));
        assert_eq!(element("<f8"), Some((Element::Real, 8, false)));
        assert_eq!(element(">U3"), Some((Element::Unicode, 12, true)));
        for bad in ["", "O", "|O8", "<f2", "<c16", "é", "<i3", "<U99999999"] {
            assert_eq!(element(bad), None, "{bad}");
        }
        assert_eq!(shape("{'shape': ()}"), Some(Vec::new()));
        assert_eq!(shape("{'shape': (-1,)}"), None);
    }
}
