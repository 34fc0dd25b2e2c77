//! Bags that hold of each class the number of rows that a strategy asks for: what under-bagging,
//! over-bagging and the balanced random forest have in common.

use counterweight_core::{
    Base, EnsembleFit, Learner, ParamError, Params, StageContext, StageResult, Train,
};

use super::draw::{by_class, check_room, draw};
use super::members::Members;
use crate::resample::strategy::{Direction, Strategy};

/// How many bags, and what each holds.
#[derive(Clone, Debug)]
pub(super) struct StratifiedBags {
    bags: usize,
    strategy: Strategy,
    replacement: bool,
}

impl StratifiedBags {
    /// As many bags as the parameter `bags` says, beside `strategy` and `replacement`.
    ///
    /// # Errors
    /// Those of the strategy.
    pub(super) fn from_params(
        params: &Params,
        bags: &str,
        direction: Direction,
    ) -> Result<Self, ParamError> {
        Ok(Self {
            bags: params.whole(bags),
            strategy: Strategy::from_params(params, direction)?,
            replacement: params.flag("replacement"),
        })
    }

    /// Fits `learner`, which the base gave, to each bag, and averages.
    ///
    /// # Errors
    /// Those of the strategy for the classes at hand, no memory for the rows that it asks for, those of
    /// the base, and a passed deadline.
    pub(super) fn fit(
        &self,
        learner: &dyn Learner,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let samples = train.samples();
        let targets = self
            .strategy
            .targets(samples.y().names(), &train.counts())?;
        check_room(&targets)?;
        let pools = by_class(samples);
        let mut members = Members::new(base, context);
        let fitted = members.bag(self.bags, train, learner, |stream| {
            draw(&pools, &targets, self.replacement, stream)
        })?;
        Ok(members.average(fitted, &targets, context))
    }
}
