//! Many offset rules on the same rows: confusion counts of `argmax_y s_y - offset_y`, shared work done
//! once.
//!
//! For two classes the log odds are sorted once, and every rule is then a binary search: O(log n)
//! instead of O(n). For more classes one rule costs O(n K); a line of rules (a grid of tau) costs
//! O(n K s log P) for P points and s decisions that a row takes along it, since the offsets at which a
//! row keeps its decision are an interval of the line.
//!
//! Nothing is approximated: the counts are those of [`argmax_row`] on every row, ties included. Rows
//! whose log odds are within the slack of a tie of the cut are decided one by one.

use counterweight_core::limit;
use counterweight_core::scores::argmax_row;
use counterweight_core::{Confusion, CoreError, Labels, Scores, TIE};

use crate::leaders::Leaders;

/// One minus the mean recall of the classes that have rows; `None` without rows.
fn balanced_error(confusion: &Confusion) -> Option<f64> {
    let recalls = confusion.recalls().flatten();
    let (sum, n) = recalls.fold((0.0, 0.0), |(sum, n), recall| (sum + recall, n + 1.0));
    (n > 0.0).then(|| 1.0 - sum / n)
}

/// Rows with known classes, ready to be decided by many offset rules.
#[derive(Debug)]
pub struct OffsetRules<'a> {
    scores: &'a Scores,
    labels: &'a Labels,
    truth: &'a [u32],
    /// What each row weighs, where rows have weights of their own.
    weights: Option<Vec<f64>>,
    binary: Option<Sorted>,
}

/// Two classes: rows by their log odds of class 1.
#[derive(Debug)]
struct Sorted {
    /// Finite log odds, ascending, with their rows.
    odds: Vec<(f64, usize)>,
    /// Rows of class 1 among the first i.
    ones: Vec<u64>,
    /// What the first i rows weigh by class, where rows have weights of their own.
    masses: Option<Vec<[f64; 2]>>,
    /// Rows that no finite offset changes, by truth and decision.
    fixed: Confusion,
    /// Largest finite log-score, by size.
    largest: f64,
}

impl Sorted {
    fn new(scores: &Scores, truth: &[u32], weights: Option<&[f64]>) -> Self {
        let mut odds = Vec::with_capacity(truth.len());
        let mut fixed = Confusion::new(2);
        let mut largest = 0.0_f64;
        for (i, row) in scores.log().iter_rows().enumerate() {
            if row[0].is_finite() && row[1].is_finite() {
                largest = largest.max(row[0].abs()).max(row[1].abs());
                odds.push((row[1] - row[0], i));
            } else {
                let decided = usize::from(row[0] == f64::NEG_INFINITY);
                let weight = weights.map(|weights| weights[i]);
                fixed.add_own(truth[i] as usize, decided, 1, weight);
            }
        }
        odds.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut ones = Vec::with_capacity(odds.len() + 1);
        ones.push(0);
        let mut sum = 0;
        for &(_, row) in &odds {
            sum += u64::from(truth[row] == 1);
            ones.push(sum);
        }
        let masses = weights.map(|weights| {
            let mut sums = [0.0; 2];
            let mut masses = vec![sums];
            for &(_, row) in &odds {
                sums[truth[row] as usize] += weights[row];
                masses.push(sums);
            }
            masses
        });
        Self {
            odds,
            ones,
            masses,
            fixed,
            largest,
        }
    }
}

impl Sorted {
    /// Adds the rows from one place of the log odds to another, all decided alike.
    fn add(&self, counts: &mut Confusion, (from, to): (usize, usize), decided: usize) {
        let ones = self.ones[to] - self.ones[from];
        for (class, n) in [(1, ones), (0, (to - from) as u64 - ones)] {
            let weight = self.masses.as_ref();
            let weight = weight.map(|m| (m[to][class] - m[from][class]).max(0.0));
            counts.add_own(
                class,
                decided,
                n,
                weight.map(|w| if n > 0 { w } else { 0.0 }),
            );
        }
    }

