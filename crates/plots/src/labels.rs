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

/// Left, top, right, bottom.
pub(super) type Area = [f64; 4];

fn meet(a: &Area, b: &Area) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// Puts labels beside points: to the right, the left, above, below and at the corners, the first
/// place within the bounds that is free of points, of other labels and their leaders, and, as far
/// as that is possible, of lines.
#[derive(Debug, Clone)]
pub(super) struct Placer {
    bounds: Area,
    /// Points and labels: never covered.
    taken: Vec<Area>,
    /// Lines of the figure: covered only when there is no other place.
    lines: Vec<Area>,
}

/// A line as small boxes.
fn boxes((x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> Vec<Area> {
    const STEP: f64 = 2.0;
    const HALF: f64 = 1.0;
    let steps = ((x1 - x0).hypot(y1 - y0) / STEP).ceil().clamp(1.0, 2000.0);
    let mut out = Vec::new();
    let mut i = 0.0;
    while i <= steps {
        let (x, y) = (x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps);
        out.push([x - HALF, y - HALF, x + HALF, y + HALF]);
        i += 1.0;
    }
    out
}

impl Placer {
    pub(super) fn new(bounds: Area, points: &[(f64, f64)], radius: f64) -> Self {
        let taken = points
            .iter()
            .map(|(x, y)| [x - radius, y - radius, x + radius, y + radius])
            .collect();
        Self {
            bounds,
            taken,
            lines: Vec::new(),
        }
    }

    /// A line that labels should not cover.
    pub(super) fn avoid(&mut self, line: &[(f64, f64)]) {
        for pair in line.windows(2) {
            self.lines.extend(boxes(pair[0], pair[1]));
        }
    }

    /// The left and upper corner for a label of this size that covers neither point nor line, or nothing when
    /// every place is taken.
    ///
    /// The farther rings need a leader line, which the caller draws where [`leader`] says so.
    pub(super) fn place(&mut self, (x, y): (f64, f64), (w, h): (f64, f64)) -> Option<(f64, f64)> {
        const NEAR: f64 = 6.0;
        for ring in 0..6 {
            let d = NEAR + f64::from(ring) * 6.0;
            let candidates = [
                (x + d, y - h / 2.0),
                (x - d - w, y - h / 2.0),
                (x - w / 2.0, y - d - h),
                (x - w / 2.0, y + d),
                (x + d * 0.7, y - d * 0.7 - h),
                (x + d * 0.7, y + d * 0.7),
                (x - d * 0.7 - w, y - d * 0.7 - h),
                (x - d * 0.7 - w, y + d * 0.7),
            ];
            for (left, top) in candidates {
                let area = [left, top, left + w, top + h];
                let inside = area[0] >= self.bounds[0]
                    && area[1] >= self.bounds[1]
                    && area[2] <= self.bounds[2]
                    && area[3] <= self.bounds[3];
                let free =
                    |areas: &[Area], area: &Area| !areas.iter().any(|other| meet(area, other));
                if !inside || !free(&self.taken, &area) || !free(&self.lines, &area) {
                    continue;
                }
                let leading = leader((x, y), (left, top), (w, h))
                    .map(|end| boxes((x, y), end))
                    .unwrap_or_default();
                // The first boxes of a leader lie on its own point, the last on its own label.
                let own = |area: &Area| (area[0] - x).hypot(area[1] - y) < NEAR + 1.0;
                if leading
                    .iter()
                    .any(|part| !own(part) && !free(&self.taken, part))
                {
                    continue;
                }
                self.taken.push(area);
                self.taken.extend(leading);
                return Some((left, top));
            }
        }
        None
    }
}

/// Where a leader from a point to a label ends: the nearest place on the label's edge; nothing when
/// the label lies at the point.
pub(super) fn leader(
    (x, y): (f64, f64),
    (left, top): (f64, f64),
    (w, h): (f64, f64),
) -> Option<(f64, f64)> {
    let end = (x.clamp(left - 1.0, left + w + 1.0), y.clamp(top, top + h));
    ((end.0 - x).hypot(end.1 - y) > 9.0).then_some(end)
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
    fn labels_beside_points_avoid_points_and_each_other() {
        let points: Vec<(f64, f64)> = (0..6).map(|i| (50.0 + f64::from(i) * 4.0, 50.0)).collect();
        let mut placer = Placer::new([0.0, 0.0, 200.0, 100.0], &points, 3.0);
        let placed: Vec<Area> = points
            .iter()
            .filter_map(|p| placer.place(*p, (30.0, 8.0)))
            .map(|(x, y)| [x, y, x + 30.0, y + 8.0])
            .collect();
        assert!(placed.len() >= 5, "{}", placed.len());
        for (i, a) in placed.iter().enumerate() {
            assert!(placed[..i].iter().all(|b| !meet(a, b)));
            assert!(
                points
                    .iter()
                    .all(|(x, y)| !meet(a, &[x - 3.0, y - 3.0, x + 3.0, y + 3.0]))
            );
        }
        assert_eq!(placer.place((50.0, 50.0), (300.0, 8.0)), None);
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
