//! Splits: which rows train and which test. Stratified, keyed, and with a declared policy for
//! classes that are too small.

mod duplicates;
mod folds;
mod hold_out;
mod shares;

pub use duplicates::duplicate_groups;
pub use folds::{inner_folds, stratified_folds};
pub use hold_out::{hold_out, hold_out_evenly, stratified_subset};

use counterweight_core::{Labels, StageError, StageResult, StreamKey};
use rand::seq::SliceRandom as _;

/// The rows of each class in an order drawn from that class's own stream, so that the rows of one
/// class do not move when another class changes.
fn shuffled_classes(labels: &Labels, key: &StreamKey) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); labels.n_classes()];
    for row in 0..labels.len() {
        rows[labels.class(row)].push(row);
    }
    for (class, rows) in rows.iter_mut().enumerate() {
        rows.shuffle(&mut key.clone().number(class).open());
    }
    rows
}

/// What each class has of what is split as one: rows, or the groups that hold them.
fn units(labels: &Labels, groups: Option<&[u32]>) -> StageResult<Vec<usize>> {
    let Some(groups) = groups else {
        return Ok(labels.counts().as_slice().to_vec());
    };
    if groups.len() != labels.len() {
        return Err(StageError::Failed(
            "as many groups as rows are needed".into(),
        ));
    }
    let mut pairs: Vec<(u32, u32)> = (labels.ids().iter().copied())
        .zip(groups.iter().copied())
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut units = vec![0; labels.n_classes()];
    for (class, _) in pairs {
        units[class as usize] += 1;
    }
    Ok(units)
}

/// Names of at most five classes, for messages.
fn some_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        format!("{shown} and {} more", names.len() - 5)
    } else {
        shown
    }
}
