//! The contract of the methods that drop rows: under-samplers, cleaners and what cleans afterwards.

use counterweight_core::{
    Effect, Matrix, Note, OnNominal, Origin, ParamValue, ResamplerEntry, Shared, SmallClass,
    StageError, Train,
};
use proptest::prelude::*;

use super::ALL;
use super::contract_sets::{check, drops, mixed, numeric, run, shuffled};
use crate::testing::{built, context, table, text, train, whole};

fn entries() -> impl Iterator<Item = &'static ResamplerEntry> {
    ALL.iter().filter(|entry| drops(entry))
}

/// Nominal columns alone; which levels are frequent depends on the class.
fn nominal(counts: &[usize], seed: u64) -> Train {
    let set = mixed(counts, seed);
    let samples = set.samples();
    let x = Matrix::from_fn(samples.n_rows(), 2, |i, j| samples.x().at(i, 1 + j));
    let classes: Vec<usize> = (0..x.rows()).map(|row| samples.y().class(row)).collect();
    train(x, &[Some(3), Some(2)], &classes, counts.len())
}

/// Sets of the kinds that a method takes as they are.
fn sets(entry: &ResamplerEntry, counts: &[usize], seed: u64) -> Vec<Train> {
    let mut sets = vec![numeric(counts, 3, seed)];
    if entry.caps.nominal == OnNominal::Handles {
        sets.push(mixed(counts, seed));
    }
    if entry.caps.all_nominal == OnNominal::Handles {
        sets.push(nominal(counts, seed));
    }
    sets
}

/// The training rows that are left.
fn left(after: &Train) -> Vec<usize> {
    let origins = after.samples().origins().iter();
    let rows = origins.map(|origin| match *origin {
        Origin::Row(row) => (row - 3) / 10,
        Origin::Synthetic { .. } => panic!("a row was made"),
    });
    rows.collect()
}

#[test]
fn only_the_classes_that_are_named_lose_rows() {
    let words = ["auto", "majority", "not-majority", "not-minority", "all"];
    for entry in entries().filter(|entry| entry.caps.effect == Effect::Cleans) {
        let (id, mut lost) = (entry.card.id, [0; 3]);
        // Those of several rounds.
        let mut specs = entry.card.params.iter();
        let anew = specs.any(|spec| ["rounds", "allow_minority"].contains(&spec.name));
        for set in sets(entry, &[30, 60, 12], 4) {
            for word in words {
                let after = run(&*built(entry, &[("strategy", text(word))]), &set, 1).unwrap();
                check(entry, &set, &after);
                let before = set.counts();
                let pairs = before
                    .as_slice()
                    .iter()
                    .zip(after.counts().as_slice().to_vec());
                let gone: Vec<usize> = pairs.map(|(had, has)| had - has).collect();
                let may = match word {
                    // Rounds read the strategy anew, on what the last one left.
                    "majority" | "not-majority" if anew => [true; 3],
                    "majority" => [false, true, false],
                    "not-majority" => [true, false, true],
                    "all" => [true; 3],
                    _ => [true, true, false],
                };
                for (class, &gone) in gone.iter().enumerate() {
                    assert!(may[class] || gone == 0, "{id} {word}: {gone} of {class}");
                    lost[class] += gone;
                }
            }
        }
        assert!(lost[0] > 0 && lost[1] > 0, "{id}: {lost:?}");
    }
}

#[test]
fn without_chance_no_seed_matters() {
    for entry in entries().filter(|entry| entry.caps.deterministic) {
        for set in sets(entry, &[60, 20], 3) {
            let resampler = built(entry, &[]);
            let (a, b) = (run(&*resampler, &set, 1), run(&*resampler, &set, 2));
            assert_eq!(a.unwrap(), b.unwrap(), "{}", entry.card.id);
        }
    }
}

#[test]
fn the_order_of_the_rows_does_not_change_which_stay() {
    for entry in entries() {
        let id = entry.card.id;
        if !entry.caps.deterministic {
            continue;
        }
        let set = numeric(&[70, 25, 10], 3, 8);
        let order = shuffled(105, 5);
        let moved = set
            .derive(|samples| Ok::<_, StageError>(samples.select(&order)))
            .unwrap();
        let resampler = built(entry, &[]);
        let rows = left(&run(&*resampler, &set, 1).unwrap());
        let mut others = left(&run(&*resampler, &moved, 1).unwrap());
        others.sort_unstable();
        assert_eq!(rows, others, "{id}");
    }
}

