//! Random kills, signals, flipped bits, cut files, full disks, other processes and clocks that jump: the store
//! takes none of it for another number, and the same command makes good what was lost.
//!
//! Short by default; with `COUNTERWEIGHT_CHAOS=1` as often as docs/RELIABILITY.md says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use counterweight_store::{read_segment, read_sides};

use crate::common::{Noise, Place, numeric_csv, of_an_earlier_build};

/// Scores, curves, claims and bins beside the records.
const SWEEP: &str = "format = 1\nname = \"chaos\"\nseed = 2\n[protocol]\nrepeats = 3\nkeep_scores = true\n\
    [[population]]\nkind = \"gaussian-pair\"\nn_train = 60\nn_test = 40\nimbalance_ratio = 4\n\
    [[dataset]]\npath = \"mine.csv\"\ntarget = \"y\"\n\
    [[model]]\nkind = \"softmax-regression\"\n[[model]]\nkind = \"smartcore-random-forest\"\ntrees = 20\n\
    [[correction]]\nid = \"none\"\n[[correction]]\nid = \"t\"\ndecide = { kind = \"logit-adjust\" }\n\
    [[curve]]\nid = \"tau\"\ndecide = { kind = \"logit-adjust\" }\nparameter = \"tau\"\nfrom = 0.0\nto = 1.0\n\
    points = 11\n[[leak]]\nresample = { kind = \"random-over\" }\n";

const FILES: [&str; 8] = [
    "records.csv",
    "records.parquet",
    "details.parquet",
    "reliability.parquet",
    "costs.parquet",
    "curves.parquet",
    "scores.parquet",
    "leak.parquet",
];

/// How often something is tried.
fn rounds(short: usize, long: usize) -> usize {
    if std::env::var_os("COUNTERWEIGHT_CHAOS").is_some() {
        long
    } else {
        short
    }
}

fn place() -> Place {
    let place = Place::with_sweep(SWEEP);
    place.write("demo/mine.csv", &numeric_csv(&[60, 20], 3));
    place
}

/// A place where the sweep was run undisturbed, and its products.
fn undisturbed() -> (Place, Vec<Vec<u8>>) {
    let place = place();
    place.call(&["run", "demo", "--no-report"]).ends_with(0);
    let whole = products(&place, "demo");
    (place, whole)
}

