//! A trained network as a model.

use counterweight_core::limit;
use counterweight_core::{Fitted, LinearHead, Matrix, Scores, StageError, StageResult};

use super::layers::Network;
use super::shape::Head;
use crate::shared::linear_head::linear_head;
use crate::shared::task::Shape;

/// Rows scored together.
const BLOCK: usize = 256;

/// A trained network over the classes that had training rows.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) network: Network,
    pub(crate) theta: Vec<f64>,
    pub(crate) shape: Shape,
}

impl Fitted for Model {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        let d = self.network.shape().inputs;
        self.shape.check(x)?;
        let m = self.shape.present.len();
        // Two classes have one score, that of the second: f = (0, s).
        let first = usize::from(m == 2);
        let mut log = Matrix::zeros(x.rows(), m);
        let mut space = self.network.workspace(BLOCK.min(x.rows()));
        for start in (0..x.rows()).step_by(BLOCK) {
            limit::ask();
            let rows = BLOCK.min(x.rows() - start);
            let block = &x.as_slice()[start * d..(start + rows) * d];
            let scores = self.network.forward(&self.theta, (block, rows), &mut space);
            for (i, f) in scores.chunks_exact(m - first).enumerate() {
                if let Some(odd) = f.iter().find(|f| !f.is_finite()) {
                    return Err(StageError::Failed(format!(
                        "scored row {} has the score {odd}; standardise the features",
                        start + i
                    )));
                }
                log.row_mut(start + i)[first..].copy_from_slice(f);
            }
        }
        self.shape.logits(&log)
    }

    /// The last layer on the last hidden outputs. A cosine head has no lengths to normalise.
    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        if self.network.shape().head != Head::Linear {
            return Ok(None);
        }
        let d = self.network.shape().inputs;
        self.shape.check(x)?;
        let vectors = self.network.head_vectors(&self.theta);
        let width = vectors.first().map_or(0, Vec::len);
        let mut features = Vec::with_capacity(x.rows() * width);
        let mut space = self.network.workspace(BLOCK.min(x.rows()));
        for start in (0..x.rows()).step_by(BLOCK) {
            let rows = BLOCK.min(x.rows() - start);
            let block = (&x.as_slice()[start * d..(start + rows) * d], rows);
            self.network.forward(&self.theta, block, &mut space);
            features.extend_from_slice(self.network.head_inputs(block, &space));
        }
        let features = Matrix::from_vec(x.rows(), width, features)?;
        let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
        linear_head(&features, &vectors, &self.shape)
    }
}
