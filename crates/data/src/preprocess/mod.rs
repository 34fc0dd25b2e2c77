//! Preprocessing, fitted on training rows only: impute, scale and count missing values in
//! [`Preprocessor`], turn nominal codes into numbers in [`Encoder`], and, for models that ask, make
//! products of the encoded columns in [`Polynomial`].
//!
//! The two are apart because resamplers work between them: `smote-nc` needs nominal columns as
//! codes, and an interpolated one-hot column is no level at all.

mod check;
mod encoder;
mod fill;
mod nominal;
mod numeric;
pub mod polynomial;
mod preprocessor;

pub use check::check_dataset;
pub use encoder::Encoder;
pub use fill::{Fill, fill};
pub use polynomial::Polynomial;
pub use preprocessor::Preprocessor;

/// What happens to the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Preprocess {
    /// Impute, scale, merge rare levels, indicate missing values.
    #[default]
    Standard,
    /// Columns as they are.
    None,
}

impl Preprocess {
    /// Name in sweep files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::None => "none",
        }
    }
}
