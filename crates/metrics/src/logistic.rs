//! Weighted, unpenalised logistic regression of the positive class on the logit: the two fits that
//! calibration intercept and slope are.

use counterweight_core::Judged;
use counterweight_numeric::elementary::{sigmoids, sigmoids_by};

use crate::inputs::{binary_probabilities, total_weight};

/// Below this mean curvature of the fit (the mean of p (1 - p)), rounding of the gradient moves the
/// optimum by more than 1e-6 and no value is given.
const LEAST_CURVATURE: f64 = 1e-10;
const MAX_STEPS: usize = 200;

/// One test row: the logit of the positive class, whether it is of that class, and its weight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) logit: f64,
    pub(crate) positive: bool,
    pub(crate) weight: f64,
}

/// The rows that weigh something; weights are scaled to sum to one.
///
/// # Errors
/// Why the rows give no calibration: votes, not two classes, unsound weights, one class only, a
/// probability of exactly 0 or 1.
pub(crate) fn rows(judged: &Judged<'_>) -> Result<Vec<Row>, String> {
    let (scores, positive) = binary_probabilities(judged)?;
    let total = total_weight(judged)?;
    let mut rows = Vec::with_capacity(judged.labels().len());
    for (i, &weight) in judged.weights().iter().enumerate() {
        if weight <= 0.0 {
            continue;
        }
        let logit = scores.log().at(i, positive) - scores.log().at(i, 1 - positive);
        if !logit.is_finite() {
            return Err("a test row has probability 0 or 1".into());
        }
        rows.push(Row {
            logit,
            positive: judged.labels().class(i) == positive,
            weight: weight / total,
        });
    }
    if rows.iter().all(|row| row.positive) || !rows.iter().any(|row| row.positive) {
        return Err("one class only among the test rows that weigh something".into());
    }
    Ok(rows)
}

/// The intercept a that maximises the likelihood of `logit + a`, where
/// `sum w (sigmoid(logit + a) - y)`, which rises in a, is 0. Newton, and bisection whenever a step
/// leaves the bracket: the root lies between `logit(mean y) - max logit` and
/// `logit(mean y) - min logit`.
///
/// # Errors
/// Why there is none: the logits are saturated, so that the likelihood is flat around its top (or
/// so far apart that no bisection gets there).
pub(crate) fn intercept(rows: &[Row]) -> Result<f64, String> {
    let flat = || "the probabilities are saturated: the intercept is not determined".to_owned();
    let mass = |positive: bool| -> f64 {
        let chosen = rows.iter().filter(|row| row.positive == positive);
        chosen.map(|row| row.weight).sum()
    };
    let prevalence = mass(true).ln() - mass(false).ln();
    let largest = rows
        .iter()
        .map(|r| r.logit)
        .fold(f64::NEG_INFINITY, f64::max);
    let smallest = rows.iter().map(|r| r.logit).fold(f64::INFINITY, f64::min);
    let (mut low, mut high) = (prevalence - largest, prevalence - smallest);
    // Rounding may put the root of constant logits just outside.
    low -= 1e-9 * (1.0 + low.abs());
    high += 1e-9 * (1.0 + high.abs());
    let mut a = prevalence.clamp(low, high);
    for _ in 0..MAX_STEPS {
        let mut gradient = 0.0;
        let mut curvature = 0.0;
        for row in rows {
            // Computed from the small side, so that a rare class keeps its digits.
            let (p, rest) = sigmoids(row.logit + a);
            gradient += row.weight * if row.positive { -rest } else { p };
            curvature += row.weight * p * rest;
        }
        if gradient > 0.0 {
            high = a;
        } else {
            low = a;
        }
        let newton = a - gradient / curvature;
        let next = if newton > low && newton < high {
            newton
        } else {
            f64::midpoint(low, high)
        };
        let step = (next - a).abs();
        a = next;
        if step <= 1e-14 * (1.0 + a.abs()) {
            // A bracket may also close where no root is: around 1e308 two neighbouring numbers lie
            // further apart than the curve is wide.
            let found = curvature >= LEAST_CURVATURE && gradient.abs() <= 1e-8 * curvature;
            return if found { Ok(a) } else { Err(flat()) };
        }
    }
    Err(flat())
}

