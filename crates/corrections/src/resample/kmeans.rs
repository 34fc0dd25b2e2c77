//! k-means: Lloyd's iterations from greedy k-means++ centres.
//!
//! Deterministic given the stream: distances are summed in column order, ties go to the lowest centre,
//! and a centre that loses all its rows stays where it is.

use counterweight_core::limit;
use counterweight_core::{Deadline, Matrix, StageContext, StageError, StageResult};
use rand::RngExt as _;

use super::growth::pick;
use counterweight_numeric::linalg::squared_distance_by_column;
use counterweight_numeric::neighbours::{Gaps, Points, nearest};

/// Iterations after which the centres count as settled.
const ITERATIONS: usize = 300;
/// Centres up to which measuring every distance is quickest.
const FEW: usize = 16;
/// Share of the mean variance of the columns below which a move of the centres counts as none.
const TOLERANCE: f64 = 1e-4;

/// Centres and who belongs to them.
#[derive(Debug)]
pub(crate) struct Clusters {
    /// One row a centre; fewer than asked for when there are fewer distinct rows.
    pub(crate) centres: Matrix,
    /// The centre of each row.
    pub(crate) of: Vec<usize>,
}

/// Clusters the rows of `x` around `k` centres (at least 1), in O(n k d) an iteration.
///
/// # Errors
/// [`StageError::Failed`] when distances overflow or are not a number, [`StageError::Timeout`].
pub(crate) fn cluster(
    x: &Matrix,
    k: usize,
    context: &mut StageContext<'_>,
) -> StageResult<Clusters> {
    let n = x.rows();
    let mut centres = spread(x, k, context)?;
    let mut of = vec![0; n];
    let tolerance = TOLERANCE * mean_variance(x);
    for _ in 0..ITERATIONS {
        context.deadline.check()?;
        let next = assign(x, &centres, &context.deadline)?;
        let changed = next != of;
        of = next;
        let (next, moved) = means(x, &of, &centres);
        centres = next;
        if !changed || moved <= tolerance {
            break;
        }
    }
    let of = assign(x, &centres, &context.deadline)?;
    Ok(Clusters { centres, of })
}

/// Greedy k-means++ (Arthur and Vassilvitskii 2007, section 5): each next centre is the best of
/// `2 + ln k` rows drawn in proportion to their squared distance from the centres so far, by what the
/// sum of these distances becomes; of equal ones the first.
fn spread(x: &Matrix, k: usize, context: &mut StageContext<'_>) -> StageResult<Matrix> {
    let n = x.rows();
    let mut chosen = vec![context.stream.random_range(0..n)];
    let Some(mut gaps) = Gaps::new(x.clone(), chosen[0])? else {
        return Ok(x.select_rows(&chosen));
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the logarithm of a count is small"
    )]
    let trials = 2 + (k as f64).ln() as usize;
    let mut sums = vec![0.0; n];
    while chosen.len() < k {
        context.deadline.check()?;
        let mut total = 0.0;
        for (sum, gap) in sums.iter_mut().zip(gaps.squared()) {
            total += gap;
            *sum = total;
        }
        // Every row sits on a centre already.
        if total <= 0.0 {
            break;
        }
        let candidates: Vec<usize> = (0..trials)
            .map(|_| pick(&sums, context.stream.random()))
            .collect();
        let nearer = gaps.nearer(&candidates);
        let mut saved = vec![0.0; trials];
        for near in &nearer {
            saved[near.candidate] += gaps.squared()[near.row] - near.squared;
        }
        let best = (1..trials).fold(
            0,
            |best, at| {
                if saved[at] > saved[best] { at } else { best }
            },
        );
        for near in nearer.iter().filter(|near| near.candidate == best) {
            gaps.lower(near.row, near.squared);
        }
        chosen.push(candidates[best]);
    }
    Ok(x.select_rows(&chosen))
}

/// The nearest centre of each row, of equally near ones the first.
fn assign(x: &Matrix, centres: &Matrix, deadline: &Deadline) -> StageResult<Vec<usize>> {
    if centres.rows() <= FEW {
        return Ok(assign_to_few(x, centres));
    }
    let n = x.rows();
    let both = [x.as_slice(), centres.as_slice()].concat();
    let both = Matrix::from_vec(n + centres.rows(), x.cols(), both)
        .map_err(|error| StageError::Failed(error.to_string()))?;
    let rows: Vec<usize> = (0..n).collect();
    let among: Vec<usize> = (n..n + centres.rows()).collect();
    let found = nearest(&Points::numeric(both), &rows, &among, 1, deadline)?;
    Ok((0..n).map(|row| found.of(row)[0] - n).collect())
}

