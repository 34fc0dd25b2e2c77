//! Bad input ends with exit code 2, one clear message an error with file, line and key, and a report
//! folder in which nothing has changed.

use insta::assert_snapshot;

use crate::common::{Place, Ran, numeric_csv};

const HEAD: &str = "format = 1\nname = \"bad\"\n";
const DATA: &str = "[[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\n";
const MODEL: &str = "[[model]]\nkind = \"gaussian-naive-bayes\"\n";
const CORRECTION: &str = "[[correction]]\nid = \"none\"\n";

/// Runs `demo` and gives its complaint; nothing may be written, and nothing but the complaint said.
#[track_caller]
fn refuse(place: &Place, arguments: &[&str], code: i32) -> String {
    let before = place.snapshot("");
    let ran = place.call(arguments).ends_with(code);
    assert_eq!(ran.out, "", "a product in spite of the error");
    assert!(place.snapshot("") == before, "something was written");
    place.anonymous(&ran.err)
}

/// The complaint about a sweep.
#[track_caller]
fn complaint(sweep: &str) -> String {
    refuse(&Place::with_sweep(sweep), &["run", "demo"], 2)
}

/// The complaint about a data file of the user's own.
#[track_caller]
fn complaint_of_data(csv: &str) -> String {
    let place = Place::with_sweep(&own_file(""));
    place.write("demo/mine.csv", csv);
    refuse(&place, &["run", "demo"], 2)
}

fn own_file(more: &str) -> String {
    format!("{HEAD}[[dataset]]\npath = \"mine.csv\"\ntarget = \"y\"\n{more}{MODEL}{CORRECTION}")
}

/// The sound sweep of which the bad ones are variations: without this, "refused" would prove nothing.
#[test]
fn the_sweep_without_an_error_is_taken() {
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{MODEL}{CORRECTION}"));
    assert_eq!(place.run_demo(0).distinct("outcome"), ["ok"]);
    let place = Place::with_sweep(&own_file(""));
    place.write("demo/mine.csv", &numeric_csv(&[20, 10], 1));
    assert_eq!(place.run_demo(0).distinct("outcome"), ["ok"]);
}

#[test]
fn unknown_keys_name_the_nearest() {
    assert_snapshot!(complaint(&format!("{HEAD}sed = 3\n{DATA}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:3: sed: unknown key
      hint: did you mean `seed`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}[protocol]\nfold = 3\n{DATA}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:4: protocol > fold: unknown key
      hint: did you mean `folds`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}imbalance_ratios = [1, 2]\n{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:7: population 1 > imbalance_ratios: unknown key
      hint: did you mean `imbalance_ratio`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&own_file("profil = \"step\"\n")), @"
    error: demo/sweep.toml:6: dataset 1 > profil: unknown key
      hint: did you mean `profile`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}smoothing = 1e-9\n{CORRECTION}")), @"
    error: demo/sweep.toml:9: model 1 > smoothing: unknown key
      hint: did you mean `var_smoothing`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\ndecision = \"argmax\"\n")), @"
    error: demo/sweep.toml:10: correction 1 > decision: unknown key
      hint: the keys here are: decide, ensemble, expand, id, loss, resample
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(
        complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\nresample = {{ kind = \"smote\", neighbours = 3 }}\n")),
        @"
        error: demo/sweep.toml:10: correction 1 > resample > neighbours: unknown key
          hint: it takes: strategy, k
        error: the sweep has 1 error; nothing was run
        "
    );
}

