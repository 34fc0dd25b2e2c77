//! The metrics, one file each.

pub mod auroc;
pub mod average_precision;
pub mod balanced_error;
pub mod brier;
pub mod brier_reliability;
pub mod brier_resolution;
pub mod brier_uncertainty;
pub mod calibration_intercept;
pub mod calibration_slope;
pub mod ece;
pub mod error_rate;
pub mod f_beta;
pub mod few_recall;
pub mod g_mean;
pub mod kappa;
pub mod log_loss;
pub mod macro_f1;
pub mod many_recall;
pub mod mcc;
pub mod medium_recall;
pub mod minority_f1;
pub mod mutual_information;
pub mod net_benefit;
pub mod partial_auroc;
pub mod precision;
pub mod precision_at_k;
pub mod worst_recall;

use counterweight_core::MetricEntry;

/// The metrics of a record, in the order of its columns; those after `few_recall` follow the contract's.
pub const ALL: &[MetricEntry] = &[
    balanced_error::ENTRY,
    error_rate::ENTRY,
    worst_recall::ENTRY,
    g_mean::ENTRY,
    macro_f1::ENTRY,
    mcc::ENTRY,
    kappa::ENTRY,
    auroc::ENTRY,
    average_precision::ENTRY,
    brier::ENTRY,
    log_loss::ENTRY,
    ece::ENTRY,
    calibration_intercept::ENTRY,
    calibration_slope::ENTRY,
    many_recall::ENTRY,
    medium_recall::ENTRY,
    few_recall::ENTRY,
    mutual_information::ENTRY,
    brier_reliability::ENTRY,
    brier_resolution::ENTRY,
    brier_uncertainty::ENTRY,
    precision::ENTRY,
    minority_f1::ENTRY,
    f_beta::ENTRY,
    precision_at_k::ENTRY,
    partial_auroc::ENTRY,
    net_benefit::ENTRY,
];
