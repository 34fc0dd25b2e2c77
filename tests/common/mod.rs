//! Temporary report folders, the binary, made-up data and the records that come out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// Everything that can become of a cell.
pub(crate) const OUTCOMES: [&str; 9] = [
    "ok",
    "clamped",
    "degenerate",
    "not-applicable",
    "skipped",
    "undefined",
    "failed",
    "timeout",
    "out-of-memory",
];

/// A temporary folder with report folders, sweeps and data files inside.
#[derive(Debug)]
pub(crate) struct Place {
    root: TempDir,
}

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            // A process that a signal ended has no code; no test expects -1.
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails with everything that was said unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.out, self.err
        );
        self
    }

    /// The product as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).expect("stdout is JSON")
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            root: TempDir::new().expect("a temporary folder"),
        }
    }

    /// A place whose folder `demo` holds this sweep.
    pub(crate) fn with_sweep(text: &str) -> Self {
        let place = Self::new();
        place.write("demo/sweep.toml", text);
        place
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    /// Writes a file, making its folder.
    pub(crate) fn write(&self, relative: &str, contents: &str) {
        let path = self.path(relative);
        let folder = path.parent().expect("a file below the root");
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(&path, contents).expect("a file");
    }

    #[track_caller]
    pub(crate) fn read(&self, relative: &str) -> String {
        let path = self.path(relative);
        std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))
            .expect("a readable file")
    }

    #[track_caller]
    pub(crate) fn bytes(&self, relative: &str) -> Vec<u8> {
        let path = self.path(relative);
        std::fs::read(&path)
            .map_err(|error| format!("{}: {error}", path.display()))
            .expect("a readable file")
    }

    pub(crate) fn has(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }

    /// The command, in this place, with a clean environment as far as the program reads it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_counterweight"));
        command
            .args(arguments)
            .current_dir(self.root.path())
            .env_remove("COUNTERWEIGHT_DATASETS")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn call(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the binary starts");
        Ran::of(&output)
    }

    /// As [`Place::call`], with environment variables.
    pub(crate) fn call_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        Ran::of(&command.output().expect("the binary starts"))
    }

    /// Runs a line of the shell in this place; `$CW` is the binary.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(self.root.path())
            .env("CW", env!("CARGO_BIN_EXE_counterweight"))
            .env_remove("COUNTERWEIGHT_DATASETS")
            .stdin(Stdio::null());
        Ran::of(&command.output().expect("a shell"))
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts")
    }

    /// Runs the sweep of folder `demo` quietly, records only.
    #[track_caller]
    pub(crate) fn run_demo(&self, code: i32) -> Records {
        self.call(&["run", "demo", "--quiet", "--no-report"])
            .ends_with(code);
        self.records("demo")
    }

    /// The records of a report folder.
    #[track_caller]
    pub(crate) fn records(&self, folder: &str) -> Records {
        Records::parse(&self.read(&format!("{folder}/records.csv")))
    }

    /// The segments of a report folder, by name.
    pub(crate) fn segments(&self, folder: &str) -> Vec<PathBuf> {
        self.stored(folder, "jsonl")
    }

    /// The files beside the segments of a report folder, by name.
    pub(crate) fn beside(&self, folder: &str) -> Vec<PathBuf> {
        self.stored(folder, "side")
    }

    fn stored(&self, folder: &str, extension: &str) -> Vec<PathBuf> {
        let folder = self.path(folder).join("segments");
        if !folder.exists() {
            return Vec::new();
        }
        let mut files = sorted_files(&folder);
        files.retain(|path| path.extension().is_some_and(|e| e == extension));
        files
    }

    /// Every file below a folder with its bytes: to see that nothing changed.
    pub(crate) fn snapshot(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.path(folder)];
        while let Some(folder) = open.pop() {
            for path in sorted_files(&folder) {
                if path.is_dir() {
                    found.insert(path.clone(), Vec::new());
                    open.push(path);
                } else if path.is_file() {
                    let bytes = std::fs::read(&path).expect("a readable file");
                    found.insert(path, bytes);
                }
            }
        }
        found
    }

    /// `text` without this place's own path.
    pub(crate) fn anonymous(&self, text: &str) -> String {
        text.replace(&self.root.path().display().to_string(), "[place]")
    }
}

/// The lines of a segment or of a file beside one as a build before checksums would have written them.
pub(crate) fn of_an_earlier_build(text: &str) -> String {
    let tail = ",\"sum\":\"01234567\"}".len();
    let lines = text.lines().map(|line| &line[..line.len() - tail]);
    let bare = lines.map(|line| line.strip_suffix(",\"bins\":true").unwrap_or(line));
    bare.flat_map(|line| [line, "}\n"]).collect()
}