#[test]
fn unknown_methods_name_the_nearest() {
    let model = "[[model]]\nkind = \"softmax-regresion\"\n";
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{model}{CORRECTION}")), @"
    error: demo/sweep.toml:8: model 1 > kind: there is no model called `softmax-regresion`
      hint: did you mean `softmax-regression`?
    error: the sweep has 1 error; nothing was run
    ");
    let population = "[[population]]\nkind = \"gausian-pair\"\n";
    assert_snapshot!(complaint(&format!("{HEAD}{population}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:4: population 1 > kind: there is no population called `gausian-pair`
      hint: did you mean `gaussian-pair`?
    error: the sweep has 1 error; nothing was run
    ");
    for (stage, noun, kind) in [
        ("resample", "resampler", "smoet"),
        ("loss", "loss", "wieghted"),
        ("decide", "decision", "logit-ajust"),
    ] {
        let correction = format!("[[correction]]\n{stage} = {{ kind = \"{kind}\" }}\n");
        let text = complaint(&format!("{HEAD}{DATA}{MODEL}{correction}"));
        let place = format!("error: demo/sweep.toml:10: correction 1 > {stage} > kind: ");
        let problem = format!("there is no {noun} called `{kind}`\n  hint: did you mean `");
        assert!(text.starts_with(&format!("{place}{problem}")), "{text}");
    }
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\npreset = \"familes\"\n")), @"
    error: demo/sweep.toml:10: correction 1 > preset: there is no preset called `familes`
      hint: did you mean `families`?
    error: the sweep has 1 error; nothing was run
    ");
    // Nothing is near: the names themselves.
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\ndecide = \"xyzzy\"\n")), @"
    error: demo/sweep.toml:10: correction 1 > decide > kind: there is no decision called `xyzzy`
      hint: known: argmax, bbse, calibrated, cost-matrix, drop-bias, logit-adjust, prior-shift, prior-threshold, saerens-em, threshold, tuned-tau, tuned-threshold, weight-norm
    error: the sweep has 1 error; nothing was run
    ");
    let named = format!("{HEAD}[[dataset]]\nname = \"yeats\"\n{MODEL}{CORRECTION}");
    let text = complaint(&named);
    assert!(
        text.contains("demo/sweep.toml:3: dataset `yeats`: no dataset `yeats`"),
        "{text}"
    );
    assert!(text.contains("did you mean `yeast`?"), "{text}");
}

