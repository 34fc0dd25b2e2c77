//! A k-d tree over the numeric columns: visits few rows where the data are of low dimension.
//!
//! Every node knows the box around its rows. The distance of a query to the box is summed in the
//! order of a direct distance; as rounding is monotone, it is never above the direct distance of a
//! row inside, so that leaving a node out loses nothing. Nominal differences only add to that.

use counterweight_core::{Deadline, StageResult};

use super::best::{Best, Candidate};
use super::points::Points;

/// Rows at which a node is not divided further.
const LEAF: usize = 16;

/// A range of the tree's rows with its box.
#[derive(Debug)]
struct Node {
    start: usize,
    end: usize,
    /// The lowest row number inside: among equal distances the lower row wins.
    lowest: usize,
    /// The index of the right child; the left one follows its parent. 0 for a leaf.
    right: usize,
}

/// The tree.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    points: &'a Points,
    nodes: Vec<Node>,
    /// Two rows a node: smallest and largest values.
    boxes: Vec<f64>,
    rows: Vec<usize>,
    cols: usize,
}

/// What a search touched.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effort {
    pub(super) nodes: usize,
    pub(super) rows: usize,
}

impl<'a> Tree<'a> {
    /// Over the rows `among`; there is at least one numeric column.
    pub(super) fn new(points: &'a Points, among: &[usize]) -> Self {
        let mut tree = Self {
            points,
            nodes: Vec::new(),
            boxes: Vec::new(),
            rows: among.to_vec(),
            cols: points.x().cols(),
        };
        // Parents come before their children; `todo` holds a range and the node to tell of it.
        let mut todo = vec![(0, among.len(), None)];
        while let Some((start, end, parent)) = todo.pop() {
            let at = tree.nodes.len();
            if let Some(parent) = parent {
                let parent: &mut Node = &mut tree.nodes[parent];
                parent.right = at;
            }
            let widest = tree.push_box(start, end);
            let lowest = tree.rows[start..end].iter().copied().min();
            tree.nodes.push(Node {
                start,
                end,
                lowest: lowest.unwrap_or(usize::MAX),
                right: 0,
            });
            if end - start > LEAF {
                let middle = usize::midpoint(start, end);
                let x = points.x();
                tree.rows[start..end].select_nth_unstable_by(middle - start, |&a, &b| {
                    let (x, y) = (x.at(a, widest), x.at(b, widest));
                    x.total_cmp(&y).then(a.cmp(&b))
                });
                todo.push((middle, end, Some(at)));
                todo.push((start, middle, None));
            }
        }
        tree
    }

    /// Appends the box of a range; gives its widest column.
    fn push_box(&mut self, start: usize, end: usize) -> usize {
        let x = self.points.x();
        let mut low = vec![f64::INFINITY; self.cols];
        let mut high = vec![f64::NEG_INFINITY; self.cols];
        for &row in &self.rows[start..end] {
            for ((low, high), &value) in low.iter_mut().zip(&mut high).zip(x.row(row)) {
                *low = low.min(value);
                *high = high.max(value);
            }
        }
        let mut widest = 0;
        for column in 1..self.cols {
            if high[column] - low[column] > high[widest] - low[widest] {
                widest = column;
            }
        }
        self.boxes.extend(low);
        self.boxes.extend(high);
        widest
    }

    /// The squared distance of `query` to the box of a node; its nearest point goes to `corner`.
    fn to_box(&self, node: usize, query: &[f64], corner: &mut [f64]) -> f64 {
        let cells = &self.boxes[2 * node * self.cols..2 * (node + 1) * self.cols];
        let (low, high) = cells.split_at(self.cols);
        for (nearest, (&value, (&low, &high))) in corner
            .iter_mut()
            .zip(query.iter().zip(low.iter().zip(high)))
        {
            *nearest = value.max(low).min(high);
        }
        self.points.sum().squared_distance(query, corner)
    }

    /// Finds the best for the row `query`, which is the `at`-th of `best`.
    pub(super) fn search(&self, query: usize, best: &mut Best, at: usize) -> Effort {
        let mut effort = Effort::default();
        let values = self.points.x().row(query);
        let mut corner = vec![0.0; self.cols];
        let mut todo = vec![(self.to_box(0, values, &mut corner), 0)];
        while let Some((distance, node)) = todo.pop() {
            let about = &self.nodes[node];
            if best.beyond(at, distance, about.lowest) {
                continue;
            }
            effort.nodes += 1;
            if about.right == 0 {
                effort.rows += about.end - about.start;
                for &row in &self.rows[about.start..about.end] {
                    if row != query {
                        let squared = self.points.squared_distance(query, row);
                        best.offer(at, Candidate { squared, row });
                    }
                }
                continue;
            }
            let left = (self.to_box(node + 1, values, &mut corner), node + 1);
            let right = (self.to_box(about.right, values, &mut corner), about.right);
            // The nearer one is looked at first, so it goes on top.
            if right.0 < left.0 {
                todo.extend([left, right]);
            } else {
                todo.extend([right, left]);
            }
        }
        effort
    }

    /// The best of every query.
    ///
    /// # Errors
    /// [`StageError::Timeout`](counterweight_core::StageError::Timeout).
    pub(super) fn search_all(
        &self,
        queries: &[usize],
        k: usize,
        deadline: &Deadline,
    ) -> StageResult<Best> {
        let mut best = Best::new(queries.len(), k);
        for (at, &query) in queries.iter().enumerate() {
            if at % 64 == 0 {
                deadline.check()?;
            }
            self.search(query, &mut best, at);
        }
        Ok(best)
    }
}
