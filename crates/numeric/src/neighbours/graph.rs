//! The neighbour lists of a training set, found once and grown on demand.
//!
//! There is one graph for a metric and the rows that lists are made of. A stage asks for the lists of
//! some rows to some length; those that are there and long enough are copied, the others are found
//! and kept. A longer list begins with the shorter one, so nobody can tell who asked first.

use std::sync::{Arc, Mutex, PoisonError};

use counterweight_core::{Deadline, StageContext, StageResult, Train};

use super::best::Candidate;
use super::points::Points;
use super::{Metric, Neighbours, Pool, Search, length, nearest};

/// Shortest lists that are kept. Samplers that ask for lists of all rows want at most five by
/// default, so they share one search; those that want more (ten, for Borderline-SMOTE's danger) do so
/// for the rows of a small class, where finding them again costs little.
const REACH: usize = 5;

/// The lists found so far.
#[derive(Debug)]
pub(super) struct Graph {
    points: Points,
    among: Vec<usize>,
    lists: Mutex<Vec<Vec<Candidate>>>,
}

impl Graph {
    pub(super) fn new(points: Points, among: Vec<usize>) -> Self {
        let lists = Mutex::new(vec![Vec::new(); points.n_rows()]);
        Self {
            points,
            among,
            lists,
        }
    }

    /// The lists of the rows `queries`, as [`nearest`] would find them.
    pub(super) fn lists(
        &self,
        queries: &[usize],
        k: usize,
        deadline: &Deadline,
    ) -> StageResult<Neighbours> {
        let k = length(self.points.n_rows(), queries, &self.among, k);
        // Lists are stored when they are complete, so a panic in between leaves them sound.
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<usize> = queries
            .iter()
            .copied()
            .filter(|&row| lists[row].len() < k)
            .collect();
        if !missing.is_empty() {
            let found = nearest(&self.points, &missing, &self.among, k.max(REACH), deadline)?;
            for (at, &row) in missing.iter().enumerate() {
                lists[row] = found.candidates(at).collect();
            }
        }
        let slots = queries.iter().flat_map(|&row| &lists[row][..k]);
        Ok(Neighbours::new(queries.len(), k, slots.copied()))
    }
}

/// The neighbour lists of a training set, of `search.k` rows each (or as many as there are), found
/// once and shared by every stage that asks.
///
/// # Errors
/// As [`Points::new`] and [`nearest`].
pub fn shared(
    train: &Train,
    search: &Search,
    context: &StageContext<'_>,
) -> StageResult<Arc<Neighbours>> {
    let rows = search.of.rows(train.samples());
    shared_of(
        train,
        (search.metric, search.among),
        &rows,
        search.k,
        context,
    )
}

/// As [`shared`], for the rows `queries` only.
///
/// # Errors
/// As [`shared`].
pub fn shared_of(
    train: &Train,
    (metric, among): (Metric, Pool),
    queries: &[usize],
    k: usize,
    context: &StageContext<'_>,
) -> StageResult<Arc<Neighbours>> {
    let samples = train.samples();
    let name = format!("neighbours/{metric}/among={among}");
    let graph = context.shared.get_or_compute(&name, || {
        let points = Points::new(samples, metric)?;
        Ok(Graph::new(points, among.rows(samples)))
    })?;
    graph.lists(queries, k, &context.deadline).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use counterweight_core::Matrix;

    use super::*;

    #[test]
    fn nobody_can_tell_who_asked_first() {
        let x = Matrix::from_fn(60, 2, |i, j| ((i * 37 + j * 11) % 23) as f64);
        let all: Vec<usize> = (0..60).collect();
        let odd: Vec<usize> = (1..60).step_by(2).collect();
        let points = Points::numeric(x);
        let asks: [(&[usize], usize); 5] =
            [(&odd, 3), (&all, 1), (&odd, 20), (&all, 12), (&all, 99)];
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
            let graph = Graph::new(points.clone(), all.clone());
            for at in order {
                let (queries, k) = asks[at];
                let found = graph.lists(queries, k, &Deadline::NEVER).unwrap();
                let fresh = nearest(&points, queries, &all, k, &Deadline::NEVER).unwrap();
                assert_eq!(found, fresh);
            }
        }
    }

    #[test]
    fn rows_outside_the_pool_may_ask_for_all_of_it() {
        let points = Points::numeric(Matrix::from_fn(4, 1, |i, _| i as f64));
        let graph = Graph::new(points, vec![0, 1]);
        let inside = graph.lists(&[0, 1, 2], 5, &Deadline::NEVER).unwrap();
        assert_eq!((inside.k(), inside.of(2)), (1, &[1][..]));
        let outside = graph.lists(&[2, 3], 5, &Deadline::NEVER).unwrap();
        assert_eq!((outside.k(), outside.of(0)), (2, &[1, 0][..]));
    }
}
