//! The `[[population]]` and `[[dataset]]` entries.

use std::path::PathBuf;

use counterweight_config::{Diagnostics, Fields, Section, Value, one_or_list};
use counterweight_core::Catalogue;
use counterweight_core::nearest;
use counterweight_data::preprocess::Preprocess;
use counterweight_data::profile::Ladder;
use serde_json::json;

use super::contrast::{id_suffix, read_contrast};
use super::reading::{check_reading, read_reading, stem};
use super::rows::{read_group, read_weight};
use super::shape::{
    BY_PLACE, BY_ROWS, check_induced, need_ratio, read_profile, read_rare, read_size,
    read_test_prior, read_test_size,
};
use super::{check_id, counts, is_id};
use crate::config::limits::MOST_ROWS;
use crate::config::method::{Place, build_grid, look_up};
use crate::config::sweep::{DatasetSpec, PopulationSpec, RatioSpec, SizeSpec, Source, TestPrior};

fn read_preprocess(s: &mut Section<'_, '_>) -> Preprocess {
    match s.choice("preprocess", &["standard", "none"]).as_deref() {
        Some("none") => Preprocess::None,
        _ => Preprocess::Standard,
    }
}

/// One value or a list; `"natural"` only where the rows are real.
fn read_ratios(s: &mut Section<'_, '_>, natural: bool) -> Option<Vec<RatioSpec>> {
    let node = s.shaped("imbalance_ratio", || {
        let number = json!({ "type": "number", "minimum": 1 });
        let natural = natural.then(|| json!({ "const": "natural" }));
        let one: Vec<_> = std::iter::once(number).chain(natural).collect();
        one_or_list(&json!({ "anyOf": one }))
    })?;
    let one = std::slice::from_ref(node);
    let items = if let Value::List(items) = &node.value {
        items.as_slice()
    } else {
        one
    };
    let mut ratios = Vec::new();
    for item in items {
        let ratio = match &item.value {
            Value::Text(word) if word == "natural" && natural => Some(RatioSpec::Natural),
            Value::Real(v) if v.is_finite() && *v >= 1.0 => Some(RatioSpec::Induced(*v)),
            Value::Whole(v) if *v >= 1 => Some(RatioSpec::Induced(*v as f64)),
            _ => None,
        };
        match ratio {
            Some(ratio) if ratios.contains(&ratio) => {
                s.error("imbalance_ratio", "the same ratio twice", None);
            }
            Some(ratio) => ratios.push(ratio),
            None => {
                let words = if natural {
                    "\"natural\" or a number"
                } else {
                    "a number"
                };
                let message = format!("a ratio is {words} of at least 1");
                s.error("imbalance_ratio", message, None);
            }
        }
    }
    if items.is_empty() {
        s.error(
            "imbalance_ratio",
            "an empty list",
            Some("leave it out for the default".into()),
        );
    }
    Some(ratios)
}

/// What is held along the ratios: one word or a list.
fn read_ladders(s: &mut Section<'_, '_>) -> Vec<Ladder> {
    let mut ladders = Vec::new();
    for word in s.texts("ladder").unwrap_or_default() {
        let words = Ladder::ALL.map(Ladder::id);
        match Ladder::from_id(&word) {
            Some(ladder) if ladders.contains(&ladder) => {
                s.error("ladder", format!("`{word}` twice"), None);
            }
            Some(ladder) => ladders.push(ladder),
            None => {
                let hint = nearest(&word, words).map(|word| format!("did you mean `{word}`?"));
                s.error(
                    "ladder",
                    format!("`{word}` is not one of {}", words.join(", ")),
                    hint,
                );
            }
        }
    }
    ladders
}

/// A ladder has rungs that rise, and two classes need no profile.
fn check_ladder(ratios: &[RatioSpec], fields: &Fields, s: &mut Section<'_, '_>) {
    let rises = |pair: &[RatioSpec]| match pair {
        [RatioSpec::Induced(a), RatioSpec::Induced(b)] => a < b,
        _ => false,
    };
    if ratios.len() < 2 || !ratios.windows(2).all(rises) {
        let hint = "give `imbalance_ratio` several numbers, the smallest first, or leave it out for 1 to 100";
        s.error(
            "imbalance_ratio",
            "a ladder needs ratios that rise",
            Some(hint.into()),
        );
    }
    if fields.contains_key("profile") {
        let hint = "take it out: a ladder has two classes";
        s.error("profile", "a ladder has no profile", Some(hint.into()));
    }
}

