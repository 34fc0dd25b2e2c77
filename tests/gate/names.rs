//! Names of any kind in every output.

use super::*;

/// Class names that hold line breaks, formulas, markup and the commands of a CI runner become ids of a grid:
/// the baseline that is written is read, and no table breaks.
#[test]
fn names_of_any_kind_break_no_output() {
    let lab = Lab::new();
    let odd = "new\nline ::error::pwn";
    let rows = (0..90).map(|at| {
        let class = [
            "a|b",
            "=1+1",
            "<script>x</script>",
            "\"new\nline ::error::pwn\"",
            "x_1$\\input{y}%&#",
        ];
        format!("{},{},{}\n", at % 13, (at * 7) % 17, class[at % 5])
    });
    let rows: String = rows.collect();
    lab.write("demo/d.csv", &format!("x,z,y\n{rows}"));
    let text = |name: &str| name.replace('\\', "\\\\").replace('\n', "\\n");
    let strategy: Vec<String> = [
        "a|b",
        "=1+1",
        "<script>x</script>",
        odd,
        "x_1$\\input{y}%&#",
    ]
    .iter()
    .map(|class| format!("{{ \"{}\" = 40 }}", text(class)))
    .collect();
    lab.write(
        "demo/sweep.toml",
        &format!(
            "format = 1\nname = \"odd\"\n[protocol]\nfolds = 2\n[[dataset]]\npath = \"d.csv\"\ntarget = \"y\"\n\
             [[model]]\nid = \"+SUM-1\"\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n\
             [[correction]]\nid = \"b\"\ndecide = {{ kind = \"logit-adjust\" }}\n\
             [[correction]]\nid = \"=s\"\nresample = {{ kind = \"random-over\", strategy = [{}] }}\n",
            strategy.join(", ")
        ),
    );
    lab.write(
        "demo/gate.toml",
        "format = 1\nrequire_power = false\n[[claim]]\nkind = \"better\"\ncorrection = \"b\"\nthan = \"none\"\nmargin = 0.9\n\
         reason = \"<script>x</script> | `x` ]]> \\n::error::pwn\"\n",
    );
    lab.update("a\n::error::b | <i>").ends_with(0);
    for format in ["text", "json", "github", "junit"] {
        let out = lab.gate(&["--format", format]).ends_with(1).out;
        assert!(!out.contains("\n::error::"), "{out}");
        if format == "junit" {
            assert!(!out.contains("<script>") && !out.contains("]]>"), "{out}");
        }
    }
    lab.call_with(&[], &["run", "demo", "--quiet"]).ends_with(0);
    let tables = lab.path("demo/tables").read_dir().unwrap();
    for file in tables.map(|file| file.unwrap().path()) {
        let name = file.display();
        let lines = || std::fs::read_to_string(&file).unwrap_or_default();
        match file.extension().and_then(std::ffi::OsStr::to_str) {
            Some("md") => {
                // As many cells in every line of a table as above it.
                let lines = lines();
                let table = lines.lines().filter(|line| line.starts_with('|'));
                let cells = |line: &str| line.replace("\\|", "").matches('|').count();
                let mut above: Option<&str> = None;
                for line in table {
                    // Between backticks a tag is text.
                    let outside: String = line.replace("\\<", "").split('`').step_by(2).collect();
                    assert!(
                        line.ends_with('|') && !outside.contains("<script>"),
                        "{name}: {line}"
                    );
                    if let Some(above) =
                        above.filter(|_| line.contains("none") || line.contains("=s["))
                    {
                        assert_eq!(cells(above), cells(line), "{name}: {line}");
                    }
                    above = Some(line);
                }
            }
            Some("tex") => {
                for line in lines().lines().filter(|line| line.contains(" & ")) {
                    // The head of a table has its rule behind it.
                    let row = line.split(" \\midrule").next().unwrap_or_default();
                    assert!(row.trim_end().ends_with("\\\\"), "{name}: {line}");
                    assert!(!line.contains("\\input"), "{name}: {line}");
                }
            }
            Some("csv") => {
                for line in lines().lines() {
                    assert!(
                        !line.starts_with('=') && !line.contains(",=") && !line.contains(",+SUM"),
                        "{name}: {line}"
                    );
                }
            }
            _ => {}
        }
    }
    let ranking = lab.read("demo/RANKING.md");
    assert!(
        !ranking.contains("<script>") && !ranking.contains("<i>"),
        "{ranking}"
    );
    let records = lab.read("demo/records.csv");
    assert!(
        records
            .lines()
            .skip(1)
            .all(|line| !line.contains(",=s") && !line.contains(",+SUM")),
        "{records}"
    );
}
