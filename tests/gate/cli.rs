//! The command: what it writes, what it refuses, and how it ends.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

mod names;

const SWEEP: &str = r#"
format = 1
name = "demo"
seed = 3
[protocol]
repeats = 2
[[population]]
kind = "gaussian-pair"
n_train = 200
n_test = 300
imbalance_ratio = [1, 10]
[[population]]
kind = "moons"
n_train = 200
n_test = 300
imbalance_ratio = 10
[[model]]
kind = "softmax-regression"
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
id = "none"
[[correction]]
id = "logit-adjust"
decide = { kind = "logit-adjust" }
[[correction]]
id = "prior-threshold"
decide = { kind = "prior-threshold" }
"#;

const CONFIG: &str = r#"
format = 1
[[claim]]
kind = "identical"
correction = "prior-threshold"
than = "logit-adjust"
"#;

/// A folder with a gate in `demo`.
struct Lab(TempDir);

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn ends_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(
            self.out.contains(words) || self.err.contains(words),
            "{words}\n--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }
}

impl Lab {
    fn new() -> Self {
        let lab = Self(TempDir::new().unwrap());
        std::fs::create_dir(lab.path("demo")).unwrap();
        lab.write("demo/sweep.toml", SWEEP);
        lab.write("demo/gate.toml", CONFIG);
        lab
    }

    /// With a first baseline.
    fn based() -> Self {
        let lab = Self::new();
        lab.update("first").ends_with(0);
        lab
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    fn write(&self, relative: &str, text: &str) {
        std::fs::write(self.path(relative), text).unwrap();
    }

    fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    fn edit(&self, relative: &str, change: impl Fn(&str) -> String) {
        let text = self.read(relative);
        let changed = change(&text);
        assert_ne!(text, changed, "the edit changes something");
        self.write(relative, &changed);
    }

    fn call_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_counterweight"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("CI")
            .env_remove("GITHUB_STEP_SUMMARY")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn gate(&self, more: &[&str]) -> Ran {
        self.call_with(&[], &[&["gate", "demo", "--quiet"], more].concat())
    }

    fn update(&self, reason: &str) -> Ran {
        self.gate(&["--update", "--reason", reason])
    }
}

/// Raises or lowers every value of one method in a baseline, so that the program seems to have moved
/// the other way.
fn moved(text: &str, correction: &str, by: f64) -> String {
    let line = |line: &str| {
        let (start, value) = line.rsplit_once(',').unwrap();
        if line.contains(&format!(",softmax-regression,{correction},")) {
            let value: f64 = value.parse().unwrap();
            format!("{start},{}\n", value + by)
        } else {
            format!("{line}\n")
        }
    };
    text.lines()
        .map(|text| {
            if text.starts_with('#') || text.starts_with("cell,") {
                format!("{text}\n")
            } else {
                line(text)
            }
        })
        .collect()
}

#[test]
fn a_baseline_is_written_once_and_then_passes() {
    let lab = Lab::new();
    lab.gate(&[]).ends_with(5).says("--update --reason");
    lab.call_with(&[], &["gate", "demo", "--update"])
        .ends_with(2);
    lab.update("   ").ends_with(2).says("`--reason` is empty");
    lab.call_with(
        &[("CI", "true")],
        &["gate", "demo", "--update", "--reason", "x"],
    )
    .ends_with(2)
    .says("refused where CI is set");
    assert!(!lab.path("demo/baseline.csv").exists());
    lab.update("why | not")
        .ends_with(0)
        .says("first baseline, 36 cells");
    let baseline = lab.read("demo/baseline.csv");
    assert!(baseline.starts_with("# counterweight baseline\n# format = 1\n"));
    assert_eq!(
        baseline
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count(),
        37
    );
    assert!(lab.read("demo/RANKING.md").contains("why \\| not"));
    let pass = lab
        .gate(&[])
        .ends_with(0)
        .says("every value is that of the baseline");
    assert!(pass.out.contains("claims: 2 of 2 hold"), "{}", pass.out);
    // A second update has nothing to say, and does not touch the history.
    lab.update("again").ends_with(0).says("nothing written");
    assert!(!lab.read("demo/RANKING.md").contains("again"));
    // A folder or a file elsewhere serves as well.
    std::fs::create_dir(lab.path("elsewhere")).unwrap();
    std::fs::rename(
        lab.path("demo/baseline.csv"),
        lab.path("elsewhere/baseline.csv"),
    )
    .unwrap();
    lab.gate(&[]).ends_with(5);
    lab.gate(&["--baseline", "elsewhere"]).ends_with(0);
    lab.gate(&["--baseline", "elsewhere/baseline.csv"])
        .ends_with(0);
}

#[test]
fn a_regression_ends_with_1_in_every_format() {
    let lab = Lab::based();
    lab.edit("demo/baseline.csv", |text| {
        moved(text, "logit-adjust", -0.02)
    });
    let text = lab
        .gate(&[])
        .ends_with(1)
        .says("logit-adjust on softmax-regression regressed");
    assert!(
        text.out
            .contains("reproduce: counterweight run demo --only cell="),
        "{}",
        text.out
    );
    assert!(
        lab.path("demo/plots")
            .read_dir()
            .is_ok_and(|mut d| d.next().is_some())
    );
    let json: serde_json::Value =
        serde_json::from_str(&lab.gate(&["--format", "json"]).ends_with(1).out).unwrap();
    assert_eq!(json["verdict"], "finding");
    assert_eq!(json["findings"][0]["kind"], "regressed");
    let junit = lab.gate(&["--format", "junit"]).ends_with(1);
    assert!(junit.out.starts_with("<?xml") && junit.out.contains("<failure message=\"regressed"));
    let summary = lab.path("summary.md");
    let github = lab
        .call_with(
            &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())],
            &["gate", "demo", "--quiet", "--format", "github"],
        )
        .ends_with(1);
    assert!(
        github
            .out
            .contains("::error title=demo%3A logit-adjust on softmax-regression regressed")
    );
    assert!(lab.read("summary.md").contains("## Gate `demo` fails"));
    // The command that it prints reproduces the cell.
    let command = text
        .out
        .lines()
        .find_map(|line| line.strip_prefix("reproduce: counterweight "));
    let arguments: Vec<&str> = command.unwrap().split(' ').collect();
    lab.call_with(&[], &arguments).ends_with(0);
    // An update takes the new values over and keeps the history.
    lab.update("on purpose").ends_with(0).says("regressed");
    lab.gate(&[]).ends_with(0);
    let ranking = lab.read("demo/RANKING.md");
    assert!(
        ranking.contains("first baseline") && ranking.contains("on purpose"),
        "{ranking}"
    );
}

