//! Labels, class counts and priors.

use std::fmt::Display;
use std::sync::Arc;

use crate::error::{CoreError, Result};

/// Class labels of some rows: numbers in `0..n_classes`, with the names behind them. A class may be
/// absent from the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    ids: Vec<u32>,
    names: Arc<[String]>,
    ties: Ties,
    weights: Option<Arc<[f64]>>,
}

/// Which of several classes a tie goes to: the rarest of the whole table, of equal ones the last. It is
/// fixed with the table, so that no fold, rung or resampled set changes it, and calling the classes
/// otherwise changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties(Option<Arc<[u32]>>);

impl Ties {
    /// For classes whose rows weigh so much in the whole table: where rows have no weights, their numbers.
    pub fn by_rarity(masses: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..masses.len()).collect();
        order.sort_by(|&a, &b| masses[b].total_cmp(&masses[a]));
        if order.is_sorted() {
            return Self(None);
        }
        let mut ranks = vec![0; masses.len()];
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
                weights: None,
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
            weights: None,
        };
        labels.ties = Ties::by_rarity(&labels.counts().masses());
        labels
    }

    /// Turns the values of any ordered type into labels, classes in the order of the values; beside them the value of
    /// each class.
    pub fn of_values<L: Ord + Clone + Display>(values: &[L]) -> (Self, Vec<L>) {
        let mut classes = values.to_vec();
        classes.sort_unstable();
        classes.dedup();
        let place = |value: &L| {
            classes
                .binary_search(value)
                .map_or(0, |at| u32::try_from(at).unwrap_or(u32::MAX))
        };
        let mut labels = Self {
            ids: values.iter().map(place).collect(),
            names: classes.iter().map(ToString::to_string).collect(),
            ties: Ties::default(),
            weights: None,
        };
        labels.ties = Ties::by_rarity(&labels.counts().masses());
        (labels, classes)
    }

    /// The labels of a whole table whose rows have weights of their own, in any unit: a row counts as so many.
    ///
    /// # Errors
    /// [`CoreError::Shape`] for another number of weights than rows, [`CoreError::Domain`] for a weight that is
    /// negative or not finite, or when they sum to nothing finite above 0.
    pub fn weighted(self, weights: Vec<f64>) -> Result<Self> {
        let mut labels = self.with_weights(weights)?;
        labels.ties = Ties::by_rarity(&labels.counts().masses());
        Ok(labels)
    }

    /// The same rows with weights; where ties go stays.
    pub(crate) fn with_weights(self, weights: Vec<f64>) -> Result<Self> {
        if weights.len() != self.len() {
            return Err(CoreError::Shape {
                what: "weights of rows",
                expected: self.len(),
                found: weights.len(),
            });
        }
        let odd = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0));
        let total: f64 = weights.iter().sum();
        let reason = match odd {
            Some(odd) => format!("{odd} is no weight"),
            None if total.is_finite() && (total > 0.0 || weights.is_empty()) => {
                let weights = Some(weights.into());
                return Ok(Self { weights, ..self });
            }
            None => format!("they sum to {total}"),
        };
        Err(CoreError::Domain {
            what: "weights of rows",
            reason,
        })
    }

    /// Other rows with the same classes, without weights of their own.
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

    /// Whether rows have weights of their own.
    pub fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// The weight of each row in units of their mean, so that they sum to the number of rows; `None` where rows
    /// have none. What is made of them does not depend on the unit that they came in.
    pub fn weights(&self) -> Option<Vec<f64>> {
        let weights = self.weights.as_ref()?;
        let scale = scale(weights);
        Some(weights.iter().map(|w| w * scale).collect())
    }

    /// The weight of row `i` in the unit that it came in; 1 where rows have none.
    ///
    /// # Panics
    /// When `i >= len`, as slice indexing does.
    pub(crate) fn raw_weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[i])
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
            weights: (self.weights.as_ref())
                .map(|weights| rows.iter().map(|&row| weights[row]).collect()),
        }
    }

    /// The rows of two sides as two classes, the second the positive one; every row is of one.
    pub(crate) fn as_sides(&self, side: &[Option<u32>], names: [String; 2]) -> Self {
        let of = |id: &u32| side[*id as usize].unwrap_or(0);
        let mut labels = Self {
            ids: self.ids.iter().map(of).collect(),
            names: names.into(),
            ties: Ties::default(),
            weights: self.weights.clone(),
        };
        labels.ties = Ties::by_rarity(&labels.counts().masses());
        labels
    }

    /// Rows of each class.
    pub fn counts(&self) -> ClassCounts {
        let mut counts = vec![0; self.n_classes()];
        for &id in &self.ids {
            counts[id as usize] += 1;
        }
        let masses = self.weights.as_ref().map(|weights| {
            let mut masses = vec![0.0; self.n_classes()];
            for (&id, weight) in self.ids.iter().zip(weights.iter()) {
                masses[id as usize] += weight;
            }
            let scale = scale(weights);
            masses.into_iter().map(|mass| mass * scale).collect()
        });
        ClassCounts {
            counts,
            ties: self.ties.clone(),
            masses,
        }
    }
}

