//! SVM-SMOTE: new rows along the border that a support vector machine finds. From support vectors in
//! danger they go inwards, to their neighbours; from safe ones outwards, away from them.
//!
//! # When it helps, when it hurts
//!
//! It widens the class where the border allows it and firms it up where the others press, so it does
//! best on classes that meet along one smooth border. With much overlap nearly every row is a support
//! vector and it becomes `smote` with a random sign; fitting the machine is by far the slowest part.
//!
//! # Formula
//!
//! Support vectors: rows of class c with a positive multiplier in any of the C = 1 soft-margin machines
//! of c against one other class, kernel `exp(-g |a - b|^2)` with `1 / g` = columns times the variance of
//! all values. With `m_i` the rows of other classes among the m nearest neighbours of support vector i in
//! the whole training set: noise when `m_i = m` (dropped), danger when `m/2 <= m_i < m`, else safe.
//! A share of about a half (drawn from Beta(10, 10)) of the rows starts from vectors in danger,
//! `x_i + u (x_j - x_i)`, the others from safe ones, `x_i - out_step u (x_j - x_i)`; j uniform over the k
//! nearest neighbours of i within the class, one `u ~ U[0, 1)` a row.
//!
//! # Cost
//!
//! O(s n d) for s steps of the machine (about n of them) over n rows of d columns, a pair of classes;
//! kernel rows of up to 200 MB are kept. The support vectors are found once a training set.
//!
//! # Differences
//!
//! * Which rows are support vectors, in danger and noise follow imbalanced-learn 0.14 with its default
//!   machine (scikit-learn's `SVC`: one against one, tolerance 1e-3); a multiplier within the tolerance of 0
//!   can come out differently. Only machines that the class takes part in are fitted.
//! * Where all support vectors are safe, or all in danger, they get all new rows; imbalanced-learn makes
//!   only their share, about half of what was asked.
//! * Where all support vectors are noise, imbalanced-learn raises an error. Here the class stays as it is
//!   and a note says so; when no class could be enlarged the method is not applicable.
//! * The paper fits the machine to two classes and picks a direction for each neighbour in turn.
//! * k and m beyond the rows that there are follow `small_class`; the row of a class with a single one is
//!   copied. Nominal columns are refused: the kernel has no meaning for them.
//!
//! # Errors
//!
//! Those of [`strategy`](super::strategy) and of the `small_class` policy; [`StageError::NotApplicable`] for nominal columns,
//! and when every support vector of the classes that should grow is noise; [`StageError::Failed`] for
//! values that are not finite or overflow.
//!
//! # Examples
//!
//! ```
//! use counterweight_core::{
//!     Deadline, Labels, Matrix, ParamValue, Partition, Samples, Seed, Shared, SmallClass,
//!     StageContext, find, params,
//! };
//! let x = Matrix::from_vec(10, 1, vec![0., 1., 2., 3., 4., 5., 7., 8., 9., 10.])?;
//! let y = Labels::from_texts(&["a", "a", "a", "a", "a", "a", "b", "b", "b", "b"]);
//! let samples = Samples::numeric(x, y)?;
//! let (train, _) = Partition::new(10, (0..10).collect(), vec![])?.cut_samples(&samples)?;
//!
//! let entry = find(counterweight_corrections::resample::ALL, "svm-smote").expect("it is listed");
//! let given = [("m", 3), ("k", 2)].map(|(key, value)| (key.to_owned(), ParamValue::Whole(value)));
//! let params = params::check(entry.card.params, &given.into()).expect("they are valid");
//! let shared = Shared::default();
//! let stream = Seed(7).stage("resample").open();
//! let mut context = StageContext::new(stream, SmallClass::Clamp, Deadline::NEVER, &shared);
//! let even = (entry.build)(&params)?.resample(&train, &mut context)?;
//! assert_eq!(even.counts().as_slice(), [6, 6]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! H. M. Nguyen, E. W. Cooper and K. Kamei, "Borderline over-sampling for imbalanced data
//! classification", International Journal of Knowledge Engineering and Soft Data Paradigms 3, 2011.
//! R.-E. Fan, P.-H. Chen and C.-J. Lin, "Working set selection using second order information for
//! training support vector machines", Journal of Machine Learning Research 6, 2005.

use std::sync::Arc;

use counterweight_core::{
    Matrix, NewRows, Range, Resampler, ResamplerCaps, ResamplerEntry, StageContext, StageError,
    StageResult, Train, parameters,
};
use rand::RngExt as _;
use rand_distr::Beta;

use super::blend::refuse_nominal;
use super::growth::{between, grow};
use super::room::Room;
use super::strategy::Grow;
use super::surroundings::{Standing, Surroundings};
use counterweight_numeric::kernel_rows::{CACHE_BYTES, Kernel, KernelRows};
use counterweight_numeric::neighbours::{self, Metric, Pool, Search};
use counterweight_numeric::smo::solve;

/// Gap between the most violating pair at which the optimum counts as found.
const TOLERANCE: f64 = 1e-3;

parameters! {
    /// SVM-SMOTE with checked parameters.
    pub struct SvmSmote {
        /// how many rows of each class to end with
        strategy: Grow = "auto";
        /// nearest neighbours of the same class to interpolate towards
        k: usize = 5, in Range::AT_LEAST_ONE, probe [1];
        /// nearest neighbours of any class that decide whether a row is in danger
        m: usize = 10, in Range::AT_LEAST_ONE, probe [3, 20];
        /// how far outwards safe support vectors reach, in distances to a neighbour
        out_step: f64 = 0.5, in Range::new(0.0, true, 1.0, true), probe [0.0], beside [m: usize = 1];
    }
}

