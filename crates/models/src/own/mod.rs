//! Our own learners: they honour class weights, and margins where they minimise a loss.

use counterweight_core::LearnerEntry;

pub mod adaboost;
pub mod decision_tree;
pub mod dummy;
pub mod exponential_tilt;
pub mod extra_trees;
pub mod gaussian_naive_bayes;
pub mod gradient_boosting;
pub mod k_nearest_neighbours;
pub mod lda;
pub mod mlp;
pub mod nearest_centroid;
pub mod qda;
pub mod random_forest;
pub mod softmax_regression;
pub mod softmax_sgd;
pub mod svm;

/// The learners of this folder, sorted by id.
pub const ALL: &[LearnerEntry] = &[
    adaboost::ENTRY,
    decision_tree::ENTRY,
    dummy::ENTRY,
    exponential_tilt::ENTRY,
    extra_trees::ENTRY,
    gaussian_naive_bayes::ENTRY,
    gradient_boosting::ENTRY,
    k_nearest_neighbours::ENTRY,
    lda::ENTRY,
    mlp::ENTRY,
    nearest_centroid::ENTRY,
    qda::ENTRY,
    random_forest::ENTRY,
    softmax_regression::ENTRY,
    softmax_sgd::ENTRY,
    svm::ENTRY,
];
