//! The exact line search behind tuned decisions: the best offset of one class, the others fixed.
//!
//! Row i is decided as class k exactly when the offset of k lies below the row's critical offset,
//! its score for k less the best adjusted score of the other classes. One sort of the critical
//! offsets gives every decision that any offset can lead to, and the objective follows by moving
//! one row at a time: O(n K + n log n), and nothing is missed between the points of a grid.

use counterweight_core::scores::argmax_row;
use counterweight_core::{Confusion, Matrix, TIE, Ties, limit};

/// Rows to tune on: log-scores, true classes, and which of them to look at.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Log-scores, rows x classes.
    pub log: &'a Matrix,
    /// The class of each row.
    pub truth: &'a [u32],
    /// What each row weighs, where rows have weights.
    pub weights: Option<&'a [f64]>,
    /// The rows that count.
    pub rows: &'a [usize],
    /// Which class a tie goes to.
    pub ties: &'a Ties,
}

impl Rows<'_> {
    /// What `argmax_y s_y - offset_y` decides.
    pub fn confusion(&self, offsets: &[f64]) -> Confusion {
        let mut confusion = Confusion::new(offsets.len());
        for (at, &row) in self.rows.iter().enumerate() {
            limit::ask_at(at);
            let decided = argmax_row(self.log.row(row), offsets, self.ties);
            let weight = self.weight(row);
            confusion.add_own(self.truth[row] as usize, decided as usize, 1, weight);
        }
        confusion
    }

    fn weight(&self, row: usize) -> Option<f64> {
        self.weights.map(|weights| weights[row])
    }
}

/// The best offset found for one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The offset.
    pub offset: f64,
    /// What is maximised, there.
    pub objective: f64,
    /// Number of offsets at which some decision changes.
    pub cuts: usize,
}

/// Objectives closer than this are equal: sums of the same recalls in another order.
pub const EQUAL: f64 = 1e-12;

/// Beyond the outermost cut there is no midpoint: one unit of log odds away.
const BEYOND: f64 = 1.0;

/// The offset of `class` that maximises `objective`, the other `offsets` fixed.
///
/// Between two neighbouring cuts all offsets decide alike, and the midpoint stands for them; where
/// `anchor` itself lies between them, the anchor. Of equally good ones the nearest to `anchor` is
/// taken, of equally near ones the largest.
pub fn best_offset(
    rows: &Rows<'_>,
    offsets: &[f64],
    class: usize,
    anchor: f64,
    objective: impl Fn(&Confusion) -> f64,
) -> Best {
    let mut without = offsets.to_vec();
    without[class] = f64::INFINITY;
    let mut confusion = Confusion::new(offsets.len());
    let mut turning: Vec<Turning> = Vec::new();
    for (at, &row) in rows.rows.iter().enumerate() {
        limit::ask_at(at);
        let scores = rows.log.row(row);
        let truth = rows.truth[row] as usize;
        let rival = argmax_row(scores, &without, rows.ties) as usize;
        let critical = critical_offset(scores, &without, class, rival, rows.ties);
        if critical.is_finite() {
            confusion.add_own(truth, rival, 1, rows.weight(row));
            turning.push(Turning {
                row,
                critical,
                truth,
                rival,
            });
        } else {
            // No finite offset changes this row.
            let decided = if critical > 0.0 { class } else { rival };
            confusion.add_own(truth, decided, 1, rows.weight(row));
        }
    }
    turning.sort_unstable_by(|a, b| b.critical.total_cmp(&a.critical));
    let groups: Vec<&[Turning]> = turning
        .chunk_by(|a, b| a.critical - b.critical <= 4.0 * TIE * a.critical.abs().max(1.0))
        .collect();

    // Stretch i lies below i groups, counted from the top.
    let mut stretches = Vec::with_capacity(groups.len() + 1);
    let mut above = f64::INFINITY;
    for at in 0..=groups.len() {
        limit::ask_at(at);
        let below = groups.get(at).map_or(f64::NEG_INFINITY, |g| g[0].critical);
        let offset = if below < anchor && anchor < above {
            anchor
        } else if above.is_infinite() {
            below + BEYOND
        } else if below.is_infinite() {
            above - BEYOND
        } else {
            f64::midpoint(below, above)
        };
        stretches.push((objective(&confusion), offset));
        if let Some(group) = groups.get(at) {
            for row in *group {
                let weight = rows.weight(row.row);
                confusion.relabel_own(row.truth, row.rival, class, weight);
            }
            above = group[group.len() - 1].critical;
        }
    }
    let top = stretches
        .iter()
        .fold(f64::NEG_INFINITY, |top, &(value, _)| top.max(value));
    let mut best = Best {
        offset: anchor,
        objective: top,
        cuts: groups.len(),
    };
    let mut change = f64::INFINITY;
    for (value, offset) in stretches {
        if value >= top - EQUAL && (offset - anchor).abs() < change {
            change = (offset - anchor).abs();
            best.offset = offset;
            best.objective = value;
        }
    }
    best
}