#[test]
fn a_gain_is_no_failure() {
    let lab = Lab::based();
    lab.edit("demo/baseline.csv", |text| moved(text, "none", 0.02));
    lab.gate(&[]).ends_with(0).says("improved");
}

#[test]
fn a_damaged_baseline_ends_with_5_and_the_reason() {
    let lab = Lab::based();
    let good = lab.read("demo/baseline.csv");
    let last = good.trim_end().rsplit_once('\n').unwrap();
    let cases = [
        (String::new(), "empty"),
        (good[..good.len() - 4].to_owned(), "truncated"),
        (format!("{}\n", last.0), "promises 36 cells"),
        (format!("{good}{}\n", last.1), "again"),
        (good.replace("# format = 1", "# format = 2"), "format 2"),
        (
            good.replacen(",ok,0", ",ok,NaN0", 1),
            "is not a balanced error",
        ),
        (good.replacen(",moons,", ",suns,", 1), "does not have"),
        (
            good.replacen("# seed = 3", "# seed = three", 1),
            "not a whole number",
        ),
    ];
    for (text, words) in cases {
        lab.write("demo/baseline.csv", &text);
        lab.gate(&[]).ends_with(5).says(words);
        // What cannot be read is not overwritten either.
        lab.update("mend").ends_with(5).says(words);
    }
    // A cell under another id: the same seed would have given the planned one.
    let id = last.1.split(',').next().unwrap();
    lab.write("demo/baseline.csv", &good.replace(id, "00000000000000ff"));
    lab.gate(&[]).ends_with(5).says("unknown cell");
}

#[test]
fn another_sweep_ends_with_5_and_is_not_updated() {
    let lab = Lab::based();
    lab.edit("demo/sweep.toml", |text| {
        text.replace(
            "n_train = 200\nn_test = 300\nimbalance_ratio = 10",
            "n_train = 210\nn_test = 300\nimbalance_ratio = 10",
        )
    });
    lab.gate(&[]).ends_with(5).says("another sweep");
    lab.update("other").ends_with(5).says("delete the baseline");
    std::fs::remove_file(lab.path("demo/baseline.csv")).unwrap();
    lab.update("other").ends_with(0);
    lab.gate(&[]).ends_with(0);
}

