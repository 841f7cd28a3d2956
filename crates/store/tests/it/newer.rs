//! Rows that a newer version has written: a batch is told of them, a source leaves them out, and
//! nothing that is open is taken for ended.

use std::time::Duration;

use domain::{
    ids::{CampaignId, MessageId, PoolId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Stamp,
        state::MessageState,
    },
};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Row};
use stage::Fault;
use store::{
    Role, Store,
    campaigns::{CampaignState, audience::RunningCampaign, flight},
    messages::{
        gate,
        in_doubt::{self, Raise},
        receipt::poll::{self, Limits},
    },
};
use testkit::Database;
use uuid::Uuid;

struct World {
    database: Database,
    tenant: TenantId,
    pipeline: Store,
}

fn now() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("an instant")
}

fn id(n: u128) -> MessageId {
    MessageId(Uuid::from_u128(n))
}

impl World {
    async fn begin() -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant("acme").await?;
        let pipeline = database.store(Role::Pipeline).await?;
        Ok(Self { database, tenant, pipeline })
    }

    async fn run(&self, sql: String) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(())
    }

    async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// A message that `send` has claimed and never ended.
    async fn message(&self, id: MessageId, state: i16, class: &str) -> anyhow::Result<()> {
        self.run(format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport, claim_owner, attempt, call_by)
             values ('acme', '{id}', {state}, '{class}', 'sms', '{id}', '+12125550100', 'Hi', 1,
                 7900, '', now(), '2026-03-04T14:00:00Z', '[]', '{owner}', 1,
                 now() - interval '1 hour')",
            owner = Uuid::nil(),
        ))
        .await
    }

    /// What a claim of these messages leaves behind, so long ago.
    async fn claims(&self, chunk: u128, messages: &[u128], ago: &str) -> anyhow::Result<()> {
        let ids: Vec<String> = messages.iter().map(|n| format!("'{}'", id(*n))).collect();
        self.run(format!(
            "insert into millrace.open_claims (tenant_id, owner, chunk, call_by, messages)
             values ('acme', '{}', {chunk}, now() - interval '{ago}', array[{}]::uuid[])",
            Uuid::nil(),
            ids.join(", "),
        ))
        .await
    }
}

/// What a sweep raises.
fn raise(stamp: &Stamp) -> Raise<'_> {
    Raise {
        past: Duration::from_secs(10),
        first_look: Duration::from_secs(60),
        watch_after: Duration::from_secs(60),
        now: now(),
        stamp,
        at_most: 10,
    }
}

/// What a batch is told.
fn newer<T: std::fmt::Debug>(read: Result<T, Fault>) -> String {
    let fault = read.expect_err("a value that this version does not know");
    assert!(matches!(fault, Fault::Newer { .. }), "{fault:?}");
    fault.to_string()
}

#[tokio::test]
async fn a_batch_is_told_which_value_it_cannot_read() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.message(id(1), 99, "promo").await?;
    world.message(id(2), MessageState::Accepted.code(), "vip").await?;
    world.message(id(3), MessageState::Accepted.code(), "promo").await?;
    let stamp = r#"[{"stage": "gate", "at": "2026-03-04T15:00:00Z", "verdict": "x", "gate": "y"}]"#;
    let of_stamp = "where message_id::text like '%3'";
    world.run(format!("update millrace.messages set passport = '{stamp}' {of_stamp}")).await?;
    let mut tx = world.pipeline.scoped([&world.tenant]).await?;
    let key = |n| [(&world.tenant, id(n))];

    let state = newer(gate::turns(&mut tx, &key(1)).await);
    assert_eq!(state, "a newer version stored the message state \"99\"");
    let class = newer(gate::stored(&mut tx, &key(2)).await);
    assert_eq!(class, "a newer version stored the message class \"vip\"");
    let passport = newer(gate::stored(&mut tx, &key(3)).await);
    assert_eq!(passport, "a newer version stored the document in column \"17\"");
    Ok(())
}