    /// The cut of the log odds with the least balanced error, and that error; of equals the lowest.
    fn best_cut(&self) -> Option<(f64, f64)> {
        let n = self.odds.len();
        let mut least: Option<(f64, f64)> = None;
        for at in 0..=n {
            let tied = at > 0
                && at < n
                && self.odds[at].0 - self.odds[at - 1].0
                    <= 4.0 * TIE * self.odds[at].0.abs().max(1.0);
            if !tied {
                let mut counts = self.fixed.clone();
                self.add(&mut counts, (0, at), 0);
                self.add(&mut counts, (at, n), 1);
                let error = balanced_error(&counts)?;
                if least.is_none_or(|(_, least)| error < least) {
                    let below = at.checked_sub(1).map(|at| self.odds[at].0);
                    let cut = match (below, self.odds.get(at)) {
                        (Some(below), Some((above, _))) => f64::midpoint(below, *above),
                        (Some(below), None) => below + 1.0 + below.abs(),
                        (None, Some((above, _))) => above - 1.0 - above.abs(),
                        (None, None) => 0.0,
                    };
                    least = Some((cut, error));
                }
            }
        }
        least
    }
}

impl<'a> OffsetRules<'a> {
    /// For these rows.
    ///
    /// # Errors
    /// [`CoreError::Shape`] when scores and labels differ in rows or classes.
    pub fn new(scores: &'a Scores, labels: &'a Labels) -> Result<Self, CoreError> {
        for (what, expected, found) in [
            ("scores", labels.len(), scores.n_rows()),
            ("classes of scores", labels.n_classes(), scores.n_classes()),
        ] {
            if expected != found {
                return Err(CoreError::Shape {
                    what,
                    expected,
                    found,
                });
            }
        }
        let truth = labels.ids();
        let weights = labels.weights();
        let binary =
            (scores.n_classes() == 2).then(|| Sorted::new(scores, truth, weights.as_deref()));
        Ok(Self {
            scores,
            labels,
            truth,
            weights,
            binary,
        })
    }

    /// What `argmax_y s_y - offset_y` decides.
    ///
    /// # Panics
    /// When there are not as many offsets as classes.
    pub fn counts(&self, offsets: &[f64]) -> Confusion {
        assert_eq!(offsets.len(), self.scores.n_classes(), "one offset a class");
        match &self.binary {
            Some(sorted) if offsets.iter().all(|o| o.is_finite()) => {
                self.by_search(sorted, offsets)
            }
            _ => {
                let mut counts = Confusion::new(offsets.len());
                let rows = self.scores.log().iter_rows().zip(self.truth);
                for (at, (row, &truth)) in rows.enumerate() {
                    limit::ask_at(at);
                    let decided = argmax_row(row, offsets, self.labels.ties()) as usize;
                    counts.add_own(truth as usize, decided, 1, self.weight(at));
                }
                counts
            }
        }
    }

    fn by_search(&self, sorted: &Sorted, offsets: &[f64]) -> Confusion {
        let cut = offsets[1] - offsets[0];
        // Wider than the slack of a tie and every rounding on the way to it.
        let reach = sorted.largest + offsets[0].abs() + offsets[1].abs();
        let slack = 4.0 * TIE * reach.max(1.0);
        let low = sorted.odds.partition_point(|(m, _)| *m < cut - slack);
        let high = low + sorted.odds[low..].partition_point(|(m, _)| *m <= cut + slack);
        let mut counts = sorted.fixed.clone();
        let n = sorted.odds.len();
        for (from, to, decided) in [(0, low, 0), (high, n, 1)] {
            sorted.add(&mut counts, (from, to), decided);
        }
        for &(_, row) in &sorted.odds[low..high] {
            let decided = argmax_row(self.scores.log().row(row), offsets, self.labels.ties());
            let truth = self.truth[row] as usize;
            counts.add_own(truth, decided as usize, 1, self.weight(row));
        }
        counts
    }

    fn weight(&self, row: usize) -> Option<f64> {
        self.weights.as_ref().map(|weights| weights[row])
    }

