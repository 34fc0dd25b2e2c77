//! Groups of rows (`group = "COLUMN"`): no split divides them, outer or inner; what is refused, and what is clamped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use counterweight_core::Cells;
use counterweight_frame::{read_table, write_table};

use crate::common::{Noise, Place};

/// Groups of five rows around a place of their own, with a label of their own that is a coin toss: who has met one
/// row of a group knows the label of the others, and who has met none has to guess.
fn tosses(name: impl Fn(usize) -> String, n_groups: usize) -> String {
    let mut noise = Noise(11);
    let mut text = "u,v,who,y\n".to_owned();
    for group in 0..n_groups {
        let (u, v) = (20.0 * noise.unit(), 20.0 * noise.unit());
        let label = if noise.unit() < 0.5 { "a" } else { "b" };
        for _ in 0..5 {
            let (x, y) = (u + 0.01 * noise.bell(), v + 0.01 * noise.bell());
            writeln!(text, "{x:.5},{y:.5},{},{label}", name(group)).unwrap();
        }
    }
    text
}

const SWEEP: &str = "format = 1\nseed = 5\n[protocol]\nfolds = 4\nrepeats = 2\nkeep_scores = true\n[[dataset]]\n\
    path = \"own.csv\"\ntarget = \"y\"\nKEY\n[[correction]]\nid = \"none\"\n";

fn place(key: &str, model: &str) -> Place {
    let place = Place::with_sweep(&format!("{}{model}", SWEEP.replace("KEY", key)));
    place.write("demo/own.csv", &tosses(|group| format!("p{group}"), 60));
    place
}

/// The mean of a detail over the cells.
fn detail(place: &Place, name: &str) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for segment in place.segments("demo") {
        for line in std::fs::read_to_string(segment).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(value) = line["record"]["details"][name].as_f64() {
                sum += value;
                n += 1.0;
            }
        }
    }
    assert!(n > 0.0, "no detail {name}");
    sum / n
}

#[test]
fn no_outer_split_divides_a_group() {
    let error = |key: &str, split: &str| {
        let place = place(key, "[[model]]\nkind = \"k-nearest-neighbours\"\nk = 1\n");
        let text = place.read("demo/sweep.toml").replace("folds = 4", split);
        place.write("demo/sweep.toml", &text);
        let records = place.run_demo(0);
        let scores = read_table(&place.path("demo/scores.parquet")).unwrap();
        let whole = |name: &str| match scores.column(name) {
            Some(Cells::Whole(values)) => values.iter().flatten().copied().collect::<Vec<i64>>(),
            _ => panic!("no column {name}"),
        };
        let mut folds: BTreeMap<(i64, i64), BTreeMap<i64, usize>> = BTreeMap::new();
        for ((repeat, fold), row) in whole("repeat")
            .into_iter()
            .zip(whole("fold"))
            .zip(whole("row"))
        {
            let groups = folds.entry((repeat, row / 5)).or_default();
            *groups.entry(fold).or_default() += 1;
        }
        let divided = folds
            .values()
            .any(|folds| folds.len() > 1 || folds.values().any(|n| *n != 5));
        assert_eq!(divided, key.starts_with("ignore"), "{key}");
        let sizes = records.distinct("n_test");
        let errors = records.rows.iter().map(|row| row.real("balanced_error"));
        (
            errors.sum::<f64>() / records.rows.len() as f64,
            sizes.join(" "),
        )
    };
    let (loose, sizes) = error("ignore = [\"who\"]", "folds = 4");
    assert!(loose < 0.05, "{loose}");
    assert_eq!(sizes, "75");
    // 60 coin tosses, twice: .5 +- 4 * .5 / sqrt(60).
    let (folds, sizes) = error("group = \"who\"", "folds = 4");
    assert!((folds - 0.5).abs() < 0.26, "{folds}");
    assert_eq!(sizes, "75", "groups of one size make folds of one size");
    let (held, sizes) = error("group = \"who\"", "test = 0.3");
    assert!((held - 0.5).abs() < 0.4, "{held}");
    assert!(
        ["90", "85", "95"].iter().any(|size| sizes.contains(size)),
        "{sizes}"
    );
}

