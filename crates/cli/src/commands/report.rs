//! `counterweight report`: tables, plots and the page, again, from records.parquet; the whole report, or
//! a selected part beside it.

use std::borrow::Cow;
use std::path::Path;

use counterweight_report::Target;
use counterweight_report::select::{SelectError, Selected, Selection};

use crate::catalogue::CATALOGUE;
use crate::exit::{CliError, Exit, Result};
use crate::folder::{Folder, Material, Part, about, read_records, read_timings};
use crate::source::Files;

/// Folder of selected reports inside a report folder.
const SELECTED: &str = "selected";

pub(crate) fn report(
    path: &Path,
    select: Option<&Selection>,
    output: Option<&Path>,
) -> Result<Exit> {
    if !path.is_dir() {
        return Err(
            CliError::usage(format!("{}: no such folder", path.display()))
                .hint("give a report folder, such as reports/quick"),
        );
    }
    let records = read_records(path)?;
    let chosen = match select {
        Some(selection) => choose(selection, &records)?,
        None => Selected {
            records,
            target: Target::default(),
        },
    };
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
    let mut name = crate::provenance::Provenance::sweep_name(path).unwrap_or(name);
    let mut part = Part {
        folder: output.map(Path::to_path_buf),
        selection: None,
    };
    if let Some(selection) = select {
        if part.folder.is_none() {
            part.folder = Some(path.join(SELECTED).join(selection.folder_name()));
        }
        let same = |a: &Path| a.canonicalize().ok();
        if part
            .folder
            .as_deref()
            .and_then(same)
            .is_some_and(|folder| Some(folder) == same(path))
        {
            return Err(
                CliError::usage("a selected report would overwrite the whole one")
                    .hint("give another folder to --output"),
            );
        }
        name = format!("{name}: {selection}");
        part.selection = Some(selection.to_string());
    }
    let page = part.folder.as_deref().unwrap_or(path).join("index.html");
    let folder = Folder {
        sweep,
        output: path.to_path_buf(),
    };
    let files = Files::new(path);
    folder.write_report_for(
        Material {
            name: &name,
            text: &text,
            about: about(&chosen.records, &files),
            records: Cow::Owned(chosen.records),
            timings: Cow::Owned(timings),
        },
        &chosen.target,
        &part,
    )?;
    println!("report: {}", page.display());
    Ok(Exit::Ok)
}

fn choose(selection: &Selection, records: &[counterweight_core::Record]) -> Result<Selected> {
    let chosen = selection.choose(records, &CATALOGUE).map_err(|error| {
        let nothing = matches!(error, SelectError::Nothing(_));
        let told = CliError {
            exit: if nothing {
                Exit::NothingSelected
            } else {
                Exit::Usage
            },
            message: error.to_string(),
            hint: None,
        };
        if nothing {
            told.hint("different keys must all hold; values of one key are alternatives")
        } else {
            told
        }
    })?;
    if !selection.keeps_baseline() {
        eprintln!(
            "note: `none` is not selected, so the report has no differences to no correction; add \
             `correction=none` for them"
        );
    }
    Ok(chosen)
}
