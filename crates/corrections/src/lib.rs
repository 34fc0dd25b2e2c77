//! Resamplers, losses and decisions for imbalanced classification.
