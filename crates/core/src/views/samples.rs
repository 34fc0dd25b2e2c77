//! Rows without a role: a feature matrix, labels, and where each row comes from.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{CoreError, Result};
use crate::labels::Labels;
use crate::matrix::Matrix;

/// What a column of a feature matrix holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A number.
    Numeric,
    /// A level's code, `0..levels`.
    Nominal {
        /// Number of levels.
        levels: usize,
    },
    /// Whether another column's value was missing, 0 or 1. Such columns stand after all others, and
    /// [`Train::resampled_by`](super::Train::resampled_by) leaves them out of what a resampler sees.
    Indicator,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Origin {
    /// A row of the original data.
    Row(usize),
    /// Made between two rows of the original data.
    Synthetic {
        /// Original row it starts from.
        base: usize,
        /// Original row it moves towards.
        neighbour: usize,
    },
}

impl Origin {
    /// The original row that it is, or starts from.
    pub(super) fn base(&self) -> usize {
        match *self {
            Self::Row(row) | Self::Synthetic { base: row, .. } => row,
        }
    }
}

/// A feature matrix with the kinds of its columns, labels, and where each row comes from. A copy shares the matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    pub(super) x: Arc<Matrix>,
    pub(super) kinds: Arc<[ColumnKind]>,
    pub(super) y: Labels,
    pub(super) origins: Arc<[Origin]>,
}

impl Samples {
    /// Joins the parts.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when rows or columns do not agree.
    pub fn new(
        x: Matrix,
        kinds: Arc<[ColumnKind]>,
        y: Labels,
        origins: Vec<Origin>,
    ) -> Result<Self> {
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
        shape("column kinds", x.cols(), kinds.len())?;
        shape("labels", x.rows(), y.len())?;
        shape("origins", x.rows(), origins.len())?;
        Ok(Self {
            x: x.into(),
            kinds,
            y,
            origins: origins.into(),
        })
    }

    /// All-numeric samples whose rows are numbered from 0.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there are not as many labels as rows.
    pub fn numeric(x: Matrix, y: Labels) -> Result<Self> {
        let kinds = vec![ColumnKind::Numeric; x.cols()].into();
        let origins = (0..x.rows()).map(Origin::Row).collect();
        Self::new(x, kinds, y, origins)
    }

    /// The features, one row a sample.
    pub fn x(&self) -> &Matrix {
        &self.x
    }

    /// The kinds of the columns.
    pub fn kinds(&self) -> &Arc<[ColumnKind]> {
        &self.kinds
    }

    /// The labels.
    pub fn y(&self) -> &Labels {
        &self.y
    }

    /// Where each row comes from.
    pub fn origins(&self) -> &[Origin] {
        &self.origins
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.x.rows()
    }

    /// Whether any column is nominal.
    pub fn has_nominal(&self) -> bool {
        self.kinds
            .iter()
            .any(|kind| matches!(kind, ColumnKind::Nominal { .. }))
    }

    /// The samples without the indicators of missing values.
    pub(super) fn without_indicators(&self) -> Result<Self> {
        let kept: Vec<usize> = (0..self.kinds.len())
            .filter(|&j| self.kinds[j] != ColumnKind::Indicator)
            .collect();
        let x = Matrix::from_fn(self.n_rows(), kept.len(), |i, j| self.x.at(i, kept[j]));
        let kinds = kept.iter().map(|&j| self.kinds[j].clone()).collect();
        Self::new(x, kinds, self.y.clone(), self.origins.to_vec())
    }

    /// Puts the indicators of `from` beside rows made of it: each row has those of the row that it is, or
    /// that it starts from.
    pub(super) fn with_indicators(&self, from: &Self) -> Result<Self> {
        let indicators: Vec<usize> = (0..from.kinds.len())
            .filter(|&j| from.kinds[j] == ColumnKind::Indicator)
            .collect();
        let places = from.places();
        let mut rows = Vec::with_capacity(self.n_rows());
        for origin in &*self.origins {
            rows.push(
                *places
                    .get(&origin.base())
                    .ok_or_else(|| CoreError::Domain {
                        what: "origins",
                        reason: format!("{origin:?} is no row that was resampled"),
                    })?,
            );
        }
        let own = self.x.cols();
        let x = Matrix::from_fn(self.n_rows(), own + indicators.len(), |i, j| {
            if j < own {
                self.x.at(i, j)
            } else {
                from.x.at(rows[i], indicators[j - own])
            }
        });
        let more = vec![ColumnKind::Indicator; indicators.len()];
        let kinds = self.kinds.iter().cloned().chain(more).collect();
        Self::new(x, kinds, self.y.clone(), self.origins.to_vec())
    }

    /// Where the rows of each origin stand.
    fn places(&self) -> BTreeMap<usize, usize> {
        self.origins.iter().map(Origin::base).zip(0..).collect()
    }

    /// `made`, which was made of these rows, with their weights where it has lost them. A row of another origin
    /// leaves it without, which whoever needs them refuses.
    pub(super) fn weighing(&self, made: Self) -> Self {
        if !self.y.is_weighted() || made.y.is_weighted() {
            return made;
        }
        let places = self.places();
        let of = |origin: &Origin| Some(self.y.raw_weight(*places.get(&origin.base())?));
        let weights: Option<Vec<f64>> = made.origins.iter().map(of).collect();
        let y = weights.map(|weights| made.y.clone().with_weights(weights));
        match y {
            Some(Ok(y)) => Self { y, ..made },
            _ => made,
        }
    }

    /// The rows `rows`, in that order (repeats allowed).
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            x: self.x.select_rows(rows).into(),
            kinds: Arc::clone(&self.kinds),
            y: self.y.select(rows),
            origins: rows.iter().map(|&row| self.origins[row]).collect(),
        }
    }
}
