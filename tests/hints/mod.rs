//! Every hint is followed, and helps: what it asks for is taken where the error that it came with was not.
//!
//! The hints are collected from the code, so that one without a case in the files beside this one fails.

use std::path::{Path, PathBuf};

use crate::common::{Place, numeric_csv};

const CORRECTIONS: &str = include_str!("corrections.txt");
const SWEEPS: &str = include_str!("sweeps.txt");
const FILES: &str = include_str!("files.txt");
const DATA: &str = include_str!("data.txt");
const GATES: &str = include_str!("gates.txt");
const COMMANDS: &str = include_str!("commands.txt");

/// Hints that only what happens between processes or in large files brings out, with the tests that do.
const ELSEWHERE: [&str; 17] = [
    // foreign
    "leave it out of the sweep, or say `deterministic = true` where that is so",
    "leave it out of the sweep",
    // folders, endings, gate::cli
    "wait until the other run of this folder has ended, or write to another folder with --output",
    "give this user the permission to, or work in a copy of the folder",
    "work in a copy of the folder on another file system",
    "call the same command again: it compares with what is there now",
    "{} was written; the next `--update` goes on",
    // hostile::planning
    "mend those above first",
    "give fewer values, or cut the sweep into several files",
    "name fewer `corrections`",
    "set `max_rows`",
    // crates/stats: no file gives a table that its tests refuse.
    "give a row a result",
    // reading: files whose bytes are no text, and those whose names end in the number of a fold
    "call it {name}.{packed}, and it is unpacked while it is read",
    "unpack it, or save the sheet as CSV",
    // crates/frame/tests
    "leave the array out, if it is no column: {}",
    "convert it to numbers or text, or leave it out: {}",
    "say what becomes of dates: {}",
];

/// Texts beside hints that are none.
const NONE: [&str; 3] = [
    "hint: {hint}",
    "expected {expected}, found {} `{value}`",
    "give one row of cells for each dataset and one cell for each correction",
];

/// A hint, what gets it, and what it says.
#[derive(Clone, Copy)]
struct Case {
    hint: &'static str,
    bad: &'static str,
    good: &'static str,
}

fn cases(file: &'static str) -> Vec<Case> {
    let blocks = file.split("\n\n").skip(1);
    blocks
        .map(|block| {
            let line = |mark: &str| {
                let line = block.lines().find_map(|line| line.strip_prefix(mark));
                assert!(line.is_some(), "no line {mark} in: {block}");
                line.unwrap_or_default()
            };
            Case {
                hint: line("? "),
                bad: line("- "),
                good: line("+ "),
            }
        })
        .collect()
}

/// A wrong file and a right one.
pub(crate) struct Written {
    pub(crate) wrong: String,
    pub(crate) right: String,
}

fn written(file: &'static str, whole: impl Fn(&str) -> String) -> Vec<Written> {
    let write = |case: Case| Written {
        wrong: whole(case.bad),
        right: whole(case.good),
    };
    cases(file).into_iter().map(write).collect()
}

/// The cases of sweep files.
pub(crate) fn of_sweeps() -> Vec<Written> {
    let mut all = written(CORRECTIONS, of_correction);
    all.extend(written(SWEEPS, |part| sweep(&lines(part))));
    all
}

/// The cases of gate files.
pub(crate) fn of_gates() -> Vec<Written> {
    written(GATES, of_gate)
}

fn of_correction(part: &str) -> String {
    sweep(&format!("[[correction]]\nid = \"c\"\n{}\n", lines(part)))
}

fn of_gate(part: &str) -> String {
    format!("format = 1\nrequire_power = false\n{}", lines(part))
}

/// Does what is wrong, which ends with `code` and the hint, and then what the hint says.
#[track_caller]
fn follow(case: Case, code: i32, mut act: impl FnMut(&str) -> (i32, String)) {
    let (ended, said) = act(case.bad);
    assert!(ended == code, "exit {ended} of {}: {said}", case.bad);
    assert!(
        said.contains(case.hint),
        "`{}` is not said: {said}",
        case.hint
    );
    assert!(!said.contains("panicked"), "{said}");
    let (ended, said) = act(case.good);
    assert!(ended == 0, "exit {ended} of {}: {said}", case.good);
}

/// A line of a case as text.
fn lines(text: &str) -> String {
    text.replace("\\n", "\n")
}

fn sweep(part: &str) -> String {
    let mut text = String::new();
    let mut need = |words: &[&str], default: &str| {
        if !words.iter().any(|word| part.contains(word)) {
            text.push_str(default);
        }
    };
    let population = "[[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\n";
    need(&["[[population]]", "[[dataset]]"], population);
    need(
        &["[[model]]", "[model]"],
        "[[model]]\nkind = \"gaussian-naive-bayes\"\n",
    );
    need(&["[[correction]]"], "[[correction]]\nid = \"none\"\n");
    let format = if part.contains("format =") {
        ""
    } else {
        "format = 1\n"
    };
    format!("{format}{part}{text}")
}

