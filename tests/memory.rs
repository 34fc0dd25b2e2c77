//! The ceiling of memory, and workers that end before their time.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{ALONE, LIBRARIES, children, population};
use crate::common::{Place, Ran};

/// A sweep of models on rows that nothing parts, with `max_memory` in place of a `timeout`.
fn sweep(memory: Option<&str>, sizes: &str, models: &str) -> Place {
    let memory = memory.map_or_else(String::new, |size| format!("max_memory = \"{size}\""));
    let sweep = population("gaussian-simplex", sizes).replace("timeout = \"500ms\"", &memory);
    Place::with_sweep(&format!("{sweep}{models}[[correction]]\nid = \"none\"\n"))
}

const ROWS: &str = "classes = 2\ndim = 2\nseparation = 0.01\nn_train = 1000\nn_test = 50";
const DUMMY: &str = "[[model]]\nkind = \"dummy\"\n";
/// A forest of more than ten gigabytes.
const FOREST: &str = "[[model]]\nkind = \"random-forest\"\ntrees = 1000000\n";

#[track_caller]
fn run(place: &Place, code: i32) -> Ran {
    let arguments = ["run", "demo", "--jobs", "1", "--no-report"];
    place.call(&arguments).ends_with(code)
}

/// How a model's cell ended, and why.
fn end(place: &Place, model: &str) -> (String, String) {
    let records = place.records("demo");
    let row = records.one(&[("model", model)]);
    (
        row.text("outcome").to_owned(),
        row.text("reason").to_owned(),
    )
}

#[test]
fn what_own_code_cannot_afford_is_refused_before_it_is_allocated() {
    let smote = "[[correction]]\nid = \"huge\"\nresample = { kind = \"random-over\", strategy = { 1 = 90000000 } }\n\
                 [[correction]]\nid = \"bagged\"\nensemble = { kind = \"under-bagging\", members = 20 }\n";
    let models = format!("{FOREST}{DUMMY}{smote}");
    let place = sweep(Some("1GB"), ROWS, &models);
    let start = Instant::now();
    run(&place, 1);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    let records = place.records("demo");
    let of = |model: &str, correction: &str| {
        let row = records.one(&[("model", model), ("correction", correction)]);
        (
            row.text("outcome").to_owned(),
            row.text("reason").to_owned(),
        )
    };
    for (model, correction, stage) in [
        (
            "random-forest",
            "none",
            "fit: `random-forest` would take about",
        ),
        (
            "random-forest",
            "bagged",
            "fit: `under-bagging` would take about",
        ),
        ("dummy", "huge", "resample: `random-over` would take about"),
    ] {
        let (outcome, reason) = of(model, correction);
        assert_eq!(outcome, "out-of-memory", "{model} {correction}: {reason}");
        assert!(reason.starts_with(stage), "{reason}");
        assert!(
            reason.contains("its share of `max_memory`, 1000 MB"),
            "{reason}"
        );
    }
    assert_eq!(of("dummy", "none").0, "ok");
    let run_json = place.read("demo/run.json");
    assert!(
        run_json.contains("\"max_memory\": 1000000000"),
        "{run_json}"
    );
}

#[test]
fn the_threads_share_a_ceiling_and_the_command_line_overrules_the_sweep() {
    // Some ten megabytes.
    let forest = FOREST.replace("1000000", "3000");
    for (given, jobs, outcome) in [
        ("100MB", "1", "ok"),
        ("8MB", "1", "out-of-memory"),
        ("100MB", "10", "out-of-memory"),
    ] {
        let place = sweep(Some("1TB"), &ROWS.replace("1000", "300"), &forest);
        let command = [
            "run",
            "demo",
            "--no-report",
            "--jobs",
            jobs,
            "--max-memory",
            given,
        ];
        place.call(&command).ends_with(i32::from(outcome != "ok"));
        let (found, reason) = end(&place, "random-forest");
        assert_eq!(found, outcome, "{given} for {jobs}: {reason}");
    }
}

