//! Stages with one mistake each, in the catalogue's own form.

use std::fmt::Debug;

use counterweight_core::{
    Calib, Catalogue, ColumnValues, Dataset, DecideContext, Decision, DecisionNeeds, Decisions,
    Details, Entry, FittedRule, Labels, Loss, LossContext, LossNeeds, LossTerms, OffsetRule,
    Origin, ParamError, Params, Resampler, Rule, Samples, Scores, StageContext, StageResult, Train,
    find,
};

use crate::{SOUND, shelf};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Post-hoc logit adjustment adds what it should subtract.
    SignOfTau,
    /// It takes the prior of class 0 for class 1 and the other way round.
    SwappedPriors,
    /// The weighted loss weighs every row alike.
    NoWeights,
    /// SMOTE draws its neighbours from all rows, those of the test set included.
    Leak,
    /// Logit adjustment subtracts the training prior on top of the scores' own.
    PriorTwice,
    /// The prior threshold asks for a probability higher by .1 of the rarest class.
    ShiftedThreshold,
    /// Ties go to the highest class.
    Ties,
}

impl Mutant {
    /// Whether a correction has the stage in question.
    pub(crate) fn touches(self, correction: &str) -> bool {
        match self {
            Self::SignOfTau | Self::SwappedPriors | Self::PriorTwice => {
                ["logit-adjust", "random-over+adjust"].contains(&correction)
            }
            Self::NoWeights => correction == "inverse-frequency",
            Self::Leak => correction == "smote",
            Self::ShiftedThreshold => correction == "prior-threshold",
            Self::Ties => true,
        }
    }

    /// The catalogue with the mistake in it.
    pub(crate) fn catalogue(self) -> Catalogue {
        let decisions = |id, build| Catalogue {
            decisions: swapped(SOUND.decisions, id, build),
            ..SOUND
        };
        match self {
            Self::SignOfTau => decisions("logit-adjust", |p| Ok(Box::new(Offsets::of(p, sign)))),
            Self::SwappedPriors => {
                decisions("logit-adjust", |p| Ok(Box::new(Offsets::of(p, swap))))
            }
            Self::PriorTwice => decisions("logit-adjust", |p| Ok(Box::new(Offsets::of(p, twice)))),
            Self::ShiftedThreshold => decisions("prior-threshold", |_| {
                Ok(Box::new(Offsets {
                    tau: 1.0,
                    change: shifted,
                }))
            }),
            Self::NoWeights => Catalogue {
                losses: swapped(SOUND.losses, "weighted", |p| {
                    Ok(Box::new(Unweighted(original(SOUND.losses, "weighted", p)?)))
                }),
                ..SOUND
            },
            Self::Leak => Catalogue {
                resamplers: swapped(SOUND.resamplers, "smote", |p| {
                    Ok(Box::new(Leaky(original(SOUND.resamplers, "smote", p)?)))
                }),
                ..SOUND
            },
            Self::Ties => {
                let entries = swapped(SOUND.decisions, "argmax", |_| {
                    Ok(Box::new(HighestOfTies { tau: 0.0 }))
                });
                let entries = swapped(entries, "logit-adjust", |p| {
                    Ok(Box::new(HighestOfTies { tau: p.real("tau") }))
                });
                let entries = swapped(entries, "prior-threshold", |_| {
                    Ok(Box::new(HighestOfTies { tau: 1.0 }))
                });
                Catalogue {
                    decisions: entries,
                    ..SOUND
                }
            }
        }
    }
}

type Build<T> = fn(&Params) -> Result<Box<T>, ParamError>;

/// The list with another way of building `id`. Leaked, since catalogues live for ever.
fn swapped<C: Copy, T: ?Sized>(
    entries: &'static [Entry<C, T>],
    id: &str,
    build: Build<T>,
) -> &'static [Entry<C, T>] {
    assert!(find(entries, id).is_some(), "{id} is in the catalogue");
    let list: Vec<Entry<C, T>> = entries
        .iter()
        .map(|entry| Entry {
            card: entry.card,
            caps: entry.caps,
            build: if entry.card.id == id {
                build
            } else {
                entry.build
            },
        })
        .collect();
    Box::leak(list.into_boxed_slice())
}

fn original<C, T: ?Sized>(
    entries: &'static [Entry<C, T>],
    id: &str,
    params: &Params,
) -> Result<Box<T>, ParamError> {
    (find(entries, id).expect("it is in the catalogue").build)(params)
}

/// The scores' own prior, the training prior and tau become offsets.
type Change = fn(&[f64], &[f64], f64) -> Vec<f64>;

#[derive(Clone, Debug)]
struct Offsets {
    tau: f64,
    change: Change,
}

impl Offsets {
    fn of(params: &Params, change: Change) -> Self {
        Self {
            tau: params.real("tau"),
            change,
        }
    }
}

/// tau log p, and nothing for an absent class, which is never chosen anyway.
fn log(p: f64, tau: f64) -> f64 {
    if p > 0.0 { tau * p.ln() } else { 0.0 }
}

fn sign(own: &[f64], _: &[f64], tau: f64) -> Vec<f64> {
    own.iter().map(|p| log(*p, -tau)).collect()
}

fn swap(own: &[f64], _: &[f64], tau: f64) -> Vec<f64> {
    let mut offsets: Vec<f64> = own.iter().map(|p| log(*p, tau)).collect();
    offsets.swap(0, 1);
    offsets
}

