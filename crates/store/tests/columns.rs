//! The columns of records.parquet as documentation: docs/RECORDS.md is written from their declaration.
//!
//! `COUNTERWEIGHT_WRITE_DOCS=1 cargo test -p counterweight-store` writes the file anew.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use counterweight_store::{COLUMNS, METRIC_COLUMNS};

#[test]
fn columns_are_documented_and_of_different_names() {
    let names: BTreeSet<&str> = COLUMNS
        .iter()
        .map(|column| column.name)
        .chain(METRIC_COLUMNS)
        .collect();
    assert_eq!(names.len(), COLUMNS.len() + METRIC_COLUMNS.len());
    let mut text = "# The columns of records.parquet\n\nWritten from their declaration in `crates/store/src/records.rs`. \
        The columns of the contract end with `recalls`.\n\n| column | type | holds |\n|---|---|---|\n"
        .to_owned();
    for column in COLUMNS {
        let name = if column.is_single() {
            format!("`{}`", column.name)
        } else {
            column.name.to_owned()
        };
        writeln!(text, "| {name} | {} | {} |", column.kind(), column.about).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/RECORDS.md");
    if std::env::var_os("COUNTERWEIGHT_WRITE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == text,
        "docs/RECORDS.md is out of date: COUNTERWEIGHT_WRITE_DOCS=1 cargo test -p counterweight-store"
    );
}
