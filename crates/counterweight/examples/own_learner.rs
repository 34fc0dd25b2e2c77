//! A learner of one's own joins a sweep, its report and its gate: `--example own_learner -- FOLDER` runs
//! FOLDER/sweep.toml, writes the records and the page, and a baseline, or compares with the one there.

use counterweight::{CATALOGUE, GateOptions, Gated, RunOptions, Session, gate, run};
use counterweight_core::{
    Card, Entry, Fitted, Footprint, Learner, LearnerCaps, LearnerEntry, LossNeeds, LossTerms,
    Matrix, ScoreKind, Scores, StageContext, StageResult, Train,
};
use counterweight_gate::Verdict;
use std::path::Path;

/// The class whose mean is nearest; its scores are minus half the squared distances.
#[derive(Debug)]
struct NearestMean;

#[derive(Debug)]
struct Means(Vec<Vec<f64>>);

impl Learner for NearestMean {
    fn fit(
        &self,
        train: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let (x, y) = (train.samples().x(), train.samples().y());
        let counts = train.counts();
        let counts = counts.as_slice();
        let mut means = vec![vec![0.0; x.cols()]; counts.len()];
        for (row, &class) in x.iter_rows().zip(y.ids()) {
            for (mean, value) in means[class as usize].iter_mut().zip(row) {
                *mean += value / counts[class as usize] as f64;
            }
        }
        Ok(Box::new(Means(means)))
    }
}

impl Fitted for Means {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        Ok(Scores::logits(Matrix::from_fn(
            x.rows(),
            self.0.len(),
            |row, class| {
                let pairs = x.row(row).iter().zip(&self.0[class]);
                pairs.map(|(a, b)| -0.5 * (a - b).powi(2)).sum()
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
        honours: LossNeeds::NONE,
        scores: ScoreKind::Probability,
        multiclass: true,
        deterministic: true,
        max_rows: None,
        remark: "",
        footprint: |_, _| Footprint::NONE,
        cost: |_, work| 1e-9 * (work.n_train * work.n_features) as f64,
    },
    build: |_| Ok(Box::new(NearestMean)),
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .ok_or("give a folder with sweep.toml and gate.toml")?;
    let (session, folder) = (
        Session::new(CATALOGUE.with_learner(LEARNER)),
        Path::new(&folder),
    );
    run(&session, folder, &RunOptions::default())?;
    let update = (!folder.join("baseline.csv").is_file()).then(|| "first baseline".to_owned());
    match gate(
        &session,
        folder,
        &GateOptions {
            update,
            ..GateOptions::default()
        },
    )? {
        Gated::Judged(gate) if gate.verdict != Verdict::Pass => Err("a ranking regressed".into()),
        _ => Ok(()),
    }
}
