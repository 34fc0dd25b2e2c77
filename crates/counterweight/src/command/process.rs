//! One process of a program: what is said to it and what it answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use counterweight_core::limit::{self, Deadline};
use counterweight_core::{StageError, StageResult};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard::{self, end_group};
use super::program::Promise;
use crate::worker::{LOOK, ended_together, keep_within};

/// The version of what is said.
const PROTOCOL: u64 = 1;
/// Bytes of a line at most: whoever says more says something else.
const LONGEST: u64 = 1 << 20;
/// Bytes of stderr that are kept, the last ones.
const KEPT: usize = 4096;
/// How long the rest of a process may come after its stdout has ended.
const REST: Duration = Duration::from_millis(300);
/// Libraries of threads are told to use one: a run has as many threads as `--jobs` says.
const ONE_THREAD: [&str; 5] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
];
/// What a process says that could not have memory.
const LACKED_MEMORY: [&str; 5] = [
    "memory allocation of",
    "MemoryError",
    "bad_alloc",
    "ut of memory",
    "Cannot allocate memory",
];

/// How a question went wrong.
pub(super) enum Trouble {
    /// The program said so, and serves on.
    Answered(StageError),
    /// The process is of no use any more.
    Broken(StageError),
}

/// What a program answers. Anything else in it is its own affair.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    id: u64,
    error: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    pub(super) notes: Vec<String>,
    pub(super) scores: Option<String>,
    protocol: Option<u64>,
    name: Option<String>,
    version: Option<String>,
    weights: Option<bool>,
}

/// A running program.
#[derive(Debug)]
pub(super) struct Process {
    /// Unlike that of any other.
    pub(super) number: u64,
    /// What the program calls itself.
    name: String,
    child: Child,
    to: ChildStdin,
    said: Receiver<Vec<u8>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    folder: PathBuf,
    asked: u64,
    /// Models that it holds.
    pub(super) models: usize,
    /// What it said unasked.
    stray: Option<Vec<u8>>,
    /// Whether its end has been seen, after which its number may be another's.
    waited: bool,
}

/// A folder that nobody else can look into.
fn private_folder() -> std::io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("counterweight-{}-{number}", std::process::id());
        // Whoever is told of it may start elsewhere.
        let folder = std::path::absolute(std::env::temp_dir().join(name))?;
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            // Left by a program of the same number, that was killed together with its guard.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| folder),
        }
    }
}

/// Hands on every line, the rest at the end, and the beginning of one that is too long.
fn hand_on(stdout: impl std::io::Read, to: &SyncSender<Vec<u8>>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        let read = (&mut stdout).take(LONGEST).read_until(b'\n', &mut line);
        let whole = line.ends_with(b"\n");
        if read.is_err() || line.is_empty() || to.send(line).is_err() || !whole {
            return;
        }
    }
}

/// Keeps the end of what is said.
fn keep_end(mut stderr: impl std::io::Read, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; KEPT];
    while let Ok(n @ 1..) = stderr.read(&mut piece) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&piece[..n]);
        let more = kept.len().saturating_sub(KEPT);
        kept.drain(..more);
    }
}

/// The beginning of a text, for messages.
fn start_of(text: &str, letters: usize) -> String {
    let text = text.trim();
    let start: String = text.chars().take(letters).collect();
    if start.len() < text.len() {
        format!("{start}..")
    } else {
        start
    }
}

