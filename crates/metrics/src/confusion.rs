//! The confusion matrix, weighted and unweighted, that all metrics of decisions are functions of.

use counterweight_core::{CoreError, Judged};

/// How many test rows of each class were decided to be of each class, and what they weigh:
/// `K x K`, truth by decision.
///
/// Weights bring test rows to the metric prior; metrics that look at one class at a time use the
/// counts instead and are exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    n_classes: usize,
    counts: Vec<u64>,
    weights: Vec<f64>,
}

impl Confusion {
    /// The matrix without rows.
    #[must_use]
    pub fn new(n_classes: usize) -> Self {
        Self {
            n_classes,
            counts: vec![0; n_classes * n_classes],
            weights: vec![0.0; n_classes * n_classes],
        }
    }

    /// The matrix of these test rows. Cost: O(n + K^2).
    #[must_use]
    pub fn of(judged: &Judged<'_>) -> Self {
        let mut confusion = Self::new(judged.labels().n_classes());
        for ((&truth, &decided), &weight) in judged
            .labels()
            .ids()
            .iter()
            .zip(judged.decisions())
            .zip(judged.weights())
        {
            confusion.add(truth as usize, decided as usize, weight);
        }
        confusion
    }

    /// The matrix with these counts, row by row (truth by decision); every test row weighs 1.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there are not `n_classes^2` counts.
    ///
    /// # Examples
    /// ```
    /// use counterweight_metrics::Confusion;
    /// let confusion = Confusion::from_counts(2, &[90, 10, 3, 7])?;
    /// assert_eq!(confusion.recall(1), Some(0.7));
    /// # Ok::<(), counterweight_core::CoreError>(())
    /// ```
    pub fn from_counts(n_classes: usize, counts: &[u64]) -> Result<Self, CoreError> {
        if counts.len() != n_classes * n_classes {
            return Err(CoreError::Shape {
                what: "confusion matrix",
                expected: n_classes * n_classes,
                found: counts.len(),
            });
        }
        Ok(Self {
            n_classes,
            counts: counts.to_vec(),
            weights: counts.iter().map(|&n| n as f64).collect(),
        })
    }

    /// Adds one test row. The weight has to be finite and at least 0: metrics check the weights of
    /// a record, but not what a tuner adds here.
    ///
    /// # Panics
    /// When `truth` or `decided` is not below the number of classes.
    pub fn add(&mut self, truth: usize, decided: usize, weight: f64) {
        let at = self.at(truth, decided);
        self.counts[at] += 1;
        self.weights[at] += weight;
    }

    /// Changes the decision about one row that was added before, in O(1): what a sweep over
    /// thresholds does for each row that a threshold passes. Exact for whole weights; otherwise a
    /// long sweep gathers a rounding error a step in the weighted entries, never in the counts.
    ///
    /// # Panics
    /// When a class is not below the number of classes, or no row of `truth` is decided as `from`.
    ///
    /// # Examples
    /// ```
    /// use counterweight_metrics::{Confusion, balanced_error};
    /// let mut confusion = Confusion::from_counts(2, &[4, 0, 2, 0])?;
    /// confusion.relabel(1, 0, 1, 1.0);
    /// assert_eq!(balanced_error::of(&confusion), Some(0.25));
    /// # Ok::<(), counterweight_core::CoreError>(())
    /// ```
    pub fn relabel(&mut self, truth: usize, from: usize, to: usize, weight: f64) {
        let (old, new) = (self.at(truth, from), self.at(truth, to));
        self.counts[old] = self.counts[old]
            .checked_sub(1)
            .expect("the row was added before");
        self.weights[old] = if self.counts[old] == 0 {
            0.0
        } else {
            self.weights[old] - weight
        };
        self.counts[new] += 1;
        self.weights[new] += weight;
    }

    fn at(&self, truth: usize, decided: usize) -> usize {
        assert!(
            truth < self.n_classes && decided < self.n_classes,
            "class {truth} or {decided} of {}",
            self.n_classes
        );
        truth * self.n_classes + decided
    }

