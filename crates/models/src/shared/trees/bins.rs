//! Quantile bins: every feature as a column of small codes in the order of its values.

use counterweight_core::limit;
use counterweight_core::{ColumnKind, Matrix};

use crate::shared::task::Task;

/// Most bins of a feature: a code fits a byte.
pub(crate) const MOST_BINS: usize = 255;

/// The bins of one feature, by code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bins {
    /// Least training value of each bin.
    low: Vec<f64>,
    /// Largest training value of each bin.
    high: Vec<f64>,
}

impl Bins {
    /// Number of bins.
    pub(crate) fn len(&self) -> usize {
        self.low.len()
    }

    /// Where rows of bin `left` and below part from rows of bin `right` and above: half way between
    /// the nearest training values on the two sides. Missing values stand above all numbers.
    pub(crate) fn between(&self, left: usize, right: usize) -> f64 {
        let (a, b) = (self.high[left], self.low[right]);
        if b.is_nan() {
            return f64::MAX;
        }
        // Halves first, since the sum of two large numbers overflows; rounding may give b itself,
        // and then b would go to the wrong side.
        let middle = 0.5 * a + 0.5 * b;
        if middle >= a && middle < b { middle } else { a }
    }

    /// The ends of the values from bin `first` to bin `last`.
    pub(crate) fn span(&self, first: usize, last: usize) -> (f64, f64) {
        (self.low[first], self.high[last])
    }

    /// The bin of the last training value that is not above `value`, if any.
    pub(crate) fn last_at_most(&self, value: f64) -> Option<usize> {
        self.high
            .partition_point(|high| *high <= value)
            .checked_sub(1)
    }
}

/// Training rows as codes, column by column.
#[derive(Debug)]
pub(crate) struct Binned {
    codes: Vec<Vec<u8>>,
    bins: Vec<Bins>,
    /// Where each feature's cells start in a histogram; one more than features.
    starts: Vec<usize>,
    /// Which features are nominal.
    nominal: Vec<bool>,
}

/// What rows weigh when values are divided into bins: the weight of their class, and their own where they have one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighing<'a> {
    pub(crate) y: &'a [u32],
    pub(crate) classes: &'a [f64],
    pub(crate) own: Option<&'a [f64]>,
}

impl<'a> Weighing<'a> {
    /// The rows of a task.
    pub(crate) fn of(task: &'a Task<'_>) -> Self {
        Self {
            y: &task.y,
            classes: &task.weights,
            own: task.own.as_deref(),
        }
    }
}

/// What rows weigh that are added one after the other: of rows without weights of their own, to the last bit whatever
/// their order.
#[derive(Debug)]
struct Sum<'a> {
    of: Weighing<'a>,
    seen: Vec<usize>,
    own: f64,
}

impl<'a> Sum<'a> {
    fn new(of: Weighing<'a>) -> Self {
        Self {
            seen: vec![0; of.classes.len()],
            own: 0.0,
            of,
        }
    }

    fn add(&mut self, row: usize) {
        let class = self.of.y[row] as usize;
        match self.of.own {
            Some(own) => self.own += self.of.classes[class] * own[row],
            None => self.seen[class] += 1,
        }
    }

    fn value(&self) -> f64 {
        match self.of.own {
            Some(_) => self.own,
            None => mass(&self.seen, self.of.classes),
        }
    }
}

impl Binned {
    /// As [`Binned::new`], with each level of a nominal column as a bin of its own up to [`MOST_BINS`]
    /// levels; beyond that neighbouring codes share a bin.
    pub(crate) fn of_kinds(
        (x, kinds): (&Matrix, &[ColumnKind]),
        weighing: Weighing<'_>,
        most: usize,
    ) -> Self {
        let mut binned = Self::new(x, weighing, most);
        for (j, kind) in kinds.iter().enumerate() {
            if matches!(kind, ColumnKind::Nominal { .. }) {
                let column = Matrix::from_fn(x.rows(), 1, |i, _| x.at(i, j));
                let mut one = Self::new(&column, weighing, MOST_BINS);
                binned.codes[j] = one.codes.swap_remove(0);
                binned.bins[j] = one.bins.swap_remove(0);
                binned.nominal[j] = true;
            }
        }
        for j in 0..binned.bins.len() {
            binned.starts[j + 1] = binned.starts[j] + binned.bins[j].len();
        }
        binned
    }

