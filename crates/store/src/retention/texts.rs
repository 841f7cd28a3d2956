//! Texts of conversations: of what came in, and of the answers that the AI made. Their rows never
//! change, so a walk in the order of age removes each text once, when it is due.

use domain::ids::TenantId;
use sqlx::types::Uuid;
use stage::Fault;

use super::{
    Removed, Step,
    walks::{self, Walk},
};
use crate::{Scoped, Store, fault};

/// Removes the texts of what came in long enough ago.
pub async fn expire_inbound(store: &Store, step: &Step) -> Result<Removed, Fault> {
    go_on(store, Walk::InboundTexts, step).await
}

/// Removes the texts of answers that are old enough.
pub async fn expire_answers(store: &Store, step: &Step) -> Result<Removed, Fault> {
    go_on(store, Walk::AiReplies, step).await
}

async fn go_on(store: &Store, walk: Walk, step: &Step) -> Result<Removed, Fault> {
    let mark = walks::read(store, walk).await?;
    let next = walks::next(store, walk, mark, step.now - step.keep.texts, step.rows).await?;
    let Some(last) = next.last().map(walks::Aged::mark) else { return Ok(Removed::default()) };
    let more = i64::try_from(next.len()).is_ok_and(|found| found >= step.rows);

    let keys: Vec<(TenantId, Uuid)> =
        next.into_iter().filter_map(|one| Some((one.tenant?, one.id))).collect();
    let mut tx = store.scoped(keys.iter().map(|key| &key.0)).await?;
    if !walks::take(&mut tx, walk, mark).await? {
        return Ok(Removed { rows: 0, more: true });
    }

    let rows = blank(&mut tx, walk, &keys).await?;
    walks::advance(&mut tx, walk, last).await?;
    tx.commit().await.map_err(fault)?;
    Ok(Removed { rows, more })
}

/// Takes the texts. An answer that was decided against has none, and goes on having none.
async fn blank(tx: &mut Scoped, walk: Walk, keys: &[(TenantId, Uuid)]) -> Result<u64, Fault> {
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        keys.iter().map(|key| (key.0.as_str(), key.1)).unzip();
    if walk == Walk::AiReplies {
        let done = sqlx::query!(
            "update ai_replies r set body = '', qualification = null
             from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
             where r.tenant_id = k.tenant_id and r.message_id = k.message_id and r.body <> ''",
            &tenants as _,
            &ids,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
        return Ok(done.rows_affected());
    }

    let done = sqlx::query!(
        "update inbound_texts i set body = ''
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, inbound_id)
         where i.tenant_id = k.tenant_id and i.inbound_id = k.inbound_id and i.body <> ''",
        &tenants as _,
        &ids,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected())
}
