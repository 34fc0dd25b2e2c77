//! Logistic regressions that libraries fitted: scores from their coefficients in logarithms, and the
//! exact gradient there, by which a wrong optimum is found out.

use counterweight_core::{
    Fitted, LinearHead, Matrix, Note, Scores, StageContext, StageError, StageResult,
};

use super::linear_head::linear_head;
use super::task::{Shape, Task};
use counterweight_numeric::linalg::{add_scaled, dot};

/// Relative gradient above which the result carries a remark.
pub(crate) const REMARKABLE: f64 = 1e-4;
/// Relative gradient above which the result is no optimum.
const WRONG: f64 = 1e-2;

/// The largest gradient of the true objective over coefficients, each relative to the gradient that
/// predictions which are wrong everywhere would have.
fn relative_gradient(model: &Linear, task: &Task<'_>, alpha: f64) -> f64 {
    let (d, m) = (model.shape.n_features, task.n_present());
    let mut slopes = vec![0.0; m * d];
    let mut intercepts = vec![0.0; m];
    let mut scale = vec![0.0; d];
    let mut p = vec![0.0; m];
    for (i, &class) in task.y.iter().enumerate() {
        let row = task.x.row(i);
        model.logits(row, &mut p);
        counterweight_core::log_softmax(&mut p);
        for (k, p) in p.iter().enumerate() {
            let residual = p.exp() - f64::from(u8::from(k == class as usize));
            add_scaled(&mut slopes[k * d..(k + 1) * d], residual, row);
            intercepts[k] += residual;
        }
        for (s, x) in scale.iter_mut().zip(row) {
            *s += x.abs();
        }
    }
    // Two classes share one vector, of the second class.
    let first = usize::from(m == 2);
    let mut worst = 0.0_f64;
    let mut see = |value: f64, scale: f64| {
        let relative = if value.abs() > 0.0 {
            value.abs() / scale
        } else {
            value
        };
        if relative > worst || relative.is_nan() {
            worst = relative;
        }
    };
    for (k, weights) in (first..m).zip(model.slopes.chunks_exact(d)) {
        for j in 0..d {
            see(slopes[k * d + j] + alpha * weights[j], scale[j]);
        }
        see(intercepts[k], task.n_rows() as f64);
    }
    worst
}

/// Coefficients that a library returned.
#[derive(Debug)]
pub(crate) struct Linear {
    /// One vector for two classes (the log-odds of the second), else one a class, row-major.
    pub(crate) slopes: Vec<f64>,
    pub(crate) intercepts: Vec<f64>,
    pub(crate) shape: Shape,
}

impl Linear {
    fn logits(&self, row: &[f64], logits: &mut [f64]) {
        let first = logits.len() - self.intercepts.len();
        logits[..first].fill(0.0);
        let vectors = self.slopes.chunks_exact(self.shape.n_features);
        for ((f, w), b) in logits[first..]
            .iter_mut()
            .zip(vectors)
            .zip(&self.intercepts)
        {
            *f = dot(w, row) + b;
        }
    }
}

impl Fitted for Linear {
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        self.shape.check(x)?;
        let mut log = Matrix::zeros(x.rows(), self.shape.present.len());
        for i in 0..x.rows() {
            self.logits(x.row(i), log.row_mut(i));
            if log.row(i).iter().any(|f| !f.is_finite()) {
                return Err(StageError::Failed(format!(
                    "linear scores of scored row {i} overflow; standardise the features"
                )));
            }
        }
        self.shape.logits(&log)
    }

    fn linear_head(&self, x: &Matrix) -> StageResult<Option<LinearHead>> {
        if self.shape.n_features == 0 {
            return Ok(None);
        }
        let slopes: Vec<&[f64]> = self.slopes.chunks_exact(self.shape.n_features).collect();
        linear_head(x, &slopes, &self.shape)
    }
}

/// Judges what a library returned by its gradient, which also goes to the details.
///
/// The arm shows what a user of the library gets, so the model stands even at a wrong optimum; the
/// outcome says what it is.
///
/// # Errors
/// [`StageError::Failed`] for coefficients that are no numbers.
pub(crate) fn judge(
    library: &str,
    model: &Linear,
    task: &Task<'_>,
    alpha: f64,
    context: &mut StageContext<'_>,
) -> StageResult<()> {
    let gradient = relative_gradient(model, task, alpha);
    context.detail("relative_gradient", gradient);
    if gradient.is_nan() {
        return Err(StageError::Failed(format!(
            "{library} returned coefficients that are no numbers; standardise the features"
        )));
    }
    if gradient > WRONG {
        context.note(Note::Degenerate(format!(
            "{library} returned a wrong optimum as right: the gradient there is {gradient:.1e} of its \
             scale"
        )));
    } else if gradient > REMARKABLE {
        context.note(Note::Remark(format!(
            "{library} stopped short of the optimum: gradient {gradient:.1e} of its scale"
        )));
    }
    Ok(())
}
