//! Under-bagging: each member is fitted to all rows of the smallest class and a random subset of the
//! others, and their probabilities are averaged.
//!
//! # When it helps, when it hurts
//!
//! Each subset throws most of the larger classes away, but not the same part, so that the average
//! keeps what random under-sampling loses: this is where unstable bases (trees) win most. A stable
//! base (a linear one) has little to average. Below a few tens of rows in the smallest class every
//! member sees the same few, and their error stays.
//!
//! # Formula
//!
//! Member m is the base's fit to a set `S_m` that holds, of each class, the number of rows that
//! `strategy` asks for, drawn at random without replacement (with it when `replacement` is true,
//! also from the smallest class). The score is `log (1/M sum_m p_m(y | x))`; votes of a base that
//! only votes become shares of votes. The scores' prior is that of the subsets.
//!
//! # Cost
//!
//! O(`members`) fits of the base to K times the smallest class's rows.
//!
//! # Differences
//!
//! The paper's members are nearest neighbours that vote; here any base, and averages where it has
//! probabilities. imbalanced-learn's `BalancedBaggingClassifier` first bootstraps all rows, so that
//! the smallest class loses a third of its rows and may vanish; `replacement = true` is its
//! stratified form, in which every class keeps its number of rows.
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
//! let entry = find(counterweight_corrections::ensemble::ALL, "under-bagging").expect("it is listed");
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
//! R. Barandela, R. M. Valdovinos and J. S. Sanchez, "New applications of ensembles of classifiers",
//! Pattern Analysis and Applications 6, 2003. B. C. Wallace, K. Small, C. E. Brodley and T. A.
//! Trikalinos, "Class imbalance, redux", ICDM 2011 (why it works).

use super::members::under_rows;
use super::stratified;
use crate::resample::strategy::Shrink;
use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Range, StageContext, StageResult,
    Train, parameters,
};

parameters! {
    /// Under-bagging with checked parameters.
    pub struct UnderBagging {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// draw the rows of every class with replacement, also of those that keep their count
        replacement: bool = false;
    }
}

impl Ensemble for UnderBagging {
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
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<UnderBagging>(
    "under-bagging",
    "averages fits to balanced subsets of the rows",
    "Barandela et al. 2003",
    EnsembleCaps::new(|params, counts| (params.whole("members"), under_rows(counts))).weighing(),
);
