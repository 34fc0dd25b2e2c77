//! Reliability bins: what probabilities promise beside what happened, in bins of equal width.
//!
//! For two classes the probability is that of the positive class (the rarer one) and what is observed is
//! its share; for more classes it is the confidence, the largest probability of a row, and what is
//! observed is how often that class is right. Every row lies in exactly one bin, so bins of several
//! splits add up.

use crate::labels::Labels;
use crate::scores::{Scores, argmax_row};

/// Bins of equal width; as many as the expected calibration error has by default.
pub const BINS: usize = 15;

/// The slack at a bin's edge, in bin widths.
const EDGE: f64 = 1e-9;

/// The bin of a probability among `bins` bins `((b-1)/B, b/B]`, from 0; 0 itself lies in the first. A
/// probability within 1e-9 bin widths above an edge belongs to the bin below it, so that shares such
/// as 3/5 do not fall apart by the rounding of a logarithm.
///
/// # Examples
/// ```
/// use counterweight_core::reliability::bin;
/// assert_eq!([bin(0.0, 15), bin(0.6, 15), bin(0.6001, 15), bin(1.0, 15)], [0, 8, 9, 14]);
/// ```
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a probability lies in [0, 1], so the product in [0, bins]"
)]
pub fn bin(probability: f64, bins: usize) -> usize {
    let edge = (probability * bins as f64 - EDGE).ceil().max(1.0);
    edge as usize - 1
}

/// The sums over the rows of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Rows.
    pub rows: u64,
    /// Sum of their weights.
    pub weight: f64,
    /// Sum of weight times probability.
    pub predicted: f64,
    /// Sum of the weights of the rows where the class in question is the true one.
    pub observed: f64,
}

impl Bin {
    /// Adds the sums of another bin.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.weight += other.weight;
        self.predicted += other.predicted;
        self.observed += other.observed;
    }

    /// Weighted means of probability and outcome; `None` where the rows weigh nothing.
    pub fn means(&self) -> Option<(f64, f64)> {
        (self.weight > 0.0).then(|| (self.predicted / self.weight, self.observed / self.weight))
    }
}

/// All bins, empty ones included.
pub type Reliability = [Bin; BINS];

/// The bins of some scores. `positive` is the class that two classes are looked at for; it has no
/// meaning for more. Cost O(n K).
///
/// # Panics
/// When scores, labels and weights differ in rows, or scores and labels in classes.
///
/// # Examples
/// ```
/// use counterweight_core::{Labels, Matrix, Scores, reliability};
/// let labels = Labels::from_texts(&["0", "1"]);
/// let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.9, 0.1, 0.9, 0.1])?)?;
/// let bins = reliability::of(&scores, &labels, &[1.0; 2], 1);
/// let (predicted, observed) = bins[1].means().unwrap();
/// assert!((predicted - 0.1).abs() < 1e-15 && (observed - 0.5).abs() < 1e-15);
/// # Ok::<(), counterweight_core::CoreError>(())
/// ```
pub fn of(scores: &Scores, labels: &Labels, weights: &[f64], positive: usize) -> Reliability {
    assert_eq!(scores.n_rows(), labels.len(), "one score row a label");
    assert_eq!(scores.n_classes(), labels.n_classes(), "one score a class");
    assert_eq!(weights.len(), labels.len(), "one weight a label");
    let mut bins = [Bin::default(); BINS];
    let offsets = vec![0.0; scores.n_classes()];
    for (i, &weight) in weights.iter().enumerate() {
        let row = scores.log().row(i);
        let class = if row.len() == 2 {
            positive
        } else {
            argmax_row(row, &offsets, labels.ties()) as usize
        };
        let p = row[class].exp();
        let right = labels.class(i) == class;
        bins[bin(p, BINS).min(BINS - 1)].add(&Bin {
            rows: 1,
            weight,
            predicted: weight * p,
            observed: if right { weight } else { 0.0 },
        });
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn bins_are_closed_above_and_shares_at_an_edge_stay_together() {
        assert_eq!(bin(0.0, 15), 0);
        assert_eq!(bin(1.0, 15), 14);
        for confidence in [0.6, 0.6_f64.ln().exp(), 0.6 + 1e-15, 3.0 / 5.0 - 1e-15] {
            assert_eq!(bin(confidence, 15), 8);
        }
        assert_eq!(bin(0.6001, 15), 9);
    }

    #[test]
    fn every_row_lies_in_one_bin_and_weights_are_kept() {
        let p = Matrix::from_fn(50, 2, |i, k| {
            let p = i as f64 / 49.0;
            if k == 1 { p } else { 1.0 - p }
        });
        let scores = Scores::probabilities(p).unwrap();
        let ids = (0..50).map(|i| u32::from(i % 3 == 0)).collect();
        let labels = Labels::new(ids, ["0".to_owned(), "1".to_owned()].into()).unwrap();
        let weights: Vec<f64> = (0..50).map(|i| f64::from(i % 4)).collect();
        for positive in [0, 1] {
            let bins = of(&scores, &labels, &weights, positive);
            assert_eq!(bins.iter().map(|b| b.rows).sum::<u64>(), 50);
            let weight: f64 = bins.iter().map(|b| b.weight).sum();
            assert!((weight - weights.iter().sum::<f64>()).abs() < 1e-12);
            let observed: f64 = bins.iter().map(|b| b.observed).sum();
            let own = |i: &usize| labels.class(*i) == positive;
            let of_class: f64 = (0..50).filter(own).map(|i| weights[i]).sum();
            assert!((observed - of_class).abs() < 1e-12);
        }
        assert_eq!(Bin::default().means(), None);
    }
}
