//! Shards: cut by cost, any mix of counts in any order, named by schedulers, and submitted by scripts.

use crate::common::{Place, numeric_csv};
use crate::programs;

/// 120 cells on 12 splits of very different cost, in 48 fits.
const SWEEP: &str = r#"
format = 1
name = "in-shards"
seed = 3
[protocol]
repeats = 3
[[population]]
id = "small"
kind = "gaussian-simplex"
n_train = 60
n_test = 100
imbalance_ratio = [3, 9]
[[population]]
id = "large"
kind = "gaussian-simplex"
n_train = 300
n_test = 100
imbalance_ratio = [3, 9]
[[model]]
kind = "gradient-boosting"
rounds = 10
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
id = "none"
[[correction]]
resample = { kind = "smote" }
[[correction]]
decide = { kind = "logit-adjust", tau = [0.5, 1.0] }
[[correction]]
decide = { kind = "tuned-tau" }
"#;

fn run(place: &Place, output: &str, shard: &str) {
    let arguments = ["run", "demo", "--quiet", "--no-report", "--output", output];
    place
        .call(&[&arguments[..], &["--shard", shard]].concat())
        .ends_with(0);
}

#[test]
fn any_mix_of_shard_counts_gives_the_whole() {
    let place = Place::with_sweep(SWEEP);
    place
        .call(&["run", "demo", "--quiet", "--no-report", "--output", "whole"])
        .ends_with(0);
    let whole = place.bytes("whole/records.csv");
    for (folder, shards) in [
        ("ones", &["1/1"][..]),
        ("threes", &["3/3", "1/3", "2/3"]),
        ("sevens", &["6/7", "2/7", "7/7", "1/7", "3/7", "5/7", "4/7"]),
        // Some of one cut, then all of another one.
        ("mixed", &["5/7", "1/3", "2/2", "1/2"]),
        ("many", &["100/100", "1/1"]),
    ] {
        for shard in shards {
            run(&place, folder, shard);
        }
        assert!(
            place.bytes(&format!("{folder}/records.csv")) == whole,
            "{shards:?}"
        );
    }
    // Machines that share nothing, merged the other way round.
    for shard in 1..=7 {
        run(&place, &format!("part{shard}"), &format!("{shard}/7"));
    }
    let parts: Vec<String> = (1..=7).rev().map(|shard| format!("part{shard}")).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    place
        .call(&[&["merge", "demo"][..], &parts].concat())
        .ends_with(0);
    assert!(place.bytes("demo/records.csv") == whole);
}

