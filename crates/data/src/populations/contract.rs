//! What every population of the registry has to satisfy, and what the populations' own tests share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use counterweight_core::{
    ClassCounts, Entry, Labels, Matrix, Partition, Population, Samples, Seed, StageError, Stream,
    StreamKey, Test, Train, find, log_sum_exp, params,
};
use proptest::prelude::*;

use super::{ALL, balanced_counts, bayes_balanced_error, bayes_decisions, draw};

fn key(seed: u64) -> StreamKey {
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

fn built() -> Vec<(&'static str, Box<dyn Population>)> {
    ALL.iter()
        .map(|entry| {
            let params = params::check(entry.card.params, &BTreeMap::new()).unwrap();
            (entry.card.id, (entry.build)(&params).unwrap())
        })
        .collect()
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
        .filter(|stem| !["mod", "bayes", "draw", "contract"].contains(&stem.as_str()))
        .collect();
    files.sort_unstable();
    let mut expected: Vec<String> = ids.iter().map(|id| id.replace('-', "_")).collect();
    expected.sort_unstable();
    assert_eq!(files, expected);
    for (Entry { card, caps, .. }, (_, population)) in ALL.iter().zip(built()) {
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
            "# Parameters",
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
            assert!(
                docs.contains(&format!("//! | `{}` |", spec.name)),
                "{}",
                card.id
            );
            assert!(!spec.about.is_empty(), "{}", card.id);
        }
    }
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

#[test]
fn samples_follow_the_density() {
    // With x from p, the mean of q(x) / p(x) is 1 for every density q. A q that is narrow about a row
    // of p, and moved from row to row, keeps the ratio's variance finite and looks everywhere.
    let n = 100_000;
    let sd = 0.2_f64;
    for (id, population) in built() {
        for class in 0..population.n_classes() {
            let x = class_rows(&*population, class, n);
            let log_p: Vec<f64> = x
                .iter_rows()
                .map(|row| population.log_density(class, row))
                .collect();
            for centre in 0..4 {
                let centre = population
                    .sample(class, 5, &mut key(99).open())
                    .row(centre)
                    .to_vec();
                let log_q = |row: &[f64]| {
                    let d = row.len() as f64;
                    let squares: f64 = row.iter().zip(&centre).map(|(a, b)| (a - b).powi(2)).sum();
                    -0.5 * (squares / (sd * sd) + d * (std::f64::consts::TAU * sd * sd).ln())
                };
                let ratios: Vec<f64> = x
                    .iter_rows()
                    .zip(&log_p)
                    .map(|(row, p)| (log_q(row) - p).exp())
                    .collect();
                let mean = ratios.iter().sum::<f64>() / n as f64;
                let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n as f64;
                let error = (variance / n as f64).sqrt();
                assert!(
                    error < 0.1,
                    "{id} {class}: the check has lost its power, {error}"
                );
                assert!(
                    (mean - 1.0).abs() < 5.0 * error,
                    "{id} {class}: {mean} +- {error}"
                );
            }
        }
    }
}

#[test]
fn drawn_rows_have_their_classes_names_and_origins() {
    for (id, population) in built() {
        let k = population.n_classes();
        let train = ClassCounts::new((0..k).map(|class| 9 - class).collect());
        let test = balanced_counts(10, k);
        let (a, b) = draw(&*population, &train, &test, &key(3)).unwrap();
        assert_eq!(
            (a.counts(), b.labels().counts()),
            (train.clone(), test.clone()),
            "{id}"
        );
        let names: Vec<String> = (0..k).map(|class| class.to_string()).collect();
        assert_eq!(a.samples().y().names().to_vec(), names, "{id}");
        assert!(
            a.samples().y().ids().is_sorted() && b.labels().ids().is_sorted(),
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

/// The rows of one class.
fn of_class(train: &Train, class: usize) -> Matrix {
    let y = train.samples().y();
    let rows: Vec<usize> = (0..y.len()).filter(|&row| y.class(row) == class).collect();
    train.samples().x().select_rows(&rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ladders_nest_class_by_class_and_share_their_test_rows(
        seed in any::<u64>(),
        counts in prop::collection::vec((0_usize..30, 0_usize..30), 3),
    ) {
        for (id, population) in built() {
            let k = population.n_classes();
            let part = |pick: fn(&(usize, usize)) -> usize| {
                ClassCounts::new(counts.iter().take(k).map(pick).collect())
            };
            let test = balanced_counts(12, k);
            let (a, same) = draw(&*population, &part(|c| c.0), &test, &key(seed)).unwrap();
            let (b, test) = draw(&*population, &part(|c| c.1), &test, &key(seed)).unwrap();
            prop_assert_eq!(bits(same.features()), bits(test.features()), "{}", id);
            for class in 0..k {
                let (a, b) = (bits(&of_class(&a, class)), bits(&of_class(&b, class)));
                let shorter = a.len().min(b.len());
                prop_assert_eq!(&a[..shorter], &b[..shorter], "{}", id);
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

#[test]
fn the_bayes_error_is_what_the_posterior_says() {
    // On balanced rows the Bayes error and the mean of 1 - max_y p(y | x) have the same expectation.
    for (id, population) in built() {
        let n = 40_000;
        let test = test_rows(&*population, n);
        let found = bayes_balanced_error(&*population, &test).unwrap();
        let doubt = |row: &[f64]| {
            let logs: Vec<f64> = (0..population.n_classes())
                .map(|k| population.log_density(k, row))
                .collect();
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            1.0 - (top - log_sum_exp(&logs)).exp()
        };
        let expected = test.features().iter_rows().map(doubt).sum::<f64>() / n as f64;
        let error = 5.0 * (expected * (1.0 - expected) / n as f64).sqrt();
        assert!(
            (found - expected).abs() < error,
            "{id}: {found} for {expected}"
        );
    }
}
