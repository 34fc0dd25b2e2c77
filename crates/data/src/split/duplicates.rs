//! Exact duplicate rows.

use std::collections::BTreeMap;

use counterweight_core::{ColumnValues, Dataset};

/// The group of each row: rows with exactly the same feature values (a missing value equals a
/// missing value; labels do not count) have the same group, numbered by first occurrence.
///
/// Cost: O(n d) memory and O(n d log n) time.
pub fn duplicate_groups(data: &Dataset) -> Vec<usize> {
    let mut seen: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
    (0..data.n_rows())
        .map(|row| {
            let next = seen.len();
            *seen.entry(row_key(data, row)).or_insert(next)
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
    }
}
