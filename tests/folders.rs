//! A run destroys nothing that is not its own: no input, no other sweep, no results that are more complete.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::common::{Place, complete_lines, numeric_csv};

const SWEEP: &str = "format = 1\nname = \"owned\"\nseed = 3\n[protocol]\nrepeats = 4\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 80\nn_test = 60\nimbalance_ratio = 5\n\
    [[model]]\nkind = \"softmax-regression\"\n[[model]]\nkind = \"gaussian-naive-bayes\"\n\
    [[correction]]\nid = \"none\"\n[[correction]]\nid = \"t\"\ndecide = { kind = \"threshold\", t = 0.2 }\n";

/// The folder without what a run adds in its segments.
fn products(place: &Place, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = place.snapshot(folder);
    files.retain(|path, _| !path.to_string_lossy().contains("/segments"));
    files
}

#[track_caller]
fn refused(place: &Place, arguments: &[&str], words: &[&str]) {
    let before = place.snapshot("");
    let said = place.call(arguments).ends_with(2).err;
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(said.contains("hint: "), "{said}");
    assert!(place.snapshot("") == before, "something was written");
}

#[test]
fn a_folder_belongs_to_one_sweep_file() {
    let place = Place::with_sweep(SWEEP);
    place.run_demo(0);
    let other = SWEEP.replace("seed = 3", "seed = 4");
    place.write("demo/smoke.toml", &other);
    refused(
        &place,
        &["run", "demo/smoke.toml"],
        &["demo holds another sweep file than demo/smoke.toml: demo/sweep.toml"],
    );
    place.write("b/sweep.toml", &other);
    refused(&place, &["run", "demo", "--output", "b"], &["b/sweep.toml"]);
    std::fs::create_dir(place.path("c")).unwrap();
    place.write("c/records.csv", "mine\n");
    refused(
        &place,
        &["run", "demo", "--output", "c"],
        &["c/records.csv"],
    );
    place.write("b/index.html", "mine\n");
    refused(
        &place,
        &["run", "b"],
        &["b/index.html", "no run has written it"],
    );
    place.write("d/index.html", "mine\n");
    refused(
        &place,
        &["report", "demo", "--output", "b"],
        &["b/sweep.toml"],
    );
    refused(
        &place,
        &["report", "demo", "--output", "d"],
        &["d/index.html"],
    );
    // The way out that the hint names, again and again, with an edited file and moved together with it.
    for text in [other.clone(), other.replace("seed = 4", "seed = 5")] {
        place.write("demo/smoke.toml", &text);
        place
            .call(&["run", "demo/smoke.toml", "--output", "e", "--no-report"])
            .ends_with(0);
        assert_eq!(place.read("e/sweep.toml"), text);
    }
    place
        .call(&["report", "demo", "--output", "f"])
        .ends_with(0);
    place
        .call(&["report", "demo", "--output", "f"])
        .ends_with(0);
    // A copy that somebody has edited since is theirs.
    place.write("e/sweep.toml", &other);
    refused(
        &place,
        &["run", "demo/smoke.toml", "--output", "e"],
        &["e/sweep.toml was changed"],
    );
}

#[test]
fn data_files_called_like_products_are_refused_with_their_line() {
    // Every product that bears the ending of a data file, and what lies in the folders of a run.
    let names = "records.csv tables/x.csv records.parquet details.parquet reliability.parquet scores.parquet \
        curves.parquet leak.parquet costs.parquet timings.parquet plots/x.csv models/x.csv segments/x.csv imports/x.csv";
    let names: Vec<&str> = names.split_whitespace().collect();
    let data: Vec<String> = [
        "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q",
    ]
    .iter()
    .zip(&names)
    .map(|(id, name)| format!("[[dataset]]\nid = \"{id}\"\npath = \"{name}\"\ntarget = \"y\"\n"))
    .collect();
    let place =
        Place::with_sweep(&SWEEP.replacen("[[model]]", &format!("{}[[model]]", data.concat()), 1));
    place.write("demo/records.csv", &numeric_csv(&[20, 10], 1));
    refused(
        &place,
        &["run", "demo", "--output", "demo"],
        &["in the way"],
    );
    for file in &names {
        place.write(&format!("demo/{file}"), &numeric_csv(&[20, 10], 1));
        if file.ends_with(".parquet") {
            let file = place.path(&format!("demo/{file}"));
            let csv = place.path("demo/records.csv");
            let table = counterweight_frame::read_table(&csv).unwrap();
            counterweight_frame::write_table(&table, &file).unwrap();
        }
    }
    refused(
        &place,
        &["run", "demo"],
        &[
            "demo/sweep.toml:11: dataset `d`: demo/records.csv bears the name of a product",
            "demo/sweep.toml:15: dataset `e`: demo/tables/x.csv",
            "the sweep has 14 errors",
        ],
    );
    // Elsewhere the same names are nobody's.
    place
        .call(&["run", "demo", "--output", "out", "--no-report", "--quiet"])
        .ends_with(0);
}

