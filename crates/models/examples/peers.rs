//! Fits a learner to a task that another program wrote, for the scripts of `tests/peers`, which
//! compare our learners with other libraries on the same rows.
//!
//! ```text
//! cargo build --release -p counterweight-models --example peers
//! peers TASK OUTPUT REPEATS LEARNER [KEY=VALUE ..]
//! ```
//!
//! TASK: the numbers rows, test rows, features, classes (u64), then training features (f64, row by
//! row), training labels (u32) and test features; little endian. OUTPUT gets the log-scores of the test
//! rows (f64). Prints the CPU seconds of each of REPEATS fits and of the last scoring, and the MB that the
//! fits added at their peak to the memory that the rows take.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::collections::BTreeMap;
use std::sync::Arc;

use counterweight_core::{
    Deadline, Labels, LossTerms, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
    StageContext, find, params,
};
use rustix::time::{ClockId, clock_gettime};

type Failure = Box<dyn std::error::Error>;

/// The next `n` pieces of `N` bytes.
fn take<const N: usize>(bytes: &mut &[u8], n: usize) -> Result<Vec<[u8; N]>, Failure> {
    let (head, rest) = bytes
        .split_at_checked(n * N)
        .ok_or("the task file is too short")?;
    *bytes = rest;
    Ok(head.as_chunks::<N>().0.to_vec())
}

fn numbers(bytes: &mut &[u8], rows: usize, cols: usize) -> Result<Matrix, Failure> {
    let values = take::<8>(bytes, rows * cols)?;
    let values = values.into_iter().map(f64::from_le_bytes).collect();
    Ok(Matrix::from_vec(rows, cols, values)?)
}

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

fn value(text: &str) -> ParamValue {
    if let Some(items) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        ParamValue::List(items.split(',').map(value).collect())
    } else if let Ok(flag) = text.parse::<bool>() {
        ParamValue::Flag(flag)
    } else if let Ok(whole) = text.parse::<i64>() {
        ParamValue::Whole(whole)
    } else if let Ok(real) = text.parse::<f64>() {
        ParamValue::Real(real)
    } else {
        ParamValue::Text(text.to_owned())
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, task, output, repeats, id, given @ ..] = arguments.as_slice() else {
        return Err("usage: peers TASK OUTPUT REPEATS LEARNER [KEY=VALUE ..]".into());
    };
    let file = std::fs::read(task)?;
    let mut bytes = file.as_slice();
    let mut shape = Vec::new();
    for word in take::<8>(&mut bytes, 4)? {
        shape.push(usize::try_from(u64::from_le_bytes(word))?);
    }
    let [rows, test_rows, cols, n_classes] = shape[..] else {
        return Err("the task file has no shape".into());
    };
    let x = numbers(&mut bytes, rows, cols)?;
    let y: Vec<u32> = take::<4>(&mut bytes, rows)?
        .into_iter()
        .map(u32::from_le_bytes)
        .collect();
    let test = numbers(&mut bytes, test_rows, cols)?;
    drop(file);

    let names: Arc<[String]> = (0..n_classes).map(|k| k.to_string()).collect();
    let samples = Samples::numeric(x, Labels::new(y, names)?)?;
    let (train, _) = Partition::new(rows, (0..rows).collect(), vec![])?.cut_samples(&samples)?;
    drop(samples);
    let given: BTreeMap<String, ParamValue> = given
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, text)| (key.to_owned(), value(text)))
        .collect();
    let entry = find(counterweight_models::ALL, id).ok_or("no such learner")?;
    let params =
        params::check(entry.card.params, &given).map_err(|errors| format!("{errors:?}"))?;
    let learner = (entry.build)(&params)?;
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
    let log: Vec<u8> = scores
        .log()
        .as_slice()
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    std::fs::write(output, log)?;
    Ok(())
}
