//! The worker of a thread: started when it is needed, killed when it is late.

use std::io::{self, BufRead as _, BufReader, ErrorKind, IoSlice, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use counterweight_core::limit::{self, Deadline};
use counterweight_core::{Matrix, StageError, StageResult};

use super::frame::{Frame, Known, Scoring};
use super::{broken, serve};

/// Between two looks at the deadline.
pub(crate) const LOOK: Duration = Duration::from_millis(20);
/// What the last words of a process are about: an allocation that failed, a stack that overflowed.
const TELLING: [&str; 2] = ["memory allocation of", "overflowed its stack"];
/// How long the end of a worker that a signal ended waits for the end of this program: whoever signals a
/// job signals all of its processes.
const TOGETHER: usize = 100;

thread_local! {
    static OWN: Arc<Slot> = Arc::default();
}

/// A thread's place for a worker.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Process>>);

impl Slot {
    pub(super) fn of_this_thread() -> Arc<Self> {
        OWN.with(Arc::clone)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message and waits for the answer. Without an answer by the deadline the worker is killed.
    /// `process` is the number of the process that the message is meant for; `None` for any.
    ///
    /// # Errors
    /// [`StageError::Timeout`]; [`StageError::Failed`] when the worker ended, or cannot be started.
    pub(super) fn call(
        &self,
        frame: &Frame<'_>,
        process: Option<u64>,
        deadline: Deadline,
    ) -> StageResult<(Frame<'static>, u64)> {
        deadline.check()?;
        let mut slot = self.lock();
        let worker = match (&mut *slot, process) {
            (Some(worker), Some(number)) if worker.number != number => return Err(gone()),
            (Some(worker), _) => worker,
            (None, Some(_)) => return Err(gone()),
            (empty, None) => empty.insert(Process::start()?),
        };
        let mut road = Road {
            to: &worker.to,
            deadline,
        };
        let sent = frame.write(&mut road, &mut worker.known);
        let answered =
            sent.and_then(|()| Frame::read(&mut BufReader::new(road), &mut Known::default()));
        match answered {
            Ok(Some(answer)) => return Ok((answer, worker.number)),
            Err(error) if is_late(&error) => {
                *slot = None;
                deadline.check()?;
            }
            _ => {}
        }
        let Some(mut worker) = slot.take() else {
            return Err(gone());
        };
        let end = worker.end();
        ended_together(end.signal, deadline)?;
        if end.lacked_memory {
            let most = limit::left().map_or_else(String::new, |left| {
                format!(", and its worker may take {} MB", left / 1_000_000)
            });
            return Err(StageError::OutOfMemory(format!("{}{most}", end.words)));
        }
        Err(StageError::Failed(format!(
            "the library ended its process ({})",
            end.words
        )))
    }

    /// Lets a worker forget a model.
    pub(super) fn forget(&self, process: u64, model: u64) {
        let mut slot = self.lock();
        let worker = slot.as_mut().filter(|worker| worker.number == process);
        if let Some(worker) = worker {
            let nothing = Matrix::zeros(0, 0);
            let frame = Scoring::frame("forget", model, &nothing);
            // A worker that is gone has forgotten.
            let _ = frame.map(|frame| frame.write(&mut &worker.to, &mut worker.known));
        }
    }
}

/// Waits for the end of this program where a signal that ends jobs (hang-up, interrupt, termination) ended a process
/// of it.
///
/// # Errors
/// [`StageError::Timeout`] once the work of this thread has no time left.
pub(crate) fn ended_together(signal: Option<i32>, deadline: Deadline) -> StageResult<()> {
    if matches!(signal, Some(1 | 2 | 15)) {
        for _ in 0..TOGETHER {
            deadline.check()?;
            std::thread::sleep(LOOK);
        }
    }
    Ok(())
}

fn gone() -> StageError {
    broken(&"it ended after the fit, and the model with it")
}

/// The way to a worker and back, on which nobody waits longer than the deadline.
struct Road<'a> {
    to: &'a UnixStream,
    deadline: Deadline,
}

/// Whether nothing came for [`LOOK`].
fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl Road<'_> {
    fn wait(&self, mut once: impl FnMut(&UnixStream) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match once(self.to) {
                Err(error) if is_late(&error) && !self.deadline.passed() => {}
                done => return done,
            }
        }
    }
}

impl Read for Road<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.wait(|mut to| to.read(bytes))
    }
}

impl Write for Road<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(|mut to| to.write(bytes))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.wait(|mut to| to.write_vectored(parts))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a worker ended.
struct End {
    words: String,
    /// Since it could not have the memory that it asked for.
    lacked_memory: bool,
    signal: Option<i32>,
}

/// A running worker.
#[derive(Debug)]
struct Process {
    /// Unlike that of any other.
    number: u64,
    child: Child,
    to: UnixStream,
    /// What it has of what was sent.
    known: Known,
    /// Closed when this program ends, however it does.
    _alive: PipeWriter,
    /// What it said of its end, once it has come.
    words: Option<JoinHandle<String>>,
}

impl Process {
    fn start() -> StageResult<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let failed = |error: std::io::Error| broken(&format!("it cannot be started: {error}"));
        let program = std::env::current_exe().map_err(failed)?;
        let (to, from) = UnixStream::pair().map_err(failed)?;
        let (watched, alive) = pipe().map_err(failed)?;
        for set in [UnixStream::set_read_timeout, UnixStream::set_write_timeout] {
            set(&to, Some(LOOK)).map_err(failed)?;
        }
        let mut child = Command::new(program)
            .arg(serve::COMMAND)
            .env(serve::VARIABLE, "1")
            .env("RUST_BACKTRACE", "0")
            .stdin(OwnedFd::from(from))
            // To be read: what a library prints goes nowhere.
            .stdout(watched)
            .stderr(Stdio::piped())
            // An interrupt from a terminal is for the program; its workers end with it.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let words = child
            .stderr
            .take()
            .ok_or_else(|| broken(&"it has no stderr"))?;
        // What a process says before it aborts is little; a library's chatter is read and forgotten.
        let words = std::thread::spawn(move || {
            let mut last = String::new();
            for line in BufReader::new(words).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                if TELLING.iter().any(|telling| line.contains(telling)) {
                    last = line.chars().take(200).collect();
                }
            }
            last
        });
        Ok(Self {
            words: Some(words),
            number: NEXT.fetch_add(1, Ordering::SeqCst),
            child,
            to,
            known: Known::default(),
            _alive: alive,
        })
    }

    /// What ended it.
    fn end(&mut self) -> End {
        let status = self.child.wait();
        let words = match &status {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let signal = status.ok().and_then(|status| status.signal());
        let said = self.words.take().and_then(|words| words.join().ok());
        let said = said.unwrap_or_default();
        End {
            lacked_memory: said.contains(TELLING[0]),
            words: match said.as_str() {
                "" => words,
                said => format!("{words}: {}", said.trim()),
            },
            signal,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
