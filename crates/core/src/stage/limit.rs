//! Limits of the work on a thread: the moment by which it has to be done, and the flag that ends it
//! sooner.
//!
//! A stage runs on one thread, and most of its long loops lie where no result of a stage can be given
//! back: in the rotations of an eigenvalue solver, between the rows of a loss. So the limit belongs to
//! the thread: [`within`] sets it, and [`ask`], which any loop may call, ends the stage by unwinding to
//! whoever set it. Nothing is lost on the way, since a stage owns what it writes to. Outside of [`within`]
//! there is no limit, and `ask` does nothing.

use std::cell::{Cell, OnceCell};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::error::{StageError, StageResult};

thread_local! {
    static DEADLINE: Cell<Option<Deadline>> = const { Cell::new(None) };
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
    static CANCEL: OnceCell<Cancel> = const { OnceCell::new() };
}

/// The moment by which a cell has to be done. Own learners ask between iterations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No limit.
    pub const NEVER: Self = Self(None);

    /// Done by `instant`.
    pub fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// That of the stage on this thread, for what is handed none (a model that scores, a rule that
    /// decides); [`Deadline::NEVER`] outside of a stage.
    pub fn current() -> Self {
        DEADLINE.get().unwrap_or(Self::NEVER)
    }

    /// The moment, unless there is none.
    pub fn instant(&self) -> Option<Instant> {
        self.0
    }

    /// The earlier of two.
    #[must_use]
    pub fn or_sooner(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(own), Some(other)) => Self(Some(own.min(other))),
            (own, other) => Self(own.or(other)),
        }
    }

    /// Whether the moment has passed, or the work of this thread was cancelled.
    pub fn passed(&self) -> bool {
        self.0.is_some_and(|limit| Instant::now() > limit) || cancelled()
    }

    /// Ends the stage once the moment has passed.
    ///
    /// # Errors
    /// [`StageError::Timeout`].
    pub fn check(&self) -> StageResult<()> {
        if self.passed() {
            Err(StageError::Timeout(
                "the cell ran out of its `timeout`".into(),
            ))
        } else {
            Ok(())
        }
    }
}

/// Ends the stages of every thread that obeys it, as a passed deadline does. What they leave is of no
/// use: the one who cancels must not keep it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Cancels.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was cancelled.
    pub fn cancelled(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// From now on the stages on this thread end when `cancel` says so. A thread obeys the first that it is
/// given.
pub fn obey(cancel: &Cancel) {
    CANCEL.with(|own| {
        own.get_or_init(|| cancel.clone());
    });
}

fn cancelled() -> bool {
    CANCEL.with(|own| own.get().is_some_and(Cancel::cancelled))
}

/// Runs `work` under a deadline, or that of a stage around it where that is sooner. It must catch panics itself, as [`ask`] unwinds with a [`StageError`].
pub fn within<T>(deadline: Deadline, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Deadline>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEADLINE.set(self.0);
        }
    }
    let around = DEADLINE.get();
    let _restore = Restore(around);
    DEADLINE.set(Some(deadline.or_sooner(around.unwrap_or_default())));
    work()
}

/// Runs `work` where whoever works elsewhere for this thread may take so many bytes; `None` for any number.
pub fn may_take<T>(bytes: Option<u64>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<u64>);
    impl Drop for Restore {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _restore = Restore(LEFT.replace(bytes));
    work()
}

/// Bytes that whoever works elsewhere for this thread may take; `None` for any number.
pub fn left() -> Option<u64> {
    LEFT.get()
}

/// Whether this thread is inside of [`within`], so that its panics are results.
pub fn in_stage() -> bool {
    DEADLINE.get().is_some()
}

/// Ends the stage on this thread once its deadline has passed: for loops that have no result to give
/// back. It reads a clock, which costs about as much as thirty multiplications.
pub fn ask() {
    let Some(deadline) = DEADLINE.get() else {
        return;
    };
    if let Err(error) = deadline.check() {
        resume_unwind(Box::new(error));
    }
}

/// [`ask`] at every 64th step, for loops of short steps.
pub fn ask_at(step: usize) {
    if step.is_multiple_of(64) {
        ask();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_passed_deadline_unwinds_to_the_guard_and_is_gone_behind_it() {
        ask();
        let late = Deadline::at(Instant::now());
        std::thread::sleep(std::time::Duration::from_millis(2));
        let end = within(late, || {
            assert!(in_stage());
            within(Deadline::NEVER, || assert_eq!(Deadline::current(), late));
            catch_unwind(AssertUnwindSafe(ask))
        });
        let error = end.unwrap_err().downcast::<StageError>().unwrap();
        assert!(matches!(*error, StageError::Timeout(_)));
        assert!(!in_stage());
        ask();
    }

    #[test]
    fn a_cancelled_thread_has_no_time_left() {
        let cancel = Cancel::default();
        let other = cancel;
        std::thread::spawn(move || {
            obey(&other);
            assert!(Deadline::NEVER.check().is_ok());
            other.cancel();
            assert!(Deadline::NEVER.check().is_err());
        })
        .join()
        .unwrap();
        assert!(Deadline::NEVER.check().is_ok(), "another thread");
    }
}
