//! Reads a data file, and says nothing but its rows and columns: what tests/peers/csv.py measures.
//!
//! ```text
//! cargo run --release -p counterweight-frame --example read -- FILE TARGET
//! ```

#![expect(clippy::print_stdout, reason = "a program that says what it read")]

use std::path::Path;

use counterweight_frame::{ReadOptions, read_dataset};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file?")?;
    let target = arguments.next().ok_or("which column has the labels?")?;
    let data = read_dataset(Path::new(&file), &ReadOptions::target(target))?;
    println!("{} {}", data.n_rows(), data.n_features());
    Ok(())
}