    /// Number of classes, absent ones included.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// Test rows of class `truth` that were decided as `decided`.
    ///
    /// # Panics
    /// When a class is not below the number of classes.
    pub fn count(&self, truth: usize, decided: usize) -> u64 {
        self.counts[self.at(truth, decided)]
    }

    /// What those rows weigh.
    ///
    /// # Panics
    /// When a class is not below the number of classes.
    pub fn weight(&self, truth: usize, decided: usize) -> f64 {
        self.weights[self.at(truth, decided)]
    }

    /// Test rows of class `truth`.
    pub fn truth_count(&self, truth: usize) -> u64 {
        (0..self.n_classes).map(|j| self.count(truth, j)).sum()
    }

    /// Test rows decided as `decided`.
    pub fn decided_count(&self, decided: usize) -> u64 {
        (0..self.n_classes).map(|y| self.count(y, decided)).sum()
    }

    /// What the test rows of class `truth` weigh.
    pub fn truth_weight(&self, truth: usize) -> f64 {
        (0..self.n_classes).map(|j| self.weight(truth, j)).sum()
    }

    /// What the test rows decided as `decided` weigh.
    pub fn decided_weight(&self, decided: usize) -> f64 {
        (0..self.n_classes).map(|y| self.weight(y, decided)).sum()
    }

    /// What all test rows weigh.
    pub fn total_weight(&self) -> f64 {
        (0..self.n_classes).map(|y| self.truth_weight(y)).sum()
    }

    /// What the rightly decided test rows weigh.
    pub fn correct_weight(&self) -> f64 {
        (0..self.n_classes).map(|y| self.weight(y, y)).sum()
    }

    /// Classes with at least one test row.
    pub fn n_present(&self) -> usize {
        (0..self.n_classes)
            .filter(|&y| self.truth_count(y) > 0)
            .count()
    }

    /// The share of the test rows of class `truth` that were decided right, in [0, 1]; `None`
    /// without such rows. Unweighted.
    pub fn recall(&self, truth: usize) -> Option<f64> {
        let rows = self.truth_count(truth);
        (rows > 0).then(|| self.count(truth, truth) as f64 / rows as f64)
    }

    /// The recall of each class, in class order.
    pub fn recalls(&self) -> Vec<Option<f64>> {
        (0..self.n_classes).map(|y| self.recall(y)).collect()
    }

    /// The recalls of the classes that have test rows, in class order.
    pub(crate) fn present_recalls(&self) -> Vec<f64> {
        self.recalls().into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_recalls_leave_absent_classes_out() {
        let mut confusion = Confusion::new(3);
        confusion.add(0, 0, 0.5);
        confusion.add(0, 2, 0.25);
        confusion.add(2, 2, 4.0);
        assert_eq!(confusion.recalls(), [Some(0.5), None, Some(1.0)]);
        assert_eq!(confusion.n_present(), 2);
        assert_eq!(confusion.decided_count(2), 2);
        assert!((confusion.decided_weight(2) - 4.25).abs() < 1e-15);
        assert!((confusion.total_weight() - 4.75).abs() < 1e-15);
        assert!((confusion.correct_weight() - 4.5).abs() < 1e-15);
    }

    #[test]
    fn relabelling_equals_counting_anew() {
        let mut moved = Confusion::new(2);
        moved.add(1, 0, 0.1);
        moved.add(1, 0, 0.1);
        moved.relabel(1, 0, 1, 0.1);
        moved.relabel(1, 0, 1, 0.1);
        let mut anew = Confusion::new(2);
        anew.add(1, 1, 0.1);
        anew.add(1, 1, 0.1);
        assert_eq!(moved, anew);
    }

    #[test]
    #[should_panic(expected = "added before")]
    fn a_row_that_is_not_there_cannot_be_relabelled() {
        Confusion::new(2).relabel(0, 0, 1, 1.0);
    }

    #[test]
    fn counts_of_another_shape_are_refused() {
        assert!(Confusion::from_counts(2, &[1, 2, 3]).is_err());
    }
}
