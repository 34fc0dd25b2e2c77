//! Missing values filled in for good, for whoever takes rows out of the protocol.

use counterweight_core::error::Result;
use counterweight_core::{Column, ColumnValues, Dataset, MISSING};
use counterweight_numeric::order::median;

/// What a missing number becomes; a missing level becomes the most frequent one of its column (a tie goes to the first).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// The median of the column, as in `standard` preprocessing.
    Median,
    /// Its mean.
    Mean,
}

/// The same rows with every missing value filled from the others of its column, whatever their class. A column without any value
/// is 0, or stays without levels. O(n d log n).
///
/// # Errors
/// As [`Dataset::new`].
pub fn fill(data: &Dataset, how: Fill) -> Result<Dataset> {
    let columns = data.columns().iter().map(|column| {
        let values = match &column.values {
            ColumnValues::Numeric(values) => {
                let known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
                let n = known.len() as f64;
                let filler = match how {
                    Fill::Median => median(&known).unwrap_or(0.0),
                    Fill::Mean => known.iter().map(|v| v / n).sum(),
                };
                let filled = values.iter().map(|&v| if v.is_nan() { filler } else { v });
                ColumnValues::Numeric(filled.collect())
            }
            ColumnValues::Nominal { codes, levels } => {
                let mut counts = vec![0_usize; levels.len()];
                for &code in codes.iter().filter(|&&code| code != MISSING) {
                    counts[code as usize] += 1;
                }
                let top = counts.iter().copied().max().unwrap_or(0);
                let first = counts.iter().position(|&count| count == top);
                let filler = first
                    .and_then(|at| u32::try_from(at).ok())
                    .unwrap_or(MISSING);
                let filled = codes
                    .iter()
                    .map(|&code| if code == MISSING { filler } else { code });
                ColumnValues::Nominal {
                    codes: filled.collect(),
                    levels: levels.clone(),
                }
            }
        };
        Column {
            name: column.name.clone(),
            values,
        }
    });
    let filled = Dataset::new(columns.collect(), data.labels().clone())?;
    match data.groups() {
        Some(groups) => filled.with_groups(groups.to_vec()),
        None => Ok(filled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::Labels;

    #[test]
    fn numbers_take_the_median_or_mean_and_names_the_most_frequent() {
        let columns = vec![
            Column {
                name: "x".into(),
                values: ColumnValues::Numeric(vec![1.0, f64::NAN, 3.0, 8.0]),
            },
            Column {
                name: "c".into(),
                values: ColumnValues::nominal(&[Some("b"), Some("b"), None, Some("a")]),
            },
        ];
        let data = Dataset::new(columns, Labels::from_texts(&["p", "q", "p", "q"])).unwrap();
        for (how, expected) in [(Fill::Median, 3.0), (Fill::Mean, 4.0)] {
            let filled = fill(&data, how).unwrap();
            assert_eq!(
                filled.columns()[0].values,
                ColumnValues::Numeric(vec![1.0, expected, 3.0, 8.0])
            );
            let ColumnValues::Nominal { codes, .. } = &filled.columns()[1].values else {
                unreachable!("names stay names");
            };
            assert_eq!(codes, &[1, 1, 1, 0]);
        }
    }
}