    /// The counts at each of `points`, which lie in order on a line of offsets (at + x step, x never
    /// falling). `visit` gets the number of the point and its counts, in order.
    ///
    /// # Panics
    /// When a point does not have as many offsets as there are classes.
    pub fn along(&self, points: &[Vec<f64>], mut visit: impl FnMut(usize, &Confusion)) {
        let Some(last) = points.len().checked_sub(1) else {
            return;
        };
        if self.binary.is_some() {
            for (at, offsets) in points.iter().enumerate() {
                limit::ask();
                visit(at, &self.counts(offsets));
            }
            return;
        }
        let (k, ties) = (self.scores.n_classes(), self.labels.ties());
        assert!(points.iter().all(|p| p.len() == k), "one offset a class");
        let mut counts = Confusion::new(k);
        let mut turns: Vec<(usize, u32, u32, u32, usize)> = Vec::new();
        let mut open: Vec<(usize, u32, usize, u32)> = Vec::new();
        let rows = self.scores.log().iter_rows().zip(self.truth);
        for (at, (row, &truth)) in rows.enumerate() {
            limit::ask_at(at);
            let first = argmax_row(row, &points[0], ties);
            counts.add_own(truth as usize, first as usize, 1, self.weight(at));
            open.push((0, first, last, argmax_row(row, &points[last], ties)));
            // Halves the stretches at whose ends the decisions differ.
            while let Some((low, from, high, to)) = open.pop() {
                if from == to {
                    continue;
                }
                if high - low == 1 {
                    turns.push((high, truth, from, to, at));
                    continue;
                }
                let middle = low.midpoint(high);
                let between = argmax_row(row, &points[middle], ties);
                open.push((low, from, middle, between));
                open.push((middle, between, high, to));
            }
        }
        turns.sort_unstable();
        let mut turns = turns.into_iter().peekable();
        for at in 0..points.len() {
            limit::ask();
            while let Some((_, truth, from, to, row)) = turns.next_if(|turn| turn.0 == at) {
                let weight = self.weight(row);
                counts.relabel_own(truth as usize, from as usize, to as usize, weight);
            }
            visit(at, &counts);
        }
    }

    /// One minus the mean recall at `offsets`, over the classes that have rows; `None` without rows.
    pub fn balanced_error(&self, offsets: &[f64]) -> Option<f64> {
        balanced_error(&self.counts(offsets))
    }

    /// The least balanced error that any offsets reach on these very rows, which is optimistic: an
    /// oracle, never a result. Two classes: exact, over all cut points. More: coordinate ascent of at most
    /// `rounds` rounds from the first of `starts`, and from the best of the others where that is better
    /// than what the first led to; so a bound from above. `None` without rows.
    pub fn least_balanced_error(&self, starts: &[&[f64]], rounds: usize) -> Option<f64> {
        self.best_offsets(starts, rounds).map(|(_, error)| error)
    }

    /// The offsets of [`OffsetRules::least_balanced_error`], and that error.
    pub fn best_offsets(&self, starts: &[&[f64]], rounds: usize) -> Option<(Vec<f64>, f64)> {
        if let Some(sorted) = &self.binary {
            return sorted
                .best_cut()
                .map(|(cut, error)| (vec![0.0, cut], error));
        }
        let (first, others) = starts.split_first()?;
        let mut best = self.ascend(first, rounds)?;
        let mut rival: Option<(f64, &[f64])> = None;
        for start in others {
            let error = self.balanced_error(start)?;
            if error < rival.map_or(best.1, |(least, _)| least) {
                rival = Some((error, start));
            }
        }
        if let Some((_, start)) = rival {
            best = self.ascend(start, rounds)?;
        }
        Some(best)
    }

    /// Coordinate ascent from `start`: the offsets, and their balanced error.
    fn ascend(&self, start: &[f64], rounds: usize) -> Option<(Vec<f64>, f64)> {
        let mut least = self.balanced_error(start)?;
        let mut leaders = Leaders::new(self.scores, self.labels, start);
        let mut share = vec![0.0; start.len()];
        for (row, &y) in self.truth.iter().enumerate() {
            share[y as usize] += self.weight(row).unwrap_or(1.0);
        }
        let present = share.iter().filter(|n| **n > 0.0).count() as f64;
        for n in &mut share {
            *n = if *n > 0.0 { 1.0 / (*n * present) } else { 0.0 };
        }
        for _ in 0..rounds {
            let before = least;
            for class in (0..start.len()).filter(|&class| start[class].is_finite()) {
                if let Some(found) = self.line_search(&leaders, class, &share) {
                    let error = if self.labels.is_weighted() {
                        self.balanced_error(&leaders.with(class, found))?
                    } else {
                        leaders.balanced_error(class, found)?
                    };
                    if error < least - 1e-12 {
                        least = error;
                        leaders.take(class, found);
                    }
                }
            }
            if least >= before {
                break;
            }
        }
        Some((leaders.offsets().to_vec(), least))
    }

