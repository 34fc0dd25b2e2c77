//! CPU seconds of the neighbour search and of the samplers that under-sample, clean or combine.
//!
//!     cargo bench -p counterweight-corrections --bench under [-- PART OF A NAME]
//!
//! Prints one JSON line an operation: its name, the number of rows that are left, and the least CPU
//! seconds of several runs of this thread (so that other work on the machine counts as
//! little as it can). `tests/peers/under.py` sets them against imbalanced-learn's on the same rows.
//! With the path of a CSV file of numbers whose last column is the class in `COUNTERWEIGHT_BENCH_ROWS`
//! those rows are taken instead of drawn ones.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for the one who measures"
)]

use std::collections::BTreeMap;

use counterweight_core::{
    Deadline, Labels, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
    StageContext, Train, find, params,
};
use counterweight_corrections::resample;
use counterweight_numeric::neighbours::{Points, nearest};
use rand::RngExt as _;
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds of this thread so far.
fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// Two unit-covariance classes at ratio 10 whose means are 2 apart.
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
    (
        Matrix::from_vec(classes.len(), cols, cells).unwrap(),
        classes,
    )
}

fn train(x: Matrix, classes: Vec<u32>) -> Train {
    let n = classes.len();
    let k = classes.iter().max().map_or(0, |&top| top + 1);
    let names = (0..k).map(|class| class.to_string()).collect();
    let samples = Samples::numeric(x, Labels::new(classes, names).unwrap()).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}

fn report(name: &str, run: &mut dyn FnMut() -> usize) {
    let wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let wanted: Vec<String> = wanted.collect();
    if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part)) {
        return;
    }
    let (mut least, mut rows, start) = (f64::INFINITY, 0, cpu());
    for at in 0..7 {
        if at >= 3 && cpu() - start > 8.0 {
            break;
        }
        let before = cpu();
        rows = run();
        least = least.min(cpu() - before);
    }
    println!("{{\"operation\":\"{name}\",\"rows\":{rows},\"cpu_min_s\":{least:.6}}}");
}

fn main() {
    let (x, classes) = match std::env::var("COUNTERWEIGHT_BENCH_ROWS") {
        Ok(path) => read(&path),
        Err(_) => drawn(20_000, 20),
    };
    let (n, d) = (x.rows(), x.cols());
    let all: Vec<usize> = (0..n).collect();
    let points = Points::numeric(x.clone());
    for k in [1, 5, 10] {
        report(&format!("neighbours_k{k}_n{n}_d{d}"), &mut || {
            nearest(&points, &all, &all, k, &Deadline::NEVER)
                .unwrap()
                .n_queries()
        });
    }
    let of = |class: u32| -> Vec<usize> { (0..n).filter(|&row| classes[row] == class).collect() };
    let (most, few) = (of(0), of(1));
    for (what, queries, among, k) in [
        ("class1_among_all", &few, &all, 5),
        ("class1_among_all", &few, &all, 10),
        ("class0_among_class1", &most, &few, 3),
    ] {
        report(&format!("neighbours_{what}_k{k}_n{n}_d{d}"), &mut || {
            nearest(&points, queries, among, k, &Deadline::NEVER)
                .unwrap()
                .n_queries()
        });
    }
    for d in [2, 3, 5, 8] {
        let points = Points::numeric(Matrix::from_fn(n, d, |i, j| x.at(i, j)));
        report(&format!("neighbours_k10_n{n}_d{d}"), &mut || {
            nearest(&points, &all, &all, 10, &Deadline::NEVER)
                .unwrap()
                .n_queries()
        });
    }
    let set = train(x, classes);
    let settings = [
        ("tomek-links", "", 0),
        ("enn", "", 0),
        ("repeated-enn", "", 0),
        ("all-knn", "", 0),
        ("neighbourhood-cleaning", "", 0),
        ("near-miss", "version", 1),
        ("near-miss", "version", 2),
        ("near-miss", "version", 3),
        ("cluster-centroids", "", 0),
        ("one-sided-selection", "", 0),
        ("smote-tomek", "", 0),
        ("smote-enn", "", 0),
        ("instance-hardness", "", 0),
        ("condensed-nn", "", 0),
    ];
    for (id, key, value) in settings {
        let entry = find(resample::ALL, id).unwrap_or_else(|| panic!("{id} is listed"));
        let given = BTreeMap::from([(key.to_owned(), ParamValue::Whole(value))]);
        let given = if key.is_empty() {
            BTreeMap::new()
        } else {
            given
        };
        let checked = params::check(entry.card.params, &given).unwrap();
        let method = (entry.build)(&checked).unwrap();
        let name = if key.is_empty() {
            id.to_owned()
        } else {
            format!("{id}-{value}")
        };
        report(&format!("{name}_n{n}_d{d}"), &mut || {
            let shared = Shared::default();
            let stream = Seed(1).stage("bench").open();
            let mut context =
                StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
            let after = method.resample(&set, &mut context).unwrap();
            after.samples().n_rows()
        });
    }
}
