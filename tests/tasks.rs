//! Tasks of a table: some classes against others, under names of their own.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use counterweight_frame::read_text_table;

use crate::common::{Place, numeric_csv};

const HEAD: &str = "format = 1\n[protocol]\nfolds = 3\nrepeats = 2\n";
const METHODS: &str = "[[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n\
    [[correction]]\nid = \"weighted\"\nloss = { kind = \"weighted\", scheme = \"inverse-frequency\" }\n";

fn sweep(datasets: &str) -> Place {
    let place = Place::with_sweep(&format!("{HEAD}{datasets}{METHODS}"));
    place.write("demo/table.csv", &table());
    place
}

/// Four classes of 60, 40, 30 and 20 rows: a, b, c and d.
fn table() -> String {
    let csv = numeric_csv(&[60, 40, 30, 20], 5);
    let named = csv.replace(",c0", ",a").replace(",c1", ",b");
    named.replace(",c2", ",c").replace(",c3", ",d")
}

fn own(more: &str) -> String {
    format!("[[dataset]]\npath = \"table.csv\"\ntarget = \"y\"\n{more}")
}

/// A task is the same as a file of its rows with its labels, by values and by results.
#[test]
fn a_task_is_what_a_file_of_its_rows_would_be() {
    let place = sweep(&own("positive = \"d\"\nnegative = [\"a\", \"b\"]\n"));
    let records = place.run_demo(0);
    assert_eq!(
        records.distinct("dataset"),
        ["table[negative=a+b,positive=d]"]
    );
    assert_eq!(records.distinct("outcome"), ["ok"]);
    let mut by_hand = String::new();
    for line in table().lines().filter(|line| !line.ends_with(",c")) {
        let (rest, label) = line.rsplit_once(',').unwrap();
        let label = if ["a", "b"].contains(&label) {
            "a+b"
        } else {
            label
        };
        writeln!(by_hand, "{rest},{label}").unwrap();
    }
    let other = Place::with_sweep(&format!(
        "{HEAD}[[dataset]]\nid = \"table[negative=a+b,positive=d]\"\npath = \"t.csv\"\ntarget = \"y\"\n{METHODS}"
    ));
    other.write("demo/t.csv", &by_hand);
    assert_eq!(other.run_demo(0), records);
}

#[test]
fn rarest_vs_rest_is_the_task_of_the_rarest_class() {
    let id = "id = \"t\"\n";
    let a = sweep(&own(&format!("{id}rarest_vs_rest = true\n")));
    let b = sweep(&own(&format!("{id}positive = [\"d\"]\n")));
    assert_eq!(a.run_demo(0), b.run_demo(0));
}

/// Scores kept beside the records name rows by their number in the file, which a task of some classes skips some of.
#[test]
fn rows_are_those_of_the_file() {
    let place = sweep(&own(
        "id = \"t\"\npositive = \"d\"\nnegative = \"b\"\nmax_rows = 50\n",
    ));
    let text = place.read("demo/sweep.toml");
    let kept = text.replace("folds = 3", "folds = 3\nkeep_scores = true");
    place.write("demo/sweep.toml", &kept);
    place.run_demo(0);
    let scores = counterweight_frame::read_table(&place.path("demo/scores.parquet")).unwrap();
    let lines: Vec<String> = table().lines().skip(1).map(str::to_owned).collect();
    let (mut rows, table) = (BTreeSet::new(), &scores);
    let counterweight_core::Cells::Whole(row) = table.column("row").unwrap() else {
        panic!("rows are whole numbers")
    };
    let counterweight_core::Cells::Text(label) = table.column("label").unwrap() else {
        panic!("labels are text")
    };
    for (row, label) in row.iter().zip(label) {
        let line = &lines[usize::try_from(row.unwrap()).unwrap()];
        assert!(
            line.ends_with(&format!(",{}", label.as_deref().unwrap())),
            "{row:?} {line}"
        );
        rows.insert(*row);
    }
    assert_eq!(rows.len(), 50);
}

