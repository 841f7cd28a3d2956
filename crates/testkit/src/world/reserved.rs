//! What the gates count for messages that they admit, and what counters hold.

use anyhow::ensure;
use domain::{
    gates::{CounterKey, Reserved, Windows, reservation},
    ids::SenderId,
    message::class::MessageClass,
    zones::Zone,
};
use jiff::Timestamp;
use store::capacity::counters;

use super::{COST, TestWorld};

impl TestWorld {
    /// Counts so many messages of a class from a sender, as the gates do at this instant.
    ///
    /// # Errors
    /// The database is away.
    pub async fn reserve(
        &self,
        class: MessageClass,
        sender: SenderId,
        now: Timestamp,
        messages: usize,
    ) -> anyhow::Result<()> {
        let mut added = self.of_one(class, sender, now);
        let messages = i64::try_from(messages)?;
        added.iter_mut().for_each(|(_, amount)| *amount *= messages);
        let keys: Vec<CounterKey> = added.iter().map(|(key, _)| key.clone()).collect();

        let mut tx = self.scoped().await?;
        counters::lock(&mut tx, &keys).await?;
        counters::add(&mut tx, &added).await?;
        Ok(tx.commit().await?)
    }

    /// How many such messages the counters hold a reservation for, the sender's meter aside; every
    /// counter says the same.
    ///
    /// # Errors
    /// Counters differ, or the database is away.
    pub async fn reserved(
        &self,
        class: MessageClass,
        sender: SenderId,
        now: Timestamp,
    ) -> anyhow::Result<i64> {
        let mut tx = self.scoped().await?;
        let mut messages = Vec::new();
        let counted = self.of_one(class, sender, now).into_iter();
        for (key, amount) in counted.filter(|(key, _)| key.kind.meter_lane().is_none()) {
            messages.push(counters::used(&mut tx, &key).await? / amount);
        }

        messages.dedup();
        ensure!(messages.len() == 1, "counters differ: {messages:?}");
        Ok(messages[0])
    }

    /// What one message adds, in the order in which counters are locked.
    fn of_one(
        &self,
        class: MessageClass,
        sender: SenderId,
        now: Timestamp,
    ) -> Vec<(CounterKey, i64)> {
        let windows = Windows::at(now, Zone::parse("America/New_York").expect("a zone"));
        let (tenant, campaign, cost) = (&self.tenant, None, COST);
        let what = Reserved { tenant, class, campaign, sender, cost, segments: 1 };
        let mut added = reservation(&what, &windows, windows.day_start);
        added.sort_unstable();
        added
    }
}
