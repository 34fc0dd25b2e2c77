//! What rows and labels may be.

use std::fmt::Display;

use counterweight_core::{Labels, Matrix, Partition, Samples, StageError, StageResult, Train};

/// What can be read as a matrix of features, one row a sample: [`Matrix`], slices and lists of rows; with the feature of
/// that name an `ndarray` of two dimensions, a polars `DataFrame` of numbers, the records of a linfa `Dataset`.
pub trait Features {
    /// The matrix.
    ///
    /// # Errors
    /// [`StageError::Failed`] for rows of several lengths, or a column that holds no numbers.
    fn to_matrix(&self) -> StageResult<Matrix>;
}

impl Features for Matrix {
    fn to_matrix(&self) -> StageResult<Matrix> {
        Ok(self.clone())
    }
}

impl<R: AsRef<[f64]>> Features for [R] {
    fn to_matrix(&self) -> StageResult<Matrix> {
        let cols = self.first().map_or(0, |row| row.as_ref().len());
        if let Some(at) = self.iter().position(|row| row.as_ref().len() != cols) {
            let found = self[at].as_ref().len();
            let message = format!("row {at} has {found} columns, the first has {cols}");
            return Err(StageError::Failed(message));
        }
        let data = self.iter().flat_map(|row| row.as_ref().iter().copied());
        Ok(Matrix::from_vec(self.len(), cols, data.collect())?)
    }
}

impl<R: AsRef<[f64]>> Features for Vec<R> {
    fn to_matrix(&self) -> StageResult<Matrix> {
        self.as_slice().to_matrix()
    }
}

impl<R: AsRef<[f64]>, const N: usize> Features for [R; N] {
    fn to_matrix(&self) -> StageResult<Matrix> {
        self.as_slice().to_matrix()
    }
}

#[cfg(feature = "ndarray")]
impl<S: ndarray::Data<Elem = f64>> Features for ndarray::ArrayBase<S, ndarray::Ix2> {
    fn to_matrix(&self) -> StageResult<Matrix> {
        let data = self.iter().copied().collect();
        Ok(Matrix::from_vec(self.nrows(), self.ncols(), data)?)
    }
}

#[cfg(feature = "polars")]
impl Features for counterweight_frame::polars::prelude::DataFrame {
    fn to_matrix(&self) -> StageResult<Matrix> {
        counterweight_frame::matrix_of(self).map_err(|error| StageError::Failed(error.to_string()))
    }
}

#[cfg(feature = "linfa")]
impl<R: Features, T> Features for linfa::DatasetBase<R, T>
where
    R: linfa::dataset::Records,
{
    fn to_matrix(&self) -> StageResult<Matrix> {
        self.records().to_matrix()
    }
}

/// What a label may be: anything with an order, which the classes then have, and a text.
pub trait Label: Ord + Clone + Display {}

impl<L: Ord + Clone + Display> Label for L {}

/// The rows as training rows, and the value of each class.
pub(super) fn train<X: Features + ?Sized, L: Label>(
    x: &X,
    y: &[L],
) -> StageResult<(Train, Vec<L>)> {
    let x = x.to_matrix()?;
    if let Some(row) = x
        .iter_rows()
        .position(|row| !row.iter().all(|v| v.is_finite()))
    {
        let message =
            format!("row {row} holds a value that is missing or not finite; fill it in first");
        return Err(StageError::Failed(message));
    }
    let (labels, classes) = Labels::of_values(y);
    let n = x.rows();
    let samples = Samples::numeric(x, labels)?;
    let (train, _) = Partition::new(n, (0..n).collect(), Vec::new())?.cut_samples(&samples)?;
    Ok((train, classes))
}
