//! Expands inputs, models and corrections to cells, settles from capability cards what cannot be
//! honoured, and groups the rest so that nothing is done twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use counterweight_core::params::check;
use counterweight_core::{
    Catalogue, CellId, ColumnKind, ContentHash, Hasher, OnNominal, Outcome, ParamValue, Resampler,
    ResamplerCaps, Samples, ScoreKind, StageContext, StageError, StageResult, Train, find,
};
use counterweight_data::preprocess::Polynomial;

use super::identity::{of_correction, of_model, of_planned, of_unit};
use super::limits::unknown_class;
use super::{Input, Rows, Unit};
use crate::config::Sweep;
use crate::config::method::{Built, Parts};
use crate::config::sweep::{Correction, Model};

/// One cell of the plan.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its id.
    pub id: CellId,
    /// Index into the plan's units.
    pub unit: usize,
    /// Index into the sweep's models.
    pub model: usize,
    /// Index into the sweep's corrections.
    pub correction: usize,
    /// The resampling stage with its parameters as it will run, the ensemble in its place, or `none`.
    pub resample: Arc<str>,
    /// What planning settled already; `None` for cells that have to run.
    pub settled: Option<(Outcome, String)>,
}

/// Cells of a unit that share one resampled training set.
#[derive(Clone, Debug)]
pub struct ResampleGroup {
    /// The resampler; `None` for the training rows as they are.
    pub resampler: Option<Built<ResamplerCaps, dyn Resampler>>,
    /// Its fits.
    pub fits: Vec<FitGroup>,
}

/// Cells that share one fit.
#[derive(Clone, Debug)]
pub struct FitGroup {
    /// Index into the sweep's models.
    pub model: usize,
    /// Index of a correction that has the loss and the ensemble.
    pub loss_of: usize,
    /// The cells, as indices into the plan.
    pub cells: Vec<usize>,
    /// Curves on the fit, as indices into the sweep, each with the cell that it goes by: the first of
    /// the fit whose correction the curve names.
    pub curves: Vec<(usize, usize)>,
}

/// A resampler as it will run on an input, or why it will not.
pub(super) type Planned = Result<Option<Built<ResamplerCaps, dyn Resampler>>, (Outcome, String)>;

/// The resampler of each correction on each input.
pub(super) fn planned(sweep: &Sweep, catalogue: &Catalogue, inputs: &[Input]) -> Vec<Vec<Planned>> {
    let on = |input: &Input| {
        let corrections = sweep.corrections.iter();
        corrections
            .map(|correction| plan_resampler(correction, catalogue, input))
            .collect()
    };
    inputs.iter().map(on).collect()
}

/// Numbers texts in the order in which they come, so that equal ones are found by number.
#[derive(Default)]
struct Numbers(HashMap<Arc<str>, usize>);

impl Numbers {
    /// The number of `text`, and the one copy of it.
    fn of(&mut self, text: &str) -> (Arc<str>, usize) {
        if let Some((known, &number)) = self.0.get_key_value(text) {
            return (Arc::clone(known), number);
        }
        let (text, next) = (Arc::from(text), self.0.len());
        self.0.insert(Arc::clone(&text), next);
        (text, next)
    }
}

/// What the rows of a correction's fit are resampled by on an input.
struct RowsOf {
    /// As cells name it.
    text: Arc<str>,
    /// The same for all that share a resampled set.
    number: usize,
    /// As ids hold it.
    hash: ContentHash,
}

/// What is made of each of some methods, which corrections of a grid share, once.
struct Once<T>(HashMap<usize, T>);

impl<T: Clone> Once<T> {
    fn of<C, M: ?Sized>(&mut self, built: &Built<C, M>, make: impl FnOnce() -> T) -> T {
        self.0.entry(built.place()).or_insert_with(make).clone()
    }
}

