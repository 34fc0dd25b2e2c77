//! Classical learners: our own, which honour class weights (and the gradient-trained ones the whole
//! loss kernel), and library learners from linfa and smartcore, which run as what they are.
//!
//! A learner is one file in [`own`], [`linfa`] or [`smartcore`] and one line in that folder's `ALL`;
//! [`ALL`] here merges the three lists. What the learners share stands in `shared`: the checked
//! task, the loss kernel, the linear algebra and the optimisers.

#[cfg(feature = "linfa")]
pub mod linfa;
pub mod own;
mod shared;
#[cfg(feature = "smartcore")]
pub mod smartcore;

use counterweight_core::{Entry, LearnerEntry};

/// The learners of linfa, sorted by id.
#[cfg(feature = "linfa")]
pub const LINFA: &[LearnerEntry] = linfa::ALL;
/// None without the feature.
#[cfg(not(feature = "linfa"))]
pub const LINFA: &[LearnerEntry] = &[];

/// The learners of smartcore, sorted by id.
#[cfg(feature = "smartcore")]
pub const SMARTCORE: &[LearnerEntry] = smartcore::ALL;
/// None without the feature.
#[cfg(not(feature = "smartcore"))]
pub const SMARTCORE: &[LearnerEntry] = &[];

const COUNT: usize = own::ALL.len() + LINFA.len() + SMARTCORE.len();

/// Every learner, sorted by id.
pub const ALL: &[LearnerEntry] = &merged();

/// Merges the three folders' lists at compile time, so that a learner is registered in one place.
const fn merged() -> [LearnerEntry; COUNT] {
    let lists = [own::ALL, LINFA, SMARTCORE];
    let mut next = [0_usize; 3];
    let mut all = [const { copy(&own::ALL[0]) }; COUNT];
    let mut filled = 0;
    while filled < COUNT {
        let mut least = lists.len();
        let mut list = 0;
        while list < lists.len() {
            let waiting = next[list] < lists[list].len();
            if waiting
                && (least == lists.len()
                    || precedes(
                        lists[list][next[list]].card.id,
                        lists[least][next[least]].card.id,
                    ))
            {
                least = list;
            }
            list += 1;
        }
        all[filled] = copy(&lists[least][next[least]]);
        next[least] += 1;
        filled += 1;
    }
    all
}

const fn copy(entry: &LearnerEntry) -> LearnerEntry {
    Entry {
        card: entry.card,
        caps: entry.caps,
        build: entry.build,
    }
}

/// Whether `a` stands before `b` in byte order, in a constant.
pub const fn precedes(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
        i += 1;
    }
    a.len() < b.len()
}

#[cfg(test)]
mod contract;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod goldens;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod testing;
