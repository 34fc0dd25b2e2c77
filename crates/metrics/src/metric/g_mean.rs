//! G-mean: the geometric mean of the recalls.
//!
//! # When it helps, when it hurts
//! Like balanced error it ignores the class shares, but it also punishes unequal recalls: 0.9 and
//! 0.1 give 0.3 where their mean is 0.5. One class without a right decision makes it 0 whatever the
//! others do, so with many small classes it is often 0 and tells no method from another.
//!
//! # Formula
//! `(prod_{y in P} r_y)^(1/|P|)`, with r the recalls and P the classes with at least one test row.
//! Computed as the exponential of the mean logarithm, so that hundreds of classes do not underflow;
//! no epsilon stands inside the logarithm, since a recall of 0 gives 0 at once.
//!
//! # Parameters
//! None.
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! imbalanced-learn's `geometric_mean_score` with `average="multiclass"` and `correction=0`; its
//! recalls include classes that are decided but have no test row, as 0.
//!
//! # Errors
//! No value with fewer than two classes among the test rows.
//!
//! # Examples
//! ```
//! use counterweight_core::Confusion;
//! use counterweight_metrics::{g_mean};
//! let confusion = Confusion::from_counts(2, &[90, 10, 9, 1])?;
//! assert!((g_mean::of(&confusion).unwrap() - 0.3).abs() < 1e-15);
//! # Ok::<(), counterweight_core::CoreError>(())
//! ```
//!
//! # References
//! Kubat and Matwin, "Addressing the curse of imbalanced training sets: one-sided selection", ICML
//! 1997. Sun, Kamel and Wang, "Boosting for learning multiple classes with imbalanced class
//! distribution", ICDM 2006 (more than two classes).

use counterweight_core::{Confusion, MetricCaps, MetricEntry};

use crate::inputs::OfConfusion;

/// The geometric mean of the recalls, in [0, 1]; `None` with fewer than two classes among the test
/// rows.
pub fn of(confusion: &Confusion) -> Option<f64> {
    let present = confusion.n_present();
    if present < 2 {
        return None;
    }
    let mut logs = 0.0;
    for recall in confusion.recalls().flatten() {
        if recall <= 0.0 {
            return Some(0.0);
        }
        logs += recall.ln();
    }
    Some((logs / present as f64).exp())
}

pub(crate) const ENTRY: MetricEntry = MetricEntry::plain(
    "g_mean",
    "geometric mean of the recalls",
    "Kubat and Matwin 1997; Sun et al. 2006",
    MetricCaps::DECISIONS,
    |_| {
        Ok(Box::new(
            OfConfusion::of_recalls(of).zero_when_a_class_is_missed(),
        ))
    },
);
