//! `counterweight init`: a commented sweep file to start from.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use counterweight::{Error, Exit, InitOptions, Result};
use counterweight_core::ReadOptions;

use crate::args::InitArgs;

pub(crate) fn init(args: InitArgs) -> Result<Exit> {
    let folder = args.output.unwrap_or_else(|| match &args.file {
        Some(file) => PathBuf::from(counterweight::id_of(file)),
        None => PathBuf::from("example"),
    });
    let sweep = folder.join("sweep.toml");
    let text = match (&args.file, &args.target) {
        (None, _) => counterweight::example_sweep().to_owned(),
        (Some(file), Some(target)) => counterweight::init(&InitOptions {
            file,
            folder: &folder,
            reading: ReadOptions {
                group: args.group,
                weight: args.weight,
                ..args.reading.options(target)
            },
            contrast: args.contrast.asked(),
        })?,
        (Some(_), None) => {
            return Err(Error::usage("the label column is missing")
                .hint("add `--target COL`; `data inspect` shows the columns of a file"));
        }
    };
    write(&sweep, &text)?;
    println!("{} is written; next:", sweep.display());
    println!("  counterweight run {}", folder.display());
    Ok(Exit::Ok)
}

/// Writes a file that was not there.
fn write(path: &Path, text: &str) -> Result<()> {
    let refused = |error: std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return Error::usage(format!("{}: there is a file already", path.display()))
                .hint("give another folder with `--output DIR`");
        }
        Error::of_system(format!("{}: {error}", path.display()), &error)
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(refused)?;
    }
    let mut file = File::create_new(path).map_err(refused)?;
    file.write_all(text.as_bytes()).map_err(refused)
}
