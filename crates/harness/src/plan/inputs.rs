//! Loads what the sweep names, in parallel, and checks that it can be learnt from.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterweight_core::groups::count_groups;
use counterweight_core::{
    Column, ColumnKind, ColumnValues, ContentHash, CoreError, Dataset, GivenSplit, Hasher,
    Partition,
};
use counterweight_data::preprocess::{Encoder, Preprocess, Preprocessor, check_dataset};
use counterweight_data::split::{duplicate_groups, stratified_subset};
use rayon::prelude::*;

use super::contrast::{contrast, has_column};
use super::{DataSource, Input, InputKind, LoadError, Loaded};
use crate::config::Sweep;
use crate::config::sweep::DatasetSpec;
use counterweight_config::Diagnostics;

/// Every input that can be learnt from; what is wrong with the others goes to `errors`.
pub(super) fn load(sweep: &Sweep, source: &dyn DataSource, errors: &mut Diagnostics) -> Vec<Input> {
    let mut inputs: Vec<Input> = sweep
        .populations
        .iter()
        .enumerate()
        .map(|(at, spec)| {
            let population = &spec.population;
            let kinds = population.method.kinds();
            let width = |kind: &ColumnKind| match kind {
                ColumnKind::Nominal { levels } => *levels,
                ColumnKind::Numeric | ColumnKind::Indicator => 1,
            };
            let is_nominal = |kind: &ColumnKind| matches!(kind, ColumnKind::Nominal { .. });
            Input {
                id: spec.id.clone(),
                hash: Hasher::new("counterweight population 1")
                    .text(&population.canonical())
                    .finish(),
                n_classes: population.method.n_classes(),
                n_features: population.method.n_features(),
                n_encoded: kinds.iter().map(width).sum(),
                nominal: kinds.iter().any(is_nominal),
                all_nominal: kinds.iter().all(is_nominal),
                kind: InputKind::Population(Arc::new(spec.clone())),
                pair_train: None,
                given: None,
                spec: at,
                weights: None,
                preprocess: spec.preprocess,
                kept: None,
            }
        })
        .collect();
    let loaded: Vec<Result<Input, LoadError>> = sweep
        .datasets
        .par_iter()
        .enumerate()
        .map(|(at, spec)| load_one(sweep, source, at, spec))
        .collect();
    for (spec, result) in sweep.datasets.iter().zip(loaded) {
        match result {
            Ok(input) => inputs.push(input),
            Err(error) => {
                let (mut line, mut path) = (spec.line, format!("dataset `{}`", spec.id));
                // A key that a preset or task gives stands in no line.
                if let Some((key, own)) = error.key.and_then(|key| spec.lines.get_key_value(key)) {
                    line = *own;
                    path = format!("{path} > {key}");
                }
                errors.add(Some(line), path, error.message, error.hint);
            }
        }
    }
    inputs
}

fn load_one(
    sweep: &Sweep,
    source: &dyn DataSource,
    at: usize,
    spec: &DatasetSpec,
) -> Result<Input, LoadError> {
    let folder = sweep
        .file
        .parent()
        .unwrap_or_else(|| std::path::Path::new("."));
    let mut loaded = source.load(spec, folder)?;
    if let Some(column) = &spec.group {
        loaded.data = grouped(loaded.data, column, loaded.n_train)?;
        let given = loaded.given.as_deref().unwrap_or_default();
        refuse_divided(&loaded.data, column, given)?;
    }
    check_dataset(&loaded.data).map_err(|error| LoadError {
        message: error.to_string(),
        ..LoadError::default()
    })?;
    let (loaded, mut kept) = contrast(loaded, spec)?;
    let Loaded {
        data,
        n_train,
        given,
        ..
    } = loaded;
    let divided = n_train.is_some() || given.is_some();
    let data = match spec.max_rows {
        // Single rows, so that class shares stay: what is left of a group is still not divided.
        Some(most) if !divided && data.n_rows() > most => {
            let whole = data.content_hash().hex();
            let key = sweep.seed.stage("subset").text(&whole).number(most);
            let rows = stratified_subset(data.labels(), most, &key);
            let subset = data.select(&rows);
            kept = Some(match kept {
                Some(before) => rows.into_iter().map(|row| before[row]).collect(),
                None => rows.into(),
            });
            subset
        }
        _ => data,
    };
    let data = if sweep.protocol.group_duplicates {
        let groups = duplicate_groups(&data);
        data.with_groups(groups).map_err(|error| LoadError {
            message: error.to_string(),
            ..LoadError::default()
        })?
    } else {
        data
    };
    let hash = match n_train {
        Some(n_train) => Hasher::new("pair")
            .hash(&data.content_hash())
            .number(n_train as u64)
            .finish(),
        None => match &given {
            Some(given) => of_splits(&data.content_hash(), given),
            None => data.content_hash(),
        },
    };
    if spec.preprocess == Preprocess::None {
        refuse_missing(&data)?;
    }
    let is_nominal = |column: &Column| matches!(column.values, ColumnValues::Nominal { .. });
    let nominal = data.columns().iter().any(is_nominal);
    let all_nominal = nominal && data.columns().iter().all(is_nominal);
    Ok(Input {
        id: spec.id.clone(),
        hash,
        n_classes: data.labels().n_classes(),
        n_features: data.n_features(),
        n_encoded: encoded_width(&data, spec.preprocess),
        nominal,
        all_nominal,
        weights: data.weights_hash(),
        kind: InputKind::Real(Arc::new(data)),
        pair_train: n_train,
        given: given.map(Into::into),
        spec: at,
        preprocess: spec.preprocess,
        kept,
    })
}

