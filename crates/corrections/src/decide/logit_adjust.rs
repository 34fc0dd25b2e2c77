//! Post-hoc logit adjustment: subtracts tau times the log prior from the scores and takes the
//! largest.
//!
//! # When it helps, when it hurts
//!
//! With calibrated scores tau = 1 is the Bayes rule for balanced error and tau = 0 the one for
//! accuracy; between them lies every compromise, and a whole grid of tau costs one fit. On
//! miscalibrated scores the best tau is another one, and tuning it is tuning a temperature.
//! Probabilities of exactly 0 and 1 (1-NN, grown trees) do not move at any tau.
//!
//! # Formula
//!
//! `argmax_y s_y - tau log prior_y`, a tie going to the lowest class.
//!
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `tau` | 1 | finite | factor on the log prior |
//! | `prior` | `effective` | `effective`, `train`, `uniform`, or a positive number per class | see [`prior`](crate::prior) |
//!
//! # Cost
//!
//! O(K) a row.
//!
//! # Differences from the paper and from scikit-learn
//!
//! The paper subtracts the training prior. Here the default is the scores' own prior, so that after
//! a full correction the rule is a no-op; `prior = "train"` on top of one is the double correction.
//! scikit-learn has no such rule.
//!
//! # Errors
//!
//! Those of [`PriorSource::for_decision`];
//! [`StageError::Failed`](counterweight_core::StageError::Failed) where tau times a log prior
//! overflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, DecideContext, Matrix, ParamValue, Scores, find, params};
//! let entry = find(counterweight_corrections::decide::ALL, "logit-adjust").expect("it is listed");
//! let given = [("tau".to_owned(), ParamValue::Real(0.5))].into();
//! let params = params::check(entry.card.params, &given).expect("0.5 is in range");
//! let train = ClassCounts::new(vec![90, 10]);
//! let own = train.prior();
//! let context = DecideContext { scores_prior: own.as_ref(), train: &train };
//! let fitted = (entry.build)(&params)?.fit(&context, None)?;
//! // Half way in log odds: positive from 1 / (1 + sqrt 9) = 0.25 on.
//! let scores = Scores::probabilities(Matrix::from_vec(2, 2, vec![0.74, 0.26, 0.76, 0.24])?)?;
//! assert_eq!(fitted.rule.decide(&scores)?.as_slice(), [1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning via
//! logit adjustment", ICLR 2021, equation 9.

use counterweight_core::params::Default;
use counterweight_core::{
    Calib, Card, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, FittedRule,
    OffsetRule, ParamError, ParamKind, ParamSpec, Params, Range, RuleCaps, StageResult,
};

use super::prior_offsets;
use crate::prior::PriorSource;

/// Post-hoc logit adjustment, checked.
#[derive(Clone, Debug)]
pub struct LogitAdjust {
    tau: f64,
    prior: PriorSource,
}

impl TryFrom<&Params> for LogitAdjust {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            tau: params.real("tau"),
            prior: PriorSource::from_params(params),
        })
    }
}

impl Decision for LogitAdjust {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: self.prior == PriorSource::Effective,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _calib: Option<&Calib>) -> StageResult<FittedRule> {
        let prior = self.prior.for_decision(context)?;
        Ok(FittedRule {
            rule: Box::new(OffsetRule(prior_offsets(&prior, self.tau)?)),
            details: Details::new(),
            notes: Vec::new(),
        })
    }
}

fn build(params: &Params) -> Result<Box<dyn Decision>, ParamError> {
    Ok(Box::new(LogitAdjust::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry {
    card: Card {
        id: "logit-adjust",
        summary: "the largest score after subtracting tau times the log prior",
        reference: "Menon et al. 2021, equation 9",
        params: &[
            ParamSpec::new(
                "tau",
                ParamKind::Real(Range::FINITE),
                Default::Real(1.0),
                "factor on the log prior",
            ),
            PriorSource::spec("the prior whose logarithm is subtracted"),
        ],
    },
    caps: RuleCaps {
        family: "logit-adjustment",
    },
    build,
};