/// [`assign`] with every distance measured: all centres at once, each summed in column order.
fn assign_to_few(x: &Matrix, centres: &Matrix) -> Vec<usize> {
    let g = centres.rows();
    let columns: Vec<f64> = (0..x.cols()).flat_map(|j| centres.column(j)).collect();
    let mut gaps = vec![0.0; g];
    let nearest = |row: usize| {
        limit::ask_at(row);
        gaps.fill(0.0);
        for (value, column) in x.row(row).iter().zip(columns.chunks_exact(g)) {
            for (gap, centre) in gaps.iter_mut().zip(column) {
                *gap += (value - centre) * (value - centre);
            }
        }
        (1..g).fold(0, |best, at| if gaps[at] < gaps[best] { at } else { best })
    };
    (0..x.rows()).map(nearest).collect()
}

/// The mean of each centre's rows, and the sum of the squared moves of the centres.
fn means(x: &Matrix, of: &[usize], centres: &Matrix) -> (Matrix, f64) {
    let mut counts = vec![0.0; centres.rows()];
    for &centre in of {
        counts[centre] += 1.0;
    }
    let mut next = Matrix::zeros(centres.rows(), centres.cols());
    for (row, &centre) in of.iter().enumerate() {
        limit::ask_at(row);
        for (sum, value) in next.row_mut(centre).iter_mut().zip(x.row(row)) {
            *sum += value / counts[centre];
        }
    }
    let mut moved = 0.0;
    for (at, &count) in counts.iter().enumerate() {
        if count <= 0.0 {
            next.row_mut(at).copy_from_slice(centres.row(at));
        }
        moved += squared_distance_by_column(next.row(at), centres.row(at));
    }
    (next, moved)
}

fn mean_variance(x: &Matrix) -> f64 {
    let n = x.rows() as f64;
    let variances = (0..x.cols()).map(|j| {
        let mean = (0..x.rows()).map(|i| x.at(i, j) / n).sum::<f64>();
        (0..x.rows())
            .map(|i| (x.at(i, j) - mean).powi(2) / n)
            .sum::<f64>()
    });
    variances.sum::<f64>() / (x.cols().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;
    use counterweight_core::Shared;

    #[test]
    fn well_separated_groups_are_found_from_any_start() {
        let x = Matrix::from_fn(40, 2, |i, j| {
            100.0 * ((i % 4) >> j & 1) as f64 + (i / 4) as f64 * 0.1
        });
        for seed in 0..20 {
            let shared = Shared::default();
            let found = cluster(&x, 4, &mut context(seed, &shared)).unwrap();
            for (a, b) in (0..40).flat_map(|a| (0..40).map(move |b| (a, b))) {
                assert_eq!(found.of[a] == found.of[b], a % 4 == b % 4, "{a} {b}");
            }
            let centre = found.centres.row(found.of[0]);
            assert!((centre[0] - 0.45).abs() < 1e-9 && (centre[1] - 0.45).abs() < 1e-9);
        }
    }

    #[test]
    fn fewer_distinct_rows_give_fewer_centres_and_overflow_is_an_error() {
        let shared = Shared::default();
        let x = Matrix::from_vec(4, 1, vec![1.0, 1.0, 2.0, 2.0]).unwrap();
        let found = cluster(&x, 3, &mut context(1, &shared)).unwrap();
        assert_eq!(found.centres.rows(), 2);
        assert!(found.of[0] == found.of[1] && found.of[0] != found.of[2]);
        let x = Matrix::from_vec(2, 1, vec![1e300, -1e300]).unwrap();
        assert!(matches!(
            cluster(&x, 2, &mut context(1, &shared)),
            Err(StageError::Failed(_))
        ));
    }

    #[test]
    fn few_and_many_centres_are_assigned_alike() {
        let x = Matrix::from_fn(150, 3, |i, j| ((i * 7919 + j * 104_729) % 50) as f64);
        for g in 1..=FEW {
            let centres = x.select_rows(&(0..g).map(|at| at * 9).collect::<Vec<_>>());
            // The same with some far away, so that the other way is taken.
            let far = Matrix::from_fn(
                FEW + 1,
                3,
                |i, j| {
                    if i < g { centres.at(i, j) } else { 1e6 }
                },
            );
            let found = assign(&x, &far, &Deadline::NEVER).unwrap();
            assert_eq!(assign_to_few(&x, &centres), found);
        }
    }

    #[test]
    fn the_result_is_a_fixed_point() {
        let x = Matrix::from_fn(200, 3, |i, j| ((i * 7919 + j * 104_729) % 1000) as f64);
        let shared = Shared::default();
        let found = cluster(&x, 5, &mut context(3, &shared)).unwrap();
        for row in 0..200 {
            let mine = squared_distance_by_column(x.row(row), found.centres.row(found.of[row]));
            for at in 0..5 {
                assert!(mine <= squared_distance_by_column(x.row(row), found.centres.row(at)));
            }
        }
    }
}
