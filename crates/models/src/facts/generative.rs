//! What theory says of the generative learners: priors, class weights and post-hoc offsets are one and
//! the same there.

use counterweight_core::{LossTerms, Matrix, ParamValue, Prior, SmallClass, StageError};

use crate::testing::{blobs, fit, gap, learner, train, try_fit, weighted};

const GENERATIVE: [&str; 4] = ["gaussian-naive-bayes", "lda", "nearest-centroid", "qda"];
const WITH_PRIORS: [&str; 3] = ["lda", "nearest-centroid", "qda"];

fn data() -> (Matrix, Vec<u32>, Matrix, [usize; 3]) {
    let counts = [70, 25, 12];
    let (x, y) = blobs(70, &counts, 4);
    (x, y, blobs(71, &[40, 40, 40], 4).0, counts)
}

fn priors(values: &[f64]) -> ParamValue {
    ParamValue::List(values.iter().map(|&v| ParamValue::Real(v)).collect())
}

#[test]
fn post_hoc_adjustment_at_tau_1_equals_uniform_priors() {
    let (x, y, fresh, counts) = data();
    let train = train(&x, &y, 3);
    let terms = LossTerms::cross_entropy(3);
    let shares = Prior::from_weights(counts.map(|n| n as f64).to_vec()).unwrap();
    let uniform = [("priors", ParamValue::Text("uniform".into()))];
    for id in WITH_PRIORS {
        let plain = fit(id, &[], &train, &terms).scores(&fresh);
        let even = fit(id, &uniform, &train, &terms);
        assert!(
            !even.notes.is_empty(),
            "{id}: other priors are remarked upon"
        );
        let even = even.scores(&fresh);
        let shifted = plain
            .shift_prior(&shares, &Prior::uniform(3).unwrap())
            .unwrap();
        assert!(gap(&shifted, &even) < 1e-12, "{id}");
        let adjusted = plain
            .argmax(&shares.logs(), &counterweight_core::Ties::default())
            .unwrap();
        assert_eq!(
            adjusted,
            even.argmax(&[0.0; 3], &counterweight_core::Ties::default())
                .unwrap(),
            "{id}"
        );
        assert_ne!(
            adjusted,
            plain
                .argmax(&[0.0; 3], &counterweight_core::Ties::default())
                .unwrap(),
            "{id}: the data decide nothing"
        );
    }
}

#[test]
fn class_weights_are_a_change_of_priors() {
    let (x, y, fresh, counts) = data();
    let train = train(&x, &y, 3);
    let weights = [0.4, 1.5, 6.0];
    let terms = weighted(&weights);
    let seen = train.counts();
    for id in GENERATIVE {
        let plain = fit(id, &[], &train, &LossTerms::cross_entropy(3)).scores(&fresh);
        let by_weight = fit(id, &[], &train, &terms).scores(&fresh);
        let from = LossTerms::cross_entropy(3).scores_prior(&seen).unwrap();
        let to = terms.scores_prior(&seen).unwrap();
        let shifted = plain.shift_prior(&from, &to).unwrap();
        assert!(gap(&by_weight, &shifted) < 1e-12, "{id}");
    }
    let products: Vec<f64> = counts
        .iter()
        .zip(weights)
        .map(|(&n, w)| n as f64 * w)
        .collect();
    for id in WITH_PRIORS {
        let by_weight = fit(id, &[], &train, &terms).scores(&fresh);
        let given = [("priors", priors(&products))];
        let by_prior = fit(id, &given, &train, &LossTerms::cross_entropy(3)).scores(&fresh);
        assert!(gap(&by_weight, &by_prior) < 1e-12, "{id}");
        // Weights multiply priors that are given.
        let twice = fit(id, &given, &train, &terms).scores(&fresh);
        let squares: Vec<f64> = products.iter().zip(weights).map(|(p, w)| p * w).collect();
        let given = [("priors", priors(&squares))];
        let once = fit(id, &given, &train, &LossTerms::cross_entropy(3)).scores(&fresh);
        assert!(gap(&twice, &once) < 1e-12, "{id}");
    }
}

#[test]
fn priors_of_another_number_than_classes_are_an_error() {
    let (x, y, _, _) = data();
    let train = train(&x, &y, 3);
    for id in WITH_PRIORS {
        let learner = learner(id, &[("priors", priors(&[0.5, 0.5]))]);
        let terms = LossTerms::cross_entropy(3);
        let ended = try_fit(&*learner, &train, &terms, SmallClass::Clamp);
        assert!(matches!(ended, Err(StageError::Failed(text)) if text.contains("2 numbers for 3")));
    }
}
