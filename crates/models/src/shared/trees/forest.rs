//! What single class trees and forests share: checks, growing, and averaging leaf shares.

use std::collections::{BTreeMap, BTreeSet};

use counterweight_core::params::Default as Preset;
use counterweight_core::scores::argmax_row;
use counterweight_core::{
    Fitted, Learner, LossNeeds, LossTerms, Matrix, Origin, ParamKind, ParamSpec, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Stream, Ties, Train, Workload,
    parameters,
};
use rand::{RngExt as _, SeedableRng as _};

use super::bins::{Binned, MOST_BINS, Weighing};
use super::classes::{Classes, Criterion};
use super::random::{Draw, Room, grow};
use super::search::Limits;
use super::tree::{Tree, ask_all};
use crate::shared::task::{Shape, Task};

/// The parameter `native`.
pub(crate) const NATIVE: ParamSpec = ParamSpec::new(
    "native",
    ParamKind::Flag,
    Preset::Flag(false),
    "whether nominal columns and missing values come as they are",
);

/// Estimated seconds of a forest, with so many for a row and a feature that a tree tries. Trees deepen with
/// the rows and the classes, but most of a tree is done where its nodes are large.
pub(crate) fn forest_cost(params: &Params, work: &Workload, of_value: f64) -> f64 {
    let (n, k) = (work.n_train as f64, work.n_classes as f64);
    let tried =
        optional(params, "features").map_or((work.n_features as f64).sqrt(), |tried| tried as f64);
    let tree = n * tried * k.powf(0.4) * of_value;
    let score = work.n_score as f64 * n.powf(0.4) * k.powf(0.3) * 2.2e-9;
    1e-5 + params.whole("trees") as f64 * (tree + score)
}

/// A whole number that may be left out.
pub(crate) fn optional(params: &Params, key: &str) -> Option<usize> {
    params.get(key).map(|_| params.whole(key))
}

parameters! {
    /// How class trees grow.
    pub struct Growth {
        /// impurity that splits reduce
        criterion: Criterion = "gini";
        /// most splits from the root to a leaf
        max_depth: usize, in Range::AT_LEAST_ONE;
        /// least weighted rows of a leaf; 1 sets no limit
        min_leaf: f64 = 1.0, in Range::AT_LEAST_ONE;
        /// least fall of impurity by a split, times the node's share of the weight
        min_decrease: f64 = 0.0, in Range::NON_NEGATIVE;
    }
}

impl Growth {
    /// How impurity is measured.
    pub(crate) fn impurity(&self) -> Criterion {
        self.criterion
    }

    /// The limits for rows of this weight in all.
    pub(crate) fn limits(&self, weight: f64) -> Limits {
        // A fall that is just enough is enough, whatever the last digits of its sums.
        let gain = || weight * (self.min_decrease - 1e-9);
        Limits {
            max_leaves: None,
            max_depth: self.max_depth,
            // A row may weigh less than 1: at the default that must not keep it from a leaf.
            min_mass: if self.min_leaf > 1.0 {
                self.min_leaf
            } else {
                0.0
            },
            min_gain: (self.min_decrease > 0.0).then(gain),
        }
    }
}

/// How the trees of a forest differ.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent choices, each a yes or no"
)]
pub(crate) struct Forest {
    pub(crate) growth: Growth,
    pub(crate) trees: usize,
    /// Features tried at each split; `None`: the square root of their number.
    pub(crate) features: Option<usize>,
    pub(crate) bootstrap: bool,
    /// Whether rows are judged by the trees that did not draw them.
    pub(crate) oob: bool,
    /// Whether nominal columns and missing values come as they are.
    pub(crate) native: bool,
    /// Whether cuts are random.
    pub(crate) at_random: bool,
    /// Which terms of a loss it takes.
    pub(crate) honours: LossNeeds,
}

impl Learner for Forest {
    /// One tree of the forest, on all rows that it is given.
    fn member(&self) -> Option<Box<dyn Learner>> {
        Some(Box::new(Self {
            trees: 1,
            bootstrap: false,
            oob: false,
            ..self.clone()
        }))
    }

    fn takes_raw_rows(&self) -> bool {
        self.native
    }

