//! The contract of every resampler, checked over the whole registry.

use counterweight_core::{
    Matrix, Note, OnNominal, Origin, ParamKind, Resampler, ResamplerEntry, Shared, SmallClass,
    StageError, Train,
};
use rand::RngExt as _;

use super::ALL;
use super::contract_under::{CLEANERS, WITHOUT_CHANCE, drops};
use crate::testing::{
    built, check_registry, context, real, stream, table, text, train, try_built, whole,
};

/// Files of the folder that are no method.
const HELPERS: &[&str] = &[
    "blend",
    "cart",
    "cleaning",
    "contract",
    "contract_over",
    "contract_under",
    "growth",
    "kmeans",
    "linkage",
    "mod",
    "smo",
    "strategy",
    "surroundings",
];

/// Methods that make rows and then clean up: counts end where that leaves them.
const CLEANING: &[&str] = &["smote-enn", "smote-ipf", "smote-tomek"];

/// Methods whose counts come out near what is asked.
const ROUNDED: &[&str] = &["adasyn", "instance-hardness"];

/// Under-samplers that make rows.
const CENTRES: &[&str] = &["cluster-centroids"];

#[test]
fn the_registry_is_complete_and_documented() {
    check_registry("resample", HELPERS, ALL);
}

/// The resamplers that change rows. The others leave every row by design and ask the learner to draw
/// its minibatches otherwise, so that what is said here of rows, counts, knobs and seeds is for these;
/// `minibatch_schemes_leave_the_rows_and_change_the_draws` is for those.
fn changing() -> impl Iterator<Item = &'static ResamplerEntry> {
    ALL.iter().filter(|entry| !entry.caps.minibatches)
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
                let ParamKind::Choice(words) = spec.kind else {
                    panic!("{id}: add values for `{}`", spec.name)
                };
                let results: Vec<Train> = words
                    .iter()
                    .map(|word| run(&*built(entry, &[(spec.name, text(word))]), &set, 1).unwrap())
                    .collect();
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

/// Over-samplers take `minority`, under-samplers refuse it.
fn grows(entry: &ResamplerEntry) -> bool {
    !CLEANERS.contains(&entry.card.id)
        && try_built(entry, &[("strategy", text("minority"))]).is_ok()
}

/// Parameters with which a method has something to do on the sets of this suite: with its defaults,
/// k-means-SMOTE finds no cluster of the minority where the classes overlap as here.
pub(super) fn suited(
    entry: &ResamplerEntry,
    given: &[(&str, counterweight_core::ParamValue)],
) -> Box<dyn Resampler> {
    let mut all = given.to_vec();
    if entry.card.id == "kmeans-smote" {
        for (key, value) in [("clusters", whole(2)), ("balance_threshold", real(0.0))] {
            if given.iter().all(|(known, _)| *known != key) {
                all.push((key, value));
            }
        }
    }
    built(entry, &all)
}

fn normal_rows(counts: &[usize], d: usize, seed: u64) -> (Matrix, Vec<usize>) {
    let mut stream = stream(seed);
    let classes: Vec<usize> = counts
        .iter()
        .enumerate()
        .flat_map(|(class, &n)| std::iter::repeat_n(class, n))
        .collect();
    let x = Matrix::from_fn(classes.len(), d, |i, _| {
        let z: f64 = stream.sample(rand_distr::StandardNormal);
        z + classes[i] as f64
    });
    (x, classes)
}

/// Numeric rows, the classes shuffled into each other.
pub(super) fn numeric(counts: &[usize], d: usize, seed: u64) -> Train {
    let (x, classes) = normal_rows(counts, d, seed);
    let order = shuffled(classes.len(), seed);
    let classes: Vec<usize> = order.iter().map(|&row| classes[row]).collect();
    train(
        x.select_rows(&order),
        &vec![None; d],
        &classes,
        counts.len(),
    )
}

/// Two numeric columns around two nominal ones.
pub(super) fn mixed(counts: &[usize], seed: u64) -> Train {
    let (mut x, classes) = normal_rows(counts, 4, seed);
    let mut stream = stream(seed + 1);
    for i in 0..x.rows() {
        x.set(i, 1, f64::from(stream.random_range(0..3_u32)));
        x.set(i, 2, f64::from(stream.random_range(0..2_u32)));
    }
    train(x, &[None, Some(3), Some(2), None], &classes, counts.len())
}

