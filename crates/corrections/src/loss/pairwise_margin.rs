//! The pairwise margin: class weights `alpha` and pairwise margins `log(delta_j / delta_y)`, the whole
//! family of losses between weighting and logit adjustment.
//!
//! # When it helps, when it hurts
//!
//! Every positive delta is consistent for balanced error if alpha = delta / pi. `uniform` puts the whole
//! correction into the weights (`weighted`), `prior` into the margins (`logit-adjusted`), and the default
//! between them halves both: less variance than weights, more slope changes than margins. With an alpha
//! of one's own it is any cost-sensitive offset. As with all of them, what a convex model does with a free
//! intercept depends on the weights alone; the margins only move intercepts.
//!
//! # Formula
//!
//! `l(y, f) = alpha_y log(1 + sum_{j != y} (delta_j / delta_y) exp(f_j - f_y))`, the sum over classes with
//! rows. `alpha = "consistent"` is `delta_y / pi_y`, scaled to `sum_y n_y alpha_y = n`; `delta = "prior"`
//! is pi, `"sqrt-prior"` its square root, `"uniform"` 1.
//!
//! # Cost
//!
//! O(K^2) for the terms of K classes.
//!
//! # Differences
//!
//! * The consistent alpha is scaled to a mean of 1 over the rows, so that a penalty keeps its meaning.
//! * Classes without rows are masked. scikit-learn has no such loss.
//!
//! # Errors
//!
//! [`StageError::Failed`] without rows, for another number of
//! numbers than classes, for a prior of 0 on a class that has rows, and where a weight or margin overflows.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{ClassCounts, LossContext, find, params};
//! let entry = find(counterweight_corrections::loss::ALL, "pairwise-margin").expect("it is listed");
//! let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
//! let counts = ClassCounts::new(vec![80, 20]);
//! let context = LossContext { seen: &counts, train: &counts };
//! let terms = (entry.build)(&params)?.terms(&context)?;
//! // Half of the odds 4 in the margin, half in the weights.
//! assert!((terms.margins.at(1, 0) - 2.0_f64.ln()).abs() < 1e-12);
//! assert!((terms.weights[1] / terms.weights[0] - 2.0).abs() < 1e-12);
//! let own = terms.scores_prior(&counts).expect("a cross-entropy");
//! assert!((own.as_slice()[1] - 0.5).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail learning via logit
//! adjustment", ICLR 2021, equation 11 and theorem 1.

use counterweight_core::params::PerClass;
use counterweight_core::{
    Loss, LossContext, LossEntry, LossNeeds, LossTerms, RuleCaps, StageError, StageResult,
    parameters,
};

use super::{log_prior, offset_terms, scaled};
use crate::prior::PriorSource;

parameters! {
    /// The pairwise margin with checked parameters.
    pub struct PairwiseMargin {
        /// weight of a row of each class; `consistent` is delta over the prior, scaled to mean 1
        alpha: PerClass = "consistent", among &["consistent", "one"], probe ["one"];
        /// the margin between classes y and j is log(delta_j / delta_y)
        delta: PerClass = "sqrt-prior", among &["sqrt-prior", "prior", "uniform"], probe ["prior", "uniform"];
        /// the prior that the words of `alpha` and `delta` mean
        prior: PriorSource = "effective", probe ["train", "uniform"];
    }
}

impl Loss for PairwiseMargin {
    fn needs(&self) -> LossNeeds {
        LossNeeds {
            weights: !self.alpha.is("one"),
            margins: !self.delta.is("uniform"),
            ..LossNeeds::default()
        }
    }

