//! Support vector machine: SMO, linear and RBF kernels, one machine a pair of classes.
//!
//! Each pair of classes gets a soft-margin machine with a cost for each row; the margins become probabilities by
//! a logistic curve that is fitted on rows that the machine did not see, and by pairwise coupling.
//!
//! # When it helps, when it hurts
//! On some hundred to some thousand rows with a smooth boundary of any shape, and where only the rows near the
//! boundary should count. It hurts on many rows (the cost is quadratic) and under strong imbalance without class
//! weights: the rare class then lies wholly inside the margin and the machine predicts the other one.
//!
//! # Formula
//! ```text
//! for each pair a < b, y = +1 for rows of b and -1 for rows of a:
//! minimise 1/2 |w|^2 + sum_i C_i max(0, 1 - y_i f(x_i)),   f = w.phi(x) + bias,   C_i = c * class weight
//! linear: phi(x) = x      rbf: phi(x).phi(z) = exp(-gamma |x - z|^2)
//! platt:   P(b | a or b) = 1 / (1 + exp(-(A f + B))), A and B fitted on out-of-fold margins, weighted like the rows;
//!          K > 2: p minimises sum_ij (r_ji p_i - r_ij p_j)^2, r the pairwise probabilities
//! margins: K = 2: log-scores (0, f)
//!          K > 2: log-scores votes_k + s_k / (3 (|s_k| + 1)), s_k the sum of the class's margins
//! ```
//!
//! # Cost
//! O(n) a step and about n steps on overlapping classes, plus O(n^2 d) for kernel rows, kept up to 128 MiB;
//! `platt` solves once more for each fold. O(support d) to score a row. Hence the size limit of 10,000 rows.
//!
//! # Differences
//! From scikit-learn's `SVC` (libsvm): the machines are the same (`gamma` left out is its `scale`; no shrinking,
//! which changes no solution). Its `probability=True` fits the logistic curve on unweighted rows whatever the class
//! weights; here its likelihood is weighted as the machine is, so that the scores have the prior of the weighted rows
//! as they do for every other learner. Every row that can be held out is, in stratified folds from the learner's own
//! stream; the only row of a class cannot, keeps the margin of the machine itself, and the outcome is `clamped`.
//! Labels follow the probabilities; with `margins` they are libsvm's votes, ties broken by the sums of
//! margins (scikit-learn's `break_ties`). Log-scores of `margins` order the classes as the machine does but are not
//! calibrated: calibrate them before any rule that uses probabilities (the cell's reason says so).
//!
//! # Errors
//! Features that are not finite, margins and other terms (not applicable), kernel values that overflow, and a
//! solver out of time.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "svm").unwrap();
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
//! Cortes and Vapnik (1995), Support-vector networks, Machine Learning 20(3). Fan, Chen, Lin (2005), Working
//! set selection using second order information for training support vector machines, JMLR 6. Lin, Lin, Weng
//! (2007), A note on Platt's probabilistic outputs for support vector machines, Machine Learning 68(3). Wu, Lin,
//! Weng (2004), Probability estimates for multi-class classification by pairwise coupling, JMLR 5.

use crate::shared::svm::space::KernelName;
use counterweight_core::groups::deal_groups;
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Note, ParamError,
    Params, Range, ScoreKind, Scores, StageContext, StageError, StageResult, Stream, Train,
    Workload, limit, parameters, words,
};
use rand::seq::SliceRandom as _;

