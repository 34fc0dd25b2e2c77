//! Rows ranked by the logit margin of a class, and which of them tie.
//!
//! The margin `log p_k - log(1 - p_k)` orders rows as the probability does, but where `p_k` rounds
//! to 1 it still tells 1 - 1e-20 from 1 - 1e-30, so a confident model gets no ties that it did not
//! make.

use counterweight_core::limit;
use counterweight_core::{Matrix, Scores, TIE, log_sum_exp};

/// Margins `log p_k - log(1 - p_k)`, one row a test row, one column a class, from log-probabilities
/// up to a constant a row. Positive infinity where `p_k` is 1, negative infinity where it is 0;
/// never NaN.
///
/// O(n K): only the one class of a row with `p_k > 1/2` needs a sum of its own over the others,
/// since `1 - p_k` loses no digits for the rest.
pub(crate) fn margins(scores: &Scores) -> Matrix {
    let log = scores.log();
    let (n, k) = (log.rows(), log.cols());
    let mut margins = Matrix::zeros(n, k);
    let mut others = Vec::with_capacity(k);
    for i in 0..n {
        limit::ask_at(i);
        let row = log.row(i);
        if k == 2 {
            // The difference itself: exactly antisymmetric, whichever class is the positive one.
            margins.set(i, 0, row[0] - row[1]);
            margins.set(i, 1, row[1] - row[0]);
            continue;
        }
        let total = log_sum_exp(row);
        for (class, &score) in row.iter().enumerate() {
            let log_p = score - total;
            let p = log_p.exp();
            let margin = if p <= 0.5 {
                log_p - (-p).ln_1p()
            } else {
                others.clear();
                others.extend(
                    row.iter()
                        .enumerate()
                        .filter(|&(j, _)| j != class)
                        .map(|(_, &s)| s),
                );
                score - log_sum_exp(&others)
            };
            margins.set(i, class, margin);
        }
    }
    margins
}

/// Whether `low <= high` are one value up to the rounding of logarithms: the core's [`TIE`], the
/// same slack with which decisions are made. Without it, k nearest neighbours' equal shares of 2/5
/// would be told apart by the last bit of the logarithm of the other classes' sum.
pub(crate) fn ties(low: f64, high: f64) -> bool {
    if low.is_finite() && high.is_finite() {
        high - low <= TIE * low.abs().max(high.abs()).max(1.0)
    } else {
        low.total_cmp(&high).is_eq()
    }
}

/// A row in a ranking: its margin and its number.
pub(crate) type Ranked = (f64, usize);

/// The rows `0..n` sorted by `margin`, the smallest first.
pub(crate) fn ranked(n: usize, margin: impl Fn(usize) -> f64) -> Vec<Ranked> {
    limit::ask();
    let mut rows: Vec<Ranked> = (0..n).map(|i| (margin(i), i)).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    rows
}

/// The groups of ties of a ranking, in its order. A group begins where a margin no longer ties with
/// the first of the group before, so a long chain of near-ties is not one group.
pub(crate) fn groups(ranked: &[Ranked]) -> impl DoubleEndedIterator<Item = &[Ranked]> {
    let mut cuts = vec![0];
    let mut first = 0;
    for at in 1..ranked.len() {
        if !ties(ranked[first].0, ranked[at].0) {
            cuts.push(at);
            first = at;
        }
    }
    let mut ends: Vec<usize> = cuts.iter().skip(1).copied().collect();
    ends.push(ranked.len());
    cuts.into_iter()
        .zip(ends)
        .map(|(start, end)| &ranked[start..end])
        .filter(|group| !group.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_survive_saturation_and_infinity() {
        let logits = Matrix::from_vec(
            4,
            3,
            vec![
                100.0,
                0.0,
                0.0,
                200.0,
                0.0,
                0.0,
                f64::NEG_INFINITY,
                0.0,
                0.0,
                0.0,
                f64::NEG_INFINITY,
                f64::NEG_INFINITY,
            ],
        )
        .unwrap();
        let margins = margins(&Scores::logits(logits).unwrap());
        assert!((margins.at(0, 0) - (100.0 - 2.0_f64.ln())).abs() < 1e-12);
        assert!((margins.at(1, 0) - (200.0 - 2.0_f64.ln())).abs() < 1e-12);
        assert!(margins.at(2, 1).abs() < 1e-15);
        let infinite = |i, k| {
            margins
                .at(i, k)
                .is_infinite()
                .then(|| margins.at(i, k) > 0.0)
        };
        assert_eq!(
            [infinite(2, 0), infinite(3, 0), infinite(3, 2)],
            [Some(false), Some(true), Some(false)]
        );
    }

    #[test]
    fn equal_shares_tie_whatever_the_other_classes_are() {
        let p = Matrix::from_vec(3, 3, vec![0.4, 0.6, 0.0, 0.4, 0.4, 0.2, 0.4, 0.2, 0.4]).unwrap();
        let margins = margins(&Scores::probabilities(p).unwrap());
        let order = ranked(3, |i| margins.at(i, 0));
        assert_eq!(groups(&order).count(), 1);
        let order = ranked(3, |i| margins.at(i, 1));
        assert_eq!(groups(&order).count(), 3);
    }

    #[test]
    fn infinities_tie_with_themselves_only() {
        let values = [f64::INFINITY, 1e308, f64::NEG_INFINITY, f64::INFINITY];
        let order = ranked(4, |i| values[i]);
        let sizes: Vec<usize> = groups(&order).map(<[Ranked]>::len).collect();
        assert_eq!(sizes, [1, 1, 2]);
        assert_eq!(groups(&[]).count(), 0);
    }
}
