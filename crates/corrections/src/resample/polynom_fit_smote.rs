//! Polynomial-fit SMOTE: new rows on curves through the class, in one of four topologies.
//!
//! # When it helps, when it hurts
//!
//! `star` pulls new rows towards the class mean: it never leaves the convex hull and stays deep inside
//! a single compact class, where it led Kovacs's comparison of 85 over-samplers. With several separate
//! groups, the mean and the rays to it lie in foreign ground. `mesh` fills the hull more evenly;
//! `bus` and `polynomial` follow the order of the rows, which means something for sequences only.
//!
//! # Formula
//!
//! A segment that gets c rows has them at `i / (c + 1)` of its length, i = 1..c.
//!
//! * `star`: one segment a row, from the row to the class mean.
//! * `bus`: one segment for each two consecutive rows of the class.
//! * `mesh`: one segment for each two rows of the class.
//! * `polynomial`: each column is fitted by least squares with a polynomial of degree `degree` in the
//!   row's position 0, 1, ... within the class; a new row takes all columns' values at one position
//!   `t ~ U[0, n_c - 1)`.
//!
//! With N new rows and S segments each gets N / S of them, rounded down, and N mod S segments, drawn
//! without replacement, get one more.
//!
//! # Cost
//!
//! O(n d) for n rows of d columns before and after; `polynomial` O(n d `degree`). `mesh` draws segments
//! without listing them.
//!
//! # Differences
//!
//! * imbalanced-learn does not have it. The paper and `smote_variants` 1.0 give every segment the same
//!   number of rows, so their counts miss the target; here they are as asked.
//! * `smote_variants` draws one position for all new rows in `polynomial`, so that they are all equal,
//!   and its `mesh` pairs rows with themselves too. Here each row has its position, and pairs differ.
//! * The polynomial is fitted in an orthogonal basis, which stays exact where powers of positions lose
//!   all digits.
//! * `degree` at or above a class's number of rows follows the `small_class` policy; the row of a class
//!   with a single one is copied.
//! * Origins: the row and, for `star`, the class row nearest to the mean; for `bus` and `mesh` the two
//!   ends; for `polynomial` the rows at the positions below and above.
//! * Nominal columns are refused: means and curves have no meaning for them.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal
//! columns; [`StageError::Failed`] for values that are not finite or overflow.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find,
//!     params,
//! };
//! let x = Matrix::from_vec(6, 1, vec![0.0, 1.0, 2.0, 3.0, 8.0, 10.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(6, (0..6).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "polynom-fit-smote").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // Halfway from each row to the class mean of 9.
//! assert_eq!(even.samples().x().column(0)[6..], [8.5, 9.5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! S. Gazzah and N. E. B. Amara, "New oversampling approaches based on polynomial fitting for
//! imbalanced data sets", DAS 2008. G. Kovacs, "An empirical comparison and evaluation of minority
//! oversampling techniques on a large number of imbalanced datasets", Applied Soft Computing 83, 2019.

use std::collections::BTreeSet;

use counterweight_core::{
    Matrix, NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError,
    StageResult, Train, parameters, words,
};
use rand::RngExt as _;

use super::blend::refuse_nominal;
use super::growth::{Growth, between, grow};
use super::room::Room;
use super::strategy::Grow;
use counterweight_numeric::linalg::squared_distance_by_column;

words! {
    /// What the segments join.
    pub enum Topology {
        /// Each row and the mean.
        Star = "star",
        /// Consecutive rows.
        Bus = "bus",
        /// All pairs.
        Mesh = "mesh",
        /// A curve through all of them.
        Polynomial = "polynomial",
    }
}

parameters! {
    /// Polynomial-fit SMOTE with checked parameters.
    pub struct PolynomFitSmote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// what the segments join: rows and the mean, consecutive rows, all pairs, or a curve
        topology: Topology = "star";
        /// degree of the curve of topology `polynomial`
        degree: usize = 2, in Range::new(1.0, true, 20.0, true), probe [1, 3], beside [topology: Topology = "polynomial"];
    }
}

