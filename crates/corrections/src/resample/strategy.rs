//! How many rows of each class a resampler leaves: the `strategy` parameter.
//!
//! | `strategy` | over-samplers | under-samplers |
//! |---|---|---|
//! | `auto` | as `not-majority` | as `not-minority` |
//! | ratio r in (0, 1] | every class below r times the largest up to it | every class above the smallest over r down to it |
//! | `minority` | the smallest class up to the largest | refused |
//! | `not-majority` | all but the largest up to the largest | all but the largest down to the smallest |
//! | `not-minority` | all but the smallest up to the largest | all but the smallest down to the smallest |
//! | `all` | every class up to the largest | every class down to the smallest |
//! | `majority` | refused | the largest class down to the smallest |
//! | table of counts | the named classes up to their count | the named classes down to their count |
//!
//! Counts are of the classes that have rows; absent classes stay absent. Where several classes
//! share the largest or smallest count, "the" largest or smallest is the lowest class among them.
//! Whole rows are had by cutting off the fraction.
//!
//! Cleaners ([`Cleaning`]) drop rows for what they are, not down to a count: their `strategy` is a
//! word that says which classes may lose rows.
//!
//! # Differences
//!
//! * A ratio works for any number of classes, in the way of the table; imbalanced-learn takes it
//!   for two. For two classes the counts agree.
//! * A ratio that is already met exactly is a no-op; imbalanced-learn refuses it. A ratio beyond
//!   what the data have (it would make an over-sampler remove rows, or an under-sampler make some)
//!   is refused here too, as not applicable.
//! * Callables are not offered, nor lists of classes for cleaners.

use std::collections::BTreeMap;

use counterweight_core::catalogue::describe_counts;
use counterweight_core::params::Default;
use counterweight_core::{
    ClassCounts, ParamError, ParamKind, ParamSpec, ParamValue, Params, StageError, StageResult,
    nearest,
};

/// Whether a resampler may only add or only drop rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Adds rows.
    Over,
    /// Drops rows.
    Under,
}

/// The parameter's specification, default `auto`.
pub const SPEC: ParamSpec = ParamSpec::new(
    "strategy",
    ParamKind::Strategy,
    Default::Text("auto"),
    "how many rows of each class to end with",
);

/// What the rows of each class should become.
#[derive(Clone, Debug, PartialEq)]
enum Aim {
    NotMajority,
    NotMinority,
    Minority,
    Majority,
    All,
    Ratio(f64),
    Counts(BTreeMap<String, usize>),
}

impl Aim {
    /// Whether each class is aimed at.
    fn classes(&self, counts: &ClassCounts) -> Vec<bool> {
        let have = counts.as_slice();
        let majority = lowest(counts, counts.largest());
        let minority = lowest(counts, counts.smallest_present());
        (0..have.len())
            .map(|class| match self {
                Self::NotMajority => Some(class) != majority,
                Self::NotMinority => Some(class) != minority,
                Self::Minority => Some(class) == minority,
                Self::Majority => Some(class) == majority,
                _ => true,
            })
            .collect()
    }
}

/// The lowest class with `rows` rows.
fn lowest(counts: &ClassCounts, rows: usize) -> Option<usize> {
    counts.as_slice().iter().position(|&n| n == rows)
}

fn two_classes(names: &[String], counts: &ClassCounts) -> StageResult<()> {
    if counts.n_present() < 2 {
        return Err(StageError::NotApplicable(format!(
            "resampling needs at least two classes with rows, found {}",
            describe_counts(names, counts)
        )));
    }
    Ok(())
}

/// The smallest class with rows; of several the lowest.
///
/// # Errors
/// [`StageError::NotApplicable`] when fewer than two classes have rows.
pub(crate) fn minority(names: &[String], counts: &ClassCounts) -> StageResult<usize> {
    two_classes(names, counts)?;
    Ok(lowest(counts, counts.smallest_present()).expect("a class has the smallest count"))
}

/// A cleaner's `strategy`: which classes may lose rows, default `auto`.
pub const CLEANING_SPEC: ParamSpec = ParamSpec::new(
    "strategy",
    ParamKind::Choice(&["auto", "majority", "not-majority", "not-minority", "all"]),
    Default::Text("auto"),
    "which classes may lose rows (`auto`: all but the smallest)",
);

