//! Exact k nearest neighbours in Euclidean distance.
//!
//! A blocked brute force: matrix products give approximate distances with a bound on their rounding
//! error, which rule nearly every row out; the distances of the few that remain are computed directly.
//! The neighbours are therefore exactly the k smallest direct distances, ties by row number.
//!
//! # When it helps
//! Where classes form local clusters of any shape. Under imbalance the majority crowds a rare class out of
//! every neighbourhood, which resampling and prior-dependent decisions act on directly. It hurts in
//! high dimension, on unscaled features, and its probabilities are multiples of 1 / k: with k = 1
//! they are 0 or 1 and no finite offset changes a decision.
//!
//! # Formula
//! ```text
//! p_k(x) = sum of v_i over neighbours of class k / sum of v_i over all k neighbours
//! v_i = 1 (uniform)   or   1 / distance_i (distance); neighbours at distance 0 take all
//! ```
//! A class without a neighbour has p = 0 and log-score negative infinity.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `k` | 5 | >= 1 | neighbours; more than there are rows goes through the small-class policy |
//! | `weights` | `uniform` | `uniform`, `distance` | how a neighbour's vote counts |
//!
//! # Cost
//! O(n d) a scored row, at the speed of a matrix product; memory O(n d) for the rows and a fixed
//! 2 MiB for a block of distances.
//!
//! # Differences
//! From scikit-learn's brute force: ties at the k-th distance go to the row that stands first (there:
//! unspecified), and distances are recomputed without cancellation. It honours no class weights: a neighbour
//! is a neighbour.
//!
//! # Errors
//! Features that are not finite, class weights or margins (not applicable), k above the number of
//! rows under `small_class = "error"` or `"skip"`, and distances that overflow.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "k-nearest-neighbours").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "0", "0", "1", "1", "1"]);
//! # let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 0.5, 2.5, 3.0, 3.5]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(6, (0..6).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![0.2, 3.2]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0]).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Fix and Hodges (1951), Discriminatory analysis: nonparametric discrimination; Cover and Hart
//! (1967), Nearest neighbor pattern classification, IEEE Trans. Inf. Theory 13(1). Dudani (1976), The
//! distance-weighted k-nearest-neighbor rule, IEEE Trans. SMC 6(4). Higham (2002), Accuracy and Stability of
//! Numerical Algorithms, 3.1 (the bound of an inner product).

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix,
    ParamError, ParamKind, ParamSpec, Params, Range, ScoreKind, Scores, StageContext, StageError,
    StageResult, Train, Workload,
};

use ndarray::linalg::general_mat_mul;

use crate::shared::linalg::{dot, squared_distance, view, view_mut};
use crate::shared::task::{Task, check_scored, widen};

const HONOURS: LossNeeds = LossNeeds {
    weights: false,
    margins: false,
    factors: false,
    focal: false,
    ..LossNeeds::NONE
};

/// Scored rows in a block.
const QUERIES: usize = 128;
/// Training rows in a block: with [`QUERIES`] a block of distances is 2 MiB.
const TILE: usize = 2048;

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "k-nearest-neighbours",
        summary: "exact k nearest neighbours, Euclidean, by blocked brute force",
        reference: "Cover and Hart 1967, IEEE Trans. Inf. Theory 13(1)",
        params: &[
            ParamSpec::new(
                "k",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                Preset::Whole(5),
                "neighbours",
            ),
            ParamSpec::new(
                "weights",
                ParamKind::Choice(&["uniform", "distance"]),
                Preset::Text("uniform"),
                "how a neighbour's vote counts: alike, or by the inverse of its distance",
            ),
        ],
    },
    caps: LearnerCaps {
        library: "own",
        honours: HONOURS,
        scores: ScoreKind::Probability,
        multiclass: true,
        deterministic: true,
        max_rows: None,
        cost,
        remark: "probabilities are multiples of 1/k; k = 1 is a fixed point of every finite offset",
    },
    build: |params| Ok(Box::new(KNearestNeighbours::try_from(params)?)),
};

