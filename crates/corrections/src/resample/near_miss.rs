//! `NearMiss`: keeps the rows of the larger classes that lie in a certain relation to the smallest
//! class.
//!
//! # When it helps, when it hurts
//!
//! Versions 1 and 3 keep the majority's rows nearest to the minority, which throws its interior
//! away: useful for methods that only look at the border, harmful where the classes overlap (the
//! kept rows are the ones inside the minority) and to everything that estimates a density or a
//! prior. Version 2 keeps those near the whole minority, which tolerates outliers better. In
//! comparisons it is often the worst of the under-samplers; it is here because it is asked for.
//!
//! # Formula
//!
//! With m the rows that `strategy` leaves a class: version 1 keeps the m rows with the smallest sum
//! of distances to their k nearest rows of the smallest class; version 2, to the k farthest ones;
//! version 3 first takes those that are among the `k3` nearest rows of the class to some row of the
//! smallest class, and of these keeps the m with the LARGEST sum of distances to their k nearest
//! (fewer than m, when there are fewer).
//!
//! # Cost
//!
//! O(n m d), m the rows of the smallest class.
//!
//! # Differences
//!
//! * The rows that stay are those of imbalanced-learn 0.14 (`n_neighbors` is `k`, `n_neighbors_ver3`
//!   is `k3`), also for several classes, but for a class that has the rows it is to have: here it
//!   stays as it is, there version 3 still thins it.
//! * Of several classes with the smallest count the lowest is the smallest. Rows with equal sums:
//!   the lower row first.
//! * Kept rows stay in their order; imbalanced-learn groups them by class.
//! * More neighbours than rows follow the sweep's `small_class` policy (imbalanced-learn raises).
//! * Data with nominal columns go through the mixed metric of [`smote_nc`](super::smote_nc) on the
//!   scale of the smallest class, data of nominal columns alone through value differences, and a
//!   note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! Those of [`strategy`] and of the `small_class` policy; `Failed` for values that are not finite.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(8, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b", "b"]))?;
//! let (train, _) = Partition::new(8, (0..8).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "near-miss").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(after.samples().x().column(0), [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! I. Mani and I. Zhang, "kNN approach to unbalanced data distributions: a case study involving
//! information extraction", ICML workshop on learning from imbalanced datasets, 2003.

use counterweight_core::{
    Note, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train,
    parameters,
};

use super::cleaning::{at_most, metric, subset};
use super::room::Room;
use super::strategy::{self, Shrink};
use counterweight_numeric::neighbours::{self, Metric, Points, Pool, Search, farthest, shared_of};

parameters! {
    /// `NearMiss` with checked parameters.
    pub struct NearMiss {
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// which relation to the smallest class counts: nearest (1), farthest (2) or both (3)
        version: usize = 1, in Range::new(1.0, true, 3.0, true), probe [2, 3];
        /// rows of the smallest class whose distances are summed
        k: usize = 3, in Range::AT_LEAST_ONE, probe [1, 5];
        /// version 3: rows of a class that each row of the smallest class shortlists
        k3: usize = 3, in Range::AT_LEAST_ONE, probe [1], beside [version: usize = 3];
    }
}

impl NearMiss {
    /// The rows of `class` that stay, `target` of them where there are as many to choose from.
    fn choose(
        &self,
        train: &Train,
        (class, minority, metric): (usize, usize, Metric),
        target: usize,
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<usize>> {
        let samples = train.samples();
        let counts = train.counts();
        let names = samples.y().names();
        let few = counts.as_slice()[minority];
        let what = format!("class {} with {few} rows", names[minority]);
        let k = at_most(("k", self.k), few, &what, context)?;
        let rows = if self.version == 3 {
            self.shortlist(train, (class, minority, metric), context)?
        } else {
            Pool::Class(class).rows(samples)
        };
        let lists = if self.version == 2 {
            let points = Points::new(samples, metric)?;
            let few = Pool::Class(minority).rows(samples);
            farthest(&points, &rows, &few, k, &context.deadline)?.into()
        } else {
            let pool = (metric, Pool::Class(minority));
            shared_of(train, pool, &rows, k, context)?
        };
        let mut sums: Vec<(f64, usize)> = rows
            .iter()
            .enumerate()
            .map(|(at, &row)| {
                let squared = lists.squared_distances(at);
                let roots = squared.iter().map(|squared| squared.sqrt());
                // The nearest first, whichever they are.
                let sum = if self.version == 2 {
                    roots.rev().sum()
                } else {
                    roots.sum()
                };
                (sum, row)
            })
            .collect();
        if self.version == 3 {
            if sums.len() < target {
                context.note(Note::Remark(format!(
                    "class {} keeps {} rows instead of {target}: no others are near class {}",
                    names[class],
                    sums.len(),
                    names[minority]
                )));
            }
            sums.sort_by(|a, b| b.0.total_cmp(&a.0));
        } else {
            sums.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        sums.truncate(target);
        Ok(sums.into_iter().map(|(_, row)| row).collect())
    }

    /// The rows of `class` that are among the nearest to some row of the smallest class.
    fn shortlist(
        &self,
        train: &Train,
        (class, minority, metric): (usize, usize, Metric),
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<usize>> {
        let samples = train.samples();
        let have = train.counts().as_slice()[class];
        let what = format!("class {} with {have} rows", samples.y().names()[class]);
        let search = Search {
            metric,
            of: Pool::Class(minority),
            among: Pool::Class(class),
            k: at_most(("k3", self.k3), have, &what, context)?,
        };
        let around = neighbours::shared(train, &search, context)?;
        let mut near: Vec<usize> = (0..around.n_queries())
            .flat_map(|at| around.of(at).iter().copied())
            .collect();
        near.sort_unstable();
        near.dedup();
        Ok(near)
    }
}

impl Resampler for NearMiss {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let counts = train.counts();
        let names = samples.y().names();
        let targets = self.strategy.targets(names, &counts)?;
        let minority = strategy::minority(names, &counts)?;
        let metric = metric(samples, context)?;
        let mut kept = Vec::new();
        for (class, (&target, &have)) in targets.iter().zip(counts.as_slice()).enumerate() {
            if target == have {
                kept.extend(Pool::Class(class).rows(samples));
            } else {
                kept.extend(self.choose(train, (class, minority, metric), target, context)?);
            }
        }
        subset(train, kept, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<NearMiss>(
    "near-miss",
    "keeps the rows of larger classes that are nearest to the smallest class",
    "Mani and Zhang 2003",
    ResamplerCaps {
        deterministic: true,
        footprint: |params, size| {
            let room = Room::of(params, size);
            room.search_of(room.n - room.smallest)
        },
        ..ResamplerCaps::SHRINKS
    },
);
