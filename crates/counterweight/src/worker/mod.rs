//! Library learners in processes of their own.
//!
//! A library cannot be told to stop, may end its process (a stack that overflows) and may never come back.
//! So its fits and scores run in a worker: this very program, started again by each thread that needs one,
//! kept alive between fits, and killed when the deadline of the cell passes. What it computes is what this
//! process would compute, to the last bit.
//!
//! Under `max_memory` a worker may take what is left of its thread's share; what it cannot have ends its process,
//! and the cell is out-of-memory.
//!
//! The program has to call [`serve_if_asked`] first of all; without that, or with
//! [`Session::in_process`](crate::Session::in_process), libraries run in the program itself. Under a `timeout`
//! or `max_memory` that the sweep gives they are not applicable there, since nothing would keep it; the hour of a
//! sweep that gives none is noticed when they come back.

mod frame;
mod process;
mod remote;
mod serve;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use counterweight_core::{
    Fitted, Learner, LearnerCaps, LossTerms, StageContext, StageError, StageResult, Train,
};
use counterweight_harness::config::Sweep;
use counterweight_harness::config::method::Built;
use counterweight_harness::config::sweep::Protocol;
use counterweight_models::{LINFA, SMARTCORE};

use remote::Remote;

pub(crate) use process::{LOOK, ended_together};
pub use serve::serve_if_asked;
pub(crate) use serve::{VARIABLE, keep_within};

/// Whether this program serves when it is asked to.
static SERVES: AtomicBool = AtomicBool::new(false);

/// Whether this program can be started again as a worker.
pub fn serves() -> bool {
    SERVES.load(Ordering::SeqCst)
}

/// Puts every library learner of a sweep into workers, or refuses it where that cannot be and the sweep
/// limits its time.
pub(crate) fn place(sweep: &mut Sweep, in_process: bool) {
    let limited =
        sweep.protocol.timeout != Protocol::TIMEOUT || sweep.protocol.max_memory.is_some();
    if in_process && !limited {
        return;
    }
    for built in sweep.learners_mut() {
        place_one(built, in_process);
    }
}

fn place_one(built: &mut Built<LearnerCaps, dyn Learner>, in_process: bool) {
    let id = built.entry.card.id;
    let mut library = LINFA.iter().chain(SMARTCORE);
    if !library.any(|entry| entry.card.id == id) {
        return;
    }
    let method: Arc<dyn Learner> = if in_process {
        Arc::new(Refused(id))
    } else {
        Arc::new(Remote {
            id,
            params: built.params.clone(),
            here: Arc::clone(&built.method),
        })
    };
    *built = built.with_method(method);
}

/// A learner that nothing could end.
#[derive(Debug)]
struct Refused(&'static str);

impl Learner for Refused {
    fn fit(
        &self,
        _train: &Train,
        _terms: &LossTerms,
        _context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        Err(StageError::NotApplicable(format!(
            "`{}` cannot be held to `timeout` or `max_memory` inside of this program, which runs no workers",
            self.0
        )))
    }
}

/// An error of the road between two processes.
fn broken(what: &dyn std::fmt::Display) -> StageError {
    StageError::Failed(format!("the worker of a library: {what}"))
}

/// Parameters by name, as they are sent.
type Given = BTreeMap<String, frame::Value>;
