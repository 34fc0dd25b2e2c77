//! `AdaBoost`: small trees that vote, each grown on rows whose weights rose where the ones before erred.
//!
//! The multiclass form SAMME, which is `AdaBoost.M1` for two classes. A class weight is where the weights
//! of its rows start.
//!
//! # When it helps, when it hurts
//! On clean data with few rows, as an additive model of simple rules: stumps add up without
//! interactions. It hurts under label noise, since rows that nobody gets right end up with most of the
//! weight, and where probabilities matter: its own are pulled towards each other, as each vote is a
//! share of all votes. A rare class is easily outvoted, as errors on it cost a tree little, unless its
//! rows start heavier.
//!
//! # Formula
//! ```text
//! v_i = w_y / sum of w;   each round: h = tree on weights v, votes for the class of the largest leaf share
//! err = sum of v_i over rows with h(x_i) != y_i;   alpha = learning_rate (log((1 - err) / err) + log(K - 1))
//! v_i <- v_i exp(alpha [h(x_i) != y_i]), scaled to sum to 1
//! F_k(x) = sum_t alpha_t ([h_t(x) = k] - [h_t(x) != k] / (K - 1)) / sum_t alpha_t
//! p_k = softmax(F / (K - 1))_k
//! ```
//! Boosting ends with a tree that errs nowhere (alpha = 1) or, without it, before a tree that errs in at
//! least 1 - 1/K of the weight.
//!
//! # Cost
//! O(n d log n) to bin, O(`trees` n d `max_depth`) to grow, O(`trees` `max_depth`) to score a row. Memory O(n d)
//! bytes.
//!
//! # Differences
//! From scikit-learn's `AdaBoostClassifier` (1.9): none in the rounds and in the probabilities that it
//! makes of its decision function; features become at most 255 quantile bins, ties between splits go to
//! the first feature and the lowest threshold (there: to a random one), and a first tree that is no
//! better than guessing leaves the class shares with a note (there: an error). From Zhu et al.: the
//! votes are divided by their sum, which keeps every decision and makes the probabilities those above.
//!
//! # Errors
//! Features that are not finite, margins (not applicable), more than 2^32 rows, a passed deadline
//! (asked once a tree).
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "adaboost").unwrap();
//! let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "1", "0", "1", "0", "1"]);
//! # let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 0.5, 2.5, 3.0, 3.5]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(6, (0..6).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![0.2, 3.4]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0], &counterweight_core::Ties::default()).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Freund, Schapire (1997), A decision-theoretic generalization of on-line learning, JCSS 55. Zhu, Zou,
//! Rosset, Hastie (2009), Multi-class `AdaBoost`, Statistics and Its Interface 2.

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageResult, Train, Workload, parameters,
};

use crate::shared::footprint::Size;
use crate::shared::task::{Shape, Task};
use crate::shared::trees::classes::{Classes, Criterion};
use crate::shared::trees::forest::{binned, row_weights};
use crate::shared::trees::grow::{Room, grow};
use crate::shared::trees::search::Limits;
use crate::shared::trees::tree::{Tree, ask_all};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<AdaBoost>(
    "adaboost",
    "voting stumps or small trees on rows reweighted by error (SAMME)",
    "Freund & Schapire 1997; Zhu et al. 2009",
    LearnerCaps::new("own", HONOURS, cost).taking(|_, work| {
        let size = Size::of(work);
        size.footprint(0.0, size.n * (45.0 + size.d) + 7.5e3 * size.d * size.k)
    }),
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let depth = params.whole("max_depth") as f64;
    let tree = n * d * depth.min((n + 2.0).log2()) * 2e-9 + d * 5e-7 + n * 2e-8;
    let score = work.n_score as f64 * depth * 8e-9;
    1e-5 + n * d * 8e-8 + params.whole("trees") as f64 * (tree + score)
}

