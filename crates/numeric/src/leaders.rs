//! For each row the class that leads under some offsets, and by how much: what an ascent over one offset at a time needs to
//! leave most rows alone.

use counterweight_core::scores::argmax_row;
use counterweight_core::{Labels, Scores, TIE, limit};

/// The leading class of a row.
#[derive(Clone, Copy, Debug)]
struct Leader {
    class: usize,
    /// Its score less its offset.
    value: f64,
    /// The next best one of the other classes.
    next: f64,
}

impl Leader {
    fn of(row: &[f64], offsets: &[f64]) -> Self {
        let mut found = Self {
            class: 0,
            value: f64::NEG_INFINITY,
            next: f64::NEG_INFINITY,
        };
        for class in 0..row.len() {
            let value = adjusted(row, offsets, class);
            if value > found.value {
                found = Self {
                    class,
                    value,
                    next: found.value,
                };
            } else if value > found.next {
                found.next = value;
            }
        }
        found
    }

    /// Whether a class at `value` is not within a tie of it.
    fn leads(&self, value: f64) -> bool {
        value < self.value - TIE * self.value.abs().max(1.0)
    }
}

/// A score less its offset, as [`argmax_row`] has it.
fn adjusted(row: &[f64], offsets: &[f64], class: usize) -> f64 {
    match row[class] {
        f64::NEG_INFINITY => f64::NEG_INFINITY,
        score => score - offsets[class],
    }
}

/// The leading classes of all rows under offsets that change one by one.
#[derive(Debug)]
pub(crate) struct Leaders<'a> {
    scores: &'a Scores,
    labels: &'a Labels,
    offsets: Vec<f64>,
    rows: Vec<Leader>,
    totals: Vec<u64>,
}

impl<'a> Leaders<'a> {
    /// O(n K).
    pub(crate) fn new(scores: &'a Scores, labels: &'a Labels, offsets: &[f64]) -> Self {
        let rows = scores.log().iter_rows().enumerate();
        let leader = |(at, row)| {
            limit::ask_at(at);
            Leader::of(row, offsets)
        };
        let mut totals = vec![0; offsets.len()];
        for &y in labels.ids() {
            totals[y as usize] += 1;
        }
        Self {
            scores,
            labels,
            offsets: offsets.to_vec(),
            rows: rows.map(leader).collect(),
            totals,
        }
    }

    pub(crate) fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// The offsets with another one for `class`.
    pub(crate) fn with(&self, class: usize, offset: f64) -> Vec<f64> {
        let mut offsets = self.offsets.clone();
        offsets[class] = offset;
        offsets
    }

    /// What each row is decided as with this offset for `class`, as [`argmax_row`] decides it: O(n), and O(K) for each row in
    /// which the class leads or would.
    pub(crate) fn decided(&self, class: usize, offset: f64) -> impl Iterator<Item = usize> {
        let offsets = self.with(class, offset);
        let rows = self.scores.log().iter_rows().zip(&self.rows).enumerate();
        rows.map(move |(at, (row, leader))| {
            limit::ask_at(at);
            let clear = leader.class != class && leader.leads(leader.next);
            if clear && leader.leads(adjusted(row, &offsets, class)) {
                leader.class
            } else {
                argmax_row(row, &offsets, self.labels.ties()) as usize
            }
        })
    }

    /// One minus the mean recall of rows without weights, with this offset for `class`; `None` without rows.
    pub(crate) fn balanced_error(&self, class: usize, offset: f64) -> Option<f64> {
        let mut right = vec![0_u64; self.totals.len()];
        for (&y, decided) in self.labels.ids().iter().zip(self.decided(class, offset)) {
            right[y as usize] += u64::from(y as usize == decided);
        }
        let present = right.iter().zip(&self.totals).filter(|(_, n)| **n > 0);
        let (sum, n) = present.fold((0.0, 0.0), |(sum, n), (&right, &total)| {
            (sum + right as f64 / total as f64, n + 1.0)
        });
        (n > 0.0).then(|| 1.0 - sum / n)
    }

    /// Takes this offset for `class`.
    pub(crate) fn take(&mut self, class: usize, offset: f64) {
        let before = std::mem::replace(&mut self.offsets[class], offset);
        for (row, leader) in self.scores.log().iter_rows().zip(&mut self.rows) {
            let least = row[class] - before.min(offset);
            if leader.class == class || least >= leader.next {
                *leader = Leader::of(row, &self.offsets);
            }
        }
    }
}
