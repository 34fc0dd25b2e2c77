//! Decisions: what they need, what they see, and the rules that they fit.

use std::fmt::Debug;

use super::{Details, LinearHead};
use crate::error::{StageError, StageResult};
use crate::labels::{ClassCounts, Prior, Ties};
use crate::outcome::Note;
use crate::scores::{Decisions, Scores};
use crate::views::{Calib, TestScores};

/// What a decision rule asks of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent needs, each a yes or no"
)]
pub struct DecisionNeeds {
    /// Scores that are more than votes.
    pub probabilities: bool,
    /// Out-of-fold scores of the training rows.
    pub calibration: bool,
    /// Two classes.
    pub binary: bool,
    /// A prior that the scores are known to have.
    pub scores_prior: bool,
    /// The unlabelled scores of the whole test batch: the rule is transductive.
    pub test_batch: bool,
    /// A linear head with one vector a class: the rule then decides on [`LinearHead::scores`].
    pub linear_head: bool,
}

/// What a decision may depend on beside calibration rows.
#[derive(Clone, Copy, Debug)]
pub struct DecideContext<'a> {
    /// The scores' own prior (`effective`); `None` when the loss has another link.
    pub scores_prior: Option<&'a Prior>,
    /// Rows of each class in the training rows before resampling.
    pub train: &'a ClassCounts,
}

impl DecideContext<'_> {
    /// The training prior before resampling, weighting and offsets.
    ///
    /// # Errors
    /// [`StageError::Failed`] without training rows.
    pub fn train_prior(&self) -> StageResult<Prior> {
        self.train
            .prior()
            .ok_or_else(|| StageError::Failed("no training rows".into()))
    }
}

/// How many scores a decision is fitted and judged on.
#[derive(Clone, Copy, Debug)]
pub struct ScoreSize {
    /// Out-of-fold rows.
    pub calib: usize,
    /// Test rows.
    pub test: usize,
    /// Classes.
    pub classes: usize,
}

impl ScoreSize {
    /// Bytes of the classes that are decided.
    pub fn decided(&self) -> f64 {
        (self.test * size_of::<u32>()) as f64
    }

    /// Bytes of the test rows' scores.
    pub fn scores(&self) -> f64 {
        (self.test * self.classes * size_of::<f64>()) as f64
    }
}

/// A decision rule that may have to be fitted.
pub trait Decision: Debug + Send + Sync {
    /// What it asks of the scores.
    fn needs(&self) -> DecisionNeeds;

    /// Estimated bytes that fitting, deciding and rescoring take beside the scores: for ceilings of memory, never for
    /// results.
    fn takes(&self, size: &ScoreSize) -> f64 {
        size.decided()
    }

    /// Whether it honours weights of rows: by default where it knows rows by their prior alone.
    fn weighs(&self) -> bool {
        let needs = self.needs();
        !needs.calibration && !needs.test_batch
    }

    /// Fits the rule; `calib` is given when [`DecisionNeeds::calibration`] asks for it.
    ///
    /// # Errors
    /// Every reason for which there is no rule.
    fn fit(&self, context: &DecideContext<'_>, calib: Option<&Calib>) -> StageResult<FittedRule>;

    /// Fits the rule with what else it asked for: the test batch when
    /// [`DecisionNeeds::test_batch`] asks for it, the head when [`DecisionNeeds::linear_head`] does.
    ///
    /// # Errors
    /// Every reason for which there is no rule.
    fn fit_with(
        &self,
        context: &DecideContext<'_>,
        calib: Option<&Calib>,
        extras: &Extras<'_>,
    ) -> StageResult<FittedRule> {
        let _ = extras;
        self.fit(context, calib)
    }

    /// The `family` of a correction that is this stage alone, where the parameters decide it; `None`
    /// for that of the catalogue's entry.
    fn family(&self) -> Option<&'static str> {
        None
    }

    /// The offsets of a rule that is a line in one parameter, for curves over many decisions on one
    /// fit; `None` for rules that are not.
    ///
    /// # Errors
    /// As [`Decision::fit`].
    fn line(&self, context: &DecideContext<'_>) -> StageResult<Option<OffsetLine>> {
        let _ = context;
        Ok(None)
    }
}

/// What a decision may ask for beside calibration rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extras<'a> {
    /// The scores of the whole test batch, without labels.
    pub batch: Option<TestScores<'a>>,
    /// The linear head on the test rows.
    pub head: Option<&'a LinearHead>,
}

