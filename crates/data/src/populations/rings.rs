//! Concentric rings with Gaussian noise: one class encloses the other.
//!
//! # When it helps, when it hurts
//!
//! No line or plane tells the classes apart, a radius does: kernels, neighbours and trees can, linear scores cannot. The
//! rarer class is the outer ring, sparse along its length, so that neighbours of a rare row are often far and what SMOTE
//! puts between them lies inside. Two features and one scale of noise.
//!
//! # Formula
//!
//! `x = R_y (cos t, sin t) + noise z` with t uniform, z standard normal in the plane and `R_y = y + 1`: with `r = |x|`,
//! `p(x | y) = exp(-(r^2 + R_y^2) / (2 noise^2)) I_0(r R_y / noise^2) / (2 pi noise^2)`, `I_0` the modified Bessel function,
//! whose integral `e^-k I_0(k) = 1/pi int_0^pi exp(-k (1 - cos t)) dt` is taken by Gauss-Legendre quadrature to 1e-12 of
//! its logarithm, however large k. The ratio of two densities rises with r, so that the borders are circles and the
//! Bayes-optimal balanced error a sum of integrals over r: .0236 at the defaults.
//!
//! # Cost
//!
//! O(1) a row; a density takes 64 nodes of one exponential and two sines each.
//!
//! # Differences
//!
//! scikit-learn's `make_circles` has two circles of radius 1 and .8 with points at equal steps; here angles are drawn, so
//! that rows are independent draws of one law.
//!
//! # Errors
//!
//! None beyond the parameters' ranges.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::rings::Rings;
//! let rings = Rings::default().population()?;
//! let odds = |x: &[f64]| rings.log_density(1, x) - rings.log_density(0, x);
//! assert!(odds(&[0.0, 1.0]) < 0.0 && odds(&[-2.0, 0.0]) > 0.0);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! S. O. Rice, "Mathematical analysis of random noise", Bell System Technical Journal 24, 1945 (the law of r).

use std::f64::consts::{PI, TAU};

use counterweight_core::{
    Matrix, ParamError, Population, PopulationEntry, Range, Stream, parameters,
};
use counterweight_numeric::quadrature::{GaussLegendre, zero_between};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::shared::{Arc, entry};
use super::{Extra, LOG_TAU, Recipe, assert_class};

parameters! {
    /// Concentric rings.
    pub struct Rings {
        /// number of classes; ring y has the radius y + 1
        classes: usize = 2, in Range::new(2.0, true, 20.0, true), probe [4];
        /// standard deviation of each coordinate
        noise: f64 = 0.25, in Range::new(1e-3, true, 100.0, true), probe [0.1, 1.0];
        extra: ..Extra;
    }
}

impl Recipe for Rings {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        Ok(self.extra.around(Circles {
            classes: self.classes,
            noise: self.noise,
            arc: Arc::new(),
        }))
    }
}

#[derive(Debug)]
struct Circles {
    classes: usize,
    noise: f64,
    arc: Arc,
}

fn radius(class: usize) -> f64 {
    class as f64 + 1.0
}

impl Circles {
    /// log p at this distance from the centre.
    fn log_at(&self, class: usize, r: f64) -> f64 {
        let across = ((r - radius(class)) / self.noise).powi(2);
        if !across.is_finite() {
            return f64::NEG_INFINITY;
        }
        let around = self
            .arc
            .log_piece(r * radius(class) / self.noise.powi(2), 0.0, PI)
            - PI.ln();
        around - 0.5 * across - LOG_TAU - 2.0 * self.noise.ln()
    }
}

impl Population for Circles {
    fn n_classes(&self) -> usize {
        self.classes
    }

    fn n_features(&self) -> usize {
        2
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        assert_class(class, self.classes);
        let mut rows = Matrix::zeros(n, 2);
        for i in 0..n {
            let (sin, cos) = (TAU * stream.random::<f64>()).sin_cos();
            for (value, on) in rows.row_mut(i).iter_mut().zip([cos, sin]) {
                *value = radius(class) * on + self.noise * stream.sample::<f64, _>(StandardNormal);
            }
        }
        rows
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        assert_class(class, self.classes);
        self.log_at(class, x[0].hypot(x[1]))
    }

    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let variance = 0.5 * radius(class).powi(2) + self.noise.powi(2);
        Some((vec![0.0; 2], vec![variance, 0.0, 0.0, variance]))
    }

    fn bayes_error(&self) -> Option<f64> {
        let (rule, last) = (GaussLegendre::new(), self.classes - 1);
        // Where a ring's density is that of the next: none within reach under much noise means never.
        let end = radius(last) + 12.0 * self.noise;
        let borders: Vec<f64> = (0..last)
            .map(|class| {
                let odds = |r| self.log_at(class + 1, r) - self.log_at(class, r);
                if odds(end) <= 0.0 {
                    end
                } else {
                    zero_between((0.0, end), odds)
                }
            })
            .collect();
        let density = |class, r: f64| TAU * r * self.log_at(class, r).exp();
        let missed = (0..self.classes).map(|class| {
            let (low, high) = (
                radius(class) - 12.0 * self.noise,
                radius(class) + 12.0 * self.noise,
            );
            let within = |from: f64, to: f64| {
                let (from, to) = (from.max(low).max(0.0), to.min(high));
                if from < to {
                    rule.integrate((from, to), 24, |r| density(class, r))
                } else {
                    0.0
                }
            };
            let inner = class
                .checked_sub(1)
                .map_or(0.0, |below| within(0.0, borders[below]));
            inner
                + borders
                    .get(class)
                    .map_or(0.0, |&border| within(border, f64::INFINITY))
        });
        Some(missed.sum::<f64>() / self.classes as f64)
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<Rings>(
    "rings",
    "concentric rings with Gaussian noise, the rarer class outside",
    "Rice 1945, and scikit-learn make_circles with random angles",
    false,
);
