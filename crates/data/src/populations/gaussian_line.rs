//! K Gaussians in a row: a middle class that has to be caught between two borders.
//!
//! # When it helps, when it hurts
//!
//! The log odds of neighbours are linear in one feature, but the middle classes lose on both sides: what a correction
//! gives to one class it takes from its neighbours alone. With three classes the rule of least balanced error leaves the
//! middle class a recall of .683 beside .841, and no shift of one border mends that without the other.
//!
//! # Formula
//!
//! `x | y ~ N(gap (y - (K - 1) / 2), 1)`, so that `log p(x | y) = -(log(2 pi) + (x - m_y)^2) / 2`. The borders stand
//! midway, the Bayes-optimal balanced error is `2 (K - 1) / K Phi(-gap / 2)`: .2115 at the defaults, with recalls .841,
//! .683, .841.
//!
//! # Cost
//!
//! O(1) a row, O(K) for the densities of a row.
//!
//! # Differences
//!
//! None: an exercise of every textbook. Classes are in order, but no method here is told so.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::gaussian_line::GaussianLine;
//! let line = GaussianLine::default().classes(4).gap(2.0).population()?;
//! assert!((line.bayes_error().expect("it has a closed form") - 1.5 * 0.158_655_253_931_457).abs() < 1e-12);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! R. O. Duda, P. E. Hart and D. G. Stork, "Pattern Classification", 2nd ed., Wiley 2001, section 2.6.

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};

use super::shared::{Mixture, Part, entry, normal_tail};
use super::{Extra, Recipe};

parameters! {
    /// Gaussians in a row.
    pub struct GaussianLine {
        /// number of classes
        classes: usize = 3, in Range::new(2.0, true, 100.0, true), probe [2, 6];
        /// distance between neighbours, in standard deviations
        gap: f64 = 2.0, in Range::NON_NEGATIVE, probe [1.0];
        extra: ..Extra;
    }
}

impl Recipe for GaussianLine {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let k = self.classes as f64;
        let at = |class| self.gap * (class as f64 - 0.5 * (k - 1.0));
        let parts = (0..self.classes).map(|class| vec![Part::at(vec![at(class)])]);
        let error = 2.0 * (k - 1.0) / k * normal_tail(0.5 * self.gap);
        Ok(self
            .extra
            .around(Mixture::new(parts.collect()).with_bayes(error)))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<GaussianLine>(
    "gaussian-line",
    "K Gaussians in a row, the middle ones between two borders",
    "Duda, Hart and Stork 2001",
    false,
);
