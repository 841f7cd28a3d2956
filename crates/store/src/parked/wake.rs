//! Waking parked messages before their time: their cause has gone, or they are to be ended. A wake
//! is a row, written in the transaction that ends the cause; `schedule` works it off in slices.

use domain::ids::{CampaignId, TenantId};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, Store, core::words, fault};

/// When a wake looks for its rows a last time: after every transaction that was parking a message
/// for its cause when it was written (they are ended after 4 s of idling).
pub const LAST_PASS: SignedDuration = SignedDuration::from_secs(15);

/// How many recipients of a campaign one slice looks at for each row that it may wake.
const RECIPIENTS: i64 = 4;

/// Which parked messages are woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<'a> {
    /// Those that wait for this cause: `switch:tenant`, `policy`, `line:...`
    Cause(&'a str),
    /// Those of a campaign, whatever they wait for: they come back to be ended.
    Campaign(CampaignId),
    /// All of the tenant, whatever they wait for: they come back to be ended.
    Everything,
}

impl<'a> What<'a> {
    fn key(&self) -> String {
        match self {
            Self::Cause(key) => (*key).to_owned(),
            Self::Campaign(id) => format!("campaign:{id}"),
            Self::Everything => "*".to_owned(),
        }
    }

    fn of(key: &'a str) -> Self {
        let campaign = key.strip_prefix("campaign:").and_then(|id| id.parse().ok());
        match (key, campaign) {
            ("*", _) => Self::Everything,
            (_, Some(id)) => Self::Campaign(CampaignId(id)),
            (_, None) => Self::Cause(key),
        }
    }
}

/// Whether woken messages go on, or come back to be ended whatever the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Back to the gates at the tenant's pace.
    On,
    /// To be blocked or expired, at once.
    Ending,
}

/// Writes down a wake.
pub async fn wake(
    tx: &mut Scoped,
    tenant: &TenantId,
    what: &What<'_>,
    way: Way,
) -> Result<(), Fault> {
    write(tx, tenant, what, way, None).await
}

/// Wakes only those that were parked before an instant of business time: what is parked from then
/// on has been judged by the new rules and waits by right.
pub async fn wake_parked_before(
    tx: &mut Scoped,
    tenant: &TenantId,
    what: &What<'_>,
    before: Timestamp,
) -> Result<(), Fault> {
    write(tx, tenant, what, Way::On, Some(before)).await
}

