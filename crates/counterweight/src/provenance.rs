//! run.json: what the records of a folder came from.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use counterweight_core::{Axis, Hasher, Outcome, Record};
use counterweight_frame::{read_text, write_atomically};
use counterweight_harness::plan::{Plan, RESULTS_EPOCH};
use serde::{Deserialize, Serialize};

use crate::exit::{Error, Result};
use crate::source::data_notes;

/// Format of run.json.
const FORMAT: u64 = 1;

/// The contents of run.json.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Provenance {
    format: u64,
    sweep: String,
    /// Hash of what the sweep asks for, without its seed.
    sweep_hash: String,
    seed: u64,
    version: String,
    results_epoch: u64,
    /// The commit that was checked out when the records were written: the parent of the commit that
    /// holds them. Empty outside a checkout.
    revision: String,
    host: Host,
    /// Where the sweep file is, relative to this folder, when it is not the one inside.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sweep_source: String,
    /// Hash of the sweep file's text, where a copy of it was written into the folder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    sweep_text: String,
    /// Most bytes of the run, where that decides outcomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_memory: Option<u64>,
    /// Every parameter that an entry varies.
    #[serde(default)]
    axes: Vec<Axis>,
    /// What to beware of in the data, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    cells: usize,
    done: usize,
    outcomes: BTreeMap<String, usize>,
    /// Hash of the records' values.
    values: String,
}

/// The machine, as far as it can bear on the last bits of a number.
#[derive(Debug, Serialize, Deserialize)]
struct Host {
    os: String,
    arch: String,
    cpu_features: String,
}

