//! SMOTE: new rows of the smaller classes, each somewhere on the segment between a row and one of
//! its k nearest neighbours of the same class.
//!
//! # When it helps, when it hurts
//!
//! It fills the space between minority rows, which widens the regions of local and tree learners
//! where copies would only deepen them. It assumes that the segment between two minority rows is
//! minority ground: with small disjuncts, noise, or many dimensions the new rows land among the
//! majority. Interpolation shrinks the spread of the class (see the formula), and linear models
//! with a correct prior shift gain little that a class weight does not give.
//!
//! # Formula
//!
//! `x = x_i + u (x_j - x_i)`: row i uniform over the class, j uniform over its k nearest neighbours
//! (Euclidean, within the class), and ONE `u ~ U[0, 1)` for all columns, so that x lies on the
//! segment and not in the box around it. For `k = n_c - 1` the mean of the new rows is the class
//! mean and their covariance is `2/3 - 1/(3 (n_c - 1))` times the class covariance (divisor `n_c`).
//!
//! # Cost
//!
//! O(m^2 d) for the neighbours of each class of m rows that grows (shared by all samplers of a
//! training set), then O(d) a new row.
//!
//! # Differences
//!
//! * The paper gives every row the same number of new rows and draws u a column in its pseudo-code;
//!   as in imbalanced-learn 0.14 rows are drawn uniformly, with one u a new row.
//! * A row is left out of its own list by its number; imbalanced-learn drops the first of k + 1
//!   neighbours, which for duplicated rows may be another row.
//! * k at or above a class's number of rows follows the sweep's `small_class` policy
//!   (imbalanced-learn raises): under `clamp` k is reduced to `n_c - 1` and named in a note; the
//!   row of a class with a single one is copied.
//! * Distances between rows that tie are broken by row number.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy;
//! [`StageError::NotApplicable`] for nominal columns
//! (planning puts `smote-nc` in its place); `Failed` for values that are not finite.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Origin, Partition, Samples, Seed, Shared, SmallClass, StageContext, find,
//!     params,
//! };
//! let x = Matrix::from_vec(5, 1, vec![0.0, 1.0, 2.0, 8.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(5, (0..5).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "smote").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! let made = even.samples().x().at(5, 0);
//! assert!((8.0..=9.0).contains(&made));
//! assert!(matches!(even.samples().origins()[5], Origin::Synthetic { .. }));
//! assert_eq!(context.notes[0].text(), "k = 5 reduced to 1 for class b with 2 rows");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: synthetic minority
//! over-sampling technique", Journal of Artificial Intelligence Research 16, 2002. Y. Elor and H.
//! Averbuch-Elor, "To SMOTE, or not to SMOTE?", 2022 (when it does not help).

use counterweight_core::{
    NewRows, OnNominal, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError,
    StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::growth::grow;
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{self, Metric, Search};

parameters! {
    /// SMOTE with checked parameters.
    pub struct Smote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Resampler for Smote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        if samples.has_nominal() {
            return Err(StageError::NotApplicable(
                "smote interpolates and these rows have nominal columns; try `smote-nc`".into(),
            ));
        }
        let blend = Blend::new(samples, "smote")?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let Some(k) = of.neighbours(self.k, growth, context)? else {
                return Ok(());
            };
            let search = Search::within(of.class, Metric::Euclidean, k);
            let lists = neighbours::shared(train, &search, context)?;
            for _ in 0..of.missing {
                context.deadline.check()?;
                let at = context.stream.random_range(0..of.rows.len());
                let (base, other) = (of.rows[at], lists.of(at)[context.stream.random_range(0..k)]);
                let u: f64 = context.stream.random();
                blend.write(samples.x(), (base, other, u), &[], &mut made);
                growth.made(base, other, &made);
            }
            Ok(())
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<Smote>(
    "smote",
    "makes rows between a minority row and one of its k nearest neighbours",
    "Chawla et al. 2002",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .on(
            OnNominal::Becomes("smote-nc"),
            OnNominal::Becomes("smote-nc"),
            OnNominal::Handles,
        )
        .taking(|params, size| Room::over(params, size).smote()),
);