#[test]
fn what_is_no_task_is_told_where_it_stands() {
    for (more, said) in [
        (
            "positive = [\"dd\"]\n",
            "`positive` names `dd`, and no row of the table has that class\n  hint: did you mean `d`?",
        ),
        (
            "positive = [\"d\"]\nnegative = [\"nowhere\"]\n",
            "hint: its classes are a, b, c, d",
        ),
        (
            "positive = [\"d\"]\nnegative = [\"d\"]\n",
            "class `d` is both positive and negative",
        ),
        (
            "positive = [\"a\", \"b\", \"c\", \"d\"]\n",
            "nothing stands against it",
        ),
        ("positive = []\n", "positive: an empty list"),
        ("positive = [1.5]\n", "a class is a text or a whole number"),
        (
            "negative = [\"d\"]\n",
            "`negative` needs `positive` beside it",
        ),
        (
            "rarest_vs_rest = true\npositive = \"d\"\n",
            "the positive class is given twice",
        ),
    ] {
        let place = sweep(&own(more));
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        assert!(ran.err.contains(said), "{more}: {}", ran.err);
        assert!(
            ran.err.contains("sweep.toml:5")
                || ran.err.contains("sweep.toml:8")
                || ran.err.contains("sweep.toml:9"),
            "{}",
            ran.err
        );
    }
    // The same task twice has one id; letters that ids cannot hold become others.
    let twice = [own("positive = \"d\"\n"), own("positive = [\"d\"]\n")].concat();
    let ran = sweep(&twice)
        .call(&["run", "demo", "--dry-run"])
        .ends_with(2);
    assert!(
        ran.err
            .contains("two datasets are called `table[positive=d]`"),
        "{}",
        ran.err
    );
    let adult = "[[dataset]]\nname = \"adult\"\nmax_rows = 200\npositive = \">50K\"\n";
    let ran = sweep(adult)
        .call(&["run", "demo", "--dry-run"])
        .ends_with(0);
    assert!(ran.out.contains("adult[positive=_50K]"), "{}", ran.out);
}

/// Of a pair the rows of both files are left out, and a side that training lacks is an outcome.
#[test]
fn pairs_have_tasks_too() {
    let pair = "[[dataset]]\ntrain = \"a.csv\"\ntest = \"b.csv\"\ntarget = \"y\"\npositive = \"d\"\nnegative = \"c\"\n";
    let place = sweep(pair);
    let all = table();
    let (head, rows) = all.split_once('\n').unwrap();
    let half = |odd: usize, drop: &str| {
        let rows = rows.lines().enumerate();
        let rows = rows.filter(|(at, line)| at % 2 == odd && !line.ends_with(drop));
        rows.fold(format!("{head}\n"), |text, (_, line)| text + line + "\n")
    };
    place.write("demo/a.csv", &half(0, "!"));
    place.write("demo/b.csv", &half(1, "!"));
    let records = place.run_demo(0);
    let row = &records.rows[0];
    assert_eq!(
        (row.text("n_train"), row.text("n_test"), row.text("outcome")),
        ("25", "25", "ok")
    );
    place.write("demo/a.csv", &half(0, ",d"));
    let records = place.run_demo(0);
    assert!(
        !records.distinct("outcome").contains(&"ok"),
        "{:?}",
        records.rows
    );
}

/// However they are called, tasks of one table or one file count once.
#[test]
fn tasks_of_one_table_are_one_cluster() {
    let mut datasets = String::new();
    for class in ["a", "b", "c", "d"] {
        datasets += &own(&format!("positive = \"{class}\"\n"));
    }
    datasets += "[[dataset]]\npath = \"./table.csv\"\ntarget = \"y\"\nid = \"whole\"\n";
    for class in ["ME1", "ME2", "ME3", "EXC"] {
        write!(
            datasets,
            "[[dataset]]\nname = \"yeast\"\npositive = \"{class}\"\n"
        )
        .unwrap();
    }
    datasets += "[[dataset]]\nid = \"mine\"\nname = \"yeast\"\nrarest_vs_rest = true\n";
    let place = sweep(&datasets);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let table = read_text_table(&place.path("demo/tables/datasets.csv")).unwrap();
    let counterweight_core::Cells::Text(clusters) = table.column("cluster").unwrap() else {
        panic!("clusters are text")
    };
    let clusters: BTreeSet<&str> = clusters.iter().flatten().map(String::as_str).collect();
    assert_eq!(clusters.len(), 2, "{clusters:?}");
    assert!(clusters.contains("yeast"), "{clusters:?}");
    // The gate counts the same way.
    let local = [("CI", "")];
    let update = ["gate", "demo", "--update", "--reason", "first", "--quiet"];
    place.call_with(&local, &update).ends_with(0);
    let words = [
        "gate", "demo", "--quiet", "--reseed", "9", "--format", "json",
    ];
    let gate = place.call_with(&local, &words).json();
    let arms = gate["arms"].as_array().unwrap();
    assert!(arms.iter().all(|arm| arm["clusters"] == 2), "{gate}");
}

