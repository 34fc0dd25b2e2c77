//! What the contract of the resamplers is checked on and with: sets of rows of every kind, ways to run a
//! method on them, and everything that holds for any result.

use counterweight_core::{
    Effect, Matrix, NewRows, Note, OnNominal, Origin, ParamValue, Resampler, ResamplerEntry,
    Shared, StageError, Train,
};
use rand::RngExt as _;

use super::ALL;
use crate::testing::{built, context, stream, train};

/// The resamplers that change rows. The others leave every row by design and ask the learner to draw
/// its minibatches otherwise, so that what is said here of rows, counts, knobs and seeds is for these;
/// `minibatch_schemes_leave_the_rows_and_change_the_draws` is for those.
pub(super) fn changing() -> impl Iterator<Item = &'static ResamplerEntry> {
    ALL.iter().filter(|entry| !entry.caps.minibatches)
}

/// Whether it adds rows.
pub(super) fn grows(entry: &ResamplerEntry) -> bool {
    entry.caps.effect == Effect::Grows
}

/// Whether it drops rows for what they are, or always the same ones.
pub(super) fn drops(entry: &ResamplerEntry) -> bool {
    entry.caps.effect == Effect::Cleans || entry.caps.deterministic
}

/// With parameters with which it has something to do on the sets of this suite.
pub(super) fn suited(entry: &ResamplerEntry, given: &[(&str, ParamValue)]) -> Box<dyn Resampler> {
    let suited = entry.caps.suited.iter();
    let suited = suited.map(|&(key, value)| (key, ParamValue::from(value)));
    built(
        entry,
        &suited.chain(given.iter().cloned()).collect::<Vec<_>>(),
    )
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
    entry.caps.rounded || entry.caps.cleans_up
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
            entry.caps.cleans_up || if grows(entry) { has >= had } else { has <= had },
            "{id}: {had} to {has}"
        );
        let gone = grows(entry) && !entry.caps.cleans_up && had > 0 && has == 0;
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
                assert_ne!(entry.caps.makes, NewRows::None, "{id}: it makes no rows");
                let (base, neighbour) = (row_of(base), row_of(neighbour));
                assert_eq!(from.y().class(base), to.y().class(at), "{id}");
                assert!(neighbour < from.n_rows(), "{id}");
            }
        }
        for (&value, kind) in to.x().row(at).iter().zip(to.kinds().iter()) {
            if let counterweight_core::ColumnKind::Nominal { levels } = kind {
                assert!(
                    counterweight_numeric::neighbours::code(value, *levels).is_some(),
                    "{id}: {value}"
                );
            }
        }
    }
    if entry.caps.cleans_up {
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
pub(super) fn applicable() -> Vec<(&'static ResamplerEntry, Vec<Train>)> {
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
                if entry.caps.all_nominal == OnNominal::Handles && !drops(entry) {
                    sets.push(nominal(shape, seed));
                }
            }
            (entry, sets)
        })
        .collect()
}

/// Methods that look for a place to put rows end here when a tiny class has none.
pub(super) fn is_refused(found: &Result<Train, StageError>) -> bool {
    matches!(found, Err(StageError::NotApplicable(_)))
}
