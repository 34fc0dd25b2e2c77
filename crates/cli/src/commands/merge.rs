//! `counterweight merge`: segments of shards or machines become one set of records.

use std::path::{Path, PathBuf};

use counterweight::{Exit, Result, Session};

use crate::commands::counts;

pub(crate) fn merge(session: &Session<'_>, path: &Path, stores: &[PathBuf]) -> Result<Exit> {
    let merged = counterweight::merge(session, path, stores)?;
    println!(
        "{}: {} of {} cells: {}",
        merged.sweep,
        merged.done,
        merged.cells,
        counts(&merged.outcomes)
    );
    if merged.repeated > 0 {
        println!(
            "{} records stood in more than one place with the same values",
            merged.repeated
        );
    }
    if merged.rounded > 0 {
        println!(
            "{} records agreed to 1e-9 only; the first was kept",
            merged.rounded
        );
    }
    if merged.lacking > 0 {
        println!(
            "{} cells came without the scores, curves or reliability bins that stand beside their records; `run` \
             makes them",
            merged.lacking
        );
    }
    if merged.strangers > 0 {
        println!(
            "{} records belong to no cell of this sweep and were left out",
            merged.strangers
        );
    }
    Ok(merged.exit)
}
