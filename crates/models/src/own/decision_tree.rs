//! Decision tree: splits chosen greedily by impurity, on histograms.
//!
//! Grown until leaves are pure unless limited, then pruned by cost-complexity if asked. The scores
//! are the weighted class shares of the leaf.
//!
//! # When it helps, when it hurts
//! As a readable rule, and as the learner inside many published ensembles. Fully grown it overfits,
//! and its scores are 0 or 1, which no finite offset moves: post-hoc adjustment and thresholds do
//! nothing to it unless `max_depth`, `min_leaf` or `prune` leave impure leaves. Class weights move the
//! choice of splits, the pruning and the shares.
//!
//! # Formula
//! ```text
//! gini(t) = 1 - sum_k p_k^2     entropy(t) = - sum_k p_k log p_k     p_k = W_k / W, weights of rows
//! best split = largest  W(t) i(t) - W(left) i(left) - W(right) i(right)
//! prune: the subtree T_t goes when  (R(t) - R(T_t)) / (|leaves of T_t| - 1) <= prune,   R(t) = W(t) i(t) / W
//! ```
//! The weakest subtree goes first, until none is left. A split that gains nothing is still made while
//! a leaf is impure, since the next may gain (an exclusive or).
//!
//! # Parameters
//!
//! With `native = true` nominal columns come as codes, and a split parts their levels into two sets: the
//! best cut in the order of G / (H + l2) or of a class's share, exact for boosting and for two classes; with
//! more classes the best of the orders by each class, a heuristic. Missing values go to the side of a
//! split where they gain more. A level that a node has no row of goes right. After a resampler, which
//! needs complete rows, missing values are the imputed ones.
//!
//! # Cost
//! O(n d log n) to bin, about O(n d depth) to grow (each split counts the smaller side only), plus
//! O(nodes^2) to prune. O(depth) to score a row. Memory O(n d) bytes and O(depth d 255 K) cells.
//!
//! # Differences
//! From scikit-learn: features become at most 255 quantile bins. Up to 255 distinct values a feature
//! the candidate splits are the same, and so are the thresholds, half way between neighbouring
//! values of the node. Entropy is in nats (there: bits), and so are `prune` (there: `ccp_alpha`) and `min_decrease` (there:
//! `min_impurity_decrease`) under it. Ties go to the
//! first feature and the lowest threshold (there: to a random one). `min_leaf` counts weighted rows,
//! so that whole weights equal repeated rows.
//!
//! # Errors
//! Features that are not finite, margins (not applicable), more than 2^32 rows.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "decision-tree").unwrap();
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
//! Breiman, Friedman, Olshen, Stone (1984), Classification and Regression Trees, Wadsworth (pruning in
//! chapter 3). Hastie, Tibshirani, Friedman (2009), The Elements of Statistical Learning, 9.2.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Note, Params, Range,
    ScoreKind, StageContext, StageError, StageResult, Train, Workload, parameters,
};

use crate::shared::footprint::Size;
use crate::shared::task::Task;
use crate::shared::trees::classes::{Classes, Criterion};
use crate::shared::trees::forest::{Average, Growth, binned, row_weights};
use crate::shared::trees::grow::{Grown, Room, grow};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<DecisionTree>(
    "decision-tree",
    "one histogram tree by Gini or entropy; weights act on splits and shares",
    "Breiman et al. 1984",
    LearnerCaps::new("own", HONOURS, cost).taking(|params, work| {
        let size = Size::of(work);
        let fit = size.n * (68.0 + 4.6 * size.d) + 1.5e4 * size.d * size.k;
        size.footprint(size.tree(params, 0.2), fit)
    }),
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    1e-5 + n * d * (8e-8 + (n + 2.0).log2() * 1.2e-8) + work.n_score as f64 * 5e-8
}

parameters! {
    /// Checked parameters.
    pub struct DecisionTree {
        growth: ..Growth;
        /// impurity per leaf that a subtree has to be worth
        prune: f64 = 0.0, in Range::NON_NEGATIVE;
        /// whether nominal columns and missing values come as they are
        native: bool = false;
    }
}

impl Learner for DecisionTree {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        self.grow(train, terms, None, context)
    }

    fn takes_raw_rows(&self) -> bool {
        self.native
    }

    fn member(&self) -> Option<Box<dyn Learner>> {
        Some(Box::new(self.clone()))
    }

    fn weigh(&self, weights: &[f64]) -> Option<Box<dyn Learner>> {
        Some(Box::new(Weighed {
            tree: self.clone(),
            weights: weights.to_vec(),
        }))
    }
}

