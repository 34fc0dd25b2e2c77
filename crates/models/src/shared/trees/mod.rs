//! Histogram trees: what boosting, single trees and forests are grown with.
//!
//! Features become at most [`bins::MOST_BINS`] ordered codes; a node is a contiguous range of row
//! numbers; a split is the best cut of a histogram of the node's rows. All sums run over rows in
//! ascending order and in one thread, so that a fit is the same to the last bit wherever it runs.

pub(crate) mod bins;
pub(crate) mod classes;
pub(crate) mod forest;
pub(crate) mod grow;
pub(crate) mod native;
pub(crate) mod newton;
mod part;
pub(crate) mod random;
pub(crate) mod search;
pub(crate) mod tree;
