//! What every population of the registry has to satisfy, and what the populations' own tests share.

mod goldens;
mod laws;

use std::path::Path;
use std::sync::Arc;

use counterweight_core::{
    ClassCounts, ColumnKind, Entry, Labels, Matrix, ParamSpec, Partition, Population, Samples,
    Seed, StageError, Stream, StreamKey, Test, Train, find, params,
};
use proptest::prelude::*;

use super::{ALL, balanced_counts, bayes_balanced_error, bayes_decisions, draw, picture};

pub(crate) fn key(seed: u64) -> StreamKey {
    Seed(seed).stage("population").text("contract")
}

/// `n` rows of one class.
pub(crate) fn class_rows(population: &dyn Population, class: usize, n: usize) -> Matrix {
    population.sample(class, n, &mut key(11).number(class).open())
}

/// `n` balanced test rows.
pub(crate) fn test_rows(population: &dyn Population, n: usize) -> Test {
    let k = population.n_classes();
    let none = ClassCounts::new(vec![0; k]);
    draw(population, &none, &balanced_counts(n, k), &key(5))
        .unwrap()
        .1
}

/// The rows of the golden table called `what`: four arguments (0 where unused) and the value.
pub(crate) fn golden(what: &str) -> Vec<[f64; 5]> {
    let text = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/goldens/data/populations.csv"
    ));
    let rows: Vec<[f64; 5]> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|cells| cells[0] == what)
        .map(|cells| {
            std::array::from_fn(|i| match cells[i + 1] {
                "" => 0.0,
                cell => cell.parse().unwrap(),
            })
        })
        .collect();
    assert!(!rows.is_empty(), "no golden is called {what}");
    rows
}

/// Every population, at its defaults and with every probe of a parameter.
pub(super) fn built() -> Vec<(String, Box<dyn Population>)> {
    let mut all = Vec::new();
    for Entry { card, build, .. } in ALL {
        let trials = card.params.iter().flat_map(ParamSpec::trials);
        for trial in std::iter::once(Vec::new()).chain(trials) {
            let texts: Vec<String> = trial
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            let given = trial
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            let population = build(&params::check(card.params, &given).unwrap()).unwrap();
            all.push((format!("{}[{}]", card.id, texts.join(",")), population));
        }
    }
    all
}

/// Those at their defaults.
fn at_defaults() -> impl Iterator<Item = (String, Box<dyn Population>)> {
    built().into_iter().filter(|(id, _)| id.ends_with("[]"))
}

/// The entries, compared by every bit.
fn bits(x: &Matrix) -> Vec<u64> {
    x.as_slice().iter().map(|v| v.to_bits()).collect()
}

