//! From cells to independent units: means over points, and clusters of related datasets.

use std::collections::BTreeMap;

use counterweight_stats::StatsError;

use crate::error::Result;

/// The mean over points of the mean over the cells of a point.
pub(super) fn over_points<'p, T: 'p>(
    by_ratio: impl Iterator<Item = &'p Vec<T>>,
    value: impl Fn(&T) -> f64,
) -> f64 {
    let (mut sum, mut points) = (0.0, 0.0);
    for cells in by_ratio {
        sum += cells.iter().map(&value).sum::<f64>() / cells.len() as f64;
        points += 1.0;
    }
    sum / points
}

/// Numbers of the clusters of some datasets.
pub(super) fn cluster_ids<'d>(
    clusters: &BTreeMap<String, String>,
    datasets: impl Iterator<Item = &'d str>,
) -> Vec<usize> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    datasets
        .map(|dataset| {
            let next = seen.len();
            *seen.entry(cluster_of(clusters, dataset)).or_insert(next)
        })
        .collect()
}

/// The name of a dataset's cluster.
pub(super) fn cluster_of(clusters: &BTreeMap<String, String>, dataset: &str) -> String {
    match clusters.get(dataset) {
        Some(cluster) if !cluster.is_empty() => cluster.clone(),
        _ => dataset.to_owned(),
    }
}

/// The mean of each cluster, in the order of cluster numbers.
pub(super) fn cluster_means(values: &[f64], clusters: &[usize]) -> Vec<f64> {
    let mut groups: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (value, cluster) in values.iter().zip(clusters) {
        let group = groups.entry(*cluster).or_default();
        group.0 += value;
        group.1 += 1.0;
    }
    groups.into_values().map(|(sum, n)| sum / n).collect()
}

/// What these data are too few for is no error.
pub(super) fn too_few<T>(result: counterweight_stats::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StatsError::TooFew { .. } | StatsError::Undefined { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