    /// The balanced error when the best offsets are chosen on one half of these rows (every second row
    /// of each class) and decide the other half, either way round. Less
    /// [`OffsetRules::least_balanced_error`] it estimates how optimistic that oracle is.
    pub fn transferred_balanced_error(&self, starts: &[&[f64]], rounds: usize) -> Option<f64> {
        let k = self.scores.n_classes();
        let mut seen = vec![0_usize; k];
        let mut halves: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
        for (row, &y) in self.truth.iter().enumerate() {
            halves[seen[y as usize] % 2].push(row);
            seen[y as usize] += 1;
        }
        let mut pooled = Confusion::new(k);
        let part = |rows: &[usize]| {
            let scores = Scores::log_probabilities(self.scores.log().select_rows(rows)).ok()?;
            let labels = self.labels.select(rows);
            // Weights are in units of their mean, which another half need not share.
            let sum = |weights: &Vec<f64>| rows.iter().map(|&row| weights[row]).sum::<f64>();
            let unit = (self.weights.as_ref()).map(|weights| sum(weights) / rows.len() as f64);
            Some((scores, labels, unit))
        };
        let (one, two) = (part(&halves[0])?, part(&halves[1])?);
        for ((scores, labels, _), (others, other_labels, unit)) in [(&one, &two), (&two, &one)] {
            let (offsets, _) = OffsetRules::new(scores, labels)
                .ok()?
                .best_offsets(starts, rounds)?;
            let counts = OffsetRules::new(others, other_labels)
                .ok()?
                .counts(&offsets);
            for y in 0..k {
                for j in 0..k {
                    let weight = unit.map(|unit| unit * counts.weight(y, j));
                    pooled.add_own(y, j, counts.count(y, j), weight);
                }
            }
        }
        balanced_error(&pooled)
    }

