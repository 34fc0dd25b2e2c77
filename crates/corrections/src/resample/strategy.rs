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
//! * A product that rounding puts below a whole number (.29 of 100) is that number; imbalanced-learn cuts a row off.
//! * A ratio that is already met exactly is a no-op; imbalanced-learn refuses it. A ratio beyond
//!   what the data have (it would make an over-sampler remove rows, or an under-sampler make some)
//!   is refused here too, as not applicable.
//! * Callables are not offered, nor lists of classes for cleaners.

use std::collections::BTreeMap;

use counterweight_core::catalogue::describe_counts;
use counterweight_core::{
    ClassCounts, ParamError, ParamKind, ParamValue, Parameter, Params, StageError, StageResult,
    nearest,
};

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
    fn to_value(&self) -> ParamValue {
        let whole = |n: usize| ParamValue::Whole(i64::try_from(n).unwrap_or(i64::MAX));
        let word = match self {
            Self::NotMajority => "not-majority",
            Self::NotMinority => "not-minority",
            Self::Minority => "minority",
            Self::Majority => "majority",
            Self::All => "all",
            Self::Ratio(ratio) => return ParamValue::Real(*ratio),
            Self::Counts(counts) => {
                let pairs = counts.iter().map(|(name, &n)| (name.clone(), whole(n)));
                return ParamValue::Table(pairs.collect());
            }
        };
        ParamValue::Text(word.into())
    }

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

/// A cleaner's checked `strategy`: which classes may lose rows (`auto`: all but the smallest).
#[derive(Clone, Debug, PartialEq)]
pub struct Cleaning(Aim);

impl Parameter for Cleaning {
    const KIND: ParamKind =
        ParamKind::Choice(&["auto", "majority", "not-majority", "not-minority", "all"]);

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        Ok(Self(match params.text(key) {
            "majority" => Aim::Majority,
            "not-majority" => Aim::NotMajority,
            "all" => Aim::All,
            _ => Aim::NotMinority,
        }))
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(self.0.to_value())
    }
}

impl Cleaning {
    /// Whether each class may lose rows, in class order.
    ///
    /// # Errors
    /// [`StageError::NotApplicable`] when fewer than two classes have rows.
    pub fn aimed(&self, names: &[String], counts: &ClassCounts) -> StageResult<Vec<bool>> {
        two_classes(names, counts)?;
        Ok(self.0.classes(counts))
    }
}

/// A checked `strategy` of a method that may only drop rows, or only add some.
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy<const DROPS: bool>(Aim);

/// The `strategy` of a method that adds rows.
pub type Grow = Strategy<false>;
/// The `strategy` of a method that drops rows.
pub type Shrink = Strategy<true>;

impl<const DROPS: bool> Parameter for Strategy<DROPS> {
    const KIND: ParamKind = ParamKind::Strategy;

    fn read(params: &Params, key: &str) -> Result<Self, ParamError> {
        let wrong = |problem: &str| ParamError::new(key, problem);
        let alone = |problem: &str| ParamError {
            hint: Some("try `not-minority`, or a table of counts per class".into()),
            ..wrong(problem)
        };
        Ok(Self(match params.get(key) {
            Some(ParamValue::Text(word)) => match (word.as_str(), DROPS) {
                ("auto", false) | ("not-majority", _) => Aim::NotMajority,
                ("auto", true) | ("not-minority", _) => Aim::NotMinority,
                ("all", _) => Aim::All,
                ("minority", false) => Aim::Minority,
                ("majority", true) => Aim::Majority,
                ("majority", false) => {
                    let text = "an over-sampler cannot add rows to the majority alone";
                    return Err(alone(text));
                }
                ("minority", true) => {
                    let text = "an under-sampler cannot take rows from the minority alone";
                    return Err(alone(text));
                }
                _ => return Err(wrong("unknown word")),
            },
            Some(ParamValue::Table(entries)) => Aim::Counts(counts_table(entries)?),
            Some(value) => Aim::Ratio(value.as_real().ok_or_else(|| wrong("not a ratio"))?),
            None => return Err(wrong("missing")),
        }))
    }

    fn to_value(&self) -> Option<ParamValue> {
        Some(self.0.to_value())
    }
}

impl Grow {
    /// These counts, of the named classes.
    pub(crate) fn counts(counts: BTreeMap<String, usize>) -> Self {
        Self(Aim::Counts(counts))
    }
}

