//! Scores in, decisions out, without a sweep: every decision rule on the scores of any model, judged on held-out rows.

mod file;
mod inputs;
mod judge;
mod shown;
mod tables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use counterweight_core::{
    Cells, Decision, Decisions, Labels, Metric, Prior, RuleCaps, ScoreKind, Scores, Table, find,
    nearest, params,
};
use counterweight_harness::config;
use counterweight_harness::config::method::Built;
use serde::Serialize;

use crate::catalogue::CATALOGUE;
use crate::exit::{Error, Result};
use file::ScoresFile;
use inputs::{costs, given_folds, labelled, shares, weights};
use judge::{Costs, HeldOut, Rule, interval, select, stratified};

pub(crate) use inputs::by_class;
pub(crate) use shown::bracket;
pub use shown::{DecideReport, write_decisions};
pub(crate) use tables::view;

/// Folds of the held-out rows where the file gives none.
const FOLDS: usize = 5;

/// The rule of least expected cost, which no sweep can name: a row may have costs of its own.
const LEAST_COST: &str = "least-cost";

/// Class shares.
#[derive(Clone, Debug, PartialEq)]
pub enum Shares {
    /// Those of the held-out rows.
    HeldOut,
    /// Equal ones.
    Uniform,
    /// Nobody knows.
    Unknown,
    /// Estimated on the rows to decide, by EM (Saerens, Latinne and Decaestecker 2002).
    Estimate,
    /// As given, by class.
    Given(Vec<(String, f64)>),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct DecideOptions {
    /// The rows to decide: a column `p_CLASS` a class, of two classes one is enough; whatever else stands there is
    /// passed on.
    pub scores: PathBuf,
    /// Rows that the model did not learn from, with their labels; a column `fold` says which of them are scored by
    /// one model.
    pub calibration: PathBuf,
    /// The column of the classes.
    pub label: String,
    /// Decisions as a sweep file writes them; the first decides.
    pub with: Vec<String>,
    /// What tuned rules are tuned for and all are compared by: a metric of decisions.
    pub metric: String,
    /// The class shares that the model learnt.
    pub prior: Shares,
    /// The class shares that the rule will meet.
    pub target: Shares,
    /// Cost of missing a row, by class.
    pub costs: Vec<(String, f64)>,
    /// The same as a column of each row's own cost, by class.
    pub cost_columns: Vec<(String, String)>,
    /// Seed of folds and resamples.
    pub seed: u64,
}

/// A value with its 95 % interval over resamples of rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimated {
    /// The value.
    pub value: f64,
    /// Ends of the interval; none below 20 resamples.
    pub interval: Option<(f64, f64)>,
}

/// A rule on the held-out rows, each decided by a fit on the other folds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedRule {
    /// The rule with its parameters.
    pub rule: String,
    /// Why it cannot be judged or used.
    pub reason: Option<String>,
    /// The metric that was asked for; the mean cost of a row where costs are given.
    pub value: Option<Estimated>,
    /// Its value less that of the rule that decides, on the same resamples.
    pub difference: Option<Estimated>,
    /// Balanced error, error rate and worst recall.
    pub errors: [Option<f64>; 3],
    /// The value on the rows to decide, where they have labels.
    pub on_scores: Option<f64>,
}

/// How far probabilities mean what they say on the held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedCalibrator {
    /// The calibrator; `as given` for none.
    pub calibrator: String,
    /// Log loss, Brier score and expected calibration error.
    pub values: [Option<f64>; 3],
}

/// Class shares of the rows to decide, estimated without their labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EstimatedShares {
    /// By what.
    pub by: String,
    /// One a class.
    pub shares: Vec<Estimated>,
}

/// Decides rows by the scores of any model.
///
/// Held-out rows are split into folds (their own column `fold`, else five stratified ones); each rule is fitted on the
/// other folds and judged on the fold. Intervals are over resamples of held-out rows, class by class. The rule that
/// decides is the first of [`DecideOptions::with`]; without one that of least expected cost where costs are given, else
/// `tuned-threshold`, and `argmax` where a target prior makes the metric depend on shares that tuning cannot see.
///
/// Cost: a fit of each rule a fold, and up to 200 more of the rule that decides.
///
/// # Errors
/// For a file that cannot be read, rows that are no probabilities, unknown classes, columns, rules and metrics, and
/// when the rule that decides cannot be fitted.
pub fn decide(options: &DecideOptions) -> Result<DecideReport> {
    Desk::read(options)?.report()
}

