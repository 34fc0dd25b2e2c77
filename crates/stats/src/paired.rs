//! Paired differences over datasets.

use crate::error::{Result, StatsError, Unit, at_least, finite, no_overflow};

/// Differences `a - b`, one a dataset, with the cluster of each: at least one, all finite.
///
/// The unit is the table's own; a positive difference of errors is in favour of `b`.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedDifferences {
    values: Vec<f64>,
    clusters: Vec<usize>,
    n_clusters: usize,
}

/// The sum of the differences of one cluster and their number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClusterSum {
    pub(crate) sum: f64,
    pub(crate) size: f64,
}

impl PairedDifferences {
    /// Checks differences whose clusters are given by arbitrary numbers.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFew`] for an empty slice, [`StatsError::LengthMismatch`],
    /// [`StatsError::NotFinite`].
    pub fn new(mut values: Vec<f64>, clusters: &[usize]) -> Result<Self> {
        at_least("a paired comparison", Unit::Datasets, values.len(), 1)?;
        if values.len() != clusters.len() {
            return Err(StatsError::LengthMismatch {
                what: "cluster numbers of paired differences",
                found: clusters.len(),
                expected: values.len(),
            });
        }
        for (index, value) in values.iter_mut().enumerate() {
            *value = finite(*value, || format!("difference {index}"))?;
        }
        let mut distinct = clusters.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        // Dense numbers in the order of the given ones, so that they can index a vector.
        let dense = clusters
            .iter()
            .map(|cluster| distinct.partition_point(|known| known < cluster))
            .collect();
        Ok(Self {
            values,
            clusters: dense,
            n_clusters: distinct.len(),
        })
    }

    /// Differences of datasets that are related to no other.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn independent(values: Vec<f64>) -> Result<Self> {
        let clusters: Vec<usize> = (0..values.len()).collect();
        Self::new(values, &clusters)
    }

    /// The differences in table order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// How many independent clusters they form, at least one.
    pub fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// The mean over datasets.
    pub fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    pub(crate) fn cluster_sums(&self) -> Vec<ClusterSum> {
        let mut sums = vec![
            ClusterSum {
                sum: 0.0,
                size: 0.0
            };
            self.n_clusters
        ];
        for (value, &cluster) in self.values.iter().zip(&self.clusters) {
            if let Some(slot) = sums.get_mut(cluster) {
                slot.sum += value;
                slot.size += 1.0;
            }
        }
        sums
    }

    /// The cluster-robust standard error of the mean,
    ///
    /// ```text
    /// se^2 = C/(C-1) * sum_c (S_c - m n_c)^2 / (sum_c n_c)^2
    /// ```
    ///
    /// with `S_c` and `n_c` the sum and size of cluster c and m the mean. For clusters of one it is the
    /// familiar s / sqrt(n). O(n).
    ///
    /// # Errors
    ///
    /// [`StatsError::TooFew`] with fewer than two clusters, [`StatsError::Undefined`] if squares
    /// overflow.
    pub fn standard_error(&self) -> Result<f64> {
        at_least("a standard error", Unit::Clusters, self.n_clusters, 2)?;
        let (_, squared) = mean_and_variance(&self.cluster_sums());
        Ok(no_overflow(squared, "a standard error")?.sqrt())
    }
}

/// Mean over datasets and its cluster-robust variance; needs at least two clusters.
pub(crate) fn mean_and_variance(sums: &[ClusterSum]) -> (f64, f64) {
    let (mut total, mut size) = (0.0, 0.0);
    for cluster in sums {
        total += cluster.sum;
        size += cluster.size;
    }
    let mean = total / size;
    let mut squares = 0.0;
    for cluster in sums {
        squares += (cluster.sum - mean * cluster.size).powi(2);
    }
    let count = sums.len() as f64;
    (mean, squares / (size * size) * count / (count - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_one_give_the_ordinary_standard_error() {
        let differences = PairedDifferences::independent(vec![1.0, 2.0, 4.0, 7.0]).unwrap();
        // Sample variance 7, four values.
        assert!((differences.standard_error().unwrap() - (7.0_f64 / 4.0).sqrt()).abs() < 1e-14);
    }

    #[test]
    fn a_repeated_dataset_adds_no_certainty() {
        let once = PairedDifferences::independent(vec![1.0, 2.0, 4.0]).unwrap();
        let twice = PairedDifferences::new(vec![1.0, 1.0, 2.0, 2.0, 4.0, 4.0], &[9, 9, 5, 5, 7, 7])
            .unwrap();
        assert_eq!(twice.n_clusters(), 3);
        let (a, b) = (
            once.standard_error().unwrap(),
            twice.standard_error().unwrap(),
        );
        assert!((a - b).abs() < 1e-14, "{a} {b}");
    }

    #[test]
    fn too_little_is_an_error_value() {
        assert!(PairedDifferences::independent(vec![]).is_err());
        assert!(PairedDifferences::independent(vec![f64::NAN]).is_err());
        assert!(PairedDifferences::new(vec![1.0], &[]).is_err());
        let one = PairedDifferences::new(vec![1.0, 2.0], &[0, 0]).unwrap();
        assert!(one.standard_error().is_err());
    }
}
