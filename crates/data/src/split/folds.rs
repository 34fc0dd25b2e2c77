//! Stratified k-fold.
//!
//! Rows are dealt class by class, each class in an order of its own stream, onto one running wheel
//! of folds, so that inside every class the folds differ by at most one row, and so do the folds as
//! a whole. Where rows have groups, whole groups are dealt instead ([`deal_groups`]).

use counterweight_core::groups::{count_groups, deal_groups};
use counterweight_core::{
    Labels, Note, Partition, SmallClass, StageError, StageResult, StreamKey, Train,
};

use super::{shuffled_classes, some_names, units};

/// Splits rows into `folds` folds, each the test part of one partition.
///
/// A class with fewer rows than folds is spread over as many folds as it has rows: a clamp under the
/// declared policy. With `groups` the rows of a group stay together, and counts are as even as whole groups allow;
/// the rows of a class then count by groups, and fewer groups than folds make as many folds as there are groups,
/// which is a clamp too.
///
/// # Errors
/// [`StageError::Failed`] for fewer than two folds or groups, or fewer rows than folds; the policy's answer to small
/// classes and few groups.
pub fn stratified_folds(
    labels: &Labels,
    folds: usize,
    groups: Option<&[u32]>,
    small_class: SmallClass,
    key: &StreamKey,
) -> StageResult<(Vec<Partition>, Vec<Note>)> {
    let n = labels.len();
    if folds < 2 || n < folds {
        return Err(StageError::Failed(format!(
            "{n} rows cannot be split into {folds} folds"
        )));
    }
    let mut notes = Vec::new();
    let (folds, note) = foldable(folds, groups, small_class)?;
    notes.extend(note);
    let units = units(labels, groups)?;
    let small: Vec<String> = labels
        .names()
        .iter()
        .zip(&units)
        .filter(|(_, count)| (1..folds).contains(*count))
        .map(|(name, count)| format!("{name} ({count})"))
        .collect();
    if !small.is_empty() {
        let classes = some_names(small.iter().map(String::as_str));
        let what = if groups.is_some() { "groups" } else { "rows" };
        notes.push(small_class.settle(format!(
            "classes with fewer {what} than the {folds} folds are in some test folds only: {classes}"
        ))?);
    }
    let owner = match groups {
        None => deal(labels, folds, key),
        Some(groups) => dealt(labels, groups, folds, key),
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
                "fold {fold} of {folds} has no rows on one side"
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

/// The fold of each row, whole groups dealt in an order drawn from the key.
fn dealt(labels: &Labels, groups: &[u32], folds: usize, key: &StreamKey) -> Vec<usize> {
    let mut stream = key.clone().text("groups").open();
    deal_groups(labels.ids(), groups, folds, &mut stream)
}

/// The folds that there can be: no more than groups.
fn foldable(
    folds: usize,
    groups: Option<&[u32]>,
    small_class: SmallClass,
) -> StageResult<(usize, Option<Note>)> {
    let most = groups.map_or(folds, count_groups);
    if most < 2 {
        return Err(StageError::Failed(
            "all rows are of one group, which cannot be split".into(),
        ));
    }
    if most >= folds {
        return Ok((folds, None));
    }
    let note = format!("{folds} folds reduced to the {most} groups that there are");
    small_class.settle(note).map(|note| (most, Some(note)))
}

/// The held-out rows of each inner fold of cross-fitting: every training row is held out exactly
/// once, also the only row of a class, whose inner training rows then lack the class.
///
/// Where the training rows have groups, a group is held out as a whole. Fewer rows or groups than folds reduce the
/// folds: a clamp under the declared policy.
///
/// # Errors
/// [`StageError::Failed`] with fewer than two rows, [`StageError::NotApplicable`] with one group; the policy's answer.
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
    let groups = train.groups();
    let groups = groups.as_deref();
    let (used, note) = match foldable(used, groups, small_class) {
        Err(StageError::Failed(_)) => Err(StageError::NotApplicable(
            "cross-fitting needs two groups of training rows".into(),
        )),
        foldable => foldable,
    }?;
    notes.extend(note);
    let single: Vec<&str> = labels
        .names()
        .iter()
        .zip(units(labels, groups)?)
        .filter(|(_, count)| *count == 1)
        .map(|(name, _)| name.as_str())
        .collect();
    if !single.is_empty() {
        let classes = some_names(single.into_iter());
        let what = if groups.is_some() {
            "group of training rows"
        } else {
            "training row"
        };
        notes.push(Note::Remark(format!(
            "classes with one {what} are never scored by a model that saw them: {classes}"
        )));
    }
    let owner = match groups {
        None => deal(labels, used, key),
        Some(groups) => dealt(labels, groups, used, key),
    };
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
            groups in prop::collection::vec(0_u32..25, 40..80),
            seed in 0_u64..100,
        ) {
            let labels = labels(&[groups.len() / 2, groups.len() - groups.len() / 2]);
            prop_assume!(count_groups(&groups) >= 10);
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
    fn few_groups_follow_the_policy() {
        let labels = labels(&[6, 3]);
        let groups = [0, 0, 1, 1, 2, 2, 0, 1, 1];
        let of =
            |groups: &[u32], policy| stratified_folds(&labels, 5, Some(groups), policy, &key(1));
        let (parts, notes) = of(&groups, SmallClass::Clamp).unwrap();
        assert_eq!(parts.len(), 3);
        let texts: Vec<&str> = notes.iter().map(Note::text).collect();
        let few = "5 folds reduced to the 3 groups that there are";
        let small = "classes with fewer groups than the 3 folds are in some test folds only: 1 (2)";
        assert_eq!(texts, [few, small]);
        assert!(matches!(
            of(&groups, SmallClass::Error),
            Err(StageError::Failed(_))
        ));
        assert!(matches!(
            of(&groups, SmallClass::Skip),
            Err(StageError::Skipped(_))
        ));
        assert!(matches!(
            of(&[4; 9], SmallClass::Clamp),
            Err(StageError::Failed(_))
        ));
        assert!(of(&groups[..8], SmallClass::Clamp).is_err());
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
        let of = |groups: [u32; 8]| {
            let grouped = train.clone().with_groups(Some(groups.into()));
            inner_folds(&grouped, 3, SmallClass::Clamp, &key(4))
        };
        let (mut held, notes) = of([0, 0, 0, 0, 1, 1, 1, 0]).unwrap();
        held.sort();
        assert_eq!(held, [vec![0, 1, 2, 3, 7], vec![4, 5, 6]]);
        assert!(
            notes
                .iter()
                .any(|note| note.text().starts_with("3 folds reduced to the 2 groups"))
        );
        assert!(matches!(of([9; 8]), Err(StageError::NotApplicable(_))));
    }
}
