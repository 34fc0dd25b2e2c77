//! The way out of one machine: a script that has a scheduler run what is missing of a sweep, in shards.

use std::fmt::Write as _;
use std::path::Path;

use counterweight_frame::write_atomically;

use crate::exit::{Error, Result};
use crate::folder::{Folder, SWEEP, trouble};
use crate::session::Session;
use crate::side_tables::complete;

/// Indices of a Slurm array where the cluster does not say otherwise, one more than the largest.
const MAX_ARRAY_SIZE: usize = 1001;

/// Bytes that a process takes beside its data, and for each record that it reads, rounded up.
const PROCESS: f64 = 200e6;
const RECORD: f64 = 9e3;

/// Megabytes to which a request of memory is rounded up.
const STEP: f64 = 100.0;

/// Which scheduler a script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Slurm: an array of shards, and a job after it.
    Slurm {
        /// Most shards at a time.
        max_parallel: Option<usize>,
        /// Its `MaxArraySize`, where that is known.
        max_array_size: Option<usize>,
    },
    /// `HyperQueue`: an array of shards that is waited for.
    HyperQueue,
}

/// What [`submission`] is asked for.
#[derive(Clone, Debug)]
pub struct SubmitOptions {
    /// The scheduler.
    pub scheduler: Scheduler,
    /// Shards, from 1 to a million.
    pub shards: usize,
    /// Threads of a shard.
    pub cpus: usize,
    /// Further arguments of `sbatch` or `hq submit`, after all others.
    pub arguments: Vec<String>,
    /// The program as the scheduler's machines find it.
    pub program: String,
}

/// A script, and what it is for.
#[derive(Clone, Debug)]
pub struct Submission {
    /// For `sh`, ending with a line break; empty where nothing is missing.
    pub script: String,
    /// Cells of the sweep.
    pub cells: usize,
    /// Those that are missing.
    pub missing: usize,
}

/// Writes a script that runs what is missing of the sweep of a report folder in shards, and merges them. Shards of
/// which nothing is missing are left out.
///
/// # Errors
/// Errors of the sweep, somebody else's folder, and what cannot stand in a script.
pub fn submission(
    session: &Session<'_>,
    path: &Path,
    options: &SubmitOptions,
) -> Result<Submission> {
    let folder = Folder::of_report(session, path)?;
    folder.refuse_foreign()?;
    for argument in &options.arguments {
        if argument.contains(['\n', '\r']) || argument.is_empty() {
            return Err(Error::usage(format!(
                "{argument:?} is no argument of one line"
            )));
        }
    }
    let (plan, _) = folder.plan()?;
    let joined = folder.joined(&plan)?;
    let sides = folder.sides()?;
    let shards = plan.work().shards(options.shards);
    let mut open = vec![false; options.shards];
    let mut missing = 0;
    for (at, &shard) in shards.cells.iter().enumerate() {
        if !complete(&plan, at, &joined, &sides) {
            open[shard] = true;
            missing += 1;
        }
    }
    for (claim, &shard) in plan.claims.iter().zip(&shards.claims) {
        open[shard] |= !sides.leaks.contains_key(&claim.id);
    }
    let open: Vec<usize> = (1..)
        .zip(open)
        .filter(|(_, open)| *open)
        .map(|(shard, _)| shard)
        .collect();
    let cells = plan.cells.len();
    let mut submission = Submission {
        script: String::new(),
        cells,
        missing,
    };
    if open.is_empty() {
        return Ok(submission);
    }
    let records = cells as f64 * RECORD;
    let words = |seconds: f64| format!("{:.0} s", seconds.ceil());
    let longest = open
        .iter()
        .map(|shard| shards.seconds[shard - 1])
        .fold(0.0, f64::max);
    let script = Script {
        name: job_name(&plan.sweep.name),
        about: format!(
            "# Sweep `{}`: {missing} of {cells} cells are missing, in {} of {} shards; a whole shard takes about {} of one\n\
             # core by estimate, {} at most.",
            job_name(&plan.sweep.name),
            open.len(),
            options.shards,
            words(shards.seconds.iter().sum::<f64>() / options.shards as f64),
            words(longest),
        ),
        run: run_words(&folder, &options.program)?,
        after: after_words(&folder, &options.program)?,
        megabytes: megabytes(PROCESS + records + plan.peak_bytes(options.cpus)),
        merge_megabytes: megabytes(PROCESS + 2.0 * records),
        open,
        options,
    };
    submission.script = match options.scheduler {
        Scheduler::Slurm {
            max_parallel,
            max_array_size,
        } => {
            // The largest index is one less.
            let most = max_array_size
                .unwrap_or(MAX_ARRAY_SIZE)
                .saturating_sub(1)
                .max(1);
            script.slurm(max_parallel, most)
        }
        Scheduler::HyperQueue => script.hyperqueue(),
    };
    Ok(submission)
}

