//! Which replica takes a call.

use crate::Balance;

/// What is to be chosen among: `n` replicas, each with a rank and a load.
pub(crate) struct Choice<R, L> {
    pub(crate) n: usize,
    /// The lower, the better; 0 is as good as can be, `None` must not be chosen.
    pub(crate) rank: R,
    /// Calls in flight.
    pub(crate) load: L,
}

impl<R: Fn(usize) -> Option<usize>, L: Fn(usize) -> usize> Choice<R, L> {
    /// Takes one of the best rank: by turn, unless another one at random has less to do.
    pub(crate) fn choose(&self, balance: Balance, turn: usize) -> Option<usize> {
        if self.n == 0 {
            return None;
        }
        let first = turn % self.n;
        if (self.rank)(first) == Some(0) {
            let second = (first + 1 + fastrand::usize(..self.n)) % self.n;
            let compare = balance == Balance::LeastLoaded && (self.rank)(second) == Some(0);
            return Some(if compare { self.less_loaded(first, second) } else { first });
        }
        self.choose_among_best(balance, turn)
    }

    /// The way when the one whose turn it is must be passed by: its calls are spread over all others.
    fn choose_among_best(&self, balance: Balance, turn: usize) -> Option<usize> {
        let best = (0..self.n).filter_map(&self.rank).min()?;
        // While some are as good as can be, only the turns of the others come here: every nth.
        let turn = if best == 0 { turn / self.n } else { turn };
        let is_best = |index: &usize| (self.rank)(*index) == Some(best);
        let n_best = (0..self.n).filter(is_best).count().max(1);
        let nth = |n: usize| (0..self.n).filter(is_best).nth(n % n_best);
        let first = nth(turn)?;
        match balance {
            Balance::RoundRobin => Some(first),
            Balance::LeastLoaded => {
                let second = nth(fastrand::usize(..n_best)).unwrap_or(first);
                Some(self.less_loaded(first, second))
            }
        }
    }

    fn less_loaded(&self, first: usize, second: usize) -> usize {
        if (self.load)(second) < (self.load)(first) { second } else { first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each is chosen in `turns` turns.
    fn chosen(balance: Balance, turns: usize, ranks: &[Option<usize>], loads: &[usize]) -> Vec<usize> {
        let choice = Choice { n: ranks.len(), rank: |n: usize| ranks[n], load: |n: usize| loads[n] };
        let mut chosen = vec![0; ranks.len()];
        for turn in 0..turns {
            if let Some(index) = choice.choose(balance, turn) {
                chosen[index] += 1;
            }
        }
        chosen
    }

    const BOTH: [Balance; 2] = [Balance::LeastLoaded, Balance::RoundRobin];

    #[test]
    fn equal_replicas_take_turns() {
        for balance in BOTH {
            assert_eq!(chosen(balance, 9, &[Some(0); 3], &[0; 3]), [3, 3, 3]);
            assert_eq!(chosen(balance, 2, &[Some(0)], &[7]), [2]);
            assert_eq!(chosen(balance, 2, &[], &[]), [0; 0]);
        }
    }

    #[test]
    fn calls_of_those_left_out_are_spread() {
        for balance in BOTH {
            assert_eq!(chosen(balance, 12, &[Some(0), None, Some(0)], &[0; 3]), [6, 0, 6]);
            assert_eq!(chosen(balance, 12, &[Some(3), None, Some(3), Some(9)], &[0; 4]), [6, 0, 6, 0]);
            assert_eq!(chosen(balance, 12, &[None, None], &[0; 2]), [0, 0]);
        }
    }

    #[test]
    fn a_busy_replica_is_spared() {
        let spared = chosen(Balance::LeastLoaded, 3000, &[Some(0); 3], &[5, 0, 0]);
        assert!(spared[0] < 500, "{spared:?}");
        assert_eq!(chosen(Balance::RoundRobin, 9, &[Some(0); 3], &[5, 0, 0]), [3, 3, 3]);
        let spared = chosen(Balance::LeastLoaded, 3000, &[None, Some(1), Some(1)], &[0, 9, 0]);
        assert!(spared[1] < 1000, "{spared:?}");
    }
}
