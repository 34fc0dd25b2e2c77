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
