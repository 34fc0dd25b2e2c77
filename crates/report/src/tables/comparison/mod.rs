//! Tables that compare corrections: ranks, differences, prices, pairs and what they hang on.

mod pairs;
mod ranks;
mod robustness;
mod summary;

pub(super) use pairs::{omnibus, pairwise};
pub(super) use ranks::{bands, ranks};
pub(super) use robustness::{policies, robustness};
pub(super) use summary::{price, summary};
