//! Methods on one's own rows, without sweeps and files: whatever a sweep can name, in one expression.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let x = [[0.0], [0.3], [0.5], [0.9], [1.2], [2.0], [2.1], [2.6]];
//! # let y = ["no", "no", "no", "no", "no", "yes", "yes", "yes"];
//! use counterweight::{Fit, FitResample, LogitAdjusted, Smote, SoftmaxRegression};
//!
//! let even = Smote::default().k(2).seed(7).fit_resample(&x, &y)?;
//! assert_eq!(even.y.iter().filter(|class| **class == "yes").count(), 5);
//! let model = SoftmaxRegression::default().loss(LogitAdjusted::new(1.0)).fit(&x, &y)?;
//! assert_eq!(model.predict(&[[0.1], [2.4]])?, ["no", "yes"]);
//! # Ok(())
//! # }
//! ```
//!
//! Rows are anything that is [`Features`]; labels are values of any type that has an order and a text. Columns are
//! taken as numbers as they are: nothing is imputed, scaled or encoded. Every setter checks its value as a sweep file's
//! is checked. What a learner does not honour is an error and never left out.

mod adapter;
mod decide;
mod features;
mod fit;
mod names;
mod ranks;
mod resample;

pub use adapter::{Adapter, from_fn};
pub use decide::{CrossFit, Decider};
pub use features::{Features, Label};
pub use fit::{Fit, Model, Trainer};
pub use names::*;
pub use ranks::Ranks;
pub use resample::{FitResample, Resampled, Seeded};

use counterweight_core::Labels;

#[cfg(doctest)]
#[doc = include_str!("../../../../README.md")]
mod readme {}

/// The programs of `examples/`, which the tests of the documentation run.
#[cfg(doctest)]
mod examples {
    /// Runs a program, where the crate has these features.
    macro_rules! program {
        ($($name:ident $($feature:literal)?;)+) => {$(
            $(#[cfg(feature = $feature)])?
            #[doc = concat!("```\n", include_str!(concat!("../../examples/", stringify!($name), ".rs")), "\n```")]
            #[allow(non_camel_case_types, dead_code, reason = "named like the file")]
            struct $name;
        )+};
    }

    program! {
        clean;
        costs;
        from_ndarray "linfa";
        from_polars "polars";
        logit_adjusted;
        metrics;
        own_estimator;
        pipeline;
        ranks "plots";
        resample;
    }
}

/// How often each class was decided for each, in the order of the values: what metrics such as
/// [`balanced_error::of`](counterweight_metrics::balanced_error::of) are computed from.
///
/// # Errors
/// [`StageError::Failed`] for two lengths.
pub fn confusion<L: Label>(truth: &[L], decided: &[L]) -> StageResult<Confusion> {
    if truth.len() != decided.len() {
        let message = format!("{} labels for {} decisions", truth.len(), decided.len());
        return Err(StageError::Failed(message));
    }
    let (labels, classes) = Labels::of_values(&[truth, decided].concat());
    let (truth, decided) = labels.ids().split_at(truth.len());
    let mut confusion = Confusion::new(classes.len());
    confusion.add_rows(&labels.with_ids(truth.to_vec())?, decided);
    Ok(confusion)
}
