//! Drawing training and test rows.

use std::sync::Arc;

use counterweight_core::{
    ClassCounts, ColumnKind, Labels, Matrix, Origin, Partition, Population, Samples, StageError,
    StageResult, StreamKey, Test, Train,
};

/// Draws `train` and `test` rows of each class.
///
/// Class c of a part draws from the stream `key.clone().text("train" | "test").number(c)`: its rows are
/// the first ones of a sequence that depends on the key alone. So along a ladder of class counts the
/// rows at a smaller count are a prefix of those at a larger one, and the test rows do not move with
/// the training counts.
///
/// Rows stand class after class; classes are named `0`, `1`, ...; origins count training rows first,
/// then test rows. Cost: O(rows x features).
///
/// # Errors
/// [`StageError::Failed`] when counts are of another number of classes than the population has, or when the
/// population breaks its contract on the shape of what it draws.
///
/// # Examples
/// ```
/// use counterweight_core::{ClassCounts, Seed, find, params};
/// use counterweight_data::populations::{self, balanced_counts, bayes_balanced_error, draw};
/// let entry = find(populations::ALL, "gaussian-pair").expect("it is listed");
/// let params = params::check(entry.card.params, &Default::default()).expect("defaults are valid");
/// let population = (entry.build)(&params)?;
/// let key = Seed(7).stage("population");
/// let counts = ClassCounts::new(vec![95, 5]);
/// let (train, test) = draw(&*population, &counts, &balanced_counts(2000, 2), &key)?;
/// assert_eq!(train.counts(), counts);
/// let bayes = bayes_balanced_error(&*population, &test).expect("both classes are present");
/// assert!((bayes - 0.0786).abs() < 0.02);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(
    population: &dyn Population,
    train: &ClassCounts,
    test: &ClassCounts,
    key: &StreamKey,
) -> StageResult<(Train, Test)> {
    let k = population.n_classes();
    for (part, counts) in [("training", train), ("test", test)] {
        if counts.n_classes() != k {
            return Err(StageError::Failed(format!(
                "{part} counts of {} classes for a population of {k}",
                counts.n_classes()
            )));
        }
    }
    let names: Arc<[String]> = (0..k).map(|class| class.to_string()).collect();
    let (n_train, n_test) = (train.total(), test.total());
    let split = Partition::new(
        n_train + n_test,
        (0..n_train).collect(),
        (n_train..n_train + n_test).collect(),
    )?;
    let train = part(population, train, &names, 0, &key.clone().text("train"))?;
    let test = part(population, test, &names, n_train, &key.clone().text("test"))?;
    Ok(split.assign(train, test)?)
}

fn part(
    population: &dyn Population,
    counts: &ClassCounts,
    names: &Arc<[String]>,
    first: usize,
    key: &StreamKey,
) -> StageResult<Samples> {
    let (n, d) = (counts.total(), population.n_features());
    let mut data = Vec::with_capacity(n * d);
    let mut ids = Vec::with_capacity(n);
    for ((class, id), &count) in (0..).zip(0_u32..).zip(counts.as_slice()) {
        let rows = population.sample(class, count, &mut key.clone().number(class).open());
        if (rows.rows(), rows.cols()) != (count, d) {
            return Err(StageError::Failed(format!(
                "class {class}: {} x {} values drawn where {count} x {d} were asked for",
                rows.rows(),
                rows.cols()
            )));
        }
        data.extend_from_slice(rows.as_slice());
        ids.resize(ids.len() + count, id);
    }
    let kinds = vec![ColumnKind::Numeric; d].into();
    let origins = (first..first + n).map(Origin::Row).collect();
    let y = Labels::new(ids, Arc::clone(names))?;
    Ok(Samples::new(
        Matrix::from_vec(n, d, data)?,
        kinds,
        y,
        origins,
    )?)
}

/// `n` rows spread evenly over `n_classes` classes; what does not divide goes to the first classes.
/// Balanced test rows give the balanced error the least variance that `n` rows can.
pub fn balanced_counts(n: usize, n_classes: usize) -> ClassCounts {
    let k = n_classes.max(1);
    ClassCounts::new(
        (0..n_classes)
            .map(|class| n / k + usize::from(class < n % k))
            .collect(),
    )
}
