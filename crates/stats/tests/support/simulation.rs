//! Simulated comparisons: how often tests reject a true null and intervals hold the truth.
//!
//! The test suite runs a few trials of it, `examples/null_simulation.rs` runs 2,000.

use counterweight_stats::{
    BlockDesign, BootstrapOptions, CompleteTable, Dataset, Direction, IntervalMethod, Level,
    PairedDifferences, PairwiseOptions, Result, Seed, TestShare, TieCorrection, bonferroni_dunn_cd,
    bootstrap_mean, corrected_t, friedman, iman_davenport, nemenyi_cd, pairwise,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

/// A share of trials next to what it should be.
#[derive(Debug)]
pub(crate) struct Rate {
    /// What was simulated.
    pub(crate) name: &'static str,
    /// Trials in which the event happened.
    pub(crate) hits: usize,
    /// Trials.
    pub(crate) trials: usize,
    /// Smallest and largest allowed share, before Monte Carlo error.
    pub(crate) allowed: (f64, f64),
}

impl Rate {
    fn new(name: &'static str, allowed: (f64, f64)) -> Self {
        Self {
            name,
            hits: 0,
            trials: 0,
            allowed,
        }
    }

    fn count(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.trials += 1;
    }

    /// The share of hits.
    pub(crate) fn share(&self) -> f64 {
        self.hits as f64 / self.trials as f64
    }

    /// Whether the share is allowed, up to `errors` standard errors of the bound.
    pub(crate) fn holds(&self, errors: f64) -> bool {
        let slack = |p: f64| errors * (p * (1.0 - p) / self.trials as f64).sqrt();
        let (low, high) = self.allowed;
        self.share() >= low - slack(low) && self.share() <= high + slack(high)
    }
}

/// The shape of a dataset's noise.
#[derive(Debug, Clone, Copy)]
enum Noise {
    Normal,
    /// Values on a coarse grid: many ties and zero differences.
    Coarse,
    /// Student with 3 degrees of freedom.
    HeavyTails,
}

const LEVEL: Level = Level::FIVE_PERCENT;
const DATASETS: usize = 30;

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn draw(noise: Noise, rng: &mut ChaCha8Rng) -> f64 {
    match noise {
        Noise::Normal => normal(rng),
        Noise::Coarse => normal(rng).round(),
        Noise::HeavyTails => {
            let chi2: f64 = (0..3).map(|_| normal(rng).powi(2)).sum();
            normal(rng) / (chi2 / 3.0).sqrt()
        }
    }
}

/// Exchangeable methods: a dataset's difficulty plus independent noise.
fn null_design(methods: usize, noise: Noise, rng: &mut ChaCha8Rng) -> Result<BlockDesign> {
    let mut values = Vec::with_capacity(DATASETS * methods);
    for _ in 0..DATASETS {
        let difficulty = 3.0 * normal(rng).round();
        values.extend((0..methods).map(|_| difficulty + draw(noise, rng)));
    }
    let datasets = (0..DATASETS)
        .map(|i| Dataset::independent(format!("d{i}")))
        .collect();
    let methods = (0..methods).map(|i| format!("m{i}")).collect();
    let table = CompleteTable::new(Direction::LowerIsBetter, datasets, methods, values)?;
    BlockDesign::try_from(table)
}

/// Type I errors at 5 % under exchangeable methods on 30 datasets.
///
/// # Errors
///
/// None: every design is complete and varies.
pub(crate) fn type_one_errors(trials: usize, seed: u64) -> Result<Vec<Rate>> {
    let at_most = (0.0, LEVEL.alpha());
    let mut rates = Vec::new();
    let kinds = [
        (
            Noise::Normal,
            5,
            [
                "Friedman",
                "Iman-Davenport",
                "Nemenyi",
                "Bonferroni-Dunn",
                "Wilcoxon and Holm",
            ],
        ),
        (
            Noise::Coarse,
            5,
            [
                "Friedman, ties",
                "Iman-Davenport, ties",
                "Nemenyi, ties",
                "Bonferroni-Dunn, ties",
                "Wilcoxon and Holm, ties",
            ],
        ),
        (
            Noise::HeavyTails,
            12,
            [
                "Friedman, 12 methods",
                "Iman-Davenport, 12 methods",
                "Nemenyi, 12 methods",
                "Bonferroni-Dunn, 12 methods",
                "Wilcoxon and Holm, 12 methods",
            ],
        ),
    ];
    for (noise, methods, names) in kinds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut group = names.map(|name| Rate::new(name, at_most));
        let nemenyi = nemenyi_cd(methods, DATASETS, LEVEL)?;
        let dunn = bonferroni_dunn_cd(methods, DATASETS, LEVEL)?;
        for _ in 0..trials {
            let design = null_design(methods, noise, &mut rng)?;
            let test = friedman(&design, TieCorrection::Corrected)?;
            let ranks = &test.mean_ranks;
            let low = ranks.iter().copied().fold(f64::INFINITY, f64::min);
            let high = ranks.iter().copied().fold(0.0, f64::max);
            let from_first = ranks
                .iter()
                .map(|rank| (rank - ranks[0]).abs())
                .fold(0.0, f64::max);
            let tested = pairwise(&design, PairwiseOptions::default())?;
            let rejected = [
                test.p_value <= LEVEL.alpha(),
                iman_davenport(&test).p_value <= LEVEL.alpha(),
                high - low >= nemenyi,
                from_first >= dunn,
                tested.pairs().iter().any(|pair| pair.differs),
            ];
            for (rate, hit) in group.iter_mut().zip(rejected) {
                rate.count(hit);
            }
        }
        rates.extend(group);
    }
    rates.push(corrected_t_under_the_null(trials, seed)?);
    Ok(rates)
}