impl Resampler for PolynomFitSmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        refuse_nominal(samples, "polynom-fit-smote")?;
        if let Some((row, column)) = samples.x().first_non_finite() {
            return Err(StageError::Failed(format!(
                "the value in row {row}, column {column} is not finite; impute or drop it first"
            )));
        }
        grow(train, &self.strategy, context, |of, growth, context| {
            if of.rows.len() == 1 {
                context.clamp(format!(
                    "class {} has 1 row and no segment to another: its row is copied",
                    of.name
                ))?;
                growth.copies(of.rows[0], of.missing);
                return Ok(());
            }
            let x = samples.x();
            match self.topology {
                Topology::Polynomial => {
                    self.curve(x, (&of.rows, of.missing, of.name), growth, context)
                }
                segments => grow_on(segments, x, (&of.rows, of.missing), growth, context),
            }
        })
    }
}

/// Makes `wanted` rows, spread over the segments of a topology.
fn grow_on(
    topology: Topology,
    x: &Matrix,
    (rows, wanted): (&[usize], usize),
    growth: &mut Growth<'_>,
    context: &mut StageContext<'_>,
) -> StageResult<()> {
    let m = rows.len();
    let segments = match topology {
        Topology::Star => m,
        Topology::Bus => m - 1,
        Topology::Mesh | Topology::Polynomial => m * (m - 1) / 2,
    };
    let mean = mean_row(x, rows);
    let centre = rows
        .iter()
        .map(|&row| (squared_distance_by_column(x.row(row), &mean), row))
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        .map_or(rows[0], |(_, row)| row);
    let (each, extra) = (wanted / segments, wanted % segments);
    let extra = subset(segments, extra, context);
    let mut made = vec![0.0; x.cols()];
    let mut place = |segment: usize, points: usize, growth: &mut Growth<'_>| {
        let (base, other) = match topology {
            Topology::Star => (rows[segment], centre),
            Topology::Bus => (rows[segment + 1], rows[segment]),
            Topology::Mesh | Topology::Polynomial => {
                let (a, b) = pair(segment);
                (rows[a], rows[b])
            }
        };
        let end = if topology == Topology::Star {
            &mean
        } else {
            x.row(other)
        };
        for i in 1..=points {
            let u = i as f64 / (points + 1) as f64;
            for (value, (&from, &to)) in made.iter_mut().zip(x.row(base).iter().zip(end)) {
                *value = between(from, to, u);
            }
            growth.made(base, other, &made);
        }
    };
    if each == 0 {
        for segment in extra {
            context.deadline.check()?;
            place(segment, 1, growth);
        }
    } else {
        for segment in 0..segments {
            context.deadline.check()?;
            place(
                segment,
                each + usize::from(extra.contains(&segment)),
                growth,
            );
        }
    }
    Ok(())
}

/// `size` of the numbers below `n`, every subset as likely (Floyd's algorithm).
fn subset(n: usize, size: usize, context: &mut StageContext<'_>) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    for top in n - size..n {
        let drawn = context.stream.random_range(0..=top);
        if !chosen.insert(drawn) {
            chosen.insert(top);
        }
    }
    chosen
}

/// The `at`-th of the pairs (1, 0), (2, 0), (2, 1), (3, 0), ...
fn pair(at: usize) -> (usize, usize) {
    let mut a = f64::sqrt(2.0 * at as f64 + 0.25);
    a = (a + 0.5).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a root of a whole number; put right below where it was rounded"
    )]
    let mut a = a as usize;
    while a * (a - 1) / 2 > at {
        a -= 1;
    }
    while (a + 1) * a / 2 <= at {
        a += 1;
    }
    (a, at - a * (a - 1) / 2)
}

fn mean_row(x: &Matrix, rows: &[usize]) -> Vec<f64> {
    let mut mean = vec![0.0; x.cols()];
    for (seen, &row) in rows.iter().enumerate() {
        for (mean, &value) in mean.iter_mut().zip(x.row(row)) {
            // A running mean stays inside the range of the values: their sum might overflow, and
            // equal values give themselves.
            *mean = between(*mean, value, 1.0 / (seen + 1) as f64);
        }
    }
    mean
}

