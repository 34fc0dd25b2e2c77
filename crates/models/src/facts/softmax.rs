//! What theory says of softmax regression: where the logit-adjusted loss and post-hoc adjustment are one and
//! the same and where not, what weights mean, and where large samples lead.

use counterweight_core::{LossTerms, Matrix, ParamValue};
use counterweight_numeric::offsets::OffsetRules;

use crate::testing::{Fit, blobs, fit, gap, labels, normal, offset, rng, train, weighted};

const ID: &str = "softmax-regression";

fn l2(value: f64) -> (&'static str, ParamValue) {
    ("l2", ParamValue::Real(value))
}

/// Log-scores relative to the first class: what the margins act on.
fn log_odds(fit: &Fit, x: &Matrix) -> Vec<f64> {
    let scores = fit.scores(x);
    let rows = scores.log().iter_rows();
    rows.flat_map(|row| row.iter().map(|s| s - row[0]).collect::<Vec<_>>())
        .collect()
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max)
}

/// (a) and (b): the logit-adjusted loss lowers the unpenalised intercepts by tau log pi and does nothing else,
/// whatever the penalty on slopes, so that it decides as post-hoc adjustment does; a penalised intercept has
/// another optimum.
#[test]
fn logit_adjustment_moves_unpenalised_intercepts_alone() {
    let penalties: [&[(&str, ParamValue)]; 4] = [
        &[],
        &[l2(0.01)],
        &[l2(50.0)],
        &[l2(0.5), ("l1", ParamValue::Real(2.0))],
    ];
    for counts in [&[90, 10][..], &[60, 25, 5], &[40, 20, 10, 6]] {
        let k = counts.len();
        let n: usize = counts.iter().sum();
        let (x, y) = blobs(21, counts, 3);
        let data = train(&x, &y, k);
        let log_prior: Vec<f64> = counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect();
        let moved = |params: &[(&str, ParamValue)], offsets: &[f64]| {
            let plain = fit(ID, params, &data, &LossTerms::cross_entropy(k));
            let adjusted = fit(ID, params, &data, &offset(offsets));
            let expected: Vec<f64> = log_odds(&plain, &x)
                .iter()
                .enumerate()
                .map(|(at, s)| s - (offsets[at % k] - offsets[0]))
                .collect();
            let post_hoc = plain
                .scores(&x)
                .argmax(offsets, &counterweight_core::Ties::default())
                .unwrap();
            let same = post_hoc
                == adjusted
                    .scores(&x)
                    .argmax(&vec![0.0; k], &counterweight_core::Ties::default())
                    .unwrap();
            (worst(&log_odds(&adjusted, &x), &expected), same)
        };
        for tau in [0.5, 1.0, 2.0] {
            let offsets: Vec<f64> = log_prior.iter().map(|p| tau * p).collect();
            for params in penalties {
                let (gap, same) = moved(params, &offsets);
                assert!(
                    gap < 1e-6 && same,
                    "tau {tau}, {counts:?}, {params:?}: {gap:e}"
                );
            }
            let penalised = [("penalise_intercept", ParamValue::Flag(true)), l2(5.0)];
            let (gap, _) = moved(&penalised, &offsets);
            assert!(gap > 0.05, "tau {tau}, {counts:?}");
        }
    }
}

