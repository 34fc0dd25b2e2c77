//! Whether what a sweep asks for can be held and run, before any of it is made.

use std::collections::HashSet;

use counterweight_config::{Diagnostic, Diagnostics};
use counterweight_core::params::ParamKind;
use counterweight_core::{Catalogue, Origin, ParamSpec, ParamValue, nearest};

use super::stages::specs_of;
use super::{Input, InputKind, Plan, Unit};
use crate::config::Sweep;
use crate::config::limits::MOST_CELLS;
use crate::config::method::Built;
use crate::config::sweep::{Correction, MetricPrior, RareSpec, SplitSpec};

/// Splits of an input: ratios, repeats, folds.
fn splits(sweep: &Sweep, input: &Input) -> [usize; 3] {
    let repeats = sweep.protocol.repeats;
    let kinds = |rare| match rare {
        RareSpec::Each => input.n_classes,
        RareSpec::Smallest | RareSpec::Largest => 1,
    };
    match &input.kind {
        InputKind::Population(spec) => [spec.ratios.len() * kinds(spec.rare), repeats, 1],
        InputKind::Real(data) => {
            let spec = &sweep.datasets[input.spec];
            let folds = match sweep.protocol.split {
                SplitSpec::Folds(folds)
                    if input.pair_train.is_none() && spec.test_per_class.is_none() =>
                {
                    folds.min(data.n_rows())
                }
                _ => 1,
            };
            [
                spec.ratios.len() * spec.ladders.len().max(1) * kinds(spec.rare),
                repeats,
                folds,
            ]
        }
    }
}

fn product(factors: [usize; 3]) -> u128 {
    factors.iter().map(|&n| n as u128).product()
}

/// Refuses a plan of too many cells or claims, and one whose splits do not fit into `memory` bytes.
pub(super) fn check(
    sweep: &Sweep,
    inputs: &[Input],
    memory: Option<u64>,
    errors: &mut Diagnostics,
) {
    let units: u128 = inputs.iter().map(|i| product(splits(sweep, i))).sum();
    let (models, corrections) = (sweep.models.len(), sweep.corrections.len());
    let arms = corrections.max(sweep.leaks.len());
    let cells = units * (models * arms) as u128;
    let bytes: u128 = inputs
        .iter()
        .map(|input| match &input.kind {
            InputKind::Population(_) => 0,
            InputKind::Real(data) => {
                let all = product(splits(sweep, input)) * data.n_rows() as u128;
                all * size_of::<usize>() as u128
            }
        })
        .sum();
    let (message, hint) = if cells > MOST_CELLS as u128 {
        let arms = if arms == corrections {
            "corrections"
        } else {
            "leaks"
        };
        let message = format!(
            "{units} splits, {models} models and {} {arms} make {cells} cells, and a plan has at most \
             {MOST_CELLS}",
            corrections.max(sweep.leaks.len())
        );
        (message, "cut the sweep into several files")
    } else if let Some(memory) = memory.filter(|memory| bytes > u128::from(*memory)) {
        let message = format!(
            "the row numbers of {units} splits take {bytes} bytes, and this process may take {memory}"
        );
        (message, "set `max_rows`, or lower `repeats` or `folds`")
    } else {
        return;
    };
    let (line, key) = blamed(sweep, inputs);
    errors.add(Some(line), key, message, Some(hint.into()));
}

/// The line and key of what makes a plan large: its largest factor.
fn blamed(sweep: &Sweep, inputs: &[Input]) -> (usize, String) {
    let protocol = &sweep.protocol;
    let mut factors = vec![(
        protocol.repeats,
        protocol.line,
        "protocol > repeats".to_owned(),
    )];
    for input in inputs {
        let [ratios, _, folds] = splits(sweep, input);
        let key = format!("dataset `{}`", input.id);
        factors.push((ratios.max(folds), input.line(sweep), key));
    }
    let longest = |lines: &mut dyn Iterator<Item = usize>| {
        let mut counts = std::collections::BTreeMap::new();
        for line in lines {
            *counts.entry(line).or_insert(0_usize) += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(_, n)| *n)
            .map_or(1, |(line, _)| line)
    };
    let models = longest(&mut sweep.models.iter().map(|model| model.line));
    factors.push((sweep.models.len(), models, "model".to_owned()));
    let corrections = longest(&mut sweep.corrections.iter().map(|c| c.line));
    factors.push((
        sweep.corrections.len(),
        corrections,
        "correction".to_owned(),
    ));
    let (_, line, key) = factors
        .into_iter()
        .max_by_key(|(n, ..)| *n)
        .unwrap_or_default();
    (line, key)
}