#[test]
fn configuration_errors_end_with_2_before_anything_runs() {
    let lab = Lab::based();
    lab.write(
        "demo/gate.toml",
        "format = 1\ntolerence = 0.1\n[[claim]]\nkind = \"better\"\ncorrection = \"nune\"\nthan = \"none\"\n",
    );
    lab.gate(&[])
        .ends_with(2)
        .says("did you mean `tolerance`?")
        .says("demo/gate.toml:2");
    lab.edit("demo/gate.toml", |text| {
        text.replace("tolerence", "tolerance")
    });
    lab.gate(&[])
        .ends_with(2)
        .says("did you mean `none`?")
        .says("demo/gate.toml:4");
    lab.call_with(&[], &["gate", "nowhere"]).ends_with(2);
}

#[test]
fn records_of_a_file_are_compared() {
    let lab = Lab::based();
    lab.call_with(
        &[],
        &["run", "demo", "--no-report", "--quiet", "--output", "out"],
    )
    .ends_with(0);
    lab.gate(&["--records", "out/records.csv"]).ends_with(0);
    lab.gate(&["--records", "out"]).ends_with(0);
    // A cell is missing: could not be checked.
    let csv = lab.read("out/records.csv");
    let short = csv.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    lab.write("short.csv", &short);
    lab.gate(&["--records", "short.csv"])
        .ends_with(3)
        .says("1 cell of 36 missing");
    lab.gate(&["--records", "short.csv", "--update", "--reason", "x"])
        .ends_with(3)
        .says("no baseline is written");
    let twice = format!("{csv}{}\n", csv.trim_end().rsplit_once('\n').unwrap().1);
    lab.write("twice.csv", &twice);
    lab.gate(&["--records", "twice.csv"])
        .ends_with(2)
        .says("twice");
    // Records of another seed are of no cell here, and of every cell there.
    lab.edit("demo/sweep.toml", |text| {
        text.replace("seed = 3", "seed = 4")
    });
    lab.call_with(
        &[],
        &["run", "demo", "--no-report", "--quiet", "--output", "other"],
    )
    .ends_with(0);
    lab.edit("demo/sweep.toml", |text| {
        text.replace("seed = 4", "seed = 3")
    });
    lab.gate(&["--records", "other/records.csv"])
        .ends_with(2)
        .says("--reseed");
    lab.gate(&["--records", "other/records.csv", "--reseed", "4"])
        .says("on other seeds");
}

#[test]
fn other_seeds_are_the_same_sweep() {
    let lab = Lab::based();
    let ran = lab.gate(&["--reseed", "4"]).says("on other seeds");
    assert!(ran.out.contains("common shift in points"), "{}", ran.out);
    assert!(ran.out.contains("--reseed 4 --only cell="), "{}", ran.out);
    lab.gate(&["--reseed", "4", "--update", "--reason", "x"])
        .ends_with(2);
    // Its results do not get into the way of the sweep's own.
    lab.gate(&[]).ends_with(0).says("36 identical");
}

#[test]
fn a_part_of_the_cells_can_be_compared() {
    let lab = Lab::based();
    lab.gate(&["--only", "dataset=moons"])
        .ends_with(0)
        .says("12 cells on the same splits");
    lab.gate(&["--only", "dataset=suns"]).ends_with(4);
    lab.write(
        "demo/gate.toml",
        "format = 1\n[[ignore]]\nmodel = \"softmax-regression\"\nreason = \"x\"\nexpires = 9999-12-31\n\
         [[ignore]]\nmodel = \"gaussian-naive-bayes\"\nreason = \"x\"\nexpires = 9999-12-31\n",
    );
    lab.gate(&[]).ends_with(4).says("nothing to compare");
    // The same exemptions, long over, count for nothing.
    lab.edit("demo/gate.toml", |text| text.replace("9999", "2020"));
    lab.gate(&[]).ends_with(0).says("expired on 2020-12-31");
}

