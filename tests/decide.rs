//! `counterweight decide`: against closed forms on scores whose truth is known.

use std::fmt::Write as _;

use crate::common::{Noise, Place, Ran};

/// Rows of two classes, this share of them `yes`, with the probabilities of a model that learnt an eighth: id, amount,
/// label where asked, `p_no`, `p_yes`.
fn scores(n: usize, seed: u64, share: f64, labelled: bool) -> String {
    let mut noise = Noise(seed);
    let mut text = format!(
        "id,amount,{}p_no,p_yes\n",
        if labelled { "label," } else { "" }
    );
    for row in 0..n {
        let yes = noise.unit() < share;
        let x = noise.bell() + if yes { 1.0 } else { -1.0 };
        let odds = (2.0 * x).exp() / 7.0;
        let said = odds / (1.0 + odds);
        let label = match (labelled, yes) {
            (false, _) => "",
            (true, true) => "yes,",
            (true, false) => "no,",
        };
        let amount = 1.0 + (99.0 * noise.unit()).round();
        writeln!(text, "{row:05},{amount},{label}{},{said}", 1.0 - said).expect("text");
    }
    text
}

fn place() -> Place {
    let place = Place::new();
    place.write("held.csv", &scores(2000, 1, 0.125, true));
    place.write("new.csv", &scores(1500, 2, 0.125, false));
    place
}

fn decide(place: &Place, more: &[&str]) -> Ran {
    let mut words = vec!["decide", "new.csv", "--calibration", "held.csv"];
    words.extend(more);
    place.call(&words)
}

