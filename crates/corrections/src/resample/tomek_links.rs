//! Tomek links: removes rows whose nearest neighbour is of another class and has them for its
//! nearest neighbour too.
//!
//! # When it helps, when it hurts
//!
//! It removes the outermost layer of overlap and label noise, a few per cent of the rows, so that it
//! hardly changes the balance: a cleaner, to be used before or after something that balances. Where
//! the classes overlap broadly the links are a random thinning of the boundary.
//!
//! # Formula
//!
//! Rows a and b of different classes form a link when each is the other's nearest row by (distance, row
//! number): of equally near rows the one that stands first. Of each link the rows of the classes that `strategy` names go: with `auto` all but those
//! of the smallest class, with `all` both.
//!
//! # Cost
//!
//! O(n^2 d) for the nearest neighbours (shared by all samplers of a training set), then O(n).
//!
//! # Differences
//!
//! * The paper defines links to find boundary rows for a condensed rule; removing the majority's end
//!   is Kubat and Matwin's use of them.
//! * The rows that stay are those of imbalanced-learn 0.14, also for several classes.
//! * Of several classes with the smallest count the lowest is the smallest. Without tied
//!   distances the formula is Tomek's; with ties (copies, whole numbers) his, "no row is nearer", may join
//!   a row to several others, ours never does. A row is left out of its own list by its number (imbalanced-learn
//!   drops the first of k + 1 neighbours, which for duplicated rows may be another row).
//! * Data with nominal columns go through the mixed metric of [`smote_nc`](super::smote_nc) on the
//!   scale of the smallest class, data of nominal columns alone through value differences, and a
//!   note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`](counterweight_core::StageError::NotApplicable) when fewer than two
//! classes have rows, `Failed` for values that are not finite or when no row would be left.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 4.0, 5.0, 5.5, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(6, (0..6).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "tomek-links").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // 5.0 (class a) and 5.5 (class b) are nearest to each other.
//! assert_eq!(after.samples().x().column(0), [0.0, 1.0, 4.0, 5.5, 9.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! I. Tomek, "Two modifications of CNN", IEEE Transactions on Systems, Man, and Cybernetics 6, 1976.
//! M. Kubat and S. Matwin, "Addressing the curse of imbalanced training sets: one-sided selection",
//! ICML 1997.

use counterweight_core::{
    Labels, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train, parameters,
};

use super::cleaning::{among_rows, lists, metric, subset};
use super::room::Room;
use super::strategy::Cleaning;

parameters! {
    /// Tomek links with checked parameters.
    pub struct TomekLinks {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
    }
}

impl Resampler for TomekLinks {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let metric = metric(samples, context)?;
        let aimed = self.strategy.aimed(samples.y().names(), &train.counts())?;
        let k = among_rows(1, samples.n_rows(), context)?;
        let near = lists(train, metric, k, context)?;
        let nearest: Vec<usize> = (0..samples.n_rows()).map(|row| near.of(row)[0]).collect();
        let kept = (0..samples.n_rows())
            .filter(|&row| !(aimed[samples.y().class(row)] && in_link(samples.y(), &nearest, row)));
        subset(train, kept.collect(), context)
    }
}

/// Whether `row` and its nearest row are a link.
pub(super) fn in_link(y: &Labels, nearest: &[usize], row: usize) -> bool {
    let other = nearest[row];
    y.class(other) != y.class(row) && nearest[other] == row
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<TomekLinks>(
    "tomek-links",
    "drops rows that are nearest to a row of another class, and it to them",
    "Tomek 1976",
    ResamplerCaps::CLEANS.taking(|params, size| Room::of(params, size).search()),
);
