//! SMOTE-N: SMOTE for rows with nominal columns alone. A new row takes, column by column, the most
//! frequent level of a row and its nearest neighbours.
//!
//! # When it helps, when it hurts
//!
//! It makes rows that are typical of a neighbourhood, for data on which no distance between codes
//! has a meaning. There is one such row a starting row, so a class that grows tenfold gets each of
//! them about ten times: less variety than its size suggests, and levels that are rare in the class
//! get rarer.
//!
//! # Formula
//!
//! Distance: `sum over columns j of (sum over classes c of |p_jc(a_j) - p_jc(b_j)|)^2`, with
//! `p_jc(v)` the share of class c among all training rows whose column j holds v. A new row: row i
//! uniform over the class; each column holds the most frequent level among row i and its k nearest
//! neighbours within the class, a tie going to the lowest code.
//!
//! # Cost
//!
//! O(m^2 d) for the neighbours of each class of m rows that grows (shared by all samplers of a
//! training set), then O(k d) a new row; memory linear in the data.
//!
//! # Differences
//!
//! * Distances and votes are those of imbalanced-learn 0.14 (the paper draws among tied levels). Ties in
//!   distance go to the lower row number here, to whatever a partial sort leaves there; and it keeps all
//!   distances of a class at once, where memory here is linear.
//! * The origin of a new row is its starting row and that row's nearest neighbour.
//! * k at or above a class's number of rows follows the sweep's `small_class` policy; the row of a
//!   class with a single one is copied.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] when there are
//! numeric columns, or none at all; [`StageError::Failed`] for values that are no code of their column.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     ColumnKind, Deadline, Labels, Matrix, Origin, Partition, Samples, Seed, Shared, SmallClass,
//!     StageContext, find, params,
//! };
//! let x = Matrix::from_vec(7, 2, vec![0., 0., 0., 1., 1., 0., 0., 0., 2., 1., 2., 1., 2., 0.])?;
//! let kinds = vec![ColumnKind::Nominal { levels: 3 }, ColumnKind::Nominal { levels: 2 }].into();
//! let y = Labels::from_texts(&["a", "a", "a", "a", "b", "b", "b"]);
//! let samples = Samples::new(x, kinds, y, (0..7).map(Origin::Row).collect())?;
//! let (train, _) = Partition::new(7, (0..7).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "smote-n").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.samples().x().row(7), [2.0, 1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: synthetic minority
//! over-sampling technique", Journal of Artificial Intelligence Research 16, 2002, section 6.2. S. Cost
//! and S. Salzberg, "A weighted nearest neighbor algorithm for learning with symbolic features",
//! Machine Learning 10, 1993.

use counterweight_core::{
    NewRows, OnNominal, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError,
    StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::blend::vote;
use super::growth::grow;
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{self, Metric, Search, split_columns};

parameters! {
    /// SMOTE-N with checked parameters.
    pub struct SmoteN {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Resampler for SmoteN {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let (numeric, nominal) = split_columns(samples);
        if !numeric.is_empty() || nominal.is_empty() {
            let instead = if nominal.is_empty() {
                "smote"
            } else {
                "smote-nc"
            };
            return Err(StageError::NotApplicable(format!(
                "smote-n votes on nominal columns and these rows have {} numeric and {} nominal \
                 ones; try `{instead}`",
                numeric.len(),
                nominal.len()
            )));
        }
        grow(train, &self.strategy, context, |of, growth, context| {
            let Some(k) = of.neighbours(self.k, growth, context)? else {
                return Ok(());
            };
            let search = Search::within(of.class, Metric::ValueDifference, k);
            let lists = neighbours::shared(train, &search, context)?;
            // A starting row always gives the same new row, so each is voted on once.
            let mut voted: Vec<Option<Vec<f64>>> = vec![None; of.rows.len()];
            let mut voters = Vec::with_capacity(k + 1);
            for _ in 0..of.missing {
                context.deadline.check()?;
                let at = context.stream.random_range(0..of.rows.len());
                let values = voted[at].get_or_insert_with(|| {
                    voters.clear();
                    voters.push(of.rows[at]);
                    voters.extend_from_slice(&lists.of(at)[..k]);
                    nominal
                        .iter()
                        .map(|&(column, levels)| vote(samples.x(), &voters, column, levels))
                        .collect()
                });
                growth.made(of.rows[at], lists.of(at)[0], values);
            }
            Ok(())
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SmoteN>(
    "smote-n",
    "smote for nominal columns: the commonest levels of a row and its k nearest neighbours",
    "Chawla et al. 2002, section 6.2",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .on(OnNominal::Refuses, OnNominal::Handles, OnNominal::Refuses)
        .taking(|params, size| Room::over(params, size).smote()),
);
