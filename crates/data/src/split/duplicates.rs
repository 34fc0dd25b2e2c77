//! Exact duplicate rows, as groups.

use std::collections::BTreeMap;

use counterweight_core::{ColumnValues, Dataset};

/// The group of each row: rows with exactly the same feature values (a missing value equals a
/// missing value; labels do not count) have the same group, numbered by first occurrence. Where rows have
/// groups of their own, all rows of one group or equal to one another, directly or through others, have the same.
///
/// Cost: O(n d) memory and O(n d log n) time.
pub fn duplicate_groups(data: &Dataset) -> Vec<u32> {
    let equal = numbered((0..data.n_rows()).map(|row| row_key(data, row)));
    let Some(own) = data.groups() else {
        return equal;
    };
    // A forest over the sets of equal rows: sets that share a group get one root.
    let mut above: Vec<usize> = (0..equal.len()).collect();
    let root = |above: &mut [usize], mut at: usize| {
        while above[at] != at {
            above[at] = above[above[at]];
            at = above[at];
        }
        at
    };
    let mut first: BTreeMap<u32, usize> = BTreeMap::new();
    for (&set, &group) in equal.iter().zip(own.iter()) {
        let set = root(&mut above, set as usize);
        let other = *first.entry(group).or_insert(set);
        let other = root(&mut above, other);
        above[set.max(other)] = set.min(other);
    }
    numbered(equal.iter().map(|&set| root(&mut above, set as usize)))
}

/// Equal keys get equal numbers, by first occurrence.
fn numbered<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let mut seen = BTreeMap::new();
    keys.map(|key| {
        let next = u32::try_from(seen.len()).unwrap_or(u32::MAX);
        *seen.entry(key).or_insert(next)
    })
    .collect()
}

fn row_key(data: &Dataset, row: usize) -> Vec<u64> {
    data.columns()
        .iter()
        .map(|column| match &column.values {
            ColumnValues::Numeric(values) if values[row].is_nan() => u64::MAX,
            // -0 and 0 are the same number.
            ColumnValues::Numeric(values) => (values[row] + 0.0).to_bits(),
            ColumnValues::Nominal { codes, .. } => u64::from(codes[row]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Column, Labels};

    #[test]
    fn groups_ignore_labels_and_join_missing_values() {
        let nan = f64::NAN;
        let columns = vec![
            Column {
                name: "x".into(),
                values: ColumnValues::Numeric(vec![1.0, nan, 1.0, nan, 0.0, -0.0]),
            },
            Column {
                name: "c".into(),
                values: ColumnValues::nominal(&[
                    Some("a"),
                    Some("b"),
                    Some("a"),
                    Some("b"),
                    None,
                    None,
                ]),
            },
        ];
        let labels = Labels::from_texts(&["p", "p", "q", "q", "p", "q"]);
        let data = Dataset::new(columns, labels).unwrap();
        assert_eq!(duplicate_groups(&data), [0, 1, 0, 1, 2, 2]);
        // Rows 0 and 3 have one group, and so have rows 1 and 2, which equal them: one chain.
        let chained = data.clone().with_groups(vec![5, 1, 1, 5, 2, 3]).unwrap();
        assert_eq!(duplicate_groups(&chained), [0, 0, 0, 0, 1, 1]);
        let apart = data.with_groups(vec![5, 1, 5, 4, 4, 4]).unwrap();
        assert_eq!(duplicate_groups(&apart), [0, 1, 0, 1, 1, 1]);
    }
}
