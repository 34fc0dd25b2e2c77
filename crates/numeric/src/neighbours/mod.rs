//! Exact k nearest neighbours for numeric, mixed and nominal columns, shared by every stage that
//! sees the same training set.
//!
//! The lists are those of a plain double loop over direct distances, to the last bit, whatever route
//! found them:
//!
//! * by blocks of matrix products, which estimate distances well enough to rule most pairs out and
//!   leave the others to be measured directly (single or double precision, by the data's scale),
//! * by a k-d tree, where a trial on a few rows shows that it visits fewer rows than that is worth,
//! * pair by pair, for few rows and for columns that products say nothing about.
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
//! * [`Metric::ValueDifference`], the metric of SMOTE-N, over nominal columns: a column adds the
//!   square of the sum over the classes of the difference of the two levels' class shares.
//!
//! # Cost
//!
//! O(q m d) time for q queries among m rows of d columns, half of that for rows among themselves, of
//! which the matrix product is the larger part; a tree takes about O(q log m) at low dimension. O((q
//! + m) d + q k) memory.
//!
//! # Differences
//!
//! scikit-learn's brute force orders by the cancelling form and breaks ties by whatever comes out
//! of a partial sort; imbalanced-learn drops the first neighbour as "the row itself", which for
//! duplicated rows may be another row.

mod best;
mod brute;
mod gaps;
mod graph;
mod points;
mod tree;

use counterweight_core::{Deadline, Samples, StageResult};

use self::best::{Best, Candidate};
use self::brute::{Frame, Grain};
pub use self::gaps::Gaps;
pub use self::graph::shared;
pub use self::graph::shared_of;
pub use self::points::{Points, Sum};
pub use self::points::{code, split_columns};
use self::tree::{Effort, Tree};

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
    /// Nominal columns only; levels differ by the classes of the rows that have them.
    ValueDifference,
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Euclidean => f.write_str("euclidean"),
            Self::Mixed { class } => write!(f, "mixed-by-class-{class}"),
            Self::ValueDifference => f.write_str("value-difference"),
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

/// The nearest neighbours of some rows, nearest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    n_queries: usize,
    k: usize,
    rows: Vec<usize>,
    squared: Vec<f64>,
}

impl Neighbours {
    fn new(n_queries: usize, k: usize, slots: impl Iterator<Item = Candidate>) -> Self {
        let mut found = Self {
            n_queries,
            k,
            rows: Vec::with_capacity(n_queries * k),
            squared: Vec::with_capacity(n_queries * k),
        };
        for slot in slots {
            found.rows.push(slot.row);
            found.squared.push(slot.squared);
        }
        found
    }

    fn candidates(&self, at: usize) -> impl Iterator<Item = Candidate> + '_ {
        let pairs = self.of(at).iter().zip(self.squared_distances(at));
        pairs.map(|(&row, &squared)| Candidate { squared, row })
    }

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

/// Whose neighbours are sought, where, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// How far apart rows are.
    pub metric: Metric,
    /// The rows that get a list, in ascending order.
    pub of: Pool,
    /// The rows that the lists are made of.
    pub among: Pool,
    /// Neighbours that the lists hold, where there are as many other rows.
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

/// The `k` nearest rows `among` for each of the rows `queries`, itself left out. Neither lists a row
/// twice. When there are fewer than `k` others, the lists are as long as there are others for every
/// query.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout) when the deadline passes.
pub fn nearest(
    points: &Points,
    queries: &[usize],
    among: &[usize],
    k: usize,
    deadline: &Deadline,
) -> StageResult<Neighbours> {
    let k = length(points.n_rows(), queries, among, k);
    if k == 0 || queries.is_empty() {
        return Ok(Neighbours::new(queries.len(), k, std::iter::empty()));
    }
    let best = match Route::choose(points, queries, among, k) {
        Route::Direct => brute::direct(points, queries, among, k, deadline)?,
        Route::Tree(tree) => tree.search_all(queries, k, deadline)?,
        Route::Single(frame) => {
            brute::search::<f32>(points, (queries, among), &frame, k, deadline)?
        }
        Route::Double(frame) => {
            brute::search::<f64>(points, (queries, among), &frame, k, deadline)?
        }
    };
    let slots = best.into_slots();
    Ok(Neighbours::new(queries.len(), k, slots.into_iter()))
}

/// The `k` farthest rows `among` for each of the rows `queries`, farthest first; otherwise as
/// [`nearest`]. Every pair is measured.
///
/// # Errors
/// [`StageError::Timeout`](counterweight_core::StageError::Timeout) when the deadline passes.
pub fn farthest(
    points: &Points,
    queries: &[usize],
    among: &[usize],
    k: usize,
    deadline: &Deadline,
) -> StageResult<Neighbours> {
    let k = length(points.n_rows(), queries, among, k);
    if k == 0 || queries.is_empty() {
        return Ok(Neighbours::new(queries.len(), k, std::iter::empty()));
    }
    let slots = brute::farthest(points, queries, among, k, deadline)?.into_slots();
    Ok(Neighbours::new(queries.len(), k, slots.into_iter()))
}

