//! The work of fetching: which media are due, who has taken them, and what became of them. A row is
//! taken under a short lease, so that of two processes one fetches it; whoever dies with it leaves
//! it due again.

use domain::{
    account::Access,
    ids::{MediaId, TenantId},
    media::{MediaRefusal, MediaState},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::row::StoredMedia;
use crate::{
    Scoped, Store,
    core::{keyed, words},
    fault,
};

/// How long a process that has taken media has to fetch and store them.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Media that this process has taken.
#[derive(Debug, Clone)]
pub struct DueMedia {
    /// Whose they are.
    pub tenant: TenantId,
    /// What they are known by.
    pub id: MediaId,
    /// Where they are fetched.
    pub url: String,
    /// Where they come from.
    pub origin: MediaOrigin,
    /// How often a process has taken them, this time among them.
    pub tries: i16,
}

/// Where media come from.
#[derive(Debug, Clone)]
pub enum MediaOrigin {
    /// A tenant has named the address.
    Tenant,
    /// A carrier account gives them; none where the account is gone.
    Account(Option<Access>),
}

/// What became of media that were taken.
#[derive(Debug, Clone)]
pub enum Fetched {
    /// They are in the object store.
    Stored(StoredMedia),
    /// They never will be.
    Refused(MediaRefusal),
    /// They are tried again, at this machine instant.
    Again(Timestamp),
}

/// Takes media that are due, the oldest first, at most so many of one tenant: nobody else gets them
/// for a minute. Says also whether more may be due: as many were found as one tenant may have.
pub async fn take(
    store: &Store,
    machine: Timestamp,
    per_tenant: i64,
    at_most: i64,
) -> Result<(Vec<DueMedia>, bool), Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", media_id as "media_id!" from due_media($1, $2, $3)"#,
        machine.to_sqlx() as _,
        per_tenant,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = |key: &str| words::readable(words::tenant(key));
    let keys: Vec<(TenantId, Uuid)> = found
        .into_iter()
        .filter_map(|row| Some((readable(&row.tenant_id)?, row.media_id)))
        .collect();
    let is_full = keys.len() as i64 >= per_tenant.min(at_most);
    if keys.is_empty() {
        return Ok((Vec::new(), is_full));
    }

    let mut tx = store.scoped(keys.iter().map(|key| &key.0)).await?;
    let taken = lease(&mut tx, machine, &keys).await?;
    tx.commit().await.map_err(fault)?;
    Ok((taken, is_full))
}

/// Takes those of these that nobody else has taken since, and reads their accounts.
async fn lease(
    tx: &mut Scoped,
    machine: Timestamp,
    keys: &[(TenantId, Uuid)],
) -> Result<Vec<DueMedia>, Fault> {
    let rows = sqlx::query!(
        r#"with taken as (
               update media m set due = $1::timestamptz + make_interval(secs => $2),
                                  tries = m.tries + 1
               where (m.tenant_id, m.media_id) in (
                   select d.tenant_id, d.media_id
                   from unnest($3::text[], $4::uuid[]) as k (tenant_id, media_id)
                   join media d on d.tenant_id = k.tenant_id and d.media_id = k.media_id
                   where d.due <= $1 order by d.tenant_id, d.media_id for update of d skip locked)
               returning m.tenant_id, m.media_id, m.url, m.account, m.tries
           )
           select t.tenant_id as "tenant_id!", t.media_id as "media_id!", t.url as "url!",
                  t.account, t.tries as "tries!", a.carrier as "carrier?",
                  a.carrier_sid as "carrier_sid?", a.base_url as "base_url?",
                  a.sealed_token as "sealed_token?"
           from taken t
           left join carrier_accounts a
             on a.tenant_id = t.tenant_id and a.account = t.account"#,
        machine.to_sqlx() as _,
        LEASE.as_secs_f64(),
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let due = rows.into_iter().map(|row| {
        let access = (row.carrier.zip(row.carrier_sid)).zip(row.base_url.zip(row.sealed_token));
        let access = access.map(|((carrier, carrier_sid), (base_url, sealed_token))| Access {
            carrier,
            carrier_sid,
            base_url,
            sealed_token,
        });
        let origin = match row.account {
            Some(_) => MediaOrigin::Account(access),
            None => MediaOrigin::Tenant,
        };
        let (tenant, id) = (keyed::tenant(&row.tenant_id), MediaId(row.media_id));
        DueMedia { tenant, id, url: row.url, origin, tries: row.tries }
    });
    Ok(due.collect())
}

