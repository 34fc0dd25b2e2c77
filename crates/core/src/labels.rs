//! Labels, class counts and priors.

use std::sync::Arc;

use crate::error::{CoreError, Result};

/// Class labels of some rows: numbers in `0..n_classes`, with the names behind them. A class may be
/// absent from the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    ids: Vec<u32>,
    names: Arc<[String]>,
    ties: Ties,
}

/// Which of several classes a tie goes to: the rarest of the whole table, of equal ones the last. It is
/// fixed with the table, so that no fold, rung or resampled set changes it, and calling the classes
/// otherwise changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties(Option<Arc<[u32]>>);

impl Ties {
    /// For classes with so many rows in the whole table.
    pub fn by_rarity(counts: &[usize]) -> Self {
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
        if order.is_sorted() {
            return Self(None);
        }
        let mut ranks = vec![0; counts.len()];
        for (rank, class) in (0..).zip(order) {
            ranks[class] = rank;
        }
        Self(Some(ranks.into()))
    }

    /// The place of `class` from the most frequent to the rarest: of tied classes the one with the
    /// largest rank is taken.
    pub fn rank(&self, class: usize) -> usize {
        let ranks = self.0.as_ref();
        ranks.map_or(class, |ranks| ranks[class] as usize)
    }
}

impl Labels {
    /// Labels `ids`, each an index into `names`; ties go to the last class.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when an id has no name.
    pub fn new(ids: Vec<u32>, names: Arc<[String]>) -> Result<Self> {
        match ids.iter().position(|&id| id as usize >= names.len()) {
            None => Ok(Self {
                ids,
                names,
                ties: Ties::default(),
            }),
            Some(row) => Err(CoreError::Domain {
                what: "labels",
                reason: format!("row {row} has class {} of {}", ids[row], names.len()),
            }),
        }
    }

    /// Turns label texts into labels: classes ordered numerically when all are whole numbers, else
    /// by bytes.
    pub fn from_texts<S: AsRef<str>>(texts: &[S]) -> Self {
        let mut names: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names.dedup();
        // Two spellings of one number ("1" and "01") stay two classes, told apart by their bytes.
        if names.iter().all(|name| name.parse::<i128>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i128>().unwrap_or(i128::MAX));
        }
        let index: std::collections::BTreeMap<&str, u32> = names
            .iter()
            .zip(0..)
            .map(|(&name, id)| (name, id))
            .collect();
        let ids = texts.iter().map(|text| index[text.as_ref()]).collect();
        let mut labels = Self {
            ids,
            names: names.into_iter().map(str::to_owned).collect(),
            ties: Ties::default(),
        };
        labels.ties = Ties::by_rarity(labels.counts().as_slice());
        labels
    }

    /// Other rows with the same classes.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when an id has no name.
    pub fn with_ids(&self, ids: Vec<u32>) -> Result<Self> {
        let ties = self.ties.clone();
        Self::new(ids, Arc::clone(&self.names)).map(|labels| Self { ties, ..labels })
    }

    /// Which class a tie goes to.
    pub fn ties(&self) -> &Ties {
        &self.ties
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Number of classes, absent ones included.
    pub fn n_classes(&self) -> usize {
        self.names.len()
    }

    /// The class of each row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The class of row `i`, as an index.
    ///
    /// # Panics
    /// When `i >= len`, as slice indexing does.
    pub fn class(&self, i: usize) -> usize {
        self.ids[i] as usize
    }

    /// The names of the classes, in class order.
    pub fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// The labels of the rows `rows`, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            ids: rows.iter().map(|&row| self.ids[row]).collect(),
            names: Arc::clone(&self.names),
            ties: self.ties.clone(),
        }
    }

    /// The rows of two sides as two classes, the second the positive one; every row is of one.
    pub(crate) fn as_sides(&self, side: &[Option<u32>], names: [String; 2]) -> Self {
        let of = |id: &u32| side[*id as usize].unwrap_or(0);
        let mut labels = Self {
            ids: self.ids.iter().map(of).collect(),
            names: names.into(),
            ties: Ties::default(),
        };
        labels.ties = Ties::by_rarity(labels.counts().as_slice());
        labels
    }

    /// Rows of each class.
    pub fn counts(&self) -> ClassCounts {
        let mut counts = vec![0; self.n_classes()];
        for &id in &self.ids {
            counts[id as usize] += 1;
        }
        ClassCounts {
            counts,
            ties: self.ties.clone(),
        }
    }
}

/// Rows of each class, in class order.
#[derive(Clone, Debug, Eq)]
pub struct ClassCounts {
    counts: Vec<usize>,
    ties: Ties,
}

/// Counts are equal when their numbers are, wherever ties go.
impl PartialEq for ClassCounts {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts
    }
}

impl ClassCounts {
    /// These counts, of a whole table: a tie goes to the class that is rarest by them.
    pub fn new(counts: Vec<usize>) -> Self {
        Self {
            ties: Ties::by_rarity(&counts),
            counts,
        }
    }

