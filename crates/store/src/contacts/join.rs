//! What a carrier tells of a person beside the address that they have written from: WhatsApp names
//! somebody by their number and by its own id together. The two are one contact from then on.

use std::collections::HashSet;

use domain::{
    address::{Address, AddressKind, MAX_ADDRESSES},
    ids::{ContactId, TenantId, told_merge},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
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

/// Has each of these be a name of the contact that has the address, however often it is told. A
/// query says of all whether anything is new and fits, and mostly nothing is; what is new is
/// written one by one, each in a transaction of its own. Answers how many did not fit: a contact
/// has as many addresses as it may, or the name is somebody else's.
pub async fn join(store: &Store, told: &[ToldName]) -> Result<usize, Fault> {
    let told = distinct(told);
    if told.is_empty() {
        return Ok(0);
    }
    let mut tx = store.scoped(told.iter().map(|one| &one.tenant)).await?;
    let news = news(&mut tx, &told).await?;
    let undone = undone(&mut tx, &told, &news).await?;
    drop(tx);

    let mut left_out = 0;
    for news in &news {
        let told = told[news.index];
        match news.fate(told, &undone) {
            Fate::Stays => {}
            Fate::DoesNotFit => left_out += 1,
            Fate::Written => {
                let mut tx = store.scoped([&told.tenant]).await?;
                left_out += usize::from(!one(&mut tx, told).await?);
                tx.commit().await.map_err(fault)?;
            }
        }
    }
    Ok(left_out)
}

/// Each name once, as it is told first: people write several texts at a time.
fn distinct(told: &[ToldName]) -> Vec<&ToldName> {
    let mut known = HashSet::new();
    let key =
        |one: &&ToldName| (one.tenant.clone(), one.address.clone(), one.kind, one.name.clone());
    told.iter().filter(|one| known.insert(key(one))).collect()
}

/// What is known of a name that its contact does not have.
struct News {
    /// Which of the names it is.
    index: usize,
    /// The contact that has the address; none where there is none yet.
    contact: Option<ContactId>,
    /// The contact was erased.
    is_erased: bool,
    /// How many addresses the contact has, as far as that is counted.
    addresses: i64,
    /// Who has the name; none where it is free.
    owner: Option<ContactId>,
    /// How many addresses that one has.
    of_owner: i64,
}

/// What becomes of a name that its contact does not have.
enum Fate {
    /// It is written down.
    Written,
    /// Nothing: somebody has decided so, and goes on being told of it with every text.
    Stays,
    /// It cannot be.
    DoesNotFit,
}

impl News {
    /// The merge that would make one contact of two; none where the name is not another's id.
    fn merge(&self, told: &ToldName) -> Option<Uuid> {
        let owner = self.owner.filter(|_| told.kind == AddressKind::CarrierId)?;
        Some(told_merge(self.contact?, owner))
    }

    /// By what is known without a lock, so that a text of somebody whose name never fits costs no
    /// transaction. `undone` holds merges that are stored.
    fn fate(&self, told: &ToldName, undone: &HashSet<Uuid>) -> Fate {
        let most = MAX_ADDRESSES as i64;
        if self.is_erased && addresses::reachable(told.kind, &told.name).is_none() {
            return Fate::Stays;
        }
        if self.addresses >= most {
            return Fate::DoesNotFit;
        }
        match (self.owner, told.kind) {
            (None, _) | (Some(_), AddressKind::Username) => Fate::Written,
            (Some(_), AddressKind::Phone | AddressKind::WhatsappId) => Fate::DoesNotFit,
            (Some(_), AddressKind::CarrierId) => {
                if self.merge(told).is_some_and(|merge| undone.contains(&merge)) {
                    Fate::Stays
                } else if self.addresses + self.of_owner > most {
                    Fate::DoesNotFit
                } else {
                    Fate::Written
                }
            }
        }
    }
}

/// Those that their contact does not have.
async fn news(tx: &mut Scoped, told: &[&ToldName]) -> Result<Vec<News>, Fault> {
    let rows = sqlx::query!(
        r#"select k.at as "at!", a.contact_id as "contact?", n.contact_id as "owner?",
                  coalesce(c.is_erased, false) as "is_erased!",
                  (select count(*) from (
                      select from contact_addresses r where r.contact_id = a.contact_id limit $6
                  ) o) as "addresses!",
                  (select count(*) from (
                      select from contact_addresses r where r.contact_id = n.contact_id limit $6
                  ) o) as "of_owner!"
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                with ordinality as k (tenant_id, kind, address, name_kind, name, at)
           left join lateral (
               select * from contact_addresses r where r.tenant_id = k.tenant_id
                  and r.kind = k.kind and r.address = k.address limit 1
           ) a on true
           left join lateral (
               select r.erased_at is not null as is_erased from contacts r
               where r.tenant_id = k.tenant_id and r.contact_id = a.contact_id limit 1
           ) c on true
           left join lateral (
               select r.contact_id from contact_addresses r
               cross join lateral (
                   select from contacts o where o.tenant_id = r.tenant_id
                      and o.contact_id = r.contact_id and o.erased_at is null limit 1
               ) living
               where r.tenant_id = k.tenant_id and r.kind = k.name_kind and r.address = k.name
               limit 1
           ) n on true
           where a.contact_id is null or n.contact_id is distinct from a.contact_id
           order by k.at"#,
        &told.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.address.kind().as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.address.as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>() as _,
        &told.iter().map(|one| one.name.as_str()).collect::<Vec<_>>() as _,
        MAX_ADDRESSES as i64,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let news = rows.into_iter().map(|row| News {
        index: index(row.at),
        contact: row.contact.map(ContactId),
        is_erased: row.is_erased,
        addresses: row.addresses,
        owner: row.owner.map(ContactId),
        of_owner: row.of_owner,
    });
    Ok(news.collect())
}

/// The merges that would make one contact of two and are stored: as the two are apart, somebody has
/// undone them since.
async fn undone(
    tx: &mut Scoped,
    told: &[&ToldName],
    news: &[News],
) -> Result<HashSet<Uuid>, Fault> {
    let of_news =
        |news: &News| Some((told[news.index].tenant.as_str(), news.merge(told[news.index])?));
    let (tenants, merges): (Vec<&str>, Vec<Uuid>) = news.iter().filter_map(of_news).unzip();
    if merges.is_empty() {
        return Ok(HashSet::new());
    }

    let stored = sqlx::query_scalar!(
        "select m.merge_id from unnest($1::text[], $2::uuid[]) as k (tenant_id, merge_id)
         join contact_merges m on m.tenant_id = k.tenant_id and m.merge_id = k.merge_id",
        &tenants as _,
        &merges,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(stored.into_iter().collect())
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
