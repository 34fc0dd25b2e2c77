//! The stages of a cell as traits, and what they are handed.
//!
//! A stage is built from checked [`Params`](crate::Params) by its catalogue entry, holds no state
//! between calls, and is deterministic given its [`StageContext`].

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::error::{CoreError, Result, StageError, StageResult};
use crate::labels::{ClassCounts, Labels, Prior};
use crate::matrix::Matrix;
use crate::outcome::Note;
use crate::scores::{Decisions, Scores};
use crate::seed::Stream;
use crate::views::{Calib, TestScores, Train};

/// Numbers that do not fit a record's columns (a chosen threshold, the number of iterations), by
/// name; they go to details.parquet.
pub type Details = BTreeMap<String, f64>;

/// What to do with a class that is too small for a stage: the sweep's `small_class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SmallClass {
    /// Reduce the parameter (k of SMOTE, the folds of a class) and say so: outcome `clamped`.
    #[default]
    Clamp,
    /// Refuse: outcome `failed`.
    Error,
    /// Leave the cell out: outcome `skipped`.
    Skip,
}

impl SmallClass {
    /// The policy's answer to `what` (a full sentence part such as "k = 5 reduced to 2 for class x
    /// with 3 rows"): a note to keep going with, or the end of the stage.
    ///
    /// # Errors
    /// [`StageError::Failed`] under `error`, [`StageError::Skipped`] under `skip`.
    pub fn settle(self, what: impl Into<String>) -> StageResult<Note> {
        match self {
            Self::Clamp => Ok(Note::Clamped(what.into())),
            Self::Error => Err(StageError::Failed(what.into())),
            Self::Skip => Err(StageError::Skipped(what.into())),
        }
    }
}

/// The moment by which a cell has to be done. Own learners ask between iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No limit.
    pub const NEVER: Self = Self(None);

    /// Done by `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// Whether the moment has passed.
    pub fn passed(&self) -> bool {
        self.0.is_some_and(|limit| Instant::now() > limit)
    }

    /// Ends the stage once the moment has passed.
    ///
    /// # Errors
    /// [`StageError::Timeout`].
    pub fn check(&self) -> StageResult<()> {
        if self.passed() {
            Err(StageError::Timeout(
                "the cell ran out of its `timeout`".into(),
            ))
        } else {
            Ok(())
        }
    }
}

/// Values computed once for a training set and shared by every stage that asks (a neighbour graph),
/// by name. A value must depend on the training set and its name alone.
#[derive(Debug, Default)]
pub struct Shared(Mutex<BTreeMap<String, Arc<dyn Any + Send + Sync>>>);

impl Shared {
    /// The value called `name`, computed by the first that asks. Others that ask meanwhile wait, so
    /// `compute` must neither ask for shared values nor start parallel work.
    ///
    /// # Errors
    /// Whatever `compute` gives (nothing is kept then); [`StageError::Failed`] when the name holds a
    /// value of another type.
    pub fn get_or_compute<T: Any + Send + Sync>(
        &self,
        name: &str,
        compute: impl FnOnce() -> StageResult<T>,
    ) -> StageResult<Arc<T>> {
        // A panic inside `compute` leaves the map as it was, so a poisoned lock is still sound.
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(name) {
            return Arc::clone(value).downcast().map_err(|_other| {
                StageError::Failed(format!("shared value `{name}` has another type"))
            });
        }
        let value = Arc::new(compute()?);
        let kept: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(&value);
        values.insert(name.to_owned(), kept);
        Ok(value)
    }
}

/// What a random or resource-bound stage is handed beside its data.
#[derive(Debug)]
pub struct StageContext<'a> {
    /// The stage's own random stream.
    pub stream: Stream,
    /// The declared policy for classes that are too small.
    pub small_class: SmallClass,
    /// When to give up.
    pub deadline: Deadline,
    /// Values shared by all stages that see the same training set.
    pub shared: &'a Shared,
    /// What a reader of the result has to know; the stage adds to it.
    pub notes: Vec<Note>,
    /// Numbers for details.parquet; the stage adds to them.
    pub details: Details,
}

impl<'a> StageContext<'a> {
    /// A context with nothing noted yet.
    pub fn new(
        stream: Stream,
        small_class: SmallClass,
        deadline: Deadline,
        shared: &'a Shared,
    ) -> Self {
        Self {
            stream,
            small_class,
            deadline,
            shared,
            notes: Vec::new(),
            details: Details::new(),
        }
    }

    /// Notes something.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Applies the small-class policy: notes the clamp, or ends the stage.
    ///
    /// # Errors
    /// As [`SmallClass::settle`].
    pub fn clamp(&mut self, what: impl Into<String>) -> StageResult<()> {
        let note = self.small_class.settle(what)?;
        self.note(note);
        Ok(())
    }
}

