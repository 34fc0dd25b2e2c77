//! Every population: what `list` shows, what a sweep makes of it, and docs/POPULATIONS.md, written from the cards, the
//! densities and the documentation of each file.
//!
//! `COUNTERWEIGHT_WRITE_DOCS=1 cargo test --release -p counterweight-cli --test e2e populations` writes the documentation
//! and its pictures anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use counterweight::CATALOGUE;
use counterweight_core::params::{ParamKind, check};
use counterweight_core::{ColumnKind, ParamValue, Population, PopulationEntry, Seed};
use counterweight_data::populations::Plane;
use counterweight_plots::{Figure, PopulationMap, Theme, population_map};

use crate::common::Place;

type Lines = Vec<Vec<(f64, f64)>>;

fn built(entry: &PopulationEntry) -> Box<dyn Population> {
    let params = check(entry.card.params, &BTreeMap::new()).unwrap();
    (entry.build)(&params).unwrap()
}

/// Logarithms of class shares that fall evenly from 10 to 1.
fn log_shares(k: usize) -> Vec<f64> {
    let last = (k - 1) as f64;
    (0..k)
        .map(|class| -(class as f64) / last * 10.0_f64.ln())
        .collect()
}

/// How far each class is ahead of the best of the others at a place.
fn margins(population: &dyn Population, x: &[f64], log_shares: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = log_shares
        .iter()
        .enumerate()
        .map(|(class, share)| population.log_density(class, x) + share)
        .collect();
    let ahead = |class: usize| {
        let others = scores
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != class);
        scores[class]
            - others
                .map(|(_, score)| *score)
                .fold(f64::NEG_INFINITY, f64::max)
    };
    (0..scores.len()).map(ahead).collect()
}

/// Centres of so many equal pieces.
fn centres((low, high): (f64, f64), pieces: usize) -> Vec<f64> {
    let at = |i: usize| low + (high - low) * (i as f64 + 0.5) / pieces as f64;
    (0..pieces).map(at).collect()
}

