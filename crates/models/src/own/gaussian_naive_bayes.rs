//! Gaussian naive Bayes: a normal density for each class and feature, multiplied as if independent.
//!
//! Closed form, one pass for means and one for variances, all densities in logarithms.
//!
//! # When it helps, when it hurts
//! With few rows and many features, and as a model whose scores react to a change of prior exactly as
//! theory says: class weights, uniform priors and post-hoc logit adjustment at tau = 1 decide alike.
//! It hurts where features are correlated (probabilities pile up near 0 and 1) or not bell-shaped.
//!
//! # Formula
//! ```text
//! s_k(x) = log pi_k - 1/2 sum_j [ log(2 pi v_kj) + (x_j - m_kj)^2 / v_kj ],   p = softmax(s)
//! pi_k = w_k n_k / sum_l w_l n_l      m_kj, v_kj: mean and variance of the rows of k (divisor: their number)
//! v_kj += var_smoothing * largest variance of a feature over all rows, each counted once
//! ```
//!
//! # Cost
//! O(n d) to fit, O(K d) to score a row, O(K d) memory.
//!
//! # Differences
//! From scikit-learn: the same numbers. Weights that are constant within a class change the class mass only:
//! neither moments nor smoothing know them, so that weights and a change of the prior give the same log
//! scores up to one constant a class. (A class whose rows are all doubled has another smoothing.) Where
//! no feature varies at all, scikit-learn gives NaN; here the model knows the class shares alone and is
//! marked degenerate.
//!
//! The default smoothing gives scores without meaning where a column is constant within a class, as
//! indicator columns are: choose it inside the fold (`select`) where probabilities are judged.
//!
//! # Errors
//! Features that are not finite, margins (not applicable), a class whose feature has no variance when
//! `var_smoothing = 0`, and rows to be scored that lie beyond the range of squares.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "gaussian-naive-bayes").unwrap();
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
//! Hand and Yu (2001), Idiot's Bayes: not so stupid after all?, Int. Stat. Review 69(3). Chan, Golub
//! and `LeVeque` (1983), Algorithms for computing the sample variance, The American Statistician 37(3).

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, limit, parameters,
};

use crate::shared::footprint::Size;
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds {
    weights: true,
    row_weights: true,
    ..LossNeeds::NONE
};

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<GaussianNaiveBayes>(
    "gaussian-naive-bayes",
    "independent normal densities per class; weights act on the priors",
    "Hand and Yu 2001, Int. Stat. Review 69(3)",
    LearnerCaps::new("own", HONOURS, cost).taking(|_, work| {
        let size = Size::of(work);
        size.footprint(0.0, 12.0 * size.n)
    }),
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let d = work.n_features as f64;
    let scored = (work.n_score * work.n_classes) as f64;
    1e-5 + work.n_train as f64 * d * 4e-9 + scored * (d * 1.5e-9 + 1e-8)
}

parameters! {
    /// Checked parameters.
    pub struct GaussianNaiveBayes {
        /// share of the largest feature variance that is added to every variance
        var_smoothing: f64 = 1e-9, in Range::NON_NEGATIVE;
    }
}

impl Learner for GaussianNaiveBayes {
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
        let largest = largest_variance(&task);
        if !largest.is_finite() {
            return Err(StageError::Failed(
                "a feature's variance overflows; standardise the features".into(),
            ));
        }
        if largest <= 0.0 {
            let why = "no feature varies";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        let (means, mut variances) = moments(&task);
        let added = self.var_smoothing * largest;
        let mut constants = vec![0.0; task.n_present()];
        let total: f64 = task.mass().iter().sum();
        for (k, mass) in task.mass().into_iter().enumerate() {
            let mut log_scale = 0.0;
            for (j, v) in variances.row_mut(k).iter_mut().enumerate() {
                *v += added;
                if *v <= 0.0 {
                    return Err(StageError::Failed(format!(
                        "feature {j} does not vary in class {}; raise `var_smoothing` above 0",
                        task.present[k]
                    )));
                }
                log_scale += (std::f64::consts::TAU * *v).ln();
            }
            constants[k] = (mass / total).ln() - 0.5 * log_scale;
        }
        Ok(Box::new(Model {
            constants,
            means,
            variances,
            shape: task.shape(),
        }))
    }
}

