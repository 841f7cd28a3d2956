//! Media: what is known of each, while its bytes lie in the object store under [`key`].

pub mod aged;
pub mod fetch;
pub mod inbound;
pub mod link;
mod row;

use std::collections::{BTreeSet, HashSet};

use domain::{
    ids::{MediaId, TenantId},
    media::{MediaDirection, MediaState},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

pub use row::{Media, StoredMedia};

use crate::{Scoped, core::keyed, fault};
use row::{MediaRow, read};

/// How many of a tenant's media may wait to be fetched. Of those that come with texts, more are
/// refused as `too_many`; those that it gives itself are not taken.
pub const MOST_WAITING: i64 = 10_000;

/// The key of media in the object store.
pub fn key(tenant: &TenantId, id: MediaId) -> String {
    format!("{tenant}/{id}")
}

/// What a tenant gives to be sent.
#[derive(Debug, Clone)]
pub struct NewMedia {
    /// Its id, made by the caller.
    pub id: MediaId,
    /// Where it is fetched.
    pub url: String,
    /// When it was given, in business time.
    pub created_at: Timestamp,
}

/// Adds what a tenant gives, to be fetched from now on. False where [`MOST_WAITING`] wait already.
pub async fn create(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &NewMedia,
    machine: Timestamp,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into media (tenant_id, media_id, direction, url, state, due, created_at, kept_from)
         select $1, $2, $3, $4, $5, $6, $7, $7
         where (select count(*) from (select from media
                                      where tenant_id = $1 and due is not null limit $8) w) < $8",
        tenant.as_str(),
        new.id.0,
        MediaDirection::Out.as_str(),
        new.url,
        MediaState::Pending.as_str(),
        machine.to_sqlx() as _,
        new.created_at.to_sqlx() as _,
        MOST_WAITING,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(done.rows_affected() == 1)
}

/// A tenant's media after one, by id; with `inbound`, what came with this text.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    inbound: Option<Uuid>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Media>, Fault> {
    let rows = sqlx::query_as!(
        MediaRow,
        "select media_id, direction, inbound_id, contact_id, state, reason, media_type, bytes,
                sha256, created_at
         from media
         where tenant_id = $1 and media_id > $3 and ($2::uuid is null or inbound_id = $2)
           and kept_from > 'epoch'
         order by media_id limit $4",
        tenant.as_str(),
        inbound,
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    rows.into_iter().map(|row| Ok(read(row)?)).collect()
}

/// One of a tenant's media.
pub async fn get(tx: &mut Scoped, tenant: &TenantId, id: MediaId) -> Result<Option<Media>, Fault> {
    let row = sqlx::query_as!(
        MediaRow,
        "select media_id, direction, inbound_id, contact_id, state, reason, media_type, bytes,
                sha256, created_at
         from media where tenant_id = $1 and media_id = $2 and kept_from > 'epoch'",
        tenant.as_str(),
        id.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    row.map(|row| Ok(read(row)?)).transpose()
}

/// Those of these that are stored.
pub(crate) async fn stored(
    tx: &mut Scoped,
    media: &BTreeSet<(&TenantId, MediaId)>,
) -> Result<HashSet<(TenantId, MediaId)>, Fault> {
    if media.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.media_id as "media_id!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, media_id)
           join media m on m.tenant_id = k.tenant_id and m.media_id = k.media_id
           where m.state = $3 and m.kept_from > 'epoch'"#,
        &media.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &media.iter().map(|key| key.1.0).collect::<Vec<Uuid>>(),
        MediaState::Stored.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let key = |tenant: &str, id| (keyed::tenant(tenant), MediaId(id));
    Ok(rows.into_iter().map(|row| key(&row.tenant_id, row.media_id)).collect())
}

/// Has media go before their time: the next step of retention removes them. False where there is
/// none of this id.
pub async fn give_up(tx: &mut Scoped, tenant: &TenantId, id: MediaId) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update media set kept_from = 'epoch', due = null, url = ''
         where tenant_id = $1 and media_id = $2 and kept_from > 'epoch'",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}