/// Tables of a method's parameters whose keys are classes, with their names.
fn class_tables<C, T: ?Sized>(built: &Built<C, T>) -> impl Iterator<Item = (&'static str, &str)> {
    let specs = built.entry.card.params;
    let tables = built.params.iter().filter_map(move |(key, value)| {
        let spec = specs.iter().find(|spec| spec.name == key)?;
        match value {
            ParamValue::Table(classes) if spec.kind == ParamKind::Strategy => Some((key, classes)),
            _ => None,
        }
    });
    tables.flat_map(|(key, classes)| classes.keys().map(move |class| (key, class.as_str())))
}

/// The first class that a correction names and the input does not have, with the parameter that names it.
pub(super) fn unknown_class<'c>(
    correction: &'c Correction,
    input: &Input,
) -> Option<(&'static str, &'c str)> {
    let resample = correction.resample.iter().flat_map(class_tables);
    let ensemble = correction.ensemble.iter().flat_map(class_tables);
    resample
        .chain(ensemble)
        .find(|(_, class)| !input.has_class(class))
}

/// Refuses corrections and leaks that name classes which none of the data have.
pub(super) fn check_classes(sweep: &Sweep, inputs: &[Input], errors: &mut Diagnostics) {
    let [first, ..] = inputs else { return };
    // The points of a grid have the same fault.
    let mut told = std::collections::BTreeSet::new();
    let leaks = sweep.leaks.iter().map(|leak| &leak.arm);
    for correction in sweep.corrections.iter().chain(leaks) {
        let unknown = inputs.iter().map(|input| unknown_class(correction, input));
        let Some(unknown) = unknown.collect::<Option<Vec<_>>>() else {
            continue;
        };
        let (key, class) = unknown[0];
        if !told.insert((correction.line, class)) {
            continue;
        }
        let names = first.class_names();
        let message = match inputs {
            [only] => format!("`{}` has no class `{class}`", only.id),
            _ => format!(
                "none of the {} datasets has the classes that it names",
                inputs.len()
            ),
        };
        let near = nearest(class, names.iter().map(String::as_str));
        let hint = near.map_or_else(
            || format!("its classes are {}", shown(&names)),
            |name| format!("did you mean `{name}`?"),
        );
        let key = format!("correction `{}` > {key}", correction.entry);
        errors.add(Some(correction.line), key, message, Some(hint));
    }
}

/// Refuses lists of a number a class, and tables of costs, whose length is the number of classes of none of the
/// data.
pub(super) fn check_lengths(
    sweep: &Sweep,
    catalogue: &Catalogue,
    inputs: &[Input],
    errors: &mut Diagnostics,
) {
    let [first, ..] = inputs else { return };
    if let Some(MetricPrior::Shares(shares)) = &sweep.protocol.metric_prior
        && let Some(other) = inputs.iter().find(|input| input.n_classes != shares.len())
    {
        let message = format!(
            "{} shares, and `{}` has {} classes",
            shares.len(),
            other.id,
            other.n_classes
        );
        let hint = "leave out the datasets of other numbers of classes, or give \"train\", \"test\" or \"uniform\"";
        let line = sweep.protocol.line;
        errors.add(
            Some(line),
            "protocol > metric_prior",
            message,
            Some(hint.into()),
        );
    }
    // Corrections of a grid share their stages.
    let mut seen = HashSet::new();
    let mut told = HashSet::new();
    let mut see = |(noun, id, line): (&str, &str, usize), lists: Vec<(String, usize)>| {
        for (key, length) in lists {
            if inputs.iter().any(|input| input.n_classes == length) || !told.insert((line, length))
            {
                continue;
            }
            let message = match inputs {
                [only] => format!(
                    "{length} numbers, and `{}` has {} classes",
                    only.id, only.n_classes
                ),
                _ => format!(
                    "{length} numbers, and none of the {} datasets has as many classes",
                    inputs.len()
                ),
            };
            let hint = format!(
                "give one a class, in class order: {}",
                shown(&first.class_names())
            );
            let key = format!("{noun} `{id}` > {key}");
            errors.add(Some(line), key, message, Some(hint));
        }
    };
    for model in &sweep.models {
        for built in model.candidates() {
            let lists = lists_of(built.entry.card.params, &mut built.params.iter(), catalogue);
            see(("model", &model.entry, model.line), lists);
        }
    }
    for correction in &sweep.corrections {
        let at = ("correction", &*correction.entry, correction.line);
        let (loss, decide) = (&correction.loss, &correction.decide);
        if seen.insert(loss.place()) {
            see(
                at,
                lists_of(loss.entry.card.params, &mut loss.params.iter(), catalogue),
            );
        }
        if seen.insert(decide.place()) {
            see(
                at,
                lists_of(
                    decide.entry.card.params,
                    &mut decide.params.iter(),
                    catalogue,
                ),
            );
        }
    }
}

