//! Logistic regression of smartcore 0.7.0, binary and multinomial, its optimum checked.
//!
//! L-BFGS on the penalised log-likelihood; intercepts are not penalised.
//!
//! # When it helps, when it hurts
//! As the logistic regression of a widely used crate, beside `softmax-regression` and `linfa-logistic`. It
//! hurts on features that are not standardised, where its line search gives up, and in speed.
//!
//! # Formula
//! ```text
//! K = 2:  minimise sum_i log(1 + exp(f_i)) - [y_i = 1] f_i + alpha/2 |w|^2,       f = w.x + b
//! K > 2:  minimise -sum_i log softmax(f_i)_{y_i} + alpha/2 sum_k |w_k|^2
//! ```
//!
//! # Cost
//! O(n d K) an evaluation through accessors of single entries, up to 1,000 iterations. Hence the size limit of 20,000 rows.
//!
//! # Differences
//! The library's own default of `alpha` is 0, which has no optimum on separable classes; here it is that of
//! `softmax-regression`, so that the arms compare. The library only predicts classes; scores are
//! computed here from the coefficients that it found. Its log(1 + exp(f)) jumps by 3e-7 at f = 15 and its
//! multinomial loss takes the logarithm of a probability that may have underflowed, and its line search ends
//! in a panic when 1,000 halvings do not lower the loss: the panic is caught and becomes an
//! error, and the fit is checked by the exact gradient relative to its scale. Above 1e-4 the result carries a remark,
//! above 1e-2 the outcome is `degenerate`.
//!
//! # Errors
//! Features that are not finite or above 1e10, weights or margins (not applicable), coefficients that are no
//! numbers, a line search that gives up, and whatever the library reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "smartcore-logistic").unwrap();
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
//! smartcore 0.7.0, `linear/logistic_regression.rs`. Hastie, Tibshirani, Friedman (2009), The Elements of
//! Statistical Learning, 4.4.

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Params, Range, ScoreKind,
    StageContext, StageError, StageResult, Train, Workload, parameters,
};

use ::smartcore::linalg::basic::arrays::Array as _;
use ::smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

use crate::shared::library_logistic::{Linear, judge};
use crate::shared::task::Task;
use crate::smartcore::{LIBRARY, dense, failed};

const HONOURS: LossNeeds = LossNeeds::NONE;

/// Largest feature that the library is given: beyond it the line search only ever gives up.
const LARGEST: f64 = 1e10;

pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<SmartcoreLogistic>(
    "smartcore-logistic",
    "logistic regression of smartcore, binary and multinomial, its optimum checked",
    "smartcore 0.7.0",
    LearnerCaps {
        max_rows: Some(20_000),
        remark: "its line search may give up on features that are not standardised; its gradient is checked",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(_: &Params, work: &Workload) -> f64 {
    let columns = if work.n_classes == 2 {
        1.0
    } else {
        work.n_classes as f64
    };
    let d = work.n_features as f64;
    let of_one = work.n_train as f64 * columns * (d * 4e-9 + 3e-8);
    1e-4 + 60.0 * of_one + work.n_score as f64 * columns * (d * 2e-9 + 1e-8)
}

parameters! {
    /// Checked parameters.
    pub struct SmartcoreLogistic {
        /// penalty on half the squared slopes, beside the sum of losses
        alpha: f64 = 1.0, in Range::new(0.0, true, 1e10, true);
    }
}

impl Learner for SmartcoreLogistic {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let task = Task::new(train, terms, HONOURS)?;
        if let Some(constant) = task.trivial(ScoreKind::Probability, context)? {
            return Ok(Box::new(constant));
        }
        task.refuse_above(LARGEST, "smartcore's line search gives up on numbers")?;
        let x = dense(&task.x)?;
        let parameters = LogisticRegressionParameters::default().with_alpha(self.alpha);
        // The library's line search panics after 1,000 steps. It unwinds, and nothing that it touched
        // is used afterwards.
        let fit = || LogisticRegression::fit(&x, &task.y, parameters);
        let fitted = catch_unwind(AssertUnwindSafe(fit))
            .map_err(|_panic| {
                StageError::Failed(
                    "smartcore's line search gave up; standardise the features or raise `alpha`"
                        .into(),
                )
            })?
            .map_err(|e| failed(&e))?;
        let vectors = if task.n_present() == 2 {
            1
        } else {
            task.n_present()
        };
        let slopes = (0..vectors).flat_map(|k| (0..task.n_features()).map(move |j| (k, j)));
        let model = Linear {
            slopes: slopes.map(|at| *fitted.coefficients().get(at)).collect(),
            intercepts: (0..vectors)
                .map(|k| *fitted.intercept().get((k, 0)))
                .collect(),
            shape: task.shape(),
        };
        judge("smartcore", &model, &task, self.alpha, context)?;
        Ok(Box::new(model))
    }
}

#[cfg(test)]
mod tests {
    use counterweight_core::{LossTerms, Matrix, SmallClass};

    use crate::testing::{blobs, fit, gap, learner, train, try_fit};

    #[test]
    fn it_finds_the_optimum_of_softmax_regression() {
        for counts in [&[60, 20][..], &[20, 60], &[50, 30, 12]] {
            let (x, y) = blobs(33, counts, 3);
            let k = counts.len();
            let terms = LossTerms::cross_entropy(k);
            let theirs = fit("smartcore-logistic", &[], &train(&x, &y, k), &terms);
            let ours = fit("softmax-regression", &[], &train(&x, &y, k), &terms);
            assert!(theirs.notes.is_empty());
            assert!(
                gap(&theirs.scores(&x), &ours.scores(&x)) < 1e-5,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn wild_features_end_in_a_named_outcome() {
        let (x, y) = blobs(34, &[60, 20, 9], 3);
        for scale in [1e3, 1e6, 1e9, 1e12] {
            let wild = Matrix::from_fn(x.rows(), 3, |i, j| {
                x.at(i, j) * if (i + j) % 7 == 0 { scale } else { 1.0 }
            });
            let terms = LossTerms::cross_entropy(3);
            let learner = learner("smartcore-logistic", &[]);
            let data = train(&wild, &y, 3);
            match try_fit(&*learner, &data, &terms, SmallClass::Clamp) {
                Ok(fit) => {
                    let sound = fit.details["relative_gradient"] <= 1e-4;
                    assert!(sound != fit.notes.iter().any(|n| n.text().contains("gradient")));
                }
                Err(error) => assert!(error.to_string().contains("standardise"), "{error}"),
            }
        }
    }
}
