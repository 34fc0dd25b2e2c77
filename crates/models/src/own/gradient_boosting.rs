//! Gradient boosting: a sum of small histogram trees, each a Newton step of the loss.
//!
//! Every round adds one tree a class (one in all for two classes), grown leaf by leaf on the gradient
//! and Hessian of the loss kernel at the scores so far. It honours class weights, margins, factors and
//! a focal power.
//!
//! # When it helps
//! On tabular data of a thousand rows and more it is usually the most accurate of the classical
//! learners: it needs no scaling and finds interactions. It hurts with few rows (leaves of at least
//! `min_leaf` weighted rows leave a class of ten no leaf of its own) and where calibrated
//! probabilities matter more than ranks, since many rounds make it overconfident.
//!
//! # Formula
//! ```text
//! f_0 = log(w_k n_k) for (weighted, focal) cross-entropy, 0 for a loss with margins or factors
//! f <- f + learning_rate * v_leaf(x),   v = -G / (H + l2) cut to [-max_step, max_step]
//! G = sum g_i,  H = sum h_i,   g = w D_j (p_j - [j = y]) M,   h = c w D_j^2 p_j (1 - p_j) M
//! gain of a split = S(left) + S(right) - S(node),   S = -(2 G v + (H + l2) v^2)  (= G^2 / (H + l2))
//! c = K / (K - 1) for K > 2, else 1;   M = (1 - p_y)^g - g p_y (1 - p_y)^(g - 1) log p_y  (1 for g = 0)
//! ```
//! The true Hessian of the focal loss can be negative: M scales that of cross-entropy instead, which is
//! positive and makes the step that of a reweighted cross-entropy. The factor c makes up for K trees
//! that step at once, each as if alone. Started at 0, `f + o` starts at `log pi` under the
//! logit-adjusted loss with tau = 1, and all decisions equal post-hoc adjustment of plain
//! cross-entropy; with any other tau the loss is a method of its own.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `rounds` | 100 | [1, inf) | rounds of one tree a class |
//! | `learning_rate` | 0.1 | (0, 1] | share of each Newton step that is taken |
//! | `max_leaves` | 31 | [2, 65536] | most leaves of a tree |
//! | `max_depth` | none | [1, inf) | most splits from the root to a leaf |
//! | `min_leaf` | 20 | [0, inf) | least weighted rows of a leaf |
//! | `min_hessian` | 0.001 | [0, inf) | least Hessian sum of a leaf |
//! | `min_gain` | 0 | [0, inf) | gain that a split has to exceed |
//! | `l2` | 0 | [0, inf) | penalty on half the squared leaf values |
//! | `max_step` | 10 | (0, inf) | largest leaf value before the learning rate, in logits |
//! | `row_share` | 1 | (0, 1] | share of the rows drawn for each round, without replacement |
//! | `column_share` | 1 | (0, 1] | share of the columns drawn for each round |
//! | `early_stopping` | none | [1, inf) | rounds without a lower validation loss after which to stop |
//! | `validation_share` | 0.1 | (0, 0.5] | share of each class held out when `early_stopping` is given |
//!
//! # Cost
//! O(n d log n) to bin; a round O(C (n d log `max_leaves` + `max_leaves` d 255)) with C trees a round (each
//! split counts the smaller side only); O(C rounds depth) to score a row. Memory O(n d) bytes, O(C n)
//! numbers and O(`max_leaves` d 255) cells.
//!
//! # Differences
//! From LightGBM: the defaults of the shared parameters and the growth by largest gain are its own; a
//! bin and `min_leaf` count rows by class weight, so that whole weights equal repeated rows; sums are
//! in double precision; steps are cut at `max_step` (there: no limit by default), because a leaf with
//! rows of a class of prior pi alone would step by 1 / pi; thresholds lie half way between values of
//! the node. `min_leaf` counts rows, where `LightGBM` estimates their number from the Hessian, so that
//! uncertain rows count for more there and small sets get finer trees (lower `min_leaf` for them).
//! No exclusive feature bundling, no categorical splits: nominal columns come encoded.
//! From scikit-learn's `HistGradientBoostingClassifier`: `min_hessian`, row sampling, a fixed number of
//! rounds unless `early_stopping` is given (there `auto` above 10,000 rows). After early stopping the
//! best round is kept and nothing is refitted on the held-out rows.
//!
//! # Errors
//! Features that are not finite, terms that are no numbers, more than 2^32 rows, a passed deadline
//! (asked once a round).
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "gradient-boosting").unwrap();
//! let given = BTreeMap::from([("min_leaf".to_owned(), ParamValue::Real(1.0))]);
//! let params = params::check(entry.card.params, &given).unwrap();
//! let learner = (entry.build)(&params).unwrap();
//! # let y = Labels::from_texts(&["0", "1", "1", "0"]);
//! # let x = Matrix::from_vec(4, 1, vec![0.0, 1.0, 2.0, 3.0]).unwrap();
//! # let samples = Samples::numeric(x, y).unwrap();
//! # let (train, _) = Partition::new(4, (0..4).collect(), vec![]).unwrap().cut_samples(&samples).unwrap();
//! # let shared = Shared::default();
//! # let stream = Seed(1).stage("fit").open();
//! # let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let model = learner.fit(&train, &LossTerms::cross_entropy(2), &mut context).unwrap();
//! let scores = model.scores(&Matrix::from_vec(2, 1, vec![0.2, 1.4]).unwrap()).unwrap();
//! assert_eq!(scores.argmax(&[0.0, 0.0]).unwrap().as_slice(), [0, 1]);
//! ```
//!
//! # References
//! Friedman (2001), Greedy function approximation: a gradient boosting machine, Annals of Statistics
//! 29(5). Ke et al. (2017), `LightGBM`: a highly efficient gradient boosting decision tree, `NeurIPS`. Lin et
//! al. (2017), Focal loss for dense object detection, ICCV. Menon et al. (2021), Long-tail learning
//! via logit adjustment, ICLR.

