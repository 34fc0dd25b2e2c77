//! CPU seconds of whole softmax-regression fits.
//!
//!     cargo bench -p counterweight-models --bench softmax [-- TOLERANCE..]
//!
//! Prints one JSON line a fit: its name, the gradient that it reached relative to its scale, and the least
//! CPU seconds of several runs of this thread (so that other work on the machine counts as
//! little as it can; each run repeats the fit until the clock's ticks no longer matter). Tolerances are those
//! of the learner; without any, its default. `tests/peers/softmax.py` sets it against scikit-learn at equal
//! gradients on the same rows: with the path of a CSV file of numbers whose last column is the class in
//! `COUNTERWEIGHT_BENCH_ROWS` those rows are taken instead of drawn ones.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for the one who measures"
)]

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Labels, LossTerms, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
    StageContext, Stream, Train, find, params,
};
use rand::RngExt as _;
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds of this thread so far.
fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn normal(stream: &mut Stream) -> f64 {
    let u: f64 = 1.0 - stream.random::<f64>();
    let v: f64 = stream.random();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Unit-covariance classes whose means are 2 apart.
fn drawn(n: usize, d: usize, k: u32) -> (Matrix, Vec<u32>) {
    let mut stream = Seed(0).stage("bench").open();
    let classes: Vec<u32> = (0..n).map(|_| stream.random_range(0..k)).collect();
    let x = Matrix::from_fn(n, d, |i, j| {
        let own = classes[i] as usize == j;
        normal(&mut stream) + if own { std::f64::consts::SQRT_2 } else { 0.0 }
    });
    (x, classes)
}

fn read(path: &str) -> (Matrix, Vec<u32>) {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut cells, mut classes): (Vec<f64>, Vec<u32>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (row, class) = line.rsplit_once(',').unwrap();
        cells.extend(row.split(',').map(|v| v.parse::<f64>().unwrap()));
        classes.push(class.parse().unwrap());
    }
    let cols = cells.len() / classes.len();
    (
        Matrix::from_vec(classes.len(), cols, cells).unwrap(),
        classes,
    )
}

fn train(x: Matrix, classes: &[u32]) -> Train {
    let texts: Vec<String> = classes.iter().map(u32::to_string).collect();
    let n = x.rows();
    let samples = Samples::numeric(x, Labels::from_texts(&texts)).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}

fn measure(train: &Train, tolerance: Option<f64>) {
    const RUNS: usize = 5;
    let entry = find(counterweight_models::ALL, "softmax-regression").unwrap();
    let given: BTreeMap<String, ParamValue> = tolerance
        .map(|t| ("tolerance".to_owned(), ParamValue::Real(t)))
        .into_iter()
        .collect();
    let params = params::check(entry.card.params, &given).unwrap();
    let learner = (entry.build)(&params).unwrap();
    let (n, d, k) = (
        train.samples().n_rows(),
        train.samples().x().cols(),
        train.samples().y().n_classes(),
    );
    let terms = LossTerms::cross_entropy(k);
    let fit = || {
        let shared = Shared::default();
        let stream = Seed(1).stage("fit").open();
        let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
        std::hint::black_box(learner.fit(train, &terms, &mut context).unwrap());
        context.details["relative_gradient"]
    };
    let gradient = fit();
    let (mut least, mut repeats) = (f64::INFINITY, 1_u32);
    for _ in 0..RUNS {
        loop {
            let before = cpu();
            for _ in 0..repeats {
                fit();
            }
            let took = cpu() - before;
            if took > 0.15 {
                least = least.min(took / f64::from(repeats));
                break;
            }
            repeats *= 2;
        }
    }
    let tolerance = tolerance.map_or("null".to_owned(), |t| format!("{t:e}"));
    println!(
        "{{\"operation\": \"softmax_fit_n{n}_d{d}_k{k}\", \"tolerance\": {tolerance}, \
         \"relative_gradient\": {gradient:e}, \"cpu_seconds\": {least:e}}}"
    );
}

fn main() {
    let tolerances: Vec<f64> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let sets = match std::env::var("COUNTERWEIGHT_BENCH_ROWS") {
        Ok(path) => vec![read(&path)],
        Err(_) => [2, 3, 10].map(|k| drawn(10_000, 20, k)).into(),
    };
    for (x, classes) in sets {
        let train = train(x, &classes);
        if tolerances.is_empty() {
            measure(&train, None);
        }
        for &tolerance in &tolerances {
            measure(&train, Some(tolerance));
        }
    }
}
