//! How often the gate cries wolf on new seeds, and how often it sees a loss of one point.
//!
//! A pseudo-rerun takes two disjoint draws from the repeats of one larger sweep, one as the baseline and
//! one as the rerun under another seed. Nothing changed between the two, so every verdict but a pass
//! is a false alarm. For power, every value of one method (all in turn) is then raised by .01 in the rerun.
//!
//! ```sh
//! cargo run --release -- run reports/gate/simulation.toml --output target/gate-simulation --no-report
//! cargo run --release -p counterweight-gate --example gate_simulation -- \
//!     target/gate-simulation/records.csv datasets/index.json
//! ```
//!
//! Further arguments: pseudo-reruns (500), repeats of each side (12, as in the gate sweep), loss (.01).

#![expect(clippy::print_stdout, reason = "a program that prints a table")]

use std::collections::BTreeMap;
use std::error::Error;

use counterweight_core::{CellId, Name, Numbers, Outcome, Record, Seed};
use counterweight_gate::baseline::{Entry, Head};
use counterweight_gate::{
    ArmStatus, Baseline, Gate, GateConfig, GateInput, Place, Planned, Verdict, judge,
};
use rand::RngExt as _;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A row of records.csv, as far as the gate looks at it.
#[derive(Clone, Debug)]
struct Row {
    place: Place,
    family: String,
    source: String,
    outcome: Outcome,
    balanced_error: Option<f64>,
}

struct Simulation {
    /// The rows of each repeat.
    repeats: Vec<Vec<Row>>,
    clusters: BTreeMap<String, String>,
    methods: Vec<(String, String)>,
    side: usize,
    loss: f64,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usage = "give records.csv, index.json and, if need be, pseudo-reruns, repeats and loss";
    let (Some(records), Some(index)) = (args.first(), args.get(1)) else {
        return Err(usage.into());
    };
    let number = |at: usize, default: usize| args.get(at).map_or(Ok(default), |text| text.parse());
    let (trials, side) = (number(2, 500)?, number(3, 12)?);
    let loss = args.get(4).map_or(Ok(0.01), |text| text.parse())?;
    let simulation = Simulation::read(records, index, side, loss)?;
    println!(
        "{trials} pseudo-reruns of {side} repeats against {side} others, drawn from {}; {} methods on {} datasets",
        simulation.repeats.len(),
        simulation.methods.len(),
        simulation.clusters.len()
    );
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts: Vec<Result<Vec<Trial>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let simulation = &simulation;
                scope.spawn(move || {
                    (worker..trials)
                        .step_by(threads)
                        .map(|trial| simulation.trial(trial))
                        .collect()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_panic| Err("a trial panicked".into()))
            })
            .collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    all.sort_by_key(|trial| trial.number);
    report(&simulation, &all);
    Ok(())
}

/// What a pseudo-rerun came to.
struct Trial {
    number: usize,
    /// Kinds of findings without any change; empty for a pass.
    alarms: Vec<&'static str>,
    /// Largest absolute common shift.
    common: f64,
    /// The method that lost, and whether that was seen.
    loser: usize,
    seen: bool,
    /// Other methods that were blamed for it.
    blamed: usize,
}

