//! Stdout and stderr that never end the program. The macros here take the place of the standard library's in
//! the whole crate: those panic when a pipe is closed, a disk is full or the terminal is gone, and whatever
//! was under way with them.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

/// The first thing that went wrong on stdout; nothing is written to it any more.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes to stdout: the product of a command.
macro_rules! print {
    ($($words:tt)*) => { $crate::terminal::product(format_args!($($words)*)) };
}

/// The same, with the end of the line.
macro_rules! println {
    () => { print!("\n") };
    ($($words:tt)*) => { print!("{}\n", format_args!($($words)*)) };
}

/// Writes a line to stderr: progress and diagnostics. Where nobody listens, nothing is lost.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::terminal::remark(format_args!($($words)*)) };
}

pub(crate) fn product(words: fmt::Arguments<'_>) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = io::stdout().lock().write_fmt(words).err();
    }
}

pub(crate) fn remark(words: fmt::Arguments<'_>) {
    let _nobody_listens = writeln!(io::stderr().lock(), "{words}");
}

/// Whether the product goes anywhere still.
pub(crate) fn is_heard() -> bool {
    let failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    failed.is_none()
}

/// Brings everything out; gives what kept the product from being whole. A reader that went away has what it
/// wanted.
pub(crate) fn finish() -> Option<io::Error> {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    failed
        .take()
        .or_else(|| io::stdout().lock().flush().err())
        .filter(|error| error.kind() != io::ErrorKind::BrokenPipe)
}
