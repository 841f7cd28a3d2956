//! The addresses of contacts, and the names beside them. An address is one contact's. One that
//! joins a contact brings its stops and gets those of the others ([`consent::spread`]).

use std::collections::HashMap;

use domain::{
    address::{Address, AddressKind, MAX_ADDRESSES},
    ids::{ContactId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::set;
use crate::{
    Scoped,
    core::words::{word, words},
    fault,
    recipients::consent::{self, spread},
};

words! { AddressKind = "kind of an address" }

/// What a contact is known under. Holds personal data: `Debug` shows the kind alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactAddress {
    /// What it is.
    pub kind: AddressKind,
    /// As texts go to it, or as the carrier writes it.
    pub address: String,
    /// Business time at which it became the contact's.
    pub added_at: Timestamp,
}

impl std::fmt::Debug for ContactAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContactAddress({})", self.kind.as_str())
    }
}

impl ContactAddress {
    fn order(&self) -> (AddressKind, Timestamp, &str) {
        (self.kind, self.added_at, &self.address)
    }

    /// The address, where texts can go to it.
    pub fn reachable(&self) -> Option<Address> {
        reachable(self.kind, &self.address)
    }
}

/// What texts can go to; none for a name beside it.
pub(super) fn reachable(kind: AddressKind, text: &str) -> Option<Address> {
    match kind {
        AddressKind::Phone | AddressKind::CarrierId => text.parse().ok(),
        AddressKind::WhatsappId | AddressKind::Username => None,
    }
}

/// The addresses of contacts, by contact: numbers first, each kind in the order in which they came.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    contacts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<ContactAddress>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.contact_id as "contact_id!", a.kind, a.address, a.added_at
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, contact_id)
           cross join lateral (
               select * from contact_addresses r
               where r.contact_id = k.contact_id limit $3
           ) a
           where a.tenant_id = k.tenant_id"#,
        &vec![tenant.as_str(); contacts.len()] as _,
        contacts,
        MAX_ADDRESSES as i64,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut found: HashMap<Uuid, Vec<ContactAddress>> = HashMap::new();
    for row in rows {
        let (kind, added_at) = (word(&row.kind)?, row.added_at.to_jiff());
        let address = ContactAddress { kind, address: row.address, added_at };
        found.entry(row.contact_id).or_default().push(address);
    }
    for of_contact in found.values_mut() {
        of_contact.sort_by(|one, other| one.order().cmp(&other.order()));
    }
    Ok(found)
}

/// What is added to a contact.
#[derive(Clone, Copy)]
pub struct NewAddress<'a> {
    /// Whose contact it is.
    pub tenant: &'a TenantId,
    /// The contact, which points to no other.
    pub contact: ContactId,
    /// What it is.
    pub kind: AddressKind,
    /// In its canonical form.
    pub address: &'a str,
    /// Business time of the act.
    pub at: Timestamp,
    /// Who adds it: API key, user, stage.
    pub by: &'a str,
}

/// What became of an address that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddOutcome {
    /// It is the contact's since.
    Added,
    /// It was the contact's before.
    Known,
    /// It is another contact's.
    OfAnother(ContactId),
    /// The contact has as many as fit.
    TooMany,
    /// The contact is known by a carrier's id alone: a number is a contact of its own, which takes
    /// this one in.
    WithoutPhone,
}

/// Adds an address to a contact, whose row the caller has locked. What somebody who was erased had
/// is free.
pub async fn add(tx: &mut Scoped, new: &NewAddress<'_>) -> Result<AddOutcome, Fault> {
    let (tenant, contact) = (new.tenant, new.contact);
    let before = list(tx, tenant, &[contact.0]).await?.remove(&contact.0).unwrap_or_default();
    match owner(tx, tenant, new.kind, new.address).await? {
        Some(owner) if owner == contact => return Ok(AddOutcome::Known),
        _ if before.len() >= MAX_ADDRESSES => return Ok(AddOutcome::TooMany),
        Some(owner) => return Ok(AddOutcome::OfAnother(owner)),
        None => {}
    }
    if new.kind == AddressKind::Phone && !before.iter().any(|one| one.kind == AddressKind::Phone) {
        return Ok(AddOutcome::WithoutPhone);
    }
    if !insert(tx, new).await? {
        let owner = owner(tx, tenant, new.kind, new.address).await?;
        return Ok(owner.map_or(AddOutcome::TooMany, AddOutcome::OfAnother));
    }

    if let Some(address) = reachable(new.kind, new.address) {
        make_card(tx, new, &address).await?;
        let all: Vec<Address> =
            before.iter().filter_map(ContactAddress::reachable).chain([address]).collect();
        let act = consent::SpreadAct { tenant, id: contact.0, at: new.at, by: new.by };
        spread::over(tx, &act, &all).await?;
    }
    Ok(AddOutcome::Added)
}

