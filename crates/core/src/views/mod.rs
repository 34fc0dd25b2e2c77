//! Rows with a role. `Train`, `Calib` and `Test` are different types, so that handing test rows to
//! a resampler or a tuner does not compile.
//!
//! The views can only be had from a [`Partition`], which checks that no row is on both sides, and
//! from [`OutOfFold`], which checks that every training row was scored exactly once by a model that
//! did not see it.
//!
//! ```compile_fail
//! use counterweight_core::{Resampler, StageContext, Test};
//! fn leak(resampler: &dyn Resampler, test: &Test, context: &mut StageContext) {
//!     let _ = resampler.resample(test, context); // expects `&Train`
//! }
//! ```
//!
//! ```compile_fail
//! use counterweight_core::{Decision, DecideContext, Test};
//! fn leak(decision: &dyn Decision, context: &DecideContext, test: &Test) {
//!     let _ = decision.fit(context, Some(test)); // expects `Option<&Calib>`
//! }
//! ```
//!
//! A transductive rule sees the scores of the test rows as [`TestScores`], through which no label can
//! be reached:
//!
//! ```compile_fail
//! use counterweight_core::TestScores;
//! fn leak(batch: &TestScores) {
//!     let _ = batch.labels(); // no such method
//! }
//! ```
//!
//! The same calls with the right views compile:
//!
//! ```
//! use counterweight_core::{Calib, Decision, DecideContext, Resampler, StageContext, Train};
//! fn sound(
//!     resampler: &dyn Resampler,
//!     train: &Train,
//!     context: &mut StageContext,
//!     decision: &dyn Decision,
//!     about: &DecideContext,
//!     calib: &Calib,
//! ) {
//!     let _ = resampler.resample(train, context);
//!     let _ = decision.fit(about, Some(calib));
//! }
//! ```

mod samples;

pub use samples::{ColumnKind, Origin, Samples};

use std::sync::Arc;

use crate::dataset::Dataset;
use crate::error::{CoreError, Result, StageResult};
use crate::labels::{ClassCounts, Labels};
use crate::matrix::Matrix;
use crate::scores::Scores;
use crate::stage::{Shared, StageContext};

/// How a learner that trains by minibatches draws them: the classes' shares of the draws.
///
/// Kang et al., "Decoupling representation and classifier for long-tailed recognition", ICLR 2020.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchScheme {
    /// Every class alike.
    ClassBalanced,
    /// In proportion to the square root of a class's rows.
    SquareRoot,
    /// From the rows' own shares in the first epoch to every class alike in the last.
    Progressive,
}

impl BatchScheme {
    /// The classes' shares of the draws at `progress`, 0 for the first epoch and 1 for the last.
    /// They sum to 1; a class without rows has none.
    pub fn shares(self, counts: &ClassCounts, progress: f64) -> Vec<f64> {
        let normed = |mass: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let mass: Vec<f64> = counts
                .as_slice()
                .iter()
                .map(|&n| if n > 0 { mass(n as f64) } else { 0.0 })
                .collect();
            let total: f64 = mass.iter().sum();
            mass.iter()
                .map(|m| if total > 0.0 { m / total } else { 0.0 })
                .collect()
        };
        match self {
            Self::ClassBalanced => normed(&|_| 1.0),
            Self::SquareRoot => normed(&f64::sqrt),
            Self::Progressive => {
                let t = progress.clamp(0.0, 1.0);
                let (even, own) = (normed(&|_| 1.0), normed(&|n| n));
                even.iter()
                    .zip(&own)
                    .map(|(even, own)| t * even + (1.0 - t) * own)
                    .collect()
            }
        }
    }
}

/// Training rows: what resamplers and learners see.
#[derive(Clone, Debug, PartialEq)]
pub struct Train(Samples, Option<BatchScheme>, Option<Arc<[u32]>>);

/// Held-out rows. Their features may be scored by anybody; their labels serve metrics only.
#[derive(Clone, Debug, PartialEq)]
pub struct Test(Samples);

impl Train {
    /// The rows.
    pub fn samples(&self) -> &Samples {
        &self.0
    }

    /// Rows of each class.
    pub fn counts(&self) -> ClassCounts {
        self.0.y.counts()
    }

    /// Training rows made of these ones: a resampler's result, or their encoding. Where rows have weights, one that
    /// is made has that of the row that it is or starts from.
    ///
    /// # Errors
    /// Whatever `change` gives.
    pub fn derive<E>(
        &self,
        change: impl FnOnce(&Samples) -> std::result::Result<Samples, E>,
    ) -> std::result::Result<Self, E> {
        change(&self.0).map(|samples| Self(self.0.weighing(samples), self.1, self.2.clone()))
    }

