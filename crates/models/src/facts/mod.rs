//! What theory says of the learners, as tests: METHODS.md section 2, facts (a) to (h).

mod bias;
mod generative;
mod row_weights;
mod softmax;
