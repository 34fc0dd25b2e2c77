//! Every pair, by blocks: a matrix product rules out most pairs, the others are measured directly.
//!
//! For centred rows a and b the product of `(a, -1, -h_a)` and `(b, h_b, 1)` is
//! `g = a.b - h_a - h_b`; with `h = |.|^2 / 2` that is minus half the squared distance. Taking h
//! smaller by a factor `1 - u` that covers all rounding, `g < -worst / 2` proves a pair to be farther
//! apart than `worst`. So one comparison a pair suffices, in either direction of the pair, which a
//! search of rows among themselves uses to visit each pair once.
//!
//! Most products are in single precision, which is twice as fast. Rows whose distances are small
//! against their distance from the centre (far clusters, a large offset of the mean of the others)
//! would leave too many pairs to be measured; then the products are in double precision.

use std::ops::{Neg, Range};

use crate::Float;
use crate::screen::{self, Found, Limits, PANEL, Queries, Rows, Strip};
use counterweight_core::{Deadline, StageResult};

use super::best::{Best, Candidate};
use super::points::Points;

/// Queries whose products are computed together.
const QUERY_BLOCK: usize = 128;
/// Rows that they are multiplied with: the block of products stays in cache.
const ROW_BLOCK: usize = 512;

/// The precision of the products.
pub(super) trait Grain: Float + Neg<Output = Self> {
    /// Distance from 1 to the next number.
    const EPSILON: f64;
    /// Covers what underflow takes from a product of numbers of at most 1 or little more.
    const TINY: f64;

    /// The nearest number.
    fn of(value: f64) -> Self;

    /// The same number.
    fn wide(self) -> f64;

    /// A number that is not above `value`.
    fn at_most(value: f64) -> Self {
        // The step is larger than half the distance of two numbers of this size.
        Self::of(value - value.abs() * Self::EPSILON - Self::TINY)
    }
}

impl Grain for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    const TINY: f64 = 1e-36;

    #[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
    fn of(value: f64) -> Self {
        value as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Grain for f64 {
    const EPSILON: f64 = f64::EPSILON;
    const TINY: f64 = 1e-290;

    fn of(value: f64) -> Self {
        value
    }

    fn wide(self) -> f64 {
        self
    }
}

/// Centre and scale of the rows: centred columns cancel less, and scaled to within -1..=1 no square
/// overflows.
#[derive(Debug)]
pub(super) struct Frame {
    centre: Vec<f64>,
    /// A power of two (as near as `exp2` comes to it; any factor would do).
    scale: f64,
}

impl Frame {
    /// Of the rows `queries` and `among`; `None` when their spread is beyond what numbers can hold.
    pub(super) fn new(points: &Points, queries: &[usize], among: &[usize]) -> Option<Self> {
        let x = points.x();
        let mut centre = vec![0.0; x.cols()];
        for &row in among {
            for (mean, value) in centre.iter_mut().zip(x.row(row)) {
                // Divided before summing: the sum of huge values must not overflow.
                *mean += value / among.len() as f64;
            }
        }
        let mut largest = 0.0_f64;
        for &row in among.iter().chain(queries) {
            for (value, mean) in x.row(row).iter().zip(&centre) {
                largest = largest.max((value - mean).abs());
            }
        }
        let scale = (-largest.log2().ceil().clamp(-1000.0, 1000.0)).exp2();
        (largest > 0.0 && largest.is_finite() && largest * scale < 1.5)
            .then_some(Self { centre, scale })
    }

    /// The squared length of a row in the frame.
    pub(super) fn norm(&self, row: &[f64]) -> f64 {
        let centred = row.iter().zip(&self.centre);
        centred
            .map(|(value, mean)| (value - mean) * self.scale)
            .map(|value| value * value)
            .sum()
    }

    /// A squared distance in the frame.
    pub(super) fn scaled(&self, squared: f64) -> f64 {
        squared * self.scale * self.scale
    }
}

/// The factor that covers the rounding of a product: relative to the sum of both squared lengths,
/// the d + 2 terms, the conversions and the direct distance err by less than 2 d + 16 times epsilon.
pub(super) fn slack<T: Grain>(cols: usize) -> f64 {
    (2.0 * cols as f64 + 16.0) * T::EPSILON
}

/// A search in hand.
struct Sweep<'a, T> {
    points: &'a Points,
    queries: &'a [usize],
    among: &'a [usize],
    frame: &'a Frame,
    asked: Queries<T>,
    pool: Rows<T>,
    best: Best,
    /// Products below it rule a row out, one limit a query; they only rise.
    limits: Limits<T>,
    /// Every query meets the rows in ascending order.
    ascending: bool,
}

