//! Extremely randomised trees: random cuts of few features at each split, averaged.
//!
//! Like a random forest, but every tree sees all rows, and a feature is cut at a value drawn between
//! its ends in the node; the best of the drawn cuts is taken.
//!
//! # When it helps, when it hurts
//! Where a random forest does, with less variance and more bias: often better on noisy and on smooth
//! problems, worse when few of many features matter. A rare class is in every tree with all its
//! rows. Without a bootstrap, class weights equal repeated rows exactly.
//!
//! # Formula
//! ```text
//! p(k | x) = 1/B sum_b share_k(leaf of x in tree b)
//! every split: of `features` features drawn without replacement (more, while all are constant), each
//! cut at u ~ U[least, largest value in the node], the one with the largest fall of impurity
//! ```
//!
//! # Parameters
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
//! From scikit-learn: beyond 255 distinct values of a feature a cut that falls inside a quantile bin
//! moves to the bin's upper end; up to 255 the cuts have the same law. `min_leaf` counts weighted
//! rows. The numbers of a seed are not scikit-learn's.
//!
//! # Errors
//! Features that are not finite, margins (not applicable), more than 2^32 rows, a passed deadline
//! (asked once a tree).
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "extra-trees").unwrap();
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
//! Geurts, Ernst, Wehenkel (2006), Extremely randomized trees, Machine Learning 63.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, ParamError, Params, Range,
    StageContext, StageResult, Train, Workload, parameters,
};

use crate::shared::footprint::Size;
use crate::shared::trees::forest::{Forest, Growth, forest_cost};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<ExtraTrees>(
    "extra-trees",
    "averaged trees with random cuts; weights act on splits and shares",
    "Geurts et al. 2006, Machine Learning 63",
    LearnerCaps::new("own", HONOURS, cost)
        .taking(|params, work| Size::of(work).forest(params, 0.35)),
);

fn cost(params: &Params, work: &Workload) -> f64 {
    forest_cost(params, work, 5e-8)
}

parameters! {
    /// Checked parameters.
    pub struct ExtraTrees {
        /// trees that are averaged
        trees: usize = 100, in Range::new(1.0, true, 1e6, true);
        /// features tried at each split; none: the square root of their number, rounded down
        features: usize, in Range::AT_LEAST_ONE;
        growth: ..Growth;
        /// whether every tree draws its rows, with replacement
        bootstrap: bool = false;
        /// whether rows are judged by the trees that did not draw them
        oob: bool = false;
    }
    check judged
}

fn judged(method: &ExtraTrees) -> Result<(), ParamError> {
    if method.oob && !method.bootstrap {
        return Err(ParamError {
            key: "oob".into(),
            problem: "every tree draws every row: there are none to judge".into(),
            hint: Some("add `bootstrap = true`".into()),
        });
    }
    Ok(())
}

impl ExtraTrees {
    fn forest(&self) -> Forest {
        Forest {
            growth: self.growth.clone(),
            trees: self.trees,
            features: self.features,
            bootstrap: self.bootstrap,
            oob: self.oob,
            native: false,
            at_random: true,
            honours: HONOURS,
        }
    }
}

impl Learner for ExtraTrees {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        self.forest().fit(train, terms, context)
    }

    fn member(&self) -> Option<Box<dyn Learner>> {
        self.forest().member()
    }
}
