//! Synthetic populations with a known class-conditional density, so that the Bayes-optimal balanced error
//! of the very test rows is known: what no correction can beat but by luck.
//!
//! Rows are drawn class by class, each class of each part from a stream of its own ([`draw`]), so
//! that a ladder of imbalance ratios is nested and shares its test rows.

pub mod gaussian_pair;
pub mod gaussian_simplex;
pub mod moons;

mod bayes;
#[cfg(test)]
mod contract;
mod draw;

use counterweight_core::PopulationEntry;

pub use bayes::{bayes_balanced_error, bayes_decisions};
pub use draw::{balanced_counts, draw};

/// Every population, sorted by id.
pub const ALL: &[PopulationEntry] = &[gaussian_pair::ENTRY, gaussian_simplex::ENTRY, moons::ENTRY];

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
