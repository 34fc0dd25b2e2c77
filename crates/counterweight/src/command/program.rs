//! A program of a sweep, and the processes that the threads of a run have of it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use counterweight_core::limit::{self, Deadline};
use counterweight_core::{StageError, StageResult};

use super::process::{Process, Trouble};

/// Starts in a row that may fail before a program is given up for the rest of a run.
const STARTS: usize = 3;

/// What the sweep file says of a program, as far as it has to keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) command: Vec<String>,
    pub(super) version: String,
    pub(super) weights: bool,
    pub(super) votes: bool,
}

/// The places of all programs of a run.
pub(super) type Programs = Mutex<Vec<(ThreadId, Arc<Slot>)>>;

/// A thread's place for a process of a program.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Process>>);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the process of this number, which is at work no longer when that breaks it.
    ///
    /// # Errors
    /// Whatever `question` gives, and when the process is gone.
    pub(super) fn ask<T>(
        &self,
        number: u64,
        question: impl FnOnce(&mut Process) -> Result<T, Trouble>,
    ) -> StageResult<T> {
        let mut slot = self.lock();
        let process = slot.as_mut().filter(|process| process.number == number);
        let gone =
            || StageError::Failed("the program ended after the fit, and the model with it".into());
        let answered = question(process.ok_or_else(gone)?);
        settled(&mut slot, answered)
    }

    /// Tells the process of this number something, if it is there.
    pub(super) fn tell(&self, number: u64, tell: impl FnOnce(&mut Process)) {
        let mut slot = self.lock();
        slot.as_mut().filter(|p| p.number == number).map(tell);
    }
}

fn settled<T>(slot: &mut Option<Process>, answered: Result<T, Trouble>) -> StageResult<T> {
    answered.map_err(|trouble| match trouble {
        Trouble::Answered(error) => error,
        Trouble::Broken(error) => {
            *slot = None;
            error
        }
    })
}

/// A program.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) promise: Promise,
    folder: PathBuf,
    /// How long a start may take.
    timeout: Duration,
    own: Mutex<Vec<(ThreadId, Arc<Slot>)>>,
    all: Arc<Programs>,
    /// Starts in a row that failed, and how the last one did.
    failed: Mutex<(usize, Option<StageError>)>,
}

impl Program {
    pub(super) fn new(
        promise: Promise,
        folder: &Path,
        timeout: Duration,
        all: &Arc<Programs>,
    ) -> Arc<Self> {
        Arc::new(Self {
            promise,
            folder: folder.to_path_buf(),
            timeout,
            own: Mutex::default(),
            all: Arc::clone(all),
            failed: Mutex::default(),
        })
    }

    /// The place of this thread.
    pub(super) fn slot(&self) -> Arc<Slot> {
        let thread = std::thread::current().id();
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = own.iter().find(|(of, _)| *of == thread) {
            return Arc::clone(slot);
        }
        let slot = Arc::<Slot>::default();
        own.push((thread, Arc::clone(&slot)));
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((thread, Arc::clone(&slot)));
        slot
    }

    /// Asks the process of this thread, started where there is none; gives its number too.
    ///
    /// # Errors
    /// When it cannot be started, and whatever `question` gives.
    pub(super) fn ask<T>(
        &self,
        slot: &Slot,
        question: impl FnOnce(&mut Process) -> Result<T, Trouble>,
    ) -> StageResult<(T, u64)> {
        let mut slot = slot.lock();
        if slot.as_mut().is_some_and(Process::gone) {
            *slot = None;
        }
        let process = match &mut *slot {
            Some(process) => process,
            empty => empty.insert(self.start()?),
        };
        let number = process.number;
        let answered = question(process);
        Ok((settled(&mut slot, answered)?, number))
    }

    fn start(&self) -> StageResult<Process> {
        let failed = || self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let (STARTS.., Some(error)) = &*failed() {
            return Err(error.clone());
        }
        if limit::left().is_some() {
            self.make_room();
        }
        let until = Instant::now().checked_add(self.timeout);
        let deadline = until.map_or(Deadline::NEVER, Deadline::at);
        let deadline = deadline.or_sooner(Deadline::current());
        let started = Process::start(&self.promise, &self.folder, deadline);
        let before = failed().0;
        *failed() = match &started {
            Ok(_) => (0, None),
            Err(error) => (before + 1, Some(error.clone())),
        };
        started
    }

    /// Ends the other processes of this thread that hold no model: where memory has a ceiling, a thread has one
    /// program at a time.
    fn make_room(&self) {
        let thread = std::thread::current().id();
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, slot) in all.iter().filter(|(of, _)| *of == thread) {
            let mut slot = match slot.0.try_lock() {
                Ok(slot) => slot,
                Err(TryLockError::Poisoned(slot)) => slot.into_inner(),
                // The one that is to be started.
                Err(TryLockError::WouldBlock) => continue,
            };
            if slot.as_ref().is_some_and(|process| process.models == 0) {
                *slot = None;
            }
        }
    }
}
