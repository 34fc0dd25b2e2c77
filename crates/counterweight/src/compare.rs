//! Do two sets of records agree by value?
//!
//! Records are matched by what they are about (dataset, profile, ratio, repeat, fold, model and
//! correction) and not by cell id, since ids change with the results epoch while values should not.
//! Bytes are identical on one machine and binary; between CPU types the last bits of a number may
//! differ, and once in a while a decision on the edge flips. So numbers are compared to 1e-9, and a
//! cell whose recalls differ is listed as a flipped decision. Where the two folders' run.json name
//! different CPU features, a few differing cells (1 in 200) are listed without being a finding.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::Record;

use crate::exit::Result;
use crate::provenance::Provenance;
use crate::records::read_records;

/// Agreement of two numbers, relative to 1.
const AGREE: f64 = 1e-9;

/// Between CPUs of different features, one cell in this many may differ.
const RARE: usize = 200;

/// What two sets of records have in common.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// A line a cell that differs, or stands in one of them only.
    pub differences: Vec<String>,
    /// Cells in both.
    pub common: usize,
    /// Cells whose recalls differ.
    pub flipped: usize,
    /// Cells of another id.
    pub renamed: usize,
    /// The CPU features of both, where they differ.
    pub cpus: Option<(String, String)>,
    /// Whether they are the same as far as their machines allow.
    pub agree: bool,
}

/// Compares two report folders or records files by value.
///
/// # Errors
/// When one of them cannot be read.
pub fn compare(first: &Path, second: &Path) -> Result<Comparison> {
    let (a, b) = (read_records(first)?, read_records(second)?);
    let (a, b) = (by_subject(&a), by_subject(&b));
    let mut lines = Vec::new();
    let (mut common, mut flipped, mut renamed) = (0, 0, 0);
    for (subject, x) in &a {
        match b.get(subject) {
            None => lines.push(format!("{}: only in {}", name(x), first.display())),
            Some(y) => {
                common += 1;
                renamed += usize::from(x.cell != y.cell);
                if x.recalls != y.recalls {
                    flipped += 1;
                }
                lines.extend(difference(x, y).map(|field| format!("{}: {field}", name(x))));
            }
        }
    }
    for (_, y) in b.iter().filter(|(subject, _)| !a.contains_key(*subject)) {
        lines.push(format!("{}: only in {}", name(y), second.display()));
    }
    let cpus = match (Provenance::cpu(first), Provenance::cpu(second)) {
        (Some(a), Some(b)) if a != b => Some((a, b)),
        _ => None,
    };
    let tolerable = cpus.is_some() && a.len() == common && b.len() == common;
    Ok(Comparison {
        agree: lines.is_empty() || (tolerable && lines.len() * RARE <= common),
        differences: lines,
        common,
        flipped,
        renamed,
        cpus,
    })
}

/// What a record is about, whatever its id.
type Subject<'a> = (&'a str, &'a str, Option<u64>, u64, u64, &'a str, &'a str);

fn by_subject(records: &[Record]) -> BTreeMap<Subject<'_>, &Record> {
    records
        .iter()
        .map(|record| {
            let subject = (
                record.dataset.as_ref(),
                record.profile.as_ref(),
                record.requested_ratio.map(f64::to_bits),
                record.repeat,
                record.fold,
                record.model.as_ref(),
                record.correction.as_ref(),
            );
            (subject, record)
        })
        .collect()
}

pub(crate) fn name(record: &Record) -> String {
    let ratio = record
        .requested_ratio
        .map_or_else(|| "natural".to_owned(), |r| r.to_string());
    format!(
        "{} {} ratio {ratio} repeat {} fold {} {} {}",
        record.cell, record.dataset, record.repeat, record.fold, record.model, record.correction
    )
}

/// The first thing in which two records of one cell differ.
pub(crate) fn difference(x: &Record, y: &Record) -> Option<String> {
    if x.outcome != y.outcome {
        return Some(format!("outcome {} against {}", x.outcome, y.outcome));
    }
    let numbers = |record: &Record| {
        let mut all: BTreeMap<String, f64> = record
            .metrics
            .iter()
            .map(|(id, value)| (id.to_string(), *value))
            .collect();
        all.extend(
            record
                .bayes_balanced_error
                .map(|value| ("bayes_balanced_error".to_owned(), value)),
        );
        for (class, recall) in record.recalls.iter().enumerate() {
            all.extend(recall.map(|value| (format!("recall of class {class}"), value)));
        }
        all
    };
    let (left, right) = (numbers(x), numbers(y));
    for (key, a) in &left {
        let Some(b) = right.get(key) else {
            return Some(format!("{key} {a} against nothing"));
        };
        // Written so that NaN never passes.
        let agree = (a - b).abs() <= AGREE * a.abs().max(b.abs()).max(1.0);
        if !agree {
            return Some(format!("{key} {a} against {b}"));
        }
    }
    right
        .keys()
        .find(|key| !left.contains_key(*key))
        .map(|key| format!("{key} only in the second"))
}
