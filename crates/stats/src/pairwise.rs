//! All pairs of methods, or all against a control, by Wilcoxon's test with Holm's correction.
//!
//! The pairs are tested over clusters by default: related datasets are averaged first, since the
//! signed-rank test takes its rows for independent. The family that Holm corrects for is what one call
//! tests, k(k-1)/2 pairs or k-1 against the control.
//!
//! Cost: O(k^2) tests.
//!
//! # References
//!
//! A. Benavoli, G. Corani, F. Mangili (2016), Should we really use post-hoc tests based on mean-ranks?,
//! JMLR 17(5), 1-10. S. Garcia and F. Herrera (2008), An extension on "Statistical comparisons of
//! classifiers over multiple data sets" for all pairwise comparisons, JMLR 9, 2677-2694.

use crate::cliques::PairGraph;
use crate::complete_table::{BlockDesign, CompleteTable};
use crate::error::{Result, StatsError, Unit};
use crate::holm::holm;
use crate::params::{Direction, Level};
use crate::wilcoxon::{Alternative, Wilcoxon, WilcoxonOptions, wilcoxon};

/// What a row of the test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Independent {
    /// A cluster, as the mean of its datasets.
    #[default]
    Clusters,
    /// A dataset, whatever its cluster.
    Datasets,
}

/// Parameters of [`pairwise`] and [`against_control`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairwiseOptions {
    /// Family-wise level; default 5 %.
    pub level: Level,
    /// The independent unit; default clusters.
    pub unit: Independent,
    /// The test; default two-sided with zeros dropped and a resolution of 1e-12, because scores are
    /// means whose last bit depends on the order of summation.
    pub test: WilcoxonOptions,
}

impl Default for PairwiseOptions {
    fn default() -> Self {
        let test = WilcoxonOptions {
            resolution: Some(1e-12),
            ..WilcoxonOptions::default()
        };
        Self {
            level: Level::default(),
            unit: Independent::default(),
            test,
        }
    }
}

/// One tested pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index of the first method.
    pub a: usize,
    /// Index of the second method.
    pub b: usize,
    /// Mean of a - b over the units.
    pub mean_difference: f64,
    /// The test of a - b.
    pub test: Wilcoxon,
    /// p value after Holm's correction over the family.
    pub p_adjusted: f64,
    /// Whether the adjusted p value is at or below the level.
    pub differs: bool,
}

/// The tested family.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairwise {
    methods: Vec<String>,
    pairs: Vec<Pair>,
    level: Level,
    n_units: usize,
    direction: Direction,
    alternative: Alternative,
}

impl Pairwise {
    /// The pairs with a < b in lexicographic order, or control first in table order.
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Names in table order.
    pub fn methods(&self) -> &[String] {
        &self.methods
    }

    /// The family-wise level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// How many clusters or datasets each test saw.
    pub fn n_units(&self) -> usize {
        self.n_units
    }

    /// The pair in either order.
    pub fn pair(&self, a: usize, b: usize) -> Option<&Pair> {
        self.pairs
            .iter()
            .find(|pair| (pair.a, pair.b) == (a, b) || (pair.a, pair.b) == (b, a))
    }

    /// The significantly better one of a pair, by the sign of the rank sums; `None` if the pair does
    /// not differ or was not tested.
    pub fn winner(&self, a: usize, b: usize) -> Option<usize> {
        let pair = self.pair(a, b).filter(|pair| pair.differs)?;
        let toward_b = self.direction.cost_sign() * pair.test.rank_biserial() > 0.0;
        Some(if toward_b { pair.b } else { pair.a })
    }

    /// Whether no pair could have differed, whatever the data: the smallest p value that n signs can
    /// give, 2^-n one-sided and twice that two-sided, exceeds the level after Holm's correction.
    pub fn underpowered(&self) -> bool {
        let tails = if self.alternative == Alternative::TwoSided {
            2.0
        } else {
            1.0
        };
        let signs = i32::try_from(self.n_units).unwrap_or(i32::MAX);
        tails * 0.5_f64.powi(signs) * self.pairs.len() as f64 > self.level.alpha()
    }

    /// The graph that joins methods without a significant difference.
    ///
    /// # Errors
    ///
    /// None for a family made by this crate.
    pub fn indistinguishable(&self) -> Result<PairGraph> {
        let mut graph = PairGraph::new(self.methods.len());
        for pair in self.pairs.iter().filter(|pair| !pair.differs) {
            graph.join(pair.a, pair.b)?;
        }
        Ok(graph)
    }

    /// Maximal groups of at least two methods that no test tells apart: the bars of the
    /// critical-difference diagram.
    ///
    /// # Errors
    ///
    /// [`StatsError::TooManyCliques`] beyond 10,000.
    pub fn cliques(&self) -> Result<Vec<Vec<usize>>> {
        let mut cliques = self.indistinguishable()?.maximal_cliques(10_000)?;
        cliques.retain(|clique| clique.len() > 1);
        Ok(cliques)
    }
}

/// Tests all pairs.
///
/// # Errors
///
/// [`StatsError::TooFew`] with fewer than two clusters, and the errors of
/// [`wilcoxon`](crate::wilcoxon()).
pub fn pairwise(design: &BlockDesign, options: PairwiseOptions) -> Result<Pairwise> {
    let k = design.n_methods();
    let pairs = (0..k)
        .flat_map(|a| (a + 1..k).map(move |b| (a, b)))
        .collect();
    family(design, pairs, options)
}

