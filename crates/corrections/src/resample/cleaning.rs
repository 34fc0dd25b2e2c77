//! What cleaners share: the metric by the columns' kinds, neighbour lists while rows go, the rules by
//! which neighbours judge a row, and the result.

use std::sync::Arc;

use counterweight_core::catalogue::describe_counts;
use counterweight_core::{
    ClassCounts, Labels, Note, Samples, StageContext, StageError, StageResult, Train, words,
};

use super::strategy;
use counterweight_numeric::neighbours::{
    self, Metric, Neighbours, Points, Pool, Search, nearest, split_columns,
};

/// The metric for these rows: Euclidean, or for nominal columns the metric of smote-nc on the scale
/// of the smallest class, or with nominal columns alone the value difference. What is not Euclidean is
/// noted, so that it shows in the record.
///
/// # Errors
/// [`StageError::NotApplicable`] when fewer than two classes have rows.
pub(super) fn metric(samples: &Samples, context: &mut StageContext<'_>) -> StageResult<Metric> {
    let names = samples.y().names();
    let class = strategy::minority(names, &samples.y().counts())?;
    let (numeric, nominal) = split_columns(samples);
    Ok(if nominal.is_empty() {
        Metric::Euclidean
    } else if numeric.is_empty() {
        context.note(Note::Remark(
            "distances are value differences: every column is nominal".into(),
        ));
        Metric::ValueDifference
    } else {
        context.note(Note::Remark(format!(
            "distances are mixed: a nominal difference counts as the median deviation of the \
             numeric columns within class {}",
            names[class]
        )));
        Metric::Mixed { class }
    })
}

/// `wanted` neighbours, or what the small-class policy makes of it when there are only `others` other
/// rows to choose from.
///
/// # Errors
/// As [`StageContext::clamp`].
pub(super) fn at_most(
    (name, wanted): (&str, usize),
    others: usize,
    what: &str,
    context: &mut StageContext<'_>,
) -> StageResult<usize> {
    if wanted > others {
        context.clamp(format!("{name} = {wanted} reduced to {others} for {what}"))?;
    }
    Ok(wanted.min(others))
}

/// As [`at_most`] for neighbours among `rows` rows, of which the one that asks is one.
///
/// # Errors
/// As [`StageContext::clamp`].
pub(super) fn among_rows(
    wanted: usize,
    rows: usize,
    context: &mut StageContext<'_>,
) -> StageResult<usize> {
    let others = rows.saturating_sub(1);
    at_most(("k", wanted), others, &format!("{rows} rows"), context)
}

/// The neighbours of all rows among all rows.
///
/// # Errors
/// As [`neighbours::shared`].
pub(super) fn lists(
    train: &Train,
    metric: Metric,
    k: usize,
    context: &StageContext<'_>,
) -> StageResult<Arc<Neighbours>> {
    let search = Search {
        metric,
        of: Pool::All,
        among: Pool::All,
        k,
    };
    neighbours::shared(train, &search, context)
}

words! {
    /// The rule by which a row's neighbours judge it.
    pub enum Rule {
        /// All of them have to be of its class.
        All = "all",
        /// Its class has to be the most frequent among them; a tie goes to the lowest class.
        Mode = "mode",
    }
}

impl Rule {
    /// Whether a row of `class` stays, judged by `near`.
    pub(super) fn keeps(self, y: &Labels, class: usize, near: &[usize]) -> bool {
        match self {
            Self::All => near.iter().all(|&row| y.class(row) == class),
            Self::Mode => most_frequent(near.iter().map(|&row| y.class(row))) == Some(class),
        }
    }
}

/// The most frequent class; a tie goes to the lowest.
pub(super) fn most_frequent(classes: impl Iterator<Item = usize>) -> Option<usize> {
    let mut classes: Vec<usize> = classes.collect();
    classes.sort_unstable();
    let mut winner = (0, None);
    for run in classes.chunk_by(|a, b| a == b) {
        if run.len() > winner.0 {
            winner = (run.len(), Some(run[0]));
        }
    }
    winner.1
}

/// Neighbour lists among ever fewer rows. A list of more neighbours than needed serves as long as
/// enough of them are left; only the lists that ran short are found anew.
#[derive(Debug)]
pub(super) struct Shrinking {
    points: Points,
    long: Arc<Neighbours>,
    left: Vec<bool>,
    rows: Vec<usize>,
}

/// How many more neighbours than needed are asked for.
const RESERVE: usize = 5;

impl Shrinking {
    /// Starts with all rows.
    ///
    /// # Errors
    /// As [`lists`].
    pub(super) fn new(
        train: &Train,
        metric: Metric,
        k: usize,
        context: &StageContext<'_>,
    ) -> StageResult<Self> {
        let n = train.samples().n_rows();
        Ok(Self {
            points: Points::new(train.samples(), metric)?,
            long: lists(train, metric, k + RESERVE, context)?,
            left: vec![true; n],
            rows: (0..n).collect(),
        })
    }

