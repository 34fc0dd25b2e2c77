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
    // The limit on the size of a file stands for the disk: 4 kB. One thread, since of two that write at once the one
    // that fails may come before anything is kept.
    let run = "trap '' XFSZ; ulimit -f 8; exec $CW run demo --no-report --jobs 1";
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

/// A verdict on a baseline that one cell has been lost against, in every format and into a file of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_gate_fails_whatever_becomes_of_its_words() {
    let place = Place::with_sweep(SMALL);
    place.write("demo/gate.toml", "format = 1\nrequire_power = false\n");
    place
        .shell("env -u CI $CW gate demo --quiet --update --reason first")
        .ends_with(0);
    let baseline = place.read("demo/baseline.csv");
    let lost = baseline.replacen(",not-applicable,", ",ok,0.25", 1);
    place.write("demo/baseline.csv", &lost);
    for format in ["text", "json", "github", "junit"] {
        let code = |rest: &str| {
            let line = format!("env -u CI $CW gate demo --quiet --format {format} {rest}");
            place.shell(&line).code
        };
        assert_eq!(code(">/dev/null"), 1, "{format}");
        assert_eq!(code(">/dev/full"), 70, "{format}");
        assert_eq!(code(">&-"), 1, "{format}");
        let gone = "mkfifo p; (exec 3<p; exec 3<&-) & env -u CI $CW gate demo --quiet --format";
        place.shell(&format!("{gone} {format} >p; echo $? >code; rm p"));
        assert_eq!(place.read("code").trim(), "1", "{format}");
        // A file is there whole, or as it was.
        let file = format!("gate.{format}");
        assert_eq!(code(&format!("--output {file} >/dev/null")), 1);
        let whole = place.read(&file);
        assert!(whole.ends_with('\n') && whole.len() > 100, "{whole}");
        place.write(&file, "as it was");
        let small =
            format!("trap '' XFSZ; ulimit -f 0; env -u CI $CW gate demo --quiet --format {format}");
        let said = place
            .shell(&format!("{small} --output {file} >/dev/null"))
            .ends_with(70)
            .err;
        assert!(
            said.contains("File too large") && said.contains("make room"),
            "{said}"
        );
        assert_eq!(place.read(&file), "as it was");
        let said = place
            .shell(&format!("{small} --output nowhere/{file} >/dev/null"))
            .ends_with(70);
        assert!(said.err.contains("No such file"), "{}", said.err);
    }
    let left = place.snapshot("").into_keys();
    let left: Vec<_> = left
        .filter(|path| path.extension().is_some_and(|end| end == "tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let text = place
        .shell("env -u CI $CW gate demo --quiet")
        .ends_with(1)
        .out;
    assert!(text.contains("ok before, not-applicable now"), "{text}");
}

/// Few files, little memory, no threads: a message, and nothing is lost.
#[cfg(target_os = "linux")]
#[test]
fn a_machine_that_refuses_costs_nothing() {
    let place = Place::with_sweep(SMALL);
    let whole = place.run_demo(0);
    let before = place.snapshot("demo");
    for (limit, word) in [
        ("ulimit -n 4", "Too many open files"),
        ("ulimit -v 300000", "cannot"),
    ] {
        let ran = place.shell(&format!(
            "{limit}; exec $CW run demo --no-report --only repeat=0"
        ));
        if ran.code != 0 {
            assert!(
                matches!(ran.code, 2 | 70),
                "{limit}: {} {}",
                ran.code,
                ran.err
            );
            assert!(ran.err.contains(word), "{limit}: {}", ran.err);
            assert!(place.snapshot("demo") == before, "{limit}");
        }
        assert!(!ran.err.contains("panicked"), "{limit}: {}", ran.err);
    }
    assert_eq!(place.run_demo(0), whole);
    let large = SMALL.replace("n_train = 60", "n_train = 150000000");
    place.write("large/sweep.toml", &large);
    let said = place
        .shell("ulimit -v 6000000; exec $CW run large")
        .ends_with(2)
        .err;
    assert!(
        said.contains("large/sweep.toml:5: dataset `gaussian-pair`"),
        "{said}"
    );
}

/// A folder that may only be read: the reason, a hint that helps, and what can be read is read.
#[cfg(unix)]
#[test]
fn a_folder_that_may_only_be_read_is_read() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    /// The user that owns nothing.
    const NOBODY: u32 = 65534;
    let place = Place::with_sweep(SMALL);
    let whole = place.run_demo(0);
    let mode = |path: &str, mode: u32| {
        std::fs::set_permissions(place.path(path), Permissions::from_mode(mode)).unwrap();
    };
    // A superuser may write everywhere.
    let root = place.shell("id -u").out.trim() == "0";
    mode("", 0o755);
    for folder in ["demo/segments", "demo"] {
        mode(folder, 0o555);
    }
    let call = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        if root {
            command.uid(NOBODY);
        }
        command.output()
    };
    // Where nobody may not even call the binary, there is nothing to see.
    if call(&["--version"]).is_ok_and(|done| done.status.success()) {
        let run = |arguments: &[&str]| {
            let done = call(arguments).unwrap();
            (
                done.status.code(),
                String::from_utf8_lossy(&done.stderr).into_owned(),
            )
        };
        assert_eq!(run(&["status", "demo"]).0, Some(0));
        assert_eq!(run(&["compare", "demo", "demo"]).0, Some(0));
        for arguments in [
            &["run", "demo", "--fresh", "--no-report"][..],
            &["run", "demo"],
            &["merge", "demo"],
            &["report", "demo"],
        ] {
            let (code, said) = run(arguments);
            assert_eq!(code, Some(2), "{arguments:?}: {said}");
            assert!(said.contains("Permission denied"), "{said}");
            assert!(
                said.contains("hint: give this user the permission to, or work in a copy"),
                "{said}"
            );
        }
    }
    for folder in ["demo", "demo/segments"] {
        mode(folder, 0o755);
    }
    assert_eq!(place.run_demo(0), whole);
    place
        .shell("cp -r demo copy && $CW run copy --fresh --no-report")
        .ends_with(0);
    assert_eq!(place.records("copy"), whole);
}
