//! What one starts from: `init`, `schema`, `completions` and `man`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::Place;
use crate::{hints, programs};

/// Validates each file that is named behind the schema: `ok PATH` or `no PATH`, a line each.
const VALIDATE: &str = r#"
import json, sys, tomllib
from jsonschema import Draft7Validator
schema = json.load(open(sys.argv[1]))
Draft7Validator.check_schema(schema)
validator = Draft7Validator(schema)
for path in open(sys.argv[2]).read().splitlines():
    plain = json.loads(json.dumps(tomllib.load(open(path, "rb")), default=str))
    errors = [error.message[:300] for error in validator.iter_errors(plain)]
    print("no" if errors else "ok", path, *errors[:1])
"#;

/// A Python that has the package `jsonschema`: the one that `.ci/run` makes, or the path's.
fn python() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ci/jsonschema/bin/python");
    let has_it = |program: &PathBuf| {
        let mut asked = Command::new(program);
        asked
            .args(["-c", "import jsonschema, tomllib"])
            .stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    let found = [made]
        .into_iter()
        .chain(programs::on_path("python3"))
        .find(has_it);
    programs::needed(found, "the Python package jsonschema", "python3")
}

/// For each file whether the schema takes it, and why not.
fn judge(place: &Place, of: &str, files: &[PathBuf]) -> Option<Vec<(PathBuf, bool, String)>> {
    let python = python()?;
    let schema = place.call(&["schema", of]).ends_with(0).out;
    place.write("schema.json", &schema);
    let list: String = files
        .iter()
        .map(|file| format!("{}\n", file.display()))
        .collect();
    place.write("list", &list);
    let output = Command::new(python)
        .arg("-c")
        .arg(VALIDATE)
        .args([place.path("schema.json"), place.path("list")])
        .output()
        .expect("python");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let judged: Vec<_> = files.iter().zip(said.lines()).collect();
    assert_eq!(judged.len(), files.len(), "{said}");
    let judged = judged.into_iter();
    Some(
        judged
            .map(|(file, line)| (file.clone(), line.starts_with("ok "), line.to_owned()))
            .collect(),
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of the repository that is called so.
fn committed(name: &str) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", &format!("*/{name}")])
        .current_dir(root())
        .output()
        .expect("git");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let files: Vec<PathBuf> = listed
        .split_terminator('\0')
        .map(|file| root().join(file))
        .collect();
    assert!(!files.is_empty(), "no {name}");
    files
}

/// Whether what a complaint says can be said by a schema: an unknown key, an unknown method, a wrong type.
fn sayable(complaint: &str) -> bool {
    let first = complaint.lines().next().unwrap_or_default();
    let unknown = first.contains("unknown key")
        || (first.contains("there is no ") && first.contains(" called `"));
    let kinds = [
        "text",
        "a whole number",
        "a number",
        "true or false",
        "a date",
        "a list",
        "a table",
    ];
    let typed = first.contains(": expected ")
        && kinds
            .iter()
            .any(|kind| first.ends_with(&format!(", found {kind}")));
    unknown || typed
}

/// Holds the schema of `of` to cases of wrong and right files: it takes each right one, and refuses what is wrong by
/// key, kind or type.
#[track_caller]
fn hold_to(of: &str, cases: &[hints::Written], complain: impl Fn(&Place, &str) -> String) {
    let place = Place::new();
    let name = |at: usize, end: &str| format!("{at}/{end}/{of}.toml");
    let mut files = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        for (end, text) in [("wrong", &case.wrong), ("right", &case.right)] {
            place.write(&name(at, end), text);
            files.push(place.path(&name(at, end)));
        }
    }
    let Some(judged) = judge(&place, of, &files) else {
        return;
    };
    let mut refused = 0;
    for (case, pair) in cases.iter().zip(judged.chunks(2)) {
        let ((_, wrong, _), (_, right, said)) = (&pair[0], &pair[1]);
        // What is no TOML at all is told of by every editor.
        assert!(right, "{said}\n{}", case.right);
        if *wrong {
            let complaint = complain(&place, &case.wrong);
            assert!(
                !sayable(&complaint),
                "taken in spite of: {complaint}\n{}",
                case.wrong
            );
        } else {
            refused += 1;
        }
    }
    assert!(refused * 4 > cases.len(), "{refused} of {}", cases.len());
}

#[test]
fn the_schema_takes_every_committed_sweep() {
    let place = Place::new();
    let Some(judged) = judge(&place, "sweep", &committed("sweep.toml")) else {
        return;
    };
    for (_, taken, said) in judged {
        assert!(taken, "{said}");
    }
}

#[test]
fn the_schema_takes_every_committed_gate() {
    let place = Place::new();
    let Some(judged) = judge(&place, "gate", &committed("gate.toml")) else {
        return;
    };
    for (_, taken, said) in judged {
        assert!(taken, "{said}");
    }
}

#[test]
fn the_schema_refuses_what_is_wrong_by_key_kind_or_type() {
    hold_to("sweep", &hints::of_sweeps(), |place, text| {
        place.write("demo/sweep.toml", text);
        place.call(&["run", "demo", "--dry-run"]).err
    });
}

