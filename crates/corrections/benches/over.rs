//! CPU seconds of the over-samplers, and the memory of SMOTE-NC.
//!
//!     cargo bench -p counterweight-corrections --bench over [-- PART OF A NAME]
//!     cargo bench -p counterweight-corrections --bench over -- memory
//!
//! Prints one JSON line an operation: its name, the rows that it makes, and the least CPU seconds of
//! several runs of this thread (so that other work on the machine counts as little as it
//! can). Every run starts from nothing: no neighbour graph of another one. `tests/peers/over.py` sets
//! them against imbalanced-learn's on the same rows: with the path of a CSV file of numbers whose last
//! column is the class in `COUNTERWEIGHT_BENCH_ROWS` those rows are taken instead of drawn ones.
//!
//! `memory` runs SMOTE-NC once on 100,000 rows with 40 nominal columns of 100 levels and one numeric
//! column, and gives the process's peak of resident memory beside the size of the data. One-hot
//! encoded, these columns alone would take 3.2 GB.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for the one who measures"
)]

use std::collections::BTreeMap;

use counterweight_core::{
    ColumnKind, Deadline, Labels, Matrix, Origin, ParamValue, Partition, Resampler, Samples, Seed,
    Shared, SmallClass, StageContext, Train, find, params,
};
use counterweight_corrections::resample;
use rand::RngExt as _;
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds of this thread so far.
fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// A line of `/proc/self/status`, in megabytes.
fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    let kilobytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024.0
}

/// Unit-covariance classes at ratio 10 whose means are 2 apart.
fn drawn(n: usize, d: usize) -> (Matrix, Vec<u32>) {
    let mut stream = Seed(0).stage("bench").open();
    let classes: Vec<u32> = (0..n)
        .map(|_| u32::from(stream.random::<f64>() < 1.0 / 11.0))
        .collect();
    let x = Matrix::from_fn(n, d, |i, j| {
        let z: f64 = stream.sample(rand_distr::StandardNormal);
        let at = if classes[i] as usize == j {
            2.0_f64.sqrt()
        } else {
            0.0
        };
        z + at
    });
    (x, classes)
}

fn read(path: &str) -> (Matrix, Vec<u32>) {
    let text = std::fs::read_to_string(path).unwrap();
    let (mut cells, mut classes, mut cols) = (Vec::new(), Vec::new(), 0);
    for line in text.lines() {
        let (row, class) = line.rsplit_once(',').unwrap();
        let values: Vec<f64> = row.split(',').map(|v| v.parse().unwrap()).collect();
        cols = values.len();
        cells.extend(values);
        classes.push(class.parse().unwrap());
    }
    let x = Matrix::from_vec(classes.len(), cols, cells).unwrap();
    (x, classes)
}

fn train(x: Matrix, kinds: Vec<ColumnKind>, classes: Vec<u32>) -> Train {
    let n = classes.len();
    let k = classes.iter().max().map_or(0, |&top| top + 1);
    let names = (0..k).map(|class| class.to_string()).collect();
    let labels = Labels::new(classes, names).unwrap();
    let origins = (0..n).map(Origin::Row).collect();
    let samples = Samples::new(x, kinds.into(), labels, origins).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}

fn build(id: &str, given: &[(&str, ParamValue)]) -> Box<dyn Resampler> {
    let entry = find(resample::ALL, id).unwrap_or_else(|| panic!("{id} is listed"));
    let given: BTreeMap<String, ParamValue> = given
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    (entry.build)(&params::check(entry.card.params, &given).unwrap()).unwrap()
}

fn made(method: &dyn Resampler, set: &Train) -> usize {
    let shared = Shared::default();
    let stream = Seed(1).stage("bench").open();
    let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
    let after = method.resample(set, &mut context).unwrap();
    let made = |origin: &&Origin| matches!(origin, Origin::Synthetic { .. });
    after.samples().origins().iter().filter(made).count()
}

fn report(name: &str, run: &mut dyn FnMut() -> usize) {
    let (mut least, mut rows, start) = (f64::INFINITY, 0, cpu());
    for at in 0..7 {
        if at >= 3 && cpu() - start > 8.0 {
            break;
        }
        // The clock of the scheduler moves in steps of a few milliseconds: short runs go in batches.
        let (before, mut runs) = (cpu(), 0);
        while runs == 0 || cpu() - before < 0.03 {
            rows = run();
            runs += 1;
        }
        least = least.min((cpu() - before) / f64::from(runs));
    }
    println!("{{\"operation\":\"{name}\",\"rows\":{rows},\"cpu_min_s\":{least:.6}}}");
}

fn memory() {
    let (n, nominal, levels) = (100_000, 40, 100_u32);
    let mut stream = Seed(2).stage("bench").open();
    let classes: Vec<u32> = (0..n).map(|i| u32::from(i % 20 == 0)).collect();
    let x = Matrix::from_fn(n, nominal + 1, |_, j| {
        if j == 0 {
            stream.sample(rand_distr::StandardNormal)
        } else {
            f64::from(stream.random_range(0..levels))
        }
    });
    let mut kinds = vec![ColumnKind::Numeric];
    kinds.resize(
        nominal + 1,
        ColumnKind::Nominal {
            levels: levels as usize,
        },
    );
    let set = train(x, kinds, classes);
    let data = (n * (nominal + 1) * 8) as f64 / f64::from(1 << 20);
    let method = build("smote-nc", &[]);
    let (resident, before) = (status("VmRSS"), cpu());
    let rows = made(&*method, &set);
    println!(
        "{{\"operation\":\"smote-nc_memory_n{n}_nominal{nominal}_levels{levels}\",\"rows\":{rows},\
         \"cpu_s\":{:.3},\"data_mb\":{data:.0},\"resident_before_mb\":{resident:.0},\"peak_mb\":{:.0}}}",
        cpu() - before,
        status("VmHWM"),
    );
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if wanted.iter().any(|part| part == "memory") {
        return memory();
    }
    let (x, classes) = match std::env::var("COUNTERWEIGHT_BENCH_ROWS") {
        Ok(path) => read(&path),
        Err(_) => drawn(20_000, 20),
    };
    let (n, d) = (x.rows(), x.cols());
    let kinds = vec![ColumnKind::Numeric; d];
    let set = train(x, kinds, classes);
    let settings: &[(&str, &[(&str, ParamValue)])] = &[
        ("random-over", &[]),
        ("smote", &[]),
        ("borderline-smote", &[]),
        ("adasyn", &[]),
        ("safe-level-smote", &[]),
        // Its defaults find no cluster of the minority where the classes overlap.
        (
            "kmeans-smote",
            &[("balance_threshold", ParamValue::Real(0.0))],
        ),
        ("polynom-fit-smote", &[]),
        ("prowsyn", &[]),
        ("mwmote", &[]),
        ("smote-ipf", &[]),
        ("svm-smote", &[]),
    ];
    for (id, given) in settings {
        let name = format!("{id}_n{n}_d{d}");
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part)) {
            continue;
        }
        let method = build(id, given);
        report(&name, &mut || made(&*method, &set));
    }
}
