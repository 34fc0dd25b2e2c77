//! `BalanceCascade`: as `EasyEnsemble`, but after each subset the rows of the larger classes that are
//! already told surely are left out of what the next one draws from.
//!
//! # When it helps, when it hurts
//!
//! Where most of the majority is easy, later subsets spend their few rows near the border. The same
//! makes it fragile: what is left at the end are also the mislabelled rows. At a ratio near 1 it is
//! `EasyEnsemble`.
//!
//! # Formula
//!
//! Of a class with n rows that `strategy` shrinks to m, subset t of T is drawn from a pool of `n (m
//! / n)^((t - 1) / (T - 1))` rows: after each subset, the rows of the pool that its `AdaBoost` gives
//! the highest probability of their own class leave, equally sure ones at random. Scores as for
//! `easy-ensemble`; the scores' prior is that of the subsets, which holds for the shares of the
//! classes, not for the rows within a class, which are the hard ones.
//!
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `members` | 10 | [1, inf) | members |
//! | `rounds` | 10 | [1, inf) | boosting rounds |
//! | `learning_rate` | 1 | (0, inf) | factor on the say of each round |
//! | `strategy` | `auto` | see [`strategy`], under-samplers | rows a class |
//!
//! # Cost
//!
//! O(`members` x `rounds`) fits of the base to K times the smallest class's rows, and scoring all
//! rows after each member.
//!
//! # Differences
//!
//! The paper moves each `AdaBoost`'s threshold to a false-positive rate of `f = (m / n)^(1 / (T - 1))`
//! and drops what is then right; that is the share f of the pool with the highest scores, as here,
//! for two classes, and this form has a meaning for more. imbalanced-learn dropped its class of that
//! name in 0.6.
//!
//! # Errors
//!
//! Fewer than two classes with rows are not applicable. Those of
//! [`strategy`], of the base, and a passed deadline (asked before each
//! fit).
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
//! let entry = find(counterweight_corrections::ensemble::ALL, "balance-cascade").expect("it is listed");
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
//! X.-Y. Liu, J. Wu and Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", IEEE
//! Transactions on Systems, Man and Cybernetics B 39, 2009.

use counterweight_core::{
    Base, Card, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, EnsembleNeeds, ParamError,
    Params, StageContext, StageResult, Train,
};
use std::borrow::Cow;

use super::boost::{Boosting, Committee, LEARNING_RATE, ROUNDS, fits_on_subsets};
use super::draw::{by_class, draw, share_of, subset as shuffle, take};
use super::members::{MEMBERS, Members, prior_of};
use crate::resample::strategy::{self, Direction, Strategy};
use counterweight_core::log_softmax;

/// `BalanceCascade` with checked parameters.
#[derive(Clone, Debug)]
pub struct BalanceCascade {
    members: usize,
    boosting: Boosting,
    strategy: Strategy,
}

impl TryFrom<&Params> for BalanceCascade {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        Ok(Self {
            members: params.whole("members"),
            boosting: Boosting::from(params),
            strategy: Strategy::from_params(params, Direction::Under)?,
        })
    }
}

impl Ensemble for BalanceCascade {
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
        let encoded = (base.encode)(samples)?;
        let mut pools = by_class(samples);
        let mut members = Members::new(base, context);
        let mut boosted = Vec::new();
        for at in 1..=self.members {
            let mut streams = members.next()?;
            let rows = draw(&pools, &targets, false, &mut streams.rows);
            let subset = take(train, &rows)?;
            let fitted = self.boosting.run(&subset, &mut members, |weights, _, _| {
                Ok((Cow::Borrowed(&subset), weights.to_vec()))
            })?;
            if at < self.members {
                let mut logits = fitted.logits(encoded.x())?;
                for row in 0..logits.rows() {
                    log_softmax(logits.row_mut(row));
                }
                for (class, pool) in pools.iter_mut().enumerate() {
                    let (target, have) = (targets[class], counts.as_slice()[class]);
                    if have <= target {
                        continue;
                    }
                    let left =
                        (target as f64 / have as f64).powf(at as f64 / (self.members - 1) as f64);
                    let keep = share_of(have, left).clamp(target, pool.len());
                    // In random order first, so that equally sure rows are left out at random.
                    *pool = shuffle(pool, pool.len(), &mut streams.rows);
                    pool.sort_by(|&a, &b| logits.at(a, class).total_cmp(&logits.at(b, class)));
                    pool.truncate(keep);
                    pool.sort_unstable();
                }
            }
            boosted.push(fitted);
        }
        Ok(EnsembleFit {
            fitted: Box::new(Committee::of(boosted, members, context)),
            prior: prior_of(&targets),
        })
    }
}

fn build(params: &Params) -> Result<Box<dyn Ensemble>, ParamError> {
    Ok(Box::new(BalanceCascade::try_from(params)?))
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry {
    card: Card {
        id: "balance-cascade",
        summary: "boosts balanced subsets one after another, leaving out what is already told surely",
        reference: "Liu, Wu and Zhou 2009",
        params: &[MEMBERS, ROUNDS, LEARNING_RATE, strategy::SPEC],
    },
    caps: EnsembleCaps {
        family: "ensemble",
        fits: fits_on_subsets,
    },
    build,
};
