//! Programs that hang, die, babble or take too much, that are killed or outlive those who started them, and one that
//! writes down what it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{HEAD, SHARED, centroids, data, example, run_demo};
use crate::common::{Place, Row, complete_lines};
use crate::programs;

/// The example, which does what its first argument names.
fn faulty() -> String {
    let faults = r#"
    next if piped($q);
    spy($q) if @ARGV && $ARGV[0] eq 'spy';
    if ($q->{op} eq 'fit' && @ARGV && !-e 'mended') {
        my $fault = $ARGV[0];
        print STDERR "about to $fault\n";
        sleep 1000 if $fault eq 'hang';
        if ($fault eq 'stubborn') { $SIG{INT} = $SIG{TERM} = 'IGNORE'; exec 'sleep', '1000' if !fork; mark(); sleep 1000 }
        if ($fault eq 'slow') { mark(); select undef, undef, undef, 0.4; unlink 'fitting' }
        if ($fault eq 'greedy') { my $n = 3_000_000_000; my $all = 'x' x $n }
        die "no such luck" if $fault eq 'die';
        if ($fault eq 'orphan') { exec 'sleep', '1000' if !fork; exit 4 }
        print "Epoch 1: loss 0.3\n" if $fault eq 'chatter';
        print '{"id":0}', "\n" if $fault eq 'miscount';
        if ($fault eq 'flood') { print 'x' x 4096 while 1 }
        if ($fault eq 'refuse') { print encode_json({id => $q->{id}, error => 'too few rows'}), "\n"; next }
        if ($fault eq 'abstain') { print encode_json({id => $q->{id}, error => 'not mine', kind => 'not-applicable'}), "\n"; next }
    }
    my %answer"#;
    let scores = r"map { my $p = $_ / $total; -e 'mended' || !@ARGV ? $p
                : $ARGV[0] eq 'nan' ? 'nan' : $ARGV[0] eq 'unsummed' ? $p / 2 : $ARGV[0] eq 'negative' ? -$p : $p } @p;
            print $out pack 'd<', 0 if @ARGV && $ARGV[0] eq 'longer' && !-e 'mended';";
    let start = r"sub mark { open my $f, '>', 'part'; print $f $$; close $f; rename 'part', 'fitting' }
sub spy {
    my ($q) = @_; return if $q->{op} !~ /fit|score/;
    open my $f, '>>', 'spied'; my $d = $q->{columns}; my @x = numbers($q->{x});
    print $f encode_json({ op => $q->{op}, model => qq($$ $q->{model}), rows => [map { unpack 'H*', pack 'd<*', @x[$_ * $d .. $_ * $d + $d - 1] } 0 .. $q->{rows} - 1] }), qq(\n);
}
sleep 1000 if @ARGV && $ARGV[0] eq 'sleep' && !-e 'mended';
exit 3 if @ARGV && $ARGV[0] eq 'leave' && !-e 'mended';
use POSIX; sub piped { my ($q) = @_; if ($q->{op} eq 'score' && @ARGV && $ARGV[0] eq 'piped' && !-e 'mended') { unlink $q->{into}; POSIX::mkfifo($q->{into}, 0600); print encode_json({id => $q->{id}, scores => 'probability'}), qq(\n); return 1 } 0 }
while (my $line";
    let text = example();
    for old in [
        "\n    my %answer",
        "map { $_ / $total } @p;",
        "while (my $line",
    ] {
        assert!(text.contains(old), "{old}");
    }
    text.replacen("\n    my %answer", faults, 1)
        .replacen("map { $_ / $total } @p;", scores, 1)
        .replacen("while (my $line", start, 1)
}

