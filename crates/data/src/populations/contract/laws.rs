//! What rows, densities, moments and Bayes errors have to do with each other, by simulation and by quadrature.

use counterweight_core::{ClassCounts, ColumnKind, Population, log_sum_exp};

use super::super::{balanced_counts, bayes_balanced_error, draw};
use super::{built, class_rows, has_codes, key, test_rows};

/// Rows that a simulation draws: 10^7 in the long form.
fn draws() -> usize {
    let asked = std::env::var("COUNTERWEIGHT_DRAWS");
    asked.map_or(40_000, |text| text.parse().unwrap())
}

#[test]
fn samples_follow_the_density() {
    // With x from p, the mean of q(x) / p(x) is 1 for every density q. A q that is narrow about a row
    // of p, and moved from row to row, keeps the ratio's variance finite and looks everywhere.
    let n = 50_000;
    for (id, population) in built() {
        let d = population.n_features();
        if has_codes(&*population) || d > 3 {
            continue;
        }
        for class in 0..population.n_classes().min(3) {
            let x = class_rows(&*population, class, n);
            let log_p: Vec<f64> = x
                .iter_rows()
                .map(|row| population.log_density(class, row))
                .collect();
            // Narrower than any class is anywhere, in the plane; in space that would leave too few rows.
            let sd = if d > 2 { 0.2_f64 } else { 0.08 };
            let mut judged = 0;
            for centre in 0..4 {
                let centre = population
                    .sample(class, 5, &mut key(99).open())
                    .row(centre)
                    .to_vec();
                let log_q = |row: &[f64]| {
                    let squares: f64 = row.iter().zip(&centre).map(|(a, b)| (a - b).powi(2)).sum();
                    -0.5 * (squares / (sd * sd) + d as f64 * (std::f64::consts::TAU * sd * sd).ln())
                };
                let ratios: Vec<f64> = x
                    .iter_rows()
                    .zip(&log_p)
                    .map(|(row, p)| (log_q(row) - p).exp())
                    .collect();
                let mean = ratios.iter().sum::<f64>() / n as f64;
                let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n as f64;
                let error = (variance / n as f64).sqrt();
                // About a row in the tails too few others lie.
                let peak = log_q(&centre);
                let near = x.iter_rows().filter(|row| log_q(row) > peak - 2.0).count();
                if error > 0.25 || near < 10 {
                    continue;
                }
                judged += 1;
                assert!(
                    (mean - 1.0).abs() < 5.0 * error,
                    "{id} {class}: {mean} +- {error}"
                );
            }
            assert!(judged > 1, "{id} {class}: the check has lost its power");
        }
    }
}

#[test]
fn moments_are_those_of_the_rows() {
    let n = draws();
    for (id, population) in built() {
        let d = population.n_features();
        if d > 12 {
            continue;
        }
        for class in 0..population.n_classes().min(4) {
            let Some((means, covariance)) = population.moments(class) else {
                assert!(id.starts_with("student-pair[df=1"), "{id} has no moments");
                continue;
            };
            // Student's fourth moments do not exist at 3 degrees of freedom, so that its errors are its rows' own.
            let x = class_rows(&*population, class, n);
            let check = |what: String, expected: f64, values: &dyn Fn(&[f64]) -> f64| {
                let values: Vec<f64> = x.iter_rows().map(values).collect();
                let mean = values.iter().sum::<f64>() / n as f64;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
                let error = 5.0 * (variance / n as f64).sqrt() + 1e-9;
                let heavy = if id.starts_with("student-pair[") {
                    0.1 * expected.abs()
                } else {
                    0.0
                };
                assert!(
                    (mean - expected).abs() < error + heavy,
                    "{id} {class} {what}: {mean} for {expected} +- {error}"
                );
            };
            for i in 0..d {
                check(format!("mean {i}"), means[i], &|row| row[i]);
                for j in 0..=i {
                    assert!(
                        (covariance[i * d + j] - covariance[j * d + i]).abs() < 1e-12,
                        "{id}"
                    );
                    let product = |row: &[f64]| (row[i] - means[i]) * (row[j] - means[j]);
                    check(
                        format!("covariance {i} {j}"),
                        covariance[i * d + j],
                        &product,
                    );
                }
            }
        }
    }
}

