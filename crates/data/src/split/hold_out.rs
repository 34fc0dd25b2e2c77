//! One stratified hold-out, and stratified subsets.

use counterweight_core::{Labels, Note, Partition, SmallClass, StageError, StageResult, StreamKey};

use super::shares::largest_remainder;
use super::{shuffled_classes, some_names};

/// Holds out `test_share` of the rows, class by class by the largest remainder. A class with at
/// least two rows has a row on each side; a class with one row stays in training, which is a clamp
/// under the declared policy.
///
/// # Errors
/// [`StageError::Failed`] when a side would be empty, or the share is not between 0 and 1; the
/// policy's answer to classes of one row.
pub fn hold_out(
    labels: &Labels,
    test_share: f64,
    groups: Option<&[usize]>,
    small_class: SmallClass,
    key: &StreamKey,
) -> StageResult<(Partition, Vec<Note>)> {
    if !(test_share > 0.0 && test_share < 1.0) {
        return Err(StageError::Failed(format!("a test share of {test_share}")));
    }
    let counts = labels.counts();
    let single: Vec<&str> = labels
        .names()
        .iter()
        .zip(counts.as_slice())
        .filter(|(_, n)| **n == 1)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut notes = Vec::new();
    if !single.is_empty() {
        notes.push(small_class.settle(format!(
            "classes with one row have no test row: {}",
            some_names(single.into_iter())
        ))?);
    }
    let bounds: Vec<(usize, usize)> = counts
        .as_slice()
        .iter()
        .map(|&n| if n < 2 { (0, 0) } else { (1, n - 1) })
        .collect();
    let total = rounded(labels.len() as f64 * test_share);
    let quota = largest_remainder(total, counts.as_slice(), &bounds);
    let classes = shuffled_classes(labels, key);
    let mut held = vec![false; labels.len()];
    match groups {
        None => {
            for (rows, &quota) in classes.iter().zip(&quota) {
                for &row in &rows[..quota] {
                    held[row] = true;
                }
            }
        }
        Some(groups) => hold_groups(labels, groups, &classes, &quota, &mut held)?,
    }
    let side = |test: bool| (0..labels.len()).filter(|&row| held[row] == test).collect();
    let (train, test): (Vec<usize>, Vec<usize>) = (side(false), side(true));
    if train.is_empty() || test.is_empty() {
        return Err(StageError::Failed(format!(
            "a test share of {test_share} of {} rows leaves a side empty",
            labels.len()
        )));
    }
    Ok((Partition::new(labels.len(), train, test)?, notes))
}

/// Takes whole groups, in the shuffled order of their first rows, as long as no class goes over its
/// quota.
fn hold_groups(
    labels: &Labels,
    groups: &[usize],
    classes: &[Vec<usize>],
    quota: &[usize],
    held: &mut [bool],
) -> StageResult<()> {
    if groups.len() != labels.len() {
        return Err(StageError::Failed(
            "as many groups as rows are needed".into(),
        ));
    }
    let n_groups = groups.iter().max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_groups];
    for (row, &group) in groups.iter().enumerate() {
        members[group].push(row);
    }
    let mut left = quota.to_vec();
    let mut taken = vec![false; n_groups];
    for &row in classes.iter().flatten() {
        let group = groups[row];
        if std::mem::replace(&mut taken[group], true) {
            continue;
        }
        let mut asks = vec![0_usize; left.len()];
        for &member in &members[group] {
            asks[labels.class(member)] += 1;
        }
        if asks.iter().zip(&left).all(|(ask, left)| ask <= left) {
            for &member in &members[group] {
                held[member] = true;
            }
            for (left, ask) in left.iter_mut().zip(&asks) {
                *left -= ask;
            }
        }
    }
    Ok(())
}

/// At most `max_rows` rows, stratified by the largest remainder; every class keeps at least one row
/// (so that, with more classes than `max_rows`, there are as many rows as classes). Ascending.
pub fn stratified_subset(labels: &Labels, max_rows: usize, key: &StreamKey) -> Vec<usize> {
    let counts = labels.counts();
    if labels.len() <= max_rows {
        return (0..labels.len()).collect();
    }
    let bounds: Vec<(usize, usize)> = counts.as_slice().iter().map(|&n| (n.min(1), n)).collect();
    let quota = largest_remainder(max_rows, counts.as_slice(), &bounds);
    let mut rows: Vec<usize> = shuffled_classes(labels, key)
        .into_iter()
        .zip(quota)
        .flat_map(|(rows, quota)| rows.into_iter().take(quota))
        .collect();
    rows.sort_unstable();
    rows
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a number of rows"
)]
fn rounded(rows: f64) -> usize {
    rows.round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::Seed;

    fn labels(counts: &[usize]) -> Labels {
        let texts: Vec<String> = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &n)| std::iter::repeat_n(class.to_string(), n))
            .collect();
        Labels::from_texts(&texts)
    }

    #[test]
    fn every_class_is_on_both_sides_where_it_can_be() {
        let labels = labels(&[97, 2, 1]);
        let key = Seed(3).stage("split");
        let (part, notes) = hold_out(&labels, 0.3, None, SmallClass::Clamp, &key).unwrap();
        assert_eq!(part.test().len(), 30);
        assert_eq!(labels.select(part.test()).counts().as_slice(), [29, 1, 0]);
        assert!(matches!(&notes[..], [Note::Clamped(_)]));
        let refused = hold_out(&labels, 0.3, None, SmallClass::Error, &key);
        assert!(refused.is_err());
    }

    #[test]
    fn groups_stay_together() {
        let labels = labels(&[20, 20]);
        let groups: Vec<usize> = (0..40).map(|row| row / 4).collect();
        let key = Seed(3).stage("split");
        let (part, _) = hold_out(&labels, 0.4, Some(&groups), SmallClass::Clamp, &key).unwrap();
        assert_eq!(part.test().len(), 16);
        for chunk in part.test().chunks(4) {
            assert!(chunk.iter().all(|&row| groups[row] == groups[chunk[0]]));
        }
    }

    #[test]
    fn a_subset_keeps_every_class_and_the_shares() {
        let labels = labels(&[900, 90, 10]);
        let rows = stratified_subset(&labels, 100, &Seed(1).stage("subset"));
        assert_eq!(labels.select(&rows).counts().as_slice(), [90, 9, 1]);
        assert!(rows.is_sorted());
        let rows = stratified_subset(&labels, 2, &Seed(1).stage("subset"));
        assert_eq!(labels.select(&rows).counts().as_slice(), [1, 1, 1]);
    }
}
