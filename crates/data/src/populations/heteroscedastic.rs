//! Two Gaussians about one point, the rarer one wider: all that tells them apart is the spread.
//!
//! # When it helps, when it hurts
//!
//! Linear scores see nothing (their least balanced error is one half), quadratic ones everything: shows which models
//! gain from a correction of the prior at all. Under imbalance the rule for accuracy gives the narrow class the whole
//! centre and more, and beyond `(1 - pi) / pi > spread^dim` only the far tails are left to the wide class.
//!
//! # Formula
//!
//! `x | 0 ~ N(0, I)`, `x | 1 ~ N(0, spread^2 I)` in `dim` dimensions, so that
//! `log p(x | y) = -(dim log(2 pi s_y^2) + |x|^2 / s_y^2) / 2`. The border is the sphere
//! `|x|^2 = c = 2 dim log(spread) / (1 - spread^-2)`; with the chi-squared law of `dim` degrees of freedom the
//! Bayes-optimal balanced error is `(P(X > c) + P(X < c / spread^2)) / 2`: .1623 at the defaults.
//!
//! # Cost
//!
//! O(dim) a row and a density.
//!
//! # Differences
//!
//! None; scikit-learn's `make_gaussian_quantiles` cuts one Gaussian into shells instead, which then do not overlap.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::heteroscedastic::Heteroscedastic;
//! let wide = Heteroscedastic::default().spread(3.0).population()?;
//! assert!(wide.log_density(0, &[0.0, 0.0]) > wide.log_density(1, &[0.0, 0.0]));
//! assert!(wide.log_density(0, &[3.0, 3.0]) < wide.log_density(1, &[3.0, 3.0]));
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! R. O. Duda, P. E. Hart and D. G. Stork, "Pattern Classification", 2nd ed., Wiley 2001, section 2.6.3.

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};

use super::shared::{Mixture, Part, entry, tail_share};
use super::{Extra, Recipe};

parameters! {
    /// Two Gaussians about one point.
    pub struct Heteroscedastic {
        /// number of informative features
        dim: usize = 2, in Range::new(1.0, true, 1000.0, true), probe [1, 6];
        /// standard deviation of class 1; that of class 0 is 1
        spread: f64 = 3.0, in Range::new(1.0, false, 1000.0, true), probe [1.5];
        extra: ..Extra;
    }
}

impl Recipe for Heteroscedastic {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let (spread, d) = (self.spread, self.dim as f64);
        let part = |sd| {
            vec![Part {
                sd,
                ..Part::at(vec![0.0; self.dim])
            }]
        };
        let both = Mixture::new(vec![part(1.0), part(spread)]);
        let border = (2.0 * d * spread.ln() / (1.0 - spread.powi(-2))).sqrt();
        // The law of |x|, by its largest value so that nothing overflows.
        let log = |r: f64| (d - 1.0) * r.ln() - 0.5 * r * r;
        let top = if self.dim > 1 {
            log((d - 1.0).sqrt())
        } else {
            0.0
        };
        let beyond = |r| tail_share(r, d.sqrt() + 14.0, 64, |r| (log(r) - top).exp());
        let error = 0.5 * (beyond(border) + 1.0 - beyond(border / spread));
        Ok(self.extra.around(both.with_bayes(error)))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<Heteroscedastic>(
    "heteroscedastic",
    "two Gaussians about one point that differ in spread alone",
    "Duda, Hart and Stork 2001",
    true,
);
