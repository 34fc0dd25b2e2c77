//! `counterweight gate`: has a ranking of methods regressed against the committed baseline?

use std::io::Write as _;
use std::path::PathBuf;

use counterweight::{Error, Exit, GateOptions, Gated, Result, Session};
use counterweight_frame::write_atomically;
use counterweight_gate::output::{SUMMARY_BYTES, annotations, json, junit, summary, text};
use counterweight_gate::{Gate, Verdict};

use crate::args::{GateArgs, GateFormat};

pub(crate) fn gate(session: &Session<'_>, args: &GateArgs) -> Result<Exit> {
    if args.update {
        refuse_in_ci()?;
    }
    let options = GateOptions {
        baseline: args.baseline.clone(),
        records: args.records.clone(),
        update: args.reason.clone(),
        reseed: args.reseed,
        only: args.only.clone(),
    };
    match counterweight::gate(session, &args.folder, &options)? {
        Gated::Judged(gate) => {
            print(args, &gate)?;
            return Ok(match gate.verdict {
                Verdict::Pass => Exit::Ok,
                Verdict::Finding => Exit::Finding,
                Verdict::Incomplete => Exit::Incomplete,
                Verdict::NothingSelected => Exit::NothingSelected,
            });
        }
        Gated::Unchanged(file) => {
            println!("{} says this already: nothing written", file.display());
        }
        Gated::Updated {
            against,
            baseline,
            change,
            ranking,
            failing,
        } => {
            if let Some(gate) = against {
                print!("{}", text(&gate));
            }
            // On one line: a line of its own could be a command to a CI runner.
            let reason = args.reason.as_deref().unwrap_or_default();
            let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            println!("{}: {change}", baseline.display());
            println!("{}: {reason}", ranking.display());
            if failing > 0 {
                eprintln!(
                    "note: {failing} cells of this baseline have failed; only their recovery would be seen"
                );
            }
        }
        Gated::Interrupted => return Ok(Exit::Interrupted),
    }
    Ok(Exit::Ok)
}

/// A pull request must not rewrite what it is measured against.
fn refuse_in_ci() -> Result<()> {
    let ci = std::env::var("CI").unwrap_or_default();
    if matches!(ci.to_lowercase().as_str(), "" | "0" | "false") {
        return Ok(());
    }
    Err(Error::usage("`--update` is refused where CI is set")
        .hint("update the baseline on a machine of your own and commit the difference"))
}

fn print(args: &GateArgs, verdict: &Gate) -> Result<()> {
    let product = match args.format {
        GateFormat::Text => text(verdict),
        GateFormat::Json => format!("{}\n", json(verdict)?),
        GateFormat::Junit => junit(verdict),
        GateFormat::Github => {
            let config = args.folder.join("gate.toml").display().to_string();
            format!("{}{}", text(verdict), annotations(verdict, &config))
        }
    };
    if let Some(file) = &args.output {
        // A verdict that nobody can read is none.
        write_atomically(file, product.as_bytes()).map_err(|error| Error {
            exit: Exit::Internal,
            ..error.into()
        })?;
        print!("{}", text(verdict));
    } else {
        print!("{product}");
    }
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let there = std::fs::metadata(&path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        eprintln!("note: {}: not a regular file", path.display());
        return Ok(());
    }
    let before = there.map_or(0, |file| file.len());
    let left = SUMMARY_BYTES.saturating_sub(usize::try_from(before).unwrap_or(usize::MAX));
    let words = summary(verdict, left);
    // The verdict stands whether or not its summary could be written.
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(words.as_bytes()));
    if let Err(error) = written {
        eprintln!("note: {}: {error}", path.display());
    }
    Ok(())
}
