//! Random forest: trees on bootstrap samples with few features tried at each split, averaged.
//!
//! Trees grow until leaves are pure unless limited; the scores are the mean of the leaf shares.
//!
//! # When it helps, when it hurts
//! A strong learner without tuning, hard to overfit. Its scores are means of nearly 0/1 answers, so
//! that a rare class seldom passes 1/2: thresholds and post-hoc adjustment move much, down to shares
//! of one tree in all. Under heavy class weights the rare rows are drawn into almost every tree (as by
//! over-bagging), which makes the trees alike and the rare class's votes confident.
//!
//! # Formula
//! ```text
//! p(k | x) = 1/B sum_b share_k(leaf of x in tree b)
//! tree b: W = round(sum of weights) rows drawn with replacement, each in proportion to its weight
//! every split: the best of `features` features drawn without replacement (more, while all are constant)
//! ```
//!
//! # Parameters
//!
//! With `native = true` nominal columns come as codes, and a split parts their levels into two sets: the
//! best cut in the order of G / (H + l2) or of a class's share, exact for boosting and for two classes; with
//! more classes the best of the orders by each class, a heuristic. Missing values go to the side of a
//! split where they gain more. A level that a node has no row of goes right. After a resampler, which
//! needs complete rows, missing values are the imputed ones.
//!
//! With `oob` the details hold `oob_balanced_error`, the balanced error of the original rows by the trees
//! that drew no copy of them and nothing made of them, and `oob_coverage`, the share of originals that have
//! such a tree: after over-sampling few are left, and without any there is no value.
//!
//! # Cost
//! O(n d log n) to bin, O(`trees` `features` n depth) to grow, O(`trees` depth) to score a row. Memory O(n d)
//! bytes and O(`trees` n K) numbers for the leaves.
//!
//! # Differences
//! From scikit-learn: features become at most 255 quantile bins; class weights act through the
//! bootstrap (there: a uniform bootstrap, whose rows keep their weight), so that a forest under whole
//! weights has the law of one on repeated rows; `min_leaf` counts rows as often as they were drawn.
//! The numbers of a seed are not scikit-learn's. Breiman's trees vote; these average shares.
//!
//! # Errors
//! Features that are not finite, margins (not applicable), more than 2^32 rows, a passed deadline
//! (asked once a tree).
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "random-forest").unwrap();
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
//! Breiman (2001), Random forests, Machine Learning 45. Chen, Liaw, Breiman (2004), Using random
//! forest to learn imbalanced data, UC Berkeley technical report 666.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Params, Range, StageContext,
    StageResult, Train, Workload, parameters,
};

use crate::shared::footprint::Size;
use crate::shared::trees::forest::{Forest, Growth, forest_cost};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<RandomForest>(
    "random-forest",
    "averaged bootstrap trees with few features a split; weights act on the bootstrap",
    "Breiman 2001, Machine Learning 45",
    LearnerCaps::new("own", HONOURS, cost)
        .taking(|params, work| Size::of(work).forest(params, 0.18)),
);

fn cost(params: &Params, work: &Workload) -> f64 {
    forest_cost(params, work, 2.6e-8)
}

parameters! {
    /// Checked parameters.
    pub struct RandomForest {
        /// trees that are averaged
        trees: usize = 100, in Range::new(1.0, true, 1e6, true);
        /// features tried at each split; none: the square root of their number, rounded down
        features: usize, in Range::AT_LEAST_ONE;
        growth: ..Growth;
        /// whether rows are judged by the trees that did not draw them
        oob: bool = false;
        /// whether nominal columns and missing values come as they are
        native: bool = false;
    }
}

impl RandomForest {
    fn forest(&self) -> Forest {
        Forest {
            growth: self.growth.clone(),
            trees: self.trees,
            features: self.features,
            bootstrap: true,
            oob: self.oob,
            native: self.native,
            at_random: false,
            honours: HONOURS,
        }
    }
}

impl Learner for RandomForest {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        self.forest().fit(train, terms, context)
    }

    fn takes_raw_rows(&self) -> bool {
        self.native
    }

    fn member(&self) -> Option<Box<dyn Learner>> {
        self.forest().member()
    }
}
