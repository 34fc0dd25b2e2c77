//! Average-linkage clustering cut at a height, by nearest-neighbour chains.

use counterweight_core::{StageContext, StageError, StageResult};

/// Most rows that are clustered: the distances of all pairs take 1.6 GB there.
const MAX_ROWS: usize = 20_000;

/// The cluster of each of `n` rows (numbered by first appearance) after merging, nearest first, all
/// clusters whose average distance is at most `height`. O(n^2) time and memory.
///
/// # Errors
/// [`StageError::NotApplicable`] beyond 20,000 rows, [`StageError::OutOfMemory`],
/// [`StageError::Timeout`].
pub(crate) fn average(
    n: usize,
    distance: impl Fn(usize, usize) -> f64,
    height: f64,
    context: &StageContext<'_>,
) -> StageResult<Vec<usize>> {
    if n > MAX_ROWS {
        return Err(StageError::NotApplicable(format!(
            "over the size limit: {n} rows of a class to cluster, at most {MAX_ROWS}"
        )));
    }
    let mut gaps: Vec<f64> = Vec::new();
    if gaps.try_reserve_exact(n * n.saturating_sub(1) / 2).is_err() {
        return Err(StageError::OutOfMemory(format!(
            "no memory for the distances of {n} rows"
        )));
    }
    for a in 1..n {
        context.deadline.check()?;
        gaps.extend((0..a).map(|b| distance(a, b)));
    }
    let slot = |a: usize, b: usize| {
        let (a, b) = (a.max(b), a.min(b));
        a * (a - 1) / 2 + b
    };
    let mut parent: Vec<usize> = (0..n).collect();
    let mut sizes = vec![1.0; n];
    let mut alive: Vec<usize> = (0..n).collect();
    let mut chain: Vec<usize> = Vec::new();
    // A chain of nearest neighbours ends in two that are each other's; merging them never makes
    // another pair nearer, so merges can be made in any order and cut at the height afterwards.
    while alive.len() > 1 {
        context.deadline.check()?;
        let Some(&top) = chain.last() else {
            chain.push(alive[0]);
            continue;
        };
        let before = chain.len().checked_sub(2).map(|at| chain[at]);
        let mut best = before.map(|row| (gaps[slot(top, row)], row));
        for &row in alive.iter().filter(|&&row| row != top) {
            let gap = gaps[slot(top, row)];
            if best.is_none_or(|(least, _)| gap < least) {
                best = Some((gap, row));
            }
        }
        let (gap, row) = best.expect("two clusters are alive");
        if before != Some(row) {
            chain.push(row);
            continue;
        }
        chain.truncate(chain.len() - 2);
        if gap <= height {
            let (a, b) = (find(&mut parent, top), find(&mut parent, row));
            parent[a.max(b)] = a.min(b);
        }
        // The merged cluster lives on as the lower of the two.
        let (keep, drop) = (top.min(row), top.max(row));
        alive.retain(|&other| other != drop);
        let (mine, theirs) = (sizes[keep], sizes[drop]);
        for &other in alive.iter().filter(|&&other| other != keep) {
            let merged = (mine * gaps[slot(keep, other)] + theirs * gaps[slot(drop, other)])
                / (mine + theirs);
            gaps[slot(keep, other)] = merged;
        }
        sizes[keep] += theirs;
    }
    let mut numbers = vec![None; n];
    let mut next = 0;
    Ok((0..n)
        .map(|row| {
            let root = find(&mut parent, row);
            *numbers[root].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        })
        .collect())
}

fn find(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, stream};
    use counterweight_core::Shared;
    use rand::RngExt as _;

    /// Merging the nearest two again and again, over all pairs of members.
    fn naive(x: &[f64], height: f64) -> Vec<usize> {
        let mut clusters: Vec<Vec<usize>> = (0..x.len()).map(|i| vec![i]).collect();
        loop {
            let mut best = (f64::INFINITY, 0, 0);
            for a in 0..clusters.len() {
                for b in 0..a {
                    let mut sum = 0.0;
                    for &i in &clusters[a] {
                        for &j in &clusters[b] {
                            sum += (x[i] - x[j]).abs();
                        }
                    }
                    let mean = sum / (clusters[a].len() * clusters[b].len()) as f64;
                    if mean < best.0 {
                        best = (mean, a, b);
                    }
                }
            }
            if best.0 > height || clusters.len() < 2 {
                break;
            }
            let moved = clusters.remove(best.1);
            clusters[best.2].extend(moved);
        }
        clusters.sort_by_key(|rows| rows.iter().min().copied());
        let mut of = vec![0; x.len()];
        for (number, rows) in clusters.iter().enumerate() {
            for &row in rows {
                of[row] = number;
            }
        }
        of
    }

    #[test]
    fn chains_give_the_clusters_of_repeated_merging() {
        let shared = Shared::default();
        for seed in 0..40 {
            let mut stream = stream(seed);
            let n = stream.random_range(1..25);
            let x: Vec<f64> = (0..n).map(|_| stream.random::<f64>()).collect();
            for height in [0.0, 0.02, 0.1, 0.3, 2.0] {
                let found = average(n, |a, b| (x[a] - x[b]).abs(), height, &context(1, &shared));
                assert_eq!(found.unwrap(), naive(&x, height), "{seed} {height}");
            }
        }
    }

    #[test]
    fn equal_rows_are_one_cluster_and_very_many_are_refused() {
        let shared = Shared::default();
        let about = context(1, &shared);
        assert_eq!(average(4, |_, _| 0.0, 0.0, &about).unwrap(), [0; 4]);
        assert!(average(0, |_, _| 0.0, 0.0, &about).unwrap().is_empty());
        let found = average(MAX_ROWS + 1, |_, _| 0.0, 0.0, &about);
        assert!(matches!(found, Err(StageError::NotApplicable(_))));
    }
}
