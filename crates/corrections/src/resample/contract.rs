//! The contract of every resampler, checked over the whole registry.

use counterweight_core::{
    Effect, Matrix, NewRows, Note, OnNominal, Origin, ParamValue, ResamplerEntry, Shared,
    SmallClass, StageError, Train,
};

use super::ALL;
use super::contract_sets::{
    applicable, changing, check, drops, grows, is_left, is_near, is_refused, mixed, nominal,
    numeric, run, run_noting, shuffled, suited,
};
use crate::testing::{built, check_registry, context, real, table, train, whole};

/// Files of the folder that are no method.
const HELPERS: &[&str] = &[
    "blend",
    "cart",
    "cleaning",
    "contract",
    "contract_chance",
    "contract_over",
    "contract_sets",
    "contract_under",
    "growth",
    "kmeans",
    "linkage",
    "mod",
    "room",
    "strategy",
    "surroundings",
];

fn cleans(entry: &ResamplerEntry) -> bool {
    entry.caps.effect == Effect::Cleans
}

#[test]
fn the_registry_is_complete_and_documented() {
    check_registry("resample", HELPERS, ALL);
}

#[test]
fn minibatch_schemes_leave_the_rows_and_change_the_draws() {
    let entries: Vec<_> = ALL.iter().filter(|entry| entry.caps.minibatches).collect();
    assert!(!entries.is_empty());
    for entry in entries {
        let id = entry.card.id;
        let caps = [
            entry.caps.nominal,
            entry.caps.all_nominal,
            entry.caps.numeric_only,
        ];
        assert_eq!(caps, [OnNominal::Handles; 3], "{id}: copies nothing");
        for set in [numeric(&[60, 12], 3, 1), mixed(&[7, 0, 15], 2)] {
            let after = run(&*built(entry, &[]), &set, 1).unwrap();
            assert_eq!(after.samples(), set.samples(), "{id}");
            assert!(set.batches().is_none() && after.batches().is_some(), "{id}");
            assert_ne!(after.class_mass(), set.class_mass(), "{id}");
            // Nothing is drawn here: the learner draws from its own stream.
            assert_eq!(after, run(&*built(entry, &[]), &set, 2).unwrap(), "{id}");
            for spec in entry.card.params {
                let results: Vec<Train> = [Vec::new()]
                    .iter()
                    .chain(&spec.trials())
                    .map(|given| run(&*built(entry, given), &set, 1).unwrap())
                    .collect();
                assert!(results.len() > 1, "{id}: `{}` has no probe", spec.name);
                for (at, a) in results.iter().enumerate() {
                    for b in &results[..at] {
                        assert_eq!(a.samples(), b.samples(), "{id}");
                        assert_ne!(a.batches(), b.batches(), "{id}: {} does nothing", spec.name);
                    }
                }
            }
        }
        for classes in [&[1; 6][..], &[]] {
            let set = train(Matrix::zeros(classes.len(), 1), &[None], classes, 2);
            let found = run(&*built(entry, &[]), &set, 1);
            assert!(matches!(found, Err(StageError::NotApplicable(_))), "{id}");
        }
    }
}

