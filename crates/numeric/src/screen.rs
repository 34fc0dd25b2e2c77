//! Pairs of rows whose scalar product reaches a limit.
//!
//! A search for nearest rows rules nearly all pairs out by a matrix product. Written to memory and
//! read again, the products cost as much as the multiplication; here they are compared in the
//! registers that they are summed in, and only strips of them in which one reaches a limit are kept.
//!
//! # Cost
//!
//! O(queries x rows x width) for [`reaching`] and [`largest`]; O(rows x width) memory for each side.
//!
//! # Examples
//!
//! ```
//! use counterweight_numeric::screen::{Found, Limits, Queries, Rows, reaching};
//!
//! let queries = Queries::new(2, 1, |at, cells| cells[0] = [1.0_f32, -1.0][at]);
//! let rows = Rows::new(3, 1, |at, cells| cells[0] = [4.0, 5.0, -6.0][at]);
//! let mut limits = Limits::new(2);
//! limits.raise(0, 4.5);
//! limits.raise(1, 7.0);
//! let mut found = Found::default();
//! reaching((&queries, 0..2), (&rows, 0..3), &limits, false, &mut found);
//! let hits: Vec<_> = found.strips().map(|strip| (strip.query, strip.first)).collect();
//! assert_eq!(hits, [(0, 0)]);
//! let strip = found.strips().next().expect("there is one");
//! // It goes beyond the rows when their number is no multiple of its length.
//! assert_eq!(strip.products[..3], [4.0, 5.0, -6.0]);
//! ```

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the dispatched function loses its vector instructions"
)]

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::Float;

/// Rows side by side: the numbers of a column stand next to each other.
pub const PANEL: usize = 32;
/// Queries side by side.
pub const GROUP: usize = 8;

/// What a row's cells are asked from.
fn packed<T: Float>(
    (n, width, side): (usize, usize, usize),
    mut write: impl FnMut(usize, &mut [T]),
) -> Vec<T> {
    let mut cells = vec![T::ZERO; n.next_multiple_of(side) * width];
    let mut row = vec![T::ZERO; width];
    for at in 0..n {
        write(at, &mut row);
        let block = &mut cells[at / side * side * width..];
        for (column, &value) in row.iter().enumerate() {
            block[column * side + at % side] = value;
        }
    }
    cells
}

/// The rows that are asked about.
#[derive(Debug)]
pub struct Rows<T> {
    cells: Vec<T>,
    n: usize,
    width: usize,
}

impl<T: Float> Rows<T> {
    /// `n` rows of `width` numbers; `write` gets a row's number and where its numbers go.
    pub fn new(n: usize, width: usize, write: impl FnMut(usize, &mut [T])) -> Self {
        let cells = packed((n, width, PANEL), write);
        Self { cells, n, width }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    #[inline(always)]
    fn panel(&self, panel: usize) -> &[[T; PANEL]] {
        let size = self.width * PANEL;
        self.cells[panel * size..(panel + 1) * size].as_chunks().0
    }
}

/// The rows that ask.
#[derive(Debug)]
pub struct Queries<T> {
    cells: Vec<T>,
    n: usize,
    width: usize,
}

impl<T: Float> Queries<T> {
    /// `n` rows of `width` numbers; `write` gets a row's number and where its numbers go.
    pub fn new(n: usize, width: usize, write: impl FnMut(usize, &mut [T])) -> Self {
        let cells = packed((n, width, GROUP), write);
        Self { cells, n, width }
    }

    #[inline(always)]
    fn group(&self, group: usize) -> &[[T; GROUP]] {
        let size = self.width * GROUP;
        self.cells[group * size..(group + 1) * size].as_chunks().0
    }
}

/// What a product has to reach, one number a query.
#[derive(Debug)]
pub struct Limits<T> {
    /// Filled up to whole panels with what no product reaches.
    values: Vec<T>,
}

impl<T: Float> Limits<T> {
    /// Limits for `n` queries that every product reaches.
    pub fn new(n: usize) -> Self {
        let mut values = vec![-T::INFINITY; n];
        values.resize(n.next_multiple_of(PANEL), T::INFINITY);
        Self { values }
    }

    /// The limit of a query.
    ///
    /// # Panics
    /// When there is no such query.
    pub fn of(&self, query: usize) -> T {
        self.values[query]
    }

    /// The limits of the queries from `first` on, as many as `strip` has numbers.
    ///
    /// # Panics
    /// When they end before.
    pub fn from(&self, first: usize, strip: usize) -> &[T] {
        &self.values[first..first + strip]
    }

