//! One file a command.

pub(crate) mod advise;
pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod datasets;
pub(crate) mod decide;
pub(crate) mod explain;
pub(crate) mod gate;
pub(crate) mod import_scores;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod merge;
pub(crate) mod rank;
pub(crate) mod report;
pub(crate) mod resample;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod verify;

use counterweight::{Error, Result};
use counterweight_core::Outcome;
use serde::Serialize;

/// Most differences that are printed one by one.
const SHOWN: usize = 20;

/// Counts by outcome in words.
fn counts(outcomes: &[(Outcome, usize)]) -> String {
    let counts = outcomes.iter();
    let counts: Vec<String> = counts
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect();
    counts.join(", ")
}

fn print_json<T: Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::internal(e.to_string()))?;
    println!("{text}");
    Ok(())
}

/// Prints the first of many lines, and how many more there are.
fn print_some(lines: &[String]) {
    for line in lines.iter().take(SHOWN) {
        println!("{line}");
    }
    if lines.len() > SHOWN {
        println!("... and {} more", lines.len() - SHOWN);
    }
}
