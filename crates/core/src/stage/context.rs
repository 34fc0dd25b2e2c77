//! What every stage is handed: its randomness, its limits, and where it says what it did.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{StageError, StageResult};
use crate::outcome::Note;
use crate::seed::Stream;
use crate::stage::limit::Deadline;

/// Numbers that do not fit a record's columns (a chosen threshold, the number of iterations), by
/// name; they go to details.parquet.
pub type Details = BTreeMap<String, f64>;

/// What to do with a class that is too small for a stage: the sweep's `small_class`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SmallClass {
    /// Reduce the parameter (k of SMOTE, the folds of a class) and say so: outcome `clamped`.
    #[default]
    Clamp,
    /// Refuse: outcome `failed`.
    Error,
    /// Leave the cell out: outcome `skipped`.
    Skip,
}

impl SmallClass {
    /// The policy's answer to `what` (a full sentence part such as "k = 5 reduced to 2 for class x
    /// with 3 rows"): a note to keep going with, or the end of the stage.
    ///
    /// # Errors
    /// [`StageError::Failed`] under `error`, [`StageError::Skipped`] under `skip`.
    pub fn settle(self, what: impl Into<String>) -> StageResult<Note> {
        match self {
            Self::Clamp => Ok(Note::Clamped(what.into())),
            Self::Error => Err(StageError::Failed(what.into())),
            Self::Skip => Err(StageError::Skipped(what.into())),
        }
    }
}

/// Values computed once for a training set and shared by every stage that asks (a neighbour graph),
/// by name. A value must depend on the training set and its name alone.
#[derive(Debug, Default)]
pub struct Shared(Mutex<BTreeMap<String, Arc<dyn Any + Send + Sync>>>);

impl Shared {
    /// The value called `name`, computed by the first that asks. Others that ask meanwhile wait, so
    /// `compute` must neither ask for shared values nor start parallel work.
    ///
    /// # Errors
    /// Whatever `compute` gives (nothing is kept then); [`StageError::Failed`] when the name holds a
    /// value of another type.
    pub fn get_or_compute<T: Any + Send + Sync>(
        &self,
        name: &str,
        compute: impl FnOnce() -> StageResult<T>,
    ) -> StageResult<Arc<T>> {
        // A panic inside `compute` leaves the map as it was, so a poisoned lock is still sound.
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = values.get(name) {
            return Arc::clone(value).downcast().map_err(|_other| {
                StageError::Failed(format!("shared value `{name}` has another type"))
            });
        }
        let value = Arc::new(compute()?);
        let kept: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(&value);
        values.insert(name.to_owned(), kept);
        Ok(value)
    }
}

/// What a random or resource-bound stage is handed beside its data.
#[derive(Debug)]
pub struct StageContext<'a> {
    /// The stage's own random stream.
    pub stream: Stream,
    /// The declared policy for classes that are too small.
    pub small_class: SmallClass,
    /// When to give up.
    pub deadline: Deadline,
    /// Values shared by all stages that see the same training set.
    pub shared: &'a Shared,
    /// What a reader of the result has to know; the stage adds to it.
    pub notes: Vec<Note>,
    /// Numbers for details.parquet; the stage adds to them.
    pub details: Details,
}

impl<'a> StageContext<'a> {
    /// A context with nothing noted yet.
    pub fn new(
        stream: Stream,
        small_class: SmallClass,
        deadline: Deadline,
        shared: &'a Shared,
    ) -> Self {
        Self {
            stream,
            small_class,
            deadline,
            shared,
            notes: Vec::new(),
            details: Details::new(),
        }
    }

    /// Runs `stage` with other shared values; what it notes is noted here.
    pub(crate) fn beside<T>(
        &mut self,
        shared: &Shared,
        stage: impl FnOnce(&mut StageContext<'_>) -> T,
    ) -> T {
        let mut inner =
            StageContext::new(self.stream.clone(), self.small_class, self.deadline, shared);
        let done = stage(&mut inner);
        self.stream = inner.stream;
        inner.notes.into_iter().for_each(|note| self.note(note));
        self.details.extend(inner.details);
        done
    }

    /// Puts a number among the details.
    pub fn detail(&mut self, name: &str, value: f64) {
        self.details.insert(name.to_owned(), value);
    }

    /// Notes something.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Applies the small-class policy: notes the clamp, or ends the stage.
    ///
    /// # Errors
    /// As [`SmallClass::settle`].
    pub fn clamp(&mut self, what: impl Into<String>) -> StageResult<()> {
        let note = self.small_class.settle(what)?;
        self.note(note);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_values_are_computed_once() {
        let shared = Shared::default();
        let a = shared.get_or_compute("x", || Ok(1_u8)).unwrap();
        let b = shared
            .get_or_compute::<u8>("x", || panic!("computed twice"))
            .unwrap();
        assert!(Arc::ptr_eq(&a, &b));
        assert!(shared.get_or_compute("x", || Ok(1_u16)).is_err());
    }

    #[test]
    fn the_small_class_policy_decides() {
        let shared = Shared::default();
        let stream = crate::seed::Seed(0).stage("t").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        context.clamp("k = 5 reduced to 2").unwrap();
        context.clamp("k = 5 reduced to 2").unwrap();
        assert_eq!(context.notes.len(), 1);
        context.small_class = SmallClass::Skip;
        assert!(matches!(context.clamp("x"), Err(StageError::Skipped(_))));
    }
}
