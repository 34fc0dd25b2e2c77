//! Type I errors and coverage with few trials; `examples/null_simulation.rs` is the full count.

#[path = "support/simulation.rs"]
mod simulation;

use simulation::{Rate, coverage, type_one_errors};

/// Four standard errors: one false alarm in some 30,000 checks, and the seed is fixed anyway.
fn check(rates: &[Rate]) {
    let failed: Vec<String> = rates
        .iter()
        .filter(|rate| !rate.holds(4.0))
        .map(|rate| {
            format!(
                "{}: {} is not within {:?}",
                rate.name,
                rate.share(),
                rate.allowed
            )
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn tests_keep_their_level() {
    check(&type_one_errors(300, 41).unwrap());
}

#[test]
fn intervals_cover() {
    check(&coverage(300, 599, 42).unwrap());
}
