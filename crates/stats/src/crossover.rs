//! The imbalance ratio at which one method overtakes another, with an interval.
//!
//! Points (x, d) are given with x = ln(ratio) and d = a - b, several a cluster. A curve d(x) is
//! fitted by least squares, and the crossover is where it passes zero:
//!
//! - `Ladder`: the mean difference at each ratio of a ladder, joined by straight lines in ln(ratio);
//!   it presumes nothing about the shape.
//! - `Line`: one straight line, for natural datasets of which each has a ratio of its own.
//!
//! The interval inverts a test instead of resampling the crossover, which has no finite variance when
//! the slope may be zero: a ratio x belongs to the undecided set unless the cluster-robust t test
//! rejects d(x) = 0,
//!
//! ```text
//! undecided = { x : d(x)^2 <= t(1 - alpha/2)^2 var d(x) }
//! ```
//!
//! (Fieller's construction.) Between knots d is linear and its variance quadratic in x, so the ends
//! are roots of quadratics. The undecided set holds every crossover; the band around one is its
//! confidence interval, and it is open on a side where it reaches the end of the observed ratios. If
//! there is no crossover, the bands still say where the two cannot be told apart.
//!
//! Cost: O(points + clusters * knots^2).
//!
//! # References
//!
//! E. C. Fieller (1954), Some problems in interval estimation, JRSS B 16, 175-185. A. C. Cameron and
//! D. L. Miller (2015), A practitioner's guide to cluster-robust inference, Journal of Human Resources
//! 50, 317-372.

use crate::error::{Result, StatsError, Unit, at_least, finite};
use crate::params::{Direction, Level};
use crate::special::student_upper_quantile;

/// One comparison of two methods at one imbalance ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioPoint {
    /// Number of the cluster; equal numbers are related.
    pub cluster: usize,
    /// Imbalance ratio, at least 1.
    pub ratio: f64,
    /// a - b.
    pub difference: f64,
}

/// The curve that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossoverCurve {
    /// Means at each distinct ratio, joined by lines; each ratio needs two clusters.
    #[default]
    Ladder,
    /// One line in ln(ratio); needs three clusters and two ratios.
    Line,
}

/// Which of the two methods is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The method a of the difference a - b.
    A,
    /// The method b.
    B,
}

/// A place where the fitted difference changes sign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// The imbalance ratio.
    pub ratio: f64,
    /// The better method above it.
    pub better_above: Side,
    /// Lower end of the confidence interval; `None` if no observed ratio below it is decided.
    pub lower: Option<f64>,
    /// Upper end; `None` if no observed ratio above it is decided.
    pub upper: Option<f64>,
}

/// A range of ratios.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioBand {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Crossings and undecided ratios within the observed range.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossover {
    /// Changes of sign, from low to high ratio; a stretch on which the methods are exactly equal is
    /// none.
    pub crossings: Vec<Crossing>,
    /// Ratios at which neither method is significantly better.
    pub undecided: Vec<RatioBand>,
    /// Smallest and largest observed ratio.
    pub observed: RatioBand,
    /// Fitted mean difference at the knots (ladder) or the two ends (line), with its standard error.
    pub knots: Vec<Knot>,
    /// One minus the confidence.
    pub level: Level,
    /// Independent clusters.
    pub n_clusters: usize,
}

/// The fitted curve at one ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    /// The ratio.
    pub ratio: f64,
    /// The fitted difference a - b.
    pub difference: f64,
    /// Its cluster-robust standard error.
    pub standard_error: f64,
}

