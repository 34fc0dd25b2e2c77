//! `RUSBoost`: boosting whose every round sees a fresh random balanced subset, while errors and
//! weights are those of all rows.
//!
//! # When it helps, when it hurts
//!
//! Boosting at the price of under-sampling, with weak bases (stumps). The weights that count are
//! those of all rows: at a high ratio the errors on the majority dominate them, and rounds fitted to
//! balanced subsets err there often, so that single rounds may come out no better than chance.
//! `easy-ensemble` does not have that problem.
//!
//! # Formula
//!
//! SAMME ([its rules](super)) on all rows; in each round the base is fitted to the rows that
//! `strategy` leaves, drawn at random, with the boosting weights that those rows have. The scores
//! are `log softmax F(x)`. They have no prior of their own: the rounds are fitted under one class
//! distribution and weighed under another, so that decisions which start from the scores' prior are
//! not applicable, while tuned ones are.
//!
//! # Cost
//!
//! O(`rounds`) fits of the base to K times the smallest class's rows, and scoring all rows once a
//! round.
//!
//! # Differences
//!
//! The paper boosts by `AdaBoost`.M2 with a pseudo-loss of the base's probabilities; here, as in
//! imbalanced-learn 0.14, by SAMME on its answers, which takes every base. imbalanced-learn ends at
//! a round no better than chance and scales its probabilities by the sum of the says; here such a
//! round restarts the weights.
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
//! let entry = find(counterweight_corrections::ensemble::ALL, "rusboost").expect("it is listed");
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
//! C. Seiffert, T. M. Khoshgoftaar, J. Van Hulse and A. Napolitano, "`RUSBoost`: a hybrid approach to
//! alleviating class imbalance", IEEE Transactions on Systems, Man and Cybernetics A 40, 2010.

use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Range, StageContext, StageResult,
    Train, parameters,
};
use std::borrow::Cow;

use super::boost::{Boosting, Committee};
use super::draw::{by_class, draw, take};
use super::members::{Members, under_rows};
use crate::resample::strategy::Shrink;

parameters! {
    /// `RUSBoost` with checked parameters.
    pub struct RusBoost {
        /// boosting rounds
        rounds: usize = 50, in Range::AT_LEAST_ONE, probe [4];
        /// factor on the say of each round
        learning_rate: f64 = 1.0, in Range::POSITIVE, probe [0.3];
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// draw the rows of every class with replacement, also of those that keep their count
        replacement: bool = false;
    }
}

impl Ensemble for RusBoost {
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let samples = train.samples();
        let targets = self
            .strategy
            .targets(samples.y().names(), &train.counts())?;
        let pools = by_class(samples);
        let mut members = Members::new(base, context);
        let boosting = Boosting::new(self.rounds, self.learning_rate);
        let boosted = boosting.run(train, &mut members, |weights, _, stream| {
            let rows = draw(&pools, &targets, self.replacement, stream);
            let seen = rows.iter().map(|&row| weights[row]).collect();
            Ok((Cow::Owned(take(train, &rows)?), seen))
        })?;
        Ok(EnsembleFit {
            fitted: Box::new(Committee::of(vec![boosted], members, context)),
            prior: None,
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<RusBoost>(
    "rusboost",
    "boosts with a fresh balanced subset each round",
    "Seiffert et al. 2010",
    EnsembleCaps {
        chained: true,
        weighs: true,
        ..EnsembleCaps::new(|params, counts| (params.whole("rounds"), under_rows(counts)))
    },
);