impl Process {
    /// Starts the program and greets it.
    ///
    /// # Errors
    /// When there is no such program, and when it says no greeting, or another one, before the deadline.
    pub(super) fn start(promise: &Promise, folder: &Path, deadline: Deadline) -> StageResult<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let words = &promise.command;
        let failed = |error: std::io::Error| {
            StageError::Failed(format!("`{}` cannot be started: {error}", words[0]))
        };
        let mut program = PathBuf::from(&words[0]);
        if program.is_relative() && program.components().count() > 1 {
            program = folder.canonicalize().map_err(failed)?.join(program);
        }
        let own = private_folder().map_err(failed)?;
        let spawned = Command::new(program)
            .args(&words[1..])
            .current_dir(folder)
            .envs(ONE_THREAD.map(|name| (name, "1")))
            .env("PYTHONHASHSEED", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let mut child = spawned.map_err(|error| {
            end_group(None, &own);
            failed(error)
        })?;
        guard::begun(Pid::from_child(&child), &own);
        let (to, said) = sync_channel(4);
        let stderr = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&stderr);
        let (Some(stdin), Some(stdout), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(std::io::ErrorKind::BrokenPipe.into()));
        };
        std::thread::spawn(move || hand_on(stdout, &to));
        let mut process = Self {
            number: NEXT.fetch_add(1, Ordering::SeqCst),
            name: program_name(&words[0]),
            child,
            to: stdin,
            said,
            reader: std::thread::spawn(move || keep_end(errors, &kept)),
            stderr,
            folder: own,
            asked: 0,
            models: 0,
            stray: None,
            waited: false,
        };
        process.greet(promise, deadline)?;
        Ok(process)
    }

    fn greet(&mut self, promise: &Promise, deadline: Deadline) -> StageResult<()> {
        let hello = json!({"op": "hello", "protocol": PROTOCOL});
        let answer = self.ask(hello, deadline).map_err(|trouble| match trouble {
            Trouble::Broken(StageError::Timeout(_)) => StageError::Timeout(format!(
                "`{}` did not answer the greeting within the sweep's `timeout`{}",
                self.name,
                self.last_words()
            )),
            Trouble::Broken(error) | Trouble::Answered(error) => error,
        })?;
        if let Some(name) = answer.name {
            self.name = start_of(&name, 60);
        }
        let other = |what: String| Err(StageError::Failed(format!("`{}` {what}", self.name)));
        match (answer.protocol, answer.version, answer.weights) {
            (Some(PROTOCOL), Some(version), _) if version != promise.version => other(format!(
                "says that it is {}, and the sweep file that it is {}",
                start_of(&version, 60),
                promise.version
            )),
            (Some(PROTOCOL), _, Some(false)) if promise.weights => {
                other("says that it honours no weights, and the sweep file that it does".into())
            }
            (Some(PROTOCOL), ..) => Ok(()),
            (Some(protocol), ..) => other(format!("speaks protocol {protocol}, not {PROTOCOL}")),
            (None, ..) => other("does not say which protocol it speaks".into()),
        }
    }

    /// Whether it ended since it was asked last.
    pub(super) fn gone(&mut self) -> bool {
        match self.said.try_recv() {
            Err(TryRecvError::Disconnected) => true,
            said => {
                self.stray = self.stray.take().or(said.ok());
                self.stray.is_none() && self.has_ended()
            }
        }
    }

    /// The number of the next question.
    pub(super) fn next(&self) -> u64 {
        self.asked + 1
    }

    /// An error with the program's name before it.
    pub(super) fn named(&self, error: &StageError) -> StageError {
        StageError::Failed(format!("`{}`: {error}", self.name))
    }

    /// A file in its folder.
    pub(super) fn file(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", self.next()))
    }

    /// Lets it take no more memory than it has and the thread has left.
    pub(super) fn keep_within(&self, left: Option<u64>) {
        if left.is_some() {
            keep_within(Some(Pid::from_child(&self.child)), left);
        }
    }

    /// Says something, an object.
    pub(super) fn say(&mut self, mut message: Value) -> std::io::Result<()> {
        self.asked += 1;
        message["id"] = self.asked.into();
        let mut line = message.to_string();
        line.push('\n');
        self.to.write_all(line.as_bytes())?;
        self.to.flush()
    }

    /// Asks and waits for the answer.
    pub(super) fn ask(&mut self, question: Value, deadline: Deadline) -> Result<Answer, Trouble> {
        // One that ended has perhaps said why.
        let _ = self.say(question);
        let id = self.asked;
        let line = loop {
            if let Some(stray) = self.stray.take() {
                break stray;
            }
            match self.said.recv_timeout(LOOK) {
                Ok(line) => break line,
                Err(RecvTimeoutError::Timeout) if !self.has_ended() => {
                    deadline.check().map_err(Trouble::Broken)?;
                }
                // It may have ended with its stdout held open by one that it started.
                Err(_) => match self.said.try_recv() {
                    Ok(line) => break line,
                    Err(_) => return Err(Trouble::Broken(self.end(deadline))),
                },
            }
        };
        let answer: Option<Answer> = serde_json::from_slice(&line).ok();
        let Some(answer) = answer.filter(|answer| answer.id == id) else {
            let _ = self.stop();
            let said = start_of(&String::from_utf8_lossy(&line), 80);
            return Err(Trouble::Broken(StageError::Failed(format!(
                "`{}` said `{said}`, which is no answer to question {id}{}",
                self.name,
                self.last_words()
            ))));
        };
        match &answer.error {
            None => Ok(answer),
            Some(words) => {
                let words = format!("`{}`: {}", self.name, start_of(words, 300));
                Err(Trouble::Answered(match answer.kind.as_deref() {
                    Some("not-applicable") => StageError::NotApplicable(words),
                    Some("out-of-memory") => StageError::OutOfMemory(words),
                    _ => StageError::Failed(words),
                }))
            }
        }
    }

    /// The end of its stderr in a few words, after a colon.
    fn last_words(&self) -> String {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let last = lines[lines.len().saturating_sub(3)..].join(" | ");
        let skipped = last.chars().count().saturating_sub(300);
        let last: String = last.chars().skip(skipped).collect();
        if last.is_empty() {
            last
        } else {
            format!(": {last}")
        }
    }

    /// Ends it, with what it has started, and takes the rest of its stderr.
    fn stop(&mut self) -> std::io::Result<ExitStatus> {
        if !self.waited {
            end_group(Some(Pid::from_child(&self.child)), &self.folder);
        }
        let status = self.child.wait();
        self.waited = true;
        let begun = Instant::now();
        while begun.elapsed() < REST && !self.reader.is_finished() {
            std::thread::sleep(LOOK / 4);
        }
        status
    }

    /// Whether the process is over, of which `end` then asks how.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let pid = Pid::from_child(&self.child);
        matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_)))
    }

    /// What ended it.
    fn end(&mut self, deadline: Deadline) -> StageError {
        let begun = Instant::now();
        while begun.elapsed() < REST && !(self.has_ended() && self.reader.is_finished()) {
            std::thread::sleep(LOOK / 4);
        }
        let by_itself = self.has_ended();
        let status = self.stop();
        let signal = status.as_ref().ok().and_then(ExitStatusExt::signal);
        let how = match status {
            _ if !by_itself => "closed its stdout".to_owned(),
            Ok(status) => format!("ended ({status})"),
            Err(error) => format!("ended ({error})"),
        };
        if let Err(stopped) = ended_together(signal.filter(|_| by_itself), deadline) {
            return stopped;
        }
        let last = self.last_words();
        let lacked = LACKED_MEMORY.iter().any(|words| last.contains(words));
        let words = format!("`{}` {how}{last}", self.name);
        match limit::left() {
            Some(left) if lacked => {
                StageError::OutOfMemory(format!("{words}, and it may take {} MB", left / 1_000_000))
            }
            _ => StageError::Failed(words),
        }
    }
}

/// The last part of a path.
fn program_name(program: &str) -> String {
    let name = Path::new(program).file_name();
    name.map_or_else(
        || program.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.child);
        if !self.waited {
            end_group(Some(pid), &self.folder);
            let _ = self.child.wait();
        }
        // What was killed may have written on for a moment.
        end_group(None, &self.folder);
        guard::ended(pid);
    }
}
