//! What each caller has a share of its own of. Nobody waits for a share that another caller holds,
//! and whoever uses up its own is told so.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

/// A share for each name: so many permits, whatever the others do.
pub(crate) struct Shares {
    size: usize,
    of: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Shares {
    /// Shares of `size` permits each.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, of: Mutex::default() }
    }

    /// The share of one name. A new name clears away the shares that nobody holds any more, each
    /// time as many again have come: so they are at most about twice those in use.
    pub(crate) fn of(&self, name: &str) -> Arc<Semaphore> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = of.get(name) {
            return Arc::clone(share);
        }

        if of.len() == of.capacity() {
            of.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let share = Arc::new(Semaphore::new(self.size));
        of.insert(name.to_owned(), Arc::clone(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_uses_up_its_share_takes_nothing_from_another() {
        let shares = Shares::new(2);

        let held = shares.of("a").try_acquire_many_owned(2).expect("both are free");
        assert!(shares.of("a").try_acquire_owned().is_err());
        assert!(shares.of("b").try_acquire_owned().is_ok());

        drop(held);
        assert!(shares.of("a").try_acquire_owned().is_ok());
    }

    #[test]
    fn shares_that_nobody_holds_are_cleared_away_and_those_held_stay() {
        let shares = Shares::new(1);
        let _held = shares.of("held").try_acquire_owned().expect("free");

        (0..10_000).for_each(|i| drop(shares.of(&i.to_string())));

        let kept = shares.of.lock().expect("not poisoned").len();
        assert!(kept < 100, "{kept}");
        assert!(shares.of("held").try_acquire_owned().is_err());
    }
}
