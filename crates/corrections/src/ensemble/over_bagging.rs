//! Over-bagging: each member is fitted to a bootstrap of each class, the smaller classes drawn up to
//! the largest.
//!
//! # When it helps, when it hurts
//!
//! No row is thrown away, so it stands where under-bagging has too few rows to learn from. Its
//! members are the largest sets of all ensembles, which costs time, and the copies of the few rows
//! invite an unstable base to memorise them.
//!
//! # Formula
//!
//! Member m is the base's fit to a set `S_m` that holds, of each class, the number of rows that
//! `strategy` asks for, drawn with replacement from that class. Without `replacement` it holds every
//! row once and the drawn ones beside them. The score is `log (1/M sum_m p_m(y | x))`. The scores'
//! prior is that of the sets.
//!
//! # Cost
//!
//! O(`members`) fits of the base to K times the largest class's rows.
//!
//! # Differences
//!
//! The paper's members vote; here probabilities are averaged where the base has them.
//! imbalanced-learn has no such class; its `BalancedBaggingClassifier` with a `RandomOverSampler`
//! bootstraps all rows before it copies.
//!
//! # Errors
//!
//! Fewer than two classes with rows are not applicable. Those of
//! [`strategy`](crate::resample::strategy), of the base, and a passed deadline (asked before each
//! fit).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Base, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     Ties, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]);
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&Samples::numeric(x, y)?)?;
//!
//! let model = find(counterweight_models::ALL, "decision-tree").expect("it is listed");
//! let given = params::check(model.card.params, &Default::default()).expect("defaults are valid");
//! let learner = (model.build)(&given)?;
//! let base = Base {
//!     id: model.card.id,
//!     learner: &*learner,
//!     max_rows: None,
//!     encode: &|rows| Ok(rows.clone()),
//! };
//! let entry = find(counterweight_corrections::ensemble::ALL, "over-bagging").expect("it is listed");
//! let given = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("ensemble").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let fit = (entry.build)(&given)?.fit(&train, &base, &mut context)?;
//! let scores = fit.fitted.scores(&Matrix::from_vec(2, 1, vec![0.5, 8.5])?)?;
//! assert_eq!(scores.argmax(&[0.0; 2], &Ties::default())?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! S. Wang and X. Yao, "Diversity analysis on imbalanced data sets by using ensemble models", CIDM
//! 2009.

use super::members::over_rows;
use super::stratified;
use crate::resample::strategy::Grow;
use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Range, StageContext, StageResult,
    Train, parameters,
};

parameters! {
    /// Over-bagging with checked parameters.
    pub struct OverBagging {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// draw the rows of every class with replacement, also of those that keep their count
        replacement: bool = true;
    }
}

impl Ensemble for OverBagging {
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let bags = (self.members, self.replacement);
        stratified::fit(base.learner, bags, &self.strategy, train, base, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<OverBagging>(
    "over-bagging",
    "averages fits to bootstraps in which the smaller classes are drawn up to the largest",
    "Wang and Yao 2009",
    EnsembleCaps::new(|params, counts| (params.whole("members"), over_rows(counts))).weighing(),
);
