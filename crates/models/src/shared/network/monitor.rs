//! Early stopping: rows held out of training, whose loss says when to stop and which weights to keep.
//!
//! The split is stratified, and rows that a resampler made of the same original row stay together: a
//! copy of a training row would tell nothing of rows that are new. A class with at least two originals
//! has at least one held out, and at least one to train on.

use counterweight_core::{Matrix, Origin, Stream};
use rand::seq::SliceRandom as _;

use super::layers::{Network, Workspace};
use super::objective::BatchLoss;

/// Splits rows, given their classes and origins, so that about `share` of each class is held out.
/// Returns the rows to train on and those held out, both ascending.
pub(crate) fn split(
    classes: &[u32],
    origins: &[Origin],
    share: f64,
    stream: &mut Stream,
) -> (Vec<usize>, Vec<usize>) {
    let n_classes = classes.iter().max().map_or(0, |&k| k as usize + 1);
    let mut held = vec![false; classes.len()];
    for class in 0..n_classes {
        let mut rows: Vec<(usize, usize)> = (0..classes.len())
            .filter(|&i| classes[i] as usize == class)
            .map(|i| (base(origins[i]), i))
            .collect();
        rows.sort_unstable();
        let mut groups: Vec<&[(usize, usize)]> = rows.chunk_by(|a, b| a.0 == b.0).collect();
        groups.shuffle(stream);
        let target = share * rows.len() as f64;
        let mut taken = 0.0;
        // All but the last: one has to be left for training.
        for group in groups.iter().skip(1) {
            // As near to the target as whole groups allow, but never none.
            if taken > 0.0 && taken + 0.5 * group.len() as f64 > target {
                break;
            }
            for &(_, row) in *group {
                held[row] = true;
            }
            taken += group.len() as f64;
        }
    }
    (0..classes.len()).partition(|&row| !held[row])
}

/// The original row behind a row.
fn base(origin: Origin) -> usize {
    match origin {
        Origin::Row(row) => row,
        Origin::Synthetic { base, .. } => base,
    }
}

/// Watches the loss of held-out rows.
#[derive(Debug)]
pub(crate) struct Monitor {
    x: Matrix,
    classes: Vec<u32>,
    /// What a row of each class counts beside its weight: more than 1 where training draws the
    /// class more often than it has rows.
    counts_for: Vec<f64>,
    patience: usize,
    best: f64,
    best_theta: Vec<f64>,
    waited: usize,
}

impl Monitor {
    /// Watches rows `x` of these classes, which training draws by `shares`.
    pub(crate) fn new(x: Matrix, classes: Vec<u32>, shares: &[f64], patience: usize) -> Self {
        let mut held = vec![0.0; shares.len()];
        for &class in &classes {
            held[class as usize] += 1.0;
        }
        let n: f64 = held.iter().sum();
        let counts_for = shares
            .iter()
            .zip(&held)
            .map(|(q, m)| if *m > 0.0 { q * n / m } else { 0.0 })
            .collect();
        Self {
            x,
            classes,
            counts_for,
            patience,
            best: f64::INFINITY,
            best_theta: Vec::new(),
            waited: 0,
        }
    }

    /// Mean loss of the held-out rows.
    pub(crate) fn loss(
        &self,
        network: &Network,
        theta: &[f64],
        loss: &BatchLoss,
        space: &mut Workspace,
    ) -> f64 {
        let (d, c) = (self.x.cols(), network.shape().scores);
        let mut unused = vec![0.0; c];
        let mut sum = 0.0;
        for start in (0..self.classes.len()).step_by(space.rows) {
            let rows = space.rows.min(self.classes.len() - start);
            let x = &self.x.as_slice()[start * d..(start + rows) * d];
            let scores = network.forward(theta, (x, rows), space);
            for (f, &class) in scores.chunks_exact(c).zip(&self.classes[start..]) {
                sum += self.counts_for[class as usize] * loss.of(class, f, &mut unused);
            }
        }
        sum / self.classes.len() as f64
    }

    /// Takes note of a loss; whether it is time to stop.
    pub(crate) fn note(&mut self, loss: f64, theta: &[f64]) -> bool {
        if loss < self.best {
            self.best = loss;
            self.best_theta.clear();
            self.best_theta.extend_from_slice(theta);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        self.waited >= self.patience
    }

    /// The smallest loss and the weights that had it; `None` when no loss was a number.
    pub(crate) fn finish(self) -> Option<(f64, Vec<f64>)> {
        self.best
            .is_finite()
            .then_some((self.best, self.best_theta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn the_split_is_stratified_and_keeps_copies_together() {
        // Class 0: 40 rows; class 1: 4 originals with 10 copies each; class 2: 2 rows; class 3: 1.
        let mut classes = vec![0; 40];
        let mut origins: Vec<Origin> = (0..40).map(Origin::Row).collect();
        for i in 0..40 {
            classes.push(1);
            let base = 100 + i % 4;
            origins.push(if i < 4 {
                Origin::Row(base)
            } else {
                Origin::Synthetic {
                    base,
                    neighbour: 100,
                }
            });
        }
        classes.extend([2, 2, 3]);
        origins.extend([Origin::Row(200), Origin::Row(201), Origin::Row(202)]);
        let (fit, held) = split(&classes, &origins, 0.1, &mut rng(1));
        let count = |rows: &[usize], k: u32| rows.iter().filter(|&&i| classes[i] == k).count();
        assert_eq!([0, 1, 2, 3].map(|k| count(&held, k)), [4, 10, 1, 0]);
        assert_eq!([0, 1, 2, 3].map(|k| count(&fit, k)), [36, 30, 1, 1]);
        for &i in &held {
            for &j in &fit {
                assert!(classes[i] != classes[j] || base(origins[i]) != base(origins[j]));
            }
        }
        let (_, other) = split(&classes, &origins, 0.1, &mut rng(2));
        assert_ne!(held, other);
        // Whatever the share, every class keeps a row to train on.
        let (fit, _) = split(&classes, &origins, 0.99, &mut rng(3));
        assert_eq!([0, 2, 3].map(|k| count(&fit, k)), [1, 1, 1]);
    }

    #[test]
    fn the_best_weights_are_kept_and_patience_ends() {
        let mut monitor = Monitor::new(Matrix::zeros(1, 1), vec![0], &[1.0], 2);
        let stops: Vec<bool> = [3.0, 2.0, 2.5, 1.5, f64::NAN, 1.6]
            .iter()
            .map(|&loss| monitor.note(loss, &[loss]))
            .collect();
        assert_eq!(stops, [false, false, false, false, false, true]);
        assert_eq!(monitor.finish(), Some((1.5, vec![1.5])));
    }
}
