//! Drawing training and test rows.

use std::sync::Arc;

use counterweight_core::{
    ClassCounts, Labels, Matrix, Origin, Partition, Population, Samples, StageError, StageResult,
    StreamKey, Test, Train,
};
use rand::RngExt as _;

/// Draws `train` and `test` rows of each class.
///
/// Class c of a part draws from the stream `key.clone().text("train" | "test").number(c)`: its rows are
/// the first ones of a sequence that depends on the key alone. So along a ladder of class counts the
/// rows at a smaller count are a prefix of those at a larger one, and the test rows do not move with
/// the training counts.
///
/// A population with label noise changes labels of training rows, by the stream `key.clone().text("noise").number(c)`:
/// the rows and their places are those without noise, and so is which label the i-th row of a class has.
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
    let train = mislabelled(population, train, &key.clone().text("noise"))?;
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
    let kinds = population.kinds().into();
    let origins = (first..first + n).map(Origin::Row).collect();
    let y = Labels::new(ids, Arc::clone(names))?;
    Ok(Samples::new(
        Matrix::from_vec(n, d, data)?,
        kinds,
        y,
        origins,
    )?)
}

/// The rows with the labels that noise leaves them.
fn mislabelled(
    population: &dyn Population,
    rows: Samples,
    key: &StreamKey,
) -> StageResult<Samples> {
    let k = population.n_classes();
    if (0..k).all(|class| population.label_noise(class) <= 0.0) {
        return Ok(rows);
    }
    let mut streams: Vec<_> = (0..k)
        .map(|class| key.clone().number(class).open())
        .collect();
    let k = u32::try_from(k).unwrap_or(u32::MAX);
    let seen = |&label: &u32| {
        let stream = &mut streams[label as usize];
        let wrong = stream.random::<f64>() < population.label_noise(label as usize);
        // Drawn in any case, so that a higher rate keeps the wrong labels of a lower one.
        let step = stream.random_range(1..k);
        if wrong { (label + step) % k } else { label }
    };
    let ids = rows.y().ids().iter().map(seen).collect();
    let y = rows.y().with_ids(ids)?;
    let (x, kinds) = (rows.x().clone(), Arc::clone(rows.kinds()));
    Ok(Samples::new(x, kinds, y, rows.origins().to_vec())?)
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
