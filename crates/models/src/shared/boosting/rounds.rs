//! The rounds of boosting.

use counterweight_core::{StageContext, StageResult};

use super::objective::Objective;
use super::sampling::{Division, sample};
use crate::shared::trees::bins::Binned;
use crate::shared::trees::grow::{Grown, Room, grow};
use crate::shared::trees::newton::{self, Newton, Step};
use crate::shared::trees::search::Limits;
use crate::shared::trees::tree::Tree;

/// The smallest leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Least {
    /// Weighted rows.
    Rows(f64),
    /// Share of all weighted rows, and at least the lightest row.
    Share(f64),
}

/// How the rounds go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rounds {
    pub(crate) most: usize,
    pub(crate) learning_rate: f64,
    /// With no least mass, which the weights of the rows give.
    pub(crate) limits: Limits,
    pub(crate) least: Least,
    /// Its least Hessian is a share of all weighted rows.
    pub(crate) step: Step,
    pub(crate) row_share: f64,
    pub(crate) column_share: f64,
    /// Rounds without a lower validation loss after which to stop.
    pub(crate) patience: Option<usize>,
}

impl Rounds {
    /// Grows the trees from these scores on, as far as the held-out rows say.
    ///
    /// While other terms of the loss are still to come no round is the best one, and none the last.
    ///
    /// # Errors
    /// A passed deadline.
    pub(crate) fn run(
        &self,
        loss: &mut Objective<'_>,
        data: &Binned,
        (start, division): (&[f64], &Division),
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<Tree>> {
        let Division { inside, held } = division;
        let n = inside.len() + held.len();
        let n_scores = start.len();
        let columns = data.splittable();
        let mut scores = start.repeat(n);
        let mut steps = vec![vec![[0.0; 2]; n]; n_scores];
        let mut trees: Vec<Tree> = Vec::new();
        let mut best = (loss.mean(held, &scores), 0);
        let (mut limits, mut step) = self.in_weights(loss);
        let mut room = Room::default();
        let mut gathered = newton::Room::default();
        let (mut rows, mut features, mut order) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..self.most {
            context.deadline.check()?;
            if loss.advance(round) {
                best = (loss.mean(held, &scores), round);
                (limits, step) = self.in_weights(loss);
            }
            loss.steps(inside, &scores, &mut steps);
            sample(inside, self.row_share, &mut context.stream, &mut rows);
            sample(
                &columns,
                self.column_share,
                &mut context.stream,
                &mut features,
            );
            for (c, steps) in steps.iter().enumerate() {
                let gathered_by = std::mem::take(&mut gathered);
                let mut target = Newton::new(steps, loss.weights(), step, gathered_by);
                order.clone_from(&rows);
                let how = (&limits, features.as_slice());
                let grown = grow(data, &mut order, &mut target, how, &mut room);
                let mut tree = grown.tree(&target);
                gathered = target.into_room();
                for value in &mut tree.values {
                    *value *= self.learning_rate;
                }
                if order.len() == n {
                    add_by_leaf(&grown, &tree, &order, &mut scores[c..], n_scores);
                } else {
                    for row in 0..n {
                        scores[row * n_scores + c] += tree.answer_to(data, row)[0];
                    }
                }
                trees.push(tree);
            }
            if let Some(patience) = self.patience.filter(|_| loss.is_last() && !held.is_empty()) {
                let now = loss.mean(held, &scores);
                if now < best.0 {
                    best = (now, round + 1);
                } else if round + 1 - best.1 >= patience {
                    break;
                }
            }
        }
        if self.patience.is_some() && !held.is_empty() {
            // At least one round, so that there is a model to look at.
            trees.truncate(best.1.max(1) * n_scores);
        }
        Ok(trees)
    }

    /// The limits of a leaf in the weights of the rows, so that a common factor of all weights changes nothing.
    fn in_weights(&self, loss: &Objective<'_>) -> (Limits, Step) {
        let (lightest, all) = loss.weight();
        let min_mass = match self.least {
            Least::Rows(rows) => rows,
            Least::Share(share) => lightest.max(share * all),
        };
        let min_hessian = self.step.min_hessian * all;
        let (limits, step) = (self.limits, self.step);
        (
            Limits { min_mass, ..limits },
            Step {
                min_hessian,
                ..step
            },
        )
    }
}

/// Adds each leaf's answer to the scores of its rows: `scores[0]` is the first row's, and the next row's
/// comes `stride` places on.
fn add_by_leaf(grown: &Grown, tree: &Tree, order: &[u32], scores: &mut [f64], stride: usize) {
    let leaves = grown.nodes.iter().zip(&grown.ranges);
    let leaves = leaves.filter(|(node, _)| node.is_leaf());
    // Answers stand in the order of the leaves among the nodes.
    for ((_, range), value) in leaves.zip(&tree.values) {
        for &row in &order[range.clone()] {
            scores[row as usize * stride] += value;
        }
    }
}
