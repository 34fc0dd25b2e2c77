//! A dataset as it comes: columns as they are, nothing imputed, scaled or encoded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{CoreError, Result};
use crate::hash::{ContentHash, Hasher};
use crate::labels::Labels;
use crate::suggest::nearest;

/// The code of a missing nominal value.
pub const MISSING: u32 = u32::MAX;

/// One feature column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The column's name.
    pub name: String,
    /// Its values.
    pub values: ColumnValues,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ColumnValues {
    /// Numbers; NaN stands for a missing value (readers refuse NaN spelt in the data).
    Numeric(Vec<f64>),
    /// Levels of a nominal column.
    Nominal {
        /// A level's index for each row, or [`MISSING`].
        codes: Vec<u32>,
        /// The levels' names, sorted by bytes.
        levels: Vec<String>,
    },
}

impl ColumnValues {
    /// Nominal values from texts; `None` is missing.
    pub fn nominal<S: AsRef<str>>(texts: &[Option<S>]) -> Self {
        let mut levels: Vec<String> = texts
            .iter()
            .flatten()
            .map(|text| text.as_ref().to_owned())
            .collect();
        levels.sort_unstable();
        levels.dedup();
        let code = |text: &str| {
            let at = levels.binary_search_by(|level| level.as_str().cmp(text));
            at.map_or(MISSING, |at| u32::try_from(at).unwrap_or(MISSING))
        };
        let codes = texts
            .iter()
            .map(|text| text.as_ref().map_or(MISSING, |text| code(text.as_ref())))
            .collect();
        Self::Nominal { codes, levels }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Nominal { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of missing values.
    pub fn missing(&self) -> usize {
        match self {
            Self::Numeric(values) => values.iter().filter(|v| v.is_nan()).count(),
            Self::Nominal { codes, .. } => codes.iter().filter(|&&code| code == MISSING).count(),
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numeric(values) => Self::Numeric(rows.iter().map(|&i| values[i]).collect()),
            Self::Nominal { codes, levels } => Self::Nominal {
                codes: rows.iter().map(|&i| codes[i]).collect(),
                levels: levels.clone(),
            },
        }
    }
}

/// Feature columns and labels of the same rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    columns: Vec<Column>,
    labels: Labels,
    groups: Option<Arc<[u32]>>,
    remarks: Vec<String>,
}

impl Dataset {
    /// Joins columns and labels.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when a column has another length than the labels.
    pub fn new(columns: Vec<Column>, labels: Labels) -> Result<Self> {
        for column in &columns {
            if column.values.len() != labels.len() {
                return Err(CoreError::Shape {
                    what: "dataset column",
                    expected: labels.len(),
                    found: column.values.len(),
                });
            }
        }
        Ok(Self {
            columns,
            labels,
            groups: None,
            remarks: Vec::new(),
        })
    }

    /// With these remarks on how it was read, a sentence each; they are no part of its hash.
    #[must_use]
    pub fn with_remarks(mut self, remarks: Vec<String>) -> Self {
        self.remarks.extend(remarks);
        self
    }

    /// What was read otherwise than it stands in the file.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// With the column `name` taken out of the features: its equal values are the groups of the rows.
    ///
    /// # Errors
    /// [`CoreError::Domain`], in words for whoever named the column, when there is none of the name, when no
    /// other is left, and when a value is missing.
    pub fn grouped_by(mut self, name: &str) -> Result<Self> {
        let refuse = |reason: String| CoreError::Domain {
            what: "groups",
            reason,
        };
        let Some(at) = self.columns.iter().position(|column| column.name == name) else {
            let names = self.columns.iter().map(|column| column.name.as_str());
            let near =
                nearest(name, names).map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
            return Err(refuse(format!("no group column `{name}`{near}")));
        };
        if self.columns.len() == 1 {
            return Err(refuse(format!(
                "no feature column beside the group column `{name}`"
            )));
        }
        let Column { values, .. } = self.columns.remove(at);
        let keys: Vec<u64> = match &values {
            // -0 and 0 are the same number.
            ColumnValues::Numeric(values) => values.iter().map(|v| (v + 0.0).to_bits()).collect(),
            ColumnValues::Nominal { codes, .. } => codes.iter().copied().map(u64::from).collect(),
        };
        let missing = |row: usize| match &values {
            ColumnValues::Numeric(values) => values[row].is_nan(),
            ColumnValues::Nominal { codes, .. } => codes[row] == MISSING,
        };
        if let Some(row) = (0..keys.len()).find(|&row| missing(row)) {
            let reason = format!("row {row} (from 0) has no value in the group column `{name}`");
            return Err(refuse(reason));
        }
        let mut seen = BTreeMap::new();
        let number = |key| {
            let next = u32::try_from(seen.len()).unwrap_or(u32::MAX);
            *seen.entry(key).or_insert(next)
        };
        let groups = keys.into_iter().map(number).collect();
        self.with_groups(groups)
    }

