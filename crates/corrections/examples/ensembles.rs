//! Fits an ensemble to a task that another program wrote, for `tests/peers/ensembles.py`, which
//! compares our ensembles with imbalanced-learn's on the same rows.
//!
//! ```text
//! cargo build --release -p counterweight-corrections --example ensembles
//! ensembles TASK OUTPUT SEED ENSEMBLE [KEY=VALUE ..] LEARNER [KEY=VALUE ..]
//! ```
//!
//! TASK and OUTPUT are files as `tests/peers/task.rs` describes them.

use counterweight_core::{Base, Deadline, Seed, Shared, SmallClass, StageContext};

#[path = "../../../tests/peers/task.rs"]
mod task;
use task::{Failure, Task, method, write_scores};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, task, output, seed, words @ ..] = arguments.as_slice() else {
        return Err("usage: ensembles TASK OUTPUT SEED ENSEMBLE [KEY=VALUE ..] LEARNER ..".into());
    };
    let Task { train, test } = Task::read(task)?;
    let (ensemble, words) = method(counterweight_corrections::ensemble::ALL, words)?;
    let (learner, _) = method(counterweight_models::ALL, words)?;
    let base = Base {
        id: "base",
        learner: &*learner,
        max_rows: None,
        encode: &|rows| Ok(rows.clone()),
    };
    let shared = Shared::default();
    let stream = Seed(seed.parse()?).stage("ensemble").open();
    let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
    let fit = ensemble.fit(&train, &base, &mut context)?;
    let scores = fit.fitted.scores(&test)?;
    write_scores(output, &scores)
}
