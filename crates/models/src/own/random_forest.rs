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
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `trees` | 100 | [1, 1000000] | trees that are averaged |
//! | `features` | none | [1, inf) | features tried at each split; none: sqrt(d), rounded down |
//! | `criterion` | gini | gini, entropy | impurity that splits reduce |
//! | `max_depth` | none | [1, inf) | most splits from the root to a leaf |
//! | `min_leaf` | 1 | [1, inf) | least weighted rows of a leaf; 1 sets no limit |
//! | `min_decrease` | 0 | [0, inf) | least W(t)/W times the fall of impurity by a split; 0 sets no limit |
//! | `oob` | false | true, false | whether rows are judged by the trees that did not draw them |
//! | `native` | false | true, false | whether nominal columns and missing values come as they are |
//!
//! With `native = true` nominal columns come as codes, and a split parts their levels into two sets: the
//! best cut in the order of G / (H + l2) or of a class's share, exact for boosting and for two classes; with
//! more classes the best of the orders by each class, a heuristic. Missing values go to the side of a
//! split where they gain more. A level that a node has no row of goes right. After a resampler, which
//! needs complete rows, missing values are the imputed ones.
//!
//! With `oob` the details hold `oob_balanced_error`, the balanced error of the training rows by the trees
//! that did not draw them, and `oob_coverage`, the share of rows that some tree did not draw.
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
//! assert_eq!(scores.argmax(&[0.0, 0.0]).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Breiman (2001), Random forests, Machine Learning 45. Chen, Liaw, Breiman (2004), Using random
//! forest to learn imbalanced data, UC Berkeley technical report 666.

use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, ParamError,
    Params, ScoreKind, StageContext, StageResult, Train, Workload,
};

use crate::shared::footprint::Size;
use crate::shared::trees::forest::{
    CRITERION, FEATURES, Forest, Growth, MAX_DEPTH, MIN_DECREASE, MIN_LEAF, NATIVE, OOB, TREES,
    forest_cost, optional,
};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "random-forest",
        summary: "averaged bootstrap trees with few features a split; weights act on the bootstrap",
        reference: "Breiman 2001, Machine Learning 45",
        params: &[
            TREES,
            FEATURES,
            CRITERION,
            MAX_DEPTH,
            MIN_LEAF,
            MIN_DECREASE,
            OOB,
            NATIVE,
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
        footprint: |params, work| Size::of(work).forest(params, 0.18),
        remark: "",
    },
    build: |params| Ok(Box::new(RandomForest::try_from(params)?)),
};

fn cost(params: &Params, work: &Workload) -> f64 {
    forest_cost(params, work, 2.6e-8)
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomForest(Forest);

impl TryFrom<&Params> for RandomForest {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self(Forest {
            growth: Growth::new(params),
            trees: params.whole("trees"),
            features: optional(params, "features"),
            bootstrap: true,
            oob: params.flag("oob"),
            native: params.flag("native"),
            at_random: false,
        }))
    }
}

impl Learner for RandomForest {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        self.0.fit((train, terms, HONOURS), context)
    }

    fn takes_raw_rows(&self) -> bool {
        self.0.native
    }

    fn member(&self) -> Option<Box<dyn Learner>> {
        Some(Box::new(Self(self.0.member())))
    }
}
