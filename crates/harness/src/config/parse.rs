//! Reads format 1 of the sweep file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use counterweight_core::{Catalogue, Seed, SmallClass, find, nearest};
use counterweight_data::preprocess::Preprocess;
use counterweight_data::profile::Profile;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::method::{Built, Place, build_grid, grid_suffix, look_up, stage_parts};
use super::presets;
use super::section::Section;
use super::sweep::{
    Correction, DatasetSpec, MetricPrior, Model, PopulationSpec, Protocol, RatioSpec, SizeSpec,
    Source, SplitSpec, Sweep,
};
use super::tree::{self, Fields, Node, Value};

/// The only format there is so far.
const FORMAT: usize = 1;

/// Parses and checks a sweep.
///
/// # Errors
/// Every error of the file, in the order of their lines.
pub fn parse(file: &Path, text: &str, catalogue: &Catalogue) -> Result<Sweep, Vec<Diagnostic>> {
    let mut errors = Diagnostics::new(&file.display().to_string());
    let root = tree::parse(text, &mut errors);
    if !errors.is_empty() {
        // After a syntax error the rest of the tree is guesswork; more messages would mislead.
        return Err(errors.into_sorted());
    }
    let sweep = read_root(&root, file, text, catalogue, &mut errors);
    if errors.is_empty() {
        Ok(sweep)
    } else {
        Err(errors.into_sorted())
    }
}

fn read_root(
    root: &Fields,
    file: &Path,
    text: &str,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Sweep {
    let mut section = Section::new(root, "", 1, errors);
    match section.whole("format", 1) {
        Some(FORMAT) => {}
        Some(other) => section.error(
            "format",
            format!("format {other} is not known to this version"),
            Some(format!("this version reads format {FORMAT}")),
        ),
        None if root.contains_key("format") => {}
        None => section.error("format", "missing", Some("add `format = 1`".into())),
    }
    let stem = file
        .file_stem()
        .map_or_else(|| "sweep".into(), |s| s.to_string_lossy().into_owned());
    let fallback = match file.parent().and_then(Path::file_name) {
        Some(folder) if stem == "sweep" => folder.to_string_lossy().into_owned(),
        _ => stem,
    };
    let name = section.text("name").unwrap_or(fallback);
    check_id(&name, "name", &mut section);
    let seed = Seed(section.whole("seed", 0).unwrap_or(0) as u64);
    let protocol_node = section.node("protocol");
    let populations = section.node("population");
    let datasets = section.node("dataset");
    let models = section.node("model");
    let corrections = section.node("correction");
    section.finish();

    let (protocol, protocol_max_rows) = read_protocol(protocol_node, errors);
    let mut sweep = Sweep {
        file: file.to_path_buf(),
        text: text.to_owned(),
        name,
        seed,
        protocol,
        populations: Vec::new(),
        datasets: Vec::new(),
        models: Vec::new(),
        corrections: Vec::new(),
    };
    for (path, line, fields) in entries(populations, "population", errors) {
        sweep
            .populations
            .extend(read_population(fields, &path, line, catalogue, errors));
    }
    for (path, line, fields) in entries(datasets, "dataset", errors) {
        sweep
            .datasets
            .extend(read_dataset(fields, &path, line, protocol_max_rows, errors));
    }
    let mut lines = Lines::default();
    for p in &sweep.populations {
        lines.claim(&p.id, "dataset", p.line, errors);
    }
    for d in &sweep.datasets {
        lines.claim(&d.id, "dataset", d.line, errors);
    }
    let mut lines = Lines::default();
    for (path, line, fields) in entries(models, "model", errors) {
        for model in read_model(fields, &path, line, catalogue, errors) {
            lines.claim(&model.id, "model", line, errors);
            sweep.models.push(model);
        }
    }
    let mut lines = Lines::default();
    for (path, line, fields) in entries(corrections, "correction", errors) {
        for correction in read_correction(fields, &path, line, catalogue, errors) {
            // Presets overlap (most hold `none`): the same id for the same stages is one arm.
            let same = |other: &Correction| {
                other.id == correction.id && other.canonical() == correction.canonical()
            };
            if fields.contains_key("preset") && sweep.corrections.iter().any(same) {
                continue;
            }
            lines.claim(&correction.id, "correction", line, errors);
            sweep.corrections.push(correction);
        }
    }
    for (key, given) in [
        ("model", models.is_some()),
        ("correction", corrections.is_some()),
    ] {
        if !given {
            let hint = Some(format!("add a [[{key}]] entry"));
            errors.add(None, "", format!("the sweep has no {key}"), hint);
        }
    }
    if populations.is_none() && datasets.is_none() {
        let hint = Some("add a [[population]] or a [[dataset]] entry".to_owned());
        errors.add(None, "", "the sweep has no data", hint);
    }
    sweep
}

/// Ids that are taken, with the line that took them.
#[derive(Default)]
struct Lines(BTreeMap<String, usize>);

impl Lines {
    fn claim(&mut self, id: &str, noun: &str, line: usize, errors: &mut Diagnostics) {
        if let Some(first) = self.0.get(id) {
            errors.add(
                Some(line),
                "id",
                format!("two {noun}s are called `{id}`: the first is in line {first}"),
                Some("give one of them an `id` of its own".into()),
            );
        } else {
            self.0.insert(id.to_owned(), line);
        }
    }
}

/// The entries of an array of tables, with their paths (`model 2`).
fn entries<'n>(
    node: Option<&'n Node>,
    noun: &str,
    errors: &mut Diagnostics,
) -> Vec<(String, usize, &'n Fields)> {
    let Some(node) = node else { return Vec::new() };
    let hint = || Some(format!("write [[{noun}]] with double brackets"));
    let Value::List(items) = &node.value else {
        errors.add(Some(node.line), noun, "expected a list of tables", hint());
        return Vec::new();
    };
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if let Value::Table(fields) = &item.value {
            // The span of an array's table starts at its header only in some parsers: the first
            // key's line serves as well and is never above the header.
            let line = fields
                .values()
                .map(|(line, _)| *line)
                .min()
                .unwrap_or(item.line);
            found.push((
                format!("{noun} {}", at + 1),
                line.min(item.line.max(1)),
                fields,
            ));
        } else {
            errors.add(Some(item.line), noun, "expected a table", hint());
        }
    }
    found
}

