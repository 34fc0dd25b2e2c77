//! Stratified k-fold.
//!
//! Rows are dealt class by class, each class in an order of its own stream, onto one running wheel
//! of folds, so that inside every class the folds differ by at most one row, and so do the folds as
//! a whole (without groups).

use counterweight_core::{
    Labels, Note, Partition, SmallClass, StageError, StageResult, StreamKey, Train,
};

use super::{shuffled_classes, some_names};

/// Splits rows into `folds` folds, each the test part of one partition.
///
/// A class with fewer rows than folds is spread over as many folds as it has rows: a clamp under the
/// declared policy. With `groups` (see [`super::duplicate_groups`]) the rows of a group stay
/// together, and counts are as even as whole groups allow.
///
/// # Errors
/// [`StageError::Failed`] for fewer than two folds or rows than folds; the policy's answer to small
/// classes.
pub fn stratified_folds(
    labels: &Labels,
    folds: usize,
    groups: Option<&[usize]>,
    small_class: SmallClass,
    key: &StreamKey,
) -> StageResult<(Vec<Partition>, Vec<Note>)> {
    let n = labels.len();
    if folds < 2 || n < folds {
        return Err(StageError::Failed(format!(
            "{n} rows cannot be split into {folds} folds"
        )));
    }
    let counts = labels.counts();
    let small: Vec<String> = labels
        .names()
        .iter()
        .zip(counts.as_slice())
        .filter(|(_, count)| (1..folds).contains(*count))
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    let mut notes = Vec::new();
    if !small.is_empty() {
        let classes = some_names(small.iter().map(String::as_str));
        notes.push(small_class.settle(format!(
            "classes with fewer rows than the {folds} folds are in some test folds only: {classes}"
        ))?);
    }
    let owner = match groups {
        None => deal(labels, folds, key),
        Some(groups) => deal_groups(labels, folds, groups, key)?,
    };
    let mut partitions = Vec::with_capacity(folds);
    for fold in 0..folds {
        let side = |inside: bool| -> Vec<usize> {
            (0..n)
                .filter(|&row| (owner[row] == fold) == inside)
                .collect()
        };
        let (train, test) = (side(false), side(true));
        if train.is_empty() || test.is_empty() {
            return Err(StageError::Failed(format!(
                "fold {fold} of {folds} has no rows on one side: groups of duplicates are too large"
            )));
        }
        partitions.push(Partition::new(n, train, test)?);
    }
    Ok((partitions, notes))
}

/// The fold of each row.
fn deal(labels: &Labels, folds: usize, key: &StreamKey) -> Vec<usize> {
    let mut owner = vec![0; labels.len()];
    let mut next = 0;
    for rows in shuffled_classes(labels, key) {
        for row in rows {
            owner[row] = next % folds;
            next += 1;
        }
    }
    owner
}

/// Whole groups, largest first (ties in an order drawn from the key), each to the fold in which the
/// group's classes are furthest below their share; ties to the emptiest, then to the first fold.
fn deal_groups(
    labels: &Labels,
    folds: usize,
    groups: &[usize],
    key: &StreamKey,
) -> StageResult<Vec<usize>> {
    if groups.len() != labels.len() {
        return Err(StageError::Failed(
            "as many groups as rows are needed".into(),
        ));
    }
    let n_groups = groups.iter().max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_groups];
    for row in shuffled_classes(labels, key).into_iter().flatten() {
        members[groups[row]].push(row);
    }
    let mut rank = vec![usize::MAX; n_groups];
    for (at, row) in shuffled_classes(labels, key)
        .into_iter()
        .flatten()
        .enumerate()
    {
        rank[groups[row]] = rank[groups[row]].min(at);
    }
    let mut order: Vec<usize> = (0..n_groups).filter(|&g| !members[g].is_empty()).collect();
    order.sort_by_key(|&g| (std::cmp::Reverse(members[g].len()), rank[g]));
    let counts = labels.counts();
    let mut have = vec![vec![0_usize; labels.n_classes()]; folds];
    let mut size = vec![0_usize; folds];
    let mut owner = vec![0; labels.len()];
    for group in order {
        // Largest sum over the group's rows of how far the fold is below the class's share.
        let need = |fold: usize| -> f64 {
            members[group]
                .iter()
                .map(|&row| {
                    let class = labels.class(row);
                    let share = counts.as_slice()[class] as f64 / folds as f64;
                    (share - have[fold][class] as f64) / share
                })
                .sum()
        };
        let best = (0..folds)
            .max_by(|&a, &b| {
                need(a)
                    .total_cmp(&need(b))
                    .then(size[b].cmp(&size[a]))
                    .then(b.cmp(&a))
            })
            .unwrap_or(0);
        for &row in &members[group] {
            owner[row] = best;
            have[best][labels.class(row)] += 1;
        }
        size[best] += members[group].len();
    }
    Ok(owner)
}

