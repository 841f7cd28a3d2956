//! What enrich writes: contacts and recipient statuses that are missing, and the message rows.
//! Everything is inserted once, in key order; what exists stays as it is and is read back.

use domain::{
    address::Address,
    gates::OnLate,
    ids::{ContactId, MessageId, TenantId},
    message::{class::Channel, passport::Passport, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::{Json, Uuid};
use stage::Fault;
use wire::message::Head;

use crate::{
    Scoped,
    core::keyed::{LockOrder, in_lock_order, index},
    drafts::ContactKey,
    fault,
    messages::row::{StoredMessage, columns, json, segments, turn},
};

/// Makes contacts. One that exists stays as it is; a key may be named twice.
pub async fn insert_contacts(
    tx: &mut Scoped,
    now: Timestamp,
    keys: &[ContactKey<'_>],
) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }
    let countries = keys.iter().map(|key| key.address.phone()?.country());
    let countries = countries.map(|country| country.map_or("ZZ".into(), |c| c.to_string()));

    sqlx::query!(
        "insert into contacts (tenant_id, contact_id, number, country, created_at, updated_at)
         select tenant_id, contact_id, number, country, $1, $1
         from unnest($2::text[], $3::uuid[], $4::text[], $5::text[])
              as k (tenant_id, contact_id, number, country)
         order by tenant_id, contact_id
         on conflict do nothing",
        now.to_sqlx(),
        &keys.iter().map(|key| key.tenant.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.contact.0).collect::<Vec<_>>(),
        &keys.iter().map(|key| key.address.as_str()).collect::<Vec<_>>() as _,
        &countries.collect::<Vec<String>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Makes recipient statuses without consent. One that exists stays as it is; a key may be named
/// twice.
pub async fn insert_recipients(
    tx: &mut Scoped,
    keys: &[(&TenantId, &Address, Channel)],
) -> Result<(), Fault> {
    if keys.is_empty() {
        return Ok(());
    }

    sqlx::query!(
        "insert into standings (tenant_id, number, channel)
         select tenant_id, number, channel
         from unnest($1::text[], $2::text[], $3::text[]) as k (tenant_id, number, channel)
         order by tenant_id, number, channel
         on conflict do nothing",
        &keys.iter().map(|key| key.0.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.1.as_str()).collect::<Vec<_>>() as _,
        &keys.iter().map(|key| key.2.as_str()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// One message to store.
#[derive(Clone)]
pub struct NewMessage<'a> {
    /// What every step knows.
    pub head: &'a Head,
    /// The person that it is for.
    pub contact: ContactId,
    /// `accepted`, or `failed` where it cannot be rendered.
    pub state: MessageState,
    /// Why it failed.
    pub code: Option<&'static str>,
    /// The key of the template's variant that it is made from; none without a template.
    pub variant: Option<&'a str>,
    /// The rendered text; empty where it failed.
    pub text: &'a str,
    /// What it is sent with, in order.
    pub media: &'a [String],
    /// How many segments the text takes; 0 without a text.
    pub segments: u16,
    /// Cost by the rate card.
    pub cost: Micros,
    /// SHA-256 of the submitted message.
    pub body_hash: &'a [u8],
    /// The caller's own fields, as a JSON object; none without fields.
    pub metadata: Option<String>,
    /// What has been decided so far.
    pub passport: &'a Passport,
}

/// Stores messages in their first turn. Says for each, in the order of `new`, whether it is new;
/// the row of one that exists is left as it is.
pub async fn insert_messages(
    tx: &mut Scoped,
    now: Timestamp,
    new: &[NewMessage<'_>],
) -> Result<Vec<bool>, Fault> {
    let order = LockOrder::by(new, |one| (&one.head.tenant, one.head.id));
    let new = order.sorted(new);
    let expiries = new.iter().map(|one| one.head.expires_at.map(|at| at.to_sqlx()));
    let submitted = new.iter().map(|one| one.head.submitted_at.to_sqlx());
    let countries = new.iter().map(|one| Some(one.head.to.phone()?.country()?.to_string()));

    let rows = sqlx::query!(
        "insert into messages (tenant_id, message_id, turn, state, class, channel, contact_id,
                               number, campaign_id, body, segments, cost_micros, body_hash,
                               metadata, submitted_at, expires_at, changed_at, passport, code,
                               on_late, country, variant, media)
         select tenant_id, message_id, turn, state, class, channel, contact_id, number, campaign_id,
                body, segments, cost_micros, body_hash, metadata::jsonb, submitted_at, expires_at,
                $1, passport::jsonb, code, on_late, country, variant,
                string_to_array(media, E'\n')
         from unnest($2::text[], $3::uuid[], $4::int[], $5::smallint[], $6::text[], $7::text[],
                     $8::uuid[], $9::text[], $10::uuid[], $11::text[], $12::smallint[],
                     $13::bigint[], $14::bytea[], $15::text[], $16::timestamptz[],
                     $17::timestamptz[], $18::text[], $19::text[], $20::text[], $21::text[],
                     $22::text[], $23::text[])
              as k (tenant_id, message_id, turn, state, class, channel, contact_id, number,
                    campaign_id, body, segments, cost_micros, body_hash, metadata, submitted_at,
                    expires_at, passport, code, on_late, country, variant, media)
         on conflict do nothing
         returning tenant_id, message_id",
        now.to_sqlx(),
        &new.iter().map(|one| one.head.tenant.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.head.id.0).collect::<Vec<_>>(),
        &new.iter().map(|one| turn(one.head.turn)).collect::<Vec<_>>(),
        &new.iter().map(|one| one.state.code()).collect::<Vec<_>>(),
        &new.iter().map(|one| one.head.class.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.head.channel.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.contact.0).collect::<Vec<_>>(),
        &new.iter().map(|one| one.head.to.as_str()).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.head.campaign.map(|id| id.0)).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.text).collect::<Vec<_>>() as _,
        &new.iter().map(|one| segments(one.segments)).collect::<Vec<_>>(),
        &new.iter().map(|one| one.cost.0).collect::<Vec<_>>(),
        &new.iter().map(|one| one.body_hash).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.metadata.as_deref()).collect::<Vec<_>>() as _,
        &submitted.collect::<Vec<_>>() as _,
        &expiries.collect::<Vec<_>>() as _,
        &new.iter().map(|one| json(one.passport)).collect::<Vec<_>>(),
        &new.iter().map(|one| one.code).collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.head.on_late.map(OnLate::as_str)).collect::<Vec<_>>() as _,
        &countries.collect::<Vec<_>>() as _,
        &new.iter().map(|one| one.variant).collect::<Vec<_>>() as _,
        &new.iter().map(|one| listed(one.media)).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    // Rows come back in the order they were inserted in; a message named twice is new once.
    let mut inserted = rows.into_iter().peekable();
    let is_new = |one: &&NewMessage<'_>| {
        let next = inserted.next_if(|row| {
            row.message_id == one.head.id.0 && row.tenant_id == one.head.tenant.as_str()
        });
        next.is_some()
    };
    Ok(order.restored(new.iter().map(is_new).collect()))
}

/// Media of one message as one text: neither ids nor addresses have line breaks. Arrays of arrays
/// cannot be of different lengths.
pub(super) fn listed(media: &[String]) -> Option<String> {
    (!media.is_empty()).then(|| media.join("\n"))
}

/// A message that was stored before.
#[derive(Clone)]
pub struct Existing {
    /// The message as it is stored.
    pub message: StoredMessage,
    /// The rendered text.
    pub text: String,
    /// SHA-256 of the message that made the row.
    pub body_hash: Vec<u8>,
    /// When that one was accepted.
    pub submitted_at: Timestamp,
    /// When it is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// What has been decided so far.
    pub passport: Passport,
}

/// Reads messages that exist, in the order of the keys.
pub async fn existing(
    tx: &mut Scoped,
    keys: &[(&TenantId, MessageId)],
) -> Result<Vec<Option<Existing>>, Fault> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (tenants, messages): (Vec<&str>, Vec<Uuid>) =
        keys.iter().map(|(tenant, id)| (tenant.as_str(), id.0)).unzip();

    let rows = sqlx::query!(
        r#"select k.at as "at!", m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id,
                  m.campaign_id, m.sender_id, m.segments, m.cost_micros, m.gate, m.code, m.due,
                  m.version, m.changed_at, m.carrier_sid is not null as "billed!",
                  m.body, m.body_hash, m.submitted_at, m.expires_at,
                  m.passport as "passport: Json<Passport>"
           from unnest($1::text[], $2::uuid[]) with ordinality as k (tenant_id, message_id, at)
           join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id"#,
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found = vec![None; keys.len()];
    for row in rows {
        found[index(row.at)] = Some(Existing {
            text: row.body,
            body_hash: row.body_hash,
            submitted_at: row.submitted_at.to_jiff(),
            expires_at: row.expires_at.map(|at| at.to_jiff()),
            passport: row.passport.0,
            message: columns!(row).into(),
        });
    }
    Ok(found)
}

/// A batch that a message came in: its tenant, what its key makes, and SHA-256 of what it says.
pub type BatchOf<'a> = (&'a TenantId, Uuid, Vec<u8>);