use counterweight_core::params::Default as Preset;
use counterweight_core::{
    Card, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Note,
    ParamError, ParamKind, ParamSpec, ParamValue, Params, Range, ScoreKind, Scores, StageContext,
    StageError, StageResult, Stream, Train, Workload,
};
use rand::RngExt as _;

use crate::shared::kernel::Kernel;
use crate::shared::task::{Task, check_scored, widen};
use crate::shared::trees::bins::Binned;
use crate::shared::trees::grow::{Room, grow};
use crate::shared::trees::newton::{Newton, Step};
use crate::shared::trees::search::Limits;
use crate::shared::trees::tree::Tree;

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    margins: true,
    factors: true,
    focal: true,
    ..LossNeeds::NONE
};

const SHARE: ParamKind = ParamKind::Real(Range::new(0.0, false, 1.0, true));

pub(crate) const ENTRY: LearnerEntry = Entry {
    card: Card {
        id: "gradient-boosting",
        summary: "boosted histogram trees under any loss of the kernel",
        reference: "Friedman 2001; Ke et al. 2017, LightGBM",
        params: &[
            ParamSpec::new(
                "rounds",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                Preset::Whole(100),
                "rounds of one tree a class",
            ),
            ParamSpec::new(
                "learning_rate",
                SHARE,
                Preset::Real(0.1),
                "share of each Newton step that is taken",
            ),
            ParamSpec::new(
                "max_leaves",
                ParamKind::Whole(Range::new(2.0, true, 65_536.0, true)),
                Preset::Whole(31),
                "most leaves of a tree",
            ),
            ParamSpec::optional(
                "max_depth",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                "most splits from the root to a leaf",
            ),
            ParamSpec::new(
                "min_leaf",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(20.0),
                "least weighted rows of a leaf",
            ),
            ParamSpec::new(
                "min_hessian",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(1e-3),
                "least Hessian sum of a leaf",
            ),
            ParamSpec::new(
                "min_gain",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(0.0),
                "gain that a split has to exceed",
            ),
            ParamSpec::new(
                "l2",
                ParamKind::Real(Range::NON_NEGATIVE),
                Preset::Real(0.0),
                "penalty on half the squared leaf values",
            ),
            ParamSpec::new(
                "max_step",
                ParamKind::Real(Range::POSITIVE),
                Preset::Real(10.0),
                "largest leaf value before the learning rate, in logits",
            ),
            ParamSpec::new(
                "row_share",
                SHARE,
                Preset::Real(1.0),
                "share of the rows drawn for each round, without replacement",
            ),
            ParamSpec::new(
                "column_share",
                SHARE,
                Preset::Real(1.0),
                "share of the columns drawn for each round",
            ),
            ParamSpec::optional(
                "early_stopping",
                ParamKind::Whole(Range::AT_LEAST_ONE),
                "rounds without a lower validation loss after which to stop; none: never",
            ),
            ParamSpec::new(
                "validation_share",
                ParamKind::Real(Range::new(0.0, false, 0.5, true)),
                Preset::Real(0.1),
                "share of each class held out when early_stopping is given",
            ),
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
        remark: "",
    },
    build: |params| Ok(Box::new(GradientBoosting::try_from(params)?)),
};

fn cost(params: &Params, work: &Workload) -> f64 {
    let trees = if work.n_classes == 2 {
        1
    } else {
        work.n_classes
    } * params.whole("rounds");
    let (n, d) = (work.n_train as f64, work.n_features as f64);
    let leaves = params.whole("max_leaves") as f64;
    let grown = leaves.min(n / params.real("min_leaf").max(1.0)).max(1.0);
    let fit = n * d * 3e-9 * grown.log2().max(1.0) * 0.5 + grown * d * 1e-6 + n * 4e-8;
    let score = work.n_score as f64 * grown.log2().max(1.0) * 4e-9;
    1e-4 + n * d * 8e-8 + trees as f64 * (fit + score)
}

/// Checked parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientBoosting {
    rounds: usize,
    learning_rate: f64,
    limits: Limits,
    min_hessian: f64,
    l2: f64,
    max_step: f64,
    row_share: f64,
    column_share: f64,
    patience: Option<usize>,
    validation_share: f64,
}

