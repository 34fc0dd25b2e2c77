//! Writes a folder with a large CSV and a sweep over it, to measure the memory of a run: three learners, one of which takes rows
//! as they are, under four corrections.
//!
//! ```text
//! cargo run --release -p counterweight --features sweep --example large_data -- FOLDER 5000000
//! /usr/bin/time -v target/release/counterweight run FOLDER --jobs 1
//! ```
//!
//! Rows are two Gaussians in 20 dimensions, one row in 20 of the second; 7 bytes a cell.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

const COLUMNS: usize = 20;

const SWEEP: &str = r#"format = 1
name = "large"
seed = 1

[protocol]
test = 0.2
repeats = 1
timeout = "24h"

[[dataset]]
path = "large.csv"
target = "y"

[[model]]
kind = "softmax-regression"

[[model]]
kind = "gaussian-naive-bayes"

[[model]]
kind = "gradient-boosting"
rounds = 20

[[correction]]
id = "none"

[[correction]]
id = "weighted"
loss = "weighted"

[[correction]]
id = "under"
resample = "random-under"

[[correction]]
id = "adjusted"
decide = "logit-adjust"
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let rows: usize = arguments.next().ok_or("how many rows?")?.parse()?;
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("sweep.toml"), SWEEP)?;
    let mut file = BufWriter::new(File::create(folder.join("large.csv"))?);
    for column in 0..COLUMNS {
        write!(file, "x{column},")?;
    }
    writeln!(file, "y")?;
    // Knuth's linear congruence, whose upper bits are good enough to fill a file.
    let mut state = 1_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for _ in 0..rows {
        let rare = uniform() < 0.05;
        for column in 0..COLUMNS {
            // The sum of a few uniform numbers is near enough to a Gaussian.
            let sum: f64 = (0..4).map(|_| uniform()).sum();
            let mean = if rare && column < 4 { 0.8 } else { 0.0 };
            write!(file, "{:.4},", (sum - 2.0) * 1.7 + mean)?;
        }
        writeln!(file, "{}", if rare { "rare" } else { "common" })?;
    }
    file.flush()?;
    Ok(())
}
