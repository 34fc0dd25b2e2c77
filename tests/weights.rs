//! Weights of rows (`weight = "COLUMN"`): a row that weighs w counts as w rows, from the preprocessing to the metrics; the
//! unit does not matter; what knows no weights says so.

use std::fmt::Write as _;

use crate::common::{Noise, Place, Records};

/// Rows of two overlapping classes with whole weights and a fold: each is written once with its weight, or as many times
/// as it weighs.
fn rows(repeated: bool, unit: f64) -> String {
    let mut noise = Noise(5);
    let mut text = "u,v,w,fold,y\n".to_owned();
    for at in 0..160 {
        let rare = at % 5 == 0;
        let shift = if rare { 1.2 } else { 0.0 };
        let (u, v) = (noise.bell() + shift, 3.0 * noise.bell() - shift);
        let times = 1 + (at * 7 + at / 11) % 4;
        let v = if at % 17 == 0 {
            String::new()
        } else {
            format!("{v:.6}")
        };
        let (label, fold) = (if rare { "b" } else { "a" }, at % 3);
        let (copies, weight) = if repeated {
            (times, 1.0)
        } else {
            (1, unit * f64::from(times))
        };
        for _ in 0..copies {
            writeln!(text, "{u:.6},{v},{weight},f{fold},{label}").unwrap();
        }
    }
    text
}

const MODELS: &str = "[[model]]\nkind = \"gaussian-naive-bayes\"\n[[model]]\nkind = \"lda\"\n[[model]]\nkind = \"qda\"\n\
    [[model]]\nkind = \"softmax-regression\"\nl2 = 0.0\n[[model]]\nkind = \"decision-tree\"\nmax_depth = 3\n\
    [[model]]\nkind = \"gradient-boosting\"\nrounds = 10\n[[model]]\nkind = \"adaboost\"\ntrees = 5\n\
    [[model]]\nkind = \"dummy\"\n";

const CORRECTIONS: &str = "[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"weighted\"\nloss = { kind = \"weighted\" }\n\
    [[correction]]\nid = \"shifted\"\ndecide = { kind = \"logit-adjust\", tau = 1.0 }\n\
    [[correction]]\nid = \"cut\"\ndecide = { kind = \"threshold\", t = 0.3 }\n";

fn run(data: &str, key: &str, rest: &str) -> (Records, Place) {
    let place = Place::with_sweep(&format!(
        "format = 1\nseed = 4\n[[dataset]]\npath = \"own.csv\"\ntarget = \"y\"\nfolds = \"fold\"\n{key}\n{rest}"
    ));
    place.write("demo/own.csv", data);
    (place.run_demo(0), place)
}

