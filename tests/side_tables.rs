//! What stands beside the records: kept scores and their way back in, curves, and models that are
//! selected inside the fold.

use crate::common::{Noise, Place};

const HEAD: &str =
    "format = 1\nname = \"demo\"\nseed = 9\n[protocol]\nfolds = 3\ninner_folds = 3\n";

const MODEL: &str = "[[model]]\nkind = \"softmax-regression\"\n";

const ARMS: &str = "[[correction]]\nid = \"none\"\n\
    [[correction]]\ndecide = { kind = \"logit-adjust\", tau = [0.5, 1.0] }\n\
    [[correction]]\nid = \"tuned\"\ndecide = { kind = \"tuned-threshold\" }\n";

fn sweep(protocol: &str, model: &str, more: &str) -> String {
    format!(
        "{HEAD}{protocol}[[dataset]]\npath = \"d.csv\"\ntarget = \"label\"\n{model}{ARMS}{more}"
    )
}

fn data() -> String {
    let mut noise = Noise(4);
    (0..240).fold("a,b,c,label\n".to_owned(), |text, i| {
        let label = if i % 6 == 0 { 1.0 } else { 0.0 };
        let (a, b, c) = (
            noise.unit() + 0.4 * label,
            noise.unit() - 0.3 * label,
            noise.unit(),
        );
        format!("{text}{a},{b},{c},{label}\n")
    })
}

fn place(sweep: &str) -> Place {
    let place = Place::with_sweep(sweep);
    place.write("demo/d.csv", &data());
    place
}

/// The lines of one kind in the side files of `demo`.
fn sides(place: &Place, kind: &str) -> Vec<serde_json::Value> {
    let files = place.beside("demo").into_iter();
    files
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let lines: Vec<serde_json::Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            lines
        })
        .filter(|line| !line[kind].is_null())
        .collect()
}

/// The kept scores of the arm `none`, as a table to import; `change` gets its lines without the header.
fn exported(place: &Place, change: impl FnOnce(&mut Vec<String>)) -> String {
    let records = place.records("demo");
    let mut lines = Vec::new();
    for side in sides(place, "scores") {
        let scores = &side["scores"];
        let cell = scores["cell"].as_str().unwrap();
        let row = records.one(&[("cell", cell)]);
        if row.text("correction") != "none" {
            continue;
        }
        let numbers = |key: &str| -> Vec<f64> {
            let items = scores[key].as_array().unwrap().iter();
            items.map(|v| v.as_f64().unwrap()).collect()
        };
        for (i, (number, p)) in numbers("rows")
            .iter()
            .zip(numbers("scores").chunks(2))
            .enumerate()
        {
            let label = numbers("labels")[i];
            lines.push(format!(
                "{},{},{number},{label},{},{}",
                row.text("repeat"),
                row.text("fold"),
                p[0],
                p[1]
            ));
        }
    }
    assert_eq!(lines.len(), 240);
    change(&mut lines);
    format!("repeat,fold,row,label,p_0,p_1\n{}\n", lines.join("\n"))
}

