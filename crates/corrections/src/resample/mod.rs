//! Resamplers: they change the training rows, and only those. Every row of the result says where it
//! comes from.

use counterweight_core::ResamplerEntry;

pub mod all_knn;
mod cleaning;
pub mod condensed_nn;
pub mod enn;
mod growth;
pub mod near_miss;
pub mod neighbourhood_cleaning;
pub mod one_sided_selection;
pub mod random_over;
pub mod random_under;
pub mod repeated_enn;
pub mod smote;
pub mod smote_nc;
pub mod strategy;
pub mod tomek_links;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_under;

/// Every resampler, sorted by id.
pub const ALL: &[ResamplerEntry] = &[
    all_knn::ENTRY,
    condensed_nn::ENTRY,
    enn::ENTRY,
    near_miss::ENTRY,
    neighbourhood_cleaning::ENTRY,
    one_sided_selection::ENTRY,
    random_over::ENTRY,
    random_under::ENTRY,
    repeated_enn::ENTRY,
    smote::ENTRY,
    smote_nc::ENTRY,
    tomek_links::ENTRY,
];
