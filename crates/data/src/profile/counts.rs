//! Class counts of a profile, by what is held fixed.

use counterweight_core::ClassCounts;

use super::shares::counts_of_shares;
use super::{Profile, ProfileError, Ratio, Size, Thinning};

/// Keeps a whole number that arithmetic left a few rounding errors short from losing a row.
pub(super) const SLACK: f64 = 1e-9;

/// Counts of `n_classes` classes that sum to `n`: shares in proportion to `1 / d_i`, rounded by
/// largest remainder (equal remainders: the lower class first).
///
/// Each count lies within one row of its exact share, and no other whole numbers of the same sum are
/// nearer to the shares in total; a class never has fewer rows than a later one. The realised
/// ratio therefore differs from `ratio` by rounding alone: 1000 rows at ratio 100 are 990 and 10,
/// which is 99. [`ClassCounts::imbalance_ratio`] has it.
///
/// # Errors
/// [`ProfileError::TooFewClasses`] below two classes, [`ProfileError::EmptyClass`] when a class would
/// have no row.
pub fn counts_of_total(
    profile: Profile,
    n_classes: usize,
    ratio: Ratio,
    n: usize,
) -> Result<ClassCounts, ProfileError> {
    at_least_two(n_classes)?;
    let counts = apportion(profile, n_classes, ratio, n);
    not_empty(profile, ratio, counts, || {
        let fits = |ratio: f64| {
            let counts = apportion(profile, n_classes, Ratio(ratio), n);
            counts.iter().all(|&count| count > 0)
        };
        largest_by_search(ratio, fits)
    })
}

/// Counts of `n_classes` classes of which the largest has `n_max` rows:
/// `floor(n_max / d_i + 1e-9)`. Along a ladder of ratios no class grows, so that ladders are nested in
/// every class.
///
/// # Errors
/// [`ProfileError::TooFewClasses`] below two classes, [`ProfileError::EmptyClass`] when a class would
/// have no row, which is when `ratio > n_max`.
pub fn counts_of_largest(
    profile: Profile,
    n_classes: usize,
    ratio: Ratio,
    n_max: usize,
) -> Result<ClassCounts, ProfileError> {
    at_least_two(n_classes)?;
    let counts = fall(profile, n_classes, ratio, n_max as f64)?;
    not_empty(profile, ratio, counts, || {
        (n_max >= 1).then_some(n_max as f64)
    })
}

/// Counts of `n_classes` classes of which the smallest has `minority_count` rows: those of
/// [`counts_of_largest`] at `n_max = minority_count * ratio`, which need not be whole.
///
/// # Errors
/// [`ProfileError::TooFewClasses`] below two classes, [`ProfileError::EmptyClass`] when
/// `minority_count` is 0, [`ProfileError::TooManyRows`] when the largest class would have over 2^53
/// rows.
pub fn counts_of_smallest(
    profile: Profile,
    n_classes: usize,
    ratio: Ratio,
    minority_count: usize,
) -> Result<ClassCounts, ProfileError> {
    at_least_two(n_classes)?;
    let counts = fall(
        profile,
        n_classes,
        ratio,
        minority_count as f64 * ratio.get(),
    )?;
    not_empty(profile, ratio, counts, || None)
}

