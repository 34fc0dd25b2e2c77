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
//! `argmax_y s_y - tau log prior_y`, a tie going to the rarest.
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

use counterweight_core::{
    Calib, DecideContext, Decision, DecisionEntry, DecisionNeeds, Details, Extras, FittedRule,
    OffsetLine, OffsetRule, RuleCaps, ScoreSize, StageError, StageResult, parameters,
};

use super::prior_offsets;
use super::saerens_em::{Stop, batch, estimate, own_prior};
use crate::prior::PriorSource;

/// The prior of the test batch.
const ESTIMATED: PriorSource = PriorSource::Other("estimated");

parameters! {
    /// Post-hoc logit adjustment, checked.
    pub struct LogitAdjust {
        /// factor on the log prior
        tau: f64 = 1.0, probe [-0.5];
        /// the prior whose logarithm is subtracted; estimated: of the test batch, transductive
        prior: PriorSource = "effective", among &["effective", "estimated", "train", "uniform"],
            probe ["train", "uniform", "estimated"];
    }
}

impl Decision for LogitAdjust {
    fn takes(&self, size: &ScoreSize) -> f64 {
        let batch = if self.prior == ESTIMATED {
            size.scores()
        } else {
            0.0
        };
        batch + size.decided()
    }

    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: [PriorSource::Effective, ESTIMATED].contains(&self.prior),
            test_batch: self.prior == ESTIMATED,
            ..DecisionNeeds::default()
        }
    }

    fn weighs(&self) -> bool {
        true
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
        let (prior, details, notes) = if self.prior == ESTIMATED {
            let own = own_prior("logit-adjust", context)?;
            let found = estimate(batch("logit-adjust", extras)?, own, Stop::DEFAULT)?;
            let (details, notes) = found.report(Stop::DEFAULT);
            (found.prior, details, notes)
        } else {
            let prior = self.prior.for_decision(context)?;
            (prior, Details::new(), Vec::new())
        };
        Ok(FittedRule {
            rule: Box::new(OffsetRule::new(
                prior_offsets(&prior, self.tau)?,
                context.train,
            )),
            details,
            notes,
        })
    }

    fn line(&self, context: &DecideContext<'_>) -> StageResult<Option<OffsetLine>> {
        if self.prior == ESTIMATED {
            return Err(StageError::NotApplicable(
                "a curve over tau needs a prior that is known without the test batch".into(),
            ));
        }
        let prior = self.prior.for_decision(context)?;
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

/// The registry entry.
pub(crate) const ENTRY: DecisionEntry = DecisionEntry::of::<LogitAdjust>(
    "logit-adjust",
    "the largest score after subtracting tau times the log prior",
    "Menon et al. 2021, equation 9",
    RuleCaps::LOGIT_ADJUSTMENT,
);
