//! A sweep of a million rows stays a matter of seconds.

use std::time::{Duration, Instant};

use counterweight_stats::{
    BayesianOptions, BlockDesign, BootstrapOptions, CompleteTable, Direction, LongTable,
    Observation, PairwiseOptions, PartialCells, bayesian_signed_rank, bootstrap_mean,
    comparison_matrix,
};

#[test]
fn a_million_rows_and_forty_methods() {
    let start = Instant::now();
    let mut rows = Vec::new();
    for dataset in 0..250_u32 {
        for method in 0..40_u32 {
            for fold in 0..100_u32 {
                let noise = f64::from((dataset * 7919 + method * 104_729 + fold * 31) % 1009);
                rows.push(Observation {
                    dataset: format!("dataset-{dataset}"),
                    cluster: format!("cluster-{}", dataset / 2),
                    method: format!("method-{method}"),
                    repeat: fold / 5,
                    fold: fold % 5,
                    value: Some(noise / 1009.0),
                });
            }
        }
    }
    let long = LongTable::new(rows).unwrap();
    let scores = long
        .scores(Direction::LowerIsBetter, PartialCells::Missing)
        .unwrap();
    let table = CompleteTable::try_from(scores).unwrap();
    let design = BlockDesign::try_from(table).unwrap();
    let matrix = comparison_matrix(&design, PairwiseOptions::default()).unwrap();
    assert_eq!(matrix.cells().len(), 40 * 39);
    for method in 1..40 {
        let differences = design.table().differences(0, method).unwrap();
        bootstrap_mean(&differences, BootstrapOptions::default()).unwrap();
        let options = BayesianOptions {
            draws: 5_000,
            ..BayesianOptions::default()
        };
        bayesian_signed_rank(differences.values(), options).unwrap();
    }
    // A bound on the order of growth, not on the machine: it takes about two seconds.
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_mins(1), "{elapsed:?}");
}