/// Takes keys for batches. Says of each, in their order, whether it has its key: the first batch of
/// a key has it for good.
pub async fn take_batch_keys(
    tx: &mut Scoped,
    now: Timestamp,
    batches: &[BatchOf<'_>],
) -> Result<Vec<bool>, Fault> {
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let owners = batch_keys(tx, batches).await?;
    if owners.iter().all(Option::is_some) {
        return Ok(owners.into_iter().map(Option::unwrap_or_default).collect());
    }

    // Whoever comes second waits here for the first, and reads what that one has written.
    let sorted = in_lock_order(batches, |batch| (batch.0, batch.1));
    sqlx::query!(
        "insert into batch_keys (tenant_id, batch_id, body_hash, at)
         select tenant_id, batch_id, body_hash, $1
         from unnest($2::text[], $3::uuid[], $4::bytea[]) as k (tenant_id, batch_id, body_hash)
         on conflict do nothing",
        now.to_sqlx(),
        &sorted.iter().map(|batch| batch.0.as_str()).collect::<Vec<_>>() as _,
        &sorted.iter().map(|batch| batch.1).collect::<Vec<_>>(),
        &sorted.iter().map(|batch| batch.2.as_slice()).collect::<Vec<_>>() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let owners = batch_keys(tx, batches).await?;
    Ok(owners.into_iter().map(Option::unwrap_or_default).collect())
}

/// Whether each batch has its key, in their order; none where nobody has taken it.
async fn batch_keys(tx: &mut Scoped, batches: &[BatchOf<'_>]) -> Result<Vec<Option<bool>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", b.body_hash = k.body_hash as "is_its_own!"
           from unnest($1::text[], $2::uuid[], $3::bytea[])
                with ordinality as k (tenant_id, batch_id, body_hash, at)
           join batch_keys b on b.tenant_id = k.tenant_id and b.batch_id = k.batch_id"#,
        &batches.iter().map(|batch| batch.0.as_str()).collect::<Vec<_>>() as _,
        &batches.iter().map(|batch| batch.1).collect::<Vec<_>>(),
        &batches.iter().map(|batch| batch.2.as_slice()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut owners = vec![None; batches.len()];
    for row in rows {
        owners[index(row.at)] = Some(row.is_its_own);
    }
    Ok(owners)
}

/// Lists second bodies under ids that exist. Answers, in the order of the bodies, when each was
/// first seen.
pub async fn insert_conflicts(
    tx: &mut Scoped,
    now: Timestamp,
    seconds: &[(&TenantId, MessageId, Vec<u8>)],
) -> Result<Vec<Timestamp>, Fault> {
    if seconds.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Vec<&str> = seconds.iter().map(|second| second.0.as_str()).collect();
    let messages: Vec<Uuid> = seconds.iter().map(|second| second.1.0).collect();
    let hashes: Vec<&[u8]> = seconds.iter().map(|second| second.2.as_slice()).collect();

    sqlx::query!(
        "insert into message_conflicts (tenant_id, message_id, body_hash, at)
         select tenant_id, message_id, body_hash, $1
         from unnest($2::text[], $3::uuid[], $4::bytea[]) as k (tenant_id, message_id, body_hash)
         order by tenant_id, message_id, body_hash
         on conflict do nothing",
        now.to_sqlx(),
        &tenants as _,
        &messages,
        &hashes as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let rows = sqlx::query!(
        r#"select k.at as "place!", c.at
           from unnest($1::text[], $2::uuid[], $3::bytea[])
                with ordinality as k (tenant_id, message_id, body_hash, at)
           join message_conflicts c on c.tenant_id = k.tenant_id
                                   and c.message_id = k.message_id and c.body_hash = k.body_hash"#,
        &tenants as _,
        &messages,
        &hashes as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut first_seen = vec![now; seconds.len()];
    for row in rows {
        first_seen[index(row.place)] = row.at.to_jiff();
    }
    Ok(first_seen)
}