/// Ten times ten-fold cross-validation of two methods whose rows' losses are exchangeable: fold
/// differences are means over the same 200 rows, dealt anew in every repeat.
fn corrected_t_under_the_null(trials: usize, seed: u64) -> Result<Rate> {
    let mut rate = Rate::new("Nadeau-Bengio", (0.0, LEVEL.alpha()));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..trials {
        let mut rows: Vec<f64> = (0..200).map(|_| normal(&mut rng)).collect();
        let mut differences = Vec::new();
        for _ in 0..10 {
            for last in (1..rows.len()).rev() {
                rows.swap(last, rng.random_range(0..=last));
            }
            for fold in rows.chunks(20) {
                differences.push(fold.iter().sum::<f64>() / 20.0);
            }
        }
        let test = corrected_t(&differences, TestShare::from_folds(10)?, LEVEL)?;
        rate.count(test.p_value <= LEVEL.alpha());
    }
    Ok(rate)
}

/// Coverage of 95 % intervals at 30 datasets.
///
/// # Errors
///
/// None: all samples vary.
pub(crate) fn coverage(trials: usize, draws: usize, seed: u64) -> Result<Vec<Rate>> {
    let covers = (0.93, 0.97);
    let mut studentised = [
        Rate::new("studentised, normal", covers),
        Rate::new("studentised, skewed", covers),
        // Hardly a variance: 92.7 % in 20,000 trials (see bootstrap.rs for the alternative).
        Rate::new("studentised, heavy tails", (0.92, 0.97)),
        Rate::new("studentised, 30 in 20 clusters", covers),
        Rate::new("studentised, half zeros", covers),
    ];
    let mut bca = Rate::new("BCa, normal", covers);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for trial in 0..trials {
        let options = |method| BootstrapOptions {
            draws,
            seed: Seed(trial as u64),
            method,
            ..BootstrapOptions::default()
        };
        let normals: Vec<f64> = (0..DATASETS).map(|_| 0.3 + normal(&mut rng)).collect();
        // Gamma with shape 2, the skewness of gains that cannot be far below zero.
        let skewed = (0..DATASETS)
            .map(|_| {
                let (a, b): (f64, f64) = (Exp1.sample(&mut rng), Exp1.sample(&mut rng));
                a + b
            })
            .collect();
        let heavy = (0..DATASETS)
            .map(|_| draw(Noise::HeavyTails, &mut rng))
            .collect();
        let mut related = Vec::new();
        let mut clusters = Vec::new();
        for cluster in 0..20 {
            let shared = normal(&mut rng);
            for _ in 0..=cluster % 2 {
                related.push(shared + 0.3 * normal(&mut rng));
                clusters.push(cluster);
            }
        }
        let zeros = (0..DATASETS)
            .map(|_| {
                if rng.random_bool(0.5) {
                    0.0
                } else {
                    1.0 + normal(&mut rng)
                }
            })
            .collect();
        let samples = [
            (PairedDifferences::independent(normals.clone())?, 0.3),
            (PairedDifferences::independent(skewed)?, 2.0),
            (PairedDifferences::independent(heavy)?, 0.0),
            (PairedDifferences::new(related, &clusters)?, 0.0),
            (PairedDifferences::independent(zeros)?, 0.5),
        ];
        for ((sample, truth), rate) in samples.iter().zip(&mut studentised) {
            let found = bootstrap_mean(sample, options(IntervalMethod::Studentised))?;
            rate.count(found.contains(*truth));
        }
        let normals = PairedDifferences::independent(normals)?;
        bca.count(bootstrap_mean(&normals, options(IntervalMethod::Bca))?.contains(0.3));
    }
    let mut rates = Vec::from(studentised);
    rates.push(bca);
    Ok(rates)
}