#[test]
fn tools_take_the_same_task() {
    let place = sweep("");
    let file = "demo/table.csv";
    let task = ["--positive", "d", "--negative", "b", "--negative", "a"];
    let mut words = vec!["data", "inspect", file, "--target", "y", "--format", "json"];
    words.extend(task);
    let about = place.call(&words).ends_with(0).json();
    assert_eq!(about["rows"], 120);
    let classes: Vec<&str> = about["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["class"].as_str().unwrap())
        .collect();
    assert_eq!(classes, ["a+b", "d"]);
    let mut words = vec![
        "data", "resample", file, "--target", "y", "--with", "smote", "--output", "out.csv",
    ];
    words.extend(task);
    place.call(&words).ends_with(0);
    let out = place.read("out.csv");
    let lines: Vec<String> = table().lines().skip(1).map(str::to_owned).collect();
    let (mut copied, mut made) = (0, 0);
    for line in out.lines().skip(1) {
        let (row, origin) = line.rsplit_once(',').unwrap();
        let (cells, label) = row.rsplit_once(',').unwrap();
        let rows: Vec<usize> = origin.split(':').map(|row| row.parse().unwrap()).collect();
        for &row in &rows {
            let was = lines[row].rsplit_once(',').unwrap();
            let side = if was.1 == "d" { "d" } else { "a+b" };
            assert!(was.1 != "c" && side == label, "{line}");
            if rows.len() == 1 {
                assert_eq!(was.0, cells);
            }
        }
        if rows.len() == 1 {
            copied += 1;
        } else {
            made += 1;
        }
    }
    assert_eq!((copied, made), (120, 80));
    let mut words = vec!["data", "inspect", file, "--target", "y", "--negative", "a"];
    place.call(&words).ends_with(2);
    words.extend(["--positive", "dd"]);
    let ran = place.call(&words).ends_with(2);
    assert!(ran.err.contains("did you mean `d`?"), "{}", ran.err);
}

/// Presets give every task of a collection under its published name, and names work alone.
#[test]
fn published_tasks_have_their_names() {
    let place = sweep("[[dataset]]\npreset = \"keel\"\nmax_rows = 100\n");
    let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(0);
    for name in ["yeast4", "glass-0-1-6_vs_2", "shuttle-6_vs_2-3", "haberman"] {
        assert!(
            ran.out.contains(&format!("\n{name} ")),
            "{name}: {}",
            ran.out
        );
    }
    let listed = place.call(&[
        "list",
        "datasets",
        "--collection",
        "keel",
        "--format",
        "json",
    ]);
    assert_eq!(listed.ends_with(0).json().as_array().unwrap().len(), 85);
    // One task under three names is one set of rows; a table's name stays the table's.
    let place = sweep(
        "[[dataset]]\nid = \"a\"\nname = \"yeast4\"\n[[dataset]]\nid = \"b\"\nname = \"keel.yeast4\"\n\
         [[dataset]]\nid = \"c\"\nname = \"yeast\"\npositive = \"ME2\"\n\
         [[dataset]]\nname = \"ecoli\"\n[[dataset]]\nname = \"imbalanced-learn.ecoli\"\n",
    );
    let records = place.run_demo(0);
    let of = |name: &str, column: &str| -> Vec<String> {
        let rows = records
            .rows
            .iter()
            .filter(|row| row.text("dataset") == name);
        rows.map(|row| row.text(column).to_owned()).collect()
    };
    for column in ["balanced_error", "auroc", "recalls"] {
        assert_eq!(of("a", column), of("b", column));
        assert_eq!(of("a", column), of("c", column));
    }
    assert_eq!(of("ecoli", "n_classes")[0], "8");
    assert_eq!(of("imbalanced-learn.ecoli", "n_classes")[0], "2");
    assert_eq!(of("a", "minority_count")[0].parse::<u32>().unwrap(), 34);
}

/// Of two collections the same task in the same way is one dataset, and everything else that clashes is said.
#[test]
fn collections_meet() {
    let ids = |text: &str| {
        let place = sweep(text);
        let ran = place.call(&["run", "demo", "--dry-run"]);
        (ran.code, ran.out, ran.err)
    };
    // keel and climb both have haberman, the same rows.
    let both = "[[dataset]]\npreset = \"keel\"\nmax_rows = 100\n[[dataset]]\npreset = \"climb\"\nmax_rows = 100\n";
    let (code, out, err) = ids(both);
    assert!(
        code == 0 && out.matches("\nhaberman ").count() == 1,
        "{out}{err}"
    );
    for (text, said) in [
        (
            "[[dataset]]\npreset = \"imbalanced-learn\"\n[[dataset]]\nname = \"ecoli\"\n",
            "two datasets are called `ecoli`",
        ),
        ("[[dataset]]\npreset = \"kell\"\n", "did you mean `keel`?"),
        (
            "[[dataset]]\npreset = \"keel\"\npositive = \"c1\"\n",
            "a preset gives its own to each task",
        ),
        (
            "[[dataset]]\npreset = \"keel\"\nimbalance_ratio = 0\n",
            "a ratio is",
        ),
        (
            "[[dataset]]\npreset = \"families\"\n",
            "write it under [[correction]]",
        ),
        ("[[dataset]]\nname = \"yeats4\"\n", "did you mean `yeast4`?"),
    ] {
        let (code, _, err) = ids(text);
        assert!(code == 2 && err.contains(said), "{text}: {err}");
        assert!(err.matches("a ratio is").count() < 2, "{err}");
    }
}

#[test]
fn datasets_are_listed_by_what_they_are() {
    let place = Place::new();
    let list = |more: &[&str]| {
        let mut words = vec!["list", "datasets", "--format", "json"];
        words.extend(more);
        place.call(&words).ends_with(0).json()
    };
    let all = list(&[]);
    let all = all.as_array().unwrap();
    assert!(all.len() >= 150, "{}", all.len());
    let ids: BTreeSet<&str> = all
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), all.len());
    for item in all {
        assert!(
            !item["source"].as_str().unwrap().is_empty()
                && !item["licence"].as_str().unwrap().is_empty()
        );
    }
    let chosen = list(&[
        "--min-ratio",
        "100",
        "--classes",
        "2",
        "--kind",
        "numeric",
        "--max-rows",
        "5000",
    ]);
    for item in chosen.as_array().unwrap() {
        assert!(item["imbalance_ratio"].as_f64().unwrap() >= 100.0 && item["classes"] == 2);
        assert!(item["nominal"] == 0 && item["rows"].as_u64().unwrap() <= 5000);
    }
    assert!(
        ids.contains("wine_red[positive=c3]")
            && ids.contains("imbalanced-learn.ecoli")
            && ids.contains("abalone_19")
    );
    let chosen = list(&[
        "--kind",
        "nominal",
        "--min-rows",
        "1000",
        "--max-ratio",
        "20",
        "--classes",
        "3..6",
    ]);
    for item in chosen.as_array().unwrap() {
        assert!(item["numeric"] == 0 && (3..=6).contains(&item["classes"].as_u64().unwrap()));
    }
    assert!(!chosen.as_array().unwrap().is_empty());
    let text = place
        .call(&["list", "datasets", "--collection", "extreme"])
        .ends_with(0);
    assert!(
        text.out.starts_with("dataset") && text.out.contains("shuttle[positive=Bpv.Close]"),
        "{}",
        text.out
    );
    place
        .call(&["list", "datasets", "--min-rows", "99999999"])
        .ends_with(4);
    place
        .call(&["list", "datasets", "--collection", "nobody"])
        .ends_with(2);
    place
        .call(&["list", "models", "--min-rows", "9"])
        .ends_with(2);
}