fn rows_of(sweep: &Sweep, planned: &[Planned]) -> Vec<RowsOf> {
    let mut numbers = Numbers::default();
    let of = |(correction, resampler): (&Correction, &Planned)| {
        let runs = resampler.as_ref().ok().and_then(Option::as_ref);
        let text = runs.map_or_else(|| correction.rows_canonical(), Built::canonical);
        let (text, number) = numbers.of(&text);
        RowsOf {
            text,
            number: match correction.ensemble {
                None => number,
                // Ensembles start from the training rows as they are.
                Some(_) => numbers.of("none").1,
            },
            hash: of_planned(runs),
        }
    };
    sweep.corrections.iter().zip(planned).map(of).collect()
}

/// The number of each correction's loss and ensemble: what shares a fit has the same.
fn fits_of(sweep: &Sweep) -> Vec<usize> {
    let (mut losses, mut ensembles, mut pairs) = <(Numbers, Numbers, HashMap<_, _>)>::default();
    let (mut known_losses, mut known_ensembles) = (Once(HashMap::new()), Once(HashMap::new()));
    let of = |correction: &Correction| {
        let built = &correction.loss;
        let loss = known_losses.of(built, || losses.of(&built.canonical()).1);
        let ensemble = correction
            .ensemble
            .as_ref()
            .map(|built| known_ensembles.of(built, || ensembles.of(&built.canonical()).1));
        let next = pairs.len();
        *pairs.entry((loss, ensemble)).or_insert(next)
    };
    sweep.corrections.iter().map(of).collect()
}

/// The cells in plan order, and the curves that go by each.
pub(super) fn expand(
    sweep: &Sweep,
    inputs: &[Input],
    planned: &[Vec<Planned>],
    units: &mut [Unit],
) -> (Vec<Cell>, BTreeMap<usize, Vec<usize>>) {
    let models: Vec<ContentHash> = sweep.models.iter().map(of_model).collect();
    let corrections: Vec<ContentHash> = sweep.corrections.iter().map(of_correction).collect();
    let fit_of = fits_of(sweep);
    let named: Vec<BTreeSet<usize>> = sweep
        .curves
        .iter()
        .map(|curve| curve.corrections.iter().copied().collect())
        .collect();
    let mut curves: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut cells = Vec::with_capacity(units.len() * models.len() * corrections.len());
    let (mut rows_on, mut rows) = (None, Vec::new());
    for (unit_at, unit) in units.iter_mut().enumerate() {
        let input = &inputs[unit.input];
        let planned = &planned[unit.input];
        if rows_on != Some(unit.input) {
            (rows_on, rows) = (Some(unit.input), rows_of(sweep, planned));
        }
        let start = of_unit("counterweight cell", sweep, input, unit);
        // A grid of a million resamplers makes as many groups: none has room to spare.
        let mut groups: Vec<ResampleGroup> = Vec::with_capacity(1);
        let mut group_of: Vec<Option<usize>> = vec![None; rows.len() + 1];
        for (model_at, model) in sweep.models.iter().enumerate() {
            let mut fits: HashMap<(usize, usize), usize> = HashMap::new();
            for (correction_at, correction) in sweep.corrections.iter().enumerate() {
                let resampler = &planned[correction_at];
                let rows = &rows[correction_at];
                let id = Hasher::new("cell")
                    .hash(&start)
                    .hash(&models[model_at])
                    .hash(&corrections[correction_at])
                    .hash(&rows.hash)
                    .finish();
                let settled = settle(unit, input, model, correction, resampler);
                let at = cells.len();
                if settled.is_none() {
                    let group = *group_of[rows.number].get_or_insert_with(|| {
                        groups.push(ResampleGroup {
                            resampler: resampler.as_ref().ok().cloned().flatten(),
                            fits: Vec::with_capacity(1),
                        });
                        groups.len() - 1
                    });
                    let known = &mut groups[group].fits;
                    let fit = *fits
                        .entry((group, fit_of[correction_at]))
                        .or_insert_with(|| {
                            known.push(FitGroup {
                                model: model_at,
                                loss_of: correction_at,
                                cells: Vec::with_capacity(1),
                                curves: Vec::new(),
                            });
                            known.len() - 1
                        });
                    known[fit].cells.push(at);
                }
                cells.push(Cell {
                    id: CellId(id.short()),
                    unit: unit_at,
                    model: model_at,
                    correction: correction_at,
                    resample: Arc::clone(&rows.text),
                    settled,
                });
            }
        }
        for fit in groups.iter_mut().flat_map(|group| &mut group.fits) {
            for (curve, named) in named.iter().enumerate() {
                let names = |cell: &&usize| named.contains(&cells[**cell].correction);
                if let Some(&cell) = fit.cells.iter().find(names) {
                    fit.curves.push((curve, cell));
                    curves.entry(cell).or_default().push(curve);
                }
            }
        }
        for group in &mut groups {
            group.fits.shrink_to_fit();
        }
        groups.shrink_to_fit();
        unit.groups = groups;
    }
    (cells, curves)
}

