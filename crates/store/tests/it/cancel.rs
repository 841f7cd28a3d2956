//! Cancels on a real database: what they find, what they leave, and whom they meet.

use std::time::Duration;

use domain::{
    ids::{MessageId, TenantId},
    message::{passport::Stamp, state::MessageState},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use store::{
    Role, Store,
    messages::{
        cancel::{self, CancelOutcome, KEPT, MOST_MARKS, Marked},
        read::{self, KeyOf, Keyed},
    },
    outbox,
    parked::release,
};
use testkit::Database;
use uuid::Uuid;

struct World {
    database: Database,
    tenant: TenantId,
    api: Store,
}

fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

fn id(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}

impl World {
    async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let api = database.store(Role::Api).await?;
        Ok(Self { database, tenant, api })
    }

    async fn run(&self, sql: String) -> anyhow::Result<()> {
        let mut connection: PgConnection = self.database.superuser().await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(())
    }

    async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection: PgConnection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// A row of this tenant, in this state.
    async fn message(&self, tenant: &str, id: MessageId, state: i16) -> anyhow::Result<()> {
        self.run(format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport, version, due)
             values ('{tenant}', '{id}', {state}, 'promo', 'sms', '{id}', '+12125550100', 'Hi', 1,
                 7900, '\\x{hash}', now(), now(), '[]', 5, now())",
            hash = "ab".repeat(32),
        ))
        .await
    }

    async fn cancel(&self, id: MessageId) -> anyhow::Result<Option<CancelOutcome>> {
        let stamp = Stamp::plain("api", now(), "cancel");
        Ok(cancel::cancel(&self.api, &self.tenant, id, now(), &stamp).await?)
    }

    async fn mark(&self, id: MessageId, machine: Timestamp) -> anyhow::Result<Marked> {
        Ok(cancel::mark(&self.api, &self.tenant, id, machine).await?)
    }
}

#[tokio::test]
async fn a_message_without_a_claim_is_withdrawn_once_and_its_event_is_owed() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let open =
        [MessageState::Accepted, MessageState::Deferred, MessageState::Held, MessageState::Queued];
    for (n, state) in (1..).zip(open) {
        world.message("acme", id(n), state.code()).await?;
        let cancelled = world.cancel(id(n)).await?;
        let Some(CancelOutcome::Cancelled(event)) = cancelled else {
            panic!("{state:?}: {cancelled:?}")
        };
        assert_eq!((event.kind.as_str(), event.version), ("message.cancelled", 6), "{state:?}");
        assert!(matches!(world.cancel(id(n)).await?, Some(CancelOutcome::Before)), "{state:?}");

        let owed = outbox::pending(&world.api, &world.tenant, 10).await?;
        assert_eq!(owed.iter().map(|one| one.id).collect::<Vec<_>>(), [event.id], "{state:?}");
        assert_eq!(owed[0].data.get(), event.data.get());
        assert_eq!(outbox::tenants(&world.api, 10).await?.first(), Some(&world.tenant));
        outbox::published(&world.api, &world.tenant, &owed).await?;
        assert!(outbox::tenants(&world.api, 10).await?.is_empty());
    }

    let rows = "select count(*) from millrace.messages
                where state = 11 and version = 6 and due is null
                  and passport -> 0 ->> 'verdict' = 'cancel'";
    assert_eq!(world.number(rows).await?, 4);
    Ok(())
}

#[tokio::test]
async fn what_a_carrier_may_have_and_what_is_over_stays_as_it_is() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.message("acme", id(1), MessageState::Queued.code()).await?;
    world.run("update millrace.messages set claim_owner = gen_random_uuid()".into()).await?;

    let late = world.cancel(id(1)).await?;
    let Some(CancelOutcome::TooLate { state: MessageState::Queued, claimed: true }) = late else {
        panic!("{late:?}")
    };

    let over = MessageState::ALL.into_iter().filter(|state| {
        state.is_final() && *state != MessageState::Cancelled || state.is_at_carrier()
    });
    for (n, expected) in (2..).zip(over.chain([MessageState::InDoubt])) {
        world.message("acme", id(n), expected.code()).await?;
        let late = world.cancel(id(n)).await?;
        let Some(CancelOutcome::TooLate { state, .. }) = late else {
            panic!("{expected:?}: {late:?}")
        };
        assert_eq!(state, expected);
    }

    let changed = "select count(*) from millrace.messages where version <> 5 or passport <> '[]'";
    assert_eq!(world.number(changed).await?, 0);
    assert_eq!(world.number("select count(*) from millrace.unsaid_events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn another_tenants_message_is_not_there() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.database.tenant("globex").await?;
    world.message("globex", id(1), 0).await?;

    assert!(world.cancel(id(1)).await?.is_none());
    assert_eq!(world.mark(id(1), now()).await?, Marked::Left, "the id is free for this tenant");
    assert_eq!(world.number("select count(*) from millrace.messages where state = 0").await?, 1);
    Ok(())
}

/// A parked message: `due` long ago, its payload is what schedule gives back to the gates.
async fn parked(world: &World, n: u128) -> anyhow::Result<()> {
    world.message("acme", id(n), 1).await?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../wire/tests/golden/enriched.json");
    let payload = std::fs::read_to_string(path)?;
    world
        .run(format!(
            "insert into millrace.parked (tenant_id, message_id, turn, due, cause, lane, payload,
                 parked_at)
             values ('acme', '{}', 1, '2026-03-02T16:00:00Z', 'quiet_hours:x', 'bulk',
                 $json${payload}$json$, now())",
            id(n)
        ))
        .await
}