/// What is chosen, calibrated or stopped inside a training set never meets the group of a row that it is judged on.
#[test]
fn no_inner_split_divides_a_group() {
    let of = |key: &str, model: &str, name: &str| {
        let place = place(key, model);
        if name == "validation_loss" {
            place.write("demo/own.csv", &tosses(|group| format!("p{group}"), 16));
        }
        place.run_demo(0);
        detail(&place, name)
    };
    for (model, name, known, guessed) in [
        (
            "kind = \"k-nearest-neighbours\"\nk = [1, 3]\nselect = \"balanced-error\"",
            "candidate_metric[0]",
            0.1,
            0.25,
        ),
        (
            "kind = \"random-forest\"\noob = true",
            "oob_balanced_error",
            0.1,
            0.25,
        ),
        (
            "kind = \"mlp\"\nhidden = [64, 32]\nepochs = 300\nlearning_rate = 0.01\nearly_stopping = true\npatience = 300",
            "validation_loss",
            0.2,
            0.3,
        ),
    ] {
        let model = format!("[[model]]\n{model}\n");
        let loose = of("ignore = [\"who\"]", &model, name);
        let grouped = of("group = \"who\"", &model, name);
        assert!(
            loose < known && grouped > guessed,
            "{name}: {loose}, {grouped}"
        );
    }
}

/// The table says itself that folds over rows are optimistic.
#[test]
fn vowels_are_harder_by_speakers_who_were_not_heard() {
    let error = |key: &str| {
        let place = Place::with_sweep(&format!(
            "format = 1\n[protocol]\nfolds = 3\n[[dataset]]\nname = \"vowel\"\n{key}\n\
             [[model]]\nkind = \"k-nearest-neighbours\"\n[[correction]]\nid = \"none\"\n"
        ));
        let records = place.run_demo(0);
        let errors = records.rows.iter().map(|row| row.real("balanced_error"));
        let features = records.rows[0].text("n_features").to_owned();
        (
            errors.sum::<f64>() / 3.0,
            features.parse::<usize>().unwrap(),
            place,
        )
    };
    let (loose, before, _) = error("");
    let (grouped, after, place) = error("group = \"V1\"");
    assert_eq!(after, before - 1, "the group is no feature");
    assert!(grouped > loose + 0.1, "{grouped} against {loose}");
    let run = place.read("demo/run.json");
    assert!(
        run.contains("no split divides the 15 groups of `V1`, which is no feature"),
        "{run}"
    );
}

/// Only which rows have equal values counts: not the values, their kind, or the file's format.
#[test]
fn groups_are_what_is_equal() {
    let place = place(
        "group = \"who\"",
        "[[model]]\nkind = \"gaussian-naive-bayes\"\n",
    );
    let named = place.run_demo(0);
    place.write(
        "demo/own.csv",
        &tosses(|group| (900 - group).to_string(), 60),
    );
    assert_eq!(place.run_demo(0), named);
    let table = read_table(&place.path("demo/own.csv")).unwrap();
    write_table(&table, &place.path("demo/own.parquet")).unwrap();
    let text = place
        .read("demo/sweep.toml")
        .replace("own.csv", "own.parquet");
    place.write("demo/sweep.toml", &text);
    assert_eq!(place.run_demo(0), named);
    place.write(
        "demo/own.csv",
        &tosses(|group| format!("p{}", group / 2), 60),
    );
    place.write("demo/sweep.toml", &text.replace("own.parquet", "own.csv"));
    assert_ne!(place.run_demo(0), named);
}