/// Finds the crossovers of two methods along the imbalance ratio.
///
/// # Errors
///
/// [`StatsError::OutOfRange`] for a ratio below 1, [`StatsError::NotFinite`], [`StatsError::TooFew`]
/// with fewer than two distinct ratios, two clusters (three for a line), or two clusters at a rung of
/// the ladder.
///
/// # Examples
///
/// ```
/// use counterweight_stats::{CrossoverCurve, Direction, Level, RatioPoint, Side, crossover};
///
/// let mut points = Vec::new();
/// for cluster in 0..6 {
///     for (ratio, difference) in [(1.0, -0.02), (10.0, -0.01), (100.0, 0.03)] {
///         let difference = difference + 0.001 * f64::from(cluster as u32);
///         points.push(RatioPoint { cluster, ratio, difference });
///     }
/// }
/// let found = crossover(&points, Direction::LowerIsBetter, CrossoverCurve::Ladder, Level::FIVE_PERCENT)?;
/// let crossing = found.crossings[0];
/// assert!(crossing.ratio > 10.0 && crossing.ratio < 100.0);
/// assert_eq!(crossing.better_above, Side::B);
/// assert!(crossing.lower.is_some_and(|lower| lower < crossing.ratio));
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn crossover(
    points: &[RatioPoint],
    direction: Direction,
    curve: CrossoverCurve,
    level: Level,
) -> Result<Crossover> {
    let points = checked(points)?;
    let n_clusters = points.last().map_or(0, |point| point.cluster + 1);
    at_least("a crossover", Unit::Clusters, n_clusters, 2)?;
    let mut rungs: Vec<f64> = points.iter().map(|point| point.x).collect();
    rungs.sort_by(f64::total_cmp);
    rungs.dedup_by(|a, b| a.total_cmp(b).is_eq());
    at_least("a crossover", Unit::Ratios, rungs.len(), 2)?;
    let (low, high) = (end(&rungs, false), end(&rungs, true));
    let fit = match curve {
        CrossoverCurve::Ladder => Fit::ladder(&points, rungs, n_clusters)?,
        CrossoverCurve::Line => {
            at_least("a crossover along a line", Unit::Clusters, n_clusters, 3)?;
            Fit::line(&points, low, high, n_clusters)
        }
    };
    let df = match curve {
        CrossoverCurve::Ladder => n_clusters - 1,
        CrossoverCurve::Line => n_clusters - 2,
    };
    let critical = student_upper_quantile(level.alpha() / 2.0, df as f64);
    let undecided = fit.undecided(critical);
    let crossings = fit
        .zeros()
        .into_iter()
        .map(|(x, rising)| {
            let band = undecided
                .iter()
                .find(|(start, stop)| *start <= x && x <= *stop);
            let (start, stop) = band.copied().unwrap_or((x, x));
            // Rising a - b: a becomes the larger one.
            let larger_is_worse = direction == Direction::LowerIsBetter;
            let better_above = if rising == larger_is_worse {
                Side::B
            } else {
                Side::A
            };
            Crossing {
                ratio: x.exp(),
                better_above,
                lower: (start > low).then(|| start.exp()),
                upper: (stop < high).then(|| stop.exp()),
            }
        })
        .collect();
    let band = |(start, stop): (f64, f64)| RatioBand {
        lower: start.exp(),
        upper: stop.exp(),
    };
    let knots = fit
        .knots
        .iter()
        .enumerate()
        .map(|(index, &x)| Knot {
            ratio: x.exp(),
            difference: fit.value(index),
            standard_error: fit.covariance(index, index).max(0.0).sqrt(),
        })
        .collect();
    Ok(Crossover {
        crossings,
        undecided: undecided.into_iter().map(band).collect(),
        observed: band((low, high)),
        knots,
        level,
        n_clusters,
    })
}

/// A point with dense cluster numbers and x = ln(ratio), sorted by cluster and x.
#[derive(Clone, Copy)]
struct Point {
    cluster: usize,
    x: f64,
    d: f64,
}

fn checked(points: &[RatioPoint]) -> Result<Vec<Point>> {
    let mut names: Vec<usize> = points.iter().map(|point| point.cluster).collect();
    names.sort_unstable();
    names.dedup();
    let mut out = Vec::with_capacity(points.len());
    for (index, point) in points.iter().enumerate() {
        let d = finite(point.difference, || format!("difference {index}"))?;
        let ratio = finite(point.ratio, || format!("ratio {index}"))?;
        if ratio < 1.0 {
            let (name, range) = (
                "imbalance ratio",
                "1 and more (largest over smallest class)",
            );
            return Err(StatsError::OutOfRange {
                name,
                value: ratio,
                range,
            });
        }
        let cluster = names.partition_point(|name| *name < point.cluster);
        out.push(Point {
            cluster,
            x: ratio.ln(),
            d,
        });
    }
    out.sort_by(|a, b| {
        a.cluster
            .cmp(&b.cluster)
            .then(a.x.total_cmp(&b.x))
            .then(a.d.total_cmp(&b.d))
    });
    Ok(out)
}

fn end(sorted: &[f64], last: bool) -> f64 {
    let value = if last { sorted.last() } else { sorted.first() };
    value.copied().unwrap_or(0.0)
}

