//! What a node does with its rows: sorted by code where they are few, and parted by the rule of a split.

use super::bins::Binned;
use super::grow::FEW;
use super::tree::{Node, Rule};

/// Buffers of a partition: rows that go right, and the codes of all rows.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    rows: Vec<u32>,
    codes: Vec<u8>,
}

/// So few rows are sorted by comparison: to count their codes would take longer.
const BY_COMPARISON: usize = 20;

/// At most 256 rows as codes and places, in the order of their codes.
pub(super) fn sort(codes: &[u8], rows: &[u32], keys: &mut Vec<u16>) {
    let key = |(at, &row): (u16, &u32)| (u16::from(codes[row as usize]) << 8) | at;
    keys.clear();
    keys.extend((0..).zip(rows).map(key));
    if keys.len() <= BY_COMPARISON {
        keys.sort_unstable();
        return;
    }
    // By counting: each code's rows, where they begin, and then each row to its place.
    let mut places = [0_u8; 256];
    let mut used = Used::default();
    for key in &*keys {
        let [code, _] = key.to_be_bytes();
        places[usize::from(code)] += 1;
        used.insert(code);
    }
    let mut next = 0;
    for code in used {
        let n = places[code];
        places[code] = next;
        next += n;
    }
    let mut sorted = [0; FEW];
    for &key in &*keys {
        let place = &mut places[usize::from(key >> 8)];
        sorted[usize::from(*place)] = key;
        *place += 1;
    }
    let n = keys.len();
    keys.copy_from_slice(&sorted[..n]);
}

/// Codes in use, ascending.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    left: [u64; 4],
    word: usize,
}

impl Used {
    pub(super) fn insert(&mut self, code: u8) {
        self.left[usize::from(code >> 6)] |= 1 << (code & 63);
    }
}

impl Iterator for Used {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word < 4 {
            let bits = self.left[self.word];
            if bits != 0 {
                self.left[self.word] = bits & (bits - 1);
                return Some(self.word * 64 + bits.trailing_zeros() as usize);
            }
            self.word += 1;
        }
        None
    }
}

/// The inner node that parts rows after the first of two codes, which both have rows.
pub(super) fn split_node(
    data: &Binned,
    feature: usize,
    (last, next): (u8, u8),
    left: usize,
) -> Node {
    Node {
        threshold: data
            .bins(feature)
            .between(usize::from(last), usize::from(next)),
        feature: number(feature),
        left: number(left),
        code: last,
        rule: Rule::AtMost,
    }
}

/// Moves the rows whose codes go left to the front, both parts in their order. Gives their number; `None`
/// when a side is empty.
pub(super) fn part_by(
    rows: &mut [u32],
    codes: &[u8],
    goes_left: impl Fn(u8) -> bool,
    moved: &mut Moved,
) -> Option<usize> {
    moved.rows.clear();
    let mut kept = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if goes_left(codes[row as usize]) {
            rows[kept] = row;
            kept += 1;
        } else {
            moved.rows.push(row);
        }
    }
    rows[kept..].copy_from_slice(&moved.rows);
    (kept > 0 && kept < rows.len()).then_some(kept)
}

/// The largest code of at most `code`, and the least above it; 0 and 255 where there is none.
fn ends(codes: &[u8], code: u8) -> (u8, u8) {
    let (mut last, mut next) = ([0; 16], [u8::MAX; 16]);
    let (blocks, rest) = codes.as_chunks();
    let mut padded = [codes.first().copied().unwrap_or(0); 16];
    padded[..rest.len()].copy_from_slice(rest);
    // In lanes, which are compared all at once.
    for block in blocks.iter().chain((!rest.is_empty()).then_some(&padded)) {
        for ((&own, last), next) in block.iter().zip(&mut last).zip(&mut next) {
            let left = if own > code { 0 } else { u8::MAX };
            *last = (*last).max(own & left);
            *next = (*next).min(own | left);
        }
    }
    let last = last.into_iter().fold(0, u8::max);
    (last, next.into_iter().fold(u8::MAX, u8::min))
}

/// Moves the rows with a code of at most `code` to the front, both parts in their order. Gives their
/// number, the largest code on the left and the least on the right; `None` when a side is empty.
pub(super) fn part(
    rows: &mut [u32],
    codes: &[u8],
    code: u8,
    moved: &mut Moved,
) -> Option<(usize, (u8, u8))> {
    moved.codes.clear();
    let own = rows.iter().map(|&row| codes[row as usize]);
    moved.codes.extend(own);
    let ends = ends(&moved.codes, code);
    if moved.rows.len() < rows.len() {
        moved.rows.resize(rows.len(), 0);
    }
    let gone = &mut moved.rows[..rows.len()];
    let mut kept = 0;
    for (at, &own) in moved.codes.iter().enumerate() {
        // Both are written and one place moves on: the side of a row is a coin toss for a branch.
        let row = rows[at];
        rows[kept] = row;
        gone[at - kept] = row;
        kept += usize::from(own <= code);
    }
    let n = rows.len() - kept;
    rows[kept..].copy_from_slice(&gone[..n]);
    (kept > 0 && n > 0).then_some((kept, ends))
}

pub(super) fn number(at: usize) -> u32 {
    u32::try_from(at).expect("fewer nodes and features than 2^32")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_sorted_by_code_and_place(
            codes in prop::collection::vec(any::<u8>(), 1..300),
            picks in prop::collection::vec(any::<u32>(), 0..=FEW),
        ) {
            let rows: Vec<u32> = picks.iter().map(|pick| pick % number(codes.len())).collect();
            let mut keys = vec![7];
            sort(&codes, &rows, &mut keys);
            let mut expected: Vec<u16> = (0..)
                .zip(&rows)
                .map(|(at, &row)| (u16::from(codes[row as usize]) << 8) | at)
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(keys, expected);
        }

        #[test]
        fn both_parts_keep_their_order(
            codes in prop::collection::vec(any::<u8>(), 1..300),
            code in any::<u8>(),
        ) {
            let rows: Vec<u32> = (0..number(codes.len())).rev().collect();
            let goes_left = |row: &u32| codes[*row as usize] <= code;
            let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| goes_left(row));
            let (mut parted, mut again) = (rows.clone(), rows);
            let mut moved = Moved::default();
            let found = part(&mut parted, &codes, code, &mut moved);
            let kept = part_by(&mut again, &codes, |own| own <= code, &mut moved);
            prop_assert_eq!(&parted, &[left.clone(), right.clone()].concat());
            prop_assert_eq!(&parted, &again);
            prop_assert_eq!(found.map(|found| found.0), kept);
            prop_assert_eq!(found.is_some(), !left.is_empty() && !right.is_empty());
            if let Some((_, (last, next))) = found {
                prop_assert_eq!(Some(last), left.iter().map(|&row| codes[row as usize]).max());
                prop_assert_eq!(Some(next), right.iter().map(|&row| codes[row as usize]).min());
            }
        }
    }
}
