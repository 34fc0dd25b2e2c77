//! Agreement with the reference implementations, through the files that
//! `tests/goldens/stats/make_goldens.py` wrote. Each file carries its tolerance.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test may fail it"
)]

use counterweight_stats::{
    Alternative, BayesianOptions, BlockDesign, BootstrapOptions, CompleteTable, Dataset, Direction,
    IntervalMethod, Level, PairedDifferences, PlannedTest, PowerOptions, TestShare, TieCorrection,
    WilcoxonMethod, WilcoxonOptions, ZeroTreatment, bayesian_signed_rank, bonferroni_dunn_cd,
    bootstrap_mean, corrected_t, friedman, holm, iman_davenport, mean_ranks, nemenyi_cd, power,
    studentized_range_quantile, studentized_range_sf, wilcoxon,
};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/goldens/stats");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is not a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn cases(golden: &Value) -> &[Value] {
    let cases = golden["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

/// Absolute below 1, relative above.
#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let gap = (found - expected).abs() / expected.abs().max(1.0);
    assert!(
        gap <= tolerance,
        "{what}: {found} found, {expected} expected, off by {gap:e}"
    );
}

fn design(direction: Direction, table: &Value) -> BlockDesign {
    let lines: Vec<Vec<f64>> = table.as_array().unwrap().iter().map(numbers).collect();
    let datasets = (0..lines.len())
        .map(|i| Dataset::independent(format!("d{i}")))
        .collect();
    let methods = (0..lines[0].len()).map(|i| format!("m{i}")).collect();
    let table = CompleteTable::new(direction, datasets, methods, lines.concat()).unwrap();
    BlockDesign::try_from(table).unwrap()
}

#[test]
fn demsar_example() {
    let golden = golden("demsar");
    let ranked = design(Direction::HigherIsBetter, &golden["ranked"]);
    let printed = &golden["printed"];
    let tolerance = number(&golden["tolerance"]["printed"]);
    let classical = friedman(&ranked, TieCorrection::Classical).unwrap();
    close(
        classical.statistic,
        number(&printed["chi2"]),
        tolerance,
        "chi2",
    );
    let f = iman_davenport(&classical);
    close(f.statistic.unwrap(), number(&printed["f"]), tolerance, "F");
    assert_eq!(f.df, (3, 39));
    let cd = nemenyi_cd(4, 14, Level::FIVE_PERCENT).unwrap();
    close(cd, number(&printed["nemenyi_cd"]), tolerance, "Nemenyi");
    let cd = bonferroni_dunn_cd(4, 14, Level::FIVE_PERCENT).unwrap();
    close(
        cd,
        number(&printed["bonferroni_dunn_cd"]),
        tolerance,
        "Bonferroni-Dunn",
    );
    let ranking = mean_ranks(ranked.table()).unwrap();
    for (found, expected) in ranking
        .mean_ranks()
        .iter()
        .zip(numbers(&printed["mean_ranks"]))
    {
        close(*found, expected, tolerance, "mean rank");
    }
    let tolerance = number(&golden["tolerance"]["scipy"]);
    let table = design(Direction::HigherIsBetter, &golden["auc"]);
    let corrected = friedman(&table, TieCorrection::Corrected).unwrap();
    close(
        corrected.statistic,
        number(&golden["scipy"]["chi2"]),
        tolerance,
        "corrected chi2",
    );
    close(
        corrected.p_value,
        number(&golden["scipy"]["p"]),
        tolerance,
        "corrected p",
    );
}

#[test]
fn friedman_is_scipys() {
    let golden = golden("friedman");
    let tolerance = number(&golden["tolerance"]);
    for case in cases(&golden) {
        let design = design(Direction::LowerIsBetter, &case["table"]);
        let found = friedman(&design, TieCorrection::Corrected).unwrap();
        close(found.statistic, number(&case["chi2"]), tolerance, "chi2");
        close(found.p_value, number(&case["p"]), tolerance, "p");
        for (rank, expected) in found.mean_ranks.iter().zip(numbers(&case["mean_ranks"])) {
            close(*rank, expected, tolerance, "mean rank");
        }
        let f = iman_davenport(&found);
        close(f.statistic.unwrap(), number(&case["f"]), tolerance, "F");
        close(f.p_value, number(&case["f_p"]), tolerance, "p of F");
    }
}

#[test]
fn wilcoxon_is_scipys_under_every_treatment() {
    let golden = golden("wilcoxon");
    let tolerance = number(&golden["tolerance"]);
    for case in cases(&golden) {
        let what = format!(
            "{} {} {} {} {}",
            case["name"], case["zeros"], case["alternative"], case["method"], case["continuity"]
        );
        let name = case["name"].as_str().unwrap();
        let exact = case["method"] == "exact";
        let options = WilcoxonOptions {
            zeros: match case["zeros"].as_str().unwrap() {
                "wilcox" => ZeroTreatment::Wilcox,
                "pratt" => ZeroTreatment::Pratt,
                _ => ZeroTreatment::ZSplit,
            },
            alternative: match case["alternative"].as_str().unwrap() {
                "less" => Alternative::Less,
                "greater" => Alternative::Greater,
                _ => Alternative::TwoSided,
            },
            exact_up_to: if exact { 50 } else { 0 },
            continuity: case["continuity"].as_bool().unwrap(),
            resolution: None,
        };
        let found = wilcoxon(&numbers(&golden["samples"][name]), options).unwrap();
        assert_eq!(found.method == WilcoxonMethod::Exact, exact, "{what}");
        let statistic = match options.alternative {
            Alternative::TwoSided => found.statistic(),
            Alternative::Less | Alternative::Greater => found.w_plus,
        };
        close(statistic, number(&case["statistic"]), tolerance, &what);
        close(found.p_value, number(&case["p"]), tolerance, &what);
    }
}