/// The rows that real data with the class counts `natural` give in this profile.
///
/// Classes that have rows are ranked by their natural count, most rows first, ties in class order (so
/// that thinning keeps the order of the classes and throws away least), unless [`Rare`](super::Rare) says otherwise.
/// Rank i gets `floor(n_max / d_i + 1e-9)` rows with the `n_max` of [`Size`], by default `min_i natural_i d_i`, the
/// largest one (not rounded) that every class can give: the class that binds keeps all its rows. Rounding `n_max` down to
/// whole rows, or up to what the floors would still allow, realises the ratio less well: 34 rare and
/// 500 common rows at ratio 10 would become 34 and 349.
///
/// Absent classes stay absent. A ratio below the natural one thins the common classes, one above it
/// the rare ones.
///
/// # Errors
/// [`ProfileError::TooFewClasses`] when fewer than two classes have rows, [`ProfileError::EmptyClass`]
/// when a class that has rows would get none, [`ProfileError::TooFewRows`] when a size is fixed that a class cannot give.
pub fn counts_within(
    thinning: impl Into<Thinning>,
    natural: &ClassCounts,
    ratio: Ratio,
) -> Result<ClassCounts, ProfileError> {
    let Thinning {
        profile,
        rare,
        size,
    } = thinning.into();
    let natural = natural.as_slice();
    let mut ranked: Vec<usize> = (0..natural.len())
        .filter(|&class| natural[class] > 0)
        .collect();
    ranked.sort_by_key(|&class| std::cmp::Reverse(natural[class]));
    let ranked = rare.ranked(ranked);
    let k = ranked.len();
    at_least_two(k)?;
    let supply = |rank: usize| natural[ranked[rank]] as f64;
    let n_max = match size {
        Size::Most => (0..k)
            .map(|rank| supply(rank) * profile.divisor(rank, k, ratio))
            .fold(f64::INFINITY, f64::min),
        Size::Largest(n) => n as f64,
        Size::Smallest(n) => n as f64 * ratio.get(),
    };
    let by_rank = fall(profile, k, ratio, n_max)?;
    let mut counts = vec![0; natural.len()];
    for (&class, &count) in ranked.iter().zip(&by_rank) {
        counts[class] = count;
    }
    let empty = ranked
        .iter()
        .copied()
        .filter(|&class| counts[class] == 0)
        .min();
    let short = (0..natural.len()).find(|&class| counts[class] > natural[class]);
    if let Some(class) = short {
        return Err(ProfileError::TooFewRows {
            class,
            wanted: counts[class],
            found: natural[class],
        });
    }
    match empty {
        None => Ok(ClassCounts::new(counts)),
        Some(class) if size != Size::Most => Err(ProfileError::EmptyClass {
            class,
            profile,
            ratio,
            largest: Some(round_down(n_max)),
        }),
        // The last class gets min_i natural_i ratio^(e_i - 1) rows; that is at least 1 as long as
        // the ratio is at most every natural_i^(1 / (1 - e_i)).
        Some(class) => {
            let largest = (0..k)
                .map(|rank| (supply(rank), 1.0 - profile.exponent(rank, k)))
                .filter(|&(_, rest)| rest > 0.0)
                .map(|(supply, rest)| supply.powf(rest.recip()))
                .fold(f64::INFINITY, f64::min);
            Err(ProfileError::EmptyClass {
                class,
                profile,
                ratio,
                largest: Some(round_down(largest)),
            })
        }
    }
}

fn at_least_two(n_classes: usize) -> Result<(), ProfileError> {
    if n_classes < 2 {
        return Err(ProfileError::TooFewClasses { found: n_classes });
    }
    Ok(())
}

fn not_empty(
    profile: Profile,
    ratio: Ratio,
    counts: Vec<usize>,
    largest: impl FnOnce() -> Option<f64>,
) -> Result<ClassCounts, ProfileError> {
    match counts.iter().position(|&count| count == 0) {
        None => Ok(ClassCounts::new(counts)),
        Some(class) => Err(ProfileError::EmptyClass {
            class,
            profile,
            ratio,
            largest: largest(),
        }),
    }
}

/// `floor(n_max / d_i + SLACK)` of every rank.
fn fall(
    profile: Profile,
    n_classes: usize,
    ratio: Ratio,
    n_max: f64,
) -> Result<Vec<usize>, ProfileError> {
    (0..n_classes)
        .map(|rank| {
            let exact = n_max / profile.divisor(rank, n_classes, ratio);
            whole(exact).ok_or(ProfileError::TooManyRows { profile, ratio })
        })
        .collect()
}

/// Shares by largest remainder.
fn apportion(profile: Profile, n_classes: usize, ratio: Ratio, n: usize) -> Vec<usize> {
    let shares: Vec<f64> = (0..n_classes)
        .map(|i| profile.divisor(i, n_classes, ratio).recip())
        .collect();
    counts_of_shares(n, &shares)
}

