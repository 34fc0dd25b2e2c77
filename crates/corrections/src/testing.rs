//! What the tests of this crate share: building methods from pairs, making training sets and
//! scores, and the registry checks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use counterweight_core::{
    Calib, ClassCounts, ColumnKind, Deadline, Entry, Labels, LossContext, LossEntry, LossTerms,
    Matrix, Origin, OutOfFold, ParamError, ParamSpec, ParamValue, Params, Partition, Samples,
    Scores, Seed, Shared, SmallClass, StageContext, StageResult, Stream, Train, params,
};

pub(crate) fn real(value: f64) -> ParamValue {
    ParamValue::Real(value)
}

pub(crate) fn whole(value: i64) -> ParamValue {
    ParamValue::Whole(value)
}

pub(crate) fn text(value: &str) -> ParamValue {
    ParamValue::Text(value.into())
}

pub(crate) fn flag(value: bool) -> ParamValue {
    ParamValue::Flag(value)
}

pub(crate) fn list(values: &[f64]) -> ParamValue {
    ParamValue::List(values.iter().map(|&v| ParamValue::Real(v)).collect())
}

/// A square table.
pub(crate) fn rows(rows: &[&[f64]]) -> ParamValue {
    ParamValue::List(rows.iter().map(|row| list(row)).collect())
}

/// A table of counts per class.
pub(crate) fn table(counts: &[(&str, i64)]) -> ParamValue {
    let pairs = counts
        .iter()
        .map(|(name, n)| ((*name).to_owned(), whole(*n)));
    ParamValue::Table(pairs.collect())
}

fn checked<C, T: ?Sized>(entry: &Entry<C, T>, given: &[(&str, ParamValue)]) -> Params {
    let given: BTreeMap<String, ParamValue> = given
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    params::check(entry.card.params, &given).unwrap()
}

pub(crate) fn try_built<C, T: ?Sized>(
    entry: &Entry<C, T>,
    given: &[(&str, ParamValue)],
) -> Result<Box<T>, ParamError> {
    (entry.build)(&checked(entry, given))
}

pub(crate) fn built<C, T: ?Sized>(entry: &Entry<C, T>, given: &[(&str, ParamValue)]) -> Box<T> {
    try_built(entry, given).unwrap()
}

/// What a method is tried with: where parameters are required, the first probe of each.
pub(crate) fn required(specs: &'static [ParamSpec]) -> Vec<(&'static str, ParamValue)> {
    let required = specs.iter().filter(|spec| spec.required);
    required
        .flat_map(|spec| spec.trials().swap_remove(0))
        .collect()
}

/// A method at some setting, with its entry.
pub(crate) type Arm<C, T> = (&'static Entry<C, T>, Box<T>);

/// Every method at its defaults and at each trial of each of its parameters.
pub(crate) fn arms<C, T: ?Sized>(entries: &'static [Entry<C, T>]) -> Vec<Arm<C, T>> {
    let settings = entries.iter().flat_map(|entry| {
        let specs = entry.card.params;
        let trials = specs.iter().flat_map(ParamSpec::trials);
        let all = std::iter::once(Vec::new()).chain(trials);
        all.map(move |trial| (entry, [required(specs), trial].concat()))
    });
    settings
        .map(|(entry, given)| (entry, built(entry, &given)))
        .collect()
}

/// The text of the error that these parameters end in.
pub(crate) fn failure<C, T: ?Sized>(entry: &Entry<C, T>, given: &[(&str, ParamValue)]) -> String {
    match try_built(entry, given) {
        Ok(_) => panic!("{given:?} builds"),
        Err(error) => error.to_string(),
    }
}

/// The terms of a loss with these parameters for classes of so many rows, before and after resampling.
pub(crate) fn terms(
    entry: &LossEntry,
    given: &[(&str, ParamValue)],
    counts: &[usize],
) -> StageResult<LossTerms> {
    let counts = ClassCounts::new(counts.to_vec());
    built(entry, given).terms(&LossContext {
        seen: &counts,
        train: &counts,
    })
}

pub(crate) fn stream(seed: u64) -> Stream {
    Seed(seed).stage("test").open()
}

pub(crate) fn context(seed: u64, shared: &Shared) -> StageContext<'_> {
    StageContext::new(stream(seed), SmallClass::Clamp, Deadline::NEVER, shared)
}

