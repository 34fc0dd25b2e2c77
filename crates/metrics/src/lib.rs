//! Metrics for imbalanced classification.
