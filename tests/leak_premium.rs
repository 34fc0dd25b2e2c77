//! `[[leak]]`: what resampling before the split would claim. It makes no records, the honest column is the
//! record of the same arm, and on labels that mean nothing the premium is what is known of it.

#![expect(clippy::panic, reason = "helpers of tests fail as tests do: in words")]

use counterweight_core::{Cells, Table};
use counterweight_frame::read_table;

use crate::common::{Noise, Place};

const NOISE: &str = "[[dataset]]\npath = \"noise.csv\"\ntarget = \"label\"\n";

const MODELS: &str = "[[model]]\nkind = \"k-nearest-neighbours\"\nk = 1\n\
    [[model]]\nkind = \"decision-tree\"\n\
    [[model]]\nid = \"chosen\"\nkind = \"softmax-regression\"\nl2 = [0.1, 10.0]\nselect = \"balanced-error\"\n";

const ARMS: &str = "[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"over\"\nresample = { kind = \"random-over\" }\n\
    [[correction]]\nid = \"under\"\nresample = { kind = \"random-under\" }\n\
    [[correction]]\nid = \"smote\"\nresample = { kind = \"smote\" }\n";

const LEAKS: &str = "[[leak]]\nresample = { kind = \"random-over\" }\n\
    [[leak]]\nresample = \"random-under\"\n\
    [[leak]]\nid = \"blends\"\nresample = { kind = \"smote\" }\n";

fn sweep(head: &str, data: &str, more: &str) -> String {
    format!(
        "format = 1\nname = \"demo\"\nseed = 11\n[protocol]\ninner_folds = 2\n{head}{data}{MODELS}{ARMS}{more}"
    )
}

/// Features that say nothing of the label; every eighth row is rare.
fn noise(n: usize) -> String {
    let mut noise = Noise(23);
    (0..n).fold("a,b,c,label\n".to_owned(), |text, i| {
        let label = if i % 8 == 0 { "rare" } else { "common" };
        format!(
            "{text}{},{},{},{label}\n",
            noise.unit(),
            noise.unit(),
            noise.unit()
        )
    })
}

fn place(sweep: &str) -> Place {
    let place = Place::with_sweep(sweep);
    place.write("demo/noise.csv", &noise(400));
    place
}

/// leak.parquet of a report folder.
struct Leaks(Table);

impl Leaks {
    fn of(place: &Place, folder: &str) -> Self {
        Self(read_table(&place.path(&format!("{folder}/leak.parquet"))).unwrap())
    }

    fn texts(&self, column: &str) -> Vec<String> {
        match self.0.column(column) {
            Some(Cells::Text(cells)) => cells
                .iter()
                .map(|c| c.clone().unwrap_or_default())
                .collect(),
            other => panic!("{column}: {other:?}"),
        }
    }

    fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        match self.0.column(column) {
            Some(Cells::Real(cells)) => cells.clone(),
            Some(Cells::Whole(cells)) => cells.iter().map(|c| c.map(|n| n as f64)).collect(),
            other => panic!("{column}: {other:?}"),
        }
    }

    /// Mean of a column over the rows of a leak and model.
    fn mean(&self, leak: &str, model: &str, column: &str) -> f64 {
        let (leaks, models) = (self.texts("leak"), self.texts("model"));
        let values: Vec<f64> = self
            .numbers(column)
            .iter()
            .enumerate()
            .filter(|(at, _)| leaks[*at] == leak && models[*at] == model)
            .map(|(_, value)| value.expect("a value"))
            .collect();
        assert!(!values.is_empty(), "{leak} {model}");
        values.iter().sum::<f64>() / values.len() as f64
    }
}

