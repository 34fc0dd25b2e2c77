//! Exact k nearest neighbours by blocked brute force, for numeric and mixed columns.
//!
//! Squared distances to a block of rows are first estimated by one matrix product
//! (`|a|^2 + |b|^2 - 2ab` on centred columns). That form cancels for near-duplicates, so it only
//! rules rows out: a row whose estimate, less a bound on its rounding error, is beyond the k-th
//! best so far cannot be among the k nearest. Every other row's distance is computed directly,
//! column by column. The lists therefore are those of a plain double loop over direct distances, to
//! the last bit, whatever kernel multiplied the matrices.
//!
//! Ties are broken by row number, the lower one first, and a row is never its own neighbour: it is
//! left out by its number, not by a distance of zero, so duplicates of it stay.
//!
//! # Metrics
//!
//! * [`Metric::Euclidean`] over all columns (all of them have to be numeric).
//! * [`Metric::Mixed`], the metric of SMOTE-NC: Euclidean over the numeric columns, and each
//!   nominal column in which two rows differ adds the square of the median of the numeric columns'
//!   standard deviations (divisor n) within one class.
//!
//! # Cost
//!
//! O(q m d) time for q queries among m rows of d columns, of which the matrix product is the larger
//! part; O((q + m) d + q k) memory. A tree wins only at low intrinsic dimension.
//!
//! # Differences from scikit-learn
//!
//! scikit-learn's brute force orders by the cancelling form and breaks ties by whatever comes out
//! of a partial sort; imbalanced-learn drops the first neighbour as "the row itself", which for
//! duplicated rows may be another row.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use counterweight_core::{
    ColumnKind, Deadline, Matrix, Samples, StageContext, StageError, StageResult, Train,
};
use ndarray::{ArrayView2, ArrayViewMut2};

/// Queries whose estimates are computed together.
const QUERY_BLOCK: usize = 128;
/// Rows that they are compared with together: the block of estimates stays in cache.
const ROW_BLOCK: usize = 512;

/// How far apart two rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Euclidean over numeric columns.
    Euclidean,
    /// Numeric and nominal columns; a nominal difference counts as the median standard deviation of
    /// the numeric columns among the rows of this class.
    Mixed {
        /// The class that sets the scale.
        class: usize,
    },
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Euclidean => f.write_str("euclidean"),
            Self::Mixed { class } => write!(f, "mixed-by-class-{class}"),
        }
    }
}

/// Rows of the training set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Every row.
    All,
    /// The rows of a class.
    Class(usize),
}

impl Pool {
    /// The pool's row numbers, ascending.
    pub fn rows(self, samples: &Samples) -> Vec<usize> {
        let y = samples.y();
        (0..samples.n_rows())
            .filter(|&row| match self {
                Self::All => true,
                Self::Class(class) => y.class(row) == class,
            })
            .collect()
    }
}

impl std::fmt::Display for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Class(class) => write!(f, "class-{class}"),
        }
    }
}

/// Rows in a form that distances are computed on.
#[derive(Clone, Debug)]
pub struct Points {
    numeric: Matrix,
    nominal: Vec<u32>,
    n_nominal: usize,
    /// What one nominal difference adds to a squared distance.
    gap: f64,
}

impl Points {
    /// Purely numeric rows.
    pub fn numeric(x: Matrix) -> Self {
        Self {
            numeric: x,
            nominal: Vec::new(),
            n_nominal: 0,
            gap: 0.0,
        }
    }

