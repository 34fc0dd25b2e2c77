//! A model of another library as a learner.

use std::fmt;

use counterweight_core::{
    Fitted, Learner, LossTerms, Matrix, Scores, StageContext, StageResult, Train,
};

/// A learner made of a function, see [`from_fn`].
#[derive(Clone)]
pub struct Adapter<F>(F);

/// What fits by a function scores by one.
struct Closure<S>(S);

/// A learner made of a function that fits: from rows, the class of each (from 0) and the number of classes to a function
/// that scores rows. So an estimator of linfa, smartcore or any other library joins resamplers, decisions and
/// [`CrossFit`](crate::CrossFit). It honours no terms of a loss.
///
/// # Examples
/// ```
/// use counterweight::{Fit, Matrix, Scores, StageResult, from_fn};
/// let means = from_fn(|x: &Matrix, y: &[u32], k: usize| {
///     let mean = |class| {
///         let own = x.iter_rows().zip(y).filter(move |(_, y)| **y as usize == class);
///         let own: Vec<f64> = own.map(|(row, _)| row[0]).collect();
///         own.iter().sum::<f64>() / own.len() as f64
///     };
///     let means: Vec<f64> = (0..k).map(mean).collect();
///     Ok(move |x: &Matrix| {
///         let near = |i: usize, class: usize| -(x.at(i, 0) - means[class]).abs();
///         Ok(Scores::logits(Matrix::from_fn(x.rows(), means.len(), near))?)
///     })
/// });
/// let model = means.fit(&[[0.0], [1.0], [5.0]], &['a', 'a', 'b'])?;
/// assert_eq!(model.predict(&[[0.2], [4.0]])?, ['a', 'b']);
/// # Ok::<(), counterweight::StageError>(())
/// ```
pub fn from_fn<F, S>(fit: F) -> Adapter<F>
where
    F: Fn(&Matrix, &[u32], usize) -> StageResult<S> + Send + Sync + 'static,
    S: Fn(&Matrix) -> StageResult<Scores> + Send + Sync + 'static,
{
    Adapter(fit)
}

impl<F> fmt::Debug for Adapter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Adapter")
    }
}

impl<S> fmt::Debug for Closure<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure")
    }
}

impl<F, S> Learner for Adapter<F>
where
    F: Fn(&Matrix, &[u32], usize) -> StageResult<S> + Send + Sync + 'static,
    S: Fn(&Matrix) -> StageResult<Scores> + Send + Sync + 'static,
{
    fn fit(
        &self,
        train: &Train,
        _: &LossTerms,
        _: &mut StageContext<'_>,
    ) -> StageResult<Box<dyn Fitted>> {
        let samples = train.samples();
        let score = (self.0)(samples.x(), samples.y().ids(), samples.y().n_classes())?;
        Ok(Box::new(Closure(score)))
    }
}

impl<S> Fitted for Closure<S>
where
    S: Fn(&Matrix) -> StageResult<Scores> + Send + Sync + 'static,
{
    fn scores(&self, x: &Matrix) -> StageResult<Scores> {
        (self.0)(x)
    }
}