/// Every claim is there, and its honest side has the bits of the record of the same arm.
fn honest_is_the_record(place: &Place, leaks: &Leaks, expected: usize) {
    let records = place.records("demo");
    let texts = |column: &str| leaks.texts(column);
    let (datasets, models, names) = (texts("dataset"), texts("model"), texts("leak"));
    let (ratios, repeats, folds) = (
        leaks.numbers("requested_ratio"),
        leaks.numbers("repeat"),
        leaks.numbers("fold"),
    );
    assert_eq!(names.len(), expected);
    for at in 0..names.len() {
        let arm = match names[at].as_str() {
            "random-over" => "over",
            "random-under" => "under",
            "blends" => "smote",
            other => panic!("{other}"),
        };
        let text = |value: Option<f64>| value.map_or_else(String::new, |v| v.to_string());
        let mut found = records.of(&[
            ("dataset", &datasets[at]),
            ("model", &models[at]),
            ("correction", arm),
            ("repeat", &text(repeats[at])),
            ("fold", &text(folds[at])),
        ]);
        found.retain(|row| row.number("requested_ratio") == ratios[at]);
        assert_eq!(found.len(), 1, "{} {arm}", models[at]);
        for metric in [
            "balanced_error",
            "error_rate",
            "macro_f1",
            "auroc",
            "average_precision",
        ] {
            let honest = leaks.numbers(&format!("{metric}_honest"))[at];
            assert_eq!(
                found[0].number(metric),
                honest,
                "{metric} of {} {arm}",
                models[at]
            );
        }
    }
}

#[test]
fn on_labels_that_mean_nothing_the_premium_is_large_and_no_record_knows_of_it() {
    let head = "folds = 4\nrepeats = 2\n";
    let place = place(&sweep(head, NOISE, ""));
    let without = place.run_demo(0);
    assert!(!place.has("demo/leak.parquet"));
    place.write("demo/sweep.toml", &sweep(head, NOISE, LEAKS));
    assert_eq!(place.run_demo(0), without, "leaks make no records");
    let leaks = Leaks::of(&place, "demo");
    honest_is_the_record(&place, &leaks, 4 * 2 * 2 * 3);
    for model in ["k-nearest-neighbours", "decision-tree"] {
        let of =
            |leak: &str, side: &str| leaks.mean(leak, model, &format!("balanced_error_{side}"));
        // Copies of the rare rows stand on both sides: each is recognised.
        let honest = of("random-over", "honest");
        assert!((0.42..0.58).contains(&honest), "{model}: {honest}");
        assert!(of("random-over", "reported") < 0.2, "{model}");
        assert!(honest - of("random-over", "reported") > 0.25, "{model}");
        assert!(leaks.mean("random-over", model, "linked_share") > 0.45);
        // A rare test row that is no copy itself has copies in training nearly always.
        assert!(of("random-over", "original_rows") < 0.25, "{model}");
        // Dropping rows by lot copies nothing and hides nothing.
        for side in ["honest", "original_rows", "reported"] {
            let value = of("random-under", side);
            assert!((0.38..0.62).contains(&value), "{model} {side}: {value}");
        }
        assert!(leaks.mean("random-under", model, "linked_share").abs() < 1e-12);
        assert!(
            of("blends", "reported") < of("blends", "honest") - 0.1,
            "{model}"
        );
    }
    // Under-sampled test parts are judged with the rows that were dropped: all rows, once a repeat.
    let (names, rows) = (leaks.texts("leak"), leaks.numbers("original_test_rows"));
    for leak in ["random-over", "random-under", "blends"] {
        let sum: f64 = (0..names.len())
            .filter(|&at| names[at] == leak)
            .filter_map(|at| rows[at])
            .sum();
        // Two models and two repeats of 400 rows.
        assert!((sum - 1600.0).abs() < 1e-9, "{leak}: {sum}");
    }
    // Nothing is left to do, and other models, threads and shards give the same bytes.
    let bytes = place.bytes("demo/leak.parquet");
    let segments = place.segments("demo").len();
    place.run_demo(0);
    assert_eq!(place.segments("demo").len(), segments);
    for folder in ["one", "two"] {
        place.write(
            &format!("{folder}/sweep.toml"),
            &place.read("demo/sweep.toml"),
        );
        place.write(&format!("{folder}/noise.csv"), &noise(400));
    }
    let run = |folder: &str, more: &[&str]| {
        let start = ["run", folder, "--quiet", "--no-report"];
        place.call(&[&start[..], more].concat()).ends_with(0);
    };
    run("one", &["--jobs", "3", "--shard", "1/2"]);
    run("two", &["--jobs", "1", "--shard", "2/2"]);
    let part = Leaks::of(&place, "one").texts("claim").len();
    assert!(0 < part && part < 48, "{part}");
    place.call(&["merge", "one", "two"]).ends_with(0);
    assert_eq!(place.bytes("one/leak.parquet"), bytes);
    // One model's claims only, then the rest.
    std::fs::remove_dir_all(place.path("two/segments")).unwrap();
    for records in ["two/records.parquet", "two/records.csv"] {
        std::fs::remove_file(place.path(records)).unwrap();
    }
    run("two", &["--only", "model=decision-tree,fold=1"]);
    assert_eq!(Leaks::of(&place, "two").texts("claim").len(), 2 * 3);
    run("two", &[]);
    assert_eq!(place.bytes("two/leak.parquet"), bytes);
}

