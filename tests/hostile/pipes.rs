//! A pipe or a folder that bears the name of a file: nothing waits for it, nothing panics, and what is said names it.

use std::time::Duration;

use crate::common::Place;

const SWEEP: &str = "format = 1\nname = \"p\"\n[protocol]\nkeep_scores = true\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\nimbalance_ratio = 4\n\
    [[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"t\"\ndecide = { kind = \"threshold\", t = 0.2 }\n\
    [[curve]]\nid = \"tau\"\ndecide = { kind = \"logit-adjust\" }\nparameter = \"tau\"\nfrom = 0.0\nto = 1.0\n\
    points = 3\n[[leak]]\nresample = { kind = \"random-over\" }\n";

/// What `run` writes.
const PRODUCTS: [&str; 11] = [
    "records.parquet",
    "records.csv",
    "timings.parquet",
    "details.parquet",
    "reliability.parquet",
    "scores.parquet",
    "curves.parquet",
    "leak.parquet",
    "run.json",
    "ranking.json",
    "index.html",
];

/// What people or other commands write, and folders of products.
const OTHERS: [&str; 8] = [
    "sweep.toml",
    "gate.toml",
    "baseline.csv",
    "RANKING.md",
    "segments",
    "imports",
    "tables",
    "plots",
];

/// The code and the words of a command that has to end.
#[track_caller]
fn ended(place: &Place, command: &str) -> (i32, String) {
    let words: Vec<&str> = command.split(' ').collect();
    let (code, said) = super::ended(place, &words, Duration::from_mins(1));
    assert!(!said.contains("panicked"), "{command}: {said}");
    (code.unwrap_or(-1), said)
}

#[test]
fn what_is_no_file_is_neither_waited_for_nor_replaced() {
    let place = Place::with_sweep(SWEEP);
    place.write("demo/gate.toml", "format = 1\nrequire_power = false\n");
    for command in ["run demo", "gate demo --quiet --update --reason first"] {
        assert_eq!(ended(&place, command).0, 0);
    }
    place
        .shell("mv demo whole && mkdir -p whole/imports")
        .ends_with(0);
    for name in PRODUCTS.iter().chain(&OTHERS) {
        let read = OTHERS.contains(name) || ["run.json", "index.html"].contains(name);
        for made in ["mkfifo", "mkdir"] {
            let remake = format!(
                "rm -rf demo && cp -r whole demo && rm -rf demo/{name} && {made} demo/{name}"
            );
            let writers = ["run demo --rewrite", "report demo", "merge demo"];
            let readers = [
                "status demo",
                "gate demo --quiet",
                "gate demo --quiet --update --reason second",
                "verify demo",
            ];
            let few = if made == "mkdir" { 1 } else { writers.len() };
            let more = if read { &readers[..] } else { &[] };
            for command in writers.iter().take(few).chain(more) {
                place.shell(&remake).ends_with(0);
                let (code, said) = ended(&place, command);
                let what = format!("{made} {name}: {command}: {code}: {said}");
                assert!((0..6).contains(&code), "{what}");
                let told = said.contains(name);
                assert!(told || !matches!(code, 2 | 5), "{what}");
                if PRODUCTS.contains(name) && command.starts_with("run") {
                    assert!(code == 2 && told, "{what}");
                }
                let there = std::fs::metadata(place.path(&format!("demo/{name}"))).unwrap();
                let folder = made == "mkdir" && OTHERS.contains(name);
                assert!(folder || !there.is_file(), "{what}: it was replaced");
            }
        }
    }
}

/// A file named by a flag, and the summary that GitHub asks for.
#[test]
fn what_a_flag_names_is_a_file() {
    let place = Place::with_sweep(SWEEP);
    place
        .call(&["run", "demo", "--no-report", "--quiet"])
        .ends_with(0);
    place
        .shell("env -u CI $CW gate demo --quiet --update --reason first && mkfifo pipe && mkdir folder")
        .ends_with(0);
    for no_file in ["pipe", "folder", "/dev/null"] {
        for command in [
            format!("gate demo --quiet --output {no_file}"),
            format!("gate demo --quiet --baseline {no_file}"),
            format!("gate demo --quiet --records {no_file}"),
            format!("report demo --output {no_file}"),
            format!("data inspect {no_file} --target y"),
            format!("rank {no_file} --unit a --method b --value c"),
            format!("import-scores demo {no_file}"),
            format!("merge demo {no_file}"),
            format!("run {no_file}"),
            format!("run demo --output {no_file}"),
        ] {
            let (code, said) = ended(&place, &command);
            assert!(matches!(code, 0..6 | 70), "{command}: {code}: {said}");
            assert!(code == 0 || said.contains(no_file), "{command}: {said}");
        }
    }
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    let (code, said) = {
        let gate =
            "GITHUB_STEP_SUMMARY=pipe; export GITHUB_STEP_SUMMARY; env -u CI $CW gate demo --quiet";
        let ran = place.shell(&format!("{gate} --format github"));
        (ran.code, ran.err)
    };
    assert!(
        code == 0 && said.contains("note: pipe: not a regular file"),
        "{code}: {said}"
    );
}