/// The scores of rows, and all that a decision on them may ask for.
#[derive(Clone, Copy, Debug)]
pub struct ScoredRows<'a> {
    /// The scores.
    pub scores: &'a Scores,
    /// Their own prior (`effective`); `None` where nobody knows one.
    pub prior: Option<&'a Prior>,
    /// Where they come from, as a refusal says it.
    pub source: &'a str,
    /// The linear head on the same rows.
    pub head: Option<&'a LinearHead>,
    /// The rows' own weights.
    pub weights: Option<&'a [f64]>,
    /// Out-of-fold scores of the training rows.
    pub calib: Option<&'a Calib>,
    /// Rows of each class in the training rows before resampling.
    pub train: &'a ClassCounts,
}

/// What a decision stage made of the scores of some rows.
#[derive(Debug)]
pub struct Decided {
    /// The rule, as it was fitted.
    pub fitted: FittedRule,
    /// The class of each row.
    pub decisions: Decisions,
    /// What the rule put in place of the scores.
    pub rescored: Option<Rescored>,
}

impl ScoredRows<'_> {
    /// Fits the decision called `id` and decides by it.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] where it needs a prior that the scores lack; else as [`Decision::fit_with`]
    /// and [`Rule::decide`].
    pub fn decide(&self, id: &str, decision: &dyn Decision) -> StageResult<Decided> {
        let needs = decision.needs();
        if needs.scores_prior && self.prior.is_none() {
            return Err(StageError::NotApplicable(format!(
                "`{id}` needs scores with a prior of their own; {} gives none",
                self.source
            )));
        }
        let context = DecideContext {
            scores_prior: self.prior,
            train: self.train,
        };
        let batch = TestScores::new(self.scores).weighing(self.weights);
        let extras = Extras {
            batch: needs.test_batch.then_some(batch),
            head: self.head,
        };
        let calib = self.calib.filter(|_| needs.calibration);
        let fitted = decision.fit_with(&context, calib, &extras)?;
        let seen = match self.head {
            Some(head) if needs.linear_head => &head.scores,
            _ => self.scores,
        };
        Ok(Decided {
            decisions: fitted.rule.decide(seen)?,
            rescored: fitted.rule.rescore(seen)?,
            fitted,
        })
    }
}

/// Offsets `at + x step` for a parameter value that stands at `x` (see [`OffsetLine::place`]), to be
/// subtracted from log-scores.
#[derive(Clone, Debug)]
pub struct OffsetLine {
    /// The parameter's key.
    pub parameter: &'static str,
    /// Offsets at `x = 0`, one a class; positive infinity for a class that is never decided.
    pub at: Vec<f64>,
    /// What each unit of `x` adds; 0 where `at` is infinite.
    pub step: Vec<f64>,
    /// Where a parameter value stands: an increasing function of it.
    pub place: fn(f64) -> f64,
}

impl OffsetLine {
    /// The offsets at a parameter value.
    pub fn offsets(&self, value: f64) -> Vec<f64> {
        let x = (self.place)(value);
        let on = |(at, step): (&f64, &f64)| if at.is_finite() { at + x * step } else { *at };
        self.at.iter().zip(&self.step).map(on).collect()
    }
}

/// A rule together with what is to be known about it.
#[derive(Debug)]
pub struct FittedRule {
    /// The rule.
    pub rule: Box<dyn Rule>,
    /// Numbers for details.parquet (the chosen threshold, its spread).
    pub details: Details,
    /// What a reader of the result has to know.
    pub notes: Vec<Note>,
}

impl FittedRule {
    /// A rule of which nothing else is to be known.
    pub fn of(rule: impl Rule + 'static) -> Self {
        Self {
            rule: Box::new(rule),
            details: Details::new(),
            notes: Vec::new(),
        }
    }
}

/// A fitted rule: from scores to decisions. It never sees a label.
pub trait Rule: Debug + Send + Sync {
    /// The decided class of each row.
    ///
    /// # Errors
    /// When the scores do not fit the rule.
    fn decide(&self, scores: &Scores) -> StageResult<Decisions>;

    /// The probabilities that the rule puts in place of the scores (a calibrator's), which is what
    /// metrics of probabilities then judge; `None` for a rule that leaves them as they are.
    ///
    /// # Errors
    /// When the scores do not fit the rule.
    fn rescore(&self, scores: &Scores) -> StageResult<Option<Rescored>> {
        let _ = scores;
        Ok(None)
    }
}

/// Scores that a rule put in place of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescored {
    /// The scores.
    pub scores: Scores,
    /// Their own prior, where they have one.
    pub prior: Option<Prior>,
}

/// The rule `argmax_y s_y - offset_y`: what most decisions come to.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetRule {
    offsets: Vec<f64>,
    ties: Ties,
}

impl OffsetRule {
    /// With these offsets, one a class of `train`.
    pub fn new(offsets: Vec<f64>, train: &ClassCounts) -> Self {
        Self {
            offsets,
            ties: train.ties().clone(),
        }
    }
}

impl Rule for OffsetRule {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        Ok(scores.argmax(&self.offsets, &self.ties)?)
    }
}
