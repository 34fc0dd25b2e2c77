//! A fitted sum of trees.

use counterweight_core::limit;
use counterweight_core::{Fitted, Matrix, Scores, StageResult};

use crate::shared::task::Shape;
use crate::shared::trees::tree::Tree;

/// A sum of trees, a tree a score and round.
#[derive(Debug)]
pub(crate) struct Model {
    /// Scores of every row before the first round.
    pub(crate) start: Vec<f64>,
    /// By rounds, and in each by scores.
    pub(crate) trees: Vec<Tree>,
    pub(crate) shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let n_scores = self.start.len();
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        let mut f = self.start.clone();
        for i in 0..x.rows() {
            limit::ask_at(i);
            let row = x.row(i);
            f.copy_from_slice(&self.start);
            for round in self.trees.chunks_exact(n_scores) {
                for (f, tree) in f.iter_mut().zip(round) {
                    *f += tree.answer(row)[0];
                }
            }
            if n_scores == 1 {
                log.set(i, 1, f[0]);
            } else {
                log.row_mut(i).copy_from_slice(&f);
            }
        }
        self.shape.logits(&log)
    }
}