#[test]
fn a_task_of_two_schedulers_or_of_another_count_is_refused() {
    let place = Place::with_sweep(SWEEP);
    for (shard, variables, said) in [
        (
            "auto/4",
            &[("SGE_TASK_ID", "undefined")][..],
            "finds no scheduler's index in SLURM_ARRAY_TASK_ID",
        ),
        (
            "auto/4",
            &[("PARALLEL_SEQ", "1"), ("HQ_TASK_ID", "2")],
            "finds two schedulers: HQ_TASK_ID",
        ),
        (
            "auto/4",
            &[("HQ_TASK_ID", "5")],
            "names task 5, and there are 4 shards",
        ),
        ("auto", &[("HQ_TASK_ID", "2")], "write auto/N"),
        (
            "auto/4",
            &[("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "2")],
            "OMPI_COMM_WORLD_SIZE is 2",
        ),
    ] {
        let ran = place
            .call_with(variables, &["run", "demo", "--dry-run", "--shard", shard])
            .ends_with(2);
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let variables = [("OMPI_COMM_WORLD_RANK", "1"), ("OMPI_COMM_WORLD_SIZE", "2")];
    let auto = place
        .call_with(&variables, &["run", "demo", "--dry-run", "--shard", "auto"])
        .ends_with(0);
    let own = place
        .call(&["run", "demo", "--dry-run", "--shard", "2/2"])
        .ends_with(0);
    assert_eq!(auto.out, own.out);
    let help = place.call(&["run", "--help"]).ends_with(0).out;
    for variable in [
        "SLURM_PROCID",
        "JOB_COMPLETION_INDEX",
        "LSB_JOBINDEX",
        "PBS_ARRAYID",
    ] {
        assert!(help.contains(variable), "{variable} is not in {help}");
    }
}

/// A script without what is another one on each machine.
fn plain(place: &Place, script: &str) -> String {
    let root = place.path("").canonicalize().expect("a folder");
    let script = script.replace(env!("CARGO_BIN_EXE_counterweight"), "/opt/counterweight");
    let script = script.replace(root.to_str().expect("UTF-8"), "/home/me");
    let estimates = script.lines().map(|line| {
        let seconds = line.starts_with("# core by") || line.contains("a whole shard takes");
        if seconds {
            let words = line.split(' ').map(|word| {
                if word.parse::<u32>().is_ok() {
                    "N"
                } else {
                    word
                }
            });
            words.collect::<Vec<_>>().join(" ")
        } else {
            line.to_owned()
        }
    });
    estimates.collect::<Vec<_>>().join("\n")
}

#[test]
fn scripts_are_written_for_what_is_missing() {
    let place = Place::new();
    place.write("it's a sweep/sweep.toml", SWEEP);
    let folder = "it's a sweep";
    let slurm = ["submit", "slurm", folder, "--shards", "8"];
    let more = [
        "--max-parallel",
        "3",
        "--cpus",
        "2",
        "--partition",
        "short",
        "--time",
        "2:00:00",
    ];
    let more = [
        &more[..],
        &[
            "--sbatch-arg=--account=me",
            "--sbatch-arg",
            "--comment=\"a b\"",
        ],
    ]
    .concat();
    // No Slurm here to ask for its limit.
    let nowhere = [("PATH", "/nowhere")];
    let script = place
        .call_with(&nowhere, &[&slurm[..], &more].concat())
        .ends_with(0)
        .out;
    insta::assert_snapshot!("slurm", plain(&place, &script));
    let script = place
        .call(&[
            "submit",
            "hq",
            folder,
            "--shards",
            "8",
            "--hq-arg=--time-limit=2h",
        ])
        .ends_with(0)
        .out;
    insta::assert_snapshot!("hq", plain(&place, &script));

    // More shards than an array has indices, some of them done.
    for shard in ["1/2000", "2/2000", "1500/2000"] {
        place
            .call(&["run", folder, "--quiet", "--no-report", "--shard", shard])
            .ends_with(0);
    }
    let many = [
        "submit",
        "slurm",
        folder,
        "--shards",
        "2000",
        "--max-parallel",
        "9",
        "--write",
        "many.sh",
    ];
    let ran = place.call_with(&nowhere, &many).ends_with(0);
    assert_eq!(ran.out, "script: many.sh\n");
    let script = place.read("many.sh");
    let arrays: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("#SBATCH --array="))
        .collect();
    // Pieces are fewer than shards: those without one have nothing to run.
    assert_eq!(arrays, ["3-48%9"], "{script}");
    // Scripts are what a shell reads.
    let read = place.shell("sh -n many.sh");
    assert_eq!((read.code, read.err.as_str()), (0, ""));

    place
        .call(&["run", folder, "--quiet", "--no-report"])
        .ends_with(0);
    let ran = place.call(&slurm).ends_with(0);
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("", "nothing to submit: all 120 cells are done\n")
    );
}

/// What the scripts do, with stand-ins for the schedulers' programs.
#[test]
fn scripts_run_every_shard_once_and_then_the_merge() {
    let place = Place::new();
    place.write("a sweep/sweep.toml", SWEEP);
    // Runs an array's tasks one after another, as Slurm would.
    place.write(
        "bin/sbatch",
        "#!/bin/sh\n[ \"$1\" = --version ] && exit\nf=job$$; cat >$f\n\
         for i in $(sed -n 's/^#SBATCH --array=\\([0-9-]*\\).*/\\1/p' $f | tr - ' ' | xargs -r seq); do\n\
         SLURM_ARRAY_TASK_ID=$i sh $f >&2; done\n\
         grep -q array $f || sh $f >merged; echo \"$$;cluster\"; echo \"$@\" >>calls\n",
    );
    place.write(
        "bin/scontrol",
        "#!/bin/sh\necho 'MaxArraySize            = 4'\n",
    );
    place.write(
        "bin/hq",
        "#!/bin/sh\n[ \"$1\" = --version ] && exit\necho \"$*\" >>calls\n\
         for i in 1 2 3; do ( while [ \"$1\" != -- ]; do shift; done; shift; HQ_TASK_ID=$i exec \"$@\" ) done\n",
    );
    assert_eq!(place.shell("chmod +x bin/*").code, 0);
    let path = format!(
        "{}:{}",
        place.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let path = [("PATH", path.as_str())];
    let slurm = ["submit", "slurm", "a sweep", "--shards", "5", "--run"];
    place
        .call_with(&path, &[&slurm[..], &["--max-parallel", "2"]].concat())
        .ends_with(0);
    let calls = place.read("calls");
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(calls[0], "--parsable");
    assert!(
        calls[1].starts_with("--parsable --dependency=afterany:"),
        "{calls:?}"
    );
    assert!(
        !calls[2].contains("cluster") && calls[2].matches(':').count() == 2,
        "{calls:?}"
    );
    let merged = place.read("merged");
    assert!(
        merged.contains("120 of 120 cells done, 0 failed, 0 missing"),
        "{merged}"
    );
    let records = place.bytes("a sweep/records.csv");

    std::fs::remove_dir_all(place.path("a sweep/segments")).unwrap();
    let ran = place
        .call_with(
            &path,
            &["submit", "hq", "a sweep", "--shards", "3", "--run"],
        )
        .ends_with(0);
    assert!(ran.out.contains("120 of 120 cells done"), "{}", ran.out);
    assert!(place.bytes("a sweep/records.csv") == records);
    // A part of it: the end is that of `status`.
    std::fs::remove_dir_all(place.path("a sweep/segments")).unwrap();
    let ran = place
        .call_with(
            &path,
            &["submit", "hq", "a sweep", "--shards", "4", "--run"],
        )
        .ends_with(3);
    assert!(ran.out.contains("missing"), "{}", ran.out);

    // A scheduler that refuses, and none.
    place.write("bin/sbatch", "#!/bin/sh\nexit 1\n");
    let ran = place.call_with(&path, &slurm).ends_with(70);
    assert!(ran.err.contains("sbatch did not take it"), "{}", ran.err);
    let ran = place
        .call_with(&[("PATH", "/nowhere")], &slurm)
        .ends_with(2);
    assert!(ran.err.contains("sbatch does not start"), "{}", ran.err);
}

/// The fenced blocks of one kind below a heading of docs/CLUSTER.md.
fn blocks(heading: &str, kind: &str) -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLUSTER.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, part) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let part = part.split("\n## ").next().unwrap();
    let fence = format!("```{kind}\n");
    let blocks = part.split(&fence).skip(1);
    let blocks: Vec<String> = blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect();
    assert!(!blocks.is_empty(), "no {kind} below {heading}");
    blocks
}

