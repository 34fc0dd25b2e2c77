//! What methods say that they take in memory is what they take, within half as much again: a count of every
//! byte that is allocated, so one test that runs alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use counterweight::CATALOGUE;
use counterweight_core::{
    Calib, ColumnKind, Deadline, DecideContext, Decision, Decisions, Extras, FittedRule, Labels,
    LinearHead, LossTerms, Matrix, OnNominal, Origin, OutOfFold, ParamValue, Partition, Rescored,
    Samples, ScoreSize, Scores, Seed, Shared, SmallClass, StageContext, TestScores, Train,
    TrainSize, Workload, find, params,
};
use counterweight_corrections::calibrate;
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

/// Scores of rows whose classes they tell more or less.
fn scores(n: usize, k: usize) -> (Scores, Vec<u32>) {
    let class = |i: usize| i * 7919 % k;
    let log = Matrix::from_fn(n, k, |i, j| {
        let noise = ((i * 31 + j * 17) % 101) as f64 / 50.0;
        if j == class(i) { noise + 0.7 } else { noise }
    });
    let rows = log.iter_rows().flat_map(|row| {
        let sum: f64 = row.iter().map(|z| z.exp()).sum();
        row.iter().map(move |z| z - sum.ln())
    });
    let log = Matrix::from_vec(n, k, rows.collect()).expect("a matrix");
    let classes = (0..n).map(|i| u32::try_from(class(i)).expect("a class"));
    (
        Scores::log_probabilities(log).expect("scores"),
        classes.collect(),
    )
}

/// Out-of-fold scores of some rows, which are their own.
fn calib(scores: &Scores, classes: Vec<u32>) -> (Train, Calib) {
    let (n, k) = (scores.n_rows(), scores.n_classes());
    let names: Arc<[String]> = (0..k).map(|k| k.to_string()).collect();
    let labels = Labels::new(classes, names).expect("labels");
    let samples = Samples::numeric(Matrix::zeros(n, 1), labels).expect("rows");
    let rows: Vec<usize> = (0..n).collect();
    let all = Partition::new(n, rows.clone(), vec![]).expect("a partition");
    let (train, _) = all.cut_samples(&samples).expect("it is cut");
    let mut folds = OutOfFold::new(&train);
    folds.add(&rows, scores.clone()).expect("a fold");
    let calib = folds.finish().expect("scores");
    (train, calib)
}

/// A linear head that leaves the scores as they are.
fn head(scores: &Scores) -> LinearHead {
    LinearHead {
        scores: scores.clone(),
        norms: vec![1.0; scores.n_classes()],
    }
}

/// Every decision, and every calibrator.
fn rules(classes: usize) -> Vec<(String, Box<dyn Decision>)> {
    let text = |text: &str| ParamValue::Text(text.to_owned());
    let costs = vec![ParamValue::reals(&vec![1.0; classes]); classes];
    let mut settings = vec![(
        "calibrated",
        vec![("by", text("platt")), ("then", text("tuned-threshold"))],
    )];
    for entry in CATALOGUE.decisions {
        settings.extend(match entry.card.id {
            "calibrated" => calibrate::WORDS
                .iter()
                .map(|by| ("calibrated", vec![("by", text(by))]))
                .collect(),
            "cost-matrix" => vec![(
                "cost-matrix",
                vec![("costs", ParamValue::List(costs.clone()))],
            )],
            "logit-adjust" => vec![
                ("logit-adjust", vec![]),
                ("logit-adjust", vec![("prior", text("estimated"))]),
            ],
            id => vec![(id, vec![])],
        });
    }
    let rule = |(id, more): (&str, Vec<(&str, ParamValue)>)| {
        let entry = find(CATALOGUE.decisions, id).expect("a decision");
        let params = params::check(entry.card.params, &given(&more)).expect("parameters");
        let rule = (entry.build)(&params).expect("a decision");
        let how: Vec<String> = more.iter().map(|(_, value)| value.to_string()).collect();
        let how: String = how.join(" ").chars().take(30).collect();
        (!rule.needs().binary || classes == 2).then(|| (format!("{id} {how}"), rule))
    };
    settings.into_iter().filter_map(rule).collect()
}

fn decisions(judged: &mut Judged) {
    for (n, k) in [(30_000, 2), (5_000, 10), (1_500, 60)] {
        let (scores, classes) = scores(n, k);
        let (train, calib) = calib(&scores, classes);
        let head = head(&scores);
        for (id, rule) in rules(k) {
            let (peak, ..) = counted(|| decided(&*rule, &train, &calib, &scores, &head));
            let estimate = rule.takes(&ScoreSize {
                calib: n,
                test: n,
                classes: k,
            });
            judged.see(&format!("{id} {n}x{k}"), estimate, peak);
        }
    }
}

