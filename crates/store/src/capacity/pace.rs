//! Pace rows: how fast a sender may go, a tenant with all of its senders, and an account with all
//! of its tenants; and what a carrier asked to slow down. Database time, so that hosts need not
//! agree; moved under their locks alone, so that the pace holds whatever dies.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::ids::{SenderId, TenantId};
use jiff::Timestamp;
use stage::Fault;

use crate::{Scoped, core::keyed, fault};

/// The account of a turn that is for all accounts: a tenant's own pace is kept there. No account
/// has this handle.
pub const EVERY_ACCOUNT: &str = "";

/// The pace row of a sender, locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderLock {
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// The sender whose texts take its time.
    pub sender: SenderId,
    /// Where its texts so far end; database time.
    pub next_free: Timestamp,
}

/// The pace row of an account, locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLock {
    /// The account's handle.
    pub account: String,
    /// Where its texts so far end, or until when it rests; database time.
    pub next_free: Timestamp,
}

/// A tenant's turn on an account that limits it, or by its own pace, locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnLock {
    /// The account's handle, or [`EVERY_ACCOUNT`].
    pub account: String,
    /// The tenant whose turn it is.
    pub tenant: TenantId,
    /// Its weight among the tenants of the account.
    pub weight: i32,
    /// Where its texts so far end, at its part of the account's pace or at its own; database time.
    pub next_free: Timestamp,
}

/// How many calls a second an account can have, as a process sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenRate {
    /// Calls per second.
    pub per_second: f64,
    /// Seen of the account itself; false where it stands for other accounts of its tenant.
    pub is_its_own: bool,
}

/// The rows that a claim holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaceLocks {
    /// The rows of all senders that were asked for.
    pub senders: Vec<SenderLock>,
    /// Rows of accounts that have a pace of their own, or were asked to slow down.
    pub accounts: Vec<AccountLock>,
    /// The rows of all turns that were asked for.
    pub turns: Vec<TurnLock>,
    /// The database's clock once all locks were held.
    pub now: Timestamp,
}

/// What is slowed down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slowed {
    /// Everything that goes through an account, by its handle.
    Account(String),
    /// The same, because its carrier does not answer: the gates pass over it meanwhile.
    Away(String),
    /// The texts of one sender.
    Sender(TenantId, SenderId),
}

/// Locks pace rows: those of accounts, then turns, then senders, each in key order. `accounts` are
/// handles, with whether the account has a pace of its own: then it has a row, else only once its
/// carrier has asked to be called less. `turns` are those of tenants that their account or
/// their own pace limits, with their weights. At least one sender.
pub async fn lock_pace(
    tx: &mut Scoped,
    senders: &BTreeSet<(TenantId, SenderId)>,
    accounts: &BTreeSet<(String, bool)>,
    turns: &BTreeSet<(String, TenantId, u32)>,
) -> Result<PaceLocks, Fault> {
    let paced: BTreeSet<&str> =
        accounts.iter().filter(|(_, paced)| *paced).map(|(account, _)| account.as_str()).collect();
    let mut of_accounts = lock_accounts(tx, accounts).await?;
    if paced.iter().any(|name| of_accounts.iter().all(|lock| lock.account != *name)) {
        make_accounts(tx, &paced).await?;
        of_accounts = lock_accounts(tx, accounts).await?;
    }

    let turns = if turns.is_empty() { Vec::new() } else { lock_turns(tx, turns).await? };

    let (mut of_senders, mut now) = lock_senders(tx, senders).await?;
    if of_senders.len() < senders.len() {
        make_senders(tx, senders).await?;
        (of_senders, now) = lock_senders(tx, senders).await?;
    }
    let now = now.ok_or(sqlx::Error::RowNotFound).map_err(fault)?;
    Ok(PaceLocks { senders: of_senders, accounts: of_accounts, turns, now })
}

