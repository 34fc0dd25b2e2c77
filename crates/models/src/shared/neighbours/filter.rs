//! Matrix products that rule rows out, with a bound on their rounding error.
//!
//! For a query q and a row x, scaled by one power of two so that no row exceeds 1, let Q = |q|^2 and
//! X = |x|^2. One product of `[-2 q, 1]` with `[x, X (1 - s)]` gives v, in floats of unit roundoff u.
//! Converting the factors and summing d + 1 terms in any order errs by less than
//! `1.01 (d + 4) u (2 |q||x| + X) <= 1.01 (d + 4) u (Q + 2 X)` (Higham 2002, 3.1), and the direct distance by less
//! still. With `s = 8 (d + 4) u` therefore `v > limit - Q (1 - s)` proves that the direct distance
//! exceeds `limit`; numbers below the range of the floats add an absolute slack of 1e-30.

use std::cmp::Ordering;

use counterweight_core::Matrix;
use ndarray::LinalgScalar;
use ndarray::linalg::general_mat_mul;

use super::Nearest;
use crate::shared::linalg::dot;

/// Rows that a block of queries is multiplied with at once.
pub(super) const TILE: usize = 512;
/// Products that are tested together.
const CHUNK: usize = 32;
/// Queries with a larger entry (rows have none above 1) could overflow: all rows are looked at.
const FAR: f64 = 1e15;
/// Covers what underflows.
const ABSOLUTE: f64 = 1e-30;

/// The floats of a filter.
pub(super) trait Float: LinalgScalar + PartialOrd {
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
    rows: Vec<F>,
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
        let mut rows = Vec::with_capacity(x.rows() * (x.cols() + 1));
        let mut longest = 0.0_f64;
        for row in x.iter_rows() {
            let mut length = 0.0;
            for &value in row {
                let value = value * scale;
                length += value * value;
                rows.push(F::nearest(value));
            }
            rows.push(F::nearest(length * (1.0 - slack)));
            longest = longest.max(length);
        }
        Self {
            rows,
            scale,
            slack,
            longest,
        }
    }

    /// The k nearest of `rows`, which the filter was made of, for each query.
    pub(super) fn nearest(&self, rows: &Matrix, queries: &Matrix, k: usize) -> Vec<Nearest> {
        let (n, m, width) = (rows.rows(), queries.rows(), rows.cols() + 1);
        let mut asked = Vec::with_capacity(m * width);
        // Q (1 - s) of each query, or infinity for one that is too far for products.
        let mut lengths = Vec::with_capacity(m);
        let mut scaled = vec![0.0; rows.cols()];
        for query in queries.iter_rows() {
            for (to, from) in scaled.iter_mut().zip(query) {
                *to = from * self.scale;
            }
            let far = scaled.iter().any(|v| v.abs() > FAR);
            asked.extend(
                scaled
                    .iter()
                    .map(|v| F::nearest(if far { 0.0 } else { -2.0 * v })),
            );
            asked.push(F::one());
            lengths.push(if far {
                f64::NEG_INFINITY
            } else {
                dot(&scaled, &scaled) * (1.0 - self.slack) - ABSOLUTE
            });
        }
        let mut lists: Vec<Nearest> = (0..m).map(|_| Nearest::new(k)).collect();
        // Products above these are ruled out whatever has been measured.
        let mut caps = vec![F::above(f64::INFINITY); m];
        let mut waiting: Vec<usize> = Vec::with_capacity(k + CHUNK);
        let mut minima: Vec<F> = Vec::with_capacity(TILE / CHUNK);
        let mut products = vec![F::zero(); m * TILE.min(n)];
        for start in (0..n).step_by(TILE) {
            let tile = TILE.min(n - start);
            let products = &mut products[..m * tile];
            multiply(
                &asked,
                &self.rows[start * width..(start + tile) * width],
                width,
                products,
            );
            for (q, list) in lists.iter_mut().enumerate() {
                let query = queries.row(q);
                let row = &products[q * tile..(q + 1) * tile];
                minima.clear();
                minima.extend(row.chunks(CHUNK).map(least));
                if start == 0 && lengths[q].is_finite() && (1..=minima.len()).contains(&k) {
                    caps[q] = self.cap(&mut minima.clone(), k, lengths[q]);
                }
                let bound = |list: &Nearest| {
                    let most = F::above(list.limit().0 * self.scale * self.scale - lengths[q]);
                    if most < caps[q] { most } else { caps[q] }
                };
                let mut most = bound(list);
                for ((at, chunk), &least) in row.chunks(CHUNK).enumerate().zip(&minima) {
                    if least > most {
                        continue;
                    }
                    let first = start + at * CHUNK;
                    let numbered = (first..).zip(chunk);
                    waiting.extend(numbered.filter_map(|(row, v)| (*v <= most).then_some(row)));
                    if waiting.len() > k {
                        for row in waiting.drain(..) {
                            list.offer(query, rows.row(row), row);
                        }
                        most = bound(list);
                    }
                }
                for row in waiting.drain(..) {
                    list.offer(query, rows.row(row), row);
                }
            }
        }
        lists
    }

    /// A product that no row among the k nearest exceeds, from the least products of disjoint chunks:
    /// k rows have a product of at most the k-th of them, hence a distance of at most that plus
    /// `Q (1 + s) + 2 s X`, X being the largest there is.
    fn cap(&self, minima: &mut [F], k: usize, length: f64) -> F {
        let order = |a: &F, b: &F| a.partial_cmp(b).unwrap_or(Ordering::Equal);
        let kth = minima.select_nth_unstable_by(k - 1, order).1.real();
        let q = (length + ABSOLUTE) / (1.0 - self.slack);
        F::above(kth + 2.0 * self.slack * (q + self.longest) + 4.0 * ABSOLUTE)
    }
}

/// The least of some numbers. Eight at a time, each with a comparison that is one instruction.
fn least<F: Float>(values: &[F]) -> F {
    let less = |a: F, b: F| if a < b { a } else { b };
    let (eights, rest) = values.as_chunks::<8>();
    let Some(mut lanes) = eights.first().copied() else {
        return rest
            .iter()
            .copied()
            .reduce(less)
            .expect("a chunk has a number");
    };
    for eight in &eights[1..] {
        for lane in 0..8 {
            lanes[lane] = less(eight[lane], lanes[lane]);
        }
    }
    rest.iter().chain(&lanes).copied().fold(lanes[0], less)
}

/// `out = a b'`, both row-major with `width` columns.
fn multiply<F: Float>(a: &[F], b: &[F], width: usize, out: &mut [F]) {
    let (m, n) = (a.len() / width, b.len() / width);
    let shaped = "rows of the stated width";
    let a = ndarray::ArrayView2::from_shape((m, width), a).expect(shaped);
    let b = ndarray::ArrayView2::from_shape((n, width), b).expect(shaped);
    let mut out = ndarray::ArrayViewMut2::from_shape((m, n), out).expect("one product a pair");
    general_mat_mul(F::one(), &a, &b.t(), F::zero(), &mut out);
}
