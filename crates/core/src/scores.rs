//! Scores and decisions: separate values. A label is never assumed to be the argmax of a probability.

use crate::error::{CoreError, Result};
use crate::labels::{Prior, Ties};
use crate::matrix::Matrix;

/// Two log-scores closer than this count as a tie (see [`Ties`] for who wins it). The slack is
/// a few hundred rounding errors wide: it keeps exact ties (k nearest neighbours with p = 1/5
/// against a threshold of 0.2) from being decided by the last bit of a logarithm.
pub const TIE: f64 = 1e-12;

/// What the scores of a model are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreKind {
    /// Logarithms of class probabilities that sum to one.
    Probability,
    /// One vote a row; the winner has log-score 0 and the others negative infinity. No decision
    /// rule but the argmax and no metric of probabilities has a meaning on votes.
    Vote,
}

/// Scores of some rows: a log-score for each row and class. Absent classes have negative infinity.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    kind: ScoreKind,
    log: Matrix,
}

impl Scores {
    /// Log-probabilities as they are given, `rows x classes`.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when an entry is NaN or positive infinity, or a row has no finite
    /// entry.
    pub fn log_probabilities(log: Matrix) -> Result<Self> {
        for (i, row) in log.iter_rows().enumerate() {
            if row.iter().any(|s| s.is_nan() || *s == f64::INFINITY)
                || !row.iter().any(|s| s.is_finite())
            {
                return Err(CoreError::Domain {
                    what: "scores",
                    reason: format!("row {i} is {row:?}"),
                });
            }
        }
        Ok(Self {
            kind: ScoreKind::Probability,
            log,
        })
    }

    /// Unnormalised log-scores (logits), normalised here by a log-softmax of each row.
    ///
    /// # Errors
    /// As [`Scores::log_probabilities`].
    pub fn logits(mut logits: Matrix) -> Result<Self> {
        for i in 0..logits.rows() {
            log_softmax(logits.row_mut(i));
        }
        Self::log_probabilities(logits)
    }

    /// Probabilities, `rows x classes`; each row is scaled to sum to one.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when an entry is negative or not finite, or a row is all zero.
    pub fn probabilities(mut p: Matrix) -> Result<Self> {
        for i in 0..p.rows() {
            let row = p.row_mut(i);
            let total: f64 = row.iter().sum();
            if row.iter().any(|v| *v < 0.0) || !(total.is_finite() && total > 0.0) {
                return Err(CoreError::Domain {
                    what: "probabilities",
                    reason: format!("row {i} is {row:?}"),
                });
            }
            for value in row {
                *value = (*value / total).ln();
            }
        }
        Ok(Self {
            kind: ScoreKind::Probability,
            log: p,
        })
    }

    /// Hard votes.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when a vote is not below `n_classes`.
    pub fn votes(votes: &[u32], n_classes: usize) -> Result<Self> {
        if let Some(vote) = votes.iter().find(|&&vote| vote as usize >= n_classes) {
            return Err(CoreError::Domain {
                what: "votes",
                reason: format!("class {vote} of {n_classes}"),
            });
        }
        let log = Matrix::from_fn(votes.len(), n_classes, |i, k| {
            if votes[i] as usize == k {
                0.0
            } else {
                f64::NEG_INFINITY
            }
        });
        Ok(Self {
            kind: ScoreKind::Vote,
            log,
        })
    }

    /// What the scores are.
    pub fn kind(&self) -> ScoreKind {
        self.kind
    }

    /// The log-scores, `rows x classes`.
    pub fn log(&self) -> &Matrix {
        &self.log
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.log.rows()
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.log.cols()
    }

    /// The class with the largest log-score after subtracting `offsets`, of tied ones that of `ties`. A
    /// class without a finite score is never chosen.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there are not as many offsets as classes.
    pub fn argmax(&self, offsets: &[f64], ties: &Ties) -> Result<Decisions> {
        if offsets.len() != self.n_classes() {
            return Err(CoreError::Shape {
                what: "decision offsets",
                expected: self.n_classes(),
                found: offsets.len(),
            });
        }
        let labels = self
            .log
            .iter_rows()
            .map(|row| argmax_row(row, offsets, ties))
            .collect();
        Ok(Decisions(labels))
    }

    /// The same scores as if they had been learnt under the prior `to` instead of `from`:
    /// p'_y proportional to `p_y to_y / from_y`. A class that is absent from `from` or `to` gets
    /// probability 0. Votes are returned as they are.
    ///
    /// Source: Elkan 2001; Saerens et al. 2002, eq. 2.4.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when a prior has another number of classes, [`CoreError::Domain`] when
    /// a row keeps no class.
    pub fn shift_prior(&self, from: &Prior, to: &Prior) -> Result<Self> {
        for prior in [from, to] {
            if prior.n_classes() != self.n_classes() {
                return Err(CoreError::Shape {
                    what: "prior",
                    expected: self.n_classes(),
                    found: prior.n_classes(),
                });
            }
        }
        if self.kind == ScoreKind::Vote || from == to {
            return Ok(self.clone());
        }
        let shift: Vec<f64> = from
            .as_slice()
            .iter()
            .zip(to.as_slice())
            .map(|(&from, &to)| {
                if from > 0.0 && to > 0.0 {
                    to.ln() - from.ln()
                } else {
                    f64::NEG_INFINITY
                }
            })
            .collect();
        let mut log = self.log.clone();
        for i in 0..log.rows() {
            for (score, shift) in log.row_mut(i).iter_mut().zip(&shift) {
                *score += shift;
            }
        }
        Self::logits(log)
    }