/// Nominal columns alone.
pub(super) fn nominal(counts: &[usize], seed: u64) -> Train {
    let (x, classes) = normal_rows(counts, 4, seed);
    let levels = [3, 2, 5, 4];
    let codes = Matrix::from_fn(x.rows(), 4, |i, j| {
        (x.at(i, j) + 1.0)
            .round()
            .clamp(0.0, (levels[j] - 1) as f64)
    });
    train(codes, &levels.map(Some), &classes, counts.len())
}

pub(super) fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut stream = stream(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for at in (1..n).rev() {
        order.swap(at, stream.random_range(0..=at));
    }
    order
}

pub(super) fn run(
    resampler: &dyn Resampler,
    train: &Train,
    seed: u64,
) -> Result<Train, StageError> {
    run_noting(resampler, train, seed).0
}

/// The result, and what was noted on the way.
pub(super) fn run_noting(
    resampler: &dyn Resampler,
    train: &Train,
    seed: u64,
) -> (Result<Train, StageError>, Vec<Note>) {
    let shared = Shared::default();
    let mut about = context(seed, &shared);
    let found = resampler.resample(train, &mut about);
    (found, about.notes)
}

/// Whether a note says that the class could not be enlarged.
pub(super) fn is_left(notes: &[Note], class: usize) -> bool {
    notes.iter().any(|note| {
        let text = note.text();
        text.contains(&format!("class c{class} ")) && text.contains("it stays at ")
    })
}

pub(super) fn is_near(entry: &ResamplerEntry) -> bool {
    ROUNDED.contains(&entry.card.id) || CLEANING.contains(&entry.card.id)
}

/// Everything that holds for any result.
pub(super) fn check(entry: &ResamplerEntry, before: &Train, after: &Train) {
    let id = entry.card.id;
    let (from, to) = (before.samples(), after.samples());
    assert_eq!(from.kinds(), to.kinds(), "{id}");
    assert_eq!(from.y().names(), to.y().names(), "{id}");
    assert_eq!(to.x().first_non_finite(), None, "{id}");
    for (class, (&had, &has)) in before
        .counts()
        .as_slice()
        .iter()
        .zip(after.counts().as_slice())
        .enumerate()
    {
        assert!(had > 0 || has == 0, "{id}: absent class {class} got rows");
        assert!(
            CLEANING.contains(&id) || if grows(entry) { has >= had } else { has <= had },
            "{id}: {had} to {has}"
        );
        let cleaned = id == "smote-enn" || id == "smote-tomek";
        let gone = grows(entry) && !cleaned && had > 0 && has == 0;
        assert!(!gone, "{id}: class {class} is gone");
    }
    // Original row 10 i + 3 is row i of the training set.
    let row_of = |original: usize| {
        assert_eq!(
            original % 10,
            3,
            "{id}: origins are rows of the original data"
        );
        (original - 3) / 10
    };
    let mut kept = Vec::new();
    for (at, origin) in to.origins().iter().enumerate() {
        match *origin {
            Origin::Row(original) => {
                let row = row_of(original);
                assert_eq!(
                    from.x().row(row),
                    to.x().row(at),
                    "{id}: a row that says it is a copy"
                );
                assert_eq!(from.y().class(row), to.y().class(at), "{id}");
                kept.push(row);
            }
            Origin::Synthetic { base, neighbour } => {
                let may = grows(entry) || CENTRES.contains(&id);
                assert!(may, "{id}: an under-sampler makes no rows");
                let (base, neighbour) = (row_of(base), row_of(neighbour));
                assert_eq!(from.y().class(base), to.y().class(at), "{id}");
                assert!(neighbour < from.n_rows(), "{id}");
            }
        }
        for (&value, kind) in to.x().row(at).iter().zip(to.kinds().iter()) {
            if let counterweight_core::ColumnKind::Nominal { levels } = kind {
                assert!(
                    crate::neighbours::code(value, *levels).is_some(),
                    "{id}: {value}"
                );
            }
        }
    }
    if CLEANING.contains(&id) {
        // Copies of the row of a class with a single one come after the originals.
        let row = |origin: &Origin| match *origin {
            Origin::Row(original) => row_of(original),
            Origin::Synthetic { .. } => usize::MAX,
        };
        assert!(
            before.counts().as_slice().contains(&1) || to.origins().is_sorted_by_key(row),
            "{id}: what is left of the originals comes first, in order"
        );
    } else if grows(entry) {
        let first: Vec<usize> = (0..from.n_rows()).collect();
        assert_eq!(
            to.select(&first),
            *from,
            "{id}: the originals come first, in order"
        );
    } else {
        assert!(
            kept.is_sorted_by(|a, b| a < b),
            "{id}: a subset in its order"
        );
    }
}

