//! Exact k nearest rows in Euclidean distance, by whichever of three routes the data make cheapest.
//!
//! | route | when | how |
//! |---|---|---|
//! | single | most data | matrix products in single precision rule rows out, distances of the rest are computed directly |
//! | double | clusters that are tight beside the whole cloud | the same in double precision |
//! | tree | few intrinsic dimensions | a k-d tree |
//!
//! All routes give the same list to the last bit: the k smallest directly computed distances, ties by row
//! number. A route only decides which rows need not be looked at, and never leaves out one that belongs in
//! the list. Which route is taken is found by sending a few of the rows themselves through the candidates and
//! counting the rows that they look at, so it depends on the data alone.

mod filter;
mod tree;

use counterweight_core::{Matrix, StageError, StageResult};

use counterweight_numeric::linalg::{dot, squared_distance};
use filter::Filter;
use tree::Tree;

/// A row with its squared distance to a query.
pub(crate) type Neighbour = (f64, usize);

/// Queries that go through a filter together: a block of products stays in the second-level cache.
const QUERIES: usize = 256;
/// Rows of the data that are sent through the candidates to choose between them.
const PROBES: usize = 16;
/// Fewer rows than this are always filtered: there is nothing to win.
const FEW: usize = 512;

/// Rows to search in.
#[derive(Debug)]
pub(crate) struct Neighbours {
    /// Means of the features. Subtracting them keeps products small, so that fewer rows need a
    /// second look.
    centre: Vec<f64>,
    /// The rows minus the centre.
    rows: Matrix,
    route: Route,
}

#[derive(Debug)]
enum Route {
    Single(Filter<f32>),
    Double(Filter<f64>),
    Tree(Tree),
}

impl Neighbours {
    /// Prepares a search of lists of about `k` rows. O(n d log n).
    ///
    /// # Errors
    /// [`StageError::Failed`] when squared lengths of the rows overflow.
    pub(crate) fn new(x: &Matrix, k: usize) -> StageResult<Self> {
        let (n, d) = (x.rows(), x.cols());
        let mut centre = vec![0.0; d];
        for i in 0..n {
            for (c, x) in centre.iter_mut().zip(x.row(i)) {
                *c += x / n as f64;
            }
        }
        let rows = Matrix::from_fn(n, d, |i, j| x.at(i, j) - centre[j]);
        if rows.iter_rows().any(|row| !dot(row, row).is_finite()) {
            return Err(StageError::Failed(
                "distances between the training rows overflow; standardise the features".into(),
            ));
        }
        let route = Route::choose(&rows, k.min(n));
        Ok(Self {
            centre,
            rows,
            route,
        })
    }

    /// Number of features.
    pub(crate) fn n_features(&self) -> usize {
        self.rows.cols()
    }

    /// Calls `keep` with the number of each row of `x` and its k nearest rows, ascending by (squared
    /// distance, row).
    ///
    /// # Errors
    /// What `keep` gives; [`StageError::Failed`] when distances overflow.
    pub(crate) fn each(
        &self,
        x: &Matrix,
        k: usize,
        mut keep: impl FnMut(usize, &[Neighbour]) -> StageResult<()>,
    ) -> StageResult<()> {
        let k = k.min(self.rows.rows());
        for start in (0..x.rows()).step_by(QUERIES) {
            let end = (start + QUERIES).min(x.rows());
            let queries = Matrix::from_fn(end - start, x.cols(), |i, j| {
                x.at(start + i, j) - self.centre[j]
            });
            for (i, found) in self.block(&queries, k).iter().enumerate() {
                if found.len() < k || found.iter().any(|near| !near.0.is_finite()) {
                    return Err(StageError::Failed(format!(
                        "distances of scored row {} overflow; standardise the features",
                        start + i
                    )));
                }
                keep(start + i, found)?;
            }
        }
        Ok(())
    }

    /// The lists of a block of centred queries.
    fn block(&self, queries: &Matrix, k: usize) -> Vec<Vec<Neighbour>> {
        let lists = match &self.route {
            Route::Single(filter) => filter.nearest(&self.rows, queries, k),
            Route::Double(filter) => filter.nearest(&self.rows, queries, k),
            Route::Tree(tree) => tree.nearest(queries, k),
        };
        lists.into_iter().map(|list| list.best).collect()
    }
}

impl Route {
    fn choose(rows: &Matrix, k: usize) -> Self {
        let (n, d) = (rows.rows(), rows.cols());
        let single = Filter::<f32>::new(rows);
        if n < FEW {
            return Self::Single(single);
        }
        let probes: Vec<usize> = (0..PROBES).map(|i| i * n / PROBES).collect();
        let queries = rows.select_rows(&probes);
        let looked_at = |lists: &[Nearest]| {
            lists.iter().map(|list| list.looked_at).sum::<usize>() as f64 / lists.len() as f64
        };
        // Nanoseconds a query, measured: a product and its test, and a direct distance with its
        // bookkeeping.
        let (n, d) = (n as f64, d as f64);
        let direct = 5.0 + 0.6 * d;
        let filtered = |product: f64, lists: &[Nearest]| n * product + looked_at(lists) * direct;
        let by_single = filtered(0.45 + 0.03 * d, &single.nearest(rows, &queries, k));
        let tree = Tree::new(rows);
        let by_tree = |queries: &Matrix| looked_at(&tree.nearest(queries, k)) * (direct + 4.0);
        // Two probes tell a tree that looks at everything, and cost less than all.
        let hopeless = by_tree(&rows.select_rows(&probes[..2])) > 4.0 * by_single;
        if !hopeless && by_tree(&queries) < by_single {
            return Self::Tree(tree);
        }
        if by_single < 3.0 * n * (0.45 + 0.03 * d) {
            return Self::Single(single);
        }
        let double = Filter::<f64>::new(rows);
        let by_double = filtered(0.9 + 0.06 * d, &double.nearest(rows, &queries, k));
        if by_double < by_single {
            Self::Double(double)
        } else {
            Self::Single(single)
        }
    }
}

