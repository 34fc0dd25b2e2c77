//! The Bayes rule at equal priors, which minimises the balanced error.

use counterweight_core::limit;
use counterweight_core::scores::argmax_row;
use counterweight_core::{Decisions, Matrix, Population, Test, Ties};

/// The class with the largest log density of each row: the rule with the least balanced error, whatever the
/// class shares. Ties (within [`TIE`](counterweight_core::TIE)) go to the last class.
///
/// Cost: O(rows x classes) densities.
///
/// # Panics
/// When `x` has another number of columns than the population has features.
pub fn bayes_decisions(population: &dyn Population, x: &Matrix) -> Decisions {
    assert_eq!(
        x.cols(),
        population.n_features(),
        "columns of the rows and features of the population"
    );
    let k = population.n_classes();
    let even = vec![0.0; k];
    let mut log = vec![0.0; k];
    let decide = |row: &[f64]| {
        limit::ask();
        for (class, value) in log.iter_mut().enumerate() {
            *value = population.log_density(class, row);
        }
        argmax_row(&log, &even, &Ties::default())
    };
    Decisions::new(x.iter_rows().map(decide).collect())
}

/// The balanced error of the Bayes rule on the very rows of `test`: the mean of `1 - recall` over the
/// classes present. Its expectation is the least one that any rule can have; on these rows a rule may
/// be luckier, so that a regret may be negative.
///
/// `None` when fewer than two classes are present, where the balanced error has no value, or when
/// the rows are not of this population (other features or classes).
///
/// Cost: O(rows x classes) densities.
pub fn bayes_balanced_error(population: &dyn Population, test: &Test) -> Option<f64> {
    let labels = test.labels();
    let fits = test.features().cols() == population.n_features()
        && labels.n_classes() == population.n_classes();
    if !fits {
        return None;
    }
    let counts = labels.counts();
    if counts.n_present() < 2 {
        return None;
    }
    let mut wrong = vec![0_usize; counts.n_classes()];
    for (&label, &decided) in labels
        .ids()
        .iter()
        .zip(bayes_decisions(population, test.features()).as_slice())
    {
        wrong[label as usize] += usize::from(label != decided);
    }
    let errors: f64 = wrong
        .iter()
        .zip(counts.as_slice())
        .filter(|&(_, &n)| n > 0)
        .map(|(&wrong, &n)| wrong as f64 / n as f64)
        .sum();
    Some(errors / counts.n_present() as f64)
}
