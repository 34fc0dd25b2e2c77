//! Writes the report of made-up records to a folder, to look at the page without running a sweep:
//! `cargo run --release -p counterweight-report --example page -- FOLDER [DATASETS CORRECTIONS]`; the
//! two numbers multiply the datasets and corrections of the full sweep, for a large one.

#[path = "../tests/common/mod.rs"]
mod common;

use std::error::Error;
use std::path::{Path, PathBuf};

use counterweight_core::Record;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write to")?);
    std::fs::create_dir_all(&folder)?;
    let mut numbers = std::env::args().skip(2).map(|number| number.parse::<u32>());
    if let (Some(datasets), Some(corrections)) = (numbers.next(), numbers.next()) {
        let records = common::records(&common::Design::full());
        return write(&folder, &common::copies(&records, datasets?, corrections?));
    }
    let one = common::Design {
        data: vec![0],
        ..common::Design::full()
    };
    let plain = common::Design {
        arms: vec![0],
        ..common::Design::full()
    };
    let none = common::Design {
        data: vec![],
        ..common::Design::full()
    };
    for (name, design) in [
        ("full", common::Design::full()),
        ("one-dataset", one),
        ("one-correction", plain),
        ("empty", none),
    ] {
        write(&folder.join(name), &common::records(&design))?;
    }
    Ok(())
}

fn write(folder: &Path, records: &[Record]) -> Result<(), Box<dyn Error>> {
    let timings = common::timings(records);
    let report = counterweight_report::build(&common::input(records, &timings))?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("index.html"), &report.index_html)?;
    std::fs::write(folder.join("ranking.json"), &report.ranking_json)?;
    for (name, text) in &report.markdown {
        std::fs::write(folder.join(format!("{name}.md")), text)?;
    }
    for (name, text) in &report.latex {
        std::fs::write(folder.join(format!("{name}.tex")), text)?;
    }
    for (name, figure) in &report.figures {
        std::fs::write(folder.join(format!("{name}.svg")), &figure.svg)?;
    }
    Ok(())
}