#[test]
fn parameters_out_of_range_say_the_range() {
    let with_model =
        |model: &str| complaint(&format!("{HEAD}{DATA}[[model]]\n{model}{CORRECTION}"));
    assert_snapshot!(with_model("kind = \"softmax-regression\"\nl2 = -1.0\n"), @"
    error: demo/sweep.toml:9: model 1 > l2: expected a number in [0, inf), found a number `-1`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_model("kind = \"softmax-regression\"\nl2 = nan\n"), @"
    error: demo/sweep.toml:9: model 1 > l2: expected a number in [0, inf), found a number `NaN`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_model("kind = \"k-nearest-neighbours\"\nk = 0\n"), @"
    error: demo/sweep.toml:9: model 1 > k: expected a whole number in [1, inf), found a whole number `0`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_model("kind = \"k-nearest-neighbours\"\nk = 2.5\n"), @"
    error: demo/sweep.toml:9: model 1 > k: expected a whole number in [1, inf), found a number `2.5`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_model("kind = \"k-nearest-neighbours\"\nk = []\n"), @"
    error: demo/sweep.toml:9: model 1 > k: no method takes an empty list
    error: the sweep has 1 error; nothing was run
    ");
    // One value of a grid is bad: said once.
    assert_snapshot!(with_model("kind = \"softmax-regression\"\nl2 = [1, -1, 2]\npenalise_intercept = [true, false]\n"), @"
    error: demo/sweep.toml:9: model 1 > l2: expected a number in [0, inf), found a whole number `-1`
    error: the sweep has 1 error; nothing was run
    ");
    let with_stage =
        |stage: &str| complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\n{stage}\n"));
    assert_snapshot!(with_stage("decide = { kind = \"logit-adjust\", tau = \"x\" }"), @"
    error: demo/sweep.toml:10: correction 1 > decide > tau: expected a number in (-inf, inf), found text `x`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_stage("decide = { kind = \"threshold\", t = 1.5 }"), @"
    error: demo/sweep.toml:10: correction 1 > decide > t: expected a number in (0, 1), found a number `1.5`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_stage("decide = { kind = \"logit-adjust\", prior = \"efective\" }"), @"
    error: demo/sweep.toml:10: correction 1 > decide > prior: expected one of effective, estimated, train, uniform, or a positive number per class, found text `efective`
      hint: did you mean `effective`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_stage("resample = { kind = \"smote\", strategy = 2.0 }"), @"
    error: demo/sweep.toml:10: correction 1 > resample > strategy: expected a number in (0, 1], found a number `2`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with_stage("loss = { kind = \"weighted\", scheme = \"explicit\" }"), @"
    error: demo/sweep.toml:10: correction 1 > loss > weights: missing for scheme `explicit`
      hint: add `weights = [...]`, one a class in class order
    error: the sweep has 1 error; nothing was run
    ");
}

#[test]
fn the_protocol_is_checked() {
    let with = |text: &str| {
        complaint(&format!(
            "{HEAD}[protocol]\n{text}\n{DATA}{MODEL}{CORRECTION}"
        ))
    };
    assert_snapshot!(with("folds = 1"), @"
    error: demo/sweep.toml:4: protocol > folds: must be at least 2, found 1
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with("folds = 3\ntest = 0.3"), @"
    error: demo/sweep.toml:5: protocol > test: `folds` and `test` exclude each other
      hint: keep one
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with("test = 1.5"), @"
    error: demo/sweep.toml:4: protocol > test: must be between 0 and 1, found 1.5
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with("repeats = \"two\""), @"
    error: demo/sweep.toml:4: protocol > repeats: expected a whole number, found text
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with("small_class = \"clmap\""), @"
    error: demo/sweep.toml:4: protocol > small_class: `clmap` is not one of clamp, error, skip
      hint: did you mean `clamp`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(with("timeout = \"10 parsecs\""), @r#"
    error: demo/sweep.toml:4: protocol > timeout: `10 parsecs` is not a duration
      hint: write a number and a unit, such as "90s", "10m" or "2h"
    error: the sweep has 1 error; nothing was run
    "#);
}

#[test]
fn what_is_missing_or_of_another_kind_is_named() {
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{CORRECTION}")), @"
    error: demo/sweep.toml: the sweep has no model
      hint: add a [[model]] entry
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml: the sweep has no data
      hint: add a [[population]] or a [[dataset]] entry
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("name = \"bad\"\n{DATA}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:1: format: missing
      hint: add `format = 1`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("format = 2\n{DATA}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:1: format: format 2 is not known to this version
      hint: this version reads format 1
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}[model]\nkind = \"gaussian-naive-bayes\"\n{CORRECTION}")), @"
    error: demo/sweep.toml:7: model: expected a list of tables
      hint: write [[model]] with double brackets
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\ndecide = 3\n")), @"
    error: demo/sweep.toml:10: correction 1 > decide: expected a table { kind = ... }, found a whole number
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\n")), @r#"
    error: demo/sweep.toml:9: correction 1: an empty correction
      hint: give it a stage, or `id = "none"` for no correction
    error: the sweep has 1 error; nothing was run
    "#);
    assert_snapshot!(complaint(&format!("{HEAD}[[population]]\nn_train = 60\n{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:3: population 1 > kind: missing
      hint: `list populations` shows them
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}[[dataset]]\npath = \"mine.csv\"\n{MODEL}{CORRECTION}")), @r#"
    error: demo/sweep.toml:3: dataset 1 > target: missing
      hint: add `target = "..."`: the name of the label column
    error: the sweep has 1 error; nothing was run
    "#);
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}{CORRECTION}id = \"again\"\n")), @"
    error: demo/sweep.toml:11: not valid TOML: duplicate key
      hint: see the sweep file format in the README
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint("format = 1\n[[model]\n"), @"
    error: demo/sweep.toml:2: not valid TOML: unclosed array table, expected `]`
      hint: see the sweep file format in the README
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(""), @"
    error: demo/sweep.toml: the sweep has no model
      hint: add a [[model]] entry
    error: demo/sweep.toml: the sweep has no correction
      hint: add a [[correction]] entry
    error: demo/sweep.toml: the sweep has no data
      hint: add a [[population]] or a [[dataset]] entry
    error: demo/sweep.toml:1: format: missing
      hint: add `format = 1`
    error: the sweep has 4 errors; nothing was run
    ");
}

#[test]
fn ids_are_unique() {
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{DATA}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:7: id: two datasets are called `gaussian-pair`: the first is in line 3
      hint: give one of them an `id` of its own
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:9: id: two models are called `gaussian-naive-bayes`: the first is in line 7
      hint: give one of them an `id` of its own
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}{CORRECTION}{CORRECTION}")), @"
    error: demo/sweep.toml:11: id: two corrections are called `none`: the first is in line 9
      hint: give one of them an `id` of its own
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}{MODEL}[[correction]]\nid = \"a b\"\n")), @"
    error: demo/sweep.toml:10: correction 1 > id: `a b` is not an id
      hint: ids are made of letters, digits and -_.+[]=,
    error: the sweep has 1 error; nothing was run
    ");
}