use crate::shared::footprint::Size;
use crate::shared::svm::platt::{couple, sigmoid};
use crate::shared::svm::space::Space;
use crate::shared::task::{Shape, Task};
use counterweight_numeric::kernel_rows::{CACHE_BYTES, Kernel, KernelRows};
use counterweight_numeric::linalg::{add_scaled, dot};
use counterweight_numeric::smo::{Solution, solve};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<Svm>(
    "svm",
    "support vector machine, linear or RBF kernel, one-vs-one, Platt probabilities",
    "Cortes and Vapnik 1995, Machine Learning 20(3); Fan et al. 2005, JMLR 6",
    LearnerCaps {
        max_rows: Some(10_000),
        remark: "cross-fitted Platt scores; `probability = \"margins\"` gives uncalibrated log-scores",
        footprint: |_, work| {
            let size = Size::of(work);
            let pair = if work.n_classes > 2 {
                0.8 * size.n
            } else {
                size.n
            };
            let rows = (6.4 * pair * pair).min(CACHE_BYTES as f64);
            size.footprint(size.rows(), rows + size.rows())
        },
        ..LearnerCaps::new("own", HONOURS, cost)
    },
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let (k, d) = (work.n_classes.max(2) as f64, work.n_features as f64);
    let pairs = k * (k - 1.0) / 2.0;
    let n = 2.0 * work.n_train as f64 / k;
    let solves = match params.text("probability") {
        "platt" => 1.0 + params.whole("folds") as f64,
        _ => 1.0,
    };
    let of_kernel = 1.2e-8 + d * 5e-10;
    let scored = 0.5 * work.n_train as f64 * work.n_score as f64 * of_kernel;
    1e-4 + pairs * n * n * (0.7 * of_kernel + solves * 2e-9) + scored
}

words! {
    /// What the scores are.
    pub enum Probability {
        /// The margins as they are.
        Margins = "margins",
        /// Calibrated log-probabilities.
        Platt = "platt",
    }
}

fn width(method: &Svm) -> Result<(), ParamError> {
    method.kernel.check("gamma", method.gamma)
}

parameters! {
    /// Checked parameters.
    pub struct Svm {
        /// cost of a margin violation, times the class weight
        c: f64 = 1.0, in Range::new(1e-6, true, 1e6, true);
        /// folds of the out-of-fold margins that probabilities are fitted on
        folds: usize = 5, in Range::new(2.0, true, 20.0, true);
        /// inverse squared width of the RBF kernel; left out: 1 / (features * variance)
        gamma: f64, in Range::new(1e-9, true, 1e9, true);
        /// kernel
        kernel: KernelName = "rbf";
        /// log-scores are calibrated log-probabilities, or the margins as they are
        probability: Probability = "platt";
        /// violation of the optimality conditions at which it stops
        tolerance: f64 = 1e-3, in Range::new(1e-10, true, 1.0, true);
    }
    check width
}

impl Learner for Svm {
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
        let Some(space) = Space::new(&task.x, self.kernel.of_width(self.gamma))? else {
            let why = if task.n_features() == 0 {
                "there are no features"
            } else {
                "every feature is constant"
            };
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        };
        let x = space.apply(&task.x);
        if !(self.probability == Probability::Platt) {
            context.note(Note::Remark(
                "scores are margins and not calibrated probabilities".into(),
            ));
        }
        let (machines, used) = self.machines(&task, &x, space.kernel, context)?;
        context.detail("support_vectors", used.len() as f64);
        Ok(Box::new(Model {
            support: x.select_rows(&used),
            space,
            machines,
            platt: self.probability == Probability::Platt,
            shape: task.shape(),
        }))
    }
}

/// The machine of classes a < b, both among the present ones.
#[derive(Debug)]
struct Machine {
    a: usize,
    b: usize,
    /// Rows of the model's support with their coefficients.
    coefficients: Vec<(usize, f64)>,
    /// Slopes, for the linear kernel.
    slopes: Option<Vec<f64>>,
    bias: f64,
    /// Slope and intercept of the log odds of b; 1 and 0 without calibration.
    curve: (f64, f64),
}

