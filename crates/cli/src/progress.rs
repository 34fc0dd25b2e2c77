//! Progress on stderr: a bar with an estimate of the time left on a terminal, plain lines otherwise.

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use counterweight_harness::run::{Event, Listener};
use indicatif::{ProgressBar, ProgressStyle};

/// Seconds between plain lines.
const EVERY: Duration = Duration::from_secs(10);

/// Listens to a run.
#[derive(Debug)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    quiet: bool,
    bar: Option<ProgressBar>,
    started: Instant,
    spoke: Instant,
    cells: usize,
    finished: usize,
    failures: usize,
    /// Estimated seconds of one core, in all and done.
    total: f64,
    done: f64,
}

impl Progress {
    /// Says what happens in a run.
    pub(crate) fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            quiet,
            bar: None,
            started: now,
            spoke: now,
            cells: 0,
            finished: 0,
            failures: 0,
            total: 0.0,
            done: 0.0,
        }))
    }
}

impl State {
    /// Time left if work goes on as it went so far, by estimated costs rather than by counts.
    fn left(&self) -> Option<Duration> {
        if self.done <= 0.0 || self.total <= 0.0 {
            return None;
        }
        let per_second = self.started.elapsed().as_secs_f64() / self.done;
        Duration::try_from_secs_f64(per_second * (self.total - self.done).max(0.0)).ok()
    }

    fn words(&self) -> String {
        let line = Line {
            cells: self.cells,
            done: self.finished,
            failed: self.failures,
            per_second: Some(self.finished as f64 / self.started.elapsed().as_secs_f64()),
            left: self.left(),
            memory: counterweight::resident(None),
        };
        line.to_string()
    }
}

/// How far work is, in one line.
pub(crate) struct Line {
    pub(crate) cells: usize,
    pub(crate) done: usize,
    pub(crate) failed: usize,
    /// Cells in a second.
    pub(crate) per_second: Option<f64>,
    /// Time to go.
    pub(crate) left: Option<Duration>,
    /// Bytes.
    pub(crate) memory: Option<u64>,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.cells.saturating_sub(self.done);
        write!(
            f,
            "{}/{} cells, {} failed, {left} left",
            self.done, self.cells, self.failed
        )?;
        if let Some(rate) = self
            .per_second
            .filter(|rate| rate.is_finite() && *rate > 0.0)
        {
            let digits = usize::from(rate < 10.0);
            write!(f, ", {rate:.digits$}/s")?;
        }
        if let Some(time) = self.left.filter(|_| left > 0) {
            write!(f, ", about {} to go", human(time))?;
        }
        match self.memory {
            Some(bytes) if bytes > 0 => write!(f, ", {} MB", bytes / 1_000_000),
            _ => Ok(()),
        }
    }
}

fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5999 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{:.1} h", time.as_secs_f64() / 3600.0),
    }
}

impl Listener for Progress {
    fn on(&self, event: &Event<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::PlanReady {
                cells,
                done,
                seconds,
            } => {
                state.cells = *cells;
                state.total = *seconds;
                state.started = Instant::now();
                state.spoke = state.started;
                if state.quiet {
                    return;
                }
                let before = if *done > 0 {
                    format!(" ({done} done or not asked for)")
                } else {
                    String::new()
                };
                eprintln!("running {cells} cells{before}");
                if std::io::stderr().is_terminal() {
                    let style = ProgressStyle::with_template("{bar:30} {msg}")
                        .unwrap_or_else(|_bad_template| ProgressStyle::default_bar());
                    state.bar = Some(ProgressBar::new(1000).with_style(style));
                }
            }
            Event::CellFinished { record } => {
                state.finished += 1;
                if record.outcome.is_failure() {
                    state.failures += 1;
                    if !state.quiet {
                        let words = format!(
                            "{}: {} {} {} (cell {}): {}",
                            record.outcome,
                            record.dataset,
                            record.model,
                            record.correction,
                            record.cell,
                            record.reason
                        );
                        match &state.bar {
                            Some(bar) => bar.suspend(|| eprintln!("{words}")),
                            None => eprintln!("{words}"),
                        }
                    }
                }
            }
            Event::CellLeft { record } => {
                let words = format!(
                    "no memory: {} {} {} (cell {}) stays to be done: {}",
                    record.dataset, record.model, record.correction, record.cell, record.reason
                );
                match &state.bar {
                    Some(bar) => bar.suspend(|| eprintln!("{words}")),
                    None => eprintln!("{words}"),
                }
            }
            Event::WorkDone { seconds } => {
                state.done += seconds;
                if state.quiet {
                    return;
                }
                if let Some(bar) = &state.bar {
                    bar.set_position(per_mille(state.done, state.total));
                    bar.set_message(state.words());
                } else if state.spoke.elapsed() >= EVERY {
                    state.spoke = Instant::now();
                    eprintln!("{}", state.words());
                }
            }
            Event::RunFinished { interrupted } => {
                if let Some(bar) = state.bar.take() {
                    bar.finish_and_clear();
                }
                if !state.quiet {
                    let how = if *interrupted { "stopped" } else { "finished" };
                    let seconds = state.started.elapsed().as_secs_f64();
                    eprintln!("{how} after {seconds:.1} s: {}", state.words());
                }
            }
            _ => {}
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=1000"
)]
fn per_mille(done: f64, total: f64) -> u64 {
    (done / total.max(f64::MIN_POSITIVE) * 1000.0).clamp(0.0, 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_known() {
        let line = Line {
            cells: 500,
            done: 120,
            failed: 3,
            per_second: Some(12.34),
            left: Some(Duration::from_secs(31)),
            memory: Some(310_400_000),
        };
        insta::assert_snapshot!(line, @"120/500 cells, 3 failed, 380 left, 12/s, about 31 s to go, 310 MB");
        let slow = Line {
            per_second: Some(0.52),
            left: Some(Duration::from_secs(730)),
            ..line
        };
        insta::assert_snapshot!(slow, @"120/500 cells, 3 failed, 380 left, 0.5/s, about 13 min to go, 310 MB");
        let first = Line {
            done: 0,
            failed: 0,
            per_second: Some(f64::NAN),
            left: None,
            memory: None,
            ..slow
        };
        insta::assert_snapshot!(first, @"0/500 cells, 0 failed, 500 left");
        let last = Line {
            done: 500,
            per_second: None,
            left: Some(Duration::ZERO),
            ..first
        };
        insta::assert_snapshot!(last, @"500/500 cells, 0 failed, 0 left");
    }
}