fn check_id(id: &str, key: &str, section: &mut Section<'_, '_>) {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.+[]=,".contains(c);
    if id.is_empty() || !id.chars().all(good) {
        section.error(
            key,
            format!("`{id}` is not an id"),
            Some("ids are made of letters, digits and -_.+[]=,".into()),
        );
    }
}

fn read_protocol(node: Option<&Node>, errors: &mut Diagnostics) -> (Protocol, Option<usize>) {
    let empty = Fields::new();
    let (fields, line) = match node {
        Some(Node {
            value: Value::Table(fields),
            line,
        }) => (fields, *line),
        Some(other) => {
            errors.add(Some(other.line), "protocol", "expected a table", None);
            (&empty, other.line)
        }
        None => (&empty, 1),
    };
    let mut s = Section::new(fields, "protocol", line, errors);
    let folds = s.whole("folds", 2);
    let test = s.real("test", "between 0 and 1", |v| v > 0.0 && v < 1.0);
    if fields.contains_key("folds") && fields.contains_key("test") {
        s.error(
            "test",
            "`folds` and `test` exclude each other",
            Some("keep one".into()),
        );
    }
    let split = test.map_or(SplitSpec::Folds(folds.unwrap_or(5)), SplitSpec::HoldOut);
    let repeats = s.whole("repeats", 1).unwrap_or(1);
    let inner_folds = s.whole("inner_folds", 2).unwrap_or(5);
    let small_class = match s
        .choice("small_class", &["clamp", "error", "skip"])
        .as_deref()
    {
        Some("error") => SmallClass::Error,
        Some("skip") => SmallClass::Skip,
        _ => SmallClass::Clamp,
    };
    if s.flag("keep_scores") == Some(true) {
        let hint = Some("leave it out or set it to false".into());
        s.error(
            "keep_scores",
            "this version does not write scores.parquet yet",
            hint,
        );
    }
    let timeout = s.text("timeout").and_then(|text| {
        let parsed = duration(&text);
        if parsed.is_none() {
            let hint = Some("write a number and a unit, such as \"90s\", \"10m\" or \"2h\"".into());
            s.error("timeout", format!("`{text}` is not a duration"), hint);
        }
        parsed
    });
    let metric_prior = match s
        .choice("metric_prior", &["train", "test", "uniform"])
        .as_deref()
    {
        Some("test") => MetricPrior::Test,
        Some("uniform") => MetricPrior::Uniform,
        _ => MetricPrior::Train,
    };
    let group_duplicates = s
        .choice("duplicates", &["keep", "group"])
        .is_some_and(|word| word == "group");
    let max_rows = s.whole("max_rows", 2);
    s.finish();
    let protocol = Protocol {
        split,
        repeats,
        inner_folds,
        small_class,
        timeout,
        metric_prior,
        group_duplicates,
    };
    (protocol, max_rows)
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..at].trim().parse().ok()?;
    let unit = match &text[at..] {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    (number > 0.0)
        .then(|| Duration::try_from_secs_f64(number * unit).ok())
        .flatten()
}

