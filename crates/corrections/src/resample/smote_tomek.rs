//! SMOTE, then without its Tomek links: [`smote`](super::smote) first,
//! [`tomek_links`](super::tomek_links) of every class on its result.
//!
//! # When it helps, when it hurts
//!
//! SMOTE makes rows on majority ground where the classes overlap; removing links takes both ends of
//! the closest contacts, old rows and new ones, and leaves a clearer border. It removes little, so
//! results are near SMOTE's.
//!
//! # Formula
//!
//! All of [`smote`](super::smote), then all rows that are an end of a link
//! ([`tomek_links`](super::tomek_links) with `strategy = "all"`), found among old and new rows
//! together.
//!
//! # Cost
//!
//! O(m^2 d) for the neighbours among the m rows that [`smote`](super::smote) leaves, which are not
//! shared, beside the cost of smote.
//!
//! # Differences
//!
//! * The paper (on protein annotation) and imbalanced-learn 0.14 remove both ends of every link, and
//!   so does this. SMOTE's own differences are named in [`smote`](super::smote).
//! * Kept rows stay in their order, the original rows first.
//! * Data with nominal columns are refused: imbalanced-learn's form would interpolate codes.
//!
//! # Errors
//!
//! Those of [`smote`](super::smote); `NotApplicable` for nominal columns, `Failed` when no row would
//! be left.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 2.0, 3.0, 8.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(6, (0..6).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "smote-tomek").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(after.counts().as_slice(), [4, 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. E. A. P. A. Batista, A. L. C. Bazzan and M. C. Monard, "Balancing training data for automated
//! annotation of keywords: a case study", WOB 2003.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError,
    StageResult, Train, parameters,
};

use super::cleaning::{among_rows, subset};
use super::room::Room;
use super::smote::Smote;
use super::strategy::Grow;
use super::tomek_links::in_link;
use counterweight_numeric::neighbours::{Metric, Points, nearest};

parameters! {
    /// SMOTE and Tomek links with checked parameters.
    pub struct SmoteTomek {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Resampler for SmoteTomek {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        if train.samples().has_nominal() {
            return Err(StageError::NotApplicable(
                "smote-tomek interpolates and these rows have nominal columns".into(),
            ));
        }
        let smote = Smote::default().strategy(self.strategy.clone()).k(self.k);
        let grown = smote.resample(train, context)?;
        let samples = grown.samples();
        let n = samples.n_rows();
        let k = among_rows(1, n, context)?;
        let points = Points::new(samples, Metric::Euclidean)?;
        let rows: Vec<usize> = (0..n).collect();
        let near = nearest(&points, &rows, &rows, k, &context.deadline)?;
        let to: Vec<usize> = rows.iter().map(|&row| near.of(row)[0]).collect();
        let kept = rows
            .iter()
            .copied()
            .filter(|&row| !in_link(samples.y(), &to, row));
        subset(&grown, kept.collect(), context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SmoteTomek>(
    "smote-tomek",
    "smote, then without the tomek links of any class",
    "Batista et al. 2003",
    ResamplerCaps {
        cleans_up: true,
        footprint: |params, size| Room::over(params, size).smote_and_search(),
        ..ResamplerCaps::GROWS.making(NewRows::WithinClass).numeric()
    },
);