/// A folder `sweep`, the binary by its name, and `ssh` and rsync's other machine in a folder `other` here.
fn documented() -> Place {
    let place = Place::new();
    place.write("sweep/sweep.toml", SWEEP);
    let binary = env!("CARGO_BIN_EXE_counterweight");
    place.write(
        "bin/counterweight",
        &format!("#!/bin/sh\nexec {binary} \"$@\"\n"),
    );
    place.write("bin/ssh", "#!/bin/sh\ncd \"$1\" && shift && exec \"$@\"\n");
    place.write("other/README", "the other machine");
    assert_eq!(place.shell("chmod +x bin/*").code, 0);
    place
}

#[test]
fn what_the_documentation_says_is_done() {
    let commands = |heading| blocks(heading, "sh").join("\n");
    let whole = documented();
    let line = |words: &str| format!("PATH=\"$PWD/bin:$PATH\"; set -e\n{words}");
    whole
        .shell(&line("counterweight run sweep --no-report"))
        .ends_with(0);
    let records = whole.bytes("sweep/records.csv");
    let done = |words: &str, what: &str| {
        let place = documented();
        place.shell(&line(words)).ends_with(0);
        place.call(&["status", "sweep"]).ends_with(0);
        assert!(place.bytes("sweep/records.csv") == records, "{what}");
    };
    if programs::program(&["parallel"]).is_some() {
        done(&commands("GNU parallel"), "GNU parallel");
    }
    if programs::program(&["rsync"]).is_some() {
        // Without a network the other machine is a folder.
        let laptops = commands("A pair of laptops").replace("other:", "other/");
        done(&laptops, "laptops");
    }
    // Every index of the Job, as a cluster would start it.
    let job = blocks("Kubernetes", "yaml").remove(0);
    let field = |name: &str| {
        let line = job.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    let command: Vec<String> = serde_json::from_str(&field("command:")).unwrap();
    let command = command.join(" ").replace("/data/", "");
    let pods: usize = field("completions:").parse().unwrap();
    let pods: Vec<String> = (0..pods)
        .map(|index| format!("JOB_COMPLETION_INDEX={index} {command}"))
        .collect();
    done(
        &format!("{}\ncounterweight merge sweep", pods.join("\n")),
        "Kubernetes",
    );
    // What the rules of Snakemake run.
    let rules = blocks("Snakemake", "python").remove(0);
    let shells = rules.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("shell: ")?;
        let line = line
            .trim_matches('"')
            .replace("{N}", "6")
            .replace("{threads}", "1");
        Some(if line.contains("{wildcards.i}") {
            format!(
                "for i in 1 2 3 4 5 6; do {}; done",
                line.replace("{wildcards.i}", "$i")
            )
        } else {
            line
        })
    });
    done(&shells.collect::<Vec<_>>().join("\n"), "Snakemake");
    // Scripts are written, and what watches ends when nothing is missing.
    for heading in ["Slurm", "HyperQueue"] {
        let place = documented();
        place.shell(&line(&commands(heading))).ends_with(0);
        assert!(place.read("sweep.sh").starts_with("#!/bin/sh\n"));
    }
    whole.shell(&line(&commands("Watching"))).ends_with(0);
}

