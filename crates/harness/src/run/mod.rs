//! Runs the cells of a plan that are still to do: rayon over the work graph, one resampled set for
//! all its fits, one fit for all its decisions, records out as soon as they are known.

mod beside;
mod exact;
mod fit;
pub mod foreign;
mod guard;
mod judge;
pub mod leak;
mod memory;
mod prepare;
mod unit;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use counterweight_core::limit::{self, Cancel};
use counterweight_core::side_table::Side;
use counterweight_core::{Outcome, Record, Sink, Timing};
use rayon::ThreadPool;
use rayon::prelude::*;
use thiserror::Error;

use crate::plan::{Plan, Unit};
pub use judge::blank;
use memory::Ceiling;

/// What happens during a run; progress bars and logs listen.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The work is known.
    PlanReady {
        /// Cells to do.
        cells: usize,
        /// Cells done before.
        done: usize,
        /// Estimated seconds of one core.
        seconds: f64,
    },
    /// A cell has its record.
    CellFinished {
        /// The record.
        record: &'a Record,
    },
    /// A cell could not get memory, where the sweep sets no ceiling: it stays to be done.
    CellLeft {
        /// What its record would be.
        record: &'a Record,
    },
    /// Work whose cost was estimated at this many seconds of one core is done.
    WorkDone {
        /// Estimated seconds.
        seconds: f64,
    },
    /// The run is over.
    RunFinished {
        /// Whether it was told to stop before the end.
        interrupted: bool,
    },
}

/// Hears of events, from several threads.
pub trait Listener: Sync {
    /// Takes note.
    fn on(&self, event: &Event<'_>);
}

/// Asks a run to stop; shared with a signal handler.
#[derive(Debug, Default)]
pub struct Control {
    begun: AtomicBool,
    stop: AtomicBool,
    cancel: Cancel,
}

impl Control {
    /// Asks for an end after the cells in hand.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Asks for an end at once: the cells in hand are given up and count as not done.
    pub fn cancel(&self) {
        self.stop();
        self.cancel.cancel();
    }

    /// Whether there has been work that an end at once would lose: false until cells run.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }
}

/// Why a run broke off.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// A record could not be kept.
    #[error("cannot keep a record")]
    Sink(#[source] io::Error),
    /// The threads could not be started.
    #[error("cannot start {jobs} threads")]
    Threads {
        /// How many were asked for.
        jobs: usize,
        /// Why.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// Records kept.
    pub finished: usize,
    /// Failures among them (timeouts and lack of memory included).
    pub failures: usize,
    /// Whether it was told to stop before the end.
    pub interrupted: bool,
    /// Cells that could not get memory where the sweep sets no ceiling: they stay to be done.
    pub left: usize,
}

/// Where a run puts things.
#[derive(Clone, Copy)]
pub struct Outlets<'a> {
    /// Keeps records.
    pub sink: &'a dyn Sink,
    /// Hears of events.
    pub listener: &'a dyn Listener,
    /// Says when to stop.
    pub control: &'a Control,
}

impl std::fmt::Debug for Outlets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlets").finish_non_exhaustive()
    }
}

/// Stack of a thread: recursive library learners (deep trees) outgrow the usual 2 MiB.
pub const STACK: usize = 64 << 20;

/// Threads that do the work of cells.
fn pool(jobs: usize, control: &Control) -> Result<ThreadPool, RunError> {
    control.begun.store(true, Ordering::SeqCst);
    let cancel = control.cancel.clone();
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .stack_size(STACK)
        .start_handler(move |_| limit::obey(&cancel))
        .build()
        .map_err(|source| RunError::Threads { jobs, source })
}

