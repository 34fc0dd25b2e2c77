//! Our own learners: they honour class weights, and margins where they minimise a loss.

use counterweight_core::LearnerEntry;

pub mod dummy;
pub mod gaussian_naive_bayes;
pub mod gradient_boosting;
pub mod k_nearest_neighbours;
pub mod lda;
pub mod nearest_centroid;
pub mod qda;
pub mod softmax_regression;

/// The learners of this folder, sorted by id.
pub const ALL: &[LearnerEntry] = &[
    dummy::ENTRY,
    gaussian_naive_bayes::ENTRY,
    gradient_boosting::ENTRY,
    k_nearest_neighbours::ENTRY,
    lda::ENTRY,
    nearest_centroid::ENTRY,
    qda::ENTRY,
    softmax_regression::ENTRY,
];
