//! Messages by the carrier's id of their text, for receipts that do not bring our reference back.
//! Messages have no index by it, which every send would have to write: the person's number leads to
//! the few that it can be, and without one the newest of the tenant are looked through, with those
//! that wait for a receipt.

use domain::ids::{MessageId, TenantId};
use stage::Fault;

use crate::{
    Scoped, Store,
    core::{keyed::index, words},
    fault,
};

/// How many of a tenant's newest messages are looked through for a text without a number.
const NEWEST: i64 = 20_000;

/// How many rows of those that wait for a receipt, each of at most 256 messages, likewise.
const WAITING: i64 = 80;

/// In how many of the tenants that share an account a text without a number is looked for.
const SHARERS: i64 = 100;

/// A text that a carrier has, as a receipt without our reference names it.
#[derive(Clone, PartialEq, Eq)]
pub struct SentText {
    /// Whose account or number sent it.
    pub tenant: TenantId,
    /// The handle of that account.
    pub account: String,
    /// The number that it went to; none where the receipt does not say it.
    pub to: Option<String>,
    /// The carrier's id of it.
    pub sid: String,
}

impl std::fmt::Debug for SentText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SentText({} {})", self.tenant, self.sid)
    }
}

/// The messages that were sent as these texts through their accounts, in the order of `texts`;
/// none where nobody knows one.
pub async fn find(tx: &mut Scoped, texts: &[SentText]) -> Result<Vec<Option<MessageId>>, Fault> {
    let mut found = vec![None; texts.len()];
    for (at, message) in to_persons(tx, texts).await? {
        found[at] = Some(message);
    }
    if texts.iter().any(|text| text.to.is_none()) {
        for (at, message) in of_tenants(tx, texts).await? {
            found[at] = Some(message);
        }
    }
    Ok(found)
}

/// Those whose person is known, among the messages of that person.
async fn to_persons(tx: &mut Scoped, texts: &[SentText]) -> Result<Vec<(usize, MessageId)>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", m.message_id
           from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality
                as k (tenant_id, account, number, sid, at)
           join contact_addresses a
             on a.tenant_id = k.tenant_id and a.kind = 'phone' and a.address = k.number
           cross join lateral (
               select n.message_id from messages n
               left join senders s on s.tenant_id = n.tenant_id and s.sender_id = n.sender_id
               where n.contact_id = a.contact_id and n.tenant_id = k.tenant_id
                 and n.carrier_sid = k.sid and coalesce(s.account, k.account) = k.account
               limit 1
           ) m"#,
        &texts.iter().map(|text| text.tenant.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.account.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.to.as_deref()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.sid.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (index(row.at), MessageId(row.message_id))).collect())
}

/// Those whose person is not known, among the newest messages of their tenants and those that wait
/// for a receipt.
async fn of_tenants(tx: &mut Scoped, texts: &[SentText]) -> Result<Vec<(usize, MessageId)>, Fault> {
    let texts = texts.iter().enumerate().filter(|(_, text)| text.to.is_none());
    let (at, texts): (Vec<usize>, Vec<&SentText>) = texts.unzip();
    let mut tenants: Vec<&str> = texts.iter().map(|text| text.tenant.as_str()).collect();
    tenants.sort_unstable();
    tenants.dedup();

    let rows = sqlx::query!(
        r#"with near as materialized (
               select r.tenant_id, r.message_id
               from unnest($1::text[]) as t (tenant_id)
               cross join lateral (
                   (select t.tenant_id, n.message_id from messages n
                    where n.tenant_id collate "C" = t.tenant_id
                    order by n.submitted_at desc, n.message_id desc limit $5)
                   union
                   (select t.tenant_id, unnest(w.messages) from (
                        select q.messages from receipt_watches q
                        where q.tenant_id = t.tenant_id order by q.due desc limit $6
                    ) w)
               ) r
           ), known as materialized (
               select n.tenant_id, n.message_id, n.carrier_sid, s.account
               from near
               join messages n on n.tenant_id = near.tenant_id and n.message_id = near.message_id
               left join senders s on s.tenant_id = n.tenant_id and s.sender_id = n.sender_id
               where n.carrier_sid = any ($4::text[])
           )
           select k.at as "at!", known.message_id as "message_id!"
           from unnest($2::text[], $3::text[], $4::text[]) with ordinality
                as k (tenant_id, account, sid, at)
           join known on known.tenant_id = k.tenant_id and known.carrier_sid = k.sid
            and coalesce(known.account, k.account) = k.account"#,
        &tenants as _,
        &texts.iter().map(|text| text.tenant.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.account.as_str()).collect::<Vec<_>>() as _,
        &texts.iter().map(|text| text.sid.as_str()).collect::<Vec<_>>() as _,
        NEWEST,
        WAITING,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (at[index(row.at)], MessageId(row.message_id))).collect())
}

/// The tenants that share these accounts of the platform, each with the account: of each account
/// 100 at most.
pub async fn sharers(store: &Store, handles: &[String]) -> Result<Vec<(String, TenantId)>, Fault> {
    if handles.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"select account as "account!", tenant_id as "tenant_id!" from account_sharers($1, $2)"#,
        handles,
        SHARERS,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let sharers = rows.into_iter().map(|row| Ok((row.account, words::tenant(&row.tenant_id)?)));
    sharers.collect()
}
