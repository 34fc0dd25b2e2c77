//! The gate: has a ranking of methods regressed against a committed baseline?
//!
//! [`judge`] compares the records of a sweep with a [`Baseline`] under a [`GateConfig`], in three
//! steps:
//!
//! 1. Every cell has its value of the baseline: the comparison passes at once.
//! 2. Otherwise each method (a correction on a model) is compared over datasets. It has *regressed*
//!    when its balanced error rose by more than `tolerance` in the mean over datasets and the
//!    signed-rank test over clusters of related datasets, Holm-adjusted over all methods that moved,
//!    gives p below `alpha`; *improved* likewise. Pairs of methods that the tests tell apart in both
//!    rankings, each time the other way round, have *flipped*.
//! 3. What is left has *moved within tolerance*, or is *unclear*: it moved by more than the
//!    tolerance, on too few datasets to be sure.
//!
//! Cells are paired by what they are (dataset, ratio, repeat, fold, model, correction), because ids
//! change with the seed. On the splits of the baseline a difference is the doing of the program, so it
//! is taken as it is, and one without any variance is decided by its size. On other seeds each dataset
//! is harder or easier by luck, for all methods alike: the median shift of a model's corrections is
//! taken off each of them, and is tested itself as the *common shift*.
//!
//! Claims of the configuration are tests of their own ([`claims`]). A comparison that cannot be made
//! is never called a regression and never a pass ([`Verdict`]).
//!
//! | module | holds |
//! |---|---|
//! | [`baseline`] | format 1 of baseline.csv |
//! | [`config`] | gate.toml |
//! | [`judge`], `arms`, `ranks`, [`claims`] | the comparison |
//! | [`output`] | text, JSON, JUnit, annotations and summaries of GitHub, RANKING.md, the figure |

mod arms;
pub mod baseline;
mod cells;
pub mod claims;
pub mod config;
mod error;
pub mod output;
mod ranks;
mod result;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod units;
mod verdict;

pub use baseline::{Baseline, BaselineError};
pub use config::GateConfig;
pub use error::{GateError, Result};
pub use ranks::{Flip, Groups, ModelRanks, RankRow};
pub use result::{
    Arm, ArmStatus, CommonShift, DatasetShift, Finding, Gate, GateInput, Ignored, Lost, Mover,
    Place, Planned, Verdict,
};
pub use verdict::judge;

/// Values that agree to this are the same value: between processors the last bits of a number may
/// differ, and no balanced error of a real test set moves by so little.
pub const SAME: f64 = 1e-9;
