//! The `counterweight` command: the only crate of the workspace that prints and exits.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the command line speaks on stdout (its product) and stderr (progress, diagnostics)"
)]

mod args;
mod catalogue;
mod commands;
mod exit;
mod folder;
mod progress;
mod provenance;
mod source;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::args::{Cli, Command, DataCommand};
use crate::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are products, everything else is a usage error.
            let product = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            // A closed pipe while printing help is nobody's error.
            let _ = error.print();
            return code(if product { Exit::Ok } else { Exit::Usage });
        }
    };
    let result = match cli.command {
        Command::Run(args) => commands::run::run(&args),
        Command::Report { folder } => commands::report::report(&folder),
        Command::Status { folder, format } => commands::status::status(&folder, format.format),
        Command::Merge { folder, stores } => commands::merge::merge(&folder, &stores),
        Command::Compare { first, second } => commands::compare::compare(&first, &second),
        Command::List { what, format } => commands::list::list(what, format.format),
        Command::Explain { folder, cell } => commands::explain::explain(&folder, &cell),
        Command::Data(DataCommand::Inspect {
            file,
            target,
            missing,
            format,
        }) => commands::data::inspect(&file, &target, missing, format.format),
        Command::Data(DataCommand::Verify { format }) => commands::data::verify(format.format),
    };
    match result {
        Ok(exit) => code(exit),
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = &error.hint {
                eprintln!("  hint: {hint}");
            }
            code(error.exit)
        }
    }
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
