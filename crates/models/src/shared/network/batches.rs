//! Which rows make the minibatches of an epoch.
//!
//! Without a scheme every row stands in one batch of each epoch, in an order that is shuffled anew; the
//! rows are cut into ceil(n / size) batches whose sizes differ by one at most, so that no epoch ends in
//! a step along a few left-over rows. Batches of all rows keep their order and draw nothing.
//!
//! With a scheme (`batch-balanced`) each place of a batch draws a class by the scheme's shares and then a
//! row of it, with replacement; an epoch has as many places as there are rows.

use std::ops::Range;

use counterweight_core::{BatchScheme, ClassCounts, Stream};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;

/// The minibatches of one epoch after another.
#[derive(Debug)]
pub(crate) struct Batches {
    per_epoch: usize,
    scheme: Option<BatchScheme>,
    counts: ClassCounts,
    /// What the rows of each class weigh beside it.
    masses: Vec<f64>,
    /// The rows of each class, one class after the other.
    by_class: Vec<usize>,
    /// The rows of this epoch's batches, one batch after the other.
    order: Vec<usize>,
}

impl Batches {
    /// Batches of at most `size` of the rows with these classes.
    pub(crate) fn new(
        classes: &[u32],
        n_classes: usize,
        size: usize,
        scheme: Option<BatchScheme>,
    ) -> Self {
        let mut counts = vec![0; n_classes];
        for &class in classes {
            counts[class as usize] += 1;
        }
        let mut by_class: Vec<usize> = (0..classes.len()).collect();
        by_class.sort_by_key(|&row| classes[row]);
        Self {
            per_epoch: classes.len().div_ceil(size.max(1)).max(1),
            scheme,
            masses: counts.iter().map(|&n| n as f64).collect(),
            counts: ClassCounts::new(counts),
            by_class,
            order: (0..classes.len()).collect(),
        }
    }

    /// The same, of rows that have these weights of their own: shares are then of what rows weigh.
    pub(crate) fn weighing(mut self, classes: &[u32], own: Option<&[f64]>) -> Self {
        if let Some(own) = own {
            self.masses.fill(0.0);
            for (&class, own) in classes.iter().zip(own) {
                self.masses[class as usize] += own;
            }
        }
        self
    }

    /// Batches of an epoch.
    pub(crate) fn count(&self) -> usize {
        self.per_epoch
    }

    /// Rows of the largest batch.
    pub(crate) fn largest(&self) -> usize {
        self.order.len().div_ceil(self.per_epoch)
    }

    /// Shares of the classes among the draws at `progress`, 0 for the first epoch, 1 for the last.
    pub(crate) fn shares(&self, progress: f64) -> Vec<f64> {
        if let Some(scheme) = self.scheme {
            return scheme.shares(&self.counts, progress);
        }
        let n = self.order.len() as f64;
        self.masses.iter().map(|mass| mass / n).collect()
    }

    /// Draws the batches of an epoch.
    pub(crate) fn draw(&mut self, progress: f64, stream: &mut Stream) {
        if self.scheme.is_none() {
            if self.per_epoch > 1 {
                self.order.shuffle(stream);
            }
            return;
        }
        let shares = self.shares(progress);
        let last = shares.iter().rposition(|&share| share > 0.0).unwrap_or(0);
        let starts: Vec<usize> = self
            .counts
            .as_slice()
            .iter()
            .scan(0, |at, &count| {
                let start = *at;
                *at += count;
                Some(start)
            })
            .collect();
        for row in &mut self.order {
            let mut rest: f64 = stream.random();
            let mut class = 0;
            // The shares may sum to a rounding error less than 1: the last class takes it.
            while class < last && rest >= shares[class] {
                rest -= shares[class];
                class += 1;
            }
            let count = self.counts.as_slice()[class];
            *row = self.by_class[starts[class] + stream.random_range(0..count)];
        }
    }

    /// The rows of batch `at`; `None` for all rows in their order.
    pub(crate) fn rows(&self, at: usize) -> Option<&[usize]> {
        let whole = self.per_epoch == 1 && self.scheme.is_none();
        (!whole).then(|| &self.order[self.range(at)])
    }

    fn range(&self, at: usize) -> Range<usize> {
        let n = self.order.len();
        let cut = |at: usize| at * n / self.per_epoch;
        cut(at)..cut(at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn every_row_stands_in_one_batch_of_an_epoch() {
        for (n, size) in [(10, 3), (11, 5), (7, 1), (5, 5), (5, 99), (64, 64), (1, 1)] {
            let classes: Vec<u32> = (0..n).map(|i| i % 2).collect();
            let mut batches = Batches::new(&classes, 2, size, None);
            let n = classes.len();
            assert_eq!(batches.count(), n.div_ceil(size));
            let mut last = Vec::new();
            for epoch in 0..3 {
                batches.draw(0.0, &mut rng(epoch));
                let mut seen = Vec::new();
                for at in 0..batches.count() {
                    let rows = batches
                        .rows(at)
                        .map_or_else(|| (0..n).collect(), <[usize]>::to_vec);
                    assert!(rows.len() <= size && rows.len() + 1 >= batches.largest());
                    seen.extend(rows);
                }
                if n > 5 && size < n {
                    assert_ne!(seen, last, "an epoch in the order of the one before");
                }
                last.clone_from(&seen);
                seen.sort_unstable();
                assert_eq!(seen, (0..n).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn schemes_draw_classes_by_their_shares_and_rows_alike() {
        let classes: Vec<u32> = (0..1000).map(|i| u32::from(i >= 900) * 2).collect();
        let cases = [
            (BatchScheme::ClassBalanced, 0.0, 0.5),
            (BatchScheme::SquareRoot, 0.0, 0.75),
            (BatchScheme::Progressive, 0.0, 0.9),
            (BatchScheme::Progressive, 1.0, 0.5),
            (BatchScheme::Progressive, 0.5, 0.7),
        ];
        for (scheme, progress, share) in cases {
            let mut batches = Batches::new(&classes, 3, 32, Some(scheme));
            assert!((batches.shares(progress)[0] - share).abs() < 1e-12);
            assert!(batches.shares(progress)[1].abs() < 1e-12);
            let (mut first, mut seen) = (0.0, vec![0_u32; 1000]);
            let mut stream = rng(3);
            for _ in 0..100 {
                batches.draw(progress, &mut stream);
                for at in 0..batches.count() {
                    let rows = batches.rows(at).unwrap();
                    assert!((31..=32).contains(&rows.len()));
                    for &row in rows {
                        seen[row] += 1;
                        first += f64::from(u8::from(classes[row] == 0));
                    }
                }
            }
            // Within four standard errors.
            let n: f64 = 100_000.0;
            let error = (share * (1.0 - share) / n).sqrt();
            assert!(
                (first / n - share).abs() < 4.0 * error,
                "{scheme:?} {first}"
            );
            // Rows of a class alike: chi-squared over its hundred rows.
            let rare: Vec<f64> = seen[900..].iter().map(|&n| f64::from(n)).collect();
            let mean = rare.iter().sum::<f64>() / 100.0;
            let chi2: f64 = rare.iter().map(|n| (n - mean).powi(2) / mean).sum();
            assert!(chi2 < 149.0, "the 99.9 % point; {chi2}");
        }
    }
}
