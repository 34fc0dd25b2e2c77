//! Makes a large report folder out of a small one, to measure `counterweight report` on a million
//! records: every record again under other dataset names, with a little difference each.
//!
//! ```text
//! cargo run --release -p counterweight --features sweep --example large_report -- reports/reference FOLDER 23
//! /usr/bin/time -v target/release/counterweight report FOLDER
//! ```

use std::error::Error;
use std::path::PathBuf;

use counterweight::CATALOGUE;
use counterweight_core::{CellId, Hasher, Record, Timing};
use counterweight_frame::{read_table, write_table};
use counterweight_store::{
    attach_details, details_table, records_from_table, records_table, timings_from_table,
    timings_table,
};

const USAGE: &str = "large_report FROM TO COPIES";

#[expect(clippy::print_stdout, reason = "an example that says what it wrote")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let from = PathBuf::from(given.next().ok_or(USAGE)?);
    let to = PathBuf::from(given.next().ok_or(USAGE)?);
    let copies: u32 = given.next().ok_or(USAGE)?.parse()?;
    let mut records = records_from_table(&read_table(&from.join("records.parquet"))?)?;
    let details = from.join("details.parquet");
    if details.is_file() {
        attach_details(&mut records, &read_table(&details)?)?;
    }
    // What a clone lacks, since times are not committed.
    let timings = from.join("timings.parquet");
    let timings = if timings.is_file() {
        timings_from_table(&read_table(&timings)?)?
    } else {
        Vec::new()
    };
    let (mut all, mut times): (Vec<Record>, Vec<Timing>) = (Vec::new(), Vec::new());
    for copy in 0..copies {
        let cell = |cell: &CellId| {
            let hash = Hasher::new("copy").text(&cell.0).number(u64::from(copy));
            CellId(hash.finish().short())
        };
        for record in &records {
            let mut record = record.clone();
            record.cell = cell(&record.cell);
            record.dataset = format!("{}-{copy}", record.dataset).into();
            if let Some(error) = record.metrics.get_mut("balanced_error") {
                *error = (*error + 1e-4 * f64::from(copy)).min(1.0);
            }
            all.push(record);
        }
        times.extend(timings.iter().map(|timing| Timing {
            cell: cell(&timing.cell),
            ..timing.clone()
        }));
    }
    std::fs::create_dir_all(&to)?;
    let records = records_table(&all, &CATALOGUE)?;
    write_table(&records, &to.join("records.parquet"))?;
    drop(records);
    write_table(&details_table(&all)?, &to.join("details.parquet"))?;
    if !times.is_empty() {
        write_table(&timings_table(&times)?, &to.join("timings.parquet"))?;
    }
    println!("{} records in {}", all.len(), to.display());
    Ok(())
}
