//! Synthetic populations with a known class-conditional density, so that the Bayes-optimal balanced error
//! of the very test rows is known: what no correction can beat but by luck.
//!
//! Rows are drawn class by class, each class of each part from a stream of its own ([`draw`]), so
//! that a ladder of imbalance ratios is nested and shares its test rows.

pub mod checkerboard;
pub mod clusters;
pub mod discrete;
pub mod gaussian_circle;
pub mod gaussian_line;
pub mod gaussian_pair;
pub mod gaussian_simplex;
pub mod heteroscedastic;
pub mod label_noise;
pub mod moons;
pub mod rings;
pub mod student_pair;

mod bayes;
#[cfg(test)]
mod contract;
mod draw;
mod linear;
mod plane;
mod shared;

use counterweight_core::PopulationEntry;

pub use bayes::{bayes_balanced_error, bayes_decisions};
pub use draw::{balanced_counts, draw};
pub use linear::{Lines, linear_recalls};
pub use plane::{Plane, picture};
pub use shared::{Extra, Recipe};

/// Every population, sorted by id.
pub const ALL: &[PopulationEntry] = &[
    checkerboard::ENTRY,
    clusters::ENTRY,
    discrete::ENTRY,
    gaussian_circle::ENTRY,
    gaussian_line::ENTRY,
    gaussian_pair::ENTRY,
    gaussian_simplex::ENTRY,
    heteroscedastic::ENTRY,
    label_noise::ENTRY,
    moons::ENTRY,
    rings::ENTRY,
    student_pair::ENTRY,
];

/// log of 2 pi.
pub(crate) const LOG_TAU: f64 = 1.837_877_066_409_345_3;

/// log density of a Gaussian with the mean `mean` and the identity as covariance.
pub(crate) fn unit_gaussian_log_density(x: &[f64], mean: impl IntoIterator<Item = f64>) -> f64 {
    let squares: f64 = x.iter().zip(mean).map(|(x, mean)| (x - mean).powi(2)).sum();
    -0.5 * (x.len() as f64 * LOG_TAU + squares)
}

/// A class that a population does not have is a slip of the caller, never a matter of data.
pub(crate) fn assert_class(class: usize, n_classes: usize) {
    assert!(
        class < n_classes,
        "class {class} of a population of {n_classes}"
    );
}