fn read_profile(s: &mut Section<'_, '_>) -> Profile {
    match s.choice("profile", &["step", "exponential"]).as_deref() {
        Some("exponential") => Profile::Exponential,
        _ => Profile::Step,
    }
}

fn read_preprocess(s: &mut Section<'_, '_>) -> Preprocess {
    match s.choice("preprocess", &["standard", "none"]).as_deref() {
        Some("none") => Preprocess::None,
        _ => Preprocess::Standard,
    }
}

/// One value or a list; `"natural"` only where the rows are real.
fn read_ratios(s: &mut Section<'_, '_>, natural: bool) -> Option<Vec<RatioSpec>> {
    let node = s.node("imbalance_ratio")?;
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

fn read_population(
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
        s.whole("n_train", 2).map(SizeSpec::Total),
        s.whole("n_max", 1).map(SizeSpec::Largest),
        s.whole("minority_count", 1).map(SizeSpec::Smallest),
    ];
    let given: Vec<SizeSpec> = sizes.into_iter().flatten().collect();
    if given.len() > 1 {
        let hint = Some("keep one of `n_train`, `n_max` and `minority_count`".into());
        s.error("n_train", "the size is fixed twice", hint);
    }
    let n_test = s.whole("n_test", 2).unwrap_or(4000);
    let ratios = read_ratios(&mut s, false).unwrap_or_else(|| vec![RatioSpec::Induced(1.0)]);
    let profile = read_profile(&mut s);
    let preprocess = read_preprocess(&mut s);
    let rest: Vec<_> = s.rest().collect();
    let Some(kind) = kind else { return Vec::new() };
    let kind_line = fields.get("kind").map_or(line, |(line, _)| *line);
    let place = Place {
        path,
        line: kind_line,
        noun: "population",
    };
    let Some(entry) = look_up(catalogue.populations, &kind, &place, errors) else {
        return Vec::new();
    };
    let grid = build_grid(entry, rest.into_iter(), &place, errors);
    grid.into_iter()
        .map(|population| PopulationSpec {
            id: format!(
                "{}{}",
                id.as_ref().unwrap_or(&kind),
                population.grid_suffix()
            ),
            line,
            population,
            size: given.first().copied().unwrap_or(SizeSpec::Total(2000)),
            n_test,
            ratios: ratios
                .iter()
                .map(|ratio| match ratio {
                    RatioSpec::Induced(ratio) => *ratio,
                    RatioSpec::Natural => 1.0,
                })
                .collect(),
            profile,
            preprocess,
        })
        .collect()
}

