//! Sums of pairs from the left, of several lists side by side, and the blocks of them in which a cut is good
//! enough: what a search for the best Newton step asks of histograms.

#![expect(
    clippy::inline_always,
    clippy::needless_bitwise_bool,
    reason = "inlined into the function that has the vectors of the processor, where a branch for each sum would keep \
              them unused"
)]

use pulp::{Arch, Simd, WithSimd};

/// Sums that are looked at together.
const BLOCK: usize = 16;

/// Sums from the left of some lists of pairs (gradient, Hessian).
#[derive(Debug, Default)]
pub struct Prefixes {
    arch: Arch,
    /// The blocks of each list; beyond its end sums are 0.
    sums: [Vec<[[f64; 2]; BLOCK]>; Prefixes::SIDE],
    /// Blocks in use of each list.
    blocks: [usize; Prefixes::SIDE],
}

/// Which cuts are asked for: those with at least `least` Hessian on both sides where
/// `G^2 / (H + l2)` of the two sides is more than `need` in all.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Gradient and Hessian of the two sides together.
    pub total: [f64; 2],
    /// Above 0.
    pub least: f64,
    /// What is added to each Hessian.
    pub l2: f64,
    /// What has to be exceeded.
    pub need: f64,
}

impl Asked {
    /// Whether some cut is good enough, or one has too little on its right.
    #[inline(always)]
    fn any(&self, block: &[[f64; 2]; BLOCK]) -> bool {
        let [g, h] = self.total;
        let mut any = false;
        for &[g_left, h_left] in block {
            let (g_right, h_right) = (g - g_left, h - h_left);
            let (a, b) = (h_left + self.l2, h_right + self.l2);
            let good = g_left * g_left * b + g_right * g_right * a > self.need * (a * b);
            any |= (h_left >= self.least) & ((h_right < self.least) | good);
        }
        any
    }
}

/// The first block that holds something.
struct First<'a>(&'a [[[f64; 2]; BLOCK]], &'a Asked);

impl WithSimd for First<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<usize> {
        let Self(blocks, asked) = self;
        for (at, block) in blocks.iter().enumerate() {
            if asked.any(block) {
                return Some(at);
            }
        }
        None
    }
}

#[inline]
fn plus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

impl Prefixes {
    /// Lists that are summed side by side: a sum waits for the one before, not for those of other lists.
    pub const SIDE: usize = 4;

    /// Sums these lists; each sum is taken from the left, one pair after the other.
    pub fn sum(&mut self, lists: [&[[f64; 2]]; Self::SIDE]) {
        for ((sums, blocks), list) in self.sums.iter_mut().zip(&mut self.blocks).zip(lists) {
            *blocks = list.len().div_ceil(BLOCK);
            if sums.len() < *blocks {
                sums.resize(*blocks, [[0.0; 2]; BLOCK]);
            }
            if let Some(last) = blocks.checked_sub(1) {
                sums[last][list.len() - last * BLOCK..].fill([0.0; 2]);
            }
        }
        let common = lists.iter().map(|list| list.len()).min().unwrap_or(0);
        let mut to = self.sums.each_mut().map(|sums| sums.as_flattened_mut());
        let [mut a, mut b, mut c, mut d] = [[0.0; 2]; Self::SIDE];
        {
            let [from_a, from_b, from_c, from_d] = lists.map(|list| &list[..common]);
            let [to_a, to_b, to_c, to_d] = to.each_mut().map(|to| &mut to[..common]);
            for at in 0..common {
                a = plus(a, from_a[at]);
                b = plus(b, from_b[at]);
                c = plus(c, from_c[at]);
                d = plus(d, from_d[at]);
                (to_a[at], to_b[at], to_c[at], to_d[at]) = (a, b, c, d);
            }
        }
        let mut so_far = [a, b, c, d];
        for ((list, sum), to) in lists.iter().zip(&mut so_far).zip(&mut to) {
            for (cell, to) in list[common..].iter().zip(&mut to[common..]) {
                *sum = plus(*sum, *cell);
                *to = *sum;
            }
        }
    }

    /// The next block of a list from the sum `from` on, a block's first, that has a cut that is good enough or has
    /// too little on its right, after which no cut counts: the place of its first sum, and its sums. Sums beyond
    /// the end of the list are 0.
    pub fn next(&self, list: usize, from: usize, asked: &Asked) -> Option<(usize, &[[f64; 2]])> {
        let blocks = self.sums[list].get(from / BLOCK..self.blocks[list])?;
        let at = self.arch.dispatch(First(blocks, asked))?;
        Some((from + at * BLOCK, &blocks[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Equal numbers; either zero is one.
    fn same(a: [f64; 2], b: [f64; 2]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 0.0)
    }

    proptest! {
        #[test]
        fn sums_are_those_of_each_list_alone(
            lists in prop::collection::vec(prop::collection::vec(any::<(i8, u8)>(), 0..100), 4),
        ) {
            let lists: Vec<Vec<[f64; 2]>> = lists
                .iter()
                .map(|list| list.iter().map(|&(g, h)| [f64::from(g) * 0.1, f64::from(h) * 0.3]).collect())
                .collect();
            let mut prefixes = Prefixes::default();
            // What an earlier use has left does not show.
            prefixes.sum([&[[9.0; 2]; 120]; 4]);
            prefixes.sum(std::array::from_fn(|at| lists[at].as_slice()));
            let all = Asked { total: [0.0, 1e9], least: f64::MIN_POSITIVE, l2: 0.0, need: -1.0 };
            for (at, list) in lists.iter().enumerate() {
                let (mut from, mut found) = (0, vec![[0.0; 2]; list.len().next_multiple_of(BLOCK)]);
                while let Some((first, block)) = prefixes.next(at, from, &all) {
                    found[first..first + block.len()].copy_from_slice(block);
                    from = first + block.len();
                }
                let mut sum = [0.0; 2];
                for (cell, found) in list.iter().zip(&found) {
                    sum = [sum[0] + cell[0], sum[1] + cell[1]];
                    // A block without any Hessian has no cut.
                    prop_assert!(same(*found, sum) || same(*found, [0.0; 2]) && sum[1] <= 0.0);
                }
                prop_assert!(found[list.len()..].iter().all(|rest| same(*rest, [0.0; 2])));
            }
        }
    }
}
