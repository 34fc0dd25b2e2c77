//! A linear head without its bias: what was learnt of the classes' shares is taken away with it.
//!
//! # When it helps, when it hurts
//!
//! The advice is old: the bias of the last layer holds the class shares, so leave it out at test. It holds more than
//! that. On features whose class means lie opposite about the origin with one covariance the bias is the log prior
//! odds alone, and dropping it equals `logit-adjust` at tau = 1. On centred or standardised features the origin lies
//! near the mean of the large class, and dropping the bias decides nearly half of that class wrongly; on other
//! origins anything may happen, since the rule moves when a constant is added to a feature, and `logit-adjust`
//! does not.
//!
//! # Formula
//!
//! `argmax_k w_k . x`, a tie going to the rarest; two classes that share a vector have `w_0 = 0`. Metrics of
//! probabilities judge the softmax of these scores, which has no prior of its own.
//!
//! # Cost
//!
//! O(K) a row beside the d K of the scores.
//!
//! # Differences
//!
//! Menon et al. and the post on their paper speak of networks, whose last layer sees features that a bias before them
//! has moved; on an `mlp` the rule acts on that layer.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`] for models without a linear head.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     ClassCounts, DecideContext, Extras, LinearHead, Matrix, Scores, find, params,
//! };
//! let entry = find(counterweight_corrections::decide::ALL, "drop-bias").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let train = ClassCounts::new(vec![95, 5]);
//! let context = DecideContext { scores_prior: None, train: &train };
//! // w . x = 1, of which a bias of -2 had made -1.
//! let head = Scores::log_probabilities(Matrix::from_vec(1, 2, vec![0.0, 1.0])?)?;
//! let head = LinearHead { scores: head, norms: vec![0.0, 1.0] };
//! let extras = Extras { head: Some(&head), ..Extras::default() };
//! let fitted = (entry.build)(&params)?.fit_with(&context, None, &extras)?;
//! assert_eq!(fitted.rule.decide(&head.scores)?.as_slice(), [1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning via logit
//! adjustment", ICLR 2021, section 4.2 (what a bias can and cannot hold).

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Decisions, Extras, FittedRule,
    OffsetRule, Rescored, Rule, RuleCaps, ScoreSize, Scores, StageError, StageResult, parameters,
};

parameters! {
    /// A linear head without its bias.
    pub struct DropBias;
}

impl Decision for DropBias {
    fn takes(&self, size: &ScoreSize) -> f64 {
        size.scores() + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            linear_head: true,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule> {
        self.fit_with(context, calib, &Extras::default())
    }

    fn fit_with(
        &self,
        context: &DecideContext<'_>,
        _calib: Option<&Calib>,
        extras: &Extras<'_>,
    ) -> StageResult<FittedRule> {
        if extras.head.is_none() {
            return Err(StageError::NotApplicable(
                "`drop-bias` needs a linear head, and this model has none".into(),
            ));
        }
        let argmax = OffsetRule::new(vec![0.0; context.train.n_classes()], context.train);
        Ok(FittedRule::of(Unbiased(argmax)))
    }
}

/// Decides by the largest score of the head.
#[derive(Clone, Debug)]
struct Unbiased(OffsetRule);

impl Rule for Unbiased {
    fn decide(&self, head: &Scores) -> StageResult<Decisions> {
        self.0.decide(head)
    }

    fn rescore(&self, head: &Scores) -> StageResult<Option<Rescored>> {
        Ok(Some(Rescored {
            scores: Scores::logits(head.log().clone())?,
            prior: None,
        }))
    }
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<DropBias>(
    "drop-bias",
    "a linear head without its bias: the prior rule only where the features lie right about the origin",
    "Menon et al. 2021",
    RuleCaps::MARGIN,
);
