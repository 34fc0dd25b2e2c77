//! The same question has the same answer, byte for byte: whatever the threads, the shards, the order
//! of work, the interruptions, and whatever else the sweep asks.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::common::{Place, complete_lines, mixed_csv};

/// Every model and every preset, over drawn rows and a file with nominal and missing values.
const EVERYTHING: &str = r#"
format = 1
name = "everything"
seed = 5
[protocol]
folds = 2
repeats = 2
inner_folds = 2
[[population]]
kind = "gaussian-simplex"
n_train = 120
n_test = 90
imbalance_ratio = [1, 12]
profile = "exponential"
[[dataset]]
path = "mixed.csv"
target = "y"
imbalance_ratio = ["natural", 6]
[[model]]
kind = "softmax-regression"
l2 = [0.1, 1.0]
[[model]]
kind = "gaussian-naive-bayes"
[[model]]
kind = "k-nearest-neighbours"
[[model]]
kind = "linfa-logistic"
[[model]]
kind = "linfa-gaussian-naive-bayes"
[[model]]
kind = "smartcore-decision-tree"
[[model]]
kind = "smartcore-random-forest"
trees = 4
[[correction]]
preset = "families"
[[correction]]
preset = "combinations"
[[correction]]
decide = { kind = "tuned-threshold", metric = ["g-mean", "macro-f1"] }
"#;

/// A smaller sweep of the same kind, for what has to be run many times.
const SOME: &str = r#"
format = 1
name = "some"
seed = 5
[protocol]
folds = 2
repeats = 2
inner_folds = 2
[[population]]
kind = "gaussian-simplex"
n_train = 120
n_test = 90
imbalance_ratio = [1, 12]
profile = "exponential"
[[dataset]]
path = "mixed.csv"
target = "y"
[[model]]
kind = "softmax-regression"
l2 = [0.1, 1.0]
[[model]]
kind = "k-nearest-neighbours"
[[correction]]
preset = "families"
"#;

/// A sweep of a few seconds, whose cells come out one after the other.
const SLOW: &str = r#"
format = 1
name = "slow"
seed = 3
[protocol]
repeats = 12
[[population]]
kind = "gaussian-pair"
n_train = 1200
n_test = 1000
imbalance_ratio = 5
[[model]]
kind = "smartcore-random-forest"
trees = 60
[[model]]
kind = "softmax-regression"
[[correction]]
id = "none"
[[correction]]
resample = { kind = "random-over" }
[[correction]]
resample = { kind = "smote" }
[[correction]]
decide = { kind = "tuned-threshold" }
"#;

fn with_data(text: &str) -> Place {
    let place = Place::with_sweep(text);
    place.write("demo/mixed.csv", &mixed_csv(&[60, 30, 12], 1));
    place
}

/// Runs `demo` into the folder `output`; gives records.csv.
#[track_caller]
fn run(place: &Place, output: &str, more: &[&str]) -> Vec<u8> {
    let mut arguments = vec!["run", "demo", "--quiet", "--no-report", "--output", output];
    arguments.extend(more);
    place.call(&arguments).ends_with(0);
    place.bytes(&format!("{output}/records.csv"))
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let place = with_data(EVERYTHING);
    let one = run(&place, "one", &["--jobs", "1"]);
    let records = place.records("one");
    assert_eq!(records.distinct("repeat"), ["0", "1"]);
    // Nothing is compared if everything is not applicable: most cells have a value.
    let valued = records
        .rows
        .iter()
        .filter(|row| row.number("balanced_error").is_some())
        .count();
    assert!(valued * 2 > records.rows.len(), "{valued} values");
    assert_eq!(
        records.distinct("outcome"),
        ["clamped", "not-applicable", "ok"]
    );
    for jobs in ["2", "8"] {
        let many = run(&place, jobs, &["--jobs", jobs]);
        assert!(one == many, "--jobs {jobs} gives other records");
        for file in ["records.parquet", "details.parquet"] {
            let (a, b) = (format!("one/{file}"), format!("{jobs}/{file}"));
            assert!(place.bytes(&a) == place.bytes(&b), "--jobs {jobs}: {file}");
        }
    }
    let values = |folder: &str| {
        let run: serde_json::Value =
            serde_json::from_str(&place.read(&format!("{folder}/run.json"))).unwrap();
        run["values"].as_str().unwrap().to_owned()
    };
    assert_eq!(values("one"), values("8"));
}