/// Writes a row in the frame, with the two columns that complete it.
pub(super) fn complete<'a, T: Grain>(
    points: &'a Points,
    rows: &'a [usize],
    frame: &'a Frame,
    asks: bool,
) -> impl FnMut(usize, &mut [T]) + 'a {
    let shrink = (1.0 - slack::<T>(points.x().cols())) / 2.0;
    move |at, cells| {
        let values = points.x().row(rows[at]);
        let (columns, rest) = cells.split_at_mut(values.len());
        for (cell, (value, mean)) in columns.iter_mut().zip(values.iter().zip(&frame.centre)) {
            *cell = T::of((value - mean) * frame.scale);
        }
        let half = T::of(frame.norm(values) * shrink);
        rest.copy_from_slice(&if asks {
            [T::of(-1.0), -half]
        } else {
            [half, T::of(1.0)]
        });
    }
}

/// The `k` best of `among` for each of `queries`, which may be `among` itself.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout).
pub(super) fn search<T: Grain>(
    points: &Points,
    (queries, among): (&[usize], &[usize]),
    frame: &Frame,
    k: usize,
    deadline: &Deadline,
) -> StageResult<Best> {
    let same = queries == among;
    let width = points.x().cols() + 2;
    let mut sweep = Sweep {
        points,
        queries,
        among,
        frame,
        asked: Queries::new(
            queries.len(),
            width,
            complete::<T>(points, queries, frame, true),
        ),
        pool: Rows::new(
            among.len(),
            width,
            complete::<T>(points, among, frame, false),
        ),
        best: Best::new(queries.len(), k),
        limits: Limits::new(queries.len()),
        ascending: among.is_sorted(),
    };
    let first = 0..ROW_BLOCK.min(among.len());
    if same && among.len() > 2 * ROW_BLOCK && !points.has_nominal() {
        // A row hears of later ones long before it asks itself, so everybody starts with a limit.
        for asking in blocks(queries.len(), QUERY_BLOCK, 0) {
            deadline.check()?;
            sweep.start(&asking, &first, k);
        }
    }
    let mut found = Found::default();
    for asking in blocks(queries.len(), QUERY_BLOCK, 0) {
        if !same {
            sweep.start(&asking, &first, k);
        }
        let from = if same { asking.start } else { 0 };
        for range in blocks(among.len(), ROW_BLOCK, from) {
            deadline.check()?;
            found.clear();
            let (asked, pool) = (&sweep.asked, &sweep.pool);
            let pairs = ((asked, asking.clone()), (pool, range));
            screen::reaching(pairs.0, pairs.1, &sweep.limits, same, &mut found);
            for strip in found.strips() {
                if same {
                    sweep.settle::<true>(strip);
                } else {
                    sweep.settle::<false>(strip);
                }
            }
        }
    }
    Ok(sweep.best)
}

fn blocks(n: usize, size: usize, from: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (from..n)
        .step_by(size)
        .map(move |start| start..(start + size).min(n))
}

