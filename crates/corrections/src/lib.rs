//! Resamplers, losses and decisions for imbalanced classification.
//!
//! A correction is a triple (resample, loss, decide), each with an identity default. Every method
//! is one file that ends in its registry entry; each folder's `ALL` is the sorted list that
//! planning, documentation and the contract suites read:
//!
//! * [`resample::ALL`] changes the training rows,
//! * [`loss::ALL`] builds the terms of the one loss kernel,
//! * [`decide::ALL`] turns scores into classes, after one of [`calibrate::ALL`] where that is asked for.
//!
//! Shared by several methods: the resampling targets of [`resample::strategy`], the exact
//! [neighbours](counterweight_numeric::neighbours), the [`prior`] that losses and decisions start from, and the metrics that
//! decisions tune for.

pub mod calibrate;
pub mod decide;
pub mod ensemble;
pub mod loss;
pub mod prior;
pub mod resample;

#[cfg(test)]
mod row_weights;
#[cfg(test)]
mod testing;
