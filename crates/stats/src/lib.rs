//! Rank statistics, tests and intervals over a long table of results.
//!
//! The crate takes numbers (dataset, cluster, method, value, with repeats and folds where they
//! matter) and knows nothing of models. The way through it:
//!
//! 1. [`LongTable`] checks rows; [`LongTable::scores`] averages folds into a [`ScoreTable`].
//! 2. [`group_duplicates`] finds methods that are one method under two names.
//! 3. [`CompleteTable`] has ranks and differences, [`BlockDesign`] (two datasets and two methods at
//!    least) has tests.
//!
//! | question | function |
//! |---|---|
//! | who ranks where | [`mean_ranks`] |
//! | is there any difference | [`friedman`](friedman()), [`iman_davenport`](iman_davenport()), [`skillings_mack`](skillings_mack()) |
//! | strength by wins alone | [`bradley_terry`](bradley_terry()), [`elo`] |
//! | which pairs differ | [`pairwise`](pairwise()), [`against_control`], [`comparison_matrix`](comparison_matrix()), [`Pairwise::cliques`] |
//! | mean-rank diagrams | [`nemenyi_cd`], [`bonferroni_dunn_cd`] |
//! | how large, how sure | [`interval_of_mean`], [`MeanPosterior`], [`bootstrap_mean`], [`bayesian_signed_rank`](bayesian_signed_rank()) |
//! | the best of many | [`first_place`], [`honest_gain`] |
//! | could it have been seen | [`minimum_detectable_effect`], [`Pairwise::underpowered`] |
//! | on one dataset | [`corrected_t`](corrected_t()) |
//! | from which imbalance on | [`onset`](onset()) |
//!
//! The independent unit is the dataset, or the cluster of related datasets; never the fold.
//!
//! Results are deterministic: tables built from rows are sorted, sums run in a fixed order,
//! randomness comes from a [`Seed`], there is no hash map and no thread. Nothing panics on data and no
//! result is NaN: what has no value is a [`StatsError`].

mod bayesian_signed_rank;
mod bca;
mod bonferroni_dunn;
mod bootstrap;
mod bradley_terry;
mod choice;
mod cliques;
mod comparison_matrix;
mod complete_table;
mod corrected_t;
mod detectable_effect;
mod duplicates;
mod error;
mod friedman;
mod holm;
mod iman_davenport;
mod long;
mod mean;
mod nemenyi;
mod onset;
mod paired;
mod pairwise;
mod params;
mod quadrature;
mod rank_correlation;
mod ranks;
mod score_table;
mod signed_rank_null;
mod skillings_mack;
mod special;
mod studentized_range;
mod wilcoxon;

pub use bayesian_signed_rank::{BayesianOptions, BayesianSignedRank, bayesian_signed_rank};
pub use bca::bootstrap_statistic;
pub use bonferroni_dunn::bonferroni_dunn_cd;
pub use bootstrap::{BootstrapOptions, Interval, IntervalMethod, bootstrap_mean};
pub use bradley_terry::{bradley_terry, elo};
pub use choice::{FirstPlace, HonestGain, cluster_copies, first_place, honest_gain};
pub use cliques::PairGraph;
pub use comparison_matrix::{ComparisonMatrix, MatrixCell, comparison_matrix};
pub use complete_table::{BlockDesign, CompleteTable};
pub use corrected_t::{CorrectedT, TestShare, corrected_t};
pub use detectable_effect::{
    DetectableEffect, PlannedTest, PowerOptions, minimum_detectable_effect, power,
};
pub use duplicates::{MethodGroup, MethodGroups, group_duplicates};
pub use error::{Result, StatsError, Unit};
pub use friedman::{Friedman, TieCorrection, friedman};
pub use holm::holm;
pub use iman_davenport::{ImanDavenport, iman_davenport};
pub use long::{LongTable, Observation, PartialCells};
pub use mean::{
    FEWEST_UNITS, MeanPosterior, MeanTier, interval_of_mean, student_interval, student_quantile,
};
pub use nemenyi::{nemenyi_cd, nemenyi_p};
pub use onset::{Onset, OnsetVerdict, onset};
pub use paired::PairedDifferences;
pub use pairwise::{Independent, Pair, Pairwise, PairwiseOptions, against_control, pairwise};
pub use params::{Direction, Level, Seed};
pub use rank_correlation::kendall_tau_b;
pub use ranks::{Midranks, RankTable, Ranking, mean_ranks, midranks};
pub use score_table::{Dataset, ScoreTable};
pub use skillings_mack::{SkillingsMack, skillings_mack};
pub use studentized_range::{studentized_range_quantile, studentized_range_sf};
pub use wilcoxon::{
    Alternative, Wilcoxon, WilcoxonMethod, WilcoxonOptions, ZeroTreatment, wilcoxon,
};
