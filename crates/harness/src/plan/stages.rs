//! What each cell is made of, as values; which parameters a sweep varies, and its axes.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use counterweight_core::params::{ParamKind, check};
use counterweight_core::stages::Stage;
use counterweight_core::{
    Axis, Catalogue, Name, ParamSpec, ParamValue, Resampler, ResamplerCaps, Role, Scalar, Stages,
    find,
};

use super::cells::Planned;
use super::{Input, InputKind};
use crate::config::Sweep;
use crate::config::method::Built;
use crate::config::sweep::{Correction, Features, Model, SizeSpec};

/// A parameter's value and its default.
#[derive(Clone)]
struct Setting {
    value: Scalar,
    default: Option<Scalar>,
}

/// All parameters of a method by name; those of a stage inside it as `then.tau`.
type Settings = BTreeMap<String, Setting>;

/// What the values of a column have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Type {
    Flag,
    Whole,
    Real,
    Text,
}

impl Type {
    fn of(value: &Scalar) -> Self {
        match value {
            Scalar::Flag(_) => Self::Flag,
            Scalar::Whole(_) => Self::Whole,
            Scalar::Real(_) => Self::Real,
            Scalar::Text(_) => Self::Text,
        }
    }

    /// The type of a column that holds values of both.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Whole, Self::Real) | (Self::Real, Self::Whole) => Self::Real,
            _ => Self::Text,
        }
    }

    fn cast(self, value: &Scalar) -> Scalar {
        match (self, value.as_real()) {
            (Self::Real, Some(real)) => Scalar::Real(real),
            (Self::Text, _) => Scalar::Text(value.to_string().into()),
            _ => value.clone(),
        }
    }
}

/// The parameters of a method of the catalogue, whatever its role.
pub(super) fn specs_of(kind: &str, catalogue: &Catalogue) -> Option<&'static [ParamSpec]> {
    let decision = find(catalogue.decisions, kind).map(|entry| entry.card.params);
    let loss = || find(catalogue.losses, kind).map(|entry| entry.card.params);
    let resampler = || find(catalogue.resamplers, kind).map(|entry| entry.card.params);
    let learner = || find(catalogue.learners, kind).map(|entry| entry.card.params);
    let population = || find(catalogue.populations, kind).map(|entry| entry.card.params);
    let method = decision.or_else(loss).or_else(resampler).or_else(learner);
    method.or_else(population)
}

fn settings<C, T: ?Sized>(built: &Built<C, T>, catalogue: &Catalogue) -> Settings {
    let mut found = Settings::new();
    let specs = built.entry.card.params;
    add(&mut found, "", (specs, &mut built.params.iter()), catalogue);
    found
}

/// The methods that were looked at, and the grids of which a point was; `None` where all are new.
struct Seen(Option<HashSet<usize>>);

impl Seen {
    fn insert(&mut self, place: usize) -> bool {
        self.0.as_mut().is_none_or(|seen| seen.insert(place))
    }

    /// The settings of a method that was not looked at before, without those that it shares with another point
    /// of its grid.
    fn settings<C, T: ?Sized>(
        &mut self,
        built: &Built<C, T>,
        catalogue: &Catalogue,
    ) -> Option<Settings> {
        if !self.insert(built.place()) {
            return None;
        }
        if built.grid.is_empty() || self.insert(Arc::as_ptr(&built.grid).addr()) {
            return Some(settings(built, catalogue));
        }
        let mut found = Settings::new();
        let mut own = built
            .params
            .iter()
            .filter(|(key, _)| built.grid.contains(key));
        add(
            &mut found,
            "",
            (built.entry.card.params, &mut own),
            catalogue,
        );
        Some(found)
    }
}

