//! Data on which methods once gave nothing, or another answer than they should: missing values, columns of
//! one kind, copies, ties. Each test says what is right and why.

use std::fmt::Write as _;

use crate::common::Place;

fn sweep(model: &str, corrections: &str) -> String {
    format!(
        "format = 1\n[protocol]\nfolds = 3\n[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n[[model]]\nkind = {model}\n{corrections}"
    )
}

fn resampled(kinds: &[&str]) -> String {
    let entry = |kind: &&str| format!("[[correction]]\nresample = {{ kind = \"{kind}\" }}\n");
    kinds.iter().map(entry).collect()
}

/// Three columns of numbers from a small generator, 45 of 180 rows of class `b`, one cell empty.
fn with_an_empty_cell() -> String {
    let mut file = "u,v,w,y\n".to_owned();
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 16) / 65_536.0
    };
    for row in 0..180 {
        let rare = row % 4 == 0;
        let shift = if rare { 0.7 } else { 0.0 };
        let (u, v, w) = (next() + shift, next() + shift, next());
        let v = if row == 90 {
            String::new()
        } else {
            v.to_string()
        };
        writeln!(file, "{u},{v},{w},{}", if rare { "b" } else { "a" }).expect("text");
    }
    file
}

/// A missing value makes no nominal column: what a resampler takes is decided by the columns of the rows at
/// hand, and the indicator of a missing value goes along with the row that it belongs to.
#[test]
fn an_empty_cell_denies_no_resampler() {
    let kinds = [
        "smote",
        "borderline-smote",
        "adasyn",
        "svm-smote",
        "kmeans-smote",
        "safe-level-smote",
        "mwmote",
        "polynom-fit-smote",
        "prowsyn",
        "smote-ipf",
        "smote-tomek",
        "smote-enn",
        "cluster-centroids",
        "tomek-links",
        "random-over",
        "random-under",
    ];
    let more = "[[correction]]\nid = \"tuned\"\nresample = { kind = \"smote\" }\ndecide = { kind = \"tuned-threshold\" }\n\
         [[correction]]\nid = \"platt\"\nresample = { kind = \"smote\" }\ndecide = { kind = \"calibrated\", by = \"platt\" }\n";
    let place = Place::with_sweep(&sweep(
        "\"softmax-regression\"",
        &(resampled(&kinds) + more),
    ));
    place.write("demo/d.csv", &with_an_empty_cell());
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    let records = place.records("demo");
    assert_eq!(records.rows.len(), 3 * (kinds.len() + 2));
    for row in &records.rows {
        let outcome = row.text("outcome");
        assert!(
            ["ok", "clamped"].contains(&outcome),
            "{}: {}",
            row.text("correction"),
            row.text("reason")
        );
    }
}

/// SMOTE on nominal columns alone is SMOTE-N.
#[test]
fn smote_becomes_what_its_columns_ask_for_in_as_many_steps_as_it_takes() {
    let place = Place::with_sweep(&sweep(
        "\"softmax-regression\"",
        &resampled(&["smote", "smote-nc", "smote-n"]),
    ));
    let mut file = "p,q,r,y\n".to_owned();
    for row in 0..120_u32 {
        let at = |by: u32| ["red", "green", "blue"][(row * by / 7 % 3) as usize];
        writeln!(
            file,
            "{},{},{},{}",
            at(3),
            at(5),
            at(11),
            u8::from(row % 5 == 0)
        )
        .expect("text");
    }
    place.write("demo/d.csv", &file);
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    let records = place.records("demo");
    assert_eq!(records.rows.len(), 9);
    for row in &records.rows {
        assert_eq!(row.text("outcome"), "ok");
        assert!(row.text("resample").starts_with("smote-n["));
    }
    let made = [
        "data",
        "resample",
        "demo/d.csv",
        "--target",
        "y",
        "--with",
        "smote",
        "--output",
        "o.csv",
    ];
    let ran = place.call(&made).ends_with(0);
    assert!(ran.err.contains("smote-n in place of smote"), "{}", ran.err);
}

