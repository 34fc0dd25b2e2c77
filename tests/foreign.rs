//! Models that are programs: they are given what own learners are given, and whatever they do is an outcome.

#[expect(dead_code, reason = "each test program uses a part of it")]
mod common;
mod programs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Place, Records, Row, mixed_csv, numeric_csv};

/// A Python with numpy and scikit-learn and its version of the latter: the one that `.ci/run` makes, or the path's.
///
/// # Panics
/// Where `.ci/run` could have installed it: see [`programs::needed`].
fn scikit_learn() -> Option<(String, String)> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ci/foreign/bin/python");
    let version = |python: PathBuf| {
        let says = "import numpy, sklearn; print(sklearn.__version__)";
        let output = Command::new(&python).args(["-c", says]).output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        output.status.success().then_some((python, version))
    };
    let found = [Some(made), programs::on_path("python3")];
    let found = found.into_iter().flatten().find_map(version);
    let path = found.as_ref().map(|(python, _)| python.clone());
    programs::needed(path, "the Python package scikit-learn", "python3")?;
    found.map(|(python, version)| (python.to_str().expect("UTF-8").to_owned(), version))
}

/// An entry for an estimator of scikit-learn.
fn estimator(
    id: &str,
    name: &str,
    arguments: &str,
    (python, version): &(String, String),
) -> String {
    format!(
        "[[model]]\nkind = \"command\"\nid = \"{id}\"\ndeterministic = true\nversion = \"scikit-learn {version}\"\n\
         command = [\"{python}\", \"-m\", \"counterweight_bench.runner\", \"sklearn.{name}\", '{arguments}']\n"
    )
}

/// Runs the sweep of folder `demo` with the runner in reach.
#[track_caller]
fn run_demo(place: &Place, code: i32) -> Records {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let modules = modules.to_str().expect("UTF-8");
    let ran = ["run", "demo", "--quiet", "--no-report", "--jobs", "2"];
    place
        .call_with(&[("PYTHONPATH", modules)], &ran)
        .ends_with(code);
    place.records("demo")
}

const HEAD: &str =
    "format = 1\nname = \"demo\"\nseed = 5\n[protocol]\nfolds = 3\ninner_folds = 3\n";

const DATA: &str = "[[dataset]]\npath = \"two.csv\"\ntarget = \"y\"\n[[dataset]]\npath = \"three.csv\"\ntarget = \"y\"\n\
    [[dataset]]\npath = \"mixed.csv\"\ntarget = \"y\"\n";

const ARMS: &str = "[[correction]]\nid = \"none\"\n\
    [[correction]]\nloss = { kind = \"weighted\" }\n\
    [[correction]]\nloss = { kind = \"logit-adjusted\" }\n\
    [[correction]]\nresample = { kind = \"smote\" }\n\
    [[correction]]\nresample = { kind = \"random-under\" }\n\
    [[correction]]\ndecide = { kind = \"prior-threshold\" }\n\
    [[correction]]\ndecide = { kind = \"tuned-threshold\" }\n\
    [[correction]]\ndecide = { kind = \"calibrated\", by = \"platt\", then = \"prior-threshold\" }\n\
    [[correction]]\nensemble = { kind = \"under-bagging\" }\n";

fn data(place: &Place) {
    place.write("demo/two.csv", &numeric_csv(&[160, 40], 3));
    place.write("demo/three.csv", &numeric_csv(&[120, 60, 24], 4));
    place.write("demo/mixed.csv", &mixed_csv(&[150, 50], 5));
}

/// Records of one model by everything else.
fn by_place(records: &Records, model: &str) -> BTreeMap<[String; 3], Row> {
    let own = records.of(&[("model", model)]);
    let key = |row: &Row| ["dataset", "fold", "correction"].map(|key| row.text(key).to_owned());
    own.into_iter().map(|row| (key(row), row.clone())).collect()
}

