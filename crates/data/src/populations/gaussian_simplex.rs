//! K spherical Gaussians whose means are equally far from each other: the multiclass counterpart of
//! `gaussian-pair`.
//!
//! # When it helps, when it hurts
//!
//! No class is nearer to one than to another, so that a class's error under imbalance comes from its
//! share alone, and the posterior is exactly a softmax of linear scores. More dimensions than classes
//! add features of pure noise. Real classes are not so even: confusions between similar rare
//! classes do not occur here.
//!
//! # Formula
//!
//! `x | y ~ N(delta e_y, I)` with the unit vectors `e_y` of `R^dim` and
//! `delta = separation / sqrt 2`, so that any two means are `separation` apart. The Bayes-optimal
//! balanced error is `1 - int phi(u) Phi(u + delta)^(K-1) du`, which for K = 2 is
//! `Phi(-separation / 2)`; it does not depend on `dim`: .2548 at the defaults.
//!
//! # Cost
//!
//! O(dim) a row and a density.
//!
//! # Differences
//!
//! Not from a paper. scikit-learn's `make_blobs` takes centres, but no distance between them, and its
//! `make_classification` has no density to compare with.
//!
//! # Errors
//!
//! A `dim` below `classes` is a [`ParamError`]: fewer dimensions have no room for the unit vectors.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::gaussian_simplex::GaussianSimplex;
//! let population = GaussianSimplex::default().separation(2.0).population()?;
//! let odds = |a, b| {
//!     let x = [2.0_f64.sqrt(), 0.0, 0.0]; // the mean of class 0
//!     population.log_density(a, &x) - population.log_density(b, &x)
//! };
//! assert!((odds(0, 1) - 2.0).abs() < 1e-12); // separation^2 / 2
//! assert!(odds(1, 2).abs() < 1e-12);
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! J. M. Wozencraft and I. M. Jacobs, "Principles of Communication Engineering", Wiley 1965, chapter
//! 4 (the error of equally likely orthogonal signals in white noise, which is this one).

use counterweight_core::{ParamError, Population, PopulationEntry, Range, parameters};
use counterweight_numeric::quadrature::GaussLegendre;

use super::shared::{Mixture, Part, entry, normal_tail};
use super::{Extra, Recipe};

parameters! {
    /// K spherical Gaussians with equally distant means.
    pub struct GaussianSimplex {
        /// number of classes
        classes: usize = 3, in Range::new(2.0, true, 1000.0, true), probe [2, 5];
        /// number of features, at least `classes`, which is also its value when left out
        dim: usize, in Range::new(2.0, true, 10_000.0, true), probe [6];
        /// distance between any two means, in standard deviations; at 0 the classes do not differ
        separation: f64 = 2.0, in Range::NON_NEGATIVE, probe [0.0, 1.0];
        extra: ..Extra;
    }
}

impl Recipe for GaussianSimplex {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        let (classes, dim) = (self.classes, self.dim.unwrap_or(self.classes));
        if dim < classes {
            return Err(ParamError {
                hint: Some(format!("raise `dim` to {classes}, or leave it out")),
                ..ParamError::new(
                    "dim",
                    format!(
                        "{classes} equally distant means need at least as many dimensions, found {dim}"
                    ),
                )
            });
        }
        let delta = self.separation * std::f64::consts::FRAC_1_SQRT_2;
        let mean = |class| {
            (0..dim)
                .map(move |j| if j == class { delta } else { 0.0 })
                .collect()
        };
        let parts = (0..classes)
            .map(|class| vec![Part::at(mean(class))])
            .collect();
        let missed = |u: f64| {
            let others = (classes - 1) as f64 * (-normal_tail(u + delta)).ln_1p();
            -(-0.5 * u * u).exp() * others.exp_m1() / std::f64::consts::TAU.sqrt()
        };
        let error = GaussLegendre::new().integrate((-12.0, 12.0), 48, missed);
        Ok(self.extra.around(Mixture::new(parts).with_bayes(error)))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<GaussianSimplex>(
    "gaussian-simplex",
    "K spherical Gaussians whose means are equally far from each other",
    "Wozencraft and Jacobs 1965",
    false,
);

#[cfg(test)]
mod tests {
    use super::super::bayes_balanced_error;
    use super::super::contract::{golden, test_rows};
    use super::*;

    fn simplex(classes: usize, dim: usize, separation: f64) -> Box<dyn Population> {
        let recipe = GaussianSimplex::default().classes(classes).dim(dim);
        recipe.separation(separation).population().unwrap()
    }

    #[test]
    fn the_bayes_error_has_its_closed_form() {
        let rows = golden("simplex-bayes");
        assert_eq!(rows.len(), 16);
        for [k, separation, _, _, expected] in rows {
            let k = [2, 3, 5, 10]
                .into_iter()
                .find(|&n| (n as f64 - k).abs() < 0.5)
                .unwrap();
            let found = simplex(k, k + 3, separation).bayes_error().unwrap();
            assert!(
                (found - expected).abs() < 1e-10,
                "{k} {separation}: {found} for {expected}"
            );
        }
    }

    #[test]
    fn without_separation_the_error_is_exactly_that_of_one_class() {
        // All ties: class 0 is decided everywhere, on the very rows.
        let population = simplex(4, 4, 0.0);
        let found = bayes_balanced_error(&*population, &test_rows(&*population, 1000));
        assert_eq!(found, Some(0.75));
    }

    #[test]
    fn any_two_means_are_the_separation_apart() {
        let population = simplex(5, 8, 3.0);
        let mean = |class| population.moments(class).unwrap().0;
        for (a, b) in (0..5).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let squares: f64 = mean(a)
                .iter()
                .zip(mean(b))
                .map(|(a, b)| (a - b).powi(2))
                .sum();
            assert!((squares.sqrt() - 3.0).abs() < 1e-12);
        }
    }

    #[test]
    fn two_classes_are_the_gaussian_pair_turned() {
        // Along the line of the means both populations are N(+-s/2, 1).
        let simplex = simplex(2, 2, 8.0_f64.sqrt());
        let pair = super::super::gaussian_pair::GaussianPair::default()
            .population()
            .unwrap();
        for t in [-3.0, -0.4, 0.0, 1.7] {
            for class in 0..2 {
                let a = simplex.log_density(class, &[1.0 - t, 1.0 + t]);
                let b = pair.log_density(class, &[t, t]);
                assert!((a - b).abs() < 1e-12, "{t} {class}: {a} {b}");
            }
        }
        let errors = [simplex, pair].map(|population| population.bayes_error().unwrap());
        assert!((errors[0] - errors[1]).abs() < 1e-12, "{errors:?}");
    }

    #[test]
    fn parameters_that_leave_no_room_are_refused() {
        let error = GaussianSimplex::default().dim(2).population().unwrap_err();
        assert_eq!(error.key, "dim");
        assert_eq!(
            error.hint.as_deref(),
            Some("raise `dim` to 3, or leave it out")
        );
    }
}