#[test]
fn without_a_ceiling_what_cannot_be_had_stays_to_be_done() {
    // More than any machine has.
    let rows = ROWS.replace("1000", "200000");
    let place = sweep(None, &rows, &format!("{FOREST}{DUMMY}"));
    let ran = run(&place, 3);
    assert!(
        ran.err
            .contains("no memory: gaussian-simplex random-forest none"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("and this process may take"), "{}", ran.err);
    let segments = place.segments("demo");
    let kept = std::fs::read_to_string(&segments[0]).expect("a segment");
    assert!(kept.contains("\"dummy\"") && !kept.contains("out-of-memory"));
    let ids = |place: &Place| {
        place
            .records("demo")
            .one(&[("model", "dummy")])
            .text("cell")
            .to_owned()
    };
    let limited = sweep(Some("1GB"), &rows, &format!("{FOREST}{DUMMY}"));
    run(&limited, 1);
    assert_eq!(
        ids(&place),
        ids(&limited),
        "a ceiling is no part of a cell's id"
    );
    assert!(!place.read("demo/run.json").contains("max_memory"));
}

#[test]
fn amounts_of_memory_that_are_none_are_errors_with_their_line() {
    for text in ["0GB", "-1GB", "1 apples", "4", "1e30TB", "nanGB", ""] {
        let place = sweep(Some(text), ROWS, DUMMY);
        let ran = place.call(&["run", "demo"]).ends_with(2);
        assert!(
            ran.err.contains("sweep.toml:3: protocol > max_memory"),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains("such as \"500MB\" or \"4GB\""),
            "{}",
            ran.err
        );
        let flag = format!("--max-memory={text}");
        place.call(&["run", "demo", &flag]).ends_with(2);
    }
}

/// Runs a sweep with a library that ends its worker at its fit; gives its reason.
fn with_fault(how: &str) -> String {
    let library = "smartcore-decision-tree";
    let models = format!(
        "{DUMMY}[[model]]\nkind = \"{library}\"\n[[model]]\nkind = \"smartcore-gaussian-naive-bayes\"\n"
    );
    let place = sweep(None, ROWS, &models);
    let fault = format!("{library}={how}");
    let arguments = ["run", "demo", "--jobs", "1", "--no-report"];
    place
        .call_with(&[("COUNTERWEIGHT_WORKER_FAULT", &fault)], &arguments)
        .ends_with(1);
    for other in ["dummy", "smartcore-gaussian-naive-bayes"] {
        assert_eq!(end(&place, other).0, "ok", "the sweep goes on");
    }
    let (outcome, reason) = end(&place, library);
    assert_eq!(outcome, "failed", "{reason}");
    assert!(reason.contains("the library ended its process"), "{reason}");
    reason
}

#[test]
fn an_abort_and_a_stack_overflow_in_a_library_cost_their_cell() {
    with_fault("abort");
    let reason = with_fault("overflow");
    assert!(reason.contains("overflowed its stack"), "{reason}");
}

#[test]
fn a_library_that_takes_more_than_its_share_is_out_of_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Copies of many columns, and trees one after another.
    for (library, dim, more, most) in [
        ("linfa-gaussian-naive-bayes", "300", "", "25MB"),
        ("smartcore-random-forest", "2", "trees = 60000\n", "12MB"),
    ] {
        let sizes = ROWS
            .replace("1000", "2000")
            .replace("dim = 2", &format!("dim = {dim}"));
        let models = format!("[[model]]\nkind = \"{library}\"\n{more}{DUMMY}");
        let place = sweep(Some(most), &sizes, &models);
        run(&place, 1);
        let (outcome, reason) = end(&place, library);
        assert_eq!(outcome, "out-of-memory", "{reason}");
        assert!(reason.contains("its worker may take"), "{reason}");
        assert_eq!(end(&place, "dummy").0, "ok");
    }
}

#[test]
#[ignore = "measures: minutes"]
fn what_would_take_ten_gigabytes_is_out_of_memory_under_one() {
    let forest = "[[model]]\nkind = \"smartcore-random-forest\"\ntrees = 60000\n";
    let rows = ROWS.replace("1000", "20000");
    let place = sweep(Some("1GB"), &rows, &format!("{forest}{FOREST}"));
    run(&place, 1);
    for model in ["smartcore-random-forest", "random-forest"] {
        let (outcome, reason) = end(&place, model);
        assert_eq!(outcome, "out-of-memory", "{model}: {reason}");
    }
    // Its scores of 1,250,000 rows and 1,000 classes.
    let logistic = "[[model]]\nkind = \"linfa-logistic\"\n[[correction]]\nid = \"none\"\n";
    let place = Place::with_sweep(&format!(
        "format = 1\n[protocol]\nmax_memory = \"1GB\"\ntest = 0.001\n\
         [[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n{logistic}"
    ));
    let lines = (0..1_250_000).map(|i| format!("{}.5,{}\n", i % 997, i % 1000));
    let text = lines.fold("x,y\n".to_owned(), |all, line| all + &line);
    place.write("demo/d.csv", &text);
    run(&place, 1);
    let (outcome, reason) = end(&place, "linfa-logistic");
    assert_eq!(outcome, "out-of-memory", "{reason}");
}

#[test]
fn cells_that_keep_the_limits_are_the_same_bytes_as_without() {
    let models: String = [
        "svm",
        "random-forest",
        "lda",
        "linfa-logistic",
        "smartcore-svc",
    ]
    .iter()
    .map(|id| format!("[[model]]\nkind = \"{id}\"\n"))
    .collect();
    let plain = Place::with_sweep(&format!("{LIBRARIES}{models}"));
    let limits = "[protocol]\ntimeout = \"20m\"\nmax_memory = \"3GB\"\n";
    let limited = Place::with_sweep(
        &plain
            .read("demo/sweep.toml")
            .replace("[protocol]\n", limits),
    );
    let [plain, limited] = [plain, limited].map(|place| {
        let arguments = ["run", "demo", "--quiet", "--no-report"];
        let code = place.call(&arguments).code;
        (
            code,
            place.bytes("demo/records.csv"),
            place.bytes("demo/details.parquet"),
        )
    });
    assert!(plain == limited);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_hangs_when_nobody_reads_stderr_any_more() {
    let models = "[[model]]\nkind = \"smartcore-decision-tree\"\n[[model]]\nkind = \"smartcore-random-forest\"\n";
    let place = sweep(None, ROWS, models);
    let mut child = place
        .command(&["run", "demo", "--jobs", "1", "--no-report"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut first = String::new();
    let mut err = BufReader::new(child.stderr.take().expect("stderr"));
    err.read_line(&mut first).expect("a line");
    drop(err);
    let waiting = Instant::now();
    let mut workers = Vec::new();
    let code = loop {
        workers.extend(children(child.id()));
        if let Some(end) = child.try_wait().expect("a state") {
            break end.code();
        }
        assert!(waiting.elapsed() < Duration::from_mins(1), "it hangs");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(code, Some(0), "{first}");
    workers.dedup();
    for worker in workers {
        let alive = || {
            let state = Command::new("kill")
                .args(["-0", &worker.to_string()])
                .output();
            state.expect("kill starts").status.success()
        };
        let waiting = Instant::now();
        while alive() {
            assert!(
                waiting.elapsed() < Duration::from_secs(5),
                "{worker} lives on"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(end(&place, "smartcore-decision-tree").0, "ok");
}