#[test]
fn more_neighbours_than_rows_follow_the_declared_policy() {
    // Two groups far apart.
    let x = Matrix::from_fn(7, 1, |i, _| if i < 5 { i as f64 } else { 100.0 + i as f64 });
    let rows = train(x, &[None], &[0, 0, 0, 0, 0, 1, 1], 2);
    let has =
        |entry: &ResamplerEntry, key: &str| entry.card.params.iter().any(|spec| spec.name == key);
    let mut met = 0;
    for entry in entries().filter(|entry| has(entry, "k")) {
        let id = entry.card.id;
        let with = |policy: SmallClass, k: i64| {
            let shared = Shared::default();
            let mut about = context(1, &shared);
            about.small_class = policy;
            // With nobody left of a kind there would be no result.
            let rule = has(entry, "rule").then(|| ("rule", text("mode")));
            let given: Vec<_> = rule.into_iter().chain([("k", whole(k))]).collect();
            let found = built(entry, &given).resample(&rows, &mut about);
            (found, about.notes)
        };
        let (found, notes) = with(SmallClass::Clamp, 9);
        let clamped = notes.iter().find(|note| matches!(note, Note::Clamped(_)));
        let note = clamped.map(Note::text).unwrap_or_default();
        let words: Vec<&str> = note.split(' ').collect();
        assert!(
            note.starts_with("k = 9 reduced to ") && found.is_ok(),
            "{id}: {note}"
        );
        let fits: i64 = words[5].parse().unwrap();
        assert!(
            (2..7).contains(&fits) && note.contains(" rows"),
            "{id}: {note}"
        );
        let (found, notes) = with(SmallClass::Error, fits);
        let clamped = notes.iter().any(|note| matches!(note, Note::Clamped(_)));
        assert!(found.is_ok() && !clamped, "{id}: {notes:?}");
        let (found, _) = with(SmallClass::Error, 9);
        assert!(matches!(found, Err(StageError::Failed(_))), "{id}");
        let (found, _) = with(SmallClass::Skip, 9);
        assert!(matches!(found, Err(StageError::Skipped(_))), "{id}");
        met += 1;
    }
    assert!(met > 5);
}

#[test]
fn what_is_not_euclidean_is_said() {
    for entry in entries() {
        for (set, words) in [
            (numeric(&[30, 10], 3, 1), None),
            (mixed(&[30, 10], 1), Some("distances are mixed")),
            (
                nominal(&[30, 10], 1),
                Some("distances are value differences"),
            ),
        ] {
            let shared = Shared::default();
            let mut about = context(1, &shared);
            built(entry, &[]).resample(&set, &mut about).unwrap();
            let said = about
                .notes
                .iter()
                .find(|note| note.text().starts_with("distances"));
            assert_eq!(said.is_some(), words.is_some(), "{}", entry.card.id);
            assert!(said.is_none_or(|note| note.text().starts_with(words.unwrap())));
        }
    }
}

#[test]
fn seed_rows_are_checked_against_the_data() {
    let set = numeric(&[30, 10], 2, 1);
    let of = |class: usize| {
        (0..40)
            .find(|&row| set.samples().y().class(row) == class)
            .unwrap()
    };
    for id in ["condensed-nn", "one-sided-selection"] {
        let entry = ALL.iter().find(|entry| entry.card.id == id).unwrap();
        let with = |rows: &[usize]| {
            let rows = rows.iter().map(|&row| whole(i64::try_from(row).unwrap()));
            let given = [("seed_rows", ParamValue::List(rows.collect()))];
            run(&*built(entry, &given), &set, 1)
        };
        let first = with(&[of(0)]).unwrap();
        assert!(id == "one-sided-selection" || left(&first).contains(&of(0)));
        for (rows, says) in [([40], "no row 40"), ([of(1)], "no row of class c0")] {
            let Err(StageError::Failed(text)) = with(&rows) else {
                panic!("{id}: {rows:?} is an error")
            };
            assert!(text.contains(says), "{text}");
        }
    }
}

#[test]
fn near_miss_says_when_it_keeps_fewer() {
    let entry = ALL
        .iter()
        .find(|entry| entry.card.id == "near-miss")
        .unwrap();
    let set = numeric(&[60, 20], 2, 1);
    let shared = Shared::default();
    let mut about = context(1, &shared);
    let given = [
        ("version", whole(3)),
        ("k3", whole(1)),
        ("strategy", table(&[("c0", 50)])),
    ];
    let after = built(entry, &given).resample(&set, &mut about).unwrap();
    let has = after.counts().as_slice()[0];
    assert!(
        has <= 20,
        "at most one for each row of the smallest class: {has}"
    );
    let words = format!("class c0 keeps {has} rows instead of 50");
    assert!(
        about.notes[0].text().starts_with(&words),
        "{:?}",
        about.notes
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn odd_shapes_end_in_a_sound_value_or_an_error_value(
        majority in 1_usize..30,
        minority in prop_oneof![Just(1_usize), Just(2), Just(3), 1_usize..30],
        third in prop_oneof![Just(0_usize), Just(0), 1_usize..6],
        shape in 0_usize..6,
        seed in 0_u64..1000,
    ) {
        let counts = [majority, minority, third];
        let n: usize = counts.iter().sum();
        let base = numeric(&counts, 2, seed);
        let (x, y) = (base.samples().x(), base.samples().y());
        let classes: Vec<usize> = (0..n).map(|row| y.class(row)).collect();
        let made = |cols, cell: &dyn Fn(usize, usize) -> f64| {
            train(Matrix::from_fn(n, cols, cell), &vec![None; cols], &classes, 3)
        };
        let set = match shape {
            0 => numeric(&counts, 1, seed),
            1 => mixed(&counts, seed),
            2 => nominal(&counts, seed),
            // All rows equal.
            3 => made(3, &|_, _| 0.1),
            // Linear dependence.
            4 => made(3, &|i, j| if j < 2 { x.at(i, j) } else { x.at(i, 0) - 2.0 * x.at(i, 1) }),
            // A grid: ties and duplicates.
            _ => made(2, &|i, j| x.at(i, j).round()),
        };
        for entry in entries() {
            match run(&*built(entry, &[]), &set, seed) {
                Ok(after) => check(entry, &set, &after),
                Err(error) => prop_assert!(false, "{} on shape {shape}: {error}", entry.card.id),
            }
        }
    }
}