impl Simulation {
    fn read(records: &str, index: &str, side: usize, loss: f64) -> Result<Self> {
        let text = std::fs::read_to_string(records)?;
        let mut rows = csv(&text);
        let header = rows.next().ok_or("records.csv is empty")?;
        let column = |name: &str| {
            header
                .iter()
                .position(|field| field == name)
                .ok_or_else(|| format!("records.csv has no column `{name}`"))
        };
        let columns = [
            column("dataset")?,
            column("requested_ratio")?,
            column("repeat")?,
            column("fold")?,
            column("model")?,
            column("correction")?,
            column("family")?,
            column("source")?,
            column("outcome")?,
            column("balanced_error")?,
        ];
        let mut repeats: BTreeMap<u64, Vec<Row>> = BTreeMap::new();
        let mut methods: Vec<(String, String)> = Vec::new();
        for row in rows {
            let field = |at: usize| row.get(columns[at]).map_or("", String::as_str);
            let outcome = Outcome::from_id(field(8)).ok_or("an unknown outcome")?;
            let place = Place {
                dataset: field(0).to_owned(),
                ratio: match field(1) {
                    "" => Place::NATURAL.to_owned(),
                    ratio => ratio.to_owned(),
                },
                repeat: field(2).parse()?,
                fold: field(3).parse()?,
                model: field(4).to_owned(),
                correction: field(5).to_owned(),
            };
            let method = (place.model.clone(), place.correction.clone());
            let balanced_error = match field(9) {
                "" => None,
                value => Some(value.parse::<f64>()?),
            };
            if balanced_error.is_some() && !methods.contains(&method) {
                methods.push(method);
            }
            repeats.entry(place.repeat).or_default().push(Row {
                place,
                family: field(6).to_owned(),
                source: field(7).to_owned(),
                outcome,
                balanced_error,
            });
        }
        if repeats.len() < 2 * side {
            return Err(format!(
                "{} repeats are too few for two draws of {side}",
                repeats.len()
            )
            .into());
        }
        let index: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(index)?)?;
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for entry in index["datasets"]
            .as_array()
            .ok_or("index.json lists no datasets")?
        {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            known.insert(text("name"), text("cluster"));
        }
        let clusters = repeats
            .values()
            .flatten()
            .map(|row| {
                let dataset = row.place.dataset.clone();
                let cluster = known.get(&dataset).cloned().unwrap_or_default();
                (dataset, cluster)
            })
            .collect();
        Ok(Self {
            repeats: repeats.into_values().collect(),
            clusters,
            methods,
            side,
            loss,
        })
    }

    /// `2 * side` repeats, the first half for the baseline.
    fn draw(&self, trial: usize) -> Vec<usize> {
        let mut stream = Seed(2026).stage("gate simulation").number(trial).open();
        let mut order: Vec<usize> = (0..self.repeats.len()).collect();
        for at in 0..2 * self.side {
            let other = stream.random_range(at..order.len());
            order.swap(at, other);
        }
        order.truncate(2 * self.side);
        order
    }

    fn trial(&self, number: usize) -> Result<Trial> {
        let order = self.draw(number);
        let (before, after) = order.split_at(self.side);
        let null = self.gate(before, after, None)?;
        let loser = number % self.methods.len();
        let (model, correction) = &self.methods[loser];
        let hurt = self.gate(before, after, Some((model, correction)))?;
        let regressed = |arm: &&counterweight_gate::Arm| arm.status == ArmStatus::Regressed;
        let is_loser =
            |arm: &counterweight_gate::Arm| arm.model == *model && arm.correction == *correction;
        Ok(Trial {
            number,
            alarms: match null.verdict {
                Verdict::Pass => Vec::new(),
                _ => null.findings.iter().map(|finding| finding.kind).collect(),
            },
            common: null
                .common
                .iter()
                .map(|common| common.shift.abs())
                .fold(0.0, f64::max),
            loser,
            seen: hurt.arms.iter().filter(regressed).any(is_loser),
            blamed: hurt
                .arms
                .iter()
                .filter(regressed)
                .filter(|arm| !is_loser(arm))
                .count(),
        })
    }

    fn gate(&self, before: &[usize], after: &[usize], loser: Option<(&str, &str)>) -> Result<Gate> {
        let rows = |side: &[usize]| -> Vec<Row> {
            let mut rows: Vec<Row> = Vec::new();
            for (repeat, &at) in (0..).zip(side) {
                rows.extend(self.repeats[at].iter().map(|row| {
                    let mut row = row.clone();
                    row.place.repeat = repeat;
                    row
                }));
            }
            rows
        };
        let id = |at: usize| CellId(format!("{at:016x}"));
        let baseline = Baseline {
            head: Head {
                sweep: "simulation".into(),
                sweep_hash: String::new(),
                version: String::new(),
                seed: 0,
                datasets: BTreeMap::new(),
            },
            entries: rows(before)
                .into_iter()
                .enumerate()
                .map(|(at, row)| Entry {
                    cell: id(at),
                    place: row.place,
                    outcome: row.outcome,
                    balanced_error: row.balanced_error,
                })
                .collect(),
        };
        let mut planned = Vec::new();
        let mut records = Vec::new();
        for (at, row) in rows(after).into_iter().enumerate() {
            planned.push(Planned {
                cell: id(at),
                place: row.place.clone(),
                family: row.family.clone(),
                source: row.source.clone(),
            });
            let lost =
                loser.is_some_and(|(m, c)| row.place.model == m && row.place.correction == c);
            let loss = if lost { self.loss } else { 0.0 };
            records.push(record(id(at), row, loss));
        }
        Ok(judge(&GateInput {
            sweep: "simulation",
            folder: "reports/gate",
            config: &GateConfig::default(),
            baseline: &baseline,
            planned: &planned,
            records: &records,
            clusters: &self.clusters,
            same_splits: false,
            reseed: Some(0),
            today: "2026-01-01".parse()?,
        })?)
    }
}

