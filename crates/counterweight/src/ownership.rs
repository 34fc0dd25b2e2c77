//! Whose a folder is: a run writes where its own sweep file is at home, or where nothing is, and never over
//! what it reads.

use std::ffi::OsStr;
use std::path::Path;

use counterweight_config::Diagnostic;
use counterweight_frame::read_text;
use counterweight_harness::config::Sweep;
use counterweight_store::SEGMENTS;

use crate::exit::{Error, Result};
use crate::folder::{Folder, SWEEP};
use crate::provenance::{Provenance, text_hash};
use crate::side_tables::IMPORTS;

/// Files that a run, a merge or a report writes into its folder.
const PRODUCTS: [&str; 12] = [
    "records.parquet",
    "records.csv",
    "timings.parquet",
    "details.parquet",
    "reliability.parquet",
    "costs.parquet",
    "scores.parquet",
    "curves.parquet",
    "leak.parquet",
    "run.json",
    "ranking.json",
    "index.html",
];

/// Folders of such files.
const FOLDERS: [&str; 5] = ["tables", "plots", "models", SEGMENTS, IMPORTS];

fn same_file(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

impl Folder<'_> {
    /// Refuses a folder that holds somebody else's work.
    ///
    /// # Errors
    /// When the folder belongs to another sweep file, or holds files called like products that no run wrote.
    pub(crate) fn refuse_foreign(&self) -> Result<()> {
        let own = self.output.join(SWEEP);
        let product = PRODUCTS.iter().map(|name| self.output.join(name));
        let product = product.into_iter().find(|file| file.exists());
        if same_file(&own, &self.sweep) {
            let ran = ["run.json", SEGMENTS].map(|name| self.output.join(name));
            return match product {
                Some(file) if !ran.iter().any(|trace| trace.exists()) => {
                    let message = format!(
                        "{} is in the way: no run has written it, and this one would replace it",
                        file.display()
                    );
                    Err(Error::usage(message)
                        .hint("move it elsewhere, or write to another folder with --output"))
                }
                _ => Ok(()),
            };
        }
        let (holds, file) = match (own.exists(), product) {
            (true, _) => ("another sweep file", own.clone()),
            (false, Some(product)) => ("results of another sweep file", product),
            (false, None) => return Ok(()),
        };
        let hint = "give a folder of its own to --output, or move the sweep file into one";
        let refusal = format!(
            "{} holds {holds} than {}: {}; nothing was run",
            self.output.display(),
            self.sweep.display(),
            file.display()
        );
        let refusal = Error::usage(refusal).hint(hint);
        let Some(source) = Provenance::sweep_source(&self.output) else {
            return Err(refusal);
        };
        let text = |file: &Path| read_text(file).unwrap_or_default();
        let copy = text(&own);
        let source = self.output.join(source);
        // The folder may have been moved away from its sweep file.
        let moved = !source.exists() && copy == text(&self.sweep);
        if !same_file(&source, &self.sweep) && !moved {
            return Err(refusal);
        }
        let copied = Provenance::copied_text(&self.output);
        if own.exists() && copied.is_some_and(|copied| copied != text_hash(&copy)) {
            let message = format!(
                "{} was changed since a run copied it there, and this one would replace it",
                own.display()
            );
            return Err(Error::usage(message)
                .hint("move it elsewhere, or write to another folder with --output"));
        }
        Ok(())
    }

    /// Data files of a sweep that the products of its own folder would replace.
    pub(crate) fn inputs_among_products(&self, sweep: &Sweep) -> Vec<Diagnostic> {
        let beside = self.sweep.parent().unwrap_or_else(|| Path::new(""));
        let mut found = Vec::new();
        for spec in &sweep.datasets {
            for file in spec.source.files() {
                let at = beside.join(&file);
                // By its name as well as by what a link of that name leads to.
                let named = at.parent().and_then(|parent| parent.canonicalize().ok());
                let named = named.zip(at.file_name()).map(|(at, name)| at.join(name));
                let led_to = at.canonicalize().ok();
                if led_to
                    .iter()
                    .chain(&named)
                    .any(|path| self.is_product(path))
                {
                    found.push(Diagnostic {
                        file: self.sweep.display().to_string(),
                        line: Some(spec.line),
                        key: format!("dataset `{}`", spec.id),
                        message: format!(
                            "{} bears the name of a product: what is written into {} would replace it",
                            at.display(),
                            self.output.display()
                        ),
                        hint: Some("rename the data file, or keep it in another folder".into()),
                    });
                }
            }
        }
        found
    }

    /// Whether a run writes a file of this name into the folder.
    pub(crate) fn is_product(&self, path: &Path) -> bool {
        let Ok(output) = self.output.canonicalize() else {
            return false;
        };
        let Ok(inside) = path.strip_prefix(&output) else {
            return false;
        };
        let mut parts = inside.iter();
        let first = parts.next().and_then(OsStr::to_str).unwrap_or_default();
        if parts.next().is_some() {
            FOLDERS.contains(&first)
        } else {
            first == SWEEP || PRODUCTS.contains(&first)
        }
    }
}