#[test]
fn kept_scores_are_added_to_what_is_done_and_come_back_as_a_model() {
    let place = place(&sweep("", MODEL, ""));
    let before = place.run_demo(0);
    assert!(!place.has("demo/scores.parquet"));
    place.write("demo/sweep.toml", &sweep("keep_scores = true\n", MODEL, ""));
    assert_eq!(place.run_demo(0), before);
    assert!(place.has("demo/scores.parquet"));
    assert_eq!(sides(&place, "scores").len(), before.rows.len());
    // A third time there is nothing to do.
    let segments = place.segments("demo").len();
    place.run_demo(0);
    assert_eq!(place.segments("demo").len(), segments);

    place.write("foreign.csv", &exported(&place, |_| {}));
    place
        .call(&["import-scores", "demo", "foreign.csv", "--model", "copy"])
        .ends_with(0);
    let records = place.records("demo");
    for arm in ["none", "logit-adjust[tau=0.5]", "logit-adjust[tau=1]"] {
        for fold in ["0", "1", "2"] {
            let of = |model: &str| {
                let row = records.one(&[("model", model), ("correction", arm), ("fold", fold)]);
                (
                    row.text("outcome").to_owned(),
                    row.real("balanced_error"),
                    row.real("brier"),
                )
            };
            let (own, copy) = (of("softmax-regression"), of("copy"));
            assert_eq!((&own.0, own.1), (&copy.0, copy.1), "{arm}");
            assert!((own.2 - copy.2).abs() < 1e-12);
        }
    }
    let tuned = records.of(&[("model", "copy"), ("correction", "tuned")]);
    assert!(
        tuned
            .iter()
            .all(|row| row.text("outcome") == "not-applicable"
                && row.text("reason").contains("out-of-fold"))
    );
    // An import outlives another run, and is not counted among the sweep's own cells.
    let again = place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    assert!(again.out.contains("12 of 12 cells"), "{}", again.out);
    assert_eq!(place.records("demo"), records);
    place.call(&["merge", "demo"]).ends_with(0);
    assert_eq!(place.records("demo"), records);
}

#[test]
fn an_import_names_the_rows_that_are_wrong() {
    let place = place(&sweep("keep_scores = true\n", MODEL, ""));
    place.run_demo(0);
    let whole = place.records("demo");
    let refused = |change: &dyn Fn(&mut Vec<String>), words: &[&str]| {
        place.write("foreign.csv", &exported(&place, |lines| change(lines)));
        let said = place
            .call(&["import-scores", "demo", "foreign.csv"])
            .ends_with(2)
            .err;
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    };
    let row_of = |line: &str| format!("row {}", line.split(',').nth(2).unwrap());
    let first = exported(&place, |_| {}).lines().nth(1).unwrap().to_owned();
    let named = row_of(&first);
    let with = |p0: &str, p1: &str, label: &str| {
        let head: Vec<&str> = first.split(',').take(3).collect();
        format!("{},{label},{p0},{p1}", head.join(","))
    };
    let label = first.split(',').nth(3).unwrap();
    refused(
        &|lines| lines.push(first.clone()),
        &["more than once", &named],
    );
    refused(&|lines| drop(lines.remove(0)), &["without scores", &named]);
    for (p0, p1) in [("0.4", "0.4"), ("-0.1", "1.1"), ("", "1")] {
        refused(
            &|lines| lines[0] = with(p0, p1, label),
            &["sum to 1", &named],
        );
    }
    refused(
        &|lines| lines[0] = with("0.5", "0.5", "maybe"),
        &["no class of the data", &named],
    );
    refused(
        &|lines| lines[0] = "0,0,9999,0,0.5,0.5".into(),
        &["not test rows", "line 2"],
    );
    refused(
        &|lines| lines[0] = "0,7,1,0,0.5,0.5".into(),
        &["line 2 belongs to no split"],
    );
    assert_eq!(place.records("demo"), whole, "nothing was kept");
}

