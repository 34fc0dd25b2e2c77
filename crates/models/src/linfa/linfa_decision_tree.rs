//! Decision tree of linfa 0.8.1, as it is: hard votes, and not reproducible.
//!
//! CART with binary splits at midpoints and pruning of splits whose sides vote alike.
//!
//! # When it helps, when it hurts
//! As the tree of a widely used crate that takes weights. It hurts wherever a number has to come out twice:
//! ties and rounding are settled by the order of a hash map with a random seed.
//!
//! # Formula
//! ```text
//! a split minimises  share of weight left * criterion(left) + share right * criterion(right)
//! gini = 1 - sum_k q_k^2    entropy = - sum_k q_k log2 q_k    q: shares of weight, single precision
//! ```
//! The vote of a leaf is its heaviest class, any of them on a tie.
//!
//! # Cost
//! Every node walks over ALL training rows of every feature with hash maps: O(n d) a node, so O(n^2 d) on
//! noisy data. Hence the size limit of 5,000 rows.
//!
//! # Differences
//! From scikit-learn: classes only, no shares (so the scores are votes); values within 1e-5 of each other are
//! never split; a row that equals a split value went left in training and goes right in prediction; a cut may lie
//! beside a row that is not in the node. The library's default has no limit of depth; it recurses, and a tree as
//! deep as the rows are many would overflow the stack and ABORT, so a limit of at most 200 stands here.
//! With two classes and no ties trees agree from fit to fit; from three classes on, sums in single
//! precision in random order decide between splits. Weights act on leaves as they are given, so tiny explicit
//! weights meet `min_weight_leaf`.
//!
//! # Errors
//! Features that are not finite, margins (not applicable), a panic inside the library, and whatever it
//! reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "linfa-decision-tree").unwrap();
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
//! linfa-trees 0.8.1, `decision_trees/algorithm.rs`. Breiman, Friedman, Olshen, Stone (1984),
//! Classification and Regression Trees.

use ::linfa::traits::{Fit as _, PredictInplace as _};
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, parameters, words,
};

use linfa_trees::{DecisionTree, DecisionTreeParams, SplitQuality};
use ndarray::Array1;

use crate::linfa::{LIBRARY, caught, dataset, failed, records};
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    ..LossNeeds::NONE
};

/// Deepest tree that is asked for: it fits and votes by recursion, on threads of 2 MiB.
pub(super) const DEEPEST: f64 = 200.0;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<LinfaDecisionTree>(
    "linfa-decision-tree",
    "decision tree of linfa; hard votes, not reproducible",
    "linfa-trees 0.8.1; Breiman et al. 1984",
    LearnerCaps {
        scores: ScoreKind::Vote,
        deterministic: false,
        max_rows: Some(5_000),
        remark: "votes only; ties and sums follow the order of a hash map: keep it out of gated sweeps",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    // A tenth of the rows end up in nodes of their own; a node pays for its own rows alone, and
    // glances at the others.
    1e-4 + n * d * (0.1 * n * 1.5e-9 + n.max(2.0).ln() * 1.5e-7) + work.n_score as f64 * 2e-7
}

words! {
    /// How impure a node is.
    pub enum Impurity {
        /// 1 - sum of squared shares.
        Gini = "gini",
        /// -(sum of share times log share).
        Entropy = "entropy",
    }
}

parameters! {
    /// What stops a tree.
    #[expect(clippy::struct_field_names, reason = "the names of the parameters")]
    pub struct Least {
        /// least drop of the impurity of a node that is split
        min_impurity_decrease: f64 = 1e-5, in Range::new(1e-9, true, f64::INFINITY, false);
        /// least weight of a leaf
        min_weight_leaf: f64 = 1.0, in Range::new(0.01, true, f64::INFINITY, false);
        /// least rows of a node that is split
        min_weight_split: f64 = 2.0, in Range::new(2.0, true, f64::INFINITY, false);
    }
}

impl Least {
    /// The parameters that the library takes of a tree.
    pub(super) fn tree(&self, criterion: Impurity, depth: usize) -> DecisionTreeParams<f64, usize> {
        // The library takes these in single precision.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "limits of weight need no more digits than the library keeps"
        )]
        let (leaf, split) = (self.min_weight_leaf as f32, self.min_weight_split as f32);
        DecisionTree::params()
            .split_quality(match criterion {
                Impurity::Entropy => SplitQuality::Entropy,
                Impurity::Gini => SplitQuality::Gini,
            })
            .max_depth(Some(depth))
            .min_impurity_decrease(self.min_impurity_decrease)
            .min_weight_leaf(leaf)
            .min_weight_split(split)
    }
}

parameters! {
    /// Checked parameters.
    pub struct LinfaDecisionTree {
        /// impurity that a split lowers
        criterion: Impurity = "gini";
        /// levels below the root
        max_depth: usize = 100, in Range::new(1.0, true, DEEPEST, true);
        least: ..Least;
    }
}

impl Learner for LinfaDecisionTree {
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
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the library keeps weights in single precision"
        )]
        let weights: Array1<f32> = task
            .y
            .iter()
            .map(|&class| task.weights[class as usize] as f32)
            .collect();
        if weights.iter().any(|w| !w.is_normal()) || !weights.sum().is_finite() {
            return Err(StageError::Failed(
                "class weights are beyond the single precision of linfa's trees".into(),
            ));
        }
        let data = dataset(&task).with_weights(weights);
        let tree = caught(|| self.least.tree(self.criterion, self.max_depth).fit(&data))?
            .map_err(|e| failed(&e))?;
        context.detail("depth", tree.max_depth() as f64);
        context.detail("leaves", tree.num_leaves() as f64);
        Ok(Box::new(Model {
            tree,
            shape: task.shape(),
        }))
    }
}

#[derive(Debug)]
struct Model {
    tree: DecisionTree<f64, usize>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut found = Array1::zeros(x.rows());
        self.tree.predict_inplace(&records(x), &mut found);
        self.shape.votes("linfa", found.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    use crate::testing::{blobs, fit, train, weighted};

    #[test]
    fn the_deepest_tree_fits_on_a_small_stack() {
        // Labels that alternate along a line make the greedy tree a chain.
        let x = Matrix::from_fn(1_200, 1, |i, _| i as f64);
        let y: Vec<u32> = (0..1_200).map(|i| u32::from(i % 2 == 0)).collect();
        let work = move || {
            let given = [("max_depth", ParamValue::Whole(200))];
            let data = train(&x, &y, 2);
            let fit = fit(
                "linfa-decision-tree",
                &given,
                &data,
                &LossTerms::cross_entropy(2),
            );
            fit.scores(&x);
            fit.details["depth"]
        };
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        let depth = thread.spawn(work).unwrap().join().unwrap();
        assert!(depth > 100.0, "the chain is only {depth} deep");
    }

    #[test]
    fn weights_move_the_vote_of_a_leaf() {
        let (x, y) = blobs(44, &[30, 10], 2);
        let given = [("min_weight_leaf", ParamValue::Real(1e6))];
        let share = |terms: &LossTerms| {
            let scores = fit("linfa-decision-tree", &given, &train(&x, &y, 2), terms).scores(&x);
            scores
                .log()
                .column(1)
                .iter()
                .filter(|s| s.is_finite())
                .count()
        };
        assert_eq!(share(&LossTerms::cross_entropy(2)), 0);
        assert_eq!(share(&weighted(&[1.0, 5.0])), 40);
    }
}