/// What proves that the tasks are the published ones: their rows and positives.
#[test]
fn published_counts_agree() {
    let ran = Place::new().call(&["data", "verify"]).ends_with(0);
    let line = ran
        .out
        .lines()
        .find(|line| line.contains("tasks have"))
        .unwrap();
    let numbers: Vec<&str> = line.split(' ').step_by(2).take(2).collect();
    assert!(
        numbers[0] == numbers[1] && numbers[0].parse::<usize>().unwrap() >= 127,
        "{line}"
    );
}

/// The program alone, in a folder of its own, as if it had been built on another machine: the path of the workspace that
/// it was built from is overwritten in the copy.
#[test]
fn the_library_travels_with_the_program() {
    let place = Place::new();
    let mut program = std::fs::read(env!("CARGO_BIN_EXE_counterweight")).unwrap();
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    let built_from = crates.join("frame").display().to_string().into_bytes();
    let (mut at, mut found) = (0, 0);
    while let Some(next) = program[at..]
        .windows(built_from.len())
        .position(|bytes| bytes == built_from)
    {
        let start = at + next;
        program[start..start + built_from.len()].fill(b'-');
        at = start + built_from.len();
        found += 1;
    }
    assert!(found > 0, "the program does not say where it was built");
    let copy = place.path("bin/cw");
    place.write("bin/cw", "");
    let permissions = std::fs::metadata(env!("CARGO_BIN_EXE_counterweight"))
        .unwrap()
        .permissions();
    std::fs::write(&copy, program).unwrap();
    std::fs::set_permissions(&copy, permissions).unwrap();
    let alone = |words: &str| place.shell(&format!("cd bin && ./cw {words}"));
    let listed = alone("list datasets --format json").ends_with(0).json();
    assert!(listed.as_array().unwrap().len() >= 150);
    let verified = alone("data verify").ends_with(0);
    let lines: Vec<&str> = verified.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", verified.out);
    let told = alone("run").ends_with(2);
    assert!(
        told.err.contains("there is no reports/quick here"),
        "{}",
        told.err
    );
    let (_, sweep) = told.err.split_once("\n\n").unwrap();
    place.write("bin/first/sweep.toml", sweep);
    let ran = alone("run first --quiet").ends_with(0);
    assert!(ran.out.contains("50 of 50 cells: 50 ok"), "{}", ran.out);
    assert!(place.has("bin/first/index.html"));
}
