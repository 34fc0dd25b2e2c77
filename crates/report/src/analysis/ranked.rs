//! How the corrections of a model stand on one point: best, not significantly worse, or worse.
//!
//! The test is Nadeau and Bengio's corrected t over the folds of the point, each correction against
//! the one with the best mean, with Holm's correction over the distinct corrections of the row. It speaks
//! about this dataset alone.

use counterweight_stats::{Level, StatsError, TestShare, corrected_t, holm};

use super::compare::RESOLUTION;
use super::{Data, Point};
use crate::error::{ReportError, Result};

/// A correction's standing on a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The best mean, or equal to it.
    Best,
    /// The test does not tell it from the best.
    NotShown,
    /// Significantly worse, or worse by the same amount on every fold.
    Worse,
    /// Worse on a single draw, on which nothing can be tested.
    Untested,
}

/// Test rows over training rows of a point's folds. Populations draw new rows every time, so that their values are
/// independent; the share type has no zero, and this one is too small to matter.
pub(super) fn test_share(point: &Point, synthetic: bool) -> counterweight_stats::Result<TestShare> {
    if synthetic {
        return TestShare::from_counts(1, usize::MAX);
    }
    let rows = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).max(1);
    TestShare::from_counts(rows(point.n_test), rows(point.n_train))
}

impl Data {
    /// The standing of `corrections` on a point, one each; `None` without a value.
    ///
    /// # Errors
    /// [`ReportError::Stats`] for a value that is not finite.
    pub fn standings(
        &self,
        model: usize,
        point: usize,
        corrections: &[usize],
    ) -> Result<Vec<Option<Standing>>> {
        let value = |correction: usize| self.cube.value(model, point, correction);
        let best = corrections
            .iter()
            .filter_map(|&c| Some((self.target.cost(value(c)?), c)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let (Some((least, best)), Some(place)) = (best, self.points.get(point)) else {
            return Ok(vec![None; corrections.len()]);
        };
        let synthetic = self
            .datasets
            .get(place.dataset)
            .is_some_and(|dataset| dataset.synthetic);
        let error = |source| ReportError::Stats {
            what: format!(
                "model `{}` on `{}`",
                self.model(model),
                self.dataset(place.dataset)
            ),
            source,
        };
        let share = test_share(place, synthetic).map_err(error)?;
        let mut standings = Vec::with_capacity(corrections.len());
        let mut tested = Vec::new();
        for (index, &correction) in corrections.iter().enumerate() {
            let Some(own) = value(correction) else {
                standings.push(None);
                continue;
            };
            standings.push(Some(Standing::Untested));
            if self.target.cost(own) - least <= RESOLUTION {
                standings[index] = Some(Standing::Best);
                continue;
            }
            let folds = |c: usize| self.cube.get(model, point, c).map(|summary| &summary.folds);
            let (Some(ours), Some(theirs)) = (folds(correction), folds(best)) else {
                continue;
            };
            // Both are complete, so both have the planned folds in the same order.
            let differences: Vec<f64> = ours
                .iter()
                .zip(theirs)
                .map(|(a, b)| a.value - b.value)
                .collect();
            match corrected_t(&differences, share, Level::FIVE_PERCENT) {
                Ok(test) => {
                    standings[index] = Some(Standing::NotShown);
                    tested.push((index, test.p_value, differences));
                }
                // No variance: the difference is what it is.
                Err(StatsError::Undefined { .. }) => standings[index] = Some(Standing::Worse),
                Err(StatsError::TooFew { .. }) => {}
                Err(source) => return Err(error(source)),
            }
        }
        // Two names of one rule are one question.
        let alike =
            |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= RESOLUTION);
        let mut heads: Vec<(f64, &[f64])> = Vec::new();
        for (_, p, differences) in &tested {
            if !heads.iter().any(|(_, head)| alike(head, differences)) {
                heads.push((*p, differences));
            }
        }
        let raw: Vec<f64> = heads.iter().map(|(p, _)| *p).collect();
        let adjusted = holm(&raw).map_err(error)?;
        for (index, _, differences) in &tested {
            let head = heads.iter().position(|(_, head)| alike(head, differences));
            let adjusted = head.and_then(|head| adjusted.get(head));
            if adjusted.is_some_and(|p| *p <= Level::FIVE_PERCENT.alpha()) {
                standings[*index] = Some(Standing::Worse);
            }
        }
        Ok(standings)
    }
}
