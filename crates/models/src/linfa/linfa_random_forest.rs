//! Random forest of linfa 0.8.1, its votes counted here: not reproducible.
//!
//! Trees on bootstrap samples of the rows and of the columns. The library's own vote breaks ties by the order of
//! a hash map; its trees are public, so their votes are counted here and give shares.
//!
//! # When it helps, when it hurts
//! As the forest of a widely used crate. It hurts beside `random-forest`: features are drawn once a tree, with
//! replacement, so that a tree may never see the one that matters, and weights would be dropped without a word.
//!
//! # Formula
//! ```text
//! p_k(x) = share of the trees that vote for k
//! ```
//! A class without a vote has p = 0 and log-score negative infinity.
//!
//! # Cost
//! `trees` times that of `linfa-decision-tree`: O(trees n^2 d) on noisy data. Hence the size limit
//! of 2,000 rows.
//!
//! # Differences
//! From Breiman's forest and scikit-learn's: features are drawn once a tree, not once a split, and with
//! replacement; votes of whole trees, not averaged shares. The library's own default is one tree. The
//! seed is drawn from the stage's stream, but the trees themselves are not reproducible (see `linfa-decision-tree`).
//!
//! # Errors
//! Features that are not finite, weights or margins (not applicable), a panic inside the library, and
//! whatever it reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "linfa-random-forest").unwrap();
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
//! linfa-ensemble 0.8.1, `algorithm.rs`. Breiman (2001), Random forests, Machine Learning 45(1).

use ::linfa::traits::{Fit as _, PredictInplace as _};
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageResult, Train, Workload, parameters,
};

use linfa_ensemble::{EnsembleLearnerParams, RandomForest};
use ndarray::{Array1, Axis};
use ndarray_rand::rand::{SeedableRng as _, rngs::SmallRng};
use rand::Rng as _;

use super::linfa_decision_tree::{DEEPEST, Impurity, Least};
use crate::linfa::{LIBRARY, caught, dataset, failed, owned_records};
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<LinfaRandomForest>(
    "linfa-random-forest",
    "random forest of linfa, its votes counted here; not reproducible",
    "linfa-ensemble 0.8.1; Breiman 2001, Machine Learning 45(1)",
    LearnerCaps {
        deterministic: false,
        max_rows: Some(2_000),
        remark: "features drawn once a tree, with replacement; not reproducible: keep it out of gated sweeps",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let of_one = n * d * (0.06 * n * 1.5e-9 + n.max(2.0).ln() * 1.5e-7);
    1e-4 + params.whole("trees") as f64 * (of_one + work.n_score as f64 * 2e-7)
}

parameters! {
    /// Checked parameters.
    pub struct LinfaRandomForest {
        /// trees
        trees: usize = 100, in Range::new(1.0, true, 10_000.0, true);
        /// impurity that a split lowers
        criterion: Impurity = "gini";
        /// levels below the root
        max_depth: usize = 100, in Range::new(1.0, true, DEEPEST, true);
        /// rows of a tree, as a share of all, drawn with replacement
        bootstrap_proportion: f64 = 1.0, in Range::new(0.0, false, 1.0, true);
        /// columns of a tree, as a share of all, drawn with replacement
        feature_proportion: f64 = 1.0, in Range::new(0.0, false, 1.0, true);
        least: ..Least;
    }
}

impl Learner for LinfaRandomForest {
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
        let data = dataset(&task);
        let generator = SmallRng::seed_from_u64(context.stream.next_u64());
        let tree = self.least.tree(self.criterion, self.max_depth);
        let parameters = EnsembleLearnerParams::new_fixed_rng(tree, generator)
            .ensemble_size(self.trees)
            .bootstrap_proportion(self.bootstrap_proportion)
            .feature_proportion(self.feature_proportion);
        let forest: RandomForest<f64, usize> =
            caught(|| parameters.fit(&data))?.map_err(|e| failed(&e))?;
        Ok(Box::new(Model {
            forest,
            shape: task.shape(),
        }))
    }
}

struct Model {
    forest: RandomForest<f64, usize>,
    shape: Shape,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let trees = self.forest.models.len();
        f.debug_struct("Model")
            .field("trees", &trees)
            .finish_non_exhaustive()
    }
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let all = owned_records(x);
        let mut counts = Matrix::zeros(x.rows(), self.shape.n_classes);
        let mut found = Array1::zeros(x.rows());
        let trees = self.forest.models.iter().zip(&self.forest.model_features);
        for (tree, features) in trees {
            tree.predict_inplace(&all.select(Axis(1), features), &mut found);
            for (i, &vote) in found.iter().enumerate() {
                let class = self.shape.present[vote];
                counts.set(i, class, counts.at(i, class) + 1.0);
            }
        }
        Ok(Scores::probabilities(counts)?)
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, ParamValue};

    use crate::testing::{blobs, fit, train};

    #[test]
    fn scores_are_shares_of_the_trees() {
        let (x, y) = blobs(45, &[40, 25, 15], 3);
        let given = [("trees", ParamValue::Whole(7))];
        let data = train(&x, &y, 3);
        let scores = fit(
            "linfa-random-forest",
            &given,
            &data,
            &LossTerms::cross_entropy(3),
        )
        .scores(&x);
        let mut split = 0;
        for row in scores.log().iter_rows() {
            for s in row {
                let votes = s.exp() * 7.0;
                assert!((votes - votes.round()).abs() < 1e-12);
                split += usize::from(votes > 0.5 && votes < 6.5);
            }
        }
        assert!(split > 0, "the trees are all alike");
    }
}