/// All that a decision makes of some scores.
fn decided(
    rule: &dyn Decision,
    train: &Train,
    calib: &Calib,
    scores: &Scores,
    head: &LinearHead,
) -> (FittedRule, Decisions, Option<Rescored>) {
    let counts = train.counts();
    let prior = counts.prior();
    let context = DecideContext {
        scores_prior: prior.as_ref(),
        train: &counts,
    };
    let extras = Extras {
        batch: Some(TestScores::new(scores)),
        head: Some(head),
    };
    let fitted = rule
        .fit_with(&context, Some(calib), &extras)
        .expect("a rule");
    let decisions = fitted.rule.decide(scores).expect("decisions");
    let rescored = fitted.rule.rescore(scores).expect("scores");
    (fitted, decisions, rescored)
}

/// The time of some work on `n` numbers and on ten times as many.
#[derive(Default)]
struct Times(BTreeMap<String, Vec<Duration>>);

impl Times {
    fn of<T>(&mut self, what: String, work: impl FnOnce() -> T) {
        let start = Instant::now();
        let _done = work();
        self.0.entry(what).or_default().push(start.elapsed());
    }

    /// Ten times the input takes about ten times the time, and never near a hundred times, as a square would.
    fn grow_linearly(&self) {
        for (what, times) in &self.0 {
            assert_eq!(times.len(), 2, "{what}");
            let (small, large) = (times[0], times[1]);
            #[expect(clippy::print_stdout, reason = "a measurement is to be read")]
            {
                println!("{what}: {small:.3?}, of ten times the numbers {large:.3?}");
            }
            let least = Duration::from_millis(10);
            assert!(
                large < 33 * small.max(least),
                "{what}: {small:?}, {large:?}"
            );
        }
    }
}

/// What is not shown to end as a timeout is linear in its input: how long it takes on a million numbers and on ten.
#[test]
#[ignore = "measures: a minute"]
fn what_is_linear_takes_ten_times_as_long_for_ten_times_as_much() {
    let mut times = Times::default();
    for n in [100_000, 1_000_000] {
        let train = rows(n, 10, 0);
        let shared = Shared::default();
        let context = || {
            let stream = Seed(1).stage("test").open();
            StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared)
        };
        for id in ["dummy", "gaussian-naive-bayes", "nearest-centroid"] {
            let entry = find(CATALOGUE.learners, id).expect("a learner");
            let params = params::check(entry.card.params, &BTreeMap::new()).expect("parameters");
            let learner = (entry.build)(&params).expect("a learner");
            times.of(id.to_owned(), || {
                let terms = LossTerms::cross_entropy(2);
                let fitted = learner.fit(&train, &terms, &mut context()).expect("a fit");
                fitted.scores(train.samples().x()).expect("scores")
            });
        }
        for id in [
            "batch-balanced",
            "polynom-fit-smote",
            "random-over",
            "random-under",
        ] {
            let entry = find(CATALOGUE.resamplers, id).expect("a resampler");
            let params = params::check(entry.card.params, &BTreeMap::new()).expect("parameters");
            let resampler = (entry.build)(&params).expect("a resampler");
            times.of(id.to_owned(), || {
                resampler.resample(&train, &mut context()).expect("rows")
            });
        }
    }
    for (n, k) in [(500_000, 2), (5_000_000, 2), (10_000, 100), (100_000, 100)] {
        let (scores, classes) = scores(n, k);
        let (train, calib) = calib(&scores, classes);
        let head = head(&scores);
        let fast = [
            "argmax",
            "threshold",
            "prior-threshold",
            "logit-adjust ",
            "prior-shift",
            "drop-bias",
            "weight-norm",
            "bbse",
        ];
        for (id, rule) in rules(k).into_iter().filter(|(id, _)| {
            fast.iter().any(|fast| id.starts_with(fast)) && !id.contains("estimated")
        }) {
            times.of(format!("{id} of {k} classes"), || {
                decided(&*rule, &train, &calib, &scores, &head)
            });
        }
    }
    times.grow_linearly();
}

#[test]
fn estimates_are_within_half_as_much_again_of_what_is_counted() {
    let mut judged = Judged::default();
    learners(&mut judged);
    resamplers(&mut judged);
    decisions(&mut judged);
    assert!(!judged.wrong, "{}", judged.lines.join("\n"));
}
