//! Two-class tasks of what was loaded.

use std::sync::Arc;

use counterweight_core::Contrast;

use super::{LoadError, Loaded};
use crate::config::sweep::DatasetSpec;

/// Rows that are left; `None` for all.
pub(super) type Kept = Option<Arc<[usize]>>;

/// The two-class tasks that the dataset is asked for, one inside the other, and the rows of its file that are left
/// where some are not: of a pair, each in its own file.
pub(super) fn contrast(loaded: Loaded, spec: &DatasetSpec) -> Result<(Loaded, Kept), LoadError> {
    let Loaded {
        mut data,
        mut n_train,
        mut given,
        published,
    } = loaded;
    let mut kept: Option<Vec<usize>> = None;
    let first = n_train.unwrap_or(0);
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
            message: error.message,
            hint: error.hint,
        })?;
        data = task;
        if let Some(rows) = rows {
            if let Some(splits) = given {
                let own = splits.iter().map(|split| split.among(&rows));
                given = Some(own.collect::<Result<_, _>>().map_err(|error| LoadError {
                    message: error.to_string(),
                    hint: None,
                })?);
            }
            n_train = n_train.map(|n_train| rows.iter().filter(|&&row| row < n_train).count());
            kept = Some(match kept {
                Some(before) => rows.into_iter().map(|row| before[row]).collect(),
                None => rows,
            });
        }
    }
    let in_its_file = |row: usize| row.checked_sub(first).unwrap_or(row);
    let kept = kept.map(|rows| rows.into_iter().map(in_its_file).collect());
    let loaded = Loaded {
        data,
        n_train,
        given,
        published: None,
    };
    Ok((loaded, kept))
}