impl TryFrom<&Params> for GradientBoosting {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let optional = |key: &str| match params.get(key) {
            Some(ParamValue::Whole(_)) => Some(params.whole(key)),
            _ => None,
        };
        Ok(Self {
            rounds: params.whole("rounds"),
            learning_rate: params.real("learning_rate"),
            limits: Limits {
                max_leaves: Some(params.whole("max_leaves")),
                max_depth: optional("max_depth"),
                min_mass: params.real("min_leaf"),
                min_gain: Some(params.real("min_gain")),
            },
            min_hessian: params.real("min_hessian"),
            l2: params.real("l2"),
            max_step: params.real("max_step"),
            row_share: params.real("row_share"),
            column_share: params.real("column_share"),
            patience: optional("early_stopping"),
            validation_share: params.real("validation_share"),
        })
    }
}

impl Learner for GradientBoosting {
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
        if !(terms.focal.is_finite() && terms.focal >= 0.0) {
            return Err(StageError::Failed(format!(
                "focal power {} is not a number >= 0",
                terms.focal
            )));
        }
        if u32::try_from(task.n_rows()).is_err() {
            return Err(StageError::Failed("more than 2^32 training rows".into()));
        }
        let loss = Objective {
            kernel: Kernel::new(&task),
            task: &task,
            focal: terms.focal,
        };
        let division = self.divide(&task, context);
        let start = start(&task, &loss.kernel);
        let trees = self.boost(&loss, &start, &division, context)?;
        if trees.iter().all(|tree| tree.n_leaves() == 1) {
            context.note(Note::Degenerate(
                "no tree found a split that leaves `min_leaf` weighted rows on both sides; the model \
                 is constant"
                    .into(),
            ));
        }
        let rounds = trees.len() / loss.kernel.n_scores();
        context.details.insert("rounds".into(), rounds as f64);
        Ok(Box::new(Model {
            start,
            trees,
            n_features: task.n_features(),
            present: task.present,
            n_classes: task.n_classes,
        }))
    }
}

