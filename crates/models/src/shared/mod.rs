//! What the learners share.

pub(crate) mod boosting;
pub(crate) mod centred;
pub(crate) mod constant;
pub(crate) mod footprint;
pub(crate) mod kernel;
pub(crate) mod lasso;
#[cfg(any(feature = "linfa", feature = "smartcore"))]
pub(crate) mod library_logistic;
pub(crate) mod linear;
pub(crate) mod linear_head;
pub(crate) mod network;
pub(crate) mod priors;
pub(crate) mod settable;
pub(crate) mod softmax;
pub(crate) mod svm;
pub(crate) mod task;
pub(crate) mod thin;
pub(crate) mod trees;
pub(crate) mod views;
