//! Random forest of smartcore 0.7.0, as it is: hard votes.
//!
//! Trees on bootstrap samples, each split among floor(sqrt(d)) features drawn anew, majority vote.
//!
//! # When it helps, when it hurts
//! As the forest of a widely used crate: a strong vote on tabular data. It hurts under imbalance since it
//! exposes neither probabilities nor trees, so that no threshold can be moved, and takes no weights;
//! resampling is the only correction that acts on it.
//!
//! # Formula
//! ```text
//! vote(x) = argmax_k (number of trees that vote for k),  the lowest class on a tie
//! ```
//!
//! # Cost
//! Every node of every tree walks over ALL training rows: O(trees n sqrt(d)) a node, so quadratic in n on
//! noisy data: 8,000 rows of 10 features take 8 s, 20,000 some 50 s. Each waiting node holds a mask
//! of n words. Hence the size limit of 20,000 rows.
//!
//! # Differences
//! From Breiman's forest and scikit-learn's: the bootstrap is drawn within each class (every tree sees the
//! classes at exactly their shares), scikit-learn averages probabilities where this takes votes of
//! whole trees. The seed is drawn from the stage's stream, so the fit is reproducible.
//!
//! # Errors
//! Features that are not finite, weights or margins (not applicable), and whatever the library
//! reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "smartcore-random-forest").unwrap();
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
//! smartcore 0.7.0, `ensemble/random_forest_classifier.rs`. Breiman (2001), Random forests, Machine
//! Learning 45(1).

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Params, Range, ScoreKind,
    StageContext, StageError, StageResult, Train, Workload, parameters,
};

use ::smartcore::ensemble::random_forest_classifier::{
    RandomForestClassifier, RandomForestClassifierParameters,
};
use rand::Rng as _;

use super::smartcore_decision_tree::{Impurity, max_level};
use crate::shared::task::Task;
use crate::smartcore::{LIBRARY, Voter, dense, failed};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<SmartcoreRandomForest>(
    "smartcore-random-forest",
    "random forest of smartcore; hard votes",
    "smartcore 0.7.0; Breiman 2001, Machine Learning 45(1)",
    LearnerCaps {
        scores: ScoreKind::Vote,
        max_rows: Some(20_000),
        remark: "votes only; bootstraps within each class; quadratic in the rows",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let (n, d, k) = (
        work.n_train as f64,
        work.n_features as f64,
        work.n_classes as f64,
    );
    let tried = params
        .get("features")
        .map_or(d.sqrt(), |_| params.whole("features") as f64);
    let tree = n * n.sqrt() * tried.powf(0.8) * k.powf(0.4) * 1.07e-8;
    1e-5 + params.whole("trees") as f64 * (tree + work.n_score as f64 * k.sqrt() * 4.3e-8)
}

parameters! {
    /// Checked parameters.
    pub struct SmartcoreRandomForest {
        /// trees
        trees: usize = 100, in Range::new(1.0, true, 65535.0, true);
        /// impurity that a split lowers
        criterion: Impurity = "gini";
        /// levels below the root; left out: until leaves are pure
        max_depth: usize, in Range::new(1.0, true, 65534.0, true);
        /// features tried a split; left out: floor(sqrt(d))
        features: usize, in Range::AT_LEAST_ONE;
        /// least rows of a leaf
        min_samples_leaf: usize = 1, in Range::AT_LEAST_ONE;
        /// least rows of a node that is split
        min_samples_split: usize = 2, in Range::new(2.0, true, f64::INFINITY, false);
    }
}

impl Learner for SmartcoreRandomForest {
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
        if let Some(asked) = self.features
            && asked > task.n_features()
        {
            return Err(StageError::Failed(format!(
                "`features` = {asked} of {} features; leave it out for their square root",
                task.n_features()
            )));
        }
        let parameters = RandomForestClassifierParameters {
            criterion: self.criterion.split(),
            max_depth: max_level(self.max_depth),
            min_samples_leaf: self.min_samples_leaf,
            min_samples_split: self.min_samples_split,
            n_trees: u16::try_from(self.trees).unwrap_or(u16::MAX),
            m: self.features,
            keep_samples: false,
            seed: context.stream.next_u64(),
        };
        let forest = RandomForestClassifier::fit(&dense(&task.x)?, &task.y, parameters)
            .map_err(|e| failed(&e))?;
        Ok(Box::new(Voter::new(forest, &task)))
    }
}