impl Svm {
    /// The machines of all pairs, and the rows that any of them is supported by.
    fn machines(
        &self,
        task: &Task<'_>,
        x: &Matrix,
        kernel: Kernel,
        context: &mut StageContext<'_>,
    ) -> StageResult<(Vec<Machine>, Vec<usize>)> {
        let mut machines = Vec::new();
        let mut used = vec![false; task.n_rows()];
        let (mut steps, mut objective, mut violation) = (0, 0.0, 0.0_f64);
        for a in 0..task.n_present() {
            for b in a + 1..task.n_present() {
                context.deadline.check()?;
                let rows: Vec<usize> = (0..task.n_rows())
                    .filter(|&i| [a, b].contains(&(task.y[i] as usize)))
                    .collect();
                let pair = Pair {
                    x: &x.select_rows(&rows),
                    y: rows
                        .iter()
                        .map(|&i| if task.y[i] as usize == b { 1.0 } else { -1.0 })
                        .collect(),
                    weights: rows
                        .iter()
                        .map(|&i| task.weights[task.y[i] as usize] * task.own(i))
                        .collect(),
                    groups: (task.groups.as_ref())
                        .map(|groups| rows.iter().map(|&i| groups[i]).collect()),
                };
                let (solution, curve) = self.pair(&pair, kernel, context)?;
                steps += solution.steps;
                objective += solution.objective;
                violation = violation.max(solution.violation);
                let support = || {
                    let all = rows.iter().zip(&solution.beta);
                    all.filter(|(_, beta)| beta.abs() > 0.0)
                };
                let slopes = (kernel == Kernel::Linear).then(|| {
                    let mut slopes = vec![0.0; x.cols()];
                    for (&row, &beta) in support() {
                        add_scaled(&mut slopes, beta, x.row(row));
                    }
                    slopes
                });
                for (&row, _) in support() {
                    used[row] = true;
                }
                machines.push(Machine {
                    a,
                    b,
                    coefficients: support().map(|(&row, &beta)| (row, beta)).collect(),
                    slopes,
                    bias: solution.bias,
                    curve,
                });
            }
        }
        if violation >= self.tolerance {
            context.note(Note::Remark(format!(
                "the solver stopped after its largest number of steps at a violation of {violation:.1e}"
            )));
        }
        context.detail("svm_steps", steps as f64);
        context.detail("svm_dual_objective", objective);
        // From rows of the training set to rows of the support.
        let kept: Vec<usize> = (0..used.len()).filter(|&i| used[i]).collect();
        let mut place = vec![0; used.len()];
        for (at, &row) in kept.iter().enumerate() {
            place[row] = at;
        }
        for machine in &mut machines {
            for (row, _) in &mut machine.coefficients {
                *row = place[*row];
            }
        }
        Ok((machines, kept))
    }

    /// The machine of one pair, and the curve of its log odds.
    fn pair(
        &self,
        pair: &Pair<'_>,
        kernel: Kernel,
        context: &mut StageContext<'_>,
    ) -> StageResult<(Solution, (f64, f64))> {
        let mut rows = KernelRows::new(kernel, pair.x);
        let costs: Vec<f64> = pair.weights.iter().map(|w| self.c * w).collect();
        let deadline = context.deadline;
        let solution = solve(&mut rows, &pair.y, &costs, self.tolerance, &deadline)?;
        if !(self.probability == Probability::Platt) {
            return Ok((solution, (1.0, 0.0)));
        }
        let mut margins = solution.margins.clone();
        let (fold_of, single) = self.dealt(pair, &mut context.stream);
        if single {
            let what = if pair.groups.is_some() {
                "group"
            } else {
                "row"
            };
            context.clamp(format!(
                "a class with a single {what} cannot be held out: its margin is that of the machine itself"
            ))?;
        }
        for fold in 0..self.folds {
            let held: Vec<usize> = (0..fold_of.len())
                .filter(|&i| fold_of[i] == Some(fold))
                .collect();
            if held.is_empty() {
                continue;
            }
            let mut inside = costs.clone();
            for &i in &held {
                inside[i] = 0.0;
            }
            let part = solve(&mut rows, &pair.y, &inside, self.tolerance, &deadline)?;
            for &i in &held {
                margins[i] = part.margins[i];
            }
        }
        let positive: Vec<bool> = pair.y.iter().map(|y| *y > 0.0).collect();
        Ok((solution, sigmoid(&margins, &positive, &pair.weights)))
    }