/// What brings weights to a mean of 1.
fn scale(weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    if total > 0.0 {
        weights.len() as f64 / total
    } else {
        1.0
    }
}

/// Rows of each class, in class order, and what they weigh where rows have weights of their own.
#[derive(Clone, Debug)]
pub struct ClassCounts {
    counts: Vec<usize>,
    ties: Ties,
    masses: Option<Vec<f64>>,
}

impl Eq for ClassCounts {}

/// Counts are equal when their numbers are, wherever ties go and whatever rows weigh.
impl PartialEq for ClassCounts {
    fn eq(&self, other: &Self) -> bool {
        self.counts == other.counts
    }
}

impl ClassCounts {
    /// These counts, of a whole table: a tie goes to the class that is rarest by them.
    pub fn new(counts: Vec<usize>) -> Self {
        let masses: Vec<f64> = counts.iter().map(|&n| n as f64).collect();
        Self {
            ties: Ties::by_rarity(&masses),
            counts,
            masses: None,
        }
    }

    /// What the rows of each class weigh, in units of the mean row: their numbers, where rows have no weights.
    /// Both sum to the number of rows.
    pub fn masses(&self) -> Vec<f64> {
        match &self.masses {
            Some(masses) => masses.clone(),
            None => self.counts.iter().map(|&n| n as f64).collect(),
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

    /// The rarest class that has rows, by what they weigh, of equal ones the one that [`Ties`] puts first.
    pub fn rarest(&self) -> Option<usize> {
        let masses = self.masses();
        let present = |class: &usize| self.counts[*class] > 0;
        let all = (0..self.n_classes()).filter(present);
        let least = all.clone().map(|class| masses[class]);
        let least = least.fold(f64::INFINITY, f64::min);
        all.filter(|&class| masses[class] <= least)
            .max_by_key(|&class| self.ties.rank(class))
    }

    /// Shares of the classes, by what their rows weigh; `None` without rows.
    pub fn prior(&self) -> Option<Prior> {
        Prior::from_weights(self.masses()).ok()
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
    fn rows_count_as_much_as_they_weigh() {
        let labels = Labels::from_texts(&["a", "b", "b", "b"]);
        let weighted = labels
            .clone()
            .weighted(vec![60.0, 10.0, 10.0, 0.0])
            .unwrap();
        let counts = weighted.counts();
        assert_eq!(counts.as_slice(), [1, 3]);
        assert_eq!(counts.masses(), [3.0, 1.0]);
        assert_eq!(counts.prior().unwrap().as_slice(), [0.75, 0.25]);
        assert_eq!(
            (counts.rarest(), labels.counts().rarest()),
            (Some(1), Some(0))
        );
        assert_eq!((weighted.ties().rank(1), labels.ties().rank(1)), (1, 0));
        assert_eq!(weighted.weights().unwrap(), [3.0, 0.5, 0.5, 0.0]);
        // The unit does not matter, and parts have a mean of 1 too.
        let other = labels.clone().weighted(vec![0.6, 0.1, 0.1, 0.0]).unwrap();
        for (a, b) in other
            .weights()
            .unwrap()
            .iter()
            .zip(weighted.weights().unwrap())
        {
            assert!((a - b).abs() < 1e-15);
        }
        assert_eq!(weighted.select(&[1, 2]).weights().unwrap(), [1.0, 1.0]);
        assert_eq!(weighted.with_ids(vec![0]).unwrap().weights(), None);
        for odd in [vec![1.0; 3], vec![-1.0; 4], vec![f64::NAN; 4], vec![0.0; 4]] {
            assert!(labels.clone().weighted(odd).is_err());
        }
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
