//! What every learner of the registry has to hold to.

use std::collections::BTreeMap;
use std::path::Path;

use counterweight_core::params::{Params, check};
use counterweight_core::{
    Deadline, Later, LearnerEntry, LossNeeds, LossTerms, Matrix, Note, ScoreKind, Seed, Shared,
    SmallClass, StageContext, StageError, Workload,
};

use crate::ALL;
use crate::testing::{
    Fit, blobs, fit, gap, learner, offset, repeat, rng, train, try_fit, weighted,
};
use rand::seq::SliceRandom as _;

fn defaults(entry: &LearnerEntry) -> Params {
    check(entry.card.params, &BTreeMap::new()).unwrap()
}

/// Whether the learner takes so many classes.
fn takes(entry: &LearnerEntry, k: usize) -> bool {
    k == 2 || entry.caps.multiclass
}

fn plain(entry: &LearnerEntry, x: &Matrix, y: &[u32], k: usize) -> Fit {
    fit(
        entry.card.id,
        &[],
        &train(x, y, k),
        &LossTerms::cross_entropy(k),
    )
}

/// Every row of scores is a distribution, or one vote, over the classes in `present` alone.
fn assert_sound(entry: &LearnerEntry, fit: &Fit, x: &Matrix, k: usize, present: &[usize]) {
    let id = entry.card.id;
    let scores = fit.scores(x);
    assert_eq!((scores.n_rows(), scores.n_classes()), (x.rows(), k), "{id}");
    assert_eq!(scores.kind(), entry.caps.scores, "{id}");
    for row in scores.log().iter_rows() {
        let total: f64 = row.iter().map(|s| s.exp()).sum();
        assert!((total - 1.0).abs() < 1e-12, "{id}: {row:?}");
        for (class, s) in row.iter().enumerate() {
            assert!(!s.is_nan() && *s <= 1e-12, "{id}: {row:?}");
            assert!(
                present.contains(&class) || *s == f64::NEG_INFINITY,
                "{id}: {row:?}"
            );
        }
        if scores.kind() == ScoreKind::Vote {
            assert_eq!(row.iter().filter(|s| s.is_finite()).count(), 1, "{id}");
        }
    }
    // No rows are scored too.
    assert_eq!(fit.scores(&Matrix::zeros(0, x.cols())).n_rows(), 0, "{id}");
}

