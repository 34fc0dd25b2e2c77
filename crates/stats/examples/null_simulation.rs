//! Type I errors of every test and coverage of every interval, 2,000 trials each.
//!
//! ```text
//! cargo run --release -p counterweight-stats --example null_simulation [TRIALS]
//! ```
//!
//! Ends with 1 if a rate lies outside its bounds by more than three standard errors.

#[path = "../tests/support/simulation.rs"]
mod simulation;

use std::process::ExitCode;

use counterweight_stats::StatsError;
use simulation::{coverage, type_one_errors};

#[expect(clippy::print_stdout, reason = "a program whose product is this table")]
fn main() -> Result<ExitCode, StatsError> {
    let trials = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000);
    let mut rates = type_one_errors(trials, 1)?;
    rates.extend(coverage(trials, 1_999, 2)?);
    println!("{:<34} {:>7} {:>8} {:>14}", "", "trials", "share", "bounds");
    let mut all_hold = true;
    for rate in &rates {
        let holds = rate.holds(3.0);
        all_hold &= holds;
        let (low, high) = rate.allowed;
        println!(
            "{:<34} {:>7} {:>8.4} {low:>6.2} - {high:.2}{}",
            rate.name,
            rate.trials,
            rate.share(),
            if holds { "" } else { "  OUT" }
        );
    }
    Ok(if all_hold {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
