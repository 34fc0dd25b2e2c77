//! Two interleaving half circles with Gaussian noise: a curved boundary with a known floor.
//!
//! # When it helps, when it hurts
//!
//! Linear models are wrong about the boundary, trees and neighbours are not: shows whether a correction
//! still helps where the scores are biased. Two features and one scale of noise: no statement
//! about high dimensions.
//!
//! # Formula
//!
//! `x = c_y(t) + noise z` with t uniform on [0, pi], z standard normal in the plane, and the arcs
//! `c_0(t) = (cos t, sin t)`, `c_1(t) = (1 - cos t, 1/2 - sin t)`. Hence
//!
//! `p(x | y) = 1/pi int_0^pi exp(-|x - c_y(t)|^2 / (2 noise^2)) / (2 pi noise^2) dt`.
//!
//! With the polar coordinates (r, phi) of x about the arc's centre,
//! `|x - c(t)|^2 = (r - 1)^2 + 2 r (1 - cos(t - phi))`, so that only
//! `int_0^pi exp(-kappa (1 - cos(t - phi))) dt` with `kappa = r / noise^2` is left: an incomplete Bessel
//! integral, taken by Gauss-Legendre quadrature. The arc is cut where the exponent turns, each piece is
//! measured from its own largest value, so that nothing underflows however far x is, and is shortened
//! to where its integrand has fallen by a factor of e^50 to e^60. Sixteen nodes on each of four panels
//! then give the logarithm to 1e-12 of max(1, its size), tested against a quadrature a thousand times finer.
//!
//! The Bayes-optimal balanced error is `int min(p_0, p_1) / 2`: .085410 at noise .3.
//!
//! # Cost
//!
//! O(1) a row; a density takes 128 nodes of one exponential and two sines each, whatever the noise.
//!
//! # Differences
//!
//! The geometry is that of scikit-learn's `make_moons`, whose points stand at equal steps of t. Here t
//! is drawn: only then are rows independent draws of one law, with a density, and fewer rows a prefix of
//! more. scikit-learn's default is no noise, which has no density.
//!
//! # Errors
//!
//! None beyond the parameter's range.
//!
//! # Examples
//!
//! ```
//! use counterweight_data::populations::Recipe as _;
//! use counterweight_data::populations::moons::Moons;
//! let moons = Moons::default().noise(0.3).population()?;
//! let odds = |x: &[f64]| moons.log_density(1, x) - moons.log_density(0, x);
//! assert!(odds(&[0.0, 1.0]) < 0.0 && odds(&[1.0, -0.5]) > 0.0);
//! assert!(odds(&[0.5, 0.25]).abs() < 1e-12); // the centre of symmetry
//! # Ok::<(), counterweight_core::ParamError>(())
//! ```
//!
//! # References
//!
//! F. Pedregosa et al., "Scikit-learn: machine learning in Python", JMLR 12, 2011 (`make_moons`).
//! P. J. Davis and P. Rabinowitz, "Methods of Numerical Integration", 2nd ed., Academic Press 1984,
//! section 2.7 (Gauss-Legendre).

use std::f64::consts::PI;

use counterweight_core::{
    Matrix, ParamError, Population, PopulationEntry, Range, Stream, log_sum_exp, parameters,
};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::shared::{Arc, entry};
use super::{Extra, LOG_TAU, Recipe, assert_class};

parameters! {
    /// Two interleaving half circles with Gaussian noise.
    pub struct Moons {
        /// standard deviation of each coordinate; the arcs have radius 1
        noise: f64 = 0.3, in Range::new(1e-6, true, 1e6, true), probe [0.1];
        extra: ..Extra;
    }
}

impl Recipe for Moons {
    fn population(&self) -> Result<Box<dyn Population>, ParamError> {
        Ok(self.extra.around(Arcs::new(self.noise)))
    }
}

#[derive(Clone, Copy, Debug)]
struct Arcs {
    noise: f64,
    arc: Arc,
}

impl Arcs {
    fn new(noise: f64) -> Self {
        Self {
            noise,
            arc: Arc::new(),
        }
    }

    /// log of `int_0^pi exp(-kappa (1 - cos(t - phi))) dt`, phi in [-pi, pi].
    fn log_arc_integral(&self, kappa: f64, phi: f64) -> f64 {
        // Pieces by how far from phi they start and how long they are; along each the exponent falls.
        let pieces = if phi >= 0.0 {
            [(0.0, phi), (0.0, PI - phi)]
        } else {
            // The nearest points are the ends; the exponent turns opposite phi, at phi + pi.
            [(-phi, PI + phi), (PI + phi, -phi)]
        };
        log_sum_exp(&pieces.map(|(start, length)| self.arc.log_piece(kappa, start, length)))
    }
}

/// The point reflection that swaps the two arcs.
fn reflect(x: f64, y: f64) -> (f64, f64) {
    (1.0 - x, 0.5 - y)
}

impl Population for Arcs {
    fn n_classes(&self) -> usize {
        2
    }

    fn n_features(&self) -> usize {
        2
    }

