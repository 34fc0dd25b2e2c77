//! A fixed threshold on the probability of the positive class, for two classes.
//!
//! # When it helps, when it hurts
//!
//! Where the costs of the two errors are known, the threshold follows from them and needs no
//! tuning. A number taken over from other data ("0.2 instead of 0.5") is right only by luck: the
//! threshold for balanced error is the prior of the positive class, see
//! [`prior_threshold`](super::prior_threshold).
//!
//! # Formula
//!
//! Positive if `p >= t`, with p the probability of the rarer class among the training rows (of two
//! equal ones: that which is rarer in the whole table, else the second).
//!
//! # Cost
//!
//! O(1) a row.
//!
//! # Differences
//!
//! As scikit-learn's `FixedThresholdClassifier`, but the positive class is the rarer one and not
//! the second.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] for more than two classes; [`StageError::Failed`] without training
//! rows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, DecideContext, Matrix, ParamValue, Scores, find, params};
//! let entry = find(counterweight_corrections::decide::ALL, "threshold").expect("it is listed");
//! let given = [("t".to_owned(), ParamValue::Real(0.2))].into();
//! let params = params::check(entry.card.params, &given).expect("0.2 is in range");
//! let train = ClassCounts::new(vec![90, 10]);
//! let context = DecideContext { scores_prior: None, train: &train };
//! let fitted = (entry.build)(&params)?.fit(&context, None)?;
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.7, 0.3, 0.9, 0.1])?)?;
//! assert_eq!(fitted.rule.decide(&scores)?.as_slice(), [1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, FittedRule, OffsetLine,
    OffsetRule, Range, RuleCaps, StageError, StageResult, parameters,
};

parameters! {
    /// A fixed threshold, checked.
    pub struct Threshold {
        /// least probability of the rarer class at which it is decided
        t: f64 = 0.5, in Range::OPEN_UNIT, probe [0.2];
    }
}

impl Decision for Threshold {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            binary: true,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _calib: Option<&Calib>) -> StageResult<FittedRule> {
        let positive = positive(context)?;
        let mut offsets = vec![0.0; 2];
        offsets[positive] = self.t.ln() - (-self.t).ln_1p();
        Ok(FittedRule {
            rule: Box::new(OffsetRule::new(offsets, context.train)),
            details: Details::from([("threshold".to_owned(), self.t)]),
            notes: Vec::new(),
        })
    }

    fn line(&self, context: &DecideContext<'_>) -> StageResult<Option<OffsetLine>> {
        let mut step = vec![0.0; 2];
        step[positive(context)?] = 1.0;
        Ok(Some(OffsetLine {
            parameter: "t",
            at: vec![0.0; 2],
            step,
            place: |t| t.ln() - (-t).ln_1p(),
        }))
    }
}

/// The positive class: the rarer one.
fn positive(context: &DecideContext<'_>) -> StageResult<usize> {
    let n_classes = context.train.n_classes();
    if n_classes != 2 {
        return Err(StageError::NotApplicable(format!(
            "a threshold is for two classes, found {n_classes}; try `prior-threshold`"
        )));
    }
    context
        .train
        .rarest()
        .ok_or_else(|| StageError::Failed("no training rows to find the positive class in".into()))
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<Threshold>(
    "threshold",
    "two classes: positive when the rarer class's probability reaches t",
    "Elkan 2001",
    RuleCaps::THRESHOLDING,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, real};
    use counterweight_core::{ClassCounts, Matrix, Scores};

    fn decided(t: f64, train: &[usize], p_of_class_1: f64) -> u32 {
        let train = ClassCounts::new(train.to_vec());
        let context = DecideContext {
            scores_prior: None,
            train: &train,
        };
        let fitted = built(&ENTRY, &[("t", real(t))])
            .fit(&context, None)
            .unwrap();
        let p = Matrix::from_vec(1, 2, vec![1.0 - p_of_class_1, p_of_class_1]).unwrap();
        let scores = Scores::probabilities(p).unwrap();
        fitted.rule.decide(&scores).unwrap().as_slice()[0]
    }

    #[test]
    fn the_positive_class_is_the_rarer_one() {
        assert_eq!(decided(0.2, &[90, 10], 0.3), 1);
        assert_eq!(decided(0.2, &[90, 10], 0.1), 0);
        assert_eq!(decided(0.2, &[10, 90], 0.7), 0);
        assert_eq!(decided(0.2, &[10, 90], 0.9), 1);
        assert_eq!(decided(0.2, &[50, 50], 0.3), 1);
    }

    #[test]
    fn a_tie_goes_to_the_rarer_class() {
        for t in [0.2, 0.5, 0.8] {
            assert_eq!(decided(t, &[90, 10], t), 1);
            assert_eq!(decided(t, &[10, 90], 1.0 - t), 0);
            assert_eq!(decided(t, &[50, 50], t), 1);
        }
    }
}
