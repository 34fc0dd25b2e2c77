//! What a support vector machine is made of: the space its kernel sees, and probabilities from margins.

pub(crate) mod platt;
pub(crate) mod space;