#[test]
fn shards_are_of_one_cost_and_status_counts_them() {
    let place = Place::with_sweep(SWEEP);
    let of = |shards: &str, code: i32| {
        let arguments = ["status", "demo", "--format", "json", "--shards", shards];
        let status = place.call(&arguments).ends_with(code).json();
        let shards = status["shards"].as_array().unwrap().clone();
        let all: u64 = shards
            .iter()
            .map(|shard| shard["cells"].as_u64().unwrap())
            .sum();
        assert_eq!(all, 120);
        shards
    };
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    for count in ["2", "3", "5", "7"] {
        let costs: Vec<f64> = of(count, 3).iter().map(|s| number(&s["seconds"])).collect();
        let mean = costs.iter().sum::<f64>() / costs.len() as f64;
        let most = costs.iter().copied().fold(0.0, f64::max);
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(most < 1.1 * mean && least > 0.9 * mean, "{costs:?}");
    }
    // Cheap cells and dear ones: the same cost is not the same number of cells.
    let cells: Vec<Option<u64>> = of("7", 3).iter().map(|s| s["cells"].as_u64()).collect();
    assert!(cells.iter().any(|n| *n != cells[0]), "{cells:?}");

    place
        .call(&["run", "demo", "--quiet", "--no-report", "--shard", "2/3"])
        .ends_with(0);
    let shards = of("3", 3);
    for (at, shard) in shards.iter().enumerate() {
        let done = at == 1;
        assert_eq!(shard["shard"], format!("{}/3", at + 1));
        assert_eq!(shard["missing"] == 0, done, "{shard}");
        assert_eq!(number(&shard["seconds_left"]) > 0.0, !done, "{shard}");
        assert_eq!(shard["failed"], 0);
    }
    // Those of the last run in shards are the ones that are told unasked.
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(status["shards"].as_array().unwrap(), &shards);
    let machine = &status["machines"][0];
    assert_eq!(
        (machine["segments"].as_u64(), machine["running"].as_u64()),
        (Some(1), Some(0))
    );
    assert_eq!(machine["shards"][0], "2/3");
    assert_eq!(machine["records"], status["done"]);
    let host = machine["machine"].as_str().unwrap().to_owned();
    let text = place.call(&["status", "demo"]).ends_with(3).out;
    let text = text.replace(&host, "laptop");
    let name = status["segments"][0]["file"].as_str().unwrap().to_owned();
    let seconds = text.lines().map(|line| {
        let known = line.trim_start().starts_with(['1', '2', '3']) && line.contains("/3");
        match (known, line.rsplit_once(' ')) {
            (true, Some((rest, seconds))) if seconds != "0.0" => format!("{rest} S"),
            _ if line.starts_with("estimated") => "estimated work left: S".to_owned(),
            _ => line.replace(&name, "SEGMENT"),
        }
    });
    insta::assert_snapshot!("status", seconds.collect::<Vec<_>>().join("\n"));
}