/// Where the scores start: at the class shares, unless the loss moves them by margins or factors.
fn start(task: &Task<'_>, kernel: &Kernel) -> Vec<f64> {
    let moved = task.margins.iter().any(|a| a.abs() > f64::EPSILON)
        || task.factors.iter().any(|d| (d - 1.0).abs() > f64::EPSILON);
    if moved {
        vec![0.0; kernel.n_scores()]
    } else {
        kernel.null_scores(&task.mass())
    }
}

/// The rows to fit on and those to watch, both ascending.
struct Division {
    inside: Vec<u32>,
    held: Vec<u32>,
}

impl GradientBoosting {
    /// Without early stopping no rows are held out; with it, the share of each class, rounded, at most
    /// half: a class of one row keeps it for the fit.
    fn divide(&self, task: &Task<'_>, context: &mut StageContext<'_>) -> Division {
        let (mut inside, mut held) = (Vec::new(), Vec::new());
        if self.patience.is_none() {
            inside.extend(numbers(task.n_rows()));
            return Division { inside, held };
        }
        let mut wanted: Vec<usize> = task
            .counts
            .iter()
            .map(|&n| portion(n, self.validation_share, 0).min(n / 2))
            .collect();
        let mut left = task.counts.clone();
        for (row, &class) in numbers(task.n_rows()).zip(&task.y) {
            let class = class as usize;
            if context.stream.random_range(0..left[class]) < wanted[class] {
                wanted[class] -= 1;
                held.push(row);
            } else {
                inside.push(row);
            }
            left[class] -= 1;
        }
        Division { inside, held }
    }

    fn boost(
        &self,
        loss: &Objective<'_>,
        start: &[f64],
        division: &Division,
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<Tree>> {
        let Division { inside, held } = division;
        let task = loss.task;
        let n_scores = start.len();
        let data = Binned::new(&task.x, &task.y, &task.weights, {
            let hb: f64 = std::env::var("HB")
                .ok()
                .and_then(|v| v.parse().ok())
                .unwrap_or(0.0);
            if hb > 0.0 {
                ((task.n_rows() as f64 / hb) as usize).clamp(32, 255)
            } else {
                255
            }
        });
        let columns = data.splittable();
        let mut scores = start.repeat(task.n_rows());
        let mut steps = vec![vec![[0.0; 2]; task.n_rows()]; n_scores];
        let mut trees: Vec<Tree> = Vec::new();
        let mut best = (loss.mean(held, &scores, n_scores), 0);
        let step = Step {
            l2: self.l2,
            min_hessian: self.min_hessian,
            max_step: self.max_step,
        };
        let even = task.weights.iter().all(|w| (w - 1.0).abs() < f64::EPSILON);
        let weights = (!even).then_some((task.y.as_slice(), task.weights.as_slice()));
        let mut room = Room::default();
        let (mut order, mut gathered) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            context.deadline.check()?;
            loss.steps(inside, &scores, &mut steps);
            let rows = sample(inside, self.row_share, &mut context.stream);
            let features = sample(&columns, self.column_share, &mut context.stream);
            for (c, steps) in steps.iter().enumerate() {
                let mut target = Newton::new(steps, weights, step, std::mem::take(&mut gathered));
                order.clone_from(&rows);
                let how = (&self.limits, features.as_slice());
                let grown = grow(&data, &mut order, &mut target, how, &mut room);
                let mut tree = grown.tree(&target);
                gathered = target.into_room();
                for value in &mut tree.values {
                    *value *= self.learning_rate;
                }
                if order.len() == task.n_rows() {
                    // Leaves come in the order of the nodes.
                    let leaves = grown.nodes.iter().zip(&grown.ranges);
                    let leaves = leaves.filter(|(node, _)| node.is_leaf());
                    for ((_, range), value) in leaves.zip(&tree.values) {
                        for &row in &order[range.clone()] {
                            scores[row as usize * n_scores + c] += value;
                        }
                    }
                } else {
                    for row in 0..task.n_rows() {
                        scores[row * n_scores + c] += tree.answer_to(&data, row)[0];
                    }
                }
                trees.push(tree);
            }
            if let Some(patience) = self.patience {
                let now = loss.mean(held, &scores, n_scores);
                if now < best.0 {
                    best = (now, round + 1);
                } else if !held.is_empty() && round + 1 - best.1 >= patience {
                    break;
                }
            }
        }
        if self.patience.is_some() && !held.is_empty() {
            // At least one round, so that there is a model to look at.
            trees.truncate(best.1.max(1) * n_scores);
        }
        Ok(trees)
    }
}

