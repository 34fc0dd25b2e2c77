//! The side of the worker.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use counterweight_core::limit::Deadline;
use counterweight_core::{Fitted, Shared, StageContext, StageError, StageResult, find, params};

use rustix::process::Pid;

use super::frame::{Fit, Fitting, Frame, Known, Scored, Scoring, given};
use super::{SERVES, broken};
use crate::CATALOGUE;
use crate::command::guard;

/// The hidden command.
pub(super) const COMMAND: &str = "serve-a-library";
/// Names a learner and how its fit is to end the worker: `KIND=abort`, `KIND=overflow`.
const FAULT: &str = "COUNTERWEIGHT_WORKER_FAULT";
/// Set for a worker, so that no user comes upon the command.
pub(crate) const VARIABLE: &str = "COUNTERWEIGHT_WORKER";

/// Serves as a worker and ends the process, if it was started as one; else notes that the program can.
/// To be called first in `main`.
pub fn serve_if_asked() {
    SERVES.store(true, Ordering::SeqCst);
    let asked = std::env::args().nth(1).unwrap_or_default();
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    match asked.as_str() {
        COMMAND => {}
        guard::COMMAND => {
            guard::watch();
            end();
        }
        _ => return,
    }
    // A library's panic is an answer with its words.
    std::panic::set_hook(Box::new(|_| {}));
    // As deep as a thread of the harness, since some libraries recurse.
    let served = std::thread::Builder::new()
        .stack_size(counterweight_harness::run::STACK)
        .spawn(serve);
    // Closed when the program ends, whatever the worker is at.
    let program = io::stdout().as_fd().try_clone_to_owned();
    if let (Ok(_), Ok(program)) = (served, program) {
        let _ = File::from(program).read(&mut [0]);
    }
    end();
}

#[expect(clippy::exit, reason = "the end of a worker, in the midst of its work")]
fn end() -> ! {
    std::process::exit(0)
}

/// Answers questions, in order, and ends with the last.
fn serve() {
    let Ok(road) = io::stdin().as_fd().try_clone_to_owned() else {
        end();
    };
    let road = UnixStream::from(road);
    let mut from = BufReader::new(&road);
    let mut models: BTreeMap<u64, Box<dyn Fitted>> = BTreeMap::new();
    let mut known = Known::default();
    let mut next = 0;
    while let Ok(Some(frame)) = Frame::read(&mut from, &mut known) {
        let sent = match answer(frame, next, &mut models) {
            Ok(Some(answer)) => answer.write(&mut &road, &mut Known::default()).is_ok(),
            Ok(None) => true,
            Err(_) => false,
        };
        if !sent {
            break;
        }
        next += 1;
    }
    end();
}

/// The answer; `None` where none is wanted.
///
/// # Errors
/// A message that makes no sense.
fn answer(
    frame: Frame<'_>,
    next: u64,
    models: &mut BTreeMap<u64, Box<dyn Fitted>>,
) -> StageResult<Option<Frame<'static>>> {
    let op: serde_json::Value = frame.head()?;
    if op["op"] == "fit" {
        let (answer, model) = fit(frame, next)?;
        models.extend(model.map(|model| (next, model)));
        return Ok(Some(answer));
    }
    let asked: Scoring = frame.head()?;
    if asked.op == "forget" {
        models.remove(&asked.model);
        return Ok(None);
    }
    let Some(model) = models.get(&asked.model) else {
        return Err(broken(&"there is no such model"));
    };
    let x = asked.x(frame.rows.into_owned())?;
    if asked.op == "head" {
        return Ok(Some(match caught(|| model.linear_head(&x)) {
            Ok(Some(head)) => {
                let mut numbers = head.scores.log().as_slice().to_vec();
                numbers.extend(head.norms);
                Frame::new(&Scored::of(&head.scores), numbers)?
            }
            Ok(None) => Frame::new(&Scored::none(), Vec::new())?,
            Err(error) => Frame::new(&Scored::failed(error), Vec::new())?,
        }));
    }
    Ok(Some(match caught(|| model.scores(&x)) {
        Ok(scores) => Frame::new(&Scored::of(&scores), scores.log().as_slice().to_vec())?,
        Err(error) => Frame::new(&Scored::failed(error), Vec::new())?,
    }))
}

type FitAnswer = (Frame<'static>, Option<Box<dyn Fitted>>);

fn fit(frame: Frame<'_>, number: u64) -> StageResult<FitAnswer> {
    let asked: Fit = frame.head()?;
    keep_within(None, asked.left);
    fault(&asked.learner);
    let (train, terms) = asked.parts(frame.rows.into_owned(), &frame.numbers)?;
    let shared = Shared::default();
    let (stream, small_class) = (asked.stream()?, asked.small_class());
    let mut context = StageContext::new(stream, small_class, Deadline::NEVER, &shared);
    let entry = find(CATALOGUE.learners, &asked.learner)
        .ok_or_else(|| broken(&"there is no such learner"))?;
    let params = params::check(entry.card.params, &given(asked.params))
        .map_err(|_errors| broken(&"parameters that are none"))?;
    let learner = (entry.build)(&params).map_err(|error| broken(&error))?;
    let fitted = caught(|| learner.fit(&train, &terms, &mut context));
    let (model, error) = match fitted {
        Ok(model) => (Some(model), None),
        Err(error) => (None, Some(error.into())),
    };
    Ok((Fitting::frame(number, error, &context)?, model))
}

/// Limits the memory of a process (this one, or another of this user) to what it has and `left`, where the system
/// can.
pub(crate) fn keep_within(process: Option<Pid>, left: Option<u64>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
        let has = || {
            let whose = process.map_or("self".into(), |pid| pid.as_raw_pid().to_string());
            let pages = std::fs::read_to_string(format!("/proc/{whose}/statm")).ok()?;
            // Size, resident, shared, text, library, data.
            let pages: u64 = pages.split(' ').nth(5)?.parse().ok()?;
            pages.checked_mul(rustix::param::page_size() as u64)
        };
        let maximum = getrlimit(Resource::Data).maximum;
        let current = left.and_then(|left| has()?.checked_add(left));
        let current = current.map_or(maximum, |most| {
            maximum.map_or(Some(most), |max| Some(max.min(most)))
        });
        // Where it is refused the cell has no ceiling, which is no worse than before.
        let _ = prlimit(process, Resource::Data, Rlimit { current, maximum });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (process, left);
}

/// Ends this process as a library might, for the tests of what comes of it: the variable says at whose fit, and
/// how.
fn fault(learner: &str) {
    fn deeper(by: u64) -> u64 {
        match by {
            u64::MAX => 0,
            by => std::hint::black_box([by; 64])[7] + deeper(by + 1),
        }
    }
    let asked = std::env::var(FAULT).unwrap_or_default();
    match asked.strip_prefix(learner) {
        Some("=abort") => std::process::abort(),
        Some("=overflow") => drop(std::hint::black_box(deeper(0))),
        _ => {}
    }
}

/// A panic as the error that the harness makes of it.
fn caught<T>(work: impl FnOnce() -> StageResult<T>) -> StageResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let words = words.unwrap_or("without words");
        Err(StageError::Failed(format!("panicked: {words}")))
    })
}
