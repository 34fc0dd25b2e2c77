//! Sweep files and data files that mean no good.

mod data;
mod mutations;
#[cfg(unix)]
mod pipes;
mod planning;
mod sweeps;

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::common::Place;

/// Runs the binary for at most this long; gives how it ended and what it complained of.
#[track_caller]
fn ended(place: &Place, arguments: &[&str], longest: Duration) -> (Option<i32>, String) {
    let log = place.path("said");
    let start = Instant::now();
    let mut child = place
        .command(arguments)
        .env_remove("CI")
        .stdout(Stdio::null())
        .stderr(File::create(&log).expect("a log"))
        .spawn()
        .expect("the binary starts");
    let code = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status.code();
        }
        let late = start.elapsed() > longest;
        if late {
            child.kill().expect("a child");
        }
        assert!(!late, "no end of {arguments:?}");
        std::thread::sleep(Duration::from_millis(2));
    };
    let said = std::fs::read(&log).expect("a log");
    (code, String::from_utf8_lossy(&said).into_owned())
}