/// Locks turns, and makes those that do not exist.
async fn lock_turns(
    tx: &mut Scoped,
    turns: &BTreeSet<(String, TenantId, u32)>,
) -> Result<Vec<TurnLock>, Fault> {
    let weights = turns.iter().map(|turn| i32::try_from(turn.2).unwrap_or(i32::MAX));
    let rows = sqlx::query!(
        "insert into account_turns as t (account, tenant_id, weight, next_free)
         select account, tenant_id, weight, clock_timestamp()
         from unnest($1::text[], $2::text[], $3::int[]) as k (account, tenant_id, weight)
         order by account, tenant_id
         on conflict (account, tenant_id) do update set weight = excluded.weight
         returning account, tenant_id, weight, next_free",
        &turns.iter().map(|turn| turn.0.as_str()).collect::<Vec<_>>() as _,
        &turns.iter().map(|turn| turn.1.as_str()).collect::<Vec<_>>() as _,
        &weights.collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let lock = rows.into_iter().map(|row| TurnLock {
        account: row.account,
        tenant: keyed::tenant(&row.tenant_id),
        weight: row.weight,
        next_free: row.next_free.to_jiff(),
    });
    Ok(lock.collect())
}

async fn lock_accounts(
    tx: &mut Scoped,
    accounts: &BTreeSet<(String, bool)>,
) -> Result<Vec<AccountLock>, Fault> {
    let handles: Vec<&str> = accounts.iter().map(|(account, _)| account.as_str()).collect();
    let rows = sqlx::query!(
        "select p.account, p.next_free
         from unnest($1::text[]) as k (account)
         join account_pace p on p.account = k.account
         order by p.account
         for update of p",
        &handles as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let lock = rows
        .into_iter()
        .map(|row| AccountLock { account: row.account, next_free: row.next_free.to_jiff() });
    Ok(lock.collect())
}

async fn make_accounts(tx: &mut Scoped, handles: &BTreeSet<&str>) -> Result<(), Fault> {
    let handles: Vec<&str> = handles.iter().copied().collect();
    sqlx::query!(
        "insert into account_pace (account, next_free)
         select k.account, clock_timestamp() from unnest($1::text[]) as k (account)
         order by k.account on conflict do nothing",
        &handles as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

async fn lock_senders(
    tx: &mut Scoped,
    senders: &BTreeSet<(TenantId, SenderId)>,
) -> Result<(Vec<SenderLock>, Option<Timestamp>), Fault> {
    let (tenants, keys) = columns_of(senders);
    let rows = sqlx::query!(
        r#"with locked as (
               select p.tenant_id, p.key, p.next_free
               from unnest($1::text[], $2::text[]) as k (tenant_id, key)
               join pace p on p.tenant_id = k.tenant_id and p.key = k.key
               order by p.tenant_id, p.key
               for update of p
           )
           select tenant_id, key, next_free, clock_timestamp() as "now!" from locked"#,
        &tenants as _,
        &keys as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    // The clock is read per row, after its lock: the last reading is the one that counts.
    let now = rows.iter().map(|row| row.now.to_jiff()).max();
    let locks = rows.into_iter().filter_map(|row| {
        Some(SenderLock {
            tenant: keyed::tenant(&row.tenant_id),
            sender: sender_of(&row.key)?,
            next_free: row.next_free.to_jiff(),
        })
    });
    Ok((locks.collect(), now))
}

async fn make_senders(
    tx: &mut Scoped,
    senders: &BTreeSet<(TenantId, SenderId)>,
) -> Result<(), Fault> {
    let (tenants, keys) = columns_of(senders);
    sqlx::query!(
        "insert into pace (tenant_id, key, next_free)
         select k.tenant_id, k.key, clock_timestamp()
         from unnest($1::text[], $2::text[]) as k (tenant_id, key)
         order by k.tenant_id, k.key
         on conflict do nothing",
        &tenants as _,
        &keys as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Slows down what a carrier asked to be called less for: nothing of it goes before its pause has
/// passed.
pub async fn slow(tx: &mut Scoped, pauses: &[(Slowed, Duration)]) -> Result<(), Fault> {
    let (mut handles, mut of_handles, mut are_away) = (Vec::new(), Vec::new(), Vec::new());
    let (mut tenants, mut keys, mut of_keys) = (Vec::new(), Vec::new(), Vec::new());
    for (slowed, pause) in pauses {
        match slowed {
            Slowed::Account(handle) | Slowed::Away(handle) => {
                handles.push(handle.as_str());
                of_handles.push(pause.as_secs_f64());
                are_away.push(matches!(slowed, Slowed::Away(_)));
            }
            Slowed::Sender(tenant, sender) => {
                tenants.push(tenant.as_str());
                keys.push(key_of(*sender));
                of_keys.push(pause.as_secs_f64());
            }
        }
    }

    if !handles.is_empty() {
        sqlx::query!(
            "insert into account_pace as p (account, next_free, away_until)
             select k.account, clock_timestamp() + make_interval(secs => max(k.pause)),
                    clock_timestamp() + make_interval(secs => max(k.pause) filter (where k.away))
             from unnest($1::text[], $2::float8[], $3::bool[]) as k (account, pause, away)
             group by k.account
             order by k.account
             on conflict (account)
             do update set next_free = greatest(p.next_free, excluded.next_free),
                           away_until = greatest(p.away_until, excluded.away_until)",
            &handles as _,
            &of_handles,
            &are_away,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    }
    if !keys.is_empty() {
        sqlx::query!(
            "insert into pace as p (tenant_id, key, next_free)
             select k.tenant_id, k.key, clock_timestamp() + make_interval(secs => max(k.pause))
             from unnest($1::text[], $2::text[], $3::float8[]) as k (tenant_id, key, pause)
             group by k.tenant_id, k.key
             order by k.tenant_id, k.key
             on conflict (tenant_id, key)
             do update set next_free = greatest(p.next_free, excluded.next_free)",
            &tenants as _,
            &keys,
            &of_keys,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    }
    Ok(())
}

/// Notes how many calls a second accounts were seen to take that are slower than they are called.
/// What was noted a moment ago was too much: it is lowered, by a fifth at least.
pub async fn see(tx: &mut Scoped, rates: &BTreeMap<String, SeenRate>) -> Result<(), Fault> {
    sqlx::query!(
        "insert into account_pace as p (account, next_free, seen_rate, seen_at)
         select account, clock_timestamp(), greatest(rate, 0.1), clock_timestamp()
         from unnest($1::text[], $2::float8[], $3::bool[]) as k (account, rate, is_its_own)
         where k.is_its_own
            or not exists (select from platform_accounts o where o.account = k.account)
         order by account
         on conflict (account) do update
         set seen_rate = case when p.seen_at > clock_timestamp() - interval '30 seconds'
                              then greatest(0.1, least(0.8 * seen_now(p.seen_rate, p.seen_at),
                                                       excluded.seen_rate))
                              else excluded.seen_rate end,
             seen_at = clock_timestamp()
         where p.seen_at is null or p.seen_at < clock_timestamp() - interval '1 second'",
        &rates.keys().map(String::as_str).collect::<Vec<_>>() as _,
        &rates.values().map(|rate| rate.per_second).collect::<Vec<_>>(),
        &rates.values().map(|rate| rate.is_its_own).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// The key of a sender's row.
pub(crate) fn key_of(sender: SenderId) -> String {
    format!("sender:{sender}")
}

fn sender_of(key: &str) -> Option<SenderId> {
    key.strip_prefix("sender:")?.parse().ok()
}

fn columns_of(senders: &BTreeSet<(TenantId, SenderId)>) -> (Vec<&str>, Vec<String>) {
    senders.iter().map(|(tenant, sender)| (tenant.as_str(), key_of(*sender))).unzip()
}
