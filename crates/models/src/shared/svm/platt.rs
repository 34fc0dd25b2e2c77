//! Probabilities from margins: a logistic curve for two classes, pairwise coupling for more.

use counterweight_numeric::linalg::SemiCholesky;
use counterweight_numeric::newton::{Row, logistic, minimise};

/// Pairwise probabilities stay this far from 0 and 1, as in libsvm: a pair that is certain would make
/// the coupling of the others singular.
const CERTAIN: f64 = 1e-7;

/// What is left of the loss, as a share of it: coefficients to twelve digits.
const TOLERANCE: f64 = 1e-26;

/// Slope and intercept of `log odds = a margin + b` by weighted maximum likelihood with Platt's smoothed
/// targets `(N+ + 1) / (N+ + 2)` and `1 / (N- + 2)`, N the weighted rows of a side (Lin, Lin,
/// Weng 2007).
pub(crate) fn sigmoid(margins: &[f64], positive: &[bool], weights: &[f64]) -> (f64, f64) {
    let mass = |side: bool| -> f64 {
        let rows = positive.iter().zip(weights);
        rows.filter(|(p, _)| **p == side).map(|(_, w)| w).sum()
    };
    let (up, down) = (mass(true), mass(false));
    // Margins of any size make the same problem.
    let scale = margins.iter().fold(0.0_f64, |top, f| top.max(f.abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    let rows: Vec<Row<2>> = margins
        .iter()
        .zip(positive.iter().zip(weights))
        .map(|(margin, (&positive, &weight))| Row {
            features: [margin / scale, 1.0],
            target: if positive {
                (up + 1.0) / (up + 2.0)
            } else {
                1.0 / (down + 2.0)
            },
            weight,
        })
        .collect();
    let start = vec![0.0, ((up + 1.0) / (down + 1.0)).ln()];
    let found = minimise(start, TOLERANCE, |at, g, h| logistic(&rows, at, g, h));
    (found.at[0] / scale, found.at[1])
}

/// Class probabilities from pairwise ones: `r(i, j)` estimates P(i | i or j) for i < j. The second method of Wu,
/// Lin, Weng (2004): minimise `sum_i sum_j (r_ji p_i - r_ij p_j)^2` over sum p = 1.
pub(crate) fn couple(k: usize, r: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let pairwise = |i: usize, j: usize| -> f64 {
        if i < j {
            r(i, j).clamp(CERTAIN, 1.0 - CERTAIN)
        } else {
            1.0 - r(j, i).clamp(CERTAIN, 1.0 - CERTAIN)
        }
    };
    let mut q = vec![0.0; k * k];
    for i in 0..k {
        for j in (0..k).filter(|&j| j != i) {
            q[i * k + i] += pairwise(j, i) * pairwise(j, i);
            q[i * k + j] = -pairwise(j, i) * pairwise(i, j);
        }
    }
    // Q p is the same number in every row at the solution. Q alone is singular where the pairs agree
    // with some p; with 1 added to every entry it is not, and the solution keeps its direction.
    let mut p = vec![1.0; k];
    SemiCholesky::factor(k, q.iter().map(|q| q + 1.0).collect()).solve(&mut p);
    let total: f64 = p.iter().sum();
    for p in &mut p {
        *p = (*p / total).max(0.0);
    }
    // Sweeps of the paper's own iteration, whose terms are all positive: they give small probabilities the
    // digits that elimination lost.
    for _ in 0..20 {
        let before = p.clone();
        for i in 0..k {
            let others: f64 = (0..k)
                .filter(|&j| j != i)
                .map(|j| -q[i * k + j] * p[j])
                .sum();
            let mut misfit = 0.0;
            for a in 0..k {
                for b in 0..a {
                    let gap = pairwise(b, a) * p[a] - pairwise(a, b) * p[b];
                    misfit += gap * gap;
                }
            }
            p[i] = (others + misfit) / q[i * k + i];
            let total: f64 = p.iter().sum();
            for p in &mut p {
                *p /= total;
            }
        }
        let still = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-11 * b.abs();
        if p.iter().zip(&before).all(still) {
            break;
        }
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_agree_give_their_probabilities_back() {
        for p in [
            vec![0.2, 0.3, 0.5],
            vec![0.97, 0.02, 0.009, 0.001],
            vec![0.4, 0.6],
        ] {
            let found = couple(p.len(), |i, j| p[i] / (p[i] + p[j]));
            for (a, b) in found.iter().zip(&p) {
                assert!((a - b).abs() < 1e-12, "{found:?}");
            }
        }
    }

    #[test]
    fn pairs_that_disagree_give_the_least_misfit() {
        let r = [[0.5, 0.9, 0.4], [0.1, 0.5, 0.7], [0.6, 0.3, 0.5]];
        let misfit = |p: &[f64]| -> f64 {
            let mut sum = 0.0;
            for i in 0..3 {
                for j in 0..3 {
                    sum += (r[j][i] * p[i] - r[i][j] * p[j]).powi(2);
                }
            }
            sum
        };
        let found = couple(3, |i, j| r[i][j]);
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (up, down) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)] {
            let mut near = found.clone();
            near[up] += 1e-4;
            near[down] -= 1e-4;
            assert!(misfit(&near) > misfit(&found));
        }
        // Certain pairs leave every class a probability above 0.
        let certain = couple(4, |_, _| 1.0);
        assert!(certain.iter().all(|p| *p > 0.0) && certain[0] > 0.999);
    }

    #[test]
    fn the_curve_is_the_logistic_regression_of_smoothed_targets() {
        let margins: Vec<f64> = (0..40).map(|i| f64::from(i) / 10.0 - 2.0).collect();
        let positive: Vec<bool> = (0..40).map(|i| i % 3 == 0 || i > 30).collect();
        let weights: Vec<f64> = positive
            .iter()
            .map(|&p| if p { 3.0 } else { 1.0 })
            .collect();
        let (a, b) = sigmoid(&margins, &positive, &weights);
        assert!(a > 0.0);
        let up = positive.iter().filter(|p| **p).count() as f64 * 3.0;
        let down = positive.iter().filter(|p| !**p).count() as f64;
        let (mut ga, mut gb) = (0.0, 0.0);
        for i in 0..40 {
            let t = if positive[i] {
                (up + 1.0) / (up + 2.0)
            } else {
                1.0 / (down + 2.0)
            };
            let p = 1.0 / (1.0 + (-(a * margins[i] + b)).exp());
            ga += weights[i] * (p - t) * margins[i];
            gb += weights[i] * (p - t);
        }
        assert!(ga.abs() < 1e-8 && gb.abs() < 1e-8);
        // A weight is as good as repeated rows, and the size of the margins does not matter.
        let many: Vec<usize> = (0..40)
            .flat_map(|i| vec![i; if positive[i] { 3 } else { 1 }])
            .collect();
        let m: Vec<f64> = many.iter().map(|&i| 1e200 * margins[i]).collect();
        let p: Vec<bool> = many.iter().map(|&i| positive[i]).collect();
        let (a2, b2) = sigmoid(&m, &p, &vec![1.0; m.len()]);
        assert!((a2 * 1e200 - a).abs() < 1e-8 && (b2 - b).abs() < 1e-8);
        let (flat, odds) = sigmoid(&[0.7; 4], &[true, false, false, false], &[1.0; 4]);
        assert!((flat * 0.7 + odds).is_finite());
    }
}