    /// These rows resampled by `method`, which does not see indicators of missing values: a row that is
    /// kept keeps its own, a new row has those of the row that it starts from. What is shared by the
    /// stages that see these rows stays apart from what they see with the indicators.
    ///
    /// # Errors
    /// Whatever `method` gives; [`StageError::Failed`](crate::StageError::Failed) when its rows come from nowhere.
    pub fn resampled_by(
        &self,
        context: &mut StageContext<'_>,
        method: impl FnOnce(&Self, &mut StageContext<'_>) -> StageResult<Self>,
    ) -> StageResult<Self> {
        if !self.0.kinds.contains(&ColumnKind::Indicator) {
            return method(self, context);
        }
        let aside = context.shared.get_or_compute("without indicators", || {
            Ok((self.derive(Samples::without_indicators)?, Shared::default()))
        })?;
        let made = context.beside(&aside.1, |context| method(&aside.0, context))?;
        Ok(made.derive(|samples| samples.with_indicators(&self.0))?)
    }

    /// The same rows, whose originals belong to groups: `groups[i]` is that of the original row `i`.
    #[must_use]
    pub fn with_groups(self, groups: Option<Arc<[u32]>>) -> Self {
        Self(self.0, self.1, groups)
    }

    /// The group of an original row; where rows have no groups, each is its own.
    pub fn group_of(&self, original: usize) -> usize {
        let groups = self.2.as_ref();
        groups.map_or(original, |groups| groups[original] as usize)
    }

    /// The group of each row, where rows have groups; a synthetic row has that of the row it starts from.
    pub fn groups(&self) -> Option<Vec<u32>> {
        let groups = self.2.as_ref()?;
        let of = |origin: &Origin| groups[origin.base()];
        Some(self.0.origins.iter().map(of).collect())
    }

    /// How minibatches are to be drawn from these rows; `None` for each row once an epoch.
    pub fn batches(&self) -> Option<BatchScheme> {
        self.1
    }

    /// The same rows, with minibatches drawn by `scheme`.
    #[must_use]
    pub fn with_batches(self, scheme: BatchScheme) -> Self {
        Self(self.0, Some(scheme), self.2)
    }

    /// The mass that each class has in training: what its rows weigh, or its share of the draws that
    /// training ends with.
    pub fn class_mass(&self) -> Vec<f64> {
        let counts = self.counts();
        match self.1 {
            None => counts.masses(),
            Some(scheme) => scheme.shares(&counts, 1.0),
        }
    }

    /// Splits the training rows once more, for cross-fitting: the rows in `held` become the inner
    /// test rows.
    ///
    /// # Errors
    /// As [`Partition::new`].
    pub fn hold_out(&self, held: &[usize]) -> Result<(Self, Test)> {
        let inside = complement(self.0.n_rows(), held);
        let (train, test) =
            Partition::new(self.0.n_rows(), inside, held.to_vec())?.cut_samples(&self.0)?;
        Ok((Self(train.0, self.1, self.2.clone()), test))
    }
}

impl Test {
    /// The features, without labels: what models and transductive rules may see.
    pub fn features(&self) -> &Matrix {
        &self.0.x
    }

    /// The rows, labels included: for metrics.
    pub fn samples(&self) -> &Samples {
        &self.0
    }

    /// The labels: for metrics.
    pub fn labels(&self) -> &Labels {
        &self.0.y
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.0.n_rows()
    }

    /// Test rows made of these ones by a transformation that was fitted on training rows.
    ///
    /// # Errors
    /// Whatever `change` gives.
    pub fn derive<E>(
        &self,
        change: impl FnOnce(&Samples) -> std::result::Result<Samples, E>,
    ) -> std::result::Result<Self, E> {
        change(&self.0).map(Self)
    }
}

/// The scores of a whole batch of test rows, without their labels: what a transductive rule sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestScores<'a>(&'a Scores, Option<&'a [f64]>);

impl<'a> TestScores<'a> {
    /// The scores of unlabelled rows.
    pub fn new(scores: &'a Scores) -> Self {
        Self(scores, None)
    }

    /// The same rows with weights, one a row: 1 on average ([`Labels::weights`]).
    #[must_use]
    pub fn weighing(self, weights: Option<&'a [f64]>) -> Self {
        Self(self.0, weights)
    }

    /// What each row weighs, where rows have weights.
    pub fn weights(&self) -> Option<&'a [f64]> {
        self.1
    }

    /// The scores, one row a test row.
    pub fn scores(&self) -> &'a Scores {
        self.0
    }
}

/// Which rows of some data train and which test; the only source of [`Train`] and [`Test`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    train: Vec<usize>,
    test: Vec<usize>,
}

impl Partition {
    /// Splits `n` rows. Rows in neither list are left out.
    ///
    /// # Errors
    /// [`CoreError::Split`] when a row is listed twice, on both sides, or is not below `n`.
    pub fn new(n: usize, train: Vec<usize>, test: Vec<usize>) -> Result<Self> {
        let mut seen = vec![false; n];
        for &row in train.iter().chain(&test) {
            match seen.get_mut(row) {
                None => {
                    return Err(CoreError::Split {
                        reason: format!("row {row} of {n}"),
                    });
                }
                Some(true) => {
                    return Err(CoreError::Split {
                        reason: format!("row {row} is listed twice"),
                    });
                }
                Some(mark) => *mark = true,
            }
        }
        Ok(Self { train, test })
    }

