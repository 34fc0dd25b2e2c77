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
/// Groups of rows that a first limit is taken from.
const LANES: usize = 32;
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

/// A search in hand.
struct Sweep<'a, T> {
    points: &'a Points,
    queries: &'a [usize],
    among: &'a [usize],
    frame: &'a Frame,
    asked: Side<T>,
    pool: Side<T>,
    best: Best,
    /// Products below it rule a row out, one limit a query; they only rise.
    limits: Vec<T>,
    /// Every query meets the rows in ascending order.
    ascending: bool,
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
    let mut sweep = Sweep {
        points,
        queries,
        among,
        frame,
        asked: Side::<T>::new(points, queries, frame, true),
        pool: Side::<T>::new(points, among, frame, false),
        best: Best::new(queries.len(), k),
        limits: vec![T::at_most(f64::NEG_INFINITY); queries.len()],
        ascending: among.is_sorted(),
    };
    let mut products = vec![T::zero(); QUERY_BLOCK * ROW_BLOCK.min(among.len())];
    let first = 0..ROW_BLOCK.min(among.len());
    if same && among.len() > 2 * ROW_BLOCK && !points.has_nominal() {
        // A row hears of later ones long before it asks itself, so everybody starts with a limit.
        for asking in blocks(queries.len(), QUERY_BLOCK, 0) {
            deadline.check()?;
            sweep.multiply(&asking, &first, &mut products);
            sweep.start(&asking, &first, k, &products);
        }
    }
    for asking in blocks(queries.len(), QUERY_BLOCK, 0) {
        let from = if same { asking.start } else { 0 };
        for range in blocks(among.len(), ROW_BLOCK, from) {
            deadline.check()?;
            sweep.multiply(&asking, &range, &mut products);
            if !same && range.start == 0 {
                sweep.start(&asking, &range, k, &products);
            }
            for (at, products) in asking.clone().zip(products.chunks_exact(range.len())) {
                if same {
                    // Each pair once: the later row of a pair is the one in the pool.
                    let skip = (at + 1).saturating_sub(range.start).min(range.len());
                    sweep.scan::<true>(at, range.start + skip, &products[skip..]);
                } else {
                    sweep.scan::<false>(at, range.start, products);
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
    fn multiply(
        &self,
        asking: &std::ops::Range<usize>,
        range: &std::ops::Range<usize>,
        products: &mut [T],
    ) {
        let shape = (asking.len(), range.len());
        let products = &mut products[..shape.0 * shape.1];
        let mut view = ArrayViewMut2::from_shape(shape, products).expect("one product a pair");
        let (a, b) = (self.asked.rows(asking), self.pool.rows(range));
        ndarray::linalg::general_mat_mul(T::one(), &a, &b.t(), T::zero(), &mut view);
    }

    /// Gives every query a limit before any distance is measured: the rows fall into `LANES` groups,
    /// so the k-th largest of the groups' largest products is reached by k rows, which are no farther
    /// than that says, rounding included.
    fn start(
        &mut self,
        asking: &std::ops::Range<usize>,
        range: &std::ops::Range<usize>,
        k: usize,
        products: &[T],
    ) {
        // Products say nothing of what nominal columns add.
        if range.len() < 2 * LANES || 2 * k > LANES || self.points.has_nominal() {
            return;
        }
        let lowest = T::at_most(f64::NEG_INFINITY);
        let slack = slack::<T>(self.points.x().cols());
        let norm = |row: usize| self.frame.norm(self.points.x().row(row));
        let rows = &self.among[range.clone()];
        let farthest = rows.iter().map(|&row| norm(row)).fold(0.0, f64::max);
        let mut largest = vec![lowest; k];
        for (at, products) in asking.clone().zip(products.chunks_exact(range.len())) {
            let query = self.queries[at];
            let itself = if self.ascending {
                rows.binary_search(&query).is_ok()
            } else {
                rows.contains(&query)
            };
            if itself {
                continue;
            }
            let mut lanes = [lowest; LANES];
            for strip in products.as_chunks::<LANES>().0 {
                for (lane, &product) in lanes.iter_mut().zip(strip) {
                    *lane = if product > *lane { product } else { *lane };
                }
            }
            largest.fill(lowest);
            for product in lanes {
                if product > largest[k - 1] {
                    let place = largest.partition_point(|&kept| kept >= product);
                    largest.copy_within(place..k - 1, place + 1);
                    largest[place] = product;
                }
            }
            // Twice a product errs by the slack at most, and it takes a product of half the
            // distance, less the slack once more, to be as near.
            let size = norm(query) + farthest;
            let limit = T::at_most(largest[k - 1].wide() - 2.0 * slack * size);
            if limit > self.limits[at] {
                self.limits[at] = limit;
            }
        }
    }

    /// One query against the products of the rows from `column` on; with `BOTH`, those rows against
    /// the query too.
    fn scan<const BOTH: bool>(&mut self, at: usize, mut column: usize, products: &[T]) {
        let (strips, rest) = products.as_chunks::<STRIP>();
        let strips = strips.iter().map(<[T; STRIP]>::as_slice);
        for strip in strips.chain(std::iter::once(rest)) {
            let others = if BOTH {
                &self.limits[column..column + strip.len()]
            } else {
                &[]
            };
            if may_hold(strip, self.limits[at], others) {
                let limit = self.limits[at];
                let mut near = 0_u32;
                for (bit, &product) in strip.iter().enumerate() {
                    near |= u32::from(product >= limit) << bit;
                }
                for (bit, (&product, &other)) in strip.iter().zip(others).enumerate() {
                    near |= u32::from(product >= other) << bit;
                }
                while near > 0 {
                    let offset = near.trailing_zeros() as usize;
                    near &= near - 1;
                    self.settle::<BOTH>(at, column + offset, strip[offset]);
                }
            }
            column += strip.len();
        }
    }

    /// Measures a pair if its product does not rule it out.
    fn settle<const BOTH: bool>(&mut self, at: usize, other: usize, product: T) {
        let near = product >= self.limits[at];
        let near_other = BOTH && product >= self.limits[other];
        let (row, with) = (self.queries[at], self.among[other]);
        if !(near || near_other) || row == with {
            return;
        }
        let squared = self.points.squared_distance(row, with);
        if near {
            self.offer(at, Candidate { squared, row: with });
        }
        if near_other {
            self.offer(other, Candidate { squared, row });
        }
    }

    fn offer(&mut self, at: usize, found: Candidate) {
        self.best.offer(at, found);
        let worst = self.best.worst(at);
        // After k rows at distance 0, met in ascending order, no later one comes before them. Data
        // with many copies of few rows would otherwise be measured pair by pair.
        let limit = if self.ascending && worst <= 0.0 {
            T::of(f64::INFINITY)
        } else {
            T::at_most(-self.frame.scaled(worst) / 2.0)
        };
        if limit > self.limits[at] {
            self.limits[at] = limit;
        }
    }
}

/// Whether any pair of the strip may be near enough, in either direction (`limits` is empty when
/// only one is asked for). Without an early end, over a known number of products, so that it becomes
/// a few vector instructions.
fn may_hold<T: Grain>(strip: &[T], limit: T, limits: &[T]) -> bool {
    // Running maxima, four side by side: one vector instruction for each. Products are never NaN,
    // since the frame bounds what they are made of.
    fn near<T: Grain>(strip: &[T; STRIP], limit: T) -> bool {
        let mut top = [strip[0], strip[1], strip[2], strip[3]];
        for four in strip[4..].chunks_exact(4) {
            for (top, &product) in top.iter_mut().zip(four) {
                *top = if product > *top { product } else { *top };
            }
        }
        top.iter().any(|&top| top >= limit)
    }
    fn near_either<T: Grain>(strip: &[T; STRIP], limit: T, limits: &[T; STRIP]) -> u32 {
        let pairs = strip.iter().zip(limits);
        pairs
            .map(|(&p, &other)| u32::from(p >= limit) | u32::from(p >= other))
            .sum()
    }
    match (strip.try_into(), limits.try_into()) {
        (Ok(strip), Ok(limits)) => near_either(strip, limit, limits) > 0,
        (Ok(strip), Err(_)) if limits.is_empty() => near(strip, limit),
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