#[test]
fn whatever_a_program_does_is_an_outcome_and_the_sweep_goes_on() {
    if programs::program(&["perl"]).is_none() {
        return;
    }
    let faults = [
        ("hang", "timeout", "timeout"),
        ("sleep", "timeout", "did not answer the greeting"),
        (
            "die",
            "failed",
            "ended (exit status: 2): about to die | no such luck at",
        ),
        ("leave", "failed", "ended (exit status: 3)"),
        ("orphan", "failed", "ended (exit status: 4)"),
        ("piped", "failed", "is no regular file"),
        (
            "chatter",
            "failed",
            "said `Epoch 1: loss 0.3`, which is no answer to question 2: about to chatter",
        ),
        (
            "miscount",
            "failed",
            "said `{\"id\":0}`, which is no answer",
        ),
        ("flood", "failed", "said `xxxx"),
        ("refuse", "failed", "`centroids`: too few rows"),
        ("abstain", "not-applicable", "`centroids`: not mine"),
        ("nan", "failed", "its scores of row 0 are [NaN, NaN]"),
        ("unsummed", "failed", "its scores of row 0 are [0."),
        ("negative", "failed", "its scores of row 0 are [-0."),
        ("longer", "failed", "numbers of 8 bytes are due"),
    ];
    let mut models: String = faults
        .iter()
        .map(|(fault, ..)| centroids(fault, &[fault]))
        .collect();
    models.push_str(&centroids("sound", &[]));
    models.push_str("[[model]]\nkind = \"command\"\nid = \"missing\"\nversion = \"1\"\ncommand = [\"no-such-program\"]\n");
    models.push_str("[[model]]\nkind = \"command\"\nid = \"deaf\"\nversion = \"1\"\ncommand = [\"echo\", \"hello\"]\n");
    models.push_str(&centroids("other", &[]).replace("version = \"1\"", "version = \"2\""));
    let sweep = format!(
        "{}[[dataset]]\npath = \"two.csv\"\ntarget = \"y\"\n{models}\
         [[correction]]\nid = \"none\"\n[[correction]]\nresample = {{ kind = \"random-over\" }}\n",
        HEAD.replace("[protocol]\n", "[protocol]\ntimeout = \"2s\"\n")
    );
    let place = Place::with_sweep(&sweep);
    data(&place);
    place.write("demo/centroids.pl", &faulty());
    let records = run_demo(&place, 1);
    let expect = |model: &str, outcome: &str, words: &str| {
        let rows = records.of(&[("model", model)]);
        assert_eq!(rows.len(), 6, "{model}");
        for row in rows {
            assert_eq!(
                row.text("outcome"),
                outcome,
                "{model}: {}",
                row.text("reason")
            );
            assert!(
                row.text("reason").contains(words),
                "{model}: {}",
                row.text("reason")
            );
        }
    };
    for (fault, outcome, words) in faults {
        expect(fault, outcome, words);
    }
    expect("sound", "ok", "");
    expect(
        "missing",
        "failed",
        "`no-such-program` cannot be started: No such file",
    );
    expect(
        "deaf",
        "failed",
        "`echo` said `hello`, which is no answer to question 1",
    );
    expect(
        "other",
        "failed",
        "says that it is 1, and the sweep file that it is 2",
    );
    assert_eq!(left_behind(&place), Vec::<String>::new());

    // What is mended runs with the same command.
    place.write("demo/mended", "");
    let ran = ["run", "demo", "--quiet", "--no-report", "--retry-failed"];
    place.call(&ran).ends_with(1);
    let records = place.records("demo");
    for (fault, outcome, _) in faults {
        let wanted = if outcome == "not-applicable" {
            outcome
        } else {
            "ok"
        };
        for row in records.of(&[("model", fault)]) {
            assert_eq!(
                row.text("outcome"),
                wanted,
                "{fault}: {}",
                row.text("reason")
            );
            let sound = records.one(&[
                ("model", "sound"),
                ("fold", row.text("fold")),
                ("correction", row.text("correction")),
            ]);
            let value = |row: &Row| row.number("log_loss");
            assert!(wanted != "ok" || value(row) == value(sound), "{fault}");
        }
    }
}

/// Processes that were started in a place and are still there, by their command lines.
fn left_behind(place: &Place) -> Vec<String> {
    let folder = place.path("demo").canonicalize().expect("a folder");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let inside = std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == folder);
        if inside {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&words).replace('\0', " "));
        }
    }
    found
}

/// A sweep of one faulty program on the two classes.
fn of_fault(fault: &str, protocol: &str, arms: &str) -> Option<Place> {
    programs::program(&["perl"])?;
    let place = Place::with_sweep(&format!(
        "{}[[dataset]]\npath = \"two.csv\"\ntarget = \"y\"\n{}{arms}",
        HEAD.replace("[protocol]\n", &format!("[protocol]\n{protocol}")),
        centroids("theirs", &[fault])
    ));
    data(&place);
    place.write("demo/centroids.pl", &faulty());
    std::fs::create_dir(place.path("tmp")).expect("a folder");
    Some(place)
}

/// A run, which ends with this value.
struct Run(Child);

impl Run {
    /// Waits for its end and gives its code.
    fn code(&mut self) -> Option<i32> {
        self.0.wait().expect("its end").code()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It has usually ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a run on one thread whose temporary files lie in `tmp`, and waits until its program fits; gives the number of
/// the program.
fn fitting(place: &Place, lines: usize) -> (Run, String) {
    let marked = place.path("demo/fitting");
    let _ = std::fs::remove_file(&marked);
    let mut run = place.command(&["run", "demo", "--quiet", "--no-report", "--jobs", "1"]);
    let run = run
        .env("TMPDIR", place.path("tmp"))
        .stderr(Stdio::null())
        .stdout(Stdio::null());
    let child = Run(run.spawn().expect("the binary starts"));
    let enough = || {
        let segments = place.segments("demo");
        segments.last().map_or(0, |segment| complete_lines(segment)) >= lines
    };
    let program = until(|| {
        if enough() {
            std::fs::read_to_string(&marked).ok()
        } else {
            None
        }
    });
    (child, program)
}

/// Waits for a condition, a minute at most.
#[track_caller]
fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, process: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), process])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
}

