//! Every method under its own name. A test holds the list to the folders.

pub use counterweight_core::{
    Confusion, Details, LossNeeds, Matrix, Note, Origin, ScoreKind, Scores, StageError, StageResult,
};
pub use counterweight_corrections::decide::{
    argmax::Argmax, bbse::Bbse, calibrated::Calibrated, cost_matrix::CostMatrix,
    drop_bias::DropBias, logit_adjust::LogitAdjust, prior_shift::PriorShift,
    prior_threshold::PriorThreshold, saerens_em::SaerensEm, threshold::Threshold,
    tuned_tau::TunedTau, tuned_threshold::TunedThreshold, weight_norm::WeightNorm,
};
pub use counterweight_corrections::loss::{
    adaptive::Adaptive, batch_prior::BatchPrior, bias_init::BiasInit, cdt::Cdt,
    cross_entropy::CrossEntropy, deferred::Deferred, equalised::Equalised, focal::Focal,
    ldam::Ldam, logit_adjusted::LogitAdjusted, pairwise_margin::PairwiseMargin, vs::Vs,
    weighted::Weighted,
};
pub use counterweight_corrections::resample::{
    adasyn::Adasyn, all_knn::AllKnn, batch_balanced::BatchBalanced,
    borderline_smote::BorderlineSmote, cluster_centroids::ClusterCentroids,
    condensed_nn::CondensedNn, enn::Enn, instance_hardness::InstanceHardness,
    kmeans_smote::KmeansSmote, mwmote::Mwmote, near_miss::NearMiss,
    neighbourhood_cleaning::NeighbourhoodCleaning, one_sided_selection::OneSidedSelection,
    polynom_fit_smote::PolynomFitSmote, prowsyn::Prowsyn, random_over::RandomOver,
    random_under::RandomUnder, repeated_enn::RepeatedEnn, safe_level_smote::SafeLevelSmote,
    smote::Smote, smote_enn::SmoteEnn, smote_ipf::SmoteIpf, smote_n::SmoteN, smote_nc::SmoteNc,
    smote_tomek::SmoteTomek, svm_smote::SvmSmote, tomek_links::TomekLinks,
};
pub use counterweight_metrics::{
    BalancedError, Criterion, ErrorRate, GMean, Kappa, MacroF1, Mcc, MinorityF1, WorstRecall,
    balanced_error,
};
#[cfg(feature = "linfa")]
pub use counterweight_models::linfa::{
    linfa_adaboost::LinfaAdaboost, linfa_decision_tree::LinfaDecisionTree,
    linfa_gaussian_naive_bayes::LinfaGaussianNaiveBayes, linfa_logistic::LinfaLogistic,
    linfa_random_forest::LinfaRandomForest, linfa_svm::LinfaSvm,
};
pub use counterweight_models::own::{
    adaboost::AdaBoost, decision_tree::DecisionTree, dummy::Dummy,
    exponential_tilt::ExponentialTilt, extra_trees::ExtraTrees,
    gaussian_naive_bayes::GaussianNaiveBayes, gradient_boosting::GradientBoosting,
    k_nearest_neighbours::KNearestNeighbours, lda::Lda, mlp::Mlp,
    nearest_centroid::NearestCentroid, qda::Qda, random_forest::RandomForest,
    softmax_regression::SoftmaxRegression, softmax_sgd::SoftmaxSgd, svm::Svm,
};
#[cfg(feature = "smartcore")]
pub use counterweight_models::smartcore::{
    smartcore_decision_tree::SmartcoreDecisionTree,
    smartcore_gaussian_naive_bayes::SmartcoreGaussianNaiveBayes,
    smartcore_k_nearest_neighbours::SmartcoreKNearestNeighbours,
    smartcore_logistic::SmartcoreLogistic, smartcore_random_forest::SmartcoreRandomForest,
    smartcore_svc::SmartcoreSvc,
};
pub use counterweight_stats::StatsError;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Whatever stands in a folder's registry can be had from here.
    #[test]
    fn every_method_has_its_name() {
        let own = include_str!("names.rs");
        for folder in [
            "corrections/src/resample",
            "corrections/src/loss",
            "corrections/src/decide",
            "models/src/own",
            "models/src/linfa",
            "models/src/smartcore",
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("..")
                .join(folder);
            let registry = std::fs::read_to_string(path.join("mod.rs")).unwrap();
            let entries = registry
                .lines()
                .filter_map(|line| line.trim().strip_suffix("::ENTRY,"));
            let entries: Vec<&str> = entries.collect();
            assert!(!entries.is_empty(), "{folder}");
            for module in entries {
                assert!(own.contains(&format!("{module}::")), "{folder}: {module}");
            }
        }
    }
}