impl PolynomFitSmote {
    fn curve(
        &self,
        x: &Matrix,
        (rows, wanted, class): (&[usize], usize, &str),
        growth: &mut Growth<'_>,
        context: &mut StageContext<'_>,
    ) -> StageResult<()> {
        let m = rows.len();
        let mut degree = self.degree;
        if degree >= m {
            degree = m - 1;
            context.clamp(format!(
                "degree = {} reduced to {degree} for class {class} with {m} rows",
                self.degree
            ))?;
        }
        let basis = Basis::new(m, degree);
        let fits: Vec<Vec<f64>> = (0..x.cols())
            .map(|column| basis.fit(|at| x.at(rows[at], column)))
            .collect();
        for _ in 0..wanted {
            context.deadline.check()?;
            let t = (m - 1) as f64 * context.stream.random::<f64>();
            let values = basis.values(t);
            let made: Vec<f64> = fits
                .iter()
                .map(|fit| fit.iter().zip(&values).map(|(c, v)| c * v).sum())
                .collect();
            if made.iter().any(|value: &f64| !value.is_finite()) {
                return Err(StageError::Failed(
                    "the fitted polynomial overflows; scale the columns first".into(),
                ));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a position between 0 and the number of rows"
            )]
            let below = (t as usize).min(m - 2);
            growth.made(rows[below], rows[below + 1], &made);
        }
        Ok(())
    }
}

/// Polynomials that are orthogonal on the positions 0, 1, ..., m - 1, by their three-term recurrence
/// `p_(j+1)(t) = (t - (m - 1) / 2) p_j(t) - b_j p_(j-1)(t)` on positions scaled to [-1, 1].
struct Basis {
    m: usize,
    steps: Vec<f64>,
}

impl Basis {
    fn new(m: usize, degree: usize) -> Self {
        let mut basis = Self {
            m,
            steps: Vec::new(),
        };
        let mut norms = vec![m as f64];
        for j in 1..=degree {
            // values() of degree j needs the steps before it.
            basis.steps.push(if j >= 2 {
                norms[j - 1] / norms[j - 2]
            } else {
                0.0
            });
            let norm = (0..m)
                .map(|at| basis.values(at as f64)[j].powi(2))
                .sum::<f64>();
            norms.push(norm);
        }
        basis
    }

    /// The values of all polynomials at position t.
    fn values(&self, t: f64) -> Vec<f64> {
        let half = (self.m - 1) as f64 / 2.0;
        let s = (t - half) / half;
        let mut values = vec![1.0];
        for (j, step) in self.steps.iter().enumerate() {
            let before = if j == 0 { 0.0 } else { values[j - 1] };
            values.push(s * values[j] - step * before);
        }
        values
    }

    /// The coefficients of the least-squares fit.
    fn fit(&self, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut dots = vec![0.0; self.steps.len() + 1];
        let mut norms = vec![0.0; self.steps.len() + 1];
        for at in 0..self.m {
            for (j, p) in self.values(at as f64).into_iter().enumerate() {
                dots[j] += p * value(at);
                norms[j] += p * p;
            }
        }
        dots.iter()
            .zip(&norms)
            .map(|(dot, norm)| dot / norm)
            .collect()
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<PolynomFitSmote>(
    "polynom-fit-smote",
    "rows on segments to the class mean, between rows, or on a fitted curve",
    "Gazzah and Amara 2008",
    ResamplerCaps::GROWS
        .making(NewRows::Elsewhere)
        .numeric()
        .taking(|params, size| Room::over(params, size).result()),
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;
    use counterweight_core::Shared;

    #[test]
    fn pairs_are_counted_off() {
        let mut at = 0;
        for a in 1..200 {
            for b in 0..a {
                assert_eq!(pair(at), (a, b));
                at += 1;
            }
        }
    }

    #[test]
    fn every_subset_of_segments_is_as_likely() {
        let shared = Shared::default();
        let mut about = context(3, &shared);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            *seen.entry(subset(4, 2, &mut about)).or_insert(0.0) += 1.0;
        }
        assert_eq!(seen.len(), 6);
        let chi2: f64 = seen
            .values()
            .map(|n: &f64| (n - 1000.0).powi(2) / 1000.0)
            .sum();
        assert!(
            chi2 < 20.5,
            "the 99.9 % point with 5 degrees of freedom; {chi2}"
        );
    }

    #[test]
    fn a_polynomial_of_the_degree_is_found_again() {
        for m in [4, 50, 3000] {
            let basis = Basis::new(m, 3);
            let f = |t: f64| 2.0 - 0.5 * t + 0.03 * t * t - 1e-4 * t * t * t;
            let fit = basis.fit(|at| f(at as f64));
            for t in [0.0, 0.7, (m - 1) as f64 / 3.0, (m - 1) as f64] {
                let found: f64 = fit.iter().zip(basis.values(t)).map(|(c, v)| c * v).sum();
                assert!(
                    (found - f(t)).abs() < 1e-9 * (1.0 + f(t).abs()),
                    "{m} {t}: {found}"
                );
            }
        }
    }
}