/// Decides which resampler runs on an input.
pub(super) fn plan_resampler(
    correction: &Correction,
    catalogue: &Catalogue,
    input: &Input,
) -> Planned {
    if let Some((key, class)) = unknown_class(correction, input) {
        let problem = format!(
            "`{key}` names class `{class}`, which `{}` does not have",
            input.id
        );
        return Err((Outcome::NotApplicable, problem));
    }
    let Some(built) = &correction.resample else {
        return Ok(None);
    };
    let kinds = (input.nominal, input.all_nominal);
    resampler_for(built, kinds, catalogue)
        .map(Some)
        .map_err(|problem| (Outcome::NotApplicable, problem))
}

/// The resampler that runs in place of `built` on data that have nominal columns, or no others:
/// itself, or the one that its card names (`smote` on nominal columns is planned as `smote-nc`), in as many
/// steps as it takes.
///
/// # Errors
/// In words, when it takes no such data.
pub fn resampler_for(
    built: &Built<ResamplerCaps, dyn Resampler>,
    (nominal, all_nominal): (bool, bool),
    catalogue: &Catalogue,
) -> Result<Built<ResamplerCaps, dyn Resampler>, String> {
    let caps = &built.entry.caps;
    let (rule, kinds) = if all_nominal {
        (caps.all_nominal, "data without numeric columns")
    } else if nominal {
        (caps.nominal, "nominal columns")
    } else {
        (caps.numeric_only, "data without nominal columns")
    };
    let from = built.entry.card.id;
    match rule {
        OnNominal::Handles => Ok(built.clone()),
        OnNominal::Refuses => Err(format!("`{from}` does not take {kinds}")),
        OnNominal::Becomes(id) => {
            let other = replace(built, id, catalogue).map_err(|problem| {
                format!("`{from}` cannot become `{id}` on {kinds}: {problem}")
            })?;
            resampler_for(&other, (nominal, all_nominal), catalogue)
        }
    }
}

/// Resamples by `built`, or by what runs in its place on the columns of the rows at hand: a fold may have
/// lost the nominal columns that its table has. `encode` is the split's.
///
/// # Errors
/// [`StageError::NotApplicable`] when nothing runs on such columns, and whatever resampling gives.
pub fn resample(
    catalogue: &Catalogue,
    built: &Built<ResamplerCaps, dyn Resampler>,
    train: &Train,
    encode: &dyn Fn(&Samples) -> StageResult<Samples>,
    context: &mut StageContext<'_>,
) -> StageResult<Train> {
    let kinds = train.samples().kinds().iter();
    let mut seen = kinds
        .filter(|kind| **kind != ColumnKind::Indicator)
        .peekable();
    let some = seen.peek().is_some();
    let nominal: Vec<bool> = seen.map(|kind| *kind != ColumnKind::Numeric).collect();
    let kinds = (nominal.contains(&true), some && !nominal.contains(&false));
    let built = resampler_for(built, kinds, catalogue).map_err(StageError::NotApplicable)?;
    catalogue.resample(&*built.method, train, encode, context)
}