/// The held-out rows of each inner fold of cross-fitting: every training row is held out exactly
/// once, also the only row of a class, whose inner training rows then lack the class.
///
/// Fewer rows than folds reduce the folds: a clamp under the declared policy.
///
/// # Errors
/// [`StageError::Failed`] with fewer than two rows; the policy's answer.
pub fn inner_folds(
    train: &Train,
    folds: usize,
    small_class: SmallClass,
    key: &StreamKey,
) -> StageResult<(Vec<Vec<usize>>, Vec<Note>)> {
    let labels = train.samples().y();
    let n = labels.len();
    if n < 2 || folds < 2 {
        return Err(StageError::Failed(format!(
            "{n} rows cannot be cross-fitted in {folds} folds"
        )));
    }
    let mut notes = Vec::new();
    let used = folds.min(n);
    if used < folds {
        notes.push(small_class.settle(format!("{folds} inner folds reduced to {used} rows"))?);
    }
    let single: Vec<&str> = labels
        .names()
        .iter()
        .zip(labels.counts().as_slice())
        .filter(|(_, count)| **count == 1)
        .map(|(name, _)| name.as_str())
        .collect();
    if !single.is_empty() {
        let classes = some_names(single.into_iter());
        notes.push(Note::Remark(format!(
            "classes with one training row are never scored by a model that saw them: {classes}"
        )));
    }
    let owner = deal(labels, used, key);
    let mut held = vec![Vec::new(); used];
    for (row, &fold) in owner.iter().enumerate() {
        held[fold].push(row);
    }
    Ok((held, notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Matrix, Samples, Seed};
    use proptest::prelude::*;

    fn labels(counts: &[usize]) -> Labels {
        let texts: Vec<String> = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &n)| std::iter::repeat_n(class.to_string(), n))
            .collect();
        Labels::from_texts(&texts)
    }

    fn key(seed: u64) -> StreamKey {
        Seed(seed).stage("split")
    }

    proptest! {
        #[test]
        fn folds_are_disjoint_complete_and_even(
            counts in prop::collection::vec(1_usize..30, 2..6),
            folds in 2_usize..6,
            seed in 0_u64..1000,
        ) {
            let labels = labels(&counts);
            prop_assume!(labels.len() >= folds);
            let (parts, _) =
                stratified_folds(&labels, folds, None, SmallClass::Clamp, &key(seed)).unwrap();
            let mut tested = vec![0; labels.len()];
            for part in &parts {
                prop_assert_eq!(part.train().len() + part.test().len(), labels.len());
                for &row in part.test() {
                    tested[row] += 1;
                }
            }
            prop_assert!(tested.iter().all(|&n| n == 1));
            let sizes: Vec<usize> = parts.iter().map(|p| p.test().len()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            for class in 0..labels.n_classes() {
                let per: Vec<usize> = parts
                    .iter()
                    .map(|p| labels.select(p.test()).counts().as_slice()[class])
                    .collect();
                prop_assert!(per.iter().max().unwrap() - per.iter().min().unwrap() <= 1);
            }
        }

        #[test]
        fn groups_never_straddle(
            groups in prop::collection::vec(0_usize..25, 40..80),
            seed in 0_u64..100,
        ) {
            let labels = labels(&[groups.len() / 2, groups.len() - groups.len() / 2]);
            // Number the groups by first occurrence, as `duplicate_groups` does.
            let mut names = Vec::new();
            let groups: Vec<usize> = groups
                .iter()
                .map(|g| names.iter().position(|n| n == g).unwrap_or_else(|| {
                    names.push(*g);
                    names.len() - 1
                }))
                .collect();
            prop_assume!(names.len() >= 10);
            let (parts, _) =
                stratified_folds(&labels, 3, Some(&groups), SmallClass::Clamp, &key(seed)).unwrap();
            for part in &parts {
                for &row in part.test() {
                    prop_assert!(part.train().iter().all(|&other| groups[other] != groups[row]));
                }
            }
        }
    }

    #[test]
    fn small_classes_follow_the_policy() {
        let labels = labels(&[20, 2]);
        let (parts, notes) =
            stratified_folds(&labels, 5, None, SmallClass::Clamp, &key(1)).unwrap();
        let with = parts
            .iter()
            .filter(|p| labels.select(p.test()).counts().as_slice()[1] > 0);
        assert_eq!(with.count(), 2);
        assert!(matches!(&notes[..], [Note::Clamped(text)] if text.contains("1 (2)")));
        let skip = stratified_folds(&labels, 5, None, SmallClass::Skip, &key(1));
        assert!(matches!(skip, Err(StageError::Skipped(_))));
        let error = stratified_folds(&labels, 5, None, SmallClass::Error, &key(1));
        assert!(matches!(error, Err(StageError::Failed(_))));
    }

    #[test]
    fn the_same_key_gives_the_same_folds_and_another_key_others() {
        let labels = labels(&[30, 30]);
        let folds = |seed| {
            stratified_folds(&labels, 5, None, SmallClass::Clamp, &key(seed))
                .unwrap()
                .0
        };
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn inner_folds_hold_every_row_out_once() {
        let labels = labels(&[7, 1]);
        let x = Matrix::from_fn(8, 1, |i, _| i as f64);
        let samples = Samples::numeric(x, labels).unwrap();
        let partition = Partition::new(8, (0..8).collect(), vec![]).unwrap();
        let (train, _) = partition.cut_samples(&samples).unwrap();
        let (held, notes) = inner_folds(&train, 3, SmallClass::Clamp, &key(4)).unwrap();
        let mut all: Vec<usize> = held.concat();
        all.sort_unstable();
        assert_eq!(all, (0..8).collect::<Vec<_>>());
        assert_eq!(notes.len(), 1);
        let (held, notes) = inner_folds(&train, 20, SmallClass::Clamp, &key(4)).unwrap();
        assert_eq!(held.len(), 8);
        assert!(notes.iter().any(|note| matches!(note, Note::Clamped(_))));
    }
}
