//! The batches of a lane that count as under way: those that have not taken long.

use std::time::Duration;

use tokio::time::Instant;

/// The batches that count.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) all: usize,
    /// Those of one tenant that had a flood ready.
    alone: usize,
    /// When the last batch began, whatever has become of it.
    last_begun: Option<Instant>,
}

impl UnderWay {
    /// Whether one more batch may be of a flood alone: one place is for the others, where there are
    /// several.
    pub(super) fn may_be_alone(&self, at_most: usize) -> bool {
        self.alone + 1 < at_most.max(2)
    }

    /// When the next batch begins that could begin at this instant: one that is not full, beside
    /// others, so long after the last one.
    pub(super) fn begins(&self, could: Instant, is_full: bool, fill: Duration) -> Instant {
        match self.last_begun {
            Some(last) if self.all > 0 && !is_full => could.max(last + fill),
            Some(_) | None => could,
        }
    }

    pub(super) fn begin(&mut self, alone: bool) {
        self.last_begun = Some(Instant::now());
        self.all += 1;
        self.alone += usize::from(alone);
    }

    pub(super) fn end(&mut self, alone: bool) {
        self.all -= 1;
        self.alone -= usize::from(alone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_one_place_to_the_others_where_there_are_several() {
        let mut under_way = UnderWay::default();
        under_way.begin(true);
        assert!(under_way.may_be_alone(3));
        under_way.begin(true);
        assert!(!under_way.may_be_alone(3));

        under_way.begin(false);
        under_way.end(true);
        assert!(under_way.may_be_alone(3));
        assert!(UnderWay::default().may_be_alone(1), "the only place is for everybody");
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_batch_that_is_not_full_waits_and_only_beside_others() {
        let (fill, mut under_way) = (Duration::from_millis(10), UnderWay::default());
        let start = Instant::now();
        assert_eq!(under_way.begins(start, false, fill), start);

        under_way.begin(false);
        assert_eq!(under_way.begins(start, true, fill), start);
        assert_eq!(under_way.begins(start, false, fill), start + fill);
        assert_eq!(under_way.begins(start + 2 * fill, false, fill), start + 2 * fill);

        under_way.end(false);
        assert_eq!(under_way.begins(start, false, fill), start);
    }
}
