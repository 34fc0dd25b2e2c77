//! Learners that are fitted in one expression.

use std::sync::Arc;

use counterweight_core::params::check;
use counterweight_core::{
    Deadline, Fitted, Learner, Loss, LossContext, LossNeeds, LossTerms, Matrix, Note, Prior,
    Resampler, ScoreKind, Scores, Seed, Shared, SmallClass, StageContext, StageError, StageResult,
    StreamKey, Ties, Train,
};

use super::features::{Features, Label, train};
use super::resample::apply;
use crate::CATALOGUE;

/// A learner with a loss, a resampler and a seed: what [`Fit::loss`], [`Fit::resample`] and [`Fit::seed`] make.
#[derive(Clone, Debug)]
pub struct Trainer<M> {
    learner: M,
    loss: Option<Arc<dyn Loss>>,
    resampler: Option<Arc<dyn Resampler>>,
    honours: Option<LossNeeds>,
    seed: u64,
}

/// What a fit is made of.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    learner: &'a (dyn Learner + 'static),
    loss: Option<&'a dyn Loss>,
    resampler: Option<&'a dyn Resampler>,
    honours: Option<LossNeeds>,
    pub(super) seed: u64,
}

/// Fits learners to rows of one's own; implemented for every learner, and for what its first three methods make.
pub trait Fit: Sized {
    /// The learner itself.
    type Learner: Learner + 'static;

    /// The learner with everything at its default.
    fn trainer(self) -> Trainer<Self::Learner>;

    #[doc(hidden)]
    fn parts(&self) -> Parts<'_>;

    /// Under this loss.
    fn loss(self, loss: impl Loss + 'static) -> Trainer<Self::Learner> {
        Trainer {
            loss: Some(Arc::new(loss)),
            ..self.trainer()
        }
    }

    /// On rows that are resampled first: the training rows of every fit, never those that are predicted.
    fn resample(self, resampler: impl Resampler + 'static) -> Trainer<Self::Learner> {
        Trainer {
            resampler: Some(Arc::new(resampler)),
            ..self.trainer()
        }
    }

    /// With this seed; without it the seed is 0.
    fn seed(self, seed: u64) -> Trainer<Self::Learner> {
        Trainer {
            seed,
            ..self.trainer()
        }
    }

    /// Says what a learner of one's own honours of a loss, which nobody else knows.
    fn honouring(self, honours: LossNeeds) -> Trainer<Self::Learner> {
        Trainer {
            honours: Some(honours),
            ..self.trainer()
        }
    }

    /// The model of these rows.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] where the learner does not honour the loss; whatever resampling and fitting give.
    fn fit<X: Features + ?Sized, L: Label>(&self, x: &X, y: &[L]) -> StageResult<Model<L>> {
        let (train, classes) = train(x, y)?;
        let parts = self.parts();
        let fit = parts.fit(&train, &Seed(parts.seed).stage("fit"))?;
        Ok(Model::new(fit, &train, classes))
    }
}

impl<M: Learner + 'static> Fit for M {
    type Learner = M;

    fn trainer(self) -> Trainer<M> {
        Trainer {
            learner: self,
            loss: None,
            resampler: None,
            honours: None,
            seed: 0,
        }
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            learner: self,
            loss: None,
            resampler: None,
            honours: None,
            seed: 0,
        }
    }
}

impl<M: Learner + 'static> Fit for Trainer<M> {
    type Learner = M;

    fn trainer(self) -> Self {
        self
    }

    fn parts(&self) -> Parts<'_> {
        Parts {
            learner: &self.learner,
            loss: self.loss.as_deref(),
            resampler: self.resampler.as_deref(),
            honours: self.honours,
            seed: self.seed,
        }
    }
}

/// A fit of some training rows.
#[derive(Debug)]
pub(super) struct OneFit {
    pub(super) fitted: Box<dyn Fitted>,
    pub(super) prior: Option<Prior>,
    pub(super) notes: Vec<Note>,
}