/// Whose an address is; none where it is nobody's, or of somebody who was erased.
async fn owner(
    tx: &mut Scoped,
    tenant: &TenantId,
    kind: AddressKind,
    address: &str,
) -> Result<Option<ContactId>, Fault> {
    let found = sqlx::query_scalar!(
        "select a.contact_id from contact_addresses a
         cross join lateral (
             select * from contacts r
             where r.tenant_id = a.tenant_id and r.contact_id = a.contact_id limit 1
         ) c
         where a.tenant_id = $1 and a.kind = $2 and a.address = $3 and c.erased_at is null",
        tenant.as_str(),
        kind.as_str(),
        address,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(found.map(ContactId))
}

/// Gives an address to a contact. False where it is another's by now.
async fn insert(tx: &mut Scoped, new: &NewAddress<'_>) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into contact_addresses as a (tenant_id, kind, address, contact_id, added_at)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, kind, address) do update
         set contact_id = excluded.contact_id, added_at = excluded.added_at
         where exists (
             select from contacts c where c.tenant_id = a.tenant_id
                and c.contact_id = a.contact_id and c.erased_at is not null)",
        new.tenant.as_str(),
        new.kind.as_str(),
        new.address,
        new.contact.0,
        new.at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Makes the row of an address that is a contact's, and has it point there.
async fn make_card(tx: &mut Scoped, new: &NewAddress<'_>, address: &Address) -> Result<(), Fault> {
    let card = ContactId::of(new.tenant, address.as_str());
    if card == new.contact {
        return Ok(());
    }
    let country = address.phone().and_then(|number| number.country());
    sqlx::query!(
        "insert into contacts (tenant_id, contact_id, number, country, created_at, updated_at,
                               merged_into)
         values ($1, $2, $3, $4, $5, $5, $6)
         on conflict (tenant_id, contact_id) do update set merged_into = excluded.merged_into",
        new.tenant.as_str(),
        card.0,
        address.as_str(),
        country.map_or("ZZ".to_owned(), |country| country.to_string()),
        new.at.to_sqlx(),
        new.contact.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// What became of an address that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveOutcome {
    /// It is the contact's no more. What texts go to is a contact of its own again, and keeps every
    /// stop that it has.
    Removed,
    /// The contact does not have it.
    Unknown,
    /// The contact is known by it first: it stays as long as the contact.
    First,
}

/// Takes an address from a contact, whose row the caller has locked.
pub async fn remove(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    kind: AddressKind,
    address: &str,
) -> Result<RemoveOutcome, Fault> {
    let card = reachable(kind, address).map(|to| ContactId::of(tenant, to.as_str()));
    if card == Some(contact) || is_first(tx, tenant, contact, address).await? {
        return Ok(RemoveOutcome::First);
    }

    let done = sqlx::query!(
        "delete from contact_addresses
         where tenant_id = $1 and kind = $2 and address = $3 and contact_id = $4",
        tenant.as_str(),
        kind.as_str(),
        address,
        contact.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    if done.rows_affected() == 0 {
        return Ok(RemoveOutcome::Unknown);
    }

    if let Some(card) = card {
        give(tx, tenant, card, &[(kind, address.to_owned())]).await?;
        set::point(tx, tenant, &[card.0], None).await?;
    }
    Ok(RemoveOutcome::Removed)
}

/// Whether a contact was first known by this address.
async fn is_first(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    address: &str,
) -> Result<bool, Fault> {
    let first = sqlx::query_scalar!(
        "select number from contacts where tenant_id = $1 and contact_id = $2",
        tenant.as_str(),
        contact.0,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(first.as_deref() == Some(address))
}

/// Gives addresses to a contact, whoever has them.
pub(super) async fn give(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
    addresses: &[(AddressKind, String)],
) -> Result<(), Fault> {
    let kinds: Vec<&str> = addresses.iter().map(|(kind, _)| kind.as_str()).collect();
    let texts: Vec<&str> = addresses.iter().map(|(_, text)| text.as_str()).collect();

    sqlx::query!(
        "insert into contact_addresses (tenant_id, kind, address, contact_id, added_at)
         select k.tenant_id, k.kind, k.address, c.contact_id, c.created_at
         from unnest($1::text[], $2::text[], $3::text[], $4::uuid[])
              as k (tenant_id, kind, address, contact_id)
         join contacts c on c.tenant_id = k.tenant_id and c.contact_id = k.contact_id
         order by 1, 2, 3
         on conflict (tenant_id, kind, address) do update set contact_id = excluded.contact_id",
        &vec![tenant.as_str(); kinds.len()] as _,
        &kinds as _,
        &texts as _,
        &vec![contact.0; kinds.len()],
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
