//! A dense row-major matrix of `f64`.
//!
//! Kept deliberately small: linfa and smartcore bind two incompatible versions of ndarray, so the
//! workspace owns the type that crosses crate borders and adapters convert at the edge.

use crate::error::{CoreError, Result};
use crate::stage::limit;

/// A dense matrix, `rows x cols`, stored row by row.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self {
            rows,
            cols,
            data: vec![0.0; rows * cols],
        }
    }

    /// Takes `data` (row by row) as a `rows x cols` matrix.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when `data.len() != rows * cols`.
    pub fn from_vec(rows: usize, cols: usize, data: Vec<f64>) -> Result<Self> {
        if data.len() == rows * cols {
            Ok(Self { rows, cols, data })
        } else {
            Err(CoreError::Shape {
                what: "matrix data",
                expected: rows * cols,
                found: data.len(),
            })
        }
    }

    /// Builds a matrix entry by entry.
    #[must_use]
    pub fn from_fn(rows: usize, cols: usize, mut entry: impl FnMut(usize, usize) -> f64) -> Self {
        let mut data = Vec::with_capacity(rows * cols);
        for i in 0..rows {
            limit::ask_at(i);
            for j in 0..cols {
                data.push(entry(i, j));
            }
        }
        Self { rows, cols, data }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i`.
    ///
    /// # Panics
    /// When `i >= rows`, as slice indexing does.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Row `i`, writable.
    ///
    /// # Panics
    /// When `i >= rows`, as slice indexing does.
    pub fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Entry `(i, j)`.
    ///
    /// # Panics
    /// When out of range, as slice indexing does.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.data[i * self.cols + j]
    }

    /// Sets entry `(i, j)`.
    ///
    /// # Panics
    /// When out of range, as slice indexing does.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        self.data[i * self.cols + j] = value;
    }

    /// All rows in order. A matrix without columns gives no rows.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.data.chunks_exact(self.cols.max(1))
    }

    /// Column `j`, copied.
    pub fn column(&self, j: usize) -> Vec<f64> {
        (0..self.rows).map(|i| self.at(i, j)).collect()
    }

    /// The rows `ids`, in that order (repeats allowed).
    #[must_use]
    pub fn select_rows(&self, ids: &[usize]) -> Self {
        let mut data = Vec::with_capacity(ids.len() * self.cols);
        for &i in ids {
            data.extend_from_slice(self.row(i));
        }
        Self {
            rows: ids.len(),
            cols: self.cols,
            data,
        }
    }

    /// Appends one row.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when the row has another length than the matrix has columns.
    pub fn push_row(&mut self, row: &[f64]) -> Result<()> {
        if row.len() != self.cols {
            return Err(CoreError::Shape {
                what: "matrix row",
                expected: self.cols,
                found: row.len(),
            });
        }
        self.data.extend_from_slice(row);
        self.rows += 1;
        Ok(())
    }

    /// The entries, row by row.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    /// The entries, row by row, writable.
    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        &mut self.data
    }

    /// The first entry that is NaN or infinite, as `(row, column)`.
    pub fn first_non_finite(&self) -> Option<(usize, usize)> {
        let at = self.data.iter().position(|v| !v.is_finite())?;
        Some((at / self.cols, at % self.cols))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_columns_and_selection() {
        let m = Matrix::from_vec(2, 3, vec![1., 2., 3., 4., 5., 6.]).unwrap();
        assert_eq!(m.row(1), [4., 5., 6.]);
        assert_eq!(m.column(2), [3., 6.]);
        assert_eq!(m.select_rows(&[1, 0, 1]).column(0), [4., 1., 4.]);
        assert_eq!(m.iter_rows().len(), 2);
        assert!(Matrix::from_vec(2, 2, vec![0.0]).is_err());
    }

    #[test]
    fn non_finite_entries_are_located() {
        let mut m = Matrix::zeros(2, 2);
        assert_eq!(m.first_non_finite(), None);
        m.set(1, 0, f64::INFINITY);
        assert_eq!(m.first_non_finite(), Some((1, 0)));
    }
}
