//! What a sweep file may ask for: it is planned in bounds, or refused with file and line.

use std::time::{Duration, Instant};

use crate::common::Place;

const HEAD: &str = "format = 1\nname = \"h\"\n";
const DATA: &str = "[[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\n";
const MODEL: &str = "[[model]]\nkind = \"gaussian-naive-bayes\"\n";
const NONE: &str = "[[correction]]\nid = \"none\"\n";

/// Runs a sweep that is refused; gives what was said.
#[track_caller]
fn refused(sweep: &str) -> String {
    let place = Place::with_sweep(sweep);
    let ran = place.call(&["run", "demo"]).ends_with(2);
    assert!(!place.has("demo/segments"), "something was run");
    ran.err
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not said:\n{text}");
    }
}

fn numbers(n: usize) -> String {
    let list: Vec<String> = (1..=n).map(|i| format!("{}", i as f64 / 1000.0)).collect();
    format!("[{}]", list.join(", "))
}

#[test]
fn sizes_beyond_memory_or_reason_are_refused_with_their_line() {
    for n in ["9223372036854775807", "1000000000001"] {
        for key in ["n_train", "n_test", "n_max", "minority_count"] {
            let data = format!("[[population]]\nkind = \"gaussian-pair\"\n{key} = {n}\n");
            let said = refused(&format!("{HEAD}{data}{MODEL}{NONE}"));
            says(
                &said,
                &[
                    "demo/sweep.toml:5: population 1 > ",
                    key,
                    "at most 1000000000000",
                    n,
                ],
            );
        }
    }
    for key in ["n_train", "n_test", "n_max"] {
        let data = format!("[[population]]\nkind = \"gaussian-pair\"\n{key} = 400000000000\n");
        let said = refused(&format!("{HEAD}{data}{MODEL}{NONE}"));
        says(
            &said,
            &[
                "demo/sweep.toml:3: dataset `gaussian-pair`",
                "this process may take",
            ],
        );
    }
    let data =
        format!("{DATA}imbalance_ratio = 1e15\n").replace("n_train = 60", "minority_count = 5");
    says(
        &refused(&format!("{HEAD}{data}{MODEL}{NONE}")),
        &["demo/sweep.toml:3", "imbalance_ratio"],
    );
}

#[test]
fn plans_of_too_many_cells_are_refused_with_the_line_of_what_makes_them_many() {
    let repeats = format!("{HEAD}[protocol]\nfolds = 2\nrepeats = 10000001\n{DATA}{MODEL}{NONE}");
    says(
        &refused(&repeats),
        &["demo/sweep.toml:5: protocol > repeats", "10000001 cells"],
    );
    let taus = numbers(1000);
    let stage = |key: &str, kind: &str| format!("{key} = {{ kind = \"{kind}\", tau = {taus} }}\n");
    let loss = stage("loss", "logit-adjusted");
    let decide = stage("decide", "logit-adjust");
    let grid = format!("[[correction]]\nid = \"g\"\n{loss}{decide}");
    let cube = format!("{grid}resample = {{ kind = \"smote\", strategy = {taus} }}\n");
    says(
        &refused(&format!("{HEAD}{DATA}{MODEL}{cube}")),
        &["demo/sweep.toml:9: correction 1: more than 1000000 points"],
    );
    let twice = format!("{grid}{}", grid.replace("\"g\"", "\"h\""));
    says(
        &refused(&format!("{HEAD}{DATA}{MODEL}{twice}")),
        &["demo/sweep.toml:13: correction", "1000000 points"],
    );
    let many = format!("{HEAD}[protocol]\nrepeats = 11\n{DATA}{MODEL}{grid}");
    says(&refused(&many), &["correction", "11000000 cells"]);
}

/// A million cells of several shapes, in a gigabyte beside the 250 MB of addresses that the program itself
/// takes; the time is checked loosely, since tests share a machine.
#[test]
#[ignore = "measures: a minute"]
fn a_million_cells_are_planned() {
    let thousand = numbers(1000);
    let million: Vec<String> = (1..=1_000_000)
        .map(|i| format!("{}", f64::from(i) / 1e6))
        .collect();
    let million = million.join(", ");
    let model = |kind: &str| {
        format!("{DATA}[[model]]\nkind = \"{kind}\"\nlearning_rate = [{million}]\n{NONE}")
    };
    let correction = |stage: &str| format!("{DATA}{MODEL}[[correction]]\nid = \"g\"\n{stage}\n");
    let shapes = [
        correction(&format!(
            "loss = {{ kind = \"logit-adjusted\", tau = {thousand} }}\ndecide = {{ kind = \"logit-adjust\", tau = {thousand} }}"
        )),
        correction(&format!(
            "resample = {{ kind = \"smote\", strategy = [{million}] }}"
        )),
        correction(&format!(
            "decide = {{ kind = \"logit-adjust\", tau = [{million}] }}"
        )),
        format!(
            "{DATA}{MODEL}var_smoothing = {thousand}\n[[correction]]\nid = \"g\"\nresample = {{ kind = \"smote\", strategy = {thousand} }}\n"
        ),
        model("mlp"),
        model("gradient-boosting"),
        format!("[protocol]\nrepeats = 1000000\n{DATA}{MODEL}{NONE}"),
    ];
    for shape in shapes {
        let place = Place::with_sweep(&format!("{HEAD}{shape}"));
        let start = Instant::now();
        let ran = place.shell("ulimit -v 1250000; exec $CW run demo --dry-run");
        says(&ran.ends_with(0).out, &["1000000"]);
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{:?}",
            start.elapsed()
        );
    }
}

