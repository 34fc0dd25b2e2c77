//! Exact k nearest neighbours in Euclidean distance.
//!
//! A blocked brute force: matrix products give approximate distances with a bound on their rounding
//! error, which rule nearly every row out; the distances of the few that remain are computed directly. Where
//! the rows have few intrinsic dimensions a k-d tree rules them out instead. Either way the neighbours are
//! exactly the k smallest direct distances, ties by row number.
//!
//! # When it helps, when it hurts
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
//! # Cost
//! O(n d) a scored row, at the speed of a matrix product in single precision, or far less by the tree, which
//! is chosen by sending a few of the scored rows through both and grown for every call: O(n d log n).
//! Memory O((n + m) d + m k) for m scored rows.
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
//! assert_eq!(scores.argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Fix and Hodges (1951), Discriminatory analysis: nonparametric discrimination; Cover and Hart
//! (1967), Nearest neighbor pattern classification, IEEE Trans. Inf. Theory 13(1). Dudani (1976), The
//! distance-weighted k-nearest-neighbor rule, IEEE Trans. SMC 6(4). Higham (2002), Accuracy and Stability of
//! Numerical Algorithms, 3.1 (the bound of an inner product).

use counterweight_core::{
    Deadline, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params,
    Range, ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, parameters,
    words,
};

use counterweight_numeric::linalg::dot;
use counterweight_numeric::neighbours::{Points, Sum, nearest};

