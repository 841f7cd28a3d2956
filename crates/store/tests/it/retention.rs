//! Every table has a rule, and a repeat sends nothing while its message is kept.

use std::collections::BTreeSet;

use domain::{
    ids::{ContactId, MessageId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Passport,
        state::MessageState,
    },
    money::Micros,
};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row;
use store::{
    Role, Store,
    messages::enrich::{NewMessage, insert_messages},
    retention::{Keep, Step, messages, rules::RULES},
};
use testkit::Database;
use wire::message::Head;

fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

#[tokio::test]
async fn every_table_is_in_the_list_with_its_rule() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let mut connection = database.superuser().await?;
    let tables = "select relname::text from pg_class
                  where relnamespace = 'millrace'::regnamespace and relkind in ('r', 'p')
                    and relname <> '_sqlx_migrations'";
    let rows = sqlx::query(tables).fetch_all(&mut connection).await?;
    let tables: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();

    let listed: BTreeSet<String> = RULES.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert_eq!(listed.len(), RULES.len(), "a table is listed once");
    let without: Vec<_> = tables.difference(&listed).collect();
    assert!(without.is_empty(), "give them a rule in store/src/retention/rules.rs: {without:?}");
    let gone: Vec<_> = listed.difference(&tables).collect();
    assert!(gone.is_empty(), "there is no such table: {gone:?}");

    // What operators read names each of them.
    let told = include_str!("../../../../docs/operating.md");
    let untold: Vec<_> =
        listed.iter().filter(|table| !told.contains(&format!("`{table}`"))).collect();
    assert!(untold.is_empty(), "docs/operating.md does not name {untold:?}");
    Ok(())
}

#[tokio::test]
async fn a_repeat_under_a_key_is_no_new_message_while_the_first_is_kept() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = database.store(Role::Pipeline).await?;
    let mut connection = database.superuser().await?;
    assert!(store_one(&store, &tenant, now()).await?);
    let end = "update millrace.messages set state = $1, changed_at = $2";
    sqlx::query(end)
        .bind(MessageState::Delivered.code())
        .bind(jiff_sqlx::Timestamp::from(now()))
        .execute(&mut connection)
        .await?;

    // A day before its time it has no text any more, and a repeat finds it.
    let at = |hours| now() + Keep::default().messages + SignedDuration::from_hours(hours);
    retain(&store, at(-1)).await?;
    let text = sqlx::query("select body, body_hash from millrace.messages");
    let row = text.fetch_one(&mut connection).await?;
    assert_eq!((row.get(0), row.get(1)), (String::new(), vec![7_u8; 32]));
    assert!(!store_one(&store, &tenant, at(-1)).await?);

    retain(&store, at(24)).await?;
    assert!(store_one(&store, &tenant, at(24)).await?);
    Ok(())
}

/// Stores the message of a key, as enrich does. Says whether it is new.
async fn store_one(store: &Store, tenant: &TenantId, now: Timestamp) -> anyhow::Result<bool> {
    let head = Head {
        id: MessageId::from_key(tenant, "order-17"),
        tenant: tenant.clone(),
        turn: 1,
        class: MessageClass::Transactional,
        channel: Channel::Sms,
        to: "+12125550100".parse()?,
        campaign: None,
        submitted_at: now,
        expires_at: None,
        on_late: None,
        trace: None,
    };
    let message = NewMessage {
        head: &head,
        contact: ContactId(uuid::Uuid::nil()),
        state: MessageState::Accepted,
        code: None,
        variant: None,
        text: "Your order is ready",
        media: &[],
        segments: 1,
        cost: Micros(7_900),
        body_hash: &[7; 32],
        metadata: None,
        passport: &Passport::default(),
    };

    let mut tx = store.scoped([tenant]).await?;
    let new = insert_messages(&mut tx, now, &[message]).await?;
    tx.commit().await?;
    Ok(new == [true])
}

async fn retain(store: &Store, now: Timestamp) -> anyhow::Result<()> {
    let step = Step { now, machine: now, keep: Keep::default(), rows: 100 };
    messages::expire_texts(store, &step).await?;
    messages::remove(store, &step).await?;
    Ok(())
}
