//! Bags that hold of each class the number of rows that a strategy asks for: what under-bagging,
//! over-bagging and the balanced random forest have in common.

use counterweight_core::{Base, EnsembleFit, Learner, StageContext, StageResult, Train};

use super::draw::{by_class, check_room, draw};
use super::members::Members;
use crate::resample::strategy::Strategy;

/// Fits `learner`, which the base gave, to so many bags that hold what `strategy` says, drawn with
/// replacement or without, and averages.
///
/// # Errors
/// Those of the strategy for the classes at hand, no memory for the rows that it asks for, those of
/// the base, and a passed deadline.
pub(super) fn fit<const DROPS: bool>(
    learner: &dyn Learner,
    (bags, replacement): (usize, bool),
    strategy: &Strategy<DROPS>,
    train: &Train,
    base: &Base<'_>,
    context: &mut StageContext<'_>,
) -> StageResult<EnsembleFit> {
    let samples = train.samples();
    let targets = strategy.targets(samples.y().names(), &train.counts())?;
    check_room(&targets)?;
    let pools = by_class(samples);
    let mut members = Members::new(base, context);
    let fitted = members.bag(bags, train, learner, |stream| {
        draw(&pools, &targets, replacement, stream)
    })?;
    Ok(members.average(fitted, (&targets, &train.counts()), context))
}
