//! Losses: what they ask of a learner, the terms that they build, and the prior of the scores that
//! come of these terms.

use std::fmt::Debug;

use crate::error::StageResult;
use crate::labels::{ClassCounts, Prior};
use crate::matrix::Matrix;

/// What a loss asks of a learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent needs, each a yes or no"
)]
pub struct LossNeeds {
    /// Class weights other than 1.
    pub weights: bool,
    /// Additive margins.
    pub margins: bool,
    /// Multiplicative factors other than 1.
    pub factors: bool,
    /// A focal power other than 0.
    pub focal: bool,
    /// Terms that change during training ([`LossTerms::later`]).
    pub schedule: bool,
    /// Training by minibatches: margins from each minibatch ([`LossTerms::batch_tau`]), or
    /// minibatches that are drawn more evenly ([`BatchScheme`](crate::BatchScheme)).
    pub minibatches: bool,
    /// Output biases that training starts from ([`LossTerms::initial_bias`]).
    pub initial_bias: bool,
    /// Rows that have weights of their own ([`Labels::weights`](crate::Labels::weights)), which multiply those of
    /// their classes.
    pub row_weights: bool,
}

impl LossNeeds {
    /// Plain cross-entropy.
    pub const NONE: Self = Self {
        weights: false,
        margins: false,
        factors: false,
        focal: false,
        schedule: false,
        minibatches: false,
        initial_bias: false,
        row_weights: false,
    };

    /// The first need, in words, that a learner which honours these lacks. Weights of rows are not asked for by losses.
    pub fn beyond(&self, honours: &Self) -> Option<&'static str> {
        let asked = [
            (self.weights && !honours.weights, "class weights"),
            (self.margins && !honours.margins, "margins"),
            (self.factors && !honours.factors, "multiplicative factors"),
            (self.focal && !honours.focal, "a focal power"),
            (self.schedule && !honours.schedule, "a schedule of losses"),
            (
                self.minibatches && !honours.minibatches,
                "margins from minibatches",
            ),
            (
                self.initial_bias && !honours.initial_bias,
                "an initial output bias",
            ),
        ];
        let lacking = asked.into_iter().find(|(lacks, _)| *lacks);
        lacking.map(|(_, what)| what)
    }
}

/// What a loss may depend on.
#[derive(Clone, Copy, Debug)]
pub struct LossContext<'a> {
    /// Rows of each class among the rows that the learner sees (after resampling), and what they weigh.
    pub seen: &'a ClassCounts,
    /// Rows of each class in the training rows before resampling.
    pub train: &'a ClassCounts,
}

/// The one loss kernel: for a row of class y with scores f,
/// `w_y log(1 + sum_{j != y} exp(A[y][j] + D_j f_j - D_y f_y)) (1 - p_y)^g`.
#[derive(Clone, Debug, PartialEq)]
pub struct LossTerms {
    /// Class weights `w`, one a class, each at least 0 and finite.
    pub weights: Vec<f64>,
    /// Additive margins `A`, classes x classes, zero on the diagonal. Negative infinity in column j
    /// masks class j, which then never stands in a denominator.
    pub margins: Matrix,
    /// Multiplicative factors `D`, one a class.
    pub factors: Vec<f64>,
    /// Focal power `g`.
    pub focal: f64,
    /// Other terms for the last part of training; `None` for one loss throughout.
    pub later: Option<Box<Later>>,
    /// Each minibatch adds `batch_tau (log q_j - log q_y)` to the margins, q being its own class
    /// shares (weighted like its rows); classes that it lacks are masked for it. `None` for margins
    /// that do not depend on the minibatch.
    pub batch_tau: Option<f64>,
    /// Output biases that training starts from, one a class (absent classes: 0); `None` to leave
    /// that to the learner.
    pub initial_bias: Option<Vec<f64>>,
}

/// The terms of the last part of training (deferred reweighting, Cao et al. 2019).
#[derive(Clone, Debug, PartialEq)]
pub struct Later {
    /// Share of the epochs or rounds after which they take over, within 0..=1; at 1 they never do.
    pub at: f64,
    /// The terms; without a schedule of their own.
    pub terms: LossTerms,
}

impl LossTerms {
    /// Plain cross-entropy over `n_classes` classes.
    #[must_use]
    pub fn cross_entropy(n_classes: usize) -> Self {
        Self {
            weights: vec![1.0; n_classes],
            margins: Matrix::zeros(n_classes, n_classes),
            factors: vec![1.0; n_classes],
            focal: 0.0,
            later: None,
            batch_tau: None,
            initial_bias: None,
        }
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.weights.len()
    }

    /// The later terms, if training ever comes to them.
    fn taking_over(&self) -> Option<&Self> {
        self.later
            .as_ref()
            .filter(|later| later.at < 1.0)
            .map(|later| &later.terms)
    }

