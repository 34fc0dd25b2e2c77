//! Where results go: the run hands them over, whoever started it keeps them.

use std::io;

use crate::record::{Record, Timing};
use crate::side_table::Side;

/// Keeps records; each call is one record and must not lose it once it returns.
pub trait Sink: Sync {
    /// Keeps one.
    ///
    /// # Errors
    /// When it cannot be kept: the run then stops.
    fn keep(&self, record: &Record, timing: &Timing) -> io::Result<()>;

    /// Keeps what stands beside a record that is to follow: scores or a curve.
    ///
    /// # Errors
    /// When it cannot be kept: the run then stops.
    fn keep_beside(&self, side: &Side) -> io::Result<()> {
        let _ = side;
        Ok(())
    }
}
