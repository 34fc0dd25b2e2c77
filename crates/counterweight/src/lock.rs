//! One process at a time sets aside, joins and writes the products of a folder; plain runs beside each other
//! only append to segments of their own and need no lock.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use counterweight_frame::remove_leftovers;
use counterweight_store::SEGMENTS;

use crate::exit::{Error, Exit, Result};
use crate::session::Session;
use crate::side_tables::IMPORTS;

/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// A folder of which this process alone writes the products. The lock is the operating system's and on the
/// folder itself, so that it ends with the process and leaves no file.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held, never read")] Option<File>);

impl Lock {
    /// Waits for the folder. Where it cannot be locked, says so and goes on.
    pub(crate) fn of(session: &Session<'_>, folder: &Path) -> Result<Self> {
        let unlocked = |error: &std::io::Error| {
            (session.say)(&format!(
                "note: {} cannot be locked ({error}): do not write into it from two processes at once",
                folder.display()
            ));
            Ok(Self(None))
        };
        let file = match File::open(folder) {
            Ok(file) => file,
            Err(error) => return unlocked(&error),
        };
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return unlocked(&error),
            }
            if session.control.stopped() {
                let message = format!("{}: another process writes into it", folder.display());
                return Err(Error::new(Exit::Interrupted, message));
            }
            if !std::mem::replace(&mut told, true) {
                session.progress(&format!(
                    "waiting for another process that writes into {}",
                    folder.display()
                ));
            }
            std::thread::sleep(PAUSE);
        }
        // Whoever left them half-written is gone: its lock would be there. An outline in segments/ is written without
        // one; a run that loses it here leaves it to the next.
        for part in ["", "tables", "plots", IMPORTS, SEGMENTS] {
            remove_leftovers(&folder.join(part));
        }
        Ok(Self(Some(file)))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_waits_and_can_be_told_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let segments = folder.path().join(SEGMENTS);
        std::fs::create_dir(&segments).unwrap();
        let outline = segments.join(".outline.json.12-0.tmp");
        std::fs::write(&outline, "half").unwrap();
        let leftover = folder.path().join(".records.csv.12-0.tmp");
        let hidden = folder.path().join(".mine.tmp");
        std::fs::write(&leftover, "half").unwrap();
        std::fs::write(&hidden, "whole").unwrap();
        let session = Session::new(crate::CATALOGUE);
        let first = Lock::of(&session, folder.path()).unwrap();
        assert!(!leftover.exists() && !outline.exists() && hidden.exists());
        session.control.stop();
        let error = Lock::of(&session, folder.path()).unwrap_err();
        assert_eq!(error.exit, Exit::Interrupted);
        drop(first);
        Lock::of(&session, folder.path()).unwrap();
    }
}