fn twice(own: &[f64], train: &[f64], tau: f64) -> Vec<f64> {
    own.iter()
        .zip(train)
        .map(|(p, q)| log(*p, tau) + log(*q, tau))
        .collect()
}

fn shifted(own: &[f64], _: &[f64], tau: f64) -> Vec<f64> {
    let present = own.iter().copied().filter(|p| *p > 0.0);
    let least = present.fold(f64::INFINITY, f64::min);
    own.iter()
        .map(|p| log(if *p > least { *p } else { p + 0.1 }, tau))
        .collect()
}

impl Decision for Offsets {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: true,
            scores_prior: true,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _: Option<&Calib>) -> StageResult<FittedRule> {
        let train = context.train_prior()?;
        let own = context.scores_prior.unwrap_or(&train);
        let offsets = (self.change)(own.as_slice(), train.as_slice(), self.tau);
        Ok(fitted(Box::new(OffsetRule::new(offsets, context.train))))
    }
}

fn fitted(rule: Box<dyn Rule>) -> FittedRule {
    FittedRule {
        rule,
        details: Details::new(),
        notes: Vec::new(),
    }
}

/// The sound rule but for ties.
#[derive(Clone, Debug)]
struct HighestOfTies {
    tau: f64,
}

#[derive(Clone, Debug)]
struct LastArgmax(Vec<f64>);

impl Rule for LastArgmax {
    fn decide(&self, scores: &Scores) -> StageResult<Decisions> {
        let labels = scores
            .log()
            .iter_rows()
            .map(|row| {
                let mut best = (0, f64::NEG_INFINITY);
                for (class, (score, offset)) in (0..).zip(row.iter().zip(&self.0)) {
                    let value = score - offset;
                    if *score > f64::NEG_INFINITY && value >= best.1 - 1e-12 {
                        best = (class, value.max(best.1));
                    }
                }
                best.0
            })
            .collect();
        Ok(Decisions::new(labels))
    }
}

impl Decision for HighestOfTies {
    fn needs(&self) -> DecisionNeeds {
        DecisionNeeds {
            probabilities: self.tau > 0.0,
            scores_prior: self.tau > 0.0,
            ..DecisionNeeds::default()
        }
    }

    fn fit(&self, context: &DecideContext<'_>, _: Option<&Calib>) -> StageResult<FittedRule> {
        let train = context.train_prior()?;
        let own = context.scores_prior.unwrap_or(&train);
        let offsets = own.as_slice().iter().map(|p| log(*p, self.tau)).collect();
        Ok(fitted(Box::new(LastArgmax(offsets))))
    }
}

#[derive(Debug)]
struct Unweighted(Box<dyn Loss>);

impl Loss for Unweighted {
    fn needs(&self) -> LossNeeds {
        self.0.needs()
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let mut terms = self.0.terms(context)?;
        for weight in &mut terms.weights {
            *weight = if *weight > 0.0 { 1.0 } else { 0.0 };
        }
        Ok(terms)
    }
}

#[derive(Debug)]
struct Leaky(Box<dyn Resampler>);

impl Resampler for Leaky {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let made = self.0.resample(train, context)?;
        let sets = shelf().0.lock().unwrap();
        let Some((_, whole)) = sets.iter().find(|(_, data)| holds(data, train.samples())) else {
            // Rows drawn from a population: there is no whole to leak from.
            return Ok(made);
        };
        made.derive(|samples| with_test_rows(samples, train.samples(), whole))
    }
}

fn row_of(data: &Dataset, row: usize) -> Vec<f64> {
    data.columns()
        .iter()
        .map(|column| match &column.values {
            ColumnValues::Numeric(values) => values[row],
            ColumnValues::Nominal { codes, .. } => f64::from(codes[row]),
        })
        .collect()
}

/// Whether these training rows were cut from `data`.
fn holds(data: &Dataset, train: &Samples) -> bool {
    data.n_features() == train.x().cols()
        && data.labels().names() == train.y().names()
        && (0..data.n_rows()).any(|row| row_of(data, row) == train.x().row(0))
}

/// Beside what SMOTE made: for every row outside the training set a point right beside it.
fn with_test_rows(made: &Samples, train: &Samples, whole: &Dataset) -> StageResult<Samples> {
    let known: Vec<&[f64]> = train.x().iter_rows().collect();
    let mut x = made.x().clone();
    let mut y = made.y().ids().to_vec();
    let mut origins = made.origins().to_vec();
    for row in 0..whole.n_rows() {
        let outside = row_of(whole, row);
        let class = whole.labels().class(row);
        let towards = known
            .iter()
            .zip(train.y().ids())
            .find(|(_, label)| **label as usize == class);
        let (false, Some((base, label))) = (known.contains(&outside.as_slice()), towards) else {
            continue;
        };
        let between: Vec<f64> = base
            .iter()
            .zip(&outside)
            .map(|(from, to)| from + 0.999 * (to - from))
            .collect();
        x.push_row(&between)?;
        y.push(*label);
        origins.push(Origin::Synthetic {
            base: 0,
            neighbour: row,
        });
    }
    let labels = Labels::new(y, made.y().names().clone())?;
    Ok(Samples::new(x, made.kinds().clone(), labels, origins)?)
}
