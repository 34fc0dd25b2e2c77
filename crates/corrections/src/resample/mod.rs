//! Resamplers: they change the training rows, and only those. Every row of the result says where it
//! comes from.

use counterweight_core::ResamplerEntry;

pub mod adasyn;
mod blend;
pub mod borderline_smote;
mod cart;
mod growth;
mod kmeans;
pub mod kmeans_smote;
mod linkage;
pub mod mwmote;
pub mod polynom_fit_smote;
pub mod prowsyn;
pub mod random_over;
pub mod random_under;
pub mod safe_level_smote;
mod smo;
pub mod smote;
pub mod smote_ipf;
pub mod smote_n;
pub mod smote_nc;
pub mod strategy;
mod surroundings;
pub mod svm_smote;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod over_contract;

/// Every resampler, sorted by id.
pub const ALL: &[ResamplerEntry] = &[
    adasyn::ENTRY,
    borderline_smote::ENTRY,
    kmeans_smote::ENTRY,
    mwmote::ENTRY,
    polynom_fit_smote::ENTRY,
    prowsyn::ENTRY,
    random_over::ENTRY,
    random_under::ENTRY,
    safe_level_smote::ENTRY,
    smote::ENTRY,
    smote_ipf::ENTRY,
    smote_n::ENTRY,
    smote_nc::ENTRY,
    svm_smote::ENTRY,
];
