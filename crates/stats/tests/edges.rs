//! Empty, one-dataset and one-method input: every function answers with a value or an error.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail it")]

use counterweight_stats::{
    BlockDesign, BootstrapOptions, CompleteTable, Dataset, Direction, Level, LongTable,
    Observation, PairedDifferences, PairwiseOptions, PartialCells, PowerOptions, Seed, StatsError,
    TestShare, TieCorrection, WilcoxonOptions, against_control, bonferroni_dunn_cd, bootstrap_mean,
    comparison_matrix, corrected_t, friedman, group_duplicates, iman_davenport, mean_ranks,
    minimum_detectable_effect, nemenyi_cd, pairwise, wilcoxon,
};

fn long(datasets: usize, methods: usize, value: impl Fn(usize, usize) -> f64) -> LongTable {
    let mut rows = Vec::new();
    for dataset in 0..datasets {
        for method in 0..methods {
            rows.push(Observation {
                dataset: format!("d{dataset:03}"),
                cluster: format!("d{dataset:03}"),
                method: format!("m{method:03}"),
                repeat: 0,
                fold: 0,
                value: Some(value(dataset, method)),
            });
        }
    }
    LongTable::new(rows).unwrap()
}

fn is_probability(p: f64) -> bool {
    p > 0.0 && p <= 1.0
}

/// The whole path of a report; returns whether the tests over methods had anything to say.
fn walk(long: &LongTable) -> Result<bool, StatsError> {
    let scores = long.scores(Direction::LowerIsBetter, PartialCells::Missing)?;
    let groups = group_duplicates(&scores, &[], 2)?;
    let scores = groups.counted_once(&scores)?;
    let table = CompleteTable::try_from(scores)?;
    let ranking = mean_ranks(&table)?;
    assert!(ranking.mean_ranks().iter().all(|rank| rank.is_finite()));
    assert!(!ranking.leaders().is_empty());
    for method in 0..table.methods().len() {
        let differences = table.differences(0, method)?;
        let interval = bootstrap_mean(&differences, BootstrapOptions::default());
        assert!(matches!(interval, Ok(_) | Err(StatsError::TooFew { .. })));
        let effect = minimum_detectable_effect(&differences, PowerOptions::default());
        assert!(matches!(
            effect,
            Ok(_) | Err(StatsError::TooFew { .. } | StatsError::Undefined { .. })
        ));
    }
    let Ok(design) = BlockDesign::try_from(table) else {
        return Ok(false);
    };
    for correction in [TieCorrection::Corrected, TieCorrection::Classical] {
        match friedman(&design, correction) {
            Ok(test) => {
                assert!(
                    is_probability(test.p_value) && is_probability(iman_davenport(&test).p_value)
                );
            }
            Err(error) => assert!(matches!(error, StatsError::Undefined { .. })),
        }
    }
    let (k, n) = (design.n_methods(), design.n_datasets());
    assert!(nemenyi_cd(k, n, Level::FIVE_PERCENT)?.is_finite());
    assert!(bonferroni_dunn_cd(k, n, Level::FIVE_PERCENT)?.is_finite());
    let tested = pairwise(&design, PairwiseOptions::default())?;
    assert!(
        tested
            .pairs()
            .iter()
            .all(|pair| is_probability(pair.p_adjusted))
    );
    assert!(
        tested
            .pairs()
            .iter()
            .all(|pair| !tested.underpowered() || !pair.differs)
    );
    tested.cliques()?;
    against_control(&design, 0, PairwiseOptions::default())?;
    comparison_matrix(&design, PairwiseOptions::default())?;
    Ok(true)
}

#[test]
fn nothing_at_all() {
    assert!(matches!(
        walk(&long(0, 0, |_, _| 0.0)),
        Err(StatsError::TooFew { .. })
    ));
}

#[test]
fn small_tables_of_every_shape() {
    for datasets in 1..5 {
        for methods in 1..5 {
            let varied = |d: usize, m: usize| ((d * 7 + m * 3) % 5) as f64 / 10.0;
            let ordered = |d: usize, m: usize| (d + 3 * m) as f64;
            for value in [varied, ordered, |_, _| 0.25] {
                walk(&long(datasets, methods, value)).unwrap();
            }
        }
    }
    assert!(!walk(&long(1, 4, |_, m| m as f64)).unwrap());
    assert!(!walk(&long(4, 1, |d, _| d as f64)).unwrap());
    assert!(walk(&long(2, 2, |d, m| (d + m) as f64)).unwrap());
}

#[test]
fn extreme_magnitudes_stay_finite() {
    for scale in [1e-300, 1e-12, 1e12, 1e140] {
        let value = |d: usize, m: usize| scale * (1.0 + ((d * 31 + m * 17) % 13) as f64);
        walk(&long(12, 4, value)).unwrap();
    }
}

#[test]
fn overflow_is_an_error_value() {
    let values: Vec<f64> = (0..8).map(|i| 1e200 * f64::from(i)).collect();
    let differences = PairedDifferences::independent(values.clone()).unwrap();
    let undefined = |error| matches!(error, StatsError::Undefined { .. });
    assert!(undefined(differences.standard_error().unwrap_err()));
    assert!(undefined(
        bootstrap_mean(&differences, BootstrapOptions::default()).unwrap_err()
    ));
    let share = TestShare::from_folds(5).unwrap();
    assert!(undefined(
        corrected_t(&values, share, Level::FIVE_PERCENT).unwrap_err()
    ));
    assert!(is_probability(
        wilcoxon(&values, WilcoxonOptions::default())
            .unwrap()
            .p_value
    ));
}

#[test]
fn the_seed_is_the_only_source_of_chance() {
    let table = long(12, 2, |d, m| ((d * d + 9 * m) as f64).sin());
    let scores = table
        .scores(Direction::LowerIsBetter, PartialCells::Missing)
        .unwrap();
    let differences = CompleteTable::try_from(scores)
        .unwrap()
        .differences(0, 1)
        .unwrap();
    let run = |seed| {
        let options = BootstrapOptions {
            seed: Seed(seed),
            ..BootstrapOptions::default()
        };
        bootstrap_mean(&differences, options).unwrap()
    };
    assert_eq!(run(7), run(7));
    assert!((run(7).lower - run(8).lower).abs() > 0.0);
}

#[test]
fn one_dataset_table_is_no_block_design() {
    let table = CompleteTable::new(
        Direction::LowerIsBetter,
        vec![Dataset::independent("d")],
        vec!["a".into(), "b".into()],
        vec![0.1, 0.2],
    );
    let error = BlockDesign::try_from(table.unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 datasets found, at least 2 needed by a test over several datasets"
    );
}
