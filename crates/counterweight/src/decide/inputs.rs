//! What was asked, in the order of the classes: labels, folds, shares, costs.

use std::path::Path;

use counterweight_core::{Labels, Matrix, Prior};

use super::file::ScoresFile;
use super::judge::{Costs, HeldOut};
use super::{DecideOptions, Shares};
use crate::exit::{Error, Result};

/// Labels in the order of the classes.
pub(super) fn labelled(texts: &[String], classes: &[String], file: &Path) -> Result<Labels> {
    let id = |(row, text): (usize, &String)| {
        let place = classes.iter().position(|class| class == text);
        place
            .and_then(|place| u32::try_from(place).ok())
            .ok_or_else(|| {
                Error::usage(format!(
                    "{}: row {row} is of class `{text}`, which the held-out rows do not have",
                    file.display()
                ))
                .hint(format!("the classes are {}", classes.join(", ")))
            })
    };
    let ids: Vec<u32> = texts.iter().enumerate().map(id).collect::<Result<_>>()?;
    Labels::new(ids, classes.into()).map_err(|error| Error::internal(error.to_string()))
}

/// Folds by the values of a column.
pub(super) fn given_folds(values: &[f64]) -> Vec<usize> {
    let mut known: Vec<f64> = values.to_vec();
    known.sort_by(f64::total_cmp);
    known.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let of = |value: &f64| known.iter().position(|fold| fold.total_cmp(value).is_eq());
    values.iter().map(|value| of(value).unwrap_or(0)).collect()
}

/// Class shares as a prior.
pub(super) fn shares(
    shares: &Shares,
    classes: &[String],
    held: &HeldOut,
    flag: &str,
) -> Result<Prior> {
    let wrong = |error: &dyn std::fmt::Display| Error::usage(format!("{flag}: {error}"));
    match shares {
        Shares::HeldOut => (held.labels.counts().prior()).ok_or_else(|| wrong(&"no rows")),
        Shares::Uniform => Prior::uniform(classes.len()).map_err(|e| wrong(&e)),
        Shares::Unknown | Shares::Estimate => Err(wrong(&"this word has no meaning here")
            .hint("give calibration, uniform, or a share a class such as no=.9,yes=.1")),
        Shares::Given(given) => {
            let weights = by_class(given, classes, flag)?;
            let missing = classes
                .iter()
                .zip(&weights)
                .find(|(_, weight)| weight.is_none());
            if let Some((class, _)) = missing {
                return Err(
                    wrong(&format!("no share for class `{class}`")).hint("give one a class")
                );
            }
            let weights: Vec<f64> = weights.into_iter().flatten().copied().collect();
            let sum: f64 = weights.iter().sum();
            if weights.iter().any(|w| !(*w > 0.0 && *w < 1.0)) || (sum - 1.0).abs() > 1e-6 {
                return Err(wrong(&format!("the shares sum to {sum}"))
                    .hint("shares lie between 0 and 1 and sum to 1"));
            }
            Prior::from_weights(weights).map_err(|e| wrong(&e))
        }
    }
}

/// What is given by class, in class order.
pub(crate) fn by_class<'v, T>(
    given: &'v [(String, T)],
    classes: &[String],
    flag: &str,
) -> Result<Vec<Option<&'v T>>> {
    if let Some((class, _)) = given.iter().find(|(class, _)| !classes.contains(class)) {
        return Err(Error::usage(format!("{flag}: there is no class `{class}`"))
            .hint(format!("the classes are {}", classes.join(", "))));
    }
    let of = |class: &String| {
        let mut own = given
            .iter()
            .filter(|(name, _)| name == class)
            .map(|(_, value)| value);
        let first = own.next();
        if own.next().is_some() {
            return Err(
                Error::usage(format!("{flag}: `{class}` twice")).hint("give each class once")
            );
        }
        Ok(first)
    };
    classes.iter().map(of).collect()
}

/// What it costs to miss the rows of a file; none where no cost is given, or the file may lack the columns and does.
pub(super) fn costs(
    options: &DecideOptions,
    file: &ScoresFile,
    classes: &[String],
    required: bool,
) -> Result<Option<Costs>> {
    if options.costs.is_empty() && options.cost_columns.is_empty() {
        return Ok(None);
    }
    let fixed = by_class(&options.costs, classes, "--cost")?;
    let columns = by_class(&options.cost_columns, classes, "--cost-columns")?;
    let mut of_class: Vec<Vec<f64>> = Vec::new();
    for (at, class) in classes.iter().enumerate() {
        of_class.push(match (fixed[at], columns[at]) {
            (Some(_), Some(_)) => {
                return Err(
                    Error::usage(format!("`{class}` has a cost and a column of costs"))
                        .hint("give one of --cost and --cost-columns for it"),
                );
            }
            (Some(cost), None) => vec![*cost],
            (None, Some(column)) if required || file.has(column) => file.numbers(column)?,
            // Rules are then judged by the metric.
            (None, Some(_)) => return Ok(None),
            (None, None) => vec![1.0],
        });
    }
    let rows = of_class.iter().map(Vec::len).max().unwrap_or(1);
    let cost = |row: usize, class: usize| of_class[class][row.min(of_class[class].len() - 1)];
    let of_row = Matrix::from_fn(rows, classes.len(), cost);
    if let Some(at) = of_row
        .as_slice()
        .iter()
        .position(|cost| !(cost.is_finite() && *cost >= 0.0))
    {
        return Err(Error::usage(format!("a cost is {}", of_row.as_slice()[at]))
            .hint("costs are finite and not below 0"));
    }
    if of_row
        .iter_rows()
        .all(|row| row.iter().all(|cost| *cost <= 0.0))
    {
        return Err(Error::usage("all costs are 0").hint("some class must cost something to miss"));
    }
    Ok(Some(Costs { of_row }))
}

/// Weights that bring labelled rows to these shares, with a mean of 1.
pub(super) fn weights(labels: &Labels, target: &Prior) -> Vec<f64> {
    let counts = labels.counts();
    let n = labels.len() as f64;
    let of = |row: usize| {
        let class = labels.class(row);
        target.as_slice()[class] * n / counts.as_slice()[class] as f64
    };
    (0..labels.len()).map(of).collect()
}
