//! From a sweep file to a checked [`Sweep`]: every error at once, each with file, line and key.

pub mod limits;
pub mod method;
mod one_or_many;
mod parse;
pub mod presets;
pub mod sweep;
pub mod tasks;

pub use one_or_many::{decision, resampler};
pub use parse::{Rejected, parse, question_of, sweep_schema};
pub use sweep::Sweep;