/// The columns of decisions.csv as texts, row by row.
fn decisions(place: &Place) -> Vec<Vec<String>> {
    let text = place.read("out/decisions.csv");
    text.lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

#[test]
fn costs_of_a_class_and_of_a_row_are_followed_to_the_row() {
    let place = place();
    let new: Vec<Vec<String>> = place
        .read("new.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    let number = |row: &[String], at: usize| row[at].parse::<f64>().expect("a number");
    for (flags, cost) in [
        (vec!["--cost", "yes=20"], None),
        (
            vec!["--cost", "no=5", "--cost-columns", "yes=amount"],
            Some(1),
        ),
    ] {
        let mut words = flags.clone();
        words.extend(["--output", "out"]);
        let ran = decide(&place, &words).ends_with(0);
        assert!(ran.out.contains("`least-cost` decides"), "{}", ran.out);
        let found = decisions(&place);
        assert_eq!(found[0], ["id", "amount", "decision", "p_no", "p_yes"]);
        for (row, decided) in new.iter().zip(&found[1..]) {
            assert_eq!(
                row[..2],
                decided[..2],
                "columns are passed on as they stand"
            );
            let (no, yes) = match cost {
                None => (1.0, 20.0),
                Some(column) => (5.0, number(row, column)),
            };
            let expected = if number(row, 3) * yes > number(row, 2) * no {
                "yes"
            } else {
                "no"
            };
            assert_eq!(decided[2], expected, "{row:?}");
        }
    }
}

#[test]
fn what_is_compared_was_not_fitted_on() {
    let place = place();
    let report = decide(&place, &["--format", "json"]).ends_with(0).json();
    let rules = report["rules"].as_array().expect("rules");
    let value = |at: usize| rules[at]["value"]["value"].as_f64().expect("a value");
    assert!(
        rules[0]["rule"]
            .as_str()
            .expect("text")
            .starts_with("tuned-threshold")
    );
    // Calibrated scores: tuning for balanced error is worth a lot, and the interval holds the difference.
    let argmax = rules
        .iter()
        .position(|rule| rule["rule"] == "argmax")
        .expect("argmax");
    assert!(value(argmax) > value(0) + 0.08);
    let ends = rules[argmax]["difference"]["interval"]
        .as_array()
        .expect("ends");
    assert!(ends[0].as_f64() > Some(0.05), "{ends:?}");
    // The threshold is the prior, and its scatter says so.
    let prior = report["held_out"][1].as_f64().expect("rows") / 2000.0;
    let fitted = report["fitted"][0].as_array().expect("a threshold");
    let ends = &fitted[1]["interval"];
    assert_eq!(fitted[0], "threshold");
    assert!(
        ends[0].as_f64() < Some(prior) && ends[1].as_f64() > Some(prior),
        "{fitted:?} {prior}"
    );
    // A calibrator cannot beat scores that mean what they say by much.
    let calibrators = report["calibrators"].as_array().expect("calibrators");
    let loss = |at: usize| calibrators[at]["values"][1].as_f64().expect("Brier score");
    assert_eq!(calibrators.len(), 6);
    for at in 1..6 {
        assert!((loss(at) - loss(0)).abs() < 0.005, "{calibrators:?}");
    }
}

#[test]
fn probabilities_are_brought_to_given_shares_by_bayes() {
    let place = place();
    let flags = [
        "--prior",
        "no=.8,yes=.2",
        "--target-prior",
        "no=.98,yes=.02",
        "--with",
        "argmax",
        "--output",
        "out",
    ];
    decide(&place, &flags).ends_with(0);
    let new = place.read("new.csv");
    for (row, decided) in new.lines().zip(decisions(&place)).skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let odds = cells[3].parse::<f64>().expect("p") / cells[2].parse::<f64>().expect("p");
        let odds = odds * (0.02 / 0.98) / (0.2 / 0.8);
        let p: f64 = decided[4].parse().expect("p");
        assert!((p - odds / (1.0 + odds)).abs() < 1e-12);
        assert_eq!(decided[2] == "yes", p >= 0.5);
    }
}

#[test]
fn other_shares_of_the_rows_to_decide_are_noticed_and_followed() {
    let place = place();
    place.write("new.csv", &scores(3000, 3, 0.5, true));
    let ran = decide(&place, &[]).ends_with(0);
    assert!(
        ran.out.contains("seem to have other class shares"),
        "{}",
        ran.out
    );
    let plain = decide(
        &place,
        &[
            "--with",
            "argmax",
            "--metric",
            "error_rate",
            "--format",
            "json",
        ],
    )
    .ends_with(0)
    .json();
    let shifted = [
        "--with",
        "argmax",
        "--metric",
        "error_rate",
        "--target-prior",
        "estimate",
        "--format",
        "json",
    ];
    let shifted = decide(&place, &shifted).ends_with(0).json();
    let worth = |report: &serde_json::Value| {
        report["rules"][0]["on_scores"]
            .as_f64()
            .expect("labels are there")
    };
    assert!(
        worth(&shifted) < worth(&plain),
        "{} {}",
        worth(&shifted),
        worth(&plain)
    );
    // Tuning sees the shares of the held-out rows, so it is left out where the metric depends on them.
    assert!(!shifted.to_string().contains("tuned-threshold"));
    // None where the shares are the same.
    let place = self::place();
    let ran = decide(&place, &[]).ends_with(0);
    assert!(
        !ran.out.contains("seem to have other class shares"),
        "{}",
        ran.out
    );
}

#[test]
fn columns_may_be_one_counted_or_named() {
    let place = place();
    let out = |place: &Place| {
        decide(place, &["--output", "out"]).ends_with(0);
        decisions(place)
            .into_iter()
            .map(|row| row[row.len() - 3].clone())
            .collect::<Vec<_>>()
    };
    let named = out(&place);
    for (no, yes) in [("p_0", "p_1"), ("other", "p_yes")] {
        for file in ["held.csv", "new.csv"] {
            let text = place.read(file);
            let (head, rest) = text.split_once('\n').expect("a header");
            let head = head
                .replace("p_no", no)
                .replace("p_yes", yes)
                .replace("other", "rest");
            place.write(file, &format!("{head}\n{rest}"));
        }
        assert_eq!(out(&place), named, "{yes}");
        for (file, labelled) in [("held.csv", true), ("new.csv", false)] {
            place.write(
                file,
                &scores(
                    if labelled { 2000 } else { 1500 },
                    if labelled { 1 } else { 2 },
                    0.125,
                    labelled,
                ),
            );
        }
    }
}

#[test]
fn counted_columns_are_classes_in_order_whatever_these_are_called() {
    let place = place();
    for file in ["held.csv", "new.csv"] {
        let text = place.read(file);
        let text = text.replace("p_no,p_yes", "p_0,p_1");
        let text = text.replace(",no,", ",1,").replace(",yes,", ",2,");
        place.write(file, &text);
    }
    decide(&place, &["--with", "argmax", "--output", "out"]).ends_with(0);
    let found = decisions(&place);
    assert_eq!(found[0], ["id", "amount", "decision", "p_1", "p_2"]);
    for row in &found[1..] {
        let p: f64 = row[4].parse().expect("p");
        assert_eq!(row[2] == "2", p >= 0.5, "{row:?}");
    }
}

#[test]
fn several_classes_have_offsets_and_given_folds_are_kept() {
    let place = Place::new();
    let mut noise = Noise(5);
    for (file, n) in [("held.csv", 1200), ("new.csv", 300)] {
        let mut text = "fold,label,p_a,p_b,p_c\n".to_owned();
        for row in 0..n {
            let w: Vec<f64> = [3.0, 1.0, 0.0]
                .iter()
                .map(|m| (m + noise.bell()).exp())
                .collect();
            let sum: f64 = w.iter().sum();
            let u = noise.unit() * sum;
            let label = if u < w[0] {
                "a"
            } else if u < w[0] + w[1] {
                "b"
            } else {
                "c"
            };
            writeln!(
                text,
                "{},{label},{},{},{}",
                row % 3 + 7,
                w[0] / sum,
                w[1] / sum,
                w[2] / sum
            )
            .expect("text");
        }
        place.write(file, &text);
    }
    let report = decide(&place, &["--format", "json", "--output", "out"])
        .ends_with(0)
        .json();
    assert!(
        report["sentences"][2]
            .as_str()
            .expect("text")
            .contains("the other 2 folds"),
        "{report}"
    );
    assert_eq!(report["fitted"].as_array().expect("offsets").len(), 3);
    let value = |at: usize| {
        report["rules"][at]["value"]["value"]
            .as_f64()
            .expect("a value")
    };
    assert!(value(0) < value(1), "tuned offsets serve balanced error");
    let page = place.read("out/index.html");
    assert!(page.contains("<svg") && !page.contains("http://www.example"));
    let again = decide(&place, &["--format", "json"]).ends_with(0).json();
    assert_eq!(report, again, "the same call says the same");
}

#[test]
fn what_is_wrong_is_named_with_file_line_and_remedy() {
    let place = place();
    let told = |flags: &[&str], words: &[&str]| {
        let ran = decide(&place, flags).ends_with(2);
        for word in words {
            assert!(ran.err.contains(word), "{flags:?}: {word}: {}", ran.err);
        }
    };
    told(
        &["--cost", "maybe=3"],
        &["there is no class `maybe`", "the classes are no, yes"],
    );
    told(&["--cost", "yes"], &["`yes` is not CLASS=VALUE"]);
    told(&["--cost", "yes=a"], &["`a` is no number"]);
    told(&["--cost", "yes=-1"], &["not below 0"]);
    told(
        &["--cost-columns", "yes=amont"],
        &["no column `amont`", "did you mean `amount`?"],
    );
    told(&["--metric", "auroc"], &["`auroc` is a metric of scores"]);
    told(&["--metric", "g_men"], &["did you mean `g_mean`?"]);
    told(&["--with", "argmux"], &["argmux"]);
    told(&["--with", "weight-norm"], &["needs the model"]);
    told(&["--prior", "no=.5"], &["no share for class `yes`"]);
    told(&["--prior", "no=.5,yes=.6"], &["the shares sum to 1.1"]);
    told(
        &["--target-prior", "uniform", "--prior", "unknown"],
        &["needs scores with a known prior"],
    );
    told(
        &["--label", "labl"],
        &["no column `labl`", "did you mean `label`?"],
    );
    let held = place.read("held.csv");
    for (from, to, words) in [
        (",p_no,p_yes", ",p_no,p_ja", "are not of the classes"),
        (",p_no,p_yes", ",q_no,q_yes", "no column of probabilities"),
    ] {
        place.write("held.csv", &held.replacen(from, to, 1));
        told(&[], &[words]);
    }
    let mut lines: Vec<&str> = held.lines().collect();
    for (line, words) in [
        (
            "00007,5,no,0.5,0.6",
            "held.csv:4: 0.5, 0.6 are no probabilities",
        ),
        (
            "00007,5,no,0.5,half",
            "held.csv:4: `half` in column `p_yes`",
        ),
        ("00007,5,,0.5,0.5", "held.csv:4: nothing in column `label`"),
    ] {
        lines[3] = line;
        place.write("held.csv", &(lines.join("\n") + "\n"));
        told(&[], &[words]);
    }
}
