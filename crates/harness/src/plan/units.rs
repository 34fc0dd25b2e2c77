//! Splits every input: one [`Unit`] for each ratio, repeat and fold.

use counterweight_core::{ClassCounts, Dataset, Name, Note, Outcome, Partition, StageError};
use counterweight_data::profile::{self, FEWEST_RARE, Rare, Ratio, Size, Thinning};
use counterweight_data::split::{hold_out, hold_out_evenly, stratified_folds};

use super::identity::{draw_key, fold_key, of_dataset, of_population, thinned_key};
use super::inputs::pair_partition;
use super::{Input, InputKind, Rows, Unit, shift};
use crate::config::Sweep;
use crate::config::limits::MOST_ROWS;
use crate::config::sweep::{PopulationSpec, RatioSpec, SizeSpec, SplitSpec, TestPrior};
use counterweight_config::Diagnostics;

/// The splits of every input; ratios and folds that cannot be go to `errors`.
pub(super) fn split(sweep: &Sweep, inputs: &[Input], errors: &mut Diagnostics) -> Vec<Unit> {
    let mut units = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let splitter = Splitter { sweep, at, input };
        match &input.kind {
            InputKind::Population(spec) => {
                splitter.draw(spec, &mut units, errors);
            }
            InputKind::Real(data) => splitter.cut(data, &mut units, errors),
        }
    }
    units
}

/// The folds of one repeat, or why there are none.
type Folds = Result<(Vec<Partition>, Vec<Note>), (Outcome, String)>;

/// One step of a list of ratios.
struct Rung {
    ratio: RatioSpec,
    profile: Name,
    thinning: Option<Thinning>,
    /// Along a ladder, the rows of each class, or why there are none.
    held: Option<Result<ClassCounts, String>>,
}

/// One input of a sweep, to be split.
#[derive(Clone, Copy)]
struct Splitter<'a> {
    sweep: &'a Sweep,
    at: usize,
    input: &'a Input,
}

