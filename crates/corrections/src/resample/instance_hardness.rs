//! Instance hardness threshold: keeps the rows of the larger classes that a cross-validated
//! classifier gives the highest probability of their own class.
//!
//! # When it helps, when it hurts
//!
//! It removes what is hard to get right (noise, overlap, rows of the other side) until the class is
//! as small as asked. What stays is easy, so a model fitted to it is over-confident near the border;
//! the prior that its scores have says nothing of the border that was cleared.
//!
//! # Formula
//!
//! Every row gets p, the probability of its class by a model that did not see it. For each class of
//! n rows that `strategy` shrinks to m the threshold is the 1 - m / n quantile of its p, linearly
//! interpolated between order statistics; rows with p at least that stay. `naive-bayes`: normal
//! columns (variance floored at 1e-9 times the largest of the columns) and nominal ones by smoothed
//! frequencies (one added to each level), in `folds` stratified folds that the stream deals.
//! `k-nearest-neighbours`: the share of the row's k nearest other rows that are of its class (every
//! row a fold of its own), from the shared graph. `random-forest`: that learner, in the same folds.
//!
//! # Cost
//!
//! O(n d (K + folds)) for naive Bayes, O(n^2 d) for the neighbours (shared by all samplers of a
//! training set).
//!
//! # Differences
//!
//! * imbalanced-learn 0.14 asks a random forest of 100 trees unless given another classifier: so does
//!   `classifier = "random-forest"`, which is handed the learner of that name at its defaults. The
//!   other two classifiers are small ones of this method's own.
//! * The quantile and the comparison are imbalanced-learn's; several rows at the threshold stay
//!   together, so counts come out at or above what is asked. Votes of k neighbours tie often.
//! * The paper averages over nine classifiers.
//! * Classes with fewer rows than folds follow the sweep's `small_class` policy (imbalanced-learn
//!   warns or raises), and so do more neighbours than rows.
//! * For neighbours, data with nominal columns go through the mixed metric of
//!   [`smote_nc`](super::smote_nc) on the scale of the smallest class, data of nominal columns alone
//!   through value differences, and a note says so; imbalanced-learn takes codes for numbers.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; `Failed` for values that are not finite or
//! not a code of their column.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, Partition, Samples, Seed, Shared, SmallClass, StageContext, find, params,
//! };
//! let x = Matrix::from_vec(8, 1, vec![0.0, 1.0, 2.0, 3.0, 4.0, 8.5, 8.0, 9.0])?;
//! let samples = Samples::numeric(x, Labels::from_texts(&["a", "a", "a", "a", "a", "a", "b", "b"]))?;
//! let (train, _) = Partition::new(8, (0..8).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "instance-hardness").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let after = (entry.build)(&params)?.resample(&train, &mut context)?;
//! // Rows that tie at the threshold stay together.
//! assert!(after.counts().as_slice()[0] >= 2);
//! assert_eq!(after.counts().as_slice()[1], 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! M. R. Smith, T. Martinez and C. Giraud-Carrier, "An instance level analysis of data complexity",
//! Machine Learning 95, 2014.

use counterweight_core::groups::{count_groups, deal_groups};
use counterweight_core::{
    Base, Range, Resampler, ResamplerCaps, ResamplerEntry, Samples, Scores, Shared, StageContext,
    StageError, StageResult, Stream, Train, parameters, words,
};
use rand::RngExt as _;
use rand::SeedableRng as _;

use crate::loss::offset_terms;

use super::cleaning::{among_rows, lists, metric, subset};
use super::room::Room;
use super::strategy::Shrink;
use counterweight_numeric::neighbours::{Pool, code, split_columns};
use counterweight_numeric::order::quantile;

words! {
    /// What gives each row the probability of its class.
    pub enum Classifier {
        /// Naive Bayes that did not see the row.
        NaiveBayes = "naive-bayes",
        /// The classes of its nearest neighbours.
        Neighbours = "k-nearest-neighbours",
        /// The learner `random-forest` that did not see the row.
        Forest = "random-forest",
    }
}

parameters! {
    /// Instance hardness with checked parameters.
    pub struct InstanceHardness {
        /// how many rows of each class to end with
        strategy: Shrink = "auto";
        /// what gives each row the probability of its class
        classifier: Classifier = "naive-bayes";
        /// folds of the cross-validation of naive Bayes or the forest
        folds: usize = 5, in Range::new(2.0, true, f64::INFINITY, false), probe [2, 9];
        /// nearest neighbours whose classes count
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1], beside [classifier: Classifier = "k-nearest-neighbours"];
    }
}