/// A damaged import is told with what is left of it, and importing again, as the note says, mends it.
#[test]
fn a_damaged_import_is_told_and_importing_again_mends_it() {
    let place = place(&sweep("keep_scores = true\n", MODEL, ""));
    place.run_demo(0);
    // With the index that pandas writes.
    let rows = exported(&place, |_| {});
    let mut indexed = String::new();
    for (at, line) in rows.lines().enumerate() {
        let index = at
            .checked_sub(1)
            .map_or("__index_level_0__".to_owned(), |at| at.to_string());
        indexed = indexed + line + "," + &index + "\n";
    }
    place.write("foreign.csv", &indexed);
    let import = ["import-scores", "demo", "foreign.csv", "--model", "copy"];
    place.call(&import).ends_with(0);
    let whole = place.records("demo");
    let file = place.path("demo/imports/copy.jsonl");
    let sound = std::fs::read(&file).unwrap();
    let breaks: Vec<usize> = (0..sound.len()).filter(|&at| sound[at] == b'\n').collect();
    assert_eq!(breaks.len(), 13);
    let flipped = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 4;
        bytes
    };
    for (bytes, left, words) in [
        // At the end of a line, within one, a bit of a number, and the header.
        (
            sound[..=breaks[5]].to_vec(),
            5,
            "5 of its 12 records can be read",
        ),
        (
            sound[..breaks[5] + 40].to_vec(),
            5,
            "5 of its 12 records can be read",
        ),
        (
            flipped(breaks[3] + 300),
            11,
            "11 of its 12 records can be read",
        ),
        (flipped(20), 0, "is damaged and is left out"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        for command in [
            &["run", "demo", "--no-report", "--rewrite"][..],
            &["merge", "demo"],
        ] {
            let said = place.call(command).ends_with(0).err;
            assert!(
                said.contains(words) && said.contains("import it again"),
                "{said}"
            );
        }
        assert_eq!(place.records("demo").rows.len(), 12 + left);
        place.call(&import).ends_with(0);
        assert_eq!(place.records("demo"), whole);
        assert!(std::fs::read(&file).unwrap() == sound);
        assert!(
            !place
                .call(&["run", "demo", "--no-report"])
                .ends_with(0)
                .err
                .contains("damaged")
        );
    }
    // Under another version of the sweep it is left out, and said so.
    place.write(
        "demo/sweep.toml",
        &sweep("keep_scores = true\nrepeats = 2\n", MODEL, ""),
    );
    let said = place.call(&["run", "demo", "--no-report"]).ends_with(0).err;
    assert!(said.contains("another version of the sweep"), "{said}");
    assert_eq!(place.records("demo").rows.len(), 24);
}

/// What stands beside the records comes along with the segments that it belongs to, or is told to be missing
/// and made again.
#[test]
fn a_merge_brings_what_stands_beside_or_says_what_it_lacks() {
    let place = place(&sweep("keep_scores = true\n", MODEL, ""));
    place.run_demo(0);
    let files = ["records.csv", "scores.parquet", "reliability.parquet"];
    let products = |folder: &str| -> Vec<Vec<u8>> {
        let files = files.iter();
        files
            .map(|file| place.bytes(&format!("{folder}/{file}")))
            .collect()
    };
    let whole = products("demo");
    let segment = place.segments("demo").remove(0);
    let segment = segment.to_str().unwrap();
    let fresh = || {
        let _ = std::fs::remove_dir_all(place.path("other"));
        place.write("other/sweep.toml", &place.read("demo/sweep.toml"));
        place.write("other/d.csv", &data());
    };
    fresh();
    let merged = place.call(&["merge", "other", segment]).ends_with(0);
    assert!(!merged.out.contains("without"), "{}", merged.out);
    assert!(products("other") == whole);
    // A bare segment.
    fresh();
    std::fs::copy(segment, place.path("bare.jsonl")).unwrap();
    let merged = place.call(&["merge", "other", "bare.jsonl"]).ends_with(0);
    assert!(
        merged
            .out
            .contains("12 cells came without the scores, curves or reliability bins"),
        "{}",
        merged.out
    );
    place.call(&["status", "other"]).ends_with(3);
    let ran = place.call(&["run", "other", "--no-report"]).ends_with(0);
    assert!(ran.err.contains("running 12 cells"), "{}", ran.err);
    assert!(products("other") == whole);
    // A folder that lost them.
    for side in place.beside("other") {
        std::fs::remove_file(side).unwrap();
    }
    let merged = place.call(&["merge", "other"]).ends_with(0).out;
    assert!(merged.contains("12 cells came without"), "{merged}");
    place.call(&["run", "other", "--no-report"]).ends_with(0);
    assert!(products("other") == whole);
}