/// A cleaner's checked `strategy`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cleaning(Aim);

impl Cleaning {
    /// Reads the checked parameter `strategy` of [`CLEANING_SPEC`].
    pub fn from_params(params: &Params) -> Self {
        Self(match params.text("strategy") {
            "majority" => Aim::Majority,
            "not-majority" => Aim::NotMajority,
            "all" => Aim::All,
            _ => Aim::NotMinority,
        })
    }

    /// Whether each class may lose rows, in class order.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] when fewer than two classes have rows.
    pub fn aimed(&self, names: &[String], counts: &ClassCounts) -> StageResult<Vec<bool>> {
        two_classes(names, counts)?;
        Ok(self.0.classes(counts))
    }
}

/// A checked `strategy` for one direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    direction: Direction,
    aim: Aim,
}

impl Strategy {
    /// Reads the checked parameter `strategy`.
    ///
    /// # Errors
    /// [`ParamError`] when an under-sampler is asked to shrink the minority.
    pub fn from_params(params: &Params, direction: Direction) -> Result<Self, ParamError> {
        let wrong = |problem: &str| ParamError::new("strategy", problem);
        let aim =
            match params.get("strategy") {
                Some(ParamValue::Text(word)) => match (word.as_str(), direction) {
                    ("auto" | "not-majority", Direction::Over)
                    | ("not-majority", Direction::Under) => Aim::NotMajority,
                    ("auto" | "not-minority", Direction::Under)
                    | ("not-minority", Direction::Over) => Aim::NotMinority,
                    ("all", _) => Aim::All,
                    ("minority", Direction::Over) => Aim::Minority,
                    ("majority", Direction::Under) => Aim::Majority,
                    ("majority", Direction::Over) => {
                        let hint = "try `not-minority`, or a table of counts per class";
                        return Err(ParamError {
                            hint: Some(hint.into()),
                            ..wrong("an over-sampler cannot add rows to the majority alone")
                        });
                    }
                    ("minority", Direction::Under) => {
                        let hint = "try `not-minority`, or a table of counts per class";
                        return Err(ParamError {
                            hint: Some(hint.into()),
                            ..wrong("an under-sampler cannot take rows from the minority alone")
                        });
                    }
                    _ => return Err(wrong("unknown word")),
                },
                Some(ParamValue::Table(entries)) => Aim::Counts(counts_table(entries)?),
                Some(value) => Aim::Ratio(value.as_real().ok_or_else(|| wrong("not a ratio"))?),
                None => return Err(wrong("missing")),
            };
        Ok(Self { direction, aim })
    }

    /// The rows that each class should end with, in class order. Classes that are not aimed at keep
    /// the rows that they have.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] when fewer than two classes have rows, or a ratio would need
    /// the other kind of resampler; [`StageError::Failed`] when a table names a class without
    /// rows, or asks for a count on the wrong side of what there is.
    pub fn targets(&self, names: &[String], counts: &ClassCounts) -> StageResult<Vec<usize>> {
        let have = counts.as_slice();
        two_classes(names, counts)?;
        let level = match self.direction {
            Direction::Over => counts.largest(),
            Direction::Under => counts.smallest_present(),
        };
        let aimed = self.aim.classes(counts);
        match &self.aim {
            Aim::Ratio(ratio) => self.by_ratio(*ratio, names, counts),
            Aim::Counts(wanted) => self.by_counts(wanted, names, counts),
            _ => Ok(have
                .iter()
                .enumerate()
                .map(|(class, &n)| if n > 0 && aimed[class] { level } else { n })
                .collect()),
        }
    }

    fn by_ratio(
        &self,
        ratio: f64,
        names: &[String],
        counts: &ClassCounts,
    ) -> StageResult<Vec<usize>> {
        let have = counts.as_slice();
        let (level, anchor, fits): (usize, usize, fn(usize, usize) -> bool) = match self.direction {
            Direction::Over => (
                whole(counts.largest() as f64 * ratio),
                counts.largest(),
                |n, level| n <= level,
            ),
            Direction::Under => (
                whole(counts.smallest_present() as f64 / ratio),
                counts.smallest_present(),
                |n, level| n >= level,
            ),
        };
        // The class that the ratio is measured from (the lowest, where several share its count) is
        // not aimed at.
        let anchor = have.iter().position(|&n| n == anchor);
        let aimed = |class: usize| have[class] > 0 && Some(class) != anchor;
        if !(0..have.len()).any(|class| aimed(class) && fits(have[class], level)) {
            let act = match self.direction {
                Direction::Over => "remove",
                Direction::Under => "add",
            };
            return Err(StageError::NotApplicable(format!(
                "strategy = {ratio} would have to {act} rows to reach {level} a class from {}; try a \
                 larger ratio",
                describe_counts(names, counts)
            )));
        }
        Ok(have
            .iter()
            .enumerate()
            .map(|(class, &n)| {
                if aimed(class) && fits(n, level) {
                    level
                } else {
                    n
                }
            })
            .collect())
    }