parameters! {
    /// Checked parameters.
    pub struct AdaBoost {
        /// most trees
        trees: usize = 50, in Range::new(1.0, true, 1e6, true);
        /// share of each tree's log-odds that is its vote
        learning_rate: f64 = 1.0, in Range::POSITIVE;
        /// most splits from the root to a leaf
        max_depth: usize = 1, in Range::AT_LEAST_ONE;
        /// impurity that splits reduce
        criterion: Criterion = "gini";
    }
}

impl Learner for AdaBoost {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        let data = binned(&task, train)?;
        let columns = data.splittable();
        let k = task.n_present();
        let mut weights = row_weights(&task);
        normalise(&mut weights);
        let limits = Limits {
            max_leaves: None,
            max_depth: Some(self.max_depth),
            min_mass: 0.0,
            min_gain: None,
        };
        let mut room = Room::default();
        let mut rows: Vec<u32> = Vec::new();
        let mut wrong = vec![false; task.n_rows()];
        let mut votes: Vec<(f64, Tree)> = Vec::new();
        for _ in 0..self.trees {
            context.deadline.check()?;
            rows.clear();
            // A weight that has sunk to 0 is no row: it could be a leaf without any weight.
            rows.extend(
                (0..)
                    .zip(&weights)
                    .filter_map(|(row, w)| (*w > 0.0).then_some(row)),
            );
            let mut target = Classes::new(&task.y, &weights, k, self.criterion);
            let how = (&limits, columns.as_slice());
            let grown = grow(&data, &mut rows, &mut target, how, &mut room);
            let tree = winners(&grown.tree(&target));
            let mut error = 0.0;
            for (row, wrong) in wrong.iter_mut().enumerate() {
                let vote = tree.answer_to(&data, row)[0];
                *wrong = (vote - f64::from(task.y[row])).abs() > 0.5;
                error += if *wrong { weights[row] } else { 0.0 };
            }
            if error <= 0.0 {
                votes.push((1.0, tree));
                break;
            }
            if error >= 1.0 - 1.0 / k as f64 {
                break;
            }
            let odds = ((1.0 - error) / error).ln() + (k as f64 - 1.0).ln();
            let alpha = self.learning_rate * odds;
            votes.push((alpha, tree));
            for (w, &wrong) in weights.iter_mut().zip(&wrong) {
                *w *= if wrong { alpha.exp() } else { 1.0 };
            }
            if !normalise(&mut weights) {
                break;
            }
        }
        context.detail("trees", votes.len() as f64);
        if votes.is_empty() {
            let why = "the first tree is no better than guessing";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        Ok(Box::new(Votes {
            trees: votes,
            shape: task.shape(),
        }))
    }
}

/// Scales weights to sum to 1; whether they have a sum.
fn normalise(weights: &mut [f64]) -> bool {
    let total: f64 = weights.iter().sum();
    let sound = total.is_finite() && total > 0.0;
    if sound {
        for w in weights {
            *w /= total;
        }
    }
    sound
}

/// The tree whose leaves answer the number of the class with the largest share, the lowest on a tie.
fn winners(tree: &Tree) -> Tree {
    let winner = |shares: &[f64]| {
        let mut best = 0;
        for (class, share) in shares.iter().enumerate() {
            // Shares that rounding alone tells apart are a tie.
            if *share > shares[best] + 1e-12 {
                best = class;
            }
        }
        best as f64
    };
    Tree {
        nodes: tree.nodes.clone(),
        width: 1,
        values: tree.values.chunks_exact(tree.width).map(winner).collect(),
        sets: tree.sets.clone(),
    }
}

/// Trees with the weights of their votes.
#[derive(Debug)]
struct Votes {
    trees: Vec<(f64, Tree)>,
    shape: Shape,
}