/// Writes a script where no product of the folder is to stand.
///
/// # Errors
/// When the file bears the name of a product, or cannot be written.
pub fn write_script(session: &Session<'_>, path: &Path, file: &Path, script: &str) -> Result<()> {
    let folder = Folder::of_report(session, path)?;
    let beside = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let beside = beside
        .canonicalize()
        .map_err(|error| trouble(beside, &error))?;
    if file
        .file_name()
        .is_some_and(|name| folder.is_product(&beside.join(name)))
    {
        let message = format!(
            "{} bears the name of a product of the folder",
            file.display()
        );
        return Err(Error::usage(message).hint("give another file to --write"));
    }
    Ok(write_atomically(file, script.as_bytes())?)
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0}M", (bytes / 1e6 / STEP).ceil() * STEP)
}

/// A sweep's name as a job's.
fn job_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

/// A word for `sh`, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A path as every machine of the cluster has it, for `sh`.
fn absolute(path: &Path) -> Result<String> {
    let whole = path.canonicalize().map_err(|error| trouble(path, &error))?;
    match whole.to_str() {
        Some(text) => Ok(quoted(text)),
        None => Err(Error::usage(format!(
            "{}: the path is not UTF-8",
            whole.display()
        ))),
    }
}

/// What runs a part of the sweep.
fn run_words(folder: &Folder<'_>, program: &str) -> Result<String> {
    let program = quoted(program);
    let output = absolute(&folder.output)?;
    let own = folder.output.join(SWEEP);
    let inside =
        matches!((own.canonicalize(), folder.sweep.canonicalize()), (Ok(a), Ok(b)) if a == b);
    Ok(if inside {
        format!("{program} run {output}")
    } else {
        format!(
            "{program} run {} --output {output}",
            absolute(&folder.sweep)?
        )
    })
}

/// What makes one of all parts, and says what is missing.
fn after_words(folder: &Folder<'_>, program: &str) -> Result<String> {
    let (program, output) = (quoted(program), absolute(&folder.output)?);
    Ok(format!(
        "{program} merge {output}\nexec {program} status {output}\n"
    ))
}

/// What is made of each word, one after another.
fn all(words: &[String], of: impl Fn(&str) -> String) -> String {
    let parts: Vec<String> = words.iter().map(|word| of(word)).collect();
    parts.concat()
}

/// Numbers as a list of ranges: `1-3,7`.
fn ranges(numbers: &[usize]) -> String {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => parts.push((number, number)),
        }
    }
    let words = parts.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    words.collect::<Vec<_>>().join(",")
}

/// All that a script is made of.
struct Script<'a> {
    name: String,
    about: String,
    run: String,
    after: String,
    megabytes: String,
    merge_megabytes: String,
    /// The shards to run, from 1.
    open: Vec<usize>,
    options: &'a SubmitOptions,
}

