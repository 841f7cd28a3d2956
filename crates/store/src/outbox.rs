//! The outbox: events that are inserted in the transaction that makes them true, published by the
//! api whoever inserted them, and deleted after their PubAck.

use domain::ids::TenantId;
use stage::Fault;
use wire::Event;

use crate::{
    Scoped, Store,
    core::{keyed::in_lock_order, words},
    fault,
};

/// Inserts events into the outbox, in the transaction that makes them true.
pub async fn insert(tx: &mut Scoped, events: &[Event]) -> Result<(), Fault> {
    let events = in_lock_order(events, |event| (&event.tenant, event.id));
    let json = |event: &&Event| wire::json::to_string(event);
    sqlx::query!(
        "insert into unsaid_events (tenant_id, event_id, event)
         select * from unnest($1::text[], $2::uuid[], $3::text[])
         on conflict do nothing",
        &events.iter().map(|event| event.tenant.as_str()).collect::<Vec<_>>() as _,
        &events.iter().map(|event| event.id).collect::<Vec<_>>(),
        &events.iter().map(json).collect::<Vec<String>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Tenants that have events which the broker may not have yet.
pub async fn tenants(store: &Store, at_most: i64) -> Result<Vec<TenantId>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_unsaid_events($1)"#,
        at_most
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    Ok(rows.iter().filter_map(|key| words::readable(words::tenant(key))).collect())
}

/// Events of a tenant that the broker may not have yet.
pub async fn pending(store: &Store, tenant: &TenantId, at_most: i64) -> Result<Vec<Event>, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    let rows = sqlx::query_scalar!(
        "select event from unsaid_events where tenant_id = $1 order by event_id limit $2",
        tenant.as_str(),
        at_most,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    let read = |json: String| {
        let event = serde_json::from_str(&json);
        // It stays, and the log says so: this version did not write it.
        event.inspect_err(|why| tracing::error!(%why, "an event of the outbox cannot be read")).ok()
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Deletes events that the broker has stored. After an outage they are published again, under the
/// same ids.
pub async fn published(store: &Store, tenant: &TenantId, events: &[Event]) -> Result<(), Fault> {
    let mut tx = store.scoped([tenant]).await?;
    sqlx::query!(
        "delete from unsaid_events where tenant_id = $1 and event_id = any ($2)",
        tenant.as_str(),
        &events.iter().map(|event| event.id).collect::<Vec<_>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}
