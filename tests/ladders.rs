//! Ladders of imbalance ratios on real rows: what each rung trains on, what stays the same, and what is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterweight::{CATALOGUE, Files};
use counterweight_core::Outcome;
use counterweight_harness::config;
use counterweight_harness::config::sweep::RatioSpec;
use counterweight_harness::plan::{InputKind, Plan, Rows, Unit};

use crate::common::{Place, numeric_csv};

/// Of 960 rows 60 are of the rarest class; half of them train.
const SWEEP: &str = r#"
format = 1
name = "ladders"
seed = 4
[protocol]
folds = 2
repeats = 2
inner_folds = 2
[[dataset]]
path = "table.csv"
target = "y"
ladder = ["minority", "n"]
rarest_vs_rest = true
[[model]]
kind = "dummy"
[[model]]
kind = "gaussian-naive-bayes"
[[correction]]
id = "none"
[[correction]]
resample = { kind = "smote" }
"#;

fn place(sweep: &str) -> Place {
    let place = Place::with_sweep(sweep);
    place.write("demo/table.csv", &numeric_csv(&[700, 60, 200], 3));
    place
}

fn plan(place: &Place) -> Plan {
    let file = place.path("demo/sweep.toml");
    let sweep = config::parse(&file, &place.read("demo/sweep.toml"), &CATALOGUE).unwrap();
    Plan::new(Arc::new(sweep), CATALOGUE, &Files::new(&place.path("demo"))).unwrap()
}

/// Training and test rows.
fn rows(unit: &Unit) -> [BTreeSet<usize>; 2] {
    let Rows::Cut(partition) = &unit.rows else {
        return [BTreeSet::new(), BTreeSet::new()];
    };
    [partition.train(), partition.test()].map(|rows| rows.iter().copied().collect())
}