/// The loss of rows as trees see it.
struct Objective<'a> {
    kernel: Kernel,
    task: &'a Task<'a>,
    focal: f64,
}

impl Objective<'_> {
    /// Gradient, Hessian and weight of each of `rows`, by score.
    fn steps(&self, rows: &[u32], scores: &[f64], steps: &mut [Vec<[f64; 2]>]) {
        let n_scores = steps.len();
        let classes = self.task.n_present() as f64;
        let together = if n_scores == 1 {
            1.0
        } else {
            classes / (classes - 1.0)
        };
        let mut gradient = vec![0.0; n_scores];
        for &row in rows {
            let row = row as usize;
            let y = self.task.y[row] as usize;
            let w = self.task.weights[y];
            let f = &scores[row * n_scores..(row + 1) * n_scores];
            self.kernel.gradient(y, f, &mut gradient);
            let own = if n_scores == 1 { 0 } else { y };
            let scale = self.focal_scale(gradient[own].abs() / (w * self.task.factors[y]));
            for (j, (g, steps)) in gradient.iter().zip(steps.iter_mut()).enumerate() {
                // Two classes have one score, whose factor is that of the row's own class.
                let factor = self.task.factors[if n_scores == 1 { y } else { j }];
                // |gradient| is w D p, or w D (1 - p) for the row's own class: the Hessian is the same.
                let p = g.abs() / (w * factor);
                let h = together * w * factor * factor * p * (1.0 - p);
                steps[row] = [g * scale, h * scale];
            }
        }
    }

    /// What a focal power does to the gradient of a row with 1 - `p_y` = q.
    fn focal_scale(&self, q: f64) -> f64 {
        if self.focal <= 0.0 {
            return 1.0;
        }
        // q^g - g (1 - q) q^(g - 1) log(1 - q), without a pole at q = 0 for powers below 1.
        let slope = if q <= 0.0 {
            1.0
        } else if q >= 1.0 {
            0.0
        } else {
            -(1.0 - q) * (-q).ln_1p() / q
        };
        q.powf(self.focal) * (1.0 + self.focal * slope)
    }

    /// Weighted mean loss of some rows; NaN without rows.
    fn mean(&self, rows: &[u32], scores: &[f64], n_scores: usize) -> f64 {
        let mut gradient = vec![0.0; n_scores];
        let (mut sum, mut total) = (0.0, 0.0);
        for &row in rows {
            let row = row as usize;
            let y = self.task.y[row] as usize;
            let w = self.task.weights[y];
            let f = &scores[row * n_scores..(row + 1) * n_scores];
            let loss = self.kernel.loss(y, f, &mut gradient);
            let own = if n_scores == 1 { 0 } else { y };
            let q = gradient[own].abs() / (w * self.task.factors[y]);
            sum += if self.focal > 0.0 {
                loss * q.powf(self.focal)
            } else {
                loss
            };
            total += w;
        }
        sum / total
    }
}

