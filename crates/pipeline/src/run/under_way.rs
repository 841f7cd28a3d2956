//! The batches of a lane that count as under way: those that have not taken long.

/// The batches that count.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) all: usize,
    /// Those of one tenant that had a flood ready.
    alone: usize,
}

impl UnderWay {
    /// Whether one more batch may be of a flood alone: one place is for the others, where there are
    /// several.
    pub(super) fn may_be_alone(&self, at_most: usize) -> bool {
        self.alone + 1 < at_most.max(2)
    }

    pub(super) fn begin(&mut self, alone: bool) {
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
}
