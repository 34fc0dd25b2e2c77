//! `counterweight submit`: a script that has a scheduler run what is missing of a sweep.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use counterweight::{
    Error, Exit, Result, Scheduler, Session, SubmitOptions, submission, write_script,
};

#[derive(Debug, Subcommand)]
pub(crate) enum SubmitCommand {
    /// A job array of Slurm, and a job that merges what came of it
    Slurm(SlurmArgs),
    /// A task array of `HyperQueue`, which is waited for and merged
    Hq(HqArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SubmitArgs {
    /// A report folder that all machines share: its sweep.toml says what to run
    folder: PathBuf,
    /// Shards of about the same estimated cost; those of which nothing is missing are left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    shards: u32,
    /// Processors, and threads, of a shard
    #[arg(long, value_name = "C", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    cpus: u16,
    /// Print the script, which is what happens without another word
    #[arg(long, conflicts_with_all = ["write", "run"])]
    print: bool,
    /// Write the script to this file instead (default: DIR/submit.sh)
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "", conflicts_with = "run")]
    write: Option<PathBuf>,
    /// Run the script at once
    #[arg(long)]
    run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SlurmArgs {
    #[command(flatten)]
    common: SubmitArgs,
    /// Most shards at a time
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..))]
    max_parallel: Option<u32>,
    /// Partition of all jobs
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Time limit of a job, as sbatch takes it; shards are told a minute before
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// A further option of sbatch, such as --sbatch-arg=--account=me (may be repeated)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch_arg: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HqArgs {
    #[command(flatten)]
    common: SubmitArgs,
    /// A further option of `hq submit`, such as --hq-arg=--time-limit=2h (may be repeated)
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    hq_arg: Vec<String>,
}

pub(crate) fn submit(session: &Session<'_>, command: &SubmitCommand) -> Result<Exit> {
    let (args, scheduler, tool, arguments) = match command {
        SubmitCommand::Slurm(slurm) => {
            let scheduler = Scheduler::Slurm {
                max_parallel: slurm.max_parallel.map(|most| most as usize),
                max_array_size: max_array_size(),
            };
            let named = [("partition", &slurm.partition), ("time", &slurm.time)];
            let named = named.into_iter().filter_map(|(name, value)| {
                let value = value.as_ref()?;
                Some(format!("--{name}={value}"))
            });
            let arguments = named.chain(slurm.sbatch_arg.iter().cloned());
            (&slurm.common, scheduler, "sbatch", arguments.collect())
        }
        SubmitCommand::Hq(hq) => (&hq.common, Scheduler::HyperQueue, "hq", hq.hq_arg.clone()),
    };
    let own = std::env::current_exe()
        .map_err(|error| Error::internal(format!("this program: {error}")))?;
    let Some(program) = own.to_str() else {
        return Err(Error::usage(format!(
            "{}: the path is not UTF-8",
            own.display()
        )));
    };
    let options = SubmitOptions {
        scheduler,
        shards: args.shards as usize,
        cpus: usize::from(args.cpus),
        arguments,
        program: program.to_owned(),
    };
    let submission = submission(session, &args.folder, &options)?;
    if submission.script.is_empty() {
        eprintln!("nothing to submit: all {} cells are done", submission.cells);
        return Ok(Exit::Ok);
    }
    if let Some(file) = &args.write {
        let usual = args.folder.join("submit.sh");
        let file = if file.as_os_str().is_empty() {
            &usual
        } else {
            file
        };
        write_script(session, &args.folder, file, &submission.script)?;
        println!("script: {}", file.display());
        return Ok(Exit::Ok);
    }
    if args.print || !args.run {
        print!("{}", submission.script);
        return Ok(Exit::Ok);
    }
    run(tool, &submission.script)
}

/// Has the scheduler's own program do it, and ends as the script does.
fn run(tool: &str, script: &str) -> Result<Exit> {
    let quiet = Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = quiet {
        return Err(Error::usage(format!("{tool} does not start: {error}"))
            .hint("write the script with `--write FILE`, and run it where the scheduler is"));
    }
    let ended = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::null())
        .status();
    let ended = ended.map_err(|error| Error::internal(format!("sh: {error}")))?;
    match (ended.code(), tool) {
        (Some(0), _) => Ok(Exit::Ok),
        // The end of `status`.
        (Some(1), "hq") => Ok(Exit::Finding),
        (Some(3), "hq") => Ok(Exit::Incomplete),
        _ => Err(Error::internal(format!("{tool} did not take it: {ended}"))),
    }
}

/// How long a cluster may take to say what it is like: one that is not there is asked for minutes.
const ANSWER: Duration = Duration::from_secs(5);

/// `MaxArraySize` of the cluster, where there is one to ask.
fn max_array_size() -> Option<usize> {
    let mut asked = Command::new("scontrol")
        .args(["show", "config"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while asked.try_wait().ok()?.is_none() {
        if started.elapsed() > ANSWER {
            let _ = asked.kill();
            let _ = asked.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut text = String::new();
    asked.stdout?.read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.trim().strip_prefix("MaxArraySize"))?;
    line.split('=').nth(1)?.trim().parse().ok()
}
