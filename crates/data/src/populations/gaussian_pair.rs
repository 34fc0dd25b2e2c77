//! Two spherical Gaussians in the plane: the population on which every number has a closed form.
//!
//! # When it helps, when it hurts
//!
//! The posterior is exactly logistic, so `softmax-regression` is well specified and what it loses it
//! loses to imbalance alone: the place to check a correction against theory. It says nothing about
//! models that are wrong about the shape of a class.
//!
//! # Formula
//!
//! `x | y ~ N(m_y, I)` with `m_0 = (-1, -1)` and `m_1 = (1, 1)`, so that
//! `log p(x | y) = -log(2 pi) - |x - m_y|^2 / 2` and the log odds at equal priors are `2 (x_1 + x_2)`.
//! The means are `2 sqrt 2` apart: the Bayes-optimal balanced error is
//! `Phi(-sqrt 2) = 0.0786496035251426`, that of the rule for accuracy at a share pi of class 1 is
//! `(Phi(-sqrt 2 + c) + Phi(-sqrt 2 - c)) / 2` with `c = log((1 - pi) / pi) / (2 sqrt 2)`: .1808 at
//! pi = .05.
//!
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | none | | | |
//!
//! # Cost
//!
//! O(1) a row and a density.
//!
//! # Differences from the paper and from scikit-learn
//!
//! None from the construction in the reference, which has it as the simplest case where balanced and
//! plain error want different rules; scikit-learn's `make_blobs` with these two centres and
//! `cluster_std=1` has the same law, but draws from one stream for both classes.
//!
//! # Errors
//!
//! None.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::Population as _;
//! use counterweight_data::populations::gaussian_pair::GaussianPair;
//! let odds = |x: &[f64]| GaussianPair.log_density(1, x) - GaussianPair.log_density(0, x);
//! assert!((odds(&[0.25, 0.5]) - 1.5).abs() < 1e-12);
//! ```
//!
//! # References
//!
//! A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning via
//! logit adjustment", ICLR 2021, section 6.1.

use counterweight_core::{Card, Matrix, Population, PopulationCaps, PopulationEntry, Stream};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::{assert_class, unit_gaussian_log_density};

/// Two spherical Gaussians in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianPair;

fn mean(class: usize) -> f64 {
    if class == 1 { 1.0 } else { -1.0 }
}

impl Population for GaussianPair {
    fn n_classes(&self) -> usize {
        2
    }

    fn n_features(&self) -> usize {
        2
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        assert_class(class, 2);
        Matrix::from_fn(n, 2, |_, _| {
            mean(class) + stream.sample::<f64, _>(StandardNormal)
        })
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        assert_class(class, 2);
        unit_gaussian_log_density(x, [mean(class); 2])
    }
}

pub(crate) const ENTRY: PopulationEntry = PopulationEntry {
    card: Card {
        id: "gaussian-pair",
        summary: "two spherical Gaussians in the plane with means (-1, -1) and (1, 1)",
        reference: "Menon et al. 2021",
        params: &[],
    },
    caps: PopulationCaps { binary: true },
    build: |_| Ok(Box::new(GaussianPair)),
};