    /// The fold that holds each row out, stratified and never dividing a group; `None` for the only row of a
    /// class, and for rows without which a class would have none. Also says whether there is such a row.
    fn dealt(&self, pair: &Pair<'_>, stream: &mut Stream) -> (Vec<Option<usize>>, bool) {
        let y = &pair.y;
        if let Some(groups) = &pair.groups {
            let classes: Vec<u32> = y.iter().map(|y| u32::from(*y > 0.0)).collect();
            let fold = deal_groups(&classes, groups, self.folds, stream);
            let robs = |own: usize| {
                [0, 1].iter().any(|class| {
                    let mut rows = classes.iter().zip(&fold).filter(|(of, _)| *of == class);
                    rows.all(|(_, fold)| *fold == own)
                })
            };
            let robs: Vec<bool> = (0..self.folds).map(robs).collect();
            let fold_of = fold.into_iter().map(|fold| (!robs[fold]).then_some(fold));
            return (fold_of.collect(), robs.contains(&true));
        }
        let mut fold_of = vec![None; y.len()];
        let mut single = false;
        for sign in [-1.0, 1.0] {
            let mut rows: Vec<usize> = (0..y.len()).filter(|&i| y[i] * sign > 0.0).collect();
            if rows.len() == 1 {
                single = true;
                continue;
            }
            rows.shuffle(stream);
            for (at, row) in rows.into_iter().enumerate() {
                fold_of[row] = Some(at % self.folds);
            }
        }
        (fold_of, single)
    }
}

/// The rows of two classes.
struct Pair<'a> {
    x: &'a Matrix,
    /// 1 for the higher class, -1 for the lower.
    y: Vec<f64>,
    weights: Vec<f64>,
    groups: Option<Vec<u32>>,
}

#[derive(Debug)]
struct Model {
    /// Rows that support some machine.
    support: Matrix,
    space: Space,
    machines: Vec<Machine>,
    platt: bool,
    shape: Shape,
}

impl Model {
    /// The margin of each machine.
    fn margins(&self, row: &[f64]) -> Vec<f64> {
        let kernel = self.space.kernel;
        let values: Vec<f64> = match kernel {
            Kernel::Linear => Vec::new(),
            Kernel::Rbf { .. } => {
                let support = self.support.iter_rows();
                support.map(|s| kernel.value(s, row)).collect()
            }
        };
        let margin = |machine: &Machine| {
            let sum = if let Some(slopes) = &machine.slopes {
                dot(slopes, row)
            } else {
                let terms = machine.coefficients.iter();
                terms.map(|&(at, beta)| beta * values[at]).sum()
            };
            sum + machine.bias
        };
        self.machines.iter().map(margin).collect()
    }

    /// Log-scores of the present classes, up to a constant.
    fn log_scores(&self, margins: &[f64], log: &mut [f64]) {
        let odds: Vec<f64> = self
            .machines
            .iter()
            .zip(margins)
            .map(|(machine, f)| machine.curve.0 * f + machine.curve.1)
            .collect();
        let k = log.len();
        if k == 2 {
            log.copy_from_slice(&[0.0, odds[0]]);
        } else if self.platt {
            // Machines stand in the order of their pairs: (0, 1), (0, 2), ..., (1, 2), ...
            let at = |i: usize, j: usize| i * (2 * k - i - 1) / 2 + j - i - 1;
            let p = couple(k, |i, j| 1.0 / (1.0 + odds[at(i, j)].exp()));
            for (log, p) in log.iter_mut().zip(p) {
                *log = p.ln();
            }
        } else {
            let mut sums = vec![0.0; k];
            log.fill(0.0);
            for (machine, f) in self.machines.iter().zip(&odds) {
                let winner = if *f > 0.0 { machine.b } else { machine.a };
                log[winner] += 1.0;
                sums[machine.b] += f;
                sums[machine.a] -= f;
            }
            for (log, s) in log.iter_mut().zip(&sums) {
                *log += s / (3.0 * (s.abs() + 1.0));
            }
        }
    }
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let x = self.space.apply(x);
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        for i in 0..x.rows() {
            limit::ask_at(i);
            let margins = self.margins(x.row(i));
            if margins.iter().any(|f| !f.is_finite()) {
                return Err(StageError::Failed(format!(
                    "the margin of scored row {i} overflows; standardise the features"
                )));
            }
            self.log_scores(&margins, log.row_mut(i));
        }
        self.shape.logits(&log)
    }
}

#[cfg(test)]
#[path = "../facts/svm.rs"]
mod tests;