fn products(place: &Place, folder: &str) -> Vec<Vec<u8>> {
    let files = FILES.iter();
    files
        .map(|file| place.bytes(&format!("{folder}/{file}")))
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
fn same(place: &Place, folder: &str, whole: &[Vec<u8>], what: &str) {
    let now = products(place, folder);
    for (file, (now, then)) in FILES.iter().zip(now.iter().zip(whole)) {
        assert!(now == then, "{what}: {file} differs");
    }
    let left = place.shell(&format!("find {folder} -name '*.tmp'")).out;
    assert!(left.is_empty(), "{what}: {left}");
}

#[track_caller]
fn resume(place: &Place, whole: &[Vec<u8>], what: &str) -> String {
    let ran = place.call(&["run", "demo", "--no-report", "--jobs", "2"]);
    let ran = ran.ends_with(0);
    same(place, "demo", whole, what);
    ran.err
}

fn forget(place: &Place) {
    std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
}

/// Starts a run that may be in any of its parts after less than a second: with or without a report.
fn disturbed(place: &Place, noise: &mut Noise) -> Child {
    let jobs = (1 + below(noise, 4)).to_string();
    let mut arguments = vec!["run", "demo", "--jobs", &jobs];
    if noise.unit() < 0.7 {
        arguments.push("--no-report");
    }
    let child = place.start(&arguments);
    std::thread::sleep(Duration::from_secs_f64(noise.unit() * 0.7));
    child
}

#[test]
fn kills_at_any_moment_leave_the_same_bytes_and_no_file() {
    let (place, whole) = undisturbed();
    let mut noise = Noise(11);
    for round in 0..rounds(3, 25) {
        forget(&place);
        for _ in 0..4 {
            let mut child = disturbed(&place, &mut noise);
            // It may be over by then.
            let _ = child.kill();
            child.wait().unwrap();
        }
        resume(&place, &whole, &format!("round {round}"));
    }
}

#[cfg(unix)]
#[test]
fn signals_at_any_moment_end_a_run_in_time_and_cost_nothing() {
    let (place, whole) = undisturbed();
    let mut noise = Noise(12);
    let mut interrupted = 0;
    for round in 0..rounds(2, 20) {
        forget(&place);
        for _ in 0..2 {
            let mut child = disturbed(&place, &mut noise);
            let name = if noise.unit() < 0.5 { "-INT" } else { "-TERM" };
            let start = Instant::now();
            Command::new("kill")
                .args([name, &child.id().to_string()])
                .stderr(std::process::Stdio::null())
                .status()
                .unwrap();
            let code = child.wait().unwrap().code();
            // A signal may come before there is a program to hear it, and after the last cell.
            assert!(
                matches!(code, Some(75 | 0) | None),
                "round {round}: {code:?}"
            );
            interrupted += usize::from(code == Some(75));
            assert!(start.elapsed() < Duration::from_secs(6), "round {round}");
        }
        resume(&place, &whole, &format!("round {round}"));
    }
    assert!(interrupted > 0, "no signal met a run");
}

/// A file of the store with a bit flipped or, now and then, its end cut off; and the most cells that this
/// may cost.
fn hit(noise: &mut Noise, path: &Path, bytes: &[u8], cut: bool) -> (Vec<u8>, usize, String) {
    let mut hit = bytes.to_vec();
    let at = below(noise, hit.len());
    // A break that is gone joins two lines to one, and what lies beside a fit belongs to all its cells here: two.
    let beside = path.extension().is_some_and(|ending| ending == "side");
    let most = (1 + usize::from(bytes[at] == b'\n')) * (1 + usize::from(beside));
    if cut {
        hit.truncate(at);
    } else {
        hit[at] ^= 1 << below(noise, 8);
    }
    let what = format!("byte {at} of {} (cut: {cut})", path.display());
    (hit, most, what)
}

/// The segment of a folder and the file beside it, with their bytes.
fn stored(place: &Place) -> [(PathBuf, Vec<u8>); 2] {
    let files = place.segments("demo").into_iter();
    let files = files.chain(place.beside("demo"));
    let files = files.map(|path| (path.clone(), std::fs::read(path).unwrap()));
    files.collect::<Vec<_>>().try_into().expect("two files")
}

#[test]
fn flipped_bits_and_cut_files_cost_their_own_cells() {
    let (place, whole) = undisturbed();
    let sound = stored(&place);
    let mut noise = Noise(7);
    let tries = [
        (0, rounds(4, 400), false),
        (1, rounds(2, 200), false),
        (0, rounds(1, 80), true),
        (1, rounds(1, 80), true),
    ];
    for (which, tries, cut) in tries {
        for _ in 0..tries {
            let (path, bytes) = &sound[which];
            let (hit, most, what) = hit(&mut noise, path, bytes, cut);
            std::fs::write(path, hit).unwrap();
            let said = resume(&place, &whole, &what);
            // One line is one cell; a claim of a leak has no cell.
            let few = said.contains("nothing to run")
                || (0..=most).any(|n| said.contains(&format!("running {n} cells")));
            assert!(cut || few, "{what}: {said}");
            forget(&place);
            std::fs::create_dir(place.path("demo/segments")).unwrap();
            for (path, bytes) in &sound {
                std::fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// Reads a file of the store: what it holds by name.
type Read<'a> = &'a dyn Fn(&Path) -> BTreeMap<String, String>;

/// What the reader takes from a file with one bit flipped is what was written, less what the bit hit; read by
/// calls of the library, so that hundreds of them are quick.
#[test]
fn no_flipped_bit_is_read_as_another_number() {
    let (place, _) = undisturbed();
    let [(segment, entries), (side, lines)] = stored(&place);
    let mut noise = Noise(8);
    let cells = |path: &Path| -> BTreeMap<String, String> {
        let read = read_segment(path).unwrap();
        let entries = read.entries.into_iter();
        let entries = entries.map(|e| (e.record.cell.0.clone(), format!("{e:?}")));
        entries
            .chain(
                read.binned
                    .iter()
                    .map(|cell| (format!("bins of {cell}"), String::new())),
            )
            .collect()
    };
    let beside = |path: &Path| -> BTreeMap<String, String> {
        let read = read_sides(&[path.to_path_buf()]).unwrap();
        let lines = read.into_lines().map(|line| format!("{line:?}"));
        lines.map(|line| (line.clone(), line)).collect()
    };
    for (path, bytes, flips, read) in [
        (&segment, &entries, 400, &cells as Read<'_>),
        (&side, &lines, 200, &beside),
    ] {
        let whole = read(path);
        for _ in 0..flips {
            let (hit, _, what) = hit(&mut noise, path, bytes, false);
            std::fs::write(path, hit).unwrap();
            let now = read(path);
            for (key, value) in &now {
                assert_eq!(whole.get(key), Some(value), "{what}");
            }
            // A cell has a record and the mark of its bins; a line of bins may stand for two cells.
            assert!(now.len() + 4 >= whole.len(), "{what}");
        }
        std::fs::write(path, bytes).unwrap();
    }
}

/// A small file system that may be full, where one can be mounted.
struct Disk(PathBuf);

impl Disk {
    fn mounted(at: PathBuf) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(&at)
            .output();
        mount
            .is_ok_and(|done| done.status.success())
            .then_some(Self(at))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// The cells whose lines are whole.
fn acknowledged(place: &Place) -> usize {
    let files = place.segments("demo").into_iter();
    files
        .map(|file| read_segment(&file).unwrap().entries.len())
        .sum()
}

/// The disk is full somewhere in a run, and in every second try has room again while the run is at it: what
/// lies in whole lines is not run again, and the end is the same.
#[test]
fn a_disk_that_is_full_costs_nothing_that_was_acknowledged() {
    let (sound, whole) = undisturbed();
    let place = Place::new();
    let Some(disk) = Disk::mounted(place.path("demo")) else {
        // Where nothing can be mounted, a limit on the size of a file stands for the disk (endings.rs).
        return;
    };
    let filler = disk.0.join("filler");
    let mut noise = Noise(13);
    let mut full = 0;
    for round in 0..rounds(4, 20) {
        for (path, bytes) in place.snapshot("demo") {
            if path.is_file() {
                std::fs::remove_file(path).unwrap();
            }
            drop(bytes);
        }
        for file in ["sweep.toml", "mine.csv"] {
            let from = sound.path(&format!("demo/{file}"));
            std::fs::copy(from, disk.0.join(file)).unwrap();
        }
        let room = 4096 * (2 + below(&mut noise, 40));
        // As much as there is, less the room.
        let _ = std::fs::write(&filler, vec![0; 1 << 20]);
        let size = std::fs::metadata(&filler).unwrap().len();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&filler)
            .unwrap();
        file.set_len(size.saturating_sub(room as u64)).unwrap();
        // A file that is open keeps its room.
        drop(file);
        let mut child = place.start(&["run", "demo", "--no-report", "--jobs", "2"]);
        let freed = round % 2 == 0;
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            // A byte that finds no room says that there is none.
            if freed && filler.exists() && std::fs::write(disk.0.join("probe"), [0; 4096]).is_err()
            {
                std::fs::remove_file(&filler).unwrap();
            }
            let _ = std::fs::remove_file(disk.0.join("probe"));
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(matches!(code, Some(0 | 2 | 3)), "round {round}: {code:?}");
        full += usize::from(code != Some(0));
        let _ = std::fs::remove_file(&filler);
        let kept = acknowledged(&place);
        let status = place.call(&["status", "demo"]);
        assert!(matches!(status.code, 0 | 3), "{}", status.err);
        let said = resume(&place, &whole, &format!("round {round}, room {room}"));
        let cells = sound.records("demo").rows.len();
        let expected = format!("running {} cells", cells - kept);
        assert!(
            said.contains(&expected) || (kept == cells && said.contains("nothing to run")),
            "round {round}: {kept} of {cells} were kept: {said}"
        );
    }
    assert!(full > 0, "the disk was never full");
}

#[test]
fn processes_beside_each_other_give_the_same_bytes() {
    let (place, whole) = undisturbed();
    for round in 0..rounds(1, 10) {
        forget(&place);
        let run = ["run", "demo", "--no-report"];
        let mut both = [place.start(&run), place.start(&run)];
        while both
            .iter_mut()
            .any(|child| child.try_wait().unwrap().is_none())
        {
            let status = place.call(&["status", "demo"]);
            assert!(matches!(status.code, 0 | 3), "{}", status.err);
            let merge = place.call(&["merge", "demo"]);
            assert!(matches!(merge.code, 0 | 3), "{}", merge.err);
        }
        for mut child in both {
            assert_eq!(child.wait().unwrap().code(), Some(0), "round {round}");
        }
        same(&place, "demo", &whole, &format!("round {round}"));
    }
}

/// Segments bear the time in their names: a clock that was wrong, before 1970 or goes backwards moves
/// nothing, and shards come together in any order.
#[test]
fn clocks_and_the_order_of_shards_change_nothing() {
    let (place, whole) = undisturbed();
    forget(&place);
    for shard in ["3/3", "1/3", "2/3"] {
        place
            .call(&["run", "demo", "--no-report", "--shard", shard])
            .ends_with(0);
    }
    same(&place, "demo", &whole, "shards");
    let stamps = ["9999999999999999", "0000000000000", "13569465600000"];
    for (file, stamp) in place.segments("demo").into_iter().zip(stamps) {
        for file in [file.with_extension("side"), file] {
            let end = file.extension().unwrap().to_str().unwrap();
            std::fs::rename(&file, file.with_file_name(format!("{stamp}-1-0.{end}"))).unwrap();
        }
    }
    let said = resume(&place, &whole, "clocks");
    assert!(said.contains("nothing to run"), "{said}");
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
         decide = { kind = \"tuned-threshold\", metric = \"cost\", costs = [[0, 1e308], [1e308, 0]] }\n\
         [[correction]]\nid = \"g\"\ndecide = { kind = \"tuned-tau\", grid = [-1e308, 0, 1e308] }\n",
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

/// A folder or a pipe that is called like a segment is none, and is not waited for.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_no_segment() {
    let (place, whole) = undisturbed();
    place
        .shell(
            "cd demo/segments && mkdir x.jsonl y.side && mkfifo z.jsonl && mkdir -p ../imports/x.jsonl && \
             mkfifo ../imports/y.jsonl",
        )
        .ends_with(0);
    place.call(&["status", "demo"]).ends_with(0);
    let said = resume(&place, &whole, "no segments");
    assert!(said.contains("nothing to run"), "{said}");
    place
        .call(&["merge", "demo", "demo/segments/z.jsonl"])
        .ends_with(2);
}

/// What the plan knows of a cell is not taken from its record, in files without checksums either.
#[test]
fn records_that_call_their_cell_otherwise_are_damaged() {
    let (place, whole) = undisturbed();
    let [(file, text), (side, beside)] = stored(&place);
    let bare = |bytes: &[u8]| of_an_earlier_build(std::str::from_utf8(bytes).unwrap());
    let text = bare(&text).replacen("\"format\":2", "\"format\":1", 1);
    std::fs::write(&side, bare(&beside)).unwrap();
    std::fs::write(&file, &text).unwrap();
    let said = resume(&place, &whole, "without checksums");
    assert!(said.contains("nothing to run"), "{said}");
    for (from, to) in [
        ("\"dataset\":\"mine\"", "\"dataset\":\"yours\""),
        ("\"model\":\"softmax-regression\"", "\"model\":\"<script>\""),
        ("\"correction\":\"t\"", "\"correction\":\"none\""),
        ("\"repeat\":1", "\"repeat\":2"),
        ("\"fold\":1", "\"fold\":9"),
        ("\"requested_ratio\":4.0", "\"requested_ratio\":40.0"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let status = place.call(&["status", "demo"]).ends_with(3).out;
        assert!(status.contains("damaged lines: 1"), "{from}: {status}");
        let said = resume(&place, &whole, from);
        assert!(said.contains("1 damaged line left out"), "{from}: {said}");
        assert!(said.contains("running 1 cells"), "{from}: {said}");
        for made in place
            .segments("demo")
            .into_iter()
            .filter(|made| *made != file)
        {
            std::fs::remove_file(made).unwrap();
        }
        for made in place
            .beside("demo")
            .into_iter()
            .filter(|made| *made != side)
        {
            std::fs::remove_file(made).unwrap();
        }
    }
}
