//! What the cells of a thread may take of memory: their share of the sweep's `max_memory`, or without one what
//! the process may take. Own code says beforehand what it will take, and is refused where that is more.

use counterweight_core::{Matrix, Origin, Samples, StageError, StageResult};

use crate::plan::Plan;

/// Bytes that a thread may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceiling {
    bytes: Option<u64>,
    /// Whether the sweep sets it: only then does it decide outcomes.
    pub(crate) declared: bool,
}

impl Ceiling {
    /// Of each of so many threads.
    pub(crate) fn new(plan: &Plan, jobs: usize) -> Self {
        let most = plan.sweep.protocol.max_memory;
        Self {
            bytes: most.map(|all| all / jobs.max(1) as u64).or(plan.memory),
            declared: most.is_some(),
        }
    }

    /// What is left for a worker, where the sweep sets a ceiling, beside rows that are held and what `what` is
    /// estimated to take of this process.
    ///
    /// # Errors
    /// [`StageError::OutOfMemory`] where that is more than there is.
    pub(crate) fn afford(self, what: &str, takes: f64, held: f64) -> StageResult<Option<u64>> {
        let Some(bytes) = self.bytes else {
            return Ok(None);
        };
        let left = bytes as f64 - held - takes;
        if left >= 0.0 {
            return Ok(self.declared.then_some(whole(left)));
        }
        let whose = if self.declared {
            "a thread may take its share of `max_memory`,"
        } else {
            "this process may take"
        };
        Err(StageError::OutOfMemory(format!(
            "{what} would take about {} beside {} of rows, and {whose} {}",
            megabytes(takes),
            megabytes(held),
            megabytes(bytes as f64)
        )))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and of a number of bytes"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", bytes / 1e6)
}

/// Bytes of a matrix.
pub(crate) fn of_matrix(x: &Matrix) -> f64 {
    size_of_val(x.as_slice()) as f64
}

/// Bytes of rows with their labels and origins.
pub(crate) fn of_samples(samples: &Samples) -> f64 {
    let beside = size_of::<u32>() + size_of::<Origin>();
    of_matrix(samples.x()) + (samples.n_rows() * beside) as f64
}
