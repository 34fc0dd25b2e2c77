//! The k best candidates of many queries, kept sorted in one block of memory.

use std::cmp::Ordering;

/// A row at a squared distance; of two, the nearer one comes first, then the lower row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) squared: f64,
    pub(super) row: usize,
}

impl Candidate {
    /// No candidate: behind every other.
    const NONE: Self = Self {
        squared: f64::INFINITY,
        row: usize::MAX,
    };

    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.squared
            .total_cmp(&other.squared)
            .then(self.row.cmp(&other.row))
    }
}

/// The best `k` candidates of each query so far.
#[derive(Debug)]
pub(super) struct Best {
    k: usize,
    slots: Vec<Candidate>,
}

impl Best {
    /// For `queries` queries; `k` is at least 1.
    pub(super) fn new(queries: usize, k: usize) -> Self {
        Self {
            k,
            slots: vec![Candidate::NONE; queries * k],
        }
    }

    /// The squared distance beyond which a row cannot be among the best of the `at`-th query:
    /// infinite until there are k.
    pub(super) fn worst(&self, at: usize) -> f64 {
        self.slots[(at + 1) * self.k - 1].squared
    }

    /// Whether rows from `lowest` on at `squared` or farther cannot be among the best.
    pub(super) fn beyond(&self, at: usize, squared: f64, lowest: usize) -> bool {
        let last = &self.slots[(at + 1) * self.k - 1];
        let first = Candidate {
            squared,
            row: lowest,
        };
        first.order(last) != Ordering::Less
    }

    /// Takes `found` in if it is among the best; a row is offered to a query once at most.
    pub(super) fn offer(&mut self, at: usize, found: Candidate) {
        let slots = &mut self.slots[at * self.k..(at + 1) * self.k];
        let last = self.k - 1;
        if found.order(&slots[last]) != Ordering::Less {
            return;
        }
        let place = slots.partition_point(|kept| kept.order(&found) == Ordering::Less);
        slots.copy_within(place..last, place + 1);
        slots[place] = found;
    }

    /// Turns every distance round, for lists of the farthest.
    pub(super) fn negate(&mut self) {
        for slot in &mut self.slots {
            slot.squared = -slot.squared;
        }
    }

    /// The lists, one after another, each in order.
    pub(super) fn into_slots(self) -> Vec<Candidate> {
        self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_kept_in_order() {
        let mut best = Best::new(2, 2);
        for (row, squared) in [(4, 3.0), (1, 1.0), (3, 1.0), (0, f64::INFINITY), (2, 1.0)] {
            best.offer(1, Candidate { squared, row });
        }
        assert!(best.worst(0).is_infinite());
        best.offer(
            0,
            Candidate {
                squared: f64::INFINITY,
                row: 7,
            },
        );
        let rows: Vec<usize> = best.into_slots().iter().map(|c| c.row).collect();
        assert_eq!(rows, [7, usize::MAX, 1, 2]);
    }
}
