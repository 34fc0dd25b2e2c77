//! The contract of the command line, checked by running the binary.
//!
//! One test binary instead of one a theme: linking is the dearest part of these tests, and the
//! themes then share the machine's cores instead of waiting for each other.

#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "helpers of tests fail as tests do, and plain text is built plainly"
)]

mod advise;
mod bad_input;

mod calibration;
mod cases;
mod chaos;
mod common;
mod contract;
mod costs;
mod decide;
mod determinism;
mod endings;
mod exactness;
mod folders;
mod formats;
mod groups;
mod hints;
mod hostile;
mod ladders;
mod leak_premium;
mod leakage;
mod minibatches;
mod odd_data;
mod own_data;
mod populations;
mod programs;
mod questions;
mod rank;
mod reading;
mod resample;
mod shards;
mod shift;
mod side_tables;
mod starting;
mod tasks;
mod weights;