/// Runs every cell for which `todo` is true, on `jobs` threads.
///
/// Records do not depend on `jobs`, on the order of work, or on which cells are to do.
///
/// # Errors
/// [`RunError`] when threads cannot be started or a record cannot be kept.
pub fn run(
    plan: &Plan,
    todo: &[bool],
    jobs: usize,
    outlets: Outlets<'_>,
) -> Result<Summary, RunError> {
    let pool = pool(jobs, outlets.control)?;
    let mut units: Vec<(&Unit, f64)> = plan
        .units
        .iter()
        .map(|unit| (unit, unit::seconds_to_do(plan, unit, todo)))
        .filter(|(_, seconds)| *seconds > 0.0)
        .collect();
    // The costliest first, so that the last thread is not left alone with a large one.
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    let wanted = todo.iter().filter(|wanted| **wanted).count();
    outlets.listener.on(&Event::PlanReady {
        cells: wanted,
        done: todo.len() - wanted,
        seconds: units.iter().map(|(_, seconds)| seconds).sum(),
    });
    let tally = Tally::new(outlets, Ceiling::new(plan, jobs));
    for (at, cell) in plan.cells.iter().enumerate() {
        if todo[at]
            && let Some((outcome, reason)) = &cell.settled
        {
            tally.keep(
                &judge::settled(plan, at, *outcome, reason),
                &unit::no_timing(&cell.id),
            );
        }
    }
    pool.install(|| {
        units.par_iter().with_max_len(1).for_each(|(unit, _)| {
            if !tally.stopped() {
                unit::run(plan, unit, todo, &tally);
            }
        });
    });
    let summary = tally.finish(wanted)?;
    outlets.listener.on(&Event::RunFinished {
        interrupted: summary.interrupted,
    });
    Ok(summary)
}

/// Counts what was kept and remembers the first thing that went wrong.
pub(crate) struct Tally<'a> {
    outlets: Outlets<'a>,
    pub(crate) ceiling: Ceiling,
    state: Mutex<(Summary, Option<io::Error>)>,
}

impl<'a> Tally<'a> {
    fn new(outlets: Outlets<'a>, ceiling: Ceiling) -> Self {
        Self {
            outlets,
            ceiling,
            state: Mutex::new((Summary::default(), None)),
        }
    }

    /// Whether work should end.
    pub(crate) fn stopped(&self) -> bool {
        self.outlets.control.stopped()
    }

    /// Keeps one record, unless work was cancelled: what came of it then is no result.
    pub(crate) fn keep(&self, record: &Record, timing: &Timing) {
        if self.outlets.control.cancel.cancelled() {
            return;
        }
        if self.leaves(record.outcome) {
            self.outlets.listener.on(&Event::CellLeft { record });
            return;
        }
        let kept = self.outlets.sink.keep(record, timing);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match kept {
            Ok(()) => {
                state.0.finished += 1;
                state.0.failures += usize::from(record.outcome.is_failure());
                drop(state);
                self.outlets.listener.on(&Event::CellFinished { record });
            }
            Err(error) => {
                state.1.get_or_insert(error);
                self.outlets.control.stop();
            }
        }
    }

    /// Whether that is no outcome, since the sweep sets no ceiling of memory; then it is counted.
    fn leaves(&self, outcome: Outcome) -> bool {
        let leaves = outcome == Outcome::OutOfMemory && !self.ceiling.declared;
        if leaves {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.0.left += 1;
        }
        leaves
    }

    /// Keeps what stands beside a record; gives whether that could be done, without which the record
    /// must not be kept.
    pub(crate) fn keep_beside(&self, side: &Side) -> bool {
        if self.outlets.control.cancel.cancelled() {
            return false;
        }
        if let Side::Leak(claim) = side
            && self.leaves(claim.outcome)
        {
            return false;
        }
        let kept = self.outlets.sink.keep_beside(side);
        let fine = kept.is_ok();
        if let Err(error) = kept {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.1.get_or_insert(error);
            self.outlets.control.stop();
        }
        fine
    }

    /// Work of this estimated cost is done.
    pub(crate) fn work_done(&self, seconds: f64) {
        self.outlets.listener.on(&Event::WorkDone { seconds });
    }

    fn finish(self, wanted: usize) -> Result<Summary, RunError> {
        let (mut summary, error) = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error {
            return Err(RunError::Sink(error));
        }
        summary.interrupted = summary.finished + summary.left < wanted;
        Ok(summary)
    }
}

/// The outcome of a stage error, with the stage's name before its reason.
pub(crate) fn failure(stage: &str, error: &counterweight_core::StageError) -> (Outcome, String) {
    (Outcome::from(error), format!("{stage}: {error}"))
}
