//! Logistic regression of linfa-logistic 0.8.1, as it is, with its optimum checked.
//!
//! Two classes take the library's binary model, more its multinomial one.
//!
//! # When it helps, when it hurts
//! As a check of our own `softmax-regression`: the same objective, so the same optimum where it
//! converges. It hurts on unscaled features or outlying rows, where the multinomial model can stop at a wrong
//! optimum without saying so, and wherever weights or margins are asked for: it honours none.
//!
//! # Formula
//! ```text
//! minimise  - sum_i log p(y_i | x_i) + alpha / 2 * (sum of squared slopes)
//! ```
//! The loss is a SUM over rows and intercepts are not penalised, so `alpha` is our `l2`. With two
//! classes there is one slope vector, otherwise one a class. Minimised by L-BFGS from zero until the
//! gradient's Euclidean norm falls below `gradient_tolerance`.
//!
//! # Cost
//! O(n d K) an evaluation, two or three evaluations an iteration (value and gradient apart).
//!
//! # Differences
//! The library's binary probabilities are those of the class with more rows (of the first row's class on a tie),
//! and its multinomial loss shifts its log-sum-exp by the largest score of the whole batch and floors what
//! is left, which is wrong for rows some 35 below the largest score. So the fit is checked: with the coefficients
//! that it returns we compute the exact gradient relative to its scale (as in `softmax-regression`).
//! Above 1e-4 the result carries a remark, above 1e-2 the outcome is `degenerate`. Scores are computed
//! from the coefficients in logarithms.
//!
//! # Errors
//! Features that are not finite or above 1e10 (the library's line search would not end), weights or
//! margins (not applicable), coefficients that are no numbers, and whatever the library reports.
//!
//! # Examples
//! ```
//! use counterweight_core::*;
//! # use std::collections::BTreeMap;
//! let entry = find(counterweight_models::ALL, "linfa-logistic").unwrap();
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
//! linfa-logistic 0.8.1, `lib.rs`. Hastie, Tibshirani, Friedman (2009), The Elements of Statistical
//! Learning, 4.4.

use ::linfa::traits::Fit as _;
use counterweight_core::{
    Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms, Params, Range, ScoreKind,
    StageContext, StageResult, Train, Workload, parameters,
};

use linfa_logistic::{LogisticRegression, MultiLogisticRegression};

use crate::linfa::{LIBRARY, dataset, failed};
use crate::shared::library_logistic::{Linear, judge};
use crate::shared::task::Task;

const HONOURS: LossNeeds = LossNeeds::NONE;

/// Largest feature that the library is given. Its line search has no limit of iterations and was seen
/// not to end on features of 1e30 and 1e150 (never in hundreds of fits up to 1e20); neither
/// `catch_unwind` nor a deadline between iterations could stop it.
const LARGEST: f64 = 1e10;
/// Largest penalty, for the same reason.
const LARGEST_ALPHA: f64 = 1e10;
pub(crate) const ENTRY: LearnerEntry = LearnerEntry::of::<LinfaLogistic>(
    "linfa-logistic",
    "logistic regression of linfa, binary and multinomial, its optimum checked",
    "linfa-logistic 0.8.1",
    LearnerCaps {
        remark: "can return a wrong optimum as right on outlying rows: its gradient is checked",
        ..LearnerCaps::new(LIBRARY, HONOURS, cost)
    },
);

fn cost(params: &Params, work: &Workload) -> f64 {
    let columns = if work.n_classes == 2 {
        1
    } else {
        work.n_classes
    } as f64;
    let d = work.n_features as f64;
    let iterations = 0.5 * (params.whole("max_iterations") as f64).min(60.0);
    let of_one = work.n_train as f64 * columns * (d + 5.0) * 7.4e-9;
    1e-4 + iterations * of_one + work.n_score as f64 * columns * (d * 2e-9 + 1e-8)
}

