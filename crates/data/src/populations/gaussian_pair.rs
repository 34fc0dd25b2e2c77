//! Two Gaussians of one shape: the population on which every number has a closed form.
//!
//! # When it helps, when it hurts
//!
//! The posterior is exactly logistic, so `softmax-regression` is well specified and what it loses it
//! loses to imbalance alone: the place to check a correction against theory. It says nothing about
//! models that are wrong about the shape of a class. Many dimensions at few rows show what imbalance costs where
//! parameters are many; correlation makes the means' direction noisier, noise features dilute distances.
//!
//! # Formula
//!
//! `x | y ~ N(m_y, S)` with `m_1 = -m_0 = separation / (2 sqrt dim) (1, .., 1)` (both moved by `shift`) and S the identity, or 1 on its diagonal
//! and `correlation` beside it, or `covariance`, so that
//! `log p(x | y) = -(dim log(2 pi) + log det S + (x - m_y)' S^-1 (x - m_y)) / 2` and the log odds at equal priors are
//! `2 m_1' S^-1 x`. With `D^2 = 4 m_1' S^-1 m_1` the Bayes-optimal balanced error is `Phi(-D / 2)`; under a correlation
//! rho, `D = separation / sqrt(1 + (dim - 1) rho)`. The rule for accuracy at a share pi of class 1 has the balanced
//! error `(Phi(-D / 2 + c) + Phi(-D / 2 - c)) / 2` with `c = log((1 - pi) / pi) / D`.
//! At the defaults the means are (-1, -1) and (1, 1), `D = 2 sqrt 2`, and the two errors
//! `Phi(-sqrt 2) = 0.0786496035251426` and .1808 at pi = .05.
//!
//! # Cost
//!
//! O(dim) a row and a density, O(dim^2) with a covariance.
//!
//! # Differences
//!
//! None from the construction in the reference, which has it as the simplest case where balanced and
//! plain error want different rules; scikit-learn's `make_blobs` with these two centres and
//! `cluster_std=1` has the same law, but draws from one stream for both classes.
//!
//! # Errors
//!
//! A correlation and a covariance together, a covariance of another size than `dim`, and one that is not symmetric and
//! positive definite: a [`ParamError`].
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::gaussian_pair::GaussianPair;
//! let pair = GaussianPair::default().population()?;
//! let odds = |x: &[f64]| pair.log_density(1, x) - pair.log_density(0, x);
//! assert!((odds(&[0.25, 0.5]) - 1.5).abs() < 1e-12);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning via
//! logit adjustment", ICLR 2021, section 6.1.

use std::f64::consts::SQRT_2;

use counterweight_core::params::Rows;
use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};

use super::shared::{Mixture, Part, cholesky, entry, normal_tail, squared_norm_of};
use super::{Extra, Recipe};

parameters! {
    /// Two Gaussians of one shape.
    pub struct GaussianPair {
        /// number of informative features; left out: as many as `covariance` has rows, else 2
        dim: usize, in Range::new(1.0, true, 2000.0, true), probe [1, 5];
        /// distance between the means; left out: 2 sqrt 2
        separation: f64, in Range::NON_NEGATIVE, probe [1.0];
        /// correlation of any two informative features within a class, above -1 / (dim - 1); left out: 0
        correlation: f64, in Range::new(-1.0, false, 1.0, false), probe [0.6, (-0.5)];
        /// covariance of the informative features within a class, row by row; left out: the identity
        covariance: Rows, probe [[&[1.0, 0.5], &[0.5, 2.0]]];
        /// what is added to every informative feature of both classes; left out: 0
        shift: f64, probe [3.0];
        extra: ..Extra;
    }
}

impl Recipe for GaussianPair {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let rows = self.covariance.as_ref().map(Vec::len);
        let dim = self.dim.or(rows).unwrap_or(2);
        let factor = match (self.correlation, &self.covariance) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                let hint = "keep one of them: `covariance` has its correlations";
                let problem = "given beside `correlation`";
                return Err(ParamError {
                    hint: Some(hint.into()),
                    ..ParamError::new("covariance", problem)
                });
            }
            (Some(rho), None) => {
                let row = |i| {
                    (0..dim)
                        .map(move |j| if i == j { 1.0 } else { rho })
                        .collect()
                };
                let factor = cholesky(&(0..dim).map(row).collect::<Rows>());
                let problem = || format!("{dim} features cannot all be correlated by {rho}");
                Some(factor.ok_or_else(|| ParamError {
                    hint: Some(format!("give a number above {}", -1.0 / (dim as f64 - 1.0))),
                    ..ParamError::new("correlation", problem())
                })?)
            }
            (None, Some(table)) if table.len() == dim => {
                let problem = "not symmetric and positive definite";
                Some(cholesky(table).ok_or_else(|| ParamError::new("covariance", problem))?)
            }
            (None, Some(table)) => {
                let problem = format!("{} rows for {dim} informative features", table.len());
                return Err(ParamError {
                    hint: Some("leave `dim` out, or give as many rows".into()),
                    ..ParamError::new("covariance", problem)
                });
            }
        };
        let (pair, distance) = pair(dim, self.separation, factor);
        let pair = pair.moved(self.shift.unwrap_or(0.0));
        Ok(self
            .extra
            .around(pair.with_bayes(normal_tail(0.5 * distance))))
    }
}