/// A tree with a weight for each row that it will be given.
#[derive(Clone, Debug)]
struct Weighed {
    tree: DecisionTree,
    weights: Vec<f64>,
}

impl Learner for Weighed {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let (n, given) = (train.samples().n_rows(), self.weights.len());
        let sound = |w: &f64| w.is_finite() && *w >= 0.0;
        if given != n || !self.weights.iter().all(sound) {
            return Err(StageError::Failed(format!(
                "{given} row weights for {n} training rows; each has to be a number >= 0"
            )));
        }
        self.tree.grow(train, terms, Some(&self.weights), context)
    }
}

impl DecisionTree {
    /// Grows the tree; `by_row` multiplies the weights of the loss. A row of weight 0 is no row.
    fn grow(
        &self,
        train: &Train,
        terms: &LossTerms,
        by_row: Option<&[f64]>,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::checked(train, terms, HONOURS, self.native)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        context.deadline.check()?;
        let data = binned(&task, train)?;
        let mut weights = row_weights(&task);
        if let Some(by_row) = by_row {
            // Rows of classes that take no part are left out of the task.
            let taking_part = train
                .samples()
                .y()
                .ids()
                .iter()
                .zip(by_row)
                .filter(|(class, _)| task.present.contains(&(**class as usize)));
            for (weight, (_, own)) in weights.iter_mut().zip(taking_part) {
                *weight *= own;
            }
        }
        let n_present = task.n_present();
        let mut target = Classes::new(&task.y, &weights, n_present, self.growth.impurity());
        let mut rows: Vec<u32> = (0..)
            .zip(&weights)
            .filter_map(|(row, weight)| (*weight > 0.0).then_some(row))
            .collect();
        if rows.is_empty() {
            return Err(StageError::Failed("every training row has weight 0".into()));
        }
        let columns = data.splittable();
        let limits = self.growth.limits(weights.iter().sum());
        let how = (&limits, columns.as_slice());
        let mut grown = grow(&data, &mut rows, &mut target, how, &mut Room::default());
        if self.prune > 0.0 {
            prune(&mut grown, (self.growth.impurity(), n_present), self.prune);
            grown = grown.compact();
        }
        let tree = grown.tree(&target);
        let leaves = tree.n_leaves();
        if leaves == 1 {
            context.note(Note::Degenerate(
                "the tree has no split; the model knows the class shares alone".into(),
            ));
        }
        context.detail("leaves", leaves as f64);
        Ok(Box::new(Average {
            trees: vec![tree],
            shape: task.shape(),
        }))
    }
}

