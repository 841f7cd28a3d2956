//! The audit trail: who did what, append only, each entry chained to the one before it by SHA-256.
//! An entry is written in the transaction of the act that it tells of.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sha2::{Digest, Sha256};
use stage::Fault;

use crate::{Scoped, core::keyed, fault};

/// SHA-256, or 32 zeros before the first entry.
pub type Hash = [u8; 32];

/// How many entries are read at once while a chain is checked.
const AT_ONCE: i64 = 2_000;

/// An act to be written down.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// The tenant whose trail tells of it.
    pub tenant: TenantId,
    /// Business time; microseconds are kept.
    pub at: Timestamp,
    /// `key:<id>`, `user:<sub>`, `stage:<name>`, `operator`, or `phone` for somebody of the company
    /// on the phone that has their number.
    pub actor: String,
    /// What was done, `policy.changed`.
    pub action: String,
    /// To what it was done, `campaign:<id>`.
    pub subject: String,
    /// Before, after, why. Holds no text of a message.
    pub detail: Value,
}

/// One entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// From 1, without a gap.
    pub seq: i64,
    /// Business time of the act.
    pub at: Timestamp,
    /// Who did it: see [`AuditEntry::actor`].
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To what it was done.
    pub subject: String,
    /// JSON, as it was hashed.
    pub detail: String,
    /// The hash of the entry before it.
    pub prev_hash: Vec<u8>,
    /// SHA-256 over `prev_hash` and the fields.
    pub hash: Vec<u8>,
}

/// The columns of an entry, with the time as the driver gives it.
struct Row {
    seq: i64,
    at: jiff_sqlx::Timestamp,
    actor: String,
    action: String,
    subject: String,
    detail: String,
    prev_hash: Vec<u8>,
    hash: Vec<u8>,
}

impl From<Row> for StoredEntry {
    fn from(row: Row) -> Self {
        Self {
            seq: row.seq,
            at: row.at.to_jiff(),
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            detail: row.detail,
            prev_hash: row.prev_hash,
            hash: row.hash,
        }
    }
}

/// Adds entries at the end of their tenants' trails, in the order given. Keeps every other writer
/// of these trails waiting until the transaction ends: call it after everything else that locks.
pub async fn append(tx: &mut Scoped, entries: &[AuditEntry]) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut heads = lock_heads(tx, entries).await?;
    let (mut seqs, mut before, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    let details: Vec<String> = entries.iter().map(|entry| entry.detail.to_string()).collect();
    for (entry, detail) in entries.iter().zip(&details) {
        let (seq, head) =
            heads.get_mut(&entry.tenant).expect("`lock_heads` has made one for every tenant");
        *seq += 1;
        let fields = [&entry.actor, &entry.action, &entry.subject, detail];
        let hash = chained(head, &entry.tenant, *seq, entry.at, fields.map(String::as_str));
        seqs.push(*seq);
        before.push(head.to_vec());
        hashes.push(hash.to_vec());
        *head = hash;
    }
    let of_heads = || heads.iter().map(|(tenant, (seq, hash))| (tenant.as_str(), *seq, hash));

    sqlx::query!(
        "with moved as (
             update audit_heads h set seq = k.seq, hash = k.hash
             from unnest($9::text[], $10::bigint[], $11::bytea[]) as k (tenant_id, seq, hash)
             where h.tenant_id = k.tenant_id
         )
         insert into audit_log (tenant_id, seq, at, actor, action, subject, detail, prev_hash, hash)
         select * from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[],
                              $6::text[], $7::text[], $8::bytea[], $12::bytea[])",
        &entries.iter().map(|entry| entry.tenant.as_str()).collect::<Vec<_>>() as _,
        &seqs,
        &entries.iter().map(|entry| whole(entry.at).to_sqlx()).collect::<Vec<_>>() as _,
        &entries.iter().map(|entry| entry.actor.as_str()).collect::<Vec<_>>() as _,
        &entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>() as _,
        &entries.iter().map(|entry| entry.subject.as_str()).collect::<Vec<_>>() as _,
        &details,
        &before,
        &of_heads().map(|head| head.0).collect::<Vec<_>>() as _,
        &of_heads().map(|head| head.1).collect::<Vec<_>>(),
        &of_heads().map(|head| head.2.to_vec()).collect::<Vec<_>>(),
        &hashes,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// The ends of these entries' trails, locked in key order.
