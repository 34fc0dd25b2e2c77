//! Decisions that are tuned on rows which their model did not see.

use counterweight_core::{
    Calib, ClassCounts, DecideContext, Decided, Decision, Details, FittedRule, Matrix, OutOfFold,
    ScoreKind, ScoredRows, Scores, Seed, SmallClass, StageError, StageResult,
};
use counterweight_data::split::inner_folds;

use super::features::{Features, Label, train};
use super::fit::{Fit, Model, probabilities};

/// Fits a model and a rule that decides by its scores.
pub trait CrossFit: Decision + Sized + 'static {
    /// The model of all rows, and the rule. What the rule is tuned on are scores of each row by a model of the other
    /// folds, resampled and fitted like the first: no row is tuned on that the model saw.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] where the rule needs what the model does not give; whatever fits and rule give.
    ///
    /// # Examples
    /// ```
    /// # let x: Vec<[f64; 1]> = (0..40).map(|i| [f64::from(i)]).collect();
    /// # let y: Vec<bool> = (0..40).map(|i| i >= 33 || i == 20).collect();
    /// use counterweight::{BalancedError, CrossFit, SoftmaxRegression, TunedThreshold};
    /// let rule = TunedThreshold::new(BalancedError).cross_fit(&SoftmaxRegression::default(), &x, &y, 5)?;
    /// assert!(rule.details().contains_key("threshold"));
    /// assert_eq!(rule.predict(&[[2.0], [39.0]])?, [false, true]);
    /// # Ok::<(), counterweight::StageError>(())
    /// ```
    fn cross_fit<M: Fit, X: Features + ?Sized, L: Label>(
        self,
        learner: &M,
        x: &X,
        y: &[L],
        folds: usize,
    ) -> StageResult<Decider<Self, L>> {
        let (train, classes) = train(x, y)?;
        let needs = self.needs();
        if needs.binary && classes.len() != 2 {
            let message = format!("a rule for two classes, and there are {}", classes.len());
            return Err(StageError::NotApplicable(message));
        }
        let parts = learner.parts();
        let seed = Seed(parts.seed);
        let mut calib = None;
        if needs.calibration {
            let key = seed.stage("inner-folds");
            let (held, _) = inner_folds(&train, folds, SmallClass::Clamp, &key)?;
            let mut out = OutOfFold::new(&train);
            for (fold, held) in held.iter().enumerate() {
                let (inner, test) = train.hold_out(held)?;
                let fit = parts.fit(&inner, &seed.stage("fit").number(fold))?;
                out.add(held, fit.fitted.scores(test.features())?)?;
            }
            calib = Some(out.finish()?);
        }
        let fit = parts.fit(&train, &seed.stage("fit"))?;
        let mut decider = Decider {
            model: Model::new(fit, &train, classes),
            decision: self,
            calib,
            counts: train.counts(),
            rule: None,
        };
        if !needs.test_batch && !needs.linear_head {
            decider.rule = Some(decider.fitted()?);
        }
        Ok(decider)
    }
}

impl<D: Decision + 'static> CrossFit for D {}

/// A model and the rule that decides by its scores.
#[derive(Debug)]
pub struct Decider<D, L> {
    model: Model<L>,
    decision: D,
    calib: Option<Calib>,
    counts: ClassCounts,
    /// None for a rule that has to see what it decides.
    rule: Option<FittedRule>,
}

impl<D: Decision, L: Label> Decider<D, L> {
    fn fitted(&self) -> StageResult<FittedRule> {
        let prior = self.model.fit().prior.as_ref();
        if self.decision.needs().scores_prior && prior.is_none() {
            return Err(StageError::NotApplicable(
                "the rule needs scores with a prior of their own, and this loss gives none".into(),
            ));
        }
        let context = DecideContext {
            scores_prior: prior,
            train: &self.counts,
        };
        self.decision.fit(&context, self.calib.as_ref())
    }

    /// The decided class of each row.
    ///
    /// # Errors
    /// As [`Model::scores`], and whatever the rule gives.
    pub fn predict<X: Features + ?Sized>(&self, x: &X) -> StageResult<Vec<L>> {
        let x = self.model.matrix(x)?;
        let scores = self.usable(&x)?;
        let decided = match &self.rule {
            Some(fitted) => fitted.rule.decide(&scores)?,
            None => self.decide(&x, &scores)?.decisions,
        };
        Ok(self.model.named(decided.as_slice()))
    }

    /// Probabilities: those that the rule puts in place of the model's, where it does (a calibrator's).
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn probabilities<X: Features + ?Sized>(&self, x: &X) -> StageResult<Matrix> {
        let x = self.model.matrix(x)?;
        let scores = self.usable(&x)?;
        let rescored = match &self.rule {
            Some(fitted) => fitted.rule.rescore(&scores)?,
            None => self.decide(&x, &scores)?.rescored,
        };
        probabilities(
            rescored
                .as_ref()
                .map_or(&scores, |rescored| &rescored.scores),
        )
    }

    /// Numbers of the rule, such as `threshold` and its spread over the folds; none of a rule that has to see what it
    /// decides.
    pub fn details(&self) -> Details {
        self.rule
            .as_ref()
            .map(|fitted| fitted.details.clone())
            .unwrap_or_default()
    }

    /// The model.
    pub fn model(&self) -> &Model<L> {
        &self.model
    }

    fn usable(&self, x: &Matrix) -> StageResult<Scores> {
        let scores = self.model.scores_of(x)?;
        if self.decision.needs().probabilities && scores.kind() == ScoreKind::Vote {
            let message = "the rule needs scores, and the learner gives votes only";
            return Err(StageError::NotApplicable(message.into()));
        }
        Ok(scores)
    }

    fn decide(&self, x: &Matrix, scores: &Scores) -> StageResult<Decided> {
        let fit = self.model.fit();
        let head = fit.fitted.linear_head(x)?;
        let rows = ScoredRows {
            scores,
            prior: fit.prior.as_ref(),
            source: "this loss",
            head: head.as_ref(),
            weights: None,
            calib: self.calib.as_ref(),
            train: &self.counts,
        };
        rows.decide("this rule", &self.decision)
    }
}
