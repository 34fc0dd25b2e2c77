//! Gaussian naive Bayes of linfa-bayes 0.8.1, as it is.
//!
//! The library fits; its joint log-likelihoods are normalised here by a log-softmax.
//!
//! # When it helps, when it hurts
//! As a check of our own `gaussian-naive-bayes`, which gives the same scores without weights. It hurts where
//! weights are asked for: it honours none.
//!
//! # Formula
//! ```text
//! s_k(x) = log(n_k / n) - 1/2 sum_j [ log(2 pi v_kj) + (x_j - m_kj)^2 / v_kj ],   p = softmax(s)
//! v_kj += var_smoothing * largest variance of a feature
//! ```
//!
//! # Cost
//! O(n d) to fit, O(K d) to score a row; it copies the scored rows once a class.
//!
//! # Differences
//! The library's own probabilities take exponentials of the joint log-likelihoods without shifting
//! them, so that they are 0 / 0 far from every class or with many features; the joint
//! log-likelihoods themselves are sound, and those are used.
//!
//! # Errors
//! Features that are not finite, weights or margins (not applicable), a class whose feature has no
//! variance when `var_smoothing = 0`, and whatever the library reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "linfa-gaussian-naive-bayes").unwrap();
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
//! linfa-bayes 0.8.1, `gaussian_nb.rs`. Hand and Yu (2001), Idiot's Bayes: not so stupid after all?,
//! Int. Stat. Review 69(3).

use ::linfa::traits::Fit as _;
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Matrix, Params, Range,
    ScoreKind, Scores, StageContext, StageError, StageResult, Train, Workload, parameters,
};
use linfa_bayes::NaiveBayes as _;

use linfa_bayes::{GaussianNb, GaussianNbParams};

use crate::linfa::{LIBRARY, dataset, failed, records};
use crate::shared::task::{Shape, Task};

const HONOURS: LossNeeds = LossNeeds::NONE;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<LinfaGaussianNaiveBayes>(
    "linfa-gaussian-naive-bayes",
    "Gaussian naive Bayes of linfa, through its joint log-likelihoods",
    "linfa-bayes 0.8.1",
    LearnerCaps {
        remark: "its own probabilities underflow with many features; scored by joint log-likelihoods",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let d = work.n_features as f64;
    let scored = (work.n_score * work.n_classes) as f64;
    1e-5 + work.n_train as f64 * d * 7e-9 + scored * (d * 4.5e-9 + 6e-9)
}

parameters! {
    /// Checked parameters.
    pub struct LinfaGaussianNaiveBayes {
        /// share of the largest feature variance that is added to every variance
        var_smoothing: f64 = 1e-9, in Range::NON_NEGATIVE;
    }
}

impl Learner for LinfaGaussianNaiveBayes {
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
        if !any_feature_varies(&task.x) {
            let why = "no feature varies";
            let constant = task.shares_only(why, ScoreKind::Probability, context)?;
            return Ok(Box::new(constant));
        }
        let densities = GaussianNbParams::new()
            .var_smoothing(self.var_smoothing)
            .fit(&dataset(&task))
            .map_err(|e| failed(&e))?;
        let model = Model {
            densities,
            shape: task.shape(),
        };
        // A class without variance shows as scores that are no numbers, at the first training row as
        // at any other.
        let first = task.x.select_rows(&[0]);
        model.scores(&first).map_err(|_no_number| {
            StageError::Failed(
                "linfa: a class has a feature without variance; raise `var_smoothing`".into(),
            )
        })?;
        Ok(Box::new(model))
    }
}

fn any_feature_varies(x: &Matrix) -> bool {
    (1..x.rows()).any(|i| x.row(i) != x.row(0))
}

#[derive(Debug)]
struct Model {
    densities: GaussianNb<f64, usize>,
    shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        if x.rows() > 0 {
            // A hash map, but only looked up by key: its order does not matter.
            let joint = self.densities.joint_log_likelihood(records(x));
            for k in 0..self.shape.present.len() {
                let column = joint.get(&k).ok_or_else(|| {
                    StageError::Failed(format!("linfa: class {} is missing", self.shape.present[k]))
                })?;
                for (i, score) in column.iter().enumerate() {
                    log.set(i, k, *score);
                }
            }
        }
        self.shape.logits(&log)
    }
}
