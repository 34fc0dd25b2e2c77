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
//! balanced error is `1 - int phi(z - delta) Phi(z)^(K-1) dz`, which for K = 2 is
//! `Phi(-separation / 2)`; it does not depend on `dim`.
//!
//! # Parameters
//!
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `classes` | 3 | 2 to 1000 | classes |
//! | `dim` | `classes` | `classes` to 10000 | features |
//! | `separation` | 2 | at least 0 | standard deviations; at 0 the classes do not differ, as a null control |
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
//! use counterweight_core::Population as _;
//! use counterweight_data::populations::gaussian_simplex::GaussianSimplex;
//! let population = GaussianSimplex::new(3, None, 2.0)?;
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

use counterweight_core::params::Default;
use counterweight_core::{
    Card, Matrix, ParamError, ParamKind, ParamSpec, ParamValue, Params, Population, PopulationCaps,
    PopulationEntry, Range, Stream,
};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::{assert_class, unit_gaussian_log_density};

/// K spherical Gaussians with equally distant means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianSimplex {
    classes: usize,
    dim: usize,
    /// Distance of each mean from the origin.
    delta: f64,
}

impl GaussianSimplex {
    /// `classes` Gaussians in `dim` dimensions (as many as classes, when not given) with means
    /// `separation` apart.
    ///
    /// # Errors
    /// [`ParamError`] below two classes, for fewer dimensions than classes, and for a separation
    /// that is negative or not finite.
    pub fn new(classes: usize, dim: Option<usize>, separation: f64) -> Result<Self, ParamError> {
        let dim = dim.unwrap_or(classes);
        if classes < 2 {
            let problem = format!("expected at least 2 classes, found {classes}");
            return Err(ParamError::new("classes", problem));
        }
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
        if !Range::NON_NEGATIVE.contains(separation) {
            let problem = format!(
                "expected a number in {}, found {separation}",
                Range::NON_NEGATIVE
            );
            return Err(ParamError::new("separation", problem));
        }
        Ok(Self {
            classes,
            dim,
            delta: separation * std::f64::consts::FRAC_1_SQRT_2,
        })
    }

    fn mean(&self, class: usize) -> impl Iterator<Item = f64> {
        let delta = self.delta;
        (0..self.dim).map(move |j| if j == class { delta } else { 0.0 })
    }
}

impl TryFrom<&Params> for GaussianSimplex {
    type Error = ParamError;

    fn try_from(params: &Params) -> Result<Self, ParamError> {
        let dim = params
            .get("dim")
            .is_some_and(|dim| matches!(dim, ParamValue::Whole(_)));
        Self::new(
            params.whole("classes"),
            dim.then(|| params.whole("dim")),
            params.real("separation"),
        )
    }
}

impl Population for GaussianSimplex {
    fn n_classes(&self) -> usize {
        self.classes
    }

    fn n_features(&self) -> usize {
        self.dim
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        assert_class(class, self.classes);
        let mean: Vec<f64> = self.mean(class).collect();
        Matrix::from_fn(n, self.dim, |_, j| {
            mean[j] + stream.sample::<f64, _>(StandardNormal)
        })
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        assert_class(class, self.classes);
        unit_gaussian_log_density(x, self.mean(class))
    }
}

pub(crate) const ENTRY: PopulationEntry = PopulationEntry {
    card: Card {
        id: "gaussian-simplex",
        summary: "K spherical Gaussians whose means are equally far from each other",
        reference: "Wozencraft and Jacobs 1965",
        params: &[
            ParamSpec::new(
                "classes",
                ParamKind::Whole(Range::new(2.0, true, 1000.0, true)),
                Default::Whole(3),
                "number of classes",
            ),
            ParamSpec::optional(
                "dim",
                ParamKind::Whole(Range::new(2.0, true, 10_000.0, true)),
                "number of features, at least `classes`, which is also its value when left out",
            ),
            ParamSpec::new(
                "separation",
                ParamKind::Real(Range::NON_NEGATIVE),
                Default::Real(2.0),
                "distance between any two means, in standard deviations",
            ),
        ],
    },
    caps: PopulationCaps { binary: false },
    build: |params| Ok(Box::new(GaussianSimplex::try_from(params)?)),
};

#[cfg(test)]
mod tests {
    use super::super::bayes_balanced_error;
    use super::super::contract::{golden, test_rows};
    use super::*;

    #[test]
    fn the_bayes_error_has_its_closed_form() {
        let rows = golden("simplex-bayes");
        assert_eq!(rows.len(), 16);
        for [k, separation, _, _, expected] in rows {
            let k = [2, 3, 5, 10]
                .into_iter()
                .find(|&n| (n as f64 - k).abs() < 0.5)
                .unwrap();
            for dim in [None, Some(k + 3)] {
                let population = GaussianSimplex::new(k, dim, separation).unwrap();
                let n = 40_000;
                let found = bayes_balanced_error(&population, &test_rows(&population, n)).unwrap();
                let error = 5.0 * (expected * (1.0 - expected) / n as f64).sqrt();
                assert!(
                    (found - expected).abs() < error.max(1e-12),
                    "{k} {dim:?} {separation}: {found} for {expected}"
                );
            }
        }
    }

    #[test]
    fn without_separation_the_error_is_exactly_that_of_one_class() {
        // All ties: class 0 is decided everywhere, on the very rows.
        let population = GaussianSimplex::new(4, None, 0.0).unwrap();
        let found = bayes_balanced_error(&population, &test_rows(&population, 1000));
        assert_eq!(found, Some(0.75));
    }

    #[test]
    fn any_two_means_are_the_separation_apart() {
        let population = GaussianSimplex::new(5, Some(8), 3.0).unwrap();
        for a in 0..5 {
            for b in 0..a {
                let squares: f64 = population
                    .mean(a)
                    .zip(population.mean(b))
                    .map(|(a, b)| (a - b).powi(2))
                    .sum();
                assert!((squares.sqrt() - 3.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn two_classes_are_the_gaussian_pair_turned() {
        // Along the line of the means both populations are N(+-s/2, 1).
        let simplex = GaussianSimplex::new(2, None, 8.0_f64.sqrt()).unwrap();
        let pair = super::super::gaussian_pair::GaussianPair;
        for t in [-3.0, -0.4, 0.0, 1.7] {
            let on_simplex = [1.0 - t, 1.0 + t];
            let on_pair = [t, t];
            for class in 0..2 {
                let a = simplex.log_density(class, &on_simplex);
                let b = pair.log_density(class, &on_pair);
                assert!((a - b).abs() < 1e-12, "{t} {class}: {a} {b}");
            }
        }
    }

    #[test]
    fn parameters_that_leave_no_room_are_refused() {
        assert!(GaussianSimplex::new(3, Some(3), 2.0).is_ok());
        let error = GaussianSimplex::new(3, Some(2), 2.0).unwrap_err();
        assert_eq!(error.key, "dim");
        assert_eq!(
            error.hint.as_deref(),
            Some("raise `dim` to 3, or leave it out")
        );
        assert_eq!(
            GaussianSimplex::new(1, None, 2.0).unwrap_err().key,
            "classes"
        );
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                GaussianSimplex::new(2, None, bad).unwrap_err().key,
                "separation"
            );
        }
    }
}