use crate::shared::footprint::Size;
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<KNearestNeighbours>(
    "k-nearest-neighbours",
    "exact k nearest neighbours, Euclidean, by blocked brute force or a k-d tree",
    "Cover and Hart 1967, IEEE Trans. Inf. Theory 13(1)",
    LearnerCaps {
        remark: "probabilities are multiples of 1/k; k = 1 is a fixed point of every finite offset",
        footprint: |params, work| {
            let size = Size::of(work);
            let listed = (size.q * params.whole("k") as f64).min(LISTED as f64);
            let lists = 32.0 * listed + 2e5;
            let points = 12.0 * (size.n + size.q) * size.d;
            size.footprint(size.rows() + 4.0 * size.n, points + lists + size.scores())
        },
        ..LearnerCaps::new("own", HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    // A tree rules most pairs out, so that the rows searched count less than one for one.
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    1e-5 + (n + work.n_score as f64) * n.powf(0.65) * d.sqrt() * 3.2e-9
}

words! {
    /// How a neighbour's vote counts.
    pub enum Votes {
        /// Alike.
        Uniform = "uniform",
        /// By the inverse of its distance.
        Distance = "distance",
    }
}

parameters! {
    /// Checked parameters.
    pub struct KNearestNeighbours {
        /// neighbours
        k: usize = 5, in Range::AT_LEAST_ONE;
        /// how a neighbour's vote counts: alike, or by the inverse of its distance
        weights: Votes = "uniform";
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
        if let Some(constant) = task.trivial(ScoreKind::Probability, context)? {
            return Ok(Box::new(constant));
        }
        let mut k = self.k;
        if k > task.n_rows() {
            k = task.n_rows();
            context.clamp(format!("k = {} reduced to the {k} training rows", self.k))?;
        }
        Ok(Box::new(Model::new(task, k, self.weights)?))
    }
}

/// Neighbours that are searched at a time, which bounds the memory of the lists.
const LISTED: usize = 1 << 22;

/// The training rows.
#[derive(Debug)]
struct Model {
    /// Means of the features: small numbers rule more rows out.
    centre: Vec<f64>,
    /// The rows minus the centre.
    rows: Matrix,
    y: Vec<u32>,
    k: usize,
    votes: Votes,
    shape: Shape,
}

impl Model {
    fn new(task: Task<'_>, k: usize, votes: Votes) -> StageResult<Self> {
        let (n, d) = (task.n_rows(), task.n_features());
        let mut centre = vec![0.0; d];
        for row in task.x.iter_rows() {
            for (c, x) in centre.iter_mut().zip(row) {
                *c += x / n as f64;
            }
        }
        let rows = Matrix::from_fn(n, d, |i, j| task.x.at(i, j) - centre[j]);
        if rows.iter_rows().any(|row| !dot(row, row).is_finite()) {
            return Err(StageError::Failed(
                "distances between the training rows overflow; standardise the features".into(),
            ));
        }
        Ok(Self {
            centre,
            rows,
            shape: task.shape(),
            y: task.y,
            k,
            votes,
        })
    }

    /// Vote shares of the present classes, from neighbours and their squared distances.
    fn shares(&self, rows: &[usize], squared: &[f64], shares: &mut [f64]) {
        let nearest = squared.first().map_or(0.0, |squared| squared.sqrt());
        for (&row, squared) in rows.iter().zip(squared) {
            let distance = squared.sqrt();
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
        self.shape.check(x)?;
        let n = self.rows.rows();
        let among: Vec<usize> = (0..n).collect();
        let mut shares = Matrix::zeros(x.rows(), self.shape.present.len());
        let block = (LISTED / self.k).max(n);
        for start in (0..x.rows()).step_by(block) {
            let end = (start + block).min(x.rows());
            // The searched rows first, then the centred queries.
            let points = Matrix::from_fn(n + end - start, x.cols(), |i, j| {
                if i < n {
                    self.rows.at(i, j)
                } else {
                    x.at(start + i - n, j) - self.centre[j]
                }
            });
            let points = Points::summed(points, Sum::Lanes);
            let queries: Vec<usize> = (n..points.n_rows()).collect();
            let found = nearest(&points, &queries, &among, self.k, &Deadline::current())?;
            for at in 0..queries.len() {
                let squared = found.squared_distances(at);
                if squared.iter().any(|squared| !squared.is_finite()) {
                    return Err(StageError::Failed(format!(
                        "distances of scored row {} overflow; standardise the features",
                        start + at
                    )));
                }
                self.shares(found.of(at), squared, shares.row_mut(start + at));
            }
        }
        let p = Scores::probabilities(shares)?;
        Ok(Scores::log_probabilities(self.shape.widen(p.log()))?)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::LossTerms;

    use super::*;
    use crate::testing::{fit, learner, train, try_fit};

    #[test]
    fn distance_votes_survive_tiny_distances_and_zeros() {
        let x = Matrix::from_vec(3, 1, vec![0.0, 1e-150, 1.0]).unwrap();
        let data = train(&x, &[0, 1, 0], 2);
        let task = Task::new(&data, &LossTerms::cross_entropy(2), HONOURS).unwrap();
        let model = Model::new(task, 3, Votes::Distance).unwrap();
        let mut shares = [0.0; 2];
        model.shares(&[0, 1, 2], &[0.0, 1e-300, 1.0], &mut shares);
        assert!((shares[0] - 1.0).abs() < 1e-15 && shares[1].abs() < 1e-15);
        let mut shares = [0.0; 2];
        model.shares(&[1, 0], &[1e-300, 4e-300], &mut shares);
        assert!((shares[1] - 1.0).abs() < 1e-12 && (shares[0] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn rows_that_overflow_are_refused() {
        let terms = LossTerms::cross_entropy(2);
        let x = Matrix::from_vec(2, 1, vec![1e200, -1e200]).unwrap();
        let learner = learner("k-nearest-neighbours", &[]);
        let data = train(&x, &[0, 1], 2);
        let ended = try_fit(
            &*learner,
            &data,
            &terms,
            counterweight_core::SmallClass::Clamp,
        );
        assert!(
            ended
                .unwrap_err()
                .to_string()
                .contains("training rows overflow")
        );
        let x = Matrix::from_vec(2, 1, vec![1.0, 2.0]).unwrap();
        let fit = fit("k-nearest-neighbours", &[], &train(&x, &[0, 1], 2), &terms);
        let far = Matrix::from_vec(1, 1, vec![1e200]).unwrap();
        let ended = fit.model.scores(&far);
        assert!(ended.unwrap_err().to_string().contains("scored row 0"));
    }
}
