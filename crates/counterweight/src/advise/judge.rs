//! Which arm is best on the records of a plan, and how far that may be believed.
//!
//! Arms are compared row by row: a row's loss is the share of the repeats that decide it wrongly. A contrast of two arms
//! has the larger of two standard errors: that over rows (or groups), class by class, and that over splits with the
//! correction of Nadeau and Bengio for shared training rows. Intervals hold together for every arm against every plain
//! model (the largest of all contrasts, over random signs of the rows), so that the best looking arm is no exception:
//! choosing it costs nothing of the level. Its expected gain is judged on rows that had no part in the choice.

use counterweight_core::{Labels, Seed};
use counterweight_numeric::order::quantile;
use counterweight_stats::{Level, student_quantile};
use rand::RngExt as _;

/// Random signs for the largest of all contrasts.
const DRAWS: usize = 2000;

/// Most independent parts that signs are drawn for: rows beyond that are added up.
const PARTS: usize = 1024;

/// Divisions of the rows, and parts of each, of which one judges what the others choose.
const DIVISIONS: (usize, usize) = (20, 5);

/// The rows that arms were tested on.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) labels: Labels,
    /// What each row weighs.
    pub(super) weights: Vec<f64>,
    /// Which rows belong together, from 0.
    pub(super) units: Vec<usize>,
    /// What a missed share of each class counts.
    pub(super) says: Vec<f64>,
    pub(super) folds: usize,
}

/// What an arm did.
#[derive(Clone, Debug)]
pub(super) struct Losses {
    /// Share of the repeats that decided the row wrongly.
    pub(super) rows: Vec<f64>,
    /// The loss of each split.
    pub(super) splits: Vec<f64>,
}

/// A difference of two arms; positive is in favour of the second.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) value: f64,
    pub(super) error: f64,
    /// Degrees of freedom: one less than the rarest class has rows, or the splits are.
    pub(super) df: f64,
    /// What each part adds, for signs.
    parts: Vec<f64>,
}

impl Tested {
    /// The loss of some rows: by class, and as each class counts.
    pub(super) fn loss(&self, of: &[f64], rows: impl Iterator<Item = usize>) -> f64 {
        let k = self.says.len();
        let (mut sums, mut weights) = (vec![0.0; k], vec![0.0; k]);
        for row in rows {
            let class = self.labels.class(row);
            sums[class] += self.weights[row] * of[row];
            weights[class] += self.weights[row];
        }
        let present = (0..k).filter(|class| weights[*class] > 0.0);
        let (mut loss, mut said) = (0.0, 0.0);
        for class in present {
            loss += self.says[class] * sums[class] / weights[class];
            said += self.says[class];
        }
        // A part without a class says what it can of the others.
        if said > 0.0 {
            loss * self.says.iter().sum::<f64>() / said
        } else {
            0.0
        }
    }

    pub(super) fn all(&self, of: &[f64]) -> f64 {
        self.loss(of, 0..self.labels.len())
    }

    pub(super) fn difference(&self, first: &Losses, second: &Losses) -> Difference {
        let d: Vec<f64> = first
            .rows
            .iter()
            .zip(&second.rows)
            .map(|(a, b)| a - b)
            .collect();
        let k = self.says.len();
        let (mut sums, mut weights, mut counts) = (vec![0.0; k], vec![0.0; k], vec![0.0; k]);
        for (row, d) in d.iter().enumerate() {
            let class = self.labels.class(row);
            sums[class] += self.weights[row] * d;
            weights[class] += self.weights[row];
            counts[class] += 1.0;
        }
        let units = self.units.iter().max().map_or(0, |last| last + 1);
        let mut parts = vec![0.0; units.clamp(1, PARTS)];
        for (row, d) in d.iter().enumerate() {
            let class = self.labels.class(row);
            let few = (counts[class] / (counts[class] - 1.0_f64).max(1.0)).sqrt();
            let away = d - sums[class] / weights[class];
            let at = self.units[row] % parts.len();
            parts[at] += few * self.says[class] * self.weights[row] * away / weights[class];
        }
        let over_rows = parts.iter().map(|part| part * part).sum::<f64>();
        let splits: Vec<f64> = first
            .splits
            .iter()
            .zip(&second.splits)
            .map(|(a, b)| a - b)
            .collect();
        let j = splits.len() as f64;
        let mean = splits.iter().sum::<f64>() / j;
        let variance = splits.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (j - 1.0).max(1.0);
        let over_splits = variance * (1.0 / j + 1.0 / (self.folds as f64 - 1.0));
        let rarest = counts
            .iter()
            .copied()
            .filter(|n| *n > 0.0)
            .fold(f64::INFINITY, f64::min);
        let df = if over_splits > over_rows {
            (j - 1.0).min(rarest - 1.0)
        } else {
            rarest - 1.0
        };
        Difference {
            value: self.all(&first.rows) - self.all(&second.rows),
            error: over_rows.max(over_splits).sqrt(),
            df: df.max(1.0),
            parts,
        }
    }

