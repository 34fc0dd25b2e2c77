//! What to use on a table of one's own: a small sweep over the arms that the reference does not rule out, settled before
//! it runs, and what its records say.

mod budget;
mod evidence;
mod judge;
mod shown;

use std::collections::BTreeMap;
use std::path::PathBuf;

use counterweight_core::{Contrast, Dataset, ReadOptions, Record};
use counterweight_frame::{describe_counted, read_counted, read_text, write_atomically};
use counterweight_harness::plan::{InputKind, Plan};
use counterweight_store::Sides;
use serde::Serialize;

use crate::decide::{bracket, by_class, view};
use crate::exit::{Error, Exit, Result};
use crate::folder::{Folder, SWEEP, make_folder};
use crate::records::read_records;
use crate::run::{RunOptions, run};
use crate::session::Session;
use budget::{Ask, Plot, THRESHOLDS, settle, shape};
use judge::{Difference, Losses, Tested, reach};

pub use evidence::{ArmName, Evidence, Expected, Shape, believed};
pub use shown::write_advice;

/// Fewest rows of a class: each part of a cross-validation judges one.
const FEWEST: usize = 5;

/// Chance to show a gain that is there, for what could have been seen.
const POWER_QUANTILE: f64 = 0.841_621_233_572_914_4;

/// What a plan may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Minutes of one core, by estimate.
    Minutes(f64),
    /// Cells.
    Cells(usize),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct AdviseOptions {
    /// The table.
    pub file: PathBuf,
    /// How it is read; its target is the column of the classes.
    pub reading: ReadOptions,
    /// The two-class task that is made of its classes.
    pub contrast: Option<Contrast>,
    /// Cost of missing a row, by class, 1 where none is given; without any the balanced error counts.
    pub costs: Vec<(String, f64)>,
    /// What the plan may cost.
    pub budget: Budget,
    /// The folder that keeps the sweep and its records; a temporary one without.
    pub output: Option<PathBuf>,
}

/// A gain with the interval that holds together with those of all other arms, 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// How much less the loss is.
    pub value: f64,
    /// Ends of the interval.
    pub interval: (f64, f64),
}

/// An arm of the plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedArm {
    /// Model.
    pub model: String,
    /// Correction.
    pub correction: String,
    /// Balanced error, or expected cost of a row where costs are given.
    pub loss: f64,
    /// Its gain over doing nothing; none for that itself.
    pub gain: Option<Gain>,
    /// Error rate.
    pub error_rate: f64,
    /// Log loss, a mean over the splits.
    pub log_loss: Option<f64>,
}

/// The advice.
#[derive(Debug, Serialize)]
pub struct AdviseReport {
    /// Version of this form.
    pub format: u32,
    /// Classes with their rows.
    pub classes: Vec<(String, usize)>,
    /// What arms are compared by.
    pub compared_by: String,
    /// Whether a correction is shown to help.
    pub shown: bool,
    /// What to use: model and correction.
    pub advised: (String, String),
    /// The arm that looks best, whether or not it is shown to help.
    pub best: (String, String),
    /// Doing nothing: the best model with plain training.
    pub nothing: (String, String),
    /// What choosing the best looking arm gains on rows that had no part in the choice.
    pub expected_gain: f64,
    /// The measured gain of the best looking arm with its interval.
    pub gain: Gain,
    /// Its gain over the best threshold on plain training; none where it is one.
    pub over_threshold: Option<Gain>,
    /// The least gain that this plan would have shown four times in five.
    pub detectable: f64,
    /// More errors in the rows as they come, with its interval.
    pub more_errors: Gain,
    /// More log loss.
    pub more_log_loss: Option<f64>,
    /// Folds, repeats and arms of the plan.
    pub plan: (usize, usize, usize),
    /// All arms, best first.
    pub arms: Vec<JudgedArm>,
    /// What it comes to, in words.
    pub sentences: Vec<String>,
    /// The table of arms.
    #[serde(skip)]
    pub view: counterweight_report::view::View,
    /// The sweep file.
    #[serde(skip)]
    pub sweep: String,
}