#[test]
fn holm_is_statsmodels() {
    let golden = golden("holm");
    let tolerance = number(&golden["tolerance"]);
    let level = number(&golden["level"]);
    for case in cases(&golden) {
        let found = holm(&numbers(&case["p"])).unwrap();
        for (found, expected) in found.iter().zip(numbers(&case["adjusted"])) {
            close(*found, expected, tolerance, "adjusted p");
        }
        let rejected: Vec<bool> = found.iter().map(|p| *p <= level).collect();
        assert_eq!(serde_json::json!(rejected), case["reject"]);
    }
}

#[test]
fn the_studentised_range_is_scipys() {
    let golden = golden("studentized_range");
    let tolerance = number(&golden["tolerance"]["quantile"]);
    for case in golden["quantiles"].as_array().unwrap() {
        let level = Level::new(number(&case["alpha"])).unwrap();
        let found = studentized_range_quantile(level, count(&case["k"])).unwrap();
        close(found, number(&case["q"]), tolerance, &case.to_string());
    }
    let tolerance = number(&golden["tolerance"]["tail"]);
    for case in golden["tails"].as_array().unwrap() {
        let found = studentized_range_sf(number(&case["q"]), count(&case["k"])).unwrap();
        close(found, number(&case["sf"]), tolerance, &case.to_string());
    }
}

#[test]
fn the_signed_rank_posterior_is_baycomps() {
    let golden = golden("bayesian_signed_rank");
    let probability = number(&golden["tolerance"]["probability"]);
    let mean = number(&golden["tolerance"]["mean"]);
    for case in cases(&golden) {
        let options = BayesianOptions {
            rope: number(&case["rope"]),
            prior_strength: number(&case["prior_strength"]),
            draws: 100_000,
            ..BayesianOptions::default()
        };
        let found = bayesian_signed_rank(&numbers(&case["differences"]), options).unwrap();
        close(found.p_below, number(&case["below"]), probability, "below");
        close(found.p_rope, number(&case["rope_p"]), probability, "rope");
        close(found.p_above, number(&case["above"]), probability, "above");
        close(
            found.mean.0,
            number(&case["mean_below"]),
            mean,
            "mean below",
        );
        close(found.mean.1, number(&case["mean_rope"]), mean, "mean rope");
        close(
            found.mean.2,
            number(&case["mean_above"]),
            mean,
            "mean above",
        );
    }
}

#[test]
fn the_corrected_t_is_baycomps() {
    let golden = golden("corrected_t");
    let tolerance = number(&golden["tolerance"]);
    for case in cases(&golden) {
        let share = TestShare::from_folds(count(&case["folds"])).unwrap();
        let found =
            corrected_t(&numbers(&case["differences"]), share, Level::FIVE_PERCENT).unwrap();
        close(found.statistic, number(&case["t"]), tolerance, "t");
        close(found.p_value, number(&case["p"]), tolerance, "p");
        close(found.lower, number(&case["lower"]), tolerance, "lower");
        close(found.upper, number(&case["upper"]), tolerance, "upper");
    }
}

#[test]
fn the_power_is_the_noncentral_t() {
    let golden = golden("power");
    let tolerance = number(&golden["tolerance"]);
    for case in cases(&golden) {
        let n = count(&case["n"]);
        let options = PowerOptions {
            level: Level::new(number(&case["alpha"])).unwrap(),
            test: PlannedTest::PairedT,
            ..PowerOptions::default()
        };
        let error = 1.0 / (n as f64).sqrt();
        let found = power(number(&case["effect"]), error, n, options).unwrap();
        close(found, number(&case["power"]), tolerance, &case.to_string());
    }
}

#[test]
fn the_bca_interval_is_scipys() {
    let golden = golden("bootstrap_bca");
    let tolerance = number(&golden["tolerance"]);
    for case in cases(&golden) {
        let differences = PairedDifferences::independent(numbers(&case["values"])).unwrap();
        let options = BootstrapOptions {
            draws: 100_000,
            method: IntervalMethod::Bca,
            ..BootstrapOptions::default()
        };
        let found = bootstrap_mean(&differences, options).unwrap();
        let (lower, upper) = (number(&case["lower"]), number(&case["upper"]));
        let slack = tolerance * (upper - lower);
        assert!((found.lower - lower).abs() <= slack, "{found:?} {case}");
        assert!((found.upper - upper).abs() <= slack, "{found:?} {case}");
    }
}
