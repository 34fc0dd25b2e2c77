//! `SMOTEBoost`: boosting whose every round sees all rows and fresh synthetic rows of the smaller
//! classes.
//!
//! # When it helps, when it hurts
//!
//! Boosting follows the rare rows that it gets wrong, and the synthetic rows widen what it learns
//! from them. It costs the most of the boosted methods, inherits SMOTE's trouble with overlapping
//! classes, and follows mislabelled rare rows with growing weight.
//!
//! # Formula
//!
//! SAMME ([its rules](super)) on all rows; in each round `strategy` and SMOTE (`smote-nc` or
//! `smote-n` with nominal columns) add rows, made anew, each with the boosting weight of the row
//! that it starts from, and the base is fitted to all of them. Synthetic rows are gone when errors
//! are counted. The scores are `log softmax F(x)`. They have no prior of their own, as for
//! `rusboost`.
//!
//! # Cost
//!
//! O(`rounds`) fits of the base to K times the largest class's rows, scoring all rows once a round,
//! and one search for k neighbours in each class that grows.
//!
//! # Differences
//!
//! The paper boosts by `AdaBoost`.M2 with a pseudo-loss and does not say what synthetic rows weigh;
//! here SAMME, which takes every base, and the weight of the starting row. The paper adds a fixed
//! number of rows; here `strategy`. imbalanced-learn has no such class.
//!
//! # Errors
//!
//! Fewer than two classes with rows are not applicable. A class too small for k neighbours is
//! settled by the small-class policy. Those of [`strategy`](crate::resample::strategy), of the base,
//! and a passed deadline (asked before each fit).
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
//! let entry = find(counterweight_corrections::ensemble::ALL, "smoteboost").expect("it is listed");
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
//! N. V. Chawla, A. Lazarevic, L. O. Hall and K. W. Bowyer, "`SMOTEBoost`: improving prediction of the
//! minority class in boosting", PKDD 2003.

use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Origin, Range, StageContext,
    StageResult, Train, parameters,
};
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::boost::{Boosting, Committee};
use super::draw::{check_room, synthesise};
use super::members::{Members, over_rows};
use crate::resample::strategy::Grow;

parameters! {
    /// `SMOTEBoost` with checked parameters.
    pub struct SmoteBoost {
        /// boosting rounds
        rounds: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// factor on the say of each round
        learning_rate: f64 = 1.0, in Range::POSITIVE, probe [0.3];
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Ensemble for SmoteBoost {
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let samples = train.samples();
        let counts = train.counts();
        let targets = self.strategy.targets(samples.y().names(), &counts)?;
        check_room(&targets)?;
        let extra: Vec<usize> = targets
            .iter()
            .zip(counts.as_slice())
            .map(|(target, have)| target - have)
            .collect();
        // A synthetic row names the original row that it starts from.
        let mut place: BTreeMap<usize, usize> = BTreeMap::new();
        for (row, origin) in samples.origins().iter().enumerate() {
            place.entry(start(*origin)).or_insert(row);
        }
        let mut members = Members::new(base, context);
        let boosting = Boosting::new(self.rounds, self.learning_rate);
        let boosted = boosting.run(train, &mut members, |weights, members, stream| {
            let grown = synthesise(train, &extra, self.k, members, stream)?;
            let made = grown.samples().origins().iter().skip(weights.len());
            let of_base =
                made.map(|origin| place.get(&start(*origin)).map_or(0.0, |&row| weights[row]));
            let seen = weights.iter().copied().chain(of_base).collect();
            Ok((Cow::Owned(grown), seen))
        })?;
        Ok(EnsembleFit {
            fitted: Box::new(Committee::of(vec![boosted], members, context)),
            prior: None,
        })
    }
}

/// The original row that a row is, or starts from.
fn start(origin: Origin) -> usize {
    match origin {
        Origin::Row(row) | Origin::Synthetic { base: row, .. } => row,
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<SmoteBoost>(
    "smoteboost",
    "boosts with fresh SMOTE rows each round",
    "Chawla et al. 2003",
    EnsembleCaps {
        chained: true,
        weighs: true,
        ..EnsembleCaps::new(|params, counts| (params.whole("rounds"), over_rows(counts)))
    },
);
