//! Whoever looks up what is parked for a cause reads what waits for it, though nearly everything
//! waits for another one and the table is analysed and not vacuumed (docs/adr/0005).

use domain::{
    gates::{CounterKind, LineKey, Wake},
    ids::SenderId,
    message::class::Lane,
};
use jiff::Timestamp;
use serde_json::json;
use store::{
    Role, Store,
    capacity::meters,
    facts,
    parked::{
        line::{self, PaceLine},
        wake::{self, Way, What},
    },
};
use testkit::world::TestWorld;

/// Entries of indexes that a look-up reads at most: those of some rows, not of a whole tenant.
const FEW: i64 = 200;

/// What wakes the few rows beside the many.
const RARE: &str = "switch:tenant";

struct World {
    base: TestWorld,
    senders: [SenderId; 2],
    /// One connection: what it has read is counted exactly.
    store: Store,
}

impl World {
    /// 20,000 rows in line for the first sender's pace, and two that wait for [`RARE`].
    async fn begin() -> anyhow::Result<Self> {
        let base = TestWorld::start().await?;
        base.account(json!({})).await?;
        let first = base.sender("+12125550001", json!({})).await?;
        let second = base.sender("+12125550002", json!({})).await?;
        let store = Store::connect(&base.database.url(), Role::Pipeline, 1).await?;
        let world = Self { base, senders: [first, second], store };
        world.fill().await?;
        Ok(world)
    }

    async fn fill(&self) -> anyhow::Result<()> {
        let mut superuser = self.base.database.superuser().await?;
        let by_hand = "alter table millrace.parked set (autovacuum_enabled = off)";
        sqlx::raw_sql(by_hand).execute(&mut superuser).await?;

        let insert = "insert into millrace.parked (tenant_id, message_id, turn, due, cause,
                cause_key, lane, payload, rank, parked_at)
            select 'acme', gen_random_uuid(), 1, now() + interval '1 day', 'pace', $1, 'bulk',
                jsonb_build_object('head', jsonb_build_object('to', '+1' || n)), 2, now()
            from generate_series(1, $2) n";
        for (cause, rows) in [(self.line(0).1, 20_000), (RARE.to_owned(), 2)] {
            sqlx::query(insert).bind(cause).bind(rows).execute(&mut superuser).await?;
        }
        sqlx::raw_sql("analyze millrace.parked").execute(&mut superuser).await?;
        Ok(())
    }

    /// The bulk line of a sender, and what its rows wait for.
    fn line(&self, index: usize) -> (PaceLine, String) {
        let (tenant, sender, lane) = (self.base.tenant.clone(), self.senders[index], Lane::Bulk);
        let key = LineKey { kind: CounterKind::admitted(lane), target: Some(sender.0) };
        (PaceLine { tenant, sender, lane }, Wake::Line(key).to_string())
    }

    /// How many entries of the indexes of `parked` have been read so far.
    async fn read(&self) -> anyhow::Result<i64> {
        let mut tx = self.store.scoped([&self.base.tenant]).await?;
        sqlx::query("select pg_stat_force_next_flush()").execute(&mut *tx).await?;
        tx.commit().await?;

        let read = "select sum(idx_tup_read)::bigint from pg_stat_user_indexes
                    where relname = 'parked'";
        Ok(sqlx::query_scalar(read).fetch_one(&mut self.base.database.superuser().await?).await?)
    }

    /// Fails where a look-up reads more than a few entries, at any of so many times: the first ones
    /// are planned for what they ask, later ones for anything.
    async fn reads_few(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for nth in 0..8 {
            let before = self.read().await?;
            look().await?;
            let read = self.read().await? - before;
            assert!(read <= FEW, "{what}, time {nth}: {read} entries");
        }
        Ok(())
    }
}

fn now() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("an instant")
}

#[tokio::test]
async fn who_waits_for_a_rare_cause_is_found_among_many_of_another() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let tenant = &world.base.tenant;

    let senders = [0, 1].map(|index| (tenant, world.senders[index])).into();
    let meters = async || {
        let mut tx = world.store.scoped([tenant]).await?;
        let found = facts::senders(&mut tx, &senders).await?;
        let found: Vec<_> = found.iter().map(|(tenant, facts)| (tenant, facts)).collect();
        let meters = meters::of(&mut tx, &found).await?;
        let awaited = meters.iter().filter(|(.., meter)| meter.is_awaited.bulk).count();
        assert_eq!((meters.len(), awaited), (2, 1));
        Ok(())
    };
    world.reads_few("the meters of two senders", meters).await?;

    let waiting = async || {
        let mut tx = world.store.scoped([tenant]).await?;
        assert_eq!(wake::waiting(&mut tx, tenant, RARE).await?, 2);
        Ok(())
    };
    world.reads_few("the number of those that wait", waiting).await?;

    let release = async || {
        let left = line::release(&world.store, &[world.line(1).0], now(), 16).await?;
        assert!(left.due.is_empty());
        Ok(())
    };
    world.reads_few("an empty line", release).await?;

    let woken = async || {
        let mut tx = world.store.scoped([tenant]).await?;
        wake::wake(&mut tx, tenant, &What::Cause(RARE), Way::On).await?;
        tx.commit().await?;
        assert!(!wake::work(&world.store, now(), stage::machine::now(), 512).await?);
        Ok(())
    };
    world.reads_few("a wake", woken).await?;

    let mut tx = world.store.scoped([tenant]).await?;
    assert_eq!(wake::waiting(&mut tx, tenant, RARE).await?, 0);
    Ok(())
}