#[test]
fn a_curve_passes_through_the_named_arms() {
    let curve = "[[curve]]\nid = \"tau\"\ndecide = { kind = \"logit-adjust\" }\nparameter = \"tau\"\n\
                 from = 0.0\nto = 2.0\npoints = 4001\n";
    let place = place(&sweep("", MODEL, curve));
    let records = place.run_demo(0);
    assert!(place.has("demo/curves.parquet"));
    let lines = sides(&place, "curve");
    assert_eq!(lines.len(), 3, "one curve a fit");
    for line in lines {
        let curve = &line["curve"];
        let host = records.one(&[("cell", curve["cell"].as_str().unwrap())]);
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            let items = value.as_array().unwrap().iter();
            items.map(|v| v.as_f64().unwrap()).collect()
        };
        let (from, to) = (numbers(&curve["from"]), numbers(&curve["to"]));
        let points: f64 = numbers(&curve["points"]).iter().sum();
        assert!((points - 4001.0).abs() < 1e-9);
        for metric in [
            "balanced_error",
            "error_rate",
            "macro_f1",
            "g_mean",
            "worst_recall",
        ] {
            let values = numbers(&curve["metrics"][metric]);
            for (tau, arm) in [
                (0.0, "none"),
                (0.5, "logit-adjust[tau=0.5]"),
                (1.0, "logit-adjust[tau=1]"),
            ] {
                let at = (0..from.len())
                    .find(|&i| from[i] <= tau + 1e-12 && tau <= to[i] + 1e-12)
                    .unwrap();
                let arm = records.one(&[("correction", arm), ("fold", host.text("fold"))]);
                let expected = arm.real(metric);
                assert!((values[at] - expected).abs() < 1e-12, "{metric} at {tau}");
            }
        }
    }
    // Curves are no records.
    assert_eq!(records.rows.len(), 12);
}

#[test]
fn a_selected_model_is_the_best_of_its_grid_for_each_arm() {
    let grid = "[[model]]\nkind = \"softmax-regression\"\nl2 = [0.01, 300.0]\n";
    let expanded = place(&sweep("", grid, "")).run_demo(0);
    let model = format!("{grid}select = \"balanced-error\"\n");
    let chosen = place(&sweep("", &model, ""));
    let records = chosen.run_demo(0);
    assert_eq!(records.rows.len(), 12);
    let mut by_candidate = [0, 0];
    for segment in chosen.segments("demo") {
        let text = std::fs::read_to_string(segment).unwrap();
        for line in text.lines().skip(1) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let record = &line["record"];
            let details = &record["details"];
            let value = |at: usize| details[format!("candidate_metric[{at}]")].as_f64().unwrap();
            let selected = usize::from(value(1) < value(0) - 1e-12);
            assert!((details["selected"].as_f64().unwrap() - selected as f64).abs() < 1e-12);
            by_candidate[selected] += 1;
            let l2 = ["0.01", "300"][selected];
            let twin = expanded.one(&[
                ("model", &format!("softmax-regression[l2={l2}]")),
                ("correction", record["correction"].as_str().unwrap()),
                ("fold", &record["fold"].to_string()),
            ]);
            let own = record["metrics"]["balanced_error"].as_f64().unwrap();
            assert!((own - twin.real("balanced_error")).abs() < 1e-12);
        }
    }
    assert_eq!(by_candidate.iter().sum::<i32>(), 12);
    assert!(by_candidate[0] > 0, "{by_candidate:?}");
}

#[test]
fn mistakes_in_curves_and_selections_are_reported() {
    let place = place(&sweep(
        "",
        "[[model]]\nkind = \"softmax-regression\"\nselect = \"balanced-eror\"\n\
         [[model]]\nkind = \"lda\"\nselect = \"mcc\"\n",
        "[[curve]]\ndecide = { kind = \"logit-adjust\" }\nparameter = \"tua\"\nfrom = 0.0\nto = 1.0\n\
         corrections = [\"nnone\"]\n\
         [[curve]]\nid = \"x\"\ndecide = { kind = \"threshold\" }\nparameter = \"t\"\nfrom = 2.0\nto = 1.0\n",
    ));
    let said = place.call(&["run", "demo", "--quiet"]).ends_with(2).err;
    for words in [
        "did you mean `balanced-error`?",
        "there is no grid to choose from",
        "did you mean `tau`?",
        "did you mean `none`?",
        "not above `from`",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