/// The segment that a running process writes, once it has more than `lines` lines.
#[track_caller]
fn wait_for_lines(place: &Place, folder: &str, child: &mut Child, lines: usize) -> PathBuf {
    let start = Instant::now();
    loop {
        let newest = place.segments(folder).pop();
        if let Some(segment) = newest.filter(|segment| complete_lines(segment) > lines) {
            return segment;
        }
        let ended = child.try_wait().expect("a child that can be asked");
        assert!(
            ended.is_none(),
            "the run was over before it could be interrupted: {ended:?}"
        );
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "the run does not get anywhere"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The cells of a whole run of [`SLOW`], and its records.csv.
fn uninterrupted() -> (usize, &'static [u8]) {
    static WHOLE: OnceLock<(usize, Vec<u8>)> = OnceLock::new();
    let (cells, records) = WHOLE.get_or_init(|| {
        let place = Place::with_sweep(SLOW);
        let records = run(&place, "whole", &[]);
        (place.records("whole").rows.len(), records)
    });
    (*cells, records)
}

#[test]
fn a_killed_run_loses_nothing_that_it_wrote() {
    let place = Place::with_sweep(SLOW);
    let (cells, whole) = uninterrupted();
    let mut child = place.start(&["run", "demo", "--no-report", "--jobs", "1"]);
    // The cells that planning settled come first and at once: wait for more than those.
    let segment = wait_for_lines(&place, "demo", &mut child, cells / 3);
    child.kill().expect("SIGKILL");
    child.wait().expect("its end");
    let kept = complete_lines(&segment) - 1;
    assert!(
        0 < kept && kept < cells,
        "killed at {kept} of {cells}: not in the middle"
    );
    assert!(!place.has("demo/records.csv"), "killed after the work");
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(status["done"], kept);
    assert_eq!(status["missing"], cells - kept);
    place
        .call(&["run", "demo", "--quiet", "--no-report", "--jobs", "2"])
        .ends_with(0);
    assert!(place.bytes("demo/records.csv") == whole);
    // The second run did what was missing and nothing else.
    let segments = place.segments("demo");
    assert_eq!(segments.len(), 2);
    assert_eq!(complete_lines(&segments[1]) - 1, cells - kept);
    // A third finds nothing to do.
    let third = place.call(&["run", "demo", "--no-report"]).ends_with(0);
    assert!(third.err.contains("nothing to run"), "{}", third.err);
    assert!(place.bytes("demo/records.csv") == whole);
}

#[cfg(unix)]
#[test]
fn a_run_that_is_told_to_stop_finishes_what_it_has_in_hand() {
    let place = Place::with_sweep(SLOW);
    let (cells, whole) = uninterrupted();
    for signal in ["TERM", "INT"] {
        let arguments = [
            "run",
            "demo",
            "--no-report",
            "--jobs",
            "2",
            "--output",
            signal,
        ];
        let mut child = place.start(&arguments);
        let segment = wait_for_lines(&place, signal, &mut child, cells / 3);
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -{signal} {}", child.id())])
            .status()
            .expect("a shell");
        assert!(sent.success());
        let ended = child.wait().expect("its end");
        assert_eq!(ended.code(), Some(75), "SIG{signal}: {ended}");
        let kept = complete_lines(&segment) - 1;
        assert!(kept < cells, "told to stop after the work");
        let bytes = std::fs::read(&segment).unwrap();
        assert_eq!(bytes.last(), Some(&b'\n'), "a torn line");
        // What is done stands in records.csv already, and is what the whole run found.
        assert_eq!(place.records(signal).rows.len(), kept);
        let found = place.read(&format!("{signal}/records.csv"));
        let all = String::from_utf8_lossy(whole);
        assert!(
            found
                .lines()
                .all(|line| all.lines().any(|other| other == line))
        );
        assert!(run(&place, signal, &[]) == whole);
    }
}

#[test]
fn shards_and_machines_merge_to_the_whole() {
    let place = with_data(SOME);
    let whole = run(&place, "whole", &[]);
    let cells = place.records("whole").rows.len();
    let mut sum = 0;
    for shard in ["1", "2", "3"] {
        let part = format!("part{shard}");
        run(&place, &part, &["--shard", &format!("{shard}/3")]);
        let count = place.records(&part).rows.len();
        // Every shard has work, and none has it all.
        assert!(count > 0 && count < cells, "shard {shard}: {count} cells");
        sum += count;
        let status = place
            .call(&["status", &part, "--format", "json"])
            .ends_with(3)
            .json();
        assert_eq!(status["segments"][0]["shard"], format!("{shard}/3"));
    }
    assert_eq!(sum, cells, "shards overlap or leave cells out");

    let ran = place
        .call(&["merge", "demo", "part1", "part3"])
        .ends_with(3);
    let there = place.records("demo").rows.len();
    assert!(
        ran.out.contains(&format!("{there} of {cells} cells")),
        "{}",
        ran.out
    );
    assert_eq!(there, cells - place.records("part2").rows.len());
    place.call(&["status", "demo"]).ends_with(3);

    place.call(&["merge", "demo", "part2"]).ends_with(0);
    assert!(place.bytes("demo/records.csv") == whole);
    place.call(&["status", "demo"]).ends_with(0);
    // The same store again changes nothing and is no error.
    let again = place.call(&["merge", "demo", "part2"]).ends_with(0);
    assert!(again.out.contains("same values"), "{}", again.out);
    assert!(place.bytes("demo/records.csv") == whole);
    // A scheduler's index names the same part.
    let by_scheduler = |index: &str| {
        let output = format!("auto{index}");
        let arguments = ["run", "demo", "--quiet", "--no-report", "--output", &output];
        let arguments = [&arguments[..], &["--shard", "auto/3"]].concat();
        let variables = [
            ("SLURM_ARRAY_TASK_ID", index),
            ("SLURM_ARRAY_TASK_MIN", "1"),
        ];
        place.call_with(&variables, &arguments).ends_with(0);
        place.bytes(&format!("{output}/records.csv"))
    };
    assert!(by_scheduler("2") == place.bytes("part2/records.csv"));
}

/// Committed records are not work done, but can be merged in; and one cell with two results is an
/// error that names both.
#[test]
fn records_files_merge_and_contradictions_are_errors() {
    let place = with_data(SOME);
    let whole = run(&place, "whole", &[]);
    std::fs::remove_dir_all(place.path("whole/segments")).unwrap();
    place.call(&["status", "whole"]).ends_with(3);
    place
        .call(&["merge", "demo", "whole/records.parquet"])
        .ends_with(0);
    assert!(place.bytes("demo/records.csv") == whole);
    // csv takes the same way, although it knows no types.
    std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
    place
        .call(&["merge", "demo", "whole/records.csv"])
        .ends_with(0);
    assert!(place.bytes("demo/records.csv") == whole);

    let segment = place.segments("demo").remove(0);
    let text = std::fs::read_to_string(&segment).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("\"balanced_error\":"))
        .unwrap();
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    let mut other = entry.clone();
    other["record"]["metrics"]["balanced_error"] = 0.123.into();
    // As an earlier build would have written it: no line with a checksum.
    let bare = |value: &serde_json::Value| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove("sum").unwrap();
        value
    };
    let header = bare(&serde_json::from_str(text.lines().next().unwrap()).unwrap());
    let other = bare(&other);
    place.write("other/segments/1.jsonl", &format!("{header}\n{other}\n"));
    let ran = place.call(&["merge", "demo", "other"]).ends_with(2);
    let cell = entry["record"]["cell"].as_str().unwrap();
    for part in [
        cell,
        "balanced_error",
        "1.jsonl",
        segment.file_name().unwrap().to_str().unwrap(),
    ] {
        assert!(ran.err.contains(part), "{part} is not in {}", ran.err);
    }
    assert!(
        place.bytes("demo/records.csv") == whole,
        "written all the same"
    );
}

