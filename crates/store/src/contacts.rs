//! Contacts: one per number and tenant, read and written set-based.

use std::collections::BTreeMap;

use domain::ids::TenantId;
use jiff::Timestamp;
use pipeline::Fault;
use serde::Serialize;
use sqlx::types::{Json, Uuid};

use crate::{Scoped, fault};

/// A person as a tenant knows them. Holds personal data: `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// `v5(tenant, number)`
    pub contact_id: Uuid,
    /// E.164
    pub number: String,
    /// ISO 3166, from the number.
    pub country: String,
    /// Given name; empty when not known.
    pub first_name: String,
    /// Family name; empty when not known.
    pub last_name: String,
    /// ISO 639-1
    pub language: Option<String>,
    /// IANA
    pub time_zone: Option<String>,
    /// As written on letters.
    pub postal_code: Option<String>,
    /// ISO 3166-2, `US-FL`.
    pub region: Option<String>,
    /// Sorted, each once.
    pub tags: Vec<String>,
    /// The tenant's own fields.
    pub attributes: BTreeMap<String, String>,
    /// Business time.
    pub created_at: Timestamp,
    /// Business time of the last change.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contact({})", self.contact_id)
    }
}

/// The columns of a contact, with the timestamps as the driver gives them.
struct Row {
    contact_id: Uuid,
    number: String,
    country: String,
    first_name: String,
    last_name: String,
    language: Option<String>,
    time_zone: Option<String>,
    postal_code: Option<String>,
    region: Option<String>,
    tags: Vec<String>,
    attributes: Json<BTreeMap<String, String>>,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl From<Row> for Contact {
    fn from(row: Row) -> Self {
        Self {
            contact_id: row.contact_id,
            number: row.number,
            country: row.country,
            first_name: row.first_name,
            last_name: row.last_name,
            language: row.language,
            time_zone: row.time_zone,
            postal_code: row.postal_code,
            region: row.region,
            tags: row.tags,
            attributes: row.attributes.0,
            created_at: row.created_at.to_jiff(),
            updated_at: row.updated_at.to_jiff(),
        }
    }
}

/// The contacts among these ids, by id. `lock` keeps them from changing until the transaction
/// ends; they are locked in key order.
///
/// # Errors
/// An outage.
pub async fn load(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
    lock: bool,
) -> Result<Vec<Contact>, Fault> {
    if lock {
        sqlx::query!(
            "select contact_id from contacts where tenant_id = $1 and contact_id = any ($2)
             order by contact_id for update",
            tenant.as_str(),
            ids,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let rows = sqlx::query_as!(
        Row,
        r#"select contact_id, number, country, first_name, last_name, language, time_zone,
                  postal_code, region, tags,
                  attributes as "attributes: Json<BTreeMap<String, String>>",
                  created_at, updated_at
           from contacts where tenant_id = $1 and contact_id = any ($2) order by contact_id"#,
        tenant.as_str(),
        ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(Contact::from).collect())
}

/// A tenant's contacts after one, by id, with a tag if one is given.
///
/// # Errors
/// An outage.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    tag: Option<&str>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Contact>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        r#"select contact_id, number, country, first_name, last_name, language, time_zone,
                  postal_code, region, tags,
                  attributes as "attributes: Json<BTreeMap<String, String>>",
                  created_at, updated_at
           from contacts
           where tenant_id = $1 and contact_id > $2 and ($3::text is null or $3 = any (tags))
           order by contact_id limit $4"#,
        tenant.as_str(),
        after,
        tag,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(Contact::from).collect())
}

/// Writes contacts as they are given, new ones and known ones.
///
/// # Errors
/// An outage, or a text that Postgres cannot store.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, all: &[Contact]) -> Result<(), Fault> {
    // Rows with lists in them: unnest takes no arrays of arrays, so they travel as one JSON.
    sqlx::query!(
        "insert into contacts (tenant_id, contact_id, number, country, first_name, last_name,
                               language, time_zone, postal_code, region, tags, attributes,
                               created_at, updated_at)
         select $1, r.* from jsonb_to_recordset($2) as r (
             contact_id uuid, number text, country text, first_name text, last_name text,
             language text, time_zone text, postal_code text, region text, tags text[],
             attributes jsonb, created_at timestamptz, updated_at timestamptz)
         order by r.contact_id
         on conflict (tenant_id, contact_id) do update
         set first_name = excluded.first_name, last_name = excluded.last_name,
             language = excluded.language, time_zone = excluded.time_zone,
             postal_code = excluded.postal_code, region = excluded.region, tags = excluded.tags,
             attributes = excluded.attributes, updated_at = excluded.updated_at",
        tenant.as_str(),
        Json(all) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Where a number stands with a tenant on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// E.164
    pub number: String,
    /// `sms` or `whatsapp`
    pub channel: String,
    /// When the person said stop.
    pub opted_out_at: Option<Timestamp>,
    /// How.
    pub opt_out_cause: Option<String>,
    /// When the tenant or the platform said so.
    pub do_not_contact_at: Option<Timestamp>,
    /// Why.
    pub do_not_contact_reason: Option<String>,
    /// The latest grant that stands.
    pub marketing_consent_at: Option<Timestamp>,
}