#[test]
fn ratios_are_possible() {
    // A class would be empty.
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}imbalance_ratio = [1, 500]\n{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:3: population `gaussian-pair` > imbalance_ratio: step profile at imbalance ratio 500: class 1 (from 0) would have no row; the largest ratio that would do is 118.999
      hint: lower the ratio or raise `n_train`
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}imbalance_ratio = 0.5\n{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:7: population 1 > imbalance_ratio: a ratio is a number of at least 1
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}imbalance_ratio = [2, 2.0]\n{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:7: population 1 > imbalance_ratio: the same ratio twice
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint(&format!("{HEAD}{DATA}imbalance_ratio = \"natural\"\n{MODEL}{CORRECTION}")), @"
    error: demo/sweep.toml:7: population 1 > imbalance_ratio: a ratio is a number of at least 1
    error: the sweep has 1 error; nothing was run
    ");
}

#[test]
fn data_files_are_checked_to_the_line() {
    assert_snapshot!(complaint(&own_file("")), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: cannot read: No such file or directory (os error 2)
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,v,label\n1,2,a\n2,3,b\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: no target column `y` among `u`, `v`, `label`
      hint: did you mean `u`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,v,Y\n1,2,a\n2,3,b\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: no target column `y` among `u`, `v`, `Y`
      hint: did you mean `Y`?
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,y\n1,a\n2,a\n3,a\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: target column `y` has one class only, `a`
      hint: two classes are needed to learn from
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,y\n1,a\n2,b\nNaN,a\n3,b\n"), @r#"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: line 4, column `u`: `NaN` is not a finite number
      hint: leave missing cells empty, or list the spelling: missing = ["NaN"]
    error: the sweep has 1 error; nothing was run
    "#);
    assert_snapshot!(complaint_of_data("u,y\n1,a\n-inf,b\n3,b\n"), @r#"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: line 3, column `u`: `-inf` is not a finite number
      hint: leave missing cells empty, or list the spelling: missing = ["-inf"]
    error: the sweep has 1 error; nothing was run
    "#);
    assert_snapshot!(complaint_of_data("u,y\n1,a\n2,b,7\n3,b\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: line 3: expected 2 cells as in the header, found 3
      hint: a cell that holds the separator or a line break has to stand in double quotes
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,y\n1,a\n\"2,b\n3,b\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: line 3: a quote opens here and is never closed
      hint: inside a quoted cell a double quote is written twice
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,u,y\n1,2,a\n2,3,b\n"), @r#"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: column `u` appears twice (positions 1 and 2)
      hint: rename one of the two, or leave both out: ignore = ["u"]
    error: the sweep has 1 error; nothing was run
    "#);
    assert_snapshot!(complaint_of_data("u,y\n1,a\n2,\n3,b\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: line 3: missing value in the target column `y`
      hint: drop the rows without a label, or label them
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("u,y\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: no data rows
      hint: a header line and at least one row are needed
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data(""), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: the file is empty
      hint: a header line and at least one row are needed
    error: the sweep has 1 error; nothing was run
    ");
    assert_snapshot!(complaint_of_data("y\na\nb\n"), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.csv: no feature column beside the target `y`
      hint: at least one column has to be a feature
    error: the sweep has 1 error; nothing was run
    ");
    let place = Place::with_sweep(&own_file("").replace("mine.csv", "mine.xls"));
    place.write("demo/mine.xls", "u,y\n");
    assert_snapshot!(refuse(&place, &["run", "demo"], 2), @"
    error: demo/sweep.toml:3: dataset `mine`: demo/mine.xls: unknown file format `xls`
      hint: files of these kinds work: csv, tsv, arff, dat, svmlight, libsvm, svm, npy, npz, parquet; text also as .gz or .zst
    error: the sweep has 1 error; nothing was run
    ");
}

#[test]
fn spellings_of_missing_values_are_taken_when_listed() {
    let place = Place::with_sweep(&own_file("missing = [\"NaN\", \"inf\", \"?\"]\n"));
    let csv = numeric_csv(&[30, 15], 2).replacen('\n', "\nNaN,?,c0\ninf,1.5,c1\n", 1);
    place.write("demo/mine.csv", &csv);
    let records = place.run_demo(0);
    assert_eq!(records.distinct("outcome"), ["ok"]);
    let rows = records.rows[0].real("n_train") + records.rows[0].real("n_test");
    assert!((rows - 47.0).abs() < 1e-9);
    // Unlisted, the first of them is the error.
    place.write("demo/sweep.toml", &own_file("missing = [\"?\", \"inf\"]\n"));
    let text = refuse(&place, &["run", "demo"], 2);
    assert!(
        text.contains("line 2, column `u`: `NaN` is not a finite number"),
        "{text}"
    );
}

/// A class that is too small for the folds is an error only where the sweep says so.
#[test]
fn the_policy_for_small_classes_may_be_an_error() {
    let sweep = |policy: &str| {
        format!(
            "{HEAD}[protocol]\nsmall_class = \"{policy}\"\n{}",
            &own_file("")[HEAD.len()..]
        )
    };
    let place = Place::with_sweep(&sweep("error"));
    place.write("demo/mine.csv", &numeric_csv(&[30, 3], 2));
    assert_snapshot!(refuse(&place, &["run", "demo"], 2), @r#"
    error: demo/sweep.toml:5: dataset `mine`: classes with fewer rows than the 5 folds are in some test folds only: c1 (3)
      hint: set `small_class` to "clamp" or "skip", or lower `folds`
    error: the sweep has 1 error; nothing was run
    "#);
    place.write("demo/sweep.toml", &sweep("skip"));
    assert_eq!(place.run_demo(0).distinct("outcome"), ["skipped"]);
}

/// Errors of keys, of methods, of parameters, of ratios and of files come out in one go.
#[test]
fn all_errors_come_out_at_once() {
    let text = complaint(
        "format = 1\n\
         sed = 4\n\
         [protocol]\n\
         folds = 1\n\
         [[population]]\n\
         kind = \"moons\"\n\
         n_train = 60\n\
         imbalance_ratio = 500\n\
         [[dataset]]\n\
         path = \"nowhere.csv\"\n\
         target = \"y\"\n\
         [[model]]\n\
         kind = \"gaussian-naiv-bayes\"\n\
         [[model]]\n\
         kind = \"k-nearest-neighbours\"\n\
         k = 0\n\
         [[correction]]\n\
         id = \"none\"\n\
         [[correction]]\n\
         id = \"none\"\n\
         decide = { kind = \"threshold\", t = 0.2 }\n",
    );
    assert_snapshot!(text, @"
    error: demo/sweep.toml:2: sed: unknown key
      hint: did you mean `seed`?
    error: demo/sweep.toml:4: protocol > folds: must be at least 2, found 1
    error: demo/sweep.toml:5: population `moons` > imbalance_ratio: step profile at imbalance ratio 500: class 1 (from 0) would have no row; the largest ratio that would do is 118.999
      hint: lower the ratio or raise `n_train`
    error: demo/sweep.toml:9: dataset `nowhere`: demo/nowhere.csv: cannot read: No such file or directory (os error 2)
    error: demo/sweep.toml:13: model 1 > kind: there is no model called `gaussian-naiv-bayes`
      hint: did you mean `gaussian-naive-bayes`?
    error: demo/sweep.toml:16: model 2 > k: expected a whole number in [1, inf), found a whole number `0`
    error: demo/sweep.toml:19: id: two corrections are called `none`: the first is in line 17
      hint: give one of them an `id` of its own
    error: the sweep has 7 errors; nothing was run
    ");
    let count = text
        .lines()
        .filter(|line| line.starts_with("error: demo/sweep.toml:"))
        .count();
    assert_eq!(count, 7);
}

/// What a command is given by hand.
#[test]
fn arguments_are_checked() {
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{MODEL}{CORRECTION}"));
    assert_snapshot!(refuse(&place, &["run", "demo", "--only", "modle=x"], 2), @"
    error: invalid value 'modle=x' for '--only <KEY=VALUE>': unknown key `modle`: the keys are cell, correction, dataset, family, fold, model, ratio, repeat, source; did you mean `model`?

    For more information, try '--help'.
    ");
    assert_snapshot!(refuse(&place, &["run", "demo", "--only", "gaussian-pair"], 2), @"
    error: invalid value 'gaussian-pair' for '--only <KEY=VALUE>': `gaussian-pair` is not KEY=VALUE

    For more information, try '--help'.
    ");
    for shard in ["0/3", "4/3", "1/0", "1", "x/2", "auto/2"] {
        let text = refuse(&place, &["run", "demo", "--shard", shard], 2);
        assert!(text.contains("--shard <I/N>"), "{text}");
    }
    assert_snapshot!(refuse(&place, &["run", "demo", "--shard", "4/3"], 2), @"
    error: invalid value '4/3' for '--shard <I/N>': `4/3` is not a shard: write I/N with I from 1 to N, or auto/N

    For more information, try '--help'.
    ");
    assert_snapshot!(refuse(&place, &["run", "nowhere"], 2), @"
    error: nowhere: no such file
      hint: give a sweep file, or a folder that holds a sweep.toml
    ");
    assert_snapshot!(refuse(&place, &["run", "demo", "--only", "model=dummy"], 4), @"
    error: --only: no model `dummy`: there are gaussian-naive-bayes
      hint: `run --dry-run` shows the datasets and models of the sweep
    ");
    assert_snapshot!(refuse(&place, &["status", "nowhere"], 2), @"
    error: nowhere: no such folder
      hint: give a report folder, such as reports/quick
    ");
    assert_snapshot!(refuse(&place, &["report", "demo"], 2), @"
    error: demo/records.csv: no such file
      hint: `counterweight run` writes records.parquet into its report folder
    ");
    assert_snapshot!(refuse(&place, &["compare", "demo", "demo"], 2), @"
    error: demo/records.csv: no such file
      hint: `counterweight run` writes records.parquet into its report folder
    ");
    assert_snapshot!(refuse(&place, &["merge", "demo", "nowhere"], 2), @"
    error: nowhere: no such file or folder
      hint: give report folders, .jsonl segments, records.parquet or records.csv
    ");
    assert_snapshot!(refuse(&place, &["explain", "demo", "zzz"], 2), @"
    error: no cell of this sweep has an id that begins with `zzz`
      hint: cell ids stand in records.csv
    ");
    place.write("mine.csv", "u,y\n1,a\n2,b\n");
    assert_snapshot!(refuse(&place, &["data", "inspect", "mine.csv", "--target", "z"], 2), @"
    error: mine.csv: no target column `z` among `u`, `y`
      hint: did you mean `u`?
    ");
    for arguments in [
        &["run", "demo", "--jobs", "0"][..],
        &["list", "methods"],
        &["frobnicate"],
    ] {
        refuse(&place, arguments, 2);
    }
    let Ran { code, out, .. } = place.call(&["--version"]);
    assert_eq!(
        (code, out.trim()),
        (0, concat!("counterweight ", env!("CARGO_PKG_VERSION")))
    );
}