/// The share of the largest column variance that every variance is raised by.
const SMOOTHING: f64 = 1e-9;

/// Naive Bayes on some rows: normal numeric columns, nominal ones by smoothed frequencies.
struct NaiveBayes {
    log_prior: Vec<f64>,
    /// Mean and variance, numeric columns by classes.
    normal: Vec<(f64, f64)>,
    /// Logarithms of level shares, one list a nominal column: levels by classes.
    levels: Vec<Vec<f64>>,
    numeric: Vec<usize>,
    nominal: Vec<(usize, usize)>,
}

impl NaiveBayes {
    fn fit(samples: &Samples, rows: &[usize]) -> StageResult<Self> {
        let k = samples.y().n_classes();
        let (x, y) = (samples.x(), samples.y());
        let (numeric, nominal) = split_columns(samples);
        let mut counts = vec![0.0; k];
        for &row in rows {
            counts[y.class(row)] += 1.0;
        }
        let log_prior = counts
            .iter()
            .map(|n| (n / rows.len() as f64).ln())
            .collect();
        let mut normal = Vec::with_capacity(numeric.len() * k);
        let mut widest = 0.0_f64;
        for &column in &numeric {
            let (mut means, mut squares) = (vec![0.0; k], vec![0.0; k]);
            let whole = rows
                .iter()
                .map(|&row| x.at(row, column) / rows.len() as f64)
                .sum::<f64>();
            let mut spread = 0.0;
            for &row in rows {
                let class = y.class(row);
                means[class] += x.at(row, column) / counts[class];
                spread += (x.at(row, column) - whole).powi(2) / rows.len() as f64;
            }
            for &row in rows {
                let class = y.class(row);
                squares[class] += (x.at(row, column) - means[class]).powi(2) / counts[class];
            }
            widest = widest.max(spread);
            normal.extend(means.into_iter().zip(squares));
        }
        for (_, variance) in &mut normal {
            *variance += SMOOTHING * widest;
        }
        let mut levels = Vec::with_capacity(nominal.len());
        for &(column, n_levels) in &nominal {
            let mut shares = vec![1.0; n_levels * k];
            for &row in rows {
                shares[level(samples, row, column, n_levels)? * k + y.class(row)] += 1.0;
            }
            for (at, share) in shares.iter_mut().enumerate() {
                *share = (*share / (counts[at % k] + n_levels as f64)).ln();
            }
            levels.push(shares);
        }
        Ok(Self {
            log_prior,
            normal,
            levels,
            numeric,
            nominal,
        })
    }

    /// The probability of the row's own class.
    fn own(&self, samples: &Samples, row: usize) -> StageResult<f64> {
        let k = self.log_prior.len();
        let mut scores = self.log_prior.clone();
        for (at, &column) in self.numeric.iter().enumerate() {
            let value = samples.x().at(row, column);
            for (class, score) in scores.iter_mut().enumerate() {
                let (mean, variance) = self.normal[at * k + class];
                // A column that is constant in every class says nothing.
                if variance > 0.0 && score.is_finite() {
                    *score -= 0.5 * (variance.ln() + (value - mean).powi(2) / variance);
                }
            }
        }
        for (shares, &(column, n_levels)) in self.levels.iter().zip(&self.nominal) {
            let level = level(samples, row, column, n_levels)?;
            for (class, score) in scores.iter_mut().enumerate() {
                *score += shares[level * k + class];
            }
        }
        let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !top.is_finite() {
            return Err(StageError::Failed(format!(
                "row {row} is beyond the numbers that densities can be computed with; scale the \
                 columns first"
            )));
        }
        let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
        Ok((scores[samples.y().class(row)] - top).exp() / total)
    }
}

fn level(samples: &Samples, row: usize, column: usize, levels: usize) -> StageResult<usize> {
    let value = samples.x().at(row, column);
    code(value, levels)
        .map(|code| code as usize)
        .ok_or_else(|| {
            StageError::Failed(format!(
                "row {row}, nominal column {column}: {value} is no code of {levels} levels"
            ))
        })
}