/// The nearest rows found so far for one query.
#[derive(Debug)]
struct Nearest {
    k: usize,
    /// At most k, ascending by (squared distance, row).
    best: Vec<Neighbour>,
    /// Distances computed directly, and boxes measured.
    looked_at: usize,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self {
            k,
            best: Vec::with_capacity(k + 1),
            looked_at: 0,
        }
    }

    /// The k-th smallest squared distance so far with its row; infinite before there are k.
    fn limit(&self) -> Neighbour {
        if self.best.len() < self.k {
            (f64::INFINITY, usize::MAX)
        } else {
            self.best[self.k - 1]
        }
    }

    /// Measures a row and keeps it where it belongs.
    fn offer(&mut self, query: &[f64], x: &[f64], row: usize) {
        let distance = squared_distance(query, x);
        self.looked_at += 1;
        if (distance, row) < self.limit() {
            let place = self.best.partition_point(|near| *near < (distance, row));
            self.best.insert(place, (distance, row));
            self.best.truncate(self.k);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, normal, rng};
    use proptest::prelude::*;

    /// All distances, sorted by (distance, row).
    fn naive(rows: &Matrix, query: &[f64], k: usize) -> Vec<Neighbour> {
        let mut all: Vec<Neighbour> = rows
            .iter_rows()
            .enumerate()
            .map(|(row, x)| (squared_distance(query, x), row))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all
    }

    /// The lists of every route.
    fn routes(rows: &Matrix, queries: &Matrix, k: usize) -> Vec<Vec<Vec<Neighbour>>> {
        [
            Route::Single(Filter::new(rows)),
            Route::Double(Filter::new(rows)),
            Route::Tree(Tree::new(rows)),
        ]
        .into_iter()
        .map(|route| {
            let search = Neighbours {
                centre: vec![0.0; rows.cols()],
                rows: rows.clone(),
                route,
            };
            search.block(queries, k)
        })
        .collect()
    }

    fn assert_exact(rows: &Matrix, queries: &Matrix, k: usize) {
        let lists = routes(rows, queries, k);
        for (i, query) in queries.iter_rows().enumerate() {
            let expected = naive(rows, query, k);
            for found in &lists {
                assert_eq!(found[i], expected, "query {i}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn every_route_is_exact_and_ties_go_by_row(
            seed in 0_u64..1000,
            n in 2_usize..400,
            d in 1_usize..6,
            k in 1_usize..12,
            // 0: continuous; 1: a coarse grid full of ties; 2: near-duplicates far from the origin;
            // 3: scales from tiny to huge; 4: one outlier that dwarfs the rest.
            kind in 0_u8..5,
        ) {
            let mut rng = rng(seed);
            let x = Matrix::from_fn(n, d, |i, _| {
                let z = normal(&mut rng);
                match kind {
                    0 => z,
                    1 => (2.0 * z).round(),
                    2 => 1e6 + 1e-6 * z,
                    3 => z * 10.0_f64.powi(i32::try_from(i % 280).unwrap() - 140),
                    _ => if i == n / 2 { 1e20 } else { z },
                }
            });
            assert_exact(&x, &x, k.min(n));
        }
    }

    #[test]
    fn lists_are_exact_across_tiles_and_for_queries_far_outside() {
        let mut rng = rng(5);
        let x = Matrix::from_fn(2 * filter::TILE + 37, 3, |_, _| {
            (3.0 * normal(&mut rng)).round()
        });
        let (queries, _) = blobs(6, &[20, 20], 3);
        assert_exact(&x, &queries, 7);
        let far = Matrix::from_fn(8, 3, |i, j| {
            10.0_f64.powi(20 * i32::try_from(i).unwrap()) + j as f64
        });
        assert_exact(&x, &far, 3);
        let x = Matrix::from_fn(x.rows(), 3, |_, _| 0.25);
        assert_exact(&x, &queries, 7);
    }

    #[test]
    fn the_route_suits_the_data() {
        let mut rng = rng(8);
        let wide = Matrix::from_fn(3000, 20, |_, _| normal(&mut rng));
        assert!(matches!(Route::choose(&wide, 5), Route::Single(_)));
        // Twenty columns, one dimension.
        let curve = Matrix::from_fn(3000, 20, |i, j| (i as f64 * 0.001 + j as f64).sin());
        assert!(matches!(Route::choose(&curve, 5), Route::Tree(_)));
        // Tight clusters of many dimensions, far apart.
        let clusters = Matrix::from_fn(3000, 20, |i, j| {
            let centre = if (i + j) % 4 == 0 { 1e4 } else { -1e4 };
            centre + normal(&mut rng)
        });
        assert!(matches!(Route::choose(&clusters, 5), Route::Double(_)));
    }

    #[test]
    fn rows_that_overflow_are_refused() {
        let x = Matrix::from_vec(2, 1, vec![1e200, -1e200]).unwrap();
        assert!(Neighbours::new(&x, 1).is_err());
        let x = Matrix::from_vec(2, 1, vec![1.0, 2.0]).unwrap();
        let search = Neighbours::new(&x, 1).unwrap();
        let far = Matrix::from_vec(1, 1, vec![1e200]).unwrap();
        let ended = search.each(&far, 1, |_, _| Ok(()));
        assert!(ended.unwrap_err().to_string().contains("scored row 0"));
    }
}
