//! Nothing is left behind: a process that outlives this program, however that ends, kills what the program could not.
//!
//! A program that fits looks at nothing, and the ones that it has started in turn may look at nothing ever. So each
//! runs in a process group of its own, and one guard (this very program, started once more) knows the groups and their
//! folders. Its stdin ends when this program does.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::worker::{VARIABLE, serves};

/// The hidden command.
pub(crate) const COMMAND: &str = "guard-commands";

/// What leads to the guard; `None` before the first group, and where there can be none.
static GUARD: Mutex<Option<ChildStdin>> = Mutex::new(None);

fn start() -> Option<ChildStdin> {
    let program = serves().then(std::env::current_exe)?.ok()?;
    let guard = Command::new(program)
        .arg(COMMAND)
        .env(VARIABLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // What a terminal sends is for the program.
        .process_group(0)
        .spawn();
    guard.ok()?.stdin
}

fn tell(line: &str) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if guard.is_none() {
        *guard = start();
    }
    // Without a guard the program still kills what it has started, unless it is killed itself.
    let told = guard.as_mut().map(|to| to.write_all(line.as_bytes()));
    if let Some(Err(_)) = told {
        *guard = None;
    }
}

/// A group has begun, which writes into this folder.
pub(super) fn begun(group: Pid, folder: &Path) {
    tell(&format!("{} {}\n", group.as_raw_pid(), folder.display()));
}

/// A group has ended, and its folder is removed.
pub(super) fn ended(group: Pid) {
    tell(&format!("{}\n", group.as_raw_pid()));
}

/// Serves as the guard: to the end of the program that started it.
pub(crate) fn watch() {
    let mut groups: BTreeMap<i32, String> = BTreeMap::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (group, folder) = line.split_once(' ').unwrap_or((&line, ""));
        let Ok(group) = group.parse::<i32>() else {
            continue;
        };
        if folder.is_empty() {
            groups.remove(&group);
        } else {
            groups.insert(group, folder.to_owned());
        }
    }
    for (&group, folder) in &groups {
        end_group(Pid::from_raw(group), Path::new(folder));
    }
}

/// Kills a group and removes its folder.
pub(super) fn end_group(group: Option<Pid>, folder: &Path) {
    if let Some(group) = group {
        // It may have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
    // One that is being killed may still have written a file.
    for _ in 0..10 {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            _ => break,
        }
    }
}
