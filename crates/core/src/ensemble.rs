//! Ensembles: corrections that own the fit. They decide which rows each of several fits of the sweep's
//! model sees, and how the answers are joined.

use std::fmt;

use crate::error::{StageError, StageResult};
use crate::labels::Prior;
use crate::stage::{Fitted, Learner, LossTerms, StageContext};
use crate::views::{Samples, Train};

/// What an ensemble asks of its base learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct EnsembleNeeds {
    /// Scores that are more than votes.
    pub probabilities: bool,
    /// A learner of single members ([`Learner::member`]).
    pub member: bool,
}

/// The learner that an ensemble fits again and again: the model of the sweep.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// Its kind, for messages.
    pub id: &'a str,
    /// The learner.
    pub learner: &'a dyn Learner,
    /// Most rows that it is given; more are not applicable.
    pub max_rows: Option<usize>,
    /// The split's encoder: from nominal columns as codes to the numbers that learners take.
    pub encode: &'a dyn Fn(&Samples) -> StageResult<Samples>,
}

impl Base<'_> {
    /// Encodes `rows` (nominal columns still codes) and fits `learner`, the base itself or what it
    /// gave as its member.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] for more rows than the base is given, and whatever encoding
    /// and fitting give.
    pub fn fit(
        &self,
        learner: &dyn Learner,
        rows: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let n = rows.samples().n_rows();
        if let Some(most) = self.max_rows.filter(|most| n > *most) {
            return Err(StageError::NotApplicable(format!(
                "over the size limit: {n} rows for a member, `{}` is given {most}",
                self.id
            )));
        }
        let encoded = rows.derive(|samples| (self.encode)(samples))?;
        learner.fit(&encoded, terms, context)
    }
}

impl fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base")
            .field("id", &self.id)
            .field("learner", &self.learner)
            .field("max_rows", &self.max_rows)
            .finish_non_exhaustive()
    }
}

/// What an ensemble's fit gives.
#[derive(Debug)]
pub struct EnsembleFit {
    /// The joined members; they score encoded rows. Their scores are probabilities also where the
    /// base gives votes, which become shares.
    pub fitted: Box<dyn Fitted>,
    /// The prior of the scores; `None` where they have none of their own.
    pub prior: Option<Prior>,
}

/// A correction that owns the fit.
pub trait Ensemble: fmt::Debug + Send + Sync {
    /// What it asks of its base.
    fn needs(&self) -> EnsembleNeeds {
        EnsembleNeeds::default()
    }

    /// Fits the base on rows of its own choice, several times, and joins the answers. The nominal
    /// columns of `train` are still codes.
    ///
    /// # Errors
    /// Every reason for which there is no model.
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit>;
}
