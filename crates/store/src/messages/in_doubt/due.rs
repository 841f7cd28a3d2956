//! Doubts whose time for a look has come, each leased to one sweep.

use std::{collections::BTreeSet, time::Duration};

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{turns, words},
    fault,
    messages::row::{StoredMessage, columns},
    settings::accounts::Access,
};

/// A doubt whose look is due.
#[derive(Debug, Clone)]
pub struct DueDoubt {
    /// Where the message stands: in doubt, or somewhere else by now.
    pub message: StoredMessage,
    /// The account that was called.
    pub account: String,
    /// The person's address, as carriers write it.
    pub to: String,
    /// The sender's number; none where the sender is gone.
    pub from: Option<String>,
    /// How its list is asked; none where the account is gone.
    pub access: Option<Access>,
    /// Looks so far.
    pub looks: i32,
    /// Since when it is in doubt; business time.
    pub raised_at: Timestamp,
    /// When its call began at the latest, by the database's clock.
    pub call_by: Option<Timestamp>,
    /// The version that ended the doubt, where a sweep died before it had published that.
    pub settled_version: Option<i64>,
}

/// Doubts to look at.
#[derive(Debug, Default)]
pub struct LeasedDoubts {
    /// The doubts, in key order.
    pub due: Vec<DueDoubt>,
    /// The database's clock when they were leased.
    pub at: Timestamp,
    /// The tenants of which more may be due: one has as many as it may have of a lease, or the
    /// lease is full.
    pub more: BTreeSet<TenantId>,
}

/// Which doubts are leased, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// How long nobody else looks at them.
    pub length: Duration,
    /// Business time: those raised then or before are looked at though their next look would be
    /// later.
    pub over_before: Timestamp,
    /// Doubts of one tenant at most.
    pub per_tenant: i64,
    /// Doubts at most.
    pub at_most: i64,
}

/// Leases doubts that are due, oldest first and fair between tenants: nobody else looks at them
/// before the lease ends. Those that this version cannot read are left out until then.
pub async fn lease(store: &Store, what: Lease) -> Result<LeasedDoubts, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", message_id as "message_id!" from due_doubts($1, $2)
           union all
           select tenant_id, message_id from late_doubts($2, $3, $4)
           limit $2"#,
        what.per_tenant,
        what.at_most,
        what.over_before.to_sqlx() as _,
        what.length.as_secs_f64(),
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    if found.is_empty() {
        return Ok(LeasedDoubts::default());
    }

    let tenants: Vec<String> = found.iter().map(|row| row.tenant_id.clone()).collect();
    let messages: Vec<Uuid> = found.iter().map(|row| row.message_id).collect();
    let scope = tenants.iter().filter_map(|key| words::readable(words::tenant(key)));
    let mut tx = store.scoped(scope).await?;
    let (due, at) = take(&mut tx, what, &tenants, &messages).await?;
    tx.commit().await.map_err(fault)?;
    let more = turns::full(&tenants, what.per_tenant, what.at_most);
    Ok(LeasedDoubts { due, at, more })
}

async fn take(
    tx: &mut Scoped,
    what: Lease,
    tenants: &[String],
    messages: &[Uuid],
) -> Result<(Vec<DueDoubt>, Timestamp), Fault> {
    let rows = sqlx::query!(
        r#"with free as (
               select d.tenant_id, d.message_id
               from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
               join doubts d on d.tenant_id = k.tenant_id and d.message_id = k.message_id
               where d.next_look <= clock_timestamp()
                  or d.raised_at <= $4
                     and d.next_look > clock_timestamp() + make_interval(secs => $3)
               order by d.tenant_id, d.message_id
               for update of d skip locked
           ), leased as (
               update doubts d set next_look = clock_timestamp() + make_interval(secs => $3)
               from free f where d.tenant_id = f.tenant_id and d.message_id = f.message_id
               returning d.tenant_id, d.message_id, d.account, d.looks, d.settled_version,
                         d.raised_at
           )
           select clock_timestamp() as "at!", l.account, l.looks, l.settled_version, l.raised_at,
                  m.call_by,
                  m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id, m.campaign_id,
                  m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due, m.version,
                  m.changed_at, m.carrier_sid is not null as "billed!", m.number as "to!",
                  s.number as "from?", a.carrier as "carrier?",
                  a.carrier_sid as "carrier_sid?", a.base_url as "base_url?",
                  a.sealed_token as "sealed_token?"
           from leased l
           cross join lateral (
               select * from messages r
               where r.tenant_id = l.tenant_id and r.message_id = l.message_id limit 1
           ) m
           left join senders s on s.tenant_id = m.tenant_id and s.sender_id = m.sender_id
           left join carrier_accounts a on a.tenant_id = l.tenant_id and a.account = l.account
           order by m.tenant_id, m.message_id"#,
        tenants,
        messages,
        what.length.as_secs_f64(),
        what.over_before.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let at = rows.iter().map(|row| row.at.to_jiff()).min().unwrap_or_default();
    let due = rows.into_iter().map(|row| {
        let access = row.carrier.zip(row.carrier_sid).zip(row.base_url).zip(row.sealed_token);
        Ok(DueDoubt {
            account: row.account,
            to: row.to,
            from: row.from,
            access: access.map(|(((carrier, carrier_sid), base_url), sealed_token)| Access {
                carrier,
                carrier_sid,
                base_url,
                sealed_token,
            }),
            looks: row.looks,
            raised_at: row.raised_at.to_jiff(),
            call_by: row.call_by.map(|at| at.to_jiff()),
            settled_version: row.settled_version,
            message: columns!(row).into(),
        })
    });
    Ok((due.filter_map(words::readable).collect(), at))
}
