//! Synthetic populations with exact densities, imbalance profiles, splits and preprocessing.
