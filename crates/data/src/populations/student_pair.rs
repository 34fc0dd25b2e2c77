//! Two Student laws: the Gaussian pair with heavy tails.
//!
//! # When it helps, when it hurts
//!
//! Far rows are frequent and say little of their class: posteriors of the balanced problem flatten away from the border
//! instead of saturating, so that the rule for accuracy is not a shift of the balanced one. At few degrees of freedom the
//! frequent class has outliers amid the rare one, which cleaning samplers remove and SMOTE connects. Linear scores are
//! right at equal priors only.
//!
//! # Formula
//!
//! `x | y = m_y + z sqrt(df / u)` with `m_1 = -m_0 = separation / (2 sqrt dim) (1, .., 1)`, z standard normal in `dim`
//! dimensions and u chi-squared with `df` degrees of freedom:
//! `log p(x | y) = log G((df + dim) / 2) - log G(df / 2) - dim / 2 log(df pi) - (df + dim) / 2 log(1 + |x - m_y|^2 / df)`,
//! G the gamma function. The density falls with the distance, so that the balanced border is the plane midway and the
//! Bayes-optimal balanced error `T_df(-separation / 2)`, `T_df` Student's distribution function: .1261 at the defaults.
//! `df = 1` is Cauchy's law; covariances exist above 2, `df / (df - 2)` times the identity.
//!
//! # Cost
//!
//! O(dim) a row and a density.
//!
//! # Differences
//!
//! None from the multivariate t of the reference.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::student_pair::StudentPair;
//! let cauchy = StudentPair::default().df(1.0).separation(2.0).population()?;
//! assert!((cauchy.bayes_error().expect("a closed form") - 0.25).abs() < 1e-12);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! S. Kotz and S. Nadarajah, "Multivariate t Distributions and Their Applications", Cambridge 2004, chapter 1.

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};

use super::gaussian_pair::pair;
use super::shared::{entry, tail_share};
use super::{Extra, Recipe};

parameters! {
    /// Two Student laws.
    pub struct StudentPair {
        /// number of informative features
        dim: usize = 2, in Range::new(1.0, true, 2000.0, true), probe [1, 4];
        /// distance between the means; left out: 2 sqrt 2
        separation: f64, in Range::NON_NEGATIVE, probe [1.0];
        /// degrees of freedom: the smaller, the heavier the tails
        df: f64 = 3.0, in Range::new(1.0, true, 1000.0, true), probe [1.0, 4.5];
        extra: ..Extra;
    }
}

impl Recipe for StudentPair {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let (pair, distance) = pair(self.dim, self.separation, None);
        // x = sqrt(df) tan t turns Student's density into cos^(df - 1) t.
        let half = 0.5 * std::f64::consts::PI;
        let from = (0.5 * distance / self.df.sqrt()).atan();
        let share = tail_share(from, half, 64, |t| t.cos().powf(self.df - 1.0));
        Ok(self
            .extra
            .around(pair.tailed(self.df).with_bayes(0.5 * share)))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<StudentPair>(
    "student-pair",
    "two Student laws, with as heavy tails as asked for",
    "Kotz and Nadarajah 2004",
    true,
);