impl<const DROPS: bool> Strategy<DROPS> {
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
        let level = if DROPS {
            counts.smallest_present()
        } else {
            counts.largest()
        };
        let aimed = self.0.classes(counts);
        match &self.0 {
            Aim::Ratio(ratio) => Self::by_ratio(*ratio, names, counts),
            Aim::Counts(wanted) => Self::by_counts(wanted, names, counts),
            _ => Ok(have
                .iter()
                .enumerate()
                .map(|(class, &n)| if n > 0 && aimed[class] { level } else { n })
                .collect()),
        }
    }

    fn by_ratio(ratio: f64, names: &[String], counts: &ClassCounts) -> StageResult<Vec<usize>> {
        let have = counts.as_slice();
        let (anchor, level) = if DROPS {
            let anchor = counts.smallest_present();
            (anchor, whole(anchor as f64 / ratio))
        } else {
            let anchor = counts.largest();
            (anchor, whole(anchor as f64 * ratio))
        };
        let fits = |n: usize| if DROPS { n >= level } else { n <= level };
        // The class that the ratio is measured from (the lowest, where several share its count) is
        // not aimed at.
        let anchor = lowest(counts, anchor);
        let aimed = |class: usize| have[class] > 0 && Some(class) != anchor && fits(have[class]);
        if !(0..have.len()).any(aimed) {
            let act = if DROPS { "add" } else { "remove" };
            return Err(StageError::NotApplicable(format!(
                "strategy = {ratio} would have to {act} rows to reach {level} a class from {}; try a \
                 larger ratio",
                describe_counts(names, counts)
            )));
        }
        Ok((0..have.len())
            .map(|class| if aimed(class) { level } else { have[class] })
            .collect())
    }

    fn by_counts(
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
            let refused = match DROPS {
                false if rows < have => Some(("an over-sampler cannot remove", "least")),
                true if rows > have => Some(("an under-sampler cannot add", "most")),
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

/// The whole part, as imbalanced-learn takes it, but for what rounding hides: 100 * 0.29 is
/// 28.999999999999996 and gives 29.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count times or over a ratio in (0, 1]: not negative, and huge values saturate"
)]
fn whole(rows: f64) -> usize {
    (rows * (1.0 + 1e-12)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::{Declared, parameters, params};

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("c{i}")).collect()
    }

    use Direction::{Over, Under};

    #[derive(Clone, Copy)]
    enum Direction {
        Over,
        Under,
    }

    parameters! {
        struct Growing {
            /// rows
            strategy: Grow = "auto";
        }
    }
    parameters! {
        struct Shrinking {
            /// rows
            strategy: Shrink = "auto";
        }
    }

    fn checked<M: Declared>(value: ParamValue) -> Result<M, ParamError> {
        let given = BTreeMap::from([("strategy".to_owned(), value)]);
        M::try_from(&params::check(M::PARAMS, &given).unwrap())
    }

    fn word(word: &str) -> ParamValue {
        ParamValue::Text(word.into())
    }

    fn strategy(value: ParamValue, direction: Direction) -> Result<ParamValue, ParamError> {
        Ok(match direction {
            Over => checked::<Growing>(value)?.strategy.0.to_value(),
            Under => checked::<Shrinking>(value)?.strategy.0.to_value(),
        })
    }

    fn targets(
        value: ParamValue,
        direction: Direction,
        counts: &[usize],
    ) -> StageResult<Vec<usize>> {
        // What a strategy says of itself means the same.
        let value = strategy(value, direction).unwrap();
        let (names, counts) = (names(counts.len()), ClassCounts::new(counts.to_vec()));
        match direction {
            Over => checked::<Growing>(value)
                .unwrap()
                .strategy
                .targets(&names, &counts),
            Under => checked::<Shrinking>(value)
                .unwrap()
                .strategy
                .targets(&names, &counts),
        }
    }

    #[test]
    fn words_aim_at_the_classes_they_name() {
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
        let found = targets(word("minority"), Over, &[5, 20, 5]).unwrap();
        assert_eq!(found, [20, 20, 5]);
    }

    #[test]
    fn ratios_measure_from_the_largest_or_the_smallest() {
        let of = |r: f64, d, counts: &[usize]| targets(ParamValue::Real(r), d, counts);
        assert_eq!(of(0.5, Over, &[100, 10]).unwrap(), [100, 50]);
        assert_eq!(of(0.29, Over, &[100, 28]).unwrap(), [100, 29]);
        assert_eq!(of(0.07, Under, &[500, 35]).unwrap(), [500, 35]);
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
        parameters! {
            struct Cleaner {
                /// rows
                strategy: Cleaning = "auto";
            }
        }
        let counts = ClassCounts::new(vec![30, 0, 100, 10]);
        let of = |w: &str| {
            let cleaner = checked::<Cleaner>(word(w)).unwrap();
            cleaner.strategy.aimed(&names(4), &counts).unwrap()
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
        let found = targets(word("auto"), Over, &[5, 0]);
        assert!(matches!(found, Err(StageError::NotApplicable(_))));
    }
}