impl InstanceHardness {
    /// The fold of each row: the rows of every class are dealt in random order, or whole groups of rows.
    fn deal(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Vec<usize>> {
        let samples = train.samples();
        let names = samples.y().names();
        if let Some(groups) = train.groups() {
            let n = count_groups(&groups);
            if n < self.folds {
                context.clamp(format!("folds = {} reduced to {n} groups", self.folds))?;
            }
            let (classes, folds) = (samples.y().ids(), self.folds.min(n));
            return Ok(deal_groups(classes, &groups, folds, &mut context.stream));
        }
        let mut folds = vec![0; samples.n_rows()];
        let mut next = 0;
        for (class, &rows) in train.counts().as_slice().iter().enumerate() {
            if rows > 0 && rows < self.folds {
                context.clamp(format!(
                    "folds = {} spread over {rows} for class {} with {rows} rows",
                    self.folds, names[class]
                ))?;
            }
            let mut dealt = Pool::Class(class).rows(samples);
            for at in (1..dealt.len()).rev() {
                dealt.swap(at, context.stream.random_range(0..=at));
            }
            for row in dealt {
                folds[row] = next % self.folds;
                next += 1;
            }
        }
        Ok(folds)
    }

    /// The probability of its own class for each row, by a model that did not see it.
    fn probabilities(
        &self,
        train: &Train,
        base: Option<&Base<'_>>,
        context: &mut StageContext<'_>,
    ) -> StageResult<Vec<f64>> {
        let samples = train.samples();
        let n = samples.n_rows();
        if self.classifier == Classifier::Neighbours {
            let metric = metric(samples, context)?;
            let k = among_rows(self.k, n, context)?;
            let near = lists(train, metric, k, context)?;
            let own = |row: usize| {
                let class = samples.y().class(row);
                let same = near
                    .of(row)
                    .iter()
                    .filter(|&&o| samples.y().class(o) == class);
                same.count() as f64 / k as f64
            };
            return Ok((0..n).map(own).collect());
        }
        if let Some((row, column)) = samples.x().first_non_finite() {
            return Err(StageError::Failed(format!(
                "the value in row {row}, column {column} is not finite; impute or drop it first"
            )));
        }
        let folds = self.deal(train, context)?;
        let mut probabilities = vec![0.0; n];
        for fold in 0..self.folds {
            context.deadline.check()?;
            let (held, seen): (Vec<usize>, Vec<usize>) =
                (0..n).partition(|&row| folds[row] == fold);
            if held.is_empty() || seen.is_empty() {
                continue;
            }
            if self.classifier == Classifier::NaiveBayes {
                let model = NaiveBayes::fit(samples, &seen)?;
                for row in held {
                    probabilities[row] = model.own(samples, row)?;
                }
                continue;
            }
            let base = base.ok_or_else(|| {
                StageError::Failed("instance-hardness was given no forest to ask".into())
            })?;
            let seen = train.derive(|samples| Ok::<_, StageError>(samples.select(&seen)))?;
            let scores = plain_scores(&seen, base, &samples.select(&held), context)?;
            for (at, row) in held.into_iter().enumerate() {
                probabilities[row] = scores.log().at(at, samples.y().class(row)).exp();
            }
        }
        Ok(probabilities)
    }
}

/// Scores of `rows` by the base, fitted to `seen` by plain cross-entropy.
fn plain_scores(
    seen: &Train,
    base: &Base<'_>,
    rows: &Samples,
    context: &mut StageContext<'_>,
) -> StageResult<Scores> {
    let counts = seen.counts();
    let even = vec![1.0; counts.n_classes()];
    let terms = offset_terms(&counts, &even, &vec![0.0; counts.n_classes()])?;
    let stream = Stream::from_seed(context.stream.random());
    let shared = Shared::default();
    let mut own = StageContext::new(stream, context.small_class, context.deadline, &shared);
    let fitted = base.fit(base.learner, seen, &terms, &mut own)?;
    fitted.scores((base.encode)(rows)?.x())
}

impl Resampler for InstanceHardness {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        self.easiest(train, None, context)
    }

    fn asks_for(&self) -> Option<&'static str> {
        (self.classifier == Classifier::Forest).then_some("random-forest")
    }

    fn resample_by(
        &self,
        base: &Base<'_>,
        train: &Train,
        context: &mut StageContext<'_>,
    ) -> StageResult<Train> {
        self.easiest(train, Some(base), context)
    }
}

