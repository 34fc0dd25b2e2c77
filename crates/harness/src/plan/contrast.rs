//! What becomes of the rows that were loaded: their weights, and two-class tasks of them.

use std::sync::Arc;

use counterweight_core::{Contrast, CoreError, Dataset, GivenSplit, nearest};

use super::{LoadError, Loaded};
use crate::config::sweep::DatasetSpec;

/// Rows that are left; `None` for all.
pub(super) type Kept = Option<Arc<[usize]>>;

/// What was loaded, as rows of it are dropped.
struct Keeping {
    n_train: Option<usize>,
    given: Option<Vec<GivenSplit>>,
    kept: Option<Vec<usize>>,
}

impl Keeping {
    /// Only these rows of those that are left (rising) stay.
    fn only(&mut self, rows: Vec<usize>) -> Result<(), LoadError> {
        if let Some(splits) = self.given.take() {
            let own = splits.iter().map(|split| split.among(&rows));
            self.given = Some(own.collect::<Result<_, _>>().map_err(|error| LoadError {
                message: error.to_string(),
                ..LoadError::default()
            })?);
        }
        let n_train = self.n_train;
        self.n_train = n_train.map(|n_train| rows.iter().filter(|&&row| row < n_train).count());
        self.kept = Some(match self.kept.take() {
            Some(before) => rows.into_iter().map(|row| before[row]).collect(),
            None => rows,
        });
        Ok(())
    }
}

/// The rows that weigh something, the two-class tasks that the dataset is asked for, one inside the other, and the
/// rows of its file that are left where some are not: of a pair, each in its own file.
pub(super) fn contrast(loaded: Loaded, spec: &DatasetSpec) -> Result<(Loaded, Kept), LoadError> {
    let Loaded {
        mut data,
        n_train,
        given,
        published,
    } = loaded;
    let first = n_train.unwrap_or(0);
    let mut keeping = Keeping {
        n_train,
        given,
        kept: None,
    };
    if let Some(column) = &spec.reading.weight {
        let (weighted, rows) = weigh(data, column, n_train)?;
        data = weighted;
        if let Some(rows) = rows {
            keeping.only(rows)?;
        }
    }
    // Along a ladder counts may be equal, and ties go to the last class: the rarer one of the table.
    let two = data.labels().counts().n_present() == 2;
    let of_ladder = (two && !spec.ladders.is_empty()).then_some(Contrast::Rarest);
    let asked = spec.contrast.clone().or(of_ladder);
    let steps = published.map(Ok).into_iter().chain(asked.as_ref().map(Err));
    for step in steps {
        let made = match step {
            Ok(published) => published.of(data),
            Err(contrast) => contrast.apply(data),
        };
        let (task, rows) = made.map_err(|error| LoadError {
            key: Some(error.key),
            message: error.message,
            hint: error.hint,
        })?;
        data = task;
        if let Some(rows) = rows {
            keeping.only(rows)?;
        }
    }
    let in_its_file = |row: usize| row.checked_sub(first).unwrap_or(row);
    let Keeping {
        n_train,
        given,
        kept,
    } = keeping;
    let kept = kept.map(|rows| rows.into_iter().map(in_its_file).collect());
    let loaded = Loaded {
        data,
        n_train,
        given,
        published: None,
    };
    Ok((loaded, kept))
}

/// The data with the values of `column` as weights, and the rows that weigh something where some do not.
fn weigh(
    data: Dataset,
    column: &str,
    n_train: Option<usize>,
) -> Result<(Dataset, Option<Vec<usize>>), LoadError> {
    let refuse = |message: String, hint: Option<String>| LoadError {
        key: Some("weight"),
        message,
        hint,
    };
    has_column(&data, "weight", column)?;
    let (n, train) = (data.n_rows(), n_train.unwrap_or(data.n_rows()));
    let had = data.labels().select(&(0..train).collect::<Vec<_>>());
    let (data, kept) = data.weighted_by(column).map_err(|error| match error {
        CoreError::Domain { reason, .. } => refuse(reason, None),
        error => refuse(error.to_string(), None),
    })?;
    let left: Vec<usize> = match &kept {
        Some(rows) => rows.iter().copied().filter(|&row| row < train).collect(),
        None => (0..train).collect(),
    };
    let (had, has) = (had.counts(), had.select(&left).counts());
    let gone = had.as_slice().iter().zip(has.as_slice());
    if let Some(class) = gone.clone().position(|(had, has)| *had > 0 && *has == 0) {
        let message = format!(
            "weight column `{column}` is 0 in every training row of the class `{}`",
            data.labels().names()[class]
        );
        let hint = "give a row of it a weight, or take `weight` out";
        return Err(refuse(message, Some(hint.into())));
    }
    let (sum, effective) = data.weighs().unwrap_or_default();
    let dropped = match n - data.n_rows() {
        0 => String::new(),
        dropped => format!("; {dropped} rows of weight 0 are left out"),
    };
    let remark = format!(
        "its {} rows weigh {sum:.6} by `{column}`, which is no feature: as much as {effective:.1} equal ones{dropped}",
        data.n_rows()
    );
    Ok((data.with_remarks(vec![remark]), kept))
}

/// Refuses a column that is not there.
pub(super) fn has_column(
    data: &Dataset,
    role: &'static str,
    column: &str,
) -> Result<(), LoadError> {
    let names: Vec<&str> = (data.columns().iter())
        .map(|own| own.name.as_str())
        .collect();
    if names.contains(&column) {
        return Ok(());
    }
    let hint = nearest(column, names.iter().copied()).map_or_else(
        || format!("its columns are {}", names.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(LoadError {
        key: Some(role),
        message: format!("no {role} column `{column}`"),
        hint: Some(hint),
    })
}