fn cost(_: &Params, work: &Workload) -> f64 {
    let pairs = work.n_train as f64 * work.n_score as f64;
    1e-5 + pairs * (2e-9 + work.n_features as f64 * 1.2e-10)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Votes {
    Uniform,
    Distance,
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct KNearestNeighbours {
    k: usize,
    votes: Votes,
}

impl TryFrom<&Params> for KNearestNeighbours {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let votes = match params.text("weights") {
            "distance" => Votes::Distance,
            _ => Votes::Uniform,
        };
        Ok(Self {
            k: params.whole("k"),
            votes,
        })
    }
}

impl Learner for KNearestNeighbours {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        if task.n_features() == 0 {
            let why = "there are no features";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        let mut k = self.k;
        if k > task.n_rows() {
            k = task.n_rows();
            context.clamp(format!("k = {} reduced to the {k} training rows", self.k))?;
        }
        Model::new(&task, k, self.votes).map(|model| Box::new(model) as Box<dyn Fitted>)
    }
}

/// The training rows, prepared.
#[derive(Debug)]
struct Model {
    /// Features minus `centre`.
    rows: Matrix,
    /// Squared lengths of `rows`.
    squares: Vec<f64>,
    y: Vec<u32>,
    /// Feature means: subtracting them keeps products small, so that fewer rows need a second look.
    centre: Vec<f64>,
    k: usize,
    votes: Votes,
    present: Vec<usize>,
    n_classes: usize,
}

/// A training row with its squared distance to a scored row.
type Neighbour = (f64, usize);

/// The nearest rows found so far for one scored row.
struct Nearest {
    k: usize,
    /// At most k, ascending by (distance, row).
    best: Vec<Neighbour>,
    /// Rows that may be nearer, not yet looked at.
    waiting: Vec<usize>,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self {
            k,
            best: Vec::with_capacity(k + 1),
            waiting: Vec::with_capacity(2 * k + 32),
        }
    }

    /// The k-th smallest squared distance so far; infinite before there are k.
    fn limit(&self) -> f64 {
        if self.best.len() < self.k {
            f64::INFINITY
        } else {
            self.best[self.k - 1].0
        }
    }

    /// Computes the distances of the waiting rows directly and keeps the k nearest.
    fn settle(&mut self, query: &[f64], rows: &Matrix) {
        for at in 0..self.waiting.len() {
            let row = self.waiting[at];
            let distance = squared_distance(query, rows.row(row));
            // Rows come in ascending order, so on a tie the one that stands first is already in.
            if distance < self.limit() {
                let place = self.best.partition_point(|near| near.0 <= distance);
                self.best.insert(place, (distance, row));
                self.best.truncate(self.k);
            }
        }
        self.waiting.clear();
    }
}

impl Model {
    fn new(task: &Task<'_>, k: usize, votes: Votes) -> StageResult<Self> {
        let (n, d) = (task.n_rows(), task.n_features());
        let mut centre = vec![0.0; d];
        for i in 0..n {
            for (c, x) in centre.iter_mut().zip(task.x.row(i)) {
                *c += x / n as f64;
            }
        }
        let rows = Matrix::from_fn(n, d, |i, j| task.x.at(i, j) - centre[j]);
        let squares: Vec<f64> = rows.iter_rows().map(|row| dot(row, row)).collect();
        if squares.iter().any(|s| !s.is_finite()) {
            return Err(StageError::Failed(
                "distances between the training rows overflow; standardise the features".into(),
            ));
        }
        Ok(Self {
            rows,
            squares,
            y: task.y.clone(),
            centre,
            k,
            votes,
            present: task.present.clone(),
            n_classes: task.n_classes,
        })
    }

    /// The k nearest rows of each query, ascending by (distance, row).
    fn neighbours(&self, queries: &Matrix) -> Vec<Vec<Neighbour>> {
        let (n, d) = (self.rows.rows(), self.rows.cols());
        let m = queries.rows();
        // |q.x computed - q.x| <= c |q||x| with c = d u / (1 - d u) <= 1.01 d u for any order of
        // summation (u = half of epsilon); likewise for the two squared lengths and the direct
        // distance. 4 (d + 4) epsilon (|q|^2 + |x|^2) bounds them together with room to spare.
        let slack = 4.0 * (d as f64 + 4.0) * f64::EPSILON;
        let mut nearest: Vec<Nearest> = (0..m).map(|_| Nearest::new(self.k)).collect();
        let lengths: Vec<f64> = queries.iter_rows().map(|q| dot(q, q)).collect();
        let mut products = vec![0.0; m * TILE];
        for start in (0..n).step_by(TILE) {
            let width = TILE.min(n - start);
            let tile = &self.rows.as_slice()[start * d..(start + width) * d];
            let products = &mut products[..m * width];
            general_mat_mul(
                1.0,
                &view(m, d, queries.as_slice()),
                &view(width, d, tile).t(),
                0.0,
                &mut view_mut(m, width, products),
            );
            let squares = &self.squares[start..start + width];
            for (q, near) in nearest.iter_mut().enumerate() {
                let mut limit = near.limit();
                let row = &products[q * width..(q + 1) * width];
                for (at, (product, square)) in row.iter().zip(squares).enumerate() {
                    let lengths = lengths[q] + square;
                    // Least squared distance that rounding leaves possible.
                    if lengths - 2.0 * product - slack * lengths <= limit {
                        near.waiting.push(start + at);
                        if near.waiting.len() == near.waiting.capacity() {
                            near.settle(queries.row(q), &self.rows);
                            limit = near.limit();
                        }
                    }
                }
                near.settle(queries.row(q), &self.rows);
            }
        }
        nearest.into_iter().map(|near| near.best).collect()
    }