/// Records what became of media that were taken. What is settled already, or was given up since,
/// stays as it is. Answers which of them have no row any more.
pub async fn record(
    store: &Store,
    fetched: &[(DueMedia, Fetched)],
) -> Result<Vec<(TenantId, MediaId)>, Fault> {
    if fetched.is_empty() {
        return Ok(Vec::new());
    }
    let sorted = keyed::in_lock_order(fetched, |(media, _)| (&media.tenant, media.id));
    let stored: Vec<Option<&StoredMedia>> = sorted.iter().map(|(_, one)| one.stored()).collect();
    let types: Vec<_> = stored.iter().map(|it| it.map(|it| it.media_type.as_str())).collect();
    let sizes = stored.iter().map(|it| it.map(|it| it.bytes.cast_signed()));
    let hashes: Vec<_> = stored.iter().map(|it| it.map(|it| it.sha256.as_slice())).collect();

    let mut tx = store.scoped(fetched.iter().map(|(media, _)| &media.tenant)).await?;
    sqlx::query!(
        "update media m
         set state = k.state, reason = k.reason, media_type = k.media_type, bytes = k.bytes,
             sha256 = k.sha256, due = k.due, url = case when k.due is null then '' else m.url end
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                     $7::bytea[], $8::timestamptz[])
              as k (tenant_id, media_id, state, reason, media_type, bytes, sha256, due)
         where m.tenant_id = k.tenant_id and m.media_id = k.media_id and m.due is not null",
        &sorted.iter().map(|(media, _)| media.tenant.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(media, _)| media.id.0).collect::<Vec<_>>(),
        &sorted.iter().map(|(_, one)| one.state().as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|(_, one)| one.reason()).collect::<Vec<_>>() as _,
        &types as _,
        &sizes.collect::<Vec<_>>() as _,
        &hashes as _,
        &sorted.iter().map(|(_, one)| one.due().map(|at| at.to_sqlx())).collect::<Vec<_>>() as _,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    let gone = without_row(&mut tx, &sorted).await?;
    tx.commit().await.map_err(fault)?;
    Ok(gone)
}

/// Those of these that retention has removed since they were taken.
async fn without_row(
    tx: &mut Scoped,
    fetched: &[&(DueMedia, Fetched)],
) -> Result<Vec<(TenantId, MediaId)>, Fault> {
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", k.media_id as "media_id!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, media_id)
           where not exists (select from media m
                             where m.tenant_id = k.tenant_id and m.media_id = k.media_id)"#,
        &fetched.iter().map(|(media, _)| media.tenant.as_str()).collect::<Vec<_>>() as _,
        &fetched.iter().map(|(media, _)| media.id.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let key = |tenant: &str, id| (keyed::tenant(tenant), MediaId(id));
    Ok(rows.into_iter().map(|row| key(&row.tenant_id, row.media_id)).collect())
}

impl Fetched {
    fn state(&self) -> MediaState {
        match self {
            Self::Stored(_) => MediaState::Stored,
            Self::Refused(_) => MediaState::Refused,
            Self::Again(_) => MediaState::Pending,
        }
    }

    fn stored(&self) -> Option<&StoredMedia> {
        match self {
            Self::Stored(stored) => Some(stored),
            Self::Refused(_) | Self::Again(_) => None,
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.as_str()),
            Self::Stored(_) | Self::Again(_) => None,
        }
    }

    fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Again(due) => Some(*due),
            Self::Stored(_) | Self::Refused(_) => None,
        }
    }
}
