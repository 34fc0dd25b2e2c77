//! The contract of every ensemble, checked over the whole registry with learners of the models crate.

use std::sync::{Arc, Mutex};

use counterweight_core::{
    Base, Deadline, Ensemble, EnsembleEntry, EnsembleFit, Fitted, Learner, LossTerms, Matrix, Note,
    ParamValue, Samples, ScoreKind, Scores, Shared, SmallClass, StageContext, StageError,
    StageResult, Train, find,
};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::ALL;
use crate::testing::{built, check_registry, context, real, stream, text, train, try_built, whole};

/// Files of the folder that are no method.
const HELPERS: &[&str] = &["boost", "contract", "draw", "members", "mod", "stratified"];

/// How many rows of each class its members see.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// As many as the smallest has.
    Under,
    /// As many as the largest has.
    Over,
    /// As there are.
    AsTheyAre,
}

/// Over-samplers take `minority`, under-samplers refuse it.
fn sees(entry: &EnsembleEntry) -> Sees {
    if entry.card.params.iter().all(|spec| spec.name != "strategy") {
        Sees::AsTheyAre
    } else if try_built(entry, &[("strategy", text("minority"))]).is_ok() {
        Sees::Over
    } else {
        Sees::Under
    }
}

#[test]
fn the_registry_is_complete_and_documented() {
    check_registry("ensemble", HELPERS, ALL);
    for entry in ALL {
        let id = entry.card.id;
        assert_eq!(entry.caps.family, "ensemble");
        let resampler = find(crate::resample::ALL, id).is_some();
        assert!(!resampler, "{id}: they share the column `resample`");
    }
}

fn learner(id: &str, given: &[(&str, ParamValue)]) -> Box<dyn Learner> {
    built(find(counterweight_models::ALL, id).unwrap(), given)
}

fn stump() -> Box<dyn Learner> {
    learner("decision-tree", &[("max_depth", whole(1))])
}

/// Counts of each class in each fit, in the order of the fits.
type Seen = Arc<Mutex<Vec<Vec<usize>>>>;

/// Writes down what another learner is given.
#[derive(Debug)]
struct Spy {
    inner: Box<dyn Learner>,
    seen: Seen,
}

impl Learner for Spy {
    fn fit(
        &self,
        train: &Train,
        terms: &LossTerms,
        context: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let counts = train.counts().as_slice().to_vec();
        self.seen.lock().unwrap().push(counts);
        self.inner.fit(train, terms, context)
    }

    fn member(&self) -> Option<Box<dyn Learner>> {
        let inner = self.inner.member()?;
        let seen = Arc::clone(&self.seen);
        Some(Box::new(Self { inner, seen }))
    }

    fn weigh(&self, weights: &[f64]) -> Option<Box<dyn Learner>> {
        let inner = self.inner.weigh(weights)?;
        let seen = Arc::clone(&self.seen);
        Some(Box::new(Self { inner, seen }))
    }
}

/// Codes as numbers: enough of an encoder for these tests.
fn encode(samples: &Samples) -> StageResult<Samples> {
    Ok(Samples::numeric(samples.x().clone(), samples.y().clone())?)
}

fn try_fit(
    ensemble: &dyn Ensemble,
    learner: &dyn Learner,
    set: &Train,
    context: &mut StageContext<'_>,
) -> StageResult<EnsembleFit> {
    let base = Base {
        id: "base",
        learner,
        max_rows: None,
        encode: &encode,
    };
    ensemble.fit(set, &base, context)
}

fn fit(ensemble: &dyn Ensemble, learner: &dyn Learner, set: &Train, seed: u64) -> EnsembleFit {
    let shared = Shared::default();
    try_fit(ensemble, learner, set, &mut context(seed, &shared)).unwrap()
}

fn scores(entry: &EnsembleEntry, given: &[(&str, ParamValue)], set: &Train, seed: u64) -> Scores {
    let learner = small_tree(entry);
    let fit = fit(&*built(entry, given), &*learner, set, seed);
    fit.fitted.scores(set.samples().x()).unwrap()
}

/// Weak enough to be boosted, and a tree.
fn small_tree(entry: &EnsembleEntry) -> Box<dyn Learner> {
    if entry.card.id.contains("forest") {
        learner("random-forest", &[("max_depth", whole(3))])
    } else {
        learner("decision-tree", &[("max_depth", whole(2))])
    }
}