#[test]
fn results_are_sound_and_counts_are_exactly_as_asked() {
    for (entry, sets) in applicable() {
        for set in &sets {
            let (after, notes) = run_noting(&*suited(entry, &[]), set, 1);
            if set.counts().smallest_present() < 6 && is_refused(&after) {
                continue;
            }
            let after = after.unwrap();
            check(entry, set, &after);
            if is_near(entry) || cleans(entry) {
                continue;
            }
            let counts = set.counts();
            let level = if grows(entry) {
                counts.largest()
            } else {
                counts.smallest_present()
            };
            for (class, (&had, &has)) in counts
                .as_slice()
                .iter()
                .zip(after.counts().as_slice())
                .enumerate()
            {
                let expected = match had {
                    0 => 0,
                    had if is_left(&notes, class) => had,
                    _ => level,
                };
                assert_eq!(has, expected, "{}", entry.card.id);
            }
        }
        let id = entry.card.id;
        for set in &sets {
            if set.counts().as_slice() != [60, 12] || cleans(entry) {
                continue;
            }
            let asked = if grows(entry) {
                [(real(0.5), [60, 30]), (table(&[("c1", 45)]), [60, 45])]
            } else {
                [
                    (real(0.5), [24, 12]),
                    (table(&[("c0", 5), ("c1", 4)]), [5, 4]),
                ]
            };
            for (strategy, counts) in asked {
                let after = run(&*suited(entry, &[("strategy", strategy)]), set, 1).unwrap();
                check(entry, set, &after);
                if !is_near(entry) {
                    assert_eq!(after.counts().as_slice(), counts, "{id}");
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_rows() {
    for (entry, sets) in applicable() {
        // On some set at least: where rows fit in evenly, nothing is left to chance.
        let mut differs = false;
        for set in &sets {
            let resampler = suited(entry, &[]);
            let a = run(&*resampler, set, 1);
            assert_eq!(a, run(&*resampler, set, 1), "{}", entry.card.id);
            differs |= (2..6).any(|seed| run(&*resampler, set, seed) != a);
        }
        assert_eq!(differs, !entry.caps.deterministic, "{}", entry.card.id);
    }
}

#[test]
fn shared_neighbours_change_nothing() {
    for (entry, sets) in applicable() {
        for set in &sets {
            let shared = Shared::default();
            let resampler = suited(entry, &[]);
            let first = resampler.resample(set, &mut context(1, &shared));
            let again = resampler.resample(set, &mut context(1, &shared));
            assert_eq!(first, again, "{}", entry.card.id);
            assert_eq!(first, run(&*resampler, set, 1), "{}", entry.card.id);
        }
    }
}

#[test]
fn the_order_of_the_rows_does_not_change_the_counts() {
    for (entry, sets) in applicable() {
        if cleans(entry) && !entry.caps.deterministic {
            continue;
        }
        for set in &sets {
            let order = shuffled(set.samples().n_rows(), 5);
            let moved = set
                .derive(|samples| Ok::<_, StageError>(samples.select(&order)))
                .unwrap();
            let resampler = suited(entry, &[]);
            // Folds that fall otherwise move a row over the threshold here and there.
            if entry.caps.cleans_up || entry.caps.rounded && !grows(entry) {
                continue;
            }
            // Whether there is a cluster to put rows into hangs on the seed of the clustering.
            if !entry.caps.suited.is_empty() && set.counts().smallest_present() < 12 {
                continue;
            }
            let (a, b) = (run(&*resampler, set, 1), run(&*resampler, &moved, 1));
            assert_eq!(
                a.map(|set| set.counts()),
                b.map(|set| set.counts()),
                "{}",
                entry.card.id
            );
        }
    }
}

#[test]
fn the_order_of_the_rows_does_not_change_the_distribution() {
    for entry in changing().filter(|e| e.caps.numeric_only == OnNominal::Handles && !drops(e)) {
        // Means over many seeds, of the rows that are new or kept.
        let set = numeric(&[40, 10], 2, 3);
        let order = shuffled(50, 9);
        let moved = set
            .derive(|samples| Ok::<_, StageError>(samples.select(&order)))
            .unwrap();
        let resampler = suited(entry, &[]);
        let mean = |set: &Train| {
            let mut sum = 0.0;
            let mut n = 0.0;
            for seed in 0..300 {
                let after = run(&*resampler, set, seed).unwrap();
                for value in after.samples().x().column(0) {
                    sum += value;
                    n += 1.0;
                }
            }
            sum / n
        };
        let gap = (mean(&set) - mean(&moved)).abs();
        assert!(gap < 0.03, "{}: {gap}", entry.card.id);
    }
}

#[test]
fn odd_data_end_in_a_value_or_an_error_value() {
    // Why a method that handles such columns may still refuse the set.
    const REASONS: [&[&str]; 10] = [
        &["has a single row"],
        &[],
        &["`shrinkage` smooths numeric columns"],
        &["has a single row", "`shrinkage` smooths numeric columns"],
        &["has a single row"],
        &["overflow", "beyond the numbers", "no row is left"],
        &["is not finite", "overflows"],
        &["at least two classes"],
        &["at least two classes"],
        &["is no code of 3 levels"],
    ];
    let zeros = |n: usize, d: usize| Matrix::zeros(n, d);
    let classes = [0, 0, 0, 0, 1, 1];
    let huge = Matrix::from_fn(
        6,
        2,
        |i, j| if (i + j) % 2 == 0 { 1.7e308 } else { -1.7e308 },
    );
    let mut nan = zeros(6, 2);
    nan.set(5, 1, f64::NAN);
    let sets = [
        train(zeros(6, 2), &[None, None], &classes, 2),
        train(zeros(6, 2), &[None, Some(1)], &classes, 2),
        train(zeros(6, 2), &[Some(2), Some(1)], &classes, 2),
        train(zeros(6, 0), &[], &classes, 2),
        train(zeros(6, 40), &[None; 40], &classes, 2),
        train(huge, &[None, None], &classes, 2),
        train(nan, &[None, None], &classes, 2),
        train(zeros(6, 1), &[None], &[1; 6], 2),
        train(zeros(0, 1), &[None], &[], 2),
        train(
            Matrix::from_fn(6, 2, |_, _| 7.0),
            &[None, Some(3)],
            &classes,
            2,
        ),
    ];
    let shrunk: &[(&str, counterweight_core::ParamValue)] = &[("shrinkage", real(1.0))];
    for entry in changing() {
        let has_shrinkage = entry.card.params.iter().any(|p| p.name == "shrinkage");
        for given in [&[][..], if has_shrinkage { shrunk } else { &[] }] {
            for (at, set) in sets.iter().enumerate() {
                match run(&*suited(entry, given), set, 1) {
                    // A value that was not finite before may be copied, not computed with.
                    Ok(after) if at == 6 => {
                        let made = |o: &Origin| matches!(o, Origin::Synthetic { .. });
                        assert!(
                            !after.samples().origins().iter().any(made),
                            "{}",
                            entry.card.id
                        );
                    }
                    // So may a value that is no code of its column.
                    Ok(after) if at == 9 => {
                        assert!(
                            after
                                .samples()
                                .x()
                                .column(1)
                                .iter()
                                .all(|v| v.to_bits() == 7.0_f64.to_bits())
                        );
                    }
                    Ok(after) => check(entry, set, &after),
                    Err(error) => {
                        let kind = match at {
                            1 | 9 => entry.caps.nominal,
                            2 => entry.caps.all_nominal,
                            _ => entry.caps.numeric_only,
                        };
                        let text = error.to_string();
                        assert!(
                            kind != OnNominal::Handles
                                || REASONS[at].iter().any(|reason| text.contains(reason)),
                            "{} on set {at}: {text}",
                            entry.card.id
                        );
                    }
                }
            }
            for set in [&sets[7], &sets[8]] {
                let found = run(&*suited(entry, given), set, 1);
                let id = entry.card.id;
                assert!(
                    matches!(found, Err(StageError::NotApplicable(_))),
                    "{id}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn kinds_of_columns_that_are_not_handled_are_refused_by_name() {
    for entry in changing() {
        let cases = [
            (entry.caps.nominal, mixed(&[20, 8], 1)),
            (entry.caps.numeric_only, numeric(&[20, 8], 2, 1)),
            (entry.caps.all_nominal, nominal(&[20, 8], 1)),
        ];
        for (on, set) in cases {
            let found = run(&*suited(entry, &[]), &set, 1);
            match on {
                OnNominal::Handles => assert!(found.is_ok(), "{}: {found:?}", entry.card.id),
                OnNominal::Refuses => {
                    assert!(matches!(found, Err(StageError::NotApplicable(_))));
                }
                OnNominal::Becomes(other) => {
                    assert!(ALL.iter().any(|e| e.card.id == other), "{other} is listed");
                    let Err(StageError::NotApplicable(why)) = found else {
                        panic!("{} is not applicable", entry.card.id)
                    };
                    assert!(why.contains(other), "{why}");
                }
            }
        }
    }
}

#[test]
fn too_few_rows_for_k_follow_the_declared_policy() {
    for (entry, sets) in applicable() {
        let id = entry.card.id;
        let has_k = entry.card.params.iter().any(|spec| spec.name == "k");
        if entry.caps.makes != NewRows::WithinClass || !has_k {
            continue;
        }
        for set in sets.iter().filter(|set| set.counts().as_slice() == [3, 8]) {
            let with = |policy: SmallClass, k: i64| {
                let shared = Shared::default();
                let mut about = context(1, &shared);
                about.small_class = policy;
                let found = suited(entry, &[("k", whole(k))]).resample(set, &mut about);
                let clamped = about
                    .notes
                    .iter()
                    .filter(|note| matches!(note, Note::Clamped(_)))
                    .filter(|note| !note.text().contains("it stays at "));
                (found, clamped.cloned().collect::<Vec<_>>())
            };
            let value_or_nowhere =
                |found: &Result<Train, StageError>| assert!(found.is_ok() || is_refused(found));
            let (found, notes) = with(SmallClass::Clamp, 5);
            value_or_nowhere(&found);
            let note = "k = 5 reduced to 2 for class c0 with 3 rows";
            assert_eq!(notes, [Note::Clamped(note.into())], "{id}");
            let (found, notes) = with(SmallClass::Clamp, 2);
            value_or_nowhere(&found);
            assert!(notes.is_empty(), "{id}: k = 2 fits 3 rows: {notes:?}");
            assert!(matches!(
                with(SmallClass::Error, 5).0,
                Err(StageError::Failed(_))
            ));
            assert!(matches!(
                with(SmallClass::Skip, 5).0,
                Err(StageError::Skipped(_))
            ));
        }
        for set in sets
            .iter()
            .filter(|set| set.counts().as_slice() == [25, 6, 6, 1])
        {
            let (after, notes) = run_noting(&*suited(entry, &[]), set, 1);
            if is_left(&notes, 3) {
                continue;
            }
            let notes: Vec<&Note> = notes
                .iter()
                .filter(|note| matches!(note, Note::Clamped(_)))
                .filter(|note| !note.text().contains("it stays at "))
                .collect();
            assert_eq!(notes.len(), 1, "{id}: k = 5 fits 6 rows: {notes:?}");
            assert!(notes[0].text().contains("class c3 has 1 row"));
            let after = after.unwrap();
            let single = (0..set.samples().n_rows()).find(|&i| set.samples().y().class(i) == 3);
            let copies = after
                .samples()
                .origins()
                .iter()
                .zip(after.samples().y().ids());
            for (origin, _) in copies.filter(|(_, class)| **class == 3) {
                assert_eq!(*origin, Origin::Row(10 * single.unwrap() + 3));
            }
        }
    }
}

#[test]
fn a_knob_that_changes_changes_rows() {
    for (entry, sets) in applicable() {
        let id = entry.card.id;
        // Two classes that overlap much, where rows are to be dropped.
        let crowded = numeric(&[150, 60], 2, 12);
        let small = sets.iter().find(|set| set.counts().as_slice() == [60, 12]);
        let set = if drops(entry) {
            &crowded
        } else {
            small.unwrap()
        };
        for spec in entry.card.params {
            let trials = spec.trials();
            assert!(!trials.is_empty(), "{id}: `{}` has no probe", spec.name);
            let beside = &trials[0][..trials[0].len() - 1];
            let usual = spec.default.map(|default| {
                let own = (spec.name, ParamValue::from(default));
                [beside, &[own]].concat()
            });
            let results: Vec<Result<Train, StageError>> = usual
                .iter()
                .chain(&trials)
                .map(|given| run(&*suited(entry, given), set, 1))
                .collect();
            assert!(results.iter().any(Result::is_ok), "{id}: {}", spec.name);
            for pair in results.windows(2) {
                assert!(pair[0] != pair[1], "{id}: {}", spec.name);
            }
        }
    }
}

#[test]
fn resampling_twice_keeps_origins_in_the_original_data() {
    for entry in changing().filter(|e| e.caps.numeric_only == OnNominal::Handles && !cleans(e)) {
        let set = numeric(&[40, 10], 2, 3);
        let once = run(&*suited(entry, &[("strategy", real(0.5))]), &set, 1).unwrap();
        let twice = run(&*suited(entry, &[]), &once, 2).unwrap();
        for origin in twice.samples().origins() {
            let (Origin::Row(row) | Origin::Synthetic { base: row, .. }) = *origin;
            assert!(row % 10 == 3 && row < 500, "{}: {origin:?}", entry.card.id);
        }
    }
}

#[test]
fn more_rows_than_memory_are_an_error_value() {
    for entry in changing().filter(|entry| grows(entry)) {
        let set = if entry.caps.numeric_only == OnNominal::Handles {
            numeric(&[20, 8], 2, 1)
        } else if entry.caps.nominal == OnNominal::Handles {
            mixed(&[20, 8], 1)
        } else {
            nominal(&[20, 8], 1)
        };
        let found = run(
            &*suited(entry, &[("strategy", table(&[("c1", i64::MAX / 8)]))]),
            &set,
            1,
        );
        let id = entry.card.id;
        assert!(
            matches!(found, Err(StageError::OutOfMemory(_))),
            "{id}: {found:?}"
        );
    }
}