    /// With the column `name` taken out of the features: its values are the weights of the rows. Rows of weight 0
    /// are left out; the second value says which are kept, where some are.
    ///
    /// # Errors
    /// [`CoreError::Domain`], in words for whoever named the column, when it is not there, holds no numbers of at least
    /// 0, is the only one, or weighs nothing.
    pub fn weighted_by(mut self, name: &str) -> Result<(Self, Option<Vec<usize>>)> {
        let refuse = |reason: String| CoreError::Domain {
            what: "weights of rows",
            reason,
        };
        let Some(at) = self.columns.iter().position(|column| column.name == name) else {
            let names = self.columns.iter().map(|column| column.name.as_str());
            let near =
                nearest(name, names).map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
            return Err(refuse(format!("no weight column `{name}`{near}")));
        };
        if self.columns.len() == 1 {
            return Err(refuse(format!(
                "no feature column beside the weight column `{name}`"
            )));
        }
        let ColumnValues::Numeric(weights) = self.columns.remove(at).values else {
            return Err(refuse(format!("weight column `{name}` holds names")));
        };
        let odd = |w: &f64| !(w.is_finite() && *w >= 0.0);
        if let Some(row) = weights.iter().position(odd) {
            return Err(refuse(format!(
                "weight column `{name}`, row {row} (from 0): {} is no weight: a number of at least 0",
                weights[row]
            )));
        }
        let kept: Vec<usize> = (0..weights.len())
            .filter(|&row| weights[row] > 0.0)
            .collect();
        if kept.is_empty() {
            return Err(refuse(format!("weight column `{name}` is 0 in every row")));
        }
        self.labels = self.labels.weighted(weights)?;
        if kept.len() == self.n_rows() {
            return Ok((self, None));
        }
        Ok((self.select(&kept), Some(kept)))
    }

    /// The sum of the weights of the rows in the unit that they came in, and the number of equal rows that say as
    /// much, `(sum w)^2 / sum w^2` (Kish 1965); `None` where rows have no weights.
    pub fn weighs(&self) -> Option<(f64, f64)> {
        let labels = self.labels.is_weighted().then_some(&self.labels)?;
        let weights = (0..labels.len()).map(|row| labels.raw_weight(row));
        let sum: f64 = weights.clone().sum();
        let squares: f64 = weights.map(|w| (w / sum) * (w / sum)).sum();
        Some((sum, 1.0 / squares))
    }

    /// The hash of the weights of the rows, whatever unit they came in (to the 24 bits of a short number); `None`
    /// where rows have none. It is no part of [`Dataset::content_hash`], so that splits are those of the same rows
    /// without weights.
    pub fn weights_hash(&self) -> Option<ContentHash> {
        let weights = self.labels.weights()?;
        // Rounded, so that the last bits of a unit's quotients do not matter.
        let short = |w: &f64| (w.to_bits() + (1 << 28)) >> 29;
        let hasher = Hasher::new("counterweight weights 1");
        let all = weights.iter().map(short);
        Some(all.fold(hasher, Hasher::number).finish())
    }

    /// With the rows of equal numbers as groups, which are never split up.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when there are not as many as rows.
    pub fn with_groups(mut self, groups: Vec<u32>) -> Result<Self> {
        if groups.len() != self.n_rows() {
            return Err(CoreError::Shape {
                what: "groups",
                expected: self.n_rows(),
                found: groups.len(),
            });
        }
        self.groups = Some(groups.into());
        Ok(self)
    }

    /// The group of each row, where rows have groups.
    pub fn groups(&self) -> Option<&Arc<[u32]>> {
        self.groups.as_ref()
    }

    /// The feature columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The labels.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of feature columns, before any encoding.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// The values of column `at` in the rows `rows`, in that order.
    pub fn part(&self, at: usize, rows: &[usize]) -> ColumnValues {
        self.columns[at].values.select(rows)
    }

