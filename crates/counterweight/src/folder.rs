//! A report folder: where the sweep file is, what has been done, and what is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use counterweight_config::{Diagnostic, SHOWN};
use counterweight_core::{Cells, Finished, Record, Seed, Table, Timing};
use counterweight_frame::{owner_of, read_table, read_text, write_atomically, write_table_of};
use counterweight_harness::config::{self, Sweep};
use counterweight_harness::plan::Plan;
use counterweight_store::{
    Damage, Joined, Sides, costs_table, curves_table, details_table, join, leaks_table, read_sides,
    records_table, reliability_table, scores_table, segment_files, side_files, timings_table,
};

use crate::command;
use crate::compare::difference;
use crate::exit::{Error, Result};
use crate::provenance::Provenance;
use crate::records::{COSTS, LEAK, RELIABILITY, read_records};
use crate::report::remove_report;
use crate::session::Session;
use crate::side_tables::{claim_names, class_names, imported, lacks_bins};
use crate::source::Files;
use crate::worker;

/// Most damaged lines that a note names.
const NAMED: usize = 8;

/// Name of a sweep file inside its report folder.
pub(crate) const SWEEP: &str = "sweep.toml";

const RECORDS: &str = "records.parquet";

const SCORES: &str = "scores.parquet";

const CURVES: &str = "curves.parquet";

/// A sweep file and the folder that holds its results.
#[derive(Debug)]
pub struct Folder<'s> {
    pub(crate) session: &'s Session<'s>,
    pub(crate) sweep: PathBuf,
    pub(crate) output: PathBuf,
}

impl<'s> Folder<'s> {
    /// From what `run` is given: a sweep file, or a folder with one.
    ///
    /// # Errors
    /// When there is no sweep file.
    pub fn of_run(session: &'s Session<'s>, path: &Path, output: Option<&Path>) -> Result<Self> {
        let sweep = if path.is_dir() {
            path.join(SWEEP)
        } else {
            path.to_path_buf()
        };
        if !sweep.is_file() {
            let hint = if path.is_dir() {
                "the folder has no sweep.toml; see the README for the sweep file format"
            } else {
                "give a sweep file, or a folder that holds a sweep.toml"
            };
            let what = if sweep.exists() {
                "not a regular file"
            } else {
                "no such file"
            };
            return Err(Error::usage(format!("{}: {what}", sweep.display())).hint(hint));
        }
        let beside = match sweep.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        Ok(Self {
            session,
            sweep,
            output: output.map_or(beside, Path::to_path_buf),
        })
    }

