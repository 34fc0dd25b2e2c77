//! SMOTE-NC: SMOTE for rows with numeric and nominal columns. Numeric values are interpolated,
//! nominal values are decided by a vote of the neighbours.
//!
//! # When it helps, when it hurts
//!
//! Where `smote` would interpolate codes (level 1.7 of 3), this makes rows that could exist. The
//! vote takes the most frequent level around a row, so rare levels get rarer, and a numeric column
//! that stands alone among many nominal ones sets the scale of all of them.
//!
//! # Formula
//!
//! Squared distance: `sum over numeric j of (a_j - b_j)^2 + m s^2`, with m the number of nominal
//! columns in which a and b differ and s the median over the numeric columns of the standard
//! deviation within the class that is made larger (divisor: its number of rows). Numeric values are
//! `x_i + u (x_j - x_i)` with one `u ~ U[0, 1)` a row, as in [`smote`](super::smote); a nominal
//! value is the most frequent level among the k nearest neighbours of row i (row i itself does not
//! vote), a tie going to the lowest code.
//!
//! # Cost
//!
//! O(m^2 d) for the neighbours of each class of m rows that grows, then O(k d) a new row. Memory is
//! linear in the data: codes are compared as codes, never one-hot encoded.
//!
//! # Differences
//!
//! * The metric is imbalanced-learn 0.14's (it writes s / sqrt 2 into one-hot columns, which comes
//!   to the same distances), and the paper's. Where s = 0 (most numeric columns are constant in the
//!   class) nominal differences do not count, in both; a note says so here.
//! * A tied vote goes to the lowest code; imbalanced-learn draws among the tied levels.
//! * As in [`smote`](super::smote): a row is left out of its own list by number, and small classes
//!   follow `small_class`.
//! * All-numeric data are not applicable, as there (planning puts `smote` in its place), and so are
//!   all-nominal data, which have no numeric scale: they need `smote-n`.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy;
//! [`StageError::NotApplicable`] unless there are columns of both kinds; [`StageError::Failed`] for
//! values that are not finite or not a code of their column.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     ColumnKind, Deadline, Labels, Matrix, Origin, Partition, Samples, Seed, Shared, SmallClass,
//!     StageContext, find, params,
//! };
//! let x = Matrix::from_vec(5, 2, vec![0., 0., 1., 0., 2., 1., 8., 2., 9., 2.])?;
//! let kinds = vec![ColumnKind::Numeric, ColumnKind::Nominal { levels: 3 }].into();
//! let y = Labels::from_texts(&["a", "a", "a", "b", "b"]);
//! let samples = Samples::new(x, kinds, y, (0..5).map(Origin::Row).collect())?;
//! let (train, _) = Partition::new(5, (0..5).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "smote-nc").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.samples().x().at(5, 1), 2.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: synthetic minority
//! over-sampling technique", Journal of Artificial Intelligence Research 16, 2002, section 6.1.

use counterweight_core::{
    NewRows, Note, OnNominal, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext,
    StageError, StageResult, Train, parameters,
};
use rand::RngExt as _;

use super::blend::Blend;
use super::growth::grow;
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::{self, Metric, Points, Search, split_columns};

parameters! {
    /// SMOTE-NC with checked parameters.
    pub struct SmoteNc {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
    }
}

impl Resampler for SmoteNc {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let (numeric, nominal) = split_columns(samples);
        if nominal.is_empty() {
            return Err(StageError::NotApplicable(
                "smote-nc needs nominal columns and there are none; try `smote`".into(),
            ));
        }
        if numeric.is_empty() {
            return Err(StageError::NotApplicable(
                "smote-nc needs a numeric column to scale nominal differences and there is none; \
                 all-nominal rows need `smote-n`"
                    .into(),
            ));
        }
        let blend = Blend::new(samples, "smote-nc")?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let Some(k) = of.neighbours(self.k, growth, context)? else {
                return Ok(());
            };
            let metric = Metric::Mixed { class: of.class };
            let lists = neighbours::shared(train, &Search::within(of.class, metric, k), context)?;
            if Points::new(samples, metric)?.nominal_gap() <= 0.0 {
                context.note(Note::Remark(format!(
                    "nominal columns do not count in distances within class {}: at least half of \
                     its numeric columns are constant",
                    of.name
                )));
            }
            for _ in 0..of.missing {
                context.deadline.check()?;
                let at = context.stream.random_range(0..of.rows.len());
                let near = &lists.of(at)[..k];
                let (base, other) = (of.rows[at], near[context.stream.random_range(0..k)]);
                let u: f64 = context.stream.random();
                blend.write(samples.x(), (base, other, u), near, &mut made);
                growth.made(base, other, &made);
            }
            Ok(())
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SmoteNc>(
    "smote-nc",
    "smote for mixed columns: nominal values by a vote of the k nearest neighbours",
    "Chawla et al. 2002, section 6.1",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .on(
            OnNominal::Handles,
            OnNominal::Becomes("smote-n"),
            OnNominal::Becomes("smote"),
        )
        .taking(|params, size| Room::over(params, size).smote()),
);