async fn lock_heads(
    tx: &mut Scoped,
    entries: &[AuditEntry],
) -> Result<BTreeMap<TenantId, (i64, Hash)>, Fault> {
    let nothing = Hash::default();
    let tenants: BTreeSet<&str> = entries.iter().map(|entry| entry.tenant.as_str()).collect();

    let rows = sqlx::query!(
        "insert into audit_heads as h (tenant_id, seq, hash)
         select k, 0, $2 from unnest($1::text[]) as k order by k
         on conflict (tenant_id) do update set seq = h.seq
         returning h.tenant_id, h.seq, h.hash",
        &tenants.into_iter().collect::<Vec<_>>() as _,
        nothing.as_slice(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let head = |hash: Vec<u8>| {
        Hash::try_from(hash.as_slice()).expect("only `append` writes it: a SHA-256")
    };
    Ok(rows
        .into_iter()
        .map(|row| (keyed::tenant(&row.tenant_id), (row.seq, head(row.hash))))
        .collect())
}

/// The canonical bytes: the hash before, then each field after its length (8 bytes, big endian).
/// Numbers and the time (microseconds since 1970) are decimal.
fn chained(before: &[u8], tenant: &TenantId, seq: i64, at: Timestamp, fields: [&str; 4]) -> Hash {
    let (seq, at) = (seq.to_string(), at.as_microsecond().to_string());
    let [actor, action, subject, detail] = fields;
    let mut hash = Sha256::new().chain_update(before);
    for field in [tenant.as_str(), &seq, &at, actor, action, subject, detail] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// The time as the database keeps it, in microseconds.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Which entries a reader wants.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// With this action alone.
    pub action: Option<String>,
    /// About this subject alone.
    pub subject: Option<String>,
    /// Of this time or later.
    pub since: Option<Timestamp>,
}

/// A tenant's entries below one, the newest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &AuditFilter,
    below: i64,
    limit: i64,
) -> Result<Vec<StoredEntry>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        "select seq, at, actor, action, subject, detail, prev_hash, hash from audit_log
         where tenant_id = $1 and seq < $2
           and ($3::text is null or action = $3) and ($4::text is null or subject = $4)
           and ($5::timestamptz is null or at >= $5)
         order by seq desc limit $6",
        tenant.as_str(),
        below,
        filter.action,
        filter.subject,
        filter.since.map(|at| at.to_sqlx()) as _,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(StoredEntry::from).collect())
}

/// What a check of a chain has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Entries that were looked at.
    pub entries: i64,
    /// The number and hash of the last entry, as the head has it.
    pub head: (i64, Hash),
    /// The first number whose entry is missing or is not what was written, and why.
    pub first_bad: Option<(i64, &'static str)>,
    /// Where to go on, when there is more to look at.
    pub next_after: Option<i64>,
}

/// Computes a tenant's chain again from the entry after `after`, at most `at_most` entries, and
/// compares. Entries that are written meanwhile are not looked at. Where `after` lies behind the
/// head, nothing was checked.
pub async fn verify(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: i64,
    at_most: i64,
) -> Result<Checked, Fault> {
    let row = sqlx::query!(
        r#"select h.seq as "seq?", h.hash as "hash?", l.hash as "before?",
                  (select max(seq) from audit_log where tenant_id = $1) as written
           from (values (1)) as one (n)
           left join audit_heads h on h.tenant_id = $1
           left join audit_log l on l.tenant_id = $1 and l.seq = $2"#,
        tenant.as_str(),
        after,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    let (last, written) = (row.seq.unwrap_or(0), row.written.unwrap_or(0));
    let hash = row.hash.unwrap_or_else(|| Hash::default().to_vec());
    let head = (last, Hash::try_from(hash.as_slice()).unwrap_or_default());
    let mut before = row.before.unwrap_or_else(|| Hash::default().to_vec());

    // Nothing follows an entry that is not there. `last` tells the caller so.
    if after > last {
        return Ok(Checked { entries: 0, head, first_bad: None, next_after: None });
    }

    let until = last.min(after.saturating_add(at_most));
    let mut seq = after;
    let bad = |seq, why| Checked {
        entries: seq - 1 - after,
        head,
        first_bad: Some((seq, why)),
        next_after: None,
    };

    while seq < until {
        let entries = following(tx, tenant, seq, AT_ONCE.min(until - seq)).await?;
        if entries.is_empty() {
            return Ok(bad(seq + 1, "missing"));
        }
        for entry in entries {
            if let Some(why) = fault_of(tenant, seq + 1, &before, &entry) {
                return Ok(bad(seq + 1, why));
            }
            (seq, before) = (entry.seq, entry.hash);
        }
    }
    if seq >= last && (before != hash || written > last) {
        return Ok(bad(last + 1, "the end is not where the head has it"));
    }

    let next_after = (until < last).then_some(until);
    Ok(Checked { entries: seq - after, head, first_bad: None, next_after })
}

/// What is wrong with the entry that should be number `seq`.
fn fault_of(
    tenant: &TenantId,
    seq: i64,
    before: &[u8],
    entry: &StoredEntry,
) -> Option<&'static str> {
    let fields = [&entry.actor, &entry.action, &entry.subject, &entry.detail];
    let hash = chained(&entry.prev_hash, tenant, entry.seq, entry.at, fields.map(String::as_str));
    if entry.seq != seq {
        Some("missing")
    } else if entry.prev_hash != before {
        Some("not chained to the entry before")
    } else if entry.hash != hash {
        Some("changed")
    } else {
        None
    }
}

async fn following(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredEntry>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        "select seq, at, actor, action, subject, detail, prev_hash, hash from audit_log
         where tenant_id = $1 and seq > $2 order by seq limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(StoredEntry::from).collect())
}