/// Tests every other method against the control.
///
/// # Errors
///
/// As [`pairwise`], and [`StatsError::IndexOutOfRange`] for the control.
pub fn against_control(
    design: &BlockDesign,
    control: usize,
    options: PairwiseOptions,
) -> Result<Pairwise> {
    let len = design.n_methods();
    if control >= len {
        return Err(StatsError::IndexOutOfRange {
            unit: Unit::Methods,
            index: control,
            len,
        });
    }
    let others = (0..len)
        .filter(|&other| other != control)
        .map(|other| (control, other));
    family(design, others.collect(), options)
}

fn family(
    design: &BlockDesign,
    pairs: Vec<(usize, usize)>,
    options: PairwiseOptions,
) -> Result<Pairwise> {
    let collapsed;
    let table: &CompleteTable = match options.unit {
        Independent::Datasets => design.table(),
        Independent::Clusters => {
            collapsed = BlockDesign::try_from(design.table().by_cluster()?)?;
            collapsed.table()
        }
    };
    let columns: Result<Vec<Vec<f64>>> = (0..table.methods().len())
        .map(|method| table.column(method))
        .collect();
    let columns = columns?;
    let mut tested = Vec::with_capacity(pairs.len());
    for (a, b) in pairs {
        let (Some(left), Some(right)) = (columns.get(a), columns.get(b)) else {
            continue;
        };
        let differences: Vec<f64> = left.iter().zip(right).map(|(x, y)| x - y).collect();
        let test = wilcoxon(&differences, options.test)?;
        let mean_difference = differences.iter().sum::<f64>() / differences.len() as f64;
        tested.push(Pair {
            a,
            b,
            mean_difference,
            test,
            p_adjusted: 1.0,
            differs: false,
        });
    }
    let raw: Vec<f64> = tested.iter().map(|pair| pair.test.p_value).collect();
    for (pair, adjusted) in tested.iter_mut().zip(holm(&raw)?) {
        pair.p_adjusted = adjusted;
        pair.differs = adjusted <= options.level.alpha();
    }
    Ok(Pairwise {
        methods: table.methods().to_vec(),
        pairs: tested,
        level: options.level,
        n_units: table.datasets().len(),
        direction: table.direction(),
        alternative: options.test.alternative,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score_table::Dataset;

    fn design(n: usize, related: bool, value: impl Fn(usize, usize) -> f64) -> BlockDesign {
        let datasets = (0..n).map(|i| Dataset {
            name: format!("d{i}"),
            cluster: if related {
                format!("c{}", i / 4)
            } else {
                format!("d{i}")
            },
        });
        let values = (0..n * 3).map(|cell| value(cell / 3, cell % 3)).collect();
        let methods = ["a", "b", "c"].map(str::to_owned).to_vec();
        let table = CompleteTable::new(
            Direction::LowerIsBetter,
            datasets.collect(),
            methods,
            values,
        );
        BlockDesign::try_from(table.unwrap()).unwrap()
    }

    /// c is worse everywhere, a and b take turns.
    fn score(dataset: usize, method: usize) -> f64 {
        let turn = if dataset.is_multiple_of(2) {
            0.01
        } else {
            -0.01
        };
        [0.2, 0.2 + turn, 0.4 + 0.001 * dataset as f64][method]
    }

    #[test]
    fn decisions_winners_and_cliques_agree() {
        let tested = pairwise(&design(12, false, score), PairwiseOptions::default()).unwrap();
        assert_eq!(tested.cliques().unwrap(), [vec![0, 1]]);
        assert_eq!(tested.winner(2, 0), Some(0));
        assert_eq!(tested.winner(0, 1), None);
        assert!(!tested.underpowered());
    }

    #[test]
    fn related_datasets_are_one_witness() {
        let tested = pairwise(&design(12, true, score), PairwiseOptions::default()).unwrap();
        assert_eq!(tested.n_units(), 3);
        assert!(tested.underpowered());
        assert!(tested.pairs().iter().all(|pair| !pair.differs));
        let datasets = PairwiseOptions {
            unit: Independent::Datasets,
            ..PairwiseOptions::default()
        };
        assert_eq!(
            pairwise(&design(12, true, score), datasets)
                .unwrap()
                .n_units(),
            12
        );
    }

    #[test]
    fn a_control_makes_a_smaller_family() {
        let design = design(12, false, score);
        let tested = against_control(&design, 2, PairwiseOptions::default()).unwrap();
        assert_eq!(tested.pairs().len(), 2);
        let all = pairwise(&design, PairwiseOptions::default()).unwrap();
        let (few, many) = (tested.pair(0, 2).unwrap(), all.pair(0, 2).unwrap());
        assert!(few.p_adjusted < many.p_adjusted);
        assert!(against_control(&design, 3, PairwiseOptions::default()).is_err());
    }

    #[test]
    fn one_cluster_is_an_error_value() {
        let design = design(4, true, score);
        let tested = pairwise(&design, PairwiseOptions::default());
        assert!(matches!(tested, Err(StatsError::TooFew { .. })));
    }
}
