//! Fits a learner to a task that another program wrote, for the scripts of `tests/peers`, which
//! compare our learners with other libraries on the same rows.
//!
//! ```text
//! cargo build --release -p counterweight-models --example peers
//! peers TASK OUTPUT REPEATS LEARNER [KEY=VALUE ..]
//! ```
//!
//! TASK and OUTPUT are files as `tests/peers/task.rs` describes them. Prints the CPU seconds of each of REPEATS fits and of the last scoring, and the MB that the
//! fits added at their peak to the memory that the rows take.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use counterweight_core::{Deadline, LossTerms, Seed, Shared, SmallClass, StageContext};
use rustix::time::{ClockId, clock_gettime};

#[path = "../../../tests/peers/task.rs"]
mod task;
use task::{Failure, Task, method, write_scores};

/// CPU seconds of this thread so far.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// A figure of this process's memory in MB; 0 where the system does not say.
fn memory(key: &str) -> f64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        })
        .map_or(0.0, |kilobytes| kilobytes / 1024.0)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, task, output, repeats, words @ ..] = arguments.as_slice() else {
        return Err("usage: peers TASK OUTPUT REPEATS LEARNER [KEY=VALUE ..]".into());
    };
    let Task { train, test } = Task::read(task)?;
    let n_classes = train.counts().n_classes();
    let (learner, _) = method(counterweight_models::ALL, words)?;
    let repeats: usize = repeats.parse()?;
    let mut model = None;
    // Forgets the peak of reading the file, where the system lets it.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = memory("VmRSS");
    for _ in 0..repeats.max(1) {
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let started = cpu_seconds();
        model = Some(learner.fit(&train, &LossTerms::cross_entropy(n_classes), &mut context)?);
        println!("fit {:.6}", cpu_seconds() - started);
    }
    println!("peak {:.3}", memory("VmHWM") - before);
    let started = cpu_seconds();
    let scores = model.ok_or("at least one fit")?.scores(&test)?;
    println!("score {:.6}", cpu_seconds() - started);
    write_scores(output, &scores)
}
