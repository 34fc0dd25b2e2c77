//! How many rows of each class there are: profiles, which class is rare, test sets with equal shares, and test rows that are
//! drawn to a prior of their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use counterweight_core::Cells;
use counterweight_frame::read_table;

use crate::common::{Place, Records, Row, numeric_csv};

fn run(dataset: &str, rest: &str) -> (Place, Records) {
    let place = Place::with_sweep(&format!("format = 1\nseed = 6\n{rest}\n{dataset}\n"));
    place.write("demo/three.csv", &numeric_csv(&[300, 60, 120], 3));
    place.write("demo/two.csv", &numeric_csv(&[900, 300], 4));
    let records = place.run_demo(0);
    (place, records)
}

const DUMMY: &str =
    "[protocol]\ntest = 0.5\n[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n";

fn counts(row: &Row, column: &str) -> Vec<usize> {
    let numbers = row.text(column).split(';');
    numbers.map(|n| n.parse().unwrap()).collect()
}

/// Long-tailed versions of real tables: a test set with equal shares is held out first, and the counts are exactly
/// those of the papers' formula.
#[test]
fn long_tails_of_real_tables_have_even_test_sets() {
    for (name, n_max, ratio) in [
        ("penbased", 738, 100.0_f64),
        ("vehicle", 139, 20.0),
        ("segment", 230, 20.0),
    ] {
        let dataset = format!(
            "[[dataset]]\nname = \"{name}\"\ntest_per_class = 0.3\nn_max = {n_max}\nprofile = \"exponential\"\n\
             imbalance_ratio = {ratio}"
        );
        let (_, records) = run(
            &dataset,
            &DUMMY.replace("test = 0.5", "folds = 5\nrepeats = 2"),
        );
        assert_eq!(records.rows.len(), 2, "a repeat is one split");
        for row in &records.rows {
            let test = counts(row, "test_counts");
            assert!(test.iter().all(|n| *n == test[0]), "{name}: {test:?}");
            let mut train = counts(row, "train_counts");
            train.sort_unstable_by(|a, b| b.cmp(a));
            let last = (train.len() - 1) as f64;
            let expected =
                |i: usize| (f64::from(n_max) * ratio.powf(-(i as f64) / last) + 1e-9).floor();
            let expected: Vec<f64> = (0..train.len()).map(expected).collect();
            let found: Vec<f64> = train.iter().map(|&n| n as f64).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn profiles_and_the_rare_class_are_chosen() {
    let of = |keys: &str| {
        let dataset = format!("[[dataset]]\npath = \"three.csv\"\ntarget = \"y\"\n{keys}");
        let (_, records) = run(&dataset, DUMMY);
        let rows = records.rows.iter();
        rows.map(|row| (row.text("profile").to_owned(), counts(row, "train_counts")))
            .collect::<Vec<_>>()
    };
    let one = |profile: &str, counts: &[usize]| (profile.to_owned(), counts.to_vec());
    // 150, 30 and 60 rows train.
    let keys = "profile = \"exponential\"\nimbalance_ratio = 4";
    assert_eq!(of(keys), [one("exponential", &[120, 30, 60])]);
    assert_eq!(
        of(&format!("{keys}\nrare = \"largest\"")),
        [one("exponential/largest", &[7, 30, 15])]
    );
    assert_eq!(
        of(
            &format!("{keys}\nrare = \"each\"\nimbalance_ratio = [1, 4]").replacen(
                "imbalance_ratio = 4\n",
                "",
                1
            )
        ),
        [
            one("exponential", &[30, 30, 30]),
            one("exponential/c0", &[15, 30, 60]),
            one("exponential/c1", &[120, 30, 60]),
            one("exponential/c2", &[60, 30, 15]),
        ]
    );
    // Ratio and minority count are separate knobs, also on real rows.
    let keys = "profile = \"pareto\"\nimbalance_ratio = [9, 3]\nminority_count = 10";
    assert_eq!(
        of(keys),
        [one("pareto", &[90, 10, 22]), one("pareto", &[30, 10, 15])]
    );
    let (_, records) = run(
        "[[population]]\nkind = \"gaussian-simplex\"\nclasses = 4\nn_max = 1440\nn_test = 40\nimbalance_ratio = 16\nprofile = \"pareto\"\nrare = \"each\"",
        DUMMY,
    );
    let found: BTreeMap<&str, Vec<usize>> = records
        .rows
        .iter()
        .map(|row| (row.text("profile"), counts(row, "train_counts")))
        .collect();
    assert_eq!(found["pareto/3"], [1440, 360, 160, 90]);
    assert_eq!(found["pareto/0"], [90, 1440, 360, 160]);
    // What the data cannot give is told.
    let place = Place::with_sweep(&format!(
        "format = 1\n{DUMMY}[[dataset]]\npath = \"three.csv\"\ntarget = \"y\"\nimbalance_ratio = 2\nminority_count = 31\n"
    ));
    place.write("demo/three.csv", &numeric_csv(&[300, 60, 120], 3));
    let records = place.run_demo(0);
    assert_eq!(records.distinct("outcome"), ["not-applicable"]);
    let reason = "class 1 (from 0) has 30 rows, 31 are asked for";
    assert_eq!(records.distinct("reason"), [reason]);
}

const RULES: &str = "[protocol]\ntest = 0.5\nrepeats = 4\n[[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"known\"\ndecide = { kind = \"prior-shift\", target = TARGET }\n\
    [[correction]]\nid = \"em\"\ndecide = { kind = \"saerens-em\" }\n[[correction]]\nid = \"bbse\"\ndecide = { kind = \"bbse\" }\n";

/// The mean of a column over the records of a correction.
fn mean(records: &Records, correction: &str, column: &str) -> f64 {
    let rows = records.of(&[("correction", correction)]);
    rows.iter().map(|row| row.real(column)).sum::<f64>() / rows.len() as f64
}

/// The mean share of class 1 that the rule estimated for the test rows.
fn estimated(place: &Place, records: &Records, correction: &str) -> f64 {
    let cells: Vec<&str> = (records.of(&[("correction", correction)]).iter())
        .map(|row| row.text("cell"))
        .collect();
    let (mut sum, mut n) = (0.0, 0.0);
    for segment in place.segments("demo") {
        for line in std::fs::read_to_string(segment).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let record = &line["record"];
            if record["cell"]
                .as_str()
                .is_some_and(|cell| cells.contains(&cell))
            {
                sum += record["details"]["target_prior[1]"].as_f64().unwrap();
                n += 1.0;
            }
        }
    }
    sum / n
}

/// On test rows of other shares than the training rows, rules that know or estimate these err less, and the estimates
/// come near to the truth: a population whose densities are known, and real-looking rows.
#[test]
fn rules_for_shifted_priors_win_on_shifted_test_rows() {
    let pair = "[[population]]\nkind = \"gaussian-pair\"\nn_train = 2000\nn_test = 4000\nimbalance_ratio = 19\n";
    let rows = "[[dataset]]\npath = \"two.csv\"\ntarget = \"y\"\nimbalance_ratio = 19\n";
    for (data, share, least) in [
        (pair, 0.5, 0.05),
        (pair, 0.8, 0.1),
        (rows, 0.5, 0.02),
        (rows, 0.7, 0.02),
    ] {
        let shares = format!("[{:.1}, {share:.1}]", 1.0 - share);
        let dataset = format!("{data}test_prior = {shares}\n");
        let (place, records) = run(&dataset, &RULES.replace("TARGET", &shares));
        let test = counts(&records.rows[0], "test_counts");
        let drawn = test[1] as f64 / (test[0] + test[1]) as f64;
        assert!((drawn - share).abs() < 0.005, "{test:?}");
        let none = mean(&records, "none", "error_rate");
        for rule in ["known", "em", "bbse"] {
            let error = mean(&records, rule, "error_rate");
            assert!(
                error < none - least,
                "{share} {rule}: {error} against {none}"
            );
        }
        // In theory .1808 and .0786 on equal shares (the rule for a prior of .05, and the best one), and where class 1
        // has .8 of the rows the best one errs on .0600 of them.
        if data == pair {
            let theory = if share > 0.6 {
                [0.2904, 0.0600]
            } else {
                [0.1808, 0.0786]
            };
            let known = mean(&records, "known", "error_rate");
            assert!(
                (none - theory[0]).abs() < 0.03 && (known - theory[1]).abs() < 0.008,
                "{none}, {known}"
            );
        }
        // Errors count rows as they come: without a prior of their own they are the mean over classes.
        for row in &records.rows {
            let recalls: Vec<f64> = row.recalls().into_iter().flatten().collect();
            let wrong = (1.0 - recalls[0]) * (1.0 - drawn) + (1.0 - recalls[1]) * drawn;
            assert!((row.real("error_rate") - wrong).abs() < 1e-9);
        }
        let found = estimated(&place, &records, "em");
        assert!((found - share).abs() < 0.08, "{found} of {share}");
    }
}

/// `test_prior` draws the rows that are tested, `metric_prior` weights what is said of them.
#[test]
fn drawing_test_rows_and_weighting_them_are_two_things() {
    let data = "[[dataset]]\npath = \"two.csv\"\ntarget = \"y\"\n";
    let rules = "[protocol]\ntest = 0.5\nkeep_scores = true\nPRIOR\n[[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n";
    let of = |prior: &str, metric: &str| {
        let (_, records) = run(&format!("{data}{prior}\n"), &rules.replace("PRIOR", metric));
        let row = records.rows[0].clone();
        (
            row.real("balanced_error"),
            row.real("error_rate"),
            counts(&row, "test_counts"),
            row.text("cell").to_owned(),
        )
    };
    let whole = of("", "");
    assert_eq!(whole.2, [450, 150]);
    let even = of("test_prior = \"balanced\"", "");
    assert_eq!(even.2, [150, 150]);
    assert!(
        (even.0 - even.1).abs() < 1e-12,
        "on equal shares the two errors are one"
    );
    let back = of("test_prior = \"balanced\"", "metric_prior = \"train\"");
    assert_eq!(back.2, [150, 150]);
    assert!(
        (back.0 - even.0).abs() < 1e-15,
        "the same rows, the same fit"
    );
    assert!(
        (back.1 - even.1).abs() > 0.001,
        "but weighted to the training shares"
    );
    let same = of("test_prior = \"train\"", "");
    assert_eq!(same.2, [450, 150], "they have these shares already");
    assert!((same.0 - whole.0).abs() < 1e-15);
    assert_ne!(same.3, whole.3, "cells of their own");
    let rare = of("test_prior = \"balanced\"", "metric_prior = [0.99, 0.01]");
    let common = of("test_prior = \"balanced\"", "metric_prior = [0.01, 0.99]");
    assert!((rare.0 - even.0).abs() < 1e-15);
    assert!(
        (rare.1 + common.1 - 2.0 * even.0).abs() < 1e-9,
        "the errors of the classes, .99 and .01 of each"
    );
    assert!((rare.1 - common.1).abs() > 0.01);
    assert_ne!(rare.3, common.3);
    // Test rows drawn to two priors are of one order.
    assert_eq!(of("test_prior = [0.9, 0.1]", "").2, [450, 50]);
}

/// A leaky split has no test rows with shares of their own.
#[test]
fn leaks_are_not_measured_on_drawn_test_rows() {
    let data = "[[dataset]]\npath = \"two.csv\"\ntarget = \"y\"\n";
    for key in ["test_prior = \"balanced\"", "test_per_class = 50"] {
        let leak = "[[leak]]\nresample = { kind = \"random-over\" }\n";
        let (place, _) = run(&format!("{data}{key}\n{leak}"), DUMMY);
        let Some(Cells::Text(outcomes)) = read_table(&place.path("demo/leak.parquet"))
            .unwrap()
            .column("outcome")
            .cloned()
        else {
            panic!("no outcomes");
        };
        assert_eq!(outcomes, [Some("not-applicable".to_owned())], "{key}");
    }
}

#[test]
fn what_makes_no_shares_is_refused() {
    let place = Place::new();
    place.write("demo/three.csv", &numeric_csv(&[300, 60, 120], 3));
    place.write("demo/g.csv", &numeric_csv(&[30, 60], 3));
    let own = "[[dataset]]\npath = \"three.csv\"\ntarget = \"y\"\n";
    let pair = "[[population]]\nkind = \"gaussian-pair\"\nn_test = 20\n";
    let mut said = String::new();
    for dataset in [
        &format!("{own}profile = \"paretto\"\nimbalance_ratio = 3"),
        &format!("{own}rare = \"largest\""),
        &format!("{own}imbalance_ratio = 3\nrare = \"first\""),
        &format!("{own}imbalance_ratio = 3\nn_max = 10\nminority_count = 3"),
        &format!("{own}minority_count = 3"),
        &format!("{own}rarest_vs_rest = true\nladder = \"n\"\nrare = \"each\"\nn_max = 9"),
        &format!("{own}rarest_vs_rest = true\nladder = \"n\"\ntest_prior = \"train\""),
        &format!("{own}test_per_class = 60"),
        &format!("{own}test_per_class = 1.5"),
        &format!("{own}test_per_class = 3\ngroup = \"u\""),
        "[[dataset]]\ntrain = \"three.csv\"\ntest = \"three.csv\"\ntarget = \"y\"\ntest_per_class = 3",
        &format!("{own}test_per_class = 3\nfolds = \"u\""),
        &format!("{own}test_prior = \"even\""),
        &format!("{own}test_prior = [0.5, 0.5]"),
        &format!("{own}test_prior = [0.5, 0.4, 0.2]"),
        &format!("{own}test_prior = [0.5, 0.5, 0.0]"),
        &format!("{pair}test_prior = [0.99, 0.01]"),
        &format!("{pair}test_prior = [0.2, 0.3, 0.5]"),
        &format!("{pair}rare = \"smallest\""),
        &format!("{pair}[protocol]\nmetric_prior = [0.5, 0.6]"),
        &format!("{pair}[protocol]\nmetric_prior = \"even\""),
        &format!("{pair}{own}[protocol]\nmetric_prior = [0.99, 0.01]"),
    ] {
        let text = format!(
            "format = 1\n{dataset}\n[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n"
        );
        place.write("demo/sweep.toml", &text);
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        let keys = dataset.replace('\n', "; ");
        writeln!(said, "# {keys}\n{}", place.anonymous(&ran.err)).unwrap();
    }
    insta::assert_snapshot!(said);
}
