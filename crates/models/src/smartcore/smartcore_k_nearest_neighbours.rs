//! k nearest neighbours of smartcore 0.7.0, as it is, by linear search.
//!
//! Every scored row is compared with every training row, one pair at a time.
//!
//! # When it helps, when it hurts
//! As the nearest neighbours of a widely used crate: the same shares as `k-nearest-neighbours` at many
//! times its cost. It hurts where that hurts.
//!
//! # Formula
//! ```text
//! p_k(x) = sum of v_i over neighbours of class k / sum of v_i over all k neighbours
//! v_i = 1 (uniform)   or   1 / distance_i (distance); neighbours at distance 0 take all
//! ```
//! A class without a neighbour has p = 0 and log-score negative infinity.
//!
//! # Cost
//! O(n d) a scored row, some ten times the cost of `k-nearest-neighbours`. Hence the size limit of
//! 20,000 rows.
//!
//! # Differences
//! The library's own defaults are k = 3 and a cover tree. The tree recurses by the ratio of distances and
//! overflows the stack, which ABORTS the process, on distances that are infinite; so only the linear search
//! is offered, and features above 1e100, whose squares come near the end of the range, are refused before
//! the library sees them. Ties at the k-th distance go to the row that stands first.
//!
//! # Errors
//! Features that are not finite or above 1e100, weights or margins (not applicable), k above the number
//! of rows under `small_class = "error"` or `"skip"`, and whatever the library reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "smartcore-k-nearest-neighbours").unwrap();
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
//! smartcore 0.7.0, `neighbors/knn_classifier.rs`, `algorithm/neighbour/linear_search.rs`. Cover and
//! Hart (1967), Nearest neighbor pattern classification, IEEE Trans. Inf. Theory 13(1).

use crate::own::k_nearest_neighbours::Votes;
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, parameters,
};

use ::smartcore::algorithm::neighbour::KNNAlgorithmName;
use ::smartcore::linalg::basic::matrix::DenseMatrix;
use ::smartcore::metrics::distance::euclidian::Euclidian;
use ::smartcore::neighbors::KNNWeightFunction;
use ::smartcore::neighbors::knn_classifier::{KNNClassifier, KNNClassifierParameters};

use crate::shared::task::{Shape, Task};
use crate::smartcore::{LIBRARY, dense, failed};

const HONOURS: LossNeeds = LossNeeds::NONE;

/// Largest feature that the library is given: sums of squares of 1e200 stay finite in any dimension.
const LARGEST: f64 = 1e100;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<SmartcoreKNearestNeighbours>(
    "smartcore-k-nearest-neighbours",
    "k nearest neighbours of smartcore, by linear search",
    "smartcore 0.7.0; Cover and Hart 1967, IEEE Trans. Inf. Theory 13(1)",
    LearnerCaps {
        max_rows: Some(20_000),
        remark: "its cover tree can abort the process on infinite distances: only the linear search is used",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let pairs = work.n_train as f64 * work.n_score as f64;
    1e-5 + pairs * (1.5e-8 + work.n_features as f64 * 3e-9)
}

parameters! {
    /// Checked parameters.
    pub struct SmartcoreKNearestNeighbours {
        /// neighbours
        k: usize = 5, in Range::AT_LEAST_ONE;
        /// how a neighbour's vote counts: alike, or by the inverse of its distance
        weights: Votes = "uniform";
    }
}

impl Learner for SmartcoreKNearestNeighbours {
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
        check_range(&task.x)?;
        let k = self.k.min(task.n_rows());
        if k < self.k {
            context.clamp(format!("k = {} reduced to the {k} training rows", self.k))?;
        }
        let parameters = KNNClassifierParameters::default()
            .with_k(k)
            .with_algorithm(KNNAlgorithmName::LinearSearch)
            .with_weight(match self.weights {
                Votes::Uniform => KNNWeightFunction::Uniform,
                Votes::Distance => KNNWeightFunction::Distance,
            });
        let fitted =
            KNNClassifier::fit(&dense(&task.x)?, &task.y, parameters).map_err(|e| failed(&e))?;
        Ok(Box::new(Model {
            fitted,
            shape: task.shape(),
        }))
    }
}

fn check_range(x: &Matrix) -> StageResult<()> {
    match x.as_slice().iter().find(|v| v.abs() > LARGEST) {
        Some(value) => Err(StageError::Failed(format!(
            "a feature is {value:e}; distances between numbers above {LARGEST:e} overflow in smartcore; \
             standardise the features"
        ))),
        None => Ok(()),
    }
}

#[derive(Debug)]
struct Model {
    fitted: KNNClassifier<f64, u32, DenseMatrix<f64>, Vec<u32>, Euclidian<f64>>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        check_range(x)?;
        let mut p = Matrix::zeros(x.rows(), self.shape.n_classes);
        if x.rows() > 0 {
            let found = self
                .fitted
                .predict_proba(&dense(x)?)
                .map_err(|e| failed(&e))?;
            for (i, row) in found.iter().enumerate() {
                // The library numbers classes in ascending order, as the task does.
                for (&class, &share) in self.shape.present.iter().zip(row) {
                    p.set(i, class, share);
                }
            }
        }
        Ok(Scores::probabilities(p)?)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue, SmallClass};

    use crate::testing::{blobs, fit, gap, learner, train, try_fit};

    #[test]
    fn it_agrees_with_ours() {
        // The rarest class stands first in the rows, so that an order of appearance would show.
        let (x, y) = blobs(37, &[30, 20, 8], 3);
        let rows: Vec<usize> = (0..58).rev().collect();
        let (x, y) = (
            x.select_rows(&rows),
            rows.iter().map(|&i| y[i]).collect::<Vec<_>>(),
        );
        let (fresh, _) = blobs(38, &[20, 20, 20], 3);
        let terms = LossTerms::cross_entropy(3);
        for (k, weights) in [(1, "uniform"), (7, "uniform"), (7, "distance")] {
            let given = [
                ("k", ParamValue::Whole(k)),
                ("weights", ParamValue::Text(weights.into())),
            ];
            let ours = fit("k-nearest-neighbours", &given, &train(&x, &y, 3), &terms);
            let theirs = fit(
                "smartcore-k-nearest-neighbours",
                &given,
                &train(&x, &y, 3),
                &terms,
            );
            assert!(gap(&ours.scores(&fresh), &theirs.scores(&fresh)) < 1e-12);
        }
    }

    #[test]
    fn what_would_overflow_never_reaches_the_library() {
        let (x, y) = blobs(39, &[10, 10], 2);
        let far = Matrix::from_fn(20, 2, |i, j| x.at(i, j) * 1e155);
        let learner = learner("smartcore-k-nearest-neighbours", &[]);
        let terms = LossTerms::cross_entropy(2);
        let ended = try_fit(&*learner, &train(&far, &y, 2), &terms, SmallClass::Clamp);
        assert!(
            ended
                .unwrap_err()
                .to_string()
                .contains("overflow in smartcore")
        );
        let near = fit(
            "smartcore-k-nearest-neighbours",
            &[],
            &train(&x, &y, 2),
            &terms,
        );
        assert!(near.model.scores(&far).is_err());
    }
}
