//! What a support vector machine is made of: kernels with a cache of rows, the SMO solver, and
//! probabilities from margins.

pub(crate) mod kernel;
pub(crate) mod platt;
pub(crate) mod smo;
pub(crate) mod space;
