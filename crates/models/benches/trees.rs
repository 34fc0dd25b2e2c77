//! CPU seconds and peak memory of whole fits of the tree learners.
//!
//! ```text
//! cargo bench -p counterweight-models --bench trees            # every operation
//! cargo bench -p counterweight-models --bench trees -- forest  # those whose name contains this
//! ```
//!
//! Prints one JSON line an operation: the least CPU seconds of the repeats, and the MB that the process
//! has held at its peak so far (`VmHWM`), which is the operation's own when it is the only one asked
//! for. `tests/peers/trees.py` compares with other libraries.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Labels, LossTerms, Matrix, Partition, Samples, Seed, Shared, SmallClass,
    StageContext, Train, find, params,
};
use rand::RngExt as _;
use rustix::time::{ClockId, clock_gettime};

type Failure = Box<dyn std::error::Error>;

/// Learner, rows, features, classes, repeats.
const OPERATIONS: [(&str, usize, usize, usize, usize); 8] = [
    ("gradient-boosting", 50_000, 20, 2, 5),
    ("gradient-boosting", 50_000, 20, 3, 3),
    ("gradient-boosting", 2_000, 10, 2, 15),
    ("random-forest", 10_000, 20, 2, 5),
    ("random-forest", 2_000, 10, 2, 15),
    ("extra-trees", 10_000, 20, 2, 3),
    ("decision-tree", 10_000, 20, 2, 9),
    ("adaboost", 10_000, 20, 2, 9),
];

/// Gaussian classes of equal size with means 2 apart.
fn data(n: usize, d: usize, k: usize) -> Result<Train, Failure> {
    let mut stream = Seed(1).stage("bench").open();
    let mut normal = || {
        let u: f64 = 1.0 - stream.random::<f64>();
        let v: f64 = stream.random();
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let x = Matrix::from_fn(n, d, |i, j| {
        normal() + if i % k == j { 2.0_f64.sqrt() } else { 0.0 }
    });
    let texts: Vec<String> = (0..n).map(|i| (i % k).to_string()).collect();
    let samples = Samples::numeric(x, Labels::from_texts(&texts))?;
    let whole = Partition::new(n, (0..n).collect(), vec![])?;
    Ok(whole.cut_samples(&samples)?.0)
}

fn first_number(path: &str, line: &str, place: usize) -> Option<f64> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|text| text.starts_with(line))?;
    line.split_whitespace().nth(place)?.parse().ok()
}

/// CPU seconds of this thread so far.
fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Failure> {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    for (id, n, d, k, repeats) in OPERATIONS {
        let name = format!("{id}_n{n}_d{d}_k{k}");
        if !asked.iter().all(|word| name.contains(word)) {
            continue;
        }
        let entry = find(counterweight_models::ALL, id).ok_or("no such learner")?;
        let given = params::check(entry.card.params, &BTreeMap::new())
            .map_err(|errors| format!("{errors:?}"))?;
        let learner = (entry.build)(&given)?;
        let train = data(n, d, k)?;
        let mut least = f64::INFINITY;
        for _ in 0..repeats {
            let shared = Shared::default();
            let stream = Seed(1).stage("fit").open();
            let mut context =
                StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
            let started = cpu();
            learner.fit(&train, &LossTerms::cross_entropy(k), &mut context)?;
            least = least.min(cpu() - started);
        }
        let peak = first_number("/proc/self/status", "VmHWM", 1).unwrap_or(f64::NAN) / 1024.0;
        println!(
            "{{\"operation\":\"{name}\",\"cpu_seconds\":{least:.6},\"repeats\":{repeats},\"peak_mb\":{peak:.1}}}"
        );
    }
    Ok(())
}