    fn by_counts(
        &self,
        wanted: &BTreeMap<String, usize>,
        names: &[String],
        counts: &ClassCounts,
    ) -> StageResult<Vec<usize>> {
        let mut targets = counts.as_slice().to_vec();
        for (name, &rows) in wanted {
            let class = names.iter().position(|known| known == name);
            let Some(class) = class.filter(|&class| targets[class] > 0) else {
                let hint = nearest(name, names.iter().map(String::as_str))
                    .filter(|near| near != name)
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                return Err(StageError::Failed(format!(
                    "strategy names class `{name}`, which has no training rows ({}){hint}",
                    describe_counts(names, counts)
                )));
            };
            let have = targets[class];
            let refused = match self.direction {
                Direction::Over if rows < have => Some(("an over-sampler cannot remove", "least")),
                Direction::Under if rows > have => Some(("an under-sampler cannot add", "most")),
                _ => None,
            };
            if let Some((what, bound)) = refused {
                return Err(StageError::Failed(format!(
                    "strategy asks for {rows} rows of class `{name}`, which has {have}: {what} rows; \
                     ask for at {bound} {have}"
                )));
            }
            targets[class] = rows;
        }
        Ok(targets)
    }
}

fn counts_table(
    entries: &BTreeMap<String, ParamValue>,
) -> Result<BTreeMap<String, usize>, ParamError> {
    if entries.is_empty() {
        return Err(ParamError::new("strategy", "the table of counts is empty"));
    }
    entries
        .iter()
        .map(|(name, value)| match value {
            ParamValue::Whole(rows) => usize::try_from(*rows)
                .map(|rows| (name.clone(), rows))
                .map_err(|_negative| {
                    ParamError::new("strategy", format!("class `{name}`: a negative count"))
                }),
            _ => Err(ParamError::new(
                "strategy",
                format!("class `{name}`: expected a whole number, found `{value}`"),
            )),
        })
        .collect()
}

