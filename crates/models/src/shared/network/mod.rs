//! Networks that are trained by minibatches: the layers, their gradient, the steps and the loop.
//!
//! A multilayer perceptron is the general case; without hidden layers it is softmax regression. All
//! parameters of a network stand in one vector, layer by layer, so that solvers, averages and copies
//! know nothing of layers.

pub(crate) mod batches;
mod cosine;
pub(crate) mod fit;
pub(crate) mod layers;
pub(crate) mod model;
pub(crate) mod monitor;
pub(crate) mod objective;
pub(crate) mod params;
pub(crate) mod shape;
pub(crate) mod solver;
pub(crate) mod train;

#[cfg(test)]
mod tests;
