//! What every function here is given beside its own arguments.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use counterweight_core::Catalogue;
use counterweight_harness::run::{Control, Event, Listener};

/// The methods that sweeps may name, the threads, and who hears of what happens.
pub struct Session<'a> {
    /// Every method that a sweep may name.
    pub catalogue: Catalogue,
    /// Threads of a run; default the machine's cores.
    pub jobs: usize,
    /// Most bytes of a run, in place of the sweep's `max_memory`.
    pub max_memory: Option<u64>,
    /// Whether lines about progress are left out of [`say`](Self::say).
    pub quiet: bool,
    /// Hears lines for people: notes and progress.
    pub say: &'a dyn Fn(&str),
    /// Hears what happens in a run.
    pub listener: &'a dyn Listener,
    /// Stops a run.
    pub control: Arc<Control>,
    /// Whether library learners run in this process, where nothing ends one that does not come back, instead
    /// of in workers; default where the program is no worker ([`worker::serve_if_asked`](crate::worker)).
    pub in_process: bool,
}

/// Hears and says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _: &Event<'_>) {}
}

impl Session<'static> {
    /// A session that says nothing.
    pub fn new(catalogue: Catalogue) -> Self {
        Self {
            catalogue,
            jobs: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            max_memory: None,
            quiet: true,
            say: &|_| {},
            listener: &Silent,
            control: Arc::new(Control::default()),
            in_process: !crate::worker::serves(),
        }
    }
}

impl Session<'_> {
    /// Says something about progress, unless it is to be quiet.
    pub(crate) fn progress(&self, words: &str) {
        if !self.quiet {
            (self.say)(words);
        }
    }
}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("jobs", &self.jobs)
            .field("quiet", &self.quiet)
            .finish_non_exhaustive()
    }
}
