//! The file format of the scripts beside this file: a task that they write, and the scores that a program
//! of ours writes back.
//!
//! TASK: the numbers rows, test rows, features, classes (u64), then training features (f64, row by
//! row), training labels (u32) and test features; little endian. OUTPUT: the log-scores of the test rows
//! (f64).

use std::collections::BTreeMap;
use std::sync::Arc;

use counterweight_core::{
    Entry, Labels, Matrix, ParamValue, Partition, Samples, Scores, Train, find, params,
};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// What there is to fit and to score.
pub(crate) struct Task {
    pub(crate) train: Train,
    pub(crate) test: Matrix,
}

impl Task {
    pub(crate) fn read(path: &str) -> Result<Self, Failure> {
        let file = std::fs::read(path)?;
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
        let names: Arc<[String]> = (0..n_classes).map(|k| k.to_string()).collect();
        let samples = Samples::numeric(x, Labels::new(y, names)?)?;
        let (train, _) =
            Partition::new(rows, (0..rows).collect(), vec![])?.cut_samples(&samples)?;
        Ok(Self { train, test })
    }
}

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

/// Writes the log-scores.
pub(crate) fn write_scores(path: &str, scores: &Scores) -> Result<(), Failure> {
    let log: Vec<u8> = scores
        .log()
        .as_slice()
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    std::fs::write(path, log)?;
    Ok(())
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

/// Builds the method called by the first word with the `KEY=VALUE` words that follow it; gives back what
/// comes after those.
pub(crate) fn method<'w, C, T: ?Sized>(
    entries: &'static [Entry<C, T>],
    words: &'w [String],
) -> Result<(Box<T>, &'w [String]), Failure> {
    let (id, rest) = words.split_first().ok_or("a method is missing")?;
    let pairs = rest.iter().take_while(|word| word.contains('=')).count();
    let (pairs, rest) = rest.split_at(pairs);
    let given: BTreeMap<String, ParamValue> = pairs
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, text)| (key.to_owned(), value(text)))
        .collect();
    let entry = find(entries, id).ok_or_else(|| format!("no method called {id}"))?;
    let params =
        params::check(entry.card.params, &given).map_err(|errors| format!("{errors:?}"))?;
    Ok(((entry.build)(&params)?, rest))
}
