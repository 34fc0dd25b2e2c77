//! Ensembles: they own the fit. Each fits the sweep's model several times, on rows of its own choice, and
//! joins the answers to probabilities, so that every decision stage applies to them.
//!
//! All are for any number of classes. Members that are averaged give the average of their
//! probabilities, or the shares of their votes where the base only votes. Boosted ones give
//! logits. The rows of each member come from a stream of its own, in the members' order, so that more
//! members leave the first ones as they are, and methods that do not look at answers draw the same rows
//! for every base. The nominal columns are still codes when rows are drawn or made; the split's encoder
//! works on each member's rows.
//!
//! # Boosting by SAMME
//!
//! Each round fits the base to rows and row weights, asks it about all rows, and weighs up the rows that
//! it got wrong. With e the weighted share of wrong answers, n rows and K classes, the round has the say
//!
//! ```text
//! alpha = rate (log((1 - e + 1/n) / (e + 1/n)) + log(K - 1))
//! ```
//!
//! and the scores are the logits `F_k = sum_m alpha_m [h_m = k]`. That is `AdaBoost` for K = 2, and the
//! forward stagewise fit of the multiclass exponential loss for more; `softmax(F)` is its population
//! optimum, so F is a log-posterior up to a constant under the class shares of the rows.
//!
//! * `1/n` keeps the say of a base without errors finite (Schapire and Singer 1999). Such a base ends
//!   the boosting, for nothing is left to weigh.
//! * A round no better than chance, `e >= 1 - 1/K`, has no say, and the row weights start again from
//!   equal ones (Bauer and Kohavi 1999). If no round has a say, the scores are equal for all classes
//!   and the fit is noted to be degenerate.
//! * A base that can weigh rows ([`Learner::weigh`](counterweight_core::Learner::weigh)) is given the
//!   weights; any other is fitted to as many rows as there are, drawn in proportion to the weights
//!   ("boosting by resampling", Freund and Schapire 1996).
//! * Bases answer by their argmax: probabilities, where they have them, only break ties.
//!
//! J. Zhu, H. Zou, S. Rosset and T. Hastie, "Multi-class `AdaBoost`", Statistics and Its Interface 2, 2009.

use counterweight_core::EnsembleEntry;

pub mod balance_cascade;
pub mod balanced_random_forest;
mod boost;
mod draw;
pub mod easy_ensemble;
mod members;
pub mod over_bagging;
pub mod pt_bagging;
pub mod rusboost;
pub mod self_paced;
pub mod smote_bagging;
pub mod smoteboost;
mod stratified;
pub mod under_bagging;

#[cfg(test)]
mod contract;

/// Every ensemble, sorted by id.
pub const ALL: &[EnsembleEntry] = &[
    balance_cascade::ENTRY,
    balanced_random_forest::ENTRY,
    easy_ensemble::ENTRY,
    over_bagging::ENTRY,
    pt_bagging::ENTRY,
    rusboost::ENTRY,
    self_paced::ENTRY,
    smote_bagging::ENTRY,
    smoteboost::ENTRY,
    under_bagging::ENTRY,
];
