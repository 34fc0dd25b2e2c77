//! Densities and Bayes errors beside those of scipy.

use counterweight_core::{ParamValue, Population, find, params};

use super::super::ALL;
use super::golden;

/// A population with these parameters; whole numbers where the parameter is one.
fn with(id: &str, given: &[(&str, f64)]) -> Box<dyn Population> {
    let entry = find(ALL, id).unwrap();
    let value = |&(key, value): &(&str, f64)| {
        let spec = entry
            .card
            .params
            .iter()
            .find(|spec| spec.name == key)
            .unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
        let whole = ParamValue::Whole(value as i64);
        let real = ParamValue::Real(value);
        let value = if spec.check(&real).is_ok() {
            real
        } else {
            whole
        };
        (key.to_owned(), value)
    };
    let params = params::check(entry.card.params, &given.iter().map(value).collect()).unwrap();
    (entry.build)(&params).unwrap()
}

#[test]
fn densities_are_those_of_scipy() {
    let close =
        |found: f64, expected: f64| (found - expected).abs() < 1e-10 * expected.abs().max(1.0);
    for [df, x, y, _, expected] in golden("student-density") {
        let found = with("student-pair", &[("df", df)]).log_density(1, &[x, y]);
        assert!(
            close(found, expected),
            "{df} {x} {y}: {found} for {expected}"
        );
    }
    for [class, noise, x, y, expected] in golden("rings-density") {
        let rings = with("rings", &[("noise", noise)]);
        let found = rings.log_density(usize::from(class > 0.5), &[x, y]);
        assert!(
            close(found, expected),
            "{class} {noise} {x} {y}: {found} for {expected}"
        );
    }
}

#[test]
fn bayes_errors_are_those_of_scipy() {
    for (what, id, keys) in [
        ("student-bayes", "student-pair", &["df", "separation"][..]),
        ("wide-bayes", "heteroscedastic", &["dim", "spread"]),
        (
            "circle-bayes",
            "gaussian-circle",
            &["classes", "separation"],
        ),
        ("rings-bayes", "rings", &["noise"]),
        ("board-bayes", "checkerboard", &["cells", "dim", "noise"]),
        (
            "discrete-bayes",
            "discrete",
            &["classes", "features", "levels", "strength"],
        ),
    ] {
        for row in golden(what) {
            let given: Vec<(&str, f64)> = keys.iter().copied().zip(row).collect();
            let found = with(id, &given).bayes_error().unwrap();
            assert!(
                (found - row[4]).abs() < 1e-10,
                "{id} {given:?}: {found} for {}",
                row[4]
            );
        }
    }
}
