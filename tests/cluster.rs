//! Sweeps on real schedulers, with faults: a shard is killed, another one told to stop, the controller dies; what is
//! then missing is submitted with another number of shards, and the records are those of an undisturbed run, byte
//! for byte.
//!
//! Slurm and `HyperQueue` run in namespaces of their own (cluster/mini-slurm.sh, cluster/mini-hq.py), out of reach
//! from outside and gone with the process that holds them. Where they are not installed, these tests fail if
//! `.ci/run` could have installed them, and say elsewhere that they are skipped.

#[expect(dead_code, reason = "each test program uses a part of it")]
mod common;
mod programs;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::{Place, complete_lines};

/// 500 cells on 50 splits.
const SWEEP: &str = r#"
format = 1
name = "faults"
seed = 11
[protocol]
repeats = 25
[[population]]
kind = "gaussian-simplex"
dim = 8
n_train = 900
n_test = 500
imbalance_ratio = [5, 20]
[[model]]
kind = "gradient-boosting"
rounds = 40
[[model]]
kind = "random-forest"
trees = 40
[[correction]]
id = "none"
[[correction]]
id = "weights"
loss = { kind = "weighted" }
[[correction]]
id = "oversampling"
resample = { kind = "random-over" }
[[correction]]
id = "smote"
resample = { kind = "smote" }
[[correction]]
id = "adjust"
decide = { kind = "logit-adjust" }
"#;

/// The folder of the sweep: its name has to be quoted in scripts.
const FOLDER: &str = "my sweep";

const CELLS: u64 = 500;

/// records.csv and records.parquet of a run that nothing disturbed.
fn undisturbed() -> &'static [Vec<u8>; 2] {
    static FILES: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    FILES.get_or_init(|| {
        let place = place();
        place
            .call(&["run", FOLDER, "--quiet", "--no-report"])
            .ends_with(0);
        files(&place)
    })
}

fn place() -> Place {
    let place = Place::new();
    place.write(&format!("{FOLDER}/sweep.toml"), SWEEP);
    place
}

fn files(place: &Place) -> [Vec<u8>; 2] {
    ["csv", "parquet"].map(|kind| place.bytes(&format!("{FOLDER}/records.{kind}")))
}

