//! What a Parquet file declares, held against the bytes that it has.
//!
//! polars reserves memory for the sizes that the footer and the page headers declare, and one flipped bit
//! can declare 2^61 bytes: the process then ends on the spot, where nothing can be caught. Here the
//! footer and every page header are walked first, and a file whose sizes cannot be is refused.

use crate::thrift::{Value, structure};

const MAGIC: &[u8] = b"PAR1";

/// Groups of columns inside each other: more would exhaust the stack of a reader.
const DEEPEST: usize = 64;

/// Values that a column chunk may hold for each of its bytes, beside a million: runs of one value are short.
const VALUES_A_BYTE: i64 = 1 << 12;

/// Why a file cannot be what it declares; nothing when it can.
pub(crate) fn fault(bytes: &[u8]) -> Option<String> {
    check(bytes).err()
}

fn check(bytes: &[u8]) -> Result<(), String> {
    let n = bytes.len();
    if n < 12 || !bytes.starts_with(MAGIC) {
        return Err("it does not begin as a Parquet file does".into());
    }
    let (rest, tail) = bytes.split_at(n - 8);
    let (length, magic) = tail.split_at(4);
    if magic != MAGIC {
        return Err("it does not end as a Parquet file does: cut off?".into());
    }
    let length = length
        .iter()
        .rev()
        .fold(0_usize, |sum, &b| sum << 8 | usize::from(b));
    let start = rest.len().checked_sub(length).filter(|at| *at >= 4);
    let start = start.ok_or("its footer is declared longer than the file")?;
    let (footer, _) = structure(&rest[start..]).ok_or("its footer is damaged")?;
    check_schema(footer.list(2))?;
    texts(&footer, &[6])?;
    footer
        .list(5)
        .iter()
        .try_for_each(|pair| texts(pair, &[1, 2]))?;
    let pages = &rest[..start];
    let mut rows = 0_i64;
    for group in footer.list(4) {
        let n = count(group, 3, "rows of a row group")?;
        rows = rows.checked_add(n).ok_or("its rows cannot be counted")?;
        for chunk in group.list(1) {
            texts(chunk, &[1])?;
            let chunk = chunk.field(3).ok_or("a column chunk has no description")?;
            chunk.all(12).try_for_each(statistics)?;
            if !chunk
                .list(3)
                .iter()
                .all(|name| matches!(name, Value::Other))
            {
                return Err("the name of a column is damaged".into());
            }
            check_chunk(chunk, pages, n)?;
        }
    }
    if rows == count(&footer, 3, "rows")? {
        Ok(())
    } else {
        Err("its row groups have other rows than the file".into())
    }
}

/// A whole number that has to be there and must not be negative.
fn count(of: &Value, field: i64, what: &str) -> Result<i64, String> {
    of.whole(field)
        .filter(|n| *n >= 0)
        .ok_or_else(|| format!("the number of {what} is damaged"))
}

/// Fields that hold bytes hold nothing else: polars would take a number there for their length.
fn texts(of: &Value, fields: &[i64]) -> Result<(), String> {
    let odd = |field: &&i64| of.all(**field).any(|value| !matches!(value, Value::Other));
    match fields.iter().find(odd) {
        Some(field) => Err(format!("field {field} of a header is damaged")),
        None => Ok(()),
    }
}

fn statistics(of: &Value) -> Result<(), String> {
    texts(of, &[1, 2, 5, 6])
}

/// The schema is a tree, written in depth first.
fn check_schema(elements: &[Value]) -> Result<(), String> {
    let mut open: Vec<i64> = Vec::new();
    for element in elements {
        texts(element, &[4])?;
        let children = element.whole(5).unwrap_or(0);
        let length = element.whole(2).unwrap_or(0);
        let most = i64::try_from(elements.len()).unwrap_or(i64::MAX);
        if !(0..=most).contains(&children) || !(0..=1 << 20).contains(&length) {
            return Err("its schema is damaged".into());
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.len() > DEEPEST {
            return Err("its schema is too deep".into());
        }
    }
    Ok(())
}

/// One column of one row group: its pages hold as many values as it declares, and no size is beyond
/// what its bytes can hold.
fn check_chunk(chunk: &Value, pages: &[u8], rows: i64) -> Result<(), String> {
    let values = count(chunk, 5, "values of a column")?;
    let bytes = count(chunk, 7, "bytes of a column")?;
    let nested = chunk.list(3).len() > 1;
    let most = bytes.saturating_mul(VALUES_A_BYTE).saturating_add(1 << 20);
    if (!nested && values != rows) || values > most {
        return Err(format!(
            "a column of {rows} rows and {bytes} bytes declares {values} values"
        ));
    }
    let data = count(chunk, 9, "the first page")?;
    let first = chunk
        .whole(11)
        .filter(|at| *at > 0)
        .map_or(data, |at| at.min(data));
    let mut at = usize::try_from(first).unwrap_or(usize::MAX);
    let codec = chunk.whole(4).unwrap_or(0);
    let mut seen = 0_i64;
    while seen < values {
        let left = pages
            .get(at..)
            .ok_or("a page lies behind the end of the file")?;
        let (header, length) = structure(left).ok_or("a page header is damaged")?;
        let size = count(&header, 3, "bytes of a page")?;
        let end = usize::try_from(size)
            .ok()
            .and_then(|size| size.checked_add(length));
        let end = end.filter(|end| *end <= left.len());
        at += end.ok_or("a page is declared longer than the file")?;
        seen = seen.saturating_add(page_values(&header, (codec, size))?);
        if seen > values {
            return Err("the pages of a column declare more values than the column".into());
        }
    }
    Ok(())
}

/// Values of a page, none of a dictionary or an index.
fn page_values(header: &Value, (codec, size): (i64, i64)) -> Result<i64, String> {
    let plain = count(header, 2, "bytes of a page")?;
    // What a byte can at most become: nothing, Snappy, gzip, LZ4; the others know runs.
    let ratio = match codec {
        0 => 1,
        1 => 64,
        2 => 1_100,
        5 | 7 => 256,
        _ => 1 << 16,
    };
    if plain > size.saturating_mul(ratio).saturating_add(1 << 10) {
        return Err(format!(
            "a page of {size} bytes declares {plain} bytes of content"
        ));
    }
    for kind in [5, 8] {
        let own = header.all(kind).flat_map(|data| data.all(kind));
        own.into_iter().try_for_each(statistics)?;
    }
    if let Some(dictionary) = header.field(7) {
        let entries = count(dictionary, 1, "entries of a dictionary")?;
        return if entries > plain {
            Err(format!(
                "a dictionary of {plain} bytes declares {entries} entries"
            ))
        } else {
            Ok(0)
        };
    }
    let Some(data) = header.field(5).or(header.field(8)) else {
        return Ok(0);
    };
    if header.field(8).is_some() {
        let levels = count(data, 5, "levels")?.saturating_add(count(data, 6, "levels")?);
        if levels > size {
            return Err("the levels of a page are declared longer than the page".into());
        }
    }
    count(data, 1, "values of a page")
}