    /// Whether the bins of feature `j` are levels, in no order.
    pub(crate) fn is_nominal(&self, j: usize) -> bool {
        self.nominal[j]
    }

    /// The code of missing values of feature `j`, if it has any.
    pub(crate) fn missing(&self, j: usize) -> Option<u8> {
        let high = &self.bins[j].high;
        let missing = high.last().is_some_and(|high| high.is_nan());
        (missing).then(|| u8::try_from(high.len() - 1).expect("at most 255 bins"))
    }

    /// Whether feature `j` is a number without missing values.
    pub(crate) fn is_plain(&self, j: usize) -> bool {
        !self.nominal[j] && self.missing(j).is_none()
    }

    /// Bins every column. A value counts with the weight of its row, so that a weight of 2 gives the bins of duplicated rows. Up to 255 distinct values each value is a bin of its
    /// own; beyond that a bin covers about one part in `most` of the weight, `most` being at most
    /// [`MOST_BINS`]. NaN is a bin after all numbers.
    pub(crate) fn new(x: &Matrix, weighing: Weighing<'_>, most: usize) -> Self {
        let mut codes = Vec::with_capacity(x.cols());
        let mut bins = Vec::with_capacity(x.cols());
        let mut starts = vec![0];
        let mut sorted: Vec<(u64, u32)> = Vec::with_capacity(x.rows());
        let mut total = 0.0;
        for (row, &class) in weighing.y.iter().enumerate() {
            total += weighing.classes[class as usize] * weighing.own.map_or(1.0, |own| own[row]);
        }
        for j in 0..x.cols() {
            limit::ask();
            sorted.clear();
            sorted.extend(
                (0_u32..)
                    .zip(0..x.rows())
                    .map(|(row, i)| (rank(x.at(i, j)), row)),
            );
            sorted.sort_unstable();
            let distinct = sorted.chunk_by(|a, b| a.0 == b.0).count();
            let mut column = vec![0_u8; x.rows()];
            let mut own = Bins {
                low: Vec::new(),
                high: Vec::new(),
            };
            let mut slot = usize::MAX;
            let mut seen = Sum::new(weighing);
            for group in sorted.chunk_by(|a, b| a.0 == b.0) {
                let value = x.at(group[0].1 as usize, j);
                let before = seen.value();
                for &(_, row) in group {
                    seen.add(row as usize);
                }
                // The position of the middle of the value's weight decides its bin.
                let middle = 0.5 * (before + seen.value()) / total;
                let next = if distinct <= most {
                    own.len()
                } else if value.is_nan() {
                    most
                } else {
                    quantile(middle, most)
                };
                if next == slot {
                    own.high[own.low.len() - 1] = value;
                } else {
                    own.low.push(value);
                    own.high.push(value);
                    slot = next;
                }
                let code = u8::try_from(own.len() - 1).expect("at most 255 bins");
                for &(_, row) in group {
                    column[row as usize] = code;
                }
            }
            starts.push(starts[j] + own.len());
            codes.push(column);
            bins.push(own);
        }
        Self {
            codes,
            nominal: vec![false; bins.len()],
            bins,
            starts,
        }
    }

    /// Number of features.
    pub(crate) fn n_features(&self) -> usize {
        self.bins.len()
    }

    /// The codes of feature `j`, one a row.
    pub(crate) fn codes(&self, j: usize) -> &[u8] {
        &self.codes[j]
    }

    /// The bins of feature `j`.
    pub(crate) fn bins(&self, j: usize) -> &Bins {
        &self.bins[j]
    }

    /// The cells of feature `j` in a histogram over all features.
    pub(crate) fn cells(&self, j: usize) -> std::ops::Range<usize> {
        self.starts[j]..self.starts[j + 1]
    }

    /// Cells of a histogram over all features.
    pub(crate) fn n_cells(&self) -> usize {
        self.starts[self.bins.len()]
    }

    /// Features with more than one value: the others cannot split anything.
    pub(crate) fn splittable(&self) -> Vec<usize> {
        (0..self.n_features())
            .filter(|&j| self.bins[j].len() > 1)
            .collect()
    }
}

