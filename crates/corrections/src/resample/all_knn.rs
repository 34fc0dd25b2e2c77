//! All-kNN: [`enn`](super::enn) with 1, then 2, ..., then k neighbours.
//!
//! # When it helps, when it hurts
//!
//! It cleans more than [`enn`](super::enn) with the same k, since a row has to pass at every size of
//! its neighbourhood, and with less work than [`repeated_enn`](super::repeated_enn). Broad overlap
//! costs it a large share of the larger classes.
//!
//! # Formula
//!
//! Round i = 1, ..., k judges the rows that round i - 1 left by their i nearest neighbours among
//! them, as [`enn`](super::enn) does, `strategy` being read anew each time. A round ends it early
//! when it left a class, other than the one that was smallest at the start, with fewer rows than
//! that one had (unless `allow_minority`), or took all rows of a class.
//!
//! # Cost
//!
//! O(n^2 d) for the first round's neighbours (shared by all samplers of a training set); a later
//! round searches only for the rows that lost too many of theirs.
//!
//! # Differences
//!
//! * The paper judges every row by all sizes on the original rows and removes at the end; like
//!   imbalanced-learn 0.14, this removes between sizes. The rows that stay are imbalanced-learn's,
//!   also for several classes.
//! * Of several classes with the smallest count the lowest is the smallest; distances that tie are
//!   broken by row number, and a row is left out of its own list by its number (imbalanced-learn
//!   drops the first of k + 1 neighbours, which for duplicated rows may be another row).
//! * Kept rows stay in their order; imbalanced-learn groups them by class.
//! * More neighbours than other rows follow the sweep's `small_class` policy (imbalanced-learn
//!   raises).
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
//! let entry = find(counterweight_corrections::resample::ALL, "all-knn").expect("it is listed");
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
use super::repeated_enn::{overturned, round};
use super::room::Room;
use super::strategy::{self, Cleaning};

parameters! {
    /// All-kNN with checked parameters.
    pub struct AllKnn {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
        /// nearest neighbours that judge a row
        k: usize = 3, in Range::AT_LEAST_ONE, probe [1, 2, 5];
        /// a row stays if `all` its neighbours are of its class, or if the most frequent class (`mode`) is
        rule: Rule = "all";
        /// go on when a larger class has become smaller than the smallest one was
        allow_minority: bool = false, beside [k: usize = 9];
    }
}

impl Resampler for AllKnn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let y = train.samples().y();
        let before = train.counts();
        let metric = metric(train.samples(), context)?;
        let minority = strategy::minority(y.names(), &before)?;
        let mut left = Shrinking::new(train, metric, self.k, context)?;
        for k in 1..=self.k {
            // A neighbourhood of all other rows was judged already.
            if k > 1 && k > left.rows().len().saturating_sub(1) {
                among_rows(self.k, left.rows().len(), context)?;
                break;
            }
            let kept = round(train, &left, (&self.strategy, self.rule, k), context)?;
            left.keep(kept);
            let now = left.counts(y);
            let (fewer, lost) = overturned(before.as_slice(), now.as_slice(), minority);
            if (fewer && !self.allow_minority) || lost {
                break;
            }
        }
        subset(train, left.rows().to_vec(), context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<AllKnn>(
    "all-knn",
    "edited nearest neighbours with 1 to k neighbours in turn",
    "Tomek 1976",
    ResamplerCaps::CLEANS.taking(|params, size| {
        let room = Room::of(params, size);
        room.search() + room.rows(room.n)
    }),
);