    fn terms(&self, context: &LossContext<'_>) -> StageResult<LossTerms> {
        let seen = context.seen;
        let logs = log_prior(&self.prior.for_loss(context)?, seen, 0.0)?;
        let offsets: Vec<f64> = match &self.delta {
            PerClass::Word(word) => {
                let power = match word.as_str() {
                    "prior" => 1.0,
                    "uniform" => 0.0,
                    _ => 0.5,
                };
                logs.iter().map(|log| power * log).collect()
            }
            PerClass::Numbers(delta) => fitting(delta, "delta", seen.n_classes())?
                .iter()
                .map(|d| d.ln())
                .collect(),
        };
        let weights = match &self.alpha {
            alpha if alpha.is("one") => vec![1.0; seen.n_classes()],
            PerClass::Word(_) => {
                let ratios: Vec<f64> = offsets.iter().zip(&logs).map(|(d, p)| d - p).collect();
                scaled(seen, &ratios)
            }
            PerClass::Numbers(alpha) => fitting(alpha, "alpha", seen.n_classes())?.to_vec(),
        };
        offset_terms(seen, &weights, &offsets)
    }
}

fn fitting<'a>(given: &'a [f64], what: &str, n_classes: usize) -> StageResult<&'a [f64]> {
    if given.len() == n_classes {
        return Ok(given);
    }
    Err(StageError::Failed(format!(
        "`{what}` has {} numbers for {n_classes} classes; give one a class, in class order",
        given.len()
    )))
}

/// The registry entry.
pub(crate) const ENTRY: LossEntry = LossEntry::of::<PairwiseMargin>(
    "pairwise-margin",
    "class weights alpha and margins log(delta_j / delta_y): between weighting and adjustment",
    "Menon et al. 2021, eq. 11",
    RuleCaps::MARGIN,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{built, flag, list, real, terms, text};
    use counterweight_core::ClassCounts;

    fn close(a: &LossTerms, b: &LossTerms) {
        for (a, b) in a.margins.as_slice().iter().zip(b.margins.as_slice()) {
            assert!(a.to_bits() == b.to_bits() || (a - b).abs() < 1e-12);
        }
        for (a, b) in a.weights.iter().zip(&b.weights) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b), "{a} {b}");
        }
    }

    #[test]
    fn its_ends_are_weighting_and_adjustment() {
        let counts = ClassCounts::new(vec![700, 0, 250, 50]);
        let context = LossContext {
            seen: &counts,
            train: &counts,
        };
        let found = terms(&ENTRY, &[("delta", text("uniform"))], counts.as_slice()).unwrap();
        let weighted = built(&super::super::weighted::ENTRY, &[]);
        close(&found, &weighted.terms(&context).unwrap());
        let found = terms(&ENTRY, &[("delta", text("prior"))], counts.as_slice()).unwrap();
        let adjusted = super::super::logit_adjusted::ENTRY;
        close(&found, &built(&adjusted, &[]).terms(&context).unwrap());
        let half = built(&adjusted, &[("tau", real(0.5)), ("consistent", flag(true))]);
        let found = terms(&ENTRY, &[], counts.as_slice()).unwrap();
        close(&found, &half.terms(&context).unwrap());
        let plain = [("alpha", text("one")), ("delta", text("uniform"))];
        assert_eq!(built(&ENTRY, &plain).needs(), LossNeeds::NONE);
    }

    #[test]
    fn any_delta_is_consistent_with_its_alpha() {
        let counts = ClassCounts::new(vec![90, 9, 1]);
        for delta in [[1.0, 1.0, 1.0], [5.0, 0.1, 2.0], [1e-9, 1.0, 1e9]] {
            let found = terms(&ENTRY, &[("delta", list(&delta))], counts.as_slice()).unwrap();
            let own = found.scores_prior(&counts).unwrap();
            for p in own.as_slice() {
                assert!((p - 1.0 / 3.0).abs() < 1e-12, "{delta:?}");
            }
        }
        // An alpha of one's own is taken as it is.
        let given = [("alpha", list(&[1.0, 2.0, 30.0]))];
        let found = terms(&ENTRY, &given, counts.as_slice()).unwrap();
        assert_eq!(found.weights, [1.0, 2.0, 30.0]);
        assert!(terms(&ENTRY, &[("alpha", list(&[1.0, 2.0]))], counts.as_slice()).is_err());
        assert!(terms(&ENTRY, &[("delta", list(&[1.0, 2.0]))], counts.as_slice()).is_err());
    }
}
