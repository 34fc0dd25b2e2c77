//! Neighbourhood cleaning rule: edited nearest neighbours for the larger classes, and the larger
//! classes' rows around every row of the smallest class that its neighbourhood outvotes.
//!
//! # When it helps, when it hurts
//!
//! It cleans around the minority, where [`enn`](super::enn) cleans around the majority's own rows:
//! minority rows inside majority ground get room. Meant to improve the smallest class without
//! balancing anything; with much label noise in the minority it clears ground that is not the
//! minority's.
//!
//! # Formula
//!
//! A1: the rows of the classes that `strategy` names whose class is not the most frequent among
//! their k nearest neighbours ([`enn`](super::enn) with `rule = "mode"`). A2: for each row of the
//! smallest class that is outvoted among itself and its k - 1 nearest neighbours (a tie going to the
//! lowest class), those of its k nearest neighbours that are of a class that `strategy` names and
//! that has more than `threshold` times the smallest class's rows. A1 and A2 go.
//!
//! # Cost
//!
//! O(n^2 d) for the neighbours (shared by all samplers of a training set), then O(n k).
//!
//! # Differences
//!
//! * The paper judges a minority row by its 3 neighbours; imbalanced-learn 0.14 counts the row
//!   itself among them, and so does this. In the paper the threshold is a share of the class of
//!   interest; so it is in both.
//! * The rows that stay are those of imbalanced-learn, also for several classes. Its second sampler
//!   for A1 is not offered.
//! * Of several classes with the smallest count the lowest is the smallest; distances that tie are
//!   broken by row number, and a row is left out of its own list by its number (imbalanced-learn
//!   drops the first of k + 1 neighbours, which for duplicated rows may be another row).
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
//! let x = Matrix::from_vec(8, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.0, 9.0, 8.5])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "a", "a", "b"]))?;
//! let (train, _) = Partition::new(8, (0..8).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "neighbourhood-cleaning").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // 8.0 and 9.0 are outvoted; 4.0 (class b) is too, so its neighbours 1.0, 2.0 and 3.0 go.
//! assert_eq!(after.samples().x().column(0), [0.0, 4.0, 8.5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! J. Laurikkala, "Improving identification of difficult small classes by balancing class
//! distribution", AIME 2001.

use counterweight_core::{
    Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageResult, Train, parameters,
};

use super::cleaning::{Rule, among_rows, lists, metric, most_frequent, subset};
use super::room::Room;
use super::strategy::{self, Cleaning};

parameters! {
    /// The neighbourhood cleaning rule with checked parameters.
    pub struct NeighbourhoodCleaning {
        /// which classes may lose rows (`auto`: all but the smallest)
        strategy: Cleaning = "auto", probe ["not-majority", "all"];
        /// nearest neighbours that judge a row
        k: usize = 3, in Range::AT_LEAST_ONE, probe [1, 7];
        /// ground is cleared of classes with more rows than this share of the smallest class's
        threshold: f64 = 0.5, in Range::NON_NEGATIVE, probe [1e9];
    }
}

impl Resampler for NeighbourhoodCleaning {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let y = samples.y();
        let counts = train.counts();
        let metric = metric(samples, context)?;
        let aimed = self.strategy.aimed(y.names(), &counts)?;
        let minority = strategy::minority(y.names(), &counts)?;
        let least = counts.as_slice()[minority] as f64 * self.threshold;
        let cleared: Vec<bool> = aimed
            .iter()
            .zip(counts.as_slice())
            .map(|(&aimed, &rows)| aimed && rows as f64 > least)
            .collect();
        let k = among_rows(self.k, samples.n_rows(), context)?;
        let near = lists(train, metric, k, context)?;
        let mut stays = vec![true; samples.n_rows()];
        for row in 0..samples.n_rows() {
            let (class, around) = (y.class(row), near.of(row));
            if aimed[class] && !Rule::Mode.keeps(y, class, around) {
                stays[row] = false;
            }
            if class == minority {
                let voters = around[..k.min(self.k - 1)].iter().copied();
                let vote = most_frequent(voters.chain([row]).map(|row| y.class(row)));
                if vote != Some(class) {
                    for &other in around.iter().filter(|&&other| cleared[y.class(other)]) {
                        stays[other] = false;
                    }
                }
            }
        }
        let kept = (0..samples.n_rows()).filter(|&row| stays[row]);
        subset(train, kept.collect(), context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<NeighbourhoodCleaning>(
    "neighbourhood-cleaning",
    "edits the larger classes and clears the ground around misjudged minority rows",
    "Laurikkala 2001",
    ResamplerCaps::CLEANS.taking(|params, size| Room::of(params, size).search()),
);
