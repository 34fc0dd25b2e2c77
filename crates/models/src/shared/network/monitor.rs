//! Early stopping: rows held out of training, whose loss says when to stop and which weights to keep.
//!
//! Only rows that a resampler left as they were are held out, each counted once, and what it made of them
//! (copies, rows on the way from or to them) takes no part in the training: they would tell nothing of rows
//! that are new. Which ones is a matter of their numbers alone, so that every correction holds out the same
//! rows, as far as it has them. A class with at least two originals has at least one held out, and at least
//! one to train on.

use std::collections::BTreeSet;

use counterweight_core::groups::take_groups;
use counterweight_core::{Matrix, Origin, Seed};

use super::layers::{Network, Workspace};
use super::objective::BatchLoss;

/// Holds out about `share` of the originals of each class, given the classes and origins of the rows. Returns
/// the rows to train on and those held out, both ascending; other rows that come from held-out ones are in
/// neither. Where originals have groups, whole groups are held out, as near to that as they allow.
pub(crate) fn split(
    classes: &[u32],
    origins: &[Origin],
    share: f64,
    group_of: Option<&dyn Fn(usize) -> usize>,
) -> (Vec<usize>, Vec<usize>) {
    if let Some(group_of) = group_of {
        return split_groups(classes, origins, share, group_of);
    }
    let n_classes = classes.iter().max().map_or(0, |&k| k as usize + 1);
    let mut out = BTreeSet::new();
    let mut held = Vec::new();
    for class in 0..n_classes {
        // By original, its own row before those that were made of it.
        let mut rows: Vec<(usize, bool, usize)> = (0..classes.len())
            .filter(|&i| classes[i] as usize == class)
            .map(|i| (base(origins[i]), !matches!(origins[i], Origin::Row(_)), i))
            .collect();
        rows.sort_unstable();
        let mut first: Vec<(usize, usize)> = rows
            .chunk_by(|a, b| a.0 == b.0)
            .map(|group| (group[0].0, group[0].2))
            .collect();
        first.sort_by_key(|&(original, _)| {
            (
                Seed(original as u64).stage("early-stopping").short_seed(),
                original,
            )
        });
        let n = first.len() as f64;
        // As near to the share as whole rows allow, never none and never all.
        for (taken, &(original, row)) in first.iter().skip(1).enumerate() {
            if taken > 0 && taken as f64 + 0.5 > share * n {
                break;
            }
            out.insert(original);
            held.push(row);
        }
    }
    held.sort_unstable();
    let kept = |origin| match origin {
        Origin::Row(row) => !out.contains(&row),
        Origin::Synthetic { base, neighbour } => !out.contains(&base) && !out.contains(&neighbour),
    };
    let fit = (0..classes.len()).filter(|&i| kept(origins[i])).collect();
    (fit, held)
}

fn split_groups(
    classes: &[u32],
    origins: &[Origin],
    share: f64,
    group_of: &dyn Fn(usize) -> usize,
) -> (Vec<usize>, Vec<usize>) {
    let mut seen = BTreeSet::new();
    let own = |&row: &usize| match origins[row] {
        Origin::Row(original) => seen.insert(original),
        Origin::Synthetic { .. } => false,
    };
    let rows: Vec<usize> = (0..classes.len()).filter(own).collect();
    let of: Vec<u32> = rows.iter().map(|&row| classes[row]).collect();
    let number = |&row: &usize| u32::try_from(group_of(base(origins[row]))).unwrap_or(u32::MAX);
    let groups: Vec<u32> = rows.iter().map(number).collect();
    let mut wanted = vec![0; classes.iter().max().map_or(0, |&k| k as usize + 1)];
    for (class, wanted) in (0..).zip(&mut wanted) {
        let n = of.iter().filter(|&&own| own == class).count();
        *wanted = (1..n)
            .rev()
            .find(|&m| m == 1 || m as f64 - 0.5 <= share * n as f64)
            .unwrap_or(0);
    }
    let taken = take_groups(&of, &groups, &wanted, &Seed(0).stage("early-stopping"));
    let held: Vec<usize> = (rows.iter().zip(&taken))
        .filter_map(|(&row, &taken)| taken.then_some(row))
        .collect();
    let out: BTreeSet<usize> = held
        .iter()
        .map(|&row| group_of(base(origins[row])))
        .collect();
    let kept = |origin| match origin {
        Origin::Row(row) => !out.contains(&group_of(row)),
        Origin::Synthetic { base, neighbour } => {
            !out.contains(&group_of(base)) && !out.contains(&group_of(neighbour))
        }
    };
    let fit = (0..classes.len()).filter(|&i| kept(origins[i])).collect();
    (fit, held)
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
    /// What each row weighs beside its class, where rows have weights.
    own: Option<Vec<f64>>,
    /// What a row of each class counts beside its weight: more than 1 where training draws the
    /// class more often than it has rows.
    counts_for: Vec<f64>,
    patience: usize,
    best: f64,
    best_theta: Vec<f64>,
    waited: usize,
    /// The smallest loss after each look.
    least: Vec<f64>,
}