/// A decision of the registry with its text, or the rule of least cost.
struct Arm {
    name: String,
    built: Option<Built<RuleCaps, dyn Decision>>,
}

impl Arm {
    fn rule(&self) -> Rule<'_> {
        match &self.built {
            Some(built) => Rule::Listed(built),
            None => Rule::LeastCost,
        }
    }
}

/// Everything that was read and asked.
struct Desk<'a> {
    options: &'a DecideOptions,
    held: HeldOut,
    classes: Vec<String>,
    /// The rows to decide.
    scores: Scores,
    truth: Option<Labels>,
    file: ScoresFile,
    costs: Option<Costs>,
    /// What the scores know of class shares, after the shift to the target.
    prior: Option<Prior>,
    /// The target, where it is not that of the held-out rows.
    target: Option<Prior>,
    estimated: Vec<EstimatedShares>,
    arms: Vec<Arm>,
    metric: Box<dyn Metric>,
    lower_is_better: bool,
}

impl<'a> Desk<'a> {
    fn read(options: &'a DecideOptions) -> Result<Self> {
        let held_file = ScoresFile::read(&options.calibration, &options.label)?;
        let file = ScoresFile::read(&options.scores, &options.label)?;
        let texts = held_file.labels()?;
        if texts.iter().all(|text| *text == texts[0]) {
            return Err(
                Error::usage(format!("{}: one class only", options.calibration.display()))
                    .hint("held-out rows of every class are needed"),
            );
        }
        let classes = held_file.classes(&texts)?;
        let labels = labelled(&texts, &classes, &options.calibration)?;
        let counts = labels.counts();
        let truth = if file.has(&options.label) {
            Some(labelled(&file.labels()?, &classes, &options.scores)?)
        } else {
            None
        };
        let folds = if held_file.has("fold") {
            given_folds(&held_file.numbers("fold")?)
        } else {
            let least = counts.smallest_present();
            if least < 2 {
                return Err(Error::usage(format!(
                    "{}: a class has one row, which cannot be both fitted and judged on",
                    options.calibration.display()
                ))
                .hint("give more held-out rows of it"));
            }
            stratified(&labels, FOLDS.min(least), options.seed)
        };
        let mut scores = file.scores(&classes)?;
        let own_costs = costs(options, &file, &classes, true)?;
        let held_costs = costs(options, &held_file, &classes, false)?;
        let mut held = HeldOut {
            scores: held_file.scores(&classes)?,
            weights: vec![1.0; labels.len()],
            labels,
            folds,
            costs: held_costs,
        };
        if held.n_folds() < 2 {
            let file = options.calibration.display();
            return Err(
                Error::usage(format!("{file}: column `fold` holds one fold"))
                    .hint("give it two at least, or leave it out"),
            );
        }
        let own = match &options.prior {
            Shares::Unknown => None,
            given => Some(shares(given, &classes, &held, "--prior")?),
        };
        let estimated = own
            .as_ref()
            .map_or_else(Vec::new, |own| estimates(&held, &scores, own, options.seed));
        let target = match &options.target {
            Shares::HeldOut => None,
            Shares::Estimate => {
                let em = estimated.first().ok_or_else(|| {
                    Error::usage("--target-prior estimate needs scores with a known prior")
                        .hint("give --prior")
                })?;
                let shares = em
                    .shares
                    .iter()
                    .map(|share| share.value.max(1e-9))
                    .collect();
                Some(Prior::from_weights(shares).map_err(|e| Error::usage(e.to_string()))?)
            }
            other => Some(shares(other, &classes, &held, "--target-prior")?),
        };
        let prior = match (&own, &target) {
            (Some(own), Some(target)) => {
                let shifted = |scores: &Scores| {
                    let shifted = scores.shift_prior(own, target);
                    shifted.map_err(|error| Error::usage(format!("--target-prior: {error}")))
                };
                scores = shifted(&scores)?;
                held.scores = shifted(&held.scores)?;
                held.weights = weights(&held.labels, target);
                Some(target.clone())
            }
            (None, Some(_)) => {
                return Err(
                    Error::usage("--target-prior needs scores with a known prior")
                        .hint("give --prior"),
                );
            }
            _ => own,
        };
        let (metric, lower_is_better, dependent) = metric(&options.metric)?;
        let tuned = !(dependent && target.is_some());
        let arms = arms(options, own_costs.is_some(), tuned)?;
        Ok(Self {
            options,
            held,
            classes,
            scores,
            truth,
            file,
            costs: own_costs,
            prior,
            target,
            estimated,
            arms,
            metric,
            lower_is_better,
        })
    }

