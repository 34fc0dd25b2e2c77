//! What methods say that they take in memory is what they take, within half as much again: a count of every
//! byte that is allocated, so one test that runs alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterweight::CATALOGUE;
use counterweight_core::{
    ColumnKind, Deadline, Labels, LossTerms, Matrix, OnNominal, Origin, ParamValue, Partition,
    Samples, Seed, Shared, SmallClass, StageContext, Train, TrainSize, Workload, params,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// An estimate may be so many times the truth, or the truth the estimate.
const WITHIN: f64 = 1.5;
/// What is smaller does not matter beside a process.
const SMALL: f64 = 1e6;

/// Rows of two classes that overlap, four to one, with the last columns nominal.
fn rows(n: usize, numeric: usize, nominal: usize) -> Train {
    let mut state = 7_u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let columns = numeric + nominal;
    let x = Matrix::from_fn(n, columns, |i, j| {
        let number: f64 = (0..4).map(|_| uniform()).sum();
        match j {
            j if j >= numeric => (number * 1.4).floor(),
            0 => number + (i % 5 / 4) as f64 * 0.3,
            _ => number,
        }
    });
    let classes = (0..n).map(|i| u32::from(i % 5 == 4)).collect();
    let names: Arc<[String]> = ["0".to_owned(), "1".to_owned()].into();
    let y = Labels::new(classes, names).expect("labels");
    let kinds = (0..columns).map(|j| match j {
        j if j < numeric => ColumnKind::Numeric,
        _ => ColumnKind::Nominal { levels: 6 },
    });
    let samples =
        Samples::new(x, kinds.collect(), y, (0..n).map(Origin::Row).collect()).expect("rows");
    let partition = Partition::new(n, (0..n).collect(), vec![]).expect("a partition");
    partition.cut_samples(&samples).expect("it is cut").0
}

/// Bytes that `work` takes at most and that what it gives holds.
fn counted<T>(work: impl FnOnce() -> T) -> (f64, f64, T) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let value = work();
    let above = |bytes: usize| bytes.saturating_sub(before) as f64;
    (
        above(MEMORY.peak_usage()),
        above(MEMORY.current_usage()),
        value,
    )
}

fn given(pairs: &[(&str, ParamValue)]) -> BTreeMap<String, ParamValue> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

/// Two shapes: many columns, and many rows; fewer rows for what is slow.
fn sizes(id: &str) -> [(usize, usize); 2] {
    match id {
        "svm" | "svm-smote" => [(900, 60), (2_500, 6)],
        _ => [(2_500, 60), (12_000, 6)],
    }
}

/// What was estimated and counted, and whether the two are far apart.
#[derive(Default)]
struct Judged {
    lines: Vec<String>,
    wrong: bool,
}

impl Judged {
    fn see(&mut self, what: &str, estimate: f64, truth: f64) {
        let far = !(1.0 / WITHIN..=WITHIN).contains(&(estimate / truth));
        let wrong = far && estimate.max(truth) > SMALL;
        self.wrong |= wrong;
        let mark = if wrong { "WRONG " } else { "" };
        let line = format!("{mark}{what}: {estimate:.0} bytes estimated, {truth:.0} counted");
        self.lines.push(line);
    }
}

fn learners(judged: &mut Judged) {
    for entry in CATALOGUE
        .learners
        .iter()
        .filter(|entry| entry.caps.library == "own")
    {
        let id = entry.card.id;
        let few = match id {
            "mlp" | "softmax-sgd" => given(&[("updates", ParamValue::Whole(100))]),
            "gradient-boosting" => given(&[("rounds", ParamValue::Whole(10))]),
            "random-forest" | "extra-trees" => given(&[("trees", ParamValue::Whole(30))]),
            _ => BTreeMap::new(),
        };
        let params = params::check(entry.card.params, &few).expect("parameters");
        let learner = (entry.build)(&params).expect("a learner");
        for (n, d) in sizes(id) {
            let train = rows(n, d, 0);
            let shared = Shared::default();
            let stream = Seed(1).stage("fit").open();
            let mut context =
                StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
            let terms = LossTerms::cross_entropy(2);
            let fit = || learner.fit(&train, &terms, &mut context).expect("a fit");
            let (fitting, model, fitted) = counted(fit);
            let (scoring, ..) = counted(|| fitted.scores(train.samples().x()).expect("scores"));
            let work = Workload {
                n_train: n,
                n_score: n,
                n_features: d,
                n_classes: 2,
            };
            let footprint = (entry.caps.footprint)(&params, &work);
            let what = format!("{id} {n}x{d}");
            judged.see(&what, footprint.peak(), fitting.max(model + scoring));
            judged.see(&format!("{what} model"), footprint.model, model);
        }
    }
}

fn resamplers(judged: &mut Judged) {
    for entry in CATALOGUE.resamplers {
        let id = entry.card.id;
        let more = match id {
            "kmeans-smote" => given(&[("balance_threshold", ParamValue::Real(0.0))]),
            _ => BTreeMap::new(),
        };
        let params = params::check(entry.card.params, &more).expect("parameters");
        let resampler = (entry.build)(&params).expect("a resampler");
        for (n, d) in sizes(id) {
            let nominal = match (entry.caps.numeric_only, entry.caps.nominal) {
                (OnNominal::Handles, _) => 0,
                (_, OnNominal::Handles) => d / 3,
                _ => d,
            };
            let train = rows(n, d - nominal, nominal);
            let shared = Shared::default();
            let stream = Seed(1).stage("resample").open();
            let mut context =
                StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
            let run = || resampler.resample(&train, &mut context).expect("rows");
            let (peak, ..) = counted(run);
            let samples = train.samples();
            let size = TrainSize {
                names: samples.y().names(),
                counts: &train.counts(),
                columns: d,
            };
            let estimate = (entry.caps.footprint)(&params, &size);
            judged.see(&format!("{id} {n}x{d}"), estimate, peak);
        }
    }
}

#[test]
fn estimates_are_within_half_as_much_again_of_what_is_counted() {
    let mut judged = Judged::default();
    learners(&mut judged);
    resamplers(&mut judged);
    assert!(!judged.wrong, "{}", judged.lines.join("\n"));
}