impl Script<'_> {
    /// An array for every `most` shards, and a job that waits for them all.
    fn slurm(&self, max_parallel: Option<usize>, most: usize) -> String {
        let SubmitOptions {
            shards,
            cpus,
            arguments,
            ..
        } = self.options;
        let more = all(arguments, |argument| format!("#SBATCH {argument}\n"));
        let mut text = format!(
            "#!/bin/sh\n\
             # Run this with `sh` where sbatch is: it submits the shards, and a job that merges what came of them and ends\n\
             # as `counterweight status` does. Killed shards lose the cells in hand alone: what is then missing is\n\
             # submitted by the same command again, with any number of shards.\n\
             {}\n\
             set -eu\n",
            self.about
        );
        let throttle = max_parallel.map_or_else(String::new, |most| format!("%{most}"));
        let mut ids = Vec::new();
        for (chunk, open) in self
            .open
            .chunk_by(|a, b| (a - 1) / most == (b - 1) / most)
            .enumerate()
        {
            let offset = (open[0] - 1) / most * most;
            let indices: Vec<usize> = open.iter().map(|shard| shard - offset).collect();
            let shard = match offset {
                0 => format!("\"$SLURM_ARRAY_TASK_ID/{shards}\""),
                offset => format!("\"$((SLURM_ARRAY_TASK_ID + {offset}))/{shards}\""),
            };
            let id = format!("shards{}", chunk + 1);
            // A throttle holds within an array: those that have one go one after another.
            let dependency = match ids.last() {
                Some(last) if max_parallel.is_some() => {
                    format!(" --dependency=\"afterany:${{{last}%%;*}}\"")
                }
                _ => String::new(),
            };
            let _ = write!(
                text,
                "\n{id}=$(sbatch --parsable{dependency} <<'JOB'\n\
                 #!/bin/sh\n\
                 #SBATCH --job-name={name}\n\
                 #SBATCH --array={indices}{throttle}\n\
                 #SBATCH --cpus-per-task={cpus}\n\
                 #SBATCH --mem={megabytes}\n\
                 #SBATCH --requeue\n\
                 #SBATCH --open-mode=append\n\
                 #SBATCH --signal=B:TERM@60\n\
                 {more}\
                 # The run takes the place of this shell, so that signals reach it.\n\
                 exec {run} --shard {shard} --jobs \"${{SLURM_CPUS_PER_TASK:-{cpus}}}\" --no-report\n\
                 JOB\n\
                 )\n\
                 echo \"shards: job ${id}\"\n",
                name = self.name,
                indices = ranges(&indices),
                megabytes = self.megabytes,
                run = self.run,
            );
            ids.push(id);
        }
        let after = all(&ids, |id| format!(":${{{id}%%;*}}"));
        let _ = write!(
            text,
            "\n# afterany: whatever became of the shards, `status` says what is missing.\n\
             merge=$(sbatch --parsable --dependency=\"afterany{after}\" <<'JOB'\n\
             #!/bin/sh\n\
             #SBATCH --job-name={name}-merge\n\
             #SBATCH --mem={megabytes}\n\
             {more}\
             {words}\
             JOB\n\
             )\n\
             echo \"merge: job $merge\"\n",
            name = self.name,
            megabytes = self.merge_megabytes,
            words = self.after,
        );
        text
    }

    /// An array that is waited for, and what is done then.
    fn hyperqueue(&self) -> String {
        let SubmitOptions {
            shards,
            cpus,
            arguments,
            ..
        } = self.options;
        let more = all(arguments, |argument| format!(" {}", quoted(argument)));
        format!(
            "#!/bin/sh\n\
             # Run this with `sh` where `hq` finds its server: it submits the shards, waits for them, merges what came of\n\
             # them and ends as `counterweight status` does. What is then missing is submitted by the same command\n\
             # again, with any number of shards.\n\
             {about}\n\
             # A shard takes about {megabytes}B of memory by estimate.\n\
             \n\
             hq submit --name={name} --array={indices} --cpus={cpus}{more} --wait -- \\\n  \
             {run} --shard auto/{shards} --jobs {cpus} --no-report \\\n  \
             || echo \"some shards did not end well\" >&2\n\
             \n\
             {words}",
            about = self.about,
            megabytes = self.megabytes,
            name = self.name,
            indices = ranges(&self.open),
            run = self.run,
            words = self.after,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_ranges_and_names_are_written_as_schedulers_read_them() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3,7,9-10");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(quoted("/a/b-c"), "/a/b-c");
        assert_eq!(quoted("/my sweep/it's"), "'/my sweep/it'\\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(job_name("my sweep/2"), "my-sweep-2");
        assert_eq!(megabytes(201e6), "300M");
    }
}