/// Changes the training rows: adds, drops or makes some.
pub trait Resampler: Debug + Send + Sync {
    /// The resampled training rows, with their origins. Nominal columns are still codes.
    ///
    /// # Errors
    /// Every reason for which there is no resampled set.
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train>;
}

/// What a loss asks of a learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent needs, each a yes or no"
)]
pub struct LossNeeds {
    /// Class weights other than 1.
    pub weights: bool,
    /// Additive margins.
    pub margins: bool,
    /// Multiplicative factors other than 1.
    pub factors: bool,
    /// A focal power other than 0.
    pub focal: bool,
    /// Terms that change during training ([`LossTerms::later`]).
    pub schedule: bool,
    /// Training by minibatches: margins from each minibatch ([`LossTerms::batch_tau`]), or
    /// minibatches that are drawn more evenly ([`BatchScheme`](crate::BatchScheme)).
    pub minibatches: bool,
    /// Output biases that training starts from ([`LossTerms::initial_bias`]).
    pub initial_bias: bool,
}

impl LossNeeds {
    /// Plain cross-entropy.
    pub const NONE: Self = Self {
        weights: false,
        margins: false,
        factors: false,
        focal: false,
        schedule: false,
        minibatches: false,
        initial_bias: false,
    };
}

/// What a loss may depend on.
#[derive(Clone, Copy, Debug)]
pub struct LossContext<'a> {
    /// Rows of each class among the rows that the learner sees (after resampling).
    pub seen: &'a ClassCounts,
    /// Rows of each class in the training rows before resampling.
    pub train: &'a ClassCounts,
}

/// The one loss kernel: for a row of class y with scores f,
/// `w_y log(1 + sum_{j != y} exp(A[y][j] + D_j f_j - D_y f_y)) (1 - p_y)^g`.
#[derive(Clone, Debug, PartialEq)]
pub struct LossTerms {
    /// Class weights `w`, one a class, each at least 0 and finite.
    pub weights: Vec<f64>,
    /// Additive margins `A`, classes x classes, zero on the diagonal. Negative infinity in column j
    /// masks class j, which then never stands in a denominator.
    pub margins: Matrix,
    /// Multiplicative factors `D`, one a class.
    pub factors: Vec<f64>,
    /// Focal power `g`.
    pub focal: f64,
    /// Other terms for the last part of training; `None` for one loss throughout.
    pub later: Option<Box<Later>>,
    /// Each minibatch adds `batch_tau (log q_j - log q_y)` to the margins, q being its own class
    /// shares (weighted like its rows); classes that it lacks are masked for it. `None` for margins
    /// that do not depend on the minibatch.
    pub batch_tau: Option<f64>,
    /// Output biases that training starts from, one a class (absent classes: 0); `None` to leave
    /// that to the learner.
    pub initial_bias: Option<Vec<f64>>,
}

/// The terms of the last part of training (deferred reweighting, Cao et al. 2019).
#[derive(Clone, Debug, PartialEq)]
pub struct Later {
    /// Share of the epochs or rounds after which they take over, within 0..=1.
    pub at: f64,
    /// The terms; without a schedule of their own.
    pub terms: LossTerms,
}

impl LossTerms {
    /// Plain cross-entropy over `n_classes` classes.
    #[must_use]
    pub fn cross_entropy(n_classes: usize) -> Self {
        Self {
            weights: vec![1.0; n_classes],
            margins: Matrix::zeros(n_classes, n_classes),
            factors: vec![1.0; n_classes],
            focal: 0.0,
            later: None,
            batch_tau: None,
            initial_bias: None,
        }
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.weights.len()
    }

    /// The training logit offsets `o` (up to a constant), when the loss is a weighted cross-entropy of
    /// `f + o`: that is, when there are no factors and no focal power and `A[y][j] = o_j - o_y`.
    /// Only then do the scores have a prior of their own. With a schedule these are the offsets of the
    /// terms that training ends with; margins of minibatches have none.
    pub fn logit_offsets(&self) -> Option<Vec<f64>> {
        if let Some(later) = &self.later {
            return later.terms.logit_offsets();
        }
        let plain = self.batch_tau.is_none()
            && self.focal.abs() < f64::EPSILON
            && self.factors.iter().all(|d| (d - 1.0).abs() < f64::EPSILON);
        if !plain {
            return None;
        }
        // A class that can be masked has no finite entry in its column; rows of absent classes say
        // nothing. Take the first row that is finite wherever any row is.
        let k = self.n_classes();
        let first = (0..k).find(|&y| self.margins.row(y).iter().any(|a| a.is_finite()))?;
        let o = self.margins.row(first).to_vec();
        for y in 0..k {
            for j in 0..k {
                let found = self.margins.at(y, j);
                let expected = o[j] - o[y];
                let agrees = (found - expected).abs() <= 1e-9 * (1.0 + expected.abs());
                if found.is_finite() && expected.is_finite() && !agrees {
                    return None;
                }
            }
        }
        Some(o)
    }

