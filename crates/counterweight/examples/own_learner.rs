//! A learner of one's own joins a sweep, its report and its gate: `--example own_learner -- FOLDER` runs
//! FOLDER/sweep.toml, writes the records and the page, and a baseline, or compares with the one there.

use std::path::Path;

use counterweight::prelude::*;

/// The class whose mean is nearest.
#[derive(Debug)]
struct NearestMean;

/// Means, classes x columns.
#[derive(Debug)]
struct Means(Matrix);

impl Learner for NearestMean {
    fn fit(
        &self,
        train: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let (x, y, counts) = (train.samples().x(), train.samples().y(), train.counts());
        let mut means = Matrix::zeros(y.n_classes(), x.cols());
        for (row, &class) in x.iter_rows().zip(y.ids()) {
            let count = counts.as_slice()[class as usize] as f64;
            let mean = means.row_mut(class as usize);
            mean.iter_mut()
                .zip(row)
                .for_each(|(mean, value)| *mean += value / count);
        }
        Ok(Box::new(Means(means)))
    }
}

impl Fitted for Means {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let score = |row: usize, class: usize| {
            let pairs = x.row(row).iter().zip(self.0.row(class));
            pairs.map(|(a, b)| -0.5 * (a - b).powi(2)).sum()
        };
        Ok(Scores::logits(Matrix::from_fn(
            x.rows(),
            self.0.rows(),
            score,
        ))?)
    }
}

const LEARNER: LearnerEntry = Entry {
    card: Card::plain("nearest-mean", "the class whose mean is nearest"),
    caps: LearnerCaps::new("this example", LossNeeds::NONE, |_, work| {
        1e-9 * work.n_train as f64
    }),
    build: |_| Ok(Box::new(NearestMean)),
};

/// Runs the sweep and its gate; the first time that is where the baseline comes from.
pub(crate) fn judge(folder: &Path) -> Result<bool> {
    let session = Session::new(CATALOGUE.with_learner(LEARNER));
    run(&session, folder, &RunOptions::default())?;
    let options = GateOptions {
        update: (!folder.join("baseline.csv").is_file()).then(|| "first baseline".to_owned()),
        ..GateOptions::default()
    };
    Ok(gate(&session, folder, &options)?.passes())
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "gate".to_owned());
    assert!(judge(Path::new(&folder))?, "a ranking regressed");
    Ok(())
}