    /// From a report folder. Results that were written elsewhere with `--output` remember where
    /// their sweep file is, since its relative paths count from there.
    ///
    /// # Errors
    /// When there is no such folder, or no sweep file that belongs to it.
    pub fn of_report(session: &'s Session<'s>, folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(
                Error::usage(format!("{}: no such folder", folder.display()))
                    .hint("give a report folder, such as reports/quick"),
            );
        }
        let source = Provenance::sweep_source(folder).map(|source| folder.join(source));
        let sweep = match source {
            Some(source) if source.is_file() => source,
            _ => folder.join(SWEEP),
        };
        if !sweep.is_file() {
            return Err(Error::usage(format!("{}: no such file", sweep.display()))
                .hint("the folder has no sweep.toml, so there is nothing to compare it with"));
        }
        Ok(Self {
            session,
            sweep,
            output: folder.to_path_buf(),
        })
    }

    /// Reads, checks and plans the sweep.
    ///
    /// # Errors
    /// Every error of the sweep and its data at once, in [`Error::list`].
    pub fn plan(&self) -> Result<(Plan, Files)> {
        self.plan_seeded(None)
    }

    /// The same, under another seed than the sweep's own.
    pub(crate) fn plan_seeded(&self, seed: Option<u64>) -> Result<(Plan, Files)> {
        let text = read_text(&self.sweep)
            .map_err(|error| Error::usage(format!("{}: {error}", self.sweep.display())))?;
        let files = Files::new(self.sweep.parent().unwrap_or_else(|| Path::new(".")));
        let sweep = config::parse(&self.sweep, &text, &self.session.catalogue).map_err(|bad| {
            let mut errors = bad.errors;
            if let Some(sweep) = bad.sound {
                errors.extend(self.unusable(&sweep));
                errors.extend(Plan::check(&sweep, &self.session.catalogue, &files));
                errors.sort_by_key(|error| error.line);
            }
            rejected(errors)
        })?;
        let mut errors = self.unusable(&sweep);
        if !errors.is_empty() {
            errors.extend(Plan::check(&sweep, &self.session.catalogue, &files));
            errors.sort_by_key(|error| error.line);
            return Err(rejected(errors));
        }
        let mut sweep = Sweep {
            seed: seed.map_or(sweep.seed, Seed),
            ..sweep
        };
        let own = sweep.protocol.max_memory;
        sweep.protocol.max_memory = self.session.max_memory.or(own);
        worker::place(&mut sweep, self.session.in_process);
        command::place(&mut sweep);
        let plan = Plan::new(Arc::new(sweep), self.session.catalogue, &files).map_err(rejected)?;
        Ok((plan, files))
    }

    /// Files that the sweep names and that a run cannot take as they are.
    fn unusable(&self, sweep: &Sweep) -> Vec<Diagnostic> {
        let mut found = self.inputs_among_products(sweep);
        found.extend(command::check(sweep));
        found
    }

    /// What the segments hold.
    ///
    /// # Errors
    /// When one cannot be read, is of a later version, or contradicts another.
    pub fn joined(&self, plan: &Plan) -> Result<Joined> {
        Ok(join(&segment_files(&self.output)?, &sound(plan))?)
    }

    /// Says which lines of the store cannot be read, as long as something is not there for them.
    pub(crate) fn tell_damage(&self, joined: &Joined, sides: &Sides) {
        let torn = joined.torn + sides.torn;
        if torn > 0 {
            (self.session.say)(&format!(
                "note: {torn} torn line{} at the end of segments ignored: a process died while writing",
                if torn == 1 { "" } else { "s" }
            ));
        }
        let there = |damage: &Damage| {
            !damage.cells.is_empty()
                && damage.cells.iter().all(|cell| {
                    joined.entries.contains_key(cell) && !lacks_bins(cell, joined, sides)
                })
        };
        let damaged = joined.damaged.iter().chain(&sides.damaged);
        let damaged: Vec<String> = damaged.filter(|d| !there(d)).map(named).collect();
        if !damaged.is_empty() {
            let more = damaged.len().saturating_sub(NAMED);
            (self.session.say)(&format!(
                "note: {} damaged line{} left out, `run` makes what is missing again: {}{}",
                damaged.len(),
                if damaged.len() == 1 { "" } else { "s" },
                damaged[..damaged.len() - more].join(", "),
                if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                }
            ));
        }
    }

    /// What the segments hold beside the records.
    pub(crate) fn sides(&self) -> Result<Sides> {
        Ok(read_sides(&side_files(&self.output)?)?)
    }

    /// Writes records.parquet, records.csv, timings.parquet, details.parquet, reliability.parquet and
    /// run.json (and scores.parquet, curves.parquet and leak.parquet where the sweep wants them) from what
    /// is done of the plan. When the values are those that the folder holds, what is there of the files
    /// that are committed stays as it is, unless `rewrite`; and where the folder's records are of a run that
    /// got further, nothing is written. The folder has to be locked.
    pub(crate) fn write_records(
        &self,
        plan: &Plan,
        joined: &Joined,
        rewrite: bool,
    ) -> Result<Written> {
        let imported = imported(plan, &self.output, self.session.say)?;
        let done: Vec<&Finished> = plan
            .cells
            .iter()
            .filter_map(|cell| joined.entries.get(&cell.id))
            .chain(&imported)
            .collect();
        let mut records: Vec<Record> = done.iter().map(|entry| entry.record.clone()).collect();
        let cells = plan.cells.iter().enumerate();
        let mut planned = cells.filter(|(_, cell)| joined.entries.contains_key(&cell.id));
        for record in &mut records {
            record.stages = match planned.next() {
                Some((at, _)) => plan.stages(at),
                None => Arc::new(plan.stages_of_import(record)),
            };
        }
        let timings: Vec<Timing> = done.iter().map(|entry| entry.timing.clone()).collect();
        if let Some(more) = self.more_complete(plan, joined, &records) {
            (self.session.say)(&format!(
                "note: {} holds the records of {} of {} cells and keeps them: the {} of {} that are done now lie in \
                 its segments, and `run` goes on from them",
                self.output.display(),
                more.0,
                more.1,
                records.len(),
                plan.cells.len()
            ));
            return Ok(Written {
                records,
                timings,
                same: false,
                kept: true,
            });
        }
        make_folder(&self.output)?;
        let provenance = Provenance::new(&self.sweep, &self.output, plan, &records);
        let same = !rewrite && self.holds(&provenance, &records);
        let owner = provenance.owner();
        if Provenance::load(&self.output).is_some_and(|before| before.owner() != owner) {
            remove_report(&self.output)?;
        }
        // Whether the records' values are those of before and all that is shown beside them is too.
        let mut as_before = same;
        let mut put = |table: &Table, name: &str, committed: bool| {
            let file = self.output.join(name);
            if same && committed && file.is_file() {
                let own = owner_of(&file).is_none_or(|of| of == owner);
                let held =
                    || name == RECORDS || read_table(&file).is_ok_and(|old| agree(&old, table));
                if own && held() {
                    return Ok(());
                }
            }
            as_before &= !committed;
            write_table_of(table, &file, Some(&owner))
        };
        let table = records_table(&records, &self.session.catalogue)?;
        put(&table, RECORDS, true)?;
        put(&table, "records.csv", false)?;
        drop(table);
        put(&timings_table(&timings)?, "timings.parquet", false)?;
        put(&details_table(&records)?, "details.parquet", true)?;
        let sides = self.sides()?;
        put(&reliability_table(&records, &sides)?, RELIABILITY, true)?;
        put(&costs_table(&records, &sides)?, COSTS, true)?;
        let removed = self.remove_unasked(plan)?;
        if plan.sweep.protocol.keep_scores {
            let table = scores_table(&records, &sides, &class_names(plan))?;
            put(&table, SCORES, false)?;
        }
        if !plan.sweep.curves.is_empty() {
            let curves = plan.sweep.curves.iter();
            let curves: Vec<_> = curves.map(|c| (c.id.as_str(), c.parameter)).collect();
            put(&curves_table(&records, &sides, &curves)?, CURVES, true)?;
        }
        if !plan.sweep.leaks.is_empty() {
            put(&leaks_table(&claim_names(plan), &sides)?, LEAK, true)?;
        }
        let same = as_before && !removed;
        if !same {
            provenance.write(&self.output)?;
        }
        // After run.json, which says that the copy is ours.
        let own = self.output.join(SWEEP);
        let inside = match (own.canonicalize(), self.sweep.canonicalize()) {
            (Ok(own), Ok(sweep)) => own == sweep,
            _ => false,
        };
        if !inside && own != self.sweep {
            write_atomically(&own, plan.sweep.text.as_bytes())?;
        }
        Ok(Written {
            records,
            timings,
            same,
            kept: false,
        })
    }

    /// Records and cells of the folder's run, when these records of an incomplete one are fewer of theirs.
    fn more_complete(
        &self,
        plan: &Plan,
        joined: &Joined,
        records: &[Record],
    ) -> Option<(usize, usize)> {
        let complete = plan
            .cells
            .iter()
            .all(|cell| joined.entries.contains_key(&cell.id));
        let there = |name| self.output.join(name).is_file();
        if complete || !(there("records.parquet") || there("records.csv")) {
            return None;
        }
        let (done, cells) = Provenance::done(&self.output).or_else(|| {
            let old = read_records(&self.output).ok()?;
            Some((old.len(), plan.cells.len()))
        })?;
        let further =
            done as u128 * plan.cells.len() as u128 > records.len() as u128 * cells as u128;
        further.then_some((done, cells))
    }

    /// Removes what an earlier sweep of the folder asked for and this one does not; gives whether any of it
    /// was there to be shown.
    fn remove_unasked(&self, plan: &Plan) -> Result<bool> {
        let sweep = &plan.sweep;
        let mut removed = false;
        for (asked, name) in [
            (sweep.protocol.keep_scores, SCORES),
            (!sweep.curves.is_empty(), CURVES),
            (!sweep.leaks.is_empty(), LEAK),
        ] {
            let file = self.output.join(name);
            if !asked && file.is_file() {
                std::fs::remove_file(&file).map_err(|error| trouble(&file, &error))?;
                removed |= name != SCORES;
            }
        }
        Ok(removed)
    }

    /// Whether the folder holds these values already: the same cells under the same results epoch, every
    /// number to 1e-9, no flipped decision. Its run.json says where they were first computed.
    fn holds(&self, now: &Provenance, records: &[Record]) -> bool {
        let same = Provenance::load(&self.output).filter(|before| before.same_question(now));
        let file = self.output.join("records.parquet");
        same.is_some_and(|before| {
            file.is_file()
                && (before.same_values(now)
                    || read_records(&file).is_ok_and(|old| {
                        let pairs = old.iter().zip(records);
                        old.len() == records.len()
                            && pairs.into_iter().all(|(old, new)| {
                                old.cell == new.cell && difference(old, new).is_none()
                            })
                    }))
        })
    }
    /// The sweep as a user would name it: its folder when it is called sweep.toml.
    pub(crate) fn shown_sweep(&self) -> String {
        let named = self.sweep.file_name().is_some_and(|name| name == SWEEP);
        let path = if named {
            self.sweep.parent().unwrap_or(&self.sweep)
        } else {
            &self.sweep
        };
        // An absolute path is this machine's: its last part is what a reader can use.
        if path.is_absolute() {
            path.file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        } else {
            path.display().to_string()
        }
    }
}

