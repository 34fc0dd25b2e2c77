//! The library on rows of one's own: what it gives is what sweeps give, and what it cannot give is an error.

use std::path::Path;

use counterweight::{
    BalancedError, BatchBalanced, BatchPrior, Calibrated, CostMatrix, CrossFit, Enn, Fit,
    FitResample, Focal, GaussianNaiveBayes, GradientBoosting, KNearestNeighbours, LogitAdjusted,
    LossNeeds, Matrix, Mlp, Origin, PriorThreshold, RandomUnder, Ranks, SaerensEm, Scores, Smote,
    SmoteNc, SoftmaxRegression, SoftmaxSgd, StageError, Threshold, TunedThreshold, WeightNorm,
    Weighted, confusion, from_fn,
};

/// Two overlapping classes, one of them rare.
fn rows(n: u32) -> (Vec<[f64; 2]>, Vec<&'static str>) {
    let y = |i: u32| if i.is_multiple_of(9) { "rare" } else { "usual" };
    let x = |i: u32| {
        let noise = |k: u32| f64::from(i.wrapping_mul(k) % 1009) / 1009.0;
        let shift = if y(i) == "rare" { 0.6 } else { 0.0 };
        [noise(7919) + shift, noise(104_729) + shift]
    };
    ((0..n).map(x).collect(), (0..n).map(y).collect())
}

#[test]
fn examples_are_short() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let own = [
        "advice.rs",
        "large_data.rs",
        "large_report.rs",
        "own_learner.rs",
    ];
    let mut short = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if own.iter().all(|name| !path.ends_with(name)) {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 25, "{} has {lines} lines", path.display());
            short += 1;
        }
    }
    assert!(short >= 10, "{short}");
}

#[test]
fn rows_of_any_kind_are_the_same_rows() {
    let (x, y) = rows(90);
    let first = Smote::default().seed(5).fit_resample(&x, &y).unwrap();
    let vectors: Vec<Vec<f64>> = x.iter().map(|row| row.to_vec()).collect();
    let matrix = Matrix::from_vec(90, 2, x.concat()).unwrap();
    let slices: Vec<&[f64]> = x.iter().map(<[f64; 2]>::as_slice).collect();
    for same in [
        Smote::default().seed(5).fit_resample(&vectors, &y),
        Smote::default().seed(5).fit_resample(&vectors[..], &y),
        Smote::default().seed(5).fit_resample(&matrix, &y),
        Smote::default().seed(5).fit_resample(&slices, &y),
    ] {
        assert_eq!(same.unwrap(), first);
    }
    assert_eq!(first.y.iter().filter(|class| **class == "rare").count(), 80);
    assert!(matches!(first.origins[90], Origin::Synthetic { .. }));
    assert_ne!(
        Smote::default().seed(6).fit_resample(&x, &y).unwrap(),
        first
    );
    assert_eq!(Enn::default().fit_resample(&x, &y).unwrap().rows().len(), {
        let kept = Enn::default().fit_resample(&x, &y).unwrap();
        kept.y.len()
    });
}

#[test]
fn labels_keep_their_type_and_order() {
    let x: Vec<[f64; 1]> = (0..12).map(|i| [f64::from(i)]).collect();
    let y: Vec<i64> = [10, -3, 2].iter().flat_map(|class| [*class; 4]).collect();
    let model = KNearestNeighbours::default().k(1).fit(&x, &y).unwrap();
    assert_eq!(model.classes(), [-3, 2, 10]);
    assert_eq!(model.predict(&x).unwrap(), y);
}

/// Scores under a margin of the prior are those of balanced classes: the prior of the scores says so.
#[test]
fn the_scores_know_their_prior() {
    let (x, y) = rows(180);
    let plain = SoftmaxRegression::default().fit(&x, &y).unwrap();
    let shares = plain.prior().unwrap();
    assert!((shares[0] - 20.0 / 180.0).abs() < 1e-12, "{shares:?}");
    let adjusted = SoftmaxRegression::default()
        .loss(LogitAdjusted::new(1.0))
        .fit(&x, &y)
        .unwrap();
    assert!((adjusted.prior().unwrap()[0] - 0.5).abs() < 1e-12);
    // A free intercept takes the offsets up: both differ by the prior alone.
    let (a, b) = (
        plain.probabilities(&x).unwrap(),
        adjusted.probabilities(&x).unwrap(),
    );
    let logit = |p: &Matrix, i: usize| (p.at(i, 0) / p.at(i, 1)).ln();
    for i in 0..x.len() {
        assert!((logit(&b, i) - logit(&a, i) - 8.0_f64.ln()).abs() < 1e-6);
    }
    let even = SoftmaxRegression::default()
        .resample(Smote::default())
        .fit(&x, &y)
        .unwrap();
    assert!((even.prior().unwrap()[0] - 0.5).abs() < 1e-12);
    assert!(
        SoftmaxRegression::default()
            .loss(Focal::default())
            .fit(&x, &y)
            .unwrap()
            .prior()
            .is_none()
    );
}

