//! Places labels along a line so that they keep their distance.

/// Centres as near as possible (least squares) to the wanted ones, in the same order, at least
/// `gap` apart and within `bounds`.
///
/// Ties keep the order of the input. When the bounds are too short for all, the labels are spread
/// evenly over them; callers avoid it by asking [`room`] first.
pub(super) fn spread(wanted: &[f64], gap: f64, bounds: (f64, f64)) -> Vec<f64> {
    let n = wanted.len();
    if n == 0 {
        return Vec::new();
    }
    let (low, high) = bounds;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let gap = if n > 1 {
        gap.min((high - low) / (n - 1) as f64)
    } else {
        gap
    };
    // With the gaps taken out, keeping a distance is keeping an order: pool adjacent violators.
    let last = high - gap * (n - 1) as f64;
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (rank, index) in order.iter().enumerate() {
        let mut block = (wanted[*index] - gap * rank as f64, 1);
        while let Some(before) = blocks.last().filter(|before| before.0 > block.0) {
            let total = before.1 + block.1;
            block = (
                (before.0 * before.1 as f64 + block.0 * block.1 as f64) / total as f64,
                total,
            );
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut out = vec![0.0; n];
    let mut rank = 0;
    for (centre, size) in blocks {
        // The least-squares solution within bounds is the clamped one.
        let centre = centre.min(last).max(low);
        for _ in 0..size {
            out[order[rank]] = centre + gap * rank as f64;
            rank += 1;
        }
    }
    out
}

/// How many labels have room.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length of a figure over a text height, never negative"
)]
pub(super) fn room(gap: f64, (low, high): (f64, f64)) -> usize {
    (((high - low) / gap).max(0.0).floor()) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_do_not_collide_stay() {
        assert_eq!(
            spread(&[10.0, 40.0, 25.0], 10.0, (0.0, 100.0)),
            [10.0, 40.0, 25.0]
        );
    }

    #[test]
    fn colliding_labels_share_the_shift() {
        assert_eq!(spread(&[20.0, 20.0], 10.0, (0.0, 100.0)), [15.0, 25.0]);
        assert_eq!(spread(&[1.0, 1.0], 10.0, (0.0, 100.0)), [0.0, 10.0]);
        assert_eq!(spread(&[99.0, 98.0], 10.0, (0.0, 100.0)), [100.0, 90.0]);
    }

    #[test]
    fn order_distance_and_bounds_hold_for_any_input() {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as f64 / f64::from(1_u32 << 31) * 120.0 - 10.0
        };
        for n in 1..12 {
            let wanted: Vec<f64> = (0..n).map(|_| next()).collect();
            let placed = spread(&wanted, 8.0, (0.0, 100.0));
            for (i, a) in placed.iter().enumerate() {
                assert!((-1e-9..=100.0 + 1e-9).contains(a));
                for (j, b) in placed.iter().enumerate() {
                    if i != j {
                        assert!((a - b).abs() >= 8.0 - 1e-9);
                        assert!(wanted[i] >= wanted[j] || a < b);
                    }
                }
            }
        }
        assert_eq!(room(10.0, (0.0, 100.0)), 11);
    }
}