    /// Rows picked from several blocks: `order` names a block and a row of it.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when the blocks differ in classes.
    ///
    /// # Panics
    /// For a block or a row that is not there.
    pub fn gather(blocks: &[Self], order: &[(usize, usize)]) -> Result<Self> {
        let Some(first) = blocks.first() else {
            return Ok(Self {
                kind: ScoreKind::Probability,
                log: Matrix::zeros(0, 0),
            });
        };
        if let Some(odd) = blocks.iter().find(|b| b.n_classes() != first.n_classes()) {
            return Err(CoreError::Shape {
                what: "classes of out-of-fold scores",
                expected: first.n_classes(),
                found: odd.n_classes(),
            });
        }
        let mut log = Matrix::zeros(order.len(), first.n_classes());
        for (i, &(block, row)) in order.iter().enumerate() {
            log.row_mut(i).copy_from_slice(blocks[block].log.row(row));
        }
        Ok(Self {
            kind: first.kind,
            log,
        })
    }
}

/// Subtracts the log-sum-exp of the row. A row without a finite entry is left as it is.
pub fn log_softmax(row: &mut [f64]) {
    let total = log_sum_exp(row);
    if total.is_finite() {
        for value in row {
            *value -= total;
        }
    }
}

/// log(sum(exp(row))), shifted by the largest entry so that nothing overflows.
pub fn log_sum_exp(row: &[f64]) -> f64 {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        return largest;
    }
    largest + row.iter().map(|v| (v - largest).exp()).sum::<f64>().ln()
}

/// The class with the largest `row - offsets`; of classes within [`TIE`] of it, that of `ties`. Negative
/// infinity never ties with a finite score.
pub fn argmax_row(row: &[f64], offsets: &[f64], ties: &Ties) -> u32 {
    let value = |k: usize| match row[k] {
        f64::NEG_INFINITY => f64::NEG_INFINITY,
        score => score - offsets[k],
    };
    let classes = 0..row.len().min(offsets.len());
    let top = classes.clone().map(value).fold(f64::NEG_INFINITY, f64::max);
    let least = if top.is_finite() {
        top - TIE * top.abs().max(1.0)
    } else {
        top
    };
    let possible = |&k: &usize| row[k] > f64::NEG_INFINITY && value(k) >= least;
    let best = classes
        .filter(possible)
        .max_by_key(|&k| ties.rank(k))
        .unwrap_or(0);
    u32::try_from(best).unwrap_or(0)
}

/// A decided class for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decisions(Vec<u32>);

impl Decisions {
    /// These classes.
    pub fn new(classes: Vec<u32>) -> Self {
        Self(classes)
    }

    /// The classes, one a row.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_rarest_class_even_through_logarithms() {
        // p = 1/5 against a threshold of 1/5, written as offsets.
        let scores =
            Scores::probabilities(Matrix::from_vec(1, 2, vec![0.8, 0.2]).unwrap()).unwrap();
        let t: f64 = 0.2;
        let offsets = [0.0, t.ln() - (1.0 - t).ln()];
        let last = Ties::default();
        let decided = |ties| scores.argmax(&offsets, ties).unwrap().as_slice().to_vec();
        assert_eq!(decided(&last), [1]);
        assert_eq!(decided(&Ties::by_rarity(&[1.0, 2.0])), [0]);
        assert_eq!(argmax_row(&[0.0, 1e-14, 0.0], &[0.0; 3], &last), 2);
        assert_eq!(
            argmax_row(
                &[0.0, 1e-14, 0.0],
                &[0.0; 3],
                &Ties::by_rarity(&[1.0, 3.0, 3.0])
            ),
            0
        );
        assert_eq!(
            argmax_row(&[-800.0, f64::NEG_INFINITY], &[0.0; 2], &last),
            0
        );
        assert_eq!(argmax_row(&[0.0, 0.0], &[0.0, f64::INFINITY], &last), 0);
    }

    #[test]
    fn a_prior_shift_and_back_is_the_identity() {
        let p = Matrix::from_vec(2, 3, vec![0.2, 0.3, 0.5, 0.9, 0.05, 0.05]).unwrap();
        let scores = Scores::probabilities(p).unwrap();
        let s = Prior::from_weights(vec![0.7, 0.2, 0.1]).unwrap();
        let t = Prior::uniform(3).unwrap();
        let back = scores
            .shift_prior(&s, &t)
            .unwrap()
            .shift_prior(&t, &s)
            .unwrap();
        for (a, b) in scores.log().as_slice().iter().zip(back.log().as_slice()) {
            assert!((a - b).abs() < 1e-14);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Scores::probabilities(Matrix::zeros(1, 2)).is_err());
        let nan = Matrix::from_vec(1, 2, vec![f64::NAN, 0.0]).unwrap();
        assert!(Scores::log_probabilities(nan).is_err());
        assert!(Scores::votes(&[2], 2).is_err());
    }
}