#[test]
fn require_power_is_a_failure_of_its_own() {
    let lab = Lab::based();
    // Values move a little and unevenly: on two datasets nothing can be shown.
    lab.edit("demo/baseline.csv", |text| {
        text.lines()
            .map(|line| match line.rsplit_once(',') {
                Some((start, value))
                    if line.contains(",0,softmax-regression,none,") && line.contains(",moons,") =>
                {
                    format!("{start},{}\n", value.parse::<f64>().unwrap() - 0.03)
                }
                _ => format!("{line}\n"),
            })
            .collect()
    });
    // No method can fail on two clusters: by default that is no pass, and the first line says so.
    let ran = lab.gate(&[]).ends_with(3).says("could not be checked");
    let first = ran.out.lines().next().unwrap_or_default();
    assert!(first.contains("can fail no method"), "{first}");
    lab.edit("demo/gate.toml", |text| {
        text.replace("format = 1", "format = 1\nrequire_power = false")
    });
    lab.gate(&[]).ends_with(0).says("underpowered");
    lab.edit("demo/gate.toml", |text| {
        text.replace("require_power = false", "require_power = true")
    });
    lab.gate(&[]).ends_with(3).says("could not be checked");
}

#[test]
fn an_update_writes_baseline_and_ranking_or_neither() {
    let lab = Lab::based();
    let (baseline, ranking) = (lab.read("demo/baseline.csv"), lab.path("demo/RANKING.md"));
    // A ranking that is gone is mended though no value changed.
    std::fs::remove_file(&ranking).unwrap();
    lab.update("mended").ends_with(0).says("written anew");
    assert!(lab.read("demo/RANKING.md").contains("mended"));
    lab.update("again").ends_with(0).says("nothing written");
    // A ranking that cannot be written leaves the baseline as it is, and the next update does both.
    let old = moved(&baseline, "none", -0.02);
    lab.write("demo/baseline.csv", &old);
    std::fs::remove_file(&ranking).unwrap();
    std::fs::create_dir(&ranking).unwrap();
    lab.update("in the way").ends_with(2);
    assert_eq!(lab.read("demo/baseline.csv"), old);
    std::fs::remove_dir(&ranking).unwrap();
    let ran = lab.update("two\n::error::lines | <script>").ends_with(0);
    assert!(
        ran.out
            .lines()
            .all(|line| !line.trim_start().starts_with("::")),
        "{}",
        ran.out
    );
    assert_eq!(lab.read("demo/baseline.csv"), baseline);
    let row = "two ::error::lines \\| &lt;script> |";
    assert!(
        lab.read("demo/RANKING.md").contains(row),
        "{}",
        lab.read("demo/RANKING.md")
    );
}

#[test]
fn results_of_another_build_are_not_taken_for_done() {
    let lab = Lab::based();
    let segments = lab.path("demo/segments/gate/segments");
    let files = || -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = segments
            .read_dir()
            .unwrap()
            .map(|e| e.unwrap().path())
            // Beside each stands a file of what its cells left besides records.
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        files.sort();
        files
    };
    let [file] = files().try_into().expect("one segment");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let at = head
        .find("\"build\":\"")
        .expect("the build stands in the head")
        + 9;
    let stale = format!("{}ffffffff{}\n{rest}", &head[..at], &head[at + 8..]);
    std::fs::write(
        &file,
        stale.replace("\"balanced_error\":0.", "\"balanced_error\":0.9"),
    )
    .unwrap();
    lab.gate(&[]).ends_with(0).says("36 identical");
    assert!(!files().contains(&file), "the stale segment is gone");
}

/// One update at a time, and none on top of what another has written meanwhile.
#[test]
fn updates_beside_each_other_keep_both_in_the_history() {
    let lab = Lab::based();
    lab.edit("demo/baseline.csv", |text| moved(text, "none", -0.02));
    let reasons = ["one", "two", "three", "four"];
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let runs: Vec<_> = reasons
            .iter()
            .map(|reason| scope.spawn(|| lab.update(reason).code.unwrap()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let ranking = lab.read("demo/RANKING.md");
    // Whoever came second is told, or found nothing to do.
    assert!(codes.iter().all(|code| matches!(code, 0 | 5)), "{codes:?}");
    let named = reasons
        .iter()
        .filter(|reason| ranking.contains(&format!("| {reason} |")));
    assert_eq!(named.count(), 1, "{ranking}");
    assert!(codes.contains(&0), "{codes:?}");
    lab.gate(&[]).ends_with(0);
}
