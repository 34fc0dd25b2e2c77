//! Prior shift: the probabilities as they would be under another prior, and their largest.
//!
//! # When it helps, when it hurts
//!
//! For rows that will come in other proportions than the training rows, or that were trained on in
//! other proportions: after undersampling, `target = "train"` brings the probabilities back to the
//! shares that the data had (Dal Pozzolo's correction). `target = "uniform"` is the rule for balanced
//! error. It assumes that only the class shares moved, not what a class looks like, and that the
//! scores' prior is what it says; probabilities of exactly 0 and 1 do not move.
//!
//! # Formula
//!
//! `p'_y = p_y t_y / prior_y / sum_k p_k t_k / prior_k`, then the largest p'. The shifted
//! probabilities are what the metrics with suffix `_raw` judge; their own prior is t.
//!
//! # Cost
//!
//! O(K) a row.
//!
//! # Differences
//!
//! King and Zeng state it for two classes as a change of the intercept, Hong et al. for softmax scores
//! (PC-softmax); here for any scores with probabilities. A class that the target or the prior lacks
//! keeps no probability. scikit-learn has no such rule.
//!
//! # Errors
//!
//! Those of [`PriorSource::for_decision`];
//! [`StageError::Failed`](counterweight_core::StageError::Failed) when a row has probability only
//! where the target has none.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, DecideContext, Matrix, Scores, find, params};
//! let entry = find(counterweight_corrections::decide::ALL, "prior-shift").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let train = ClassCounts::new(vec![90, 10]);
//! let own = train.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &train };
//! let fitted = (entry.build)(&params)?.fit(&context, None)?;
//! let scores = Scores::probabilities(Matrix::from_vec(1, 2, vec![0.8, 0.2])?)?;
//! assert_eq!(fitted.rule.decide(&scores)?.as_slice(), [1]);
//! // 0.2 / 0.1 against 0.8 / 0.9.
//! let shifted = fitted.rule.rescore(&scores)?.expect("it puts others in their place");
//! assert!((shifted.scores.log().at(0, 1).exp() - 9.0 / 13.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. King and L. Zeng, "Logistic regression in rare events data", Political Analysis 9, 2001. C.
//! Elkan, "The foundations of cost-sensitive learning", IJCAI 2001. A. Dal Pozzolo, O. Caelen, R. A.
//! Johnson and G. Bontempi, "Calibrating probability with undersampling for unbalanced
//! classification", IEEE SSCI 2015. Y. Hong et al., "Disentangling label distribution for long-tailed
//! visual recognition", CVPR 2021.

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Decisions, FittedRule, Prior,
    Rescored, Rule, RuleCaps, ScoreSize, Scores, StageResult, Ties, parameters,
};

use crate::prior::PriorSource;

parameters! {
    /// Prior shift, checked.
    pub struct PriorShift {
        /// the prior that the probabilities are brought to
        target: PriorSource = "uniform", among &["uniform", "train"], probe ["train"];
        /// the prior that the probabilities have
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Decision for PriorShift {
    fn takes(&self, size: &ScoreSize) -> f64 {
        size.scores() + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: self.prior == PriorSource::Effective,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _calib: Option<&Calib>) -> StageResult<FittedRule> {
        let from = self.prior.for_decision(context)?;
        let to = self.target.for_decision(context)?;
        Ok(FittedRule::of(Shifted {
            from,
            to,
            judged: true,
            ties: context.train.ties().clone(),
        }))
    }
}

/// The rule that brings probabilities from one prior to another.
#[derive(Clone, Debug)]
pub(super) struct Shifted {
    pub(super) from: Prior,
    pub(super) to: Prior,
    /// Whether metrics of probabilities judge the shifted ones. Not where the target is an estimate: a
    /// share of 0 loses what the scores say of a class, and no mapping to another prior brings it back.
    pub(super) judged: bool,
    pub(super) ties: Ties,
}

impl Rule for Shifted {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        // As offsets, so that ties are those of every other prior rule.
        let offsets: Vec<f64> = self
            .from
            .as_slice()
            .iter()
            .zip(self.to.as_slice())
            .map(|(&from, &to)| {
                if from > 0.0 && to > 0.0 {
                    from.ln() - to.ln()
                } else {
                    f64::INFINITY
                }
            })
            .collect();
        Ok(scores.argmax(&offsets, &self.ties)?)
    }

    fn rescore(&self, scores: &Scores) -> StageResult<Option<Rescored>> {
        if !self.judged {
            return Ok(None);
        }
        Ok(Some(Rescored {
            scores: scores.shift_prior(&self.from, &self.to)?,
            prior: Some(self.to.clone()),
        }))
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<PriorShift>(
    "prior-shift",
    "the probabilities brought from the scores' prior to another one, and their largest",
    "King & Zeng 2001; Elkan 2001; Dal Pozzolo et al. 2015; Hong et al. 2021",
    RuleCaps::LOGIT_ADJUSTMENT,
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prior(weights: &[f64]) -> Prior {
        Prior::from_weights(weights.to_vec()).unwrap()
    }

    proptest! {
        /// From s to t to u is from s to u, and from s to t to s changes nothing.
        #[test]
        fn shifts_compose(
            p in proptest::collection::vec(0.01_f64..1.0, 12),
            weights in proptest::collection::vec(0.01_f64..1.0, 9),
        ) {
            let scores =
                Scores::probabilities(counterweight_core::Matrix::from_vec(4, 3, p).unwrap()).unwrap();
            let (s, t, u) = (prior(&weights[..3]), prior(&weights[3..6]), prior(&weights[6..]));
            let shift = |scores: &Scores, from: &Prior, to: &Prior| {
                let rule = Shifted { from: from.clone(), to: to.clone(), judged: true, ties: Ties::default() };
                rule.rescore(scores).unwrap().unwrap().scores
            };
            let there = shift(&scores, &s, &t);
            for (composed, direct) in [
                (shift(&there, &t, &s), scores.clone()),
                (shift(&there, &t, &u), shift(&scores, &s, &u)),
            ] {
                for (a, b) in composed.log().as_slice().iter().zip(direct.log().as_slice()) {
                    prop_assert!((a - b).abs() < 1e-13);
                }
            }
            // What is decided is the largest of what is judged.
            let rule = Shifted { from: s, to: t, judged: true, ties: Ties::default() };
            let largest = there.argmax(&[0.0; 3], &Ties::default()).unwrap();
            prop_assert_eq!(rule.decide(&scores).unwrap(), largest);
        }
    }
}