fn record(cell: CellId, row: Row, loss: f64) -> Record {
    let metrics = row
        .balanced_error
        .map(|error| ("balanced_error".to_owned(), (error + loss).min(1.0)))
        .into_iter()
        .collect();
    Record {
        cell,
        dataset: row.place.dataset.into(),
        source: row.source.into(),
        n_train: 0,
        n_test: 0,
        n_features: 0,
        n_classes: 0,
        profile: Name::default(),
        requested_ratio: row.place.ratio.parse().ok(),
        imbalance_ratio: None,
        minority_count: 0,
        repeat: row.place.repeat,
        fold: row.place.fold,
        model: row.place.model.into(),
        model_params: Name::default(),
        correction: row.place.correction.into(),
        family: row.family.into(),
        resample: Name::default(),
        loss: Name::default(),
        decide: Name::default(),
        outcome: row.outcome,
        reason: Name::default(),
        metrics,
        bayes_balanced_error: None,
        recalls: Vec::new(),
        test_counts: Vec::new(),
        train_counts: Vec::new(),
        details: Numbers::new(),
        stages: std::sync::Arc::default(),
    }
}

fn report(simulation: &Simulation, trials: &[Trial]) {
    let n = trials.len() as f64;
    let alarms = trials
        .iter()
        .filter(|trial| !trial.alarms.is_empty())
        .count();
    println!(
        "false alarms: {alarms} of {} ({:.2} %)",
        trials.len(),
        100.0 * alarms as f64 / n
    );
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for trial in trials {
        let mut seen = trial.alarms.clone();
        seen.sort_unstable();
        seen.dedup();
        for kind in seen {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    for (kind, count) in kinds {
        println!("  with {kind}: {count}");
    }
    let shift = trials.iter().map(|trial| trial.common).fold(0.0, f64::max);
    println!("largest common shift: {:.2} points", 100.0 * shift);
    let seen = trials.iter().filter(|trial| trial.seen).count();
    println!(
        "a loss of {:.1} points of one method: seen in {seen} of {} ({:.1} %), {} others blamed",
        100.0 * simulation.loss,
        trials.len(),
        100.0 * seen as f64 / n,
        trials.iter().map(|trial| trial.blamed).sum::<usize>()
    );
    for (at, (model, correction)) in simulation.methods.iter().enumerate() {
        let own: Vec<&Trial> = trials.iter().filter(|trial| trial.loser == at).collect();
        let seen = own.iter().filter(|trial| trial.seen).count();
        if seen < own.len() {
            println!("  {correction} on {model}: {seen} of {}", own.len());
        }
    }
}

/// The rows of a csv text.
fn csv(text: &str) -> impl Iterator<Item = Vec<String>> {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        chars.peek()?;
        let mut row = vec![String::new()];
        let mut inside = false;
        while let Some(c) = chars.next() {
            match c {
                '"' if inside && chars.next_if_eq(&'"').is_some() => {
                    row.last_mut()?.push('"');
                }
                '"' => inside = !inside,
                ',' if !inside => row.push(String::new()),
                '\n' if !inside => break,
                '\r' if !inside => {}
                c => row.last_mut()?.push(c),
            }
        }
        Some(row)
    })
}
