//! Ladders of imbalance ratios on one table of two classes, by what is held while the ratio grows.

use super::Ratio;

/// The fewest rows of the rarer class that a rung may have.
pub const FEWEST_RARE: usize = 10;

/// Keeps a whole number that arithmetic left a few rounding errors short from losing a row.
const SLACK: f64 = 1e-9;

/// What a ladder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// The rows of the rarer class: the common one is thinned, so that ratio and rows grow together.
    Minority,
    /// All rows together: as the ratio grows, rows of the rarer class give way to common ones.
    Total,
}

impl Ladder {
    /// Both, sorted by id.
    pub const ALL: [Self; 2] = [Self::Minority, Self::Total];

    /// The name in sweep files.
    pub fn id(self) -> &'static str {
        match self {
            Self::Minority => "minority",
            Self::Total => "n",
        }
    }

    /// The ladder of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ladder| ladder.id() == id)
    }

    /// The name in the column `profile` of records.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Minority => "ladder-minority",
            Self::Total => "ladder-n",
        }
    }

    /// Rows of the rarer and of the common class on each rung, of a table that has so many: rungs as far as
    /// [`FEWEST_RARE`] rows of the rarer class remain on all of them, and none where that leaves fewer than two.
    ///
    /// With `r_max` the largest ratio that remains, `minority` holds `m = floor(common / r_max)` rows, or all of the
    /// rarer class if it has fewer, beside `floor(r m)` common ones. `n` holds the most rows `n` that every rung can
    /// give, of which `floor(n / (1 + r))` are of the rarer class. No class has fewer rows at a ratio than asked for
    /// by more than rounding, and along `minority` the rungs are nested; along `n` each class is.
    ///
    /// # Examples
    /// ```
    /// use counterweight_data::profile::{Ladder, Ratio};
    /// let ratios = [1.0, 3.0, 10.0, 30.0].map(|r| Ratio::new(r).unwrap());
    /// let rungs = Ladder::Minority.rungs((200, 1000), &ratios);
    /// assert_eq!(rungs, [(33, 33), (33, 99), (33, 330), (33, 990)]);
    /// let rungs = Ladder::Total.rungs((200, 1000), &ratios);
    /// assert_eq!(rungs, [(200, 200), (100, 300), (36, 364), (12, 388)]);
    /// ```
    pub fn rungs(self, (rare, common): (usize, usize), ratios: &[Ratio]) -> Vec<(usize, usize)> {
        let all = (2..=ratios.len()).rev();
        let mut lists = all.map(|n| self.of((rare, common), &ratios[..n]));
        let enough = |rungs: &Vec<(usize, usize)>| rungs.iter().all(|rung| rung.0 >= FEWEST_RARE);
        lists.find(enough).unwrap_or_default()
    }

    /// The rungs at these ratios, which rise.
    fn of(self, (rare, common): (usize, usize), ratios: &[Ratio]) -> Vec<(usize, usize)> {
        let largest = ratios.last().map_or(1.0, |ratio| ratio.get());
        match self {
            Self::Minority => {
                let held = whole(common as f64 / largest).min(rare);
                let rung = |ratio: &Ratio| (held, whole(ratio.get() * held as f64).min(common));
                ratios.iter().map(rung).collect()
            }
            Self::Total => {
                let most = |ratio: &Ratio| {
                    let of_rare = rare as f64 * (1.0 + ratio.get());
                    let of_common = common as f64 * (1.0 + ratio.get().recip());
                    whole(of_rare.min(of_common))
                };
                let n = ratios.iter().map(most).min().unwrap_or(0);
                let rung = |ratio: &Ratio| {
                    let few = whole(n as f64 / (1.0 + ratio.get()));
                    (few, n - few)
                };
                ratios.iter().map(rung).collect()
            }
        }
    }
}

/// `floor(value + SLACK)` of a number of rows.
fn whole(value: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and a number of rows"
    )]
    let rows = (value + SLACK).floor() as usize;
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratios(given: &[f64]) -> Vec<Ratio> {
        given.iter().map(|&r| Ratio::new(r).unwrap()).collect()
    }

    #[test]
    fn rungs_stop_where_ten_rows_of_the_rarer_class_remain() {
        let list = ratios(&[1.0, 3.0, 10.0, 30.0, 100.0]);
        // 1,000 / 100 is the least that will do; 999 rows stop at ratio 30, where 33 are held.
        let held = |common| Ladder::Minority.rungs((50, common), &list);
        assert_eq!(
            held(1000),
            [(10, 10), (10, 30), (10, 100), (10, 300), (10, 1000)]
        );
        assert_eq!(held(999), [(33, 33), (33, 99), (33, 330), (33, 990)]);
        // The rarer class has fewer rows than the common one would allow.
        assert_eq!(Ladder::Minority.rungs((12, 9000), &list)[4], (12, 1200));
        // 2 x 505 rows at ratio 1, and 10 of 1,010 at ratio 100.
        assert_eq!(Ladder::Total.rungs((505, 1000), &list)[4], (10, 1000));
        assert_eq!(Ladder::Total.rungs((504, 1000), &list)[3], (32, 976));
        for ladder in Ladder::ALL {
            assert_eq!(ladder.rungs((9, 9000), &list), []);
            assert_eq!(ladder.rungs((50, 29), &list), []);
            assert_eq!(Ladder::from_id(ladder.id()), Some(ladder));
        }
    }

    proptest! {
        #[test]
        fn rungs_fit_the_table_and_reach_their_ratio(
            rare in 0_usize..500,
            more in 0_usize..5000,
            given in prop::collection::vec(1.0_f64..200.0, 2..6),
        ) {
            let mut given = given;
            given.sort_by(f64::total_cmp);
            let common = rare + more;
            for ladder in Ladder::ALL {
                let rungs = ladder.rungs((rare, common), &ratios(&given));
                prop_assert!(rungs.len() != 1);
                for (&(few, many), ratio) in rungs.iter().zip(&given) {
                    prop_assert!((FEWEST_RARE..=rare).contains(&few) && many <= common);
                    match ladder {
                        Ladder::Minority => {
                            prop_assert_eq!(few, rungs[0].0);
                            prop_assert!((many as f64 - ratio * few as f64).abs() <= 1.0);
                        }
                        Ladder::Total => {
                            prop_assert_eq!(few + many, rungs[0].0 + rungs[0].1);
                            prop_assert!((few as f64 - (few + many) as f64 / (1.0 + ratio)).abs() <= 1.0);
                        }
                    }
                }
            }
        }
    }
}
