//! Writes what `advise` knows of the reference, from its records:
//!
//! ```text
//! cargo run --release --workspace --example advice
//! ```
//!
//! Run it again whenever reports/reference was made anew; a test holds both together.

use std::error::Error;
use std::path::Path;

use counterweight::{Evidence, read_records};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let records = read_records(&root.join("../../reports/reference"))?;
    let evidence = Evidence::of(&records, |_| true);
    std::fs::write(root.join("src/advise/evidence.csv"), evidence.csv())?;
    Ok(())
}
