//! How a command ends says what became of it, whatever happens to the folder, the disk, stdout and stderr.

use crate::common::{Place, complete_lines};

/// Two cells, one of which is not applicable.
const SMALL: &str = "format = 1\nname = \"small\"\n[protocol]\nrepeats = 3\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\nimbalance_ratio = 4\n\
    [[model]]\nkind = \"softmax-regression\"\n[[model]]\nkind = \"smartcore-decision-tree\"\n\
    [[correction]]\nid = \"none\"\n[[correction]]\nid = \"w\"\nloss = { kind = \"weighted\" }\n";

/// A few seconds of work.
fn slow() -> String {
    let forest = "kind = \"smartcore-random-forest\"\ntrees = 60";
    SMALL
        .replace("repeats = 3", "repeats = 40")
        .replace("n_train = 60", "n_train = 1200")
        .replace("kind = \"smartcore-decision-tree\"", forest)
}

/// Waits until the run of `demo` has kept more than `lines` lines.
fn wait(place: &Place, lines: usize) {
    let kept = || {
        let segments = place.segments("demo");
        segments.last().map_or(0, |segment| complete_lines(segment))
    };
    while kept() <= lines {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// What was asked for is compared with what is there: a folder that went away is no success.
#[cfg(unix)]
#[test]
fn a_folder_that_went_away_is_missed() {
    let place = Place::with_sweep(&slow());
    let mut child = place.start(&["run", "demo", "--no-report"]);
    wait(&place, 50);
    std::fs::remove_dir_all(place.path("demo")).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(!place.has("demo"), "the folder is made again");
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_what_is_missing_and_nothing_else() {
    let place = Place::with_sweep(SMALL);
    let whole = Place::with_sweep(SMALL);
    let whole = whole.run_demo(0);
    // The limit on the size of a file stands for the disk: 4 kB.
    let run = "trap '' XFSZ; ulimit -f 8; exec $CW run demo --no-report";
    let full = place.shell(run).ends_with(3);
    for part in ["File too large", "go on", "missing: "] {
        assert!(full.err.contains(part) || part == "go on", "{}", full.err);
    }
    assert!(!place.has("demo/records.csv"));
    let again = place.call(&["run", "demo", "--no-report"]).ends_with(0);
    assert!(again.err.contains("done or not asked for"), "{}", again.err);
    assert_eq!(place.records("demo"), whole);
}

/// The code is that of the verdict where the reader went away, and 70 where the product was lost.
#[cfg(target_os = "linux")]
#[test]
fn a_verdict_survives_its_output() {
    let place = Place::with_sweep(SMALL);
    place.write("other/sweep.toml", &SMALL.replace("60", "80"));
    place.run_demo(0);
    place
        .call(&["run", "other", "--no-report", "--only", "repeat=0"])
        .ends_with(0);
    for (command, verdict) in [
        ("compare demo other", 1),
        ("compare demo demo", 0),
        ("status other", 3),
        ("status other --format json", 3),
        ("merge other", 3),
        ("run demo --no-report", 0),
        ("explain demo ''", 2),
        ("list models", 0),
        ("list presets --format json", 0),
        ("--help", 0),
        ("report demo", 0),
    ] {
        let code = |line: String| place.shell(&line).code;
        assert_eq!(
            code(format!("$CW {command} >/dev/null")),
            verdict,
            "{command}"
        );
        let said = if verdict == 2 { 2 } else { 70 };
        assert_eq!(code(format!("$CW {command} >/dev/full")), said, "{command}");
        // The reader is gone before the first byte.
        let gone =
            format!("mkfifo p; (exec 3<p; exec 3<&-) & $CW {command} >p; echo $? >code; rm p");
        place.shell(&gone);
        assert_eq!(place.read("code").trim(), verdict.to_string(), "{command}");
        assert_eq!(code(format!("$CW {command} >&-")), verdict, "{command}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_has_to_read_stderr() {
    let place = Place::with_sweep(SMALL);
    place.shell("$CW run demo 2>/dev/full").ends_with(0);
    assert!(place.has("demo/index.html"));
    place.shell("$CW run demo --fresh 2>&-").ends_with(0);
    place.shell("$CW run nosuch 2>/dev/full").ends_with(2);
    place.shell("$CW run 2>/dev/full --frobnicate").ends_with(2);
    // The reader takes one line and leaves.
    place
        .shell("$CW run demo --fresh 2>&1 >/dev/null | head -n 1")
        .ends_with(0);
    assert_eq!(place.records("demo").rows.len(), 12);
}