#[test]
fn every_rung_has_the_counts_of_its_ladder() {
    let plan = plan(&place(SWEEP));
    // 30 rows of c1 and 450 others train. With the minority held, 450 / 30 = 15 of it stand on every rung and
    // 450 / 100 would be 4. With all rows held there are 60, the most that ratio 1 gives; at ratio 10 that
    // would be 5 of c1.
    let rungs = [
        ("ladder-minority", 1.0, [15, 15]),
        ("ladder-minority", 3.0, [45, 15]),
        ("ladder-minority", 10.0, [150, 15]),
        ("ladder-minority", 30.0, [450, 15]),
        ("ladder-minority", 100.0, [0, 0]),
        ("ladder-n", 1.0, [30, 30]),
        ("ladder-n", 3.0, [45, 15]),
        ("ladder-n", 10.0, [0, 0]),
        ("ladder-n", 30.0, [0, 0]),
        ("ladder-n", 100.0, [0, 0]),
    ];
    let InputKind::Real(data) = &plan.inputs[0].kind else {
        panic!("a file");
    };
    assert_eq!(data.labels().names().to_vec(), ["not c1", "c1"]);
    assert_eq!(plan.units.len(), 4 * rungs.len());
    for (units, (profile, ratio, counts)) in plan.units.chunks(4).zip(rungs) {
        for unit in units {
            assert_eq!(
                (unit.profile.as_str(), unit.ratio),
                (profile, RatioSpec::Induced(ratio))
            );
            assert_eq!(unit.train.as_slice(), counts, "{profile} at {ratio}");
        }
    }
    let reasons: Vec<&str> = plan
        .units
        .iter()
        .step_by(4)
        .filter_map(|unit| match &unit.rows {
            Rows::None(Outcome::NotApplicable, reason) => Some(reason.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons.len(), 4);
    assert!(
        reasons[0].ends_with("ladder `minority` ends at ratio 30"),
        "{reasons:?}"
    );
    assert!(
        reasons[3].ends_with("ladder `n` ends at ratio 3"),
        "{reasons:?}"
    );
}

#[test]
fn rungs_are_nested_and_share_their_test_rows() {
    let plan = plan(&place(SWEEP));
    let InputKind::Real(data) = &plan.inputs[0].kind else {
        panic!("a file");
    };
    let rare = |rows: &BTreeSet<usize>, own: bool| -> BTreeSet<usize> {
        let of = |row: &&usize| (data.labels().class(**row) == 1) == own;
        rows.iter().filter(of).copied().collect()
    };
    let mut firsts = BTreeSet::new();
    for split in 0..4 {
        let of = |profile: &str| -> Vec<[BTreeSet<usize>; 2]> {
            let units = plan.units.iter().skip(split).step_by(4);
            let own = units.filter(|u| u.profile == profile && matches!(u.rows, Rows::Cut(_)));
            own.map(rows).collect()
        };
        let (held, all) = (of("ladder-minority"), of("ladder-n"));
        for pair in held.windows(2).chain(all.windows(2)) {
            assert_eq!(pair[0][1], pair[1][1], "test rows");
            assert!(rare(&pair[0][0], false).is_subset(&rare(&pair[1][0], false)));
            assert!(rare(&pair[1][0], true).is_subset(&rare(&pair[0][0], true)));
        }
        assert_eq!(held[0][1], all[0][1]);
        assert_eq!(rare(&held[0][0], true), rare(&held[3][0], true));
        firsts.insert(held[0][0].clone());
    }
    assert_eq!(firsts.len(), 4, "a permutation a split");
}

#[test]
fn metrics_are_weighted_to_the_table_on_every_rung() {
    let place = place(SWEEP);
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    let records = place.records("demo");
    // The dummy always says `not c1`: wrong on 60 of 960 rows of the table, whatever the rung.
    for ratio in ["3.0", "10.0", "30.0"] {
        let own = [
            ("model", "dummy"),
            ("correction", "none"),
            ("profile", "ladder-minority"),
        ];
        let own = records.of(&[&own[..], &[("requested_ratio", ratio)]].concat());
        assert_eq!(own.len(), 4, "ratio {ratio}");
        for row in own {
            assert!(
                (row.real("error_rate") - 0.0625).abs() < 1e-12,
                "ratio {ratio}"
            );
            assert_eq!(row.text("minority_count"), "15");
        }
    }
    // Shards and threads give the same bytes.
    let whole = place.bytes("demo/records.csv");
    for shard in ["1/2", "2/2"] {
        let output = format!("part{}", &shard[..1]);
        let arguments = ["run", "demo", "--quiet", "--no-report", "--output", &output];
        let arguments = [&arguments[..], &["--shard", shard, "--jobs", "1"]].concat();
        place.call(&arguments).ends_with(0);
    }
    std::fs::remove_dir_all(place.path("demo/segments")).unwrap();
    std::fs::remove_file(place.path("demo/records.csv")).unwrap();
    place
        .call(&["merge", "demo", "part1", "part2"])
        .ends_with(0);
    assert!(place.bytes("demo/records.csv") == whole);
}

/// Two ladders share dataset, ratio, repeat and fold: `profile` tells their splits apart.
#[test]
fn scores_from_elsewhere_find_their_ladder() {
    let place = place(SWEEP);
    place
        .call(&["run", "demo", "--quiet", "--no-report"])
        .ends_with(0);
    let plan = plan(&place);
    let mut lines = vec!["dataset,profile,requested_ratio,repeat,fold,row,p_0,p_1".to_owned()];
    for unit in plan.units.iter().filter(|u| matches!(u.rows, Rows::Cut(_))) {
        let RatioSpec::Induced(ratio) = unit.ratio else {
            panic!("a rung");
        };
        let (profile, repeat, fold) = (&unit.profile, unit.repeat, unit.fold);
        let line = |row| format!("table,{profile},{ratio},{repeat},{fold},{row},0.6,0.4");
        lines.extend(plan.test_rows(unit).into_iter().map(line));
    }
    place.write("scores.csv", &(lines.join("\n") + "\n"));
    let import = [
        "import-scores",
        "demo",
        "scores.csv",
        "--model",
        "elsewhere",
    ];
    place.call(&import).ends_with(0);
    let without: Vec<String> = lines
        .iter()
        .map(|line| {
            let (dataset, rest) = line.split_once(',').unwrap();
            format!("{dataset},{}", rest.split_once(',').unwrap().1)
        })
        .collect();
    place.write("scores.csv", &(without.join("\n") + "\n"));
    let ran = place.call(&import).ends_with(2);
    assert!(
        ran.err.contains("may belong to 2 splits") && ran.err.contains("profile"),
        "{}",
        ran.err
    );
}

#[test]
fn the_other_rungs_are_part_of_a_cells_name() {
    // Without ratio 30 the minority has 30 rows, and ratio 3 is another training set.
    let short = SWEEP.replace(
        "rarest_vs_rest",
        "imbalance_ratio = [1, 3, 10]\nrarest_vs_rest",
    );
    let (long, short) = (plan(&place(SWEEP)), plan(&place(&short)));
    let at = |plan: &Plan, ratio: f64| {
        let unit = plan
            .units
            .iter()
            .position(|u| u.ratio == RatioSpec::Induced(ratio))
            .unwrap();
        let cell = plan.cells.iter().find(|cell| cell.unit == unit).unwrap();
        (
            plan.units[unit].train.clone(),
            plan.units[unit].key.clone(),
            cell.id.clone(),
        )
    };
    let (a, b) = (at(&long, 3.0), at(&short, 3.0));
    assert!(a.0 != b.0 && a.1 != b.1 && a.2 != b.2);
}

#[test]
fn what_is_no_ladder_is_refused_where_it_stands() {
    for (from, to, line, message) in [
        (
            "rarest_vs_rest = true\n",
            "",
            9,
            "`table` has 3 classes, and a ladder thins two",
        ),
        ("\"n\"]", "\"all\"]", 12, "`all` is not one of minority, n"),
        ("\"n\"]", "\"minority\"]", 12, "`minority` twice"),
        (
            "rarest_vs_rest = true",
            "imbalance_ratio = [3, 1]",
            13,
            "a ladder needs ratios that rise",
        ),
        (
            "rarest_vs_rest = true",
            "imbalance_ratio = 3",
            13,
            "a ladder needs ratios that rise",
        ),
        (
            "rarest_vs_rest = true",
            "imbalance_ratio = [\"natural\", 3]",
            13,
            "a ratio is a number of at least 1",
        ),
        (
            "rarest_vs_rest = true",
            "profile = \"step\"",
            13,
            "a ladder has no profile",
        ),
    ] {
        let place = place(&SWEEP.replace(from, to));
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        let place = format!("sweep.toml:{line}: ");
        assert!(
            ran.err.contains(&place) && ran.err.contains(message),
            "{to}: {}",
            ran.err
        );
    }
}

/// Views of one table are one cluster, whatever their ids.
#[test]
fn views_of_one_table_are_one_cluster() {
    let second = r#"[[dataset]]
id = "natural"
path = "table.csv"
target = "y"
[[model]]
kind = "dummy""#;
    let place = place(&SWEEP.replacen("[[model]]\nkind = \"dummy\"", second, 1));
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let table = place.read("demo/tables/datasets.csv");
    let clusters: BTreeSet<&str> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(2))
        .collect();
    assert_eq!(
        clusters.into_iter().collect::<Vec<_>>(),
        ["table"],
        "{table}"
    );
}
