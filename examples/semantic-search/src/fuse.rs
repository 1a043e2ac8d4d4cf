//! One ranking of two: reciprocal rank fusion.
//!
//! Scores of different indexes cannot be compared, places can: what stands at place `r` of a ranking gets `1 / (60 + r)`,
//! and what stands in both gets both.

use std::collections::HashMap;
use std::hash::Hash;

/// Where fused rankings stop to tell the first places apart; the value of the method's authors.
const SMOOTHING: f64 = 60.0;

/// Something that at least one ranking has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused<K> {
    /// What it is.
    pub key: K,
    /// The sum over the rankings.
    pub score: f64,
    /// Its place in each of the rankings, from 1.
    pub ranks: [Option<usize>; 2],
}

/// Makes one ranking of two. Each place of `rankings` counts from `first`, which is 1 for the best one there is.
///
/// What stands twice in a ranking has its better place. Of equal scores the first ranking's comes first.
#[must_use]
pub fn fuse<K: Copy + Eq + Hash>(rankings: [&[K]; 2], first: usize) -> Vec<Fused<K>> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut fused: Vec<Fused<K>> = Vec::new();
    for (ranking, keys) in rankings.into_iter().enumerate() {
        for (place, key) in keys.iter().enumerate() {
            let at = *places.entry(*key).or_insert(fused.len());
            if at == fused.len() {
                fused.push(Fused { key: *key, score: 0.0, ranks: [None; 2] });
            }
            let rank = first + place;
            if fused[at].ranks[ranking].is_none() {
                fused[at].ranks[ranking] = Some(rank);
                fused[at].score += 1.0 / (SMOOTHING + rank as f64);
            }
        }
    }
    // Stable: equal scores stay in the order of the rankings.
    fused.sort_by(|a, b| b.score.total_cmp(&a.score));
    fused
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_both_rankings_have_comes_before_what_one_has() {
        let fused = fuse([&["a", "b", "c"], &["d", "c"]], 1);
        let keys: Vec<_> = fused.iter().map(|fused| fused.key).collect();
        assert_eq!(keys, ["c", "a", "d", "b"]);
        assert_eq!(fused[0].ranks, [Some(3), Some(2)]);
        assert!((fused[0].score - (1.0 / 63.0 + 1.0 / 62.0)).abs() < 1e-12);
        assert_eq!(fused[1].ranks, [Some(1), None]);
    }

    #[test]
    fn later_pages_have_later_places() {
        let fused = fuse([&["a"], &[]], 11);
        assert_eq!((fused[0].ranks, fused[0].score), ([Some(11), None], 1.0 / 71.0));
    }

    proptest! {
        #[test]
        fn everything_is_there_once_and_the_order_of_one_ranking_is_kept(
            words in proptest::collection::vec(0_u8..40, 0..30),
            meanings in proptest::collection::vec(0_u8..40, 0..30),
        ) {
            let fused = fuse([&words, &meanings], 1);
            let mut keys: Vec<_> = fused.iter().map(|fused| fused.key).collect();
            keys.sort_unstable();
            let mut want = [words.clone(), meanings].concat();
            want.sort_unstable();
            want.dedup();
            prop_assert_eq!(keys, want);
            prop_assert!(fused.is_sorted_by(|a, b| a.score >= b.score));
            let alone: Vec<_> = fuse([&words, &[]], 1).iter().map(|fused| fused.key).collect();
            let mut seen = Vec::new();
            words.iter().for_each(|word| if !seen.contains(word) { seen.push(*word) });
            prop_assert_eq!(alone, seen);
        }
    }
}
