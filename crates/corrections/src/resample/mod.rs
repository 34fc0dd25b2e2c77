//! Resamplers: they change the training rows, and only those. Every row of the result says where it
//! comes from.

use counterweight_core::ResamplerEntry;

pub mod adasyn;
pub mod all_knn;
pub mod batch_balanced;
mod blend;
pub mod borderline_smote;
mod cart;
mod cleaning;
pub mod cluster_centroids;
pub mod condensed_nn;
pub mod enn;
mod growth;
pub mod instance_hardness;
mod kmeans;
pub mod kmeans_smote;
mod linkage;
pub mod mwmote;
pub mod near_miss;
pub mod neighbourhood_cleaning;
pub mod one_sided_selection;
pub mod polynom_fit_smote;
pub mod prowsyn;
pub mod random_over;
pub mod random_under;
pub mod repeated_enn;
mod room;
pub mod safe_level_smote;
pub mod smote;
pub mod smote_enn;
pub mod smote_ipf;
pub mod smote_n;
pub mod smote_nc;
pub mod smote_tomek;
pub mod strategy;
mod surroundings;
pub mod svm_smote;
pub mod tomek_links;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_chance;
#[cfg(test)]
mod contract_over;
#[cfg(test)]
mod contract_sets;
#[cfg(test)]
mod contract_under;

/// Every resampler, sorted by id.
pub const ALL: &[ResamplerEntry] = &[
    adasyn::ENTRY,
    all_knn::ENTRY,
    batch_balanced::ENTRY,
    borderline_smote::ENTRY,
    cluster_centroids::ENTRY,
    condensed_nn::ENTRY,
    enn::ENTRY,
    instance_hardness::ENTRY,
    kmeans_smote::ENTRY,
    mwmote::ENTRY,
    near_miss::ENTRY,
    neighbourhood_cleaning::ENTRY,
    one_sided_selection::ENTRY,
    polynom_fit_smote::ENTRY,
    prowsyn::ENTRY,
    random_over::ENTRY,
    random_under::ENTRY,
    repeated_enn::ENTRY,
    safe_level_smote::ENTRY,
    smote::ENTRY,
    smote_enn::ENTRY,
    smote_ipf::ENTRY,
    smote_n::ENTRY,
    smote_nc::ENTRY,
    smote_tomek::ENTRY,
    svm_smote::ENTRY,
    tomek_links::ENTRY,
];