/// The data with the values of `column` as groups, of which a split must be able to give some to each side.
fn grouped(data: Dataset, column: &str, n_train: Option<usize>) -> Result<Dataset, LoadError> {
    let refuse = |message: String, hint: String| LoadError {
        key: Some("group"),
        message,
        hint: Some(hint),
    };
    has_column(&data, "group", column)?;
    let data = data.grouped_by(column).map_err(|error| LoadError {
        key: Some("group"),
        message: match error {
            CoreError::Domain { reason, .. } => reason,
            error => error.to_string(),
        },
        hint: None,
    })?;
    let groups = data.groups().map_or(&[][..], |groups| groups);
    let n_groups = count_groups(groups);
    if let Some(n_train) = n_train {
        let (train, test) = groups.split_at(n_train);
        let both = |group: &u32| train.iter().position(|own| own == group);
        let mut shared = test
            .iter()
            .enumerate()
            .filter_map(|(row, group)| both(group).zip(Some(row)));
        if let Some((train, test)) = shared.next() {
            let message = format!(
                "a group of `{column}` is on both sides: training row {train} and test row {test} (from 0) are of one"
            );
            let hint = "give the rows as one `path`, which is split by groups, or take `group` out";
            return Err(refuse(message, hint.into()));
        }
    } else if n_groups < 2 {
        let message = format!("all rows have the same value in the group column `{column}`");
        return Err(refuse(message, "take `group` out".into()));
    }
    let remark =
        format!("no split divides the {n_groups} groups of `{column}`, which is no feature");
    Ok(data.with_remarks(vec![remark]))
}

/// No group is on both sides of a split that the user gives.
fn refuse_divided(data: &Dataset, column: &str, given: &[GivenSplit]) -> Result<(), LoadError> {
    let groups = data.groups().map_or(&[][..], |groups| groups);
    for GivenSplit { repeat, fold, rows } in given {
        let of = |row: &usize| groups.get(*row);
        let train: BTreeSet<_> = rows.train().iter().filter_map(of).collect();
        let both = |row: &&usize| of(row).is_some_and(|group| train.contains(&group));
        if let Some(row) = rows.test().iter().find(both) {
            return Err(LoadError {
                key: Some("group"),
                message: format!(
                    "repeat {repeat}, fold {fold}: a training row has the group of `{column}` of test row {row} (from 0)"
                ),
                hint: Some("divide the rows by groups, or take `group` out".into()),
            });
        }
    }
    Ok(())
}

/// Data and the divisions that someone else has made of them.
fn of_splits(whole: &ContentHash, given: &[GivenSplit]) -> ContentHash {
    let numbers = |hasher: Hasher, rows: &[usize]| {
        let hasher = hasher.number(rows.len() as u64);
        rows.iter()
            .fold(hasher, |hasher, &row| hasher.number(row as u64))
    };
    let start = Hasher::new("splits").hash(whole).number(given.len() as u64);
    let all = given.iter().fold(start, |hasher, split| {
        let hasher = hasher.number(split.repeat as u64).number(split.fold as u64);
        numbers(numbers(hasher, split.rows.train()), split.rows.test())
    });
    all.finish()
}

fn refuse_missing(data: &Dataset) -> Result<(), LoadError> {
    match data
        .columns()
        .iter()
        .find(|column| column.values.missing() > 0)
    {
        Some(column) => Err(LoadError {
            key: Some("preprocess"),
            message: format!("column `{}` has missing values", column.name),
            hint: Some("leave out `preprocess = \"none\"`: the default imputes".into()),
        }),
        None => Ok(()),
    }
}

/// Encoded columns of the whole data; a fold may have a few less.
fn encoded_width(data: &Dataset, preprocess: Preprocess) -> usize {
    let all: Vec<usize> = (0..data.n_rows().min(2000)).collect();
    let part = data.select(&all);
    Preprocessor::fit(preprocess, &part)
        .and_then(|fitted| fitted.apply(&part))
        .map_or(data.n_features(), |samples| {
            Encoder::fit(&samples).n_columns()
        })
}

/// The training rows of a pair come first.
pub(super) fn pair_partition(
    n: usize,
    n_train: usize,
) -> counterweight_core::error::Result<Partition> {
    Partition::new(n, (0..n_train).collect(), (n_train..n).collect())
}
