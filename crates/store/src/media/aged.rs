//! Media that are kept long enough. Whoever removes them removes their objects first: a row without
//! an object is found again, an object without a row by nobody.

use domain::ids::{MediaId, TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Store,
    core::{keyed::in_lock_order, words},
    fault,
};

/// The oldest media that came, or were given, not after `until`.
pub async fn find(
    store: &Store,
    until: Timestamp,
    at_most: i64,
) -> Result<Vec<(TenantId, MediaId)>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", media_id as "media_id!" from aged_media($1, $2)"#,
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = |key: &str| words::readable(words::tenant(key));
    let found = rows.into_iter();
    Ok(found.filter_map(|row| Some((readable(&row.tenant_id)?, MediaId(row.media_id)))).collect())
}

/// Deletes the rows of media whose objects are gone.
pub async fn remove(store: &Store, gone: &[(TenantId, MediaId)]) -> Result<u64, Fault> {
    if gone.is_empty() {
        return Ok(0);
    }
    let sorted = in_lock_order(gone, |key| (&key.0, key.1));

    let mut tx = store.scoped(gone.iter().map(|key| &key.0)).await?;
    let done = sqlx::query!(
        "delete from media m
         using unnest($1::text[], $2::uuid[]) as k (tenant_id, media_id)
         where m.tenant_id = k.tenant_id and m.media_id = k.media_id",
        &sorted.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|key| key.1.0).collect::<Vec<Uuid>>(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)?;
    Ok(done.rows_affected())
}
