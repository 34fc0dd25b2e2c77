//! Post-hoc logit adjustment: subtracts tau times the log prior from the scores and takes the
//! largest.
//!
//! # When it helps, when it hurts
//!
//! With calibrated scores tau = 1 is the Bayes rule for balanced error and tau = 0 the one for
//! accuracy; between them lies every compromise, and a whole grid of tau costs one fit. On
//! miscalibrated scores the best tau is another one, and tuning it is tuning a temperature.
//! Probabilities of exactly 0 and 1 (1-NN, grown trees) do not move at any tau. With
//! `prior = "estimated"` the rule is transductive: the prior is that of the test batch by
//! [`saerens_em`](super::saerens_em), so that on rows drawn like the training rows it is the `effective`
//! one as the scores themselves show it, and on a batch of other shares less or more is subtracted.
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
//! | `prior` | `effective` | `effective`, `estimated`, `train`, `uniform`, or a positive number per class | see [`prior`](crate::prior); `estimated`: of the test batch |
//!
//! # Cost
//!
//! O(K) a row; the estimated prior a few hundred passes over the batch.
//!
//! # Differences
//!
//! The paper subtracts the training prior. Here the default is the scores' own prior, so that after
//! a full correction the rule is a no-op; `prior = "train"` on top of one is the double correction.
//! scikit-learn has no such rule.
//!
//! # Errors
//!
//! Those of [`PriorSource::for_decision`];
//! [`StageError::Failed`] where tau times a log prior
//! overflows, or without a test batch for `prior = "estimated"`.
//!
//! Details with `prior = "estimated"`: those of [`saerens_em`](super::saerens_em).
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
    Calib, Card, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, Extras,
    FittedRule, OffsetLine, OffsetRule, ParamError, ParamKind, ParamSpec, ParamValue, Params,
    Range, RuleCaps, StageError, StageResult,
};

use super::prior_offsets;
use super::saerens_em::{Stop, batch, estimate, own_prior};
use crate::prior::PriorSource;

/// The words that `prior` takes here beside numbers.
const WORDS: &[&str] = &["effective", "estimated", "train", "uniform"];

/// Post-hoc logit adjustment, checked.
#[derive(Clone, Debug)]
pub struct LogitAdjust {
    tau: f64,
    /// `None` for the one estimated from the test batch.
    prior: Option<PriorSource>,
}

impl TryFrom<&Params> for LogitAdjust {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let estimated = matches!(params.get("prior"),
            Some(ParamValue::Text(word)) if word == "estimated");
        Ok(Self {
            tau: params.real("tau"),
            prior: (!estimated).then(|| PriorSource::from_params(params)),
        })
    }
}

impl Decision for LogitAdjust {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: matches!(self.prior, None | Some(PriorSource::Effective)),
            test_batch: self.prior.is_none(),
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
        let (prior, details, notes) = if let Some(source) = &self.prior {
            (source.for_decision(context)?, Details::new(), Vec::new())
        } else {
            let own = own_prior("logit-adjust", context)?;
            let found = estimate(batch("logit-adjust", extras)?, own, Stop::DEFAULT)?;
            let (details, notes) = found.report(Stop::DEFAULT);
            (found.prior, details, notes)
        };
        Ok(FittedRule {
            rule: Box::new(OffsetRule(prior_offsets(&prior, self.tau)?)),
            details,
            notes,
        })
    }

    fn line(&self, context: &DecideContext<'_>) -> StageResult<Option<OffsetLine>> {
        let Some(source) = &self.prior else {
            return Err(StageError::NotApplicable(
                "a curve over tau needs a prior that is known without the test batch".into(),
            ));
        };
        let prior = source.for_decision(context)?;
        // A class without prior has no finite score either.
        let log = |p: &f64| if *p > 0.0 { p.ln() } else { 0.0 };
        Ok(Some(OffsetLine {
            parameter: "tau",
            at: vec![0.0; prior.n_classes()],
            step: prior.as_slice().iter().map(log).collect(),
            place: |tau| tau,
        }))
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
            ParamSpec::new(
                "prior",
                ParamKind::Prior(WORDS),
                Default::Text("effective"),
                "the prior whose logarithm is subtracted; estimated: of the test batch, transductive",
            ),
        ],
    },
    caps: RuleCaps {
        family: "logit-adjustment",
    },
    build,
};
