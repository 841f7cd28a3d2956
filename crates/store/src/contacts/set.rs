//! The rows of one person. What is said of a card is said of the contact that it points to; its own
//! fields stay as they were before, for an undo.

use std::collections::HashMap;

use domain::ids::{ContactId, TenantId};
use sqlx::types::Uuid;
use stage::Fault;

use super::{Contact, load};
use crate::{Scoped, fault};

/// The contacts that these cards point to, by card. Who points to nobody is not in it.
pub async fn owners(
    tx: &mut Scoped,
    cards: &[(&TenantId, Uuid)],
) -> Result<HashMap<Uuid, Uuid>, Fault> {
    if cards.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenants, ids): (Vec<&str>, Vec<Uuid>) =
        cards.iter().map(|(tenant, id)| (tenant.as_str(), *id)).unzip();

    let rows = sqlx::query!(
        r#"select c.contact_id, c.merged_into as "merged_into!"
           from unnest($1::text[], $2::uuid[]) as k (tenant_id, contact_id)
           cross join lateral (
               select * from contacts r
               where r.tenant_id = k.tenant_id and r.contact_id = k.contact_id limit 1
           ) c
           where c.merged_into is not null"#,
        &tenants as _,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(rows.into_iter().map(|row| (row.contact_id, row.merged_into)).collect())
}

/// The contact that an id names: itself, or the one that it is a card of.
pub async fn contact_of(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ContactId,
) -> Result<ContactId, Fault> {
    let owners = owners(tx, &[(tenant, id.0)]).await?;
    Ok(ContactId(owners.get(&id.0).copied().unwrap_or(id.0)))
}

/// Likewise, locked until the transaction ends: nobody takes it in meanwhile, and no address comes
/// to it or goes. Beside its id stands the contact; none where there is none, or it was erased.
pub async fn lock(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: ContactId,
) -> Result<(ContactId, Option<Contact>), Fault> {
    let mut contact = contact_of(tx, tenant, id).await?;
    loop {
        let found = load(tx, tenant, &[contact.0], true).await?.pop();
        // Another may have taken it in, or a merge been undone, while its row was waited for.
        let now = contact_of(tx, tenant, id).await?;
        if now == contact {
            return Ok((contact, found));
        }
        contact = now;
    }
}

/// A contact and its cards, the contact first.
pub async fn rows_of(
    tx: &mut Scoped,
    tenant: &TenantId,
    contact: ContactId,
) -> Result<Vec<Uuid>, Fault> {
    let mut cards = sqlx::query_scalar!(
        "select contact_id from contacts where tenant_id = $1 and merged_into = $2",
        tenant.as_str(),
        contact.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    cards.sort_unstable();
    Ok(std::iter::once(contact.0).chain(cards).collect())
}

/// Has cards point to another contact, or to none. They are locked in key order.
pub(super) async fn point(
    tx: &mut Scoped,
    tenant: &TenantId,
    cards: &[Uuid],
    to: Option<ContactId>,
) -> Result<(), Fault> {
    let mut cards = cards.to_vec();
    cards.sort_unstable();
    sqlx::query!(
        "with locked as (
             select c.tenant_id, c.contact_id
             from unnest($1::text[], $2::uuid[]) as k (tenant_id, contact_id)
             join contacts c on c.tenant_id = k.tenant_id and c.contact_id = k.contact_id
             order by c.contact_id for update of c
         )
         update contacts c set merged_into = $3
         from locked l where c.tenant_id = l.tenant_id and c.contact_id = l.contact_id",
        &vec![tenant.as_str(); cards.len()] as _,
        &cards,
        to.map(|contact| contact.0),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
