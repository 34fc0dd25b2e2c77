//! Inner loops that are worth writing for the vectors of the processor at hand.
//!
//! What a loop computes here may differ in its last bits between processors (a fused multiplication
//! and addition rounds once, the two operations twice). So nothing here becomes a result: callers
//! use it to rule things out, with a bound on all rounding, and compute what is left in one fixed
//! order of their own.
//!
//! [`screen`] finds the pairs of rows whose scalar product reaches a limit.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined into the dispatched function loses its vector instructions"
)]

mod lanes;
pub mod screen;

pub use lanes::Float;