impl Resampler for SvmSmote {
    fn resample(&self, train: &Train, context: &mut StageContext<'_>) -> StageResult<Train> {
        let samples = train.samples();
        refuse_nominal(samples, "svm-smote")?;
        let mut made = vec![0.0; samples.x().cols()];
        grow(train, &self.strategy, context, |of, growth, context| {
            let Some(k) = of.neighbours(self.k, growth, context)? else {
                return Ok(());
            };
            let of_class = (of.class, Metric::Euclidean);
            let around = Surroundings::of(train, of_class, ("m", self.m), context)?;
            let support = support(train, of.class, context)?;
            let stand = |wanted: Standing| -> Vec<usize> {
                let rows = support.iter().copied();
                rows.filter(|&at| around.standing(at) == wanted).collect()
            };
            let (danger, safe) = (stand(Standing::Danger), stand(Standing::Safe));
            if danger.is_empty() && safe.is_empty() {
                growth.leave(
                    format!(
                        "all {} support vectors of class {} have only others among their {} \
                         neighbours: it stays at {} rows",
                        support.len(),
                        of.name,
                        around.m,
                        of.rows.len()
                    ),
                    context,
                );
                return Ok(());
            }
            let inwards = share(of.missing, context);
            let inwards = match (danger.is_empty(), safe.is_empty()) {
                (true, _) => 0,
                (_, true) => of.missing,
                _ => inwards,
            };
            let search = Search::within(of.class, Metric::Euclidean, k);
            let lists = neighbours::shared(train, &search, context)?;
            for new in 0..of.missing {
                context.deadline.check()?;
                let (starts, outwards) = if new < inwards {
                    (&danger, false)
                } else {
                    (&safe, true)
                };
                let at = starts[context.stream.random_range(0..starts.len())];
                let base = of.rows[at];
                let other = lists.of(at)[context.stream.random_range(0..k)];
                let u: f64 = context.stream.random();
                let ends = samples.x().row(base).iter().zip(samples.x().row(other));
                for (value, (&from, &to)) in made.iter_mut().zip(ends) {
                    *value = if outwards {
                        from - self.out_step * u * (to - from)
                    } else {
                        between(from, to, u)
                    };
                }
                if made.iter().any(|value| !value.is_finite()) {
                    return Err(StageError::Failed(
                        "a step outwards overflows; scale the columns first".into(),
                    ));
                }
                growth.made(base, other, &made);
            }
            Ok(())
        })
    }
}

/// How many of the rows start from vectors in danger, when there are safe ones too.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share below 1 of a count"
)]
fn share(wanted: usize, context: &mut StageContext<'_>) -> usize {
    let half = Beta::new(10.0, 10.0).expect("both shapes are positive");
    let fraction: f64 = context.stream.sample(half);
    ((fraction * (wanted + 1) as f64) as usize).min(wanted)
}

/// `1 / (columns * variance of all values)`, or 1 where they do not vary.
fn scale_gamma(x: &Matrix) -> f64 {
    let values = x.as_slice();
    let n = values.len() as f64;
    let mean = values.iter().map(|v| v / n).sum::<f64>();
    let variance = values.iter().map(|v| (v - mean).powi(2) / n).sum::<f64>();
    if variance > 0.0 {
        1.0 / (x.cols() as f64 * variance)
    } else {
        1.0
    }
}

/// The positions, within the class, of its support vectors: found once a training set.
fn support(
    train: &Train,
    class: usize,
    context: &StageContext<'_>,
) -> StageResult<Arc<Vec<usize>>> {
    let deadline = context.deadline;
    let name = format!("support-vectors/class-{class}");
    context.shared.get_or_compute(&name, || {
        let samples = train.samples();
        let gamma = scale_gamma(samples.x());
        if !(gamma.is_finite() && gamma > 0.0) {
            return Err(StageError::Failed(
                "the variance of the values overflows; scale the columns first".into(),
            ));
        }
        let rows = Pool::Class(class).rows(samples);
        let mut is_support = vec![false; rows.len()];
        for rival in 0..samples.y().n_classes() {
            let others = Pool::Class(rival).rows(samples);
            if rival == class || others.is_empty() {
                continue;
            }
            // As in libsvm the lower class comes first and is the positive one.
            let (first, second) = if class < rival {
                (&rows, &others)
            } else {
                (&others, &rows)
            };
            // Backwards: of equal steps libsvm takes that of the last row, the solver that of the first.
            let both: Vec<usize> = first.iter().chain(second).rev().copied().collect();
            let x = samples.x().select_rows(&both);
            let mut kernel = KernelRows::new(Kernel::Rbf { gamma }, &x);
            let signs = [vec![-1.0; second.len()], vec![1.0; first.len()]].concat();
            let costs = vec![1.0; both.len()];
            let found = solve(&mut kernel, &signs, &costs, TOLERANCE, &deadline)?;
            let mine = found.beta.iter().rev();
            let skipped = if class < rival { 0 } else { others.len() };
            for (is_support, beta) in is_support.iter_mut().zip(mine.skip(skipped)) {
                *is_support |= beta.abs() > 0.0;
            }
        }
        Ok((0..rows.len()).filter(|&at| is_support[at]).collect())
    })
}

/// The registry entry.
pub(crate) const ENTRY: ResamplerEntry = ResamplerEntry::of::<SvmSmote>(
    "svm-smote",
    "rows inwards or outwards from the support vectors of the class",
    "Nguyen et al. 2011",
    ResamplerCaps::GROWS
        .making(NewRows::WithinClass)
        .numeric()
        .taking(|params, size| {
            let room = Room::over(params, size);
            let rows = (5.0 * room.n * room.n).min(CACHE_BYTES as f64);
            room.smote_among_all() + rows + 8.0 * room.n * room.d
        }),
);
