//! Random kills, flipped bits and cut files: the store takes none of it for another number, and the same
//! command makes good what was lost. Short by default; `COUNTERWEIGHT_CHAOS=N` does N rounds of each.

use std::path::PathBuf;
use std::time::Duration;

use crate::common::{Noise, Place, numeric_csv, of_an_earlier_build};

/// Scores, curves, claims and bins beside the records.
const SWEEP: &str = "format = 1\nname = \"chaos\"\nseed = 2\n[protocol]\nrepeats = 3\nkeep_scores = true\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\nimbalance_ratio = 4\n\
    [[dataset]]\npath = \"mine.csv\"\ntarget = \"y\"\n\
    [[model]]\nkind = \"softmax-regression\"\n[[model]]\nkind = \"smartcore-random-forest\"\ntrees = 20\n\
    [[correction]]\nid = \"none\"\n[[correction]]\nid = \"t\"\ndecide = { kind = \"logit-adjust\" }\n\
    [[curve]]\nid = \"tau\"\ndecide = { kind = \"logit-adjust\" }\nparameter = \"tau\"\nfrom = 0.0\nto = 1.0\n\
    points = 11\n[[leak]]\nresample = { kind = \"random-over\" }\n";

const FILES: [&str; 6] = [
    "records.csv",
    "records.parquet",
    "details.parquet",
    "reliability.parquet",
    "scores.parquet",
    "leak.parquet",
];

fn rounds() -> usize {
    let asked = std::env::var("COUNTERWEIGHT_CHAOS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(4)
}

fn place() -> Place {
    let place = Place::with_sweep(SWEEP);
    place.write("demo/mine.csv", &numeric_csv(&[60, 20], 3));
    place
}

fn products(place: &Place) -> Vec<Vec<u8>> {
    let files = FILES.iter();
    files
        .map(|file| place.bytes(&format!("demo/{file}")))
        .collect()
}

/// A whole number below `n`.
fn below(noise: &mut Noise, n: usize) -> usize {
    let mut at = 0;
    while at + 1 < n && noise.unit() * (n - at) as f64 >= 1.0 {
        at += 1;
    }
    at
}

#[track_caller]
fn resume(place: &Place, whole: &[Vec<u8>], what: &str) -> String {
    let ran = place.call(&["run", "demo", "--no-report", "--jobs", "2"]);
    let ran = ran.ends_with(0);
    for (file, (now, then)) in FILES.iter().zip(products(place).iter().zip(whole)) {
        assert!(now == then, "{what}: {file} differs");
    }
    ran.err
}

#[test]
fn kills_at_any_moment_leave_the_same_bytes_and_no_file() {
    let place = place();
    let whole = products_after(&place);
    let mut noise = Noise(11);
    for round in 0..rounds() {
        std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
        for _ in 0..3 {
            let mut child = place.start(&["run", "demo", "--no-report", "--jobs", "2"]);
            std::thread::sleep(Duration::from_secs_f64(noise.unit() * 0.6));
            // It may be over by then.
            let _ = child.kill();
            child.wait().unwrap();
        }
        resume(&place, &whole, &format!("round {round}"));
        let left = place.snapshot("demo").into_keys();
        let left: Vec<PathBuf> = left
            .filter(|path| path.to_string_lossy().ends_with(".tmp"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn products_after(place: &Place) -> Vec<Vec<u8>> {
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    products(place)
}

#[test]
fn flipped_bits_and_cut_files_cost_their_own_cells() {
    let place = place();
    let whole = products_after(&place);
    let sound: Vec<(PathBuf, Vec<u8>)> = place
        .segments("demo")
        .into_iter()
        .chain(place.beside("demo"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    assert_eq!(sound.len(), 2);
    let mut noise = Noise(7);
    for round in 0..2 * rounds() {
        let (path, bytes) = &sound[round % 2];
        let mut hit = bytes.clone();
        let at = below(&mut noise, hit.len());
        let cut = noise.unit() < 0.3;
        // A break that is gone joins two lines to one, and what lies beside a fit belongs to all its cells here: two.
        let beside = path.extension().is_some_and(|ending| ending == "side");
        let most = (1 + usize::from(bytes[at] == b'\n')) * (1 + usize::from(beside));
        if cut {
            hit.truncate(at);
        } else {
            hit[at] ^= 1 << below(&mut noise, 8);
        }
        std::fs::write(path, hit).unwrap();
        let what = format!("byte {at} of {} (cut: {cut})", path.display());
        let said = resume(&place, &whole, &what);
        // One line is one cell; a claim of a leak has no cell.
        let few = said.contains("nothing to run")
            || (0..=most).any(|n| said.contains(&format!("running {n} cells")));
        assert!(cut || few, "{what}: {said}");
        std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
        std::fs::create_dir(place.path("demo/segments")).unwrap();
        for (path, bytes) in &sound {
            std::fs::write(path, bytes).unwrap();
        }
    }
}

/// Numbers that are not finite are absent, and a torn line in the middle of an earlier build's file costs
/// its own cells.
#[test]
fn folders_that_no_command_could_read_are_read() {
    let place = Place::with_sweep(
        "format = 1\nname = \"nul\"\nseed = 1\n[protocol]\nfolds = 3\ninner_folds = 2\n\
         [[population]]\nkind = \"gaussian-pair\"\nn_train = 80\nn_test = 60\nimbalance_ratio = 4\n\
         [[model]]\nkind = \"softmax-regression\"\n[[correction]]\nid = \"none\"\n\
         [[correction]]\nid = \"c\"\n\
         decide = { kind = \"tuned-threshold\", metric = \"cost\", costs = [[0, 1e308], [1e308, 0]] }\n",
    );
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    place.call(&["status", "demo"]).ends_with(0);
    let again = place.call(&["run", "demo", "--no-report"]).ends_with(0);
    assert!(again.err.contains("nothing to run"), "{}", again.err);
    // Without checksums, and with a torn line that another was written behind.
    for path in place
        .segments("demo")
        .into_iter()
        .chain(place.beside("demo"))
    {
        let text = std::fs::read_to_string(&path).unwrap();
        let bare = of_an_earlier_build(&text);
        let bare = bare.replacen("\"format\":2", "\"format\":1", 1);
        let second = bare.match_indices('\n').next().map_or(0, |(at, _)| at + 1);
        let torn = second + 60;
        let rest = bare[second..]
            .find('\n')
            .map_or(bare.len(), |at| second + at + 1);
        std::fs::write(&path, [&bare[..torn], &bare[rest..]].concat()).unwrap();
    }
    place.call(&["status", "demo"]).ends_with(3);
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    place.call(&["status", "demo"]).ends_with(0);
}
