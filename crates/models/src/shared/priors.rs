//! Class priors of the generative learners: the weighted shares of the rows, or given ones.

use counterweight_core::params::PerClass;
use counterweight_core::{
    Note, ParamError, ParamKind, ParamValue, Parameter, Params, StageContext, StageError,
    StageResult,
};

use super::task::Task;

/// Where the priors of a model come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Priors {
    /// The shares of the training rows.
    Empirical,
    /// The same for every class.
    Uniform,
    /// One number a class, absent classes included.
    Given(Vec<f64>),
}

impl Parameter for Priors {
    const KIND: ParamKind = ParamKind::Prior(&["empirical", "uniform"]);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(match PerClass::read(params, key)? {
            PerClass::Numbers(priors) => Self::Given(priors),
            PerClass::Word(word) if word == "uniform" => Self::Uniform,
            PerClass::Word(_) => Self::Empirical,
        })
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(match self {
            Self::Empirical => ParamValue::Text("empirical".into()),
            Self::Uniform => ParamValue::Text("uniform".into()),
            Self::Given(priors) => ParamValue::reals(priors),
        })
    }
}

impl Priors {
    /// Logarithms of the priors of the present classes, times the class weights, scaled to sum to one.
    ///
    /// Priors that are not those of the rows are remarked upon: what comes after the fit takes the
    /// scores' own prior from the rows and the loss, and would correct once too often.
    ///
    /// # Errors
    /// [`StageError::Failed`] for another number of priors than classes, or priors and weights whose
    /// products sum to nothing finite.
    pub(crate) fn logs(
        &self,
        task: &Task<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<f64>> {
        let mass: Vec<f64> = match self {
            Self::Empirical => task.mass(),
            Self::Uniform => task.weights.clone(),
            Self::Given(priors) => {
                if priors.len() != task.n_classes {
                    return Err(StageError::Failed(format!(
                        "`priors` has {} numbers for {} classes; give one a class, in class order",
                        priors.len(),
                        task.n_classes
                    )));
                }
                let of = |(&class, w): (&usize, &f64)| priors[class] * w;
                task.present.iter().zip(&task.weights).map(of).collect()
            }
        };
        if *self != Self::Empirical {
            context.note(Note::Remark(
                "the scores have the priors that `priors` gives, not those of the rows: a decision \
                 that starts from the effective prior corrects once too often"
                    .into(),
            ));
        }
        let total: f64 = mass.iter().sum();
        if !(total.is_finite() && total > 0.0) {
            return Err(StageError::Failed(format!(
                "the priors times the class weights sum to {total}"
            )));
        }
        Ok(mass.into_iter().map(|m| (m / total).ln()).collect())
    }
}