/// A continuous piecewise linear curve by its values at knots, and their covariance.
struct Fit {
    knots: Vec<f64>,
    values: Vec<f64>,
    covariances: Vec<f64>,
}

impl Fit {
    /// Level means `m_k`; cov(k, l) = f * `sum_c` `r_ck` `r_cl` / (`n_k` `n_l`) with cluster residual sums r.
    fn ladder(points: &[Point], rungs: Vec<f64>, n_clusters: usize) -> Result<Self> {
        let width = rungs.len();
        let rung = |x: f64| rungs.partition_point(|knot| *knot < x);
        let (mut sums, mut counts) = (vec![0.0; width], vec![0.0; width]);
        let mut seen = vec![0_usize; width * n_clusters];
        for point in points {
            let k = rung(point.x);
            if let (Some(sum), Some(count)) = (sums.get_mut(k), counts.get_mut(k)) {
                *sum += point.d;
                *count += 1.0;
            }
            if let Some(slot) = seen.get_mut(point.cluster * width + k) {
                *slot += 1;
            }
        }
        for k in 0..width {
            let clusters = seen
                .iter()
                .skip(k)
                .step_by(width)
                .filter(|&&count| count > 0)
                .count();
            at_least("each ratio of a ladder", Unit::Clusters, clusters, 2)?;
        }
        let values: Vec<f64> = sums
            .iter()
            .zip(&counts)
            .map(|(sum, count)| sum / count)
            .collect();
        let mut influence = vec![0.0; width * n_clusters];
        for point in points {
            let k = rung(point.x);
            let mean = values.get(k).copied().unwrap_or(0.0);
            let count = counts.get(k).copied().unwrap_or(1.0);
            if let Some(slot) = influence.get_mut(point.cluster * width + k) {
                *slot += (point.d - mean) / count;
            }
        }
        // C/(C-1) makes a complete ladder's test at a rung the one-sample t test.
        let clusters = n_clusters as f64;
        let factor = clusters / (clusters - 1.0);
        let covariances = gram(&influence, width, factor);
        Ok(Self {
            knots: rungs,
            values,
            covariances,
        })
    }

    /// Ordinary least squares, expressed by the values at both ends, with the CR1 factor
    /// C/(C-1) (N-1)/(N-2).
    fn line(points: &[Point], low: f64, high: f64, n_clusters: usize) -> Self {
        let count = points.len() as f64;
        let centre = points.iter().map(|point| point.x).sum::<f64>() / count;
        let mean = points.iter().map(|point| point.d).sum::<f64>() / count;
        let spread: f64 = points.iter().map(|point| (point.x - centre).powi(2)).sum();
        let slope = points
            .iter()
            .map(|point| (point.x - centre) * (point.d - mean))
            .sum::<f64>()
            / spread;
        let at = |x: f64| mean + slope * (x - centre);
        let mut influence = vec![0.0; 2 * n_clusters];
        for point in points {
            let residual = point.d - at(point.x);
            for (offset, x) in [low, high].into_iter().enumerate() {
                let leverage = 1.0 / count + (x - centre) * (point.x - centre) / spread;
                if let Some(slot) = influence.get_mut(2 * point.cluster + offset) {
                    *slot += leverage * residual;
                }
            }
        }
        let clusters = n_clusters as f64;
        let factor = clusters / (clusters - 1.0) * (count - 1.0) / (count - 2.0);
        let covariances = gram(&influence, 2, factor);
        Self {
            knots: vec![low, high],
            values: vec![at(low), at(high)],
            covariances,
        }
    }

    fn value(&self, knot: usize) -> f64 {
        self.values.get(knot).copied().unwrap_or(0.0)
    }

    fn covariance(&self, a: usize, b: usize) -> f64 {
        self.covariances
            .get(a * self.knots.len() + b)
            .copied()
            .unwrap_or(0.0)
    }

