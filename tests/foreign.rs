//! Models that are programs: they are given what own learners are given, and whatever they do is an outcome.

#[expect(dead_code, reason = "each test program uses a part of it")]
mod common;
mod faults;
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Noise, Place, Records, Row, mixed_csv, numeric_csv};

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

/// Two arms that share a fit, and two fits more.
const SHARED: &str = "[[correction]]\nid = \"none\"\n[[correction]]\ndecide = { kind = \"prior-threshold\" }\n\
    [[correction]]\nresample = { kind = \"random-over\" }\n[[correction]]\nresample = { kind = \"smote\" }\n";

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

#[test]
fn test_labels_and_noise_tell_a_program_nothing() {
    if programs::program(&["perl"]).is_none() {
        return;
    }
    let rows = |seed: u64, turned: bool, gap: f64| {
        let mut noise = Noise(seed);
        let rows = (0..900).map(|i| {
            let (class, x) = (usize::from(i % 5 == 0), noise.unit());
            format!(
                "{},{},{}\n",
                x + gap * class as f64,
                noise.unit(),
                if turned { 1 - class } else { class }
            )
        });
        std::iter::once("a,b,y\n".to_owned())
            .chain(rows)
            .collect::<String>()
    };
    let arms = format!(
        "{SHARED}[[correction]]\nloss = {{ kind = \"weighted\" }}\n[[correction]]\ndecide = {{ kind = \"tuned-threshold\" }}\n"
    );
    let place = |data: &str, protocol: &str| {
        let head = HEAD.replace("[protocol]\n", &format!("[protocol]\n{protocol}"));
        let place = Place::with_sweep(&format!("{head}{data}{}{arms}", centroids("theirs", &[])));
        place.write("demo/centroids.pl", &example());
        place
    };
    let noise = place(
        "[[dataset]]\npath = \"noise.csv\"\ntarget = \"y\"\n",
        "repeats = 2\n",
    );
    noise.write("demo/noise.csv", &rows(1, false, 0.0));
    let records = noise.run_demo(0);
    for arm in records.distinct("correction") {
        let of = records.of(&[("correction", arm)]);
        let mean = of.iter().map(|row| row.real("balanced_error")).sum::<f64>() / of.len() as f64;
        // 180 and 720 rows: the standard error of one repeat is at most sqrt((1/4/180 + 1/4/720) / 4) = 0.0208.
        assert!((mean - 0.5).abs() < 4.0 * 0.0208, "{arm}: {mean}");
    }
    let pair =
        "[[dataset]]\nid = \"pair\"\ntrain = \"train.csv\"\ntest = \"test.csv\"\ntarget = \"y\"\n";
    let scored = |turned: bool| {
        let place = place(pair, "keep_scores = true\n");
        place.write("demo/train.csv", &rows(2, false, 0.4));
        place.write("demo/test.csv", &rows(3, turned, 0.4));
        let records = place.run_demo(0);
        let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
        for file in place.beside("demo") {
            for line in std::fs::read_to_string(file).expect("text").lines() {
                let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
                let Some(cell) = line["scores"]["cell"].as_str() else {
                    continue;
                };
                let arm = records.one(&[("cell", cell)]).text("correction").to_owned();
                let kept = ["scores", "decisions"].map(|key| line["scores"][key].to_string());
                found.insert(arm, kept.into());
            }
        }
        found
    };
    let (straight, turned) = (scored(false), scored(true));
    // Stages that draw are keyed by all values of a table.
    for arm in ["none", "prior-threshold", "weighted"] {
        assert_eq!(straight[arm], turned[arm], "{arm}");
    }
}

#[test]
fn ids_hang_on_what_a_program_is_and_gates_on_what_it_repeats() {
    if programs::program(&["perl"]).is_none() {
        return;
    }
    let sweep = format!("{HEAD}{DATA}{}{SHARED}", centroids("theirs", &[]));
    let cells = |sweep: &str, code: &str| {
        let place = Place::with_sweep(sweep);
        data(&place);
        place.write("demo/centroids.pl", code);
        let records = place.run_demo(0);
        let cells: BTreeSet<String> = records
            .distinct("cell")
            .into_iter()
            .map(str::to_owned)
            .collect();
        (place, cells)
    };
    let (place, first) = cells(&sweep, &example());
    assert_eq!(cells(&sweep, &example()).1, first, "another folder");
    assert!(
        cells(&sweep, &format!("# Changed.\n{}", example()))
            .1
            .is_disjoint(&first)
    );
    let other = example().replace("'centroids', '1'", "'centroids', '2'");
    let newer = sweep.replace("version = \"1\"", "version = \"2\"");
    assert!(cells(&newer, &other).1.is_disjoint(&first));

    let update = |folder| {
        let words = ["gate", folder, "--quiet", "--update", "--reason", "first"];
        let mut gate = place.command(&words);
        gate.env_remove("CI").output().expect("the binary starts")
    };
    assert_eq!(update("demo").status.code(), Some(0));
    let chance = sweep.replace("deterministic = true\n", "");
    place.write("chance/sweep.toml", &chance);
    data(&place);
    for file in ["two.csv", "three.csv", "mixed.csv", "centroids.pl"] {
        place.write(
            &format!("chance/{file}"),
            &place.read(&format!("demo/{file}")),
        );
    }
    let refused = update("chance");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("model `theirs` gives other results each time"),
        "{said}"
    );
}

#[test]
fn the_road_to_a_program_takes_little() {
    let Some(python) = scikit_learn() else {
        return;
    };
    let dummy = estimator("dummy", "dummy:DummyClassifier", "{}", &python);
    let place = Place::with_sweep(&format!(
        "format = 1\nname = \"demo\"\n[protocol]\nrepeats = 200\n[[population]]\nkind = \"gaussian-simplex\"\nclasses = 2\n\
         dim = 20\nn_train = 2000\nn_test = 2000\n{dummy}[[correction]]\nid = \"none\"\n"
    ));
    run_demo(&place, 0);
    let mut taken = Vec::new();
    for file in place.segments("demo") {
        for line in std::fs::read_to_string(file).expect("text").lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let seconds = |key: &str| line["timing"][key].as_f64();
            taken.extend(
                seconds("fit_seconds")
                    .zip(seconds("score_seconds"))
                    .map(|(fit, score)| fit + score),
            );
        }
    }
    taken.sort_by(f64::total_cmp);
    assert_eq!(taken.len(), 200);
    let median = taken[100];
    assert!(
        median < 0.02,
        "{median} seconds for a fit that does nothing, and its scores"
    );
}

#[test]
fn a_report_folder_is_a_data_frame() {
    let Some((python, _)) = scikit_learn() else {
        return;
    };
    let place = Place::with_sweep(&format!(
        "{HEAD}{DATA}[[model]]\nkind = \"dummy\"\n{SHARED}"
    ));
    data(&place);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python");
    let says = "import counterweight_bench as c\nrecords = c.read('demo', library='polars')\n\
        print(records.height, records['correction'].n_unique(), c.read('demo', 'details', 'polars').width > 2)\n\
        try: c.read('demo', 'nothing')\nexcept FileNotFoundError as e: print(e)";
    let output = Command::new(python)
        .args(["-c", says])
        .current_dir(place.path(""))
        .env("PYTHONPATH", modules)
        .output()
        .expect("Python");
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        said.starts_with("36 4 True\ndemo: no table 'nothing'; it has "),
        "{said}"
    );
}
