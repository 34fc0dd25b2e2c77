//! What metrics ask of the test rows before they look at them, with the reasons in words.

use counterweight_core::{ClassCounts, Confusion, Judged, Metric, ScoreKind, Scores};

/// Why there is nothing to measure.
pub(crate) const NO_ROWS: &str = "no test rows";
const BAD_WEIGHT: &str = "a test row's weight is negative or not finite";
const NO_WEIGHT: &str = "the test rows weigh nothing at the metric prior";

/// The total weight of the test rows, once every weight is checked.
pub(crate) fn total_weight(judged: &Judged<'_>) -> Result<f64, String> {
    if judged.labels().is_empty() {
        return Err(NO_ROWS.into());
    }
    if judged.weights().iter().any(|w| !w.is_finite() || *w < 0.0) {
        return Err(BAD_WEIGHT.into());
    }
    let total: f64 = judged.weights().iter().sum();
    if !total.is_finite() {
        return Err("the weights of the test rows overflow".into());
    }
    if total > 0.0 {
        Ok(total)
    } else {
        Err(NO_WEIGHT.into())
    }
}

/// Log-probabilities, or why there are none.
pub(crate) fn probabilities<'a>(judged: &Judged<'a>) -> Result<&'a Scores, String> {
    match judged.scores() {
        Some(scores) if scores.kind() == ScoreKind::Probability => Ok(scores),
        _ => Err("needs probabilities, the model gives votes".into()),
    }
}

/// Log-probabilities of a problem of two classes, and which class is the positive one.
pub(crate) fn binary_probabilities<'a>(judged: &Judged<'a>) -> Result<(&'a Scores, usize), String> {
    let scores = probabilities(judged)?;
    if scores.n_classes() == 2 {
        Ok((scores, judged.positive()))
    } else {
        Err(format!(
            "defined for 2 classes only, found {}",
            scores.n_classes()
        ))
    }
}

/// A metric that is a function of the confusion matrix.
#[derive(Debug)]
pub(crate) struct OfConfusion {
    /// The function.
    of: fn(&Confusion) -> Option<f64>,
    /// Whether it looks at the weights.
    weighted: bool,
    /// Why it has no value when the rows and weights are sound.
    undefined: &'static str,
    zero_when_a_class_is_missed: bool,
}

impl OfConfusion {
    /// A function of the weights, which has no value for the reason `undefined`.
    pub(crate) fn weighted(of: fn(&Confusion) -> Option<f64>, undefined: &'static str) -> Self {
        Self {
            of,
            weighted: true,
            undefined,
            zero_when_a_class_is_missed: false,
        }
    }

    /// A function of the recalls, which needs two classes.
    pub(crate) fn of_recalls(of: fn(&Confusion) -> Option<f64>) -> Self {
        Self {
            weighted: false,
            ..Self::weighted(of, "fewer than two classes among the test rows")
        }
    }

    /// One that is 0 as soon as one class is never hit.
    pub(crate) fn zero_when_a_class_is_missed(self) -> Self {
        Self {
            zero_when_a_class_is_missed: true,
            ..self
        }
    }

    fn on(&self, confusion: &Confusion) -> Result<f64, String> {
        if confusion.n_present() == 0 {
            return Err(NO_ROWS.into());
        }
        (self.of)(confusion).ok_or_else(|| self.undefined.to_owned())
    }
}

impl Metric for OfConfusion {
    fn value(&self, judged: &Judged<'_>) -> Result<f64, String> {
        if self.weighted {
            total_weight(judged)?;
        }
        self.on(judged.confusion())
    }

    fn of_decisions(
        &self,
        confusion: &Confusion,
        _train: &ClassCounts,
    ) -> Option<Result<f64, String>> {
        Some(self.on(confusion))
    }

    fn zero_when_a_class_is_missed(&self) -> bool {
        self.zero_when_a_class_is_missed
    }
}