/// A row that some finite offset turns from its rival to the class in question.
#[derive(Clone, Copy, Debug)]
struct Turning {
    row: usize,
    critical: f64,
    truth: usize,
    rival: usize,
}

/// The offset below which the row is decided as `class`: negative infinity when it never is,
/// positive when every finite offset decides so.
fn critical_offset(
    scores: &[f64],
    without: &[f64],
    class: usize,
    rival: usize,
    ties: &Ties,
) -> f64 {
    if scores[class] == f64::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let best = scores[rival] - without[rival];
    if rival == class || best == f64::NEG_INFINITY {
        return f64::INFINITY;
    }
    // The slack of a tie, see `TIE`.
    let slack = TIE * best.abs().max(1.0);
    let even = scores[class] - best;
    if ties.rank(rival) > ties.rank(class) {
        even - slack
    } else {
        even + slack
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_offset_is_better_and_the_found_one_is_as_good_as_it_says(
            cells in proptest::collection::vec(0_u8..6, 30 * 3),
            truth in proptest::collection::vec(0_u32..3, 30),
            others in proptest::collection::vec(-2_i8..3, 3),
            class in 0_usize..3,
            which in 0_usize..3,
            anchor in -2.0_f64..2.0,
        ) {
            // The mean recall, the least recall, and a cost: sums over classes, a corner and all cells.
            let objective = |c: &Confusion| match which {
                0 => c.recalls().flatten().sum::<f64>(),
                1 => c.recalls().flatten().fold(1.0, f64::min),
                _ => -[0.0, 1.0, 3.0, 2.0, -0.5, 1.0, 9.0, 4.0, 0.0].iter().enumerate()
                    .map(|(at, cost)| cost * c.count(at / 3, at % 3) as f64).sum::<f64>(),
            };
            // Coarse scores, some of them minus infinity: ties and rows that never turn.
            let log = Matrix::from_fn(30, 3, |i, j| match cells[i * 3 + j] {
                0 if j != truth[i] as usize => f64::NEG_INFINITY,
                c => f64::from(c) * 0.5,
            });
            let all: Vec<usize> = (0..30).collect();
            let ties = Ties::by_rarity(&[which + 1, 2, 4 - which].map(|n| n as f64));
            let rows = Rows { log: &log, truth: &truth, weights: None, rows: &all, ties: &ties };
            let mut offsets: Vec<f64> = others.iter().map(|&o| f64::from(o) * 0.5).collect();
            let best = best_offset(&rows, &offsets, class, anchor, objective);
            offsets[class] = best.offset;
            prop_assert!((objective(&rows.confusion(&offsets)) - best.objective).abs() < 1e-12);
            for step in -60..=60 {
                offsets[class] = f64::from(step) * 0.125 + 0.0625;
                prop_assert!(objective(&rows.confusion(&offsets)) <= best.objective + 1e-12);
            }
        }
    }
}
