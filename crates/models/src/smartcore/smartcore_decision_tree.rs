//! Decision tree of smartcore 0.7.0, as it is: hard votes.
//!
//! CART with binary splits at midpoints, grown until leaves are pure unless limited.
//!
//! # When it helps, when it hurts
//! As the plain tree of a widely used crate. It hurts under imbalance like every fully grown tree: its
//! votes are fixed points of every finite offset, so that only resampling acts on it.
//!
//! # Formula
//! ```text
//! a split lowers  criterion(node) - sum over children of (share of rows) criterion(child)  the most
//! gini = 1 - sum_k q_k^2    entropy = - sum_k q_k log2 q_k    error = 1 - max_k q_k
//! ```
//! The vote of a leaf is its most frequent class, the lowest on a tie.
//!
//! # Cost
//! Every node walks over ALL training rows of every feature: O(n d) a node, so O(n^2 d) on noisy data,
//! and each waiting node holds a mask of n words: gigabytes at 50,000 noisy rows. Hence the size limit
//! of 30,000 rows.
//!
//! # Differences
//! From scikit-learn: `predict_proba` is one-hot (so the scores are votes), no sample weights, no
//! feature shuffling; a cut is tried only where the label changes along the sorted feature, judged
//! on the last row of equal values, so that a good cut between tied values can be missed and
//! the tree may depend on the order of the rows.
//!
//! # Errors
//! Features that are not finite, weights or margins (not applicable), and whatever the library
//! reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "smartcore-decision-tree").unwrap();
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
//! smartcore 0.7.0, `tree/decision_tree_classifier.rs`. Breiman, Friedman, Olshen, Stone (1984),
//! Classification and Regression Trees.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Params, Range, ScoreKind,
    StageContext, StageResult, Train, Workload, parameters, words,
};

use ::smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters, SplitCriterion,
};

use crate::shared::task::Task;
use crate::smartcore::{LIBRARY, Voter, dense, failed};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<SmartcoreDecisionTree>(
    "smartcore-decision-tree",
    "decision tree of smartcore; hard votes",
    "smartcore 0.7.0; Breiman et al. 1984",
    LearnerCaps {
        scores: ScoreKind::Vote,
        max_rows: Some(30_000),
        remark: "votes only; may depend on the order of rows with tied values; quadratic in the rows",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    // A node looks at all rows, and the more rows the more nodes, if fewer than one for one.
    1e-5 + n * n.sqrt() * d * 1.07e-8 + work.n_score as f64 * 1e-7
}

words! {
    /// How impure a node is.
    pub enum Impurity {
        /// 1 - sum of squared shares.
        Gini = "gini",
        /// -(sum of share times log share).
        Entropy = "entropy",
        /// 1 - the largest share.
        Error = "error",
    }
}

impl Impurity {
    /// As the library calls it.
    pub(super) fn split(self) -> SplitCriterion {
        match self {
            Self::Gini => SplitCriterion::Gini,
            Self::Entropy => SplitCriterion::Entropy,
            Self::Error => SplitCriterion::ClassificationError,
        }
    }
}

/// `max_depth` in the library's counting, in which the root is at level 1.
pub(super) fn max_level(max_depth: Option<usize>) -> Option<u16> {
    max_depth.and_then(|depth| u16::try_from(depth + 1).ok())
}

parameters! {
    /// Checked parameters.
    pub struct SmartcoreDecisionTree {
        /// impurity that a split lowers
        criterion: Impurity = "gini";
        /// levels below the root; left out: until leaves are pure
        max_depth: usize, in Range::new(1.0, true, 65534.0, true);
        /// least rows of a leaf
        min_samples_leaf: usize = 1, in Range::AT_LEAST_ONE;
        /// least rows of a node that is split
        min_samples_split: usize = 2, in Range::new(2.0, true, f64::INFINITY, false);
    }
}

impl Learner for SmartcoreDecisionTree {
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
        let parameters = DecisionTreeClassifierParameters {
            criterion: self.criterion.split(),
            max_depth: max_level(self.max_depth),
            min_samples_leaf: self.min_samples_leaf,
            min_samples_split: self.min_samples_split,
            // Only a subset of features would be drawn, and the tree takes them all.
            seed: Some(0),
        };
        let tree = DecisionTreeClassifier::fit(&dense(&task.x)?, &task.y, parameters)
            .map_err(|e| failed(&e))?;
        context.detail("depth", f64::from(tree.depth()));
        Ok(Box::new(Voter::new(tree, &task)))
    }
}