#[track_caller]
fn refused(result: Result<(), StageError>, words: &str) {
    let error = result.expect_err("it is refused");
    assert!(matches!(error, StageError::NotApplicable(_)), "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn what_a_learner_does_not_honour_is_refused() {
    let (x, y) = rows(90);
    let neighbours = KNearestNeighbours::default().loss(LogitAdjusted::new(1.0));
    refused(
        neighbours.fit(&x, &y).map(drop),
        "`k-nearest-neighbours` does not honour margins",
    );
    let boosting = GradientBoosting::default().loss(BatchPrior::default());
    refused(
        boosting.fit(&x, &y).map(drop),
        "`gradient-boosting` does not honour margins from minibatches",
    );
    let batches = SoftmaxRegression::default().resample(BatchBalanced::default());
    refused(
        batches.fit(&x, &y).map(drop),
        "minibatches of a changed composition",
    );
    refused(
        BatchBalanced::default().fit_resample(&x, &y).map(drop),
        "makes no rows",
    );
    refused(SmoteNc::default().fit_resample(&x, &y).map(drop), "nominal");
    let own = || {
        from_fn(|_: &Matrix, _: &[u32], k: usize| {
            Ok(move |x: &Matrix| Ok(Scores::logits(Matrix::zeros(x.rows(), k))?))
        })
    };
    refused(
        own().loss(Weighted::default()).fit(&x, &y).map(drop),
        "this learner does not honour class weights",
    );
    let weighs = LossNeeds {
        weights: true,
        ..LossNeeds::NONE
    };
    own()
        .loss(Weighted::default())
        .honouring(weighs)
        .fit(&x, &y)
        .unwrap();
    let batches = SoftmaxSgd::default()
        .updates(20)
        .resample(BatchBalanced::default());
    batches.fit(&x, &y).unwrap();
}

#[test]
fn wrong_rows_are_errors_that_say_where() {
    let (x, y) = rows(90);
    let said = |result: Result<(), StageError>| result.unwrap_err().to_string();
    let ragged = vec![vec![1.0, 2.0], vec![1.0]];
    let model = GaussianNaiveBayes::default();
    assert_eq!(
        said(model.fit(&ragged, &[1, 2]).map(drop)),
        "row 1 has 1 columns, the first has 2"
    );
    assert!(said(model.fit(&[[f64::NAN], [1.0]], &[1, 2]).map(drop)).contains("row 0 holds"));
    assert!(said(model.fit(&x, &y[1..]).map(drop)).contains("labels"));
    let fitted = model.fit(&x, &y).unwrap();
    assert_eq!(
        said(fitted.predict(&[[1.0]]).map(drop)),
        "1 columns, the model was shown 2"
    );
    assert!(confusion(&[1], &[1, 2]).is_err());
}

#[test]
fn rules_are_tuned_on_rows_that_their_models_did_not_see() {
    let (x, y) = rows(270);
    let learner = SoftmaxRegression::default();
    let error = |decided: &[&str]| {
        counterweight::balanced_error::of(&confusion(&y, decided).unwrap()).unwrap()
    };
    let plain = error(&learner.fit(&x, &y).unwrap().predict(&x).unwrap());
    let tuned = TunedThreshold::new(BalancedError)
        .cross_fit(&learner, &x, &y, 5)
        .unwrap();
    assert!(error(&tuned.predict(&x).unwrap()) < plain - 0.1, "{plain}");
    assert!(
        tuned.details().contains_key("threshold_fold_sd"),
        "{:?}",
        tuned.details()
    );
    let again = TunedThreshold::new(BalancedError)
        .cross_fit(&learner, &x, &y, 5)
        .unwrap();
    assert_eq!(tuned.details(), again.details());
    // A learner that remembers its rows would be certain of them: the tuned threshold is not.
    let nearest = KNearestNeighbours::default().k(1);
    let rule = Calibrated::default()
        .cross_fit(&nearest, &x, &y, 5)
        .unwrap();
    let p = rule.probabilities(&x).unwrap();
    assert!(
        p.iter_rows().all(|row| row[0] < 0.99),
        "calibrated by rows that it had not seen"
    );
    // Rules that need no rows, a batch, a head.
    let prior = PriorThreshold::default()
        .cross_fit(&learner, &x, &y, 5)
        .unwrap();
    assert!(error(&prior.predict(&x).unwrap()) < plain - 0.1);
    assert_eq!(
        SaerensEm::default()
            .cross_fit(&learner, &x, &y, 5)
            .unwrap()
            .predict(&x)
            .unwrap()
            .len(),
        x.len()
    );
    let costs = CostMatrix::new(&[vec![0.0, 50.0], vec![1.0, 0.0]])
        .cross_fit(&learner, &x, &y, 5)
        .unwrap();
    let rare = costs
        .predict(&x)
        .unwrap()
        .iter()
        .filter(|class| **class == "rare")
        .count();
    assert!(rare > 150, "{rare}: a missed row costs fifty");
    let two = SoftmaxRegression::default().two_vectors(true);
    assert_eq!(
        WeightNorm::default()
            .cross_fit(&two, &x, &y, 5)
            .unwrap()
            .predict(&x)
            .unwrap()
            .len(),
        x.len()
    );
    let three = ["a", "b", "c"].repeat(90);
    assert!(
        Threshold::default()
            .cross_fit(&learner, &x, &three, 5)
            .is_err(),
        "a rule for two classes"
    );
}

#[test]
fn setters_of_whole_learners_do_what_a_sweep_file_does() {
    let (x, y) = rows(120);
    let weak = SoftmaxRegression::default()
        .l2(1000.0)
        .fit(&x, &y)
        .unwrap()
        .probabilities(&x)
        .unwrap();
    let strong = SoftmaxRegression::default()
        .l2(0.001)
        .fit(&x, &y)
        .unwrap()
        .probabilities(&x)
        .unwrap();
    let spread = |p: &Matrix| p.column(0).iter().fold(0.0_f64, |most, p| most.max(*p));
    assert!(spread(&weak) < spread(&strong));
    let network = Mlp::default()
        .hidden(vec![4])
        .updates(60)
        .activation("tanh")
        .seed(2);
    let (a, b) = (network.fit(&x, &y).unwrap(), network.fit(&x, &y).unwrap());
    assert_eq!(a.probabilities(&x).unwrap(), b.probabilities(&x).unwrap());
}

#[test]
#[should_panic(expected = "`l2`: expected a number in [0, inf)")]
fn a_setter_refuses_what_a_sweep_file_could_not_say() {
    let _never = SoftmaxRegression::default().l2(-1.0);
}

#[test]
fn ranks_are_those_of_the_statistics() {
    let better = [0.9, 0.8, 0.7, 0.95, 0.85, 0.6, 0.75, 0.99];
    let worse = better.map(|value| value - 0.05);
    let ranks = Ranks::of(&[("a", worse), ("b", better)]).unwrap();
    assert_eq!(ranks.mean_ranks(), [("b", 1.0), ("a", 2.0)]);
    assert!(ranks.cliques().is_empty(), "{:?}", ranks.cliques());
    assert_eq!(
        Ranks::of_errors(&[("a", worse), ("b", better)])
            .unwrap()
            .mean_ranks()[0]
            .0,
        "a"
    );
    for wrong in [
        Ranks::of(&[("a", vec![1.0, 2.0])]),
        Ranks::of(&[("a", vec![1.0, 2.0]), ("b", vec![1.0])]),
        Ranks::of(&[("a", vec![1.0]), ("b", vec![1.0, 2.0])]),
        Ranks::of(&[("a", vec![1.0, 2.0]), ("a", vec![1.0, 2.0])]),
    ] {
        assert!(wrong.is_err());
    }
    #[cfg(feature = "plots")]
    assert!(ranks.critical_difference_svg().unwrap().starts_with("<svg"));
    let _under = RandomUnder::default();
}