/// `0, 1, .. n - 1`; whoever calls has checked that they fit.
fn numbers(n: usize) -> impl Iterator<Item = u32> {
    (0..).take(n)
}

/// A share of `n`, rounded to the nearest whole number of at least `least`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count lies between 0 and the count"
)]
fn portion(n: usize, share: f64, least: usize) -> usize {
    ((n as f64 * share).round() as usize).clamp(least.min(n), n)
}

/// Some of `items`, in their order, each set of that size alike. All of them cost no random number.
fn sample<T: Copy>(items: &[T], share: f64, stream: &mut Stream) -> Vec<T> {
    let mut wanted = portion(items.len(), share, 1);
    if wanted == items.len() {
        return items.to_vec();
    }
    let mut kept = Vec::with_capacity(wanted);
    for (at, &item) in items.iter().enumerate() {
        if stream.random_range(0..items.len() - at) < wanted {
            kept.push(item);
            wanted -= 1;
        }
    }
    kept
}

/// A fitted sum of trees.
#[derive(Debug)]
struct Model {
    /// Scores of every row before the first round.
    start: Vec<f64>,
    trees: Vec<Tree>,
    n_features: usize,
    present: Vec<usize>,
    n_classes: usize,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        check_scored(x, self.n_features)?;
        let n_scores = self.start.len();
        let mut log = Matrix::zeros(x.rows(), self.present.len());
        let mut f = self.start.clone();
        for i in 0..x.rows() {
            let row = x.row(i);
            f.copy_from_slice(&self.start);
            for round in self.trees.chunks_exact(n_scores) {
                for (f, tree) in f.iter_mut().zip(round) {
                    *f += tree.answer(row)[0];
                }
            }
            if n_scores == 1 {
                log.set(i, 1, f[0]);
            } else {
                log.row_mut(i).copy_from_slice(&f);
            }
        }
        Ok(Scores::logits(widen(&log, &self.present, self.n_classes))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, fit, gap, learner, offset, train, weighted};
    use counterweight_core::{Deadline, Prior, Seed, Shared, SmallClass};

    fn small() -> Vec<(&'static str, ParamValue)> {
        vec![
            ("min_leaf", ParamValue::Real(3.0)),
            ("rounds", ParamValue::Whole(40)),
        ]
    }

