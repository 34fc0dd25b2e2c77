//! What the learners share.

pub(crate) mod constant;
pub(crate) mod kernel;
pub(crate) mod linalg;
pub(crate) mod linear;
pub(crate) mod optimise;
pub(crate) mod task;