impl Splitter<'_> {
    fn draw(&self, spec: &PopulationSpec, units: &mut Vec<Unit>, errors: &mut Diagnostics) {
        let Self { sweep, at, input } = *self;
        let k = input.n_classes;
        if self.other_classes(
            spec.test_prior.as_ref(),
            ("population", &spec.id, spec.line),
            errors,
        ) {
            return;
        }
        let classes: Vec<(usize, String)> =
            (0..k).map(|class| (class, class.to_string())).collect();
        let more = of_population(sweep, spec);
        let kinds = spec.ratios.iter().flat_map(|&ratio| {
            let kinds = shift::variants((spec.profile, spec.rare, ratio), &classes, "first");
            kinds.into_iter().map(move |kind| (ratio, kind))
        });
        for (ratio, (name, rare)) in kinds {
            let counts = Ratio::new(ratio).and_then(|ratio| match &spec.size {
                SizeSpec::Total(n) => profile::counts_of_total(spec.profile, k, ratio, *n),
                SizeSpec::Largest(n) => profile::counts_of_largest(spec.profile, k, ratio, *n),
                SizeSpec::Smallest(n) => profile::counts_of_smallest(spec.profile, k, ratio, *n),
                SizeSpec::Each(counts) => Ok(counts.clone()),
            });
            let train = match counts {
                Ok(train) => placed(&train, rare),
                Err(error) => {
                    errors.add(
                        Some(spec.line),
                        format!("population `{}` > imbalance_ratio", spec.id),
                        error.to_string(),
                        Some(match spec.size {
                            SizeSpec::Smallest(_) => "lower the ratio or `minority_count`".into(),
                            _ => format!("lower the ratio or raise `{}`", spec.size.entry().0),
                        }),
                    );
                    continue;
                }
            };
            if train.total() > MOST_ROWS {
                errors.add(
                    Some(spec.line),
                    format!("population `{}` > imbalance_ratio", spec.id),
                    format!(
                        "ratio {ratio} makes {} rows, at most {MOST_ROWS} are drawn",
                        train.total()
                    ),
                    Some(format!(
                        "lower the ratio or `{}`, or fix the size with `n_train`",
                        spec.size.entry().0
                    )),
                );
                continue;
            }
            let test = match shift::drawn(spec.n_test, spec.test_prior.as_ref(), &train) {
                Ok(test) => test,
                Err(message) => {
                    let key = format!("population `{}` > test_prior", spec.id);
                    let hint = "raise `n_test`, or the shares of `test_prior`";
                    errors.add(Some(spec.line), key, message, Some(hint.into()));
                    continue;
                }
            };
            for repeat in 0..sweep.protocol.repeats {
                let key = draw_key(input, &train, &test, repeat);
                units.push(Unit {
                    input: at,
                    ratio: RatioSpec::Induced(ratio),
                    profile: match spec.size {
                        SizeSpec::Each(_) => "counts".into(),
                        _ => name.clone(),
                    },
                    repeat,
                    fold: 0,
                    key,
                    rows: Rows::Draw,
                    train: train.clone(),
                    test: test.clone(),
                    table: None,
                    thinning: None,
                    shifted: spec.test_prior.is_some(),
                    more: more.clone(),
                    notes: Vec::new(),
                    groups: Vec::new(),
                });
            }
        }
    }

    /// Whether `test_prior` lists shares of another number of classes.
    fn other_classes(
        &self,
        prior: Option<&TestPrior>,
        (noun, id, line): (&str, &str, usize),
        errors: &mut Diagnostics,
    ) -> bool {
        let k = self.input.n_classes;
        let Some(TestPrior::Shares(shares)) = prior else {
            return false;
        };
        if shares.len() == k {
            return false;
        }
        let message = format!(
            "{} shares, and `{}` has {k} classes",
            shares.len(),
            self.input.id
        );
        let names = self.input.class_names();
        let hint = format!(
            "give one a class, in class order: {}",
            super::limits::shown(&names)
        );
        errors.add(
            Some(line),
            format!("{noun} `{id}` > test_prior"),
            message,
            Some(hint),
        );
        true
    }

    fn cut(&self, data: &Dataset, units: &mut Vec<Unit>, errors: &mut Diagnostics) {
        let Self { sweep, input, .. } = *self;
        let spec = &sweep.datasets[input.spec];
        if !spec.ladders.is_empty() && input.n_classes != 2 {
            let message = format!(
                "`{}` has {} classes, and a ladder thins two",
                input.id, input.n_classes
            );
            let hint = "add `rarest_vs_rest = true`: the rarest class against the others";
            let key = format!("dataset `{}` > ladder", spec.id);
            errors.add(Some(spec.line), key, message, Some(hint.into()));
            return;
        }
        if self.other_classes(
            spec.test_prior.as_ref(),
            ("dataset", &spec.id, spec.line),
            errors,
        ) {
            return;
        }
        let groups = data.groups().map(|groups| &**groups);
        let mut repeats: Vec<Folds> = Vec::new();
        for split in input.given.iter().flat_map(|given| given.iter()) {
            if split.fold == 0 {
                repeats.push(Ok((Vec::new(), Vec::new())));
            }
            if let Some(Ok((folds, _))) = repeats.last_mut() {
                folds.push(split.rows.clone());
            }
        }
        let drawn = if input.given.is_some() {
            0
        } else {
            sweep.protocol.repeats
        };
        for repeat in 0..drawn {
            let key = sweep
                .seed
                .stage("split")
                .text(&input.hash.hex())
                .number(repeat);
            let small = sweep.protocol.small_class;
            let held = spec.test_per_class.map(|size| {
                let counts = data.labels().counts();
                hold_out_evenly(data.labels(), size.rows(counts.smallest_present()), &key)
            });
            let folds = match (input.pair_train, sweep.protocol.split) {
                _ if held.is_some() => match held {
                    Some(Ok(partition)) => Ok((vec![partition], Vec::new())),
                    Some(Err(error)) => {
                        let key = format!("dataset `{}` > test_per_class", spec.id);
                        let hint = "lower `test_per_class`, or give a share of the smallest class, such as 0.3";
                        errors.add(Some(spec.line), key, error.to_string(), Some(hint.into()));
                        return;
                    }
                    None => return,
                },
                (Some(n_train), _) => match pair_partition(data.n_rows(), n_train) {
                    Ok(partition) => Ok((vec![partition], Vec::new())),
                    Err(error) => {
                        repeats.push(Err((Outcome::Failed, error.to_string())));
                        continue;
                    }
                },
                (None, SplitSpec::Folds(folds)) => {
                    stratified_folds(data.labels(), folds, groups, small, &key)
                }
                (None, SplitSpec::HoldOut(share)) => {
                    hold_out(data.labels(), share, groups, small, &key)
                        .map(|(partition, notes)| (vec![partition], notes))
                }
            };
            match folds {
                Ok(folds) => repeats.push(Ok(folds)),
                Err(StageError::Failed(message)) => {
                    let hint = "set `small_class` to \"clamp\" or \"skip\", or lower `folds`";
                    let key = format!("dataset `{}`", spec.id);
                    errors.add(Some(spec.line), key, message, Some(hint.into()));
                    return;
                }
                Err(other) => repeats.push(Err((Outcome::from(&other), other.to_string()))),
            }
        }
        for rung in self.rungs(data, &repeats) {
            for (repeat, folds) in repeats.iter().enumerate() {
                match folds {
                    Err((outcome, reason)) => {
                        let rows = Rows::None(*outcome, reason.clone());
                        units.push(self.unit(data, (&rung, repeat, 0), rows, &[]));
                    }
                    Ok((partitions, notes)) => {
                        for (fold, partition) in partitions.iter().enumerate() {
                            let rows = Rows::Cut(partition.clone());
                            units.push(self.unit(data, (&rung, repeat, fold), rows, notes));
                        }
                    }
                }
            }
        }
    }

    /// What the training rows of each split are thinned to. The rungs of a ladder have the same counts in all
    /// folds and repeats: those that the smallest training set can give.
    fn rungs(&self, data: &Dataset, repeats: &[Folds]) -> Vec<Rung> {
        let spec = &self.sweep.datasets[self.input.spec];
        if spec.ladders.is_empty() {
            let labels = data.labels();
            let names = labels.names().iter().cloned().enumerate();
            let counts = labels.counts();
            let present = |class: &(usize, String)| counts.as_slice()[class.0] > 0;
            let classes: Vec<(usize, String)> = names.filter(present).collect();
            let rungs = |&ratio: &RatioSpec| match ratio {
                RatioSpec::Natural => vec![Rung {
                    ratio,
                    profile: "natural".into(),
                    thinning: None,
                    held: None,
                }],
                RatioSpec::Induced(value) => {
                    shift::variants((spec.profile, spec.rare, value), &classes, "largest")
                        .into_iter()
                        .map(|(profile, rare)| Rung {
                            ratio,
                            profile,
                            thinning: Some(Thinning {
                                profile: spec.profile,
                                rare,
                                size: shift::size(spec.size.as_ref()),
                            }),
                            held: None,
                        })
                        .collect()
                }
            };
            return spec.ratios.iter().flat_map(rungs).collect();
        }
        let sets = repeats
            .iter()
            .flatten()
            .flat_map(|(partitions, _)| partitions);
        let counts = sets.map(|set| data.labels().select(set.train()).counts());
        let counts: Vec<ClassCounts> = counts.collect();
        // The rarer class is the last one.
        let least = |class: usize| counts.iter().map(|own| own.as_slice()[class]).min();
        let supply = (least(1).unwrap_or(0), least(0).unwrap_or(0));
        let asked = |ratio: &RatioSpec| match ratio {
            RatioSpec::Induced(ratio) => Ratio::new(*ratio).ok(),
            RatioSpec::Natural => None,
        };
        let ratios: Vec<Ratio> = spec.ratios.iter().filter_map(asked).collect();
        let mut rungs = Vec::new();
        for ladder in &spec.ladders {
            let counts = ladder.rungs(supply, &ratios);
            let reason = match counts
                .len()
                .checked_sub(1)
                .and_then(|last| ratios.get(last))
            {
                Some(last) => format!(
                    "fewer than {FEWEST_RARE} rows of the rarer class would remain; ladder `{}` ends at ratio {last}",
                    ladder.id()
                ),
                None => format!(
                    "ladder `{}` needs {FEWEST_RARE} rows of the rarer class at two ratios, and {} against {} rows \
                     cannot give them",
                    ladder.id(),
                    supply.0,
                    supply.1
                ),
            };
            for (place, ratio) in ratios.iter().enumerate() {
                let held = counts
                    .get(place)
                    .map(|&(rare, common)| ClassCounts::new(vec![common, rare]));
                rungs.push(Rung {
                    ratio: RatioSpec::Induced(ratio.get()),
                    profile: ladder.profile().into(),
                    thinning: None,
                    held: Some(held.ok_or_else(|| reason.clone())),
                });
            }
        }
        rungs
    }

    fn unit(
        &self,
        data: &Dataset,
        (rung, repeat, fold): (&Rung, usize, usize),
        rows: Rows,
        notes: &[Note],
    ) -> Unit {
        let Self { sweep, at, input } = *self;
        let spec = &sweep.datasets[input.spec];
        let (ratio, profile) = (rung.ratio, &rung.profile);
        let rows_key = fold_key(sweep, input, repeat, fold);
        let rows = match (rows, ratio) {
            (Rows::Cut(partition), RatioSpec::Induced(ratio)) => {
                let key = sweep.seed.stage("imbalance").text(&rows_key);
                let natural = data.labels().select(partition.train()).counts();
                let target = match &rung.held {
                    Some(held) => held.clone(),
                    None => Ratio::new(ratio)
                        .and_then(|ratio| {
                            let thinning = rung.thinning.unwrap_or_else(|| spec.profile.into());
                            profile::counts_within(thinning, &natural, ratio)
                        })
                        .map_err(|error| error.to_string()),
                };
                let thinned = target.and_then(|target| {
                    profile::thin(data.labels(), partition.train(), &target, &key)
                        .map_err(|error| error.to_string())
                });
                match thinned {
                    Ok(train) => {
                        match Partition::new(data.n_rows(), train, partition.test().to_vec()) {
                            Ok(partition) => Rows::Cut(partition),
                            Err(error) => Rows::None(Outcome::Failed, error.to_string()),
                        }
                    }
                    Err(reason) => Rows::None(Outcome::NotApplicable, reason),
                }
            }
            (rows, _) => rows,
        };
        let rows = match (rows, &spec.test_prior) {
            (Rows::Cut(partition), Some(prior)) => {
                let train = data.labels().select(partition.train()).counts();
                let key = sweep.seed.stage("test prior").text(&rows_key);
                let drawn = shift::thinned(data, partition.test(), prior, &train, &key);
                let cut = drawn.and_then(|test| {
                    Partition::new(data.n_rows(), partition.train().to_vec(), test)
                        .map_err(|error| error.to_string())
                });
                match cut {
                    Ok(partition) => Rows::Cut(partition),
                    Err(reason) => Rows::None(Outcome::NotApplicable, reason),
                }
            }
            (rows, _) => rows,
        };
        let none = ClassCounts::new(vec![0; input.n_classes]);
        let (train, test) = match &rows {
            Rows::Cut(partition) => (
                data.labels().select(partition.train()).counts(),
                data.labels().select(partition.test()).counts(),
            ),
            _ => (none.clone(), none),
        };
        let mut notes = notes.to_vec();
        let absent: Vec<&str> = data
            .labels()
            .names()
            .iter()
            .zip(train.as_slice().iter().zip(test.as_slice()))
            .filter(|(_, (train, test))| **train == 0 && **test > 0)
            .map(|(name, _)| name.as_str())
            .collect();
        if !absent.is_empty() {
            notes.push(Note::Remark(format!(
                "no training row of class {}",
                absent.join(", ")
            )));
        }
        // What the ratio alone does not decide.
        let sized = rung.held.is_some() || rung.thinning.is_some_and(|own| own.size != Size::Most);
        Unit {
            input: at,
            ratio,
            profile: profile.clone(),
            repeat,
            fold,
            key: thinned_key(&rows_key, profile, ratio, sized.then_some(&train)),
            rows,
            train,
            test,
            table: rung.held.is_some().then(|| {
                let n = input.pair_train.unwrap_or(data.n_rows());
                data.labels().select(&(0..n).collect::<Vec<_>>()).counts()
            }),
            thinning: rung.thinning,
            shifted: spec.test_prior.is_some(),
            more: of_dataset(sweep, input),
            notes,
            groups: Vec::new(),
        }
    }
}

/// The counts of a profile, from the largest to the smallest, for the classes of a population.
fn placed(counts: &ClassCounts, rare: Rare) -> ClassCounts {
    let order = rare.ranked((0..counts.n_classes()).collect());
    let mut placed = vec![0; order.len()];
    for (&class, &count) in order.iter().zip(counts.as_slice()) {
        placed[class] = count;
    }
    ClassCounts::new(placed)
}