    /// What a rule's decisions on these rows are worth: the mean cost where costs are given, else the metric.
    fn worth(&self, decisions: &Decisions, rows: &[usize]) -> Option<f64> {
        match &self.held.costs {
            Some(costs) => Some(costs.mean(&self.held.labels, decisions, rows, &self.held.weights)),
            None => self.held.value(&*self.metric, (decisions, None), rows),
        }
    }

    fn lower_is_better(&self) -> bool {
        self.held.costs.is_some() || self.lower_is_better
    }

    fn report(self) -> Result<DecideReport> {
        let all: Vec<usize> = (0..self.held.n()).collect();
        let draws = self.held.draws(self.options.seed);
        let chosen = &self.arms[0];
        let answer = self
            .held
            .answer(
                &chosen.rule(),
                &all,
                self.prior.as_ref(),
                (&self.scores, self.costs.as_ref()),
            )
            .map_err(|error| Error::usage(format!("`{}`: {error}", chosen.name)))?;
        let errors = ["balanced_error", "error_rate", "worst_recall"]
            .map(|id| metric(id).map(|found| found.0));
        let errors: Vec<Box<dyn Metric>> = errors.into_iter().collect::<Result<_>>()?;
        let mut rules: Vec<JudgedRule> = Vec::new();
        let mut base: Vec<Option<f64>> = Vec::new();
        let mut crossed: Vec<(String, Decisions)> = Vec::new();
        for arm in &self.arms {
            let mut judged = JudgedRule {
                rule: arm.name.clone(),
                reason: None,
                value: None,
                difference: None,
                errors: [None; 3],
                on_scores: None,
            };
            match self.held.crossed(&arm.rule(), self.prior.as_ref()) {
                Err(error) => judged.reason = Some(error.to_string()),
                Ok((decisions, _)) => {
                    let drawn: Vec<Option<f64>> = draws
                        .iter()
                        .map(|rows| self.worth(&decisions, rows))
                        .collect();
                    let value = self.worth(&decisions, &all);
                    judged.value = value.map(|value| Estimated {
                        value,
                        interval: interval(&drawn.iter().copied().flatten().collect::<Vec<_>>()),
                    });
                    if rules.is_empty() {
                        base.clone_from(&drawn);
                    } else if let (Some(value), Some(first)) = (value, rules[0].value) {
                        let pairs = drawn.iter().zip(&base);
                        let differences =
                            pairs.filter_map(|(own, first)| Some((*own)? - (*first)?));
                        judged.difference = Some(Estimated {
                            value: value - first.value,
                            interval: interval(&differences.collect::<Vec<_>>()),
                        });
                    }
                    for (place, metric) in judged.errors.iter_mut().zip(&errors) {
                        *place = self.held.value(&**metric, (&decisions, None), &all);
                    }
                    crossed.push((arm.name.clone(), decisions));
                }
            }
            judged.on_scores = self.on_scores(arm);
            rules.push(judged);
        }
        let calibrators = self.calibrators()?;
        let spread = self.spread(&draws, &answer.details);
        shown::report(self, &answer, (rules, crossed), calibrators, spread)
    }

