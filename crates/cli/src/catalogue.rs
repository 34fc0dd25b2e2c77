//! The one place where all methods meet.

use counterweight_core::Catalogue;

/// Every method that a sweep may name.
pub(crate) const CATALOGUE: Catalogue = Catalogue {
    resamplers: counterweight_corrections::resample::ALL,
    ensembles: counterweight_corrections::ensemble::ALL,
    losses: counterweight_corrections::loss::ALL,
    decisions: counterweight_corrections::decide::ALL,
    learners: counterweight_models::ALL,
    metrics: counterweight_metrics::ALL,
    populations: counterweight_data::populations::ALL,
};
