//! Edited nearest neighbours: removes rows whose neighbours are of other classes.
//!
//! # When it helps, when it hurts
//!
//! It cleans the overlap: what is left of the larger classes lies where they dominate, so the
//! boundary moves towards them and the minority's recall rises. With `rule = "all"` one foreign
//! neighbour in k is enough, which can take a large share of an overlapping class; `mode` only
//! removes what its neighbourhood outvotes. It does not balance.
//!
//! # Formula
//!
//! Every row of the classes that `strategy` names is judged by its k nearest neighbours among all
//! rows. `all`: it stays if every one is of its class. `mode`: it stays if its class is the most
//! frequent among them, a tie going to the lowest class. All rows are judged before any goes.
//!
//! # Cost
//!
//! O(n^2 d) for the neighbours (shared by all samplers of a training set), then O(n k).
//!
//! # Differences
//!
//! * The paper edits every class by a majority vote (`strategy = "all"`, `rule = "mode"`).
//! * The rows that stay are those of imbalanced-learn 0.14, also for several classes.
//! * Of several classes with the smallest count the lowest is the smallest; distances that tie are
//!   broken by row number, and a row is left out of its own list by its number (imbalanced-learn
//!   drops the first of k + 1 neighbours, which for duplicated rows may be another row).
//! * Kept rows stay in their order; imbalanced-learn groups them by class.
//! * k at or above the number of rows follows the sweep's `small_class` policy (imbalanced-learn
//!   raises).
//! * Data with nominal columns go through the mixed metric of [`smote_nc`](super::smote_nc) on the
//!   scale of the smallest class, data of nominal columns alone through value differences, and a
//!   note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! [`StageError::NotApplicable`](counterweight_core::StageError::NotApplicable) when fewer than two
//! classes have rows, `Failed` for values that are not finite and when no row would be left, and
//! those of the `small_class` policy.
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
//! let entry = find(counterweight_corrections::resample::ALL, "enn").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // The two rows of class a between those of class b go.
//! assert_eq!(after.samples().x().column(0), [0.0, 1.0, 2.0, 3.0, 8.5, 7.0, 7.5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! D. L. Wilson, "Asymptotic properties of nearest neighbor rules using edited data", IEEE
//! Transactions on Systems, Man, and Cybernetics 2, 1972.

use counterweight_core::{
    Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train, parameters,
};

use super::cleaning::{Rule, among_rows, lists, metric, subset};
use super::room::Room;
use super::strategy::Cleaning;

parameters! {
    /// Edited nearest neighbours with checked parameters.
    pub struct Enn {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
        /// nearest neighbours that judge a row
        k: usize = 3, in Range::AT_LEAST_ONE, probe [1, 7];
        /// a row stays if `all` its neighbours are of its class, or if the most frequent class (`mode`) is
        rule: Rule = "all";
    }
}

impl Resampler for Enn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let y = samples.y();
        let metric = metric(samples, context)?;
        let aimed = self.strategy.aimed(y.names(), &train.counts())?;
        let k = among_rows(self.k, samples.n_rows(), context)?;
        let near = lists(train, metric, k, context)?;
        let kept = (0..samples.n_rows()).filter(|&row| {
            let class = y.class(row);
            !aimed[class] || self.rule.keeps(y, class, near.of(row))
        });
        subset(train, kept.collect(), context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<Enn>(
    "enn",
    "drops rows whose k nearest neighbours are of other classes",
    "Wilson 1972",
    ResamplerCaps::CLEANS.taking(|params, size| Room::of(params, size).search()),
);