parameters! {
    /// Checked parameters.
    pub struct LinfaLogistic {
        /// penalty on half the squared slopes, beside the sum of losses
        alpha: f64 = 1.0, in Range::new(0.0, true, LARGEST_ALPHA, true);
        /// norm of the gradient at which it stops, absolute
        gradient_tolerance: f64 = 1e-4, in Range::POSITIVE;
        /// iterations of L-BFGS
        max_iterations: usize = 100, in Range::AT_LEAST_ONE;
    }
}

impl Learner for LinfaLogistic {
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
        task.refuse_above(LARGEST, "linfa's line search may not end on numbers")?;
        let model = if task.n_present() == 2 {
            self.binary(&task)?
        } else {
            self.multinomial(&task)?
        };
        judge("linfa", &model, &task, self.alpha, context)?;
        Ok(Box::new(model))
    }
}

impl LinfaLogistic {
    fn binary(&self, task: &Task<'_>) -> StageResult<Linear> {
        let data = dataset(task);
        let fitted = LogisticRegression::default()
            .alpha(self.alpha)
            .max_iterations(self.max_iterations as u64)
            .gradient_tolerance(self.gradient_tolerance)
            .fit(&data)
            .map_err(|e| failed(&e))?;
        // The coefficients speak for the class that the library calls positive, the larger one.
        let sign = if fitted.labels().pos.class == 1 {
            1.0
        } else {
            -1.0
        };
        let slopes = fitted.params().iter().map(|w| sign * w).collect();
        Ok(Linear {
            slopes,
            intercepts: vec![sign * fitted.intercept()],
            shape: task.shape(),
        })
    }

    fn multinomial(&self, task: &Task<'_>) -> StageResult<Linear> {
        let data = dataset(task);
        let fitted = MultiLogisticRegression::default()
            .alpha(self.alpha)
            .max_iterations(self.max_iterations as u64)
            .gradient_tolerance(self.gradient_tolerance)
            .fit(&data)
            .map_err(|e| failed(&e))?;
        let slopes = fitted.params().t().iter().copied().collect();
        Ok(Linear {
            slopes,
            intercepts: fitted.intercept().to_vec(),
            shape: task.shape(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::library_logistic::REMARKABLE;
    use crate::testing::{blobs, fit, train};
    use counterweight_core::{Note, ParamValue};

    #[test]
    fn a_wrong_optimum_is_degenerate_and_an_early_stop_a_remark() {
        let (mut x, y) = blobs(31, &[200, 170, 130], 5);
        let terms = LossTerms::cross_entropy(3);
        let sound = fit("linfa-logistic", &[], &train(&x, &y, 3), &terms);
        assert!(sound.notes.is_empty() && sound.details["relative_gradient"] < REMARKABLE);
        let one = [("max_iterations", ParamValue::Whole(5))];
        let early = fit("linfa-logistic", &one, &train(&x, &y, 3), &terms);
        assert!(matches!(early.notes.as_slice(), [Note::Remark(_)]));
        // One outlying row: the library returns Ok.
        for value in x.row_mut(3) {
            *value *= 100.0;
        }
        let wrong = fit("linfa-logistic", &[], &train(&x, &y, 3), &terms);
        assert!(matches!(
            wrong.notes.as_slice(),
            [Note::Degenerate(text)] if text.contains("wrong optimum")
        ));
    }

    #[test]
    fn binary_probabilities_belong_to_the_right_class_whichever_is_larger() {
        for counts in [[60, 20], [20, 60], [40, 40]] {
            let (x, y) = blobs(32, &counts, 2);
            let terms = LossTerms::cross_entropy(2);
            let scores = fit("linfa-logistic", &[], &train(&x, &y, 2), &terms).scores(&x);
            let ours = fit("softmax-regression", &[], &train(&x, &y, 2), &terms).scores(&x);
            assert!(crate::testing::gap(&scores, &ours) < 1e-4, "{counts:?}");
        }
    }
}