    /// Strict changes of sign, with whether the curve rises there.
    fn zeros(&self) -> Vec<(f64, bool)> {
        let mut zeros = Vec::new();
        // The last knot with a value that is not zero.
        let mut before: Option<(f64, f64, usize)> = None;
        for (index, &x) in self.knots.iter().enumerate() {
            let value = self.value(index);
            if value.abs() <= 0.0 {
                continue;
            }
            if let Some((last_x, last, last_index)) = before
                && (last < 0.0) != (value < 0.0)
            {
                // Across knots that are exactly zero the middle of the stretch stands for it.
                let place = if index == last_index + 1 {
                    last_x + (x - last_x) * last / (last - value)
                } else {
                    let first = self.knots.get(last_index + 1).copied().unwrap_or(last_x);
                    let second = self.knots.get(index - 1).copied().unwrap_or(x);
                    0.5 * (first + second)
                };
                zeros.push((place, value > 0.0));
            }
            before = Some((x, value, index));
        }
        zeros
    }

    /// Maximal ranges of x with d(x)^2 <= t^2 var(x).
    fn undecided(&self, critical: f64) -> Vec<(f64, f64)> {
        let mut bands: Vec<(f64, f64)> = Vec::new();
        for (left, pair) in self.knots.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            for (start, stop) in self.undecided_share(left, critical) {
                let (start, stop) = (from + start * (to - from), from + stop * (to - from));
                match bands.last_mut() {
                    // Neighbouring segments share their knot.
                    Some(band) if start <= band.1 => band.1 = band.1.max(stop),
                    _ => bands.push((start, stop)),
                }
            }
        }
        bands
    }

    /// The same on the segment from knot `left`, in u from 0 to 1:
    /// g(u) = d(u)^2 - t^2 var(u) = a u^2 + b u + c <= 0.
    fn undecided_share(&self, left: usize, critical: f64) -> Vec<(f64, f64)> {
        let right = left + 1;
        let (d0, rise) = (self.value(left), self.value(right) - self.value(left));
        let square = critical * critical;
        let (v0, v1) = (self.covariance(left, left), self.covariance(right, right));
        let cross = self.covariance(left, right);
        let a = rise * rise - square * (v0 + v1 - 2.0 * cross);
        let b = 2.0 * d0 * rise - square * 2.0 * (cross - v0);
        let c = d0 * d0 - square * v0;
        let g = |u: f64| (a * u + b) * u + c;
        let mut cuts = vec![0.0];
        cuts.extend(roots(a, b, c).into_iter().filter(|u| *u > 0.0 && *u < 1.0));
        cuts.push(1.0);
        cuts.windows(2)
            .filter_map(|pair| {
                let [start, stop] = pair else { return None };
                (g(0.5 * (start + stop)) <= 0.0).then_some((*start, *stop))
            })
            .collect()
    }
}

/// factor * sum over clusters of the outer products of their rows of `width` values.
fn gram(rows: &[f64], width: usize, factor: f64) -> Vec<f64> {
    let mut out = vec![0.0; width * width];
    for row in rows.chunks(width) {
        for (line, a) in out.chunks_mut(width).zip(row) {
            for (slot, b) in line.iter_mut().zip(row) {
                *slot += factor * a * b;
            }
        }
    }
    out
}

