//! Which cells a run is asked for as one of several: `--shard`.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Plan, estimated_seconds, schedulers};

/// Most shards of a sweep: more than a scheduler's array holds.
const MOST_SHARDS: usize = 1_000_000;

/// A split is cut where it is more than this part of a shard's share.
const GRAIN: f64 = 1.0 / 16.0;

/// `--shard I/N`, I from 1 to N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub index: usize,
    /// How many.
    pub count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not a shard: write I/N with I from 1 to N, or auto/N");
        let (index, count) = match text.split_once('/') {
            None if text == "auto" => ("auto", None),
            None => return Err(form()),
            Some((index, count)) => (index, Some(shard_count(count).ok_or_else(form)?)),
        };
        let (index, count) = match (index, count) {
            ("auto", count) => schedulers::of_task(count, &|name| std::env::var(name).ok())?,
            (index, count) => {
                let index = index.parse().map_err(|_nan| form())?;
                (index, count.ok_or_else(form)?)
            }
        };
        if count > MOST_SHARDS {
            Err(format!(
                "`{text}`: a sweep has at most {MOST_SHARDS} shards"
            ))
        } else if (1..=count).contains(&index) {
            Ok(Self { index, count })
        } else {
            Err(form())
        }
    }
}

fn shard_count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count > 0)
}

/// What the work of a plan costs, and which cells hang on which of it: all that shards are cut by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// The split of each cell.
    pub cells: Vec<usize>,
    /// The fits, in the order of their splits.
    pub fits: Vec<Fit>,
    /// The split of each claim of a leak.
    pub claims: Vec<usize>,
    /// For each split, estimated seconds of one core for its claims.
    pub claims_seconds: Vec<f64>,
}

/// A fit and everything that hangs on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// Its split.
    pub unit: usize,
    /// What of the split is resampled for it, by number.
    pub group: usize,
    /// Estimated seconds of one core.
    pub seconds: f64,
    /// The cells, as indices into the plan.
    pub cells: Vec<usize>,
}

/// The parts of a plan, each with the shard that runs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shards {
    /// The shard of each cell, from 0.
    pub cells: Vec<usize>,
    /// The shard of each claim of a leak, from 0.
    pub claims: Vec<usize>,
    /// Estimated seconds of one core for each shard, whatever is done of it.
    pub seconds: Vec<f64>,
}

/// What is not cut: the fits of a whole split, or of a large one those on one resampled set, or one of them.
struct Piece {
    seconds: f64,
    unit: usize,
    fits: Range<usize>,
    /// Whether it has the split's claims and the cells that planning settled.
    rest: bool,
}

impl Plan {
    /// The plan's work.
    pub fn work(&self) -> Work {
        let mut work = Work {
            cells: self.cells.iter().map(|cell| cell.unit).collect(),
            fits: Vec::new(),
            claims: self.claims.iter().map(|claim| claim.unit).collect(),
            claims_seconds: vec![0.0; self.units.len()],
        };
        for claim in &self.claims {
            work.claims_seconds[claim.unit] += self.claim_seconds(claim);
        }
        for (at, unit) in self.units.iter().enumerate() {
            for (group, fits) in unit.groups.iter().enumerate() {
                work.fits.extend(fits.fits.iter().map(|fit| Fit {
                    unit: at,
                    group,
                    seconds: estimated_seconds(self, unit, fit),
                    cells: fit.cells.clone(),
                }));
            }
        }
        work
    }
}

impl Work {
    /// Estimated seconds of one core for the fits of which a cell is not `done`.
    pub fn seconds_left(&self, done: impl Fn(usize) -> bool) -> f64 {
        let open = self
            .fits
            .iter()
            .filter(|fit| !fit.cells.iter().all(|&cell| done(cell)));
        open.map(|fit| fit.seconds).sum()
    }

    /// Cuts it into shards of about the same estimated cost. The costliest piece goes to the shard with the least
    /// cost so far, ties to the lower index, so that every process finds the same shards, whatever has been
    /// done: the plan alone decides.
    pub fn shards(&self, count: usize) -> Shards {
        let pieces = self.pieces(count);
        let seconds: Vec<f64> = pieces.iter().map(|piece| piece.seconds).collect();
        let owners = assign(&seconds, count);
        let mut shards = Shards {
            cells: Vec::new(),
            claims: Vec::new(),
            seconds: vec![0.0; count],
        };
        let mut rest = vec![0; self.claims_seconds.len()];
        for (piece, &owner) in pieces.iter().zip(&owners) {
            shards.seconds[owner] += piece.seconds;
            if piece.rest {
                rest[piece.unit] = owner;
            }
        }
        shards.cells = self.cells.iter().map(|&unit| rest[unit]).collect();
        shards.claims = self.claims.iter().map(|&unit| rest[unit]).collect();
        for (piece, &owner) in pieces.iter().zip(&owners) {
            let fits = &self.fits[piece.fits.clone()];
            for &cell in fits.iter().flat_map(|fit| &fit.cells) {
                shards.cells[cell] = owner;
            }
        }
        shards
    }

