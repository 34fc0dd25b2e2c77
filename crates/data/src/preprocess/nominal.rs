//! One nominal column: most frequent level for missing values, rare and unseen levels merged.

use counterweight_core::MISSING;

/// A fitted nominal column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leveller {
    /// New code of each old level; levels that are rare or unseen share the last new code.
    map: Vec<usize>,
    /// New code for missing values.
    most_frequent: usize,
    /// Names of the new codes.
    names: Vec<String>,
}

/// A level is rare below this many of `n` training rows: 1 % of them, but at least 2 and at most 10.
fn rare_below(n: usize) -> usize {
    (n / 100).clamp(2, 10)
}

impl Leveller {
    /// Fits on training codes over `levels`; what is frequent weighs most, where rows have weights, and what is rare
    /// has few rows.
    pub(super) fn fit(codes: &[u32], levels: &[String], weights: Option<&[f64]>) -> Self {
        let mut counts = vec![0_usize; levels.len()];
        for &code in codes {
            if let Some(count) = counts.get_mut(code as usize) {
                *count += 1;
            }
        }
        let least = rare_below(codes.len());
        let kept: Vec<usize> = (0..levels.len())
            .filter(|&level| counts[level] >= least)
            .collect();
        // One code more than the kept levels: "other", for rare levels and those that no training
        // row has. It is there even when no training row uses it, so that test rows have a code.
        let other = kept.len();
        let mut map = vec![other; levels.len()];
        for (new, &old) in kept.iter().enumerate() {
            map[old] = new;
        }
        let mut merged = vec![0.0; kept.len() + 1];
        for (row, &code) in codes.iter().enumerate() {
            if let Some(&new) = map.get(code as usize) {
                merged[new] += weights.map_or(1.0, |weights| weights[row]);
            }
        }
        let top = merged.iter().copied().fold(0.0, f64::max);
        let most_frequent = merged
            .iter()
            .position(|&count| count >= top)
            .unwrap_or(other);
        let mut names: Vec<String> = kept.iter().map(|&old| levels[old].clone()).collect();
        names.push("(other)".into());
        Self {
            map,
            most_frequent,
            names,
        }
    }

    /// Number of new codes, "other" included.
    pub(super) fn n_levels(&self) -> usize {
        self.names.len()
    }

    pub(super) fn apply(&self, code: u32) -> usize {
        if code == MISSING {
            self.most_frequent
        } else {
            self.map
                .get(code as usize)
                .copied()
                .unwrap_or(self.names.len() - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_unseen_and_missing_levels() {
        let levels: Vec<String> = ["a", "b", "c", "d"].map(String::from).to_vec();
        let codes = [0, 0, 0, 1, 1, 2, MISSING];
        let leveller = Leveller::fit(&codes, &levels, None);
        assert_eq!(leveller.n_levels(), 3);
        let new: Vec<usize> = [0, 1, 2, 3, MISSING]
            .iter()
            .map(|&c| leveller.apply(c))
            .collect();
        // c is rare, d unseen: both "other"; missing takes the most frequent.
        assert_eq!(new, [0, 1, 2, 2, 0]);
    }

    #[test]
    fn the_bound_for_rare_levels() {
        assert_eq!(
            (rare_below(50), rare_below(500), rare_below(50_000)),
            (2, 5, 10)
        );
    }

    #[test]
    fn ties_of_the_most_frequent_go_to_the_lowest_code() {
        let levels: Vec<String> = ["a", "b"].map(String::from).to_vec();
        assert_eq!(
            Leveller::fit(&[1, 1, 0, 0], &levels, None).apply(MISSING),
            0
        );
        assert_eq!(
            Leveller::fit(&[MISSING, MISSING], &levels, None).apply(MISSING),
            0
        );
    }
}
