//! One numerical engine of each kind, which learners, resamplers and metrics share.
//!
//! | module | engine |
//! |---|---|
//! | [`neighbours`] | exact nearest neighbours |
//! | [`smo`], [`kernel_rows`] | the dual of a support vector machine |
//! | [`optimise`], [`curvature`] | minimisers of smooth functions |
//! | [`linalg`], [`eigen`] | factors and eigenvalues of small matrices |
//! | [`newton`] | convex losses of a few variables, the logistic one among them |
//! | [`elementary`] | exponentials and logarithms, of slices too |
//! | [`order`] | medians and quantiles |
//! | [`prefix`] | sums from the left of several lists, and where a Newton step gains |
//! | [`cut_search`], [`offsets`] | the best offset of one class; many offset rules on the same rows |
//! | [`quadrature`] | integrals over an interval, zeros |
//! | [`screen`] | the pairs of rows whose scalar product reaches a limit |
//!
//! Results do not depend on the processor, with one exception: what [`screen`] computes may differ in
//! its last bits (a fused multiplication and addition rounds once, the two operations twice). So
//! nothing there becomes a result: callers use it to rule things out, with a bound on all rounding,
//! and compute what is left in one fixed order of their own.

pub mod curvature;
pub mod cut_search;
pub mod eigen;
pub mod elementary;
pub mod kernel_rows;
mod lanes;
mod leaders;
pub mod linalg;
pub mod neighbours;
pub mod newton;
pub mod offsets;
pub mod optimise;
pub mod order;
pub mod prefix;
pub mod quadrature;
pub mod screen;
pub mod smo;

#[cfg(test)]
mod testing;

pub use lanes::Float;