/// The bin of a value whose weight has its middle at this share of the whole. One bin is kept for
/// missing values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share in [0, 1] times a small number"
)]
fn quantile(share: f64, most: usize) -> usize {
    ((share * (most - 1) as f64) as usize).min(most - 2)
}

fn mass(counts: &[usize], weights: &[f64]) -> f64 {
    counts.iter().zip(weights).map(|(&n, w)| n as f64 * w).sum()
}

/// A whole number in the order of the values: -0 equals 0, and NaN of any sign is the largest.
fn rank(value: f64) -> u64 {
    if value.is_nan() {
        return u64::MAX;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_class<'a>(y: &'a [u32], classes: &'a [f64]) -> Weighing<'a> {
        let own = None;
        Weighing { y, classes, own }
    }

    fn column(values: &[f64]) -> Binned {
        let x = Matrix::from_vec(values.len(), 1, values.to_vec()).unwrap();
        Binned::new(&x, by_class(&vec![0; values.len()], &[1.0]), MOST_BINS)
    }

    #[test]
    fn few_values_are_bins_of_their_own_and_missing_stands_last() {
        let binned = column(&[2.0, f64::NAN, -0.0, 0.0, 5.0, -f64::NAN, -3.0]);
        assert_eq!(binned.codes(0), [2, 4, 1, 1, 3, 4, 0]);
        let bins = binned.bins(0);
        assert!((bins.between(1, 2) - 1.0).abs() < 1e-15);
        assert!((bins.between(0, 3) - 1.0).abs() < 1e-15);
        assert_eq!(bins.between(3, 4).to_bits(), f64::MAX.to_bits());
        assert_eq!(bins.last_at_most(1.9), Some(1));
        assert_eq!(bins.last_at_most(-4.0), None);
        assert_eq!(column(&[1.0, 1.0]).splittable(), [0_usize; 0]);
    }

    #[test]
    fn neighbours_in_the_number_line_are_still_apart() {
        let a = 1.0_f64;
        let b = a.next_up();
        let cut = column(&[a, b]).bins(0).between(0, 1);
        assert!(a <= cut && b > cut);
        let far = column(&[-1e308, 1.7e308]).bins(0).between(0, 1);
        assert!(far.is_finite() && far > 0.0);
    }

    #[test]
    fn many_values_share_bins_of_equal_weight() {
        let values: Vec<f64> = (0..10_000)
            .map(|i| f64::from((i * 7919) % 10_000))
            .collect();
        let binned = column(&values);
        let bins = binned.bins(0);
        assert!(
            bins.len() > 250 && bins.len() <= MOST_BINS,
            "{}",
            bins.len()
        );
        let mut counts = vec![0; bins.len()];
        for (value, &code) in values.iter().zip(binned.codes(0)) {
            let code = usize::from(code);
            assert!(bins.low[code] <= *value && *value <= bins.high[code]);
            counts[code] += 1;
        }
        assert!(counts.iter().all(|&n| (38..=41).contains(&n)), "{counts:?}");
    }

    #[test]
    fn a_class_weight_gives_the_bins_of_repeated_rows() {
        let x = Matrix::from_fn(2_000, 1, |i, _| ((i * 7919) % 2_003) as f64);
        let y: Vec<u32> = (0..2_000).map(|i| u32::from(i % 5 == 0)).collect();
        let rows: Vec<usize> = (0..2_000)
            .flat_map(|i| std::iter::repeat_n(i, if i % 5 == 0 { 3 } else { 1 }))
            .collect();
        let again: Vec<u32> = rows.iter().map(|&i| y[i]).collect();
        let by_weight = Binned::new(&x, by_class(&y, &[1.0, 3.0]), MOST_BINS);
        let by_row = Binned::new(
            &x.select_rows(&rows),
            by_class(&again, &[1.0, 1.0]),
            MOST_BINS,
        );
        assert_eq!(by_weight.bins(0), by_row.bins(0));
        assert_ne!(
            by_weight.bins(0),
            Binned::new(&x, by_class(&y, &[1.0, 1.0]), MOST_BINS).bins(0)
        );
    }
}
