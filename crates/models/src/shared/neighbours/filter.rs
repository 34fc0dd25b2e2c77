//! Matrix products that rule rows out, with a bound on their rounding error.
//!
//! For a query q and a row x, scaled by one power of two so that no row exceeds 1, let Q = |q|^2 and
//! X = |x|^2. One product of `[2 q, -1]` with `[x, X (1 - s)]` gives -v, in floats of unit roundoff u.
//! Converting the factors and summing d + 1 terms in any order errs by less than
//! `1.01 (d + 4) u (2 |q||x| + X) <= 1.01 (d + 4) u (Q + 2 X)` (Higham 2002, 3.1), and the direct distance by less
//! still. With `s = 8 (d + 4) u` therefore `v > limit - Q (1 - s)` proves that the direct distance
//! exceeds `limit`; numbers below the range of the floats add an absolute slack of 1e-30.

use std::cmp::Ordering;

use counterweight_core::Matrix;
use counterweight_numeric::screen::{self, Found, Limits, PANEL, Queries, Rows};

use super::Nearest;
use counterweight_numeric::linalg::dot;

/// Rows that a block of queries is multiplied with at once.
pub(super) const TILE: usize = 512;
/// Queries with a larger entry (rows have none above 1) could overflow: all rows are looked at.
const FAR: f64 = 1e15;
/// Covers what underflows.
const ABSOLUTE: f64 = 1e-30;

/// The floats of a filter.
pub(super) trait Float: counterweight_numeric::Float {
    /// Twice the unit roundoff.
    const EPSILON: f64;
    fn nearest(value: f64) -> Self;
    /// Not below `value`.
    fn above(value: f64) -> Self;
    fn real(self) -> f64;
}

impl Float for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is the purpose, and the filter's bound covers it"
    )]
    fn nearest(value: f64) -> Self {
        value as f32
    }

    fn above(value: f64) -> Self {
        Self::nearest(value).next_up()
    }

    fn real(self) -> f64 {
        self.into()
    }
}

impl Float for f64 {
    const EPSILON: f64 = f64::EPSILON;

    fn nearest(value: f64) -> Self {
        value
    }

    fn above(value: f64) -> Self {
        value.next_up()
    }

    fn real(self) -> f64 {
        self
    }
}

/// The rows, ready to be multiplied.
#[derive(Debug)]
pub(super) struct Filter<F> {
    /// `[x, X (1 - s)]` of each row, scaled.
    rows: Rows<F>,
    /// Multiplies every number before it is rounded.
    scale: f64,
    slack: f64,
    /// The largest X.
    longest: f64,
}

impl<F: Float> Filter<F> {
    /// Rows whose squared lengths are finite.
    pub(super) fn new(x: &Matrix) -> Self {
        let largest = x.as_slice().iter().fold(0.0_f64, |top, v| top.max(v.abs()));
        let scale = if largest > 0.0 {
            // Not beyond what keeps scaled numbers and their squares finite.
            (-largest.log2().ceil()).min(1000.0).exp2()
        } else {
            1.0
        };
        let slack = 4.0 * (x.cols() as f64 + 4.0) * F::EPSILON;
        let mut longest = 0.0_f64;
        let rows = Rows::new(x.rows(), x.cols() + 1, |at, cells| {
            let mut length = 0.0;
            for (cell, value) in cells.iter_mut().zip(x.row(at)) {
                let value = value * scale;
                length += value * value;
                *cell = F::nearest(value);
            }
            cells[x.cols()] = F::nearest(length * (1.0 - slack));
            longest = longest.max(length);
        });
        Self {
            rows,
            scale,
            slack,
            longest,
        }
    }

    /// The k nearest of `rows`, which the filter was made of, for each query.
    pub(super) fn nearest(&self, rows: &Matrix, queries: &Matrix, k: usize) -> Vec<Nearest> {
        let (n, m, d) = (rows.rows(), queries.rows(), rows.cols());
        // Q (1 - s) of each query, or minus infinity for one that is too far for products.
        let mut lengths = Vec::with_capacity(m);
        let mut scaled = vec![0.0; d];
        let asked = Queries::new(m, d + 1, |at, cells| {
            for (to, from) in scaled.iter_mut().zip(queries.row(at)) {
                *to = from * self.scale;
            }
            let far = scaled.iter().any(|v| v.abs() > FAR);
            for (cell, value) in cells.iter_mut().zip(&scaled) {
                *cell = F::nearest(if far { 0.0 } else { 2.0 * value });
            }
            cells[d] = F::nearest(-1.0);
            lengths.push(if far {
                f64::NEG_INFINITY
            } else {
                dot(&scaled, &scaled) * (1.0 - self.slack) - ABSOLUTE
            });
        });
        let mut lists: Vec<Nearest> = (0..m).map(|_| Nearest::new(k)).collect();
        let mut limits = Limits::new(m);
        let mut found = Found::default();
        if n >= 2 * PANEL && 2 * k <= PANEL {
            let tops = screen::largest((&asked, 0..m), (&self.rows, 0..TILE.min(n)));
            for (q, mut tops) in tops.into_iter().enumerate() {
                if lengths[q].is_finite() {
                    limits.raise(q, self.floor(&mut tops, k, lengths[q]));
                }
            }
        }
        for start in (0..n).step_by(TILE) {
            found.clear();
            let tile = start..(start + TILE).min(n);
            screen::reaching(
                (&asked, 0..m),
                (&self.rows, tile),
                &limits,
                false,
                &mut found,
            );
            for strip in found.strips() {
                let (q, list) = (strip.query, &mut lists[strip.query]);
                let query = queries.row(q);
                for (row, &product) in (strip.first..n).zip(strip.products) {
                    if product < limits.of(q) {
                        continue;
                    }
                    list.offer(query, rows.row(row), row);
                    let most = list.limit().0 * self.scale * self.scale - lengths[q];
                    limits.raise(q, -F::above(most));
                }
            }
        }
        lists
    }

    /// What the products of the k nearest rows reach, from the largest products of disjoint sets of
    /// rows: k rows have a product of at least the k-th of them, hence a distance of at most
    /// `Q (1 + s) + 2 s X` less that, X being the largest there is.
    fn floor(&self, tops: &mut [F; PANEL], k: usize, length: f64) -> F {
        let order = |a: &F, b: &F| b.partial_cmp(a).unwrap_or(Ordering::Equal);
        let kth = tops.select_nth_unstable_by(k - 1, order).1.real();
        let q = (length + ABSOLUTE) / (1.0 - self.slack);
        -F::above(2.0 * self.slack * (q + self.longest) + 4.0 * ABSOLUTE - kth)
    }
}
