//! Kendall's tau-b.

/// Kendall's tau-b of pairs of numbers: (concordant - discordant) / sqrt((pairs - ties in x)(pairs - ties
/// in y)), numbers within 1e-9 being tied; from -1 to 1. `None` below two pairs, or where all of x or all
/// of y tie. O(n^2).
///
/// # Examples
///
/// ```
/// use counterweight_stats::kendall_tau_b;
///
/// // One of three pairs is turned round.
/// let tau = kendall_tau_b(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]);
/// assert!((tau.unwrap_or(0.0) - 1.0 / 3.0).abs() < 1e-12);
/// assert_eq!(kendall_tau_b(&[(1.0, 2.0)]), None);
/// ```
///
/// # References
///
/// M. G. Kendall (1945), The treatment of ties in ranking problems, Biometrika 33.
pub fn kendall_tau_b(points: &[(f64, f64)]) -> Option<f64> {
    let (mut score, mut untied_x, mut untied_y) = (0.0, 0.0, 0.0);
    for (index, one) in points.iter().enumerate() {
        for other in points.iter().skip(index + 1) {
            let sign = |gap: f64| if gap.abs() > 1e-9 { gap.signum() } else { 0.0 };
            let (x, y) = (sign(one.0 - other.0), sign(one.1 - other.1));
            score += x * y;
            untied_x += x.abs();
            untied_y += y.abs();
        }
    }
    let scale: f64 = untied_x * untied_y;
    (scale > 0.0).then(|| score / scale.sqrt())
}