/// Real roots of a u^2 + b u + c in ascending order, without cancellation; none if all vanish.
fn roots(a: f64, b: f64, c: f64) -> Vec<f64> {
    let discriminant = b * b - 4.0 * a * c;
    if discriminant < 0.0 {
        return Vec::new();
    }
    let half = -0.5 * (b + discriminant.sqrt().copysign(b));
    let mut found = Vec::new();
    if a.abs() > 0.0 {
        found.push(half / a);
    }
    if half.abs() > 0.0 {
        found.push(c / half);
    }
    found.retain(|root| root.is_finite());
    found.sort_by(f64::total_cmp);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: Level = Level::FIVE_PERCENT;

    fn ladder(curve: &[(f64, f64)], spread: f64) -> Vec<RatioPoint> {
        let mut points = Vec::new();
        for cluster in 0..10_usize {
            for (rung, &(ratio, mean)) in curve.iter().enumerate() {
                let wobble = spread * ((cluster * 7 + rung * 3) % 10) as f64 - 4.5 * spread;
                points.push(RatioPoint {
                    cluster,
                    ratio,
                    difference: mean + wobble,
                });
            }
        }
        points
    }

    fn run(points: &[RatioPoint], curve: CrossoverCurve) -> Crossover {
        crossover(points, Direction::LowerIsBetter, curve, LEVEL).unwrap()
    }

    #[test]
    fn a_line_is_found_by_both_curves() {
        let truth: Vec<(f64, f64)> = [1.0, 4.0, 16.0, 64.0]
            .map(|r: f64| (r, 0.02 * (r.ln() - 8.0_f64.ln())))
            .to_vec();
        for curve in [CrossoverCurve::Ladder, CrossoverCurve::Line] {
            let found = run(&ladder(&truth, 0.002), curve);
            let [crossing] = found.crossings.as_slice() else {
                panic!("one crossing: {found:?}")
            };
            assert!(
                (crossing.ratio / 8.0 - 1.0).abs() < 0.05,
                "{curve:?} {crossing:?}"
            );
            let (lower, upper) = (crossing.lower.unwrap(), crossing.upper.unwrap());
            assert!(lower < crossing.ratio && crossing.ratio < upper && upper < 16.0);
            assert_eq!(crossing.better_above, Side::B);
        }
    }

    #[test]
    fn the_ends_of_the_band_are_where_the_test_turns() {
        let truth = [(1.0, -0.02), (10.0, -0.01), (100.0, 0.03)];
        let points = ladder(&truth, 0.002);
        let found = run(&points, CrossoverCurve::Ladder);
        let upper = found.crossings[0].upper.unwrap();
        // The test at `upper` by hand: interpolate each cluster, one-sample t.
        let share = (upper.ln() - 10.0_f64.ln()) / 10.0_f64.ln();
        let at: Vec<f64> = points
            .chunks(3)
            .map(|c| c[1].difference * (1.0 - share) + c[2].difference * share)
            .collect();
        let mean = at.iter().sum::<f64>() / 10.0;
        let variance = at.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 9.0;
        let t = mean / (variance / 10.0).sqrt();
        assert!((t - student_upper_quantile(0.025, 9.0)).abs() < 1e-9, "{t}");
    }

    #[test]
    fn no_crossing_but_an_undecided_start() {
        let found = run(
            &ladder(&[(1.0, 0.001), (100.0, 0.05)], 0.002),
            CrossoverCurve::Ladder,
        );
        assert!(found.crossings.is_empty());
        let [band] = found.undecided.as_slice() else {
            panic!("one band")
        };
        assert!((band.lower - 1.0).abs() < 1e-12 && band.upper < 100.0);
    }

    #[test]
    fn without_evidence_the_interval_is_open() {
        let found = run(
            &ladder(&[(1.0, -0.0001), (100.0, 0.0001)], 0.01),
            CrossoverCurve::Ladder,
        );
        let crossing = found.crossings[0];
        assert_eq!((crossing.lower, crossing.upper), (None, None));
    }

    #[test]
    fn the_direction_swaps_the_better_method() {
        let points = ladder(&[(1.0, -0.02), (100.0, 0.03)], 0.001);
        let found = crossover(
            &points,
            Direction::HigherIsBetter,
            CrossoverCurve::Ladder,
            LEVEL,
        )
        .unwrap();
        assert_eq!(found.crossings[0].better_above, Side::A);
    }

    #[test]
    fn identical_methods_cross_nowhere_and_are_undecided_everywhere() {
        let found = run(
            &ladder(&[(1.0, 0.0), (10.0, 0.0)], 0.0),
            CrossoverCurve::Ladder,
        );
        assert!(found.crossings.is_empty());
        assert_eq!(found.undecided.len(), 1);
        // Equal up to ratio 10, and a constant loss after it: no change of sign either.
        let late = run(
            &ladder(&[(1.0, 0.0), (10.0, 0.0), (99.0, 1.0)], 0.0),
            CrossoverCurve::Ladder,
        );
        assert!(late.crossings.is_empty());
    }

    #[test]
    fn too_little_is_an_error_value() {
        let both = |points: &[RatioPoint]| {
            [CrossoverCurve::Ladder, CrossoverCurve::Line]
                .map(|curve| crossover(points, Direction::LowerIsBetter, curve, LEVEL).is_err())
        };
        let point = |cluster, ratio, difference| RatioPoint {
            cluster,
            ratio,
            difference,
        };
        assert_eq!(both(&[]), [true, true]);
        assert_eq!(
            both(&[point(0, 1.0, 0.1), point(0, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 2.0, 0.1), point(1, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 1.0, 0.1), point(1, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 0.5, 0.1), point(1, 2.0, 0.1)]),
            [true, true]
        );
        assert_eq!(
            both(&[point(0, 1.0, f64::NAN), point(1, 2.0, 0.1)]),
            [true, true]
        );
    }
}
