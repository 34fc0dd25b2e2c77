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
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `criterion` | `gini` | `gini`, `entropy`, `error` | impurity that a split lowers |
//! | `max_depth` | none | [1, 65534] | levels below the root; left out: until pure |
//! | `min_samples_leaf` | 1 | >= 1 | least rows of a leaf |
//! | `min_samples_split` | 2 | >= 2 | least rows of a node that is split |
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
//! assert_eq!(scores.argmax(&[0.0, 0.0]).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! smartcore 0.7.0, `tree/decision_tree_classifier.rs`. Breiman, Friedman, Olshen, Stone (1984),
//! Classification and Regression Trees.

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Footprint, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms,
    ParamError, ParamKind, ParamSpec, Params, Range, ScoreKind, StageContext, StageResult, Train,
    Workload,
};

use ::smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters, SplitCriterion,
};

use crate::shared::task::Task;
use crate::smartcore::{LIBRARY, Voter, dense, failed};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(super) const CRITERION: ParamSpec = ParamSpec::new(
    "criterion",
    ParamKind::Choice(&["gini", "entropy", "error"]),
    Preset::Text("gini"),
    "impurity that a split lowers",
);
pub(super) const MAX_DEPTH: ParamSpec = ParamSpec::optional(
    "max_depth",
    ParamKind::Whole(Range::new(1.0, true, 65534.0, true)),
    "levels below the root; left out: until leaves are pure",
);
pub(super) const MIN_SAMPLES_LEAF: ParamSpec = ParamSpec::new(
    "min_samples_leaf",
    ParamKind::Whole(Range::AT_LEAST_ONE),
    Preset::Whole(1),
    "least rows of a leaf",
);
pub(super) const MIN_SAMPLES_SPLIT: ParamSpec = ParamSpec::new(
    "min_samples_split",
    ParamKind::Whole(Range::new(2.0, true, f64::INFINITY, false)),
    Preset::Whole(2),
    "least rows of a node that is split",
);

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "smartcore-decision-tree",
        summary: "decision tree of smartcore; hard votes",
        reference: "smartcore 0.7.0; Breiman et al. 1984",
        params: &[CRITERION, MAX_DEPTH, MIN_SAMPLES_LEAF, MIN_SAMPLES_SPLIT],
    },
    caps: LearnerCaps {
        library: LIBRARY,
        honours: HONOURS,
        scores: ScoreKind::Vote,
        multiclass: true,
        deterministic: true,
        max_rows: Some(30_000),
        cost,
        footprint: |_, _| Footprint::NONE,
        remark: "votes only; may depend on the order of rows with tied values; quadratic in the rows",
    },
    build: |params| Ok(Box::new(SmartcoreDecisionTree::try_from(params)?)),
};

fn cost(_: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    // A node looks at all rows, and the more rows the more nodes, if fewer than one for one.
    1e-5 + n * n.sqrt() * d * 1.07e-8 + work.n_score as f64 * 1e-7
}

/// Checked parameters.
#[derive(Clone, Debug)]
pub struct SmartcoreDecisionTree {
    parameters: DecisionTreeClassifierParameters,
}

/// The parameters that the tree and the forest have in common.
pub(super) fn criterion(params: &Params) -> SplitCriterion {
    match params.text("criterion") {
        "entropy" => SplitCriterion::Entropy,
        "error" => SplitCriterion::ClassificationError,
        _ => SplitCriterion::Gini,
    }
}

/// `max_depth` in the library's counting, in which the root is at level 1.
pub(super) fn max_level(params: &Params) -> Option<u16> {
    params
        .get("max_depth")
        .and_then(|_| u16::try_from(params.whole("max_depth") + 1).ok())
}

impl TryFrom<&Params> for SmartcoreDecisionTree {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            parameters: DecisionTreeClassifierParameters {
                criterion: criterion(params),
                max_depth: max_level(params),
                min_samples_leaf: params.whole("min_samples_leaf"),
                min_samples_split: params.whole("min_samples_split"),
                // Only a subset of features would be drawn, and the tree takes them all.
                seed: Some(0),
            },
        })
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
        let tree = DecisionTreeClassifier::fit(&dense(&task.x)?, &task.y, self.parameters.clone())
            .map_err(|e| failed(&e))?;
        context.detail("depth", f64::from(tree.depth()));
        Ok(Box::new(Voter::new(tree, &task)))
    }
}
