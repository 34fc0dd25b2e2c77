//! SIGINT and SIGTERM: a run ends within two seconds, whatever it is at.
//!
//! Before cells run there is nothing to lose, and it ends at once. Later the cells in hand may finish for a
//! while, are then given up by their deadlines and count as not done; a library that looks at no deadline
//! is left behind when the process ends. A second signal does not wait. What was finished lies in segments,
//! one whole write a record, so nothing is lost whenever that is.

#![expect(
    clippy::exit,
    reason = "the end of the process, from the thread that hears signals"
)]

use std::io::Write as _;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use counterweight::Exit;
use counterweight_harness::run::Control;

/// How long cells in hand may go on.
const FINISH: Duration = Duration::from_millis(1300);
/// How long what was given up, and the rest of the command, may take to come to an end.
const LEAVE: Duration = Duration::from_millis(600);

/// Stops a run by `control` from now on. Without a handler the program still works; a signal then ends it
/// as it ends any other.
pub(crate) fn obey(control: &Arc<Control>) {
    let control = Arc::clone(control);
    let told = AtomicBool::new(false);
    let handler = move || {
        if told.swap(true, Ordering::SeqCst) {
            exit(Exit::Interrupted as i32);
        }
        if !control.has_begun() {
            say("interrupted before any cell was run");
            exit(Exit::Interrupted as i32);
        }
        control.stop();
        say("interrupted: cells in hand have a moment to finish, a second signal ends at once");
        let control = Arc::clone(&control);
        spawn(move || {
            sleep(FINISH);
            control.cancel();
            sleep(LEAVE);
            say("stopped at once: what was finished is kept, and `run` goes on from there");
            exit(Exit::Interrupted as i32);
        });
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        say(&format!("note: a signal will end the run at once: {error}"));
    }
}

/// One line on stderr, which may be gone.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}