    /// All rows of `samples` under `metric`.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] for nominal columns under the Euclidean metric, or no numeric
    /// column under the mixed one; [`StageError::Failed`] for a value that is not finite, or is no
    /// code of its column.
    pub fn new(samples: &Samples, metric: Metric) -> StageResult<Self> {
        if let Some((row, column)) = samples.x().first_non_finite() {
            return Err(StageError::Failed(format!(
                "the value in row {row}, column {column} is not finite; impute or drop it first"
            )));
        }
        let Metric::Mixed { class } = metric else {
            return if samples.has_nominal() {
                Err(StageError::NotApplicable(
                    "Euclidean distances have no meaning on nominal codes".into(),
                ))
            } else {
                Ok(Self::numeric(samples.x().clone()))
            };
        };
        let (numeric, nominal) = split_columns(samples);
        let n = samples.n_rows();
        let x = Matrix::from_fn(n, numeric.len(), |i, j| samples.x().at(i, numeric[j]));
        let mut codes = Vec::with_capacity(n * nominal.len());
        for row in 0..n {
            for &(column, levels) in &nominal {
                codes.push(code(samples.x().at(row, column), levels).ok_or_else(|| {
                    StageError::Failed(format!(
                        "row {row}, nominal column {column}: {} is no code of {levels} levels",
                        samples.x().at(row, column)
                    ))
                })?);
            }
        }
        let scale = median_deviation(&x, &Pool::Class(class).rows(samples)).ok_or_else(|| {
            StageError::NotApplicable(
                "the mixed metric needs a numeric column for its scale".into(),
            )
        })?;
        Ok(Self {
            numeric: x,
            nominal: codes,
            n_nominal: nominal.len(),
            gap: scale * scale,
        })
    }

    /// What one nominal difference adds to a squared distance.
    pub fn nominal_gap(&self) -> f64 {
        self.gap
    }

    fn codes(&self, row: usize) -> &[u32] {
        &self.nominal[row * self.n_nominal..(row + 1) * self.n_nominal]
    }

    fn nominal_part(&self, a: usize, b: usize) -> f64 {
        let differing = self
            .codes(a)
            .iter()
            .zip(self.codes(b))
            .filter(|(a, b)| a != b)
            .count();
        // Not 0 times a gap that overflowed.
        if differing == 0 {
            0.0
        } else {
            differing as f64 * self.gap
        }
    }

    /// The squared distance of two rows, summed in column order.
    pub fn squared_distance(&self, a: usize, b: usize) -> f64 {
        let numeric: f64 = self
            .numeric
            .row(a)
            .iter()
            .zip(self.numeric.row(b))
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        numeric + self.nominal_part(a, b)
    }
}

/// The numeric columns, and the nominal columns with their numbers of levels.
pub(crate) fn split_columns(samples: &Samples) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut numeric = Vec::new();
    let mut nominal = Vec::new();
    for (column, kind) in samples.kinds().iter().enumerate() {
        match kind {
            ColumnKind::Numeric => numeric.push(column),
            ColumnKind::Nominal { levels } => nominal.push((column, *levels)),
        }
    }
    (numeric, nominal)
}

/// The code that a cell of a nominal column holds; `None` when it holds none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the comparison back finds every value that is not a whole number in range"
)]
pub(crate) fn code(value: f64, levels: usize) -> Option<u32> {
    let code = value as u32;
    (f64::from(code) == value && (code as usize) < levels).then_some(code)
}

/// The median over the columns of the standard deviation (divisor n) among `rows`; `None` without
/// columns or rows.
fn median_deviation(x: &Matrix, rows: &[usize]) -> Option<f64> {
    let n = rows.len() as f64;
    let mut deviations: Vec<f64> = (0..x.cols())
        .map(|j| {
            let mean = rows.iter().map(|&i| x.at(i, j)).sum::<f64>() / n;
            let squares: f64 = rows.iter().map(|&i| (x.at(i, j) - mean).powi(2)).sum();
            (squares / n).sqrt()
        })
        .collect();
    deviations.sort_unstable_by(f64::total_cmp);
    let middle = deviations.len() / 2;
    let median = match deviations.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(deviations[middle]),
        _ => Some(f64::midpoint(deviations[middle - 1], deviations[middle])),
    };
    median.filter(|_| !rows.is_empty())
}

/// The nearest neighbours of some rows, nearest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    n_queries: usize,
    k: usize,
    rows: Vec<usize>,
    squared: Vec<f64>,
}

impl Neighbours {
    /// Neighbours of each row: what was asked for, or as many as there are.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Number of rows that have a list.
    pub fn n_queries(&self) -> usize {
        self.n_queries
    }

    /// The row numbers of the neighbours of the `at`-th query, nearest first.
    ///
    /// # Panics
    /// When there is no such query.
    pub fn of(&self, at: usize) -> &[usize] {
        &self.rows[at * self.k..(at + 1) * self.k]
    }