/// Two classes of this shape with means `separation` apart along (1, .., 1), and their distance D in units of the shape.
pub(super) fn pair(
    dim: usize,
    separation: Option<f64>,
    factor: Option<Vec<f64>>,
) -> (Mixture, f64) {
    let separation = separation.unwrap_or(2.0 * SQRT_2);
    let at = separation / (2.0 * (dim as f64).sqrt());
    let classes = [-at, at].map(|at| vec![Part::at(vec![at; dim])]);
    let pair = Mixture::new(classes.into());
    match factor {
        None => (pair, separation),
        Some(factor) => {
            let distance = squared_norm_of(&factor, vec![2.0 * at; dim].into_iter()).sqrt();
            (pair.shaped(factor), distance)
        }
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<GaussianPair>(
    "gaussian-pair",
    "two Gaussians of one shape, in the plane with means (-1, -1) and (1, 1) unless asked otherwise",
    "Menon et al. 2021",
    true,
);

#[cfg(test)]
mod tests {
    use counterweight_core::Prior;

    use super::super::contract::{class_rows, golden};
    use super::*;

    fn built(recipe: &GaussianPair) -> Box<dyn Population> {
        recipe.population().unwrap()
    }

    #[test]
    fn the_bayes_errors_have_their_closed_forms() {
        let error = |recipe: GaussianPair| built(&recipe).bayes_error().unwrap();
        let pair = GaussianPair::default;
        assert!((error(pair()) - 0.078_649_603_525_142_6).abs() < 1e-15);
        assert!((error(pair().dim(7).noise(3)) - 0.078_649_603_525_142_6).abs() < 1e-14);
        let by_hand = normal_tail(0.5 * 2.0 / (1.0 + 4.0 * 0.5_f64).sqrt());
        let found = error(pair().dim(5).separation(2.0).correlation(0.5));
        assert!((found - by_hand).abs() < 1e-14, "{found}");
        // Variances 1 and 4 apart: m' S^-1 m = a^2 (1 + 1/4).
        let table = vec![vec![1.0, 0.0], vec![0.0, 4.0]];
        let found = error(pair().separation(8.0_f64.sqrt()).covariance(table));
        assert!(
            (found - normal_tail(1.25_f64.sqrt())).abs() < 1e-14,
            "{found}"
        );
    }

    #[test]
    fn a_shift_moves_rows_and_nothing_else() {
        let (here, there) = (
            built(&GaussianPair::default()),
            built(&GaussianPair::default().shift(3.0)),
        );
        let rows = [&here, &there].map(|pair| class_rows(&**pair, 0, 3));
        for (a, b) in rows[0].as_slice().iter().zip(rows[1].as_slice()) {
            assert!((b - a - 3.0).abs() < 1e-12);
        }
        assert_eq!(here.bayes_error(), there.bayes_error());
    }

    impl GaussianPair {
        fn noise(self, n: usize) -> Self {
            self.extra(Extra::default().noise_features(n).redundant_features(2))
        }
    }

    #[test]
    fn shapes_that_are_none_are_refused() {
        let refused = |recipe: GaussianPair| recipe.population().unwrap_err().to_string();
        let table = || vec![vec![1.0, 2.0], vec![2.0, 1.0]];
        let pair = GaussianPair::default;
        assert!(refused(pair().covariance(table())).contains("positive definite"));
        assert!(refused(pair().dim(3).covariance(table())).contains("2 rows for 3"));
        assert!(refused(pair().correlation(0.1).covariance(table())).contains("beside"));
        assert!(refused(pair().dim(4).correlation(-0.4)).contains("-0.4"));
        let skew = vec![vec![1.0, 0.5], vec![0.4, 1.0]];
        assert!(refused(pair().covariance(skew)).contains("symmetric"));
    }

    #[test]
    fn the_rule_for_accuracy_has_its_closed_balanced_error() {
        let n = 100_000;
        let pair = built(&GaussianPair::default());
        let x = [0, 1].map(|class| class_rows(&*pair, class, n));
        let rows = golden("pair-error");
        assert_eq!(rows.len(), 4);
        for [pi, _, _, _, expected] in rows {
            let log_prior = Prior::from_weights(vec![1.0 - pi, pi]).unwrap().logs();
            let wrong = |class: usize| {
                let missed = x[class].iter_rows().filter(|row| {
                    let score = |k: usize| pair.log_density(k, row) + log_prior[k];
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
    fn the_default_has_the_bits_it_always_had() {
        let pair = built(&GaussianPair::default());
        for x in [[0.0, 0.0], [1.5, -0.25], [-7.0, 2.0], [0.1, 1e-9]] {
            for (class, mean) in [-1.0, 1.0].into_iter().enumerate() {
                let expected = super::super::unit_gaussian_log_density(&x, [mean; 2]);
                assert_eq!(pair.log_density(class, &x).to_bits(), expected.to_bits());
            }
        }
        let rows = class_rows(&*pair, 1, 3);
        let mut stream = super::super::contract::key(11).number(1).open();
        let normal = |_: usize, _: usize| {
            use rand::RngExt as _;
            1.0 + stream.sample::<f64, _>(rand_distr::StandardNormal)
        };
        assert_eq!(rows, counterweight_core::Matrix::from_fn(3, 2, normal));
    }
}
