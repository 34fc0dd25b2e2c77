//! Minority F1: the harmonic mean of precision and recall of the rarest class.
//!
//! # When it helps, when it hurts
//! What papers on rare events report. It leaves the rows that are rightly called common out, and so changes with
//! the class shares: corrections for balanced error, which buy recall with false alarms, lower it where the class
//! is rare. Values at different shares cannot be compared.
//!
//! # Formula
//! `2 TP / (2 TP + FP + FN)`, of the class with the fewest training rows against all others, each row weighing
//! what brings it to the metric prior.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! scikit-learn's `f1_score` with `pos_label` the rarest class; for more than two classes its entry of
//! `average=None`.
//!
//! # Errors
//! No value when no row is of the class and none is decided so: 0 of 0.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::f_beta;
//! let confusion = Confusion::from_counts(2, &[90, 10, 5, 5])?;
//! assert!((f_beta::of(&confusion, 1, 1.0).unwrap() - 10.0 / 25.0).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! van Rijsbergen, "Information Retrieval", 2nd edition 1979, chapter 7.

use counterweight_core::{MetricCaps, MetricEntry};

use super::f_beta::FBeta;

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "minority_f1",
    "F1 value of the rarest class, at the metric prior",
    "van Rijsbergen 1979",
    MetricCaps::WEIGHTED,
    |_| Ok(Box::new(FBeta { beta: 1.0 })),
);
