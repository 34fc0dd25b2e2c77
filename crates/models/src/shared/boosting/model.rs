//! A fitted sum of trees.

use counterweight_core::{Fitted, Matrix, Scores, StageResult};

use crate::shared::task::Shape;
use crate::shared::trees::tree::{Tree, ask_all};

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
        // One score is that of the second of two classes.
        let skipped = self.shape.present.len() - n_scores;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        for i in 0..x.rows() {
            log.row_mut(i)[skipped..].copy_from_slice(&self.start);
        }
        ask_all(&self.trees.iter(), x, |row, tree, answer| {
            log.row_mut(row)[skipped + tree % n_scores] += answer[0];
        });
        self.shape.logits(&log)
    }
}
