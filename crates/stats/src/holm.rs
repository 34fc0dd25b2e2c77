//! Holm's step-down correction for several tests.
//!
//! With p(1) <= ... <= p(m) the adjusted values are
//!
//! ```text
//! adj(i) = max over j <= i of min(1, (m - j + 1) p(j))
//! ```
//!
//! so that rejecting where adj <= alpha stops at the first p(i) > alpha / (m - i + 1) and rejects
//! nothing after it. (Comparing every p(i) with its own alpha / (m - i + 1), without the stop, is the
//! frequent mistake; it does not control the family-wise error.) Holds under any dependence.
//!
//! # References
//!
//! S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of
//! Statistics 6, 65-70.

use crate::error::{Result, StatsError};

/// Holm's adjusted p values, in the order of the input. O(m log m); an empty slice gives an empty
/// vector.
///
/// # Errors
///
/// [`StatsError::OutOfRange`] for a value outside [0, 1] or NaN.
///
/// # Examples
///
/// ```
/// use counterweight_stats::holm;
///
/// let adjusted = holm(&[0.01, 0.04, 0.03])?;
/// assert!((adjusted[0] - 0.03).abs() < 1e-15);
/// assert!((adjusted[1] - 0.06).abs() < 1e-15);
/// assert!((adjusted[2] - 0.06).abs() < 1e-15);
/// # Ok::<(), counterweight_stats::StatsError>(())
/// ```
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>> {
    let mut order = Vec::with_capacity(p_values.len());
    for (index, &p) in p_values.iter().enumerate() {
        if !(0.0..=1.0).contains(&p) {
            return Err(StatsError::OutOfRange {
                name: "p value",
                value: p,
                range: "0 to 1",
            });
        }
        order.push((p, index));
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut so_far = 0.0_f64;
    for (step, (p, index)) in order.into_iter().enumerate() {
        so_far = so_far.max(p * (p_values.len() - step) as f64).min(1.0);
        if let Some(slot) = adjusted.get_mut(index) {
            *slot = so_far;
        }
    }
    Ok(adjusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_procedure_stops_at_the_first_failure() {
        // 0.020 <= 0.05 / 2 would pass on its own, but 0.019 > 0.05 / 3 stops the descent.
        let adjusted = holm(&[0.019, 0.020, 0.021]).unwrap();
        assert!(adjusted.iter().all(|p| *p > 0.05), "{adjusted:?}");
    }

    #[test]
    fn edges() {
        assert!(holm(&[]).unwrap().is_empty());
        assert_eq!(holm(&[0.3]).unwrap(), [0.3]);
        assert!(holm(&[1.1]).is_err());
        assert!(holm(&[f64::NAN]).is_err());
    }
}