    fn pieces(&self, count: usize) -> Vec<Piece> {
        let sum = |fits: &[Fit]| fits.iter().map(|fit| fit.seconds).sum::<f64>();
        let all = sum(&self.fits) + self.claims_seconds.iter().sum::<f64>();
        let most = all / count as f64 * GRAIN;
        let mut pieces = Vec::with_capacity(self.claims_seconds.len());
        let mut end = 0;
        for (unit, &claims) in self.claims_seconds.iter().enumerate() {
            let first = end;
            end += self.fits[first..]
                .iter()
                .take_while(|fit| fit.unit == unit)
                .count();
            let seconds = sum(&self.fits[first..end]) + claims;
            if seconds <= most || end - first + usize::from(claims > 0.0) < 2 {
                pieces.push(Piece {
                    seconds,
                    unit,
                    fits: first..end,
                    rest: true,
                });
                continue;
            }
            pieces.push(Piece {
                seconds: claims,
                unit,
                fits: 0..0,
                rest: true,
            });
            let mut start = first;
            for group in self.fits[first..end].chunk_by(|a, b| a.group == b.group) {
                let fits = start..start + group.len();
                start = fits.end;
                let of = |fits: Range<usize>| Piece {
                    seconds: sum(&self.fits[fits.clone()]),
                    unit,
                    fits,
                    rest: false,
                };
                if sum(group) <= most {
                    pieces.push(of(fits));
                } else {
                    pieces.extend(fits.map(|fit| of(fit..fit + 1)));
                }
            }
        }
        pieces
    }
}

/// What a shard has so far, ordered by cost, then pieces, then index.
#[derive(PartialEq)]
struct Load(f64, usize, usize);

impl Eq for Load {}

impl Ord for Load {
    fn cmp(&self, other: &Self) -> Ordering {
        let cost = self.0.total_cmp(&other.0);
        cost.then((self.1, self.2).cmp(&(other.1, other.2)))
    }
}

impl PartialOrd for Load {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The shard, from 0, of each piece.
fn assign(costs: &[f64], shards: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|&a, &b| costs[b].total_cmp(&costs[a]).then(a.cmp(&b)));
    // A shard beyond the number of pieces gets none.
    let shards = 0..shards.min(costs.len());
    let mut loads: BinaryHeap<Reverse<Load>> = shards.map(|at| Reverse(Load(0.0, 0, at))).collect();
    let mut owner = vec![0; costs.len()];
    for at in order {
        if let Some(mut least) = loads.peek_mut() {
            let Load(cost, pieces, shard) = &mut least.0;
            *cost += costs[at];
            *pieces += 1;
            owner[at] = *shard;
        }
    }
    owner
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shards_are_one_based() {
        assert_eq!("2/3".parse(), Ok(Shard { index: 2, count: 3 }));
        let most = "1/18446744073709551615";
        for bad in [
            "0/3",
            "4/3",
            "1/0",
            "x/3",
            "3",
            "-1/3",
            "auto/0",
            "auto/x",
            most,
            "1/1000000000",
        ] {
            let error = bad.parse::<Shard>().unwrap_err();
            assert!(error.contains(&format!("`{bad}`")), "{bad}: {error}");
        }
    }

    fn work(units: &[&[f64]]) -> Work {
        let mut work = Work {
            claims_seconds: vec![0.0; units.len()],
            ..Work::default()
        };
        for (unit, seconds) in units.iter().enumerate() {
            for (group, &seconds) in seconds.iter().enumerate() {
                work.fits.push(Fit {
                    unit,
                    group,
                    seconds,
                    cells: vec![work.cells.len()],
                });
                work.cells.push(unit);
            }
            // And one that planning settled.
            work.cells.push(unit);
        }
        work
    }

    #[test]
    fn splits_stay_whole_unless_they_are_more_than_a_part_of_a_share() {
        let small = work(&[&[1.0, 1.0][..]; 64]).shards(2);
        assert!(
            small
                .cells
                .chunks(3)
                .all(|unit| unit.iter().all(|shard| *shard == unit[0]))
        );
        assert_eq!(small.seconds, [64.0, 64.0]);
        // One split for three shards: the settled cell goes to the one with the least.
        let one = work(&[&[4.0, 3.0, 3.0, 2.0][..]]).shards(3);
        assert_eq!(one.cells, [0, 1, 2, 1, 2]);
        assert_eq!(one.seconds, [4.0, 5.0, 3.0]);
        let none = Work::default().shards(3);
        assert_eq!((none.cells.len(), none.seconds.len()), (0, 3));
    }

    proptest! {
        #[test]
        fn shards_partition_the_pieces(
            costs in prop::collection::vec(0.0..10.0_f64, 0..40),
            shards in 1..7_usize,
        ) {
            let owner = assign(&costs, shards);
            prop_assert!(owner.iter().all(|&shard| shard < shards));
            let mut counts = vec![0; shards];
            let mut loads = vec![0.0; shards];
            for (&shard, cost) in owner.iter().zip(&costs) {
                counts[shard] += 1;
                loads[shard] += cost;
            }
            // No shard idles while another has two pieces, and none has more than its share and the
            // largest piece.
            prop_assert!(costs.len() < shards || counts.iter().all(|&n| n > 0));
            let share = costs.iter().sum::<f64>() / shards as f64;
            let most = costs.iter().copied().fold(0.0, f64::max);
            prop_assert!(loads.iter().all(|load| *load <= share + most + 1e-9));
            prop_assert_eq!(assign(&costs, shards), owner);
        }
    }
}