/// A value makes up for a failure, for good: the timeout is no part of a cell's name.
#[test]
fn a_value_from_elsewhere_replaces_a_failure() {
    let hasty = SLOW.replace("repeats = 12", "repeats = 1\ntimeout = \"1ms\"");
    let place = Place::with_sweep(&hasty);
    place.write("patient/sweep.toml", &hasty.replace("1ms", "10m"));
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(1);
    assert!(
        place
            .records("demo")
            .distinct("outcome")
            .contains(&"timeout")
    );
    place
        .call(&["run", "patient", "--quiet", "--no-report"])
        .ends_with(0);
    place.call(&["merge", "demo", "patient"]).ends_with(0);
    assert!(place.bytes("demo/records.csv") == place.bytes("patient/records.csv"));
    place.call(&["status", "demo"]).ends_with(0);
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    assert!(place.bytes("demo/records.csv") == place.bytes("patient/records.csv"));
}

#[test]
fn a_part_first_and_the_rest_later_gives_the_whole() {
    let place = with_data(SOME);
    let whole = run(&place, "whole", &[]);
    let only = "model=softmax-regression[l2=0.1],model=k-nearest-neighbours,repeat=1";
    run(&place, "parts", &["--only", only]);
    let part = place.records("parts");
    assert_eq!(
        part.distinct("model"),
        ["k-nearest-neighbours", "softmax-regression[l2=0.1]"]
    );
    assert_eq!(part.distinct("repeat"), ["1"]);
    assert_eq!(part.distinct("dataset"), ["gaussian-simplex", "mixed"]);
    let one_cell = format!("cell={}", place.records("whole").rows[0].text("cell"));
    run(&place, "parts", &["--only", &one_cell]);
    assert_eq!(place.records("parts").rows.len(), part.rows.len() + 1);
    assert!(run(&place, "parts", &[]) == whole);
}