/// Advises on a table: settles a plan by its estimated cost, runs it, and says what its records show.
///
/// The same table and budget give the same advice on any machine and number of threads.
///
/// # Errors
/// For a table that cannot be read, a class of fewer than five rows, costs of unknown classes, a budget that affords
/// nothing, a folder of another sweep, and when the run was interrupted.
pub fn advise(session: &Session<'_>, options: &AdviseOptions) -> Result<AdviseReport> {
    let (data, mut notes) = read(options)?;
    let counts = data.labels().counts();
    let names = data.labels().names();
    let costs = if options.costs.is_empty() {
        None
    } else {
        let given = by_class(&options.costs, names, "--cost")?.into_iter();
        let costs: Vec<f64> = given.map(|cost| cost.copied().unwrap_or(1.0)).collect();
        if let Some(bad) = costs
            .iter()
            .find(|cost| !(cost.is_finite() && **cost > 0.0))
        {
            return Err(Error::usage(format!("--cost: a cost is {bad}"))
                .hint("costs are finite and above 0"));
        }
        Some(costs)
    };
    if let Budget::Minutes(minutes) = options.budget
        && !(minutes.is_finite() && minutes > 0.0)
    {
        return Err(Error::usage(format!("--minutes is {minutes}")).hint("give a number above 0"));
    }
    refuse_small(options, &data)?;
    let scratch;
    let folder = if let Some(folder) = &options.output {
        folder.as_path()
    } else {
        scratch = tempfile::tempdir().map_err(|error| Error::internal(error.to_string()))?;
        scratch.path()
    };
    let ask = Ask {
        options,
        data: &data,
        costs: costs.as_deref(),
    };
    let plot = settle(session, ask, folder)?;
    make_folder(folder)?;
    let sweep = folder.join(SWEEP);
    if sweep.exists() && read_text(&sweep).ok().as_deref() != Some(plot.text.as_str()) {
        return Err(
            Error::usage(format!("{} is another sweep", sweep.display()))
                .hint("give a folder of its own to --output"),
        );
    }
    write_atomically(&sweep, plot.text.as_bytes())?;
    let quiet = RunOptions {
        no_report: true,
        ..RunOptions::default()
    };
    // What is to be said of the data is said in the advice.
    let silent = Session {
        say: &|_| {},
        catalogue: session.catalogue,
        control: session.control.clone(),
        ..*session
    };
    let ran = run(&silent, folder, &quiet)?;
    if ran.missing > 0 {
        return Err(Error::new(
            Exit::Interrupted,
            "interrupted before all cells were done",
        ));
    }
    let at = Folder::of_run(&silent, folder, None)?;
    let (plan, _) = at.plan()?;
    let records = read_records(folder)?;
    let tested = tested(&plan, costs.as_deref())?;
    let arms = losses(&plan, &records, &at.sides()?, &tested);
    let planned = plan.sweep.models.len() * plan.sweep.corrections.len();
    if arms.len() < planned {
        notes.push(format!(
            "{} of {planned} arms have no decisions on every split, and are not judged",
            planned - arms.len()
        ));
    }
    let judged = judge(arms, tested, (shape(&data), costs.is_some()))?;
    let classes = names.iter().cloned().zip(counts.as_slice().iter().copied());
    Ok(shown::report(
        &judged,
        (options, plot),
        (classes.collect(), notes),
    ))
}

/// The table, and what to beware of in it.
fn read(options: &AdviseOptions) -> Result<(Dataset, Vec<String>)> {
    let wrong = |error: &dyn std::fmt::Display| Error::usage(error.to_string());
    let (mut data, wholes) = read_counted(&options.file, &options.reading)?;
    if let Some(column) = &options.reading.group {
        data = data.grouped_by(column).map_err(|error| wrong(&error))?;
    }
    if let Some(column) = &options.reading.weight {
        data = data.weighted_by(column).map_err(|error| wrong(&error))?.0;
    }
    if let Some(contrast) = &options.contrast {
        let task = contrast.apply(data).map_err(|error| match error.hint {
            Some(hint) => Error::usage(error.message).hint(hint),
            None => Error::usage(error.message),
        })?;
        data = task.0;
    }
    let warnings = describe_counted(&data, &wholes).warnings;
    Ok((data, warnings))
}

/// Refuses classes with too few rows.
fn refuse_small(options: &AdviseOptions, data: &Dataset) -> Result<()> {
    let counts = data.labels().counts();
    let file = options.file.display();
    let names = data.labels().names().iter();
    let small = counts.as_slice().iter().zip(names);
    let small = small.filter(|(n, _)| **n > 0).min_by_key(|(n, _)| **n);
    match small {
        Some((n, class)) if *n < FEWEST => Err(Error::usage(format!(
            "{file}: class `{class}` has {n} row{}, too few to learn from and to be judged on",
            if *n == 1 { "" } else { "s" }
        ))
        .hint(format!(
            "a class needs {FEWEST} rows; leave it out or join classes with --positive and --negative"
        ))),
        _ => Ok(()),
    }
}

