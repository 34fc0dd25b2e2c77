//! How many decisions a second one core makes: a grid of 10,000 taus on one fit, for 2 and 10 classes,
//! against one rule after another.
//!
//!     cargo bench -p counterweight-corrections --bench decide

#![expect(
    clippy::print_stdout,
    reason = "a bench is a program whose product is its numbers"
)]

use std::hint::black_box;
use std::time::Instant;

use counterweight_core::{ClassCounts, DecideContext, Labels, Matrix, Scores, find, params};
use counterweight_metrics::balanced_error;
use counterweight_numeric::offsets::OffsetRules;

/// Points of the grid.
const TAUS: u32 = 10_000;

/// Test rows.
const ROWS: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for k in [2, 10] {
        let counts: Vec<usize> = (0..k).map(|c| (ROWS / (c + 1)).max(1)).collect();
        let counts = ClassCounts::new(counts);
        let prior = counts.prior().ok_or("there are rows")?;
        // A small multiplicative generator: the bench needs spread, not quality.
        let mut state = 12_345_u64;
        let mut unit = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let truth: Vec<u32> = (0..ROWS)
            .zip((0..u32::try_from(k)?).cycle())
            .map(|(_, class)| class)
            .collect();
        let logits = Matrix::from_fn(ROWS, k, |i, j| {
            let own = if truth[i] as usize == j { 1.0 } else { 0.0 };
            4.0 * unit() + own + prior.as_slice()[j].ln()
        });
        let scores = Scores::logits(logits)?;
        let names = (0..k).map(|c| c.to_string()).collect();
        let labels = Labels::new(truth, names)?;

        let entry = find(counterweight_corrections::decide::ALL, "logit-adjust").ok_or("listed")?;
        let checked = params::check(entry.card.params, &std::collections::BTreeMap::new())
            .map_err(|errors| format!("{errors:?}"))?;
        let context = DecideContext {
            scores_prior: Some(&prior),
            train: &counts,
        };
        let line = (entry.build)(&checked)?.line(&context)?.ok_or("a line")?;

        let start = Instant::now();
        let points: Vec<Vec<f64>> = (0..TAUS)
            .map(|at| line.offsets(4.0 * f64::from(at) / f64::from(TAUS)))
            .collect();
        let rules = OffsetRules::new(&scores, &labels)?;
        let mut least = f64::INFINITY;
        rules.along(&points, |_, counts| {
            least = least.min(balanced_error::of(counts).unwrap_or(1.0));
        });
        let all = start.elapsed().as_secs_f64();

        // One rule after another, on a hundredth of the grid.
        let start = Instant::now();
        let mut single = f64::INFINITY;
        for offsets in points.iter().step_by(100) {
            let decided = scores.argmax(black_box(offsets), labels.ties())?;
            let mut hits = vec![0.0; k];
            for (&y, &d) in labels.ids().iter().zip(decided.as_slice()) {
                hits[y as usize] += f64::from(u8::from(y == d));
            }
            single = single.min(hits[0]);
        }
        let each = 100.0 * start.elapsed().as_secs_f64();
        black_box((least, single));

        let decisions = f64::from(TAUS) * ROWS as f64;
        println!(
            "K = {k}: {TAUS} taus on {ROWS} rows in {all:.4} s: {:.0} million decisions a second; one \
             after another {:.0} million; ratio {:.0}",
            decisions / all / 1e6,
            decisions / each / 1e6,
            each / all
        );
    }
    Ok(())
}