    /// Sets a query's limit unless it is higher already.
    ///
    /// # Panics
    /// When there is no such query.
    pub fn raise(&mut self, query: usize, limit: T) {
        if limit > self.values[query] {
            self.values[query] = limit;
        }
    }
}

/// Strips of products of which at least one reached a limit.
#[derive(Debug)]
pub struct Found<T> {
    /// Query and first row of each strip.
    at: Vec<(usize, usize)>,
    products: Vec<T>,
    /// Length of a strip.
    strip: usize,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self {
            at: Vec::new(),
            products: Vec::new(),
            strip: 1,
        }
    }
}

/// The products of a query with some rows that follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strip<'a, T> {
    /// The query.
    pub query: usize,
    /// The first of the rows.
    pub first: usize,
    /// A product a row, at most [`PANEL`]; beyond the last row there is anything.
    pub products: &'a [T],
}

impl<T> Found<T> {
    /// The strips: those of a query by ascending rows.
    pub fn strips(&self) -> impl Iterator<Item = Strip<'_, T>> {
        let strips = self.at.iter().zip(self.products.chunks_exact(self.strip));
        strips.map(|(&(query, first), products)| Strip {
            query,
            first,
            products,
        })
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.at.clear();
        self.products.clear();
    }
}

/// The queries and the rows of a call.
type Sides<'a, T> = ((&'a Queries<T>, Range<usize>), (&'a Rows<T>, Range<usize>));

/// The queries and rows of a job: whole groups and panels that cover what is asked for.
struct Job<'a, T> {
    queries: &'a Queries<T>,
    groups: Range<usize>,
    rows: &'a Rows<T>,
    panels: Range<usize>,
}

impl<'a, T: Float> Job<'a, T> {
    fn new(
        (queries, asking): (&'a Queries<T>, Range<usize>),
        (rows, among): (&'a Rows<T>, Range<usize>),
    ) -> Self {
        assert_eq!(queries.width, rows.width, "queries and rows of one width");
        assert!(
            asking.end <= queries.n && among.end <= rows.n,
            "rows that there are"
        );
        assert!(
            asking.start % GROUP == 0 && among.start % PANEL == 0,
            "a start on a whole group and panel"
        );
        Self {
            queries,
            groups: asking.start / GROUP..asking.end.div_ceil(GROUP),
            rows,
            panels: among.start / PANEL..among.end.div_ceil(PANEL),
        }
    }
}

/// The products of `Q` queries of a group, from `first` on, with `V` vectors of rows of a panel, from
/// the vector `at` on.
#[inline(always)]
fn tile<S: Simd, T: Float, const Q: usize, const V: usize>(
    simd: S,
    (asks, first): (&[[T; GROUP]], usize),
    (rows, at): (&[[T; PANEL]], usize),
) -> [[T::Vector<S>; V]; Q] {
    let mut sums = [[T::splat(simd, T::ZERO); V]; Q];
    for (ask, row) in asks.iter().zip(rows) {
        let row = &T::vectors::<S>(row)[at..at + V];
        for q in 0..Q {
            let asked = T::splat(simd, ask[first + q]);
            for v in 0..V {
                sums[q][v] = T::mul_add(simd, asked, row[v], sums[q][v]);
            }
        }
    }
    sums
}

struct Reaching<'a, T> {
    job: Job<'a, T>,
    limits: &'a [T],
    both: bool,
    found: &'a mut Found<T>,
}

impl<T: Float> Reaching<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const Q: usize, const V: usize>(self, simd: S) {
        let strip = T::lanes::<S>() * V;
        let found = self.found;
        found.strip = strip;
        for panel in self.job.panels {
            let rows = self.job.rows.panel(panel);
            for (group, part) in self
                .job
                .groups
                .clone()
                .flat_map(|group| (0..GROUP / Q).map(move |part| (group, part)))
            {
                let asks = self.job.queries.group(group);
                let query = group * GROUP + part * Q;
                for piece in 0..PANEL / strip {
                    let first = panel * PANEL + piece * strip;
                    let sums = tile::<S, T, Q, V>(simd, (asks, part * Q), (rows, piece * V));
                    for (q, sums) in sums.iter().enumerate() {
                        let limit = T::splat(simd, self.limits[query + q]);
                        let mut near = T::at_least(simd, sums[0], limit);
                        for &sum in &sums[1..] {
                            near = T::or(simd, near, T::at_least(simd, sum, limit));
                        }
                        if self.both {
                            let others = T::vectors::<S>(&self.limits[first..first + strip]);
                            for (&sum, &other) in sums.iter().zip(others) {
                                near = T::or(simd, near, T::at_least(simd, sum, other));
                            }
                        }
                        if T::any(simd, near) {
                            found.at.push((query + q, first));
                            let from = found.products.len();
                            found.products.resize(from + strip, T::ZERO);
                            let to = T::vectors_mut::<S>(&mut found.products[from..]);
                            to[..V].copy_from_slice(sums);
                        }
                    }
                }
            }
        }
    }
}