    /// Vote shares of the present classes.
    fn shares(&self, neighbours: &[Neighbour], shares: &mut [f64]) {
        let nearest = neighbours.first().map_or(0.0, |near| near.0.sqrt());
        for &(square, row) in neighbours {
            let distance = square.sqrt();
            let vote = match self.votes {
                Votes::Uniform => 1.0,
                // Relative to the nearest, so that tiny distances do not overflow.
                Votes::Distance if nearest > 0.0 => nearest / distance,
                Votes::Distance => f64::from(u8::from(distance <= 0.0)),
            };
            shares[self.y[row] as usize] += vote;
        }
    }
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        check_scored(x, self.rows.cols())?;
        let mut shares = Matrix::zeros(x.rows(), self.present.len());
        for start in (0..x.rows()).step_by(QUERIES) {
            let end = (start + QUERIES).min(x.rows());
            let queries = Matrix::from_fn(end - start, x.cols(), |i, j| {
                x.at(start + i, j) - self.centre[j]
            });
            for (i, found) in self.neighbours(&queries).iter().enumerate() {
                if found.len() < self.k || found.iter().any(|near| !near.0.is_finite()) {
                    return Err(StageError::Failed(format!(
                        "distances of scored row {} overflow; standardise the features",
                        start + i
                    )));
                }
                self.shares(found, shares.row_mut(start + i));
            }
        }
        let p = Scores::probabilities(shares)?;
        Ok(Scores::log_probabilities(widen(
            p.log(),
            &self.present,
            self.n_classes,
        ))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, normal, rng, train};
    use proptest::prelude::*;

    fn model(x: &Matrix, k: usize) -> Model {
        let y: Vec<u32> = (0..x.rows()).map(|i| u32::from(i % 2 == 1)).collect();
        let data = train(x, &y, 2);
        let task = Task::new(&data, &LossTerms::cross_entropy(2), HONOURS).unwrap();
        Model::new(&task, k, Votes::Uniform).unwrap()
    }

    /// All distances, sorted by (distance, row).
    fn naive(model: &Model, query: &[f64]) -> Vec<Neighbour> {
        let mut all: Vec<Neighbour> = model
            .rows
            .iter_rows()
            .enumerate()
            .map(|(row, x)| (squared_distance(query, x), row))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.truncate(model.k);
        all
    }

    fn centred(model: &Model, x: &Matrix) -> Matrix {
        Matrix::from_fn(x.rows(), x.cols(), |i, j| x.at(i, j) - model.centre[j])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn neighbours_are_exact_and_ties_go_by_row(
            seed in 0_u64..1000,
            n in 2_usize..400,
            d in 1_usize..6,
            k in 1_usize..12,
            // 0: continuous; 1: a coarse grid full of ties; 2: near-duplicates far from the origin.
            kind in 0_u8..3,
        ) {
            let mut rng = rng(seed);
            let x = Matrix::from_fn(n, d, |_, _| {
                let z = normal(&mut rng);
                match kind {
                    0 => z,
                    1 => (2.0 * z).round(),
                    _ => 1e6 + 1e-6 * z,
                }
            });
            let model = model(&x, k.min(n));
            let queries = centred(&model, &x);
            let found = model.neighbours(&queries);
            for (i, found) in found.iter().enumerate() {
                prop_assert_eq!(found, &naive(&model, queries.row(i)));
            }
        }
    }

    #[test]
    fn neighbours_are_exact_across_tiles() {
        let mut rng = rng(5);
        let x = Matrix::from_fn(2 * TILE + 37, 3, |_, _| (3.0 * normal(&mut rng)).round());
        let model = model(&x, 7);
        let (queries, _) = blobs(6, &[20, 20], 3);
        let queries = centred(&model, &queries);
        for (i, found) in model.neighbours(&queries).iter().enumerate() {
            assert_eq!(found, &naive(&model, queries.row(i)));
        }
    }

    #[test]
    fn distance_votes_survive_tiny_distances_and_zeros() {
        let x = Matrix::from_vec(3, 1, vec![0.0, 1e-150, 1.0]).unwrap();
        let mut model = model(&x, 3);
        model.votes = Votes::Distance;
        let mut shares = [0.0; 2];
        model.shares(&[(0.0, 0), (1e-300, 1), (1.0, 2)], &mut shares);
        assert!((shares[0] - 1.0).abs() < 1e-15 && shares[1].abs() < 1e-15);
        let mut shares = [0.0; 2];
        model.shares(&[(1e-300, 1), (4e-300, 0)], &mut shares);
        assert!((shares[1] - 1.0).abs() < 1e-12 && (shares[0] - 0.5).abs() < 1e-12);
    }
}
