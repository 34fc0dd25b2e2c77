//! Tables that compare corrections: ranks, differences, prices, pairs and what they hang on.

mod pairs;
mod ranks;
mod robustness;
mod summary;

pub(super) use pairs::{omnibus, pairwise};
pub(super) use ranks::{bands, ranks};
pub(super) use robustness::{policies, robustness};
pub(super) use summary::{price, summary};

use crate::analysis::{Target, Verdict};

fn verdict(target: &Target, verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => target.helps(),
        Verdict::Worse => target.harms(),
        Verdict::Equivalent => "within half a point",
        Verdict::Identical => "identical",
        Verdict::Unclear => "not shown to differ",
        Verdict::TooFew => "too few datasets",
    }
}