/// Waits for a condition, two minutes at most.
#[track_caller]
fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(
            started.elapsed() < Duration::from_mins(2),
            "in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A scheduler in namespaces of its own; all of it ends with this value.
struct Engine {
    /// Ends the namespaces with itself.
    holder: Child,
    /// The first process inside, as it is called outside.
    inner: String,
    variables: Vec<(&'static str, String)>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Whatever this says, the process is gone or was never there.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

const NAMESPACES: [&str; 6] = [
    "--net",
    "--uts",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];

impl Engine {
    /// Starts it; `None` where the system gives no namespaces.
    #[expect(
        clippy::print_stdout,
        reason = "a test that is skipped says so where the test runner shows it"
    )]
    fn start(words: &[&str], variables: &[(&'static str, String)]) -> Option<Self> {
        let may = Command::new("unshare")
            .args(NAMESPACES)
            .arg("true")
            .output();
        if !may.is_ok_and(|ended| ended.status.success()) {
            println!("skipped: this user may not have namespaces of its own");
            return None;
        }
        // It ends when these tests are killed, too.
        let mut holder = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(NAMESPACES)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let out = BufReader::new(holder.stdout.take().expect("a pipe"));
        let mut lines = out.lines().map_while(Result::ok);
        assert!(
            lines.any(|line| line == "ready"),
            "the scheduler did not come up"
        );
        // It may go on talking.
        std::thread::spawn(move || lines.for_each(drop));
        let id = holder.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let inner = children.expect("a child").trim().to_owned();
        Some(Self {
            holder,
            inner,
            variables: variables.to_vec(),
        })
    }

    /// A command inside, in the folder of `place`.
    fn command(&self, place: &Place, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args([
                "--target",
                &self.inner,
                "--net",
                "--uts",
                "--pid",
                "--mount",
            ])
            .arg(format!("--wd={}", place.path("").display()))
            .arg(program)
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Exit code and output of a command inside.
    fn call(&self, place: &Place, program: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self
            .command(place, program, arguments)
            .output()
            .expect("nsenter starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    }

    #[track_caller]
    fn submit(&self, place: &Place, scheduler: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let all = [&["submit", scheduler, FOLDER][..], arguments].concat();
        self.call(place, env!("CARGO_BIN_EXE_counterweight"), &all)
    }
}

/// Sends a signal to a process.
#[track_caller]
fn send(signal: &str, process: &str) {
    let sent = Command::new("kill").args([signal, process]).status();
    assert!(
        sent.expect("kill starts").success(),
        "kill {signal} {process}"
    );
}

/// Processes whose command line and environment hold these texts: the tests' own alone, by their folder.
fn processes(place: &Place, words: &str, variable: &str) -> Vec<String> {
    let folder = place.path(FOLDER);
    let folder = folder.canonicalize().expect("a folder");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let read = |file: &str| {
            let bytes = std::fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', "\n")
        };
        let line = read("cmdline");
        let own = line.starts_with(env!("CARGO_BIN_EXE_counterweight"))
            && line.contains(folder.to_str().expect("UTF-8"));
        if own && line.contains(words) && read("environ").contains(variable) {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found
}

fn records(place: &Place) -> usize {
    let files = place.segments(FOLDER);
    files
        .iter()
        .map(|file| complete_lines(file).saturating_sub(1))
        .sum()
}

/// Disturbs the shards that are running: gives once the 2nd was killed and the 3rd was told to stop.
fn disturb(place: &Place, shard: impl Fn(&str) -> Vec<String>, stop: impl Fn(&str)) {
    until("the first records", || (records(place) > 40).then_some(()));
    let status = place
        .call(&["status", FOLDER, "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(status["cells"], CELLS);
    let killed = shard("2").pop().expect("the 2nd shard runs");
    let told = shard("3").pop().expect("the 3rd shard runs");
    send("-9", &killed);
    stop(&told);
    until("two shards to end", || {
        (shard("2").is_empty() && shard("3").is_empty()).then_some(())
    });
}

fn missing(place: &Place) -> u64 {
    let status = place.call(&["status", FOLDER, "--format", "json"]).json();
    status["missing"].as_u64().expect("a number")
}

/// A Python that has the package `hyperqueue`: the one that `.ci/run` makes, or the path's.
///
/// # Panics
/// Where `.ci/run` could have installed it: see [`programs::needed`].
fn hyperqueue() -> Option<PathBuf> {
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/ci/hyperqueue/bin/python");
    let has = |python: &PathBuf| {
        let mut asked = Command::new(python);
        asked.args(["-c", "import hyperqueue"]);
        asked.output().is_ok_and(|output| output.status.success())
    };
    let found = [Some(made), programs::on_path("python3")]
        .into_iter()
        .flatten()
        .find(has);
    programs::needed(found, "the Python package hyperqueue", "python3")
}

fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cluster")
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_disturbed_slurm_gives_the_same_bytes() {
    let daemons = ["slurmctld", "slurmd", "munged", "sbatch"];
    if daemons
        .iter()
        .any(|name| programs::program(&[name]).is_none())
    {
        return;
    }
    let place = place();
    let home = text_of(&place.path("slurm"));
    let script = text_of(&tests_folder().join("mini-slurm.sh"));
    // An array of three at most, so that four shards take two.
    let words = ["sh", &script, &home, "2", "2", "4"];
    let variables = [("SLURM_CONF", format!("{home}/slurm.conf"))];
    let Some(engine) = Engine::start(&words, &variables) else {
        return;
    };
    let (code, said) = engine.submit(&place, "slurm", &["--shards", "4", "--run"]);
    assert_eq!(code, Some(0), "{said}");
    let job = said
        .lines()
        .find_map(|line| line.strip_prefix("shards: job "));
    let job = job.expect("the number of a job").to_owned();
    assert_eq!(said.matches("shards: job").count(), 2, "{said}");
    let shard = |n: &str| processes(&place, &format!("--shard\n{n}/4\n"), "SLURM_JOB_ID");
    disturb(&place, shard, |_| {
        let task = format!("{job}_3");
        let (code, said) = engine.call(&place, "scancel", &["--signal=TERM", "--full", &task]);
        assert_eq!(code, Some(0), "{said}");
    });
    let told = place.read(&format!("slurm-{job}_3.out"));
    assert!(told.contains("interrupted"), "{told}");

    let controller = place.read("slurm/slurmctld.pid");
    engine.call(&place, "kill", &["-9", controller.trim()]);
    place.write("slurm/again", "");
    let idle = || {
        let (code, queue) = engine.call(&place, "squeue", &["-h"]);
        let (_, nodes) = engine.call(&place, "sinfo", &["-h", "-N", "-o", "%t"]);
        let none = processes(&place, "", "").is_empty();
        let free = nodes.lines().count() == 2 && nodes.lines().all(|state| state.trim() == "idle");
        (code == Some(0) && queue.is_empty() && none && free).then_some(())
    };
    until("the shards that were left", || {
        processes(&place, "", "").is_empty().then_some(())
    });
    until("an empty cluster", idle);
    assert!(missing(&place) > 0, "nothing was disturbed");

    let (code, said) = engine.submit(
        &place,
        "slurm",
        &["--shards", "3", "--max-parallel", "2", "--run"],
    );
    assert_eq!(code, Some(0), "{said}");
    let merge = said
        .lines()
        .find_map(|line| line.strip_prefix("merge: job "));
    until("the second pass", idle);
    let said = place.read(&format!(
        "slurm-{}.out",
        merge.expect("the number of a job")
    ));
    assert!(
        said.contains("500 of 500 cells done, 0 failed, 0 missing"),
        "{said}"
    );
    assert!(files(&place) == *undisturbed(), "other records");
    let (code, said) = engine.submit(&place, "slurm", &["--shards", "3"]);
    assert_eq!(code, Some(0));
    assert!(
        said.contains("nothing to submit: all 500 cells are done"),
        "{said}"
    );
}

#[test]
fn a_disturbed_hyperqueue_gives_the_same_bytes() {
    let Some(python) = hyperqueue() else {
        return;
    };
    let place = place();
    let home = text_of(&place.path("hq"));
    let script = text_of(&tests_folder().join("mini-hq.py"));
    let python = text_of(&python);
    place.write(
        "bin/hq",
        &format!("#!/bin/sh\nexec '{python}' '{script}' \"$@\"\n"),
    );
    let made = Command::new("chmod")
        .arg("+x")
        .arg(place.path("bin/hq"))
        .status();
    assert!(made.expect("chmod starts").success());
    // Whenever the server dies, another one starts.
    let serve = format!(
        "ip link set lo up; hostname localhost; while :; do '{python}' '{script}' serve '{home}' 4; done"
    );
    let path = std::env::var("PATH").expect("a path");
    let variables = [
        ("HQ_SERVER_DIR", home),
        ("PATH", format!("{}:{path}", text_of(&place.path("bin")))),
    ];
    let Some(engine) = Engine::start(&["sh", "-c", &serve], &variables) else {
        return;
    };
    let shard = |n: &str| processes(&place, "--shard\nauto/4\n", &format!("HQ_TASK_ID={n}\n"));
    std::thread::scope(|scope| {
        let submitted = scope.spawn(|| engine.submit(&place, "hq", &["--shards", "4", "--run"]));
        disturb(&place, shard, |process| send("-TERM", process));
        let told = place.read("job-1/3.stderr");
        assert!(told.contains("interrupted"), "{told}");
        let server = Command::new("sh")
            .args(["-c", &format!("ps --ppid {} -o pid=", engine.inner)])
            .output()
            .expect("ps starts");
        send("-9", String::from_utf8_lossy(&server.stdout).trim());
        // The command that waited says how far the sweep is.
        let (code, said) = submitted.join().expect("the submission");
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("of 500 cells done"), "{said}");
    });
    until("the shards that were left", || {
        processes(&place, "", "").is_empty().then_some(())
    });
    assert!(missing(&place) > 0, "nothing was disturbed");
    until("another server", || {
        let (code, _) = engine.call(
            &place,
            "hq",
            &["submit", "--array=1", "--wait", "--", "true"],
        );
        (code == Some(0)).then_some(())
    });
    let (code, said) = engine.submit(&place, "hq", &["--shards", "3", "--run"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("500 of 500 cells done, 0 failed, 0 missing"),
        "{said}"
    );
    assert!(files(&place) == *undisturbed(), "other records");
}
