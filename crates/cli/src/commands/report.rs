//! `counterweight report`: tables, plots and the page, again, from records.parquet.

use std::path::Path;

use crate::exit::{CliError, Exit, Result};
use crate::folder::{Folder, Material, about, read_records, read_timings};
use crate::source::Files;

pub(crate) fn report(path: &Path) -> Result<Exit> {
    if !path.is_dir() {
        return Err(
            CliError::usage(format!("{}: no such folder", path.display()))
                .hint("give a report folder, such as reports/quick"),
        );
    }
    let records = read_records(path)?;
    let timings = read_timings(path)?;
    let sweep = path.join("sweep.toml");
    let text = std::fs::read_to_string(&sweep).unwrap_or_default();
    let name = path
        .canonicalize()
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| "sweep".into());
    let name = crate::provenance::Provenance::sweep_name(path).unwrap_or(name);
    let folder = Folder {
        sweep,
        output: path.to_path_buf(),
    };
    let files = Files::new(path);
    folder.write_report(&Material {
        name: &name,
        text: &text,
        records: &records,
        timings: &timings,
        about: about(&records, &files),
    })?;
    println!("report: {}", path.join("index.html").display());
    Ok(Exit::Ok)
}
