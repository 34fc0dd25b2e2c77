//! What theory says of learners that train by minibatches.

use counterweight_core::{Later, LossTerms, ParamValue, Train};

use crate::testing::{fit, gap};

mod losses;
mod training;

const BOTH: [&str; 2] = ["mlp", "softmax-sgd"];

type Given<'a> = Vec<(&'a str, ParamValue)>;

fn whole(value: i64) -> ParamValue {
    ParamValue::Whole(value)
}

fn text(word: &str) -> ParamValue {
    ParamValue::Text(word.into())
}

fn log_shares(counts: &[usize]) -> Vec<f64> {
    let n: usize = counts.iter().sum();
    counts.iter().map(|&c| (c as f64 / n as f64).ln()).collect()
}

fn batch_tau(k: usize, tau: f64) -> LossTerms {
    LossTerms {
        batch_tau: Some(tau),
        ..LossTerms::cross_entropy(k)
    }
}

fn deferred(first: LossTerms, then: &LossTerms, at: f64) -> LossTerms {
    LossTerms {
        later: Some(Box::new(Later {
            at,
            terms: then.clone(),
        })),
        ..first
    }
}

/// Largest gap of probabilities on the training rows under two losses, with these parameters.
fn between(id: &str, given: &Given<'_>, data: &Train, a: &LossTerms, b: &LossTerms) -> f64 {
    let x = data.samples().x();
    let of = |terms: &LossTerms| fit(id, given, data, terms).scores(x);
    gap(&of(a), &of(b))
}
