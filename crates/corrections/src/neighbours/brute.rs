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

use counterweight_core::{Deadline, StageResult};
use ndarray::{ArrayView2, ArrayViewMut2, LinalgScalar};

use super::best::{Best, Candidate};
use super::points::Points;

/// Queries whose products are computed together.
const QUERY_BLOCK: usize = 128;
/// Rows that they are multiplied with: the block of products stays in cache.
const ROW_BLOCK: usize = 512;
/// Products that are compared before any of them is looked at.
const STRIP: usize = 16;

/// The precision of the products.
pub(super) trait Grain: LinalgScalar + PartialOrd + std::ops::Neg<Output = Self> {
    /// Distance from 1 to the next number.
    const EPSILON: f64;
    /// Covers what underflow takes from a product of numbers of at most 1 or little more.
    const TINY: f64;

    /// The nearest number.
    fn of(value: f64) -> Self;

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
}

impl Grain for f64 {
    const EPSILON: f64 = f64::EPSILON;
    const TINY: f64 = 1e-290;

    fn of(value: f64) -> Self {
        value
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

/// Rows in the frame with the two columns that complete them.
struct Side<T> {
    data: Vec<T>,
    width: usize,
}

impl<T: Grain> Side<T> {
    fn new(points: &Points, rows: &[usize], frame: &Frame, asks: bool) -> Self {
        let width = points.x().cols() + 2;
        let mut data = Vec::with_capacity(rows.len() * width);
        let shrink = (1.0 - slack::<T>(points.x().cols())) / 2.0;
        for &row in rows {
            let values = points.x().row(row);
            let centred = values.iter().zip(&frame.centre);
            data.extend(centred.map(|(value, mean)| T::of((value - mean) * frame.scale)));
            let half = T::of(frame.norm(values) * shrink);
            data.extend(if asks {
                [-T::one(), -half]
            } else {
                [half, T::one()]
            });
        }
        Self { data, width }
    }

    fn rows(&self, range: &std::ops::Range<usize>) -> ArrayView2<'_, T> {
        let cells = &self.data[range.start * self.width..range.end * self.width];
        ArrayView2::from_shape((range.len(), self.width), cells).expect("one row of cells a row")
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
    let asked = Side::<T>::new(points, queries, frame, true);
    let pool = Side::<T>::new(points, among, frame, false);
    let mut best = Best::new(queries.len(), k);
    let unbounded = T::at_most(f64::NEG_INFINITY);
    let mut bounds = vec![unbounded; queries.len()];
    let block = QUERY_BLOCK * ROW_BLOCK.min(among.len());
    let mut products = vec![T::zero(); block];
    // Every query meets the rows in ascending order, so that after k rows at distance 0 no later
    // one comes before them. Data with many copies of few rows would otherwise be measured pair by
    // pair.
    let ascending = among.is_sorted();
    let bound = |best: &Best, at: usize| {
        let worst = best.worst(at);
        if ascending && worst <= 0.0 {
            T::of(f64::INFINITY)
        } else {
            T::at_most(-frame.scaled(worst) / 2.0)
        }
    };
    for start in (0..queries.len()).step_by(QUERY_BLOCK) {
        let asking = start..(start + QUERY_BLOCK).min(queries.len());
        let first = if same { start } else { 0 };
        for from in (first..among.len()).step_by(ROW_BLOCK) {
            deadline.check()?;
            let range = from..(from + ROW_BLOCK).min(among.len());
            let products = &mut products[..asking.len() * range.len()];
            let mut view = ArrayViewMut2::from_shape((asking.len(), range.len()), products)
                .expect("one product a pair");
            let (a, b) = (asked.rows(&asking), pool.rows(&range));
            ndarray::linalg::general_mat_mul(T::one(), &a, &b.t(), T::zero(), &mut view);
            for (at, products) in asking.clone().zip(products.chunks_exact(range.len())) {
                // Among themselves, each pair once: the later row of the pair is in the pool.
                let skip = if same {
                    (at + 1).saturating_sub(range.start).min(range.len())
                } else {
                    0
                };
                let mut limit = bounds[at];
                let mut column = range.start + skip;
                let (strips, rest) = products[skip..].as_chunks::<STRIP>();
                let strips = strips.iter().map(<[T; STRIP]>::as_slice);
                for strip in strips.chain(std::iter::once(rest)) {
                    let limits = if same {
                        &bounds[column..column + strip.len()]
                    } else {
                        &[]
                    };
                    if may_hold(strip, limit, limits) {
                        for (offset, &product) in strip.iter().enumerate() {
                            let other = column + offset;
                            let near = product >= limit;
                            let near_other = same && product >= bounds[other];
                            let (row, with) = (queries[at], among[other]);
                            if !(near || near_other) || row == with {
                                continue;
                            }
                            let squared = points.squared_distance(row, with);
                            if near {
                                best.offer(at, Candidate { squared, row: with });
                                limit = bound(&best, at);
                            }
                            if near_other {
                                best.offer(other, Candidate { squared, row });
                                bounds[other] = bound(&best, other);
                            }
                        }
                    }
                    column += strip.len();
                }
                bounds[at] = limit;
            }
        }
    }
    Ok(best)
}

/// Whether any pair of the strip may be near enough, in either direction (`limits` is empty when
/// only one is asked for). Counted without an early end, over a known number of products, so that it
/// becomes a few vector comparisons.
fn may_hold<T: Grain>(strip: &[T], limit: T, limits: &[T]) -> bool {
    fn near<T: Grain>(strip: &[T; STRIP], limit: T) -> u32 {
        strip.iter().map(|&p| u32::from(p >= limit)).sum()
    }
    fn near_either<T: Grain>(strip: &[T; STRIP], limit: T, limits: &[T; STRIP]) -> u32 {
        let pairs = strip.iter().zip(limits);
        pairs
            .map(|(&p, &other)| u32::from(p >= limit) | u32::from(p >= other))
            .sum()
    }
    match (strip.try_into(), limits.try_into()) {
        (Ok(strip), Ok(limits)) => near_either(strip, limit, limits) > 0,
        (Ok(strip), Err(_)) if limits.is_empty() => near(strip, limit) > 0,
        _ => true,
    }
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
