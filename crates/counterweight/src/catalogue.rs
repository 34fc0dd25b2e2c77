//! The one place where all methods meet.

use counterweight_core::Catalogue;

/// Every method of this workspace. Own ones join it with
/// [`with_learner`](Catalogue::with_learner) and [`with_resampler`](Catalogue::with_resampler).
pub const CATALOGUE: Catalogue = Catalogue {
    resamplers: counterweight_corrections::resample::ALL,
    ensembles: counterweight_corrections::ensemble::ALL,
    losses: counterweight_corrections::loss::ALL,
    decisions: counterweight_corrections::decide::ALL,
    learners: counterweight_models::ALL,
    metrics: counterweight_metrics::ALL,
    populations: counterweight_data::populations::ALL,
};
