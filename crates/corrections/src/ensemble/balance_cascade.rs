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
//! let entry = find(counterweight_corrections::ensemble::ALL, "balance-cascade").expect("it is listed");
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
//! X.-Y. Liu, J. Wu and Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", IEEE
//! Transactions on Systems, Man and Cybernetics B 39, 2009.

use counterweight_core::{
    Base, Ensemble, EnsembleCaps, EnsembleEntry, EnsembleFit, Range, StageContext, StageResult,
    Train, log_softmax, parameters,
};
use std::borrow::Cow;

use super::boost::{Boosting, Committee, fits_on_subsets};
use super::draw::{by_class, draw, share_of, subset as shuffle, take};
use super::members::{Members, prior_of};
use crate::resample::strategy::Shrink;

parameters! {
    /// `BalanceCascade` with checked parameters.
    pub struct BalanceCascade {
        /// members whose answers are joined
        members: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// boosting rounds
        rounds: usize = 10, in Range::AT_LEAST_ONE, probe [4];
        /// factor on the say of each round
        learning_rate: f64 = 1.0, in Range::POSITIVE, probe [0.3];
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
    }
}

impl Ensemble for BalanceCascade {
    fn fit(
        &self,
        train: &Train,
        base: &Base<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<EnsembleFit> {
        let boosting = Boosting::new(self.rounds, self.learning_rate);
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
            let fitted = boosting.run(&subset, &mut members, |weights, _, _| {
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
            prior: prior_of(&targets, &counts),
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: EnsembleEntry = EnsembleEntry::of::<BalanceCascade>(
    "balance-cascade",
    "boosts balanced subsets one after another, leaving out what is already told surely",
    "Liu, Wu and Zhou 2009",
    EnsembleCaps::new(fits_on_subsets),
);