fn sorted_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    files.sort();
    files
}

/// Complete lines of a file that another process may be writing.
pub(crate) fn complete_lines(path: &Path) -> usize {
    std::fs::read(path).map_or(0, |bytes| bytes.split(|&b| b == b'\n').count() - 1)
}

/// records.csv, read by a parser of its own: what is tested here is what other programs would read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Records {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    /// The row without the columns of swept parameters, which hang on the sweep and not on the cell.
    pub(crate) fn without_parameters(&self) -> Self {
        let kept = self.0.iter().filter(|(column, _)| !column.contains('.'));
        Self(kept.map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    /// A cell's text; empty when it has no value.
    #[track_caller]
    pub(crate) fn text(&self, column: &str) -> &str {
        self.0.get(column).expect("the column exists")
    }

    /// A cell's number, if it has a value.
    #[track_caller]
    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        let text = self.text(column);
        (!text.is_empty()).then(|| text.parse().expect("a number or nothing"))
    }

    /// A cell's number, which it has to have.
    #[track_caller]
    pub(crate) fn real(&self, column: &str) -> f64 {
        self.number(column).expect("the cell has a value")
    }

    /// The recalls in class order.
    pub(crate) fn recalls(&self) -> Vec<Option<f64>> {
        let text = self.text("recalls");
        if text.is_empty() {
            return Vec::new();
        }
        text.split(';')
            .map(|part| (!part.is_empty()).then(|| part.parse().expect("a number or nothing")))
            .collect()
    }
}

impl Records {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = csv(text).into_iter();
        let header = lines.next().expect("a header");
        let rows = lines
            .map(|cells| {
                assert_eq!(cells.len(), header.len(), "a ragged row: {cells:?}");
                Row(header.iter().cloned().zip(cells).collect())
            })
            .collect();
        Self { header, rows }
    }

    /// The rows whose columns hold these texts; at least one.
    #[track_caller]
    pub(crate) fn of(&self, wanted: &[(&str, &str)]) -> Vec<&Row> {
        let found: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| {
                wanted
                    .iter()
                    .all(|(column, text)| row.text(column) == *text)
            })
            .collect();
        assert!(!found.is_empty(), "no record has {wanted:?}");
        found
    }

    /// The only row whose columns hold these texts.
    #[track_caller]
    pub(crate) fn one(&self, wanted: &[(&str, &str)]) -> &Row {
        let found = self.of(wanted);
        assert_eq!(found.len(), 1, "records with {wanted:?}");
        found[0]
    }

    /// The distinct texts of a column, sorted.
    pub(crate) fn distinct(&self, column: &str) -> Vec<&str> {
        let mut texts: Vec<&str> = self.rows.iter().map(|row| row.text(column)).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    }
}

/// The cells of a CSV text, quotes taken off.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            _ => cell.push(c),
        }
    }
    assert!(
        !quoted && cell.is_empty() && row.is_empty(),
        "a CSV text ends with a line break"
    );
    rows
}

/// Numbers that look random and are the same everywhere: `SplitMix64`.
#[derive(Debug)]
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// The next number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Roughly normal, variance 1: the sum of twelve uniforms.
    pub(crate) fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A CSV file with two numeric features `u`, `v` and a label `y`: class `c` has `counts[c]` rows
/// around (c, -c).
pub(crate) fn numeric_csv(counts: &[usize], seed: u64) -> String {
    let mut noise = Noise(seed);
    let mut text = "u,v,y\n".to_owned();
    for (class, &count) in counts.iter().enumerate() {
        for _ in 0..count {
            let centre = 1.5 * class as f64;
            let (u, v) = (centre + noise.bell(), noise.bell() - centre);
            writeln!(text, "{u:.4},{v:.4},c{class}").expect("a string takes everything");
        }
    }
    text
}

/// As [`numeric_csv`], with a nominal column `colour` and missing cells in both kinds of column.
pub(crate) fn mixed_csv(counts: &[usize], seed: u64) -> String {
    let mut noise = Noise(seed);
    let mut text = "u,v,colour,y\n".to_owned();
    for (class, &count) in counts.iter().enumerate() {
        for row in 0..count {
            let centre = 1.5 * class as f64;
            let u = format!("{:.4}", centre + noise.bell());
            let v = if row % 7 == 3 {
                String::new()
            } else {
                format!("{:.4}", noise.bell() - centre)
            };
            let colour = match noise.unit() {
                share if share < 0.1 => "",
                share if share < 0.4 + 0.2 * class as f64 => "red",
                share if share < 0.8 => "blue",
                _ => "\"dark, green\"",
            };
            writeln!(text, "{u},{v},{colour},c{class}").expect("a string takes everything");
        }
    }
    text
}
