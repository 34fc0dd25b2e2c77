//! A stage under guard: a panic of a learner is a result like any other, and a result that is late
//! is a timeout.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use counterweight_core::{Deadline, StageError, StageResult, limit};

/// The time that a chain of stages has left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget(Duration);

impl Budget {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self(timeout)
    }

    /// What is left after `spent` seconds.
    pub(crate) fn after(self, spent: f64) -> Self {
        Self(
            self.0
                .saturating_sub(Duration::from_secs_f64(spent.max(0.0))),
        )
    }

    /// A deadline that far from now.
    pub(crate) fn deadline(self) -> Deadline {
        Instant::now()
            .checked_add(self.0)
            .map_or(Deadline::NEVER, Deadline::at)
    }
}

/// Runs a stage; gives its result and its seconds. Unwind safety: a stage owns its context, and what
/// it shares is only read, or replaced whole.
pub(crate) fn guarded<T>(
    deadline: Deadline,
    stage: impl FnOnce() -> StageResult<T>,
) -> (StageResult<T>, f64) {
    let start = Instant::now();
    let result = match catch_unwind(AssertUnwindSafe(|| limit::within(deadline, stage))) {
        // A library learner cannot be told to stop: what comes back late is a timeout all the same.
        Ok(Ok(value)) => deadline.check().map(|()| value),
        Ok(Err(error)) => Err(error),
        // A loop that asked for its deadline unwinds with an error of its own.
        Err(payload) => Err(match payload.downcast::<StageError>() {
            Ok(error) => *error,
            Err(payload) => StageError::Failed(format!("panicked: {}", words(&*payload))),
        }),
    };
    (result, start.elapsed().as_secs_f64())
}

fn words(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_and_lateness_are_results() {
        let (result, _) = guarded::<()>(Deadline::NEVER, || panic!("index {} of {}", 3, 2));
        assert_eq!(
            result,
            Err(StageError::Failed("panicked: index 3 of 2".into()))
        );
        let late = Budget::new(Duration::ZERO).deadline();
        let (result, _) = guarded(late, || {
            std::thread::sleep(Duration::from_millis(5));
            Ok(1)
        });
        assert!(matches!(result, Err(StageError::Timeout(_))));
        let (result, _) = guarded::<()>(late, || {
            loop {
                limit::ask();
            }
        });
        assert!(matches!(result, Err(StageError::Timeout(_))));
        assert_eq!(Budget::new(Duration::MAX).deadline(), Deadline::NEVER);
        assert_eq!(
            Budget::new(Duration::from_secs(1)).after(5.0).0,
            Duration::ZERO
        );
    }
}
