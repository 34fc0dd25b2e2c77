//! SMOTE, then edited: [`smote`](super::smote) first, [`enn`](super::enn) of every class on its
//! result.
//!
//! # When it helps, when it hurts
//!
//! SMOTE makes rows on majority ground where the classes overlap; editing removes them and the
//! majority's rows around them, much more than [`smote_tomek`](super::smote_tomek) does. It often
//! leaves more minority than majority rows, so scores have another prior than the data by more than
//! SMOTE's share. With broad overlap little is left.
//!
//! # Formula
//!
//! All of [`smote`](super::smote), then every row that its `enn_k` nearest neighbours among old and
//! new rows misjudge ([`enn`](super::enn) with `strategy = "all"`): with `rule = "all"` one of
//! another class suffices, with `mode` its class has to be outvoted.
//!
//! # Cost
//!
//! O(m^2 d) for the neighbours among the m rows that [`smote`](super::smote) leaves, which are not
//! shared, beside the cost of smote.
//!
//! # Differences
//!
//! * The paper edits by the majority of three neighbours (`rule = "mode"`); imbalanced-learn 0.14 by
//!   `all`, which is the default here. SMOTE's own differences are named in [`smote`](super::smote).
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
//! let entry = find(counterweight_corrections::resample::ALL, "smote-enn").expect("it is listed");
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
//! G. E. A. P. A. Batista, R. C. Prati and M. C. Monard, "A study of the behavior of several methods
//! for balancing machine learning training data", SIGKDD Explorations 6, 2004.

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError,
    StageResult, Train, parameters,
};

use super::cleaning::{Rule, at_most, subset};
use super::room::Room;
use super::smote::Smote;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{Metric, Points, nearest};

parameters! {
    /// SMOTE and editing with checked parameters.
    pub struct SmoteEnn {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
        /// nearest neighbours that judge a row after smote
        enn_k: usize = 3, in Range::AT_LEAST_ONE, probe [1, 7];
        /// a row stays if `all` its neighbours are of its class, or if the most frequent class (`mode`) is
        rule: Rule = "all";
    }
}

impl Resampler for SmoteEnn {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        if train.samples().has_nominal() {
            return Err(StageError::NotApplicable(
                "smote-enn interpolates and these rows have nominal columns".into(),
            ));
        }
        let smote = Smote::default().strategy(self.strategy.clone()).k(self.k);
        let grown = smote.resample(train, context)?;
        let samples = grown.samples();
        let (n, y) = (samples.n_rows(), samples.y());
        let k = at_most(("enn_k", self.enn_k), n - 1, &format!("{n} rows"), context)?;
        let points = Points::new(samples, Metric::Euclidean)?;
        let rows: Vec<usize> = (0..n).collect();
        let near = nearest(&points, &rows, &rows, k, &context.deadline)?;
        let stays = |row: &usize| self.rule.keeps(y, y.class(*row), near.of(*row));
        let kept = rows.iter().copied().filter(stays).collect();
        subset(&grown, kept, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SmoteEnn>(
    "smote-enn",
    "smote, then without the rows that their neighbours misjudge",
    "Batista et al. 2004",
    ResamplerCaps {
        cleans_up: true,
        footprint: |params, size| Room::over(params, size).smote_and_search(),
        ..ResamplerCaps::GROWS.making(NewRows::WithinClass).numeric()
    },
);