impl InstanceHardness {
    /// The rows with the highest probabilities of their own class.
    fn easiest(
        &self,
        train: &Train,
        base: Option<&Base<'_>>,
        context: &mut StageContext<'_>,
    ) -> StageResult<Train> {
        let samples = train.samples();
        let counts = train.counts();
        let targets = self.strategy.targets(samples.y().names(), &counts)?;
        let probabilities = self.probabilities(train, base, context)?;
        let mut kept = Vec::new();
        for (class, (&target, &have)) in targets.iter().zip(counts.as_slice()).enumerate() {
            let rows = Pool::Class(class).rows(samples);
            if target == have {
                kept.extend(rows);
                continue;
            }
            let own: Vec<f64> = rows.iter().map(|&row| probabilities[row]).collect();
            let threshold = quantile(&own, 1.0 - target as f64 / have as f64);
            let stays = rows.iter().zip(&own).filter(|(_, own)| **own >= threshold);
            kept.extend(stays.map(|(&row, _)| row));
        }
        subset(train, kept, context)
    }
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<InstanceHardness>(
    "instance-hardness",
    "keeps the rows of larger classes that a cross-validated classifier finds easy",
    "Smith et al. 2014",
    ResamplerCaps {
        rounded: true,
        footprint: |params, size| {
            let room = Room::under(params, size);
            let search = match params.text("classifier") {
                "k-nearest-neighbours" => room.search(),
                _ => 0.0,
            };
            room.result() + 12.0 * room.n + search
        },
        ..ResamplerCaps::SHRINKS
    },
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, train};
    use counterweight_core::{Catalogue, Matrix};

    #[test]
    fn a_forest_is_handed_in_and_keeps_what_it_finds_easy() {
        // Of the larger class every tenth row lies within the smaller one.
        let x = Matrix::from_fn(120, 1, |i, _| {
            let inside = i >= 100 || i % 10 == 0;
            if inside {
                50.0 + (i % 7) as f64
            } else {
                (i % 13) as f64
            }
        });
        let classes: Vec<usize> = (0..120).map(|i| usize::from(i >= 100)).collect();
        let set = train(x, &[None], &classes, 2);
        let catalogue = Catalogue {
            resamplers: crate::resample::ALL,
            ensembles: &[],
            losses: &[],
            decisions: &[],
            learners: counterweight_models::ALL,
            metrics: &[],
            populations: &[],
        };
        let method = InstanceHardness::default().classifier(Classifier::Forest);
        let shared = Shared::default();
        let encode = |samples: &Samples| Ok(samples.clone());
        let after = catalogue
            .resample(&method, &set, &encode, &mut context(1, &shared))
            .unwrap();
        let kept = after.samples();
        let hard =
            (0..kept.n_rows()).filter(|&i| kept.y().class(i) == 0 && kept.x().at(i, 0) > 40.0);
        assert_eq!(hard.count(), 0);
        let alone = method.resample(&set, &mut context(1, &shared));
        assert!(matches!(alone, Err(StageError::Failed(_))));
    }

    #[test]
    fn naive_bayes_gives_the_closed_form() {
        // Means 0 and 2, variances 1, shares 2 to 1: log odds at x are log 2 + 2 - 2 x.
        let x = Matrix::from_vec(7, 1, vec![-1.0, 1.0, -1.0, 1.0, 1.0, 3.0, 0.5]).unwrap();
        let set = train(x, &[None], &[0, 0, 0, 0, 1, 1, 0], 2);
        let model = NaiveBayes::fit(set.samples(), &[0, 1, 2, 3, 4, 5]).unwrap();
        let expected = 1.0 / (1.0 + (-(2.0_f64.ln() + 1.0)).exp());
        assert!((model.own(set.samples(), 6).unwrap() - expected).abs() < 1e-6);
        let x = Matrix::from_vec(4, 1, vec![0.0, 0.0, 1.0, 1.0]).unwrap();
        let set = train(x, &[Some(2)], &[0, 0, 1, 0], 2);
        let model = NaiveBayes::fit(set.samples(), &[0, 1, 2]).unwrap();
        // Shares 2/3 (1 + 0) / (2 + 2) against 1/3 (1 + 1) / (1 + 2).
        let (own, other) = (2.0 / 3.0 / 4.0, 1.0 / 3.0 * 2.0 / 3.0);
        let found = model.own(set.samples(), 3).unwrap();
        assert!((found - own / (own + other)).abs() < 1e-12);
    }
}