    /// The groups of the rows `rows`, where rows have groups.
    pub fn groups_of(&self, rows: &[usize]) -> Option<Arc<[u32]>> {
        let groups = self.groups.as_ref()?;
        Some(rows.iter().map(|&i| groups[i]).collect())
    }

    /// The rows `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            columns: self
                .columns
                .iter()
                .map(|column| Column {
                    name: column.name.clone(),
                    values: column.values.select(rows),
                })
                .collect(),
            labels: self.labels.select(rows),
            groups: self.groups_of(rows),
            remarks: self.remarks.clone(),
        }
    }

    /// The same rows under other labels.
    pub(crate) fn with_labels(self, labels: Labels) -> Self {
        Self { labels, ..self }
    }

    /// These rows and then `other`'s, without groups and weights.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when the columns, their levels or the class names differ.
    pub fn stack(&self, other: &Self) -> Result<Self> {
        let refuse = |reason: String| CoreError::Domain {
            what: "stacked datasets",
            reason,
        };
        if self.columns.len() != other.columns.len() || self.labels.names() != other.labels.names()
        {
            return Err(refuse("columns or classes differ in number or name".into()));
        }
        let mut columns = Vec::with_capacity(self.columns.len());
        for (a, b) in self.columns.iter().zip(&other.columns) {
            let values = match (&a.values, &b.values) {
                (ColumnValues::Numeric(x), ColumnValues::Numeric(y)) if a.name == b.name => {
                    ColumnValues::Numeric(x.iter().chain(y).copied().collect())
                }
                (
                    ColumnValues::Nominal { codes: x, levels },
                    ColumnValues::Nominal {
                        codes: y,
                        levels: same,
                    },
                ) if a.name == b.name && levels == same => ColumnValues::Nominal {
                    codes: x.iter().chain(y).copied().collect(),
                    levels: levels.clone(),
                },
                _ => {
                    return Err(refuse(format!(
                        "column `{}` differs from `{}`",
                        a.name, b.name
                    )));
                }
            };
            columns.push(Column {
                name: a.name.clone(),
                values,
            });
        }
        let ids = self
            .labels
            .ids()
            .iter()
            .chain(other.labels.ids())
            .copied()
            .collect();
        let stacked = Self::new(columns, self.labels.with_ids(ids)?)?;
        Ok(stacked.with_remarks([self.remarks.as_slice(), &other.remarks].concat()))
    }

    /// The hash of the values (names, levels, numbers, labels), whatever file they came from.
    pub fn content_hash(&self) -> ContentHash {
        let mut hasher = Hasher::new("counterweight dataset 1").number(self.n_rows() as u64);
        for column in &self.columns {
            hasher = hasher.text(&column.name);
            hasher = match &column.values {
                ColumnValues::Numeric(values) => hasher.text("numeric").reals(values),
                ColumnValues::Nominal { codes, levels } => {
                    let hasher = levels.iter().fold(
                        hasher.text("nominal").number(levels.len() as u64),
                        |h, level| h.text(level),
                    );
                    hasher.bytes(
                        &codes
                            .iter()
                            .flat_map(|c| c.to_le_bytes())
                            .collect::<Vec<_>>(),
                    )
                }
            };
        }
        let names: &Arc<[String]> = self.labels.names();
        hasher = names
            .iter()
            .fold(hasher.text("labels"), |h, name| h.text(name));
        let ids: Vec<u8> = self
            .labels
            .ids()
            .iter()
            .flat_map(|id| id.to_le_bytes())
            .collect();
        hasher = hasher.bytes(&ids);
        if let Some(groups) = &self.groups {
            let bytes: Vec<u8> = groups
                .iter()
                .flat_map(|group| group.to_le_bytes())
                .collect();
            hasher = hasher.text("groups").bytes(&bytes);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nominal_levels_are_sorted_and_missing_stays_missing() {
        let values = ColumnValues::nominal(&[Some("b"), None, Some("a"), Some("b")]);
        let ColumnValues::Nominal { codes, levels } = &values else {
            panic!("nominal")
        };
        assert_eq!(levels, &["a", "b"]);
        assert_eq!(codes, &[1, MISSING, 0, 1]);
        assert_eq!(values.missing(), 1);
    }

    #[test]
    fn the_hash_sees_values_and_lengths() {
        let labels = Labels::from_texts(&["x", "y"]);
        let column = |name: &str, values: Vec<f64>| Column {
            name: name.into(),
            values: ColumnValues::Numeric(values),
        };
        let a = Dataset::new(vec![column("a", vec![1.0, 2.0])], labels.clone()).unwrap();
        let b = Dataset::new(vec![column("a", vec![1.0, 2.5])], labels.clone()).unwrap();
        assert_ne!(a.content_hash(), b.content_hash());
        assert_eq!(a.content_hash(), a.content_hash());
        assert!(Dataset::new(vec![column("a", vec![1.0])], labels).is_err());
    }

    #[test]
    fn a_column_becomes_the_weights() {
        let labels = Labels::from_texts(&["x", "y", "x", "y"]);
        let column = |name: &str, values: Vec<f64>| Column {
            name: name.into(),
            values: ColumnValues::Numeric(values),
        };
        let of = |weights: Vec<f64>| {
            let columns = vec![column("a", vec![1.0, 2.0, 3.0, 4.0]), column("w", weights)];
            let data = Dataset::new(columns, labels.clone()).unwrap();
            data.weighted_by("w")
        };
        let (data, kept) = of(vec![3.0, 1.0, 1.0, 1.0]).unwrap();
        assert_eq!((data.n_features(), kept), (1, None));
        let (sum, effective) = data.weighs().unwrap();
        assert!((sum - 6.0).abs() < 1e-15 && (effective - 3.0).abs() < 1e-12);
        let (thirds, _) = of(vec![0.9, 0.3, 0.3, 0.3]).unwrap();
        assert_eq!(thirds.weights_hash(), data.weights_hash());
        assert_eq!(thirds.content_hash(), data.content_hash());
        let (other, kept) = of(vec![3.0, 0.0, 1.0, 1.0]).unwrap();
        assert_ne!(other.weights_hash(), data.weights_hash());
        assert_eq!((other.n_rows(), kept), (3, Some(vec![0, 2, 3])));
        for (odd, words) in [
            (vec![1.0, -1.0, 1.0, 1.0], "row 1 (from 0): -1 is no weight"),
            (vec![1.0, f64::NAN, 1.0, 1.0], "row 1 (from 0): NaN"),
            (vec![0.0; 4], "is 0 in every row"),
        ] {
            let said = of(odd).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        let none = data.weighted_by("a").unwrap_err().to_string();
        assert!(none.contains("no feature column beside"), "{none}");
    }

    #[test]
    fn a_column_becomes_the_groups() {
        let labels = Labels::from_texts(&["x", "y", "x", "y"]);
        let column = |name: &str, values: Vec<f64>| Column {
            name: name.into(),
            values: ColumnValues::Numeric(values),
        };
        let columns = |of: Vec<f64>| vec![column("a", vec![1.0, 2.0, 3.0, 4.0]), column("who", of)];
        let of = |values| {
            Dataset::new(columns(values), labels.clone())
                .unwrap()
                .grouped_by("who")
        };
        let data = of(vec![7.0, 0.0, 7.0, -0.0]).unwrap();
        assert_eq!(data.n_features(), 1);
        assert_eq!(data.groups().unwrap()[..], [0, 1, 0, 1]);
        assert_eq!(data.select(&[3, 0]).groups().unwrap()[..], [1, 0]);
        let other = of(vec![7.0, 0.0, 7.0, 1.0]).unwrap();
        assert_ne!(data.content_hash(), other.content_hash());
        // Only what is equal counts, not what it is called.
        let renamed = of(vec![1.0, 2.0, 1.0, 2.0]).unwrap();
        assert_eq!(data.content_hash(), renamed.content_hash());
        let missing = of(vec![1.0, 2.0, f64::NAN, 2.0]).unwrap_err().to_string();
        assert!(missing.contains("row 2"), "{missing}");
        let whole = Dataset::new(columns(vec![1.0; 4]), labels.clone()).unwrap();
        let none = whole.clone().grouped_by("whom").unwrap_err().to_string();
        assert!(
            none.ends_with("no group column `whom`; did you mean `who`?"),
            "{none}"
        );
        let bare = whole.grouped_by("a").unwrap().grouped_by("who");
        assert!(
            bare.unwrap_err()
                .to_string()
                .contains("no feature column beside")
        );
    }
}
