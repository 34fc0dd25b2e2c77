//! Our own learners: they honour class weights, and margins where they minimise a loss.

use counterweight_core::LearnerEntry;

pub mod gaussian_naive_bayes;
pub mod k_nearest_neighbours;
pub mod softmax_regression;

/// The learners of this folder, sorted by id.
pub const ALL: &[LearnerEntry] = &[
    gaussian_naive_bayes::ENTRY,
    k_nearest_neighbours::ENTRY,
    softmax_regression::ENTRY,
];