#[test]
fn a_killed_program_costs_the_records_of_one_fit() {
    let Some(place) = of_fault("slow", "", SHARED) else {
        return;
    };
    let (mut run, program) = fitting(&place, 3);
    signal("KILL", &program);
    assert_eq!(run.code(), Some(1));
    let records = place.records("demo");
    let failed: Vec<&Row> = records
        .rows
        .iter()
        .filter(|row| row.text("outcome") == "failed")
        .collect();
    let fits: BTreeSet<(&str, &str)> = failed
        .iter()
        .map(|row| (row.text("fold"), row.text("resample")))
        .collect();
    assert_eq!(fits.len(), 1, "{fits:?}");
    for row in failed {
        let reason = row.text("reason");
        assert!(
            reason.contains("`centroids` ended (signal: 9 (SIGKILL)): about to slow"),
            "{reason}"
        );
    }
    assert_eq!(records.rows.len(), 12);
    place.write("demo/mended", "");
    place
        .call(&["run", "demo", "--quiet", "--no-report", "--retry-failed"])
        .ends_with(0);
    let undisturbed = of_fault("slow", "", SHARED).expect("a place");
    undisturbed.write("demo/mended", "");
    assert_eq!(place.records("demo"), undisturbed.run_demo(0));
}

#[test]
fn nothing_is_left_of_a_run_that_ends() {
    for (name, code) in [("INT", Some(75)), ("TERM", Some(75)), ("KILL", None)] {
        let Some(place) = of_fault("stubborn", "", SHARED) else {
            return;
        };
        let (mut run, _) = fitting(&place, 0);
        until(|| {
            let words = left_behind(&place);
            words
                .iter()
                .any(|words| words.starts_with("sleep"))
                .then_some(())
        });
        let told = Instant::now();
        signal(name, &run.0.id().to_string());
        assert_eq!(run.code(), code, "{name}");
        // Two seconds, on a machine that does nothing else.
        assert!(
            told.elapsed() < Duration::from_secs(6),
            "{name}: {:?}",
            told.elapsed()
        );
        until(|| left_behind(&place).is_empty().then_some(()));
        let empty = || {
            std::fs::read_dir(place.path("tmp"))
                .expect("a folder")
                .next()
                .is_none()
        };
        until(|| empty().then_some(()));
    }
}

#[test]
fn a_program_that_takes_more_than_its_share_is_out_of_memory() {
    let Some(place) = of_fault("greedy", "max_memory = \"1GB\"\n", SHARED) else {
        return;
    };
    for row in run_demo(&place, 1).rows {
        let reason = row.text("reason");
        assert_eq!(row.text("outcome"), "out-of-memory", "{reason}");
        assert!(reason.contains("and it may take"), "{reason}");
    }
}

#[test]
fn a_program_is_given_no_row_that_it_is_to_score() {
    let tuned = "[[correction]]\ndecide = { kind = \"tuned-threshold\" }\n\
        [[correction]]\nid = \"both\"\nresample = { kind = \"smote\" }\ndecide = { kind = \"calibrated\", by = \"platt\", then = \"argmax\" }\n\
        [[correction]]\nensemble = { kind = \"under-bagging\" }\n";
    let Some(place) = of_fault("spy", "", &format!("{SHARED}{tuned}")) else {
        return;
    };
    run_demo(&place, 0);
    let mut fitted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut scored, mut sizes) = (0, BTreeSet::new());
    for line in place.read("demo/spied").lines() {
        let said: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let model = said["model"].as_str().expect("a name").to_owned();
        let rows = said["rows"].as_array().expect("rows").iter();
        let rows: Vec<String> = rows
            .map(|row| row.as_str().expect("digits").to_owned())
            .collect();
        if said["op"] == "fit" {
            sizes.insert(rows.len());
            fitted.insert(model, rows.into_iter().collect());
        } else {
            let seen = &fitted[&model];
            assert!(
                !rows.iter().any(|row| seen.contains(row)),
                "a row was fitted and scored"
            );
            scored += rows.len();
        }
    }
    // Folds of 200 rows, of which inner folds leave two thirds.
    assert!(sizes.contains(&133) || sizes.contains(&134), "{sizes:?}");
    assert!(sizes.contains(&88) || sizes.contains(&89), "{sizes:?}");
    assert!(scored > 1000, "{scored}");
}
