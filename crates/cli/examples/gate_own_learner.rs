//! Gates a learner of one's own: a crate outside this workspace needs this file and two more, sweep.toml
//! and gate.toml, to be told when a ranking of corrections on its learner regresses.
//!
//! ```sh
//! cargo run --release -p counterweight --example gate_own_learner -- FOLDER            # compare
//! cargo run --release -p counterweight --example gate_own_learner -- FOLDER --update   # write baseline.csv
//! ```
//!
//! The learner here is the nearest class mean, with softmax scores of minus half the squared distances.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints its result"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use counterweight_config::Date;
use counterweight_core::{
    Card, Catalogue, Entry, Fitted, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms,
    Matrix, Record, ScoreKind, Scores, Sink, StageContext, StageResult, Timing, Train,
};
use counterweight_frame::Library;
use counterweight_gate::baseline::Head;
use counterweight_gate::output::text;
use counterweight_gate::{Baseline, GateConfig, GateInput, Planned, Verdict, judge};
use counterweight_harness::config::sweep::{DatasetSpec, Source};
use counterweight_harness::plan::{DataSource, LoadError, Loaded, Plan};
use counterweight_harness::run::{Control, Event, Listener, Outlets, blank, run};

/// The learner under test: replace it by yours.
#[derive(Debug)]
struct NearestMean;

#[derive(Debug)]
struct Means(Vec<Option<Vec<f64>>>);

impl Learner for NearestMean {
    fn fit(
        &self,
        train: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let samples = train.samples();
        let counts = train.counts();
        let means = counts.as_slice().iter().enumerate().map(|(class, &n)| {
            let mut mean = vec![0.0; samples.x().cols()];
            for (row, _) in samples
                .x()
                .iter_rows()
                .zip(samples.y().ids())
                .filter(|(_, label)| **label as usize == class)
            {
                for (sum, value) in mean.iter_mut().zip(row) {
                    *sum += value / n as f64;
                }
            }
            // A class without rows has no mean and is never predicted.
            (n > 0).then_some(mean)
        });
        Ok(Box::new(Means(means.collect())))
    }
}

impl Fitted for Means {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let distance = |row: &[f64], mean: &[f64]| -> f64 {
            row.iter().zip(mean).map(|(a, b)| (a - b).powi(2)).sum()
        };
        Ok(Scores::logits(Matrix::from_fn(
            x.rows(),
            self.0.len(),
            |row, class| {
                self.0[class]
                    .as_ref()
                    .map_or(f64::NEG_INFINITY, |mean| -0.5 * distance(x.row(row), mean))
            },
        ))?)
    }
}

const LEARNER: LearnerEntry = Entry {
    card: Card {
        id: "nearest-mean",
        summary: "the class whose mean is nearest",
        reference: "this example",
        params: &[],
    },
    caps: LearnerCaps {
        library: "this example",
        // Corrections that need more are planned as not applicable, and said to be.
        honours: LossNeeds {
            weights: false,
            margins: false,
            factors: false,
            focal: false,
            ..LossNeeds::NONE
        },
        scores: ScoreKind::Probability,
        multiclass: true,
        deterministic: true,
        max_rows: None,
        cost: |_, work| 1e-9 * (work.n_train * work.n_features) as f64,
        remark: "",
    },
    build: |_| Ok(Box::new(NearestMean)),
};

/// Corrections, metrics and populations of counterweight, and one learner.
const CATALOGUE: Catalogue = Catalogue {
    resamplers: counterweight_corrections::resample::ALL,
    ensembles: counterweight_corrections::ensemble::ALL,
    losses: counterweight_corrections::loss::ALL,
    decisions: counterweight_corrections::decide::ALL,
    learners: &[LEARNER],
    metrics: counterweight_metrics::ALL,
    populations: counterweight_data::populations::ALL,
};

/// Sets of the library by name; give your own data here.
struct Data;

