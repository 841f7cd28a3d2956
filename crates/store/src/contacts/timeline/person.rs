//! A contact as the rows of other tables name them.

use domain::ids::{ContactId, TenantId};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, fault};

/// How many addresses of a contact are looked at; who has more is no person.
const MOST_ADDRESSES: i64 = 100;

/// A contact as rows name them: by addresses, and by the ids that these make.
pub(super) struct Person {
    /// The contact, and those that their addresses were first known as.
    pub(super) contacts: Vec<ContactId>,
    /// Every address that they have.
    pub(super) addresses: Vec<String>,
}

impl Person {
    pub(super) async fn load(
        tx: &mut Scoped,
        tenant: &TenantId,
        contact: ContactId,
    ) -> Result<Self, Fault> {
        let addresses = sqlx::query_scalar!(
            r#"(select a.address as "address!" from contact_addresses a
                where a.tenant_id = $1 and a.contact_id = $2
                order by a.address limit $3)
               union
               select c.number from contacts c where c.tenant_id = $1 and c.contact_id = $2"#,
            tenant.as_str(),
            contact.0,
            MOST_ADDRESSES,
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(fault)?;

        let of_addresses = addresses.iter().map(|address| ContactId::of(tenant, address));
        let mut contacts: Vec<ContactId> = of_addresses.chain([contact]).collect();
        contacts.sort_unstable();
        contacts.dedup();
        Ok(Self { contacts, addresses })
    }

    /// The ids, as statements take them.
    pub(super) fn ids(&self) -> Vec<Uuid> {
        self.contacts.iter().map(|contact| contact.0).collect()
    }
}
