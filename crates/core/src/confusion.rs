//! The confusion matrix that all metrics of decisions are functions of: those of a record, of a curve
//! and of what is tuned.

use crate::error::CoreError;
use crate::labels::Labels;
use crate::stage::Judged;

/// How many rows of each class were decided to be of each class, and what they weigh: `K x K`, truth by
/// decision. The sums over a class are kept, so that a metric costs O(K) and a changed decision O(1).
///
/// Weights bring test rows to the metric prior; metrics that look at one class at a time use the
/// counts instead and are exact. Rows that all weigh 1 are counted only.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    counts: Vec<u64>,
    rows: Vec<u64>,
    decided: Vec<u64>,
    weights: Option<Vec<f64>>,
    /// What rows weigh that have weights of their own, whatever the metric prior is.
    own: Option<Vec<f64>>,
}

impl Confusion {
    /// The matrix without rows.
    #[must_use]
    pub fn new(n_classes: usize) -> Self {
        Self {
            counts: vec![0; n_classes * n_classes],
            rows: vec![0; n_classes],
            decided: vec![0; n_classes],
            weights: None,
            own: None,
        }
    }

    /// The matrix of these test rows. Cost: O(n + K^2).
    #[must_use]
    pub fn of(judged: &Judged<'_>) -> Self {
        let mut confusion = Self::new(judged.labels().n_classes());
        let decided = judged.decisions().iter().zip(judged.weights());
        for (&truth, (&decided, &weight)) in judged.labels().ids().iter().zip(decided) {
            confusion.add_weighing(truth as usize, decided as usize, weight);
        }
        confusion.own = confusion.own_of(judged.labels(), judged.decisions());
        confusion
    }

    /// Adds test rows at their own weights, 1 where they have none, to a matrix without rows.
    ///
    /// # Panics
    /// When a class is not below the number of classes.
    pub fn add_rows(&mut self, labels: &Labels, decisions: &[u32]) {
        for (&truth, &decided) in labels.ids().iter().zip(decisions) {
            self.add(truth as usize, decided as usize, 1);
        }
        self.own = self.own_of(labels, decisions);
    }

    fn own_of(&self, labels: &Labels, decisions: &[u32]) -> Option<Vec<f64>> {
        let weights = labels.weights()?;
        let mut own = vec![0.0; self.counts.len()];
        let rows = labels.ids().iter().zip(decisions).zip(weights);
        for ((&truth, &decided), weight) in rows {
            own[self.at(truth as usize, decided as usize)] += weight;
        }
        Some(own)
    }

