use super::*;
use crate::testing::{Lab, head};

fn text() -> String {
    let lab = Lab::new(3);
    Baseline::new(head(), &lab.planned, &lab.records)
        .unwrap()
        .to_text()
}

#[test]
fn what_is_written_is_read() {
    let lab = Lab::new(3);
    let baseline = Baseline::new(head(), &lab.planned, &lab.records).unwrap();
    let text = baseline.to_text();
    assert_eq!(Baseline::read(&text).unwrap(), baseline);
    assert_eq!(
        Baseline::read(&text.replace('\n', "\r\n")).unwrap(),
        baseline
    );
    assert!(baseline.check(&head(), &lab.planned).unwrap());
    // A later version may add head lines and columns.
    let wider: String = text
        .lines()
        .map(|line| match line {
            _ if line.starts_with("# seed") => format!("# mood = good\n{line}\n"),
            _ if line.starts_with('#') => format!("{line}\n"),
            _ => format!("more,{line}\n"),
        })
        .collect();
    assert_eq!(Baseline::read(&wider).unwrap(), baseline);
}

#[test]
fn ids_with_commas_survive() {
    let mut lab = Lab::new(2);
    for planned in &mut lab.planned {
        planned.place.model = "m[l1=0,l2=1]".into();
    }
    let baseline = Baseline::new(head(), &lab.planned, &lab.records).unwrap();
    assert_eq!(Baseline::read(&baseline.to_text()).unwrap(), baseline);
    for bad in ["a\"b,c", "\"a\"b,c", "\"open"] {
        assert_eq!(split(bad), None, "{bad}");
    }
    assert_eq!(split("\"a\"\"b\",,c").unwrap(), ["a\"b", "", "c"]);
}

/// Every damage is told by its own words, with the line where there is one.
#[test]
fn damage_is_told() {
    let good = text();
    let lines: Vec<&str> = good.lines().collect();
    let first = lines
        .iter()
        .position(|line| !line.starts_with('#'))
        .unwrap()
        + 1;
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.join("\n") + "\n"
    };
    let with = |at: usize, new: &str| {
        let mut lines = lines.clone();
        lines[at] = new;
        lines.join("\n") + "\n"
    };
    let twice = {
        let mut lines = lines.clone();
        lines[first + 1] = lines[first];
        lines.join("\n") + "\n"
    };
    let value = |new: &str| {
        let (start, _) = lines[first].rsplit_once(',').unwrap();
        with(first, &format!("{start},{new}"))
    };
    let cases = [
        (String::new(), "the file is empty"),
        (good[..good.len() - 3].to_owned(), "truncated"),
        (without(0), "not a baseline"),
        (without(1), "the head has no `format`"),
        (
            good.replace("format = 1", "format = 2"),
            "format 2 is not known",
        ),
        (
            good.replace("format = 1", "format = one"),
            "not a whole number",
        ),
        (without(lines.len() - 1), "the head promises"),
        (lines[..first - 1].join("\n") + "\n", "it has a head only"),
        (twice, "again"),
        (value("NaN"), "`NaN` is not a balanced error"),
        (value("inf"), "`inf` is not a balanced error"),
        (value("-0.1"), "not a balanced error"),
        (value("1.5"), "not a balanced error"),
        (value(""), "outcome `ok` without a balanced error"),
        (value("0.1,0.2"), "10 fields"),
        (
            with(first - 1, "cell,dataset"),
            "there is no column `ratio`",
        ),
        (
            good.replacen(",ok,", ",fine,", 1),
            "`fine` is not an outcome",
        ),
        (
            good.replacen(",ok,", ",failed,", 1),
            "outcome `failed` with a balanced error",
        ),
        (
            good.replacen("# seed = 11", "# seed = 11\n# seed = 12", 1),
            "`seed` twice",
        ),
        (
            good.replacen("# seed = 11", "# seed 11", 1),
            "is not `# key = value`",
        ),
    ];
    for (text, words) in cases {
        let error = Baseline::read(&text).unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn the_cells_must_be_those_of_the_sweep() {
    let lab = Lab::new(3);
    let baseline = Baseline::new(head(), &lab.planned, &lab.records).unwrap();
    let told = |baseline: &Baseline, head: &Head, planned: &[Planned]| {
        baseline.check(head, planned).unwrap_err().to_string()
    };
    let fewer = &lab.planned[1..];
    assert!(told(&baseline, &head(), fewer).contains("does not have"));
    let mut short = baseline.clone();
    short.entries.pop();
    assert!(told(&short, &head(), &lab.planned).contains("1 of the sweep's"));
    let mut strange = baseline.clone();
    strange.entries[0].cell = CellId("00000000000000ff".into());
    assert!(told(&strange, &head(), &lab.planned).contains("unknown cell"));
    // Under another seed the ids differ and the places do not.
    let mut reseeded = head();
    reseeded.seed = 99;
    assert!(!strange.check(&reseeded, &lab.planned).unwrap());
    let mut other = head();
    other.sweep_hash = "b".repeat(64);
    assert!(told(&baseline, &other, &lab.planned).contains("protocol"));
    other.datasets.insert("d0".into(), "changed".into());
    other.datasets.insert("d9".into(), "x".into());
    other.datasets.remove("d1");
    let words = told(&baseline, &other, &lab.planned);
    assert!(
        words.contains("`d0` has other values, `d9` is new, `d1` is gone"),
        "{words}"
    );
}

#[test]
fn a_baseline_has_every_cell() {
    let mut lab = Lab::new(3);
    let gone = lab.records.remove(2);
    assert_eq!(
        Baseline::new(head(), &lab.planned, &lab.records),
        Err(vec![gone.cell])
    );
}