    /// The prior of the scores that a cross-entropy learner gives under these terms, from the
    /// counts of the rows that it saw: proportional to `n_y w_y exp(-o_y)` (the identity). `None`
    /// for losses of another link, or without rows.
    pub fn scores_prior(&self, seen: &ClassCounts) -> Option<Prior> {
        let rows: Vec<f64> = seen.as_slice().iter().map(|&n| n as f64).collect();
        self.scores_prior_of(&rows)
    }

    /// As [`LossTerms::scores_prior`], from the mass that each class has in training: its number of
    /// rows, or its share of the draws where minibatches are drawn more evenly
    /// ([`Train::class_mass`](crate::Train::class_mass)).
    pub fn scores_prior_of(&self, mass: &[f64]) -> Option<Prior> {
        if let Some(later) = &self.later {
            return later.terms.scores_prior_of(mass);
        }
        let offsets = self.logit_offsets()?;
        let present = |y: usize| mass[y] > 0.0 && offsets[y].is_finite();
        // Shifted by the least offset, so that no factor exceeds 1 and plain cross-entropy gives
        // the shares of the rows to the last bit.
        let least = (0..self.n_classes())
            .filter(|&y| present(y))
            .map(|y| offsets[y])
            .fold(f64::INFINITY, f64::min);
        let weights = (0..self.n_classes())
            .map(|y| {
                if present(y) {
                    mass[y] * self.weights[y] * (least - offsets[y]).exp()
                } else {
                    0.0
                }
            })
            .collect();
        Prior::from_weights(weights).ok()
    }
}

/// A loss: only builds the terms of the kernel.
pub trait Loss: Debug + Send + Sync {
    /// What it asks of a learner.
    fn needs(&self) -> LossNeeds;

    /// The terms for these counts. Absent classes are masked; no epsilon stands inside a logarithm.
    ///
    /// # Errors
    /// When the parameters do not fit the classes (explicit weights of another number).
    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms>;
}

/// A learner: fits a model to training rows under the terms of a loss.
pub trait Learner: Debug + Send + Sync {
    /// Fits. The rows are encoded (numeric, finite) unless the learner's card takes them as they
    /// are. Terms that the card does not honour never get here: planning refuses them.
    ///
    /// # Errors
    /// Every reason for which there is no model.
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>>;

    /// Whether it takes rows as they are: nominal columns as codes, missing values as NaN. The harness
    /// then hands it rows that are neither encoded nor, where no resampler needed complete ones, imputed.
    fn takes_raw_rows(&self) -> bool {
        false
    }

    /// The learner of one member, for ensembles that draw the rows of each member themselves (a
    /// balanced random forest): what this one averages over, without a bootstrap of its own. A single
    /// tree is its own member; `None` for learners that are no trees.
    fn member(&self) -> Option<Box<dyn Learner>> {
        None
    }

    /// This learner with a weight for each row of the training set that it will be given, in their
    /// order, at least 0: for ensembles that boost. Weights multiply those of the loss. `None` for
    /// learners that take no row weights.
    fn weigh(&self, weights: &[f64]) -> Option<Box<dyn Learner>> {
        let _ = weights;
        None
    }
}

/// A fitted model.
pub trait Fitted: Debug + Send + Sync {
    /// Scores of rows with the training rows' columns.
    ///
    /// # Errors
    /// When the model cannot score them.
    fn scores(&self, x: &Matrix) -> StageResult<Scores>;

    /// What a linear head with one vector a class gives to rows, without its bias; `None` for every
    /// other model, and for two classes that share one vector.
    ///
    /// # Errors
    /// When the model cannot score them.
    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        let _ = x;
        Ok(None)
    }
}

/// The linear scores `w_k . x` of some rows, without bias, and how long the vectors are.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearHead {
    /// One row a row, one column a class, up to nothing: not normalised. Negative infinity for a
    /// class that the model does not know.
    pub scores: Scores,
    /// Euclidean norm of each class's vector; 0 for a class that the model does not know.
    pub norms: Vec<f64>,
}

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

/// A decision rule that may have to be fitted.
pub trait Decision: Debug + Send + Sync {
    /// What it asks of the scores.
    fn needs(&self) -> DecisionNeeds;

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
pub struct OffsetRule(pub Vec<f64>);

impl Rule for OffsetRule {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        Ok(scores.argmax(&self.0)?)
    }
}

/// A synthetic population with a known density.
pub trait Population: Debug + Send + Sync {
    /// Number of classes.
    fn n_classes(&self) -> usize;

    /// Number of features.
    fn n_features(&self) -> usize;