/// The length of the lists: `k`, or as many others as every query has.
fn length(n_rows: usize, queries: &[usize], among: &[usize], k: usize) -> usize {
    let mut inside = vec![false; n_rows];
    for &row in among {
        inside[row] = true;
    }
    let itself = usize::from(queries.iter().any(|&row| inside[row]));
    k.min(among.len().saturating_sub(itself))
}

/// Pairs below which setting anything up takes longer than measuring them.
const FEW_PAIRS: usize = 1 << 12;
/// Rows below which a tree saves nothing.
const FEW_ROWS: usize = 256;
/// Queries of a trial.
const TRIAL: usize = 8;
/// The share of its k-th squared distance that the slack of single precision may take up.
const SLACK: f64 = 0.05;

/// Rows of a sample that shows whether a tree of all is worth growing.
const SAMPLE: usize = 2048;

/// Whether a tree of every thin-th row lets the trial pass over half of them at least. With more rows
/// its cells get smaller, so what fails here may still do a little better; what has no structure to
/// use visits nearly all.
fn promises(points: &Points, trial: &[usize], among: &[usize], (k, thin): (usize, usize)) -> bool {
    if thin < 2 {
        return true;
    }
    let sample: Vec<usize> = among.iter().copied().step_by(thin).collect();
    let tree = Tree::new(points, &sample);
    let mut best = Best::new(trial.len(), k.div_ceil(thin));
    let mut rows = 0;
    for (at, &query) in trial.iter().enumerate() {
        rows += tree.search(query, &mut best, at).rows;
    }
    2 * rows < sample.len() * trial.len()
}

/// How the lists are found: a matter of time alone. What it is chosen by is counted, not timed.
#[derive(Debug)]
enum Route<'a> {
    Direct,
    Tree(Tree<'a>),
    Single(Frame),
    Double(Frame),
}

impl<'a> Route<'a> {
    fn choose(points: &'a Points, queries: &[usize], among: &[usize], k: usize) -> Self {
        let cols = points.x().cols();
        let pairs = queries.len().saturating_mul(among.len());
        if cols == 0 || pairs <= FEW_PAIRS {
            return Self::Direct;
        }
        let step = queries.len().div_ceil(TRIAL);
        let trial: Vec<usize> = queries.iter().copied().step_by(step).collect();
        // Work units are nanoseconds on the machine where they were measured; only their ratio
        // matters. A pair costs a product or two, or a direct distance.
        let direct = 3.0 + 1.1 * cols as f64;
        let halved = if queries == among { 0.5 } else { 1.0 };
        let block = halved * (0.35 + 0.05 * cols as f64) * among.len() as f64;
        let mut found = None;
        let thin = (among.len() / SAMPLE).max(1);
        if among.len() >= FEW_ROWS
            && direct * FEW_ROWS as f64 / 4.0 < block
            && promises(points, &trial, among, (k, thin))
        {
            let tree = Tree::new(points, among);
            let mut best = Best::new(trial.len(), k);
            let mut effort = Effort::default();
            for (at, &query) in trial.iter().enumerate() {
                let spent = tree.search(query, &mut best, at);
                effort.nodes += spent.nodes;
                effort.rows += spent.rows;
            }
            let work = direct * (2.0 * effort.nodes as f64 + effort.rows as f64);
            if work < block * trial.len() as f64 {
                return Self::Tree(tree);
            }
            found = Some(best);
        }
        let Some(frame) = Frame::new(points, queries, among) else {
            return Self::Direct;
        };
        let best = found.unwrap_or_else(|| {
            // The k-th of all is about as far as the k / thin-th of every thin-th.
            let mut best = Best::new(trial.len(), k.div_ceil(thin));
            for (at, &query) in trial.iter().enumerate() {
                let sample = among.iter().step_by(thin);
                for &row in sample.filter(|&&row| row != query) {
                    let squared = points.squared_distance(query, row);
                    best.offer(at, Candidate { squared, row });
                }
            }
            best
        });
        let crowded = trial
            .iter()
            .enumerate()
            .filter(|&(at, &query)| {
                let norm = frame.norm(points.x().row(query));
                let slack = brute::slack::<f32>(cols) * norm * 2.0 + f32::TINY;
                slack > SLACK * frame.scaled(best.worst(at))
            })
            .count();
        if 4 * crowded > trial.len() {
            Self::Double(frame)
        } else {
            Self::Single(frame)
        }
    }
}

#[cfg(test)]
mod tests;
