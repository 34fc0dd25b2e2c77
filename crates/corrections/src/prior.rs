//! Which prior a loss or a decision starts from: `prior = "effective" | "train" | "uniform"` or a
//! positive number per class.
//!
//! * `effective` is what the rows or scores at hand have themselves: for a loss, the counts of the
//!   rows that the learner sees; for a decision, the scores' own prior. After a full correction
//!   the scores' own prior is uniform, so a prior-based decision is then a no-op.
//! * `train` is the training prior before resampling, weighting and offsets. On top of another full
//!   correction it is the double correction.
//! * `uniform` makes prior-based stages no-ops; it is the control arm.
//! * Numbers are scaled to sum to one, so counts and frequencies mean the same.

use counterweight_core::params::PerClass;
use counterweight_core::{
    ClassCounts, DecideContext, LossContext, ParamError, ParamKind, ParamValue, Parameter, Params,
    Prior, StageError, StageResult,
};

/// The words that `prior` takes beside numbers.
pub const WORDS: &[&str] = &["effective", "train", "uniform"];

/// Where a prior comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum PriorSource {
    /// The prior of the rows that the learner sees, or of the scores.
    Effective,
    /// The training prior before any correction.
    Train,
    /// The same probability for every class.
    Uniform,
    /// These weights, one a class in class order, each above 0.
    Given(Vec<f64>),
    /// A word that the method knows beside these.
    Other(&'static str),
}

/// The words for [`PriorSource::Other`].
const OTHERS: [&str; 2] = ["estimated", "own"];

impl PriorSource {
    /// The prior for a loss.
    ///
    /// # Errors
    /// [`StageError::Failed`] when there are no rows, or not as many numbers as classes.
    pub fn for_loss(&self, context: &LossContext<'_>) -> StageResult<Prior> {
        match self {
            Self::Effective => shares(context.seen),
            Self::Train => shares(context.train),
            Self::Uniform => Ok(Prior::uniform(context.seen.n_classes())?),
            Self::Given(weights) => given(weights, context.seen.n_classes()),
            Self::Other(word) => other(word),
        }
    }

    /// The prior for a decision.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] when `effective` is asked of scores that have no prior of
    /// their own; [`StageError::Failed`] when there are no rows, or not as many numbers as classes.
    pub fn for_decision(&self, context: &DecideContext<'_>) -> StageResult<Prior> {
        let n_classes = context.train.n_classes();
        let prior = match self {
            Self::Effective => context.scores_prior.cloned().ok_or_else(|| {
                StageError::NotApplicable(
                    "the scores have no prior of their own under this loss; try `prior = \"train\"`"
                        .into(),
                )
            }),
            Self::Train => context.train_prior(),
            Self::Uniform => Ok(Prior::uniform(n_classes)?),
            Self::Given(weights) => given(weights, n_classes),
            Self::Other(word) => other(word),
        }?;
        if prior.n_classes() == n_classes {
            Ok(prior)
        } else {
            Err(StageError::Failed(format!(
                "the scores' prior has {} classes, the training rows have {n_classes}",
                prior.n_classes()
            )))
        }
    }
}

impl Parameter for PriorSource {
    const KIND: ParamKind = ParamKind::Prior(WORDS);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(match PerClass::read(params, key)? {
            PerClass::Numbers(weights) => Self::Given(weights),
            PerClass::Word(word) => match (word.as_str(), OTHERS.iter().find(|o| **o == word)) {
                (_, Some(other)) => Self::Other(other),
                ("train", _) => Self::Train,
                ("uniform", _) => Self::Uniform,
                _ => Self::Effective,
            },
        })
    }

    fn to_value(&self) -> Option<ParamValue> {
        let word = match self {
            Self::Effective => "effective",
            Self::Train => "train",
            Self::Uniform => "uniform",
            Self::Other(word) => word,
            Self::Given(weights) => return Some(ParamValue::reals(weights)),
        };
        Some(ParamValue::Text(word.into()))
    }
}

fn other(word: &str) -> StageResult<Prior> {
    Err(StageError::Failed(format!("`{word}` is no prior here")))
}

fn shares(counts: &ClassCounts) -> StageResult<Prior> {
    counts
        .prior()
        .ok_or_else(|| StageError::Failed("no training rows to take a prior from".into()))
}

fn given(weights: &[f64], n_classes: usize) -> StageResult<Prior> {
    if weights.len() != n_classes {
        return Err(StageError::Failed(format!(
            "`prior` has {} numbers for {n_classes} classes; give one a class, in class order",
            weights.len()
        )));
    }
    Ok(Prior::from_weights(weights.to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_names_its_own_counts() {
        let seen = ClassCounts::new(vec![50, 50]);
        let train = ClassCounts::new(vec![90, 10]);
        let context = LossContext {
            seen: &seen,
            train: &train,
        };
        let of = |source: PriorSource| source.for_loss(&context).unwrap().as_slice().to_vec();
        assert_eq!(of(PriorSource::Effective), [0.5, 0.5]);
        assert_eq!(of(PriorSource::Train), [0.9, 0.1]);
        assert_eq!(of(PriorSource::Given(vec![1.0, 3.0])), [0.25, 0.75]);
        let own = Prior::from_weights(vec![0.7, 0.3]).unwrap();
        let context = DecideContext {
            scores_prior: Some(&own),
            train: &train,
        };
        let of = |source: PriorSource| source.for_decision(&context).unwrap().as_slice().to_vec();
        assert_eq!(of(PriorSource::Effective), [0.7, 0.3]);
        assert_eq!(of(PriorSource::Train), [0.9, 0.1]);
        assert_eq!(of(PriorSource::Uniform), [0.5, 0.5]);
    }

    #[test]
    fn what_cannot_be_had_is_an_error() {
        let train = ClassCounts::new(vec![90, 10]);
        let context = DecideContext {
            scores_prior: None,
            train: &train,
        };
        let found = PriorSource::Effective.for_decision(&context);
        assert!(matches!(found, Err(StageError::NotApplicable(_))));
        let found = PriorSource::Given(vec![1.0; 3]).for_decision(&context);
        assert!(matches!(found, Err(StageError::Failed(_))));
        let none = ClassCounts::new(vec![0, 0]);
        let context = DecideContext {
            scores_prior: None,
            train: &none,
        };
        assert!(PriorSource::Train.for_decision(&context).is_err());
    }
}