/// The parameters that are a number or a row a class, with their lengths; those of a stage inside a stage too.
fn lists_of(
    specs: &[ParamSpec],
    params: &mut dyn Iterator<Item = (&str, &ParamValue)>,
    catalogue: &Catalogue,
) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (key, value) in params {
        let kind = specs
            .iter()
            .find(|spec| spec.name == key)
            .map(|spec| spec.kind);
        match (kind, value) {
            (Some(ParamKind::Prior(_) | ParamKind::Rows(_)), ParamValue::List(items)) => {
                found.push((key.to_owned(), items.len()));
            }
            (Some(ParamKind::Stage), ParamValue::Table(fields)) => {
                let specs = fields
                    .get("kind")
                    .and_then(|kind| specs_of(&kind.to_string(), catalogue));
                let mut fields = fields.iter().map(|(key, value)| (key.as_str(), value));
                let inner = lists_of(specs.unwrap_or_default(), &mut fields, catalogue);
                found.extend(
                    inner
                        .into_iter()
                        .map(|(inner, n)| (format!("{key} > {inner}"), n)),
                );
            }
            _ => {}
        }
    }
    found
}

/// The first of some names.
pub(super) fn shown(names: &[String]) -> String {
    names
        .iter()
        .take(12)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}

impl Input {
    /// Line of its entry.
    fn line(&self, sweep: &Sweep) -> usize {
        match &self.kind {
            InputKind::Population(spec) => spec.line,
            InputKind::Real(_) => sweep.datasets[self.spec].line,
        }
    }

    /// The names of its classes, in class order.
    pub fn class_names(&self) -> Vec<String> {
        match &self.kind {
            InputKind::Real(data) => data.labels().names().to_vec(),
            InputKind::Population(_) => (0..self.n_classes).map(|k| k.to_string()).collect(),
        }
    }

    fn has_class(&self, name: &str) -> bool {
        match &self.kind {
            InputKind::Real(data) => data.labels().names().iter().any(|known| known == name),
            InputKind::Population(_) => name
                .parse()
                .is_ok_and(|k: usize| k < self.n_classes && k.to_string() == name),
        }
    }
}

impl Plan {
    /// Bytes that a split needs at the very least: its rows as drawn or cut, as prepared and as encoded,
    /// each with its label and origin, and the scores of its test rows.
    pub(crate) fn least_bytes(&self, unit: &Unit) -> u128 {
        let input = &self.inputs[unit.input];
        let (train, test) = (unit.train.total() as u128, unit.test.total() as u128);
        let columns = (2 * input.n_features + input.n_encoded.max(input.n_features)) as u128;
        let real = size_of::<f64>() as u128;
        let row = columns * real + 2 * size_of::<Origin>() as u128;
        (train + test) * row + test * input.n_classes as u128 * real
    }

    /// Every dataset with a split that does not fit into `memory` bytes.
    pub fn beyond(&self, memory: u64) -> Vec<Diagnostic> {
        let mut errors = Diagnostics::new(&self.sweep.file.display().to_string());
        let mut last = None;
        for unit in &self.units {
            let bytes = self.least_bytes(unit);
            if bytes <= u128::from(memory) || last == Some(unit.input) {
                continue;
            }
            last = Some(unit.input);
            let input = &self.inputs[unit.input];
            let message = format!(
                "{} training and {} test rows of {} columns take {} MB at least, and this process may \
                 take {} MB",
                unit.train.total(),
                unit.test.total(),
                input.n_features,
                bytes / 1_000_000,
                memory / 1_000_000
            );
            let hint = match input.kind {
                InputKind::Population(_) => "lower `n_train` and `n_test`",
                InputKind::Real(_) => "set `max_rows`",
            };
            let key = format!("dataset `{}`", input.id);
            errors.add(
                Some(input.line(&self.sweep)),
                key,
                message,
                Some(hint.into()),
            );
        }
        errors.into_sorted()
    }
}
