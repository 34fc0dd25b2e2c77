//! Rows that are resampled in one expression.

use counterweight_core::{
    Deadline, Matrix, Note, Origin, Resampler, Seed, Shared, SmallClass, StageContext, StageError,
    StageResult, StreamKey, Train,
};

use super::features::{Features, Label, train};
use crate::CATALOGUE;

/// Resamples rows of one's own.
pub trait FitResample: Resampler + Sized {
    /// The same with a stream of its own; without it the seed is 0.
    fn seed(self, seed: u64) -> Seeded<Self> {
        Seeded { method: self, seed }
    }

    /// The rows resampled. A class that is too small for a parameter reduces it, which
    /// [`notes`](Resampled::notes) say.
    ///
    /// # Errors
    /// Whatever the method says of the rows; a method that draws minibatches makes none.
    ///
    /// # Examples
    /// ```
    /// use counterweight::{FitResample, Smote};
    /// let (x, y) = ([[0.0], [1.0], [2.0], [8.0], [9.0]], [0, 0, 0, 1, 1]);
    /// let even = Smote::default().k(3).fit_resample(&x, &y)?;
    /// assert_eq!(even.y, [0, 0, 0, 1, 1, 1]);
    /// # Ok::<(), counterweight::StageError>(())
    /// ```
    fn fit_resample<X: Features + ?Sized, L: Label>(
        &self,
        x: &X,
        y: &[L],
    ) -> StageResult<Resampled<L>> {
        resample(self, 0, x, y)
    }
}

impl<T: Resampler> FitResample for T {}

/// A resampler with a seed.
#[derive(Clone, Debug)]
pub struct Seeded<R> {
    method: R,
    seed: u64,
}

impl<R: Resampler> Seeded<R> {
    /// As [`FitResample::fit_resample`].
    ///
    /// # Errors
    /// As there.
    pub fn fit_resample<X: Features + ?Sized, L: Label>(
        &self,
        x: &X,
        y: &[L],
    ) -> StageResult<Resampled<L>> {
        resample(&self.method, self.seed, x, y)
    }
}

/// What a resampler made of some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampled<L> {
    /// The features, one row a sample.
    pub x: Matrix,
    /// The label of each row.
    pub y: Vec<L>,
    /// Where each row comes from: a row that was given, by its number from 0, or a place between two.
    pub origins: Vec<Origin>,
    /// What a reader of the result has to know, such as a parameter that was reduced.
    pub notes: Vec<Note>,
}

impl<L> Resampled<L> {
    /// The numbers of the rows that are rows as they were given: what an under-sampler kept, with repeats what an
    /// over-sampler copied. Rows that were made are left out.
    pub fn rows(&self) -> Vec<usize> {
        let row = |origin: &Origin| match origin {
            Origin::Row(row) => Some(*row),
            Origin::Synthetic { .. } => None,
        };
        self.origins.iter().filter_map(row).collect()
    }

    /// The features as an `ndarray`.
    #[cfg(feature = "ndarray")]
    pub fn to_ndarray(&self) -> ndarray::Array2<f64> {
        ndarray::Array2::from_shape_fn((self.x.rows(), self.x.cols()), |(i, j)| self.x.at(i, j))
    }

    /// The features as a polars `DataFrame` with these names of the columns.
    ///
    /// # Errors
    /// [`StageError::Failed`] for another number of names than columns, and for a name that is there twice.
    #[cfg(feature = "polars")]
    pub fn to_polars(
        &self,
        names: &[&str],
    ) -> StageResult<counterweight_frame::polars::prelude::DataFrame> {
        let frame = counterweight_frame::frame_of(&self.x, names);
        frame.map_err(|error| StageError::Failed(error.to_string()))
    }

    /// The rows and labels as a linfa dataset.
    #[cfg(all(feature = "linfa", feature = "ndarray"))]
    pub fn to_linfa(&self) -> linfa::DatasetBase<ndarray::Array2<f64>, ndarray::Array1<L>>
    where
        L: Clone,
    {
        linfa::DatasetBase::new(self.to_ndarray(), ndarray::Array1::from_vec(self.y.clone()))
    }
}

fn resample<X: Features + ?Sized, L: Label>(
    method: &dyn Resampler,
    seed: u64,
    x: &X,
    y: &[L],
) -> StageResult<Resampled<L>> {
    let (train, classes) = train(x, y)?;
    let (even, notes) = apply(method, &train, &Seed(seed).stage("resample"))?;
    if even.batches().is_some() {
        return Err(StageError::NotApplicable(
            "it changes how minibatches are drawn, and makes no rows: give it to a learner by `resample`".into(),
        ));
    }
    let samples = even.samples();
    Ok(Resampled {
        x: samples.x().clone(),
        y: samples
            .y()
            .ids()
            .iter()
            .map(|&id| classes[id as usize].clone())
            .collect(),
        origins: samples.origins().to_vec(),
        notes,
    })
}

/// Training rows resampled, and what was noted.
pub(super) fn apply(
    method: &dyn Resampler,
    train: &Train,
    key: &StreamKey,
) -> StageResult<(Train, Vec<Note>)> {
    let shared = Shared::default();
    let mut context = StageContext::new(key.open(), SmallClass::Clamp, Deadline::NEVER, &shared);
    let as_they_are = |samples: &counterweight_core::Samples| Ok(samples.clone());
    let even = CATALOGUE.resample(method, train, &as_they_are, &mut context)?;
    Ok((even, context.notes))
}