    /// The training logit offsets `o` (up to a constant), when the loss is a weighted cross-entropy of
    /// `f + o`: that is, when there are no factors and no focal power and `A[y][j] = o_j - o_y`.
    /// Only then do the scores have a prior of their own. With a schedule these are the offsets of the
    /// terms that training ends with; margins of minibatches have none.
    pub fn logit_offsets(&self) -> Option<Vec<f64>> {
        if let Some(last) = self.taking_over() {
            return last.logit_offsets();
        }
        let plain = self.batch_tau.is_none()
            && self.focal.abs() < f64::EPSILON
            && self.factors.iter().all(|d| (d - 1.0).abs() < f64::EPSILON);
        if !plain {
            return None;
        }
        // A class that can be masked has no finite entry in its column; rows of absent classes say
        // nothing. Take the first row that is finite wherever any row is.
        let k = self.n_classes();
        let first = (0..k).find(|&y| self.margins.row(y).iter().any(|a| a.is_finite()))?;
        let o = self.margins.row(first).to_vec();
        for y in 0..k {
            for j in 0..k {
                let found = self.margins.at(y, j);
                let expected = o[j] - o[y];
                let agrees = (found - expected).abs() <= 1e-9 * (1.0 + expected.abs());
                if found.is_finite() && expected.is_finite() && !agrees {
                    return None;
                }
            }
        }
        Some(o)
    }

    /// The prior of the scores that a cross-entropy learner gives under these terms, from the
    /// counts of the rows that it saw: proportional to `n_y w_y exp(-o_y)` (the identity). `None`
    /// for losses of another link, or without rows.
    pub fn scores_prior(&self, seen: &ClassCounts) -> Option<Prior> {
        self.scores_prior_of(&seen.masses())
    }

    /// As [`LossTerms::scores_prior`], from the mass that each class has in training: its number of
    /// rows, or its share of the draws where minibatches are drawn more evenly
    /// ([`Train::class_mass`](crate::Train::class_mass)).
    pub fn scores_prior_of(&self, mass: &[f64]) -> Option<Prior> {
        if let Some(last) = self.taking_over() {
            return last.scores_prior_of(mass);
        }
        let offsets = self.logit_offsets()?;
        let present = |y: usize| mass[y] > 0.0 && offsets[y].is_finite();
        // Shifted by the least offset, so that no factor exceeds 1 and plain cross-entropy gives
        // the shares of the rows to the last bit.
        let least = (0..self.n_classes())
            .filter(|&y| present(y))
            .map(|y| offsets[y])
            .fold(f64::INFINITY, f64::min);
        let weights = (0..self.n_classes())
            .map(|y| {
                if present(y) {
                    mass[y] * self.weights[y] * (least - offsets[y]).exp()
                } else {
                    0.0
                }
            })
            .collect();
        Prior::from_weights(weights).ok()
    }
}

/// A loss: only builds the terms of the kernel.
pub trait Loss: Debug + Send + Sync {
    /// What it asks of a learner.
    fn needs(&self) -> LossNeeds;

    /// The terms for these counts. Absent classes are masked; no epsilon stands inside a logarithm.
    ///
    /// # Errors
    /// When the parameters do not fit the classes (explicit weights of another number).
    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scores_prior_follows_the_identity() {
        let seen = ClassCounts::new(vec![950, 50]);
        let mut terms = LossTerms::cross_entropy(2);
        assert_eq!(terms.scores_prior(&seen).unwrap().as_slice(), [0.95, 0.05]);
        terms.weights = vec![1.0 / 0.95, 1.0 / 0.05];
        let even = terms.scores_prior(&seen).unwrap();
        assert!((even.as_slice()[0] - 0.5).abs() < 1e-12);
        let mut adjusted = LossTerms::cross_entropy(2);
        let gap = (0.95_f64 / 0.05).ln();
        adjusted.margins = Matrix::from_vec(2, 2, vec![0.0, -gap, gap, 0.0]).unwrap();
        let even = adjusted.scores_prior(&seen).unwrap();
        assert!((even.as_slice()[0] - 0.5).abs() < 1e-12);
        adjusted.focal = 2.0;
        assert_eq!(adjusted.scores_prior(&seen), None);
    }

    #[test]
    fn the_scores_prior_is_of_the_terms_that_training_ends_with() {
        let seen = ClassCounts::new(vec![950, 50]);
        let mut even = LossTerms::cross_entropy(2);
        even.weights = vec![1.0 / 0.95, 1.0 / 0.05];
        let plain = LossTerms::cross_entropy(2);
        let after = |at: f64, terms: &LossTerms| LossTerms {
            later: Some(Box::new(Later {
                at,
                terms: terms.clone(),
            })),
            ..plain.clone()
        };
        for at in [0.0, 0.8, 0.999] {
            let found = after(at, &even).scores_prior(&seen);
            assert_eq!(found, even.scores_prior(&seen));
        }
        let found = after(1.0, &even).scores_prior(&seen);
        assert_eq!(found, plain.scores_prior(&seen));
        // A link of another kind has no prior, unless it never starts.
        even.focal = 2.0;
        assert_eq!(after(0.8, &even).scores_prior(&seen), None);
        let found = after(1.0, &even).logit_offsets();
        assert_eq!(found, plain.logit_offsets());
    }
}