impl DataSource for Data {
    fn load(&self, spec: &DatasetSpec, folder: &Path) -> Result<Loaded, LoadError> {
        let trouble = |message: String| LoadError {
            message,
            hint: None,
        };
        let Source::Library { name } = &spec.source else {
            return Err(trouble("only sets of the library here".into()));
        };
        let data = Library::find(&[folder])
            .and_then(|library| library.load(name))
            .map_err(|error| trouble(error.to_string()))?;
        Ok(Loaded {
            data,
            n_train: None,
        })
    }
}

/// Keeps records in memory: a gate of seconds needs no store.
#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);

impl Sink for Memory {
    fn keep(&self, record: &Record, _: &Timing) -> io::Result<()> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.push(record.clone());
        Ok(())
    }
}

impl Listener for Memory {
    fn on(&self, _: &Event<'_>) {}
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(
        args.first()
            .ok_or("give a folder with sweep.toml and gate.toml")?,
    );
    let file = folder.join("sweep.toml");
    let sweep =
        counterweight_harness::config::parse(&file, &std::fs::read_to_string(&file)?, &CATALOGUE)
            .map_err(|rejected| words(&rejected.errors))?;
    let plan = Plan::new(Arc::new(sweep), CATALOGUE, &Data).map_err(|list| words(&list))?;
    let memory = Memory::default();
    let control = Control::default();
    let outlets = Outlets {
        sink: &memory,
        listener: &memory,
        control: &control,
    };
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    run(&plan, &vec![true; plan.cells.len()], jobs, outlets)?;
    let records = memory.0.into_inner()?;

    let (head, planned) = (head(&plan), planned(&plan));
    let baseline_file = folder.join("baseline.csv");
    if args.get(1).is_some_and(|arg| arg == "--update") {
        let baseline = Baseline::new(head, &planned, &records)
            .map_err(|missing| format!("{} cells are missing", missing.len()))?;
        std::fs::write(&baseline_file, baseline.to_text())?;
        println!("{}: {} cells", baseline_file.display(), planned.len());
        return Ok(ExitCode::SUCCESS);
    }
    let config = GateConfig::parse(
        "gate.toml",
        &std::fs::read_to_string(folder.join("gate.toml"))?,
    )
    .and_then(|config| config.check("gate.toml", &planned).map(|()| config))
    .map_err(|problems| words(&problems.iter().map(ToString::to_string).collect::<Vec<_>>()))?;
    let checked = Baseline::read(&std::fs::read_to_string(&baseline_file)?)
        .and_then(|baseline| Ok((baseline.check(&head, &planned)?, baseline)));
    let (same_splits, baseline) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!(
                "error: {}: {error}\n  hint: {}",
                baseline_file.display(),
                error.hint
            );
            return Ok(ExitCode::from(5));
        }
    };
    let gate = judge(&GateInput {
        sweep: &plan.sweep.name,
        folder: &folder.display().to_string(),
        config: &config,
        baseline: &baseline,
        planned: &planned,
        records: &records,
        clusters: &BTreeMap::new(),
        same_splits,
        reseed: None,
        today: Date::of(SystemTime::now()).ok_or("the clock is before 1970")?,
    })?;
    print!("{}", text(&gate));
    Ok(ExitCode::from(match gate.verdict {
        Verdict::Pass => 0,
        Verdict::Finding => 1,
        Verdict::Incomplete => 3,
        Verdict::NothingSelected => 4,
    }))
}

fn words<T: std::fmt::Display>(list: &[T]) -> String {
    list.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

fn head(plan: &Plan) -> Head {
    Head {
        sweep: plan.sweep.name.clone(),
        sweep_hash: plan.sweep_hash.hex(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: plan.sweep.seed.0,
        datasets: plan
            .inputs
            .iter()
            .map(|input| (input.id.clone(), input.hash.hex()))
            .collect(),
    }
}

fn planned(plan: &Plan) -> Vec<Planned> {
    (0..plan.cells.len())
        .map(|at| Planned::of(&blank(plan, at)))
        .collect()
}
