//! Test rows that are drawn to a prior of their own, and test sets with equal shares; which class a unit makes rare.

use counterweight_core::{ClassCounts, Dataset, Name, Prior, StreamKey};
use counterweight_data::populations::balanced_counts;
use counterweight_data::profile::{self, Profile, Rare, Size, counts_of_shares, counts_to_shares};

use crate::config::sweep::{RareSpec, SizeSpec, TestPrior};

/// The shares that `prior` asks for, beside training rows of these counts.
fn shares(prior: &TestPrior, train: &ClassCounts) -> Result<Vec<f64>, String> {
    let k = train.n_classes();
    let prior = match prior {
        TestPrior::Train => train.prior().ok_or("there are no training rows")?,
        TestPrior::Balanced => Prior::uniform(k).map_err(|error| error.to_string())?,
        TestPrior::Shares(shares) => {
            Prior::from_weights(shares.clone()).map_err(|error| error.to_string())?
        }
    };
    Ok(prior.as_slice().to_vec())
}

/// How many test rows of each class a population draws.
pub(super) fn drawn(
    n: usize,
    prior: Option<&TestPrior>,
    train: &ClassCounts,
) -> Result<ClassCounts, String> {
    let Some(prior) = prior else {
        return Ok(balanced_counts(n, train.n_classes()));
    };
    let counts = counts_of_shares(n, &shares(prior, train)?);
    match counts.iter().position(|&count| count == 0) {
        Some(class) => Err(format!("{n} test rows leave none of class {class}")),
        None => Ok(ClassCounts::new(counts)),
    }
}

/// The most of the test rows `test` that have the shares of `prior`: per class a prefix of one order, so that test sets of
/// several priors overlap as far as they can.
pub(super) fn thinned(
    data: &Dataset,
    test: &[usize],
    prior: &TestPrior,
    train: &ClassCounts,
    key: &StreamKey,
) -> Result<Vec<usize>, String> {
    let labels = data.labels();
    let shares = shares(prior, train)?;
    let supply = labels.select(test).counts();
    let counts = counts_to_shares(supply.as_slice(), &shares);
    let lost = |class: &usize| shares[*class] > 0.0 && counts[*class] == 0;
    if let Some(class) = (0..counts.len()).find(lost) {
        return Err(format!(
            "the {} test rows of a split cannot have the shares of `test_prior`: none would be of class `{}`",
            test.len(),
            labels.names()[class]
        ));
    }
    profile::thin(labels, test, &ClassCounts::new(counts), key).map_err(|error| error.to_string())
}

/// What the smallest count goes to at an induced ratio, each with its name in the column `profile`. At ratio 1 no class
/// is rare.
pub(super) fn variants(
    (profile, rare, ratio): (Profile, RareSpec, f64),
    classes: &[(usize, String)],
    largest: &str,
) -> Vec<(Name, Rare)> {
    let plain = profile.id();
    match rare {
        _ if ratio <= 1.0 => vec![(plain.into(), Rare::Smallest)],
        RareSpec::Smallest => vec![(plain.into(), Rare::Smallest)],
        RareSpec::Largest => vec![(format!("{plain}/{largest}").into(), Rare::Largest)],
        RareSpec::Each => classes
            .iter()
            .map(|(class, name)| (format!("{plain}/{name}").into(), Rare::Class(*class)))
            .collect(),
    }
}

/// How many rows the data are thinned to.
pub(super) fn size(spec: Option<&SizeSpec>) -> Size {
    match spec {
        Some(SizeSpec::Largest(n)) => Size::Largest(*n),
        Some(SizeSpec::Smallest(n)) => Size::Smallest(*n),
        Some(SizeSpec::Total(_) | SizeSpec::Each(_)) | None => Size::Most,
    }
}