    /// Draws `n` rows of `class`, one after another, so that fewer rows from the same stream are a
    /// prefix of more.
    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix;

    /// log p(x | class).
    fn log_density(&self, class: usize, x: &[f64]) -> f64;
}

/// Everything that a metric may look at, for one set of test rows.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    labels: &'a Labels,
    decisions: &'a Decisions,
    scores: Option<&'a Scores>,
    weights: &'a [f64],
    train: &'a ClassCounts,
}

impl<'a> Judged<'a> {
    /// Joins the parts. `scores` are probabilities (`None` for votes); `weights` bring the test
    /// rows to the metric prior, one a row, at least 0.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when the rows or classes do not agree, [`CoreError::Domain`] for a
    /// decision that is not a class.
    pub fn new(
        labels: &'a Labels,
        decisions: &'a Decisions,
        scores: Option<&'a Scores>,
        weights: &'a [f64],
        train: &'a ClassCounts,
    ) -> Result<Self> {
        let shape = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(CoreError::Shape {
                    what,
                    expected,
                    found,
                })
            }
        };
        shape("decisions", labels.len(), decisions.len())?;
        shape("metric weights", labels.len(), weights.len())?;
        shape("training counts", labels.n_classes(), train.n_classes())?;
        if let Some(scores) = scores {
            shape("scores", labels.len(), scores.n_rows())?;
            shape("classes of scores", labels.n_classes(), scores.n_classes())?;
        }
        if let Some(odd) = decisions
            .as_slice()
            .iter()
            .find(|&&class| class as usize >= labels.n_classes())
        {
            return Err(CoreError::Domain {
                what: "decisions",
                reason: format!("class {odd} of {}", labels.n_classes()),
            });
        }
        Ok(Self {
            labels,
            decisions,
            scores,
            weights,
            train,
        })
    }

    /// The test labels.
    pub fn labels(&self) -> &'a Labels {
        self.labels
    }

    /// The decided classes.
    pub fn decisions(&self) -> &'a [u32] {
        self.decisions.as_slice()
    }

    /// Log-probabilities at the metric prior; `None` for votes.
    pub fn scores(&self) -> Option<&'a Scores> {
        self.scores
    }

    /// Weights that bring the test rows to the metric prior.
    pub fn weights(&self) -> &'a [f64] {
        self.weights
    }

    /// Rows of each class in the training rows before resampling.
    pub fn train(&self) -> &'a ClassCounts {
        self.train
    }

    /// The positive class of binary metrics: the rarer one among the training rows; a tie goes to
    /// class 1.
    pub fn positive(&self) -> usize {
        self.train.rarest().unwrap_or(0)
    }
}

/// A metric of decisions or scores on test rows.
pub trait Metric: Debug + Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// Why the metric has no value here; it is then empty in the record and named in `reason`.
    fn value(&self, judged: &Judged<'_>) -> std::result::Result<f64, String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scores_prior_follows_the_identity() {
        let seen = ClassCounts::new(vec![950, 50]);
        let mut terms = LossTerms::cross_entropy(2);
        assert_eq!(terms.scores_prior(&seen).unwrap().as_slice(), [0.95, 0.05]);
        terms.weights = vec![1.0 / 0.95, 1.0 / 0.05];
        let even = terms.scores_prior(&seen).unwrap();
        assert!((even.as_slice()[0] - 0.5).abs() < 1e-12);
        let mut adjusted = LossTerms::cross_entropy(2);
        let gap = (0.95_f64 / 0.05).ln();
        adjusted.margins = Matrix::from_vec(2, 2, vec![0.0, -gap, gap, 0.0]).unwrap();
        let even = adjusted.scores_prior(&seen).unwrap();
        assert!((even.as_slice()[0] - 0.5).abs() < 1e-12);
        adjusted.focal = 2.0;
        assert_eq!(adjusted.scores_prior(&seen), None);
    }

    #[test]
    fn shared_values_are_computed_once() {
        let shared = Shared::default();
        let a = shared.get_or_compute("x", || Ok(1_u8)).unwrap();
        let b = shared
            .get_or_compute::<u8>("x", || panic!("computed twice"))
            .unwrap();
        assert!(Arc::ptr_eq(&a, &b));
        assert!(shared.get_or_compute("x", || Ok(1_u16)).is_err());
    }

    #[test]
    fn the_small_class_policy_decides() {
        let shared = Shared::default();
        let stream = crate::seed::Seed(0).stage("t").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        context.clamp("k = 5 reduced to 2").unwrap();
        context.clamp("k = 5 reduced to 2").unwrap();
        assert_eq!(context.notes.len(), 1);
        context.small_class = SmallClass::Skip;
        assert!(matches!(context.clamp("x"), Err(StageError::Skipped(_))));
    }
}