    /// The squared distances to the same neighbours.
    ///
    /// # Panics
    /// When there is no such query.
    pub fn squared_distances(&self, at: usize) -> &[f64] {
        &self.squared[at * self.k..(at + 1) * self.k]
    }
}

/// A candidate; the worst one (farthest, then highest row) is the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    squared: f64,
    row: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.squared
            .total_cmp(&other.squared)
            .then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The `k` nearest rows `among` for each of the rows `queries`, itself left out. `among` lists each
/// row once. When there are fewer than `k` others, the lists are as long as there are others for
/// every query.
///
/// # Errors
/// [`StageError::Timeout`] when the deadline passes.
pub fn nearest(
    points: &Points,
    queries: &[usize],
    among: &[usize],
    k: usize,
    deadline: &Deadline,
) -> StageResult<Neighbours> {
    let mut inside = vec![false; points.numeric.rows()];
    for &row in among {
        inside[row] = true;
    }
    let itself = usize::from(queries.iter().any(|&row| inside[row]));
    let k = k.min(among.len().saturating_sub(itself));
    let mut rows = Vec::with_capacity(queries.len() * k);
    let mut squared = Vec::with_capacity(queries.len() * k);
    if k > 0 {
        let centre = column_means(&points.numeric, among);
        let pool = Centred::new(&points.numeric, among, &centre);
        let mut estimates = vec![0.0; QUERY_BLOCK * ROW_BLOCK];
        for block in queries.chunks(QUERY_BLOCK) {
            let asked = Centred::new(&points.numeric, block, &centre);
            let mut best: Vec<BinaryHeap<Candidate>> = block
                .iter()
                .map(|_| BinaryHeap::with_capacity(k + 1))
                .collect();
            for start in (0..among.len()).step_by(ROW_BLOCK) {
                deadline.check()?;
                let end = (start + ROW_BLOCK).min(among.len());
                let width = end - start;
                let products = &mut estimates[..block.len() * width];
                multiply(&asked, &pool, start..end, products);
                for (at, &query) in block.iter().enumerate() {
                    scan(
                        points,
                        &Slice {
                            query,
                            query_norm: asked.norms[at],
                            rows: &among[start..end],
                            norms: &pool.norms[start..end],
                            products: &products[at * width..(at + 1) * width],
                        },
                        k,
                        &mut best[at],
                    );
                }
            }
            for heap in best {
                for found in heap.into_sorted_vec() {
                    rows.push(found.row);
                    squared.push(found.squared);
                }
            }
        }
    }
    Ok(Neighbours {
        n_queries: queries.len(),
        k,
        rows,
        squared,
    })
}

/// Whose neighbours are sought, where, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// How far apart rows are.
    pub metric: Metric,
    /// The rows that get a list, in ascending order.
    pub of: Pool,
    /// The rows that the lists are made of.
    pub among: Pool,
    /// Neighbours that the lists hold at least, where there are as many other rows.
    pub k: usize,
}

impl Search {
    /// The neighbours of the rows of a class within that class.
    pub fn within(class: usize, metric: Metric, k: usize) -> Self {
        Self {
            metric,
            of: Pool::Class(class),
            among: Pool::Class(class),
            k,
        }
    }
}

/// The neighbour lists of a training set: computed once and shared by every stage that asks. The
/// lists reach a little further than `k`, so that stages of different k share them; take the first
/// k.
///
/// # Errors
/// As [`Points::new`] and [`nearest`].
pub fn shared(
    train: &Train,
    search: &Search,
    context: &StageContext<'_>,
) -> StageResult<Arc<Neighbours>> {
    let Search {
        metric, of, among, ..
    } = search;
    let reach = search.k.next_power_of_two().max(8);
    let name = format!("neighbours/{metric}/of={of}/among={among}/k={reach}");
    let deadline = context.deadline;
    context.shared.get_or_compute(&name, || {
        let samples = train.samples();
        let points = Points::new(samples, *metric)?;
        let (queries, rows) = (of.rows(samples), among.rows(samples));
        nearest(&points, &queries, &rows, reach, &deadline)
    })
}

