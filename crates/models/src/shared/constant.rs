//! The model of training rows from which nothing can be learnt: the same scores for every row.

use counterweight_core::{Fitted, Matrix, Prior, ScoreKind, Scores, StageError, StageResult};

use super::task::check_rows;

/// The same log-scores for every row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Constant {
    kind: ScoreKind,
    log: Vec<f64>,
    n_features: usize,
    /// Whether rows come as they are, with missing values.
    raw: bool,
}

impl Constant {
    /// All probability on one class.
    pub(crate) fn certain(
        class: usize,
        n_classes: usize,
        n_features: usize,
        kind: ScoreKind,
    ) -> Self {
        let mut log = vec![f64::NEG_INFINITY; n_classes];
        log[class] = 0.0;
        Self {
            kind,
            log,
            n_features,
            raw: false,
        }
    }

    /// The same model of rows that come as they are, if `raw`.
    pub(crate) fn of_raw(self, raw: bool) -> Self {
        Self { raw, ..self }
    }

    /// The probabilities of `prior`, or a vote for its largest class (the lowest on a tie).
    pub(crate) fn prior(prior: &Prior, n_features: usize, kind: ScoreKind) -> Self {
        let p = prior.as_slice();
        match kind {
            ScoreKind::Probability => Self {
                kind,
                log: prior.logs(),
                n_features,
                raw: false,
            },
            ScoreKind::Vote => {
                let best = (1..p.len()).fold(0, |best, k| if p[k] > p[best] { k } else { best });
                Self::certain(best, p.len(), n_features, kind)
            }
        }
    }
}

impl Fitted for Constant {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        check_rows(x, self.n_features, self.raw)?;
        let k = self.log.len();
        match self.kind {
            ScoreKind::Probability => {
                let log = Matrix::from_fn(x.rows(), k, |_, j| self.log[j]);
                Scores::log_probabilities(log).map_err(StageError::from)
            }
            ScoreKind::Vote => {
                let winner = self.log.iter().position(|s| s.is_finite());
                let winner = winner.and_then(|k| u32::try_from(k).ok()).unwrap_or(0);
                Scores::votes(&vec![winner; x.rows()], k).map_err(StageError::from)
            }
        }
    }
}