fn names(n_classes: usize) -> Arc<[String]> {
    (0..n_classes).map(|k| format!("c{k}")).collect()
}

pub(crate) fn labels(classes: &[usize], n_classes: usize) -> Labels {
    let ids = classes.iter().map(|&k| u32::try_from(k).unwrap()).collect();
    Labels::new(ids, names(n_classes)).unwrap()
}

/// All rows as a training set; row i goes back to original row 10 i + 3.
pub(crate) fn train(
    x: Matrix,
    levels: &[Option<usize>],
    classes: &[usize],
    n_classes: usize,
) -> Train {
    let kinds = levels
        .iter()
        .map(|levels| levels.map_or(ColumnKind::Numeric, |levels| ColumnKind::Nominal { levels }))
        .collect();
    let origins = (0..x.rows()).map(|i| Origin::Row(10 * i + 3)).collect();
    let n = x.rows();
    let samples = Samples::new(x, kinds, labels(classes, n_classes), origins).unwrap();
    let all = Partition::new(n, (0..n).collect(), vec![]).unwrap();
    all.cut_samples(&samples).unwrap().0
}

/// Out-of-fold scores: row i is of fold i modulo `folds`.
pub(crate) fn calib(log: &Matrix, classes: &[usize], n_classes: usize, folds: usize) -> Calib {
    let n = log.rows();
    let train = train(Matrix::zeros(n, 1), &[None], classes, n_classes);
    let mut collected = OutOfFold::new(&train);
    for fold in 0..folds {
        let held: Vec<usize> = (0..n).filter(|i| i % folds == fold).collect();
        let scores = Scores::log_probabilities(log.select_rows(&held)).unwrap();
        collected.add(&held, scores).unwrap();
    }
    collected.finish().unwrap()
}

/// Headings that stand in every method's file, in this order.
pub(crate) const HEADINGS: [&str; 7] = [
    "# When it helps, when it hurts",
    "# Formula",
    "# Cost",
    "# Differences",
    "# Errors",
    "# Examples",
    "# References",
];

/// Sorted, unique, every file registered under its name, documented, and built from its defaults.
pub(crate) fn check_registry<C, T: ?Sized>(
    folder: &str,
    helpers: &[&str],
    entries: &[Entry<C, T>],
) {
    let ids: Vec<&str> = entries.iter().map(|entry| entry.card.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "sorted and unique: {ids:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(folder);
    let mut files: Vec<String> = std::fs::read_dir(&path)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|ext| ext == "rs"))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|stem| !helpers.contains(&stem.as_str()))
        .collect();
    files.sort_unstable();
    let mut expected: Vec<String> = ids.iter().map(|id| id.replace('-', "_")).collect();
    expected.sort_unstable();
    assert_eq!(files, expected, "every file is registered under its name");
    for entry in entries {
        let id = entry.card.id;
        let file = path.join(id.replace('-', "_")).with_extension("rs");
        let source = std::fs::read_to_string(file).unwrap();
        let docs: Vec<&str> = source
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        let mut at = 0;
        // A declaration writes the table itself, onto the struct.
        assert!(source.contains("\nparameters! {"), "{id}: parameters");
        for heading in HEADINGS {
            let found = docs[at..].iter().position(|line| line.starts_with(heading));
            at +=
                found.unwrap_or_else(|| panic!("{id}: `{heading}` is missing or out of order")) + 1;
        }
        assert!(docs.iter().any(|line| line.starts_with("O(")), "{id}: cost");
        assert!(docs.contains(&"```"), "{id}: a doctest");
        assert!(source.contains("pub(crate) const ENTRY"), "{id}: entry");
        for spec in entry.card.params {
            assert!(!spec.about.is_empty(), "{id}: about {}", spec.name);
            // What stands as the default has to pass its own check.
            for &value in spec.default.iter().chain(spec.probes) {
                let value = ParamValue::from(value);
                assert_eq!(
                    spec.check(&value).as_ref(),
                    Ok(&value),
                    "{id}: {}",
                    spec.name
                );
            }
        }
        assert!(
            !entry.card.summary.is_empty() && !entry.card.reference.is_empty(),
            "{id}: card"
        );
        if entry.card.params.iter().all(|spec| !spec.required) {
            assert!(try_built(entry, &[]).is_ok(), "{id}: defaults build");
        }
    }
}