fn add(
    found: &mut Settings,
    prefix: &str,
    (specs, params): (
        &[ParamSpec],
        &mut dyn Iterator<Item = (&'static str, &ParamValue)>,
    ),
    catalogue: &Catalogue,
) {
    for (key, value) in params {
        let spec = specs.iter().find(|spec| spec.name == key);
        let default = spec.and_then(|spec| spec.default);
        let default = default.map(|default| Scalar::from(&ParamValue::from(default)));
        let name = format!("{prefix}{key}");
        let mut inner = None;
        let value = match value {
            ParamValue::Table(fields) if spec.is_some_and(|s| s.kind == ParamKind::Stage) => {
                let mut given = fields.clone();
                let kind = given
                    .remove("kind")
                    .map_or_else(String::new, |k| k.to_string());
                inner = Some((kind.clone(), given));
                Scalar::Text(kind.into())
            }
            ParamValue::Text(kind) if spec.is_some_and(|s| s.kind == ParamKind::Stage) => {
                inner = Some((kind.clone(), BTreeMap::new()));
                Scalar::Text(kind.into())
            }
            value => Scalar::from(value),
        };
        if let Some((kind, given)) = inner
            && let Some(specs) = specs_of(&kind, catalogue)
            && let Ok(params) = check(specs, &given)
        {
            let params = &mut params.iter();
            add(found, &format!("{name}."), (specs, params), catalogue);
        }
        found.insert(name, Setting { value, default });
    }
}

/// The size of a population's training set.
fn size(size: &SizeSpec) -> Settings {
    let (key, n) = size.entry();
    let n = match n {
        [n] => Scalar::Whole(i64::try_from(*n).unwrap_or(i64::MAX)),
        counts => Scalar::Text(
            counts
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join("+")
                .into(),
        ),
    };
    [(key.to_owned(), plain(n))].into()
}

fn plain(value: Scalar) -> Setting {
    Setting {
        value,
        default: None,
    }
}

/// A model's points, one unless it chooses from a grid.
fn points(model: &Model, catalogue: &Catalogue, seen: &mut Seen) -> Vec<Settings> {
    let point = |built: &Built<_, _>| {
        let mut settings = seen.settings(built, catalogue)?;
        if let Some(Features { polynomial }) = model.features {
            let degree = i64::try_from(polynomial).unwrap_or(i64::MAX);
            settings.insert(
                Features::POLYNOMIAL.to_owned(),
                plain(Scalar::Whole(degree)),
            );
        }
        Some(settings)
    };
    model.candidates().iter().filter_map(point).collect()
}

/// The stages of a correction as the sweep file asks for them, those of them that are new.
fn roles(
    correction: &Correction,
    catalogue: &Catalogue,
    seen: &mut Seen,
) -> Vec<(Role, &'static str, Settings)> {
    let mut found = Vec::new();
    let mut push = |role, id, settings: Option<Settings>| {
        found.extend(settings.map(|settings| (role, id, settings)));
    };
    if let Some(built) = &correction.resample {
        push(
            Role::Resample,
            built.entry.card.id,
            seen.settings(built, catalogue),
        );
    }
    if let Some(built) = &correction.ensemble {
        push(
            Role::Ensemble,
            built.entry.card.id,
            seen.settings(built, catalogue),
        );
    }
    let (loss, decide) = (&correction.loss, &correction.decide);
    push(
        Role::Loss,
        loss.entry.card.id,
        seen.settings(loss, catalogue),
    );
    push(
        Role::Decide,
        decide.entry.card.id,
        seen.settings(decide, catalogue),
    );
    found
}

/// The parameters that a sweep varies: those with more than one value among its entries of one role and
/// kind. Each is a column of the records, with the type that all its values have in common.
#[derive(Clone, Debug)]
pub(super) struct Varied(BTreeMap<(Role, String), Type>);

/// What is known of a parameter's values.
struct Column {
    kind: Type,
    /// Whether there are two values among the entries of one kind.
    varies: bool,
    /// The first value of each kind.
    first: BTreeMap<&'static str, Scalar>,
}

/// The metric by which a model chooses, as a parameter of its own.
const SELECT: &str = "select";

impl Varied {
    pub(super) fn of(sweep: &Sweep, catalogue: &Catalogue) -> Self {
        let mut columns: BTreeMap<(Role, String), Column> = BTreeMap::new();
        let mut see = |role: Role, kind: &'static str, settings: Settings| {
            for (name, Setting { value, .. }) in settings {
                let kind_of = Type::of(&value);
                let column = columns.entry((role, name)).or_insert_with(|| Column {
                    kind: kind_of,
                    varies: false,
                    first: BTreeMap::new(),
                });
                column.kind = column.kind.with(kind_of);
                if *column.first.entry(kind).or_insert_with(|| value.clone()) != value {
                    column.varies = true;
                }
            }
        };
        for spec in &sweep.populations {
            see(Role::Dataset, "", size(&spec.size));
            let kind = spec.population.entry.card.id;
            see(
                Role::Population,
                kind,
                settings(&spec.population, catalogue),
            );
        }
        let mut seen = Seen(Some(HashSet::new()));
        for model in &sweep.models {
            for settings in points(model, catalogue, &mut seen) {
                see(Role::Model, model.learner.entry.card.id, settings);
            }
        }
        for correction in &sweep.corrections {
            for (role, kind, settings) in roles(correction, catalogue, &mut seen) {
                see(role, kind, settings);
            }
        }
        let mut varied: BTreeMap<(Role, String), Type> = columns
            .into_iter()
            .filter(|(_, column)| column.varies)
            .map(|(name, column)| (name, column.kind))
            .collect();
        if sweep.models.iter().any(|model| model.select.is_some()) {
            varied.insert((Role::Model, SELECT.to_owned()), Type::Text);
        }
        Self(varied)
    }

    fn stage(&self, role: Role, kind: &str, settings: &Settings) -> Stage {
        let value = |(name, setting): (&String, &Setting)| {
            let column = self.0.get(&(role, name.clone()))?;
            Some((name.clone(), column.cast(&setting.value)))
        };
        Stage {
            kind: kind.into(),
            params: settings.iter().filter_map(value).collect(),
        }
    }

    /// Entry, size and population of an input.
    fn data(&self, sweep: &Sweep, catalogue: &Catalogue, input: &Input) -> (Name, Stage, Stage) {
        let InputKind::Population(spec) = &input.kind else {
            return (
                sweep.table_of(input.spec).into(),
                Stage::default(),
                Stage::default(),
            );
        };
        let population = settings(&spec.population, catalogue);
        (
            spec.entry.as_str().into(),
            self.stage(Role::Dataset, "", &size(&spec.size)),
            self.stage(Role::Population, spec.population.entry.card.id, &population),
        )
    }

    fn model(&self, catalogue: &Catalogue, model: &Model) -> Stage {
        let mut points = points(model, catalogue, &mut Seen(None));
        let mut own = points.swap_remove(0);
        // What is chosen inside the fold is no value of the cell.
        own.retain(|name, setting| {
            let same = |other: &Settings| other.get(name).is_some_and(|o| o.value == setting.value);
            points.iter().all(same)
        });
        if let Some(select) = &model.select {
            let metric = select.metric.replace('_', "-");
            own.insert(SELECT.to_owned(), plain(Scalar::Text(metric.into())));
        }
        self.stage(Role::Model, model.learner.entry.card.id, &own)
    }
}