/// Ruins line `number` (from 1) of a file.
fn damage(path: &Path, number: usize) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(number < lines.len(), "not in the middle");
    let ruined: String = (1..)
        .zip(&lines)
        .map(|(at, line)| {
            if at == number {
                format!("{}\n", &line[..line.len() / 2])
            } else {
                format!("{line}\n")
            }
        })
        .collect();
    std::fs::write(path, ruined).unwrap();
}

#[test]
fn a_torn_last_line_is_done_again_and_a_damaged_one_in_the_middle_likewise() {
    let place = with_data(SOME);
    let whole = run(&place, "torn", &[]);
    let segment = place.segments("torn").remove(0);
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &bytes[..bytes.len() - 40]).unwrap();
    let status = place
        .call(&["status", "torn", "--format", "json"])
        .ends_with(3);
    assert_eq!(status.json()["torn_lines"], 1);
    assert_eq!(status.json()["missing"], 1);
    let again = place
        .call(&["run", "demo", "--output", "torn", "--no-report"])
        .ends_with(0);
    assert!(again.err.contains("1 torn line"), "{}", again.err);
    assert!(again.err.contains("running 1 cells"), "{}", again.err);
    assert!(place.bytes("torn/records.csv") == whole);
    // A header that was torn off loses the segment's nothing.
    place.write("torn/segments/9.jsonl", "{\"format\":1,\"vers");
    place.call(&["status", "torn"]).ends_with(0);

    damage(&segment, 7);
    let name = segment.file_name().unwrap().to_str().unwrap().to_owned();
    let status = place
        .call(&["status", "torn", "--format", "json"])
        .ends_with(3)
        .json();
    let told = status["damaged_lines"][0].as_str().unwrap();
    assert!(told.contains(&format!("{name}:7 (cell ")), "{told}");
    assert_eq!(status["missing"], 1);
    let again = place
        .call(&["run", "demo", "--output", "torn", "--no-report"])
        .ends_with(0);
    assert!(again.err.contains("1 damaged line"), "{}", again.err);
    assert!(again.err.contains("running 1 cells"), "{}", again.err);
    assert!(place.bytes("torn/records.csv") == whole);
    // What has been made good is told by `status` alone; `--fresh` drops the damaged segment.
    let third = run_noted(&place);
    assert!(!third.contains("damaged"), "{third}");
    let text = place.call(&["status", "torn"]).ends_with(0).out;
    assert!(text.contains("damaged lines: 2"), "{text}");
    assert!(run(&place, "torn", &["--fresh"]) == whole);
    let text = place.call(&["status", "torn"]).ends_with(0).out;
    assert!(!text.contains("damaged"), "{text}");
}

fn run_noted(place: &Place) -> String {
    let again = ["run", "demo", "--output", "torn", "--no-report"];
    place.call(&again).ends_with(0).err
}