fn replace(
    built: &Built<ResamplerCaps, dyn Resampler>,
    id: &str,
    catalogue: &Catalogue,
) -> Result<Built<ResamplerCaps, dyn Resampler>, String> {
    let entry = find(catalogue.resamplers, id).ok_or("it is not in the catalogue")?;
    let given: BTreeMap<String, ParamValue> = built
        .params
        .iter()
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect();
    let params = check(entry.card.params, &given).map_err(|errors| {
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    Parts::build(entry, params, Arc::clone(&built.grid)).map_err(|error| error.to_string())
}

/// What of a cell would take rows that have weights for equal ones.
fn ignores_weights(model: &Model, correction: &Correction, resampler: &Planned) -> Option<String> {
    let learner = model.learner.entry;
    let resampler = resampler.as_ref().ok().and_then(Option::as_ref);
    let (ensemble, decide) = (&correction.ensemble, &correction.decide);
    let parts = [
        (learner.caps.honours.row_weights, learner.card.id),
        (
            resampler.is_none_or(|built| built.entry.caps.weighs),
            resampler.map_or("", |built| built.entry.card.id),
        ),
        (
            ensemble
                .as_ref()
                .is_none_or(|built| built.entry.caps.weighs),
            ensemble.as_ref().map_or("", |built| built.entry.card.id),
        ),
        (decide.method.weighs(), decide.entry.card.id),
    ];
    let (_, id) = parts.into_iter().find(|(honours, _)| !honours)?;
    Some(format!("`{id}` does not honour weights of rows"))
}

/// What is known before any work: the cells that will not run, and why.
pub(super) fn settle(
    unit: &Unit,
    input: &Input,
    model: &Model,
    correction: &Correction,
    resampler: &Planned,
) -> Option<(Outcome, String)> {
    if let Rows::None(outcome, reason) = &unit.rows {
        return Some((*outcome, reason.clone()));
    }
    let no = |reason: String| Some((Outcome::NotApplicable, reason));
    let caps = &model.learner.entry.caps;
    let kind = model.learner.entry.card.id;
    if input.n_classes > 2 && !caps.multiclass {
        return no(format!("`{kind}` takes two classes only"));
    }
    let loss = correction.loss.method.needs();
    let honours = caps.honours;
    let minibatches = correction
        .resample
        .as_ref()
        .is_some_and(|built| built.entry.caps.minibatches);
    if input.weights.is_some()
        && let Some(reason) = ignores_weights(model, correction, resampler)
    {
        return no(reason);
    }
    let redrawn = minibatches && !honours.minibatches;
    let redrawn = redrawn.then_some("minibatches of a changed composition");
    if let Some(what) = loss.beyond(&honours).or(redrawn) {
        return no(format!("`{kind}` does not honour {what}"));
    }
    let decide = correction.decide.method.needs();
    let rule = correction.decide.entry.card.id;
    let votes = caps.scores == ScoreKind::Vote;
    if let Some(ensemble) = &correction.ensemble {
        let needs = ensemble.method.needs();
        let id = ensemble.entry.card.id;
        if needs.member && model.learner.method.member().is_none() {
            return no(format!(
                "`{id}` needs a model of trees or a tree, `{kind}` has no members"
            ));
        }
        if needs.probabilities && votes {
            return no(format!("`{id}` needs scores, `{kind}` gives votes only"));
        }
        if decide.linear_head {
            return no(format!("`{rule}` needs a linear head, `{id}` has none"));
        }
    }
    // The votes of an ensemble's members become shares.
    if decide.probabilities && votes && correction.ensemble.is_none() {
        return no(format!("`{rule}` needs scores, `{kind}` gives votes only"));
    }
    if decide.binary && input.n_classes != 2 {
        return no(format!("`{rule}` is for two classes"));
    }
    if let Err((outcome, reason)) = resampler {
        return Some((*outcome, reason.clone()));
    }
    let rows = unit.train.total();
    if let Some(features) = model.features
        && let Some(reason) = Polynomial::over_the_limit(rows, input.n_encoded, features.polynomial)
    {
        return no(reason);
    }
    if let Some(most) = caps.max_rows.filter(|most| rows > *most) {
        return no(format!(
            "over the size limit: {rows} training rows, `{kind}` is given {most}"
        ));
    }
    None
}