    /// The rows that are left, ascending.
    pub(super) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Rows of each class that are left.
    pub(super) fn counts(&self, y: &Labels) -> ClassCounts {
        y.select(&self.rows).counts()
    }

    /// Keeps `rows` (some of those that are left, ascending).
    pub(super) fn keep(&mut self, rows: Vec<usize>) {
        self.left.fill(false);
        for &row in &rows {
            self.left[row] = true;
        }
        self.rows = rows;
    }

    /// The first k neighbours, among the rows that are left, of each of them; k is less than their
    /// number.
    ///
    /// # Errors
    /// As [`nearest`].
    pub(super) fn lists(
        &self,
        k: usize,
        context: &StageContext<'_>,
    ) -> StageResult<Vec<Vec<usize>>> {
        let mut lists: Vec<Vec<usize>> = self
            .rows
            .iter()
            .map(|&row| {
                let near = self.long.of(row).iter().copied();
                near.filter(|&other| self.left[other]).take(k).collect()
            })
            .collect();
        let short: Vec<usize> = (0..lists.len()).filter(|&at| lists[at].len() < k).collect();
        let queries: Vec<usize> = short.iter().map(|&at| self.rows[at]).collect();
        let found = nearest(&self.points, &queries, &self.rows, k, &context.deadline)?;
        for (nth, &at) in short.iter().enumerate() {
            lists[at] = found.of(nth).to_vec();
        }
        Ok(lists)
    }
}

/// The rows of `train` in `kept`, brought into their order.
///
/// # Errors
/// [`StageError::Failed`] when none is left.
pub(super) fn subset(
    train: &Train,
    mut kept: Vec<usize>,
    context: &mut StageContext<'_>,
) -> StageResult<Train> {
    kept.sort_unstable();
    let before = train.counts();
    let after = train.derive(|samples| Ok::<_, StageError>(samples.select(&kept)))?;
    let names = train.samples().y().names();
    if kept.is_empty() {
        return Err(StageError::Failed(format!(
            "no row is left of {}; try another rule, or `strategy = \"auto\"`",
            describe_counts(names, &before)
        )));
    }
    let counts = after.counts();
    let pairs = before.as_slice().iter().zip(counts.as_slice());
    for (class, (&had, &has)) in pairs.enumerate() {
        if had > 0 && has == 0 {
            context.note(Note::Remark(format!(
                "class {} lost all its {had} rows",
                names[class]
            )));
        }
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{context, labels, train};
    use counterweight_core::{Matrix, Shared};

    #[test]
    fn rules_judge_by_neighbours() {
        let y = labels(&[0, 0, 1, 1, 2], 3);
        assert!(Rule::All.keeps(&y, 0, &[0, 1]) && !Rule::All.keeps(&y, 0, &[0, 1, 2]));
        assert!(Rule::Mode.keeps(&y, 0, &[0, 1, 2]));
        // A tie goes to the lowest class.
        assert!(Rule::Mode.keeps(&y, 0, &[0, 2]) && !Rule::Mode.keeps(&y, 1, &[0, 2]));
        assert_eq!(most_frequent(std::iter::empty()), None);
    }

    #[test]
    fn lists_among_fewer_rows_are_those_of_a_new_search() {
        let x = Matrix::from_fn(80, 2, |i, j| ((i * 37 + j * 11) % 29) as f64);
        let classes: Vec<usize> = (0..80).map(|i| i % 2).collect();
        let set = train(x, &[None, None], &classes, 2);
        let shared = Shared::default();
        let context = context(1, &shared);
        let mut left = Shrinking::new(&set, Metric::Euclidean, 3, &context).unwrap();
        for part in [1, 2, 4, 8] {
            left.keep((0..80).filter(|row| row % part == 0).collect());
            let found = left.lists(3, &context).unwrap();
            let points = Points::numeric(set.samples().x().clone());
            let fresh = nearest(&points, left.rows(), left.rows(), 3, &context.deadline).unwrap();
            for (at, list) in found.iter().enumerate() {
                assert_eq!(list, fresh.of(at));
            }
        }
        assert_eq!(left.counts(set.samples().y()).as_slice(), [10, 0]);
        assert_eq!(left.lists(9, &context).unwrap()[0].len(), 9);
    }

    #[test]
    fn nothing_left_is_an_error_and_a_lost_class_is_noted() {
        let set = train(Matrix::zeros(3, 1), &[None], &[0, 0, 1], 2);
        let shared = Shared::default();
        let mut context = context(1, &shared);
        assert!(subset(&set, vec![], &mut context).is_err());
        subset(&set, vec![1, 0], &mut context).unwrap();
        assert_eq!(context.notes[0].text(), "class c1 lost all its 1 rows");
    }
}