#[test]
fn a_plan_of_many_models_and_losses_takes_no_square_of_them() {
    let sweep = format!(
        "{HEAD}{DATA}{MODEL}var_smoothing = {}\n[[correction]]\nid = \"g\"\nloss = {{ kind = \"logit-adjusted\", tau = {} }}\n",
        numbers(200),
        numbers(400)
    );
    let place = Place::with_sweep(&sweep);
    let start = Instant::now();
    says(
        &place.call(&["run", "demo", "--dry-run"]).ends_with(0).out,
        &["80000"],
    );
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn errors_are_told_up_to_a_hundred() {
    let sweep = format!("{HEAD}{DATA}{MODEL}{}", NONE.repeat(20_000));
    let start = Instant::now();
    let said = refused(&sweep);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(
        said.matches("two corrections are called `none`").count(),
        100
    );
    says(
        &said,
        &["19899 more errors from here on", "more than 100 errors"],
    );
}

#[test]
fn long_ids_are_refused_and_long_grids_have_reports() {
    let long = "x".repeat(300);
    for (line, sweep) in [
        (
            10,
            format!("{HEAD}{DATA}{MODEL}[[correction]]\nid = \"{long}\"\n"),
        ),
        (9, format!("{HEAD}{DATA}{MODEL}id = \"{long}\"\n{NONE}")),
        (7, format!("{HEAD}{DATA}id = \"{long}\"\n{MODEL}{NONE}")),
        (
            2,
            format!("format = 1\nname = \"{long}\"\n{DATA}{MODEL}{NONE}"),
        ),
    ] {
        says(
            &refused(&sweep),
            &[
                &format!("demo/sweep.toml:{line}: "),
                "300 letters",
                "at most 200",
            ],
        );
    }
}

#[test]
fn classes_that_the_data_lack_are_found_at_planning() {
    let of = |class: &str| {
        format!(
            "[[correction]]\nresample = {{ kind = \"random-over\", strategy = {{ \"{class}\" = 500 }} }}\n"
        )
    };
    let said = refused(&format!("{HEAD}{DATA}{MODEL}{}", of("zz")));
    says(
        &said,
        &[
            "demo/sweep.toml:9: correction `random-over` > strategy",
            "no class `zz`",
            "0, 1",
        ],
    );
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{MODEL}{}", of("1")));
    assert_eq!(place.run_demo(0).distinct("outcome"), ["ok"]);
    // A class of one dataset of two: known beforehand for the other.
    let two = format!(
        "{HEAD}{DATA}[[population]]\nkind = \"gaussian-simplex\"\nn_train = 90\nn_test = 30\n{MODEL}{}",
        of("2")
    );
    assert_eq!(
        Place::with_sweep(&two).run_demo(0).distinct("outcome"),
        ["not-applicable", "ok"]
    );
}

#[test]
fn lists_of_a_number_a_class_are_counted_at_planning() {
    let decide = |decide: &str| format!("[[correction]]\nid = \"d\"\ndecide = {{ {decide} }}\n");
    let three = "costs = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]";
    for (decision, key) in [
        (
            "kind = \"logit-adjust\", prior = [0.2, 0.3, 0.5]".to_owned(),
            "prior",
        ),
        (format!("kind = \"cost-matrix\", {three}"), "costs"),
        (
            format!(
                "kind = \"calibrated\", by = \"platt\", then = {{ kind = \"cost-matrix\", {three} }}"
            ),
            "then > costs",
        ),
    ] {
        let said = refused(&format!("{HEAD}{DATA}{MODEL}{}", decide(&decision)));
        let place = format!("demo/sweep.toml:9: correction `d` > {key}: 3 numbers");
        says(&said, &[&place, "has 2 classes", "in class order: 0, 1"]);
    }
    let lda = "[[model]]\nkind = \"lda\"\npriors = [0.2, 0.3, 0.5]\n";
    let said = refused(&format!("{HEAD}{DATA}{lda}{NONE}"));
    says(
        &said,
        &["demo/sweep.toml:7: model `lda` > priors: 3 numbers"],
    );
    // One of two datasets has as many.
    let two = "[[population]]\nkind = \"gaussian-simplex\"\nn_train = 90\nn_test = 30\n";
    let decision = decide("kind = \"logit-adjust\", prior = [0.2, 0.3, 0.5]");
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{two}{MODEL}{decision}"));
    place.call(&["run", "demo", "--dry-run"]).ends_with(0);
}

#[test]
fn grids_over_tables_of_classes_have_ids() {
    let csv: String = (0..60)
        .map(|i| format!("{i},{}\n", if i % 3 == 0 { "\"a|b\n\"" } else { "<b>" }))
        .collect();
    let sweep = format!(
        "{HEAD}[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n{MODEL}[[correction]]\nid = \"s\"\nresample = {{ kind = \"random-over\", strategy = [{{ \"a|b\\n\" = 40 }}, {{ \"a|b\\n\" = 41 }}] }}\n"
    );
    let place = Place::with_sweep(&sweep);
    place.write("demo/d.csv", &format!("x,y\n{csv}"));
    for id in place.run_demo(0).distinct("correction") {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.+[]=,".contains(c);
        assert!(id.chars().all(good), "{id}");
    }
}

#[test]
fn shards_that_nobody_has_are_refused() {
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{MODEL}{NONE}"));
    for shard in ["1/18446744073709551615", "1/1000000000", "0/1", "2/1"] {
        place.call(&["run", "demo", "--shard", shard]).ends_with(2);
    }
}

#[test]
fn values_of_only_that_nothing_has_are_named() {
    let sweep = format!(
        "{HEAD}{DATA}imbalance_ratio = [1, 10]\n{MODEL}{NONE}[[correction]]\nresample = {{ kind = \"smote\" }}\n"
    );
    let place = Place::with_sweep(&sweep);
    let only = |text: &str, code| {
        place
            .call(&["run", "demo", "--dry-run", "--only", text])
            .ends_with(code)
    };
    says(
        &only("correction=smote,correction=smoter", 2).err,
        &["no correction `smoter`", "did you mean `smote`?"],
    );
    says(&only("model=typo", 4).err, &["no model `typo`"]);
    says(&only("ratio=7", 4).err, &["no ratio `7`: there are 1, 10"]);
    assert_eq!(only("ratio=10.0", 0).out, only("ratio=10", 0).out);
}

#[test]
fn times_without_end_are_refused() {
    for limit in ["3000000000000000h", "1000000000000000h", "8761h"] {
        let said = refused(&format!(
            "{HEAD}[protocol]\ntimeout = \"{limit}\"\n{DATA}{MODEL}{NONE}"
        ));
        says(
            &said,
            &["demo/sweep.toml:4: protocol > timeout", "is too long"],
        );
    }
}

#[test]
fn a_folder_whose_name_is_no_id_asks_for_a_name() {
    let place = Place::new();
    place.write(
        "my data/sweep.toml",
        &format!("format = 1\n{DATA}{MODEL}{NONE}"),
    );
    let said = place.call(&["run", "my data"]).ends_with(2).err;
    says(
        &said,
        &["name: missing, and `my data` is not an id", "add `name = "],
    );
}

#[test]
fn a_pair_that_is_one_file_is_told() {
    let pair = "[[dataset]]\ntrain = \"d.csv\"\ntest = \"./d.csv\"\ntarget = \"y\"\n";
    let place = Place::with_sweep(&format!("{HEAD}{pair}{MODEL}{NONE}"));
    place.write("demo/d.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n");
    let said = place.call(&["run", "demo", "--dry-run"]).ends_with(0).err;
    says(&said, &["dataset `d`: training and test rows are one file"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_read() {
    let place = Place::with_sweep(&format!(
        "{HEAD}[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n{MODEL}{NONE}"
    ));
    let fifo = place.path("demo/d.csv");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.is_ok_and(|status| status.success()));
    says(
        &place.call(&["run", "demo"]).ends_with(2).err,
        &["demo/sweep.toml:3", "d.csv: not a regular file"],
    );
    let sweep = place.path("demo/sweep.toml");
    std::fs::rename(&fifo, &sweep).expect("the fifo");
    says(
        &place.call(&["run", "demo"]).ends_with(2).err,
        &["sweep.toml: not a regular file"],
    );
    std::os::unix::fs::symlink("/dev/zero", &fifo).expect("a link");
    says(
        &place
            .call(&["data", "inspect", "demo/d.csv", "--target", "y"])
            .ends_with(2)
            .err,
        &["not a regular file"],
    );
}