    /// The gain over the best plain arm of choosing among all, both on other rows than they are judged on.
    pub(super) fn honest(&self, arms: &[Losses], plain: &[usize]) -> f64 {
        let (divisions, parts) = DIVISIONS;
        let mut stream = Seed(0).stage("divisions of advice").open();
        let best = |losses: &[f64], among: &mut dyn Iterator<Item = usize>| {
            among
                .min_by(|a, b| losses[*a].total_cmp(&losses[*b]))
                .unwrap_or(0)
        };
        let units = self.units.iter().max().map_or(0, |last| last + 1);
        let mut class_of = vec![0; units];
        for (row, unit) in self.units.iter().enumerate() {
            class_of[*unit] = self.labels.class(row);
        }
        let mut gain = 0.0;
        for _ in 0..divisions {
            let mut order: Vec<(usize, u64, usize)> = (0..units)
                .map(|unit| (class_of[unit], stream.random::<u64>(), unit))
                .collect();
            order.sort_unstable();
            let mut part_of = vec![0; units];
            for (at, (.., unit)) in order.into_iter().enumerate() {
                part_of[unit] = at % parts;
            }
            for part in 0..parts {
                let inside = |row: &usize| part_of[self.units[*row]] == part;
                let rows = || 0..self.labels.len();
                let other = |arm: &Losses| self.loss(&arm.rows, rows().filter(|row| !inside(row)));
                let own = |arm: usize| self.loss(&arms[arm].rows, rows().filter(inside));
                let losses: Vec<f64> = arms.iter().map(other).collect();
                let base = best(&losses, &mut plain.iter().copied());
                let chosen = best(&losses, &mut (0..arms.len()));
                if losses[chosen] < losses[base] {
                    gain += own(base) - own(chosen);
                }
            }
        }
        gain / (divisions * parts) as f64
    }
}

/// How many standard errors all these differences are from the truth at most, in 95 % of draws; never fewer than
/// Student's quantile of one.
pub(super) fn reach(differences: &[Difference], df: f64) -> f64 {
    let one = student_quantile(Level::FIVE_PERCENT, df);
    let scaled: Vec<Vec<f64>> = differences
        .iter()
        .filter_map(|difference| {
            let size = difference.parts.iter().map(|p| p * p).sum::<f64>().sqrt();
            (size > 0.0).then(|| difference.parts.iter().map(|p| p / size).collect())
        })
        .collect();
    let Some(parts) = scaled.first().map(Vec::len) else {
        return one;
    };
    let mut stream = Seed(0).stage("signs of advice").open();
    let largest: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let signs: Vec<f64> = (0..parts)
                .map(|_| if stream.random::<bool>() { 1.0 } else { -1.0 })
                .collect();
            let sum = |of: &Vec<f64>| of.iter().zip(&signs).map(|(a, b)| a * b).sum::<f64>().abs();
            scaled.iter().map(sum).fold(0.0, f64::max)
        })
        .collect();
    // Signs are normal in the limit; few rows have Student's tails.
    let normal = 1.959_963_984_540_054;
    quantile(&largest, 0.95).max(normal) * one / normal
}