impl Monitor {
    /// Watches rows `x` of these classes and weights of their own, which training draws by `shares`.
    pub(crate) fn new(
        (x, classes, own): (Matrix, Vec<u32>, Option<Vec<f64>>),
        shares: &[f64],
        patience: usize,
    ) -> Self {
        let mut held = vec![0.0; shares.len()];
        for (at, &class) in classes.iter().enumerate() {
            held[class as usize] += own.as_ref().map_or(1.0, |own| own[at]);
        }
        let n = classes.len() as f64;
        let counts_for = shares
            .iter()
            .zip(&held)
            .map(|(q, m)| if *m > 0.0 { q * n / m } else { 0.0 })
            .collect();
        Self {
            x,
            classes,
            own,
            counts_for,
            patience,
            best: f64::INFINITY,
            best_theta: Vec::new(),
            waited: 0,
            least: Vec::new(),
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
            let rows = scores.chunks_exact(c).zip(&self.classes[start..]);
            for (at, (f, &class)) in rows.enumerate() {
                let own = self.own.as_ref().map_or(1.0, |own| own[start + at]);
                sum += self.counts_for[class as usize] * own * loss.of(class, f, &mut unused);
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
        self.least.push(self.best);
        self.waited >= self.patience
    }

    /// Whether the smallest loss fell by more than a hundredth over the last tenth of the looks.
    pub(crate) fn still_fell(&self) -> bool {
        let n = self.least.len();
        let before = self.least.get(n.saturating_sub(n / 10 + 1));
        before.is_some_and(|before| self.best < 0.99 * before)
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
    #[test]
    fn the_split_is_stratified_and_holds_out_originals_only() {
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
        let (fit, held) = split(&classes, &origins, 0.1, None);
        let count = |rows: &[usize], k: u32| rows.iter().filter(|&&i| classes[i] == k).count();
        assert_eq!([0, 1, 2, 3].map(|k| count(&held, k)), [4, 1, 1, 0]);
        assert!(held.iter().all(|&i| matches!(origins[i], Origin::Row(_))));
        assert_eq!([0, 2, 3].map(|k| count(&fit, k)), [36, 1, 1]);
        // Nothing to train on comes from a held-out row, on either side.
        for &i in &held {
            for &j in &fit {
                assert!(base(origins[i]) != base(origins[j]));
                if let Origin::Synthetic { neighbour, .. } = origins[j] {
                    assert!(base(origins[i]) != neighbour);
                }
            }
        }
        // Under no correction the same originals are held out.
        let plain: Vec<usize> = (0..83)
            .filter(|&i| matches!(origins[i], Origin::Row(_)))
            .collect();
        let of = |all: &[u32]| -> Vec<u32> { plain.iter().map(|&i| all[i]).collect() };
        let own: Vec<Origin> = plain.iter().map(|&i| origins[i]).collect();
        let (_, alone) = split(&of(&classes), &own, 0.1, None);
        let bases = |held: &[usize], of: &[Origin]| -> Vec<usize> {
            held.iter().map(|&i| base(of[i])).collect()
        };
        assert_eq!(bases(&alone, &own), bases(&held, &origins));
        // Whatever the share, every class keeps a row to train on.
        let (fit, _) = split(&classes, &origins, 0.99, None);
        assert_eq!([0, 2, 3].map(|k| count(&fit, k)), [1, 1, 1]);
        // Groups of five originals: a whole one is held out, with all that was made of it, and of class 1 the one
        // that has no row of its base there.
        let group_of = |original: usize| original / 5;
        let (fit, held) = split(&classes, &origins, 0.1, Some(&group_of));
        assert_eq!(held.len(), 5);
        let group = |row: usize| group_of(base(origins[row]));
        assert!(held.iter().all(|&row| group(row) == group(held[0])));
        assert_eq!(fit.len(), classes.len() - 5);
        // Groups across classes go as a whole.
        let pairs = |original: usize| original % 100;
        let (fit, held) = split(&classes, &origins, 0.3, Some(&pairs));
        assert!(!held.is_empty());
        for &i in &held {
            assert!(
                fit.iter()
                    .all(|&j| pairs(base(origins[i])) != pairs(base(origins[j])))
            );
        }
    }

    #[test]
    fn the_best_weights_are_kept_and_patience_ends() {
        let mut monitor = Monitor::new((Matrix::zeros(1, 1), vec![0], None), &[1.0], 2);
        let stops: Vec<bool> = [3.0, 2.0, 2.5, 1.5, f64::NAN, 1.6]
            .iter()
            .map(|&loss| monitor.note(loss, &[loss]))
            .collect();
        assert_eq!(stops, [false, false, false, false, false, true]);
        assert!(!monitor.still_fell());
        assert_eq!(monitor.finish(), Some((1.5, vec![1.5])));
        let mut falling = Monitor::new((Matrix::zeros(1, 1), vec![0], None), &[1.0], 2);
        for at in 0..20 {
            falling.note(1.0 - 0.02 * f64::from(at), &[]);
        }
        assert!(falling.still_fell());
    }
}
