//! Writes what `advise` knows of the reference, from its records, and how well advice from them does on tables that are
//! left out:
//!
//! ```text
//! cargo run --release -p counterweight --features sweep --example advice
//! ```
//!
//! Run it again whenever reports/reference was made anew; a test holds the first to the records.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use counterweight::{Evidence, believed, library, read_records};
use counterweight_core::Record;
use counterweight_stats::interval_of_mean;

/// Folds of the reference: one advises, the others judge, each in turn.
const FOLDS: u64 = 3;

/// The ways to choose an arm, in the order of their columns.
const RULES: [&str; 5] = [
    "advice: the fold and the reference",
    "the fold alone",
    "the reference alone",
    "always tune the threshold",
    "do nothing",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let records = read_records(&root.join("../../reports/reference"))?;
    let evidence = Evidence::of(&records, |_| true);
    std::fs::write(root.join("src/advise/evidence.csv"), evidence.csv())?;
    let library = library(&root.join("../.."))?;
    let cluster = |table: &str| {
        library
            .entry(table)
            .map_or(table, |entry| &entry.cluster)
            .to_owned()
    };
    let mut found: BTreeMap<String, Vec<[f64; RULES.len()]>> = BTreeMap::new();
    for (at, (table, ..)) in evidence.tables.iter().enumerate() {
        let own = cluster(table);
        let others = evidence.without(|other| cluster(other) == own);
        for fold in 0..FOLDS {
            let regrets = regrets(&records, (&evidence, at), &others, fold);
            found.entry(own.clone()).or_default().extend(regrets);
        }
    }
    std::fs::write(root.join("../../docs/ADVISE-TESTED.md"), page(&found)?)?;
    Ok(())
}

/// How much more error than the best arm has each rule's arm on the folds that judge.
fn regrets(
    records: &[Record],
    (evidence, at): (&Evidence, usize),
    others: &Evidence,
    fold: u64,
) -> Option<[f64; RULES.len()]> {
    let (table, shape, _) = &evidence.tables[at];
    let of = |wanted: &dyn Fn(u64) -> bool| {
        let own = Evidence::of(records, |r| r.dataset.as_str() == table && wanted(r.fold));
        own.tables[at].2.clone()
    };
    let (measured, judged) = (of(&|f| f == fold), of(&|f| f != fold));
    let expected = others.expected(*shape);
    let least = expected
        .iter()
        .flatten()
        .map(|e| e.mean)
        .fold(f64::INFINITY, f64::min);
    let candidates: Vec<usize> = (0..evidence.arms.len())
        .filter(|&arm| measured[arm].is_some() && judged[arm].is_some())
        .filter(|&arm| {
            let tried = ["none", "tuned-threshold"].contains(&evidence.arms[arm].1.as_str());
            let near = |e: &counterweight::Expected| e.mean - 2.0 * e.error <= least + 0.01;
            tried || expected[arm].as_ref().is_some_and(near)
        })
        .collect();
    let mean = |value: &dyn Fn(usize) -> Option<f64>| {
        candidates.iter().filter_map(|arm| value(*arm)).sum::<f64>() / candidates.len() as f64
    };
    let measured_mean = mean(&|arm| measured[arm]);
    let expected_mean = mean(&|arm| expected[arm].map(|e| e.mean));
    let error = |arm: usize| {
        let (model, correction) = &evidence.arms[arm];
        let own = records.iter().find(|r| {
            r.dataset.as_str() == table
                && r.fold == fold
                && r.model.split('[').next() == Some(model)
                && r.correction.as_str() == correction
        });
        own.map_or(1.0, standard_error)
    };
    let value = |rule: usize, arm: usize| -> f64 {
        let expected = expected[arm].map(|e| counterweight::Expected {
            mean: e.mean - expected_mean,
            ..e
        });
        let measured = measured[arm].unwrap_or(1.0) - measured_mean;
        match rule {
            1 => measured,
            2 => expected.map_or(f64::INFINITY, |e| e.mean),
            _ => believed(expected, measured, error(arm)),
        }
    };
    let best = judged
        .iter()
        .flatten()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let mut found = [0.0; RULES.len()];
    for (rule, regret) in found.iter_mut().enumerate() {
        let among = candidates.iter().filter(|arm| match rule {
            3 => evidence.arms[**arm].1 == "tuned-threshold",
            4 => evidence.arms[**arm].1 == "none",
            _ => true,
        });
        let chosen = among.min_by(|a, b| value(rule, **a).total_cmp(&value(rule, **b)))?;
        *regret = judged[*chosen]? - best;
    }
    Some(found)
}

/// Of a balanced error, by the binomial law of each recall.
fn standard_error(record: &Record) -> f64 {
    let recalls = record.recalls.iter().zip(&record.test_counts);
    let known = recalls.filter_map(|(recall, n)| Some(((*recall)?, *n as f64)));
    let (sum, k) = known.fold((0.0, 0.0), |(sum, k), (recall, n)| {
        // Recalls of 0 and 1 on few rows are no certainty.
        let smoothed = (recall * n + 1.0) / (n + 2.0);
        (sum + smoothed * (1.0 - smoothed) / n, k + 1.0)
    });
    sum.sqrt() / f64::max(k, 1.0)
}

/// Regrets by cluster of related tables as a page.
fn page(found: &BTreeMap<String, Vec<[f64; RULES.len()]>>) -> Result<String, Box<dyn Error>> {
    let by_cluster = |value: &dyn Fn(&[f64; RULES.len()]) -> f64| -> Vec<f64> {
        let mean =
            |all: &Vec<[f64; RULES.len()]>| all.iter().map(value).sum::<f64>() / all.len() as f64;
        found
            .values()
            .filter(|all| !all.is_empty())
            .map(mean)
            .collect()
    };
    let shown = |values: &[f64]| -> Result<String, Box<dyn Error>> {
        let mean = 100.0 * values.iter().sum::<f64>() / values.len() as f64;
        let interval = interval_of_mean(values)?;
        let ends = interval.map(|i| format!(" [{:.2}, {:.2}]", 100.0 * i.lower, 100.0 * i.upper));
        Ok(format!("{mean:.2}{}", ends.unwrap_or_default()))
    };
    let mut text = format!(
        "# Advice on tables that are left out\n\n\
         Written by `cargo run --release -p counterweight --features sweep --example advice` from the records of reports/reference alone. Each of its {}\n\
         clusters of related real tables is left out of the evidence in turn. The reference has one repeat of {FOLDS} folds, so one fold\n\
         of a table advises and the others judge, each fold in turn; `advise` itself has five folds and more repeats. All rules\n\
         choose among the arms that the evidence does not rule out, by the same fold; errors on the judging folds are balanced errors,\n\
         in points. The best arm is the best on the judging folds themselves, so that some regret is luck that no rule can have.\n\
         95 % intervals over clusters; a negative difference is in favour of the rule.\n\n\
         | rule | regret to the best arm | less always tuning the threshold | less doing nothing |\n\
         |---|---:|---:|---:|\n",
        found.len()
    );
    for (rule, name) in RULES.iter().enumerate() {
        let against = |other: usize| {
            if rule == other {
                return Ok(String::new());
            }
            shown(&by_cluster(&|regrets| regrets[rule] - regrets[other]))
        };
        let regret = shown(&by_cluster(&|regrets| regrets[rule]))?;
        writeln!(
            text,
            "| {name} | {regret} | {} | {} |",
            against(3)?,
            against(4)?
        )?;
    }
    Ok(text)
}
