//! A small classification tree for the partitioning filter: greedy splits by the Gini impurity, at
//! least two rows a leaf, not pruned.
//!
//! Deterministic: columns are tried in order, thresholds ascending, and the first of equal splits is
//! kept; a leaf's tie goes to the lowest class.

use counterweight_core::limit;
use counterweight_core::{ColumnKind, Deadline, Samples, StageResult};

/// Rows that a leaf has at least.
const LEAF_ROWS: usize = 2;
/// Splits on the longest path. Enough for any split that says something; a chain of one-sided splits
/// on ordered labels ends here.
const DEPTH: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Test {
    AtMost(f64),
    Is(f64),
}

impl Test {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(threshold) => value <= threshold,
            Self::Is(level) => (value - level).abs() < 0.5,
        }
    }
}

#[derive(Debug)]
enum Node {
    Leaf(usize),
    Split {
        column: usize,
        test: Test,
        yes: usize,
        no: usize,
    },
}

/// A grown tree.
#[derive(Debug)]
pub(crate) struct Cart(Vec<Node>);

struct Split {
    column: usize,
    test: Test,
    purity: f64,
}

impl Cart {
    /// Grows a tree on `rows` (at least one), in O(d n log n) a level.
    ///
    /// # Errors
    /// [`StageError::Timeout`](counterweight_core::StageError::Timeout).
    pub(crate) fn grow(
        samples: &Samples,
        rows: Vec<usize>,
        deadline: &Deadline,
    ) -> StageResult<Self> {
        let mut nodes = vec![Node::Leaf(0)];
        let mut open = vec![(0, rows, 0)];
        while let Some((at, rows, depth)) = open.pop() {
            deadline.check()?;
            let counts = tally(samples, &rows);
            let split = if depth < DEPTH {
                best_split(samples, &rows, &counts)
            } else {
                None
            };
            let Some(split) = split else {
                nodes[at] = Node::Leaf(most(&counts));
                continue;
            };
            let (yes, no): (Vec<usize>, Vec<usize>) = rows
                .into_iter()
                .partition(|&row| split.test.holds(samples.x().at(row, split.column)));
            let next = nodes.len();
            nodes[at] = Node::Split {
                column: split.column,
                test: split.test,
                yes: next,
                no: next + 1,
            };
            nodes.push(Node::Leaf(0));
            nodes.push(Node::Leaf(0));
            open.push((next, yes, depth + 1));
            open.push((next + 1, no, depth + 1));
        }
        Ok(Self(nodes))
    }

    /// The class of a row.
    pub(crate) fn predict(&self, row: &[f64]) -> usize {
        let mut at = 0;
        loop {
            match self.0[at] {
                Node::Leaf(class) => return class,
                Node::Split {
                    column,
                    test,
                    yes,
                    no,
                } => at = if test.holds(row[column]) { yes } else { no },
            }
        }
    }
}

fn tally(samples: &Samples, rows: &[usize]) -> Vec<f64> {
    let mut counts = vec![0.0; samples.y().n_classes()];
    for &row in rows {
        counts[samples.y().class(row)] += 1.0;
    }
    counts
}

fn most(counts: &[f64]) -> usize {
    let mut best = 0;
    for (class, &count) in counts.iter().enumerate() {
        if count > counts[best] {
            best = class;
        }
    }
    best
}

/// Sum of squared counts over the number of rows: the larger, the purer. Exact for whole numbers.
fn purity(counts: &[f64]) -> f64 {
    let rows: f64 = counts.iter().sum();
    counts.iter().map(|c| c * c).sum::<f64>() / rows
}