/// The largest variance of a feature over all rows, whatever their classes weigh; 0 without features.
fn largest_variance(task: &Task<'_>) -> f64 {
    let d = task.n_features();
    let n: f64 = task.masses().iter().sum();
    let mut mean = vec![0.0; d];
    let mut variance = vec![0.0; d];
    let rows = || {
        (0..task.n_rows()).map(|i| {
            limit::ask_at(i);
            (task.x.row(i), task.own(i))
        })
    };
    for (row, own) in rows() {
        for (m, x) in mean.iter_mut().zip(row) {
            *m += own * x;
        }
    }
    for m in &mut mean {
        *m /= n;
    }
    for (row, own) in rows() {
        for ((v, x), m) in variance.iter_mut().zip(row).zip(&mean) {
            *v += own * ((x - m) * (x - m));
        }
    }
    // Rounding leaves a constant column with a mean that is off by a few last bits: that is no
    // variance.
    variance
        .iter()
        .zip(&mean)
        .map(|(v, m)| {
            let noise = 4.0 * f64::EPSILON * m;
            let v = v / n;
            if v > noise * noise || v.is_nan() {
                v
            } else {
                0.0
            }
        })
        .fold(0.0, |most, v| if v > most || v.is_nan() { v } else { most })
}

/// Means and variances of each present class: two passes, so that large means cost no digits. A class
/// has one weight, which cancels in its own moments.
fn moments(task: &Task<'_>) -> (Matrix, Matrix) {
    let mut means = Matrix::zeros(task.n_present(), task.n_features());
    let mut variances = means.clone();
    for (i, &class) in task.y.iter().enumerate() {
        limit::ask_at(i);
        let own = task.own(i);
        for (m, x) in means.row_mut(class as usize).iter_mut().zip(task.x.row(i)) {
            *m += own * x;
        }
    }
    for (k, &n) in task.masses().iter().enumerate() {
        for m in means.row_mut(k) {
            *m /= n;
        }
    }
    for (i, &class) in task.y.iter().enumerate() {
        limit::ask_at(i);
        let class = class as usize;
        let own = task.own(i);
        let spread = variances.row_mut(class).iter_mut();
        for ((v, x), m) in spread.zip(task.x.row(i)).zip(means.row(class)) {
            *v += own * ((x - m) * (x - m));
        }
    }
    for (k, &n) in task.masses().iter().enumerate() {
        for v in variances.row_mut(k) {
            *v /= n;
        }
    }
    (means, variances)
}

/// A fitted Gaussian naive Bayes.
#[derive(Debug)]
struct Model {
    /// log prior minus half the log determinant, by present class.
    constants: Vec<f64>,
    means: Matrix,
    variances: Matrix,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        for i in 0..x.rows() {
            limit::ask_at(i);
            let row = x.row(i);
            for (k, s) in log.row_mut(i).iter_mut().enumerate() {
                let parameters = self.means.row(k).iter().zip(self.variances.row(k));
                let squares: f64 = row
                    .iter()
                    .zip(parameters)
                    .map(|(x, (m, v))| (x - m) * (x - m) / v)
                    .sum();
                *s = self.constants[k] - 0.5 * squares;
            }
            if !log.row(i).iter().any(|s| s.is_finite()) {
                return Err(StageError::Failed(format!(
                    "scored row {i} is so far from every class that its density underflows even as \
                     a logarithm; standardise the features"
                )));
            }
        }
        self.shape.logits(&log)
    }
}