/// The slope b that, with a free intercept, maximises the likelihood of `a + b logit`. Newton from
/// slope 0 on standardised logits, with a backtracking line search on the negative log-likelihood.
///
/// # Errors
/// Why there is none: constant logits, classes that a threshold separates (the likelihood then has
/// no maximum), or a likelihood too flat to tell.
pub(crate) fn slope(rows: &[Row]) -> Result<f64, String> {
    let range = |positive: bool| {
        rows.iter()
            .filter(|row| row.positive == positive)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| {
                (low.min(row.logit), high.max(row.logit))
            })
    };
    let ((low0, high0), (low1, high1)) = (range(false), range(true));
    // Half of each first: the difference of the largest finite numbers overflows.
    let half_span = high0.max(high1) / 2.0 - low0.min(low1) / 2.0;
    if half_span <= 0.0 {
        return Err("all logits are equal: the slope is not determined".into());
    }
    if high0 <= low1 || high1 <= low0 {
        return Err("a threshold separates the classes: the slope is infinite".into());
    }
    let centre = rows.iter().map(|row| row.weight * row.logit).sum::<f64>();
    let scaled: Vec<f64> = rows
        .iter()
        .map(|row| (row.logit - centre) / half_span)
        .collect();
    let variance: f64 = rows
        .iter()
        .zip(&scaled)
        .map(|(row, u)| row.weight * u * u)
        .sum();
    let deviation = variance.sqrt();
    if !(deviation.is_finite() && deviation > 0.0) {
        return Err("the logits are too far apart for the slope to be determined".into());
    }
    let u: Vec<f64> = scaled.into_iter().map(|u| u / deviation).collect();
    // exp(-|a + b u|) of each row where the loss was taken last, which the next gradient is taken at.
    let mut e = vec![0.0; rows.len()];
    let loss = |a: f64, b: f64, e: &mut [f64]| -> f64 {
        let terms = rows.iter().zip(&u).zip(e).map(|((row, u), e)| {
            let z = a + b * u;
            *e = (-z.abs()).exp();
            let against = if row.positive { -z } else { z };
            row.weight * (against.max(0.0) + e.ln_1p())
        });
        terms.sum()
    };
    let mass: f64 = rows
        .iter()
        .filter(|row| row.positive)
        .map(|row| row.weight)
        .sum();
    let rest: f64 = rows
        .iter()
        .filter(|row| !row.positive)
        .map(|row| row.weight)
        .sum();
    let (mut a, mut b) = (mass.ln() - rest.ln(), 0.0);
    let mut value = loss(a, b, &mut e);
    for _ in 0..MAX_STEPS {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for ((row, &u), &e) in rows.iter().zip(&u).zip(&e) {
            let z = a + b * u;
            let (p, q) = sigmoids_by(z, e);
            let residual = row.weight * if row.positive { -q } else { p };
            let h = row.weight * p * q;
            ga += residual;
            gb += residual * u;
            haa += h;
            hab += h * u;
            hbb += h * u * u;
        }
        let determinant = haa * hbb - hab * hab;
        if haa < LEAST_CURVATURE || determinant < LEAST_CURVATURE * haa * hbb.max(1e-300) {
            return Err("the likelihood is too flat: the slope is not determined".into());
        }
        let (da, db) = (
            (hab * gb - hbb * ga) / determinant,
            (hab * ga - haa * gb) / determinant,
        );
        let decrease = -(ga * da + gb * db);
        let mut step = 1.0;
        let mut next = loss(a + da, b + db, &mut e);
        // Close to the top the loss no longer tells steps apart; there a full Newton step is right.
        if decrease > 1e-12 * value.max(1e-3) {
            while next > value - 1e-4 * step * decrease {
                step *= 0.5;
                if step < 1e-12 {
                    return Err("the fit of the slope made no progress".into());
                }
                next = loss(a + step * da, b + step * db, &mut e);
            }
        }
        a += step * da;
        b += step * db;
        value = next;
        if (step * da).abs() <= 1e-12 * (1.0 + a.abs())
            && (step * db).abs() <= 1e-12 * (1.0 + b.abs())
        {
            return Ok(b / deviation / half_span);
        }
    }
    Err("the fit of the slope did not converge".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(logit: f64, positive: bool, weight: f64) -> Row {
        Row {
            logit,
            positive,
            weight,
        }
    }

    #[test]
    fn constant_logits_have_a_closed_intercept_and_no_slope() {
        let rows = [row(2.0, true, 0.1), row(2.0, false, 0.9)];
        let expected = (0.1_f64 / 0.9).ln() - 2.0;
        assert!((intercept(&rows).unwrap() - expected).abs() < 1e-13);
        assert!(slope(&rows).unwrap_err().contains("equal"));
    }

    #[test]
    fn two_logits_have_closed_fits() {
        // Shares of positives: 1/4 at logit -1, 2/3 at logit 2. A line through two points is exact.
        let rows = [
            row(-1.0, true, 0.1),
            row(-1.0, false, 0.3),
            row(2.0, true, 0.4),
            row(2.0, false, 0.2),
        ];
        let expected = (2.0_f64.ln() - (1.0_f64 / 3.0).ln()) / 3.0;
        assert!((slope(&rows).unwrap() - expected).abs() < 1e-13);
    }

    #[test]
    fn huge_logits_are_a_value_or_a_reason_never_nan() {
        let rows = [
            row(-1e308, true, 0.25),
            row(1e308, false, 0.25),
            row(1e308, true, 0.25),
            row(-1e308, false, 0.25),
        ];
        assert!(slope(&rows).unwrap().abs() < 1e-300);
        assert!(intercept(&rows).unwrap_err().contains("saturated"));
    }

    #[test]
    fn separated_classes_have_no_slope() {
        let touching = [
            row(0.0, false, 0.5),
            row(1.0, false, 0.2),
            row(1.0, true, 0.3),
        ];
        assert!(slope(&touching).unwrap_err().contains("separates"));
        let reversed = [row(3.0, false, 0.5), row(1.0, true, 0.5)];
        assert!(slope(&reversed).unwrap_err().contains("separates"));
    }
}