/// What tells one set of stages from another: input, model and correction.
type Place = (usize, usize, usize);

/// The parts of every cell, put together where they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    varied: Varied,
    data: Vec<(Name, Stage, Stage)>,
    planned: Vec<Vec<Planned>>,
    /// Those that were asked for; a copy of a plan may well share them.
    shared: Arc<Mutex<BTreeMap<Place, Arc<Stages>>>>,
}

impl Parts {
    pub(super) fn new(
        sweep: &Sweep,
        catalogue: &Catalogue,
        inputs: &[Input],
        planned: Vec<Vec<Planned>>,
    ) -> Self {
        let varied = Varied::of(sweep, catalogue);
        let data = |input| varied.data(sweep, catalogue, input);
        Self {
            data: inputs.iter().map(data).collect(),
            planned,
            varied,
            shared: Arc::default(),
        }
    }

    /// What a cell of the sweep is made of, one copy for all that are made of the same.
    pub(super) fn shared(&self, sweep: (&Sweep, &Catalogue), place: Place) -> Arc<Stages> {
        // A panic cannot leave the map half changed.
        let lock = || self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&place) {
            return Arc::clone(known);
        }
        let (input, model, correction) = place;
        let stages = Arc::new(self.stages(sweep, input, Ok(model), correction));
        Arc::clone(lock().entry(place).or_insert(stages))
    }

    /// What a cell is made of; a model from elsewhere has neither kind nor parameters.
    pub(super) fn stages(
        &self,
        (sweep, catalogue): (&Sweep, &Catalogue),
        input: usize,
        model: Result<usize, &str>,
        correction: usize,
    ) -> Stages {
        let (entry, size, population) = &self.data[input];
        let own = &sweep.corrections[correction];
        let mut stages = Stages {
            dataset_entry: entry.clone(),
            correction_entry: own.entry.clone(),
            ..Stages::default()
        };
        stages.get_mut(Role::Dataset).clone_from(size);
        stages.get_mut(Role::Population).clone_from(population);
        if own.ensemble.is_none() {
            stages.get_mut(Role::Resample).kind = "none".into();
        }
        for (role, kind, settings) in roles(own, catalogue, &mut Seen(None)) {
            *stages.get_mut(role) = self.varied.stage(role, kind, &settings);
        }
        // The data decide what a resampler becomes.
        if let Ok(Some(built)) = &self.planned[input][correction] {
            *stages.get_mut(Role::Resample) = self.varied.resampler(catalogue, built);
        }
        match model {
            Ok(model) => {
                let model = &sweep.models[model];
                stages.model_entry = model.entry.clone();
                *stages.get_mut(Role::Model) = self.varied.model(catalogue, model);
            }
            Err(id) => stages.model_entry = id.into(),
        }
        stages
    }
}

