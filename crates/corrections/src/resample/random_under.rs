//! Random under-sampling: keeps a random subset of the larger classes, without replacement.
//!
//! # When it helps, when it hurts
//!
//! Cheap, and it makes everything after it cheaper. It estimates from the smallest class's number
//! of rows a class, so it throws information away: at a high imbalance ratio with a small minority
//! the variance can cost more than the balance brings. Ensembles of several such subsets recover
//! most of that.
//!
//! # Formula
//!
//! For each class that `strategy` shrinks from n to m rows, one of the `n! / (m! (n - m)!)`
//! subsets, each as likely. Kept rows stay in their order.
//!
//! # Cost
//!
//! O(n) draws and comparisons, plus copying the kept rows.
//!
//! # Differences
//!
//! There is no one paper. imbalanced-learn 0.14 groups the kept rows by class and offers drawing
//! with replacement; here rows keep their order and an under-sampler always returns a subset.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy).
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(4, 1, vec![0.0, 1.0, 2.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "b"]))?;
//! let (train, _) = Partition::new(4, vec![0, 1, 2, 3], vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "random-under").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.counts().as_slice(), [1, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! N. Japkowicz and S. Stephen, "The class imbalance problem: a systematic study", Intelligent Data
//! Analysis 6, 2002.

use counterweight_core::{
    Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::room::Room;
use super::strategy::Shrink;
use counterweight_numeric::neighbours::Pool;

parameters! {
    /// Random under-sampling with checked parameters.
    pub struct RandomUnder {
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
    }
}

impl Resampler for RandomUnder {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let counts = train.counts();
        let targets = self.strategy.targets(samples.y().names(), &counts)?;
        let mut kept = Vec::with_capacity(targets.iter().sum());
        for (class, &target) in targets.iter().enumerate() {
            let mut rows = Pool::Class(class).rows(samples);
            if target < rows.len() {
                // The first `target` steps of a shuffle: every subset is as likely.
                for at in 0..target {
                    let other = context.stream.random_range(at..rows.len());
                    rows.swap(at, other);
                }
                rows.truncate(target);
            }
            kept.extend(rows);
        }
        kept.sort_unstable();
        train.derive(|samples| Ok(samples.select(&kept)))
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<RandomUnder>(
    "random-under",
    "keeps a random subset of the larger classes",
    "Japkowicz and Stephen 2002",
    ResamplerCaps::SHRINKS.taking(|params, size| {
        let room = Room::under(params, size);
        room.result() + 8.0 * room.n
    }),
);
