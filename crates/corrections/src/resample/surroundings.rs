//! How many of a row's nearest neighbours are of other classes: what borderline samplers and ADASYN
//! judge a row by.

use counterweight_core::{StageContext, StageResult, Train};

use super::growth::neighbours_among_all;
use counterweight_numeric::neighbours::{self, Metric, Pool, Search};

/// What surrounds each row of a class, in their order, among all training rows.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// For each of them, its nearest neighbours that are of another class.
    pub(crate) foreign: Vec<usize>,
    /// Neighbours that were looked at.
    pub(crate) m: usize,
}

/// What a row is, by its m nearest neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Fewer than half of them are foreign.
    Safe,
    /// At least half, but not all.
    Danger,
    /// All.
    Noise,
}

impl Surroundings {
    /// Looks at `wanted` neighbours (the parameter called `name`) of each row of `class`.
    ///
    /// # Errors
    /// Those of the search, and of the small-class policy when there are fewer other rows.
    pub(crate) fn of(
        train: &Train,
        (class, metric): (usize, Metric),
        (name, wanted): (&str, usize),
        context: &mut StageContext<'_>,
    ) -> StageResult<Self> {
        let samples = train.samples();
        let m = neighbours_among_all(name, wanted, samples.n_rows(), context)?;
        let search = Search {
            metric,
            of: Pool::Class(class),
            among: Pool::All,
            k: m,
        };
        let lists = neighbours::shared(train, &search, context)?;
        let rows = Pool::Class(class).rows(samples);
        let y = samples.y();
        let foreign = (0..rows.len())
            .map(|at| {
                let near = &lists.of(at)[..m];
                near.iter().filter(|&&row| y.class(row) != class).count()
            })
            .collect();
        Ok(Self { foreign, m })
    }

    /// What the `at`-th row of the class is.
    pub(crate) fn standing(&self, at: usize) -> Standing {
        let foreign = self.foreign[at];
        if foreign == self.m {
            Standing::Noise
        } else if 2 * foreign >= self.m {
            Standing::Danger
        } else {
            Standing::Safe
        }
    }
}