    /// The training rows.
    pub fn train(&self) -> &[usize] {
        &self.train
    }

    /// The test rows.
    pub fn test(&self) -> &[usize] {
        &self.test
    }

    /// Cuts a raw dataset, before preprocessing, which must be fitted on the training part.
    #[must_use]
    pub fn cut(&self, data: &Dataset) -> (Dataset, Dataset) {
        (data.select(&self.train), data.select(&self.test))
    }

    /// Cuts samples whose features need no fitting.
    ///
    /// # Errors
    /// [`CoreError::Split`] when the partition is of more rows than there are.
    pub fn cut_samples(&self, samples: &Samples) -> Result<(Train, Test)> {
        let n = samples.n_rows();
        match self.train.iter().chain(&self.test).find(|&&row| row >= n) {
            Some(row) => Err(CoreError::Split {
                reason: format!("row {row} of {n}"),
            }),
            None => Ok((
                Train(samples.select(&self.train), None, None),
                Test(samples.select(&self.test)),
            )),
        }
    }

    /// Gives the two parts, prepared apart, their roles.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when a part does not have the partition's number of rows, or the two
    /// do not have the same columns.
    pub fn assign(&self, train: Samples, test: Samples) -> Result<(Train, Test)> {
        let shape = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(CoreError::Shape {
                    what,
                    expected,
                    found,
                })
            }
        };
        shape("training rows", self.train.len(), train.n_rows())?;
        shape("test rows", self.test.len(), test.n_rows())?;
        shape("test columns", train.x.cols(), test.x.cols())?;
        Ok((Train(train, None, None), Test(test)))
    }
}

/// Collects the scores that the models of the inner folds gave to the rows they did not see.
#[derive(Debug)]
pub struct OutOfFold {
    labels: Labels,
    slots: Vec<Option<(usize, usize)>>,
    folds: Vec<Scores>,
}

impl OutOfFold {
    /// For the rows of `train`.
    pub fn new(train: &Train) -> Self {
        Self {
            labels: train.0.y.clone(),
            slots: vec![None; train.0.n_rows()],
            folds: Vec::new(),
        }
    }

    /// Adds one inner fold: `scores` of the training rows `held`, in that order.
    ///
    /// # Errors
    /// [`CoreError::Split`] when a row was scored before or does not exist, [`CoreError::Shape`]
    /// when scores and rows differ in number.
    pub fn add(&mut self, held: &[usize], scores: Scores) -> Result<()> {
        if scores.n_rows() != held.len() {
            return Err(CoreError::Shape {
                what: "out-of-fold scores",
                expected: held.len(),
                found: scores.n_rows(),
            });
        }
        let fold = self.folds.len();
        for (at, &row) in held.iter().enumerate() {
            match self.slots.get_mut(row) {
                Some(slot @ None) => *slot = Some((fold, at)),
                _ => {
                    return Err(CoreError::Split {
                        reason: format!("row {row} is scored twice or does not exist"),
                    });
                }
            }
        }
        self.folds.push(scores);
        Ok(())
    }

    /// The calibration rows: all training rows, each scored by a model that did not see it.
    ///
    /// # Errors
    /// [`CoreError::Split`] when a row has no score.
    pub fn finish(self) -> Result<Calib> {
        let mut order = Vec::with_capacity(self.slots.len());
        for (row, slot) in self.slots.iter().enumerate() {
            match slot {
                Some(slot) => order.push(*slot),
                None => {
                    return Err(CoreError::Split {
                        reason: format!("row {row} has no score"),
                    });
                }
            }
        }
        let scores = Scores::gather(&self.folds, &order)?;
        let folds = order.into_iter().map(|(fold, _)| fold).collect();
        Ok(Calib {
            scores,
            labels: self.labels,
            folds,
        })
    }
}

/// Out-of-fold scores of the training rows with their labels: what tuners and calibrators see.
#[derive(Clone, Debug, PartialEq)]
pub struct Calib {
    scores: Scores,
    labels: Labels,
    folds: Vec<usize>,
}

impl Calib {
    /// The scores, one row a training row.
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// The labels of the same rows.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The inner fold that scored each row.
    pub fn folds(&self) -> &[usize] {
        &self.folds
    }

    /// The same rows with other scores: those that a calibrator gives them.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there are not as many rows or classes.
    pub fn rescored(&self, scores: Scores) -> Result<Self> {
        let shape = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(CoreError::Shape {
                    what,
                    expected,
                    found,
                })
            }
        };
        shape("calibrated rows", self.scores.n_rows(), scores.n_rows())?;
        shape(
            "classes of calibrated scores",
            self.scores.n_classes(),
            scores.n_classes(),
        )?;
        Ok(Self {
            scores,
            labels: self.labels.clone(),
            folds: self.folds.clone(),
        })
    }
}

fn complement(n: usize, rows: &[usize]) -> Vec<usize> {
    let mut held = vec![false; n];
    for &row in rows {
        if let Some(mark) = held.get_mut(row) {
            *mark = true;
        }
    }
    (0..n).filter(|&row| !held[row]).collect()
}

#[cfg(test)]
mod tests;
