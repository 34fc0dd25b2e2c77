//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use counterweight_harness::plan::filter::Only;
use counterweight_harness::plan::{Shard, schedulers};
use counterweight_report::select::Selection;

use crate::commands::datasets::DatasetFilter;
use crate::commands::submit::SubmitCommand;
use crate::reading::{ContrastArgs, ReadArgs, data_file};

/// Class-imbalance experiments: which correction helps which classical model, by how much, and at
/// which imbalance ratio.
#[derive(Debug, Parser)]
#[command(name = "counterweight", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run what is missing of a sweep, then write tables, plots and the report
    Run(RunArgs),
    /// Rebuild tables, plots and index.html from records.parquet
    Report {
        /// A report folder
        folder: PathBuf,
        /// Report a part, or by another metric, into DIR/selected/: KEY=VALUE[,KEY=VALUE..] with keys
        /// model, correction, dataset, family, metric (such as mcc) and ratio (10, natural, or the
        /// band 10..30 of the realised ratio, its upper end outside); repeat a key for alternatives
        #[arg(long, value_name = "KEY=VALUE")]
        select: Option<Selection>,
        /// Write to this folder instead
        #[arg(long, value_name = "DIR2")]
        output: Option<PathBuf>,
    },
    /// Say what is done, failed and missing, in all and by shard and machine
    Status {
        /// A report folder
        folder: PathBuf,
        /// Say it of each of N shards (default: those of the last run in shards)
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        shards: Option<u32>,
        /// Say every so many seconds how far it is, until nothing is missing (--watch alone: 2)
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2", value_parser = clap::value_parser!(u16).range(1..))]
        watch: Option<u16>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Fail when a ranking of methods regressed against the committed baseline
    Gate(GateArgs),
    /// Join segments of shards or machines and write the records
    Merge {
        /// The report folder that receives them
        folder: PathBuf,
        /// Report folders, segment files, or records.parquet / records.csv files to join in
        stores: Vec<PathBuf>,
    },
    /// Have a scheduler run what is missing of a sweep, in shards: a script, printed, written or run
    #[command(subcommand)]
    Submit(SubmitCommand),
    /// Judge the scores of a model from elsewhere under the decisions of a sweep
    ImportScores(ImportArgs),
    /// Compare the records of two report folders by value (numbers agree to 1e-9)
    Compare {
        /// A report folder or a records file
        first: PathBuf,
        /// Another one
        second: PathBuf,
    },
    /// Rank the methods of any table of results: ranks, tests, tiers, ratings and figures
    Rank(RankArgs),
    /// Say what to use on a table: which model and correction, how much they gain, and how sure that is
    Advise(AdviseArgs),
    /// Decide rows by the scores of any model: thresholds, costs, priors and calibration, judged on held-out rows
    Decide(DecideArgs),
    /// Compute a sample of the committed cells again, and the page, and compare them with the folder
    Verify(VerifyArgs),
    /// List what a sweep may name
    List {
        /// What to list
        what: What,
        #[command(flatten)]
        filter: DatasetFilter,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show every stage of one cell: seeds, counts, parameters and timings
    Explain {
        /// A report folder
        folder: PathBuf,
        /// A cell's id, or its beginning
        cell: String,
    },
    /// Look at data files
    #[command(subcommand)]
    Data(DataCommand),
    /// Write a commented sweep file for a data file, or an example, to start from
    Init(InitArgs),
    /// Print the JSON schema of sweep.toml or gate.toml, for editors
    Schema {
        /// Of which file
        #[arg(value_enum, default_value = "sweep")]
        file: SchemaOf,
    },
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write a man page of each command
    Man {
        /// The folder of the pages; made where it is not there
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[arg(help = data_file())]
    pub(crate) file: Option<PathBuf>,
    /// The label column
    #[arg(long, value_name = "COL", requires = "file")]
    pub(crate) target: Option<String>,
    /// The folder of the sweep and of its answer (default: named like the file, or `example`)
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Column that says which rows belong together: no feature, and never on both sides of a split
    #[arg(long, value_name = "COL", requires = "file")]
    pub(crate) group: Option<String>,
    /// Column that says what each row weighs: no feature
    #[arg(long, value_name = "COL", requires = "file")]
    pub(crate) weight: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadArgs,
    #[command(flatten)]
    pub(crate) contrast: ContrastArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    Sweep,
    Gate,
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct RunArgs {
    /// A sweep file, or a folder with sweep.toml (default: reports/quick)
    pub(crate) path: Option<PathBuf>,
    /// Threads (default: the machine's cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Most memory of the run, shared out among the threads, such as 4GB (default: the sweep's `max_memory`)
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(crate) max_memory: Option<u64>,
    /// Run library learners in this process, which nothing then ends
    #[arg(long, hide = true)]
    pub(crate) in_process: bool,
    /// Run shard I of N only (I from 1 to N; auto/N takes a scheduler's index, `auto` its count too)
    #[arg(long, value_name = "I/N", long_help = shard_help())]
    pub(crate) shard: Option<Shard>,
    /// Run only cells with KEY=VALUE[,KEY=VALUE..]; repeat a key for alternatives
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) only: Option<Only>,
    /// Plan and say what would run, without running it
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Make the selected cells anew; what the folder holds of them is kept aside until then
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Run failed and timed-out cells again
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Write to this folder instead of the sweep's own
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Write records only: no tables, plots, page and ranking
    #[arg(long)]
    pub(crate) no_report: bool,
    /// Write what is committed again even where its values are the same as before
    #[arg(long)]
    pub(crate) rewrite: bool,
    /// Say nothing while running
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A report folder
    pub(crate) folder: PathBuf,
    /// The text that the draw of the cells hangs on
    #[arg(long, value_name = "TEXT", default_value = "0")]
    pub(crate) sample_seed: String,
    /// Most seconds of one core that the sample may take, by estimate
    #[arg(long, value_name = "N", default_value_t = 30.0)]
    pub(crate) seconds: f64,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct RankArgs {
    /// A csv, tsv or parquet file: a row a unit and method, or (without --method and --value) a row a unit and a
    /// column a method
    pub(crate) file: PathBuf,
    /// The column of what methods are compared on, such as the dataset
    #[arg(long, value_name = "COL")]
    pub(crate) unit: String,
    /// The column of the methods
    #[arg(long, value_name = "COL")]
    pub(crate) method: Option<String>,
    /// The column of the values
    #[arg(long, value_name = "COL")]
    pub(crate) value: Option<String>,
    /// The column that groups related units, which then count once
    #[arg(long, value_name = "COL")]
    pub(crate) cluster: Option<String>,
    /// Less is better (default: more)
    #[arg(long)]
    pub(crate) lower_is_better: bool,
    /// Half-width of what is practically equal, in units of the value
    #[arg(long, value_name = "X", default_value_t = 0.005)]
    pub(crate) rope: f64,
    /// Write tables (markdown, LaTeX), figures (svg, png) and ranking.json to this folder too
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct AdviseArgs {
    #[arg(help = data_file())]
    pub(crate) file: PathBuf,
    /// The label column
    #[arg(long, value_name = "COL")]
    pub(crate) target: String,
    /// Cost of missing a row of a class (1 for classes that are left out); arms are then compared by expected cost
    #[arg(long, value_name = "CLASS=COST,..")]
    pub(crate) cost: Vec<String>,
    /// Most minutes of one core that the plan may take, by estimate
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3.0,
        conflicts_with = "cells"
    )]
    pub(crate) minutes: f64,
    /// Most cells of the plan instead
    #[arg(long, value_name = "N")]
    pub(crate) cells: Option<usize>,
    /// Threads (default: the machine's cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Keep sweep.toml and its records in this folder, beside advice.json and the page advice.html
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Column that says which rows belong together: no feature, and never on both sides of a split
    #[arg(long, value_name = "COL")]
    pub(crate) group: Option<String>,
    /// Column that says what each row weighs: no feature
    #[arg(long, value_name = "COL")]
    pub(crate) weight: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadArgs,
    #[command(flatten)]
    pub(crate) contrast: ContrastArgs,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// The rows to decide: a column `p_CLASS` of probabilities a class (of two classes one is enough), and whatever
    /// else is to be passed on
    pub(crate) scores: PathBuf,
    /// Scores of rows that the model did not learn from, with their labels; a column `fold` tells the models of a
    /// cross-fit apart
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: PathBuf,
    /// The column of the classes
    #[arg(long, value_name = "COL", default_value = "label")]
    pub(crate) label: String,
    /// A rule as a sweep file writes it, such as '{ kind = "calibrated", by = "platt" }', or its kind alone (may be
    /// repeated; the first decides; default: the least expected cost where costs are given, else tuned-threshold)
    #[arg(long, value_name = "RULE")]
    pub(crate) with: Vec<String>,
    /// What is tuned for, and what rules are compared by where no costs are given: a metric of decisions
    #[arg(long, value_name = "METRIC", default_value = "balanced_error")]
    pub(crate) metric: String,
    /// Class shares that the model learnt: calibration (those of the held-out rows), uniform, unknown, or CLASS=SHARE,..
    #[arg(long, value_name = "SHARES", default_value = "calibration")]
    pub(crate) prior: String,
    /// Class shares that the rule will meet: calibration, uniform, estimate (from the rows to decide), or CLASS=SHARE,..
    #[arg(long, value_name = "SHARES", default_value = "calibration")]
    pub(crate) target_prior: String,
    /// Cost of missing a row of a class (1 for classes that are left out)
    #[arg(long, value_name = "CLASS=COST,..")]
    pub(crate) cost: Vec<String>,
    /// Column of what it costs to miss each row, were it of that class
    #[arg(long, value_name = "CLASS=COL,..")]
    pub(crate) cost_columns: Vec<String>,
    /// Seed of folds and resamples
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Write decisions.csv, decide.json, index.html, tables and pictures to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The report folder that receives them
    pub(crate) folder: PathBuf,
    /// A csv or parquet file like scores.parquet: row, `p_0`, `p_1`, ... in class order, and dataset,
    /// profile, `requested_ratio`, repeat, fold where the sweep has more than one; each test row of a split once
    pub(crate) file: PathBuf,
    /// What the model is called in tables
    #[arg(long, value_name = "ID", default_value = "imported")]
    pub(crate) model: String,
    /// The class shares that the model was fitted under
    #[arg(long, value_enum, value_name = "PRIOR", default_value = "train")]
    pub(crate) prior: ForeignPrior,
}

/// What is known of the prior of foreign scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForeignPrior {
    /// Those of the training rows
    Train,
    /// Equal shares, as after full weighting or resampling
    Uniform,
    /// Nothing: decisions that need the scores' own prior do not apply
    Unknown,
}

#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// A folder with sweep.toml, gate.toml and baseline.csv
    pub(crate) folder: PathBuf,
    /// Compare with this baseline instead of the folder's own
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Compare these records (records.parquet, records.csv or their folder) instead of running
    #[arg(long, value_name = "FILE")]
    pub(crate) records: Option<PathBuf>,
    /// Write baseline.csv and RANKING.md instead of comparing
    #[arg(long, requires = "reason", conflicts_with_all = ["reseed", "only"])]
    pub(crate) update: bool,
    /// Why the baseline changes; kept in RANKING.md
    #[arg(long, value_name = "TEXT", requires = "update")]
    pub(crate) reason: Option<String>,
    /// Run on the splits of another seed
    #[arg(long, value_name = "N")]
    pub(crate) reseed: Option<u64>,
    /// Compare only cells with KEY=VALUE[,KEY=VALUE..]; repeat a key for alternatives
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) only: Option<Only>,
    /// Threads (default: the machine's cores)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Say nothing while running
    #[arg(long)]
    pub(crate) quiet: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) format: GateFormat,
    /// Write that to this file, whole or not at all, and the text to stdout
    #[arg(long, value_name = "FILE", conflicts_with = "update")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GateFormat {
    Text,
    Json,
    /// Annotations of GitHub Actions, after the text
    Github,
    /// `JUnit` XML
    Junit,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Describe a data file: columns, classes, missing values, and what to look out for
    Inspect {
        #[arg(help = data_file())]
        file: PathBuf,
        /// The label column
        #[arg(long, value_name = "COL")]
        target: String,
        /// Column that says which rows belong together: no feature, and counted by class
        #[arg(long, value_name = "COL")]
        group: Option<String>,
        /// Column that says what each row weighs: no feature, and summed by class
        #[arg(long, value_name = "COL")]
        weight: Option<String>,
        #[command(flatten)]
        reading: ReadArgs,
        #[command(flatten)]
        contrast: ContrastArgs,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Resample a data file: any resampler of `list corrections` as a tool
    ///
    /// Rows are taken and written as they are: nothing is imputed, scaled or encoded, so distances are those
    /// of the values in the file (scale columns first if their units differ). Nominal columns keep the
    /// names of their levels; the same resampler that a sweep would plan for them runs in its place, and is
    /// named.
    ///
    /// The output has the file's columns in their order and `origin` as the last one: the row's number in
    /// the file, from 0 (the header is not a row), or BASE:NEIGHBOUR for a row made between two.
    ///
    /// Missing values stay missing in methods that copy or drop whole rows without measuring distances
    /// (random-over, random-under); the others refuse them, but with --impute they are filled first, and written filled.
    Resample(ResampleArgs),
    /// Check every dataset of the library against its index
    Verify {
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ResampleArgs {
    #[arg(help = data_file())]
    pub(crate) file: PathBuf,
    /// The label column
    #[arg(long, value_name = "COL")]
    pub(crate) target: String,
    /// The resampler as a sweep file writes it, such as '{ kind = "tomek-links" }', or its kind alone
    #[arg(long, value_name = "RESAMPLER")]
    pub(crate) with: String,
    /// The csv, tsv or parquet file to write, whole or not at all; never the input
    #[arg(long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Fill missing values from the rows that have them: numbers by the median (as a sweep does) or the mean, names by the most
    /// frequent one
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, default_missing_value = "median")]
    pub(crate) impute: Option<ImputeArg>,
    /// Column that says which rows belong together: no feature; a row made between two has that of the first
    #[arg(long, value_name = "COL")]
    pub(crate) group: Option<String>,
    /// Seed of what is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// What to do with a class that is too small for a parameter: reduce it and say so, or stop
    #[arg(long, value_enum, default_value = "clamp", value_name = "POLICY")]
    pub(crate) small_class: SmallClassArg,
    #[command(flatten)]
    pub(crate) reading: ReadArgs,
    #[command(flatten)]
    pub(crate) contrast: ContrastArgs,
}

fn shard_help() -> String {
    format!(
        "Run shard I of N only, of about the same estimated cost as the others (I from 1 to N). auto/N takes I from \
         the scheduler whose task this is, and `auto` N as well, where it says how many: {}",
        schedulers::known()
    )
}

fn bytes(text: &str) -> Result<u64, String> {
    use counterweight_harness::config::limits::{BYTES_HINT, parse_bytes};
    parse_bytes(text).map_err(|message| format!("{message}; {BYTES_HINT}"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImputeArg {
    Median,
    Mean,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SmallClassArg {
    Clamp,
    Error,
    /// Stop like error, with exit code 4
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    Corrections,
    Models,
    Metrics,
    Populations,
    Datasets,
    Presets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FormatArg {
    /// How to print
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) format: Format,
}