#[test]
fn populations_pairs_ratios_and_nominal_columns_have_claims_too() {
    let data = "[[population]]\nkind = \"gaussian-pair\"\nn_train = 300\nn_test = 200\nimbalance_ratio = [1, 8]\n\
        [[dataset]]\npath = \"mixed.csv\"\ntarget = \"y\"\nimbalance_ratio = [\"natural\", 6]\n\
        [[dataset]]\nid = \"pair\"\ntrain = \"noise.csv\"\ntest = \"noise.csv\"\ntarget = \"label\"\n";
    let place = place(&sweep("test = 0.3\n", data, LEAKS));
    place.write("demo/mixed.csv", &crate::common::mixed_csv(&[150, 30], 3));
    place.run_demo(0);
    let leaks = Leaks::of(&place, "demo");
    // Two ratios of the population, two of the mixed set, one pair; two models, three resamplers.
    honest_is_the_record(&place, &leaks, (2 + 2 + 1) * 2 * 3);
    let (names, datasets, stages) = (
        leaks.texts("leak"),
        leaks.texts("dataset"),
        leaks.texts("resample"),
    );
    for at in 0..names.len() {
        if names[at] == "blends" && datasets[at] == "mixed" {
            assert!(stages[at].starts_with("smote-nc"), "{}", stages[at]);
        }
    }
    assert!(
        leaks
            .texts("outcome")
            .iter()
            .all(|outcome| outcome != "failed")
    );
}

#[test]
fn a_learner_that_cannot_run_is_a_row_and_mistakes_are_reported() {
    let more = "[[leak]]\nresample = { kind = \"smote\" }\nmodels = [\"slow\"]\ndatasets = [\"noise\"]\n\
        [[model]]\nid = \"slow\"\nkind = \"linfa-svm\"\n";
    let two = "[[dataset]]\npath = \"noise.csv\"\ntarget = \"label\"\nimbalance_ratio = [\"natural\", 5000]\n";
    let place = place(&sweep("folds = 2\n", two, more));
    place.run_demo(0);
    let leaks = Leaks::of(&place, "demo");
    let (ratios, outcomes) = (leaks.numbers("requested_ratio"), leaks.texts("outcome"));
    let (reasons, honest) = (
        leaks.texts("reason"),
        leaks.numbers("balanced_error_honest"),
    );
    assert_eq!(ratios.len(), 4);
    for at in 0..4 {
        let possible = ratios[at].is_none();
        assert_eq!(honest[at].is_some(), possible);
        assert_eq!(outcomes[at] == "not-applicable", !possible);
        assert_eq!(reasons[at].contains("5000"), !possible, "{}", reasons[at]);
    }
    for (leak, words) in [
        ("", "resample: missing"),
        (
            "resample = { kind = \"smoat\" }",
            "no resampler called `smoat`",
        ),
        (
            "resample = \"smote\"\nmodels = [\"chosen\"]",
            "no model with fixed parameters `chosen`",
        ),
        ("resample = \"smote\"\nmodels = []", "an empty list"),
        (
            "resample = \"smote\"\ndatasets = [\"nois\"]",
            "did you mean `noise`?",
        ),
        (
            "resample = \"smote\"\nmodel = [\"x\"]",
            "did you mean `models`?",
        ),
        ("resample = \"batch-balanced\"", "no rows that could leak"),
        (
            "resample = \"smote\"\n[[leak]]\nresample = \"smote\"",
            "two leaks are called `smote`",
        ),
    ] {
        let text = sweep("folds = 2\n", NOISE, &format!("[[leak]]\n{leak}\n"));
        place.write("demo/sweep.toml", &text);
        let said = place.call(&["run", "demo", "--quiet"]).ends_with(2);
        assert!(said.err.contains(words), "{leak}: {}", said.err);
        assert!(
            said.err.contains("leak 1") || said.err.contains("leak"),
            "{}",
            said.err
        );
    }
}