/// Cells of an incomplete run lie in segments; records, page and ranking are those of the whole run.
#[test]
fn a_part_never_replaces_the_whole() {
    let place = Place::with_sweep(SWEEP);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let whole = products(&place, "demo");
    std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
    for part in [
        &["run", "demo", "--only", "correction=none,repeat=0"][..],
        &["run", "demo", "--shard", "2/3"],
        &[
            "run",
            "demo",
            "--only",
            "repeat=1",
            "--fresh",
            "--no-report",
        ],
    ] {
        let ran = place.call(part).ends_with(0);
        assert!(
            ran.err
                .contains("demo holds the records of 16 of 16 cells and keeps them"),
            "{}",
            ran.err
        );
        assert!(!ran.out.contains("report: "), "{}", ran.out);
        assert!(products(&place, "demo") == whole);
    }
    place.call(&["merge", "demo"]).ends_with(3);
    assert!(products(&place, "demo") == whole);
    // An edited sweep likewise, until it is done.
    place.write(
        "demo/sweep.toml",
        &SWEEP.replace("repeats = 4", "repeats = 9"),
    );
    place
        .call(&["run", "demo", "--only", "repeat=8"])
        .ends_with(0);
    assert_eq!(place.records("demo").rows.len(), 16);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    assert_eq!(place.records("demo").rows.len(), 36);
}

#[cfg(unix)]
#[test]
fn an_interrupt_writes_no_report_and_keeps_what_is_more() {
    let forest = "kind = \"smartcore-random-forest\"\ntrees = 60\n[[model]]\nkind = \"dummy\"";
    let sweep = SWEEP
        .replace("kind = \"gaussian-naive-bayes\"", forest)
        .replace("repeats = 4", "repeats = 30")
        .replace("n_train = 80", "n_train = 1500");
    let place = Place::with_sweep(&sweep);
    let interrupt = |more: &[&str], lines: usize| {
        let child = place.start(&[&["run", "demo", "--jobs", "2"], more].concat());
        let segment = || place.segments("demo").pop();
        let before = segment();
        while segment() == before || segment().is_none_or(|file| complete_lines(&file) <= lines) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let kill = Command::new("sh")
            .args(["-c", &format!("kill -INT {}", child.id())])
            .status();
        assert!(kill.unwrap().success());
        let mut child = child;
        assert_eq!(child.wait().unwrap().code(), Some(75));
    };
    interrupt(&[], 10);
    assert!(place.has("demo/records.csv") && !place.has("demo/index.html"));
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let whole = products(&place, "demo");
    interrupt(&["--fresh"], 10);
    assert!(products(&place, "demo") == whole);
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(status["set_aside"], status["missing"]);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    assert!(!place.has("demo/segments/aside"));
}

#[test]
fn fresh_forgets_what_is_selected_and_nothing_else() {
    let place = Place::with_sweep(SWEEP);
    let whole = place.run_demo(0);
    let fresh = |more: &[&str], cells: usize| {
        let arguments = [&["run", "demo", "--no-report", "--fresh"], more].concat();
        let ran = place.call(&arguments).ends_with(0);
        assert!(
            ran.err.contains(&format!("running {cells} cells")),
            "{}",
            ran.err
        );
        assert!(ran.out.contains("16 of 16 cells"), "{}", ran.out);
        assert_eq!(place.records("demo"), whole);
        assert!(!place.has("demo/segments/aside"));
    };
    fresh(&["--only", "correction=none"], 8);
    fresh(&["--shard", "1/2"], 8);
    fresh(&["--shard", "2/2"], 8);
    fresh(&[], 16);
}

