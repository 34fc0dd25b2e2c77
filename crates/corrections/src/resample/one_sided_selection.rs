//! One-sided selection: of each larger class the rows that a nearest-neighbour rule on the smallest
//! class and a few of its rows gets wrong, without their ends of Tomek links.
//!
//! # When it helps, when it hurts
//!
//! Meant to drop the redundant interior of the majority (what one seed and the minority already call
//! right) and then its noisy border. With one seed the interior that is dropped is the cell around
//! that seed, so results vary with it: a large share of the class may stay.
//!
//! # Formula
//!
//! For each class c that `strategy` names, apart: C is the rows of the smallest class and `seeds`
//! random rows of c. The seeds stay, and the rows of c that the k nearest rows of C do not call c
//! (the most frequent class, a tie going to the lowest). Of what stays of all classes, rows in
//! [`tomek_links`](super::tomek_links) go if `strategy` names their class.
//!
//! # Cost
//!
//! O(n m d), m the rows of the smallest class, and O(s^2 d) for the links among the s rows
//! that stay.
//!
//! # Differences
//!
//! * The paper's first step is Hart's condensed rule ([`condensed_nn`](super::condensed_nn));
//!   imbalanced-learn 0.14 calls all rows by the first set only, and so does this. Given its seeds,
//!   the rows that stay are imbalanced-learn's, also for several classes.
//! * Seeds are drawn without replacement (there, with).
//! * Distances that tie are broken by row number, the row of the smallest class first. Of several
//!   classes with the smallest count the lowest is the smallest.
//! * Kept rows stay in their order; imbalanced-learn groups them by class.
//! * `all` cleans links of every class but selects from `not-minority`; there it selects from the
//!   smallest class too, which leaves its seeds.
//! * Fewer rows than k or than seeds follow the sweep's `small_class` policy.
//! * Data with nominal columns go through the mixed metric of [`smote_nc`](super::smote_nc) on the
//!   scale of the smallest class, data of nominal columns alone through value differences, and a
//!   note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`](counterweight_core::StageError::NotApplicable) when fewer than two
//! classes have rows, `Failed` for values that are not finite and for `seed_rows` that do not exist
//! or leave a class without one, and those of the `small_class` policy.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(7, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "one-sided-selection").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert!(after.counts().as_slice()[0] < 5);
//! assert_eq!(after.counts().as_slice()[1], 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! M. Kubat and S. Matwin, "Addressing the curse of imbalanced training sets: one-sided selection",
//! ICML 1997.

use counterweight_core::params::Wholes;
use counterweight_core::{
    Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train, parameters,
};

use super::cleaning::{metric, subset};
use super::condensed_nn::{Caller, seeds};
use super::room::Room;
use super::strategy::{self, Cleaning};
use super::tomek_links::in_link;
use counterweight_numeric::neighbours::{Points, Pool, nearest};

parameters! {
    /// One-sided selection with checked parameters.
    pub struct OneSidedSelection {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
        /// nearest rows of the condensed set that call a row's class
        k: usize = 1, in Range::AT_LEAST_ONE, probe [3];
        /// rows of each larger class to start from
        seeds: usize = 1, in Range::AT_LEAST_ONE, probe [5];
        /// training rows (from 0) to start from, instead of drawn ones
        seed_rows: Wholes, probe [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]];
    }
}

impl Resampler for OneSidedSelection {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let y = samples.y();
        let counts = train.counts();
        let metric = metric(samples, context)?;
        let aimed = self.strategy.aimed(y.names(), &counts)?;
        let minority = strategy::minority(y.names(), &counts)?;
        let points = Points::new(samples, metric)?;
        let mut kept = Vec::new();
        for (class, &aimed) in aimed.iter().enumerate() {
            let rows = Pool::Class(class).rows(samples);
            if !aimed || class == minority || rows.is_empty() {
                kept.extend(rows);
                continue;
            }
            let start = (self.seeds, self.seed_rows.as_deref());
            let seeds = seeds(start, (class, &rows), y, context)?;
            let about = (metric, class, minority);
            let caller = Caller::new(train, &points, about, (self.k, &seeds), context)?;
            let stays = |at: usize| seeds.contains(&rows[at]) || !caller.is_right(at);
            kept.extend((0..rows.len()).filter(|&at| stays(at)).map(|at| rows[at]));
        }
        kept.sort_unstable();
        // Two classes have rows, each with a seed at least, so everybody has a neighbour.
        let links = nearest(&points, &kept, &kept, 1, &context.deadline)?;
        let mut to = vec![0; samples.n_rows()];
        for (at, &row) in kept.iter().enumerate() {
            to[row] = links.of(at)[0];
        }
        kept.retain(|&row| !(aimed[y.class(row)] && in_link(y, &to, row)));
        subset(train, kept, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<OneSidedSelection>(
    "one-sided-selection",
    "drops what a few rows and the smallest class call right, then tomek links",
    "Kubat and Matwin 1997",
    ResamplerCaps {
        deterministic: false,
        footprint: |params, size| {
            let room = Room::of(params, size);
            room.search() + room.rows(room.n) * 0.5
        },
        ..ResamplerCaps::CLEANS
    },
);
