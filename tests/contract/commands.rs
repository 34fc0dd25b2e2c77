//! What the commands print and what help, lists and cards promise.

use std::collections::{BTreeMap, BTreeSet};

use super::place;
use crate::common::{Place, numeric_csv};

#[test]
fn status_explain_and_compare_speak_of_cells() {
    let place = place();
    place.call(&["status", "demo"]).ends_with(3);
    place
        .call(&[
            "run",
            "demo",
            "--quiet",
            "--no-report",
            "--only",
            "dataset=mixed",
        ])
        .ends_with(0);
    let some = place.records("demo").rows.len();
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(status["done"], some);
    assert!(status["missing"].as_u64().unwrap() > 0);
    assert!(status["seconds_left"].as_f64().unwrap() > 0.0);
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    let records = place.records("demo");
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(status["done"], records.rows.len());
    assert_eq!(status["missing"], 0);
    let text = place.call(&["status", "demo"]).ends_with(0).out;
    assert!(
        text.contains(&format!("{0} of {0} cells done", records.rows.len())),
        "{text}"
    );

    // A cell by the beginning of its id.
    let row = records.one(&[
        ("dataset", "mixed"),
        ("requested_ratio", ""),
        ("fold", "1"),
        ("model", "softmax-regression"),
        ("correction", "smote+adjust"),
    ]);
    let cell = row.text("cell");
    let text = place
        .call(&["explain", "demo", &cell[..10]])
        .ends_with(0)
        .out;
    for part in [
        cell,
        "smote-nc",
        "logit-adjust",
        "softmax-regression",
        "stream",
        "repeat 0, fold 1",
        "outcome    ok",
        "timing",
        "c0:",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let many = place.call(&["explain", "demo", ""]).ends_with(2);
    assert!(
        many.err.contains("cells have ids that begin with"),
        "{}",
        many.err
    );

    // Equal folders, a changed value, a flipped decision, a missing cell.
    let copy = |to: &str, change: &dyn Fn(&str) -> String| {
        place.write(
            &format!("{to}/records.csv"),
            &change(&place.read("demo/records.csv")),
        );
    };
    copy("same", &|text| text.to_owned());
    let equal = place.call(&["compare", "demo", "same"]).ends_with(0);
    assert!(equal.out.contains("0 differences"), "{}", equal.out);
    let value = row.text("balanced_error");
    copy("off", &|text| {
        let line = text.lines().find(|line| line.starts_with(cell)).unwrap();
        text.replace(line, &line.replacen(value, "0.987", 1))
    });
    let off = place.call(&["compare", "demo", "off"]).ends_with(1);
    assert!(
        off.out.contains(cell) && off.out.contains("balanced_error"),
        "{}",
        off.out
    );
    assert!(off.out.contains("1 difference"), "{}", off.out);
    copy("less", &|text| {
        text.lines()
            .filter(|line| !line.starts_with(cell))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    let less = place.call(&["compare", "demo", "less"]).ends_with(1);
    assert!(less.out.contains("only in demo"), "{}", less.out);
    // Rounding is no difference.
    let rounded = format!("{:.12}", row.real("balanced_error"));
    assert_ne!(rounded, value);
    copy("rounded", &|text| {
        let line = text.lines().find(|line| line.starts_with(cell)).unwrap();
        text.replace(line, &line.replacen(value, &rounded, 1))
    });
    assert_ne!(
        place.read("rounded/records.csv"),
        place.read("demo/records.csv")
    );
    place.call(&["compare", "demo", "rounded"]).ends_with(0);
}

#[test]
fn lists_are_arrays_of_objects_with_ids() {
    let place = Place::new();
    for (what, known) in [
        ("corrections", "logit-adjust"),
        ("models", "softmax-regression"),
        ("metrics", "balanced_error"),
        ("populations", "gaussian-pair"),
        ("datasets", "yeast"),
        ("presets", "families"),
    ] {
        let list = place
            .call(&["list", what, "--format", "json"])
            .ends_with(0)
            .json();
        let ids: Vec<&str> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap())
            .collect();
        assert!(
            ids.iter()
                .any(|id| id.replace('-', "_") == known.replace('-', "_")),
            "{ids:?}"
        );
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
        let text = place.call(&["list", what]).ends_with(0).out;
        assert!(
            ids.iter().all(|id| text.contains(id)),
            "{what}: the text lacks an id"
        );
        if what == "corrections" {
            let stages: BTreeSet<&str> = list
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["stage"].as_str().unwrap())
                .collect();
            assert!(
                ["resample", "ensemble", "loss", "decide"]
                    .iter()
                    .all(|stage| stages.contains(stage))
            );
        }
        if what == "datasets" {
            // Tables, and the tasks that papers make of them.
            let kinds: Vec<bool> = list
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["collection"] == "tables")
                .collect();
            let tables = kinds.iter().filter(|table| **table).count();
            assert_eq!((tables, kinds.len() >= 150), (59, true), "{}", ids.len());
        }
    }
    // Every preset is a piece of a sweep that runs as it is printed.
    let presets = place
        .call(&["list", "presets", "--format", "json"])
        .ends_with(0)
        .json();
    let data = "format = 1\n[[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\nimbalance_ratio = 4\n";
    for preset in presets.as_array().unwrap() {
        let id = preset["id"].as_str().unwrap();
        let section = preset["section"].as_str().unwrap();
        let rest = match section {
            "model" => "[[correction]]\nid = \"none\"\n",
            "dataset" => "[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n",
            _ => "[[model]]\nkind = \"softmax-regression\"\n",
        };
        place.write(
            "demo/sweep.toml",
            &format!("{data}{rest}{}", preset["toml"].as_str().unwrap()),
        );
        let named = format!("{data}{rest}[[{section}]]\npreset = \"{id}\"\n");
        if id == "models-all" || section == "dataset" {
            // Not every library is reproducible under a seed, and tables are many: the same plan, nothing run.
            let plan = ["run", "demo", "--dry-run"];
            let printed = place.call(&plan).ends_with(0).out;
            assert!(!printed.is_empty());
            place.write("demo/sweep.toml", &named);
            assert_eq!(place.call(&plan).ends_with(0).out, printed);
            continue;
        }
        let printed = place.run_demo(0);
        place.write("demo/sweep.toml", &named);
        assert_eq!(place.run_demo(0), printed, "{id}");
    }
}