/// Turns subtrees into leaves, the weakest first, while that costs at most `alpha` a leaf. Their nodes
/// stay in the list, where no row comes to them.
fn prune(grown: &mut Grown, (criterion, width): (Criterion, usize), alpha: f64) {
    let cells: Vec<&[f64]> = grown.totals.chunks_exact(width).collect();
    let whole: f64 = cells[0].iter().sum();
    // The score is minus the impurity up to a part that adds up over leaves.
    let cost: Vec<f64> = cells
        .iter()
        .map(|cell| -criterion.score(cell) / whole)
        .collect();
    let slack = 1e-12;
    loop {
        // Children stand after their parents: backwards, subtrees are known before they are asked.
        let mut below = cost.clone();
        let mut count = vec![1_usize; cost.len()];
        let mut weakest: Option<(f64, usize)> = None;
        for at in (0..cost.len()).rev() {
            let left = grown.nodes[at].left as usize;
            if left == 0 {
                continue;
            }
            below[at] = below[left] + below[left + 1];
            count[at] = count[left] + count[left + 1];
        }
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let left = grown.nodes[at].left as usize;
            if left == 0 {
                continue;
            }
            let worth = (cost[at] - below[at]) / (count[at] - 1) as f64;
            if weakest.is_none_or(|(least, _)| worth < least - slack) {
                weakest = Some((worth, at));
            }
            open.extend([left + 1, left]);
        }
        match weakest {
            Some((worth, at)) if worth <= alpha + slack => grown.nodes[at].left = 0,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{blobs, fit, gap, learner, repeat, train, try_fit, weighted};
    use counterweight_core::{LossTerms, Matrix, ParamValue, SmallClass};

    #[test]
    fn whole_row_weights_equal_repeated_rows() {
        let (x, y) = blobs(11, &[25, 15], 3);
        let data = train(&x, &y, 2);
        let times: Vec<usize> = (0..40).map(|i| i % 3).collect();
        let weights: Vec<f64> = times.iter().map(|&n| n as f64).collect();
        let rows: Vec<usize> = (0..40)
            .flat_map(|i| std::iter::repeat_n(i, times[i]))
            .collect();
        let labels: Vec<u32> = rows.iter().map(|&i| y[i]).collect();
        let repeated = train(&x.select_rows(&rows), &labels, 2);
        let terms = LossTerms::cross_entropy(2);
        let shallow = learner("decision-tree", &[("max_depth", ParamValue::Whole(3))]);
        let weighed = shallow.weigh(&weights).unwrap();
        let a = try_fit(&*weighed, &data, &terms, SmallClass::Clamp).unwrap();
        let b = try_fit(&*shallow, &repeated, &terms, SmallClass::Clamp).unwrap();
        assert_eq!(a.scores(&x), b.scores(&x));
        for odd in [&weights[1..], &[f64::NAN; 40]] {
            let odd = shallow.weigh(odd).unwrap();
            assert!(try_fit(&*odd, &data, &terms, SmallClass::Clamp).is_err());
        }
    }

    #[test]
    fn an_exclusive_or_is_learnt_though_its_first_split_gains_nothing() {
        let x = Matrix::from_fn(40, 2, |i, j| f64::from(u8::from((i >> j) & 1 == 1)));
        let y: Vec<u32> = (0..40)
            .map(|i| u32::from((i & 1) != ((i >> 1) & 1)))
            .collect();
        let fit = fit(
            "decision-tree",
            &[],
            &train(&x, &y, 2),
            &LossTerms::cross_entropy(2),
        );
        assert!((fit.details["leaves"] - 4.0).abs() < 1e-12);
        let decided = fit
            .scores(&x)
            .argmax(&[0.0; 2], &counterweight_core::Ties::default())
            .unwrap();
        assert_eq!(decided.as_slice(), y);
    }

    #[test]
    fn impure_leaves_answer_weighted_shares() {
        let x = Matrix::from_vec(6, 1, vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0]).unwrap();
        let y = [0, 0, 1, 1, 1, 0];
        let data = train(&x, &y, 2);
        let p = fit("decision-tree", &[], &data, &weighted(&[1.0, 3.0])).scores(&x);
        assert!((p.log().at(0, 1).exp() - 3.0 / 5.0).abs() < 1e-15);
        assert!((p.log().at(5, 1).exp() - 6.0 / 7.0).abs() < 1e-15);
    }

    #[test]
    fn limits_and_pruning_act_and_weights_equal_rows_under_them() {
        let (x, y) = blobs(41, &[120, 40], 3);
        let data = train(&x, &y, 2);
        let (again, again_y) = repeat(&x, &y, &[1, 4]);
        let leaves = |given: &[(&str, ParamValue)], weights: &[f64]| {
            fit("decision-tree", given, &data, &weighted(weights)).details["leaves"]
        };
        let full = leaves(&[], &[1.0, 1.0]);
        for given in [
            ("max_depth", ParamValue::Whole(3)),
            ("min_decrease", ParamValue::Real(0.01)),
            ("min_leaf", ParamValue::Real(9.0)),
            ("prune", ParamValue::Real(0.02)),
        ] {
            let given = [given];
            assert!(leaves(&given, &[1.0, 1.0]) < full, "{given:?}");
            let by_weight = fit("decision-tree", &given, &data, &weighted(&[1.0, 4.0]));
            let repeated = train(&again, &again_y, 2);
            let by_row = fit(
                "decision-tree",
                &given,
                &repeated,
                &LossTerms::cross_entropy(2),
            );
            assert!(gap(&by_weight.scores(&x), &by_row.scores(&x)) < 1e-12);
        }
        let all = [("prune", ParamValue::Real(1.0))];
        let learner = learner("decision-tree", &all);
        let terms = LossTerms::cross_entropy(2);
        let stump = try_fit(&*learner, &data, &terms, SmallClass::Clamp).unwrap();
        assert!(stump.degenerate());
        // A row that weighs less than 1 may still have a leaf of its own.
        let light = leaves(&[], &[0.5, 1.5]);
        assert!(light > 0.8 * full, "{light} {full}");
    }
}