#[tokio::test]
async fn a_parked_message_that_is_cancelled_is_never_released() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let pipeline = world.database.store(Role::Pipeline).await?;
    for n in [1, 2] {
        parked(&world, n).await?;
    }

    world.cancel(id(1)).await?;
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 1);

    let due = release(&pipeline).await?;
    let released: Vec<_> = due.iter().map(|row| (row.message, row.payload.is_some())).collect();
    assert_eq!(released, [(id(2), true)]);
    Ok(())
}

#[tokio::test]
async fn a_message_cancelled_after_its_release_goes_nowhere() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let pipeline = world.database.store(Role::Pipeline).await?;
    parked(&world, 1).await?;
    let due = release(&pipeline).await?;
    assert!(due[0].payload.is_some());

    // The schedule dies before the PubAck; the release that would be repeated finds nothing.
    assert!(matches!(world.cancel(id(1)).await?, Some(CancelOutcome::Cancelled(_))));
    assert!(release(&pipeline).await?.is_empty());
    let row = "select count(*) from millrace.messages where state = 11 and turn = 2";
    assert_eq!(world.number(row).await?, 1);
    release::released(&pipeline, &due).await?;
    Ok(())
}

/// Whoever stores keeps marks away until it is over; a mark sees what was stored meanwhile.
#[tokio::test]
async fn a_mark_waits_for_whoever_is_about_to_store_the_message() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let pipeline = world.database.store(Role::Pipeline).await?;
    let mut storing = pipeline.scoped([&world.tenant]).await?;
    assert!(cancel::take_marks(&mut storing, &[(&world.tenant, id(1))]).await?.is_empty());

    let (store, tenant) = (world.api.clone(), world.tenant.clone());
    let marking = tokio::spawn(async move { cancel::mark(&store, &tenant, id(1), now()).await });
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
    let waiting = async {
        while world.number(waits).await? == 0 {
            anyhow::ensure!(!marking.is_finished(), "it did not wait");
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await??;

    sqlx::query(
        "insert into messages (tenant_id, message_id, state, class, channel, contact_id, number,
             body, segments, cost_micros, body_hash, submitted_at, changed_at, passport)
         values ('acme', $1, 0, 'promo', 'sms', $1, '+1', '', 1, 0, '', now(), now(), '[]')",
    )
    .bind(id(1).0)
    .execute(&mut *storing)
    .await?;
    storing.commit().await?;
    assert_eq!(marking.await??, Marked::RowIsThere);
    Ok(())
}

/// enrich may be stuck with the lock: whoever cancels is told to come again.
#[tokio::test]
async fn a_mark_that_cannot_be_left_soon_is_given_up() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let pipeline = world.database.store(Role::Pipeline).await?;
    let mut storing = pipeline.scoped([&world.tenant]).await?;
    cancel::take_marks(&mut storing, &[(&world.tenant, id(1))]).await?;

    let late = world.mark(id(1), now()).await;
    assert!(late.is_err(), "{late:?}");

    storing.commit().await?;
    assert_eq!(world.mark(id(1), now()).await?, Marked::Left);
    Ok(())
}

#[tokio::test]
async fn marks_are_bounded_and_old_ones_are_purged_by_the_next() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world
        .run(format!(
            "insert into millrace.cancel_marks (tenant_id, message_id, at)
             select 'acme', gen_random_uuid(), '{}' from generate_series(1, {MOST_MARKS})",
            now()
        ))
        .await?;

    assert_eq!(world.mark(id(1), now()).await?, Marked::TooMany);
    let later = now() + KEPT + SignedDuration::from_secs(1);
    assert_eq!(world.mark(id(1), later).await?, Marked::Left);
    assert_eq!(world.mark(id(1), later).await?, Marked::Left, "again is the same mark");
    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_key_is_taken_by_another_body_of_the_same_tenant_alone() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let globex = world.database.tenant("globex").await?;
    world.message("acme", id(1), 0).await?;
    world.message("globex", id(2), 22).await?;

    let keyed = |tenant: &TenantId, n, byte| Keyed {
        tenant: tenant.clone(),
        of: KeyOf::Message(id(n)),
        body_hash: [byte; 32],
    };
    world.message("acme", id(4), 21).await?;
    world.run("update millrace.messages set body_hash = '' where state = 21".into()).await?;
    let asked = [
        keyed(&world.tenant, 4, 0xcd),
        keyed(&world.tenant, 1, 0xab),
        keyed(&world.tenant, 1, 0xcd),
        keyed(&globex, 2, 0xcd),
        keyed(&globex, 1, 0xcd),
        keyed(&world.tenant, 3, 0xcd),
    ];

    let taken = read::other_bodies(&world.api, &asked).await?;
    assert_eq!(taken, [false, false, true, true, false, false]);
    Ok(())
}

/// What is due, released.
async fn release(store: &Store) -> anyhow::Result<Vec<release::DueMessage>> {
    let found = release::find(store, now(), 10, 10, &[]).await?;
    Ok(release::release(store, &found, now()).await?)
}