/// Fitted with its margins in the loss (an intercept that a penalty of 0 could move takes that road), the adjusted loss
/// ends where plain cross-entropy less tau log pi does, so that thresholds win the same from both: its ranking
/// part is nothing but rows that rounding moves across a cut.
#[test]
fn two_roads_to_the_adjusted_optimum_meet() {
    let rounds = 50;
    for counts in [&[180, 20][..], &[120, 50, 15], &[90, 40, 20, 12]] {
        let (k, n) = (counts.len(), counts.iter().sum::<usize>());
        let (x, y) = blobs(23, counts, 3);
        let data = train(&x, &y, k);
        let plain = fit(ID, &[l2(0.0)], &data, &LossTerms::cross_entropy(k));
        for tau in [0.5, 1.0, 2.0] {
            let offsets: Vec<f64> = (counts.iter())
                .map(|&c| tau * (c as f64 / n as f64).ln())
                .collect();
            let direct = [l2(0.0), ("penalise_intercept", ParamValue::Flag(true))];
            let direct = fit(ID, &direct, &data, &offset(&offsets));
            let moved = fit(ID, &[l2(0.0)], &data, &offset(&offsets));
            let (one, other) = (log_odds(&direct, &x), log_odds(&moved, &x));
            assert!(worst(&one, &other) < 1e-6, "tau {tau}, {counts:?}");
            assert!(
                one != other,
                "tau {tau}, {counts:?}: there is one road only"
            );

            let labels = labels(&y, k);
            let best = |fit: &Fit, start: &[f64]| {
                let scores = fit.scores(&x);
                let rules = OffsetRules::new(&scores, &labels).unwrap();
                rules.best_offsets(&[start], rounds).unwrap()
            };
            let (from_plain, least) = best(&plain, &vec![0.0; k]);
            // Rules take offsets off the scores.
            let back: Vec<f64> = offsets.iter().map(|o| -o).collect();
            let (_, of_moved) = best(&moved, &back);
            assert_eq!(least.to_bits(), of_moved.to_bits(), "tau {tau}, {counts:?}");
            let (_, of_direct) = best(&direct, &back);
            let close = |row: &[f64]| {
                let mut sums: Vec<f64> = row.iter().zip(&from_plain).map(|(s, o)| s - o).collect();
                sums.sort_by(f64::total_cmp);
                sums[k - 1] - sums[k - 2] < 1e-6
            };
            let near = plain
                .scores(&x)
                .log()
                .iter_rows()
                .filter(|row| close(row))
                .count();
            let smallest = counts.iter().min().unwrap();
            let bound = near as f64 / (k * smallest) as f64;
            assert!(
                (of_direct - least).abs() <= bound,
                "tau {tau}, {counts:?}: {bound}"
            );
        }
    }
}

#[test]
fn mean_probabilities_equal_class_shares_at_the_optimum() {
    for counts in [&[90, 10][..], &[60, 25, 5]] {
        let k = counts.len();
        let n: usize = counts.iter().sum();
        let (x, y) = blobs(22, counts, 3);
        let data = train(&x, &y, k);
        let offsets: Vec<f64> = counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect();
        for offsets in [vec![0.0; k], offsets] {
            let scores = fit(ID, &[], &data, &offset(&offsets)).scores(&x);
            let mut mean = vec![0.0; k];
            for row in scores.log().iter_rows() {
                // softmax(f + o) under the adjusted loss.
                let mut row: Vec<f64> = row.iter().zip(&offsets).map(|(s, o)| s + o).collect();
                counterweight_core::log_softmax(&mut row);
                for (m, s) in mean.iter_mut().zip(&row) {
                    *m += s.exp() / n as f64;
                }
            }
            for (m, &count) in mean.iter().zip(counts) {
                assert!((m - count as f64 / n as f64).abs() < 1e-9, "{mean:?}");
            }
        }
    }
}

#[test]
fn collinear_columns_without_penalty_change_no_prediction() {
    for counts in [&[40, 30][..], &[40, 30, 20]] {
        let k = counts.len();
        let (x, y) = blobs(26, counts, 2);
        let more = Matrix::from_fn(x.rows(), 5, |i, j| match j {
            0 | 1 => x.at(i, j),
            2 => 4.0,
            3 => x.at(i, 0) - 2.0 * x.at(i, 1),
            _ => x.at(i, 1),
        });
        let terms = LossTerms::cross_entropy(k);
        let lean = fit(ID, &[l2(0.0)], &train(&x, &y, k), &terms);
        let fat = fit(ID, &[l2(0.0)], &train(&more, &y, k), &terms);
        assert!(!lean.degenerate() && !fat.degenerate());
        assert!(gap(&lean.scores(&x), &fat.scores(&more)) < 1e-7);
    }
}

/// A line `b + u x_1 + v x_2` between the two classes of `gaussian-pair`.
struct Line {
    b: f64,
    length: f64,
    /// Where the classes' means lie along it: at -+ this.
    mean: f64,
}

