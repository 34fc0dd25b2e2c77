//! Metrics, and what they judge.

use std::cell::OnceCell;
use std::fmt::Debug;

use crate::confusion::Confusion;
use crate::error::{CoreError, Result};
use crate::labels::{ClassCounts, Labels};
use crate::scores::{Decisions, Scores};

/// Everything that a metric may look at, for one set of test rows.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    labels: &'a Labels,
    decisions: &'a Decisions,
    scores: Option<&'a Scores>,
    weights: &'a [f64],
    train: &'a ClassCounts,
    confusion: OnceCell<Confusion>,
}

impl<'a> Judged<'a> {
    /// Joins the parts. `scores` are probabilities (`None` for votes); `weights` bring the test
    /// rows to the metric prior, one a row, at least 0.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when the rows or classes do not agree, [`CoreError::Domain`] for a
    /// decision that is not a class.
    pub fn new(
        labels: &'a Labels,
        decisions: &'a Decisions,
        scores: Option<&'a Scores>,
        weights: &'a [f64],
        train: &'a ClassCounts,
    ) -> Result<Self> {
        let shape = |what, expected, found| {
            if expected == found {
                Ok(())
            } else {
                Err(CoreError::Shape {
                    what,
                    expected,
                    found,
                })
            }
        };
        shape("decisions", labels.len(), decisions.len())?;
        shape("metric weights", labels.len(), weights.len())?;
        shape("training counts", labels.n_classes(), train.n_classes())?;
        if let Some(scores) = scores {
            shape("scores", labels.len(), scores.n_rows())?;
            shape("classes of scores", labels.n_classes(), scores.n_classes())?;
        }
        if let Some(odd) = decisions
            .as_slice()
            .iter()
            .find(|&&class| class as usize >= labels.n_classes())
        {
            return Err(CoreError::Domain {
                what: "decisions",
                reason: format!("class {odd} of {}", labels.n_classes()),
            });
        }
        Ok(Self {
            labels,
            decisions,
            scores,
            weights,
            train,
            confusion: OnceCell::new(),
        })
    }

    /// The confusion matrix of the decisions, counted when it is first asked for.
    pub fn confusion(&self) -> &Confusion {
        self.confusion.get_or_init(|| Confusion::of(self))
    }

    /// The test labels.
    pub fn labels(&self) -> &'a Labels {
        self.labels
    }

    /// The decided classes.
    pub fn decisions(&self) -> &'a [u32] {
        self.decisions.as_slice()
    }

    /// Log-probabilities at the metric prior; `None` for votes.
    pub fn scores(&self) -> Option<&'a Scores> {
        self.scores
    }

    /// Weights that bring the test rows to the metric prior, their own ([`Labels::weights`]) included.
    pub fn weights(&self) -> &'a [f64] {
        self.weights
    }

    /// Rows of each class in the training rows before resampling.
    pub fn train(&self) -> &'a ClassCounts {
        self.train
    }

    /// The positive class of binary metrics: the rarer one among the training rows, of equal ones that which is
    /// rarer in the whole table.
    pub fn positive(&self) -> usize {
        self.train.rarest().unwrap_or(0)
    }
}

/// A metric of decisions or scores on test rows.
pub trait Metric: Debug + Send + Sync {
    /// The value.
    ///
    /// # Errors
    /// Why the metric has no value here; it is then empty in the record and named in `reason`.
    fn value(&self, judged: &Judged<'_>) -> std::result::Result<f64, String>;

    /// The same value from counted decisions, for metrics that look at nothing else: what a search over
    /// thousands of rules evaluates. `None` for metrics of scores.
    fn of_decisions(
        &self,
        _confusion: &Confusion,
        _train: &ClassCounts,
    ) -> Option<std::result::Result<f64, String>> {
        None
    }

    /// Whether the value is 0 as soon as one class is never hit, which leaves a search no direction.
    fn zero_when_a_class_is_missed(&self) -> bool {
        false
    }
}