#[test]
fn inspection_counts_groups_by_class() {
    let place = Place::new();
    place.write(
        "own.csv",
        "u,who,y\n1,p,a\n2,p,a\n3,q,a\n4,q,b\n5,q,b\n6,r,a\n",
    );
    let call = |more: &[&str]| {
        place.call(&[&["data", "inspect", "own.csv", "--target", "y"], more].concat())
    };
    let found = call(&["--group", "who", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(
        (&found["groups"], &found["nominal"]),
        (&3.into(), &0.into())
    );
    assert_eq!(found["classes"][0]["groups"], 3);
    assert_eq!(found["classes"][1]["groups"], 1);
    let text = call(&["--group", "who"]).ends_with(0).out;
    assert!(
        text.contains("3 groups of `who`, which is no feature"),
        "{text}"
    );
    assert!(
        text.contains("classes with all rows in one group: `b`"),
        "{text}"
    );
    assert!(!call(&[]).out.contains("groups"));
    let wrong = call(&["--group", "whom"]).ends_with(2).err;
    assert!(wrong.contains("did you mean `who`?"), "{wrong}");
}

#[test]
fn fewer_groups_than_folds_follow_the_policy() {
    let place = place(
        "group = \"who\"",
        "[[model]]\nkind = \"gaussian-naive-bayes\"\n",
    );
    place.write("demo/own.csv", &tosses(|group| (group % 3).to_string(), 60));
    let records = place.run_demo(0);
    assert_eq!(records.distinct("fold"), ["0", "1", "2"]);
    assert_eq!(records.distinct("outcome"), ["clamped"]);
    let reason = "4 folds reduced to the 3 groups that there are";
    assert!(records.rows[0].text("reason").contains(reason));
    let text = place.read("demo/sweep.toml");
    place.write(
        "demo/sweep.toml",
        &text.replace("folds = 4", "folds = 4\nsmall_class = \"error\""),
    );
    let ran = place.call(&["run", "demo"]).ends_with(2);
    assert!(ran.err.contains(reason), "{}", ran.err);
    // Two groups: one trains, and there is nothing to cross-fit.
    place.write("demo/own.csv", &tosses(|group| (group % 2).to_string(), 60));
    let tuned = text.replace(
        "id = \"none\"",
        "id = \"tuned\"\ndecide = { kind = \"tuned-threshold\" }",
    );
    place.write("demo/sweep.toml", &tuned);
    let records = place.run_demo(0);
    assert_eq!(records.distinct("outcome"), ["not-applicable"]);
    assert!(
        records.rows[0]
            .text("reason")
            .contains("cross-fitting needs two groups of training rows")
    );
}

#[test]
fn what_makes_no_groups_is_refused() {
    let place = Place::new();
    place.write("demo/own.csv", &tosses(|group| format!("p{group}"), 20));
    let whole = tosses(|group| format!("p{group}"), 20);
    place.write("demo/one.csv", &tosses(|_| "p".into(), 20));
    place.write("demo/empty.csv", &whole.replacen(",p3,", ",,", 1));
    place.write("demo/spelt.csv", &whole.replacen(",p2,", ",NA,", 1));
    place.write("demo/bare.csv", "who,y\np,a\nq,b\np,a\nq,b\n");
    place.write(
        "demo/test.csv",
        &tosses(|group| format!("q{}", group % 5), 5).replacen("q3", "p3", 1),
    );
    let own = "path = \"own.csv\"\ntarget = \"y\"\n";
    let mut said = String::new();
    for dataset in [
        &format!("{own}group = \"whom\""),
        &format!("{own}group = \"y\""),
        &format!("{own}group = \"who\"\nignore = [\"who\"]"),
        &format!("{own}group = [\"who\", \"u\"]"),
        &format!("{own}group = \"who\"\nnumeric = [\"who\"]"),
        "path = \"one.csv\"\ntarget = \"y\"\ngroup = \"who\"",
        "path = \"empty.csv\"\ntarget = \"y\"\ngroup = \"who\"",
        "path = \"spelt.csv\"\ntarget = \"y\"\ngroup = \"who\"",
        "path = \"bare.csv\"\ntarget = \"y\"\ngroup = \"who\"",
        "train = \"own.csv\"\ntest = \"test.csv\"\ntarget = \"y\"\ngroup = \"who\"",
        "name = \"vowel\"\ngroup = \"V0\"",
        "name = \"vowel\"\ngroup = \"speaker\"",
    ] {
        place.write(
            "demo/sweep.toml",
            &format!(
                "format = 1\n[[dataset]]\n{dataset}\n[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n"
            ),
        );
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        let keys = dataset.replace('\n', "; ");
        writeln!(said, "# {keys}\n{}", place.anonymous(&ran.err)).unwrap();
    }
    insta::assert_snapshot!(said);
}
