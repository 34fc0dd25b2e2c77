//! Splits every input: one [`Unit`] for each ratio, repeat and fold.

use counterweight_core::{ClassCounts, Dataset, Note, Outcome, Partition, StageError};
use counterweight_data::populations::balanced_counts;
use counterweight_data::profile::{self, Ratio};
use counterweight_data::split::{duplicate_groups, hold_out, stratified_folds};

use super::identity::{draw_key, fold_key, thinned_key};
use super::inputs::pair_partition;
use super::{Input, InputKind, Rows, Unit};
use crate::config::Sweep;
use crate::config::limits::MOST_ROWS;
use crate::config::sweep::{PopulationSpec, RatioSpec, SizeSpec, SplitSpec};
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
        let test = balanced_counts(spec.n_test, k);
        for &ratio in &spec.ratios {
            let counts = Ratio::new(ratio).and_then(|ratio| match spec.size {
                SizeSpec::Total(n) => profile::counts_of_total(spec.profile, k, ratio, n),
                SizeSpec::Largest(n) => profile::counts_of_largest(spec.profile, k, ratio, n),
                SizeSpec::Smallest(n) => profile::counts_of_smallest(spec.profile, k, ratio, n),
            });
            let train = match counts {
                Ok(train) => train,
                Err(error) => {
                    errors.add(
                        Some(spec.line),
                        format!("population `{}` > imbalance_ratio", spec.id),
                        error.to_string(),
                        Some("lower the ratio or raise `n_train`".into()),
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
                    Some("lower the ratio, or fix the size with `n_train`".into()),
                );
                continue;
            }
            for repeat in 0..sweep.protocol.repeats {
                let key = draw_key(input, &train, &test, repeat);
                units.push(Unit {
                    input: at,
                    ratio: RatioSpec::Induced(ratio),
                    profile: spec.profile.id(),
                    repeat,
                    fold: 0,
                    key,
                    rows: Rows::Draw,
                    train: train.clone(),
                    test: test.clone(),
                    notes: Vec::new(),
                    groups: Vec::new(),
                });
            }
        }
    }

    fn cut(&self, data: &Dataset, units: &mut Vec<Unit>, errors: &mut Diagnostics) {
        let Self { sweep, input, .. } = *self;
        let spec = &sweep.datasets[input.spec];
        let groups = sweep
            .protocol
            .group_duplicates
            .then(|| duplicate_groups(data));
        let mut repeats: Vec<Folds> = Vec::new();
        for repeat in 0..sweep.protocol.repeats {
            let key = sweep
                .seed
                .stage("split")
                .text(&input.hash.hex())
                .number(repeat);
            let small = sweep.protocol.small_class;
            let folds = if input.pair_train.is_some() {
                Ok((Vec::new(), Vec::new()))
            } else {
                match sweep.protocol.split {
                    SplitSpec::Folds(folds) => {
                        stratified_folds(data.labels(), folds, groups.as_deref(), small, &key)
                    }
                    SplitSpec::HoldOut(share) => {
                        hold_out(data.labels(), share, groups.as_deref(), small, &key)
                            .map(|(partition, notes)| (vec![partition], notes))
                    }
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
        for &ratio in &spec.ratios {
            for (repeat, folds) in repeats.iter().enumerate() {
                let mut push = |fold: usize, rows: Rows, notes: &[Note]| {
                    units.push(self.unit(data, (ratio, repeat, fold), rows, notes));
                };
                match (folds, input.pair_train) {
                    (Err((outcome, reason)), _) => {
                        push(0, Rows::None(*outcome, reason.clone()), &[]);
                    }
                    (Ok(_), Some(n_train)) => match pair_partition(data.n_rows(), n_train) {
                        Ok(partition) => push(0, Rows::Cut(partition), &[]),
                        Err(error) => push(0, Rows::None(Outcome::Failed, error.to_string()), &[]),
                    },
                    (Ok((partitions, notes)), None) => {
                        for (fold, partition) in partitions.iter().enumerate() {
                            push(fold, Rows::Cut(partition.clone()), notes);
                        }
                    }
                }
            }
        }
    }

    fn unit(
        &self,
        data: &Dataset,
        (ratio, repeat, fold): (RatioSpec, usize, usize),
        rows: Rows,
        notes: &[Note],
    ) -> Unit {
        let Self { sweep, at, input } = *self;
        let spec = &sweep.datasets[input.spec];
        let profile = match ratio {
            RatioSpec::Natural => "natural",
            RatioSpec::Induced(_) => spec.profile.id(),
        };
        let rows_key = fold_key(sweep, input, repeat, fold);
        let rows = match (rows, ratio) {
            (Rows::Cut(partition), RatioSpec::Induced(ratio)) => {
                let key = sweep.seed.stage("imbalance").text(&rows_key);
                let natural = data.labels().select(partition.train()).counts();
                let thinned = Ratio::new(ratio)
                    .and_then(|ratio| profile::counts_within(spec.profile, &natural, ratio))
                    .and_then(|target| {
                        profile::thin(data.labels(), partition.train(), &target, &key)
                    });
                match thinned {
                    Ok(train) => {
                        match Partition::new(data.n_rows(), train, partition.test().to_vec()) {
                            Ok(partition) => Rows::Cut(partition),
                            Err(error) => Rows::None(Outcome::Failed, error.to_string()),
                        }
                    }
                    Err(error) => Rows::None(Outcome::NotApplicable, error.to_string()),
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
        Unit {
            input: at,
            ratio,
            profile,
            repeat,
            fold,
            key: thinned_key(&rows_key, profile, ratio),
            rows,
            train,
            test,
            notes,
            groups: Vec::new(),
        }
    }
}