/// Zeros of the margins of all classes but the first, as lines, by marching through the squares of a grid.
fn borders(population: &dyn Population, plane: &Plane, log_shares: &[f64]) -> Lines {
    const STEPS: usize = 72;
    let us = centres(plane.across, STEPS);
    let Some(up) = plane.up else {
        return borders_of_one(population, plane, log_shares);
    };
    let vs = centres(up, STEPS);
    let grid: Vec<Vec<Vec<f64>>> = vs
        .iter()
        .map(|&v| {
            us.iter()
                .map(|&u| margins(population, &plane.point(u, v), log_shares))
                .collect()
        })
        .collect();
    // Codes have no place between them: their border is midway.
    let codes = population
        .kinds()
        .iter()
        .any(|kind| *kind != ColumnKind::Numeric);
    let mut lines = Vec::new();
    for class in (0..log_shares.len()).skip(1) {
        let value = |i: usize, j: usize| grid[j][i][class];
        // Where the edge between two neighbours of the grid is met.
        let meet = |(i, j): (usize, usize), (a, b): (usize, usize)| {
            let (here, there) = (value(i, j), value(a, b));
            if (here < 0.0) == (there < 0.0) {
                return None;
            }
            let t = if codes { 0.5 } else { here / (here - there) };
            Some((us[i] + t * (us[a] - us[i]), vs[j] + t * (vs[b] - vs[j])))
        };
        let mut pieces = Vec::new();
        for (i, j) in (1..STEPS).flat_map(|j| (1..STEPS).map(move |i| (i, j))) {
            let corners = [(i - 1, j - 1), (i, j - 1), (i, j), (i - 1, j)];
            let met: Vec<_> = (0..4)
                .filter_map(|c| {
                    let (a, b) = (corners[c], corners[(c + 1) % 4]);
                    meet(a.min(b), a.max(b))
                })
                .collect();
            pieces.extend(met.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        lines.extend(joined(pieces));
    }
    lines
}

fn borders_of_one(population: &dyn Population, plane: &Plane, log_shares: &[f64]) -> Lines {
    let us = centres(plane.across, 4000);
    let best = |u: f64| {
        let margins = margins(population, &plane.point(u, 0.0), log_shares);
        margins.iter().position(|&margin| margin >= 0.0)
    };
    let changes = us.windows(2).filter(|pair| best(pair[0]) != best(pair[1]));
    changes
        .map(|pair| f64::midpoint(pair[0], pair[1]))
        .map(|u| vec![(u, 0.0), (u, 1.0)])
        .collect()
}

/// Pieces with ends in common as lines.
fn joined(mut pieces: Vec<((f64, f64), (f64, f64))>) -> Lines {
    let same = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() + (a.1 - b.1).abs() < 1e-9;
    let mut lines: Lines = Vec::new();
    while let Some((start, end)) = pieces.pop() {
        let mut line = vec![start, end];
        for _ in 0..2 {
            while let Some(at) = pieces.iter().position(|p| {
                let end = line[line.len() - 1];
                same(p.0, end) || same(p.1, end)
            }) {
                let piece = pieces.swap_remove(at);
                let end = line[line.len() - 1];
                line.push(if same(piece.0, end) { piece.1 } else { piece.0 });
            }
            line.reverse();
        }
        lines.push(line);
    }
    lines
}

fn map(entry: &PopulationEntry, population: &dyn Population) -> Figure {
    let plane = Plane::of(population);
    let k = population.n_classes();
    let mut data = PopulationMap {
        population: entry.card.id.to_owned(),
        across: (plane.across, "x1".to_owned()),
        up: ((0.0, 1.0), "x2".to_owned()),
        rows: Vec::new(),
        densities: Vec::new(),
        balanced: borders(population, &plane, &vec![0.0; k]),
        accuracy: borders(population, &plane, &log_shares(k)),
        shares: "10 to 1".to_owned(),
    };
    if population.n_features() > 2 {
        "along the class means".clone_into(&mut data.across.1);
        "across".clone_into(&mut data.up.1);
    }
    if k > 2 {
        "10 down to 1".clone_into(&mut data.shares);
    }
    if let Some(up) = plane.up {
        data.up.0 = up;
        let codes = population
            .kinds()
            .iter()
            .any(|kind| *kind != ColumnKind::Numeric);
        // Codes lie on each other: spread over their square.
        let spread = |i: usize, step: f64| {
            if codes {
                ((i as f64 * step).fract() - 0.5) * 0.8
            } else {
                0.0
            }
        };
        let key = Seed(1).stage("map");
        for class in 0..k {
            let rows = population.sample(class, 60, &mut key.clone().number(class).open());
            let place = |(i, row): (usize, &[f64])| {
                let [u, v] = plane.project(row);
                (
                    u + spread(i, 0.618_033_988_7),
                    v + spread(i, 0.754_877_666_2),
                )
            };
            data.rows
                .push(rows.iter_rows().enumerate().map(place).collect());
        }
    } else {
        let density = |class: usize, u: f64| population.log_density(class, &[u]).exp();
        let us = centres(plane.across, 120);
        let line = |class: usize| us.iter().map(|&u| (u, density(class, u))).collect();
        data.densities = (0..k).map(line).collect();
        let top = data
            .densities
            .iter()
            .flatten()
            .map(|p| p.1)
            .fold(0.0, f64::max)
            * 1.1;
        data.up = ((0.0, top), "density".to_owned());
        for point in data.balanced.iter_mut().chain(&mut data.accuracy).flatten() {
            point.1 *= top;
        }
    }
    let theme = Theme {
        png_scale: 0,
        ..Theme::column().with_prefix(entry.card.id)
    };
    population_map(&data, &theme).unwrap()
}

/// The least balanced error: exact, or by the sum over a grid where there is no integral over one variable.
fn bayes(population: &dyn Population) -> String {
    if let Some(error) = population.bayes_error() {
        return format!("{error:.10}");
    }
    let plane = Plane::of(population);
    let wide = |(low, high): (f64, f64)| (low - 0.4 * (high - low), high + 0.4 * (high - low));
    let (us, vs) = (
        centres(wide(plane.across), 400),
        centres(wide(plane.up.unwrap()), 400),
    );
    let cell = (us[1] - us[0]) * (vs[1] - vs[0]);
    let k = population.n_classes();
    let best = |x: &[f64]| {
        let logs = (0..k).map(|class| population.log_density(class, x));
        logs.fold(f64::NEG_INFINITY, f64::max).exp()
    };
    let places = vs.iter().flat_map(|&v| us.iter().map(move |&u| (u, v)));
    let sum: f64 = places.map(|(u, v)| best(&plane.point(u, v))).sum();
    format!("{:.4}, by a sum over a grid", 1.0 - sum * cell / k as f64)
}

/// What the documentation of the population's file says under a heading.
fn said(id: &str, heading: &str) -> String {
    let file = format!("crates/data/src/populations/{}.rs", id.replace('-', "_"));
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    let docs = text.lines().take_while(|line| line.starts_with("//!"));
    let docs = docs.map(|line| line.trim_start_matches("//!").trim_start());
    let mut own = docs
        .skip_while(|line| *line != format!("# {heading}"))
        .skip(1);
    let lines: Vec<&str> = own
        .by_ref()
        .take_while(|line| !line.starts_with("# "))
        .collect();
    assert!(lines.len() > 2, "{id} says nothing under {heading}");
    lines.join("\n").trim().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kind(kind: ParamKind) -> String {
    match kind {
        ParamKind::Real(range) => format!("number in {range}"),
        ParamKind::Whole(range) => format!("whole number in {range}"),
        ParamKind::Reals(range) => format!("list of numbers in {range}"),
        ParamKind::Rows(_) => "square table of numbers".to_owned(),
        ParamKind::Stage => "a kind, or `{ kind = ... }`".to_owned(),
        other => unreachable!("no population takes {other:?} so far"),
    }
}

fn section(entry: &PopulationEntry) -> String {
    let card = &entry.card;
    let population = built(entry);
    let mut text = format!(
        "\n## {id}\n\n{}.\n\n![{id}](populations/{id}.svg)\n\n{}\n\n{}\n\nBayes-optimal balanced error at the defaults: {}.\n\n\
         | parameter | default | may be | meaning |\n|---|---|---|---|\n",
        card.summary,
        said(card.id, "When it helps, when it hurts"),
        said(card.id, "Formula"),
        bayes(&*population),
        id = card.id,
    );
    for spec in card.params {
        let default = spec
            .default
            .map_or("none".to_owned(), |d| ParamValue::from(d).to_string());
        let (name, about) = (spec.name, spec.about);
        let _ = writeln!(
            text,
            "| `{name}` | {default} | {} | {about} |",
            kind(spec.kind)
        );
    }
    let _ = write!(text, "\nReference: {}.\n", card.reference);
    text
}

fn page() -> String {
    let mut text = String::from(
        "# Populations\n\n\
         Written from the cards, the densities and the documentation of each population's file by a test of the command \
         line (`tests/populations.rs`); do not edit by hand. `counterweight list populations` shows the same in the \
         terminal.\n\n\
         A population is a law with a known density of each class, so that the least balanced error that any rule can \
         have is known, on the very test rows too (`bayes_balanced_error` in the records). Test rows are balanced. The \
         size of the training set is `n_train`, `n_max` or `minority_count` with an `imbalance_ratio` and a `profile`, \
         or `class_counts = [900, 90, 10]`, class by class. Any list of a parameter of one number is a grid.\n\n\
         In the pictures the solid line is the border of the rule with the least balanced error, the dashed one that of \
         the rule with the most accuracy where class 0 is ten times as frequent as the last class and those between fall \
         evenly. More than two features are shown in the plane of the class means.\n\n",
    );
    for entry in CATALOGUE.populations {
        let id = entry.card.id;
        let _ = writeln!(text, "- [`{id}`](#{id}): {}", entry.card.summary);
    }
    text.extend(CATALOGUE.populations.iter().map(section));
    text.push_str(
        "\n## Features beside the informative ones\n\n\
         `noise_features` and `redundant_features` stand behind a population's own features. Noise is standard normal \
         (in `discrete` a level drawn evenly). A redundant feature is a sum of the informative ones with signs, over the \
         root of their number, plus normal noise of standard deviation 1/2: given the informative features it does not \
         depend on the class. Neither moves the Bayes error.\n",
    );
    text
}

#[test]
fn the_documentation_is_what_the_populations_say() {
    let write = std::env::var_os("COUNTERWEIGHT_WRITE_DOCS").is_some();
    let mut files = vec![("POPULATIONS.md".to_owned(), page())];
    for entry in CATALOGUE.populations {
        let name = format!("populations/{}.svg", entry.card.id);
        files.push((name, map(entry, &*built(entry)).svg));
    }
    let docs = root().join("docs");
    for (name, text) in &files {
        let path = docs.join(name);
        if write {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == *text,
            "docs/{name} is out of date: COUNTERWEIGHT_WRITE_DOCS=1 cargo test --release -p counterweight-cli --test e2e populations"
        );
    }
    let kept = std::fs::read_dir(docs.join("populations")).unwrap().count();
    assert_eq!(
        kept,
        CATALOGUE.populations.len(),
        "pictures of populations that are none"
    );
}

#[test]
fn the_list_shows_each_with_a_picture() {
    let place = Place::new();
    let said = place.call(&["list", "populations"]).ends_with(0).out;
    for entry in CATALOGUE.populations {
        let own = said.split(&format!("\n{} ", entry.card.id)).last().unwrap();
        let picture = own.lines().skip_while(|line| !line.starts_with("    |"));
        let picture: Vec<&str> = picture
            .take_while(|line| line.starts_with("    |"))
            .collect();
        assert_eq!(picture.len(), 12, "{}", entry.card.id);
        assert!(picture.iter().all(|line| line.len() <= 65), "{picture:#?}");
        assert!(
            picture.iter().any(|line| line.contains('0')),
            "{picture:#?}"
        );
    }
    let list = place
        .call(&["list", "populations", "--format", "json"])
        .ends_with(0)
        .json();
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .all(|item| item.get("picture").is_none())
    );
}

const REPEATS: usize = 6;

/// All populations, some more than once, and corrections of every family.
fn sweep() -> String {
    let mut text = format!(
        "format = 1\nname = \"all\"\nseed = 11\n[protocol]\nrepeats = {REPEATS}\ninner_folds = 3\n"
    );
    let mut population = |line: &str| {
        let size = if line.contains("class_counts") {
            ""
        } else {
            "n_train = 300\nimbalance_ratio = 8\n"
        };
        let _ = write!(text, "[[population]]\n{line}\n{size}n_test = 800\n");
    };
    for entry in CATALOGUE.populations {
        population(&format!("kind = \"{}\"", entry.card.id));
    }
    population(
        "kind = \"gaussian-pair\"\nid = \"wide\"\ndim = 6\ncorrelation = 0.3\nnoise_features = 4",
    );
    population(
        "kind = \"clusters\"\nid = \"clusters-3d\"\nclasses = 3\ndim = 3\nredundant_features = 2\nclass_counts = [200, 80, 40]",
    );
    population(
        "kind = \"discrete\"\nid = \"discrete-3\"\nclasses = 3\nfeatures = 3\nlevels = 4\nnoise_features = 1",
    );
    population(
        "kind = \"label-noise\"\nid = \"noisy-tables\"\nof = { kind = \"discrete\", strength = 2.0 }\nrate = 0.05",
    );
    text.push_str(
        "[[model]]\nkind = \"softmax-regression\"\n[[model]]\nkind = \"decision-tree\"\n\
         [[correction]]\nid = \"none\"\n\
         [[correction]]\nid = \"weighted\"\nloss = { kind = \"weighted\" }\n\
         [[correction]]\nid = \"adjust\"\ndecide = { kind = \"logit-adjust\" }\n\
         [[correction]]\nid = \"over\"\nresample = { kind = \"random-over\" }\n\
         [[correction]]\nid = \"smote\"\nresample = { kind = \"smote\" }\n\
         [[correction]]\nid = \"tuned\"\ndecide = { kind = \"tuned-threshold\" }\n",
    );
    text
}

#[test]
fn no_correction_beats_the_floor_and_the_page_shows_all() {
    let place = Place::with_sweep(&sweep());
    place.call(&["run", "demo", "--quiet"]).ends_with(0);
    let records = place.records("demo");
    let mut judged = 0;
    let mut sum = (0.0, 0.0);
    for dataset in records.distinct("dataset") {
        for (model, correction) in records.distinct("model").into_iter().flat_map(|model| {
            records
                .distinct("correction")
                .into_iter()
                .map(move |correction| (model, correction))
        }) {
            let rows = records.of(&[
                ("dataset", dataset),
                ("model", model),
                ("correction", correction),
            ]);
            let regrets: Vec<f64> = rows
                .iter()
                .filter(|row| row.text("outcome") == "ok")
                .map(|row| row.real("balanced_error") - row.real("bayes_balanced_error"))
                .collect();
            if regrets.len() < REPEATS {
                assert!(
                    ["smote"].contains(&correction),
                    "{dataset} {model} {correction}: {}",
                    rows[0].text("reason")
                );
                continue;
            }
            judged += 1;
            let n = regrets.len() as f64;
            let mean = regrets.iter().sum::<f64>() / n;
            let variance = regrets.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
            // Of no fewer than a hundred rows that are decided otherwise, whatever few repeats happen to show.
            let least = (100.0_f64 / 800.0_f64.powi(2)).sqrt();
            let error = (variance.sqrt().max(least)) / n.sqrt();
            assert!(
                mean > -4.0 * error,
                "{dataset} {model} {correction}: {mean} +- {error}"
            );
            sum = (sum.0 + mean, sum.1 + error * error);
        }
    }
    assert!(judged >= 16 * 2 * 5, "{judged}");
    // Together they are far above it.
    assert!(sum.0 > 10.0 * sum.1.sqrt(), "{sum:?}");
    let noisy = records.of(&[("dataset", "label-noise"), ("correction", "none")]);
    let clean = records.of(&[("dataset", "gaussian-pair"), ("correction", "none")]);
    let floor = |rows: &[&crate::common::Row]| {
        rows.iter()
            .map(|row| row.real("bayes_balanced_error"))
            .sum::<f64>()
            / rows.len() as f64
    };
    assert!(
        (floor(&noisy) - floor(&clean)).abs() < 0.02,
        "test labels carry no noise"
    );
    let page = place.read("demo/index.html");
    for id in records.distinct("dataset") {
        assert!(page.contains(id), "{id} is not on the page");
    }
    let tables = records.of(&[("dataset", "discrete"), ("correction", "smote")]);
    let nominal = |row: &&crate::common::Row| row.text("resample").starts_with("smote-n[");
    assert!(
        tables.iter().all(nominal),
        "codes take the road of nominal columns"
    );
}

#[test]
fn given_counts_are_drawn_as_they_are() {
    let place = Place::with_sweep(
        "format = 1\n[[population]]\nkind = \"gaussian-simplex\"\nclass_counts = [90, 7, 30]\nn_test = 60\n\
         [[model]]\nkind = \"gaussian-naive-bayes\"\n[[correction]]\nid = \"none\"\n",
    );
    let records = place.run_demo(0);
    let row = &records.rows[0];
    assert_eq!(row.text("train_counts"), "90;7;30");
    assert_eq!(
        (row.text("profile"), row.text("minority_count")),
        ("counts", "7")
    );
    for (bad, why) in [
        (
            "class_counts = [90, 7]",
            "2 counts for a population of 3 classes",
        ),
        ("class_counts = [90, 0, 7]", "whole numbers from 1"),
        (
            "class_counts = [90, 9, 7]\nprofile = \"step\"",
            "given beside `class_counts`",
        ),
        (
            "class_counts = [90, 9, 7]\nimbalance_ratio = 5",
            "given beside `class_counts`",
        ),
        (
            "class_counts = [90, 9, 7]\nn_train = 50",
            "the size is fixed twice",
        ),
    ] {
        let text = format!(
            "format = 1\n[[population]]\nkind = \"gaussian-simplex\"\n{bad}\n[[model]]\nkind = \"dummy\"\n[[correction]]\nid = \"none\"\n"
        );
        place.write("demo/sweep.toml", &text);
        let ran = place.call(&["run", "demo", "--dry-run"]).ends_with(2);
        assert!(ran.err.contains(why), "{bad}: {}", ran.err);
    }
}
