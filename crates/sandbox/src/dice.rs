//! Chance that can be repeated: every decision is a hash of the seed and of what it is about, so a
//! run comes out the same whatever the order of arrival.

use crate::range::Range;

/// The hash so far. Each step returns a new value, so one prefix serves several decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dice(u64);

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(FNV_OFFSET).number(seed)
    }

    /// Adds a text, and its length, so that `ab` + `c` differs from `a` + `bc`.
    pub(crate) fn text(self, text: &str) -> Self {
        let hashed = text.bytes().fold(self.0, |h, b| (h ^ u64::from(b)).wrapping_mul(FNV_PRIME));
        Self(hashed).number(text.len() as u64)
    }

    pub(crate) fn number(self, number: u64) -> Self {
        Self((self.0 ^ mix(number)).wrapping_mul(FNV_PRIME))
    }

    /// The hash itself, well mixed.
    pub(crate) fn value(self) -> u64 {
        mix(self.0)
    }

    /// A number in [0, 1).
    pub(crate) fn fraction(self) -> f64 {
        (self.value() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether an event of this rate (0 to 1) happens.
    pub(crate) fn hits(self, rate: f64) -> bool {
        rate > 0.0 && self.fraction() < rate
    }

    /// Milliseconds from the range, both ends included.
    pub(crate) fn within(self, range: Range) -> u64 {
        let span = u64::from(range.to - range.from) + 1;
        u64::from(range.from) + self.value() % span
    }

    /// One of `count` choices. `count` must not be 0.
    pub(crate) fn pick(self, count: usize) -> usize {
        (self.value() % count as u64) as usize
    }
}

/// The finaliser of splitmix64: spreads every input bit over all output bits.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_met_within_a_percent_over_many_numbers() {
        for rate in [0.01, 0.25, 0.9] {
            let hits = (0..100_000_u64)
                .filter(|n| Dice::new(7).text("drop").number(*n).hits(rate))
                .count();

            let measured = hits as f64 / 100_000.0;
            assert!((measured - rate).abs() < 0.01, "{rate} measured {measured}");
        }
    }

    #[test]
    fn rate_zero_never_and_rate_one_always_hits() {
        assert!((0..1_000).all(|n| !Dice::new(1).number(n).hits(0.0)));
        assert!((0..1_000).all(|n| Dice::new(1).number(n).hits(1.0)));
    }

    #[test]
    fn the_same_question_gets_the_same_answer_and_another_seed_another_one() {
        let ask = |seed| {
            (0..64).map(|n| Dice::new(seed).text("x").number(n).hits(0.5)).collect::<Vec<_>>()
        };
        assert_eq!(ask(1), ask(1));
        assert_ne!(ask(1), ask(2));
    }

    #[test]
    fn a_range_is_reached_at_both_ends_and_never_left() {
        let range = Range { from: 3, to: 5 };
        let drawn: std::collections::BTreeSet<u64> =
            (0..200).map(|n| Dice::new(1).number(n).within(range)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
    }
}