    /// Grows the trees, each from a stream of its own.
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::checked(train, terms, self.honours, self.native)?;
        if let Some(constant) = task.single_class(ScoreKind::Probability, context) {
            return Ok(Box::new(constant));
        }
        let data = binned(&task, train)?;
        let columns = data.splittable();
        if columns.is_empty() {
            let why = "no feature varies";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        let root = data.n_features().isqrt().max(1);
        let per_split = self.features.unwrap_or(root).min(columns.len());
        let by_class = ByClass::new(&task);
        let mut weights = by_class.weights.clone();
        let mut trees = Vec::with_capacity(self.trees);
        let mut oob = self.oob.then(|| OutOfBag::new(train, task.n_present()));
        let (mut room, mut rows) = (Room::default(), Vec::new());
        for _ in 0..self.trees {
            context.deadline.check()?;
            let mut stream = Stream::from_seed(context.stream.random());
            if self.bootstrap {
                by_class.bootstrap(&mut weights, &mut stream);
            }
            rows.clear();
            rows.extend(
                (0..)
                    .zip(&weights)
                    .filter_map(|(row, w)| (*w > 0.0).then_some(row)),
            );
            let growth = &self.growth;
            let mut target = Classes::new(&task.y, &weights, task.n_present(), growth.impurity());
            let mut draw = Draw {
                features: columns.clone(),
                per_split,
                at_random: self.at_random,
                stream,
            };
            let limits = growth.limits(weights.iter().sum());
            let how = (&limits, &mut draw);
            let mut tree = grow(&data, &mut rows, &mut target, how, &mut room);
            tree.nodes.shrink_to_fit();
            tree.values.shrink_to_fit();
            if let Some(oob) = &mut oob {
                oob.add(&tree, &data, &weights);
            }
            trees.push(tree);
        }
        if let Some(oob) = oob {
            let (error, coverage) = oob.judge(&task);
            context.detail("oob_coverage", coverage);
            if let Some(error) = error {
                context.detail("oob_balanced_error", error);
            }
        }
        let leaves: usize = trees.iter().map(Tree::n_leaves).sum();
        let mean = leaves as f64 / trees.len() as f64;
        context.detail("leaves", mean);
        Ok(Box::new(Average {
            trees,
            shape: task.shape(),
        }))
    }
}

/// Checks that row numbers fit 32 bits.
///
/// # Errors
/// [`StageError::Failed`] when they do not.
pub(crate) fn check_rows(task: &Task<'_>) -> StageResult<()> {
    match u32::try_from(task.n_rows()) {
        Ok(_) => Ok(()),
        Err(_) => Err(StageError::Failed("more than 2^32 training rows".into())),
    }
}

/// The rows of a task as codes.
///
/// # Errors
/// [`StageError::Failed`] when row numbers do not fit 32 bits.
pub(crate) fn binned(task: &Task<'_>, train: &Train) -> StageResult<Binned> {
    check_rows(task)?;
    if task.raw {
        let columns = (task.x.as_ref(), train.samples().kinds().as_ref());
        return Ok(Binned::of_kinds(columns, Weighing::of(task), MOST_BINS));
    }
    Ok(Binned::new(&task.x, Weighing::of(task), MOST_BINS))
}

/// What trees say of original rows of which they drew no copy and nothing made of them: after resampling
/// a tree that holds a row's copy or offspring knows its answer.
#[derive(Debug)]
struct OutOfBag {
    /// Numbers of the groups of the one or two original rows that each training row is or is made of.
    parents: Vec<[usize; 2]>,
    /// The first copy of each original row that is among the training rows, and the number of its group.
    judged: Vec<(usize, usize)>,
    /// Whether the tree at hand has anything of each group.
    held: Vec<bool>,
    /// Sums of class shares, a row each.
    shares: Matrix,
    /// Trees that have nothing of the row's group.
    trees: Vec<u32>,
}

impl OutOfBag {
    fn new(train: &Train, n_classes: usize) -> Self {
        let origins = train.samples().origins();
        let mut numbers = BTreeMap::new();
        let mut number = |original: usize| {
            let next = numbers.len();
            *numbers.entry(original).or_insert(next)
        };
        let of = |origin: &Origin| match *origin {
            Origin::Row(row) => [number(train.group_of(row)); 2],
            Origin::Synthetic { base, neighbour } => [
                number(train.group_of(base)),
                number(train.group_of(neighbour)),
            ],
        };
        let parents: Vec<[usize; 2]> = origins.iter().map(of).collect();
        let mut seen = BTreeSet::new();
        let originals = origins.iter().zip(&parents).enumerate();
        let judged = originals
            .filter(|(_, (origin, _))| match origin {
                Origin::Row(row) => seen.insert(*row),
                Origin::Synthetic { .. } => false,
            })
            .map(|(row, (_, [own, _]))| (row, *own))
            .collect();
        Self {
            held: vec![false; numbers.len()],
            judged,
            shares: Matrix::zeros(origins.len(), n_classes),
            trees: vec![0; origins.len()],
            parents,
        }
    }

