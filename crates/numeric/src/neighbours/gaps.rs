//! The squared distance of every row to the nearest of some rows that are added one by one.
//!
//! Each step asks which rows a few candidates are nearer to than what is there. After a few steps
//! those are few, so products rule nearly all out ([`super::brute`] has the bound), and what is left
//! is measured directly: the distances are those of a double loop, to the last bit.

use crate::screen::{self, Found, Limits, Queries, Rows};
use counterweight_core::{Matrix, StageError, StageResult};

use super::brute::{Frame, Grain, complete};
use super::points::Points;

/// Rows and how far each is from the nearest row that was added.
#[derive(Debug)]
pub struct Gaps {
    points: Points,
    frame: Frame,
    asked: Queries<f32>,
    limits: Limits<f32>,
    squared: Vec<f64>,
    found: Found<f32>,
}

/// A row that a candidate is nearer to, at this squared distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearer {
    pub candidate: usize,
    pub row: usize,
    pub squared: f64,
}

impl Gaps {
    /// The distances of the rows of `x`, of which there is one at least, to the row `first`.
    ///
    /// # Errors
    /// [`StageError::Failed`] when their sum overflows.
    pub fn new(x: Matrix, first: usize) -> StageResult<Option<Self>> {
        let points = Points::numeric(x);
        let n = points.n_rows();
        let squared: Vec<f64> = (0..n)
            .map(|row| points.squared_distance(row, first))
            .collect();
        let total: f64 = squared.iter().sum();
        let overflow = || StageError::Failed("distances overflow; scale the columns first".into());
        if !total.is_finite() {
            return Err(overflow());
        }
        if total <= 0.0 {
            return Ok(None);
        }
        let rows: Vec<usize> = (0..n).collect();
        let frame = Frame::new(&points, &rows, &rows).ok_or_else(overflow)?;
        let width = points.x().cols() + 2;
        let asked = Queries::new(n, width, complete::<f32>(&points, &rows, &frame, true));
        let mut gaps = Self {
            asked,
            limits: Limits::new(n),
            found: Found::default(),
            points,
            frame,
            squared,
        };
        for row in 0..n {
            gaps.limit(row);
        }
        Ok(Some(gaps))
    }

    fn limit(&mut self, row: usize) {
        let scaled = self.frame.scaled(self.squared[row]);
        self.limits.raise(row, f32::at_most(-scaled / 2.0));
    }

    /// The squared distances, row by row.
    pub fn squared(&self) -> &[f64] {
        &self.squared
    }

    /// The rows that each of `candidates` is nearer to: by candidate, then by row.
    pub fn nearer(&mut self, candidates: &[usize]) -> Vec<Nearer> {
        let width = self.points.x().cols() + 2;
        let write = complete::<f32>(&self.points, candidates, &self.frame, false);
        let pool = Rows::new(candidates.len(), width, write);
        self.found.clear();
        screen::reaching(
            (&self.asked, 0..self.points.n_rows()),
            (&pool, 0..candidates.len()),
            &self.limits,
            false,
            &mut self.found,
        );
        let mut nearer = Vec::new();
        for strip in self.found.strips() {
            let row = strip.query;
            for (at, &candidate) in candidates.iter().enumerate().skip(strip.first) {
                let Some(&product) = strip.products.get(at - strip.first) else {
                    break;
                };
                if product < self.limits.of(row) {
                    continue;
                }
                let squared = self.points.squared_distance(row, candidate);
                if squared < self.squared[row] {
                    nearer.push(Nearer {
                        candidate: at,
                        row,
                        squared,
                    });
                }
            }
        }
        nearer.sort_unstable_by_key(|near| (near.candidate, near.row));
        nearer
    }

    /// Sets a row's squared distance to a smaller one.
    pub fn lower(&mut self, row: usize, squared: f64) {
        self.squared[row] = squared;
        self.limit(row);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gaps_are_those_of_a_double_loop(
            n in 1_usize..90,
            d in 1_usize..4,
            coarse in proptest::bool::ANY,
            steps in proptest::collection::vec(proptest::collection::vec(0_usize..90, 1..5), 0..6),
        ) {
            let x = Matrix::from_fn(n, d, |i, j| {
                let value = ((i * 7919 + j * 104_729) % 1009) as f64 / 100.0;
                if coarse { value.round() } else { value }
            });
            let gap = |a: usize, b: usize| -> f64 {
                (0..d).map(|j| (x.at(a, j) - x.at(b, j)).powi(2)).sum()
            };
            let mut expected: Vec<f64> = (0..n).map(|row| gap(row, 0)).collect();
            let Some(mut gaps) = Gaps::new(x.clone(), 0).unwrap() else {
                prop_assert!(expected.iter().all(|&gap| gap <= 0.0));
                return Ok(());
            };
            for candidates in steps {
                let candidates: Vec<usize> = candidates.iter().map(|at| at % n).collect();
                let nearer = gaps.nearer(&candidates);
                let mut all = Vec::new();
                for (candidate, &at) in candidates.iter().enumerate() {
                    for row in (0..n).filter(|&row| gap(row, at) < expected[row]) {
                        all.push(Nearer { candidate, row, squared: gap(row, at) });
                    }
                }
                prop_assert_eq!(&nearer, &all);
                for near in nearer.iter().filter(|near| near.candidate == 0) {
                    gaps.lower(near.row, near.squared);
                    expected[near.row] = near.squared;
                }
                prop_assert_eq!(gaps.squared(), &expected[..]);
            }
        }
    }
}
