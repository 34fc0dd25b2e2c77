//! Random over-sampling: copies rows of the smaller classes, drawn with replacement; with
//! `shrinkage` above 0 the copies are jittered (a smoothed bootstrap, as in ROSE).
//!
//! # When it helps, when it hurts
//!
//! Copies act as whole-number class weights and work for learners that honour no weights. They add
//! no information: flexible learners (deep trees, 1-NN) fit the copied points again and again.
//! Jitter spreads each point into a Gaussian bump, which softens that, and blurs features that are
//! not continuous.
//!
//! # Formula
//!
//! A new row of class c is `x_i + h_c z`, with i drawn uniformly from the class and z standard
//! normal in each numeric column j, `h_cj = shrinkage * (4 / ((d + 2) n))^(1 / (d + 4)) * sd_cj`:
//! the normal-reference bandwidth with d numeric columns, n training rows and the class's standard
//! deviation (divisor: its number of rows). Nominal values are copied.
//!
//! # Cost
//!
//! O(m d) for m new rows of d columns, after one pass over the data.
//!
//! # Differences
//!
//! * ROSE (Menardi and Torelli) replaces all rows by smoothed ones and takes the class's size for n
//!   in the bandwidth. As in imbalanced-learn 0.14, originals stay and n counts all training rows.
//! * imbalanced-learn refuses `shrinkage` for data with nominal columns; here, as in ROSE, the
//!   numeric columns are smoothed and nominal values copied. With no numeric column, a `shrinkage`
//!   above 0 is not applicable, since it would do nothing.
//! * `shrinkage` is one number for all classes, and 0 means plain copies (there: `None`).
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy); [`StageError::NotApplicable`] for `shrinkage` above 0
//! without numeric columns; [`StageError::Failed`] where a standard deviation overflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Origin, Partition, Samples, Seed, Shared, SmallClass, StageContext, find,
//!     params,
//! };
//! let x = Matrix::from_vec(4, 1, vec![0.0, 1.0, 2.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "b"]))?;
//! let (train, _) = Partition::new(4, vec![0, 1, 2, 3], vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "random-over").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.counts().as_slice(), [3, 3]);
//! assert_eq!(even.samples().origins()[5], Origin::Row(3));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! G. Menardi and N. Torelli, "Training and assessing classification rules with imbalanced data",
//! Data Mining and Knowledge Discovery 28, 2014. A. W. Bowman and A. Azzalini, "Applied Smoothing
//! Techniques for Data Analysis", 1997 (the bandwidth).

use counterweight_core::{
    NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, Samples, StageContext, StageError,
    StageResult, Train, parameters,
};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::growth::grow;
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::neighbours::split_columns;

parameters! {
    /// Random over-sampling with checked parameters.
    pub struct RandomOver {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// factor on the normal-reference bandwidth of the smoothed bootstrap
        shrinkage: f64 = 0.0, in Range::NON_NEGATIVE, probe [0.5, 1.0];
    }
}

impl Resampler for RandomOver {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        let (numeric, _) = split_columns(samples);
        if self.shrinkage > 0.0 && numeric.is_empty() {
            return Err(StageError::NotApplicable(
                "`shrinkage` smooths numeric columns and there are none; leave it at 0".into(),
            ));
        }
        grow(train, &self.strategy, context, |of, growth, context| {
            let widths = if self.shrinkage > 0.0 {
                self.widths(samples, &numeric, &of.rows)?
            } else {
                Vec::new()
            };
            for _ in 0..of.missing {
                context.deadline.check()?;
                let base = of.rows[context.stream.random_range(0..of.rows.len())];
                if self.shrinkage > 0.0 {
                    let mut values = samples.x().row(base).to_vec();
                    for (&column, width) in numeric.iter().zip(&widths) {
                        let z: f64 = context.stream.sample(StandardNormal);
                        values[column] += width * z;
                    }
                    growth.made(base, base, &values);
                } else {
                    growth.copy(base);
                }
            }
            Ok(())
        })
    }
}

impl RandomOver {
    /// The kernel's width in each numeric column.
    fn widths(
        &self,
        samples: &Samples,
        numeric: &[usize],
        rows: &[usize],
    ) -> StageResult<Vec<f64>> {
        let d = numeric.len() as f64;
        let n = samples.n_rows() as f64;
        let reference = (4.0 / ((d + 2.0) * n)).powf(1.0 / (d + 4.0));
        numeric
            .iter()
            .map(|&column| {
                let m = rows.len() as f64;
                let value = |row: &usize| samples.x().at(*row, column);
                let mean = rows.iter().map(|row| value(row) / m).sum::<f64>();
                let squares: f64 = rows.iter().map(|row| (value(row) - mean).powi(2)).sum();
                let width = self.shrinkage * reference * (squares / m).sqrt();
                // Eight widths reach further than any normal draw that a sweep will see.
                if (8.0 * width).is_finite() {
                    Ok(width)
                } else {
                    Err(StageError::Failed(format!(
                        "the spread of column {column} overflows the smoothing width; scale it first"
                    )))
                }
            })
            .collect()
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<RandomOver>(
    "random-over",
    "copies rows of the smaller classes, smoothed when `shrinkage` is above 0",
    "Menardi and Torelli 2014 (smoothed bootstrap)",
    ResamplerCaps::GROWS
        .making(NewRows::Elsewhere)
        .taking(|params, size| Room::over(params, size).result()),
);