#[test]
fn the_registry_lists_every_file_once_in_order() {
    let ids: Vec<&str> = ALL.iter().map(|entry| entry.card.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/populations");
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .filter(|stem| {
            ![
                "mod", "bayes", "draw", "contract", "linear", "plane", "shared",
            ]
            .contains(&stem.as_str())
        })
        .collect();
    files.sort_unstable();
    let mut expected: Vec<String> = ids.iter().map(|id| id.replace('-', "_")).collect();
    expected.sort_unstable();
    assert_eq!(files, expected);
    let mut unsaid = Vec::new();
    for (Entry { card, caps, .. }, (_, population)) in ALL.iter().zip(at_defaults()) {
        assert!(
            !card.summary.is_empty() && !card.reference.is_empty(),
            "{}",
            card.id
        );
        assert_eq!(find(ALL, card.id).unwrap().card.id, card.id);
        assert!(
            population.n_classes() >= 2 && population.n_features() >= 1,
            "{}",
            card.id
        );
        // The number in the documentation is the number; noise has none of its own.
        if let Some(error) = population.bayes_error()
            && card.id != "label-noise"
        {
            let file = folder.join(card.id.replace('-', "_")).with_extension("rs");
            let said = &format!("{error:.4}")[1..];
            if !std::fs::read_to_string(file).unwrap().contains(said) {
                unsaid.push((card.id, error));
            }
        }
        assert!(!caps.binary || population.n_classes() == 2, "{}", card.id);
        let file = folder.join(card.id.replace('-', "_")).with_extension("rs");
        let text = std::fs::read_to_string(file).unwrap();
        let docs: Vec<&str> = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let docs = docs.join("\n");
        let mut at = 0;
        for heading in [
            "# When it helps, when it hurts",
            "# Formula",
            "# Cost",
            "# Differences",
            "# Errors",
            "# Examples",
            "# References",
        ] {
            let found = docs[at..].find(&format!("//! {heading}"));
            at += found.unwrap_or_else(|| panic!("{}: no `{heading}` in its place", card.id));
        }
        for spec in card.params {
            assert!(!spec.about.is_empty(), "{}: {}", card.id, spec.name);
            assert!(
                !spec.trials().is_empty(),
                "{}: {} is never tried",
                card.id,
                spec.name
            );
            for trial in spec.trials() {
                let (_, value) = trial.last().unwrap();
                assert_ne!(
                    Some(value.clone()),
                    spec.default.map(Into::into),
                    "{}",
                    card.id
                );
            }
        }
    }
    assert!(unsaid.is_empty(), "not in the documentation: {unsaid:?}");
}

#[test]
fn fewer_rows_are_a_prefix_and_a_seed_gives_its_bytes() {
    for (id, population) in built() {
        for class in 0..population.n_classes() {
            let rows = |n: usize, seed| population.sample(class, n, &mut key(seed).open());
            let many = rows(60, 1);
            assert_eq!(
                (many.rows(), many.cols()),
                (60, population.n_features()),
                "{id}"
            );
            assert_eq!(many.first_non_finite(), None, "{id}");
            for n in [0, 1, 7, 59, 60] {
                let few = rows(n, 1);
                assert_eq!(
                    (few.rows(), few.cols()),
                    (n, population.n_features()),
                    "{id}"
                );
                assert_eq!(bits(&few), bits(&many)[..n * few.cols()], "{id}");
            }
            assert_ne!(bits(&many), bits(&rows(60, 2)), "{id}");
        }
    }
}

/// Whether some feature is a code.
pub(super) fn has_codes(population: &dyn Population) -> bool {
    population
        .kinds()
        .iter()
        .any(|kind| *kind != ColumnKind::Numeric)
}

#[test]
fn drawn_rows_have_their_classes_names_and_origins() {
    for (id, population) in built() {
        let k = population.n_classes();
        let train = ClassCounts::new((0..k).map(|class| 9 - class).collect());
        let test = balanced_counts(10, k);
        let (a, b) = draw(&*population, &train, &test, &key(3)).unwrap();
        assert_eq!(b.labels().counts(), test, "{id}");
        let noisy = (0..k).any(|class| population.label_noise(class) > 0.0);
        assert!(noisy || a.counts() == train, "{id}");
        assert_eq!(a.samples().kinds().to_vec(), population.kinds(), "{id}");
        let names: Vec<String> = (0..k).map(|class| class.to_string()).collect();
        assert_eq!(a.samples().y().names().to_vec(), names, "{id}");
        assert!(
            (noisy || a.samples().y().ids().is_sorted()) && b.labels().ids().is_sorted(),
            "{id}"
        );
        let all: Vec<_> = a
            .samples()
            .origins()
            .iter()
            .chain(b.samples().origins())
            .collect();
        let expected: Vec<_> = (0..train.total() + test.total())
            .map(counterweight_core::Origin::Row)
            .collect();
        assert!(all.into_iter().eq(&expected), "{id}");
        for wrong in [0, k - 1, k + 1] {
            let wrong = ClassCounts::new(vec![1; wrong]);
            for (train, test) in [(&wrong, &test), (&train, &wrong)] {
                let error = draw(&*population, train, test, &key(3)).unwrap_err();
                assert!(matches!(error, StageError::Failed(_)), "{id}: {error}");
            }
        }
    }
}

#[test]
fn training_and_test_rows_are_different_draws() {
    for (id, population) in built() {
        if has_codes(&*population) {
            continue;
        }
        let counts = balanced_counts(20, population.n_classes());
        let (train, test) = draw(&*population, &counts, &counts, &key(3)).unwrap();
        for row in train.samples().x().iter_rows() {
            assert!(
                test.features().iter_rows().all(|other| other != row),
                "{id}"
            );
        }
    }
}

#[test]
fn wrong_labels_are_as_many_as_asked_for_and_in_training_rows_only() {
    let mut seen = 0;
    for (id, population) in built() {
        let k = population.n_classes();
        if (0..k).all(|class| population.label_noise(class) <= 0.0) {
            continue;
        }
        seen += 1;
        let n = 30_000;
        let counts = ClassCounts::new(vec![n; k]);
        let (train, test) = draw(&*population, &counts, &counts, &key(3)).unwrap();
        assert_eq!(test.labels().counts(), counts);
        for class in 0..k {
            let rate = population.label_noise(class);
            let labels = &train.samples().y().ids()[class * n..(class + 1) * n];
            for other in 0..k {
                let share =
                    labels.iter().filter(|&&l| l as usize == other).count() as f64 / n as f64;
                let expected = if other == class {
                    1.0 - rate
                } else {
                    rate / (k - 1) as f64
                };
                let error = 5.0 * (expected * (1.0 - expected) / n as f64).sqrt();
                assert!(
                    (share - expected).abs() < error,
                    "{id} {class} {other}: {share}"
                );
            }
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn pictures_fit_and_show_every_class() {
    for (id, population) in at_defaults() {
        let lines = picture(&*population, 60, 12);
        assert_eq!(lines.len(), 12, "{id}");
        assert!(
            lines.iter().all(|line| line.is_ascii() && line.len() <= 60),
            "{id}"
        );
        for class in 0..population.n_classes() {
            let letter = char::from_digit(u32::try_from(class).unwrap(), 36).unwrap();
            assert!(
                lines.iter().any(|line| line.contains(letter)),
                "{id} {class}: {lines:#?}"
            );
        }
        let again = picture(&*population, 60, 12);
        assert_eq!(lines, again, "{id}");
    }
}

/// The rows of one class, of so many of each, with their labels: rows stand class by class.
fn of_class(train: &Train, counts: &ClassCounts, class: usize) -> (Vec<u64>, Vec<u32>) {
    let first: usize = counts.as_slice()[..class].iter().sum();
    let rows: Vec<usize> = (first..first + counts.as_slice()[class]).collect();
    let labels = train.samples().y().select(&rows);
    (
        bits(&train.samples().x().select_rows(&rows)),
        labels.ids().to_vec(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ladders_nest_class_by_class_and_share_their_test_rows(
        seed in any::<u64>(),
        counts in prop::collection::vec((0_usize..30, 0_usize..30), 5),
    ) {
        for (id, population) in at_defaults() {
            let k = population.n_classes();
            let part = |pick: fn(&(usize, usize)) -> usize| {
                ClassCounts::new(counts.iter().take(k).map(pick).collect())
            };
            let test = balanced_counts(12, k);
            let counts = [part(|c| c.0), part(|c| c.1)];
            let (a, same) = draw(&*population, &counts[0], &test, &key(seed)).unwrap();
            let (b, test) = draw(&*population, &counts[1], &test, &key(seed)).unwrap();
            prop_assert_eq!(bits(same.features()), bits(test.features()), "{}", id);
            for class in 0..k {
                let (a, b) = (of_class(&a, &counts[0], class), of_class(&b, &counts[1], class));
                let shorter = a.0.len().min(b.0.len());
                prop_assert_eq!(&a.0[..shorter], &b.0[..shorter], "{}", id);
                let shorter = a.1.len().min(b.1.len());
                prop_assert_eq!(&a.1[..shorter], &b.1[..shorter], "{}", id);
            }
        }
    }

    #[test]
    fn balanced_counts_differ_by_at_most_one_and_fall(n in 0_usize..10_000, k in 0_usize..50) {
        let counts = balanced_counts(n, k);
        prop_assert_eq!(counts.n_classes(), k);
        if k > 0 {
            prop_assert_eq!(counts.total(), n);
            let counts = counts.as_slice();
            prop_assert!(counts[0] - counts[k - 1] <= 1);
            prop_assert!(counts.is_sorted_by(|a, b| a >= b));
        }
    }
}

/// Three classes on a line with densities that are known by heart: class 2 never wins, and at 0 the
/// classes 0 and 1 tie.
#[derive(Debug)]
struct Line;

impl Population for Line {
    fn n_classes(&self) -> usize {
        3
    }

    fn n_features(&self) -> usize {
        1
    }

    fn sample(&self, class: usize, n: usize, _: &mut Stream) -> Matrix {
        // A broken contract, for class 2: one row too few.
        Matrix::from_fn(
            if class == 2 { n.saturating_sub(1) } else { n },
            1,
            |_, _| 0.0,
        )
    }

    fn log_density(&self, class: usize, x: &[f64]) -> f64 {
        [-x[0], x[0], -1e6][class]
    }

    fn moments(&self, _: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        None
    }
}

fn line_test(x: &[f64], classes: &[u32], n_classes: usize) -> Test {
    let names: Arc<[String]> = (0..n_classes).map(|k| k.to_string()).collect();
    let labels = Labels::new(classes.to_vec(), names).unwrap();
    let x = Matrix::from_vec(x.len(), 1, x.to_vec()).unwrap();
    let n = x.rows();
    let samples = Samples::numeric(x, labels).unwrap();
    Partition::new(n, vec![], (0..n).collect())
        .unwrap()
        .cut_samples(&samples)
        .unwrap()
        .1
}

#[test]
fn the_bayes_error_is_the_mean_over_the_classes_that_are_present() {
    // Class 0: two of four wrong (a tie at 0 goes to the last class). Class 1: none of two.
    let test = line_test(&[-1.0, -2.0, 0.0, 3.0, 1.0, 0.0], &[0, 0, 0, 0, 1, 1], 3);
    assert_eq!(
        bayes_decisions(&Line, test.features()).as_slice(),
        [0, 0, 1, 1, 1, 1]
    );
    assert_eq!(bayes_balanced_error(&Line, &test), Some(0.25));
    let test = line_test(&[-1.0, 5.0], &[0, 2], 3);
    assert_eq!(bayes_balanced_error(&Line, &test), Some(0.5));
}

#[test]
fn the_bayes_error_has_no_value_without_two_classes_or_for_other_rows() {
    assert_eq!(bayes_balanced_error(&Line, &line_test(&[], &[], 3)), None);
    assert_eq!(
        bayes_balanced_error(&Line, &line_test(&[1.0, 2.0], &[1, 1], 3)),
        None
    );
    assert_eq!(
        bayes_balanced_error(&Line, &line_test(&[1.0, 2.0], &[0, 1], 2)),
        None
    );
    for (id, population) in built() {
        if population.n_features() == 1 {
            continue;
        }
        let test = line_test(&[1.0, 2.0], &[0, 1], population.n_classes());
        assert_eq!(bayes_balanced_error(&*population, &test), None, "{id}");
    }
}

#[test]
fn a_population_that_breaks_its_contract_is_an_error() {
    let counts = ClassCounts::new(vec![1, 1, 1]);
    let error = draw(&Line, &counts, &counts, &key(0)).unwrap_err();
    assert_eq!(
        error,
        StageError::Failed("class 2: 0 x 1 values drawn where 1 x 1 were asked for".into())
    );
}