    fn sample(&self, class: usize, n: usize, stream: &mut Stream) -> Matrix {
        assert_class(class, 2);
        let mut rows = Matrix::zeros(n, 2);
        for i in 0..n {
            let (sin, cos) = (PI * stream.random::<f64>()).sin_cos();
            let (x, y) = if class == 0 {
                (cos, sin)
            } else {
                reflect(cos, sin)
            };
            let noise = [StandardNormal; 2].map(|normal| stream.sample::<f64, _>(normal));
            let row = rows.row_mut(i);
            row[0] = x + self.noise * noise[0];
            row[1] = y + self.noise * noise[1];
        }
        rows
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        assert_class(class, 2);
        let (x, y) = if class == 0 {
            (x[0], x[1])
        } else {
            reflect(x[0], x[1])
        };
        let (r, phi) = (x.hypot(y), y.atan2(x));
        let across = ((r - 1.0) / self.noise).powi(2);
        if !across.is_finite() {
            // So far away that the logarithm itself is out of range; below, kappa has to be finite.
            return f64::NEG_INFINITY;
        }
        let kappa = r / (self.noise * self.noise);
        let constant = LOG_TAU + PI.ln() + 2.0 * self.noise.ln();
        self.log_arc_integral(kappa, phi) - 0.5 * across - constant
    }

    fn moments(&self, class: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let (x, y) = if class == 0 {
            (0.0, 2.0 / PI)
        } else {
            reflect(0.0, 2.0 / PI)
        };
        let variance = |own: f64| own + self.noise * self.noise;
        let (across, up) = (variance(0.5), variance(0.5 - 4.0 / (PI * PI)));
        Some((vec![x, y], vec![across, 0.0, 0.0, up]))
    }
}

pub(crate) const ENTRY: PopulationEntry = entry::<Moons>(
    "moons",
    "two interleaving half circles with Gaussian noise",
    "scikit-learn make_moons, with a random position on the arc",
    true,
);

#[cfg(test)]
mod tests {
    use super::super::contract::{class_rows, golden};
    use super::super::{bayes_balanced_error, bayes_decisions};
    use super::*;

    /// The arc as 120,000 weighted points: the three-point Gauss rule on equal panels.
    fn fine_arc(class: usize) -> Vec<(f64, f64, f64)> {
        const FINE: usize = 40_000;
        let out = 0.6_f64.sqrt();
        let rule = [(-out, 5.0 / 18.0), (0.0, 8.0 / 18.0), (out, 5.0 / 18.0)];
        (0..FINE)
            .flat_map(|panel| rule.map(|(at, weight)| (panel as f64 + 0.5 + 0.5 * at, weight)))
            .map(|(at, weight)| {
                let (sin, cos) = (PI * at / FINE as f64).sin_cos();
                let (x, y) = if class == 0 {
                    (cos, sin)
                } else {
                    (1.0 - cos, 0.5 - sin)
                };
                (x, y, weight / FINE as f64)
            })
            .collect()
    }

    /// `log p` from the squared distances to the points of [`fine_arc`].
    fn brute_force(arc: &[(f64, f64, f64)], noise: f64, x: &[f64]) -> f64 {
        let terms: Vec<f64> = arc
            .iter()
            .map(|(cx, cy, _)| -((x[0] - cx).powi(2) + (x[1] - cy).powi(2)) / (2.0 * noise * noise))
            .collect();
        let top = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean: f64 = arc
            .iter()
            .zip(&terms)
            .map(|(p, term)| p.2 * (term - top).exp())
            .sum();
        top + mean.ln() - (2.0 * PI * noise * noise).ln()
    }

    #[test]
    fn densities_agree_with_the_golden_quadrature() {
        let rows = golden("moons-density");
        assert_eq!(rows.len(), 260);
        for [class, noise, x, y, expected] in rows {
            let found = Arcs::new(noise).log_density(usize::from(class > 0.5), &[x, y]);
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(
                error < 1e-12,
                "{class} {noise} ({x}, {y}): {found} for {expected}: {error:e}"
            );
        }
    }