/// `floor(value + SLACK)`; `None` when negative, NaN or over 2^53, where counts are no longer exact.
pub(super) fn whole(value: f64) -> Option<usize> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let floor = (value + SLACK).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 2^53"
    )]
    (0.0..=EXACT).contains(&floor).then_some(floor as usize)
}

/// The largest ratio below `asked` at which `fits` holds, or `None` when it does not even at 1. A grid
/// and then bisection: largest remainders are not monotone in the ratio, so that bisection
/// alone could settle on a smaller one.
fn largest_by_search(asked: Ratio, fits: impl Fn(f64) -> bool) -> Option<f64> {
    const GRID: u32 = 256;
    let grid = |step: u32| asked.get().powf(f64::from(step) / f64::from(GRID));
    let step = (0..GRID).rev().find(|&step| fits(grid(step)))?;
    let (mut low, mut high) = (grid(step), grid(step + 1));
    for _ in 0..64 {
        let middle = low.midpoint(high);
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    let rounded = round_down(low);
    Some(if fits(rounded) { rounded } else { low })
}

/// For messages: down to 3 decimals, from 1000 to a whole number. A number that rounding left just
/// below such a value is taken for it.
fn round_down(ratio: f64) -> f64 {
    let scale = if ratio >= 1000.0 { 1.0 } else { 1000.0 };
    ((ratio * scale * (1.0 + 1e-13)).floor() / scale).max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(ratio: f64) -> Ratio {
        Ratio::new(ratio).unwrap()
    }

    fn largest_of(error: &ProfileError) -> Option<f64> {
        match error {
            ProfileError::EmptyClass { largest, .. } => *largest,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_exponential_profile_has_the_counts_of_cifar_lt() {
        let counts = |r: f64| {
            let counts = counts_of_largest(Profile::Exponential, 10, ratio(r), 5000).unwrap();
            counts.as_slice().to_vec()
        };
        assert_eq!(
            counts(100.0),
            [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
        );
        assert_eq!(counts(100.0).iter().sum::<usize>(), 12_406);
        assert_eq!(
            counts(10.0),
            [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]
        );
        assert_eq!(counts(10.0).iter().sum::<usize>(), 20_431);
        assert_eq!(counts(1.0), [5000; 10]);
        let cifar_100 = counts_of_largest(Profile::Exponential, 100, ratio(100.0), 500).unwrap();
        assert_eq!((cifar_100.total(), cifar_100.as_slice()[99]), (10_847, 5));
    }

    #[test]
    fn the_pareto_profile_falls_by_a_power_of_the_rank() {
        let counts = |k, r: f64, n| {
            let counts = counts_of_largest(Profile::Pareto, k, ratio(r), n).unwrap();
            counts.as_slice().to_vec()
        };
        // Shape ln 4 / ln 16 = 1/2: n_max / rank^2; and shape 1: n_max / rank, Zipf's law.
        assert_eq!(counts(4, 16.0, 1440), [1440, 360, 160, 90]);
        assert_eq!(
            counts(10, 10.0, 2520),
            [2520, 1260, 840, 630, 504, 420, 360, 315, 280, 252]
        );
        assert_eq!(counts(2, 7.0, 70), [70, 10]);
        // The head falls faster than an exponential one, and the tail is flatter.
        let exponential = counts_of_largest(Profile::Exponential, 10, ratio(100.0), 5000).unwrap();
        let pareto = counts(10, 100.0, 5000);
        assert_eq!((pareto[0], pareto[9]), (5000, 50));
        assert!(
            pareto
                .iter()
                .zip(exponential.as_slice())
                .all(|(p, e)| p <= e)
        );
    }

    #[test]
    fn which_class_is_rare_and_how_many_rows_there_are_are_knobs() {
        use super::super::Rare;
        let natural = ClassCounts::new(vec![200, 40, 0, 1000]);
        let of = |rare, size| {
            let thinning = Thinning {
                profile: Profile::Exponential,
                rare,
                size,
            };
            counts_within(thinning, &natural, ratio(4.0)).map(|counts| counts.as_slice().to_vec())
        };
        assert_eq!(of(Rare::Smallest, Size::Most).unwrap(), [80, 40, 0, 160]);
        assert_eq!(of(Rare::Largest, Size::Most).unwrap(), [20, 40, 0, 10]);
        assert_eq!(of(Rare::Class(0), Size::Most).unwrap(), [20, 40, 0, 80]);
        assert_eq!(
            of(Rare::Smallest, Size::Largest(100)).unwrap(),
            [50, 25, 0, 100]
        );
        assert_eq!(
            of(Rare::Smallest, Size::Smallest(10)).unwrap(),
            [20, 10, 0, 40]
        );
        let short = of(Rare::Smallest, Size::Smallest(41)).unwrap_err();
        assert_eq!(
            short.to_string(),
            "class 1 (from 0) has 40 rows, 41 are asked for"
        );
        let empty = of(Rare::Smallest, Size::Largest(3)).unwrap_err();
        assert_eq!(largest_of(&empty), Some(3.0));
    }

    #[test]
    fn the_step_profile_keeps_half_of_the_classes_large() {
        let counts = |k, r: f64, n| {
            let counts = counts_of_largest(Profile::Step, k, ratio(r), n).unwrap();
            counts.as_slice().to_vec()
        };
        assert_eq!(counts(2, 10.0, 900), [900, 90]);
        assert_eq!(counts(3, 10.0, 900), [900, 900, 90]);
        assert_eq!(counts(4, 7.0, 100), [100, 100, 14, 14]);
        assert_eq!(counts(10, 100.0, 5000)[4..6], [5000, 50]);
    }

    #[test]
    fn perfect_powers_lose_no_row_to_rounding() {
        // n_max = base^(K-1) m at ratio base^(K-1): every class has base^(K-1-i) m rows, exactly.
        for k in 2..10_u32 {
            for base in 2..8_usize {
                for m in [1, 7, 50] {
                    let top = base.pow(k - 1);
                    if top * m > 1_000_000 {
                        continue;
                    }
                    let expected: Vec<usize> = (0..k).map(|i| base.pow(k - 1 - i) * m).collect();
                    let (profile, k, r) = (Profile::Exponential, k as usize, ratio(top as f64));
                    let largest = counts_of_largest(profile, k, r, top * m).unwrap();
                    assert_eq!(largest.as_slice(), expected);
                    let smallest = counts_of_smallest(profile, k, r, m).unwrap();
                    assert_eq!(smallest.as_slice(), expected);
                    let total = counts_of_total(profile, k, r, expected.iter().sum()).unwrap();
                    assert_eq!(total.as_slice(), expected);
                    let within = counts_within(profile, &largest, r).unwrap();
                    assert_eq!(within, largest);
                }
            }
        }
    }

    #[test]
    fn totals_go_by_largest_remainder() {
        let counts = |profile, k, r: f64, n| {
            counts_of_total(profile, k, ratio(r), n)
                .unwrap()
                .as_slice()
                .to_vec()
        };
        assert_eq!(counts(Profile::Step, 2, 19.0, 2000), [1900, 100]);
        assert_eq!(counts(Profile::Step, 2, 100.0, 1000), [990, 10]);
        // Quotas 3.67, 3.67, 1.83, 1.83.
        assert_eq!(counts(Profile::Step, 4, 2.0, 11), [4, 3, 2, 2]);
        // Equal remainders go to the lower classes.
        assert_eq!(counts(Profile::Step, 3, 1.0, 11), [4, 4, 3]);
        // Quotas 1.5 and 0.5 tie, and the tie empties class 1.
        let error = counts_of_total(Profile::Step, 2, ratio(3.0), 2).unwrap_err();
        assert_eq!(largest_of(&error), Some(2.999));
        // Quotas 57.14, 28.57, 14.29.
        assert_eq!(counts(Profile::Exponential, 3, 4.0, 100), [57, 29, 14]);
    }

    #[test]
    fn an_empty_class_is_named_with_the_largest_ratio_that_would_do() {
        let error = counts_of_largest(Profile::Step, 4, ratio(101.0), 100).unwrap_err();
        assert_eq!(
            error.to_string(),
            "step profile at imbalance ratio 101: class 2 (from 0) would have no row; the largest \
             ratio that would do is 100"
        );
        let error = counts_of_largest(Profile::Step, 2, ratio(1.0), 0).unwrap_err();
        assert_eq!(largest_of(&error), None);
        let error = counts_of_smallest(Profile::Exponential, 3, ratio(5.0), 0).unwrap_err();
        assert_eq!(largest_of(&error), None);
        // The minority's quota 100 / (1 + ratio) has to stay above one half.
        let error = counts_of_total(Profile::Step, 2, ratio(1e6), 100).unwrap_err();
        assert_eq!(largest_of(&error), Some(198.999));
        let error = counts_of_total(Profile::Step, 4, ratio(2.0), 3).unwrap_err();
        assert_eq!(largest_of(&error), None);
        let natural = ClassCounts::new(vec![30, 0, 500]);
        let error = counts_within(Profile::Step, &natural, ratio(600.0)).unwrap_err();
        assert_eq!(
            error,
            ProfileError::EmptyClass {
                class: 0,
                profile: Profile::Step,
                ratio: ratio(600.0),
                largest: Some(500.0),
            }
        );
    }

    #[test]
    fn fewer_than_two_classes_have_no_ratio() {
        for k in [0, 1] {
            for profile in Profile::ALL {
                let error = Err(ProfileError::TooFewClasses { found: k });
                assert_eq!(counts_of_total(profile, k, ratio(1.0), 9), error);
                assert_eq!(counts_of_largest(profile, k, ratio(1.0), 9), error);
                assert_eq!(counts_of_smallest(profile, k, ratio(1.0), 9), error);
                let natural =
                    ClassCounts::new((0..3).map(|class| usize::from(class < k)).collect());
                assert_eq!(counts_within(profile, &natural, ratio(1.0)), error);
            }
        }
    }

    #[test]
    fn counts_beyond_exactness_are_refused() {
        let error = counts_of_smallest(Profile::Step, 2, ratio(1e300), 10).unwrap_err();
        assert!(matches!(error, ProfileError::TooManyRows { .. }));
        let counts = counts_of_smallest(Profile::Step, 2, ratio(1e15), 9).unwrap();
        assert_eq!(counts.as_slice(), [9_000_000_000_000_000, 9]);
    }

    #[test]
    fn real_data_give_the_most_rows_that_keep_the_ratio() {
        let within = |profile, natural: &[usize], r: f64| {
            let natural = ClassCounts::new(natural.to_vec());
            counts_within(profile, &natural, ratio(r))
                .unwrap()
                .as_slice()
                .to_vec()
        };
        // The rare class binds below the natural ratio, the common one above it.
        assert_eq!(within(Profile::Step, &[34, 500], 10.0), [34, 340]);
        assert_eq!(within(Profile::Step, &[34, 500], 50.0), [10, 500]);
        assert_eq!(within(Profile::Step, &[34, 500], 1.0), [34, 34]);
        assert_eq!(within(Profile::Step, &[9, 100], 2.5), [9, 22]);
        // Ranks by count; absent classes stay absent; ties in class order.
        assert_eq!(
            within(Profile::Step, &[40, 0, 300, 500, 30], 10.0),
            [30, 0, 300, 300, 30]
        );
        assert_eq!(within(Profile::Step, &[50, 50, 50], 10.0), [50, 50, 5]);
        // Rank 0 allows 1000, rank 1 allows 70 * 10, rank 2 allows 50 * 100.
        assert_eq!(
            within(Profile::Exponential, &[50, 70, 1000], 100.0),
            [7, 70, 700]
        );
    }

    fn profiles() -> impl Strategy<Value = Profile> {
        prop::sample::select(Profile::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn totals_are_met_within_a_row_of_the_shares_and_never_rise(
            profile in profiles(), k in 2_usize..30, r in 1.0_f64..1000.0, n in 1_usize..100_000,
        ) {
            let counts = match counts_of_total(profile, k, ratio(r), n) {
                Ok(counts) => counts,
                Err(error) => {
                    // What the message promises holds.
                    if let Some(largest) = largest_of(&error) {
                        prop_assert!(largest < r);
                        prop_assert!(counts_of_total(profile, k, ratio(largest), n).is_ok());
                    } else {
                        prop_assert!(n < k);
                    }
                    return Ok(());
                }
            };
            prop_assert_eq!(counts.total(), n);
            prop_assert!(counts.as_slice().is_sorted_by(|a, b| a >= b));
            let divisors: Vec<f64> = (0..k).map(|i| profile.divisor(i, k, ratio(r))).collect();
            let shares: f64 = divisors.iter().map(|d| d.recip()).sum();
            for (count, d) in counts.as_slice().iter().zip(divisors) {
                let quota = n as f64 / d / shares;
                prop_assert!((*count as f64 - quota).abs() < 1.0 + 1e-6);
            }
        }

        #[test]
        fn ladders_of_the_largest_class_never_grow(
            profile in profiles(), k in 2_usize..30, n in 1_usize..100_000, a in 0.0_f64..1.0, b in 0.0_f64..1.0,
        ) {
            let of = |u: f64| counts_of_largest(profile, k, ratio((n as f64).powf(u)), n).unwrap();
            let (more, fewer) = (of(a.min(b)), of(a.max(b)));
            prop_assert_eq!(more.as_slice()[0], n);
            for (more, fewer) in more.as_slice().iter().zip(fewer.as_slice()) {
                prop_assert!(more >= fewer);
            }
        }

        #[test]
        fn the_smallest_class_has_its_count(
            profile in profiles(), k in 2_usize..30, r in 1.0_f64..1e4, m in 1_usize..5000,
        ) {
            let counts = counts_of_smallest(profile, k, ratio(r), m).unwrap();
            prop_assert_eq!(counts.as_slice()[k - 1], m);
            prop_assert!(counts.as_slice().is_sorted_by(|a, b| a >= b));
            let largest = counts.as_slice()[0] as f64;
            prop_assert!(largest <= m as f64 * r + 1e-6 && largest > m as f64 * r - 1.0 - 1e-6);
        }

        #[test]
        fn real_data_are_never_asked_for_more_than_they_have(
            profile in profiles(), natural in prop::collection::vec(0_usize..2000, 2..12), r in 1.0_f64..3000.0,
        ) {
            let natural = ClassCounts::new(natural);
            let k = natural.n_present();
            prop_assume!(k >= 2);
            let counts = match counts_within(profile, &natural, ratio(r)) {
                Ok(counts) => counts,
                Err(error) => {
                    let largest = largest_of(&error).unwrap();
                    prop_assert!(largest < r);
                    prop_assert!(counts_within(profile, &natural, ratio(largest)).is_ok());
                    return Ok(());
                }
            };
            let pairs: Vec<(usize, usize)> = natural
                .as_slice()
                .iter()
                .zip(counts.as_slice())
                .map(|(&have, &take)| (have, take))
                .collect();
            // Absent stays absent, nobody gives more than it has, and one class gives all it has.
            prop_assert!(pairs.iter().all(|&(have, take)| take <= have && (have == 0) == (take == 0)));
            prop_assert!(pairs.iter().any(|&(have, take)| have > 0 && take == have));
            for a in &pairs {
                for b in &pairs {
                    prop_assert!(a.0 <= b.0 || a.1 >= b.1, "the order of the classes is kept");
                }
            }
            // The ratio is met but for the rows that the floors drop.
            let (top, low) = (counts.largest() as f64, counts.smallest_present() as f64);
            prop_assert!(top < r * (low + 1.0) + 1e-6 && top + 1.0 > r * low - 1e-6);
        }
    }
}