/// The entry, and data of the kinds that it takes as they are.
fn applicable() -> Vec<(&'static ResamplerEntry, Vec<Train>)> {
    let shapes: [&[usize]; 6] = [
        &[60, 12],
        &[7, 40, 15],
        &[30, 0, 9],
        &[20, 20],
        &[3, 8],
        &[25, 6, 6, 1],
    ];
    changing()
        .map(|entry| {
            let mut sets = Vec::new();
            for (seed, shape) in (0..).zip(shapes) {
                if entry.caps.numeric_only == OnNominal::Handles {
                    sets.push(numeric(shape, 3, seed));
                }
                if entry.caps.nominal == OnNominal::Handles {
                    sets.push(mixed(shape, seed));
                }
                // Codes tie, so what is dropped of them hangs on the order of the rows.
                if entry.caps.all_nominal == OnNominal::Handles && !drops(entry.card.id) {
                    sets.push(nominal(shape, seed));
                }
            }
            (entry, sets)
        })
        .collect()
}

/// Methods that look for a place to put rows end here when a tiny class has none.
fn is_refused(found: &Result<Train, StageError>) -> bool {
    matches!(found, Err(StageError::NotApplicable(_)))
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
            if is_near(entry) || CLEANERS.contains(&entry.card.id) {
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
            if set.counts().as_slice() != [60, 12] || CLEANERS.contains(&id) {
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
        for set in &sets {
            let resampler = suited(entry, &[]);
            let a = run(&*resampler, set, 1);
            assert_eq!(a, run(&*resampler, set, 1), "{}", entry.card.id);
            // 48 rows on 12 segments leave nothing to chance.
            let id = entry.card.id;
            let rarely = ["polynom-fit-smote", "instance-hardness"].contains(&id);
            let fixed = rarely || WITHOUT_CHANCE.contains(&id);
            if set.counts().as_slice() == [60, 12] && !fixed {
                assert_ne!(
                    a.unwrap(),
                    run(&*resampler, set, 2).unwrap(),
                    "{}",
                    entry.card.id
                );
            }
        }
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
        if CLEANERS.contains(&entry.card.id) && !WITHOUT_CHANCE.contains(&entry.card.id) {
            continue;
        }
        for set in &sets {
            let order = shuffled(set.samples().n_rows(), 5);
            let moved = set
                .derive(|samples| Ok::<_, StageError>(samples.select(&order)))
                .unwrap();
            let resampler = suited(entry, &[]);
            // Folds that fall otherwise move a row over the threshold here and there.
            if CLEANING.contains(&entry.card.id) || entry.card.id == "instance-hardness" {
                continue;
            }
            // Whether there is a cluster to put rows into hangs on the seed of the clustering.
            if entry.card.id == "kmeans-smote" && set.counts().smallest_present() < 12 {
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
    for entry in
        changing().filter(|e| e.caps.numeric_only == OnNominal::Handles && !drops(e.card.id))
    {
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
                    Err(error) => assert!(!error.to_string().is_empty()),
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

/// Over-samplers whose `k` neighbours are of the row's own class.
const K_WITHIN_CLASS: &[&str] = &[
    "adasyn",
    "borderline-smote",
    "kmeans-smote",
    "prowsyn",
    "smote",
    "smote-ipf",
    "smote-n",
    "smote-nc",
    "smote-tomek",
    "svm-smote",
];

#[test]
fn too_few_rows_for_k_follow_the_declared_policy() {
    for (entry, sets) in applicable() {
        let id = entry.card.id;
        if !K_WITHIN_CLASS.contains(&id) {
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
    let settings: &[(&str, Vec<counterweight_core::ParamValue>)] = &[
        ("balance_threshold", vec![real(0.05), real(0.6)]),
        ("cluster_scale", vec![real(0.5), real(1.0), real(3.0)]),
        ("clusters", vec![whole(2), whole(4)]),
        ("cut_off", vec![real(0.5), real(5.0)]),
        ("degree", vec![whole(1), whole(2), whole(3)]),
        ("density_exponent", vec![real(0.0), real(10.0)]),
        (
            "classifier",
            ["naive-bayes", "k-nearest-neighbours"].map(text).to_vec(),
        ),
        ("enn_k", vec![whole(1), whole(3), whole(7)]),
        ("folds", vec![whole(2), whole(5), whole(9)]),
        ("k", vec![whole(1), whole(5)]),
        ("rule", vec![text("all"), text("mode")]),
        ("k1", vec![whole(2), whole(5)]),
        ("k2", vec![whole(1), whole(9)]),
        ("k3", vec![whole(1), whole(4)]),
        ("levels", vec![whole(1), whole(2), whole(3)]),
        ("m", vec![whole(3), whole(10), whole(20)]),
        ("out_step", vec![real(0.0), real(0.5)]),
        ("partitions", vec![whole(2), whole(9)]),
        ("shrinkage", vec![real(0.0), real(0.5), real(1.0)]),
        ("stop_rounds", vec![whole(1), whole(9)]),
        ("stop_share", vec![real(1.0), real(0.001)]),
        ("strategy", vec![real(0.5), real(0.8), text("auto")]),
        ("theta", vec![real(0.0), real(1.0), real(3.0)]),
        (
            "topology",
            ["star", "bus", "mesh", "polynomial"].map(text).to_vec(),
        ),
        ("voting", vec![text("majority"), text("consensus")]),
        ("variant", vec![whole(1), whole(2)]),
    ];
    // What a knob needs beside it to have a say.
    let beside: &[(&str, &[(&str, counterweight_core::ParamValue)])] = &[
        ("degree", &[("topology", text("polynomial"))]),
        ("balance_threshold", &[("clusters", whole(4))]),
        ("clusters", &[("balance_threshold", real(0.05))]),
        (
            "density_exponent",
            &[("clusters", whole(3)), ("balance_threshold", real(0.05))],
        ),
        ("k", &[("classifier", text("k-nearest-neighbours"))]),
        ("levels", &[("k", whole(1))]),
        ("out_step", &[("m", whole(1))]),
        ("stop_rounds", &[("stop_share", real(1.0))]),
        ("stop_share", &[("stop_rounds", whole(1))]),
        ("theta", &[("k", whole(1))]),
    ];
    for (entry, sets) in applicable() {
        if drops(entry.card.id) {
            continue;
        }
        let set = sets.iter().find(|set| set.counts().as_slice() == [60, 12]);
        for spec in entry.card.params {
            let centres = ("voting", ["soft", "hard"].map(text).to_vec());
            let known = if CENTRES.contains(&entry.card.id) && spec.name == "voting" {
                Some(&centres)
            } else {
                settings.iter().find(|(name, _)| *name == spec.name)
            };
            let (name, values) = known.unwrap_or_else(|| panic!("add values for `{}`", spec.name));
            let results: Vec<Result<Train, StageError>> = values
                .iter()
                .map(|value| {
                    let mut given = vec![(*name, value.clone())];
                    for (_, others) in beside.iter().filter(|(knob, _)| knob == name) {
                        let known = |key: &str| entry.card.params.iter().any(|p| p.name == key);
                        given.extend(others.iter().filter(|(key, _)| known(key)).cloned());
                    }
                    run(&*suited(entry, &given), set.unwrap(), 1)
                })
                .collect();
            assert!(
                results.iter().any(Result::is_ok),
                "{}: {name}",
                entry.card.id
            );
            for pair in results.windows(2) {
                assert_ne!(pair[0], pair[1], "{}: {name}", entry.card.id);
            }
        }
    }
}

#[test]
fn resampling_twice_keeps_origins_in_the_original_data() {
    for entry in changing()
        .filter(|e| e.caps.numeric_only == OnNominal::Handles && !CLEANERS.contains(&e.card.id))
    {
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

#[test]
fn a_smote_point_lies_on_its_segment_with_one_uniform_u() {
    let set = numeric(&[4000, 20], 6, 11);
    let entry = ALL.iter().find(|e| e.card.id == "smote").unwrap();
    let after = run(&*built(entry, &[]), &set, 1).unwrap();
    let (from, to) = (set.samples().x(), after.samples());
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for at in 4020..to.n_rows() {
        let Origin::Synthetic { base, neighbour } = to.origins()[at] else {
            panic!("row {at} is synthetic")
        };
        let (a, b) = (from.row((base - 3) / 10), from.row((neighbour - 3) / 10));
        let us: Vec<f64> = (0..6)
            .map(|j| (to.x().at(at, j) - a[j]) / (b[j] - a[j]))
            .collect();
        for u in &us {
            assert!((u - us[0]).abs() < 1e-9, "one u for all columns: {us:?}");
            assert!((0.0..1.0 + 1e-9).contains(u));
        }
        sum += us[0];
        squares += us[0] * us[0];
        n += 1.0;
    }
    // Mean 1/2 and mean square 1/3, each within four standard errors.
    assert!((sum / n - 0.5).abs() < 4.0 / (12.0_f64 * n).sqrt());
    assert!((squares / n - 1.0 / 3.0).abs() < 4.0 * (4.0_f64 / 45.0 / n).sqrt());
}

#[test]
fn with_every_neighbour_smote_keeps_the_mean_and_shrinks_the_covariance_as_derived() {
    let n_c = 6;
    let set = numeric(&[60_000, n_c], 2, 5);
    let entry = ALL.iter().find(|e| e.card.id == "smote").unwrap();
    let after = run(&*built(entry, &[("k", whole(5))]), &set, 1).unwrap();
    let moments = |x: &Matrix, rows: &[usize]| {
        let n = rows.len() as f64;
        let mean: Vec<f64> = (0..2)
            .map(|j| rows.iter().map(|&i| x.at(i, j)).sum::<f64>() / n)
            .collect();
        let mut cov = [0.0; 3];
        for &i in rows {
            let (a, b) = (x.at(i, 0) - mean[0], x.at(i, 1) - mean[1]);
            cov[0] += a * a / n;
            cov[1] += a * b / n;
            cov[2] += b * b / n;
        }
        (mean, cov)
    };
    let class = crate::neighbours::Pool::Class(1).rows(set.samples());
    let made: Vec<usize> = (60_000 + n_c..after.samples().n_rows()).collect();
    let (mean, cov) = moments(set.samples().x(), &class);
    let (made_mean, made_cov) = moments(after.samples().x(), &made);
    let factor = 2.0 / 3.0 - 1.0 / (3.0 * (n_c as f64 - 1.0));
    let scale = cov[0].max(cov[2]);
    for (a, b) in mean.iter().zip(&made_mean) {
        assert!(
            (a - b).abs() < 4.0 * (scale / made.len() as f64).sqrt(),
            "{a} {b}"
        );
    }
    for (a, b) in cov.iter().zip(&made_cov) {
        assert!((a * factor - b).abs() < 0.015 * scale, "{} {b}", a * factor);
    }
}

#[test]
fn a_smoothed_bootstrap_adds_the_kernel_variance_and_copies_nominal_values() {
    let entry = ALL.iter().find(|e| e.card.id == "random-over").unwrap();
    let set = mixed(&[40_000, 30], 2);
    let h = 2.0;
    let after = run(&*built(entry, &[("shrinkage", real(h))]), &set, 1).unwrap();
    let (from, to) = (set.samples(), after.samples());
    let class = crate::neighbours::Pool::Class(1).rows(from);
    let n = from.n_rows() as f64;
    let reference = (4.0 / (4.0 * n)).powf(1.0 / 6.0);
    for column in [0, 3] {
        let mean = class.iter().map(|&i| from.x().at(i, column)).sum::<f64>() / 30.0;
        let variance = class
            .iter()
            .map(|&i| (from.x().at(i, column) - mean).powi(2))
            .sum::<f64>()
            / 30.0;
        let jumps: Vec<f64> = (from.n_rows()..to.n_rows())
            .map(|at| {
                let Origin::Synthetic { base, neighbour } = to.origins()[at] else {
                    panic!("row {at} is synthetic")
                };
                assert_eq!(base, neighbour);
                for nominal in [1, 2] {
                    let same = to.x().at(at, nominal) - from.x().at((base - 3) / 10, nominal);
                    assert!(same.abs() < f64::EPSILON);
                }
                to.x().at(at, column) - from.x().at((base - 3) / 10, column)
            })
            .collect();
        let m = jumps.len() as f64;
        let found = jumps.iter().map(|j| j * j).sum::<f64>() / m;
        let expected = (h * reference).powi(2) * variance;
        assert!(
            (found / expected - 1.0).abs() < 4.0 * (2.0 / m).sqrt(),
            "{found} {expected}"
        );
    }
}

#[test]
fn every_subset_is_as_likely() {
    let entry = ALL.iter().find(|e| e.card.id == "random-under").unwrap();
    let set = train(
        Matrix::from_fn(6, 1, |i, _| i as f64),
        &[None],
        &[0, 0, 0, 0, 1, 1],
        2,
    );
    let resampler = built(entry, &[]);
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..6000 {
        let after = run(&*resampler, &set, seed).unwrap();
        let kept: Vec<String> = after
            .samples()
            .x()
            .column(0)
            .iter()
            .map(f64::to_string)
            .collect();
        *seen.entry(kept.join(" ")).or_insert(0.0) += 1.0;
    }
    assert_eq!(seen.len(), 6, "four choose two");
    let chi2: f64 = seen
        .values()
        .map(|n: &f64| (n - 1000.0).powi(2) / 1000.0)
        .sum();
    assert!(
        chi2 < 20.5,
        "the 99.9 % point of chi-squared with 5 degrees of freedom; {chi2}"
    );
}
