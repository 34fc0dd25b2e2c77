//! Files with bytes changed at random: each is read soundly, or refused by its name, within a second and within 64 MB
//! beside ten times its content.
//!
//! The short form runs with the other tests; `COUNTERWEIGHT_FUZZ=10000` says how many files of each kind
//! the long one reads. What would end the process (a reservation that fails, an exhausted stack) ends the
//! test.
#![expect(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "helpers of tests fail as tests do, and plain text is built plainly"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use counterweight_core::{Cells, Table};
use counterweight_frame::{ReadOptions, read_cells, read_dataset, read_table, write_table};
use peak_alloc::PeakAlloc;

#[path = "../made/mod.rs"]
mod made;

use made::{archive, gzip, npy};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One kind at a time, since memory is counted for the whole process.
static ONE: Mutex<()> = Mutex::new(());

/// Longer than any file of a few kilobytes can take.
const LONGEST: Duration = Duration::from_secs(1);

/// Bytes that a file may take, beside ten times its content.
const MOST: usize = 64 << 20;

fn rounds() -> usize {
    let asked = std::env::var("COUNTERWEIGHT_FUZZ").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(2000)
}

/// Splitmix64, from a fixed seed: the same files every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap()
    }
}

/// One to four changes: bits, bytes, pieces cut, doubled, moved in from elsewhere, or words put in.
fn mutate(bytes: &[u8], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let n = bytes.len();
        let (at, length) = (random.below(n), random.below(16).min(n));
        let end = (at + length).min(n);
        match random.below(7) {
            0 | 1 if n > 0 => bytes[at] ^= 1 << random.below(8),
            2 if n > 0 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                let to = random.below(n + 1);
                bytes.splice(to..to, piece);
            }
            5 if random.below(8) == 0 => bytes.truncate(at),
            _ => {
                let word = words[random.below(words.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

/// Every reader on one file; whatever is refused is refused by its name.
fn read_all(path: &Path, target: &str, tables: bool) -> bool {
    let options = ReadOptions::target(target);
    let name = path.display().to_string();
    let mut found = vec![
        read_dataset(path, &options).map(drop),
        read_cells(path, &options).map(drop),
    ];
    if tables {
        found.push(read_table(path).map(drop));
    }
    for error in found.iter().filter_map(|result| result.as_ref().err()) {
        let told = error.to_string();
        assert!(
            told.starts_with(&name) && !told.contains("unwrap"),
            "{told}"
        );
    }
    found.iter().all(Result::is_ok)
}

fn fuzz(kind: &str, seeds: &[Vec<u8>], words: &[&[u8]], unpacked: usize) {
    fuzz_as(kind, "y", seeds, words, unpacked);
}

/// Files of this kind, each a seed with changes; `unpacked` is the largest content of a packed one.
fn fuzz_as(kind: &str, target: &str, seeds: &[Vec<u8>], words: &[&[u8]], unpacked: usize) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // In memory where that can be had: a disk would take most of the time.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.unwrap();
    let path = folder.path().join(format!("d.{kind}"));
    let mut random = Random(13);
    let mut sound = 0;
    for round in 0..rounds() {
        let bytes = mutate(&seeds[round % seeds.len()], words, &mut random);
        std::fs::write(&path, &bytes).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let start = Instant::now();
        sound += usize::from(read_all(&path, target, matches!(kind, "csv" | "parquet")));
        let took = start.elapsed();
        let peak = MEMORY.peak_usage().saturating_sub(before);
        let most = MOST + 10 * bytes.len().max(unpacked);
        if peak > most || took > LONGEST {
            // For whoever mends it.
            let kept = std::env::temp_dir().join(format!("counterweight-fuzz.{kind}"));
            std::fs::copy(&path, kept).unwrap();
        }
        assert!(
            peak <= most,
            "round {round}: {peak} bytes for {}",
            bytes.len()
        );
        if took > LONGEST {
            // A machine that others use may have been slow once.
            let start = Instant::now();
            read_all(&path, target, false);
            let again = start.elapsed();
            assert!(again <= LONGEST, "round {round}: {took:?}, then {again:?}");
        }
    }
    // Changes that hurt nothing and changes that do: else the seeds or the changes are no good.
    assert!(sound > 0 && sound < rounds(), "{sound} of {}", rounds());
}

#[test]
fn csv() {
    let mut plain = String::new();
    for row in 0..30 {
        writeln!(
            plain,
            "{row},{}.5,\"a \"\"{}\"\"\",{}",
            row * 7,
            row % 3,
            row % 2
        )
        .unwrap();
    }
    let breaks = "x,y\r\n1,\"a\nb\"\r\n,\"\"\r\n3,c\r\n4,c\r\n";
    let seeds = [
        format!("x,z,name,y\n{plain}").into_bytes(),
        format!("\u{feff}{breaks}").into_bytes(),
        "\"y\",é\n1,ü\n0,NaN\n1,-\n".as_bytes().to_vec(),
    ];
    let words: [&[u8]; 12] = [
        b"\"",
        b",",
        b"\n",
        b"\r",
        b"\"\"",
        b"\0",
        b"1e309",
        b"NaN",
        b"\xff",
        b"\xef\xbb\xbf",
        b"y",
        b"-9223372036854775809",
    ];
    fuzz("csv", &seeds, &words, 0);
    let tabs = |seed: &Vec<u8>| {
        String::from_utf8_lossy(seed)
            .replace(',', "\t")
            .into_bytes()
    };
    fuzz("tsv", &seeds.each_ref().map(tabs), &words, 0);
    let packed = seeds.each_ref().map(|seed| gzip(seed));
    fuzz("csv.gz", &packed, &words, 1 << 20);
    let packed = seeds
        .each_ref()
        .map(|seed| zstd::encode_all(seed.as_slice(), 3).unwrap());
    fuzz("csv.zst", &packed, &words, 1 << 20);
}

#[test]
fn arff_and_keel() {
    let rows: String = (0..30)
        .map(|row| format!("{row}.5, 'b\\'{}', {}\n", row % 3, row % 2))
        .collect();
    let sparse: String = (0..30)
        .map(|row| format!("{{0 {row}, 2 1}}, {{{row}}}\n"))
        .collect();
    let head = "% c\n@relation 'r s'\n@attribute x real\n@attribute c {'b\\'0',\"b'1\",'b\\'2'}\n@attribute y {0, 1}\n@data\n";
    let named = "@attribute d date 'yyyy-MM-dd'\n@attribute s string\n@attribute y integer\n@data\n'2020-01-01','\\u00e9',1\n?,?,0\n";
    let keel = head
        .replace("x real", "x real [0.5, 29.5]")
        .replace("@data", "@inputs x, c\n@outputs y\n@data");
    let seeds = [
        head.to_owned() + &rows,
        head.to_owned() + &sparse,
        named.to_owned(),
    ]
    .map(String::into_bytes);
    let words: [&[u8]; 12] = [
        b"{",
        b"}",
        b"'",
        b"\\u",
        b"?",
        b"@attribute ",
        b"@data\n",
        b"%",
        b"\n",
        b"{99999999 1}\n",
        b"{1 b}",
        b",{2}",
    ];
    fuzz("arff", &seeds, &words, 0);
    let packed = seeds.each_ref().map(|seed| gzip(seed));
    fuzz("arff.gz", &packed, &words, 1 << 20);
    let words: [&[u8]; 7] = [
        b"[",
        b"]",
        b"@inputs q\n",
        b"@output",
        b"<null>",
        b"{",
        b",",
    ];
    fuzz("dat", &[(keel + &rows).into_bytes()], &words, 0);
}

#[test]
fn svmlight() {
    let rows: String = (0..30)
        .map(|row| {
            format!(
                "{} qid:{row} 1:0.5 {}:1e3 # c\n",
                ["+1", "-1"][row % 2],
                row + 2
            )
        })
        .collect();
    let words: [&[u8]; 8] = [
        b":",
        b" ",
        b"0:1 ",
        b"4294967295:1",
        b"99999:1 ",
        b"qid:",
        b"#",
        b"\n",
    ];
    fuzz_as("svm", "label", &[rows.into_bytes()], &words, 0);
}

#[test]
fn numpy() {
    let reals: Vec<u8> = (0..60)
        .flat_map(|i| f64::from(i % 7).to_le_bytes())
        .collect();
    let classes: Vec<u8> = (0..30).map(|i| i % 2).collect();
    let names: Vec<u8> = (0..30)
        .flat_map(|i| (u32::from('a') + i % 2).to_be_bytes())
        .collect();
    let x = npy(1, "<f8", true, "(30, 2)", &reals);
    let y = npy(2, "|u1", false, "(30,)", &classes);
    let words: [&[u8]; 8] = [
        b"\x93NUMPY",
        b"'shape': (9999999999, 1)",
        b"(0, 99999999)",
        b"True",
        b">f4",
        b"\xff\xff\xff\xff",
        b"PK\x01\x02",
        b"PK\x05\x06",
    ];
    let wide = npy(1, "<i4", false, "(30, 2)", &reals[..240]);
    fuzz_as(
        "npy",
        "c2",
        &[wide, npy(3, "|b1", false, "(15, 2)", &classes)],
        &words,
        0,
    );
    let named = archive(
        &[
            ("X.npy", x.clone()),
            ("y.npy", npy(1, ">U1", false, "(30,)", &names)),
        ],
        false,
    );
    fuzz(
        "npz",
        &[archive(&[("X.npy", x), ("y.npy", y)], true), named],
        &words,
        1 << 20,
    );
}

fn table(rows: usize) -> Table {
    let text = |row: usize| (!row.is_multiple_of(11)).then(|| format!("level {}", row % 5));
    let columns = [
        (
            "x",
            Cells::Real(
                (0..rows)
                    .map(|row| (!row.is_multiple_of(7)).then_some(row as f64 / 3.0))
                    .collect(),
            ),
        ),
        (
            "n",
            Cells::Whole((0..rows).map(|row| i64::try_from(row * row).ok()).collect()),
        ),
        ("t", Cells::Text((0..rows).map(text).collect())),
        (
            "f",
            Cells::Flag((0..rows).map(|row| Some(row.is_multiple_of(3))).collect()),
        ),
        (
            "y",
            Cells::Whole((0..rows).map(|row| i64::try_from(row % 3).ok()).collect()),
        ),
    ];
    columns
        .into_iter()
        .fold(Table::new(), |table, (name, cells)| {
            table.with(name, cells).unwrap()
        })
}

#[test]
fn parquet() {
    let folder = tempfile::tempdir().unwrap();
    let mut seeds = Vec::new();
    for rows in [1, 40, 3000] {
        let path = folder.path().join("seed.parquet");
        write_table(&table(rows), &path).unwrap();
        seeds.push(std::fs::read(&path).unwrap());
    }
    // Of other writers: other codecs, encodings and versions of pages.
    let goldens = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/frame");
    let goldens = std::fs::read_dir(goldens).unwrap();
    let mut goldens: Vec<_> = goldens.map(|entry| entry.unwrap().path()).collect();
    goldens.retain(|path| path.extension().is_some_and(|e| e == "parquet"));
    goldens.sort();
    seeds.extend(goldens.iter().map(|path| std::fs::read(path).unwrap()));
    let words: [&[u8]; 7] = [
        b"PAR1",
        b"\x15\xfe\xff\xff\xff\x0f",
        b"\x19\xfc",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80",
        b"\0",
        b"\x1c",
    ];
    fuzz("parquet", &seeds, &words, 1 << 20);
}
