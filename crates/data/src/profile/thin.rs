//! Thinning real rows to a profile, as nested ladders.

use counterweight_core::{ClassCounts, Labels, StreamKey};
use rand::seq::SliceRandom as _;

use super::ProfileError;

/// Picks `target` of the rows `rows`, class by class.
///
/// Each class's rows, in ascending order, are permuted by the class's own stream
/// (`key.clone().number(class)`), and the first `target` of the permutation are kept. The permutation
/// does not depend on the target or on other classes: with the same key and rows, the rows at a
/// smaller count are a subset of those at a larger one. Returns the kept rows in ascending order.
///
/// Cost: O(n log n) for n rows.
///
/// # Errors
/// [`ProfileError::OtherClasses`] when `target` has another number of classes than `labels`,
/// [`ProfileError::Row`] when a row does not exist or is listed twice, and
/// [`ProfileError::TooFewRows`] when a class has fewer rows than its target.
///
/// # Examples
/// ```
/// use counterweight_core::{ClassCounts, Labels, Seed};
/// use counterweight_data::profile::thin;
/// let labels = Labels::from_texts(&["a", "b", "a", "a", "b", "a"]);
/// let key = Seed(7).stage("imbalance");
/// let rows: Vec<usize> = (0..6).collect();
/// let two = thin(&labels, &rows, &ClassCounts::new(vec![4, 2]), &key)?;
/// assert_eq!(two, rows);
/// let one = thin(&labels, &rows, &ClassCounts::new(vec![4, 1]), &key)?;
/// assert_eq!(labels.select(&one).counts().as_slice(), [4, 1]);
/// # Ok::<(), counterweight_data::profile::ProfileError>(())
/// ```
pub fn thin(
    labels: &Labels,
    rows: &[usize],
    target: &ClassCounts,
    key: &StreamKey,
) -> Result<Vec<usize>, ProfileError> {
    if target.n_classes() != labels.n_classes() {
        return Err(ProfileError::OtherClasses {
            expected: labels.n_classes(),
            found: target.n_classes(),
        });
    }
    let mut ascending = rows.to_vec();
    ascending.sort_unstable();
    if let Some(pair) = ascending.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ProfileError::Row {
            row: pair[0],
            problem: "is listed twice",
        });
    }
    if let Some(&row) = ascending.last().filter(|&&row| row >= labels.len()) {
        return Err(ProfileError::Row {
            row,
            problem: "is not among the labels",
        });
    }
    let mut by_class = vec![Vec::new(); labels.n_classes()];
    for row in ascending {
        by_class[labels.class(row)].push(row);
    }
    let mut kept = Vec::with_capacity(target.total().min(rows.len()));
    for (class, (mut rows, &wanted)) in by_class.into_iter().zip(target.as_slice()).enumerate() {
        if wanted > rows.len() {
            return Err(ProfileError::TooFewRows {
                class,
                wanted,
                found: rows.len(),
            });
        }
        rows.shuffle(&mut key.clone().number(class).open());
        kept.extend_from_slice(&rows[..wanted]);
    }
    kept.sort_unstable();
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use counterweight_core::Seed;
    use proptest::prelude::*;

    use super::*;

    fn labels(ids: Vec<u32>) -> Labels {
        let names: Arc<[String]> = (0..4).map(|class| class.to_string()).collect();
        Labels::new(ids, names).unwrap()
    }

    fn key(seed: u64) -> StreamKey {
        Seed(seed).stage("imbalance")
    }

    proptest! {
        #[test]
        fn rows_are_nested_and_as_many_as_asked_for(
            seed in any::<u64>(),
            ids in prop::collection::vec(0_u32..4, 1..200),
            shares in prop::collection::vec((0.0_f64..=1.0, 0.0_f64..=1.0), 4),
        ) {
            let labels = labels(ids);
            // Not all rows are training rows, and their order does not matter.
            let rows: Vec<usize> = (0..labels.len()).filter(|row| row % 5 != 2).collect();
            let backwards: Vec<usize> = rows.iter().rev().copied().collect();
            let have = labels.select(&rows).counts();
            let target = |pick: fn(f64, f64) -> f64| {
                let take = |(&n, &(a, b)): (&usize, &(f64, f64))| {
                    (0..=n).rev().find(|&m| m as f64 <= n as f64 * pick(a, b)).unwrap_or(0)
                };
                ClassCounts::new(have.as_slice().iter().zip(&shares).map(take).collect())
            };
            let (few, many) = (target(f64::min), target(f64::max));
            let small = thin(&labels, &rows, &few, &key(seed)).unwrap();
            let large = thin(&labels, &backwards, &many, &key(seed)).unwrap();
            prop_assert_eq!(labels.select(&small).counts(), few);
            prop_assert_eq!(labels.select(&large).counts(), many);
            for kept in [&small, &large] {
                prop_assert!(kept.is_sorted_by(|a, b| a < b));
                prop_assert!(kept.iter().all(|row| rows.contains(row)));
            }
            prop_assert!(small.iter().all(|row| large.contains(row)));
            prop_assert_eq!(thin(&labels, &rows, &have, &key(seed)).unwrap(), rows);
        }

        #[test]
        fn one_class_does_not_move_another(seed in any::<u64>(), n in 1_usize..20, m in 0_usize..20) {
            let labels = labels((0..40).map(|row| row % 2).collect());
            let rows: Vec<usize> = (0..40).collect();
            let of_class_0 = |other: usize| -> Vec<usize> {
                let target = ClassCounts::new(vec![n, other, 0, 0]);
                let kept = thin(&labels, &rows, &target, &key(seed)).unwrap();
                kept.into_iter().filter(|&row| labels.class(row) == 0).collect()
            };
            prop_assert_eq!(of_class_0(m), of_class_0(20));
        }
    }

    #[test]
    fn every_row_is_equally_likely() {
        let labels = labels(vec![1; 10]);
        let rows: Vec<usize> = (0..10).collect();
        let mut kept = [0_i32; 10];
        for seed in 0..10_000 {
            let target = ClassCounts::new(vec![0, 3, 0, 0]);
            for row in thin(&labels, &rows, &target, &key(seed)).unwrap() {
                kept[row] += 1;
            }
        }
        // 3000 +- 5 standard deviations of 46.
        assert!(kept.iter().all(|n| (n - 3000).abs() < 230), "{kept:?}");
    }

    #[test]
    fn what_cannot_be_given_is_an_error() {
        let labels = labels(vec![0, 1, 1]);
        let thin = |rows: &[usize], counts: &[usize]| {
            thin(&labels, rows, &ClassCounts::new(counts.to_vec()), &key(0))
        };
        assert_eq!(
            thin(&[0, 1, 2], &[1, 3, 0, 0]),
            Err(ProfileError::TooFewRows {
                class: 1,
                wanted: 3,
                found: 2
            })
        );
        assert_eq!(
            thin(&[0, 1], &[1, 2, 0, 0]).unwrap_err().to_string(),
            "class 1 (from 0) has 1 rows, 2 are asked for"
        );
        assert_eq!(
            thin(&[0], &[1, 0]),
            Err(ProfileError::OtherClasses {
                expected: 4,
                found: 2
            })
        );
        assert_eq!(
            thin(&[0, 2, 0], &[1, 1, 0, 0]).unwrap_err().to_string(),
            "row 0 is listed twice"
        );
        assert_eq!(
            thin(&[0, 3], &[1, 0, 0, 0]).unwrap_err().to_string(),
            "row 3 is not among the labels"
        );
        assert_eq!(thin(&[], &[0, 0, 0, 0]), Ok(vec![]));
    }
}