async fn write(
    tx: &mut Scoped,
    tenant: &TenantId,
    what: &What<'_>,
    way: Way,
    before: Option<Timestamp>,
) -> Result<(), Fault> {
    let machine = stage::machine::now();
    sqlx::query!(
        "insert into wakes (tenant_id, what, ending, parked_before, next_pass_at, last_pass_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, what) do update
         set ending = excluded.ending, parked_before = excluded.parked_before, next_seq = 0,
             next_pass_at = excluded.next_pass_at, last_pass_at = excluded.last_pass_at",
        tenant.as_str(),
        what.key(),
        way == Way::Ending,
        before.map(|before| before.to_sqlx()) as _,
        machine.to_sqlx(),
        (machine + LAST_PASS).to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Takes a wake back: its cause is there again, and messages wait for it by right.
pub async fn cancel(tx: &mut Scoped, tenant: &TenantId, what: &What<'_>) -> Result<(), Fault> {
    sqlx::query!(
        "delete from wakes where tenant_id = $1 and what = $2",
        tenant.as_str(),
        what.key(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// How many messages wait for a cause.
pub async fn waiting(tx: &mut Scoped, tenant: &TenantId, cause_key: &str) -> Result<i64, Fault> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from (select from parked where tenant_id = $1 and cause_key = $2
                 order by parked_at, message_id offset 0) p"#,
        tenant.as_str(),
        cause_key,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// Makes the next slice of each open wake due, at most `at_most` rows of each, and forgets the
/// wakes that are done. True while more is left.
pub async fn work(
    store: &Store,
    now: Timestamp,
    machine: Timestamp,
    at_most: i64,
) -> Result<bool, Fault> {
    let open = sqlx::query!(
        r#"select tenant_id as "tenant_id!", what as "what!" from open_wakes($1, 64)"#,
        machine.to_sqlx(),
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let mut more = false;
    for wake in open {
        let Some(tenant) = words::readable(words::tenant(&wake.tenant_id)) else { continue };
        let mut tx = store.scoped([&tenant]).await?;
        more |= slice(&mut tx, &tenant, &wake.what, now, machine, at_most).await?;
        tx.commit().await.map_err(fault)?;
    }
    Ok(more)
}

/// A wake as its row has it.
struct Open {
    ending: bool,
    parked_before: Option<jiff_sqlx::Timestamp>,
    next_seq: i64,
    last_pass_at: Timestamp,
}

/// One slice of one wake; another process that works on it has it to itself.
async fn slice(
    tx: &mut Scoped,
    tenant: &TenantId,
    what: &str,
    now: Timestamp,
    machine: Timestamp,
    at_most: i64,
) -> Result<bool, Fault> {
    let row = sqlx::query!(
        r#"select ending, parked_before as "parked_before: jiff_sqlx::Timestamp", next_seq,
                  last_pass_at
           from wakes where tenant_id = $1 and what = $2 for update skip locked"#,
        tenant.as_str(),
        what,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(false) };
    let open = Open {
        ending: row.ending,
        parked_before: row.parked_before,
        next_seq: row.next_seq,
        last_pass_at: row.last_pass_at.to_jiff(),
    };

    let more = match What::of(what) {
        What::Campaign(campaign) => of_campaign(tx, tenant, campaign, &open, now, at_most).await?,
        What::Everything => everything(tx, tenant, now, at_most).await?,
        What::Cause(key) => of_cause(tx, tenant, key, &open, now, at_most).await?,
    };

    if !more {
        passed(tx, tenant, what, machine >= open.last_pass_at).await?;
    }
    Ok(more)
}

/// A wake whose rows are done: it rests until its last pass, or is forgotten after it. A line that
/// was dissolved begins anew once more: who knew the old capacity may have written it back.
async fn passed(
    tx: &mut Scoped,
    tenant: &TenantId,
    what: &str,
    was_last: bool,
) -> Result<(), Fault> {
    sqlx::query!(
        "with forgotten as (
             delete from wakes where tenant_id = $1 and what = $2 and $3
         ), begun_anew as (
             delete from lines where tenant_id = $1 and 'line:' || key = $2 and $3
         )
         update wakes set next_pass_at = last_pass_at, next_seq = 0
         where tenant_id = $1 and what = $2 and not $3",
        tenant.as_str(),
        what,
        was_last,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// The oldest first: the order that only the index by cause has, so that nothing else is looked
/// through (docs/adr/0005).
async fn of_cause(
    tx: &mut Scoped,
    tenant: &TenantId,
    cause_key: &str,
    open: &Open,
    now: Timestamp,
    at_most: i64,
) -> Result<bool, Fault> {
    let found = sqlx::query_scalar!(
        r#"with found as materialized (
             select tenant_id, message_id, turn from parked
             where tenant_id = $1 and cause_key = $2
               and ($3::timestamptz is null or parked_at < $3)
             order by parked_at, message_id limit $6
         ), locked as (
             select p.tenant_id, p.message_id, p.turn
             from found f
             join parked p on p.tenant_id = f.tenant_id and p.message_id = f.message_id
                          and p.turn = f.turn
             where p.cause_key = $2
             order by p.message_id, p.turn for update of p
         ), woken as (
             update parked p
             set due = $4, cause_key = null,
                 rank = case when $5 then 1 when p.lane = 'urgent' then 0 else 2 end
             from locked l
             where p.tenant_id = l.tenant_id and p.message_id = l.message_id and p.turn = l.turn
         )
         select count(*) as "found!" from found"#,
        tenant.as_str(),
        cause_key,
        open.parked_before as _,
        now.to_sqlx(),
        open.ending,
        at_most,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(found >= at_most)
}

/// All is woken to be ended, also what is due already and waits for the pace of the rest.
async fn everything(
    tx: &mut Scoped,
    tenant: &TenantId,
    now: Timestamp,
    at_most: i64,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "with woken as (
             (select tenant_id, message_id, turn from parked
              where tenant_id = $1 and cause_key is not null
              order by cause_key, parked_at, message_id limit $3)
             union
             (select tenant_id, message_id, turn from parked
              where tenant_id = $1 and rank = 2 and due is not null
              order by cause, due limit $3)
             union
             (select tenant_id, message_id, turn from parked
              where tenant_id = $1 and rank = 0 and due > $2
              order by cause, due limit $3)
             order by message_id, turn
         )
         update parked p set due = $2, cause_key = null, rank = 1
         from woken w
         where p.tenant_id = w.tenant_id and p.message_id = w.message_id and p.turn = w.turn",
        tenant.as_str(),
        now.to_sqlx(),
        at_most,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(done.rows_affected() >= at_most.unsigned_abs())
}

/// The parked messages of the next recipients.
async fn of_campaign(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: CampaignId,
    open: &Open,
    now: Timestamp,
    at_most: i64,
) -> Result<bool, Fault> {
    let until = open.next_seq + at_most * RECIPIENTS;
    sqlx::query!(
        "with found as materialized (
             select p.tenant_id, p.message_id, p.turn
             from campaign_recipients r
             cross join lateral (
                 select * from parked q
                 where q.tenant_id = r.tenant_id and q.message_id = r.message_id offset 0
             ) p
             where r.tenant_id = $1 and r.campaign_id = $2 and r.seq >= $3 and r.seq < $4
               and (p.due is null or p.due > $5 or p.rank = 2)
         ), woken as (
             select p.tenant_id, p.message_id, p.turn
             from found f
             join parked p on p.tenant_id = f.tenant_id and p.message_id = f.message_id
                          and p.turn = f.turn
             order by p.message_id, p.turn for update of p
         )
         update parked p set due = $5, cause_key = null, rank = 1
         from woken w
         where p.tenant_id = w.tenant_id and p.message_id = w.message_id and p.turn = w.turn",
        tenant.as_str(),
        campaign.0,
        open.next_seq,
        until,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let left = sqlx::query_scalar!(
        r#"update wakes w set next_seq = $4
           from campaigns c
           where w.tenant_id = $1 and w.what = $3 and c.tenant_id = $1 and c.campaign_id = $2
           returning c.cursor > $4 as "left!""#,
        tenant.as_str(),
        campaign.0,
        What::Campaign(campaign).key(),
        until,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(left.unwrap_or(false))
}
