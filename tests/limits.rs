//! The time limit of a cell holds in every stage, and an interrupt ends a run wherever it is.

#![expect(clippy::format_collect, reason = "plain text is built plainly")]

#[expect(dead_code, reason = "each test file uses its part")]
mod common;
mod every;
mod memory;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::Place;

/// How much later than its limit a cell may end.
const LATE: Duration = Duration::from_secs(2);
/// The limit: short, so that what is made to be slow takes several times as long on a fast machine too, and
/// several times as long as the making of the rows takes.
const LIMIT: Duration = Duration::from_millis(500);

/// One of these tests at a time, so that they do not slow each other.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a sweep on one thread and measures every cell that ends as a failure. `slow` are the models or
/// corrections of which each has a cell: it ends as a timeout, and none in the making of its rows. Of several one may
/// be fast enough to end well (a method that is new here has no input of its own): a late end would be seen all the same.
#[track_caller]
fn each_ends_in_time(place: &Place, column: &str, slow: &[&str]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut child = place
        .command(&["run", "demo", "--jobs", "1", "--no-report"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // Reading the rows comes before the first line and is no cell.
    let mut last: Option<Instant> = None;
    for line in BufReader::new(child.stderr.take().expect("stderr")).lines() {
        let line = line.expect("text");
        let took = last.map_or(Duration::ZERO, |last| last.elapsed());
        assert!(took < LIMIT + LATE, "{took:?} until: {line}");
        last = Some(Instant::now());
    }
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let records = place.records("demo");
    let mut fast = Vec::new();
    for name in slow {
        let row = records.one(&[(column, name)]);
        let end = (row.text("outcome"), row.text("reason"));
        assert!(!end.1.starts_with("prepare"), "{name}: {}", end.1);
        if end.0 != "timeout" {
            let well = ["ok", "clamped", "degenerate"].contains(&end.0);
            assert!(well, "{name} is {}: {}", end.0, end.1);
            fast.push(*name);
        }
    }
    assert!(fast.len() < slow.len().min(2), "fast: {fast:?}");
}

/// Whether a model is a library's.
fn is_library(id: &str) -> bool {
    id.starts_with("linfa") || id.starts_with("smartcore")
}

/// The ids that `list` gives for a stage of corrections, or all models.
fn ids(what: &str, stage: Option<&str>) -> Vec<String> {
    let list = Place::new()
        .call(&["list", what, "--format", "json"])
        .json();
    let entries = list.as_array().expect("a list").iter();
    // What has to be told which program to run cannot run by itself.
    let entries = entries.filter(|entry| entry["library"] != "command");
    entries
        .filter(|entry| stage.is_none_or(|stage| entry["stage"] == stage))
        .map(|entry| entry["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// `all` without those that cannot be made slow. Each of the exceptions has to exist.
fn without<'a>(all: &'a [String], quick: &[&str]) -> Vec<&'a str> {
    for quick in quick {
        assert!(all.iter().any(|id| id == quick), "there is no {quick}");
    }
    let slow = all.iter().map(String::as_str);
    slow.filter(|id| !quick.contains(id)).collect()
}

const HEAD: &str = "format = 1\n[protocol]\ntimeout = \"500ms\"\ntest = 0.5\n";

fn population(kind: &str, sizes: &str) -> String {
    format!("{HEAD}[[population]]\nkind = \"{kind}\"\n{sizes}\n")
}

#[test]
fn a_slow_learner_ends_in_time() {
    let mut all = ids("models", None);
    all.retain(|id| !is_library(id));
    // One pass over the rows, as long as reading them takes.
    let quick = ["dummy", "gaussian-naive-bayes", "nearest-centroid"];
    let all = without(&all, &quick);
    // Many rows make these neighbours slow, many columns all the others.
    let neighbours = "k-nearest-neighbours";
    // This one is for two classes.
    let tilt = "exponential-tilt";
    let of_two = [neighbours, tilt];
    let slow: Vec<&str> = all
        .iter()
        .copied()
        .filter(|id| !of_two.contains(id))
        .collect();
    let models: Vec<(&str, &str)> = slow
        .iter()
        .map(|&id| {
            let more = match id {
                "adaboost" | "random-forest" | "extra-trees" => "trees = 2000",
                "gradient-boosting" => "rounds = 2000",
                "mlp" | "softmax-sgd" => "epochs = 100000",
                _ => "",
            };
            (id, more)
        })
        .collect();
    every::slow_on((4000, 500), 500, 12, &models);
    every::slow_on((40_000, 40_000), 40, 2, &[(neighbours, "")]);
    every::slow_on((30_000, 100), 300, 2, &[(tilt, "")]);
    // Products of columns: more of them than there were.
    let products = "features = { polynomial = 2 }";
    every::slow_on((6_000, 100), 50, 2, &[("lda", products)]);
}

#[test]
fn a_slow_resampler_ends_in_time() {
    let all = ids("corrections", Some("resample"));
    let quick = [
        // Linear in the rows.
        "random-over",
        "random-under",
        "polynom-fit-smote",
        // The learner draws its rows.
        "batch-balanced",
        // Nominal columns: below.
        "smote-n",
        "smote-nc",
    ];
    let slow = without(&all, &quick);
    let mut sweep = "[[model]]\nkind = \"dummy\"\n".to_owned();
    for id in &slow {
        let more = match *id {
            "instance-hardness" => ", classifier = \"k-nearest-neighbours\"",
            "near-miss" => ", version = 2, k = 2000",
            "one-sided-selection" => ", seeds = 8000",
            "prowsyn" => ", levels = 1000",
            "smote" => ", k = 6000",
            _ => "",
        };
        writeln!(
            sweep,
            "[[correction]]\nid = \"{id}\"\nresample = {{ kind = \"{id}\"{more} }}"
        )
        .expect("text");
    }
    let place = every::place_of((48_000, 100), 50, 2, &sweep);
    each_ends_in_time(&place, "correction", &slow);
}

#[test]
fn a_slow_resampler_of_nominal_columns_ends_in_time() {
    let row = |i: usize, first: &str| {
        let mut row = first.to_owned();
        for j in 0..24 {
            write!(
                row,
                ",{}",
                ["a", "b", "c", "d", "e"][(i * (j + 7) + i / (j + 1)) % 5]
            )
            .expect("text");
        }
        writeln!(
            row,
            ",{}",
            if i.is_multiple_of(3) {
                "rare"
            } else {
                "common"
            }
        )
        .expect("text");
        row
    };
    let names: String = (0..24).fold("x".to_owned(), |all, j| format!("{all},n{j}")) + ",y\n";
    for id in ["smote-n", "smote-nc"] {
        let first = |i: usize| match id {
            "smote-n" => ["u", "v", "w"][i % 3].to_owned(),
            _ => format!("{}.5", i % 1013),
        };
        let place = Place::with_sweep(&format!(
            "{HEAD}[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n[[model]]\nkind = \"dummy\"\n\
             [[correction]]\nid = \"slow\"\nresample = {{ kind = \"{id}\", k = 4000 }}\n"
        ));
        let rows: String = (0..24_000).map(|i| row(i, &first(i))).collect();
        place.write("demo/d.csv", &(names.clone() + &rows));
        each_ends_in_time(&place, "correction", &["slow"]);
    }
}

#[test]
fn a_slow_ensemble_ends_in_time() {
    let all = ids("corrections", Some("ensemble"));
    let slow = without(&all, &[]);
    let mut sweep = "[[model]]\nkind = \"random-forest\"\ntrees = 1000\n".to_owned();
    for id in &slow {
        writeln!(
            sweep,
            "[[correction]]\nid = \"{id}\"\nensemble = {{ kind = \"{id}\" }}"
        )
        .expect("text");
    }
    let place = every::place_of((24_000, 100), 20, 2, &sweep);
    each_ends_in_time(&place, "correction", &slow);
}

#[test]
fn a_slow_decision_or_calibrator_ends_in_time() {
    let rows = |each: usize| {
        let row = |class: usize, i: usize| {
            let (a, b) = (class % 17, class / 17);
            let noise = ((i * 7919 + class * 104_729) % 1000) as f64 / 250.0;
            format!("{},{},{class}\n", a as f64 + noise, b as f64 - noise)
        };
        (0..300)
            .flat_map(|class| (0..each).map(move |i| row(class, i)))
            .fold("a,b,y\n".to_owned(), |all, row| all + &row)
    };
    let grid: Vec<String> = (0..20_000)
        .map(|at| format!("{:.4}", f64::from(at) * 1e-4))
        .collect();
    let decide = [
        ("tuned-threshold", "kind = \"tuned-threshold\"".to_owned()),
        (
            "tuned-tau",
            format!("kind = \"tuned-tau\", grid = [{}]", grid.join(", ")),
        ),
        ("platt", "kind = \"calibrated\", by = \"platt\"".to_owned()),
        ("beta", "kind = \"calibrated\", by = \"beta\"".to_owned()),
        (
            "vector-scaling",
            "kind = \"calibrated\", by = \"vector-scaling\"".to_owned(),
        ),
        (
            "saerens-em",
            "kind = \"saerens-em\", tolerance = 1e-300, rounds = 2000000000".to_owned(),
        ),
        // These are hardly ever slow; they must not be late all the same.
        (
            "isotonic",
            "kind = \"calibrated\", by = \"isotonic\"".to_owned(),
        ),
        (
            "temperature",
            "kind = \"calibrated\", by = \"temperature\"".to_owned(),
        ),
        ("bbse", "kind = \"bbse\", confusion = \"soft\"".to_owned()),
    ];
    let mut sweep = format!(
        "{}[[dataset]]\ntrain = \"train.csv\"\ntest = \"test.csv\"\ntarget = \"y\"\n\
         [[model]]\nkind = \"nearest-centroid\"\n",
        HEAD.replace("test = 0.5\n", "")
    );
    for (id, decide) in &decide {
        writeln!(
            sweep,
            "[[correction]]\nid = \"{id}\"\ndecide = {{ {decide} }}"
        )
        .expect("text");
    }
    let place = Place::with_sweep(&sweep);
    place.write("demo/train.csv", &rows(80));
    place.write("demo/test.csv", &rows(1));
    let slow: Vec<&str> = decide.iter().take(6).map(|(id, _)| *id).collect();
    each_ends_in_time(&place, "correction", &slow);
}

/// Sends a signal by its name.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(sent.expect("kill starts").success());
}

/// How a run ends after these signals, and how long that takes. The first one is sent once a cell is kept,
/// or when the run has just begun.
fn ended(place: &Place, kept: bool, signals: &[(&str, Duration)]) -> (Option<i32>, Duration) {
    let mut child = place.start(&["run", "demo", "--jobs", "2"]);
    std::thread::sleep(Duration::from_millis(300));
    let is_kept = || {
        let text = |path| std::fs::read_to_string(path).unwrap_or_default();
        let mut segments = place.segments("demo").into_iter();
        segments.any(|path| text(path).contains("\"dummy\""))
    };
    let waiting = Instant::now();
    while kept && !is_kept() {
        assert!(waiting.elapsed() < Duration::from_mins(1), "no cell");
        std::thread::sleep(Duration::from_millis(20));
    }
    let start = Instant::now();
    for (name, wait) in signals {
        signal(&child, name);
        std::thread::sleep(*wait);
    }
    let code = child.wait().expect("it ends").code();
    (code, start.elapsed())
}

/// A cell that runs for a long time, in code that looks at its deadline and in a library that does not.
fn long(model: &str) -> Place {
    let sizes = "dim = 100\nclasses = 2\nseparation = 0.1\nn_train = 20000\nn_test = 100";
    let sweep = population("gaussian-simplex", sizes).replace("500ms", "1h");
    Place::with_sweep(&format!(
        "{sweep}[[model]]\nkind = \"dummy\"\n[[model]]\n{model}\n[[correction]]\nid = \"none\"\n"
    ))
}

const OWN: &str = "kind = \"mlp\"\nepochs = 100000";
const LIBRARY: &str = "kind = \"smartcore-gaussian-naive-bayes\"";
const NOW: Duration = Duration::ZERO;

#[test]
fn an_interrupt_ends_a_run_within_two_seconds() {
    for (model, name) in [(OWN, "INT"), (LIBRARY, "TERM")] {
        let place = long(model);
        let (code, took) = ended(&place, true, &[(name, NOW)]);
        assert_eq!(code, Some(75), "{model}");
        assert!(took < Duration::from_millis(2200), "{model}: {took:?}");
        let kept = place.segments("demo");
        let text = std::fs::read_to_string(&kept[0]).expect("a segment");
        assert!(
            text.contains("\"dummy\""),
            "{model}: what was finished is kept"
        );
        assert!(
            !text.contains("timeout"),
            "{model}: what was not finished is no record"
        );
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_so_does_one_before_any_cell() {
    let half = Duration::from_millis(300);
    let place = long(LIBRARY);
    let twice = [("INT", half), ("INT", NOW)];
    let (code, took) = ended(&place, true, &twice);
    assert_eq!(code, Some(75));
    assert!(took < half * 3, "{took:?}");

    let place = long(OWN);
    let dataset = "[[dataset]]\npath = \"large.csv\"\ntarget = \"y\"\n";
    place.write(
        "demo/sweep.toml",
        &(place.read("demo/sweep.toml") + dataset),
    );
    let line = "1.25,".repeat(400);
    let lines: String = (0..20_000).map(|i| format!("{line}{}\n", i % 2)).collect();
    let names: String = (0..400).map(|j| format!("x{j},")).collect();
    place.write("demo/large.csv", &format!("{names}y\n{lines}"));
    let (code, took) = ended(&place, false, &[("TERM", NOW)]);
    assert_eq!(code, Some(75));
    assert!(took < half, "{took:?}");
    assert!(!place.has("demo/segments"));
}

#[test]
fn a_limit_of_ages_is_an_error_with_its_line() {
    for text in ["3000000000000000h", "1e300h", "8761h"] {
        let sweep =
            population("gaussian-pair", "n_train = 100\nn_test = 100").replace("500ms", text);
        let place = Place::with_sweep(&format!(
            "{sweep}[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n"
        ));
        let ran = place.call(&["run", "demo"]).ends_with(2);
        assert!(
            ran.err.contains("sweep.toml:3: protocol > timeout"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn a_slow_library_ends_in_time() {
    let all = ids("models", None);
    let slow: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|id| is_library(id))
        .collect();
    // Few classes for those that take two, and few rows for those that are given few.
    let mut sweep = population(
        "gaussian-simplex",
        "classes = 2\ndim = 400\nn_train = 4000\nn_test = 500\nseparation = 0.2",
    );
    for id in &slow {
        let more = if id.ends_with("random-forest") {
            "trees = 1000\n"
        } else {
            ""
        };
        writeln!(sweep, "[[model]]\nkind = \"{id}\"\n{more}").expect("text");
    }
    sweep.push_str("[[correction]]\nid = \"none\"\n");
    let place = Place::with_sweep(&sweep);
    each_ends_in_time(&place, "model", &["smartcore-random-forest"]);
    let place = long(LIBRARY);
    place.write(
        "demo/sweep.toml",
        &place.read("demo/sweep.toml").replace("1h", "500ms"),
    );
    each_ends_in_time(&place, "model", &["smartcore-gaussian-naive-bayes"]);
}

/// Every library learner, on classes and with losses that some of them honour.
const LIBRARIES: &str = "format = 1\nseed = 3\n[protocol]\nfolds = 2\ninner_folds = 2\nsmall_class = \"clamp\"\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 150\nn_test = 100\nimbalance_ratio = 3\n\
    [[population]]\nkind = \"gaussian-simplex\"\nn_train = 120\nn_test = 90\nimbalance_ratio = 2\n\
    [[correction]]\nid = \"none\"\n[[correction]]\nid = \"weighted\"\nloss = { kind = \"weighted\" }\n\
    [[correction]]\nid = \"tuned\"\nresample = { kind = \"smote\" }\ndecide = { kind = \"tuned-threshold\" }\n\
    [[correction]]\nid = \"weight-norm\"\ndecide = { kind = \"weight-norm\" }\n\
    [[correction]]\nid = \"bagged\"\nensemble = { kind = \"under-bagging\" }\n";

#[test]
fn a_library_in_a_worker_gives_the_bits_that_it_gives_here() {
    let all = ids("models", None);
    // These give other numbers each time: two draw from a generator of their own, one breaks ties by chance.
    let own_chance = [
        "linfa-random-forest",
        "linfa-adaboost",
        "linfa-decision-tree",
    ];
    let models = all
        .iter()
        .filter(|id| is_library(id) && !own_chance.contains(&id.as_str()));
    let models: String = models
        .map(|id| format!("[[model]]\nkind = \"{id}\"\n"))
        .collect();
    let place = Place::with_sweep(&format!("{LIBRARIES}{models}"));
    place.write("here/sweep.toml", &place.read("demo/sweep.toml"));
    let there = place.call(&["run", "demo", "--quiet", "--no-report"]);
    let session = counterweight::Session::new(counterweight::CATALOGUE);
    assert!(session.in_process, "a test is no worker");
    let options = counterweight::RunOptions {
        no_report: true,
        ..counterweight::RunOptions::default()
    };
    let here = counterweight::run(&session, &place.path("here"), &options).expect("it runs");
    assert_eq!(there.code, here.exit as i32);
    assert!(place.bytes("demo/records.csv") == place.bytes("here/records.csv"));
    assert!(place.bytes("demo/details.parquet") == place.bytes("here/details.parquet"));
}

/// The processes that a process has started.
#[cfg(target_os = "linux")]
fn children(of: u32) -> Vec<u32> {
    let status = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/status")).ok();
    let parent = format!("PPid:\t{of}");
    let processes = std::fs::read_dir("/proc").expect("processes");
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&pid| status(pid).is_some_and(|text| text.lines().any(|line| line == parent)))
        .collect()
}

/// The worker of a run on one thread, in the midst of its fit.
#[cfg(target_os = "linux")]
fn worker_of(child: &Child) -> u32 {
    let waiting = Instant::now();
    loop {
        if let [worker] = children(child.id())[..] {
            std::thread::sleep(Duration::from_secs(1));
            return worker;
        }
        assert!(waiting.elapsed() < Duration::from_mins(1), "no worker");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_dies_costs_its_cell_and_none_outlives_its_program() {
    let kill = |pid: u32| {
        let killed = Command::new("kill")
            .args(["-KILL", &pid.to_string()])
            .status();
        assert!(killed.expect("kill starts").success());
    };
    let place = long(LIBRARY);
    let mut child = place.start(&["run", "demo", "--jobs", "1", "--no-report"]);
    kill(worker_of(&child));
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let records = place.records("demo");
    let row = records.one(&[("model", "smartcore-gaussian-naive-bayes")]);
    assert_eq!(row.text("outcome"), "failed");
    assert!(
        row.text("reason").contains("ended its process"),
        "{}",
        row.text("reason")
    );
    assert_eq!(records.one(&[("model", "dummy")]).text("outcome"), "ok");

    let place = long(LIBRARY);
    let mut child = place.start(&["run", "demo", "--jobs", "1", "--no-report"]);
    let worker = worker_of(&child);
    kill(child.id());
    child.wait().expect("it ends");
    let waiting = Instant::now();
    while std::path::Path::new(&format!("/proc/{worker}")).exists() {
        assert!(
            waiting.elapsed() < Duration::from_secs(5),
            "{worker} lives on"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