/// Where these numbers stand for SMS; those without a row are missing. `lock` as in [`load`].
///
/// # Errors
/// An outage.
pub async fn standings(
    tx: &mut Scoped,
    tenant: &TenantId,
    numbers: &[String],
    lock: bool,
) -> Result<Vec<Standing>, Fault> {
    if lock {
        sqlx::query!(
            "select number from standings
             where tenant_id = $1 and number = any ($2) and channel = 'sms'
             order by number for update",
            tenant.as_str(),
            numbers,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let rows = sqlx::query!(
        "select number, channel, opted_out_at, opt_out_cause, do_not_contact_at,
                do_not_contact_reason, marketing_consent_at
         from standings where tenant_id = $1 and number = any ($2) and channel = 'sms'",
        tenant.as_str(),
        numbers,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let standing = rows.into_iter().map(|row| Standing {
        number: row.number,
        channel: row.channel,
        opted_out_at: row.opted_out_at.map(|at| at.to_jiff()),
        opt_out_cause: row.opt_out_cause,
        do_not_contact_at: row.do_not_contact_at.map(|at| at.to_jiff()),
        do_not_contact_reason: row.do_not_contact_reason,
        marketing_consent_at: row.marketing_consent_at.map(|at| at.to_jiff()),
    });
    Ok(standing.collect())
}

/// Numbers of a tenant that must not be contacted or have opted out, after one, by number.
///
/// # Errors
/// An outage.
pub async fn list_stopped(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Standing>, Fault> {
    let rows = sqlx::query!(
        "select number, channel, opted_out_at, opt_out_cause, do_not_contact_at,
                do_not_contact_reason, marketing_consent_at
         from standings
         where tenant_id = $1 and number > $2 and channel = 'sms'
           and (opted_out_at is not null or do_not_contact_at is not null)
         order by number limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    let standing = rows.into_iter().map(|row| Standing {
        number: row.number,
        channel: row.channel,
        opted_out_at: row.opted_out_at.map(|at| at.to_jiff()),
        opt_out_cause: row.opt_out_cause,
        do_not_contact_at: row.do_not_contact_at.map(|at| at.to_jiff()),
        do_not_contact_reason: row.do_not_contact_reason,
        marketing_consent_at: row.marketing_consent_at.map(|at| at.to_jiff()),
    });
    Ok(standing.collect())
}

/// A change of where a number stands for SMS, and its line in the consent ledger.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Of the line in the ledger.
    pub consent_id: Uuid,
    /// E.164
    pub number: String,
    /// `grant`: consent to marketing. `revoke`: do not contact.
    pub action: &'static str,
    /// `import` or `api`
    pub method: &'static str,
    /// ISO 639-1, of the person.
    pub language: Option<String>,
    /// List, form or vendor; for do-not-contact the reason.
    pub source: Option<String>,
    /// Where it can be looked up: import and line, or the API key.
    pub evidence: serde_json::Value,
    /// Where the number stood before.
    pub previous: String,
    /// Business time at which it was given.
    pub at: Timestamp,
    /// Who wrote it here.
    pub recorded_by: String,
}

/// Applies changes and writes them into the ledger. A do-not-contact that stands keeps its first
/// date and reason; consent keeps its latest.
///
/// # Errors
/// An outage, or a text that Postgres cannot store.
pub async fn change_standings(
    tx: &mut Scoped,
    tenant: &TenantId,
    changes: &[Change],
) -> Result<(), Fault> {
    sqlx::query!(
        "insert into standings as s (tenant_id, number, channel, marketing_consent_at,
                                     do_not_contact_at, do_not_contact_reason)
         select $1, r.number, 'sms', max(r.at) filter (where r.action = 'grant'),
                min(r.at) filter (where r.action = 'revoke'),
                min(r.source) filter (where r.action = 'revoke')
         from jsonb_to_recordset($2) as r (number text, action text, source text, at timestamptz)
         group by r.number order by r.number
         on conflict (tenant_id, number, channel) do update
         set marketing_consent_at = greatest(s.marketing_consent_at, excluded.marketing_consent_at),
             do_not_contact_at = coalesce(s.do_not_contact_at, excluded.do_not_contact_at),
             do_not_contact_reason = case when s.do_not_contact_at is null
                                          then excluded.do_not_contact_reason
                                          else s.do_not_contact_reason end",
        tenant.as_str(),
        Json(changes) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    sqlx::query!(
        "insert into consents (tenant_id, consent_id, number, channel, action, method, language,
                               source, evidence, previous, at, recorded_by)
         select $1, r.consent_id, r.number, 'sms', r.action, r.method, r.language, r.source,
                r.evidence, r.previous, r.at, r.recorded_by
         from jsonb_to_recordset($2) as r (
             consent_id uuid, number text, action text, method text, language text, source text,
             evidence jsonb, previous text, at timestamptz, recorded_by text)",
        tenant.as_str(),
        Json(changes) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
