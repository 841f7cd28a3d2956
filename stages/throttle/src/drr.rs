//! Deficit round robin: tenants take turns, and each turn is worth the same number of segments,
//! however long a tenant's messages are.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// The order in which items are served: their indexes. `items` are (owner, weight, cost), and the
/// items of one owner keep their order. In each round an owner may spend `quantum` times the weight
/// of its first item, and what it has saved.
pub(crate) fn order<K: Eq + Hash>(
    quantum: u32,
    items: impl IntoIterator<Item = (K, u32, u32)>,
) -> Vec<usize> {
    let quantum = quantum.max(1);
    let mut served = Vec::new();

    let mut round = queues(items);
    while let Some(mut queue) = round.pop_front() {
        queue.saved = queue.saved.saturating_add(quantum.saturating_mul(queue.weight));
        queue.serve(&mut served);

        // Whoever has nothing left leaves, and takes no savings along.
        if !queue.waiting.is_empty() {
            round.push_back(queue);
        }
    }
    served
}

/// The items of one owner that wait.
#[derive(Debug, Default)]
struct Queue {
    /// The index and the cost of each.
    waiting: VecDeque<(usize, u32)>,
    /// What the owner may spend.
    saved: u32,
    weight: u32,
}

impl Queue {
    /// Serves from the front as far as the savings go.
    fn serve(&mut self, served: &mut Vec<usize>) {
        while let Some((i, cost)) = self.waiting.front().copied() {
            if cost > self.saved {
                break;
            }
            self.saved -= cost;
            self.waiting.pop_front();
            served.push(i);
        }
    }
}

/// One queue per owner, in the order in which the owners come.
fn queues<K: Eq + Hash>(items: impl IntoIterator<Item = (K, u32, u32)>) -> VecDeque<Queue> {
    let mut queue_of: HashMap<K, usize> = HashMap::new();
    let mut queues: VecDeque<Queue> = VecDeque::new();

    for (i, (owner, weight, cost)) in items.into_iter().enumerate() {
        let queue = *queue_of.entry(owner).or_insert_with(|| {
            queues.push_back(Queue { weight: weight.max(1), ..Queue::default() });
            queues.len() - 1
        });
        queues[queue].waiting.push_back((i, cost));
    }
    queues
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUANTUM: u32 = 10;

    fn items() -> impl Strategy<Value = Vec<(u8, u32)>> {
        proptest::collection::vec((0_u8..6, 1_u32..=QUANTUM), 0..300)
    }

    fn unweighted(items: &[(u8, u32)]) -> Vec<(u8, u32, u32)> {
        items.iter().map(|(tenant, cost)| (*tenant, 1, *cost)).collect()
    }

    #[test]
    fn a_small_tenant_is_not_behind_a_large_ones_backlog() {
        let large = std::iter::repeat_n(("large", 1, 1), 500);
        let items: Vec<_> = large.chain([("small", 1, 3)]).collect();

        let served = order(QUANTUM, items);

        assert_eq!(served.iter().position(|i| *i == 500), Some(10));
    }

    #[test]
    fn one_tenant_alone_keeps_its_order() {
        assert_eq!(order(QUANTUM, [("a", 1, 7), ("a", 1, 7), ("a", 1, 1)]), [0, 1, 2]);
        assert_eq!(order::<&str>(QUANTUM, []), [] as [usize; 0]);
        assert_eq!(order(0, [("a", 1, 3), ("b", 1, 1)]), [1, 0], "a quantum is at least 1");
    }

    #[test]
    fn tenants_get_their_parts_by_weight_while_all_of_them_wait() {
        let items = (0..900).map(|i| if i % 2 == 0 { ("one", 1, 1) } else { ("three", 3, 1) });

        let served = order(QUANTUM, items);

        let threes = served[..400].iter().filter(|i| **i % 2 == 1).count();
        assert_eq!(threes, 300);
    }

    proptest! {
        #[test]
        fn everything_is_served_once_and_each_tenants_items_in_their_order(items in items()) {
            let served = order(QUANTUM, unweighted(&items));
            let mut sorted = served.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..items.len()).collect::<Vec<_>>());

            for tenant in 0..6 {
                let own: Vec<_> = served.iter().filter(|i| items[**i].0 == tenant).collect();
                prop_assert!(own.is_sorted());
            }
        }

        /// While two tenants both have something waiting, neither is ahead of the other by more
        /// than one quantum and the savings of less than one message.
        #[test]
        fn shares_differ_by_less_than_two_quanta_while_both_wait(items in items()) {
            let served = order(QUANTUM, unweighted(&items));

            let mut left = [0_usize; 6];
            let mut got = [0_u32; 6];
            for (tenant, _) in &items {
                left[usize::from(*tenant)] += 1;
            }
            let waiting_at_start = left.map(|left| left > 0);

            for i in served {
                let (tenant, cost) = items[i];
                got[usize::from(tenant)] += cost;
                left[usize::from(tenant)] -= 1;

                let both = (0..6).filter(|n| waiting_at_start[*n] && left[*n] > 0);
                let shares: Vec<_> = both.map(|n| got[n]).collect();
                let most = shares.iter().max().copied().unwrap_or_default();
                let least = shares.iter().min().copied().unwrap_or_default();
                prop_assert!(most - least < 2 * QUANTUM, "{shares:?}");
            }
        }

        /// Whoever waits is served in every round.
        #[test]
        fn nobody_starves(items in items()) {
            let served = order(QUANTUM, unweighted(&items));

            for tenant in 0..6_u8 {
                let first = served.iter().position(|i| items[*i].0 == tenant);
                let before: u32 = served[..first.unwrap_or(0)].iter().map(|i| items[*i].1).sum();
                prop_assert!(before <= 5 * QUANTUM, "{before} segments before tenant {tenant}");
            }
        }
    }
}