#[test]
fn hints_on_sweep_files_help() {
    let place = Place::new();
    let csv = numeric_csv(&[40, 30], 1);
    let weighing = |weights: &[&str]| {
        let weight = std::iter::once("w").chain(weights.iter().copied().cycle());
        let lines = csv.lines().zip(weight);
        lines
            .map(|(line, weight)| format!("{weight},{line}\n"))
            .collect::<String>()
    };
    for (name, text) in [
        ("d.csv", csv.clone()),
        ("e.csv", csv.clone()),
        ("three.csv", numeric_csv(&[40, 30, 20], 1)),
        ("my data.csv", csv.clone()),
        ("other.csv", csv.replace(",c", ",C")),
        ("s.csv", csv.replace(',', ";")),
        ("visits.csv", "u,v,y\n1,1,a\n1,2,b\n2,1,a\n2,2,b\n".into()),
        ("weighed.csv", weighing(&["2", "1"])),
        ("gap.csv", weighing(&["", "1"])),
        ("minus.csv", weighing(&["-1", "1"])),
        (
            "zero.csv",
            weighing(&[["0"; 40].as_slice(), &["1"; 30]].concat()),
        ),
        (
            "crossed.csv",
            "type,rowid\nTRAIN,0\nTRAIN,1\nTRAIN,3\nTEST,2\n".into(),
        ),
        ("d.txt", csv.clone()),
        (
            "dates.csv",
            "t,f,u,y\n01/02/2024,2,2,a\n02/02/2024,,1,b\n03/02/2024,2,2,b\n04/02/2024,1,1,a\n05/02/2024,2,2,a\n06/02/2024,1,1,b\n07/02/2024,2,2,b\n08/02/2024,1,1,a\n09/02/2024,2,2,a\n10/02/2024,1,1,b\n11/02/2024,2,2,b\n12/02/2024,1,1,a\n".into(),
        ),
        ("lone.csv", "type,rowid\nTRAIN,0\nTRAIN,1\n".into()),
        ("twice.csv", "type,rowid\nTRAIN,0\nTEST,0\n".into()),
        ("missing.csv", csv.replacen('\n', "\n,0.5,c0\n", 1)),
        ("nan.csv", csv.replacen('\n', "\nNaN,0.5,c0\n", 1)),
    ] {
        place.write(&format!("demo/{name}"), &text);
    }
    let whole = |part: &str| lines(part);
    let some = |part: &str| sweep(&lines(part));
    for (file, text) in [
        (CORRECTIONS, &of_correction as &dyn Fn(&str) -> String),
        (SWEEPS, &some),
        (FILES, &whole),
    ] {
        for case in cases(file) {
            follow(case, 2, |part| {
                place.write("demo/sweep.toml", &text(part));
                let ran = place.call(&["run", "demo", "--dry-run"]);
                (ran.code, ran.err)
            });
        }
    }
}

#[test]
fn hints_on_data_files_help() {
    let place = Place::new();
    for case in cases(DATA) {
        follow(case, 2, |text| {
            place.write("d.csv", &lines(text));
            let ran = place.call(&["data", "inspect", "d.csv", "--target", "y"]);
            (ran.code, ran.err)
        });
    }
}

const DONE: &str = "format = 1\nname = \"h\"\nseed = 3\n[protocol]\nfolds = 3\n\
    [[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n[[model]]\nkind = \"gaussian-naive-bayes\"\n\
    [[correction]]\nid = \"none\"\n[[correction]]\nid = \"t\"\ndecide = { kind = \"logit-adjust\", tau = 0.0 }\n";

/// Folders `demo` and `copy` in which a sweep is done, its data, and scores to import.
fn done() -> Place {
    let place = Place::with_sweep(DONE);
    let csv = numeric_csv(&[40, 30], 1);
    place.write("d.csv", &csv);
    place.write("demo/d.csv", &csv);
    place.write("demo/gate.toml", "format = 1\nrequire_power = false\n");
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    place
        .shell("cp -r demo copy && cp -r demo scored")
        .ends_with(0);
    place.write(
        "scored/sweep.toml",
        &DONE.replace("folds = 3", "folds = 3\nkeep_scores = true"),
    );
    place
        .call(&["run", "scored", "--no-report", "--quiet"])
        .ends_with(0);
    let table = counterweight_frame::read_table(&place.path("scored/scores.parquet")).unwrap();
    let csv = counterweight_frame::to_csv(&table);
    std::fs::remove_dir_all(place.path("scored")).unwrap();
    // The columns that an import needs, of one correction.
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let of = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let columns = ["repeat", "fold", "row", "label", "p_0", "p_1"].map(of);
    let text = |row: &[&str]| columns.map(|at| row[at]).join(",") + "\n";
    let rows = rows.filter(|row| row[of("correction")] == "none");
    let scores = rows.fold(text(&header), |all, row| all + &text(&row));
    place.write("s.csv", &scores);
    place
}

