//! One stratified hold-out, and stratified subsets.

use counterweight_core::groups::take_groups;
use counterweight_core::{Labels, Note, Partition, SmallClass, StageError, StageResult, StreamKey};

use super::shares::largest_remainder;
use super::{shuffled_classes, some_names, units};

/// Holds out `test_share` of the rows, class by class by the largest remainder. A class with at
/// least two rows has a row on each side; a class with one row stays in training, which is a clamp
/// under the declared policy. With `groups`, whole groups are held out, as near to these numbers as that allows
/// ([`take_groups`]), and a class with one group stays in training.
///
/// # Errors
/// [`StageError::Failed`] when a side would be empty, or the share is not between 0 and 1; the
/// policy's answer to classes of one row.
pub fn hold_out(
    labels: &Labels,
    test_share: f64,
    groups: Option<&[u32]>,
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
        .zip(units(labels, groups)?)
        .filter(|(_, n)| *n == 1)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut notes = Vec::new();
    if !single.is_empty() {
        notes.push(small_class.settle(format!(
            "classes with one {} have no test row: {}",
            if groups.is_some() { "group" } else { "row" },
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
        Some(groups) => {
            let key = key.clone().text("groups");
            held = take_groups(labels.ids(), groups, &quota, &key);
        }
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

/// Holds out `per_class` rows of every class that has rows: a test set with equal shares, drawn before anything is
/// thinned. Each class in an order of its own stream, so that fewer are a subset of more.
///
/// # Errors
/// [`StageError::Failed`] when a class has no row left to train on.
pub fn hold_out_evenly(
    labels: &Labels,
    per_class: usize,
    key: &StreamKey,
) -> StageResult<Partition> {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (class, rows) in shuffled_classes(labels, key).into_iter().enumerate() {
        if !rows.is_empty() && rows.len() <= per_class {
            return Err(StageError::Failed(format!(
                "class `{}` has {} rows, and {per_class} of each class are held out",
                labels.names()[class],
                rows.len()
            )));
        }
        let (held, rest) = rows.split_at(per_class.min(rows.len()));
        test.extend_from_slice(held);
        train.extend_from_slice(rest);
    }
    train.sort_unstable();
    test.sort_unstable();
    Ok(Partition::new(labels.len(), train, test)?)
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
        let groups: Vec<u32> = (0..40).map(|row| row / 4).collect();
        let key = Seed(3).stage("split");
        let (part, _) = hold_out(&labels, 0.4, Some(&groups), SmallClass::Clamp, &key).unwrap();
        assert_eq!(part.test().len(), 16);
        for chunk in part.test().chunks(4) {
            assert!(chunk.iter().all(|&row| groups[row] == groups[chunk[0]]));
        }
        // A class in one group stays in training.
        let mut groups = groups;
        groups[20..].fill(9);
        let (part, notes) = hold_out(&labels, 0.4, Some(&groups), SmallClass::Clamp, &key).unwrap();
        assert_eq!(labels.select(part.test()).counts().as_slice(), [8, 0]);
        assert_eq!(
            notes[0].text(),
            "classes with one group have no test row: 1"
        );
        assert!(hold_out(&labels, 0.4, Some(&[1; 40]), SmallClass::Clamp, &key).is_err());
    }

    #[test]
    fn an_even_hold_out_has_equal_shares_and_is_nested() {
        let labels = labels(&[30, 12, 11]);
        let key = Seed(5).stage("split");
        let of = |n| hold_out_evenly(&labels, n, &key).unwrap();
        let (few, many) = (of(4), of(10));
        assert_eq!(labels.select(many.test()).counts().as_slice(), [10, 10, 10]);
        assert_eq!(many.train().len(), 23);
        assert!(few.test().iter().all(|row| many.test().contains(row)));
        let error = hold_out_evenly(&labels, 11, &key).unwrap_err().to_string();
        assert!(error.contains("class `2` has 11 rows"), "{error}");
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
