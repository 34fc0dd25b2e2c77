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