/// Rows gathered into one block, their columns centred so that the estimate cancels less.
struct Centred {
    data: Vec<f64>,
    cols: usize,
    norms: Vec<f64>,
}

impl Centred {
    fn new(x: &Matrix, rows: &[usize], centre: &[f64]) -> Self {
        let cols = x.cols();
        let mut data = Vec::with_capacity(rows.len() * cols);
        for &row in rows {
            data.extend(
                x.row(row)
                    .iter()
                    .zip(centre)
                    .map(|(value, mean)| value - mean),
            );
        }
        let norms = (0..rows.len())
            .map(|i| data[i * cols..(i + 1) * cols].iter().map(|v| v * v).sum())
            .collect();
        Self { data, cols, norms }
    }
}

fn column_means(x: &Matrix, rows: &[usize]) -> Vec<f64> {
    let mut means = vec![0.0; x.cols()];
    for &row in rows {
        for (mean, value) in means.iter_mut().zip(x.row(row)) {
            // Divided before summing: the sum of huge values must not overflow.
            *mean += value / rows.len() as f64;
        }
    }
    means
}

fn multiply(asked: &Centred, pool: &Centred, range: std::ops::Range<usize>, out: &mut [f64]) {
    let (n, m, d) = (asked.norms.len(), range.len(), asked.cols);
    if d == 0 {
        out.fill(0.0);
        return;
    }
    let a = ArrayView2::from_shape((n, d), &asked.data).expect("one centred row a query");
    let b = ArrayView2::from_shape((m, d), &pool.data[range.start * d..range.end * d])
        .expect("one centred row a pool row");
    let mut c = ArrayViewMut2::from_shape((n, m), out).expect("one product a pair");
    ndarray::linalg::general_mat_mul(1.0, &a, &b.t(), 0.0, &mut c);
}

/// One query against one block of rows.
struct Slice<'a> {
    query: usize,
    query_norm: f64,
    rows: &'a [usize],
    norms: &'a [f64],
    products: &'a [f64],
}