fn best_split(samples: &Samples, rows: &[usize], counts: &[f64]) -> Option<Split> {
    if rows.len() < 2 * LEAF_ROWS || counts.iter().filter(|&&c| c > 0.0).count() < 2 {
        return None;
    }
    let whole = purity(counts);
    let mut best: Option<Split> = None;
    // A gain that rounding alone could show is none.
    let mut offer = |column: usize, test: Test, purity: f64| {
        let least = best.as_ref().map_or(whole, |split| split.purity);
        if purity > least + 1e-9 * rows.len() as f64 {
            best = Some(Split {
                column,
                test,
                purity,
            });
        }
    };
    let mut cells: Vec<(f64, usize)> = Vec::with_capacity(rows.len());
    for (column, kind) in samples.kinds().iter().enumerate() {
        limit::ask();
        cells.clear();
        cells.extend(
            rows.iter()
                .map(|&row| (samples.x().at(row, column), samples.y().class(row))),
        );
        cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let nominal = matches!(kind, ColumnKind::Nominal { .. });
        let mut inside = vec![0.0; counts.len()];
        let mut n_inside = 0;
        for at in 0..cells.len() {
            inside[cells[at].1] += 1.0;
            n_inside += 1;
            let last = at + 1 == cells.len();
            if !last && cells[at + 1].0 <= cells[at].0 {
                continue;
            }
            let n_outside = cells.len() - n_inside;
            if n_inside >= LEAF_ROWS && n_outside >= LEAF_ROWS {
                let outside: Vec<f64> = counts.iter().zip(&inside).map(|(c, i)| c - i).collect();
                let test = if nominal {
                    Test::Is(cells[at].0)
                } else {
                    Test::AtMost(threshold(cells[at].0, cells[at + 1].0))
                };
                offer(column, test, purity(&inside) + purity(&outside));
            }
            if nominal {
                // One level against the rest: the next level starts from nothing.
                inside.fill(0.0);
                n_inside = 0;
            }
        }
    }
    best
}

/// A value from `low`, included, to below `high`.
fn threshold(low: f64, high: f64) -> f64 {
    let middle = f64::midpoint(low, high);
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::train;
    use counterweight_core::Matrix;

    #[test]
    fn a_checkerboard_is_learnt_and_equal_rows_are_a_leaf() {
        let x = Matrix::from_fn(400, 2, |i, j| {
            let step = if j == 0 { i % 20 } else { i / 20 };
            step as f64 + 0.1
        });
        let classes: Vec<usize> = (0..400)
            .map(|i| usize::from(((i % 20) / 5 + (i / 20) / 7) % 2 == 1))
            .collect();
        let set = train(x, &[None, None], &classes, 2);
        let tree = Cart::grow(set.samples(), (0..400).collect(), &Deadline::NEVER).unwrap();
        for (row, &class) in classes.iter().enumerate() {
            assert_eq!(tree.predict(set.samples().x().row(row)), class);
        }
        let set = train(Matrix::zeros(5, 1), &[None], &[1, 0, 1, 0, 1], 2);
        let tree = Cart::grow(set.samples(), (0..5).collect(), &Deadline::NEVER).unwrap();
        assert_eq!(tree.predict(&[0.0]), 1);
        let tree = Cart::grow(set.samples(), vec![0, 1], &Deadline::NEVER).unwrap();
        assert_eq!(tree.predict(&[0.0]), 0, "a tie goes to the lowest class");
    }

    #[test]
    fn a_level_in_the_middle_can_be_told_from_the_rest() {
        let x = Matrix::from_fn(30, 1, |i, _| (i % 3) as f64);
        let classes: Vec<usize> = (0..30).map(|i| usize::from(i % 3 == 1)).collect();
        let set = train(x, &[Some(3)], &classes, 2);
        let tree = Cart::grow(set.samples(), (0..30).collect(), &Deadline::NEVER).unwrap();
        assert_eq!(tree.0.len(), 3);
        for level in 0..3_u32 {
            assert_eq!(tree.predict(&[f64::from(level)]), usize::from(level == 1));
        }
    }

    #[test]
    fn neighbouring_numbers_are_told_apart() {
        let (low, high) = (1.0_f64, 1.0_f64.next_up());
        assert!(low <= threshold(low, high) && threshold(low, high) < high);
    }
}
