//! Slices as matrices for large products: ndarray's `f64` kernel is matrixmultiply, which sums every entry
//! of the result in an order that does not depend on threads or on the rows around it.

use ndarray::{ArrayView2, ArrayViewMut2};

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