    /// A rule on the rows to decide, where they have labels.
    fn on_scores(&self, arm: &Arm) -> Option<f64> {
        let truth = self.truth.as_ref()?;
        let all: Vec<usize> = (0..self.held.n()).collect();
        let given = (&self.scores, self.costs.as_ref());
        let answer = self
            .held
            .answer(&arm.rule(), &all, self.prior.as_ref(), given)
            .ok()?;
        let new = HeldOut {
            scores: self.scores.clone(),
            labels: truth.clone(),
            folds: vec![0; truth.len()],
            costs: self.costs.clone(),
            weights: vec![1.0; truth.len()],
        };
        let rows: Vec<usize> = (0..truth.len()).collect();
        match &new.costs {
            Some(costs) => Some(costs.mean(truth, &answer.decisions, &rows, &new.weights)),
            None => new.value(&*self.metric, (&answer.decisions, None), &rows),
        }
    }

    /// The probabilities as given and by each calibrator that was fitted on the other folds.
    fn calibrators(&self) -> Result<Vec<(JudgedCalibrator, Scores)>> {
        let metrics = ["log_loss", "brier", "ece"].map(|id| metric_of(id).map(|found| found.0));
        let metrics: Vec<Box<dyn Metric>> = metrics.into_iter().collect::<Result<_>>()?;
        let all: Vec<usize> = (0..self.held.n()).collect();
        let mut found = Vec::new();
        let plain = Decisions::new(vec![0; self.held.n()]);
        let mut add = |name: &str, scores: Scores| {
            let mut values = [None; 3];
            for (place, metric) in values.iter_mut().zip(&metrics) {
                *place = self.held.value(&**metric, (&plain, Some(&scores)), &all);
            }
            let calibrator = name.to_owned();
            found.push((JudgedCalibrator { calibrator, values }, scores));
        };
        add("as given", self.held.scores.clone());
        for name in counterweight_corrections::calibrate::WORDS {
            let built = decision(&format!("{{ kind = \"calibrated\", by = \"{name}\" }}"))?;
            // What cannot be fitted to these rows has no line.
            if let Ok((_, scores)) = self
                .held
                .crossed(&Rule::Listed(&built), self.prior.as_ref())
            {
                add(name, scores);
            }
        }
        Ok(found)
    }

    /// The threshold or offsets of the rule that decides, and how they scatter when the held-out rows are drawn anew.
    fn spread(
        &self,
        draws: &[Vec<usize>],
        details: &BTreeMap<String, f64>,
    ) -> Vec<(String, Estimated)> {
        let wanted = |name: &str| {
            name == "threshold"
                || name == "tau"
                || (self.classes.len() > 2 && name.starts_with("offset["))
        };
        let names: Vec<&String> = details.keys().filter(|name| wanted(name)).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let chosen = self.arms[0].rule();
        let given = (&self.scores, self.costs.as_ref());
        let fits: Vec<BTreeMap<String, f64>> = draws
            .iter()
            .filter_map(|rows| {
                self.held
                    .answer(&chosen, rows, self.prior.as_ref(), given)
                    .ok()
            })
            .map(|answer| answer.details)
            .collect();
        let of = |name: &String| {
            let found: Vec<f64> = fits
                .iter()
                .filter_map(|details| details.get(name).copied())
                .collect();
            let value = Estimated {
                value: details[name],
                interval: interval(&found),
            };
            (name.clone(), value)
        };
        names.into_iter().map(of).collect()
    }
}

/// Reads a decision as a sweep file writes it.
fn decision(text: &str) -> Result<Built<RuleCaps, dyn Decision>> {
    config::decision(text, "--with", &CATALOGUE).map_err(|list| Error {
        list,
        ..Error::usage("--with is no decision; nothing was done")
    })
}

/// The rules to compare, that which decides first.
fn arms(options: &DecideOptions, costs: bool, tuned: bool) -> Result<Vec<Arm>> {
    let mut texts: Vec<String> = options.with.clone();
    let metric = &options.metric;
    if tuned {
        texts.push(format!(
            "{{ kind = \"tuned-threshold\", metric = \"{metric}\" }}"
        ));
    }
    texts.push("argmax".to_owned());
    texts.push("logit-adjust".to_owned());
    if tuned {
        texts.push(format!("{{ kind = \"tuned-tau\", metric = \"{metric}\" }}"));
    }
    let mut arms: Vec<Arm> = Vec::new();
    let least = || Arm {
        name: LEAST_COST.to_owned(),
        built: None,
    };
    if costs && options.with.is_empty() {
        arms.push(least());
    }
    let asked = options.with.len();
    let mut known: Vec<String> = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let built = decision(text)?;
        let whole = built.canonical();
        // What is compared unasked goes by its kind: the rest is the metric and defaults.
        let kind = built.entry.card.id;
        let name = if at < asked && text.trim() != kind {
            whole.clone()
        } else {
            kind.to_owned()
        };
        if !known.contains(&whole) {
            known.push(whole);
            arms.push(Arm {
                name,
                built: Some(built),
            });
        }
    }
    if costs && !options.with.is_empty() {
        arms.push(least());
    }
    Ok(arms)
}