impl Fitted for Votes {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let k = self.shape.present.len();
        let total: f64 = self.trees.iter().map(|(alpha, _)| alpha).sum();
        let mut f = Matrix::zeros(x.rows(), k);
        let trees = self.trees.iter().map(|(_, tree)| tree);
        ask_all(&trees, x, |row, tree, vote| {
            let alpha = self.trees[tree].0;
            for (class, f) in f.row_mut(row).iter_mut().enumerate() {
                let hit = (vote[0] - class as f64).abs() < 0.5;
                *f += if hit {
                    alpha
                } else {
                    -alpha / (k as f64 - 1.0)
                };
            }
        });
        for f in f.as_mut_slice() {
            *f /= total * (k as f64 - 1.0);
        }
        self.shape.logits(&f)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{blobs, fit, gap, train, weighted};
    use counterweight_core::{LossTerms, Matrix, ParamValue};

    /// Two rounds on five rows by hand.
    #[test]
    fn votes_and_weights_are_those_of_the_formula() {
        let x = Matrix::from_vec(5, 1, vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let data = train(&x, &[0, 0, 1, 0, 1], 2);
        let terms = LossTerms::cross_entropy(2);
        let at = |trees: i64, value: f64| {
            let given = [("trees", ParamValue::Whole(trees))];
            let found = fit("adaboost", &given, &data, &terms);
            let log = found.scores(&Matrix::from_vec(1, 1, vec![value]).unwrap());
            log.log().at(0, 1) - log.log().at(0, 0)
        };
        // One tree: each vote is +-1 after the division by its weight, and p = softmax(-+1).
        for (value, side) in [(1.5, -1.0), (2.6, 1.0), (5.0, 1.0)] {
            assert!((at(1, value) - 2.0 * side).abs() < 1e-12);
        }
        // It errs on the fourth row of five: alpha = log 4, whose weight becomes 1/2. The second tree
        // then parts off the last row, and errs on the third: 1/8, alpha = log 7.
        let (first, second) = (4.0_f64.ln(), 7.0_f64.ln());
        let share = |a: f64, b: f64| 2.0 * (a * first + b * second) / (first + second);
        for (value, a, b) in [(1.0, -1.0, -1.0), (3.0, 1.0, -1.0), (5.0, 1.0, 1.0)] {
            assert!((at(2, value) - share(a, b)).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn perfect_trees_end_it_and_guesses_never_begin() {
        let x = Matrix::from_vec(4, 1, vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let terms = LossTerms::cross_entropy(2);
        let done = fit("adaboost", &[], &train(&x, &[0, 0, 1, 1], 2), &terms);
        assert!((done.details["trees"] - 1.0).abs() < 1e-12 && !done.degenerate());
        let none = fit(
            "adaboost",
            &[],
            &train(&Matrix::zeros(4, 1), &[0, 1, 0, 1], 2),
            &terms,
        );
        assert!(none.degenerate() && none.details["trees"].abs() < 1e-12);
    }

    #[test]
    fn every_knob_and_weight_acts() {
        let (x, y) = blobs(61, &[120, 60, 20], 4);
        let data = train(&x, &y, 3);
        let terms = LossTerms::cross_entropy(3);
        let plain = fit("adaboost", &[], &data, &terms).scores(&x);
        for given in [
            ("trees", ParamValue::Whole(7)),
            ("learning_rate", ParamValue::Real(0.3)),
            ("max_depth", ParamValue::Whole(3)),
            ("criterion", ParamValue::Text("entropy".into())),
        ] {
            let changed = fit("adaboost", std::slice::from_ref(&given), &data, &terms).scores(&x);
            assert!(gap(&plain, &changed) > 1e-3, "{given:?}");
        }
        let recall = |weights: &[f64]| {
            let decided = fit("adaboost", &[], &data, &weighted(weights)).scores(&x);
            let decided = decided
                .argmax(&[0.0; 3], &counterweight_core::Ties::default())
                .unwrap();
            let rare = decided.as_slice().iter().zip(&y).filter(|(_, y)| **y == 2);
            rare.filter(|(d, _)| **d == 2).count()
        };
        assert!(recall(&[1.0, 2.0, 6.0]) > recall(&[1.0; 3]));
    }
}