/// What the help offers exists, and says what it takes.
#[test]
fn help_lists_only_what_there_is() {
    let place = Place::new();
    let help = place.call(&["--help"]).ends_with(0).out;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for needed in [
        "run", "report", "status", "merge", "list", "explain", "data",
    ] {
        assert!(
            commands.contains(&needed),
            "{needed} is not in {commands:?}"
        );
    }
    for command in commands.iter().filter(|command| **command != "help") {
        let text = place.call(&[command, "--help"]).ends_with(0).out;
        assert!(text.contains("Usage: counterweight"), "{text}");
    }
    let run = place.call(&["run", "--help"]).ends_with(0).out;
    for option in [
        "--jobs",
        "--shard",
        "--only",
        "--dry-run",
        "--fresh",
        "--retry-failed",
        "--output",
        "--no-report",
        "--quiet",
    ] {
        assert!(run.contains(option), "{option}");
    }
    place.call(&[]).ends_with(2);
}

/// The committed sweeps are compared with what a run gives, so every learner in them has to give the
/// same bytes under the same seed.
#[test]
fn committed_sweeps_hold_deterministic_learners_alone() {
    let place = Place::new();
    let list = place
        .call(&["list", "models", "--format", "json"])
        .ends_with(0)
        .json();
    let learners: BTreeMap<&str, bool> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let deterministic = item["deterministic"].as_bool().unwrap();
            (item["id"].as_str().unwrap(), deterministic)
        })
        .collect();
    // Else this test could not fail.
    assert!(learners.values().any(|deterministic| !deterministic));
    for report in ["quick", "reference", "ladders", "library", "gate"] {
        let path = format!(
            "{}/../../reports/{report}/sweep.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&path).unwrap();
        // A model's `kind` follows its heading at the beginning of a line.
        let mut kinds = Vec::new();
        for section in text.split("\n[[").skip(1) {
            if let Some(body) = section.strip_prefix("model]]") {
                let kind = body
                    .lines()
                    .find_map(|line| line.strip_prefix("kind = \""))
                    .and_then(|rest| rest.split('"').next());
                kinds.push(kind.expect("a model has a kind"));
            }
        }
        assert!(kinds.len() >= 4, "{report}: {kinds:?}");
        for kind in kinds {
            assert!(learners[kind], "{report}: `{kind}` is not deterministic");
        }
    }
}

/// What a learner's card rules out is settled at planning, with the reason.
#[test]
fn cards_decide_at_planning() {
    let place = Place::with_sweep(
        "format = 1\n[protocol]\nfolds = 2\n[[dataset]]\npath = \"three.csv\"\ntarget = \"y\"\n\
         [[model]]\nkind = \"linfa-svm\"\n[[model]]\nkind = \"smartcore-svc\"\n\
         [[model]]\nkind = \"smartcore-random-forest\"\ntrees = 3\n\
         [[correction]]\nid = \"none\"\n[[correction]]\nid = \"weights\"\nloss = { kind = \"weighted\" }\n\
         [[correction]]\nid = \"threshold\"\ndecide = { kind = \"prior-threshold\" }\n",
    );
    place.write("demo/three.csv", &numeric_csv(&[30, 20, 15], 8));
    let records = place.run_demo(0);
    let reason = |model: &str, correction: &str| {
        let rows = records.of(&[("model", model), ("correction", correction)]);
        (
            rows[0].text("outcome").to_owned(),
            rows[0].text("reason").to_owned(),
        )
    };
    for model in ["linfa-svm", "smartcore-svc"] {
        let (outcome, reason) = reason(model, "none");
        assert_eq!(outcome, "not-applicable");
        assert_eq!(reason, format!("`{model}` takes two classes only"));
    }
    let forest = "smartcore-random-forest";
    assert_eq!(reason(forest, "none").0, "ok");
    assert!(
        reason(forest, "weights")
            .1
            .contains("does not honour class weights")
    );
    assert!(reason(forest, "threshold").1.contains("gives votes only"));
    // The table that says so.
    let table = place.call(&["list", "models"]).ends_with(0).out;
    let head = table.lines().next().unwrap();
    for column in [
        "weights",
        "margins",
        "factors",
        "focal",
        "schedule",
        "minibatches",
        "initial_bias",
        "row_weights",
        "scores",
        "multiclass",
        "deterministic",
        "limit",
    ] {
        assert!(head.contains(column), "{head}");
    }
    let row = table
        .lines()
        .find(|line| line.starts_with("smartcore-svc "))
        .unwrap();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(
        cells[3..],
        [
            "no", "no", "no", "no", "no", "no", "no", "no", "votes", "only", "no", "yes", "2000"
        ]
    );
}
