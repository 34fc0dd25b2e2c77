//! K Gaussians on a circle: every class has two neighbours, and all are alike.
//!
//! # When it helps, when it hurts
//!
//! Confusions are local, as between similar kinds, and symmetric: under a long tail a rare class between two frequent
//! ones loses most, which no single threshold shows. Linear scores are exact. With many classes at one separation the
//! circle grows and each class sees a line.
//!
//! # Formula
//!
//! `x | y ~ N(R (cos t_y, sin t_y), I)` with `t_y = 2 pi y / K` and `R = separation / (2 sin(pi / K))`, so that neighbours
//! are `separation` apart: `log p(x | y) = -log(2 pi) - |x - m_y|^2 / 2`. The class regions are wedges; the Bayes-optimal
//! balanced error is `1/pi int_0^(pi - pi/K) exp(-separation^2 / (8 sin^2 t)) dt`, which for K = 2 is
//! `Phi(-separation / 2)`: .3074 at the defaults.
//!
//! # Cost
//!
//! O(1) a row, O(K) for the densities of a row.
//!
//! # Differences
//!
//! None: phase-shift keying in white noise, whose error the formula is. scikit-learn has nothing like it.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::gaussian_circle::GaussianCircle;
//! let circle = GaussianCircle::default().classes(2).separation(2.0).population()?;
//! assert!((circle.bayes_error().expect("an integral") - 0.158_655_253_931_457).abs() < 1e-12);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! J. W. Craig, "A new, simple and exact result for calculating the probability of error for two-dimensional signal
//! constellations", IEEE MILCOM 1991.

use std::f64::consts::{PI, TAU};

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};
use counterweight_numeric::quadrature::GaussLegendre;

use super::shared::{Mixture, Part, entry};
use super::{Extra, Recipe};

parameters! {
    /// Gaussians on a circle.
    pub struct GaussianCircle {
        /// number of classes
        classes: usize = 5, in Range::new(2.0, true, 1000.0, true), probe [2, 3];
        /// distance between neighbours, in standard deviations
        separation: f64 = 2.0, in Range::new(0.0, false, 100.0, true), probe [4.0];
        extra: ..Extra;
    }
}

impl Recipe for GaussianCircle {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let k = self.classes as f64;
        let radius = 0.5 * self.separation / (PI / k).sin();
        let at = |class| {
            let (sin, cos) = (TAU * class as f64 / k).sin_cos();
            vec![Part::at(vec![radius * cos, radius * sin])]
        };
        let circle = Mixture::new((0..self.classes).map(at).collect());
        let outside = |t: f64| (-0.125 * (self.separation / t.sin()).powi(2)).exp();
        let error = GaussLegendre::new().integrate((0.0, PI - PI / k), 64, outside) / PI;
        Ok(self.extra.around(circle.with_bayes(error)))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<GaussianCircle>(
    "gaussian-circle",
    "K Gaussians on a circle, each between two neighbours",
    "Craig 1991",
    false,
);
