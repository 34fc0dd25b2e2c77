//! Class counts of a profile, by what is held fixed.

use counterweight_core::ClassCounts;

use super::{Profile, ProfileError, Ratio};

/// Keeps a whole number that arithmetic left a few rounding errors short from losing a row.
const SLACK: f64 = 1e-9;

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

/// The most rows that real data with the class counts `natural` can give in this profile.
///
/// Classes that have rows are ranked by their natural count, most rows first, ties in class order, so
/// that thinning keeps the order of the classes and throws away least. Rank i gets
/// `floor(n_max / d_i + 1e-9)` rows with `n_max = min_i natural_i d_i`, the largest one (not
/// rounded) that every class can give: the class that binds keeps all its rows. Rounding `n_max` down to
/// whole rows, or up to what the floors would still allow, realises the ratio less well: 34 rare and
/// 500 common rows at ratio 10 would become 34 and 349.
///
/// Absent classes stay absent. A ratio below the natural one thins the common classes, one above it
/// the rare ones.
///
/// # Errors
/// [`ProfileError::TooFewClasses`] when fewer than two classes have rows, [`ProfileError::EmptyClass`]
/// when a class that has rows would get none.
pub fn counts_within(
    profile: Profile,
    natural: &ClassCounts,
    ratio: Ratio,
) -> Result<ClassCounts, ProfileError> {
    let natural = natural.as_slice();
    let mut ranked: Vec<usize> = (0..natural.len())
        .filter(|&class| natural[class] > 0)
        .collect();
    ranked.sort_by_key(|&class| std::cmp::Reverse(natural[class]));
    let k = ranked.len();
    at_least_two(k)?;
    let supply = |rank: usize| natural[ranked[rank]] as f64;
    let n_max = (0..k)
        .map(|rank| supply(rank) * profile.divisor(rank, k, ratio))
        .fold(f64::INFINITY, f64::min);
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
    match empty {
        None => Ok(ClassCounts::new(counts)),
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
    let total: f64 = shares.iter().sum();
    let quotas: Vec<f64> = shares
        .iter()
        .map(|share| n as f64 * (share / total))
        .collect();
    let mut counts: Vec<usize> = quotas
        .iter()
        .map(|&quota| whole(quota).unwrap_or(usize::MAX).min(n))
        .collect();
    // On a grid of SLACK, so that remainders that are equal but for rounding count as equal.
    let remainder = |class: usize| {
        let rest = (quotas[class] - counts[class] as f64).max(0.0);
        std::cmp::Reverse(whole((rest / SLACK).round()))
    };
    let mut order: Vec<usize> = (0..n_classes).collect();
    order.sort_by_key(|&class| remainder(class));
    let given: usize = counts.iter().sum();
    for &class in order.iter().take(n.saturating_sub(given)) {
        counts[class] += 1;
    }
    counts
}

/// `floor(value + SLACK)`; `None` when negative, NaN or over 2^53, where counts are no longer exact.
fn whole(value: f64) -> Option<usize> {
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
