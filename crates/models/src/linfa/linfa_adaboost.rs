//! `AdaBoost` (SAMME) of linfa 0.8.1, its weighted votes counted here: not reproducible.
//!
//! Shallow trees, each on a sample of the rows drawn by the weights that the trees before it left; every
//! tree votes with a weight of its own. The library's own vote breaks ties by the order of a hash map;
//! its trees and weights are public, so the votes are counted here, ties to the lowest class.
//!
//! # When it helps, when it hurts
//! As the boosting of a widely used crate. It hurts under imbalance: where the first stump votes for
//! the majority, an error below (K - 1)/K counts as better than chance, and the weights of rare rows take many
//! rounds to grow. Votes are hard, so that only resampling acts on it.
//!
//! # Formula
//! ```text
//! e_t = weight of the rows that tree t gets wrong      a_t = learning_rate (log((1 - e_t) / e_t) + log(K - 1))
//! weights of wrong rows times exp(a_t)                 vote(x) = argmax_k sum of a_t over trees that say k
//! ```
//!
//! # Cost
//! `O(rounds max_depth n d log n)` to fit. The size limit of 20,000 rows is that of patience.
//!
//! # Differences
//! From scikit-learn's `AdaBoostClassifier`: rows are drawn by weight instead of weighted, so that a fit is
//! random; a perfect tree ends it and votes with 1e6. Where the first tree is no better than chance the
//! library gives an error; here the model then knows the class shares alone and is marked degenerate. The seed is
//! drawn from the stage's stream, but the trees themselves are not reproducible (see `linfa-decision-tree`).
//!
//! # Errors
//! Features that are not finite, weights or margins (not applicable), a panic inside the library, and
//! whatever else it reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "linfa-adaboost").unwrap();
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
//! linfa-ensemble 0.8.1, `adaboost.rs`. Freund and Schapire (1997), A decision-theoretic generalization of
//! on-line learning and an application to boosting, JCSS 55(1). Zhu, Zou, Rosset, Hastie (2009), Multi-class
//! `AdaBoost`, Statistics and Its Interface 2(3).

use ::linfa::traits::{Fit as _, PredictInplace as _};
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageResult, Train, Workload, parameters,
};

use ::linfa::error::Error;
use linfa_ensemble::{AdaBoost, AdaBoostParams};
use linfa_trees::DecisionTree;
use ndarray::Array1;
use ndarray_rand::rand::{SeedableRng as _, rngs::SmallRng};
use rand::Rng as _;

use super::linfa_decision_tree::{DEEPEST, Impurity, Least};
use crate::linfa::{LIBRARY, caught, dataset, failed, records};
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<LinfaAdaboost>(
    "linfa-adaboost",
    "AdaBoost (SAMME) of linfa by resampling; hard votes, not reproducible",
    "linfa-ensemble 0.8.1; Freund and Schapire 1997, JCSS 55(1)",
    LearnerCaps {
        scores: ScoreKind::Vote,
        deterministic: false,
        max_rows: Some(20_000),
        remark: "votes only; boosts by resampling; not reproducible: keep it out of gated sweeps",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let depth = params.whole("max_depth") as f64;
    let of_one = n * d * (4e-8 + depth.min(n.max(2.0).ln()) * 5e-8);
    1e-4 + params.whole("rounds") as f64 * (of_one + work.n_score as f64 * 2e-8)
}

parameters! {
    /// Checked parameters.
    pub struct LinfaAdaboost {
        /// trees at most
        rounds: usize = 50, in Range::new(1.0, true, 10_000.0, true);
        /// factor on every vote
        learning_rate: f64 = 1.0, in Range::new(0.0, false, 10.0, true);
        /// levels of a tree below the root
        max_depth: usize = 1, in Range::new(1.0, true, DEEPEST, true);
        /// impurity that a split lowers
        criterion: Impurity = "gini";
        least: ..Least;
    }
}

impl Learner for LinfaAdaboost {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.trivial(ScoreKind::Vote, context)? {
            return Ok(Box::new(constant));
        }
        let data = dataset(&task);
        let generator = SmallRng::seed_from_u64(context.stream.next_u64());
        let tree = self.least.tree(self.criterion, self.max_depth);
        let parameters = AdaBoostParams::new_fixed_rng(tree, generator)
            .n_estimators(self.rounds)
            .learning_rate(self.learning_rate);
        let fitted = match caught(|| parameters.fit(&data))? {
            Ok(fitted) => fitted,
            Err(Error::NotConverged(text)) if text.contains("worse than random") => {
                let why = "the first tree is no better than chance";
                return Ok(Box::new(task.shares_only(why, ScoreKind::Vote, context)?));
            }
            Err(error) => return Err(failed(&error)),
        };
        context.detail("trees", fitted.n_estimators() as f64);
        Ok(Box::new(Model {
            fitted,
            shape: task.shape(),
        }))
    }
}

#[derive(Debug)]
struct Model {
    fitted: AdaBoost<DecisionTree<f64, usize>, usize>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let m = self.shape.present.len();
        let mut sums = Matrix::zeros(x.rows(), m);
        let mut found = Array1::zeros(x.rows());
        for (tree, weight) in self.fitted.models.iter().zip(&self.fitted.model_weights) {
            tree.predict_inplace(&records(x), &mut found);
            for (i, &vote) in found.iter().enumerate() {
                sums.set(i, vote, sums.at(i, vote) + weight);
            }
        }
        let winner = |i: usize| {
            let row = sums.row(i);
            (1..m).fold(0, |best, k| if row[k] > row[best] { k } else { best })
        };
        self.shape.votes("linfa", (0..x.rows()).map(winner))
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{fit, train};

    #[test]
    fn many_stumps_say_what_one_cannot() {
        // The middle of a line against its ends.
        let x = Matrix::from_fn(90, 1, |i, _| i as f64 / 10.0);
        let y: Vec<u32> = (0..90).map(|i| u32::from((30..60).contains(&i))).collect();
        let wrong = |rounds: i64| {
            let given = [("rounds", ParamValue::Whole(rounds))];
            let data = train(&x, &y, 2);
            let scores = fit(
                "linfa-adaboost",
                &given,
                &data,
                &LossTerms::cross_entropy(2),
            )
            .scores(&x);
            let decided = scores
                .argmax(&[0.0; 2], &counterweight_core::Ties::default())
                .unwrap();
            decided
                .as_slice()
                .iter()
                .zip(&y)
                .filter(|(a, b)| a != b)
                .count()
        };
        assert!(wrong(1) >= 25);
        assert!(wrong(100) <= 10);
    }
}