impl<T: Grain> Sweep<'_, T> {
    /// Gives every query a limit before any distance is measured: the rows fall into `PANEL` groups,
    /// so the k-th largest of the groups' largest products is reached by k rows, which are no farther
    /// than that says, rounding included.
    fn start(&mut self, asking: &Range<usize>, range: &Range<usize>, k: usize) {
        // Products say nothing of what nominal columns add.
        if range.len() < 2 * PANEL || 2 * k > PANEL || self.points.has_nominal() {
            return;
        }
        let slack = slack::<T>(self.points.x().cols());
        let norm = |row: usize| self.frame.norm(self.points.x().row(row));
        let rows = &self.among[range.clone()];
        let farthest = rows.iter().map(|&row| norm(row)).fold(0.0, f64::max);
        let tops = screen::largest((&self.asked, asking.clone()), (&self.pool, range.clone()));
        for (at, mut lanes) in asking.clone().zip(tops) {
            let query = self.queries[at];
            let itself = if self.ascending {
                rows.binary_search(&query).is_ok()
            } else {
                rows.contains(&query)
            };
            if itself {
                continue;
            }
            let order = |a: &T, b: &T| b.wide().total_cmp(&a.wide());
            let kth = lanes.select_nth_unstable_by(k - 1, order).1.wide();
            // Twice a product errs by the slack at most, and it takes a product of half the
            // distance, less the slack once more, to be as near.
            let size = norm(query) + farthest;
            self.limits.raise(at, T::at_most(kth - 2.0 * slack * size));
        }
    }

    /// Measures the pairs of a strip that their products do not rule out: the rows against the
    /// query, and with `BOTH` the query against the rows too, each pair once.
    fn settle<const BOTH: bool>(&mut self, strip: Strip<'_, T>) {
        let (at, first) = (strip.query, strip.first);
        let limit = self.limits.of(at);
        let mut near = 0_u32;
        // Eight at a time: a fixed number of comparisons becomes a few vector instructions.
        let (eights, rest) = strip.products.as_chunks::<8>();
        for (eight, products) in eights.iter().enumerate() {
            near |= reached(products, limit) << (8 * eight);
        }
        near |= reached(rest, limit) << (8 * eights.len()).min(PANEL - 1);
        if BOTH {
            let others = self.limits.from(first, strip.products.len());
            for (bit, (&product, &other)) in strip.products.iter().zip(others).enumerate() {
                near |= u32::from(product >= other) << bit;
            }
        }
        while near > 0 {
            let offset = near.trailing_zeros() as usize;
            near &= near - 1;
            let (other, product) = (first + offset, strip.products[offset]);
            // Of a pair among the same rows, the later one is the one in the pool.
            if other >= self.among.len() || (BOTH && other <= at) {
                continue;
            }
            let near = product >= self.limits.of(at);
            let near_other = BOTH && product >= self.limits.of(other);
            let (row, with) = (self.queries[at], self.among[other]);
            if !(near || near_other) || row == with {
                continue;
            }
            let squared = self.points.squared_distance(row, with);
            if near {
                self.offer(at, Candidate { squared, row: with });
            }
            if near_other {
                self.offer(other, Candidate { squared, row });
            }
        }
    }

    fn offer(&mut self, at: usize, found: Candidate) {
        self.best.offer(at, found);
        let worst = self.best.worst(at);
        // After k rows at distance 0, met in ascending order, no later one comes before them. Data
        // with many copies of few rows would otherwise be measured pair by pair.
        self.limits.raise(
            at,
            if self.ascending && worst <= 0.0 {
                T::of(f64::INFINITY)
            } else {
                T::at_most(-self.frame.scaled(worst) / 2.0)
            },
        );
    }
}

/// A bit for each product that reaches the limit.
#[inline]
fn reached<T: Grain>(products: &[T], limit: T) -> u32 {
    let bits = products.iter().enumerate();
    bits.fold(0, |bits, (at, &product)| {
        bits | u32::from(product >= limit) << at
    })
}

/// Every pair measured directly: for few rows, and for what products cannot bound.
pub(super) fn direct(
    points: &Points,
    queries: &[usize],
    among: &[usize],
    k: usize,
    deadline: &Deadline,
) -> StageResult<Best> {
    let mut best = Best::new(queries.len(), k);
    for (at, &query) in queries.iter().enumerate() {
        deadline.check()?;
        for &row in among.iter().filter(|&&row| row != query) {
            let squared = points.squared_distance(query, row);
            best.offer(at, Candidate { squared, row });
        }
    }
    Ok(best)
}

/// The farthest instead, farthest first.
pub(super) fn farthest(
    points: &Points,
    queries: &[usize],
    among: &[usize],
    k: usize,
    deadline: &Deadline,
) -> StageResult<Best> {
    let mut best = Best::new(queries.len(), k);
    for (at, &query) in queries.iter().enumerate() {
        deadline.check()?;
        for &row in among.iter().filter(|&&row| row != query) {
            let squared = -points.squared_distance(query, row);
            best.offer(at, Candidate { squared, row });
        }
    }
    best.negate();
    Ok(best)
}
