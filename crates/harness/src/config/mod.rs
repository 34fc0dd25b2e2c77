//! From a sweep file to a checked [`Sweep`]: every error at once, each with file, line and key.

pub mod diagnostic;
pub mod method;
mod one;
mod parse;
pub mod presets;
mod section;
pub mod sweep;
mod tree;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use one::resampler;
pub use parse::{Rejected, parse};
pub use sweep::Sweep;