#[test]
fn hints_of_gates_help() {
    let place = done();
    let call = |more: &str| place.shell(&format!("unset CI; $CW gate demo --quiet {more}"));
    call("--update --reason first").ends_with(0);
    for case in cases(GATES) {
        follow(case, 2, |part| {
            place.write("demo/gate.toml", &of_gate(part));
            let ran = call("");
            (ran.code, ran.err)
        });
    }
}

#[cfg(unix)]
#[test]
fn hints_of_commands_help() {
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let first = done();
    for case in cases(COMMANDS) {
        let place = Place::new();
        let copied = format!("cp -r {}/. .", first.path("").display());
        place.shell(&copied).ends_with(0);
        let (code, bad) = case.bad.split_once(' ').expect("an exit code");
        follow(Case { bad, ..case }, code.parse().unwrap(), |line| {
            let ran = place.shell(&format!(
                "unset CI; DATASETS={}; {line}",
                datasets.display()
            ));
            (ran.code, ran.err)
        });
    }
}

/// Every text that stands where a hint is made, in the code of all crates.
fn collected() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !["tests", "examples", "benches", "target"].contains(&name.as_str())
            {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text
                    .split("\n#[cfg(test)]\nmod ")
                    .next()
                    .unwrap_or_default();
                let code: Vec<&str> = code
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .collect();
                let hints = hints(&code.join("\n"));
                found.extend(hints.into_iter().map(|hint| (path.clone(), hint)));
            }
        }
    }
    found
}

/// The texts of more than one word in the expressions that begin with something called a hint.
fn hints(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lower = code.to_ascii_lowercase();
    for (at, _) in lower.match_indices("hint") {
        let line = code[..at].rfind('\n').map_or(0, |at| at + 1);
        // Inside a text the word makes none.
        if code[line..at].replace("\\\"", "").matches('"').count() % 2 == 1 {
            continue;
        }
        let mut depth = 0_i32;
        let mut rest = code[at + "hint".len()..].char_indices();
        while let Some((_, c)) = rest.next() {
            match c {
                '"' => {
                    let text = text(&mut rest);
                    if text.trim().contains(' ') {
                        found.push(text);
                    }
                }
                // A character, or the name of a lifetime.
                '\'' => {
                    let ahead: Vec<char> = rest.clone().take(3).map(|(_, c)| c).collect();
                    let long = match ahead[..] {
                        ['\\', _, '\''] => 3,
                        [_, '\'', ..] => 2,
                        _ => 0,
                    };
                    for _ in 0..long {
                        rest.next();
                    }
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => {
                    depth -= 1;
                    if depth < 0 || (depth == 0 && c == '}') {
                        break;
                    }
                }
                ';' | ',' if depth == 0 => break,
                _ => {}
            }
        }
    }
    found
}

/// A text up to its closing quote, as it is when the program runs.
fn text(rest: &mut std::str::CharIndices<'_>) -> String {
    let mut text = String::new();
    while let Some((_, c)) = rest.next() {
        match c {
            '"' => break,
            '\\' => match rest.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, '\n')) => {
                    // A text that goes on in the next line, without its margin.
                    let margin = rest.as_str().len() - rest.as_str().trim_start().len();
                    for _ in 0..margin {
                        rest.next();
                    }
                }
                Some((_, c)) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    text
}

#[test]
fn every_hint_of_the_code_has_a_case() {
    let files = [CORRECTIONS, SWEEPS, FILES, DATA, GATES, COMMANDS];
    let followed: Vec<&str> = files
        .into_iter()
        .flat_map(cases)
        .map(|case| case.hint)
        .collect();
    let found = collected();
    assert!(found.len() > 130, "{} hints", found.len());
    let mut missing = Vec::new();
    for (path, hint) in &found {
        let mut parts: Vec<&str> = Vec::new();
        let mut rest = hint.trim();
        while let Some((part, more)) = rest.split_once('{') {
            match more.split_once('}') {
                // What is filled in.
                Some((name, after)) if !name.contains([' ', '[']) => {
                    parts.push(part);
                    rest = after;
                }
                _ => break,
            }
        }
        parts.push(rest);
        let is = |text: &&str| {
            parts
                .iter()
                .all(|part| text.contains(part.trim_matches([' ', ';', ':'])))
        };
        let known = followed.iter().any(is) || ELSEWHERE.contains(&hint.as_str());
        if !known && !NONE.contains(&hint.trim()) {
            missing.push(format!("{}: {hint}", path.display()));
        }
    }
    assert!(
        missing.is_empty(),
        "no test follows:\n{}",
        missing.join("\n")
    );
}
