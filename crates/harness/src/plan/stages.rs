//! What each cell is made of, as values; which parameters a sweep varies, and its axes.

use std::collections::BTreeMap;

use counterweight_core::params::{ParamKind, check};
use counterweight_core::stages::Stage;
use counterweight_core::{
    Axis, Catalogue, Name, ParamSpec, ParamValue, Params, Resampler, ResamplerCaps, Role, Scalar,
    Stages, find,
};

use super::{Input, InputKind};
use crate::config::Sweep;
use crate::config::method::Built;
use crate::config::sweep::{Correction, Features, Model};

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
    fn of<'a>(values: impl Iterator<Item = &'a Scalar> + Clone) -> Self {
        let all = |good: fn(&Scalar) -> bool| values.clone().all(good);
        if all(|v| matches!(v, Scalar::Flag(_))) {
            Self::Flag
        } else if all(|v| matches!(v, Scalar::Whole(_))) {
            Self::Whole
        } else if all(|v| v.as_real().is_some()) {
            Self::Real
        } else {
            Self::Text
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
fn specs_of(kind: &str, catalogue: &Catalogue) -> Option<&'static [ParamSpec]> {
    let decision = find(catalogue.decisions, kind).map(|entry| entry.card.params);
    let loss = || find(catalogue.losses, kind).map(|entry| entry.card.params);
    let resampler = || find(catalogue.resamplers, kind).map(|entry| entry.card.params);
    let learner = || find(catalogue.learners, kind).map(|entry| entry.card.params);
    decision.or_else(loss).or_else(resampler).or_else(learner)
}

fn settings<C, T: ?Sized>(built: &Built<C, T>, catalogue: &Catalogue) -> Settings {
    let mut found = Settings::new();
    let specs = built.entry.card.params;
    add(&mut found, "", (specs, &built.params), catalogue);
    found
}

fn add(
    found: &mut Settings,
    prefix: &str,
    (specs, params): (&[ParamSpec], &Params),
    catalogue: &Catalogue,
) {
    for (key, value) in params.iter() {
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
            add(found, &format!("{name}."), (specs, &params), catalogue);
        }
        found.insert(name, Setting { value, default });
    }
}

fn plain(value: Scalar) -> Setting {
    Setting {
        value,
        default: None,
    }
}

/// A model's kind and its points, one unless it chooses from a grid.
fn points(model: &Model, catalogue: &Catalogue) -> Vec<Settings> {
    let point = |built: &Built<_, _>| {
        let mut settings = settings(built, catalogue);
        if let Some(Features { polynomial }) = model.features {
            let degree = i64::try_from(polynomial).unwrap_or(i64::MAX);
            settings.insert(
                Features::POLYNOMIAL.to_owned(),
                plain(Scalar::Whole(degree)),
            );
        }
        settings
    };
    model.candidates().iter().map(point).collect()
}

/// The stages of a correction as the sweep file asks for them.
fn roles(correction: &Correction, catalogue: &Catalogue) -> Vec<(Role, &'static str, Settings)> {
    let mut found = Vec::new();
    if let Some(built) = &correction.resample {
        let settings = settings(built, catalogue);
        found.push((Role::Resample, built.entry.card.id, settings));
    }
    if let Some(built) = &correction.ensemble {
        let settings = settings(built, catalogue);
        found.push((Role::Ensemble, built.entry.card.id, settings));
    }
    let (loss, decide) = (&correction.loss, &correction.decide);
    let settings_of_loss = settings(loss, catalogue);
    found.push((Role::Loss, loss.entry.card.id, settings_of_loss));
    let settings = settings(decide, catalogue);
    found.push((Role::Decide, decide.entry.card.id, settings));
    found
}

/// The parameters that a sweep varies: those with more than one value among its entries of one role and
/// kind. Each is a column of the records, with the type that all its values have in common.
#[derive(Debug)]
pub(super) struct Varied(BTreeMap<(Role, String), Type>);

/// The metric by which a model chooses, as a parameter of its own.
const SELECT: &str = "select";

impl Varied {
    pub(super) fn of(sweep: &Sweep, catalogue: &Catalogue) -> Self {
        let mut all: Vec<(Role, &'static str, Settings)> = Vec::new();
        for spec in &sweep.populations {
            let (size, n) = spec.size.entry();
            let n = Scalar::Whole(i64::try_from(n).unwrap_or(i64::MAX));
            all.push((Role::Dataset, "", [(size.to_owned(), plain(n))].into()));
            let kind = spec.population.entry.card.id;
            let settings = settings(&spec.population, catalogue);
            all.push((Role::Population, kind, settings));
        }
        for model in &sweep.models {
            let kind = model.learner.entry.card.id;
            let points = points(model, catalogue).into_iter();
            all.extend(points.map(|settings| (Role::Model, kind, settings)));
        }
        for correction in &sweep.corrections {
            all.extend(roles(correction, catalogue));
        }
        let mut values: BTreeMap<(Role, &str), BTreeMap<&'static str, Vec<&Scalar>>> =
            BTreeMap::new();
        for (role, kind, settings) in &all {
            for (name, setting) in settings {
                let of_kind = values.entry((*role, name)).or_default();
                let seen = of_kind.entry(kind).or_default();
                if !seen.contains(&&setting.value) {
                    seen.push(&setting.value);
                }
            }
        }
        let mut varied: BTreeMap<(Role, String), Type> = values
            .into_iter()
            .filter(|(_, kinds)| kinds.values().any(|values| values.len() > 1))
            .map(|((role, name), kinds)| {
                let values = kinds.values().flatten().copied();
                ((role, name.to_owned()), Type::of(values))
            })
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
            return (input.id.as_str().into(), Stage::default(), Stage::default());
        };
        let (size, n) = sweep.populations[input.spec].size.entry();
        let n = Scalar::Whole(i64::try_from(n).unwrap_or(i64::MAX));
        let settings_of_size = [(size.to_owned(), plain(n))].into();
        let population = settings(&spec.population, catalogue);
        (
            spec.entry.as_str().into(),
            self.stage(Role::Dataset, "", &settings_of_size),
            self.stage(Role::Population, spec.population.entry.card.id, &population),
        )
    }