#[test]
fn the_schema_of_gates_refuses_what_is_wrong_by_key_kind_or_type() {
    hold_to("gate", &hints::of_gates(), |_, text| {
        let error = counterweight_gate::GateConfig::parse("gate.toml", text);
        let list = error.err().unwrap_or_default();
        list.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    });
}

/// A table with two kinds of columns, missing cells and a column that counts the rows.
fn mixed(separator: char, rare: usize) -> String {
    let mut text = "id,width,kind,label\n".to_owned();
    for i in 0..120 {
        let label = if i < rare { "sick" } else { "well" };
        let width = if i % 17 == 3 {
            String::new()
        } else {
            format!("{}", (i * 37) % 101 + 40 * usize::from(i < rare))
        };
        writeln!(text, "{i},{width},{},{label}", ["a", "b", "c"][i * 7 % 3]).expect("text");
    }
    text.replace(',', &separator.to_string())
}

/// The sweep that `init` writes for a file runs to its end.
#[track_caller]
fn runs(place: &Place, folder: &str) {
    let ran = place.call(&[
        "run",
        folder,
        "--quiet",
        "--no-report",
        "--only",
        "model=softmax-regression",
    ]);
    assert!(matches!(ran.code, 0 | 3), "{}", ran.err);
    assert!(ran.out.contains(" ok"), "{}", ran.out);
    assert!(!ran.out.contains("failed"), "{}", ran.out);
}

#[test]
fn what_init_writes_for_a_file_runs() {
    let place = Place::new();
    place.write("mine.csv", &mixed(',', 24));
    let said = place
        .call(&["init", "mine.csv", "--target", "label"])
        .ends_with(0)
        .out;
    assert!(said.contains("counterweight run mine"), "{said}");
    let text = place.read("mine/sweep.toml");
    for part in [
        "# 120 rows, 2 numeric and 1 nominal columns, 7 missing cells",
        "# rows by class: sick 24, well 96",
        "# beware: column `id` counts the rows; ignore it",
        "path = \"../mine.csv\"\ntarget = \"label\"\n",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    runs(&place, "mine");

    // Whatever says how the file is read is said in the sweep as well, and few rows make few folds.
    place.write("data/odd.txt", &mixed(';', 3));
    place
        .call(&[
            "init",
            "data/odd.txt",
            "--target",
            "label",
            "--read-as",
            "csv",
            "--separator",
            ";",
            "--ignore",
            "id",
            "--nominal",
            "kind",
            "--missing",
            "NA",
            "--positive",
            "sick",
            "--output",
            "a/b/odd",
        ])
        .ends_with(0);
    let text = place.read("a/b/odd/sweep.toml");
    assert!(text.contains("path = \"../../../data/odd.txt\""), "{text}");
    assert!(text.contains("folds = 3 "), "{text}");
    runs(&place, "a/b/odd");
}

#[test]
fn the_example_of_init_runs_and_nothing_is_overwritten() {
    let place = Place::new();
    place.call(&["init"]).ends_with(0);
    runs(&place, "example");
    let before = place.snapshot("example");
    place.call(&["init"]).ends_with(2);
    assert!(place.snapshot("example") == before);
    place.call(&["init", "--output", "other"]).ends_with(0);
    assert_eq!(
        place.read("other/sweep.toml"),
        place.read("example/sweep.toml")
    );
}

/// Both kinds of files that `init` writes are right for an editor.
#[test]
fn the_schema_takes_what_init_writes() {
    let place = Place::new();
    place.write("mine.csv", &mixed(',', 24));
    place.call(&["init"]).ends_with(0);
    place
        .call(&["init", "mine.csv", "--target", "label", "--ignore", "id"])
        .ends_with(0);
    let files = [
        place.path("example/sweep.toml"),
        place.path("mine/sweep.toml"),
    ];
    for (_, taken, said) in judge(&place, "sweep", &files).unwrap_or_default() {
        assert!(taken, "{said}");
    }
}

/// The commands that `--help` shows.
fn commands(place: &Place) -> Vec<String> {
    let help = place.call(&["--help"]).ends_with(0).out;
    let list = help.split("Commands:\n").nth(1).expect("commands");
    let list = list.split("\n\n").next().expect("a list");
    let names = list
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<String> = names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    assert!(names.len() > 15, "{names:?}");
    names
}

#[test]
fn completions_and_man_pages_know_every_command() {
    let place = Place::new();
    place.call(&["man", "pages/man1"]).ends_with(0);
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.call(&["completions", shell]).ends_with(0).out;
        for command in commands(&place) {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
        place.write(shell, &script);
    }
    for command in commands(&place).iter().filter(|command| *command != "help") {
        let page = place.read(&format!("pages/man1/counterweight-{command}.1"));
        assert!(page.contains(".TH"), "{page}");
    }
    assert!(
        place
            .read("pages/man1/counterweight-run.1")
            .contains("retry\\-failed")
    );
    if programs::on_path("bash").is_some() {
        let ask = "source ./bash; COMP_WORDS=(counterweight da); COMP_CWORD=1; _counterweight counterweight da counterweight; echo \"${COMPREPLY[@]}\"";
        let reply = place.shell(&format!("bash -c '{ask}'")).ends_with(0).out;
        assert_eq!(reply.trim(), "data");
    }
}