impl Varied {
    fn resampler(
        &self,
        catalogue: &Catalogue,
        built: &Built<ResamplerCaps, dyn Resampler>,
    ) -> Stage {
        let settings = settings(built, catalogue);
        self.stage(Role::Resample, built.entry.card.id, &settings)
    }
}

/// The axes of a sweep: every parameter that takes several values within one entry.
pub(super) fn axes(sweep: &Sweep, catalogue: &Catalogue, parts: &Parts) -> Vec<Axis> {
    let varied = &parts.varied;
    let mut axes: Vec<Axis> = Vec::new();
    let mut known: BTreeMap<(Role, String, String), usize> = BTreeMap::new();
    let mut seen: BTreeSet<(usize, String)> = BTreeSet::new();
    let mut see = |role: Role, entry: &str, settings: Settings, rest: (bool, Option<&str>)| {
        for (name, setting) in settings {
            let Some(column) = varied.0.get(&(role, name.clone())) else {
                continue;
            };
            let at = *known
                .entry((role, entry.to_owned(), name))
                .or_insert_with_key(|key| {
                    axes.push(Axis {
                        stage: role,
                        parameter: key.2.clone(),
                        entry: entry.to_owned(),
                        values: Vec::new(),
                        default: setting.default.map(|default| column.cast(&default)),
                        expand: rest.0,
                        selected_by: rest.1.map(|metric| metric.replace('_', "-")),
                    });
                    axes.len() - 1
                });
            let value = column.cast(&setting.value);
            // Values of one column are of one type, so that their texts tell them apart; 0 is -0.
            let text = value
                .as_real()
                .map_or_else(|| value.to_string(), |v| (v + 0.0).to_string());
            if seen.insert((at, text)) {
                axes[at].values.push(value);
            }
        }
    };
    for spec in &sweep.populations {
        let settings = settings(&spec.population, catalogue);
        see(Role::Population, &spec.entry, settings, (false, None));
    }
    let mut seen = Seen(Some(HashSet::new()));
    for model in &sweep.models {
        let metric = model.select.as_ref().map(|select| select.metric);
        for settings in points(model, catalogue, &mut seen) {
            see(Role::Model, &model.entry, settings, (model.expand, metric));
        }
    }
    for correction in &sweep.corrections {
        // Entries share no method: each builds its own.
        for (role, _, settings) in roles(correction, catalogue, &mut seen) {
            see(role, &correction.entry, settings, (correction.expand, None));
        }
    }
    axes.retain(|axis| axis.values.len() > 1);
    axes
}