/// Every metric of every record agrees.
#[track_caller]
fn assert_alike(a: &Records, b: &Records, but: &[&str]) {
    const NOT: [&str; 3] = ["cell", "n_train", "n_test"];
    assert_eq!(a.rows.len(), b.rows.len());
    let mut compared = 0;
    for (one, other) in a.rows.iter().zip(&b.rows) {
        for column in &a.header {
            let counts = column.ends_with("_counts") || column.ends_with("_count");
            if NOT.contains(&column.as_str()) || but.contains(&column.as_str()) || counts {
                continue;
            }
            if column == "recalls" {
                for (x, y) in one.recalls().iter().zip(other.recalls()) {
                    assert!((x.unwrap() - y.unwrap()).abs() < 1e-9);
                }
                continue;
            }
            let (x, y) = (one.text(column), other.text(column));
            match (x.parse::<f64>(), y.parse::<f64>()) {
                (Ok(x), Ok(y)) => {
                    assert!(
                        (x - y).abs() <= 2e-6 * x.abs().max(1.0),
                        "{column}: {x} and {y} of {} {}",
                        one.text("model"),
                        one.text("correction")
                    );
                    compared += 1;
                }
                _ => assert_eq!(
                    x,
                    y,
                    "{column} of {} {}",
                    one.text("model"),
                    one.text("correction")
                ),
            }
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn a_weight_is_a_number_of_rows() {
    let rest = format!("{MODELS}{CORRECTIONS}");
    let (once, place) = run(&rows(false, 1.0), "weight = \"w\"", &rest);
    let (again, _) = run(&rows(true, 1.0), "ignore = [\"w\"]", &rest);
    assert_eq!(once.distinct("outcome"), again.distinct("outcome"));
    // What counts rows is another number.
    assert_alike(
        &once,
        &again,
        &[
            "imbalance_ratio",
            "reason",
            "many_recall",
            "medium_recall",
            "few_recall",
        ],
    );
    let said = place.read("demo/run.json");
    assert!(
        said.contains("its 160 rows weigh") && said.contains("by `w`, which is no feature"),
        "{said}"
    );
    // And not what rows are without weights.
    let (without, _) = run(&rows(false, 1.0), "ignore = [\"w\"]", &rest);
    let far = once
        .rows
        .iter()
        .zip(&without.rows)
        .filter(|(a, b)| (a.real("balanced_error") - b.real("balanced_error")).abs() > 1e-3);
    assert!(far.count() > 20);
    assert_ne!(once.distinct("cell"), without.distinct("cell"));
}

/// Splits, streams and cells do not depend on the unit, and folds are those of the rows without weights.
#[test]
fn the_unit_of_weights_does_not_matter() {
    let rest = format!(
        "{MODELS}[[model]]\nkind = \"random-forest\"\ntrees = 20\n[[model]]\nkind = \"svm\"\n\
         [[model]]\nkind = \"mlp\"\nepochs = 20\nearly_stopping = true\n[[model]]\nkind = \"nearest-centroid\"\n{CORRECTIONS}\
         [[correction]]\nid = \"over\"\nresample = {{ kind = \"random-over\" }}\n\
         [[correction]]\nid = \"smote\"\nresample = {{ kind = \"smote\" }}\n\
         [[correction]]\nid = \"tuned\"\ndecide = {{ kind = \"tuned-threshold\" }}\n\
         [[correction]]\nid = \"platt\"\ndecide = {{ kind = \"calibrated\", by = \"platt\" }}\n\
         [[correction]]\nid = \"boost\"\nensemble = {{ kind = \"rusboost\", rounds = 3 }}\n\
         [[correction]]\nid = \"bags\"\nensemble = {{ kind = \"under-bagging\", members = 3 }}\n"
    );
    let protocol = "[protocol]\nfolds = 3\ninner_folds = 3\n";
    let run = |unit: f64, key: &str| {
        let place = Place::with_sweep(&format!(
            "format = 1\nseed = 4\n{protocol}[[dataset]]\npath = \"own.csv\"\ntarget = \"y\"\nignore = [\"fold\"{key}\n{rest}"
        ));
        place.write("demo/own.csv", &rows(false, unit));
        place.run_demo(0)
    };
    let (one, four) = (run(1.0, "]\nweight = \"w\""), run(4.0, "]\nweight = \"w\""));
    assert_eq!(one.distinct("cell"), four.distinct("cell"));
    assert_alike(&one, &four, &[]);
    let without = run(1.0, ", \"w\"]");
    for (a, b) in one.rows.iter().zip(&without.rows) {
        assert_eq!(
            a.text("test_counts"),
            b.text("test_counts"),
            "the same folds"
        );
    }
}

#[test]
fn what_knows_no_weights_says_so() {
    let rest = "[[model]]\nkind = \"lda\"\n[[model]]\nkind = \"k-nearest-neighbours\"\n[[model]]\nkind = \"linfa-logistic\"\n\
        [[correction]]\nid = \"none\"\n\
        [[correction]]\nid = \"centroids\"\nresample = { kind = \"cluster-centroids\" }\n\
        [[correction]]\nid = \"boost\"\nensemble = { kind = \"self-paced\" }\n";
    let (records, _) = run(&rows(false, 1.0), "weight = \"w\"", rest);
    for row in &records.rows {
        let (model, correction) = (row.text("model"), row.text("correction"));
        let who = match (model, correction) {
            ("lda", "none") => {
                assert_eq!(row.text("outcome"), "ok");
                continue;
            }
            ("lda", "centroids") => "cluster-centroids",
            ("lda", _) => "self-paced",
            _ => model,
        };
        assert_eq!(
            row.text("outcome"),
            "not-applicable",
            "{model} {correction}"
        );
        assert_eq!(
            row.text("reason"),
            format!("`{who}` does not honour weights of rows")
        );
    }
}

#[test]
fn inspection_shows_what_rows_weigh() {
    let place = Place::new();
    place.write("own.csv", "u,w,y\n1,3,a\n2,1,a\n3,1,b\n4,1,b\n5,0,b\n");
    let call = |more: &[&str]| {
        place.call(&[&["data", "inspect", "own.csv", "--target", "y"], more].concat())
    };
    let found = call(&["--weight", "w", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!((&found["rows"], &found["numeric"]), (&4.into(), &1.into()));
    assert_eq!(found["weights"]["sum"], 6.0);
    assert!((found["weights"]["effective_rows"].as_f64().unwrap() - 3.0).abs() < 1e-12);
    assert!((found["classes"][0]["weighted_share"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    let text = call(&["--weight", "w"]).ends_with(0).out;
    assert!(
        text.contains(
            "the rows weigh 6.000000 by `w`, which is no feature: as much as 3.0 equal ones"
        ),
        "{text}"
    );
    assert!(!call(&[]).out.contains("weigh"));
    // The weights of an ARFF file have no name of their own.
    place.write(
        "own.arff",
        "@relation r\n@attribute u numeric\n@attribute y {a,b}\n@data\n1,a,{3}\n2,a\n3,b\n4,b\n",
    );
    let arff = [
        "data", "inspect", "own.arff", "--target", "y", "--weight", "{weight}", "--format", "json",
    ];
    assert_eq!(place.call(&arff).ends_with(0).json()["weights"]["sum"], 6.0);
}

#[test]
fn what_makes_no_weights_is_refused() {
    let place = Place::new();
    place.write(
        "demo/own.csv",
        "u,who,w,y\n1,p,1,a\n2,q,2,b\n3,p,1,a\n4,q,0.5,b\n",
    );
    place.write("demo/empty.csv", "u,w,y\n1,1,a\n2,,b\n3,1,a\n4,1,b\n");
    place.write("demo/minus.csv", "u,w,y\n1,1,a\n2,2,b\n3,-1,a\n4,1,b\n");
    place.write("demo/named.csv", "u,w,y\n1,1,a\n2,two,b\n3,1,a\n4,1,b\n");
    place.write("demo/none.csv", "u,w,y\n1,1,a\n2,0,b\n3,1,a\n4,0,b\n");
    place.write("demo/plain.csv", "u,w,y\n1,1,a\n2,2,b\n3,1,a\n4,1,b\n");
    place.write("demo/bare.csv", "w,y\n1,a\n2,b\n1,a\n2,b\n");
    let own = "path = \"own.csv\"\ntarget = \"y\"\n";
    let mut said = String::new();
    for dataset in [
        &format!("{own}weight = \"ww\""),
        &format!("{own}weight = \"y\""),
        &format!("{own}weight = \"w\"\nignore = [\"w\"]"),
        &format!("{own}weight = \"w\"\nnominal = [\"w\"]"),
        &format!("{own}weight = \"who\"\ngroup = \"who\""),
        &format!("{own}weight = \"w\"\ntest_prior = \"balanced\""),
        "path = \"empty.csv\"\ntarget = \"y\"\nweight = \"w\"",
        "path = \"minus.csv\"\ntarget = \"y\"\nweight = \"w\"",
        "path = \"named.csv\"\ntarget = \"y\"\nweight = \"w\"",
        "path = \"none.csv\"\ntarget = \"y\"\nweight = \"w\"",
        "path = \"bare.csv\"\ntarget = \"y\"\nweight = \"w\"",
        "train = \"plain.csv\"\ntest = \"minus.csv\"\ntarget = \"y\"\nweight = \"w\"",
        "name = \"vowel\"\nweight = \"V1\"\nid = \"v\"\ngroup = \"V1\"",
    ] {
        place.write(
            "demo/sweep.toml",
            &format!(
                "format = 1\n[[dataset]]\n{dataset}\n[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n"
            ),
        );
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        let keys = dataset.replace('\n', "; ");
        writeln!(said, "# {keys}\n{}", place.anonymous(&ran.err)).unwrap();
    }
    insta::assert_snapshot!(said);
}
