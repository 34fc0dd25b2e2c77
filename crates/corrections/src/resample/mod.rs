//! Resamplers: they change the training rows, and only those. Every row of the result says where it
//! comes from.

use counterweight_core::ResamplerEntry;

mod growth;
pub mod random_over;
pub mod random_under;
pub mod smote;
pub mod smote_nc;
pub mod strategy;

#[cfg(test)]
mod contract;

/// Every resampler, sorted by id.
pub const ALL: &[ResamplerEntry] = &[
    random_over::ENTRY,
    random_under::ENTRY,
    smote::ENTRY,
    smote_nc::ENTRY,
];
