//! What a linear model's vectors give to rows, without bias: for weight normalisation.

use counterweight_core::{LinearHead, Matrix, Scores, StageError, StageResult};

use super::task::{Shape, check_rows};
use counterweight_numeric::linalg::dot;

/// The head of the vectors `slopes`, one a present class. The one vector that two classes share belongs to the
/// second, and that of the first is 0. `None` for any other number.
///
/// # Errors
/// [`StageError::Failed`] for rows of other columns and for scores that overflow.
pub(crate) fn linear_head(
    x: &Matrix,
    slopes: &[&[f64]],
    shape: &Shape,
) -> StageResult<Option<LinearHead>> {
    let present = &shape.present;
    let none;
    let shared;
    let slopes = match *slopes {
        [one] if present.len() == 2 => {
            none = vec![0.0; one.len()];
            shared = [none.as_slice(), one];
            &shared
        }
        _ => slopes,
    };
    if slopes.len() != present.len() || slopes.is_empty() {
        return Ok(None);
    }
    check_rows(x, slopes[0].len(), false)?;
    let raw = Matrix::from_fn(x.rows(), present.len(), |i, k| dot(slopes[k], x.row(i)));
    if let Some(at) = raw.as_slice().iter().position(|f| !f.is_finite()) {
        let row = at / present.len();
        return Err(StageError::Failed(format!(
            "linear scores of scored row {row} overflow; standardise the features"
        )));
    }
    let mut norms = vec![0.0; shape.n_classes];
    for (&class, w) in present.iter().zip(slopes) {
        norms[class] = dot(w, w).sqrt();
    }
    Ok(Some(LinearHead {
        scores: Scores::log_probabilities(shape.widen(&raw))?,
        norms,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, fit, train};
    use counterweight_core::{LossTerms, ParamValue};

    #[test]
    fn the_head_and_the_biases_are_the_scores() {
        let ids = [
            "softmax-regression",
            "softmax-sgd",
            "mlp",
            "linfa-logistic",
            "smartcore-logistic",
        ];
        for id in ids {
            let (x, y) = blobs(7, &[40, 25, 15], 3);
            let fitted = fit(id, &[], &train(&x, &y, 3), &LossTerms::cross_entropy(3));
            let head = fitted.model.linear_head(&x).unwrap().unwrap();
            let scores = fitted.scores(&x);
            // What is left between log-probabilities and the head is a bias a class and a constant a row.
            let bias = |i: usize, k: usize| {
                let odds = |m: &Matrix| m.at(i, k) - m.at(i, 0);
                odds(scores.log()) - odds(head.scores.log())
            };
            for i in 1..x.rows() {
                for k in 1..3 {
                    assert!((bias(i, k) - bias(0, k)).abs() < 1e-9, "{id}");
                }
            }
            assert!(head.norms.iter().all(|n| *n > 0.0));
            let (x, y) = blobs(7, &[40, 25], 3);
            let fitted = fit(id, &[], &train(&x, &y, 2), &LossTerms::cross_entropy(2));
            let head = fitted.model.linear_head(&x).unwrap().unwrap();
            assert!(head.norms[0] <= 0.0 && head.norms[1] > 0.0, "{id}");
            let scores = fitted.scores(&x);
            let odds = |m: &Matrix, i: usize| m.at(i, 1) - m.at(i, 0);
            let bias = |i: usize| odds(scores.log(), i) - odds(head.scores.log(), i);
            assert!(
                (1..x.rows()).all(|i| (bias(i) - bias(0)).abs() < 1e-9),
                "{id}"
            );
        }
        // The cosine has divided by the lengths already.
        let cosine = [("head", ParamValue::Text("cosine".into()))];
        let (x, y) = blobs(7, &[40, 25, 15], 3);
        let plain = LossTerms::cross_entropy(3);
        let fitted = fit("mlp", &cosine, &train(&x, &y, 3), &plain);
        assert!(fitted.model.linear_head(&x).unwrap().is_none());
    }
}