/// The rows of the plan's table.
fn tested(plan: &Plan, costs: Option<&[f64]>) -> Result<Tested> {
    let InputKind::Real(data) = &plan.inputs[0].kind else {
        return Err(Error::internal("a plan without a table"));
    };
    let labels = data.labels().clone();
    let n = labels.len();
    let masses = labels.counts().masses();
    let all: f64 = masses.iter().sum();
    let present = masses.iter().filter(|mass| **mass > 0.0).count() as f64;
    let says = |(class, mass): (usize, &f64)| match costs {
        _ if *mass <= 0.0 => 0.0,
        Some(costs) => costs[class] * mass / all,
        None => 1.0 / present,
    };
    let units = match data.groups() {
        Some(groups) => {
            let mut known = BTreeMap::new();
            let id = |group: &u32| {
                let next = known.len();
                *known.entry(*group).or_insert(next)
            };
            groups.iter().map(id).collect()
        }
        None => (0..n).collect(),
    };
    Ok(Tested {
        says: masses.iter().enumerate().map(says).collect(),
        weights: labels.weights().unwrap_or_else(|| vec![1.0; n]),
        labels,
        units,
        folds: plan
            .units
            .iter()
            .map(|unit| unit.fold + 1)
            .max()
            .unwrap_or(2),
    })
}

/// An arm with what it lost.
struct Arm {
    name: ArmName,
    losses: Losses,
    log_loss: Option<f64>,
}

/// The arms that every split has a number for.
fn losses(plan: &Plan, records: &[Record], sides: &Sides, tested: &Tested) -> Vec<Arm> {
    let n = tested.labels.len();
    let place: BTreeMap<u64, usize> = match &plan.inputs[0].kept {
        Some(kept) => kept
            .iter()
            .enumerate()
            .map(|(at, row)| (*row as u64, at))
            .collect(),
        None => (0..n).map(|row| (row as u64, row)).collect(),
    };
    let mut arms = Vec::new();
    for model in &plan.sweep.models {
        for correction in &plan.sweep.corrections {
            let own = records.iter().filter(|record| {
                record.model.as_str() == model.id && record.correction.as_str() == correction.id
            });
            let (mut wrong, mut seen) = (vec![0.0; n], vec![0.0; n]);
            let mut splits = Vec::new();
            let mut log_losses = Vec::new();
            for record in own {
                let scores = record.balanced_error().and(sides.scores.get(&record.cell));
                let Some(scores) = scores else { break };
                let decided = scores.labels.iter().zip(&scores.decisions);
                let rows: Vec<(usize, bool)> = scores
                    .rows
                    .iter()
                    .zip(decided)
                    .filter_map(|(row, (label, decision))| {
                        Some((*place.get(row)?, label != decision))
                    })
                    .collect();
                let mut here = vec![0.0; n];
                for (row, missed) in &rows {
                    here[*row] = f64::from(*missed);
                    wrong[*row] += f64::from(*missed);
                    seen[*row] += 1.0;
                }
                splits.push(tested.loss(&here, rows.iter().map(|(row, _)| *row)));
                log_losses.extend(record.metrics.get("log_loss").copied());
            }
            if splits.len() != plan.units.len() {
                continue;
            }
            let rows = wrong
                .iter()
                .zip(&seen)
                .map(|(w, s)| if *s > 0.0 { w / s } else { 0.0 });
            let whole = log_losses.len() == splits.len();
            let mean = log_losses.iter().sum::<f64>() / log_losses.len().max(1) as f64;
            arms.push(Arm {
                name: (model.id.clone(), correction.id.clone()),
                losses: Losses {
                    rows: rows.collect(),
                    splits,
                },
                log_loss: whole.then_some(mean),
            });
        }
    }
    arms
}

/// What the records come to, in numbers.
struct Verdict {
    tested: Tested,
    arms: Vec<Arm>,
    /// The best plain arm, the arm that looks best, and the best threshold on plain training.
    nothing: usize,
    best: usize,
    threshold: Option<usize>,
    gain: Difference,
    reach: f64,
    honest: f64,
    more_errors: Gain,
    /// What the reference expects: gain of the best arm over doing nothing on tables like this one.
    reference: Option<f64>,
    with_costs: bool,
}