    #[test]
    fn densities_agree_with_brute_force_across_scales_and_directions() {
        let arcs = [0, 1].map(fine_arc);
        for noise in [0.05, 0.1, 0.3, 0.8, 3.0] {
            let moons = Arcs::new(noise);
            for r in [0.0, 1e-6, 0.3, 1.0, 1.0 + noise, 2.0, 6.0] {
                for (step, off) in [0.0, 1e-4, 0.07].into_iter().cycle().take(9).enumerate() {
                    // Directions of the ends, of the point opposite to the arc, and off them.
                    let phi = PI * (step as f64 / 4.0 + off);
                    let x = [r * phi.cos(), r * phi.sin()];
                    for (class, arc) in arcs.iter().enumerate() {
                        let expected = brute_force(arc, noise, &x);
                        let error = (moons.log_density(class, &x) - expected).abs();
                        let allowed = 1e-10 * expected.abs().max(1.0);
                        assert!(error < allowed, "{noise} {class} {x:?}: {error:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_density_integrates_to_one() {
        // The density is smooth on the scale of the noise, and the trapezoidal rule on a lattice at
        // half of it is exact to rounding.
        for noise in [0.1, 0.3, 1.0] {
            let moons = Arcs::new(noise);
            let step = noise / 2.0;
            let lattice = |low: f64, high: f64| {
                let start = low - 10.0 * noise;
                (0..)
                    .map(move |i| start + step * f64::from(i))
                    .take_while(move |at| *at < high + 10.0 * noise)
            };
            for class in 0..2 {
                let mut total = 0.0;
                for x in lattice(-1.0, 2.0) {
                    for y in lattice(-0.5, 1.0) {
                        total += moons.log_density(class, &[x, y]).exp();
                    }
                }
                total *= step * step;
                assert!((total - 1.0).abs() < 1e-12, "{noise} {class}: {total}");
            }
        }
    }

    #[test]
    fn the_arcs_are_those_of_scikit_learn() {
        // At tiny noise the density on the arc is that of a Gaussian across it times 1 / pi along it, and
        // half of that at the ends; a point off the arc by ten deviations has next to none.
        let noise = 1e-4;
        let moons = Arcs::new(noise);
        let on = -(PI.ln()) - noise.ln() - 0.5 * LOG_TAU;
        let rows = golden("moons-point");
        assert_eq!(rows.len(), 18);
        for [class, index, x, y, t] in rows {
            let class = usize::from(class > 0.5);
            let at_end = !(0.5..7.5).contains(&index);
            let expected = if at_end { on - 2.0_f64.ln() } else { on };
            let found = moons.log_density(class, &[x, y]);
            assert!(
                (found - expected).abs() < 1e-6,
                "{class} t = {t}: {found} for {expected}"
            );
            assert!(moons.log_density(1 - class, &[x, y]) < expected - 1000.0);
        }
    }

    #[test]
    fn rows_have_the_moments_of_an_arc_with_noise() {
        let noise = 0.3;
        let moons = Arcs::new(noise);
        let n = 200_000;
        for class in 0..2 {
            let x = class_rows(&moons, class, n);
            let means = if class == 0 {
                [0.0, 2.0 / PI]
            } else {
                [1.0, 0.5 - 2.0 / PI]
            };
            let variances = [0.5, 0.5 - 4.0 / (PI * PI)].map(|v| v + noise * noise);
            for j in 0..2 {
                let mean = x.column(j).iter().sum::<f64>() / n as f64;
                let variance = x
                    .column(j)
                    .iter()
                    .map(|v| (v - means[j]).powi(2))
                    .sum::<f64>()
                    / n as f64;
                let error = 5.0 * (variances[j] / n as f64).sqrt();
                assert!((mean - means[j]).abs() < error, "{class} {j}: {mean}");
                assert!(
                    (variance / variances[j] - 1.0).abs() < 0.02,
                    "{class} {j}: {variance}"
                );
            }
            // On the arc, seen from its centre, E[y] = 2 / pi and E[y^3] = 4 / (3 pi).
            let centred: Vec<f64> = x
                .column(1)
                .iter()
                .map(|y| if class == 0 { *y } else { 0.5 - y })
                .collect();
            let cube = centred.iter().map(|y| y.powi(3)).sum::<f64>() / n as f64;
            let expected = 4.0 / (3.0 * PI) + 3.0 * noise * noise * 2.0 / PI;
            assert!(
                (cube - expected).abs() < 0.02,
                "{class}: {cube} for {expected}"
            );
        }
    }

    #[test]
    fn the_bayes_error_is_that_of_the_densities() {
        for [noise, _, _, _, expected] in golden("moons-bayes") {
            let moons = Arcs::new(noise);
            let test = super::super::contract::test_rows(&moons, 100_000);
            let found = bayes_balanced_error(&moons, &test).unwrap();
            let error = 5.0 * (expected * (1.0 - expected) / 100_000.0).sqrt();
            assert!(
                (found - expected).abs() < error,
                "{noise}: {found} for {expected}"
            );
        }
    }

    #[test]
    fn nothing_breaks_far_away_or_at_extreme_noise() {
        for noise in [1e-6, 0.3, 1e6] {
            let moons = Arcs::new(noise);
            for x in [
                [0.0, 0.0],
                [0.5, 0.25],
                [1e5, -1e5],
                [-1e9, 1e-9],
                [0.0, -1.0],
            ] {
                for class in 0..2 {
                    let value = moons.log_density(class, &x);
                    assert!(value.is_finite(), "{noise} {x:?}: {value}");
                }
            }
            for x in [
                [1e200, 0.0],
                [f64::MAX, f64::MAX],
                [f64::INFINITY, 0.0],
                [f64::NAN, 0.0],
            ] {
                let value = moons.log_density(0, &x);
                assert!(value < -1e100, "{noise} {x:?}: {value}");
            }
            let far = Matrix::from_vec(1, 2, vec![1e200, 1e200]).unwrap();
            assert_eq!(bayes_decisions(&moons, &far).as_slice(), [0]);
        }
    }
}