/// The integrals over all features of each class's density and of the largest one: by the trapezoidal rule in
/// `x = sinh t`, which is exact to rounding for smooth densities, or the sum over all codes.
fn integrals(population: &dyn Population) -> (Vec<f64>, f64) {
    let (d, k) = (population.n_features(), population.n_classes());
    let kinds = population.kinds();
    let nodes = |j: usize| -> Vec<(f64, f64)> {
        match kinds[j] {
            ColumnKind::Nominal { levels } => (0..levels).map(|l| (l as f64, 1.0)).collect(),
            ColumnKind::Numeric | ColumnKind::Indicator => {
                let step = 0.04;
                let at = |i: i32| step * f64::from(i);
                (-175..=175)
                    .map(|i| (at(i).sinh(), step * at(i).cosh()))
                    .collect()
            }
        }
    };
    let nodes: Vec<Vec<(f64, f64)>> = (0..d).map(nodes).collect();
    let (mut each, mut most) = (vec![0.0; k], 0.0);
    let mut row = vec![0.0; d];
    for point in 0..nodes.iter().map(Vec::len).product::<usize>() {
        let (mut rest, mut weight) = (point, 1.0);
        for j in 0..d {
            let (at, own) = nodes[j][rest % nodes[j].len()];
            rest /= nodes[j].len();
            row[j] = at;
            weight *= own;
        }
        let mut largest = 0.0_f64;
        for (class, sum) in each.iter_mut().enumerate() {
            let density = population.log_density(class, &row).exp();
            *sum += weight * density;
            largest = largest.max(density);
        }
        most += weight * largest;
    }
    (each, most)
}

#[test]
fn densities_integrate_to_one_and_bayes_errors_are_their_integrals() {
    for (id, population) in built() {
        // The arcs' quadrature is dear, and its own tests look closer.
        let dear = id.contains("moons") || id.contains("rings");
        let wide = !has_codes(&*population) && population.n_features() > 2;
        if wide || (dear && !id.ends_with("[]")) {
            continue;
        }
        let k = population.n_classes() as f64;
        let (each, most) = integrals(&*population);
        // Cauchy's tails end at sinh 7 here.
        let cauchy = id == "student-pair[df=1]";
        for (class, total) in each.iter().enumerate() {
            let allowed = if cauchy { 3e-3 } else { 1e-7 };
            assert!((total - 1.0).abs() < allowed, "{id} {class}: {total}");
        }
        let found = 1.0 - most / k;
        let expected = population.bayes_error().unwrap_or(found);
        // The largest density has a kink at the border.
        let allowed = if cauchy { 3e-3 } else { 1e-3 };
        assert!(
            (found - expected).abs() < allowed,
            "{id}: {found} for {expected}"
        );
        assert!(
            found > -1e-9 && found < 1.0 - 1.0 / k + 1e-9,
            "{id}: {found}"
        );
    }
}

#[test]
fn the_bayes_error_of_many_rows_is_the_exact_one() {
    for (id, population) in built() {
        let Some(expected) = population.bayes_error() else {
            assert!(
                id.starts_with("moons") || id.starts_with("clusters"),
                "{id} has none"
            );
            continue;
        };
        if population.n_features() > 12 {
            continue;
        }
        // Part by part, so that the rows fit into memory in the long form too.
        let k = population.n_classes();
        let (part, parts) = (20_000, draws().div_ceil(20_000));
        let counts = balanced_counts(part, k);
        let none = ClassCounts::new(vec![0; k]);
        let drawn = |at: usize| {
            draw(&*population, &none, &counts, &key(5).number(at))
                .unwrap()
                .1
        };
        let error = |at: usize| bayes_balanced_error(&*population, &drawn(at)).unwrap();
        let found = (0..parts).map(error).sum::<f64>() / parts as f64;
        let n = (part * parts) as f64;
        let error = 4.0 * (expected * (1.0 - expected) / n).sqrt() + 1e-9;
        assert!(
            (found - expected).abs() < error,
            "{id}: {found} for {expected} +- {error}"
        );
    }
}

#[test]
fn the_bayes_error_is_what_the_posterior_says() {
    // On balanced rows the Bayes error and the mean of 1 - max_y p(y | x) have the same expectation.
    for (id, population) in built() {
        let n = 20_000;
        if population.n_features() > 12 {
            continue;
        }
        let test = test_rows(&*population, n);
        let found = bayes_balanced_error(&*population, &test).unwrap();
        let doubt = |row: &[f64]| {
            let logs: Vec<f64> = (0..population.n_classes())
                .map(|k| population.log_density(k, row))
                .collect();
            let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            1.0 - (top - log_sum_exp(&logs)).exp()
        };
        let expected = test.features().iter_rows().map(doubt).sum::<f64>() / n as f64;
        let error = 5.0 * (expected * (1.0 - expected) / n as f64).sqrt();
        assert!(
            (found - expected).abs() < error,
            "{id}: {found} for {expected}"
        );
    }
}
