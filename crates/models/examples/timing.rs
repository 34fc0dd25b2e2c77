//! Times every learner, as a check of the cost estimates on its card and of softmax regression against
//! a peer.
//!
//! ```text
//! cargo run --release -p counterweight-models --example timing            # softmax regression
//! cargo run --release -p counterweight-models --example timing -- costs   # every learner
//! cargo run --release -p counterweight-models --example timing -- costs smartcore-   # these
//! ```
//!
//! Prints `learner n d K seconds estimate` lines; seconds are the best of three.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::time::Instant;

use counterweight_core::{
    Deadline, Labels, LearnerEntry, LossTerms, Matrix, Partition, Samples, Seed, Shared,
    SmallClass, StageContext, Train, Workload, params,
};
use rand::RngExt as _;

/// Overlapping Gaussian classes of equal size with means on the axes.
fn data(n: usize, d: usize, k: usize) -> (Train, Matrix) {
    let mut stream = Seed(1).stage("timing").open();
    let mut normal = || {
        let u: f64 = 1.0 - stream.random::<f64>();
        let v: f64 = stream.random();
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let x = Matrix::from_fn(n, d, |i, j| normal() + if i % k == j { 1.0 } else { 0.0 });
    let texts: Vec<String> = (0..n).map(|i| (i % k).to_string()).collect();
    let samples = Samples::numeric(x.clone(), Labels::from_texts(&texts)).expect("shapes agree");
    let whole = Partition::new(n, (0..n).collect(), vec![]).expect("every row once");
    let (train, _) = whole.cut_samples(&samples).expect("the same rows");
    (train, x)
}

fn time(entry: &LearnerEntry, n: usize, d: usize, k: usize, with_scores: bool) {
    let params = params::check(entry.card.params, &BTreeMap::new()).expect("defaults are valid");
    let learner = (entry.build)(&params).expect("defaults build");
    let (train, x) = data(n, d, k);
    let mut best = f64::INFINITY;
    let mut iterations = 0.0;
    for _ in 0..3 {
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        let started = Instant::now();
        match learner.fit(&train, &LossTerms::cross_entropy(k), &mut context) {
            Ok(model) => {
                if with_scores && let Err(error) = model.scores(&x) {
                    println!("{}: {error}", entry.card.id);
                }
            }
            Err(error) => println!("{}: {error}", entry.card.id),
        }
        best = best.min(started.elapsed().as_secs_f64());
        iterations = context.details.get("iterations").copied().unwrap_or(0.0);
        if best > 5.0 {
            break;
        }
    }
    let work = Workload {
        n_train: n,
        n_score: if with_scores { n } else { 0 },
        n_features: d,
        n_classes: k,
    };
    let estimate = (entry.caps.cost)(&params, &work);
    println!(
        "{:<28} n {n:>6}  d {d:>3}  K {k:>2}  {best:>9.4} s  estimate {estimate:>9.4} s  iterations {iterations}",
        entry.card.id
    );
}

fn main() {
    let all = std::env::args().nth(1).is_some_and(|word| word == "costs");
    if all {
        let start = std::env::args().nth(2).unwrap_or_default();
        let asked = |entry: &&LearnerEntry| entry.card.id.starts_with(&start);
        for entry in counterweight_models::ALL.iter().filter(asked) {
            for (n, d, k) in [(500, 10, 2), (2_000, 10, 2), (2_000, 40, 5), (8_000, 10, 3)] {
                time(entry, n, d, k, true);
            }
        }
    } else if let Some(entry) =
        counterweight_core::find(counterweight_models::ALL, "softmax-regression")
    {
        for (n, d, k) in [
            (10_000, 20, 2),
            (10_000, 20, 3),
            (10_000, 20, 10),
            (20_000, 50, 10),
        ] {
            time(entry, n, d, k, false);
        }
    }
}