impl Line {
    fn of(model: &Fit) -> Self {
        let probe = Matrix::from_vec(3, 2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        let odds: Vec<f64> = log_odds(model, &probe)
            .chunks(2)
            .map(|pair| pair[1])
            .collect();
        let (b, u, v) = (odds[0], odds[1] - odds[0], odds[2] - odds[0]);
        Self {
            b,
            length: u.hypot(v),
            mean: (u + v) / u.hypot(v),
        }
    }

    /// The exact balanced error when its intercept is moved by `by`.
    fn balanced_error(&self, by: f64) -> f64 {
        let cut = (self.b + by) / self.length;
        0.5 * (phi(-cut - self.mean) + phi(cut - self.mean))
    }

    /// The slopes of the expected loss along the intercept and along the line, by quadrature.
    fn expected_gradient(&self, terms: &LossTerms, rare: f64) -> [f64; 2] {
        let step = 1.0 / 64.0;
        let mut sum = [0.0; 2];
        for (y, sign, share) in [(0, -1.0, 1.0 - rare), (1, 1.0, rare)] {
            for i in -640..=640 {
                let z = f64::from(i) * step;
                let mass = share * step * (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
                let t = z + sign * self.mean;
                let score = self.b + self.length * t;
                let factor = terms.factors[y];
                let against = terms.margins.at(y, 1 - y) - factor * sign * score;
                let slope = -terms.weights[y] * factor * sign / (1.0 + (-against).exp());
                sum[0] += mass * slope;
                sum[1] += mass * slope * t;
            }
        }
        sum
    }
}

/// Means +-(1, 1), identity covariance, prior .05: plain regression has balanced error .180770286478417, the
/// consistent losses have .0786496035251426, the partial ones lie between; and every fit to a large sample is
/// close to where the expected loss is least.
#[test]
fn the_population_optima_of_the_gaussian_pair_are_reached() {
    let (plain, best) = (0.180_770_286_478_417, 0.078_649_603_525_142_6);
    let (n, rare) = (200_000, 10_000);
    let mut generator = rng(11);
    let y: Vec<u32> = (0..n).map(|i| u32::from(i < rare)).collect();
    let x = Matrix::from_fn(n, 2, |i, _| {
        normal(&mut generator) + if y[i] == 1 { 1.0 } else { -1.0 }
    });
    let data = train(&x, &y, 2);
    let prior = [0.95_f64, 0.05];
    let margins = |above: f64, below: f64| LossTerms {
        margins: Matrix::from_vec(2, 2, vec![0.0, above, below, 0.0]).unwrap(),
        ..LossTerms::cross_entropy(2)
    };
    let gap = (prior[0] / prior[1]).ln();
    let factors = LossTerms {
        factors: vec![1.0, (prior[1] / prior[0]).powf(0.3)],
        ..margins(-gap, gap)
    };
    let reached = |terms: &LossTerms| {
        let line = Line::of(&fit(ID, &[], &data, terms));
        for slope in line.expected_gradient(terms, prior[1]) {
            assert!(slope.abs() < 2e-3, "{terms:?}: {slope:e}");
        }
        line
    };
    let line = reached(&LossTerms::cross_entropy(2));
    assert!((line.balanced_error(0.0) - plain).abs() < 0.004);
    assert!((line.balanced_error(gap) - best).abs() < 1e-4, "post hoc");
    let half: Vec<f64> = prior.iter().map(|p| 0.5 / p).collect();
    for terms in [margins(-gap, gap), weighted(&half)] {
        let found = reached(&terms).balanced_error(0.0);
        assert!((found - best).abs() < 1e-3, "{terms:?}: {found}");
    }
    let adaptive = margins(prior[0].powf(-0.25), prior[1].powf(-0.25));
    let equalised = margins(prior[1].ln(), prior[0].ln());
    for terms in [adaptive, equalised] {
        let found = reached(&terms).balanced_error(0.0);
        assert!(
            best + 0.005 < found && found < plain - 0.005,
            "{terms:?}: {found}"
        );
    }
    // Factors take back a part of the offsets where rows overlap (the binary form).
    assert!(reached(&factors).balanced_error(0.0) > best + 0.005);
}

/// The normal distribution function, by Simpson's rule on its density.
fn phi(z: f64) -> f64 {
    let steps = 2000;
    let h = z / f64::from(steps);
    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
    let sum: f64 = (0..=steps)
        .map(|i| {
            let weight = match i {
                0 => 1.0,
                i if i == steps => 1.0,
                i if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(f64::from(i) * h)
        })
        .sum();
    0.5 + sum * h / 3.0
}