#[test]
fn what_is_added_to_a_sweep_moves_no_other_number() {
    let place = with_data(SOME);
    run(&place, "before", &[]);
    let before = place.records("before");
    let more = SOME
        // Models, corrections and data before, between and after the others.
        .replacen("[[model]]", "[[model]]\nid = \"first\"\nkind = \"k-nearest-neighbours\"\nk = 3\n[[model]]", 1)
        .replacen("[[correction]]", "[[correction]]\nid = \"early\"\nresample = { kind = \"random-over\", shrinkage = 0.5 }\n[[correction]]", 1)
        .replacen("[[population]]", "[[population]]\nkind = \"moons\"\nn_train = 60\nn_test = 60\n[[population]]", 1)
        .replace("l2 = [0.1, 1.0]", "l2 = [0.01, 0.1, 1.0]")
        .replace("imbalance_ratio = [1, 12]", "imbalance_ratio = [1, 3, 12]")
        .replace("repeats = 2", "repeats = 3")
        + "[[correction]]\nid = \"late\"\nresample = { kind = \"smote\", k = 3 }\ndecide = { kind = \"logit-adjust\" }\n";
    place.write("demo/sweep.toml", &more);
    run(&place, "after", &[]);
    let after = place.records("after");
    for added in [
        ("model", "first"),
        ("correction", "early"),
        ("correction", "late"),
        ("dataset", "moons"),
        ("model", "softmax-regression[l2=0.01]"),
        ("requested_ratio", "3.0"),
        ("repeat", "2"),
    ] {
        after.of(&[added]);
    }
    for row in &before.rows {
        let same = after.one(&[("cell", row.text("cell"))]);
        assert_eq!(same.without_parameters(), row.without_parameters());
    }
    // And the other way: a smaller sweep takes what the larger one did.
    place.write("demo/sweep.toml", SOME);
    let ran = place
        .call(&["run", "demo", "--output", "after", "--no-report"])
        .ends_with(0);
    assert!(ran.err.contains("nothing to run"), "{}", ran.err);
    assert!(place.bytes("after/records.csv") == place.bytes("before/records.csv"));
}

/// What does decide a result gives the cell another name, so that a store never mixes two questions.
#[test]
fn cells_are_named_by_what_decides_their_result() {
    let place = with_data(SOME);
    run(&place, "base", &["--only", "model=k-nearest-neighbours"]);
    let base = place.records("base");
    let ids = |folder: &str| -> Vec<String> {
        let records = place.records(folder);
        records
            .rows
            .iter()
            .map(|row| row.text("cell").to_owned())
            .collect()
    };
    // Another folder, another name of the file, no name in it: the same ids.
    let nameless = SOME.replace("name = \"some\"\n", "");
    place.write("elsewhere/other.toml", &nameless);
    place.write("elsewhere/mixed.csv", &place.read("demo/mixed.csv"));
    place
        .call(&[
            "run",
            "elsewhere/other.toml",
            "--quiet",
            "--no-report",
            "--only",
            "model=k-nearest-neighbours",
        ])
        .ends_with(0);
    assert_eq!(ids("elsewhere"), ids("base"));
    assert!(place.bytes("elsewhere/records.csv") == place.bytes("base/records.csv"));
    // The same values in another spelling or file: the same ids.
    let spelt = place.read("demo/mixed.csv").replace("blue", "\"blue\"");
    place.write("elsewhere/mixed.csv", &spelt);
    let arguments = ["run", "elsewhere/other.toml", "--no-report", "--only"];
    let arguments = [&arguments[..], &["model=k-nearest-neighbours"]].concat();
    let ran = place.call(&arguments).ends_with(0);
    assert!(ran.err.contains("nothing to run"), "{}", ran.err);

    for (what, from, to) in [
        ("seed", "seed = 5", "seed = 6"),
        ("inner folds", "inner_folds = 2", "inner_folds = 3"),
        (
            "metric prior",
            "folds = 2\n",
            "folds = 2\nmetric_prior = \"uniform\"\n",
        ),
        (
            "small classes",
            "folds = 2\n",
            "folds = 2\nsmall_class = \"skip\"\n",
        ),
    ] {
        let changed = SOME.replacen(from, to, 1);
        assert_ne!(changed, SOME, "{what}");
        place.write("demo/sweep.toml", &changed);
        run(
            &place,
            "changed",
            &["--only", "model=k-nearest-neighbours", "--fresh"],
        );
        let changed = ids("changed");
        assert_eq!(changed.len(), base.rows.len());
        assert!(ids("base").iter().all(|id| !changed.contains(id)), "{what}");
    }
}