fn scan(points: &Points, slice: &Slice<'_>, k: usize, best: &mut BinaryHeap<Candidate>) {
    // Rounding of the estimate (two norms, a product, and the centring) and of the direct distance
    // together stay below (4 d + 32) units of the sum of the two norms.
    let unit = (4.0 * points.numeric.cols() as f64 + 32.0) * f64::EPSILON;
    let mut worst = f64::INFINITY;
    if best.len() == k {
        worst = best.peek().map_or(worst, |c| c.squared);
    }
    for ((&row, &norm), &product) in slice.rows.iter().zip(slice.norms).zip(slice.products) {
        let size = slice.query_norm + norm;
        let estimate = size - 2.0 * product - unit * size - f64::MIN_POSITIVE;
        // An estimate that overflowed to NaN rules nothing out.
        if estimate > worst || row == slice.query {
            continue;
        }
        if points.n_nominal > 0 {
            let nominal = points.nominal_part(slice.query, row);
            if estimate + nominal * (1.0 - unit) > worst {
                continue;
            }
        }
        let found = Candidate {
            squared: points.squared_distance(slice.query, row),
            row,
        };
        if best.len() < k {
            best.push(found);
        } else if let Some(mut top) = best.peek_mut()
            && found < *top
        {
            *top = found;
        }
        if best.len() == k {
            worst = best.peek().map_or(worst, |c| c.squared);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(points: &Points, queries: &[usize], among: &[usize], k: usize) -> Vec<Vec<usize>> {
        queries
            .iter()
            .map(|&q| {
                let mut all: Vec<(f64, usize)> = among
                    .iter()
                    .filter(|&&row| row != q)
                    .map(|&row| (points.squared_distance(q, row), row))
                    .collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                all.into_iter().take(k).map(|(_, row)| row).collect()
            })
            .collect()
    }

    fn agree(points: &Points, queries: &[usize], among: &[usize], k: usize) {
        let found = nearest(points, queries, among, k, &Deadline::NEVER).unwrap();
        let expected = naive(points, queries, among, found.k());
        for (at, list) in expected.iter().enumerate() {
            assert_eq!(found.of(at), list, "query {at}");
            for (d, &row) in found.squared_distances(at).iter().zip(list) {
                let direct = points.squared_distance(queries[at], row);
                assert_eq!(d.to_bits(), direct.to_bits());
            }
        }
    }

    #[test]
    fn near_duplicates_far_from_the_origin_are_told_apart() {
        // |a|^2 is 1e16 here: the product form has no digit left for these distances.
        let x = Matrix::from_fn(600, 2, |i, j| {
            if j == 0 {
                1e8 + f64::from(u32::try_from((i * 7919) % 600).unwrap()) * 1e-4
            } else {
                -1e8
            }
        });
        let all: Vec<usize> = (0..600).collect();
        agree(&Points::numeric(x), &all, &all, 5);
    }

    #[test]
    fn ties_go_to_the_lower_row_across_blocks() {
        let x = Matrix::from_fn(1300, 1, |i, _| (i % 3) as f64);
        let all: Vec<usize> = (0..1300).collect();
        let points = Points::numeric(x);
        let found = nearest(&points, &all, &all, 4, &Deadline::NEVER).unwrap();
        assert_eq!(found.of(0), [3, 6, 9, 12]);
        assert_eq!(found.of(1299), [0, 3, 6, 9]);
        agree(&points, &all, &all, 4);
    }

    #[test]
    fn a_row_is_left_out_by_number_and_lists_are_as_long_as_there_are_others() {
        let points = Points::numeric(Matrix::zeros(3, 2));
        let found = nearest(&points, &[0, 1], &[0, 1], 5, &Deadline::NEVER).unwrap();
        assert_eq!(
            (found.k(), found.of(0), found.of(1)),
            (1, &[1][..], &[0][..])
        );
        let found = nearest(&points, &[2], &[0, 1], 5, &Deadline::NEVER).unwrap();
        assert_eq!((found.k(), found.of(0)), (2, &[0, 1][..]));
        let found = nearest(&points, &[2], &[2], 5, &Deadline::NEVER).unwrap();
        assert_eq!((found.k(), found.of(0)), (0, &[][..]));
    }

    #[test]
    fn huge_and_tiny_values_keep_an_order() {
        let x = Matrix::from_vec(5, 1, vec![1e300, -1e300, 0.0, 1e-200, 2e-200]).unwrap();
        let all = [0, 1, 2, 3, 4];
        agree(&Points::numeric(x), &all, &all, 3);
    }

    #[test]
    fn a_passed_deadline_ends_the_search() {
        let past = Deadline::at(std::time::Instant::now());
        std::thread::sleep(std::time::Duration::from_millis(2));
        let points = Points::numeric(Matrix::zeros(3, 2));
        let found = nearest(&points, &[0], &[1, 2], 1, &past);
        assert!(matches!(found, Err(StageError::Timeout(_))));
    }

    #[test]
    fn codes_are_whole_numbers_in_range() {
        assert_eq!(code(2.0, 3), Some(2));
        for value in [3.0, -1.0, 0.5, f64::NAN, f64::INFINITY] {
            assert_eq!(code(value, 3), None);
        }
    }

    proptest! {
        #[test]
        fn lists_are_those_of_the_double_loop(
            n in 2_usize..40,
            d in 0_usize..4,
            m in 0_usize..3,
            k in 1_usize..8,
            cells in proptest::collection::vec(0_u8..4, 40 * 7),
            gap in 0.0_f64..3.0,
            offset in prop_oneof![Just(0.0), Just(1e6)],
        ) {
            // Few distinct values: duplicates and ties everywhere.
            let x = Matrix::from_fn(n, d, |i, j| offset + f64::from(cells[i * 7 + j]) * 0.1);
            let nominal = (0..n).flat_map(|i| (0..m).map(move |j| (i, j)))
                .map(|(i, j)| u32::from(cells[i * 7 + 4 + j] % 2)).collect();
            let points = Points { numeric: x, nominal, n_nominal: m, gap };
            let all: Vec<usize> = (0..n).collect();
            let odd: Vec<usize> = (0..n).filter(|i| i % 2 == 1).collect();
            agree(&points, &all, &all, k);
            agree(&points, &all, &odd, k);
            agree(&points, &odd, &all, k);
        }
    }
}
