//! What costs other than those of balanced error say, in two sentences.

use super::code;
use crate::analysis::{Analysis, CostRow, HALF_A_POINT};
use counterweight_plots::format::{fixed, plural, points};

/// At which operating points the leader's decisions save something, and what is left once every arm has its
/// best threshold.
pub(super) fn costs(analysis: &Analysis, leader: usize) -> Option<String> {
    let rows: Vec<&CostRow> = analysis
        .costs
        .of_arm(&analysis.pooled.models, leader)
        .collect();
    let n = rows.first()?.n_clusters;
    // Where the whole interval is above zero, which a run around PC = 1/2 usually is.
    let surely = |row: &&&CostRow| row.gain_given.interval.is_some_and(|i| i.lower > 0.0);
    let saving: Vec<f64> = rows.iter().filter(surely).map(|row| row.pc).collect();
    let name = code(analysis.correction(leader));
    let given = match (saving.first(), saving.last()) {
        (Some(low), Some(high)) => {
            let inside = rows
                .iter()
                .filter(|row| row.pc >= *low && row.pc <= *high)
                .count();
            let all = if inside == saving.len() {
                ""
            } else {
                ", with gaps"
            };
            format!(
                "As given, {name} is cheaper than no correction at probability costs from {} to {}{all} ({}; 95 % intervals \
                 point by point).",
                fixed(*low, 2),
                fixed(*high, 2),
                plural(n, "cluster")
            )
        }
        _ => format!(
            "At no probability cost is {name} as given shown to be cheaper than no correction ({}).",
            plural(n, "cluster")
        ),
    };
    let best = rows.iter().filter_map(|row| Some((row.pc, row.gain_best?)));
    let best = best.max_by(|a, b| a.1.mean.total_cmp(&b.1.mean));
    let best = best.map(|(pc, part)| {
        if part.mean < HALF_A_POINT {
            return " With every arm's threshold chosen for the costs it saves half a point at none of them."
                .to_owned();
        }
        let ends = part.interval.map_or_else(String::new, |i| {
            format!(" [{}, {}]", points(i.lower), points(i.upper))
        });
        format!(
            " With every arm's threshold chosen for the costs, the most that it saves is {} points{ends}, at {}.",
            points(part.mean),
            fixed(pc, 2)
        )
    });
    Some(given + &best.unwrap_or_default())
}
