//! What a sweep file may ask for at most, so that what is accepted can be planned.

use counterweight_config::Diagnostics;

/// Cells of a plan, and claims of its leaks.
pub const MOST_CELLS: usize = 10_000_000;

/// Points of a grid; models of a sweep, and corrections.
pub const MOST_POINTS: usize = 1_000_000;

/// Rows of a training or test set: far beyond any memory, and far below where counts would overflow.
pub const MOST_ROWS: usize = 1_000_000_000_000;

/// Letters of an id that stands in a sweep file.
pub const LONGEST_ID: usize = 200;

/// Whether ids may hold it.
pub(crate) fn is_id_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.+[]=,".contains(c)
}

/// The product of the lengths of a grid's axes; `None` when it is too large.
pub(crate) fn grid_size(mut lengths: impl Iterator<Item = usize>) -> Option<usize> {
    let points = lengths.try_fold(1_usize, usize::checked_mul)?;
    (points <= MOST_POINTS).then_some(points)
}

/// Says so of a grid, or of all models or corrections together.
pub(crate) fn too_many_points(line: usize, key: &str, errors: &mut Diagnostics) {
    let message = format!("more than {MOST_POINTS} points");
    let hint = "give fewer values, or cut the sweep into several files".to_owned();
    errors.add(Some(line), key, message, Some(hint));
}

/// What to write for a number of bytes.
pub const BYTES_HINT: &str = "write a number and a unit, such as \"500MB\" or \"4GB\"";

/// Bytes, from a number above 0 and its unit: `kB`, `MB`, `GB` and `TB` in thousands, `KiB` and on in 1024s.
///
/// # Errors
/// In words, for anything else and for what no machine has.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    /// More than any machine has.
    const MOST: f64 = 1e18;
    let at = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let number = text[..at].trim().parse::<f64>().ok();
    let unit = match text[at..].trim() {
        "B" => Some(1.0),
        "kB" | "KB" => Some(1e3),
        "MB" => Some(1e6),
        "GB" => Some(1e9),
        "TB" => Some(1e12),
        "KiB" => Some(1024.0),
        "MiB" => Some(f64::from(1 << 20)),
        "GiB" => Some(f64::from(1 << 30)),
        "TiB" => Some(1024.0 * f64::from(1 << 30)),
        _ => None,
    };
    let bytes = number.zip(unit).map(|(number, unit)| number * unit);
    match bytes {
        Some(bytes) if bytes > MOST => Err(format!("`{text}` is more than any machine has")),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 1e18"
        )]
        Some(bytes) if bytes >= 1.0 => Ok(bytes as u64),
        _ => Err(format!("`{text}` is not an amount of memory above 0")),
    }
}
