//! What gradient boosting is made of: the loss by rounds, the rows and columns of a round, the rounds
//! themselves, and the sum of trees that they leave.

pub(crate) mod model;
pub(crate) mod objective;
pub(crate) mod rounds;
pub(crate) mod sampling;