    fn add(&mut self, tree: &Tree, data: &Binned, drawn: &[f64]) {
        self.held.fill(false);
        for (parents, _) in self.parents.iter().zip(drawn).filter(|(_, w)| **w > 0.0) {
            for &parent in parents {
                self.held[parent] = true;
            }
        }
        for &(row, _) in self.judged.iter().filter(|(_, own)| !self.held[*own]) {
            let sums = self.shares.row_mut(row);
            for (sum, share) in sums.iter_mut().zip(tree.answer_to(data, row)) {
                *sum += share;
            }
            self.trees[row] += 1;
        }
    }

    /// Balanced error of the largest mean share (the last class on a tie) over the classes with an original
    /// row of which some tree has nothing, if there are any; and the share of such rows among the originals.
    fn judge(&self, task: &Task<'_>) -> (Option<f64>, f64) {
        let (y, n_classes) = (&task.y, task.n_present());
        let mut covered = 0.0;
        let (mut right, mut seen) = (vec![0.0; n_classes], vec![0.0; n_classes]);
        let judged = self.trees.iter().enumerate().filter(|(_, n)| **n > 0);
        for (row, _) in judged {
            let class = y[row] as usize;
            let vote = argmax_row(
                self.shares.row(row),
                &vec![0.0; n_classes],
                &Ties::default(),
            );
            covered += 1.0;
            seen[class] += task.own(row);
            if vote as usize == class {
                right[class] += task.own(row);
            }
        }
        let recalls: Vec<f64> = right
            .iter()
            .zip(&seen)
            .filter(|(_, seen)| **seen > 0.0)
            .map(|(right, seen)| right / seen)
            .collect();
        let mean = recalls.iter().sum::<f64>() / recalls.len() as f64;
        let error = (!recalls.is_empty()).then_some(1.0 - mean);
        (error, covered / self.judged.len().max(1) as f64)
    }
}

/// Rows by class, to draw from.
#[derive(Debug)]
struct ByClass {
    rows: Vec<Vec<usize>>,
    /// Weight of each class.
    class_weights: Vec<f64>,
    /// Weight of each row.
    weights: Vec<f64>,
    /// What the rows of each class up to each of them weigh, where rows have weights of their own.
    up_to: Option<Vec<Vec<f64>>>,
}

impl ByClass {
    fn new(task: &Task<'_>) -> Self {
        let mut rows = vec![Vec::new(); task.n_present()];
        for (row, &class) in task.y.iter().enumerate() {
            rows[class as usize].push(row);
        }
        let up_to = task.own.as_ref().map(|own| {
            let sums = |rows: &Vec<usize>| {
                let sum = |sum: &mut f64, &row: &usize| {
                    *sum += own[row];
                    Some(*sum)
                };
                rows.iter().scan(0.0, sum).collect()
            };
            rows.iter().map(sums).collect()
        });
        Self {
            rows,
            up_to,
            class_weights: task.weights.clone(),
            weights: row_weights(task),
        }
    }

    /// Draws as many rows as they weigh in all, each with a probability in proportion to its weight,
    /// and sets `drawn` to how often each came. The law is that of a bootstrap of repeated rows.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position inside a list"
    )]
    fn bootstrap(&self, drawn: &mut [f64], stream: &mut Stream) {
        drawn.fill(0.0);
        let mass = |class: usize| {
            let rows = self.rows[class].len() as f64;
            let own = self.up_to.as_ref().and_then(|up_to| up_to[class].last());
            own.copied().unwrap_or(rows) * self.class_weights[class]
        };
        let masses: Vec<f64> = (0..self.rows.len()).map(mass).collect();
        let total: f64 = masses.iter().sum();
        let draws = (total.round() as usize).max(1);
        let last = masses.len() - 1;
        // A division for every draw is much of it.
        let even = self
            .class_weights
            .iter()
            .all(|w| w.to_bits() == 1.0_f64.to_bits());
        for _ in 0..draws {
            let mut at = stream.random::<f64>() * total;
            let mut class = 0;
            while class < last && at >= masses[class] {
                at -= masses[class];
                class += 1;
            }
            let rows = &self.rows[class];
            let at = if even {
                at
            } else {
                at / self.class_weights[class]
            };
            let place = match &self.up_to {
                Some(up_to) => up_to[class].partition_point(|sum| *sum <= at),
                None => at as usize,
            };
            drawn[rows[place.min(rows.len() - 1)]] += 1.0;
        }
    }
}

