//! The health of senders: who is to be judged, and what became of the judgement. The rule is
//! [`domain::health`]'s; what it goes by is in [`crate::analytics::outcomes`].

use domain::{
    gates::Wake,
    health::{HealthCause, SenderHealth},
    ids::{SenderId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        words::{self, word},
    },
    fault,
    parked::wake::{self, Way, What},
};

/// A sender whose health is looked at, locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedSender {
    /// The tenant that owns it.
    pub tenant: TenantId,
    /// The sender that it is.
    pub id: SenderId,
    /// The carrier of its account, whose codes its texts failed with.
    pub carrier: String,
    /// Where it is.
    pub health: SenderHealth,
    /// Why it is not healthy; none where it is.
    pub cause: Option<HealthCause>,
    /// Business time since which it is there; none: since it was set up.
    pub since: Option<Timestamp>,
    /// How often it was quarantined since it was healthy last.
    pub quarantines: u32,
}

/// What a sender's health is from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHealth<'a> {
    /// The tenant that owns it.
    pub tenant: &'a TenantId,
    /// The sender that it is.
    pub id: SenderId,
    /// Where it is.
    pub health: SenderHealth,
    /// Why it is not healthy; none where it is.
    pub cause: Option<HealthCause>,
    /// How often it was quarantined since it was healthy last.
    pub quarantines: u32,
}

/// The senders to look at behind one of them, in key order: those of which something was told since
/// an instant, and those that are not healthy. Those of a tenant that this version cannot read are
/// left out.
pub async fn to_judge(
    store: &Store,
    since: Timestamp,
    after: Option<&(TenantId, SenderId)>,
    at_most: i64,
) -> Result<Vec<(TenantId, SenderId)>, Fault> {
    let (tenant, sender) = after.map_or(("", Uuid::nil()), |key| (key.0.as_str(), key.1.0));
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", sender_id as "sender_id!"
           from senders_to_judge($1, $2, $3, $4)"#,
        since.to_sqlx(),
        tenant,
        sender,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = rows.into_iter().filter_map(|row| {
        let tenant = words::readable(words::tenant(&row.tenant_id))?;
        Some((tenant, SenderId(row.sender_id)))
    });
    Ok(readable.collect())
}

/// Locks senders in key order, without those that somebody else has locked, that were removed, or
/// that are out of use.
pub async fn lock(
    tx: &mut Scoped,
    keys: &[(TenantId, SenderId)],
) -> Result<Vec<JudgedSender>, Fault> {
    let keys = in_lock_order(keys, |key| (&key.0, key.1));
    let rows = sqlx::query!(
        r#"select s.tenant_id, s.sender_id, a.carrier, s.health, s.health_cause, s.health_since,
                  s.rests_until, s.quarantines
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, sender_id, at)
           join senders s on s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
           join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
           where s.usable and s.removed_at is null
           order by k.at
           for no key update of s skip locked"#,
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.0).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let sender = rows.into_iter().map(|row| {
        let rests_until = row.rests_until.map(|until| until.to_jiff());
        Ok(JudgedSender {
            tenant: keyed::tenant(&row.tenant_id),
            id: SenderId(row.sender_id),
            carrier: row.carrier,
            health: SenderHealth { state: word(&row.health)?, rests_until },
            cause: words::optional(row.health_cause.as_deref())?,
            since: row.health_since.map(|since| since.to_jiff()),
            quarantines: row.quarantines.unsigned_abs(),
        })
    });
    Ok(sender.filter_map(words::readable).collect())
}

/// Writes the health of senders that are locked, in their order. Answers the version that each has
/// by it.
pub async fn save(
    tx: &mut Scoped,
    new: &[NewHealth<'_>],
    now: Timestamp,
) -> Result<Vec<i64>, Fault> {
    let until = new.iter().map(|one| one.health.rests_until.map(|until| until.to_sqlx()));
    let quarantines = new.iter().map(|one| i32::try_from(one.quarantines).unwrap_or(i32::MAX));
    let rows = sqlx::query!(
        r#"update senders s
           set health = k.health, health_cause = k.cause, health_since = $7,
               rests_until = k.rests_until, quarantines = k.quarantines,
               health_version = s.health_version + 1
           from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::int[])
                with ordinality as k (tenant_id, sender_id, health, cause, rests_until, quarantines,
                                      at)
           where s.tenant_id = k.tenant_id and s.sender_id = k.sender_id
           returning k.at as "at!", s.health_version"#,
        &new.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.id.0).collect::<Vec<_>>(),
        &new.iter().map(|one| one.health.state.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.cause.map(HealthCause::as_str)).collect::<Vec<_>>() as _,
        &until.collect::<Vec<_>>() as _,
        &quarantines.collect::<Vec<_>>(),
        now.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut versions = vec![0; new.len()];
    for row in rows {
        versions[keyed::index(row.at)] = row.health_version;
    }
    Ok(versions)
}

