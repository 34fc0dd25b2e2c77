//! Helpers of this crate's tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterweight_core::params::check;
use counterweight_core::{
    Deadline, Details, Fitted, Labels, Learner, LearnerEntry, LossTerms, Matrix, Note, ParamValue,
    Partition, Samples, Scores, Seed, Shared, SmallClass, StageContext, StageResult, Train, find,
};
use rand::RngExt as _;
use rand::SeedableRng as _;

pub(crate) type Rng = counterweight_core::Stream;

pub(crate) fn rng(seed: u64) -> Rng {
    Rng::seed_from_u64(seed)
}

/// A standard normal number (Box and Muller).
pub(crate) fn normal(rng: &mut Rng) -> f64 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

pub(crate) fn labels(classes: &[u32], n_classes: usize) -> Labels {
    let names: Arc<[String]> = (0..n_classes).map(|k| k.to_string()).collect();
    Labels::new(classes.to_vec(), names).unwrap()
}

pub(crate) fn train(x: &Matrix, classes: &[u32], n_classes: usize) -> Train {
    let samples = Samples::numeric(x.clone(), labels(classes, n_classes)).unwrap();
    let all = (0..x.rows()).collect();
    Partition::new(x.rows(), all, vec![])
        .unwrap()
        .cut_samples(&samples)
        .unwrap()
        .0
}

/// Training rows that have weights.
pub(crate) fn weighed(x: &Matrix, classes: &[u32], n_classes: usize, weights: Vec<f64>) -> Train {
    let y = labels(classes, n_classes).weighted(weights).unwrap();
    let samples = Samples::numeric(x.clone(), y).unwrap();
    let all = (0..x.rows()).collect();
    let rows = Partition::new(x.rows(), all, vec![]).unwrap();
    rows.cut_samples(&samples).unwrap().0
}

/// Classes of these counts, one after the other, around means on a circle.
pub(crate) fn blobs(seed: u64, counts: &[usize], d: usize) -> (Matrix, Vec<u32>) {
    let mut rng = rng(seed);
    let classes: Vec<u32> = (0..)
        .zip(counts)
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    let x = Matrix::from_fn(classes.len(), d, |i, j| {
        let angle = std::f64::consts::TAU * f64::from(classes[i]) / counts.len() as f64;
        let mean = match j {
            0 => 1.5 * angle.cos(),
            1 => 1.5 * angle.sin(),
            _ => 0.0,
        };
        mean + normal(&mut rng)
    });
    (x, classes)
}

pub(crate) fn entry(id: &str) -> &'static LearnerEntry {
    find(crate::ALL, id).unwrap()
}

pub(crate) fn learner(id: &str, params: &[(&str, ParamValue)]) -> Box<dyn Learner> {
    let given: BTreeMap<String, ParamValue> = params
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    let entry = entry(id);
    (entry.build)(&check(entry.card.params, &given).unwrap()).unwrap()
}

/// What a fit left behind.
#[derive(Debug)]
pub(crate) struct Fit {
    pub(crate) model: Box<dyn Fitted>,
    pub(crate) notes: Vec<Note>,
    pub(crate) details: Details,
}

impl Fit {
    pub(crate) fn scores(&self, x: &Matrix) -> Scores {
        self.model.scores(x).unwrap()
    }

    pub(crate) fn degenerate(&self) -> bool {
        self.notes
            .iter()
            .any(|note| matches!(note, Note::Degenerate(_)))
    }
}

pub(crate) fn try_fit(
    learner: &dyn Learner,
    train: &Train,
    terms: &LossTerms,
    policy: SmallClass,
) -> StageResult<Fit> {
    let shared = Shared::default();
    let stream = Seed(7).stage("fit").open();
    let mut context = StageContext::new(stream, policy, Deadline::NEVER, &shared);
    let model = learner.fit(train, terms, &mut context)?;
    Ok(Fit {
        model,
        notes: context.notes,
        details: context.details,
    })
}

pub(crate) fn fit(
    id: &str,
    params: &[(&str, ParamValue)],
    train: &Train,
    terms: &LossTerms,
) -> Fit {
    try_fit(&*learner(id, params), train, terms, SmallClass::Clamp).unwrap()
}

/// Cross-entropy with these class weights.
pub(crate) fn weighted(weights: &[f64]) -> LossTerms {
    LossTerms {
        weights: weights.to_vec(),
        ..LossTerms::cross_entropy(weights.len())
    }
}

/// Cross-entropy of `f + offsets`.
pub(crate) fn offset(offsets: &[f64]) -> LossTerms {
    let k = offsets.len();
    LossTerms {
        margins: Matrix::from_fn(k, k, |y, j| offsets[j] - offsets[y]),
        ..LossTerms::cross_entropy(k)
    }
}

/// Largest difference of probabilities.
pub(crate) fn gap(a: &Scores, b: &Scores) -> f64 {
    assert_eq!((a.n_rows(), a.n_classes()), (b.n_rows(), b.n_classes()));
    a.log()
        .as_slice()
        .iter()
        .zip(b.log().as_slice())
        .map(|(a, b)| (a.exp() - b.exp()).abs())
        .fold(0.0, f64::max)
}

/// Rows repeated as often as their class's number says.
pub(crate) fn repeat(x: &Matrix, classes: &[u32], times: &[usize]) -> (Matrix, Vec<u32>) {
    let rows: Vec<usize> = (0..classes.len())
        .flat_map(|i| std::iter::repeat_n(i, times[classes[i] as usize]))
        .collect();
    let again = rows.iter().map(|&i| classes[i]).collect();
    (x.select_rows(&rows), again)
}