impl Parts<'_> {
    pub(super) fn fit(&self, train: &Train, key: &StreamKey) -> StageResult<OneFit> {
        let before = train.counts();
        let (own, mut notes) = match self.resampler {
            Some(method) => apply(method, train, &key.clone().text("resample"))?,
            None => (train.clone(), Vec::new()),
        };
        let seen = own.counts();
        let mut needs = LossNeeds::NONE;
        let mut terms = LossTerms::cross_entropy(before.n_classes());
        if let Some(loss) = self.loss {
            needs = loss.needs();
            terms = loss.terms(&LossContext {
                seen: &seen,
                train: &before,
            })?;
        }
        self.check(needs, own.batches().is_some(), before.n_classes())?;
        let shared = Shared::default();
        let stream = key.clone().text("learner").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let fitted = self.learner.fit(&own, &terms, &mut context)?;
        notes.append(&mut context.notes);
        let prior = terms.scores_prior_of(&own.class_mass());
        Ok(OneFit {
            fitted,
            prior,
            notes,
        })
    }

    /// Refuses what the learner would leave out.
    fn check(&self, needs: LossNeeds, redraws: bool, n_classes: usize) -> StageResult<()> {
        let refused = |words: String| Err(StageError::NotApplicable(words));
        let kind = self.learner.kind();
        let card = CATALOGUE.learners.iter().find(|entry| {
            let made = check(entry.card.params, &std::collections::BTreeMap::new());
            let made = made.ok().and_then(|params| (entry.build)(&params).ok());
            made.is_some_and(|learner| learner.kind() == kind)
        });
        let id = card.map_or_else(
            || "this learner".to_owned(),
            |entry| format!("`{}`", entry.card.id),
        );
        if card.is_some_and(|entry| !entry.caps.multiclass) && n_classes > 2 {
            return refused(format!("{id} takes two classes only"));
        }
        let honours = self
            .honours
            .or(card.map(|entry| entry.caps.honours))
            .unwrap_or(LossNeeds::NONE);
        let redrawn = redraws && !honours.minibatches;
        let redrawn = redrawn.then_some("minibatches of a changed composition");
        match needs.beyond(&honours).or(redrawn) {
            Some(what) => refused(format!("{id} does not honour {what}")),
            None => Ok(()),
        }
    }
}

/// A fitted model, with the classes that it was shown.
#[derive(Debug)]
pub struct Model<L> {
    fit: OneFit,
    classes: Vec<L>,
    ties: Ties,
    columns: usize,
}

impl<L: Label> Model<L> {
    pub(super) fn new(fit: OneFit, train: &Train, classes: Vec<L>) -> Self {
        Self {
            fit,
            classes,
            ties: train.samples().y().ties().clone(),
            columns: train.samples().x().cols(),
        }
    }

    /// The class of the largest score of each row; ties go to the rarest class of the training rows.
    ///
    /// # Errors
    /// As [`scores`](Self::scores).
    pub fn predict<X: Features + ?Sized>(&self, x: &X) -> StageResult<Vec<L>> {
        let scores = self.scores(x)?;
        let decided = scores.argmax(&vec![0.0; self.classes.len()], &self.ties)?;
        Ok(self.named(decided.as_slice()))
    }

    /// Scores of rows: log-probabilities, or votes where the learner gives no more.
    ///
    /// # Errors
    /// [`StageError::Failed`] for another number of columns than the model was shown, and whatever the model gives.
    pub fn scores<X: Features + ?Sized>(&self, x: &X) -> StageResult<Scores> {
        self.scores_of(&self.matrix(x)?)
    }

    /// Probabilities, one row a row and one column a class, in the order of [`classes`](Self::classes).
    ///
    /// # Errors
    /// As [`scores`](Self::scores); [`StageError::NotApplicable`] where the learner gives votes only.
    pub fn probabilities<X: Features + ?Sized>(&self, x: &X) -> StageResult<Matrix> {
        probabilities(&self.scores(x)?)
    }

    /// The classes, in the order of their values.
    pub fn classes(&self) -> &[L] {
        &self.classes
    }

    /// The class shares that the scores suppose, which the loss and the resampler decide; `None` where there are none.
    pub fn prior(&self) -> Option<&[f64]> {
        self.fit.prior.as_ref().map(Prior::as_slice)
    }

    /// What a reader of the result has to know.
    pub fn notes(&self) -> &[Note] {
        &self.fit.notes
    }

    pub(super) fn named(&self, decided: &[u32]) -> Vec<L> {
        decided
            .iter()
            .map(|&class| self.classes[class as usize].clone())
            .collect()
    }

    pub(super) fn matrix<X: Features + ?Sized>(&self, x: &X) -> StageResult<Matrix> {
        let x = x.to_matrix()?;
        if x.cols() == self.columns || x.rows() == 0 {
            return Ok(x);
        }
        let message = format!("{} columns, the model was shown {}", x.cols(), self.columns);
        Err(StageError::Failed(message))
    }

    pub(super) fn scores_of(&self, x: &Matrix) -> StageResult<Scores> {
        self.fit.fitted.scores(x)
    }

    pub(super) fn fit(&self) -> &OneFit {
        &self.fit
    }
}

pub(super) fn probabilities(scores: &Scores) -> StageResult<Matrix> {
    if scores.kind() == ScoreKind::Vote {
        return Err(StageError::NotApplicable(
            "the learner gives votes only".into(),
        ));
    }
    let log = scores.log();
    Ok(Matrix::from_fn(log.rows(), log.cols(), |i, j| {
        log.at(i, j).exp()
    }))
}
