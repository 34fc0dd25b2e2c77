//! Synthetic populations with exact densities, imbalance profiles, splits and preprocessing.
//!
//! Where rows come from and how many of each class there are:
//!
//! - [`populations`]: synthetic rows with a known density, so that the Bayes-optimal balanced error of
//!   the very test rows is known.
//! - [`profile`]: class counts at an imbalance ratio, drawn or thinned, as nested ladders.
//! - [`split`]: which rows train and which test.
//! - [`preprocess`]: imputing, scaling and encoding, fitted on training rows only.
//!
//! Every random choice draws from a stream that the caller keys; nothing here reads a clock, a file
//! or the order of a hash map.

pub mod populations;
pub mod preprocess;
pub mod profile;
pub mod split;
