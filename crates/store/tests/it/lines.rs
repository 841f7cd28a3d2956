//! What the release of lines locks: gates that decide about other tenants' messages in one batch
//! with those of a line's sender wait for it.

use domain::{
    gates::{CounterKey, CounterKind, LineKey, Wake, meter_key},
    ids::{MessageId, SenderId},
    message::{class::Lane, state::MessageState},
};
use serde_json::json;
use store::{
    Scoped,
    capacity::counters,
    parked::line::{self, PaceLine},
};
use testkit::world::{TestWorld, enriched, now};

/// A tenant with a message in the line of its sender, in the bulk lane.
struct World {
    base: TestWorld,
    line: PaceLine,
    /// What the line's release locks.
    keys: [CounterKey; 2],
}

impl World {
    async fn begin() -> anyhow::Result<Self> {
        let base = TestWorld::start().await?;
        base.account(json!({})).await?;
        let sender = base.sender("+12125550001", json!({})).await?;
        let line = PaceLine { tenant: base.tenant.clone(), sender, lane: Lane::Bulk };
        let keys = Lane::ALL.map(|lane| meter_key(&base.tenant, sender, lane));
        let world = Self { base, line, keys };
        world.park().await?;

        // The counters are there, as of any sender that has sent.
        let mut tx = world.base.scoped().await?;
        counters::lock(&mut tx, &world.keys).await?;
        tx.commit().await?;
        Ok(world)
    }

    async fn park(&self) -> anyhow::Result<()> {
        let message = enriched(&self.base.tenant, 0);
        let key =
            LineKey { kind: CounterKind::admitted(Lane::Bulk), target: Some(self.line.sender.0) };
        self.base.messages([&message], json!({ "state": MessageState::Deferred.code() })).await?;
        let row = json!({
            "tenant_id": self.base.tenant, "message_id": message.head.id, "turn": 1, "due": null,
            "cause": "pace", "cause_key": Wake::Line(key).to_string(), "lane": "bulk",
            "payload": message, "rank": 2, "parked_at": now(),
        });
        self.base.insert("parked", &[row]).await
    }

    /// Which messages leave the line, and in whose meter they have their place.
    async fn release(&self) -> anyhow::Result<Vec<(MessageId, Option<SenderId>)>> {
        let store = self.base.pipeline().await?;
        let left = line::release(&store, std::slice::from_ref(&self.line), now(), 16).await?;
        let placed = left.due.into_iter().map(|due| {
            let placed = due.payload.and_then(|(_, message)| message.placed);
            (due.message, placed)
        });
        Ok(placed.collect())
    }

    /// Locks what a gate would, and does not wait.
    async fn lock_at_once(&self) -> anyhow::Result<Scoped> {
        let mut tx = self.base.scoped().await?;
        sqlx::query("set local lock_timeout = '1s'").execute(&mut *tx).await?;
        counters::lock(&mut tx, &self.keys).await?;
        Ok(tx)
    }
}

#[tokio::test]
async fn whoever_reads_meters_to_release_a_line_holds_no_counters() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut superuser = world.base.database.superuser().await?;
    let stall = "begin; lock table millrace.account_pace in access exclusive mode";
    sqlx::raw_sql(stall).execute(&mut superuser).await?;

    let gate = async {
        world.base.waiting(1).await?;
        world.lock_at_once().await?.commit().await?;
        sqlx::raw_sql("commit").execute(&mut superuser).await?;
        anyhow::Ok(())
    };

    let (left, ()) = tokio::try_join!(world.release(), gate)?;
    let placed: Vec<_> = left.into_iter().map(|(_, placed)| placed).collect();
    assert_eq!(placed, [Some(world.line.sender)]);
    Ok(())
}

#[tokio::test]
async fn a_line_whose_sender_has_no_room_is_passed_without_its_locks() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut tx = world.base.scoped().await?;
    counters::lock(&mut tx, &world.keys).await?;
    counters::add(&mut tx, &[(world.keys[0].clone(), 1_000)]).await?;
    tx.commit().await?;

    let mut gate = world.lock_at_once().await?;
    assert_eq!(world.release().await?, []);
    counters::add(&mut gate, &[(world.keys[0].clone(), -1_000)]).await?;
    gate.commit().await?;

    let placed: Vec<_> = world.release().await?.into_iter().map(|(_, placed)| placed).collect();
    assert_eq!(placed, [Some(world.line.sender)]);
    Ok(())
}