/// Weight of each row: its class's, times its own.
pub(crate) fn row_weights(task: &Task<'_>) -> Vec<f64> {
    let rows = task.y.iter().enumerate();
    rows.map(|(i, &k)| task.weights[k as usize] * task.own(i))
        .collect()
}

/// Trees whose leaf shares are averaged.
#[derive(Debug)]
pub(crate) struct Average {
    pub(crate) trees: Vec<Tree>,
    pub(crate) shape: Shape,
}

impl Fitted for Average {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut p = Matrix::zeros(x.rows(), self.shape.n_classes);
        ask_all(&self.trees.iter(), x, |row, _, answer| {
            let shares = p.row_mut(row);
            for (&class, share) in self.shape.present.iter().zip(answer) {
                shares[class] += share;
            }
        });
        Ok(Scores::probabilities(p)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, fit, learner, train, try_fit, weighted};
    use counterweight_core::{ParamValue, Samples, Seed, SmallClass};

    #[test]
    fn a_member_is_one_tree_on_all_rows_and_other_learners_have_none() {
        let (x, y) = blobs(52, &[60, 40], 4);
        let data = train(&x, &y, 2);
        let terms = LossTerms::cross_entropy(2);
        let mut members = 0;
        for entry in crate::ALL.iter().filter(|e| e.caps.library == "own") {
            let id = entry.card.id;
            let Some(member) = learner(id, &[]).member() else {
                continue;
            };
            members += 1;
            assert!(["decision-tree", "extra-trees", "random-forest"].contains(&id));
            let one = try_fit(&*member, &data, &terms, SmallClass::Clamp).unwrap();
            // Fully grown on all rows: it knows each of them, which a bootstrap would not.
            let decided = one.scores(&x).argmax(&[0.0; 2], &Ties::default()).unwrap();
            assert_eq!(decided.as_slice(), y, "{id}");
        }
        assert_eq!(members, 3);
    }

    /// Rows that a tree did not draw are judged as by a forest of the other trees alone.
    #[test]
    fn out_of_bag_rows_are_judged_by_trees_that_did_not_draw_them() {
        let (x, y) = blobs(53, &[150, 50], 4);
        let (fresh, truth) = blobs(54, &[1500, 500], 4);
        let data = train(&x, &y, 2);
        let terms = LossTerms::cross_entropy(2);
        let flag = |key: &'static str| (key, ParamValue::Flag(true));
        let plain = fit("random-forest", &[], &data, &terms);
        assert!(!plain.details.contains_key("oob_balanced_error"));
        let cases = [
            ("random-forest", vec![flag("oob")]),
            ("extra-trees", vec![flag("bootstrap"), flag("oob")]),
        ];
        for (id, given) in cases {
            let judged = fit(id, &given, &data, &terms);
            let same = fit(id, &given[..given.len() - 1], &data, &terms);
            assert_eq!(judged.scores(&x), same.scores(&x), "it only looks");
            let error = |x: &Matrix, y: &[u32]| {
                let decided = judged
                    .scores(x)
                    .argmax(&[0.0; 2], &Ties::default())
                    .unwrap();
                let mut wrong = [0.0; 2];
                let mut all = [0.0; 2];
                for (&d, &y) in decided.as_slice().iter().zip(y) {
                    wrong[y as usize] += f64::from(u8::from(d != y));
                    all[y as usize] += 1.0;
                }
                0.5 * (wrong[0] / all[0] + wrong[1] / all[1])
            };
            let oob = judged.details["oob_balanced_error"];
            assert!((judged.details["oob_coverage"] - 1.0).abs() < 1e-12);
            // The training error is 0 (nearly so where few trees drew a row); fresh rows agree within the
            // error of 50 rows of the rare class.
            assert!(error(&x, &y) < 0.02, "{id}");
            assert!((oob - error(&fresh, &truth)).abs() < 0.1, "{id}: {oob}");
            let mut few = given.clone();
            few.push(("trees", ParamValue::Whole(1)));
            let coverage = fit(id, &few, &data, &terms).details["oob_coverage"];
            // (1 - 1/n)^n of the rows are not drawn by one tree.
            assert!((coverage - (-1.0_f64).exp()).abs() < 0.1, "{coverage}");
        }
        let entry = crate::testing::entry("extra-trees");
        let given = std::collections::BTreeMap::from([("oob".to_owned(), ParamValue::Flag(true))]);
        let params = counterweight_core::params::check(entry.card.params, &given).unwrap();
        assert!((entry.build)(&params).is_err());
    }