/// What a run has kept of its plan is enough, until the sweep or its data change.
#[test]
fn status_reads_no_data() {
    let place = Place::new();
    let sweep = "format = 1\n[protocol]\nfolds = 2\n[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n\
                 [[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n";
    place.write("demo/sweep.toml", sweep);
    place.write("demo/d.csv", &numeric_csv(&[40, 30], 1));
    place
        .call(&["run", "demo", "--quiet", "--no-report", "--only", "fold=0"])
        .ends_with(0);
    let before = place.call(&["status", "demo"]).ends_with(3).out;
    // The same size and time, and nothing that can be read: it is not looked at.
    place
        .shell("cp -p demo/d.csv kept; tr '0-9' x <kept >demo/d.csv; touch -r kept demo/d.csv")
        .ends_with(0);
    assert_eq!(place.call(&["status", "demo"]).ends_with(3).out, before);
    // Another time: it is.
    place.shell("touch demo/d.csv").ends_with(0);
    place.call(&["status", "demo"]).ends_with(2);
    place.shell("cp kept demo/d.csv").ends_with(0);
    assert_eq!(place.call(&["status", "demo"]).ends_with(3).out, before);
    // Another sweep is planned anew, whatever was kept.
    place.write("demo/sweep.toml", &sweep.replace("folds = 2", "folds = 3"));
    let status = place
        .call(&["status", "demo", "--format", "json"])
        .ends_with(3)
        .json();
    assert_eq!(
        (status["cells"].as_u64(), status["done"].as_u64()),
        (Some(3), Some(0))
    );
    // What was kept is damaged: likewise.
    place.write("demo/sweep.toml", sweep);
    place.write("demo/segments/outline.json", "{\"build\":");
    assert_eq!(place.call(&["status", "demo"]).ends_with(3).out, before);
}

#[test]
fn a_run_is_watched_from_outside() {
    let place = Place::with_sweep(
        &SWEEP
            .replace("repeats = 3", "repeats = 12")
            .replace("rounds = 10", "rounds = 80"),
    );
    let mut run = place.start(&["run", "demo", "--jobs", "1", "--no-report"]);
    let started = std::time::Instant::now();
    while place.segments("demo").is_empty() {
        assert!(started.elapsed().as_secs() < 30, "no segment");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let watched = place
        .call(&["status", "demo", "--watch=1"])
        .ends_with(0)
        .out;
    assert!(run.wait().unwrap().success());
    let lines: Vec<&str> = watched
        .lines()
        .filter(|line| line.ends_with(" running"))
        .collect();
    for line in &lines {
        assert!(
            line.contains("/480 cells, 0 failed, ") && line.contains(" left"),
            "{line}"
        );
    }
    // The last line may have come after the run's end.
    if cfg!(target_os = "linux") {
        assert!(
            lines.iter().any(|line| line.ends_with("MB; 1 running")),
            "{watched}"
        );
    }
    assert!(
        watched.contains("in-shards: 480 of 480 cells done, 0 failed, 0 missing"),
        "{watched}"
    );
}