/// A metric of the registry at its defaults: itself, whether less is better, and whether it depends on class shares.
fn metric_of(id: &str) -> Result<(Box<dyn Metric>, bool, bool)> {
    let word = id.replace('-', "_");
    let entry = find(CATALOGUE.metrics, &word).ok_or_else(|| {
        let error = Error::usage(format!("unknown metric `{id}`"));
        match nearest(&word, CATALOGUE.metrics.iter().map(|entry| entry.card.id)) {
            Some(close) => error.hint(format!("did you mean `{close}`?")),
            None => error.hint("`counterweight list metrics` names them"),
        }
    })?;
    let problem = |error: &dyn std::fmt::Display| Error::usage(format!("metric `{id}`: {error}"));
    let params = params::check(entry.card.params, &BTreeMap::new());
    let params = params.map_err(|mut errors| {
        errors
            .pop()
            .map_or_else(|| problem(&"no defaults"), |e| problem(&e))
    })?;
    let metric = (entry.build)(&params).map_err(|error| problem(&error))?;
    Ok((
        metric,
        entry.caps.lower_is_better.unwrap_or(true),
        entry.caps.prior_dependent,
    ))
}

/// A metric of decisions.
fn metric(id: &str) -> Result<(Box<dyn Metric>, bool, bool)> {
    let found = metric_of(id)?;
    let scored = find(CATALOGUE.metrics, &id.replace('-', "_"))
        .is_some_and(|entry| entry.caps.probabilities);
    if scored {
        return Err(Error::usage(format!(
            "`{id}` is a metric of scores, which no decision changes"
        ))
        .hint("compare rules by a metric of decisions, such as balanced_error"));
    }
    Ok(found)
}

/// The class shares of unlabelled scores, by EM and by the confusion matrix of the held-out rows.
fn estimates(held: &HeldOut, scores: &Scores, own: &Prior, seed: u64) -> Vec<EstimatedShares> {
    let all: Vec<usize> = (0..held.n()).collect();
    let k = scores.n_classes();
    let unlabelled = HeldOut {
        scores: scores.clone(),
        labels: Labels::from_texts(&vec!["row"; scores.n_rows()]),
        folds: Vec::new(),
        costs: None,
        weights: Vec::new(),
    };
    let draws = unlabelled.draws(seed);
    let mut found = Vec::new();
    if scores.kind() != ScoreKind::Probability {
        return found;
    }
    for by in ["saerens-em", "bbse"] {
        let Ok(built) = decision(by) else { continue };
        let rule = Rule::Listed(&built);
        let of = |scores: &Scores| -> Option<Vec<f64>> {
            let answer = held.answer(&rule, &all, Some(own), (scores, None)).ok()?;
            let details = answer.details;
            (0..k)
                .map(|class| details.get(&format!("target_prior[{class}]")).copied())
                .collect()
        };
        let Some(shares) = of(scores) else { continue };
        let drawn: Vec<Vec<f64>> = draws
            .iter()
            .take(100)
            .filter_map(|rows| of(&select(scores, rows).ok()?))
            .collect();
        let share = |(class, value): (usize, &f64)| Estimated {
            value: *value,
            interval: interval(&drawn.iter().map(|shares| shares[class]).collect::<Vec<_>>()),
        };
        found.push(EstimatedShares {
            by: by.to_owned(),
            shares: shares.iter().enumerate().map(share).collect(),
        });
    }
    found
}

/// A column of a table.
fn column(table: Table, name: String, cells: Cells) -> Result<Table> {
    table
        .with(name, cells)
        .map_err(|error| Error::internal(error.to_string()))
}
