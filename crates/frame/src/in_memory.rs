//! Matrices from and to frames that are in memory already.

use counterweight_core::Matrix;
use polars::prelude::{Column, DataFrame, DataType, PolarsError, PolarsResult};

/// The columns as a matrix: whole numbers and truth values become reals, an empty cell NaN.
///
/// # Errors
/// [`PolarsError`] for a column that holds no numbers.
pub fn matrix_of(frame: &DataFrame) -> PolarsResult<Matrix> {
    let mut columns = Vec::with_capacity(frame.width());
    for column in frame.columns() {
        let kind = column.dtype();
        if !(kind.is_primitive_numeric() || *kind == DataType::Boolean || *kind == DataType::Null) {
            let message = format!("column `{}` holds {kind} and no numbers", column.name());
            return Err(PolarsError::ComputeError(message.into()));
        }
        let reals = column.cast(&DataType::Float64)?;
        let values: Vec<f64> = reals
            .f64()?
            .iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect();
        columns.push(values);
    }
    Ok(Matrix::from_fn(frame.height(), columns.len(), |i, j| {
        columns[j][i]
    }))
}

/// A matrix as a frame whose columns are called so.
///
/// # Errors
/// [`PolarsError`] for another number of names than columns, and for two that are one.
pub fn frame_of(x: &Matrix, names: &[&str]) -> PolarsResult<DataFrame> {
    if names.len() != x.cols() {
        let message = format!("{} names for {} columns", names.len(), x.cols());
        return Err(PolarsError::ShapeMismatch(message.into()));
    }
    let column = |(j, name): (usize, &&str)| Column::new((*name).into(), x.column(j));
    DataFrame::new(x.rows(), names.iter().enumerate().map(column).collect())
}