#[test]
fn the_registry_is_sorted_complete_and_documented() {
    let ids: Vec<&str> = ALL.iter().map(|entry| entry.card.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let folders = [
        ("own", crate::own::ALL),
        ("linfa", crate::LINFA),
        ("smartcore", crate::SMARTCORE),
    ];
    let mut files = 0;
    for (folder, entries) in folders {
        assert!(entries.is_sorted_by(|a, b| a.card.id < b.card.id));
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(folder);
        for file in std::fs::read_dir(path).unwrap() {
            let file = file.unwrap().path();
            let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
            if stem == "mod" {
                continue;
            }
            files += 1;
            let id = stem.replace('_', "-");
            let entry = entries.iter().find(|entry| entry.card.id == id);
            let entry = entry.unwrap_or_else(|| panic!("{folder}/{stem}.rs is not registered"));
            let text = std::fs::read_to_string(&file).unwrap();
            let headings: Vec<&str> = text
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .filter_map(|line| line.strip_prefix("//! # "))
                .filter(|line| line.starts_with(char::is_uppercase) && *line != "Parameters")
                .collect();
            let expected = [
                "When it helps, when it hurts",
                "Formula",
                "Cost",
                "Differences",
                "Errors",
                "Examples",
                "References",
            ];
            assert_eq!(headings, expected, "{id}");
            // A declaration writes the table, onto the struct.
            let declared = text.contains("\nparameters! {");
            for spec in entry.card.params {
                let row = format!("//! | `{}` |", spec.name);
                assert!(declared || text.contains(&row), "{id}: {}", spec.name);
            }
        }
    }
    assert_eq!(files, ALL.len());
    for entry in ALL {
        assert!(!entry.card.reference.is_empty() && !entry.card.summary.is_empty());
        assert!((entry.build)(&defaults(entry)).is_ok(), "{}", entry.card.id);
        assert!(!entry.caps.library.is_empty());
    }
}

#[test]
fn costs_are_numbers_that_grow_with_the_work() {
    for entry in ALL {
        let cost = |n_train: usize| {
            let work = Workload {
                n_train,
                n_score: n_train,
                n_features: 10,
                n_classes: 3,
            };
            (entry.caps.cost)(&defaults(entry), &work)
        };
        assert!(
            cost(10) > 0.0 && cost(10_000) > cost(1_000),
            "{}",
            entry.card.id
        );
        assert!(cost(1_000_000).is_finite());
    }
}

#[test]
fn scores_are_distributions_and_better_than_guessing() {
    for counts in [&[60, 20][..], &[50, 30, 20], &[30, 25, 20, 15, 10]] {
        let k = counts.len();
        let (x, y) = blobs(3, counts, 3);
        let (fresh, truth) = blobs(4, counts, 3);
        for entry in ALL.iter().filter(|entry| takes(entry, k)) {
            let fit = plain(entry, &x, &y, k);
            assert_sound(entry, &fit, &fresh, k, &(0..k).collect::<Vec<_>>());
            assert!(!fit.degenerate(), "{}: {:?}", entry.card.id, fit.notes);
            let decided = fit
                .scores(&fresh)
                .argmax(&vec![0.0; k], &counterweight_core::Ties::default())
                .unwrap();
            let right = decided
                .as_slice()
                .iter()
                .zip(&truth)
                .filter(|(a, b)| a == b)
                .count();
            let guess = counts[0] as f64 / truth.len() as f64;
            let share = right as f64 / truth.len() as f64;
            let id = entry.card.id;
            if id == "dummy" {
                assert!((share - guess).abs() < 1e-12, "the floor is no guess");
                continue;
            }
            assert!(share > guess + 0.04, "{id}: {share} against {guess}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_ran_before() {
    for counts in [&[50, 20, 10][..], &[50, 20]] {
        let k = counts.len();
        let (x, y) = blobs(5, counts, 4);
        let (other, other_y) = blobs(6, &[30, 30], 2);
        // What is not deterministic says so on its card and stays out of gated sweeps.
        let entries = || {
            let deterministic = |entry: &&LearnerEntry| entry.caps.deterministic;
            ALL.iter()
                .filter(move |entry| takes(entry, k))
                .filter(deterministic)
        };
        let bits = move |fit: &Fit, x: &Matrix| -> Vec<u64> {
            let scores = fit.scores(x);
            scores
                .log()
                .as_slice()
                .iter()
                .map(|s| s.to_bits())
                .collect()
        };
        let first: Vec<Vec<u64>> = entries()
            .map(|entry| bits(&plain(entry, &x, &y, k), &x))
            .collect();
        for (at, entry) in entries().enumerate() {
            plain(entry, &other, &other_y, 2);
            let again = bits(&plain(entry, &x, &y, k), &x);
            assert_eq!(again, first[at], "{}", entry.card.id);
        }
        // And in another thread, whose hash maps have other seeds.
        let again = std::thread::scope(|scope| {
            let work = || {
                entries()
                    .map(|entry| bits(&plain(entry, &x, &y, k), &x))
                    .collect::<Vec<_>>()
            };
            scope.spawn(work).join().unwrap()
        });
        assert_eq!(again, first);
    }
}

#[test]
fn more_than_two_classes_are_not_applicable_to_binary_learners() {
    let (x, y) = blobs(7, &[20, 15, 10], 3);
    let data = train(&x, &y, 3);
    for entry in ALL.iter().filter(|entry| !entry.caps.multiclass) {
        let terms = LossTerms::cross_entropy(3);
        let ended = try_fit(
            &*learner(entry.card.id, &[]),
            &data,
            &terms,
            SmallClass::Clamp,
        );
        assert!(
            matches!(ended, Err(StageError::NotApplicable(_))),
            "{}",
            entry.card.id
        );
    }
}

#[test]
fn the_scores_of_a_row_do_not_depend_on_its_batch() {
    for counts in [&[200, 80, 20][..], &[200, 100]] {
        let k = counts.len();
        let (x, y) = blobs(8, counts, 5);
        let (fresh, _) = blobs(9, &[150, 100, 50], 5);
        for entry in ALL.iter().filter(|entry| takes(entry, k)) {
            let fit = plain(entry, &x, &y, k);
            let together = fit.scores(&fresh);
            for i in [0, 1, 127, 128, 299] {
                let alone = fit.scores(&fresh.select_rows(&[i]));
                assert_eq!(
                    alone.log().row(0),
                    together.log().row(i),
                    "{} row {i}",
                    entry.card.id
                );
            }
        }
    }
}

#[test]
fn a_single_class_gives_a_constant_model_and_says_so() {
    let (x, _) = blobs(1, &[8], 2);
    for entry in ALL {
        for class in [0, 2] {
            let fit = plain(entry, &x, &[class; 8], 3);
            assert!(fit.degenerate(), "{}", entry.card.id);
            assert_sound(entry, &fit, &x, 3, &[class as usize]);
        }
        let one = plain(entry, &x.select_rows(&[0]), &[1], 2);
        assert!(one.degenerate(), "{}", entry.card.id);
    }
}

#[test]
fn absent_classes_are_masked_and_change_nothing_else() {
    for counts in [&[40, 20, 15][..], &[40, 20]] {
        let k = counts.len();
        let (x, y) = blobs(2, counts, 3);
        // The same classes as 0, 2, 3 of 5.
        let places = &[0, 2, 3][..k];
        let spread: Vec<u32> = y.iter().map(|&class| [0, 2, 3][class as usize]).collect();
        for entry in ALL.iter().filter(|entry| takes(entry, k)) {
            let whole = plain(entry, &x, &y, k).scores(&x);
            let fit = plain(entry, &x, &spread, 5);
            assert_sound(entry, &fit, &x, 5, places);
            if !entry.caps.deterministic {
                continue;
            }
            let masked = fit.scores(&x);
            for i in 0..x.rows() {
                for (class, &wide) in places.iter().enumerate() {
                    assert_eq!(
                        whole.log().at(i, class).to_bits(),
                        masked.log().at(i, wide).to_bits(),
                        "{}",
                        entry.card.id
                    );
                }
            }
            // A loss that masks the absent classes is no margin.
            let mut terms = LossTerms::cross_entropy(5);
            for y in 0..5 {
                for absent in (0..5).filter(|class| !places.contains(class)) {
                    terms.margins.set(y, absent, f64::NEG_INFINITY);
                }
            }
            let again = fit_terms(entry, &x, &spread, &terms);
            assert_eq!(again.scores(&x), masked, "{}", entry.card.id);
        }
    }
}

fn fit_terms(entry: &LearnerEntry, x: &Matrix, y: &[u32], terms: &LossTerms) -> Fit {
    fit(entry.card.id, &[], &train(x, y, terms.n_classes()), terms)
}

#[test]
fn odd_data_end_in_a_value_or_a_named_outcome() {
    let (blob, blob_y) = blobs(12, &[12, 6], 2);
    let zeros = Matrix::zeros(6, 3);
    let wide = Matrix::from_fn(6, 40, |i, j| ((i * 31 + j * 17) % 13) as f64 - 6.0);
    let same = blob.select_rows(&[0, 0, 0, 0, 0, 0]);
    let contradiction: Vec<u32> = vec![0, 1, 0, 1, 0, 1];
    let constant_column =
        Matrix::from_fn(18, 3, |i, j| if j == 1 { 7.25 } else { blob.at(i, j / 2) });
    let twin_column = Matrix::from_fn(18, 4, |i, j| blob.at(i, j % 2));
    let huge = Matrix::from_fn(18, 2, |i, j| blob.at(i, j) * 1e150);
    let beyond = Matrix::from_fn(18, 2, |i, j| blob.at(i, j) * 1e300);
    let tiny = Matrix::from_fn(18, 2, |i, j| blob.at(i, j) * 1e-170);
    let none = Matrix::zeros(6, 0);
    let two = blob.select_rows(&[0, 17]);
    let cases: [(&str, &Matrix, &[u32]); 11] = [
        ("all zero", &zeros, &contradiction),
        ("n < d", &wide, &contradiction),
        ("one point", &same, &contradiction),
        ("constant column", &constant_column, &blob_y),
        ("equal columns", &twin_column, &blob_y),
        ("huge", &huge, &blob_y),
        ("squares overflow", &beyond, &blob_y),
        ("squares vanish", &tiny, &blob_y),
        ("no columns", &none, &contradiction),
        ("two rows", &two, &[0, 1]),
        (
            "a class of one row",
            &blob,
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ),
    ];
    for entry in ALL {
        for (name, x, y) in cases {
            let terms = LossTerms::cross_entropy(2);
            let train = train(x, y, 2);
            match try_fit(
                &*learner(entry.card.id, &[]),
                &train,
                &terms,
                SmallClass::Clamp,
            ) {
                Ok(fit) => match fit.model.scores(x) {
                    Ok(_) if x.cols() == 0 => assert_eq!(fit.scores(x).n_rows(), x.rows()),
                    Ok(_) => assert_sound(entry, &fit, x, 2, &[0, 1]),
                    Err(error) => panic!("{} on {name}: no scores: {error}", entry.card.id),
                },
                // It does not smooth variances, and says so.
                Err(StageError::NotApplicable(text)) => {
                    assert_eq!(entry.card.id, "smartcore-gaussian-naive-bayes", "{text}");
                }
                Err(error) => {
                    assert!(
                        matches!(error, StageError::Failed(_)),
                        "{} on {name}: {error:?}",
                        entry.card.id
                    );
                    // What has no reason to break must not.
                    let may_fail = ["huge", "squares overflow", "squares vanish"].contains(&name);
                    assert!(may_fail, "{} on {name}: {error}", entry.card.id);
                }
            }
        }
    }
}

#[test]
fn features_that_are_no_numbers_are_refused_before_any_library_sees_them() {
    let (x, y) = blobs(13, &[10, 10], 2);
    for entry in ALL {
        let good = plain(entry, &x, &y, 2);
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut bad = x.clone();
            bad.set(3, 1, odd);
            let learner = learner(entry.card.id, &[]);
            let terms = LossTerms::cross_entropy(2);
            let error =
                try_fit(&*learner, &train(&bad, &y, 2), &terms, SmallClass::Clamp).unwrap_err();
            assert!(error.to_string().contains("row 3, column 1"), "{error}");
            assert!(good.model.scores(&bad).is_err(), "{}", entry.card.id);
        }
        assert!(
            good.model.scores(&Matrix::zeros(2, 3)).is_err(),
            "{}",
            entry.card.id
        );
    }
}

#[test]
fn terms_that_are_not_honoured_are_refused_and_never_ignored() {
    let (x, y) = blobs(14, &[120, 60], 4);
    // Trees that grow until they are pure know the training rows whatever their weights.
    let (fresh, _) = blobs(20, &[100, 100], 4);
    let data = train(&x, &y, 2);
    for entry in ALL {
        let attempt = |terms: &LossTerms| {
            try_fit(
                &*learner(entry.card.id, &[]),
                &data,
                terms,
                SmallClass::Clamp,
            )
        };
        let before = attempt(&LossTerms::cross_entropy(2))
            .unwrap()
            .scores(&fresh);
        let mut factors = LossTerms::cross_entropy(2);
        factors.factors = vec![1.0, 0.5];
        let mut focal = LossTerms::cross_entropy(2);
        focal.focal = 2.0;
        let LossNeeds {
            weights,
            margins,
            factors: scaled,
            focal: power,
            schedule,
            minibatches,
            initial_bias,
            // Those of `facts::row_weights`.
            row_weights: _,
        } = entry.caps.honours;
        let mut later = LossTerms::cross_entropy(2);
        later.later = Some(Box::new(Later {
            at: 0.5,
            terms: weighted(&[1.0, 5.0]),
        }));
        let mut batch = LossTerms::cross_entropy(2);
        batch.batch_tau = Some(1.0);
        let mut bias = LossTerms::cross_entropy(2);
        bias.initial_bias = Some(vec![0.0, -2.0]);
        let asked = [
            (schedule, later),
            (minibatches, batch),
            (initial_bias, bias),
            (weights, weighted(&[1.0, 5.0])),
            (margins, offset(&[0.0, -2.0])),
            (scaled, factors),
            (power, focal),
        ];
        for (honoured, terms) in asked {
            match attempt(&terms) {
                Ok(fit) => {
                    assert!(honoured, "{}", entry.card.id);
                    // Where a convex minimum was approached from says little once it is near.
                    let convex = entry.card.id == "softmax-sgd" && terms.initial_bias.is_some();
                    let least = if convex { 1e-12 } else { 1e-3 };
                    assert!(
                        gap(&fit.scores(&fresh), &before) > least,
                        "{}",
                        entry.card.id
                    );
                }
                Err(error) => {
                    assert!(!honoured && matches!(error, StageError::NotApplicable(_)));
                }
            }
        }
    }
}

#[test]
fn whole_class_weights_equal_repeated_rows() {
    let mut honoured = 0;
    for (counts, times) in [(&[40, 12][..], &[1, 3][..]), (&[30, 20, 8], &[1, 2, 5])] {
        let k = counts.len();
        let (x, y) = blobs(15, counts, 3);
        let (again, again_y) = repeat(&x, &y, times);
        let weights: Vec<f64> = times.iter().map(|&t| t as f64).collect();
        for entry in ALL.iter().filter(|entry| entry.caps.honours.weights) {
            // Their pooled covariance is not reweighted: `facts` has what weights do there.
            // A bootstrap of repeated rows has the law of a weighted one, not its numbers; likewise the
            // inner folds of the `svm`, which has a test of its own, and minibatches: `networks` has
            // batches of all rows.
            // The smoothing of `gaussian-naive-bayes` counts each row once.
            let others = "gaussian-naive-bayes lda nearest-centroid random-forest svm";
            let other = others.split(' ').any(|id| id == entry.card.id);
            if other || entry.caps.honours.minibatches {
                continue;
            }
            let by_weight = fit_terms(entry, &x, &y, &weighted(&weights)).scores(&x);
            let by_row = plain(entry, &again, &again_y, k).scores(&x);
            let gap = gap(&by_weight, &by_row);
            assert!(gap < 1e-10, "{}: {gap:.1e}", entry.card.id);
            honoured += 1;
        }
    }
    assert!(honoured >= 4);
}

#[test]
fn a_class_of_weight_zero_is_absent() {
    let (x, y) = blobs(16, &[30, 20, 10], 2);
    let kept: Vec<usize> = (0..50).collect();
    for entry in ALL.iter().filter(|entry| entry.caps.honours.weights) {
        let fit = fit_terms(entry, &x, &y, &weighted(&[1.0, 1.0, 0.0]));
        assert_sound(entry, &fit, &x, 3, &[0, 1]);
        let without = plain(entry, &x.select_rows(&kept), &y[..50], 3);
        if !entry.caps.deterministic {
            continue;
        }
        assert_eq!(fit.scores(&x), without.scores(&x), "{}", entry.card.id);
    }
}

#[test]
fn the_order_of_rows_and_of_columns_does_not_matter_where_theory_says_so() {
    let (x, y) = blobs(17, &[60, 25, 15], 4);
    let mut rows: Vec<usize> = (0..x.rows()).collect();
    rows.shuffle(&mut rng(1));
    let shuffled = x.select_rows(&rows);
    let shuffled_y: Vec<u32> = rows.iter().map(|&i| y[i]).collect();
    let columns = [2, 0, 3, 1];
    let turn = |x: &Matrix| Matrix::from_fn(x.rows(), 4, |i, j| x.at(i, columns[j]));
    for entry in ALL.iter().filter(|entry| takes(entry, 3)) {
        let id = entry.card.id;
        // A forest draws rows and features by their numbers, minibatches rows; a tree breaks ties between features by
        // theirs. The data have no tied values, so the tree does not see the order of rows.
        let by_rows = ![
            "linfa-adaboost",
            "linfa-random-forest",
            "random-forest",
            "smartcore-random-forest",
            // Its inner folds are drawn by row numbers.
            "svm",
        ]
        .contains(&id)
            && !entry.caps.honours.minibatches;
        let trees = [
            "adaboost",
            "decision-tree",
            "extra-trees",
            "gradient-boosting",
            "linfa-decision-tree",
            "smartcore-decision-tree",
        ];
        let by_columns = by_rows && !trees.contains(&id);
        let tolerance = if ["linfa-logistic", "smartcore-logistic"].contains(&id) {
            1e-4
        } else {
            1e-9
        };
        let before = plain(entry, &x, &y, 3).scores(&x);
        if by_rows {
            let after = plain(entry, &shuffled, &shuffled_y, 3).scores(&x);
            assert!(gap(&before, &after) < tolerance, "{id}: rows");
        }
        if by_columns {
            let after = plain(entry, &turn(&x), &y, 3).scores(&turn(&x));
            assert!(gap(&before, &after) < tolerance, "{id}: columns");
        }
    }
}

#[test]
fn an_iterative_learner_keeps_its_deadline() {
    let (x, y) = blobs(18, &[30, 20], 3);
    let shared = Shared::default();
    let past = Deadline::at(std::time::Instant::now());
    std::thread::sleep(std::time::Duration::from_millis(2));
    let stream = Seed(1).stage("fit").open();
    let mut context = StageContext::new(stream, SmallClass::Clamp, past, &shared);
    for id in ["mlp", "softmax-regression", "softmax-sgd"] {
        let ended = learner(id, &[]).fit(
            &train(&x, &y, 2),
            &LossTerms::cross_entropy(2),
            &mut context,
        );
        assert!(matches!(ended, Err(StageError::Timeout(_))), "{id}");
    }
}

#[test]
fn the_policy_decides_about_more_neighbours_than_rows() {
    let (x, y) = blobs(19, &[2, 1], 2);
    let data = train(&x, &y, 2);
    let learner = learner("k-nearest-neighbours", &[]);
    let terms = LossTerms::cross_entropy(2);
    let clamped = try_fit(&*learner, &data, &terms, SmallClass::Clamp).unwrap();
    assert!(matches!(clamped.notes.as_slice(), [Note::Clamped(text)] if text.contains("k = 5")));
    let p = clamped.scores(&x);
    assert!((p.log().at(0, 0).exp() - 2.0 / 3.0).abs() < 1e-15);
    let skipped = try_fit(&*learner, &data, &terms, SmallClass::Skip);
    assert!(matches!(skipped, Err(StageError::Skipped(_))));
    let failed = try_fit(&*learner, &data, &terms, SmallClass::Error);
    assert!(matches!(failed, Err(StageError::Failed(_))));
}
