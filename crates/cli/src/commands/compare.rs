//! `counterweight compare`: do two sets of records agree by value?

use std::path::Path;

use counterweight::{Exit, Result};

use crate::commands::print_some;

pub(crate) fn compare(first: &Path, second: &Path) -> Result<Exit> {
    let found = counterweight::compare(first, second)?;
    print_some(&found.differences);
    println!(
        "{} cells in both, {} difference{}, {} with flipped decisions",
        found.common,
        found.differences.len(),
        if found.differences.len() == 1 {
            ""
        } else {
            "s"
        },
        found.flipped
    );
    if found.renamed > 0 {
        println!("{} of them have another id", found.renamed);
    }
    if let Some((a, b)) = &found.cpus {
        println!("the CPU features differ: {a} against {b}");
    }
    Ok(if found.agree { Exit::Ok } else { Exit::Finding })
}
