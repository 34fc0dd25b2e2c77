//! Loads what the sweep names, in parallel, and checks that it can be learnt from.

use std::sync::Arc;

use counterweight_core::{Column, ColumnValues, Dataset, Hasher, Partition};
use counterweight_data::preprocess::{Encoder, Preprocess, Preprocessor, check_dataset};
use counterweight_data::split::stratified_subset;
use rayon::prelude::*;

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
            Input {
                id: spec.id.clone(),
                hash: Hasher::new("counterweight population 1")
                    .text(&population.canonical())
                    .finish(),
                n_classes: population.method.n_classes(),
                n_features: population.method.n_features(),
                n_encoded: population.method.n_features(),
                nominal: false,
                all_nominal: false,
                kind: InputKind::Population(Arc::new(spec.clone())),
                pair_train: None,
                spec: at,
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
                errors.add(
                    Some(spec.line),
                    format!("dataset `{}`", spec.id),
                    error.message,
                    error.hint,
                );
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
    let Loaded { data, n_train } = source.load(spec, folder)?;
    check_dataset(&data).map_err(|error| LoadError {
        message: error.to_string(),
        hint: None,
    })?;
    let two = data.labels().counts().n_present() == 2;
    // Along a ladder counts may be equal, and ties go to the last class: the rarer one of the table.
    let data = if spec.rarest_vs_rest || (two && !spec.ladders.is_empty()) {
        data.rarest_vs_rest()
    } else {
        data
    };
    let whole = data.content_hash();
    let mut kept = None;
    let data = match (spec.max_rows, n_train) {
        (Some(most), None) if data.n_rows() > most => {
            let key = sweep.seed.stage("subset").text(&whole.hex()).number(most);
            let rows = stratified_subset(data.labels(), most, &key);
            let subset = data.select(&rows);
            kept = Some(rows.into());
            subset
        }
        _ => data,
    };
    let hash = match n_train {
        Some(n_train) => Hasher::new("pair")
            .hash(&whole)
            .number(n_train as u64)
            .finish(),
        None => data.content_hash(),
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
        kind: InputKind::Real(Arc::new(data)),
        pair_train: n_train,
        spec: at,
        preprocess: spec.preprocess,
        kept,
    })
}

fn refuse_missing(data: &Dataset) -> Result<(), LoadError> {
    match data
        .columns()
        .iter()
        .find(|column| column.values.missing() > 0)
    {
        Some(column) => Err(LoadError {
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
