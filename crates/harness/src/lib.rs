//! Plans, runs and stores ablation sweeps.