impl Provenance {
    /// Of these records of a plan, which go to `folder`; `sweep` is the sweep file.
    pub(crate) fn new(sweep: &Path, folder: &Path, plan: &Plan, records: &[Record]) -> Self {
        let sweep_source = relative(sweep, folder).unwrap_or_default();
        Self {
            format: FORMAT,
            sweep: plan.sweep.name.clone(),
            sweep_hash: plan.sweep_hash.hex(),
            seed: plan.sweep.seed.0,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            results_epoch: RESULTS_EPOCH,
            revision: revision().unwrap_or_default(),
            host: Host {
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                cpu_features: cpu_features(),
            },
            sweep_text: if sweep_source.is_empty() {
                String::new()
            } else {
                text_hash(&plan.sweep.text)
            },
            sweep_source,
            max_memory: plan.sweep.protocol.max_memory,
            axes: plan.axes.clone(),
            notes: data_notes(plan),
            cells: plan.cells.len(),
            done: records.len(),
            outcomes: outcomes(records)
                .into_iter()
                .map(|(outcome, count)| (outcome.id().to_owned(), count))
                .collect(),
            values: values_hash(records),
        }
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::internal(error.to_string()))?;
        write_atomically(&folder.join("run.json"), format!("{text}\n").as_bytes())?;
        Ok(())
    }

    /// The run.json of a folder.
    pub(crate) fn load(folder: &Path) -> Option<Self> {
        let text = read_text(&folder.join("run.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// What the tables of these records belong to: a sweep and its seed.
    pub(crate) fn owner(&self) -> String {
        format!("sweep {} seed {}", self.sweep_hash, self.seed)
    }

    /// Whether both are about the same cells under the same results epoch.
    pub(crate) fn same_question(&self, other: &Self) -> bool {
        (
            &self.sweep_hash,
            self.seed,
            self.results_epoch,
            self.cells,
            self.done,
            &self.axes,
        ) == (
            &other.sweep_hash,
            other.seed,
            other.results_epoch,
            other.cells,
            other.done,
            &other.axes,
        )
    }

    /// Whether both are about the same values, to the last bit.
    pub(crate) fn same_values(&self, other: &Self) -> bool {
        self.values == other.values
    }

    /// Where the sweep file of a folder is, when it is not inside.
    pub(crate) fn sweep_source(folder: &Path) -> Option<String> {
        Self::load(folder)
            .map(|run| run.sweep_source)
            .filter(|source| !source.is_empty())
    }

    /// Hash of the text of the sweep file that was copied into a folder.
    pub(crate) fn copied_text(folder: &Path) -> Option<String> {
        Self::load(folder)
            .map(|run| run.sweep_text)
            .filter(|hash| !hash.is_empty())
    }

    /// How much of its sweep the run of a folder had done: records and cells.
    pub(crate) fn done(folder: &Path) -> Option<(usize, usize)> {
        Self::load(folder).map(|run| (run.done, run.cells))
    }

    /// CPU features of the machine that wrote a folder's records.
    pub(crate) fn cpu(folder: &Path) -> Option<String> {
        Self::load(folder).map(|run| run.host.cpu_features)
    }

    /// Name of the sweep that a folder holds.
    pub(crate) fn sweep_name(folder: &Path) -> Option<String> {
        Self::load(folder)
            .map(|run| run.sweep)
            .filter(|name| !name.is_empty())
    }

    /// The parameters that the sweep of a folder varies; none without a run.json.
    pub(crate) fn axes(folder: &Path) -> Vec<Axis> {
        Self::load(folder).map(|run| run.axes).unwrap_or_default()
    }

    /// What the page shows; empty without a run.json.
    pub(crate) fn read(folder: &Path) -> Vec<(String, String)> {
        let Some(run) = Self::load(folder) else {
            return Vec::new();
        };
        let outcomes: Vec<String> = run
            .outcomes
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect();
        [
            ("sweep", run.sweep),
            ("sweep hash", run.sweep_hash),
            ("seed", run.seed.to_string()),
            ("version", run.version),
            ("results epoch", run.results_epoch.to_string()),
            ("parent revision", run.revision),
            (
                "cells",
                format!(
                    "{} of {} done: {}",
                    run.done,
                    run.cells,
                    outcomes.join(", ")
                ),
            ),
            ("hash of the values", run.values),
            (
                "machine",
                format!(
                    "{} {}, {}",
                    run.host.os, run.host.arch, run.host.cpu_features
                ),
            ),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

pub(crate) fn text_hash(text: &str) -> String {
    let hasher = Hasher::new("counterweight sweep text");
    hasher.text(text).finish().short()
}

/// The commit that is checked out where the program runs.
fn revision() -> Option<String> {
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "HEAD"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The CPU features that a matrix product may dispatch on.
pub(crate) fn cpu_features() -> String {
    let mut found: Vec<&str> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx") {
            found.push("avx");
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            found.push("avx2");
        }
        if std::arch::is_x86_feature_detected!("fma") {
            found.push("fma");
        }
        if std::arch::is_x86_feature_detected!("avx512f") {
            found.push("avx512f");
        }
    }
    if found.is_empty() {
        "baseline".to_owned()
    } else {
        found.join(" ")
    }
}

/// `path` as seen from `folder`, when it is not `folder/sweep.toml` and both lie below a common
/// folder; an absolute path would name this machine.
fn relative(path: &Path, folder: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    let folder = folder.canonicalize().ok()?;
    if path == folder.join("sweep.toml") {
        return None;
    }
    let common = path
        .components()
        .zip(folder.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder.components().count() - common;
    let mut text: Vec<String> = vec!["..".to_owned(); up];
    text.extend(
        path.components()
            .skip(common)
            .map(|c| c.as_os_str().to_string_lossy().into_owned()),
    );
    Some(text.join("/"))
}

fn values_hash(records: &[Record]) -> String {
    let mut hasher = Hasher::new("counterweight records 1");
    for record in records {
        hasher = hasher.text(&record.cell.0).text(record.outcome.id());
        for (id, value) in &record.metrics {
            hasher = hasher.text(id).real(*value);
        }
        hasher = hasher.real(record.bayes_balanced_error.unwrap_or(f64::NAN));
        for recall in &record.recalls {
            hasher = hasher.real(recall.unwrap_or(f64::NAN));
        }
    }
    hasher.finish().hex()
}

/// Hash of the running program, empty when it cannot read itself: results of another build of the same
/// version are other results until shown otherwise.
pub(crate) fn build_hash() -> String {
    std::env::current_exe().and_then(std::fs::read).map_or_else(
        |_unreadable| String::new(),
        |bytes| {
            Hasher::new("counterweight build")
                .bytes(&bytes)
                .finish()
                .short()
        },
    )
}

/// What this machine is called, empty where the system does not say.
pub(crate) fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_none| String::new(), |name| name.trim().to_owned())
}

/// Counts by outcome, gravest first, without those that did not occur.
pub(crate) fn outcomes(records: &[Record]) -> Vec<(Outcome, usize)> {
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for record in records {
        *counts.entry(record.outcome).or_default() += 1;
    }
    counts.into_iter().collect()
}