fn read_dataset(
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
    let missing = s.texts("missing").unwrap_or_default();
    let ignore = s.texts("ignore").unwrap_or_default();
    let ratios = read_ratios(&mut s, true).unwrap_or_else(|| vec![RatioSpec::Natural]);
    let profile = read_profile(&mut s);
    let preprocess = read_preprocess(&mut s);
    let max_rows = s.whole("max_rows", 2).or(protocol_max_rows);
    let stem = |path: &Path| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
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
    let id = id.or(fallback).unwrap_or_default();
    if source.is_some() {
        check_id(&id, "id", &mut s);
    }
    s.finish();
    Some(DatasetSpec {
        id,
        line,
        source: source?,
        missing,
        ignore,
        ratios,
        profile,
        preprocess,
        max_rows,
    })
}

fn read_model(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<Model> {
    let mut s = Section::new(fields, path, line, errors);
    let kind = s.text("kind");
    if kind.is_none() && !fields.contains_key("kind") {
        s.error("kind", "missing", Some("`list models` shows them".into()));
    }
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let rest: Vec<_> = s.rest().collect();
    let Some(kind) = kind else { return Vec::new() };
    let kind_line = fields.get("kind").map_or(line, |(line, _)| *line);
    let place = Place {
        path,
        line: kind_line,
        noun: "model",
    };
    let Some(entry) = look_up(catalogue.learners, &kind, &place, errors) else {
        return Vec::new();
    };
    build_grid(entry, rest.into_iter(), &place, errors)
        .into_iter()
        .map(|learner| Model {
            id: format!("{}{}", id.as_ref().unwrap_or(&kind), learner.grid_suffix()),
            learner,
        })
        .collect()
}

fn read_correction(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<Correction> {
    if fields.contains_key("preset") {
        return read_preset(fields, path, line, catalogue, errors);
    }
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("id");
    if let Some(id) = &id {
        check_id(id, "id", &mut s);
    }
    let (resample, loss, decide) = (s.node("resample"), s.node("loss"), s.node("decide"));
    s.finish();
    if id.is_none() && resample.is_none() && loss.is_none() && decide.is_none() {
        let hint = Some("give it a stage, or `id = \"none\"` for no correction".to_owned());
        errors.add(Some(line), path, "an empty correction", hint);
        return Vec::new();
    }
    let before = errors.clone();
    let resamplers = stage(resample, "resample", path, catalogue.resamplers, errors);
    let losses = stage(loss, "loss", path, catalogue.losses, errors);
    let decisions = stage(decide, "decide", path, catalogue.decisions, errors);
    if *errors != before {
        return Vec::new();
    }
    let identity_loss = default_stage(catalogue.losses, "cross-entropy", path, errors);
    let identity_decide = default_stage(catalogue.decisions, "argmax", path, errors);
    let (Some(identity_loss), Some(identity_decide)) = (identity_loss, identity_decide) else {
        return Vec::new();
    };
    let kinds: Vec<&str> = [
        resamplers.first().map(|b| b.entry.card.id),
        losses.first().map(|b| b.entry.card.id),
        decisions.first().map(|b| b.entry.card.id),
    ]
    .into_iter()
    .flatten()
    .collect();
    let base = id.unwrap_or_else(|| kinds.join("+"));
    let resamplers: Vec<_> = if resample.is_none() {
        vec![None]
    } else {
        resamplers.into_iter().map(Some).collect()
    };
    let losses = if loss.is_none() {
        vec![identity_loss]
    } else {
        losses
    };
    let decisions = if decide.is_none() {
        vec![identity_decide]
    } else {
        decisions
    };
    let mut list = Vec::new();
    for resample in &resamplers {
        for loss in &losses {
            for decide in &decisions {
                let none = Vec::new();
                let grids = [
                    ("resample", resample.as_ref().map_or(&none, |b| &b.grid)),
                    ("loss", &loss.grid),
                    ("decide", &decide.grid),
                ];
                list.push(Correction {
                    id: format!("{base}{}", joint_suffix(&grids)),
                    resample: resample.clone(),
                    loss: loss.clone(),
                    decide: decide.clone(),
                });
            }
        }
    }
    list
}

/// The suffix of a grid over several stages; a key that two stages vary carries its stage's name.
fn joint_suffix(grids: &[(&str, &Vec<(String, String)>); 3]) -> String {
    let mut pairs = Vec::new();
    for (at, (stage, grid)) in grids.iter().enumerate() {
        for (key, value) in *grid {
            let elsewhere = grids
                .iter()
                .enumerate()
                .any(|(other, (_, g))| other != at && g.iter().any(|(k, _)| k == key));
            let key = if elsewhere {
                format!("{stage}.{key}")
            } else {
                key.clone()
            };
            pairs.push((key, value.clone()));
        }
    }
    grid_suffix(&pairs)
}

fn stage<C, T: ?Sized>(
    node: Option<&Node>,
    noun: &'static str,
    path: &str,
    entries: &'static [counterweight_core::Entry<C, T>],
    errors: &mut Diagnostics,
) -> Vec<Built<C, T>> {
    let Some(node) = node else { return Vec::new() };
    let path = format!("{path} > {noun}");
    let Some((kind, line, fields)) = stage_parts(node, &path, errors) else {
        return Vec::new();
    };
    let place = Place {
        path: &path,
        line,
        noun,
    };
    let Some(entry) = look_up(entries, &kind, &place, errors) else {
        return Vec::new();
    };
    let empty = Fields::new();
    let given = fields
        .unwrap_or(&empty)
        .iter()
        .filter(|(key, _)| key.as_str() != "kind")
        .map(|(key, (line, node))| (key.as_str(), *line, node));
    build_grid(entry, given, &place, errors)
}

/// The identity of a stage, which the catalogue has to hold.
fn default_stage<C, T: ?Sized>(
    entries: &'static [counterweight_core::Entry<C, T>],
    id: &str,
    path: &str,
    errors: &mut Diagnostics,
) -> Option<Built<C, T>> {
    let built = find(entries, id).map(Built::with_defaults);
    match built {
        Some(Ok(built)) => Some(built),
        _ => {
            errors.add(None, path, format!("the catalogue has no `{id}`"), None);
            None
        }
    }
}

fn read_preset(
    fields: &Fields,
    path: &str,
    line: usize,
    catalogue: &Catalogue,
    errors: &mut Diagnostics,
) -> Vec<Correction> {
    let mut s = Section::new(fields, path, line, errors);
    let id = s.text("preset");
    s.finish();
    let Some(id) = id else { return Vec::new() };
    let Some(preset) = presets::ALL.iter().find(|preset| preset.id == id) else {
        let names = presets::ALL.iter().map(|preset| preset.id);
        let hint = nearest(&id, names.clone()).map_or_else(
            || format!("known: {}", names.collect::<Vec<_>>().join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("there is no preset called `{id}`");
        errors.add(Some(line), format!("{path} > preset"), message, Some(hint));
        return Vec::new();
    };
    let mut inner = Diagnostics::new(&format!("preset {id}"));
    let root = tree::parse(preset.toml, &mut inner);
    let node = root.get("correction").map(|(_, node)| node);
    let mut list = Vec::new();
    for (path, line, fields) in entries(node, "correction", &mut inner) {
        list.extend(read_correction(fields, &path, line, catalogue, &mut inner));
    }
    for error in inner.into_sorted() {
        errors.add(
            Some(line),
            format!("{path} > preset"),
            error.to_string(),
            None,
        );
    }
    list
}