impl<T: Float> WithSimd for Reaching<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums as there are registers for, beside the numbers that they are made from.
        if S::REGISTER_COUNT >= 32 {
            self.run::<S, 8, 2>(simd);
        } else {
            self.run::<S, 4, 2>(simd);
        }
    }
}

/// Adds the strips of products of the queries with the rows in which one reaches its query's limit;
/// with `both`, where queries and rows are the same, also those in which one reaches its row's.
///
/// # Panics
/// Unless both ranges lie within what there is and start at a multiple of [`GROUP`] and of
/// [`PANEL`], and there is a limit for every query (and row).
pub fn reaching<T: Float>(
    queries: (&Queries<T>, Range<usize>),
    rows: (&Rows<T>, Range<usize>),
    limits: &Limits<T>,
    both: bool,
    found: &mut Found<T>,
) {
    reaching_on(Arch::new(), (queries, rows), limits, both, found);
}

fn reaching_on<T: Float>(
    arch: Arch,
    (queries, rows): Sides<'_, T>,
    limits: &Limits<T>,
    both: bool,
    found: &mut Found<T>,
) {
    assert!(queries.1.end <= limits.values.len(), "a limit a query");
    let job = Job::new(queries, rows);
    assert!(
        !both || job.panels.end * PANEL <= limits.values.len(),
        "a limit a row"
    );
    arch.dispatch(Reaching {
        job,
        limits: &limits.values,
        both,
        found,
    });
}

struct Largest<'a, T> {
    job: Job<'a, T>,
    tops: &'a mut [[T; PANEL]],
}