    /// Which class a tie goes to.
    pub fn ties(&self) -> &Ties {
        &self.ties
    }

    /// The counts, in class order.
    pub fn as_slice(&self) -> &[usize] {
        &self.counts
    }

    /// All rows.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Number of classes, absent ones included.
    pub fn n_classes(&self) -> usize {
        self.counts.len()
    }

    /// Number of classes with at least one row.
    pub fn n_present(&self) -> usize {
        self.counts.iter().filter(|&&n| n > 0).count()
    }

    /// The largest count.
    pub fn largest(&self) -> usize {
        self.counts.iter().copied().max().unwrap_or(0)
    }

    /// The smallest count among the classes that have rows; 0 without rows.
    pub fn smallest_present(&self) -> usize {
        self.counts
            .iter()
            .copied()
            .filter(|&n| n > 0)
            .min()
            .unwrap_or(0)
    }

    /// Largest over smallest count among the classes that have rows; `None` without rows.
    pub fn imbalance_ratio(&self) -> Option<f64> {
        let smallest = self.smallest_present();
        (smallest > 0).then(|| self.largest() as f64 / smallest as f64)
    }

    /// The rarest class that has rows, of equal ones the one that [`Ties`] puts first.
    pub fn rarest(&self) -> Option<usize> {
        let smallest = self.smallest_present();
        (0..self.n_classes())
            .filter(|&class| self.counts[class] > 0 && self.counts[class] == smallest)
            .max_by_key(|&class| self.ties.rank(class))
    }

    /// Shares of the classes; `None` without rows.
    pub fn prior(&self) -> Option<Prior> {
        Prior::from_weights(self.counts.iter().map(|&n| n as f64).collect()).ok()
    }
}

/// A probability for each class, in class order; a class may have probability zero (absent).
#[derive(Clone, Debug, PartialEq)]
pub struct Prior(Vec<f64>);

impl Prior {
    /// Scales non-negative weights to sum to one.
    ///
    /// # Errors
    /// [`CoreError::Domain`] when a weight is negative or not finite, or all are zero.
    pub fn from_weights(mut weights: Vec<f64>) -> Result<Self> {
        let total: f64 = weights.iter().sum();
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || !(total.is_finite() && total > 0.0)
        {
            return Err(CoreError::Domain {
                what: "prior",
                reason: format!("needs finite weights of at least 0, not all 0, found {weights:?}"),
            });
        }
        for weight in &mut weights {
            *weight /= total;
        }
        Ok(Self(weights))
    }

    /// The same probability for every one of `n_classes` classes.
    ///
    /// # Errors
    /// [`CoreError::Domain`] without classes.
    pub fn uniform(n_classes: usize) -> Result<Self> {
        Self::from_weights(vec![1.0; n_classes])
    }

    /// The probabilities, in class order.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// Natural logarithms of the probabilities; negative infinity for absent classes.
    pub fn logs(&self) -> Vec<f64> {
        self.0.iter().map(|p| p.ln()).collect()
    }

    /// Number of classes, absent ones included.
    pub fn n_classes(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_by_number_or_by_bytes() {
        let numbers = Labels::from_texts(&["10", "9", "-1", "9"]);
        assert_eq!(numbers.names().to_vec(), ["-1", "9", "10"]);
        assert_eq!(numbers.ids(), [2, 1, 0, 1]);
        let bytes = Labels::from_texts(&["b", "B", "10", "9"]);
        assert_eq!(bytes.names().to_vec(), ["10", "9", "B", "b"]);
        let spelt = Labels::from_texts(&["1", "01", "1"]);
        assert_eq!(spelt.names().to_vec(), ["01", "1"]);
    }

    #[test]
    fn counts_leave_absent_classes_out_of_the_ratio() {
        let counts = ClassCounts::new(vec![90, 0, 9]);
        assert_eq!(counts.imbalance_ratio(), Some(10.0));
        assert_eq!(counts.rarest(), Some(2));
        assert_eq!(counts.n_present(), 2);
        assert_eq!(ClassCounts::new(vec![5, 5]).rarest(), Some(1));
        // Equal counts in a part of a table in which class "a" is rarer.
        let labels = Labels::from_texts(&["a", "b", "b", "c", "c"]);
        let part = labels.select(&[0, 1, 3]).counts();
        assert_eq!((part.rarest(), labels.ties().rank(2)), (Some(0), 1));
        assert_eq!(ClassCounts::new(vec![0, 0]).prior(), None);
    }

    #[test]
    fn a_prior_refuses_nonsense() {
        assert!(Prior::from_weights(vec![0.0, 0.0]).is_err());
        assert!(Prior::from_weights(vec![1.0, f64::NAN]).is_err());
        assert!(Prior::uniform(0).is_err());
        assert_eq!(
            Prior::from_weights(vec![3.0, 1.0]).unwrap().as_slice(),
            [0.75, 0.25]
        );
    }
}