impl Verdict {
    fn gain_over(&self, first: usize, second: usize) -> Gain {
        let [first, second] = [first, second].map(|arm| &self.arms[arm].losses);
        gain(&self.tested.difference(first, second), self.reach)
    }

    fn shown(&self) -> bool {
        self.best != self.nothing
            && self.arms[self.best].name.1 != "none"
            && self.gain.value - self.reach * self.gain.error > 0.0
    }
}

fn gain(difference: &Difference, reach: f64) -> Gain {
    let half = reach * difference.error;
    Gain {
        value: difference.value,
        interval: (difference.value - half, difference.value + half),
    }
}

fn judge(arms: Vec<Arm>, tested: Tested, (shape, with_costs): (Shape, bool)) -> Result<Verdict> {
    let losses: Vec<f64> = arms
        .iter()
        .map(|arm| tested.all(&arm.losses.rows))
        .collect();
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let arms = arms.iter().enumerate();
        arms.filter(|(_, arm)| wanted(&arm.name.1))
            .map(|(at, _)| at)
            .collect()
    };
    let least = |among: &[usize], by: &[f64]| {
        among
            .iter()
            .copied()
            .min_by(|a, b| by[*a].total_cmp(&by[*b]))
    };
    let plain = of(&|id| id == "none");
    let Some(nothing) = least(&plain, &losses) else {
        return Err(Error::usage(
            "no model could be judged on every split of this table",
        ));
    };
    let expected = expected(&arms, shape, with_costs);
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let believed: Vec<f64> = (0..arms.len())
        .map(|arm| {
            let error = tested
                .difference(&arms[nothing].losses, &arms[arm].losses)
                .error;
            believed(expected[arm], losses[arm] - mean, error)
        })
        .collect();
    let all: Vec<usize> = (0..arms.len()).collect();
    let best = least(&all, &believed).unwrap_or(nothing);
    let gain_of =
        |first: usize, second: usize| tested.difference(&arms[first].losses, &arms[second].losses);
    let pairs = plain
        .iter()
        .flat_map(|first| all.iter().map(move |second| (*first, *second)));
    let family: Vec<Difference> = pairs
        .filter(|(first, second)| first != second)
        .map(|(first, second)| gain_of(first, second))
        .collect();
    let found = gain_of(nothing, best);
    let reach = reach(&family, found.df);
    let own: Vec<Losses> = arms.iter().map(|arm| arm.losses.clone()).collect();
    let honest = tested.honest(&own, &plain);
    let thresholds = of(&|id| THRESHOLDS.contains(&id));
    let reference = expected[best].zip(expected[nothing]);
    let masses = tested.labels.counts().masses();
    let natural = Tested {
        says: masses
            .iter()
            .map(|mass| mass / masses.iter().sum::<f64>())
            .collect(),
        labels: tested.labels.clone(),
        weights: tested.weights.clone(),
        units: tested.units.clone(),
        folds: tested.folds,
    };
    let errors = natural.difference(&own[best], &own[nothing]);
    let one = judge::reach(&[], errors.df);
    Ok(Verdict {
        nothing,
        best,
        threshold: least(&thresholds, &losses),
        gain: found,
        reach,
        honest,
        more_errors: gain(&errors, one),
        reference: reference.map(|(best, nothing)| nothing.mean - best.mean),
        with_costs,
        tested,
        arms,
    })
}

/// What the reference expects of each arm, less the mean of these arms; nothing where costs are given, of which it has
/// none.
fn expected(arms: &[Arm], shape: Shape, with_costs: bool) -> Vec<Option<Expected>> {
    if with_costs {
        return vec![None; arms.len()];
    }
    let evidence = Evidence::carried();
    let all = evidence.expected(shape);
    let of = |arm: &Arm| {
        let at = evidence.arms.iter().position(|known| *known == arm.name)?;
        all[at]
    };
    let mut found: Vec<Option<Expected>> = arms.iter().map(of).collect();
    let known = found.iter().flatten();
    let mean = known.clone().map(|e| e.mean).sum::<f64>() / known.count().max(1) as f64;
    for one in found.iter_mut().flatten() {
        one.mean -= mean;
    }
    found
}