#[test]
fn scikit_learn_behind_a_command_gives_what_own_learners_give() {
    let Some(python) = scikit_learn() else {
        return;
    };
    let logistic = "{\"tol\": 1e-10, \"max_iter\": 10000, \"C\": 2.0}";
    let pairs = [
        (
            "softmax-regression",
            "l2 = 0.5\n",
            "linear_model:LogisticRegression",
            logistic,
            true,
        ),
        (
            "gaussian-naive-bayes",
            "",
            "naive_bayes:GaussianNB",
            "{}",
            true,
        ),
        (
            "k-nearest-neighbours",
            "k = 7\n",
            "neighbors:KNeighborsClassifier",
            "{\"n_neighbors\": 7}",
            false,
        ),
    ];
    let models: Vec<String> = pairs
        .iter()
        .map(|(own, more, name, arguments, weighs)| {
            let foreign = estimator(&format!("their-{own}"), name, arguments, &python);
            format!("[[model]]\nkind = \"{own}\"\n{more}{foreign}weights = {weighs}\n")
        })
        .collect();
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{}{ARMS}", models.concat()));
    data(&place);
    let records = run_demo(&place, 0);
    let metrics = [
        "balanced_error",
        "error_rate",
        "worst_recall",
        "g_mean",
        "macro_f1",
        "mcc",
        "kappa",
        "auroc",
        "average_precision",
        "brier",
        "log_loss",
        "ece",
        "calibration_intercept",
        "calibration_slope",
    ];
    let mut compared = BTreeMap::new();
    for (own, ..) in pairs {
        let theirs = by_place(&records, &format!("their-{own}"));
        for (key, own_row) in by_place(&records, own) {
            let row = &theirs[&key];
            if row.text("outcome") == "not-applicable" {
                let reason = row.text("reason");
                let margins = key[2].contains("logit-adjusted") && reason.contains("margins");
                assert!(
                    margins || own_row.text("outcome") == "not-applicable",
                    "{key:?}: {reason}"
                );
                continue;
            }
            assert_eq!(
                row.text("outcome"),
                own_row.text("outcome"),
                "{own} {key:?}"
            );
            for metric in metrics {
                let (a, b) = (own_row.number(metric), row.number(metric));
                let near = match (a, b) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(1.0),
                    (a, b) => a == b,
                };
                assert!(near, "{own} {key:?} {metric}: {a:?} and {b:?}");
            }
            *compared.entry(own).or_insert(0) += 1;
        }
    }
    // Three datasets of three folds, under all arms but margins, and where they do not apply to the own learner.
    assert_eq!(compared["softmax-regression"], 72);
    assert_eq!(compared["gaussian-naive-bayes"], 72);
    assert_eq!(compared["k-nearest-neighbours"], 63);
}

/// The example of the documentation.
fn example() -> String {
    let page = include_str!("../docs/FOREIGN.md");
    let (_, code) = page.split_once("```perl\n").expect("an example");
    let (code, _) = code.split_once("```").expect("its end");
    assert!(code.lines().count() <= 40, "forty lines");
    code.to_owned()
}

/// The entry of the example, started as `perl centroids.pl ARGUMENTS`.
fn centroids(id: &str, arguments: &[&str]) -> String {
    let words: Vec<String> = ["centroids.pl"]
        .iter()
        .chain(arguments)
        .map(|word| format!("\"{word}\""))
        .collect();
    let words = words.join(", ");
    format!(
        "[[model]]\nkind = \"command\"\nid = \"{id}\"\nversion = \"1\"\nfiles = [\"centroids.pl\"]\ndeterministic = true\n\
         command = [\"perl\", {words}]\nweights = true\n"
    )
}

/// The example, which does as `FAULTS` says of its first argument.
fn faulty() -> String {
    let faults = r#"
    if ($q->{op} eq 'fit' && @ARGV && !-e 'mended') {
        my $fault = $ARGV[0];
        print STDERR "about to $fault\n";
        sleep 1000 if $fault eq 'hang';
        die "no such luck" if $fault eq 'die';
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
    let start = r"sleep 1000 if @ARGV && $ARGV[0] eq 'sleep' && !-e 'mended';
exit 3 if @ARGV && $ARGV[0] eq 'leave' && !-e 'mended';
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
        HEAD.replace("[protocol]\n", "[protocol]\ntimeout = \"1s\"\n")
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

#[test]
fn planning_starts_nothing_and_knows_what_applies() {
    let entry = |more: &str| {
        format!(
            "[[model]]\nkind = \"command\"\nversion = \"1\"\ncommand = [\"no-such-program\"]\n{more}\n"
        )
    };
    let models = [
        entry("id = \"plain\""),
        entry("id = \"weighing\"\nweights = true"),
        entry("id = \"voting\"\nscores = \"vote\""),
        entry("id = \"binary\"\nmulticlass = false"),
    ];
    let place = Place::with_sweep(&format!("{HEAD}{DATA}{}{ARMS}", models.concat()));
    data(&place);
    let records = run_demo(&place, 1);
    let reason = |model: &str, dataset: &str, correction: &str| {
        let of = [
            ("model", model),
            ("dataset", dataset),
            ("correction", correction),
        ];
        let row = records.of(&of)[0];
        (
            row.text("outcome").to_owned(),
            row.text("reason").to_owned(),
        )
    };
    let settled = |model, dataset, correction, words: &str| {
        let (outcome, reason) = reason(model, dataset, correction);
        assert_eq!(outcome, "not-applicable", "{model} {correction}: {reason}");
        assert!(reason.contains(words), "{model} {correction}: {reason}");
    };
    settled("plain", "two", "weighted", "does not honour class weights");
    settled(
        "weighing",
        "two",
        "logit-adjusted",
        "does not honour margins",
    );
    settled("voting", "two", "tuned-threshold", "gives votes only");
    settled("binary", "three", "none", "takes two classes only");
    for (model, correction) in [
        ("plain", "none"),
        ("weighing", "weighted"),
        ("binary", "none"),
    ] {
        let (outcome, reason) = reason(model, "two", correction);
        assert_eq!(outcome, "failed", "{reason}");
    }
}