    /// The matrix with these counts, row by row (truth by decision); every row weighs 1.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there are not `n_classes^2` counts.
    ///
    /// # Examples
    /// ```
    /// use counterweight_core::Confusion;
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
        let mut confusion = Self::new(n_classes);
        for (at, &n) in counts.iter().enumerate() {
            confusion.add(at / n_classes, at % n_classes, n);
        }
        Ok(confusion)
    }

    /// Adds `n` rows that weigh 1 each.
    ///
    /// # Panics
    /// When `truth` or `decided` is not below the number of classes.
    pub fn add(&mut self, truth: usize, decided: usize, n: u64) {
        self.put(truth, decided, n, n as f64);
    }

    /// Adds one row of this weight. It has to be finite and at least 0: metrics check the weights of a
    /// record, but not what is added here.
    ///
    /// # Panics
    /// When `truth` or `decided` is not below the number of classes.
    #[expect(clippy::float_cmp, reason = "a weight of exactly 1 is a counted row")]
    pub fn add_weighing(&mut self, truth: usize, decided: usize, weight: f64) {
        if weight != 1.0 && self.weights.is_none() {
            self.weights = Some(self.counts.iter().map(|&n| n as f64).collect());
        }
        self.put(truth, decided, 1, weight);
    }

    fn put(&mut self, truth: usize, decided: usize, n: u64, weight: f64) {
        let at = self.at(truth, decided);
        self.counts[at] += n;
        self.rows[truth] += n;
        self.decided[decided] += n;
        if let Some(weights) = &mut self.weights {
            weights[at] += weight;
        }
    }

    /// As [`Confusion::add`], where `weight` says what the rows weigh in all, by weights of their own; all rows or none
    /// have some.
    ///
    /// # Panics
    /// As there.
    pub fn add_own(&mut self, truth: usize, decided: usize, n: u64, weight: Option<f64>) {
        let Some(weight) = weight else {
            return self.add(truth, decided, n);
        };
        let at = self.at(truth, decided);
        let none = vec![0.0; self.counts.len()];
        self.weights.get_or_insert_with(|| none.clone());
        self.put(truth, decided, n, weight);
        self.own.get_or_insert(none)[at] += weight;
    }

    /// As [`Confusion::relabel`], of a row that was added with this weight of its own.
    ///
    /// # Panics
    /// As there.
    pub fn relabel_own(&mut self, truth: usize, from: usize, to: usize, weight: Option<f64>) {
        let Some(weight) = weight else {
            return self.relabel(truth, from, to);
        };
        let weights = self.weights.take();
        self.relabel(truth, from, to);
        let (old, new) = (self.at(truth, from), self.at(truth, to));
        let rest = u8::from(self.counts[old] > 0);
        let moved = |mut weights: Vec<f64>| {
            weights[old] = f64::from(rest) * (weights[old] - weight).max(0.0);
            weights[new] += weight;
            weights
        };
        self.weights = weights.map(moved);
        self.own = self.own.take().map(moved);
    }

    /// Changes the decision about one row that was added before and weighs 1, in O(1): what a sweep over
    /// thresholds does for each row that a threshold passes.
    ///
    /// # Panics
    /// When a class is not below the number of classes, no row of `truth` is decided as `from`, or rows
    /// have weights.
    pub fn relabel(&mut self, truth: usize, from: usize, to: usize) {
        assert!(
            self.weights.is_none(),
            "only counted rows can be relabelled"
        );
        let (old, new) = (self.at(truth, from), self.at(truth, to));
        self.counts[old] = self.counts[old]
            .checked_sub(1)
            .expect("the row was added before");
        self.counts[new] += 1;
        self.decided[from] -= 1;
        self.decided[to] += 1;
    }

    /// The same rows where a row of class `y` weighs `weights[y]`.
    ///
    /// # Panics
    /// When there is not a weight a class.
    #[must_use]
    pub fn weighing(&self, weights: &[f64]) -> Self {
        assert_eq!(weights.len(), self.n_classes(), "one weight a class");
        let of = |at: usize| {
            let rows = self
                .own
                .as_ref()
                .map_or(self.counts[at] as f64, |own| own[at]);
            rows * weights[at / weights.len()]
        };
        Self {
            weights: Some((0..self.counts.len()).map(of).collect()),
            ..self.clone()
        }
    }

    fn at(&self, truth: usize, decided: usize) -> usize {
        let k = self.rows.len();
        assert!(
            truth < k && decided < k,
            "class {truth} or {decided} of {k}"
        );
        truth * k + decided
    }

    /// Number of classes, absent ones included.
    pub fn n_classes(&self) -> usize {
        self.rows.len()
    }

    /// Rows of class `truth` that were decided as `decided`.
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
        let at = self.at(truth, decided);
        match &self.weights {
            Some(weights) => weights[at],
            None => self.counts[at] as f64,
        }
    }

    /// Rows of class `truth`.
    ///
    /// # Panics
    /// When the class is not below the number of classes.
    pub fn truth_count(&self, truth: usize) -> u64 {
        self.rows[truth]
    }

    /// Rows decided as `decided`.
    ///
    /// # Panics
    /// When the class is not below the number of classes.
    pub fn decided_count(&self, decided: usize) -> u64 {
        self.decided[decided]
    }

    /// The number of rows, where they all weigh 1.
    pub fn unweighted(&self) -> Option<u64> {
        self.weights.is_none().then(|| self.rows.iter().sum())
    }

    /// What the rows of class `truth` weigh.
    pub fn truth_weight(&self, truth: usize) -> f64 {
        match &self.weights {
            None => self.rows[truth] as f64,
            Some(_) => (0..self.n_classes()).map(|j| self.weight(truth, j)).sum(),
        }
    }

    /// What the rows decided as `decided` weigh.
    pub fn decided_weight(&self, decided: usize) -> f64 {
        match &self.weights {
            None => self.decided[decided] as f64,
            Some(_) => (0..self.n_classes()).map(|y| self.weight(y, decided)).sum(),
        }
    }

    /// What all rows weigh.
    pub fn total_weight(&self) -> f64 {
        (0..self.n_classes()).map(|y| self.truth_weight(y)).sum()
    }

    /// What the rightly decided rows weigh.
    pub fn correct_weight(&self) -> f64 {
        (0..self.n_classes()).map(|y| self.weight(y, y)).sum()
    }

    /// What the wrongly decided rows weigh: summed, not subtracted, so that none is exactly 0.
    pub fn wrong_weight(&self) -> f64 {
        let k = self.n_classes();
        match &self.weights {
            None => (0..k)
                .map(|y| (self.rows[y] - self.counts[y * k + y]) as f64)
                .sum(),
            Some(weights) => {
                let wrong = weights
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| at / k != at % k);
                wrong.map(|(_, weight)| weight).sum()
            }
        }
    }

    /// Classes with at least one row.
    pub fn n_present(&self) -> usize {
        self.rows.iter().filter(|&&n| n > 0).count()
    }

    /// The share of the rows of class `truth` that were decided right, in [0, 1]; `None` without such
    /// rows. By the rows' own weights where they have some, whatever the metric prior is.
    ///
    /// # Panics
    /// When the class is not below the number of classes.
    pub fn recall(&self, truth: usize) -> Option<f64> {
        if let Some(own) = &self.own {
            let k = self.n_classes();
            let own = &own[truth * k..][..k];
            let all: f64 = own.iter().sum();
            return (all > 0.0).then(|| own[truth] / all);
        }
        let rows = self.rows[truth];
        (rows > 0).then(|| self.count(truth, truth) as f64 / rows as f64)
    }

    /// The share of the rows of class `truth` that were decided wrongly, as [`Confusion::recall`]: summed, not
    /// subtracted from 1, so that none is exactly 0.
    ///
    /// # Panics
    /// When the class is not below the number of classes.
    pub fn miss_rate(&self, truth: usize) -> Option<f64> {
        if let Some(own) = &self.own {
            let k = self.n_classes();
            let own = &own[truth * k..][..k];
            let wrong: f64 = (0..k).filter(|&j| j != truth).map(|j| own[j]).sum();
            let all = wrong + own[truth];
            return (all > 0.0).then(|| wrong / all);
        }
        let rows = self.rows[truth];
        (rows > 0).then(|| (rows - self.count(truth, truth)) as f64 / rows as f64)
    }

    /// The recall of each class, in class order.
    pub fn recalls(&self) -> impl Iterator<Item = Option<f64>> {
        (0..self.n_classes()).map(|y| self.recall(y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_recalls_leave_absent_classes_out() {
        let mut confusion = Confusion::new(3);
        confusion.add_weighing(0, 0, 0.5);
        confusion.add_weighing(0, 2, 0.25);
        confusion.add_weighing(2, 2, 4.0);
        let recalls: Vec<_> = confusion.recalls().collect();
        assert_eq!(recalls, [Some(0.5), None, Some(1.0)]);
        assert_eq!(confusion.n_present(), 2);
        assert_eq!(confusion.decided_count(2), 2);
        assert!((confusion.decided_weight(2) - 4.25).abs() < 1e-15);
        assert!((confusion.total_weight() - 4.75).abs() < 1e-15);
        assert!((confusion.correct_weight() - 4.5).abs() < 1e-15);
        assert!((confusion.wrong_weight() - 0.25).abs() < 1e-15);
        assert_eq!(confusion.unweighted(), None);
    }

    #[test]
    fn relabelling_equals_counting_anew() {
        let mut moved = Confusion::from_counts(3, &[2, 0, 0, 2, 0, 0, 0, 1, 0]).unwrap();
        moved.relabel(1, 0, 1);
        moved.relabel(2, 1, 0);
        moved.relabel(0, 0, 2);
        let anew = Confusion::from_counts(3, &[1, 0, 1, 1, 1, 0, 1, 0, 0]).unwrap();
        assert_eq!(moved, anew);
    }

    #[test]
    fn rows_that_weigh_one_are_counted_and_weights_that_are_given_later_count_them() {
        let mut confusion = Confusion::new(2);
        confusion.add_weighing(0, 1, 1.0);
        assert_eq!(confusion.unweighted(), Some(1));
        confusion.add_weighing(0, 1, 0.25);
        assert!((confusion.weight(0, 1) - 1.25).abs() < 1e-15);
        let twice = Confusion::from_counts(2, &[3, 1, 0, 2])
            .unwrap()
            .weighing(&[2.0, 0.5]);
        assert!((twice.total_weight() - 9.0).abs() < 1e-15);
        assert!((twice.wrong_weight() - 2.0).abs() < 1e-15);
    }

    #[test]
    fn rows_with_weights_of_their_own_move_with_them() {
        let mut confusion = Confusion::new(2);
        confusion.add_own(0, 0, 2, Some(0.3 + 0.5));
        confusion.add_own(0, 1, 1, Some(0.2));
        confusion.add_own(1, 1, 3, Some(4.0));
        assert_eq!(confusion.truth_count(0), 3);
        assert!((confusion.recall(0).unwrap() - 0.8).abs() < 1e-15);
        confusion.relabel_own(0, 0, 1, Some(0.5));
        confusion.relabel_own(0, 0, 1, Some(0.3));
        assert_eq!(confusion.recall(0), Some(0.0));
        assert!((confusion.wrong_weight() - 1.0).abs() < 1e-15);
        assert!((confusion.weighing(&[2.0, 1.0]).truth_weight(0) - 2.0).abs() < 1e-15);
        // The metric prior has no part in recalls.
        assert_eq!(confusion.weighing(&[0.0, 1.0]).recall(1), Some(1.0));
    }

    #[test]
    #[should_panic(expected = "added before")]
    fn a_row_that_is_not_there_cannot_be_relabelled() {
        Confusion::new(2).relabel(0, 0, 1);
    }

    #[test]
    fn counts_of_another_shape_are_refused() {
        assert!(Confusion::from_counts(2, &[1, 2, 3]).is_err());
    }
}