/// A number of rows, of at least `least`.
fn rows(s: &mut Section<'_, '_>, key: &'static str, least: usize) -> Option<usize> {
    let rows = s.whole(key, least)?;
    if rows > MOST_ROWS {
        s.error(
            key,
            format!("must be at most {MOST_ROWS}, found {rows}"),
            None,
        );
        return None;
    }
    Some(rows)
}

pub(super) fn read_population(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<PopulationSpec> {
    let mut s = Section::new(fields, path, line, errors);
    let kind = s.text("kind");
    if kind.is_none() && !fields.contains_key("kind") {
        s.error(
            "kind",
            "missing",
            Some("`list populations` shows them".into()),
        );
    }
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let sizes = [
        rows(&mut s, "n_train", 2).map(SizeSpec::Total),
        rows(&mut s, "n_max", 1).map(SizeSpec::Largest),
        rows(&mut s, "minority_count", 1).map(SizeSpec::Smallest),
        counts::read(&mut s).map(SizeSpec::Each),
    ];
    let given: Vec<SizeSpec> = sizes.into_iter().flatten().collect();
    if given.len() > 1 {
        let hint = "keep one of `n_train`, `n_max`, `minority_count` and `class_counts`";
        let first = given[0].entry().0;
        s.error(first, "the size is fixed twice", Some(hint.into()));
    }
    let n_test = rows(&mut s, "n_test", 2).unwrap_or(4000);
    let asked = read_ratios(&mut s, false);
    let profile = read_profile(&mut s);
    let rare = read_rare(&mut s, &BY_PLACE);
    if asked.is_none() && !fields.contains_key("class_counts") {
        need_ratio(&["profile", "rare"], fields, &mut s);
    }
    let mut ratios = asked.unwrap_or_else(|| vec![RatioSpec::Induced(1.0)]);
    let test_prior = read_test_prior(&mut s);
    if let Some(ratio) = counts::ratio(&given, fields, &mut s) {
        ratios = vec![RatioSpec::Induced(ratio)];
    }
    let preprocess = read_preprocess(&mut s);
    let Some(kind) = kind else { return Vec::new() };
    let kind_line = fields.get("kind").map_or(line, |(line, _)| *line);
    let place = Place {
        path,
        line: kind_line,
        noun: "population",
    };
    let Some(entry) = look_up(catalogue.populations, &kind, &place, s.errors) else {
        return Vec::new();
    };
    let params = s.parameters(entry.card.params);
    let grid = build_grid(entry, params.into_iter(), &place, errors);
    counts::check(&given, &grid, fields, &place, errors);
    let entry = id.unwrap_or(kind);
    grid.into_iter()
        .map(|population| PopulationSpec {
            id: format!("{entry}{}", population.grid_suffix()),
            entry: entry.clone(),
            line,
            population,
            size: given.first().cloned().unwrap_or(SizeSpec::Total(2000)),
            n_test,
            ratios: ratios
                .iter()
                .map(|ratio| match ratio {
                    RatioSpec::Induced(ratio) => *ratio,
                    RatioSpec::Natural => 1.0,
                })
                .collect(),
            profile,
            rare,
            test_prior: test_prior.clone(),
            preprocess,
        })
        .collect()
}

pub(super) fn read_dataset(
    fields: &Fields,
    path: &str,
    line: usize,
    protocol_max_rows: Option<usize>,
    errors: &mut Diagnostics,
) -> Option<DatasetSpec> {
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("id");
    let name = s.text("name");
    let file = s.text("path").map(PathBuf::from);
    let train = s.text("train").map(PathBuf::from);
    let test = s.text("test").map(PathBuf::from);
    let target = s.text("target");
    let mut reading = read_reading(target.as_deref(), &mut s);
    let group = read_group(
        target.as_deref(),
        [&reading.ignore, &reading.numeric],
        &mut s,
    );
    reading.group.clone_from(&group);
    reading.weight = read_weight(&reading, &mut s);
    let splits = s.text("splits").map(PathBuf::from);
    let ladders = read_ladders(&mut s);
    let unsaid = if ladders.is_empty() {
        vec![RatioSpec::Natural]
    } else {
        [1.0, 3.0, 10.0, 30.0, 100.0].map(RatioSpec::Induced).into()
    };
    let ratios = read_ratios(&mut s, ladders.is_empty()).unwrap_or(unsaid);
    let profile = read_profile(&mut s);
    let rare = read_rare(&mut s, &BY_ROWS);
    let size = read_size(&mut s);
    let test_per_class = read_test_size(&mut s);
    let test_prior = read_test_prior(&mut s);
    if !ladders.is_empty() {
        check_ladder(&ratios, fields, &mut s);
        if test_prior == Some(TestPrior::Train) {
            let hint =
                "give \"balanced\" or shares: the test rows of a ladder are the same on each rung";
            s.error(
                "test_prior",
                "the training shares differ from rung to rung",
                Some(hint.into()),
            );
        }
    }
    check_induced(&ratios, !ladders.is_empty(), fields, &mut s);
    if test_prior.is_some() && reading.weight.is_some() {
        let hint = "take it out, and give the protocol's `metric_prior`";
        s.error(
            "test_prior",
            "the shares of rows that have weights are not drawn",
            Some(hint.into()),
        );
    }
    let contrast = read_contrast(&mut s);
    let preprocess = read_preprocess(&mut s);
    let max_rows = s.whole("max_rows", 2).or(protocol_max_rows);
    let needs_target = |s: &mut Section<'_, '_>| {
        if target.is_none() && !fields.contains_key("target") {
            let hint = Some("add `target = \"...\"`: the name of the label column".to_owned());
            s.error("target", "missing", hint);
        }
        target.clone()
    };
    let (source, fallback) = match (name.as_ref(), file, train, test) {
        // `path` beside `name`: the name is the id of the user's own file.
        (_, Some(file), None, None) => {
            let fallback = name.clone().or_else(|| stem(&file));
            (
                needs_target(&mut s).map(|target| Source::File { path: file, target }),
                fallback,
            )
        }
        (_, None, Some(train), Some(test)) => {
            let fallback = name.clone().or_else(|| stem(&train));
            (
                needs_target(&mut s).map(|target| Source::Pair {
                    train,
                    test,
                    target,
                }),
                fallback,
            )
        }
        (Some(name), None, None, None) => (
            Some(Source::Library { name: name.clone() }),
            Some(name.clone()),
        ),
        (None, None, None, None) => {
            let hint = "give a `name` from `list datasets`, a `path`, or `train` and `test`";
            s.error("name", "the dataset has no source", Some(hint.into()));
            (None, None)
        }
        (_, _, train, test) if train.is_some() != test.is_some() => {
            let (lone, other) = if train.is_some() {
                ("train", "test")
            } else {
                ("test", "train")
            };
            let hint = Some("or give one file as `path`".to_owned());
            s.error(lone, format!("`{lone}` needs `{other}` beside it"), hint);
            (None, None)
        }
        _ => {
            let hint = Some("keep `path`, or `train` and `test`".to_owned());
            s.error("path", "the dataset has two sources", hint);
            (None, None)
        }
    };
    if let Some(source) = &source {
        check_reading(source, fields, &mut s);
    }
    if test_per_class.is_some() {
        let pair = matches!(source, Some(Source::Pair { .. }));
        let given = fields.contains_key("folds") || fields.contains_key("splits");
        for (taken, what) in [
            (pair, "`train` and `test` are a split"),
            (given, "the rows are divided already"),
            (group.is_some(), "groups are held out as a whole"),
        ] {
            if taken {
                let hint = "take `test_per_class` out, and give `test_prior = \"balanced\"` for equal shares";
                s.error("test_per_class", what, Some(hint.into()));
            }
        }
    }
    let named = id.is_some() || name.is_some();
    let suffix = id_suffix(contrast.as_ref());
    let id = id.or_else(|| Some(fallback? + &suffix)).unwrap_or_default();
    if source.is_some() {
        if named || is_id(&id) {
            check_id(&id, "id", &mut s);
        } else {
            let key = if fields.contains_key("path") {
                "path"
            } else {
                "train"
            };
            let hint = "give this dataset an `id` of letters, digits and -_.+[]=,";
            s.error(
                key,
                format!("the file's name `{id}` cannot be its id"),
                Some(hint.into()),
            );
        }
    }
    s.finish();
    let lines = fields.iter().map(|(key, (line, _))| (key.clone(), *line));
    Some(DatasetSpec {
        id,
        line,
        lines: lines.collect(),
        source: source?,
        reading,
        group,
        splits,
        ratios,
        profile,
        rare,
        size,
        test_per_class,
        test_prior,
        ladders,
        contrast,
        preprocess,
        max_rows,
    })
}
