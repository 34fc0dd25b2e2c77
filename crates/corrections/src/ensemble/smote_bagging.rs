//! SMOTE-bagging: each member is fitted to bootstraps of each class, the smaller ones filled up
//! partly by draws and partly by SMOTE, in a proportion that changes from member to member.
//!
//! # When it helps, when it hurts
//!
//! As over-bagging, but the members differ more, and an unstable base sees points between the few
//! rows instead of copies of them. It inherits SMOTE's weakness: where the classes overlap, points
//! between two rows lie in the other class.
//!
//! # Formula
//!
//! Member m of M holds, of each class that `strategy` enlarges to T rows, `max(1, round(T m / M))`
//! rows drawn with replacement and, for the rest, points `x + u (z - x)` with u uniform on [0, 1), x
//! a row of the class and z one of its k nearest neighbours in it; of every other class a bootstrap.
//! Rows with nominal columns are made as `smote-nc` makes them, or `smote-n` when all columns are
//! nominal. The score is `log (1/M sum_m p_m(y | x))`; the scores' prior is that of the sets.
//!
//! # Cost
//!
//! O(`members`) fits of the base to K times the largest class's rows, and one search for k
//! neighbours in each class that grows, shared by all members.
//!
//! # Differences
//!
//! The paper goes from 10 % to 100 % in steps of 10 % and repeats; here the steps are 1/M, the same
//! for its ten members. Its members vote; here probabilities are averaged where the base has them.
//! imbalanced-learn has no such class.
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
//! let entry = find(counterweight_corrections::ensemble::ALL, "smote-bagging").expect("it is listed");
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
//! 2009. N. V. Chawla et al., "SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002.

use super::draw::{by_class, check_room, draw, share_of, synthesise, take};
use super::members::{Members, over_rows};
use crate::resample::strategy::Grow;
use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Range, StageContext, StageResult,
    Train, parameters,
};

parameters! {
    /// SMOTE-bagging with checked parameters.
    pub struct SmoteBagging {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Ensemble for SmoteBagging {
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
        let pools = by_class(samples);
        let mut members = Members::new(base, context);
        let mut fitted = Vec::new();
        for at in 0..self.members {
            let mut streams = members.next()?;
            let share = (at + 1) as f64 / self.members as f64;
            let own: Vec<usize> = targets
                .iter()
                .zip(counts.as_slice())
                .map(|(&target, &have)| {
                    if target > have {
                        share_of(target, share).max(1)
                    } else {
                        target
                    }
                })
                .collect();
            let made: Vec<usize> = targets
                .iter()
                .zip(&own)
                .map(|(all, own)| all - own)
                .collect();
            let mut rows = draw(&pools, &own, true, &mut streams.rows);
            let grown = synthesise(train, &made, self.k, &mut members, &mut streams.rows)?;
            rows.extend(samples.n_rows()..grown.samples().n_rows());
            fitted.push(members.fit(&take(&grown, &rows)?, streams.learner)?);
        }
        Ok(members.average(fitted, (&targets, &counts), context))
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<SmoteBagging>(
    "smote-bagging",
    "averages fits to bootstraps that SMOTE fills up, in changing proportions",
    "Wang and Yao 2009",
    EnsembleCaps::new(|params, counts| (params.whole("members"), over_rows(counts))).weighing(),
);