#[cfg(unix)]
#[test]
fn fresh_beside_a_run_is_refused() {
    let slow = SWEEP.replace("gaussian-naive-bayes", "smartcore-random-forest");
    let slow = slow
        .replace("n_train = 80", "n_train = 1500")
        .replace("repeats = 4", "repeats = 40");
    let place = Place::with_sweep(&slow);
    let mut child = place.start(&["run", "demo", "--no-report", "--only", "correction=none"]);
    while place
        .segments("demo")
        .last()
        .is_none_or(|file| complete_lines(file) < 9)
    {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let said = place.call(&["run", "demo", "--fresh"]).ends_with(2).err;
    assert!(said.contains("another process is writing it"), "{said}");
    // What the other has nothing to do with can be made anew, and a plain run may join in.
    place
        .call(&[
            "run",
            "demo",
            "--no-report",
            "--fresh",
            "--only",
            "correction=t,repeat=0",
        ])
        .ends_with(0);
    assert!(child.try_wait().unwrap().is_none(), "it was over too soon");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
}

/// Curves, scores and claims of leaks beside the records.
fn large() -> String {
    let more = "[protocol]\nkeep_scores = true\n";
    let data = "[[dataset]]\npath = \"mine.csv\"\ntarget = \"y\"\n[[model]]";
    let sweep = SWEEP
        .replace("[protocol]\n", more)
        .replacen("[[model]]", data, 1);
    sweep
        + "[[curve]]\nid = \"tau\"\ndecide = { kind = \"logit-adjust\" }\nparameter = \"tau\"\n\
        from = 0.0\nto = 1.0\npoints = 11\n"
        + LEAK
}

const LEAK: &str = "[[leak]]\nresample = { kind = \"random-over\" }\n";

/// What another sweep left is neither shown nor left lying, whether or not its report kept a list.
#[test]
fn nothing_of_an_earlier_sweep_stays() {
    let place = Place::with_sweep(&large());
    place.write("demo/mine.csv", &numeric_csv(&[60, 20], 1));
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let gone = ["leak.parquet", "scores.parquet", "curves.parquet"];
    let names = |folder: &str| -> Vec<PathBuf> {
        let files = products(&place, folder).into_keys();
        files
            .filter_map(|path| {
                path.strip_prefix(place.path(folder))
                    .ok()
                    .map(PathBuf::from)
            })
            .filter(|path| {
                ["tables", "plots", "models"]
                    .iter()
                    .any(|own| path.starts_with(own))
            })
            .collect()
    };
    assert!(gone.iter().all(|name| place.has(&format!("demo/{name}"))));
    assert!(place.read("demo/index.html").contains("random-over"));
    for own in [
        "plots/mine.svg",
        "plots/heat_mine.svg",
        "tables/summary of mine.csv",
        "tables/my.csv",
        "tables/my.parquet",
    ] {
        place.write(&format!("demo/{own}"), "mine");
    }
    place
        .shell("cp -r demo unlisted && rm unlisted/tables/.written")
        .ends_with(0);
    let small = SWEEP.replace("kind = \"gaussian-naive-bayes\"", "kind = \"lda\"");
    place.write("new/sweep.toml", &small);
    place.call(&["run", "new", "--quiet"]).ends_with(0);
    // The tables and pictures are those of a folder that never had another sweep, and the user's own.
    let mut expected = names("new");
    for own in [
        "plots/mine.svg",
        "plots/heat_mine.svg",
        "tables/summary of mine.csv",
        "tables/my.csv",
        "tables/my.parquet",
    ] {
        expected.push(own.into());
    }
    expected.sort();
    for folder in ["demo", "unlisted"] {
        place.write(&format!("{folder}/sweep.toml"), &small);
        place.call(&["run", folder, "--quiet"]).ends_with(0);
        assert!(
            !gone
                .iter()
                .any(|name| place.has(&format!("{folder}/{name}")))
        );
        assert!(
            !place
                .read(&format!("{folder}/index.html"))
                .contains("random-over")
        );
        // Builds that kept no list wrote no pages of models and no tables for a paper by model.
        if folder == "demo" {
            assert_eq!(names(folder), expected);
        }
    }
}

/// Tables say which sweep they are of; one of another is not shown, and the next run replaces or removes it.
#[test]
fn tables_of_another_sweep_are_not_shown() {
    use counterweight_frame::{owner_of, read_table, write_table};

    let place = Place::with_sweep(&large());
    place.write("demo/mine.csv", &numeric_csv(&[60, 20], 1));
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let run: serde_json::Value = serde_json::from_str(&place.read("demo/run.json")).unwrap();
    let owner = format!("sweep {} seed 3", run["sweep_hash"].as_str().unwrap());
    let made = [
        "records",
        "details",
        "reliability",
        "costs",
        "scores",
        "curves",
        "leak",
        "timings",
        "tables/summary",
    ];
    for name in made {
        let file = place.path(&format!("demo/{name}.parquet"));
        assert_eq!(owner_of(&file).as_ref(), Some(&owner), "{name}");
    }
    let ranking: serde_json::Value =
        serde_json::from_str(&place.read("demo/ranking.json")).unwrap();
    assert_eq!(ranking["sweep_hash"], run["sweep_hash"]);
    assert!(
        place
            .read("demo/index.html")
            .contains(run["sweep_hash"].as_str().unwrap())
    );
    let leak = place.path("demo/leak.parquet");
    let old = read_table(&leak).unwrap();
    let seeded = large().replace("seed = 3", "seed = 77");
    // Another seed with the same leak, another leak, and a sweep without one that meets what an earlier
    // build left.
    for (sweep, owned, stays) in [
        (seeded.clone(), true, true),
        (seeded.replace("\"random-over\"", "\"smote\""), true, true),
        (seeded.replace(LEAK, ""), false, false),
    ] {
        place.write("demo/sweep.toml", &sweep);
        place.call(&["run", "demo", "--quiet"]).ends_with(0);
        let right = place
            .has("demo/leak.parquet")
            .then(|| place.bytes("demo/leak.parquet"));
        let page = place.bytes("demo/index.html");
        let shown = place.read("demo/index.html");
        assert_eq!(shown.contains("id=\"leak"), stays);
        assert_eq!(shown.contains("smote"), sweep.contains("smote"));
        counterweight_frame::write_table_of(&old, &leak, owned.then_some(owner.as_str())).unwrap();
        let said = place.call(&["report", "demo"]).ends_with(0).err;
        assert!(
            said.contains("demo/leak.parquet is of ") && said.contains("is not shown"),
            "{said}"
        );
        assert!(
            !place.read("demo/index.html").contains("id=\"leak"),
            "it is shown"
        );
        place.call(&["run", "demo", "--quiet"]).ends_with(0);
        assert_eq!(place.has("demo/leak.parquet"), stays);
        if let Some(right) = right {
            assert!(
                place.bytes("demo/leak.parquet") == right,
                "it is not replaced"
            );
        }
        place.call(&["report", "demo"]).ends_with(0);
        assert!(place.bytes("demo/index.html") == page);
    }
    // A leak is added, which changes no record, and no report is written after another sweep.
    place.write("demo/sweep.toml", &seeded);
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    assert!(place.read("demo/index.html").contains("id=\"leak"));
    place.write("demo/sweep.toml", &large());
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    let left = [
        "index.html",
        "ranking.json",
        "tables/summary.csv",
        "plots/leak.svg",
    ];
    assert!(!left.iter().any(|name| place.has(&format!("demo/{name}"))));
    // One that does not say whose it is, where the sweep asks for leaks, is of an earlier build of this sweep.
    place.write("demo/sweep.toml", &large());
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    write_table(&old, &leak).unwrap();
    assert!(
        !place
            .call(&["report", "demo"])
            .ends_with(0)
            .err
            .contains("not shown")
    );
}

#[test]
fn records_of_two_sweeps_make_no_report() {
    let place = Place::with_sweep(SWEEP);
    place.run_demo(0);
    let one = place.read("demo/records.csv");
    place.write("other/sweep.toml", &SWEEP.replace("seed = 3", "seed = 4"));
    place.call(&["run", "other", "--no-report"]).ends_with(0);
    let other = place.read("other/records.csv");
    let both = one.clone() + other.split_once('\n').unwrap().1;
    place.write("both/records.csv", &both);
    let said = place.call(&["report", "both"]).ends_with(2).err;
    assert!(said.contains("are both dataset `gaussian-pair`"), "{said}");
    assert!(
        said.contains("hint: records of two sweeps were mixed"),
        "{said}"
    );
    place.write("both/records.csv", &one);
    place.call(&["report", "both"]).ends_with(0);
    // Records under the ids of this sweep that say something else of their cells are none of it.
    place.write(
        "odd.csv",
        &one.replacen(",softmax-regression,", ",<script>,", 1),
    );
    std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
    let merged = place.call(&["merge", "demo", "odd.csv"]).ends_with(3).out;
    assert!(
        merged.contains("1 records belong to no cell of this sweep"),
        "{merged}"
    );
}
