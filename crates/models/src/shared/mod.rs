//! What the learners share.

pub(crate) mod boosting;
pub(crate) mod centred;
pub(crate) mod constant;
pub(crate) mod eigen;
pub(crate) mod elementary;
pub(crate) mod kernel;
pub(crate) mod lasso;
pub(crate) mod library_logistic;
pub(crate) mod linalg;
pub(crate) mod linear;
pub(crate) mod linear_head;
pub(crate) mod metric;
pub(crate) mod neighbours;
pub(crate) mod network;
pub(crate) mod optimise;
pub(crate) mod priors;
pub(crate) mod softmax;
pub(crate) mod svm;
pub(crate) mod task;
pub(crate) mod trees;
