//! The label-distribution-aware margin: a row's own score is lowered by a margin before it is compared,
//! the largest margin for the rarest class.
//!
//! # When it helps, when it hurts
//!
//! The margins balance a generalisation bound for separable rows, where they move the boundary in favour
//! of rare classes by the fourth root of the counts' ratio. It was made for cosine scores, bounded by 1,
//! with a scale of 30; on the linear scores of a converged convex model (scale 1) a largest margin of 0.5
//! is a small shift, far below the log prior, so that it corrects a part of the imbalance only. The paper
//! gets its results together with deferred weights: `deferred` with `first` and `then` of this kind.
//!
//! # Formula
//!
//! `l(y, f) = w_y log(1 + sum_{j != y} exp(s (f_j - f_y + m_y)))`, `m_y = max_m (n_min / n_y)^(1/4)`, the
//! sum over classes with rows; in the kernel's terms `D_j = s` and `A[y][j] = s m_y`. `w_y = 1` for scheme
//! `none`, else as of [`weighted`](super::weighted).
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The default scale is 1, because all learners have linear scores unless asked otherwise; the paper's
//!   30 belongs to a cosine head. On a linear model without penalty s is only a unit.
//! * Decisions use the scores without scale and margin, as in the paper. Probabilities are those of the
//!   scores without the scale too, and have no meaning for s far from 1.
//! * `n_min` is the smallest count among the classes with rows; the others are masked. scikit-learn has no
//!   such loss.
//!
//! # Errors
//!
//! When it is built: as of [`weighted`](super::weighted). For given rows:
//! [`StageError::Failed`](counterweight_core::StageError::Failed) without rows, when explicit weights do
//! not fit the classes, or when s times the margin overflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "ldam").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![1600, 100]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! assert!((terms.margins.at(1, 0) - 0.5).abs() < 1e-12);
//! assert!((terms.margins.at(0, 1) - 0.25).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning imbalanced datasets with
//! label-distribution-aware margin loss", Advances in Neural Information Processing Systems 32, 2019.

use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, Range, RuleCaps, StageResult, parameters,
};

use super::class_weights::Beside;
use super::margin_terms;

parameters! {
    /// The label-distribution-aware margin with checked parameters.
    pub struct Ldam {
        /// margin of the rarest class, in units of the scores
        max_m: f64 = 0.5, in Range::NON_NEGATIVE, probe [0.3], beside [s: f64 = 30.0];
        /// scale of the scores: 1 on linear scores, 30 on cosine scores
        s: f64 = 1.0, in Range::POSITIVE, probe [30.0];
        weights: ..Beside;
    }
}

impl Loss for Ldam {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            margins: self.max_m > 0.0,
            factors: (self.s - 1.0).abs() > 0.0,
            weights: self.weights.0.uneven(),
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let masses = seen.masses();
        let rarest = seen.rarest().map_or(0.0, |class| masses[class]);
        let terms = margin_terms(seen, &self.weights.0.of(seen)?, |y, _| {
            let share = rarest / masses[y];
            self.s * self.max_m * share.powf(0.25)
        })?;
        Ok(LossTerms {
            factors: vec![self.s; seen.n_classes()],
            ..terms
        })
    }
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<Ldam>(
    "ldam",
    "a margin for the row's own class, the fourth root of the rarest count over its own",
    "Cao et al. 2019",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, real, terms, text};
    use counterweight_core::{ParamValue, StageError};

    #[test]
    fn margins_and_scale_follow_the_paper() {
        let given = [("max_m", real(0.4)), ("s", real(30.0))];
        let found = terms(&ENTRY, &given, &[8100, 0, 1600, 100]).unwrap();
        let margins = [(0, 0.4 / 3.0), (2, 0.2), (3, 0.4)];
        for (y, m) in margins {
            for (j, _) in margins {
                let expected = if j == y { 0.0 } else { 30.0 * m };
                assert!((found.margins.at(y, j) - expected).abs() < 1e-12);
            }
        }
        assert!(found.factors.iter().all(|d| (d - 30.0).abs() < 1e-15));
        assert_eq!(found.weights, [1.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn knobs_ask_for_what_they_turn() {
        let needs = |given: &[(&str, ParamValue)]| {
            let needs = built(&ENTRY, given).needs();
            (needs.margins, needs.factors, needs.weights)
        };
        assert_eq!(needs(&[]), (true, false, false));
        assert_eq!(needs(&[("max_m", real(0.0))]), (false, false, false));
        assert_eq!(needs(&[("s", real(30.0))]), (true, true, false));
        assert_eq!(
            needs(&[("scheme", text("effective-number"))]),
            (true, false, true)
        );
    }

    #[test]
    fn a_margin_that_overflows_is_an_error() {
        let given = [("max_m", real(1e200)), ("s", real(1e200))];
        assert!(matches!(
            terms(&ENTRY, &given, &[90, 10]),
            Err(StageError::Failed(_))
        ));
    }
}