impl<T: Float> Largest<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const Q: usize, const V: usize>(self, simd: S) {
        let strip = T::lanes::<S>() * V;
        let start = self.job.groups.start;
        for panel in self.job.panels {
            let rows = self.job.rows.panel(panel);
            for group in self.job.groups.clone() {
                let asks = self.job.queries.group(group);
                for part in 0..GROUP / Q {
                    for piece in 0..PANEL / strip {
                        let sums = tile::<S, T, Q, V>(simd, (asks, part * Q), (rows, piece * V));
                        let first = (group - start) * GROUP + part * Q;
                        for (top, sums) in self.tops.iter_mut().skip(first).zip(&sums) {
                            let top = T::vectors_mut::<S>(&mut top[piece * strip..]);
                            for v in 0..V {
                                top[v] = T::max(simd, top[v], sums[v]);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl<T: Float> WithSimd for Largest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.run::<S, 8, 2>(simd);
        } else {
            self.run::<S, 4, 2>(simd);
        }
    }
}

/// The largest product of each query with every [`PANEL`]-th row, for each of the `PANEL` ways to
/// begin counting. An incomplete last panel is left out.
///
/// # Panics
/// As [`reaching`]; there are no limits.
pub fn largest<T: Float>(
    queries: (&Queries<T>, Range<usize>),
    rows: (&Rows<T>, Range<usize>),
) -> Vec<[T; PANEL]> {
    largest_on(Arch::new(), (queries, rows))
}

fn largest_on<T: Float>(arch: Arch, (queries, (rows, among)): Sides<'_, T>) -> Vec<[T; PANEL]> {
    let mut tops = vec![[-T::INFINITY; PANEL]; queries.1.len()];
    let end = among.end - among.end % PANEL;
    let job = Job::new(queries, (rows, among.start..end.max(among.start)));
    arch.dispatch(Largest {
        job,
        tops: &mut tops,
    });
    tops
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every set of instructions that this processor has.
    fn everywhere() -> Vec<Arch> {
        let mut all = vec![Arch::Scalar, Arch::new()];
        #[cfg(target_arch = "x86_64")]
        all.extend(pulp::x86::V3::try_new().map(Arch::V3));
        all
    }

    fn value(at: usize, column: usize) -> f64 {
        // Whole numbers: their products and sums are exact in either precision.
        ((at * 31 + column * 17 + at * column) % 13) as f64 - 6.0
    }

    fn product(query: usize, row: usize, width: usize) -> f64 {
        let terms = (0..width).map(|column| value(query + 1000, column) * value(row, column));
        // From a positive zero, as the kernel sums: an iterator's sum of zeros is a negative one.
        terms.fold(0.0, |sum, term| sum + term)
    }

    #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
    fn narrow(value: f64) -> f32 {
        value as f32
    }

    proptest! {
        #[test]
        fn nothing_that_reaches_a_limit_is_left_out(
            n in 1_usize..150,
            m in 1_usize..50,
            width in 1_usize..9,
            low in -60.0..60.0_f64,
            skip in 0_usize..2,
        ) {
            let queries = Queries::new(m, width, |at, cells: &mut [f32]| {
                for (column, cell) in cells.iter_mut().enumerate() {
                    *cell = narrow(value(at + 1000, column));
                }
            });
            let rows = Rows::new(n, width, |at, cells: &mut [f32]| {
                for (column, cell) in cells.iter_mut().enumerate() {
                    *cell = narrow(value(at, column));
                }
            });
            let limit = |query: usize| narrow(low.round()) + (query % 3) as f32;
            let mut limits = Limits::new(m);
            for query in 0..m {
                limits.raise(query, limit(query));
                limits.raise(query, f32::NEG_INFINITY);
            }
            let (from, asking) = ((skip * PANEL).min(n / PANEL * PANEL), (skip * GROUP).min(m / GROUP * GROUP));
            let sides = ((&queries, asking..m), (&rows, from..n));
            let expected: Vec<(usize, usize)> = (asking..m)
                .flat_map(|query| (from..n).map(move |row| (query, row)))
                .filter(|&(query, row)| narrow(product(query, row, width)) >= limit(query))
                .collect();
            for arch in everywhere() {
                let mut found = Found::default();
                reaching_on(arch, sides.clone(), &limits, false, &mut found);
                let mut hits: Vec<(usize, usize)> = Vec::new();
                for strip in found.strips() {
                    for (row, &there) in (strip.first..n).zip(strip.products) {
                        let expected = product(strip.query, row, width);
                        prop_assert_eq!(f64::from(there).to_bits(), expected.to_bits());
                        if there >= limits.of(strip.query) {
                            hits.push((strip.query, row));
                        }
                    }
                }
                hits.sort_by_key(|hit| hit.0);
                // The sort is stable: rows have to come in order already.
                prop_assert_eq!(&hits, &expected);

                for (at, top) in largest_on(arch, sides.clone()).iter().enumerate() {
                    for (lane, &top) in top.iter().enumerate() {
                        let products = (from + lane..n / PANEL * PANEL)
                            .step_by(PANEL)
                            .map(|row| product(asking + at, row, width));
                        let expected = products.fold(f64::NEG_INFINITY, f64::max);
                        prop_assert_eq!(f64::from(top).to_bits(), expected.to_bits());
                    }
                }
            }
        }

        #[test]
        fn a_row_s_own_limit_counts_where_both_do(n in 1_usize..150, width in 1_usize..6) {
            let write = |at: usize, cells: &mut [f64]| {
                for (column, cell) in cells.iter_mut().enumerate() {
                    *cell = value(at, column);
                }
            };
            let (queries, rows) = (Queries::new(n, width, write), Rows::new(n, width, write));
            let mut limits = Limits::new(n);
            for at in 0..n {
                limits.raise(at, if at % 5 == 0 { 10.0 } else { 1e9 });
            }
            let expected = (0..n)
                .flat_map(|a| (0..n).map(move |b| (a, b)))
                .filter(|&(a, b)| {
                    let product: f64 = (0..width).map(|c| value(a, c) * value(b, c)).sum();
                    product >= 10.0 && (a % 5 == 0 || b % 5 == 0)
                })
                .count();
            for arch in everywhere() {
                let mut found = Found::default();
                let sides = ((&queries, 0..n), (&rows, 0..n));
                reaching_on(arch, sides, &limits, true, &mut found);
                let mut hits = 0;
                for strip in found.strips() {
                    let others = limits.from(strip.first, strip.products.len());
                    let pairs = (strip.first..n).zip(strip.products).zip(others);
                    let limit = limits.of(strip.query);
                    hits += pairs.filter(|&((_, &product), &other)| product >= limit || product >= other).count();
                }
                prop_assert_eq!(hits, expected);
            }
        }
    }
}
