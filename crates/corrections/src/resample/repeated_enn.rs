//! Repeated edited nearest neighbours: [`enn`](super::enn) over and over until nothing changes.
//!
//! # When it helps, when it hurts
//!
//! Each round judges rows by what the last one left, so the gap between the classes widens until no
//! neighbourhood of k is mixed. It removes more than [`enn`](super::enn) and less predictably; where
//! the classes overlap broadly it stops because a larger class has fallen below the smallest one,
//! which is then no longer the smallest.
//!
//! # Formula
//!
//! Rounds of [`enn`](super::enn) on the rows that are left, `strategy` being read anew each time.
//! They end after a round that (1) removed nothing, (2) left a class, other than the one that was
//! smallest at the start, with fewer rows than that one had, (3) took all rows of a class, or after
//! `rounds` rounds. What the last round left is the result.
//!
//! # Cost
//!
//! O(n^2 d) for the first round's neighbours (shared by all samplers of a training set); a later
//! round searches only for the rows that lost too many of theirs.
//!
//! # Differences
//!
//! * The paper repeats until nothing changes, without the second and third end.
//! * The rows that stay are those of imbalanced-learn 0.14 (`max_iter` is `rounds`), also for
//!   several classes.
//! * Of several classes with the smallest count the lowest is the smallest; distances that tie are
//!   broken by row number, and a row is left out of its own list by its number (imbalanced-learn
//!   drops the first of k + 1 neighbours, which for duplicated rows may be another row).
//! * Kept rows stay in their order; imbalanced-learn groups them by class.
//! * k at or above the number of rows that are left follows the sweep's `small_class` policy
//!   (imbalanced-learn raises).
//! * Data with nominal columns go through the mixed metric of [`smote_nc`](super::smote_nc) on the
//!   scale of the smallest class, data of nominal columns alone through value differences, and a
//!   note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`](counterweight_core::StageError::NotApplicable) when fewer than two
//! classes have rows, `Failed` for values that are not finite and when no row would be left, and
//! those of the `small_class` policy. [`Timeout`](counterweight_core::StageError::Timeout) between
//! rounds.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(9, 1, vec![0.0, 1.0, 2.0, 3.0, 8.0, 9.0, 8.5, 7.0, 7.5])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "a", "a", "b", "b", "b"]))?;
//! let (train, _) = Partition::new(9, (0..9).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "repeated-enn").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(after.counts().as_slice(), [4, 3]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! I. Tomek, "An experiment with the edited nearest-neighbor rule", IEEE Transactions on Systems,
//! Man, and Cybernetics 6, 1976.

use counterweight_core::{
    Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train, parameters,
};

use super::cleaning::{Rule, Shrinking, among_rows, metric, subset};
use super::room::Room;
use super::strategy::{self, Cleaning};

parameters! {
    /// Repeated edited nearest neighbours with checked parameters.
    pub struct RepeatedEnn {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
        /// nearest neighbours that judge a row
        k: usize = 3, in Range::AT_LEAST_ONE, probe [1];
        /// a row stays if `all` its neighbours are of its class, or if the most frequent class (`mode`) is
        rule: Rule = "all";
        /// rounds after which it ends at the latest
        rounds: usize = 100, in Range::AT_LEAST_ONE, probe [1], beside [rule: Rule = "mode"];
    }
}

/// Whether the rounds have to end: a class other than the first smallest one has fewer rows than that
/// one had at the start, or a class has lost all.
pub(super) fn overturned(before: &[usize], now: &[usize], minority: usize) -> (bool, bool) {
    let floor = before[minority];
    let present = || (0..now.len()).filter(|&class| before[class] > 0);
    (
        present().any(|class| class != minority && now[class] > 0 && now[class] < floor),
        present().any(|class| now[class] == 0),
    )
}

/// One round of editing by the `k` nearest of the rows that are left: the rows that stay.
///
/// # Errors
/// Those of the search and of the small-class policy.
pub(super) fn round(
    train: &Train,
    left: &Shrinking,
    (strategy, rule, k): (&Cleaning, Rule, usize),
    context: &mut StageContext<'_>,
) -> StageResult<Vec<usize>> {
    context.deadline.check()?;
    let y = train.samples().y();
    let aimed = strategy.aimed(y.names(), &left.counts(y))?;
    let k = among_rows(k, left.rows().len(), context)?;
    let lists = left.lists(k, context)?;
    let judged = left.rows().iter().zip(&lists);
    Ok(judged
        .filter(|&(&row, near)| {
            let class = y.class(row);
            !aimed[class] || rule.keeps(y, class, near)
        })
        .map(|(&row, _)| row)
        .collect())
}

impl Resampler for RepeatedEnn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let y = train.samples().y();
        let before = train.counts();
        let metric = metric(train.samples(), context)?;
        let minority = strategy::minority(y.names(), &before)?;
        let mut left = Shrinking::new(train, metric, self.k, context)?;
        let mut rounds = 0;
        while rounds < self.rounds {
            rounds += 1;
            let kept = round(train, &left, (&self.strategy, self.rule, self.k), context)?;
            let settled = kept.len() == left.rows().len();
            left.keep(kept);
            let now = left.counts(y);
            let (fewer, lost) = overturned(before.as_slice(), now.as_slice(), minority);
            if settled || fewer || lost {
                break;
            }
        }
        context
            .details
            .insert("repeated_enn_rounds".into(), rounds as f64);
        subset(train, left.rows().to_vec(), context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<RepeatedEnn>(
    "repeated-enn",
    "edited nearest neighbours until nothing changes",
    "Tomek 1976",
    ResamplerCaps::CLEANS.taking(|params, size| {
        let room = Room::of(params, size);
        room.search() + 1.5 * room.rows(room.n)
    }),
);