/// Whether two tables hold the same, numbers to 1e-9.
fn agree(a: &Table, b: &Table) -> bool {
    let close = |(x, y): (&Option<f64>, &Option<f64>)| match (x, y) {
        (Some(x), Some(y)) => (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1.0),
        _ => x == y,
    };
    let cells = |a: &Cells, b: &Cells| match (a, b) {
        (Cells::Real(x), Cells::Real(y)) => x.len() == y.len() && x.iter().zip(y).all(close),
        _ => a == b,
    };
    let mut columns = a.columns().iter().zip(b.columns());
    a.columns().len() == b.columns().len()
        && columns.all(|((name, x), (other, y))| name == other && cells(x, y))
}

/// Whether a record calls its cell what a plan calls it; one of no cell of the plan has nothing to contradict.
pub(crate) fn sound(plan: &Plan) -> impl Fn(&Record) -> bool {
    let index = plan.index();
    move |record| {
        let at = index.get(&record.cell);
        at.is_none_or(|&at| plan.names(at, record))
    }
}

/// What was written of a run.
pub(crate) struct Written {
    /// In plan order.
    pub(crate) records: Vec<Record>,
    /// Those of the records.
    pub(crate) timings: Vec<Timing>,
    /// Whether the folder held these values already.
    pub(crate) same: bool,
    /// Whether nothing was written, because the folder's records are of a run that got further.
    pub(crate) kept: bool,
}

pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| trouble(folder, &error))
}

/// What the operating system says of a file.
pub(crate) fn trouble(file: &Path, error: &std::io::Error) -> Error {
    Error::of_system(format!("{}: {error}", file.display()), error)
}

/// A damaged line by its place and the cells that it was of.
pub(crate) fn named(damage: &Damage) -> String {
    let cells: Vec<&str> = damage.cells.iter().map(|cell| cell.0.as_str()).collect();
    let cells = match cells.as_slice() {
        [] => String::new(),
        cells => format!(" (cell {})", cells.join(", ")),
    };
    format!("{}:{}{cells}", damage.path.display(), damage.line)
}

/// Every error of a sweep file.
pub(crate) fn rejected(list: Vec<Diagnostic>) -> Error {
    let count = list.len();
    let plural = if count == 1 { "" } else { "s" };
    let words = if count > SHOWN {
        format!("more than {SHOWN} errors")
    } else {
        format!("{count} error{plural}")
    };
    Error {
        list,
        ..Error::usage(format!("the sweep has {words}; nothing was run"))
    }
}
