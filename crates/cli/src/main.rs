//! The `counterweight` command: the only crate of the workspace that prints and exits.

// First, so that its macros hold in all the others.
#[macro_use]
mod terminal;

mod args;
mod commands;
mod interrupt;
mod progress;
mod reading;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Parser as _;
use clap::error::ErrorKind;
use counterweight::{CATALOGUE, Error, Exit, Session};
use counterweight_frame::ReadOptions;

use crate::args::{Cli, Command, DataCommand};
use crate::progress::Progress;

fn main() -> ExitCode {
    counterweight::worker::serve_if_asked();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are products, everything else is a usage error.
            let product = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            );
            if !product {
                let _nobody_listens = error.print();
                return code(Exit::Usage);
            }
            print!("{error}");
            return code(Exit::Ok);
        }
    };
    // The cause of a panic, for one line about it; those that are caught on the way are somebody's result.
    let cause: Arc<Mutex<String>> = Arc::default();
    let last = Arc::clone(&cause);
    std::panic::set_hook(Box::new(move |panic| {
        let words = panic.payload_as_str().unwrap_or("without words");
        let place = panic.location().map(|at| format!(" at {at}"));
        *last.lock().unwrap_or_else(PoisonError::into_inner) =
            format!("{words}{}", place.unwrap_or_default());
    }));
    let exit = match catch_unwind(AssertUnwindSafe(|| dispatch(cli.command))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            for diagnostic in &error.list {
                eprintln!("error: {diagnostic}");
            }
            eprintln!("error: {error}");
            if let Some(hint) = &error.hint {
                eprintln!("  hint: {hint}");
            }
            error.exit
        }
        Err(_) => {
            let cause = cause.lock().unwrap_or_else(PoisonError::into_inner);
            eprintln!("internal error: {cause}");
            eprintln!("  hint: this is a bug; what ran is kept, and `run` goes on from there");
            Exit::Internal
        }
    };
    code(exit)
}

fn dispatch(command: Command) -> Result<Exit, Error> {
    let (jobs, quiet) = match &command {
        Command::Run(args) => (args.jobs, args.quiet),
        Command::Gate(args) => (args.jobs, args.quiet),
        Command::Advise(args) => (args.jobs, true),
        _ => (None, true),
    };
    let (max_memory, in_process) = match &command {
        Command::Run(args) => (args.max_memory, args.in_process),
        _ => (None, false),
    };
    let usual = Session::new(CATALOGUE);
    if matches!(
        command,
        Command::Run(_) | Command::Gate(_) | Command::Advise(_)
    ) {
        interrupt::obey(&usual.control);
    }
    let progress = Progress::new(quiet);
    let session = Session {
        jobs: jobs.map_or(usual.jobs, usize::from),
        quiet,
        max_memory,
        in_process: in_process || usual.in_process,
        say: &|words| eprintln!("{words}"),
        listener: &progress,
        ..usual
    };
    match command {
        Command::Run(args) => commands::run::run(&session, &args),
        Command::Report {
            folder,
            select,
            output,
        } => commands::report::report(&session, &folder, select.as_ref(), output.as_deref()),
        Command::Status {
            folder,
            shards,
            watch,
            format,
        } => {
            let shards = shards.map(|count| count as usize);
            commands::status::status(&session, &folder, (shards, watch), format.format)
        }
        Command::Gate(args) => commands::gate::gate(&session, &args),
        Command::Merge { folder, stores } => commands::merge::merge(&session, &folder, &stores),
        Command::ImportScores(args) => commands::import_scores::import(&session, &args),
        Command::Compare { first, second } => commands::compare::compare(&first, &second),
        Command::Submit(command) => commands::submit::submit(&session, &command),
        Command::Verify(args) => commands::verify::verify(&session, &args),
        Command::Rank(args) => commands::rank::rank(args),
        Command::Advise(args) => commands::advise::advise(&session, args),
        Command::Decide(args) => commands::decide::decide(args),
        Command::List {
            what,
            filter,
            format,
        } => commands::list::list(what, &filter, format.format),
        Command::Explain { folder, cell } => commands::explain::explain(&session, &folder, &cell),
        Command::Data(DataCommand::Inspect {
            file,
            target,
            group,
            weight,
            reading,
            contrast,
            format,
        }) => {
            let options = ReadOptions {
                group,
                weight,
                ..reading.options(&target)
            };
            commands::data::inspect(&file, &options, &contrast, format.format)
        }
        Command::Data(DataCommand::Resample(args)) => commands::resample::resample(&args),
        Command::Init(args) => commands::init::init(args),
        Command::Schema { file } => commands::schema::schema(file),
        Command::Completions { shell } => commands::shell::completions(shell),
        Command::Man { folder } => commands::shell::man(&folder),
        Command::Data(DataCommand::Verify { format }) => commands::data::verify(format.format),
    }
}

/// The code of what was found out, whoever reads of it; what could not be said for another reason than a
/// reader that went away is no verdict.
fn code(exit: Exit) -> ExitCode {
    let exit = match terminal::finish() {
        None => exit,
        Some(error) => {
            eprintln!("error: stdout: {error}");
            Exit::Internal
        }
    };
    ExitCode::from(exit as u8)
}