    /// Largest difference of log-scores.
    fn log_gap(a: &Matrix, b: &Matrix) -> f64 {
        let pairs = a.as_slice().iter().zip(b.as_slice());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn started_at_zero_the_adjusted_loss_is_post_hoc_adjustment_at_tau_one_and_no_other() {
        for counts in [&[300, 60][..], &[200, 100, 40]] {
            let k = counts.len();
            let (x, y) = blobs(31, counts, 4);
            let data = train(&x, &y, k);
            let prior = Prior::from_weights(counts.iter().map(|&n| n as f64).collect()).unwrap();
            let plain = fit(
                "gradient-boosting",
                &small(),
                &data,
                &LossTerms::cross_entropy(k),
            );
            let plain = plain.scores(&x);
            for tau in [0.5, 1.0, 2.0] {
                let o: Vec<f64> = prior.logs().iter().map(|l| tau * l).collect();
                let within = fit("gradient-boosting", &small(), &data, &offset(&o)).scores(&x);
                let mut after = plain.log().clone();
                for i in 0..after.rows() {
                    for (s, o) in after.row_mut(i).iter_mut().zip(&o) {
                        *s -= o;
                    }
                }
                let after = Scores::logits(after).unwrap();
                let gap = log_gap(within.log(), after.log());
                if (tau - 1.0).abs() < 1e-9 {
                    assert!(gap < 1e-9, "{gap:.1e}");
                } else {
                    assert!(gap > 0.01, "tau {tau}: {gap:.1e}");
                }
            }
        }
    }

    #[test]
    fn a_round_without_features_starts_at_the_weighted_shares() {
        let x = Matrix::zeros(40, 2);
        let y: Vec<u32> = (0..40).map(|i| u32::from(i >= 30)).collect();
        let data = train(&x, &y, 2);
        let fit = fit("gradient-boosting", &small(), &data, &weighted(&[1.0, 2.0]));
        assert!(fit.degenerate());
        let p = fit.scores(&x).log().at(0, 1).exp();
        assert!((p - 20.0 / 50.0).abs() < 1e-12, "{p}");
    }

    /// One tree of one split by hand: v = -G / (H + l2), both by the closed form.
    #[test]
    fn one_split_is_a_newton_step() {
        let x = Matrix::from_vec(6, 1, vec![1.0, 2.0, 3.0, 10.0, 11.0, 12.0]).unwrap();
        let y = [0, 0, 0, 0, 1, 1];
        let given = [
            ("min_leaf", ParamValue::Real(3.0)),
            ("rounds", ParamValue::Whole(1)),
            ("l2", ParamValue::Real(0.5)),
            ("learning_rate", ParamValue::Real(0.3)),
        ];
        let terms = LossTerms::cross_entropy(2);
        let fit = fit("gradient-boosting", &given, &train(&x, &y, 2), &terms);
        let p: f64 = 1.0 / 3.0;
        let start = (p / (1.0 - p)).ln();
        let h = 3.0 * p * (1.0 - p) + 0.5;
        let left = start - 0.3 * (3.0 * p) / h;
        let right = start - 0.3 * (3.0 * p - 2.0) / h;
        let found = fit.scores(&Matrix::from_vec(2, 1, vec![6.4, 6.6]).unwrap());
        for (i, expected) in [left, right].into_iter().enumerate() {
            let margin = found.log().at(i, 1) - found.log().at(i, 0);
            assert!((margin - expected).abs() < 1e-12, "{margin} {expected}");
        }
    }

    #[test]
    fn the_loss_falls_under_every_kind_of_terms_even_extreme_ones() {
        for k in [2, 3] {
            let counts = [&[400, 40][..], &[300, 100, 30]][k - 2];
            let (x, y) = blobs(33, counts, 4);
            let data = train(&x, &y, k);
            let plain = LossTerms::cross_entropy(k);
            let mut focal = plain.clone();
            focal.focal = 2.0;
            let mut weak = plain.clone();
            weak.focal = 0.5;
            let mut factors = plain.clone();
            factors.factors[k - 1] = 0.4;
            let mut far = vec![0.0; k];
            far[k - 1] = (1e-9_f64).ln();
            let heavy: Vec<f64> = (1..=k).map(|c| 10.0_f64.powf(c as f64)).collect();
            for terms in [plain, focal, weak, factors, offset(&far), weighted(&heavy)] {
                let task = Task::new(&data, &terms, HONOURS).unwrap();
                let loss = Objective {
                    kernel: Kernel::new(&task),
                    task: &task,
                    focal: terms.focal,
                };
                let all: Vec<u32> = numbers(task.n_rows()).collect();
                let mean = |rounds: i64| {
                    let given = [("rounds", ParamValue::Whole(rounds))];
                    let log = fit("gradient-boosting", &given, &data, &terms).scores(&x);
                    let f: Vec<f64> = if k == 2 {
                        log.log().iter_rows().map(|s| s[1] - s[0]).collect()
                    } else {
                        log.log().as_slice().to_vec()
                    };
                    loss.mean(&all, &f, loss.kernel.n_scores())
                };
                let path = [mean(1), mean(5), mean(30), mean(150)];
                assert!(path.is_sorted_by(|a, b| b < a), "{terms:?}: {path:?}");
            }
        }
    }

    #[test]
    fn steps_are_the_gradient_of_the_mean_loss() {
        let (x, y) = blobs(34, &[5, 4, 3], 2);
        for (k, focal) in [(2, 0.0), (2, 1.7), (3, 0.0), (3, 0.6)] {
            let y: Vec<u32> = y.iter().map(|&c| c.min(k - 1)).collect();
            let k = k as usize;
            let data = train(&x, &y, k);
            let mut terms = offset(&[0.0, -1.0, 0.7][..k]);
            terms.weights = [1.0, 2.0, 0.5][..k].to_vec();
            terms.factors = [1.0, 0.6, 1.3][..k].to_vec();
            terms.focal = focal;
            let task = Task::new(&data, &terms, HONOURS).unwrap();
            let loss = Objective {
                kernel: Kernel::new(&task),
                task: &task,
                focal,
            };
            let c = loss.kernel.n_scores();
            let scores: Vec<f64> = (0..12 * c)
                .map(|i| ((i * 7) % 5) as f64 * 0.6 - 1.2)
                .collect();
            let mut steps = vec![vec![[0.0; 2]; 12]; c];
            let all: Vec<u32> = numbers(12).collect();
            loss.steps(&all, &scores, &mut steps);
            for row in 0..12 {
                for j in 0..c {
                    let at = |shift: f64| {
                        let mut moved = scores.clone();
                        moved[row * c + j] += shift;
                        let w = task.weights[task.y[row] as usize];
                        w * loss.mean(&[u32::try_from(row).unwrap()], &moved, c)
                    };
                    let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                    let [g, h] = steps[j][row];
                    assert!((slope - g).abs() < 1e-8, "{slope} {g}");
                    assert!(h > 0.0);
                    if focal <= 0.0 {
                        let bend = (at(1e-3) - 2.0 * at(0.0) + at(-1e-3)) / 1e-6;
                        let alone = if c == 1 { h } else { h * 2.0 / 3.0 };
                        assert!((bend - alone).abs() < 1e-5, "{bend} {alone}");
                    }
                }
            }
        }
    }

    #[test]
    fn early_stopping_keeps_the_best_round_and_sampling_is_a_matter_of_the_seed() {
        let (x, y) = blobs(35, &[300, 150], 4);
        let data = train(&x, &y, 2);
        let terms = LossTerms::cross_entropy(2);
        let with = |key: &'static str, value: ParamValue| {
            let mut given = small();
            given.push((key, value));
            fit("gradient-boosting", &given, &data, &terms)
        };
        let full = fit("gradient-boosting", &small(), &data, &terms);
        let stopped = with("early_stopping", ParamValue::Whole(3));
        assert!(stopped.details["rounds"] < full.details["rounds"]);
        assert!(stopped.details["rounds"] >= 1.0);
        for key in ["row_share", "column_share"] {
            let sampled = with(key, ParamValue::Real(0.5)).scores(&x);
            assert!(gap(&sampled, &full.scores(&x)) > 1e-3, "{key}");
            assert_eq!(sampled, with(key, ParamValue::Real(0.5)).scores(&x));
        }
        for (key, value) in [
            ("max_depth", ParamValue::Whole(1)),
            ("max_leaves", ParamValue::Whole(3)),
            ("min_gain", ParamValue::Real(5.0)),
            ("l2", ParamValue::Real(5.0)),
            ("max_step", ParamValue::Real(0.5)),
            ("min_hessian", ParamValue::Real(5.0)),
        ] {
            let changed = with(key, value).scores(&x);
            assert!(gap(&changed, &full.scores(&x)) > 1e-3, "{key}");
        }
    }

    #[test]
    fn a_passed_deadline_ends_the_fit() {
        let (x, y) = blobs(36, &[30, 20], 3);
        let shared = Shared::default();
        let past = Deadline::at(std::time::Instant::now());
        std::thread::sleep(std::time::Duration::from_millis(2));
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, past, &shared);
        let ended = learner("gradient-boosting", &[]).fit(
            &train(&x, &y, 2),
            &LossTerms::cross_entropy(2),
            &mut context,
        );
        assert!(matches!(ended, Err(StageError::Timeout(_))));
    }
}
