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
//! # Differences
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

#[cfg(test)]
mod tests {
    use counterweight_core::Prior;

    use super::super::bayes_balanced_error;
    use super::super::contract::{class_rows, golden, test_rows};
    use super::*;

    #[test]
    fn the_bayes_error_is_phi_of_minus_root_two() {
        let n = 200_000;
        let found = bayes_balanced_error(&GaussianPair, &test_rows(&GaussianPair, n)).unwrap();
        let expected: f64 = 0.078_649_603_525_142_6;
        let error = 4.0 * (expected * (1.0 - expected) / n as f64).sqrt();
        assert!((found - expected).abs() < error, "{found}");
    }

    #[test]
    fn the_rule_for_accuracy_has_its_closed_balanced_error() {
        let n = 100_000;
        let x = [0, 1].map(|class| class_rows(&GaussianPair, class, n));
        let rows = golden("pair-error");
        assert_eq!(rows.len(), 4);
        for [pi, _, _, _, expected] in rows {
            let log_prior = Prior::from_weights(vec![1.0 - pi, pi]).unwrap().logs();
            let wrong = |class: usize| {
                let missed = x[class].iter_rows().filter(|row| {
                    let score = |k: usize| GaussianPair.log_density(k, row) + log_prior[k];
                    score(1 - class) > score(class)
                });
                missed.count() as f64 / n as f64
            };
            let found = 0.5 * (wrong(0) + wrong(1));
            // Each error rate has variance p (1 - p) / n <= 1 / (4 n).
            let error = 5.0 * (1.0 / (8.0 * n as f64)).sqrt();
            assert!(
                (found - expected).abs() < error,
                "{pi}: {found} for {expected}"
            );
        }
    }

    #[test]
    fn the_log_odds_are_linear_and_the_density_is_normalised() {
        for x in [[0.0, 0.0], [1.5, -0.25], [-7.0, 2.0]] {
            let odds = GaussianPair.log_density(1, &x) - GaussianPair.log_density(0, &x);
            assert!((odds - 2.0 * (x[0] + x[1])).abs() < 1e-12);
        }
        let peak = GaussianPair.log_density(1, &[1.0, 1.0]);
        assert!((peak + std::f64::consts::TAU.ln()).abs() < 1e-15);
    }
}
