//! Balanced random forest: each tree of the model's forest is grown on a bootstrap of the smallest
//! class and as many rows of each other class.
//!
//! # When it helps, when it hurts
//!
//! The strongest cheap correction for trees on tables: every tree is grown on a balanced set, which
//! keeps small leaves of the rare class from being outvoted, and many trees bring back the rows that
//! each leaves out. Probabilities are those of a balanced world. It needs enough rare rows for a
//! tree: with a handful all trees look alike.
//!
//! # Formula
//!
//! For each tree: of each class the number of rows that `strategy` asks for (`auto`: those of the
//! smallest), drawn with replacement; the tree is the model's own (`random-forest`: features drawn
//! at each split; `extra-trees`: random cuts; `decision-tree`: as it is). The score is `log (1/T
//! sum_t p_t(y | x))` with `p_t` the leaf's class shares. The scores' prior is that of the sets.
//!
//! # Cost
//!
//! O(`trees`) trees on K times the smallest class's rows; see the model's file for the cost of one.
//!
//! # Differences
//!
//! The paper's trees vote; here, as in imbalanced-learn, leaf shares are averaged. imbalanced-learn
//! 0.14 draws as here by default (`sampling_strategy = "all"`, `replacement = True`, `bootstrap =
//! False`). The model's own `trees` is not used: this file's is.
//!
//! # Errors
//!
//! A model without members (anything but trees) is not applicable. Fewer than two classes with rows
//! are not applicable. Those of [`strategy`](crate::resample::strategy), of the base, and a passed
//! deadline (asked before each fit).
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
//! let model = find(counterweight_models::ALL, "random-forest").expect("it is listed");
//! let given = params::check(model.card.params, &Default::default()).expect("defaults are valid");
//! let learner = (model.build)(&given)?;
//! let base = Base {
//!     id: model.card.id,
//!     learner: &*learner,
//!     max_rows: None,
//!     encode: &|rows| Ok(rows.clone()),
//! };
//! let entry = find(counterweight_corrections::ensemble::ALL, "balanced-random-forest").expect("it is listed");
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
//! C. Chen, A. Liaw and L. Breiman, "Using random forest to learn imbalanced data", report 666,
//! Department of Statistics, University of California, Berkeley, 2004.

use super::members::under_rows;
use super::stratified;
use crate::resample::strategy::Shrink;
use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, EnsembleNeeds, Range, StageContext,
    StageError, StageResult, Train, parameters,
};

parameters! {
    /// Balanced random forest with checked parameters.
    pub struct BalancedRandomForest {
        /// trees whose class shares are averaged
        trees: usize = 100, in Range::AT_LEAST_ONE, probe [4];
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// draw the rows of every class with replacement, also of those that keep their count
        replacement: bool = true;
    }
}

impl Ensemble for BalancedRandomForest {
    fn needs(&self) -> EnsembleNeeds {
        EnsembleNeeds {
            member: true,
            ..EnsembleNeeds::default()
        }
    }

    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let Some(tree) = base.learner.member() else {
            return Err(StageError::NotApplicable(format!(
                "`{}` has no members that a forest could be grown of; try `under-bagging`",
                base.id
            )));
        };
        let bags = (self.trees, self.replacement);
        stratified::fit(&*tree, bags, &self.strategy, train, base, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<BalancedRandomForest>(
    "balanced-random-forest",
    "grows each tree of a forest on a balanced bootstrap",
    "Chen, Liaw and Breiman 2004",
    EnsembleCaps::new(|_, counts| {
        // The cost of a forest is of all its trees.
        (1, under_rows(counts))
    })
    .weighing(),
);
