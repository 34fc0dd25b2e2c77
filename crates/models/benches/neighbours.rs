//! CPU time of k nearest neighbours: fit and score, one JSON line per operation.
//!
//! `cargo bench -p counterweight-models --bench neighbours -- [repeats] [operation]`; tests/peers/neighbours.py
//! runs it beside scikit-learn. The rows are those of a Gaussian cloud, or of a curve in as many columns.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench program prints its numbers and stops at what is wrong"
)]

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Labels, LossTerms, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
    StageContext, Stream, find, params,
};
use rand::RngExt as _;
use rustix::time::{ClockId, clock_gettime};

/// Name, training rows, scored rows, features, whether the rows lie on a curve.
const OPERATIONS: [(&str, usize, usize, usize, bool); 6] = [
    ("cloud_n10000_q10000_d20", 10_000, 10_000, 20, false),
    ("cloud_n10000_q10000_d5", 10_000, 10_000, 5, false),
    ("cloud_n10000_q10000_d2", 10_000, 10_000, 2, false),
    ("curve_n10000_q10000_d20", 10_000, 10_000, 20, true),
    ("cloud_n2000_q2000_d10", 2_000, 2_000, 10, false),
    ("cloud_n10000_q10000_d100", 10_000, 10_000, 100, false),
];

/// Seconds of this thread on a CPU.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn normal(stream: &mut Stream) -> f64 {
    let u: f64 = 1.0 - stream.random::<f64>();
    let v: f64 = stream.random();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn rows(n: usize, d: usize, curve: bool, stream: &mut Stream) -> (Matrix, Vec<u32>) {
    let classes: Vec<u32> = (0..n).map(|i| u32::from(i % 2 == 1)).collect();
    let mut at = 0.0;
    let x = Matrix::from_fn(n, d, |i, j| {
        if curve {
            if j == 0 {
                at = 6.0 * stream.random::<f64>();
            }
            return (at + j as f64).sin();
        }
        let mean = if j == classes[i] as usize {
            std::f64::consts::SQRT_2
        } else {
            0.0
        };
        mean + normal(stream)
    });
    (x, classes)
}

fn main() {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let repeats: usize = args.first().map_or(3, |text| text.parse().unwrap());
    let only = args.get(1).cloned().unwrap_or_default();
    let entry = find(counterweight_models::ALL, "k-nearest-neighbours").unwrap();
    let none: BTreeMap<String, ParamValue> = BTreeMap::new();
    let params = params::check(entry.card.params, &none).unwrap();
    let learner = (entry.build)(&params).unwrap();
    for (name, n, q, d, curve) in OPERATIONS {
        if !only.is_empty() && name != only {
            continue;
        }
        let mut stream = Seed(1).stage("bench").open();
        let (x, classes) = rows(n, d, curve, &mut stream);
        let (queries, _) = rows(q, d, curve, &mut stream);
        let labels = Labels::new(classes, vec!["0".to_owned(), "1".to_owned()].into()).unwrap();
        let samples = Samples::numeric(x, labels).unwrap();
        let whole = Partition::new(n, (0..n).collect(), vec![]).unwrap();
        let (train, _) = whole.cut_samples(&samples).unwrap();
        let terms = LossTerms::cross_entropy(2);
        let mut seconds: Vec<f64> = (0..repeats)
            .map(|_| {
                let shared = Shared::default();
                let stream = Seed(1).stage("fit").open();
                let mut context =
                    StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
                let start = cpu_seconds();
                let model = learner.fit(&train, &terms, &mut context).unwrap();
                let scores = model.scores(&queries).unwrap();
                assert_eq!(scores.n_rows(), q);
                cpu_seconds() - start
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        println!(
            "{{\"operation\":\"{name}\",\"cpu_min_s\":{:.6}}}",
            seconds[0]
        );
    }
}
