//! Medium-shot recall: the mean recall of the classes with at least `few` and fewer than `many`
//! training rows.
//!
//! # When it helps, when it hurts
//! The middle of a long tail, where corrections can still rely on the rows that there are. On most
//! data of two classes it is empty.
//!
//! # Formula
//! `(1/|B|) sum_{y in B} C_yy / sum_j C_yj`, with C the counts (truth by decision) and B the
//! classes with test rows and `few <= n_y < many`, `n_y` the training rows before resampling.
//! Unweighted.
//!
//! # Parameters
//! | name | default | range | unit |
//! |---|---|---|---|
//! | `few` | 20 | at least 1, below `many` | training rows |
//! | `many` | 100 | at least 1 | training rows |
//!
//! # Cost
//! O(n + K^2) for n test rows and K classes.
//!
//! # Differences
//! Liu et al. call more than 100 rows many and 20 to 100 medium; here 100 is many, so that the
//! bands read "from ... on". They have test rows of every class; here classes without are left out.
//!
//! # Errors
//! No value without test rows, or when no class among them has so many training rows.
//!
//! # Examples
//! ```
//! use counterweight_core::ClassCounts;
//! use counterweight_metrics::Band;
//! use counterweight_core::Confusion;
//! let confusion = Confusion::from_counts(3, &[9, 1, 0, 5, 5, 0, 9, 0, 1])?;
//! let train = ClassCounts::new(vec![100, 20, 19]);
//! assert_eq!(Band::medium(20, 100)?.recall(&confusion, &train), Some(0.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//! Liu, Miao, Zhan, Wang, Gong and Yu, "Large-scale long-tailed recognition in an open world", CVPR
//! 2019.

use counterweight_core::{Card, MetricCaps, MetricEntry};

use crate::bands::{Band, FEW, MANY};

pub(crate) const ENTRY: MetricEntry = MetricEntry {
    card: Card {
        id: "medium_recall",
        summary: "mean recall of the classes with neither many nor few training rows",
        reference: "Liu et al. 2019",
        params: &[FEW, MANY],
    },
    caps: MetricCaps::DECISIONS,
    build: |params| Ok(Box::new(Band::medium_of(params)?)),
};