/// Lets messages go on that waited for senders of the tenant to come out of quarantine. A message
/// waits for one sender and may have others that are out by now: all are asked, once for all that
/// have recovered.
pub async fn wake(tx: &mut Scoped, tenant: &TenantId, recovered: &[SenderId]) -> Result<(), Fault> {
    if recovered.is_empty() {
        return Ok(());
    }

    let others = sqlx::query_scalar!(
        "select sender_id from senders where tenant_id = $1 and health <> 'healthy'
         order by sender_id",
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut senders: Vec<SenderId> = others.into_iter().map(SenderId).collect();
    senders.extend_from_slice(recovered);
    senders.sort_unstable();
    senders.dedup();
    for sender in senders {
        let cause = Wake::Health(sender).to_string();
        wake::wake(tx, tenant, &What::Cause(&cause), Way::On).await?;
    }
    Ok(())
}

/// How a sender is shown: its health, and who could take its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownHealth {
    /// Where it is.
    pub health: SenderHealth,
    /// Why it is not healthy; none where it is.
    pub cause: Option<HealthCause>,
    /// Business time since which it is there; none: since it was set up.
    pub since: Option<Timestamp>,
    /// The carrier of its account.
    pub carrier: String,
    /// How many pools have it.
    pub pools: i64,
    /// A sound sender for the same country in one of its pools, by the order of pool and sender.
    pub replacement: Option<SenderId>,
}

/// The health of a tenant's senders, in the order of the ids. A replacement is looked for where a
/// sender is not healthy, among those that are active at `now`, business time.
pub async fn shown(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[SenderId],
    now: Timestamp,
) -> Result<Vec<Option<ShownHealth>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", s.health, s.health_cause, s.health_since, s.rests_until, a.carrier,
                  case when s.health = 'healthy' then 0 else
                      (select count(*) from pools p
                       where p.tenant_id = s.tenant_id and s.sender_id = any (p.senders))
                  end as "pools!",
                  case when s.health <> 'healthy' then (
                      select o.sender_id from pools p
                      cross join lateral unnest(p.senders) with ordinality as m (sender_id, at)
                      join senders o on o.tenant_id = p.tenant_id and o.sender_id = m.sender_id
                      where p.tenant_id = s.tenant_id and s.sender_id = any (p.senders)
                        and o.sender_id <> s.sender_id and o.country = s.country
                        and o.usable and o.removed_at is null and o.health = 'healthy'
                        and o.active_since <= $3
                        and (select true from parked w
                             where w.tenant_id = o.tenant_id and w.cause_key = o.account_cause
                             order by w.parked_at, w.message_id limit 1) is null
                      order by p.pool_id, m.at limit 1)
                  end as "replacement"
           from unnest($2::uuid[]) with ordinality as k (sender_id, at)
           join senders s on s.tenant_id = $1 and s.sender_id = k.sender_id
           join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account"#,
        tenant.as_str(),
        &ids.iter().map(|id| id.0).collect::<Vec<_>>(),
        now.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; ids.len()];
    for row in rows {
        let cause = row.health_cause.as_deref();
        found[keyed::index(row.at)] = Some(ShownHealth {
            health: SenderHealth {
                state: word(&row.health)?,
                rests_until: row.rests_until.map(|until| until.to_jiff()),
            },
            cause: words::optional(cause)?,
            since: row.health_since.map(|since| since.to_jiff()),
            carrier: row.carrier,
            pools: row.pools,
            replacement: row.replacement.map(SenderId),
        });
    }
    Ok(found)
}
