//! Contacts: people by the addresses that a tenant knows them under, read and written set-based.
//! Each address has a row of its own. Rows of one person point to one of them, which is the contact
//! that callers see; the others are its cards ([`set`]).

pub mod addresses;
pub mod erase;
pub mod imports;
pub mod join;
pub mod merge;
pub mod set;
pub mod timeline;

use std::collections::BTreeMap;

use domain::{
    address::Address,
    ids::{ContactId, TenantId},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::{Json, Uuid};
use stage::Fault;

use crate::{Scoped, core::keyed::just_before, fault};

/// A person as a tenant knows them. Holds personal data: `Debug` shows the id alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// `v5(tenant, number)`: one contact per first address.
    pub contact_id: Uuid,
    /// The address that they were first known by: mostly a number, E.164.
    pub number: String,
    /// ISO 3166, from the number; `ZZ` where it says none.
    pub country: String,
    /// Given name; empty when not known.
    pub first_name: String,
    /// Family name; empty when not known.
    pub last_name: String,
    /// ISO 639-1; none when not known.
    pub language: Option<String>,
    /// An IANA name; none when not known.
    pub time_zone: Option<String>,
    /// As written on letters.
    pub postal_code: Option<String>,
    /// ISO 3166-2, `US-FL`.
    pub region: Option<String>,
    /// Sorted, each once.
    pub tags: Vec<String>,
    /// The tenant's own fields.
    pub attributes: BTreeMap<String, String>,
    /// Business time at which it was made.
    pub created_at: Timestamp,
    /// Business time of the last change.
    pub updated_at: Timestamp,
}

impl Contact {
    /// The address that they were first known by; none where this version cannot read it.
    pub fn address(&self) -> Option<Address> {
        self.number.parse().ok()
    }
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

/// The contacts among these ids, by id; those that were erased are missing. `lock` keeps them from
/// changing until the transaction ends; they are locked in key order.
pub async fn load(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
    lock: bool,
) -> Result<Vec<Contact>, Fault> {
    let tenants = vec![tenant.as_str(); ids.len()];
    if lock {
        sqlx::query!(
            "select c.contact_id
             from (select distinct * from unnest($1::text[], $2::uuid[])) as k (tenant_id, id)
             join contacts c on c.tenant_id = k.tenant_id and c.contact_id = k.id
             order by c.contact_id for update of c",
            &tenants as _,
            ids,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;
    }

    let rows = sqlx::query_as!(
        Row,
        r#"select c.contact_id, c.number, c.country, c.first_name, c.last_name, c.language,
                  c.time_zone, c.postal_code, c.region, c.tags,
                  c.attributes as "attributes: Json<BTreeMap<String, String>>",
                  c.created_at, c.updated_at
           from (select distinct * from unnest($1::text[], $2::uuid[])) as k (tenant_id, id)
           join contacts c on c.tenant_id = k.tenant_id and c.contact_id = k.id
           where c.erased_at is null
           order by c.contact_id"#,
        &tenants as _,
        ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(Contact::from).collect())
}

/// How many contacts a page of a list with a filter looks at.
const MOST_LOOKED_AT: i64 = 10_000;

/// Which contacts are wanted. What is not said does not matter.
#[derive(Clone, Default)]
pub struct ContactFilter {
    /// With this tag.
    pub tag: Option<String>,
    /// With this in their names, whatever its case, or these digits in their number.
    pub text: Option<String>,
}

/// A tenant's contacts after one, by id. With a filter at most 10,000 are looked at. Beside them
/// stands where the next page goes on; none where there is nothing more.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &ContactFilter,
    after: Uuid,
    limit: i64,
) -> Result<(Vec<Contact>, Option<Uuid>), Fault> {
    let is_filtered = filter.tag.is_some() || filter.text.is_some();
    let end = if is_filtered { end_of_look(tx, tenant, after).await? } else { None };
    let found = between(tx, tenant, filter, (after, end.unwrap_or(Uuid::max())), limit).await?;

    let is_full = found.len() as i64 >= limit;
    let last = found.last().map(|contact| contact.contact_id);
    Ok((found, if is_full { last } else { end }))
}

/// The contacts that have an address, or were first known by it.
pub async fn by_address(
    tx: &mut Scoped,
    tenant: &TenantId,
    address: &Address,
    filter: &ContactFilter,
) -> Result<Vec<Contact>, Fault> {
    let owner = sqlx::query_scalar!(
        "select contact_id from contact_addresses
         where tenant_id = $1 and kind = $2 and address = $3",
        tenant.as_str(),
        address.kind().as_str(),
        address.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let id = owner.unwrap_or_else(|| ContactId::of(tenant, address.as_str()).0);
    let before = just_before(id);
    between(tx, tenant, filter, (before, id), 1).await
}

/// The last contact that a page with a filter looks at; none where the contacts end before.
async fn end_of_look(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
) -> Result<Option<Uuid>, Fault> {
    sqlx::query_scalar!(
        "select contact_id from contacts where tenant_id = $1 and contact_id > $2
         order by contact_id offset $3 limit 1",
        tenant.as_str(),
        after,
        MOST_LOOKED_AT - 1,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}

/// The contacts after one and up to another that fit a filter, by id.
async fn between(
    tx: &mut Scoped,
    tenant: &TenantId,
    filter: &ContactFilter,
    (after, through): (Uuid, Uuid),
    limit: i64,
) -> Result<Vec<Contact>, Fault> {
    let text = filter.text.as_deref().map(str::to_lowercase);
    let digits = text.as_deref().and_then(digits);
    let rows = sqlx::query_as!(
        Row,
        r#"select contact_id, number, country, first_name, last_name, language, time_zone,
                  postal_code, region, tags,
                  attributes as "attributes: Json<BTreeMap<String, String>>",
                  created_at, updated_at
           from contacts
           where tenant_id = $1 and contact_id > $2 and contact_id <= $3 and erased_at is null
             and merged_into is null
             and ($4::text is null or $4 = any (tags))
             and ($5::text is null or strpos(lower(first_name || ' ' || last_name), $5) > 0
                  or strpos(number, $6) > 0)
           order by contact_id limit $7"#,
        tenant.as_str(),
        after,
        through,
        filter.tag,
        text,
        digits,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(Contact::from).collect())
}

/// What is looked for in numbers: three digits at least, however they are grouped.
fn digits(text: &str) -> Option<String> {
    let is_number = text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (is_number && digits.len() >= 3).then_some(digits)
}

/// Writes contacts as they are given: new ones, known ones, and those that were erased, which are
/// new as well.
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
             attributes = excluded.attributes, updated_at = excluded.updated_at,
             created_at = case when contacts.erased_at is null then contacts.created_at
                               else excluded.created_at end,
             erased_at = null",
        tenant.as_str(),
        Json(all) as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