/// The whole part, as imbalanced-learn takes it: 100 * 0.29 is 28.999999999999996 and gives 28.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count times or over a ratio in (0, 1]: not negative, and huge values saturate"
)]
fn whole(rows: f64) -> usize {
    rows as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("c{i}")).collect()
    }

    fn strategy(value: ParamValue, direction: Direction) -> Result<Strategy, ParamError> {
        const SPECS: &[ParamSpec] = &[SPEC];
        let given = BTreeMap::from([("strategy".to_owned(), value)]);
        Strategy::from_params(
            &counterweight_core::params::check(SPECS, &given).unwrap(),
            direction,
        )
    }

    fn word(word: &str) -> ParamValue {
        ParamValue::Text(word.into())
    }

    fn targets(
        value: ParamValue,
        direction: Direction,
        counts: &[usize],
    ) -> StageResult<Vec<usize>> {
        strategy(value, direction)
            .unwrap()
            .targets(&names(counts.len()), &ClassCounts::new(counts.to_vec()))
    }

    #[test]
    fn words_aim_at_the_classes_they_name() {
        use Direction::{Over, Under};
        let counts = [30, 0, 100, 10];
        let of = |w: &str, d| targets(word(w), d, &counts).unwrap();
        assert_eq!(of("auto", Over), [100, 0, 100, 100]);
        assert_eq!(of("auto", Under), [10, 0, 10, 10]);
        assert_eq!(of("minority", Over), [30, 0, 100, 100]);
        assert_eq!(of("not-minority", Over), [100, 0, 100, 10]);
        assert_eq!(of("not-majority", Under), [10, 0, 100, 10]);
        assert_eq!(of("all", Over), [100, 0, 100, 100]);
        assert_eq!(of("all", Under), [10, 0, 10, 10]);
        assert_eq!(of("majority", Under), [30, 0, 10, 10]);
        assert!(strategy(word("minority"), Under).is_err());
        assert!(strategy(word("majority"), Over).is_err());
    }

    #[test]
    fn of_equal_classes_the_lowest_is_the_smallest() {
        let found = targets(word("minority"), Direction::Over, &[5, 20, 5]).unwrap();
        assert_eq!(found, [20, 20, 5]);
    }

    #[test]
    fn ratios_measure_from_the_largest_or_the_smallest() {
        use Direction::{Over, Under};
        let of = |r: f64, d, counts: &[usize]| targets(ParamValue::Real(r), d, counts);
        assert_eq!(of(0.5, Over, &[100, 10]).unwrap(), [100, 50]);
        assert_eq!(of(0.29, Over, &[100, 10]).unwrap(), [100, 28]);
        assert_eq!(of(0.5, Under, &[100, 10]).unwrap(), [20, 10]);
        assert_eq!(of(0.3, Under, &[100, 10]).unwrap(), [33, 10]);
        assert_eq!(of(0.5, Over, &[100, 60, 10]).unwrap(), [100, 60, 50]);
        assert_eq!(of(0.5, Under, &[100, 15, 10]).unwrap(), [20, 15, 10]);
        assert_eq!(of(1.0, Over, &[7, 7]).unwrap(), [7, 7]);
        assert_eq!(of(1.0, Under, &[7, 7]).unwrap(), [7, 7]);
        for (d, r) in [(Over, 0.05), (Under, 0.05)] {
            let found = of(r, d, &[100, 10]);
            assert!(
                matches!(found, Err(StageError::NotApplicable(_))),
                "{found:?}"
            );
        }
    }

    #[test]
    fn tables_say_it_class_by_class() {
        use Direction::{Over, Under};
        let table = |pairs: &[(&str, i64)]| {
            ParamValue::Table(
                pairs
                    .iter()
                    .map(|(name, n)| ((*name).to_owned(), ParamValue::Whole(*n)))
                    .collect(),
            )
        };
        let counts = [100, 10, 0];
        let of = |pairs: &[(&str, i64)], d| targets(table(pairs), d, &counts);
        assert_eq!(of(&[("c1", 25)], Over).unwrap(), [100, 25, 0]);
        assert_eq!(of(&[("c0", 25), ("c1", 10)], Under).unwrap(), [25, 10, 0]);
        for (pairs, d, says) in [
            (&[("c1", 9)][..], Over, "over-sampler cannot remove"),
            (&[("c1", 11)], Under, "under-sampler cannot add"),
            (&[("c2", 11)], Over, "no training rows"),
            (&[("c11", 11)], Over, "did you mean `c1`?"),
        ] {
            let Err(StageError::Failed(text)) = of(pairs, d) else {
                panic!("{pairs:?} is an error")
            };
            assert!(text.contains(says), "{text}");
        }
        assert!(strategy(table(&[]), Over).is_err());
    }

    #[test]
    fn cleaners_aim_at_classes() {
        const SPECS: &[ParamSpec] = &[CLEANING_SPEC];
        let counts = ClassCounts::new(vec![30, 0, 100, 10]);
        let of = |w: &str| {
            let given = BTreeMap::from([("strategy".to_owned(), word(w))]);
            let params = counterweight_core::params::check(SPECS, &given).unwrap();
            Cleaning::from_params(&params)
                .aimed(&names(4), &counts)
                .unwrap()
        };
        assert_eq!(of("auto"), [true, true, true, false]);
        assert_eq!(of("not-minority"), of("auto"));
        assert_eq!(of("majority"), [false, false, true, false]);
        assert_eq!(of("not-majority"), [true, true, false, true]);
        assert_eq!(of("all"), [true; 4]);
        assert_eq!(minority(&names(4), &counts), Ok(3));
        let one = ClassCounts::new(vec![30, 0]);
        assert!(Cleaning(Aim::All).aimed(&names(2), &one).is_err());
    }

    #[test]
    fn one_class_is_nothing_to_balance() {
        let found = targets(word("auto"), Direction::Over, &[5, 0]);
        assert!(matches!(found, Err(StageError::NotApplicable(_))));
    }
}
