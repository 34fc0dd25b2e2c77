//! A fitted sum of trees.

use counterweight_core::{Fitted, Matrix, Scores, StageResult};

use crate::shared::task::{check_rows, widen};
use crate::shared::trees::tree::Tree;

/// A sum of trees, a tree a score and round.
#[derive(Debug)]
pub(crate) struct Model {
    /// Scores of every row before the first round.
    pub(crate) start: Vec<f64>,
    /// By rounds, and in each by scores.
    pub(crate) trees: Vec<Tree>,
    pub(crate) n_features: usize,
    /// Whether rows come as they are, with missing values.
    pub(crate) raw: bool,
    pub(crate) present: Vec<usize>,
    pub(crate) n_classes: usize,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        check_rows(x, self.n_features, self.raw)?;
        let n_scores = self.start.len();
        let mut log = Matrix::zeros(x.rows(), self.present.len());
        let mut f = self.start.clone();
        for i in 0..x.rows() {
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
        Ok(Scores::logits(widen(&log, &self.present, self.n_classes))?)
    }
}
