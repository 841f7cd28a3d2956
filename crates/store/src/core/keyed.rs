//! Keys that travel as arrays, and rows that come back by the index of their key.

use domain::ids::TenantId;
use sqlx::types::Uuid;

/// The index of the key that a row answers to: `with ordinality` counts from 1.
pub(crate) fn index(ordinality: i64) -> usize {
    usize::try_from(ordinality - 1).expect("ordinality counts from 1")
}

/// The order in which rows are locked, and the way back to the order of the caller. Whoever locks
/// many rows does so in key order, or two who do would wait for each other. Holds, for each index
/// in key order, the caller's index.
pub(crate) struct LockOrder(Vec<usize>);

impl LockOrder {
    /// The key order of these items. Items of one key stay in the caller's order.
    pub(crate) fn by<'a, T, K: Ord>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Self {
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by_cached_key(|i| key(&items[*i]));
        Self(order)
    }

    /// The items in key order.
    pub(crate) fn sorted<'a, T>(&self, items: &'a [T]) -> Vec<&'a T> {
        self.0.iter().map(|i| &items[*i]).collect()
    }

    /// The caller's index of the key that a row answers to.
    pub(crate) fn index(&self, ordinality: i64) -> usize {
        self.0[index(ordinality)]
    }

    /// Brings one answer for each item from key order into the caller's order.
    pub(crate) fn restored<A>(&self, answers: Vec<A>) -> Vec<A> {
        let mut answers: Vec<(usize, A)> = self.0.iter().copied().zip(answers).collect();
        answers.sort_unstable_by_key(|(i, _)| *i);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Items in the order in which their rows are locked, for a statement that answers nothing.
pub(crate) fn in_lock_order<'a, T, K: Ord>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    LockOrder::by(items, key).sorted(items)
}

/// The tenant of a row that a scoped transaction has read. What a look-up outside any scope finds
/// is read by [`super::words::tenant`].
pub(crate) fn tenant(key: &str) -> TenantId {
    key.parse().expect("row-level security shows the rows of the tenants in scope, each a TenantId")
}

/// The id before this one: a page behind it begins with it.
pub(crate) fn just_before(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 5] = ["pear", "fig", "apple", "fig", "plum"];

    #[test]
    fn items_are_sorted_by_key_and_equal_keys_keep_their_order() {
        let items: Vec<(usize, &str)> = WORDS.into_iter().enumerate().collect();

        let sorted = in_lock_order(&items, |(_, word)| *word);

        let expected = [(2, "apple"), (1, "fig"), (3, "fig"), (0, "pear"), (4, "plum")];
        assert_eq!(sorted.into_iter().copied().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_answer_comes_back_to_the_index_of_its_item() {
        let order = LockOrder::by(&WORDS, |word| *word);
        let sorted = order.sorted(&WORDS);

        // A statement answers by ordinality, in any order, and not for every key.
        let mut by_ordinality = vec![None; WORDS.len()];
        for ordinality in [4, 1, 5] {
            by_ordinality[order.index(ordinality)] = Some(*sorted[index(ordinality)]);
        }
        assert_eq!(by_ordinality, [Some("pear"), None, Some("apple"), None, Some("plum")]);

        let restored = order.restored(sorted.into_iter().map(|word| word.len()).collect());
        assert_eq!(restored, WORDS.map(str::len));
    }
}