    #[test]
    fn copies_and_offspring_of_a_row_are_no_judges_of_it() {
        // Three copies of row 7, row 8, and a row made between 8 and 9, which is not there itself.
        let between = Origin::Synthetic {
            base: 8,
            neighbour: 9,
        };
        let origins = [Origin::Row(7), Origin::Row(7), Origin::Row(8), between];
        let (x, y) = blobs(3, &[2, 2], 1);
        let data = train(&x, &y, 2);
        let data = data
            .derive(|samples| {
                let (x, kinds, y) = (samples.x(), samples.kinds(), samples.y());
                Samples::new(x.clone(), kinds.clone(), y.clone(), origins.to_vec())
            })
            .unwrap();
        // Rows 7 and 9 in one group: what has anything of one is no judge of the other.
        let groups: Vec<u32> = (0..10).map(|row| if row == 9 { 7 } else { row }).collect();
        let grouped = OutOfBag::new(&data.clone().with_groups(Some(groups.into())), 2);
        assert_eq!(grouped.judged, [(0, 0), (2, 1)]);
        assert_eq!(grouped.parents[3], [1, 0]);
        let mut oob = OutOfBag::new(&data, 2);
        assert_eq!(oob.judged, [(0, 0), (2, 1)]);
        let task = Task::new(&data, &LossTerms::cross_entropy(2), LossNeeds::default()).unwrap();
        let binned = binned(&task, &data).unwrap();
        let tree = Tree {
            nodes: vec![super::super::tree::Node::LEAF],
            width: 2,
            values: vec![0.5, 0.5],
            sets: Vec::new(),
        };
        for (drawn, trees) in [
            ([0.0, 1.0, 0.0, 0.0], [0, 0, 1, 0]),
            ([0.0, 0.0, 0.0, 2.0], [1, 0, 1, 0]),
            ([0.0, 0.0, 0.0, 0.0], [2, 0, 2, 0]),
        ] {
            oob.add(&tree, &binned, &drawn);
            assert_eq!(oob.trees, trees);
        }
    }

    #[test]
    fn a_weighted_bootstrap_has_the_law_of_repeated_rows() {
        let (x, y) = blobs(51, &[30, 10], 2);
        let data = train(&x, &y, 2);
        let honours = LossNeeds {
            weights: true,
            row_weights: true,
            ..LossNeeds::default()
        };
        let task = Task::new(&data, &weighted(&[1.0, 4.0]), honours).unwrap();
        let by_class = ByClass::new(&task);
        let mut stream = Seed(3).stage("bootstrap").open();
        let (mut sums, mut squares) = (vec![0.0; 40], vec![0.0; 40]);
        let times = 4_000;
        for _ in 0..times {
            let mut drawn = vec![0.0; 40];
            by_class.bootstrap(&mut drawn, &mut stream);
            assert!((drawn.iter().sum::<f64>() - 70.0).abs() < 1e-12);
            for ((s, q), d) in sums.iter_mut().zip(&mut squares).zip(&drawn) {
                *s += d / f64::from(times);
                *q += d * d / f64::from(times);
            }
        }
        // Binomial(70, w / 70): mean w, variance w (1 - w / 70).
        for row in 0..40 {
            let w = if row < 30 { 1.0 } else { 4.0 };
            let variance = squares[row] - sums[row] * sums[row];
            let expected = w * (1.0 - w / 70.0);
            let error = (expected / f64::from(times)).sqrt();
            assert!((sums[row] - w).abs() < 5.0 * error, "{row}: {}", sums[row]);
            assert!(
                (variance / expected - 1.0).abs() < 0.15,
                "{row}: {variance}"
            );
        }
    }
}
