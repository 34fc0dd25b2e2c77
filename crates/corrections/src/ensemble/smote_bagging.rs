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
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `members` | 10 | [1, inf) | members |
//! | `strategy` | `auto` | see [`strategy`], over-samplers | rows a class |
//! | `k` | 5 | [1, inf) | neighbours |
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
//! settled by the small-class policy. Those of [`strategy`], of the base,
//! and a passed deadline (asked before each fit).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Base, Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext,
//!     find, params,
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
//! assert_eq!(scores.argmax(&[0.0; 2])?.as_slice(), [0, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! S. Wang and X. Yao, "Diversity analysis on imbalanced data sets by using ensemble models", CIDM
//! 2009. N. V. Chawla et al., "SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002.

use super::draw::{by_class, check_room, draw, share_of, synthesise, take};
use super::members::{MEMBERS, Members, over_rows};
use crate::resample::smote::K;
use crate::resample::strategy::{self, Direction, Strategy};
use counterweight_core::{
    Base, Card, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, EnsembleNeeds, ParamError,
    Params, StageContext, StageResult, Train,
};

/// SMOTE-bagging with checked parameters.
#[derive(Clone, Debug)]
pub struct SmoteBagging {
    members: usize,
    strategy: Strategy,
    k: usize,
}

impl TryFrom<&Params> for SmoteBagging {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            members: params.whole("members"),
            strategy: Strategy::from_params(params, Direction::Over)?,
            k: params.whole("k"),
        })
    }
}

impl Ensemble for SmoteBagging {
    fn needs(&self) -> EnsembleNeeds {
        EnsembleNeeds::default()
    }

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
        Ok(members.average(fitted, &targets, context))
    }
}

fn build(params: &Params) -> Result<Box<dyn Ensemble>, ParamError> {
    Ok(Box::new(SmoteBagging::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry {
    card: Card {
        id: "smote-bagging",
        summary: "averages fits to bootstraps that SMOTE fills up, in changing proportions",
        reference: "Wang and Yao 2009",
        params: &[MEMBERS, strategy::SPEC, K],
    },
    caps: EnsembleCaps {
        family: "ensemble",
        fits: |params, counts| (params.whole("members"), over_rows(counts)),
    },
    build,
};
