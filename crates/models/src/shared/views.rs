//! Slices as matrices for large products: ndarray's `f64` kernel is matrixmultiply, which sums every entry
//! of the result in an order that does not depend on threads or on the rows around it.

use counterweight_core::limit;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

/// Products of two numbers between two looks at the deadline.
const AT_ONCE: usize = 1 << 29;

/// A row-major view of `data` as `rows x cols`.
///
/// # Panics
/// When the length is not `rows * cols`: a programming error.
pub(crate) fn view(rows: usize, cols: usize, data: &[f64]) -> ArrayView2<'_, f64> {
    ArrayView2::from_shape((rows, cols), data).expect("the length is rows x cols")
}

/// A writable row-major view of `data` as `rows x cols`.
///
/// # Panics
/// When the length is not `rows * cols`: a programming error.
pub(crate) fn view_mut(rows: usize, cols: usize, data: &mut [f64]) -> ArrayViewMut2<'_, f64> {
    ArrayViewMut2::from_shape((rows, cols), data).expect("the length is rows x cols")
}

/// `to = scale x' x`, row-major: the rows of `to` in parts, between which the deadline is looked at. Every
/// entry is summed as in one product.
pub(crate) fn gram(scale: f64, x: &ArrayView2<'_, f64>, to: &mut [f64]) {
    let (n, d) = x.dim();
    let rows = (AT_ONCE / (n * d).max(1)).max(8);
    let mut to = view_mut(d, d, to);
    for (part, mut to) in to.axis_chunks_iter_mut(Axis(0), rows).enumerate() {
        limit::ask();
        let from = part * rows;
        let columns = x.slice_axis(Axis(1), (from..from + to.nrows()).into());
        general_mat_mul(scale, &columns.t(), x, 0.0, &mut to);
    }
}