    /// The offset of `class` with the largest mean recall, the others fixed; `share` is what a row
    /// of each class adds to it. `None` when no finite offset changes a decision.
    fn line_search(&self, leaders: &Leaders<'_>, class: usize, share: &[f64]) -> Option<f64> {
        let mut turning: Vec<(f64, f64)> = Vec::new();
        let rows = self.scores.log().iter_rows().zip(self.truth);
        let rivals = leaders.decided(class, f64::INFINITY);
        for (at, ((row, &truth), rival)) in rows.zip(rivals).enumerate() {
            // Without any other class the one at hand is its own rival.
            let offset = if rival == class {
                f64::INFINITY
            } else {
                leaders.offsets()[rival]
            };
            let critical = row[class] - (row[rival] - offset);
            let gain = |decided: usize| {
                if decided == truth as usize {
                    share[truth as usize] * self.weight(at).unwrap_or(1.0)
                } else {
                    0.0
                }
            };
            let change = gain(class) - gain(rival);
            if rival != class && critical.is_finite() {
                turning.push((critical, change));
            }
        }
        turning.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
        let last = turning.len().checked_sub(1)?;
        let (mut value, mut best, mut found) = (0.0, 0.0, turning[0].0 + 1.0);
        for (at, &(critical, change)) in turning.iter().enumerate() {
            value += change;
            let next = if at < last {
                turning[at + 1].0
            } else {
                critical - 2.0
            };
            if value > best && critical - next > 8.0 * TIE * critical.abs().max(1.0) {
                best = value;
                found = critical.midpoint(next);
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterweight_core::Matrix;

    /// Scores on a coarse grid, some impossible, from a small generator.
    fn rows(n: usize, k: usize, seed: u64) -> (Scores, Labels) {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let truth: Vec<u32> = (0..n)
            .map(|_| u32::try_from(next(k as u64)).unwrap())
            .collect();
        let log = Matrix::from_fn(n, k, |i, j| match next(9) {
            0 if j != truth[i] as usize => f64::NEG_INFINITY,
            v => v as f64 * 0.5,
        });
        let names = (0..k).map(|k| k.to_string()).collect();
        (
            Scores::logits(log).unwrap(),
            Labels::new(truth, names).unwrap(),
        )
    }

    fn one_by_one(scores: &Scores, labels: &Labels, offsets: &[f64]) -> Confusion {
        let mut counts = Confusion::new(offsets.len());
        let decided = scores.argmax(offsets, labels.ties()).unwrap();
        for (i, &decided) in decided.as_slice().iter().enumerate() {
            counts.add(labels.class(i), decided as usize, 1);
        }
        counts
    }

    #[test]
    fn the_best_offsets_reach_the_least_error_and_chosen_elsewhere_a_larger_one() {
        for k in 2..5 {
            let (mut excess, mut n) = (0.0, 0.0);
            for seed in 0..30 {
                let (scores, labels) = rows(80, k, seed);
                let rules = OffsetRules::new(&scores, &labels).unwrap();
                let zero = vec![0.0; k];
                let (offsets, least) = rules.best_offsets(&[&zero], 5).unwrap();
                let reached = rules.balanced_error(&offsets).unwrap();
                assert!((reached - least).abs() < 1e-12, "{k} {seed}");
                assert!(least <= rules.balanced_error(&zero).unwrap() + 1e-12);
                let elsewhere = rules.transferred_balanced_error(&[&zero], 5).unwrap();
                excess += elsewhere - least;
                n += 1.0;
            }
            // These scores know next to nothing of the classes, so all of the gain is optimism.
            assert!(excess / n > 0.01, "{k} classes: {}", excess / n);
        }
    }

    #[test]
    fn leaders_decide_as_all_classes_do() {
        for k in 2..7 {
            for seed in 0..20 {
                let (scores, labels) = rows(60, k, seed);
                let mut offsets: Vec<f64> = (0..k).map(|class| 0.3 * class as f64).collect();
                let mut leaders = Leaders::new(&scores, &labels, &offsets);
                // Offsets on the grid of the scores make ties again and again.
                for step in 0..40 {
                    let class = step * 7 % k;
                    let offset =
                        [0.5 * (step % 5) as f64 - 1.0, f64::INFINITY][usize::from(step % 9 == 8)];
                    let before = std::mem::replace(&mut offsets[class], offset);
                    let expected = scores.argmax(&offsets, labels.ties()).unwrap();
                    let found: Vec<usize> = leaders.decided(class, offset).collect();
                    let expected: Vec<usize> = expected
                        .as_slice()
                        .iter()
                        .map(|&class| class as usize)
                        .collect();
                    assert_eq!(found, expected);
                    let rules = OffsetRules::new(&scores, &labels).unwrap();
                    let error = balanced_error(&one_by_one(&scores, &labels, &offsets));
                    assert_eq!(leaders.balanced_error(class, offset), error);
                    assert_eq!(rules.balanced_error(&offsets), error);
                    if step % 3 == 0 {
                        offsets[class] = before;
                    } else {
                        leaders.take(class, offset);
                    }
                }
            }
        }
    }

    #[test]
    fn a_line_of_rules_decides_as_each_rule_alone() {
        for k in 2..5 {
            for seed in 0..20 {
                let (scores, labels) = rows(60, k, seed);
                let rules = OffsetRules::new(&scores, &labels).unwrap();
                let points: Vec<Vec<f64>> = (0..200)
                    .map(|at| {
                        // Cuts fall on tied scores again and again.
                        let tau = f64::from(at) * 0.05 - 4.0;
                        (0..k).map(|c| 0.3 + tau * (c as f64 - 1.0) * 0.5).collect()
                    })
                    .collect();
                let mut seen = 0;
                rules.along(&points, |at, counts| {
                    assert_eq!(at, seen);
                    assert_eq!(*counts, one_by_one(&scores, &labels, &points[at]));
                    seen += 1;
                });
                assert_eq!(seen, points.len());
            }
        }
    }

    #[test]
    fn infinite_offsets_forbid_a_class() {
        let (scores, labels) = rows(40, 2, 3);
        let rules = OffsetRules::new(&scores, &labels).unwrap();
        let offsets = [0.0, f64::INFINITY];
        assert_eq!(
            rules.counts(&offsets),
            one_by_one(&scores, &labels, &offsets)
        );
    }

    #[test]
    fn the_oracle_is_brute_force_for_two_classes_and_never_above_its_start_for_more() {
        for seed in 0..30 {
            let (scores, labels) = rows(25, 2, seed);
            let rules = OffsetRules::new(&scores, &labels).unwrap();
            let least = rules.least_balanced_error(&[], 0).unwrap();
            let brute = (-400..400)
                .map(|at| [0.0, f64::from(at) * 0.05 + 0.01])
                .map(|o| balanced_error(&one_by_one(&scores, &labels, &o)).unwrap_or(1.0))
                .fold(1.0, f64::min);
            assert!((least - brute).abs() < 1e-12, "{least} {brute}");
            let (scores, labels) = rows(50, 4, seed);
            let rules = OffsetRules::new(&scores, &labels).unwrap();
            let starts: [&[f64]; 2] = [&[0.0; 4], &[0.1, 0.2, 0.3, 0.4]];
            let least = rules.least_balanced_error(&starts, 5).unwrap();
            for start in starts {
                let error = rules.balanced_error(start).unwrap();
                assert!(least <= error + 1e-12);
            }
        }
    }
}