/// Labels are noise, so an honest estimate is near one half; a tree that holds a copy of a row, or a row
/// made of it, is no judge of the row.
#[test]
fn out_of_bag_rows_are_strangers_to_their_judges() {
    let model = "\"random-forest\"\noob = true\ntrees = 60";
    let corrections = format!(
        "[[correction]]\nid = \"none\"\n{}",
        resampled(&["random-over", "smote"])
    );
    let place = Place::with_sweep(&sweep(model, &corrections));
    let mut file = "u,v,y\n".to_owned();
    for row in 0..240_u32 {
        let (u, v) = (row * 7919 % 1009, row * 104_729 % 997);
        writeln!(file, "{u}.5,{v}.5,{}", u8::from(row % 3 == 0)).expect("text");
    }
    place.write("demo/d.csv", &file);
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    let mut errors = Vec::new();
    for segment in place.segments("demo") {
        let text = std::fs::read_to_string(segment).expect("a segment");
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line of json");
            errors.extend(line["record"]["details"]["oob_balanced_error"].as_f64());
        }
    }
    assert_eq!(errors.len(), 9);
    assert!(errors.iter().all(|error| *error > 0.35), "{errors:?}");
}

/// What classes are called decides nothing: ties go to the class that is rarer in the table.
#[test]
fn renaming_classes_changes_no_result() {
    let corrections = "[[correction]]\nid = \"none\"\n\
         [[correction]]\nid = \"threshold\"\ndecide = { kind = \"threshold\", t = 0.2 }\n\
         [[correction]]\nid = \"prior\"\ndecide = { kind = \"prior-threshold\" }\n\
         [[correction]]\nid = \"cost\"\ndecide = { kind = \"cost-matrix\", costs = [[0, 1], [1, 0]] }\n\
         [[correction]]\nid = \"tuned\"\ndecide = { kind = \"tuned-threshold\" }\n\
         [[correction]]\nid = \"tau\"\ndecide = { kind = \"logit-adjust\" }\n";
    let errors = |common: &str, rare: &str| {
        let sweep = sweep("\"k-nearest-neighbours\"\nk = 5", corrections);
        let pair = "train = \"a.csv\"\ntest = \"b.csv\"";
        let place = Place::with_sweep(
            &sweep
                .replace("path = \"d.csv\"", pair)
                .replace("folds = 3", ""),
        );
        let file = with_an_empty_cell().replace(",b\n", &format!(",{rare}\n"));
        let file = file.replace(",a\n", &format!(",{common}\n"));
        let (head, rows) = file.split_once('\n').expect("a head");
        let rows: Vec<&str> = rows.lines().collect();
        for (name, part) in ["a.csv", "b.csv"].into_iter().zip(rows.chunks(90)) {
            place.write(
                &format!("demo/{name}"),
                &format!("{head}\n{}\n", part.join("\n")),
            );
        }
        place.call(&["run", "demo", "--no-report"]).ends_with(0);
        let rows = place.records("demo").rows;
        let of = |row: &crate::common::Row| {
            (
                row.text("correction").to_owned(),
                row.real("balanced_error").to_bits(),
            )
        };
        let mut errors: Vec<(String, u64)> = rows.iter().map(of).collect();
        errors.sort();
        errors
    };
    let one = errors("healthy", "sick");
    assert_eq!(one, errors("normal", "abnormal"));
    assert_eq!(one, errors("0", "1"));
    assert_eq!(one, errors("1", "0"));
}

/// A share of rows is a number of rows: .29 of 100 is 29, though the product is a little less.
#[test]
fn shares_of_rows_are_whole_where_they_should_be() {
    for (common, rare, strategy, ends) in [
        (100, 28, "0.29", 29),
        (50, 28, "0.58", 29),
        (300, 122, "0.41", 123),
    ] {
        let place = Place::new();
        let rows = |n: usize, class: &str| {
            (0..n)
                .map(|i| format!("{i}.5,{class}\n"))
                .collect::<String>()
        };
        place.write(
            "d.csv",
            &format!("x,y\n{}{}", rows(common, "a"), rows(rare, "b")),
        );
        let with = format!("{{ kind = \"random-over\", strategy = {strategy} }}");
        let made = [
            "data", "resample", "d.csv", "--target", "y", "--with", &with, "--output", "o.csv",
        ];
        place.call(&made).ends_with(0);
        let found = place
            .read("o.csv")
            .lines()
            .filter(|line| line.contains(",b,") || line.ends_with(",b"))
            .count();
        assert_eq!(found, ends, "{strategy}");
    }
}
