//! What the database said last: asked only now and then, and believed for a while when it does
//! not answer, so that messages are accepted without it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use stage::Fault;
use tokio::time::Instant;

/// How long it is believed while no newer one is to be had.
const BELIEVED: Duration = Duration::from_secs(5 * 60);

/// When the database is asked again, and how long that may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    /// How long an answer holds.
    pub(crate) fresh: Duration,
    /// How long a newer answer is waited for.
    pub(crate) patience: Duration,
}

/// Answers by what was asked; none where there is no such thing. Clones share them.
pub(crate) struct LastKnown<K, V> {
    known: Arc<Mutex<HashMap<K, Entry<V>>>>,
    asking: Asking,
    /// How many answers are kept: a flood of invented questions must not fill the memory.
    most: usize,
}

struct Entry<V> {
    value: Option<V>,
    /// When the database said it.
    told_at: Instant,
    /// When it was asked last.
    asked_at: Instant,
}

enum Look<V> {
    /// This is fresh enough, or nobody is asked now.
    Answer(Option<V>),
    /// The database is to be asked again; until it answers this holds.
    Old(V),
    /// The database is to be asked: nothing is known.
    Nothing,
}

impl<K, V> Clone for LastKnown<K, V> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), asking: self.asking, most: self.most }
    }
}

impl<K, V> LastKnown<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    pub(crate) fn new(asking: Asking, most: usize) -> Self {
        Self { known: Arc::default(), asking, most }
    }

    /// The answer: a fresh one, that of `ask`, or the last one where `ask` has none in time. Then
    /// it goes on, and what it says holds from then.
    ///
    /// # Errors
    /// What `ask` says, where nothing is known.
    pub(crate) async fn get(
        &self,
        key: &K,
        ask: impl Future<Output = Result<Option<V>, Fault>> + Send + 'static,
    ) -> Result<Option<V>, Fault> {
        let old = match self.look(key) {
            Look::Answer(value) => return Ok(value),
            Look::Nothing => {
                let value = ask.await?;
                self.keep(key, value.clone());
                return Ok(value);
            }
            Look::Old(old) => old,
        };

        let (this, key) = (self.clone(), key.clone());
        let asked = tokio::spawn(async move {
            let value = ask.await.ok()?;
            this.keep(&key, value.clone());
            Some(value)
        });

        match tokio::time::timeout(self.asking.patience, asked).await {
            Ok(Ok(Some(value))) => Ok(value),
            // It failed, its task was torn down, or it is late.
            Ok(Ok(None) | Err(_)) | Err(_) => Ok(Some(old)),
        }
    }

    /// What is known, and whether it is this caller who asks for more.
    fn look(&self, key: &K) -> Look<V> {
        let mut known = self.lock();
        let Some(entry) = known.get_mut(key) else { return Look::Nothing };
        if entry.told_at.elapsed() < self.asking.fresh {
            return Look::Answer(entry.value.clone());
        }

        let believed = entry.told_at.elapsed() < BELIEVED;
        let Some(value) = entry.value.clone().filter(|_| believed) else { return Look::Nothing };
        if entry.asked_at.elapsed() < self.asking.fresh {
            // Somebody else is asking, or has just asked in vain.
            return Look::Answer(Some(value));
        }
        entry.asked_at = Instant::now();
        Look::Old(value)
    }

    fn keep(&self, key: &K, value: Option<V>) {
        let now = Instant::now();
        let mut known = self.lock();
        if known.len() >= self.most {
            known.clear();
        }
        known.insert(key.clone(), Entry { value, told_at: now, asked_at: now });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Entry<V>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use stage::Dependency;

    use super::*;

    const FRESH: Duration = Duration::from_secs(1);
    const PATIENCE: Duration = Duration::from_millis(50);
    const ASKING: Asking = Asking { fresh: FRESH, patience: PATIENCE };

    async fn says(value: Option<u8>) -> Result<Option<u8>, Fault> {
        Ok(value)
    }

    async fn is_away() -> Result<Option<u8>, Fault> {
        Err(Fault::Unavailable { what: Dependency::Database, source: "away".into() })
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_holds_while_it_is_fresh_and_is_then_asked_for_again() {
        let known = LastKnown::new(ASKING, 10);
        assert_eq!(known.get(&1, says(Some(1))).await.expect("known"), Some(1));
        assert_eq!(known.get(&1, says(Some(2))).await.expect("known"), Some(1));

        tokio::time::advance(FRESH).await;
        assert_eq!(known.get(&1, says(None)).await.expect("known"), None, "it is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_the_last_one_is_believed_for_a_while() {
        let known = LastKnown::new(ASKING, 10);
        assert!(known.get(&1, is_away()).await.is_err(), "nothing is known");

        known.get(&1, says(Some(1))).await.expect("known");
        tokio::time::advance(FRESH).await;
        assert_eq!(known.get(&1, is_away()).await.expect("believed"), Some(1));

        tokio::time::advance(FRESH).await;
        let begun = Instant::now();
        assert_eq!(known.get(&1, pending()).await.expect("believed"), Some(1));
        assert_eq!(begun.elapsed(), PATIENCE);
        assert_eq!(known.get(&1, pending()).await.expect("believed"), Some(1));
        assert_eq!(begun.elapsed(), PATIENCE, "only one a second waits for it");

        tokio::time::advance(BELIEVED).await;
        assert!(known.get(&1, is_away()).await.is_err(), "too old");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_late_holds_from_when_it_comes() {
        let known = LastKnown::new(ASKING, 10);
        known.get(&1, says(Some(1))).await.expect("known");
        tokio::time::advance(FRESH).await;
        let late = async {
            tokio::time::sleep(2 * PATIENCE).await;
            Ok(None)
        };

        assert_eq!(known.get(&1, late).await.expect("believed"), Some(1));

        tokio::time::sleep(2 * PATIENCE).await;
        assert_eq!(known.get(&1, is_away()).await.expect("known"), None, "it was revoked");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_there_is_not_believed() {
        let known = LastKnown::new(ASKING, 10);
        known.get(&1, says(None)).await.expect("known");
        tokio::time::advance(FRESH).await;
        assert!(known.get(&1, is_away()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_answers_are_kept_than_allowed() {
        let known = LastKnown::new(ASKING, 3);
        for key in 0..10 {
            known.get(&key, says(Some(key))).await.expect("known");
            assert!(known.lock().len() <= 3);
        }
    }
}