    fn model(&self, catalogue: &Catalogue, model: &Model) -> Stage {
        let mut points = points(model, catalogue);
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

/// The parts of every cell, to be put together.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    data: Vec<(Name, Stage, Stage)>,
    models: Vec<(Name, Stage)>,
    /// Of each correction, without what its resampler becomes on an input.
    corrections: Vec<Stages>,
    /// By input and correction, where the input decides.
    resamplers: BTreeMap<(usize, usize), Stage>,
}

impl Parts {
    pub(super) fn new(
        sweep: &Sweep,
        catalogue: &Catalogue,
        inputs: &[Input],
        planned: &[Vec<super::cells::Planned>],
    ) -> Self {
        let varied = Varied::of(sweep, catalogue);
        let mut resamplers = BTreeMap::new();
        for (input, planned) in planned.iter().enumerate() {
            for (correction, planned) in planned.iter().enumerate() {
                if let Ok(Some(built)) = planned {
                    let stage = varied.resampler(catalogue, built);
                    resamplers.insert((input, correction), stage);
                }
            }
        }
        let correction = |correction: &Correction| {
            let mut stages = Stages {
                correction_entry: correction.entry.as_str().into(),
                ..Stages::default()
            };
            if correction.ensemble.is_none() {
                stages.get_mut(Role::Resample).kind = "none".into();
            }
            for (role, kind, settings) in roles(correction, catalogue) {
                *stages.get_mut(role) = varied.stage(role, kind, &settings);
            }
            stages
        };
        let data = |input| varied.data(sweep, catalogue, input);
        let model = |model: &Model| {
            let entry = Name::from(model.entry.as_str());
            (entry, varied.model(catalogue, model))
        };
        Self {
            data: inputs.iter().map(data).collect(),
            models: sweep.models.iter().map(model).collect(),
            corrections: sweep.corrections.iter().map(correction).collect(),
            resamplers,
        }
    }

    /// What a cell is made of; a model from elsewhere has neither kind nor parameters.
    pub(crate) fn stages(
        &self,
        input: usize,
        model: Result<usize, &str>,
        correction: usize,
    ) -> Stages {
        let mut stages = self.corrections[correction].clone();
        let (entry, size, population) = &self.data[input];
        stages.dataset_entry = entry.clone();
        stages.get_mut(Role::Dataset).clone_from(size);
        stages.get_mut(Role::Population).clone_from(population);
        match model {
            Ok(model) => {
                let (entry, stage) = &self.models[model];
                stages.model_entry = entry.clone();
                stages.get_mut(Role::Model).clone_from(stage);
            }
            Err(id) => stages.model_entry = id.into(),
        }
        if let Some(stage) = self.resamplers.get(&(input, correction)) {
            stages.get_mut(Role::Resample).clone_from(stage);
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
pub(super) fn axes(sweep: &Sweep, catalogue: &Catalogue) -> Vec<Axis> {
    let varied = Varied::of(sweep, catalogue);
    let mut axes: Vec<Axis> = Vec::new();
    let mut see = |role: Role, entry: &str, settings: Settings, rest: (bool, Option<&str>)| {
        for (name, setting) in settings {
            let Some(column) = varied.0.get(&(role, name.clone())) else {
                continue;
            };
            let value = column.cast(&setting.value);
            let same = |axis: &&mut Axis| {
                axis.stage == role && axis.parameter == name && axis.entry == entry
            };
            match axes.iter_mut().find(same) {
                Some(axis) if axis.values.contains(&value) => {}
                Some(axis) => axis.values.push(value),
                None => axes.push(Axis {
                    stage: role,
                    parameter: name,
                    entry: entry.to_owned(),
                    values: vec![value],
                    default: setting.default.map(|default| column.cast(&default)),
                    expand: rest.0,
                    selected_by: rest.1.map(|metric| metric.replace('_', "-")),
                }),
            }
        }
    };
    for spec in &sweep.populations {
        let settings = settings(&spec.population, catalogue);
        see(Role::Population, &spec.entry, settings, (false, None));
    }
    for model in &sweep.models {
        let metric = model.select.as_ref().map(|select| select.metric);
        for settings in points(model, catalogue) {
            see(Role::Model, &model.entry, settings, (model.expand, metric));
        }
    }
    for correction in &sweep.corrections {
        for (role, _, settings) in roles(correction, catalogue) {
            see(role, &correction.entry, settings, (correction.expand, None));
        }
    }
    axes.retain(|axis| axis.values.len() > 1);
    axes
}