/// Overlapping classes around 0, 1.5, 3, ... in both columns.
fn blobs(counts: &[usize], seed: u64) -> Train {
    let mut stream = stream(seed);
    let classes: Vec<usize> = counts
        .iter()
        .enumerate()
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    let x = Matrix::from_fn(classes.len(), 2, |i, _| {
        let z: f64 = stream.sample(StandardNormal);
        z + 1.5 * classes[i] as f64
    });
    train(x, &[None, None], &classes, counts.len())
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_other_rows() {
    let set = blobs(&[60, 25, 10], 1);
    for entry in ALL {
        let id = entry.card.id;
        let first = scores(entry, &[], &set, 1);
        assert_eq!(first, scores(entry, &[], &set, 1), "{id}");
        assert_ne!(first, scores(entry, &[], &set, 2), "{id}");
        assert_eq!(first.kind(), ScoreKind::Probability);
        for row in first.log().iter_rows() {
            let total: f64 = row.iter().map(|s| s.exp()).sum();
            assert!((total - 1.0).abs() < 1e-12, "{id}: {row:?}");
        }
    }
}

#[test]
fn members_are_balanced_as_the_strategy_says_and_the_prior_says_so_too() {
    let set = blobs(&[60, 0, 24, 8], 2);
    for entry in ALL {
        let id = entry.card.id;
        let seen = Seen::default();
        let spy = Spy {
            inner: small_tree(entry),
            seen: Arc::clone(&seen),
        };
        let found = fit(&*built(entry, &[]), &spy, &set, 3);
        let seen = seen.lock().unwrap().clone();
        assert!(!seen.is_empty());
        let expected = match sees(entry) {
            Sees::Under => Some(vec![8, 0, 8, 8]),
            Sees::Over => Some(vec![60, 0, 60, 60]),
            Sees::AsTheyAre => None,
        };
        for counts in &seen {
            match &expected {
                Some(expected) => assert_eq!(counts, expected, "{id}"),
                None => assert_eq!(counts.iter().sum::<usize>(), 92, "{id}"),
            }
        }
        let uniform = [1.0 / 3.0, 0.0, 1.0 / 3.0, 1.0 / 3.0];
        match found.prior {
            None => assert!(entry.caps.chained, "{id}"),
            Some(prior) => {
                assert!(!entry.caps.chained, "{id}");
                let pairs = prior.as_slice().iter().zip(uniform);
                assert!(
                    pairs.into_iter().all(|(p, u)| (p - u).abs() < 1e-12),
                    "{id}"
                );
            }
        }
        // A ratio of one half is kept by all.
        if sees(entry) != Sees::AsTheyAre {
            let seen = Seen::default();
            let spy = Spy {
                inner: small_tree(entry),
                seen: Arc::clone(&seen),
            };
            let found = fit(&*built(entry, &[("strategy", real(0.5))]), &spy, &set, 3);
            let expected = if sees(entry) == Sees::Under {
                [16, 0, 16, 8]
            } else {
                [60, 0, 30, 30]
            };
            for counts in seen.lock().unwrap().iter() {
                assert_eq!(counts[..], expected, "{id}");
            }
            if let Some(prior) = found.prior {
                let total: usize = expected.iter().sum();
                for (p, n) in prior.as_slice().iter().zip(expected) {
                    assert!((p - n as f64 / total as f64).abs() < 1e-12, "{id}");
                }
            }
        }
    }
}

#[test]
fn absent_classes_are_masked() {
    let set = blobs(&[40, 0, 9], 4);
    for entry in ALL {
        let found = scores(entry, &[], &set, 1);
        assert!(
            found
                .log()
                .iter_rows()
                .all(|row| row[1] == f64::NEG_INFINITY),
            "{}",
            entry.card.id
        );
    }
}

#[test]
fn a_knob_that_changes_changes_the_scores() {
    let set = blobs(&[90, 30, 12], 5);
    for entry in ALL {
        let usual = scores(entry, &[], &set, 1);
        for spec in entry.card.params {
            let trials = spec.trials();
            assert!(
                !trials.is_empty(),
                "{}: `{}` has no probe",
                entry.card.id,
                spec.name
            );
            for given in trials {
                let changed = scores(entry, &given, &set, 1);
                assert_ne!(usual, changed, "{}: {given:?} does nothing", entry.card.id);
            }
        }
    }
}

#[test]
fn odd_training_sets_end_in_a_value_or_an_error() {
    let stacked = |counts: &[usize], x: f64| {
        let classes: Vec<usize> = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
            .collect();
        let x = Matrix::from_fn(classes.len(), 2, |_, _| x);
        train(x, &[None, None], &classes, counts.len())
    };
    let sets = [
        blobs(&[30, 1], 1),
        blobs(&[30, 2], 1),
        blobs(&[1, 1], 1),
        blobs(&[30, 2, 1], 1),
        blobs(&[5, 5], 1),
        blobs(&[20, 0], 1),
        stacked(&[12, 4], 1.0),
        stacked(&[0, 0], 1.0),
    ];
    let bases = [
        "decision-tree",
        "softmax-regression",
        "gaussian-naive-bayes",
        "dummy",
    ];
    for entry in ALL {
        let ensemble = built(entry, &[]);
        for base in bases {
            let base = if ensemble.needs().member {
                "random-forest"
            } else {
                base
            };
            for (at, set) in sets.iter().enumerate() {
                let shared = Shared::default();
                let mut context = context(1, &shared);
                let learner = learner(base, &[]);
                let found = try_fit(&*ensemble, &*learner, set, &mut context);
                let id = entry.card.id;
                match found {
                    Ok(fit) => {
                        let n = set.samples().n_rows();
                        let scores = fit.fitted.scores(set.samples().x()).unwrap();
                        assert_eq!((scores.n_rows(), at < 7), (n, true), "{id} {base} {at}");
                    }
                    Err(StageError::NotApplicable(_)) => assert!([5, 7].contains(&at), "{id} {at}"),
                    Err(StageError::Failed(_)) => assert!(at == 7, "{id} {base} {at}"),
                    Err(other) => panic!("{id} {base} {at}: {other}"),
                }
            }
        }
    }
}

#[test]
fn a_base_that_is_no_better_than_chance_is_noted() {
    let set = blobs(&[40, 10], 6);
    for id in ["balance-cascade", "easy-ensemble"] {
        let shared = Shared::default();
        let mut context = context(1, &shared);
        let ensemble = built(find(ALL, id).unwrap(), &[]);
        let dummy = learner("dummy", &[]);
        let found = try_fit(&*ensemble, &*dummy, &set, &mut context).unwrap();
        let degenerate = |note: &Note| matches!(note, Note::Degenerate(_));
        assert!(context.notes.iter().any(degenerate), "{id}");
        let scores = found.fitted.scores(set.samples().x()).unwrap();
        assert!(
            scores
                .log()
                .as_slice()
                .iter()
                .all(|s| (s - 0.5_f64.ln()).abs() < 1e-12)
        );
    }
}

#[test]
fn the_deadline_is_asked() {
    let set = blobs(&[40, 10], 7);
    for entry in ALL {
        let shared = Shared::default();
        let now = std::time::Instant::now();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let deadline = Deadline::at(now);
        let mut context = StageContext::new(stream(1), SmallClass::Clamp, deadline, &shared);
        let found = try_fit(&*built(entry, &[]), &*small_tree(entry), &set, &mut context);
        let late = matches!(found, Err(StageError::Timeout(_)));
        assert!(late, "{}: {found:?}", entry.card.id);
    }
}

#[test]
fn the_small_class_policy_reaches_the_samplers() {
    let set = blobs(&[40, 3], 7);
    for id in ["smote-bagging", "smoteboost"] {
        let ensemble = built(find(ALL, id).unwrap(), &[]);
        let shared = Shared::default();
        let mut clamped = context(1, &shared);
        try_fit(&*ensemble, &*stump(), &set, &mut clamped).unwrap();
        let said = |note: &Note| matches!(note, Note::Clamped(text) if text.contains("k = 5"));
        assert!(clamped.notes.iter().any(said), "{id}: {:?}", clamped.notes);
        let mut strict = StageContext::new(stream(1), SmallClass::Error, Deadline::NEVER, &shared);
        let found = try_fit(&*ensemble, &*stump(), &set, &mut strict);
        assert!(matches!(found, Err(StageError::Failed(_))), "{id}");
    }
}

#[test]
fn nominal_columns_stay_levels() {
    #[derive(Debug)]
    struct Checks(Box<dyn Learner>);
    impl Learner for Checks {
        fn fit(
            &self,
            train: &Train,
            terms: &LossTerms,
            context: &mut StageContext<'_>,
        ) -> StageResult<Box<dyn Fitted>> {
            let codes = train.samples().x().column(0);
            assert!(
                codes.iter().all(|c| [0.0, 1.0, 2.0].contains(c)),
                "{codes:?}"
            );
            self.0.fit(train, terms, context)
        }
        fn member(&self) -> Option<Box<dyn Learner>> {
            Some(Box::new(Self(self.0.member()?)))
        }
    }
    let classes: Vec<usize> = (0..60).map(|i| usize::from(i % 6 == 0)).collect();
    let mut stream = stream(8);
    for mixed in [true, false] {
        let x = Matrix::from_fn(60, 2, |i, j| {
            if j == 0 || !mixed {
                f64::from(stream.random_range(0..3_u8))
            } else {
                stream.sample::<f64, _>(StandardNormal) + classes[i] as f64
            }
        });
        let second = if mixed { None } else { Some(3) };
        let set = train(x, &[Some(3), second], &classes, 2);
        for entry in ALL {
            fit(&*built(entry, &[]), &Checks(small_tree(entry)), &set, 1);
        }
    }
}

#[test]
fn votes_become_shares_of_votes() {
    let votes = counterweight_models::ALL
        .iter()
        .find(|entry| entry.caps.scores == ScoreKind::Vote && entry.caps.deterministic)
        .unwrap();
    let set = blobs(&[40, 12], 9);
    for entry in ALL {
        let ensemble = built(entry, &[]);
        if ensemble.needs().probabilities || ensemble.needs().member {
            continue;
        }
        let found = fit(&*ensemble, &*built(votes, &[]), &set, 1);
        let scores = found.fitted.scores(set.samples().x()).unwrap();
        assert_eq!(scores.kind(), ScoreKind::Probability);
        if entry.card.id == "under-bagging" {
            for p in scores.log().as_slice().iter().map(|s| 10.0 * s.exp()) {
                assert!((p - p.round()).abs() < 1e-9, "a share of ten votes: {p}");
            }
        }
    }
}

#[test]
fn pt_bagging_decides_by_the_prior_rule_on_plain_bagging() {
    let set = blobs(&[80, 20], 10);
    let tree = learner("decision-tree", &[("max_depth", whole(2))]);
    let found = fit(
        &*built(find(ALL, "pt-bagging").unwrap(), &[]),
        &*tree,
        &set,
        1,
    );
    let shifted = found.fitted.scores(set.samples().x()).unwrap();
    // Back under the training prior: the average of the members.
    let uniform = found.prior.unwrap();
    let prior = set.counts().prior().unwrap();
    let plain = shifted.shift_prior(&uniform, &prior).unwrap();
    let decided = shifted
        .argmax(&[0.0; 2], &counterweight_core::Ties::default())
        .unwrap();
    let mut rare = 0;
    for (row, &class) in plain.log().iter_rows().zip(decided.as_slice()) {
        let q = row[1].exp();
        if (q - 0.2).abs() > 1e-9 {
            assert_eq!(class == 1, q > 0.2, "{q}");
        }
        rare += class;
    }
    assert!(
        rare > 20,
        "the rule finds more than the rare rows alone: {rare}"
    );
}

#[test]
fn balanced_random_forest_needs_members() {
    let set = blobs(&[40, 12], 9);
    let ensemble = built(find(ALL, "balanced-random-forest").unwrap(), &[]);
    let shared = Shared::default();
    let softmax = learner("softmax-regression", &[]);
    let found = try_fit(&*ensemble, &*softmax, &set, &mut context(1, &shared));
    assert!(matches!(found, Err(StageError::NotApplicable(_))));
}

#[test]
fn more_rows_than_the_base_is_given_are_not_applicable() {
    let set = blobs(&[40, 12], 9);
    let tree = stump();
    let base = Base {
        id: "base",
        learner: &*tree,
        max_rows: Some(60),
        encode: &encode,
    };
    let shared = Shared::default();
    for (id, fits) in [("under-bagging", true), ("over-bagging", false)] {
        let ensemble = built(find(ALL, id).unwrap(), &[]);
        let found = ensemble.fit(&set, &base, &mut context(1, &shared));
        assert_eq!(found.is_ok(), fits, "{id}");
    }
}

/// Mean of the classes' error shares on new rows.
fn balanced_error(fitted: &dyn Fitted, test: &Train) -> f64 {
    let scores = fitted.scores(test.samples().x()).unwrap();
    let counts = test.counts();
    let decided = scores
        .argmax(&vec![0.0; counts.n_classes()], counts.ties())
        .unwrap();
    let mut wrong = vec![0_usize; counts.n_classes()];
    for (label, found) in test.samples().y().ids().iter().zip(decided.as_slice()) {
        wrong[*label as usize] += usize::from(label != found);
    }
    let errors = wrong.iter().zip(counts.as_slice());
    errors.map(|(w, n)| *w as f64 / *n as f64).sum::<f64>() / counts.n_classes() as f64
}

#[test]
fn every_ensemble_beats_its_base_on_imbalanced_rows() {
    let test = blobs(&[300, 300], 99);
    for entry in ALL {
        let (mut alone, mut joined) = (0.0, 0.0);
        for seed in 0..6 {
            let set = blobs(&[400, 20], 20 + seed);
            let tree = small_tree(entry);
            let shared = Shared::default();
            let terms = LossTerms::cross_entropy(2);
            let single = tree.fit(&set, &terms, &mut context(seed, &shared)).unwrap();
            alone += balanced_error(&*single, &test) / 6.0;
            let ensemble = fit(&*built(entry, &[]), &*tree, &set, seed);
            joined += balanced_error(&*ensemble.fitted, &test) / 6.0;
        }
        // Two tied columns of means 1.5 apart: the best is Phi(-1.06) = .144.
        let id = entry.card.id;
        assert!(
            joined < alone - 0.05,
            "{id}: {joined:.3} against {alone:.3}"
        );
        assert!(joined < 0.26, "{id}: {joined:.3}");
    }
}