#[tokio::test]
async fn a_sweep_raises_what_it_can_read_and_leaves_the_rest_claimed() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.message(id(1), MessageState::Queued.code(), "vip").await?;
    world.message(id(2), MessageState::Queued.code(), "promo").await?;
    world.claims(1, &[1, 2], "1 hour").await?;
    let stamp = Stamp::plain("reconcile", now(), "in_doubt");
    let what = Raise { at_most: 10, ..raise(&stamp) };

    assert_eq!(in_doubt::raise(&world.pipeline, &what).await?.messages, 1);
    assert_eq!(in_doubt::raise(&world.pipeline, &what).await?.messages, 0);
    let raised = "select count(*) from millrace.messages where state = 4 and class = 'promo'";
    assert_eq!((world.number(raised).await?, MessageState::InDoubt.code()), (1, 4));
    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 1);

    // It is found again after a while.
    world.run("update millrace.messages set class = 'promo'".into()).await?;
    assert_eq!(in_doubt::raise(&world.pipeline, &what).await?.messages, 0);
    let later = "update millrace.open_claims set call_by = call_by - interval '71 s'";
    world.run(later.into()).await?;
    assert_eq!(in_doubt::raise(&world.pipeline, &what).await?.messages, 1);
    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 0);
    Ok(())
}

#[tokio::test]
async fn claims_that_cannot_be_read_keep_no_later_one_from_being_raised() -> anyhow::Result<()> {
    let world = World::begin().await?;
    for n in 1..=3 {
        world.message(id(n), MessageState::Queued.code(), "vip").await?;
        world.claims(n, &[n], "1 hour").await?;
    }
    world.message(id(4), MessageState::Queued.code(), "promo").await?;
    world.claims(4, &[4], "1 minute").await?;
    let stamp = Stamp::plain("reconcile", now(), "in_doubt");
    let what = Raise { at_most: 3, ..raise(&stamp) };

    let first = in_doubt::raise(&world.pipeline, &what).await?;
    assert_eq!((first.messages, first.more), (0, true), "the three oldest are of no use");
    let second = in_doubt::raise(&world.pipeline, &what).await?;
    assert_eq!((second.messages, second.more), (1, false));
    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 3, "they stay");
    Ok(())
}

#[tokio::test]
async fn a_watch_keeps_what_it_cannot_read() -> anyhow::Result<()> {
    let world = World::begin().await?;
    for (n, state) in [(1, 99), (2, MessageState::Sent.code()), (3, MessageState::Read.code())] {
        world.message(id(n), state, "promo").await?;
    }
    let ids = [1, 2, 3].map(|n| format!("'{}'", id(n))).join(", ");
    world
        .run(format!(
            "insert into millrace.receipt_watches (tenant_id, due, messages)
             values ('acme', '2026-03-04T14:30:00Z', array[{ids}]::uuid[])",
        ))
        .await?;

    let lease = Duration::from_secs(60);
    let limits = Limits { lease, per_tenant: 10, rows: 10, messages: 100 };
    let leased = poll::lease(&world.pipeline, now(), limits).await?;
    let [watch] = leased.watches.as_slice() else { panic!("{leased:?}") };
    assert_eq!(watch.messages.iter().map(|one| one.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(watch.unread, [id(1)]);
    Ok(())
}

#[tokio::test]
async fn a_campaign_is_open_while_a_message_of_it_is_in_a_state_that_is_not_known()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let campaign = Uuid::from_u128(7);
    for (seq, state) in [(0, MessageState::Delivered.code()), (1, 99)] {
        let message = id(seq + 1);
        world.message(message, state, "promo").await?;
        world
            .run(format!(
                "update millrace.messages set campaign_id = '{campaign}'
                 where message_id = '{message}';
                 insert into millrace.campaign_recipients
                     (tenant_id, campaign_id, seq, contact_id, message_id)
                 values ('acme', '{campaign}', {seq}, '{message}', '{message}')",
            ))
            .await?;
    }
    let running = RunningCampaign {
        tenant: world.tenant.clone(),
        id: CampaignId(campaign),
        state: CampaignState::Running,
        class: MessageClass::Promo,
        channel: Channel::Sms,
        pool: PoolId(Uuid::nil()),
        tags: Vec::new(),
        validity_seconds: None,
        audience_size: 2,
        frozen_through: None,
        cursor: 2,
    };

    let mut tx = world.pipeline.scoped([&world.tenant]).await?;
    let flight = flight::in_flight(&mut tx, &running).await?;
    assert!(flight.is_open);
    Ok(())
}
