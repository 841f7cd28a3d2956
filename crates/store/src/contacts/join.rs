//! What a carrier tells of a person beside the address that they have written from: WhatsApp names
//! somebody by their number and by its own id together. The two are one contact from then on.

use domain::{
    address::{Address, AddressKind},
    ids::{ContactId, TenantId, told_merge},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::{
    addresses::{self, AddOutcome, NewAddress},
    merge::{self, MergeAct, MergeOutcome},
    set,
};
use crate::{Scoped, Store, core::keyed::index, drafts::ContactKey, fault, messages::enrich};

/// A name of a person, told beside their address.
#[derive(Clone)]
pub struct ToldName {
    /// Whose contact it is.
    pub tenant: TenantId,
    /// What they have written from.
    pub address: Address,
    /// What the name is.
    pub kind: AddressKind,
    /// As it is kept: see [`AddressKind`].
    pub name: String,
    /// Business time of the request.
    pub at: Timestamp,
}

/// Who acts, in the ledger and the trail.
const STAGE: &str = "stage:inbound";

/// Has each of these be a name of the contact that has the address. One query says of all whether
/// anything is new, and mostly nothing is; what is new is written one by one, each in a transaction
/// of its own. Answers how many did not fit: a contact has as many addresses as it may.
pub async fn join(store: &Store, told: &[ToldName]) -> Result<usize, Fault> {
    if told.is_empty() {
        return Ok(0);
    }
    let mut tx = store.scoped(told.iter().map(|one| &one.tenant)).await?;
    let news = news(&mut tx, told).await?;
    drop(tx);

    let mut left_out = 0;
    for told in news.into_iter().map(|index| &told[index]) {
        let mut tx = store.scoped([&told.tenant]).await?;
        left_out += usize::from(!one(&mut tx, told).await?);
        tx.commit().await.map_err(fault)?;
    }
    Ok(left_out)
}

/// The indexes of those that their contact does not have.
async fn news(tx: &mut Scoped, told: &[ToldName]) -> Result<Vec<usize>, Fault> {
    let rows = sqlx::query_scalar!(
        r#"select k.at as "at!"
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                with ordinality as k (tenant_id, kind, address, name_kind, name, at)
           left join lateral (
               select * from contact_addresses r where r.tenant_id = k.tenant_id
                  and r.kind = k.kind and r.address = k.address limit 1
           ) a on true
           left join lateral (
               select * from contact_addresses r where r.tenant_id = k.tenant_id
                  and r.kind = k.name_kind and r.address = k.name limit 1
           ) n on true
           where a.contact_id is null or n.contact_id is distinct from a.contact_id
           order by k.at"#,
        &told.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.address.kind().as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.name.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(index).collect())
}

/// Writes one. False where the contact has as many addresses as it may.
async fn one(tx: &mut Scoped, told: &ToldName) -> Result<bool, Fault> {
    let tenant = &told.tenant;
    let card = ContactId::of(tenant, told.address.as_str());
    let key = ContactKey {
        tenant,
        contact: card,
        address: &told.address,
        channel: domain::message::class::Channel::Whatsapp,
        fields: false,
    };
    enrich::insert_contacts(tx, told.at, &[key]).await?;
    let (contact, found) = set::lock(tx, tenant, card).await?;
    let (kind, at) = (told.kind, told.at);
    if found.is_none() && addresses::reachable(kind, &told.name).is_none() {
        // Somebody who was erased: how they are called there is not kept again.
        return Ok(true);
    }

    let new = NewAddress { tenant, contact, kind, address: &told.name, at, by: STAGE };
    Ok(match addresses::add(tx, &new).await? {
        AddOutcome::Added | AddOutcome::Known => true,
        AddOutcome::TooMany => false,
        // A contact of its own until now, under the carrier's id alone.
        AddOutcome::OfAnother(other) if kind == AddressKind::CarrierId => {
            let (id, by, cause) = (told_merge(contact, other), STAGE, "carrier");
            if merge::is_stored(tx, tenant, id).await? {
                // Somebody has undone it since, and goes on being told of it with every text.
                return Ok(true);
            }
            let act = MergeAct { tenant, id, into: contact, from: other, at, by, cause };
            match merge::merge(tx, &act).await? {
                MergeOutcome::Merged(_) | MergeOutcome::Same => true,
                MergeOutcome::Unknown | MergeOutcome::WithoutPhone | MergeOutcome::TooMany => false,
            }
        }
        // Somebody has given the name up, and another person has taken it.
        AddOutcome::OfAnother(_) if kind == AddressKind::Username => {
            take_name(tx, &new).await?;
            true
        }
        AddOutcome::OfAnother(_) | AddOutcome::WithoutPhone => false,
    })
}

/// Has a name be another contact's from now on.
async fn take_name(tx: &mut Scoped, new: &NewAddress<'_>) -> Result<(), Fault> {
    sqlx::query!(
        "update contact_addresses set contact_id = $4, added_at = $5
         where tenant_id = $1 and kind = $2 and address = $3",
        new.tenant.as_str(),
        new.kind.as_str(),
        new.address,
        new.contact.0,
        new.at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
