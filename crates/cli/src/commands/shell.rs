//! `counterweight completions` and `man`: the command line as shells and readers of manuals know it.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use counterweight::{Error, Exit, Result};

use crate::args::Cli;

pub(crate) fn completions(shell: Shell) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "counterweight", &mut script);
    let script = String::from_utf8(script).map_err(|error| Error::internal(error.to_string()))?;
    print!("{script}");
    Ok(Exit::Ok)
}

pub(crate) fn man(folder: &Path) -> Result<Exit> {
    let refused =
        |error: std::io::Error| Error::of_system(format!("{}: {error}", folder.display()), &error);
    std::fs::create_dir_all(folder).map_err(refused)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(refused)?;
    println!("man pages are in {}", folder.display());
    Ok(Exit::Ok)
}
